//! Screens of the dashboard, driven by keys through the real app, state and store. The pictures
//! are in tests/snapshots; what their figures must be is checked elsewhere.

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

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::NaiveDate;
use dashtam::model::{AccountEdit, Change, Edit};
use dashtam::service::{demo, edit};
use dashtam::state::Trouble;
use dashtam::tui::{App, Effect, Errand, Memo, Msg, Options, ThemeName};
use ratatui::buffer::Buffer;
use screen::{Dashboard, clock, drawn, options, text};
use unicode_width::UnicodeWidthChar;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 50), (60, 30)];
const PANES: [(&str, &str); 5] = [
    ("overview", "0"),
    ("accounts", "1"),
    ("holdings", "2"),
    ("transactions", "3"),
    ("chart", "4"),
];

/// Ways to each pane with what it opens, and to each overlay.
const WAYS: [&str; 22] = [
    "0",
    "1",
    "1 o",
    "1 j j",
    "2 o o o j",
    "2 L j j",
    "2 c",
    "3 j j",
    "3 G",
    "4",
    "4 j j m h v",
    "4 m",
    "2 ?",
    "Esc Ctrl-p b",
    "Esc 1 =",
    "Esc 2 j =",
    "Esc 3 =",
    "Esc 4 h =",
    "Esc : x",
    "Esc 2 s",
    "Esc 3 v j j",
    "Esc 0 +",
];

/// Several threads, as in the program: reading goes on while frames are drawn.
fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(test);
}

#[test]
fn every_pane_at_every_size() {
    run(async {
        let mut dashboard = Dashboard::demo(SIZES[0], options()).await;
        for (pane, key) in PANES {
            dashboard.keys(key).await;
            for size in SIZES {
                dashboard.resize(size).await;
                let name = format!("{pane}_{}x{}", size.0, size.1);
                insta::assert_snapshot!(name, dashboard.screen());
            }
        }
        dashboard.close().await;
    });
}

#[test]
fn the_readme_shows_the_overview_as_it_is() {
    run(async {
        let dashboard = Dashboard::demo((120, 40), options()).await;
        let screen = dashboard.screen();
        dashboard.close().await;
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once("<!-- overview -->").unwrap();
        let (shown, after) = rest.split_once("<!-- /overview -->").unwrap();
        let expected = format!("\n```text\n{screen}```\n");
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            let new = format!("{before}<!-- overview -->{expected}<!-- /overview -->{after}");
            std::fs::write(&path, new).unwrap();
        } else {
            assert_eq!(shown, expected, "run this test with INSTA_UPDATE=always");
        }
    });
}

#[test]
fn keys_lead_to_screens() {
    // What is pressed, and the picture.
    let ways = [
        ("lots_beneath_holdings", "2 j j L"),
        ("holdings_by_class_and_symbol", "2 o s k k k k Space Enter"),
        ("sort_menu", "2 s j"),
        ("accounts_by_value", "1 s j j Space Enter"),
        ("oldest_transactions_first", "3 s Space Enter"),
        ("explain_a_holding", "2 j ="),
        ("explain_an_account", "1 j ="),
        ("help_of_the_holdings", "2 ?"),
        ("palette", "Ctrl-p p r i v"),
        ("command_line_completes", ": p a n Tab"),
        ("unknown_command", ": x y z Enter"),
        ("a_folded_institution", "1 o"),
        ("holdings_of_one_account", "1 j Enter"),
        ("chart_of_a_security", "2 j j j j Enter"),
        ("chart_with_crosshair", "2 j j j j Enter h h h m v"),
        ("oldest_transactions", "3 G"),
        ("transactions_by_filter", "3 / k i n d : d i v Enter"),
        ("a_filter_that_makes_no_sense", "3 / a m t : x"),
        ("time_travel", "@ 2 0 2 0 - 0 6 - 3 0 Enter"),
        ("time_travel_wrong", "@ 2 0 2 0 - 1 3 Enter"),
        ("private", "2 p"),
        ("accounts_with_all_the_room", "0 +"),
        ("marked_holdings", "2 j Space Space"),
        ("a_range_with_no_sum", "2 j j j j v j j j j j"),
        ("marked_accounts", "1 j Space Space j j j Space"),
        ("marked_transactions", "3 Space Space Space j Space"),
    ];
    run(async {
        for (name, keys) in ways {
            let mut dashboard = Dashboard::demo((100, 30), options()).await;
            dashboard.keys(keys).await;
            insta::assert_snapshot!(name, dashboard.screen());
            dashboard.close().await;
        }
    });
}

#[test]
fn what_is_beside_follows_the_row() {
    // What is pressed on a screen of which size, and the picture.
    let ways = [
        ("detail_of_an_account", (120, 40), "1 j j j j j j j j"),
        ("detail_of_a_holding", (120, 40), "2 j j"),
        ("detail_of_a_transfer", (120, 40), "3 / l i n k e d Enter"),
        ("four_panes_of_an_account", (200, 50), "1 j j j j j j j j"),
        ("four_panes_of_a_holding", (200, 50), "2 j j"),
    ];
    run(async {
        for (name, size, keys) in ways {
            let mut dashboard = Dashboard::demo(size, options()).await;
            dashboard.keys(keys).await;
            insta::assert_snapshot!(name, dashboard.screen());
            dashboard.close().await;
        }
    });
}

