//! Stores as older programs kept them: a store of today, with one migration after the other taken
//! back.

use super::machine::Machine;

/// What takes each migration back, from the second one on.
const BACK: &[&[&str]] = &[
    // 2: derived figures.
    &[
        "drop table lot_groups",
        "drop table lot_pages",
        "drop table positions",
        "drop table cash_years",
        "drop table cash_transit",
        "drop index transactions_splits",
        "drop index transactions_moves",
        "drop index transactions_pending",
    ],
    // 3: pages of half a year, figures that are made again.
    &[
        "delete from lot_pages",
        "alter table lot_pages rename column half to year",
        "drop table figures_due",
    ],
    // 4: refreshing.
    &["drop table refresher", "drop table refreshes", "drop table ticks"],
    // 5: accounts of connections.
    &["drop table remote_accounts"],
    // 6: figures that are made again.
    &[],
    // 7: what a restore keeps of another trail.
    &["drop table audit_evidence"],
];

/// The schema of this program.
pub fn newest() -> usize {
    BACK.len() + 1
}

/// Takes a store back to an older schema.
pub fn make_older(machine: &Machine, schema: usize) {
    assert_eq!(
        i64::try_from(newest()).unwrap(),
        dashtam::store::newest_schema(),
        "BACK says for each migration what takes it back"
    );
    let mut statements: Vec<_> =
        BACK.iter().skip(schema - 1).rev().flat_map(|back| back.iter().copied()).collect();
    let forget = format!("delete from _sqlx_migrations where version > {schema}");
    statements.push(&forget);
    machine.sql(&statements);
}
