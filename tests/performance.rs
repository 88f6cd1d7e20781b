//! Performance held against what must be true of it for every ledger, and against a slow second
//! program that knows only the definitions.
//!
//! The second program follows a small portfolio by default, a large one where `DASHTAM_FULL=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a test"
)]

#[path = "support/reference/mod.rs"]
mod reference;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::{Days, NaiveDate};
use dashtam::model::{
    AccountEdit, AccountId, AccountKind, Change, Currency, Dec, Edit, InPerformance, Mode,
    NewAccount, SafeText, SecurityId,
};
use dashtam::report::{
    self, By, Every, IncomeQuery, Nothing, PerformanceQuery, PerformanceReport, PerformanceRow,
};
use num_traits::Signed;
use reference::market::Market;
use reference::performance::{Accounts, Outcome, Wanted, near};
use reference::portfolio::{Random, Size};
use reference::{Q, files, q};
use support::engines::{Engine, engines, sqlite};

fn asked(from: Option<NaiveDate>, to: NaiveDate, by: By) -> PerformanceQuery {
    PerformanceQuery {
        from,
        to,
        today: to,
        account: None,
        currency: None,
        method: None,
        by,
        every: None,
        benchmark: None,
    }
}

async fn told(engine: &Engine, query: &PerformanceQuery) -> PerformanceReport {
    let mut tx = engine.session.store.read().await.unwrap();
    report::performance(&mut tx, query).await.unwrap()
}

/// The figures of a row that add up over time.
fn sums(row: &PerformanceRow) -> Option<[Q; 8]> {
    let all = [
        row.gain,
        row.gain_price,
        row.gain_fx,
        row.gain_income,
        row.gain_fees,
        row.gain_taxes,
        row.flows_in,
        row.flows_out,
    ];
    let all: Option<Vec<Q>> = all.into_iter().map(|figure| Some(exact(figure?))).collect();
    all?.try_into().ok()
}

fn exact(figure: Dec) -> Q {
    q(&figure.to_string())
}

type Key = (String, Vec<String>);

fn by_name(report: &PerformanceReport) -> BTreeMap<Key, &PerformanceRow> {
    let mut found = BTreeMap::new();
    for row in &report.rows {
        let accounts = row.accounts.iter().map(ToString::to_string).collect();
        // Two lots of one day have one name.
        found.insert((row.scope.to_string(), accounts), row);
    }
    found
}

const ALL: [By; 5] = [By::All, By::Account, By::Holding, By::Lot, By::Class];

