//! The states that a screen of the dashboard can be in: empty, loading, failed, masked, hostile, in
//! ASCII, refreshing.

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

use dashtam::model::{Change, Setting};
use dashtam::service::edit;
use dashtam::state::Trouble;
use dashtam::tui::{App, Edit, Effect, Errand, Memo, Msg, Options, ThemeName};
use ratatui::buffer::Buffer;
use screen::{Dashboard, PANES, WAYS, clock, drawn, on_demo, options, run, text};
use unicode_width::UnicodeWidthChar;

#[test]
fn taste_is_to_be_remembered() {
    on_demo((80, 24), async |dashboard| {
        dashboard.remembered.clear();
        dashboard.keys("p t p").await;
        let expected = [Memo::Private(true), Memo::Theme(ThemeName::Light), Memo::Private(false)];
        assert_eq!(dashboard.remembered, expected);
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
        dashboard.tell(failed());
        dashboard.keys("g g Enter").await;
        assert!(matches!(dashboard.wanted.last(), Some(Effect::Demo)));
        // The rest of the keys is as everywhere.
        dashboard.keys("q").await;
        assert!(matches!(dashboard.wanted.last(), Some(Effect::Quit)));
        dashboard.keys("j j Enter N e w Space J a r Enter s a v i n g s Enter u s d Ctrl-s").await;
        let Some(Effect::Begin(Errand::Edit(Edit::Change(_, changes)))) = dashboard.wanted.last()
        else {
            panic!("{:?}", dashboard.wanted)
        };
        let [Change::AddAccount(new)] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((new.name.as_str(), new.kind.as_str()), ("New Jar", "savings"));
        for width in 0..90 {
            dashboard.resize((width, 24 - (width % 24))).await;
            dashboard.buffer();
        }
        dashboard.close().await;
    });
}

