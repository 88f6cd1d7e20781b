//! What makes the dashboard a place to stay: filters with names, what was said before, rows as a
//! file, the cover, the guide, themes.

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

use std::collections::BTreeMap;

use dashtam::model::Dec;
use dashtam::report::{self, AccountsQuery, PositionsQuery, TransactionsQuery};
use dashtam::tui::{Effect, Errand, Memo, Msg, Options, ThemeName};
use screen::{Dashboard, PANES, clock, on_demo, options, run};

/// A line typed letter by letter.
fn typed(line: &str) -> String {
    let letters = line.chars().map(|c| if c == ' ' { "Space".to_owned() } else { c.to_string() });
    letters.collect::<Vec<_>>().join(" ")
}

async fn command(dashboard: &mut Dashboard, line: &str) {
    dashboard.keys(&format!(": {} Enter", typed(line))).await;
}

fn bar(dashboard: &Dashboard) -> String {
    dashboard.screen().lines().last().unwrap().to_owned()
}

#[test]
fn a_filter_has_a_name_and_comes_back() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 30), options()).await;
        command(&mut dashboard, "view save mine").await;
        assert!(bar(&dashboard).contains("no filter to keep"), "{}", bar(&dashboard));
        command(&mut dashboard, "view mine").await;
        assert!(bar(&dashboard).contains("no view is called mine"), "{}", bar(&dashboard));
        dashboard.keys(&format!("3 / {} Enter", typed("kind:div amt:>10"))).await;
        // Columns may have become wider meanwhile.
        let rows = |dashboard: &Dashboard| -> Vec<String> {
            let start = |line: &str| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
            dashboard.screen().lines().skip(3).map(start).collect()
        };
        let filtered = rows(&dashboard);
        command(&mut dashboard, "view save big dividends").await;
        let kept = Memo::View("big dividends".to_owned(), Some("kind:div amt:>10".to_owned()));
        assert_eq!(dashboard.remembered.last(), Some(&kept));
        // From another pane, after another filter: by command, and by a few letters.
        for way in
            [": v i e w Space b i g Space d i v i d e n d s Enter", "Ctrl-p b i g d i v Enter"]
        {
            dashboard.keys("3 / Ctrl-u x x x Enter 2").await;
            dashboard.keys(way).await;
            dashboard.keys("j k").await;
            assert_eq!(rows(&dashboard), filtered, "{way}");
        }
        command(&mut dashboard, "view other").await;
        assert!(bar(&dashboard).contains("there are big dividends"), "{}", bar(&dashboard));
        command(&mut dashboard, "view drop big dividends").await;
        assert_eq!(
            dashboard.remembered.last(),
            Some(&Memo::View("big dividends".to_owned(), None))
        );
        dashboard.close().await;
        // The next session has what this one remembered.
        let views = BTreeMap::from([("usd".to_owned(), "cur:usd".to_owned())]);
        let mut next = Dashboard::demo((120, 30), Options { views, ..options() }).await;
        command(&mut next, "view usd").await;
        assert!(bar(&next).contains("view usd: `cur:usd`"), "{}", bar(&next));
        next.close().await;
    });
}

#[test]
fn what_was_said_is_read_again_and_hides_what_is_hidden_now() {
    on_demo((100, 24), async |dashboard| {
        dashboard.keys("g m").await;
        assert!(dashboard.screen().contains("nothing was said yet"), "{}", dashboard.screen());
        dashboard.keys("Esc 2 j y t t g r t g m").await;
        let screen = dashboard.screen();
        let place =
            |text: &str| screen.find(text).unwrap_or_else(|| panic!("no {text} on\n{screen}"));
        assert!(place("theme: safe") < place("each other's colour"), "the newest first");
        assert!(place("each other's colour") < place("copied 20,960.74"));
        dashboard.keys("Esc p").await;
        command(dashboard, "messages").await;
        let screen = dashboard.screen();
        assert!(screen.contains("copied") && !screen.contains("20,960"), "{screen}");
        // What is typed leaves what has it.
        dashboard.keys("t h e m e").await;
        let screen = dashboard.screen();
        assert!(screen.contains("theme: safe") && !screen.contains("copied"), "{screen}");
    });
}

