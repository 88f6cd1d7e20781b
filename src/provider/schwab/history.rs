//! Transactions of one account, window by window from the newest on. A window is at most a year long;
//! one that the service finds too long is asked for in shorter ones, and one that comes back as full as
//! an answer can be is asked for in halves: what lies beyond would be cut off without a word. Where it
//! refuses to tell of a day, and of those after it does, its history begins.
//!
//! Each window of a first history is kept as soon as it is told, so that one that was cut off asks for
//! what is missing only. The newest of it is always asked for again: rows still come and change, and
//! what the account comes to is of now.

use chrono::{DateTime, Days, NaiveTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::super::{Error, Progress, Result, ToldSpan};
use super::accounts::whole;
use super::wire::Row;
use super::{EDGE, SETTLES, Way, said};
use crate::model::SafeText;

/// The longest window, and the one that is taken where that is too long.
const YEAR: u64 = 365;
const SHORTER: u64 = 60;
/// No answer has more rows.
const MOST_ROWS: usize = 3000;
/// How far back is asked.
const MOST_YEARS: usize = 20;
/// Of so short a time before now it tells everything: what it refuses there is no beginning.
const RECENT: TimeDelta = TimeDelta::days(60);
/// So far ahead no window ends but by a clock that was wrong.
const AHEAD: TimeDelta = TimeDelta::days(1);
/// No window is cut into smaller ones.
const SHORTEST: TimeDelta = TimeDelta::seconds(2);
/// All that there are; one has to say which.
const TYPES: &str = "TRADE,RECEIVE_AND_DELIVER,DIVIDEND_OR_INTEREST,ACH_RECEIPT,ACH_DISBURSEMENT,\
     CASH_RECEIPT,CASH_DISBURSEMENT,ELECTRONIC_FUND,WIRE_OUT,WIRE_IN,JOURNAL,MEMORANDUM,MARGIN_CALL,\
     MONEY_MARKET,SMA_ADJUSTMENT";

/// The rows of an account are asked for.
pub(super) struct History<'a> {
    pub way: Way<'a>,
    /// What stands for the account in a path.
    pub hash: &'a str,
    pub now: DateTime<Utc>,
    /// Where what is told is kept, and under what; none: it is not.
    pub kept: Option<(&'a dyn Progress, &'a SafeText)>,
}

/// What was told.
#[derive(Default)]
pub(super) struct Told {
    pub rows: Vec<Box<RawValue>>,
    /// Since when that is all there is.
    pub since: Option<DateTime<Utc>>,
    /// Why nothing before that is told, where there may be more.
    pub broken: Option<Error>,
    /// That there was something before that is told no more.
    pub begins: Option<String>,
}

/// A span of time, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// One step through a history.
enum Step {
    Ask(Window),
    /// It was told before.
    Told(Window, Vec<Box<RawValue>>),
}

impl Told {
    fn take(&mut self, window: Window, rows: Vec<Box<RawValue>>) {
        self.rows.extend(rows);
        self.since = Some(window.first);
    }
}

/// What became of the question for a window.
enum Answered {
    Rows(Vec<Box<RawValue>>),
    /// It is too long, or too long ago.
    NotThat(Error),
}

