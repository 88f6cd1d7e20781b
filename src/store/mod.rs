//! Everything SQL: one store over two engines.
//!
//! The database is the only truth. Queries are written once and run on both engines; where they
//! must differ there is an explicit `match`. This room knows the model and nothing of files,
//! screens or commands. Writing goes through [`WriteTx`], which only the rooms that own a writing
//! road (`ledger`, `audit`) are meant to open.

mod account_days;
mod accounts;
mod archive;
mod audit;
mod batches;
mod cash_rows;
mod cell;
mod changes;
mod claims;
mod connect;
mod connections;
mod ear;
mod error;
mod examine;
mod extras;
mod figures;
mod findings;
mod integrity;
mod lease;
mod lines;
mod marks;
mod migrate;
mod noted;
mod paused;
mod pending;
mod price_claims;
mod prices;
mod proposals;
mod quotas;
mod record;
mod rehearsal;
mod row;
mod sayings;
mod secrets;
mod securities;
mod server;
mod settings;
mod sums;
mod tally;
mod ticks;
mod told_windows;
mod transactions;
mod unopened;
mod usage;
mod versions;
mod watch;

use std::ops::{Deref, DerefMut};

use sqlx::{PgPool, Sqlite, SqlitePool, Transaction as SqlTransaction};

pub use account_days::AccountDays;
pub use accounts::{AccountRecord, Balance};
pub use archive::{ARCHIVED, ArchivedTable, DERIVED, EVIDENCE, OF_ITS_OWN};
pub use audit::{
    AUDIT_OWNER, AuditChain, AuditExtent, AuditFilter, AuditGuard, AuditRow, AuditStore,
    AuditTarget, AuditTx, ELSEWHERE,
};
pub use batches::{BatchFile, BatchRow, StagedRow, Verdict};
pub use cash_rows::CashRow;
pub use changes::Changes;
pub use claims::Claim;
pub use connect::{Server, Target};
pub use connections::RefreshRecord;
pub use error::{Error, Result};
pub use examine::{Dangling, ServerFacts};
pub use extras::{CategoryRecord, Target as AllocationTarget};
pub use figures::{CashTransit, CashYear, LotPage, PositionRecord};
pub use findings::Finding;
pub use integrity::Damage;
pub use lease::{Holder, Lease, Waiting};
pub use lines::{CashLine, Fits, Line, LineWords, Stretch, Wanted};
pub use migrate::{SchemaState, newest as newest_schema};
pub use noted::Noted;
pub use pending::PendingRow;
pub use prices::{PriceRecord, RateRecord};
pub use quotas::quota_of;
pub use rehearsal::Rehearsal;
pub use sayings::Saying;
pub use secrets::SealedSecret;
pub use securities::{SecurityRecord, SymbolRecord};
pub use server::ServerTx;
pub use tally::{Tally, TallyKey};
pub use told_windows::ToldWindow;
pub use transactions::{Identity, Place, StoredTransaction, TransactionFilter};
pub use versions::{EntityVersion, Version};
pub use watch::{Alert, AlertLog, Watch};

/// Runs the same body on the transaction of either engine.
macro_rules! on_tx {
    ($self:expr, $conn:ident => $body:expr) => {
        match $self {
            $crate::store::Tx::Sqlite($conn) => $body,
            $crate::store::Tx::Postgres(server) => {
                let $conn = server.settled().await?;
                $body
            }
        }
    };
}
pub(in crate::store) use on_tx;

/// A store. Cheap to clone; clones share one pool.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file.
    Sqlite(SqlitePool),
    /// A server.
    Postgres(PgPool),
}

