//! The days of accounts that are kept: performance by account must tell the same with them and
//! without them, whatever is written after they were kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[path = "support/reference/mod.rs"]
mod reference;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use dashtam::figures::AccountCourse;
use dashtam::model::{
    AccountEdit, Change, Currency, Dec, Edit, InPerformance, Mention, PriceSubject, Quote, SafeText,
};
use dashtam::refresh::{self, Filler};
use dashtam::report::{
    self, By, Every, NetWorthQuery, PerformanceQuery, PerformanceReport, Portion,
};
use dashtam::service::rebuild;
use reference::portfolio::Size;
use support::engines::{Engine, TODAY, clock, engines, sqlite};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn told(engine: &Engine, query: &PerformanceQuery) -> PerformanceReport {
    let mut tx = engine.session.store.read().await.unwrap();
    report::performance(&mut tx, query).await.unwrap()
}

async fn through(engine: &Engine) -> Option<NaiveDate> {
    let mut tx = engine.session.store.read().await.unwrap();
    tx.account_days_through().await.unwrap()
}

async fn keep(engine: &Engine) {
    refresh::keep_days(&engine.session.store, TODAY).await;
}

/// Nothing is kept any more, and everything else is as it was.
async fn forget(engine: &Engine) {
    let tx = engine.session.store.write().await.unwrap();
    tx.keep_account_days(&[]).await.unwrap();
}

/// Every span between some days, whole and in months.
fn spans(days: &[NaiveDate]) -> Vec<PerformanceQuery> {
    let mut queries = Vec::new();
    let froms = days.iter().map(|day| Some(*day)).chain([None]);
    for from in froms {
        for &to in days.iter().filter(|to| from.is_none_or(|from| from <= **to)) {
            for by in [By::Account, By::All, By::Class] {
                for every in [None, Some(Every::Month)] {
                    queries.push(PerformanceQuery {
                        from,
                        to,
                        today: TODAY,
                        account: None,
                        currency: None,
                        method: None,
                        by,
                        every,
                        benchmark: None,
                    });
                }
            }
        }
    }
    queries
}

/// What is kept changes no figure. Gives how many rows were compared.
async fn same_without(engine: &Engine, queries: &[PerformanceQuery], about: &str) -> usize {
    let mut with = Vec::new();
    for query in queries {
        with.push(told(engine, query).await);
    }
    assert_eq!(rebuild::check(&engine.session).await.unwrap(), [""; 0], "{about}");
    forget(engine).await;
    let mut rows = 0;
    for (query, with) in queries.iter().zip(with) {
        let without = told(engine, query).await;
        assert_eq!(format!("{with:#?}"), format!("{without:#?}"), "{about}: {query:?}");
        rows += without.rows.len();
    }
    rows
}

/// Net worth over time and its parts are what they are without what is kept, of everything and of
/// each account, and its line has the same points. Gives how many points came from what is kept: they
/// tell no parts.
async fn same_line(engine: &Engine, about: &str) -> usize {
    let mut tx = engine.session.store.read().await.unwrap();
    let accounts = tx.accounts().await.unwrap();
    let accounts = accounts.iter().map(|row| Some(row.account.id)).chain([None]);
    let first = tx.first_day().await.unwrap().unwrap_or(TODAY);
    let (mut points, mut with) = (0, Vec::new());
    for account in accounts {
        for (from, to) in [(None, TODAY), (Some(first + Days::new(9)), first + Days::new(40))] {
            let every = Some(if from.is_some() { Every::Day } else { Every::Month });
            let query = NetWorthQuery { from, to, today: TODAY, account, currency: None, every };
            let line = report::worth_line(&mut tx, &query).await.unwrap();
            let report = report::net_worth(&mut tx, &query).await.unwrap();
            assert_eq!(line.rows.len(), report.rows.len(), "{about}");
            for (line, row) in line.rows.iter().zip(&report.rows) {
                assert_eq!(
                    (line.date, line.net_worth, &line.missing, line.pending),
                    (row.date, row.net_worth, &row.missing, row.pending),
                    "{about}: {query:?}"
                );
                points += usize::from(line.cash.is_none() && row.cash.is_some());
            }
            with.push((query, report));
        }
    }
    drop(tx);
    let kept = engine.session.store.read().await.unwrap().account_days().await.unwrap();
    forget(engine).await;
    let mut tx = engine.session.store.read().await.unwrap();
    for (query, with) in with {
        let without = report::net_worth(&mut tx, &query).await.unwrap();
        assert_eq!(format!("{with:#?}"), format!("{without:#?}"), "{about}: {query:?}");
    }
    drop(tx);
    engine.session.store.write().await.unwrap().keep_account_days(&kept).await.unwrap();
    points
}

