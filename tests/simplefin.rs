//! SimpleFIN end to end: the real program against a Bridge on this machine, on both engines. What is
//! claimed is claimed once, what is told is stored once, and no secret is found anywhere in clear.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dashtam::clock::Clock;
use dashtam::model::Secret;
use dashtam::provider::{AccountSource as _, Auth, Class, Line, PROVIDERS, Setup};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use support::home::{Home, Ran, document, keys, sorted};
use support::postgres::postgres_url;
use support::server::{Reply, Server};
use support::simplefin::{Bridge, CLAIM, PASSWORD, Row, USER, nothing, page};
use support::terminal::{Terminal, dashtam, script};

/// The time, as the program has it.
fn now() -> chrono::DateTime<chrono::Utc> {
    Clock::system(chrono_tz::UTC).now()
}

/// Somebody with a Bridge, a vault and a store.
struct Person {
    home: Home,
    bridge: Bridge,
    database: Option<String>,
}

impl Person {
    fn new(database: Option<String>) -> Self {
        let (home, bridge) = (Home::new(), Bridge::new(now().timestamp()));
        home.file("config.toml", &format!("[simplefin]\nbase_url = \"{}\"\n", bridge.server.base));
        let person = Self { home, bridge, database };
        person.ok("vault init --no-passphrase");
        person
    }

    /// One with a store on each engine there is.
    fn on_each() -> Vec<Self> {
        let server = postgres_url().map(|url| Self::new(Some(url)));
        std::iter::once(Self::new(None)).chain(server).collect()
    }

    fn connected(self) -> Self {
        let ran = self.connect(&self.bridge.token());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self
    }

    fn run(&self, line: &str, input: &str) -> Ran {
        self.say(&line.split(' ').collect::<Vec<_>>(), input)
    }

    fn say(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.home.command();
        command.env("DASHTAM_CONFIG", self.home.path("config.toml"));
        if let Some(url) = &self.database {
            command.env("DASHTAM_DATABASE_URL", url);
        }
        Ran::of(&command.args(words).write_stdin(input).output().unwrap())
    }

    /// The program, to be started by itself.
    fn process(&self) -> Command {
        self.home.process(self.database.as_deref())
    }

    fn connect(&self, token: &str) -> Ran {
        self.run("connect simplefin --paste -vv", token)
    }

    fn ok(&self, line: &str) -> String {
        let ran = self.run(line, "");
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        ran.out
    }

    fn json(&self, line: &str) -> Value {
        document(&self.ok(&format!("{line} --json")))
    }

    /// Asks now, due or not, and gives the exit code and the document.
    fn refresh(&self) -> (i32, Value) {
        let ran = self.run("refresh --force -vv --json", "");
        (ran.code.unwrap(), document(&ran.out))
    }

    fn rows(&self) -> Vec<Value> {
        let all = self.json("report transactions --limit 500");
        all["rows"].as_array().unwrap().clone()
    }

    /// Those of the bank: day left out.
    fn told(&self) -> Vec<String> {
        let rows = self.rows();
        let rows = rows.iter().filter(|row| row["subtype"] != "opening");
        let mut told: Vec<_> = rows
            .map(|row| {
                let word = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
                format!("{} {} {}", word("status"), word("amount"), word("description"))
            })
            .collect();
        told.sort();
        told
    }

    fn findings(&self, kind: &str) -> Vec<Value> {
        let all = self.json("report findings");
        let all = all["rows"].as_array().unwrap().clone();
        all.into_iter().filter(|row| row["kind"] == kind).collect()
    }

    fn no_faults(&self) {
        assert_eq!(self.bridge.turn(|knobs| knobs.faults.clone()), [""; 0]);
    }
}

fn account(document: &Value, name: &str) -> Value {
    let rows = document["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{document}")).clone()
}

#[test]
fn accounts_look_after_themselves() {
    for person in Person::on_each() {
        let person = person.connected();
        let listed = person.json("connections");
        assert_eq!(keys(&listed), ["connections", "schema"]);
        let shape = "accounts consent_expires failures id last_attempt last_success name \
             next_attempt paused provider requests_left requests_per_day scopes since state why";
        assert_eq!(keys(&listed["connections"][0]), sorted(shape));
        assert_eq!(listed["connections"][0]["state"], "active");
        assert_eq!(listed["connections"][0]["requests_left"], 23, "the claim was one");
        let first = person.json("--refresh-only");
        let mine = &first["connections"][0];
        assert_eq!((&first["result"], &mine["result"]), (&json!("ok"), &json!("ok")), "{first}");
        // Four rows, and what was there before: cash twice and the fund.
        assert_eq!((&mine["accounts"], &mine["transactions_new"]), (&json!(2), &json!(7)));
        // 27: back for 360 days, without a gap, none longer than 90.
        let windows = person.bridge.turn(|knobs| knobs.windows.clone());
        assert_eq!(windows.len(), 4);
        assert!(windows.windows(2).all(|two| two[1].1 == two[0].0), "{windows:?}");
        assert_eq!(windows[0].1 - windows[3].0, 360 * 86_400);
        let accounts = person.json("report accounts");
        let (bank, ira) = (account(&accounts, "Everyday Checking"), account(&accounts, "Roth IRA"));
        assert_eq!((&bank["kind"], &bank["value"]), (&json!("checking"), &json!("1250.75")));
        assert_eq!(bank["institution"], "Example Bank");
        assert_eq!((&ira["kind"], &ira["value"]), (&json!("roth_ira"), &json!("4317.5")), "{ira}");
        assert_eq!(ira["cash"]["USD"], "100", "31: not counted twice");
        let held = person.json("report holdings");
        let fund = &held["rows"][0];
        assert_eq!((&fund["symbol"], &fund["quantity"]), (&json!("EXMFX"), &json!("120.5")));
        assert_eq!((&fund["cost"], &fund["value"]), (&json!("3615"), &json!("4217.5")));
        assert_eq!(fund["price"], "35");
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        // The opening is of the day before the first row that is known.
        let opening = person
            .rows()
            .into_iter()
            .find(|row| row["subtype"] == "opening" && row["account"] == "Everyday Checking");
        assert_eq!(opening.unwrap()["amount"], "321", "1250.75 - 1000 + 50.25 + 10 + 10");

        // A second time there is nothing new, and it is not even due.
        let before = person.ok("export --format canonical");
        assert_eq!(person.json("--refresh-only")["result"], "nothing_due");
        assert_eq!(person.bridge.asked(), 4);
        let (code, again) = person.refresh();
        let mine = &again["connections"][0];
        assert_eq!((code, &mine["transactions_new"]), (0, &json!(0)), "{again}");
        assert_eq!((&mine["transactions_changed"], person.bridge.asked()), (&json!(0), 5));
        assert_eq!(person.ok("export --format canonical"), before);
        // What its owner calls it and says that it is stays.
        let edit = ["account", "edit", "Roth IRA", "--kind", "ira"];
        assert_eq!(person.say(&edit, "").code, Some(0));
        assert_eq!(
            person.say(&["account", "rename", "Everyday Checking", "Daily"], "").code,
            Some(0)
        );
        person.bridge.turn(|knobs| knobs.accounts[0].name = "Checking of the bank");
        assert_eq!(person.refresh().0, 0);
        let accounts = person.json("report accounts");
        assert_eq!(accounts["rows"].as_array().unwrap().len(), 2);
        assert_eq!(account(&accounts, "Roth IRA")["kind"], "ira");
        assert_eq!(account(&accounts, "Daily")["value"], "1250.75");
        person.no_faults();
    }
}

