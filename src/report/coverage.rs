//! Coverage: whether prices and rates are known for the days on which they are needed.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Result;
use super::types::{CoverageReport, CoverageRow};
use super::valuation::Scene;
use crate::analytics::pricing;
use crate::figures::{self, Otherwise, Scope};
use crate::model::{AccountId, Close, Currency, Mode, SafeText, SecurityId};
use crate::store::Tx;

/// A span of days, both included.
type Span = (NaiveDate, NaiveDate);

/// What is known of every security and currency that was ever held up to a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn coverage(
    tx: &mut Tx,
    as_of: NaiveDate,
    account: Option<AccountId>,
    currency: Option<Currency>,
) -> Result<CoverageReport> {
    let otherwise = Otherwise { base: currency, method: None };
    let scene = Scene::with(tx, as_of, as_of, Scope::History, otherwise).await?;
    let mut rows = Vec::new();
    let mut needs = Needs::default();
    let held = figures::held_spans(tx, &scene.market, as_of, account).await?;
    for (security, spans) in held {
        let closes = tx.closes_between(security, NaiveDate::MIN, as_of).await?;
        let currency = scene.currency_of(security);
        rows.extend(prices(&scene, security, &closes, &spans));
        for (at, close) in closes.iter().enumerate() {
            // It is the price until the next one.
            let next = closes.get(at + 1).map(|next| next.date);
            let prices =
                |(from, to): &Span| close.date <= *to && next.is_none_or(|next| next > *from);
            if spans.iter().any(prices) {
                needs.add(close.currency, currency, [(close.date, close.date)]);
            }
        }
        needs.add(currency, scene.base, spans);
    }
    for (from, to, day) in figures::rates_of_rows(tx, &scene.market, as_of, account).await? {
        needs.add(from, to, [(day, day)]);
    }
    for (currency, spans) in cash_spans(tx, as_of, account).await? {
        needs.add(currency, scene.base, spans);
    }
    for (currency, span) in balance_spans(tx, &scene, account).await? {
        needs.add(currency, scene.base, [span]);
    }
    for ((from, to), spans) in needs.0 {
        rows.extend(rates(&scene, from, to, &joined(spans)));
    }
    rows.sort_by(|a, b| (b.what, &a.name).cmp(&(a.what, &b.name)));
    Ok(CoverageReport { as_of, currency: scene.base, rows })
}

/// The days on which a rate from one currency to another is needed.
#[derive(Default)]
struct Needs(BTreeMap<(Currency, Currency), Vec<Span>>);

impl Needs {
    fn add(&mut self, from: Currency, to: Currency, spans: impl IntoIterator<Item = Span>) {
        if from != to {
            self.0.entry((from, to)).or_default().extend(spans);
        }
    }
}

fn prices(
    scene: &Scene,
    security: SecurityId,
    closes: &[Close],
    spans: &[Span],
) -> Option<CoverageRow> {
    let mut days: Vec<_> = closes.iter().map(|close| close.date).collect();
    days.dedup();
    let fresh = pricing::freshness(scene.asset_class(security));
    let name = scene.symbol(security);
    row("price", name, spans, (days.first().copied(), days.last().copied()), |day| {
        let known = days.partition_point(|close| *close <= day);
        let latest = known.checked_sub(1).and_then(|at| days.get(at))?;
        Some(day.signed_duration_since(*latest).num_days() > fresh)
    })
}

fn rates(scene: &Scene, from: Currency, to: Currency, spans: &[Span]) -> Option<CoverageRow> {
    let name = SafeText::new(&format!("{from}/{to}"));
    let on = |day| scene.market.rates().on(from, to, day);
    let (first_needed, last_needed) = (spans.first()?.0, spans.last()?.1);
    let first = days(&[(first_needed, last_needed)]).find_map(|day| on(day)?.date);
    let last = on(last_needed).and_then(|rate| rate.date);
    row("fx", name, spans, (first, last), |day| Some(on(day)?.stale))
}

