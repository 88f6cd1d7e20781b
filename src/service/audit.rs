//! The trail: listed, proved, written out, and rid of what was kept for long enough.

use std::io::{self, Write};
use std::path::PathBuf;

use chrono::NaiveDate;
use secrecy::SecretString;

use super::session::{target, trail};
use super::{Error, Session};
use crate::audit::{self, Place, PurgeOutcome, line};
use crate::config::Config;
use crate::config::private::AtomicFile;
use crate::store::{AuditFilter, AuditRow, AuditStore, Server, Target};
use crate::vault::{self, Key};

pub use crate::audit::{Fault, Head, Proof, YEARS};

const BUFFER: usize = 64 * 1024;

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// From this day on, in the zone of the store.
    pub from: Option<NaiveDate>,
    /// Up to this day.
    pub to: Option<NaiveDate>,
    /// This action, or those that begin with it and a point.
    pub action: Option<String>,
}

/// Where an export goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Into {
    /// A file; none: whoever reads.
    pub out: Option<PathBuf>,
    /// Over a file that is there.
    pub force: bool,
}

impl Wanted {
    fn filter(&self, session: &Session) -> AuditFilter {
        let begin = |day| session.clock.beginning_of(day).timestamp_micros();
        AuditFilter {
            from: self.from.map(begin),
            until: self.to.and_then(|day| day.succ_opt()).map(begin),
            action: self.action.clone(),
            ..AuditFilter::default()
        }
    }
}

/// The newest rows that fit, oldest first.
///
/// # Errors
/// When the trail cannot be read.
pub async fn list(
    session: &Session,
    config: &Config,
    wanted: &Wanted,
    limit: u32,
) -> Result<Vec<AuditRow>, Error> {
    let filter = AuditFilter { newest: Some(limit), ..wanted.filter(session) };
    let opened = Opened::of(session, config).await?;
    let found = match opened.trail() {
        Some(trail) => trail.find(&filter).await,
        None => Ok(Vec::new()),
    };
    opened.close().await;
    Ok(found?)
}

/// A trail to look at: that of the session, or one of our own where it has none.
enum Opened<'a> {
    OfSession(&'a AuditStore),
    Ours(Option<AuditStore>),
}

impl<'a> Opened<'a> {
    async fn of(session: &'a Session, config: &Config) -> Result<Self, Error> {
        Ok(match session.trail() {
            Some(trail) => Self::OfSession(trail),
            None => Self::Ours(AuditStore::open_to_examine(&trail(config)).await?),
        })
    }

    /// None: there is none yet.
    const fn trail(&self) -> Option<&AuditStore> {
        match self {
            Self::OfSession(trail) => Some(trail),
            Self::Ours(trail) => trail.as_ref(),
        }
    }

    async fn close(self) {
        if let Self::Ours(Some(trail)) = self {
            trail.close().await;
        }
    }
}

/// Proves the trail. With a session that writes, that it was proved is told in it.
///
/// # Errors
/// [`vault::Error::Locked`] where the vault must be opened for it, and when it cannot be read.
pub async fn verify(
    session: &Session,
    config: &Config,
    key: Option<&Key>,
    kept: Option<&Head>,
) -> Result<Proof, Error> {
    let Some(audit) = session.audit() else {
        let target = trail(config);
        let opened = AuditStore::open_to_examine(&target).await?;
        let Some(trail) = opened else { return Ok(Proof::default()) };
        let proof = audit::verify_as_it_is(&trail, &Place::of(config, &target), key, kept).await;
        trail.close().await;
        return proof?.ok_or_else(|| vault::Error::Locked.into());
    };
    if key.is_none() && audit.is_sealed() {
        return Err(vault::Error::Locked.into());
    }
    // The attempt is a record, which makes them again.
    let mut broken = audit.store().broken_guards().await?;
    let attempt = session.attempt("audit.verify", "").await?;
    let mut proof = match audit.verify(key, kept).await {
        Ok(Some(proof)) => proof,
        Ok(None) => {
            attempt.failed("vault").await?;
            return Err(vault::Error::Locked.into());
        }
        Err(error) => {
            attempt.failed("storage").await?;
            return Err(error.into());
        }
    };
    // What could not be made again is told already.
    let still = audit.store().broken_guards().await?;
    broken.retain(|guard| !still.contains(guard));
    proof.unguarded(&broken);
    let told = format!("records={} wrong={}", proof.records, proof.wrong);
    match proof.first_bad() {
        None => attempt.succeeded(&told).await?,
        Some(first) => attempt.failed(&format!("{told} first_bad={first}")).await?,
    }
    Ok(proof)
}

/// How far the chain of this machine goes; none: nothing was ever written.
#[must_use]
pub fn head(config: &Config) -> Option<Head> {
    audit::head(&Place::of(config, &trail(config)))
}

