//! A6 and A7: what is kept, for how long, and how much of it.

use super::*;

#[tokio::test]
async fn what_is_seven_years_old_may_go_and_nothing_else() {
    for engine in engines().await {
        let (config, trail) = (&engine.config, trail_of(&engine.config, engine.folder()));
        let at = |text: &str| Clock::fixed(text.parse().unwrap(), chrono_tz::UTC);
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for time in ["2026-11-20T09:00:00Z", "2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z"] {
            let store = &engine.session.store;
            let audit = Audit::open(&trail, store, &at(time), place(&engine)).await.unwrap();
            operations(&audit, 2).await;
            audit.close().await;
        }
        let session =
            async |time: &str| Session::open(config, &at(time), Access::Write).await.unwrap();
        let purge = async |session: &Session, before: &str| {
            service::audit::purge(session, config, day(before), None).await
        };
        // A day too early nothing goes, whatever is asked for.
        let early = session("2033-11-20T23:59:59Z").await;
        for before in ["2026-11-21", "2033-11-20", "9999-12-31"] {
            let refused = purge(&early, before).await.unwrap_err();
            assert!(refused.to_string().contains("2026-11-20"), "{refused}");
        }
        assert_eq!(purge(&early, "2026-11-20").await.unwrap().records, 0);
        early.close().await;
        // Whole days, and only those.
        let late = session("2033-11-21T00:00:00Z").await;
        let before = late.audit().unwrap().rows().await.unwrap();
        assert_eq!(before.len(), 12 + 2);
        let gone = purge(&late, "2026-11-21").await.unwrap();
        assert_eq!((gone.records, gone.until), (8, Some(8)), "{}", engine.name);
        let left = late.audit().unwrap().rows().await.unwrap();
        assert_eq!(left[..6], before[8..]);
        let told = &left.last().unwrap().detail;
        assert!(
            told.starts_with("PURGED before=2026-11-21 records=8 seq=8 link=7 hash="),
            "{told}"
        );
        assert!(told.ends_with(&hex(&before[7].hash)));
        assert!(daily(&engine).iter().all(|file| !file.to_string_lossy().contains("2026-11-20")));
        let proof = service::audit::verify(&late, config, None, None).await.unwrap();
        assert_right(&proof, 6 + 2 + 1);
        assert_eq!(proof.purged, Some(8));
        // What the purge says is proved like everything else.
        let set =
            |word: &str| format!("update {{audit}} set detail = {} where seq = 16", text(word));
        let forged = told.replace("link=7", "link=6");
        forge(&engine, &[set(&forged)]).await;
        assert!(look(&engine).await.wrong > 0);
        forge(&engine, &[set(told)]).await;
        let again = purge(&late, "2026-11-22").await.unwrap_err();
        assert!(again.to_string().contains("7 years"), "{again}");
        late.close().await;
        // Once more, over the first one.
        let later = session("2041-01-01T00:00:00Z").await;
        assert!(purge(&later, "2034-01-01").await.unwrap().records > 6);
        let proof = service::audit::verify(&later, config, None, None).await.unwrap();
        assert_eq!(proof.wrong, 0, "{:?}", proof.faults);
        later.close().await;
        engine.close().await;
    }
}

#[tokio::test]
async fn a_chain_whose_key_was_lost_keeps_its_daily_files() {
    for engine in engines().await {
        let trail = trail_of(&engine.config, engine.folder());
        let at = |text: &str| Clock::fixed(text.parse().unwrap(), chrono_tz::UTC);
        for time in ["2026-11-20T09:00:00Z", "2026-11-21T09:00:00Z"] {
            let store = &engine.session.store;
            let audit = Audit::open(&trail, store, &at(time), place(&engine)).await.unwrap();
            operations(&audit, 2).await;
            audit.close().await;
            if time.starts_with("2026-11-20") {
                fs::remove_file(keys::key_file(&engine)).unwrap();
            }
        }
        let then = at("2033-11-22T09:00:00Z");
        let late = Session::open(&engine.config, &then, Access::Write).await.unwrap();
        let before = "2026-11-22".parse().unwrap();
        let gone = service::audit::purge(&late, &engine.config, before, None).await.unwrap();
        assert_eq!((gone.records, gone.until), (4, Some(8)), "the chain that goes on");
        let proof = look(&engine).await;
        assert_eq!((proof.records, proof.witnessed), (4 + 2, 4 + 2), "{proof:?}");
        assert_eq!((proof.wrong, proof.first_bad()), (1, Some(4)), "the key is gone: {proof:?}");
        late.close().await;
        engine.close().await;
    }
}

