//! Money as whole numbers of the smallest unit of a currency.

use std::cmp::Ordering;

use crate::model::{Currency, Dec, Exact};

/// The smallest unit of a currency.
#[derive(Clone, Debug)]
pub(super) struct Minor {
    places: u32,
    /// How many of them are one.
    in_one: Exact,
}

impl Minor {
    pub fn of(currency: Currency) -> Self {
        let places = currency.minor_units();
        let ten = Exact::from(Dec::from_i64(10));
        let in_one = (0..places).fold(Exact::from(Dec::ONE), |power, _| power.mul(&ten));
        Self { places, in_one }
    }

    /// To the nearest unit.
    pub fn nearest(&self, money: &Exact) -> Option<i128> {
        money.mul(&self.in_one).round(0).ok()?.to_string().parse().ok()
    }

    /// As many as are needed at least.
    pub fn up(&self, money: &Exact) -> Option<i128> {
        let units = self.nearest(money)?;
        Some(if self.compared(units, money)?.is_lt() { units + 1 } else { units })
    }

    /// As many as there are.
    pub fn down(&self, money: &Exact) -> Option<i128> {
        let units = self.nearest(money)?;
        Some(if self.compared(units, money)?.is_gt() { units - 1 } else { units })
    }

    /// In the currency itself.
    pub fn money(&self, units: i128) -> Option<Dec> {
        Exact::parse(&units.to_string())?.div_round(&self.in_one, self.places).ok()
    }

    fn compared(&self, units: i128, money: &Exact) -> Option<Ordering> {
        Some(Exact::parse(&units.to_string())?.cmp(&money.mul(&self.in_one)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_rounded_the_way_that_is_asked_for() {
        let minor = Minor::of(Currency::USD);
        let of = |text: &str| {
            let money = Exact::parse(text).unwrap();
            [minor.down(&money), minor.nearest(&money), minor.up(&money)].map(Option::unwrap)
        };
        assert_eq!(of("1.234"), [123, 123, 124]);
        assert_eq!(of("-1.236"), [-124, -124, -123]);
        assert_eq!(of("5"), [500; 3]);
        assert_eq!(minor.money(-1205), Dec::parse("-12.05").ok());
        let yen = Minor::of(Currency::parse("JPY").unwrap());
        assert_eq!(
            yen.money(yen.nearest(&Exact::parse("12.5").unwrap()).unwrap()),
            Dec::parse("12").ok()
        );
    }
}
