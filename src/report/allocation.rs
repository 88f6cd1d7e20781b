//! What everything one owns consists of, by class; and apart from it what is owed.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::net_worth::{self, Item, Part};
use super::types::NetWorthQuery;
use super::valuation::Total;
use super::{Missing, Result};
use crate::model::{AccountId, AssetClass, Currency, Dec, Exact};
use crate::store::Tx;

/// Of what and when.
#[derive(Clone, Copy, Debug)]
pub struct AllocationQuery {
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
}

/// The parts of a whole.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// The day.
    pub as_of: NaiveDate,
    /// The currency of all figures.
    pub currency: Currency,
    /// Of everything worth more than nothing, the largest first.
    pub rows: Vec<AllocationRow>,
    /// Their sum; none: more digits than there are.
    pub total: Option<Dec>,
    /// What is worth less than nothing: debts, short positions, overdrawn cash. With the total it
    /// makes up net worth.
    pub liabilities: Option<Dec>,
    /// What is in neither, as its value is not known.
    pub missing: Vec<Missing>,
}

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationRow {
    /// Which.
    pub slice: Slice,
    /// What it is worth, in the base currency.
    pub value_base: Dec,
    /// Its part of the total, 10 decimals; all of them add up to one.
    pub weight: Dec,
}

/// What a part consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slice {
    /// Securities of a class; things that are no securities are [`AssetClass::Other`].
    Class(AssetClass),
    /// Money in accounts.
    Cash,
    /// Securities without a class, and investment accounts known by their balance alone.
    Unknown,
}

impl Slice {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Class(class) => class.as_str(),
            Self::Cash => "cash",
            Self::Unknown => "unknown",
        }
    }

    const fn of(item: &Item) -> Self {
        match (item.part, item.class) {
            (Part::MarketValue, Some(class)) => Self::Class(class),
            (Part::MarketValue, None) => Self::Unknown,
            (Part::Assets, _) => Self::Class(AssetClass::Other),
            // What is owed is below zero, so that this is what a card was paid too much.
            (Part::Cash | Part::Liabilities, _) => Self::Cash,
        }
    }
}

/// What everything consists of on a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn allocation_by_class(tx: &mut Tx, query: &AllocationQuery) -> Result<Allocation> {
    let AllocationQuery { as_of, today, account, currency } = *query;
    let worth = NetWorthQuery { from: None, to: as_of, today, account, currency, every: None };
    let (currency, row, items) = net_worth::itemized(tx, &worth).await?;
    let mut slices: BTreeMap<Slice, Total> = BTreeMap::new();
    let mut liabilities = Total::default();
    for item in &items {
        let Some(value) = item.value else { continue };
        if value.is_negative() {
            liabilities.add(Some(value));
        } else if value.is_positive() {
            slices.entry(Slice::of(item)).or_default().add(Some(value));
        }
    }
    let mut rows: Vec<_> = slices
        .into_iter()
        .filter_map(|(slice, sum)| Some((slice, sum.known()?)))
        .map(|(slice, value_base)| AllocationRow { slice, value_base, weight: Dec::ZERO })
        .collect();
    rows.sort_by(|a, b| (b.value_base, a.slice).cmp(&(a.value_base, b.slice)));
    weigh(&mut rows);
    let total: Total = rows.iter().map(|row| Some(row.value_base)).collect();
    Ok(Allocation {
        as_of,
        currency,
        rows,
        total: total.known(),
        liabilities: liabilities.known(),
        missing: row.missing,
    })
}

/// Rounds the running sum and not each weight, so that all of them add up to one.
fn weigh(rows: &mut [AllocationRow]) {
    let whole = rows.iter().fold(Exact::ZERO, |sum, row| sum.add(&row.value_base.into()));
    let (mut sum, mut weighed) = (Exact::ZERO, Dec::ZERO);
    for row in rows {
        sum = sum.add(&row.value_base.into());
        // The whole is above zero, and no part of it is more than one.
        let through = sum.div_round(&whole, 10).unwrap_or(weighed);
        row.weight = through.checked_sub(weighed).unwrap_or_default();
        weighed = through;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weights(values: &[i64]) -> Vec<Dec> {
        let row = |value: &i64| AllocationRow {
            slice: Slice::Cash,
            value_base: Dec::from_i64(*value),
            weight: Dec::ZERO,
        };
        let mut rows: Vec<_> = values.iter().map(row).collect();
        weigh(&mut rows);
        rows.iter().map(|row| row.weight).collect()
    }

    #[test]
    fn thirds_add_up_to_one() {
        // 0.3333333333, then 0.6666666667 and 1: half a unit is never lost.
        let thirds = ["0.3333333333", "0.3333333334", "0.3333333333"];
        assert_eq!(weights(&[1, 1, 1]), thirds.map(|text| Dec::parse(text).unwrap()));
        assert_eq!(weights(&[]), []);
    }

    proptest! {
        #[test]
        fn weights_add_up_to_one_and_are_near_what_they_should_be(
            values in prop::collection::vec(1_i64..1_000_000_000, 1..12),
        ) {
            let whole = Exact::from(Dec::from_i64(values.iter().sum()));
            let weights = weights(&values);
            let mut sum = weights.iter();
            prop_assert_eq!(sum.try_fold(Dec::ZERO, |a, b| a.checked_add(*b)), Some(Dec::ONE));
            for (value, weight) in values.iter().zip(weights) {
                let right = Exact::from(Dec::from_i64(*value)).div_round(&whole, 10).unwrap();
                let off = weight.checked_sub(right).unwrap().abs();
                prop_assert!(off <= Dec::parse("0.0000000001").unwrap(), "off by {}", off);
            }
        }
    }
}
