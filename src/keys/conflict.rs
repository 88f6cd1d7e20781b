//! Why a chord that somebody chose is not taken, in one line. It decides nothing.

use std::fmt;

use super::{Action, Chord, ChordError, spelled};
use crate::model::SafeText;

/// How much of a wrong name is repeated.
const SHOWN: usize = 40;

/// Why what somebody chose for an action is not taken; its default stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// No action is called so.
    NoAction {
        /// As written.
        entry: String,
        /// What was probably meant.
        nearest: Action,
    },
    /// A chord cannot be read.
    NoChord {
        /// Whose chord.
        action: Action,
        /// What is wrong with it.
        error: ChordError,
    },
    /// The same chord does something else at the same place.
    Taken {
        /// The one that keeps its default.
        action: Action,
        /// The one that has the chord.
        by: Action,
        /// The chord.
        chords: Vec<Chord>,
    },
    /// A chord is the beginning of a longer one, which could never be typed.
    Hides {
        /// The one that keeps its default.
        action: Action,
        /// The one with the other chord; the same where one action has both.
        other: Action,
        /// The beginning.
        short: Vec<Chord>,
        /// The longer one.
        long: Vec<Chord>,
    },
}

impl Conflict {
    /// Under which name the choice was written.
    #[must_use]
    pub fn entry(&self) -> &str {
        match self {
            Self::NoAction { entry, .. } => entry,
            Self::NoChord { action, .. }
            | Self::Taken { action, .. }
            | Self::Hides { action, .. } => action.name(),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys.{}: ", SafeText::capped(self.entry(), SHOWN))?;
        let action = match self {
            Self::NoAction { nearest, .. } => {
                return write!(f, "no action is called so; did you mean {}?", nearest.name());
            }
            Self::NoChord { action, error } => {
                write!(f, "{error}")?;
                action
            }
            Self::Taken { action, by, chords } => {
                write!(f, "`{}` is the key of {}", spelled(chords), by.name())?;
                action
            }
            Self::Hides { action, other, short, long } => {
                let (short, long) = (spelled(short), spelled(long));
                write!(f, "`{short}` would hide `{long}`")?;
                if action != other {
                    write!(f, " (the other is the key of {})", other.name())?;
                }
                action
            }
        };
        write!(f, "; {} keeps {}", action.name(), quoted(action.defaults()))
    }
}

/// `` `j` and `Down` ``.
fn quoted(chords: &[&str]) -> String {
    chords.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" and ")
}
