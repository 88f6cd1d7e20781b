//! What needs a look, the gravest first: findings, prices that are old or were never there, cash
//! below zero, what is between two accounts, connections in trouble; each with its way to be mended.
//!
//! ```text
//!          What                  Account    Of     Day         In words
//! warning  missing price         Brokerage  OLPC   2026-11-21  there is no price on or before ...
//! ```

use std::cmp::Ordering;

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::list::List;
use super::sheet::in_words;
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::{
    AccountEdit, Change, Class, ConnectionState, Difference, Edit, SafeText, SecurityId,
};
use crate::service::consent::anew;
use crate::service::splits::changes;
use crate::state::{
    ConnectionRow, CoverageRow, FindingRow, HoldingRow, Proposed, Question, Slice, Slot, Snapshot,
    SplitProposal, SplitShare,
};
use crate::text::counted;
use crate::tui::errand::Errand;
use crate::tui::form::Subject;
use crate::tui::live;
use crate::tui::look::{Look, Selection};
use crate::tui::overlay::Confirm;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Row, wrapped, write_beneath};

const COLUMNS: [Column; 6] = [
    Column { title: "", align: Align::Left, priority: 0, width: (7, 7) },
    Column { title: "What", align: Align::Left, priority: 0, width: (12, 28) },
    Column { title: "Account", align: Align::Left, priority: 3, width: (8, 22) },
    Column { title: "Of", align: Align::Left, priority: 1, width: (4, 14) },
    Column { title: "Day", align: Align::Left, priority: 4, width: (10, 10) },
    Column { title: "In words", align: Align::Left, priority: 2, width: (12, 80) },
];

/// The column that matters most.
const MAIN: usize = 5;
/// Lines beneath the rows.
const BENEATH: u16 = 7;

/// How grave something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Error,
    Warning,
    Note,
}

impl Weight {
    fn of(severity: &SafeText) -> Self {
        match severity.as_str() {
            "error" => Self::Error,
            "warning" => Self::Warning,
            _ => Self::Note,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Error => Tone::Error,
            Self::Warning => Tone::Warn,
            Self::Note => Tone::Dim,
        }
    }
}

/// Where something is mended.
#[derive(Clone, Debug)]
enum Mend {
    /// At rows of the ledger.
    Rows(String),
    /// With a file of prices or rates.
    File,
    /// With fresh prices: the chart shows which there are.
    Prices(SecurityId, SafeText),
    /// In an account.
    Account(SafeText),
    /// Where connections are.
    Connection,
}

impl Mend {
    /// What `Enter` does, in words.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Rows(_) => "Enter shows the rows",
            Self::File => "Enter begins an import of prices or rates",
            Self::Prices(..) => "Enter shows its prices, r fetches new ones",
            Self::Account(_) => "Enter shows the rows of the account",
            Self::Connection => "Enter shows the connections, r tries once more",
        }
    }
}

/// Something that needs a look.
#[derive(Clone, Debug)]
struct Problem {
    /// What tells it from others, wherever it stands and whatever is hidden of it.
    id: String,
    weight: Weight,
    what: String,
    account: Option<SafeText>,
    symbol: Option<SafeText>,
    day: Option<NaiveDate>,
    detail: String,
    fix: String,
    mend: Mend,
    /// What would be done at once; none: a person has to look.
    proposal: Option<Wish>,
}

impl Problem {
    fn cells(&self) -> Vec<Cell> {
        let text =
            |text: &Option<SafeText>| Cell::plain(text.as_ref().map_or("", SafeText::as_str));
        vec![
            Cell::new(self.weight.as_str(), self.weight.tone()),
            Cell::plain(&self.what),
            text(&self.account),
            text(&self.symbol),
            Cell::new(self.day.map(|day| day.to_string()).unwrap_or_default(), Tone::Dim),
            Cell::plain(&self.detail),
        ]
    }

