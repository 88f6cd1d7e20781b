//! What providers say that accounts come to, beside what the ledger comes to now: where a refresh found
//! that they differ, and how that stands since.

use std::collections::btree_map::{BTreeMap, Entry};

use chrono::NaiveDate;

use super::Result;
use crate::figures;
use crate::model::{
    Account, AccountId, Currency, Dec, Difference, Differs, Exact, SafeText, Security, SecurityId,
};
use crate::store::{Finding, Tx};

/// An account of a connection, or one thing in it that its provider says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcileRow {
    /// The account.
    pub account: AccountId,
    /// What it is called.
    pub name: SafeText,
    /// Its currency.
    pub currency: Currency,
    /// The connection that fills it.
    pub connection: SafeText,
    /// When that last told of its accounts, in microseconds since the epoch.
    pub synced: Option<i64>,
    /// What differs; none: nothing is known to.
    pub differs: Option<Differing>,
}

/// Something that a provider says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// The number of the finding.
    pub finding: i64,
    /// Of what.
    pub of: Option<Differs>,
    /// The security, where it is known here.
    pub security: Option<SecurityId>,
    /// Its symbol.
    pub symbol: Option<SafeText>,
    /// At the end of which day.
    pub date: Option<NaiveDate>,
    /// What the provider says; none, like the next two: more digits than are kept.
    pub stated: Option<Dec>,
    /// What the ledger comes to by now.
    pub ours: Option<Dec>,
    /// What the ledger lacks; below zero: what it has too much.
    pub lacks: Option<Dec>,
    /// Somebody knows of it and leaves it.
    pub ignored: bool,
}

impl Differing {
    /// They say the same since: the next refresh finds no difference.
    #[must_use]
    pub fn is_mended(&self) -> bool {
        self.lacks.is_some_and(Dec::is_zero)
    }
}

/// Every account of a connection, by name, each with what differs.
///
/// # Errors
/// When the store cannot be read.
pub async fn reconcile(tx: &mut Tx) -> Result<Vec<ReconcileRow>> {
    let connections = tx.connections().await?;
    let refreshes = tx.refreshes().await?;
    let accounts = tx.accounts().await?;
    let found = tx.findings().await?;
    let mut there = There::new(tx.securities().await?.into_iter().map(|row| row.security));
    let mut rows = Vec::new();
    for record in &accounts {
        let own =
            |it: &&crate::model::Connection| Some(it.id) == record.connection && !it.is_over();
        let Some(connection) = connections.iter().find(own) else { continue };
        let last = refreshes.iter().filter(|last| last.connection == connection.id);
        let row = ReconcileRow {
            account: record.account.id,
            name: record.account.name.clone(),
            currency: record.account.currency,
            connection: connection.label.clone(),
            synced: last.min_by_key(|last| last.part).and_then(|last| last.succeeded),
            differs: None,
        };
        let mine =
            |it: &&Finding| it.account == Some(record.account.id) && Difference::is_kind(&it.kind);
        let mut differs = Vec::new();
        for finding in found.iter().filter(mine) {
            differs.push(there.differing(tx, &record.account, finding).await?);
        }
        match differs.is_empty() {
            true => rows.push(row),
            false => rows.extend(
                differs.into_iter().map(|it| ReconcileRow { differs: Some(it), ..row.clone() }),
            ),
        }
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

type HeldOn = BTreeMap<(AccountId, SecurityId), Dec>;

/// What is here.
struct There {
    securities: Vec<Security>,
    /// By the days that somebody asked for.
    held: BTreeMap<NaiveDate, HeldOn>,
}

impl There {
    fn new(securities: impl Iterator<Item = Security>) -> Self {
        Self { securities: securities.collect(), held: BTreeMap::new() }
    }

    async fn differing(
        &mut self,
        tx: &mut Tx,
        account: &Account,
        finding: &Finding,
    ) -> Result<Differing> {
        let said = finding.detail.parse::<Difference>().ok();
        let of = said.as_ref().map(|said| said.of.clone());
        // What was not known when it was told may be since.
        let security = finding.security.or_else(|| match &of {
            Some(Differs::Units(Some(symbol))) => self.only(symbol),
            _ => None,
        });
        let known = security.and_then(|id| self.securities.iter().find(|it| it.id == id));
        let symbol = known.map(|it| it.symbol.clone()).or_else(|| match &of {
            Some(Differs::Units(symbol)) => symbol.clone(),
            _ => None,
        });
        let ours = match (&of, finding.date) {
            (Some(of), Some(date)) => Some(self.ours(tx, account.id, of, security, date).await?),
            _ => None,
        };
        let stated = said.map(|said| said.stated);
        let lacks = stated.zip(ours.as_ref()).map(|(stated, ours)| Exact::from(stated).sub(ours));
        Ok(Differing {
            finding: finding.id,
            of,
            security,
            symbol,
            date: finding.date,
            stated,
            ours: ours.and_then(|ours| ours.round(28).ok()),
            lacks: lacks.and_then(|lacks| lacks.round(28).ok()),
            ignored: finding.kind == Difference::IGNORED,
        })
    }

    /// The only security of a symbol.
    fn only(&self, symbol: &SafeText) -> Option<SecurityId> {
        let mut all = self.securities.iter().filter(|it| it.symbol == *symbol);
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only.id),
            _ => None,
        }
    }

    /// What the ledger comes to at the end of a day.
    async fn ours(
        &mut self,
        tx: &mut Tx,
        account: AccountId,
        of: &Differs,
        security: Option<SecurityId>,
        date: NaiveDate,
    ) -> Result<Exact> {
        Ok(match (of, security) {
            (Differs::Cash(currency), _) => {
                figures::settled_cash(tx, account, *currency, date).await?
            }
            (Differs::Balance(_), _) => {
                let there = tx.balance_on(account, date).await?;
                there.map_or(Exact::ZERO, |there| Exact::from(there.amount))
            }
            (Differs::Units(_), None) => Exact::ZERO,
            (Differs::Units(_), Some(security)) => {
                let held = match self.held.entry(date) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(free) => free.insert(figures::held_on(tx, date).await?),
                };
                held.get(&(account, security)).map_or(Exact::ZERO, |held| Exact::from(*held))
            }
        })
    }
}
