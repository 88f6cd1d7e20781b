//! Whether the rows are still what was written: every checksum computed again.

use super::record::Record;
use super::{Result, Tx, accounts, on_tx, prices, securities, transactions};
use crate::model::{BatchId, InstitutionId, SafeText, SecurityId};

/// A row that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its table.
    pub table: &'static str,
    /// Its key, or what the database says of it.
    pub row: SafeText,
}

/// How many transactions are read at once.
const PART: i64 = 5_000;

impl Tx {
    /// Every row whose checksum does not fit its content, and every one that cannot be read.
    ///
    /// # Errors
    /// When the database cannot be read at all.
    pub async fn damage(&mut self) -> Result<Vec<Damage>> {
        let mut found = Vec::new();
        self.damaged_accounts(&mut found).await;
        self.damaged_prices(&mut found).await?;
        self.damaged_lists(&mut found).await?;
        self.damaged_transactions(&mut found).await?;
        self.damaged_evidence(&mut found).await?;
        Ok(found)
    }

    async fn damaged_accounts(&mut self, found: &mut Vec<Damage>) {
        match self.checked_accounts().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let accounts::CheckedAccount(row, sum) = row;
                unlike(row, *sum, || row.account.id.to_string())
            })),
            Err(error) => found.push(unreadable("accounts", &error)),
        }
        match self.checked_balances().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let accounts::CheckedBalance(row, sum) = row;
                unlike(row, *sum, || format!("{} {}", row.account, row.date))
            })),
            Err(error) => found.push(unreadable("balances", &error)),
        }
        match self.checked_securities().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let securities::CheckedSecurity(row, sum) = row;
                unlike(row, *sum, || row.security.id.to_string())
            })),
            Err(error) => found.push(unreadable("securities", &error)),
        }
    }

    async fn damaged_prices(&mut self, found: &mut Vec<Damage>) -> Result<()> {
        const IDS: &str = "select distinct security_id from prices order by 1";
        let ids: Vec<i64> =
            on_tx!(self, conn => sqlx::query_scalar(IDS).fetch_all(&mut **conn).await?);
        for id in ids {
            let id = SecurityId(id);
            match self.checked_prices(id, i64::MIN, i64::MAX).await {
                Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                    let prices::CheckedPrice(row, sum) = row;
                    unlike(row, *sum, || format!("security {id} at {}", row.price.at))
                })),
                Err(error) => found.push(unreadable("prices", &error)),
            }
        }
        match self.checked_rates().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let prices::CheckedRate(row, sum) = row;
                unlike(row, *sum, || {
                    format!("{}/{} at {}", row.rate.base, row.rate.quote, row.rate.at)
                })
            })),
            Err(error) => found.push(unreadable("rates", &error)),
        }
        match self.checked_ticks().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let super::ticks::CheckedTick(row, sum) = row;
                unlike(row, *sum, || format!("{} {}", row.security, row.source))
            })),
            Err(error) => found.push(unreadable("ticks", &error)),
        }
        Ok(())
    }

    async fn damaged_lists(&mut self, found: &mut Vec<Damage>) -> Result<()> {
        match self.checked_settings().await {
            Ok(rows) => {
                found.extend(rows.into_iter().filter_map(|(key, value, sum)| {
                    let row = super::settings::SettingRecord { key, value };
                    unlike(&row, sum, || row.key.clone())
                }));
            }
            Err(error) => found.push(unreadable("settings", &error)),
        }
        match self.checked_versions().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let super::versions::CheckedVersion(row, sum) = row;
                unlike(row, *sum, || format!("{} version {}", row.transaction, row.version))
            })),
            Err(error) => found.push(unreadable("transaction_versions", &error)),
        }
        match self.checked_connections().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let super::connections::CheckedConnection(row, sum) = row;
                unlike(row, *sum, || row.id.to_string())
            })),
            Err(error) => found.push(unreadable("connections", &error)),
        }
        match self.checked_secrets().await {
            Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                let super::secrets::CheckedSecret(row, sum) = row;
                unlike(row, *sum, || {
                    format!("connection {} generation {}", row.connection, row.generation)
                })
            })),
            Err(error) => found.push(unreadable("secrets", &error)),
        }
        damaged_extras(self, found).await
    }

    async fn damaged_transactions(&mut self, found: &mut Vec<Damage>) -> Result<()> {
        let mut after = 0;
        loop {
            let next: Option<i64> = self.nth_transaction_after(after, PART).await?;
            let upto = next.unwrap_or(i64::MAX);
            let cells = [super::cell::Cell::Int(Some(after)), super::cell::Cell::Int(Some(upto))];
            match self.checked_transactions("t.id > $1 and t.id <= $2", &cells, "").await {
                Ok(rows) => found.extend(rows.iter().filter_map(|row| {
                    let transactions::Checked(row, sum) = row;
                    unlike(row, *sum, || row.transaction.id.to_string())
                })),
                Err(error) => found.push(unreadable("transactions", &error)),
            }
            match next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    async fn nth_transaction_after(&mut self, after: i64, count: i64) -> Result<Option<i64>> {
        const SQL: &str = "select id from transactions where id > $1 order by id limit 1 offset $2";
        Ok(on_tx!(self, conn => {
            let query = sqlx::query_scalar(SQL).bind(after).bind(count - 1);
            query.fetch_optional(&mut **conn).await?
        }))
    }
}

/// The small lists: read with their checksums, column by column in the order of their records.
async fn damaged_extras(tx: &mut Tx, found: &mut Vec<Damage>) -> Result<()> {
    macro_rules! list {
        ($table:literal, $sql:literal, $read:expr) => {{
            let rows: std::result::Result<Vec<i64>, sqlx::Error> = on_tx!(tx, conn => {
                sqlx::query_scalar($sql).fetch_all(&mut **conn).await
            });
            match (rows, $read.await) {
                (Ok(sums), Ok(records)) => {
                    found.extend(records.iter().zip(sums).filter_map(|(row, sum)| {
                        unlike(row, sum, || String::from($table))
                    }));
                }
                (Err(error), _) => found.push(unreadable($table, &error)),
                (_, Err(error)) => found.push(unreadable($table, &error)),
            }
        }};
    }
    list!("categories", "select checksum from categories order by name", tx.categories());
    list!("watchlist", "select checksum from watchlist order by security_id", tx.watchlist());
    list!("alerts", "select checksum from alerts order by id", tx.alerts());
    list!("alert_log", "select checksum from alert_log order by id desc", tx.alert_log(i64::MAX));
    list!("targets", "select checksum from targets order by dimension, key", tx.targets());
    damaged_names(tx, found).await
}

/// Institutions and the further names of securities, which nobody else reads whole.
async fn damaged_names(tx: &mut Tx, found: &mut Vec<Damage>) -> Result<()> {
    const INSTITUTIONS: &str = "select id, name, batch_id, checksum from institutions order by id";
    type Institution = (i64, String, Option<i64>, i64);
    let rows: std::result::Result<Vec<Institution>, sqlx::Error> =
        on_tx!(tx, conn => sqlx::query_as(INSTITUTIONS).fetch_all(&mut **conn).await);
    match rows {
        Ok(rows) => found.extend(rows.into_iter().filter_map(|(id, name, batch, sum)| {
            let (id, name) = (InstitutionId(id), SafeText::new(&name));
            let row = accounts::InstitutionRecord { id, name, batch: batch.map(BatchId) };
            unlike(&row, sum, || id.to_string())
        })),
        Err(error) => found.push(unreadable("institutions", &error)),
    }
    match tx.checked_symbols().await {
        Ok(rows) => found.extend(rows.iter().filter_map(|row| {
            let securities::CheckedSymbol(row, sum) = row;
            unlike(row, *sum, || format!("{} {}", row.security, row.symbol))
        })),
        Err(error) => found.push(unreadable("security_symbols", &error)),
    }
    Ok(())
}

fn unlike<R: Record>(row: &R, stored: i64, key: impl FnOnce() -> String) -> Option<Damage> {
    (row.checksum() != stored)
        .then(|| Damage { table: R::TABLE, row: SafeText::capped(&key(), 200) })
}

pub(super) fn unreadable(table: &'static str, error: &impl ToString) -> Damage {
    Damage { table, row: SafeText::capped(&error.to_string(), 200) }
}
