//! Playing the rows of groups again, from the first day that a write touched.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codec;
use super::days::{events_where, half};
use super::market::{Market, Otherwise, Scope};
use super::position;
use super::sheets::Sheets;
use crate::analytics::lots::{Book, LotFinding, Sink};
use crate::model::{Realization, SecurityId, days};
use crate::store::{LotPage, Result, WriteTx};

/// The lots after a day.
#[derive(Serialize, Deserialize)]
pub(super) struct Closing {
    /// The last day whose rows are in it.
    #[serde(with = "days")]
    pub through: NaiveDate,
    /// The lots.
    pub book: Book,
}

/// Keeps what was found and lets the rest go by: what was realized follows from the rows whenever
/// somebody asks.
#[derive(Default)]
pub(super) struct Findings(pub Vec<LotFinding>);

impl Sink for Findings {
    fn realized(&mut self, _: Realization) {}

    fn finding(&mut self, finding: LotFinding) {
        self.0.push(finding);
    }
}

/// Plays every group from its day on, and writes the pages that came of it.
pub(super) async fn replay(
    tx: &mut WriteTx,
    sheets: &mut Sheets,
    from: &BTreeMap<SecurityId, NaiveDate>,
) -> Result<()> {
    let Some(last) = tx.last_day().await? else {
        for group in from.keys() {
            sheets.take(tx, *group, |_| true).await?;
            tx.put_positions(*group, &[]).await?;
        }
        return Ok(());
    };
    if from.is_empty() {
        return Ok(());
    }
    let market = Market::read(tx, last, Scope::History, Otherwise::default()).await?;
    for (&group, &day) in from {
        replay_group(tx, sheets, &market, group, day).await?;
    }
    Ok(())
}

async fn replay_group(
    tx: &mut WriteTx,
    sheets: &mut Sheets,
    market: &Market,
    group: SecurityId,
    from: NaiveDate,
) -> Result<()> {
    // A page is in here once, as the write left it; those with other rows are written in any case.
    let new = sheets.take(tx, group, |_| true).await?;
    let written: BTreeSet<i32> = new.iter().map(|page| page.half).collect();
    let mut pages = tx.lot_pages_from(group, half(from)).await?;
    pages.retain(|page| !written.contains(&page.half));
    pages.extend(new);
    pages.sort_by_key(|page| page.half);
    let mut book = match tx.lot_page_before(group, half(from)).await? {
        Some(page) => codec::from_bytes::<Closing>(&page.closing)?.book,
        None => Book::default(),
    };
    let mut changed = Vec::new();
    for mut page in pages {
        let played = play(market, &mut page, book, from)?;
        if played.changed || written.contains(&page.half) {
            changed.push(page);
        }
        book = played.book;
    }
    tx.put_lot_pages(&changed).await?;
    tx.put_positions(group, &position::records(group, &book)?).await
}

struct Played {
    book: Book,
    changed: bool,
}

/// Plays a page from a day on. What its lots were before that day is still true.
fn play(market: &Market, page: &mut LotPage, opening: Book, from: NaiveDate) -> Result<Played> {
    let mut book = opening;
    let mut after = None;
    let mut findings = Findings::default();
    if !page.closing.is_empty() {
        let closing: Closing = codec::from_bytes(&page.closing)?;
        if closing.through < from && closing.through >= page.first_day {
            after = Some(closing.through);
            book = closing.book;
            findings.0 = codec::from_bytes(&page.findings)?;
        }
    }
    for (_, events) in events_where(page, |day| after.is_none_or(|after| after < day))? {
        book.apply_day(&events, market, &mut findings);
    }
    let closing = Closing { through: page.last_day, book };
    let bytes = codec::to_bytes(&closing)?;
    let found = codec::to_bytes(&findings.0)?;
    let changed = bytes != page.closing || found != page.findings;
    page.closing = bytes;
    page.findings = found;
    Ok(Played { book: closing.book, changed })
}