/// A transaction of either engine: everything that is read in it is of one moment.
#[derive(Debug)]
pub enum Tx {
    /// On a file.
    Sqlite(SqlTransaction<'static, Sqlite>),
    /// On a server.
    Postgres(ServerTx),
}

/// The only way to write. Dropping it takes everything back.
///
/// Writers are serial on both engines: SQLite takes its write lock at the beginning, Postgres the
/// row lock on `store_state`. It must live in a task of its own, never inside a future that may
/// be cancelled.
#[derive(Debug)]
pub struct WriteTx {
    tx: Tx,
    revision: i64,
    next_id: i64,
    noted: Noted,
}

impl Deref for WriteTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

impl Store {
    /// Begins to read; what is read until the end is of one moment.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => {
                let begin = "begin isolation level repeatable read read only";
                Tx::Postgres(server::begin(pool, begin).await?.into())
            }
        })
    }

    /// Begins to write, and waits for another writer to end.
    ///
    /// # Errors
    /// When the database cannot be reached or is locked for too long.
    pub async fn write(&self) -> Result<WriteTx> {
        let mut tx = match self {
            Self::Sqlite(pool) => {
                let mut conn = pool.begin_with("begin immediate").await?;
                connect::remember(&mut conn, connect::WRITING).await?;
                connect::keep_ways_back_in_memory(&mut conn, false).await?;
                Tx::Sqlite(conn)
            }
            Self::Postgres(pool) => Tx::Postgres(server::begin(pool, "begin").await?.into()),
        };
        let (revision, next_id): (i64, i64) = match &mut tx {
            Tx::Sqlite(conn) => {
                sqlx::query_as("select revision, next_id from store_state")
                    .fetch_one(&mut **conn)
                    .await?
            }
            Tx::Postgres(server) => {
                sqlx::query_as("select revision, next_id from store_state for update")
                    .fetch_one(&mut **server.settled().await?)
                    .await?
            }
        };
        Ok(WriteTx { tx, revision: revision + 1, next_id, noted: Noted::default() })
    }

    /// The revision that the last write left.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn revision(&self) -> Result<i64> {
        let mut tx = self.read().await?;
        tx.revision().await
    }

    /// Ends every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// The file of a store that is one.
    pub(crate) fn file(&self) -> Option<std::path::PathBuf> {
        match self {
            Self::Sqlite(pool) => Some(pool.connect_options().get_filename().to_owned()),
            Self::Postgres(_) => None,
        }
    }

    /// The schema of a store on a server, where it is not the usual one: several may be in a database.
    pub(crate) async fn unusual_schema(&self) -> Result<Option<String>> {
        const SQL: &str = "select current_schema()::text where current_schema() <> 'public'";
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(pool) => Ok(sqlx::query_scalar(SQL).fetch_optional(pool).await?),
        }
    }

    /// The name of the engine.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

impl Tx {
    /// The revision that the last write left.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn revision(&mut self) -> Result<i64> {
        const SQL: &str = "select revision from store_state";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }

    /// Whether an operation's writes are in the store.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_applied(&mut self, op: &str) -> Result<bool> {
        const SQL: &str = "select count(*) from applied_ops where op_id = $1";
        let count: i64 = on_tx!(self, conn => sqlx::query_scalar(SQL).bind(op.to_owned()).fetch_one(&mut **conn).await?);
        Ok(count > 0)
    }
}

impl WriteTx {
    /// A fresh id, unique in the store.
    pub const fn take_id(&mut self) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// The revision that this write will leave.
    #[must_use]
    pub const fn next_revision(&self) -> i64 {
        self.revision
    }

    /// Lets this write leave no new revision, as nothing that a screen shows becomes other by it. Its
    /// mark is kept all the same.
    pub const fn stay_unseen(&mut self) {
        self.revision -= 1;
    }

    /// Makes everything durable, together with the mark that the operation `op` is done.
    ///
    /// # Errors
    /// When the database refuses; then nothing is written.
    pub async fn commit(mut self, op: &str, action: &str, at: i64) -> Result<i64> {
        let (revision, next_id) = (self.revision, self.next_id);
        const STATE: &str = "update store_state set revision = $1, next_id = $2";
        const OP: &str =
            "insert into applied_ops (op_id, action, at, revision) values ($1, $2, $3, $4)";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(STATE).bind(revision).bind(next_id).execute(&mut **conn).await?;
            let done = sqlx::query(OP).bind(op.to_owned()).bind(action.to_owned());
            done.bind(at).bind(revision).execute(&mut **conn).await?;
        });
        if let Tx::Postgres(server) = &mut self.tx {
            changes::tell(server.settled().await?).await?;
        }
        self.commit_unmarked().await?;
        Ok(revision)
    }

    /// Makes durable what no figure sees: no revision tells of it and no operation is marked.
    async fn commit_unmarked(self) -> Result<()> {
        match self.tx {
            Tx::Sqlite(mut conn) => {
                connect::remember(&mut conn, connect::READING).await?;
                conn.commit().await?;
            }
            Tx::Postgres(server) => server.into_inner().await?.commit().await?,
        }
        Ok(())
    }

    /// Says that many rows come, a few hundred in each statement.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn expect_many(&mut self) -> Result<()> {
        match &mut self.tx {
            Tx::Sqlite(conn) => connect::keep_ways_back_in_memory(conn, true).await,
            Tx::Postgres(_) => Ok(()),
        }
    }

    /// Writes what stands there already, to find out whether the database takes writes.
    ///
    /// # Errors
    /// When it does not.
    pub async fn try_writing(mut self) -> Result<()> {
        const SQL: &str = "update store_state set next_id = next_id";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).execute(&mut **conn).await?;
        });
        self.commit_unmarked().await
    }

    /// Takes everything back, at once.
    ///
    /// # Errors
    /// When the database cannot be told; it takes everything back by itself then.
    pub async fn rollback(self) -> Result<()> {
        match self.tx {
            Tx::Sqlite(mut conn) => {
                connect::remember(&mut conn, connect::READING).await?;
                conn.rollback().await?;
            }
            Tx::Postgres(server) => server.into_inner().await?.rollback().await?,
        }
        Ok(())
    }
}
