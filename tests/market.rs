//! Prices from outside: how far back they are asked for and what is stored of them, what is asked of
//! whom, and what is not asked again and again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dashtam::clock::Clock;
use dashtam::ledger;
use dashtam::model::{
    Change, Connection, Currency, Dec, Mention, OpId, Part, SafeText, SourceBar, WatchEdit,
};
use dashtam::provider::{DayBar, DayClose, Error, MarketSource, Pair, Result, Spot, Wanted};
use dashtam::refresh::{Bench, Cadence, Done, Job, Only, Outside, WantedAll, Why, Wish, Work};
use dashtam::report::{self, FindingRow, Proposed};
use dashtam::service::edit::take_back;
use dashtam::store::{Holder, Lease, RefreshRecord, Store};
use support::engines::{Engine, TODAY, on_each};

const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
    2025-03-02,Broker,DEPOSIT,,,,,USD,1000\n\
    2025-03-03,Broker,BUY,X,10,50,,USD,-500\n";
const NOW: &str = "2026-11-20T12:00:00Z";

/// Tells the bars that a test wants told, of the days it is asked for.
#[derive(Default)]
struct Fake {
    bars: Vec<DayBar>,
    /// What something costs now.
    spots: Vec<(&'static str, Spot)>,
    /// What it says where it is asked for the nth time, from 1 on.
    fails_at: Option<usize>,
    asked: Mutex<Vec<String>>,
}

impl Fake {
    fn telling(bars: &[(&str, &str)]) -> Self {
        Self { bars: bars.iter().map(|(day, close)| bar(day, close)).collect(), ..Self::default() }
    }

    /// What it was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl MarketSource for Fake {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        let names: Vec<_> = wanted.iter().map(|wanted| wanted.symbol.to_string()).collect();
        self.asked.lock().unwrap().push(names.join(" "));
        let spot = |wanted: &Wanted| {
            let told = self.spots.iter().find(|(name, _)| *name == wanted.symbol.as_str());
            told.map(|(_, spot)| *spot).ok_or_else(|| Error::NoData(wanted.symbol.clone()))
        };
        Ok(wanted.iter().map(spot).collect())
    }

    async fn bars(&self, wanted: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayBar>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(format!("{} {from} {to}", wanted.symbol));
        if self.fails_at == Some(asked.len()) {
            return Err(Error::Unavailable(SafeText::new("it fell")));
        }
        let is_of = |bar: &&DayBar| (from..=to).contains(&bar.close.date);
        Ok(self.bars.iter().filter(is_of).copied().collect())
    }

