//! Rows as records: one description of a table's columns serves the insert on both engines, the
//! update and the checksum.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::cell::{Cell, bind_cell};
use super::{Error, Result, Tx};
use crate::model::Dec;

/// The most rows of one statement; more gains nothing and costs memory.
const ROWS: usize = 500;
/// SQLite's limit of bound values in one statement.
const BINDS: usize = 32_000;
/// The most rows of one statement on Postgres, whose arrays are bound whole.
const ARRAY: usize = 5_000;

/// A row of a table. The checksum column, where there is one, is not among `COLUMNS`.
pub(super) trait Record {
    const TABLE: &'static str;
    /// The columns of `cells`, in order; the first `KEYS` of them are the key.
    const COLUMNS: &'static [&'static str];
    const KEYS: usize = 1;
    const CHECKSUM: bool = true;
    /// So many of the last columns came with later schemas, the oldest first: where those of one and
    /// of all after it say nothing, the checksum is that of a row which never had them.
    const ADDED: &'static [usize] = &[];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>);

    /// Over every column but the checksum itself.
    fn checksum(&self) -> i64
    where
        Self: Sized,
    {
        checksum(&cells_of(self), Self::ADDED)
    }
}

impl<R: Record> Record for &R {
    const TABLE: &'static str = R::TABLE;
    const COLUMNS: &'static [&'static str] = R::COLUMNS;
    const KEYS: usize = R::KEYS;
    const CHECKSUM: bool = R::CHECKSUM;
    const ADDED: &'static [usize] = R::ADDED;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        R::cells(self, into);
    }
}

fn cells_of<R: Record>(row: &R) -> Vec<Cell<'_>> {
    let mut cells = Vec::with_capacity(R::COLUMNS.len());
    row.cells(&mut cells);
    cells
}

/// Over every column but the checksum itself.
pub(super) fn checksum(cells: &[Cell<'_>], added: &[usize]) -> i64 {
    let mut bytes = Vec::with_capacity(384);
    let mut said = cells;
    for columns in added.iter().rev() {
        let (before, these) = said.split_at(said.len().saturating_sub(*columns));
        if these.iter().any(|cell| !cell.is_null()) {
            break;
        }
        said = before;
    }
    for cell in said {
        cell.digest(&mut bytes);
    }
    i64::from(crc32fast::hash(&bytes))
}

/// The last day or word that a column of a statement bound. Neighbours often say the same, and then
/// share one text.
#[derive(Default)]
struct LastText<'a> {
    cell: Option<Cell<'a>>,
    text: Option<Arc<str>>,
}

impl<'a> LastText<'a> {
    fn of(&mut self, cell: &Cell<'a>, buffer: &mut String) -> Option<Arc<str>> {
        if !matches!(cell, Cell::Text(_) | Cell::Date(_)) {
            return cell.sqlite_text(buffer);
        }
        if self.cell.as_ref() != Some(cell) {
            *self = Self { cell: Some(*cell), text: cell.sqlite_text(buffer) };
        }
        self.text.clone()
    }
}

/// How a column of many rows is written: rows of one import share much, and what is not bound a
/// thousand times costs nothing.
enum Column {
    /// Null everywhere: left to its default.
    Empty,
    /// The same everywhere, as SQL.
    Same(String),
    /// Bound for each row.
    Bound,
}