/// Every row of every table of the store, by table.
fn tables(person: &Person) -> BTreeMap<String, Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut found = BTreeMap::new();
        let Some(url) = &person.database else {
            let file = person.home.data().join("dashtam.db");
            let options = SqliteConnectOptions::new().filename(file);
            let mut conn = SqliteConnection::connect_with(&options).await.unwrap();
            let names = "select name from sqlite_master where type = 'table'";
            let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut conn).await.unwrap();
            for name in names {
                let columns = "select group_concat('quote(\"' || name || '\")', '||') \
                     from pragma_table_info($1)";
                let columns: String =
                    sqlx::query_scalar(columns).bind(&name).fetch_one(&mut conn).await.unwrap();
                let rows = AssertSqlSafe(format!("select {columns} from {name} order by 1"));
                found.insert(name, sqlx::query_scalar(rows).fetch_all(&mut conn).await.unwrap());
            }
            return found;
        };
        let mut conn = PgConnection::connect(url).await.unwrap();
        let names = "select tablename::text from pg_tables where schemaname = 'public'";
        let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut conn).await.unwrap();
        for name in names {
            let rows = AssertSqlSafe(format!("select t::text from {name} t order by 1"));
            found.insert(name, sqlx::query_scalar(rows).fetch_all(&mut conn).await.unwrap());
        }
        found
    })
}

/// A refresh that brings nothing new writes its two records into the trail, and into the store nothing
/// but that it was: when, its mark, and what it used of the limit.
#[test]
fn a_refresh_that_brings_nothing_leaves_its_two_records() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let (before, told) = (tables(&person), told_of(&person, "refresh").len());
        let all = |person: &Person| {
            person.json("audit list --limit 1000")["rows"].as_array().unwrap().len()
        };
        let records = all(&person);
        assert_eq!(person.refresh().0, 0);
        assert_eq!((told_of(&person, "refresh").len(), all(&person)), (told + 2, records + 2));
        let after = tables(&person);
        let changed: Vec<_> = after.iter().filter(|(name, rows)| before[*name] != **rows).collect();
        // Who refreshes stands in the store of a server, and beside a file.
        let names = changed.iter().map(|(name, _)| name.as_str());
        let names: Vec<_> = names.filter(|name| *name != "refresher").collect();
        assert_eq!(names, ["applied_ops", "quotas", "refreshes"]);
        for (name, rows) in changed {
            let new = usize::from(name == "applied_ops");
            assert_eq!(rows.len(), before[name].len() + new, "{name}");
        }
        person.no_faults();
    }
}

/// 25, 26, F45-F48.
#[test]
fn rows_go_on_whatever_becomes_of_their_ids() {
    for person in Person::on_each() {
        let person = person.connected();
        person.bridge.turn(|knobs| {
            let rows = &mut knobs.accounts[0].rows;
            rows.push(Row::new("P-1", 1, "-20.00", "RESTAURANT").pending());
            rows.push(Row::new("P-2", 1, "-7.00", "PARKING").pending());
            rows.push(Row::new("P-3", 1, "-7.00", "PARKING").pending());
        });
        assert_eq!(person.refresh().0, 0);
        assert_eq!(person.told().iter().filter(|row| row.starts_with("pending")).count(), 3);
        assert_eq!(person.findings("reconcile"), [] as [Value; 0], "pending is in no balance");
        person.bridge.turn(|knobs| {
            let rows = &mut knobs.accounts[0].rows;
            rows.retain(|row| !row.pending);
            // With a tip, and under other ids.
            rows.push(Row::new("T-8", 0, "-24.00", "RESTAURANT"));
            rows.push(Row::new("T-6", 0, "-7.00", "PARKING"));
            rows.push(Row::new("T-7", 0, "-7.00", "PARKING"));
            knobs.accounts[0].balance = "1212.75".to_owned();
        });
        let (code, _) = person.refresh();
        let settled = [
            "settled -10 TRAM",
            "settled -10 TRAM",
            "settled -24 RESTAURANT",
            "settled -50.25 COFFEE AND BOOKS",
            "settled -7 PARKING",
            "settled -7 PARKING",
            "settled 1000 PAYROLL",
        ];
        let counted = || {
            let told = person.told();
            told.into_iter().filter(|row| !row.starts_with("cancelled")).collect::<Vec<_>>()
        };
        assert_eq!((code, counted()), (0, settled.map(str::to_owned).to_vec()));
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        // The bank numbers all its rows anew.
        person.bridge.turn(|knobs| knobs.reissue = "new-");
        assert_eq!(person.refresh().0, 0);
        assert_eq!(counted(), settled.map(str::to_owned));
        // A row that is told no more is cancelled, and comes back when it is told again.
        let gone = person.bridge.turn(|knobs| knobs.accounts[0].rows.remove(1));
        assert_eq!(person.refresh().0, 0);
        assert!(person.told().contains(&"cancelled -50.25 COFFEE AND BOOKS".to_owned()));
        person.bridge.turn(|knobs| knobs.accounts[0].rows.insert(1, gone));
        assert_eq!(person.refresh().0, 0);
        assert_eq!(counted(), settled.map(str::to_owned));
        assert_eq!(person.json("rebuild --check")["schema"], "dashtam.rebuild/1");
        person.no_faults();
    }
}

