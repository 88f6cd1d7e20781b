//! The panes that judge what the others show: performance and the like, driven by keys through the
//! real app, state and store. What their figures must be is checked elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "support/hostile.rs"]
mod hostile;
#[path = "support/screen.rs"]
mod screen;

use dashtam::model::{Change, Dec, Dimension, NewTarget, SafeText};
use dashtam::service::import::{self, ImportRequest};
use dashtam::service::{Session, demo, edit};
use dashtam::tui::{Edit as TuiEdit, Effect, Errand, Options};
use screen::{Dashboard, clock, on_demo, options, run};

/// The line of a screen that has this.
fn line(screen: &str, has: &str) -> String {
    let found = screen.lines().find(|line| line.contains(has));
    found.unwrap_or_else(|| panic!("{has} is not on\n{screen}")).to_owned()
}

#[test]
fn performance_is_told_of_every_scope_and_range() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("5 o o").await;
        insta::assert_snapshot!("performance_of_accounts", dashboard.screen());
        dashboard.keys("o G").await;
        insta::assert_snapshot!("performance_of_a_holding", dashboard.screen());
        // By return, the best first; the next match of what is looked for.
        dashboard.keys("s j j j Space Enter g g Y").await;
        assert!(dashboard.copied()[0].starts_with("MPLF.TO\tTFSA"), "{:?}", dashboard.copied());
        dashboard.keys("/ p l n b Esc n Y").await;
        assert!(dashboard.copied()[1].starts_with("PLNB"), "{:?}", dashboard.copied());
        // A shorter range begins later, the longest with the first row.
        dashboard.keys("o [ [").await;
        assert!(dashboard.screen().contains("all: 2026-05-22 to 2026-11-21"));
        dashboard.keys("] ] ] ]").await;
        assert!(dashboard.screen().contains("all: 2016-"), "{}", dashboard.screen());
        assert!(line(&dashboard.screen(), "2018 ").contains('+'), "the months of all years");
    });
}

#[test]
fn performance_stands_against_a_security_that_is_named() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("5 o o G b U B M K Enter").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "Against").contains("UBMK"), "{screen}");
        assert!(line(&screen, "its return").contains('%'), "{screen}");
        // A name that means nothing is said to, and takes nothing else away.
        dashboard.keys("b N O S U C H Enter").await;
        let screen = dashboard.screen();
        assert!(screen.contains("no one security is called NOSUCH"), "{screen}");
        assert!(line(&screen, "Return (TWR)").contains('%'), "{screen}");
        dashboard.keys("b n o n e Enter").await;
        assert!(!dashboard.screen().contains("Against"));
    });
}

#[test]
fn the_figures_of_performance_are_explained() {
    on_demo((120, 60), async |dashboard| {
        dashboard.keys("5 o o o G =").await;
        let screen = dashboard.screen();
        assert!(screen.contains("gain of ") && screen.contains("end_value"), "{screen}");
    });
}

#[test]
fn what_is_not_known_of_performance_says_why() {
    run(async {
        // There is an account, and nothing in it.
        let (session, folder) = hostile::bare(&clock()).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        dashboard.keys("5").await;
        insta::assert_snapshot!("performance_of_nothing", dashboard.screen());
        dashboard.close().await;
    });
}

/// The demo with targets for two classes.
async fn with_targets() -> (Session, tempfile::TempDir) {
    let (session, folder) = demo::open(&clock()).await.unwrap();
    for (key, weight, band) in [("etf", "0.5", None), ("mutual_fund", "0.05", Some("0.01"))] {
        let target = NewTarget {
            dimension: Dimension::Class,
            key: SafeText::new(key),
            weight: Dec::parse(weight).unwrap(),
            band: band.map(|band| Dec::parse(band).unwrap()),
        };
        edit::apply(&session, Change::SetTarget(target)).await.unwrap();
    }
    (session, folder)
}

