//! `security splits`: what the prices show and the transactions lack, and with `--apply` the rows
//! that are added for it.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::output::note;
use super::table::{Column, Table};
use crate::cli::SecuritySplitsArgs;
use crate::model::{Currency, SafeText, SecurityId, TransactionId};
use crate::report::{SplitProposal, SplitShare};
use crate::service::Session;
use crate::service::edit::security_named;
use crate::service::splits::{Applied, apply, proposed};
use crate::text::Figures;

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    args: &SecuritySplitsArgs,
) -> Result<Status, Error> {
    let mut only = Vec::new();
    for text in &args.securities {
        only.push(security_named(session, text).await?.id);
    }
    let proposals = proposed(session, &only).await?;
    if !args.apply {
        return list(job, &proposals).map(|()| Status::Done);
    }
    // To name a security is to have looked at it.
    let taken = proposals.iter().filter(|proposal| proposal.sure || !only.is_empty());
    let mut applied = apply(session, taken).await;
    if applied.written.is_empty() && !applied.failed.is_empty() {
        return Err(applied.failed.swap_remove(0).1.into());
    }
    tell(job, &proposals, &applied)?;
    Ok(if applied.failed.is_empty() { Status::Done } else { Status::Partial })
}

fn list(job: &mut Job<'_>, proposals: &[SplitProposal]) -> Result<(), Error> {
    let figures = job.figures();
    if job.flags.json {
        return job.out.json(&document(proposals, &Applied::default(), figures));
    }
    if proposals.is_empty() {
        return job.out.aside("the prices show no split that the transactions lack");
    }
    job.out.table(&table(proposals, figures))?;
    for proposal in proposals {
        job.out.aside(&why(proposal))?;
    }
    let open = |proposal: &SplitProposal| {
        proposal.sure && proposal.shares.iter().any(|share| share.booked.is_none())
    };
    match proposals.iter().any(open) {
        true => job.out.aside("`dashtam security splits --apply` adds what is `new`"),
        false => Ok(()),
    }
}

fn tell(job: &mut Job<'_>, proposals: &[SplitProposal], applied: &Applied) -> Result<(), Error> {
    if job.flags.json {
        return job.out.json(&document(proposals, applied, job.figures()));
    }
    for row in &applied.written {
        let of = proposals.iter().find(|proposal| proposal.security == row.security);
        let symbol = of.map(|proposal| proposal.mention.symbol.clone()).unwrap_or_default();
        job.out
            .line(&format!("added: {}  split of {symbol} in {}", row.transaction, row.account))?;
    }
    if applied.written.is_empty() {
        job.out.aside("nothing to add")?;
    }
    let figures = job.figures();
    for (account, error) in &applied.failed {
        note(&format!("dashtam: {account}: {}", figures.message(&error.to_string())));
    }
    let left = proposals.iter().filter(|proposal| !proposal.sure);
    for proposal in left.filter(|proposal| !is_written(proposal, applied)) {
        let symbol = &proposal.mention.symbol;
        job.out
            .aside(&format!("unsure, left alone: {}; name {symbol} to add it", why(proposal)))?;
    }
    Ok(())
}

fn is_written(proposal: &SplitProposal, applied: &Applied) -> bool {
    applied.written.iter().any(|row| row.security == proposal.security)
}

fn why(proposal: &SplitProposal) -> String {
    let witnesses: Vec<_> = proposal.witnesses.iter().map(SafeText::as_str).collect();
    let SplitProposal { day, mention, ratio, .. } = proposal;
    format!("{day} {} {ratio}: {}", mention.symbol, witnesses.join("; "))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    rows: Vec<Row<'a>>,
    applied: Vec<Added<'a>>,
    failed: Vec<Failed<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    security_id: SecurityId,
    symbol: &'a SafeText,
    date: NaiveDate,
    ratio: String,
    sure: bool,
    source: &'a SafeText,
    currency: Currency,
    date_before: NaiveDate,
    close_before: String,
    date_after: NaiveDate,
    close_after: String,
    witnesses: &'a [SafeText],
    accounts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    account: &'a SafeText,
    quantity_before: String,
    quantity_after: Option<String>,
    booked: Option<TransactionId>,
}

#[derive(Serialize)]
struct Added<'a> {
    account: &'a SafeText,
    security_id: SecurityId,
    transaction: TransactionId,
}

#[derive(Serialize)]
struct Failed<'a> {
    account: &'a SafeText,
    why: String,
}

fn document<'a>(
    proposals: &'a [SplitProposal],
    applied: &'a Applied,
    figures: Figures,
) -> Document<'a> {
    let added = applied.written.iter().map(|row| Added {
        account: &row.account,
        security_id: row.security,
        transaction: row.transaction,
    });
    let failed = applied
        .failed
        .iter()
        .map(|(account, error)| Failed { account, why: figures.message(&error.to_string()) });
    Document {
        schema: "dashtam.splits/1",
        rows: proposals.iter().map(|proposal| json_row(proposal, figures)).collect(),
        applied: added.collect(),
        failed: failed.collect(),
    }
}

fn json_row(proposal: &SplitProposal, figures: Figures) -> Row<'_> {
    let step = &proposal.step;
    Row {
        security_id: proposal.security,
        symbol: &proposal.mention.symbol,
        date: proposal.day,
        ratio: proposal.ratio.to_string(),
        sure: proposal.sure,
        source: &step.source,
        currency: step.currency,
        date_before: step.before.date,
        close_before: figures.exact(step.before.close),
        date_after: step.after.date,
        close_after: figures.exact(step.after.close),
        witnesses: &proposal.witnesses,
        accounts: proposal.shares.iter().map(|share| part(share, figures)).collect(),
    }
}

fn part(share: &SplitShare, figures: Figures) -> Part<'_> {
    Part {
        account: &share.account,
        quantity_before: figures.exact(share.before),
        quantity_after: figures.maybe(share.after),
        booked: share.booked,
    }
}

fn table(proposals: &[SplitProposal], figures: Figures) -> Table {
    let mut table = Table::new(vec![
        Column::text("date", 10, 0),
        Column::text("symbol", 6, 0),
        Column::text("ratio", 4, 0),
        Column::figure("close", 1),
        Column::figure("next", 1),
        Column::text("account", 8, 0),
        Column::figure("held", 0),
        Column::figure("becomes", 0),
        Column::text("", 6, 0),
    ]);
    for proposal in proposals {
        let step = &proposal.step;
        for share in &proposal.shares {
            let state = match share.booked {
                Some(row) => format!("booked by {row}"),
                None if proposal.sure => "new".to_owned(),
                None => "unsure".to_owned(),
            };
            table.row(vec![
                SafeText::new(&proposal.day.to_string()),
                proposal.mention.symbol.clone(),
                SafeText::new(&proposal.ratio.to_string()),
                figures.price(Some(step.before.close), step.currency),
                figures.price(Some(step.after.close), step.currency),
                share.account.clone(),
                figures.quantity(Some(share.before)),
                figures.quantity(share.after),
                SafeText::new(&state),
            ]);
        }
    }
    table
}
