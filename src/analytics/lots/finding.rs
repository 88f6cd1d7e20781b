//! What a person should look at: rows that do not fit what is held, and numbers that cannot be
//! known.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::event::Event;
use crate::model::{AccountId, Currency, Dec, Realization, SecurityId, TransactionId, days};

/// Where the lots tell what happened.
pub trait Sink {
    /// A lot, or a part of one, was closed.
    fn realized(&mut self, realization: Realization);

    /// A person should look at something.
    fn finding(&mut self, finding: LotFinding);

    /// What the lots of a row cost is not what that row says alone: another row changed it, or gave
    /// a part of its own cost.
    fn recosted(&mut self, _lots_of: TransactionId, _by: TransactionId) {}

    /// A row is about to be applied.
    fn entering(&mut self, _book: &Book, _event: &Event) {}

    /// The row is applied.
    fn entered(&mut self, _book: &Book, _event: &Event) {}
}

/// Something about a row that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotFinding {
    /// What sort.
    pub kind: FindingKind,
    /// The row.
    pub transaction: TransactionId,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub security: SecurityId,
    /// The day of the row.
    #[serde(with = "days")]
    pub date: NaiveDate,
    /// How many it is about, where that says something.
    pub quantity: Option<Dec>,
    /// Of a missing rate: from and to.
    pub pair: Option<(Currency, Currency)>,
    /// Of a sale at a loss: how much was lost.
    pub loss: Option<(Dec, Currency)>,
}

impl LotFinding {
    /// How much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Probably something is wrong or missing.
    Warning,
    /// A figure cannot be shown.
    Error,
}

impl Severity {
    /// The word as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The sorts of findings: name, weight and what it means, in one table.
macro_rules! kinds {
    ($($variant:ident = $word:literal, $severity:ident, $detail:literal;)+) => {
        /// What sort of finding.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum FindingKind { $(#[doc = $detail] $variant),+ }

        impl FindingKind {
            /// Every sort.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// How much it matters.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// What it means, in words.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail),+ }
            }
        }
    };
}

kinds! {
    ShortOpened = "short_opened", Warning,
        "more was sold than was held, in an account that does not sell short";
    MovedBeyondPosition = "moved_beyond_position", Warning,
        "more left than was held; the rest is short, its cost is unknown";
    OpeningOnPosition = "opening_on_position", Warning,
        "an opening was added to a position that was not zero";
    NeedsChoice = "needs_choice", Warning,
        "needs a choice of lots; the oldest were taken";
    TransferWithoutOtherLeg = "transfer_without_other_leg", Warning,
        "the transfer has no other leg in its link, or none that fits alone; the lots came from \
         outside or went there";
    TransferQuantitiesDiffer = "transfer_quantities_differ", Warning,
        "the legs of the transfer differ; the lots of the smaller quantity moved";
    ExerciseWithoutOtherLeg = "exercise_without_other_leg", Warning,
        "no trade of the same link and day, or of a later one; the premium was realized";
    BeyondRight = "beyond_right", Warning,
        "more rights were used or ended than were held; the premium of the rest is unknown";
    NothingHeld = "nothing_held", Warning,
        "there was nothing held that it could change";
    RatioUnusable = "ratio_unusable", Warning,
        "neither a ratio nor a quantity says what becomes of the position";
    RatioLeavesNothing = "ratio_leaves_nothing", Warning,
        "too little was held for the ratio; the position was closed for nothing";
    ShareUnused = "share_unused", Info,
        "a merger without cash moves the whole cost; the cost share was not used";
    ShareTooLarge = "share_too_large", Warning,
        "the parts of the cost are more than the whole; the cash took the rest";
    ReturnBeyondCost = "return_beyond_cost", Info,
        "more capital was returned than the lots had cost; the rest is a gain";
    MissingQuantity = "missing_quantity", Warning,
        "the row does not say how many";
    MissingTarget = "missing_target", Warning,
        "the row does not say what the security became";
    MissingCost = "missing_cost", Warning,
        "the cost is unknown";
    MissingRate = "missing_rate", Warning,
        "there is no exchange rate on or before the day";
    MissingPrice = "missing_price", Warning,
        "there is no price on or before the day to share the cost by; give a cost share";
    NotUnderstood = "not_understood", Info,
        "the row changes the quantity, but not in a way that is understood";
    Overflow = "overflow", Error,
        "a figure has more than 28 digits";
    MultiplierDiffers = "multiplier_differs", Warning,
        "the trade does not have the multiplier of what is held; where it says none, that stays";
    SuperficialLoss = "superficial_loss", Warning,
        "a loss in a shared average; not all of it counts where the same was bought near it";
}
