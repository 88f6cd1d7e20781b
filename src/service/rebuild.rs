//! Making the derived figures again, or checking that they are what the rows say.

use super::{Error, Session};
use crate::figures::{Difference, Names};
use crate::ledger;
use crate::refresh;
use crate::report;
use crate::store::{Damage, Store};

/// Makes every derived figure anew, and tells from how many rows.
///
/// # Errors
/// When the store fails.
pub async fn run(session: &Session) -> Result<u64, Error> {
    let attempt = session.attempt("rebuild", "").await?;
    match ledger::rebuild(&session.store, attempt.op(), session.now()).await {
        Ok(rows) => {
            refresh::keep_days(&session.store, session.clock.today()).await;
            attempt.committed(&format!("rows={rows}")).await;
            Ok(rows)
        }
        Err(error) => {
            let error = error.into();
            session.end_badly(attempt, &error).await;
            Err(error)
        }
    }
}

/// Every derived figure that is not what the rows say, in words.
///
/// # Errors
/// When the store fails.
pub async fn check(session: &Session) -> Result<Vec<String>, Error> {
    differences(&session.store).await
}

/// Every row that is not what was written, in words: of such rows no figure must be made again.
///
/// # Errors
/// When the store fails.
pub async fn damaged(session: &Session) -> Result<Vec<String>, Error> {
    let found = session.store.read().await?.damage().await?;
    let word = |row: &Damage| format!("the row {} of {}", row.row, row.table);
    Ok(found.iter().map(word).collect())
}

/// The same of a store without a session.
pub(super) async fn differences(store: &Store) -> Result<Vec<String>, Error> {
    let found = ledger::check(store).await?;
    let mut tx = store.read().await?;
    let names = Names::read(&mut tx).await?;
    let word = |difference: &Difference| match difference {
        Difference::Lots(security, year) => {
            format!("the lots of {} in {year}", names.symbol(*security))
        }
        Difference::Position(account, security) => {
            format!("the position of {} in {}", names.symbol(*security), names.account(*account))
        }
        Difference::Cash(account, currency, year) => {
            format!("the cash of {} in {currency} in {year}", names.account(*account))
        }
        Difference::Transit => "the money between two accounts".to_owned(),
        Difference::Tally(account, security, currency) => {
            let account = account.map_or_else(String::new, |id| format!(" {}", names.account(id)));
            let security = security.map_or_else(String::new, |id| format!(" {}", names.symbol(id)));
            format!("the count of{account}{security} in {currency}")
        }
    };
    let mut words: Vec<_> = found.iter().map(word).collect();
    let unlike = report::unlike_the_kept(&mut tx).await?;
    words.extend(unlike.into_iter().map(|id| format!("the days of {}", names.account(id))));
    Ok(words)
}
