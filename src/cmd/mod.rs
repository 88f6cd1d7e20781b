//! The commands, one file each: they ask `service` and `report`, and print what comes back.
//!
//! Data goes to stdout, everything else to stderr. Printing and exit codes live here and nowhere
//! else; what a figure means does not.

mod account;
mod alert;
mod allocation_plan;
mod audit;
mod backup;
mod completions;
mod connect;
mod consent;
mod demo;
mod doctor;
mod exit;
mod explain;
mod export;
mod import;
mod json;
mod keys;
mod man;
mod migrate;
mod output;
mod price;
mod prompt;
mod rebuild;
mod refresh;
mod report_accounts;
mod report_allocation;
mod report_coverage;
mod report_findings;
mod report_gains;
mod report_holdings;
mod report_income;
mod report_lots;
mod report_methods;
mod report_net_worth;
mod report_performance;
mod report_transactions;
mod reports;
mod security;
mod security_splits;
mod settings;
mod table;
mod target;
mod txn;
mod vault;
mod watch;

use std::ffi::OsString;
use std::io::IsTerminal;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{
    self, AlertCommand, Cli, Command, Flags, RefreshArgs, SettingsCommand, TargetCommand,
    WatchCommand,
};
use crate::clock::Clock;
use crate::config::{Config, Overrides};
use crate::export::cells;
use crate::model::{Edit, SafeText, choices};
use crate::service::edit::Applied;
use crate::service::{self, Access, Session};
use crate::telemetry::crash::Crash;
use crate::text::Figures;

pub use backup::tell as tell_of_backup;
use exit::{Error, Manner, Status};
use json::Changed;
use output::{Output, note};

const USAGE_HINT: &str = "`--help` after the command shows what it takes";
/// How many bytes of what was written are repeated.
const ECHO: usize = 40;
const NO_TERMINAL: &str = "the dashboard needs a terminal to read from and to draw on";

/// Reads the command line. Where it is wrong or only asks for help, that is said, and the exit
/// code comes back instead.
pub fn parse(arguments: &[OsString]) -> Result<Cli, u8> {
    let mut out = Output::stdout();
    Cli::try_parse_from(arguments).map_err(|error| {
        let manner = Manner { json: cli::wants_json(arguments), private: false };
        exit::finish(answer(&error, manner, &mut out), manner, &mut out)
    })
}

/// Help and version are answers; anything else is wrong.
fn answer(error: &clap::Error, manner: Manner, out: &mut Output) -> Result<Status, Error> {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out.line(text.trim_end()).map(|()| Status::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            if !manner.json {
                note(text.trim_end());
            }
            Err(command_line("a command or an argument is missing".to_owned()))
        }
        _ => Err(command_line(one_line(&in_short(error, text)))),
    }
}

/// What the parser says without a repetition of all that was written, or of all that could be.
fn in_short(error: &clap::Error, mut text: String) -> String {
    let word = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(word)) => SafeText::capped(word, ECHO),
        _ => SafeText::default(),
    };
    for (kind, value) in error.context() {
        match (kind, value) {
            (_, ContextValue::String(said)) if said.len() > ECHO => {
                text = text.replace(said.as_str(), SafeText::capped(said, ECHO).as_str());
            }
            (ContextKind::ValidValue, ContextValue::Strings(known)) => {
                let near = choices(word.as_str(), &known.join(" "));
                let known = known.join(", ");
                text = text.replace(&format!("possible values: {known}"), &near);
            }
            _ => {}
        }
    }
    text
}

fn command_line(message: String) -> Error {
    Error::CommandLine { message, hint: USAGE_HINT }
}

/// What the parser says before it repeats the usage.
fn one_line(text: &str) -> String {
    let said = text.split("\n\nUsage:").next().unwrap_or(text);
    let said = said.split("\n\nFor more information").next().unwrap_or(said);
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let parts =
        said.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    parts.collect::<Vec<_>>().join("; ")
}

/// Carries out what needs neither a configuration nor a store, if that is what was asked.
pub fn run_at_once(cli: &Cli) -> Option<u8> {
    let mut out = Output::stdout();
    let done = match &cli.command {
        _ if check(cli).is_err() => check(cli).map(|()| Status::Done),
        Some(Command::Completions { shell }) => completions::run(*shell, &mut out),
        Some(Command::Man) => man::run(&mut out),
        None if !cli.demo && !cli.refresh_only && !wants_screen(cli) => Err(no_terminal()),
        _ => return None,
    };
    Some(exit::finish(done, manner(&cli.flags), &mut out))
}

