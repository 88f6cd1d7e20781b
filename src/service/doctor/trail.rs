//! The trail and the lease: whether the trail is whole, which operations have no outcome, and who
//! refreshes.

use chrono::{DateTime, SecondsFormat};

use super::database::refused;
use super::{Check, Harm};
use crate::audit::{Place, elsewhere, glance, head, is_running};
use crate::clock::Clock;
use crate::config::Config;
use crate::service::session::trail;
use crate::store::{AuditRow, AuditStore, Holder, Result, Store};
use crate::text::counted;

const NAME: &str = "audit trail";
const CHAIN: &str = "audit chain";

pub async fn look(config: &Config, clock: &Clock, checks: &mut Vec<Check>) {
    let opened = match AuditStore::open_to_examine(&trail(config)).await {
        Ok(Some(opened)) => opened,
        Ok(None) => {
            checks.push(absent(&Place::of(config, &trail(config))));
            return;
        }
        Err(error) => {
            checks.push(refused(config, NAME, error));
            return;
        }
    };
    match read(&opened, clock).await {
        Ok(mut found) => checks.append(&mut found),
        Err(error) => checks.push(refused(config, NAME, error)),
    }
    match chained(&opened, &Place::of(config, &trail(config))).await {
        Ok(mut found) => checks.append(&mut found),
        Err(error) => checks.push(refused(config, CHAIN, error)),
    }
    opened.close().await;
}

/// What the trail tells as done last must be in the store. Where it is not, what was written after
/// the last checkpoint is gone: somebody copied or removed files of an open database.
pub async fn newest_done(config: &Config, store: &Store) -> Option<Check> {
    const FIX: &str = "look for the -wal file that was beside the database and put it back, or restore \
         a backup; then do again what is missing";
    // What cannot be read is told where the trail itself is looked at.
    let elsewhere = elsewhere(&trail(config), store).await.ok()?;
    let opened = AuditStore::open_to_examine(&trail(config)).await.ok()??;
    let newest = opened.newest_done(elsewhere.as_deref()).await;
    opened.close().await;
    let newest = newest.ok()??;
    let applied = async { store.read().await?.is_applied(&newest.op).await };
    Some(match applied.await {
        Ok(true) => Check::ok("last change", "what was done last is in the database"),
        Ok(false) => {
            let detail = format!(
                "`{}` of {} is told as done and is not in the database: its latest changes are lost",
                newest.action,
                instant(newest.at)
            );
            Check::fail(Harm::Damage, "last change", &detail, FIX)
        }
        Err(_) => return None,
    })
}

async fn read(trail: &AuditStore, clock: &Clock) -> Result<Vec<Check>> {
    const FIX: &str = "keep a copy of it; restore one from a backup beside it";
    let is_alone = matches!(trail, AuditStore::Sqlite(_));
    let (extent, said) = (trail.extent().await?, trail.self_check().await?);
    let rows = counted(u64::try_from(extent.rows).unwrap_or_default(), "row");
    let whole = match said.first() {
        Some(said) => Check::fail(Harm::Damage, NAME, said.as_str(), FIX),
        // Where several machines write, each may have purged what was its own.
        None if is_alone && extent.rows > 0 && extent.rows != extent.last - extent.first + 1 => {
            let detail = format!("{rows}, but the last is number {}", extent.last);
            Check::fail(Harm::Damage, NAME, &detail, FIX)
        }
        None => Check::ok(NAME, &format!("{rows} without a gap")),
    };
    Ok(vec![
        whole,
        super::clock::against(clock, extent.newest).renamed("clock and trail"),
        interrupted(&trail.open_attempts(0).await?),
    ])
}

/// There is none, which is right as long as nothing tells of one.
fn absent(place: &Place) -> Check {
    match head(place).filter(|head| head.count > 0) {
        None => Check::ok(NAME, "there is none yet; the first write makes it"),
        Some(head) => {
            let records = counted(u64::try_from(head.count).unwrap_or_default(), "record");
            let detail = format!("there is none, and its head tells of {records}");
            let fix =
                "put audit.db back from where it went; `dashtam audit verify` tells what is gone";
            Check::fail(Harm::Damage, NAME, &detail, fix)
        }
    }
}

