//! What a chain needs beside its rows, lost, put elsewhere or exchanged: `verify` says what is no
//! longer proved, and proves the rest.

use super::*;

/// The files of the vault folder that belong to a chain, by their ending.
fn of_vault(engine: &Engine, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(engine.config.vault_dir()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|it| it == ending)).collect();
    paths.sort();
    paths
}

/// The key of what comes.
pub fn key_file(engine: &Engine) -> PathBuf {
    let mut files = fs::read_dir(engine.folder()).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|it| it == "key")).unwrap()
}

fn passphrase() -> dashtam::model::Secret {
    dashtam::model::Secret::new("correct horse battery".to_owned())
}

async fn verified(engine: &Engine, key: Option<&vault::Key>) -> Proof {
    service::audit::verify(&engine.session, &engine.config, key, None).await.unwrap()
}

/// Whether something that is wrong is told so.
fn says(proof: &Proof, what: &str) -> bool {
    proof.faults.iter().any(|fault| fault.what.contains(what))
}

#[tokio::test]
async fn a_vault_that_was_lost_hinders_neither_the_next_one_nor_its_trail() {
    for engine in engines().await {
        let (session, config) = (&engine.session, &engine.config);
        operations(session.audit().unwrap(), 2).await;
        vault::init(session, config, Some(passphrase())).await.unwrap();
        let records = session.audit().unwrap().rows().await.unwrap().len();
        fs::remove_file(config.vault_dir().join("key")).unwrap();
        vault::init(session, config, Some(passphrase())).await.unwrap();

        let key = vault::unlock(session, config, &passphrase()).await.unwrap();
        let proof = verified(&engine, Some(&key)).await;
        // Its attempt is the last record of what nobody can prove.
        assert_eq!(proof.unproved, u64::try_from(records + 1).unwrap());
        assert_eq!(proof.wrong, 1, "{:?}", proof.faults);
        assert!(says(&proof, "its first key is of another vault"), "{proof:?}");
        assert!(proof.records >= 3 && proof.records == proof.witnessed, "{proof:?}");
        assert!(!proof.is_open && !proof.is_unvouched, "{proof:?}");
        // The rest is proved still, and the vault changed.
        let other = vault::Key::generate().recipient().unwrap();
        vault::add_recipient(session, config, &key, other.clone(), SafeText::new("laptop"))
            .await
            .unwrap();
        vault::remove_recipient(session, config, &key, other).await.unwrap();
        vault::rotate(session, config, key, Some(passphrase())).await.unwrap();
        let key = vault::unlock(session, config, &passphrase()).await.unwrap();
        assert!(!key.is_being_renewed());
        assert_eq!(verified(&engine, Some(&key)).await.wrong, 1);
        engine.close().await;
    }
}

#[tokio::test]
async fn a_vault_that_was_made_is_made_whatever_becomes_of_the_trail() {
    let engine = sqlite().await;
    let (session, config) = (&engine.session, &engine.config);
    operations(session.audit().unwrap(), 1).await;
    let first = of_vault(&engine, "first").pop().unwrap();
    // What can be read and not be written over.
    let aside = first.with_extension("aside");
    fs::rename(&first, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &first).unwrap();
    vault::init(session, config, None).await.unwrap();
    let rows = session.audit().unwrap().rows().await.unwrap();
    assert_eq!(rows.last().unwrap().state, "SUCCEEDED");
    assert!(fs::read_to_string(&first).unwrap().contains("\nopen "));
    // The next start seals what lies open.
    fs::rename(&aside, &first).unwrap();
    Session::open(config, &clock(), Access::Write).await.unwrap().close().await;
    assert!(fs::read_to_string(&first).unwrap().contains("\nsealed "));
    engine.close().await;
}

