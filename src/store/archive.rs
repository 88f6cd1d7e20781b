//! Whole tables out and in, for backups: every row as it stands, checksums and all. What a table has
//! for columns is asked of the database, so that an older schema can be read too.
//!
//! An older backup goes into the newer schema by the names of its tables and columns, and what it
//! lacks has its default. A migration that renames a column, or changes what one means, therefore
//! has to teach `ledger::restore` the same.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Decode, Row as _, Sqlite};

use super::cell::Cell;
use super::row::damaged;
use super::{Error, Result, Tx, WriteTx, on_tx};
use crate::archive::Value;

/// Every table that a backup holds, in an order in which each refers only to those before it.
pub const ARCHIVED: &[&str] = &[
    MARKS,
    "settings",
    "institutions",
    "connections",
    "batches",
    "batch_files",
    "staged_rows",
    "accounts",
    "account_names",
    "remote_accounts",
    "unopened",
    "paused",
    "told_windows",
    "secrets",
    "balances",
    "securities",
    "security_symbols",
    "prices",
    "rates",
    "price_claims",
    "rate_claims",
    "ticks",
    "categories",
    "transactions",
    "moved_rows",
    "raw_records",
    "transaction_versions",
    "claims",
    "entity_versions",
    "sayings",
    "findings",
    "watchlist",
    "alerts",
    "alert_log",
    "targets",
    "refreshes",
    "quotas",
    EVIDENCE,
];

/// Every table that is made again from the others.
pub const DERIVED: &[&str] = &[
    "tally",
    "lot_groups",
    "lot_pages",
    "positions",
    "cash_years",
    "cash_transit",
    "figures_due",
    "account_days",
];

/// What the database keeps for itself: how far it is, and who refreshes it now.
pub const OF_ITS_OWN: &[&str] = &["store_state", "refresher", "_sqlx_migrations"];

/// What trails of other stores said.
pub const EVIDENCE: &str = "audit_evidence";
/// A store may have the marks of operations and still be empty.
const MARKS: &str = "applied_ops";

/// A table as the database has it.
#[derive(Clone, Debug)]
pub struct ArchivedTable {
    /// Its name.
    pub name: &'static str,
    pub(super) columns: Vec<Column>,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    kind: Kind,
    /// Its place in the key.
    pub key: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Int,
    Bool,
    Text,
    Bytes,
}

impl Kind {
    /// Days and decimals are text.
    fn of(sql_type: &str) -> Self {
        match sql_type.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Self::Int,
            "boolean" => Self::Bool,
            "blob" | "bytea" => Self::Bytes,
            _ => Self::Text,
        }
    }
}

impl ArchivedTable {
    /// The names of its columns.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// Every row that is as the condition says, by its key.
    fn select(&self, condition: &str) -> String {
        let mut key: Vec<&Column> = self.columns.iter().filter(|c| c.key.is_some()).collect();
        key.sort_by_key(|column| column.key);
        let key = list(key.iter().map(|column| column.name.as_str()));
        let columns = list(self.columns.iter().map(|column| column.name.as_str()));
        format!("select {columns} from {} {condition} order by {key}", self.name)
    }
}

/// Names of columns, quoted: some are words of SQL.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",")
}

