//! Why a query cannot be understood: which word, and what would be right.

use crate::model::SafeText;

/// Why a query cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// A quote is opened and never closed.
    #[error("`{word}`: close the quote with another \"")]
    OpenQuote {
        /// As written.
        word: SafeText,
    },
    /// More words than anybody means.
    #[error("`{word}`: leave out what comes from here on; at most {most} words are looked for")]
    TooMany {
        /// The first that is too many.
        word: SafeText,
        /// How many may be.
        most: usize,
    },
    /// There is nothing to look for.
    #[error("`{word}`: write what to look for behind it, like acct:rrsp or !coffee")]
    Nothing {
        /// As written.
        word: SafeText,
    },
    /// Nothing is looked for by this name.
    #[error("`{word}`: there is no `{key}:`; one of: {known}; or quote it to look for the text")]
    NoKey {
        /// As written.
        word: SafeText,
        /// What stands before the colon.
        key: SafeText,
        /// What may.
        known: &'static str,
    },
    /// A word that is none of a list.
    #[error("`{word}`: not the beginning of {what}; one of: {known}")]
    NotOneOf {
        /// As written.
        word: SafeText,
        /// What was expected.
        what: &'static str,
        /// The list.
        known: String,
    },
    /// Not the code of a currency.
    #[error("`{word}`: write the code of a currency, like cur:usd")]
    NoCurrency {
        /// As written.
        word: SafeText,
    },
    /// Not the number of an import.
    #[error("`{word}`: write the number of an import, like source:import:7")]
    NoImport {
        /// As written.
        word: SafeText,
    },
    /// Not a number, nor a span of them.
    #[error("`{word}`: write 50, >100, <=-5 or 100..200 behind the colon")]
    NoNumber {
        /// As written.
        word: SafeText,
    },
    /// Not a day, nor a span of them.
    #[error("`{word}`: write 2025, 2025-03, 2025-03-01, >=2025 or 2025-03..2025-04 behind date:")]
    NoDay {
        /// As written.
        word: SafeText,
    },
    /// A span that ends before it begins.
    #[error("`{word}`: the span ends before it begins; turn it around")]
    Backwards {
        /// As written.
        word: SafeText,
    },
}

impl FindError {
    pub(super) fn not_one_of(
        word: SafeText,
        what: &'static str,
        known: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self::NotOneOf { word, what, known: known.collect::<Vec<_>>().join(" ") }
    }
}