impl History<'_> {
    /// Asks for everything since an instant; none: as far back as there is anything.
    ///
    /// # Errors
    /// When the service does not take what it is shown.
    pub async fn ask(&self, since: Option<DateTime<Utc>>) -> Result<Told> {
        let mut told = Told::default();
        let mut is_empty = true;
        let is_recent = since.is_some_and(|since| self.now - since <= RECENT);
        for step in self.steps(since).await? {
            let before = told.rows.len();
            let end = match step {
                Step::Ask(window) => self.window(window, &mut told).await?,
                Step::Told(window, rows) => {
                    told.take(window, rows);
                    None
                }
            };
            match end {
                None => {}
                // How far back there is anything nobody knows before.
                Some(End::Beginning(error)) if !is_recent && told.since.is_some() => {
                    told.begins = told.since.map(|first| {
                        format!("its history begins on {}; of before: {error}", first.date_naive())
                    });
                    return Ok(told);
                }
                Some(End::Beginning(error) | End::Broken(error)) => {
                    told.broken = Some(error);
                    return Ok(told);
                }
            }
            is_empty = told.rows.len() == before;
        }
        if since.is_none() && !is_empty {
            let first = told.since.map(|first| first.date_naive().to_string()).unwrap_or_default();
            told.begins =
                Some(format!("of before {first} nothing is asked: that is {MOST_YEARS} years"));
        }
        Ok(told)
    }

    /// What is to be asked for and what was told already, the newest first, without a gap.
    async fn steps(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Step>> {
        let Some((progress, account)) = self.kept else {
            return Ok(years(self.now, since).map(Step::Ask).collect());
        };
        let told: Vec<_> = progress.told(account).await?.iter().filter_map(told_before).collect();
        let (old, again) = split(told, self.now);
        if let Some(again) = again {
            progress.forget_since(account, again).await?;
        }
        let (newer, older) = missing(&old, again, self.now);
        let told = old.into_iter().map(|(window, rows)| Step::Told(window, rows));
        let [newer, older] = [newer, older].map(|windows| windows.into_iter().map(Step::Ask));
        Ok(newer.chain(told).chain(older).collect())
    }

    /// Keeps what was told of a window, without what is private in it and never read.
    async fn keep(&self, window: Window, rows: &[Box<RawValue>]) -> Result<()> {
        let Some((progress, account)) = self.kept else { return Ok(()) };
        // What cannot be read now cannot be read later either.
        let rows: Vec<Option<Row>> = rows.iter().map(|row| Row::to_keep(row)).collect();
        let unwritten = |_| Error::Unavailable(SafeText::new("what was told cannot be kept"));
        let rows = serde_json::to_string(&rows).map_err(unwritten)?;
        // Of what is still to come today nothing is told.
        let (first, last) = (window.first, window.last.min(self.now));
        progress.keep(account, ToldSpan { first, last, rows }).await
    }

    /// Asks for a window, in parts where that has to be; the newest first.
    async fn window(&self, window: Window, told: &mut Told) -> Result<Option<End>> {
        let mut left = vec![window];
        while let Some(window) = left.pop() {
            match self.rows(window).await {
                Ok(Answered::Rows(rows)) if rows.len() < MOST_ROWS => {
                    self.keep(window, &rows).await?;
                    told.take(window, rows);
                }
                Ok(Answered::Rows(_)) => match window.halves() {
                    Some((older, newer)) => left.extend([older, newer]),
                    None => return Ok(Some(End::Broken(too_many()))),
                },
                Ok(Answered::NotThat(error)) => match window.shorter() {
                    Some(parts) => left.extend(parts),
                    None => return Ok(Some(End::Beginning(error))),
                },
                // Nobody else is asked with what is not taken.
                Err(Error::Denied) => return Err(Error::Denied),
                Err(error) => return Ok(Some(End::Broken(error))),
            }
        }
        Ok(None)
    }

    async fn rows(&self, window: Window) -> Result<Answered> {
        let path = format!("/trader/v1/accounts/{}/transactions", self.hash);
        let (first, last) = (written(window.first), written(window.last));
        let query = [("startDate", first.as_str()), ("endDate", last.as_str()), ("types", TYPES)];
        let answer = self.way.send(&path, &query).await?;
        match said::accepted_of_account(&answer) {
            Ok(body) => Ok(Answered::Rows(whole(&body)?)),
            Err(error) if answer.status == 400 => Ok(Answered::NotThat(error)),
            Err(error) => Err(error),
        }
    }
}

/// Why the asking ended.
enum End {
    /// The service tells nothing of before, and says so in these words.
    Beginning(Error),
    Broken(Error),
}

fn too_many() -> Error {
    Error::Unavailable(SafeText::new("there are more rows in a second than it tells"))
}

impl Window {
    /// From the beginning of a day to the end of another.
    fn of_days(first: DateTime<Utc>, last: DateTime<Utc>) -> Self {
        let midnight = |at: DateTime<Utc>| at.date_naive().and_time(NaiveTime::MIN).and_utc();
        let end = midnight(last) + TimeDelta::days(1) - TimeDelta::milliseconds(1);
        Self { first: midnight(first), last: end }
    }

