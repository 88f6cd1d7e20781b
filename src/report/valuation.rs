//! What things are worth on a day: positions at their price, money at its rate, and what is
//! missing where that cannot be said.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use chrono::NaiveDate;

use super::types::PositionsQuery;
use super::{Missing, Result};
use crate::analytics::lots::{Conversion, World};
use crate::analytics::pricing::{self, FRESH_DAYS, NoPrice, PriceOn, Series};
use crate::figures::{Held, Market, Otherwise, Scope, TRANSIT};
use crate::model::{
    Account, AccountId, AssetClass, Close, Currency, Dec, Exact, LotMethod, Mode, SafeText,
    Security, SecurityId, Tick,
};
use crate::store::{AccountRecord, Tx};

/// A day with everything that is known of it.
pub(super) struct Scene {
    pub day: NaiveDate,
    pub today: NaiveDate,
    pub base: Currency,
    pub market: Market,
    pub otherwise: Otherwise,
    pub accounts: BTreeMap<AccountId, AccountRecord>,
    securities: BTreeMap<SecurityId, Security>,
    closes: BTreeMap<SecurityId, Series>,
}

/// What something is worth.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    pub price: Option<PriceOn>,
    pub rate: Option<Conversion>,
    /// The quantity times the multiplier.
    pub units: Option<Exact>,
    pub local: Option<Dec>,
    pub base: Option<Dec>,
    pub missing: Vec<Missing>,
}

impl Scene {
    /// Reads what does not depend on what is asked for.
    pub async fn set(tx: &mut Tx, query: &PositionsQuery) -> Result<Self> {
        let otherwise = Otherwise { method: query.method, base: query.currency };
        Self::of_day(tx, query.as_of, query.today, otherwise).await
    }

    /// Of a day after which there is no row: only its own rates are needed.
    async fn scope(tx: &mut Tx, day: NaiveDate, otherwise: Otherwise) -> Result<Scope> {
        let last = tx.last_day().await?;
        let kept = otherwise.is_nothing() && last.is_none_or(|last| last <= day);
        Ok(if kept { Scope::Day } else { Scope::History })
    }

    pub async fn of_day(
        tx: &mut Tx,
        day: NaiveDate,
        today: NaiveDate,
        otherwise: Otherwise,
    ) -> Result<Self> {
        let scope = Self::scope(tx, day, otherwise).await?;
        Self::with(tx, day, today, scope, otherwise).await
    }

    pub async fn with(
        tx: &mut Tx,
        day: NaiveDate,
        today: NaiveDate,
        scope: Scope,
        otherwise: Otherwise,
    ) -> Result<Self> {
        let market = Market::read(tx, day, scope, otherwise).await?;
        let accounts = tx.accounts().await?.into_iter();
        let securities = tx.securities().await?.into_iter();
        Ok(Self {
            day,
            today,
            base: market.rules().base,
            market,
            // What is asked for as it is set anyway is nothing special.
            otherwise,
            accounts: accounts.map(|row| (row.account.id, row)).collect(),
            securities: securities.map(|row| (row.security.id, row.security)).collect(),
            closes: BTreeMap::new(),
        })
    }

    /// Reads the prices of the day for these securities.
    pub async fn read_closes(
        &mut self,
        tx: &mut Tx,
        securities: impl Iterator<Item = SecurityId>,
    ) -> Result<()> {
        self.read_closes_of(tx, securities, &[self.day]).await
    }

    /// Reads the prices of these days, which are in order, for these securities.
    pub async fn read_closes_of(
        &mut self,
        tx: &mut Tx,
        securities: impl Iterator<Item = SecurityId>,
        days: &[NaiveDate],
    ) -> Result<()> {
        let wanted: BTreeSet<_> = securities.collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let mut closes: BTreeMap<SecurityId, Vec<Close>> = BTreeMap::new();
        let reach = u16::try_from(FRESH_DAYS).unwrap_or(u16::MAX);
        // What the days of a series without gaps need is read at once, but for what prices the
        // first of them: to look for each day by itself would take longer.
        let (alone, span) = match days {
            [first, .., last] if lie_close(*first, *last, days.len()) => {
                (slice::from_ref(first), first.succ_opt().map(|next| (next, *last)))
            }
            _ => (days, None),
        };
        for (security, close) in tx.closes_on(alone, &wanted, reach).await? {
            closes.entry(security).or_default().push(close);
        }
        if let Some((from, to)) = span {
            for &security in &wanted {
                let more = tx.closes_between(security, from, to).await?;
                closes.entry(security).or_default().extend(more);
            }
        }
        if days.contains(&self.today) {
            for tick in newest_of_each(tx.ticks_since(self.today).await?) {
                if let Some(closes) = closes.get_mut(&tick.security) {
                    closes.push(tick_as_close(&tick));
                } else if wanted.contains(&tick.security) {
                    closes.insert(tick.security, vec![tick_as_close(&tick)]);
                }
            }
        }
        let series = closes.into_iter().map(|(security, closes)| (security, Series::new(closes)));
        self.closes = series.collect();
        Ok(())
    }

