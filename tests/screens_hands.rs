//! What keys, the mouse and the command line of the dashboard do, through the real app, state and
//! store.

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

use dashtam::tui::{Effect, Errand, Listed, Msg};
use screen::{Dashboard, on_demo, options, run};

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
        ("holdings_of_one_account", "1 j l"),
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
            insta::assert_snapshot!(name, Dashboard::after((100, 30), keys).await);
        }
    });
}

#[test]
fn a_click_goes_to_the_pane_and_the_row_beneath_it() {
    on_demo((200, 50), async |dashboard| {
        dashboard.keys("1").await;
        // The third row of the transactions, at the lower right.
        dashboard.tell(Msg::Click(100, 30));
        dashboard.settle().await;
        assert!(dashboard.screen().contains("row 3 of 2838"), "{}", dashboard.screen());
        dashboard.keys("Y").await;
        let [Effect::Copy(row)] = &dashboard.wanted[..] else { panic!("{:?}", dashboard.wanted) };
        assert!(row.starts_with("2026-11-19\tRRSP\tbuy\tMPLF.TO\t20\t"), "{row}");
    });
}

/// The command line, as it is typed.
fn typed(dashboard: &Dashboard) -> String {
    dashboard.screen().lines().last().unwrap().trim_end().to_owned()
}

#[test]
fn names_of_files_are_completed_where_they_are_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::create_dir_all(path.join("my bank")).unwrap();
    std::fs::create_dir(path.join(".hidden")).unwrap();
    for name in ["my bank/one.csv", "my bank/b 1.csv", "my bank/b 2.csv", "rows.csv", "a\u{202e}b"]
    {
        std::fs::write(path.join(name), "").unwrap();
    }
    let path = path.to_str().unwrap().to_owned();
    // What is typed, and what stands there after Tab.
    let ways = [
        ("import $/r", ":import $/rows.csv"),
        ("import $/m", ":import \"$/my bank/"),
        ("import \"$/my bank/o", ":import \"$/my bank/one.csv\""),
        ("import $/rows.csv \"$/my bank/b", ":import $/rows.csv \"$/my bank/b"),
        ("import $/.h", ":import $/.hidden/"),
        ("import $/..", ":import $/../"),
        ("import ~", ":import ~/"),
        ("import $/z", ":import $/z   no file or folder begins like that"),
        ("import $/a", ":import $/a   no file or folder begins like that"),
        ("import $/none/", ":import $/none/   $/none/: No such file or directory"),
        ("impo", ":import"),
    ];
    run(async {
        let mut dashboard = Dashboard::demo((250, 30), options()).await;
        for (line, expected) in ways {
            dashboard.keys(":").await;
            dashboard.tell(Msg::Paste(line.replace('$', &path)));
            dashboard.keys("Tab").await;
            let (typed, expected) = (typed(&dashboard), expected.replace('$', &path));
            assert!(typed.starts_with(&expected), "{line}: {typed}");
            dashboard.keys("Esc").await;
        }
        // Several ways: as far as all of them go, and what they are. Another key forgets that.
        dashboard.keys(":").await;
        dashboard.tell(Msg::Paste(format!("import \"{path}/my bank/b\"")));
        dashboard.keys("Left Tab").await;
        assert_eq!(typed(&dashboard), format!(":import \"{path}/my bank/b"));
        assert!(dashboard.screen().contains("\nb 1.csv  b 2.csv\n"), "{}", dashboard.screen());
        dashboard.keys("1").await;
        assert!(!dashboard.screen().contains("b 2.csv"));
        dashboard.keys("Tab").await;
        assert_eq!(typed(&dashboard), format!(":import \"{path}/my bank/b 1.csv\""));
        // Which is what the command line understands.
        dashboard.keys("Enter").await;
        let file = std::path::Path::new(&path).join("my bank/b 1.csv");
        let begun = dashboard.wanted.pop();
        assert!(matches!(begun, Some(Effect::Begin(Errand::Import(files))) if files == [file]));
        dashboard.close().await;
    });
}

#[test]
fn more_names_than_fit_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..1_000 {
        std::fs::write(folder.path().join(format!("statement-{number:04}.csv")), "").unwrap();
    }
    run(async {
        let mut dashboard = Dashboard::demo((80, 24), options()).await;
        dashboard.keys(":").await;
        dashboard.tell(Msg::Paste(format!("import {}/s", folder.path().display())));
        dashboard.keys("Tab").await;
        let screen = dashboard.screen();
        assert!(screen.contains("\nstatement-0000.csv  statement-0001.csv  "), "{screen}");
        let rows = screen.lines().filter(|line| line.starts_with("statement-"));
        let shown: usize = rows.map(|line| line.split_whitespace().count()).sum();
        assert!(screen.contains(&format!("\nand {} more\n", 1_000 - shown)), "{screen}");
        // Any size will do.
        for size in [(40, 10), (41, 11), (200, 50)] {
            dashboard.resize(size).await;
            dashboard.screen();
        }
        dashboard.close().await;
    });
}

