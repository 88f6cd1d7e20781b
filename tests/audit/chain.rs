//! A11: what a record is signed with, and the files that a chain needs.

use super::*;

/// By another program: HMAC and SHA-256 of a standard library, over the fields as the design orders
/// them.
const GOLDEN: [&str; 20] = [
    "16d7c518dee80ab3890bfb1e3b565cd92ff9e843cf5604729cdf6187ed970495",
    "5dc5b2abc42d7f262b2ccbee4b75b42379bcdf511d4f1f33c16f3f03ed4ca559",
    "69a3eaa3e3b394e83c0b9c3a7181babbe24dbab0c6bc63545c8ea9c28e705771",
    "df9789988b9126bdaa942f6f3f63213f6cd684a59fbbb8bf850d22f53d17865f",
    "7096a7862f05458ebd00c7c2a0535e63b67a6008fd671999f671a3c6e15e66d2",
    "8db8bd58fdd8e40995916a2da825bdcff03ddb6e41fad846586b36203530c4d3",
    "49acfce28f3f4fd026ed79f567c339141eba6af501e407d42205509f86b522a3",
    "e5ad86361830e9ddf49f321b3cdfe17fb852629142d66929982df33c79864d25",
    "b07c7664a686ba3c9eb85fb952200b9b80bd36a2fcea869eb5684026a2abc3ae",
    "6022fdfb59fdadec506280afd4b798e2592f5a593f1957ee16531535da6093b5",
    "a9f53e0143cb760a1ce1da09ace23eab95d24811930551723f1a9a9dee672866",
    "f2e3c1718b74e57096bd054b12a62f7d3d7788b84e7d2d5e2111e15416f62894",
    "0464b6154a3ada7917673a53e5884a3269bfec56a98c5642b4d0878ad20fc048",
    "384d06f8ce35f1114f6c052d226f65e6edf0018d80bdba51005f753c4afdcb5f",
    "932124fdef065575e9cb2fc5d916ca21edfb7102fe920bab1cec2b1905ad4e47",
    "9dbde543d352ebccc2b9568837b39cc888b8ba5382a0d50d232f17f21d167849",
    "72f01dc89c19eba2de7fb655181e0ad76b4517b51c755b85531181bb80ab7a05",
    "ed9cb2364419b697967d7a88bea7a5282ef917893dd0ace39a02324d91ed5a8e",
    "8a56db760309c6d05a669dc0dbf5b2cf5ed07e57c002418b1db7901f89893682",
    "118f26fc6a64e19b23807463020f656cc8c86cc202b832430391cfc4602af6b1",
];

fn golden_rows() -> Vec<AuditRow> {
    let long = "x".repeat(1024);
    let details = [
        "",
        "files=2",
        "new=120 duplicate=3",
        "reason=interrupted",
        "recovered=true",
        "é à ü ß",
        "日本語 テキスト",
        "a=b c=d",
        "before=2019-11-22",
        &long,
        "|",
        "\\",
        "\"quoted\"",
        "{\"json\":1}",
        "-",
        "0",
        "\u{e9} composed",
        "e\u{301} combined",
        "tab? no",
        "PURGED before=2019-01-01 records=3 seq=3 link=2 hash=00",
    ];
    let actions = ["import", "export", "vault.unlock", "refresh", "audit.purge"];
    let subjects = ["store", "file", "vault", "connection", "trail"];
    let states = ["ATTEMPTED", "SUCCEEDED", "FAILED"];
    let row = |(number, detail): (usize, &&str)| {
        let link = i64::try_from(number).unwrap();
        AuditRow {
            seq: link + 1,
            at: match number {
                17 => -1,
                18 => 0,
                _ => 1_700_000_000_000_000 + link * 86_399_999_999,
            },
            op: format!("01890000-0000-7000-8000-{number:012x}"),
            action: actions[number % 5].to_owned(),
            state: states[number % 3].to_owned(),
            actor: format!("host-{}:{}", number % 2, 1000 + number),
            subject: subjects[number % 5].to_owned(),
            detail: (*detail).to_owned(),
            chain: "golden".to_owned(),
            link,
            hash: Vec::new(),
        }
    };
    details.iter().enumerate().map(row).collect()
}

/// Signs rows anew from the first on.
pub fn sign(rows: &mut [AuditRow]) {
    let key: Vec<u8> = (0..32).collect();
    let mut key = ChainKey::parse(&hex(&key)).unwrap();
    let mut before = genesis(None);
    for row in rows {
        before = key.sign(&before, row);
        row.hash = before.to_vec();
        key = key.next();
    }
}

fn unsigned(rows: &mut [AuditRow]) {
    for row in rows {
        row.hash.clear();
    }
}

fn hashes(rows: &[AuditRow]) -> Vec<String> {
    rows.iter().map(|row| hex(&row.hash)).collect()
}