    /// Whether a position belongs into the answer.
    pub fn wants(&self, held: &Held, query: &PositionsQuery) -> bool {
        let account = query.account.is_none_or(|account| account == held.account);
        let open = query.closed || !held.figures.quantity.is_zero() || held.figures.overflow;
        account && open && (query.closed || self.is_open(held.account, self.day))
    }

    /// Whether an account counts on a day: it does until it is closed.
    pub fn is_open(&self, account: AccountId, day: NaiveDate) -> bool {
        let row = self.accounts.get(&account);
        row.is_none_or(|row| Account::is_open(row.account.closed, day))
    }

    /// Whether the value of an account follows from its rows.
    pub fn follows_rows(&self, account: AccountId) -> bool {
        self.accounts.get(&account).is_none_or(|row| row.account.mode == Mode::Ledger)
    }

    /// What a position is worth on the day of the scene.
    pub fn value(&self, held: &Held) -> Value {
        self.value_on(held, self.day)
    }

    /// What a position of a day is worth on it.
    pub fn value_on(&self, held: &Held, day: NaiveDate) -> Value {
        let figures = &held.figures;
        if figures.quantity.is_zero() {
            let zero = Some(Dec::ZERO);
            return Value { local: zero, base: zero, ..Value::default() };
        }
        let lacks = |what| Missing {
            what,
            security: Some(self.symbol(held.security)),
            pair: None,
            account: self.account_name(held.account),
            date: Some(day),
        };
        let mut value = Value::default();
        let currency = self.currency_of(held.security);
        let price = match self.price(held.security, day) {
            Ok(price) => price,
            Err(NoPrice::Rate { from, to, date }) => {
                let pair = Some(format!("{from}/{to}"));
                value.missing.push(Missing {
                    security: None,
                    pair,
                    date: Some(date),
                    ..lacks("fx")
                });
                return value;
            }
            Err(NoPrice::Unknown | NoPrice::Adjusted { .. }) => {
                value.missing.push(Missing { account: None, ..lacks("price") });
                return value;
            }
        };
        let units = Exact::from(figures.quantity).mul(&Exact::from(figures.multiplier));
        value.local = price.value(&units, &Conversion::identity()).ok();
        if value.local.is_none() {
            value.missing.push(lacks("overflow"));
        }
        match self.market.rate(currency, self.base, day) {
            None => value.missing.push(Missing {
                security: None,
                account: None,
                pair: Some(self.pair(held.security)),
                ..lacks("fx")
            }),
            Some(rate) => {
                value.base = price.value(&units, &rate).ok();
                if value.base.is_none() && value.local.is_some() {
                    value.missing.push(lacks("overflow"));
                }
                value.rate = Some(rate);
            }
        }
        value.units = Some(units);
        value.price = Some(price);
        value
    }

    /// An amount of a currency in the base currency, at the rate of a day, or what it lacks.
    pub fn in_base(
        &self,
        amount: &Exact,
        from: Currency,
        day: NaiveDate,
        account: AccountId,
    ) -> std::result::Result<Dec, Missing> {
        let rate = self.market.rate(from, self.base, day);
        rate.as_ref().and_then(|rate| rate.apply(amount).ok()).ok_or_else(|| Missing {
            what: if rate.is_some() { "overflow" } else { "fx" },
            security: None,
            pair: rate.is_none().then(|| format!("{from}/{}", self.base)),
            account: self.account_name(account),
            date: Some(day),
        })
    }

    /// The price of a security on a day whose closes were read.
    pub fn price(
        &self,
        security: SecurityId,
        day: NaiveDate,
    ) -> std::result::Result<PriceOn, NoPrice> {
        let Some(series) = self.closes.get(&security) else { return Err(NoPrice::Unknown) };
        let fresh = pricing::freshness(self.asset_class(security));
        let splits = self.market.splits(security);
        let price = pricing::price_on(series, day, fresh, splits, self.today)?;
        price.in_currency(self.currency_of(security), self.market.rates())
    }