/// So many tests share the golden ledgers, side by side.
const PARTS: usize = 4;

#[tokio::test]
async fn the_golden_ledgers_say_the_same_with_and_without_them() {
    golden_ledgers_say_the_same(0).await;
}

#[tokio::test]
async fn the_second_quarter_of_the_golden_ledgers_says_the_same() {
    golden_ledgers_say_the_same(1).await;
}

#[tokio::test]
async fn the_third_quarter_of_the_golden_ledgers_says_the_same() {
    golden_ledgers_say_the_same(2).await;
}

#[tokio::test]
async fn the_last_quarter_of_the_golden_ledgers_says_the_same() {
    golden_ledgers_say_the_same(3).await;
}

async fn golden_ledgers_say_the_same(part: usize) {
    let (mut rows, mut kept, mut points) = (0, 0, 0);
    let folders = fs::read_dir(support::root().join("tests/golden")).unwrap();
    let mut folders: Vec<_> = folders.map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    for folder in folders.iter().skip(part).step_by(PARTS) {
        let about = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let engine = sqlite().await;
        let files = [("rows.csv", read("rows.csv")), ("prices.csv", read("prices.csv"))];
        let files: Vec<_> = files.iter().filter(|(_, text)| !text.is_empty()).collect();
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        if engine.try_import(&files, |_| ()).await.is_err() {
            engine.close().await;
            continue;
        }
        let text = read("rows.csv");
        let days = text.lines().filter_map(|line| line.split(',').next()?.parse().ok());
        let days: BTreeSet<NaiveDate> = days.collect();
        let days: Vec<_> = days.into_iter().flat_map(|day| [day, day + Days::new(2)]).collect();
        let days: Vec<_> = days.iter().copied().step_by(days.len().div_ceil(4).max(1)).collect();
        keep(&engine).await;
        kept += usize::from(through(&engine).await.is_some());
        points += same_line(&engine, &about).await;
        rows += same_without(&engine, &spans(&days), &about).await;
        engine.close().await;
    }
    let least = [500, 50, 500].map(|least: usize| least / PARTS);
    let found = [rows, kept, points];
    assert!(found.iter().zip(least).all(|(found, least)| *found > least), "{found:?}");
}

#[tokio::test]
async fn a_portfolio_says_the_same_with_and_without_them() {
    let portfolio = Size { rows: 400, securities: 6, years: 3, closes_every: 5 }.portfolio();
    for engine in engines().await {
        engine.import(&[("rows.csv", &portfolio.transactions)]).await;
        assert_eq!(through(&engine).await, None, "there is no price yet");
        engine.import(&[("prices.csv", &portfolio.prices)]).await;
        assert_eq!(through(&engine).await, TODAY.pred_opt(), "prices came");
        let points = same_line(&engine, engine.name).await;
        assert!(points > 200, "{points}");
        let days = ["2015-03-01", "2016-02-11", "2017-06-30", "2017-12-31"].map(day);
        let rows = same_without(&engine, &spans(&days), engine.name).await;
        assert!(rows > 60, "{rows}");
        engine.close().await;
    }
}

const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
    2014-01-02,A,DEPOSIT,,,,,USD,1000\n2014-01-03,A,BUY,X,10,50,1,USD,\n\
    2014-01-02,B,DEPOSIT,,,,,CAD,900\n2014-02-05,B,BUY,Y,5,20,,CAD,\n\
    2014-03-01,A,DIVIDEND,X,,,,USD,7\n";
const PRICES: &str = "date,symbol,close,currency\n2014-01-01,fx:CAD,0.75,USD\n\
    2014-01-03,X,52,USD\n2014-02-05,Y,21,CAD\n2014-02-20,fx:CAD,0.8,USD\n\
    2014-03-04,X,55,USD\n2014-03-20,Y,19,CAD\n";