#[test]
fn what_needs_no_account_is_itself_in_an_empty_store() {
    run(async {
        let mut dashboard = Dashboard::empty((80, 24), options()).await;
        let shown = async |dashboard: &mut Dashboard, keys: &str, says: &str| {
            dashboard.keys(keys).await;
            let screen = dashboard.screen();
            assert!(screen.contains(says) && !screen.contains("Welcome"), "{keys}: {screen}");
        };
        shown(&mut dashboard, "8", "nothing is watched").await;
        shown(&mut dashboard, "g n", "there is no connection yet: c connects").await;
        // Here there is nobody to connect to, which `c` says.
        shown(&mut dashboard, "c", "connected to nobody").await;
        for pane in ["g h", "g a", "g o"] {
            shown(&mut dashboard, pane, "").await;
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

/// An import that failed, with a figure in its words.
fn failed() -> Msg {
    let why = "the balance is 1234.56".to_owned();
    Msg::Errand(None, Box::new(Err(dashtam::service::Error::Value { what: "a.csv", why })))
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
    on_demo((100, 24), async |dashboard| {
        dashboard.keys(": i m p o r t Space a . c s v Enter j 2 j Space").await;
        let bar = |dashboard: &Dashboard| dashboard.screen().lines().last().unwrap().to_owned();
        assert!(bar(dashboard).starts_with("at work ...   1 marked"), "{}", bar(dashboard));
        dashboard.keys("q").await;
        assert!(bar(dashboard).contains("once more leaves it"), "{}", bar(dashboard));
        assert!(matches!(dashboard.wanted[..], [Effect::Begin(_)]));
        dashboard.keys("q").await;
        assert!(matches!(dashboard.wanted[..], [Effect::Begin(_), Effect::Quit]));
        dashboard.tell(failed());
        dashboard.keys("j q").await;
        assert!(!bar(dashboard).contains("at work"), "{}", bar(dashboard));
        assert!(matches!(dashboard.wanted[..], [Effect::Begin(_), Effect::Quit, Effect::Quit]));
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
fn what_is_shown_stays_until_the_next_is_there() {
    on_demo((120, 40), async |dashboard| {
        for (way, key) in [("0", "]"), ("4", "]"), ("2", "j"), ("3 G", "g g"), ("3", "@")] {
            dashboard.keys(way).await;
            for chord in dashtam::keys::parse_chords(key).unwrap() {
                dashboard.tell(Msg::Key(chord));
            }
            let screen = dashboard.screen();
            assert!(!screen.contains("reading"), "{way} {key}:\n{screen}");
            dashboard.keys("Esc").await;
        }
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
        dashboard.keys("2").await;
        insta::assert_snapshot!("holdings_in_ascii", dashboard.screen());
        dashboard.close().await;
    });
}

// What the line of context says of refreshing.

#[test]
fn the_line_of_context_says_how_the_refreshing_goes() {
    use dashtam::service::refresh::{self, Progress, RefreshRequest};
    run(async {
        let (session, folder) = dashtam::service::demo::open(&clock()).await.unwrap();
        let wait = std::time::Duration::ZERO;
        let (connections, only, force) = (Vec::new(), None, false);
        let request = RefreshRequest { connections, only, force, wait };
        let cadence = dashtam::service::demo::CADENCE;
        let summary = refresh::run(&session, &cadence.into(), None, &request).await.unwrap();
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
        let by_hand = Progress {
            rounds: 1,
            answer: last.clone().map(|last| (1, Ok(last))),
            last,
            ..Progress::default()
        };
        dashboard.tell(Msg::Refresh(Box::new(by_hand)));
        insta::assert_snapshot!("refreshed_by_hand", dashboard.screen());
        // That it lives is no gain, and no loss where the two have each other's colour.
        let styles = |dashboard: &Dashboard| -> Vec<_> {
            let buffer = dashboard.buffer();
            (0..120).map(|x| buffer[(x, 1)].style()).collect()
        };
        let before = styles(&dashboard);
        dashboard.keys("g r").await;
        assert_eq!(styles(&dashboard), before);
        dashboard.keys("g r").await;
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

/// Rounds follow so fast that the one that was asked for is only seen once the next has begun.
#[test]
fn who_asked_for_a_refresh_is_told_however_late_it_is_seen() {
    use dashtam::service::refresh::Progress;
    run(async {
        let mut dashboard = Dashboard::demo((80, 24), options()).await;
        let running = Progress { running: true, ..Progress::default() };
        dashboard.tell(Msg::Refresh(Box::new(running.clone())));
        for (number, why) in [(2, "the disk is full"), (4, "the disk is full again")] {
            dashboard.keys("r").await;
            assert!(matches!(dashboard.wanted.pop(), Some(Effect::Refresh)));
            assert!(dashboard.screen().contains("refreshing"));
            let answer = Some((number, Err(why.to_owned())));
            let rounds = number + 1;
            let progress = Progress { rounds, running: true, answer, ..Progress::default() };
            dashboard.tell(Msg::Refresh(Box::new(progress)));
            let said = format!("not refreshed: {why}");
            assert!(dashboard.screen().contains(&said), "{}", dashboard.screen());
        }
        dashboard.close().await;
    });
}

#[test]
fn a_connection_that_fails_is_named_with_its_reason() {
    use dashtam::ledger;
    use dashtam::model::{OpId, SafeText};
    use dashtam::service::refresh::{self, RefreshRequest};
    run(async {
        let (session, folder) = dashtam::service::demo::open(&clock()).await.unwrap();
        let now = clock().now().timestamp_micros();
        let label = SafeText::new("Old bank");
        ledger::connect(&session.store, "acme", &label, None, OpId::at(0), now).await.unwrap();
        let wait = std::time::Duration::ZERO;
        let (connections, only, force) = (vec![label], None, false);
        let request = RefreshRequest { connections, only, force, wait };
        refresh::run(&session, &dashtam::service::demo::CADENCE.into(), None, &request)
            .await
            .unwrap();
        let dashboard = Dashboard::over(session, Some(folder), (120, 40), options()).await;
        insta::assert_snapshot!("a_connection_that_fails", dashboard.screen());
        dashboard.close().await;
    });
}

/// F23: there is time to give a consent anew.
#[test]
fn a_consent_that_ends_soon_is_told_wherever_one_looks() {
    use dashtam::ledger;
    use dashtam::model::{OpId, SafeText};
    for (size, keys, name) in [
        ((80, 24), "", "a_consent_ends_80x24"),
        ((60, 24), "", "a_consent_ends_60x24"),
        ((120, 40), "g h G", "a_consent_ends_health_120x40"),
    ] {
        run(async {
            let (session, folder) = dashtam::service::demo::open(&clock()).await.unwrap();
            let now = clock().now().timestamp_micros();
            let label = SafeText::new("Schwab");
            let id =
                ledger::connect(&session.store, "schwab", &label, None, OpId::at(0), now).await;
            let known = session.store.read().await.unwrap().connections().await.unwrap();
            let id = id.unwrap();
            let mut row = known.into_iter().find(|row| row.id == id).unwrap();
            row.consent_expires = Some(now + 30 * 3_600_000_000);
            let mut tx = session.store.write().await.unwrap();
            tx.update_connection(&row).await.unwrap();
            tx.commit("a consent", "connect", now).await.unwrap();
            let mut dashboard = Dashboard::over(session, Some(folder), size, options()).await;
            if !keys.is_empty() {
                dashboard.keys(keys).await;
            }
            insta::assert_snapshot!(name, dashboard.screen());
            dashboard.close().await;
        });
    }
}

/// What else is wrong does not hide it: whoever looks only once a day would learn of it too late.
#[test]
fn a_consent_that_ends_stands_before_what_failed() {
    use dashtam::ledger;
    use dashtam::model::{OpId, Part, SafeText};
    use dashtam::store::RefreshRecord;
    for (size, name) in [
        ((60, 24), "a_consent_ends_and_more_60x24"),
        ((80, 24), "a_consent_ends_and_more_80x24"),
        ((120, 40), "a_consent_ends_and_more_120x40"),
        ((200, 50), "a_consent_ends_and_more_200x50"),
    ] {
        run(async {
            let (session, folder) = dashtam::service::demo::open(&clock()).await.unwrap();
            let now = clock().now().timestamp_micros();
            let label = SafeText::new("Schwab");
            let id =
                ledger::connect(&session.store, "schwab", &label, None, OpId::at(0), now).await;
            let known = session.store.read().await.unwrap().connections().await.unwrap();
            let id = id.unwrap();
            let mut row = known.into_iter().find(|row| row.id == id).unwrap();
            row.consent_expires = Some(now + 30 * 3_600_000_000);
            let failed = RefreshRecord {
                connection: id,
                part: Part::Accounts,
                attempted: now,
                succeeded: None,
                failures: 1,
                why: Some(SafeText::new("api.schwabapi.com: nobody answered")),
                next_attempt: Some(now + 15_000_000),
            };
            let mut tx = session.store.write().await.unwrap();
            tx.update_connection(&row).await.unwrap();
            tx.put_refresh(&failed).await.unwrap();
            tx.commit("a consent", "connect", now).await.unwrap();
            let dashboard = Dashboard::over(session, Some(folder), size, options()).await;
            insta::assert_snapshot!(
                name,
                dashboard.screen().lines().take(3).collect::<Vec<_>>().join("\n")
            );
            dashboard.close().await;
        });
    }
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

/// Presses a key and tells the app of nothing that it asks for.
fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let chords = dashtam::keys::parse_chords(keys).unwrap();
    chords.into_iter().flat_map(|chord| app.update(Msg::Key(chord))).collect()
}

#[test]
fn every_pane_says_that_it_reads_and_why_it_could_not() {
    use dashtam::state::{Answer, Ask, Slice};
    let why = Trouble("the database cannot be read: disk I/O error".to_owned());
    let failed = std::sync::Arc::new(Slice::Failed(why));
    run(async {
        let mut dashboard = Dashboard::demo((80, 24), options()).await;
        let (mut reading, mut lost) = (String::new(), String::new());
        for (pane, key) in PANES.into_iter().chain([("activity", "g a")]) {
            let asked = press(&mut dashboard.app, key);
            writeln!(reading, "-- {pane}\n{}", dashboard.screen()).unwrap();
            for effect in asked {
                let Effect::Ask(Ask::Slice(slot, number, _)) = effect else { continue };
                let slice = std::sync::Arc::clone(&failed);
                dashboard.app.update(Msg::Answer(Answer { slot, number, slice }));
            }
            writeln!(lost, "-- {pane}\n{}", dashboard.screen()).unwrap();
        }
        insta::assert_snapshot!("every_pane_reading", reading);
        insta::assert_snapshot!("every_pane_failed", lost);
        dashboard.close().await;
    });
}

#[test]
fn every_pane_has_something_to_say_on_the_smallest_screen() {
    run(async {
        let dashboard = Dashboard::demo((40, 10), options()).await;
        insta::assert_snapshot!("every_pane_40x10", every_pane(dashboard).await);
    });
}

/// A screen of what was done, without the columns from `Who` on, which name the process.
fn without_who(screen: &str) -> String {
    let heading = screen.lines().find(|line| line.contains("State")).unwrap();
    let who = heading.split_once("Who").map_or(usize::MAX, |(before, _)| before.chars().count());
    let mut lines = screen.lines().map(|line| match line.starts_with("by ") {
        true => "by somebody".to_owned(),
        false => line.chars().take(who).collect::<String>().trim_end().to_owned(),
    });
    // Tabs and context are no rows.
    let head: Vec<_> = screen.lines().take(2).map(str::to_owned).collect();
    lines.by_ref().take(2).for_each(drop);
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_was_done_is_shown_in_every_state() {
    run(async {
        let masked = Options { private: true, ..options() };
        let read_only = Options { read_only: true, ..options() };
        for (state, options) in [("plain", options()), ("masked", masked), ("read_only", read_only)]
        {
            let mut dashboard = Dashboard::demo((80, 24), options).await;
            dashboard.keys("g a").await;
            for size in [(80, 24), (120, 40), (60, 30), (40, 10)] {
                dashboard.resize(size).await;
                let name = format!("activity_{state}_{}x{}", size.0, size.1);
                insta::assert_snapshot!(name, without_who(&dashboard.screen()));
            }
            dashboard.close().await;
        }
    });
}

#[test]
fn a_setting_is_picked_from_what_it_can_be() {
    run(async {
        let mut dashboard = Dashboard::demo((100, 24), options()).await;
        dashboard.keys("g o Enter c a n a d i Enter").await;
        let set = |dashboard: &Dashboard| match dashboard.wanted.last() {
            Some(Effect::Begin(Errand::Edit(Edit::Change(_, changes)))) => changes.clone(),
            _ => panic!("{:?}", dashboard.wanted),
        };
        let expected = Change::Set(Setting::BaseCurrency, "CAD".to_owned());
        assert_eq!(set(&dashboard), [expected]);
        dashboard.work().await;
        // What has no list is typed, and judged where it is typed.
        dashboard.keys("/ r i s k Enter Enter 3 Enter").await;
        assert!(dashboard.screen().contains("a part of 1"), "{}", dashboard.screen());
        dashboard.keys("Backspace 0 . 0 3 Enter").await;
        let expected = Change::Set(Setting::RiskFreeRate, "0.03".to_owned());
        assert_eq!(set(&dashboard), [expected]);
        dashboard.work().await;
        // Each is taken back like any other change.
        let chosen = async |dashboard: &Dashboard| {
            let all = edit::settings(dashboard.session()).await.unwrap();
            all.into_iter().filter(|it| it.2).filter_map(|it| it.1).collect::<Vec<_>>()
        };
        let before = chosen(&dashboard).await;
        assert!(before.contains(&"CAD".to_owned()) && before.contains(&"0.03".to_owned()));
        dashboard.keys("z").await;
        dashboard.work().await;
        assert!(!chosen(&dashboard).await.contains(&"0.03".to_owned()));
        assert!(dashboard.screen().contains("taken back"), "{}", dashboard.screen());
        dashboard.keys("z").await;
        dashboard.work().await;
        assert!(!chosen(&dashboard).await.contains(&"CAD".to_owned()));
        // How it looks is chosen here too.
        dashboard.keys("/ Ctrl-u a m o u n t s Enter Enter").await;
        assert!(dashboard.screen().contains("hidden"), "{}", dashboard.screen());
        dashboard.close().await;
        let looking = Options { read_only: true, ..options() };
        let mut dashboard = Dashboard::demo((100, 24), looking).await;
        dashboard.keys("g o Enter").await;
        assert!(dashboard.screen().contains("nothing is written"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}
