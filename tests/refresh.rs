//! Refreshing: what providers tell is judged, stored once and kept apart from what is wrong; one
//! process at a time; and what scripts may rely on when they call it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dashtam::audit::{Audit, Place};
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::ledger;
use dashtam::model::{
    AccountKind, AlertOf, AlertTerms, Change, Close, Connection, ConnectionState, Currency, Dec,
    Entry, EntryType, Mention, OpId, Origin, Part, SafeText, Setting, Side, Status, Subtype, Unit,
};
use dashtam::provider::{
    AccountSource, Class, DayBar, DayClose, Error, MarketSource, Pair, RemoteAccount, RemoteBook,
    RemoteRow, Result, Setup, Spot, Wanted,
};
use dashtam::refresh::{
    Bench, Cadence, Done, Job, Only, Outcome, Outside, Refresher, Unlock, WantedAll, Why, Wish,
    Work,
};
use dashtam::report::{self, PositionsQuery};
use dashtam::service::refresh::{How, start};
use dashtam::service::{Access, Session, demo};
use dashtam::store::{AuditStore, AuditTarget, Holder, Lease, Store};
use serde_json::Value;
use support::engines::{Engine, TODAY, clock, engines, on_each, sqlite, target};
use support::home::{Home, keys, sorted};
use tokio::sync::Semaphore;

const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
    2026-11-02,Broker,DEPOSIT,,,,,USD,1000\n\
    2026-11-03,Broker,BUY,X,10,50,,USD,-500\n";
const SPLIT: &str = "date,account,type,symbol,quantity,price,fee,currency,amount,ratio\n\
    2026-11-20,Broker,SPLIT,X,,,,USD,,4:1\n";
const PRICES: &str = "date,symbol,close,currency,source\n2026-11-19,sec:X,50,USD,simulated\n";

/// Tells what a test wants told.
#[derive(Default)]
struct Fake {
    spots: Vec<Result<Spot>>,
    bars: Vec<DayClose>,
    rates: Vec<DayClose>,
    rows: Vec<RemoteRow>,
    /// What it calls its account, else `1`, and how it shows it, else `Broker`.
    id: Option<&'static str>,
    name: Option<&'static str>,
    /// Since when its rows are all there are.
    complete_since: Option<&'static str>,
    /// Since when rows were asked for.
    since: Mutex<Option<DateTime<Utc>>>,
    error: Option<Error>,
    panics: bool,
}

impl Fake {
    fn failing(error: Error) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    fn check(&self) -> Result<()> {
        assert!(!self.panics, "a wrong turn");
        self.error.clone().map_or(Ok(()), Err)
    }
}

impl MarketSource for Fake {
    async fn quotes(&self, _: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        self.check()?;
        Ok(self.spots.clone())
    }

