//! The reports, as the cells that the command line promises. It knows what a replay leaves, and
//! nothing of how the product prints.

use std::collections::BTreeMap;

use chrono::{Datelike, Months};
use num_traits::{Signed, Zero};

use super::book::{Book, Gain, Wishes};
use super::files::{Row as Fact, closes, rows};
use super::lots::Lot;
use super::market::Market;
use super::table::{Cell, Row};
use super::{Day, Q, minus};

/// Files as read: what every report is made from.
pub struct Reference {
    pub facts: Vec<Fact>,
    pub market: Market,
}

impl Reference {
    /// Of a store with this base currency and these files.
    pub fn new(base: &str, transactions: &str, prices: &str) -> Self {
        let facts = rows(transactions);
        let market = Market::new(base, &closes(prices, &facts));
        Self { facts, market }
    }

    fn counting(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|row| row.counts)
    }

    pub fn book(&self, wishes: &Wishes) -> Book<'_> {
        let mut book = Book::new(&self.market, wishes);
        for row in self.counting().take_while(|row| row.date <= wishes.day) {
            book.replay(row);
        }
        book
    }

    /// What there is on each of these days, which are in order.
    pub fn net_worth(&self, days: &[Day], wishes: &Wishes) -> Vec<Row> {
        let (mut book, mut rows) = (Book::new(&self.market, wishes), self.counting().peekable());
        let mut report = Vec::new();
        for day in days {
            book.wishes.day = *day;
            while let Some(row) = rows.next_if(|row| row.date <= *day) {
                book.replay(row);
            }
            report.push(book.net_worth());
        }
        report
    }

    /// The accounts there are on any day.
    pub fn accounts(&self, wishes: &Wishes) -> Vec<Row> {
        let book = self.book(wishes);
        let currencies = self.account_currencies();
        currencies.iter().map(|(name, currency)| book.account(name, currency)).collect()
    }

    /// Each account's currency: of most of its rows, ties by code.
    fn account_currencies(&self) -> BTreeMap<&String, &String> {
        let mut counts: BTreeMap<(&String, &String), usize> = BTreeMap::new();
        for row in &self.facts {
            for account in [Some(&row.account), row.to_account.as_ref()].into_iter().flatten() {
                *counts.entry((account, &row.currency)).or_default() += 1;
            }
        }
        let mut most: BTreeMap<&String, (&String, usize)> = BTreeMap::new();
        for ((account, currency), count) in counts {
            let best = most.entry(account).or_insert((currency, count));
            if count > best.1 {
                *best = (currency, count);
            }
        }
        most.into_iter().map(|(account, (currency, _))| (account, currency)).collect()
    }
}

fn row<const N: usize>(cells: [(&str, Cell); N]) -> Row {
    cells.into_iter().map(|(column, cell)| (column.to_owned(), cell)).collect()
}

/// After the same day one year later; 29 February is 28 February there. A short's is not defined.
fn term(lot: &Lot, closed: Day) -> Option<(String, Cell)> {
    let is_long = closed > lot.opened + Months::new(12);
    let word = if is_long { "long" } else { "short" };
    lot.quantity.is_positive().then(|| ("term".to_owned(), Cell::text(word)))
}

/// The last calendar day of each period from one day to another, and that other day.
pub fn period_ends(from: Day, to: Day, months: u32) -> Vec<Day> {
    let ends = from.iter_days().take_while(|day| *day < to).filter(|day| {
        let next = day.succ_opt().unwrap();
        next.day() == 1 && next.month0() % months == 0
    });
    ends.chain([to]).collect()
}

/// Each value's part of all that is known.
fn weigh(rows: &mut [Row]) {
    let total: Q = rows.iter().filter_map(|row| row.get("value_base")?.figure()).sum();
    for row in rows {
        if let Some(value) = row.get("value_base") {
            let weight = value.figure().map(|value| value / &total);
            row.insert("weight".to_owned(), Cell::Near(weight));
        }
    }
}

