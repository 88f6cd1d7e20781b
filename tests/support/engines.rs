//! A fresh store on each engine there is, and the few verbs that a test says to it in one line.
//! It knows the service and the reports, and nothing of tables.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::NaiveDate;
use dashtam::clock::Clock;
use dashtam::config::{Config, Database, Environment, Overrides, PostgresHost};
use dashtam::model::{AccountId, BatchId, Change, SafeText, TransactionId};
use dashtam::report::{AccountsQuery, TransactionRow, TransactionsQuery};
use dashtam::service::edit::{self, Applied, RowEdit};
use dashtam::service::export::{self, ExportFormat, ExportRequest, What};
use dashtam::service::import::{self, ImportReport, ImportRequest, UndoReport};
use dashtam::service::{Access, Error, Session};
use dashtam::store::{Server, Target};
use dashtam::{report, service};
use secrecy::SecretString;
use tempfile::TempDir;

use super::postgres::postgres_url;

/// The day on which every test takes place.
pub const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();

/// A file to import: its name and its content.
pub type File<'a> = (&'a str, &'a str);

/// A store of its own on one engine.
pub struct Engine {
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    pub session: Session,
    pub config: Config,
    folder: TempDir,
}

/// Noon of the day on which every test takes place.
pub fn clock() -> Clock {
    let noon = TODAY.and_hms_opt(12, 0, 0).unwrap().and_utc();
    Clock::fixed(noon, chrono_tz::UTC)
}

/// A folder that nobody else can look into.
fn private_folder(place: &Path) -> TempDir {
    let mut folder = tempfile::Builder::new();
    folder.prefix("dashtam-test-").permissions(std::fs::Permissions::from_mode(0o700));
    folder.tempdir_in(place).unwrap()
}

/// An empty store in a file.
pub async fn sqlite() -> Engine {
    sqlite_in(&std::env::temp_dir()).await
}

/// An empty store in a file somewhere below this place.
pub async fn sqlite_in(place: &Path) -> Engine {
    Engine::open("sqlite", private_folder(place), None).await
}

/// An empty store on a server; none where there is no server.
pub async fn postgres() -> Option<Engine> {
    postgres_in(&std::env::temp_dir()).await
}

/// The same, with its further files somewhere below this place.
pub async fn postgres_in(place: &Path) -> Option<Engine> {
    let url = postgres_url()?;
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = SecretString::from(format!("{url}{joint}sslmode=disable"));
    Some(Engine::open("postgres", private_folder(place), Some(url)).await)
}

/// An empty store on each engine there is.
pub async fn engines() -> Vec<Engine> {
    let mut engines = vec![sqlite().await];
    engines.extend(postgres().await);
    engines
}

