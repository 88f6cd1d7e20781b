//! A8 to A10: what a record costs, what it does not tell, and what is not begun without it.

use super::*;

#[tokio::test]
async fn a_record_takes_little_time() {
    let times = if is_full() { 1000 } else { 100 };
    for engine in engines().await {
        let audit = engine.session.audit().unwrap();
        let mut took = Vec::new();
        for _ in 0..times {
            let begun = Instant::now();
            let attempt = audit.attempt("export", "").await.unwrap();
            took.push(begun.elapsed());
            attempt.succeeded("").await.unwrap();
        }
        took.sort();
        let at = |part: usize| took[(times - 1) * part / 100];
        let (name, half, most) = (engine.name, at(50), at(99));
        sum_up(&format!("A8 on {name}: a record takes {half:.1?}, 99 of 100 within {most:.1?}"));
        // A machine that does other things too may take longer; it must not take long.
        assert!(half < Duration::from_millis(100), "{half:?}");
        engine.close().await;
    }
}

// A9.

#[tokio::test]
async fn no_amount_and_no_secret_is_told() {
    const AMOUNTS: [&str; 4] = ["7319.31", "7319", "4217.77", "8641.5"];
    const SECRETS: [&str; 3] = ["correct horse battery", "wrong horse battery", "AGE-SECRET-KEY"];
    for engine in engines().await {
        let (session, config) = (&engine.session, &engine.config);
        engine
            .import(&[(
                "x.csv",
                "date,account,type,symbol,quantity,price,fee,currency,amount\n\
                 2024-01-02,A,DEPOSIT,,,,,USD,7319.31\n2024-01-03,A,WITHDRAWAL,,,,,USD,-4217.77\n",
            )])
            .await;
        let account = engine.account("A").await;
        let amount = dashtam::model::Dec::parse("8641.5").unwrap();
        let day = NaiveDate::from_ymd_opt(2024, 1, 5).unwrap();
        let _ = engine.try_edit(Change::SetBalance(account, day, amount)).await;
        let secret = |text: &str| dashtam::model::Secret::new(text.to_owned());
        vault::init(session, config, Some(secret(SECRETS[0]))).await.unwrap();
        assert!(vault::unlock(session, config, &secret(SECRETS[1])).await.is_err());
        let key = vault::unlock(session, config, &secret(SECRETS[0])).await.unwrap();
        vault::rotate(session, config, key, Some(secret(SECRETS[0]))).await.unwrap();
        let rows = session.audit().unwrap().rows().await.unwrap();
        let mut told = format!("{rows:?}\n");
        for file in daily(&engine) {
            told.push_str(&fs::read_to_string(file).unwrap());
        }
        // Hashes and ids may hold any digits.
        let words: Vec<_> = told.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').collect();
        for amount in AMOUNTS {
            assert!(!words.contains(&amount), "{amount} on {}", engine.name);
        }
        for secret in SECRETS {
            assert!(!told.contains(secret), "{secret} on {}", engine.name);
        }
        let key = fs::read_dir(engine.folder()).unwrap().map(|entry| entry.unwrap().path());
        let key = key.filter(|path| path.extension().is_some_and(|it| it == "key"));
        for path in key {
            let now = fs::read_to_string(path).unwrap();
            let now = now.trim_matches('\n').split(' ').nth(4).unwrap().to_owned();
            assert!(now.len() == 64 && !told.contains(&now), "the key is told");
        }
        engine.close().await;
    }
}

// A10.

#[tokio::test]
async fn what_cannot_be_told_is_not_begun() {
    for engine in engines().await {
        let new = |name: &str| {
            Change::AddAccount(NewAccount {
                name: SafeText::new(name),
                kind: AccountKind::Checking,
                currency: Currency::parse("USD").unwrap(),
                mode: Mode::Ledger,
                method: None,
                institution: None,
                closed: None,
                performance: None,
            })
        };
        engine.edit(new("before")).await;
        let (dump, revision) = (engine.dump().await, engine.revision().await);
        let records = engine.session.audit().unwrap().rows().await.unwrap().len();
        let refused = async |why: &str| {
            assert!(engine.try_edit(new("after")).await.is_err(), "{why}");
            let set = Change::Set(Setting::BaseCurrency, "CAD".to_owned());
            assert!(engine.try_edit(set).await.is_err(), "{why}");
            let passphrase = dashtam::model::Secret::new("correct horse battery".to_owned());
            assert!(vault::init(&engine.session, &engine.config, Some(passphrase)).await.is_err());
            assert!(!vault::of(&engine.config).exists(), "{why}");
            let files = engine.try_import(
                &[("x.csv", b"date,account,type,currency,amount\n2024-01-02,A,DEPOSIT,USD,5\n")],
                |_| {},
            );
            assert!(files.await.is_err(), "{why}");
            assert_eq!(engine.revision().await, revision, "{why}");
        };
        // The disk of the trail takes nothing more.
        let (make, drop) = match engine.name {
            "sqlite" => (
                "create trigger full before insert on audit begin select raise(abort, 'full'); end",
                "drop trigger full",
            ),
            _ => (
                "create function dashtam_audit.no_space() returns trigger language plpgsql as $$ begin \
                 raise exception 'full' using errcode = '53100'; end $$; create trigger no_space before \
                 insert on dashtam_audit.audit for each row execute function dashtam_audit.no_space()",
                "drop function dashtam_audit.no_space() cascade",
            ),
        };
        as_owner_do(&engine, make).await.unwrap();
        refused("no row can be written").await;
        as_owner_do(&engine, drop).await.unwrap();
        // Nor can the key be read.
        let mut files = fs::read_dir(engine.folder()).unwrap().map(|entry| entry.unwrap().path());
        let key = files.find(|path| path.extension().is_some_and(|it| it == "key")).unwrap();
        let aside = engine.folder().join("aside");
        fs::rename(&key, &aside).unwrap();
        fs::create_dir(&key).unwrap();
        refused("the key cannot be opened").await;
        fs::remove_dir(&key).unwrap();
        fs::rename(&aside, &key).unwrap();
        assert_eq!(engine.session.audit().unwrap().rows().await.unwrap().len(), records);
        assert_eq!(engine.dump().await, dump);
        engine.edit(new("after")).await;
        assert_eq!(look(&engine).await.wrong, 0);
        engine.close().await;
    }
}