#[test]
fn a_click_goes_to_the_pane_and_the_row_beneath_it() {
    run(async {
        let mut dashboard = Dashboard::demo((200, 50), options()).await;
        dashboard.keys("1").await;
        // The third row of the transactions, at the lower right.
        dashboard.tell(Msg::Click(100, 30));
        dashboard.settle().await;
        assert!(dashboard.screen().contains("row 3 of 2838"), "{}", dashboard.screen());
        dashboard.keys("Y").await;
        let [Effect::Copy(row)] = &dashboard.wanted[..] else { panic!("{:?}", dashboard.wanted) };
        assert!(row.starts_with("2026-11-19\tRRSP\tbuy\tMPLF.TO\t20\t"), "{row}");
        dashboard.close().await;
    });
}

#[test]
fn the_row_at_the_cursor_stays_through_a_new_window() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("3").await;
        let mut seen = Vec::new();
        for _ in 0..40 {
            dashboard.keys("PgDn").await;
            seen.push(dashboard.screen());
        }
        // Back through the same rows: the same screens, whatever windows were read.
        for screen in seen.iter().rev().skip(1) {
            dashboard.keys("PgUp").await;
            // Columns may have become wider meanwhile.
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            let rows = |screen: &str| screen.lines().skip(3).map(words).collect::<Vec<_>>();
            assert_eq!(rows(&dashboard.screen()), rows(screen));
        }
        dashboard.close().await;
    });
}

#[test]
fn a_row_is_copied_and_quitting_is_wished_for() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("2 j Y q").await;
        let [Effect::Copy(row), Effect::Quit] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        assert!(row.starts_with("BTC\tBitcoin\t0.57505473\t"), "{row}");
        dashboard.close().await;
    });
}

/// What was copied, in order.
fn copied(dashboard: &Dashboard) -> Vec<&str> {
    let mut texts = Vec::new();
    for effect in &dashboard.wanted {
        if let Effect::Copy(text) = effect {
            texts.push(text.as_str());
        }
    }
    texts
}

/// The sums of amounts such as `-1,234.50 USD`, the currencies in order.
fn summed<'a>(amounts: impl Iterator<Item = &'a str>) -> String {
    let mut sums = std::collections::BTreeMap::new();
    for amount in amounts {
        let (figure, currency) = amount.split_once(' ').unwrap();
        let cents: i64 = figure.replace([',', '.'], "").parse().unwrap();
        *sums.entry(currency).or_insert(0) += cents;
    }
    let groups = |number: i64| {
        let digits = number.to_string();
        let parts = digits.as_bytes().rchunks(3).rev();
        parts.map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().join(",")
    };
    let shown = sums.into_iter().map(|(currency, cents): (&str, i64)| {
        let sign = if cents < 0 { "-" } else { "" };
        let cents = cents.abs();
        format!("{sign}{}.{:02} {currency}", groups(cents / 100), cents % 100)
    });
    shown.collect::<Vec<_>>().join("   ")
}

#[test]
fn marks_survive_other_windows_and_their_sum_is_exact() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("3 Space G Space Y").await;
        let rows = copied(&dashboard)[0].lines().collect::<Vec<_>>();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].starts_with("2026-11-20\t") && rows[1].starts_with("2016-11-01\t"));
        // A range that begins far away.
        dashboard.keys("Esc g g j v : 6 0 0 Enter v y").await;
        let amounts: Vec<_> = copied(&dashboard)[1].lines().map(str::to_owned).collect();
        assert_eq!(amounts.len(), 599);
        dashboard.keys("j").await;
        let shown = format!("599 marked   {}", summed(amounts.iter().map(String::as_str)));
        assert!(dashboard.screen().contains(&shown), "{shown}\n{}", dashboard.screen());
        // Esc leaves the marks, and only then anything else.
        dashboard.keys("Esc").await;
        assert!(!dashboard.screen().contains("marked"));
        dashboard.close().await;
    });
}

