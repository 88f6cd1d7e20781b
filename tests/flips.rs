//! Single bits of stored rows flip, behind the store's back: `doctor` must find at least 99 of 100
//! that change what the store says. The bits are chosen by a fixed seed.
//!
//! A sample by default; a thousand on each engine where `DASHTAM_FULL=1`, or as many as
//! `DASHTAM_FLIPS` says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use chrono::Days;
use dashtam::archive::Value;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::model::{
    AccountEdit, AlertId, AlertOf, AlertTerms, BatchId, Change, Connection, ConnectionId,
    ConnectionState, Currency, Dec, Edit, Part, SafeText, SecurityId, Setting, Side, Tick,
    Unopened, WatchTerms,
};
use dashtam::service::doctor::{self, Patient, Verdict};
use dashtam::service::edit::RowEdit;
use dashtam::service::{Access, Session, vault};
use dashtam::store::{
    self, ARCHIVED, Alert, AlertLog, AllocationTarget, Balance, EVIDENCE, Finding, RefreshRecord,
    Saying, SealedSecret, SymbolRecord, ToldWindow, Watch, WriteTx,
};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use support::engines::{Engine, TODAY, clock};
use support::mutate::Random;
use tempfile::TempDir;

/// What is flipped: every table that is neither made again nor tells of the store itself, or of the
/// requests of a day.
fn tables() -> Vec<&'static str> {
    let own = ["applied_ops", "quotas", EVIDENCE];
    ARCHIVED.iter().copied().filter(|table| !own.contains(table)).collect()
}

/// What may be missed of a hundred.
const MISSED: usize = 1;

#[expect(clippy::disallowed_methods, reason = "how much is tested is set from the environment")]
fn wanted(sample: usize) -> usize {
    if let Ok(wanted) = std::env::var("DASHTAM_FLIPS") {
        return wanted.parse().expect("DASHTAM_FLIPS is a number");
    }
    match std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1") {
        true => 1_000,
        false => sample,
    }
}