/// A disk may take as long as it likes: keys are heard, it is asked once, and what it says of a
/// line that is no more is nothing.
#[test]
fn a_folder_that_takes_long_holds_up_nothing() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys(":").await;
        dashboard.tell(Msg::Paste("import /".to_owned()));
        let press = |dashboard: &mut Dashboard, keys: &str| {
            let chords = dashtam::keys::parse_chords(keys).unwrap();
            let effects = chords.into_iter().flat_map(|key| dashboard.app.update(Msg::Key(key)));
            effects.collect::<Vec<_>>()
        };
        let mut asked = press(dashboard, "Tab");
        let Some(Effect::List(query)) = asked.pop() else { panic!("{asked:?}") };
        assert!(typed(dashboard).contains("reading ..."));
        assert!(press(dashboard, "Tab").is_empty());
        assert!(press(dashboard, "x y").is_empty());
        dashboard.tell(Msg::Listed(Box::new(Listed::of(query))));
        assert_eq!(typed(dashboard), ":import /xy");
        assert!(matches!(press(dashboard, "Tab")[..], [Effect::List(_)]));
    });
}

/// Where a text begins on a line of the screen.
fn column_of(dashboard: &Dashboard, line: usize, text: &str) -> u16 {
    let screen = dashboard.screen();
    let line = screen.lines().nth(line).unwrap();
    let (before, _) = line.split_once(text).unwrap_or_else(|| panic!("no {text} in {line}"));
    u16::try_from(before.chars().count()).unwrap()
}

#[test]
fn a_click_on_a_title_sorts_as_the_menu_does() {
    // A pane, a title, how the menu gets there at the first click, and what the title says then.
    let ways = [
        ("1", "Account", "s Space Enter", "Account▼"),
        ("1", "Kind", "s j Enter", "Kind▲"),
        ("1", "In base", "s j j Space Enter", "In base▼"),
        ("2", "Symbol", "s k k k k Space Enter", "Symbol▲"),
        ("2", "Quantity", "s k k Enter", "Quantity▼"),
        ("2", "Value", "s Space Enter", "Value▲"),
        ("2", "Unrealized", "s j j j Enter", "Unrealized▼"),
        ("3", "Date", "s Space Enter", "Date▲"),
    ];
    run(async {
        for (pane, title, keys, said) in ways {
            let mut by_keys = Dashboard::demo((120, 30), options()).await;
            let mut by_mouse = Dashboard::demo((120, 30), options()).await;
            by_keys.keys(pane).await;
            by_mouse.keys(pane).await;
            let turned = said.replace(['▲', '▼'], if said.ends_with('▲') { "▼" } else { "▲" });
            for (keys, said) in [(keys, said), ("s Space Enter", &turned)] {
                by_keys.keys(keys).await;
                let x = column_of(&by_mouse, 2, title);
                by_mouse.tell(Msg::Click(x, 2));
                by_mouse.settle().await;
                assert_eq!(by_mouse.screen(), by_keys.screen(), "{title} {keys}");
                let heading = by_mouse.screen().lines().nth(2).unwrap().to_owned();
                assert!(heading.contains(said), "{said} {heading}");
            }
            by_keys.close().await;
            by_mouse.close().await;
        }
    });
}

#[test]
fn a_title_beside_the_open_pane_sorts_there_and_others_say_that_they_do_not() {
    on_demo((200, 50), async |dashboard| {
        dashboard.keys("1").await;
        let x = column_of(dashboard, 3, "Symbol");
        dashboard.tell(Msg::Click(x, 3));
        dashboard.settle().await;
        let screen = dashboard.screen();
        assert!(screen.contains("sort symbol ▲") && screen.contains("Symbol▲"), "{screen}");
        // The transactions are known by their days alone; their titles are in the lower half.
        let titles = screen.lines().position(|line| line.contains("Amount")).unwrap();
        let x = column_of(dashboard, titles, "Amount");
        dashboard.tell(Msg::Click(x, u16::try_from(titles).unwrap()));
        dashboard.settle().await;
        assert!(dashboard.screen().contains("there is no order by amount"));
        // What lies on top keeps clicks from what is beneath it.
        dashboard.keys("1 ?").await;
        let before = dashboard.screen();
        dashboard.tell(Msg::Click(1, 3));
        assert_eq!(dashboard.screen(), before);
    });
}

