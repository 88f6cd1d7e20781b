//! What the reports share: their dispatch, the checks of their spans, the day and the account that
//! they are asked for, and how they say what is missing. It knows no figure.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::cells::Cell;
use super::exit::{Error, Status};
use super::explain::{self, Asked};
use super::json;
use super::table::Table;
use super::{
    report_accounts, report_allocation, report_coverage, report_findings, report_gains,
    report_holdings, report_income, report_lots, report_net_worth, report_performance,
    report_transactions,
};
use crate::cli::{Flags, Form, ReportCommand, Scope};
use crate::model::{AccountId, Currency, LotMethod, SafeText, Setting};
use crate::report::{self, Explanation, Missing, PositionsQuery};
use crate::service::Session;
use crate::service::edit::{account_named, settings};
use crate::store::Tx;
use crate::text::Figures;

/// How much of what is missing is told one by one.
const TOLD: usize = 5;

/// What can be wrong with the options of a report beyond their grammar.
pub fn check(command: &ReportCommand, flags: &Flags) -> Result<(), Error> {
    let (csv, explain) = match command {
        ReportCommand::Accounts(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Holdings(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Lots(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::NetWorth(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Gains(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Allocation(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Income(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Performance(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Coverage(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Transactions(args) => (args.form.csv, args.form.explain.is_some()),
        ReportCommand::Findings(args) => (args.form.csv, args.form.explain.is_some()),
    };
    if csv && flags.json {
        return Err(Error::Usage("--csv and --json exclude each other; choose one"));
    }
    match command {
        ReportCommand::Performance(args) => check_span(args.from, args.to, flags),
        ReportCommand::Transactions(args) => check_span(args.from, args.to, flags),
        ReportCommand::Allocation(args) if args.out.is_some() && flags.private => {
            Err(Error::Usage("a plan in a file is full of amounts; leave --private out"))
        }
        ReportCommand::Income(args) => check_span(args.from, args.to, flags),
        ReportCommand::NetWorth(args) => {
            if explain && args.every.is_some() {
                return Err(Error::Usage("--explain is about one day; leave --every out"));
            }
            check_span(args.from, args.to, flags)
        }
        ReportCommand::Gains(args) => {
            if args.tax_year.is_some() && flags.as_of.is_some() {
                return Err(Error::Usage("--tax-year ends on 31 December; leave --as-of out"));
            }
            check_span(args.from, args.to, flags)
        }
        _ => Ok(()),
    }
}

/// Whether it changes nothing and writes no file.
pub const fn only_looks(command: &ReportCommand) -> bool {
    match command {
        ReportCommand::Allocation(args) => args.out.is_none(),
        _ => true,
    }
}

/// `--as-of` is another word for `--to`.
fn check_span(from: Option<NaiveDate>, to: Option<NaiveDate>, flags: &Flags) -> Result<(), Error> {
    if to.is_some() && flags.as_of.is_some() && to != flags.as_of {
        return Err(Error::Usage("--as-of means --to here; give one of them"));
    }
    if let (Some(from), Some(to)) = (from, to.or(flags.as_of))
        && from > to
    {
        return Err(Error::Usage("--from is a later day than --to; exchange them"));
    }
    Ok(())
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &ReportCommand,
) -> Result<Status, Error> {
    match command {
        ReportCommand::Accounts(args) => report_accounts::run(job, session, args).await,
        ReportCommand::Holdings(args) => report_holdings::run(job, session, args).await,
        ReportCommand::Lots(args) => report_lots::run(job, session, args).await,
        ReportCommand::Transactions(args) => report_transactions::run(job, session, args).await,
        ReportCommand::NetWorth(args) => report_net_worth::run(job, session, args).await,
        ReportCommand::Gains(args) => report_gains::run(job, session, args).await,
        ReportCommand::Allocation(args) => report_allocation::run(job, session, args).await,
        ReportCommand::Income(args) => report_income::run(job, session, args).await,
        ReportCommand::Performance(args) => report_performance::run(job, session, args).await,
        ReportCommand::Coverage(args) => report_coverage::run(job, session, args).await,
        ReportCommand::Findings(args) => report_findings::run(job, session, args).await,
    }
}

/// The account of a flag.
pub async fn account(
    session: &Session,
    name: Option<&SafeText>,
) -> Result<Option<AccountId>, Error> {
    match name {
        Some(name) => Ok(Some(account_named(session, name.as_str()).await?.id)),
        None => Ok(None),
    }
}

/// The day of a report: as asked for, else today.
pub fn day(job: &Job<'_>, session: &Session, to: Option<NaiveDate>) -> NaiveDate {
    to.or(job.flags.as_of).unwrap_or_else(|| session.clock.today())
}

/// The question of the reports about positions.
pub async fn positions(
    job: &Job<'_>,
    session: &Session,
    scope: &Scope,
    method: Option<LotMethod>,
    closed: bool,
) -> Result<PositionsQuery, Error> {
    Ok(PositionsQuery {
        as_of: day(job, session, None),
        today: session.clock.today(),
        account: account(session, scope.account.as_ref()).await?,
        currency: scope.currency,
        method,
        closed,
    })
}

/// The base currency of the store.
pub async fn base_currency(session: &Session) -> Result<Currency, Error> {
    let all = settings(session).await?.into_iter();
    let mut base = all.filter(|(setting, ..)| *setting == Setting::BaseCurrency);
    let code = base.find_map(|(_, value, _)| value);
    Ok(code.and_then(|code| code.parse().ok()).unwrap_or(Currency::USD))
}

/// Prints a report, or how one figure of it came about; `main` is the figure of a bare key.
pub async fn answer<R: Shown>(
    job: &mut Job<'_>,
    session: &Session,
    form: &Form,
    main: &str,
    report: impl AsyncFnOnce(&mut Tx) -> report::Result<R>,
    explain: impl AsyncFnOnce(&mut Tx, &SafeText) -> Result<Vec<Explanation>, report::Error>,
) -> Result<Status, Error> {
    let mut tx = session.store.read().await?;
    if let Some(key) = &form.explain {
        let asked = Asked::parse(key, R::HEADER);
        let found = explain(&mut tx, &asked.key).await?;
        drop(tx);
        return explain::print(job, &asked, main, &found);
    }
    let report = report(&mut tx).await?;
    drop(tx);
    print(job, &report, form.csv)?;
    Ok(Status::Done)
}

/// A report in each of its forms.
pub trait Shown {
    /// Its columns as CSV, by whose names a figure is explained.
    const HEADER: &'static [&'static str];

    /// The columns as they are printed, where what was asked for has others.
    fn header(&self) -> &'static [&'static str] {
        Self::HEADER
    }

    fn document(&self, figures: Figures) -> impl Serialize;
    fn cells(&self, figures: Figures) -> impl Iterator<Item = Vec<Cell>>;
    fn table(&self, figures: Figures) -> Table;
    fn missing(&self) -> &[Missing];
    /// What else is to be said beside a table.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Prints a report in the form that was asked for.
pub fn print<R: Shown>(job: &mut Job<'_>, report: &R, csv: bool) -> Result<(), Error> {
    let figures = job.figures();
    if job.flags.json {
        return job.out.json(&report.document(figures));
    }
    if csv {
        job.out.csv(report.header(), report.cells(figures))?;
    } else {
        job.out.table(&report.table(figures))?;
    }
    for note in report.notes() {
        job.out.aside(&note)?;
    }
    tell_missing(job, report.missing())
}

/// What stands beside the total of a table: that it lacks something, or follows from a row that is
/// not settled yet.
pub fn marks(missing: &[Missing], is_pending: bool) -> SafeText {
    let partial = (!missing.is_empty()).then_some("partial");
    let pending = is_pending.then_some("pending");
    let marks: Vec<_> = partial.into_iter().chain(pending).collect();
    SafeText::new(&marks.join(", "))
}

/// That a total lacks something, where only that has room.
pub fn partial(missing: &[Missing]) -> SafeText {
    marks(missing, false)
}

/// What stands beside a figure that follows from a row that is not settled yet.
pub fn pending(is_pending: bool) -> SafeText {
    SafeText::new(if is_pending { "pending" } else { "" })
}

/// Where something is; nothing but the way between two accounts has no name.
pub fn place(account: Option<&SafeText>) -> SafeText {
    account.cloned().unwrap_or_else(|| SafeText::new("(in transit)"))
}

/// The first of what a total lacks, each once; JSON has all of it.
fn tell_missing(job: &mut Job<'_>, missing: &[Missing]) -> Result<(), Error> {
    let lines = json::describe_all(missing);
    for line in lines.iter().take(TOLD) {
        job.out.aside(line)?;
    }
    match lines.len().saturating_sub(TOLD) {
        0 => Ok(()),
        rest => job.out.aside(&format!("missing: {rest} more, --json lists them")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn refused(line: &str) -> bool {
        let cli = Cli::try_parse_from(["dashtam", "report"].into_iter().chain(line.split(' ')));
        let cli = cli.unwrap();
        let Some(Command::Report(command)) = &cli.command else { panic!("{line}") };
        check(command, &cli.flags).is_err()
    }

    #[test]
    fn the_last_day_of_a_span_is_said_once() {
        for report in ["transactions", "gains", "net-worth"] {
            assert!(refused(&format!("{report} --to 2024-01-02 --as-of 2024-01-03")));
            assert!(!refused(&format!("{report} --to 2024-01-02 --as-of 2024-01-02")));
        }
        assert!(refused("gains --tax-year 2024 --as-of 2024-06-30"));
        assert!(!refused("gains --tax-year 2024"));
    }

    #[test]
    fn a_span_does_not_end_before_it_begins() {
        assert!(refused("gains --from 2024-02-01 --to 2024-01-31"));
        assert!(refused("transactions --from 2024-02-01 --as-of 2024-01-31"));
        assert!(refused("net-worth --every day --from 2024-02-01 --to 2024-01-31"));
        assert!(!refused("gains --from 2024-01-31 --to 2024-01-31"));
    }

    #[test]
    fn a_report_is_printed_in_one_form() {
        for report in ["accounts", "holdings", "lots", "gains", "net-worth", "coverage", "findings"]
        {
            assert!(refused(&format!("{report} --csv --json")), "{report}");
            assert!(!refused(&format!("{report} --csv")), "{report}");
        }
        assert!(refused("net-worth --explain cash --every day"));
        assert!(!refused("net-worth --explain cash --json"));
    }

    #[test]
    fn what_is_between_two_accounts_says_so() {
        assert_eq!(place(None).as_str(), "(in transit)");
        assert_eq!(place(Some(&SafeText::new("TFSA"))).as_str(), "TFSA");
    }
}
