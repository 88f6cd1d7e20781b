//! Transactions of one account, window by window from the newest on. A window is at most a year long;
//! one that the service finds too long is asked for in shorter ones, and one that comes back as full as
//! an answer can be is asked for in halves: what lies beyond would be cut off without a word. Where it
//! refuses to tell of a day, and of those after it does, its history begins.

use chrono::{DateTime, Days, NaiveTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::super::{Error, Result};
use super::accounts::whole;
use super::{Way, said};
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
        for window in years(self.now, since) {
            let before = told.rows.len();
            match self.window(window, &mut told).await? {
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

    /// Asks for a window, in parts where that has to be; the newest first.
    async fn window(&self, window: Window, told: &mut Told) -> Result<Option<End>> {
        let mut left = vec![window];
        while let Some(window) = left.pop() {
            match self.rows(window).await {
                Ok(Answered::Rows(rows)) if rows.len() < MOST_ROWS => {
                    told.rows.extend(rows);
                    told.since = Some(window.first);
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
        let parts: Vec<_> = spans(self.first, self.last, length).collect();
        (parts.len() > 1).then(|| parts.into_iter().rev().collect())
    }
}

/// The windows of a year since an instant, the newest first.
fn years(now: DateTime<Utc>, since: Option<DateTime<Utc>>) -> impl Iterator<Item = Window> {
    let all = u64::try_from(MOST_YEARS).unwrap_or_default() * YEAR - 1;
    let first = since.unwrap_or_else(|| now - Days::new(all)).min(now);
    spans(first, now, YEAR)
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
