//! Accounts: their kinds, what class and tax treatment a kind has, and how they are valued.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{AccountId, Currency, SafeText};

/// A word that is not in the list it should come from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {what}; {}", choices(word.as_str(), known))]
pub struct UnknownWord {
    /// What was written.
    pub word: SafeText,
    /// What kind of word was expected.
    pub what: &'static str,
    /// The words that exist.
    pub known: String,
}

/// All words, parted by blanks, where they fit into a line, else the nearest: who knows the word
/// mostly knows how it begins.
#[must_use]
pub fn choices(word: &str, known: &str) -> String {
    const FITS: usize = 120;
    if known.len() <= FITS {
        return format!("one of: {known}");
    }
    // No word that is meant is longer; and each is compared once, since rows may be wrong by the
    // million.
    let word: String = word.chars().take(FITS).collect::<String>().to_ascii_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&word, known);
    let mut near: Vec<_> = known.split(' ').map(|known| (likeness(known), known)).collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.sort_by_key(|(_, known)| known.chars().next() != word.chars().next());
    let near: Vec<_> = near.into_iter().take(5).map(|(_, known)| known).collect();
    format!("the nearest are: {}", near.join(" "))
}

/// An enum whose variants are words: stored, parsed, shown and listed by the same table.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal {
        $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $(if text.eq_ignore_ascii_case($word) { return Ok(Self::$variant); })+
                Err($crate::model::UnknownWord {
                    word: $crate::model::SafeText::capped(text, 64),
                    what: $what,
                    known: [$($word),+].join(" "),
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use words;

words! {
    /// What an account is. Its class and tax treatment follow from it.
    AccountKind, "account kind" {
        /// Money for every day.
        Checking = "checking",
        /// Money put aside.
        Savings = "savings",
        /// A money-market account.
        MoneyMarket = "money_market",
        /// A certificate of deposit or term deposit.
        Cd = "cd",
        /// A taxable investment account.
        Brokerage = "brokerage",
        /// A taxable investment account that may borrow and sell short.
        Margin = "margin",
        /// US individual retirement account.
        Ira = "ira",
        /// US Roth retirement account.
        RothIra = "roth_ira",
        /// US employer retirement plan.
        FourOhOneK = "401k",
        /// US health savings account.
        Hsa = "hsa",
        /// Canadian tax-free savings account.
        Tfsa = "tfsa",
        /// Canadian registered retirement savings plan.
        Rrsp = "rrsp",
        /// Canadian first home savings account.
        Fhsa = "fhsa",
        /// Canadian registered education savings plan.
        Resp = "resp",
        /// Coins.
        Crypto = "crypto",
        /// A credit card.
        CreditCard = "credit_card",
        /// A line of credit.
        LineOfCredit = "line_of_credit",
        /// Instalments.
        PaymentPlan = "payment_plan",
        /// A loan.
        Loan = "loan",
        /// A loan on a house.
        Mortgage = "mortgage",
        /// Anything else that is worth something: a house, a car, a pension.
        Other = "other",
    }
}

words! {
    /// Where an account stands in the balance sheet.
    Class, "account class" {
        /// Money.
        Cash = "cash",
        /// Securities and their cash.
        Investment = "investment",
        /// Money owed.
        Liability = "liability",
        /// Things.
        Asset = "asset",
    }
}

words! {
    /// How gains in an account are taxed.
    Tax, "tax treatment" {
        /// When they arise.
        Taxable = "taxable",
        /// When they are taken out.
        Deferred = "deferred",
        /// Not at all.
        Free = "free",
    }
}

words! {
    /// Where the value of an account comes from.
    Mode, "account mode" {
        /// From its rows.
        Ledger = "ledger",
        /// From the last balance on or before the day.
        Balances = "balances",
    }
}

words! {
    /// Which lots a sale takes.
    LotMethod, "lot method" {
        /// Oldest first.
        Fifo = "fifo",
        /// Newest first.
        Lifo = "lifo",
        /// Dearest first.
        Hifo = "hifo",
        /// One running average per account and security.
        Average = "average",
        /// Canadian adjusted cost base: one pool over the taxable accounts.
        Acb = "acb",
        /// The lots the sale names.
        Specific = "specific",
    }
}

words! {
    /// What somebody says of whether an account counts in the performance of the whole.
    InPerformance, "answer" {
        /// It counts.
        Yes = "yes",
        /// It is outside: moves to and from it are flows.
        No = "no",
    }
}

impl AccountKind {
    /// The class of the kind.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Checking | Self::Savings | Self::MoneyMarket | Self::Cd => Class::Cash,
            Self::Brokerage
            | Self::Margin
            | Self::Ira
            | Self::RothIra
            | Self::FourOhOneK
            | Self::Hsa
            | Self::Tfsa
            | Self::Rrsp
            | Self::Fhsa
            | Self::Resp
            | Self::Crypto => Class::Investment,
            Self::CreditCard
            | Self::LineOfCredit
            | Self::PaymentPlan
            | Self::Loan
            | Self::Mortgage => Class::Liability,
            Self::Other => Class::Asset,
        }
    }

    /// The tax treatment of the kind.
    #[must_use]
    pub const fn tax(self) -> Tax {
        match self {
            Self::Ira | Self::FourOhOneK | Self::Rrsp | Self::Resp => Tax::Deferred,
            Self::RothIra | Self::Hsa | Self::Tfsa | Self::Fhsa => Tax::Free,
            _ => Tax::Taxable,
        }
    }
}

