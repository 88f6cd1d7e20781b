//! A12: the closed list of operations, and the commands.

use super::*;

/// A line for each operation that a command carries out. `$` stands for a file.
const LINES: &[(Action, &str)] = &[
    (Action::AccountAdd, "account add Main --kind brokerage --currency USD"),
    (Action::AccountAdd, "account add Other --kind brokerage --currency USD"),
    (Action::AccountAdd, "account add House --kind other --currency USD --mode balances"),
    (Action::AccountEdit, "account edit Main --institution Bank"),
    (Action::AccountRename, "account rename Main Broker"),
    (Action::AccountBalance, "account edit House --balance 5 --date 2024-01-02"),
    (Action::Import, "import $"),
    (Action::TransactionAdd, "txn add --account Other --date 2024-02-01 --type DEPOSIT --amount 5"),
    (Action::TransactionEdit, "txn edit # --note x"),
    (Action::TransactionLink, "txn link @out @in"),
    (Action::TransactionUnlink, "txn link --unlink @out"),
    (Action::TransactionDelete, "txn delete #"),
    (Action::PriceSet, "price set sec:AMD --date 2024-01-03 --close 140 --currency USD"),
    (Action::PriceDelete, "price delete sec:AMD 2024-01-03"),
    (Action::SecurityEdit, "security edit AMD --name x"),
    (Action::SecuritySymbol, "security symbol AMD simulated AMD.US"),
    (Action::WatchSet, "watch add AMD --target 100"),
    (Action::WatchRemove, "watch remove AMD"),
    (Action::AlertAdd, "alert add AMD price below 30"),
    (Action::AlertSnooze, "alert snooze @alert --until 2030-01-01"),
    (Action::AlertRemove, "alert remove @alert"),
    (Action::SettingSet, "settings set base_currency CAD"),
    (Action::TargetSet, "target set class equity 60%"),
    (Action::TargetRemove, "target remove class equity"),
    (Action::AccountMerge, "account merge Other Broker"),
    (Action::ImportUndo, "import undo 1"),
    (Action::Rebuild, "rebuild"),
    (Action::Export, "export"),
    (Action::Backup, "backup b.dashtam-backup"),
    (Action::VaultInit, "vault init --no-passphrase"),
    (Action::VaultRotate, "vault recipients rotate"),
    (Action::VaultRecipients, "vault recipients add {machine}"),
    (Action::VaultPassphrase, "vault passphrase --remove"),
    (Action::AuditVerify, "audit verify"),
    (Action::AuditExport, "audit export"),
    (Action::AuditPurge, "audit purge --before 2001-01-01"),
];

/// What no command does by itself, and where it is seen to leave its pair.
const ELSEWHERE: &[(Action, &str)] = &[
    (Action::Migrate, "tests/cli.rs: a migrated store"),
    (Action::Restore, "tests/backup.rs: into an empty store"),
    (Action::Refresh, "tests/refresh.rs"),
    (Action::Connect, "the sample household, and whoever connects"),
    (Action::Reconnect, "tests/simplefin.rs: a new token brings it back"),
    (Action::Disconnect, "whoever disconnects"),
    (Action::AlertEdit, "tests/screens_watch.rs"),
    (Action::AlertJudge, "tests/watch.rs"),
    (Action::ReconcileIgnore, "tests/connections.rs"),
    (Action::ConnectionPause, "tests/connections.rs"),
    (Action::ConnectionResume, "tests/connections.rs"),
    (Action::ConnectionFail, "tests/credentials.rs"),
    (Action::SecretPut, "tests/credentials.rs"),
    (Action::SecretRenew, "tests/credentials.rs"),
    (Action::VaultUnlock, "above: a passphrase that is wrong, and one that is right"),
    (Action::VaultLock, "the dashboard"),
    (Action::TransactionRestore, "the dashboard"),
    (Action::ChangeUndo, "the dashboard"),
    (Action::PriceAccept, "tests/alpaca.rs"),
    (Action::PlanWrite, "tests/allocation.rs"),
    (Action::AuditOwner, "above: a role of its own"),
    (Action::AuditMend, "above: what guards the rows and was taken away"),
];

