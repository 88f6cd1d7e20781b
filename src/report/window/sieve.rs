//! A query against one store: what the database can leave out, and what is tested here.

use std::collections::BTreeSet;
use std::ops::{Bound, RangeBounds};

use chrono::NaiveDate;

use super::super::find::{Find, Span, Test};
use crate::figures::Names;
use crate::model::{AccountId, CategoryId, Dec, SafeText, SecurityId, Subtype, fold};
use crate::store::{CategoryRecord, Fits, Line, LineWords, Wanted};

/// What of a store fits a query.
#[derive(Default)]
pub(super) struct Sieve {
    /// What the database can tell.
    pub fits: Vec<Fits>,
    /// What is needed for the rest.
    pub wanted: Wanted,
    /// On or after.
    pub from: Option<NaiveDate>,
    /// On or before.
    pub to: Option<NaiveDate>,
    tests: Vec<(bool, RowTest)>,
}

/// What only a program can tell.
enum RowTest {
    Words {
        text: String,
        accounts: BTreeSet<AccountId>,
        securities: BTreeSet<SecurityId>,
        categories: BTreeSet<CategoryId>,
        subtypes: Vec<Subtype>,
    },
    Amount(Span<Dec>),
    Quantity(Span<Dec>),
}

impl Sieve {
    /// Looks up once what is called as the query says.
    pub fn new(find: &Find, names: &Names, categories: &[CategoryRecord]) -> Self {
        let mut sieve = Self::default();
        let called = Called { names, categories };
        for term in &find.terms {
            let fits = match &term.test {
                Test::Days(days) if !term.not => {
                    sieve.from = sieve.from.max(Some(*days.start()));
                    sieve.narrow_to(Some(*days.end()));
                    continue;
                }
                Test::Amount(span) => {
                    sieve.wanted.amount = true;
                    if !term.not {
                        sieve.fits.push(Fits::Amount(end(span.0), end(span.1)));
                    }
                    sieve.tests.push((term.not, RowTest::Amount(*span)));
                    continue;
                }
                Test::Quantity(span) => {
                    sieve.wanted.quantity = true;
                    if !term.not {
                        sieve.fits.push(Fits::Quantity(end(span.0), end(span.1)));
                    }
                    sieve.tests.push((term.not, RowTest::Quantity(*span)));
                    continue;
                }
                Test::Words(text) => {
                    let accounts = called.accounts(text);
                    let securities = called.securities(text);
                    let categories = called.categories(text);
                    let subtypes = Subtype::beginning(text);
                    // What may fit cannot be turned around; all are tested then.
                    if !term.not {
                        sieve.fits.push(Fits::Any(vec![
                            Fits::Account(accounts.clone()),
                            Fits::Security(securities.clone()),
                            Fits::Category(categories.clone()),
                            Fits::Subtype(subtypes.clone()),
                            Fits::Text(text.clone()),
                        ]));
                    }
                    sieve.wanted.words = true;
                    sieve.wanted.subtype |= !subtypes.is_empty();
                    let words = RowTest::Words {
                        text: text.clone(),
                        accounts: accounts.into_iter().collect(),
                        securities: securities.into_iter().collect(),
                        categories: categories.into_iter().collect(),
                        subtypes,
                    };
                    sieve.tests.push((term.not, words));
                    continue;
                }
                Test::Account(text) => Fits::Account(called.accounts(text)),
                Test::Symbol(text) => Fits::Security(called.securities(text)),
                Test::Category(text) => Fits::Category(called.categories(text)),
                Test::Kind(subtypes) => Fits::Subtype(subtypes.clone()),
                Test::Status(statuses) => Fits::Status(statuses.clone()),
                Test::Source(origins) => Fits::Origin(origins.clone()),
                Test::Batch(batch) => Fits::Batch(*batch),
                Test::Currency(currency) => Fits::Currency(*currency),
                Test::Days(days) => Fits::Days(days.clone()),
                Test::Linked => Fits::Linked,
            };
            sieve.fits.push(if term.not { Fits::Not(Box::new(fits)) } else { fits });
        }
        sieve
    }

    /// Nothing later than this day.
    pub fn narrow_to(&mut self, day: Option<NaiveDate>) {
        self.to = match (self.to, day) {
            (Some(to), Some(day)) => Some(to.min(day)),
            (to, day) => to.or(day),
        };
    }

    /// Whether a row that the database let through fits.
    pub fn lets_through(&self, line: &Line) -> bool {
        self.tests.iter().all(|(not, test)| test.fits(line) != *not)
    }
}

impl RowTest {
    fn fits(&self, line: &Line) -> bool {
        match self {
            Self::Amount(span) => line.amount.is_some_and(|amount| span.contains(&amount)),
            Self::Quantity(span) => line.quantity.is_some_and(|(quantity, subtype)| {
                let signed = subtype.quantity_is_signed();
                span.contains(&if signed { quantity } else { quantity.abs() })
            }),
            Self::Words { text, accounts, securities, categories, subtypes } => {
                let Some(words) = &line.words else { return false };
                let LineWords { account, security, category, description, note } = words;
                accounts.contains(account)
                    || security.is_some_and(|id| securities.contains(&id))
                    || category.is_some_and(|id| categories.contains(&id))
                    || line.subtype.is_some_and(|subtype| subtypes.contains(&subtype))
                    || [description, note].into_iter().flatten().any(|it| fold(it).contains(text))
            }
        }
    }
}

/// The end of a span, whether it belongs to it or not.
const fn end(bound: Bound<Dec>) -> Option<Dec> {
    match bound {
        Bound::Included(end) | Bound::Excluded(end) => Some(end),
        Bound::Unbounded => None,
    }
}

/// What is called how.
struct Called<'a> {
    names: &'a Names,
    categories: &'a [CategoryRecord],
}

impl Called<'_> {
    fn accounts(&self, text: &str) -> Vec<AccountId> {
        with(text, self.names.accounts())
    }

    fn securities(&self, text: &str) -> Vec<SecurityId> {
        with(text, self.names.symbols())
    }

    fn categories(&self, text: &str) -> Vec<CategoryId> {
        with(text, self.categories.iter().map(|row| (row.id, &row.name)))
    }
}

/// Those whose name has this in it.
fn with<'a, Id>(text: &str, all: impl Iterator<Item = (Id, &'a SafeText)>) -> Vec<Id> {
    all.filter(|(_, name)| fold(name.as_str()).contains(text)).map(|(id, _)| id).collect()
}