    /// What of it is in another one.
    fn within(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// The older and the newer half; none: it is as short as can be.
    fn halves(self) -> Option<(Self, Self)> {
        let middle = (self.first + (self.last - self.first) / 2).trunc_subsecs(0);
        if self.last - self.first < SHORTEST || middle <= self.first {
            return None;
        }
        let older = Self { last: middle - TimeDelta::milliseconds(1), ..self };
        Some((older, Self { first: middle, ..self }))
    }

    /// In shorter ones, the oldest first; one that is short in halves. None: it is a day.
    fn shorter(self) -> Option<Vec<Self>> {
        let days = u64::try_from((self.last - self.first).num_days()).unwrap_or_default() + 1;
        let length = if days > SHORTER { SHORTER } else { days.div_ceil(2) };
        let parts: Vec<_> =
            spans(self.first, self.last, length).map(|it| it.within(self)).collect();
        (parts.len() > 1).then(|| parts.into_iter().rev().collect())
    }
}

/// The windows of a year since an instant, the newest first.
fn years(now: DateTime<Utc>, since: Option<DateTime<Utc>>) -> impl Iterator<Item = Window> {
    spans(since.unwrap_or_else(|| beginning(now)).min(now), now, YEAR)
}

/// Nothing is asked of before.
fn beginning(now: DateTime<Utc>) -> DateTime<Utc> {
    let all = u64::try_from(MOST_YEARS).unwrap_or_default() * YEAR - 1;
    Window::of_days(now - Days::new(all), now).first
}

/// What was told of a window.
type Before = (Window, Vec<Box<RawValue>>);

/// A window that was told before; none: it cannot be read and is asked for again.
fn told_before(span: &ToldSpan) -> Option<Before> {
    let rows = whole(span.rows.as_bytes()).ok()?;
    Some((Window { first: span.first, last: span.last }, rows))
}

/// What of it still holds, the newest first and without a gap, and since when all is to be asked for
/// again: of the days before it was told some may have changed.
fn split(told: Vec<Before>, now: DateTime<Utc>) -> (Vec<Before>, Option<DateTime<Utc>>) {
    let Some((newest, _)) = told.first() else { return (told, None) };
    if newest.last > now + AHEAD {
        return (Vec::new(), told.last().map(|(oldest, _)| oldest.first));
    }
    let settled = newest.last - TimeDelta::seconds(SETTLES) - EDGE;
    let (mut holds, mut next, mut again) = (Vec::new(), newest.last, None);
    for (window, rows) in told {
        if window.last != next {
            break;
        }
        next = window.first - TimeDelta::milliseconds(1);
        match window.last < settled {
            true => holds.push((window, rows)),
            false => again = Some(window.first),
        }
    }
    (holds, again)
}

/// What is to be asked for before what holds and after it, to the instant.
fn missing(
    old: &[Before],
    again: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> (Vec<Window>, Vec<Window>) {
    let ever = Window { first: DateTime::<Utc>::MIN_UTC, last: DateTime::<Utc>::MAX_UTC };
    let newer = again.or_else(|| old.is_empty().then(|| beginning(now))).map(|first| {
        let since = Window { first, ..ever };
        spans(first.min(now), now, YEAR).map(|it| it.within(since)).collect()
    });
    // Where all is to be asked for there is nothing before it.
    let oldest = old.last().map(|(oldest, _)| oldest.first).or(again);
    let before = oldest.map(|oldest| oldest - TimeDelta::milliseconds(1));
    let older = before.filter(|last| *last > beginning(now)).map(|last| {
        let until = Window { last, ..ever };
        spans(beginning(now), last, YEAR).map(|it| it.within(until)).collect()
    });
    (newer.unwrap_or_default(), older.unwrap_or_default())
}

/// The days from one to another in windows of so many days, the newest first, without a gap.
fn spans(first: DateTime<Utc>, last: DateTime<Utc>, days: u64) -> impl Iterator<Item = Window> {
    let first = Window::of_days(first, first).first;
    let mut end = Some(last);
    std::iter::from_fn(move || {
        let last = end?;
        let start = Window::of_days(last, last).first - Days::new(days - 1);
        let start = start.max(first);
        end = (start > first).then(|| start - TimeDelta::milliseconds(1));
        Some(Window::of_days(start, last))
    })
}

/// The one way in which it reads an instant.
fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn told(windows: impl IntoIterator<Item = Window>) -> Vec<(String, String)> {
        windows.into_iter().map(|it| (written(it.first), written(it.last))).collect()
    }

    #[test]
    fn windows_are_whole_days_without_a_gap() {
        let now = at("2026-09-22T15:00:00.123456Z");
        let today = ("2026-09-22T00:00:00.000Z".to_owned(), "2026-09-22T23:59:59.999Z".to_owned());
        assert_eq!(told(years(now, Some(now))), std::slice::from_ref(&today));
        assert_eq!(
            told(years(now, Some(now + TimeDelta::days(3)))),
            [today],
            "the clock went back"
        );
        let two = told(years(now, Some(now - TimeDelta::days(400))));
        assert_eq!(two.len(), 2, "{two:?}");
        assert_eq!(two[0].0, "2025-09-23T00:00:00.000Z", "a year of 365 days");
        assert_eq!(two[1].1, "2025-09-22T23:59:59.999Z");
        assert_eq!(two[1].0, "2025-08-18T00:00:00.000Z", "400 days ago");
        let all: Vec<_> = years(now, None).collect();
        assert_eq!(all.len(), MOST_YEARS);
        for two in all.windows(2) {
            assert_eq!(two[1].last + TimeDelta::milliseconds(1), two[0].first);
            assert_eq!((two[1].last - two[1].first).num_days(), 364);
        }
    }

    /// By hand: three windows that were told on 22 September 2026 at three o'clock.
    #[test]
    fn what_is_old_holds_and_the_newest_is_asked_for_again() {
        let begun = at("2026-09-22T15:00:00Z");
        let window = |first: &str, last: &str| Window::of_days(at(first), at(last));
        let newer = Window { first: at("2026-09-01T00:00:00Z"), last: begun };
        let middle = window("2025-09-01T00:00:00Z", "2026-08-31T00:00:00Z");
        let older = window("2024-09-01T00:00:00Z", "2025-08-31T00:00:00Z");
        let holds = |told: &[Window], now| {
            let told = told.iter().map(|window| (*window, Vec::new())).collect();
            let (holds, again) = split(told, now);
            (holds.into_iter().map(|(window, _)| window).collect::<Vec<_>>(), again)
        };
        let all = [newer, middle, older];
        for now in ["2026-09-22T15:00:00Z", "2026-09-25T00:00:00Z", "2026-09-22T14:00:00Z"] {
            assert_eq!(holds(&all, at(now)), (vec![middle, older], Some(newer.first)), "{now}");
        }
        // 15 days before it was told: 7 September.
        let short = Window { first: at("2026-09-10T00:00:00Z"), last: begun };
        let before = window("2026-09-05T00:00:00Z", "2026-09-09T00:00:00Z");
        assert_eq!(holds(&[short, before], begun), (vec![], Some(before.first)));
        assert_eq!(holds(&[newer, older], begun), (vec![], Some(newer.first)), "there is a gap");
        assert_eq!(holds(&[middle, older], begun), (vec![older], Some(middle.first)));
        assert_eq!(holds(&[], begun), (vec![], None));
        let early = at("2026-09-20T15:00:00Z");
        assert_eq!(holds(&all, early), (vec![], Some(older.first)), "that clock was ahead");
    }

    /// A year that was too full was told in halves, which end in the midst of a day.
    #[test]
    fn what_is_missing_begins_to_the_instant_where_the_rest_ends() {
        let now = at("2026-09-22T15:00:00Z");
        let cut = at("2026-03-24T11:59:59Z");
        let moment = TimeDelta::milliseconds(1);
        let half = Window { first: at("2025-11-01T06:00:00Z"), last: cut - moment };
        let (newer, older) = missing(&[(half, Vec::new())], Some(cut), now);
        assert_eq!((newer.last().map(|it| it.first), newer.len()), (Some(cut), 1));
        assert_eq!(older.first().map(|it| it.last), Some(half.first - moment));
        assert_eq!(older.last().map(|it| it.first), Some(beginning(now)));
        for two in older.windows(2) {
            assert_eq!(two[1].last + moment, two[0].first);
        }
        let parts = Window { first: cut, last: now }.shorter().unwrap();
        assert_eq!((parts[0].first, parts.last().map(|it| it.last)), (cut, Some(now)));
        let (newer, older) = missing(&[], None, now);
        assert_eq!((newer.len(), older.len()), (MOST_YEARS, 0));
    }

    #[test]
    fn a_window_is_cut_without_a_gap() {
        let year = years(at("2026-09-22T15:00:00Z"), None).next().unwrap();
        let parts = year.shorter().unwrap();
        assert_eq!(parts.len(), 7);
        assert_eq!((parts[0].first, parts[6].last), (year.first, year.last));
        assert!(
            parts.windows(2).all(|two| two[0].last + TimeDelta::milliseconds(1) == two[1].first)
        );
        assert!(parts.iter().all(|it| (it.last - it.first).num_days() < 60));
        let mut window = parts[1];
        for days in [30, 15, 8, 4, 2, 1] {
            let [older, newer] = window.shorter().unwrap()[..] else { panic!() };
            assert_eq!((older.first, newer.last), (window.first, window.last));
            assert_eq!(older.last + TimeDelta::milliseconds(1), newer.first);
            assert_eq!((newer.last - newer.first).num_days() + 1, days);
            window = newer;
        }
        assert_eq!(window.shorter(), None, "a day is as short as can be");
        let mut window = year;
        let mut cuts = 0;
        while let Some((older, newer)) = window.halves() {
            assert_eq!((older.first, newer.last), (window.first, window.last));
            assert_eq!(older.last + TimeDelta::milliseconds(1), newer.first);
            (window, cuts) = (older, cuts + 1);
        }
        assert!((20..30).contains(&cuts), "{cuts}");
    }
}
