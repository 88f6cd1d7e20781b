//! Imports: each a batch of files, with the rows that could not simply be stored.

use super::cell::Cell;
use super::record::Record;
use super::row::{both_rows, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{BatchId, TransactionId};

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Stored.
    New,
    /// There already.
    Duplicate,
    /// There already, now another version.
    Changed,
    /// The source gave the same id to something else.
    Conflict,
    /// Not understood.
    Refused,
}

impl Verdict {
    /// The word in the store and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Duplicate => "duplicate",
            Self::Changed => "changed",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Verdict {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        [Self::New, Self::Duplicate, Self::Changed, Self::Conflict, Self::Refused]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
            .ok_or(())
    }
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// Its number.
    pub id: BatchId,
    /// The operation that made it.
    pub op: String,
    /// Microseconds since the epoch.
    pub created: i64,
    /// Microseconds since the epoch, once taken back.
    pub undone: Option<i64>,
}

/// A file of an import and what became of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchFile {
    /// The import.
    pub batch: i64,
    /// Its place among the files of the import.
    pub file_no: i64,
    /// As it was named.
    pub path: String,
    /// The format it was read as.
    pub format: String,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// Its size.
    pub bytes: i64,
    /// Rows read.
    pub rows: i64,
    /// Rows stored.
    pub new: i64,
    /// Rows that were there already.
    pub duplicate: i64,
    /// Rows that became another version.
    pub changed: i64,
    /// Rows that contradict what is stored.
    pub conflict: i64,
    /// Rows not understood.
    pub refused: i64,
}

/// A row of an import that was not simply stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedRow {
    /// The import.
    pub batch: BatchId,
    /// Which file of it.
    pub file_no: i64,
    /// Where in the file.
    pub line: i64,
    /// Which of the rows that the line stands for.
    pub part: i64,
    /// What became of it.
    pub verdict: Verdict,
    /// The row it contradicts.
    pub transaction: Option<TransactionId>,
    /// The column that is wrong.
    pub column: Option<String>,
    /// What is wrong with it.
    pub why: Option<String>,
    /// As the source wrote it, reversibly escaped.
    pub raw: String,
}

both_rows!(BatchRow, |row| {
    Ok(Self {
        id: BatchId(row.try_get(0)?),
        op: row.try_get(1)?,
        created: row.try_get(2)?,
        undone: row.try_get(3)?,
    })
});

impl Record for BatchRow {
    const TABLE: &'static str = "batches";
    const COLUMNS: &'static [&'static str] = &["id", "op_id", "created", "undone"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id.0)),
            Cell::text(&self.op),
            Cell::Int(Some(self.created)),
            Cell::Int(self.undone),
        ]);
    }
}

both_rows!(BatchFile, |row| {
    Ok(Self {
        batch: row.try_get(0)?,
        file_no: row.try_get(1)?,
        path: row.try_get(2)?,
        format: row.try_get(3)?,
        digest: row.try_get(4)?,
        bytes: row.try_get(5)?,
        rows: row.try_get(6)?,
        new: row.try_get(7)?,
        duplicate: row.try_get(8)?,
        changed: row.try_get(9)?,
        conflict: row.try_get(10)?,
        refused: row.try_get(11)?,
    })
});

impl Record for BatchFile {
    const TABLE: &'static str = "batch_files";
    const COLUMNS: &'static [&'static str] = &[
        "batch_id",
        "file_no",
        "path",
        "format",
        "digest",
        "bytes",
        "rows",
        "new",
        "duplicate",
        "changed",
        "conflict",
        "refused",
    ];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let int = |value: i64| Cell::Int(Some(value));
        into.extend([
            int(self.batch),
            int(self.file_no),
            Cell::text(&self.path),
            Cell::text(&self.format),
            Cell::text(&self.digest),
            int(self.bytes),
            int(self.rows),
            int(self.new),
            int(self.duplicate),
            int(self.changed),
            int(self.conflict),
            int(self.refused),
        ]);
    }
}

both_rows!(StagedRow, |row| {
    Ok(Self {
        batch: BatchId(row.try_get(0)?),
        file_no: row.try_get(1)?,
        line: row.try_get(2)?,
        part: row.try_get(3)?,
        verdict: word(row.try_get(4)?, "verdict")?,
        transaction: row.try_get::<Option<i64>, _>(5)?.map(TransactionId),
        column: row.try_get(6)?,
        why: row.try_get(7)?,
        raw: row.try_get(8)?,
    })
});

