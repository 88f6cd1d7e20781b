//! Checksums of the rows that say how things came to be: imports and their files, claims, versions,
//! names, findings. Nobody reads these tables whole, so the values are taken as the database has
//! them; their sum is the one that their records have when they are written.

use chrono::NaiveDate;

use super::archive::{ArchivedTable, cell};
use super::cell::{Cell, bind_cell};
use super::integrity::{Damage, unreadable};
use super::record::checksum;
use super::row::damaged;
use super::{Error, Result, Tx, WriteTx, on_tx};
use crate::archive::Value;
use crate::model::SafeText;

/// The tables.
const TABLES: [&str; 17] = [
    "batches",
    "batch_files",
    "staged_rows",
    "raw_records",
    "claims",
    "price_claims",
    "rate_claims",
    "moved_rows",
    "entity_versions",
    "sayings",
    "findings",
    "account_names",
    "remote_accounts",
    "unopened",
    "paused",
    "told_windows",
    "refreshes",
];
/// Their columns that hold days, which come as text.
const DAYS: [&str; 2] = ["date", "trade_date"];
const SUM: &str = "checksum";
/// So many rows are given their checksums at once, with so many to a statement.
const ROWS: usize = 20_000;
const PART: usize = 500;

/// A value of a key that outlives its row.
#[derive(Debug)]
enum Key {
    Int(i64),
    Text(String),
    Day(NaiveDate),
    Bytes(Vec<u8>),
}

impl Key {
    fn of(cell: &Cell<'_>) -> Option<Self> {
        match *cell {
            Cell::Int(value) => value.map(Self::Int),
            Cell::Text(value) => value.map(|text| Self::Text(text.to_owned())),
            Cell::Date(value) => value.map(Self::Day),
            Cell::Bytes(value) => Some(Self::Bytes(value.to_vec())),
            Cell::Dec(_) | Cell::Ratio(_) | Cell::Bool(_) => None,
        }
    }

    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Int(value) => Cell::Int(Some(*value)),
            Self::Text(text) => Cell::Text(Some(text)),
            Self::Day(day) => Cell::Date(Some(*day)),
            Self::Bytes(bytes) => Cell::Bytes(bytes),
        }
    }
}

/// A row as far as its checksum goes.
struct Summed {
    key: Vec<Key>,
    /// The one that it has.
    stored: Option<i64>,
    /// The one that it should have.
    right: i64,
}

impl Summed {
    fn of(table: &ArchivedTable, values: &[Value<'_>]) -> Result<Self> {
        let mut row = Self { key: Vec::new(), stored: None, right: 0 };
        let mut cells = Vec::with_capacity(values.len());
        for (column, value) in table.columns.iter().zip(values) {
            let cell = match (column.name.as_str(), *value) {
                (SUM, Value::Int(sum)) => {
                    row.stored = Some(sum);
                    continue;
                }
                (SUM, _) => continue,
                (name, Value::Text(text)) if DAYS.contains(&name) => {
                    let day = text.parse().map_err(|_| damaged(table.name, "a day"))?;
                    Cell::Date(Some(day))
                }
                (_, value) => cell(&value),
            };
            if column.key.is_some() {
                row.key.extend(Key::of(&cell));
            }
            cells.push(cell);
        }
        row.right = checksum(&cells, &[]);
        Ok(row)
    }

    fn name(&self) -> SafeText {
        let word = |key: &Key| match key {
            Key::Int(value) => value.to_string(),
            Key::Text(text) => text.clone(),
            Key::Day(day) => day.to_string(),
            Key::Bytes(bytes) => format!("{bytes:02x?}"),
        };
        SafeText::capped(&self.key.iter().map(word).collect::<Vec<_>>().join(" "), 200)
    }
}

impl Tx {
    /// The rows of these tables that are not what was written.
    pub(super) async fn damaged_evidence(&mut self, found: &mut Vec<Damage>) -> Result<()> {
        for table in self.summed_tables().await? {
            let name = table.name;
            let done = self.each_archived_row(&table, |values| {
                let row = Summed::of(&table, values)?;
                if row.stored != Some(row.right) {
                    found.push(Damage { table: name, row: row.name() });
                }
                Ok::<(), Error>(())
            });
            if let Err(error) = done.await {
                found.push(unreadable(name, &error));
            }
        }
        Ok(())
    }

    async fn summed_tables(&mut self) -> Result<Vec<ArchivedTable>> {
        let mut tables = self.archived_tables().await?;
        tables.retain(|table| TABLES.contains(&table.name));
        Ok(tables)
    }
}

impl WriteTx {
    /// Gives the rows that have none their checksums: those of an older schema or backup.
    pub(crate) async fn complete_sums(&mut self) -> Result<()> {
        for table in self.summed_tables().await? {
            loop {
                let mut rows = Vec::new();
                let take = |values: &[Value<'_>]| {
                    rows.push(Summed::of(&table, values)?);
                    Ok(())
                };
                self.each_row_without_sum(&table, ROWS, take).await?;
                for rows in rows.chunks(PART) {
                    self.put_sums(&table, rows).await?;
                }
                if rows.len() < ROWS {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn put_sums(&mut self, table: &ArchivedTable, rows: &[Summed]) -> Result<()> {
        let name = table.name;
        let keys = table.columns.iter().filter(|column| column.key.is_some());
        // Columns of a list of values have names of their own on both engines.
        let same: Vec<_> = keys
            .enumerate()
            .map(|(index, key)| format!("{name}.\"{}\" = v.column{}", key.name, index + 1))
            .collect();
        let marks = self.rows_of_marks(rows.len(), same.len() + 1);
        let sql = format!(
            "update {name} set {SUM} = v.column{} from (values {marks}) v where {}",
            same.len() + 1,
            same.join(" and ")
        );
        on_tx!(&mut self.tx, conn => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for row in rows {
                for key in &row.key {
                    query = bind_cell!(query, key.cell());
                }
                query = query.bind(row.right);
            }
            query.execute(&mut **conn).await?;
        });
        Ok(())
    }
}
