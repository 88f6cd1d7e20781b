//! What the panes of the dashboard show, through the real app, state and store. The pictures are in
//! tests/snapshots; what their figures must be is checked elsewhere.

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

use chrono::NaiveDate;
use dashtam::model::{AccountEdit, Change, Edit};
use dashtam::service::{demo, edit};
use dashtam::tui::{Memo, Options};
use screen::{Dashboard, PANES, SIZES, clock, on_demo, options, run, text};

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
            insta::assert_snapshot!(name, Dashboard::after(size, keys).await);
        }
    });
}

#[test]
fn the_row_at_the_cursor_stays_through_a_new_window() {
    on_demo((120, 30), async |dashboard| {
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
    });
}

#[test]
fn the_return_of_the_total_is_over_rows_whose_gain_is_known() {
    on_demo((300, 50), async |dashboard| {
        dashboard.keys("2 o o o v G Y").await;
        let (mut gain, mut cost, mut unknown) = (0.0, 0.0, 0.0);
        for row in dashboard.copied()[0].lines() {
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
    });
}

#[test]
fn a_total_of_accounts_is_that_of_the_rows_above_it() {
    on_demo((120, 40), async |dashboard| {
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
fn the_oldest_first_is_the_same_ledger_turned_around() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("3 v G v Y Esc").await;
        let rows: Vec<_> = dashboard.copied()[0].lines().map(str::to_owned).collect();
        assert_eq!(rows.len(), 2838);
        dashboard.keys("s Space Enter Y j Y : 2 0 0 0 Enter").await;
        assert!(dashboard.screen().contains("row 2000 of 2838"), "{}", dashboard.screen());
        dashboard.keys("Y j Y G Y").await;
        let seen: Vec<_> = dashboard.copied()[1..].iter().map(ToString::to_string).collect();
        let nth = |at: usize| rows[rows.len() - at].clone();
        assert_eq!(seen, [nth(1), nth(2), nth(2000), nth(2001), rows[0].clone()]);
        assert!(dashboard.screen().contains("row 2838 of 2838"), "{}", dashboard.screen());
        // From the newest, on a key or on the next match, the way is down to it.
        dashboard.keys("g g / k i n d : o p e n Esc n Y").await;
        assert_eq!(dashboard.copied().last().copied(), Some(nth(2).as_str()));
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
fn why_a_total_of_accounts_is_partial_is_one_key_away() {
    on_demo((120, 40), async |dashboard| {
        for pane in ["0", "1"] {
            dashboard.keys(pane).await;
            dashboard.keys("=").await;
            let screen = dashboard.screen();
            assert!(screen.contains("price  OLPC n/a"), "{screen}");
            dashboard.keys("Esc").await;
        }
    });
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
                let seen = titles.iter().filter_map(|title| {
                    Some((*title, heading.split_once(title)?.0.chars().count()))
                });
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

#[test]
fn the_chart_says_where_net_worth_is_known_in_part() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("4").await;
        let head = dashboard.screen().lines().nth(2).unwrap().to_owned();
        assert!(head.contains("   partial"), "{head}");
    });
}

/// A day's candle as the file says it, and what stands in its column from the top, one dollar a
/// line from 27 down to 10.
const CANDLES: [(&str, &str); 5] = [
    // It rose from 12 to 18, and was at 20 and at 10.
    ("2026-11-16,sec:Q,18,USD,12,20,10", "       ││███████││"),
    // It fell from 18 to 13, and was at 19 and at 11.
    ("2026-11-17,sec:Q,13,USD,18,19,11", "        │░░░░░░││"),
    // Nothing but a close: a stroke.
    ("2026-11-18,sec:Q,20,USD,,,", "       ─"),
    // Nobody knows whether it rose.
    ("2026-11-19,sec:Q,16,USD,,25,15", "  │││││││││─│"),
    // It opened above everything, and fell: how far it went meanwhile is not known.
    ("2026-11-20,sec:Q,22,USD,27,,", "░░░░░░"),
];

#[test]
fn candles_stand_in_their_columns() {
    run(async {
        let (session, folder) = hostile::empty(&clock()).await;
        let file = |name: &str, lines: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, lines).unwrap();
            path
        };
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-11-16,Broker,BUY,Q,1,12,,USD,\n";
        hostile::take_in(&session, file("rows.csv", rows.to_owned())).await;
        let prices = CANDLES.map(|(line, _)| line).join("\n");
        let prices = format!("date,symbol,close,currency,open,high,low\n{prices}\n");
        hostile::take_in(&session, file("prices.csv", prices)).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        dashboard.keys("2 j l m m").await;
        insta::assert_snapshot!("candles", dashboard.screen());
        let buffer = dashboard.buffer();
        // Tabs, context and the head of the chart are above it; marks, dates and the bar beneath.
        let (first_line, lines, columns) = (3, 18, 80 - 13);
        for (at, (line, expected)) in (0..).zip(CANDLES) {
            let x = at * (columns - 1) / 4;
            let column = (first_line..first_line + lines).map(|y| buffer[(x, y)].symbol());
            // The line of what it cost goes on behind it.
            let column = column.collect::<String>().replace('┄', " ");
            assert_eq!(column.trim_end(), expected, "{line}:\n{}", dashboard.screen());
        }
        // The same figures are told in words where the crosshair is.
        for (keys, told) in [
            ("h", "2026-11-20  O 27.00  H n/a  L n/a  C 22.00"),
            ("h", "2026-11-19  O n/a  H 25.00  L 15.00  C 16.00"),
            ("h", "2026-11-18  20.00"),
        ] {
            dashboard.keys(keys).await;
            let head = dashboard.screen().lines().nth(2).unwrap().to_owned();
            assert!(head.contains(told), "{head}");
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