/// An account as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its identity.
    pub id: AccountId,
    /// Unique in a store.
    pub name: SafeText,
    /// What it is.
    pub kind: AccountKind,
    /// Its main currency; it may hold cash in others too.
    pub currency: Currency,
    /// How it is valued.
    pub mode: Mode,
    /// Which lots a sale takes; none: the setting.
    pub method: Option<LotMethod>,
    /// The bank or broker.
    pub institution: Option<SafeText>,
    /// Closed from this day on.
    pub closed: Option<NaiveDate>,
    /// Whether it counts in performance; none: where it invests.
    #[serde(default)]
    pub performance: Option<InPerformance>,
    /// Kind and currency follow from its rows until somebody edits them.
    pub derived: bool,
}

impl Account {
    /// Whether what is closed from a day on, or never, still counts on a day.
    #[must_use]
    pub fn is_open(closed: Option<NaiveDate>, day: NaiveDate) -> bool {
        closed.is_none_or(|closed| day < closed)
    }

    /// Whether it counts in the performance of the whole.
    #[must_use]
    pub fn is_in_performance(&self) -> bool {
        match self.performance {
            Some(said) => said == InPerformance::Yes,
            None => self.kind.class() == Class::Investment,
        }
    }
}

/// An account that somebody declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Unique in a store.
    pub name: SafeText,
    /// What it is.
    pub kind: AccountKind,
    /// Its main currency.
    pub currency: Currency,
    /// How it is valued.
    #[serde(default = "ledger_mode")]
    pub mode: Mode,
    /// Which lots a sale takes; none: the setting.
    #[serde(default)]
    pub method: Option<LotMethod>,
    /// The bank or broker.
    #[serde(default)]
    pub institution: Option<SafeText>,
    /// Closed from this day on.
    #[serde(default)]
    pub closed: Option<NaiveDate>,
    /// Whether it counts in performance; none: where it invests.
    #[serde(default)]
    pub performance: Option<InPerformance>,
}

const fn ledger_mode() -> Mode {
    Mode::Ledger
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_class_the_definition_gives_it() {
        let of = |class| {
            let kinds = AccountKind::ALL.iter().filter(|kind| kind.class() == class);
            kinds.map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Class::Cash), "checking savings money_market cd");
        assert_eq!(
            of(Class::Investment),
            "brokerage margin ira roth_ira 401k hsa tfsa rrsp fhsa resp crypto"
        );
        assert_eq!(of(Class::Liability), "credit_card line_of_credit payment_plan loan mortgage");
        assert_eq!(of(Class::Asset), "other");
    }

    #[test]
    fn words_parse_in_any_case_and_name_the_list_otherwise() {
        assert_eq!("TFSA".parse(), Ok(AccountKind::Tfsa));
        let error = "tfs".parse::<AccountKind>().map_err(|error| error.to_string());
        let near = "`tfs` is no account kind; the nearest are: tfsa ";
        assert!(error.is_err_and(|text| text.starts_with(near)));
        let error = "lif".parse::<LotMethod>().map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("; one of: fifo lifo hifo")));
    }
}
