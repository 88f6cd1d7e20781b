//! Accounts, the names that lead to them, their institutions and their balances.

use chrono::NaiveDate;

use super::cell::{Cell, D};
use super::record::Record;
use super::row::{both_rows, safe, word};
use super::transactions::MovedRow;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{
    Account, AccountId, BatchId, ConnectionId, Currency, Dec, InPerformance, InstitutionId,
    LotMethod, SafeText,
};

/// An account with what only the store and the ledger know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// The account.
    pub account: Account,
    /// Its institution; the name is in the account when read.
    pub institution: Option<InstitutionId>,
    /// The connection that fills it.
    pub connection: Option<ConnectionId>,
    /// The import that made it.
    pub batch: Option<BatchId>,
    /// Counts up with every change.
    pub version: i64,
    /// Microseconds since the epoch.
    pub created: i64,
    /// Microseconds since the epoch, once changed.
    pub updated: Option<i64>,
}

/// The balance of an account on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub account: AccountId,
    /// When.
    pub date: NaiveDate,
    /// How much, in the account's currency; negative for what is owed.
    pub amount: Dec,
    /// The import that brought it.
    pub batch: Option<BatchId>,
    /// Microseconds since the epoch.
    pub created: i64,
}

pub(super) struct CheckedAccount(pub AccountRecord, pub i64);

both_rows!(CheckedAccount, |row| {
    let method: Option<String> = row.try_get(5)?;
    let method = method.map(|method| word(&method, "method")).transpose()?;
    let performance: Option<String> = row.try_get(14)?;
    let performance = performance.map(|said| word(&said, "performance")).transpose()?;
    Ok(Self(
        AccountRecord {
            account: Account {
                id: AccountId(row.try_get(0)?),
                name: SafeText::new(row.try_get(1)?),
                kind: word(row.try_get(2)?, "kind")?,
                currency: word::<Currency>(row.try_get(3)?, "currency")?,
                mode: word(row.try_get(4)?, "mode")?,
                method,
                institution: safe(row.try_get(16)?),
                closed: row.try_get(8)?,
                performance,
                derived: row.try_get(9)?,
            },
            institution: row.try_get::<Option<i64>, _>(6)?.map(InstitutionId),
            connection: row.try_get::<Option<i64>, _>(7)?.map(ConnectionId),
            batch: row.try_get::<Option<i64>, _>(10)?.map(BatchId),
            version: row.try_get(11)?,
            created: row.try_get(12)?,
            updated: row.try_get(13)?,
        },
        row.try_get(15)?,
    ))
});

impl Record for AccountRecord {
    const TABLE: &'static str = "accounts";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "kind",
        "currency",
        "mode",
        "method",
        "institution_id",
        "connection_id",
        "closed",
        "derived",
        "batch_id",
        "version",
        "created",
        "updated",
        "performance",
    ];
    const ADDED: &'static [usize] = &[1];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let a = &self.account;
        into.extend([
            Cell::Int(Some(a.id.0)),
            Cell::text(&a.name),
            Cell::Text(Some(a.kind.as_str())),
            Cell::Text(Some(a.currency.code())),
            Cell::Text(Some(a.mode.as_str())),
            Cell::Text(a.method.map(LotMethod::as_str)),
            Cell::Int(self.institution.map(|id| id.0)),
            Cell::Int(self.connection.map(|id| id.0)),
            Cell::Date(a.closed),
            Cell::Bool(a.derived),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::Int(Some(self.version)),
            Cell::Int(Some(self.created)),
            Cell::Int(self.updated),
            Cell::Text(a.performance.map(InPerformance::as_str)),
        ]);
    }
}

pub(super) struct CheckedBalance(pub Balance, pub i64);