/// 29, 30, 32: one bank, one account, one row that is wrong hides nothing else.
#[test]
fn what_fails_in_one_place_is_told_and_the_rest_is_stored() {
    for person in Person::on_each() {
        let person = person.connected();
        person.refresh();
        person.bridge.turn(|knobs| {
            knobs.errors =
                vec![json!({"code": "con.auth", "msg": "\u{1b}[2JSign in", "conn_id": "CON-1"})];
            knobs.accounts[0].rows.clear();
            knobs.accounts[1].rows.push(Row::new("D-1", 2, "12.40", "DIVIDEND EXMFX"));
            knobs.accounts[1].balance = "4329.90".to_owned();
        });
        let (code, told) = person.refresh();
        let mine = &told["connections"][0];
        assert_eq!((code, &mine["result"], &mine["class"]), (3, &json!("partial"), &Value::Null));
        assert_eq!(mine["skipped"][0]["what"], "Example Bank");
        assert!(!told.to_string().contains("\\u001b"), "{told}");
        assert_eq!(mine["transactions_new"], 1);
        let accounts = person.json("report accounts");
        assert_eq!(account(&accounts, "Roth IRA")["value"], "4329.9");
        assert_eq!(account(&accounts, "Everyday Checking")["value"], "1250.75", "nothing is gone");
        // The older version says it in words. An account whose currency nobody knows is left out.
        person.bridge.turn(|knobs| {
            (knobs.version, knobs.accounts[1].currency) = (1, "https://coins.example/doge");
            knobs.errors = vec![json!("Connection to Other Broker may need attention")];
        });
        let (code, told) = person.refresh();
        assert_eq!((code, told["connections"][0]["skipped"].as_array().unwrap().len()), (3, 2));
        assert_eq!(account(&person.json("report accounts"), "Roth IRA")["value"], "4329.9");
        let listed = person.json("connections");
        assert_eq!(
            (&listed["connections"][0]["state"], &listed["connections"][0]["failures"]),
            (&json!("active"), &json!(0))
        );
        person.no_faults();
    }
}

/// A bank that is out of reach, from the first day on or for a month, is asked for that time later.
#[test]
fn what_a_bank_could_not_tell_is_asked_for_once_it_can() {
    for person in Person::on_each() {
        let person = person.connected();
        let trouble = json!({"code": "con.auth", "msg": "Sign in", "conn_id": "CON-1"});
        let rows = person.bridge.turn(|knobs| {
            knobs.errors = vec![trouble.clone()];
            std::mem::take(&mut knobs.accounts[0].rows)
        });
        assert_eq!(person.refresh().0, 3);
        let bank = account(&person.json("report accounts"), "Everyday Checking");
        assert_eq!(bank["value"], "0", "nothing is made up meanwhile");
        assert_eq!(person.findings("reconcile").len(), 1);
        let first = |person: &Person| person.bridge.turn(|knobs| knobs.windows.last().unwrap().0);
        let begun = first(&person);
        person.bridge.turn(|knobs| {
            knobs.errors.clear();
            knobs.accounts[0].rows = rows;
        });
        assert_eq!(person.refresh().0, 0);
        assert!(first(&person) - begun < 60, "all of it again");
        let bank = account(&person.json("report accounts"), "Everyday Checking");
        assert_eq!(bank["value"], "1250.75");
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);
        // Afterwards two weeks are enough, but not while one does not tell.
        let span = |person: &Person| {
            let (start, end) = person.bridge.turn(|knobs| *knobs.windows.last().unwrap());
            (end - start) / 86_400
        };
        person.refresh();
        assert_eq!(span(&person), 15);
        person.bridge.turn(|knobs| knobs.errors = vec![trouble]);
        assert_eq!((person.refresh().0, span(&person)), (3, 15));
        let kept = |person: &Person| {
            let listed = person.json("connections");
            listed["connections"][0]["last_success"].clone()
        };
        let before = kept(&person);
        assert_eq!((person.refresh().0, kept(&person)), (3, before), "no success is noted");
        person.no_faults();
    }
}

#[test]
fn where_the_ledger_differs_is_told_and_nothing_corrected() {
    for person in Person::on_each() {
        let person = person.connected();
        person.refresh();
        person.bridge.turn(|knobs| {
            knobs.accounts[0].balance = "1200.75".to_owned();
            let holdings = knobs.accounts[1].holdings.as_mut().unwrap();
            holdings[0]["shares"] = json!("121.5");
            holdings[0]["market_value"] = json!(4252.50);
            knobs.accounts[1].balance = "4352.50".to_owned();
        });
        assert_eq!(person.refresh().0, 0);
        let found = person.findings("reconcile");
        let details: Vec<_> = found.iter().map(|it| it["detail"].as_str().unwrap()).collect();
        assert_eq!(details.len(), 2, "{found:?}");
        assert!(details.contains(&"the rows come to 1250.75 USD cash, the provider says 1200.75"));
        assert!(details.contains(&"the rows come to 120.5 units, the provider says 121.5"));
        let hidden = person.ok("report findings --private");
        assert!(!hidden.contains("1250.75") && !hidden.contains("121.5"), "{hidden}");
        assert_eq!(
            account(&person.json("report accounts"), "Everyday Checking")["value"],
            "1250.75"
        );
        // Told once, however often it is seen, and over when it is over.
        person.refresh();
        assert_eq!(person.findings("reconcile").len(), 2);
        person.bridge.turn(|knobs| {
            knobs.accounts[0].rows.push(Row::new("T-9", 1, "-50.00", "LATE"));
        });
        person.refresh();
        assert_eq!(person.findings("reconcile").len(), 1);
        person.no_faults();
    }
}