impl Book<'_> {
    fn rate(&self, from: &str, to: &str) -> Option<Q> {
        self.market.rate(from, to, self.wishes.day)
    }

    /// Into the currency of the figures called base.
    fn in_base(&self, money: Option<&Q>, currency: &str) -> Option<Q> {
        Some(money? * self.rate(currency, &self.wishes.currency)?)
    }

    fn value(&self, symbol: &str, quantity: &Q) -> Option<Q> {
        Some(self.market.price(symbol, self.wishes.day)?.figure * quantity)
    }

    pub fn holdings(&self, closed_too: bool) -> Vec<Row> {
        let mut rows = Vec::new();
        for ((account, symbol), holding) in &self.holdings {
            let is_closed = holding.quantity.is_zero();
            if is_closed && !closed_too {
                continue;
            }
            let lots = &self.lots[&self.pool(account, symbol)];
            // In a pool, each account has its share of the cost.
            let share = if is_closed { Q::zero() } else { &holding.quantity / lots.quantity() };
            let cost = if is_closed { Some(Q::zero()) } else { lots.cost().map(|c| c * &share) };
            let cost_base =
                if is_closed { Some(Q::zero()) } else { lots.cost_base().map(|c| c * &share) };
            let mut cells = row([
                ("account", Cell::text(account)),
                ("symbol", Cell::text(symbol)),
                ("currency", Cell::text(&holding.currency)),
                ("method", Cell::text(self.wishes.method.name())),
                ("quantity", Cell::Exact(holding.quantity.clone())),
                ("cost", Cell::Near(cost.clone())),
                ("cost_base", Cell::Near(cost_base.clone())),
                ("realized", Cell::Near(holding.realized.clone())),
                ("realized_base", Cell::Near(holding.realized_base.clone())),
                ("income", Cell::Near(Some(holding.income.clone()))),
            ]);
            if !is_closed {
                let value = self.value(symbol, &holding.quantity);
                let value_base = self.in_base(value.as_ref(), &holding.currency);
                let unrealized = minus(value.as_ref(), cost.as_ref());
                let unrealized_base = minus(value_base.as_ref(), cost_base.as_ref());
                cells.append(&mut row([
                    ("value", Cell::Near(value)),
                    ("value_base", Cell::Near(value_base)),
                    ("unrealized", Cell::Near(unrealized)),
                    ("unrealized_base", Cell::Near(unrealized_base)),
                ]));
                cells.append(&mut self.quote(symbol));
            }
            rows.push(cells);
        }
        weigh(&mut rows);
        rows
    }

    fn quote(&self, symbol: &str) -> Row {
        match self.market.price(symbol, self.wishes.day) {
            None => row([("price", Cell::Near(None)), ("price_date", Cell::Near(None))]),
            Some(price) => row([
                ("price_date", Cell::text(&price.date)),
                ("stale", Cell::text(&!price.is_fresh(self.wishes.day))),
                ("price", Cell::Exact(price.figure)),
            ]),
        }
    }

    /// The open lots; one for each account where all are one pool.
    pub fn lots(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for ((account, symbol), holding) in &self.holdings {
            let lots = &self.lots[&self.pool(account, symbol)];
            let whole = lots.quantity();
            for lot in lots.all.iter().filter(|_| !holding.quantity.is_zero()) {
                let share = &holding.quantity / &whole;
                let part = Lot {
                    opened: lot.opened,
                    quantity: &lot.quantity * &share,
                    cost: lot.cost.as_ref().map(|cost| cost * &share),
                    cost_base: lot.cost_base.as_ref().map(|cost| cost * &share),
                    apart: &lot.apart * &share,
                };
                rows.push(self.lot(account, symbol, &holding.currency, &part));
            }
        }
        rows
    }

    fn lot(&self, account: &str, symbol: &str, currency: &str, lot: &Lot) -> Row {
        let value = self.value(symbol, &lot.quantity);
        let value_base = self.in_base(value.as_ref(), currency);
        let cost_now = self.in_base(lot.cost.as_ref(), currency);
        let mut cells = row([
            ("account", Cell::text(account)),
            ("symbol", Cell::text(symbol)),
            ("currency", Cell::text(currency)),
            ("quantity", Cell::Exact(lot.quantity.clone())),
            ("cost", Cell::Near(lot.cost.clone())),
            ("cost_base", Cell::Near(lot.cost_base.clone())),
            ("unrealized", Cell::Near(minus(value.as_ref(), lot.cost.as_ref()))),
            ("unrealized_base", Cell::Near(minus(value_base.as_ref(), lot.cost_base.as_ref()))),
            ("unrealized_fx", Cell::Near(minus(cost_now.as_ref(), lot.cost_base.as_ref()))),
            ("value", Cell::Near(value)),
        ]);
        // The day of an average is not defined.
        if !self.wishes.method.is_pooled() {
            cells.insert("opened".to_owned(), Cell::text(&lot.opened));
            cells.extend(term(lot, self.wishes.day));
        }
        cells
    }

    /// What was realized from one day to another.
    pub fn gains(&self, from: Day, to: Day) -> Vec<Row> {
        let within = self.gains.iter().filter(|gain| from <= gain.date && gain.date <= to);
        within.map(|gain| self.gain(gain)).collect()
    }

    fn gain(&self, gain: &Gain) -> Row {
        let lot = &gain.closed.lot;
        let cost_now = lot.cost.as_ref().zip(gain.rate.as_ref()).map(|(cost, rate)| cost * rate);
        let value = Some(gain.closed.value.clone());
        let value_base = gain.closed.value_base.clone();
        // What a short sale brought is its lot's negative cost.
        let negative = |figure: Option<Q>| figure.map(|figure| -figure);
        let [proceeds, cost, proceeds_base, cost_base] = if lot.quantity.is_negative() {
            [lot.cost.clone(), value, lot.cost_base.clone(), value_base].map(negative)
        } else {
            [value, lot.cost.clone(), value_base, lot.cost_base.clone()]
        };
        let mut cells = row([
            ("account", Cell::text(&gain.account)),
            ("symbol", Cell::text(&gain.symbol)),
            ("currency", Cell::text(&gain.currency)),
            ("method", Cell::text(self.wishes.method.name())),
            ("closed", Cell::text(&gain.date)),
            // Signed as the lot's.
            ("quantity", Cell::Exact(lot.quantity.clone())),
            ("proceeds", Cell::Near(proceeds)),
            ("cost", Cell::Near(cost)),
            ("gain", Cell::Near(gain.gain())),
            ("proceeds_base", Cell::Near(proceeds_base)),
            ("cost_base", Cell::Near(cost_base)),
            ("gain_base", Cell::Near(gain.gain_base())),
            ("gain_fx", Cell::Near(minus(cost_now.as_ref(), lot.cost_base.as_ref()))),
        ]);
        if !self.wishes.method.is_pooled() {
            cells.insert("opened".to_owned(), Cell::text(&lot.opened));
            cells.extend(term(lot, gain.date));
        }
        cells
    }

    /// An account: what is known of it; unknown where nothing is.
    fn account(&self, name: &str, currency: &str) -> Row {
        let held = self.holdings.iter().filter(|((account, _), _)| account == name);
        let held: Vec<_> = held.filter(|(_, holding)| !holding.quantity.is_zero()).collect();
        let cash = self.cash.iter().filter(|((account, _), _)| account == name);
        let cash: Vec<_> = cash.filter(|(_, amount)| !amount.is_zero()).collect();

        let securities_in = |currency: &str| -> Vec<Option<Q>> {
            let values = held.iter().map(|((_, symbol), holding)| {
                let value = self.value(symbol, &holding.quantity)?;
                Some(value * self.rate(&holding.currency, currency)?)
            });
            values.collect()
        };
        let both_in = |currency: &str| -> Vec<Option<Q>> {
            let values =
                cash.iter().map(|((_, from), sum)| Some(*sum * self.rate(from, currency)?));
            values.chain(securities_in(currency)).collect()
        };
        let is_partial =
            [both_in(currency), both_in(&self.wishes.currency)].concat().contains(&None);
        let mut cells = row([
            ("name", Cell::text(name)),
            ("currency", Cell::text(currency)),
            ("partial", Cell::text(&is_partial)),
            ("market_value", Cell::Near(known(&securities_in(currency)))),
            ("value", Cell::Near(known(&both_in(currency)))),
            ("value_base", Cell::Near(known(&both_in(&self.wishes.currency)))),
        ]);
        for ((_, currency), amount) in cash {
            cells.insert(format!("cash.{currency}"), Cell::Exact(amount.clone()));
        }
        cells
    }

    /// What is known of the whole; partial where something is not, unknown where nothing is.
    fn net_worth(&self) -> Row {
        let held = self.holdings.iter().filter(|(_, holding)| !holding.quantity.is_zero());
        let securities: Vec<_> = held
            .map(|((_, symbol), holding)| {
                let value = self.value(symbol, &holding.quantity);
                self.in_base(value.as_ref(), &holding.currency)
            })
            .collect();
        let owned = self.cash.iter().filter(|(_, sum)| !sum.is_zero());
        let cash: Vec<_> = owned.map(|((_, code), sum)| self.in_base(Some(sum), code)).collect();
        let all = [securities.clone(), cash.clone()].concat();
        row([
            ("date", Cell::text(&self.wishes.day)),
            ("net_worth", Cell::Near(known(&all))),
            ("market_value", Cell::Near(known(&securities))),
            ("cash", Cell::Near(known(&cash))),
            ("assets", Cell::Near(Some(Q::zero()))),
            ("liabilities", Cell::Near(Some(Q::zero()))),
            ("partial", Cell::text(&all.contains(&None))),
        ])
    }
}

/// The sum of what is known; none where there is something and nothing of it is known.
fn known(parts: &[Option<Q>]) -> Option<Q> {
    let nothing = !parts.is_empty() && parts.iter().all(Option::is_none);
    (!nothing).then(|| parts.iter().flatten().sum())
}
