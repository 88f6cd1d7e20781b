//! # dashtam
//!
//! A terminal portfolio dashboard for people with money in more than one place. This page is the
//! map of the code; `tests/import_rule.rs` keeps the table below true.
//!
//! The database is the only truth; whatever is shown is a projection of it.
//!
//! ```text
//!   files, forms, commands                              questions
//!           |                                               |
//!           v                                               v
//!        service ---- audit (ATTEMPTED, durable first)   service
//!           |                                               |
//!           v                                               v
//!        ledger: identify, check, version, tally         report: figures
//!           |                                               |
//!           +----------> store (SQLite | Postgres) <--------+
//! ```
//!
//! ## Rooms
//!
//! | room | what it is for | may import |
//! |---|---|---|
//! | [`model`] | nouns: money, accounts, securities, transactions, changes; no I/O | nothing of ours |
//! | [`clock`] | the only place that asks for the time | model |
//! | [`config`] | defaults, file, environment, flags; private files and folders | model |
//! | [`telemetry`] | rolling logs and reports of panics, without secrets | model, tasks |
//! | [`keys`] | the table of actions and their chords, as data | model |
//! | [`cli`] | the command line as clap sees it | model |
//! | [`tasks`] | every task and thread, by name; what becomes of a panic in one | nothing of ours |
//! | `fault` | panics that tests ask for; nothing in a released program | nothing of ours |
//! | [`analytics`] | verbs over the nouns: lots, rates, prices; pure functions | model |
//! | [`mod@import`], [`export`] | bytes to rows and rows to bytes, one file per format, pure | model |
//! | [`archive`] | the file of a backup: rows of tables, with checksums; pure | model |
//! | [`store`] | everything SQL, for both engines | model, archive, tasks |
//! | [`http`] | the one client: hosts, limits, retries and bounds; no address in a message | model, clock |
//! | [`vault`] | the key of a data folder; secrets sealed and opened with it | model, config, store, clock |
//! | [`audit`] | what happened: an attempt before, an outcome after, each proved by the next | model, config, store, vault, clock |
//! | [`credentials`] | what a connection shows to its service; renewed once, by one process | model, vault, audit, store, clock, tasks |
//! | [`provider`] | outside services that know accounts or prices: one file each, one table | model, http, clock |
//! | [`oauth`] | a consent by OAuth: the question, what the browser came back with, tokens; pure but for chance | model, http |
//! | [`figures`] | derived figures kept beside the rows: lots and cash of any day | model, analytics, store |
//! | [`ledger`] | the one door for writing facts | model, analytics, archive, store, figures, audit, clock, tasks |
//! | [`report`] | every figure that is shown or printed; of providers only their table | model, analytics, provider, http, store, figures, clock |
//! | [`refresh`] | what is due is fetched, judged and written, by one process at a time | model, analytics, provider, http, credentials, figures, ledger, report, store, audit, clock, tasks, fault |
//! | [`state`] | what the screen shows: a snapshot that is pushed, slices that are asked for | model, report, store, clock, tasks, fault |
//! | [`service`] | one file per verb that a person can ask for | everything above |
//! | [`tui`] | the dashboard: an event loop, panes, overlays | model, text, keys, state, service, config, clock, tasks, fault |
//! | [`cmd`] | one file per command; printing and exit codes live here alone | everything but a screen |
//!
//! ## A row of a file
//!
//! 1. `service::import` opens the file (a regular one, never through a link) and begins an attempt
//!    in the trail;
//! 2. `import` cuts it into rows; a row that is wrong is a row too, with line, column and reason;
//! 3. `model::Entry::check` gives it dashtam's signs and its amount, and refuses what does not fit
//!    together;
//! 4. `ledger::Intake` finds out what it means (account, security), what it is (its source's id, or
//!    its content and how many equal rows came before), and whether the store has it: new,
//!    duplicate, changed or in conflict;
//! 5. it is written with the claim that lets the import be taken back, the tally beside it, and the
//!    operation's mark, all in one transaction; then the outcome goes to the trail.
//!
//! A trial run is the same and ends with a rollback.
//!
//! ## A refreshed quote
//!
//! 1. the `refresh::Refresher` of a dashboard, or `--refresh-only`, asks `refresh::plan` what is due
//!    and why: how often each part of a connection is fetched, and when it was last;
//! 2. the lease is taken: a file lock beside a SQLite store, a lock of the session on Postgres, so
//!    that one process refreshes a store; whoever comes second waits or says who does. Whoever has it
//!    first settles what a process left half done that is gone: attempts without an outcome, and tokens
//!    that were presented and brought nothing back;
//! 3. `refresh::job` puts an attempt into the trail and asks the `provider` of the connection; of several
//!    that know prices each security is asked of one, the first of the order that works and knows it;
//! 4. `refresh::judge` leaves out what cannot be (of the future, in another currency, far from what
//!    it was, unless the next day bears it out) and keeps why; what a source does not know is remembered
//!    and not asked again for a while;
//! 5. `ledger` writes the rest in one transaction, if the lease is still held: rows through
//!    `Intake` as those of a file, closes and rates of days beside the others, a price from within
//!    the day as a tick, which serves on that day only; then the outcome goes to the trail;
//! 6. `refresh::alerts` asks `report::watch` what each alert sees now; what went past its bound since is
//!    noted by `ledger` once, in a log that outlives it. An import or a change by hand ends the same way;
//! 7. `state` hears of the write, waits 50 ms for more, reads and publishes, and the loop draws.
//!
//! ## A connected account
//!
//! 1. `service::connect` seals what its owner brought beside a new connection, in one transaction, and
//!    lets `credentials` exchange it at once; one that was stopped before that is exchanged by the next
//!    refresh, and one that was presented without an answer needs a new consent; keys, which serve again
//!    and again, are tried before they are kept, and nothing but a reading is ever sent with them;
//! 2. `refresh` opens the secret and makes the `provider::Line` to the service: its hosts, its limits
//!    with what was used of them, and nobody else; several services are asked at once, and
//!    what is told of a first history is kept window by window until it is stored, so that one that was
//!    cut off goes on where it stopped;
//! 3. a pure reader turns the answer into accounts, rows and what each account comes to; what is wrong
//!    in one of them is told beside the others;
//! 4. `ledger::deliver` writes it as above: which rows are those that were told before is found out by
//!    `succession`, what was there before the first row becomes an opening, and where the rows come to
//!    something else than the service says is a finding; nothing is corrected by itself.
//!
//! ## A figure
//!
//! Derived figures are kept, not replayed. Beside the rows `figures` keeps, for every security (with
//! those that corporate actions join it to), a page each half-year: its rows as the lots see them,
//! and the lots after the last of them; for every account and currency a page a year of its cash;
//! what each position comes to today, and for every account what it was worth and what happened to it
//! on each day. A write notes the days it touches and plays the lots from there on
//! again, in its own transaction. A report of today reads positions; one of a past day begins at the
//! page before it; another method or currency plays all pages. The days of accounts, and what they
//! are together beyond their sum, follow from
//! prices too and are not made by each write: they are true of one revision, a write carries those
//! before the first day it touches over to the next, and its command where that is quick, else a
//! dashboard in the background, imports of prices, refreshing and `rebuild` add what is missing; what
//! is not kept is computed. `rebuild` makes all of it again and
//! must find no difference.
//!
//! ## A change by hand
//!
//! `cmd`, or a form of `tui`, makes `model::Change`s; `service::edit` puts an attempt into the trail
//! and hands them to `ledger::apply_all`, which keeps what was as a version and writes what is, all of
//! them or none. What it did to each thing comes back as `ledger::Steps`, which lead back while nobody
//! else changed the same. An edit of a row that a
//! file brought is an overlay: what the source says stays beside it, and when the source changes
//! under it, that is a finding, not an overwrite.
//!
//! ## A backup
//!
//! `service::backup` walks the tables in one read snapshot, whose columns the database names, and
//! hands row after row to an `archive::Writer`. `service::restore` reads such a file to its end before
//! it touches anything; then `ledger::restore` writes the rows as they stood into an empty store and
//! makes the derived figures anew, in one transaction. A table is either in `store::ARCHIVED` or made
//! again. Whatever opens an older store backs it up before it migrates it.
//!
//! ## A secret
//!
//! `vault` seals what a connection keeps secret for the key of this data folder and for those of its
//! owner's other machines, with the connection and the generation inside; `store` keeps what it cannot
//! read; `service::vault` changes keys so that the key file opens all there is at any moment: it names
//! the new key beside the old one, everything is sealed anew in one transaction, then the old one goes.
//! Nobody else changes that file meanwhile, and none whose key is not the file's own still.
//!
//! A token that serves once goes through `credentials`: under the lease of the store it is marked as
//! presented, which only one can do; then it is shown to its service through `http`, in a task that
//! nobody cancels; what came back is durable before it is used. One that is marked and has no successor
//! is lost, and its connection needs a new consent.
//!
//! ## A record of the trail
//!
//! `audit` waits until nobody else adds a record, heals what a crash left (a record whose key was not
//! renewed), signs the new one with the key in `audit.key` together with the hash of the one before,
//! commits it by the trail's own connection, renews the key, writes the head, and last the line of the
//! daily file. `audit::verify` walks the chain from its first key, which the vault seals.
//!
//! ## Two engines, SQL once
//!
//! `store::Store` is an enum of two pools; queries are written once with `$n` placeholders, rows
//! once as records. Decimals are exact text in SQLite and `numeric` in Postgres and are never summed
//! or compared in SQL. Every business row carries a checksum of its columns.