/// Writes the records that fit, a line of JSON each, as the daily files have them; tells how many.
///
/// # Errors
/// When the trail cannot be read, or the file not written.
pub async fn export(
    session: &Session,
    config: &Config,
    wanted: &Wanted,
    into: &Into,
    stdout: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    if session.audit().is_none() {
        return write_out(session, config, wanted, into, stdout).await;
    }
    let to_file = format!("to_file={}", into.out.is_some());
    let attempt = session.attempt("audit.export", &to_file).await?;
    let done = write_out(session, config, wanted, into, stdout).await;
    match &done {
        Ok(records) => attempt.succeeded(&format!("records={records}")).await?,
        // The error itself is what the person must see, not a trail that cannot be written.
        Err(error) => drop(attempt.failed(error.kind()).await),
    }
    done
}

async fn write_out(
    session: &Session,
    config: &Config,
    wanted: &Wanted,
    into: &Into,
    stdout: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    let opened = Opened::of(session, config).await?;
    let done = match opened.trail() {
        Some(trail) => write_all(trail, wanted.filter(session), into, stdout).await,
        None => Ok(0),
    };
    opened.close().await;
    done
}

async fn write_all(
    trail: &AuditStore,
    filter: AuditFilter,
    into: &Into,
    stdout: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    match &into.out {
        None => {
            let mut out = io::BufWriter::with_capacity(BUFFER, stdout);
            let records = each(trail, filter, &mut out).await;
            out.flush()?;
            records
        }
        Some(path) => {
            let fail = |source| Error::Write { path: path.clone(), source };
            let file = AtomicFile::create(path, into.force).map_err(fail)?;
            let mut out = io::BufWriter::with_capacity(BUFFER, file);
            let records = each(trail, filter, &mut out).await?;
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.commit().map_err(fail)?;
            Ok(records)
        }
    }
}

async fn each(
    trail: &AuditStore,
    mut filter: AuditFilter,
    out: &mut (impl Write + Send),
) -> Result<u64, Error> {
    let mut records = 0;
    loop {
        let rows = trail.find(&filter).await?;
        let Some(last) = rows.last() else { return Ok(records) };
        filter.after = last.seq;
        for row in &rows {
            writeln!(out, "{}", line(row))?;
            records += 1;
        }
    }
}

/// Takes away what is of days before this one, none of them younger than seven years.
///
/// # Errors
/// When the day is too late, or the trail belongs to a role that this one is not.
pub async fn purge(
    session: &Session,
    config: &Config,
    before: NaiveDate,
    admin: Option<&SecretString>,
) -> Result<PurgeOutcome, Error> {
    let audit = session.audit().ok_or(Error::ReadOnly)?;
    let kept = audit.kept_from();
    if before > kept {
        let why = format!(
            "records are kept for {YEARS} years, so the day can be {kept} or one before; nothing \
             was removed"
        );
        return Err(Error::Value { what: "--before", why });
    }
    let admin = administrator(config, admin)?;
    let attempt = session.attempt("audit.purge", &format!("before={before}")).await?;
    let done = async {
        match &admin {
            None => Ok(audit.purge(&attempt, before, audit.store()).await?),
            Some(admin) => {
                let through = AuditStore::open_as(admin).await?;
                let done = audit.purge(&attempt, before, &through).await;
                through.close().await;
                Ok::<_, Error>(done?)
            }
        }
    };
    let done = done.await;
    if let Err(error) = &done {
        drop(attempt.failed(error.kind()).await);
    }
    done
}

/// Gives the trail on a server an owner of its own.
///
/// # Errors
/// When the store is in a file, or the administrator's role may not do this.
pub async fn guard(session: &Session, config: &Config, admin: &SecretString) -> Result<(), Error> {
    let Target::Postgres(ours) = trail(config) else {
        return Err(Error::Usage("--admin-url goes with a store on a Postgres server"));
    };
    let Some(admin) = administrator(config, Some(admin))? else { return Ok(()) };
    let attempt = session.attempt("audit.owner", "").await?;
    match AuditStore::give_away(&ours, &admin).await {
        Ok(()) => Ok(attempt.succeeded("").await?),
        Err(error) => {
            attempt.failed("storage").await?;
            Err(error.into())
        }
    }
}

/// The server as its administrator is let in.
fn administrator(config: &Config, admin: Option<&SecretString>) -> Result<Option<Server>, Error> {
    let Some(url) = admin else { return Ok(None) };
    match target(&config.admin_database(url)?) {
        Target::Postgres(server) => Ok(Some(*server)),
        Target::Sqlite(_) => Err(Error::Usage("--admin-url is an address like postgres://...")),
    }
}