/// Enough of everything to fill some pages.
fn files() -> [(&'static str, String); 2] {
    let mut rows =
        "date,account,type,symbol,quantity,price,currency,amount,fee,description,category,note\n"
            .to_owned();
    let mut prices = "date,symbol,close,currency,source\n".to_owned();
    for at in 0..240 {
        let (month, day) = (at % 12 + 1, at % 27 + 1);
        let (symbol, account) =
            (["AMD", "XEQT", "BTC"][at % 3], ["Broker", "Rente ü", "Abroad"][at % 3]);
        let row = match at % 4 {
            0 => format!("DEPOSIT,,,,USD,{}.{},,Salary {at},Income,", 1_000 + at, at % 10),
            1 => format!(
                "BUY,{symbol},{},{}.25,USD,,1.5,Bought {at},,\"a note, of {at}\"",
                at + 1,
                at + 9
            ),
            2 => format!("DIVIDEND,{symbol},,,USD,{}.75,,Paid {at},Income:Dividends,", at % 7 + 1),
            _ => format!("FEE,,,,USD,-{}.05,,Fee {at},Costs,", at % 5),
        };
        rows.push_str(&format!("{}-{month:02}-{day:02},{account},{row}\n", 2022 + at % 3));
        prices
            .push_str(&format!("2024-{month:02}-{day:02},sec:{symbol},{}.{at},USD,mine\n", at + 7));
        prices.push_str(&format!("2024-{month:02}-{day:02},fx:CAD,0.7{at},USD,mine\n"));
    }
    [("rows.csv", rows), ("prices.csv", prices)]
}

/// An entry of the watchlist, an alert and what it told, with every field said.
async fn watch(tx: &mut WriteTx, id: i64, security: SecurityId) {
    let (text, dec) = (SafeText::new, |text: &str| Dec::parse(text).unwrap());
    let (note, batch) = (Some(text("when it is cheap")), None);
    let bound = dec("9.5");
    let terms = AlertTerms {
        of: AlertOf::Change,
        side: Side::Above,
        bound,
        note: note.clone(),
        units_of: Some(TODAY),
        said_in: Some(Currency::USD),
        snoozed: Some(TODAY),
    };
    let id = AlertId(id);
    tx.insert_alert(&Alert { id, security, terms, batch, crossed: Some(TODAY) }).await.unwrap();
    let (list, target, units_of) = (Some(text("later")), Some(bound), Some(TODAY));
    let said_in = Some(Currency::USD);
    let terms = WatchTerms { list, note, target, units_of, said_in };
    tx.put_watch(&Watch { security, terms, batch }).await.unwrap();
    let log = AlertLog {
        id: id.0,
        security,
        at: 0,
        of: AlertOf::Price,
        side: Side::Below,
        bound,
        seen: dec("9.4"),
        seen_on: TODAY,
        source: Some(text("somebody")),
        currency: Some(Currency::USD),
    };
    tx.insert_alert_log(&[log]).await.unwrap();
}

/// A store with something in every table.
async fn fill(engine: &Engine) {
    let [(rows, text), (prices, closes)] = files();
    let files = [(rows, text.as_bytes()), (prices, closes.as_bytes())];
    let report = engine.try_import(&files, |request| request.partial = true).await.unwrap();
    assert!(report.files.iter().all(|file| file.new > 100), "{report:?}");
    // The same from elsewhere, some of it otherwise, and rows that nobody understands.
    let wrong =
        (0..40).map(|at| format!("{at}-wrong,Broker,DEPOSIT\n")).collect::<Vec<_>>().concat();
    let again = [
        ("rows of before.csv", format!("{text}{wrong}")),
        ("prices again.csv", closes.replace(",1", ",2")),
    ];
    for (name, text) in &again {
        let file = [(*name, text.as_bytes())];
        engine.try_import(&file, |request| request.partial = true).await.unwrap();
    }
    for row in engine.rows().await.iter().step_by(8) {
        let (date, note) = (row.date.succ_opt(), Some(SafeText::new("moved")));
        engine.edit_row(row.id, RowEdit { date, note, ..RowEdit::default() }).await;
    }
    for name in ["Broker", "Rente ü", "Abroad"] {
        let institution = Edit::given(Some(SafeText::new("House")));
        let edit = AccountEdit { institution, ..AccountEdit::default() };
        engine.edit(Change::EditAccount(engine.account(name).await, edit)).await;
    }
    engine.edit(Change::Set(Setting::BaseCurrency, "CAD".to_owned())).await;
    let (account, about) = (engine.account("Abroad").await, engine.rows().await[0].id);
    let mut tx = engine.session.store.write().await.unwrap();
    tx.put_unopened(account, Some(Unopened::All)).await.unwrap();
    let security = tx.securities().await.unwrap()[0].security.id;
    let (text, dec) = (SafeText::new, |text| Dec::parse(text).unwrap());
    for id in 9_001..9_021 {
        let label = format!("Bank {id}");
        let connection = Connection {
            id: ConnectionId(id),
            provider: text("sample"),
            label: text(&label),
            state: ConnectionState::Active,
            since: 1_700_000_000_000_000 + id,
            consent_expires: Some(1_800_000_000_000_000 + id),
            detail: Some(text("as it was agreed")),
        };
        tx.insert_connection(&connection).await.unwrap();
        tx.put_remote_account(ConnectionId(id), &text(&label), account).await.unwrap();
        let refresh = RefreshRecord {
            connection: ConnectionId(id),
            part: Part::Quotes,
            attempted: 1_700_000_000_000_000 + id,
            succeeded: Some(id),
            failures: id,
            why: Some(text("nobody answered")),
            next_attempt: Some(id),
        };
        tx.put_refresh(&refresh).await.unwrap();
        tx.put_paused(ConnectionId(id), Some(1_700_000_000_000_000 + id)).await.unwrap();
        tx.insert_secret(&secret_of(id)).await.unwrap();
        let symbol = text("ticker");
        let row = SymbolRecord { security, source: text(&label), symbol, until: Some(TODAY) };
        tx.put_symbol(&row).await.unwrap();
        let date = TODAY.checked_sub_days(Days::new(id.unsigned_abs() - 9_000)).unwrap();
        let balance = Balance { account, date, amount: dec("12.75"), batch: None, created: id };
        tx.put_balance(&balance).await.unwrap();
        let (date, currency) = (TODAY, Currency::USD);
        let tick =
            Tick { security, source: text(&label), at: id, date, currency, price: dec("5.25") };
        tx.put_ticks(&[tick]).await.unwrap();
        let finding = Finding {
            id,
            kind: "kind".to_owned(),
            severity: "info".to_owned(),
            transaction: Some(about),
            account: Some(account),
            security: Some(security),
            date: Some(TODAY),
            detail: format!("something of {id}"),
            created: id,
            settled: Some(id),
        };
        tx.insert_findings(&[finding]).await.unwrap();
        let saying = Saying {
            entity: "account".to_owned(),
            key: id.to_string(),
            revision: 0,
            batch: BatchId(0),
            fields: "{\"name\":\"Abroad\"}".to_owned(),
        };
        tx.put_sayings(&[saying]).await.unwrap();
        watch(&mut tx, id, security).await;
        let batch = None;
        let (dimension, key, band) = (text("class"), text(&label), Some(dec("0.05")));
        let target = AllocationTarget { dimension, key, weight: dec("0.05"), band, batch };
        tx.put_target(&target).await.unwrap();
    }
    tx.commit("by-the-test", "fill", 0).await.unwrap();
    fill_windows(engine).await;
    let contents = contents(&engine.session).await.unwrap().into_iter();
    let empty: Vec<_> =
        contents.filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
    assert_eq!(empty, [""; 0], "something is in every table");
}

/// What was told of histories that are not at their ends.
async fn fill_windows(engine: &Engine) {
    for id in 9_001..9_021 {
        let (connection, remote) = (ConnectionId(id), SafeText::new("account"));
        let told = format!("[{{\"netAmount\":{id}.25}}]");
        let row = ToldWindow { connection, remote, first: id, last: id + 1_000, told };
        engine.session.store.keep_told(&row, async { true }).await.unwrap();
    }
}

fn secret_of(connection: i64) -> SealedSecret {
    SealedSecret {
        connection: ConnectionId(connection),
        generation: 1,
        sealed_at: connection,
        presented: Some(connection),
        serves_once: true,
        sealed_for: "whoever has the key".to_owned(),
        sealed: b"what nobody else can read".to_vec(),
    }
}

/// Every row of every table but for its checksum, as text.
async fn contents(session: &Session) -> store::Result<BTreeMap<&'static str, String>> {
    let tables = tables();
    let mut tx = session.store.read().await?;
    let mut all = BTreeMap::new();
    for table in tx.archived_tables().await? {
        if !tables.contains(&table.name) {
            continue;
        }
        let sum = table.columns().iter().position(|column| column == "checksum");
        let mut text = String::new();
        let each = |row: &[Value<'_>]| {
            let values = row.iter().enumerate().filter(|(at, _)| Some(*at) != sum);
            values.for_each(|(_, value)| write!(text, "{value:?} ").unwrap());
            text.push('\n');
            Ok::<(), store::Error>(())
        };
        tx.each_archived_row(&table, each).await?;
        all.insert(table.name, text);
    }
    Ok(all)
}

