//! Where a statement on the trail runs: a pool or a transaction, of either engine.

use sqlx::{PgConnection, PgPool, SqliteConnection, SqlitePool};

use super::{AuditStore, AuditTx};

/// An executor of either engine.
pub(super) enum On<S, P> {
    Sqlite(S),
    Postgres(P),
}

impl AuditStore {
    pub(super) const fn on(&self) -> On<&SqlitePool, &PgPool> {
        match self {
            Self::Sqlite(pool) => On::Sqlite(pool),
            Self::Postgres(pool) => On::Postgres(pool),
        }
    }
}

impl AuditTx {
    pub(super) fn on(&mut self) -> On<&mut SqliteConnection, &mut PgConnection> {
        match self {
            Self::Sqlite(tx) => On::Sqlite(tx),
            Self::Postgres(tx) => On::Postgres(tx),
        }
    }
}

/// The same statement wherever it runs; `{audit}` is the table.
macro_rules! asked {
    ($on:expr, $make:path, $sql:expr, |$query:ident| $bind:expr, $run:ident) => {
        match $on {
            $crate::store::audit::on::On::Sqlite(on) => {
                let $query = $make(sqlx::AssertSqlSafe($sql.replace("{audit}", "audit")));
                $bind.$run(on).await?
            }
            $crate::store::audit::on::On::Postgres(on) => {
                let sql = $sql.replace("{audit}", "dashtam_audit.audit");
                let $query = $make(sqlx::AssertSqlSafe(sql));
                $bind.$run(on).await?
            }
        }
    };
}
pub(super) use asked;
