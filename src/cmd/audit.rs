//! `audit`: the trail, listed, proved, written out.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::output::note;
use super::table::{Column, Table};
use crate::cli::{AuditCommand, AuditWanted};
use crate::config::private::WriteError;
use crate::model::{SafeText, hex};
use crate::service::audit::{self, Fault, Head, Proof, Wanted};
use crate::service::{self, Session};
use crate::store::AuditRow;
use crate::text::counted;

const NO_HEAD: &str = "--head is a line as `dashtam audit head` prints it";

#[derive(Serialize)]
struct Row {
    seq: i64,
    at: String,
    op_id: SafeText,
    action: SafeText,
    state: SafeText,
    actor: SafeText,
    subject: SafeText,
    detail: SafeText,
    chain: Option<SafeText>,
    hash: Option<String>,
}

#[derive(Serialize)]
struct Verified {
    schema: &'static str,
    result: &'static str,
    records: u64,
    before_chain: u64,
    other_machines: u64,
    unproved: u64,
    in_daily_files: u64,
    purged_until: Option<i64>,
    first_key: &'static str,
    vouched: bool,
    last: Option<i64>,
    first_bad: Option<i64>,
    wrong: u64,
    faults: Vec<Wrong>,
}

#[derive(Serialize)]
struct Wrong {
    seq: i64,
    what: SafeText,
}

#[derive(Serialize)]
struct Counted {
    schema: &'static str,
    records: u64,
    until: Option<i64>,
}

#[derive(Serialize)]
struct Furthest {
    schema: &'static str,
    chain: Option<SafeText>,
    seq: i64,
    count: i64,
    hash: Option<String>,
    line: Option<String>,
}

pub const fn only_looks(command: &AuditCommand) -> bool {
    matches!(command, AuditCommand::List { .. } | AuditCommand::Head)
}

/// Whether it works with a session that only looks, too: then it leaves no record.
pub const fn may_look(command: &AuditCommand) -> bool {
    !matches!(command, AuditCommand::Purge { .. } | AuditCommand::Export { out: Some(_), .. })
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &AuditCommand,
) -> Result<Status, Error> {
    match command {
        AuditCommand::List { limit, wanted } => list(job, session, *limit, wanted).await,
        AuditCommand::Verify { head } => verify(job, session, head.as_deref()).await,
        AuditCommand::Head => head(job),
        AuditCommand::Export { wanted, out, force } => {
            if let Some(path) = out.as_ref().filter(|path| job.config.is_own_file(path)) {
                let source = WriteError::OfTheStore(path.clone());
                return Err(service::Error::Write { path: path.clone(), source }.into());
            }
            let into = audit::Into { out: out.clone(), force: *force };
            let wanted = asked(wanted);
            audit::export(session, job.config, &wanted, &into, &mut job.out).await?;
            Ok(Status::Done)
        }
        AuditCommand::Purge { before, admin_url } => {
            let gone = audit::purge(session, job.config, *before, admin_url.as_ref()).await?;
            let (records, until) = (gone.records, gone.until);
            if job.flags.json {
                job.out.json(&Counted { schema: "dashtam.audit.purge/1", records, until })?;
            } else {
                job.out
                    .line(&format!("removed {} of before {before}", counted(records, "record")))?;
            }
            Ok(Status::Done)
        }
    }
}

fn asked(wanted: &AuditWanted) -> Wanted {
    let AuditWanted { from, to, action } = wanted;
    Wanted { from: *from, to: *to, action: action.clone() }
}

