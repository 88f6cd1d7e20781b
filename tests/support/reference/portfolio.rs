//! The portfolio on which the peers of the program are measured, the same to the byte: eight
//! accounts over some years, in USD and CAD, whole and fractional quantities, exact amounts. It
//! knows nothing of the program.

use chrono::{Datelike, NaiveDate, Weekday};

use super::Day;

const ACCOUNTS: usize = 8;
const START: Day = NaiveDate::from_ymd_opt(2015, 1, 1).unwrap();
const FEES: [i64; 4] = [0, 0, 100, 495];

/// The two files.
pub struct Portfolio {
    pub transactions: String,
    pub prices: String,
}

/// What is wanted; the usual has ten years.
pub struct Size {
    pub rows: usize,
    pub securities: usize,
    pub years: i32,
    /// On every how many-th business day securities have a close; currencies have one on each.
    pub closes_every: usize,
}

/// Splitmix64: the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mixed = mixed ^ (mixed >> 31);
        i64::try_from(mixed % u64::try_from(limit).unwrap()).unwrap()
    }

    /// One of several.
    pub fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(i64::try_from(count).unwrap())).unwrap()
    }
}

/// Integer units as text with so many decimals.
pub fn decimals(units: i64, places: usize) -> String {
    let digits = format!("{:0>width$}", units.abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if units < 0 { "-" } else { "" };
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Hundred-thousandths of money as text with two to five decimals.
fn amount(units: i64) -> String {
    let text = decimals(units, 5);
    let short = text.trim_end_matches('0');
    let least = text.len() - 3;
    text.split_at(short.len().max(least)).0.to_owned()
}

/// Monday to Friday, from the start on.
pub fn business_days(years: i32) -> Vec<Day> {
    let end = START.with_year(START.year() + years).unwrap();
    let days = START.iter_days().take_while(|day| *day < end);
    days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)).collect()
}

/// Cents for each security and a rate for each day, all drawn before the first row.
struct Market {
    closes: Vec<Vec<i64>>,
    /// Ten-thousandths of a USD for one CAD.
    rates: Vec<i64>,
}

impl Market {
    fn new(random: &mut Random, days: usize, securities: usize) -> Self {
        let mut cents: Vec<i64> = (0..securities).map(|_| 2000 + random.below(30_000)).collect();
        let mut rate = 7500;
        let (mut closes, mut rates) = (Vec::new(), Vec::new());
        for _ in 0..days {
            for cents in &mut cents {
                let step = (*cents * (random.below(401) - 199)).div_euclid(10_000);
                *cents = (*cents + step).max(100);
            }
            rate = (rate + random.below(41) - 20).clamp(6000, 9500);
            closes.push(cents.clone());
            rates.push(rate);
        }
        Self { closes, rates }
    }

    fn prices(&self, days: &[Day], every: usize) -> String {
        let mut out = String::from("date,symbol,close,currency\n");
        for (at, day) in days.iter().enumerate() {
            out += &format!("{day},CAD,{},USD\n", decimals(self.rates[at], 4));
            if at % every != 0 {
                continue;
            }
            for (security, cents) in self.closes[at].iter().enumerate() {
                let (symbol, currency) = (symbol(security), currency(security));
                out += &format!("{day},{symbol},{},{currency}\n", decimals(*cents, 2));
            }
        }
        out
    }
}

/// What the accounts hold while rows are made.
struct Accounts {
    random: Random,
    /// In thousandths, by account and security.
    held: Vec<Vec<i64>>,
    /// USD and CAD in hundred-thousandths, by account.
    cash: Vec<[i64; 2]>,
    out: String,
}

/// Where and when a row happens.
#[derive(Clone, Copy)]
struct Place {
    day: Day,
    account: usize,
}

impl Size {
    pub fn portfolio(&self) -> Portfolio {
        let mut random = Random(20_240_601);
        let days = business_days(self.years);
        let market = Market::new(&mut random, days.len(), self.securities);
        let trading: Vec<usize> = (0..days.len())
            .filter(|at| days.get(at + 1).is_some_and(|next| next.month() == days[*at].month()))
            .collect();
        let mut accounts = Accounts {
            random,
            held: vec![vec![0; self.securities]; ACCOUNTS],
            cash: vec![[0; 2]; ACCOUNTS],
            out: String::from("date,account,type,symbol,quantity,price,fee,currency,amount\n"),
        };
        for number in 0..self.rows {
            let at = trading[number * trading.len() / self.rows];
            accounts.row(number, days[at], &market.closes[at]);
        }
        Portfolio { transactions: accounts.out, prices: market.prices(&days, self.closes_every) }
    }
}

