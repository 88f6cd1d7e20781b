//! Securities and what they are, or were, called.

use chrono::{DateTime, NaiveDate};

use super::cell::Cell;
use super::record::Record;
use super::row::{both_rows, damaged, safe, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{AssetClass, BatchId, Currency, Isin, SafeText, Security, SecurityId, Tags};

/// A security with what only the store and the ledger know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRecord {
    /// The security.
    pub security: Security,
    /// The import that made it.
    pub batch: Option<BatchId>,
    /// Counts up with every change.
    pub version: i64,
    /// Microseconds since the epoch.
    pub created: i64,
    /// Microseconds since the epoch, once changed.
    pub updated: Option<i64>,
}

pub(super) struct CheckedSecurity(pub SecurityRecord, pub i64);

both_rows!(CheckedSecurity, |row| {
    let class: Option<String> = row.try_get(5)?;
    let isin: Option<String> = row.try_get(6)?;
    let isin =
        isin.map(|isin| Isin::parse(&isin).map_err(|_| damaged("isin", &isin))).transpose()?;
    let tags: Option<String> = row.try_get(16)?;
    Ok(Self(
        SecurityRecord {
            security: Security {
                id: SecurityId(row.try_get(0)?),
                symbol: SafeText::new(row.try_get(1)?),
                venue: safe(row.try_get(2)?),
                currency: word::<Currency>(row.try_get(3)?, "currency")?,
                name: safe(row.try_get(4)?),
                class: class.map(|class| word(&class, "class")).transpose()?,
                isin,
                cusip: safe(row.try_get(7)?),
                figi: safe(row.try_get(8)?),
                derived: row.try_get(9)?,
                sector: safe(row.try_get(14)?),
                region: safe(row.try_get(15)?),
                tags: tags
                    .map(|tags| Tags::parse(&tags).map_err(|_| damaged("tags", &tags)))
                    .transpose()?,
            },
            batch: row.try_get::<Option<i64>, _>(10)?.map(BatchId),
            version: row.try_get(11)?,
            created: row.try_get(12)?,
            updated: row.try_get(13)?,
        },
        row.try_get(17)?,
    ))
});

impl Record for SecurityRecord {
    const TABLE: &'static str = "securities";
    const COLUMNS: &'static [&'static str] = &[
        "id", "symbol", "venue", "currency", "name", "class", "isin", "cusip", "figi", "derived",
        "batch_id", "version", "created", "updated", "sector", "region", "tags",
    ];
    const ADDED: &'static [usize] = &[3];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let s = &self.security;
        into.extend([
            Cell::Int(Some(s.id.0)),
            Cell::text(&s.symbol),
            Cell::text(&s.venue),
            Cell::Text(Some(s.currency.code())),
            Cell::text(&s.name),
            Cell::Text(s.class.map(AssetClass::as_str)),
            Cell::Text(s.isin.as_ref().map(Isin::as_str)),
            Cell::text(&s.cusip),
            Cell::text(&s.figi),
            Cell::Bool(s.derived),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::Int(Some(self.version)),
            Cell::Int(Some(self.created)),
            Cell::Int(self.updated),
            Cell::text(&s.sector),
            Cell::text(&s.region),
            Cell::Text(s.tags.as_ref().map(|tags| tags.as_text().as_str())),
        ]);
    }
}

/// A name that a security has for a source, or had until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolRecord {
    /// Which security.
    pub security: SecurityId,
    /// Who calls it so.
    pub source: SafeText,
    /// What it is called.
    pub symbol: SafeText,
    /// The last day of the name; none: it holds.
    pub until: Option<NaiveDate>,
}

impl SymbolRecord {
    /// As the source of a name that it had: the number of the change stands behind it.
    pub const FORMER: &'static str = "former ";
    /// The same of a name that a file used, which stands behind it.
    pub const IN_A_FILE: &'static str = "file ";

    /// Whether a security goes everywhere by what this source calls it: what a source of prices calls
    /// it says nothing to others.
    #[must_use]
    pub fn is_alias_by(source: &SafeText) -> bool {
        source.as_str().starts_with(Self::FORMER) || source.as_str().starts_with(Self::IN_A_FILE)
    }

