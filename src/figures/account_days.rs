//! What an account was worth at the end of each day and what happened to it, as it is kept: the
//! shape of it, and how it becomes bytes and back. What is in it performance says.
//!
//! Accounts that are looked at together are more than their sum: money may be on its way between
//! them, and what went from one to the other crossed no border. That is kept beside them.

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

    /// Takes away what happened on another day.
    pub fn sub(&mut self, other: &Self) {
        self.came = self.came.sub(&other.came);
        self.went = self.went.sub(&other.went);
        self.price = self.price.sub(&other.price);
        self.income = self.income.sub(&other.income);
        self.fees = self.fees.sub(&other.fees);
        self.taxes = self.taxes.sub(&other.taxes);
    }
}

/// A day of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountDay {
    /// What it was worth at its end, and nearly; none: something had no value.
    pub value: Option<(Exact, f64)>,
    /// None: nothing, as on most days of most accounts.
    pub happened: Option<Box<Happened>>,
}

impl AccountDay {
    /// Nothing is there and nothing happens.
    pub const EMPTY: Self = Self { value: Some((Exact::ZERO, 0.0)), happened: None };

    /// Adds the same day of something else; what has no value leaves the sum without one.
    pub fn add(&mut self, other: &Self) {
        self.value = match (self.value.take(), &other.value) {
            (Some((sum, near)), Some((more, nearly))) => Some((sum.add(more), near + nearly)),
            _ => None,
        };
        if let Some(happened) = &other.happened {
            self.happened.get_or_insert_default().add(happened);
        }
    }
}

/// What two accounts are together on a day beyond what each is by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    /// The other one.
    pub other: AccountId,
    /// When.
    #[serde(with = "days")]
    pub date: NaiveDate,
    /// To be added to both; without a value they cannot be put together.
    pub day: AccountDay,
}

/// The days of an account, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountCourse {
    /// The first day on which there was anything, before which there was nothing.
    #[serde(with = "days")]
    pub first: NaiveDate,
    /// From that day on; none at all: there never was anything.
    pub days: Vec<AccountDay>,
    /// From this day on something depends on more than the days before it, or lacks a price or a
    /// rate: no more days can be kept.
    #[serde(with = "days::optional")]
    pub odd: Option<NaiveDate>,
    /// Days on which it and an account of a higher id are more than their sum.
    pub beyond: Vec<Beyond>,
}

impl AccountCourse {
    /// A day; none: it is not known.
    #[must_use]
    pub fn day(&self, day: NaiveDate) -> Option<&AccountDay> {
        const EMPTY: &AccountDay = &AccountDay::EMPTY;
        match self.place(day) {
            _ if self.days.is_empty() => Some(EMPTY),
            Some(place) => self.days.get(place),
            None => Some(EMPTY),
        }
    }

    /// Where a day is; none: before the first.
    fn place(&self, day: NaiveDate) -> Option<usize> {
        usize::try_from((day - self.first).num_days()).ok()
    }

    /// Forgets the days after one, and those before it that cannot be gone on from: one can go on
    /// only from a day on which everything had a value. Tells the last day after which one can: where
    /// no day is left of something that had begun, it must be gone through from its beginning.
    pub fn cut(&mut self, through: NaiveDate) -> NaiveDate {
        let has_begun = !self.days.is_empty() && self.first <= through;
        let count = self.place(through).map_or(0, |place| place.saturating_add(1));
        self.days.truncate(count);
        while self.days.pop_if(|day| day.value.is_none()).is_some() {}
        self.odd = self.odd.filter(|odd| *odd <= through);
        self.beyond.retain(|beyond| beyond.date <= through);
        match self.next().or(has_begun.then_some(self.first)) {
            Some(next) if self.odd.is_none() => next.pred_opt().unwrap_or(next).min(through),
            _ => through,
        }
    }

    /// Forgets the days before one, to save memory where nobody asks for them.
    pub fn begin_at(&mut self, day: NaiveDate) {
        let Some(before) = self.place(day).filter(|_| !self.days.is_empty()) else { return };
        self.days.drain(..before.min(self.days.len()));
        self.days.shrink_to_fit();
        self.first = day;
        self.beyond.retain(|beyond| beyond.date >= day);
        self.beyond.shrink_to_fit();
    }

    /// The day after the last; none: there never was anything.
    #[must_use]
    pub fn next(&self) -> Option<NaiveDate> {
        let count = u64::try_from(self.days.len()).ok().filter(|count| *count > 0)?;
        self.first.checked_add_days(Days::new(count))
    }

    /// As the store keeps it.
    ///
    /// # Errors
    /// When it cannot be written as bytes.
    pub fn kept(&self, account: AccountId, through: NaiveDate) -> Result<AccountDays> {
        Ok(AccountDays { account, through, days: codec::to_bytes(self)? })
    }

    /// As it was when the store began to keep it. Only the days up to `kept.through` are still true.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn of(kept: &AccountDays) -> Result<Self> {
        codec::from_bytes(&kept.days)
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
