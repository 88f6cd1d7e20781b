//! `account`: add, list, edit, rename, merge, close.

use chrono::NaiveDate;
use serde::Serialize;

use super::Job;
use super::exit::{Error, Status};
use super::json::List;
use super::table::{Column, Table};
use crate::cli::{AccountCommand, AccountEditArgs};
use crate::model::{
    Account, AccountEdit, AccountId, AccountKind, Change, Class, Currency, Edit, InPerformance,
    LotMethod, Mode, NewAccount, SafeText,
};
use crate::service::Session;
use crate::service::edit::{account_named, accounts, apply};

/// Whether it changes nothing.
pub const fn only_looks(command: &AccountCommand) -> bool {
    matches!(command, AccountCommand::List)
}

pub async fn run(
    job: &mut Job<'_>,
    session: &Session,
    command: &AccountCommand,
) -> Result<Status, Error> {
    let (change, done) = match command {
        AccountCommand::List => return list(job, session).await,
        AccountCommand::Add { name, kind, currency, institution, mode, method } => {
            let new = NewAccount {
                name: name.clone(),
                kind: *kind,
                currency: *currency,
                mode: mode.unwrap_or(Mode::Ledger),
                method: *method,
                institution: institution.clone(),
                closed: None,
                performance: None,
            };
            (Change::AddAccount(new), format!("added account `{name}`"))
        }
        AccountCommand::Edit(args) => {
            let account = account_named(session, args.name.as_str()).await?;
            (edit(&account, args), format!("changed account `{}`", account.name))
        }
        AccountCommand::Rename { old, new } => {
            let account = account_named(session, old.as_str()).await?;
            let done = format!("account `{}` is now called `{new}`", account.name);
            (Change::RenameAccount(account.id, new.clone()), done)
        }
        AccountCommand::Merge { from, into } => {
            let from = account_named(session, from.as_str()).await?;
            let into = account_named(session, into.as_str()).await?;
            let done = format!("all of account `{}` is now in `{}`", from.name, into.name);
            (Change::MergeAccounts { from: from.id, into: into.id }, done)
        }
        AccountCommand::Close { name, date } => {
            let account = account_named(session, name.as_str()).await?;
            let day = date.unwrap_or_else(|| session.clock.today());
            let edit = AccountEdit { closed: Edit::Set(day), ..AccountEdit::default() };
            let done = format!("account `{}` is closed from {day} on", account.name);
            (Change::EditAccount(account.id, edit), done)
        }
    };
    job.changed(&apply(session, change).await?, &done)
}

fn edit(account: &Account, args: &AccountEditArgs) -> Change {
    let change = &args.change;
    // The parser lets neither come without the other.
    if let (Some(balance), Some(date)) = (change.balance, args.date) {
        return Change::SetBalance(account.id, date, balance);
    }
    let edit = AccountEdit {
        kind: change.kind,
        currency: change.currency,
        mode: change.mode,
        method: Edit::given(change.method),
        institution: Edit::given(change.institution.clone()),
        closed: if change.reopen { Edit::Clear } else { Edit::Keep },
        performance: Edit::given(change.performance),
    };
    Change::EditAccount(account.id, edit)
}

/// Whether it counts in the performance of the whole, said or not.
fn counts(account: &Account) -> InPerformance {
    if account.is_in_performance() { InPerformance::Yes } else { InPerformance::No }
}

#[derive(Serialize)]
struct Row<'a> {
    id: AccountId,
    name: &'a SafeText,
    kind: AccountKind,
    class: Class,
    mode: Mode,
    method: Option<LotMethod>,
    institution: Option<&'a SafeText>,
    currency: Currency,
    closed: Option<NaiveDate>,
    performance: InPerformance,
}

impl<'a> From<&'a Account> for Row<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            id: account.id,
            name: &account.name,
            kind: account.kind,
            class: account.kind.class(),
            mode: account.mode,
            method: account.method,
            institution: account.institution.as_ref(),
            currency: account.currency,
            closed: account.closed,
            performance: counts(account),
        }
    }
}

async fn list(job: &mut Job<'_>, session: &Session) -> Result<Status, Error> {
    let accounts = accounts(session).await?;
    if job.flags.json {
        let rows = accounts.iter().map(Row::from).collect();
        job.out.json(&List { schema: "dashtam.account.list/1", rows })?;
        return Ok(Status::Done);
    }
    let mut table = Table::new(vec![
        Column::text("account", 16, 0),
        Column::text("kind", 14, 0),
        Column::text("currency", 8, 0),
        Column::text("mode", 8, 2),
        Column::text("method", 8, 3),
        Column::text("institution", 12, 4),
        Column::text("closed", 10, 1),
        Column::text("performance", 11, 5),
    ]);
    let word = |word: &str| SafeText::new(word);
    for account in &accounts {
        table.row(vec![
            account.name.clone(),
            word(account.kind.as_str()),
            word(account.currency.code()),
            word(account.mode.as_str()),
            word(account.method.map_or("", LotMethod::as_str)),
            account.institution.clone().unwrap_or_default(),
            word(&account.closed.map(|day| day.to_string()).unwrap_or_default()),
            word(counts(account).as_str()),
        ]);
    }
    job.out.table(&table)?;
    Ok(Status::Done)
}
