//! A1, A2 and A5: failures, kills and many processes at once.

use super::*;

#[tokio::test]
async fn whatever_fails_leaves_an_attempt_and_one_outcome() {
    let times = if is_full() { 1000 } else { 60 };
    for engine in engines().await {
        let before = engine.dump().await;
        for number in 0..times {
            match number % 3 {
                0 => {
                    engine.try_edit(Change::UndoBatch(dashtam::model::BatchId(99))).await.map(drop)
                }
                1 => {
                    engine.try_import(&[("x.csv", b"date,account\nx,y\n")], |_| {}).await.map(drop)
                }
                _ => {
                    // Given up at some moment, as somebody does who presses a key.
                    let edit = engine
                        .try_edit(Change::DeleteTransaction(dashtam::model::TransactionId(7)));
                    let some = Duration::from_micros(50 * u64::try_from(number % 40).unwrap());
                    let _ = tokio::time::timeout(some, edit).await;
                    Ok(())
                }
            }
            .ok();
        }
        // What was given up goes on beside us, or is settled by the next start.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let engine = engine.reopen(Access::Write).await.unwrap();
        let rows = engine.session.audit().unwrap().rows().await.unwrap();
        let (attempts, outcomes): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.state == "ATTEMPTED");
        assert!(attempts.len() >= times * 2 / 3, "{} of {times}", attempts.len());
        assert_eq!(attempts.len(), outcomes.len(), "{}", engine.name);
        let exported = |row: &&AuditRow| row.action == "export";
        let wrong = outcomes.iter().filter(|row| !exported(row) && row.state != "FAILED");
        assert_eq!(wrong.count(), 0, "nothing was done");
        let records = rows.len();
        assert_right(&look(&engine).await, records);
        assert_eq!(engine.dump().await, before);
        sum_up(&format!("A1 on {}: {times} failures, {records} records", engine.name));
        engine.close().await;
    }
}

/// A statement on the store, as somebody makes it who owns it.
async fn on_store(engine: &Engine, sql: &'static str) {
    use dashtam::store::Store;
    match &engine.session.store {
        Store::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap(),
        Store::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop).unwrap(),
    }
}

/// The database itself refuses what is written, within the transaction: there are exactly as many
/// attempts as somebody tried, each with the outcome that nothing came of it.
#[tokio::test]
async fn what_the_database_refuses_is_told_each_time() {
    let times = if is_full() { 1000 } else { 60 };
    for engine in engines().await {
        let before = engine.dump().await;
        let records = engine.session.audit().unwrap().rows().await.unwrap().len();
        let (refuse, allow) = match engine.name {
            "sqlite" => (
                "create trigger refuse before insert on accounts \
                 begin select raise(abort, 'refused by a test'); end",
                "drop trigger refuse",
            ),
            _ => (
                "create function refuse_account() returns trigger language plpgsql as \
                 $$ begin raise exception 'refused by a test'; end $$; \
                 create trigger refuse before insert on accounts \
                 for each row execute function refuse_account()",
                "drop trigger refuse on accounts; drop function refuse_account()",
            ),
        };
        on_store(&engine, refuse).await;
        for number in 0..times {
            let account = NewAccount {
                name: SafeText::new(&format!("account {number}")),
                kind: AccountKind::Checking,
                currency: Currency::parse("USD").unwrap(),
                mode: Mode::Ledger,
                method: None,
                institution: None,
                closed: None,
                performance: None,
            };
            let refused = engine.try_edit(Change::AddAccount(account)).await.map(drop);
            let why = refused.unwrap_err().to_string();
            assert!(!why.contains("append-only"), "{why}");
        }
        let all = engine.session.audit().unwrap().rows().await.unwrap();
        let (attempts, outcomes): (Vec<_>, Vec<_>) =
            all[records..].iter().partition(|row| row.state == "ATTEMPTED");
        assert_eq!((attempts.len(), outcomes.len()), (times, times), "{}", engine.name);
        let ops: BTreeSet<_> = attempts.iter().map(|row| &row.op).collect();
        assert_eq!(ops.len(), times);
        let right = |row: &&&AuditRow| row.state == "FAILED" && ops.contains(&row.op);
        assert_eq!(outcomes.iter().filter(right).count(), times, "{}", engine.name);
        on_store(&engine, allow).await;
        assert_right(&look(&engine).await, all.len());
        assert_eq!(engine.dump().await, before);
        sum_up(&format!("A1 on {}: {times} refusals by the database, 0 wrong", engine.name));
        engine.close().await;
    }
}

/// After a crash a dashboard and a timer may begin at once: each finds the attempt open, one settles it,
/// and none fails for that.
#[tokio::test(flavor = "multi_thread")]
async fn several_starts_at_once_settle_an_attempt_once() {
    for engine in engines().await {
        let trail = trail_of(&engine.config, engine.folder());
        for round in 0..5 {
            let audit = engine.session.audit().unwrap();
            let left = audit.attempt("export", &format!("round={round}")).await.unwrap();
            let op = left.op().to_string();
            drop(left);
            let starts = (0..6).map(|_| {
                let (trail, store, clock) = (trail.clone(), engine.session.store.clone(), clock());
                let place = place(&engine);
                tokio::spawn(async move { Audit::open(&trail, &store, &clock, place).await })
            });
            for start in starts.collect::<Vec<_>>() {
                start.await.unwrap().unwrap().close().await;
            }
            let rows = audit.rows().await.unwrap();
            let states: Vec<_> = rows.iter().filter(|row| row.op == op).collect();
            assert_eq!(states.len(), 2, "{}: {states:?}", engine.name);
        }
        assert_eq!(look(&engine).await.wrong, 0);
        engine.close().await;
    }
}

