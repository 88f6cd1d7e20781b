//! A3: whatever is changed, taken away or put in is found, in the trail and beside it.

use super::chain::sign;
use super::*;

#[tokio::test]
async fn every_way_of_tampering_is_found_and_the_first_record_named() {
    let (times, cut) = if is_full() { (200, 50) } else { (12, 3) };
    for engine in engines().await {
        operations(engine.session.audit().unwrap(), if is_full() { 150 } else { 40 }).await;
        let rows = engine.session.audit().unwrap().rows().await.unwrap();
        let count = rows.len();
        assert_right(&look(&engine).await, count);
        let mut chance = Chance(7);
        let mut found = 0;
        let found_at = async |statements: &[String], first: i64, back: &[String]| {
            forge(&engine, statements).await;
            let proof = look(&engine).await;
            assert_eq!(proof.first_bad(), Some(first), "{statements:?}: {:?}", proof.faults);
            forge(&engine, back).await;
        };
        for _ in 0..times {
            let row = &rows[chance.below(count)];
            let seq = row.seq;
            let update =
                |what: &str| vec![format!("update {{audit}} set {what} where seq = {seq}")];
            let mut hash = row.hash.clone();
            hash[chance.below(32)] ^= 1;
            let state = if row.state == "FAILED" { "SUCCEEDED" } else { "FAILED" };
            let of = |column: &str, new: &str, old: &str| {
                (format!("{column} = {}", text(new)), format!("{column} = {}", text(old)))
            };
            let mut columns = vec![
                ("at = at + 1".to_owned(), "at = at - 1".to_owned()),
                of("op_id", "x", &row.op),
                of("action", "import", &row.action),
                of("actor", "x:1", &row.actor),
                of("subject", "x", &row.subject),
                of("detail", "x", &row.detail),
                of("chain", "x", &row.chain),
                ("link = link + 1000".to_owned(), "link = link - 1000".to_owned()),
                (
                    format!("hash = {}", bytes(&engine, &hash)),
                    format!("hash = {}", bytes(&engine, &row.hash)),
                ),
            ];
            // An operation has one attempt and one outcome, as the table itself demands.
            if row.state != "ATTEMPTED" {
                columns.push(of("state", state, &row.state));
            }
            for (new, old) in columns {
                found_at(&update(&new), seq, &update(&old)).await;
                found += 1;
            }
            // Taken away, and put back; another number.
            let gone = vec![format!("delete from {{audit}} where seq = {seq}")];
            found_at(&gone, seq, &[insert(&engine, row)]).await;
            let moved = |from: i64, to: i64| {
                vec![format!("update {{audit}} set seq = {to} where seq = {from}")]
            };
            let first = seq;
            forge(&engine, &moved(seq, seq + 100_000)).await;
            let bad = look(&engine).await.first_bad().unwrap();
            // On a server another machine may have written what lies between.
            assert!([first, first + 1].contains(&bad) || bad > 100_000, "{bad} for {first}");
            forge(&engine, &moved(seq + 100_000, seq)).await;
            found += 2;
        }
        // Two records change places.
        let (one, other) = (&rows[2], &rows[8]);
        let put = |to: i64, row: &AuditRow| {
            format!("update {{audit}} set detail = {} where seq = {to}", text(&row.detail))
        };
        found_at(
            &[put(one.seq, other), put(other.seq, one)],
            one.seq.min(other.seq),
            &[put(one.seq, one), put(other.seq, other)],
        )
        .await;
        // The tail, and all of it.
        for cut in (1..=cut).chain([count]) {
            let from = rows[count - cut].seq;
            let back: Vec<_> = rows[count - cut..].iter().map(|row| insert(&engine, row)).collect();
            found_at(&[format!("delete from {{audit}} where seq >= {from}")], from, &back).await;
            found += 1;
        }
        // Put in: without a chain, in ours, in one that nobody began.
        let last = rows.last().unwrap();
        for chain in ["", &last.chain, "abcd"] {
            let row = AuditRow {
                seq: last.seq + 1,
                op: "forged".to_owned(),
                chain: chain.to_owned(),
                link: last.link + 1,
                ..last.clone()
            };
            let back = [format!("delete from {{audit}} where seq = {}", row.seq)];
            if chain == "abcd" && engine.name == "postgres" {
                forge(&engine, &[insert(&engine, &row)]).await;
                assert_eq!(look(&engine).await.elsewhere, 1, "it may be another machine's");
                forge(&engine, &back).await;
            } else {
                found_at(&[insert(&engine, &row)], row.seq, &back).await;
            }
            found += 1;
        }
        // Signed anew by somebody who has today's key and not the first one.
        let from = count / 2;
        let mut anew = rows[from..].to_vec();
        anew[0].detail = "nothing happened".to_owned();
        sign(&mut anew);
        let put = |rows: &[AuditRow]| -> Vec<String> {
            let set = |row: &AuditRow| {
                let (detail, hash) = (text(&row.detail), bytes(&engine, &row.hash));
                let seq = row.seq;
                format!("update {{audit}} set detail = {detail}, hash = {hash} where seq = {seq}")
            };
            rows.iter().map(set).collect()
        };
        found_at(&put(&anew), rows[from].seq, &put(&rows[from..])).await;
        assert_right(&look(&engine).await, count);
        sum_up(&format!("A3 on {}: {} of {} tamperings found", engine.name, found + 2, found + 2));
        engine.close().await;
    }
}

