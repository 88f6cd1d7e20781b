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

#[path = "support/screen.rs"]
mod screen;

use dashtam::tui::{Effect, Errand, Memo, Msg, ThemeName};
use screen::{Dashboard, options};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 50), (60, 30)];
const PANES: [(&str, &str); 5] = [
    ("overview", "0"),
    ("accounts", "1"),
    ("holdings", "2"),
    ("transactions", "3"),
    ("chart", "4"),
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
        let last = dashtam::tui::Options { visited: day("2026-11-17"), ..options() };
        let mut dashboard = Dashboard::demo((120, 40), last).await;
        insta::assert_snapshot!("since_the_last_visit", dashboard.screen());
        assert_eq!(dashboard.remembered, [Memo::Visit("2026-11-21".parse().unwrap())]);
        // Narrower, it has a line of its own; on a day gone by nobody had been away.
        dashboard.resize((60, 24)).await;
        assert!(dashboard.screen().lines().nth(4).unwrap().contains("since Tue"));
        dashboard.keys("@ 2 0 2 0 - 0 6 - 3 0 Enter").await;
        assert!(!dashboard.screen().contains("since"));
        dashboard.close().await;
        for (visited, shown) in [
            (day("2026-11-21"), None),
            (day("2026-11-22"), None),
            (None, None),
            (day("2026-11-15"), Some("since Sun")),
            (day("2026-11-14"), Some("since 2026-11-14")),
        ] {
            let last = dashtam::tui::Options { visited, ..options() };
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
        let [Effect::Begin(Errand::Import(files), _)] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(files, &[std::path::PathBuf::from("a.csv")]);
        dashboard.keys("j Enter N e w Space J a r Space s a v i n g s Space u s d Enter").await;
        let Some(Effect::Begin(Errand::AddAccount { name, .. }, _)) = dashboard.wanted.last()
        else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(name.as_str(), "New Jar");
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
        let looking = dashtam::tui::Options { read_only: true, ..options() };
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

#[test]
fn no_size_and_no_pane_panics() {
    run(async {
        let mut dashboard = Dashboard::demo((1, 1), options()).await;
        for keys in [
            "0",
            "1",
            "2",
            "3",
            "4",
            "m m v",
            "2 ?",
            "Esc Ctrl-p",
            "Esc =",
            "Esc :",
            "Esc s",
            "Esc v j",
            "+",
        ] {
            dashboard.keys(keys).await;
            let borders = [59, 60, 79, 80, 81, 99, 100, 101, 119, 120, 121, 199, 200, 300];
            let sizes = (0..=40u16)
                .step_by(3)
                .flat_map(|width| (0..=24u16).step_by(2).map(move |height| (width, height)));
            let large =
                borders.into_iter().flat_map(|width| [(width, 9), (width, 24), (width, 60)]);
            for size in sizes.chain(large) {
                dashboard.size = size;
                dashboard.tell(Msg::Resize(size.0, size.1));
                dashboard.buffer();
            }
            dashboard.settle().await;
        }
        dashboard.close().await;
    });
}

#[test]
fn no_figure_is_seen_in_privacy() {
    run(async {
        let mut open = Dashboard::demo((200, 50), options()).await;
        let mut private = Dashboard::demo((200, 50), options()).await;
        private.keys("p").await;
        for keys in ["0", "1 Space", "2 L Space", "3 v j", "4", "2 j =", "Esc"] {
            open.keys(keys).await;
            private.keys(keys).await;
            let shown = private.screen();
            // Amounts have a point and two decimals at least, or stand in thousands.
            for amount in amounts(&open.screen()) {
                assert!(!amounts(&shown).contains(&amount), "{amount} is seen:\n{shown}");
            }
        }
        open.close().await;
        private.close().await;
    });
}

/// Words that are amounts: digits with thousands or decimals, and no percentage.
fn amounts(screen: &str) -> Vec<String> {
    let words: Vec<&str> = screen.split_whitespace().collect();
    let is_amount = |word: &str| {
        let digits = word.trim_start_matches(['+', '-', '│', '▲', '▼']);
        let digits = digits.trim_end_matches('│');
        digits.contains(['.', ','])
            && digits.chars().all(|c| c.is_ascii_digit() || ".,".contains(c))
    };
    let part = |at: usize| words.get(at + 1).is_some_and(|next| next.starts_with('%'));
    let found = words.iter().enumerate().filter(|(at, word)| is_amount(word) && !part(*at));
    found.map(|(_, word)| (*word).to_owned()).collect()
}

#[test]
fn without_unicode_and_colours_there_is_ascii_without_colours() {
    run(async {
        let plain = dashtam::tui::Options { colours: None, ascii: true, ..options() };
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
