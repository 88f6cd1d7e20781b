//! What came in from outside: licences, banned crates, origins and how much there is of it. The
//! policy is `deny.toml`, in cargo-deny's form; this test needs no network and no further tool.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

/// A budget: every package more is one more to trust and to build. What is built here and on a Mac
/// counts. `Cargo.lock` also pins what nobody compiles: reqwest alone brings it two dozen packages
/// for Windows, Android and browsers, and sqlx a driver that is switched off.
const MOST_PACKAGES: usize = 420;
const TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];
const OURS: &str = "dashtam";

#[derive(Deserialize)]
struct Policy {
    advisories: Advisories,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Advisories {
    ignore: Vec<Ignored>,
}

#[derive(Deserialize)]
struct Ignored {
    id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    deny_multiple_versions: bool,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// A package as `cargo metadata` describes it.
#[derive(Deserialize)]
struct Described {
    name: String,
    license: Option<String>,
}

/// A package as `Cargo.lock` pins it.
#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

#[test]
fn every_licence_is_allowed() {
    let compiled = compiled_packages();
    let mut described = described_packages();
    // Optional packages that nobody switches on are described too.
    described.retain(|package| compiled.contains_key(&package.name));
    assert!(described.len() > 1, "cargo describes no packages");
    none(&licence_faults(&policy().licenses, &described));
}

#[test]
fn nothing_banned_is_compiled() {
    let compiled = compiled_packages();
    assert!(compiled.contains_key(OURS), "cargo's tree does not name us");
    none(&ban_faults(&policy().bans, &compiled));
}

#[test]
fn everything_comes_from_the_one_registry() {
    none(&source_faults(&policy().sources, &locked_packages()));
}

#[test]
fn there_are_not_too_many_packages() {
    let targets = TARGETS.map(|target| format!("--target={target}"));
    let packages = packages_of_tree(&targets.each_ref().map(String::as_str));
    let count: usize = packages.values().map(BTreeSet::len).sum();
    assert!(count <= MOST_PACKAGES, "{count} packages, the budget is {MOST_PACKAGES}");
    assert!(count > 100 && packages.contains_key(OURS), "cargo's tree names {count} packages");
}

#[test]
fn exceptions_say_since_when_and_why() {
    let policy = policy();
    let text = policy_text();
    for Exception { name, .. } in &policy.licenses.exceptions {
        assert!(has_dated_reason(&text, name), "deny.toml: no dated reason above {name}");
    }
    for Ignored { id, reason } in &policy.advisories.ignore {
        assert!(is_dated(reason), "deny.toml: the reason of {id} has no date");
    }
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "against deny.toml:\n{}", faults.join("\n"));
}

// The checks, pure.

fn licence_faults(policy: &Licenses, packages: &[Described]) -> Vec<String> {
    let mut faults = Vec::new();
    for Described { name, license } in packages {
        let extra = policy.exceptions.iter().filter(|exception| exception.name == *name);
        let allowed: BTreeSet<&str> = extra
            .flat_map(|exception| &exception.allow)
            .chain(&policy.allow)
            .map(String::as_str)
            .collect();
        let verdict =
            license.as_deref().map(|it| spdx::satisfied(it, &|term| allowed.contains(term)));
        match verdict {
            Some(Some(true)) => {}
            Some(Some(false)) => faults.push(format!("{name}: {license:?} is not allowed")),
            Some(None) => faults.push(format!("{name}: {license:?} cannot be read")),
            None => faults.push(format!("{name}: no licence is named")),
        }
    }
    faults
}

fn ban_faults(policy: &Bans, compiled: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut faults = Vec::new();
    for Ban { name, deny_multiple_versions, reason } in &policy.deny {
        let versions = compiled.get(name).map_or(0, BTreeSet::len);
        if versions > usize::from(*deny_multiple_versions) {
            faults.push(format!("{name} in {versions} version(s): {reason}"));
        }
    }
    faults
}

fn source_faults(policy: &Sources, locked: &[Locked]) -> Vec<String> {
    let allowed: Vec<String> =
        policy.allow_registry.iter().map(|url| format!("registry+{url}")).collect();
    let mut faults = Vec::new();
    for Locked { name, version, source, checksum } in locked {
        let good = match source {
            Some(source) => allowed.contains(source) && checksum.is_some(),
            None => name == OURS,
        };
        if !good {
            faults.push(format!("{name} {version}: comes from {source:?}"));
        }
    }
    faults
}

/// Whether the line above the entry of a crate is a comment that begins with a date.
fn has_dated_reason(policy: &str, name: &str) -> bool {
    let entry = format!("crate = \"{name}\"");
    let mut previous = "";
    for line in policy.lines() {
        let here = line.trim();
        if here.starts_with('{') && here.contains(&entry) {
            return previous.strip_prefix("# ").is_some_and(is_dated);
        }
        previous = here;
    }
    false
}

/// `YYYY-MM-DD: ` and at least a word.
fn is_dated(reason: &str) -> bool {
    let Some((date, why)) = reason.split_once(": ") else { return false };
    let form = date.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect::<String>();
    form == "9999-99-99" && !why.trim().is_empty()
}

// What they look at.

fn policy_text() -> String {
    support::read(&support::root().join("deny.toml"))
}

fn policy() -> Policy {
    toml::from_str(&policy_text()).expect("deny.toml has the known form")
}

fn locked_packages() -> Vec<Locked> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    let text = support::read(&support::root().join("Cargo.lock"));
    toml::from_str::<Lock>(&text).expect("Cargo.lock has the known form").package
}

