//! Prices and rates that a person takes away.

use std::collections::BTreeSet;

use super::book::Book;
use super::resolve;
use super::steps::{Step, Turn};
use super::{Error, Result};
use crate::analytics::source::source_order;
use crate::model::{
    Column, Currency, Interval, Mention, PriceSubject, PriceToDelete, Refusal, SafeText,
    SecurityId, Why, midnight_micros,
};
use crate::store::{PriceRecord, RateRecord, WriteTx};

/// Takes away what a source said of a day. A bare code is a security if one is called so.
pub(super) async fn delete(
    tx: &mut WriteTx,
    book: &mut Book,
    meant: &PriceToDelete,
) -> Result<(Option<SecurityId>, Step)> {
    let PriceToDelete { subject, date, source, currency } = meant;
    let (at, source) = (midnight_micros(*date), source.as_ref());
    let is_meant = |it: Currency| currency.is_none_or(|currency| currency == it);
    let gone = || Error::NoPrice { symbol: name_of(subject), date: *date };
    if let Some(id) = security(book, subject)? {
        let prices = tx.prices(id, at, at).await?.into_iter();
        let prices = prices.filter(|row| row.price.interval == Interval::Day);
        let prices = prices.filter(|row| is_meant(row.price.currency));
        let row = best(prices, |row: &PriceRecord| &row.price.source, source).ok_or_else(gone)?;
        book.count_prices(id, row.price.currency, -1);
        tx.forget_price(&row).await?;
        return Ok((Some(id), Step::Price(Box::new(Turn { was: Some(row), is: None }))));
    }
    let (PriceSubject::Currency(code) | PriceSubject::Bare(code)) = subject else {
        return Err(gone());
    };
    let rates = tx.rates_on(*code, at).await?.into_iter();
    let rates: Vec<_> = rates.filter(|row| is_meant(row.rate.quote)).collect();
    let quotes: BTreeSet<_> = rates.iter().map(|row| row.rate.quote).collect();
    if quotes.len() > 1 {
        let why = Why::Other("a rate is known in several currencies; name one with --currency");
        return Err(Refusal { column: Column("currency"), why }.into());
    }
    let row =
        best(rates.into_iter(), |row: &RateRecord| &row.rate.source, source).ok_or_else(gone)?;
    tx.forget_rate(&row).await?;
    Ok((None, Step::Rate(Box::new(Turn { was: Some(row), is: None }))))
}

fn security(book: &Book, subject: &PriceSubject) -> Result<Option<SecurityId>> {
    let mention = match subject {
        PriceSubject::Currency(_) => return Ok(None),
        PriceSubject::Security(mention) => mention.clone(),
        PriceSubject::Bare(code) => bare(*code),
    };
    match (resolve::find(book, &mention, None).as_slice(), subject) {
        ([one], _) => Ok(Some(*one)),
        ([], PriceSubject::Bare(_)) => Ok(None),
        (found, _) => {
            let why = match found {
                [] => Why::Other("there is no such security"),
                _ => Why::Other("several securities are called so; write SYMBOL@CURRENCY"),
            };
            Err(Refusal { column: Column("symbol"), why }.into())
        }
    }
}

fn bare(code: Currency) -> Mention {
    let symbol = SafeText::new(code.code());
    Mention { symbol, currency: None, venue: None, isin: None }
}

/// What the source said, or where none is named, what is believed first.
fn best<T>(
    rows: impl Iterator<Item = T>,
    source_of: impl Fn(&T) -> &SafeText,
    source: Option<&SafeText>,
) -> Option<T> {
    let is_meant = |row: &T| source.is_none_or(|source| source_of(row) == source);
    rows.filter(is_meant).min_by(|a, b| {
        let order = |row| source_order(source_of(row).as_str());
        order(a).cmp(&order(b))
    })
}

fn name_of(subject: &PriceSubject) -> SafeText {
    match subject {
        PriceSubject::Security(mention) => mention.symbol.clone(),
        PriceSubject::Currency(code) | PriceSubject::Bare(code) => SafeText::new(code.code()),
    }
}