/// What the store says; none where it cannot say it.
async fn dump(config: &Config) -> Option<BTreeMap<&'static str, String>> {
    let session = Session::open(config, &clock(), Access::Look).await.ok()?;
    let said = contents(&session).await;
    session.close().await;
    said.ok()
}

/// What is said against what is stored.
async fn complaints(config: &Config) -> Vec<String> {
    let environment = Environment::default();
    let clock = clock();
    let patient =
        Patient { config: Some(config), broken: None, environment: &environment, clock: &clock };
    let checks = doctor::run(&patient).await.into_iter();
    let fails = checks.filter(|check| matches!(check.verdict, Verdict::Fail(_)));
    fails.map(|check| format!("{}: {}", check.name, check.detail)).collect()
}

/// How many flips changed something, and those that nobody saw.
#[derive(Default)]
struct Tally {
    effective: usize,
    missed: Vec<String>,
}

impl Tally {
    async fn judge(
        &mut self,
        config: &Config,
        well: &BTreeMap<&'static str, String>,
        what: impl FnOnce() -> String,
    ) {
        if dump(config).await.as_ref() == Some(well) {
            return;
        }
        self.effective += 1;
        if complaints(config).await.is_empty() {
            self.missed.push(what());
        }
    }

    fn check(&self, engine: &str, tried: usize) {
        let Self { effective, missed } = self;
        support::sum_up(&format!(
            "{engine}: {tried} bits flipped, {effective} had an effect, {} of these unseen",
            missed.len()
        ));
        assert!(missed.len() * 100 <= effective * MISSED, "unseen on {engine}: {missed:?}");
    }
}