async fn list(
    job: &mut Job<'_>,
    session: &Session,
    limit: u32,
    wanted: &AuditWanted,
) -> Result<Status, Error> {
    let rows = audit::list(session, job.config, &asked(wanted), limit).await?;
    if job.flags.json {
        let rows = rows.iter().map(row).collect();
        job.out.json(&List { schema: "dashtam.audit.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::text("no", 2, 0),
        Column::text("when", 19, 1),
        Column::text("action", 10, 0),
        Column::text("state", 9, 0),
        Column::text("detail", 12, 2),
        Column::text("who", 8, 3),
    ]);
    let zone = session.clock.zone();
    for row in &rows {
        let at = DateTime::from_timestamp_micros(row.at).unwrap_or_default().with_timezone(&zone);
        let when = at.format("%Y-%m-%d %H:%M:%S").to_string();
        let seq = row.seq.to_string();
        let words = [&seq, &when, &row.action, &row.state, &row.detail, &row.actor];
        table.row(words.map(|word| SafeText::new(word)).to_vec());
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}

fn row(row: &AuditRow) -> Row {
    let at = DateTime::from_timestamp_micros(row.at).unwrap_or_default();
    let text = |text: &str| SafeText::new(text);
    let chained = !row.chain.is_empty();
    Row {
        seq: row.seq,
        at: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        op_id: text(&row.op),
        action: text(&row.action),
        state: text(&row.state),
        actor: text(&row.actor),
        subject: text(&row.subject),
        detail: text(&row.detail),
        chain: chained.then(|| text(&row.chain)),
        hash: chained.then(|| hex(&row.hash)),
    }
}

async fn verify(job: &mut Job<'_>, session: &Session, kept: Option<&str>) -> Result<Status, Error> {
    let kept = match kept {
        Some(line) => Some(Head::parse(line).ok_or(Error::Usage(NO_HEAD))?),
        None => None,
    };
    // Where the first key lies open, nobody needs to be asked for a passphrase.
    let proof = match audit::verify(session, job.config, None, kept.as_ref()).await {
        Err(service::Error::Vault(crate::vault::Error::Locked)) => {
            let given = job.config.unlocking.passphrases().map_err(service::Error::from)?;
            let (key, _) = super::vault::open(job, session, &mut given.into_iter()).await?;
            audit::verify(session, job.config, Some(&key), kept.as_ref()).await?
        }
        proof => proof?,
    };
    if job.flags.json {
        job.out.json(&document(&proof))?;
    } else {
        tell(job, &proof)?;
    }
    match proof.wrong {
        0 => Ok(Status::Done),
        _ => Ok(Status::Forged),
    }
}

fn document(proof: &Proof) -> Verified {
    let wrong = |fault: &Fault| Wrong { seq: fault.seq, what: SafeText::new(&fault.what) };
    Verified {
        schema: "dashtam.audit.verify/1",
        result: if proof.wrong == 0 { "ok" } else { "wrong" },
        records: proof.records,
        before_chain: proof.before,
        other_machines: proof.elsewhere,
        unproved: proof.unproved,
        in_daily_files: proof.witnessed,
        purged_until: proof.purged,
        first_key: if proof.is_open { "open" } else { "sealed" },
        vouched: !proof.is_unvouched,
        last: proof.last,
        first_bad: proof.first_bad(),
        wrong: proof.wrong,
        faults: proof.faults.iter().map(wrong).collect(),
    }
}

fn tell(job: &mut Job<'_>, proof: &Proof) -> Result<(), Error> {
    let (records, witnessed) = (counted(proof.records, "record"), proof.witnessed);
    match proof.first_bad() {
        None => {
            job.out.line(&format!("{records} as they were written, {witnessed} twice"))?;
        }
        Some(first) => {
            job.out.line(&format!("WRONG from record {first} on"))?;
            for Fault { seq, what } in &proof.faults {
                job.out.line(&format!("{seq}: {}", SafeText::new(what)))?;
            }
        }
    }
    if proof.before > 0 {
        let before = counted(proof.before, "record");
        job.out.line(&format!("{before} from before there was a chain, as when it began"))?;
    }
    if proof.elsewhere > 0 {
        let others = counted(proof.elsewhere, "record");
        job.out.line(&format!("{others} of other machines, which those can prove"))?;
    }
    if let Some(until) = proof.purged {
        job.out.line(&format!("purged up to record {until}"))?;
    }
    if proof.is_open {
        note(
            "dashtam: the first key lies open in the data folder, so who reads that could have \
             written all of it anew; `dashtam vault init` seals it",
        );
    } else if proof.is_unvouched {
        note(
            "dashtam: a first key is from after the vault was made, and nobody vouched for it, so who \
             writes to the data folder could have put another trail there; where you know that one \
             began, `dashtam vault recipients rotate` vouches for it",
        );
    }
    Ok(())
}

fn head(job: &mut Job<'_>) -> Result<Status, Error> {
    let head = audit::head(job.config);
    if job.flags.json {
        let of = |head: &Head| (head.seq, head.count);
        let (seq, count) = head.as_ref().map_or((0, 0), of);
        job.out.json(&Furthest {
            schema: "dashtam.audit.head/1",
            chain: head.as_ref().map(|head| SafeText::new(&head.chain)),
            seq,
            count,
            hash: head.as_ref().map(|head| hex(&head.hash)),
            line: head.as_ref().map(Head::line),
        })?;
    } else if let Some(head) = &head {
        job.out.line(&head.line())?;
    } else {
        note("dashtam: nothing was written yet, so there is no head");
    }
    Ok(Status::Done)
}