/// 28, F32: over restarts, shared by whoever refreshes, and said.
#[test]
fn the_quota_of_a_day_is_never_exceeded() {
    for person in Person::on_each() {
        let person = person.connected();
        let codes: Vec<i32> = (0..22).map(|_| person.refresh().0).collect();
        // One for the claim, four for the first look, one for each other.
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), 20, "{codes:?}");
        let (code, told) = person.refresh();
        assert_eq!((code, &told["result"]), (6, &json!("failed")));
        assert_eq!(told["connections"][0]["class"], "later");
        let next = told["connections"][0]["next_attempt"].as_str().unwrap();
        let next: chrono::DateTime<chrono::Utc> = next.parse().unwrap();
        let hours = (next - now()).num_hours();
        assert!((22..=24).contains(&hours), "{next}");
        assert_eq!(person.bridge.asked(), 23);
        let listed = person.json("connections");
        assert_eq!(listed["connections"][0]["requests_left"], 0);
        let why = listed["connections"][0]["why"].as_str().unwrap();
        assert!(why.contains("24 requests in a day"), "{why}");
        assert_eq!(person.json("--refresh-only")["result"], "nothing_due", "not before then");
        person.no_faults();
    }
}

const LATIN: (&str, &str) = ("content-type", "application/json; charset=iso-8859-1");

/// F30-F37: what each trouble is called, and that it leaves what is stored.
#[test]
fn each_trouble_has_its_exit_code() {
    let person = Person::new(None).connected();
    person.refresh();
    let before = person.ok("export --format canonical");
    let answers = [
        (page as fn() -> Reply, 5, "later"),
        (nothing, 5, "later"),
        (|| Reply::json("{\"accounts\":[{\"id\"").cut(2), 5, "later"),
        (|| Reply::json("[]"), 5, "later"),
        // F37: not in UTF-8, whatever it says of itself.
        (|| Reply::new(200, &[LATIN], b"{\"accounts\":[{\"id\":\"caf\xe9\"}]}"), 5, "later"),
        (|| Reply::new(402, &[], ""), 5, "later"),
        (|| Reply::new(429, &[("retry-after", "7200")], ""), 6, "later"),
    ];
    for (answer, code, class) in answers {
        person.bridge.turn(|knobs| (knobs.answer, knobs.windows) = (Some(answer), vec![]));
        // As on another day: how often it may be asked is not the question here.
        fresh_day(&person);
        let (exit, told) = person.refresh();
        assert_eq!((exit, &told["connections"][0]["class"]), (code, &json!(class)), "{told}");
    }
    fresh_day(&person);
    person.bridge.turn(|knobs| (knobs.answer, knobs.windows) = (None, vec![]));
    assert_eq!(person.refresh().0, 0);
    assert_eq!(person.ok("export --format canonical"), before);
    // The access was ended at the Bridge.
    person.bridge.renew();
    let (code, told) = person.refresh();
    assert_eq!((code, &told["connections"][0]["class"]), (4, &json!("reauthorize")));
    let listed = person.json("connections");
    assert_eq!(listed["connections"][0]["state"], "revoked");
    assert!(listed["connections"][0]["why"].as_str().unwrap().contains("403"));
    let asked = person.bridge.server.asked().len();
    assert_eq!(person.run("--refresh-only", "").code, Some(4), "it is said, and nobody asked");
    assert_eq!(person.bridge.server.asked().len(), asked);
    // A new token brings back the same connection with its accounts.
    let ran = person.connect(&person.bridge.token());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let listed = person.json("connections");
    assert_eq!(listed["connections"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["connections"][0]["state"], &listed["connections"][0]["accounts"]),
        (&json!("active"), &json!(2))
    );
    let told = person.json("audit list --action reconnect");
    let states: Vec<_> = told["rows"].as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["ATTEMPTED", "SUCCEEDED"], "{told}");
    assert_eq!(person.json("--refresh-only")["result"], "ok");
    assert_eq!(person.ok("export --format canonical"), before);
    // A locked vault.
    let secret = "a passphrase for it";
    let mut command = person.home.command();
    command
        .env("DASHTAM_PASSPHRASE_FD", "0")
        .env("DASHTAM_CONFIG", person.home.path("config.toml"));
    let ran = command.args(["vault", "passphrase"]).write_stdin(secret).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let ran = person.run("refresh --force --json", "");
    assert_eq!(ran.code, Some(9), "{ran:?}");
    assert!(ran.err.contains("locked"), "{ran:?}");
    let mut command = person.home.command();
    command
        .env("DASHTAM_PASSPHRASE_FD", "0")
        .env("DASHTAM_CONFIG", person.home.path("config.toml"));
    let ran = command.args(["refresh", "--force"]).write_stdin(secret).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    // Ended: its accounts stay, its secret does not.
    assert_eq!(person.run("disconnect SimpleFIN", "").code, Some(0));
    assert_eq!(person.json("connections")["connections"], json!([]));
    assert_eq!(person.json("vault status")["secrets"], 0);
    assert_eq!(person.ok("export --format canonical"), before);
    person.run("disconnect SimpleFIN", "").refused(2, "SimpleFIN");
    no_secret_below(&person);
}

