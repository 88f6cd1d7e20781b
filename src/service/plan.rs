//! Writing a plan into a private file, with its attempt and outcome in the trail.

use std::io;
use std::path::Path;

use super::{Error, Session};
use crate::config::private::write_atomic_private;
use crate::export::cells::{self as fields, Cell};
use crate::model::Dimension;
use crate::report::{Plan, PlanRow, PlannedLot};
use crate::text::Figures;

/// What stands above the orders of a plan as CSV.
pub const HEADER: [&str; 12] = [
    "by",
    "key",
    "action",
    "account",
    "symbol",
    "quantity",
    "price",
    "currency",
    "price_date",
    "price_source",
    "amount",
    "lots",
];

/// The orders of a plan as CSV. Nothing in it is masked.
///
/// # Errors
/// Never: it is written into memory.
pub fn csv(plan: &Plan) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let rows = plan.rows.iter().map(|row| cells(row, plan.by, Figures::plain(false)));
    fields::write(&mut bytes, &HEADER, rows)?;
    Ok(bytes)
}

/// The fields of an order.
#[must_use]
pub fn cells(row: &PlanRow, by: Dimension, figures: Figures) -> Vec<Cell> {
    let lot = |lot: &PlannedLot| format!("{} x {}", figures.exact(lot.quantity), lot.opened);
    let lots: Vec<_> = row.lots.iter().map(lot).collect();
    vec![
        Cell::Plain(by.to_string()),
        Cell::Text(row.key.clone()),
        Cell::Plain(row.action.as_str().to_owned()),
        Cell::text(row.account.as_ref()),
        Cell::text(row.symbol.as_ref()),
        Cell::plain(figures.maybe(row.quantity)),
        Cell::plain(figures.maybe(row.price)),
        Cell::plain(row.currency),
        Cell::plain(row.price_date),
        Cell::text(row.price_source.as_ref()),
        Cell::Plain(figures.exact(row.amount)),
        Cell::Plain(lots.join("; ")),
    ]
}

/// Writes a plan, over a file that is there only where that is asked for.
///
/// # Errors
/// When the file or the trail cannot be written.
pub async fn write(session: &Session, path: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    write_as(session, "plan.write", path, bytes, force).await
}

/// Writes a private file of something that was computed, under the name that the trail has for it.
///
/// # Errors
/// When the file or the trail cannot be written.
pub(super) async fn write_as(
    session: &Session,
    action: &'static str,
    path: &Path,
    bytes: &[u8],
    force: bool,
) -> Result<(), Error> {
    let attempt = session.attempt(action, "").await?;
    let written = write_atomic_private(path, bytes, force)
        .map_err(|source| Error::Write { path: path.to_owned(), source });
    match &written {
        Ok(()) => attempt.succeeded("").await?,
        Err(error) => attempt.failed(error.kind()).await?,
    }
    written
}