#[test]
fn an_open_range_that_began_far_away_has_no_sum() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("3 Space v G y").await;
        let screen = dashboard.screen();
        assert!(copied(&dashboard).is_empty(), "{screen}");
        dashboard.keys("k").await;
        let screen = dashboard.screen();
        assert!(screen.contains("the range reaches beyond what is read"), "{screen}");
        assert!(!screen.contains("in the range"), "{screen}");
        dashboard.keys("v").await;
        assert!(dashboard.screen().contains("2837 marked"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn a_mark_is_on_what_was_marked_wherever_it_goes() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("2 j Space / e t h Enter o Y").await;
        assert!(copied(&dashboard)[0].starts_with("BTC\t"), "{:?}", copied(&dashboard));
        assert!(dashboard.screen().contains("copied"));
        dashboard.keys("Esc j").await;
        assert!(!dashboard.screen().contains("marked"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn the_return_of_the_total_is_over_rows_whose_gain_is_known() {
    run(async {
        let mut dashboard = Dashboard::demo((300, 50), options()).await;
        dashboard.keys("2 o o o v G Y").await;
        let (mut gain, mut cost, mut unknown) = (0.0, 0.0, 0.0);
        for row in copied(&dashboard)[0].lines() {
            let cells: Vec<_> = row.split('\t').collect();
            let figure = |at: usize| cells[at].trim_start_matches(['▲', '▼', ' ']).replace(',', "");
            let spent: f64 = figure(8).parse().unwrap();
            match figure(9).parse::<f64>() {
                Ok(known) => (gain, cost) = (gain + known, cost + spent),
                Err(_) => unknown += spent,
            }
        }
        assert!(unknown > 0.0, "something was bought that has no price");
        let screen = dashboard.screen();
        let shown = format!("▲ +{:.1} %", 100.0 * gain / cost);
        let is_there = |line: &str| line.contains("Total") && line.contains(&shown);
        assert!(screen.lines().any(is_there), "{shown}: {screen}");
        dashboard.close().await;
    });
}

#[test]
fn a_total_of_accounts_is_that_of_the_rows_above_it() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        for pane in ["1", "0"] {
            dashboard.keys(pane).await;
            dashboard.keys("/ h a r b o r Space c r e d i t Enter").await;
            let screen = dashboard.screen();
            let line = |start: &str| -> Vec<String> {
                let line = screen.lines().find(|line| line.contains(start)).unwrap();
                let line = line.split("││").next().unwrap().trim_matches(['│', ' ']);
                line.split_whitespace().map(str::to_owned).collect()
            };
            assert_eq!(line("▾ Harbor Credit").last(), line("Total").last(), "{screen}");
            assert!(screen.contains("4 of 12 accounts"), "{screen}");
        }
        dashboard.close().await;
    });
}

#[test]
fn no_sum_counts_a_closed_account_that_is_shown() {
    run(async {
        let (session, folder) = demo::open(&clock()).await.unwrap();
        let account = edit::account_named(&session, "Roth IRA").await.unwrap();
        let closed = Edit::Set(NaiveDate::from_ymd_opt(2026, 11, 2).unwrap());
        let closing = AccountEdit { closed, ..AccountEdit::default() };
        edit::apply(&session, Change::EditAccount(account.id, closing)).await.unwrap();
        let mut dashboard = Dashboard::over(session, Some(folder), (120, 60), options()).await;
        // The first figure behind the name is what it is worth.
        let worth = |screen: &str, start: &str| -> String {
            let line = screen.lines().find(|line| line.contains(start)).unwrap();
            let mut words = line.split_once(start).unwrap().1.split_whitespace();
            let is_money = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
            words.find(is_money).unwrap().to_owned()
        };
        let sums = [("0", "Total"), ("0", "▾ Northgate Brokerage"), ("2", "Total")];
        let mut before = Vec::new();
        for (pane, sum) in sums {
            dashboard.keys(pane).await;
            before.push(worth(&dashboard.screen(), sum));
        }
        dashboard.keys("2 c").await;
        for ((pane, sum), before) in sums.into_iter().zip(before) {
            dashboard.keys(pane).await;
            let screen = dashboard.screen();
            assert_eq!(worth(&screen, sum), before, "{screen}");
            assert!(pane != "0" || screen.contains("Roth IRA"), "{screen}");
        }
        dashboard.close().await;
    });
}

#[test]
fn a_total_that_lacks_a_cost_says_so() {
    run(async {
        // No rate is known of the days on which BBB was bought.
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (120, 30), options()).await;
        for (filter, partial) in [("2 / a a a Enter", false), ("/ Ctrl-u b b b Enter", true)] {
            dashboard.keys(filter).await;
            let screen = dashboard.screen();
            let total = screen.lines().find(|line| line.contains("Total")).unwrap();
            assert_eq!(total.contains("partial"), partial, "{screen}");
        }
        dashboard.close().await;
    });
}

#[test]
fn a_mark_outlives_a_look_at_another_day() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        for pane in ["2 j", "1 j"] {
            dashboard.keys(pane).await;
            dashboard.keys("Space @ 1 9 9 9 - 0 1 - 0 1 Enter").await;
            dashboard.keys("T").await;
            assert!(dashboard.screen().contains("1 marked"), "{}", dashboard.screen());
        }
        dashboard.close().await;
    });
}

#[test]
fn a_figure_is_copied_and_never_one_that_is_hidden() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("2 j y 3 y 1 j y 4 y 2 g g y").await;
        assert_eq!(copied(&dashboard), ["20,960.74", "-89.48 USD", "23,877.87", "1,226,598.34"],);
        assert!(dashboard.screen().contains("there is nothing to copy here"), "a heading");
        dashboard.keys("j p y").await;
        assert!(dashboard.screen().contains("amounts are hidden"));
        assert_eq!(copied(&dashboard).len(), 4);
        dashboard.close().await;
    });
}

