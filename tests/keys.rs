//! The keys of the dashboard as people read about them: `dashtam keys`, the README and the sample
//! configuration say what the table says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use serde_json::json;
use support::home::Home;

const BEGIN: &str = "<!-- keys -->";
const END: &str = "<!-- /keys -->";

/// The lines of the sample from `[keys]` on, as if somebody had taken them.
fn sampled() -> String {
    let sample = support::read(&support::root().join("config/dashtam.toml"));
    let (_, table) = sample.split_once("#[keys]").unwrap();
    let lines = table.lines().filter_map(|line| line.strip_prefix('#'));
    let taken: Vec<_> = lines.filter(|line| !line.starts_with(' ')).collect();
    format!("[keys]\n{}\n", taken.join("\n"))
}

#[test]
fn the_readme_says_what_the_program_prints() {
    let readme = support::read(&support::root().join("README.md"));
    let (_, table) = readme.split_once(BEGIN).unwrap();
    let (table, _) = table.split_once(END).unwrap();
    let printed = Home::new().ok(&["keys"]);
    let expected = format!("\n```text\n{printed}```\n");
    assert_eq!(table, expected, "put what `dashtam keys` prints between the markers of README.md");
}

#[test]
fn the_readme_says_what_the_guide_says() {
    let guide = support::read(&support::root().join("assets/guide.md"));
    let sections = guide.split("\n## ").skip(1).map(|section| {
        let mut lines = section.lines();
        format!("- **{}**: {}\n", lines.next().unwrap(), lines.next().unwrap())
    });
    let expected: String = sections.collect();
    let readme = support::read(&support::root().join("README.md"));
    let (_, told) = readme.split_once("<!-- guide -->\n").unwrap();
    let (told, _) = told.split_once("<!-- /guide -->").unwrap();
    assert_eq!(
        told, expected,
        "put the first line of each section between the markers of README.md"
    );
}

#[test]
fn the_table_is_whole_and_needs_no_store() {
    let home = Home::new();
    let printed = home.ok(&["keys"]);
    assert!(printed.lines().all(|line| line.chars().count() <= 80 && !line.contains('…')));
    let rows = home.json(&["keys"])["rows"].as_array().unwrap().clone();
    assert_eq!(printed.lines().count(), rows.len() + 1);
    let first = rows.iter().find(|row| row["action"] == "first").unwrap();
    assert_eq!(
        first,
        &json!({
            "action": "first",
            "context": "list",
            "keys": ["g g", "Home"],
            "defaults": ["g g", "Home"],
            "doc": "Go to the first row",
        })
    );
    assert!(!home.data().exists(), "nothing was made");
}

#[test]
fn what_the_configuration_chooses_is_shown() {
    let home = Home::new();
    let file = home.file("config.toml", "[keys]\nsort = [\"V\", \"F3\"]\nprivacy = []\n");
    let document = home.json(&["keys", "--config", &file]);
    let keys = |action| {
        let rows = document["rows"].as_array().unwrap();
        rows.iter().find(|row| row["action"] == action).unwrap()["keys"].clone()
    };
    assert_eq!(keys("sort"), json!(["V", "F3"]));
    assert_eq!(keys("privacy"), json!([]));
    let printed = home.ok(&["keys", "--config", &file]);
    assert!(printed.lines().any(|line| line.contains("V  F3") && line.contains("sort")));
}

#[test]
fn what_cannot_be_taken_is_said_with_its_line_and_stops_nobody() {
    let home = Home::new();
    let text = "[keys]\nsort = \"q\"\nbogus = 1\n\"qu\\u001bit\" = \"x\"\n";
    let file = home.file("config.toml", text);
    let ran = home.run(&["keys", "--config", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.out, home.ok(&["keys"]));
    let said: Vec<_> = ran.err.lines().collect();
    assert_eq!(said.len(), 3, "{said:?}");
    for (said, words) in said.iter().zip([
        "line 3: keys.bogus: expected a chord",
        "line 4: keys.qu\\u{1b}it: no action is called so; did you mean quit?",
        "line 2: keys.sort: `q` is the key of quit; sort keeps `s`",
    ]) {
        assert!(said.starts_with("dashtam: warning: ") && said.contains(words), "{said}");
    }
}

#[test]
fn the_sample_can_be_taken_as_it_is() {
    let home = Home::new();
    let file = home.file("config.toml", &sampled());
    let ran = home.run(&["keys", "--config", &file]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_ne!(ran.out, home.ok(&["keys"]));
}