impl Record for StagedRow {
    const TABLE: &'static str = "staged_rows";
    const COLUMNS: &'static [&'static str] = &[
        "batch_id",
        "file_no",
        "line",
        "part",
        "verdict",
        "transaction_id",
        "problem_column",
        "why",
        "raw",
    ];
    const KEYS: usize = 4;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.batch.0)),
            Cell::Int(Some(self.file_no)),
            Cell::Int(Some(self.line)),
            Cell::Int(Some(self.part)),
            Cell::Text(Some(self.verdict.as_str())),
            Cell::Int(self.transaction.map(|id| id.0)),
            Cell::text(&self.column),
            Cell::text(&self.why),
            Cell::text(&self.raw),
        ]);
    }
}

/// Rows of a file as they stood in it.
struct RawPiece<'a> {
    id: i64,
    batch: BatchId,
    file_no: i64,
    first_line: i64,
    lines: &'a str,
}

impl Record for RawPiece<'_> {
    const TABLE: &'static str = "raw_records";
    const COLUMNS: &'static [&'static str] = &["id", "batch_id", "file_no", "first_line", "lines"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id)),
            Cell::Int(Some(self.batch.0)),
            Cell::Int(Some(self.file_no)),
            Cell::Int(Some(self.first_line)),
            Cell::Text(Some(self.lines)),
        ]);
    }
}

impl Tx {
    /// A row of an import as it stood in its file, reversibly escaped.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn raw_record(
        &mut self,
        batch: BatchId,
        file_no: i64,
        line: i64,
    ) -> Result<Option<String>> {
        const SQL: &str = "select lines from raw_records where batch_id = $1 and file_no = $2 and \
             first_line <= $3 order by first_line desc limit 1";
        let lines: Option<String> = on_tx!(self, conn => {
            let query = sqlx::query_scalar(SQL).bind(batch.0).bind(file_no).bind(line);
            query.fetch_optional(&mut **conn).await?
        });
        let number = line.to_string();
        Ok(lines.and_then(|lines| {
            let mut rows = lines.lines().filter_map(|row| row.split_once('\t'));
            rows.find(|(at, _)| *at == number).map(|(_, raw)| raw.to_owned())
        }))
    }

    /// Every import, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn batches(&mut self) -> Result<Vec<BatchRow>> {
        const SQL: &str = "select id, op_id, created, undone from batches order by id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The files of every import, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn batch_files(&mut self) -> Result<Vec<BatchFile>> {
        const SQL: &str = "select batch_id, file_no, path, format, digest, bytes, rows, new, \
             duplicate, changed, conflict, refused from batch_files order by batch_id, file_no";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The rows of an import that were not simply stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn staged_rows(&mut self, batch: BatchId) -> Result<Vec<StagedRow>> {
        const SQL: &str = "select batch_id, file_no, line, part, verdict, transaction_id, \
             problem_column, why, raw from staged_rows where batch_id = $1 \
             order by file_no, line, part";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).bind(batch.0).fetch_all(&mut **conn).await?))
    }
}

impl WriteTx {
    /// The number of the next import: imports count from 1, so that people can name them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_batch(&mut self) -> Result<BatchId> {
        const SQL: &str = "select coalesce(max(id), 0) + 1 from batches";
        let id: i64 =
            on_tx!(&mut self.tx, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?);
        Ok(BatchId(id))
    }

    /// Keeps rows of a file as they stood in it: for each a line number, a tab, the row and a line
    /// end.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_raw(
        &mut self,
        batch: BatchId,
        file_no: i64,
        first_line: i64,
        lines: &str,
    ) -> Result<()> {
        let id = self.take_id();
        self.insert_many(&[RawPiece { id, batch, file_no, first_line, lines }]).await
    }

    /// Adds an import.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_batch(&mut self, batch: &BatchRow) -> Result<()> {
        self.insert(std::slice::from_ref(batch)).await
    }

    /// Adds the files of an import and its rows that were not simply stored.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_batch_files(
        &mut self,
        files: &[BatchFile],
        staged: &[StagedRow],
    ) -> Result<()> {
        self.insert(files).await?;
        self.insert(staged).await
    }

    /// Writes that an import was taken back.
    ///
    /// # Errors
    /// When the database refuses or there is no such import.
    pub async fn update_batch(&mut self, batch: &BatchRow) -> Result<()> {
        self.update(batch).await
    }
}
