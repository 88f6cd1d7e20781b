//! The database: whether it is there and answers, what it is, and what is in it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Check, Harm, Verdict, clock as time, configuration, rows, size};
use crate::clock::Clock;
use crate::config::{Config, Database, PostgresUrl};
use crate::service::Error;
use crate::service::session::target;
use crate::store::{self, ServerFacts, Store, Target};

/// How often a database that somebody begins to write meanwhile is looked at again.
const TRIES: usize = 3;
/// The oldest server that our migrations are tried on.
const OLDEST_SERVER: i64 = 140_000;

pub async fn look(config: &Config, clock: &Clock, checks: &mut Vec<Check>) {
    let target = target(&config.database.value);
    if let Target::Sqlite(path) = &target
        && std::fs::metadata(path).map_or(true, |file| file.is_file() && file.len() == 0)
    {
        checks.push(missing(path, config));
        return;
    }
    for _ in 0..TRIES {
        let before = alone(&target);
        let mut found = Vec::new();
        examine(config, clock, &target, &mut found).await;
        // What nobody has open is read as it lies there: who opened it meanwhile may have written.
        if before.is_none() || before == alone(&target) {
            checks.append(&mut found);
            return;
        }
    }
    let detail = "others wrote all the time, so it was not looked into";
    checks.push(Check::warn("database", detail, "dashtam doctor"));
}

/// Size and time of a SQLite file that nobody has open.
fn alone(target: &Target) -> Option<(u64, i64, i64)> {
    let Target::Sqlite(path) = target else { return None };
    let mut shared = path.as_os_str().to_owned();
    shared.push("-shm");
    if Path::new(&shared).exists() {
        return None;
    }
    let file = std::fs::metadata(path).ok()?;
    Some((file.len(), file.mtime(), file.mtime_nsec()))
}

/// A store that is not there, or empty, was there where its trail is: beside it, if it has the place
/// that it has unless somebody names another.
fn missing(path: &Path, config: &Config) -> Check {
    let folder = &config.data_dir.value;
    let is_usual = path == folder.join("dashtam.db");
    let had_one = is_usual && folder.join("audit.db").exists();
    let detail = match (path.exists(), had_one) {
        (false, false) => {
            let detail =
                format!("there is none at {} yet; the first write makes it", path.display());
            return Check::ok("database", &detail);
        }
        (true, false) => {
            let detail = format!("{} is empty; the first write fills it", path.display());
            return Check::ok("database", &detail);
        }
        (false, true) => {
            format!("there is none at {}, but a trail of one that was", path.display())
        }
        (true, true) => {
            format!("{} is empty (0 bytes), and its trail tells of content", path.display())
        }
    };
    Check::fail(Harm::Damage, "database", &detail, "name it with --database, or restore a backup")
}

async fn examine(config: &Config, clock: &Clock, target: &Target, checks: &mut Vec<Check>) {
    let store = match Store::open_to_examine(target).await {
        Ok(store) => store,
        Err(error) => {
            checks.push(refused(config, "database", error));
            return;
        }
    };
    if let Err(error) = engine(config, &store, checks).await {
        checks.push(refused(config, "database", error));
    }
    if schema(config, &store, checks).await {
        contents(config, clock, &store, checks).await;
    } else {
        rows::itself(&store, checks).await;
    }
    store.close().await;
}

async fn engine(config: &Config, store: &Store, checks: &mut Vec<Check>) -> store::Result<()> {
    let version = store.engine_version().await?;
    match &config.database.value {
        Database::Sqlite(path) => {
            let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
            let detail = format!("SQLite {version}, {}, {}", path.display(), size(bytes));
            checks.push(Check::ok("database", &detail));
        }
        Database::Postgres(url) => {
            checks.push(Check::ok("database", &format!("Postgres {version}, {url}")));
            if let Some(facts) = store.server_facts().await? {
                server(url, &facts, checks);
            }
        }
    }
    Ok(())
}

fn server(url: &PostgresUrl, facts: &ServerFacts, checks: &mut Vec<Check>) {
    if facts.version < OLDEST_SERVER {
        let detail = "the server is older than any this program is tried on";
        checks.push(Check::warn("server version", detail, "use Postgres 14 or newer"));
    }
    let encoding = facts.encoding.as_str();
    checks.push(match encoding {
        "UTF8" => Check::ok("encoding", encoding),
        _ => {
            let detail = format!("{encoding} cannot keep every name");
            let fix = "make a database with encoding 'UTF8' template template0, and move there";
            Check::fail(Harm::Setup, "encoding", &detail, fix)
        }
    });
    checks.push(match &facts.tls {
        Some(version) => Check::ok("TLS", version.as_str()),
        None if url.is_loopback() => Check::ok("TLS", "none; the connection stays on this machine"),
        None => {
            let detail = "others on the way can read and change what is sent";
            Check::warn("TLS", detail, "add ?sslmode=verify-full to the URL of the database")
        }
    });
    checks.push(rights(facts));
}

fn rights(facts: &ServerFacts) -> Check {
    const NAME: &str = "rights";
    if facts.takes_no_writes {
        let detail = "the server takes no writes: a standby, or in read-only mode";
        return Check::warn(NAME, detail, "name the primary with --database");
    }
    if !facts.unwritable.is_empty() {
        let detail = format!("the role may not write {}", rows::named(&facts.unwritable));
        let fix = "grant select, insert, update, delete on all tables in schema public to the role";
        return Check::fail(Harm::Setup, NAME, &detail, fix);
    }
    if !facts.may_create {
        let detail = "the role may not make tables, so no migration can run";
        return Check::warn(NAME, detail, "grant create on schema public to the role");
    }
    if facts.is_superuser {
        let detail = "the role may do anything on the server, which dashtam does not need";
        return Check::warn(NAME, detail, "create role dashtam login; let it own the database");
    }
    Check::ok(NAME, "the role may write and migrate, and no more")
}