/// The words of a column of a neutral file.
fn words(text: &str, column: &str) -> BTreeSet<String> {
    let mut lines = text.lines();
    let at = lines.next().unwrap_or_default().split(',').position(|name| name == column);
    let words = lines.filter_map(|line| line.split(',').nth(at?)).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// What must be true of every row of a report.
#[track_caller]
fn is_sound(row: &PerformanceRow, about: &str) {
    if let Some([gain, price, fx, income, fees, taxes, came, went]) = sums(row) {
        assert_eq!(gain, price + fx + income + fees + taxes, "{about}: the parts");
        let [start, end] = [row.start_value, row.end_value].map(|value| exact(value.unwrap()));
        assert_eq!(gain, end - start - came + went, "{about}: the gain");
    }
    let known = [
        ("twr", row.twr.is_some()),
        ("twr_annualized", row.twr_annualized.is_some()),
        ("gain", row.gain.is_some()),
        ("gain_price", row.gain_price.is_some()),
        ("gain_fx", row.gain_fx.is_some()),
        ("gain_income", row.gain_income.is_some()),
        ("flows_in", row.flows_in.is_some()),
        ("start_value", row.start_value.is_some()),
        ("end_value", row.end_value.is_some()),
        ("volatility", row.volatility.is_some()),
        ("sharpe", row.sharpe.is_some()),
        ("max_drawdown", row.max_drawdown.is_some()),
    ];
    for (name, is_known) in known {
        assert_eq!(is_known, !row.reasons.contains_key(name), "{about}: the reason of {name}");
    }
    assert!(row.xirr.is_some() || row.reasons.contains_key("xirr"), "{about}");
}

/// Every ledger that the figures of which can be followed with a pencil: parts add up to the gain,
/// spans to the span, and what knows one currency only gains nothing by currencies.
#[tokio::test]
async fn parts_and_spans_add_up_in_every_golden_ledger() {
    let mut checked = [0; 3];
    for folder in fs::read_dir(support::root().join("tests/golden")).unwrap() {
        let folder = folder.unwrap().path();
        let case = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let (rows, prices) = (read("rows.csv"), read("prices.csv"));
        let engine = sqlite().await;
        let files = [("rows.csv", rows.as_str()), ("prices.csv", prices.as_str())];
        let files: Vec<_> = files.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if engine
            .try_import(&files.iter().map(|(n, t)| (*n, t.as_bytes())).collect::<Vec<_>>(), |_| ())
            .await
            .is_err()
        {
            engine.close().await;
            continue;
        }
        let days: BTreeSet<NaiveDate> =
            words(&rows, "date").iter().filter_map(|day| day.parse().ok()).collect();
        let (Some(&first), Some(&last)) = (days.first(), days.last()) else { continue };
        let last = last + Days::new(3);
        let codes: BTreeSet<_> =
            words(&rows, "currency").union(&words(&prices, "currency")).cloned().collect();
        for currency in [None, Some("CAD"), Some("EUR")] {
            for by in ALL {
                let currency = currency.and_then(|code| Currency::parse(code).ok());
                let ask = |from, to| PerformanceQuery { currency, ..asked(Some(from), to, by) };
                let whole = told(&engine, &ask(first, last)).await;
                let about = format!("{case} {by:?} {currency:?}");
                for row in &whole.rows {
                    is_sound(row, &format!("{about} {}", row.scope));
                    checked[0] += 1;
                    if codes.len() == 1 && codes.contains(whole.currency.code()) {
                        let fx = row.gain_fx.map(exact);
                        assert!(fx.is_none_or(|fx| fx == q("0")), "{about}: {row:?}");
                        checked[1] += 1;
                    }
                }
                if by == By::Lot {
                    continue;
                }
                let cuts: Vec<_> = days.iter().copied().filter(|day| *day > first).collect();
                let cuts = [cuts.len() / 3, 2 * cuts.len() / 3].map(|at| cuts.get(at).copied());
                let mut cuts: Vec<_> = cuts.into_iter().flatten().collect();
                cuts.dedup();
                let mut parts = Vec::new();
                let mut from = first;
                for next in cuts.into_iter().chain([last + Days::new(1)]) {
                    let to = next.pred_opt().unwrap();
                    parts.push(told(&engine, &ask(from, to)).await);
                    from = next;
                }
                for (key, row) in by_name(&whole) {
                    let Some(whole) = sums(row) else { continue };
                    let mut sum = [(); 8].map(|()| q("0"));
                    let mut is_known = true;
                    for part in &parts {
                        // What did not exist yet, or any more, did nothing.
                        let Some(row) = by_name(part).remove(&key) else { continue };
                        match sums(row) {
                            Some(part) => sum.iter_mut().zip(part).for_each(|(a, b)| *a += b),
                            None => is_known = false,
                        }
                    }
                    if is_known {
                        for (a, b) in whole.iter().zip(&sum) {
                            let apart = (a - b).abs();
                            assert!(apart < q("0.000000001"), "{about} {key:?}: {whole:?} {sum:?}");
                        }
                        checked[2] += 1;
                    }
                }
            }
        }
        engine.close().await;
    }
    assert!(checked[0] > 1000 && checked[1] > 200 && checked[2] > 150, "{checked:?}");
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment how far to go")]
fn is_full() -> bool {
    std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1")
}

#[track_caller]
fn near_to(found: Option<Dec>, expected: f64, about: &str) {
    let found: f64 = found.unwrap_or_else(|| panic!("{about}")).to_string().parse().unwrap();
    let far = (found - expected).abs() / (1.0 + expected.abs());
    assert!(far < 1e-8, "{about}: {found} is not {expected}");
}

#[track_caller]
fn equal(found: Option<Dec>, expected: &Q, about: &str) {
    let found = exact(found.unwrap_or_else(|| panic!("{about}")));
    assert!((&found - expected).abs() < q("0.000000001"), "{about}: {found} is not {expected}");
}

/// The generator's portfolio, against the second program. It is slow: of the largest one it takes
/// every span in one currency, and of the holdings in them every seventh.
#[tokio::test]
async fn a_second_program_finds_the_same() {
    let sizes = [
        (7, Size { rows: 600, securities: 9, years: 2, closes_every: 3 }),
        (1, Size { rows: 1_000, securities: 20, years: 10, closes_every: 1 }),
        (7, Size { rows: 10_000, securities: 50, years: 10, closes_every: 21 }),
    ];
    for (every, size) in sizes.into_iter().take(if is_full() { 3 } else { 1 }) {
        let portfolio = size.portfolio();
        let engine = sqlite().await;
        let texts = [&portfolio.transactions, &portfolio.prices];
        for text in texts {
            engine.import(&[("file.csv", text)]).await;
        }
        let rows = files::rows(&portfolio.transactions);
        let market = Market::new("USD", &files::closes(&portfolio.prices, &rows));
        let first = rows[0].date;
        let last = rows.last().unwrap().date;
        let middle = first + Days::new(300);
        let spans = [(first, last), (middle, last), (middle, middle + Days::new(20))];
        for (number, (from, to)) in spans.into_iter().enumerate() {
            let both = ["USD", "CAD"];
            let one = number % 2;
            let currencies = if size.rows > 1_000 { &both[one..=one] } else { &both };
            for &currency in currencies {
                for by in [By::All, By::Account, By::Holding] {
                    let query = PerformanceQuery {
                        currency: Currency::parse(currency).ok(),
                        ..asked(Some(from), to, by)
                    };
                    let report = told(&engine, &query).await;
                    assert!(!report.rows.is_empty());
                    let step = if by == By::Holding { every } else { 1 };
                    for row in report.rows.iter().step_by(step) {
                        let account = row.accounts[0].as_str();
                        let wanted = Wanted {
                            account: (by != By::All).then_some(account),
                            symbol: (by == By::Holding).then_some(row.scope.as_str()),
                            from,
                            to,
                            currency,
                        };
                        agrees(row, &rows, (&market, &Accounts::default()), &wanted);
                    }
                }
            }
        }
        engine.close().await;
    }
}

fn agrees(
    row: &PerformanceRow,
    rows: &[files::Row],
    (market, accounts): (&Market, &Accounts),
    wanted: &Wanted<'_>,
) {
    let Wanted { from, to, currency, .. } = *wanted;
    let expected = reference::performance::performance(rows, market, accounts, wanted);
    let about = |what: &str| {
        format!("{what} of {} in {:?}, {from} to {to}, {currency}", row.scope, row.accounts)
    };
    is_sound(row, &about("all"));
    equal(row.start_value, &expected.start, &about("start"));
    equal(row.end_value, &expected.end, &about("end"));
    equal(row.flows_in, &expected.came, &about("in"));
    equal(row.flows_out, &expected.went, &about("out"));
    equal(row.gain, &expected.gain(), &about("gain"));
    equal(row.gain_price, &expected.price, &about("price"));
    equal(row.gain_income, &expected.income, &about("income"));
    equal(row.gain_fees, &-&expected.fees, &about("fees"));
    equal(row.gain_fx, &expected.fx(), &about("fx"));
    assert_eq!((row.days_skipped, row.days_unvalued), (expected.skipped, 0), "{}", about("days"));
    if expected.growth.is_empty() {
        assert_eq!(row.twr, None, "{}", about("twr"));
        return;
    }
    near_to(row.twr, expected.twr(), &about("twr"));
    match expected.volatility() {
        Some(volatility) => near_to(row.volatility, volatility, &about("volatility")),
        None => assert_eq!(row.volatility, None),
    }
    let fall = row.max_drawdown.unwrap().depth;
    assert!((fall - expected.deepest_fall()).abs() < 1e-8, "{}", about("fall"));
    // Where one finds none the other must find none either.
    let size = near(&expected.end).abs() + near(&expected.came) + near(&expected.start).abs();
    let Some(rate) = row.xirr else {
        assert!(!has_rate(&expected, from, to, size), "{}: {:?}", about("xirr"), row.reasons);
        return;
    };
    let rate: f64 = rate.to_string().parse().unwrap();
    // The value passes zero within the last digits, or is nothing.
    let step = 1e-8 * (1.0 + rate.abs());
    let [less, more] = [rate - step, rate + step].map(|rate| expected.value_at(rate, from, to));
    let at = expected.value_at(rate, from, to).abs();
    let passes = less.signum() != more.signum() || at < 1e-8 * size;
    assert!(passes, "{}: {rate}, {less} {more}", about("xirr"));
}

/// Days at which a month, a year or a February begins or ends, in a leap year and in another one.
const BORDERS: [&str; 14] = [
    "2015-02-28",
    "2015-03-01",
    "2015-06-30",
    "2015-07-01",
    "2015-12-31",
    "2016-01-01",
    "2016-01-31",
    "2016-02-01",
    "2016-02-28",
    "2016-02-29",
    "2016-03-01",
    "2016-04-30",
    "2016-12-30",
    "2016-12-31",
];

/// Every span from one of those days to another, and some from any day to any other: what performance
/// and income tell of it, against the second program; a fifth of them by default.
#[tokio::test]
async fn spans_end_and_begin_on_the_right_day() {
    let portfolio = Size { rows: 260, securities: 5, years: 2, closes_every: 3 }.portfolio();
    let engine = sqlite().await;
    for text in [&portfolio.transactions, &portfolio.prices] {
        engine.import(&[("file.csv", text)]).await;
    }
    let rows = files::rows(&portfolio.transactions);
    let market = Market::new("USD", &files::closes(&portfolio.prices, &rows));
    let borders = BORDERS.map(|day| day.parse::<NaiveDate>().unwrap());
    let pairs = borders.iter().flat_map(|from| borders.iter().map(move |to| (*from, *to)));
    let mut spans: Vec<_> = pairs.filter(|(from, to)| from <= to).collect();
    let mut random = Random(7);
    for _ in 0..if is_full() { 200 } else { 20 } {
        let mut day = || borders[0] + Days::new(u64::try_from(random.below(670)).unwrap());
        let (one, other) = (day(), day());
        spans.push((one.min(other), one.max(other)));
    }
    let (mut told_of, mut paid) = (0, 0);
    let step = if is_full() { 1 } else { 5 };
    for (nth, &(from, to)) in spans.iter().step_by(step).enumerate() {
        let currency = if nth % 3 == 0 { "CAD" } else { "USD" };
        paid += income_agrees(&engine, &rows, &market, (from, to), currency).await;
        // Of each account now and then: that takes its time.
        let by = if nth % 8 == 0 { By::Account } else { By::All };
        let query = PerformanceQuery {
            currency: Currency::parse(currency).ok(),
            ..asked(Some(from), to, by)
        };
        for row in &told(&engine, &query).await.rows {
            let account = (by == By::Account).then_some(row.accounts[0].as_str());
            let wanted = Wanted { account, symbol: None, from, to, currency };
            agrees(row, &rows, (&market, &Accounts::default()), &wanted);
            told_of += 1;
        }
    }
    assert!(
        told_of > 150 / step && paid > 100 / step,
        "{told_of} rows of performance, {paid} of income"
    );
    engine.close().await;
}

/// What was received in a span, by month, account and security. Gives of how many it was told.
async fn income_agrees(
    engine: &Engine,
    rows: &[files::Row],
    market: &Market,
    (from, to): (NaiveDate, NaiveDate),
    currency: &str,
) -> usize {
    let base = Currency::parse(currency).ok();
    let query =
        IncomeQuery { from: Some(from), to, today: to, account: None, currency: base, by: None };
    let mut tx = engine.session.store.read().await.unwrap();
    let report = report::income(&mut tx, &query).await.unwrap();
    drop(tx);
    let mut found = BTreeMap::new();
    for row in &report.rows {
        let received = row.amount.map(exact).filter(|amount| *amount != q("0"));
        let Some(received) = received else { continue };
        let symbol = row.symbol.as_ref().unwrap().to_string();
        let key = (row.month.clone().unwrap(), row.account.as_ref().unwrap().to_string(), symbol);
        found.insert(key, (received, exact(row.sums.amount.unwrap())));
    }
    let mut expected: BTreeMap<_, (Q, Q)> = BTreeMap::new();
    let is_inside = |row: &&files::Row| from <= row.date && row.date <= to;
    for row in rows.iter().filter(is_inside).filter(|row| row.what == "DIVIDEND") {
        let gross = &row.amount + &row.fee + &row.tax;
        let in_base = &gross * market.rate(&row.currency, currency, row.date).unwrap();
        let month = row.date.format("%Y-%m").to_string();
        let key = (month, row.account.clone(), row.symbol.clone().unwrap());
        let sums = expected.entry(key).or_insert_with(|| (q("0"), q("0")));
        *sums = (&sums.0 + gross, &sums.1 + in_base);
    }
    let keys =
        |of: &BTreeMap<(String, String, String), (Q, Q)>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&expected), "{from} to {to}");
    for (key, (gross, in_base)) in &expected {
        let (found, found_in_base) = &found[key];
        assert_eq!(found, gross, "{key:?}, {from} to {to}");
        let apart = (found_in_base - in_base).abs();
        assert!(apart < q("0.000000001"), "{key:?}, {from} to {to}: {apart}");
    }
    expected.len()
}