#[test]
fn every_operation_of_the_closed_list_leaves_a_pair() {
    for action in Action::ALL {
        let by_line = LINES.iter().any(|(of, _)| of == action);
        let elsewhere = ELSEWHERE.iter().any(|(of, _)| of == action);
        assert!(by_line != elsewhere, "{action:?} is told of once");
        assert_eq!(Action::named(action.as_str()), Some(*action));
    }
    let home = Home::new();
    let file = home.rows(
        "x.csv",
        &[
            "2024-01-02,Broker,DEPOSIT,,,,,USD,1000",
            "2024-01-03,Broker,BUY,AMD,1,140,0,USD,-140",
            "2024-01-05,Broker,TRANSFER_OUT,,,,,USD,-10",
            "2024-01-05,Other,TRANSFER_IN,,,,,USD,10",
        ],
    );
    let trail = |home: &Home| -> Vec<serde_json::Value> {
        home.json(&["audit", "list", "--limit", "1000"])["rows"].as_array().unwrap().clone()
    };
    let other = Home::new();
    other.ok(&["vault", "init", "--no-passphrase"]);
    let machine = other.json(&["vault", "status"])["recipient"].as_str().unwrap().to_owned();
    let row = |kind: &str| -> String {
        let rows = home.transactions();
        let found = rows
            .iter()
            .rev()
            .find(|row| row["subtype"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(kind)));
        found.map_or_else(String::new, |row| row["id"].to_string())
    };
    let mut before = 0;
    for (action, line) in LINES {
        let line = line.replace('$', &file).replace("{machine}", &machine);
        let with = |line: String, word: &str, kind: &str| match line.contains(word) {
            true => line.replace(word, &row(kind)),
            false => line,
        };
        let line = with(line, "@out", "TRANSFER_OUT");
        let line = with(with(line, "@in", "TRANSFER_IN"), "#", "DEPOSIT");
        let line = match line.contains("@alert") {
            true => {
                let alerts = home.json(&["alert", "list"]);
                line.replace("@alert", &alerts["rows"][0]["id"].to_string())
            }
            false => line,
        };
        let ran = home.say(&line);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        let rows = trail(&home);
        let new = &rows[before..];
        before = rows.len();
        let told: Vec<_> = new
            .iter()
            .filter(|row| row["action"] == action.as_str())
            .map(|row| row["state"].as_str().unwrap())
            .collect();
        assert_eq!(told, ["ATTEMPTED", "SUCCEEDED"], "{line}: {new:?}");
        assert!(new.iter().all(|row| row["subject"].as_str().is_some_and(|it| !it.is_empty())));
        let known =
            |row: &serde_json::Value| Action::named(row["action"].as_str().unwrap()).is_some();
        assert!(new.iter().all(known), "{new:?}");
    }
    // Whatever only looks leaves nothing.
    for line in ["report accounts", "audit list", "audit head", "vault status", "settings list"] {
        home.say(line);
        assert_eq!(trail(&home).len(), before, "{line}");
    }
    home.ok(&["audit", "verify"]);
}

/// Whatever is attempted anywhere in the program is in the list.
#[test]
fn nothing_is_attempted_that_is_not_in_the_list() {
    let mut names = Vec::new();
    for file in support::rust_files("src") {
        let text = support::read(&file);
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in ["attempt(\"", "in_trail(session, \"", "seal_anew(session, \""] {
            let found = text.split(call).skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(found.map(str::to_owned));
        }
    }
    assert!(names.len() > 15, "{names:?}");
    let changes = support::read(&support::root().join("src/model/change.rs"));
    let changes = changes.split("fn action(").nth(1).unwrap();
    let changes = changes.lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next());
    let changes: Vec<_> = changes.map(str::to_owned).collect();
    assert!(changes.len() > 10, "{changes:?}");
    for name in names.iter().chain(&changes) {
        assert!(Action::named(name).is_some(), "`{name}` is not in src/audit/action.rs");
    }
}