    async fn rates(&self, pair: &Pair, _: NaiveDate, _: NaiveDate) -> Result<Vec<DayClose>> {
        Err(Error::NoData(SafeText::new(pair.base.code())))
    }
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn bar(day: &str, close: &str) -> DayBar {
    let (date, close) = (day.parse().unwrap(), dec(close));
    DayBar::from(DayClose { date, close, currency: Currency::USD })
}

fn bench(engine: &Engine, now: &str) -> Bench {
    let cadence = Cadence { quotes: TimeDelta::seconds(60), accounts: TimeDelta::minutes(15) };
    Bench {
        store: engine.session.store.clone(),
        audit: engine.session.audit().unwrap().clone(),
        clock: Clock::fixed(now.parse().unwrap(), chrono_tz::UTC),
        cadence,
        outside: Outside::default(),
    }
}

async fn lease(store: &Store) -> Lease {
    let holder = Holder { host: SafeText::new("here"), pid: 1, since: 0 };
    store.try_lease(&holder).await.unwrap().expect("nobody else has it")
}

async fn connect(engine: &Engine, provider: &str) {
    let store = &engine.session.store;
    ledger::connect(store, provider, &SafeText::new(provider), None, OpId::at(0), 0).await.unwrap();
}

async fn connection(engine: &Engine, provider: &str) -> Connection {
    let all = engine.session.store.read().await.unwrap().connections().await.unwrap();
    all.into_iter().find(|it| it.provider.as_str() == provider).unwrap()
}

/// A store with ten X since March 2025 and a connection.
async fn household(engine: &Engine) {
    engine.import(&[("rows.csv", ROWS)]).await;
    connect(engine, "alpaca").await;
}

/// Does one job of a connection at an instant.
async fn work(engine: &Engine, part: Part, why: Why, now: &str, fake: &Fake) -> Done {
    let (bench, store) = (bench(engine, now), &engine.session.store);
    let (lease, connection) = (lease(store).await, connection(engine, "alpaca").await);
    let job = Job { connection: connection.id, part, why };
    let work = Work { bench: &bench, lease: &lease, connection: &connection, job, last: None };
    let wanted = WantedAll::read(store, bench.clock.today()).await.unwrap();
    let done = match part {
        Part::Quotes => work.quotes(fake, &wanted).await,
        _ => work.history(fake, &wanted).await,
    };
    lease.release().await.unwrap();
    done.unwrap()
}

async fn history(engine: &Engine, now: &str, fake: &Fake) -> Done {
    work(engine, Part::History, Why::NewDay, now, fake).await
}

/// The bars of X.
async fn bars(engine: &Engine) -> Vec<SourceBar> {
    let mut tx = engine.session.store.read().await.unwrap();
    let securities = tx.securities().await.unwrap();
    let x = securities.iter().find(|row| row.security.symbol.as_str() == "X").unwrap();
    tx.daily_bars(x.security.id, "2000-01-01".parse().unwrap(), TODAY).await.unwrap()
}

fn closes(bars: &[SourceBar]) -> Vec<String> {
    bars.iter().map(|told| format!("{} {}", told.bar.date, told.bar.close)).collect()
}

fn why(done: &Done) -> Vec<String> {
    done.skipped.iter().map(|skip| format!("{}: {}", skip.what, skip.why)).collect()
}

#[tokio::test]
async fn a_bar_is_stored_whole() {
    on_each(async |engine| {
        household(engine).await;
        let (open, high, low) = (Some(dec("49")), Some(dec("52.5")), Some(dec("48.75")));
        let volume = Some(dec("31004500000.5"));
        let whole = DayBar { open, high, low, volume, ..bar("2026-11-18", "50") };
        // The highest of a day is not below its lowest.
        let wrong = DayBar { high: Some(dec("48")), ..whole };
        let wrong = DayBar { close: bar("2026-11-19", "51").close, ..wrong };
        let fake = Fake { bars: vec![whole, wrong], ..Fake::default() };
        let done = history(engine, NOW, &fake).await;
        assert_eq!(done.stored, 2);
        let said = "X: 1 of its bars contradict themselves, the first of 2026-11-19; only their closes are kept";
        assert_eq!(why(&done), [said]);
        let told = bars(engine).await;
        assert_eq!(closes(&told), ["2026-11-18 50", "2026-11-19 51"]);
        let parts = |nth: usize| {
            let bar = &told[nth].bar;
            (bar.open, bar.high, bar.low, bar.volume)
        };
        assert_eq!(parts(0), (open, high, low, volume));
        assert_eq!(parts(1), (None, None, None, volume));
        assert!(told.iter().all(|told| !told.split_adjusted && told.source.as_str() == "alpaca"));
    })
    .await;
}

#[tokio::test]
async fn a_chart_has_the_year_before_the_first_row_and_no_day_is_asked_for_twice() {
    on_each(async |engine| {
        household(engine).await;
        let days = [("2024-03-04", "30"), ("2026-11-18", "50"), ("2026-11-19", "51")];
        let fake = Fake::telling(&days);
        assert_eq!(history(engine, NOW, &fake).await.stored, 3);
        // By hand: 366 days before the third of March 2025.
        assert_eq!(fake.asked(), ["X 2024-03-02 2026-11-19"], "in one question");
        // The last day may not have been over; before the first there is nothing, which is believed.
        assert_eq!(history(engine, NOW, &fake).await.stored, 1);
        assert_eq!(fake.asked(), ["X 2024-03-02 2024-03-03", "X 2026-11-19 2026-11-19"]);
        history(engine, "2026-11-21T12:00:00Z", &fake).await;
        assert_eq!(fake.asked(), ["X 2026-11-19 2026-11-20"]);
        history(engine, "2026-11-28T12:00:00Z", &fake).await;
        assert_eq!(fake.asked(), ["X 2024-03-02 2024-03-03", "X 2026-11-19 2026-11-27"]);
        // Rows that are brought in later need days before.
        let older = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2023-01-03,Broker,BUY,X,1,20,,USD,-20\n";
        engine.import(&[("older.csv", older)]).await;
        let fake = Fake::telling(&[&[("2022-06-01", "20")], &days[..]].concat());
        history(engine, "2026-11-29T12:00:00Z", &fake).await;
        assert_eq!(fake.asked(), ["X 2022-01-02 2024-03-03", "X 2026-11-19 2026-11-28"]);
        let told = closes(&bars(engine).await);
        assert_eq!(told[..2], ["2022-06-01 20", "2024-03-04 30"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_only_looked_at_has_the_last_year() {
    on_each(async |engine| {
        household(engine).await;
        let watch = Change::Watch(Mention::parse("LOOK@USD").unwrap(), WatchEdit::default());
        engine.edit(watch).await;
        let fake = Fake::default();
        history(engine, NOW, &fake).await;
        let asked = fake.asked();
        assert!(asked.contains(&"LOOK 2025-11-19 2026-11-19".to_owned()), "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn what_a_source_does_not_know_is_asked_again_after_six_hours_or_by_hand() {
    on_each(async |engine| {
        household(engine).await;
        let fake = Fake::default();
        let whole = ["X 2024-03-02 2026-11-19"];
        history(engine, NOW, &fake).await;
        assert_eq!(fake.asked(), whole);
        // What is remembered is in the store: another process knows it, too.
        history(engine, "2026-11-20T17:59:59Z", &fake).await;
        assert_eq!(fake.asked(), [""; 0]);
        work(engine, Part::History, Why::Asked, "2026-11-20T17:59:59Z", &fake).await;
        assert_eq!(fake.asked(), whole);
        history(engine, "2026-11-20T23:59:58Z", &fake).await;
        assert_eq!(fake.asked(), [""; 0]);
        history(engine, "2026-11-20T23:59:59Z", &fake).await;
        assert_eq!(fake.asked(), whole);
    })
    .await;
}

#[tokio::test]
async fn a_first_history_that_is_cut_off_keeps_what_was_told() {
    on_each(async |engine| {
        let two = format!("{ROWS}2025-03-03,Broker,BUY,Y,10,5,,USD,-50\n");
        engine.import(&[("rows.csv", &two)]).await;
        connect(engine, "alpaca").await;
        let fake = Fake { fails_at: Some(2), ..Fake::telling(&[("2026-11-19", "51")]) };
        let done = history(engine, NOW, &fake).await;
        assert_eq!(
            (done.stored, done.error.is_some(), done.next_attempt.is_some()),
            (1, true, true)
        );
        let refreshes = engine.session.store.read().await.unwrap().refreshes().await.unwrap();
        assert_eq!((refreshes[0].failures, refreshes[0].succeeded), (1, None));
        assert_eq!(closes(&bars(engine).await), ["2026-11-19 51"]);
    })
    .await;
}

/// A split that its row does not tell yet, or a crash: a day later it is known for what it is.
#[tokio::test]
async fn a_jump_that_the_next_day_bears_out_is_not_lost() {
    on_each(async |engine| {
        household(engine).await;
        let mut days = vec![("2026-11-16", "100"), ("2026-11-17", "25")];
        let done = history(engine, "2026-11-18T12:00:00Z", &Fake::telling(&days)).await;
        assert_eq!((done.stored, why(&done).len()), (1, 1), "nobody knows yet: {:?}", why(&done));
        days.push(("2026-11-18", "26"));
        let done = history(engine, "2026-11-19T12:00:00Z", &Fake::telling(&days)).await;
        assert_eq!(why(&done), [""; 0]);
        assert_eq!(
            closes(&bars(engine).await),
            ["2026-11-16 100", "2026-11-17 25", "2026-11-18 26"]
        );
        // One that the next day does not bear out is a mistake.
        days.extend([("2026-11-19", "2600"), ("2026-11-20", "27")]);
        let done = history(engine, "2026-11-21T12:00:00Z", &Fake::telling(&days)).await;
        assert_eq!(why(&done).len(), 1, "{:?}", why(&done));
        let told = closes(&bars(engine).await);
        assert_eq!(told.last().unwrap(), "2026-11-20 27");
        assert_eq!(told.len(), 4);
    })
    .await;
}

/// Another company has the same symbol there: each of its days is near the one before.
#[tokio::test]
async fn a_first_history_is_judged_by_the_price_that_is_known() {
    on_each(async |engine| {
        household(engine).await;
        let prices = "date,symbol,close,currency\n2026-11-18,sec:X,100,USD\n";
        engine.import(&[("prices.csv", prices)]).await;
        let days = [("2026-11-02", "20"), ("2026-11-18", "21"), ("2026-11-19", "21.5")];
        let done = history(engine, NOW, &Fake::telling(&days)).await;
        assert_eq!((done.stored, why(&done).len()), (0, 1), "{:?}", why(&done));
        let waiting = doubtful(engine).await;
        let said = waiting[0].detail.to_string();
        assert_eq!(said, "alpaca tells 21.5 USD, far from 100 of 2026-11-18; it is not taken");
        // Whoever knows better says so.
        let Some(Proposed::AcceptPrice(finding, price)) = waiting[0].proposed else { panic!() };
        engine.edit(Change::AcceptPrice(finding, price)).await;
        let done = history(engine, "2026-11-20T13:00:00Z", &Fake::telling(&days)).await;
        assert_eq!((done.stored, why(&done).len()), (3, 0), "{:?}", why(&done));
    })
    .await;
}

/// On the morning of a split the last that was paid is still of a unit before it.
#[tokio::test]
async fn what_was_paid_before_a_split_of_today_is_no_jump() {
    on_each(async |engine| {
        household(engine).await;
        history(engine, NOW, &Fake::telling(&[("2026-11-19", "100")])).await;
        let split = "date,account,type,symbol,quantity,price,fee,currency,amount,ratio\n\
            2026-11-20,Broker,SPLIT,X,,,,USD,,4:1\n";
        engine.import(&[("split.csv", split)]).await;
        let spots = vec![("X", spot("2026-11-19T21:00:00Z", "100"))];
        let fake = Fake { spots, ..Fake::default() };
        let done = work(engine, Part::Quotes, Why::Elapsed, NOW, &fake).await;
        assert_eq!(why(&done), [""; 0]);
        assert_eq!(done.stored, 1);
    })
    .await;
}

#[tokio::test]
async fn a_price_that_is_not_known_is_asked_again_after_six_hours_or_by_hand() {
    on_each(async |engine| {
        household(engine).await;
        let fake = Fake::default();
        let quotes = async |now: &str, why| work(engine, Part::Quotes, why, now, &fake).await;
        quotes(NOW, Why::Elapsed).await;
        assert_eq!(fake.asked(), ["X"]);
        let done = quotes("2026-11-20T12:01:00Z", Why::Elapsed).await;
        assert_eq!((fake.asked().len(), done.requested, done.skipped[0].wrong), (0, 0, false));
        let said = why(&done);
        assert_eq!(
            said,
            ["X: X: no price is known there; it is asked again from 2026-11-20 18:00 UTC on"]
        );
        quotes("2026-11-20T12:02:00Z", Why::Asked).await;
        assert_eq!(fake.asked(), ["X"], "somebody wants to know");
        // By another name it is another question.
        let x = engine.session.store.read().await.unwrap().securities().await.unwrap().remove(0);
        let named =
            Change::SetSymbol(x.security.id, SafeText::new("alpaca"), Some(SafeText::new("XX")));
        engine.edit(named).await;
        quotes("2026-11-20T12:03:00Z", Why::Elapsed).await;
        assert_eq!(fake.asked(), ["XX"]);
        quotes("2026-11-20T18:03:00Z", Why::Elapsed).await;
        assert_eq!(fake.asked(), ["XX"]);
    })
    .await;
}

/// How many prices are asked for and told by all connections together.
async fn quoted(bench: &Bench) -> (u64, u64) {
    let wish = Wish { only: Some(Only::Quotes), force: true, ..Wish::default() };
    let summary = bench.refresh_once(&wish, Duration::ZERO).await.unwrap();
    (summary.quotes.requested, summary.quotes.stored)
}

/// Both would tell the price of X; of PELA neither knows one.
#[tokio::test]
async fn the_next_source_is_asked_what_the_first_does_not_tell() {
    on_each(async |engine| {
        let rows = format!("{ROWS}2025-03-03,Broker,BUY,PELA,10,5,,USD,-50\n");
        let prices =
            "date,symbol,close,currency\n2026-11-19,sec:X,50,USD\n2026-11-19,sec:PELA,5,USD\n";
        engine.import(&[("rows.csv", &rows), ("prices.csv", prices)]).await;
        // Nothing can be shown to the first of the order, so it is as if it were not there.
        connect(engine, "simulated").await;
        connect(engine, "alpaca").await;
        let store = &engine.session.store;
        let named = |name: &str| SafeText::new(name);
        ledger::connect(store, "simulated", &named("second"), None, OpId::at(0), 0).await.unwrap();
        let sources = Arc::new(vec!["alpaca".to_owned()]);
        let bench = bench(engine, NOW);
        let bench = Bench { outside: Outside { sources, ..Outside::default() }, ..bench };
        assert_eq!(quoted(&bench).await, (3, 1), "the second is asked for PELA alone");
        // One that does not answer is stood in for.
        let first = connection(engine, "simulated").await;
        let mut tx = store.write().await.unwrap();
        let refreshes = tx.refreshes().await.unwrap();
        let is_mine = |row: &&RefreshRecord| row.connection == first.id && row.part == Part::Quotes;
        let last = refreshes.iter().find(is_mine).unwrap().clone();
        tx.put_paused(first.id, Some(1)).await.unwrap();
        tx.commit("pause", "connections.pause", 0).await.unwrap();
        assert_eq!(quoted(&bench).await, (2, 1), "one that rests");
        let mut tx = store.write().await.unwrap();
        tx.put_paused(first.id, None).await.unwrap();
        let later = Some(last.attempted + 60_000_000);
        tx.put_refresh(&RefreshRecord { failures: 1, next_attempt: later, ..last }).await.unwrap();
        tx.commit("fail", "refresh", 0).await.unwrap();
        let second: Vec<_> = store.read().await.unwrap().connections().await.unwrap();
        let second = second.iter().find(|it| it.label.as_str() == "second").unwrap().id;
        let wish = Wish { only: Some(Only::Quotes), force: true, connections: vec![second] };
        let summary = bench.refresh_once(&wish, Duration::ZERO).await.unwrap();
        assert_eq!((summary.quotes.requested, summary.quotes.stored), (2, 1), "one that fails");
    })
    .await;
}

fn spot(at: &str, price: &str) -> Spot {
    let at: DateTime<Utc> = at.parse().unwrap();
    Spot { at, date: at.date_naive(), price: dec(price), currency: Currency::USD }
}

/// What waits to be accepted.
async fn doubtful(engine: &Engine) -> Vec<FindingRow> {
    let mut tx = engine.session.store.read().await.unwrap();
    let all = report::findings(&mut tx, "2026-11-30".parse().unwrap()).await.unwrap();
    all.into_iter().filter(|row| row.kind.as_str() == "price_jump").collect()
}

/// It is seen, accepted with one key, and what is told from then on is taken as its source tells it.
#[tokio::test]
async fn a_price_that_jumps_waits_until_somebody_accepts_it() {
    on_each(async |engine| {
        household(engine).await;
        history(engine, NOW, &Fake::telling(&[("2026-11-19", "100")])).await;
        let now = "2026-11-20T15:00:00Z";
        let telling =
            |at: &str, price: &str| Fake { spots: vec![("X", spot(at, price))], ..Fake::default() };
        let quotes = async |at: &str, price: &str| {
            work(engine, Part::Quotes, Why::Elapsed, at, &telling(at, price)).await
        };
        for price in ["25", "25.5", "25.5"] {
            let done = quotes(now, price).await;
            assert_eq!((done.stored, why(&done).len()), (0, 1));
        }
        let waiting = doubtful(engine).await;
        assert_eq!(waiting.len(), 1, "one, however often it is told: {waiting:?}");
        let said = waiting[0].detail.to_string();
        assert_eq!(said, "alpaca tells 25.5 USD, far from 100 of 2026-11-19; it is not taken");
        assert_eq!(waiting[0].symbol.as_ref().unwrap().as_str(), "X");
        let Some(Proposed::AcceptPrice(finding, price)) = waiting[0].proposed else {
            panic!("{waiting:?}")
        };
        // It was a mistake: it is no more.
        assert_eq!(quotes(now, "101").await.stored, 1);
        assert_eq!(doubtful(engine).await.len(), 0);
        let gone =
            engine.try_edit(Change::AcceptPrice(finding, price)).await.unwrap_err().to_string();
        assert!(gone.contains("no such price waits"), "{gone}");
        // It was none: it is accepted, and near it all is taken, today and tomorrow.
        let (next, later) = ("2026-11-20T16:00:00Z", "2026-11-21T12:00:00Z");
        assert_eq!(quotes(next, "25").await.stored, 0);
        let Some(Proposed::AcceptPrice(finding, price)) = doubtful(engine).await[0].proposed else {
            panic!()
        };
        let other = engine.try_edit(Change::AcceptPrice(finding, dec("24"))).await;
        assert!(other.is_err(), "nobody has seen that one");
        let applied = engine.edit(Change::AcceptPrice(finding, price)).await;
        assert_eq!(doubtful(engine).await.len(), 0);
        take_back(&engine.session, applied.steps).await.unwrap();
        assert_eq!(doubtful(engine).await.len(), 1, "z takes it back");
        // The day before that is told once more neither answers it nor takes the answer back.
        let before = Fake::telling(&[("2026-11-19", "100")]);
        history(engine, next, &before).await;
        let Some(Proposed::AcceptPrice(same, _)) = doubtful(engine).await[0].proposed else {
            panic!()
        };
        assert_eq!(same, finding);
        engine.edit(Change::AcceptPrice(finding, price)).await;
        history(engine, next, &before).await;
        assert_eq!(quotes(next, "26").await.stored, 1);
        let days = [("2026-11-19", "100"), ("2026-11-20", "26.5")];
        let done = history(engine, later, &Fake::telling(&days)).await;
        assert_eq!((done.stored, why(&done).len()), (2, 0), "{:?}", why(&done));
        assert_eq!(closes(&bars(engine).await), ["2026-11-19 100", "2026-11-20 26.5"]);
        // By now it is what the next one is judged by.
        assert_eq!(quotes(later, "100").await.stored, 0);
        assert_eq!(quotes(later, "27").await.stored, 1);
        let open = engine.session.store.read().await.unwrap().findings().await.unwrap();
        assert!(open.iter().all(|it| !it.kind.starts_with("price_jump")), "{open:?}");
    })
    .await;
}
