//! How everything stands on a day: what several reports of it begin with, read once.

use chrono::NaiveDate;

use super::accounts::{AccountsReport, accounts_of};
use super::holdings::holdings_of;
use super::pending::Pending;
use super::valuation::Scene;
use super::{AccountsQuery, HoldingsReport, PositionsQuery, Result};
use crate::figures::{self, Held, Otherwise};
use crate::store::Tx;

/// A day, what is held on it, and what of that is not settled yet.
pub(super) struct AsOf {
    pub scene: Scene,
    pub held: Vec<Held>,
    pub pending: Pending,
}

impl AsOf {
    pub async fn read(
        tx: &mut Tx,
        day: NaiveDate,
        today: NaiveDate,
        otherwise: Otherwise,
    ) -> Result<Self> {
        let mut scene = Scene::of_day(tx, day, today, otherwise).await?;
        let held = figures::positions_on(tx, &scene.market, day, otherwise).await?;
        scene.read_closes(tx, held.iter().map(|held| held.security)).await?;
        Ok(Self { scene, held, pending: Pending::read(tx, day).await? })
    }
}

/// The accounts and the holdings of a day; `closed`: what is held no more too.
///
/// # Errors
/// When the store cannot be read.
pub async fn accounts_and_holdings(
    tx: &mut Tx,
    as_of: NaiveDate,
    today: NaiveDate,
    closed: bool,
) -> Result<(AccountsReport, HoldingsReport)> {
    let day = AsOf::read(tx, as_of, today, Otherwise::default()).await?;
    let query = AccountsQuery { as_of, today, currency: None, account: None, closed };
    let accounts = accounts_of(tx, &day, &query).await?;
    let (account, currency, method) = (None, None, None);
    let query = PositionsQuery { as_of, today, account, currency, method, closed };
    let holdings = holdings_of(tx, &day, &query).await?;
    Ok((accounts, holdings))
}