// A7.

/// As many records as seven years of five connections make.
#[tokio::test]
async fn seven_years_of_records_are_proved_in_a_minute() {
    let count: i64 = if is_full() { 2_450_000 } else { 3_000 };
    let home = Home::new();
    home.ok(&["account", "add", "A", "--kind", "checking", "--currency", "USD"]);
    // What comes next is in the key file, as whoever writes there knows.
    let key = fs::read_to_string(home.data().join("audit.key")).unwrap();
    let words: Vec<_> = key.trim_matches('\n').split(' ').map(str::to_owned).collect();
    let (number, chain, seq) = (&words[0], words[1].clone(), words[2].parse::<i64>().unwrap());
    let mut before = hash_in(&words[3]).unwrap();
    let mut key = ChainKey::parse(&words[4]).unwrap();
    let first: i64 = number.parse().unwrap();
    let trail = AuditTarget::Sqlite(home.data().join("audit.db"));
    let trail = AuditStore::open(&trail).await.unwrap();
    let mut tx = trail.begin().await.unwrap();
    for number in 0..count {
        let mut row = AuditRow {
            seq: seq + 1 + number,
            at: 1_800_000_000_000_000 + number * 90_000_000,
            op: format!("01890000-0000-7000-8000-{:012x}", number / 2),
            action: "refresh".to_owned(),
            state: if number % 2 == 0 { "ATTEMPTED" } else { "SUCCEEDED" }.to_owned(),
            actor: "host:1".to_owned(),
            subject: "connection".to_owned(),
            detail: "connection=3 new=0 changed=0".to_owned(),
            chain: chain.clone(),
            link: first + number,
            hash: Vec::new(),
        };
        before = key.sign(&before, &row);
        row.hash = before.to_vec();
        key = key.next();
        tx.insert(&row).await.unwrap();
    }
    tx.commit().await.unwrap();
    trail.close().await;
    // The first start heals the key and the daily files, the second one only looks.
    let begun = Instant::now();
    let patient = |line: &[&str]| {
        let mut command = home.command();
        command.timeout(Duration::from_mins(20)).args(line);
        Ran::of(&command.output().unwrap())
    };
    assert_eq!(patient(&["settings", "set", "base_currency", "CAD"]).code, Some(0));
    let healed = begun.elapsed();
    let begun = Instant::now();
    let mut command = std::process::Command::new(PROGRAM);
    command.args(["audit", "verify", "--json", "--read-only"]).stdout(Stdio::piped());
    command.env_clear().env("HOME", home.root.path()).env("DASHTAM_DATA_DIR", home.data());
    let mut child = command.spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.unwrap_or_default();
        let line = line.lines().find(|line| line.starts_with("VmHWM"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        most = most.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = begun.elapsed();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    let proof: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &proof["wrong"]), (Some(0), &0.into()), "{ran:?}");
    assert!(proof["records"].as_i64().unwrap() > count, "{proof}");
    assert_eq!(proof["records"], proof["in_daily_files"]);
    sum_up(&format!(
        "A7: {count} records healed in {healed:.1?}, proved in {took:.1?}, {most} KiB"
    ));
    if is_full() {
        assert!(took < Duration::from_mins(1) && most < 256 << 10, "{took:?}, {most} KiB");
    }
}
