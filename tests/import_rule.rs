//! Who may import whom. A room is the first name below `src/` (`src/model/money.rs` is in `model`,
//! `src/http.rs` is `http`); each room may use only the rooms its row names, some outside crates
//! belong to one room, only `clock` asks for the time, and only `tasks` starts tasks and threads.

#![allow(clippy::indexing_slicing, reason = "a test")]

mod support;

use std::fmt;
use std::path::Path;

use support::source::{Token, product_code};

enum May {
    /// These rooms and no others.
    Use(&'static [&'static str]),
    /// Every room in the rows above but these.
    UseAllAboveBut(&'static [&'static str]),
}
use May::{Use, UseAllAboveBut};

/// The table of rooms. A room may name only rooms that stand above it, so there are no circles.
const ROOMS: &[(&str, May)] = &[
    ("model", Use(&[])),
    ("clock", Use(&["model"])),
    ("config", Use(&["model"])),
    ("tasks", Use(&[])),
    ("fault", Use(&[])),
    ("telemetry", Use(&["model", "tasks"])),
    ("text", Use(&["model"])),
    ("keys", Use(&["model"])),
    ("cli", Use(&["model"])),
    ("analytics", Use(&["model"])),
    ("import", Use(&["model"])),
    ("export", Use(&["model"])),
    ("archive", Use(&["model"])),
    ("store", Use(&["model", "archive", "tasks"])),
    ("http", Use(&["model", "clock"])),
    ("vault", Use(&["model", "config", "store", "clock"])),
    ("audit", Use(&["model", "config", "store", "vault", "clock"])),
    ("credentials", Use(&["model", "vault", "audit", "store", "clock", "tasks"])),
    ("provider", Use(&["model", "http", "clock"])),
    ("oauth", Use(&["model", "http", "credentials", "vault", "audit", "store", "clock"])),
    ("figures", Use(&["model", "analytics", "store"])),
    (
        "ledger",
        Use(&["model", "analytics", "archive", "store", "figures", "audit", "clock", "tasks"]),
    ),
    ("report", Use(&["model", "analytics", "provider", "http", "store", "figures", "clock"])),
    (
        "refresh",
        Use(&[
            "model",
            "analytics",
            "provider",
            "figures",
            "ledger",
            "report",
            "store",
            "vault",
            "audit",
            "credentials",
            "oauth",
            "http",
            "clock",
            "config",
            "tasks",
            "fault",
        ]),
    ),
    ("state", Use(&["model", "report", "store", "clock", "tasks", "fault"])),
    ("service", UseAllAboveBut(&[])),
    (
        "tui",
        Use(&["model", "text", "keys", "state", "service", "config", "clock", "tasks", "fault"]),
    ),
    ("cmd", UseAllAboveBut(&["tui"])),
    ("lib", UseAllAboveBut(&[])),
];

