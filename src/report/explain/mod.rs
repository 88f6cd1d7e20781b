//! How figures came about: the formula with the figures in place, and every row, lot, price and
//! rate that went into it. The numbers are those of the reports, never computed a second way.

mod account;
mod allocation;
mod gains;
mod holding;
mod income;
mod lots;
mod net_worth;
mod origin;
mod row;
mod watch;

pub use account::explain_account;
pub use allocation::explain_allocation;
pub use gains::explain_gains;
pub use holding::explain_holding;
pub use income::explain_income;
pub use lots::explain_lots;
pub use net_worth::explain_net_worth;
use row::row_input;
pub use row::{explain_finding, explain_transaction};
pub use watch::explain_watch;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::holdings::difference;
use super::valuation::Scene;
use super::{Error, Explanation, Input, PositionsQuery};
use crate::analytics::fx::Leg;
use crate::analytics::lots::Conversion;
use crate::analytics::pricing::PriceOn;
use crate::figures::{self, Held, Otherwise, Scope};
use crate::model::{Currency, Dec, Exact, Lot, Mention, SafeText, SecurityId, Status};
use crate::store::{PendingRow, Tx};

type Explained = Result<Vec<Explanation>, Error>;

/// So many terms of a sum are told one by one.
const SHOWN: usize = 5;

fn input(kind: &'static str) -> Input {
    Input { kind, id: None, date: None, value: None, source: None, pair: None }
}

pub(super) fn figure(name: &str, value: Option<Dec>) -> Input {
    Input { id: Some(SafeText::new(name)), value, ..input("figure") }
}

pub(super) fn rates(rate: Option<&Conversion>) -> Vec<Input> {
    let legs = rate.map_or(&[][..], |rate| rate.legs.as_slice());
    legs.iter()
        .map(|leg| Input {
            date: Some(leg.date),
            value: Some(leg.rate),
            source: Some((*leg.source).clone()),
            pair: Some(SafeText::new(&format!("{}/{}", leg.base, leg.quote))),
            ..input("rate")
        })
        .collect()
}

/// A price, and the rate it came by where it was stored in another currency.
pub(super) fn price(scene: &Scene, security: SecurityId, price: Option<&PriceOn>) -> Vec<Input> {
    let Some(price) = price else { return Vec::new() };
    let stored = Input {
        id: Some(scene.symbol(security)),
        date: Some(price.date),
        value: Some(price.stored),
        source: Some(price.source.clone()),
        ..input("price")
    };
    std::iter::once(stored).chain(rates(price.converted.as_ref())).collect()
}

/// How a price came about, in words.
fn price_words(price: &PriceOn) -> String {
    let split = if price.restated { ", restated for later splits" } else { "" };
    let rate = price.converted.as_ref().map(|rate| way(Some(rate))).unwrap_or_default();
    format!("the close of {}: {}{rate}{split}", price.date, price.stored)
}

/// The way from one currency to another, to stand behind an amount.
fn way(rate: Option<&Conversion>) -> String {
    let Some(rate) = rate else { return " x n/a".to_owned() };
    let leg = |leg: &Leg| {
        let sign = if leg.inverse { "/" } else { "x" };
        format!(" {sign} {} ({}/{})", leg.rate, leg.base, leg.quote)
    };
    rate.legs.iter().map(leg).collect()
}

fn shown(value: Option<Dec>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| value.to_string())
}

fn minus(a: Option<Dec>, b: Option<Dec>) -> String {
    format!("{} - {}", shown(a), shown(b))
}

/// The terms of a sum, the first few of them one by one.
fn sum(terms: &[String], nothing: &str) -> String {
    if terms.is_empty() {
        return nothing.to_owned();
    }
    let mut told: Vec<_> = terms.iter().take(SHOWN).cloned().collect();
    if terms.len() > SHOWN {
        told.push(format!("{} more", terms.len() - SHOWN));
    }
    told.join(" + ")
}

