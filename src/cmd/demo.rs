//! `--demo`: the sample portfolio in a throw-away store, which goes when the program ends, also
//! when it is stopped.

use std::future::pending;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Error, Status};
use super::output::note;
use super::{Job, refresh, reports};
use crate::cli::RefreshArgs;
use crate::report::{self, AccountsQuery, PositionsQuery};
use crate::service;

/// Shows it, or refreshes it once.
pub async fn run(job: &mut Job<'_>, refresh: Option<&RefreshArgs>) -> Result<Status, Error> {
    tokio::select! {
        biased;
        number = stopped() => Err(Error::Signal(number)),
        done = show(job, refresh) => done,
    }
}

async fn show(job: &mut Job<'_>, refresh: Option<&RefreshArgs>) -> Result<Status, Error> {
    // The folder goes when this is dropped, wherever we leave.
    let (session, _folder) = service::demo::open(job.clock).await?;
    if let Some(args) = refresh {
        let done = refresh::run(job, &session, &service::demo::CADENCE.into(), args).await;
        session.close().await;
        return done;
    }
    let as_of = job.flags.as_of.unwrap_or_else(|| session.clock.today());
    let today = session.clock.today();
    let query = AccountsQuery { as_of, today, currency: None, account: None, closed: false };
    let mut tx = session.store.read().await?;
    let accounts = report::accounts(&mut tx, &query).await?;
    let query =
        PositionsQuery { as_of, today, account: None, currency: None, method: None, closed: false };
    let holdings = report::holdings(&mut tx, &query).await?;
    drop(tx);
    session.close().await;
    if !job.flags.json {
        note(&format!("The sample portfolio on {as_of}. All of it is invented; nothing is kept."));
    }
    reports::print(job, &accounts, false)?;
    if !job.flags.json {
        job.out.line("")?;
        reports::print(job, &holdings, false)?;
    }
    Ok(Status::Done)
}

/// The number of the signal that ends us, once it comes.
async fn stopped() -> u8 {
    tokio::select! {
        number = received(SignalKind::hangup(), 1) => number,
        number = received(SignalKind::interrupt(), 2) => number,
        number = received(SignalKind::terminate(), 15) => number,
    }
}

async fn received(kind: SignalKind, number: u8) -> u8 {
    match signal(kind) {
        Ok(mut signals) => {
            signals.recv().await;
            number
        }
        // It cannot be caught, so it ends us by itself.
        Err(_) => pending().await,
    }
}