impl Tx {
    /// The tables that a backup of this database holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn archived_tables(&mut self) -> Result<Vec<ArchivedTable>> {
        const SQLITE: &str = "select name, type, nullif(pk, 0) from pragma_table_info($1)";
        const POSTGRES: &str = "select a.attname::text, format_type(a.atttypid, null), \
             array_position(i.indkey::int2[], a.attnum)::bigint from pg_attribute a \
             left join pg_index i on i.indrelid = a.attrelid and i.indisprimary \
             where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped \
             and a.attgenerated = '' order by a.attnum";
        let mut tables = Vec::new();
        for name in ARCHIVED {
            let columns: Vec<(String, String, Option<i64>)> = match self {
                Self::Sqlite(tx) => sqlx::query_as(SQLITE).bind(*name).fetch_all(&mut **tx).await?,
                Self::Postgres(server) => {
                    let tx = server.settled().await?;
                    sqlx::query_as(POSTGRES).bind(*name).fetch_all(&mut **tx).await?
                }
            };
            let column = |(name, kind, key): (String, String, _)| {
                let kind = Kind::of(&kind);
                Column { name, kind, key }
            };
            let columns: Vec<_> = columns.into_iter().map(column).collect();
            // An older schema lacks some.
            if !columns.is_empty() {
                tables.push(ArchivedTable { name, columns });
            }
        }
        Ok(tables)
    }

    /// Whether anybody has put anything into this store.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_content(&mut self) -> Result<bool> {
        for table in self.archived_tables().await? {
            if table.name == MARKS {
                continue;
            }
            let sql = format!("select count(*) from (select 1 from {} limit 1) t", table.name);
            let sql = AssertSqlSafe(sql);
            let rows: i64 =
                on_tx!(self, conn => sqlx::query_scalar(sql).fetch_one(&mut **conn).await?);
            if rows > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next id that would be given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_id(&mut self) -> Result<i64> {
        const SQL: &str = "select next_id from store_state";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }

    /// The operation that was done last, if any was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_op(&mut self) -> Result<Option<String>> {
        const SQL: &str =
            "select op_id from applied_ops order by revision desc, at desc, op_id desc limit 1";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_optional(&mut **conn).await?))
    }

    /// Shows every row of a table, by its key, without keeping any.
    ///
    /// # Errors
    /// When the database cannot be read, and what `each` says.
    pub async fn each_archived_row<E: From<Error>>(
        &mut self,
        table: &ArchivedTable,
        each: impl FnMut(&[Value<'_>]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.each_row_of(table, table.select(""), each).await
    }

    /// The first rows without a checksum, so many at most.
    pub(super) async fn each_row_without_sum(
        &mut self,
        table: &ArchivedTable,
        most: usize,
        each: impl FnMut(&[Value<'_>]) -> Result<()>,
    ) -> Result<()> {
        let sql = format!("{} limit {most}", table.select("where checksum is null"));
        self.each_row_of(table, sql, each).await
    }

    async fn each_row_of<E: From<Error>>(
        &mut self,
        table: &ArchivedTable,
        sql: String,
        mut each: impl FnMut(&[Value<'_>]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match self {
            Self::Sqlite(tx) => {
                let query = sqlx::query(AssertSqlSafe(sql));
                let mut rows = query.fetch(&mut **tx);
                while let Some(row) = rows.try_next().await.map_err(Error::from)? {
                    let mut values = Vec::with_capacity(table.columns.len());
                    for (index, column) in table.columns.iter().enumerate() {
                        let value = of_sqlite(&row, index, column.kind);
                        values.push(value.map_err(|error| E::from(error.into()))?);
                    }
                    each(&values)?;
                }
            }
            Self::Postgres(server) => {
                let tx = server.settled().await?;
                // Rows come as lines of text: the driver need not know their types.
                let copy = format!("copy ({sql}) to stdout");
                let mut lines = tx.copy_out_raw(&copy).await.map_err(Error::from)?;
                let mut buffers = vec![Vec::new(); table.columns.len()];
                while let Some(line) = lines.try_next().await.map_err(Error::from)? {
                    let values = of_copy(&line, &table.columns, &mut buffers);
                    let values = values.ok_or_else(|| damaged(table.name, "a row"));
                    each(&values.map_err(|error| E::from(error.into()))?)?;
                }
            }
        }
        Ok(())
    }
}

impl WriteTx {
    /// Makes an empty store ready for rows of another one: what was done here without any effect is
    /// forgotten, and until the commit rows may refer to rows that come after them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn expect_archived(&mut self) -> Result<()> {
        const FORGET: &str = "delete from applied_ops";
        on_tx!(&mut self.tx, conn => sqlx::query(FORGET).execute(&mut **conn).await?.rows_affected());
        // A server looks at the end of each statement, and all rows of a table come in one.
        if let Tx::Sqlite(tx) = &mut self.tx {
            sqlx::query("pragma defer_foreign_keys = on").execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Writes rows as they were read, value after value: so many columns, and a row again.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_archived(
        &mut self,
        table: &ArchivedTable,
        columns: &[String],
        values: &[Value<'_>],
    ) -> Result<()> {
        let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let cells: Vec<Cell<'_>> = values.iter().map(cell).collect();
        match &mut self.tx {
            tx @ Tx::Sqlite(_) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                tx.insert_cells(table.name, &names, &cells, None).await
            }
            Tx::Postgres(server) => {
                let write = |lines: &mut String| {
                    for row in cells.chunks(names.len().max(1)) {
                        for (index, cell) in row.iter().enumerate() {
                            if index > 0 {
                                lines.push('\t');
                            }
                            cell.write_copy(lines);
                        }
                        lines.push('\n');
                    }
                };
                server.copy(table.name, || names.join(","), write).await
            }
        }
    }

    /// Ends a table: its rows are there when this returns.
    ///
    /// # Errors
    /// When the database refuses them.
    pub async fn end_archived(&mut self) -> Result<()> {
        if let Tx::Postgres(server) = &mut self.tx {
            server.settled().await?;
        }
        Ok(())
    }

    /// The number of the next trail of another store.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_trail(&mut self) -> Result<i64> {
        const SQL: &str = "select coalesce(max(trail), 0) + 1 from audit_evidence";
        Ok(on_tx!(&mut self.tx, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }

    /// Revisions and ids go on behind those that were given already.
    pub fn go_on_behind(&mut self, revision: i64, next_id: i64) {
        self.revision = self.revision.max(revision.saturating_add(1));
        self.next_id = self.next_id.max(next_id);
    }
}

pub(super) const fn cell<'a>(value: &Value<'a>) -> Cell<'a> {
    match *value {
        Value::Null => Cell::Int(None),
        Value::Int(number) => Cell::Int(Some(number)),
        Value::Text(text) => Cell::Text(Some(text)),
        Value::Bytes(bytes) => Cell::Bytes(bytes),
    }
}

fn of_sqlite(
    row: &sqlx::sqlite::SqliteRow,
    index: usize,
    kind: Kind,
) -> std::result::Result<Value<'_>, sqlx::Error> {
    use sqlx::ValueRef as _;
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Int | Kind::Bool => <i64 as Decode<'_, Sqlite>>::decode(value).map(Value::Int),
        Kind::Text => <&str as Decode<'_, Sqlite>>::decode(value).map(Value::Text),
        Kind::Bytes => <&[u8] as Decode<'_, Sqlite>>::decode(value).map(Value::Bytes),
    }
    .map_err(|source| sqlx::Error::ColumnDecode { index: index.to_string(), source })
}

/// A line of `copy`. What is escaped in it is undone in the buffer of its column.
fn of_copy<'a>(
    line: &'a [u8],
    columns: &[Column],
    buffers: &'a mut [Vec<u8>],
) -> Option<Vec<Value<'a>>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let fields = line.split(|byte| *byte == b'\t');
    let mut values = Vec::with_capacity(columns.len());
    for ((field, column), buffer) in fields.zip(columns).zip(buffers) {
        if field == br"\N" {
            values.push(Value::Null);
            continue;
        }
        values.push(match column.kind {
            Kind::Int => Value::Int(str::from_utf8(field).ok()?.parse().ok()?),
            Kind::Bool => Value::Int(i64::from(field == b"t")),
            Kind::Text if !field.contains(&b'\\') => Value::Text(str::from_utf8(field).ok()?),
            Kind::Text => {
                unescape(field, buffer)?;
                Value::Text(str::from_utf8(buffer).ok()?)
            }
            Kind::Bytes => {
                of_hex(field.strip_prefix(br"\\x")?, buffer)?;
                Value::Bytes(buffer)
            }
        });
    }
    (values.len() == columns.len()).then_some(values)
}

