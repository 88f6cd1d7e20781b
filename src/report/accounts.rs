//! Accounts: their cash, what their securities are worth, and all of it together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::as_of::AsOf;
use super::valuation::{Scene, Total, Value};
use super::{Missing, Result};
use crate::analytics::lots::World;
use crate::figures::{self, Held, Otherwise, TRANSIT};
use crate::model::{Account, AccountId, AccountKind, Class, Currency, Dec, Exact, Mode, SafeText};
use crate::store::{CashTransit, Tx};

/// Which accounts, and of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountsQuery {
    /// Rows, balances and prices on or before this day.
    pub as_of: NaiveDate,
    /// Today, in the zone of the store: only then may a quote of the day serve as price.
    pub today: NaiveDate,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// Only this one.
    pub account: Option<AccountId>,
    /// Those closed by then too.
    pub closed: bool,
}

/// Accounts with their cash.
#[derive(Clone, Debug)]
pub struct AccountsReport {
    /// The day.
    pub as_of: NaiveDate,
    /// The base currency.
    pub currency: Currency,
    /// Some value is not known.
    pub partial: bool,
    /// What would be needed.
    pub missing: Vec<Missing>,
    /// The accounts by name; those that are closed are in no sum.
    pub rows: Vec<AccountRow>,
    /// What is on its way between two of them, in the base currency; none if nothing is, or if
    /// its value is not known.
    pub in_transit_base: Option<Dec>,
    /// The sum of all that in the base currency, over what is known.
    pub total_base: Option<Dec>,
}

/// One account.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub struct AccountRow {
    /// Its identity.
    pub id: AccountId,
    /// Its name.
    pub name: SafeText,
    /// What it is.
    pub kind: AccountKind,
    /// Its class.
    pub class: Class,
    /// Where its value comes from.
    pub mode: Mode,
    /// The bank or broker.
    pub institution: Option<SafeText>,
    /// The connection that fills it.
    pub connection: Option<SafeText>,
    /// Its main currency.
    pub currency: Currency,
    /// Cash by currency, zero left out.
    pub cash: BTreeMap<Currency, Dec>,
    /// The value of its securities, in its currency; over what is known, like the next two.
    pub market_value: Option<Dec>,
    /// All of it, in its currency.
    pub value: Option<Dec>,
    /// All of it, in the base currency.
    pub value_base: Option<Dec>,
    /// Something in it is not known.
    pub partial: bool,
    /// In balances mode, the day of the balance.
    pub as_of: Option<NaiveDate>,
    /// Older than it should be.
    pub stale: bool,
    /// Closed from this day on.
    pub closed: Option<NaiveDate>,
    /// Some row of it is pending.
    pub pending: bool,
    /// There is cash or a position in it, whatever that is worth, or its balance is not zero.
    pub holds_something: bool,
}

impl AccountRow {
    /// Whether totals of a day count it: until it is closed.
    #[must_use]
    pub fn counts_on(&self, day: NaiveDate) -> bool {
        Account::is_open(self.closed, day)
    }

    /// Whether totals of a day follow from a row of it that is not settled yet.
    #[must_use]
    pub fn is_pending_on(&self, day: NaiveDate) -> bool {
        self.pending && self.mode == Mode::Ledger && self.counts_on(day)
    }
}

/// The accounts of a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn accounts(tx: &mut Tx, query: &AccountsQuery) -> Result<AccountsReport> {
    let otherwise = Otherwise { base: query.currency, method: None };
    let day = AsOf::read(tx, query.as_of, query.today, otherwise).await?;
    accounts_of(tx, &day, query).await
}

