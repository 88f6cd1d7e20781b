//! Small promises about the repository itself: nothing half done, no file nobody wants to read,
//! no `unsafe`, and a first page that says how to start.

#![allow(clippy::string_slice, reason = "a test")]

mod support;

use support::source::{Kind, Token, tokens};

const LONGEST_FILE: usize = 900;

#[test]
fn nothing_is_left_half_done() {
    let mut found = Vec::new();
    for file in ["src", "tests"].into_iter().flat_map(support::rust_files) {
        for line in unfinished(&support::read(&file)) {
            found.push(format!("{}:{line}", support::short(&file)));
        }
    }
    assert!(found.is_empty(), "marks of unfinished work:\n{}", found.join("\n"));
}

#[test]
fn no_file_is_too_long_to_read() {
    for file in support::rust_files("src") {
        let lines = support::read(&file).lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", support::short(&file));
    }
}

#[test]
fn our_code_has_no_unsafe() {
    for file in ["src", "tests"].into_iter().flat_map(support::rust_files) {
        let code = tokens(&support::read(&file));
        let line = code.iter().find(|token| token.is("unsafe")).map(|token| token.line);
        assert_eq!(line, None, "`unsafe` in {}", support::short(&file));
    }
}

#[test]
fn the_readme_starts_with_how_to_run_and_test() {
    let readme = support::read(&support::root().join("README.md"));
    let start = first_section(&readme);
    for command in ["cargo run --release -- --demo", "cargo test"] {
        assert!(start.contains(command), "README.md's first section does not name `{command}`");
    }
}

#[test]
fn changes_are_written_down() {
    let changelog = support::read(&support::root().join("CHANGELOG.md"));
    assert!(changelog.contains("## [Unreleased]"), "CHANGELOG.md has no Unreleased section");
}

/// The lines with a mark in a comment or a macro that says "later". Text in strings is free:
/// there is a currency with such a code.
fn unfinished(source: &str) -> Vec<usize> {
    const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];
    let all = tokens(source);
    let is_later = |at: usize, token: &Token| match token.kind {
        Kind::Comment => {
            let mut words = token.text.split(|c: char| !c.is_alphanumeric());
            words.any(|word| MARKS.contains(&word))
        }
        Kind::Code => {
            (token.is("todo") || token.is("unimplemented"))
                && all.get(at + 1).is_some_and(|next| next.is("!"))
        }
        Kind::Literal => false,
    };
    let marked = all.iter().enumerate().filter(|(at, token)| is_later(*at, token));
    marked.map(|(_, token)| token.line).collect()
}

/// From the title to the second heading of the second level, fenced blocks understood.
fn first_section(markdown: &str) -> &str {
    let (mut fenced, mut headings, mut end) = (false, 0, 0);
    for line in markdown.split_inclusive('\n') {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && line.starts_with("## ") {
            headings += 1;
        }
        if headings == 2 {
            break;
        }
        end += line.len();
    }
    &markdown[..end]
}

#[test]
fn the_checks_catch_what_they_should() {
    assert_eq!(unfinished("fn f() {\n    todo!() // later\n}"), [2]);
    assert_eq!(unfinished("/* one\n two */\n// a TODO: b"), [3]);
    assert_eq!(unfinished("/// FIXME\nfn f() { unimplemented!(\"x\") }"), [1, 2]);
    assert_eq!(unfinished("let todo = \"TODO XXX\"; // XXXL, todos"), [0_usize; 0]);

    let page = "# t\na\n## One\n```sh\n## not a heading\n```\nb\n### c\n## Two\nd\n";
    assert_eq!(first_section(page), "# t\na\n## One\n```sh\n## not a heading\n```\nb\n### c\n");
    assert_eq!(first_section("# t\na"), "# t\na");
}
