//! Keys that serve until their owner makes others. They are tried before they are kept; which account
//! they are of tells which connection goes on with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::connect::{ConnectRequest, Connected, Goal, free_label, made};
use super::owners::{self, Owner};
use super::{Error, Session, refresh};
use crate::config::Config;
use crate::credentials::{Keeper, Serves};
use crate::ledger::{self, Consent};
use crate::model::{Connection, ConnectionState, SafeText, Secret};
use crate::provider::{Entry, Keys, Line};

/// Connects with a pair of keys: to a new connection, or to that which has their account.
pub(super) async fn connect(
    session: &Session,
    config: &Config,
    keeper: Keeper,
    (entry, keys): (&'static Entry, Keys),
    request: ConnectRequest,
) -> Result<Connected, Error> {
    let no_keys = |why: &dyn ToString| Error::Value { what: "keys", why: why.to_string() };
    let brought = (keys.read)(&request.token).map_err(|why| no_keys(&why))?;
    // Of two at once the second has to see the connection that the first made.
    let bench = refresh::bench(session, config, Ok(keeper.clone()))?;
    let Ok(lease) = bench.lease(request.wait).await? else {
        return Err(Error::Ledger(ledger::Error::LeaseLost));
    };
    let done = async {
        let line = Arc::new(owners::line(session, config, entry));
        let kept = (keys.check)(Arc::clone(&line), brought).await.map_err(Error::Provider)?;
        keep(session, keeper, (entry, line), kept, &request).await
    };
    let done = done.await;
    lease.release().await?;
    done
}

/// Keeps keys that are good with the connection that goes on with them, or with a new one.
async fn keep(
    session: &Session,
    keeper: Keeper,
    (entry, line): (&'static Entry, Arc<Line>),
    kept: Secret,
    request: &ConnectRequest,
) -> Result<Connected, Error> {
    let copy = Secret::new(kept.expose().to_owned());
    let mine = owners::accounts_of(session, entry, Arc::clone(&line), copy).await?;
    let owners = with_accounts(session, &keeper, entry, &line).await?;
    let known = session.store.read().await?.connections().await?;
    let goes_on = chosen(&known, &owners, request, &mine)?;
    let holders = keeper.whose(&kept).await.map_err(refresh::of_credentials)?;
    let is_there =
        |it: &&Connection| it.state == ConnectionState::Active && holders.contains(&it.id);
    if let Some(connection) = goes_on.filter(is_there) {
        return Ok(Connected { connection: connection.clone(), already: true });
    }
    let action = if goes_on.is_some() { "reconnect" } else { "connect" };
    let attempt = session.attempt(action, &format!("provider={}", entry.id)).await?;
    let sealed: ledger::Sealed = Box::new(move |id, after| {
        let sealed = keeper.sealed(id, after, &kept, Serves::Again);
        sealed.map_err(|error| SafeText::new(&error.to_string()))
    });
    let consent = Consent { sealed, expires: None };
    let (store, op, now) = (&session.store, attempt.op(), session.now());
    let stored = match goes_on {
        Some(connection) => ledger::reconnect(store, connection, consent, op, now).await,
        None => {
            let label = free_label(&known, request.name.as_ref(), entry);
            ledger::connect(store, entry.id, &label, Some(consent), op, now).await
        }
    };
    let connection = made(session, attempt, stored.map_err(Error::from)).await?;
    Ok(Connected { connection, already: false })
}

/// The connections there are with their accounts. One that brought nothing yet is asked for them.
async fn with_accounts(
    session: &Session,
    keeper: &Keeper,
    entry: &'static Entry,
    line: &Arc<Line>,
) -> Result<Vec<Owner>, Error> {
    let mut owners = owners::owners(session, entry).await?;
    for owner in owners.iter_mut().filter(|owner| owner.accounts.is_empty()) {
        let Ok(held) = keeper.newest(owner.connection.id).await else { continue };
        match owners::accounts_of(session, entry, Arc::clone(line), held.secret).await {
            Ok(accounts) => owner.accounts = accounts,
            // What is refused brings nothing in, so nothing twice.
            Err(Error::Provider(crate::provider::Error::Refused(_))) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(owners)
}

/// The connection that goes on with the keys; none: a new one is made.
fn chosen<'a>(
    known: &'a [Connection],
    owners: &[Owner],
    request: &ConnectRequest,
    mine: &BTreeSet<SafeText>,
) -> Result<Option<&'a Connection>, Error> {
    let wrong = |why: String| Err(Error::Value { what: "keys", why });
    let has_mine = |owner: &&Owner| !owner.accounts.is_disjoint(mine);
    let owner = owners.iter().find(has_mine).map(|owner| &owner.connection);
    let there = |wanted: &Connection| known.iter().find(|it| it.id == wanted.id);
    let lives = |it: &&Connection| !it.is_over();
    let meant = match (request.goal, &request.name) {
        (Goal::Again(id), _) => match known.iter().filter(lives).find(|it| it.id == id) {
            Some(it) => Some(it),
            None => {
                let name = SafeText::new(&id.to_string());
                return Err(Error::NotFound { what: "connection", name, nearest: None });
            }
        },
        (_, Some(name)) => known.iter().filter(lives).find(|it| it.label == *name),
        (_, None) => None,
    };
    match (meant, owner) {
        (Some(meant), Some(owner)) if meant.id != owner.id => {
            wrong(format!("they are of the account of `{}`, which would count twice", owner.label))
        }
        (None, Some(owner)) if request.goal == Goal::New || request.name.is_some() => {
            wrong(format!(
                "`{}` has their account already, and it would count twice; connect that one again",
                owner.label
            ))
        }
        (Some(meant), None) => {
            let mine = owners.iter().find(|owner| owner.connection.id == meant.id);
            match mine.is_some_and(|owner| owner.accounts.is_empty()) {
                true => Ok(Some(meant)),
                false => wrong(format!(
                    "they are of another account than that of `{}`; give it a name of its own",
                    meant.label
                )),
            }
        }
        (_, owner) => Ok(owner.and_then(there)),
    }
}
