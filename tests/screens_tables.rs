//! What every table of the dashboard does alike: order by any column with keys or the mouse, the
//! next match, marks, copying, a choice of columns, and that all of it is remembered.

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

use dashtam::tui::{Memo, Msg, Options};
use screen::{Dashboard, on_demo, options, run};

/// The first line of a screen that has all of these, and where the text of the last one begins.
fn heading(screen: &str, titles: &[&str]) -> (u16, u16) {
    let is_it = |line: &&str| titles.iter().all(|title| line.contains(title));
    let at = screen.lines().position(|line| is_it(&line));
    let at = at.unwrap_or_else(|| panic!("no {titles:?} on\n{screen}"));
    let line = screen.lines().nth(at).unwrap();
    let (before, _) = line.split_once(titles[titles.len() - 1]).unwrap();
    (u16::try_from(before.chars().count()).unwrap(), u16::try_from(at).unwrap())
}

/// What `Y` copies of all rows, one a line.
async fn rows(dashboard: &mut Dashboard) -> Vec<String> {
    dashboard.keys("g g v G Y Esc g g").await;
    dashboard.copied().last().unwrap().lines().map(str::to_owned).collect()
}

/// What a figure is worth as a reader would say; none: it says nothing.
fn figure(text: &str) -> Option<f64> {
    let text: String = text.chars().filter(|c| c.is_ascii_digit() || "-.".contains(*c)).collect();
    text.parse().ok()
}

#[test]
fn every_table_has_an_order_by_each_column_with_keys_and_mouse() {
    // A way to a table, titles of its heading, and by which of them: its column, and whether it is
    // of figures.
    let ways: [(&str, &[&str], usize, bool); 13] = [
        ("2 o o o", &["Symbol", "Value", "Quantity"], 2, true),
        ("2 o o o", &["Symbol", "Value", "Name"], 1, false),
        ("5 o o o", &["Of", "XIRR", "Return"], 3, true),
        ("5 o o o", &["Of", "XIRR", "Volatility"], 7, true),
        ("6", &["Slice", "Weight"], 2, true),
        ("6 o", &["Weight", "Slice"], 0, false),
        ("7 o", &["Withheld", "Net"], 4, true),
        ("7 o", &["Withheld", "Of"], 0, false),
        ("9", &["State", "New"], 4, true),
        ("g h", &["Account", "What"], 1, false),
        ("g h", &["Account", "Day"], 4, false),
        ("g a", &["State", "Action"], 2, false),
        ("2 j Enter", &["Open", "Close"], 4, true),
    ];
    run(async {
        for (way, titles, column, is_figure) in ways {
            let mut dashboard = Dashboard::demo((140, 50), options()).await;
            dashboard.keys(way).await;
            let before = rows(&mut dashboard).await;
            let mut turned = Vec::new();
            for down in [is_figure, !is_figure] {
                let (x, line) = heading(&dashboard.screen(), titles);
                dashboard.tell(Msg::Click(x, line));
                dashboard.settle().await;
                let arrow = if down { '▼' } else { '▲' };
                let said = format!("{}{arrow}", titles[titles.len() - 1]);
                assert!(dashboard.screen().contains(&said), "{said}\n{}", dashboard.screen());
                let rows = rows(&mut dashboard).await;
                let cell = |row: &String| row.split('\t').nth(column).unwrap().to_owned();
                let cells: Vec<_> = rows.iter().map(cell).filter(|cell| !cell.is_empty()).collect();
                if is_figure {
                    let known: Vec<_> = cells.iter().filter_map(|cell| figure(cell)).collect();
                    let fits =
                        |pair: &[f64]| if down { pair[0] >= pair[1] } else { pair[0] <= pair[1] };
                    assert!(known.windows(2).all(fits), "{titles:?} {down}: {known:?}");
                    // What is not known comes last, whichever way.
                    let known = cells.iter().take_while(|cell| figure(cell).is_some()).count();
                    assert!(
                        cells.iter().skip(known).all(|cell| figure(cell).is_none()),
                        "{cells:?}"
                    );
                } else {
                    let folded: Vec<_> = cells.iter().map(|cell| cell.to_lowercase()).collect();
                    let fits = |pair: &[String]| {
                        if down { pair[0] >= pair[1] } else { pair[0] <= pair[1] }
                    };
                    assert!(folded.windows(2).all(fits), "{titles:?} {down}: {folded:?}");
                }
                turned.push(rows);
            }
            let sorted = |rows: &[String]| {
                let mut rows = rows.to_vec();
                rows.sort();
                rows
            };
            assert_eq!(sorted(&before), sorted(&turned[0]), "no row is lost");
            dashboard.close().await;
        }
    });
}

