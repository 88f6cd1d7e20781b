//! What a chart of one security draws: its prices as one series, own trades and dividends as marks,
//! and what a unit of what is held cost. All of it is in the units and the currency of the last
//! day, so that a split is no cliff and the last bar is the price of the holding.

use chrono::{Days, NaiveDate};

use super::valuation::Scene;
use super::{Missing, Result};
use crate::analytics::bars::{Restating, first_day, fold, one_series};
use crate::analytics::fx::{Conversion, Rates};
use crate::analytics::lots::Event;
use crate::analytics::pricing::freshness;
use crate::figures::{self, Held, Otherwise};
use crate::model::{
    Bar, Currency, Dec, Exact, Interval, Kind, Ratio, SafeText, SecurityId, SourceBar, Subtype,
    TransactionId,
};
use crate::store::Tx;

/// Which bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarsQuery {
    /// Of what.
    pub security: SecurityId,
    /// From the week or month that this day is in; none: the first price.
    pub from: Option<NaiveDate>,
    /// Up to this day, in whose units everything is told.
    pub to: NaiveDate,
    /// Today, in the zone of the store: prices that their source restated count its units.
    pub today: NaiveDate,
    /// How long a bar lasts; nothing shorter than a day is told of.
    pub every: Interval,
}

/// The prices of one security over time.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Of what.
    pub security: SecurityId,
    /// Its symbol.
    pub symbol: SafeText,
    /// What people call it.
    pub name: Option<SafeText>,
    /// Of the prices.
    pub currency: Currency,
    /// Oldest first.
    pub rows: Vec<Bar>,
    /// Whose prices they are, the latest said last.
    pub told: Vec<Told>,
    /// Some prices were told in the units from before a split and are restated here.
    pub restated: bool,
    /// What one unit cost of what is held on the last day in all accounts together; none: nothing
    /// is held, it is not known, or some accounts are long and some are short.
    pub cost_per_unit: Option<Dec>,
    /// Own trades and dividends, and splits, oldest first.
    pub marks: Vec<Mark>,
    /// What days lack that have no bar though something was said of them; each once, with its
    /// first day.
    pub missing: Vec<Missing>,
}

/// What one source contributed to a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who.
    pub source: SafeText,
    /// It restated them itself for later splits.
    pub split_adjusted: bool,
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

/// Something that happened, to be marked on a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub date: NaiveDate,
    /// Which sign it gets.
    pub kind: MarkKind,
    /// Which event exactly.
    pub subtype: Subtype,
    /// How many, in units of the last day.
    pub quantity: Option<Dec>,
    /// Of one such unit, in the currency of the chart.
    pub price: Option<Dec>,
    /// The change of cash.
    pub amount: Dec,
    /// Of the amount.
    pub currency: Currency,
    /// Of a split.
    pub ratio: Option<Ratio>,
    /// The row; of a split that several accounts tell of, the first.
    pub transaction: TransactionId,
}

/// Which sign a mark gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// More of it.
    Buy,
    /// Less of it; a right that was used or ended too.
    Sell,
    /// Cash that it paid: dividends and whatever else it gives to those who hold it.
    Dividend,
    /// New units for old ones.
    Split,
}

/// The bars of a security.
///
/// # Errors
/// When the store cannot be read.
pub async fn bars(tx: &mut Tx, query: &BarsQuery) -> Result<Bars> {
    let BarsQuery { security, to, .. } = *query;
    let scene = Scene::of_day(tx, to, query.today, Otherwise::default()).await?;
    let group = tx.lot_groups().await?.get(&security).copied().unwrap_or(security);
    let from = query.from.map_or(NaiveDate::MIN, |from| first_day(from, query.every));
    let fresh = freshness(scene.asset_class(security));
    // Who prices the first day may have said so a few days before it.
    let early = from.checked_sub_days(Days::new(fresh.unsigned_abs())).unwrap_or(from);
    let mut told = one_series(tx.daily_bars(security, early, to).await?, fresh);
    told.retain(|told| told.bar.date >= from);
    let mut events = figures::rows_of(tx, group, security).await?;
    events.retain(|event| (from..=to).contains(&event.date));
    let currency = scene.currency_of(security);
    let is_foreign = told.iter().any(|told| told.currency != currency)
        || events.iter().any(|event| event.currency != currency);
    let mut rates = Rates::new(scene.base);
    if is_foreign {
        rates.extend(tx.rates_through(to).await?);
    }
    let splits = scene.market.splits(security);
    let mut chart = Chart { query, splits, currency, rates, restated: false, missing: Vec::new() };
    let rows: Vec<_> = told.iter().filter_map(|told| chart.bar(told)).collect();
    let marks = chart.marks(&events);
    let Chart { restated, missing, .. } = chart;
    let held = figures::security_on(tx, &scene.market, group, security, to).await?;
    Ok(Bars {
        security,
        symbol: scene.symbol(security),
        name: scene.name(security),
        currency,
        rows: fold(rows, query.every),
        told: who_told(&told),
        restated,
        cost_per_unit: cost_per_unit(held.iter().filter(|held| scene.is_open(held.account, to))),
        marks,
        missing,
    })
}

