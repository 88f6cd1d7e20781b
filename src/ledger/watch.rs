//! What somebody keeps an eye on: the watchlist and the alerts, as a person changes them and takes
//! that back, and what became of alerts once somebody looked.

use chrono::NaiveDate;

use super::book::{Book, Stamp};
use super::resolve;
use super::steps::{Step, Turn};
use super::survey::Use;
use super::{Error, Result};
use crate::model::{
    AlertEdit, AlertId, AlertOf, AlertTerms, Column, Currency, Dec, Mention, OpId, Refusal,
    SafeText, SecurityId, WatchEdit, Why,
};
use crate::store::{Alert, AlertLog, Store, Watch, WriteTx};
use crate::tasks::{self, Task};

/// The security that is meant, which stays as it is: to be looked at tells nothing of it. One that is
/// not there is made only where its currency is said: a slip of the pen makes none.
async fn security(
    tx: &mut WriteTx,
    book: &mut Book,
    mention: &Mention,
    stamp: &Stamp,
) -> Result<SecurityId> {
    let refuse =
        |why| -> Result<SecurityId> { Err(Refusal { column: Column("symbol"), why }.into()) };
    match (resolve::find(book, mention, None).as_slice(), mention.currency) {
        ([], None) => {
            refuse(Why::Other("there is no such security; for a new one write SYMBOL@CURRENCY"))
        }
        ([one], said) => {
            let currency = book.security(*one)?.security.currency;
            match said {
                Some(said) if said != currency => {
                    refuse(Why::OtherCurrency { symbol: mention.symbol.clone(), said, currency })
                }
                _ => Ok(*one),
            }
        }
        _ => Ok(resolve::resolve(tx, book, mention, None, &Use::default(), stamp).await??),
    }
}

/// Puts a security on the watchlist, or says something else of one that is there.
pub(super) async fn put(
    tx: &mut WriteTx,
    book: &mut Book,
    (stamp, today): (&Stamp, NaiveDate),
    mention: &Mention,
    edit: WatchEdit,
) -> Result<(SecurityId, Step)> {
    let security = security(tx, book, mention, stamp).await?;
    let was = find(tx, security).await?;
    let mut terms = was.as_ref().map(|row| row.terms.clone()).unwrap_or_default();
    terms.list = edit.list.apply(terms.list);
    terms.note = edit.note.apply(terms.note);
    if !edit.target.is_keep() {
        terms.target = edit.target.apply(None);
        let currency = book.security(security)?.security.currency;
        terms.units_of = terms.target.map(|_| today);
        terms.said_in = terms.target.map(|_| currency);
    }
    let row = Watch { security, terms, batch: None };
    tx.put_watch(&row).await?;
    Ok((security, Step::Watch(Turn { was, is: Some(row) })))
}

/// Takes a security off the watchlist.
pub(super) async fn remove(tx: &mut WriteTx, security: SecurityId) -> Result<Step> {
    let was = find(tx, security).await?.ok_or(Error::NotWatched(security))?;
    tx.remove_watch(&was).await?;
    Ok(Step::Watch(Turn { was: Some(was), is: None }))
}

async fn find(tx: &mut WriteTx, security: SecurityId) -> Result<Option<Watch>> {
    Ok(tx.watchlist().await?.into_iter().find(|row| row.security == security))
}

/// Goes back to what was said of a security that is watched, or was.
pub(super) async fn take_back(tx: &mut WriteTx, turn: &Turn<Watch>) -> Result<()> {
    let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(()) };
    let now = find(tx, place.security).await?;
    if now.as_ref().map(|row| &row.terms) != turn.is.as_ref().map(|row| &row.terms) {
        return Err(Error::ChangedSince(SafeText::new("an entry of the watchlist")));
    }
    match (&turn.was, &now) {
        (Some(was), _) => tx.put_watch(was).await?,
        (None, Some(now)) => tx.remove_watch(now).await?,
        (None, None) => {}
    }
    Ok(())
}

/// A new alert.
pub(super) async fn add_alert(
    tx: &mut WriteTx,
    book: &mut Book,
    (stamp, today): (&Stamp, NaiveDate),
    mention: &Mention,
    terms: AlertTerms,
) -> Result<(SecurityId, Step)> {
    terms.check()?;
    let security = security(tx, book, mention, stamp).await?;
    let said_in = money_of(book, security, terms.of)?;
    let terms = AlertTerms { units_of: Some(today), said_in, ..terms };
    let id = AlertId(tx.take_id());
    let row = Alert { id, security, terms, batch: None, crossed: None };
    tx.insert_alert(&row).await?;
    Ok((security, Step::Alert(Turn::new(row))))
}

/// Other terms of an alert; where it is another one by them, it is looked at as if it were new.
pub(super) async fn edit_alert(
    tx: &mut WriteTx,
    book: &Book,
    today: NaiveDate,
    (id, edit): (AlertId, AlertEdit),
) -> Result<(SecurityId, Step)> {
    let was = alert(tx, id).await?.ok_or(Error::NoAlert(id))?;
    let is_said = edit.bound.is_some();
    let mut terms = edit.apply(was.terms.clone());
    terms.check()?;
    if is_said {
        terms.units_of = Some(today);
        terms.said_in = money_of(book, was.security, terms.of)?;
    }
    let crossed = was.crossed.filter(|_| terms.is_same(&was.terms, today));
    let row = Alert { terms, crossed, batch: None, ..was.clone() };
    tx.update_alert(&row).await?;
    Ok((row.security, Step::Alert(Turn::other(was, row))))
}