/// Money in another currency at the rate of a day: in words, and with its rates. What its rows came
/// to at rates of their own says so.
fn at_rate(
    scene: &Scene,
    money: Option<Dec>,
    (from, to): (Currency, Currency),
    day: NaiveDate,
    result: Option<Dec>,
) -> (String, Vec<Input>) {
    if from == to {
        return (shown(money), Vec::new());
    }
    let rate = scene.market.rates().on(from, to, day);
    let computed =
        rate.as_ref().zip(money).and_then(|(rate, money)| rate.apply(&money.into()).ok());
    let same = |(a, b)| {
        let off = Exact::from(a).sub(&Exact::from(b)).round(9);
        off.is_ok_and(Dec::is_zero)
    };
    if result.is_some() && !computed.zip(result).is_some_and(same) {
        return (format!("{} at the rates of its rows", shown(result)), Vec::new());
    }
    (format!("{}{}", shown(money), way(rate.as_ref())), rates(rate.as_ref()))
}

fn lot_input(lot: &Lot, value: Option<Dec>) -> Input {
    let id = SafeText::new(&lot.opening.to_string());
    Input { id: Some(id), date: Some(lot.opened), value, ..input("lot") }
}

/// The rows that are not settled yet among those behind some figures: each figure tells of them.
async fn tell_of_pending(
    tx: &mut Tx,
    through: NaiveDate,
    explained: &mut [Explanation],
    is_meant: impl Fn(&PendingRow) -> bool,
) -> crate::store::Result<()> {
    for pending in tx.pending(through).await?.iter().filter(|row| is_meant(row)) {
        let Some(row) = tx.transaction(pending.id).await? else { continue };
        let source = Some(SafeText::new(Status::Pending.as_str()));
        let told = Input { source, ..row_input(&row.transaction) };
        for explanation in explained.iter_mut() {
            explanation.inputs.push(told.clone());
        }
    }
    Ok(())
}

/// Whether a key names a security: by its symbol, or as `SYM@CUR` the one quoted in that currency.
fn names(key: &SafeText, symbol: &SafeText, currency: Currency) -> bool {
    let quoted = |it: Mention| it.symbol == *symbol && it.currency == Some(currency);
    key == symbol || Mention::parse(key.as_str()).is_ok_and(quoted)
}

/// What there is, by the shortest keys that name one thing.
fn keys<'a>(all: impl Iterator<Item = (&'a SafeText, Currency)>) -> Vec<SafeText> {
    let mut symbols: BTreeMap<&SafeText, BTreeSet<Currency>> = BTreeMap::new();
    for (symbol, currency) in all {
        symbols.entry(symbol).or_default().insert(currency);
    }
    let keys = symbols.into_iter().flat_map(|(symbol, currencies)| {
        let several = currencies.len() > 1;
        currencies.into_iter().map(move |currency| match several {
            true => SafeText::new(&format!("{symbol}@{currency}")),
            false => symbol.clone(),
        })
    });
    keys.collect()
}

fn found(explained: Vec<Explanation>, key: &SafeText, known: Vec<SafeText>) -> Explained {
    if explained.is_empty() {
        return Err(Error::NoSuchFigure { key: key.clone(), known });
    }
    Ok(explained)
}

/// The positions that a key names, with their lots, on a day whose earlier rates are known too.
async fn subjects(
    tx: &mut Tx,
    query: &PositionsQuery,
    key: &SafeText,
) -> Result<(Scene, Vec<(Held, Vec<Lot>)>), Error> {
    let otherwise = Otherwise { method: query.method, base: query.currency };
    let mut scene = Scene::with(tx, query.as_of, query.today, Scope::History, otherwise).await?;
    let mut all = figures::lots_on(tx, &scene.market, query.as_of, scene.otherwise).await?;
    all.retain(|(held, _)| scene.wants(held, query));
    let named: Vec<_> = all
        .iter()
        .map(|(held, _)| (scene.symbol(held.security), scene.currency_of(held.security)))
        .collect();
    let known = keys(named.iter().map(|(symbol, currency)| (symbol, *currency)));
    all.retain(|(held, _)| {
        names(key, &scene.symbol(held.security), scene.currency_of(held.security))
    });
    if all.is_empty() {
        return Err(Error::NoSuchFigure { key: key.clone(), known });
    }
    scene.read_closes(tx, all.iter().map(|(held, _)| held.security)).await?;
    Ok((scene, all))
}
