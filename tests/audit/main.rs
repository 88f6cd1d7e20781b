//! The trail as designed: proved link by link, append-only, told twice, exact after any crash. Rows
//! A1 to A12 of the design, each on both engines; long sweeps with `DASHTAM_FULL=1`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::wildcard_imports,
    reason = "a test"
)]

#[path = "../support/mod.rs"]
mod support;

mod apart;
mod chain;
mod guard;
mod keys;
mod list;
mod many;
mod tamper;
mod told;
mod years;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use dashtam::audit::{
    Action, Audit, ChainKey, Hash, Place, Proof, genesis, hash_in, line, verify_as_it_is,
};
use dashtam::clock::Clock;
use dashtam::config::{Config, Environment, Overrides};
use dashtam::model::hex;
use dashtam::model::{AccountKind, Change, Currency, Mode, NewAccount, SafeText, Setting};
use dashtam::service::{self, Access, Session, vault};
use dashtam::store::{AuditFilter, AuditRow, AuditStore, AuditTarget, Target};
use secrecy::SecretString;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use support::engines::{Engine, clock, engines, sqlite, target};
use support::home::{Home, PROGRAM, Ran};
use support::postgres::postgres_url;
use support::{announce, sum_up};

fn is_full() -> bool {
    std::env::var_os("DASHTAM_FULL").is_some_and(|full| full == "1")
}

/// Numbers that look like chance and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn trail_of(config: &Config, folder: &Path) -> AuditTarget {
    match target(config) {
        Target::Sqlite(_) => AuditTarget::Sqlite(folder.join("audit.db")),
        server @ Target::Postgres(_) => server,
    }
}

fn place(engine: &Engine) -> Place {
    Place::of(&engine.config, &trail_of(&engine.config, engine.folder()))
}

fn store(engine: &Engine) -> AuditStore {
    engine.session.audit().unwrap().store().clone()
}

/// What somebody finds who only looks: nothing is written or mended before.
async fn look(engine: &Engine) -> Proof {
    verify_as_it_is(&store(engine), &place(engine), None, None).await.unwrap().unwrap()
}

#[track_caller]
fn assert_right(proof: &Proof, records: usize) {
    assert_eq!((proof.wrong, proof.first_bad()), (0, None), "{:?}", proof.faults);
    let records = u64::try_from(records).unwrap();
    assert_eq!((proof.records, proof.witnessed), (records, records));
}

/// So many operations, one after the other, each with its outcome; every third one fails.
async fn operations(audit: &Audit, count: usize) {
    for number in 0..count {
        let attempt = audit.attempt("export", &format!("number={number}")).await.unwrap();
        match number % 3 {
            0 => attempt.failed("no matter").await.unwrap(),
            _ => attempt.succeeded("rows=1").await.unwrap(),
        }
    }
}

/// A connection to the file of a trail, as somebody makes it who owns that.
async fn as_owner(engine: &Engine) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(engine.folder().join("audit.db"));
    SqliteConnection::connect_with(&file).await.unwrap()
}

/// A statement on the trail, as somebody makes it who owns it; `{audit}` is its table.
async fn as_owner_do(engine: &Engine, sql: &str) -> Result<(), sqlx::Error> {
    match store(engine) {
        AuditStore::Sqlite(_) => {
            let mut file = as_owner(engine).await;
            let sql = AssertSqlSafe(sql.replace("{audit}", "audit"));
            let done = sqlx::raw_sql(sql).execute(&mut file).await.map(drop);
            file.close().await.unwrap();
            done
        }
        AuditStore::Postgres(pool) => {
            let sql = AssertSqlSafe(sql.replace("{audit}", "dashtam_audit.audit"));
            sqlx::raw_sql(sql).execute(&pool).await.map(drop)
        }
    }
}

/// Statements on the trail, as somebody makes them who owns it and lifts what guards it.
async fn forge(engine: &Engine, statements: &[String]) {
    match store(engine) {
        AuditStore::Sqlite(_) => {
            let mut file = as_owner(engine).await;
            let mut tx = file.begin_with("begin immediate").await.unwrap();
            let guards: Vec<(String, String)> = sqlx::query_as(
                "select name, sql from sqlite_master where type = 'trigger' and tbl_name = 'audit'",
            )
            .fetch_all(&mut *tx)
            .await
            .unwrap();
            for (name, _) in &guards {
                let sql = AssertSqlSafe(format!("drop trigger {name}"));
                sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
            }
            for statement in statements {
                let sql = AssertSqlSafe(statement.replace("{audit}", "audit"));
                sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
            }
            for (_, sql) in &guards {
                sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        AuditStore::Postgres(pool) => {
            const TABLE: &str = "dashtam_audit.audit";
            let mut tx = pool.begin().await.unwrap();
            let off = format!("alter table {TABLE} disable trigger user");
            sqlx::raw_sql(AssertSqlSafe(off)).execute(&mut *tx).await.unwrap();
            for statement in statements {
                // Both say bytes and links of text in their own way.
                let sql = statement.replace("{audit}", TABLE);
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap();
            }
            for name in ["audit_no_change", "audit_no_truncate", "audit_no_replace"] {
                let on = format!("alter table {TABLE} enable always trigger {name}");
                sqlx::raw_sql(AssertSqlSafe(on)).execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    }
}

/// A text as both engines read it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn bytes(engine: &Engine, value: &[u8]) -> String {
    match engine.name {
        "sqlite" => format!("x'{}'", hex(value)),
        _ => format!("'\\x{}'", hex(value)),
    }
}

/// A row as it is written again.
fn insert(engine: &Engine, row: &AuditRow) -> String {
    let words = [&row.op, &row.action, &row.state, &row.actor, &row.subject, &row.detail];
    let words = words.map(|word| text(word)).join(", ");
    format!(
        "insert into {{audit}} (seq, at, op_id, action, state, actor, subject, detail, chain, link, \
         hash) values ({}, {}, {words}, {}, {}, {})",
        row.seq,
        row.at,
        text(&row.chain),
        row.link,
        bytes(engine, &row.hash)
    )
}

/// The daily files of a trail, the oldest first.
fn daily(engine: &Engine) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    walk(&engine.config.audit_dir(), &mut found);
    found.sort();
    found
}
