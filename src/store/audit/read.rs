//! Reading the trail: by what somebody looks for, and link by link.

use super::super::Result;
use super::super::row::both_rows;
use super::on::asked;
use super::{AuditRow, AuditStore, PART, columns};

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this instant, in microseconds.
    pub from: Option<i64>,
    /// Before this instant.
    pub until: Option<i64>,
    /// This action, or those that begin with it and a point.
    pub action: Option<String>,
    /// Behind this number.
    pub after: i64,
    /// The newest so many; none: some from the oldest on.
    pub newest: Option<u32>,
}

/// How far a chain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditChain {
    /// Which.
    pub chain: String,
    /// How many links are there.
    pub rows: i64,
    /// The first of them.
    pub first: i64,
    /// The last of them.
    pub last: i64,
    /// The number of the row of the first.
    pub first_seq: i64,
    /// The number of the row of the last.
    pub last_seq: i64,
}

both_rows!(AuditChain, |row| {
    Ok(Self {
        chain: row.try_get(0)?,
        rows: row.try_get(1)?,
        first: row.try_get(2)?,
        last: row.try_get(3)?,
        first_seq: row.try_get(4)?,
        last_seq: row.try_get(5)?,
    })
});

/// Some rows of the chain `$1` from the link `$2` on, in their order.
pub(super) fn links() -> String {
    format!(
        "select {} from {{audit}} a where chain = $1 and chain <> '' and link >= $2 \
         order by link limit {PART}",
        columns()
    )
}

/// Some rows without a chain behind the number `$1`, oldest first.
pub(super) fn loose() -> String {
    format!(
        "select {} from {{audit}} a where chain = '' and seq > $1 order by seq limit {PART}",
        columns()
    )
}

impl AuditStore {
    /// What fits, oldest first; at most a thousand where the newest are not asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn find(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        let (order, limit) = match filter.newest {
            Some(newest) => ("desc", i64::from(newest)),
            None => ("asc", PART),
        };
        let sql = format!(
            "select {} from {{audit}} a where seq > $1 and at >= $2 and at < $3 \
             and ($4 = '' or action = $4 or substr(action, 1, length($4) + 1) = $4 || '.') \
             order by seq {order} limit {limit}",
            columns()
        );
        let (from, until) = (filter.from.unwrap_or(i64::MIN), filter.until.unwrap_or(i64::MAX));
        let action = filter.action.clone().unwrap_or_default();
        let mut rows: Vec<AuditRow> = asked!(
            self.on(),
            sqlx::query_as,
            sql,
            |query| query.bind(filter.after).bind(from).bind(until).bind(action),
            fetch_all
        );
        if filter.newest.is_some() {
            rows.reverse();
        }
        Ok(rows)
    }

    /// The chains of this trail, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn chains(&self) -> Result<Vec<AuditChain>> {
        const SQL: &str = "select chain, count(*), min(link), max(link), min(seq), max(seq) \
             from {audit} where chain <> '' group by chain order by min(seq)";
        Ok(asked!(self.on(), sqlx::query_as, SQL, |query| query, fetch_all))
    }

    /// Some links of a chain from this one on, in their order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn links(&self, chain: &str, from: i64) -> Result<Vec<AuditRow>> {
        Ok(asked!(
            self.on(),
            sqlx::query_as,
            links(),
            |query| query.bind(chain).bind(from),
            fetch_all
        ))
    }

    /// Some rows without a chain behind this number, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn loose(&self, after: i64) -> Result<Vec<AuditRow>> {
        Ok(asked!(self.on(), sqlx::query_as, loose(), |query| query.bind(after), fetch_all))
    }

    /// What the newest purge of a chain said.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn newest_purge(&self, chain: &str) -> Result<Option<AuditRow>> {
        let sql = format!(
            "select {} from {{audit}} a where chain = $1 and action = 'audit.purge' \
             and state = 'SUCCEEDED' and detail like 'PURGED %' order by link desc limit 1",
            columns()
        );
        Ok(asked!(self.on(), sqlx::query_as, sql, |query| query.bind(chain), fetch_optional))
    }
}
