//! A4: nothing but adding is possible.

use super::*;

/// Statements that change what was written, on a table.
fn attacks(table: &str, is_sqlite: bool) -> Vec<String> {
    let columns = "(seq, at, op_id, action, state, actor, detail)";
    let values = "values (1, 1, 'forged', 'x', 'ATTEMPTED', 'x', 'x')";
    let mut all = vec![
        format!("update {table} set detail = 'x'"),
        format!("update {table} set seq = seq where seq = 1"),
        format!("delete from {table}"),
        format!("delete from {table} where seq = 2"),
        format!("insert into {table} {columns} {values}"),
        format!(
            "insert into {table} {columns} {values} on conflict (seq) do update set detail = ''"
        ),
        format!("insert into {table} {columns} {values} on conflict (seq) do nothing"),
    ];
    match is_sqlite {
        true => {
            all.push(format!("insert or replace into {table} {columns} {values}"));
            all.push(format!("replace into {table} {columns} {values}"));
            all.push(format!("insert or ignore into {table} {columns} {values}"));
            all.push(format!("update or ignore {table} set detail = 'x'"));
        }
        false => all.push(format!("truncate {table}")),
    }
    all
}

/// What takes away or alters a table, or what guards it.
const ALTERATIONS: &[&str] = &[
    "drop table audit",
    "drop trigger audit_no_update",
    "drop trigger audit_no_delete",
    "drop index audit_one_outcome",
    "alter table audit rename to other",
    "alter table audit rename column detail to other",
    "alter table audit drop column subject",
    "alter table audit add column other text",
    "create trigger other after insert on audit begin select raise(ignore); end",
    "pragma writable_schema = on; delete from sqlite_master where name = 'audit_no_update'",
];

#[tokio::test]
async fn nothing_but_adding_is_possible_in_a_file() {
    let engine = sqlite().await;
    operations(engine.session.audit().unwrap(), 3).await;
    let AuditStore::Sqlite(pool) = store(&engine) else { panic!() };
    let all = attacks("audit", true);
    // By the program's own connection not even the table can be altered.
    for attack in all.iter().map(String::as_str).chain(ALTERATIONS.iter().copied()) {
        let done = sqlx::raw_sql(AssertSqlSafe(attack.to_owned())).execute(&pool).await;
        assert!(done.is_err(), "{attack}");
        assert_right(&look(&engine).await, 6);
    }
    for attack in &all {
        assert!(as_owner_do(&engine, attack).await.is_err(), "{attack}");
        assert_right(&look(&engine).await, 6);
    }
    // A record that is being added, and given up, leaves no right to write behind.
    drop(store(&engine).begin().await.unwrap());
    assert!(sqlx::raw_sql("drop trigger audit_no_update").execute(&pool).await.is_err());
    operations(engine.session.audit().unwrap(), 1).await;
    assert_right(&look(&engine).await, 8);
    engine.close().await;
}

/// How an owner takes away or alters what guards the rows, and what is told to be wrong then.
const THEFTS_IN_A_FILE: &[(&str, &str)] = &[
    ("drop trigger audit_no_update", "audit_no_update"),
    ("drop trigger audit_no_delete", "audit_no_delete"),
    ("drop trigger audit_no_replace", "audit_no_replace"),
    ("drop index audit_one_outcome", "audit_one_outcome"),
    ("drop index audit_chain", "audit_chain"),
    (
        "drop trigger audit_no_update; create trigger audit_no_update before update on audit \
         begin select raise(ignore); end",
        "audit_no_update",
    ),
    (
        "drop index audit_one_outcome; \
         create unique index audit_one_outcome on audit (op_id, (state = 'attempted'), seq)",
        "audit_one_outcome",
    ),
];

const THEFTS_ON_A_SERVER: &[(&str, &str)] = &[
    ("drop trigger audit_no_change on {audit}", "audit_no_change"),
    ("alter table {audit} disable trigger audit_no_truncate", "audit_no_truncate"),
    // No more when a session says that it is a replica.
    ("alter table {audit} enable trigger audit_no_replace", "audit_no_replace"),
    (
        "create or replace function dashtam_audit.refuse() returns trigger language plpgsql as \
         $$ begin return null; end $$",
        "audit_no_change, audit_no_truncate",
    ),
    (
        "create or replace function dashtam_audit.refuse_known() returns trigger language plpgsql as \
         $$ begin return new; raise exception 'the audit trail is append-only'; end $$",
        "audit_no_replace",
    ),
    (
        "create or replace trigger audit_no_change before update or delete on {audit} \
         for each row when (false) execute function dashtam_audit.refuse(); \
         alter table {audit} enable always trigger audit_no_change",
        "audit_no_change",
    ),
];