/// A copy of a database file where its owner alone can reach it.
fn copy(bytes: &[u8], key: &[u8]) -> (TempDir, Config) {
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let flags = Overrides { data_dir: Some(folder.path().to_owned()), ..Overrides::default() };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    put(&folder, bytes);
    let vault = folder.path().join("vault");
    fs::DirBuilder::new().mode(0o700).create(&vault).unwrap();
    fs::write(vault.join("key"), key).unwrap();
    fs::set_permissions(vault.join("key"), Permissions::from_mode(0o600)).unwrap();
    (folder, config)
}

fn put(folder: &TempDir, bytes: &[u8]) {
    let path = folder.path().join("dashtam.db");
    for beside in ["dashtam.db-wal", "dashtam.db-shm"] {
        let _ = fs::remove_file(folder.path().join(beside));
    }
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

/// The names of the tables, as SQL lists them.
fn quoted_names() -> String {
    tables().iter().map(|table| format!("'{table}'")).collect::<Vec<_>>().join(",")
}

/// Where the pages of our tables lie in a file, and how long each is.
async fn pages(path: &Path) -> Vec<(usize, usize)> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let names = quoted_names();
    let sql = format!("select pgoffset, pgsize from dbstat where name in ({names}) order by 1");
    let found: Vec<(i64, i64)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    let sql = format!("select count(distinct name) from dbstat where name in ({names})");
    let seen: i64 =
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    assert_eq!(usize::try_from(seen).unwrap(), tables().len(), "each has pages of its own");
    connection.close().await.unwrap();
    let number = |number: i64| usize::try_from(number).unwrap();
    found.into_iter().map(|(offset, size)| (number(offset), number(size))).collect()
}

#[tokio::test]
async fn a_flipped_bit_of_a_file_is_found() {
    let engine = support::engines::sqlite().await;
    // Where there are secrets there is a key.
    vault::init(&engine.session, &engine.config, None).await.unwrap();
    fill(&engine).await;
    let path = engine.folder().join("dashtam.db");
    let folder = engine.folder().to_owned();
    let key = fs::read(folder.join("vault/key")).unwrap();
    // The last one to close puts everything into the file.
    let (engine, bytes) = (engine.reopen(Access::Write).await.unwrap(), fs::read(&path).unwrap());
    assert!(folder.exists());
    engine.close().await;
    let (folder, config) = copy(&bytes, &key);
    let well = dump(&config).await.unwrap();
    assert_eq!(complaints(&config).await, [""; 0]);
    let pages = pages(&folder.path().join("dashtam.db")).await;
    assert!(pages.len() > 10, "{pages:?}");

    let mut random = Random::new(0x0005_f11b);
    let (wanted, mut tried, mut tally) = (wanted(12), 0, Tally::default());
    while tally.effective < wanted {
        let (offset, size) = pages[random.below(pages.len())];
        let (byte, bit) = (offset + random.below(size), random.below(8));
        let mut flipped = bytes.clone();
        flipped[byte] ^= 1 << bit;
        put(&folder, &flipped);
        tried += 1;
        tally.judge(&config, &well, || format!("bit {bit} of byte {byte}")).await;
    }
    tally.check("sqlite", tried);
}