pub mod analytics;
pub mod archive;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod cmd;
pub mod config;
pub mod credentials;
pub mod export;
mod fault;
pub mod figures;
pub mod http;
pub mod import;
pub mod keys;
pub mod ledger;
pub mod model;
pub mod oauth;
pub mod provider;
pub mod refresh;
pub mod report;
pub mod service;
pub mod state;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod text;
pub mod tui;
pub mod vault;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cli::Cli;
use clock::Clock;
use config::{Config, Database, Environment, Overrides, anew, private};
use service::{Access, Shown};
use telemetry::TelemetryConfig;
use telemetry::crash::{self, Crashes};

/// How long what is still being done may hold up the end.
const GRACE: Duration = Duration::from_secs(2);

/// The whole program: reads the command line, does what it says, gives the exit code.
#[must_use]
pub fn run() -> ExitCode {
    let crashes = Crashes::watch();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match cmd::parse(&arguments) {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    if let Some(code) = cmd::run_at_once(&cli) {
        return ExitCode::from(code);
    }
    if cmd::wants_screen(&cli) {
        anew::with_one_heap();
    }
    // Nothing that is read from here on may end in a core file; where the system does not allow
    // the promise there is nothing to be done about it.
    let _ = private::forbid_core_dumps();
    let code = panic::catch_unwind(AssertUnwindSafe(|| start(&cli, &crashes)));
    ExitCode::from(code.unwrap_or_else(|_| cmd::crashed(&cli.flags, crashes.last())))
}

/// Reads the configuration, opens the log and carries the command out.
fn start(cli: &Cli, crashes: &Crashes) -> u8 {
    // One provider of TLS for everybody; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let flags = cmd::overrides(&cli.flags);
    if matches!(cli.command, Some(cli::Command::Doctor)) {
        return examine(cli, &flags);
    }
    let config = match Config::load(&flags, &Environment::from_process()) {
        Ok(config) => config,
        Err(error) => return cmd::fail(&cli.flags, error.into()),
    };
    // While there is one thread, no log and no connection.
    if let Database::Postgres(_) = config.database.value
        && let Err(error) = anew::without_variables_of_the_driver()
    {
        return cmd::fail(&cli.flags, error.into());
    }
    let clock = Clock::system(config.timezone.value);
    crashes.keep_in(place_of_reports(&config, &clock));
    let log = match open_log(cli, &config, &clock) {
        Ok(log) => log,
        Err(error) => return cmd::fail(&cli.flags, error),
    };
    let engine = match config.database.value {
        Database::Sqlite(_) => "sqlite",
        Database::Postgres(_) => "postgres",
    };
    let profile = config.profile.value.as_deref().unwrap_or_default();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), engine, profile, "start");
    let screen = cmd::wants_screen(cli);
    // Reading for the screen must not hold up the thread that draws it, nor one question another.
    let mut runtime = match screen {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = match runtime.worker_threads(4).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cmd::fail(&cli.flags, error.into()),
    };
    let ended = panic::catch_unwind(AssertUnwindSafe(|| match screen {
        true => {
            let ended = runtime.block_on(show(cli, &config, &clock));
            cmd::end_of_dashboard(&cli.flags, ended)
        }
        false => runtime.block_on(cmd::run(cli, &config, &clock)),
    }));
    // What is still being done must not hold up the end.
    runtime.shutdown_timeout(GRACE);
    drop(log);
    match ended {
        Ok(code) => {
            if let Some(crash) = crashes.last() {
                cmd::tell_of_crash(&crash);
            }
            code
        }
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// Finds out what is wrong. No log: it leaves nothing behind.
fn examine(cli: &Cli, flags: &Overrides) -> u8 {
    let environment = Environment::from_process();
    let (config, broken) = Config::load_what_works(flags, &environment);
    let on_server = |config: &Config| matches!(config.database.value, Database::Postgres(_));
    // While there is one thread, as below.
    if config.as_ref().is_some_and(on_server)
        && let Err(error) = anew::without_variables_of_the_driver()
    {
        return cmd::fail(&cli.flags, error.into());
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cmd::fail(&cli.flags, error.into()),
    };
    runtime.block_on(cmd::examine(cli, config.as_ref(), broken.as_ref(), &environment))
}

/// Shows the dashboard; gives the signal that ended it, if one did.
async fn show(cli: &Cli, config: &Config, clock: &Clock) -> Result<Option<u8>, cmd::Failure> {
    let mut keyboard = tui::Keyboard::default();
    let mut ended = show_one(cli, config, clock, cli.demo, &mut keyboard).await?;
    if ended == tui::Ended::Demo {
        ended = show_one(cli, config, clock, true, &mut keyboard).await?;
    }
    match ended {
        tui::Ended::Quit | tui::Ended::Demo => Ok(None),
        tui::Ended::Signal(number) => Ok(Some(number)),
    }
}

/// Shows the store, or the demo.
async fn show_one(
    cli: &Cli,
    config: &Config,
    clock: &Clock,
    demo: bool,
    keyboard: &mut tui::Keyboard,
) -> Result<tui::Ended, cmd::Failure> {
    let terminal = config.terminal;
    if terminal.dumb {
        let why = "this terminal (TERM) cannot be written to in places";
        return Err(cmd::Failure::Terminal(why.to_owned()));
    }
    let read_only = cli.flags.read_only;
    let shown = match (demo, read_only) {
        (true, _) => Shown::Demo,
        (false, true) => Shown::Store(Access::Watch),
        (false, false) => Shown::Store(Access::Write),
    };
    let (keymap, conflicts) = keys::Keymap::with(&config.chosen_keys());
    let remembered = (!demo).then(|| config.taste_file());
    let taste = remembered.as_deref().map(config::Taste::read).unwrap_or_default();
    let after = |minutes: u16| {
        let wait = Duration::from_secs(60 * u64::from(minutes));
        Some(wait).filter(|wait| !wait.is_zero())
    };
    let options = tui::Options {
        keymap,
        colours: config.color.value.then_some(terminal.colours),
        ascii: !terminal.unicode,
        // Before anything is drawn: who hid amounts must not see them flash up.
        private: cli.flags.private || taste.private,
        theme: taste.theme.as_deref().and_then(tui::ThemeName::named).unwrap_or_default(),
        swapped: taste.swapped,
        tables: taste.tables,
        views: taste.views,
        visited: taste.visit,
        visited_before: taste.visit_before,
        memory: remembered.filter(|_| !read_only),
        read_only,
        cover: after(config.cover_minutes.value),
        lock: after(config.lock_minutes.value),
        view: state::View { as_of: cli.flags.as_of, closed: false },
        setup: (!demo && !taste.was_asked).then(|| tui::Proposal {
            currency: config.currency.unwrap_or(model::Currency::USD),
            zone: config.timezone.value,
        }),
        notice: conflicts.first().map(|conflict| format!("config: {conflict}; see `dashtam keys`")),
    };
    let refreshed = match (read_only, demo) {
        (true, _) => None,
        (false, true) => Some(service::demo::CADENCE.into()),
        (false, false) => Some(service::refresh::How::of(config)),
    };
    let backed_up = Arc::new(OnceLock::new());
    let opened = shown.open(config.clone(), clock.clone());
    let opening = Box::pin(remember_backup(opened, Arc::clone(&backed_up)));
    let screen = tui::run(shown.waiting(), opening, refreshed, options, true, keyboard);
    let ended = Box::pin(screen).await;
    if let Some(path) = backed_up.get() {
        cmd::tell_of_backup(path);
    }
    match ended {
        Ok(ended) => Ok(ended),
        Err(tui::Error::Opening(error)) => Err(cmd::Failure::Service(error.about(config))),
        // Reported already; it ends the program as a panic here would.
        Err(tui::Error::Panicked) => panic::resume_unwind(Box::new("opening")),
        Err(error @ tui::Error::Terminal(_)) => Err(cmd::Failure::Terminal(error.to_string())),
    }
}

/// Keeps where the store was backed up before a migration, to be said when the screen is gone.
async fn remember_backup(
    opening: impl Future<Output = Result<service::Opened, service::Error>>,
    backed_up: Arc<OnceLock<PathBuf>>,
) -> Result<service::Opened, service::Error> {
    let opened = opening.await?;
    if let Some(path) = opened.session.backed_up() {
        let _ = backed_up.set(path.to_owned());
    }
    Ok(opened)
}

/// Where reports of panics are kept: beside the log.
fn place_of_reports(config: &Config, clock: &Clock) -> crash::Place {
    let time = clock.clone();
    crash::Place {
        folder: config.log_dir(),
        make: private::create_dir_private,
        open: private::append_private,
        now: Arc::new(move || time.now()),
    }
}

/// The log of a command that leaves traces; one that only looks writes none.
fn open_log(
    cli: &Cli,
    config: &Config,
    clock: &Clock,
) -> Result<Option<telemetry::Guard>, service::Error> {
    if !cmd::leaves_traces(cli, config) {
        return Ok(None);
    }
    config.prepare_folders()?;
    let time = clock.clone();
    let guard = telemetry::init(&TelemetryConfig {
        folder: config.log_dir(),
        level: config.log_level.value,
        keep_days: config.log_keep_days.value,
        mirror: cli.flags.verbose > 0,
        now: Arc::new(move || time.now()),
        open: private::append_private,
    });
    // A log that cannot be written must not keep anybody from their figures.
    Ok(guard.ok())
}
