//! What somebody keeps an eye on: how far a price is from the one that is waited for, and alerts that
//! are told once per crossing, whoever brings the prices.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use chrono::NaiveDate;
use dashtam::clock::Clock;
use dashtam::ledger::{self, AlertVerdict, Crossing};
use dashtam::model::{
    AlertEdit, AlertId, AlertOf, AlertTerms, Change, Currency, Dec, Edit, Mention, OpId,
    PriceSubject, PriceToDelete, Quote, SafeText, Security, SecurityEdit, SecurityId, Setting,
    Side, WatchEdit,
};
use dashtam::refresh::WantedAll;
use dashtam::report::{AlertRow, WatchReport, WatchRow};
use dashtam::service::edit::{Applied, apply_all, security_named, take_back};
use dashtam::service::restore::Backup;
use dashtam::service::{backup, watch};
use serde_json::{Value, json};
use support::engines::{Engine, TODAY, engines, on_each, sqlite};
use support::home::Home;

const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
    2026-11-02,Broker,DEPOSIT,,,,,USD,1000\n\
    2026-11-03,Broker,BUY,X,10,50,,USD,-500\n\
    2026-11-03,Broker,BUY,Y,10,30,,USD,-300\n";
const PRICES: &str = "date,symbol,close,currency,source\n\
    2026-11-18,sec:X,50,USD,file\n2026-11-19,sec:X,55,USD,file\n\
    2026-11-19,sec:Y,45,USD,file\n";

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn symbol(text: &str) -> Mention {
    Mention::parse(text).unwrap()
}

async fn household(engine: &Engine) {
    engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
}

/// Watches a security that waits for a price.
async fn wait_for(engine: &Engine, name: &str, target: &str) -> Applied {
    let edit = WatchEdit { target: Edit::Set(dec(target)), ..WatchEdit::default() };
    engine.edit(Change::Watch(symbol(name), edit)).await
}

fn terms(of: AlertOf, side: Side, bound: &str) -> AlertTerms {
    let bound = of.read_bound(bound).unwrap();
    AlertTerms { of, side, bound, note: None, units_of: None, said_in: None, snoozed: None }
}

async fn alert(engine: &Engine, name: &str, terms: AlertTerms) -> AlertId {
    engine.edit(Change::AddAlert(symbol(name), terms)).await.alert.unwrap()
}

/// Sets the price of a day by hand.
async fn price(engine: &Engine, name: &str, date: NaiveDate, close: &str) {
    let quote = Quote {
        subject: PriceSubject::Security(symbol(name)),
        date,
        currency: Currency::USD,
        open: None,
        high: None,
        low: None,
        close: dec(close),
        volume: None,
        source: SafeText::new("hand"),
        quoted_in: None,
    };
    engine.edit(Change::SetPrice(Box::new(quote))).await;
}

async fn report(engine: &Engine) -> WatchReport {
    watch::watched(&engine.session).await.unwrap()
}

async fn row(engine: &Engine, name: &str) -> WatchRow {
    let rows = report(engine).await.rows;
    rows.into_iter().find(|row| row.symbol.as_str() == name).unwrap()
}

async fn seen(engine: &Engine, id: AlertId) -> AlertRow {
    report(engine).await.alerts.into_iter().find(|row| row.id == id).unwrap()
}

/// What was told, the oldest first: what of which security, past which bound, and what was seen.
async fn told(engine: &Engine) -> Vec<String> {
    let log = report(engine).await.log.into_iter().rev();
    let words = log.map(|row| {
        let it = &row.log;
        format!("{} {} {} {}: {} {}", row.symbol, it.of, it.side, it.bound, it.seen, it.seen_on)
    });
    words.collect()
}

