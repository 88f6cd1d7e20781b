//! A made-up portfolio of any size as neutral CSV, the same at every run: eight accounts over ten
//! years, in USD and CAD, whole and fractional quantities, exact amounts. It knows nothing of the
//! program that is measured.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::Decimal;

/// Accounts are `A00` to `A07`.
const ACCOUNTS: u32 = 8;
const START: NaiveDate = NaiveDate::from_ymd_opt(2015, 1, 1).unwrap();
const END: NaiveDate = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
/// What a trade may cost, in cents.
const FEES: [i64; 4] = [0, 0, 100, 495];

/// Writes so many rows that trade so many securities.
pub fn write(path: &Path, rows: u32, securities: usize) -> std::io::Result<()> {
    let days: Vec<NaiveDate> = START
        .iter_days()
        .take_while(|day| *day < END)
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
        .collect();
    let mut market = Market::new(securities);
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "date,account,type,symbol,quantity,price,fee,currency,amount")?;
    let mut day = 0;
    for row in 0..rows {
        while day < row as usize * days.len() / rows as usize {
            market.next_day();
            day += 1;
        }
        let account = if row < ACCOUNTS { row } else { market.random.below(ACCOUNTS) };
        let event = market.event(account as usize, row < ACCOUNTS);
        writeln!(out, "{},A{account:02},{event}", days[day])?;
    }
    out.flush()
}

/// The prices of a day, and what each account holds.
struct Market {
    random: Random,
    /// In cents.
    prices: Vec<i64>,
    /// In thousandths, by account and security.
    holdings: Vec<Vec<i64>>,
}

impl Market {
    fn new(securities: usize) -> Self {
        let mut random = Random(20_240_601);
        let prices = (0..securities).map(|_| 2_000 + random.amount(30_000)).collect();
        Self { random, prices, holdings: vec![vec![0; securities]; ACCOUNTS as usize] }
    }

    fn next_day(&mut self) {
        for price in &mut self.prices {
            let drift = *price * (self.random.amount(401) - 199) / 10_000;
            *price = (*price + drift).max(100);
        }
    }

    /// What happens next in an account: all of a row behind the account's name.
    fn event(&mut self, account: usize, is_first: bool) -> String {
        let currency = if self.random.below(3) == 0 { "CAD" } else { "USD" };
        let cash =
            |kind: &str, cents: i64| format!("{kind},,,,0.00,{currency},{}", amount(cents * 1_000));
        if is_first {
            return cash("DEPOSIT", 5_000_000);
        }
        match self.random.below(100) {
            0..54 => self.buy(account),
            54..79 => self.sell(account),
            79..91 => self.dividend(account),
            91..93 => cash("FEE", -500 - self.random.amount(2_000)),
            93..99 => cash("DEPOSIT", (100 + self.random.amount(20_000)) * 100),
            _ => cash("WITHDRAWAL", -(100 + self.random.amount(1_500)) * 100),
        }
    }

    fn buy(&mut self, account: usize) -> String {
        let security = self.any_security();
        let quantity = match is_fractional(security) {
            true => 1_000 + self.random.amount(40_000),
            false => 1_000 * (1 + self.random.amount(40)),
        };
        self.holdings[account][security] += quantity;
        let fee = FEES[self.random.below(4) as usize];
        let cost = quantity * self.prices[security] + fee * 1_000;
        self.trade("BUY", security, quantity, fee, -cost)
    }

    /// A part of something held, or all of it; a purchase where nothing is held.
    fn sell(&mut self, account: usize) -> String {
        let Some(security) = self.any_holding(account) else { return self.buy(account) };
        let held = self.holdings[account][security];
        let step = if is_fractional(security) { 1 } else { 1_000 };
        let quantity = match self.random.below(5) {
            0 => held,
            _ => step * (1 + self.random.amount(held / step)),
        };
        self.holdings[account][security] -= quantity;
        let worth = quantity * self.prices[security];
        // A sale never costs money.
        let fee = FEES[self.random.below(4) as usize];
        let fee = if worth > fee * 1_000 { fee } else { 0 };
        self.trade("SELL", security, quantity, fee, worth - fee * 1_000)
    }

    fn dividend(&mut self, account: usize) -> String {
        let Some(security) = self.any_holding(account) else { return self.buy(account) };
        let worth = self.holdings[account][security] * self.prices[security];
        let cents = (worth / 200 / 1_000).max(1);
        let (symbol, currency) = (symbol(security), currency(security));
        format!("DIVIDEND,{symbol},,,0.00,{currency},{}", amount(cents * 1_000))
    }

    fn trade(&self, kind: &str, security: usize, quantity: i64, fee: i64, change: i64) -> String {
        let (symbol, currency, change) = (symbol(security), currency(security), amount(change));
        let quantity = Decimal::new(quantity, 3).normalize();
        let (price, fee) = (Decimal::new(self.prices[security], 2), Decimal::new(fee, 2));
        format!("{kind},{symbol},{quantity},{price},{fee},{currency},{change}")
    }

    fn any_security(&mut self) -> usize {
        let count = u32::try_from(self.prices.len()).unwrap();
        self.random.below(count) as usize
    }

    fn any_holding(&mut self, account: usize) -> Option<usize> {
        let (first, count) = (self.any_security(), self.prices.len());
        let mut all = (first..first + count).map(|at| at % count);
        all.find(|security| self.holdings[account][*security] > 0)
    }
}

fn symbol(security: usize) -> String {
    format!("S{security:03}X")
}

fn currency(security: usize) -> &'static str {
    if security % 3 == 1 { "CAD" } else { "USD" }
}

fn is_fractional(security: usize) -> bool {
    security % 3 == 2
}

/// Hundred-thousandths of money as text with two to five decimals.
fn amount(units: i64) -> Decimal {
    let mut amount = Decimal::new(units, 5).normalize();
    amount.rescale(amount.scale().max(2));
    amount
}

/// Splitmix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(limit)).unwrap()
    }

    /// The same for money and quantities; a limit beyond `u32` is cut to it.
    fn amount(&mut self, limit: i64) -> i64 {
        self.below(u32::try_from(limit).unwrap_or(u32::MAX)).into()
    }
}