/// Outside crates that only some rooms may touch.
const OWNED_CRATES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("reqwest", &["http"]),
    ("flate2", &["http"]),
    ("rcgen", &["oauth"]),
    ("tokio_rustls", &["oauth"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("ta_lib", &["analytics"]),
    ("age", &["vault"]),
    ("clap", &["cli", "cmd"]),
    ("clap_complete", &["cli", "cmd"]),
    ("clap_mangen", &["cli", "cmd"]),
];

/// Rooms that only compute: nothing in them may wait.
const PURE_ROOMS: &[&str] = &["model", "analytics", "import", "export", "archive"];

/// The ways to learn the time; `clock` alone may use them.
const TIME_SOURCES: &[[&str; 2]] =
    &[["Utc", "now"], ["Local", "now"], ["SystemTime", "now"], ["Uuid", "now_v7"]];

/// The ways to start a task or a thread; `tasks` alone may use them, so that each has a name there.
const STARTS: &[[&str; 2]] = &[
    ["tokio", "spawn"],
    ["task", "spawn"],
    ["task", "spawn_blocking"],
    ["thread", "spawn"],
    ["thread", "scope"],
    ["thread", "Builder"],
];

#[test]
fn every_file_keeps_the_rule() {
    let files = support::rust_files("src");
    assert!(!files.is_empty(), "src/ has no Rust files");
    let mut broken = Vec::new();
    for file in &files {
        let name = support::short(file);
        for violation in violations(&name, &support::read(file)) {
            broken.push(format!("{name}:{violation}"));
        }
    }
    assert!(broken.is_empty(), "the import rule is broken:\n{}", broken.join("\n"));
}

#[test]
fn the_table_has_no_circles() {
    for (at, (room, may)) in ROOMS.iter().enumerate() {
        let (Use(named) | UseAllAboveBut(named)) = may;
        for other in *named {
            let above = ROOMS[..at].iter().any(|(name, _)| name == other);
            assert!(above, "{room} names {other}, which does not stand above it");
        }
    }
}

struct Violation {
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

/// What a file (named from the repository's top) does that its room may not.
fn violations(file: &str, source: &str) -> Vec<Violation> {
    let modules = module_path(file);
    let room = match file {
        "src/lib.rs" => "lib",
        "src/main.rs" => "main",
        _ => modules.first().map_or("", String::as_str),
    };
    let tokens = product_code(source);
    if room == "main" {
        return in_main(&tokens);
    }
    if !ROOMS.iter().any(|(name, _)| *name == room) {
        return vec![Violation { line: 1, what: format!("`{room}` is not a room of the table") }];
    }
    let mut found = Vec::new();
    for Reached { name, line } in reached(&tokens, modules.len()) {
        if room != "lib" && name != room && !may_use(room, &name) {
            found.push(Violation { line, what: format!("`{room}` may not use `{name}`") });
        }
    }
    found.extend(foreign_crates(room, &tokens));
    found.extend(time_questions(room, &tokens));
    found.extend(starts(room, &tokens));
    found
}

fn may_use(room: &str, other: &str) -> bool {
    let at = ROOMS.iter().position(|(name, _)| *name == room);
    at.is_some_and(|at| match ROOMS[at].1 {
        Use(named) => named.contains(&other),
        UseAllAboveBut(not) => {
            ROOMS[..at].iter().any(|(name, _)| *name == other) && !not.contains(&other)
        }
    })
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are the module `a::b`.
fn module_path(file: &str) -> Vec<String> {
    let path = Path::new(file.strip_prefix("src/").unwrap_or(file)).with_extension("");
    let names = path.components().map(|name| name.as_os_str().to_string_lossy().into_owned());
    names.filter(|name| !matches!(name.as_str(), "mod" | "lib" | "main")).collect()
}

/// A name directly below the crate's top that some path goes through.
struct Reached {
    name: String,
    line: usize,
}

/// Every name that is reached through `crate::` or by climbing with `super::`, from a file whose
/// module lies `depth` names below the top.
fn reached(tokens: &[Token], depth: usize) -> Vec<Reached> {
    let mut found = Vec::new();
    let mut braces = 0_usize;
    let mut inline_modules = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.is("{") {
            braces += 1;
            if at >= 2 && tokens[at - 2].is("mod") {
                inline_modules.push(braces);
            }
        } else if token.is("}") {
            if inline_modules.last() == Some(&braces) {
                inline_modules.pop();
            }
            braces = braces.saturating_sub(1);
        }
        let starts = is(tokens, at + 1, "::") && !(at > 0 && tokens[at - 1].is("::"));
        let here = depth + inline_modules.len();
        match token.text.as_str() {
            "crate" if starts => follow(tokens, at + 2, 0, &mut found),
            "super" if starts => follow(tokens, at + 2, here.saturating_sub(1), &mut found),
            "self" if starts => follow(tokens, at + 2, here, &mut found),
            _ => {}
        }
    }
    found
}

/// Follows a path, or each path of a group, that has come to `depth` names below the top.
fn follow(tokens: &[Token], at: usize, depth: usize, found: &mut Vec<Reached>) {
    let Some(token) = tokens.get(at) else { return };
    if token.is("super") && is(tokens, at + 1, "::") {
        follow(tokens, at + 2, depth.saturating_sub(1), found);
    } else if token.is("{") {
        for entry in group_entries(tokens, at) {
            follow(tokens, entry, depth, found);
        }
    } else if depth == 0 {
        found.push(Reached { name: token.text.clone(), line: token.line });
    }
}

/// Where the entries of the group that opens at `open` begin.
fn group_entries(tokens: &[Token], open: usize) -> Vec<usize> {
    let mut entries = vec![open + 1];
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 && !is(tokens, at + 1, "}") => entries.push(at + 1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    entries
}

/// `main.rs` knows what `lib.rs` itself offers, no room, and has no modules of its own.
fn in_main(tokens: &[Token]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let mut names = Vec::new();
        if token.is("mod") {
            found.push(Violation { line: token.line, what: "`main` has a module".to_owned() });
        } else if token.is("dashtam") && is(tokens, at + 1, "::") {
            follow(tokens, at + 2, 0, &mut names);
        }
        for Reached { name, line } in names {
            if name == "*" || ROOMS.iter().any(|(room, _)| *room == name) {
                found.push(Violation { line, what: format!("`main` may not use `{name}`") });
            }
        }
    }
    found.extend(foreign_crates("main", tokens));
    found.extend(time_questions("main", tokens));
    found
}

fn foreign_crates(room: &str, tokens: &[Token]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let owners = OWNED_CRATES.iter().find(|(name, _)| token.is(name)).map(|(_, rooms)| *rooms);
        let barred = owners.is_some_and(|rooms| !rooms.contains(&room))
            || (token.is("tokio") && PURE_ROOMS.contains(&room));
        if barred && names_a_crate(tokens, at) {
            let what = format!("`{room}` may not use the crate `{}`", token.text);
            found.push(Violation { line: token.line, what });
        }
    }
    found
}

/// Whether the name begins a path: `sqlx::query`, `::sqlx::query`, `use sqlx;`, `use {sqlx, ..}`,
/// `#[sqlx(..)]`; not `field.age` and not `other::age::of`.
fn names_a_crate(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let follows_name =
        |token: &Token| token.text.ends_with(|c: char| c.is_alphanumeric()) && !token.is("use");
    if before(1).is_some_and(|token| token.is("::")) {
        let global = !before(2).is_some_and(|token| follows_name(token) || token.is(">"));
        return global && is(tokens, at + 1, "::");
    }
    let used_whole = before(1).is_some_and(|token| token.is("use") || token.is("crate"));
    let attribute = before(1).is_some_and(|token| token.is("["))
        && before(2).is_some_and(|token| token.is("#"));
    is(tokens, at + 1, "::") || used_whole || attribute
}

fn time_questions(room: &str, tokens: &[Token]) -> Vec<Violation> {
    let sources = if room == "clock" { &[] } else { TIME_SOURCES };
    calls(sources, tokens, &format!("`{room}` asks for the time by itself"))
}

fn starts(room: &str, tokens: &[Token]) -> Vec<Violation> {
    let ways = if room == "tasks" { &[] } else { STARTS };
    calls(ways, tokens, &format!("`{room}` starts something that `tasks` does not name"))
}

/// Every call of one of these, and what is wrong with it.
fn calls(of: &[[&str; 2]], tokens: &[Token], wrong: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let called = |call: &&[&str; 2]| {
            token.is(call[0]) && is(tokens, at + 1, "::") && is(tokens, at + 2, call[1])
        };
        if let Some([place, name]) = of.iter().find(called) {
            found.push(Violation { line: token.line, what: format!("{wrong}: {place}::{name}") });
        }
    }
    found
}

