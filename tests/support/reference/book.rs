//! The replay of all rows from the first to a day, and what it leaves. It knows what rows do, and
//! nothing of how that is reported.

use std::collections::BTreeMap;

use num_traits::{Signed, Zero};

use super::files::Row;
use super::lots::{Closed, Lot, Lots, Method};
use super::market::Market;
use super::{Day, Q, minus, plus};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wishes {
    pub day: Day,
    pub method: Method,
    /// Whether fees and taxes of trades stay outside the cost.
    pub fees_are_expenses: bool,
    /// The currency of the figures called base.
    pub currency: String,
}

/// By account and symbol, account and currency, or pool and symbol.
type By<T> = BTreeMap<(String, String), T>;

/// What the rows up to a day leave.
#[derive(Debug)]
pub struct Book<'a> {
    pub market: &'a Market,
    pub wishes: Wishes,
    pub cash: By<Q>,
    pub holdings: By<Holding>,
    pub lots: By<Lots>,
    pub gains: Vec<Gain>,
}

/// A security in an account.
#[derive(Clone, Debug)]
pub struct Holding {
    pub currency: String,
    pub quantity: Q,
    pub realized: Option<Q>,
    pub realized_base: Option<Q>,
    pub income: Q,
}

/// A closed piece of a lot.
#[derive(Clone, Debug)]
pub struct Gain {
    pub account: String,
    pub symbol: String,
    pub currency: String,
    pub date: Day,
    pub closed: Closed,
    /// Of the day it was closed.
    pub rate: Option<Q>,
}

impl Holding {
    fn realize(&mut self, gain: Option<&Q>, gain_base: Option<&Q>) {
        self.realized = plus(self.realized.as_ref(), gain);
        self.realized_base = plus(self.realized_base.as_ref(), gain_base);
    }
}

impl Gain {
    pub fn gain(&self) -> Option<Q> {
        minus(Some(&self.closed.value), self.closed.lot.cost.as_ref())
    }

    pub fn gain_base(&self) -> Option<Q> {
        minus(self.closed.value_base.as_ref(), self.closed.lot.cost_base.as_ref())
    }
}

impl<'a> Book<'a> {
    /// Nothing has happened yet.
    pub fn new(market: &'a Market, wishes: &Wishes) -> Self {
        Self {
            market,
            wishes: wishes.clone(),
            cash: By::new(),
            holdings: By::new(),
            lots: By::new(),
            gains: Vec::new(),
        }
    }

    /// What one more row does; rows come in order.
    pub fn replay(&mut self, row: &Row) {
        self.pay(&row.account, &row.currency, &row.amount);
        match row.what.as_str() {
            "BUY" | "SELL" | "SHORT_SELL" | "BUY_TO_COVER" => {
                let charges = &row.fee + &row.tax;
                let expense = self.wishes.fees_are_expenses && self.wishes.method != Method::Acb;
                let cost = if expense { -&row.amount - charges } else { -&row.amount };
                let apart = if expense { &row.fee + &row.tax } else { Q::zero() };
                self.trade(row, row.quantity.clone(), cost, apart);
            }
            "DIVIDEND" | "INTEREST" | "DISTRIBUTION" | "CAPITAL_GAIN" => {
                if row.symbol.is_some() {
                    self.holding(row).income += &row.amount + &row.fee + &row.tax;
                }
            }
            "REWARD" => {
                let worth = &row.quantity * row.price.as_ref().unwrap();
                self.holding(row).income += &worth;
                self.trade(row, row.quantity.clone(), worth, Q::zero());
            }
            "SPLIT" => {
                let more = &self.holding(row).quantity * (row.ratio.clone().unwrap() - one());
                self.grow(row, &more);
            }
            // Whoever is short owes what the others get.
            "STOCK_DIVIDEND" if self.holding(row).quantity.is_negative() => {
                self.grow(row, &-&row.quantity);
            }
            "STOCK_DIVIDEND" => self.grow(row, &row.quantity),
            "RETURN_OF_CAPITAL" => self.return_capital(row),
            "OPENING" if row.symbol.is_some() => {
                let cost = row.price.as_ref().map(|price| price * &row.quantity);
                let opened = row.acquired.unwrap_or(row.date);
                let cost_base = self.base_of(row, cost.as_ref());
                self.holding(row).quantity += &row.quantity;
                let quantity = row.quantity.clone();
                let lot = Lot { opened, quantity, cost, cost_base, apart: Q::zero() };
                self.lots_of(row).put(lot);
            }
            "TRANSFER_OUT" | "WITHDRAWAL" if row.to_account.is_some() => self.transfer(row),
            "DEPOSIT" | "WITHDRAWAL" | "FEE" | "TAX" | "OPENING" => {}
            other => panic!("the reference does not know {other}"),
        }
    }