#[test]
fn the_oldest_first_is_the_same_ledger_turned_around() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("3 v G v Y Esc").await;
        let rows: Vec<_> = copied(&dashboard)[0].lines().map(str::to_owned).collect();
        assert_eq!(rows.len(), 2838);
        dashboard.keys("s Space Enter Y j Y : 2 0 0 0 Enter").await;
        assert!(dashboard.screen().contains("row 2000 of 2838"), "{}", dashboard.screen());
        dashboard.keys("Y j Y G Y").await;
        let seen: Vec<_> = copied(&dashboard)[1..].iter().map(ToString::to_string).collect();
        let nth = |at: usize| rows[rows.len() - at].clone();
        assert_eq!(seen, [nth(1), nth(2), nth(2000), nth(2001), rows[0].clone()]);
        assert!(dashboard.screen().contains("row 2838 of 2838"), "{}", dashboard.screen());
        // From the newest, on a key or on the next match, the way is down to it.
        dashboard.keys("g g / k i n d : o p e n Esc n Y").await;
        assert_eq!(copied(&dashboard).last().copied(), Some(nth(2).as_str()));
        dashboard.close().await;
    });
}

#[test]
fn the_overview_says_what_changed_since_the_last_visit() {
    let day = |text: &str| Some(text.parse().unwrap());
    run(async {
        let last = Options { visited: day("2026-11-17"), ..options() };
        let mut dashboard = Dashboard::demo((120, 40), last).await;
        insta::assert_snapshot!("since_the_last_visit", dashboard.screen());
        assert_eq!(dashboard.remembered, [Memo::Visit("2026-11-21".parse().unwrap())]);
        // Narrower, it has a line of its own; on a day gone by nobody had been away.
        dashboard.resize((60, 24)).await;
        assert!(dashboard.screen().lines().nth(4).unwrap().contains("since Tue"));
        dashboard.keys("@ 2 0 2 0 - 0 6 - 3 0 Enter").await;
        assert!(!dashboard.screen().contains("since"));
        dashboard.close().await;
        for (visited, visited_before, shown) in [
            (day("2026-11-21"), None, None),
            (day("2026-11-21"), day("2026-11-17"), Some("since Tue")),
            (day("2026-11-21"), day("2026-11-22"), None),
            (day("2026-11-22"), day("2026-11-17"), None),
            (None, None, None),
            (day("2026-11-15"), day("2026-11-12"), Some("since Sun")),
            (day("2026-11-14"), None, Some("since 2026-11-14")),
        ] {
            let last = Options { visited, visited_before, ..options() };
            let dashboard = Dashboard::demo((120, 40), last).await;
            let screen = dashboard.screen();
            assert_eq!(screen.contains("since"), shown.is_some(), "{visited:?}");
            assert!(screen.contains(shown.unwrap_or_default()), "{visited:?}: {screen}");
            dashboard.close().await;
        }
    });
}

#[test]
fn taste_is_to_be_remembered() {
    run(async {
        let mut dashboard = Dashboard::demo((80, 24), options()).await;
        dashboard.remembered.clear();
        dashboard.keys("p t p").await;
        let expected = [Memo::Private(true), Memo::Theme(ThemeName::Light), Memo::Private(false)];
        assert_eq!(dashboard.remembered, expected);
        dashboard.close().await;
    });
}

#[test]
fn an_empty_store_has_doors_and_each_leads_somewhere() {
    run(async {
        let mut dashboard = Dashboard::empty((80, 24), options()).await;
        insta::assert_snapshot!("welcome_80x24", dashboard.screen());
        dashboard.keys("j Enter").await;
        insta::assert_snapshot!("welcome_import", dashboard.screen());
        dashboard.keys("a . c s v Enter").await;
        let [Effect::Begin(Errand::Import(files))] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(files, &[std::path::PathBuf::from("a.csv")]);
        dashboard.keys("j Enter N e w Space J a r Space s a v i n g s Space u s d Enter").await;
        let Some(Effect::Begin(Errand::AddAccount { name, .. })) = dashboard.wanted.last() else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(name.as_str(), "New Jar");
        for _ in 0..2 {
            dashboard.tell(failed());
        }
        dashboard.keys("g g Enter").await;
        assert!(matches!(dashboard.wanted.last(), Some(Effect::Demo)));
        // The rest of the keys is as everywhere.
        dashboard.keys("q").await;
        assert!(matches!(dashboard.wanted.last(), Some(Effect::Quit)));
        for width in 0..90 {
            dashboard.resize((width, 24 - (width % 24))).await;
            dashboard.buffer();
        }
        dashboard.close().await;
    });
}

#[test]
fn where_nothing_is_written_no_door_would_write() {
    run(async {
        let looking = Options { read_only: true, ..options() };
        let mut dashboard = Dashboard::empty((80, 24), looking).await;
        insta::assert_snapshot!("welcome_read_only", dashboard.screen());
        dashboard.keys("j j Enter").await;
        assert!(matches!(dashboard.wanted[..], [Effect::Demo]));
        dashboard.keys(": i m p o r t Space x Enter").await;
        assert!(dashboard.screen().contains("nothing is written"));
        assert_eq!(dashboard.wanted.len(), 1);
        dashboard.close().await;
    });
}

