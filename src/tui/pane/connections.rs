//! Whom figures come from: each connection with how it is, when it told something last, when it is
//! asked next, and what is left of its limit. It is made, paused, asked at once and ended here.
//!
//! ```text
//! Connection   Service     State     Accounts   Left    Last success   Next try
//! My bank      SimpleFIN   works            2   21/24   14:02          20:02
//! ```

use std::collections::BTreeSet;

use chrono::DateTime;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::list::List;
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::{ConnectionId, ConnectionState, Dec, Part, SafeText};
use crate::service::consent;
use crate::service::held::Lock;
use crate::state::{ConnectionRow, Snapshot};
use crate::text::counted;
use crate::tui::errand::Errand;
use crate::tui::live::{lacks_key, time_of};
use crate::tui::look::Look;
use crate::tui::overlay::{Again, Confirm};
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Row, wrapped, write_beneath};

const COLUMNS: [Column; 7] = [
    Column { title: "Connection", align: Align::Left, priority: 0, width: (10, 24) },
    Column { title: "Service", align: Align::Left, priority: 4, width: (7, 16) },
    Column { title: "State", align: Align::Left, priority: 0, width: (8, 16) },
    Column { title: "Accounts", align: Align::Point, priority: 5, width: (8, 0) },
    Column { title: "Left", align: Align::Left, priority: 3, width: (4, 9) },
    Column { title: "Last success", align: Align::Left, priority: 1, width: (12, 20) },
    Column { title: "Next try", align: Align::Left, priority: 2, width: (8, 20) },
];

/// The column that matters most.
const MAIN: usize = 2;
/// Lines beneath the rows, where a connection has no more to tell.
const BENEATH: u16 = 9;
/// Lines that the rows have in any case, with the heading.
const ABOVE: u16 = 4;

/// Where the bar has no room for them.
const KEYS: &str = "c connects another · r asks it now · o pauses it · d ends it";
const ALSO_PAUSED: &str = "it is paused, too: a new consent lets it go on, and so does o";
const KEYS_AGAIN: &str = "c connects it again · d ends it";
/// Of one whose consent ends after a time.
const ALSO_RENEWS: &str = "W renews its consent";
/// What is said of everyone: no provider has another right.
const SCOPES: &str = "read-only: it tells of accounts, holdings and rows, and can move nothing";

/// How a connection is, in the order of what a person has to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Only its owner can bring it back.
    Consent(ConnectionState),
    Paused,
    Locked,
    /// Nothing here opens its secret.
    NoKey,
    /// Its limit is used up for now.
    UsedUp,
    Failing,
    /// Something was left out.
    Partial,
    /// It was never asked with success.
    New,
    Works,
}

impl State {
    fn of(row: &ConnectionRow, look: &Look) -> Self {
        let failures = row.last.as_ref().map_or(0, |last| last.failures);
        match row.connection.state {
            ConnectionState::Active if row.paused.is_some() => Self::Paused,
            ConnectionState::Active if row.needs_key && look.vault == Some(Lock::Locked) => {
                Self::Locked
            }
            ConnectionState::Active if row.needs_key && lacks_key(look) => Self::NoKey,
            ConnectionState::Active if row.left.is_some_and(|(left, _)| left == 0) => Self::UsedUp,
            ConnectionState::Active if failures > 0 || row.next_attempt.is_some() => Self::Failing,
            ConnectionState::Active if row.why.is_some() => Self::Partial,
            ConnectionState::Active if row.succeeded.is_none() => Self::New,
            ConnectionState::Active => Self::Works,
            other => Self::Consent(other),
        }
    }

    const fn cell(self) -> (&'static str, Tone) {
        match self {
            Self::Consent(state) => (state.as_str(), Tone::Error),
            Self::Paused => ("paused", Tone::Warn),
            Self::Locked => ("locked", Tone::Warn),
            Self::NoKey => ("no key here", Tone::Error),
            Self::UsedUp => ("limit used up", Tone::Warn),
            Self::Failing => ("failing", Tone::Error),
            Self::Partial => ("partial", Tone::Warn),
            Self::New => ("not asked yet", Tone::Dim),
            Self::Works => ("works", Tone::Plain),
        }
    }

