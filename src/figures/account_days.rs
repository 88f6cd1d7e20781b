//! What an account was worth at the end of each day and what happened to it, as it is kept: the
//! shape of it, and how it becomes bytes and back. What is in it performance says.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::codec;
use crate::model::{AccountId, Exact, days};
use crate::store::{AccountDays, Result, Tx};

/// What happened to an account on a day, in the base currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// What came from outside.
    pub came: Exact,
    /// What went there, positive.
    pub went: Exact,
    /// What prices did.
    pub price: Exact,
    /// Received, gross.
    pub income: Exact,
    /// Charged, positive.
    pub fees: Exact,
    /// Taken by the state, positive.
    pub taxes: Exact,
}

impl Default for Happened {
    fn default() -> Self {
        let zero = || Exact::ZERO;
        Self {
            came: zero(),
            went: zero(),
            price: zero(),
            income: zero(),
            fees: zero(),
            taxes: zero(),
        }
    }
}

impl Happened {
    /// Something crossed the border: came, or where it is negative went.
    pub fn flow(&mut self, amount: &Exact) {
        if amount.sign().is_lt() {
            self.went = self.went.sub(amount);
        } else {
            self.came = self.came.add(amount);
        }
    }

    /// Adds what happened on another day.
    pub fn add(&mut self, other: &Self) {
        self.came = self.came.add(&other.came);
        self.went = self.went.add(&other.went);
        self.price = self.price.add(&other.price);
        self.income = self.income.add(&other.income);
        self.fees = self.fees.add(&other.fees);
        self.taxes = self.taxes.add(&other.taxes);
    }
}

/// A day of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountDay {
    /// What it was worth at its end, and nearly; none: something had no value.
    pub value: Option<(Exact, f64)>,
    /// None: nothing.
    pub happened: Option<Happened>,
}

impl AccountDay {
    /// Nothing is there and nothing happens.
    pub const EMPTY: Self = Self { value: Some((Exact::ZERO, 0.0)), happened: None };
}

/// The days of an account, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountCourse {
    /// The first day on which there was anything, before which there was nothing.
    #[serde(with = "days")]
    pub first: NaiveDate,
    /// From that day on; none at all: there never was anything.
    pub days: Vec<AccountDay>,
    /// Something in them depends on more than the days before it or lacks a price or a rate: they
    /// serve nobody.
    pub is_odd: bool,
}

impl AccountCourse {
    /// A day; none: it is not known.
    #[must_use]
    pub fn day(&self, day: NaiveDate) -> Option<&AccountDay> {
        const EMPTY: &AccountDay = &AccountDay::EMPTY;
        let place = (day - self.first).num_days();
        if place < 0 {
            return Some(EMPTY);
        }
        self.days.get(usize::try_from(place).ok()?)
    }

    /// Forgets the days after one.
    pub fn cut(&mut self, through: NaiveDate) {
        let count = (through - self.first).num_days().saturating_add(1).max(0);
        self.days.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    }

    /// The day after the last.
    #[must_use]
    pub fn next(&self) -> NaiveDate {
        let count = Days::new(u64::try_from(self.days.len()).unwrap_or(u64::MAX));
        self.first.checked_add_days(count).unwrap_or(NaiveDate::MAX)
    }

    /// As the store keeps it.
    ///
    /// # Errors
    /// When it cannot be written as bytes.
    pub fn kept(&self, account: AccountId, through: NaiveDate) -> Result<AccountDays> {
        Ok(AccountDays { account, through, days: codec::to_bytes(self)? })
    }

    /// As it was when the store began to keep it.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn of(kept: &AccountDays) -> Result<Self> {
        let mut course: Self = codec::from_bytes(&kept.days)?;
        course.cut(kept.through);
        // Only from a day on which everything had a value one can go on.
        match course.days.last() {
            Some(AccountDay { value: None, .. }) => Ok(Self { is_odd: true, ..Self::default() }),
            _ => Ok(course),
        }
    }
}

/// The days that are kept of every account, up to the end of one day.
#[derive(Clone, Debug)]
pub struct KeptDays {
    /// The last day.
    pub through: NaiveDate,
    /// As the store has them; of an account that is not among them there was nothing.
    pub accounts: Vec<AccountDays>,
}

/// What is kept and still true; none: nothing is.
///
/// # Errors
/// When the store cannot be read.
pub async fn kept_days(tx: &mut Tx) -> Result<Option<KeptDays>> {
    let accounts = tx.account_days().await?;
    let through = accounts.iter().map(|kept| kept.through).min();
    Ok(through.map(|through| KeptDays { through, accounts }))
}