fn is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.is(text))
}

mod self_test {
    //! The checker is checked: what it must catch, and what it must leave alone.

    use super::violations;

    fn caught(file: &str, source: &str) -> Vec<String> {
        violations(file, source).iter().map(ToString::to_string).collect()
    }

    fn fine(file: &str, source: &str) {
        assert_eq!(caught(file, source), Vec::<String>::new(), "{file}: {source}");
    }

    #[test]
    fn a_room_outside_its_row_is_caught() {
        let not = |file, source, line, room, other| {
            assert_eq!(
                caught(file, source),
                [format!("{line}: `{room}` may not use `{other}`")],
                "{source}"
            );
        };
        not("src/model/money.rs", "use crate::store::Store;", 1, "model", "store");
        not("src/text.rs", "\nfn f() { crate::clock::now() }", 2, "text", "clock");
        not("src/http.rs", "use crate::{model::{a, b::c},\n store::{self}};", 2, "http", "store");
        not("src/http.rs", "use {crate::store};", 1, "http", "store");
        not("src/tui/pane/list.rs", "use crate::report;", 1, "tui", "report");
        not("src/cmd/show.rs", "use crate::tui;", 1, "cmd", "tui");
        not("src/service/edit.rs", "pub use crate::cmd::exit;", 1, "service", "cmd");
        not("src/state/mod.rs", "use crate::run;", 1, "state", "run");
        not("src/state/mod.rs", "use crate::*;", 1, "state", "*");
        not(
            "src/store/mod.rs",
            "macro_rules! m { () => { $crate::audit::x() } }",
            1,
            "store",
            "audit",
        );
        not("src/main.rs", "fn main() { dashtam::cmd::run() }", 1, "main", "cmd");
        not("src/main.rs", "use dashtam::{run, store::Store};", 1, "main", "store");
    }

    #[test]
    fn climbing_out_of_a_room_is_caught() {
        let not = |file, source| {
            assert_eq!(caught(file, source), ["1: `http` may not use `store`"], "{source}");
        };
        not("src/http.rs", "use super::store;");
        not("src/http.rs", "use self::super::store;");
        not("src/http/mod.rs", "use super::{model, store::x};");
        not("src/http/pace.rs", "use super::super::store;");
        not("src/http/pace.rs", "mod inner { use super::super::super::store::x; }");
        fine("src/http/pace.rs", "use super::store;");
        fine("src/http/pace.rs", "mod inner { use super::super::store; }");
        fine("src/http/pace.rs", "mod inner { } use super::super::model;");
    }