#[test]
fn a_long_answer_is_read_as_a_whole() {
    run(async {
        let mut dashboard = Dashboard::empty((60, 24), options()).await;
        let said = "line 3, column amount: expected ".repeat(5);
        dashboard.tell(Msg::Notice(said.clone()));
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&dashboard.screen()).ends_with(said.trim()), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

/// An import that failed, with a figure in its words.
fn failed() -> Msg {
    let why = "the balance is 1234.56".to_owned();
    Msg::Errand(Box::new(Err(dashtam::service::Error::Value { what: "a.csv", why })))
}

#[test]
fn an_errand_is_told_as_amounts_are_shown_when_it_ends() {
    run(async {
        let mut dashboard = Dashboard::empty((100, 24), options()).await;
        dashboard.keys(": i m p o r t Space a . c s v Enter p").await;
        dashboard.tell(failed());
        let screen = dashboard.screen();
        assert!(screen.contains("the balance is") && !screen.contains("1234"), "{screen}");
        dashboard.close().await;
    });
}

#[test]
fn what_is_being_written_is_not_left_without_a_word() {
    run(async {
        let mut dashboard = Dashboard::demo((100, 24), options()).await;
        dashboard.keys(": i m p o r t Space a . c s v Enter j 2 j Space").await;
        let bar = |dashboard: &Dashboard| dashboard.screen().lines().last().unwrap().to_owned();
        assert!(bar(&dashboard).starts_with("at work ...   1 marked"), "{}", bar(&dashboard));
        dashboard.keys("q").await;
        assert!(bar(&dashboard).contains("once more leaves it"), "{}", bar(&dashboard));
        assert!(matches!(dashboard.wanted[..], [Effect::Begin(_)]));
        dashboard.keys("q").await;
        assert!(matches!(dashboard.wanted[..], [Effect::Begin(_), Effect::Quit]));
        dashboard.tell(failed());
        dashboard.keys("j q").await;
        assert!(!bar(&dashboard).contains("at work"), "{}", bar(&dashboard));
        assert!(matches!(dashboard.wanted[..], [Effect::Begin(_), Effect::Quit, Effect::Quit]));
        dashboard.close().await;
    });
}

#[test]
fn why_a_total_of_accounts_is_partial_is_one_key_away() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        for pane in ["0", "1"] {
            dashboard.keys(pane).await;
            dashboard.keys("=").await;
            let screen = dashboard.screen();
            assert!(screen.contains("price  OLPC n/a"), "{screen}");
            dashboard.keys("Esc").await;
        }
        dashboard.close().await;
    });
}

#[test]
fn whatever_is_shown_is_explained_or_said_to_need_none() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        // What is pressed, and what is said then.
        for (keys, said) in [
            ("3 j =", "amount of withdrawal"),
            ("Esc 4 h h h =", "net_worth of everything on 2026-1"),
            ("Esc 2 j Enter =", "a price is as its source says"),
        ] {
            dashboard.keys(keys).await;
            let screen = dashboard.screen();
            assert!(screen.contains(said), "{screen}");
        }
        dashboard.close().await;
    });
}

#[test]
fn the_wheel_turns_what_lies_on_top() {
    run(async {
        let mut dashboard = Dashboard::demo((100, 20), options()).await;
        dashboard.keys("2 j").await;
        let beneath = dashboard.screen();
        for keys in ["?", "s", "Ctrl-p", "=", "/"] {
            dashboard.keys(keys).await;
            let before = dashboard.buffer();
            dashboard.tell(Msg::Wheel(true));
            assert_eq!(dashboard.buffer() != before, keys != "/", "{keys}");
            dashboard.keys("Esc").await;
            assert_eq!(dashboard.screen(), beneath, "{keys}");
        }
        dashboard.close().await;
    });
}

#[test]
fn a_row_behind_the_last_is_the_last() {
    run(async {
        let mut dashboard = Dashboard::demo((100, 20), options()).await;
        for order in ["3", "s Space Enter"] {
            dashboard.keys(order).await;
            for (row, there) in [("9 9 9 9", 2838), ("2 8 3 7", 2837), ("0", 1)] {
                dashboard.keys(&format!(": {row} Enter")).await;
                let screen = dashboard.screen();
                assert!(screen.contains(&format!("row {there} of 2838")), "{screen}");
            }
        }
        dashboard.close().await;
    });
}

#[test]
fn n_goes_from_match_to_match_and_around() {
    run(async {
        let mut dashboard = Dashboard::demo((100, 30), options()).await;
        dashboard.keys("2 n").await;
        assert!(dashboard.screen().contains("nothing was looked for yet"));
        dashboard.keys("/ m p l f Esc n Y n Y N Y n n").await;
        assert!(dashboard.screen().contains("no more below: on from the top"));
        dashboard.keys("Y").await;
        let quantity = |row: &str| row.split('\t').nth(2).unwrap().to_owned();
        let seen: Vec<_> = copied(&dashboard).into_iter().map(quantity).collect();
        assert_eq!(seen, ["379", "697", "379", "379"]);
        // A filter that stays leaves only matches to go through.
        dashboard.keys("1 / u s d Space ! h a r b o r Enter n Y").await;
        assert!(
            copied(&dashboard)[4].starts_with("Individual Brokerage\t"),
            "{:?}",
            copied(&dashboard)[4]
        );
        dashboard.close().await;
    });
}

