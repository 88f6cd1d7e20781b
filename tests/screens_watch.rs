//! What somebody keeps an eye on, by keys: securities, alerts and what they told; and what belongs to
//! it: a price taken away, what a source calls a security, a split that is added where it is noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "support/screen.rs"]
mod screen;

use std::fmt::Write as _;

use chrono::{NaiveDate, TimeDelta};
use dashtam::model::{
    AlertId, AlertOf, AlertTerms, Change, Currency, Dec, Edit, Mention, SecurityEdit, Side,
    WatchEdit,
};
use dashtam::service::edit;
use dashtam::service::import::{self, ImportRequest};
use screen::{Dashboard, SIZES, on_demo, options, run};

/// The keys that type a text.
fn typing(text: &str) -> String {
    let key = |c: char| if c == ' ' { "Space".to_owned() } else { c.to_string() };
    text.chars().map(key).collect::<Vec<_>>().join(" ")
}

impl Dashboard {
    /// Presses keys and types texts, one after the other, and has what was asked for done.
    async fn fill(&mut self, keys: &str, texts: &[&str]) {
        if !keys.is_empty() {
            self.keys(keys).await;
        }
        for text in texts {
            if !text.is_empty() {
                self.keys(&typing(text)).await;
            }
            self.keys("Enter").await;
        }
        self.work().await;
    }
}

/// The tab of the pane.
fn tab(screen: &str) -> &str {
    screen.lines().next().unwrap()
}

#[test]
fn an_alert_is_added_told_silenced_and_taken_back() {
    on_demo((120, 40), async |dashboard| {
        // NWEQ costs 112.40; its alert waits for less than 105.
        dashboard.keys("8").await;
        let before = dashboard.screen();
        assert!(!tab(&before).contains('!') && before.contains("▼ -6.58 %"), "{before}");
        dashboard.keys("/ N W E Q Enter A").await;
        insta::assert_snapshot!("a_new_alert", dashboard.screen());
        dashboard.fill("", &["", "", "110", "already"]).await;
        let screen = dashboard.screen();
        assert!(tab(&screen).contains("8 Watch!"), "{screen}");
        let said = "! NWEQ: price above 110.00, it was 112.40 on 2026-11-20";
        assert!(screen.contains(said), "{screen}");
        insta::assert_snapshot!("an_alert_that_told", screen);
        dashboard.keys("j").await;
        assert!(dashboard.screen().contains("! 1 alert"), "{}", dashboard.screen());
        // It is the first of what needs attention.
        dashboard.keys("0").await;
        let screen = dashboard.screen();
        let mut lines = screen.lines().skip_while(|line| !line.contains("Needs attention"));
        let begins = "! NWEQ: price above 110.00, it was 112.40";
        assert!(lines.nth(1).unwrap().contains(begins), "{screen}");
        dashboard.keys("8 o").await;
        assert!(dashboard.screen().contains("shown: alerts"));
        dashboard.keys("k").await;
        for size in SIZES {
            dashboard.resize(size).await;
            insta::assert_snapshot!(format!("alerts_{}x{}", size.0, size.1), dashboard.screen());
        }
        dashboard.keys("o").await;
        for size in SIZES {
            dashboard.resize(size).await;
            insta::assert_snapshot!(format!("alert_log_{}x{}", size.0, size.1), dashboard.screen());
        }
        dashboard.resize((120, 40)).await;
        dashboard.fill("o S", &[]).await;
        let silent = dashboard.screen();
        assert!(!tab(&silent).contains('!') && silent.contains("silent until 2026-11-28"));
        dashboard.fill("z", &[]).await;
        assert!(tab(&dashboard.screen()).contains("8 Watch!"), "{}", dashboard.screen());
        dashboard.fill("z", &[]).await;
        let screen = dashboard.screen();
        assert!(!tab(&screen).contains('!') && screen.contains("3 alerts"), "{screen}");
    });
}

/// Adds an alert as somebody else would.
async fn alert(dashboard: &Dashboard, symbol: &str, side: Side, bound: i64) -> AlertId {
    let (of, bound) = (AlertOf::Price, Dec::from_i64(bound));
    let terms =
        AlertTerms { of, side, bound, note: None, units_of: None, said_in: None, snoozed: None };
    let change = Change::AddAlert(Mention::parse(symbol).unwrap(), terms);
    edit::apply(dashboard.session(), change).await.unwrap().alert.unwrap()
}

#[test]
fn what_is_told_is_of_its_own_day_whichever_is_shown() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("8 @ 2 0 2 0 - 0 6 - 3 0 Enter").await;
        alert(dashboard, "NWEQ", Side::Above, 110).await;
        dashboard.catch_up().await;
        let said = "NWEQ: price above 110.00, it was 112.40 on 2026-11-20";
        assert!(dashboard.screen().contains(said), "{}", dashboard.screen());
        dashboard.keys("/ N W E Q Enter").await;
        insta::assert_snapshot!("an_alert_on_an_earlier_day", dashboard.screen());
        dashboard.keys("0").await;
        let begins = "! NWEQ: price above 110.00, it was 112.40";
        assert!(dashboard.screen().contains(begins), "{}", dashboard.screen());
    });
}