/// Whether the tables are those that this program knows.
async fn schema(config: &Config, store: &Store, checks: &mut Vec<Check>) -> bool {
    const NAME: &str = "schema";
    let state = match store.schema().await {
        Ok(state) => state,
        Err(error) => {
            checks.push(refused(config, NAME, error));
            return false;
        }
    };
    let (found, known) = (state.found, state.known);
    let check = match found {
        0 => Check::warn(NAME, "the database is empty", "dashtam migrate"),
        _ if found < known => {
            let detail = format!("the database has schema {found}, this program needs {known}");
            Check::warn(NAME, &detail, "dashtam migrate")
        }
        _ if found > known => {
            let detail =
                format!("the database has schema {found}, this program knows up to {known}");
            Check::fail(Harm::Newer, NAME, &detail, "use the newer dashtam")
        }
        _ => Check::ok(NAME, &format!("{found}, the newest that this program knows")),
    };
    checks.push(check);
    found == known
}

async fn contents(config: &Config, clock: &Clock, store: &Store, checks: &mut Vec<Check>) {
    let told = async {
        let mut tx = store.read().await?;
        let secrets = tx.secrets().await?.len();
        let (settings, newest) = (tx.settings().await?, tx.newest_write().await?);
        Ok((settings, newest, store.lease_holder().await?, secrets))
    };
    match told.await {
        Ok((settings, newest, holder, secrets)) => {
            checks.extend(super::folders::missing_key(config, secrets));
            configuration::stored(&settings, checks);
            checks.push(time::against(clock, newest));
            checks.push(super::trail::lease(holder.as_ref()));
        }
        Err(error) => checks.push(refused(config, "contents", error)),
    }
    if let Some(check) = super::trail::newest_done(config, store).await {
        checks.push(check);
    }
    rows::look(config, store, checks).await;
}

/// A store that cannot be looked at, in the words that any other command would have for it.
pub fn refused(config: &Config, name: &str, error: store::Error) -> Check {
    let harm = match error {
        store::Error::Newer { .. } => Harm::Newer,
        store::Error::Damaged(_) | store::Error::Foreign(_) | store::Error::Missing(_) => {
            Harm::Damage
        }
        _ => Harm::Storage,
    };
    let remedy = match harm {
        Harm::Damage => rows::RESTORE,
        _ => "mend what it says, then look again: dashtam doctor",
    };
    let error = Error::from(error).about(config);
    let mut check = Check::told(Verdict::Fail(harm), name, &error.to_string(), remedy);
    if let Some(hint) = error.hint() {
        check.fix = Some(crate::model::SafeText::new(&hint));
    }
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SafeText;

    fn facts() -> ServerFacts {
        ServerFacts {
            version: 150_004,
            encoding: SafeText::new("UTF8"),
            tls: None,
            takes_no_writes: false,
            may_create: true,
            unwritable: Vec::new(),
            is_superuser: false,
        }
    }

    #[test]
    fn each_right_that_lacks_is_told() {
        let verdict = |change: fn(&mut ServerFacts)| {
            let mut facts = facts();
            change(&mut facts);
            rights(&facts).verdict
        };
        assert_eq!(verdict(|_| {}), Verdict::Ok);
        assert_eq!(
            verdict(|facts| facts.unwritable.push(SafeText::new("prices"))),
            Verdict::Fail(Harm::Setup)
        );
        assert_eq!(verdict(|facts| facts.may_create = false), Verdict::Warn);
        assert_eq!(verdict(|facts| facts.takes_no_writes = true), Verdict::Warn);
        assert_eq!(verdict(|facts| facts.is_superuser = true), Verdict::Warn);
    }

    #[test]
    fn an_open_line_and_another_encoding_are_told() {
        let judged = |url: &str, facts: &ServerFacts| {
            let Ok(Database::Postgres(url)) = Database::parse(url, Path::new("/")) else {
                panic!("{url}");
            };
            let mut checks = Vec::new();
            server(&url, facts, &mut checks);
            let verdict = |check: &Check| (check.name.to_string(), check.verdict);
            checks.iter().map(verdict).collect::<std::collections::BTreeMap<_, _>>()
        };
        let near = judged("postgres://me@127.0.0.1/d", &facts());
        assert_eq!((near["TLS"], near["encoding"]), (Verdict::Ok, Verdict::Ok));
        let far = "postgres://me@db.example.org/d?sslmode=disable&insecure=true";
        assert_eq!(judged(far, &facts())["TLS"], Verdict::Warn);
        let safe = ServerFacts { tls: Some(SafeText::new("TLSv1.3")), ..facts() };
        assert_eq!(judged(far, &safe)["TLS"], Verdict::Ok);
        let old = ServerFacts { encoding: SafeText::new("SQL_ASCII"), version: 120_000, ..facts() };
        let old = judged("postgres://me@127.0.0.1/d", &old);
        assert_eq!(old["encoding"], Verdict::Fail(Harm::Setup));
        assert_eq!(old["server version"], Verdict::Warn);
    }
}