#[tokio::test]
async fn a_first_key_that_nobody_vouched_for_is_told() {
    let engine = sqlite().await;
    let (session, config) = (&engine.session, &engine.config);
    let (audit, vault_key) = (session.audit().unwrap(), config.vault_dir().join("key"));
    operations(audit, 1).await;
    assert!(verified(&engine, None).await.is_unvouched, "there is nobody who could");
    vault::init(session, config, None).await.unwrap();
    let key = || vault::of(config).unprotected().unwrap();
    let proof = verified(&engine, Some(&key())).await;
    assert!(proof.wrong == 0 && !proof.is_unvouched, "{proof:?}");

    // Somebody names himself in the key file, and sees to it that a chain begins anew.
    let evil = vault::Key::generate();
    let whole = fs::read_to_string(&vault_key).unwrap();
    let his = format!("other {} x\nvouched ", evil.recipient().unwrap());
    let text = whole.replacen("vouched ", &his, 1);
    let text = text.rsplit_once("sum ").unwrap().0;
    fs::write(&vault_key, format!("{text}sum {:08x}\n", crc32fast::hash(text.as_bytes()))).unwrap();
    let known = of_vault(&engine, "first").pop().unwrap();
    fs::remove_file(key_file(&engine)).unwrap();
    operations(audit, 1).await;
    fs::write(&vault_key, whole).unwrap();
    let new = of_vault(&engine, "first").into_iter().find(|path| *path != known).unwrap();
    let text = fs::read_to_string(&new).unwrap();
    let chain = text.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let sealed = text.lines().nth(2).unwrap().strip_prefix("sealed ").unwrap();
    let digits = sealed.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    let sealed: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let opens = |key: &vault::Key| {
        dashtam::vault::open_under(key, &format!("dashtam-audit-first/1 {chain}"), &sealed)
            .is_some()
    };
    assert!(opens(&key()) && !opens(&evil), "it is for the vault alone");
    let proof = verified(&engine, Some(&key())).await;
    assert!(proof.is_unvouched && proof.wrong == 1 && says(&proof, "the key is gone"), "{proof:?}");
    // Whoever changes the vault vouches for what is there.
    vault::rotate(session, config, key(), None).await.unwrap();
    assert!(!verified(&engine, Some(&key())).await.is_unvouched);
    // Another one in its place is seen, before and after the vault is changed.
    let text = fs::read_to_string(&known).unwrap();
    let said = text.lines().last().unwrap();
    fs::write(&known, text.replace(said, &format!("vouched {}", "0".repeat(64)))).unwrap();
    for _ in 0..2 {
        let proof = verified(&engine, Some(&key())).await;
        assert!(proof.wrong == 2 && says(&proof, "is not the one that the vault"), "{proof:?}");
        vault::rotate(session, config, key(), None).await.unwrap();
    }
    engine.close().await;
}

#[tokio::test]
async fn an_end_that_was_cut_off_with_its_key_is_seen() {
    for engine in engines().await {
        operations(engine.session.audit().unwrap(), 4).await;
        let rows = engine.session.audit().unwrap().rows().await.unwrap();
        let last = &rows[rows.len() - 3];
        // The rows, the lines, the head without a signature, and no key that could contradict.
        forge(&engine, &[format!("delete from {{audit}} where seq > {}", last.seq)]).await;
        let file = daily(&engine).pop().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<_> = text.lines().collect();
        fs::write(&file, format!("{}\n", lines[..lines.len() - 2].join("\n"))).unwrap();
        let head = of_vault(&engine, "head").pop().unwrap();
        let old = fs::read_to_string(&head).unwrap();
        let words: Vec<_> = old.trim_matches('\n').split(' ').collect();
        let line = format!(
            "{} {} {} {} {} {}",
            last.link + 1,
            words[1],
            words[2],
            last.seq,
            hex(&last.hash),
            "0".repeat(64)
        );
        let mut place = format!("{line} {:08x}", crc32fast::hash(line.as_bytes()));
        place.push_str(&"\n".repeat(512 - place.len()));
        fs::write(&head, place).unwrap();
        let kept = dashtam::audit::head(&super::place(&engine));
        fs::remove_file(key_file(&engine)).unwrap();
        let proof = look(&engine).await;
        assert!(says(&proof, "not the one that the head tells of"), "{proof:?}");
        assert!(says(&proof, "the key is gone"), "{proof:?}");
        assert_eq!(kept.map(|head| head.seq), Some(last.seq), "the forgery is read as a head");
        // The attempt to prove it begins a chain, which hides nothing.
        let proof = verified(&engine, None).await;
        assert!(
            says(&proof, "the key is gone") && proof.first_bad() == Some(last.seq),
            "{proof:?}"
        );
        engine.close().await;
    }
}

#[tokio::test]
async fn a_server_by_another_name_has_the_same_trail() {
    let Some(engine) = support::engines::postgres().await else { return };
    operations(engine.session.audit().unwrap(), 2).await;
    let Target::Postgres(server) = target(&engine.config) else { panic!() };
    assert_eq!(server.host.as_deref(), Some("127.0.0.1"));
    let (port, user, database) = (server.port, server.user.unwrap(), server.database);
    let other = format!("postgres://{user}@localhost:{port}/{database}?sslmode=disable");
    let flags = Overrides {
        data_dir: Some(engine.folder().to_owned()),
        database: Some(SecretString::from(other)),
        ..Overrides::default()
    };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
    operations(session.audit().unwrap(), 3).await;
    let proof = service::audit::verify(&session, &config, None, None).await.unwrap();
    assert_right(&proof, 4 + 6 + 1);
    // By the first name too, and what is changed under either is seen under both.
    operations(engine.session.audit().unwrap(), 1).await;
    assert_right(&verified(&engine, None).await, 4 + 6 + 2 + 2 + 1);
    forge(&engine, &["update {audit} set detail = 'x' where seq in (2, 6)".to_owned()]).await;
    for config in [&engine.config, &config] {
        let proof = service::audit::verify(&session, config, None, None).await.unwrap();
        let wrong: Vec<_> = proof.faults.iter().map(|fault| fault.seq).collect();
        assert_eq!(wrong, [2, 2, 6, 6], "{proof:?}");
    }
    session.close().await;
    engine.close().await;
}
