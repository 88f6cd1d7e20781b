//! The command line as scripts see it: the real program in a folder of its own, judged by its exit
//! code, its stdout and its stderr.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use support::home::{HEADER, Home, PROGRAM, Ran, document, example, keys, sorted};

/// Everything below a folder.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found
}

// ---- starting, helping, failing

#[test]
fn the_version_needs_nothing_and_leaves_nothing() {
    let home = Home::new();
    let mut command = home.bare();
    command.env_remove("HOME").env("DASHTAM_CONFIG", home.path("absent.toml"));
    let ran = Ran::of(&command.arg("--version").output().unwrap());
    assert_eq!(ran.code, Some(0));
    assert_eq!(ran.out, format!("dashtam {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(ran.err, "");
    assert_eq!(tree(home.root.path()), Vec::<PathBuf>::new());
}

#[test]
fn help_goes_to_stdout_and_names_the_commands() {
    let home = Home::new();
    let help = home.ok(&["--help"]);
    for word in ["import", "export", "account", "txn", "price", "security", "settings", "report"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(word)), "{word}");
    }
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
    assert!(home.ok(&["import", "--help"]).contains("undo <BATCH>"));
}

#[test]
fn without_a_terminal_it_says_so_in_one_line() {
    let home = Home::new();
    home.run(&[]).refused(2, "needs a terminal");
    assert_eq!(home.run(&["--json"]).error(2)["kind"], "usage");
    assert!(!home.data().exists());
}

#[test]
fn what_does_not_exist_is_unknown() {
    let home = Home::new();
    for line in ["bogus", "help", "import-all", "account bogus", "report bogus", "--refresh"] {
        home.say(line).refused(2, "--help");
    }
    home.say("reprot").refused(2, "report");
    assert_eq!(home.say("account").code, Some(2));
    assert!(!home.data().exists(), "a wrong command line touches nothing");
}

#[test]
fn with_json_errors_are_documents_too() {
    let home = Home::new();
    let error = home.say("bogus --json").error(2);
    assert_eq!(error["kind"], "usage");
    assert!(error["message"].as_str().unwrap().contains("bogus"));
    assert_eq!(home.say("--json account add").error(2)["kind"], "usage");
    let error = home.say("export --json").error(2);
    assert!(error["message"].as_str().unwrap().contains("--format json"));
    home.ok(&["migrate"]);
    document(&home.ok(&["export", "--format", "json", "--json"]));
    let error = home.run(&["account", "close", "Nobody", "--json"]).error(2);
    assert_eq!(error["kind"], "not_found");
    assert!(error["hint"].is_string());
}

#[test]
fn values_of_flags_are_checked_before_anything_happens() {
    let home = Home::new();
    for (line, word) in [
        ("account add A --kind check --currency USD", "checking"),
        ("account add A --kind checking --currency usd", "USD"),
        ("txn add --account A --date 2024-02-30 --type buy", "YYYY-MM-DD"),
        ("txn add --account A --date 2024-02-03 --type by", "buy"),
        ("txn add --account A --date 2024-02-03 --type buy --amount 1,5", "comma"),
        ("settings get colour", "base_currency"),
        ("report transactions --limit 0", "--limit"),
        ("report accounts --csv --json=1", "--json"),
        ("export --what all", "two files"),
        ("export --force", "--out"),
        ("export --private", "amounts"),
        ("migrate --as-of 2024-01-02", "reports"),
        ("--demo migrate", "--demo"),
    ] {
        home.say(line).refused(2, word);
        assert!(!home.data().exists(), "{line}");
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(home.ok(&["completions", shell]).contains("dashtam"));
    }
    home.say("completions tcsh").refused(2, "bash");
    let man = home.ok(&["man"]);
    assert!(man.contains(".TH dashtam") && man.contains("import"));
    assert!(!home.data().exists());
}

// ---- where things are

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let home = Home::new();
    let config = home.file("config.toml", "data_dir = \"by_file\"\n");
    let made = |home: &Home| {
        let places = ["by_flag", "by_environment", "by_file", "xdg/dashtam"];
        let there = |place: &&str| home.path(place).join("dashtam.db").exists();
        places.into_iter().filter(there).collect::<Vec<_>>()
    };
    let run = |flags: &[&str], variables: &[(&str, PathBuf)]| {
        let mut command = home.bare();
        command
            .env("XDG_DATA_HOME", home.path("xdg"))
            .env("XDG_STATE_HOME", home.path("xdg_state"));
        command.envs(variables.iter().cloned()).args(flags).arg("migrate");
        assert_eq!(Ran::of(&command.output().unwrap()).code, Some(0));
    };
    let environment = ("DASHTAM_DATA_DIR", home.path("by_environment"));
    let file = ("DASHTAM_CONFIG", PathBuf::from(&config));

    run(&[], &[]);
    assert_eq!(made(&home), ["xdg/dashtam"]);
    run(&["--config", &config], &[]);
    assert_eq!(made(&home), ["by_file", "xdg/dashtam"]);
    run(&[], &[environment.clone(), file.clone()]);
    assert_eq!(made(&home), ["by_environment", "by_file", "xdg/dashtam"]);
    run(&["--data-dir", "by_flag"], &[environment, file]);
    assert_eq!(made(&home).len(), 4);
}

#[test]
fn a_profile_is_a_portfolio_of_its_own() {
    let home = Home::new();
    home.ok(&["account", "add", "A", "--kind", "cd", "--currency", "USD", "--profile", "one"]);
    assert!(home.data().join("profiles/one/dashtam.db").exists());
    let mut command = home.command();
    let ran = command.env("DASHTAM_PROFILE", "one").args(["account", "list", "--json"]).output();
    assert_eq!(document(&Ran::of(&ran.unwrap()).out)["rows"][0]["name"], "A");
    home.ok(&["migrate"]);
    assert_eq!(home.json(&["account", "list"])["rows"], Value::Array(Vec::new()));
}

#[test]
fn the_database_flag_names_another_store() {
    let home = Home::new();
    let url = format!("sqlite:{}", home.path("other.db").display());
    let made = home.json(&["--database", &url, "migrate"]);
    assert_eq!(keys(&made), ["from", "schema", "to"]);
    assert_eq!((&made["schema"], &made["from"]), (&Value::from("dashtam.migrate/1"), &0.into()));
    assert!(home.path("other.db").exists() && !home.data().join("dashtam.db").exists());
    let again = home.json(&["migrate", "--database", &url]);
    assert_eq!(again["from"], again["to"]);
}

#[test]
fn a_database_elsewhere_is_as_private_as_any() {
    let home = Home::new();
    let folder = home.path("elsewhere");
    fs::create_dir(&folder).unwrap();
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let database = folder.join("my.db");
    let url = format!("sqlite:{}", database.display());
    for open in [0o777, 0o1777, 0o770] {
        mode(&folder, open);
        home.run(&["--database", &url, "migrate"]).refused(2, "chmod go-w");
        assert!(!database.exists());
    }
    mode(&folder, 0o755);
    home.ok(&["--database", &url, "migrate"]);
    for suffix in ["-wal", "-shm"] {
        let companion = folder.join(format!("my.db{suffix}"));
        fs::write(&companion, "").unwrap();
        mode(&companion, 0o644);
        for line in ["report accounts", "account add A --kind cd --currency USD"] {
            let line: Vec<_> = ["--database", &url].into_iter().chain(line.split(' ')).collect();
            home.run(&line).refused(2, "chmod 600");
        }
        fs::remove_file(&companion).unwrap();
    }
    home.ok(&["--database", &url, "report", "accounts"]);
}

