//! The small part of the state, which is always wanted.

use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::clock::Clock;
use crate::model::{Currency, Dimension, Setting};
use crate::report::{
    self, AccountsReport, Allocation, AllocationQuery, ConnectionRow, FindingRow, HoldingsReport,
    Movers, MoversQuery, WatchQuery, WatchReport,
};
use crate::store::{Store, Tx};

/// How the store is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// As it was on this day; none: today, whichever day that is.
    pub as_of: Option<NaiveDate>,
    /// What is held no more too.
    pub closed: bool,
}

/// Everything that is small and always wanted, of one moment of the store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The store's revision.
    pub revision: i64,
    /// How it was looked at.
    pub view: View,
    /// The day of every figure.
    pub day: NaiveDate,
    /// Today.
    pub today: NaiveDate,
    /// The base currency.
    pub currency: Currency,
    /// The zone in which times are told.
    pub zone: Tz,
    /// The connections and when they told something last.
    pub connections: Arc<Vec<ConnectionRow>>,
    /// How many transactions there are.
    pub transactions: i64,
    /// Somebody chose the base currency or the zone.
    pub is_set_up: bool,
    /// Accounts with their cash and value.
    pub accounts: Arc<AccountsReport>,
    /// Positions with their value.
    pub holdings: Arc<HoldingsReport>,
    /// Net worth now and before, and what moved it; none: not read yet.
    pub movers: Option<Arc<Movers>>,
    /// What it consists of; none: not read yet.
    pub allocation: Option<Arc<Allocation>>,
    /// What is watched, and the alerts; none: not read yet.
    pub watch: Option<Arc<WatchReport>>,
    /// What needs a look; none: not read yet.
    pub findings: Option<Arc<Vec<FindingRow>>>,
}

impl Snapshot {
    /// There is nothing to show: no account, no row, and nobody from whom some may come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.rows.is_empty() && self.transactions == 0 && self.connections.is_empty()
    }

    /// Reads what the first frame needs. The rest is [`Snapshot::complete`]'s.
    pub(super) async fn read(tx: &mut Tx, clock: &Clock, view: View) -> report::Result<Self> {
        let settings = tx.settings().await?;
        // Whoever chose another zone since, here or elsewhere, has moved the day.
        clock.move_to(settings.get(Setting::TimeZone.key()).map(String::as_str));
        let today = clock.today();
        let day = view.as_of.unwrap_or(today);
        let asked = [Setting::BaseCurrency, Setting::TimeZone];
        let is_set_up = asked.iter().any(|setting| settings.contains_key(setting.key()));
        let (accounts, holdings) =
            report::accounts_and_holdings(tx, day, today, view.closed).await?;
        Ok(Self {
            revision: tx.revision().await?,
            view,
            day,
            today,
            currency: accounts.currency,
            zone: clock.zone(),
            connections: Arc::new(report::connections(tx, clock.now().timestamp_micros()).await?),
            transactions: tx.count_rows(None).await?,
            is_set_up,
            accounts: Arc::new(accounts),
            holdings: Arc::new(holdings),
            movers: None,
            allocation: None,
            watch: None,
            findings: None,
        })
    }

    /// Reads what may take longer, as of the same moment where the store has not moved on.
    pub(super) async fn complete(mut self, tx: &mut Tx) -> report::Result<Self> {
        let (as_of, today) = (self.day, self.today);
        let movers = MoversQuery { as_of, today, currency: None, since: None };
        self.movers = Some(Arc::new(report::movers(tx, &movers).await?));
        let by = Dimension::Class;
        let parts = AllocationQuery { as_of, today, account: None, currency: None, by };
        self.allocation = Some(Arc::new(report::allocation(tx, &parts).await?));
        self.watch = Some(Arc::new(report::watch(tx, &WatchQuery { as_of, today }).await?));
        self.findings = Some(Arc::new(report::findings(tx, self.day).await?));
        Ok(self)
    }
}

/// The revision of a store, where it can be read.
pub(super) async fn revision(store: &Store) -> Option<i64> {
    store.revision().await.ok()
}
