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
    // 7: all that is asked of a move is in its index.
    &[
        "drop index transactions_moves",
        "create index transactions_moves on transactions (trade_date) where link is null and subtype \
         in ('deposit', 'withdrawal', 'wire_in', 'wire_out', 'transfer_in', 'transfer_out', \
         'internal', 'journal')",
    ],
    // 8: the trails of restored stores.
    &["drop table audit_evidence"],
    // 9: what securities are added up by.
    &[
        "alter table securities drop column sector",
        "alter table securities drop column region",
        "alter table securities drop column tags",
    ],
    // 10: figures that are made again.
    &[],
    // 11: the days of accounts.
    &["drop table account_days"],
    // 12: checksums of rows that tell how things came to be.
    &[
        "alter table batches drop column checksum",
        "alter table batch_files drop column checksum",
        "alter table staged_rows drop column checksum",
        "alter table raw_records drop column checksum",
        "alter table claims drop column checksum",
        "alter table price_claims drop column checksum",
        "alter table rate_claims drop column checksum",
        "alter table moved_rows drop column checksum",
        "alter table entity_versions drop column checksum",
        "alter table sayings drop column checksum",
        "alter table findings drop column checksum",
        "alter table account_names drop column checksum",
        "alter table remote_accounts drop column checksum",
        "alter table refreshes drop column checksum",
    ],
    // 13: sealed secrets, used limits.
    &["drop table secrets", "drop table quotas"],
    // 14: days of accounts that are made again.
    &["delete from account_days"],
    // 15: what counts in performance.
    &["alter table accounts drop column performance"],
    // 16: openings that are not made yet.
    &["drop table unopened"],
    // 17: connections that rest.
    &["drop table paused"],
    // 18: groups and targets of what is watched, alerts of more than a price and their log.
    &[
        "drop table alert_log",
        "alter table watchlist drop column list",
        "alter table watchlist drop column target",
        "alter table watchlist drop column units_of",
        "alter table alerts drop column what",
        "alter table alerts drop column units_of",
        "alter table alerts drop column snoozed",
        "alter table alerts drop column crossed",
    ],
    // 19: the currency of targets and bounds.
    &["alter table watchlist drop column said_in", "alter table alerts drop column said_in"],
    // 20: the index of moves in other words.
    MOVES_COVERED,
    // 21: what is told of a first history.
    &["drop table told_windows"],
];

const MOVES_COVERED: &[&str] = &[
    "drop index transactions_moves",
    "create index transactions_moves on transactions (trade_date, account_id, seq, rank, subtype, \
     security_id, quantity, currency, amount, status, deleted) where link is null and subtype in \
     ('deposit', 'withdrawal', 'wire_in', 'wire_out', 'transfer_in', 'transfer_out', 'internal', \
     'journal')",
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
