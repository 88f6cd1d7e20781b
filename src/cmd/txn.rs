//! `txn`: add, edit, delete, link.

use super::Job;
use super::exit::{Error, Status};
use crate::cli::{TxnAddArgs, TxnCommand, TxnEditArgs, TxnFields};
use crate::model::{Change, Entry, Mention, Status as TxnStatus, TransactionId, Unit};
use crate::service::Session;
use crate::service::edit::{RowEdit, account_named, apply, edit_transaction};

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &TxnCommand,
) -> Result<Status, Error> {
    let (applied, done) = match command {
        TxnCommand::Add(args) => {
            let entry = entry(session, args).await?;
            (apply(session, Change::AddTransaction(Box::new(entry))).await?, "added")
        }
        TxnCommand::Edit(args) => {
            (edit_transaction(session, args.id, row_edit(args)?).await?, "changed")
        }
        TxnCommand::Delete { id, restore: false } => {
            (apply(session, Change::DeleteTransaction(*id)).await?, "deleted")
        }
        TxnCommand::Delete { id, restore: true } => {
            (apply(session, Change::RestoreTransaction(*id)).await?, "brought back")
        }
        TxnCommand::Link { unlink: Some(id), .. } => {
            (apply(session, Change::UnlinkTransaction(*id)).await?, "unlinked")
        }
        TxnCommand::Link { ids, unlink: None } => {
            (apply(session, Change::LinkTransactions(ids.clone())).await?, "linked")
        }
    };
    let ids: Vec<_> = applied.transactions.iter().map(TransactionId::to_string).collect();
    job.changed(&applied, &format!("{done}: {}", ids.join(" ")))
}

async fn entry(session: &Session, args: &TxnAddArgs) -> Result<Entry, Error> {
    let account = account_named(session, args.account.as_str()).await?;
    let fields = &args.fields;
    let unit = fields.currency.unwrap_or_else(|| Unit::from(account.currency));
    let (price, price_scale) = fields.price.unzip();
    Ok(Entry {
        symbol: mention(fields),
        to_symbol: fields.to_symbol.clone(),
        quantity: fields.quantity,
        price,
        price_scale: price_scale.unwrap_or(0),
        fee: fields.fee,
        tax: fields.tax,
        amount: fields.amount,
        settlement: fields.settlement,
        fx_rate: fields.fx_rate,
        multiplier: fields.multiplier,
        ratio: fields.ratio,
        acquired: fields.acquired,
        cost_share: fields.cost_share,
        to_account: args.to_account.clone(),
        link: args.link.clone(),
        id: args.id.clone(),
        status: fields.status.unwrap_or(TxnStatus::Settled),
        description: fields.description.clone(),
        category: fields.category.clone(),
        note: fields.note.clone(),
        ..Entry::new(account.name, args.date, args.what, unit)
    })
}

/// The security with what tells it from its twins.
fn mention(fields: &TxnFields) -> Option<Mention> {
    let mut mention = fields.symbol.clone()?;
    mention.venue.clone_from(&fields.venue);
    mention.isin.clone_from(&fields.isin);
    Some(mention)
}

fn row_edit(args: &TxnEditArgs) -> Result<RowEdit, Error> {
    let fields = &args.fields;
    let edit = RowEdit {
        account: args.account.clone(),
        date: args.date,
        what: args.what,
        unit: fields.currency,
        symbol: mention(fields),
        to_symbol: fields.to_symbol.clone(),
        quantity: fields.quantity,
        price: fields.price,
        fee: fields.fee,
        tax: fields.tax,
        amount: fields.amount,
        settlement: fields.settlement,
        fx_rate: fields.fx_rate,
        multiplier: fields.multiplier,
        ratio: fields.ratio,
        acquired: fields.acquired,
        cost_share: fields.cost_share,
        status: fields.status,
        description: fields.description.clone(),
        category: fields.category.clone(),
        note: fields.note.clone(),
        clear: args.clear.clone(),
    };
    if edit == RowEdit::default() {
        return Err(Error::Usage("nothing to change; give the fields and their new values"));
    }
    Ok(edit)
}