/// A write says from which day on it touches anything; what is kept of the days before stays. So long
/// ago that nobody follows all days since at the end of a write.
#[tokio::test]
async fn a_write_leaves_the_days_before_it() {
    let header = ROWS.lines().next().unwrap();
    let (row, price) = (format!("{header}\n"), "date,symbol,close,currency\n");
    let stories = [
        // A file, and the last day that is still kept after it; none: all are made again.
        ("rows.csv", format!("{row}2014-03-10,A,BUY,X,1,50,,USD,\n"), Some("2014-03-09")),
        ("rows.csv", format!("{row}2014-02-10,C,DEPOSIT,,,,,USD,5\n"), Some("2014-02-09")),
        ("rows.csv", format!("{row}2014-03-10,A,SPLIT,X,,,,USD,\n"), None),
        ("prices.csv", format!("{price}2014-03-10,X,60,USD\n"), None),
        ("prices.csv", format!("{price}2014-01-15,fx:CAD,0.7,USD\n"), None),
    ];
    let days = ["2014-01-02", "2014-01-20", "2014-03-01", "2014-04-01"].map(day);
    for engine in engines().await {
        engine.import(&[("rows.csv", ROWS)]).await;
        engine.import(&[("prices.csv", PRICES)]).await;
        let whole = TODAY.pred_opt();
        for (name, text, left) in &stories {
            keep(&engine).await;
            assert_eq!(through(&engine).await, whole, "{text}");
            let text = match text.contains("SPLIT") {
                true => "date,account,type,symbol,quantity,price,fee,currency,amount,ratio\n\
                    2014-03-10,A,SPLIT,X,,,,USD,,2:1\n"
                    .to_owned(),
                false => text.clone(),
            };
            engine.import(&[(name, &text)]).await;
            // Where prices came, or nothing was left, they are kept again at once.
            assert_eq!(through(&engine).await, left.map(day).or(whole), "{text}");
            assert!(same_without(&engine, &spans(&days), &text).await > 10);
        }
        // Whose an account is, and whether it counts, changes no day of it.
        keep(&engine).await;
        let of_b = AccountEdit {
            institution: Edit::Set(SafeText::new("Harbor Bank")),
            performance: Edit::Set(InPerformance::No),
            ..AccountEdit::default()
        };
        let id = engine.account("B").await;
        engine.edit(Change::EditAccount(id, of_b)).await;
        assert_eq!(through(&engine).await, whole, "its bank");
        assert!(same_without(&engine, &spans(&days), "its bank").await > 10);
        keep(&engine).await;
        let closed = AccountEdit { closed: Edit::Set(day("2014-03-02")), ..AccountEdit::default() };
        engine.edit(Change::EditAccount(id, closed)).await;
        assert_ne!(through(&engine).await, whole, "what it counts is another thing");
        engine.close().await;
    }
}

/// Where the days that are still true end on one without a value, what follows is not lost.
#[tokio::test]
async fn a_day_without_a_value_is_followed_again() {
    let header = ROWS.lines().next().unwrap();
    let engine = sqlite().await;
    let rows =
        format!("{header}\n2024-01-01,A,DEPOSIT,,,,,USD,1000\n2024-01-02,A,BUY,X,1,50,,USD,\n");
    engine.import(&[("rows.csv", &rows)]).await;
    let prices = "date,symbol,close,currency\n2024-01-03,X,52,USD\n";
    engine.import(&[("prices.csv", prices)]).await;
    let fee = format!("{header}\n2024-01-03,A,FEE,,,,,USD,-1\n");
    engine.import(&[("fee.csv", &fee)]).await;
    keep(&engine).await;
    let kept = engine.session.store.read().await.unwrap().account_days().await.unwrap();
    let course = AccountCourse::of(&kept[0]).unwrap();
    assert_eq!((course.odd, course.next()), (None, Some(TODAY)));
    same_without(&engine, &spans(&[day("2024-01-02"), day("2024-01-09")]), "followed again").await;
    engine.close().await;
}

/// An account whose first days have no price begins where it began, whatever is told later and
/// wherever the days that are still true end.
#[tokio::test]
async fn what_had_no_price_at_first_keeps_its_beginning() {
    let header = ROWS.lines().next().unwrap();
    let rows = format!(
        "{header}\n2014-01-02,B,DEPOSIT,,,,,USD,100\n2014-01-02,B,OPENING,X,10,,,USD,\n\
        2014-01-05,C,DEPOSIT,,,,,USD,50\n2014-01-06,C,OPENING,Y,3,,,USD,\n\
        2014-01-02,D,DEPOSIT,,,,,USD,70\n"
    );
    let stories: [&[&str]; 4] = [
        &["X,01-10", "X,03-04"],
        &["X,01-10\nY,01-20", "X,02-01", "Y,03-01", "X,01-04"],
        &["Y,01-20", "X,01-12", "Y,01-07"],
        &["X,01-10\nY,03-10", "Y,02-10\nX,01-03"],
    ];
    let days = ["2014-01-02", "2014-01-04", "2014-01-12", "2014-02-05", "2014-03-12"].map(day);
    // Not a divisor of how many ways there are to ask of a span: all of them come.
    let queries: Vec<_> = spans(&days).into_iter().step_by(7).collect();
    for story in stories {
        let engine = sqlite().await;
        engine.import(&[("rows.csv", &rows)]).await;
        for (number, prices) in story.iter().enumerate() {
            let line = |line: &str| {
                let (symbol, day) = line.split_once(',').unwrap();
                format!("2014-{day},{symbol},{}.5,USD\n", 20 + number)
            };
            let prices: String = prices.lines().map(line).collect();
            let prices = format!("date,symbol,close,currency\n{prices}");
            engine.import(&[("prices.csv", &prices)]).await;
            let about = format!("{story:?} {number}");
            same_line(&engine, &about).await;
            same_without(&engine, &queries, &about).await;
            keep(&engine).await;
            // A row leaves only the days before it.
            for (cents, day) in ["01-03", "01-08", "02-11"].into_iter().enumerate() {
                let fee = format!("{header}\n2014-{day},D,FEE,,,,,USD,-{number}.{cents}\n");
                engine.import(&[("fee.csv", &fee)]).await;
                let about = format!("{about} {day}");
                same_line(&engine, &about).await;
                let mut with = Vec::new();
                for query in &queries {
                    with.push(told(&engine, query).await);
                }
                keep(&engine).await;
                assert_eq!(rebuild::check(&engine.session).await.unwrap(), [""; 0], "{about}");
                for (query, before) in queries.iter().zip(with) {
                    let after = told(&engine, query).await;
                    assert_eq!(format!("{after:#?}"), format!("{before:#?}"), "{about} {query:?}");
                }
            }
        }
        engine.close().await;
    }
}