/// A column that has a value in some row.
struct Column {
    table: String,
    name: String,
    kind: String,
}

#[tokio::test]
async fn a_flipped_bit_on_a_server_is_found() {
    let Some(engine) = support::engines::postgres().await else { return };
    // Where there are secrets there is a key.
    vault::init(&engine.session, &engine.config, None).await.unwrap();
    fill(&engine).await;
    let store::Store::Postgres(pool) = engine.session.store.clone() else {
        panic!("no server");
    };
    let well = dump(&engine.config).await.unwrap();
    assert_eq!(complaints(&engine.config).await, [""; 0]);
    let columns = columns(&pool).await;
    assert!(columns.len() > 50);
    let mut random = Random::new(0x0005_f11c);
    let (wanted, mut tried, mut tally) = (wanted(8), 0, Tally::default());
    while tally.effective < wanted {
        let Column { table, name, kind } = &columns[random.below(columns.len())];
        let Some(old) = some_row(&pool, table, name, &mut random).await else { continue };
        let (key, text) = old;
        let Some(new) = flipped(&text, kind, &mut random) else { continue };
        tried += 1;
        if !set(&pool, table, name, kind, (&key, &new)).await {
            continue;
        }
        tally.judge(&engine.config, &well, || format!("{table}.{name}: {text} is {new}")).await;
        assert!(set(&pool, table, name, kind, (&key, &text)).await, "{table}.{name}: {text}");
    }
    assert_eq!(complaints(&engine.config).await, [""; 0], "every flip was taken back");
    tally.check("postgres", tried);
    engine.close().await;
}

async fn columns(pool: &PgPool) -> Vec<Column> {
    let names = quoted_names();
    let sql = format!(
        "select table_name::text, column_name::text, data_type::text \
         from information_schema.columns where table_schema = 'public' and table_name in ({names}) \
         and is_generated = 'NEVER' order by 1, ordinal_position"
    );
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
    rows.into_iter().map(|(table, name, kind)| Column { table, name, kind }).collect()
}

/// The checksum of some row, by which it is found again, and what it has in a column.
async fn some_row(
    pool: &PgPool,
    table: &str,
    name: &str,
    random: &mut Random,
) -> Option<(String, String)> {
    // Of the checksum itself nobody can tell which row it was.
    if name == "checksum" {
        return None;
    }
    let sql = format!(
        "select checksum::text, {name}::text from {table} where {name} is not null \
         order by checksum"
    );
    let rows: Vec<(String, String)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
    (!rows.is_empty()).then(|| rows[random.below(rows.len())].clone())
}

/// The text of a value in which one bit is another.
fn flipped(text: &str, kind: &str, random: &mut Random) -> Option<String> {
    match kind {
        "boolean" => Some(if text == "true" { "false" } else { "true" }.to_owned()),
        "bigint" | "integer" | "smallint" => {
            let bits = if kind == "smallint" { 15 } else { 31 };
            Some((text.parse::<i64>().unwrap() ^ (1 << random.below(bits))).to_string())
        }
        _ => {
            let mut bytes = text.as_bytes().to_vec();
            let at = random.below(bytes.len().max(1));
            *bytes.get_mut(at)? ^= 1 << random.below(7);
            String::from_utf8(bytes).ok()
        }
    }
}

/// Writes a value past every reference; not where the server itself refuses it.
async fn set(
    pool: &PgPool,
    table: &str,
    name: &str,
    kind: &str,
    (key, value): (&str, &str),
) -> bool {
    let mut tx = pool.begin().await.unwrap();
    // References are watched over by triggers, which damage would not wake.
    sqlx::raw_sql("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    let sql = format!("update {table} set {name} = $1::{kind} where checksum = $2::bigint");
    let done = sqlx::query(AssertSqlSafe(sql)).bind(value).bind(key).execute(&mut *tx).await;
    let changed = done.is_ok_and(|done| done.rows_affected() == 1);
    if changed {
        tx.commit().await.unwrap();
    }
    changed
}