#[test]
fn a_plan_is_typed_and_shown_and_written_on_request() {
    run(async {
        let (session, folder) = with_targets().await;
        let mut dashboard = Dashboard::over(session, Some(folder), (120, 40), options()).await;
        dashboard.keys("6").await;
        insta::assert_snapshot!("allocation_with_targets", dashboard.screen());
        dashboard.keys("w p . c s v Enter").await;
        assert!(dashboard.screen().contains("there is no plan to write"));
        dashboard.keys("i 5 , 0 0 0 Enter").await;
        insta::assert_snapshot!("plan_to_invest", dashboard.screen());
        dashboard.keys("w p . c s v Enter").await;
        let [Effect::Begin(Errand::WritePlan(path, bytes))] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(path, std::path::Path::new("p.csv"));
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("by,key,action,") && text.contains("buy"), "{text}");
        dashboard.keys("X 9 0 0 0 Enter u").await;
        insta::assert_snapshot!("plan_to_raise", dashboard.screen());
        // More than there is: it is said in words, and without the amount where those are hidden.
        dashboard.keys("X 9 0 0 0 0 0 0 0 0 Enter").await;
        assert!(dashboard.screen().contains("can be raised"), "{}", dashboard.screen());
        dashboard.keys("p").await;
        assert!(line(&dashboard.screen(), "can be raised").contains("•••"));
        dashboard.keys("p Esc").await;
        assert!(!dashboard.screen().contains("can be raised"));
        dashboard.close().await;
    });
}

#[test]
fn without_targets_a_plan_says_how_to_make_them() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        dashboard.keys("6 i 1 0 Enter").await;
        assert!(
            dashboard.screen().contains("there is no target by class"),
            "{}",
            dashboard.screen()
        );
        dashboard.keys("e 5 0 % Ctrl-s").await;
        let Some(Effect::Begin(Errand::Edit(TuiEdit::Change(_, changes)))) =
            dashboard.wanted.last()
        else {
            panic!("{:?}", dashboard.wanted)
        };
        let [Change::SetTarget(target)] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(target.weight, Dec::parse("0.5").unwrap());
        dashboard.close().await;
        // Where nothing may be written, nothing is.
        let looking = Options { read_only: true, ..options() };
        let mut dashboard = Dashboard::demo((80, 24), looking).await;
        dashboard.keys("6 e").await;
        assert!(dashboard.wanted.is_empty() && dashboard.screen().contains("nothing is written"));
        dashboard.close().await;
    });
}

#[test]
fn the_parts_of_each_dimension_are_told_and_explained() {
    on_demo((100, 40), async |dashboard| {
        dashboard.keys("6 o").await;
        insta::assert_snapshot!("allocation_by_sector", dashboard.screen());
        dashboard.keys("=").await;
        assert!(dashboard.screen().contains("value_base of unknown"), "{}", dashboard.screen());
        dashboard.keys("Esc o o o Enter").await;
        // An account opens what it holds.
        let open = dashboard.screen();
        assert!(open.contains("group account"), "{open}");
    });
}

#[test]
fn income_tells_what_came_and_calls_the_rest_a_forecast() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("7").await;
        insta::assert_snapshot!("income_by_month", dashboard.screen());
        // The last month of all may only come: its days say so.
        dashboard.keys("G").await;
        let screen = dashboard.screen();
        let last = screen.lines().rev().find(|line| line.starts_with("2027-")).unwrap();
        assert!(last.contains("forecast") && !last.contains("received"), "{screen}");
        dashboard.keys("f").await;
        let screen = dashboard.screen();
        assert!(!screen.contains("2027-") && !screen.contains('░'), "{screen}");
        dashboard.keys("o j").await;
        insta::assert_snapshot!("income_by_security", dashboard.screen());
        dashboard.keys("=").await;
        assert!(dashboard.screen().contains("amount_base of"), "{}", dashboard.screen());
    });
}

