//! The tables of the trail. They are of their own: a store may be restored, its trail goes on.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, SqlitePool};

use super::super::Result;
use super::guards;

const SQLITE: &str = "
create table audit (
    seq integer primary key,
    at integer not null,
    op_id text not null,
    action text not null,
    state text not null check (state in ('ATTEMPTED', 'SUCCEEDED', 'FAILED')),
    actor text not null,
    detail text not null
) strict;
";

/// What makes rows a chain. Those from before have no place in one.
const SQLITE_CHAIN: &str = "
alter table audit add column subject text not null default '';
alter table audit add column chain text not null default '';
alter table audit add column link integer not null default 0;
alter table audit add column hash blob not null default x'';
";

const POSTGRES: &str = "
create schema if not exists dashtam_audit;
create table if not exists dashtam_audit.audit (
    seq bigint primary key,
    at bigint not null,
    op_id text not null,
    action text not null,
    state text not null check (state in ('ATTEMPTED', 'SUCCEEDED', 'FAILED')),
    actor text not null,
    detail text not null
);
create unique index if not exists audit_one_outcome
    on dashtam_audit.audit (op_id, (state = 'ATTEMPTED'));
alter table dashtam_audit.audit add column if not exists subject text not null default '';
alter table dashtam_audit.audit add column if not exists chain text not null default '';
alter table dashtam_audit.audit add column if not exists link bigint not null default 0;
alter table dashtam_audit.audit add column if not exists hash bytea not null default '';
create unique index if not exists audit_chain
    on dashtam_audit.audit (chain, link) where chain <> '';
create index if not exists audit_at on dashtam_audit.audit (at);
create or replace function dashtam_audit.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'the audit trail is append-only'; end $$;
create or replace function dashtam_audit.refuse_known() returns trigger language plpgsql as
    $$ begin
        if exists (select 1 from dashtam_audit.audit where seq = new.seq) then
            raise exception 'the audit trail is append-only';
        end if;
        return new;
    end $$;
create or replace trigger audit_no_change before update or delete on dashtam_audit.audit
    for each row execute function dashtam_audit.refuse();
create or replace trigger audit_no_truncate before truncate on dashtam_audit.audit
    for each statement execute function dashtam_audit.refuse();
create or replace trigger audit_no_replace before insert on dashtam_audit.audit
    for each row execute function dashtam_audit.refuse_known();
alter table dashtam_audit.audit enable always trigger audit_no_change;
alter table dashtam_audit.audit enable always trigger audit_no_truncate;
alter table dashtam_audit.audit enable always trigger audit_no_replace;
";

/// What a function of ours does on a server, as it is made.
pub(super) fn body_of(function: &str) -> Option<&'static str> {
    let (_, made) = POSTGRES.split_once(&format!("function dashtam_audit.{function}() returns"))?;
    made.split("$$").nth(1).map(str::trim)
}

/// How a transaction begins that writes to a file: everybody else may only read.
pub(super) const WRITE: &str = "pragma query_only = off; begin immediate";

/// One process at a time writes to a trail, or makes it; the number is ours alone.
pub(super) const LOCK: &str = "select pg_advisory_xact_lock(6034771251)";

/// How many columns make the table, and how many of these make its rows a chain.
const SQLITE_COLUMNS: &str =
    "select count(*), count(*) filter (where name = 'hash') from pragma_table_info('audit')";

/// Makes what is missing, where there is no trail or one of an older program.
pub(super) async fn make_sqlite(pool: &SqlitePool) -> Result<()> {
    let (_, chained): (i64, i64) = sqlx::query_as(SQLITE_COLUMNS).fetch_one(pool).await?;
    if chained > 0 {
        return Ok(());
    }
    let mut tx = pool.begin_with(WRITE).await?;
    let (columns, chained): (i64, i64) = sqlx::query_as(SQLITE_COLUMNS).fetch_one(&mut *tx).await?;
    if columns == 0 {
        sqlx::raw_sql(SQLITE).execute(&mut *tx).await?;
    }
    if chained == 0 {
        sqlx::raw_sql(SQLITE_CHAIN).execute(&mut *tx).await?;
    }
    guards::make_in_a_file(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// The same on a server.
pub(super) async fn make_postgres(pool: &PgPool) -> Result<()> {
    // What guards it is compared at each record, which tells of what was taken away.
    const IS_MADE: &str = "select count(*) > 0 from pg_attribute where attname = 'hash' \
         and attrelid = to_regclass('dashtam_audit.audit')";
    let made: bool = sqlx::query_scalar(IS_MADE).fetch_one(pool).await?;
    if !made {
        let mut tx = pool.begin().await?;
        make_postgres_in(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The same in a transaction that has begun.
pub(super) async fn make_postgres_in(conn: &mut PgConnection) -> Result<()> {
    sqlx::query(LOCK).execute(&mut *conn).await?;
    sqlx::raw_sql(AssertSqlSafe(POSTGRES)).execute(conn).await?;
    Ok(())
}