    /// What it means, and what to do.
    const fn words(self) -> &'static str {
        match self {
            Self::Consent(ConnectionState::Pending) => {
                "it was asked for, and nobody has agreed yet: c begins anew"
            }
            Self::Consent(_) => "it needs a new consent: c connects it again, and its rows go on",
            Self::Paused => "nothing is asked of it: o lets it go on",
            Self::Locked => "its secret cannot be opened: g k unlocks, and it is asked at once",
            Self::NoKey => {
                "nothing here opens its secret, so it is not asked; `dashtam vault status` says why"
            }
            Self::UsedUp => "no more is asked of it until its limit is free again",
            Self::Failing => "what was fetched before stays; it is tried again by itself",
            Self::Partial => "it told most, and something was left out",
            Self::New => "r asks it now",
            Self::Works => "it looks after itself; r asks it now",
        }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct Connections {
    list: List<ConnectionId>,
}

impl Connections {
    fn row<'a>(&self, look: &'a Look) -> Option<&'a ConnectionRow> {
        let id = self.list.key()?;
        rows(look).iter().find(|row| row.connection.id == *id)
    }

    /// What stands beneath the rows, by a width.
    fn told(&self, look: &Look, width: u16) -> Vec<(String, Tone)> {
        let (Some(row), Some(snapshot)) = (self.row(look), &look.snapshot) else {
            return Vec::new();
        };
        let lines = |(text, tone): (String, Tone)| {
            wrapped(&text, usize::from(width)).into_iter().map(move |line| (line, tone))
        };
        told(row, snapshot, look).into_iter().flat_map(lines).collect()
    }

    /// How many lines that takes, of so much room.
    fn beneath(&self, look: &Look, (width, height): (u16, u16)) -> u16 {
        let wanted = u16::try_from(self.told(look, width).len() + 1).unwrap_or(u16::MAX);
        wanted.max(BENEATH).min(height.saturating_sub(ABOVE))
    }

    /// What is done to the connection at the cursor.
    fn by_hand(action: Action, row: &ConnectionRow, look: &Look) -> Wish {
        let (id, name, state) = (row.connection.id, &row.connection.label, State::of(row, look));
        match (action, state) {
            (Action::Refresh, State::Consent(_) | State::Paused | State::Locked | State::NoKey) => {
                Wish::Say(format!("{name}: {}", state.words()))
            }
            (Action::Refresh, _) => Wish::Refresh(id),
            (Action::NewConnection | Action::Renew, State::Consent(_)) => {
                Wish::Reconnect(Again::of(&row.connection))
            }
            (Action::Renew, _) if consent::is_given_in_browser(&row.connection.provider) => {
                Wish::Reconnect(Again::of(&row.connection))
            }
            (Action::Renew, _) => Wish::Say(format!("{name}: its consent does not end by itself")),
            (Action::NewConnection, _) => Wish::Act(Action::Connect),
            (Action::Pause, State::Consent(_)) if row.paused.is_none() => {
                Wish::Say(format!("{name}: {}", state.words()))
            }
            (Action::Pause, _) => Wish::Begin(Errand::Pause(id, row.paused.is_none())),
            (Action::Delete, _) => {
                let text = format!(
                    "End {name}? Nothing is asked of {} any more, and its secret is forgotten. {} \
                     and all history stay. Only a new consent brings it back.",
                    row.title,
                    match row.accounts {
                        0 => "Other accounts".to_owned(),
                        count => format!("Its {}", counted(count as u64, "account")),
                    }
                );
                Wish::Confirm(Box::new(Confirm { text, errand: Errand::Disconnect(id) }))
            }
            _ => Wish::Go(PaneId::Accounts),
        }
    }
}

