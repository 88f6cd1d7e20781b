//! Transactions: what happened, in two levels of kind, in an order that never depends on the clock.

use std::collections::BTreeSet;
use std::fmt;

use super::account::words;
use super::{AccountId, BatchId, Currency, Dec, Mention, SafeText, SecurityId, TransactionId};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

words! {
    /// The first level: what sort of event.
    Kind, "kind" {
        /// Securities against cash.
        Trade = "trade",
        /// Cash or securities that come or go.
        Transfer = "transfer",
        /// Cash or securities earned.
        Income = "income",
        /// Cash charged.
        Fee = "fee",
        /// Corporate actions and the rest.
        Other = "other",
    }
}

words! {
    /// The second level: which event exactly.
    Subtype, "type" {
        /// Securities for cash.
        Buy = "buy",
        /// Cash for securities.
        Sell = "sell",
        /// A sale of what is not held.
        ShortSell = "short_sell",
        /// The end of a short position.
        BuyToCover = "buy_to_cover",
        /// A right is used.
        Exercise = "exercise",
        /// A written right is used by its holder.
        Assignment = "assignment",
        /// A right ends.
        Expiration = "expiration",
        /// Cash comes.
        Deposit = "deposit",
        /// Cash goes.
        Withdrawal = "withdrawal",
        /// Cash comes by wire.
        WireIn = "wire_in",
        /// Cash goes by wire.
        WireOut = "wire_out",
        /// Cash or securities come from another account.
        TransferIn = "transfer_in",
        /// Cash or securities go to another account.
        TransferOut = "transfer_out",
        /// Cash between sub-accounts.
        Internal = "internal",
        /// One leg of a currency conversion.
        Fx = "fx",
        /// A company pays.
        Dividend = "dividend",
        /// A borrower pays.
        Interest = "interest",
        /// A fund passes on gains.
        CapitalGain = "capital_gain",
        /// A fund pays out.
        Distribution = "distribution",
        /// Own money back.
        ReturnOfCapital = "return_of_capital",
        /// Securities or coins earned.
        Reward = "reward",
        /// Shares for shares.
        StockDividend = "stock_dividend",
        /// For a trade.
        Commission = "commission",
        /// For the account.
        AccountFee = "account_fee",
        /// For borrowed money.
        MarginInterest = "margin_interest",
        /// To the state.
        Tax = "tax",
        /// To the state, kept back at the source.
        WithholdingTax = "withholding_tax",
        /// Any other charge.
        OtherFee = "other_fee",
        /// Old shares become new ones by a ratio.
        Split = "split",
        /// A security becomes another.
        Merger = "merger",
        /// A security bears another.
        SpinOff = "spin_off",
        /// A security changes its name.
        SymbolChange = "symbol_change",
        /// A correction.
        Adjustment = "adjustment",
        /// A broker's journal entry.
        Journal = "journal",
        /// What was there before the first known row.
        Opening = "opening",
        /// Not understood; kept.
        Unknown = "unknown",
    }
}

words! {
    /// Whether it counts yet, or at all.
    Status, "status" {
        /// Known but not final; counts, marked.
        Pending = "pending",
        /// Final.
        Settled = "settled",
        /// Did not happen.
        Failed = "failed",
        /// Taken back.
        Cancelled = "cancelled",
    }
}

words! {
    /// Where a row comes from.
    Origin, "origin" {
        /// Typed by a person.
        Hand = "hand",
        /// Read from a file.
        File = "file",
        /// Fetched from a provider.
        Provider = "provider",
    }
}

impl Status {
    /// Pending and settled count in every figure; failed and cancelled never.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Settled)
    }
}

impl Subtype {
    /// Those whose word, or that of whose kind, begins so.
    #[must_use]
    pub fn beginning(word: &str) -> Vec<Self> {
        let is_meant = |subtype: &Self| {
            subtype.as_str().starts_with(word) || subtype.kind().as_str().starts_with(word)
        };
        Self::ALL.iter().copied().filter(is_meant).collect()
    }

