//! What the chart and the overview are drawn from: bars, movers and the allocation, their figures
//! worked out by hand, on both engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use chrono::NaiveDate;
use dashtam::model::{
    AccountKind, AssetClass, Bar, Change, Currency, Dec, Dimension, Edit, Interval, Mode,
    NewAccount, Price, SafeText, SecurityEdit, SecurityId, Tick, midnight_micros,
};
use dashtam::report::{
    self, Allocation, AllocationQuery, Bars, BarsQuery, Every, MarkKind, Movers, MoversQuery,
    NetWorthQuery, PositionsQuery, TrendsQuery,
};
use dashtam::service::edit::security_named;
use dashtam::store::PriceRecord;
use support::engines::{Engine, on_each};

/// The day on which all of it is looked at.
const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 6, 14).unwrap();
const HEADER: &str =
    "date,account,type,symbol,quantity,price,currency,amount,ratio,fx_rate,multiplier,fee";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

/// Lines that need not be as wide as the header.
fn file(header: &str, lines: &str) -> String {
    let columns = header.split(',').count();
    let wide = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let more = columns - line.split(',').count();
        format!("{line}{}\n", ",".repeat(more))
    });
    format!("{header}\n{}", wide.collect::<String>())
}

async fn import(engine: &Engine, rows: &str, prices: &str) {
    let (rows, quotes) = (file(HEADER, rows), file(PRICES, prices));
    let files = [("rows.csv", rows.as_str()), ("prices.csv", quotes.as_str())];
    // A file of nothing but names of columns is refused.
    let some = if prices.is_empty() { &files[..1] } else { &files };
    engine.import(some).await;
}

const PRICES: &str = "date,symbol,close,currency,open,high,low,volume,source";

async fn id(engine: &Engine, symbol: &str) -> SecurityId {
    security_named(&engine.session, symbol).await.unwrap().id
}

async fn bars(
    engine: &Engine,
    symbol: &str,
    from: Option<&str>,
    to: &str,
    every: Interval,
) -> Bars {
    let security = id(engine, symbol).await;
    let query = BarsQuery { security, from: from.map(day), to: day(to), today: TODAY, every };
    let mut tx = engine.session.store.read().await.unwrap();
    report::bars(&mut tx, &query).await.unwrap()
}

fn or_none(figure: Option<Dec>) -> String {
    figure.map_or("-".to_owned(), |figure| figure.to_string())
}

/// Day, open, high, low, close, volume.
fn lines(bars: &Bars) -> Vec<String> {
    let line = |bar: &Bar| {
        let [open, high, low, volume] = [bar.open, bar.high, bar.low, bar.volume].map(or_none);
        format!("{} {open} {high} {low} {} {volume}", bar.date.format("%m-%d"), bar.close)
    };
    bars.rows.iter().map(line).collect()
}

/// Day, kind, quantity, price, amount.
fn marks(bars: &Bars) -> Vec<String> {
    let line = |mark: &report::Mark| {
        let [quantity, price] = [mark.quantity, mark.price].map(or_none);
        let (date, kind, amount) = (mark.date.format("%m-%d"), mark.kind, mark.amount);
        format!("{date} {kind:?} {quantity} {price} {amount}")
    };
    bars.marks.iter().map(line).collect()
}

fn told(bars: &Bars) -> Vec<String> {
    let line = |told: &report::Told| {
        let (first, last) = (told.first.format("%m-%d"), told.last.format("%m-%d"));
        format!("{} {} {first} {last}", told.source, told.split_adjusted)
    };
    bars.told.iter().map(line).collect()
}