/// Who owns a trail can take away what guards it, and nothing refuses that. It is told; the next record
/// makes it again, and says so.
#[tokio::test]
async fn what_guards_the_rows_and_was_taken_away_is_told_and_made_again() {
    for engine in engines().await {
        let is_sqlite = engine.name == "sqlite";
        let audit = engine.session.audit().unwrap();
        operations(audit, 1).await;
        let thefts = if is_sqlite { THEFTS_IN_A_FILE } else { THEFTS_ON_A_SERVER };
        for (theft, guards) in thefts {
            as_owner_do(&engine, theft).await.unwrap();
            let proof = look(&engine).await;
            assert_eq!((proof.wrong, proof.first_bad()), (1, Some(1)), "{theft}");
            assert!(proof.faults[0].what.contains(guards), "{theft}: {:?}", proof.faults);
            operations(audit, 1).await;
            let rows = audit.rows().await.unwrap();
            let told: Vec<_> = rows[rows.len() - 4..]
                .iter()
                .map(|row| (row.action.as_str(), row.state.as_str()))
                .collect();
            let mended = [("audit.mend", "ATTEMPTED"), ("audit.mend", "SUCCEEDED")];
            assert_eq!(told[..2], mended, "{theft}");
            assert_eq!(told[2..], [("export", "ATTEMPTED"), ("export", "FAILED")], "{theft}");
            let detail = format!("guards={}", guards.replace(',', ""));
            assert_eq!(rows[rows.len() - 3].detail, detail);
            assert_right(&look(&engine).await, rows.len());
            for attack in attacks("{audit}", is_sqlite) {
                assert!(as_owner_do(&engine, &attack).await.is_err(), "{theft}: {attack}");
            }
        }
        engine.close().await;
    }
}

/// Opening makes a table, not what somebody took away from it: that would never be told.
#[tokio::test]
async fn what_was_taken_away_before_it_is_opened_is_told() {
    for engine in engines().await {
        let is_sqlite = engine.name == "sqlite";
        operations(engine.session.audit().unwrap(), 1).await;
        let on = if is_sqlite { "" } else { " on {audit}" };
        as_owner_do(&engine, &format!("drop trigger audit_no_replace{on}")).await.unwrap();
        let engine = engine.reopen(Access::Write).await.unwrap();
        let proof = look(&engine).await;
        assert_eq!((proof.wrong, proof.first_bad()), (1, Some(1)), "{}", engine.name);
        assert!(proof.faults[0].what.contains("audit_no_replace"), "{:?}", proof.faults);
        engine.close().await;
    }
}

/// Rows can never go, so what they no longer allow is never there again: that is told, and once.
#[tokio::test]
async fn a_guard_that_cannot_be_made_again_is_told_once() {
    let engine = sqlite().await;
    let audit = engine.session.audit().unwrap();
    operations(audit, 1).await;
    let second_outcome = "drop index audit_one_outcome; drop trigger audit_no_replace; \
        insert into {audit} (seq, at, op_id, action, state, actor, detail) \
        select seq + 1, at, op_id, action, state, actor, detail from {audit} where seq = 2";
    as_owner_do(&engine, second_outcome).await.unwrap();
    operations(audit, 2).await;
    let rows = audit.rows().await.unwrap();
    let mends: Vec<_> = rows.iter().filter(|row| row.action == "audit.mend").collect();
    let told: Vec<_> = mends.iter().map(|row| (row.state.as_str(), row.detail.as_str())).collect();
    let guards = "guards=audit_one_outcome audit_no_replace";
    let failed = ("FAILED", "reason=rows unmade=audit_one_outcome");
    assert_eq!(told, [("ATTEMPTED", guards), failed]);
    let proof = look(&engine).await;
    let guards = proof.faults.iter().filter(|fault| fault.what.contains("was taken away"));
    assert_eq!(guards.count(), 1, "{:?}", proof.faults);
    engine.close().await;
}

/// Where the table itself is gone nothing is done that could not be told, and what is missing is told.
#[tokio::test]
async fn a_table_that_was_taken_away_is_told() {
    for engine in engines().await {
        let audit = engine.session.audit().unwrap();
        operations(audit, 3).await;
        as_owner_do(&engine, "drop table {audit}").await.unwrap();
        assert!(audit.attempt("export", "").await.is_err(), "{}", engine.name);
        let engine = engine.reopen(Access::Write).await.unwrap();
        operations(engine.session.audit().unwrap(), 1).await;
        assert!(look(&engine).await.wrong > 0, "{}", engine.name);
        engine.close().await;
    }
}