/// The same of a day that was read already.
pub(super) async fn accounts_of(
    tx: &mut Tx,
    AsOf { scene, held, pending }: &AsOf,
    query: &AccountsQuery,
) -> Result<AccountsReport> {
    let mut cash: BTreeMap<AccountId, BTreeMap<Currency, Exact>> = BTreeMap::new();
    for ((account, currency), amount) in figures::cash_on(tx, query.as_of).await? {
        cash.entry(account).or_default().insert(currency, amount);
    }
    let connections = tx.connections().await?.into_iter();
    let labels: BTreeMap<_, _> = connections.map(|known| (known.id, known.label)).collect();
    let mut missing = BTreeSet::new();
    let mut rows = Vec::new();
    // Over the same things as net worth, not over accounts: one that is known in part counts.
    let mut total = Total::default();
    let accounts: Vec<Account> =
        scene.accounts.values().map(|record| record.account.clone()).collect();
    for account in accounts {
        let wanted = query.account.is_none_or(|id| id == account.id);
        if wanted && (query.closed || scene.is_open(account.id, query.as_of)) {
            let mut lacks = BTreeSet::new();
            let mut sums = Sums { scene, account: &account, missing: &mut lacks };
            let cash = cash.remove(&account.id).unwrap_or_default();
            let worth = match account.mode {
                Mode::Ledger => sums.ledger(&cash, held),
                Mode::Balances => {
                    let balance = tx.balance_on(account.id, query.as_of).await?;
                    let balance = balance.map(|balance| (balance.date, balance.amount));
                    Worth { cash: sums.cash(&cash), ..sums.balances(balance) }
                }
            };
            let base = worth.base.clone();
            let pending = pending.of_account(account.id);
            let connection = scene.accounts.get(&account.id).and_then(|record| record.connection);
            let connection = connection.and_then(|id| labels.get(&id).cloned());
            let row = AccountRow { connection, pending, ..row(account, worth, &mut lacks) };
            if row.counts_on(query.as_of) {
                total.take_in(&base);
                missing.append(&mut lacks);
            }
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let mut transit = Total::default();
    if query.account.is_none() {
        add_transit(tx, scene, held, &mut transit, &mut missing).await?;
    }
    let in_transit_base = transit.told(&mut missing).filter(|_| !transit.is_empty());
    total.take_in(&transit);
    let total_base = total.told(&mut missing);
    Ok(AccountsReport {
        as_of: query.as_of,
        currency: scene.base,
        partial: !missing.is_empty(),
        missing: missing.into_iter().collect(),
        rows,
        in_transit_base,
        total_base,
    })
}

/// Lots and cash that have left one account and have not yet come to the other.
async fn add_transit(
    tx: &mut Tx,
    scene: &Scene,
    held: &[Held],
    total: &mut Total,
    missing: &mut BTreeSet<Missing>,
) -> Result<()> {
    for held in held.iter().filter(|held| held.account == TRANSIT) {
        let value = scene.value(held);
        total.add(value.base);
        missing.extend(value.missing);
    }
    let under_way = |way: &&CashTransit| way.leaves <= scene.day && scene.day < way.arrives;
    for way in tx.cash_transit().await?.iter().filter(under_way) {
        let amount = Exact::from(way.amount);
        let base = scene.in_base(&amount, way.currency, scene.day, TRANSIT);
        total.add(base.map_err(|lacks| missing.insert(lacks)).ok());
    }
    Ok(())
}

/// What an account is worth.
#[derive(Default)]
struct Worth {
    cash: BTreeMap<Currency, Dec>,
    market_value: Option<Dec>,
    value: Option<Dec>,
    base: Total,
    partial: bool,
    as_of: Option<NaiveDate>,
    stale: bool,
    holds_something: bool,
}

fn row(account: Account, worth: Worth, missing: &mut BTreeSet<Missing>) -> AccountRow {
    AccountRow {
        value_base: worth.base.told_of(Some(&account.name), missing),
        id: account.id,
        name: account.name,
        kind: account.kind,
        class: account.kind.class(),
        mode: account.mode,
        institution: account.institution,
        connection: None,
        currency: account.currency,
        cash: worth.cash,
        market_value: worth.market_value,
        value: worth.value,
        partial: worth.partial,
        as_of: worth.as_of,
        stale: worth.stale,
        closed: account.closed,
        pending: false,
        holds_something: worth.holds_something,
    }
}

/// Adds up what an account has, in its own currency and in the base currency.
struct Sums<'a> {
    scene: &'a Scene,
    account: &'a Account,
    missing: &'a mut BTreeSet<Missing>,
}

impl Sums<'_> {
    fn ledger(&mut self, cash: &BTreeMap<Currency, Exact>, held: &[Held]) -> Worth {
        let mut worth = Worth::default();
        let (mut market, mut value) = (Total::default(), Total::default());
        worth.cash = self.cash(cash);
        worth.holds_something = cash.values().any(|amount| !amount.is_zero());
        for (&currency, amount) in cash {
            value.add(self.converted(amount, currency, self.account.currency));
            worth.base.add(self.converted(amount, currency, self.scene.base));
        }
        let mine = held.iter().filter(|held| held.account == self.account.id);
        for held in mine.filter(|held| !held.figures.quantity.is_zero() || held.figures.overflow) {
            let worth_of = self.scene.value(held);
            worth.holds_something = true;
            worth.stale |= worth_of.price.as_ref().is_some_and(|price| price.stale);
            let own = self.own_value(held, &worth_of);
            let account = Some(&self.account.name);
            let missing = worth_of.missing.into_iter();
            // It makes this account partial, whoever else holds the same.
            self.missing.extend(missing.map(|lack| Missing { account: account.cloned(), ..lack }));
            market.add(own);
            value.add(own);
            worth.base.add(worth_of.base);
        }
        worth.partial = !value.is_whole() || !worth.base.is_whole();
        worth.market_value = market.told_of(Some(&self.account.name), self.missing);
        worth.value = value.told_of(Some(&self.account.name), self.missing);
        worth
    }

    fn cash(&mut self, cash: &BTreeMap<Currency, Exact>) -> BTreeMap<Currency, Dec> {
        let mut sums = BTreeMap::new();
        for (&currency, amount) in cash {
            match amount.round(28) {
                Ok(amount) => drop(sums.insert(currency, amount)),
                Err(_) => self.lacks("overflow", None),
            }
        }
        sums
    }

    /// The last balance tells all that is known.
    fn balances(&mut self, balance: Option<(NaiveDate, Dec)>) -> Worth {
        let Some((date, amount)) = balance else {
            self.missing
                .insert(Missing { date: Some(self.scene.day), ..self.missing_of("history", None) });
            return Worth { partial: true, base: Total::from_iter([None]), ..Worth::default() };
        };
        let base = self.converted(&Exact::from(amount), self.account.currency, self.scene.base);
        let base = Total::from_iter([base]);
        let market_value = (self.account.kind.class() == Class::Investment).then_some(amount);
        let value = Some(amount);
        Worth {
            market_value,
            value,
            partial: !base.is_whole(),
            base,
            as_of: Some(date),
            holds_something: !amount.is_zero(),
            ..Worth::default()
        }
    }

    /// The value of a position in the currency of the account, rounded once.
    fn own_value(&mut self, held: &Held, value: &Value) -> Option<Dec> {
        let (price, units) = value.price.as_ref().zip(value.units.as_ref())?;
        let (from, to) = (self.scene.market.currency_of(held.security), self.account.currency);
        let Some(rate) = self.scene.market.rate(from, to, self.scene.day) else {
            self.lacks("fx", Some(format!("{from}/{to}")));
            return None;
        };
        price.value(units, &rate).ok()
    }

    fn converted(&mut self, amount: &Exact, from: Currency, to: Currency) -> Option<Dec> {
        match self.scene.market.rate(from, to, self.scene.day) {
            Some(rate) => match rate.apply(amount) {
                Ok(amount) => return Some(amount),
                Err(_) => self.lacks("overflow", None),
            },
            None => self.lacks("fx", Some(format!("{from}/{to}"))),
        }
        None
    }

    fn lacks(&mut self, what: &'static str, pair: Option<String>) {
        let missing = self.missing_of(what, pair);
        self.missing.insert(missing);
    }

    fn missing_of(&self, what: &'static str, pair: Option<String>) -> Missing {
        Missing { what, security: None, pair, account: Some(self.account.name.clone()), date: None }
    }
}