/// The same with moves between accounts, an account that is closed and one that only says what it is
/// worth.
#[tokio::test]
async fn a_second_program_follows_moves_and_accounts_that_end() {
    let portfolio = Size { rows: 400, securities: 6, years: 1, closes_every: 2 }.portfolio();
    let plain = files::rows(&portfolio.transactions);
    let last = plain.last().unwrap().date;
    let mut moves =
        "date,account,type,symbol,quantity,price,fee,currency,amount,to_account\n".to_owned();
    let buys = plain.iter().filter(|row| row.what == "BUY" && row.quantity > q("2"));
    let mut count = 0;
    for row in buys.step_by(9) {
        let (from, day) = (&row.account, row.date + Days::new(3));
        let to = if from == "A01" { "A02" } else { "A01" };
        let symbol = row.symbol.as_deref().unwrap();
        let mine = |other: &&files::Row| other.account == *from && other.symbol == row.symbol;
        let left = |other: &files::Row| {
            let before = plain.iter().filter(mine).filter(|it| it.date <= other.date);
            before.fold(q("0"), |sum, it| sum + &it.quantity)
        };
        // Enough is left of it on every later day.
        let later = plain.iter().filter(mine).filter(|other| other.date >= row.date);
        if day < last && from != "A03" && later.clone().all(|other| left(other) > q("2")) {
            count += 1;
            moves += &format!("{day},{from},TRANSFER_OUT,{symbol},1,,,{},,{to}\n", row.currency);
            moves += &format!("{day},{from},TRANSFER_OUT,,,,,{},-150.25,{to}\n", row.currency);
        }
    }
    assert!(count > 3, "{count} moves");
    let engine = sqlite().await;
    for text in [&portfolio.transactions, &portfolio.prices, &moves] {
        engine.import(&[("file.csv", text)]).await;
    }
    let closed = plain[0].date + Days::new(200);
    let id = engine.account("A03").await;
    let close = AccountEdit { closed: Edit::Set(closed), ..AccountEdit::default() };
    engine.edit(Change::EditAccount(id, close)).await;
    let new = NewAccount {
        name: SafeText::new("House"),
        kind: AccountKind::Ira,
        currency: Currency::CAD,
        mode: Mode::Balances,
        method: None,
        institution: None,
        closed: None,
        performance: None,
    };
    engine.edit(Change::AddAccount(new)).await;
    let house = engine.account("House").await;
    let mut told = BTreeMap::new();
    for (after, worth) in [(40, "1000"), (90, "1100.5"), (91, "900"), (250, "1300")] {
        let day = plain[0].date + Days::new(after);
        engine.edit(Change::SetBalance(house, day, Dec::parse(worth).unwrap())).await;
        told.insert(day, q(worth));
    }
    let accounts = Accounts {
        closed: BTreeMap::from([("A03".to_owned(), closed)]),
        balances: BTreeMap::from([("House".to_owned(), ("CAD".to_owned(), told))]),
    };
    let mut rows = plain.clone();
    rows.extend(files::rows(&moves));
    rows.sort_by_key(|row| row.date);
    let market = Market::new("USD", &files::closes(&portfolio.prices, &rows));
    let first = rows[0].date;
    for (from, to) in [(first, last), (first + Days::new(60), first + Days::new(220))] {
        for by in [By::All, By::Account, By::Holding] {
            let report = told_of(&engine, from, to, by).await;
            for row in &report.rows {
                let account = row.accounts[0].as_str();
                let wanted = Wanted {
                    account: (by != By::All).then_some(account),
                    symbol: (by == By::Holding).then_some(row.scope.as_str()),
                    from,
                    to,
                    currency: "USD",
                };
                agrees(row, &rows, (&market, &accounts), &wanted);
            }
        }
    }
    engine.close().await;
}