fn described_packages() -> Vec<Described> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Described>,
    }
    let everywhere = ["metadata", "--format-version=1", "--all-features"];
    let here = format!("--filter-platform={}", host());
    let text = cargo_on_any_platform(&everywhere, &[], &[&here]);
    serde_json::from_str::<Metadata>(&text).expect("cargo metadata has the known form").packages
}

/// Names and versions of what is really built. `Cargo.lock` and `cargo metadata` also list optional
/// packages that nobody switches on.
fn compiled_packages() -> BTreeMap<String, BTreeSet<String>> {
    packages_of_tree(&["--target=all"])
}

fn packages_of_tree(targets: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let tree = ["tree", "--all-features", "--edges=normal,build,dev", "--prefix=none"];
    let text = cargo_on_any_platform(&tree, targets, &[]);
    let mut packages = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            packages.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    packages
}

/// Asks cargo about all platforms. Without a network it can answer only where other platforms'
/// packages were fetched once; else this platform has to do.
fn cargo_on_any_platform(command: &[&str], everywhere: &[&str], here: &[&str]) -> String {
    let locally = ["--locked", "--offline"];
    cargo(&[command, &locally, everywhere].concat()).unwrap_or_else(|complaint| {
        let first = complaint.lines().find(|line| line.starts_with("error"));
        let first = first.unwrap_or("cargo cannot answer");
        support::announce(&format!("Checking this platform's packages only: {first}"));
        let answer = cargo(&[command, &locally, here].concat());
        answer.unwrap_or_else(|complaint| panic!("cargo {}: {complaint}", command[0]))
    })
}

fn host() -> String {
    let version = cargo(&["-vV"]).expect("cargo's version");
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo's host").to_owned()
}

/// What cargo prints, or what it complains about.
fn cargo(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO"));
    let output = command.args(arguments).current_dir(support::root()).output().expect("cargo runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

mod spdx {
    //! Licence expressions: `OR`, `AND`, `WITH`, parentheses, and the old `/` for `OR`.

    /// Whether the allowed terms are enough; `None` for an expression that cannot be read.
    /// A term is a licence with its exception, if it has one: `Apache-2.0 WITH LLVM-exception`.
    pub fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut reader = Reader { words: &words, allowed };
        let answer = reader.any()?;
        reader.words.is_empty().then_some(answer)
    }

    struct Reader<'a> {
        words: &'a [&'a str],
        allowed: &'a dyn Fn(&str) -> bool,
    }

    impl<'a> Reader<'a> {
        fn any(&mut self) -> Option<bool> {
            let mut answer = self.all()?;
            while self.take("OR") {
                answer |= self.all()?;
            }
            Some(answer)
        }

        fn all(&mut self) -> Option<bool> {
            let mut answer = self.one()?;
            while self.take("AND") {
                answer &= self.one()?;
            }
            Some(answer)
        }

        fn one(&mut self) -> Option<bool> {
            if self.take("(") {
                let answer = self.any()?;
                return self.take(")").then_some(answer);
            }
            let licence = self.name()?;
            if self.take("WITH") {
                let exception = self.name()?;
                return Some((self.allowed)(&format!("{licence} WITH {exception}")));
            }
            Some((self.allowed)(licence))
        }

        fn name(&mut self) -> Option<&'a str> {
            let (first, rest) = self.words.split_first()?;
            let is_name = !matches!(*first, "OR" | "AND" | "WITH" | "(" | ")");
            self.words = if is_name { rest } else { self.words };
            is_name.then_some(*first)
        }

        fn take(&mut self, word: &str) -> bool {
            let here = self.words.first() == Some(&word);
            self.words = if here { &self.words[1..] } else { self.words };
            here
        }
    }
}

mod self_test {
    //! The checks are checked on made-up packages.

    use super::*;