#[tokio::test]
async fn the_daily_files_bear_witness() {
    for engine in engines().await {
        // Three days, of which two are closed.
        let trail = trail_of(&engine.config, engine.folder());
        for day in ["2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z", "2026-11-23T12:00:00Z"] {
            let clock = Clock::fixed(day.parse().unwrap(), chrono_tz::UTC);
            let store = &engine.session.store;
            let audit = Audit::open(&trail, store, &clock, place(&engine)).await.unwrap();
            operations(&audit, 2).await;
            audit.close().await;
        }
        // A clock that was set back goes on in the newest file.
        operations(engine.session.audit().unwrap(), 1).await;
        let files = daily(&engine);
        let names: Vec<_> =
            files.iter().map(|it| it.file_name().unwrap().to_str().unwrap()).collect();
        let days = ["2026-11-20", "2026-11-21", "2026-11-23"];
        assert_eq!(names, days.map(|day| format!("audit_{day}.jsonl")));
        let rows = engine.session.audit().unwrap().rows().await.unwrap();
        let lines = |file: &Path| -> Vec<String> {
            fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
        };
        let said = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let [first, second, third] = [0, 1, 2].map(|at| lines(&files[at]));
        assert_eq!([first.len(), second.len(), third.len()], [6, 6, 7]);
        assert_eq!(said(&first[0])["previous"], "");
        assert_eq!(said(&second[0])["previous"], hex(&rows[3].hash));
        assert_eq!(said(&first[5])["closed"], "2026-11-20");
        assert_eq!(said(&first[5])["count"], 4);
        assert_eq!(said(&second[5])["hash"], hex(&rows[7].hash));
        let told: Vec<_> = [&first[1..5], &second[1..5], &third[1..]].concat();
        assert_eq!(told, rows.iter().map(line).collect::<Vec<_>>());
        for file in &files {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_right(&look(&engine).await, rows.len());

        // What is altered or taken out is named.
        let whole = fs::read(&files[1]).unwrap();
        let altered =
            String::from_utf8(whole.clone()).unwrap().replacen("no matter", "all is well", 1);
        assert_ne!(altered.as_bytes(), whole);
        fs::write(&files[1], altered).unwrap();
        assert_eq!(look(&engine).await.first_bad(), Some(6));
        fs::write(&files[1], format!("{}\n{}\n{}\n", second[0], second[1], second[5])).unwrap();
        assert_eq!(look(&engine).await.first_bad(), Some(6));
        fs::write(&files[1], format!("{}\n", second[..5].join("\n"))).unwrap();
        let unclosed = look(&engine).await;
        assert!(unclosed.wrong > 0 && unclosed.faults[0].what.contains("no end"), "{unclosed:?}");
        fs::remove_file(&files[1]).unwrap();
        assert_eq!(look(&engine).await.first_bad(), Some(5));
        fs::write(&files[1], &whole).unwrap();

        // A line that was cut off, and lines that were never written, are made up for at the start.
        let end = fs::read(&files[2]).unwrap();
        for length in [end.len() - 1, end.len() - 40, 3, 0] {
            fs::write(&files[2], &end[..length]).unwrap();
            // All but the end of the line says as much as before.
            assert!(length == end.len() - 1 || look(&engine).await.wrong > 0, "{length}");
            let store = &engine.session.store;
            let again = Audit::open(&trail, store, &clock(), place(&engine)).await.unwrap();
            again.close().await;
            assert_eq!(fs::read(&files[2]).unwrap(), end, "cut at {length}");
        }
        assert_right(&look(&engine).await, rows.len());
        engine.close().await;
    }
}

#[tokio::test]
async fn older_files_that_are_put_back_are_seen() {
    let engine = sqlite().await;
    operations(engine.session.audit().unwrap(), 3).await;
    let folder = engine.folder().to_owned();
    let take = |names: &[&str]| -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let paths = names.iter().map(|name| folder.join(name));
        paths.map(|path| (path.clone(), fs::read(&path).ok())).collect()
    };
    let put = |files: &[(PathBuf, Option<Vec<u8>>)]| {
        for (path, bytes) in files {
            match bytes {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => drop(fs::remove_file(path)),
            }
        }
    };
    let head =
        engine.session.audit().map(|_| dashtam::audit::head(&place(&engine)).unwrap()).unwrap();
    let config = engine.config.clone();
    let trail = ["audit.db", "audit.db-wal", "audit.db-shm"];
    let all = [&trail[..], &["audit.key"]].concat();
    let open = async || Session::open(&config, &clock(), Access::Write).await.unwrap();
    let found = async |config: &Config| {
        let session = Session::open(config, &clock(), Access::Write).await.unwrap();
        let proof = service::audit::verify(&session, config, None, None).await.unwrap();
        session.close().await;
        proof
    };
    engine.session.clone().close().await;
    let yesterday = take(&all);
    let session = open().await;
    operations(session.audit().unwrap(), 2).await;
    session.close().await;
    let today = take(&all);
    // The rows of yesterday; then with the key of yesterday too.
    for files in [&yesterday[..3], &yesterday[..]] {
        put(files);
        let proof = found(&config).await;
        assert_eq!(proof.first_bad(), Some(7), "{:?}", proof.faults);
        put(&today);
    }
    // Nothing of it is left, or the key alone.
    put(&trail.map(|name| (folder.join(name), None)));
    assert_eq!(found(&config).await.first_bad(), Some(1));
    put(&today);
    // The line that somebody kept is still true, and one of another trail is not.
    let session = open().await;
    let kept = service::audit::verify(&session, &config, None, Some(&head)).await.unwrap();
    let wrong =
        |proof: &Proof| proof.faults.iter().any(|fault| fault.what.contains("head tells of"));
    assert!(!wrong(&kept), "{kept:?}");
    let mut other = head.clone();
    other.hash[0] ^= 1;
    let kept = service::audit::verify(&session, &config, None, Some(&other)).await.unwrap();
    assert_eq!(kept.first_bad(), Some(6), "{kept:?}");
    session.close().await;
}