    /// The gravest first, of those the latest.
    fn compare(&self, other: &Self) -> Ordering {
        self.weight.cmp(&other.weight).then(other.day.cmp(&self.day)).then_with(|| {
            (&self.what, &self.symbol, &self.account).cmp(&(
                &other.what,
                &other.symbol,
                &other.account,
            ))
        })
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct Health {
    problems: Vec<Problem>,
    list: List<String>,
}

impl Health {
    fn problem(&self) -> Option<&Problem> {
        let key = self.list.key()?;
        self.problems.iter().find(|problem| problem.id == *key)
    }
}

impl Pane for Health {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Health, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(snapshot) = &look.snapshot else { return };
        let coverage = match look.answer(Slot::Coverage) {
            Some(Slice::Coverage(report)) => report.rows.as_slice(),
            _ => &[],
        };
        let mut problems = problems(snapshot, coverage, look);
        problems.sort_by(Problem::compare);
        let line = |problem: &Problem| Line::of(problem.id.clone(), Row::of(problem.cells()));
        let lines = problems.iter().map(line).collect();
        self.problems = problems;
        let room = self.lines(look);
        self.list.lay_out(&COLUMNS, lines, None, |_| room);
    }

    lends!(COLUMNS);

    fn lines(&self, look: &Look) -> u16 {
        look.size.1.saturating_sub(BENEATH)
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Open | Action::In => {
                let Some(problem) = self.problem() else { return Outcome::DONE };
                let selected = |account: Option<&SafeText>| Selection {
                    account: account.cloned(),
                    ..look.selection.clone()
                };
                Outcome::Done(match &problem.mend {
                    // The filter names the account: a selected one could leave the rows out.
                    Mend::Rows(find) => vec![
                        Wish::Select(selected(None)),
                        Wish::Find(PaneId::Transactions, find.clone()),
                    ],
                    Mend::File => vec![Wish::Type("import ".to_owned())],
                    Mend::Prices(id, symbol) => {
                        let security = Some((*id, symbol.clone()));
                        let selection = Selection { security, ..look.selection.clone() };
                        vec![Wish::Select(selection), Wish::Go(PaneId::Chart)]
                    }
                    Mend::Account(account) => {
                        vec![Wish::Select(selected(Some(account))), Wish::Go(PaneId::Transactions)]
                    }
                    Mend::Connection => vec![Wish::Go(PaneId::Connections)],
                })
            }
            Action::Accept => {
                let Some(problem) = self.problem() else { return Outcome::DONE };
                let wish = problem.proposal.clone();
                Outcome::wish(wish.unwrap_or_else(|| Wish::Say(problem.mend.as_str().to_owned())))
            }
            Action::Add => {
                let account = self.problem().and_then(|problem| problem.account.clone());
                Outcome::wish(Wish::Form(Subject::NewRow(None, account, None)))
            }
            Action::Explain => Outcome::wish(Wish::Say(
                "beneath the rows stands what this is and how it is mended".to_owned(),
            )),
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let day = look.snapshot.as_ref().map(|snapshot| snapshot.day);
        let splits = day.map(|day| (Slot::Splits, Question::Splits(day)));
        let coverage = day.map(|day| (Slot::Coverage, Question::Coverage(day)));
        coverage.into_iter().chain(splits).collect()
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        let [rows, beneath] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(BENEATH)]).areas(area);
        let is_read = look.snapshot.as_ref().is_some_and(|shown| shown.findings.is_some());
        let nothing = if is_read { "nothing needs a look" } else { "reading ..." };
        self.list.draw(buf, rows, look, nothing);
        let Some(problem) = self.problem() else { return };
        let width = usize::from(beneath.width);
        let told = [
            (problem.what.clone(), Tone::Title),
            (problem.detail.clone(), Tone::Plain),
            (format!("to mend it: {}", problem.fix), Tone::Plain),
            (problem.mend.as_str().to_owned(), Tone::Key),
        ];
        let lines = told.iter().flat_map(|(text, tone)| {
            wrapped(text, width).into_iter().map(move |line| (line, *tone))
        });
        // The last line, which names the key, stays whatever is cut.
        let lines: Vec<_> = lines.collect();
        let room = usize::from(beneath.height.saturating_sub(1));
        let cut = lines.len().saturating_sub(room);
        let last = lines.len().saturating_sub(1);
        let kept =
            lines.iter().enumerate().filter(|(at, _)| *at < last - cut.min(last) || *at == last);
        write_beneath(buf, beneath, kept.map(|(_, line)| line.clone()), theme);
    }

    fn status(&self, look: &Look) -> String {
        let count = |weight| self.problems.iter().filter(|it| it.weight == weight).count();
        let told = [Weight::Error, Weight::Warning, Weight::Note].map(|weight| {
            let (count, word) = (count(weight), weight.as_str());
            let plural = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{count} {word}{plural}"))
        });
        let told: Vec<_> = told.into_iter().flatten().collect();
        match look.answer(Slot::Coverage).and(look.answer(Slot::Splits)) {
            Some(_) => told.join("   "),
            None => format!("{}   reading ...", told.join("   ")),
        }
    }
}

