//! The sample household in a throw-away store: loaded through the same door as anybody's files.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Cursor};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use rustix::fs::OFlags;
use serde::Deserialize;
use tempfile::TempDir;

use super::refresh::Cadence;
use super::{Access, Error, Session};
use crate::clock::Clock;
use crate::config::{Config, Environment, Overrides};
use crate::import::{NeutralReader, PriceReader};
use crate::ledger::{self, Content, Intake, Options, Survey};
use crate::model::{
    AlertOf, AlertTerms, AssetClass, Currency, Dec, Item, Mention, NewAccount, SafeText,
    SecurityWords, Setting, Side, WatchTerms,
};
use crate::store::BatchFile;

const PREFIX: &str = "dashtam-demo-";
/// How often a folder is made before that is given up.
const ATTEMPTS: usize = 5;
const HOUSEHOLD: &str = include_str!("../../assets/demo/household.toml");
const TRANSACTIONS: &str = include_str!("../../assets/demo/transactions.csv");
const PRICES: &str = include_str!("../../assets/demo/prices.csv");

/// What the household's CSV files cannot say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Household {
    settings: std::collections::BTreeMap<String, String>,
    account: Vec<NewAccount>,
    balance: Vec<HouseholdBalance>,
    category: Vec<HouseholdCategory>,
    security: Vec<HouseholdSecurity>,
    watch: Vec<HouseholdWatch>,
    alert: Vec<HouseholdAlert>,
    target: Vec<HouseholdTarget>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdBalance {
    account: SafeText,
    date: String,
    amount: Dec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdCategory {
    name: SafeText,
    parent: Option<SafeText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdSecurity {
    symbol: SafeText,
    name: SafeText,
    asset_class: AssetClass,
    currency: Currency,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdWatch {
    symbol: SafeText,
    list: Option<SafeText>,
    target: Option<Dec>,
    units_of: Option<String>,
    note: Option<SafeText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdAlert {
    symbol: SafeText,
    what: AlertOf,
    side: Side,
    bound: Dec,
    note: Option<SafeText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HouseholdTarget {
    by: SafeText,
    key: SafeText,
    weight: Dec,
}

/// The household's market never sleeps.
pub const CADENCE: Cadence =
    Cadence { quotes: TimeDelta::seconds(2), accounts: TimeDelta::seconds(20) };

/// Opens a throw-away store with the sample household in it. The folder goes when it is dropped.
///
/// # Errors
/// When the temporary folder or the store cannot be made.
pub async fn open(clock: &Clock) -> Result<(Session, TempDir), Error> {
    clear_up();
    let (folder, lock) = make_folder()?;
    let flags = Overrides { data_dir: Some(folder.path().to_owned()), ..Overrides::default() };
    let config = Config::load(&flags, &Environment::default())?;
    let mut session = Session::open(&config, clock, Access::Write).await?;
    session.folder = Some(Arc::new(lock));
    load(&session).await?;
    connect(&session).await?;
    Ok((session, folder))
}

/// A folder that nobody clears up while it is locked.
fn make_folder() -> io::Result<(TempDir, File)> {
    for _ in 0..ATTEMPTS {
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        // Whoever is clearing up may have come first.
        if let Some(lock) = lock(folder.path())? {
            return Ok((folder, lock));
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Removes the folders of demos that were killed.
fn clear_up() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && let Ok(Some(_lock)) = lock(&entry.path())
        {
            // What cannot be removed stays for the next start.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Locks a folder; none: it is not ours, or somebody else has it.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::DIRECTORY;
    let flags = flags.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let data = file.metadata()?;
    let uid = rustix::process::geteuid().as_raw();
    if data.uid() != uid || data.mode() & 0o7777 != 0o700 || file.try_lock().is_err() {
        return Ok(None);
    }
    // It may be gone since it was opened.
    let there = std::fs::symlink_metadata(folder);
    let same = there.is_ok_and(|there| (there.dev(), there.ino()) == (data.dev(), data.ino()));
    Ok(same.then_some(file))
}

/// Loads the sample household into a store.
async fn load(session: &Session) -> Result<(), Error> {
    let contents = contents()?;
    let mut survey = Survey::default();
    for content in &contents {
        survey.note(content);
    }
    let attempt = session.attempt("import", "the sample household").await?;
    let tx = session.store.write().await?;
    let op = attempt.op().to_string();
    let mut intake = Intake::begin(tx, &survey, Options::default(), &op, session.now()).await?;
    for (content, line) in contents.into_iter().zip(1..) {
        if let Err(refusal) = intake.push(0, line, "", content).await? {
            return Err(damaged(&refusal));
        }
    }
    let counts = intake.settle().await?.counts.first().copied().unwrap_or_default();
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let file = BatchFile {
        path: "the sample household".to_owned(),
        format: "demo".to_owned(),
        rows: number(counts.new + counts.duplicate),
        new: number(counts.new),
        duplicate: number(counts.duplicate),
        ..BatchFile::default()
    };
    intake.commit(vec![file]).await?;
    attempt.succeeded("the sample household").await?;
    Ok(())
}

/// What is new in the household comes from a provider that invents it.
async fn connect(session: &Session) -> Result<(), Error> {
    let (provider, label) = ("simulated", SafeText::new("Simulated"));
    let attempt = session.attempt("connect", &format!("provider={provider}")).await?;
    let id = ledger::connect(&session.store, provider, &label, None, attempt.op(), session.now())
        .await?;
    attempt.succeeded(&format!("connection={id}")).await?;
    Ok(())
}

/// Everything of the household, in the order in which it is loaded.
fn contents() -> Result<Vec<Content>, Error> {
    let household: Household = toml::from_str(HOUSEHOLD).map_err(|error| damaged(&error))?;
    let mut contents: Vec<Content> =
        household.items()?.into_iter().map(|item| Content::Item(Box::new(item))).collect();
    let mut rows =
        NeutralReader::new(Cursor::new(TRANSACTIONS)).map_err(|error| damaged(&error))?;
    while let Some(row) = rows.next_row().map_err(|error| damaged(&error))? {
        let entry = row.parsed.map_err(|error| damaged(&error))?;
        let drafts = entry.check().map_err(|error| damaged(&error))?;
        contents.push(Content::Drafts(drafts));
    }
    let mut rows = PriceReader::new(Cursor::new(PRICES)).map_err(|error| damaged(&error))?;
    while let Some(row) = rows.next_row().map_err(|error| damaged(&error))? {
        let quote = row.parsed.map_err(|error| damaged(&error))?;
        contents.push(Content::Quote(Box::new(quote)));
    }
    Ok(contents)
}

/// A security by its symbol alone.
const fn named(symbol: SafeText) -> Mention {
    Mention { symbol, currency: None, venue: None, isin: None }
}

impl Household {
    fn items(self) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        for (key, value) in self.settings {
            let setting = Setting::parse(&key).map_err(|error| damaged(&error))?;
            items.push(Item::Setting(setting, value));
        }
        items.extend(self.account.into_iter().map(|mut account| {
            account.institution = account.institution.filter(|name| !name.is_empty());
            Item::Account { account, derived: false }
        }));
        for HouseholdBalance { account, date, amount } in self.balance {
            let date: NaiveDate = date.parse().map_err(|error| damaged(&error))?;
            items.push(Item::Balance { account, date, amount });
        }
        for HouseholdCategory { name, parent } in self.category {
            items.push(Item::Category { name, parent });
        }
        for security in self.security {
            items.push(Item::Security(SecurityWords {
                symbol: security.symbol,
                currency: security.currency,
                venue: None,
                isin: None,
                cusip: None,
                figi: None,
                name: Some(security.name),
                class: Some(security.asset_class),
                sector: None,
                region: None,
                tags: None,
                derived: false,
            }));
        }
        for HouseholdWatch { symbol, list, target, units_of, note } in self.watch {
            let units_of = units_of.map(|day| day.parse()).transpose();
            let units_of = units_of.map_err(|error: chrono::ParseError| damaged(&error))?;
            let terms = WatchTerms { list, note, target, units_of, said_in: None };
            items.push(Item::Watch(named(symbol), terms));
        }
        for HouseholdAlert { symbol, what: of, side, bound, note } in self.alert {
            let (units_of, said_in, snoozed) = (None, None, None);
            let terms = AlertTerms { of, side, bound, note, units_of, said_in, snoozed };
            items.push(Item::Alert(named(symbol), terms));
        }
        for HouseholdTarget { by, key, weight } in self.target {
            items.push(Item::Target { dimension: by, key, weight, band: None });
        }
        Ok(items)
    }
}

/// The household is part of the program; a test reads it, so this is never seen.
fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::Value { what: "the sample household", why: error.to_string() }
}
