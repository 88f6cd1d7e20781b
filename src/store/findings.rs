//! Findings: what the ledger noticed and a person should look at.

use chrono::NaiveDate;

use super::cell::Cell;
use super::record::Record;
use super::row::both_rows;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{AccountId, SecurityId, TransactionId};

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number.
    pub id: i64,
    /// What sort.
    pub kind: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// The row it is about.
    pub transaction: Option<TransactionId>,
    /// The account it is about.
    pub account: Option<AccountId>,
    /// The security it is about.
    pub security: Option<SecurityId>,
    /// The day it is about.
    pub date: Option<NaiveDate>,
    /// In words.
    pub detail: String,
    /// Microseconds since the epoch.
    pub created: i64,
    /// Microseconds since the epoch, once settled.
    pub settled: Option<i64>,
}

both_rows!(Finding, |row| {
    Ok(Self {
        id: row.try_get(0)?,
        kind: row.try_get(1)?,
        severity: row.try_get(2)?,
        transaction: row.try_get::<Option<i64>, _>(3)?.map(TransactionId),
        account: row.try_get::<Option<i64>, _>(4)?.map(AccountId),
        security: row.try_get::<Option<i64>, _>(5)?.map(SecurityId),
        date: row.try_get(6)?,
        detail: row.try_get(7)?,
        created: row.try_get(8)?,
        settled: row.try_get(9)?,
    })
});

impl Record for Finding {
    const TABLE: &'static str = "findings";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "kind",
        "severity",
        "transaction_id",
        "account_id",
        "security_id",
        "date",
        "detail",
        "created",
        "settled",
    ];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id)),
            Cell::text(&self.kind),
            Cell::text(&self.severity),
            Cell::Int(self.transaction.map(|id| id.0)),
            Cell::Int(self.account.map(|id| id.0)),
            Cell::Int(self.security.map(|id| id.0)),
            Cell::Date(self.date),
            Cell::text(&self.detail),
            Cell::Int(Some(self.created)),
            Cell::Int(self.settled),
        ]);
    }
}

impl Tx {
    /// The findings that are not settled, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn findings(&mut self) -> Result<Vec<Finding>> {
        const SQL: &str = "select id, kind, severity, transaction_id, account_id, security_id, \
             date, detail, created, settled from findings where settled is null order by id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }
}

impl WriteTx {
    /// Adds findings.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_findings(&mut self, rows: &[Finding]) -> Result<()> {
        self.insert(rows).await
    }

    /// Settles findings: they are no longer so.
    ///
    /// # Errors
    /// When the database refuses or there is no such finding.
    pub async fn settle_findings(&mut self, rows: &[Finding], now: i64) -> Result<()> {
        for row in rows {
            self.update(&Finding { settled: Some(now), ..row.clone() }).await?;
        }
        Ok(())
    }

    /// Writes a finding over what it was.
    ///
    /// # Errors
    /// When the database refuses or there is no such finding.
    pub async fn put_finding(&mut self, row: &Finding) -> Result<()> {
        self.update(row).await
    }

    /// Takes away the findings about transactions that are no more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_orphan_findings(&mut self) -> Result<()> {
        const SQL: &str = "delete from findings where transaction_id is not null and \
             transaction_id not in (select id from transactions)";
        on_tx!(&mut self.tx, conn => sqlx::query(SQL).execute(&mut **conn).await.map(drop)?);
        Ok(())
    }
}