/// Whether the dashboard is asked for, by somebody in front of a terminal.
pub fn wants_screen(cli: &Cli) -> bool {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    cli.command.is_none() && !cli.refresh_only && !cli.flags.json && terminal
}

fn no_terminal() -> Error {
    Error::Terminal(NO_TERMINAL.to_owned())
}

/// How the dashboard ended: by itself, by a signal, or before it began.
pub fn end_of_dashboard(flags: &Flags, ended: Result<Option<u8>, Failure>) -> u8 {
    let done = match ended {
        Ok(None) => Ok(Status::Done),
        Ok(Some(number)) => Err(Error::Signal(number)),
        Err(Failure::Terminal(why)) => Err(Error::Terminal(why)),
        Err(Failure::Service(error)) => Err(error.into()),
    };
    exit::finish(done, manner(flags), &mut Output::stdout())
}

/// Why there is no dashboard.
#[derive(Debug)]
pub enum Failure {
    /// The terminal will not do.
    Terminal(String),
    /// The store cannot be opened.
    Service(service::Error),
}

/// Says that a mistake of our own has ended the program, and gives the exit code.
pub fn crashed(flags: &Flags, crash: Option<Crash>) -> u8 {
    exit::finish(Err(Error::Panicked(crash)), manner(flags), &mut Output::stdout())
}

/// Says that a mistake of our own has ended a part of the program, which began anew.
pub fn tell_of_crash(crash: &Crash) {
    let told = exit::about(Some(crash));
    note(&format!("dashtam: a part of it failed unexpectedly and began anew; {told}"));
}

/// What the flags say about the configuration.
pub fn overrides(flags: &Flags) -> Overrides {
    Overrides {
        config: flags.config.clone(),
        data_dir: flags.data_dir.clone(),
        database: flags.database.clone(),
        profile: flags.profile.clone(),
        json: flags.json,
        private: flags.private,
        read_only: flags.read_only,
        no_color: flags.no_color,
        verbose: flags.verbose,
        as_of: flags.as_of,
    }
}

/// Looks at everything there is, be the configuration right or not.
pub use doctor::run as examine;

/// Says why the program could not even start, and gives the exit code.
pub fn fail(flags: &Flags, error: service::Error) -> u8 {
    exit::finish(Err(error.into()), manner(flags), &mut Output::stdout())
}

/// Whether a command leaves anything behind, be it a line in a log.
pub fn leaves_traces(cli: &Cli, config: &Config) -> bool {
    let writes = |command: &Command| match access(command) {
        Access::Write => true,
        Access::Existing => service::is_there(config),
        Access::Look | Access::Watch => false,
    };
    !cli.flags.read_only && !cli.demo && cli.command.as_ref().is_none_or(writes)
}

/// Carries out a command and gives the exit code.
pub async fn run(cli: &Cli, config: &Config, clock: &Clock) -> u8 {
    for warning in config.warnings() {
        note(&format!("dashtam: warning: {}", SafeText::new(&warning.to_string())));
    }
    let in_colour = config.color.value && !cli.flags.private;
    let out = Output::stdout().in_colour(in_colour);
    let mut job = Job { config, clock, flags: &cli.flags, out };
    let done = match &cli.command {
        Some(command) => job.carry_out(command).await,
        None if cli.demo => demo::run(&mut job, refresh_only(cli).as_ref()).await,
        None => {
            let command = Command::Refresh(refresh_only(cli).unwrap_or_default());
            job.carry_out(&command).await
        }
    };
    exit::finish(done, manner(&cli.flags), &mut job.out)
}

/// What `--refresh-only` asks for.
fn refresh_only(cli: &Cli) -> Option<RefreshArgs> {
    cli.refresh_only.then(|| RefreshArgs { wait: cli.wait, ..RefreshArgs::default() })
}

fn manner(flags: &Flags) -> Manner {
    Manner { json: flags.json, private: flags.private }
}

/// One command on its way: what it was given and where it writes.
struct Job<'a> {
    config: &'a Config,
    clock: &'a Clock,
    flags: &'a Flags,
    out: Output,
}

