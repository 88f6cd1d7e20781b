//! The tally: counts and sums per account, security and currency, kept beside the rows.
//!
//! Derived, never a fact. From it follow the kind and currency of accounts that nobody declared,
//! the currency of securities that nobody edited, and the cash of every account today.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::record::Record;
use super::row::{both_rows, damaged, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{AccountId, Currency, Exact, SecurityId};

/// What is counted together. No security: rows without one. No account: prices of a security, and
/// rows of whatever account that lead to it.
pub type TallyKey = (Option<AccountId>, Option<SecurityId>, Currency);

/// Counts and the sum of one key, or their change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Live transactions, whatever their status.
    pub rows: i64,
    /// Of them trades.
    pub trades: i64,
    /// Stored prices.
    pub prices: i64,
    /// The sum of the amounts that count.
    pub amount: Exact,
}

impl Tally {
    /// Adds a change.
    pub fn add(&mut self, change: &Self) {
        self.rows += change.rows;
        self.trades += change.trades;
        self.prices += change.prices;
        self.amount = self.amount.add(&change.amount);
    }

    /// Takes a change back.
    pub fn take(&mut self, change: &Self) {
        self.rows -= change.rows;
        self.trades -= change.trades;
        self.prices -= change.prices;
        self.amount = self.amount.sub(&change.amount);
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self { rows: 0, trades: 0, prices: 0, amount: Exact::ZERO }
    }
}

struct TallyRecord(TallyKey, Tally, String);

impl TallyRecord {
    fn new(key: TallyKey, tally: &Tally) -> Self {
        Self(key, tally.clone(), tally.amount.to_string())
    }
}

both_rows!(TallyRecord, |row| {
    let account: i64 = row.try_get(0)?;
    let security: i64 = row.try_get(1)?;
    let amount: String = row.try_get(6)?;
    let amount = Exact::parse(&amount).ok_or_else(|| damaged("amount", &amount))?;
    Ok(Self(
        (
            (account != 0).then_some(AccountId(account)),
            (security != 0).then_some(SecurityId(security)),
            word::<Currency>(row.try_get(2)?, "currency")?,
        ),
        Tally { rows: row.try_get(3)?, trades: row.try_get(4)?, prices: row.try_get(5)?, amount },
        String::new(),
    ))
});

impl Record for TallyRecord {
    const TABLE: &'static str = "tally";
    const COLUMNS: &'static [&'static str] =
        &["account_id", "security_id", "currency", "rows", "trades", "prices", "amount"];
    const KEYS: usize = 3;
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let (account, security, currency) = &self.0;
        into.extend([
            Cell::Int(Some(account.map_or(0, |id| id.0))),
            Cell::Int(Some(security.map_or(0, |id| id.0))),
            Cell::Text(Some(currency.code())),
            Cell::Int(Some(self.1.rows)),
            Cell::Int(Some(self.1.trades)),
            Cell::Int(Some(self.1.prices)),
            Cell::text(&self.2),
        ]);
    }
}

impl Tx {
    /// The whole tally.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn tally(&mut self) -> Result<BTreeMap<TallyKey, Tally>> {
        const SQL: &str = "select account_id, security_id, currency, rows, trades, prices, amount \
             from tally";
        let rows: Vec<TallyRecord> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|row| (row.0, row.1)).collect())
    }

    /// How many live transactions there are, of all accounts or of one, without counting them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn count_rows(&mut self, account: Option<AccountId>) -> Result<i64> {
        // Of no account are rows that lead to a security; their own account counts them already.
        const SQL: &str = "select cast(coalesce(sum(rows), 0) as bigint) from tally \
             where account_id <> 0 and ($1 = 0 or account_id = $1)";
        let account = account.map_or(0, |id| id.0);
        Ok(on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(account).fetch_one(&mut **conn).await?
        }))
    }
}

impl Tx {
    /// How many prices there are of each security and currency.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn price_counts(&mut self) -> Result<Vec<(SecurityId, Currency, i64)>> {
        const SQL: &str =
            "select security_id, currency, count(*) from prices group by security_id, currency";
        let rows: Vec<(i64, String, i64)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        rows.into_iter()
            .map(|(security, code, count)| {
                Ok((SecurityId(security), word::<Currency>(&code, "currency")?, count))
            })
            .collect()
    }
}

impl WriteTx {
    /// Writes the tally of these keys; all zero means gone.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_tally(&mut self, entries: &BTreeMap<TallyKey, Tally>) -> Result<()> {
        let rows: Vec<_> =
            entries.iter().map(|(key, tally)| TallyRecord::new(*key, tally)).collect();
        self.remove_all(&rows).await?;
        let kept: Vec<_> = rows.iter().filter(|row| row.1 != Tally::default()).collect();
        self.insert(&kept).await
    }
}