/// Not a test by itself: what a process does that adds records among others.
#[tokio::test]
async fn helper_that_adds_records() {
    let Some(folder) = std::env::var_os("DASHTAM_AUDIT_HELPER") else { return };
    let count: usize = std::env::var("DASHTAM_AUDIT_COUNT").unwrap().parse().unwrap();
    let database = std::env::var("DASHTAM_AUDIT_DATABASE").ok().map(SecretString::from);
    let data_dir = Some(PathBuf::from(folder));
    let flags = Overrides { data_dir, database, ..Overrides::default() };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    let clock = Clock::system(chrono_tz::UTC);
    let session = Session::open(&config, &clock, Access::Write).await.unwrap();
    operations(session.audit().unwrap(), count / 2).await;
    session.close().await;
}

fn helper(folder: &Path, database: Option<&str>, count: usize) -> Child {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["many::helper_that_adds_records", "--exact"]).stdout(Stdio::null());
    command.env("DASHTAM_AUDIT_HELPER", folder).env("DASHTAM_AUDIT_COUNT", count.to_string());
    if let Some(database) = database {
        command.env("DASHTAM_AUDIT_DATABASE", database);
    }
    command.spawn().unwrap()
}

#[tokio::test]
async fn eight_processes_make_one_chain() {
    let each = if is_full() { 1000 } else { 60 };
    for (name, url) in [("sqlite", None), ("postgres", postgres_url())] {
        if name == "postgres" && url.is_none() {
            continue;
        }
        let home = Home::new();
        let url = url.map(|url| format!("{url}?sslmode=disable"));
        let folder = home.data();
        let begun = Instant::now();
        let mut all: Vec<_> = (0..8).map(|_| helper(&folder, url.as_deref(), each)).collect();
        for child in &mut all {
            assert!(child.wait().unwrap().success());
        }
        let took = begun.elapsed();
        let flags = Overrides {
            data_dir: Some(folder),
            database: url.map(SecretString::from),
            ..Overrides::default()
        };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
        let rows = session.audit().unwrap().rows().await.unwrap();
        assert_eq!(rows.len(), 8 * each, "{name}");
        assert!(rows.iter().zip(1..).all(|(row, seq)| row.seq == seq), "a gap on {name}");
        let proof = service::audit::verify(&session, &config, None, None).await.unwrap();
        assert_right(&proof, 8 * each + 1);
        session.close().await;
        sum_up(&format!("A5 on {name}: 8 processes, {} records, {took:.1?}", 8 * each));
        assert!(!is_full() || took < Duration::from_mins(1), "{took:?}");
    }
}

// A2.

/// Processes that are killed at any time while they write, on a machine with this store.
async fn killed(name: &str, url: Option<String>, times: usize) {
    let home = Home::new();
    let mut chance = Chance(11);
    let command = |line: &[&str]| {
        let mut command = std::process::Command::new(PROGRAM);
        command.env_clear().env("HOME", home.root.path()).env("TZ", "UTC");
        command.env("DASHTAM_DATA_DIR", home.data()).args(line);
        if let Some(url) = &url {
            command.env("DASHTAM_DATABASE_URL", url);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let line = ["account", "add", "first", "--kind", "checking", "--currency", "USD"];
    assert!(command(&line).status().unwrap().success());
    let begun = Instant::now();
    assert!(command(&["settings", "set", "base_currency", "CAD"]).status().unwrap().success());
    let healthy = usize::try_from(begun.elapsed().as_micros()).unwrap();
    let mut ended = 0;
    for number in 0..times {
        let account = format!("account {number}");
        let line = ["account", "add", &account, "--kind", "checking", "--currency", "USD"];
        let mut child = command(&line).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(u64::try_from(chance.below(healthy)).unwrap()));
        child.kill().unwrap();
        ended += usize::from(!child.wait().unwrap().success());
    }
    // The next start settles what they left.
    let flags = Overrides {
        data_dir: Some(home.data()),
        database: url.map(SecretString::from),
        ..Overrides::default()
    };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
    let rows = session.audit().unwrap().rows().await.unwrap();
    let mut outcomes: BTreeMap<&str, Vec<&AuditRow>> = BTreeMap::new();
    for row in &rows {
        let known = outcomes.entry(&row.op).or_default();
        if row.state != "ATTEMPTED" {
            known.push(row);
        }
    }
    let mut done = 0;
    for (op, outcome) in &outcomes {
        let [outcome] = outcome[..] else { panic!("{} outcomes of {op} on {name}", outcome.len()) };
        let applied = session.store.read().await.unwrap().is_applied(op).await.unwrap();
        assert_eq!(applied, outcome.state == "SUCCEEDED", "{outcome:?}");
        done += usize::from(applied);
    }
    let proof = service::audit::verify(&session, &config, None, None).await.unwrap();
    assert_right(&proof, rows.len() + 1);
    let accounts = session.store.read().await.unwrap().accounts().await.unwrap().len();
    assert_eq!(accounts + 1, done, "accounts and one setting");
    session.close().await;
    sum_up(&format!("A2 on {name}: {times} processes, {ended} killed, {} records", rows.len()));
}

#[tokio::test]
async fn a_kill_at_any_time_leaves_each_attempt_its_one_outcome() {
    let times = if is_full() { 500 } else { 12 };
    killed("sqlite", None, times).await;
    if let Some(url) = postgres_url() {
        killed("postgres", Some(format!("{url}?sslmode=disable")), times).await;
    }
}
