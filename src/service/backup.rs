//! Backing a store up: one file with everything in it, taken at one moment while others go on.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::restore::Backup;
use super::{Error, Session};
use crate::archive::{Counts, Header, Section, Value, Writer};
use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::private::{AtomicFile, WriteError, check_private, create_dir_private};
use crate::config::{Config, ConfigError};
use crate::ledger::TRAIL;
use crate::store::{AuditRow, SchemaState, Store};

/// How much is gathered before it is written.
const BUFFER: usize = 256 * 1024;
/// How many backups from before migrations are kept.
const KEPT: usize = 5;
/// How those are called: this, the schemas, the time, and the ending.
const BEFORE: &str = "before-migration-";
const ENDING: &str = ".dashtam-backup";

/// Backs a store up into a new file, or with `force` over one that is there.
///
/// # Errors
/// When the store cannot be read or the file not be written; then the file is as it was.
pub async fn run(session: &Session, path: &Path, force: bool) -> Result<Counts, Error> {
    let audit = session.audit().ok_or(Error::ReadOnly)?;
    let target = Target { path, force };
    attempt(&session.store, audit, &session.clock, target, "").await
}

/// Backs an older store up before its schema changes; gives the file, where there was anything to
/// lose.
///
/// # Errors
/// When it could not be written; then nothing may be migrated.
pub(super) async fn before_migration(
    config: &Config,
    store: &Store,
    audit: &Audit,
    schema: SchemaState,
    clock: &Clock,
) -> Result<Option<PathBuf>, Error> {
    let done = async {
        if !store.read().await?.has_content().await? {
            return Ok(None);
        }
        let folder = config.backup_dir();
        create_dir_private(&folder)
            .map_err(|source| ConfigError::Folder { path: folder.clone(), source })?;
        check_private(&folder)?;
        let time = clock.now().format("%Y%m%dT%H%M%SZ");
        let SchemaState { found, known } = schema;
        let last_op = store.read().await?.last_op().await?;
        // A migration that fails is tried at every start.
        if let Some(path) = made_before(&folder, found, last_op.as_deref()) {
            return Ok(Some(path));
        }
        // Another store of this folder may be migrated in the same second.
        let name = |number: u32| match number {
            1 => format!("{BEFORE}{found}-{known}-{time}{ENDING}"),
            _ => format!("{BEFORE}{found}-{known}-{number}-{time}{ENDING}"),
        };
        let mut paths = (1..).map(|number| folder.join(name(number)));
        let path = paths.find(|path| !path.exists()).unwrap_or_default();
        let target = Target { path: &path, force: false };
        attempt(store, audit, clock, target, "before=migration").await?;
        forget_older(&folder, &path);
        Ok(Some(path))
    };
    done.await.map_err(|source| Error::NotBackedUp(Box::new(source)))
}

/// Where a backup goes.
#[derive(Clone, Copy)]
struct Target<'a> {
    path: &'a Path,
    force: bool,
}

async fn attempt(
    store: &Store,
    audit: &Audit,
    clock: &Clock,
    target: Target<'_>,
    detail: &str,
) -> Result<Counts, Error> {
    let attempt = audit.attempt("backup", detail).await?;
    let done = write(store, audit, clock, target).await;
    match &done {
        Ok(counts) => attempt.succeeded(&format!("rows={}", counts.rows)).await?,
        // The error itself is what the person must see, not a trail that cannot be written.
        Err(error) => drop(attempt.failed(error.kind()).await),
    }
    done
}