/// What was done to the store in the trail by looking at alerts.
async fn judged(engine: &Engine) -> Vec<String> {
    let rows = engine.session.audit().unwrap().rows().await.unwrap();
    let mine = rows.iter().filter(|row| row.action == "alert.judge");
    mine.map(|row| format!("{} {}", row.state, row.detail)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distance_is_what_the_price_has_to_change_by() {
    on_each(async |engine| {
        household(engine).await;
        wait_for(engine, "X", "60").await;
        let x = row(engine, "X").await;
        // From 50 to 55, and from 55 to 60.
        assert_eq!((x.price, x.before), (Some(dec("55")), Some(dec("50"))));
        assert_eq!(x.change, Some(dec("0.1")));
        assert_eq!(x.distance, Some(dec("0.0909090909")));
        wait_for(engine, "X", "44").await;
        assert_eq!(row(engine, "X").await.distance, Some(dec("-0.2")));
        // Of what has no price there is nothing to say.
        wait_for(engine, "NEW@EUR", "7").await;
        let new = row(engine, "NEW").await;
        assert_eq!((new.price, new.change, new.distance), (None, None, None));
        assert_eq!(new.currency.code(), "EUR");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_of_the_pen_makes_no_security() {
    on_each(async |engine| {
        let watch = Change::Watch(symbol("XEQQ"), WatchEdit::default());
        let refused = engine.try_edit(watch).await.unwrap_err();
        assert!(refused.to_string().contains("SYMBOL@CURRENCY"), "{refused}");
        let alert = Change::AddAlert(symbol("XEQQ"), terms(AlertOf::Price, Side::Above, "1"));
        assert!(engine.try_edit(alert).await.is_err());
        assert!(report(engine).await.rows.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_is_told_once_and_leaves_an_attempt_and_an_outcome() {
    on_each(async |engine| {
        household(engine).await;
        let id = alert(engine, "X", terms(AlertOf::Price, Side::Above, "60")).await;
        price(engine, "X", TODAY, "60").await;
        assert_eq!(told(engine).await, [""; 0], "the bound is met and not passed");
        price(engine, "X", TODAY, "60.01").await;
        price(engine, "X", TODAY, "61").await;
        let first = "X price above 60: 60.01 2026-11-20";
        assert_eq!(told(engine).await, [first]);
        assert!(seen(engine, id).await.is_on());
        price(engine, "X", TODAY, "59").await;
        assert!(!seen(engine, id).await.is_on());
        price(engine, "X", TODAY, "70").await;
        assert_eq!(told(engine).await, [first, "X price above 60: 70 2026-11-20"]);
        let (past, back) =
            (format!("ATTEMPTED past={id} back=none"), format!("ATTEMPTED past=none back={id}"));
        let right =
            [&past, "SUCCEEDED told=1", &back, "SUCCEEDED told=0", &past, "SUCCEEDED told=1"];
        assert_eq!(judged(engine).await, right);
        assert_eq!(engine.damage().await, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_is_seen_as_it_is_defined() {
    on_each(async |engine| {
        household(engine).await;
        // X: 10 at 55 after 50, Y: 10 at 45 with nothing before; all that is held is 1000.
        let far = |of: AlertOf| terms(of, Side::Above, "0.9");
        for (name, of, right) in [
            ("X", AlertOf::Price, Some("55")),
            ("X", AlertOf::Change, Some("0.1")),
            ("Y", AlertOf::Change, None),
            ("X", AlertOf::Value, Some("550")),
            ("X", AlertOf::Weight, Some("0.55")),
            ("Z@USD", AlertOf::Price, None),
            ("Z@USD", AlertOf::Value, None),
        ] {
            let id = alert(engine, name, far(of)).await;
            assert_eq!(seen(engine, id).await.seen, right.map(dec), "{name} {of}");
            engine.edit(Change::RemoveAlert(id)).await;
        }
        let id = alert(engine, "X", terms(AlertOf::Stale, Side::Above, "1")).await;
        assert_eq!(seen(engine, id).await.seen, Some(dec("1")), "of yesterday");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_looks_at_alerts_and_every_day_has_a_change_of_its_own() {
    on_each(async |engine| {
        household(engine).await;
        alert(engine, "X", terms(AlertOf::Change, Side::Above, "5%")).await;
        let first = "X change above 0.05: 0.1 2026-11-19";
        assert_eq!(told(engine).await, [first], "what is past its bound already is told at once");
        let next = "date,symbol,close,currency,source\n2026-11-20,sec:X,66,USD,file\n";
        engine.import(&[("next.csv", next)]).await;
        assert_eq!(told(engine).await, [first, "X change above 0.05: 0.2 2026-11-20"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_alert_says_nothing_and_speaks_again_after() {
    on_each(async |engine| {
        household(engine).await;
        let id = alert(engine, "X", terms(AlertOf::Price, Side::Below, "50")).await;
        engine.edit(Change::SnoozeAlert(id, TODAY.succ_opt())).await;
        price(engine, "X", TODAY, "49").await;
        assert_eq!(told(engine).await, [""; 0]);
        assert!(!seen(engine, id).await.is_on());
        engine.edit(Change::SnoozeAlert(id, Some(TODAY))).await;
        assert_eq!(told(engine).await, ["X price below 50: 49 2026-11-20"]);
        // Once more silenced and woken, it tells again: it is still past its bound.
        engine.edit(Change::SnoozeAlert(id, TODAY.succ_opt())).await;
        engine.edit(Change::SnoozeAlert(id, None)).await;
        assert_eq!(told(engine).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_sets_off_no_alert() {
    on_each(async |engine| {
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount,ratio\n\
            2026-11-20,Broker,SPLIT,X,,,,USD,,5:1\n";
        let prices = "date,symbol,close,currency,source\n2026-11-20,sec:X,11,USD,file\n";
        household(engine).await;
        // Said of units of before the split, as an export of before it says.
        let said = r#"{"schema":"dashtam.export/1","watchlist":[{"security":{"symbol":"X"},
            "target":"60","units_of":"2026-11-10"}],"alerts":[{"security":{"symbol":"X"},
            "direction":"below","price":"40","units_of":"2026-11-10"}]}"#;
        engine.import(&[("said.json", said)]).await;
        engine.import(&[("split.csv", file), ("after.csv", prices)]).await;
        let report = report(engine).await;
        assert_eq!(report.rows[0].target, Some(dec("12")));
        assert_eq!(report.rows[0].distance, Some(dec("0.0909090909")), "as before the split");
        assert_eq!((report.alerts[0].bound, report.log.len()), (Some(dec("8")), 0));
        price(engine, "X", TODAY, "7.9").await;
        assert_eq!(told(engine).await, ["X price below 8: 7.9 2026-11-20"]);
    })
    .await;
}

/// The files of a split, and of a price after it.
fn split_on(day: &str) -> [(String, String); 2] {
    let split = "date,account,type,symbol,quantity,price,fee,currency,amount,ratio";
    [
        ("split.csv".to_owned(), format!("{split}\n{day},Broker,SPLIT,X,,,,USD,,5:1\n")),
        ("after.csv".to_owned(), format!("date,symbol,close,currency\n{day},sec:X,11,USD\n")),
    ]
}

/// A clock that stands, in a zone.
fn clock_in(zone: chrono_tz::Tz, instant: &str) -> Clock {
    Clock::fixed(instant.parse().unwrap(), zone)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_counts_units_of_the_day_that_it_is_there() {
    use chrono_tz::{America::New_York, Australia::Sydney};
    // In the evening before the split, where it is the day of the split in London.
    let mut engine = sqlite().await;
    engine.session.clock = clock_in(New_York, "2026-11-20T02:00:00Z");
    household(&engine).await;
    wait_for(&engine, "X", "60").await;
    let id = alert(&engine, "X", terms(AlertOf::Price, Side::Below, "40")).await;
    engine.session.clock = clock_in(New_York, "2026-11-20T15:00:00Z");
    for (name, text) in split_on("2026-11-20") {
        engine.import(&[(&name, &text)]).await;
    }
    assert_eq!(row(&engine, "X").await.target, Some(dec("12")));
    assert_eq!(seen(&engine, id).await.bound, Some(dec("8")));
    assert_eq!(told(&engine).await, [""; 0]);
    engine.close().await;
    // In the morning of the split, where it is the day before in London.
    let mut engine = sqlite().await;
    engine.session.clock = clock_in(Sydney, "2026-11-20T21:00:00Z");
    household(&engine).await;
    for (name, text) in split_on("2026-11-21") {
        engine.import(&[(&name, &text)]).await;
    }
    wait_for(&engine, "X", "12").await;
    let id = alert(&engine, "X", terms(AlertOf::Price, Side::Below, "8")).await;
    let edit = AlertEdit { bound: Some(dec("7")), ..AlertEdit::default() };
    assert_eq!(seen(&engine, id).await.bound, Some(dec("8")));
    engine.edit(Change::EditAlert(id, edit)).await;
    assert_eq!(seen(&engine, id).await.bound, Some(dec("7")));
    assert_eq!(row(&engine, "X").await.target, Some(dec("12")));
    engine.close().await;
}

async fn security(engine: &Engine, name: &str) -> Security {
    security_named(&engine.session, name).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_tells_nothing_of_what_is_held() {
    on_each(async |engine| {
        household(engine).await;
        let before = security(engine, "X").await;
        assert!(before.derived, "its currency follows from its rows");
        let meant = watch::mention(&engine.session, "X").await.unwrap();
        engine.edit(Change::Watch(meant.clone(), WatchEdit::default())).await;
        engine.edit(Change::AddAlert(meant, terms(AlertOf::Price, Side::Above, "90"))).await;
        assert_eq!(security(engine, "X").await, before);
        let other = || Change::Watch(symbol("X@CAD"), WatchEdit::default());
        let why = engine.try_edit(other()).await.unwrap_err().to_string();
        assert!(why.contains("X@CAD means X so far, which is in USD"), "{why}");
        let alert = Change::AddAlert(symbol("X@CAD"), terms(AlertOf::Price, Side::Above, "90"));
        assert!(engine.try_edit(alert).await.is_err());
        assert_eq!(security(engine, "X").await, before);
        // Once it is said what the one is in, the other is another one.
        let edit = SecurityEdit { currency: Some(Currency::USD), ..SecurityEdit::default() };
        engine.edit(Change::EditSecurity(before.id, edit)).await;
        engine.edit(other()).await;
        let now = security(engine, "X@USD").await;
        assert_eq!((now.id, now.currency), (before.id, Currency::USD));
        assert_ne!(security(engine, "X@CAD").await.id, before.id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_is_in_the_currency_in_which_it_was_said() {
    on_each(async |engine| {
        household(engine).await;
        // A dollar of Canada is half a dollar: 550 USD are 1100 CAD.
        let rates = "date,symbol,close,currency\n2026-11-19,fx:CAD,0.5,USD\n";
        engine.import(&[("rates.csv", rates)]).await;
        let value = alert(engine, "X", terms(AlertOf::Value, Side::Above, "1000")).await;
        let id = alert(engine, "X", terms(AlertOf::Price, Side::Above, "60")).await;
        wait_for(engine, "X", "60").await;
        engine.edit(Change::Set(Setting::BaseCurrency, "CAD".to_owned())).await;
        let now = seen(engine, value).await;
        assert_eq!((now.seen, now.bound, now.is_past()), (Some(dec("1100")), None, None));
        assert_eq!(now.other_currency(), Some(Currency::USD));
        let x = security(engine, "X").await.id;
        let edit = SecurityEdit { currency: Some(Currency::CAD), ..SecurityEdit::default() };
        engine.edit(Change::EditSecurity(x, edit)).await;
        let now = seen(engine, id).await;
        assert_eq!((now.seen, now.bound), (Some(dec("110")), None));
        let watched = row(engine, "X").await;
        assert_eq!((watched.target, watched.distance), (None, None));
        assert_eq!(told(engine).await, [""; 0]);
        // Said anew it counts again.
        let bound = |text| AlertEdit { bound: Some(dec(text)), ..AlertEdit::default() };
        engine.edit(Change::EditAlert(value, bound("1000"))).await;
        engine.edit(Change::EditAlert(id, bound("100"))).await;
        wait_for(engine, "X", "121").await;
        assert_eq!(row(engine, "X").await.distance, Some(dec("0.1")));
        let both = ["X value above 1000: 1100 2026-11-19", "X price above 100: 110 2026-11-19"];
        assert_eq!(told(engine).await, both);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weight_is_a_part_of_all_or_is_not_known() {
    on_each(async |engine| {
        household(engine).await;
        let id = alert(engine, "X", terms(AlertOf::Weight, Side::Above, "60%")).await;
        assert_eq!(seen(engine, id).await.seen, Some(dec("0.55")));
        // Z has no price: nobody knows what all is worth.
        let more = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-20,Broker,BUY,Z,10,20,,USD,-200\n";
        engine.import(&[("more.csv", more)]).await;
        price(engine, "X", TODAY, "90").await;
        let weight = seen(engine, id).await;
        assert_eq!((weight.seen, weight.is_past()), (None, None));
        assert_eq!(told(engine).await, [""; 0]);
        price(engine, "Z", TODAY, "45").await;
        // 900 of 900 + 450 + 450.
        assert_eq!(seen(engine, id).await.seen, Some(dec("0.5")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_what_was_told_brings_nothing_back() {
    on_each(async |engine| {
        household(engine).await;
        let id = alert(engine, "X", terms(AlertOf::Price, Side::Above, "52")).await;
        let first = "X price above 52: 55 2026-11-19";
        assert_eq!(told(engine).await, [first]);
        let x = PriceSubject::Security(symbol("X"));
        engine.edit(delete(x, TODAY.pred_opt().unwrap(), None, None)).await;
        let now = seen(engine, id).await;
        assert_eq!((now.seen, now.is_on()), (Some(dec("50")), true), "of the 18th");
        price(engine, "X", TODAY.pred_opt().unwrap(), "56").await;
        assert_eq!(told(engine).await, [first]);
        price(engine, "X", TODAY, "51").await;
        assert!(!seen(engine, id).await.is_on(), "now it came back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_price_tells_nothing_but_its_age() {
    on_each(async |engine| {
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2019-01-02,Broker,BUY,X,10,50,,USD,-500\n";
        engine.import(&[("rows.csv", rows)]).await;
        for (of, bound) in [
            (AlertOf::Price, "1"),
            (AlertOf::Change, "1%"),
            (AlertOf::Value, "1"),
            (AlertOf::Weight, "1%"),
        ] {
            alert(engine, "X", terms(of, Side::Above, bound)).await;
        }
        let old = "date,symbol,close,currency\n2019-01-02,sec:X,50,USD\n2019-01-03,sec:X,60,USD\n";
        engine.import(&[("old.csv", old)]).await;
        assert_eq!(told(engine).await, [""; 0]);
        let alerts = report(engine).await.alerts;
        assert!(alerts.iter().all(|row| row.stale && row.is_past() == Some(true)), "{alerts:?}");
        alert(engine, "X", terms(AlertOf::Stale, Side::Above, "5")).await;
        assert_eq!(told(engine).await.len(), 1, "that it is old");
        // A change since years ago is none of the day.
        price(engine, "X", TODAY, "90").await;
        let now = [
            "X price above 1: 90 2026-11-20",
            "X value above 1: 900 2026-11-20",
            "X weight above 0.01: 1 2026-11-20",
        ];
        assert_eq!(told(engine).await[1..], now);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_and_its_undoing_tell_nothing_again() {
    on_each(async |engine| {
        household(engine).await;
        let late = AlertTerms { snoozed: Some(TODAY), ..terms(AlertOf::Price, Side::Above, "60") };
        let id = alert(engine, "X", late).await;
        let note =
            |text| AlertEdit { note: Edit::Set(SafeText::new(text)), ..AlertEdit::default() };
        let noted = engine.edit(Change::EditAlert(id, note("before"))).await;
        price(engine, "X", TODAY, "61").await;
        let once = ["X price above 60: 61 2026-11-20"];
        assert_eq!(told(engine).await, once);
        let back = take_back(&engine.session, noted.steps).await.unwrap();
        assert_eq!(told(engine).await, once);
        take_back(&engine.session, back.steps).await.unwrap();
        assert_eq!(told(engine).await, once);
        // The silence is over: that nobody says it any more says nothing.
        let edit = AlertEdit { snoozed: Edit::Clear, ..note("after") };
        engine.edit(Change::EditAlert(id, edit)).await;
        assert_eq!(told(engine).await, once);
        // Another bound is looked at anew, on the way forward and never on the way back.
        let other = AlertEdit { bound: Some(dec("50")), ..AlertEdit::default() };
        let bounded = engine.edit(Change::EditAlert(id, other)).await;
        let twice = [once[0], "X price above 50: 61 2026-11-20"];
        assert_eq!(told(engine).await, twice);
        let back = take_back(&engine.session, bounded.steps).await.unwrap();
        take_back(&engine.session, back.steps).await.unwrap();
        assert_eq!(told(engine).await, twice);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_after_a_split_leaves_the_bound_as_it_was_said() {
    on_each(async |engine| {
        household(engine).await;
        let said = r#"{"schema":"dashtam.export/1","alerts":[{"security":{"symbol":"X"},
            "direction":"below","price":"50.01","units_of":"2026-11-10"}]}"#;
        engine.import(&[("said.json", said)]).await;
        for (name, text) in split_on("2026-11-20") {
            engine.import(&[(&name, &text)]).await;
        }
        let alert = report(engine).await.alerts.remove(0);
        assert_eq!(alert.bound, Some(dec("10.002")));
        let edit = AlertEdit { note: Edit::Set(SafeText::new("why")), ..AlertEdit::default() };
        engine.edit(Change::EditAlert(alert.id, edit)).await;
        let now = seen(engine, alert.id).await.terms;
        let note = now.note.clone();
        assert_eq!(AlertTerms { note: None, ..now }, alert.terms);
        assert_eq!(note, Some(SafeText::new("why")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_of_an_alert_that_is_another_by_now_is_not_noted() {
    on_each(async |engine| {
        household(engine).await;
        let id = alert(engine, "X", terms(AlertOf::Price, Side::Above, "60")).await;
        // Somebody saw 61 and was slow; meanwhile the bound became another one.
        let before = seen(engine, id).await.terms;
        let edit = AlertEdit { bound: Some(dec("90")), ..AlertEdit::default() };
        engine.edit(Change::EditAlert(id, edit)).await;
        let (bound, seen_then) = (dec("60"), dec("61"));
        let crossed = Crossing { bound, seen: seen_then, on: TODAY, source: None, currency: None };
        let verdict = AlertVerdict { id, terms: before, was: None, crossed: Some(crossed) };
        let store = &engine.session.store;
        let noted = ledger::note_alerts(store, vec![verdict], OpId::at(0), 0).await.unwrap();
        assert!(noted.is_empty() && told(engine).await.is_empty());
        assert!(!seen(engine, id).await.is_on());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_adds_to_what_is_said_by_hand_and_takes_it_back() {
    on_each(async |engine| {
        household(engine).await;
        let edit = WatchEdit {
            list: Edit::Set(SafeText::new("mine")),
            note: Edit::Set(SafeText::new("on a dip")),
            ..WatchEdit::default()
        };
        engine.edit(Change::Watch(symbol("X"), edit)).await;
        let by_hand = engine.dump().await;
        let said = |list: &str, target: &str| {
            format!(
                r#"{{"schema":"dashtam.export/1","watchlist":[{{"security":{{"symbol":"X"}},
                "list":"{list}","target":"{target}","units_of":"2026-11-10"}}]}}"#
            )
        };
        let first = engine.import(&[("first.json", &said("theirs", "60"))]).await;
        let terms = row(engine, "X").await.terms.unwrap();
        assert_eq!(terms.list, Some(SafeText::new("theirs")));
        assert_eq!(terms.note, Some(SafeText::new("on a dip")), "of which it says nothing");
        assert_eq!(terms.target, Some(dec("60")));
        let second = engine.import(&[("second.json", &said("later", "50"))]).await;
        engine.undo(first.batch.unwrap()).await;
        let terms = row(engine, "X").await.terms.unwrap();
        assert_eq!((terms.list, terms.target), (Some(SafeText::new("later")), Some(dec("50"))));
        engine.undo(second.batch.unwrap()).await;
        assert_eq!(engine.dump().await, by_hand);
        // What is said by hand since stays when an import goes.
        let third = engine.import(&[("third.json", &said("theirs", "60"))]).await;
        wait_for(engine, "X", "45").await;
        engine.undo(third.batch.unwrap()).await;
        let terms = row(engine, "X").await.terms.unwrap();
        assert_eq!((terms.list, terms.target), (Some(SafeText::new("mine")), Some(dec("45"))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_import_brought_stays_while_another_says_it_too() {
    on_each(async |engine| {
        household(engine).await;
        let said = r#"{"schema":"dashtam.export/1","watchlist":[{"security":{"symbol":"X"},
            "note":"NOTE"}]}"#;
        let first = engine.import(&[("a.json", &said.replace("NOTE", "a"))]).await;
        let second = engine.import(&[("b.json", &said.replace("NOTE", "b"))]).await;
        engine.undo(first.batch.unwrap()).await;
        let terms = row(engine, "X").await.terms.unwrap();
        assert_eq!(terms.note, Some(SafeText::new("b")));
        engine.undo(second.batch.unwrap()).await;
        assert!(report(engine).await.rows.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_can_be_taken_back_and_done_again() {
    on_each(async |engine| {
        household(engine).await;
        let empty = engine.dump().await;
        let list = Edit::Set(SafeText::new("later"));
        let edit = WatchEdit { list, target: Edit::Set(dec("9")), note: Edit::Keep };
        let made = vec![
            Change::Watch(symbol("NEW@USD"), edit),
            Change::AddAlert(symbol("X"), terms(AlertOf::Price, Side::Above, "1")),
        ];
        let made = apply_all(&engine.session, made).await.unwrap();
        let id = made.alert.unwrap();
        let full = engine.dump().await;
        assert!(full.contains("watch symbol=\"NEW\" quoted=USD list=\"later\" target=9"), "{full}");
        // It has been told since: that does not stand in the way.
        assert!(seen(engine, id).await.is_on());
        let other = AlertEdit {
            of: Some(AlertOf::Stale),
            bound: Some(dec("5")),
            note: Edit::Set(SafeText::new("why")),
            ..AlertEdit::default()
        };
        let security = row(engine, "NEW").await.security;
        let changed = vec![
            Change::EditAlert(id, other),
            Change::SnoozeAlert(id, Some(TODAY)),
            Change::Unwatch(security),
            Change::RemoveAlert(id),
        ];
        let changed = apply_all(&engine.session, changed).await.unwrap();
        let back = take_back(&engine.session, changed.steps).await.unwrap();
        assert_eq!(engine.dump().await, full);
        let gone = take_back(&engine.session, made.steps.clone()).await.unwrap();
        assert_eq!(engine.dump().await, empty, "and the security that it made");
        take_back(&engine.session, gone.steps).await.unwrap();
        assert_eq!(engine.dump().await, full);
        take_back(&engine.session, back.steps).await.unwrap();
        assert!(!engine.dump().await.contains("alert "));
        // What somebody else did since is theirs.
        let why = take_back(&engine.session, made.steps).await.unwrap_err();
        assert!(why.to_string().contains("changed since"), "{why}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_what_was_told() {
    let engine = sqlite().await;
    household(&engine).await;
    wait_for(&engine, "X", "60").await;
    alert(&engine, "X", terms(AlertOf::Price, Side::Above, "1")).await;
    let (dump, log) = (engine.dump().await, told(&engine).await);
    assert_eq!(log.len(), 1);
    let file = engine.folder().join("all.dashtam-backup");
    backup::run(&engine.session, &file, false).await.unwrap();
    for copy in engines().await {
        Backup::open(&file).unwrap().restore(&copy.session).await.unwrap();
        assert_eq!(copy.dump().await, dump);
        assert_eq!(told(&copy).await, log, "{}", copy.name);
        assert_eq!(copy.damage().await, [""; 0]);
        copy.close().await;
    }
    engine.close().await;
}

// ---- as scripts see it

fn held() -> Home {
    let home = Home::new();
    home.ok(&["import", &home.file("rows.csv", ROWS), &home.file("prices.csv", PRICES)]);
    home
}

#[test]
fn the_watchlist_is_kept_by_commands() {
    let home = held();
    home.ok(&["watch", "add", "X", "--group", "later", "--target", "60", "--note", "on a dip"]);
    home.ok(&["watch", "add", "NEW@USD"]);
    home.run(&["watch", "add", "NEWW"]).refused(2, "SYMBOL@CURRENCY");
    let list = home.json(&["watch", "list"]);
    assert_eq!(list["schema"], "dashtam.watch.list/1");
    let x = &list["rows"][0];
    let right = json!({"symbol": "X", "group": "later", "target": "60", "note": "on a dip",
        "price": "55", "price_date": "2026-11-19", "price_source": "file", "change": "0.1",
        "distance": "0.0909090909", "currency": "USD"});
    for (key, value) in right.as_object().unwrap() {
        assert_eq!(&x[key], value, "{key}");
    }
    assert_eq!(list["rows"][1]["price"], Value::Null);
    home.ok(&["watch", "add", "X", "--clear", "target", "--group", "now"]);
    let list = home.ok(&["watch", "list"]);
    let line = list.lines().find(|line| line.contains("on a dip")).unwrap();
    assert!(line.starts_with("now") && !line.contains("60"), "{list}");
    home.ok(&["watch", "remove", "X"]);
    home.run(&["watch", "remove", "X"]).refused(2, "not watched");
}

#[test]
fn alerts_are_kept_looked_at_and_told_by_commands() {
    let home = held();
    let added = home.json(&["alert", "add", "X", "price", "below", "40"]);
    let id = added["alert"].as_i64().unwrap().to_string();
    home.ok(&["alert", "add", "X", "weight", "above", "25%", "--note", "too much"]);
    home.run(&["alert", "add", "X", "stale", "below", "5"]).refused(2, "above a number of days");
    home.run(&["alert", "add", "X", "price", "above", "many"]).refused(2, "BOUND");
    let rows = home.json(&["alert", "list"])["rows"].clone();
    assert_eq!((&rows[0]["past"], &rows[0]["told_on"]), (&json!(false), &Value::Null));
    assert_eq!((&rows[1]["past"], &rows[1]["seen"]), (&json!(true), &json!("0.55")));
    let log = home.json(&["alert", "log"]);
    assert_eq!(log["schema"], "dashtam.alert.log/1");
    let told = |log: &Value| log["rows"].as_array().unwrap().len();
    assert_eq!((told(&log), &log["rows"][0]["bound"]), (1, &json!("0.25")));
    assert_eq!(told(&home.json(&["alert", "check"])), 0, "each crossing once");
    home.ok(&["alert", "snooze", &id, "--until", "2999-01-01"]);
    home.ok(&[
        "price",
        "set",
        "sec:X",
        "--date",
        "2026-11-20",
        "--close",
        "39",
        "--currency",
        "USD",
    ]);
    assert_eq!(told(&home.json(&["alert", "check"])), 0);
    home.ok(&["alert", "wake", &id]);
    assert_eq!(told(&home.json(&["alert", "log"])), 2);
    let list = home.ok(&["alert", "list", "--private"]);
    assert!(!list.contains("39") && list.contains("46.4 %") && list.contains("•••"), "{list}");
    home.ok(&["alert", "remove", &id]);
    home.run(&["alert", "remove", &id]).refused(2, "no alert");
    assert_eq!(told(&home.json(&["alert", "log"])), 2, "what was told stays");
}

#[test]
fn five_of_a_hundred_are_not_five_times_as_much() {
    let home = held();
    home.run(&["alert", "add", "X", "change", "above", "5"]).refused(2, "write 5%");
    home.run(&["alert", "add", "X", "weight", "above", "25"]).refused(2, "write 25%");
    let added = home.ok(&["alert", "add", "X", "change", "above", "0.05"]);
    assert!(added.contains("X change above 5%"), "{added}");
}

#[test]
fn a_value_is_masked_where_amounts_are() {
    let home = held();
    let added = home.ok(&["alert", "add", "X", "value", "above", "500", "--private"]);
    assert!(added.contains("X value above") && !added.contains("500"), "{added}");
    for command in ["list", "log"] {
        assert!(home.ok(&["alert", command]).contains("550"));
        for line in
            [vec!["alert", command, "--private"], vec!["alert", command, "--private", "--json"]]
        {
            assert!(!home.ok(&line).contains("550"), "{line:?}");
        }
    }
}

// ---- prices that are taken away, and what sources call a security

fn delete(
    subject: PriceSubject,
    date: NaiveDate,
    source: Option<&str>,
    currency: Option<Currency>,
) -> Change {
    let source = source.map(SafeText::new);
    Change::DeletePrice(PriceToDelete { subject, date, source, currency })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_taken_away_counts_no_more_and_comes_back() {
    on_each(async |engine| {
        household(engine).await;
        let other = "date,symbol,close,currency,source\n2026-11-19,sec:X,54,USD,yahoo\n";
        engine.import(&[("other.csv", other)]).await;
        let dump = engine.dump().await;
        let day = TODAY.pred_opt().unwrap();
        let x = || PriceSubject::Security(symbol("X"));
        let delete = |source: Option<&str>| delete(x(), day, source, None);
        let mut back = Vec::new();
        // A file is believed before a market, and its price of the day before is still fresh.
        back.push(engine.edit(delete(None)).await.steps);
        wait_for(engine, "X", "60").await;
        assert_eq!(row(engine, "X").await.price, Some(dec("50")));
        back.push(engine.edit(delete(Some("yahoo"))).await.steps);
        assert_eq!(row(engine, "X").await.price, Some(dec("50")));
        let why = engine.try_edit(delete(None)).await.unwrap_err();
        assert!(why.to_string().contains("no price of X of 2026-11-19"), "{why}");
        engine.edit(Change::Unwatch(row(engine, "X").await.security)).await;
        for steps in back.into_iter().rev() {
            take_back(&engine.session, steps).await.unwrap();
        }
        assert_eq!(engine.dump().await, dump);
        assert_eq!(ledger::check(&engine.session.store).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_taken_away_likewise() {
    on_each(async |engine| {
        let rates = "date,symbol,close,currency\n2026-11-19,fx:CAD,0.72,USD\n";
        engine.import(&[("rates.csv", rates)]).await;
        let dump = engine.dump().await;
        let (cad, day) = (|| PriceSubject::Currency(Currency::CAD), TODAY.pred_opt().unwrap());
        let done = engine.edit(delete(cad(), day, None, None)).await;
        assert!(!engine.dump().await.contains("rate "));
        take_back(&engine.session, done.steps).await.unwrap();
        assert_eq!(engine.dump().await, dump);
        // In which currency totals are makes no difference, but one of several is to be named.
        let more = "date,symbol,close,currency\n2026-11-19,fx:CAD,0.62,EUR\n";
        engine.import(&[("more.csv", more)]).await;
        let why = engine.try_edit(delete(cad(), day, None, None)).await.unwrap_err();
        assert!(why.to_string().contains("several currencies"), "{why}");
        engine.edit(delete(cad(), day, None, Some(Currency::EUR))).await;
        assert_eq!(engine.dump().await, dump);
        engine.edit(Change::Set(Setting::BaseCurrency, "EUR".to_owned())).await;
        engine.edit(delete(cad(), day, None, None)).await;
        assert!(!engine.dump().await.contains("rate "));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_asked_by_the_symbol_that_it_has() {
    on_each(async |engine| {
        household(engine).await;
        wait_for(engine, "Y", "9").await;
        let x = row_of(engine, "X").await;
        let say = |symbol: Option<&str>| {
            Change::SetSymbol(x, SafeText::new("simulated"), symbol.map(SafeText::new))
        };
        let asked = async |source: &str| {
            let wanted = WantedAll::read(&engine.session.store, TODAY).await.unwrap();
            let of =
                |security| wanted.asked_of(security, &SafeText::new(source)).symbol.to_string();
            wanted.securities.iter().map(of).collect::<Vec<_>>()
        };
        // It is what another security is called, which confuses nobody but that source.
        let said = engine.edit(say(Some("Y"))).await;
        assert_eq!(asked("simulated").await, ["Y", "Y"]);
        assert_eq!(asked("frankfurter").await, ["X", "Y"]);
        let price = "date,symbol,close,currency\n2026-11-20,Y,46,USD\n";
        let report = engine.import(&[("y.csv", price)]).await;
        assert_eq!(report.files[0].refused_total, 0);
        // Nor is it a name for anybody else, who may mean another one by it.
        engine.edit(say(Some("X.TO"))).await;
        let meant = watch::mention(&engine.session, "X.TO@CAD").await.unwrap();
        assert_eq!(meant, symbol("X.TO@CAD"));
        assert!(security_named(&engine.session, "X.TO").await.is_err());
        engine.edit(say(None)).await;
        assert_eq!(asked("simulated").await, ["X", "Y"]);
        let why = take_back(&engine.session, said.steps).await.unwrap_err();
        assert!(why.to_string().contains("changed since"), "{why}");
        assert!(
            engine.try_edit(Change::SetSymbol(x, SafeText::new("file X"), None)).await.is_err()
        );
    })
    .await;
}

async fn row_of(engine: &Engine, name: &str) -> SecurityId {
    security_named(&engine.session, name).await.unwrap().id
}

#[test]
fn prices_and_symbols_are_changed_by_commands() {
    let home = held();
    home.ok(&["price", "delete", "sec:X", "2026-11-19"]);
    home.run(&["price", "delete", "X", "2026-11-19"]).refused(2, "no price of X");
    home.run(&["price", "delete", "sec:ZZZ", "2026-11-19"]).refused(2, "no such security");
    home.ok(&["watch", "add", "X"]);
    assert_eq!(home.json(&["watch", "list"])["rows"][0]["price"], "50");
    let said = home.ok(&["security", "symbol", "X", "simulated", "X.US"]);
    assert!(said.contains("simulated is asked for X as X.US"), "{said}");
    home.ok(&["security", "symbol", "X", "simulated"]);
    home.run(&["security", "symbol", "X", "simulatd", "X.US"])
        .refused(2, "nobody called `simulatd`");
}
