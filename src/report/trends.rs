//! Where prices went lately: of each security one figure a day, for a line that is a few letters
//! wide. What it costs depends on how many securities are asked about, and on nothing else.

use chrono::{Days, NaiveDate};

use super::Result;
use super::movers::restated;
use super::valuation::Scene;
use crate::figures::Otherwise;
use crate::model::{Dec, SecurityId};
use crate::store::Tx;

/// Of what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrendsQuery {
    /// These securities.
    pub securities: Vec<SecurityId>,
    /// So many days, at least one.
    pub days: u16,
    /// The last of them, in whose units prices are told.
    pub to: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
}

/// Where a price went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    /// Of which security.
    pub security: SecurityId,
    /// What a holding is valued with on each day, the oldest first, in the security's currency;
    /// none: there is no price of the day, or it is older than it should be.
    pub points: Vec<Option<Dec>>,
}

/// Where the prices of some securities went, in the order of the question.
///
/// # Errors
/// When the store cannot be read.
pub async fn trends(tx: &mut Tx, query: &TrendsQuery) -> Result<Vec<Trend>> {
    let TrendsQuery { securities, days, to, today } = query;
    let mut scene = Scene::of_day(tx, *to, *today, Otherwise::default()).await?;
    let days: Vec<NaiveDate> =
        (0..u64::from(*days)).rev().filter_map(|ago| to.checked_sub_days(Days::new(ago))).collect();
    scene.read_closes_of(tx, securities.iter().copied(), &days).await?;
    let point = |security: SecurityId, day: NaiveDate| {
        let price = scene.price(security, day).ok().filter(|price| !price.stale)?;
        restated(price, &scene, security, day).price().ok()
    };
    let trend = |security: &SecurityId| Trend {
        security: *security,
        points: days.iter().map(|day| point(*security, *day)).collect(),
    };
    Ok(securities.iter().map(trend).collect())
}