    fn satisfied(expression: &str) -> Option<bool> {
        let allowed = ["MIT", "ISC", "Zlib", "Apache-2.0 WITH LLVM-exception"];
        spdx::satisfied(expression, &|term| allowed.contains(&term))
    }

    #[test]
    fn expressions_mean_what_spdx_says() {
        let table = [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("GPL-3.0-only OR MIT", true),
            ("GPL-3.0-only/MIT", true),
            ("GPL-3.0-only / LGPL-2.1", false),
            ("MIT AND ISC", true),
            ("MIT AND GPL-3.0-only", false),
            ("(MIT OR GPL-3.0-only) AND ISC", true),
            ("(MIT OR ISC) AND GPL-3.0-only", false),
            // AND binds tighter than OR.
            ("MIT OR ISC AND GPL-3.0-only", true),
            ("GPL-3.0-only AND ISC OR MIT", true),
            ("GPL-3.0-only AND (ISC OR MIT)", false),
            ("((MIT))", true),
            // An exception belongs to its licence and is not optional.
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("MIT WITH LLVM-exception", false),
            ("GPL-2.0 OR Apache-2.0 WITH LLVM-exception AND Zlib", true),
        ];
        for (expression, expected) in table {
            assert_eq!(satisfied(expression), Some(expected), "{expression}");
        }
    }

    #[test]
    fn nonsense_is_not_a_licence() {
        for expression in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT ISC", "MIT WITH", "()"] {
            assert_eq!(satisfied(expression), None, "{expression}");
        }
    }

    #[test]
    fn a_forbidden_or_missing_licence_is_a_fault() {
        let package = |name: &str, license: Option<&str>| Described {
            name: name.to_owned(),
            license: license.map(str::to_owned),
        };
        let policy = Licenses {
            allow: vec!["MIT".to_owned()],
            exceptions: vec![Exception { name: "odd".to_owned(), allow: vec!["NCSA".to_owned()] }],
        };
        let good = [package("a", Some("MIT")), package("odd", Some("MIT AND NCSA"))];
        assert_eq!(licence_faults(&policy, &good), [""; 0]);
        let bad = [package("b", Some("NCSA")), package("c", None), package("d", Some("MIT OR"))];
        assert_eq!(licence_faults(&policy, &bad).len(), 3);
    }

    #[test]
    fn a_banned_or_doubled_crate_is_a_fault() {
        let ban = |name: &str, deny_multiple_versions| Ban {
            name: name.to_owned(),
            deny_multiple_versions,
            reason: "why".to_owned(),
        };
        let policy = Bans { deny: vec![ban("bad", false), ban("single", true)] };
        let tree = |packages: &[(&str, &str)]| {
            let mut tree = BTreeMap::<String, BTreeSet<String>>::new();
            for (name, version) in packages {
                tree.entry((*name).to_owned()).or_default().insert((*version).to_owned());
            }
            tree
        };
        let good = tree(&[("single", "v1"), ("other", "v1"), ("other", "v2")]);
        assert_eq!(ban_faults(&policy, &good), [""; 0]);
        let bad = tree(&[("single", "v1"), ("single", "v2"), ("bad", "v1")]);
        assert_eq!(
            ban_faults(&policy, &bad),
            ["bad in 1 version(s): why", "single in 2 version(s): why"]
        );
    }

    #[test]
    fn another_origin_is_a_fault() {
        let policy = Sources { allow_registry: vec!["https://registry.example".to_owned()] };
        let locked = |name: &str, source: Option<&str>, checksum: Option<&str>| Locked {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: source.map(str::to_owned),
            checksum: checksum.map(str::to_owned),
        };
        let registry = Some("registry+https://registry.example");
        let good = [locked("a", registry, Some("00")), locked(OURS, None, None)];
        assert_eq!(source_faults(&policy, &good), [""; 0]);
        let bad = [
            locked("a", registry, None),
            locked("b", Some("git+https://registry.example"), Some("00")),
            locked("c", Some("registry+https://elsewhere.example"), Some("00")),
            locked("d", None, None),
        ];
        assert_eq!(source_faults(&policy, &bad).len(), 4);
    }

    #[test]
    fn a_reason_has_a_date() {
        let entry = |above: &str| format!("exceptions = [\n  {above}\n  {{ crate = \"a\" }},\n]");
        assert!(has_dated_reason(&entry("# 2026-01-31: a build tool only"), "a"));
        assert!(!has_dated_reason(&entry("# a build tool only"), "a"));
        assert!(!has_dated_reason(&entry("# 2026-01-31: "), "a"));
        assert!(!has_dated_reason(&entry("# 2026-01-31: a build tool only"), "b"));
    }
}