    #[test]
    fn what_a_row_allows_is_left_alone() {
        fine("src/ledger/mod.rs", "use crate::{model::Change, store::{self, WriteTx}};");
        fine("src/service/edit.rs", "use crate::{cli, ledger, state, telemetry};");
        fine("src/cmd/show.rs", "use crate::service::edit;");
        fine("src/model/money.rs", "use crate::model::ids; pub(crate) fn f() {}");
        fine("src/lib.rs", "pub fn run() { crate::tui::run(); crate::cmd::run() }");
        fine("src/main.rs", "fn main() { dashtam::run() }");
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        fine("src/text.rs", "// crate::store\n/* crate::store /* sqlx::x */ crate::store */");
        fine("src/text.rs", "//! crate::store\nconst A: &str = \"\\\"crate::store\";");
        fine("src/text.rs", "const A: &str = r#\"\"crate::store\"#; const B: char = '\"';");
        fine(
            "src/text.rs",
            "fn f<'a>(x: &'a str) {}\n#[cfg(test)]\nmod tests { use crate::store; }",
        );
        let after = "#[cfg(test)]\nuse crate::store;\nuse crate::http;";
        assert_eq!(caught("src/text.rs", after), ["3: `text` may not use `http`"]);
        let escaped = "const A: char = '\\''; use crate::store; const B: char = '\\'';";
        assert_eq!(caught("src/text.rs", escaped), ["1: `text` may not use `store`"]);
    }

    #[test]
    fn a_stranger_is_caught() {
        assert_eq!(caught("src/utils.rs", ""), ["1: `utils` is not a room of the table"]);
        assert_eq!(caught("src/utils/a.rs", ""), ["1: `utils` is not a room of the table"]);
        assert_eq!(caught("src/main.rs", "mod helpers;"), ["1: `main` has a module"]);
    }

    #[test]
    fn crates_stay_in_their_rooms() {
        let not = |file, source, room, name| {
            assert_eq!(
                caught(file, source),
                [format!("1: `{room}` may not use the crate `{name}`")],
                "{source}"
            );
        };
        not("src/model/money.rs", "impl sqlx::Type<Db> for M {}", "model", "sqlx");
        not("src/report/mod.rs", "#[sqlx(transparent)] struct A;", "report", "sqlx");
        not("src/report/mod.rs", "#[derive(Debug, sqlx::FromRow)] struct A;", "report", "sqlx");
        not("src/provider/a.rs", "use reqwest as r;", "provider", "reqwest");
        not("src/provider/a.rs", "use ::reqwest::Client;", "provider", "reqwest");
        not("src/keys.rs", "use crossterm::event::KeyEvent;", "keys", "crossterm");
        not("src/service/edit.rs", "fn f(a: ratatui::Frame) {}", "service", "ratatui");
        not("src/audit.rs", "extern crate age;", "audit", "age");
        not("src/config.rs", "use clap::Parser;", "config", "clap");
        not("src/tui/mod.rs", "use clap_complete::Shell;", "tui", "clap_complete");
        not("src/analytics/lots.rs", "use tokio::sync::watch;", "analytics", "tokio");
        fine("src/store/mod.rs", "use sqlx::Row;");
        fine("src/cmd/man.rs", "clap_mangen::Man::new(x)");
        fine("src/text.rs", "fn age() { person.age; text::age::of(x); let age = 1; }");
    }

    #[test]
    fn only_tasks_starts_something() {
        let not = |source, call| {
            let expected =
                format!("1: `ledger` starts something that `tasks` does not name: {call}");
            assert_eq!(caught("src/ledger/mod.rs", source), [expected]);
        };
        not("let t = tokio::spawn(work);", "tokio::spawn");
        not("tokio::task::spawn_blocking(work)", "task::spawn_blocking");
        not("std::thread::spawn(work)", "thread::spawn");
        not("std::thread::Builder::new()", "thread::Builder");
        fine("src/tasks.rs", "tokio::spawn(work)");
        fine("src/ledger/mod.rs", "tasks::spawn(Task::Edit, work)");
    }

    #[test]
    fn only_the_clock_asks_for_the_time() {
        let not = |source, question| {
            let expected = format!("1: `ledger` asks for the time by itself: {question}");
            assert_eq!(caught("src/ledger/mod.rs", source), [expected]);
        };
        not("let t = chrono::Utc::now();", "Utc::now");
        not("let t = Local::now();", "Local::now");
        not("let t = std::time::SystemTime::now();", "SystemTime::now");
        not("let t = Uuid::now_v7();", "Uuid::now_v7");
        fine("src/clock.rs", "let t = Utc::now();");
        fine("src/ledger/mod.rs", "let t = clock.now();");
    }
}
