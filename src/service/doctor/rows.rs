//! What is stored: whether the engine finds it whole, whether every row is what was written, whether
//! rows refer to what is there, and whether the figures beside them are what they say.

use super::database::refused;
use super::{Check, Harm, Verdict};
use crate::config::Config;
use crate::service::rebuild;
use crate::store::{Damage, Store};

/// So many of what was found are named.
const NAMED: usize = 3;
/// What to do about damage.
pub const RESTORE: &str = "keep a copy of the database, then restore a backup";

pub async fn look(config: &Config, store: &Store, checks: &mut Vec<Check>) {
    let before = checks.len();
    itself(store, checks).await;
    checks.push(sums(config, store).await);
    checks.push(references(config, store).await);
    let is_damaged = checks.iter().skip(before).any(|check| check.verdict != Verdict::Ok);
    checks.push(figures(config, store, is_damaged).await);
}

/// What the engine says of itself.
pub async fn itself(store: &Store, checks: &mut Vec<Check>) {
    const NAME: &str = "integrity";
    checks.push(match store.self_check().await {
        Ok(found) if found.is_empty() => match store {
            Store::Sqlite(_) => Check::ok(NAME, "pages, indexes and references are whole"),
            Store::Postgres(_) => Check::ok(NAME, "the server watches over its pages"),
        },
        Ok(found) => Check::fail(Harm::Damage, NAME, &named(&found), RESTORE),
        Err(error) => Check::fail(Harm::Damage, NAME, &error.to_string(), RESTORE),
    });
}

async fn sums(config: &Config, store: &Store) -> Check {
    const NAME: &str = "rows";
    let found = async { store.read().await?.damage().await };
    match found.await {
        Ok(found) if found.is_empty() => Check::ok(NAME, "each is what was written"),
        Ok(found) => {
            let word = |damage: &Damage| format!("{} {}", damage.table, damage.row);
            let words: Vec<_> = found.iter().map(word).collect();
            let detail = format!("{} not what was written: {}", words.len(), named(&words));
            Check::fail(Harm::Damage, NAME, &detail, RESTORE)
        }
        Err(error) => refused(config, NAME, error),
    }
}

async fn references(config: &Config, store: &Store) -> Check {
    const NAME: &str = "references";
    let found = async { store.read().await?.dangling().await };
    match found.await {
        Ok(found) if found.is_empty() => Check::ok(NAME, "each leads to what is there"),
        Ok(found) => {
            let words = found.iter().map(|found| format!("{}: {}", found.what, found.rows));
            let detail = named(&words.collect::<Vec<_>>());
            Check::fail(Harm::Damage, NAME, &detail, RESTORE)
        }
        Err(error) => refused(config, NAME, error),
    }
}

/// Figures are made of the rows: of damaged ones they are never made again.
async fn figures(config: &Config, store: &Store, is_damaged: bool) -> Check {
    const NAME: &str = "figures";
    let due = async { store.read().await?.are_figures_due().await };
    match due.await {
        Ok(false) => {}
        Ok(true) => {
            let detail = "they are not made again since the last migration";
            return Check::warn(NAME, detail, "dashtam migrate");
        }
        Err(error) => return refused(config, NAME, error),
    }
    // To compare needs temporary tables, which a standby has none of.
    if let Ok(Some(facts)) = store.server_facts().await
        && facts.takes_no_writes
    {
        let detail = "they cannot be compared on a server that takes no writes";
        return Check::warn(NAME, detail, "name the primary with --database and look again");
    }
    match rebuild::differences(store).await {
        Ok(found) if found.is_empty() => Check::ok(NAME, "each is what the rows say"),
        Ok(found) => {
            let detail = format!("{} not what the rows say: {}", found.len(), named(&found));
            let fix = match is_damaged {
                true => "mend the rows first (restore a backup), then: dashtam rebuild",
                false => "dashtam rebuild",
            };
            Check::fail(Harm::Storage, NAME, &detail, fix)
        }
        Err(error) => {
            let detail = format!("they cannot be compared: {error}");
            let fix = "mend what else is found, then: dashtam rebuild --check";
            Check::fail(Harm::Storage, NAME, &detail, fix)
        }
    }
}

/// The first of what was found, and how many more there are.
pub(super) fn named(found: &[impl AsRef<str>]) -> String {
    let first: Vec<_> = found.iter().take(NAMED).map(AsRef::as_ref).collect();
    match found.len().saturating_sub(NAMED) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_named_and_the_rest_is_counted() {
        assert_eq!(named(&["a"]), "a");
        assert_eq!(named(&["a", "b", "c"]), "a; b; c");
        assert_eq!(named(&["a", "b", "c", "d", "e"]), "a; b; c; and 2 more");
    }
}