    /// Whether it goes everywhere by this name.
    #[must_use]
    pub fn is_alias(&self) -> bool {
        Self::is_alias_by(&self.source)
    }
}

impl Record for SymbolRecord {
    const TABLE: &'static str = "security_symbols";
    const COLUMNS: &'static [&'static str] = &["security_id", "source", "symbol", "valid_to"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.security.0)),
            Cell::text(&self.source),
            Cell::text(&self.symbol),
            Cell::Date(self.until),
        ]);
    }
}

pub(super) struct CheckedSymbol(pub SymbolRecord, pub i64);

both_rows!(CheckedSymbol, |row| {
    Ok(Self(
        SymbolRecord {
            security: SecurityId(row.try_get(0)?),
            source: SafeText::new(row.try_get(1)?),
            symbol: SafeText::new(row.try_get(2)?),
            until: row.try_get(3)?,
        },
        row.try_get(4)?,
    ))
});

impl Tx {
    /// Every security, by symbol.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn securities(&mut self) -> Result<Vec<SecurityRecord>> {
        Ok(self.checked_securities().await?.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_securities(&mut self) -> Result<Vec<CheckedSecurity>> {
        const SQL: &str = "select id, symbol, venue, currency, name, class, isin, cusip, figi, \
             derived, batch_id, version, created, updated, sector, region, tags, checksum \
             from securities \
             order by symbol, currency, id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The names that securities had before, or have for one source.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn security_symbols(&mut self) -> Result<Vec<SymbolRecord>> {
        Ok(self.checked_symbols().await?.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_symbols(&mut self) -> Result<Vec<CheckedSymbol>> {
        const SQL: &str = "select security_id, source, symbol, valid_to, checksum \
             from security_symbols order by security_id, source";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The last day of which a transaction or a price of a security tells.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_day_of(&mut self, id: SecurityId) -> Result<Option<NaiveDate>> {
        const ROWS: &str = "select max(trade_date) from transactions \
             where security_id = $1 or to_security_id = $1";
        const PRICES: &str = "select max(at) from prices where security_id = $1";
        let (row, price): (Option<NaiveDate>, Option<i64>) = on_tx!(self, conn => (
            sqlx::query_scalar(ROWS).bind(id.0).fetch_one(&mut **conn).await?,
            sqlx::query_scalar(PRICES).bind(id.0).fetch_one(&mut **conn).await?,
        ));
        let price = price.and_then(DateTime::from_timestamp_micros).map(|at| at.date_naive());
        Ok(row.max(price))
    }
}

impl WriteTx {
    /// Adds securities whose ids are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_securities(&mut self, rows: &[SecurityRecord]) -> Result<()> {
        self.insert(rows).await
    }

    /// Writes a security over its older version, which the caller has kept.
    ///
    /// # Errors
    /// When the database refuses or there is no such security.
    pub async fn update_security(&mut self, row: &SecurityRecord) -> Result<()> {
        self.update(row).await
    }

    /// Remembers what a source calls a security, or what it was called until a day.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_symbol(&mut self, row: &SymbolRecord) -> Result<()> {
        self.remove(row).await?;
        self.insert(std::slice::from_ref(row)).await
    }

    /// Forgets what a source calls a security.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_symbol(&mut self, row: &SymbolRecord) -> Result<()> {
        self.remove(row).await
    }

    /// Takes a security out of the store; no row may refer to it any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_security(&mut self, id: SecurityId) -> Result<()> {
        for sql in [
            "delete from security_symbols where security_id = $1",
            "delete from ticks where security_id = $1",
            "delete from alert_log where security_id = $1",
            "delete from tally where security_id = $1",
            "delete from securities where id = $1",
        ] {
            on_tx!(&mut self.tx, conn => sqlx::query(sql).bind(id.0).execute(&mut **conn).await.map(drop)?);
        }
        self.forget_sayings_about("security", id.0).await
    }
}
