//! Which bars can be, each judged by the one before it. What is far from that waits for the next day: where
//! that bears it out both are taken, so that a split or a crash is late by a day and not lost. Pure.

use chrono::NaiveDate;

use super::judge::{Skip, Wrong, is_accepted, is_of_same_days, judge_close};
use crate::model::{Currency, SafeText};
use crate::provider::{DayBar, DayClose};

/// What bars are judged by.
pub(super) struct Sieve {
    /// What they are of, for people.
    pub name: SafeText,
    /// They are rates, of which none can be accepted.
    pub is_rate: bool,
    /// In what they should be.
    pub currency: Currency,
    /// What is known: most often the day before the first of them, of a history one that is in it or
    /// comes after it.
    pub last: Option<DayClose>,
    /// What somebody said is right, however far it is.
    pub accepted: Option<DayClose>,
    /// The last day that is over.
    pub to: NaiveDate,
}

/// What is left of bars.
#[derive(Default)]
pub(super) struct Sifted {
    /// Those that can be.
    pub right: Vec<DayBar>,
    /// The last one, where it is far from what was before and nothing followed, and what was.
    pub waiting: Option<(DayClose, Wrong)>,
    /// They are of something else, as far as they are from what is known: that one waits as well.
    pub is_other: bool,
}

impl Sieve {
    /// The bars that can be. `close_of` gives the close as one unit of the day of what is known.
    pub fn sift(
        &self,
        bars: Vec<DayBar>,
        close_of: impl Fn(&DayBar) -> DayClose,
        skipped: &mut Vec<Skip>,
    ) -> Sifted {
        if let Some((close, wrong)) = self.other(bars.iter().map(&close_of)) {
            skipped.push(self.skip(&wrong));
            return Sifted { waiting: Some((close, wrong)), is_other: true, ..Sifted::default() };
        }
        let mut right = Vec::with_capacity(bars.len());
        let (mut last, mut waiting) = (self.last, None::<(DayBar, Wrong)>);
        let mut skip = |wrong: Option<Wrong>| {
            skipped.extend(wrong.map(|wrong| self.skip(&wrong)));
        };
        for bar in bars {
            let close = close_of(&bar);
            match self.judge(&close, last.as_ref()) {
                Ok(()) => {
                    skip(waiting.take().map(|(_, wrong)| wrong));
                    last = Some(close);
                    right.push(bar);
                }
                Err(wrong @ Wrong::Jump { .. }) => match waiting.take() {
                    Some((before, _)) if self.bears_out(&close_of(&before), &close) => {
                        last = Some(close);
                        right.extend([before, bar]);
                    }
                    other => {
                        skip(other.map(|(_, wrong)| wrong));
                        waiting = Some((bar, wrong));
                    }
                },
                Err(wrong) => skip(Some(wrong)),
            }
        }
        skip(waiting.as_ref().map(|(_, wrong)| wrong.clone()));
        let waiting = waiting.map(|(bar, wrong)| (close_of(&bar), wrong));
        Sifted { right, waiting, is_other: false }
    }

    fn skip(&self, wrong: &Wrong) -> Skip {
        let why = match self.is_rate {
            true => wrong.to_string(),
            false => wrong.of_security(),
        };
        Skip::wrong(self.name.clone(), &why)
    }

    /// The newest of the days around what is known, where bars begin before that and none of those days
    /// is near it: a history bears itself out, whatever it is of.
    fn other(&self, closes: impl Iterator<Item = DayClose>) -> Option<(DayClose, Wrong)> {
        let known = self.last.as_ref()?;
        let mut closes = closes.peekable();
        if closes.peek()?.date >= known.date {
            return None;
        }
        let mut other = None;
        for close in closes.filter(|close| is_of_same_days(close, known)) {
            match self.judge(&close, Some(known)) {
                Err(wrong @ Wrong::Jump { .. }) => other = Some((close, wrong)),
                _ => return None,
            }
        }
        other
    }