async fn told_of(engine: &Engine, from: NaiveDate, to: NaiveDate, by: By) -> PerformanceReport {
    let report = told(engine, &asked(Some(from), to, by)).await;
    assert!(!report.rows.is_empty());
    report
}

/// An account that somebody took out is outside: what moves there is a flow, and the report names it.
#[tokio::test]
async fn an_account_that_is_left_out_counts_as_outside() {
    const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,to_account\n\
        2024-01-02,Bank,DEPOSIT,,,,,USD,50,\n2024-01-02,A,DEPOSIT,,,,,USD,1000,\n\
        2024-01-02,A,BUY,X,50,10,,USD,,\n2024-01-02,B,DEPOSIT,,,,,USD,700,\n\
        2024-01-02,B,BUY,X,10,10,,USD,,\n2024-01-03,A,TRANSFER_OUT,X,20,,,USD,,B\n\
        2024-01-04,A,TRANSFER_OUT,,,,,USD,-100,B\n";
    const PRICES: &str = "date,symbol,close,currency\n2024-01-02,X,10,USD\n2024-01-03,X,12,USD\n\
        2024-01-05,X,15,USD\n";
    let to = NaiveDate::from_ymd_opt(2024, 1, 5).unwrap();
    for engine in engines().await {
        engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
        let figures = async |by, account| {
            let query = PerformanceQuery { account, ..asked(None, to, by) };
            let report = told(&engine, &query).await;
            let of = |row: &PerformanceRow| {
                let figures = [row.gain, row.flows_in, row.flows_out, row.end_value];
                let figures = figures.map(|figure| figure.unwrap().to_string());
                format!("{} {}", row.scope, figures.join(" "))
            };
            let rows: Vec<_> = report.rows.iter().map(of).collect();
            let out: Vec<_> = report.left_out.iter().map(ToString::to_string).collect();
            (rows.join("; "), out.join(", "))
        };
        let told = |rows: &str, out: &str| (rows.to_owned(), out.to_owned());
        // 60 X rise from 10 to 15.
        let all = told("all 300 1700 0 2000", "");
        assert_eq!(figures(By::All, None).await, all);
        let b = engine.account("B").await;
        let say = async |id, said| {
            let edit = AccountEdit { performance: said, ..AccountEdit::default() };
            engine.edit(Change::EditAccount(id, edit)).await;
        };
        say(b, Edit::Set(InPerformance::No)).await;
        // 50 X rise by 2, 30 by 3; 20 at 12 and 100 go to B.
        assert_eq!(figures(By::All, None).await, told("all 190 1000 340 850", "B"));
        assert_eq!(figures(By::Account, None).await, told("A 190 1000 340 850", "B"));
        assert_eq!(figures(By::Holding, None).await.0, "X 190 500 240 450");
        let classes = told("cash 0 50 0 50; investment 190 1000 340 850", "B");
        assert_eq!(figures(By::Class, None).await, classes);
        // Who asks for it is told: 10 X rise by 2, 30 by 3.
        assert_eq!(figures(By::All, Some(b)).await, told("all 110 1040 0 1150", ""));
        // What does not invest may count.
        let bank = engine.account("Bank").await;
        say(bank, Edit::Set(InPerformance::Yes)).await;
        assert_eq!(figures(By::All, None).await, told("all 190 1050 340 900", "B"));
        // Net worth moves by everything all the same.
        let query =
            report::MoversQuery { as_of: to, today: to, currency: None, since: to.pred_opt() };
        let mut tx = engine.session.store.read().await.unwrap();
        let split = report::movers(&mut tx, &query).await.unwrap().split.unwrap();
        assert_eq!(split.market.to_string(), "180");
        drop(tx);
        for id in [b, bank] {
            say(id, Edit::Clear).await;
        }
        assert_eq!(figures(By::All, None).await, all);
        engine.close().await;
    }
}

