//! Money in three currencies side by side: computed exactly, rounded once, cut so that the parts
//! add up. It knows neither rows nor lots' rules.

use crate::model::{Currency, Dec, Exact, ExactError, Lot};

/// Derived money has so many decimals.
pub(super) const PLACES: u32 = 12;

/// What one row could not know.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// A figure did not fit into 28 digits.
    pub spilled: bool,
    /// Rates that would have been needed.
    pub rates: Vec<(Currency, Currency)>,
}

impl Gaps {
    /// What fits; what does not is remembered.
    pub fn fits<T>(&mut self, result: Result<T, ExactError>) -> Option<T> {
        self.spilled |= result.is_err();
        result.ok()
    }

    fn sum(&mut self, a: Dec, b: Dec) -> Option<Dec> {
        let sum = a.checked_add(b);
        self.spilled |= sum.is_none();
        sum
    }
}

/// A cost, or proceeds, in the security's, the base and the tax currency; none: unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Costs {
    pub local: Option<Dec>,
    pub base: Option<Dec>,
    pub tax: Option<Dec>,
}

impl Costs {
    pub const ZERO: Self = Self::all(Some(Dec::ZERO));
    pub const UNKNOWN: Self = Self::all(None);

    const fn all(figure: Option<Dec>) -> Self {
        Self { local: figure, base: figure, tax: figure }
    }

    /// The same done to each; to equal figures only once, since it comes to the same.
    fn each(self, mut f: impl FnMut(Dec) -> Option<Dec>) -> Self {
        let local = self.local.and_then(&mut f);
        let base = if self.base == self.local { local } else { self.base.and_then(&mut f) };
        let tax = if self.tax == self.base { base } else { self.tax.and_then(&mut f) };
        Self { local, base, tax }
    }

    pub fn plus(self, other: Self, gaps: &mut Gaps) -> Self {
        let mut sum = |a: Option<Dec>, b: Option<Dec>| gaps.sum(a?, b?);
        Self {
            local: sum(self.local, other.local),
            base: sum(self.base, other.base),
            tax: sum(self.tax, other.tax),
        }
    }

    pub fn minus(self, other: Self, gaps: &mut Gaps) -> Self {
        self.plus(-other, gaps)
    }

    /// The part `over / under` of it.
    pub fn part(self, over: &Exact, under: &Exact, gaps: &mut Gaps) -> Self {
        self.each(|cost| gaps.fits(quotient(&Exact::from(cost).mul(over), under)))
    }

    /// Cut by weights of one sign; the last part is what is left, so that they add up.
    pub fn cut(self, weights: &[Dec], gaps: &mut Gaps) -> Vec<Self> {
        let Some((_, firsts)) = weights.split_last() else { return Vec::new() };
        if firsts.is_empty() {
            return vec![self];
        }
        let whole = total(weights.iter().copied());
        if whole.is_zero() {
            let mut parts = vec![Self::ZERO; firsts.len()];
            parts.push(self);
            return parts;
        }
        let mut left = self;
        let mut parts: Vec<Self> = Vec::with_capacity(weights.len());
        for &weight in firsts {
            let part = self.part(&weight.into(), &whole, gaps);
            left = left.minus(part, gaps);
            parts.push(part);
        }
        parts.push(left);
        parts
    }
}

impl std::ops::Neg for Costs {
    type Output = Self;

    fn neg(self) -> Self {
        self.each(|cost| Some(-cost))
    }
}

impl Lot {
    pub(super) const fn costs(&self) -> Costs {
        Costs { local: self.cost, base: self.cost_base, tax: self.cost_tax }
    }

    pub(super) const fn set_costs(&mut self, costs: Costs) {
        self.cost = costs.local;
        self.cost_base = costs.base;
        self.cost_tax = costs.tax;
    }
}

/// The quotient, rounded half-even once.
pub(super) fn quotient(over: &Exact, under: &Exact) -> Result<Dec, ExactError> {
    if *under == Exact::from(Dec::ONE) { over.round(PLACES) } else { over.div_round(under, PLACES) }
}

/// The exact sum.
pub(super) fn total(figures: impl Iterator<Item = Dec>) -> Exact {
    figures.fold(Exact::ZERO, |sum, figure| sum.add(&figure.into()))
}
