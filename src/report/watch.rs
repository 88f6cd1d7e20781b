//! What somebody keeps an eye on: securities with their last price and how far it is from the one
//! that is waited for, and alerts with what they see. What an alert sees is computed here and nowhere
//! else: whoever judges it and whoever shows it read the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::movers::restated;
use super::types::PositionsQuery;
use super::valuation::Scene;
use super::{HoldingRow, HoldingsReport, Result};
use crate::analytics::bars::Restating;
use crate::analytics::lots::Conversion;
use crate::analytics::pricing::PriceOn;
use crate::figures::Otherwise;
use crate::model::{
    AlertId, AlertOf, AlertTerms, Currency, Dec, Exact, SafeText, SecurityId, Setting, WatchTerms,
};
use crate::store::{Alert, AlertLog, Tx, Watch};

/// So much of the log is told.
const LOGGED: i64 = 200;

/// On which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchQuery {
    /// Prices up to this day.
    pub as_of: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
}

/// What somebody keeps an eye on.
#[derive(Clone, Debug)]
pub struct WatchReport {
    /// The day.
    pub as_of: NaiveDate,
    /// The base currency, in which values are.
    pub currency: Currency,
    /// What is watched, or has an alert: by group and symbol, what is in no group last.
    pub rows: Vec<WatchRow>,
    /// By symbol, the oldest first.
    pub alerts: Vec<AlertRow>,
    /// What went past the bounds of alerts, the latest first.
    pub log: Vec<LoggedAlert>,
}

/// A security that is watched, or has an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRow {
    /// Which.
    pub security: SecurityId,
    /// Its symbol.
    pub symbol: SafeText,
    /// What people call it.
    pub name: Option<SafeText>,
    /// Of its prices.
    pub currency: Currency,
    /// What is said of it; none: it only has an alert.
    pub terms: Option<WatchTerms>,
    /// The price that is waited for, in units of the day of the report. None: there is none, or it was
    /// said in another currency.
    pub target: Option<Dec>,
    /// The same in units of today, as whoever changes it says it.
    pub target_today: Option<Dec>,
    /// How far the price has to go to be that, as a part of what it is, 10 decimals.
    pub distance: Option<Dec>,
    /// The last price.
    pub price: Option<Dec>,
    /// Its day.
    pub price_date: Option<NaiveDate>,
    /// Who says so.
    pub price_source: Option<SafeText>,
    /// It is older than it should be.
    pub stale: bool,
    /// The price before that one, in the same units.
    pub before: Option<Dec>,
    /// Its day.
    pub before_date: Option<NaiveDate>,
    /// From the one to the other, as a part of the one before, 10 decimals.
    pub change: Option<Dec>,
}

/// An alert, and what it sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Which.
    pub id: AlertId,
    /// Of what.
    pub security: SecurityId,
    /// Its symbol.
    pub symbol: SafeText,
    /// When somebody wants to be told.
    pub terms: AlertTerms,
    /// The bound as it counts on the day: a price in units of that day. None: it was said in another
    /// currency, or has more digits than there are.
    pub bound: Option<Dec>,
    /// The same in units of today, as whoever changes it says it.
    pub bound_today: Option<Dec>,
    /// In which currency that is; none: it is no money.
    pub currency: Option<Currency>,
    /// What there is to see; none: it is not known.
    pub seen: Option<Dec>,
    /// A price that this rests on is older than it should be: nothing is judged by it.
    pub stale: bool,
    /// Of which day that is: the day of its price, or for the age of that the day of the report.
    pub seen_on: Option<NaiveDate>,
    /// Who says so; none: it follows from several.
    pub source: Option<SafeText>,
    /// The day of what took it past its bound, as far as it was judged.
    pub crossed: Option<NaiveDate>,
    /// It is silent today, whichever the day of the report.
    pub silent: bool,
}

impl AlertRow {
    /// Whether what is seen is past the bound; none: one of both is not known.
    #[must_use]
    pub fn is_past(&self) -> Option<bool> {
        Some(self.terms.side.is_past(self.seen?, self.bound?))
    }

    /// The currency that its bound was said in, where that is not the one of what is seen by now.
    #[must_use]
    pub fn other_currency(&self) -> Option<Currency> {
        self.terms.said_in.filter(|said| Some(*said) != self.currency)
    }