/// Everything that needs a look.
fn problems(snapshot: &Snapshot, coverage: &[CoverageRow], look: &Look) -> Vec<Problem> {
    let found = snapshot.findings.iter().flat_map(|found| found.iter());
    let mut problems: Vec<Problem> = found.map(|row| finding(row, look)).collect();
    let holdings = &snapshot.holdings.rows;
    problems.extend(stale(holdings, snapshot));
    let between = holdings.iter().filter(|row| row.account.is_none() && !row.quantity.is_zero());
    problems.extend(between.map(|row| orphan(row, snapshot, look)));
    problems.extend(overdrawn(snapshot, look));
    problems.extend(snapshot.connections.iter().filter_map(|row| connection(row, look)));
    problems.extend(snapshot.connections.iter().filter_map(|row| consent(row, snapshot, look)));
    problems.extend(coverage.iter().filter_map(gap));
    let splits = match look.answer(Slot::Splits) {
        Some(Slice::Splits(splits)) => splits.as_slice(),
        _ => &[],
    };
    problems.extend(splits.iter().map(|found| split(found, look)));
    problems
}

/// The words that find a row in the ledger.
pub(super) fn query(
    account: Option<&SafeText>,
    symbol: Option<&SafeText>,
    day: Option<NaiveDate>,
) -> String {
    let quoted =
        |key: &str, text: &SafeText| format!("{key}:\"{}\"", text.as_str().replace('"', ""));
    let account = account.map(|name| quoted("acct", name));
    let symbol = symbol.map(|name| quoted("sym", name));
    let day = day.map(|day| format!("date:{day}"));
    [account, symbol, day].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn finding(row: &FindingRow, look: &Look) -> Problem {
    let kind = row.kind.as_str();
    let is_difference = kind == Difference::FINDING;
    let compare = is_difference.then_some(Wish::Go(PaneId::Reconcile));
    let mend = match (&row.account, row.transaction) {
        (account, Some(_)) => Mend::Rows(query(account.as_ref(), row.symbol.as_ref(), row.date)),
        (Some(account), None) => Mend::Account(account.clone()),
        (None, None) => Mend::File,
    };
    Problem {
        id: row.id.to_string(),
        weight: Weight::of(&row.severity),
        what: in_words(kind),
        account: row.account.clone(),
        symbol: row.symbol.clone(),
        day: row.date,
        detail: look.figures.wording(&row.detail).into_string(),
        fix: row.fix.to_string(),
        mend,
        proposal: compare.or_else(|| proposal(row, look)),
    }
}

/// What would mend a finding at once.
fn proposal(row: &FindingRow, look: &Look) -> Option<Wish> {
    let edit = |what: &str, change| Errand::change(what, vec![change]);
    match row.proposed? {
        Proposed::Link(a, b) => {
            Some(Wish::Begin(edit("linked", Change::LinkTransactions(vec![a, b]))))
        }
        Proposed::Delete(id) => {
            let text = format!("Delete transaction {id}, which tells it again? z brings it back.");
            let errand = edit("deleted", Change::DeleteTransaction(id));
            Some(Wish::Confirm(Box::new(Confirm { text, errand })))
        }
        Proposed::Reopen => {
            let account = look.account_named(row.account.as_ref()?)?.id;
            let opened = AccountEdit { closed: Edit::Clear, ..AccountEdit::default() };
            Some(Wish::Begin(edit("opened the account", Change::EditAccount(account, opened))))
        }
        Proposed::AcceptPrice(id, price) => {
            let said = "accepted the price; what is told next is taken";
            Some(Wish::Begin(edit(said, Change::AcceptPrice(id, price))))
        }
        Proposed::Edit(id) => Some(Wish::Form(Subject::OldRow(id))),
        Proposed::Add(what) => {
            Some(Wish::Form(Subject::NewRow(Some(what), row.account.clone(), None)))
        }
    }
}

/// A split that the prices show and the rows lack: what was bought before it counts old units.
fn split(found: &SplitProposal, look: &Look) -> Problem {
    let SplitProposal { mention, day, ratio, witnesses, sure, shares, .. } = found;
    let quantity = |quantity| look.figures.quantity(quantity);
    let holds = |share: &SplitShare| {
        let (before, after) = (quantity(Some(share.before)), quantity(share.after));
        format!("{} has {before}, which would be {after}", share.account)
    };
    let told: Vec<_> = shares.iter().map(holds).collect();
    let witnesses: Vec<_> = witnesses.iter().map(SafeText::as_str).collect();
    let symbol = &mention.symbol;
    let changes = changes(found);
    let proposal = (!changes.is_empty()).then(|| {
        let accounts = counted(u64::try_from(changes.len()).unwrap_or(u64::MAX), "account");
        let text =
            format!("Add the split {ratio} of {symbol} of {day} to {accounts}? z takes it back.");
        let errand = Errand::change(format!("added the split of {symbol}"), changes);
        Wish::Confirm(Box::new(Confirm { text, errand }))
    });
    Problem {
        id: format!("split:{}:{day}", found.security),
        weight: if *sure { Weight::Warning } else { Weight::Note },
        what: "split not in the rows".to_owned(),
        account: None,
        symbol: Some(symbol.clone()),
        day: Some(*day),
        detail: format!("{ratio}: {}; {}", told.join("; "), witnesses.join("; ")),
        fix: match proposal {
            Some(_) => "if there was one, add it to each account that lacks it".to_owned(),
            None => "a correction brought the new units already; nothing is to be added".to_owned(),
        },
        mend: Mend::Prices(found.security, symbol.clone()),
        proposal,
    }
}

/// Prices that are older than they should be, each once.
fn stale<'a>(
    holdings: &'a [HoldingRow],
    snapshot: &Snapshot,
) -> impl Iterator<Item = Problem> + 'a {
    let day = snapshot.day;
    let mut seen = Vec::new();
    let first = move |row: &&HoldingRow| {
        let is_new = row.stale && !seen.contains(&row.security_id);
        seen.push(row.security_id);
        is_new
    };
    holdings.iter().filter(first).map(move |row| {
        let days = row.price_date.map(|date| day.signed_duration_since(date).num_days());
        let source = row.price_source.as_ref().map_or("nobody", SafeText::as_str);
        Problem {
            id: format!("stale:{}", row.security_id),
            weight: Weight::Warning,
            what: "stale price".to_owned(),
            account: None,
            symbol: Some(row.symbol.clone()),
            day: row.price_date,
            detail: format!("the latest price is {} days old, of {source}", days.unwrap_or(0)),
            fix: "fetch new prices or import them".to_owned(),
            mend: Mend::Prices(row.security_id, row.symbol.clone()),
            proposal: Some(Wish::Form(Subject::Price(Some(row.security_id)))),
        }
    })
}

