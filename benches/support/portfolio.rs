//! A made-up portfolio of any size, the same at every run: eight accounts, in USD and CAD, whole and
//! fractional quantities, exact amounts. It is written as neutral CSV, with its month-end prices
//! and as a journal for hledger where wanted. It knows nothing of the programs that are measured.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::ops::Range;
use std::path::PathBuf;

use chrono::{Datelike, NaiveDate, Weekday};
use rust_decimal::Decimal;

/// The days of a portfolio, its end not among them.
pub const TEN_YEARS: Range<NaiveDate> =
    NaiveDate::from_ymd_opt(2015, 1, 1).unwrap()..NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
/// Accounts are `A00` to `A07`.
const ACCOUNTS: u32 = 8;
/// What a trade may cost, in cents.
const FEES: [i64; 4] = [0, 0, 100, 495];

/// What is written, and where.
pub struct Files {
    /// The rows as neutral CSV.
    pub rows: PathBuf,
    /// Prices and the rate on the first day and at the ends of months, as CSV.
    pub prices: Option<PathBuf>,
    /// Both of them for hledger.
    pub journal: Option<PathBuf>,
}

/// Writes so many rows that trade so many securities.
pub fn write(files: &Files, days: Range<NaiveDate>, rows: u32, securities: usize) -> Result<()> {
    let days: Vec<NaiveDate> = days
        .start
        .iter_days()
        .take_while(|day| *day < days.end)
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
        .collect();
    let mut market = Market::new(securities);
    let mut out = Out::new(files)?;
    let mut row = 0;
    for (at, day) in days.iter().enumerate() {
        if at > 0 {
            market.next_day();
        }
        while row < rows && row as usize * days.len() / rows as usize == at {
            let account = if row < ACCOUNTS { row } else { market.random.below(ACCOUNTS) };
            let event = market.event(account as usize, row < ACCOUNTS);
            out.row(*day, account, &event)?;
            row += 1;
        }
        // The first ones are for what is traded before the first month ends.
        if at == 0 || days.get(at + 1).is_none_or(|next| next.month() != day.month()) {
            out.closes(*day, &market)?;
        }
    }
    out.flush()
}

/// The files while they are written.
struct Out {
    rows: BufWriter<File>,
    prices: Option<BufWriter<File>>,
    journal: Option<BufWriter<File>>,
}

impl Out {
    fn new(files: &Files) -> Result<Self> {
        let open = |path| File::create(path).map(BufWriter::new);
        let mut out = Self {
            rows: open(&files.rows)?,
            prices: files.prices.as_ref().map(open).transpose()?,
            journal: files.journal.as_ref().map(open).transpose()?,
        };
        writeln!(out.rows, "date,account,type,symbol,quantity,price,fee,currency,amount")?;
        if let Some(prices) = &mut out.prices {
            writeln!(prices, "date,symbol,close,currency")?;
        }
        Ok(out)
    }

    fn row(&mut self, day: NaiveDate, account: u32, event: &Event) -> Result<()> {
        let Event { kind, currency, .. } = event;
        let symbol = event.security.map(symbol).unwrap_or_default();
        let traded = event.traded.map(|(quantity, price)| {
            [Decimal::new(quantity, 3).normalize().to_string(), cents(price).to_string()]
        });
        let [quantity, price] = traded.unwrap_or_default();
        let (fee, change) = (cents(event.fee), amount(event.change));
        writeln!(
            self.rows,
            "{day},A{account:02},{kind},{symbol},{quantity},{price},{fee},{currency},{change}"
        )?;

        let Some(journal) = &mut self.journal else { return Ok(()) };
        let account = format!("Assets:A{account:02}");
        writeln!(journal, "{day} {kind}\n  {account}:Cash  {change} {currency}")?;
        if event.traded.is_some() {
            let sign = if *kind == "SELL" { "-" } else { "" };
            let what = format!("{sign}{quantity} \"{symbol}\" @ {price} {currency}");
            writeln!(journal, "  {account}:{symbol}  {what}\n  Expenses:Fees  {fee} {currency}\n")
        } else {
            let other = match *kind {
                "DIVIDEND" => "Income:Dividends",
                "FEE" => "Expenses:Fees",
                _ => "Equity:External",
            };
            writeln!(journal, "  {other}  {} {currency}\n", -change)
        }
    }