/// Whether the value of all money passes zero between two rates.
fn has_rate(expected: &Outcome, from: NaiveDate, to: NaiveDate, size: f64) -> bool {
    let rates = (0..=600).map(|at| 10_f64.powf(f64::from(at) / 50.0 - 6.0) - 1.0);
    let values = rates.map(|rate| expected.value_at(rate, from, to));
    // What is nothing but the rounding of what cancels has no sign.
    let signs: BTreeSet<bool> =
        values.filter(|value| value.abs() > 1e-6 * size).map(|value| value > 0.0).collect();
    signs.len() == 2
}

/// Each lot by itself: its parts add up to its gain, the gains of the parts of a span to that of the
/// span, and all lots of a holding, with what came when none was left, to the holding.
#[tokio::test]
async fn lots_add_up_over_time_and_to_their_holding() {
    const AFTER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2015-01-05,Z,DEPOSIT,,,,,USD,9000\n2015-01-05,Z,BUY,Z1,10,50,1,USD,\n\
        2015-02-05,Z,BUY,Z1,5,60,1,USD,\n2015-03-05,Z,SELL,Z1,12,70,2,USD,\n\
        2015-04-05,Z,SELL,Z1,3,65,,USD,\n2015-05-05,Z,DIVIDEND,Z1,,,,USD,17\n";
    let prices = "date,symbol,close,currency\n2015-01-05,Z1,51,USD\n2015-03-05,Z1,69,USD\n";
    let portfolio = Size { rows: 250, securities: 5, years: 1, closes_every: 4 }.portfolio();
    let engine = sqlite().await;
    for text in [&portfolio.transactions, &portfolio.prices] {
        engine.import(&[("file.csv", text)]).await;
    }
    engine.import(&[("after.csv", AFTER), ("after_prices.csv", prices)]).await;
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let (first, last) = (day("2015-01-02"), day("2015-12-31"));
    // By holding: what of its gain is known, added up over rows of one name.
    let gains = async |from, to, by| {
        let mut found: BTreeMap<Key, [Q; 6]> = BTreeMap::new();
        for row in &told(&engine, &asked(Some(from), to, by)).await.rows {
            is_sound(row, &format!("{by:?} {}", row.scope));
            let name = row.scope.to_string();
            let accounts = row.accounts.iter().map(ToString::to_string).collect();
            let sum = found.entry((name, accounts)).or_insert([(); 6].map(|()| q("0")));
            let parts = sums(row).unwrap_or_else(|| panic!("{row:?}"));
            sum.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        found
    };
    let whole = gains(first, last, By::Lot).await;
    // What came when nothing was left is the holding's alone.
    let z1 = |scope: &str| whole.get(&(scope.to_owned(), vec!["Z".to_owned()])).unwrap();
    assert_eq!((&z1("Z1")[0], &z1("Z1")[3]), (&q("17"), &q("17")));
    // 10 x 20, less 1, less 10/12 of 2.
    assert_eq!(z1("Z1 2015-01-05")[0], q("197.333333333333"));
    let holdings = gains(first, last, By::Holding).await;
    for (key, holding) in &holdings {
        let is_of = |of: &&Key| of.0.split(' ').next() == Some(key.0.as_str()) && of.1 == key.1;
        let mut lots = [(); 6].map(|()| q("0"));
        for of in whole.keys().filter(is_of) {
            lots.iter_mut().zip(&whole[of]).for_each(|(sum, part)| *sum += part);
        }
        for (lots, holding) in lots.iter().zip(holding) {
            assert!((lots - holding).abs() < q("0.000000001"), "{key:?}: {lots} {holding}");
        }
    }
    for cuts in [vec!["2015-05-01"], vec!["2015-02-10", "2015-03-05", "2015-09-30"]] {
        let mut sum: BTreeMap<Key, [Q; 6]> = BTreeMap::new();
        let mut from = first;
        let ends = cuts.iter().map(|cut| day(cut)).chain([last]);
        for to in ends {
            for (key, part) in gains(from, to, By::Lot).await {
                let sum = sum.entry(key).or_insert([(); 6].map(|()| q("0")));
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            from = to + Days::new(1);
        }
        assert_eq!(sum.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
        for (key, whole) in &whole {
            for (a, b) in whole.iter().zip(&sum[key]) {
                assert!((a - b).abs() < q("0.000000001"), "{key:?}: {whole:?} {sum:?}");
            }
        }
    }
    assert!(whole.len() > 20 && holdings.len() > 10);
    engine.close().await;
}

/// Only the lots that a row touches are unknown by it.
#[tokio::test]
async fn a_lot_lacks_what_its_own_rows_lack() {
    const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,A,DEPOSIT,,,,,USD,9000\n2024-01-02,A,BUY,X@USD,10,50,,USD,\n\
        2024-01-03,A,SELL,X@USD,10,55,,USD,\n2024-01-04,A,BUY,X@USD,10,52,,USD,\n\
        2024-01-05,A,DIVIDEND,X@USD,,,,CAD,5\n";
    const PRICES: &str = "date,symbol,close,currency\n2024-01-02,X,50,USD\n2024-01-05,X,60,USD\n";
    let engine = sqlite().await;
    engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
    let to = NaiveDate::from_ymd_opt(2024, 1, 5).unwrap();
    let lots = told(&engine, &asked(None, to, By::Lot)).await;
    let gain = |row: &PerformanceRow| row.gain.map(|gain| gain.to_string());
    let told: Vec<_> = lots.rows.iter().map(|row| (row.scope.to_string(), gain(row))).collect();
    let gain = Some("50".to_owned());
    // Nobody knows what five Canadian dollars are.
    let expected = [("X 2024-01-02".to_owned(), gain), ("X 2024-01-04".to_owned(), None)];
    assert_eq!(told, expected);
    assert_eq!(lots.rows[1].reasons["gain"], "missing_rate");
    engine.close().await;
}

/// What has no value on either day is left out on both, and what was paid for it went out.
#[tokio::test]
async fn a_change_is_split_where_a_holding_has_no_price() {
    const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,A,DEPOSIT,,,,,USD,1000\n2024-01-02,A,BUY,X,10,50,,USD,\n\
        2024-01-02,A,BUY,NONE,1,10,,USD,\n2024-01-04,A,BUY,NONE,2,30,1,USD,\n\
        2024-01-05,A,DIVIDEND,NONE,,,,USD,4\n";
    const PRICES: &str = "date,symbol,close,currency\n2024-01-02,X,50,USD\n2024-01-05,X,60,USD\n";
    let engine = sqlite().await;
    engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
    let [since, as_of] = [3, 5].map(|day| NaiveDate::from_ymd_opt(2024, 1, day).unwrap());
    let query = report::MoversQuery { as_of, today: as_of, currency: None, since: Some(since) };
    let mut tx = engine.session.store.read().await.unwrap();
    let movers = report::movers(&mut tx, &query).await.unwrap();
    let split = movers.split.unwrap();
    // X rose by 100, 61 went into what has no price, 4 came out of it.
    assert_eq!(movers.change.unwrap().amount.to_string(), "43");
    let parts = [split.market, split.currency, split.flows, split.income, split.charges];
    assert_eq!(parts.map(|part| part.to_string()), ["100", "0", "-57", "0", "0"]);
    assert!(split.partial);
    drop(tx);
    engine.close().await;
}

/// Where there is no row the report says why.
#[tokio::test]
async fn nothing_to_tell_has_a_reason() {
    const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,Bank,DEPOSIT,,,,,USD,1000\n";
    let engine = sqlite().await;
    let [before, after] = ["2020-01-01", "2024-02-01"].map(|day| day.parse().unwrap());
    assert_eq!(
        told(&engine, &asked(None, after, By::All)).await.nothing,
        Some(Nothing::NoInvestingAccount)
    );
    engine.import(&[("rows.csv", ROWS)]).await;
    let nothing = async |to, by| told(&engine, &asked(None, to, by)).await.nothing;
    for by in [By::All, By::Account, By::Holding, By::Lot] {
        assert_eq!(nothing(after, by).await, Some(Nothing::NoInvestingAccount), "{by:?}");
    }
    assert_eq!(nothing(before, By::Class).await, Some(Nothing::NotYet));
    assert_eq!(nothing(after, By::Class).await, None);
    engine.close().await;
}

/// Both engines say the same to the last digit, by every cut and in parts.
#[tokio::test]
async fn both_engines_say_the_same() {
    let portfolio = Size { rows: 300, securities: 6, years: 2, closes_every: 5 }.portfolio();
    let mut first: Option<String> = None;
    for engine in engines().await {
        engine.import(&[("rows.csv", &portfolio.transactions)]).await;
        engine.import(&[("prices.csv", &portfolio.prices)]).await;
        let mut all = String::new();
        for by in ALL {
            let to = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
            let query = PerformanceQuery { every: Some(Every::Month), ..asked(None, to, by) };
            let report = told(&engine, &query).await;
            assert!(!report.rows.is_empty(), "{by:?}");
            all += &format!("{:?} {:?}\n", report.rows, report.missing);
        }
        match &first {
            None => first = Some(all),
            Some(before) => assert!(*before == all, "{} says otherwise", engine.name),
        }
        engine.close().await;
    }
}

/// The same rows with something more: what the account made per unit of money must stay.
#[tokio::test]
async fn a_deposit_or_a_split_flow_changes_no_time_weighted_return() {
    const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n";
    const PRICES: &str = "date,symbol,close,currency\n2024-01-02,X,10,USD\n2024-01-03,X,11,USD\n\
        2024-01-04,X,9,USD\n2024-01-05,X,12,USD\n";
    // All money is in the security, so more of it earns the same.
    let stories = [
        "2024-01-02,A,BUY,X,100,10,0,USD,\n2024-01-02,A,DEPOSIT,,,,,USD,1000\n",
        "2024-01-02,A,BUY,X,100,10,0,USD,\n2024-01-02,A,DEPOSIT,,,,,USD,400\n\
         2024-01-02,A,DEPOSIT,,,,,USD,600\n",
        "2024-01-02,A,BUY,X,100,10,0,USD,\n2024-01-02,A,DEPOSIT,,,,,USD,1000\n\
         2024-01-03,A,WITHDRAWAL,,,,,USD,-550\n2024-01-03,A,SELL,X,50,11,0,USD,\n",
    ];
    for story in stories {
        let engine = sqlite().await;
        engine.import(&[("rows.csv", &format!("{HEADER}{story}")), ("prices.csv", PRICES)]).await;
        let to = NaiveDate::from_ymd_opt(2024, 1, 5).unwrap();
        let report = told(&engine, &asked(None, to, By::All)).await;
        assert_eq!(report.rows[0].twr, Dec::parse("0.2").ok(), "{story}");
        engine.close().await;
    }
}

/// What is not asked for is not told, and the benchmark is.
#[tokio::test]
async fn an_index_takes_the_same_flows() {
    const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,A,DEPOSIT,,,,,USD,1000\n2024-01-04,A,DEPOSIT,,,,,USD,600\n";
    const PRICES: &str = "date,symbol,close,currency\n2024-01-01,X,10,USD\n2024-01-02,X,20,USD\n\
        2024-01-04,X,30,USD\n2024-01-05,X,40,USD\n";
    let engine = sqlite().await;
    engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
    let accounts = [None, Some(engine.account("A").await)];
    let security = SecurityId(1);
    for account in accounts {
        let account: Option<AccountId> = account;
        let to = NaiveDate::from_ymd_opt(2024, 1, 5).unwrap();
        let query =
            PerformanceQuery { account, benchmark: Some(security), ..asked(None, to, By::All) };
        let report = told(&engine, &query).await;
        // A checking account is no investment; it is told of where it is asked for.
        let Some(row) = report.rows.first() else {
            assert_eq!(account, None);
            continue;
        };
        assert!(account.is_some());
        let index = row.benchmark.as_ref().unwrap();
        // From 10 to 40; 50 units and 20 units at 40.
        assert_eq!(index.twr, Dec::parse("3").ok());
        assert_eq!(index.end_value, Dec::parse("2800").ok());
        assert_eq!(index.gain, Dec::parse("1200").ok());
        assert_eq!(row.gain, Dec::parse("0").ok());
    }
    engine.close().await;
}

/// What the overview says beneath a change: market, currency, flows, income and fees.
#[tokio::test]
async fn a_change_of_net_worth_is_split() {
    let engine = sqlite().await;
    let read = |name: &str| support::read(&support::root().join("assets/examples").join(name));
    let (rows, prices) = (read("example_b.csv"), read("example_b_prices.csv"));
    engine.import(&[("rows.csv", &rows), ("prices.csv", &prices)]).await;
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let split = async |since: &str, as_of: &str| {
        let (as_of, since) = (day(as_of), Some(day(since)));
        let query = report::MoversQuery { as_of, today: as_of, currency: None, since };
        let mut tx = engine.session.store.read().await.unwrap();
        let movers = report::movers(&mut tx, &query).await.unwrap();
        let split = movers.split.unwrap();
        let parts = [split.market, split.currency, split.flows, split.income, split.charges];
        (movers.change.unwrap().amount.to_string(), parts.map(|part| part.to_string()))
    };
    let told = |change: &str, parts: [&str; 5]| (change.to_owned(), parts.map(str::to_owned));
    let (change, parts) = split("2024-01-03", "2024-01-31").await;
    assert_eq!((change, parts), told("118.2", ["64", "40.6", "0", "16", "-2.4"]));
    // On the day of the purchase: 20 CAD at 0.76, 1000 x 0.01, and the fee.
    let (change, parts) = split("2024-01-02", "2024-01-03").await;
    assert_eq!((change, parts), told("21.4", ["15.2", "10", "0", "0", "-3.8"]));
    let (change, parts) = split("2024-01-01", "2024-01-02").await;
    assert_eq!((change, parts), told("750", ["0", "0", "750", "0", "0"]));
    engine.close().await;
}