/// What every price and quantity of a chart is brought to.
struct Chart<'a> {
    query: &'a BarsQuery,
    splits: &'a [(NaiveDate, Ratio)],
    currency: Currency,
    rates: Rates,
    restated: bool,
    missing: Vec<Missing>,
}

impl Chart<'_> {
    fn bar(&mut self, told: &SourceBar) -> Option<Bar> {
        let date = told.bar.date;
        let counts = if told.split_adjusted { self.query.today } else { date };
        let units = Restating::between(self.splits, counts, self.query.to);
        let Some(rate) = self.rates.on(told.currency, self.currency, date) else {
            self.lacks("fx", Some(format!("{}/{}", told.currency, self.currency)), date);
            return None;
        };
        let bar = units.bar(&told.bar, &rate);
        if bar.is_none() {
            self.lacks("overflow", None, date);
        }
        self.restated |= !units.is_nothing();
        bar
    }

    fn lacks(&mut self, what: &'static str, pair: Option<String>, date: NaiveDate) {
        if !self.missing.iter().any(|known| known.what == what && known.pair == pair) {
            let (security, account, date) = (None, None, Some(date));
            self.missing.push(Missing { what, security, pair, account, date });
        }
    }

    fn marks(&self, events: &[Event]) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for event in events {
            let Some(kind) = kind_of(event) else { continue };
            let mark = self.mark(event, kind);
            let is_same = |known: &Mark| {
                (known.kind, known.date, known.ratio) == (kind, mark.date, mark.ratio)
            };
            // Of a split the day that counts, and that once, however many accounts tell of it.
            let counts = |ratio| self.splits.contains(&(event.date, ratio));
            let repeats = kind == MarkKind::Split
                && (!mark.ratio.is_some_and(counts) || marks.iter().any(is_same));
            if !repeats {
                marks.push(mark);
            }
        }
        marks
    }

    fn mark(&self, event: &Event, kind: MarkKind) -> Mark {
        let units = Restating::between(self.splits, event.date, self.query.to);
        let rate = self.rate_of(event);
        let price = event.price.zip(rate).and_then(|(price, rate)| units.price(price, &rate));
        Mark {
            date: event.date,
            kind,
            subtype: event.subtype,
            quantity: event.quantity.and_then(|quantity| units.quantity(quantity.abs())),
            price,
            amount: event.amount,
            currency: event.currency,
            ratio: event.ratio,
            transaction: event.id,
        }
    }

    /// From the currency of a row: the rate that it gives itself goes before that of its day.
    fn rate_of(&self, event: &Event) -> Option<Conversion> {
        match event.fx_rate.filter(|rate| event.currency != self.currency && rate.is_positive()) {
            Some(rate) => Some(Conversion { den: rate.into(), ..Conversion::identity() }),
            None => self.rates.on(event.currency, self.currency, event.date),
        }
    }
}

fn kind_of(event: &Event) -> Option<MarkKind> {
    match (event.subtype.kind(), event.subtype) {
        (_, Subtype::Split) => Some(MarkKind::Split),
        (Kind::Trade, _) if event.quantity?.is_negative() => Some(MarkKind::Sell),
        (Kind::Trade, _) => Some(MarkKind::Buy),
        // These bring more of it, not cash.
        (Kind::Income, Subtype::Reward | Subtype::StockDividend) => None,
        (Kind::Income, _) => Some(MarkKind::Dividend),
        _ => None,
    }
}

/// The sources of a series, by their last day.
fn who_told(series: &[SourceBar]) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for SourceBar { bar, source, split_adjusted, .. } in series {
        let known = all
            .iter_mut()
            .find(|told| told.source == *source && told.split_adjusted == *split_adjusted);
        match known {
            Some(told) => told.last = bar.date,
            None => all.push(Told {
                source: source.clone(),
                split_adjusted: *split_adjusted,
                first: bar.date,
                last: bar.date,
            }),
        }
    }
    all.sort_by_key(|told| told.last);
    all
}

fn cost_per_unit<'a>(held: impl Iterator<Item = &'a Held>) -> Option<Dec> {
    let (mut cost, mut units) = (Exact::ZERO, Exact::ZERO);
    let (mut long, mut short) = (false, false);
    for figures in held.map(|held| &held.figures) {
        if figures.overflow {
            return None;
        }
        if figures.quantity.is_zero() {
            continue;
        }
        long |= figures.quantity.is_positive();
        short |= figures.quantity.is_negative();
        cost = cost.add(&figures.cost?.into());
        units = units.add(&Exact::from(figures.quantity).mul(&figures.multiplier.into()));
    }
    if long && short {
        return None;
    }
    cost.div_round(&units, 12).ok()
}
