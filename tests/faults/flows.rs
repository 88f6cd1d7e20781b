//! The flows that are swept: what a person asks for in one line, and what they had before. Another
//! flow is another row of [`FLOWS`].

use std::fs;
use std::path::Path;

use dashtam::clock::Clock;
use dashtam::model::Secret;
use dashtam::vault::Vault;

use super::machine::{Machine, On};
use crate::support::simplefin::{Bridge, Row};

/// One thing that a person asks for.
pub struct Flow {
    pub name: &'static str,
    /// Makes what the command finds.
    pub before: fn(&Machine),
    pub line: &'static [&'static str],
    /// How the same command may end where its work is done already, besides well.
    pub again: &'static [i32],
    /// The file that it writes beside the store, and how to tell what such a file says.
    pub out: Option<(&'static str, Say)>,
    /// It is several operations, each of which is done or not.
    pub in_parts: bool,
}

/// Tells what a file says, whatever of it differs from run to run.
type Say = fn(&Path) -> String;

const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount";

pub const FLOWS: &[Flow] = &[
    Flow {
        name: "first start",
        before: nothing,
        line: &["account", "add", "Jam Jar", "--kind", "checking", "--currency", "USD"],
        // There is one of that name.
        again: &[2],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "import",
        before: household,
        line: &["import", "more.csv", "prices.csv"],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "undo",
        before: household_and_more,
        line: &["import", "undo", "2"],
        // It is taken back already.
        again: &[2],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "edit",
        before: household,
        line: &["txn", "edit", "3", "--amount", "-27.5", "--category", "Books"],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "settings",
        before: household,
        line: &["settings", "set", "base_currency", "CAD"],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "price",
        before: household,
        line: &[
            "price",
            "set",
            "sec:PLUM",
            "--date",
            "2024-03-01",
            "--close",
            "12.5",
            "--currency",
            "USD",
        ],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "migration",
        before: old_household,
        line: &["migrate"],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "rebuild",
        before: household,
        line: &["rebuild"],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "export",
        before: household,
        line: &["export", "--format", "json", "--out", "out.json"],
        // The file is there.
        again: &[2],
        out: Some(("out.json", text)),
        in_parts: false,
    },
    Flow {
        name: "export over a file",
        before: household_and_export,
        line: &["export", "--out", "out.csv", "--force"],
        again: &[],
        out: Some(("out.csv", text)),
        in_parts: false,
    },
    Flow {
        name: "backup",
        before: household,
        line: &["backup", "out.dashtam-backup"],
        // The file is there.
        again: &[2],
        out: Some(("out.dashtam-backup", restored)),
        in_parts: false,
    },
    Flow {
        name: "restore",
        before: backup_of_household,
        line: &["restore", "whole.dashtam-backup"],
        // The store is not empty any more.
        again: &[2],
        out: None,
        in_parts: false,
    },
    // Nothing is written but the attempt and its outcome.
    Flow {
        name: "audit append",
        before: household,
        line: &["export"],
        again: &[],
        out: None,
        in_parts: false,
    },
];

/// What keeps secrets, and the key to them.
pub const SECRETS: &[Flow] = &[
    Flow {
        name: "vault init",
        before: nothing,
        line: &["vault", "init", "--no-passphrase"],
        // There is one.
        again: &[2],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "vault passphrase",
        before: two_passphrases,
        line: &["vault", "passphrase"],
        // The old one does not open it any more.
        again: &[9],
        out: Some(("data/vault/key", opens)),
        in_parts: false,
    },
    Flow {
        name: "vault recipients add",
        before: secrets,
        line: &["vault", "recipients", "add", OTHER, "--name", "laptop"],
        again: &[],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "vault recipients remove",
        before: secrets_for_two,
        line: &["vault", "recipients", "remove", OTHER],
        // There is none of that name.
        again: &[2],
        out: None,
        in_parts: false,
    },
    Flow {
        name: "vault recipients rotate",
        before: secrets,
        line: &["vault", "recipients", "rotate"],
        again: &[],
        out: None,
        in_parts: false,
    },
];

/// A bank that tells of two accounts, and has never told anything yet.
pub const REFRESH: &[Flow] = &[Flow {
    name: "refresh",
    before: connected,
    line: &["refresh", "--force"],
    again: &[],
    out: None,
    in_parts: false,
}];

/// Five connections that tell much, for the first time.
pub const LARGE_REFRESH: Flow = Flow {
    name: "large refresh",
    before: five_connections,
    line: &["refresh", "--force"],
    again: &[],
    out: None,
    in_parts: true,
};

/// Another machine.
const OTHER: &str = "age1pyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq8r66x";

/// A file so large that its import takes a while.
pub const LARGE_IMPORT: Flow = Flow {
    name: "large import",
    before: many_rows,
    line: &["import", "many.csv"],
    again: &[],
    out: None,
    in_parts: false,
};

fn many_rows(machine: &Machine) {
    let count = if super::is_full() { 50_000 } else { 1_000 };
    let mut text = format!("{HEADER}\n");
    for number in 0..count {
        let (month, day) = (number / 28 % 12 + 1, number % 28 + 1);
        text += &format!("2024-{month:02}-{day:02},Bank,DEPOSIT,,,,,USD,{}.25\n", number / 3);
    }
    household(machine);
    machine.file("many.csv", &text);
}

