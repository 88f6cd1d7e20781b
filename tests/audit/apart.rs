//! Two stores that share a data folder and its trail.

use super::*;

/// A session on another file, with the trail of the usual one.
async fn beside(engine: &Engine) -> Session {
    let file = format!("sqlite:{}", engine.folder().join("apart.db").display());
    let flags = Overrides {
        data_dir: Some(engine.folder().to_owned()),
        database: Some(SecretString::from(file)),
        ..Overrides::default()
    };
    let config = Config::load(&flags, &Environment::default()).unwrap();
    Session::open(&config, &clock(), Access::Write).await.unwrap()
}

async fn outcome(session: &Session, op: &str) -> Option<String> {
    let rows = session.audit().unwrap().rows().await.unwrap();
    rows.into_iter().find(|row| row.op == op && row.state != "ATTEMPTED").map(|row| row.state)
}

#[tokio::test]
async fn however_long_a_detail_is_it_names_its_database() {
    let engine = sqlite().await;
    let apart = beside(&engine).await;
    // As the marks of many rows come to, and of letters that take several bytes.
    for detail in ["transaction=1234567 ".repeat(200), "é".repeat(2000), String::new()] {
        // Written, and stopped before it could be told.
        let attempt = apart.audit().unwrap().attempt("transaction.edit", &detail).await.unwrap();
        let (op, tx) = (attempt.op().to_string(), apart.store.write().await.unwrap());
        tx.commit(&op, "transaction.edit", 0).await.unwrap();
        drop(attempt);
        let row = apart.audit().unwrap().rows().await.unwrap().pop().unwrap();
        assert!(row.detail.len() <= 1024 && row.detail.ends_with("/apart.db"), "{row:?}");

        let usual = Session::open(&engine.config, &clock(), Access::Write).await.unwrap();
        assert_eq!(outcome(&usual, &op).await, None, "it is not its to settle");
        usual.close().await;
        let again = beside(&engine).await;
        assert_eq!(outcome(&again, &op).await.as_deref(), Some("SUCCEEDED"));
        let trail = again.audit().unwrap().store();
        assert_eq!(trail.newest_done(None).await.unwrap(), None, "the usual one did nothing");
        again.close().await;
    }
    apart.close().await;
    engine.close().await;
}

#[tokio::test]
async fn a_name_that_looks_like_a_database_is_none() {
    let engine = sqlite().await;
    let audit = engine.session.audit().unwrap();
    let attempt = audit.attempt("account.add", "account=database=/x.db").await.unwrap();
    let op = attempt.op().to_string();
    drop(attempt);
    let again = Session::open(&engine.config, &clock(), Access::Write).await.unwrap();
    assert_eq!(outcome(&again, &op).await.as_deref(), Some("FAILED"), "it is settled here");
    again.close().await;
    engine.close().await;
}

#[tokio::test]
async fn a_start_looks_again_only_at_what_may_be_open() {
    let engine = sqlite().await;
    let noted = || {
        let key = fs::read_to_string(engine.folder().join("audit.key")).unwrap();
        key.trim_matches('\n').split(' ').nth(5).unwrap().parse::<i64>().unwrap()
    };
    let start = async || Session::open(&engine.config, &clock(), Access::Write).await.unwrap();
    let apart = beside(&engine).await;
    let attempt = apart.audit().unwrap().attempt("import", "files=1").await.unwrap();
    let op = attempt.op().to_string();
    drop(attempt);
    apart.close().await;
    operations(engine.session.audit().unwrap(), 510).await;
    start().await.close().await;
    assert_eq!(noted(), 0, "the first record is open, and not its to settle");
    let apart = beside(&engine).await;
    assert_eq!(outcome(&apart, &op).await.as_deref(), Some("FAILED"));
    apart.close().await;
    // That outcome is behind what was looked at.
    assert_eq!(noted(), 1 + 2 * 510);
    let attempt = engine.session.audit().unwrap().attempt("import", "files=1").await.unwrap();
    let op = attempt.op().to_string();
    drop(attempt);
    let again = start().await;
    assert_eq!(outcome(&again, &op).await.as_deref(), Some("FAILED"));
    again.close().await;
    assert_eq!(noted(), 1 + 2 * 510, "it is noted now and then");
    assert_eq!(look(&engine).await.wrong, 0);
    engine.close().await;
}