#[test]
fn a_row_is_copied_and_quitting_is_wished_for() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("2 j Y q").await;
        let [Effect::Copy(row), Effect::Quit] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        assert!(row.starts_with("BTC\tBitcoin\t0.57505473\t"), "{row}");
    });
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
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("3 Space G Space Y").await;
        let rows = dashboard.copied()[0].lines().collect::<Vec<_>>();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].starts_with("2026-11-20\t") && rows[1].starts_with("2016-11-01\t"));
        // A range that begins far away.
        dashboard.keys("Esc g g j v : 6 0 0 Enter v y").await;
        let amounts: Vec<_> = dashboard.copied()[1].lines().map(str::to_owned).collect();
        assert_eq!(amounts.len(), 599);
        dashboard.keys("j").await;
        let shown = format!("599 marked   {}", summed(amounts.iter().map(String::as_str)));
        assert!(dashboard.screen().contains(&shown), "{shown}\n{}", dashboard.screen());
        // Esc leaves the marks, and only then anything else.
        dashboard.keys("Esc").await;
        assert!(!dashboard.screen().contains("marked"));
    });
}

#[test]
fn an_open_range_that_began_far_away_has_no_sum() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("3 Space v G y").await;
        let screen = dashboard.screen();
        assert!(dashboard.copied().is_empty(), "{screen}");
        dashboard.keys("k").await;
        let screen = dashboard.screen();
        assert!(screen.contains("the range reaches beyond what is read"), "{screen}");
        assert!(!screen.contains("in the range"), "{screen}");
        dashboard.keys("v").await;
        assert!(dashboard.screen().contains("2837 marked"), "{}", dashboard.screen());
    });
}

#[test]
fn a_mark_is_on_what_was_marked_wherever_it_goes() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("2 j Space / e t h Enter o Y").await;
        assert!(dashboard.copied()[0].starts_with("BTC\t"), "{:?}", dashboard.copied());
        assert!(dashboard.screen().contains("copied"));
        dashboard.keys("Esc j").await;
        assert!(!dashboard.screen().contains("marked"), "{}", dashboard.screen());
    });
}

#[test]
fn a_mark_outlives_a_look_at_another_day() {
    on_demo((120, 30), async |dashboard| {
        for pane in ["2 j", "1 j"] {
            dashboard.keys(pane).await;
            dashboard.keys("Space @ 1 9 9 9 - 0 1 - 0 1 Enter").await;
            dashboard.keys("T").await;
            assert!(dashboard.screen().contains("1 marked"), "{}", dashboard.screen());
        }
    });
}