    /// Somebody wants to hear of it now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.crossed.is_some() && !self.silent
    }

    /// How it stands, in words.
    #[must_use]
    pub fn standing(&self) -> String {
        match (self.terms.snoozed.filter(|_| self.silent), self.crossed, self.is_past()) {
            (Some(until), ..) => format!("silent until {until}"),
            (None, Some(day), _) => format!("told, of {day}"),
            (None, None, Some(_)) if self.stale => "not judged: old price".to_owned(),
            (None, None, Some(true)) => "past its bound".to_owned(),
            (None, None, Some(false)) => "waiting".to_owned(),
            (None, None, None) => match self.other_currency() {
                Some(currency) => format!("n/a: said in {currency}"),
                None => format!("n/a: {}", self.lacks()),
            },
        }
    }

    /// What one that sees nothing lacks.
    const fn lacks(&self) -> &'static str {
        match self.terms.of {
            AlertOf::Price | AlertOf::Stale => "there is no price",
            AlertOf::Change => "there are no two prices",
            AlertOf::Value => "nothing is held, or no price known",
            AlertOf::Weight => "not all is known",
        }
    }
}

/// Something that went past the bound of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAlert {
    /// Its symbol, as it is today.
    pub symbol: SafeText,
    /// All else.
    pub log: AlertLog,
}

impl WatchReport {
    /// What an alert told when it went past its bound, as long as it stays there; none: it is not past
    /// it, or the log does not say.
    #[must_use]
    pub fn told(&self, row: &AlertRow) -> Option<&LoggedAlert> {
        let terms = &row.terms;
        let is_it = |log: &AlertLog| {
            (log.security, log.of, log.side) == (row.security, terms.of, terms.side)
                && Some(log.seen_on) == row.crossed
                && Some(log.bound) == row.bound_today
        };
        self.log.iter().find(|told| is_it(&told.log))
    }
}

/// What somebody keeps an eye on.
///
/// # Errors
/// When the store cannot be read.
pub async fn watch(tx: &mut Tx, query: &WatchQuery) -> Result<WatchReport> {
    let (watched, alerts) = (tx.watchlist().await?, tx.alerts().await?);
    let log = tx.alert_log(LOGGED).await?;
    match watched.is_empty() && alerts.is_empty() && log.is_empty() {
        true => nothing(tx, query.as_of).await,
        false => Ok(look(tx, query, (watched, alerts, log)).await?.0),
    }
}

/// The same, with what it follows from.
pub(super) async fn watch_closely(
    tx: &mut Tx,
    query: &WatchQuery,
) -> Result<(WatchReport, Grounds)> {
    let (watched, alerts) = (tx.watchlist().await?, tx.alerts().await?);
    look(tx, query, (watched, alerts, Vec::new())).await
}

/// What the figures of securities that are watched follow from.
pub(super) struct Grounds {
    pub scene: Scene,
    pub prices: Prices,
    /// None: no alert is of that.
    pub holdings: Option<HoldingsReport>,
}

async fn look(
    tx: &mut Tx,
    query: &WatchQuery,
    (watched, alerts, log): (Vec<Watch>, Vec<Alert>, Vec<AlertLog>),
) -> Result<(WatchReport, Grounds)> {
    let mut terms: BTreeMap<SecurityId, Option<WatchTerms>> =
        alerts.iter().map(|row| (row.security, None)).collect();
    terms.extend(watched.into_iter().map(|row| (row.security, Some(row.terms))));
    let otherwise = Otherwise::default();
    let mut scene = Scene::of_day(tx, query.as_of, query.today, otherwise).await?;
    let prices = Prices::read(tx, &mut scene, terms.keys().copied()).await?;
    let needs_holdings = |row: &Alert| matches!(row.terms.of, AlertOf::Value | AlertOf::Weight);
    let holdings = match alerts.iter().any(needs_holdings) {
        true => Some(super::holdings(tx, &positions(*query)).await?),
        false => None,
    };
    let grounds = Grounds { scene, prices, holdings };
    let mut rows: Vec<_> = terms.into_iter().map(|(id, terms)| grounds.row(id, terms)).collect();
    rows.sort_by(|a, b| group_of(a).cmp(&group_of(b)));
    let mut alerts: Vec<_> = alerts.into_iter().map(|alert| grounds.alert(alert)).collect();
    alerts.sort_by(|a, b| (&a.symbol, a.id).cmp(&(&b.symbol, b.id)));
    let scene = &grounds.scene;
    let logged = |log: AlertLog| LoggedAlert { symbol: scene.symbol(log.security), log };
    let log = log.into_iter().map(logged).collect();
    let report = WatchReport { as_of: query.as_of, currency: scene.base, rows, alerts, log };
    Ok((report, grounds))
}