impl Pane for Connections {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Connections, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(snapshot) = &look.snapshot else { return };
        let line =
            |row: &ConnectionRow| Line::of(row.connection.id, Row::of(cells(row, snapshot, look)));
        let lines = rows(look).iter().map(line).collect();
        let room = self.lines(look);
        self.list.lay_out(&COLUMNS, lines, None, |_| room);
    }

    lends!(COLUMNS);

    fn lines(&self, look: &Look) -> u16 {
        look.size.1.saturating_sub(self.beneath(look, look.size))
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Add => Outcome::wish(Wish::Act(Action::Connect)),
            Action::NewConnection if self.row(look).is_none() => {
                Outcome::wish(Wish::Act(Action::Connect))
            }
            Action::NewConnection
            | Action::Open
            | Action::In
            | Action::Refresh
            | Action::Renew
            | Action::Pause
            | Action::Delete => match self.row(look) {
                Some(row) => Outcome::wish(Self::by_hand(action, row, look)),
                None => Outcome::wish(Wish::Say("there is no connection here".to_owned())),
            },
            Action::Explain => Outcome::wish(Wish::Say(
                "beneath the rows stands how the connection is, and what to do about it".to_owned(),
            )),
            _ => Outcome::Unknown,
        }
    }

    fn tells_of_row(&self) -> bool {
        true
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let height = self.beneath(look, (area.width, area.height));
        let [above, beneath] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
        let nothing = match look.read_only {
            true => "there is no connection",
            false => "there is no connection yet: c connects a bank or a broker",
        };
        self.list.draw(buf, above, look, nothing);
        write_beneath(buf, beneath, self.told(look, beneath.width), look.theme);
    }

    fn status(&self, look: &Look) -> String {
        let rows = rows(look);
        let wrong =
            |row: &&ConnectionRow| !matches!(State::of(row, look), State::Works | State::New);
        let wrong = rows.iter().filter(wrong).count();
        let all = counted(rows.len() as u64, "connection");
        match wrong {
            0 => all,
            wrong => format!("{all}   {wrong} not at work"),
        }
    }
}

fn rows(look: &Look) -> &[ConnectionRow] {
    look.snapshot.as_ref().map_or(&[][..], |snapshot| &snapshot.connections)
}

fn cells(row: &ConnectionRow, snapshot: &Snapshot, look: &Look) -> Vec<Cell> {
    let (state, tone) = standing(row, look);
    let accounts = i64::try_from(row.accounts).unwrap_or(i64::MAX);
    let left = row.left.map(|(left, most)| format!("{left}/{most}")).unwrap_or_default();
    let low = row.left.is_some_and(|(left, most)| left <= most / 8);
    vec![
        Cell::plain(row.connection.label.as_str()),
        Cell::new(row.title.as_str(), Tone::Dim),
        Cell::new(state, tone),
        Cell::plain(accounts.to_string()).of(Some(Dec::from_i64(accounts))),
        Cell::new(left, if low { Tone::Warn } else { Tone::Plain }),
        Cell::plain(row.succeeded.map_or_else(|| "never".to_owned(), |at| aged(at, snapshot))),
        Cell::new(next(row, snapshot, look), Tone::Dim),
    ]
}

/// How it is. What its owner lets rest may have failed before, and that stands beside it.
fn standing(row: &ConnectionRow, look: &Look) -> (String, Tone) {
    let state = State::of(row, look);
    let (word, tone) = state.cell();
    let failed = row.last.as_ref().is_some_and(|last| last.failures > 0);
    let word = match state {
        State::Consent(_) if row.paused.is_some() => format!("{word}, paused"),
        State::Paused if failed => format!("{word}, failing"),
        _ => word.to_owned(),
    };
    (word, tone)
}

/// An instant with its age in days, where there are any.
fn aged(at: i64, snapshot: &Snapshot) -> String {
    let day = DateTime::from_timestamp_micros(at).map(|at| at.with_timezone(&snapshot.zone));
    let days = day.map_or(0, |day| (snapshot.today - day.date_naive()).num_days());
    let time = time_of(at, snapshot).unwrap_or_default();
    if days > 0 { format!("{time}, {days} d") } else { time }
}