/// Counts the days in need. `stale` tells of a day whether what is known is too old; none: nothing
/// is known.
fn row(
    what: &'static str,
    name: SafeText,
    spans: &[Span],
    (first, last): (Option<NaiveDate>, Option<NaiveDate>),
    stale: impl Fn(NaiveDate) -> Option<bool>,
) -> Option<CoverageRow> {
    let mut row = CoverageRow {
        what,
        name,
        needed_from: spans.first()?.0,
        needed_to: spans.last()?.1,
        first,
        last,
        missing_days: 0,
        stale_days: 0,
    };
    for day in days(spans) {
        match stale(day) {
            None => row.missing_days += 1,
            Some(true) => row.stale_days += 1,
            Some(false) => {}
        }
    }
    Some(row)
}

fn days(spans: &[Span]) -> impl Iterator<Item = NaiveDate> {
    spans.iter().flat_map(|&(from, to)| from.iter_days().take_while(move |day| *day <= to))
}

/// The same days, each once and in order.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if last.1.succ_opt().is_none_or(|next| from <= next) => {
                last.1 = last.1.max(to);
            }
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// The days on which there was cash of each currency.
async fn cash_spans(
    tx: &mut Tx,
    as_of: NaiveDate,
    account: Option<AccountId>,
) -> Result<BTreeMap<Currency, Vec<Span>>> {
    let mut cash = BTreeMap::new();
    let mut since: BTreeMap<(AccountId, Currency), NaiveDate> = BTreeMap::new();
    let mut spans: BTreeMap<Currency, Vec<Span>> = BTreeMap::new();
    for (day, changes) in figures::cash_changes(tx).await? {
        for (of, currency, change) in changes {
            if day > as_of || account.is_some_and(|account| account != of) {
                continue;
            }
            let sum = cash.entry((of, currency)).or_insert(crate::model::Exact::ZERO);
            *sum = sum.add(&change);
            if !sum.is_zero() {
                since.entry((of, currency)).or_insert(day);
            } else if let Some(from) = since.remove(&(of, currency)) {
                spans.entry(currency).or_default().push((from, day));
            }
        }
    }
    for ((_, currency), from) in since {
        spans.entry(currency).or_default().push((from, as_of));
    }
    Ok(spans)
}

/// The days of accounts that are known by their balance, each with its currency.
async fn balance_spans(
    tx: &mut Tx,
    scene: &Scene,
    account: Option<AccountId>,
) -> Result<Vec<(Currency, Span)>> {
    let mut first: BTreeMap<AccountId, NaiveDate> = BTreeMap::new();
    // They come by account and day.
    for balance in tx.balances().await? {
        first.entry(balance.account).or_insert(balance.date);
    }
    let spans = scene.accounts.iter().filter_map(|(id, row)| {
        let wanted = account.is_none_or(|account| account == *id);
        let by_balance = row.account.mode == Mode::Balances;
        let from = *first.get(id).filter(|_| wanted && by_balance)?;
        let closed = row.account.closed.and_then(|day| day.pred_opt());
        let to = closed.map_or(scene.day, |last| last.min(scene.day));
        (from <= to).then_some((row.account.currency, (from, to)))
    });
    Ok(spans.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
    }

    #[test]
    fn spans_that_touch_become_one() {
        let spans = vec![(day(5), day(7)), (day(1), day(2)), (day(8), day(9)), (day(6), day(6))];
        assert_eq!(joined(spans), [(day(1), day(2)), (day(5), day(9))]);
    }

    #[test]
    fn days_in_need_are_missing_before_the_first_and_stale_after_the_last() {
        let spans = [(day(1), day(3)), (day(10), day(12))];
        let known = |of: NaiveDate| (of >= day(3)).then(|| of > day(10));
        let row = row("price", SafeText::new("X"), &spans, (None, None), known).unwrap();
        assert_eq!((row.missing_days, row.stale_days), (2, 2));
        assert_eq!((row.needed_from, row.needed_to), (day(1), day(12)));
    }
}