    /// The first level that this belongs to.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Buy
            | Self::Sell
            | Self::ShortSell
            | Self::BuyToCover
            | Self::Exercise
            | Self::Assignment
            | Self::Expiration => Kind::Trade,
            Self::Deposit
            | Self::Withdrawal
            | Self::WireIn
            | Self::WireOut
            | Self::TransferIn
            | Self::TransferOut
            | Self::Internal
            | Self::Fx => Kind::Transfer,
            Self::Dividend
            | Self::Interest
            | Self::CapitalGain
            | Self::Distribution
            | Self::ReturnOfCapital
            | Self::Reward
            | Self::StockDividend => Kind::Income,
            Self::Commission
            | Self::AccountFee
            | Self::MarginInterest
            | Self::Tax
            | Self::WithholdingTax
            | Self::OtherFee => Kind::Fee,
            Self::Split
            | Self::Merger
            | Self::SpinOff
            | Self::SymbolChange
            | Self::Adjustment
            | Self::Journal
            | Self::Opening
            | Self::Unknown => Kind::Other,
        }
    }

    /// Files write the quantity unsigned, except here.
    #[must_use]
    pub const fn quantity_is_signed(self) -> bool {
        matches!(self, Self::Opening | Self::Adjustment)
    }

    /// The direction in which the quantity changes the position; 0 where it only informs.
    #[must_use]
    pub const fn direction(self) -> i8 {
        match self {
            Self::Buy
            | Self::BuyToCover
            | Self::Assignment
            | Self::TransferIn
            | Self::Reward
            | Self::StockDividend
            | Self::Opening
            | Self::Adjustment => 1,
            Self::Sell
            | Self::ShortSell
            | Self::Exercise
            | Self::Expiration
            | Self::TransferOut => -1,
            _ => 0,
        }
    }

    /// What the other side of a transfer between own accounts is called.
    #[must_use]
    pub const fn mirror(self) -> Option<Self> {
        Some(match self {
            Self::Deposit => Self::Withdrawal,
            Self::Withdrawal => Self::Deposit,
            Self::WireIn => Self::WireOut,
            Self::WireOut => Self::WireIn,
            Self::TransferIn => Self::TransferOut,
            Self::TransferOut => Self::TransferIn,
            Self::Internal => Self::Internal,
            _ => return None,
        })
    }

    /// Whether it is a purchase or a sale, on either side.
    #[must_use]
    pub const fn trades_securities(self) -> bool {
        matches!(self, Self::Buy | Self::BuyToCover | Self::Sell | Self::ShortSell)
    }
}

/// The place of a row among the rows of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rank {
    /// What was there before.
    Opening,
    /// Splits and the like.
    CorporateAction,
    /// What comes.
    TransferIn,
    /// What is bought.
    Buy,
    /// What is earned.
    Income,
    /// What is sold.
    Sell,
    /// What goes.
    TransferOut,
    /// What is charged.
    Fee,
}

/// New shares for old ones, `4:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ratio {
    /// How many after.
    pub new: Dec,
    /// For how many before.
    pub old: Dec,
}

impl Ratio {
    /// Both sides must be positive.
    #[must_use]
    pub fn new(new: Dec, old: Dec) -> Option<Self> {
        (new.is_positive() && old.is_positive()).then_some(Self { new, old })
    }

    /// Reads `new:old`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (new, old) = text.split_once(':')?;
        Self::new(Dec::parse(new.trim()).ok()?, Dec::parse(old.trim()).ok()?)
    }
}

impl TryFrom<String> for Ratio {
    type Error = NotARatio;

    fn try_from(text: String) -> Result<Self, NotARatio> {
        Self::parse(&text).ok_or(NotARatio)
    }
}

impl From<Ratio> for String {
    fn from(ratio: Ratio) -> Self {
        ratio.to_string()
    }
}

/// Not `new:old` with two positive numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ratio; write new:old, like 4:1")]
pub struct NotARatio;

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.new, self.old)
    }
}

/// What is known of one event, whoever it belongs to: in dashtam's signs, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The trade date; the posted date where there is none. Every figure uses it.
    pub date: NaiveDate,
    /// The settlement date; only shown.
    pub settlement: Option<NaiveDate>,
    /// Which event.
    pub subtype: Subtype,
    /// Whether it counts.
    pub status: Status,
    /// Signed by direction.
    pub quantity: Option<Dec>,
    /// Of one unit.
    pub price: Option<Dec>,
    /// Never zero: absent instead.
    pub fee: Option<Dec>,
    /// Never zero: absent instead.
    pub tax: Option<Dec>,
    /// Of amount, price, fee and tax.
    pub currency: Currency,
    /// The change of the account's cash.
    pub amount: Dec,
    /// Units of this row's currency for one unit of the security's currency.
    pub fx_rate: Option<Dec>,
    /// Of an option or future; absent: 1.
    pub multiplier: Option<Dec>,
    /// Of a split or merger.
    pub ratio: Option<Ratio>,
    /// When the lot was bought, for openings and transfers in.
    pub acquired: Option<NaiveDate>,
    /// The part of the cost that moves in a spin-off or merger.
    pub cost_share: Option<Dec>,
    /// In the source's words.
    pub description: Option<SafeText>,
    /// The category by name.
    pub category: Option<SafeText>,
    /// A person's words.
    pub note: Option<SafeText>,
    /// The minor unit that the source quoted in (`GBp`), converted since.
    pub quoted_in: Option<SafeText>,
}