/// Forgets what was used of the limits, as a day does.
fn fresh_day(person: &Person) {
    let path = person.home.data().join("dashtam.db");
    let ran = Command::new("sqlite3").arg(path).arg("delete from quotas").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

/// 22, 23, T2: what is no token, what nobody knows, and what must never be kept.
#[test]
fn a_claim_that_fails_leaves_nothing_behind() {
    for person in Person::on_each() {
        let token = person.bridge.token();
        for wrong in ["", "not base64!", "aGVsbG8=", "https://bank.example/no-login"] {
            let ran = person.connect(wrong);
            assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{wrong}: {ran:?}");
        }
        // It leads to somebody else.
        let elsewhere = "aHR0cDovL2JhbmsuZXhhbXBsZS9jbGFpbS8x";
        assert_eq!(person.connect(elsewhere).code, Some(2));
        assert_eq!(person.bridge.server.asked(), []);
        assert_eq!(person.run("connect simplefin", &token).code, Some(2), "nobody to ask");
        assert_eq!(person.run("connect acme --paste", &token).code, Some(2));
        assert_eq!(person.run("connect simulated --paste", &token).code, Some(2));
        person.bridge.turn(|knobs| knobs.claim_answer = Some(|| Reply::new(403, &[], "")));
        let ran = person.connect(&token);
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.err.contains("compromised"), "{ran:?}");
        // An error page is no access, and the token is spent.
        person.bridge.turn(|knobs| knobs.claim_answer = Some(page));
        assert_eq!(person.connect(&token).code, Some(4));
        assert_eq!(person.json("connections")["connections"], json!([]));
        // One that the Bridge did not take serves again.
        let wait = || Reply::new(429, &[("retry-after", "7200")], "");
        person.bridge.turn(|knobs| knobs.claim_answer = Some(wait));
        let ran = person.connect(&token);
        assert_eq!(ran.code, Some(5), "{ran:?}");
        person.bridge.turn(|knobs| knobs.claim_answer = None);
        assert_eq!(person.connect(&token).code, Some(0));
        let ran = person.connect(&token);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains("already"), "{ran:?}");
        assert_eq!(person.bridge.turn(|knobs| knobs.claims), 1);
        assert_eq!(person.refresh().0, 0);
        person.no_faults();
        no_secret_below(&person);
    }
}

/// As it is copied from a page, in several lines.
#[test]
fn a_token_is_pasted_on_a_terminal_with_its_line_breaks() {
    let person = Person::new(None);
    let mut command = dashtam(&person.home, "connect simplefin");
    command.env("DASHTAM_CONFIG", person.home.path("config.toml"));
    let mut terminal = Terminal::run(command);
    terminal.see("it is not shown");
    let token = person.bridge.token();
    assert!(token.trim().contains('\n'));
    terminal.press(&token);
    terminal.see("connected SimpleFIN");
    let left = terminal.end();
    left.with_code(0).restored();
    assert!(!String::from_utf8_lossy(&left.bytes).contains("YzRuNHJ5"), "it was shown");
    assert_eq!(person.refresh().0, 0);
}

/// F24: nobody knows what became of the token, so it is not shown again.
#[test]
fn who_is_stopped_while_claiming_needs_a_new_token() {
    let person = Person::new(None);
    person.home.file("token", &person.bridge.token());
    person.bridge.turn(|knobs| knobs.slow = Duration::from_secs(3));
    let mut command = person.process();
    command.args(["connect", "simplefin", "--paste"]);
    command.stdin(fs::File::open(person.home.path("token")).unwrap());
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while person.bridge.server.asked().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    person.bridge.turn(|knobs| knobs.slow = Duration::ZERO);
    let (code, told) = person.refresh();
    assert_eq!((code, &told["connections"][0]["class"]), (4, &json!("reauthorize")), "{told}");
    let listed = person.json("connections");
    assert_eq!(listed["connections"][0]["state"], "failed");
    assert_eq!(person.connect(&person.bridge.token()).code, Some(4), "the same token again");
    assert_eq!(person.bridge.server.asked().len(), 1, "it was presented once");
    person.bridge.renew();
    assert_eq!(person.connect(&person.bridge.token()).code, Some(0));
    assert_eq!(person.refresh().0, 0);
    assert_eq!(person.json("connections")["connections"].as_array().unwrap().len(), 1);
}

/// F20-F24: whoever is first claims, the others find it claimed.
#[test]
fn ten_processes_claim_one_token_once() {
    for person in Person::on_each() {
        let token = person.bridge.token();
        let start = || -> Child {
            let mut command = person.process();
            command.args(["connect", "simplefin", "--paste"]);
            command.stdin(fs::File::open(person.home.path("token")).unwrap());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        person.home.file("token", &token);
        let processes: Vec<_> = (0..10).map(|_| start()).collect();
        for process in processes {
            let ran = Ran::of(&process.wait_with_output().unwrap());
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        fs::remove_file(person.home.path("token")).unwrap();
        let claims = person.bridge.server.asked().len();
        assert_eq!((person.bridge.turn(|knobs| knobs.claims), claims), (1, 1));
        let listed = person.json("connections");
        assert_eq!(listed["connections"].as_array().unwrap().len(), 1);
        assert_eq!(person.refresh().0, 0);
        no_secret_below(&person);
    }
}

/// T4, T16: at TRACE, in every file that was written, and in the database of the server.
fn no_secret_below(person: &Person) {
    fn walk(folder: &Path, found: &mut Vec<String>, look: &dyn Fn(&[u8]) -> bool) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found, look);
            } else if look(&fs::read(&path).unwrap()) {
                found.push(path.display().to_string());
            }
        }
    }
    let token: String = person.bridge.token().split_whitespace().collect();
    let canaries = [USER, PASSWORD, CLAIM, "c4n4ry%2Fp", &token, "YzRuNHJ5", token.split_at(40).0];
    let has = |bytes: &[u8]| {
        canaries.iter().any(|canary| bytes.windows(canary.len()).any(|at| at == canary.as_bytes()))
    };
    let mut found = Vec::new();
    walk(person.home.root.path(), &mut found, &has);
    assert_eq!(found, [""; 0]);
    let export = person.ok("export --format json");
    let backup = person.home.path("backup");
    person.ok(&format!("backup {} --force", backup.display()));
    assert!(!has(export.as_bytes()) && !has(&fs::read(backup).unwrap()));
}