#[test]
fn every_table_finds_marks_and_copies_alike() {
    // A way to a table with several rows, and a word that is in some of them.
    let ways = [
        ("2 o o o", "m p l f"),
        ("5 o o o", "t f s a"),
        ("6 o o o", "u s d"),
        ("7 o", "c a s h"),
        ("g h", "p r i c e"),
        ("g a", "i m p o r t"),
        ("2 j Enter", "2 0 2 6 - 1 0"),
    ];
    run(async {
        let mut dashboard = Dashboard::demo((120, 44), options()).await;
        for (way, word) in ways {
            dashboard.keys(way).await;
            let all = rows(&mut dashboard).await;
            let word_of = word.replace(' ', "");
            let fits = |row: &&String| row.to_lowercase().contains(&word_of);
            let expected: Vec<_> = all.iter().filter(fits).cloned().collect();
            assert!(!expected.is_empty(), "{way}: {all:?}");
            // The filter leaves those that fit; once it is left, `n` goes to the first of them.
            dashboard.keys(&format!("/ {word} Enter")).await;
            assert_eq!(rows(&mut dashboard).await, expected, "{way}");
            dashboard.keys("/ Esc").await;
            assert_eq!(rows(&mut dashboard).await, all, "{way}");
            dashboard.keys(&format!("/ {word} Esc G n Y")).await;
            assert_eq!(dashboard.copied().last().copied(), Some(expected[0].as_str()), "{way}");
            // Two marked rows are counted and copied, wherever the cursor is.
            dashboard.keys("g g Space Space Y").await;
            assert_eq!(
                dashboard.copied().last().unwrap().lines().count(),
                2.min(all.len()),
                "{way}"
            );
            dashboard.keys("g g").await;
            assert!(dashboard.screen().contains("marked"), "{way}\n{}", dashboard.screen());
            dashboard.keys("Esc").await;
            assert!(!dashboard.screen().contains("marked"), "{way}\n{}", dashboard.screen());
        }
        dashboard.close().await;
    });
}

#[test]
fn a_bar_opens_what_it_stands_for() {
    on_demo((120, 40), async |dashboard| {
        for (way, opened) in [("6 o o o o", "group account"), ("7", "Balance"), ("7 o", "Balance")]
        {
            dashboard.keys(way).await;
            let screen = dashboard.screen();
            let is_bar = |line: &&str| line.contains("██");
            let line = screen.lines().position(|line| is_bar(&line)).unwrap();
            let (before, _) = screen.lines().nth(line).unwrap().split_once('█').unwrap();
            let x = u16::try_from(before.chars().count()).unwrap();
            // Beside the bar the click goes to the row and nowhere else.
            dashboard.tell(Msg::Click(0, u16::try_from(line).unwrap()));
            dashboard.settle().await;
            assert!(!dashboard.screen().contains(opened), "{}", dashboard.screen());
            dashboard.tell(Msg::Click(x, u16::try_from(line).unwrap()));
            dashboard.settle().await;
            assert!(dashboard.screen().contains(opened), "{}", dashboard.screen());
            dashboard.keys("Esc Esc").await;
        }
    });
}

