//! `--demo`: the sample portfolio in a throw-away store, which goes when the program ends, also
//! when it is stopped.

use std::future::pending;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Error, Status};
use super::output::note;
use super::table::{Column, Table};
use super::{Job, report_accounts};
use crate::report::{self, AccountsQuery, HoldingQuantity};
use crate::service;

pub async fn run(job: &mut Job<'_>) -> Result<Status, Error> {
    tokio::select! {
        biased;
        number = stopped() => Err(Error::Signal(number)),
        done = show(job) => done,
    }
}

async fn show(job: &mut Job<'_>) -> Result<Status, Error> {
    // The folder goes when this is dropped, wherever we leave.
    let (session, _folder) = service::demo::open(job.clock).await?;
    let as_of = job.flags.as_of.unwrap_or_else(|| session.clock.today());
    let today = session.clock.today();
    let query = AccountsQuery { as_of, today, currency: None, account: None, closed: false };
    let mut tx = session.store.read().await?;
    let accounts = report::accounts(&mut tx, &query).await?;
    let holdings = report::quantities(&mut tx, as_of).await?;
    drop(tx);
    session.close().await;
    if !job.flags.json {
        note(&format!("The sample portfolio on {as_of}. All of it is invented; nothing is kept."));
    }
    report_accounts::print(job, &accounts, false)?;
    if !job.flags.json {
        job.out.line("")?;
        let table = holdings_table(job, &holdings);
        job.out.table(&table)?;
    }
    Ok(Status::Done)
}

fn holdings_table(job: &Job<'_>, holdings: &[HoldingQuantity]) -> Table {
    let mut table = Table::new(vec![
        Column::text("account", 16, 0),
        Column::text("holding", 8, 0),
        Column::figure("quantity", 0),
    ]);
    for holding in holdings {
        table.row(vec![
            holding.account.clone(),
            holding.symbol.clone(),
            job.figures().quantity(Some(holding.quantity)),
        ]);
    }
    table
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