    fn pay(&mut self, account: &str, currency: &str, amount: &Q) {
        *self.cash.entry((account.to_owned(), currency.to_owned())).or_default() += amount;
    }

    fn holding(&mut self, row: &Row) -> &mut Holding {
        let symbol = row.symbol.clone().unwrap();
        let quoted = self.market.currency(&symbol);
        assert!(
            quoted.is_none_or(|quoted| *quoted == row.currency),
            "{row:?} is not in {quoted:?}"
        );
        self.holdings.entry((row.account.clone(), symbol)).or_insert_with(|| Holding {
            currency: row.currency.clone(),
            quantity: Q::zero(),
            realized: Some(Q::zero()),
            realized_base: Some(Q::zero()),
            income: Q::zero(),
        })
    }

    fn lots_of(&mut self, row: &Row) -> &mut Lots {
        let method = self.wishes.method;
        let key = self.pool(&row.account, row.symbol.as_ref().unwrap());
        self.lots.entry(key).or_insert_with(|| Lots::new(method))
    }

    /// Where the lots of a holding are: with one adjusted cost base, all accounts share theirs.
    pub fn pool(&self, account: &str, symbol: &str) -> (String, String) {
        let pool = if self.wishes.method == Method::Acb { "" } else { account };
        (pool.to_owned(), symbol.to_owned())
    }

    fn rate_of(&self, row: &Row) -> Option<Q> {
        self.market.rate(&row.currency, &self.wishes.currency, row.date)
    }

    fn base_of(&self, row: &Row, money: Option<&Q>) -> Option<Q> {
        Some(money? * self.rate_of(row)?)
    }

    fn trade(&mut self, row: &Row, quantity: Q, cost: Q, apart: Q) {
        self.holding(row).quantity += &quantity;
        let cost_base = self.base_of(row, Some(&cost));
        let trade = Lot { opened: row.date, quantity, cost: Some(cost), cost_base, apart };
        for closed in self.lots_of(row).trade(&trade) {
            self.realize(row, closed);
        }
    }

    fn realize(&mut self, row: &Row, closed: Closed) {
        let gain = Gain {
            account: row.account.clone(),
            symbol: row.symbol.clone().unwrap(),
            currency: row.currency.clone(),
            date: row.date,
            closed,
            rate: self.rate_of(row),
        };
        self.holding(row).realize(gain.gain().as_ref(), gain.gain_base().as_ref());
        self.gains.push(gain);
    }

    /// So many more for nothing.
    fn grow(&mut self, row: &Row, more: &Q) {
        self.holding(row).quantity += more;
        let lots = self.lots_of(row);
        let held = lots.quantity();
        if !held.is_zero() {
            lots.scale(&((&held + more) / &held));
        }
    }

    fn return_capital(&mut self, row: &Row) {
        let amount = &row.amount + &row.fee + &row.tax;
        let excess = self.lots_of(row).lower_cost(&amount);
        let excess_base = self.base_of(row, excess.as_ref());
        self.holding(row).realize(excess.as_ref(), excess_base.as_ref());
    }

    /// Cash or lots into another own account.
    fn transfer(&mut self, row: &Row) {
        let mut other = row.clone();
        other.account = row.to_account.clone().unwrap();
        // What was charged never arrives.
        self.pay(&other.account, &row.currency, &-(&row.amount + &row.fee + &row.tax));
        if row.symbol.is_none() {
            return;
        }
        self.holding(row).quantity -= &row.quantity;
        self.holding(&other).quantity += &row.quantity;
        let taken = self.lots_of(row).take(&row.quantity);
        for lot in taken {
            self.lots_of(&other).put(lot);
        }
    }
}

fn one() -> Q {
    Q::from_integer(1.into())
}
