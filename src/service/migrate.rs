//! Bringing the schema of a store up to date, on request.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::session::target;
use super::{Access, Error, Session};
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::refresh;
use crate::store::{self, Store};

/// What a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrateReport {
    /// The schema before; 0: there was none.
    pub from: i64,
    /// The schema now.
    pub to: i64,
    /// Where the store was backed up before.
    pub backed_up: Option<PathBuf>,
}

/// Makes or migrates the store of a configuration; with the address of an administrator its trail
/// gets an owner of its own.
///
/// # Errors
/// When it cannot be reached or is newer than this program.
pub async fn run(
    config: &Config,
    clock: &Clock,
    admin: Option<&SecretString>,
) -> Result<MigrateReport, Error> {
    let from = match (&config.database.value, target(&config.database.value)) {
        (Database::Sqlite(path), _) if !path.exists() => 0,
        (_, target) => {
            let store = Store::peek(&target).await?;
            let schema = store.schema().await?;
            store.close().await;
            schema.found
        }
    };
    // This makes the store, or migrates an older one, of which its trail tells.
    let session = Session::open(config, clock, Access::Write).await?;
    if from == 0 {
        let attempt = session.attempt("migrate", &format!("from={from}")).await?;
        let tx = session.store.write().await?;
        tx.commit(&attempt.op().to_string(), "migrate", session.now()).await?;
        attempt.committed(&format!("to={}", store::newest_schema())).await;
    }
    if let Some(admin) = admin {
        super::audit::guard(&session, config, admin).await?;
    }
    if from < store::newest_schema() {
        // What was kept beside the rows is made anew by whoever first needs it, but for this.
        refresh::keep_days(&session.store, session.clock.today()).await;
    }
    let backed_up = session.backed_up().map(Path::to_owned);
    session.close().await;
    Ok(MigrateReport { from, to: store::newest_schema(), backed_up })
}
