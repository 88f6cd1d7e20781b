//! A price or a rate as a person writes it. It is read as a row of a price file would be, so that
//! both mean the same.

use std::io::Cursor;

use chrono::NaiveDate;

use super::edit::security_named;
use super::{Error, Session};
use crate::export::cells::{self, Cell};
use crate::import::{PriceReader, Problem, read_subject};
use crate::ledger;
use crate::model::{Dec, DoubtfulPrice, PriceSubject, Quote, SafeText, Unit};
use crate::provider::PROVIDERS;
use crate::store::Finding;

/// The services that are asked for prices, as they are called.
pub fn sources() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().filter(|entry| entry.market.is_some()).map(|entry| entry.id)
}

/// A price or a rate of one day, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceWords {
    /// `SYM`, `SYM@CUR`, `sec:SYM` or `fx:CUR`.
    pub symbol: SafeText,
    /// The day.
    pub date: NaiveDate,
    /// The last price of the day.
    pub close: Dec,
    /// The currency of the prices, or a minor unit.
    pub currency: Unit,
    /// The first price.
    pub open: Option<Dec>,
    /// The highest price.
    pub high: Option<Dec>,
    /// The lowest price.
    pub low: Option<Dec>,
    /// How many were traded.
    pub volume: Option<Dec>,
    /// Who says so.
    pub source: SafeText,
}

/// What the words mean.
///
/// # Errors
/// What is wrong, and in which column.
pub fn quote(words: &PriceWords) -> Result<Quote, Problem> {
    let header = ["date", "symbol", "close", "currency", "open", "high", "low", "volume", "source"];
    let row = vec![
        Cell::Plain(words.date.to_string()),
        Cell::Text(words.symbol.clone()),
        Cell::Plain(words.close.to_string()),
        Cell::Plain(code(words.currency)),
        Cell::plain(words.open),
        Cell::plain(words.high),
        Cell::plain(words.low),
        Cell::plain(words.volume),
        Cell::Text(words.source.clone()),
    ];
    let mut file = Vec::new();
    // Writing into memory does not fail, and there is one row.
    let _ = cells::write(&mut file, &header, std::iter::once(row));
    let mut reader = PriceReader::new(Cursor::new(file))?;
    match reader.next_row()? {
        Some(row) => row.parsed.map_err(|problem| Problem { line: None, ..problem }),
        None => Err(Problem::in_column("close", crate::model::Why::Other("missing"))),
    }
}

/// The finding of a price that waits to be accepted.
///
/// # Errors
/// When there is no such security, or none waits.
pub async fn doubtful(session: &Session, symbol: &str) -> Result<(Finding, DoubtfulPrice), Error> {
    let security = security_named(session, symbol).await?.id;
    let mut open = session.store.read().await?.findings().await?.into_iter().rev();
    let is_it = |it: &Finding| it.kind == DoubtfulPrice::FINDING && it.security == Some(security);
    let found = open.find(is_it).ok_or(ledger::Error::NoDoubtfulPrice)?;
    let told = found.detail.parse().map_err(|_| ledger::Error::NoDoubtfulPrice)?;
    Ok((found, told))
}

/// What is priced, as a person names it.
///
/// # Errors
/// What is wrong with it.
pub fn subject(text: &str) -> Result<PriceSubject, Problem> {
    read_subject(text)
}

fn code(unit: Unit) -> String {
    if unit.is_minor() { unit.name.to_owned() } else { unit.currency.code().to_owned() }
}