#[test]
fn n_finds_rows_that_are_not_read_yet() {
    run(async {
        let mut dashboard = Dashboard::demo((100, 30), options()).await;
        // The oldest is more than a window away from the newest.
        dashboard.keys("3 / k i n d : o p e n Esc N Y n").await;
        let screen = dashboard.screen();
        assert!(screen.contains("no more below: on from the top"), "{screen}");
        dashboard.keys("Y n Y N Y").await;
        let rows = copied(&dashboard);
        assert!(rows.iter().all(|row| row.contains("\topening\t")), "{rows:?}");
        assert_ne!(rows[0], rows[1], "the oldest, then the newest");
        assert_ne!(rows[1], rows[2]);
        assert_eq!(rows[1], rows[3]);
        dashboard.keys("/ n o w h e r e Enter Esc n").await;
        assert!(dashboard.screen().contains("nothing fits nowhere"));
        dashboard.close().await;
    });
}

#[test]
fn what_is_pasted_is_no_command() {
    run(async {
        let mut dashboard = Dashboard::demo((80, 24), options()).await;
        dashboard.tell(Msg::Paste("q\n:quit\n".to_owned()));
        assert!(dashboard.wanted.is_empty());
        dashboard.keys(":").await;
        dashboard.tell(Msg::Paste("quit\n".to_owned()));
        assert!(dashboard.wanted.is_empty(), "the line is there, and nobody pressed Enter");
        dashboard.close().await;
    });
}

/// A demo, an empty store, and one of hostile text and figures.
async fn stores(size: (u16, u16)) -> [Dashboard; 3] {
    let (empty, folder) = hostile::empty(&clock()).await;
    let empty = Dashboard::over(empty, Some(folder), size, options()).await;
    let (session, folder) = hostile::open(&clock()).await;
    let hostile = Dashboard::over(session, Some(folder), size, options()).await;
    [Dashboard::demo(size, options()).await, empty, hostile]
}

#[test]
fn no_size_and_no_pane_panics() {
    // Where the layout changes, and a column more or less.
    let columns = [39, 40, 41, 59, 60, 61, 79, 80, 81, 99, 100, 101, 109, 110, 111, 179, 180, 300];
    let lines = [9, 10, 11, 23, 24, 32, 33, 34, 46, 47, 48, 100];
    let borders: Vec<_> =
        columns.into_iter().flat_map(|width| lines.map(|height| (width, height))).collect();
    let small: Vec<_> =
        (0..=40u16).flat_map(|width| (0..=24u16).map(move |height| (width, height))).collect();
    run(async {
        for mut dashboard in Box::pin(stores((1, 1))).await {
            for (at, keys) in (0u16..).zip(WAYS) {
                dashboard.keys(keys).await;
                let resize = |dashboard: &mut Dashboard, size: (u16, u16)| {
                    dashboard.size = size;
                    dashboard.tell(Msg::Resize(size.0, size.1));
                    dashboard.buffer();
                };
                // One way after the other all borders come by, and every small height.
                for size in borders.iter().skip(usize::from(at % 9)).step_by(9) {
                    resize(&mut dashboard, *size);
                }
                for height in (at % 2..=24).step_by(2) {
                    resize(&mut dashboard, (40, height));
                }
                // A frame of a size that the app has not heard of yet.
                for size in &small {
                    drawn(&dashboard.app, *size);
                }
                dashboard.settle().await;
            }
            dashboard.close().await;
        }
    });
}

#[test]
fn nothing_hostile_reaches_a_cell_and_no_figure_is_cut() {
    run(async {
        let (session, folder) = hostile::open(&clock()).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        let mut marked = 0;
        for keys in WAYS {
            dashboard.keys(keys).await;
            // Where there is room for everything, every figure is whole.
            let mut whole = BTreeSet::new();
            for size in [(2_000, 24), (2_000, 43), (2_000, 400)] {
                dashboard.resize(size).await;
                whole.extend(figures(&dashboard.screen()).map(str::to_owned));
            }
            for size in [(40, 12), (60, 30), (80, 24), (120, 40), (200, 50)] {
                dashboard.resize(size).await;
                harmless(&dashboard.buffer());
                let screen = dashboard.screen();
                marked += usize::from(screen.contains("###"));
                for figure in figures(&screen) {
                    assert!(whole.contains(figure), "{keys}: {figure} is cut:\n{screen}");
                }
            }
        }
        // Some did not fit, so that there was something to be cut.
        assert!(marked > 0);
        dashboard.close().await;
    });
}

/// No cell has anything but what has one place and one meaning in a terminal.
fn harmless(buffer: &Buffer) {
    for cell in &buffer.content {
        let mut marks = 0;
        for c in cell.symbol().chars() {
            let hidden = c.is_control()
                || matches!(u32::from(c), 0xad | 0x61c | 0x180e | 0xfeff | 0x115f..=0x1160)
                || matches!(u32::from(c), 0x3164 | 0xffa0 | 0x200b..=0x200f | 0x2028..=0x202e)
                || matches!(u32::from(c), 0x2060..=0x206f | 0xfff9..=0xffff | 0xe0000..=0xe01ef);
            assert!(!hidden, "{:?}", cell.symbol());
            marks += usize::from(c.width() == Some(0));
        }
        assert!(marks <= 4, "{:?}", cell.symbol());
    }
}

