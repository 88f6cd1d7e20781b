//! What everything one owns consists of, cut by class, sector, currency and so on, and how far that
//! is from what it should be; and apart from it what is owed.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::net_worth::{self, Item, Part};
use super::types::NetWorthQuery;
use super::valuation::Total;
use super::{Missing, Result};
use crate::model::target::{self, CASH, UNKNOWN};
use crate::model::{
    Account, AccountId, AssetClass, Currency, Dec, Dimension, Exact, SafeText, Security, SecurityId,
};
use crate::store::{AllocationTarget, Tx};

/// Of what and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationQuery {
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// As if this were the base currency.
    pub currency: Option<Currency>,
    /// What it is cut by.
    pub by: Dimension,
}

/// The parts of a whole.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// The day.
    pub as_of: NaiveDate,
    /// The currency of all figures.
    pub currency: Currency,
    /// What it is cut by.
    pub by: Dimension,
    /// Of everything worth more than nothing, the largest first; then what should be there and is
    /// not.
    pub rows: Vec<AllocationRow>,
    /// Their sum; none: more digits than there are.
    pub total: Option<Dec>,
    /// What is worth less than nothing: debts, short positions, overdrawn cash. With the total it
    /// makes up net worth.
    pub liabilities: Option<Dec>,
    /// What is in neither, as its value is not known.
    pub missing: Vec<Missing>,
    /// Some row behind it is pending.
    pub pending: bool,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationRow {
    /// Which: `unknown` is what nobody sorted.
    pub key: SafeText,
    /// What it is worth, in the base currency.
    pub value_base: Dec,
    /// Its part of the total, 10 decimals; all of them add up to one.
    pub weight: Dec,
    /// The part that it should be, where somebody said it.
    pub target: Option<Dec>,
    /// How far off is still right, where there is a target.
    pub band: Option<Dec>,
}

/// How a part stands to what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Less than its band allows.
    Under,
    /// Inside its band.
    Within,
    /// More than its band allows.
    Over,
}

impl Standing {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Under => "under",
            Self::Within => "within",
            Self::Over => "over",
        }
    }
}

impl AllocationRow {
    const fn of(key: SafeText, value_base: Dec) -> Self {
        Self { key, value_base, weight: Dec::ZERO, target: None, band: None }
    }

    /// Its weight less its target.
    #[must_use]
    pub fn drift(&self) -> Option<Dec> {
        self.weight.checked_sub(self.target?)
    }

    /// Whether it is inside its band; none: it has no target.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        let (drift, band) = (self.drift()?, self.band?);
        Some(match drift.abs() <= band {
            true => Standing::Within,
            false if drift.is_negative() => Standing::Under,
            false => Standing::Over,
        })
    }
}

/// What everything consists of on a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn allocation(tx: &mut Tx, query: &AllocationQuery) -> Result<Allocation> {
    Ok(Cut::read(tx, query).await?.allocation())
}

/// A whole and everything in it, cut.
pub(super) struct Cut {
    query: AllocationQuery,
    pub currency: Currency,
    pub items: Vec<Item>,
    targets: Vec<AllocationTarget>,
    pub securities: BTreeMap<SecurityId, Security>,
    pub accounts: BTreeMap<AccountId, Account>,
    missing: Vec<Missing>,
    pending: bool,
}

impl Cut {
    pub async fn read(tx: &mut Tx, query: &AllocationQuery) -> Result<Self> {
        let AllocationQuery { as_of, today, account, currency, by } = *query;
        let worth = NetWorthQuery { from: None, to: as_of, today, account, currency, every: None };
        let (currency, row, items) = net_worth::itemized(tx, &worth).await?;
        let targets = tx.targets().await?.into_iter();
        let securities = tx.securities().await?.into_iter();
        let accounts = tx.accounts().await?.into_iter();
        Ok(Self {
            query: *query,
            currency,
            items,
            targets: targets.filter(|it| it.dimension.as_str() == by.as_str()).collect(),
            securities: securities.map(|row| (row.security.id, row.security)).collect(),
            accounts: accounts.map(|row| (row.account.id, row.account)).collect(),
            missing: row.missing,
            pending: row.pending,
        })
    }

