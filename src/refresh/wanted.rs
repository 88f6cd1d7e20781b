//! What prices and rates are wanted for: what is held or watched or has an alert, and every currency in use.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};

use super::Result;
use crate::analytics::splits::ToldSplit;
use crate::figures;
use crate::model::{
    Close, Currency, Dec, DoubtfulPrice, Exact, Rate, SafeText, SecurityId, Setting, Tick,
};
use crate::provider::{DayClose, Pair, Wanted};
use crate::report::{self, PositionsQuery};
use crate::store::{Finding, Store, Tx};

/// Where the newest close is in another currency, one of another source may be so many days older.
const REACH: u16 = 5;

/// A security whose price is wanted, and the newest price of it, be it a close or not.
#[derive(Clone, Debug)]
pub struct WantedSecurity {
    /// Which.
    pub id: SecurityId,
    /// The one that its rows are kept under.
    pub group: SecurityId,
    /// As a provider is asked.
    pub wanted: Wanted,
    /// The newest price.
    pub newest: Option<DayClose>,
    /// The first day with a row of it, or of one that it was made of; none: there is none.
    pub since: Option<NaiveDate>,
    /// A price that somebody accepted, however far it is from the one before.
    pub accepted: Option<DayClose>,
    /// What happened to its units. Its prices above are of one unit of today.
    pub splits: Vec<ToldSplit>,
}

/// Everything that is wanted.
#[derive(Clone, Debug, Default)]
pub struct WantedAll {
    /// Securities.
    pub securities: Vec<WantedSecurity>,
    /// What sources call them, where that is not their symbol.
    pub called: BTreeMap<(SecurityId, SafeText), SafeText>,
    /// Rates.
    pub pairs: Vec<Pair>,
}

impl WantedAll {
    /// Finds out what is wanted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(store: &Store, today: NaiveDate) -> Result<Self> {
        let mut tx = store.read().await?;
        let query = PositionsQuery {
            as_of: today,
            today,
            account: None,
            currency: None,
            method: None,
            closed: false,
        };
        let held = report::holdings(&mut tx, &query).await?.rows;
        let mut ids: BTreeSet<_> = held.iter().map(|row| row.security_id).collect();
        ids.extend(tx.watchlist().await?.iter().map(|watch| watch.security));
        ids.extend(tx.alerts().await?.iter().map(|alert| alert.security));
        let ids: Vec<_> = ids.into_iter().collect();
        let mut closes: BTreeMap<SecurityId, Vec<Close>> = BTreeMap::new();
        for (id, close) in tx.closes_latest(&ids, today, REACH).await? {
            closes.entry(id).or_default().push(close);
        }
        let ticks = tx.ticks_since(today).await?;
        let splits = figures::splits(&mut tx).await?;
        let accepted = accepted(&tx.findings().await?);
        let (first_days, groups) = (tx.first_days_of_groups().await?, tx.lot_groups().await?);
        let mut securities = Vec::with_capacity(ids.len());
        let mut currencies = BTreeSet::new();
        for row in tx.securities().await? {
            let security = row.security;
            if ids.binary_search(&security.id).is_err() {
                continue;
            }
            currencies.insert(security.currency);
            // A price in another currency is another price. They come by date, the newest last.
            let mut mine = closes.get(&security.id).into_iter().flatten().rev();
            let ticks = ticks
                .iter()
                .filter(|tick| tick.security == security.id && tick.currency == security.currency);
            let mut splits = splits.get(&security.id).cloned().unwrap_or_default();
            splits.retain(|split| split.day <= today);
            let wanted = Wanted {
                symbol: security.symbol,
                currency: security.currency,
                class: security.class,
                venue: security.venue,
                last: None,
                paid: Vec::new(),
            };
            let group = groups.get(&security.id).unwrap_or(&security.id);
            let group = *group;
            let since = first_days.get(&group).copied();
            let mut row = WantedSecurity {
                id: security.id,
                group,
                wanted,
                newest: None,
                accepted: None,
                since,
                splits,
            };
            row.accepted = accepted.get(&row.id).and_then(|told| row.of_today(*told, today));
            row.wanted.last = mine.find_map(|close| row.known(close, today));
            row.newest = ticks.max_by_key(|tick| tick.at).map(as_close).or(row.wanted.last);
            securities.push(row);
        }
        let pairs = pairs(&mut tx, currencies, today).await?;
        let called = tx.security_symbols().await?.into_iter();
        let called = called.map(|row| ((row.security, row.source), row.symbol)).collect();
        Ok(Self { securities, called, pairs })
    }

    /// As a source is asked of one security, by the symbol that it has for it.
    #[must_use]
    pub fn asked_of(&self, security: &WantedSecurity, source: &SafeText) -> Wanted {
        let wanted = security.wanted.clone();
        match self.called.get(&(security.id, source.clone())) {
            Some(symbol) => Wanted { symbol: symbol.clone(), venue: None, ..wanted },
            None => wanted,
        }
    }
}

