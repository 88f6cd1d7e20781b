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
        assert!(!proof.is_open, "{proof:?}");
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