/// X splits 4:1 on Monday the tenth of June 2024; one of two accounts tells of it a day late.
async fn split(engine: &Engine) {
    let rows = "
        2024-06-03,A,BUY,X,5,400,USD
        2024-06-04,B,BUY,X,1,420,USD
        2024-06-10,A,SPLIT,X,,,USD,,4:1
        2024-06-11,B,SPLIT,X,,,USD,,4:1
        2024-06-12,A,SELL,X,4,105,USD
        2024-06-13,A,DIVIDEND,X,,,USD,9";
    let prices = "
        2024-06-03,sec:X,400,USD,396,404,392,10
        2024-06-07,sec:X,408,USD,400,412,396,20
        2024-06-10,sec:X,101,USD
        2024-06-14,sec:X,106,USD,,107,,5";
    import(engine, rows, prices).await;
    // Yahoo speaks of the week before too, in units of today.
    let security = id(engine, "X").await;
    let said = |date, close| price(security, "yahoo", date, close, Currency::USD, true);
    put(engine, &[said("2024-05-31", "99"), said("2024-06-03", "90")]).await;
}

/// One figure a day, in the units of the last; a dash where no price is fresh enough.
async fn trend(engine: &Engine, symbol: &str, days: u16) -> String {
    let securities = vec![id(engine, symbol).await];
    let query = TrendsQuery { securities, days, to: TODAY, today: TODAY };
    let mut tx = engine.session.store.read().await.unwrap();
    let [told] = &report::trends(&mut tx, &query).await.unwrap()[..] else { panic!("one trend") };
    told.points.iter().map(|point| or_none(*point)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn where_prices_went_is_told_by_the_day_and_gaps_stay() {
    on_each(async |engine| {
        split(engine).await;
        // Y is silent for longer than a price is good for, and Z has said nothing at all.
        let rows = "
            2024-05-30,A,BUY,Y,1,10,USD
            2024-05-30,A,BUY,Z,1,10,USD";
        let prices = "
            2024-05-30,sec:Y,10,USD
            2024-06-12,sec:Y,12,USD";
        import(engine, rows, prices).await;
        let x = "- - - - 100 100 100 100 102 102 102 101 101 101 101 106";
        assert_eq!(trend(engine, "X", 16).await, x);
        assert_eq!(trend(engine, "X", 1).await, "106");
        let y = "10 10 10 10 10 10 - - - - - - - 12 12 12";
        assert_eq!(trend(engine, "Y", 16).await, y);
        assert_eq!(trend(engine, "Z", 4).await, "- - - -");
        // A quote from within the day serves today.
        let tick = Tick {
            security: id(engine, "Z").await,
            source: SafeText::new("simulated"),
            at: midnight_micros(TODAY) + 1,
            date: TODAY,
            currency: Currency::USD,
            price: dec("13"),
        };
        let mut tx = engine.session.store.write().await.unwrap();
        tx.put_ticks(&[tick]).await.unwrap();
        tx.commit("ticks", "test", 0).await.unwrap();
        assert_eq!(trend(engine, "Z", 4).await, "- - - 13");
    })
    .await;
}

fn price(
    security: SecurityId,
    source: &str,
    date: &str,
    close: &str,
    currency: Currency,
    split_adjusted: bool,
) -> PriceRecord {
    let price = Price {
        security,
        interval: Interval::Day,
        at: midnight_micros(day(date)),
        source: SafeText::new(source),
        currency,
        open: None,
        high: None,
        low: None,
        close: dec(close),
        volume: None,
        quoted_in: None,
        split_adjusted,
    };
    PriceRecord { price, batch: None, fetched: 0 }
}

/// As a market source would.
async fn put(engine: &Engine, prices: &[PriceRecord]) {
    let mut tx = engine.session.store.write().await.unwrap();
    tx.insert_prices(prices).await.unwrap();
    tx.commit(&format!("put-{}", prices.len()), "test", 0).await.unwrap();
}

#[tokio::test]
async fn bars_and_marks_are_in_the_units_of_the_last_day() {
    on_each(async |engine| {
        split(engine).await;
        let all = bars(engine, "X", None, "2024-06-14", Interval::Day).await;
        assert_eq!((all.symbol.as_str(), all.currency), ("X", Currency::USD));
        // 400 / 4, 404 / 4 and so on, and 10 x 4 traded. The file comes before yahoo.
        let days = [
            "05-31 - - - 99 -",
            "06-03 99 101 98 100 40",
            "06-07 100 103 99 102 80",
            "06-10 - - - 101 -",
            "06-14 - 107 - 106 5",
        ];
        assert_eq!(lines(&all), days);
        assert_eq!(told(&all), ["yahoo true 05-31 05-31", "file false 06-03 06-14"]);
        assert!(all.restated && all.missing.is_empty());
        // 5 x 4 bought at 400 / 4, 1 x 4 at 420 / 4; the split once, the day it came first.
        let right = [
            "06-03 Buy 20 100 -2000",
            "06-04 Buy 4 105 -420",
            "06-10 Split - - 0",
            "06-12 Sell 4 105 420",
            "06-13 Dividend - - 9",
        ];
        assert_eq!(marks(&all), right);
        // 20 that cost 2000, less 4 of them: 16 cost 1600. With 4 that cost 420: 2020 / 20.
        assert_eq!(all.cost_per_unit, Some(dec("101")));

        // Before the split: units of then. Yahoo's 99 is 99 x 4.
        let then = bars(engine, "X", None, "2024-06-07", Interval::Day).await;
        let days = ["05-31 - - - 396 -", "06-03 396 404 392 400 10", "06-07 400 412 396 408 20"];
        assert_eq!(lines(&then), days);
        assert_eq!(marks(&then), ["06-03 Buy 5 400 -2000", "06-04 Buy 1 420 -420"]);
        // 2420 / 6.
        assert_eq!(then.cost_per_unit, Some(dec("403.333333333333")));
        let before = bars(engine, "X", None, "2024-05-31", Interval::Day).await;
        assert_eq!((before.cost_per_unit, before.marks.len()), (None, 0));
    })
    .await;
}

#[tokio::test]
async fn weeks_begin_whole_and_lack_what_a_day_lacks() {
    on_each(async |engine| {
        split(engine).await;
        // From a Tuesday on: from the Monday before it on.
        let weeks = bars(engine, "X", Some("2024-06-04"), "2024-06-14", Interval::Week).await;
        assert_eq!(lines(&weeks), ["06-03 99 103 98 102 120", "06-10 - - - 106 -"]);
        assert_eq!(told(&weeks), ["file false 06-03 06-14"]);
        assert_eq!(marks(&weeks)[0], "06-03 Buy 20 100 -2000");
        let months = bars(engine, "X", None, "2024-06-14", Interval::Month).await;
        assert_eq!(lines(&months), ["05-01 - - - 99 -", "06-01 99 - - 106 -"]);
        let late = bars(engine, "X", Some("2024-06-11"), "2024-06-12", Interval::Day).await;
        assert_eq!((lines(&late).len(), marks(&late).len()), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn prices_in_another_currency_are_told_at_the_rate_of_their_day() {
    on_each(async |engine| {
        let rows = "
            2024-06-05,A,DEPOSIT,,,,USD,1000
            2024-06-05,A,BUY,Y,2,44,USD,,,0.8
            2024-06-06,A,BUY,Y,1,45,USD";
        let prices = "
            2024-06-05,sec:Y,50,CAD
            2024-06-06,fx:CAD,0.75,USD";
        import(engine, rows, prices).await;
        let y = id(engine, "Y").await;
        let said = |date, close| price(y, "file", date, close, Currency::USD, false);
        put(
            engine,
            &[said("2024-06-03", "39"), said("2024-06-04", "40"), said("2024-06-07", "42")],
        )
        .await;
        let all = bars(engine, "Y", None, "2024-06-14", Interval::Day).await;
        // 42 / 0.75. Of the two days before there was any rate nothing can be said.
        assert_eq!(lines(&all), ["06-05 - - - 50 -", "06-07 - - - 56 -"]);
        let lacks: Vec<_> =
            all.missing.iter().map(|it| (it.what, it.pair.as_deref(), it.date)).collect();
        assert_eq!(lacks, [("fx", Some("USD/CAD"), Some(day("2024-06-03")))]);
        // 44 / 0.8 as the row itself says, 45 / 0.75 as its day does.
        assert_eq!(marks(&all), ["06-05 Buy 2 55 -88", "06-06 Buy 1 60 -45"]);
        // (2 x 55 + 60) / 3.
        assert_eq!(all.cost_per_unit, Some(dec("56.666666666667")));
        assert!(!all.restated);
    })
    .await;
}

#[tokio::test]
async fn a_cost_line_says_one_thing_or_nothing() {
    on_each(async |engine| {
        let rows = "
            2024-06-03,A,BUY,O,2,3,USD,,,,100
            2024-06-03,A,OPENING,N,5,,USD
            2024-06-03,A,BUY,L,2,7,USD
            2024-06-03,B,SHORT_SELL,L,1,9,USD
            2024-06-03,A,SHORT_SELL,S,4,9,USD
            2024-06-03,A,BUY,Z,1,9,USD
            2024-06-04,A,SELL,Z,1,9,USD";
        import(engine, rows, "").await;
        let mut costs = Vec::new();
        for symbol in ["O", "N", "L", "S", "Z"] {
            let bars = bars(engine, symbol, None, "2024-06-14", Interval::Day).await;
            assert_eq!(lines(&bars), [""; 0]);
            costs.push(or_none(bars.cost_per_unit));
        }
        // An option of a hundred at the price of one; a cost nobody knows; long here and short
        // there; short at what it was sold for; nothing left.
        assert_eq!(costs, ["3", "-", "-", "9", "-"]);
        let late = bars(engine, "Z", None, "2024-06-14", Interval::Day).await;
        let kinds: Vec<_> = late.marks.iter().map(|mark| mark.kind).collect();
        assert_eq!(kinds, [MarkKind::Buy, MarkKind::Sell]);
    })
    .await;
}

async fn movers(engine: &Engine, as_of: &str, since: Option<&str>) -> Movers {
    let query =
        MoversQuery { as_of: day(as_of), today: TODAY, currency: None, since: since.map(day) };
    let mut tx = engine.session.store.read().await.unwrap();
    report::movers(&mut tx, &query).await.unwrap()
}

/// Symbol, price before, price, per cent, money, stale.
fn moves(movers: &Movers) -> Vec<String> {
    let line = |row: &report::Mover| {
        let [before, price, percent, base] =
            [row.price_before, row.price, row.change_percent, row.change_base].map(or_none);
        let stale = if row.stale { " stale" } else { "" };
        format!("{} {before} {price} {percent} {base}{stale}", row.symbol)
    };
    movers.rows.iter().map(line).collect()
}

async fn portfolio(engine: &Engine) {
    let rows = "
        2024-06-03,A,DEPOSIT,,,,USD,10000
        2024-06-03,A,BUY,X,10,100,USD
        2024-06-03,A,BUY,Z,1,10,USD
        2024-06-03,A,BUY,W,2,20,USD
        2024-06-03,A,BUY,V,1,7,USD
        2024-06-03,A,BUY,O,2,3,USD,,,,100
        2024-06-03,C,DEPOSIT,,,,CAD,250
        2024-06-03,C,BUY,Y,3,50,CAD
        2024-06-03,D,DEPOSIT,,,,CAD,100
        2024-06-03,D,BUY,Y,2,50,CAD";
    let prices = "
        2024-06-10,fx:CAD,0.8,USD
        2024-06-14,fx:CAD,0.75,USD
        2024-05-31,sec:W,25,USD
        2024-06-03,sec:W,20,USD
        2024-06-10,sec:O,3,USD
        2024-06-14,sec:O,3.5,USD
        2024-06-12,sec:X,100,USD
        2024-06-13,sec:X,110,USD
        2024-06-14,sec:X,121,USD
        2024-06-10,sec:Y,60,CAD
        2024-06-14,sec:Y,57,CAD
        2024-06-14,sec:V,7,USD";
    import(engine, rows, prices).await;
}

#[tokio::test]
async fn movers_are_what_is_held_times_what_its_price_did() {
    on_each(async |engine| {
        portfolio(engine).await;
        let today = movers(engine, "2024-06-14", None).await;
        // X: 11 x 10. O: 0.5 x 2 x 100. Y: -3 x 5 x 0.75, the rate of the day. W fell eleven
        // days ago, which did nothing to the day. V had no price before, Z has none at all.
        let rows = [
            "X 110 121 10 110",
            "O 3 3.5 16.6666666667 100",
            "Y 60 57 -5 -11.25",
            "W 25 20 -20 0 stale",
            "V - 7 - -",
            "Z - - - -",
        ];
        assert_eq!(moves(&today), rows);
        let y = &today.rows[2];
        assert_eq!((y.quantity, y.before_date), (Some(dec("5")), Some(day("2024-06-10"))));
        let lacks: Vec<_> = today.missing.iter().map(|it| (it.what, it.security.clone())).collect();
        assert_eq!(lacks, [("price", Some(SafeText::new("Z")))]);
        // Cash 10000 - 1000 - 10 - 40 - 7 - 600 = 8343 USD, and 100 CAD; X 1210, W 40, V 7,
        // O 700; Y 285 CAD and the 100 of cash at 0.75: 288.75.
        assert_eq!(today.now.net_worth, Some(dec("10588.75")));
        // The day before: X 1100, O 600; 400 CAD at 0.8; and V not known, which makes the change
        // of the whole no change of anything.
        assert_eq!((today.since, today.then.net_worth), (day("2024-06-13"), Some(dec("10403"))));
        assert_eq!(today.change, None);
    })
    .await;
}

#[tokio::test]
async fn a_change_is_told_where_both_days_lack_the_same() {
    on_each(async |engine| {
        portfolio(engine).await;
        let of = movers(engine, "2024-06-13", None).await;
        // 10 x 10 of X, and nothing else: (10403 - 10303), and 100 / 10303.
        let change = of.change.unwrap();
        assert_eq!((change.amount, change.percent), (dec("100"), Some(dec("0.9705910900"))));
        // There is a price of O and of Y on the tenth and none before: no change is made up.
        let rows = [
            "X 100 110 10 100",
            "W 25 20 -20 0 stale",
            "O - 3 - -",
            "Y - 60 - -",
            "V - - - -",
            "Z - - - -",
        ];
        assert_eq!(moves(&of), rows);

        let since = movers(engine, "2024-06-14", Some("2024-06-12")).await;
        assert_eq!((since.since, since.then.date), (day("2024-06-12"), day("2024-06-12")));
        // X from 100: 21 x 10. W stood at 20 then already.
        let rows = [
            "X 100 121 21 210",
            "O 3 3.5 16.6666666667 100",
            "Y 60 57 -5 -11.25",
            "W 20 20 0 0 stale",
            "V - 7 - -",
            "Z - - - -",
        ];
        assert_eq!(moves(&since), rows);
        // Before the first row there was nothing, which is known.
        let ever = movers(engine, "2024-06-05", Some("2024-06-01")).await;
        assert_eq!(ever.then.net_worth, Some(Dec::ZERO));
    })
    .await;
}

#[tokio::test]
async fn a_split_is_no_fall_of_the_price() {
    on_each(async |engine| {
        split(engine).await;
        // 408 of before the split is 102 of after it. 24 are held: -1 / 102, and -1 x 24.
        let of = movers(engine, "2024-06-11", Some("2024-06-09")).await;
        assert_eq!(moves(&of), ["X 102 101 -0.9803921569 -24"]);
    })
    .await;
}

async fn allocation(engine: &Engine, account: Option<&str>) -> Allocation {
    let account = match account {
        Some(name) => Some(engine.account(name).await),
        None => None,
    };
    let query = AllocationQuery {
        as_of: TODAY,
        today: TODAY,
        account,
        currency: None,
        by: Dimension::Class,
    };
    let mut tx = engine.session.store.read().await.unwrap();
    report::allocation(&mut tx, &query).await.unwrap()
}

/// Class, value, weight.
fn slices(allocation: &Allocation) -> Vec<String> {
    let rows = allocation.rows.iter();
    rows.map(|row| format!("{} {} {}", row.key, row.value_base, row.weight)).collect()
}

async fn balance(engine: &Engine, name: &str, kind: AccountKind, amount: &str) {
    engine
        .edit(Change::AddAccount(NewAccount {
            name: SafeText::new(name),
            kind,
            currency: Currency::USD,
            mode: Mode::Balances,
            method: None,
            institution: None,
            closed: None,
            performance: None,
        }))
        .await;
    let account = engine.account(name).await;
    engine.edit(Change::SetBalance(account, day("2024-06-01"), dec(amount))).await;
}

#[tokio::test]
async fn a_whole_is_allocated_to_what_it_consists_of() {
    on_each(async |engine| {
        let rows = "
            2024-06-03,Broker,OPENING,X,10,70,USD
            2024-06-03,Broker,OPENING,U,5,90,USD
            2024-06-03,Broker,OPENING,Z,1,1,USD
            2024-06-03,Bank,DEPOSIT,,,,USD,500";
        let prices = "
            2024-06-14,sec:X,80,USD
            2024-06-14,sec:U,100,USD";
        import(engine, rows, prices).await;
        let x = id(engine, "X").await;
        let equity = Edit::Set(AssetClass::Equity);
        let edit = SecurityEdit { class: equity, ..SecurityEdit::default() };
        engine.edit(Change::EditSecurity(x, edit)).await;
        balance(engine, "House", AccountKind::Other, "1000").await;
        balance(engine, "Pension", AccountKind::FourOhOneK, "200").await;
        balance(engine, "Card", AccountKind::CreditCard, "-300").await;
        let all = allocation(engine, None).await;
        // The house 1000, X 800, U 5 x 100 and the pension 200, which nobody said the class of,
        // the bank 500: of 3000.
        let right = [
            "other 1000 0.3333333333",
            "equity 800 0.2666666667",
            "unknown 700 0.2333333333",
            "cash 500 0.1666666667",
        ];
        assert_eq!(slices(&all), right);
        assert_eq!((all.total, all.liabilities), (Some(dec("3000")), Some(dec("-300"))));
        let lacks: Vec<_> = all.missing.iter().map(|it| (it.what, it.security.clone())).collect();
        assert_eq!(lacks, [("price", Some(SafeText::new("Z")))]);
        // The two sums are net worth.
        let query = NetWorthQuery {
            from: None,
            to: TODAY,
            today: TODAY,
            account: None,
            currency: None,
            every: None,
        };
        let mut tx = engine.session.store.read().await.unwrap();
        let worth = report::net_worth(&mut tx, &query).await.unwrap();
        drop(tx);
        assert_eq!(worth.rows[0].net_worth, Some(dec("2700")));
        let bank = allocation(engine, Some("Bank")).await;
        assert_eq!(slices(&bank), ["cash 500 1"]);
        let card = allocation(engine, Some("Card")).await;
        assert_eq!((slices(&card).len(), card.liabilities), (0, Some(dec("-300"))));
    })
    .await;
}

/// Of the last days nothing has to be played, of the first ones everything.
#[tokio::test]
async fn a_day_by_itself_is_as_it_is_in_a_series() {
    on_each(async |engine| {
        portfolio(engine).await;
        let mut tx = engine.session.store.read().await.unwrap();
        let query = NetWorthQuery {
            from: Some(day("2024-05-30")),
            to: TODAY,
            today: TODAY,
            account: None,
            currency: None,
            every: Some(Every::Day),
        };
        let series = report::net_worth(&mut tx, &query).await.unwrap().rows;
        let mut worth = std::collections::BTreeSet::new();
        for row in &series {
            let alone = NetWorthQuery { from: None, to: row.date, every: None, ..query };
            let alone = report::net_worth(&mut tx, &alone).await.unwrap().rows;
            assert_eq!(format!("{alone:?}"), format!("[{row:?}]"));
            worth.insert(row.net_worth);
        }
        assert!(worth.len() > 4, "{worth:?}");
    })
    .await;
}

#[tokio::test]
async fn the_lots_of_one_security_are_among_those_of_all() {
    on_each(async |engine| {
        portfolio(engine).await;
        let x = id(engine, "X").await;
        let mut tx = engine.session.store.read().await.unwrap();
        for as_of in ["2024-06-01", "2024-06-05", "2024-06-14", "2025-01-31"].map(day) {
            let query = PositionsQuery {
                as_of,
                today: as_of,
                account: None,
                currency: None,
                method: None,
                closed: false,
            };
            let mut all = report::lots(&mut tx, &query).await.unwrap().rows;
            all.retain(|lot| lot.security_id == x);
            let one = report::lots_of(&mut tx, &query, x).await.unwrap().rows;
            assert_eq!(format!("{one:?}"), format!("{all:?}"));
            assert_eq!(one.is_empty(), as_of < day("2024-06-03"), "{as_of}: {one:?}");
        }
    })
    .await;
}

/// What two accounts were paid on one day may come again in both: in the calendar it is one payment,
/// and where accounts are told apart one in each of them.
#[tokio::test]
async fn what_may_come_is_one_payment_of_several_accounts() {
    on_each(async |engine| {
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2024-01-02,One,BUY,X,10,10,,USD,\n2024-01-02,Two,BUY,X,30,10,,USD,\n\
            2024-05-20,One,DIVIDEND,X,,,,USD,5\n2024-05-20,Two,DIVIDEND,X,,,,USD,15\n\
            2024-05-21,Two,DIVIDEND,X,,,,USD,8\n";
        engine.import(&[("rows.csv", rows)]).await;
        let mut tx = engine.session.store.read().await.unwrap();
        let mut may_come = async |by| {
            let to = "2024-06-01".parse().unwrap();
            let (from, account, currency) = (None, None, None);
            let query = report::IncomeQuery { from, to, today: to, account, currency, by };
            let (_, dates) = report::income_and_dates(&mut tx, &query).await.unwrap();
            let forecast = dates.iter().filter(|date| date.coming == report::Coming::Forecast);
            let told = forecast.map(|date| {
                let account = date.account.as_ref().map_or("(several)", |name| name.as_str());
                format!("{} {account} {}", date.date, date.amount.unwrap())
            });
            told.collect::<Vec<_>>()
        };
        // 40 pieces were paid 5, 15 and 8; a quarter of them is One's.
        let both = ["2025-05-20 (several) 20", "2025-05-21 (several) 8"];
        assert_eq!(may_come(Some(report::IncomeBy::Month)).await, both);
        let each =
            ["2025-05-20 One 5", "2025-05-20 Two 15", "2025-05-21 One 2", "2025-05-21 Two 6"];
        assert_eq!(may_come(Some(report::IncomeBy::Account)).await, each);
    })
    .await;
}

/// A dividend that is told before it is paid.
#[tokio::test]
async fn a_pending_payment_that_is_dated_ahead_is_pending() {
    on_each(async |engine| {
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,status\n\
            2024-01-02,Broker,BUY,X,10,10,,USD,,\n\
            2024-06-12,Broker,DIVIDEND,X,,,,USD,5,pending\n\
            2024-06-20,Broker,DIVIDEND,X,,,,USD,6,pending\n\
            2024-06-21,Broker,DIVIDEND,X,,,,USD,7,\n";
        engine.import(&[("rows.csv", rows)]).await;
        let mut tx = engine.session.store.read().await.unwrap();
        let (from, account, currency, by) = (None, None, None, None);
        let query = report::IncomeQuery { from, to: TODAY, today: TODAY, account, currency, by };
        let (_, dates) = report::income_and_dates(&mut tx, &query).await.unwrap();
        let told = dates.iter().filter(|date| date.coming != report::Coming::Forecast);
        let told: Vec<_> =
            told.map(|date| (date.amount.unwrap().to_string(), date.pending)).collect();
        let expected = [("5", true), ("6", true), ("7", false)];
        assert_eq!(told, expected.map(|(amount, pending)| (amount.to_owned(), pending)));
    })
    .await;
}