/// Lots that left an account and have not arrived in another one.
fn orphan(row: &HoldingRow, snapshot: &Snapshot, look: &Look) -> Problem {
    let quantity = look.figures.quantity(Some(row.quantity));
    Problem {
        id: format!("in_transit:{}", row.security_id),
        weight: Weight::Warning,
        what: "lots in no account".to_owned(),
        account: None,
        symbol: Some(row.symbol.clone()),
        day: Some(snapshot.day),
        detail: format!("{quantity} left an account and arrived in no other one yet"),
        fix: "add the other leg of the transfer, or correct its day".to_owned(),
        mend: Mend::Rows(query(None, Some(&row.symbol), None)),
        proposal: Some(Wish::Form(Subject::NewRow(
            Some("transfer_in"),
            None,
            Some(row.security_id),
        ))),
    }
}

/// Cash below zero where there should be none.
fn overdrawn(snapshot: &Snapshot, look: &Look) -> Vec<Problem> {
    let accounts = snapshot.accounts.rows.iter();
    let owned = accounts.filter(|row| matches!(row.kind.class(), Class::Cash | Class::Investment));
    let below = owned.flat_map(|row| {
        let cash = row.cash.iter().filter(|(_, amount)| amount.is_negative());
        cash.map(move |(currency, amount)| (row, *currency, *amount))
    });
    let problem = |(row, currency, amount): (&crate::state::AccountRow, _, _)| Problem {
        id: format!("overdrawn:{}:{currency}", row.id),
        weight: Weight::Warning,
        what: "cash below zero".to_owned(),
        account: Some(row.name.clone()),
        symbol: None,
        day: Some(snapshot.day),
        detail: format!("its cash is {} {currency}", look.figures.money(amount, currency)),
        fix: "add the deposits or sales that are missing; margin may be meant".to_owned(),
        mend: Mend::Account(row.name.clone()),
        proposal: Some(Wish::Form(Subject::NewRow(Some("deposit"), Some(row.name.clone()), None))),
    };
    below.map(problem).collect()
}

