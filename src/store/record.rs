//! Rows as records: one description of a table's columns serves the insert on both engines, the
//! update and the checksum.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use super::cell::{Cell, bind_cell};
use super::{Error, Result, Tx};

/// The most rows of one statement; more gains nothing and costs memory.
const ROWS: usize = 500;
/// SQLite's limit of bound values in one statement.
const BINDS: usize = 32_000;
/// Up to so many rows Postgres gets in one statement: a `copy` of a few rows is several small
/// messages, each of which waits on the network for the one before.
const FEW: usize = 16;
/// How much text one message of a Postgres `copy` carries.
const COPY_BYTES: usize = 256 * 1024;

/// A row of a table. The checksum column, where there is one, is not among `COLUMNS`.
pub(super) trait Record {
    const TABLE: &'static str;
    /// The columns of `cells`, in order; the first `KEYS` of them are the key.
    const COLUMNS: &'static [&'static str];
    const KEYS: usize = 1;
    const CHECKSUM: bool = true;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>);

    /// Over every column but the checksum itself.
    fn checksum(&self) -> i64
    where
        Self: Sized,
    {
        checksum(&cells_of(self))
    }
}

fn cells_of<R: Record>(row: &R) -> Vec<Cell<'_>> {
    let mut cells = Vec::with_capacity(R::COLUMNS.len());
    row.cells(&mut cells);
    cells
}

/// Over every column but the checksum itself.
fn checksum(cells: &[Cell<'_>]) -> i64 {
    let mut bytes = Vec::with_capacity(384);
    for cell in cells {
        cell.digest(&mut bytes);
    }
    i64::from(crc32fast::hash(&bytes))
}

/// The texts that a statement binds. Neighbours often say the same, a day or a word, and then
/// share one text.
#[derive(Default)]
struct Texts<'a> {
    last: Vec<(Cell<'a>, Option<Arc<str>>)>,
    buffer: String,
}

impl<'a> Texts<'a> {
    fn of(&mut self, place: usize, cell: &Cell<'a>) -> Option<Arc<str>> {
        while self.last.len() <= place {
            self.last.push((Cell::Bool(false), None));
        }
        let last = self.last.get_mut(place)?;
        if last.0 != *cell {
            *last = (*cell, cell.sqlite_text(&mut self.buffer));
        }
        last.1.clone()
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
    fn of(rows: &[&[Cell<'_>]], index: usize) -> Self {
        let mut cells = rows.iter().filter_map(|row| row.get(index));
        let Some(first) = cells.next() else { return Self::Empty };
        if !cells.all(|cell| cell == first) {
            return Self::Bound;
        }
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match first {
            cell if cell.is_null() => Self::Empty,
            Cell::Int(Some(value)) => Self::Same(value.to_string()),
            Cell::Bool(value) => Self::Same(value.to_string()),
            Cell::Text(Some(text)) if is_word(text) => Self::Same(format!("'{text}'")),
            _ => Self::Bound,
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
            Self::Postgres(_) if rows.len() <= FEW => self.insert_few(rows).await,
            Self::Postgres(_) => self.copy(rows).await,
        }
    }

    async fn insert_values<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let Self::Sqlite(tx) = self else { return Ok(()) };
        for rows in rows.chunks(ROWS) {
            let mut cells = Vec::with_capacity(rows.len() * R::COLUMNS.len());
            for row in rows {
                row.cells(&mut cells);
            }
            let cells: Vec<&[Cell<'_>]> = cells.chunks(R::COLUMNS.len()).collect();
            let columns: Vec<Column> =
                (0..R::COLUMNS.len()).map(|index| Column::of(&cells, index)).collect();
            let mut names: Vec<&str> = Vec::with_capacity(columns.len() + 1);
            let mut values: Vec<&str> = Vec::with_capacity(columns.len() + 1);
            let mut bound = Vec::with_capacity(columns.len());
            for (index, (name, column)) in R::COLUMNS.iter().zip(&columns).enumerate() {
                let value = match column {
                    Column::Empty => continue,
                    Column::Same(literal) => literal,
                    Column::Bound => {
                        bound.push(index);
                        "?"
                    }
                };
                names.push(name);
                values.push(value);
            }
            if R::CHECKSUM {
                names.push("checksum");
                values.push("?");
            }
            let width = bound.len() + usize::from(R::CHECKSUM);
            let tuple = format!("({})", values.join(","));
            for cells in cells.chunks((BINDS / width.max(1)).max(1)) {
                let head = format!("insert into {} ({}) values ", R::TABLE, names.join(","));
                let mut sql = String::with_capacity(head.len() + (tuple.len() + 1) * cells.len());
                sql.push_str(&head);
                for index in 0..cells.len() {
                    if index > 0 {
                        sql.push(',');
                    }
                    sql.push_str(&tuple);
                }
                let mut query = sqlx::query(AssertSqlSafe(sql));
                let mut texts = Texts::default();
                for row in cells {
                    for (place, index) in bound.iter().enumerate() {
                        if let Some(cell) = row.get(*index) {
                            query = match texts.of(place, cell) {
                                Some(text) => query.bind(text),
                                None => bind_cell!(query, *cell),
                            };
                        }
                    }
                    if R::CHECKSUM {
                        query = query.bind(checksum(row));
                    }
                }
                query.execute(&mut **tx).await?;
            }
        }
        Ok(())
    }

    async fn insert_few<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let Self::Postgres(tx) = self else { return Ok(()) };
        let mut names = R::COLUMNS.to_vec();
        if R::CHECKSUM {
            names.push("checksum");
        }
        let marks = |row: usize| {
            let first = row * names.len();
            let marks: Vec<_> = (1..=names.len()).map(|at| format!("${}", first + at)).collect();
            format!("({})", marks.join(","))
        };
        let values: Vec<_> = (0..rows.len()).map(marks).collect();
        let sql =
            format!("insert into {} ({}) values {}", R::TABLE, names.join(","), values.join(","));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in rows {
            let cells = cells_of(row);
            let sum = checksum(&cells);
            for cell in cells {
                query = bind_cell!(query, cell);
            }
            if R::CHECKSUM {
                query = query.bind(sum);
            }
        }
        query.execute(&mut **tx).await?;
        Ok(())
    }

    async fn copy<R: Record>(&mut self, rows: &[R]) -> Result<()> {
        let Self::Postgres(tx) = self else { return Ok(()) };
        let mut names = R::COLUMNS.to_vec();
        if R::CHECKSUM {
            names.push("checksum");
        }
        let statement = format!("copy {} ({}) from stdin", R::TABLE, names.join(","));
        let mut copy = tx.copy_in_raw(&statement).await?;
        let mut text = String::with_capacity(COPY_BYTES);
        let mut cells = Vec::with_capacity(R::COLUMNS.len());
        for row in rows {
            cells.clear();
            row.cells(&mut cells);
            for (index, cell) in cells.iter().enumerate() {
                if index > 0 {
                    text.push('\t');
                }
                cell.copy_text(&mut text);
            }
            if R::CHECKSUM {
                text.push('\t');
                Cell::Int(Some(checksum(&cells))).copy_text(&mut text);
            }
            text.push('\n');
            if text.len() > COPY_BYTES {
                copy.send(text.as_bytes()).await?;
                text.clear();
            }
        }
        copy.send(text.as_bytes()).await?;
        copy.finish().await?;
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

fn key_condition<R: Record>() -> String {
    let conditions: Vec<_> = R::COLUMNS
        .iter()
        .take(R::KEYS)
        .enumerate()
        .map(|(index, column)| format!("{column} = ${}", index + 1))
        .collect();
    conditions.join(" and ")
}
