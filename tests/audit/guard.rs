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

#[tokio::test]
async fn nothing_but_adding_is_possible_in_a_file() {
    let engine = sqlite().await;
    operations(engine.session.audit().unwrap(), 3).await;
    let AuditStore::Sqlite(pool) = store(&engine) else { panic!() };
    for attack in attacks("audit", true) {
        let done = sqlx::raw_sql(AssertSqlSafe(attack.clone())).execute(&pool).await;
        assert!(done.is_err(), "{attack}");
        assert_right(&look(&engine).await, 6);
    }
    engine.close().await;
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
    as_admin(&format!("drop owned by {role} cascade")).await;
    as_admin(&format!("drop role {role}")).await;
}