#[test]
fn a_figure_is_copied_and_never_one_that_is_hidden() {
    on_demo((120, 30), async |dashboard| {
        dashboard.keys("2 j y 3 y 1 j y 4 y 2 g g y").await;
        assert_eq!(dashboard.copied(), ["20,960.74", "-89.48 USD", "23,877.87", "1,226,598.34"],);
        assert!(dashboard.screen().contains("there is nothing to copy here"), "a heading");
        dashboard.keys("j p y").await;
        assert!(dashboard.screen().contains("amounts are hidden"));
        assert_eq!(dashboard.copied().len(), 4);
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
fn whatever_is_shown_is_explained_or_said_to_need_none() {
    on_demo((120, 40), async |dashboard| {
        // What is pressed, and what is said then.
        for (keys, said) in [
            ("3 j =", "amount of withdrawal"),
            ("Esc 4 h h h =", "net_worth of everything on 2026-1"),
            ("Esc 2 j l =", "a price is as its source says"),
        ] {
            dashboard.keys(keys).await;
            let screen = dashboard.screen();
            assert!(screen.contains(said), "{screen}");
        }
    });
}

#[test]
fn the_wheel_turns_what_lies_on_top() {
    on_demo((100, 20), async |dashboard| {
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
    });
}

#[test]
fn a_row_behind_the_last_is_the_last() {
    on_demo((100, 20), async |dashboard| {
        for order in ["3", "s Space Enter"] {
            dashboard.keys(order).await;
            for (row, there) in [("9 9 9 9", 2838), ("2 8 3 7", 2837), ("0", 1)] {
                dashboard.keys(&format!(": {row} Enter")).await;
                let screen = dashboard.screen();
                assert!(screen.contains(&format!("row {there} of 2838")), "{screen}");
            }
        }
    });
}

#[test]
fn n_goes_from_match_to_match_and_around() {
    on_demo((100, 30), async |dashboard| {
        dashboard.keys("2 n").await;
        assert!(dashboard.screen().contains("nothing was looked for yet"));
        dashboard.keys("/ m p l f Esc n Y n Y N Y n n").await;
        assert!(dashboard.screen().contains("no more below: on from the top"));
        dashboard.keys("Y").await;
        let quantity = |row: &str| row.split('\t').nth(2).unwrap().to_owned();
        let seen: Vec<_> = dashboard.copied().into_iter().map(quantity).collect();
        assert_eq!(seen, ["379", "697", "379", "379"]);
        // A filter that stays leaves only matches to go through.
        dashboard.keys("1 / u s d Space ! h a r b o r Enter n Y").await;
        assert!(
            dashboard.copied()[4].starts_with("Individual Brokerage\t"),
            "{:?}",
            dashboard.copied()[4]
        );
    });
}

#[test]
fn n_finds_rows_that_are_not_read_yet() {
    on_demo((100, 30), async |dashboard| {
        // The oldest is more than a window away from the newest.
        dashboard.keys("3 / k i n d : o p e n Esc N Y n").await;
        let screen = dashboard.screen();
        assert!(screen.contains("no more below: on from the top"), "{screen}");
        dashboard.keys("Y n Y N Y").await;
        let rows = dashboard.copied();
        assert!(rows.iter().all(|row| row.contains("\topening\t")), "{rows:?}");
        assert_ne!(rows[0], rows[1], "the oldest, then the newest");
        assert_ne!(rows[1], rows[2]);
        assert_eq!(rows[1], rows[3]);
        dashboard.keys("/ n o w h e r e Enter Esc n").await;
        assert!(dashboard.screen().contains("nothing fits nowhere"));
    });
}

#[test]
fn what_is_pasted_is_no_command() {
    on_demo((80, 24), async |dashboard| {
        dashboard.tell(Msg::Paste("q\n:quit\n".to_owned()));
        assert!(dashboard.wanted.is_empty());
        dashboard.keys(":").await;
        dashboard.tell(Msg::Paste("quit\n".to_owned()));
        assert!(dashboard.wanted.is_empty(), "the line is there, and nobody pressed Enter");
    });
}

#[test]
fn what_is_beside_the_rows_follows_once_the_cursor_rests() {
    // A pane, and how many lines its rows take.
    let panes = [("1", 22), ("2", 22), ("3", 25)];
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        for (pane, rows) in panes {
            dashboard.keys(pane).await;
            dashboard.keys("j").await;
            let beside = |dashboard: &Dashboard| -> Vec<String> {
                dashboard.screen().lines().skip(rows + 2).map(str::to_owned).collect()
            };
            let (first, whole) = (beside(&dashboard), dashboard.buffer());
            assert!(first[0].starts_with('┌'), "{pane}: {first:?}");
            for key in ["j", "j", "PgDn", "k"] {
                for chord in dashtam::keys::parse_chords(key).unwrap() {
                    dashboard.tell(Msg::Key(chord));
                }
                assert!(dashboard.app.is_moving());
                assert_eq!(beside(&dashboard), first, "{pane} {key}");
                assert_ne!(dashboard.buffer(), whole, "the cursor goes at once");
            }
            dashboard.settle().await;
            assert_ne!(beside(&dashboard), first, "{pane}");
            // Any other key is about the row that the cursor is on.
            let rested = dashboard.screen();
            dashboard.tell(Msg::Key(dashtam::keys::parse_chords("k").unwrap()[0]));
            dashboard.keys("p p j").await;
            assert_eq!(dashboard.screen(), rested, "{pane}");
        }
        // Where there is nothing beside them, nobody waits.
        dashboard.resize((80, 24)).await;
        dashboard.tell(Msg::Key(dashtam::keys::parse_chords("j").unwrap()[0]));
        assert!(!dashboard.app.is_moving());
        dashboard.close().await;
    });
}

#[test]
fn the_row_that_is_deleted_is_the_one_that_is_named() {
    on_demo((120, 30), async |dashboard| {
        let row = |at: usize, dashboard: &Dashboard| {
            dashboard.screen().lines().nth(at).unwrap().split_whitespace().collect::<String>()
        };
        dashboard.keys("3").await;
        let (first, second) = (row(3, dashboard), row(4, dashboard));
        // Marking goes on to the next row, which is another one.
        dashboard.keys("Space d").await;
        let named = "Delete the withdrawal of 2026-11-20 in Harbor Card?";
        assert!(dashboard.screen().contains(named), "{}", dashboard.screen());
        dashboard.keys("y").await;
        dashboard.work().await;
        assert!(first.starts_with("2026-11-20HarborCard"), "{first}");
        assert_eq!(row(3, dashboard), second);
    });
}