/// Every provider: its fixtures are read, and whatever else comes is survived and told.
#[tokio::test(flavor = "multi_thread")]
async fn every_provider_survives_every_answer() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut asked = 0;
    for entry in PROVIDERS {
        let (Auth::SetupToken(_), Some(accounts)) = (entry.auth, entry.accounts) else { continue };
        let folder = support::root().join("tests/fixtures").join(entry.id);
        let mut answers: Vec<(Vec<u8>, u16, Option<Class>)> = Vec::new();
        for file in fs::read_dir(&folder).unwrap() {
            let whole = fs::read(file.unwrap().path()).unwrap();
            for cut in [1, whole.len() / 3, whole.len() - 3] {
                answers.push((whole[..cut].to_vec(), 200, Some(Class::Later(None))));
            }
            answers.push((whole, 200, None));
        }
        let page = b"<html>Access Denied</html>".to_vec();
        for (body, status, class) in [
            (b"".to_vec(), 200, Class::Later(None)),
            (page.clone(), 200, Class::Later(None)),
            (page, 403, Class::Later(None)),
            (b"{}".to_vec(), 401, Class::Reauthorize),
            (b"{}".to_vec(), 403, Class::Reauthorize),
            (b"".to_vec(), 500, Class::Later(None)),
            (b"".to_vec(), 503, Class::Later(None)),
        ] {
            answers.push((body, status, Some(class)));
        }
        for (body, status, class) in answers {
            let said = body.clone();
            let server = Server::new(move |_| Reply::new(status, &[], &body));
            let clock = Clock::system(chrono_tz::UTC);
            let base = server.base.parse().unwrap();
            let keep = Box::new(|_| -> dashtam::provider::Boxed<_> { Box::pin(async { Ok(()) }) });
            let line = Arc::new(Line::new(entry, Some(base), None, &clock, &[], keep));
            let access = server.base.replace("http://", "http://c4n4ry:c4n4ry@");
            let secret = Arc::new(Secret::new(access));
            let line = Some((line, secret));
            let source = accounts(Setup { seed: 1, clock, line, progress: None });
            let told = source.accounts(Some(now())).await;
            let text = String::from_utf8_lossy(&said);
            match (told, class) {
                (Ok(book), None) => assert!(!book.accounts.is_empty(), "{text}"),
                (Err(error), Some(class)) => {
                    assert_eq!(error.class(), class, "{status} {text}: {error}");
                    assert!(!format!("{error} {error:?}").contains("c4n4ry"), "{error}");
                }
                (told, class) => panic!("{status} {text}: {told:?} and not {class:?}"),
            }
            asked += 1;
        }
    }
    assert!(asked > 10, "{asked}");
}

/// What became of an operation, how often.
fn told_of(person: &Person, action: &str) -> Vec<String> {
    let all = person.json(&format!("audit list --action {action}"));
    let rows = all["rows"].as_array().unwrap().clone();
    rows.iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_connection_rests_and_goes_on_without_a_screen() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let (asked, number) =
            (person.bridge.asked(), person.json("connections")["connections"][0]["id"].clone());
        let paused = person.json("connections pause SimpleFIN");
        assert_eq!(keys(&paused), ["already", "connection", "name", "schema"]);
        assert_eq!(
            (&paused["schema"], &paused["connection"], &paused["already"]),
            (&json!("dashtam.connection.changed/1"), &number, &json!(false))
        );
        // By its number, and once is enough.
        assert_eq!(person.json(&format!("connections pause {number}"))["already"], true);
        assert_eq!(
            person.ok("connections pause SimpleFIN").trim_end(),
            "SimpleFIN is paused already"
        );
        assert_eq!(told_of(&person, "connection.pause"), ["ATTEMPTED", "SUCCEEDED"]);
        let row = person.json("connections")["connections"][0].clone();
        assert!(row["paused"].is_string() && row["state"] == "active", "{row}");
        // Whoever asks for it by name is told why nothing comes.
        let ran = person.run("refresh --force --connection SimpleFIN", "");
        assert!(ran.code == Some(0), "{ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains("it is paused"), "{ran:?}");
        assert_eq!((person.refresh().0, person.bridge.asked()), (0, asked));

        // What it was before stands beside that it rests.
        assert!(person.ok("connections resume SimpleFIN").contains("SimpleFIN goes on"));
        person.bridge.renew();
        assert_eq!(person.refresh().0, 4);
        person.ok("connections pause SimpleFIN");
        let state = person.json("connections")["connections"][0]["state"].clone();
        let both = format!("{}, paused", state.as_str().unwrap());
        assert_ne!(both, "active, paused");
        let table = person.ok("connections");
        assert!(table.contains(&both), "{both}: {table}");
        assert!(person.json("connections")["connections"][0]["paused"].is_string());

        person.ok("connections resume SimpleFIN");
        assert_eq!(person.ok("connections resume SimpleFIN").trim_end(), "SimpleFIN is not paused");
        assert_eq!(told_of(&person, "connection.resume").len(), 4, "twice, each with its outcome");
        person.run("connections pause Nobody", "").refused(2, "Nobody");
        person.run("connections pause", "").refused(2, "CONNECTION");
        person.run("connections pause SimpleFIN --read-only", "").refused(2, "--read-only");
        person.ok("disconnect SimpleFIN");
        person.run("connections resume SimpleFIN", "").refused(2, "SimpleFIN");
        person.ok("audit verify");
        person.no_faults();
    }
}

/// While one service is slow its owner lets another connection rest: that one is not asked any more.
#[test]
fn a_pause_within_a_round_counts_for_what_is_not_begun() {
    for person in Person::on_each() {
        let rates = Server::new(|_| Reply::new(503, &[], ""));
        let text = fs::read_to_string(person.home.path("config.toml")).unwrap();
        let text = format!("{text}[frankfurter]\nbase_url = \"{}\"\n", rates.base);
        person.home.file("config.toml", &text);
        let person = person.connected();
        person.ok("connect frankfurter");
        let rows = person.home.rows("rows.csv", &["2026-01-05,Bank,DEPOSIT,,,,,CAD,5"]);
        person.ok(&format!("import {rows}"));
        person.bridge.turn(|knobs| knobs.slow = Duration::from_secs(3));
        let mut command = person.process();
        command.args(["refresh", "--json"]).stdin(Stdio::null());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while person.bridge.asked() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody asks for accounts");
            std::thread::sleep(Duration::from_millis(10));
        }
        let connections = person.json("connections");
        let known = connections["connections"].as_array().unwrap().iter();
        let number =
            known.clone().find(|it| it["provider"] == "frankfurter").unwrap()["id"].clone();
        person.ok(&format!("connections pause {number}"));
        let ran = Ran::of(&process.wait_with_output().unwrap());
        let told = document(&ran.out);
        let mine = told["connections"].as_array().unwrap().iter();
        let mine = mine.clone().find(|it| it["id"] == number).unwrap();
        assert_eq!(mine["result"], "nothing_due", "{told}");
        assert_eq!(rates.asked(), [], "{told}");
        assert_eq!(told_of(&person, "refresh").len(), 2, "only the accounts were begun");
        person.ok(&format!("connections resume {number}"));
        person.run(&format!("refresh --connection {number}"), "");
        assert!(!rates.asked().is_empty());
        person.no_faults();
    }
}