    pub fn symbol(&self, id: SecurityId) -> SafeText {
        let symbol = self.securities.get(&id).map(|security| security.symbol.clone());
        symbol.unwrap_or_else(|| SafeText::new(&format!("#{id}")))
    }

    pub fn name(&self, id: SecurityId) -> Option<SafeText> {
        self.securities.get(&id)?.name.clone()
    }

    pub fn asset_class(&self, id: SecurityId) -> Option<AssetClass> {
        self.securities.get(&id)?.class
    }

    pub fn currency_of(&self, id: SecurityId) -> Currency {
        self.market.currency_of(id)
    }

    /// What a rate from a security's currency to the base currency is called.
    pub fn pair(&self, id: SecurityId) -> String {
        format!("{}/{}", self.currency_of(id), self.base)
    }

    /// The name of an account; none: what is between two accounts.
    pub fn account_name(&self, id: AccountId) -> Option<SafeText> {
        if id == TRANSIT {
            return None;
        }
        let name = self.accounts.get(&id).map(|row| row.account.name.clone());
        Some(name.unwrap_or_else(|| SafeText::new(&format!("#{id}"))))
    }

    pub fn method(&self, account: AccountId) -> LotMethod {
        self.market.method(account)
    }
}

/// Of the prices from within a day the newest of each security, whoever told it; of equals the first.
fn newest_of_each(mut ticks: Vec<Tick>) -> impl Iterator<Item = Tick> {
    ticks.reverse();
    ticks.sort_by_key(|tick| tick.at);
    let newest: BTreeMap<_, _> =
        ticks.into_iter().map(|tick| ((tick.security, tick.date), tick)).collect();
    newest.into_values()
}

/// A price from within the day, as the choice among prices takes it.
fn tick_as_close(tick: &Tick) -> Close {
    Close {
        date: tick.date,
        close: tick.price,
        currency: tick.currency,
        source: tick.source.clone(),
        split_adjusted: false,
        intraday: true,
    }
}

/// Whether so many days, in order, are nearly all that there are between the first and the last.
fn lie_close(first: NaiveDate, last: NaiveDate, count: usize) -> bool {
    usize::try_from((last - first).num_days()).is_ok_and(|between| between / 2 < count)
}

/// A sum over what is known.
#[derive(Clone, Debug)]
pub(super) struct Total {
    sum: Exact,
    known: u64,
    unknown: u64,
}

impl Default for Total {
    fn default() -> Self {
        Self { sum: Exact::ZERO, known: 0, unknown: 0 }
    }
}

impl Total {
    pub fn add(&mut self, figure: Option<Dec>) {
        match figure {
            Some(figure) => {
                self.sum = self.sum.add(&Exact::from(figure));
                self.known += 1;
            }
            None => self.unknown += 1,
        }
    }

    /// Adds everything that another sum is over.
    pub fn take_in(&mut self, other: &Self) {
        self.sum = self.sum.add(&other.sum);
        self.known += other.known;
        self.unknown += other.unknown;
    }

    /// Everything in it is known.
    pub const fn is_whole(&self) -> bool {
        self.unknown == 0
    }

    /// There is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.known == 0 && self.unknown == 0
    }

    /// There is something in it, and nothing of that is known.
    pub const fn is_unknown(&self) -> bool {
        self.known == 0 && self.unknown > 0
    }

    /// The same; where the sum is too large to be told, that is missing.
    pub fn told(&self, missing: &mut impl Extend<Missing>) -> Option<Dec> {
        self.told_of(None, missing)
    }

    /// The same of an account.
    pub fn told_of(
        &self,
        account: Option<&SafeText>,
        missing: &mut impl Extend<Missing>,
    ) -> Option<Dec> {
        let known = self.known();
        if known.is_none() && !self.is_unknown() {
            let (what, account) = ("overflow", account.cloned());
            missing.extend([Missing { what, security: None, pair: None, account, date: None }]);
        }
        known
    }

    /// What it lacks of an amount.
    pub fn short_of(&self, whole: Dec) -> Option<Dec> {
        Exact::from(whole).sub(&self.sum).round(12).ok()
    }

    /// Of what is known; none where there is something and nothing of it is known.
    pub fn known(&self) -> Option<Dec> {
        if self.is_unknown() { None } else { self.sum.round(12).ok() }
    }
}

impl FromIterator<Option<Dec>> for Total {
    fn from_iter<T: IntoIterator<Item = Option<Dec>>>(figures: T) -> Self {
        let mut total = Self::default();
        for figure in figures {
            total.add(figure);
        }
        total
    }
}