    async fn bars(&self, _: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayBar>> {
        self.check()?;
        assert!(from <= to);
        Ok(self.bars.iter().copied().map(DayBar::from).collect())
    }

    async fn rates(&self, _: &Pair, _: NaiveDate, _: NaiveDate) -> Result<Vec<DayClose>> {
        self.check()?;
        Ok(self.rates.clone())
    }
}

impl AccountSource for Fake {
    async fn accounts(&self, since: Option<DateTime<Utc>>) -> Result<RemoteBook> {
        self.check()?;
        *self.since.lock().unwrap() = since;
        let account = RemoteAccount {
            id: SafeText::new(self.id.unwrap_or("1")),
            name: SafeText::new(self.name.unwrap_or("Broker")),
            kind: AccountKind::Brokerage,
            currency: Currency::USD,
            institution: None,
            rows: self.rows.clone(),
            complete_since: self.complete_since.map(|since| since.parse().unwrap()),
            may_be_empty: false,
            left_out: false,
            standing: None,
        };
        Ok(RemoteBook { accounts: vec![account], ..RemoteBook::default() })
    }
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn spot(price: &str) -> Spot {
    let at = clock().now();
    Spot { at, date: at.date_naive(), price: dec(price), currency: Currency::USD }
}

fn deposit(id: &str, day: &str, amount: &str) -> RemoteRow {
    let what = EntryType::One(Subtype::Deposit);
    let unit = Unit::from(Currency::USD);
    let row = Entry::new(SafeText::new("Broker"), day.parse().unwrap(), what, unit);
    let (id, amount) = (Some(SafeText::new(id)), Some(dec(amount)));
    let at = format!("{day}T09:00:00Z").parse().unwrap();
    RemoteRow { at, row: Entry { id, amount, amount_stands: true, ..row } }
}

fn bench(session: &Session) -> Bench {
    let cadence = Cadence { quotes: TimeDelta::seconds(60), accounts: TimeDelta::minutes(15) };
    let audit = session.audit().unwrap().clone();
    Bench {
        store: session.store.clone(),
        audit,
        clock: session.clock.clone(),
        cadence,
        outside: Outside::default(),
    }
}

async fn lease(store: &Store) -> Lease {
    let holder = Holder { host: SafeText::new("here"), pid: 1, since: 0 };
    store.try_lease(&holder).await.unwrap().expect("nobody else has it")
}

async fn connect(session: &Session, provider: &str, label: &str) -> Connection {
    let (op, now) = (OpId::at(0), clock().now().timestamp_micros());
    let label = SafeText::new(label);
    let id = ledger::connect(&session.store, provider, &label, None, op, now).await.unwrap();
    connections(session).await.into_iter().find(|connection| connection.id == id).unwrap()
}

async fn connections(session: &Session) -> Vec<Connection> {
    session.store.read().await.unwrap().connections().await.unwrap()
}

/// A store with ten X and a connection.
async fn household(engine: &Engine) -> Connection {
    engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
    connect(&engine.session, "simulated", "Home").await
}

/// Does one job.
async fn work(engine: &Engine, part: Part, fake: &Fake) -> dashtam::refresh::Result<Done> {
    let label = connections(&engine.session).await.remove(0).label;
    work_of(engine, label.as_str(), part, fake).await
}

/// Does one job of a connection.
async fn work_of(
    engine: &Engine,
    label: &str,
    part: Part,
    fake: &Fake,
) -> dashtam::refresh::Result<Done> {
    let session = &engine.session;
    let (bench, lease) = (bench(session), lease(&session.store).await);
    let mut all = connections(session).await.into_iter();
    let connection = all.find(|connection| connection.label.as_str() == label).unwrap();
    let refreshes = session.store.read().await.unwrap().refreshes().await.unwrap();
    let job = Job { connection: connection.id, part, why: Why::Asked };
    let mut mine = refreshes.iter().filter(|last| last.connection == connection.id);
    let last = mine.find(|last| last.part == part);
    let work = Work { bench: &bench, lease: &lease, connection: &connection, job, last };
    let wanted = WantedAll::read(&session.store, TODAY).await.unwrap();
    let done = match part {
        Part::Quotes => work.quotes(fake, &wanted).await,
        Part::History => work.history(fake, &wanted).await,
        Part::Accounts => work.accounts(fake, TimeDelta::seconds(60)).await,
    };
    lease.release().await.unwrap();
    done
}

/// What ten X are worth on a day, by which price of which day.
async fn worth(engine: &Engine, as_of: NaiveDate) -> String {
    let mut tx = engine.session.store.read().await.unwrap();
    let query = PositionsQuery {
        as_of,
        today: TODAY,
        account: None,
        currency: None,
        method: None,
        closed: false,
    };
    let row = report::holdings(&mut tx, &query).await.unwrap().rows.remove(0);
    format!("{} {}", row.value.unwrap(), row.price_date.unwrap())
}

/// The closes of X from one day to another.
async fn closes(engine: &Engine, from: &str, to: NaiveDate) -> Vec<Close> {
    let mut tx = engine.session.store.read().await.unwrap();
    let securities = tx.securities().await.unwrap();
    let x = securities.iter().find(|row| row.security.symbol.as_str() == "X").unwrap();
    tx.closes_between(x.security.id, from.parse().unwrap(), to).await.unwrap()
}

fn why(done: &Done) -> Vec<String> {
    done.skipped.iter().map(|skip| format!("{}: {}", skip.what, skip.why)).collect()
}

/// The outcomes in the trail of every attempt to refresh.
async fn outcomes(session: &Session) -> Vec<String> {
    let rows = session.audit().unwrap().rows().await.unwrap();
    let mine = rows.iter().filter(|row| row.action == "refresh" && row.state != "ATTEMPTED");
    mine.map(|row| format!("{} {}", row.state, row.detail)).collect()
}

#[tokio::test]
async fn a_quote_serves_today_and_only_then() {
    on_each(async |engine| {
        household(engine).await;
        assert_eq!(worth(engine, TODAY).await, "500 2026-11-19");
        let fake = Fake { spots: vec![Ok(spot("51.25"))], ..Fake::default() };
        let done = work(engine, Part::Quotes, &fake).await.unwrap();
        assert_eq!((done.requested, done.stored, why(&done).len()), (1, 1, 0));
        assert_eq!(worth(engine, TODAY).await, "512.5 2026-11-20");
        let yesterday = TODAY.pred_opt().unwrap();
        assert_eq!(worth(engine, yesterday).await, "500 2026-11-19");
        let told = outcomes(&engine.session).await;
        assert_eq!(told, ["SUCCEEDED new=0 changed=0 cancelled=0 stored=1 skipped=0"]);
    })
    .await;
}

#[tokio::test]
async fn what_a_refresh_brings_sets_off_alerts_once_and_nobody_need_look() {
    on_each(async |engine| {
        household(engine).await;
        let of = AlertOf::Price;
        let (side, bound) = (Side::Above, dec("51"));
        let terms = AlertTerms {
            of,
            side,
            bound,
            note: None,
            units_of: None,
            said_in: None,
            snoozed: None,
        };
        engine.edit(Change::AddAlert(Mention::parse("X").unwrap(), terms)).await;
        let fake = Fake { spots: vec![Ok(spot("51.25"))], ..Fake::default() };
        work(engine, Part::Quotes, &fake).await.unwrap();
        let quiet = Wish { only: Some(Only::Accounts), ..Wish::default() };
        let mut said = Vec::new();
        for _ in 0..2 {
            let summary =
                bench(&engine.session).refresh_once(&quiet, Duration::ZERO).await.unwrap();
            said.push(summary.alerts.iter().map(|row| row.symbol.to_string()).collect::<Vec<_>>());
        }
        // Whoever refreshes is told, once.
        assert_eq!(said, [vec!["X".to_owned()], vec![]]);
        let log = engine.session.store.read().await.unwrap().alert_log(9).await.unwrap();
        let told: Vec<_> = log.iter().map(|row| (row.seen, row.seen_on)).collect();
        assert_eq!(told, [(dec("51.25"), TODAY)]);
        assert_eq!(log[0].source.as_ref().unwrap().as_str(), "simulated");
    })
    .await;
}

#[tokio::test]
async fn a_price_in_another_currency_is_not_told_on() {
    on_each(async |engine| {
        household(engine).await;
        let foreign = "date,symbol,close,currency,source\n2026-11-18,sec:X,49,USD,simulated\n\
            2026-11-20,sec:X,70,CAD,other\n";
        engine.import(&[("foreign.csv", foreign)]).await;
        let wanted = WantedAll::read(&engine.session.store, TODAY).await.unwrap();
        let last = wanted.securities[0].wanted.last.unwrap();
        assert_eq!((last.close, last.currency), (dec("50"), Currency::USD));
        let fake = Fake { spots: vec![Ok(spot("51"))], ..Fake::default() };
        assert_eq!(work(engine, Part::Quotes, &fake).await.unwrap().stored, 1);
    })
    .await;
}

#[tokio::test]
async fn a_split_is_no_jump() {
    on_each(async |engine| {
        engine.import(&[("rows.csv", ROWS), ("split.csv", SPLIT), ("prices.csv", PRICES)]).await;
        connect(&engine.session, "simulated", "Home").await;
        let wanted = WantedAll::read(&engine.session.store, TODAY).await.unwrap();
        assert_eq!(wanted.securities[0].wanted.last.unwrap().close, dec("12.5"));
        let fake = Fake { spots: vec![Ok(spot("12.6"))], ..Fake::default() };
        assert_eq!(work(engine, Part::Quotes, &fake).await.unwrap().stored, 1);
        assert_eq!(worth(engine, TODAY).await, "504 2026-11-20");
    })
    .await;
}

#[tokio::test]
async fn days_around_a_split_are_asked_for_in_their_own_units() {
    let engine = sqlite().await;
    let split = SPLIT.replace("11-20", "11-18");
    let old = "date,symbol,close,currency,source\n2026-11-16,sec:X,50,USD,simulated\n";
    engine.import(&[("rows.csv", ROWS), ("split.csv", &split), ("old.csv", old)]).await;
    connect(&engine.session, "simulated", "Home").await;
    let bench = bench(&engine.session);
    bench.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
    let closes = closes(&engine, "2026-11-17", TODAY).await;
    let whole: Vec<_> = closes.iter().map(|close| close.close.to_string()).collect();
    let near = |close: &str, least, most| dec(close) > dec(least) && dec(close) < dec(most);
    assert!(near(&whole[0], "48", "52") && near(&whole[1], "12", "13"), "{whole:?}");
    assert!(near(&whole[2], "12", "13"), "{whole:?}");
    engine.close().await;
}

#[tokio::test]
async fn every_currency_in_use_has_its_rate_wanted() {
    on_each(async |engine| {
        household(engine).await;
        let cash = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-02,Broker,DEPOSIT,,,,,EUR,5\n2026-11-02,Broker,DEPOSIT,,,,,JPY,5\n\
            2026-11-03,Broker,WITHDRAWAL,,,,,JPY,-5\n2026-11-03,Broker,DEPOSIT,,,,,USD,5\n";
        engine.import(&[("cash.csv", cash)]).await;
        let mut tx = engine.session.store.write().await.unwrap();
        tx.put_setting(Setting::TaxCurrency, "CAD").await.unwrap();
        tx.commit("tax", "settings", 0).await.unwrap();
        let wanted = WantedAll::read(&engine.session.store, TODAY).await.unwrap();
        let pairs: Vec<_> = wanted.pairs.iter().map(|pair| (pair.base, pair.quote)).collect();
        let usd = |base| (Currency::parse(base).unwrap(), Currency::USD);
        assert_eq!(pairs, [usd("CAD"), usd("EUR")]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_not_stored_and_why_is_kept() {
    on_each(async |engine| {
        household(engine).await;
        let at = clock().now();
        let wrong = [
            (Spot { at: at + TimeDelta::hours(1), ..spot("51") }, "not come yet"),
            (Spot { currency: Currency::CAD, ..spot("51") }, "in CAD and not in USD"),
            (spot("71"), "more than 40 %"),
            (spot("0.51"), "more than 40 %"),
        ];
        for (spot, reason) in wrong {
            let fake = Fake { spots: vec![Ok(spot)], ..Fake::default() };
            let done = work(engine, Part::Quotes, &fake).await.unwrap();
            assert_eq!(done.stored, 0);
            let [why] = &why(&done)[..] else { panic!("{:?}", done.skipped) };
            assert!(why.starts_with("X: ") && why.contains(reason), "{why}");
            assert_eq!(worth(engine, TODAY).await, "500 2026-11-19", "figures stay");
            let kept = engine.session.store.read().await.unwrap().refreshes().await.unwrap();
            assert!(kept[0].why.as_ref().unwrap().as_str().contains(reason), "{kept:?}");
        }
        // Of what is not there nothing is wrong.
        let untold = Err(Error::NoData(SafeText::new("X")));
        let fake = Fake { spots: vec![untold], ..Fake::default() };
        let done = work(engine, Part::Quotes, &fake).await.unwrap();
        assert!(!done.skipped[0].wrong);
        let kept = engine.session.store.read().await.unwrap().refreshes().await.unwrap();
        assert_eq!(kept[0].why, None);
    })
    .await;
}

#[tokio::test]
async fn days_that_are_over_get_their_closes_once() {
    on_each(async |engine| {
        household(engine).await;
        let close = |day: &str, close: &str| DayClose {
            date: day.parse().unwrap(),
            close: dec(close),
            currency: Currency::USD,
        };
        // Today is not over, and after the jump the next is judged by what was right.
        engine
            .import(&[(
                "old.csv",
                "date,symbol,close,currency,source\n2026-11-16,sec:X,49,USD,simulated\n",
            )])
            .await;
        let fake = Fake { bars: vec![close("2026-11-20", "52")], ..Fake::default() };
        let done = work(engine, Part::History, &fake).await.unwrap();
        assert_eq!((done.stored, why(&done).len()), (0, 1), "today is not over");
        let fake = Fake { bars: vec![close("2026-11-19", "50.5")], ..Fake::default() };
        let done = work(engine, Part::History, &fake).await.unwrap();
        assert_eq!(done.stored, 1, "the last day known may not have been over then");
        assert_eq!(worth(engine, TODAY).await, "505 2026-11-19");
    })
    .await;
    let engine = sqlite().await;
    let old = "date,symbol,close,currency,source\n2026-11-16,sec:X,49,USD,simulated\n";
    engine.import(&[("rows.csv", ROWS), ("old.csv", old)]).await;
    connect(&engine.session, "simulated", "Home").await;
    let bar = |day: &str, price: &str| DayClose {
        date: day.parse().unwrap(),
        close: dec(price),
        currency: Currency::USD,
    };
    let bars = vec![
        bar("2026-11-17", "50"),
        bar("2026-11-18", "5000"),
        bar("2026-11-19", "51"),
        bar("2026-11-20", "52"),
    ];
    // A second currency makes a rate wanted.
    let savings = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2026-11-02,Savings,DEPOSIT,,,,,CAD,5\n";
    engine.import(&[("savings.csv", savings)]).await;
    let rates = vec![bar("2026-11-18", "0"), bar("2026-11-19", "0.72")];
    let fake = Fake { bars, rates, ..Fake::default() };
    let done = work(&engine, Part::History, &fake).await.unwrap();
    assert_eq!(done.stored, 3);
    assert!(why(&done)[2].starts_with("CAD/USD: the rate of 2026-11-18"), "{:?}", why(&done));
    let said = why(&done);
    assert!(said[0].contains("more than 40 %") && said[1].contains("not come yet"), "{said:?}");
    assert_eq!(worth(&engine, TODAY).await, "510 2026-11-19");
    engine.close().await;
}

#[tokio::test]
async fn a_price_by_somebody_else_hides_no_day() {
    on_each(async |engine| {
        let prices = "date,symbol,close,currency,source\n2026-11-16,sec:X,49,USD,simulated\n\
            2026-11-16,fx:CAD,0.72,USD,simulated\n2026-11-19,fx:CAD,0.73,USD,hand\n\
            2026-11-19,sec:X,50,USD,hand\n";
        let savings = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-02,Savings,DEPOSIT,,,,,CAD,5\n";
        let files = [("rows.csv", ROWS), ("savings.csv", savings), ("prices.csv", prices)];
        engine.import(&files).await;
        connect(&engine.session, "simulated", "Home").await;
        let bench = bench(&engine.session);
        bench.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
        let closes = closes(engine, "2026-11-16", TODAY).await;
        let mut tx = engine.session.store.read().await.unwrap();
        let of_it = closes.iter().filter(|close| close.source.as_str() == "simulated");
        assert_eq!(of_it.count(), 4, "{closes:?}");
        let rates = tx.rates_through(TODAY).await.unwrap();
        assert_eq!(rates.iter().filter(|rate| rate.source.as_str() == "simulated").count(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_day_is_over_once_it_is_so_everywhere() {
    let engine = sqlite().await;
    household(&engine).await;
    // Already tomorrow in Tokyo, but not where coins have their day.
    let tokyo = Clock::fixed("2026-11-20T20:00:00Z".parse().unwrap(), chrono_tz::Asia::Tokyo);
    let bench = Bench { clock: tokyo, ..bench(&engine.session) };
    bench.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
    let of = closes(&engine, "2026-11-20", TODAY.succ_opt().unwrap()).await;
    assert!(of.is_empty(), "{of:?}");
    engine.close().await;
}

#[tokio::test]
async fn rows_come_once_and_change_with_their_source() {
    on_each(async |engine| {
        household(engine).await;
        let rows = |amount: &str| Fake {
            rows: vec![deposit("a", "2026-11-18", amount), deposit("b", "2026-11-19", "7")],
            ..Fake::default()
        };
        let done = work(engine, Part::Accounts, &rows("5")).await.unwrap();
        assert_eq!((done.accounts, done.counts.new, done.counts.changed), (1, 2, 0));
        assert_eq!(engine.cash_of("Broker", "USD").await, "512");
        let before = (engine.last_batch().await, engine.revision().await);
        for _ in 0..3 {
            let done = work(engine, Part::Accounts, &rows("5")).await.unwrap();
            assert_eq!((done.counts.new, done.counts.changed), (0, 0));
        }
        let after = (engine.last_batch().await, engine.revision().await);
        assert_eq!(after, before, "what says the same leaves nothing");
        // What went wrong, and that it is well again, is seen.
        let failing = Fake::failing(Error::Unavailable(SafeText::new("no answer")));
        for fake in [failing, rows("5")] {
            let before = engine.revision().await;
            work(engine, Part::Accounts, &fake).await.unwrap();
            assert_eq!(engine.revision().await, before + 1);
        }
        let done = work(engine, Part::Accounts, &rows("6")).await.unwrap();
        assert_eq!((done.counts.new, done.counts.changed), (0, 1));
        assert_eq!(engine.cash_of("Broker", "USD").await, "513");
        let mut tx = engine.session.store.read().await.unwrap();
        let broker = &tx.accounts().await.unwrap()[0];
        assert!(broker.connection.is_some(), "the connection fills it from now on");
        let told = engine.accounts(TODAY).await.remove(0).connection;
        assert_eq!(told.unwrap().as_str(), "Home");
        let id = SafeText::new("a");
        let row = &tx.transactions_by_source(&[&id]).await.unwrap()[0].transaction;
        let nine = "2026-11-18T09:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp_micros();
        assert_eq!((row.origin, row.seq, row.version), (Origin::Provider, nine, 2));
        drop(tx);
        // It is a batch like another, and can be taken back.
        let list = dashtam::service::import::list(&engine.session).await.unwrap();
        let file = &list.last().unwrap().files[0];
        assert_eq!(
            (file.path.as_str(), file.format.as_str(), file.changed),
            ("Home", "simulated", 1)
        );
        let dead = Fake {
            rows: vec![deposit("c", "2026-11-25", "9"), deposit("d", "2026-11-19", "-9")],
            ..Fake::default()
        };
        let done = work(engine, Part::Accounts, &dead).await.unwrap();
        assert_eq!((done.counts.new, done.skipped.len()), (0, 2), "{:?}", done.skipped);
    })
    .await;
}

/// A payment by card, final or not.
fn payment(id: &str, day: &str, amount: &str, status: Status) -> RemoteRow {
    let RemoteRow { at, row } = deposit(id, day, amount);
    let what = EntryType::One(Subtype::Withdrawal);
    let description = Some(SafeText::new("Diner"));
    RemoteRow { at, row: Entry { what, status, description, ..row } }
}

/// Tells these rows, and that they are all there are since the 18th.
fn all_there_is(rows: &[RemoteRow]) -> Fake {
    Fake {
        rows: rows.to_vec(),
        complete_since: Some("2026-11-18T00:00:00Z"),
        name: Some("Card"),
        ..Fake::default()
    }
}

/// What counts of the card: id, amount and status of each row.
async fn card(engine: &Engine) -> Vec<String> {
    let mut tx = engine.session.store.read().await.unwrap();
    let accounts = tx.accounts().await.unwrap();
    let card = accounts.iter().find(|row| row.account.name.as_str() == "Card").unwrap();
    let rows = tx.transactions_told(card.account.id, "2026-01-01".parse().unwrap()).await.unwrap();
    let words = rows.iter().map(|row| {
        let row = &row.transaction;
        let status = row.facts.status.as_str();
        format!("{} {} {status}", row.source_id.clone().unwrap_or_default(), row.facts.amount)
    });
    words.collect()
}

#[tokio::test]
async fn a_payment_becomes_final_under_another_id_and_stays_one_row() {
    Box::pin(on_each(async |engine| {
        household(engine).await;
        let held = payment("p", "2026-11-18", "-10", Status::Pending);
        let other = payment("o", "2026-11-18", "-3", Status::Settled);
        work(engine, Part::Accounts, &all_there_is(&[held, other.clone()])).await.unwrap();
        assert_eq!(card(engine).await, ["p -10 pending", "o -3 settled"]);
        let booked = payment("f", "2026-11-20", "-12", Status::Settled);
        let now = all_there_is(&[booked, other.clone()]);
        let done = work(engine, Part::Accounts, &now).await.unwrap();
        assert_eq!((done.counts.new, done.counts.changed, done.cancelled), (0, 1, 0));
        assert_eq!(card(engine).await, ["o -3 settled", "p -12 settled"]);
        assert_eq!(engine.cash_of("Card", "USD").await, "-15");
        let done = work(engine, Part::Accounts, &now).await.unwrap();
        assert_eq!((done.counts.new, done.counts.changed, done.cancelled), (0, 0, 0));
        // Every row under another id, and one of them twice.
        let renamed = [
            payment("x", "2026-11-20", "-12", Status::Settled),
            payment("y", "2026-11-18", "-3", Status::Settled),
            payment("y", "2026-11-18", "-3", Status::Settled),
        ];
        let done = work(engine, Part::Accounts, &all_there_is(&renamed)).await.unwrap();
        assert_eq!((done.counts.new, done.counts.changed, done.cancelled), (0, 0, 0));
        assert_eq!(engine.cash_of("Card", "USD").await, "-15");
    }))
    .await;
}

#[tokio::test]
async fn what_is_told_no_more_is_cancelled_and_comes_back() {
    Box::pin(on_each(async |engine| {
        household(engine).await;
        let before = payment("b", "2026-11-17", "-1", Status::Settled);
        let [one, two] = ["one", "two"].map(|id| payment(id, "2026-11-19", "-5", Status::Pending));
        let all = [before, one.clone(), two.clone()];
        work(engine, Part::Accounts, &all_there_is(&all)).await.unwrap();
        assert_eq!(engine.cash_of("Card", "USD").await, "-11");
        // Nothing at all is no word on what there was, and neither is what nobody understands.
        let wrong = payment("two", "2026-11-19", "5", Status::Pending);
        for nothing in [&[][..], &[one.clone(), wrong]] {
            work(engine, Part::Accounts, &all_there_is(nothing)).await.unwrap();
            assert_eq!(engine.cash_of("Card", "USD").await, "-11", "{nothing:?}");
        }
        let left = all_there_is(std::slice::from_ref(&one));
        let done = work(engine, Part::Accounts, &left).await.unwrap();
        assert_eq!((done.counts.new, done.counts.changed, done.cancelled), (0, 1, 1));
        let expected = ["b -1 settled", "one -5 pending", "two -5 cancelled"];
        assert_eq!(card(engine).await, expected, "and what is older is left alone");
        assert_eq!(engine.cash_of("Card", "USD").await, "-6");
        let done = work(engine, Part::Accounts, &left).await.unwrap();
        assert_eq!((done.counts.changed, done.cancelled), (0, 0));
        let outcome = outcomes(&engine.session).await.pop().unwrap();
        assert_eq!(outcome, "SUCCEEDED new=0 changed=0 cancelled=0 stored=0 skipped=0");
        let done = work(engine, Part::Accounts, &all_there_is(&[one.clone(), two])).await.unwrap();
        assert_eq!((done.counts.new, done.counts.changed), (0, 1));
        assert_eq!(engine.cash_of("Card", "USD").await, "-11");
        // Taking back the batch that cancelled one brings that back.
        work(engine, Part::Accounts, &left).await.unwrap();
        let list = dashtam::service::import::list(&engine.session).await.unwrap();
        let undone = engine.undo(list.last().unwrap().id).await;
        assert_eq!((undone.removed, undone.restored), (0, 1));
        assert_eq!(engine.cash_of("Card", "USD").await, "-11");
    }))
    .await;
}

/// Refreshes the accounts of a connection through its real provider, at an instant.
async fn refresh_accounts(engine: &Engine, label: &str, now: &str) -> Done {
    let session = &engine.session;
    let clock = Clock::fixed(now.parse().unwrap(), chrono_tz::Tz::UTC);
    let (bench, lease) = (Bench { clock, ..bench(session) }, lease(&session.store).await);
    let all = connections(session).await;
    let connection = all.iter().find(|connection| connection.label.as_str() == label).unwrap();
    let entry = dashtam::provider::named(&connection.provider).unwrap();
    let seed = connection.id.0.cast_unsigned();
    let clock = bench.clock.clone();
    let source = entry.accounts.unwrap()(Setup { seed, clock, line: None, progress: None });
    let job = Job { connection: connection.id, part: Part::Accounts, why: Why::Asked };
    let work = Work { bench: &bench, lease: &lease, connection, job, last: None };
    let done = work.accounts(&source, TimeDelta::zero()).await.unwrap();
    lease.release().await.unwrap();
    done
}

/// The rows of an account: what its source calls each, and its amount.
async fn rows_of(engine: &Engine, account: &str) -> Vec<(String, Dec)> {
    let mut tx = engine.session.store.write().await.unwrap();
    let rows = tx.transactions_of_account(engine.account(account).await).await.unwrap();
    let told = rows.into_iter().map(|row| row.transaction);
    told.map(|row| (row.source_id.unwrap_or_default().to_string(), row.facts.amount)).collect()
}

/// Two people at one bank: it calls their accounts the same, and their rows too.
#[tokio::test]
async fn the_ids_of_one_connection_are_none_of_another() {
    on_each(async |engine| {
        for label in ["Ann", "Ben"] {
            connect(&engine.session, "simulated", label).await;
        }
        let now = "2026-11-21T15:00:00Z";
        for (label, counts) in [("Ann", 3), ("Ben", 3), ("Ann", 0), ("Ben", 0)] {
            let done = refresh_accounts(engine, label, now).await;
            assert_eq!((done.counts.new, done.counts.changed), (counts, 0), "{label}");
            assert!(done.skipped.is_empty(), "{:?}", done.skipped);
        }
        let told = async || {
            let accounts = engine.accounts(TODAY).await.into_iter();
            let told = accounts.map(|row| format!("{}: {}", row.name, row.connection.unwrap()));
            told.collect::<Vec<_>>()
        };
        let all = [
            "Harbor Card: Ann",
            "Harbor Card (Ben): Ben",
            "Individual Brokerage: Ann",
            "Individual Brokerage (Ben): Ben",
        ];
        assert_eq!(told().await, all);
        for account in ["Harbor Card", "Individual Brokerage"] {
            let of_ann = rows_of(engine, account).await;
            let of_ben = rows_of(engine, &format!("{account} (Ben)")).await;
            let ids =
                |rows: &[(String, Dec)]| rows.iter().map(|row| row.0.clone()).collect::<Vec<_>>();
            assert!(!of_ann.is_empty());
            assert_eq!(ids(&of_ann), ids(&of_ben), "the ids are the same");
            assert_ne!(of_ann, of_ben, "the rows are not");
        }
        // Whatever they are called here, they stay the same ones, and rows go on coming to them.
        let ours = engine.account("Harbor Card (Ben)").await;
        engine.edit(Change::RenameAccount(ours, SafeText::new("Blue Card"))).await;
        let later = "2026-11-21T15:02:00Z";
        for label in ["Ben", "Ann"] {
            refresh_accounts(engine, label, later).await;
        }
        assert!(rows_of(engine, "Blue Card").await.len() > 1);
        assert_eq!(told().await.len(), 4);
        // They cannot be made one while both are filled.
        let merge = Change::MergeAccounts { from: ours, into: engine.account("Harbor Card").await };
        let refused = engine.try_edit(merge).await.unwrap_err();
        assert!(refused.to_string().contains("both filled"), "{refused}");
    })
    .await;
}

/// A bank that moves house gives its accounts new ids: they stay what they are.
#[tokio::test]
async fn an_account_with_a_new_id_stays_the_same_account() {
    on_each(async |engine| {
        household(engine).await;
        for (id, row) in [("1", "a"), ("9", "a"), ("9", "b"), ("1", "c")] {
            let rows = vec![deposit(row, "2026-11-18", "5")];
            let fake = Fake { rows, id: Some(id), ..Fake::default() };
            work(engine, Part::Accounts, &fake).await.unwrap();
        }
        let accounts = engine.accounts(TODAY).await;
        let names: Vec<_> = accounts.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["Broker"]);
        assert_eq!(rows_of(engine, "Broker").await.len(), 5, "two of the file, a, b and c");
    })
    .await;
}

/// Two accounts of one bank may call rows alike, so one cannot become the other.
#[tokio::test]
async fn accounts_of_one_connection_are_not_merged() {
    on_each(async |engine| {
        connect(&engine.session, "simulated", "Ann").await;
        for (id, name) in [("1", "One"), ("2", "Two")] {
            let fake = Fake { id: Some(id), name: Some(name), ..Fake::default() };
            work(engine, Part::Accounts, &fake).await.unwrap();
        }
        let (from, into) = (engine.account("One").await, engine.account("Two").await);
        let refused = engine.try_edit(Change::MergeAccounts { from, into }).await.unwrap_err();
        assert!(refused.to_string().contains("both filled"), "{refused}");
    })
    .await;
}

/// The same id and the opposite amount on one day: at two banks that is no move from one to the
/// other.
#[tokio::test]
async fn a_common_id_links_rows_of_one_connection_only() {
    on_each(async |engine| {
        for (label, amount) in [("Ann", "5"), ("Ben", "-5")] {
            connect(&engine.session, "simulated", label).await;
            let mut row = deposit("a", "2026-11-18", amount);
            if amount.starts_with('-') {
                row.row.what = EntryType::One(Subtype::Withdrawal);
            }
            let fake = Fake { rows: vec![row], ..Fake::default() };
            let done = work_of(engine, label, Part::Accounts, &fake).await.unwrap();
            assert_eq!(done.counts.new, 1, "{:?}", done.skipped);
        }
        let mut tx = engine.session.store.write().await.unwrap();
        let rows = tx.transactions_by_source(&[&SafeText::new("a")]).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.transaction.link.is_none()), "{rows:?}");
        assert_ne!(rows[0].transaction.account, rows[1].transaction.account);
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_is_said_and_asked_for_again() {
    on_each(async |engine| {
        household(engine).await;
        // Two securities of one symbol: the ledger cannot tell which is meant.
        let twins = "date,account,type,symbol,quantity,price,fee,currency,amount,venue\n\
            2026-11-04,Broker,BUY,T,1,1,,USD,-1,XNAS\n2026-11-04,Broker,BUY,T,1,1,,USD,-1,XTSE\n";
        engine.import(&[("twins.csv", twins)]).await;
        let mut doubtful = deposit("a", "2026-11-18", "5");
        doubtful.row.what = EntryType::One(Subtype::Dividend);
        doubtful.row.symbol = Some(Mention::parse("T").unwrap());
        let rows = vec![doubtful, deposit("b", "2026-11-19", "7")];
        let fake = Fake { rows, ..Fake::default() };
        let done = work(engine, Part::Accounts, &fake).await.unwrap();
        assert_eq!((done.counts.new, done.skipped.len()), (1, 1), "{:?}", done.skipped);
        let mut tx = engine.session.store.read().await.unwrap();
        let told = report::connections(&mut tx, 0).await.unwrap().remove(0).why.unwrap();
        assert!(told.as_str().starts_with("a: "), "{told}");
        drop(tx);
        // The same again brings nothing, and says so all the same.
        work(engine, Part::Accounts, &fake).await.unwrap();
        let before = "2026-11-18T08:59:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(*fake.since.lock().unwrap(), Some(before));
        let mut tx = engine.session.store.read().await.unwrap();
        assert!(report::connections(&mut tx, 0).await.unwrap()[0].why.is_some());
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_back_is_asked_for_again() {
    on_each(async |engine| {
        household(engine).await;
        let rows = vec![deposit("a", "2026-11-18", "5"), deposit("b", "2026-11-19", "7")];
        let fake = Fake { rows, ..Fake::default() };
        work(engine, Part::Accounts, &fake).await.unwrap();
        engine.undo(engine.last_batch().await).await;
        assert_eq!(engine.cash_of("Broker", "USD").await, "500");
        let done = work(engine, Part::Accounts, &fake).await.unwrap();
        let before = "2026-11-18T08:59:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(*fake.since.lock().unwrap(), Some(before));
        assert_eq!(done.counts.new, 2);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_ran_ahead_hides_no_rows() {
    on_each(async |engine| {
        household(engine).await;
        let fake = Fake::default();
        work(engine, Part::Accounts, &fake).await.unwrap();
        work(engine, Part::Accounts, &fake).await.unwrap();
        let minute = clock().now() - TimeDelta::seconds(60);
        assert_eq!(*fake.since.lock().unwrap(), Some(minute));
        let mut tx = engine.session.store.write().await.unwrap();
        let mut record = tx.refreshes().await.unwrap().remove(0);
        record.succeeded = record.succeeded.map(|at| at + 3_600_000_000);
        tx.put_refresh(&record).await.unwrap();
        tx.commit("ahead", "refresh", 0).await.unwrap();
        work(engine, Part::Accounts, &fake).await.unwrap();
        assert_eq!(*fake.since.lock().unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_for_a_while() {
    on_each(async |engine| {
        let connection = household(engine).await;
        let before = engine.dump().await;
        let until = clock().now() + TimeDelta::hours(2);
        let away = Error::Unavailable(SafeText::new("no answer within 30 seconds"));
        for (error, failures, pause) in [
            (away.clone(), 1, Some(15)),
            (away, 2, Some(30)),
            (Error::RateLimited(until), 3, Some(7200)),
        ] {
            let done = work(engine, Part::Quotes, &Fake::failing(error)).await.unwrap();
            let now = clock().now().timestamp_micros();
            assert_eq!(done.next_attempt.map(|at| (at - now) / 1_000_000), pause);
            let kept = engine.session.store.read().await.unwrap().refreshes().await.unwrap();
            assert_eq!(kept[0].failures, failures);
        }
        assert_eq!(connections(&engine.session).await[0].state, ConnectionState::Active);
        work(engine, Part::Accounts, &Fake::failing(Error::Consent)).await.unwrap();
        let now = connections(&engine.session).await.remove(0);
        assert_eq!((now.id, now.state), (connection.id, ConnectionState::Revoked));
        assert_eq!(engine.dump().await, before, "nothing of the facts has changed");
        // It is not asked again, and its owner is told.
        let summary =
            bench(&engine.session).refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
        assert_eq!(summary.outcome, Outcome::Failed);
        let told: Vec<_> = outcomes(&engine.session).await;
        let right = ["later", "later", "later", "reauthorize"];
        assert_eq!(told, right.map(|word| format!("FAILED {word}")));
    })
    .await;
}

/// F57: given up at any time, as by a key: no session of a server is left in a transaction, and what
/// comes next is in none of before.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_given_up_leaves_no_transaction_behind() {
    const OPEN: &str = "select count(*) from pg_stat_activity \
         where datname = current_database() and state like 'idle in transaction%'";
    let times =
        if std::env::var("DASHTAM_FULL").is_ok_and(|value| value == "1") { 500 } else { 25 };
    on_each(async |engine| {
        let connection = household(engine).await;
        let store = &engine.session.store;
        let (bench, held) = (bench(&engine.session), lease(store).await);
        let job = Job { connection: connection.id, part: Part::Accounts, why: Why::Asked };
        let given_up =
            Work { bench: &bench, lease: &held, connection: &connection, job, last: None };
        let told = |number: u64| Fake {
            rows: (0..=number).map(|at| deposit(&format!("n{at}"), "2026-11-18", "5")).collect(),
            ..Fake::default()
        };
        for number in 0..times {
            let wait = Duration::from_micros(number * 397 % 20_000);
            let fake = told(number);
            let done = given_up.accounts(&fake, TimeDelta::seconds(60));
            let _ = tokio::time::timeout(wait, done).await;
        }
        // What was given up comes to its own end.
        if let Store::Postgres(pool) = store {
            let begun = std::time::Instant::now();
            while sqlx::query_scalar::<_, i64>(OPEN).fetch_one(pool).await.unwrap() > 0 {
                assert!(begun.elapsed() < Duration::from_secs(10), "a transaction is left open");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        for _ in 0..times {
            store.revision().await.unwrap();
        }
        held.release().await.unwrap();
        work(engine, Part::Accounts, &told(times - 1)).await.unwrap();
        let cash = (500 + 5 * times).to_string();
        assert_eq!(engine.cash_of("Broker", "USD").await, cash, "each row once");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_lost_waits_for_its_owner() {
    let engine = sqlite().await;
    let lost = household(&engine).await;
    let mut tx = engine.session.store.write().await.unwrap();
    tx.update_connection(&Connection { state: ConnectionState::Failed, ..lost }).await.unwrap();
    tx.commit("lost", "refresh", 0).await.unwrap();
    let bench = bench(&engine.session);
    let summary = bench.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
    assert_eq!(summary.outcome, Outcome::Failed);
    assert_eq!(summary.connections[0].class, Some(Class::Reauthorize));
    engine.close().await;
}

fn trail_of(engine: &Engine) -> AuditTarget {
    match &engine.session.store {
        Store::Sqlite(_) => AuditTarget::Sqlite(engine.folder().join("audit.db")),
        Store::Postgres(_) => target(&engine.config),
    }
}

#[tokio::test]
async fn a_crash_between_attempt_and_commit_is_known_at_the_next_start() {
    for engine in engines().await {
        household(&engine).await;
        let before = engine.dump().await;
        // The work dies with the attempt in the trail and nothing in the store.
        let fake = Fake { panics: true, ..Fake::default() };
        let session = engine.session.clone();
        let crash = async {
            let (bench, lease) = (bench(&session), lease(&session.store).await);
            let connection = connections(&session).await.remove(0);
            let job = Job { connection: connection.id, part: Part::Accounts, why: Why::First };
            let work =
                Work { bench: &bench, lease: &lease, connection: &connection, job, last: None };
            work.accounts(&fake, TimeDelta::zero()).await.map(drop)
        };
        let crashed = Box::pin(futures_catch(crash)).await;
        assert!(crashed, "it was meant to");
        assert_eq!(outcomes(&engine.session).await, [""; 0]);
        let trail = AuditStore::open(&trail_of(&engine)).await.unwrap();
        assert_eq!(trail.open_attempts(0).await.unwrap().len(), 1);
        trail.close().await;
        let place = Place::of(&engine.config, &trail_of(&engine));
        let store = &engine.session.store;
        let again = Audit::open(&trail_of(&engine), store, &clock(), place).await.unwrap();
        assert_eq!(outcomes(&engine.session).await, ["FAILED reason=interrupted"]);
        again.close().await;
        assert_eq!(engine.dump().await, before);
        // The lease went with it, and a healthy refresh brings what was missed.
        let fake = Fake { rows: vec![deposit("a", "2026-11-18", "5")], ..Fake::default() };
        let done = work(&engine, Part::Accounts, &fake).await.unwrap();
        assert_eq!(done.counts.new, 1);
        engine.close().await;
    }
}

/// Whether it panicked.
async fn futures_catch(work: impl Future) -> bool {
    let mut work = std::pin::pin!(work);
    let poll = std::future::poll_fn(|context| {
        let polled = std::panic::AssertUnwindSafe(|| work.as_mut().poll(context));
        match std::panic::catch_unwind(polled) {
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Ok(std::task::Poll::Ready(_)) => std::task::Poll::Ready(false),
            Err(_) => std::task::Poll::Ready(true),
        }
    });
    poll.await
}

#[tokio::test]
async fn who_lost_the_lease_stores_nothing() {
    let engine = sqlite().await;
    household(&engine).await;
    let session = &engine.session;
    let (bench, lease) = (bench(session), lease(&session.store).await);
    std::fs::remove_file(engine.folder().join("dashtam.db-refresh")).unwrap();
    let connection = connections(session).await.remove(0);
    let before = engine.revision().await;
    for part in [Part::Accounts, Part::Quotes] {
        let job = Job { connection: connection.id, part, why: Why::Asked };
        let work = Work { bench: &bench, lease: &lease, connection: &connection, job, last: None };
        let wanted = WantedAll::read(&session.store, TODAY).await.unwrap();
        let fake = Fake {
            spots: vec![Ok(spot("51"))],
            rows: vec![deposit("a", "2026-11-18", "5")],
            ..Fake::default()
        };
        let done = match part {
            Part::Accounts => work.accounts(&fake, TimeDelta::zero()).await,
            _ => work.quotes(&fake, &wanted).await,
        };
        let error = done.map(drop).unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
    }
    assert_eq!(engine.revision().await, before);
    assert_eq!(outcomes(session).await, ["FAILED lease", "FAILED lease"]);
    engine.close().await;
}

#[tokio::test]
async fn the_household_is_refreshed_and_then_nothing_is_due() {
    let (session, folder) = demo::open(&clock()).await.unwrap();
    let engine = Engine::around(session, folder);
    let mine = Bench { cadence: demo::CADENCE, ..bench(&engine.session) };
    let first = mine.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
    assert_eq!(first.outcome, Outcome::Ok);
    let told = &first.connections[0];
    assert_eq!((told.accounts, told.new, told.changed), (2, 3, 0));
    assert_eq!((first.quotes.requested, first.quotes.stored), (14, 12));
    let second = mine.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
    assert_eq!((second.outcome, second.revision), (Outcome::NothingDue, first.revision));
    // Of the same moment the same rows, however often.
    let force = Wish { force: true, ..Wish::default() };
    let third = mine.refresh_once(&force, Duration::ZERO).await.unwrap();
    assert_eq!((third.connections[0].new, third.connections[0].changed), (0, 0));
    assert_eq!(engine.damage().await, [""; 0]);
    let differences = dashtam::service::rebuild::check(&engine.session).await.unwrap();
    assert_eq!(differences, [""; 0]);
    // Days later the days between are there too.
    let later = Clock::fixed("2026-11-24T09:00:00Z".parse().unwrap(), chrono_tz::UTC);
    let later = Bench { clock: later, ..mine };
    let summary = later.refresh_once(&Wish::default(), Duration::ZERO).await.unwrap();
    assert_eq!(summary.outcome, Outcome::Ok);
    let mut tx = engine.session.store.read().await.unwrap();
    let wanted =
        WantedAll::read(&engine.session.store, "2026-11-24".parse().unwrap()).await.unwrap();
    let known = wanted.securities.iter().filter_map(|security| security.wanted.last);
    // The price of a row does not move with the closes that came meanwhile.
    assert_eq!(summary.connections[0].changed, 0);
    let newest: Vec<_> = known.map(|last| last.date.to_string()).collect();
    assert_eq!(newest.iter().filter(|day| *day == "2026-11-23").count(), 12, "{newest:?}");
    let rates = tx.rates_latest("2026-11-24".parse().unwrap()).await.unwrap();
    assert_eq!(rates[0].source.as_str(), "simulated");
    drop(tx);
    engine.close().await;
}

#[tokio::test]
async fn a_second_refresh_waits_and_then_says_who() {
    let engine = sqlite().await;
    household(&engine).await;
    let held = lease(&engine.session.store).await;
    let bench = bench(&engine.session);
    let summary = bench.refresh_once(&Wish::default(), Duration::from_millis(300)).await.unwrap();
    let Outcome::Locked(Some(holder)) = &summary.outcome else { panic!("{summary:?}") };
    assert_eq!((holder.host.as_str(), holder.pid), ("here", 1));
    assert!(outcomes(&engine.session).await.is_empty(), "not even an attempt");
    // Given back meanwhile, it is taken over.
    let wish = Wish::default();
    let waiting = bench.refresh_once(&wish, Duration::from_secs(20));
    let give_back = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        held.release().await.unwrap();
    };
    let (summary, ()) = tokio::join!(waiting, give_back);
    assert_ne!(summary.unwrap().outcome, Outcome::NothingDue);
    engine.close().await;
}

// ---- what scripts may rely on

/// Adds a connection to the store of a machine.
fn connected(home: &Home, provider: &str, label: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = open(home).await;
        connect(&session, provider, label).await;
        session.close().await;
    });
}

async fn open(home: &Home) -> Session {
    let flags = Overrides { data_dir: Some(home.data()), ..Overrides::default() };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    Session::open(&config, &Clock::system(chrono_tz::UTC), Access::Write).await.unwrap()
}

#[test]
fn the_document_has_its_promised_shape() {
    let home = Home::new();
    let document = home.json(&["--demo", "--refresh-only"]);
    assert_eq!(
        keys(&document),
        sorted("schema started finished result connections quotes revision")
    );
    assert_eq!(
        (&document["schema"], &document["result"]),
        (&"dashtam.refresh/1".into(), &"ok".into())
    );
    for time in ["started", "finished"] {
        let time = document[time].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<DateTime<Utc>>().is_ok(), "{time}");
    }
    let connection = &document["connections"][0];
    let promised = "id provider result class accounts transactions_new transactions_changed \
         skipped consent_expires next_attempt";
    assert_eq!(keys(connection), sorted(promised));
    assert_eq!(connection["transactions_new"], 3);
    assert_eq!((&connection["class"], &connection["next_attempt"]), (&Value::Null, &Value::Null));
    let quotes = &document["quotes"];
    assert_eq!(keys(quotes), ["requested", "skipped", "stored"]);
    assert_eq!((&quotes["requested"], &quotes["stored"]), (&14.into(), &12.into()));
    assert_eq!(keys(&quotes["skipped"][0]), ["what", "why"]);
    assert_eq!(quotes["skipped"][0]["what"], "OLPC");
    assert!(std::fs::read_dir(home.root.path()).unwrap().next().is_none(), "nothing is left");
    let shown = home.run(&["--demo", "--refresh-only"]);
    assert!(shown.out.contains("Simulated") && shown.out.contains("12 of 14 prices stored"));
    assert!(shown.err.contains("left out: OLPC: no price"), "{shown:?}");
}

#[test]
fn what_a_killed_demo_left_goes_at_the_next_start() {
    let home = Home::new();
    let folder = |name: &str, mode| {
        let path = home.root.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("dashtam.db"), "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let killed = folder("dashtam-demo-killed", 0o700);
    let running = std::fs::File::open(folder("dashtam-demo-running", 0o700)).unwrap();
    running.try_lock().unwrap();
    folder("dashtam-demo-open", 0o755);
    std::os::unix::fs::symlink(folder("else", 0o700), home.root.path().join("dashtam-demo-link"))
        .unwrap();
    home.run(&["--demo", "--refresh-only"]);
    assert!(!killed.exists());
    let left = std::fs::read_dir(home.root.path()).unwrap();
    let mut left: Vec<_> =
        left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    let right = ["dashtam-demo-link", "dashtam-demo-open", "dashtam-demo-running", "else"];
    assert_eq!(left, right);
    assert!(home.root.path().join("else/dashtam.db").exists());
    drop(running);
}

#[test]
fn a_store_without_connections_has_nothing_to_refresh() {
    let home = Home::new();
    for line in [&["--refresh-only"][..], &["refresh", "--force"]] {
        let ran = home.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "nothing is due\n"));
        assert!(ran.err.contains("no connection"), "{ran:?}");
        assert_eq!(home.json(line)["result"], "nothing_due");
    }
    home.say("refresh --connection Bank").refused(2, "Bank");
    for line in ["--refresh-only --read-only", "refresh --read-only"] {
        home.say(line).refused(2, "--read-only");
    }
    home.say("--refresh-only report accounts").refused(2, "--refresh-only");
    home.say("refresh --quotes-only --accounts-only").refused(2, "--accounts-only");
    home.say("--wait 5").refused(2, "--refresh-only");
}

#[test]
fn each_end_of_a_refresh_has_its_code() {
    let home = Home::new();
    home.ok(&["settings", "set", "base_currency", "USD"]);
    connected(&home, "acme", "Old");
    let failed = home.run(&["--refresh-only", "--json"]);
    assert_eq!(failed.code, Some(5), "{failed:?}");
    let document: Value = serde_json::from_str(&failed.out).unwrap();
    assert_eq!(document["result"], "failed");
    assert_eq!(document["connections"][0]["class"], "never");
    assert!(document["connections"][0]["next_attempt"].is_string());
    assert!(failed.err.contains("Old: ") && failed.err.contains("acme"), "{failed:?}");
    connected(&home, "simulated", "New");
    let partial = home.run(&["refresh", "--force", "--json"]);
    assert_eq!(partial.code, Some(3), "{partial:?}");
    let document: Value = serde_json::from_str(&partial.out).unwrap();
    assert_eq!(document["result"], "partial");
    assert_eq!(document["connections"][1]["result"], "ok");
    // One of them, by name.
    let one = home.json(&["refresh", "--force", "--connection", "New", "--accounts-only"]);
    assert_eq!((one["connections"].as_array().unwrap().len(), &one["result"]), (1, &"ok".into()));
    assert_eq!(one["quotes"]["requested"], 0);
    assert_eq!(home.json(&["refresh", "--connection", "New"])["result"], "nothing_due");
}

#[test]
fn a_second_one_ends_with_8_and_says_who_refreshes() {
    let home = Home::new();
    home.ok(&["settings", "set", "base_currency", "USD"]);
    connected(&home, "simulated", "New");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = open(&home).await;
        let held = lease(&session.store).await;
        let start = std::time::Instant::now();
        let locked = home.run(&["--refresh-only", "--wait", "1", "--json"]);
        assert!(start.elapsed() >= Duration::from_secs(1));
        assert_eq!(locked.code, Some(8), "{locked:?}");
        let document: Value = serde_json::from_str(&locked.out).unwrap();
        assert_eq!(document["result"], "locked");
        assert!(locked.err.contains("process 1 on here"), "{locked:?}");
        held.release().await.unwrap();
        let free = home.run(&["refresh", "--wait", "0"]);
        assert_eq!(free.code, Some(0), "{free:?}");
        session.close().await;
    });
}

/// Whenever somebody asks, a round begins for it or they are told; however seldom they look, the answer to
/// it is there. A gate in front of each round says which one runs.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_while_a_round_runs_or_ends_is_answered() {
    for engine in engines().await {
        household(&engine).await;
        let (gate, reached) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (mine, at_gate) = (Arc::clone(&gate), Arc::clone(&reached));
        let unlock: Unlock = Box::new(move || {
            let (gate, reached) = (Arc::clone(&mine), Arc::clone(&at_gate));
            Box::pin(async move {
                reached.add_permits(1);
                gate.acquire().await.unwrap().forget();
                Err(SafeText::new("nobody has it"))
            })
        });
        let mut refresher = Refresher::start(bench(&engine.session), Some(unlock));
        let pass = async |rounds: usize| {
            gate.add_permits(rounds);
            reached.acquire().await.unwrap().forget();
        };
        // The first, which begins by itself, is under way.
        pass(0).await;
        assert!(refresher.ask(), "it hears");
        assert!(refresher.progress.borrow().answer.is_none());
        // It has ended, and the one that was asked for is under way; what is due is looked for behind it.
        pass(1).await;
        refresher.look();
        // Nobody looks while it ends: the next one has begun by then, and ends too.
        pass(1).await;
        gate.add_permits(1);
        let done = refresher.progress.wait_for(|it| it.rounds >= 3 && !it.running);
        let progress = done.await.unwrap().clone();
        let (number, how) = progress.answer.unwrap();
        assert_eq!(number, 2, "on {}", engine.name);
        assert_eq!(how.unwrap().connections[0].outcome, Outcome::Ok, "it was asked, due or not");
        refresher.stop().await;
        engine.close().await;
    }
}

/// A key that cannot be had keeps nobody waiting who needs none, it is said, and looked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_refreshes_without_a_key_and_finds_it_later() {
    let home = Home::new();
    home.ok(&["vault", "init", "--no-passphrase"]);
    let identity = home.path("identity");
    let variables = [("DASHTAM_IDENTITY_FILE", identity.to_str().unwrap())];
    let flags = Overrides { data_dir: Some(home.data()), ..Overrides::default() };
    let config = Config::load(&flags, &Environment::new(variables)).unwrap();
    let clock = Clock::system(chrono_tz::UTC);
    let session = Session::open(&config, &clock, Access::Write).await.unwrap();
    for (provider, label) in [("simulated", "Sim"), ("simplefin", "Bank")] {
        connect(&session, provider, label).await;
    }
    let mut refresher = start(&session, &How::of(&config)).expect("there is something to do");
    let mut round = async |number: u64| {
        let done = refresher.progress.wait_for(|it| it.rounds >= number && !it.running);
        let progress = done.await.unwrap().clone();
        refresher.ask();
        let told = progress.last.unwrap().connections;
        let of = |label: &str| {
            let found = told.iter().find(|it| it.connection.label.as_str() == label).unwrap();
            (found.outcome.clone(), found.is_locked, found.why.clone().unwrap_or_default())
        };
        (of("Sim"), of("Bank"))
    };
    let (sim, bank) = round(1).await;
    assert_eq!((sim.0, bank.1), (Outcome::Ok, true));
    assert!(bank.2.contains("identity"), "{}", bank.2);
    std::fs::copy(home.data().join("vault/key"), &identity).unwrap();
    std::fs::set_permissions(&identity, std::fs::Permissions::from_mode(0o600)).unwrap();
    // One may have begun before.
    let (_, bank) = {
        round(2).await;
        round(3).await
    };
    assert!(!bank.1, "{}", bank.2);
    refresher.stop().await;
    session.close().await;
}