/// As a person sees it.
#[test]
fn a_person_is_told_of_a_guard_that_was_taken_away() {
    let home = Home::new();
    home.ok(&["account", "add", "A", "--kind", "checking", "--currency", "USD"]);
    let steal = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let file = SqliteConnectOptions::new().filename(home.data().join("audit.db"));
            let mut file = SqliteConnection::connect_with(&file).await.unwrap();
            sqlx::raw_sql("drop trigger audit_no_update").execute(&mut file).await.unwrap();
            file.close().await.unwrap();
        });
    };
    steal();
    let told = home.run(&["doctor"]);
    assert_eq!(told.code, Some(7), "{told:?}");
    assert!(told.out.contains("audit guards") && told.out.contains("audit_no_update"), "{told:?}");
    let told = home.run(&["audit", "verify"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(format!("{}{}", told.out, told.err).contains("audit_no_update"), "{told:?}");
    // That attempt has made it again, and what comes after it is whole.
    assert_eq!(home.run(&["doctor"]).code, Some(0));
    home.ok(&["audit", "verify"]);
    let list = home.json(&["audit", "list", "--action", "audit.mend"]);
    assert_eq!(list["rows"].as_array().unwrap().len(), 2, "{list}");
}

#[tokio::test]
async fn a_role_of_its_own_owns_the_trail_on_a_server() {
    let Some(url) = postgres_url() else { return };
    if !url.contains("dashtam@") {
        announce("SKIPPED (another role than ours): the owner of a trail");
        return;
    }
    let database = support::postgres::database_of(&url).to_owned();
    let role = format!("app_{database}");
    let as_admin = async |sql: &str| {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    as_admin(&format!(
        "create role {role} login; grant create on database {database} to {role}; \
         grant create, usage on schema public to {role}"
    ))
    .await;
    let ours = url.replacen("dashtam@", &format!("{role}@"), 1);
    let home = Home::new();
    let run = |line: &[&str]| {
        Ran::of(&home.command().args(["--database", &ours]).args(line).output().unwrap())
    };
    assert_eq!(run(&["migrate"]).code, Some(0));
    let told = run(&["doctor"]);
    assert!(told.out.contains("audit owner") && told.out.contains("--admin-url"), "{told:?}");
    // Whoever owns the table may do anything with it.
    let refused = run(&["migrate", "--admin-url", &ours]);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    let made = run(&["migrate", "--admin-url", &url]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(
        run(&["account", "add", "A", "--kind", "brokerage", "--currency", "USD"]).code,
        Some(0)
    );
    let table = "dashtam_audit.audit";
    let mut all = attacks(table, false);
    all.extend([
        format!("drop table {table}"),
        "drop schema dashtam_audit cascade".to_owned(),
        format!("alter table {table} disable trigger all"),
        format!("drop trigger audit_no_change on {table}"),
        "drop function dashtam_audit.refuse() cascade".to_owned(),
        "create or replace function dashtam_audit.refuse() returns trigger language plpgsql as \
         $$ begin return null; end $$"
            .to_owned(),
        "set session_replication_role = replica".to_owned(),
        format!("alter table {table} owner to {role}"),
    ]);
    let mut connection = PgConnection::connect(&ours).await.unwrap();
    for attack in all {
        let done = sqlx::raw_sql(AssertSqlSafe(attack.clone())).execute(&mut connection).await;
        assert!(done.is_err(), "{attack}");
    }
    connection.close().await.unwrap();
    // As a replica even those triggers fire.
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let replica = "set session_replication_role = replica";
    sqlx::raw_sql(replica).execute(&mut connection).await.unwrap();
    for attack in attacks(table, false) {
        let done = sqlx::raw_sql(AssertSqlSafe(attack.clone())).execute(&mut connection).await;
        assert!(done.is_err(), "{attack}");
    }
    connection.close().await.unwrap();
    let verified = run(&["audit", "verify", "--json"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let told = run(&["doctor", "--json"]);
    assert!(told.out.contains("whose rights we lack"), "{told:?}");
    // Its own role may not purge; that of the administrator may.
    assert_eq!(
        run(&["audit", "purge", "--before", "2001-01-01"]).code,
        Some(0),
        "nothing is to go"
    );
    // What its owner takes away our role cannot make again, and says so; its work is recorded still.
    as_admin(&format!("drop trigger audit_no_change on {table}")).await;
    for name in ["B", "C"] {
        let added = run(&["account", "add", name, "--kind", "brokerage", "--currency", "USD"]);
        assert_eq!(added.code, Some(0), "{added:?}");
        let mends = run(&["audit", "list", "--action", "audit.mend", "--json"]);
        assert!(mends.out.contains("reason=rights unmade=audit_no_change"), "{mends:?}");
    }
    let told = run(&["doctor"]);
    assert!(told.out.contains("audit guards") && told.out.contains("--admin-url"), "{told:?}");
    assert_eq!(run(&["audit", "verify"]).code, Some(1));
    assert_eq!(run(&["migrate", "--admin-url", &url]).code, Some(0));
    assert_eq!(run(&["audit", "verify"]).code, Some(0));
    as_admin(&format!("drop owned by {role} cascade")).await;
    as_admin(&format!("drop role {role}")).await;
}