both_rows!(CheckedBalance, |row| {
    Ok(Self(
        Balance {
            account: AccountId(row.try_get(0)?),
            date: row.try_get(1)?,
            amount: row.try_get::<D, _>(2)?.0,
            batch: row.try_get::<Option<i64>, _>(3)?.map(BatchId),
            created: row.try_get(4)?,
        },
        row.try_get(5)?,
    ))
});

impl Record for Balance {
    const TABLE: &'static str = "balances";
    const COLUMNS: &'static [&'static str] =
        &["account_id", "date", "amount", "batch_id", "created"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.account.0)),
            Cell::Date(Some(self.date)),
            Cell::Dec(Some(self.amount)),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::Int(Some(self.created)),
        ]);
    }
}

/// A bank or broker by name.
pub(super) struct InstitutionRecord {
    pub id: InstitutionId,
    pub name: SafeText,
    pub batch: Option<BatchId>,
}

/// A name that leads to an account.
struct NameRecord {
    name: String,
    account: AccountId,
}

impl Record for NameRecord {
    const TABLE: &'static str = "account_names";
    const COLUMNS: &'static [&'static str] = &["name", "account_id"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([Cell::text(&self.name), Cell::Int(Some(self.account.0))]);
    }
}

impl Record for InstitutionRecord {
    const TABLE: &'static str = "institutions";
    const COLUMNS: &'static [&'static str] = &["id", "name", "batch_id"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id.0)),
            Cell::text(&self.name),
            Cell::Int(self.batch.map(|id| id.0)),
        ]);
    }
}

