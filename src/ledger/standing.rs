//! What providers say that an account comes to: the balance of the day, the prices of what is held,
//! and where the ledger differs from it. Nothing is corrected by that; who looks finds it.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

use chrono::NaiveDate;

use super::Result;
use super::intake::{Counts, Intake};
use super::quotes::Quotes;
use super::remote::ToldAccount;
use super::resolve;
use super::survey::Survey;
use crate::figures;
use crate::model::{
    AccountId, Connection, Currency, Dec, Difference, Differs, Exact, Interval, Item, Mode, Price,
    Refusal, SafeText, SecurityId, SecurityWords, Standing, StatedHolding, midnight_micros,
};
use crate::store::{AccountRecord, Finding, Verdict, WriteTx};

/// Where an account of a connection stands, by its id here.
pub(super) struct Stands {
    pub account: AccountId,
    pub currency: Currency,
    pub standing: Standing,
    /// What its holdings are here, each in its place; none: nothing that is known.
    pub securities: Vec<Option<SecurityId>>,
}

impl Stands {
    /// What is held, with what it is here.
    pub fn holdings(&self) -> impl Iterator<Item = (&StatedHolding, Option<SecurityId>)> {
        let holdings = self.standing.holdings.iter().flatten();
        holdings.zip(self.securities.iter().copied())
    }

    /// How many there are of each of these securities, and of each symbol that is none of them.
    fn stated(
        &self,
        securities: &BTreeSet<SecurityId>,
    ) -> (BTreeMap<SecurityId, Exact>, BTreeMap<SafeText, Exact>) {
        let (mut known, mut strange) = (BTreeMap::new(), BTreeMap::new());
        for (holding, security) in self.holdings() {
            let sum = match security.filter(|id| securities.contains(id)) {
                Some(id) => known.entry(id).or_insert(Exact::ZERO),
                None => strange.entry(holding.security.symbol.clone()).or_insert(Exact::ZERO),
            };
            *sum = sum.add(&Exact::from(holding.quantity));
        }
        (known, strange)
    }
}

impl Intake {
    /// Where an account stands that is told; what it holds is looked up once, and made where it is
    /// to have a price or an opening. What cannot be understood is added to what is refused.
    pub(super) async fn stands(
        &mut self,
        account: AccountId,
        told: &ToldAccount,
        opens: bool,
        refused: &mut Vec<(Option<SafeText>, Refusal)>,
    ) -> Result<Option<Stands>> {
        let Some(standing) = told.standing.clone() else { return Ok(None) };
        let day = Some(standing.date);
        let mut securities = Vec::new();
        for holding in standing.holdings.iter().flatten() {
            let mention = &holding.security;
            if !opens && holding.price().is_none() {
                let found = resolve::find(&self.book, mention, day);
                securities.push(found.first().copied().filter(|_| found.len() == 1));
                continue;
            }
            match self.meaning(mention, day).await? {
                Ok(id) => {
                    self.take_class(id, holding).await?;
                    securities.push(Some(id));
                }
                Err(refusal) => {
                    securities.push(None);
                    refused.push((Some(mention.symbol.clone()), refusal));
                }
            }
        }
        Ok(Some(Stands { account, currency: told.account.currency, standing, securities }))
    }

    /// What a security is and is called, where nobody has said anything yet.
    async fn take_class(&mut self, id: SecurityId, holding: &StatedHolding) -> Result<()> {
        let known = &self.book.security(id)?.security;
        if holding.class.is_none() || known.class.is_some() {
            return Ok(());
        }
        let words = SecurityWords {
            symbol: known.symbol.clone(),
            currency: known.currency,
            venue: known.venue.clone(),
            isin: known.isin.clone(),
            cusip: None,
            figi: None,
            name: holding.name.clone().filter(|_| known.name.is_none()),
            class: holding.class,
            sector: None,
            region: None,
            tags: None,
            derived: known.derived,
        };
        // Where its symbol has several meanings it goes without.
        let _ = self.take_item(Item::Security(words)).await?;
        Ok(())
    }

    /// Keeps the balances of the day and the prices of what is held. Tells how many are new.
    pub(super) async fn take_standings(
        &mut self,
        connection: &Connection,
        stands: &[Stands],
    ) -> Result<u64> {
        let mut new = 0;
        for Stands { account, standing, .. } in stands {
            new += u64::from(self.take_balance(*account, standing).await?);
        }
        let mut quotes = Quotes::new(&Survey::default());
        for price in prices(connection, stands) {
            quotes.push_price(&mut self.tx, &mut self.book, &self.stamp, 0, price).await?;
        }
        let counts = quotes.flush(&mut self.tx, &mut self.book, &self.stamp).await?;
        Ok(new + counts.values().map(|Counts { new, changed, .. }| new + changed).sum::<u64>())
    }

    /// Keeps the balance of a day, unless a person says another one. Tells whether it is new.
    async fn take_balance(&mut self, account: AccountId, standing: &Standing) -> Result<bool> {
        let Standing { date, balance: amount, .. } = *standing;
        let there = self.tx.balance_on(account, date).await?;
        if there.is_some_and(|there| there.date == date && there.batch.is_none()) {
            return Ok(false);
        }
        let row = &self.book.account(account)?.account;
        let (name, mode) = (row.name.clone(), row.mode);
        let taken = self.take_item(Item::Balance { account: name, date, amount }).await?;
        let is_new = taken.is_ok_and(|verdict| verdict != Verdict::Duplicate);
        if is_new && mode == Mode::Balances {
            self.book.touches(date);
        }
        Ok(is_new)
    }
}