/// Words that are figures: digits with their signs. What ends in a mark is cut and says so; how
/// many are left out depends on the room.
fn figures(screen: &str) -> impl Iterator<Item = &str> {
    let lines = screen.lines().filter(|line| !line.contains(" more"));
    let words =
        lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || "│┌┐└┘─".contains(c)));
    words.filter(|word| {
        word.contains(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_digit() || "+-.,".contains(c))
    })
}

#[test]
fn columns_stay_aligned_whatever_stands_in_them() {
    run(async {
        let (session, folder) = hostile::open(&clock()).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        for (keys, titles) in [
            ("1", &["Value", "In base"][..]),
            ("2 o o o", &["Quantity", "Price", "Value", "Unrealized"]),
            ("L", &["Quantity", "Value", "Unrealized"]),
            ("3", &["Quantity", "Price", "Amount", "Balance"]),
        ] {
            dashboard.keys(keys).await;
            for size in [(60, 30), (80, 24), (120, 32), (300, 32)] {
                dashboard.resize(size).await;
                let buffer = dashboard.buffer();
                let at = |x: u16, y: u16| buffer[(x, y)].symbol();
                let heading: String = (0..size.0).map(|x| at(x, 2)).collect();
                let seen = titles.iter().filter_map(|title| Some((*title, heading.find(title)?)));
                for (title, start) in seen {
                    let end = u16::try_from(start + title.len()).unwrap();
                    for y in 3..size.1 - 1 {
                        let gap: String = (end..(end + 2).min(size.0)).map(|x| at(x, y)).collect();
                        assert_eq!(gap.trim(), "", "{title} at {end},{y}:\n{}", text(&buffer));
                    }
                }
            }
        }
        dashboard.close().await;
    });
}

/// The screens of all panes, one after the other.
async fn every_pane(mut dashboard: Dashboard) -> String {
    let mut all = String::new();
    for (pane, key) in PANES {
        dashboard.keys(key).await;
        writeln!(all, "-- {pane}\n{}", dashboard.screen()).unwrap();
    }
    dashboard.close().await;
    all
}

#[test]
fn states_are_told() {
    let read_only = Options { read_only: true, ..options() };
    let masked = Options { private: true, ..options() };
    let past = Options {
        view: dashtam::state::View { as_of: "2020-06-30".parse().ok(), closed: false },
        ..options()
    };
    run(async {
        for size in [(80, 24), (120, 40)] {
            let at = |state: &str| format!("state_{state}_{}x{}", size.0, size.1);
            for (state, options) in
                [("read_only", &read_only), ("masked", &masked), ("time_travel", &past)]
            {
                let dashboard = Dashboard::demo(size, options.clone()).await;
                insta::assert_snapshot!(at(state), every_pane(dashboard).await);
            }
            // An account, and nothing in it.
            let (session, folder) = hostile::bare(&clock()).await;
            let dashboard = Dashboard::over(session, Some(folder), size, options()).await;
            insta::assert_snapshot!(at("empty"), every_pane(dashboard).await);
            // The store can be read no more: what was read stays, and it is said.
            let mut dashboard = Dashboard::demo(size, options()).await;
            dashboard.keys("2").await;
            let trouble = Trouble("the database cannot be read: disk I/O error".to_owned());
            dashboard.tell(Msg::Trouble(Some(trouble.clone())));
            insta::assert_snapshot!(at("failed"), dashboard.screen());
            dashboard.close().await;
            // Nothing has been read yet, and nothing could be.
            let mut app = App::new(options(), size);
            insta::assert_snapshot!(at("loading"), text(&drawn(&app, size)));
            app.update(Msg::Trouble(Some(trouble)));
            insta::assert_snapshot!(at("never_read"), text(&drawn(&app, size)));
        }
    });
}

#[test]
fn the_chart_says_where_net_worth_is_known_in_part() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        dashboard.keys("4").await;
        let head = dashboard.screen().lines().nth(2).unwrap().to_owned();
        assert!(head.contains("   partial"), "{head}");
        dashboard.close().await;
    });
}

#[test]
fn what_is_shown_stays_until_the_next_is_there() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        for (way, key) in [("0", "]"), ("4", "]"), ("2", "j"), ("3 G", "g g"), ("3", "@")] {
            dashboard.keys(way).await;
            for chord in dashtam::keys::parse_chords(key).unwrap() {
                dashboard.tell(Msg::Key(chord));
            }
            let screen = dashboard.screen();
            assert!(!screen.contains("reading"), "{way} {key}:\n{screen}");
            dashboard.keys("Esc").await;
        }
        dashboard.close().await;
    });
}