/// Empties a field by `--clear`, which is no field that is set at the same time.
fn empty<T>(field: &mut Edit<T>) -> Result<(), Error> {
    if let Edit::Set(_) = field {
        return Err(Error::Usage("a field is either set or emptied with --clear; choose one"));
    }
    *field = Edit::Clear;
    Ok(())
}

impl Job<'_> {
    /// Tells of a change by hand: as a document, or in words.
    fn changed(&mut self, applied: &Applied, said: &str) -> Result<Status, Error> {
        match self.flags.json {
            true => self.out.json(&Changed::from(applied))?,
            false => self.out.line(said)?,
        }
        Ok(Status::Done)
    }

    async fn carry_out(&mut self, command: &Command) -> Result<Status, Error> {
        match command {
            Command::Migrate { admin_url } => {
                return migrate::run(self, admin_url.as_ref()).await;
            }
            Command::Restore { file, check } => {
                return backup::restore(self, file, *check).await;
            }
            Command::Keys => return keys::run(self),
            _ => {}
        }
        let session = self.open(access(command)).await?;
        let done = self.in_session(&session, command).await;
        session.close().await;
        done.map_err(|error| match error {
            Error::Service(error) => error.about(self.config).into(),
            other => other,
        })
    }

    async fn in_session(&mut self, session: &Session, command: &Command) -> Result<Status, Error> {
        match command {
            Command::Import(args) => import::run(self, session, args).await,
            Command::Export(args) => export::run(self, session, args).await,
            Command::Account(command) => account::run(self, session, command).await,
            Command::Txn(command) => txn::run(self, session, command).await,
            Command::Price(command) => price::run(self, session, command).await,
            Command::Security(command) => security::run(self, session, command).await,
            Command::Settings(command) => settings::run(self, session, command).await,
            Command::Target(command) => target::run(self, session, command).await,
            Command::Watch(command) => watch::run(self, session, command).await,
            Command::Alert(command) => alert::run(self, session, command).await,
            Command::Report(command) => reports::run(self, session, command).await,
            Command::Refresh(args) => {
                let how = service::refresh::How::of(self.config);
                refresh::run(self, session, &how, args).await
            }
            Command::Vault(command) => vault::run(self, session, command).await,
            Command::Connect(args) => connect::connect(self, session, args).await,
            Command::Disconnect { name } => connect::disconnect(self, session, name).await,
            Command::Connections { command: None } => connect::list(self, session).await,
            Command::Connections { command: Some(command) } => {
                connect::pause(self, session, command).await
            }
            Command::Audit(command) => audit::run(self, session, command).await,
            Command::Rebuild { check } => rebuild::run(self, session, *check).await,
            Command::Backup { file, force } => backup::backup(self, session, file, *force).await,
            // Done before there is a session.
            Command::Migrate { .. }
            | Command::Doctor
            | Command::Restore { .. }
            | Command::Keys
            | Command::Completions { .. }
            | Command::Man => Ok(Status::Done),
        }
    }

    async fn open(&self, access: Access) -> Result<Session, Error> {
        let access = if self.flags.read_only { Access::Look } else { access };
        let opened = Session::open(self.config, self.clock, access).await;
        let session = opened.map_err(|error| error.about(self.config))?;
        if let Some(path) = session.backed_up() {
            tell_of_backup(path);
        }
        Ok(session)
    }

    const fn figures(&self) -> Figures {
        Figures::plain(self.flags.private)
    }
}

/// What a command needs of the store. An export leaves an attempt and its outcome in the trail.
fn access(command: &Command) -> Access {
    let looks = match command {
        Command::Import(args) => import::only_looks(args),
        Command::Account(command) => account::only_looks(command),
        Command::Security(command) => security::only_looks(command),
        Command::Settings(command) => !matches!(command, SettingsCommand::Set { .. }),
        Command::Target(command) => matches!(command, TargetCommand::List),
        Command::Watch(command) => matches!(command, WatchCommand::List),
        Command::Alert(command) => matches!(command, AlertCommand::List | AlertCommand::Log),
        Command::Report(command) => reports::only_looks(command),
        Command::Vault(command) => vault::only_looks(command),
        Command::Rebuild { check } | Command::Restore { check, .. } => *check,
        Command::Audit(command) if !audit::only_looks(command) => return Access::Existing,
        Command::Audit(_)
        | Command::Connections { command: None }
        | Command::Doctor
        | Command::Keys
        | Command::Completions { .. }
        | Command::Man => true,
        // What is not there cannot be taken along.
        Command::Export(_) | Command::Backup { .. } => return Access::Existing,
        Command::Txn(_)
        | Command::Price(_)
        | Command::Migrate { .. }
        | Command::Refresh(_)
        | Command::Connect(_)
        | Command::Connections { command: Some(_) }
        | Command::Disconnect { .. } => false,
    };
    if looks { Access::Look } else { Access::Write }
}