#[test]
fn rows_become_a_file_as_they_are_shown() {
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        command(&mut dashboard, "export a.csv").await;
        assert!(bar(&dashboard).contains("no rows here"), "{}", bar(&dashboard));
        // The name is hidden; the order is that of the screen.
        dashboard.keys("2 o o o s Space Enter g c j Space Enter").await;
        command(&mut dashboard, "export \"my rows.csv\"").await;
        let [Effect::Begin(Errand::Export(path, bytes))] = &dashboard.wanted[..] else {
            panic!("{:?}", dashboard.wanted)
        };
        assert_eq!(path, std::path::Path::new("my rows.csv"));
        let text = String::from_utf8(bytes.clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("Symbol,Quantity,Price,"), "{text}");
        assert!(!text.contains("Total") && !text.contains("Bitcoin"), "{text}");
        let value = |line: &&str| line.split(',').nth(5).unwrap().parse::<f64>().ok();
        let values: Vec<f64> = lines[1..].iter().filter_map(value).collect();
        assert!(values.len() > 5 && values.windows(2).all(|pair| pair[0] <= pair[1]), "{text}");
        // Hidden amounts do not leave in a file, and where nothing may be written nothing is.
        dashboard.keys("p").await;
        command(&mut dashboard, "export b.csv").await;
        assert!(bar(&dashboard).contains("amounts are hidden"), "{}", bar(&dashboard));
        dashboard.close().await;
        let looking = Options { read_only: true, ..options() };
        let mut dashboard = Dashboard::demo((120, 40), looking).await;
        dashboard.keys("2").await;
        command(&mut dashboard, "export b.csv").await;
        assert!(bar(&dashboard).contains("nothing is written"), "{}", bar(&dashboard));
        assert!(dashboard.wanted.is_empty());
        dashboard.close().await;
    });
}

/// The rows of a file under their titles.
fn sheet(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_reader(bytes);
    csv.deserialize().map(Result::unwrap).collect()
}

/// The sum of a column, which has a figure in each of these rows or says that nobody knows it.
fn sum(rows: &[&BTreeMap<String, String>], column: &str) -> Dec {
    let known = rows.iter().map(|row| row[column].as_str()).filter(|text| *text != "n/a");
    sum_of(known.map(|text| Dec::parse(text).unwrap()))
}

fn sum_of(figures: impl Iterator<Item = Dec>) -> Dec {
    figures.reduce(|sum, figure| sum.checked_add(figure).unwrap()).unwrap()
}

#[test]
fn a_ledger_becomes_a_file_as_a_whole() {
    on_demo((160, 40), async |dashboard| {
        let query = TransactionsQuery::default();
        let mut tx = dashboard.session().store.read().await.unwrap();
        let report = report::transactions(&mut tx, &query).await.unwrap().rows;
        drop(tx);
        let folder = tempfile::tempdir().unwrap();
        // Only a window of it is read by the screen.
        for (way, name, oldest_first, has) in [
            ("3", "newest.csv", false, ""),
            ("s Space Enter", "oldest.csv", true, ""),
            ("/ a c c t : t f s a Enter", "filtered.csv", true, "TFSA"),
        ] {
            dashboard.keys(way).await;
            let file = folder.path().join(name);
            command(dashboard, &format!("export {}", file.display())).await;
            dashboard.work().await;
            assert!(bar(dashboard).contains("the rows are in"), "{}", bar(dashboard));
            let rows = sheet(&std::fs::read(&file).unwrap());
            let wanted: Vec<_> =
                report.iter().filter(|row| row.account.as_str().contains(has)).collect();
            let days: Vec<_> = wanted.iter().map(|row| row.date.to_string()).collect();
            let mut written: Vec<_> = rows.iter().map(|row| row["Date"].clone()).collect();
            if !oldest_first {
                written.reverse();
            }
            assert_eq!(written, days, "{name}");
            for currency in ["USD", "CAD"] {
                let is_of = |row: &&BTreeMap<String, String>| row["Currency"] == currency;
                let mine: Vec<_> = rows.iter().filter(is_of).collect();
                let theirs = wanted.iter().filter(|row| row.currency.code() == currency);
                assert_eq!(sum(&mine, "Amount"), sum_of(theirs.map(|row| row.amount)), "{name}");
            }
        }
        // Nothing that is there already is written over.
        let file = folder.path().join("newest.csv");
        command(dashboard, &format!("export {}", file.display())).await;
        dashboard.work().await;
        assert!(bar(dashboard).contains("exists"), "{}", bar(dashboard));
        // A million rows take their time: they say how far they are.
        command(dashboard, "export other.csv").await;
        dashboard.tell(Msg::Rows(250_000));
        dashboard.keys("j").await;
        assert!(bar(dashboard).contains("250000 rows written"), "{}", bar(dashboard));
    });
}