/// The prices of what is held. One that several accounts hold has one: that of the most units, as
/// its value is rounded the least for each.
fn prices(connection: &Connection, stands: &[Stands]) -> Vec<Price> {
    let source = SafeText::new(&format!("provider:{}", connection.id));
    let mut best: BTreeMap<(SecurityId, NaiveDate), (Dec, Price)> = BTreeMap::new();
    for (stand, (holding, security)) in
        stands.iter().flat_map(|stand| stand.holdings().map(move |held| (stand, held)))
    {
        let (Some(security), Some(close)) = (security, holding.price()) else { continue };
        let date = stand.standing.date;
        let price = Price {
            security,
            interval: Interval::Day,
            at: midnight_micros(date),
            source: source.clone(),
            currency: holding.currency,
            open: None,
            high: None,
            low: None,
            close,
            volume: None,
            quoted_in: None,
            split_adjusted: false,
        };
        let units = holding.quantity.abs();
        match best.entry((security, date)) {
            Entry::Vacant(free) => drop(free.insert((units, price))),
            Entry::Occupied(mut known) if known.get().0 < units => {
                known.insert((units, price));
            }
            Entry::Occupied(_) => {}
        }
    }
    best.into_values().map(|(_, price)| price).collect()
}

/// Compares what the ledger comes to with what providers say, and keeps where they differ. Tells
/// whether anything about that is new.
pub(super) async fn reconcile(tx: &mut WriteTx, stands: &[Stands], now: i64) -> Result<bool> {
    if stands.is_empty() {
        return Ok(false);
    }
    let found = differences(tx, stands).await?;
    let told: BTreeSet<AccountId> = stands.iter().map(|it| it.account).collect();
    let mut open = open_differences(tx, &told).await?;
    let mut new = Vec::new();
    for difference in found {
        let same = |it: &Finding| {
            (it.account, it.security, &it.detail)
                == (difference.account, difference.security, &difference.detail)
        };
        match open.iter().position(same) {
            Some(at) => drop(open.swap_remove(at)),
            None => new.push(Finding { id: tx.take_id(), created: now, ..difference }),
        }
    }
    tx.settle_findings(&open, now).await?;
    tx.insert_findings(&new).await?;
    Ok(!new.is_empty() || !open.is_empty())
}

/// Settles where accounts differ from a provider that is asked no more.
pub(super) async fn settle_differences(
    tx: &mut WriteTx,
    accounts: &BTreeSet<AccountId>,
    now: i64,
) -> Result<()> {
    let open = open_differences(tx, accounts).await?;
    Ok(tx.settle_findings(&open, now).await?)
}

async fn open_differences(
    tx: &mut WriteTx,
    accounts: &BTreeSet<AccountId>,
) -> Result<Vec<Finding>> {
    let mut open = tx.findings().await?;
    open.retain(|it| {
        Difference::is_kind(&it.kind) && it.account.is_some_and(|id| accounts.contains(&id))
    });
    Ok(open)
}

async fn differences(tx: &mut WriteTx, stands: &[Stands]) -> Result<Vec<Finding>> {
    let mut held = BTreeMap::new();
    let securities = tx.securities().await?.iter().map(|row| row.security.id).collect();
    let accounts = tx.accounts().await?;
    let mut found = Vec::new();
    for stand in stands {
        let is_it = |row: &&AccountRecord| row.account.id == stand.account;
        let Some(mode) = accounts.iter().find(is_it).map(|row| row.account.mode) else { continue };
        let mut compare = |security: Option<SecurityId>, ours: &Exact, stated: &Exact, of| {
            if ours != stated {
                found.push(finding(stand, security, ours, stated, of));
            }
        };
        let Stands { account, currency, standing, .. } = stand;
        if mode == Mode::Balances {
            let there = tx.balance_on(*account, standing.date).await?;
            let ours = there.map_or(Exact::ZERO, |there| Exact::from(there.amount));
            compare(None, &ours, &Exact::from(standing.balance), Differs::Balance(*currency));
            continue;
        }
        if let Some(stated) = standing.cash(*currency) {
            let ours = figures::settled_cash(tx, *account, *currency, standing.date).await?;
            compare(None, &ours, &Exact::from(stated), Differs::Cash(*currency));
        }
        if standing.holdings.is_none() {
            continue;
        }
        let (mut stated, strange) = stand.stated(&securities);
        let held = match held.entry(standing.date) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(figures::held_on(tx, standing.date).await?),
        };
        let ours = held.range((*account, SecurityId(i64::MIN))..=(*account, SecurityId(i64::MAX)));
        for ((_, security), quantity) in ours {
            let said = stated.remove(security).unwrap_or(Exact::ZERO);
            compare(Some(*security), &Exact::from(*quantity), &said, Differs::Units(None));
        }
        for (security, said) in stated {
            compare(Some(security), &Exact::ZERO, &said, Differs::Units(None));
        }
        for (symbol, said) in strange {
            compare(None, &Exact::ZERO, &said, Differs::Units(Some(symbol)));
        }
    }
    Ok(found)
}

fn finding(
    stand: &Stands,
    security: Option<SecurityId>,
    ours: &Exact,
    stated: &Exact,
    of: Differs,
) -> Finding {
    // Figures of more digits than are kept are just said to differ.
    let detail = match (ours.round(28), stated.round(28)) {
        (Ok(ours), Ok(stated)) => Difference { ours, stated, of }.to_string(),
        _ => of.to_string(),
    };
    Finding {
        id: 0,
        kind: Difference::FINDING.to_owned(),
        severity: "warning".to_owned(),
        transaction: None,
        account: Some(stand.account),
        security,
        date: Some(stand.standing.date),
        detail,
        created: 0,
        settled: None,
    }
}