impl WantedSecurity {
    /// The days between two, both inclusive, cut where units become others.
    pub(super) fn spans(&self, from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
        let mut starts = BTreeSet::from([from]);
        let days = self.splits.iter().map(|split| split.day);
        starts.extend(days.filter(|day| from < *day && *day <= to));
        let ends = starts.iter().skip(1).filter_map(NaiveDate::pred_opt).chain([to]);
        starts.iter().copied().zip(ends).collect()
    }

    /// A close as one unit of today; none: it says nothing of it. An adjusted one is of one already.
    pub(super) fn known(&self, close: &Close, today: NaiveDate) -> Option<DayClose> {
        let known = DayClose { date: close.date, close: close.close, currency: close.currency };
        let units_of = if close.split_adjusted { today } else { close.date };
        let same = close.currency == self.wanted.currency;
        restated(known, &self.splits, units_of, today).filter(|_| same)
    }

    /// The price of one unit as it was on its day, as one of today.
    fn of_today(&self, price: DayClose, today: NaiveDate) -> Option<DayClose> {
        restated(price, &self.splits, price.date, today)
    }

    /// What one unit of a day cost, as the price of one of another day.
    pub(super) fn on(
        &self,
        day: NaiveDate,
        units_of: NaiveDate,
        known: DayClose,
    ) -> Option<DayClose> {
        restated(known, &self.splits, units_of, day)
    }
}

/// The prices that somebody accepted, the newest of each security.
fn accepted(findings: &[Finding]) -> BTreeMap<SecurityId, DayClose> {
    let mut newest: BTreeMap<SecurityId, DayClose> = BTreeMap::new();
    for finding in findings.iter().filter(|it| it.kind == DoubtfulPrice::ACCEPTED) {
        let told = finding.detail.parse::<DoubtfulPrice>().ok();
        if let (Some(security), Some(date), Some(told)) = (finding.security, finding.date, told) {
            let price = DayClose { date, close: told.price, currency: told.currency };
            let known = newest.entry(security).or_insert(price);
            if known.date <= date {
                *known = price;
            }
        }
    }
    newest
}

impl Pair {
    /// A rate of it.
    pub(super) fn known(&self, rate: &Rate) -> Option<DayClose> {
        let date = DateTime::from_timestamp_micros(rate.at)?.date_naive();
        Some(DayClose { date, close: rate.rate, currency: self.quote })
    }
}

/// The price of one unit as it was on one day, for one as it was on another.
fn restated(
    price: DayClose,
    splits: &[ToldSplit],
    from: NaiveDate,
    to: NaiveDate,
) -> Option<DayClose> {
    let (first, last) = (from.min(to), from.max(to));
    let between: Vec<_> =
        splits.iter().filter(|split| first < split.day && split.day <= last).collect();
    if between.is_empty() {
        return Some(price);
    }
    let (mut up, mut down) = (Exact::from(price.close), Exact::from(Dec::ONE));
    for ToldSplit { ratio, .. } in between {
        let (old, new) = if from < to { (ratio.old, ratio.new) } else { (ratio.new, ratio.old) };
        (up, down) = (up.mul(&old.into()), down.mul(&new.into()));
    }
    // Enough to judge by, and not so many digits that invented prices look it.
    let places = price.close.inner().scale().max(2) + 2;
    Some(DayClose { close: up.div_round(&down, places).ok()?, ..price })
}

const fn as_close(tick: &Tick) -> DayClose {
    DayClose { date: tick.date, close: tick.price, currency: tick.currency }
}

/// Every currency in use against that of totals.
async fn pairs(
    tx: &mut Tx,
    mut currencies: BTreeSet<Currency>,
    today: NaiveDate,
) -> Result<Vec<Pair>> {
    let base = tx.setting(Setting::BaseCurrency).await?;
    let base = base.and_then(|code| Currency::parse(&code).ok()).unwrap_or(Currency::USD);
    let tax = tx.setting(Setting::TaxCurrency).await?;
    currencies.extend(tax.and_then(|code| Currency::parse(&code).ok()));
    currencies.extend(tx.accounts().await?.into_iter().map(|row| row.account.currency));
    currencies.extend(figures::cash_on(tx, today).await?.into_keys().map(|(_, currency)| currency));
    currencies.remove(&base);
    let rates = tx.rates_latest(today).await?;
    let since = tx.first_day().await?;
    let pair = |currency| {
        let mine = rates.iter().filter(|rate| rate.base == currency && rate.quote == base);
        let pair = Pair { base: currency, quote: base, since, last: None };
        let last = mine.max_by_key(|rate| rate.at).and_then(|rate| pair.known(rate));
        Pair { last, ..pair }
    };
    Ok(currencies.into_iter().map(pair).collect())
}
