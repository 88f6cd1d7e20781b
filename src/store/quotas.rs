//! What was used of the limits of services. It is no change of the store: no revision tells of it
//! and no operation is marked.

use std::collections::BTreeMap;

use super::{Result, Store, Tx, on_tx};
use crate::model::ConnectionId;

/// Under what the use of a connection's limits is kept.
#[must_use]
pub fn quota_of(connection: ConnectionId) -> String {
    format!("connection:{connection}")
}

/// Instants as they are kept.
fn instants(text: &str) -> Vec<i64> {
    text.split_whitespace().filter_map(|at| at.parse().ok()).collect()
}

impl Tx {
    /// When requests were sent under every limit, in microseconds, oldest first, by its name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn quotas(&mut self) -> Result<BTreeMap<String, Vec<i64>>> {
        const SQL: &str = "select name, used from quotas order by name";
        let rows: Vec<(String, String)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|(name, used)| (name, instants(&used))).collect())
    }
}

impl Store {
    /// When requests were sent under this limit, in microseconds, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn used_of(&self, name: &str) -> Result<Vec<i64>> {
        const SQL: &str = "select used from quotas where name = $1";
        let name = name.to_owned();
        let used: Option<String> = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(SQL).bind(name).fetch_optional(pool).await?,
            Self::Postgres(pool) => sqlx::query_scalar(SQL).bind(name).fetch_optional(pool).await?,
        };
        Ok(instants(&used.unwrap_or_default()))
    }

    /// Keeps when requests were sent; durable when this returns.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn keep_used(&self, name: &str, used: &[i64]) -> Result<()> {
        const SQL: &str = "insert into quotas (name, used) values ($1, $2) \
             on conflict (name) do update set used = excluded.used";
        let used = used.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let name = name.to_owned();
        match self {
            Self::Sqlite(pool) => {
                sqlx::query(SQL).bind(name).bind(used).execute(pool).await?;
            }
            Self::Postgres(pool) => {
                sqlx::query(SQL).bind(name).bind(used).execute(pool).await?;
            }
        }
        Ok(())
    }
}
