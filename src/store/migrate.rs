//! Bringing a database to the schema that this program knows, and never past it.

use sqlx::migrate::{MigrateError, Migrator};

use super::{Error, Result, Store};

static SQLITE: Migrator = sqlx::migrate!("src/store/migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// How the schema of a database stands to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest migration in the database; 0: none.
    pub found: i64,
    /// The newest that the program has.
    pub known: i64,
}

/// The newest schema that this program knows.
#[must_use]
pub fn newest() -> i64 {
    SQLITE.iter().map(|migration| migration.version).max().unwrap_or(0)
}

impl Store {
    /// How the schema of this database stands to the program.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema(&self) -> Result<SchemaState> {
        const SQL: &str = "select coalesce(max(version), 0) from _sqlx_migrations";
        let found: Option<i64> = match self {
            Self::Sqlite(pool) => {
                let there: i64 = sqlx::query_scalar(
                    "select count(*) from sqlite_master where name = '_sqlx_migrations'",
                )
                .fetch_one(pool)
                .await?;
                match there {
                    0 => None,
                    _ => Some(sqlx::query_scalar(SQL).fetch_one(pool).await?),
                }
            }
            Self::Postgres(pool) => {
                let there: bool =
                    sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
                        .fetch_one(pool)
                        .await?;
                match there {
                    false => None,
                    true => Some(sqlx::query_scalar(SQL).fetch_one(pool).await?),
                }
            }
        };
        Ok(SchemaState { found: found.unwrap_or(0), known: newest() })
    }
}

impl Store {
    /// Runs the migrations that are missing.
    ///
    /// # Errors
    /// When the database was written by a newer version, or refuses.
    pub async fn migrate(&self) -> Result<()> {
        let state = self.schema().await?;
        refuse_newer(state)?;
        if state.found == state.known {
            return Ok(());
        }
        let done = match self {
            Self::Sqlite(pool) => SQLITE.run(pool).await,
            Self::Postgres(pool) => POSTGRES.run(pool).await,
        };
        done.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            MigrateError::VersionMismatch(version) => {
                Error::Foreign(format!("migration {version} is not the one this program has"))
            }
            other => Error::Foreign(other.to_string()),
        })
    }
}

/// A store that is only looked at must be as this program knows it.
pub(super) async fn require_current(store: &Store) -> Result<()> {
    let state = store.schema().await?;
    refuse_newer(state)?;
    refuse_empty(state)?;
    if state.found < state.known {
        return Err(Error::Foreign(format!(
            "its schema is {} and this program needs {}; run `dashtam migrate` first",
            state.found, state.known
        )));
    }
    if store.read().await?.are_figures_due().await? {
        let why = "its figures are not made again yet; run `dashtam migrate` first";
        return Err(Error::Foreign(why.to_owned()));
    }
    Ok(())
}

/// Where there is nothing yet, there is nothing to look at.
pub(super) const fn refuse_empty(state: SchemaState) -> Result<()> {
    if state.found == 0 { Err(Error::Empty) } else { Ok(()) }
}

pub(super) const fn refuse_newer(state: SchemaState) -> Result<()> {
    if state.found > state.known {
        return Err(Error::Newer { found: state.found, known: state.known });
    }
    Ok(())
}
