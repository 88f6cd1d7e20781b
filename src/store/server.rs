//! A transaction on a server that takes rows in bulk while its user goes on: they stream into the
//! tables in a task of their own, by `copy`. Whoever wants the connection waits for the end of
//! that. Knows rows only as the text that `copy` takes, not what they are.
//!
//! Each `copy` waits for the network at its end, so there must be few of them: rows wait until
//! there are many, and one `copy` goes on for as long as nobody wants anything else.

use std::mem;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Error, Result};
use crate::tasks::{self, Task};

/// How many bytes go to the task at once, and how many such parts may wait for it.
const PART: usize = 256 * 1024;
const PARTS: usize = 4;
/// How many bytes begin a `copy`, and how many end that of another table.
const MANY: usize = 4 * PART;
const TOO_MANY: usize = 32 * PART;

/// A transaction on a server. Dropping it takes everything back.
#[derive(Debug)]
pub struct ServerTx {
    connection: Connection,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
enum Connection {
    Free(Transaction<'static, Postgres>),
    Copying(Copying),
    Lost,
}

/// Rows of one table that are not yet on their way.
#[derive(Debug)]
struct Waiting {
    table: &'static str,
    columns: String,
    rows: String,
}

/// The task that has the connection, and where it takes rows from.
#[derive(Debug)]
struct Copying {
    table: &'static str,
    rows: mpsc::Sender<String>,
    task: JoinHandle<(Transaction<'static, Postgres>, sqlx::Result<()>)>,
}

/// Begins a transaction, in a task of its own that goes on to its end: where somebody gives up while
/// it begins, the driver would not know of it, and the next to use the connection would be in it.
pub(super) async fn begin(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    let begun = tasks::spawn(Task::Beginning, async move { pool.begin_with(statement).await });
    Ok(begun.await.map_err(|_| lost())??)
}

impl From<Transaction<'static, Postgres>> for ServerTx {
    fn from(tx: Transaction<'static, Postgres>) -> Self {
        Self { connection: Connection::Free(tx), waiting: Vec::new() }
    }
}

impl ServerTx {
    /// The transaction, with every row in its table.
    pub(super) async fn settled(&mut self) -> Result<&mut Transaction<'static, Postgres>> {
        self.send_rest().await;
        self.end_copy().await?;
        for waiting in mem::take(&mut self.waiting) {
            if !waiting.rows.is_empty() {
                self.begin_copy(waiting.table, &waiting.columns);
                self.send(waiting.rows).await;
                self.end_copy().await?;
            }
        }
        self.free()
    }

    /// The transaction, to write what rows that wait may refer to.
    pub(super) async fn ahead(&mut self) -> Result<&mut Transaction<'static, Postgres>> {
        self.end_copy().await?;
        self.free()
    }

    /// The transaction, whatever became of the rows.
    pub(super) async fn into_inner(mut self) -> Result<Transaction<'static, Postgres>> {
        let ended = self.end_copy().await;
        match self.connection {
            Connection::Free(tx) => Ok(tx),
            _ => Err(ended.err().unwrap_or_else(lost)),
        }
    }

    /// Adds rows of a table, each a line as `write` makes it.
    pub(super) async fn copy(
        &mut self,
        table: &'static str,
        columns: impl FnOnce() -> String,
        write: impl FnOnce(&mut String),
    ) -> Result<()> {
        let place = self.waiting.iter().position(|waiting| waiting.table == table);
        let place = place.unwrap_or_else(|| {
            self.waiting.push(Waiting { table, columns: columns(), rows: String::new() });
            self.waiting.len() - 1
        });
        let Some(waiting) = self.waiting.get_mut(place) else { return Ok(()) };
        write(&mut waiting.rows);
        let enough = match &self.connection {
            Connection::Copying(copying) if copying.table == table => PART,
            Connection::Copying(_) => TOO_MANY,
            _ => MANY,
        };
        if waiting.rows.len() < enough {
            return Ok(());
        }
        let rows = mem::take(&mut waiting.rows);
        if enough != PART {
            let columns = waiting.columns.clone();
            self.end_copy().await?;
            self.begin_copy(table, &columns);
        }
        self.send(rows).await;
        Ok(())
    }

    fn begin_copy(&mut self, table: &'static str, columns: &str) {
        self.connection = match mem::replace(&mut self.connection, Connection::Lost) {
            Connection::Free(tx) => {
                let statement = format!("copy {table} ({columns}) from stdin");
                let (rows, taken) = mpsc::channel(PARTS);
                let task = tasks::spawn(Task::Copying, copy(tx, statement, taken));
                Connection::Copying(Copying { table, rows, task })
            }
            other => other,
        };
    }

    /// What the `copy` on its way still lacks: all rows of its table are one statement then.
    async fn send_rest(&mut self) {
        let Connection::Copying(copying) = &self.connection else { return };
        let mut all = self.waiting.iter_mut();
        if let Some(waiting) = all.find(|waiting| waiting.table == copying.table) {
            let rows = mem::take(&mut waiting.rows);
            self.send(rows).await;
        }
    }

    async fn send(&mut self, rows: String) {
        if let Connection::Copying(copying) = &self.connection {
            // A task that has ended says why when it is waited for.
            let _ = copying.rows.send(rows).await;
        }
    }

    async fn end_copy(&mut self) -> Result<()> {
        match mem::replace(&mut self.connection, Connection::Lost) {
            Connection::Copying(Copying { rows, task, .. }) => {
                drop(rows);
                let (tx, copied) = task.await.map_err(|_| lost())?;
                self.connection = Connection::Free(tx);
                Ok(copied?)
            }
            other => {
                self.connection = other;
                Ok(())
            }
        }
    }

    fn free(&mut self) -> Result<&mut Transaction<'static, Postgres>> {
        match &mut self.connection {
            Connection::Free(tx) => Ok(tx),
            _ => Err(lost()),
        }
    }
}

async fn copy(
    mut tx: Transaction<'static, Postgres>,
    statement: String,
    rows: mpsc::Receiver<String>,
) -> (Transaction<'static, Postgres>, sqlx::Result<()>) {
    let copied = copy_all(&mut tx, &statement, rows).await;
    (tx, copied)
}

async fn copy_all(
    connection: &mut PgConnection,
    statement: &str,
    mut rows: mpsc::Receiver<String>,
) -> sqlx::Result<()> {
    let mut copy = connection.copy_in_raw(statement).await?;
    while let Some(rows) = rows.recv().await {
        // Rows that waited long are many, and the connection keeps as much room as its largest part.
        for part in rows.as_bytes().chunks(PART) {
            copy.send(part).await?;
        }
    }
    copy.finish().await.map(drop)
}

fn lost() -> Error {
    Error::Server("the connection was lost while it was in use".to_owned())
}
