//! Transactions as a file, all that fit: they are read and written piece by piece, since there may be
//! a million of them.

use std::io::BufWriter;
use std::path::Path;

use super::{Error, Session};
use crate::config::private::{AtomicFile, WriteError};
use crate::export::cells::{Cell, Lines};
use crate::model::Dec;
use crate::report::{Pages, TransactionRow, WindowQuery, WindowRow};
use crate::text::Figures;

/// What is written: which rows, in which order, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSheet {
    /// Which rows, wherever it looks: so many of them are read at once.
    pub query: WindowQuery,
    /// Which way.
    pub oldest_first: bool,
    /// What of each row.
    pub columns: Vec<LedgerColumn>,
}

/// What a file can tell of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerColumn {
    /// Its day.
    Date,
    /// Whose it is.
    Account,
    /// What happened, and whether it is settled.
    Type,
    /// Of what.
    Symbol,
    /// How much of it.
    Quantity,
    /// What one of it cost.
    Price,
    /// The change of the cash.
    Amount,
    /// The cash after it.
    Balance,
    /// In the source's words.
    Description,
    /// The currency of all its money.
    Currency,
}

impl LedgerColumn {
    const fn title(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::Account => "Account",
            Self::Type => "Type",
            Self::Symbol => "Symbol",
            Self::Quantity => "Quantity",
            Self::Price => "Price",
            Self::Amount => "Amount",
            Self::Balance => "Balance",
            Self::Description => "Description",
            Self::Currency => "Currency",
        }
    }

    /// What stands in it: figures as exact as they are known.
    fn cell(self, row: &TransactionRow, balance: Option<Dec>) -> Cell {
        let figure = |figure: Option<Dec>| Cell::plain(Figures::plain(false).maybe(figure));
        match self {
            Self::Date => Cell::Plain(row.date.to_string()),
            Self::Account => Cell::Text(row.account.clone()),
            Self::Type => Cell::Plain(row.told_subtype()),
            Self::Symbol => Cell::text(row.symbol.as_ref()),
            Self::Quantity => figure(row.quantity),
            Self::Price => figure(row.price),
            Self::Amount => figure(Some(row.amount)),
            Self::Balance => figure(balance),
            Self::Description => Cell::text(row.description.as_ref()),
            Self::Currency => Cell::Plain(row.currency.to_string()),
        }
    }
}

impl LedgerSheet {
    /// Writes it into a private file that is not there yet, and tells again and again how many rows
    /// are written.
    ///
    /// # Errors
    /// When the file is there, or it, the trail or the store cannot be used.
    pub async fn write(
        &self,
        session: &Session,
        path: &Path,
        told: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), Error> {
        let attempt = session.attempt("export", "").await?;
        let written = self.write_rows(session, path, told).await;
        match &written {
            Ok(()) => attempt.committed("").await,
            // The error itself is what the person must see.
            Err(error) => drop(attempt.failed(error.kind()).await),
        }
        written
    }

    async fn write_rows(
        &self,
        session: &Session,
        path: &Path,
        told: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), Error> {
        let fail = |source| Error::Write { path: path.to_owned(), source };
        let fail_at = |source| fail(WriteError::Io { path: path.to_owned(), source });
        let file = AtomicFile::create(path, false).map_err(fail)?;
        let titles: Vec<_> = self.columns.iter().map(|column| column.title()).collect();
        let mut lines = Lines::begin(BufWriter::new(file), &titles).map_err(fail_at)?;
        let mut tx = session.store.read().await?;
        let mut pages = Pages::of(&mut tx, &self.query, self.oldest_first).await?;
        let mut count = 0;
        while let Some(rows) = pages.next(&mut tx).await? {
            for WindowRow { row, balance, .. } in &rows {
                let cells: Vec<_> =
                    self.columns.iter().map(|column| column.cell(row, *balance)).collect();
                lines.line(&cells).map_err(fail_at)?;
            }
            count += rows.len() as u64;
            told(count);
        }
        let file = lines.end().map_err(fail_at)?.into_inner();
        let file = file.map_err(std::io::IntoInnerError::into_error).map_err(fail_at)?;
        file.commit().map_err(fail)
    }
}