#[test]
fn no_row_of_a_file_says_again_what_another_one_says() {
    on_demo((160, 40), async |dashboard| {
        let mut tx = dashboard.session().store.read().await.unwrap();
        let today = clock().today();
        let (as_of, account, currency) = (today, None, None);
        let query = AccountsQuery { as_of, today, account, currency, closed: true };
        let accounts = report::accounts(&mut tx, &query).await.unwrap();
        let query = PositionsQuery { as_of, today, account, currency, method: None, closed: false };
        let holdings = report::holdings(&mut tx, &query).await.unwrap();
        drop(tx);
        let written = |dashboard: &mut Dashboard| match dashboard.wanted.pop() {
            Some(Effect::Begin(Errand::Export(_, bytes))) => sheet(&bytes),
            other => panic!("{other:?}"),
        };
        // An institution is a sum of accounts, and those of a folded one are rows all the same.
        dashboard.keys("1 g g o").await;
        command(dashboard, "export a.csv").await;
        let rows = written(dashboard);
        assert_eq!(rows.len(), accounts.rows.len());
        let open: Vec<_> = rows.iter().filter(|row| !row["Marks"].contains("closed")).collect();
        assert_eq!(sum(&open, "In base"), accounts.total_base.unwrap());
        for (account, row) in accounts.rows.iter().map(|account| {
            (account, rows.iter().find(|row| row["Account"] == account.name.as_str()).unwrap())
        }) {
            assert_eq!(row["Value"], account.value.map_or("n/a".to_owned(), |it| it.to_string()));
            assert_eq!(row["Currency"], account.currency.code());
        }
        // A lot is a part of its position.
        dashboard.keys("2 L").await;
        assert!(dashboard.screen().contains("2026-"), "{}", dashboard.screen());
        command(dashboard, "export a.csv").await;
        let rows = written(dashboard);
        assert_eq!(rows.len(), holdings.rows.len());
        let values = holdings.rows.iter().filter_map(|row| row.value_base);
        assert_eq!(sum(&rows.iter().collect::<Vec<_>>(), "Value"), sum_of(values));
        for row in &holdings.rows {
            let account = row.account.as_ref().unwrap().as_str();
            let mut mine = rows.iter().filter(|it| it["Account"] == account);
            assert!(mine.any(|it| it["Symbol"] == row.symbol.as_str()), "{account}");
        }
    });
}

#[test]
fn a_cover_hides_everything_and_the_key_that_lifts_it_does_nothing_else() {
    on_demo((100, 24), async |dashboard| {
        dashboard.keys("2 j").await;
        let before = dashboard.screen();
        for lift in ["q", "j", "Esc", ":"] {
            dashboard.tell(Msg::Cover);
            let screen = dashboard.screen();
            assert_eq!(
                screen.split_whitespace().collect::<Vec<_>>().join(" "),
                "covered: any key shows it again"
            );
            // Nothing that happens meanwhile is drawn, as nothing of it could be seen.
            dashboard.app.take_dirty();
            dashboard.tell(Msg::Notice("secret 1234".to_owned()));
            assert!(!dashboard.app.take_dirty());
            assert_eq!(dashboard.screen(), screen);
            dashboard.keys(lift).await;
            dashboard.keys("j k").await;
            assert_eq!(dashboard.screen(), before, "{lift}");
        }
        assert!(dashboard.wanted.is_empty());
        dashboard.tell(Msg::Cover);
        dashboard.tell(Msg::Click(2, 3));
        assert_eq!(dashboard.screen().lines().count(), before.lines().count());
        dashboard.tell(Msg::Cover);
        dashboard.keys("Ctrl-c").await;
        assert!(matches!(dashboard.wanted[..], [Effect::Quit]));
    });
}