    fn closes(&mut self, day: NaiveDate, market: &Market) -> Result<()> {
        let rate = Decimal::new(market.rate, 4);
        if let Some(prices) = &mut self.prices {
            writeln!(prices, "{day},fx:CAD,{rate},USD")?;
        }
        if let Some(journal) = &mut self.journal {
            writeln!(journal, "P {day} CAD {rate} USD")?;
        }
        for (security, price) in market.prices.iter().enumerate() {
            let (symbol, price, currency) = (symbol(security), cents(*price), currency(security));
            if let Some(prices) = &mut self.prices {
                writeln!(prices, "{day},sec:{symbol},{price},{currency}")?;
            }
            if let Some(journal) = &mut self.journal {
                writeln!(journal, "P {day} \"{symbol}\" {price} {currency}")?;
            }
        }
        Ok(())
    }

    fn flush(mut self) -> Result<()> {
        self.rows.flush()?;
        self.prices.as_mut().map_or(Ok(()), Write::flush)?;
        self.journal.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// What happens in an account.
struct Event {
    /// As in the CSV.
    kind: &'static str,
    security: Option<usize>,
    /// Quantity in thousandths and price in cents.
    traded: Option<(i64, i64)>,
    /// In cents.
    fee: i64,
    currency: &'static str,
    /// Of cash, in hundred-thousandths.
    change: i64,
}

/// The prices of a day, and what each account holds.
struct Market {
    random: Random,
    /// Of the rate alone.
    drift: Random,
    /// Ten-thousandths of a USD for a CAD.
    rate: i64,
    /// In cents.
    prices: Vec<i64>,
    /// In thousandths, by account and security.
    holdings: Vec<Vec<i64>>,
}

impl Market {
    fn new(securities: usize) -> Self {
        let mut random = Random(20_240_601);
        let prices = (0..securities).map(|_| 2_000 + random.amount(30_000)).collect();
        let holdings = vec![vec![0; securities]; ACCOUNTS as usize];
        Self { random, drift: Random(1), rate: 7_500, prices, holdings }
    }

    fn next_day(&mut self) {
        for price in &mut self.prices {
            let drift = *price * (self.random.amount(401) - 199) / 10_000;
            *price = (*price + drift).max(100);
        }
        self.rate = (self.rate + self.drift.amount(41) - 20).clamp(6_000, 9_500);
    }

    /// What happens next in an account.
    fn event(&mut self, account: usize, is_first: bool) -> Event {
        let currency = if self.random.below(3) == 0 { "CAD" } else { "USD" };
        let cash = |kind, cents: i64| {
            let change = cents * 1_000;
            Event { kind, security: None, traded: None, fee: 0, currency, change }
        };
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

    fn buy(&mut self, account: usize) -> Event {
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
    fn sell(&mut self, account: usize) -> Event {
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

    fn dividend(&mut self, account: usize) -> Event {
        let Some(security) = self.any_holding(account) else { return self.buy(account) };
        let worth = self.holdings[account][security] * self.prices[security];
        let change = (worth / 200 / 1_000).max(1) * 1_000;
        let (security, currency) = (Some(security), currency(security));
        Event { kind: "DIVIDEND", security, traded: None, fee: 0, currency, change }
    }

    fn trade(
        &self,
        kind: &'static str,
        security: usize,
        quantity: i64,
        fee: i64,
        change: i64,
    ) -> Event {
        let traded = Some((quantity, self.prices[security]));
        let (security, currency) = (Some(security), currency(security));
        Event { kind, security, traded, fee, currency, change }
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

fn cents(units: i64) -> Decimal {
    Decimal::new(units, 2)
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