async fn write(
    store: &Store,
    audit: &Audit,
    clock: &Clock,
    target: Target<'_>,
) -> Result<Counts, Error> {
    let path = target.path;
    let refused = |source| Error::Write { path: path.to_owned(), source };
    let failed = |source| refused(WriteError::Io { path: path.to_owned(), source });
    let file = AtomicFile::create(path, target.force).map_err(refused)?;
    let schema = store.schema().await?.found;
    // The trail first: of whatever it says that it is done, the rows are there then.
    let newest = audit.newest().await?;
    let mut tx = store.read().await?;
    let header = Header {
        schema,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        engine: store.engine().to_owned(),
        made: clock.now().timestamp_micros(),
        revision: tx.revision().await?,
        next_id: tx.next_id().await?,
        last_op: tx.last_op().await?,
    };
    let out = BufWriter::with_capacity(BUFFER, file);
    let mut writer = Writer::begin(out, &header).map_err(failed)?;
    for table in tx.archived_tables().await? {
        let section = Section { name: table.name.to_owned(), columns: table.columns() };
        writer.table(&section).map_err(failed)?;
        tx.each_archived_row(&table, |row| writer.row(row).map_err(failed)).await?;
        writer.end().map_err(failed)?;
    }
    write_trail(audit, newest, &mut writer, failed).await?;
    let (out, counts) = writer.finish().map_err(failed)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error).map_err(failed)?;
    file.commit().map_err(refused)?;
    Ok(counts)
}

async fn write_trail<W: Write>(
    audit: &Audit,
    newest: i64,
    writer: &mut Writer<W>,
    failed: impl Fn(io::Error) -> Error + Copy,
) -> Result<(), Error> {
    let columns = ["seq", "at", "op_id", "action", "state", "actor", "detail"];
    let columns = columns.map(str::to_owned).to_vec();
    writer.table(&Section { name: TRAIL.to_owned(), columns }).map_err(failed)?;
    let mut after = 0;
    loop {
        let rows = audit.rows_between(after, newest).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for AuditRow { seq, at, op, action, state, actor, detail, .. } in &rows {
            let words = [op, action, state, actor, detail].map(|word| Value::Text(word));
            let row = [&[Value::Int(*seq), Value::Int(*at)], &words[..]].concat();
            writer.row(&row).map_err(failed)?;
        }
    }
    writer.end().map_err(failed)
}

/// The backups from before migrations, the oldest first.
fn from_before(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut ours: Vec<(String, String)> = names
        .filter_map(|name| {
            let (_, time) = name.strip_prefix(BEFORE)?.strip_suffix(ENDING)?.rsplit_once('-')?;
            Some((time.to_owned(), name))
        })
        .collect();
    ours.sort();
    ours.into_iter().map(|(_, name)| folder.join(name)).collect()
}

/// A whole backup of the store as it is now.
fn made_before(folder: &Path, schema: i64, last_op: Option<&str>) -> Option<PathBuf> {
    let newest = from_before(folder).pop()?;
    let Backup { header, .. } = Backup::open(&newest).ok()?;
    let same = header.schema == schema && last_op.is_some() && header.last_op.as_deref() == last_op;
    same.then_some(newest)
}

/// Takes away all but the newest backups from before migrations, and never the one just made: a
/// clock may have been set back. What cannot be taken away stays.
fn forget_older(folder: &Path, new: &Path) {
    let ours = from_before(folder);
    for path in ours.iter().take(ours.len().saturating_sub(KEPT)).filter(|path| *path != new) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_backups_from_before_migrations_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let name = |schema: u32, day: u32| format!("{BEFORE}{schema}-10-202601{day:02}T0Z{ENDING}");
        // The newest have the lowest schemas: the time decides.
        for day in 1..=8 {
            fs::write(folder.path().join(name(9 - day, day)), "").unwrap();
        }
        for other in ["mine.dashtam-backup", "before-migration-x", "before-migration-1.txt"] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        // A clock that was set back: the new one is the oldest by its name.
        forget_older(folder.path(), &folder.path().join(name(8, 1)));
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut right: Vec<_> =
            [1].into_iter().chain(4..=8).map(|day| name(9 - day, day)).collect();
        right.extend(
            ["before-migration-1.txt", "before-migration-x", "mine.dashtam-backup"]
                .map(str::to_owned),
        );
        right.sort();
        assert_eq!(left, right);
    }
}