impl Column {
    /// Every column of these rows.
    fn all(rows: &[&[Cell<'_>]]) -> Vec<Self> {
        let Some((first, others)) = rows.split_first() else { return Vec::new() };
        let mut differs = vec![false; first.len()];
        for row in others {
            for ((differs, cell), first) in differs.iter_mut().zip(*row).zip(*first) {
                *differs = *differs || cell != first;
            }
        }
        let column = |(cell, differs)| if differs { Self::Bound } else { Self::same(cell) };
        first.iter().zip(differs).map(column).collect()
    }

    fn same(cell: &Cell<'_>) -> Self {
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match cell {
            cell if cell.is_null() => Self::Empty,
            Cell::Int(Some(value)) => Self::Same(value.to_string()),
            Cell::Bool(value) => Self::Same(value.to_string()),
            Cell::Text(Some(text)) if is_word(text) => Self::Same(format!("'{text}'")),
            _ => Self::Bound,
        }
    }
}

/// A column of many rows, as Postgres takes it.
enum Array<'a> {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<Cow<'a, str>>>),
    Dec(Vec<Option<Decimal>>),
    Date(Vec<Option<NaiveDate>>),
    Bytes(Vec<&'a [u8]>),
    Bool(Vec<bool>),
}

impl<'a> Array<'a> {
    /// None where every cell is null: the column is left to its default.
    fn of(rows: &[&[Cell<'a>]], index: usize) -> Option<Self> {
        let cells = || rows.iter().filter_map(|row| row.get(index));
        if cells().all(Cell::is_null) {
            return None;
        }
        macro_rules! column {
            ($kind:ident, $value:ident => $made:expr) => {
                Self::$kind(
                    cells()
                        .filter_map(|cell| match cell {
                            Cell::$kind($value) => Some($made),
                            _ => None,
                        })
                        .collect(),
                )
            };
        }
        Some(match cells().next()? {
            Cell::Int(_) => column!(Int, value => *value),
            Cell::Text(_) => column!(Text, value => value.map(Cow::Borrowed)),
            Cell::Dec(_) => column!(Dec, value => value.map(Dec::inner)),
            Cell::Date(_) => column!(Date, value => *value),
            Cell::Bytes(_) => column!(Bytes, value => *value),
            Cell::Bool(_) => column!(Bool, value => *value),
            Cell::Ratio(_) => Self::Text(
                cells()
                    .filter_map(|cell| match cell {
                        Cell::Ratio(value) => Some(value.map(|ratio| ratio.to_string().into())),
                        _ => None,
                    })
                    .collect(),
            ),
        })
    }

    const fn sql_type(&self) -> &'static str {
        match self {
            Self::Int(_) => "bigint",
            Self::Text(_) => "text",
            Self::Dec(_) => "numeric",
            Self::Date(_) => "date",
            Self::Bytes(_) => "bytea",
            Self::Bool(_) => "boolean",
        }
    }
}

impl Tx {
    /// Inserts rows that are known to be new.
    pub(super) async fn insert<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(_) => self.insert_values(rows).await,
            Self::Postgres(_) => self.unnest(rows).await,
        }
    }