#[test]
fn the_environment_of_the_driver_does_not_count() {
    let Some(url) = support::postgres::postgres_url() else { return };
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}sslmode=disable");
    let home = Home::new();
    let mut command = home.command();
    command.env("PGOPTIONS", "--no-such-thing").env("PGSSLROOTCERT", "/nowhere");
    command.env("PGSSLCERT", "/nowhere").env("PGHOST", "nowhere.invalid").env("PGPORT", "1");
    command.env("PGUSER", "nobody").env("PGPASSWORD", "wrong").env("PGDATABASE", "none");
    let ran = Ran::of(&command.args(["migrate", "--database", &url]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let made = format!("made the database with schema {}\n", dashtam::store::newest_schema());
    assert_eq!(ran.out, made);
}

#[test]
fn a_wrong_configuration_is_a_usage_error() {
    let home = Home::new();
    home.say("--config absent.toml migrate").refused(2, "absent.toml");
    home.say("--database mysql://x migrate").refused(2, "--database");
    home.say("--profile a/b migrate").refused(2, "--profile");
    let unknown = home.file("wrong.toml", "colour = true\n");
    home.run(&["--config", &unknown, "migrate"]).refused(2, "line 1");
}

#[test]
fn nothing_that_is_written_can_be_read_by_others_whatever_the_umask() {
    let home = Home::new();
    let open = |line: &[&str]| {
        // The shell sets the umask, then becomes the program.
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().env("HOME", home.root.path()).env("TZ", "UTC");
        shell.env("TMPDIR", home.path("tmp")).env("DASHTAM_DATA_DIR", home.data());
        shell.current_dir(home.root.path()).timeout(Duration::from_mins(1));
        shell.args(["-c", "umask 000; exec \"$0\" \"$@\"", PROGRAM]).args(line);
        let ran = Ran::of(&shell.output().unwrap());
        assert_eq!(ran.code, Some(0), "{line:?}: {ran:?}");
    };
    fs::create_dir(home.path("tmp")).unwrap();
    fs::create_dir(home.path("out")).unwrap();
    open(&["import", &example("example_a.csv"), &example("example_a_prices.csv"), "-vv"]);
    open(&["export", "--format", "json", "--out", "out/all.json"]);
    open(&["export", "--out", "out/transactions.csv"]);
    open(&["report", "accounts"]);
    open(&["--demo"]);
    let mut seen = 0;
    for path in tree(&home.data()).into_iter().chain(tree(&home.path("out"))) {
        let mode = fs::symlink_metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        seen += 1;
    }
    assert!(seen >= 6, "the walk saw {seen} entries");
    assert_eq!(fs::metadata(home.data()).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_open_to_others_is_refused_with_the_command_that_mends_it() {
    let home = Home::new();
    home.ok(&["migrate"]);
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o755)).unwrap();
    home.say("account add A --kind cd --currency USD").refused(2, "chmod 700");
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o700)).unwrap();
    let database = home.data().join("dashtam.db");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    home.say("report accounts").refused(2, "chmod 600");
    assert_eq!(home.say("report accounts --json").error(2)["kind"], "permission");
}

#[test]
fn a_store_that_cannot_be_used_is_told_from_a_wrong_command() {
    let home = Home::new();
    home.say("report accounts").refused(7, "no database");
    assert!(!home.data().exists(), "looking leaves no trace");
    home.ok(&["migrate"]);
    let path = home.data().join("dashtam.db");
    fs::write(&path, "this is no database, whatever its name says").unwrap();
    assert_eq!(home.say("report accounts --json").error(7)["kind"], "storage");
    assert_eq!(home.say("txn delete 3").code, Some(7));
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    use sqlx::{Connection, SqliteConnection};
    let home = Home::new();
    home.ok(&["migrate"]);
    let url = format!("sqlite://{}", home.data().join("dashtam.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let newer = "insert into _sqlx_migrations \
         (version, description, success, checksum, execution_time) values (9999, 'later', 1, x'00', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    for line in ["report accounts", "migrate", "account add A --kind cd --currency USD"] {
        home.say(line).refused(10, "newer");
    }
    assert_eq!(home.say("account list --json").error(10)["kind"], "newer_schema");
}

#[test]
fn read_only_writes_nothing() {
    let home = Home::new();
    let file = example("example_a.csv");
    home.run(&["import", &file, "--read-only"]).refused(2, "--read-only");
    assert!(!home.data().exists());
    home.ok(&["import", &file]);
    let before = home.canonical();
    for line in [
        "--read-only txn delete 3",
        "settings set base_currency CAD --read-only",
        "import undo 1 --read-only",
        "migrate --read-only",
        "export --out x.csv --read-only",
    ] {
        home.say(line).refused(2, "--read-only");
    }
    assert_eq!(
        home.run(&["import", &file, "--read-only", "--json"]).error(2)["kind"],
        "permission"
    );
    assert!(!home.path("x.csv").exists());
    assert_eq!(home.ok(&["export", "--format", "canonical", "--read-only"]), before);
    home.ok(&["--read-only", "report", "transactions"]);
    home.ok(&["--read-only", "import", "list"]);
}

// ---- output

#[test]
fn a_reader_that_left_ends_the_program_quietly() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(PROGRAM);
    command.env_clear().env("HOME", home.root.path()).arg("man").stdout(writer);
    let ran = Ran::of(&command.stderr(Stdio::piped()).output().unwrap());
    // As a program that SIGPIPE (13) ended.
    assert_eq!(ran.code, Some(141), "{ran:?}");
    assert_eq!(ran.err, "");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let mut command = std::process::Command::new(PROGRAM);
    command.env_clear().env("HOME", home.root.path()).env("DASHTAM_DATA_DIR", home.data());
    command.args(["report", "transactions"]).stdout(full).stderr(Stdio::piped());
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.err.contains("output"));
}

#[test]
fn private_hides_amounts_everywhere() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    for line in [
        "report transactions --private",
        "report transactions --private --csv",
        "report transactions --private --json",
        "report accounts --private",
        "report accounts --private --csv",
        "report accounts --private --json",
    ] {
        let out = home.ok(&line.split(' ').collect::<Vec<_>>());
        assert!(out.contains("•••"), "{line}: {out}");
        for figure in ["10000", "9953", "1005", "1554"] {
            assert!(!out.contains(figure), "{line} shows {figure}: {out}");
        }
    }
    let wrong = home.rows("wrong.csv", &["2024-01-02,A,DEPOSIT,,,,,USD,-4711"]);
    let ran = home.run(&["import", &wrong, "--private"]);
    assert!(ran.err.contains("•••") && !ran.err.contains("4711"), "{ran:?}");
    assert!(ran.err.contains("line 2, column amount"), "{ran:?}");
    let line =
        "txn add --private --account Example#A --date 2024-01-02 --type deposit --amount -4711";
    let words: Vec<_> = line.split(' ').map(|word| word.replace('#', " ")).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let ran = home.run(&words);
    assert!(ran.code == Some(2) && !ran.err.contains("4711"), "{ran:?}");
}

#[test]
fn csv_is_safe_in_a_spreadsheet() {
    let home = Home::new();
    let rows = ["2024-01-02,'=1+1,DEPOSIT,,,,,USD,5", "2024-01-03,'=1+1,WITHDRAWAL,,,,,USD,-5"];
    let file = home.rows("formula.csv", &rows);
    home.ok(&["import", &file]);
    let transactions = home.ok(&["report", "transactions", "--csv"]);
    assert!(transactions.lines().nth(1).unwrap().contains(",'=1+1,"), "{transactions}");
    assert!(transactions.lines().nth(2).unwrap().contains(",-5,"), "{transactions}");
    let accounts = home.ok(&["report", "accounts", "--csv"]);
    assert!(accounts.lines().nth(1).unwrap().contains(",'=1+1,"), "{accounts}");
    assert_eq!(home.account("=1+1")["name"], "=1+1");
}