/// Tells the same story on every engine; at its end all stores must say the same, and be sound.
pub async fn on_each(story: impl AsyncFn(&Engine)) {
    let mut first: Option<(&'static str, String)> = None;
    for engine in engines().await {
        story(&engine).await;
        let dump = engine.dump().await;
        assert_eq!(engine.damage().await, [""; 0], "damage on {}", engine.name);
        match &first {
            None => first = Some((engine.name, dump)),
            Some((name, before)) => {
                assert_eq!(*before, dump, "{name} and {} end unlike", engine.name);
            }
        }
        engine.close().await;
    }
}

/// The canonical dump of a fresh store that took in these files at once.
pub async fn dump_of(files: &[File<'_>]) -> String {
    let engine = sqlite().await;
    engine.import(files).await;
    let dump = engine.dump().await;
    engine.close().await;
    dump
}

/// New, duplicate, changed, conflict and refused rows of all files together.
pub fn counts(report: &ImportReport) -> [u64; 5] {
    let mut sum = [0; 5];
    for file in &report.files {
        let counts = [file.new, file.duplicate, file.changed, file.conflict, file.refused_total];
        for (sum, count) in sum.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    sum
}

/// Every reason for which a row was refused or is in conflict.
pub fn reasons(report: &ImportReport) -> Vec<String> {
    let problems = report.files.iter().flat_map(|file| file.refused.iter().chain(&file.conflicts));
    problems.map(ToString::to_string).collect()
}

/// Where the store of a configuration is, as the store itself wants to be told.
pub fn target(config: &Config) -> Target {
    match &config.database.value {
        Database::Sqlite(path) => Target::Sqlite(path.clone()),
        Database::Postgres(url) => {
            let (host, socket) = match &url.host {
                PostgresHost::Network(host) => (Some(host.clone()), None),
                PostgresHost::Socket(folder) => (None, Some(folder.clone())),
            };
            Target::Postgres(Box::new(Server {
                host,
                socket,
                port: url.port,
                user: url.user.clone(),
                password: url.password.clone(),
                database: url.database.clone(),
                tls: url.ssl_mode().name(),
                root_certificate: url.sslrootcert.clone(),
                options: url.options.clone(),
            }))
        }
    }
}

impl Engine {
    async fn open(name: &'static str, folder: TempDir, database: Option<SecretString>) -> Self {
        let data_dir = Some(folder.path().to_owned());
        let flags = Overrides { data_dir, database, ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
        Self { name, session, config, folder }
    }

    /// A session that somebody else opened on a file in this folder.
    pub fn around(session: Session, folder: TempDir) -> Self {
        let data_dir = Some(folder.path().to_owned());
        let flags = Overrides { data_dir, ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        Self { name: session.store.engine(), session, config, folder }
    }

    /// The folder with the store's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the session and begins another on the same store.
    pub async fn reopen(self, access: Access) -> Result<Self, Error> {
        let Self { name, session, config, folder } = self;
        session.close().await;
        let session = Session::open(&config, &clock(), access).await?;
        Ok(Self { name, session, config, folder })
    }

    pub async fn close(self) {
        self.session.close().await;
    }

    /// Imports files in one batch; every row must be taken.
    pub async fn import(&self, files: &[File<'_>]) -> ImportReport {
        let report = self.import_with(files, |_| {}).await;
        assert_eq!(reasons(&report), [""; 0], "on {}", self.name);
        report
    }

    /// Imports files in one batch, with further wishes.
    pub async fn import_with(
        &self,
        files: &[File<'_>],
        wishes: impl FnOnce(&mut ImportRequest),
    ) -> ImportReport {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        self.try_import(&files, wishes).await.unwrap()
    }

    /// Imports files of any bytes.
    pub async fn try_import(
        &self,
        files: &[(&str, &[u8])],
        wishes: impl FnOnce(&mut ImportRequest),
    ) -> Result<ImportReport, Error> {
        let folder = self.folder.path().join("files");
        std::fs::create_dir_all(&folder).unwrap();
        let mut request = ImportRequest::default();
        for (name, content) in files {
            let path = folder.join(name);
            std::fs::write(&path, content).unwrap();
            request.files.push(path);
        }
        wishes(&mut request);
        import::run(&self.session, request).await
    }

    /// The number of the last import.
    pub async fn last_batch(&self) -> BatchId {
        import::list(&self.session).await.unwrap().last().unwrap().id
    }

    pub async fn undo(&self, batch: BatchId) -> UndoReport {
        import::undo(&self.session, batch).await.unwrap()
    }

    /// The canonical dump.
    pub async fn dump(&self) -> String {
        self.export(ExportFormat::Canonical, None).await
    }

    pub async fn export(&self, format: ExportFormat, what: Option<What>) -> String {
        let request = ExportRequest { format, what, out: None, force: false };
        let mut out = Vec::new();
        export::run(&self.session, &request, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The two files of the neutral form.
    pub async fn neutral(&self) -> [(&'static str, String); 2] {
        let form = ExportFormat::Neutral;
        let transactions = self.export(form, Some(What::Transactions)).await;
        let prices = self.export(form, Some(What::Prices)).await;
        [("transactions.csv", transactions), ("prices.csv", prices)]
    }

    pub async fn edit(&self, change: Change) -> Applied {
        self.try_edit(change).await.unwrap()
    }

    pub async fn try_edit(&self, change: Change) -> Result<Applied, Error> {
        edit::apply(&self.session, change).await
    }

    pub async fn edit_row(&self, id: TransactionId, change: RowEdit) -> Applied {
        edit::edit_transaction(&self.session, id, change).await.unwrap()
    }

    pub async fn account(&self, name: &str) -> AccountId {
        edit::account_named(&self.session, name).await.unwrap().id
    }

    pub async fn revision(&self) -> i64 {
        self.session.store.revision().await.unwrap()
    }

    /// Every live transaction, in the order of rows.
    pub async fn rows(&self) -> Vec<TransactionRow> {
        let query = TransactionsQuery::default();
        let mut tx = self.session.store.read().await.unwrap();
        report::transactions(&mut tx, &query).await.unwrap().rows
    }

    /// The one live transaction with this description.
    pub async fn row(&self, description: &str) -> TransactionRow {
        let wanted = Some(SafeText::new(description));
        let rows = self.rows().await.into_iter();
        let mut found: Vec<_> = rows.filter(|row| row.description == wanted).collect();
        assert_eq!(found.len(), 1, "rows called {description} on {}", self.name);
        found.remove(0)
    }

    /// The amounts of every live transaction, in the order of rows.
    pub async fn amounts(&self) -> Vec<String> {
        self.rows().await.iter().map(|row| row.amount.to_string()).collect()
    }

    /// The descriptions of every live transaction, in the order of rows.
    pub async fn descriptions(&self) -> Vec<String> {
        let rows = self.rows().await.into_iter();
        rows.map(|row| row.description.unwrap_or_default().into_string()).collect()
    }

    pub async fn accounts(&self, as_of: NaiveDate) -> Vec<report::AccountRow> {
        let query =
            AccountsQuery { as_of, today: as_of, currency: None, account: None, closed: true };
        let mut tx = self.session.store.read().await.unwrap();
        report::accounts(&mut tx, &query).await.unwrap().rows
    }

    /// Cash by account and currency on a day, zero left out.
    pub async fn cash(&self, as_of: NaiveDate) -> BTreeMap<String, BTreeMap<String, String>> {
        let rows = self.accounts(as_of).await.into_iter();
        rows.map(|row| {
            let cash = row.cash.iter();
            let cash = cash.map(|(code, sum)| (code.to_string(), sum.to_string())).collect();
            (row.name.to_string(), cash)
        })
        .collect()
    }

    /// Today's cash of one account in one currency; `0` where there is none.
    pub async fn cash_of(&self, account: &str, currency: &str) -> String {
        let cash = self.cash(TODAY).await;
        let of_account = cash.get(account).unwrap_or_else(|| panic!("no account {account}"));
        of_account.get(currency).cloned().unwrap_or_else(|| "0".to_owned())
    }

    /// What the store finds damaged or leading nowhere, a line each.
    pub async fn damage(&self) -> Vec<String> {
        let mut tx = self.session.store.read().await.unwrap();
        let damage = tx.damage().await.unwrap();
        let damage = damage.iter().map(|damage| format!("{}: {}", damage.table, damage.row));
        let dangling = tx.dangling().await.unwrap();
        let dangling = dangling.iter().map(|found| format!("{} {}", found.rows, found.what));
        damage.chain(dangling).collect()
    }
}

/// The sample household in a store of its own.
pub async fn demo() -> (Session, TempDir) {
    service::demo::open(&clock()).await.unwrap()
}
