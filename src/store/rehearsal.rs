//! Making derived figures anew beside those that are kept, with nothing written to the store: the
//! tables of figures are temporary ones of this connection, which stand before those of the store,
//! and everything else is the store's own.

use std::ops::{Deref, DerefMut};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqlitePoolOptions;

use super::noted::Noted;
use super::{Result, Store, Tx, WriteTx, connect, server};

/// What a rebuild writes.
const TABLES: [&str; 6] =
    ["lot_groups", "lot_pages", "positions", "cash_years", "cash_transit", "figures_due"];

/// A transaction that writes figures and can never be committed. It ends by being dropped.
#[derive(Debug)]
pub struct Rehearsal(WriteTx);

impl Deref for Rehearsal {
    type Target = WriteTx;

    fn deref(&self) -> &WriteTx {
        &self.0
    }
}

impl DerefMut for Rehearsal {
    fn deref_mut(&mut self) -> &mut WriteTx {
        &mut self.0
    }
}

impl Store {
    /// Begins to make figures that nobody keeps. Which securities belong together is as it is kept.
    ///
    /// # Errors
    /// When the database cannot be read or allows no temporary tables.
    pub async fn rehearse(&self) -> Result<Rehearsal> {
        let tx = match self {
            Self::Sqlite(pool) => {
                // A connection of its own: those of the store may refuse to write anything at all.
                let options = pool.connect_options().as_ref().clone().pragma("query_only", "off");
                let options = options.pragma("temp_store", "file");
                let own = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
                let mut conn = own.begin().await?;
                connect::remember(&mut conn, connect::READING).await?;
                for table in TABLES {
                    const MADE: &str =
                        "select sql from main.sqlite_master where type = 'table' and name = $1";
                    let made: String =
                        sqlx::query_scalar(MADE).bind(table).fetch_one(&mut *conn).await?;
                    let made = made.replacen("CREATE TABLE", "CREATE TEMP TABLE", 1);
                    sqlx::raw_sql(AssertSqlSafe(made)).execute(&mut *conn).await?;
                }
                let kept = "insert into temp.lot_groups select * from main.lot_groups";
                sqlx::raw_sql(kept).execute(&mut *conn).await?;
                Tx::Sqlite(conn)
            }
            Self::Postgres(pool) => {
                let begin = "begin isolation level repeatable read read write";
                let mut conn = server::begin(pool, begin).await?;
                let kept = "create temp table kept_groups on commit drop as table lot_groups";
                sqlx::raw_sql(kept).execute(&mut *conn).await?;
                for table in TABLES {
                    let made = format!(
                        "create temp table {table} (like {table} including all) on commit drop"
                    );
                    sqlx::raw_sql(AssertSqlSafe(made)).execute(&mut *conn).await?;
                }
                // From here on only what is temporary can be written.
                let rest = "insert into lot_groups table kept_groups; set transaction read only";
                sqlx::raw_sql(rest).execute(&mut *conn).await?;
                Tx::Postgres(conn.into())
            }
        };
        Ok(Rehearsal(WriteTx { tx, revision: 0, next_id: 0, noted: Noted::default() }))
    }
}
