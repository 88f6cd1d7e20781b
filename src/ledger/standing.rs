//! What providers say that an account comes to: what was there before the first row that is known,
//! the balance of the day, the prices of what is held, and where the ledger differs from it. Nothing
//! is corrected by that; who looks finds it.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::intake::{Content, Intake};
use super::remote::ToldAccount;
use super::{Error, Result};
use crate::figures::{self, Market, Otherwise};
use crate::model::{
    AccountId, Connection, Currency, Dec, Drafts, Entry, EntryType, Exact, Interval, Item, Mention,
    Mode, Price, SafeText, SecurityId, Standing, Status, Subtype, Unit, midnight_micros,
};
use crate::store::{Balance, Finding, WriteTx};

/// The kind of finding that says where the ledger and a provider differ.
const RECONCILE: &str = "reconcile";
/// A finding has one line of figures: those of the ledger, those of the provider, and of what.
const OF_CASH: &str = "cash";

/// Where an account of a connection stands, by its id here.
pub(super) struct Stands {
    pub account: AccountId,
    pub currency: Currency,
    pub standing: Standing,
}

/// What must have been in an account before the first row that is told of it, so that it comes to
/// what its provider says. Only where all rows since then are told.
pub(super) fn openings(told: &ToldAccount) -> Vec<(i64, Drafts)> {
    let Some(standing) = &told.standing else { return Vec::new() };
    if told.left_out || told.complete_since.is_none() {
        return Vec::new();
    }
    let known = || told.rows.iter().flat_map(|(_, drafts)| drafts.all()).map(|draft| &draft.facts);
    let first = known().map(|facts| facts.date).min().and_then(|first| first.pred_opt());
    let day = first.map_or(standing.date, |first| first.min(standing.date));
    let currency = told.account.currency;
    let entry = |unit: Currency| {
        let what = EntryType::One(Subtype::Opening);
        let row = Entry::new(told.account.name.clone(), day, what, Unit::from(unit));
        let words = "Opening implied by the first refresh";
        Entry { description: Some(SafeText::new(words)), amount_stands: true, ..row }
    };
    let mut rows = Vec::new();
    if let Some(cash) = standing.cash(currency) {
        let counted = known().filter(|facts| {
            facts.status == Status::Settled
                && facts.currency == currency
                && facts.date <= standing.date
        });
        let moved = counted.fold(Exact::ZERO, |sum, facts| sum.add(&Exact::from(facts.amount)));
        let before = Exact::from(cash).sub(&moved).round(28).ok();
        if let Some(before) = before.filter(|before| !before.is_zero()) {
            rows.push(Entry { amount: Some(before), ..entry(currency) });
        }
    }
    for holding in standing.holdings.iter().flatten() {
        let of_it = |mention: &Mention| mention.symbol == holding.security.symbol;
        let drafts = told.rows.iter().flat_map(|(_, drafts)| drafts.all());
        let mine = drafts.filter(|draft| draft.security.as_ref().is_some_and(of_it));
        let moved = mine.filter_map(|draft| draft.facts.quantity);
        let moved = moved.fold(Exact::ZERO, |sum, quantity| sum.add(&Exact::from(quantity)));
        let before = Exact::from(holding.quantity).sub(&moved).round(28).ok();
        if let Some(before) = before.filter(|before| !before.is_zero()) {
            let price = holding.unit_cost();
            rows.push(Entry {
                symbol: Some(holding.security.clone()),
                quantity: Some(before),
                price,
                price_scale: price.map_or(0, |price| price.inner().scale()),
                ..entry(holding.currency)
            });
        }
    }
    let at = midnight_micros(day);
    rows.into_iter().filter_map(|row| Some((at, row.check().ok()?))).collect()
}