fn connection(row: &ConnectionRow, look: &Look) -> Option<Problem> {
    let why = row.why.as_ref().filter(|_| row.paused.is_none())?;
    Some(Problem {
        id: format!("connection:{}", row.connection.id),
        weight: Weight::Warning,
        what: format!("connection {}", row.connection.state),
        account: None,
        symbol: Some(row.connection.label.clone()),
        day: None,
        detail: look.figures.message(why.as_str()),
        fix: match row.connection.state {
            ConnectionState::Active => "fetch once more".to_owned(),
            _ => given_anew(row, look),
        },
        mend: Mend::Connection,
        proposal: None,
    })
}

/// A consent that ends soon, while there is time to give it anew.
fn consent(row: &ConnectionRow, snapshot: &Snapshot, look: &Look) -> Option<Problem> {
    let detail = live::ending(row, snapshot)?;
    Some(Problem {
        id: format!("consent:{}", row.connection.id),
        weight: Weight::Warning,
        what: "consent ends".to_owned(),
        account: None,
        symbol: Some(row.connection.label.clone()),
        day: None,
        detail,
        fix: given_anew(row, look),
        mend: Mend::Connection,
        proposal: None,
    })
}

/// How a consent is given anew.
fn given_anew(row: &ConnectionRow, look: &Look) -> String {
    let key = match (look.read_only, live::is_next(row, look)) {
        (true, _) => "",
        (_, true) => "W renews it; ",
        // From here the key is for another one.
        (_, false) => "W at its row in g n renews it; ",
    };
    format!("{key}in a shell {}", anew(&row.connection))
}

/// Days without a price or a rate while one was needed.
fn gap(row: &CoverageRow) -> Option<Problem> {
    let what = if row.what == "fx" { "rate" } else { row.what };
    let (weight, detail) = match (row.missing_days, row.stale_days) {
        (0, 0) => return None,
        (0, stale) => {
            (Weight::Note, format!("{stale} days in need had a {what} older than it should be"))
        }
        (missing, _) => {
            let first = row.first.map_or_else(
                || "none is known".to_owned(),
                |day| format!("the first one is of {day}"),
            );
            (Weight::Warning, format!("{missing} days in need had no {what}; {first}"))
        }
    };
    Some(Problem {
        id: format!("gap:{what}:{}:{}", row.name, row.needed_from),
        weight,
        what: format!("gap of {what}s"),
        account: None,
        symbol: Some(row.name.clone()),
        day: Some(row.needed_from),
        detail,
        fix: format!("import {what}s from {} to {}", row.needed_from, row.needed_to),
        mend: Mend::File,
        proposal: Some(Wish::Form(Subject::Price(None))),
    })
}
