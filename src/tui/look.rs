//! What a pane is shown: the newest snapshot, answers, and how things are to look.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Datelike, Months, NaiveDate};

use super::theme::{Theme, Tone};
use crate::model::{SafeText, SecurityId};
use crate::service::held::Lock;
use crate::service::refresh::Progress;
use crate::state::{AccountRow, Question, Slice, Slot, Snapshot, Trouble};
use crate::text::{DOWN, Figures, UP};

/// A span of time that ends on the day that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// A month.
    Month,
    /// Three.
    Quarter,
    /// Six.
    Half,
    /// Since New Year.
    ToDate,
    /// A year.
    #[default]
    Year,
    /// Five.
    Five,
    /// Since the first row.
    Max,
}

impl Range {
    /// From short to long.
    pub const ALL: [Self; 7] =
        [Self::Month, Self::Quarter, Self::Half, Self::ToDate, Self::Year, Self::Five, Self::Max];

    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "1m",
            Self::Quarter => "3m",
            Self::Half => "6m",
            Self::ToDate => "YTD",
            Self::Year => "1y",
            Self::Five => "5y",
            Self::Max => "max",
        }
    }

    /// The next longer one, or the longest.
    #[must_use]
    pub fn longer(self) -> Self {
        self.moved(1)
    }

    /// The next shorter one, or the shortest.
    #[must_use]
    pub fn shorter(self) -> Self {
        self.moved(-1)
    }

    fn moved(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|range| *range == self).unwrap_or(0);
        at.checked_add_signed(by).and_then(|at| Self::ALL.get(at)).copied().unwrap_or(self)
    }

    /// Its first day, before a last one; none: there is no first one.
    #[must_use]
    pub fn start(self, end: NaiveDate) -> Option<NaiveDate> {
        let months = match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Half => 6,
            Self::ToDate => return NaiveDate::from_ymd_opt(end.year() - 1, 12, 31),
            Self::Year => 12,
            Self::Five => 60,
            Self::Max => return None,
        };
        end.checked_sub_months(Months::new(months))
    }
}

/// An order: by which of the things that a pane offers, and which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Its place in the list of them.
    pub by: usize,
    /// The highest, the newest, the last letter first.
    pub down: bool,
}

impl Order {
    /// Of two things that stand like this from low to high.
    #[must_use]
    pub const fn turned(self, order: Ordering) -> Ordering {
        if self.down { order.reverse() } else { order }
    }

    /// The arrow beside it.
    #[must_use]
    pub const fn arrow(self) -> char {
        if self.down { DOWN } else { UP }
    }
}

/// What all panes look at together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only this account.
    pub account: Option<SafeText>,
    /// The security of the chart, with its symbol.
    pub security: Option<(SecurityId, SafeText)>,
    /// The span of charts.
    pub range: Range,
    /// The security that things are compared with, as somebody wrote it.
    pub against: Option<SafeText>,
}

/// Everything a pane may look at. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Look {
    /// The newest snapshot; none: nothing has been read yet.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The newest answers, each with what was asked.
    pub answers: BTreeMap<Slot, (Question, Arc<Slice>)>,
    /// What cannot be read.
    pub trouble: Option<Trouble>,
    /// What all panes look at together.
    pub selection: Selection,
    /// The day of the visit before those of today; none: there was none.
    pub since: Option<NaiveDate>,
    /// How figures are written.
    pub figures: Figures,
    /// How things look.
    pub theme: Theme,
    /// The pane with the cursor has all the room.
    pub zoomed: bool,
    /// Nothing may be written.
    pub read_only: bool,
    /// Why nothing can be written for now; none: it can, or must not.
    pub blocked: Option<&'static str>,
    /// How this session refreshes; none: it does not.
    pub progress: Option<Progress>,
    /// What is kept beside the rows and cannot be brought up to date, and why.
    pub lag: Option<String>,
    /// How the vault is; none: it was not looked at yet, or there cannot be one.
    pub vault: Option<Lock>,
    /// The size of the place of the pane: columns and lines.
    pub size: (u16, u16),
    /// Keys are heard here.
    pub focused: bool,
}

impl Look {
    /// What was answered last, be it to the newest question or to the one before.
    #[must_use]
    pub fn answer(&self, slot: Slot) -> Option<&Slice> {
        self.answers.get(&slot).map(|(_, slice)| slice.as_ref())
    }

    /// What was answered to just this question.
    #[must_use]
    pub fn answer_to(&self, slot: Slot, question: Option<&Question>) -> Option<&Slice> {
        self.answer(slot).filter(|_| question.is_some() && self.answered(slot) == question)
    }

    /// What the last answer is about.
    #[must_use]
    pub fn answered(&self, slot: Slot) -> Option<&Question> {
        self.answers.get(&slot).map(|(question, _)| question)
    }

    /// What stands where an answer will be, or why there is none.
    #[must_use]
    pub fn waiting(&self, slot: Option<Slot>) -> (&str, Tone) {
        match slot.and_then(|slot| self.answer(slot)) {
            Some(Slice::Failed(trouble)) => (&trouble.0, Tone::Error),
            _ => match (&self.snapshot, &self.trouble) {
                (None, Some(trouble)) => (&trouble.0, Tone::Error),
                _ => ("reading ...", Tone::Dim),
            },
        }
    }

    /// The account that is selected.
    #[must_use]
    pub fn account(&self) -> Option<&AccountRow> {
        let name = self.selection.account.as_ref()?;
        self.account_named(name)
    }

    /// The account of this name.
    #[must_use]
    pub fn account_named(&self, name: &SafeText) -> Option<&AccountRow> {
        self.snapshot.as_ref()?.accounts.rows.iter().find(|row| row.name == *name)
    }
}