impl Accounts {
    fn row(&mut self, number: usize, day: Day, closes: &[i64]) {
        let is_first = number < ACCOUNTS;
        let account = if is_first { number } else { self.random.index(ACCOUNTS) };
        let place = Place { day, account };
        let roll = self.random.below(100);
        if is_first {
            let code = if number.is_multiple_of(3) { "CAD" } else { "USD" };
            let units = (50_000 + self.random.below(50_000)) * 100_000;
            return self.cash_row(place, "DEPOSIT", code, units);
        }
        let held = if (55..92).contains(&roll) { self.any_held(account) } else { None };
        match (roll, held) {
            (55..80, Some(security)) => self.sell(place, security, closes[security]),
            (80..92, Some(security)) => self.dividend(place, security, closes[security]),
            (..92, _) => self.buy(place, closes),
            (92..94, _) => {
                let code = self.any_currency();
                let units = -(500 + self.random.below(2000)) * 1000;
                self.cash_row(place, "FEE", code, units);
            }
            _ if roll < 99 || self.cash[account][0] < 200_000_000 => {
                let code = self.any_currency();
                let units = (100 + self.random.below(5000)) * 100_000;
                self.cash_row(place, "DEPOSIT", code, units);
            }
            _ => {
                let units = -(100 + self.random.below(1500)) * 100_000;
                self.cash_row(place, "WITHDRAWAL", "USD", units);
            }
        }
    }

    fn any_currency(&mut self) -> &'static str {
        if self.random.below(3) == 0 { "CAD" } else { "USD" }
    }

    fn any_held(&mut self, account: usize) -> Option<usize> {
        let count = self.held[account].len();
        let first = self.random.index(count);
        let mut all = (first..first + count).map(|at| at % count);
        all.find(|security| self.held[account][*security] > 0)
    }

    fn trade_price(&mut self, close: i64) -> i64 {
        (close + (close * (self.random.below(101) - 50)).div_euclid(10_000)).max(1)
    }

    fn fee(&mut self) -> i64 {
        FEES[self.random.index(4)]
    }

    fn buy(&mut self, place: Place, closes: &[i64]) {
        let security = self.random.index(closes.len());
        let code = currency(security);
        let price = self.trade_price(closes[security]);
        let quantity = match is_fractional(security) {
            true => 1000 + self.random.below(40_000),
            false => 1000 * (1 + self.random.below(40)),
        };
        let fee = self.fee();
        let cost = quantity * price + fee * 1000;
        if self.cash[place.account][usize::from(code == "CAD")] < cost {
            // The account is topped up instead.
            let units = (cost / 100_000 + 1 + self.random.below(20_000)) * 100_000;
            return self.cash_row(place, "DEPOSIT", code, units);
        }
        self.held[place.account][security] += quantity;
        self.trade(place, "BUY", security, [quantity, price, fee], -cost);
    }

    fn sell(&mut self, place: Place, security: usize, close: i64) {
        let held = self.held[place.account][security];
        let step = if is_fractional(security) { 1 } else { 1000 };
        let quantity = match self.random.below(5) {
            0 => held,
            _ => step * (1 + self.random.below(held / step)),
        };
        let price = self.trade_price(close);
        let fee = self.fee();
        // A sale never costs money.
        let fee = if quantity * price <= fee * 1000 { 0 } else { fee };
        self.held[place.account][security] -= quantity;
        let units = quantity * price - fee * 1000;
        self.trade(place, "SELL", security, [quantity, price, fee], units);
    }

    fn dividend(&mut self, place: Place, security: usize, close: i64) {
        let worth = self.held[place.account][security] * close;
        let units = (worth / 200 / 1000 * 1000).max(1000);
        self.line(
            place,
            &format!("DIVIDEND,{},,,0.00", symbol(security)),
            currency(security),
            units,
        );
    }

    fn trade(&mut self, place: Place, what: &str, security: usize, figures: [i64; 3], units: i64) {
        let [quantity, price, fee] = figures;
        let quantity = match quantity % 1000 {
            0 => decimals(quantity / 1000, 0),
            _ => decimals(quantity, 3),
        };
        let (price, fee) = (decimals(price, 2), decimals(fee, 2));
        let start = format!("{what},{},{quantity},{price},{fee}", symbol(security));
        self.line(place, &start, currency(security), units);
    }

    fn cash_row(&mut self, place: Place, what: &str, code: &str, units: i64) {
        self.line(place, &format!("{what},,,,0.00"), code, units);
    }

    fn line(&mut self, place: Place, start: &str, code: &str, units: i64) {
        let Place { day, account } = place;
        self.cash[account][usize::from(code == "CAD")] += units;
        self.out += &format!("{day},A{account:02},{start},{code},{}\n", amount(units));
    }
}

fn symbol(security: usize) -> String {
    let letter = |power: u32| {
        let at = security / 26_usize.pow(power) % 26;
        char::from(b'A' + u8::try_from(at).unwrap())
    };
    format!("S{}{}{}X", letter(2), letter(1), letter(0))
}

fn currency(security: usize) -> &'static str {
    if security % 3 == 1 { "CAD" } else { "USD" }
}

fn is_fractional(security: usize) -> bool {
    security % 3 == 2
}