fn price(day: NaiveDate, close: &str) -> Change {
    Change::SetPrice(Box::new(Quote {
        subject: PriceSubject::Security(Mention::parse("X").unwrap()),
        date: day,
        currency: Currency::USD,
        open: None,
        high: None,
        low: None,
        close: Dec::parse(close).unwrap(),
        volume: None,
        source: SafeText::new("manual"),
        quoted_in: None,
    }))
}

/// Nobody waits for the days that a write of today leaves, and those of long ago are followed a year
/// at a time, whatever is written meanwhile.
#[tokio::test]
async fn what_a_write_leaves_is_followed_at_once_or_in_steps() {
    let days = ["2014-01-02", "2014-01-20", "2014-03-01", "2017-04-01"].map(day);
    for engine in engines().await {
        engine.import(&[("rows.csv", ROWS)]).await;
        engine.import(&[("prices.csv", PRICES)]).await;
        let (store, whole) = (&engine.session.store, TODAY.pred_opt());
        engine.edit(price(TODAY - Days::new(20), "57")).await;
        assert_eq!(through(&engine).await, whole, "quick");
        engine.edit(price(day("2014-02-10"), "53")).await;
        assert_eq!(through(&engine).await, Some(day("2014-02-09")), "not quick");
        let mut tx = store.read().await.unwrap();
        let year = report::days_to_keep(&mut tx, TODAY, Portion::Year).await.unwrap().unwrap();
        drop(tx);
        assert!(year.iter().all(|days| days.through == day("2015-02-11")), "a year");
        // Others write while it is done.
        let revision = engine.revision().await;
        let filler = Filler::start(store.clone(), clock());
        filler.ask();
        for (number, day) in days.iter().rev().enumerate() {
            engine.edit(price(*day, &format!("5{number}.5"))).await;
            filler.ask();
        }
        while through(&engine).await != whole {
            filler.ask();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(engine.revision().await, revision + 4, "nothing that anybody sees is other");
        assert_eq!(*filler.trouble.borrow(), None);
        filler.stop().await;
        assert!(same_without(&engine, &spans(&days), engine.name).await > 10);
        engine.close().await;
    }
}

/// Days that are wrong are found, and a day of which nobody knows a value keeps none.
#[tokio::test]
async fn what_is_kept_wrongly_is_found() {
    let engine = sqlite().await;
    engine.import(&[("rows.csv", ROWS)]).await;
    engine.import(&[("prices.csv", PRICES)]).await;
    let store = &engine.session.store;
    let kept = store.read().await.unwrap().account_days().await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(rebuild::check(&engine.session).await.unwrap(), [""; 0]);
    let mut wrong = kept.clone();
    wrong[1].days = kept[0].days.clone();
    store.write().await.unwrap().keep_account_days(&wrong).await.unwrap();
    assert_eq!(rebuild::check(&engine.session).await.unwrap(), ["the days of B"]);
    // They are what the report reads.
    let query = spans(&[day("2014-04-01")])[0];
    let report = told(&engine, &query).await;
    assert_eq!(report.rows[0].end_value, report.rows[1].end_value);
    // Accounts together are read from them too.
    let all = told(&engine, &PerformanceQuery { by: By::All, ..query }).await;
    let end = report.rows[0].end_value.unwrap();
    assert_eq!(all.rows[0].end_value, end.checked_add(end));
    rebuild::run(&engine.session).await.unwrap();
    assert_eq!(store.read().await.unwrap().account_days().await.unwrap(), kept);
    engine.close().await;
}