impl Facts {
    /// The place among the rows of the same date and sequence.
    #[must_use]
    pub fn rank(&self) -> Rank {
        let out = self.amount.is_negative() || self.quantity.is_some_and(Dec::is_negative);
        match self.subtype {
            Subtype::Opening => Rank::Opening,
            Subtype::Split
            | Subtype::Merger
            | Subtype::SpinOff
            | Subtype::SymbolChange
            | Subtype::Adjustment => Rank::CorporateAction,
            Subtype::Deposit | Subtype::WireIn | Subtype::TransferIn => Rank::TransferIn,
            Subtype::Withdrawal | Subtype::WireOut | Subtype::TransferOut => Rank::TransferOut,
            Subtype::Internal | Subtype::Fx | Subtype::Journal | Subtype::Unknown => {
                if out {
                    Rank::TransferOut
                } else {
                    Rank::TransferIn
                }
            }
            Subtype::Buy | Subtype::BuyToCover | Subtype::Assignment => Rank::Buy,
            Subtype::Sell | Subtype::ShortSell | Subtype::Exercise | Subtype::Expiration => {
                Rank::Sell
            }
            _ => match self.subtype.kind() {
                Kind::Income => Rank::Income,
                _ => Rank::Fee,
            },
        }
    }

    /// Whether it counts in any figure.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.status.counts()
    }
}

/// A checked event that still names its account and securities in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whose.
    pub account: SafeText,
    /// Of what.
    pub security: Option<Mention>,
    /// What it becomes, in a corporate action.
    pub to_security: Option<Mention>,
    /// Rows that share it are one event.
    pub link: Option<SafeText>,
    /// The source's own id of the row.
    pub source_id: Option<SafeText>,
    /// The rest.
    pub facts: Facts,
}

/// A transaction as stored: the current version, edits applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The same through every version.
    pub id: TransactionId,
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub security: Option<SecurityId>,
    /// What it becomes, in a corporate action.
    pub to_security: Option<SecurityId>,
    /// Rows that share it are one event.
    pub link: Option<SafeText>,
    /// The source's own id of the row.
    pub source_id: Option<SafeText>,
    /// Where it comes from.
    pub origin: Origin,
    /// The batch that first brought it, if a file did.
    pub batch: Option<BatchId>,
    /// Its place in the source, see [`OrderKey`].
    pub seq: i64,
    /// Counts up with every change.
    pub version: i64,
    /// Taken away by hand; kept so that a later import does not bring it back.
    pub deleted: bool,
    /// Microseconds since the epoch.
    pub created: i64,
    /// Microseconds since the epoch.
    pub updated: i64,
    /// The rest.
    pub facts: Facts,
}

/// What the source says of a row, where a person's edits lie over it, and which fields they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Underlay {
    /// What the source says happened.
    pub facts: Facts,
    /// Of what.
    pub security: Option<SecurityId>,
    /// What it becomes, in a corporate action.
    pub to_security: Option<SecurityId>,
    /// Rows that share it are one event.
    pub link: Option<SafeText>,
    /// The fields that a person wrote, by name.
    pub edited: BTreeSet<String>,
}

/// What decides the order of rows: never an id, never a time of writing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// The trade date.
    pub date: NaiveDate,
    /// The place in the source.
    pub seq: i64,
    /// The kind of event.
    pub rank: Rank,
    /// The row itself, normalised.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_levels_are_those_of_the_definition() {
        let of = |kind| {
            let subtypes = Subtype::ALL.iter().filter(|subtype| subtype.kind() == kind);
            subtypes.map(|subtype| subtype.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            of(Kind::Trade),
            "buy sell short_sell buy_to_cover exercise assignment expiration"
        );
        assert_eq!(
            of(Kind::Transfer),
            "deposit withdrawal wire_in wire_out transfer_in transfer_out internal fx"
        );
        assert_eq!(
            of(Kind::Income),
            "dividend interest capital_gain distribution return_of_capital reward stock_dividend"
        );
        assert_eq!(
            of(Kind::Fee),
            "commission account_fee margin_interest tax withholding_tax other_fee"
        );
        assert_eq!(
            of(Kind::Other),
            "split merger spin_off symbol_change adjustment journal opening unknown"
        );
    }

    #[test]
    fn a_ratio_is_positive_on_both_sides() {
        assert_eq!(Ratio::parse("4:1").map(|r| r.to_string()), Some("4:1".to_owned()));
        assert_eq!(Ratio::parse("1.50:1").map(|r| r.to_string()), Some("1.5:1".to_owned()));
        for wrong in ["4", "4:0", "0:1", "-4:1", "4/1", "", ":"] {
            assert_eq!(Ratio::parse(wrong), None, "{wrong}");
        }
    }
}