    /// Inserts rows of a long row of rows: on Postgres they may wait and go together, until
    /// somebody asks.
    pub(super) async fn insert_many<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let Self::Postgres(server) = self else { return self.insert(rows).await };
        let columns = || {
            let checksum = if R::CHECKSUM { ",checksum" } else { "" };
            R::COLUMNS.join(",") + checksum
        };
        let write = |lines: &mut String| {
            let mut cells = Vec::with_capacity(R::COLUMNS.len() + 1);
            for row in rows {
                row.cells(&mut cells);
                if R::CHECKSUM {
                    cells.push(Cell::Int(Some(checksum(&cells, R::ADDED))));
                }
                for (index, cell) in cells.drain(..).enumerate() {
                    if index > 0 {
                        lines.push('\t');
                    }
                    cell.write_copy(lines);
                }
                lines.push('\n');
            }
        };
        server.copy(R::TABLE, columns, write).await
    }

    async fn insert_values<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let mut all = Vec::with_capacity(rows.len().min(ROWS) * R::COLUMNS.len());
        for rows in rows.chunks(ROWS) {
            all.clear();
            for row in rows {
                row.cells(&mut all);
            }
            let added = R::CHECKSUM.then_some(R::ADDED);
            self.insert_cells(R::TABLE, R::COLUMNS, &all, added).await?;
        }
        Ok(())
    }

    /// Inserts rows into a file: the cells of one after the other, with their checksum where they
    /// are to have one and so many of the columns came later.
    pub(super) async fn insert_cells(
        &mut self,
        table: &str,
        all_columns: &[&str],
        all: &[Cell<'_>],
        added: Option<&[usize]>,
    ) -> Result<()> {
        let Self::Sqlite(tx) = self else { return Ok(()) };
        let cells: Vec<&[Cell<'_>]> = all.chunks(all_columns.len().max(1)).collect();
        let columns = Column::all(&cells);
        let mut names: Vec<&str> = Vec::with_capacity(columns.len() + 1);
        let mut values: Vec<&str> = Vec::with_capacity(columns.len() + 1);
        let mut bound = Vec::with_capacity(columns.len());
        for (index, (name, column)) in all_columns.iter().zip(&columns).enumerate() {
            let value = match column {
                Column::Empty => continue,
                Column::Same(literal) => literal,
                Column::Bound => {
                    bound.push((index, LastText::default()));
                    "?"
                }
            };
            names.push(name);
            values.push(value);
        }
        if added.is_some() {
            names.push("checksum");
            values.push("?");
        }
        let width = bound.len() + usize::from(added.is_some());
        let mut buffer = String::new();
        let tuple = format!("({})", values.join(","));
        for cells in cells.chunks((BINDS / width.max(1)).max(1)) {
            let head = format!("insert into {table} ({}) values ", names.join(","));
            let mut sql = String::with_capacity(head.len() + (tuple.len() + 1) * cells.len());
            sql.push_str(&head);
            for index in 0..cells.len() {
                if index > 0 {
                    sql.push(',');
                }
                sql.push_str(&tuple);
            }
            let mut arguments = SqliteArguments::default();
            arguments.reserve(width * cells.len(), 0);
            for row in cells {
                for (index, last) in &mut bound {
                    if let Some(cell) = row.get(*index) {
                        match last.of(cell, &mut buffer) {
                            Some(text) => arguments.add(text),
                            None => cell.add_to(&mut arguments),
                        }
                        .map_err(sqlx::Error::Encode)?;
                    }
                }
                if let Some(added) = added {
                    arguments.add(checksum(row, added)).map_err(sqlx::Error::Encode)?;
                }
            }
            sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// One statement, one message, one array for each column: a `copy` would wait for the network
    /// between its messages.
    async fn unnest<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let Self::Postgres(server) = self else { return Ok(()) };
        let tx = server.ahead().await?;
        for rows in rows.chunks(ARRAY) {
            let mut cells = Vec::with_capacity(rows.len() * R::COLUMNS.len());
            for row in rows {
                row.cells(&mut cells);
            }
            let cells: Vec<&[Cell<'_>]> = cells.chunks(R::COLUMNS.len()).collect();
            let mut names: Vec<&str> = Vec::with_capacity(R::COLUMNS.len() + 1);
            let mut arrays: Vec<String> = Vec::with_capacity(R::COLUMNS.len() + 1);
            let mut query_binds = Vec::with_capacity(R::COLUMNS.len() + 1);
            for (index, name) in R::COLUMNS.iter().enumerate() {
                if let Some(array) = Array::of(&cells, index) {
                    names.push(name);
                    arrays.push(format!("${}::{}[]", arrays.len() + 1, array.sql_type()));
                    query_binds.push(array);
                }
            }
            if R::CHECKSUM {
                names.push("checksum");
                arrays.push(format!("${}::bigint[]", arrays.len() + 1));
                let sums = cells.iter().map(|row| Some(checksum(row, R::ADDED))).collect();
                query_binds.push(Array::Int(sums));
            }
            let sql = format!(
                "insert into {} ({}) select * from unnest({})",
                R::TABLE,
                names.join(","),
                arrays.join(",")
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for array in query_binds {
                query = match array {
                    Array::Int(values) => query.bind(values),
                    Array::Text(values) => query.bind(values),
                    Array::Dec(values) => query.bind(values),
                    Array::Date(values) => query.bind(values),
                    Array::Bytes(values) => query.bind(values),
                    Array::Bool(values) => query.bind(values),
                };
            }
            query.execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Writes every column of a row that is there already.
    pub(super) async fn update<R: Record>(&mut self, row: &R) -> Result<()> {
        let mut set = String::new();
        for (index, column) in R::COLUMNS.iter().enumerate().skip(R::KEYS) {
            set.push_str(&format!("{column} = ${}, ", index + 1));
        }
        if R::CHECKSUM {
            set.push_str(&format!("checksum = ${}", R::COLUMNS.len() + 1));
        } else {
            set.truncate(set.len().saturating_sub(2));
        }
        let sql = format!("update {} set {set} where {}", R::TABLE, key_condition::<R>());
        let changed = super::on_tx!(self, conn => {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for cell in cells_of(row) {
                query = bind_cell!(query, cell);
            }
            if R::CHECKSUM {
                query = query.bind(row.checksum());
            }
            query.execute(&mut **conn).await?.rows_affected()
        });
        if changed == 1 { Ok(()) } else { Err(Error::Missing(Cow::Borrowed(R::TABLE))) }
    }

    /// Takes a row away by its key.
    pub(super) async fn remove<R: Record>(&mut self, row: &R) -> Result<()> {
        let sql = format!("delete from {} where {}", R::TABLE, key_condition::<R>());
        super::on_tx!(self, conn => {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for cell in cells_of(row).into_iter().take(R::KEYS) {
                query = bind_cell!(query, cell);
            }
            query.execute(&mut **conn).await?;
        });
        Ok(())
    }
}

impl Tx {
    /// Takes rows away by their keys, of more than one column.
    pub(super) async fn remove_all<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let columns = R::COLUMNS.iter().take(R::KEYS).copied().collect::<Vec<_>>().join(",");
        for rows in rows.chunks(ROWS) {
            let keys = self.list_of_marks(rows.len(), R::KEYS);
            let sql = format!("delete from {} where ({columns}) in ({keys})", R::TABLE);
            super::on_tx!(self, conn => {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for row in rows {
                    for cell in cells_of(row).into_iter().take(R::KEYS) {
                        query = bind_cell!(query, cell);
                    }
                }
                query.execute(&mut **conn).await?;
            });
        }
        Ok(())
    }
}

fn key_condition<R: Record>() -> String {
    let conditions: Vec<_> = R::COLUMNS
        .iter()
        .take(R::KEYS)
        .enumerate()
        .map(|(index, column)| format!("{column} = ${}", index + 1))
        .collect();
    conditions.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_came_later_and_says_nothing_changes_no_checksum() {
        let old = [Cell::Int(Some(7)), Cell::Text(None), Cell::Text(Some("X"))];
        let with = |sector, tags| [&old[..], &[Cell::Text(sector), Cell::Text(tags)]].concat();
        assert_eq!(checksum(&with(None, None), &[2]), checksum(&old, &[]));
        let sums = [(None, None), (Some("a"), None), (None, Some("a")), (Some("a"), Some("a"))];
        let sums = sums.map(|(sector, tags)| checksum(&with(sector, tags), &[2]));
        let different: std::collections::BTreeSet<_> = sums.iter().collect();
        assert_eq!(different.len(), sums.len());
        // Of two later schemas: what the first brought is as it was before the second.
        let sector = [&old[..], &[Cell::Text(Some("a"))]].concat();
        assert_eq!(checksum(&with(Some("a"), None), &[1, 1]), checksum(&sector, &[1]));
        assert_eq!(checksum(&with(None, None), &[1, 1]), checksum(&old, &[]));
        let last = checksum(&with(None, Some("a")), &[1, 1]);
        assert_eq!(last, checksum(&with(None, Some("a")), &[]));
    }
}