// The commands.

#[test]
fn the_trail_is_listed_proved_and_written_out() {
    let home = Home::new();
    home.say("audit verify").refused(7, "no database");
    home.ok(&["account", "add", "A", "--kind", "checking", "--currency", "USD"]);
    home.ok(&["settings", "set", "base_currency", "CAD"]);
    let list = home.json(&["audit", "list", "--action", "account"]);
    let rows = list["rows"].as_array().unwrap();
    assert_eq!(list["schema"], "dashtam.audit.list/1");
    let all = "action actor at chain detail hash op_id seq state subject";
    assert_eq!(support::home::keys(&rows[0]), support::home::sorted(all));
    assert_eq!((rows.len(), &rows[0]["action"]), (2, &"account.add".into()));
    assert!(home.ok(&["audit", "list", "--limit", "1"]).contains("setting.set  SUCCEEDED"));
    let none = home.json(&["audit", "list", "--to", "2001-01-01"]);
    assert_eq!(none["rows"].as_array().unwrap().len(), 0);
    let head = home.ok(&["audit", "head"]);
    assert!(head.starts_with("dashtam-audit 1 ") && head.lines().count() == 1, "{head}");
    let said = home.say("audit verify");
    assert!(said.out.starts_with("5 records as they were written, 5 twice"), "{said:?}");
    assert!(said.err.contains("vault init"), "{said:?}");
    home.ok(&["audit", "verify", "--head", head.trim()]);
    home.run(&["audit", "verify", "--head", "x"]).refused(2, "--head");
    let out = home.ok(&["audit", "export", "--action", "setting.set"]);
    assert_eq!(out.lines().count(), 2);
    home.ok(&["audit", "export", "--out", "all.jsonl"]);
    home.say("audit export --out all.jsonl").refused(2, "exists");
    home.say("audit export --out data/audit.key --force").refused(2, "belongs to the store");
    home.say("audit purge --before 2025-01-01").refused(2, "7 years");
    home.say("audit purge --before 2001-01-01 --read-only").refused(2, "--read-only");
    home.say("migrate --admin-url postgres://x/y").refused(2, "Postgres");
    // Where only looking is allowed, it is proved and leaves nothing.
    let before = home.json(&["audit", "list"])["rows"].as_array().unwrap().len();
    home.ok(&["audit", "verify", "--read-only"]);
    assert_eq!(home.json(&["audit", "list"])["rows"].as_array().unwrap().len(), before);

    // With a vault its key is needed, and what was altered is told with exit code 1.
    let with = |passphrase: &str, line: &str| {
        let mut command = home.command();
        command.env("DASHTAM_PASSPHRASE_FD", "0").args(line.split(' '));
        Ran::of(&command.write_stdin(passphrase).output().unwrap())
    };
    assert_eq!(with("correct horse battery", "vault init").code, Some(0));
    home.say("audit verify").refused(9, "locked");
    let proved = with("correct horse battery", "audit verify --json");
    assert_eq!(proved.code, Some(0), "{proved:?}");
    assert!(proved.out.contains("\"first_key\":\"sealed\""), "{proved:?}");
    let file = fs::read_dir(home.data().join("audit")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("setting.set", "setting.get", 1)).unwrap();
    let wrong = with("correct horse battery", "audit verify");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.out.starts_with("WRONG from record 3 on\n3: "), "{wrong:?}");
    fs::write(&file, text).unwrap();
    let doctor = home.say("doctor");
    assert!(doctor.out.contains("audit chain"), "{doctor:?}");
    fs::remove_file(home.data().join("audit.db")).unwrap();
    let doctor = home.say("doctor --json");
    assert_ne!(doctor.code, Some(0), "{doctor:?}");
}