fn unescape(field: &[u8], into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        into.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                other => *other,
            },
            plain => *plain,
        });
    }
    Some(())
}

fn of_hex(digits: &[u8], into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for pair in digits.chunks(2) {
        let [high, low] = pair else { return None };
        into.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_copy_is_read_as_it_was_meant() {
        let column = |kind| Column { name: String::new(), kind, key: None };
        let columns = [Kind::Int, Kind::Bool, Kind::Text, Kind::Text, Kind::Bytes, Kind::Text];
        let columns = columns.map(column);
        let mut buffers = vec![Vec::new(); columns.len()];
        let line = b"-5\tt\tplain\ta\\tb\\\\N\\n\t\\\\x00ff10\t\\N\n";
        let values = of_copy(line, &columns, &mut buffers).unwrap();
        let right = [
            Value::Int(-5),
            Value::Int(1),
            Value::Text("plain"),
            Value::Text("a\tb\\N\n"),
            Value::Bytes(&[0, 255, 16]),
            Value::Null,
        ];
        assert_eq!(values, right);
        let mut buffers = vec![Vec::new(); columns.len()];
        assert_eq!(of_copy(b"-5\tt\tplain\n", &columns, &mut buffers), None);
        assert_eq!(of_copy(b"x\tt\tp\tq\t\\\\x\t\\N\n", &columns, &mut buffers), None);
    }
}