async fn nothing(tx: &mut Tx, as_of: NaiveDate) -> Result<WatchReport> {
    let base = tx.setting(Setting::BaseCurrency).await?;
    let currency = base.and_then(|code| Currency::parse(&code).ok()).unwrap_or(Currency::USD);
    let (rows, alerts, log) = (Vec::new(), Vec::new(), Vec::new());
    Ok(WatchReport { as_of, currency, rows, alerts, log })
}

const fn positions(query: WatchQuery) -> PositionsQuery {
    let WatchQuery { as_of, today } = query;
    PositionsQuery { as_of, today, account: None, currency: None, method: None, closed: false }
}

/// By group; what is in none comes behind, and what only has an alert last.
fn group_of(row: &WatchRow) -> (bool, bool, Option<&SafeText>, &SafeText, SecurityId) {
    let list = row.terms.as_ref().and_then(|terms| terms.list.as_ref());
    (row.terms.is_none(), list.is_none(), list, &row.symbol, row.security)
}

/// The last prices, and the ones before them.
pub(super) struct Prices(BTreeMap<SecurityId, (PriceOn, Option<PriceOn>)>);

impl Prices {
    async fn read(
        tx: &mut Tx,
        scene: &mut Scene,
        securities: impl Iterator<Item = SecurityId> + Clone,
    ) -> Result<Self> {
        scene.read_closes(tx, securities.clone()).await?;
        let price = |id: SecurityId| Some((id, (scene.price(id, scene.day).ok()?, None)));
        let mut prices: BTreeMap<_, _> = securities.filter_map(price).collect();
        let mut before: BTreeMap<NaiveDate, BTreeSet<SecurityId>> = BTreeMap::new();
        for (id, (last, _)) in &prices {
            if let Some(day) = last.date.pred_opt() {
                before.entry(day).or_default().insert(*id);
            }
        }
        for (day, securities) in before {
            scene.read_closes_of(tx, securities.iter().copied(), &[day]).await?;
            for id in securities {
                let price = scene.price(id, day).ok();
                if let Some((_, before)) = prices.get_mut(&id) {
                    *before = price.map(|price| restated(price, scene, id, day));
                }
            }
        }
        Ok(Self(prices))
    }

    pub fn last(&self, id: SecurityId) -> Option<&PriceOn> {
        self.0.get(&id).map(|(last, _)| last)
    }

    /// In units of the day of the scene.
    pub fn before(&self, id: SecurityId) -> Option<&PriceOn> {
        self.0.get(&id)?.1.as_ref()
    }

    /// What the last price is more than the one before it, as a part of that.
    fn change(&self, id: SecurityId) -> Option<Dec> {
        let (last, before) = (self.last(id)?, self.before(id)?);
        // Over the common divisor of both prices, so that nothing is rounded before the end.
        let rise = last.num.mul(&before.den).sub(&before.num.mul(&last.den));
        let was = before.num.abs().mul(&last.den);
        rise.div_round(&was, 10).ok()
    }
}

/// A price that somebody said, in units of a day.
fn in_units(
    scene: &Scene,
    id: SecurityId,
    (price, said): (Dec, Option<NaiveDate>),
    day: NaiveDate,
) -> Option<Dec> {
    let units = Restating::between(scene.market.splits(id), said.unwrap_or(day), day);
    units.price(price, &Conversion::identity())
}

/// What an alert sees: the figure, its day, and who says so.
type Seen = (Option<Dec>, Option<NaiveDate>, Option<SafeText>);