    fn judge(&self, close: &DayClose, last: Option<&DayClose>) -> Result<(), Wrong> {
        match close.date > self.to {
            true => Err(Wrong::Future(close.date)),
            false if is_accepted(close, self.accepted.as_ref()) => Ok(()),
            false => judge_close(close, self.currency, last),
        }
    }

    fn bears_out(&self, before: &DayClose, next: &DayClose) -> bool {
        before.date < next.date && self.judge(next, Some(before)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dec;

    /// What is taken of closes since 100 on the first, and how many are not.
    fn sift(days: &[(u32, &str)]) -> (Vec<String>, usize) {
        sift_by((1, "100"), days)
    }

    fn sift_by(known: (u32, &str), days: &[(u32, &str)]) -> (Vec<String>, usize) {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let close = |on, price: &str| DayClose {
            date: day(on),
            close: Dec::parse(price).unwrap(),
            currency: Currency::USD,
        };
        let sieve = Sieve {
            name: SafeText::new("X"),
            is_rate: false,
            currency: Currency::USD,
            last: Some(close(known.0, known.1)),
            accepted: Some(close(2, "900")),
            to: day(if known.0 == 1 { 6 } else { 30 }),
        };
        let bars = days.iter().map(|(on, price)| DayBar::from(close(*on, price))).collect();
        let mut skipped = Vec::new();
        let right = sieve.sift(bars, |bar| bar.close, &mut skipped).right;
        (right.iter().map(|bar| bar.close.close.to_string()).collect(), skipped.len())
    }

    /// A history of another company is near itself on every day.
    #[test]
    fn a_history_is_near_what_is_known_at_its_end() {
        let taken = |known, days: &[_]| sift_by(known, days).0.len();
        let namesake = [(8, "20"), (9, "20"), (19, "21"), (20, "21")];
        assert_eq!(sift_by((20, "100"), &namesake), (vec![], 1));
        assert_eq!(taken((20, "22"), &namesake), 4);
        assert_eq!(taken((24, "100"), &namesake), 0, "it is known for some days later");
        assert_eq!(taken((27, "100"), &namesake), 4, "that says nothing of these days");
        // One odd day does not make it another company, nor does a crash of the last days.
        assert_eq!(taken((20, "22"), &[(8, "20"), (18, "21"), (19, "21"), (20, "90")]), 3);
        assert_eq!(taken((18, "21"), &[(8, "20"), (18, "21"), (19, "5"), (20, "5")]), 4);
    }

    #[test]
    fn a_jump_waits_for_the_next_day() {
        let told =
            |right: &[&str], skipped| (right.iter().map(ToString::to_string).collect(), skipped);
        assert_eq!(sift(&[(2, "101"), (3, "102")]), told(&["101", "102"], 0));
        assert_eq!(sift(&[(2, "25")]), told(&[], 1), "nobody knows yet");
        assert_eq!(sift(&[(2, "25"), (3, "26"), (4, "25.5")]), told(&["25", "26", "25.5"], 0));
        assert_eq!(sift(&[(2, "25"), (3, "101")]), told(&["101"], 1), "it was a mistake");
        assert_eq!(sift(&[(2, "5000"), (3, "25"), (4, "26")]), told(&["25", "26"], 1));
        // The same day told twice bears nothing out, nor does one that is not over.
        assert_eq!(sift(&[(2, "25"), (2, "25")]), told(&[], 2));
        assert_eq!(sift(&[(6, "25"), (7, "25")]), told(&[], 2));
        assert_eq!(
            sift(&[(2, "910"), (3, "905")]),
            told(&["910", "905"], 0),
            "somebody accepted it"
        );
        // What comes between does not matter, what was right before does.
        assert_eq!(sift(&[(2, "25"), (3, "101"), (4, "26")]), told(&["101"], 2));
    }
}