/// The one that is asked just now is asked nothing more either, and no word of it is stored.
#[test]
fn a_pause_counts_for_the_rest_of_a_round() {
    for person in Person::on_each() {
        let person = person.connected();
        person.bridge.turn(|knobs| knobs.slow = Duration::from_secs(2));
        let mut command = person.process();
        command.args(["refresh", "--json"]).stdin(Stdio::null());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let asks = || {
            let asked = person.bridge.server.asked().into_iter();
            asked.filter(|asked| asked.path.starts_with("/simplefin/accounts")).count()
        };
        let begun = Instant::now();
        while asks() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody asks");
            std::thread::sleep(Duration::from_millis(10));
        }
        person.ok("connections pause SimpleFIN");
        let ran = Ran::of(&process.wait_with_output().unwrap());
        let told = document(&ran.out);
        assert_eq!((ran.code, asks()), (Some(0), 1), "of four: {told}");
        assert_eq!(told["connections"][0]["result"], "nothing_due", "{told}");
        assert_eq!(told_of(&person, "refresh"), ["ATTEMPTED", "FAILED"]);
        assert_eq!(person.json("report accounts")["rows"], json!([]));
        person.bridge.turn(|knobs| knobs.slow = Duration::ZERO);
        person.ok("connections resume SimpleFIN");
        // Due as before: nobody failed.
        let told = person.json("--refresh-only");
        assert_eq!((&told["result"], asks()), (&json!("ok"), 5), "{told}");
        assert_eq!(person.json("report accounts")["rows"].as_array().unwrap().len(), 2);
        person.ok("audit verify");
        person.no_faults();
    }
}

/// Of prices and rates too: who was told to leave it has not failed, and is due as before.
#[test]
fn a_pause_while_rates_come_is_no_failure() {
    for person in Person::on_each() {
        let slow = Server::new(|_| {
            std::thread::sleep(Duration::from_secs(2));
            Reply::new(503, &[], "")
        });
        let text = fs::read_to_string(person.home.path("config.toml")).unwrap();
        let text = format!("{text}[frankfurter]\nbase_url = \"{}\"\n", slow.base);
        person.home.file("config.toml", &text);
        person.ok("connect frankfurter");
        let rows = person.home.rows("rows.csv", &["2026-01-05,Bank,DEPOSIT,,,,,CAD,5"]);
        person.ok(&format!("import {rows}"));
        let mut command = person.process();
        command.args(["refresh", "--json"]).stdin(Stdio::null());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while slow.asked().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody asks for rates");
            std::thread::sleep(Duration::from_millis(10));
        }
        let number = person.json("connections")["connections"][0]["id"].clone();
        person.ok(&format!("connections pause {number}"));
        let ran = Ran::of(&process.wait_with_output().unwrap());
        let told = document(&ran.out);
        assert_eq!(told["connections"][0]["result"], "nothing_due", "{told}");
        assert_eq!((ran.code, slow.asked().len()), (Some(0), 1), "it is not asked again");
        assert_eq!(told_of(&person, "refresh")[..2], ["ATTEMPTED", "FAILED"]);
        person.ok(&format!("connections resume {number}"));
        let row = &person.json("connections")["connections"][0];
        assert_eq!((&row["failures"], &row["why"]), (&json!(0), &json!(null)), "{row}");
        person.no_faults();
    }
}

/// A passphrase of the vault, which nobody has but who sits at the dashboard.
const PASSPHRASE: &str = "c4n4ry swordfish";

