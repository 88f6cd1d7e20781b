//! The test harness is tested: two databases are two, and addresses are rewritten rightly.

mod support;

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use support::postgres::{is_left_over, postgres_url, with_database};

#[tokio::test]
async fn each_call_gives_an_empty_database_of_its_own() {
    for _ in 0..2 {
        let Some(url) = postgres_url() else { return };
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let tables = "select count(*) from pg_tables where schemaname = 'public'";
        let count: i64 = sqlx::query_scalar(tables).fetch_one(&mut connection).await.unwrap();
        assert_eq!(count, 0);
        sqlx::query("create table mark (id int)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[test]
fn only_the_database_of_an_address_changes() {
    let rewritten = [
        ("postgres://u:p@host:1/old?sslmode=disable", "postgres://u:p@host:1/new?sslmode=disable"),
        ("postgres://host", "postgres://host/new"),
        ("postgres://%2Ftmp%2Fpg?user=a", "postgres://%2Ftmp%2Fpg/new?user=a"),
    ];
    for (from, to) in rewritten {
        assert_eq!(with_database(from, "new"), to);
    }
}

#[test]
fn only_old_databases_of_ours_are_left_over() {
    let now = Duration::from_secs(1_000_000);
    assert!(is_left_over("dashtam_test_900000_1_0", now));
    assert!(!is_left_over("dashtam_test_999000_1_0", now));
    assert!(!is_left_over("dashtam_test_2000000_1_0", now));
    assert!(!is_left_over("dashtam_testament", now));
    assert!(!is_left_over("dashtam_test_mine", now));
}