#[tokio::test]
async fn twenty_records_have_the_hashes_that_another_program_found() {
    let mut rows = golden_rows();
    sign(&mut rows);
    assert_eq!(hashes(&rows), GOLDEN);
    for engine in engines().await {
        let trail = store(&engine);
        let mut tx = trail.begin().await.unwrap();
        for row in &rows {
            tx.insert(row).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut read = trail.find(&AuditFilter::default()).await.unwrap();
        assert_eq!(read, rows, "{}", engine.name);
        unsigned(&mut read);
        sign(&mut read);
        assert_eq!(hashes(&read), GOLDEN, "{}", engine.name);
        // And from what was written out.
        let mut told: Vec<AuditRow> = rows.iter().map(|row| parsed(&line(row))).collect();
        assert_eq!(told, rows);
        unsigned(&mut told);
        sign(&mut told);
        assert_eq!(hashes(&told), GOLDEN);
        engine.close().await;
    }
}

/// A record from its line.
fn parsed(line: &str) -> AuditRow {
    let said: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    let at: DateTime<Utc> = text("at").parse().unwrap();
    AuditRow {
        seq: said["seq"].as_i64().unwrap(),
        at: at.timestamp_micros(),
        op: text("op_id"),
        action: text("event"),
        state: text("state"),
        actor: text("actor"),
        subject: text("subject"),
        detail: text("detail"),
        chain: text("chain"),
        link: said["link"].as_i64().unwrap(),
        hash: hash_in(&text("hash")).map(|hash: Hash| hash.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn a_record_without_its_key_is_healed_and_a_lost_key_begins_a_chain() {
    for engine in engines().await {
        let key = fs::read_dir(engine.folder()).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(key.filter(|path| path.extension().is_some_and(|it| it == "key")).count(), 0);
        let audit = engine.session.audit().unwrap();
        operations(audit, 2).await;
        let mut files = fs::read_dir(engine.folder()).unwrap().map(|entry| entry.unwrap().path());
        let key = files.find(|path| path.extension().is_some_and(|it| it == "key")).unwrap();
        let heads: Vec<_> = fs::read_dir(engine.config.vault_dir()).unwrap().collect();
        assert_eq!(heads.len(), 2, "a head and a first key");
        // Stopped between the record and the key: the key is of a record before.
        let older = fs::read(&key).unwrap();
        operations(audit, 3).await;
        fs::write(&key, &older).unwrap();
        operations(audit, 1).await;
        assert_right(&look(&engine).await, 12);
        // What was signed with is nowhere any more.
        let newer = fs::read(&key).unwrap();
        let used = String::from_utf8_lossy(&older).lines().next().unwrap().to_owned();
        let used = used.split(' ').nth(4).unwrap().to_owned();
        assert_eq!(used.len(), 64);
        assert!(!String::from_utf8_lossy(&newer).contains(&used));
        // Without a key nothing that was can be gone on with.
        fs::write(&key, "nothing of ours").unwrap();
        operations(audit, 1).await;
        let proof = look(&engine).await;
        assert_eq!((proof.records, proof.wrong, proof.first_bad()), (14, 1, Some(12)), "{proof:?}");
        assert!(proof.faults[0].what.ends_with("the key is gone"), "{proof:?}");
        assert_eq!(store(&engine).chains().await.unwrap().len(), 2);
        engine.close().await;
    }
}

#[tokio::test]
async fn rows_from_before_the_chain_stay_and_are_bound_to_it() {
    for engine in engines().await {
        let mut tx = store(&engine).begin().await.unwrap();
        for number in 0..5 {
            let row = AuditRow {
                seq: number + 1,
                at: number,
                op: format!("old-{number}"),
                action: "import".to_owned(),
                state: "SUCCEEDED".to_owned(),
                actor: "h:1".to_owned(),
                detail: "new=1".to_owned(),
                ..AuditRow::default()
            };
            tx.insert(&row).await.unwrap();
        }
        tx.commit().await.unwrap();
        operations(engine.session.audit().unwrap(), 2).await;
        let proof = look(&engine).await;
        assert_right(&proof, 4);
        assert_eq!(proof.before, 5);
        let set = |detail: &str| format!("update {{audit}} set detail = '{detail}' where seq = 3");
        forge(&engine, &[set("new=2")]).await;
        assert_eq!(look(&engine).await.first_bad(), Some(1));
        forge(&engine, &[set("new=1")]).await;
        assert_right(&look(&engine).await, 4);
        engine.close().await;
    }
}

#[tokio::test]
async fn the_first_key_is_sealed_for_the_vault_and_goes_with_its_keys() {
    let engine = sqlite().await;
    let (session, config) = (&engine.session, &engine.config);
    operations(session.audit().unwrap(), 1).await;
    assert!(look(&engine).await.is_open);
    let passphrase = || dashtam::model::Secret::new("correct horse battery".to_owned());
    vault::init(session, config, Some(passphrase())).await.unwrap();
    let locked = verify_as_it_is(&store(&engine), &place(&engine), None, None).await.unwrap();
    assert_eq!(locked, None, "it needs the key");
    let left: String = fs::read_dir(config.vault_dir())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "first"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(left.contains("\nsealed ") && !left.contains("\nopen "), "{left}");
    let key = vault::unlock(session, config, &passphrase()).await.unwrap();
    vault::rotate(session, config, key, Some(passphrase())).await.unwrap();
    let key = vault::unlock(session, config, &passphrase()).await.unwrap();
    let proof = service::audit::verify(session, config, Some(&key), None).await.unwrap();
    assert_eq!((proof.wrong, proof.is_open), (0, false), "{:?}", proof.faults);
    engine.close().await;
}