impl Tx {
    /// Every account, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn accounts(&mut self) -> Result<Vec<AccountRecord>> {
        Ok(self.checked_accounts().await?.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_accounts(&mut self) -> Result<Vec<CheckedAccount>> {
        const SQL: &str = "select a.id, a.name, a.kind, a.currency, a.mode, a.method, \
             a.institution_id, a.connection_id, a.closed, a.derived, a.batch_id, a.version, \
             a.created, a.updated, a.performance, a.checksum, i.name from accounts a \
             left join institutions i on i.id = a.institution_id order by a.name";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// Every name that leads to an account: current ones and older ones.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_names(&mut self) -> Result<Vec<(SafeText, AccountId)>> {
        const SQL: &str = "select name, account_id from account_names order by name";
        let rows: Vec<(String, i64)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|(name, id)| (SafeText::new(&name), AccountId(id))).collect())
    }

    /// Every balance, by account and day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn balances(&mut self) -> Result<Vec<Balance>> {
        Ok(self.checked_balances().await?.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_balances(&mut self) -> Result<Vec<CheckedBalance>> {
        const SQL: &str = "select account_id, date, amount, batch_id, created, checksum \
             from balances order by account_id, date";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The last balance of an account on or before a day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn balance_on(
        &mut self,
        account: AccountId,
        date: NaiveDate,
    ) -> Result<Option<Balance>> {
        const SQL: &str = "select account_id, date, amount, batch_id, created, checksum \
             from balances where account_id = $1 and date <= $2 order by date desc limit 1";
        let row: Option<CheckedBalance> = on_tx!(self, conn => {
            sqlx::query_as(SQL).bind(account.0).bind(date).fetch_optional(&mut **conn).await?
        });
        Ok(row.map(|row| row.0))
    }
}

impl WriteTx {
    /// Adds an account and the name that leads to it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_account(&mut self, row: &AccountRecord) -> Result<()> {
        self.insert(std::slice::from_ref(row)).await?;
        self.lead_name(&row.account.name, row.account.id).await
    }

    /// Writes an account over its older version, which the caller has kept.
    ///
    /// # Errors
    /// When the database refuses or there is no such account.
    pub async fn update_account(&mut self, row: &AccountRecord) -> Result<()> {
        self.update(row).await
    }

    /// Lets a name lead to an account, whatever it led to before.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lead_name(&mut self, name: &SafeText, account: AccountId) -> Result<()> {
        let row = NameRecord { name: name.to_string(), account };
        self.remove(&row).await?;
        self.insert(&[row]).await
    }

    /// Lets every name of one account lead to another, and what connections know it by.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lead_all(&mut self, from: AccountId, into: AccountId) -> Result<()> {
        const NAMES: &str = "select name from account_names where account_id = $1 order by name";
        let names: Vec<String> = on_tx!(&mut self.tx, conn => {
            sqlx::query_scalar(NAMES).bind(from.0).fetch_all(&mut **conn).await?
        });
        for name in names {
            self.update(&NameRecord { name, account: into }).await?;
        }
        self.lead_remote(from, into).await
    }

    /// Takes an account out of the store; nothing may refer to it any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_account(&mut self, id: AccountId) -> Result<()> {
        for sql in [
            "delete from balances where account_id = $1",
            "delete from account_names where account_id = $1",
            "delete from remote_accounts where account_id = $1",
            "delete from unopened where account_id = $1",
            "delete from tally where account_id = $1",
            "delete from accounts where id = $1",
        ] {
            on_tx!(&mut self.tx, conn => sqlx::query(sql).bind(id.0).execute(&mut **conn).await.map(drop)?);
        }
        self.forget_sayings_about("account", id.0).await
    }

    /// Writes the balance of a day, over an older one of the same day.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_balance(&mut self, balance: &Balance) -> Result<()> {
        self.remove(balance).await?;
        self.insert(std::slice::from_ref(balance)).await
    }

    /// Takes away the balance of a day.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_balance(&mut self, balance: &Balance) -> Result<()> {
        self.remove(balance).await
    }

    /// Takes away the balances that a batch brought.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_balances_of(&mut self, batch: BatchId) -> Result<()> {
        const SQL: &str = "delete from balances where batch_id = $1";
        on_tx!(&mut self.tx, conn => sqlx::query(SQL).bind(batch.0).execute(&mut **conn).await.map(drop)?);
        Ok(())
    }

    /// The institution of this name, made when it is new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn institution(
        &mut self,
        name: &SafeText,
        batch: Option<BatchId>,
    ) -> Result<InstitutionId> {
        const SQL: &str = "select id from institutions where name = $1";
        let found: Option<i64> = on_tx!(&mut self.tx, conn => {
            sqlx::query_scalar(SQL).bind(name.to_string()).fetch_optional(&mut **conn).await?
        });
        if let Some(id) = found {
            return Ok(InstitutionId(id));
        }
        let id = InstitutionId(self.take_id());
        self.insert(&[InstitutionRecord { id, name: name.clone(), batch }]).await?;
        Ok(id)
    }

    /// Takes away institutions that an import made and no account names any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_unused_institutions(&mut self, batch: BatchId) -> Result<()> {
        const SQL: &str = "delete from institutions where batch_id in \
             (select id from batches where undone is not null or id = $1) and id not in \
             (select institution_id from accounts where institution_id is not null)";
        on_tx!(&mut self.tx, conn => sqlx::query(SQL).bind(batch.0).execute(&mut **conn).await.map(drop)?);
        Ok(())
    }

    /// Lets the places under which rows of one account are known follow them to another.
    pub(crate) async fn move_places(&mut self, from: AccountId, into: AccountId) -> Result<()> {
        const SQL: &str = "select p.trade_date, p.content_key, p.account_id, p.occurrence, \
             p.transaction_id from moved_rows p where p.account_id = $1 and \
             not exists (select 1 from moved_rows m where m.account_id = $2 and \
             m.trade_date = p.trade_date and m.content_key = p.content_key and \
             m.occurrence = p.occurrence)";
        let mut places: Vec<MovedRow> = on_tx!(&mut self.tx, conn => {
            sqlx::query_as(SQL).bind(from.0).bind(into.0).fetch_all(&mut **conn).await?
        });
        self.remove_all(&places).await?;
        for place in &mut places {
            place.account = into;
        }
        self.insert(&places).await
    }
}