/// T15, T3: a minute without a key, and a dashboard that stands still, let go of the key in the real
/// program: nobody is asked any more, here or without a screen, until it is given again.
#[test]
fn a_dashboard_that_is_left_lets_go_of_the_key() {
    let person = Person::new(None);
    let text = fs::read_to_string(person.home.path("config.toml")).unwrap();
    person.home.file("config.toml", &format!("{text}[dashboard]\nlock_minutes = 1\n"));
    let person = person.connected();
    let mut command = person.home.command();
    command.env("DASHTAM_CONFIG", person.home.path("config.toml"));
    command.env("DASHTAM_PASSPHRASE_FD", "0").args(["vault", "passphrase"]);
    let ran = Ran::of(&command.write_stdin(format!("{PASSPHRASE}\n")).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let shell = "\"$0\"; echo \"stopped: $?\"; read x; fg; echo \"ended: $?\"";
    let mut command = script(&person.home, shell);
    command.env("DASHTAM_CONFIG", person.home.path("config.toml"));
    let mut terminal = Terminal::run(command);
    let locked = |terminal: &mut Terminal, asked: usize| {
        terminal.see("! locked: g k unlocks");
        // Asked for here and there, it is not to be had.
        // What tells of the lock may come later than the answer, and in its place.
        let begun = Instant::now();
        while !terminal.text().contains("not refreshed") {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", terminal.text());
            terminal.press("r");
            std::thread::sleep(Duration::from_millis(500));
        }
        let ran = person.run("refresh --force", "");
        assert_eq!(ran.code, Some(9), "{ran:?}");
        assert_eq!(person.bridge.asked(), asked, "the key is still there");
    };
    let unlock = |terminal: &mut Terminal, asked: usize| {
        terminal.press("gk");
        terminal.see("Enter unlocks");
        terminal.press(&format!("{PASSPHRASE}\r"));
        terminal.see("unlocked");
        // A round that has begun by itself, and finds nothing due, may be in the way of the first.
        let begun = Instant::now();
        let pressed = loop {
            terminal.press("r");
            let pressed = Instant::now();
            while pressed.elapsed() < Duration::from_secs(5) && person.bridge.asked() <= asked {
                std::thread::sleep(Duration::from_millis(20));
            }
            if person.bridge.asked() > asked {
                break pressed;
            }
            assert!(begun.elapsed() < Duration::from_secs(40), "the Bridge is not asked again");
        };
        // What is under way with the key goes on to its end.
        loop {
            let asked = person.bridge.asked();
            std::thread::sleep(Duration::from_millis(1500));
            if person.bridge.asked() == asked {
                return (asked, pressed);
            }
        }
    };
    locked(&mut terminal, 0);
    let (asked, _) = unlock(&mut terminal, 0);

    terminal.press("\u{1a}");
    terminal.until("the shell", |screen| screen.contents().contains("stopped: 14"));
    let ran = person.run("refresh --force", "");
    assert_eq!((ran.code, person.bridge.asked()), (Some(9), asked), "{ran:?}");
    terminal.press("\r");
    locked(&mut terminal, asked);
    let (asked, begun) = unlock(&mut terminal, asked);

    // Nobody is there for a minute.
    let minute = Duration::from_mins(1);
    while begun.elapsed() < minute.saturating_sub(Duration::from_secs(15)) {
        assert!(!terminal.text().contains("! locked"), "after {:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(200));
    }
    locked(&mut terminal, asked);
    unlock(&mut terminal, asked);
    terminal.press("q");
    terminal.see("ended: 0");
    let left = terminal.end();
    left.with_code(0).restored();
    let bytes = String::from_utf8_lossy(&left.bytes);
    assert!(!bytes.contains("c4n4ry") && !bytes.contains("swordfish"), "a secret was shown");
    let told = told_of(&person, "vault.lock");
    assert_eq!(told, ["ATTEMPTED", "SUCCEEDED"].repeat(2), "each time, by the trail");
    assert_eq!(told_of(&person, "vault.unlock").len(), 6, "three times");
    no_secret_below(&person);
    person.no_faults();
}

/// F49: what a bank does to an account as a whole. Its history stays, it is counted once and until it is
/// closed, and nothing stays behind as a balance that nobody has.
#[test]
fn an_account_goes_on_whatever_its_bank_does_to_it() {
    for person in Person::on_each() {
        let person = person.connected();
        assert_eq!(person.refresh().0, 0);
        let count = |person: &Person| {
            let rows = person.rows();
            rows.iter().filter(|row| row["account"] == "Everyday Checking").count()
        };
        let net_worth = |person: &Person| {
            let all = person.json("report accounts");
            all["totals"].clone()
        };
        let (rows, totals) = (count(&person), net_worth(&person));

        // The bank moves house: another id of the account and of all its rows.
        person.bridge.turn(|knobs| {
            knobs.accounts[0].id = "ACT-9";
            knobs.reissue = "moved-";
        });
        assert_eq!(person.refresh().0, 0);
        assert_eq!((count(&person), net_worth(&person)), (rows, totals.clone()), "nothing twice");
        assert_eq!(person.json("report accounts")["rows"].as_array().unwrap().len(), 2);

        // It is hidden at the Bridge: what is known of it stays, with its age.
        let hidden = person.bridge.turn(|knobs| knobs.accounts.remove(0));
        assert_eq!(person.refresh().0, 0);
        assert_eq!((count(&person), net_worth(&person)), (rows, totals.clone()));
        person.bridge.turn(|knobs| knobs.accounts.insert(0, hidden));
        assert_eq!(person.refresh().0, 0);
        assert_eq!((count(&person), net_worth(&person)), (rows, totals));
        assert_eq!(person.findings("reconcile"), [] as [Value; 0]);

        // It is emptied, closed by its owner, and told no more: no total has it from that day on.
        person.bridge.turn(|knobs| {
            knobs.accounts[0].rows.push(Row::new("T-9", 0, "-1250.75", "TO ANOTHER BANK"));
            knobs.accounts[0].balance = "0".to_owned();
        });
        assert_eq!(person.refresh().0, 0);
        assert_eq!(count(&person), rows + 1);
        let close = person.say(&["account", "close", "Everyday Checking"], "");
        assert_eq!(close.code, Some(0), "{close:?}");
        let closed = person.bridge.turn(|knobs| knobs.accounts.remove(0));
        assert_eq!(person.refresh().0, 0);
        let open = person.json("report accounts");
        assert_eq!(open["rows"].as_array().unwrap().len(), 1, "{open}");
        assert_eq!(open["rows"][0]["value"], "4317.5");
        assert_eq!(count(&person), rows + 1, "its history stays");
        let before = person.json("report accounts --as-of 2026-01-01 --closed");
        assert!(before["rows"].is_array(), "{before}");

        // It is told again, as a bank does that closes late: no second account, and no balance.
        person.bridge.turn(|knobs| knobs.accounts.insert(0, closed));
        assert_eq!(person.refresh().0, 0);
        let open = person.json("report accounts");
        assert_eq!(open["rows"].as_array().unwrap().len(), 1, "{open}");
        assert_eq!(count(&person), rows + 1);

        // Its currency is another one: what was in the old one stays in that.
        person.bridge.turn(|knobs| {
            let ira = &mut knobs.accounts[1];
            ira.currency = "CAD";
            ira.holdings = None;
            ira.balance = "20.00".to_owned();
            ira.rows = vec![Row::new("R-1", 0, "20.00", "CONTRIBUTION")];
        });
        let (code, told) = person.refresh();
        let ira = account(&person.json("report accounts"), "Roth IRA");
        assert!(code == 0 || code == 3, "{told}");
        assert_eq!(ira["cash"]["CAD"], "20", "{ira}: {told}");
        assert_eq!(ira["cash"]["USD"], "100", "{ira}: {told}");
        assert_eq!(person.json("rebuild --check")["schema"], "dashtam.rebuild/1");
        person.no_faults();
    }
}