#[test]
fn an_import_is_taken_back_only_after_a_yes() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        // One row that is stored and one that is not.
        let path = folder.path().join("late rows.csv");
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-16,Broker,DEPOSIT,,,,,USD,12.5\n2026-11-17,Broker,NONSENSE,,,,,USD,1\n";
        std::fs::write(&path, rows).unwrap();
        let request =
            ImportRequest { files: vec![path], partial: true, ..ImportRequest::default() };
        import::run(&session, request).await.unwrap();
        let mut dashboard =
            Dashboard::over(session.clone(), Some(folder), (100, 30), options()).await;
        dashboard.keys("9").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "late rows.csv").contains("stored"), "{screen}");
        assert!(line(&screen, "refused").contains("type"), "{screen}");
        dashboard.keys("z").await;
        let asked = dashboard.screen();
        assert!(asked.contains("Sure?") && asked.contains("Of 1 new rows"), "{asked}");
        // Enter is no yes, and Esc is a no.
        dashboard.keys("Enter").await;
        assert!(dashboard.screen().contains("Sure?"));
        dashboard.keys("Esc").await;
        assert!(!dashboard.screen().contains("Sure?") && dashboard.wanted.is_empty());
        dashboard.keys("z y").await;
        let [Effect::Begin(Errand::UndoImport(batch))] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        import::undo(&session, *batch).await.unwrap();
        dashboard.keys("r 0 9").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "late rows.csv").contains("taken back"), "{screen}");
        dashboard.keys("z").await;
        assert!(dashboard.screen().contains("was taken back already"));
        // Its files come in once more by the same command.
        dashboard.keys("Z").await;
        assert!(line(&dashboard.screen(), ":import").contains("late rows.csv"));
        dashboard.close().await;
    });
}

#[test]
fn where_nothing_is_written_no_import_is_taken_back() {
    run(async {
        let looking = Options { read_only: true, ..options() };
        let mut dashboard = Dashboard::demo((80, 24), looking).await;
        dashboard.keys("9 z").await;
        assert!(dashboard.screen().contains("nothing is written"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn what_needs_a_look_leads_to_where_it_is_mended() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("g h").await;
        insta::assert_snapshot!("health_of_the_demo", dashboard.screen());
        // An old price shows its chart, one that is missing begins an import.
        dashboard.keys("/ s t a l e Enter Enter").await;
        assert!(dashboard.screen().contains("PELA · USD · days"), "{}", dashboard.screen());
        dashboard.keys("- / Ctrl-u m i s s i n g Enter Enter").await;
        let screen = dashboard.screen();
        assert!(screen.lines().last().unwrap().starts_with(":import"), "{screen}");
    });
}

#[test]
fn cash_below_zero_and_old_prices_are_found() {
    run(async {
        let (session, folder) = hostile::empty(&clock()).await;
        let file = |name: &str, lines: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, lines).unwrap();
            path
        };
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-01-05,Broker,BUY,Q,10,12,,USD,\n2026-02-05,Broker,SELL,R,5,10,,USD,\n";
        hostile::take_in(&session, file("rows.csv", rows)).await;
        let prices = "date,symbol,close,currency\n2026-01-09,sec:Q,14,USD\n";
        hostile::take_in(&session, file("prices.csv", prices)).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (120, 30), options()).await;
        dashboard.keys("g h").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "cash below zero").contains("-70.00 USD"), "{screen}");
        assert!(line(&screen, "stale price").contains("316 days old, of file"), "{screen}");
        assert!(line(&screen, "gap of prices").contains("days in need had"), "{screen}");
        // Hidden amounts are hidden here too.
        dashboard.keys("p").await;
        assert!(line(&dashboard.screen(), "cash below zero").contains("•••"));
        dashboard.keys("p / b e l o w Enter Enter").await;
        assert!(dashboard.screen().contains("Broker · USD"), "{}", dashboard.screen());
        // What a row causes leads to that row, and to no other.
        dashboard.keys("Esc g h / Ctrl-u s h o r t Space o p Enter Enter").await;
        let screen = dashboard.screen();
        assert!(screen.contains("sell") && !screen.contains("buy"), "{screen}");
        dashboard.close().await;
    });
}