/// What `audit verify` sees without a key, and whether the server guards the trail against us.
async fn chained(trail: &AuditStore, place: &Place) -> Result<Vec<Check>> {
    let glance = glance(trail, place).await?;
    let mut checks = vec![match (glance.wrong, glance.unended) {
        (Some(wrong), _) => Check::fail(Harm::Damage, CHAIN, &wrong, "dashtam audit verify"),
        (None, Some(chain)) => {
            let detail = format!("the key that ends chain {chain} is gone, so its end may be too");
            Check::warn(CHAIN, &detail, "dashtam audit verify, which tells what is still proved")
        }
        (None, None) => {
            let records = counted(glance.records, "record");
            let open =
                if glance.is_open { "; its first key lies open, see `audit --help`" } else { "" };
            Check::ok(CHAIN, &format!("{records} up to where the head and the key say{open}"))
        }
    }];
    let (broken, guard) = (trail.broken_guards().await?, trail.guard().await?);
    if !broken.is_empty() {
        let detail =
            format!("what refuses a change of it is gone or altered: {}", broken.join(", "));
        let fix = match &guard {
            Some(guard) if !guard.is_ours => {
                "dashtam audit verify, which tells whether anything was changed; then dashtam migrate \
                 --admin-url URL, which makes it again"
            }
            _ => {
                "dashtam audit verify, which tells whether anything was changed, and makes it again \
                 where the rows allow it"
            }
        };
        checks.push(Check::fail(Harm::Damage, "audit guards", &detail, fix));
    }
    if let Some(guard) = guard {
        const GUARD: &str = "audit owner";
        checks.push(match guard.is_ours {
            false => Check::ok(GUARD, &format!("{}, whose rights we lack", guard.owner)),
            true => {
                let detail = format!(
                    "the role of this program may do what {} may, to which the trail belongs",
                    guard.owner
                );
                let fix = "dashtam migrate --admin-url URL, with a role that is no superuser in \
                     --database";
                Check::warn(GUARD, &detail, fix)
            }
        });
    }
    Ok(checks)
}

/// Operations without an outcome: under way, or of a process that is gone.
fn interrupted(attempts: &[AuditRow]) -> Check {
    const NAME: &str = "operations";
    let gone: Vec<_> = attempts.iter().filter(|row| !is_running(&row.actor)).collect();
    match (gone.first(), attempts.len() - gone.len()) {
        (Some(first), _) => {
            let detail = format!(
                "{} without an outcome; the first is `{}` of {} by {}",
                gone.len(),
                first.action,
                instant(first.at),
                first.actor
            );
            Check::warn(NAME, &detail, "the next command that writes settles them")
        }
        (None, 0) => Check::ok(NAME, "each has its outcome"),
        (None, running) => Check::ok(NAME, &format!("{running} under way")),
    }
}

/// Who refreshes the store.
pub fn lease(holder: Option<&Holder>) -> Check {
    const NAME: &str = "refresh lease";
    let Some(Holder { host, pid, since }) = holder else {
        return Check::ok(NAME, "nobody refreshes");
    };
    let who = format!("process {pid} on {host} since {}", instant(*since));
    match is_running(&format!("{host}:{pid}")) {
        true => Check::ok(NAME, &format!("held by {who}")),
        false => {
            let detail = format!("left by {who}, which is gone");
            Check::warn(NAME, &detail, "the next `dashtam refresh` takes it")
        }
    }
}

fn instant(micros: i64) -> String {
    let instant = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::host;
    use crate::model::SafeText;
    use crate::service::doctor::Verdict;

    fn holder(pid: u32) -> Holder {
        Holder { host: SafeText::new(&host()), pid: i64::from(pid), since: 0 }
    }

    /// A process that runs as long as this is held.
    struct Running(std::process::Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn who_holds_the_lease_and_who_left_it_are_told_apart() {
        assert_eq!(lease(None).verdict, Verdict::Ok);
        let cat = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn();
        let running = Running(cat.unwrap());
        let pid = running.0.id();
        let held = lease(Some(&holder(pid)));
        assert_eq!(held.verdict, Verdict::Ok);
        assert!(held.detail.as_str().starts_with(&format!("held by process {pid} on ")));
        drop(running);
        assert_eq!(lease(Some(&holder(pid))).verdict, Verdict::Warn);
    }

    #[test]
    fn an_operation_of_a_process_that_is_gone_is_told() {
        let row = |actor: String| AuditRow {
            seq: 1,
            at: 0,
            op: "op".to_owned(),
            action: "import".to_owned(),
            state: "ATTEMPTED".to_owned(),
            actor,
            ..AuditRow::default()
        };
        assert_eq!(interrupted(&[]).verdict, Verdict::Ok);
        // Of another machine nobody here can tell.
        let elsewhere = row("elsewhere.invalid:1".to_owned());
        assert_eq!(interrupted(std::slice::from_ref(&elsewhere)).detail.as_str(), "1 under way");
        let gone = row(format!("{}:{}", host(), i32::MAX));
        let check = interrupted(&[elsewhere, gone]);
        assert_eq!(check.verdict, Verdict::Warn);
        assert!(check.detail.as_str().starts_with("1 without an outcome; the first is `import`"));
    }
}