#[test]
fn a_silence_that_lasts_longer_is_not_cut_short() {
    on_demo((120, 40), async |dashboard| {
        let long = alert(dashboard, "NWEQ", Side::Above, 200).await;
        let until = NaiveDate::from_ymd_opt(2027, 1, 1);
        edit::apply(dashboard.session(), Change::SnoozeAlert(long, until)).await.unwrap();
        dashboard.catch_up().await;
        // On an earlier day as well, as silence is of today.
        dashboard.keys("8 @ 2 0 2 6 - 1 1 - 0 2 Enter / N W E Q Enter").await;
        dashboard.fill("S", &[]).await;
        let screen = dashboard.screen();
        assert!(screen.contains("price above 200.00: 111.42, silent until 2027-01-01"), "{screen}");
        assert!(screen.contains("silent until 2026-11-28"), "{screen}");
        // Of all that told something none is silenced by what it told.
        alert(dashboard, "NWEQ", Side::Above, 1).await;
        dashboard.catch_up().await;
        dashboard.fill("o o S", &[]).await;
        let screen = dashboard.screen();
        assert!(screen.contains("what was told stays as it was"), "{screen}");
    });
}

#[test]
fn a_bound_is_changed_in_units_of_today() {
    on_demo((120, 40), async |dashboard| {
        // AURX was split 4:1 since; its target of 320 is one of 80.
        alert(dashboard, "AURX", Side::Below, 60).await;
        dashboard.catch_up().await;
        dashboard.keys("8 @ 2 0 2 0 - 0 6 - 3 0 Enter / A U R X Enter").await;
        assert!(dashboard.screen().contains("price below 240.00"), "{}", dashboard.screen());
        dashboard.keys("e").await;
        insta::assert_snapshot!("a_target_on_an_earlier_day", dashboard.screen());
        dashboard.keys("Esc o j e").await;
        insta::assert_snapshot!("a_bound_on_an_earlier_day", dashboard.screen());
        // With another note it stays what it was.
        dashboard.fill("Tab w h y Ctrl-s", &[]).await;
        dashboard.keys("@ 2 0 2 6 - 1 1 - 2 1 Enter").await;
        let screen = dashboard.screen();
        let row = screen.lines().find(|line| line.contains("AURX      price below")).unwrap();
        assert!(row.contains(" 60.00 ") && row.contains("why"), "{screen}");
    });
}

#[test]
fn what_was_said_in_another_currency_is_not_known() {
    on_demo((120, 40), async |dashboard| {
        alert(dashboard, "NWEQ", Side::Above, 200).await;
        dashboard.fill("8 / N W E Q Enter e", &["115", ""]).await;
        let id = edit::security_named(dashboard.session(), "NWEQ").await.unwrap().id;
        let currency = Some(Currency::CAD);
        let change = Change::EditSecurity(id, SecurityEdit { currency, ..SecurityEdit::default() });
        edit::apply(dashboard.session(), change).await.unwrap();
        dashboard.catch_up().await;
        for size in [(80, 24), (60, 30)] {
            dashboard.resize(size).await;
            let name = format!("said_in_another_currency_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, dashboard.screen());
        }
        dashboard.resize((120, 40)).await;
        dashboard.keys("o").await;
        insta::assert_snapshot!("alerts_in_another_currency", dashboard.screen());
    });
}

#[test]
fn securities_are_watched_and_left_by_keys() {
    on_demo((120, 40), async |dashboard| {
        dashboard.fill("8 a", &["NEWX@EUR", "Ideas", "12.5", "on a dip"]).await;
        let screen = dashboard.screen();
        let row = screen.lines().find(|line| line.contains("NEWX")).unwrap();
        assert!(row.starts_with("Ideas") && row.contains("12.50") && row.contains("n/a"), "{row}");
        dashboard.keys("G g g / N E W X Enter e").await;
        insta::assert_snapshot!("what_is_said_of_a_watched_one", dashboard.screen());
        dashboard.fill("", &["13", ""]).await;
        assert!(dashboard.screen().contains("13.00"), "{}", dashboard.screen());
        dashboard.fill("d", &[]).await;
        assert!(dashboard.screen().contains("is watched no more; z takes it back"));
        dashboard.fill("z", &[]).await;
        dashboard.keys("Esc").await;
        assert!(dashboard.screen().contains("NEWX"), "{}", dashboard.screen());
        // From where a security is held, with the same key back and forth.
        dashboard.keys("2 / T N D R Enter j g w").await;
        assert!(dashboard.screen().contains("Watch a security"), "{}", dashboard.screen());
        dashboard.fill("Ctrl-s", &[]).await;
        dashboard.keys("8").await;
        assert!(dashboard.screen().contains("TNDR.TO"), "{}", dashboard.screen());
        dashboard.fill("2 g w", &[]).await;
        dashboard.keys("8").await;
        assert!(!dashboard.screen().contains("TNDR.TO"), "{}", dashboard.screen());
    });
}

#[test]
fn what_makes_no_sense_is_refused_where_it_is_typed() {
    on_demo((100, 30), async |dashboard| {
        dashboard.keys("8 A").await;
        dashboard.keys(&format!("{} Enter Enter {} Enter", typing("weight"), typing("120%"))).await;
        assert!(dashboard.screen().contains("a weight is a part of 1"), "{}", dashboard.screen());
        dashboard.keys("Esc y").await;
        // A slip of the pen makes no security.
        dashboard.fill("8 a", &["XQQQ", "", "", ""]).await;
        assert!(dashboard.screen().contains("there is no such security"), "{}", dashboard.screen());
    });
}

#[test]
fn how_a_distance_came_about_is_one_key_away() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("8 / A U R X Enter =").await;
        insta::assert_snapshot!("explain_a_distance", dashboard.screen());
    });
}