/// What the bound of an alert is in, where it is money.
fn money_of(book: &Book, security: SecurityId, of: AlertOf) -> Result<Option<Currency>> {
    Ok(match of {
        AlertOf::Price => Some(book.security(security)?.security.currency),
        AlertOf::Value => Some(book.base),
        AlertOf::Change | AlertOf::Stale | AlertOf::Weight => None,
    })
}

/// Lets an alert be silent before a day, or speak again. What is past its bound then, it tells once
/// more.
pub(super) async fn snooze(
    tx: &mut WriteTx,
    id: AlertId,
    until: Option<NaiveDate>,
) -> Result<(SecurityId, Step)> {
    let was = alert(tx, id).await?.ok_or(Error::NoAlert(id))?;
    let terms = AlertTerms { snoozed: until, ..was.terms.clone() };
    let row = Alert { terms, crossed: None, ..was.clone() };
    tx.update_alert(&row).await?;
    Ok((row.security, Step::Alert(Turn::other(was, row))))
}

/// Takes an alert away; what it told stays in the log, as long as its security does.
pub(super) async fn remove_alert(tx: &mut WriteTx, id: AlertId) -> Result<Step> {
    let was = alert(tx, id).await?.ok_or(Error::NoAlert(id))?;
    tx.remove_alert(&was).await?;
    Ok(Step::Alert(Turn { was: Some(was), is: None }))
}

async fn alert(tx: &mut WriteTx, id: AlertId) -> Result<Option<Alert>> {
    Ok(tx.alerts().await?.into_iter().find(|row| row.id == id))
}

/// Goes back to the terms of an alert; gives the way forward again. That it went past its bound
/// meanwhile changes nothing of them, and is not told once more on either way.
pub(super) async fn take_alert_back(tx: &mut WriteTx, turn: &Turn<Alert>) -> Result<Turn<Alert>> {
    let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(turn.clone()) };
    let now = alert(tx, place.id).await?;
    if now.as_ref().map(|row| &row.terms) != turn.is.as_ref().map(|row| &row.terms) {
        return Err(Error::ChangedSince(SafeText::new(&format!("alert {}", place.id))));
    }
    let mut then = turn.was.clone();
    if let (Some(then), Some(now)) = (&mut then, &now)
        && then.terms.is_same(&now.terms, NaiveDate::MIN)
    {
        then.crossed = now.crossed;
    }
    match (&then, &now) {
        (Some(then), Some(_)) => tx.update_alert(then).await?,
        (Some(then), None) => tx.insert_alert(then).await?,
        (None, Some(now)) => tx.remove_alert(now).await?,
        (None, None) => {}
    }
    Ok(Turn { was: now, is: then })
}

/// What came out of looking at an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertVerdict {
    /// Which.
    pub id: AlertId,
    /// Its terms when somebody looked.
    pub terms: AlertTerms,
    /// As it was then.
    pub was: Option<NaiveDate>,
    /// What went past its bound; none: it is back.
    pub crossed: Option<Crossing>,
}

/// Something that went past a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The bound, as it counts now.
    pub bound: Dec,
    /// What was seen.
    pub seen: Dec,
    /// Of which day that is.
    pub on: NaiveDate,
    /// Who says so.
    pub source: Option<SafeText>,
    /// In which currency.
    pub currency: Option<Currency>,
}

/// Keeps what came out of looking at alerts, each crossing once: where another process was faster,
/// it has told it, and of one that is another by now nothing was seen. Gives those that were told now.
///
/// # Errors
/// When the store fails; then nothing is written.
pub async fn note_alerts(
    store: &Store,
    verdicts: Vec<AlertVerdict>,
    op: OpId,
    now: i64,
) -> Result<Vec<AlertLog>> {
    let store = store.clone();
    let task = tasks::spawn(Task::Edit, async move {
        let mut tx = store.write().await?;
        let alerts = tx.alerts().await?;
        let mut log = Vec::new();
        for verdict in verdicts {
            let alert = alerts.iter().find(|row| row.id == verdict.id);
            let is_it = |row: &&Alert| row.crossed == verdict.was && row.terms == verdict.terms;
            let Some(alert) = alert.filter(is_it) else { continue };
            let crossed = verdict.crossed.as_ref().map(|it| it.on);
            tx.update_alert(&Alert { crossed, ..alert.clone() }).await?;
            let Some(Crossing { bound, seen, on, source, currency }) = verdict.crossed else {
                continue;
            };
            let (security, of, side) = (alert.security, alert.terms.of, alert.terms.side);
            let id = tx.take_id();
            let seen_on = on;
            log.push(AlertLog {
                id,
                security,
                at: now,
                of,
                side,
                bound,
                seen,
                seen_on,
                source,
                currency,
            });
        }
        tx.insert_alert_log(&log).await?;
        // No figure rests on it.
        tx.carry_account_days(NaiveDate::MAX).await?;
        tx.commit(&op.to_string(), ALERTS, now).await?;
        Ok(log)
    });
    task.await.unwrap_or(Err(Error::Interrupted))
}

/// The action of looking at alerts, in the trail and in the store.
pub const ALERTS: &str = "alert.judge";