#[test]
fn the_guide_opens_at_its_pane_and_is_searched() {
    on_demo((80, 24), async |dashboard| {
        dashboard.keys("6").await;
        command(dashboard, "guide").await;
        insta::assert_snapshot!("guide_of_the_allocation", dashboard.screen());
        dashboard.keys(&typed("ex-dividend")).await;
        assert!(dashboard.screen().contains("nothing says that"), "{}", dashboard.screen());
        dashboard.keys(&format!("Ctrl-u {}", typed("forecast"))).await;
        insta::assert_snapshot!("guide_searched", dashboard.screen());
        dashboard.keys("Esc").await;
        // The help of every pane begins with what the guide says of it.
        for (_, key) in PANES {
            dashboard.keys(key).await;
            dashboard.keys("?").await;
            let help = dashboard.screen();
            dashboard.keys("Esc g u").await;
            let guide = dashboard.screen();
            let line = |screen: &str, at: usize| -> String {
                screen.lines().nth(at).unwrap().trim_matches(['│', '┌', '┐', '─', ' ']).to_owned()
            };
            let (title, said) = (line(&help, 2), line(&guide, 5));
            let title = title.strip_prefix("Keys · ").unwrap().trim_end_matches('…');
            assert!(title.len() > 20 && said.starts_with(title), "{title}\n{said}");
            dashboard.keys("Esc").await;
        }
    });
}

#[test]
fn every_state_is_told_without_a_colour() {
    let plain = Options { colours: None, ..options() };
    run(async {
        let mut dashboard = Dashboard::demo((140, 40), plain.clone()).await;
        // A way to a state, and what says it in letters, signs or arrows.
        for (way, said) in [
            ("2", "stale"),
            ("2", "! "),
            ("2", "▲ +"),
            ("2", "-2.91 %"),
            ("2", "partial"),
            ("2 j Space", "●"),
            ("Esc 2 / z z z Enter", "nothing fits the filter"),
            ("Esc / Esc 2 s Space Enter", "Value▲"),
            ("p", "private"),
            ("p @ 2 0 2 0 - 0 6 - 3 0 Enter", "time travel"),
            ("T 6", "partial"),
            ("9", "stored"),
            ("g h", "warning"),
            ("g a", "SUCCEEDED"),
            ("7 G", "forecast"),
        ] {
            dashboard.keys(way).await;
            assert!(dashboard.screen().contains(said), "{way} {said}\n{}", dashboard.screen());
        }
        dashboard.close().await;
        // Themes change colours and nothing else.
        let mut screens = Vec::new();
        for theme in ThemeName::ALL {
            for swapped in [false, true] {
                let mut dashboard =
                    Dashboard::demo((120, 40), Options { theme, swapped, ..options() }).await;
                let mut all = String::new();
                // The settings name the theme.
                for (_, key) in PANES.iter().filter(|(pane, _)| *pane != "settings") {
                    dashboard.keys(key).await;
                    all.push_str(&dashboard.screen());
                }
                screens.push(all);
                dashboard.close().await;
            }
        }
        assert!(screens.windows(2).all(|pair| pair[0] == pair[1]));
    });
}

#[test]
fn beyond_the_end_of_a_text_no_key_counts() {
    on_demo((80, 16), async |dashboard| {
        for open in ["g u", "?", "2 j ="] {
            dashboard.keys(open).await;
            for (down, back) in [(true, "Up"), (false, "Down")] {
                for _ in 0..400 {
                    dashboard.tell(Msg::Wheel(down));
                }
                let end = dashboard.screen();
                dashboard.keys(back).await;
                assert_ne!(dashboard.screen(), end, "{open} {back}\n{end}");
            }
            dashboard.keys("Esc").await;
        }
    });
}