#[test]
fn tables_fit_a_terminal_of_80_columns() {
    let home = Home::new();
    let long = "An account with a name that is far longer than anybody would like to read";
    let row = format!("2024-01-02,{long},BUY,SYMBOLOFTWENTYLETTERS,1234567.89,1234.5678,9.99,USD,");
    let file = home.rows("long.csv", &[&row]);
    home.ok(&["import", &file]);
    for line in
        ["report transactions", "report accounts", "account list", "security list", "import list"]
    {
        let out = home.ok(&line.split(' ').collect::<Vec<_>>());
        assert!(out.lines().count() >= 2, "{line}: {out}");
        for text in out.lines() {
            assert!(text.chars().count() <= 80, "{line}: {text}");
        }
    }
}

// ---- imports and exports

#[test]
fn example_a_leaves_9953_dollars() {
    let home = Home::new();
    let file = example("example_a.csv");
    let ran = home.run(&["import", &file, &example("example_a_prices.csv")]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(
        ran.out.starts_with(&format!(
            "{file}: 5 new, 0 duplicate, 0 changed, 0 conflict, 0 refused\n"
        ))
    );
    assert!(ran.out.contains("dashtam import undo "), "{ran:?}");
    let row = home.account("Example A");
    assert_eq!(
        keys(&row),
        sorted(
            "id name kind class mode institution connection currency cash market_value value \
             value_base as_of stale pending"
        )
    );
    assert_eq!(row["cash"], serde_json::json!({ "USD": "9953" }));
    assert_eq!((&row["kind"], &row["class"]), (&"brokerage".into(), &"investment".into()));
    assert_eq!((&row["mode"], &row["currency"]), (&"ledger".into(), &"USD".into()));
    assert_eq!((&row["institution"], &row["connection"]), (&Value::Null, &Value::Null));
    let earlier = home.json(&["report", "accounts", "--as-of", "2024-01-31"]);
    assert_eq!(earlier["rows"][0]["cash"]["USD"], "8995");
    assert_eq!(earlier["as_of"], "2024-01-31");
    let at_the_start = home.json(&["report", "accounts", "--as-of", "2024-01-02"]);
    assert_eq!(at_the_start["rows"][0]["value_base"], "10000");
    assert_eq!(
        (&at_the_start["partial"], &at_the_start["missing"]),
        (&false.into(), &Value::Array(vec![]))
    );
    assert_eq!(at_the_start["totals"]["value_base"], "10000");
}

#[test]
fn example_b_leaves_512_canadian_dollars() {
    let home = Home::new();
    home.ok(&["import", &example("example_b.csv"), &example("example_b_prices.csv")]);
    let report = home.json(&["report", "accounts"]);
    assert_eq!(keys(&report), sorted("schema as_of currency partial missing rows totals"));
    assert_eq!(report["schema"], "dashtam.report.accounts/1");
    assert_eq!(report["currency"], "USD");
    // 1000 - 505 + 17: the dividend's amount is what was received.
    assert_eq!(report["rows"][0]["cash"], serde_json::json!({ "CAD": "512" }));
    let dividend = home.transactions().pop().unwrap();
    assert_eq!((&dividend["amount"], &dividend["tax"]), (&"17".into(), &"3".into()));
}

#[test]
fn the_import_document_has_its_promised_shape() {
    let home = Home::new();
    let wrong = home.rows(
        "wrong.csv",
        &[
            "2024-01-02,A,DEPOSIT,,,,,USD,5",
            "2024-01-03,A,DEPOSIT,,,,,USD,-5",
            "x,A,FEE,,,,,USD,-1",
        ],
    );
    let right = home.rows("right.csv", &["2024-01-02,A,DEPOSIT,,,,,USD,5"]);
    let ran = home.run(&["import", &right, &wrong, "--json"]);
    assert_eq!(ran.code, Some(3));
    let document = document(&ran.out);
    assert_eq!(keys(&document), ["batch", "files", "schema"]);
    assert_eq!(document["schema"], "dashtam.import/1");
    assert!(document["batch"].is_i64());
    let [first, second] = document["files"].as_array().unwrap().as_slice() else { panic!() };
    for file in [first, second] {
        assert_eq!(
            keys(file),
            sorted(
                "path format rows new duplicate changed conflict conflicts refused refused_total"
            )
        );
        assert_eq!(file["format"], "neutral");
    }
    assert_eq!((&first["path"], &first["new"]), (&right.as_str().into(), &1.into()));
    assert_eq!((&second["rows"], &second["new"]), (&3.into(), &0.into()));
    let refused = second["refused"].as_array().unwrap();
    assert_eq!((refused.len(), &second["refused_total"]), (2, &2.into()));
    assert_eq!(keys(&refused[0]), ["column", "line", "why"]);
    assert_eq!((&refused[0]["line"], &refused[0]["column"]), (&3.into(), &"amount".into()));
    assert_eq!((&refused[1]["line"], &refused[1]["column"]), (&4.into(), &"date".into()));
    assert_eq!(home.transactions().len(), 1);
}

#[test]
fn a_file_is_stored_whole_or_not_at_all_unless_partial() {
    let home = Home::new();
    let wrong = home.rows(
        "wrong.csv",
        &["2024-01-02,A,DEPOSIT,,,,,USD,5", "2024-01-03,A,DEPOSIT,,,,,USD,five"],
    );
    let ran = home.run(&["import", &wrong]);
    assert_eq!(ran.code, Some(2), "every file was refused: {ran:?}");
    assert!(ran.out.contains("1 refused"), "{ran:?}");
    assert!(ran.err.contains(&format!("{wrong}: line 3, column amount: ")), "{ran:?}");
    assert!(!ran.out.contains("undo"), "{ran:?}");
    assert_eq!(home.transactions().len(), 0);
    let ran = home.run(&["import", &wrong, "--partial"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(home.transactions().len(), 1);
}

#[test]
fn refused_rows_that_are_not_told_one_by_one_are_counted() {
    let home = Home::new();
    let mut rows = vec!["2024-01-03,A,DEPOSIT,,,,,USD,five"; 1_500];
    rows.push("2024-01-02,A,DEPOSIT,,,,,USD,5");
    let ran = home.run(&["import", &home.rows("wrong.csv", &rows), "--partial", "--json"]);
    assert_eq!(ran.code, Some(3), "{:?}", ran.code);
    let file = document(&ran.out)["files"][0].clone();
    assert_eq!((&file["refused_total"], &file["new"]), (&1_500.into(), &1.into()));
    assert_eq!(file["refused"].as_array().unwrap().len(), 1_000);
    assert!(ran.err.ends_with("wrong.csv: and 500 more refused rows\n"), "{}", ran.err);
}

#[test]
fn a_file_of_nothing_but_a_header_and_one_of_mixed_lines_are_refused() {
    let home = Home::new();
    let prices = "date,symbol,close,currency";
    for (text, place) in [
        (format!("{HEADER}\n"), "line 2, column date: "),
        (format!("{prices}\n"), "line 2, column date: "),
        (
            format!(
                "{HEADER}\r\n2024-01-02,A,DEPOSIT,,,,,USD,5\r2024-01-03,A,DEPOSIT,,,,,USD,6\r\n"
            ),
            "line 2, column amount: ",
        ),
        (format!("{HEADER},note\n2024-01-02,A,DEPOSIT,,,,,USD,5,a\0b\n"), "line 2, column note: "),
    ] {
        let ran = home.run(&["import", &home.file("wrong.csv", &text)]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(place), "{ran:?}");
    }
    assert_eq!(home.json(&["import", "list"])["rows"], Value::Array(vec![]));
}

#[test]
fn an_export_never_goes_into_a_file_of_the_store() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let before = home.canonical();
    symlink(home.data(), home.path("other")).unwrap();
    fs::create_dir(home.data().join("kept")).unwrap();
    let own = [
        "data/dashtam.db",
        "data/kept/../dashtam.db",
        "other/dashtam.db",
        "data/dashtam.db-wal",
        "data/dashtam.db-journal",
        "data/dashtam.lock",
        "data/audit.db",
        "data/log/out.csv",
    ];
    for path in own {
        let ran = home.run(&["export", "--force", "--out", path]);
        ran.refused(2, "belongs to the store");
    }
    assert_eq!(home.canonical(), before);
    home.ok(&["export", "--out", "data/kept/out.csv"]);
    home.ok(&["export", "--out", "other/out.csv"]);
    // A store may be anywhere.
    let database = format!("sqlite:{}", home.path("here.db").display());
    home.ok(&["--database", &database, "import", &example("example_a.csv")]);
    home.run(&["--database", &database, "export", "--force", "--out", "here.db"])
        .refused(2, "belongs to the store");
}

#[test]
fn a_store_beside_which_nothing_can_be_made_is_read_all_the_same() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let before = home.json(&["report", "accounts"]);
    // SQLite shares a file of this name among its readers.
    fs::DirBuilder::new().mode(0o700).create(home.data().join("dashtam.db-shm")).unwrap();
    assert_eq!(home.json(&["report", "accounts"]), before);
    assert_eq!(home.json(&["report", "accounts", "--read-only"]), before);
    let refused = home.say("txn delete 3");
    refused.refused(7, "data/dashtam.db");
    assert!(!refused.err.contains("server"), "{refused:?}");
}

#[test]
fn what_cannot_be_locked_is_named_as_what_it_is() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let lock = home.data().join("dashtam.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    home.say("export").refused(7, "dashtam.lock: cannot be locked for writing");
    home.ok(&["export", "--read-only"]);
}

#[test]
fn a_word_too_many_is_not_repeated_as_a_whole() {
    let home = with_broker();
    let long = "x".repeat(100_000);
    let add = ["txn", "add", "--account", "Broker", "--date", "2024-01-02", "--type"];
    let file = home.rows("wrong.csv", &["2024-01-02,A,BOUGHT,,,,,USD,5"]);
    let report = ["report", "holdings", "--explain"];
    for (line, word) in [
        ([&add[..], &["deposit", "--amount", "5", "--note", &long]].concat(), "4096"),
        ([&add[..], &[&long]].concat(), "--type"),
        ([&add[..], &["bought"]].concat(), "--type"),
        ([&report[..], &[&long]].concat(), "128"),
        (vec!["account", "close", &long], "128"),
    ] {
        let ran = home.run(&line);
        assert_eq!(ran.code, Some(2), "{}", ran.err.len());
        assert!(ran.err.contains(word), "{}", ran.err.len());
        assert!(ran.err.trim_end().chars().count() <= 200, "{}", ran.err);
    }
    let ran = home.run(&["import", &file]);
    let said = ran.err.lines().next().unwrap().replace(&file, "wrong.csv");
    assert!(said.contains("`BOUGHT` is no type") && said.contains(" buy"), "{said}");
    assert!(said.chars().count() <= 200, "{said}");
}

#[test]
fn one_refused_file_among_others_is_a_partial_import() {
    let home = Home::new();
    let right = home.rows("right.csv", &["2024-01-02,A,DEPOSIT,,,,,USD,5"]);
    let binary = home.path("image.png");
    fs::write(&binary, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    let binary = binary.to_str().unwrap();
    let ran = home.run(&["import", &right, binary, &example("example_a.csv")]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(home.transactions().len(), 6);
    let alone = home.run(&["import", binary, "--json"]);
    assert_eq!(alone.code, Some(2));
    assert_eq!(document(&alone.out)["batch"], Value::Null);
    assert_eq!(document(&alone.out)["files"][0]["format"], Value::Null);
    home.run(&["import", "absent.csv"]).refused(2, "absent.csv");
}

#[test]
fn a_trial_run_shows_and_stores_nothing() {
    let home = Home::new();
    home.ok(&["import", &example("example_b.csv")]);
    let before = (home.canonical(), home.json(&["import", "list"]));
    let ran = home.run(&["import", &example("example_a.csv"), "--dry-run", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let trial = document(&ran.out);
    assert_eq!((&trial["batch"], &trial["files"][0]["new"]), (&Value::Null, &5.into()));
    let plain = home.ok(&["import", &example("example_a.csv"), "--dry-run"]);
    assert!(plain.contains("5 new") && plain.contains("nothing was stored"), "{plain}");
    assert_eq!((home.canonical(), home.json(&["import", "list"])), before);
}

#[test]
fn the_same_rows_are_duplicates() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let before = home.canonical();
    let again = home.json(&["import", &example("example_a.csv")]);
    let file = &again["files"][0];
    assert_eq!((&file["new"], &file["duplicate"]), (&0.into(), &5.into()));
    assert_eq!(home.canonical(), before);
}

#[test]
fn what_contradicts_a_stored_row_waits_for_a_word() {
    let home = Home::new();
    let with_id = |amount: &str| format!("{HEADER},id\n2024-01-02,A,DEPOSIT,,,,,USD,{amount},n1\n");
    let first = home.file("first.csv", &with_id("5"));
    let second = home.file("second.csv", &with_id("6"));
    home.ok(&["import", &first]);
    let ran = home.run(&["import", &second]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.out.contains("1 conflict"), "{ran:?}");
    assert!(ran.err.contains("--accept-changes") && ran.err.contains("--partial"), "{ran:?}");
    let ran = home.run(&["import", &second, "--json"]);
    let conflict = &document(&ran.out)["files"][0]["conflicts"][0];
    assert_eq!(keys(conflict), ["column", "line", "why"]);
    assert_eq!((&conflict["line"], &conflict["column"]), (&2.into(), &"id".into()));
    assert!(conflict["why"].as_str().unwrap().contains("the amount"), "{conflict}");
    assert_eq!(home.account("A")["cash"]["USD"], "5");
    let ran = home.run(&["import", &second, "--accept-changes", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(document(&ran.out)["files"][0]["changed"], 1);
    assert_eq!(home.account("A")["cash"]["USD"], "6");
}

#[test]
fn an_import_is_taken_back() {
    let home = Home::new();
    home.ok(&["import", &example("example_b.csv")]);
    let before = home.canonical();
    let batch = home.json(&["import", &example("example_a.csv")])["batch"].to_string();
    let list = home.json(&["import", "list"]);
    assert_eq!(list["schema"], "dashtam.import.list/1");
    let newest = &list["rows"][1];
    assert_eq!((newest["batch"].to_string(), &newest["undone"]), (batch.clone(), &Value::Null));
    assert_eq!(newest["files"][0]["new"], 5);
    assert!(newest["created"].as_str().unwrap().ends_with('Z'));

    let undone = home.json(&["import", "undo", &batch]);
    assert_eq!(keys(&undone), ["batch", "kept", "removed", "restored", "schema"]);
    assert_eq!(undone["schema"], "dashtam.import.undo/1");
    assert_eq!((&undone["removed"], &undone["kept"]), (&5.into(), &Value::Array(vec![])));
    assert_eq!(home.transactions().len(), 3);
    let transactions = |dump: &str| -> Vec<String> {
        let lines = dump.lines().filter(|line| line.starts_with("transaction "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(transactions(&home.canonical()), transactions(&before));
    home.run(&["import", "undo", &batch]).refused(2, "already");
    home.run(&["import", "undo", "999999"]).refused(2, "import list");
    assert!(home.json(&["import", "list"])["rows"][1]["undone"].is_string());
    // What was taken back comes again when it is imported again.
    assert_eq!(home.json(&["import", &example("example_a.csv")])["files"][0]["new"], 5);
}

#[test]
fn prices_that_are_taken_back_are_counted() {
    let home = Home::new();
    let prices = |rows: &str| format!("date,symbol,close,currency\n{rows}");
    let first =
        prices("2024-01-02,sec:X,1,USD\n2024-01-03,sec:X,2,USD\n2024-01-02,fx:CAD,0.7,USD\n");
    let second = prices(
        "2024-01-02,sec:X,5,USD\n2024-01-03,sec:X,2,USD\n2024-01-04,sec:X,3,USD\n2024-01-02,fx:CAD,0.8,USD\n2024-01-03,fx:CAD,0.8,USD\n",
    );
    home.ok(&["import", &home.file("1.csv", &first)]);
    let before = home.canonical();
    home.ok(&["import", &home.file("2.csv", &second)]);
    let undone = home.json(&["import", "undo", "2"]);
    assert_eq!((&undone["removed"], &undone["restored"]), (&2.into(), &2.into()));
    assert_eq!(home.canonical(), before);
    let undone = home.json(&["import", "undo", "1"]);
    assert_eq!((&undone["removed"], &undone["restored"]), (&3.into(), &0.into()));
}

#[test]
fn a_row_edited_since_is_named_and_kept() {
    let home = Home::new();
    let file = home.rows("a.csv", &["2024-01-02,A,DEPOSIT,,,,,USD,5"]);
    let batch = home.json(&["import", &file])["batch"].to_string();
    let id = home.transactions()[0]["id"].to_string();
    home.ok(&["txn", "edit", &id, "--description", "mine"]);
    let undone = home.json(&["import", "undo", &batch]);
    assert_eq!(undone["removed"], 0);
    assert!(undone["kept"][0].as_str().unwrap().contains(&id), "{undone}");
    assert_eq!(home.transactions().len(), 1);
}

#[test]
fn a_file_may_be_called_like_a_command() {
    let home = Home::new();
    home.rows("list", &["2024-01-02,A,DEPOSIT,,,,,USD,5"]);
    home.rows("undo", &["2024-01-03,A,DEPOSIT,,,,,USD,6"]);
    let document = home.json(&["import", "./list", "./undo"]);
    assert_eq!(document["files"].as_array().unwrap().len(), 2);
    assert_eq!(home.transactions().len(), 2);
    home.say("import ./list --dry-run list").refused(2, "./list");
}

#[test]
fn flags_of_an_import_do_what_they_say() {
    let home = Home::new();
    let file = home.rows("a.csv", &["2024-01-02,Elsewhere,DEPOSIT,,,,,USD,5"]);
    let strict = home.run(&["import", &file, "--strict"]);
    assert_eq!(strict.code, Some(2), "{strict:?}");
    assert!(strict.err.contains("line 2, column account"), "{strict:?}");
    home.ok(&["account", "add", "Mine", "--kind", "savings", "--currency", "USD"]);
    home.ok(&["import", &file, "--strict", "--account", "Mine", "--format", "auto"]);
    assert_eq!(home.account("Mine")["cash"]["USD"], "5");
    let as_prices = home.run(&["import", &file, "--format", "prices"]);
    assert_eq!(as_prices.code, Some(2), "{as_prices:?}");
    home.say("import a.csv --format ofx").refused(2, "neutral");
}

#[test]
fn an_export_comes_back_as_it_was() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv"), &example("example_a_prices.csv")]);
    home.ok(&["import", &example("example_b.csv"), &example("example_b_prices.csv")]);
    let dump = home.canonical();
    let transactions = home.ok(&["export"]);
    assert!(
        transactions.starts_with("date,account,type,symbol,quantity,price,fee,currency,amount")
    );
    let prices = home.ok(&["export", "--what", "prices"]);
    assert!(
        prices.contains("2024-03-28,sec:X") && prices.contains("2024-01-31,fx:CAD"),
        "{prices}"
    );

    let neutral = Home::new();
    let files = [neutral.file("t.csv", &transactions), neutral.file("p.csv", &prices)];
    neutral.ok(&["import", &files[0], &files[1]]);
    assert_eq!(neutral.canonical(), dump);

    home.ok(&["settings", "set", "base_currency", "CAD"]);
    home.ok(&[
        "account",
        "add",
        "House",
        "--kind",
        "other",
        "--currency",
        "USD",
        "--mode",
        "balances",
    ]);
    home.ok(&["account", "edit", "House", "--balance", "620000", "--date", "2024-01-31"]);
    let json = Home::new();
    let whole = json.file("all.json", &home.ok(&["export", "--format", "json"]));
    json.ok(&["import", &whole]);
    assert_eq!(json.canonical(), home.canonical());
    assert_ne!(home.canonical(), dump);
}

#[test]
fn prices_that_a_neutral_file_cannot_hold_are_told() {
    let home = Home::new();
    let days = "date,symbol,close,currency\n2024-01-02,sec:X,1,USD\n2024-01-03,sec:X,2,USD\n";
    home.ok(&["import", &home.file("p.csv", days)]);
    let prices = |home: &Home| home.say("export --what prices");
    let ran = prices(&home);
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (3, ""));
    let whole = home.ok(&["export", "--format", "json"]);
    let hours = whole.replacen("\"interval\":\"1d\"", "\"interval\":\"1h\"", 1);
    assert_ne!(hours, whole);
    let other = Home::new();
    other.ok(&["import", &other.file("hours.json", &hours)]);
    let ran = prices(&other);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 2));
    assert!(ran.err.starts_with("dashtam: 1 prices") && ran.err.contains("json"), "{}", ran.err);
}

#[test]
fn an_export_into_a_file_is_private_and_careful() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    assert_eq!(home.ok(&["export", "--out", "a.csv"]), "");
    let path = home.path("a.csv");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap(), home.ok(&["export"]));

    fs::write(&path, "precious").unwrap();
    home.say("export --out a.csv").refused(2, "--force");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    home.ok(&["export", "--out", "a.csv", "--force"]);
    assert_ne!(fs::read_to_string(&path).unwrap(), "precious");

    fs::write(&path, "precious").unwrap();
    symlink(&path, home.path("link.csv")).unwrap();
    home.say("export --out link.csv --force").refused(2, "link");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

// ---- single changes

#[test]
fn an_account_lives_from_add_to_close() {
    let home = Home::new();
    let add = ["account", "add", "Broker", "--kind", "brokerage", "--currency", "USD"];
    let more = ["--institution", "Big Bank", "--method", "lifo"];
    let added = home.json(&[add.as_slice(), &more].concat());
    assert_eq!(keys(&added), sorted("schema revision account transactions security"));
    assert_eq!(added["schema"], "dashtam.change/1");
    assert!(added["account"].is_i64());
    home.run(&add).refused(2, "already");

    let row = home.json(&["account", "list"])["rows"][0].clone();
    assert_eq!(
        keys(&row),
        sorted("id name kind class mode method institution currency closed performance")
    );
    assert_eq!((&row["name"], &row["institution"]), (&"Broker".into(), &"Big Bank".into()));
    assert_eq!((&row["method"], &row["mode"]), (&"lifo".into(), &"ledger".into()));

    home.ok(&["account", "edit", "Broker", "--kind", "tfsa", "--currency", "CAD"]);
    let row = home.account("Broker");
    assert_eq!((&row["kind"], &row["currency"]), (&"tfsa".into(), &"CAD".into()));

    let counts = || home.json(&["account", "list"])["rows"][0]["performance"].clone();
    assert_eq!(counts(), "yes", "it invests");
    home.ok(&["account", "edit", "Broker", "--performance", "no"]);
    assert_eq!(counts(), "no");
    let canonical = home.ok(&["export", "--format", "canonical"]);
    assert!(canonical.contains(" performance=no\n"), "{canonical}");
    home.say("account edit Broker --performance maybe").refused(2, "yes no");

    home.ok(&["account", "rename", "Broker", "Depot"]);
    assert_eq!(home.account("Broker")["name"], "Depot", "the old name still leads there");
    home.run(&["account", "rename", "Nobody", "Depot"]).refused(2, "Nobody");

    home.ok(&["account", "close", "Depot", "--date", "2024-02-02"]);
    assert_eq!(home.json(&["account", "list"])["rows"][0]["closed"], "2024-02-02");
    let shown = |flags: &[&str]| {
        let line = [["report", "accounts", "--as-of", "2024-03-01"].as_slice(), flags].concat();
        home.json(&line)["rows"].as_array().unwrap().len()
    };
    assert_eq!((shown(&[]), shown(&["--closed"])), (0, 1));
    home.ok(&["account", "edit", "Depot", "--reopen"]);
    assert_eq!(shown(&[]), 1);
}

#[test]
fn a_balance_is_stated_for_a_day() {
    let home = Home::new();
    home.ok(&[
        "account",
        "add",
        "House",
        "--kind",
        "other",
        "--currency",
        "USD",
        "--mode",
        "balances",
    ]);
    home.ok(&[
        "account",
        "add",
        "Loan",
        "--kind",
        "loan",
        "--currency",
        "USD",
        "--mode",
        "balances",
    ]);
    home.ok(&["account", "add", "Cash", "--kind", "checking", "--currency", "USD"]);
    home.ok(&["account", "edit", "House", "--balance", "620000.5", "--date", "2024-01-31"]);
    home.ok(&["account", "edit", "Loan", "--balance", "-250000", "--date", "2024-01-31"]);
    let report = home.json(&["report", "accounts", "--as-of", "2024-02-01"]);
    let value = |name: &str| {
        let rows = report["rows"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((value("House"), value("Loan")), ("620000.5".into(), "-250000".into()));
    assert_eq!(report["totals"]["value_base"], "370000.5");
    home.run(&["account", "edit", "Cash", "--balance", "1", "--date", "2024-01-31"])
        .refused(2, "ledger mode");
    home.say("account edit House --balance 1").refused(2, "--date");
    home.say("account edit House").refused(2, "--kind");
}

#[test]
fn two_accounts_become_one() {
    let home = Home::new();
    let rows = ["2024-01-02,A,DEPOSIT,,,,,USD,10", "2024-01-03,B,DEPOSIT,,,,,USD,20"];
    let file = home.rows("two.csv", &rows);
    home.ok(&["import", &file]);
    home.run(&["account", "merge", "A", "A"]).refused(2, "itself");
    home.ok(&["account", "merge", "A", "B"]);
    assert_eq!(home.json(&["account", "list"])["rows"].as_array().unwrap().len(), 1);
    assert_eq!(home.account("B")["cash"]["USD"], "30");
}

/// A store with one account, ready for rows by hand.
fn with_broker() -> Home {
    let home = Home::new();
    home.ok(&["account", "add", "Broker", "--kind", "brokerage", "--currency", "USD"]);
    home
}

fn add(home: &Home, rest: &str) -> Vec<String> {
    let line = format!("txn add --account Broker {rest}");
    let added = home.json(&line.split(' ').collect::<Vec<_>>());
    let ids = added["transactions"].as_array().unwrap();
    ids.iter().map(Value::to_string).collect()
}

#[test]
fn a_transaction_by_hand_is_computed_checked_and_shown() {
    let home = with_broker();
    add(&home, "--date 2024-01-02 --type deposit --amount 1000");
    add(&home, "--date 2024-01-03 --type BUY --symbol NVDA --quantity 2 --price 100.50 --fee 1");
    add(&home, "--date 2024-01-04 --type withdrawal --amount -250.25");
    let rows = home.transactions();
    let buy = &rows[1];
    assert_eq!(
        keys(buy),
        sorted(
            "id account date settlement kind subtype status symbol quantity price fee tax currency \
             amount description category source linked by_day_rate"
        )
    );
    // -(2 x 100.50) - 1; the currency is the account's.
    assert_eq!((&buy["amount"], &buy["currency"]), (&"-202".into(), &"USD".into()));
    assert_eq!((&buy["kind"], &buy["subtype"]), (&"trade".into(), &"buy".into()));
    assert_eq!((&buy["quantity"], &buy["price"]), (&"2".into(), &"100.5".into()));
    assert_eq!((&buy["status"], &buy["source"]), (&"settled".into(), &"hand".into()));
    assert_eq!((&buy["tax"], &buy["settlement"]), (&Value::Null, &Value::Null));
    // 1000 - 202 - 250.25
    assert_eq!(home.account("Broker")["cash"]["USD"], "547.75");

    let before = home.canonical();
    for (wrong, word) in [
        ("--date 2024-01-05 --type withdrawal --amount 5", "amount"),
        ("--date 2024-01-05 --type buy --symbol NVDA --price 5", "quantity"),
        (
            "--date 2024-01-05 --type buy --symbol NVDA --quantity 2 --price 5.00 --amount -11",
            "agree",
        ),
        ("--date 2024-01-05 --type split --symbol NVDA", "ratio"),
    ] {
        home.say(&format!("txn add --account Broker {wrong}")).refused(2, word);
    }
    home.say("txn add --account Broken --date 2024-01-05 --type deposit --amount 5")
        .refused(2, "Broker");
    assert_eq!(home.canonical(), before);
}

#[test]
fn a_transaction_is_edited_deleted_and_brought_back() {
    let home = with_broker();
    let buy = add(
        &home,
        "--date 2024-01-03 --type buy --symbol NVDA --quantity 2 --price 100.5 --fee 1 --description x",
    );
    let id = buy[0].as_str();
    home.ok(&["txn", "edit", id, "--quantity", "3"]);
    // -(3 x 100.5) - 1
    assert_eq!(home.transactions()[0]["amount"], "-302.5");
    home.ok(&["txn", "edit", id, "--date", "2024-01-05", "--clear", "description"]);
    let row = home.transactions()[0].clone();
    assert_eq!((&row["date"], &row["description"]), (&"2024-01-05".into(), &Value::Null));
    assert_eq!(row["id"].to_string(), id, "the identity stays");
    home.run(&["txn", "edit", id]).refused(2, "nothing to change");
    home.say("txn edit 999999 --fee 1").refused(2, "999999");
    home.run(&["txn", "edit", id, "--clear", "account"]).refused(2, "amount");

    home.ok(&["txn", "delete", id]);
    assert_eq!(home.transactions().len(), 0);
    assert_eq!(home.account("Broker")["cash"], serde_json::json!({}));
    assert_eq!(home.run(&["txn", "delete", id]).code, Some(2));
    home.ok(&["txn", "delete", id, "--restore"]);
    assert_eq!(home.transactions(), [row]);
}

#[test]
fn rows_of_one_event_are_linked() {
    let home = with_broker();
    let first = add(&home, "--date 2024-01-02 --type deposit --amount 1").remove(0);
    let second = add(&home, "--date 2024-01-03 --type interest --amount 2").remove(0);
    home.say(&format!("txn link {first}")).refused(2, "2");
    let other = add(&home, "--date 2024-01-03 --type deposit --amount 2").remove(0);
    home.say(&format!("txn link {first} {other}")).refused(2, "comes to another");
    home.ok(&["txn", "delete", &other]);
    home.ok(&["txn", "link", &first, &second]);
    let linked = |home: &Home| {
        let rows = home.transactions();
        (rows[0]["linked"].to_string(), rows[1]["linked"].to_string())
    };
    assert_eq!(linked(&home), (format!("[{second}]"), format!("[{first}]")));
    home.ok(&["txn", "link", "--unlink", &first]);
    assert_eq!(linked(&home), ("[]".to_owned(), "[]".to_owned()));
    // The one that was left alone is no event either.
    assert!(!home.ok(&["export"]).contains("~hand:"));
}

#[test]
fn a_pair_that_was_taken_apart_is_proposed_again() {
    let home = with_broker();
    home.ok(&["account", "add", "Savings", "--kind", "savings", "--currency", "USD"]);
    let out = add(&home, "--date 2024-01-02 --type withdrawal --amount -250").remove(0);
    home.say("txn add --account Savings --date 2024-01-03 --type deposit --amount 250");
    let kinds = |home: &Home| -> Vec<String> {
        let report = home.json(&["report", "findings"]);
        let rows = report["rows"].as_array().unwrap().iter();
        rows.map(|row| row["kind"].as_str().unwrap().to_owned()).collect()
    };
    let proposed = kinds(&home);
    assert_eq!(proposed.len(), 1, "{proposed:?}");
    let mut ids = home.transactions().into_iter().map(|row| row["id"].to_string());
    let into = ids.find(|id| *id != out).unwrap();
    home.ok(&["txn", "link", &out, &into]);
    assert_eq!(kinds(&home), [""; 0]);
    home.ok(&["txn", "link", "--unlink", &into]);
    assert_eq!(kinds(&home), proposed);
}

#[test]
fn a_deleted_row_holds_nobody_in_its_event() {
    let home = with_broker();
    home.ok(&["account", "add", "Savings", "--kind", "savings", "--currency", "USD"]);
    add(&home, "--date 2024-01-02 --type withdrawal --amount -250");
    for amount in ["150", "100"] {
        home.say(&format!(
            "txn add --account Savings --date 2024-01-03 --type deposit --amount {amount}"
        ));
    }
    let rows = home.transactions();
    let id_of =
        |amount: &str| rows.iter().find(|row| row["amount"] == amount).unwrap()["id"].to_string();
    let (out, into, gone) = (id_of("-250"), id_of("150"), id_of("100"));
    home.ok(&["txn", "link", &out, &into, &gone]);
    home.ok(&["txn", "delete", &gone]);
    assert!(home.ok(&["export"]).contains("~hand:"));
    home.ok(&["txn", "link", "--unlink", &into]);
    assert!(!home.ok(&["export"]).contains("~hand:"));
}

#[test]
fn a_transfer_brings_its_other_side() {
    let home = with_broker();
    home.ok(&["account", "add", "Savings", "--kind", "savings", "--currency", "USD"]);
    add(&home, "--date 2024-01-02 --type withdrawal --amount -250 --to-account Savings");
    let rows = home.transactions();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["linked"].as_array().unwrap().len() == 1));
    assert_eq!(home.account("Broker")["cash"]["USD"], "-250");
    assert_eq!(home.account("Savings")["cash"]["USD"], "250");
}

#[test]
fn prices_and_rates_are_set_by_hand() {
    let home = with_broker();
    add(&home, "--date 2024-01-03 --type buy --symbol NVDA --quantity 2 --price 100");
    for line in [
        "price set NVDA --date 2024-01-04 --close 101.5 --currency USD --volume 7",
        "price set fx:CAD --date 2024-01-04 --close 0.75 --currency USD --source bank",
    ] {
        let set = home.json(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(set["schema"], "dashtam.change/1");
    }
    let prices = home.ok(&["export", "--what", "prices"]);
    assert!(prices.contains("2024-01-04,sec:NVDA,101.5,USD"), "{prices}");
    assert!(prices.contains("2024-01-04,fx:CAD,0.75,USD"), "{prices}");
    assert!(prices.contains("hand") && prices.contains("bank"), "{prices}");
    home.ok(&[
        "price",
        "set",
        "NVDA",
        "--date",
        "2024-01-04",
        "--close",
        "102",
        "--currency",
        "USD",
    ]);
    let prices = home.ok(&["export", "--what", "prices"]);
    assert!(prices.contains(",102,") && !prices.contains("101.5"), "one price per day: {prices}");
    home.say("price set fx:CAD --date 2024-01-04 --close -1 --currency USD").refused(2, "close");
    home.say("price set fx:XXY --date 2024-01-04 --close 1 --currency USD").refused(2, "symbol");
    home.say("price set NVDA --date 2024-01-04 --currency USD").refused(2, "--close");
}

#[test]
fn a_security_is_listed_and_edited() {
    let home = with_broker();
    add(&home, "--date 2024-01-03 --type buy --symbol NVDA --quantity 2 --price 100");
    home.ok(&["security", "edit", "NVDA", "--name", "Chips, Inc.", "--class", "equity"]);
    let list = home.json(&["security", "list"]);
    assert_eq!(list["schema"], "dashtam.security.list/1");
    let row = &list["rows"][0];
    assert_eq!(
        keys(row),
        sorted("id symbol name asset_class currency venue isin cusip figi sector region tags")
    );
    assert_eq!((&row["name"], &row["asset_class"]), (&"Chips, Inc.".into(), &"equity".into()));
    home.ok(&["security", "edit", "NVDA", "--clear", "name", "--symbol", "CHIP"]);
    let row = home.json(&["security", "list"])["rows"][0].clone();
    assert_eq!((&row["name"], &row["symbol"]), (&Value::Null, &"CHIP".into()));
    assert_eq!(home.transactions()[0]["symbol"], "CHIP");
    home.say("security edit NOPE --name x").refused(2, "NOPE");
    home.say("security edit CHIP --name x --clear name").refused(2, "--clear");
    home.say("security edit CHIP --isin US0378331006").refused(2, "ISIN");
}

#[test]
fn settings_have_defaults_and_are_chosen() {
    let home = Home::new();
    home.ok(&["migrate"]);
    assert_eq!(home.ok(&["settings", "get", "base_currency"]), "USD\n");
    let ran = home.say("settings get tax_currency");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(ran.err.contains("base_currency"));
    home.ok(&["settings", "set", "base_currency", "CAD"]);
    home.ok(&["settings", "set", "risk_free_rate", "-0.010"]);
    let list = home.json(&["settings", "list"]);
    assert_eq!(list["schema"], "dashtam.settings/1");
    let row = |key: &str| {
        let rows = list["rows"].as_array().unwrap();
        rows.iter().find(|row| row["key"] == key).unwrap().clone()
    };
    assert_eq!(row("base_currency")["value"], "CAD");
    assert_eq!(
        (&row("base_currency")["chosen"], &row("fee_treatment")["chosen"]),
        (&true.into(), &false.into())
    );
    assert_eq!(row("risk_free_rate")["value"], "-0.01");
    assert_eq!(row("tax_currency")["value"], Value::Null);
    let one = home.json(&["settings", "get", "base_currency"]);
    assert_eq!(one["rows"].as_array().unwrap().len(), 1);
    home.say("settings set base_currency DEM").refused(2, "current currency");
    assert_eq!(home.json(&["report", "accounts"])["currency"], "CAD");
}

// ---- reports

#[test]
fn transactions_come_in_parts() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let all = home.json(&["report", "transactions", "--as-of", "2024-12-31"]);
    assert_eq!(keys(&all), sorted("schema as_of currency partial missing rows totals next"));
    assert_eq!(all["schema"], "dashtam.report.transactions/1");
    assert_eq!((&all["as_of"], &all["next"]), (&"2024-12-31".into(), &Value::Null));
    let mut parts = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..10 {
        let mut line = vec!["report", "transactions", "--limit", "2"];
        if let Some(after) = &after {
            line.extend(["--after", after.as_str()]);
        }
        let page = home.json(&line);
        parts.extend(page["rows"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(Value::Array(parts), all["rows"]);
    let plain = home.say("report transactions --limit 2");
    assert_eq!(plain.code, Some(0));
    assert!(plain.err.contains("--after"), "{plain:?}");
    home.say("report transactions --after nonsense").refused(2, "--after");
}

#[test]
fn transactions_are_chosen_by_account_currency_and_days() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv"), &example("example_b.csv")]);
    let count = |line: &str| {
        let words = format!("report transactions {line}");
        let report = home.json(&words.trim().split(' ').collect::<Vec<_>>());
        report["rows"].as_array().unwrap().len()
    };
    assert_eq!(count(""), 8);
    assert_eq!(count("--currency CAD"), 3);
    assert_eq!(count("--from 2024-02-01"), 3);
    assert_eq!(count("--to 2024-01-31"), 5);
    assert_eq!(count("--as-of 2024-01-31"), 5);
    assert_eq!(count("--from 2024-01-31 --to 2024-02-01"), 2);
    let of_b = home.json(&["report", "transactions", "--account", "Example B"]);
    assert_eq!(of_b["rows"].as_array().unwrap().len(), 3);
    home.say("report transactions --account Nobody").refused(2, "Nobody");
    home.say("report transactions --from 2024-02-01 --to 2024-01-01").refused(2, "--from");
    home.say("report transactions --to 2024-02-01 --as-of 2024-01-01").refused(2, "--as-of");
}

#[test]
fn csv_has_the_columns_of_the_document() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    for report in ["accounts", "transactions"] {
        let csv = home.ok(&["report", report, "--csv"]);
        let mut columns: Vec<_> = csv.lines().next().unwrap().split(',').collect();
        columns.sort_unstable();
        assert_eq!(columns, keys(&home.json(&["report", report])["rows"][0]), "{report}");
        assert!(csv.lines().count() >= 2);
    }
}

#[test]
fn data_and_remarks_go_different_ways() {
    let home = Home::new();
    home.ok(&["import", &example("example_a.csv")]);
    let ran = home.say("report accounts");
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with("account") && ran.out.contains("9953.00"), "{ran:?}");
    // What the securities are worth is not known, and that is a remark.
    assert!(ran.out.contains("partial") && !ran.out.contains("missing:"), "{ran:?}");
    assert!(ran.err.starts_with("missing: price of X in Example A on "), "{ran:?}");
    let report = home.json(&["report", "accounts"]);
    assert_eq!(report["partial"], true);
    assert_eq!(report["missing"][0]["what"], "price");
    assert_eq!(report["missing"][0]["security"], "X");
    // A total counts what is known, and the account that lacks something is named.
    assert_eq!(report["rows"][0]["value_base"], "9953");
    assert_eq!(report["missing"][0]["account"], "Example A");
    let holdings = home.json(&["report", "holdings"]);
    assert_eq!(holdings["rows"][0]["value_base"], Value::Null, "unknown is null, never 0");
}

#[test]
fn the_sample_portfolio_is_shown_and_goes() {
    let home = Home::new();
    let shown = home.run(&["--demo", "--as-of", "2026-11-20"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for figure in ["23877.87", "113089.23", "620000.00", "0.57505473", "4094.077"] {
        assert!(shown.out.contains(figure), "{figure}: {shown:?}");
    }
    let document = home.ok(&["--demo", "--as-of", "2026-11-20", "--json"]);
    let report: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(report["schema"], "dashtam.report.accounts/1");
    assert_eq!(report["rows"].as_array().unwrap().len(), 12);
    assert_eq!(tree(home.root.path()), Vec::<PathBuf>::new(), "nothing is left");
}

#[test]
fn a_data_folder_that_others_can_read_is_refused_even_for_a_look() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let run = |mode: u32| {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dashtam"));
        command.arg("--data-dir").arg(folder.path()).args(["account", "list"]);
        command.output().unwrap()
    };
    let ran = run(0o755);
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("chmod 700"));
    // Private again, there is only no database yet.
    assert_eq!(run(0o700).status.code(), Some(7));
}

// ---- what is said where something is wrong

#[test]
fn an_id_that_is_there_is_no_conflict_to_accept() {
    let home = Home::new();
    home.ok(&["account", "add", "A", "--kind", "checking", "--currency", "USD"]);
    let add =
        "txn add --account A --date 2024-01-02 --type deposit --amount 5 --currency USD --id zz";
    assert_eq!(home.say(add).code, Some(0));
    let again = home.say(add);
    again.refused(2, "txn edit");
    assert!(!again.err.contains("accept"), "{again:?}");
}

#[test]
fn securities_that_differ_by_their_isin_are_told_apart_by_it() {
    let home = Home::new();
    let row = |isin: &str| format!("2024-01-02,A,BUY,AAPL,1,9,,USD,,{isin}\n");
    let rows = row("US0378331005") + &row("AU0000XVGZA3");
    home.ok(&["import", &home.file("twins.csv", &format!("{HEADER},isin\n{rows}"))]);
    let add = |symbol: &str| {
        home.say(&format!(
            "txn add --account A --date 2024-01-03 --type buy --symbol {symbol} --quantity 1 \
             --price 9 --currency USD"
        ))
    };
    let twins = add("AAPL");
    twins.refused(2, "ISIN US0378331005");
    assert!(twins.err.contains("ISIN AU0000XVGZA3"), "{twins:?}");
    assert_eq!(add("AU0000XVGZA3").code, Some(0));
    home.run(&["security", "edit", "AAPL", "--name", "N"]).refused(2, "id:");
}

#[test]
fn what_cannot_be_opened_says_what_to_do() {
    let home = Home::new();
    let database = format!("sqlite:{}", home.path("no/y.db").display());
    home.run(&["--database", &database, "migrate"]).refused(2, "cannot create the database file");
    home.run(&["import", "absent.csv"]).refused(2, "check the name");
}

#[test]
fn a_server_that_does_not_listen_is_told_at_once() {
    let home = Home::new();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let database = format!("postgres://u@{address}/d?sslmode=disable");
    let begun = std::time::Instant::now();
    home.run(&["--database", &database, "migrate"]).refused(7, "refused");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn income_must_agree_with_its_own_figures() {
    let home = Home::new();
    home.ok(&["import", &home.rows("right.csv", &["2024-01-02,A,DIVIDEND,X,10,0.5,,USD,"])]);
    assert_eq!(home.account("A")["cash"]["USD"], "5");
    let wrong = home.rows("wrong.csv", &["2024-01-03,A,DIVIDEND,X,10,0.5,,USD,7"]);
    let ran = home.run(&["import", &wrong]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("line 2, column amount: 7 does not agree with 5"), "{ran:?}");
}

#[test]
fn metals_and_test_codes_are_no_money_and_it_is_said() {
    let home = Home::new();
    for code in ["XAU", "XTS"] {
        home.run(&["account", "add", "A", "--kind", "checking", "--currency", code])
            .refused(2, "hold it as a security");
    }
}

// ---- the log

/// The lines of the log, each a document.
fn logged(home: &Home) -> Vec<Value> {
    let files = tree(&home.data().join("log"));
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for canary in ["47110815", "Canary", "canary", "CNRY"] {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_command_leaves_lines_that_tell_what_it_did_and_nothing_of_the_portfolio() {
    let home = Home::new();
    let rows =
        ["2024-01-02,Canary,DEPOSIT,,,,,USD,47110815.25", "2024-01-03,Canary,BUY,CNRY,1,9,,USD,"];
    let right = home.rows("canary.csv", &rows);
    home.ok(&["import", &right]);
    let lines = logged(&home);
    let of = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no {message} in {lines:?}"))["fields"].clone()
    };
    assert_eq!(of("start")["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(of("start")["engine"], "sqlite");
    assert!(of("store opened")["known"].is_string());
    assert_eq!(of("attempted")["action"], "import");
    assert_eq!(of("succeeded")["op"], of("attempted")["op"]);
    assert!(of("succeeded")["detail"].as_str().unwrap().contains("new=2"));
    assert_eq!((&of("file")["rows"], &of("file")["new"]), (&"2".into(), &"2".into()));
    assert_eq!(of("end")["code"], "0");

    home.ok(&["account", "add", "Canary Two", "--kind", "checking", "--currency", "USD"]);
    let wrong = home.rows("wrong.csv", &["2024-01-02,Canary,DEPOSIT,,,,,USD,-47110815.25"]);
    let ran = home.run(&["import", &wrong, "-vv"]);
    assert!(ran.err.contains("attempted") && ran.err.contains("refused"), "{ran:?}");
    home.run(&["account", "close", "Canary Three"]);
    home.ok(&["import", "undo", "1"]);
    let lines = logged(&home);
    let has = |message: &str| lines.iter().any(|line| line["message"] == message);
    for message in ["refused", "failed", "taken back", "the command could not be carried out"] {
        assert!(has(message), "{message}: {lines:?}");
    }
}
