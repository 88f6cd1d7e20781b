//! What an account comes to, as somebody outside says.

use chrono::NaiveDate;

use super::{Currency, Dec, Exact, Mention, SafeText};

/// What an account comes to at the end of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which day.
    pub date: NaiveDate,
    /// All of it, holdings too; what is owed is negative.
    pub balance: Dec,
    /// What is held in it; none: that is not told.
    pub holdings: Option<Vec<StatedHolding>>,
}

/// Something that is held, as somebody outside says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedHolding {
    /// What.
    pub security: Mention,
    /// What it is called there.
    pub name: Option<SafeText>,
    /// The currency of its figures.
    pub currency: Currency,
    /// How many; negative: short.
    pub quantity: Dec,
    /// What all of it is worth.
    pub value: Option<Dec>,
    /// What all of it was bought at, where that is certain.
    pub cost: Option<Dec>,
}

impl Standing {
    /// The cash in it, in the currency of the account: what is left without the holdings. None: what
    /// one of them is worth is not told, or is in another currency.
    #[must_use]
    pub fn cash(&self, currency: Currency) -> Option<Dec> {
        let mut cash = Exact::from(self.balance);
        for holding in self.holdings.as_ref()? {
            let value = holding.value.filter(|_| holding.currency == currency)?;
            cash = cash.sub(&Exact::from(value));
        }
        cash.round(28).ok()
    }
}

impl StatedHolding {
    /// What one is worth.
    #[must_use]
    pub fn price(&self) -> Option<Dec> {
        self.of_one(self.value?)
    }

    /// What one was bought at.
    #[must_use]
    pub fn unit_cost(&self) -> Option<Dec> {
        self.of_one(self.cost?)
    }

    fn of_one(&self, whole: Dec) -> Option<Dec> {
        /// More decimals say nothing more.
        const PLACES: u32 = 10;
        Exact::from(whole).div_round(&Exact::from(self.quantity), PLACES).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn holding(value: Option<&str>, currency: Currency) -> StatedHolding {
        StatedHolding {
            security: Mention::parse("X").unwrap(),
            name: None,
            currency,
            quantity: dec("3"),
            value: value.map(dec),
            cost: Some(dec("10")),
        }
    }

    #[test]
    fn cash_is_what_the_holdings_leave() {
        let cash = |holdings| {
            let date = "2024-03-01".parse().unwrap();
            Standing { date, balance: dec("100.10"), holdings }.cash(Currency::USD)
        };
        let usd = |value| holding(value, Currency::USD);
        assert_eq!(cash(Some(vec![])), Some(dec("100.1")));
        assert_eq!(cash(Some(vec![usd(Some("60")), usd(Some("0.2"))])), Some(dec("39.9")));
        assert_eq!(cash(Some(vec![usd(None)])), None);
        assert_eq!(cash(Some(vec![holding(Some("1"), Currency::CAD)])), None);
        assert_eq!(cash(None), None);
        assert_eq!(usd(Some("60")).price(), Some(dec("20")));
        assert_eq!(usd(None).price(), None);
        assert_eq!(usd(None).unit_cost(), Some(dec("3.3333333333")));
    }
}