/// Two households, one with twice as much of everything, look the same where amounts are hidden:
/// no digit of an amount, no axis and no length tells them apart.
#[test]
fn no_figure_is_seen_in_privacy() {
    let masked = Options { private: true, ..options() };
    run(async {
        let mut dashboards = Vec::new();
        for times in [1, 2] {
            let (session, folder) = hostile::household(&clock(), times).await;
            let size = (80, 24);
            let dashboard = Dashboard::over(session, Some(folder), size, masked.clone()).await;
            dashboards.push(dashboard);
        }
        for keys in WAYS {
            for size in [(80, 24), (120, 40), (200, 50)] {
                let mut screens = Vec::new();
                for dashboard in &mut dashboards {
                    dashboard.resize(size).await;
                    if size == (80, 24) {
                        dashboard.keys(keys).await;
                    }
                    screens.push(dashboard.screen());
                }
                assert!(screens[0] == screens[1], "{keys}:\n{}\n{}", screens[0], screens[1]);
            }
        }
        for dashboard in dashboards {
            dashboard.close().await;
        }
    });
}

#[test]
fn without_unicode_and_colours_there_is_ascii_without_colours() {
    run(async {
        let plain = Options { colours: None, ascii: true, ..options() };
        let mut dashboard = Dashboard::demo((120, 40), plain).await;
        for (_, key) in PANES {
            dashboard.keys(key).await;
            let buffer = dashboard.buffer();
            for cell in &buffer.content {
                assert!(cell.symbol().is_ascii(), "{:?}", cell.symbol());
                let reset = ratatui::style::Color::Reset;
                assert_eq!((cell.fg, cell.bg), (reset, reset));
            }
        }
        dashboard.keys("0").await;
        insta::assert_snapshot!("overview_in_ascii", dashboard.screen());
        dashboard.close().await;
    });
}

// What the line of context says of refreshing.

#[test]
fn the_line_of_context_says_how_the_refreshing_goes() {
    use dashtam::service::refresh::{self, Progress, RefreshRequest};
    run(async {
        let (session, folder) = demo::open(&clock()).await.unwrap();
        let wait = std::time::Duration::ZERO;
        let (connections, only, force) = (Vec::new(), None, false);
        let request = RefreshRequest { connections, only, force, wait };
        let cadence = demo::CADENCE;
        let summary = refresh::run(&session, cadence, &request).await.unwrap();
        let mut dashboard =
            Dashboard::over(session.clone(), Some(folder), (120, 40), options()).await;
        let context = |dashboard: &Dashboard| {
            dashboard.screen().lines().nth(1).unwrap().trim_end().to_owned()
        };
        let mut said = vec![context(&dashboard)];
        // Pressed where nothing refreshes, it only looks again.
        dashboard.keys("r").await;
        assert!(dashboard.wanted.is_empty());
        let running = Progress { running: true, ..Progress::default() };
        dashboard.tell(Msg::Refresh(Box::new(running.clone())));
        said.push(context(&dashboard));
        dashboard.keys("r").await;
        assert!(matches!(dashboard.wanted[..], [Effect::Refresh]));
        let last = Some(summary);
        let by_hand = Progress { rounds: 1, asked: true, last, ..Progress::default() };
        dashboard.tell(Msg::Refresh(Box::new(by_hand)));
        insta::assert_snapshot!("refreshed_by_hand", dashboard.screen());
        let (host, since) = (dashtam::model::SafeText::new("attic"), 0);
        let holder = dashtam::store::Holder { host, pid: 4711, since };
        dashboard.tell(Msg::Refresh(Box::new(Progress {
            elsewhere: Some(holder),
            ..Progress::default()
        })));
        said.push(context(&dashboard));
        let trouble = Some("disk full: the database could not be written".to_owned());
        dashboard.tell(Msg::Refresh(Box::new(Progress { trouble, ..Progress::default() })));
        said.push(context(&dashboard));
        insta::assert_snapshot!("how_the_refreshing_goes", said.join("\n"));
        dashboard.close().await;
    });
}

#[test]
fn a_connection_that_fails_is_named_with_its_reason() {
    use dashtam::ledger;
    use dashtam::model::{OpId, SafeText};
    use dashtam::service::refresh::{self, RefreshRequest};
    run(async {
        let (session, folder) = demo::open(&clock()).await.unwrap();
        let now = clock().now().timestamp_micros();
        let label = SafeText::new("Old bank");
        ledger::connect(&session.store, "acme", &label, OpId::at(0), now).await.unwrap();
        let wait = std::time::Duration::ZERO;
        let (connections, only, force) = (vec![label], None, false);
        let request = RefreshRequest { connections, only, force, wait };
        refresh::run(&session, demo::CADENCE, &request).await.unwrap();
        let dashboard = Dashboard::over(session, Some(folder), (120, 40), options()).await;
        insta::assert_snapshot!("a_connection_that_fails", dashboard.screen());
        dashboard.close().await;
    });
}

/// Progress that cannot be seen draws nothing.
#[test]
fn rounds_that_change_nothing_are_silent() {
    use dashtam::service::refresh::Progress;
    run(async {
        let mut dashboard = Dashboard::demo((80, 24), options()).await;
        dashboard.tell(Msg::Refresh(Box::default()));
        dashboard.app.take_dirty();
        for rounds in 1..4 {
            for running in [true, false] {
                let progress = Progress { rounds, running, ..Progress::default() };
                dashboard.tell(Msg::Refresh(Box::new(progress)));
                assert!(!dashboard.app.take_dirty());
            }
        }
        dashboard.close().await;
    });
}