    /// The slices that a thing is in. What is in several is in each with an equal share.
    pub fn slices(&self, item: &Item) -> Vec<SafeText> {
        let security =
            item.position.as_ref().and_then(|(held, _)| self.securities.get(&held.security));
        let account = self.accounts.get(&item.account);
        let ours = SafeText::new;
        let is_money = matches!(item.part, Part::Cash | Part::Liabilities);
        // What is owed is below zero, so that this is what a card was paid too much.
        let of_security = |of: fn(&Security) -> Option<SafeText>| match security {
            Some(security) => of(security),
            None => is_money.then(|| ours(CASH)),
        };
        let one = match self.query.by {
            Dimension::Class if item.part == Part::Assets => Some(ours(AssetClass::Other.as_str())),
            Dimension::Class => of_security(|it| it.class.map(|it| SafeText::new(it.as_str()))),
            Dimension::Sector => of_security(|it| it.sector.clone()),
            Dimension::Region => of_security(|it| it.region.clone()),
            Dimension::Security => of_security(|it| Some(it.symbol.clone())),
            Dimension::Currency => Some(ours(item.currency.code())),
            Dimension::Account => account.map(|it| it.name.clone()),
            Dimension::Institution => account.and_then(|it| it.institution.clone()),
            Dimension::Tax => account.map(|it| ours(it.kind.tax().as_str())),
            Dimension::Tag => {
                if let Some(tags) = security.and_then(|it| it.tags.as_ref()) {
                    return tags.iter().map(SafeText::new).collect();
                }
                of_security(|_| None)
            }
        };
        vec![one.unwrap_or_else(|| ours(UNKNOWN))]
    }

    pub fn allocation(&self) -> Allocation {
        let mut slices: BTreeMap<SafeText, Total> = BTreeMap::new();
        let mut liabilities = Total::default();
        for item in &self.items {
            let Some(value) = item.value else { continue };
            if value.is_negative() {
                liabilities.add(Some(value));
            } else if value.is_positive() {
                let keys = self.slices(item);
                for (key, share) in keys.iter().zip(shares(value, keys.len())) {
                    slices.entry(key.clone()).or_default().add(Some(share));
                }
            }
        }
        let mut rows: Vec<_> = slices
            .into_iter()
            .filter_map(|(key, sum)| Some(AllocationRow::of(key, sum.known()?)))
            .collect();
        rows.sort_by(|a, b| (b.value_base, &a.key).cmp(&(a.value_base, &b.key)));
        weigh(&mut rows);
        let total: Total = rows.iter().map(|row| Some(row.value_base)).collect();
        for said in &self.targets {
            let row = rows.iter_mut().find(|row| row.key == said.key);
            let band = said.band.unwrap_or_else(target::usual_band);
            let (weight, band) = (Some(said.weight), Some(band));
            match row {
                Some(row) => (row.target, row.band) = (weight, band),
                None => rows.push(AllocationRow {
                    target: weight,
                    band,
                    ..AllocationRow::of(said.key.clone(), Dec::ZERO)
                }),
            }
        }
        Allocation {
            as_of: self.query.as_of,
            currency: self.currency,
            by: self.query.by,
            rows,
            total: total.known(),
            liabilities: liabilities.known(),
            missing: self.missing.clone(),
            pending: self.pending,
        }
    }
}

/// Equal shares that add up to the whole.
pub(super) fn shares(whole: Dec, count: usize) -> Vec<Dec> {
    let parts = Exact::from(Dec::from_i64(i64::try_from(count).unwrap_or(i64::MAX)));
    let (mut through, mut before) = (Exact::ZERO, Dec::ZERO);
    let share = |_| {
        through = through.add(&whole.into());
        // Rounding the running sum loses nothing.
        let sum = through.div_round(&parts, 12).unwrap_or(before);
        let share = sum.checked_sub(before).unwrap_or_default();
        before = sum;
        share
    };
    match count {
        1 => vec![whole],
        _ => (0..count).map(share).collect(),
    }
}

/// Rounds the running sum and not each weight, so that all of them add up to one.
pub(super) fn weigh(rows: &mut [AllocationRow]) {
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

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn weights(values: &[i64]) -> Vec<Dec> {
        let row = |value: &i64| AllocationRow::of(SafeText::new(CASH), Dec::from_i64(*value));
        let mut rows: Vec<_> = values.iter().map(row).collect();
        weigh(&mut rows);
        rows.iter().map(|row| row.weight).collect()
    }

    #[test]
    fn thirds_add_up_to_one() {
        // 0.3333333333, then 0.6666666667 and 1: half a unit is never lost.
        let thirds = ["0.3333333333", "0.3333333334", "0.3333333333"];
        assert_eq!(weights(&[1, 1, 1]), thirds.map(dec));
        assert_eq!(weights(&[]), []);
        let shares = shares(dec("100"), 3);
        assert_eq!(shares, ["33.333333333333", "33.333333333334", "33.333333333333"].map(dec));
    }

    #[test]
    fn a_part_stands_under_within_or_over_its_band() {
        let standing = |weight: &str, band: Option<Dec>| {
            let row = AllocationRow::of(SafeText::new(CASH), Dec::ONE);
            let row = AllocationRow { weight: dec(weight), target: Some(dec("0.5")), band, ..row };
            row.standing()
        };
        let band = Some(dec("0.05"));
        assert_eq!(standing("0.45", band), Some(Standing::Within));
        assert_eq!(standing("0.4499999999", band), Some(Standing::Under));
        assert_eq!(standing("0.5500000001", band), Some(Standing::Over));
        assert_eq!(standing("0.5", None), None);
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
                prop_assert!(off <= dec("0.0000000001"), "off by {}", off);
            }
        }
    }
}