/// The titles on the line of the heading that has one of them.
fn titles(screen: &str, one: &str) -> Vec<String> {
    let (_, line) = heading(screen, &[one]);
    let line = screen.lines().nth(usize::from(line)).unwrap();
    line.split("  ")
        .map(|title| title.trim().to_owned())
        .filter(|title| !title.is_empty())
        .collect()
}

#[test]
fn columns_are_chosen_put_in_order_and_remembered() {
    run(async {
        let mut dashboard = Dashboard::demo((140, 30), options()).await;
        dashboard.keys("2 g c").await;
        insta::assert_snapshot!("columns_of_the_holdings", dashboard.screen());
        // The value goes two places to the left, and the name is not shown.
        dashboard.keys("j Space j j j j j h h Enter").await;
        let screen = dashboard.screen();
        let shown = titles(&screen, "Weight");
        assert!(!shown.iter().any(|title| title == "Name"), "{shown:?}");
        let place = |title: &str| shown.iter().position(|it| it.starts_with(title)).unwrap();
        assert!(place("Value") < place("Change"), "{shown:?}");
        assert_eq!(
            place("Change") - place("Value"),
            1 + usize::from(shown.contains(&"Age".to_owned()))
        );
        // A copied row is whole, whatever is shown; a figure is the one that matters.
        dashboard.keys("j Y").await;
        assert!(dashboard.copied()[0].contains("\tBitcoin\t"), "{:?}", dashboard.copied());
        dashboard.keys(": c o l u m n s Enter Esc").await;
        assert_eq!(
            dashboard.screen().lines().nth(2),
            screen.lines().nth(2),
            "Esc leaves all as it was"
        );
        let Some(Memo::Table(pane, table)) = dashboard.remembered.last().cloned() else {
            panic!("{:?}", dashboard.remembered)
        };
        assert_eq!(
            (pane.as_str(), table.hidden.as_slice()),
            ("holdings", &["Name".to_owned()][..])
        );
        dashboard.close().await;
        // The next session begins as this one ended.
        let tables = BTreeMap::from([(pane, table)]);
        let mut next = Dashboard::demo((140, 30), Options { tables, ..options() }).await;
        next.keys("2").await;
        assert_eq!(titles(&next.screen(), "Weight"), shown);
        assert!(!next.remembered.iter().any(|memo| matches!(memo, Memo::Table(..))));
        // `r` takes the choice back.
        next.keys("g c r Enter").await;
        assert!(titles(&next.screen(), "Weight").contains(&"Name".to_owned()), "{}", next.screen());
        next.close().await;
    });
}

#[test]
fn order_and_groups_are_remembered_in_every_pane() {
    let ways = [
        ("1 s j j Space Enter", "1"),
        ("2 o s k k Enter", "2"),
        ("3 s Space Enter", "3"),
        ("5 o o o s j j Enter", "5"),
        ("6 o s j Space Enter", "6"),
        ("7 o s j Space Enter", "7"),
        ("9 s Space Enter", "9"),
        ("g h s j Enter", "g h"),
    ];
    run(async {
        let mut dashboard = Dashboard::demo((120, 40), options()).await;
        for (way, _) in ways {
            dashboard.keys(way).await;
        }
        let mut tables = BTreeMap::new();
        for memo in dashboard.remembered.clone() {
            if let Memo::Table(pane, table) = memo {
                tables.insert(pane, table);
            }
        }
        assert_eq!(tables.len(), ways.len(), "{tables:?}");
        let mut next = Dashboard::demo((120, 40), Options { tables, ..options() }).await;
        for (_, pane) in ways {
            dashboard.keys(pane).await;
            dashboard.keys("g g").await;
            next.keys(pane).await;
            next.keys("g g").await;
            assert_eq!(next.screen(), dashboard.screen(), "{pane}");
        }
        next.close().await;
        dashboard.close().await;
    });
}