impl Intake {
    /// Keeps the balances of the day and the prices of what is held. Tells how many are new.
    pub(super) async fn take_standings(
        &mut self,
        connection: &Connection,
        stands: &[Stands],
    ) -> Result<u64> {
        let mut new = 0;
        for Stands { account, standing, .. } in stands {
            let (account, date, amount) = (*account, standing.date, standing.balance);
            let there = self.tx.balance_on(account, date).await?;
            let there = there.filter(|there| there.date == date);
            if there.as_ref().is_none_or(|there| there.amount != amount) {
                let batch = there.map_or(self.stamp.batch, |there| there.batch);
                let created = self.stamp.now;
                self.tx.put_balance(&Balance { account, date, amount, batch, created }).await?;
                if self.book.account(account)?.account.mode == Mode::Balances {
                    self.book.touches(date);
                }
                new += 1;
            }
        }
        // They are no rows, so they are not counted as such.
        let rows = self.settle().await?.counts.clone();
        let source = SafeText::new(&format!("provider:{}", connection.id));
        let mut prices = Vec::new();
        for Stands { standing, .. } in stands {
            let holdings = standing.holdings.iter().flatten();
            prices.extend(holdings.filter_map(|it| Some((standing.date, it, it.price()?))));
        }
        for (date, holding, close) in prices {
            let price = Price {
                security: SecurityId(0),
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
            let item = Item::Price(holding.security.clone(), Box::new(price));
            // What cannot be meant has no price; its row was refused with the reason.
            let _ = self.push(0, 0, "", Content::Item(Box::new(item))).await?;
        }
        let all = self.settle().await?.counts.clone();
        let changes = |counts: &[super::intake::Counts]| -> u64 {
            counts.iter().map(|counts| counts.new + counts.changed).sum()
        };
        new += changes(&all).saturating_sub(changes(&rows));
        self.taken.counts = rows;
        Ok(new)
    }

    /// Whose standing is told, by what they are called here; those in balances mode stand by it.
    pub(super) fn stands(&self, told: &[ToldAccount]) -> Vec<Stands> {
        let stand = |told: &ToldAccount| {
            let account = *self.book.names.get(&told.account.name)?;
            let standing = told.standing.clone()?;
            Some(Stands { account, currency: told.account.currency, standing })
        };
        told.iter().filter_map(stand).collect()
    }
}

/// Compares what the ledger comes to with what providers say, and keeps where they differ. Tells
/// whether anything about that is new.
pub(super) async fn reconcile(tx: &mut WriteTx, stands: &[Stands], now: i64) -> Result<bool> {
    if stands.is_empty() {
        return Ok(false);
    }
    let found = differences(tx, stands).await?;
    let is_told = |account: Option<AccountId>| stands.iter().any(|it| Some(it.account) == account);
    let open = tx.findings().await?;
    let mut open: Vec<_> =
        open.into_iter().filter(|it| it.kind == RECONCILE && is_told(it.account)).collect();
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

async fn differences(tx: &mut WriteTx, stands: &[Stands]) -> Result<Vec<Finding>> {
    let through = NaiveDate::MAX;
    let market = Market::read(tx, through, figures::Scope::Day, Otherwise::default()).await?;
    let mut held: BTreeMap<(AccountId, SecurityId), Dec> = BTreeMap::new();
    for position in figures::positions_on(tx, &market, through, Otherwise::default()).await? {
        held.insert((position.account, position.security), position.figures.quantity);
    }
    let securities = tx.securities().await?;
    let modes = tx.accounts().await?;
    let mut found = Vec::new();
    for Stands { account, currency, standing } in stands {
        let ledger = |row: &&crate::store::AccountRecord| row.account.id == *account;
        if modes.iter().find(ledger).is_none_or(|row| row.account.mode != Mode::Ledger) {
            continue;
        }
        let of_cash = (*account, *currency);
        let finding =
            |security: Option<SecurityId>, ledger: Dec, stated: Dec, unit: &str| Finding {
                id: 0,
                kind: RECONCILE.to_owned(),
                severity: "warning".to_owned(),
                transaction: None,
                account: Some(*account),
                security,
                date: Some(standing.date),
                detail: format!("{ledger} {stated} {unit}"),
                created: 0,
                settled: None,
            };
        if let Some(stated) = standing.cash(*currency) {
            let cash = figures::cash_on(tx, standing.date).await?;
            let ours = cash.get(&of_cash).cloned().unwrap_or(Exact::ZERO);
            // What is not final is in no balance yet.
            let ours = ours.sub(&pending(tx, *account, *currency, standing.date).await?);
            let ours = ours.round(28).map_err(|_| Error::Interrupted)?;
            if ours != stated {
                found.push(finding(None, ours, stated, &format!("{currency} {OF_CASH}")));
            }
        }
        let Some(holdings) = &standing.holdings else { continue };
        let mut stated: BTreeMap<SecurityId, Dec> = BTreeMap::new();
        for holding in holdings {
            let mine = securities.iter().find(|row| {
                row.security.symbol == holding.security.symbol
                    && row.security.currency == holding.currency
            });
            if let Some(row) = mine {
                let sum = stated.entry(row.security.id).or_insert(Dec::ZERO);
                *sum = sum.checked_add(holding.quantity).unwrap_or(*sum);
            }
        }
        let ours = held.range((*account, SecurityId(i64::MIN))..=(*account, SecurityId(i64::MAX)));
        for ((_, security), quantity) in ours {
            let said = stated.remove(security).unwrap_or(Dec::ZERO);
            if said != *quantity {
                found.push(finding(Some(*security), *quantity, said, "units"));
            }
        }
        for (security, said) in stated {
            found.push(finding(Some(security), Dec::ZERO, said, "units"));
        }
    }
    Ok(found)
}

/// How long a row may be pending.
const PENDING_DAYS: chrono::Days = chrono::Days::new(60);

/// The sum of what is not final yet.
async fn pending(
    tx: &mut WriteTx,
    account: AccountId,
    currency: Currency,
    day: NaiveDate,
) -> Result<Exact> {
    let first = day.checked_sub_days(PENDING_DAYS).unwrap_or(day);
    let rows = tx.transactions_told(account, first).await?;
    let rows = rows.iter().map(|row| &row.transaction).filter(|row| {
        !row.deleted
            && row.facts.status == Status::Pending
            && row.facts.currency == currency
            && row.facts.date <= day
    });
    Ok(rows.fold(Exact::ZERO, |sum, row| sum.add(&Exact::from(row.facts.amount))))
}