impl Grounds {
    fn row(&self, id: SecurityId, terms: Option<WatchTerms>) -> WatchRow {
        let (scene, prices) = (&self.scene, &self.prices);
        let (last, before) = (prices.last(id), prices.before(id));
        let currency = scene.currency_of(id);
        let is_in = |terms: &&WatchTerms| terms.said_in.is_none_or(|said| said == currency);
        let said = terms.as_ref().filter(is_in);
        let said = said.and_then(|terms| Some((terms.target?, terms.units_of)));
        let target_of = |day| said.and_then(|said| in_units(scene, id, said, day));
        let target = target_of(scene.day);
        let distance = target.zip(last).and_then(|(target, last)| {
            let way = Exact::from(target).mul(&last.den).sub(&last.num);
            way.div_round(&last.num.abs(), 10).ok()
        });
        WatchRow {
            security: id,
            symbol: scene.symbol(id),
            name: scene.name(id),
            currency,
            terms,
            target,
            target_today: target_of(scene.today),
            distance,
            price: last.and_then(|price| price.price().ok()),
            price_date: last.map(|price| price.date),
            price_source: last.map(|price| price.source.clone()),
            stale: last.is_some_and(|price| price.stale),
            before: before.and_then(|price| price.price().ok()),
            before_date: before.map(|price| price.date),
            change: prices.change(id),
        }
    }

    fn alert(&self, alert: Alert) -> AlertRow {
        let Alert { id, security, terms, crossed, .. } = alert;
        let (scene, of) = (&self.scene, terms.of);
        let (seen, seen_on, source) = self.seen(security, of);
        let currency = match of {
            AlertOf::Price => Some(scene.currency_of(security)),
            AlertOf::Value => Some(scene.base),
            AlertOf::Change | AlertOf::Stale | AlertOf::Weight => None,
        };
        let is_in = terms.said_in.is_none() || terms.said_in == currency;
        let bound_of = |day| match of {
            _ if !is_in => None,
            AlertOf::Price => in_units(scene, security, (terms.bound, terms.units_of), day),
            _ => Some(terms.bound),
        };
        AlertRow {
            id,
            security,
            symbol: scene.symbol(security),
            bound: bound_of(scene.day),
            bound_today: bound_of(scene.today),
            currency,
            silent: terms.is_silent(scene.today),
            terms,
            seen,
            stale: self.is_old(security, of),
            seen_on,
            source,
            crossed,
        }
    }

    /// Whether a price that an alert rests on is older than it should be.
    fn is_old(&self, security: SecurityId, of: AlertOf) -> bool {
        let (last, before) = (self.prices.last(security), self.prices.before(security));
        let is_old = |price: Option<&PriceOn>| price.is_some_and(|price| price.stale);
        match of {
            AlertOf::Price => is_old(last),
            AlertOf::Change => is_old(last) || is_old(before),
            AlertOf::Value => self.held().any(|row| row.security_id == security && row.stale),
            AlertOf::Weight => self.held().any(|row| row.stale),
            AlertOf::Stale => false,
        }
    }

    fn seen(&self, security: SecurityId, of: AlertOf) -> Seen {
        let last = self.prices.last(security);
        let (date, day) = (last.map(|price| price.date), Some(self.scene.day));
        let source = last.map(|price| price.source.clone());
        match of {
            AlertOf::Price => (last.and_then(|price| price.price().ok()), date, source),
            AlertOf::Change => (self.prices.change(security), date, source),
            AlertOf::Stale => (last.map(|price| Dec::from_i64(price.age_days)), day, source),
            AlertOf::Value => (self.value(security), date, None),
            AlertOf::Weight => (self.weight(security), date, None),
        }
    }

    /// All that is held.
    pub fn held(&self) -> impl Iterator<Item = &HoldingRow> {
        let rows = self.holdings.iter().flat_map(|holdings| &holdings.rows);
        rows.filter(|row| !row.quantity.is_zero() && !row.closed)
    }

    /// What all that is held of it comes to; none: nothing is held, or something of it is not known.
    pub fn value(&self, security: SecurityId) -> Option<Dec> {
        let held = self.held().filter(|row| row.security_id == security);
        let add = |sum: Option<Exact>, value: Dec| {
            Some(sum.map_or_else(|| Exact::from(value), |sum| sum.add(&value.into())))
        };
        let sum =
            held.map(|row| row.value_base).try_fold(None, |sum, value| Some(add(sum, value?)));
        sum.flatten().and_then(|sum| sum.round(12).ok())
    }

    /// The same as a part of all that is held; none: something of that is not known.
    fn weight(&self, security: SecurityId) -> Option<Dec> {
        // As a part of what is known it would be more than it is.
        if self.held().any(|row| row.value_base.is_none()) {
            return None;
        }
        let whole = self.holdings.as_ref()?.totals.value_base.filter(|whole| !whole.is_zero())?;
        Exact::from(self.value(security)?).div_round(&whole.into(), 10).ok()
    }
}