#[test]
fn what_was_done_is_told_as_it_happens() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard =
            Dashboard::over(session.clone(), Some(folder), (100, 24), options()).await;
        dashboard.keys("g a").await;
        let before = dashboard.screen();
        assert!(line(&before, "SUCCEEDED").contains("import"), "{before}");
        let attempt = session.audit().unwrap().attempt("backup", "file=x").await.unwrap();
        dashboard.keys("r 0 g a").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "UNDER WAY").contains("backup"), "{screen}");
        attempt.failed("disk full").await.unwrap();
        dashboard.keys("r 0 g a").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "FAILED").contains("backup"), "{screen}");
        assert!(!screen.contains("UNDER WAY"), "{screen}");
        dashboard.close().await;
    });
}

#[test]
fn a_holding_opens_everything_of_its_security() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("2 j j Enter").await;
        insta::assert_snapshot!("security_of_a_holding", dashboard.screen());
        dashboard.keys("j Y").await;
        assert!(dashboard.copied()[0].starts_with("2026-11-19\t"), "{:?}", dashboard.copied());
        // On to its chart, and back to the holdings.
        dashboard.keys("Enter").await;
        assert!(dashboard.screen().contains("weeks ·") || dashboard.screen().contains("days"));
    });
}

#[test]
fn indicators_stand_beside_prices_and_say_what_they_are() {
    on_demo((120, 40), async |dashboard| {
        // Net worth has none.
        dashboard.keys("4 i").await;
        assert!(dashboard.screen().contains("indicators are of prices"));
        dashboard.keys("j i").await;
        insta::assert_snapshot!("chart_with_averages", dashboard.screen());
        dashboard.keys("i i i").await;
        insta::assert_snapshot!("chart_with_strength", dashboard.screen());
        dashboard.keys("i").await;
        assert!(line(&dashboard.screen(), "MACD ···").contains("signal"));
        dashboard.keys("i L").await;
        let status = dashboard.screen().lines().nth(1).unwrap().to_owned();
        assert!(status.contains("line   log   1y"), "{status}");
        // Of few bars there is no average: it is not known, and never zero.
        dashboard.keys("L [ [ [ i").await;
        dashboard.keys("h h h").await;
        assert!(!dashboard.screen().contains("SMA 20 ··· 0.00"), "{}", dashboard.screen());
    });
}

#[test]
fn two_securities_are_compared_from_the_same_day_on() {
    on_demo((120, 40), async |dashboard| {
        dashboard.keys("4 j & U B M K Enter").await;
        insta::assert_snapshot!("chart_of_two_securities", dashboard.screen());
        // A comparison has no amounts in it: it stays where those are hidden.
        dashboard.keys("p").await;
        assert!(line(&dashboard.screen(), "UBMK ···").contains('%'));
        dashboard.keys("p & N O S U C H Enter").await;
        assert!(dashboard.screen().contains("no one security is called NOSUCH"));
    });
}

#[test]
fn a_row_of_income_opens_just_the_rows_that_it_adds_up() {
    on_demo((140, 40), async |dashboard| {
        // The last year of a security, whose net is the cash that came in.
        dashboard.keys("7 o G").await;
        let shown = line(&dashboard.screen(), "UBMK ");
        let net = shown.split_whitespace().nth(4).unwrap().to_owned();
        dashboard.keys("Enter g g v G").await;
        let screen = dashboard.screen();
        assert!(
            line(&screen, " in the range ").contains(&format!(" {net} USD")),
            "{net}\n{screen}"
        );
        // The first month of a span has no day before it.
        dashboard.keys("Esc 7 o o o g g Enter G").await;
        let screen = dashboard.screen();
        let days: Vec<&str> = screen
            .lines()
            .filter_map(|line| line.get(..10))
            .filter(|it| it.starts_with("20"))
            .collect();
        assert!(!days.is_empty() && days.iter().all(|day| *day >= "2025-11-22"), "{screen}");
    });
}