fn nothing(_: &Machine) {}

/// A small household that uses most tables, and files for another import.
pub fn household(machine: &Machine) {
    machine.file(
        "first.csv",
        &format!(
            "{HEADER}\n2024-01-02,Bank,DEPOSIT,,,,,USD,500\n2024-01-03,Bank,WITHDRAWAL,,,,,USD,-20\n\
             2024-01-04,Broker,DEPOSIT,,,,,USD,900\n2024-01-05,Broker,BUY,PLUM,10,11.25,1,USD,\n\
             2024-02-05,Broker,SELL,PLUM,4,12,1,USD,\n"
        ),
    );
    machine.file(
        "more.csv",
        &format!(
            "{HEADER}\n2024-02-06,Bank,DEPOSIT,,,,,USD,70\n2024-02-07,Bank,DEPOSIT,,,,,USD,70\n\
             2024-02-07,Bank,DEPOSIT,,,,,USD,70\n2024-02-05,Broker,SELL,PLUM,4,12,1,USD,\n\
             2024-02-09,Broker,BUY,PEAR,3,5.5,,CAD,\n2024-02-10,Broker,DIVIDEND,PLUM,,,,USD,3.21\n"
        ),
    );
    machine.file(
        "prices.csv",
        "date,symbol,close,currency\n2024-02-08,PLUM,12.25,USD\n2024-02-09,PEAR,5.75,CAD\n\
         2024-02-09,fx:CAD,0.74,USD\n",
    );
    machine.ok(&["import", "first.csv"]);
}

pub fn household_and_more(machine: &Machine) {
    household(machine);
    machine.ok(&["import", "more.csv", "prices.csv"]);
}

fn household_and_export(machine: &Machine) {
    household(machine);
    machine.file("out.csv", "what was there before\n");
}

fn backup_of_household(machine: &Machine) {
    let other = Machine::new(On::Sqlite).unwrap();
    household_and_more(&other);
    other.ok(&["backup", "whole.dashtam-backup"]);
    fs::copy(other.path("whole.dashtam-backup"), machine.path("whole.dashtam-backup")).unwrap();
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The dump of a store that was restored from a backup.
fn restored(path: &Path) -> String {
    let machine = Machine::new(On::Sqlite).unwrap();
    machine.ok(&["restore", path.to_str().unwrap()]);
    machine.dump()
}

/// The household as the first program kept it.
fn old_household(machine: &Machine) {
    household_and_more(machine);
    super::older::make_older(machine, 1);
}

/// A vault, and two connections with a secret each.
fn secrets(machine: &Machine) {
    household(machine);
    machine.ok(&["vault", "init", "--no-passphrase"]);
    machine.keep_secrets();
}

/// The same, sealed for another machine too.
fn secrets_for_two(machine: &Machine) {
    secrets(machine);
    machine.ok(&["vault", "recipients", "add", OTHER]);
}

fn connected(machine: &Machine) {
    connected_to(machine);
}

/// A vault, and a connection to a Bridge that answers as long as this process lives.
pub fn connected_to(machine: &Machine) -> &'static Bridge {
    let now = Clock::system(chrono_tz::UTC).now().timestamp();
    let bridge: &'static Bridge = Box::leak(Box::new(Bridge::new(now)));
    machine.configure(&format!("[simplefin]\nbase_url = \"{}\"\n", bridge.server.base));
    household(machine);
    machine.ok(&["vault", "init", "--no-passphrase"]);
    connect(machine, bridge, "Bridge 1");
    bridge
}

fn connect(machine: &Machine, bridge: &Bridge, name: &str) {
    let mut command = machine.command(&[], &["connect", "simplefin", "--paste", "--name", name]);
    let output = command.write_stdin(bridge.token()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Of one household at one Bridge, which makes five accounts of each of its own: twenty thousand rows
/// in all where everything is to be seen.
fn five_connections(machine: &Machine) {
    const AMOUNTS: [&str; 3] = ["-12.5", "100", "-7.25"];
    let bridge = connected_to(machine);
    let rows = if super::is_full() { 4_000 } else { 40 };
    let row = |at: usize| {
        let ago = i64::try_from(at * 350 / rows).unwrap();
        Row::new(&format!("T-{at}"), 1 + ago, AMOUNTS[at % 3], "MAIN STREET")
    };
    bridge.turn(|knobs| {
        knobs.tokens_stay = true;
        knobs.accounts[0].rows = (0..rows).map(row).collect();
    });
    for name in ["Bridge 2", "Bridge 3", "Bridge 4", "Bridge 5"] {
        bridge.renew();
        connect(machine, bridge, name);
    }
}

/// The same with a passphrase, and the next one at hand.
fn two_passphrases(machine: &Machine) {
    machine.file("passphrases", "the first of them\n");
    machine.ok(&["vault", "init"]);
    machine.file("passphrases", "the first of them\nthe second of them\n");
}

/// Whether the next passphrase opens the key.
fn opens(path: &Path) -> String {
    let vault = Vault::at(path.parent().unwrap().to_owned());
    let next = Secret::new("the second of them".to_owned());
    vault.unlock(&next, &Clock::system(chrono_tz::UTC), |_| {}).is_ok().to_string()
}