#[test]
fn nothing_watched_says_what_to_do() {
    run(async {
        let mut dashboard = Dashboard::empty((80, 24), options()).await;
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-02,A,DEPOSIT,,,,,USD,5\n";
        bring(&dashboard, &[("a.csv", file)]).await;
        dashboard.catch_up().await;
        dashboard.keys("8").await;
        insta::assert_snapshot!("nothing_watched", dashboard.screen());
        dashboard.close().await;
    });
}

/// Takes files in, as somebody else would.
async fn bring(dashboard: &Dashboard, files: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let request = ImportRequest { files: paths, ..ImportRequest::default() };
    import::run(dashboard.session(), request).await.unwrap();
}

#[test]
fn a_price_is_taken_away_by_hand_and_comes_back() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("8 / N W E Q Enter Enter").await;
        assert!(dashboard.screen().contains("2026-11-20"), "{}", dashboard.screen());
        dashboard.fill("g g d", &[]).await;
        let screen = dashboard.screen();
        assert!(screen.contains("took the price of 2026-11-20 away"), "{screen}");
        let first = |screen: &str| {
            let lines: Vec<_> = screen.lines().map(str::to_owned).collect();
            let at = lines.iter().position(|line| line.starts_with("Day")).unwrap();
            lines[at + 1].clone()
        };
        assert!(first(&screen).starts_with("2026-11-19"), "{screen}");
        dashboard.fill("z", &[]).await;
        // On a machine that is busy the prices are read later than the rest.
        for _ in 0..50 {
            if !first(&dashboard.screen()).starts_with("2026-11-20") {
                dashboard.catch_up().await;
            }
        }
        let screen = dashboard.screen();
        assert!(first(&screen).starts_with("2026-11-20"), "{screen}");
    });
}

#[test]
fn what_a_source_calls_a_security_is_said_in_a_form() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("8 / N W E Q Enter Enter m").await;
        insta::assert_snapshot!("what_a_source_calls_it", dashboard.screen());
        dashboard.fill("", &["yaho", "NWEQ.US"]).await;
        assert!(dashboard.screen().contains("nobody called `yaho`"), "{}", dashboard.screen());
        dashboard.fill("", &["simulated", "NWEQ.US"]).await;
        assert!(dashboard.screen().contains("NWEQ.US by simulated"), "{}", dashboard.screen());
        dashboard.fill("z", &[]).await;
        assert!(!dashboard.screen().contains("NWEQ.US by"), "{}", dashboard.screen());
    });
}

#[test]
fn a_split_that_the_rows_lack_is_added_where_it_is_noticed() {
    let mut prices = "date,symbol,close,currency\n".to_owned();
    let mut day: NaiveDate = "2026-10-20".parse().unwrap();
    while day <= "2026-11-20".parse().unwrap() {
        let close = if day < "2026-11-09".parse().unwrap() { 400 } else { 101 };
        writeln!(prices, "{day},sec:X,{close},USD").unwrap();
        day += TimeDelta::days(1);
    }
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2026-10-20,A,DEPOSIT,,,,,USD,10000\n2026-10-20,A,BUY,X,10,400,,USD,-4000\n";
    run(async {
        let mut dashboard = Dashboard::empty((120, 40), options()).await;
        bring(&dashboard, &[("rows.csv", rows), ("prices.csv", &prices)]).await;
        dashboard.catch_up().await;
        dashboard.keys("g h").await;
        insta::assert_snapshot!("a_split_not_in_the_rows", dashboard.screen());
        dashboard.fill("A y", &[]).await;
        let screen = dashboard.screen();
        assert!(!screen.contains("split not in the rows"), "{screen}");
        dashboard.keys("2").await;
        assert!(dashboard.screen().contains("4,040.00"), "{}", dashboard.screen());
        dashboard.fill("z", &[]).await;
        dashboard.keys("g h").await;
        assert!(dashboard.screen().contains("split not in the rows"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn what_somebody_else_watches_is_seen() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("8").await;
        let list = Edit::Set(dashtam::model::SafeText::new("Theirs"));
        let edit = WatchEdit { list, ..WatchEdit::default() };
        let change = Change::Watch(Mention::parse("NEWX@EUR").unwrap(), edit);
        edit::apply(dashboard.session(), change).await.unwrap();
        dashboard.catch_up().await;
        assert!(dashboard.screen().contains("Theirs"), "{}", dashboard.screen());
    });
}
