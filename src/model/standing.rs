//! What an account comes to, as somebody outside says.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

use super::account::words;
use super::{AssetClass, Currency, Dec, Exact, Mention, SafeText};

/// What an account comes to at the end of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which day.
    pub date: NaiveDate,
    /// All of it, holdings too; what is owed is negative.
    pub balance: Dec,
    /// The cash in it, where that is told by itself.
    pub cash: Option<Dec>,
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
    /// What it is, where that is told.
    pub class: Option<AssetClass>,
    /// How many units one stands for, of an option or future; none: itself.
    pub multiplier: Option<Dec>,
    /// The currency of its figures.
    pub currency: Currency,
    /// How many; negative: short.
    pub quantity: Dec,
    /// What all of it is worth.
    pub value: Option<Dec>,
    /// What all of it was bought at, where that is certain.
    pub cost: Option<Dec>,
}

words! {
    /// What of an account of a connection is still to be opened: to be given what was in it before
    /// the first row that is known.
    Unopened, "part of an opening" {
        /// Nothing is.
        All = "all",
        /// The cash: what the holdings are worth was not told.
        Cash = "cash",
        /// It is, by an answer that may have had the rows of some days only, or none of them yet.
        Early = "early",
    }
}

/// Where the ledger and a provider differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the ledger comes to.
    pub ours: Dec,
    /// What the provider says.
    pub stated: Dec,
    /// Of what.
    pub of: Differs,
}

/// What a ledger and a provider may differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differs {
    /// The cash in an account.
    Cash(Currency),
    /// All that is in an account which stands by its balances.
    Balance(Currency),
    /// How many of a security there are; one that is not known here by its symbol.
    Units(Option<SafeText>),
}

impl Difference {
    /// The kind of the findings that say it.
    pub const FINDING: &'static str = "reconcile";
    /// The same of one that somebody knows of and leaves.
    pub const IGNORED: &'static str = "reconcile.ignored";

    /// Whether findings of a kind say a difference.
    #[must_use]
    pub fn is_kind(kind: &str) -> bool {
        kind == Self::FINDING || kind == Self::IGNORED
    }
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cash(currency) => write!(f, "{currency} cash"),
            Self::Balance(currency) => write!(f, "{currency} balance"),
            Self::Units(None) => f.write_str("units"),
            Self::Units(Some(symbol)) => write!(f, "units of {symbol}"),
        }
    }
}

/// As it is kept with a finding: its two figures, and of what they are.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.ours, self.stated, self.of)
    }
}

/// A text that says no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this says no difference")]
pub struct NoDifference;

impl FromStr for Difference {
    type Err = NoDifference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ' ');
        let mut part = || parts.next().ok_or(NoDifference);
        let figure = |text: &str| Dec::parse(text).map_err(|_| NoDifference);
        let (ours, stated, of) = (figure(part()?)?, figure(part()?)?, part()?);
        let currency = |code: &str| Currency::parse(code).map_err(|_| NoDifference);
        let of = match of.split_once(' ') {
            None if of == "units" => Differs::Units(None),
            Some(("units", rest)) => {
                Differs::Units(Some(SafeText::new(rest.strip_prefix("of ").ok_or(NoDifference)?)))
            }
            Some((code, "cash")) => Differs::Cash(currency(code)?),
            Some((code, "balance")) => Differs::Balance(currency(code)?),
            _ => return Err(NoDifference),
        };
        Ok(Self { ours, stated, of })
    }
}

impl Standing {
    /// The cash in it, in the currency of the account: as told, else what is left without the
    /// holdings. None: what one of them is worth is not told, or is in another currency.
    #[must_use]
    pub fn cash(&self, currency: Currency) -> Option<Dec> {
        if self.cash.is_some() {
            return self.cash;
        }
        let mut cash = Exact::from(self.balance);
        for holding in self.holdings.as_ref()? {
            let value = holding.value.filter(|_| holding.currency == currency)?;
            cash = cash.sub(&Exact::from(value));
        }
        cash.round(28).ok()
    }
}

impl StatedHolding {
    /// What one unit is worth.
    #[must_use]
    pub fn price(&self) -> Option<Dec> {
        self.of_one(self.value?)
    }

    /// What one unit was bought at.
    #[must_use]
    pub fn unit_cost(&self) -> Option<Dec> {
        self.of_one(self.cost?)
    }

    /// As exact as a number can be kept. What is lost altogether by that is not known: it is not
    /// nothing.
    fn of_one(&self, whole: Dec) -> Option<Dec> {
        let multiplier = Exact::from(self.multiplier.unwrap_or(Dec::ONE));
        let (whole, units) = (Exact::from(whole), Exact::from(self.quantity).mul(&multiplier));
        let one = |places: &u32| whole.div_round(&units, *places).ok();
        (0..=28).rev().find_map(|places| one(&places)).filter(|one| !one.is_zero())
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
            class: None,
            multiplier: None,
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
            Standing { date, balance: dec("100.10"), cash: None, holdings }.cash(Currency::USD)
        };
        let usd = |value| holding(value, Currency::USD);
        assert_eq!(cash(Some(vec![])), Some(dec("100.1")));
        assert_eq!(cash(Some(vec![usd(Some("60")), usd(Some("0.2"))])), Some(dec("39.9")));
        assert_eq!(cash(Some(vec![usd(None)])), None);
        assert_eq!(cash(Some(vec![holding(Some("1"), Currency::CAD)])), None);
        assert_eq!(cash(None), None);
        assert_eq!(usd(Some("60")).price(), Some(dec("20")));
        assert_eq!(usd(None).price(), None);
        assert_eq!(usd(None).unit_cost(), Some(dec("3.333333333333333333333333333")));
    }

    #[test]
    fn what_one_is_worth_is_as_exact_as_a_number_can_be_and_never_nothing() {
        let one = |value: &str, quantity: &str| {
            let all =
                StatedHolding { quantity: dec(quantity), ..holding(Some(value), Currency::USD) };
            all.price()
        };
        assert_eq!(one("0.2", "5000000000"), Some(dec("0.00000000004")));
        assert_eq!(one("4217.50", "120.5"), Some(dec("35")));
        assert_eq!(one("100000000000000000000", "3"), Some(dec("33333333333333333333.33333333")));
        assert_eq!(one("0.0000000001", "9999999999999999999999999999"), None);
        assert_eq!(one("1", "0"), None);
        // A right is priced by the unit that it is on.
        let right = StatedHolding {
            quantity: dec("-1"),
            multiplier: Some(dec("100")),
            cost: Some(dec("-210")),
            ..holding(Some("-185"), Currency::USD)
        };
        assert_eq!((right.price(), right.unit_cost()), (Some(dec("1.85")), Some(dec("2.1"))));
    }

    #[test]
    fn a_difference_is_read_as_it_was_written() {
        for text in
            ["1250.75 1200.75 USD cash", "-3 0 units", "0 5 units of ABC D", "1 2 CAD balance"]
        {
            assert_eq!(text.parse::<Difference>().unwrap().to_string(), text);
        }
        for text in ["", "1", "1 2", "1 x units", "1 2 USD", "1 2 units for X", "1 2 X cash"] {
            assert_eq!(text.parse::<Difference>(), Err(NoDifference), "{text}");
        }
    }
}
