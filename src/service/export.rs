//! Exporting: the store in words, written piece by piece, to a private file or to whoever reads.

use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use chrono::NaiveDate;

use super::{Error, Session};
use crate::config::private::AtomicFile;
use crate::export::{
    CanonicalWriter, ColumnsInUse, JsonWriter, NeutralWriter, PriceColumns, PriceWriter, Writer,
};
use crate::model::{Item, SafeText, UnknownWord};
use crate::report::Contents;

/// How much is gathered before it is written.
const BUFFER: usize = 256 * 1024;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The neutral CSV.
    Neutral,
    /// Everything, to be read back.
    Json,
    /// The sorted dump, to compare stores.
    Canonical,
}

/// The part of a store that is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Transactions.
    Transactions,
    /// Prices and rates.
    Prices,
    /// Everything.
    All,
}

impl FromStr for ExportFormat {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "neutral" => Ok(Self::Neutral),
            "json" => Ok(Self::Json),
            "canonical" => Ok(Self::Canonical),
            _ => Err(unknown(text, "export format", "neutral json canonical")),
        }
    }
}

impl FromStr for What {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "transactions" => Ok(Self::Transactions),
            "prices" => Ok(Self::Prices),
            "all" => Ok(Self::All),
            _ => Err(unknown(text, "part of a store", "transactions prices all")),
        }
    }
}

fn unknown(word: &str, what: &'static str, known: &str) -> UnknownWord {
    UnknownWord { word: SafeText::capped(word, 64), what, known: known.to_owned() }
}

/// What somebody wants exported, and where to.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// In which form.
    pub format: ExportFormat,
    /// Which part; none: what is usual for the form.
    pub what: Option<What>,
    /// Into which file; none: to whoever reads.
    pub out: Option<PathBuf>,
    /// Over a file that is there.
    pub force: bool,
}

/// Exports a store; tells how many prices the form could not hold.
///
/// # Errors
/// When the form cannot hold the part, or the store or the file cannot be used.
pub async fn run(
    session: &Session,
    request: &ExportRequest,
    stdout: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    if session.audit().is_none() {
        return export(session, request, stdout).await;
    }
    let attempt = session.attempt("export", &format!("to_file={}", request.out.is_some())).await?;
    let done = export(session, request, stdout).await;
    match &done {
        Ok(_) => attempt.succeeded("").await?,
        // The error itself is what the person must see, not a trail that cannot be written.
        Err(error) => drop(attempt.failed(error.kind()).await),
    }
    done
}

async fn export(
    session: &Session,
    request: &ExportRequest,
    stdout: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    let usual = match request.format {
        ExportFormat::Neutral => What::Transactions,
        ExportFormat::Json | ExportFormat::Canonical => What::All,
    };
    let what = request.what.unwrap_or(usual);
    if (request.format, what) == (ExportFormat::Neutral, What::All) {
        return Err(Error::Usage(
            "the neutral form has a file for transactions and one for prices; export each with --what",
        ));
    }
    let Some(path) = &request.out else {
        let mut out = io::BufWriter::with_capacity(BUFFER, stdout);
        let skipped = write(session, request.format, what, &mut out).await?;
        out.flush()?;
        return Ok(skipped);
    };
    let fail = |source| Error::Write { path: path.clone(), source };
    let file = AtomicFile::create(path, request.force).map_err(fail)?;
    let mut out = io::BufWriter::with_capacity(BUFFER, file);
    let skipped = write(session, request.format, what, &mut out).await?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.commit().map_err(fail)?;
    Ok(skipped)
}

async fn write(
    session: &Session,
    format: ExportFormat,
    what: What,
    out: &mut (impl Write + Send),
) -> Result<u64, Error> {
    let mut tx = session.store.read().await?;
    let mut contents = match format {
        ExportFormat::Json => Contents::open_whole(&mut tx).await?,
        ExportFormat::Neutral | ExportFormat::Canonical => Contents::open(&mut tx).await?,
    };
    match (format, what) {
        (ExportFormat::Neutral, What::Prices) => {
            let mut columns = PriceColumns::default();
            prices(&mut contents, &mut |item| {
                columns.note(item);
                Ok(())
            })
            .await?;
            let mut writer = PriceWriter::new(out, columns);
            prices(&mut contents, &mut |item| writer.item(item)).await?;
            writer.finish()?;
            Ok(writer.skipped())
        }
        (ExportFormat::Neutral, _) => {
            let mut columns = ColumnsInUse::default();
            transactions(&mut contents, &mut |item| {
                if let Item::Transaction(words) = item {
                    columns.note(words);
                }
                Ok(())
            })
            .await?;
            let mut writer = NeutralWriter::new(out, columns);
            transactions(&mut contents, &mut |item| writer.item(item)).await?;
            writer.finish()?;
            Ok(0)
        }
        (ExportFormat::Json, what) => {
            let mut writer = JsonWriter::new(out);
            everything(&mut contents, what, &mut writer).await?;
            Ok(0)
        }
        (ExportFormat::Canonical, what) => {
            let shared = contents.shared_links().await?;
            let mut writer =
                CanonicalWriter::new(out, move |link: &SafeText| shared.contains(link));
            everything(&mut contents, what, &mut writer).await?;
            Ok(0)
        }
    }
}

async fn everything(
    contents: &mut Contents<'_>,
    what: What,
    writer: &mut (impl Writer + Send),
) -> Result<(), Error> {
    if what == What::All {
        for item in contents.beginning().await? {
            writer.item(&item)?;
        }
    }
    if what != What::Prices {
        transactions(contents, &mut |item| writer.item(item)).await?;
        for words in contents.deleted().await? {
            writer.item(&Item::Transaction(Box::new(words)))?;
        }
    }
    if what != What::Transactions {
        for (security, _) in contents.securities().await? {
            for item in contents.prices(security).await? {
                writer.item(&item)?;
            }
        }
        for item in contents.end().await? {
            if what == What::All || matches!(item, Item::Rate(_)) {
                writer.item(&item)?;
            }
        }
    }
    Ok(writer.finish()?)
}

/// Every transaction, in the order of rows.
async fn transactions(
    contents: &mut Contents<'_>,
    each: &mut (dyn FnMut(&Item) -> io::Result<()> + Send),
) -> Result<(), Error> {
    // No row is older, and no engine knows the first day that a `NaiveDate` can be.
    let mut from = NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(NaiveDate::MIN);
    while let Some((rows, next)) = contents.next_day(from).await? {
        for words in rows {
            each(&Item::Transaction(Box::new(words)))?;
        }
        if next == from {
            break;
        }
        from = next;
    }
    Ok(())
}

/// Every price and rate.
async fn prices(
    contents: &mut Contents<'_>,
    each: &mut (dyn FnMut(&Item) -> io::Result<()> + Send),
) -> Result<(), Error> {
    for (security, _) in contents.securities().await? {
        for item in contents.prices(security).await? {
            each(&item)?;
        }
    }
    for item in contents.end().await? {
        if matches!(item, Item::Rate(_)) {
            each(&item)?;
        }
    }
    Ok(())
}