/// What can be wrong with the command line beyond its grammar. Nothing has been touched yet.
fn check(cli: &Cli) -> Result<(), Error> {
    let flags = &cli.flags;
    if cli.refresh_only {
        check_refresh_only(cli)?;
    }
    let Some(command) = &cli.command else { return Ok(()) };
    if cli.demo {
        return Err(Error::Usage("--demo shows the sample portfolio and takes no command"));
    }
    if flags.as_of.is_some() && !matches!(command, Command::Report(_)) {
        return Err(Error::Usage("--as-of goes with reports only; leave it out here"));
    }
    match command {
        Command::Import(args) => import::check(args)?,
        Command::Export(args) => export::check(args, flags)?,
        Command::Connect(args) => connect::check(args)?,
        Command::Backup { .. } if flags.private => {
            return Err(Error::Usage("a backup is full of amounts; leave --private out"));
        }
        Command::Report(command) => reports::check(command, flags)?,
        _ => {}
    }
    let exports = match command {
        Command::Export(_) => true,
        Command::Audit(command) => audit::may_look(command),
        _ => false,
    };
    if flags.read_only && !exports && access(command) != Access::Look {
        return Err(service::Error::ReadOnly.into());
    }
    Ok(())
}

fn check_refresh_only(cli: &Cli) -> Result<(), Error> {
    if cli.command.is_some() {
        return Err(Error::Usage(
            "--refresh-only is a command by itself; leave one of the two out",
        ));
    }
    if cli.flags.as_of.is_some() {
        return Err(Error::Usage("--as-of goes with reports only; leave it out here"));
    }
    if cli.flags.read_only {
        return Err(service::Error::ReadOnly.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_says_becomes_one_line() {
        let text = "error: unrecognized subcommand 'reprot'\n\n  tip: a similar subcommand exists: \
             'report'\n\nUsage: dashtam [OPTIONS]\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(text),
            "unrecognized subcommand 'reprot'; tip: a similar subcommand exists: 'report'"
        );
        let text = "error: the following required arguments were not provided:\n  --kind <KIND>\n  \
             --currency <CURRENCY>\n\nUsage: x\n";
        assert_eq!(
            one_line(text),
            "the following required arguments were not provided: --kind <KIND> --currency <CURRENCY>"
        );
    }

    #[test]
    fn flags_that_do_not_fit_are_refused_before_anything_is_touched() {
        let refused = |line: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            check(&cli).is_err()
        };
        for wrong in [
            "dashtam --demo report accounts",
            "dashtam migrate --as-of 2024-01-02",
            "dashtam report accounts --csv --json",
            "dashtam report transactions --to 2024-01-02 --as-of 2024-01-03",
            "dashtam import a.csv --read-only",
            "dashtam rebuild --read-only",
            "dashtam import --strict list",
            "dashtam settings set base_currency CAD --read-only",
            "dashtam export --what all",
            "dashtam export --private",
            "dashtam export --read-only --out x",
            "dashtam --refresh-only --read-only",
            "dashtam --refresh-only --as-of 2024-01-02",
            "dashtam --refresh-only report accounts",
            "dashtam refresh --read-only",
            "dashtam backup x --read-only",
            "dashtam backup x --private",
            "dashtam restore x --read-only",
        ] {
            assert!(refused(wrong), "{wrong}");
        }
        for right in [
            "dashtam --demo --as-of 2024-01-02",
            "dashtam report accounts --as-of 2024-01-02 --read-only",
            "dashtam report transactions --to 2024-01-02 --as-of 2024-01-02",
            "dashtam import list --read-only",
            "dashtam rebuild --check --read-only",
            "dashtam --demo --refresh-only --json",
            "dashtam --refresh-only --wait 0",
            "dashtam refresh --connection Bank --accounts-only --force --wait 5",
            "dashtam settings get base_currency --read-only",
            "dashtam restore x --check --read-only",
            "dashtam export --what all --format json --read-only",
        ] {
            assert!(!refused(right), "{right}");
        }
    }
}