#[test]
fn a_key_that_is_faster_than_the_slices_is_about_those_that_are_shown() {
    run(async {
        let (session, folder) = with_targets().await;
        let mut dashboard = Dashboard::over(session, Some(folder), (120, 40), options()).await;
        dashboard.keys("6 j").await;
        dashboard.press("o d");
        let [Effect::Begin(Errand::Edit(TuiEdit::Change(_, changes)))] = &dashboard.wanted[..]
        else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(*changes, [Change::RemoveTarget(Dimension::Class, SafeText::new("etf"))]);
        dashboard.settle().await;
        let mut other = Dashboard::demo((120, 40), options()).await;
        other.keys("6 j").await;
        other.press("o e");
        other.settle().await;
        let screen = other.screen();
        assert!(line(&screen, "What a slice should be").contains('┌'), "{screen}");
        assert!(line(&screen, "│  cut by").contains("class"), "{screen}");
        assert!(line(&screen, "│  slice").contains("etf"), "{screen}");
        other.close().await;
        dashboard.close().await;
    });
}

#[test]
fn of_findings_that_look_alike_the_one_at_the_cursor_is_mended() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        // Hidden, the amounts of these two pairs are the same.
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-10-01,Chequing,WITHDRAWAL,,,,,USD,-71\n2026-10-01,Broker,DEPOSIT,,,,,USD,71\n\
            2026-10-01,Chequing,WITHDRAWAL,,,,,USD,-83\n2026-10-01,Broker,DEPOSIT,,,,,USD,83\n";
        let path = folder.path().join("pairs.csv");
        std::fs::write(&path, file).unwrap();
        hostile::take_in(&session, path).await;
        let hidden = || Options { private: true, ..options() };
        let mut dashboards = [
            Dashboard::over(session.clone(), Some(folder), (140, 30), hidden()).await,
            Dashboard::over(session, None, (140, 30), hidden()).await,
        ];
        let mut linked = Vec::new();
        for (dashboard, key) in dashboards.iter_mut().zip(["g g A", "g g j A"]) {
            dashboard.keys("g h / p a i r Enter").await;
            let screen = dashboard.screen();
            assert_eq!(screen.matches("note     pair proposed").count(), 2, "{screen}");
            dashboard.keys(key).await;
            let Some(Effect::Begin(Errand::Edit(TuiEdit::Change(_, changes)))) =
                dashboard.wanted.last()
            else {
                panic!("{:?}", dashboard.wanted)
            };
            linked.push(changes.clone());
        }
        assert_ne!(linked[0], linked[1]);
        for dashboard in dashboards {
            dashboard.close().await;
        }
    });
}

#[test]
fn where_everything_has_no_figures_the_accounts_that_have_some_stand_beneath() {
    run(async {
        // One holding has no price: nobody knows what all of them together made.
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        dashboard.keys("5 o o").await;
        let alone = line(&dashboard.screen(), "RRSP ");
        dashboard.keys("o o").await;
        let screen = dashboard.screen();
        assert!(line(&screen, "all ").contains("n/a"), "{screen}");
        assert_eq!(
            line(&screen, "  RRSP ").split_whitespace().collect::<Vec<_>>(),
            alone.split_whitespace().collect::<Vec<_>>()
        );
        // What it tells of beneath, and what it explains, is of the row at the cursor.
        dashboard.keys("G").await;
        let screen = dashboard.screen();
        assert!(line(&screen, " to 2026-11-21").contains("Workplace 401k:"), "{screen}");
        dashboard.keys("=").await;
        assert!(dashboard.screen().contains("gain of Workplace 401k"), "{}", dashboard.screen());
        // An account that is selected is what everything is: nothing stands beneath it.
        dashboard.keys("Esc 1 j Enter 5").await;
        let screen = dashboard.screen();
        let behind = screen.lines().skip_while(|line| !line.starts_with("all ")).nth(1);
        assert_eq!(behind, Some(""), "{screen}");
        dashboard.close().await;
    });
}