/// When it is asked next, or what that waits for.
fn next(row: &ConnectionRow, snapshot: &Snapshot, look: &Look) -> String {
    let cadence = look.progress.as_ref().map(|progress| progress.cadence);
    match (State::of(row, look), cadence) {
        (State::Consent(_), _) => "after consent".to_owned(),
        (State::Paused, _) => "once it goes on".to_owned(),
        (State::Locked, _) => "once unlocked".to_owned(),
        (State::NoKey, _) => "once there is a key".to_owned(),
        (_, None) => "not from here".to_owned(),
        (_, Some(cadence)) => {
            let scheduled = || {
                let (last, cadence) = (row.last.as_ref()?, cadence?);
                let every = match last.part {
                    Part::Accounts => cadence.accounts,
                    Part::Quotes | Part::History => cadence.quotes,
                };
                let every = every.num_seconds().max(row.renews_within);
                Some(last.attempted.saturating_add(every.saturating_mul(1_000_000)))
            };
            let at = row.next_attempt.or_else(scheduled);
            at.and_then(|at| time_of(at, snapshot)).unwrap_or_else(|| "now".to_owned())
        }
    }
}

/// Everything of a connection, line by line.
fn told(row: &ConnectionRow, snapshot: &Snapshot, look: &Look) -> Vec<(String, Tone)> {
    let state = State::of(row, look);
    let (word, tone) = standing(row, look);
    let mut told = vec![
        (format!("{} · {}", row.connection.label, row.title), Tone::Title),
        (format!("{word}: {}", state.words()), tone),
    ];
    if let (State::Consent(_), Some(_)) = (state, row.paused) {
        told.push((ALSO_PAUSED.to_owned(), Tone::Warn));
    }
    if let Some(why) = &row.why {
        told.push((look.figures.message(why.as_str()), Tone::Plain));
    }
    let tried = match &row.last {
        None => "it was never asked".to_owned(),
        Some(last) => {
            let at = aged(last.attempted, snapshot);
            let failures = u64::try_from(last.failures).unwrap_or(0);
            let failures = match failures {
                0 => String::new(),
                1 => ", failed".to_owned(),
                several => format!(", failed {several} times in a row"),
            };
            let success = match row.succeeded {
                Some(at) => format!("; last success {}", aged(at, snapshot)),
                None => "; no success yet".to_owned(),
            };
            format!("last asked {at}{failures}{success}")
        }
    };
    told.push((format!("{tried}; next try {}", next(row, snapshot, look)), Tone::Dim));
    if let Some((left, most)) = row.left {
        told.push((format!("{left} of {most} requests a day are left"), Tone::Dim));
    }
    let mine = snapshot.accounts.rows.iter();
    let mine = mine.filter(|it| it.connection.as_ref() == Some(&row.connection.label));
    let institutions: BTreeSet<&SafeText> = mine.filter_map(|it| it.institution.as_ref()).collect();
    let mut fills = format!("fills {}", counted(row.accounts as u64, "account"));
    if !institutions.is_empty() {
        let names: Vec<_> = institutions.into_iter().map(SafeText::as_str).collect();
        fills.push_str(&format!(" at {}", names.join(", ")));
    }
    told.push((fills, Tone::Dim));
    if let Some(ends) = row.connection.consent_expires.and_then(|at| time_of(at, snapshot)) {
        told.push((format!("its consent ends {ends}"), Tone::Dim));
    }
    let keys = match state {
        State::Consent(_) => KEYS_AGAIN.to_owned(),
        _ if consent::is_given_in_browser(&row.connection.provider) => {
            format!("{ALSO_RENEWS} · {KEYS}")
        }
        _ => KEYS.to_owned(),
    };
    told.push((keys, Tone::Key));
    told.push((SCOPES.to_owned(), Tone::Dim));
    told
}
