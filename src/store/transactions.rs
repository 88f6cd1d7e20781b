//! Transactions: the current version of each, found by id, identity, date or link.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::cell::{Cell, D, Day};
use super::record::Record;
use super::row::{both_rows, damaged, safe, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{
    AccountId, BatchId, CategoryId, Currency, Facts, Ratio, SafeText, SecurityId, Subtype,
    Transaction, TransactionId,
};

/// What makes a row of a source the same row: its content or its source's id, and which of several
/// equal ones it is. Together with the account it is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// A hash; together with the day that the row first had it is looked up.
    pub key: [u8; 12],
    /// Counts equal rows of one file.
    pub occurrence: i64,
}

/// A transaction with what only the store and the ledger know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTransaction {
    /// The transaction.
    pub transaction: Transaction,
    /// What makes it the same row when it comes again.
    pub identity: Identity,
    /// Which file of its batch.
    pub file_no: Option<i64>,
    /// Which line of that file.
    pub line: Option<i64>,
    /// The category; its name is in the facts when read.
    pub category: Option<CategoryId>,
    /// What the source says, as JSON, where edits lie over it.
    pub source_facts: Option<String>,
}

const COLUMNS: &str = "t.id, t.account_id, t.content_key, t.occurrence, t.origin, t.batch_id, \
    t.file_no, t.line, t.source_id, t.seq, t.rank, t.version, t.deleted, t.created, \
    t.updated, t.trade_date, t.settlement, t.subtype, t.status, t.security_id, t.to_security_id, \
    t.quantity, t.price, t.fee, t.tax, t.currency, t.amount, t.fx_rate, t.multiplier, t.ratio, \
    t.acquired, t.cost_share, t.link, t.description, t.category_id, t.note, t.quoted_in, \
    t.source_facts, t.checksum, c.name";

/// What says what was in an account before its first row, as no source does.
const OPENING: &str = "t.origin = 'provider' and t.subtype = 'opening' and t.source_id is null";

/// A row and the checksum that was stored with it.
pub(super) struct Checked(pub StoredTransaction, pub i64);

both_rows!(Checked, |row| {
    let decimal = |index: usize| -> std::result::Result<_, sqlx::Error> {
        Ok(row.try_get::<Option<D>, _>(index)?.map(|value| value.0))
    };
    let text =
        |index: usize| -> std::result::Result<Option<String>, sqlx::Error> { row.try_get(index) };
    let key: Vec<u8> = row.try_get(2)?;
    let key = key.try_into().map_err(|_| damaged("content_key", "wrong length"))?;
    let ratio = match text(29)? {
        None => None,
        Some(ratio) => Some(Ratio::parse(&ratio).ok_or_else(|| damaged("ratio", &ratio))?),
    };
    let currency: String = row.try_get(25)?;
    let transaction = Transaction {
        id: TransactionId(row.try_get(0)?),
        account: AccountId(row.try_get(1)?),
        origin: word(row.try_get::<&str, _>(4)?, "origin")?,
        batch: row.try_get::<Option<i64>, _>(5)?.map(BatchId),
        source_id: safe(text(8)?),
        seq: row.try_get(9)?,
        version: row.try_get(11)?,
        deleted: row.try_get(12)?,
        created: row.try_get(13)?,
        updated: row.try_get::<Option<i64>, _>(14)?.unwrap_or(row.try_get(13)?),
        security: row.try_get::<Option<i64>, _>(19)?.map(SecurityId),
        to_security: row.try_get::<Option<i64>, _>(20)?.map(SecurityId),
        link: safe(text(32)?),
        facts: Facts {
            date: row.try_get::<Day, _>(15)?.0,
            settlement: row.try_get(16)?,
            subtype: word(row.try_get::<&str, _>(17)?, "subtype")?,
            status: word(row.try_get::<&str, _>(18)?, "status")?,
            quantity: decimal(21)?,
            price: decimal(22)?,
            fee: decimal(23)?,
            tax: decimal(24)?,
            currency: word::<Currency>(&currency, "currency")?,
            amount: row.try_get::<D, _>(26)?.0,
            fx_rate: decimal(27)?,
            multiplier: decimal(28)?,
            ratio,
            acquired: row.try_get(30)?,
            cost_share: decimal(31)?,
            description: safe(text(33)?),
            category: safe(text(39)?),
            note: safe(text(35)?),
            quoted_in: safe(text(36)?),
        },
    };
    // The database sorts by it, so it must be what the facts say.
    let rank: i64 = row.try_get(10)?;
    if rank != transaction.facts.rank() as i64 {
        return Err(damaged("rank", &rank.to_string()));
    }
    Ok(Self(
        StoredTransaction {
            transaction,
            identity: Identity { key, occurrence: row.try_get(3)? },
            file_no: row.try_get(6)?,
            line: row.try_get(7)?,
            category: row.try_get::<Option<i64>, _>(34)?.map(CategoryId),
            source_facts: text(37)?,
        },
        row.try_get(38)?,
    ))
});

impl Record for StoredTransaction {
    const TABLE: &'static str = "transactions";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "account_id",
        "content_key",
        "occurrence",
        "origin",
        "batch_id",
        "file_no",
        "line",
        "source_id",
        "seq",
        "rank",
        "version",
        "deleted",
        "created",
        "updated",
        "trade_date",
        "settlement",
        "subtype",
        "status",
        "security_id",
        "to_security_id",
        "quantity",
        "price",
        "fee",
        "tax",
        "currency",
        "amount",
        "fx_rate",
        "multiplier",
        "ratio",
        "acquired",
        "cost_share",
        "link",
        "description",
        "category_id",
        "note",
        "quoted_in",
        "source_facts",
    ];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let t = &self.transaction;
        let f = &t.facts;
        into.extend([
            Cell::Int(Some(t.id.0)),
            Cell::Int(Some(t.account.0)),
            Cell::Bytes(&self.identity.key),
            Cell::Int(Some(self.identity.occurrence)),
            Cell::Text(Some(t.origin.as_str())),
            Cell::Int(t.batch.map(|id| id.0)),
            Cell::Int(self.file_no),
            Cell::Int(self.line),
            Cell::text(&t.source_id),
            Cell::Int(Some(t.seq)),
            Cell::Int(Some(f.rank() as i64)),
            Cell::Int(Some(t.version)),
            Cell::Bool(t.deleted),
            Cell::Int(Some(t.created)),
            Cell::Int(Some(t.updated).filter(|updated| *updated != t.created)),
            Cell::Date(Some(f.date)),
            Cell::Date(f.settlement),
            Cell::Text(Some(f.subtype.as_str())),
            Cell::Text(Some(f.status.as_str())),
            Cell::Int(t.security.map(|id| id.0)),
            Cell::Int(t.to_security.map(|id| id.0)),
            Cell::Dec(f.quantity),
            Cell::Dec(f.price),
            Cell::Dec(f.fee),
            Cell::Dec(f.tax),
            Cell::Text(Some(f.currency.code())),
            Cell::Dec(Some(f.amount)),
            Cell::Dec(f.fx_rate),
            Cell::Dec(f.multiplier),
            Cell::Ratio(f.ratio.as_ref()),
            Cell::Date(f.acquired),
            Cell::Dec(f.cost_share),
            Cell::text(&t.link),
            Cell::text(&f.description),
            Cell::Int(self.category.map(|id| id.0)),
            Cell::text(&f.note),
            Cell::text(&f.quoted_in),
            Cell::text(&self.source_facts),
        ]);
    }
}

/// Where a row that was moved would be looked for.
pub(super) struct MovedRow {
    date: NaiveDate,
    key: Vec<u8>,
    pub account: AccountId,
    occurrence: i64,
    transaction: TransactionId,
}

both_rows!(MovedRow, |row| {
    Ok(Self {
        date: row.try_get::<Day, _>(0)?.0,
        key: row.try_get(1)?,
        account: AccountId(row.try_get(2)?),
        occurrence: row.try_get(3)?,
        transaction: TransactionId(row.try_get(4)?),
    })
});

impl Record for MovedRow {
    const TABLE: &'static str = "moved_rows";
    const COLUMNS: &'static [&'static str] =
        &["trade_date", "content_key", "account_id", "occurrence", "transaction_id"];
    const KEYS: usize = 4;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Date(Some(self.date)),
            Cell::Bytes(&self.key),
            Cell::Int(Some(self.account.0)),
            Cell::Int(Some(self.occurrence)),
            Cell::Int(Some(self.transaction.0)),
        ]);
    }
}

/// Which transactions a reader wants; every part that is given must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransactionFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this currency.
    pub currency: Option<Currency>,
    /// On or after.
    pub from: Option<NaiveDate>,
    /// On or before.
    pub to: Option<NaiveDate>,
    /// Of one of these events.
    pub subtypes: Option<&'static [Subtype]>,
}

/// A place in the order of rows, as far as columns can tell: rows that share it are told apart by
/// their text, which only a reader knows.
pub type Place = (NaiveDate, i64, i64);

impl Tx {
    /// The transaction of this id, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transaction(&mut self, id: TransactionId) -> Result<Option<StoredTransaction>> {
        let found = self.transactions_where("t.id = $1", &[Cell::Int(Some(id.0))], "").await?;
        Ok(found.into_iter().next())
    }

    /// The live transactions from `after` on (inclusive) in the order of date, sequence and rank;
    /// at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_from(
        &mut self,
        filter: &TransactionFilter,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<StoredTransaction>> {
        let mut cells = vec![Cell::Int(Some(limit))];
        let mut condition = String::from("t.deleted = false");
        if let Some(subtypes) = filter.subtypes {
            let words: Vec<_> = subtypes.iter().map(|it| format!("'{}'", it.as_str())).collect();
            condition.push_str(&format!(" and t.subtype in ({})", words.join(", ")));
        }
        let mut add = |text: &str, cell: Cell<'static>| {
            cells.push(cell);
            condition.push_str(&text.replace('?', &format!("${}", cells.len())));
        };
        if let Some(account) = filter.account {
            add(" and t.account_id = ?", Cell::Int(Some(account.0)));
        }
        if let Some(from) = filter.from {
            add(" and t.trade_date >= ?", Cell::Date(Some(from)));
        }
        if let Some(to) = filter.to {
            add(" and t.trade_date <= ?", Cell::Date(Some(to)));
        }
        if let Some((date, seq, rank)) = after {
            add(" and t.trade_date >= ?", Cell::Date(Some(date)));
            add(" and (t.trade_date, t.seq, t.rank) >= (?", Cell::Date(Some(date)));
            add(", ?", Cell::Int(Some(seq)));
            add(", ?)", Cell::Int(Some(rank)));
        }
        let code = filter.currency.map(|currency| currency.code().to_owned());
        if code.is_some() {
            cells.push(Cell::text(&code));
            condition.push_str(&format!(" and t.currency = ${}", cells.len()));
        }
        self.transactions_where(
            &condition,
            &cells,
            " order by t.trade_date, t.seq, t.rank limit $1",
        )
        .await
    }

    /// The live transactions of the first day on or after `date` that has any.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_of_next_day(
        &mut self,
        date: NaiveDate,
    ) -> Result<Vec<StoredTransaction>> {
        // No row is later, and days of five digits do not sort as text.
        if date.year() > 9999 {
            return Ok(Vec::new());
        }
        self.transactions_where(
            "t.deleted = false and t.trade_date = (select min(trade_date) from transactions \
             where deleted = false and trade_date >= $1)",
            &[Cell::Date(Some(date))],
            " order by t.trade_date, t.seq, t.rank",
        )
        .await
    }

    /// Every transaction that was deleted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deleted_transactions(&mut self) -> Result<Vec<StoredTransaction>> {
        self.transactions_where("t.deleted = true", &[], " order by t.id").await
    }

    /// The live transactions of these days that a person changed since they came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn edited_transactions(
        &mut self,
        days: &BTreeSet<NaiveDate>,
    ) -> Result<Vec<StoredTransaction>> {
        let days: Vec<_> = days.iter().map(|day| Cell::Date(Some(*day))).collect();
        let mut found = Vec::new();
        for days in days.chunks(400) {
            let condition = format!(
                "t.trade_date in ({}) and t.deleted = false and \
                 (t.source_facts is not null or t.origin = 'hand' and t.version > 1)",
                self.marks(days.len())
            );
            found.extend(self.transactions_where(&condition, days, " order by t.id").await?);
        }
        Ok(found)
    }

    /// Every transaction of these links, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_linked(&mut self, link: &str) -> Result<Vec<StoredTransaction>> {
        self.transactions_where("t.link = $1", &[Cell::Text(Some(link))], " order by t.id").await
    }

    /// Every linked row that may move cash between two own accounts, link by link.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn linked_cash(&mut self) -> Result<Vec<StoredTransaction>> {
        let condition = "t.link is not null and t.security_id is null and t.deleted = false and \
             t.subtype in ('deposit', 'withdrawal', 'wire_in', 'wire_out', 'transfer_in', \
             'transfer_out', 'internal', 'fx', 'journal', 'unknown')";
        self.transactions_where(condition, &[], " order by t.link, t.id").await
    }

    /// The links that more than one live transaction carries.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn shared_links(&mut self) -> Result<BTreeSet<SafeText>> {
        const SQL: &str = "select link from transactions where link is not null and \
             deleted = false group by link having count(*) > 1";
        let links: Vec<String> =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_all(&mut **conn).await?);
        Ok(links.iter().map(|link| SafeText::new(link)).collect())
    }

    /// Every transaction of an account, deleted ones too, in order of id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_of_account(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<StoredTransaction>> {
        let cells = [Cell::Int(Some(account.0))];
        self.transactions_where("t.account_id = $1", &cells, " order by t.id").await
    }

    /// What providers opened these accounts with, deleted ones too, in order of id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn openings(&mut self, accounts: &[AccountId]) -> Result<Vec<StoredTransaction>> {
        let mut found = Vec::new();
        for accounts in accounts.chunks(400) {
            let condition =
                format!("t.account_id in ({}) and {OPENING}", self.marks(accounts.len()));
            let cells: Vec<_> = accounts.iter().map(|id| Cell::Int(Some(id.0))).collect();
            found.extend(self.transactions_where(&condition, &cells, " order by t.id").await?);
        }
        Ok(found)
    }

    /// The first day of each of these accounts that has a live row, but for what opened it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_days(
        &mut self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, NaiveDate)>> {
        let mut found = Vec::new();
        for accounts in accounts.chunks(400) {
            let sql = format!(
                "select t.account_id, min(t.trade_date) from transactions t \
                 where t.account_id in ({}) and t.deleted = false and not ({OPENING}) \
                 group by t.account_id order by t.account_id",
                self.marks(accounts.len())
            );
            let part: Vec<(i64, NaiveDate)> = on_tx!(self, conn => {
                let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
                for account in accounts {
                    query = query.bind(account.0);
                }
                query.fetch_all(&mut **conn).await?
            });
            found.extend(part.into_iter().map(|(account, day)| (AccountId(account), day)));
        }
        Ok(found)
    }

    /// The transactions that are known by these keys, each with the day on which it first came;
    /// deleted ones and those that were moved to another day since too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_by_key(
        &mut self,
        keys: &[(NaiveDate, [u8; 12])],
    ) -> Result<Vec<StoredTransaction>> {
        let mut found = Vec::new();
        for keys in keys.chunks(400) {
            let cells: Vec<_> = keys
                .iter()
                .flat_map(|(date, key)| [Cell::Date(Some(*date)), Cell::Bytes(key)])
                .collect();
            let pairs = self.list_of_marks(keys.len(), 2);
            let condition = format!("(t.trade_date, t.content_key) in ({pairs})");
            found.extend(self.transactions_where(&condition, &cells, "").await?);
            let moved = self.moved_rows(&pairs, &cells).await?;
            found.extend(self.transactions_by_id(&moved).await?);
        }
        Ok(found)
    }

    async fn moved_rows(&mut self, pairs: &str, cells: &[Cell<'_>]) -> Result<Vec<TransactionId>> {
        let sql = format!(
            "select transaction_id from moved_rows where (trade_date, content_key) in ({pairs})"
        );
        let ids: Vec<i64> = on_tx!(self, conn => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
            for cell in cells {
                query = super::cell::bind_cell!(query, *cell);
            }
            query.fetch_all(&mut **conn).await?
        });
        Ok(ids.into_iter().map(TransactionId).collect())
    }

    /// The account and the occurrence under which a source knows those of these rows that were
    /// moved since.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_places(
        &mut self,
        ids: &[TransactionId],
    ) -> Result<Vec<(TransactionId, AccountId, i64)>> {
        let mut places = Vec::new();
        for ids in ids.chunks(400) {
            let marks = self.marks(ids.len());
            let sql = format!(
                "select transaction_id, account_id, occurrence from moved_rows \
                 where transaction_id in ({marks}) order by transaction_id"
            );
            let part: Vec<(i64, i64, i64)> = on_tx!(self, conn => {
                let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
                for id in ids {
                    query = query.bind(id.0);
                }
                query.fetch_all(&mut **conn).await?
            });
            let read =
                |(id, account, occurrence)| (TransactionId(id), AccountId(account), occurrence);
            places.extend(part.into_iter().map(read));
        }
        Ok(places)
    }

    /// The transactions that have one of these ids of their source, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_by_source(
        &mut self,
        ids: &[&SafeText],
    ) -> Result<Vec<StoredTransaction>> {
        let mut found = Vec::new();
        for ids in ids.chunks(400) {
            let marks = self.marks(ids.len());
            let cells: Vec<_> = ids.iter().map(|id| Cell::text(*id)).collect();
            let condition = format!("t.source_id in ({marks})");
            found.extend(self.transactions_where(&condition, &cells, "").await?);
        }
        Ok(found)
    }

    /// The first and the last day that has rows, deleted ones and those moved away since too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn span_of_days(&mut self) -> Result<Option<RangeInclusive<NaiveDate>>> {
        const SQL: &str = "with day (day) as ( \
             select min(trade_date) from transactions union all \
             select max(trade_date) from transactions union all \
             select min(trade_date) from moved_rows union all \
             select max(trade_date) from moved_rows) \
             select day from day where day is not null order by day";
        let days: Vec<NaiveDate> =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_all(&mut **conn).await?);
        Ok(days.first().zip(days.last()).map(|(first, last)| *first..=*last))
    }

    /// Which of these days have rows, deleted ones and those moved away since too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn days_with_rows(&mut self, days: &[NaiveDate]) -> Result<BTreeSet<NaiveDate>> {
        let mut found = BTreeSet::new();
        for days in days.chunks(400) {
            let marks = self.rows_of_marks(days.len(), 1);
            let sql = format!(
                "with day (day) as (values {marks}) select day from day where exists \
                 (select 1 from transactions where trade_date = day) or exists \
                 (select 1 from moved_rows where trade_date = day)"
            );
            let part: Vec<NaiveDate> = on_tx!(self, conn => {
                let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
                for day in days {
                    query = query.bind(*day);
                }
                query.fetch_all(&mut **conn).await?
            });
            found.extend(part);
        }
        Ok(found)
    }

    /// The ids of the transactions that this batch brought, or that it claims as well.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_of_batch(&mut self, batch: BatchId) -> Result<Vec<TransactionId>> {
        const SQL: &str = "select id from transactions where batch_id = $1 union \
             select transaction_id from claims where batch_id = $1 order by 1";
        let ids: Vec<i64> = on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(batch.0).fetch_all(&mut **conn).await?
        });
        Ok(ids.into_iter().map(TransactionId).collect())
    }

    /// The transactions of these ids, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_by_id(
        &mut self,
        ids: &[TransactionId],
    ) -> Result<Vec<StoredTransaction>> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(400) {
            let marks = self.marks(ids.len());
            let cells: Vec<_> = ids.iter().map(|id| Cell::Int(Some(id.0))).collect();
            let condition = format!("t.id in ({marks})");
            found.extend(self.transactions_where(&condition, &cells, " order by t.id").await?);
        }
        Ok(found)
    }

    /// What providers told of an account for a day and those after it, cancelled and deleted rows
    /// too. Where a row is, its source says: what a person moved here is not among them, and what a
    /// person moved away is, to whatever day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn transactions_told(
        &mut self,
        account: AccountId,
        from: NaiveDate,
    ) -> Result<Vec<StoredTransaction>> {
        const HERE: &str = "t.origin = 'provider' and t.account_id = $1 and t.trade_date >= $2 \
             and not exists (select 1 from moved_rows m where m.transaction_id = t.id)";
        const MOVED: &str = "t.origin = 'provider' and t.id in \
             (select transaction_id from moved_rows where account_id = $1) \
             and (t.trade_date >= $2 or t.status = 'pending' or t.source_facts is not null)";
        let cells = [Cell::Int(Some(account.0)), Cell::Date(Some(from))];
        let mut found = self.transactions_where(HERE, &cells, "").await?;
        found.extend(self.transactions_where(MOVED, &cells, "").await?);
        found.sort_by_key(|StoredTransaction { transaction: row, .. }| {
            (row.facts.date, row.seq, row.id)
        });
        Ok(found)
    }

    /// What a provider told of an account as pending, from one day to before another.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending_told(
        &mut self,
        account: AccountId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<StoredTransaction>> {
        const CONDITION: &str = "t.status = 'pending' and t.origin = 'provider' and \
             t.account_id = $1 and t.trade_date >= $2 and t.trade_date < $3 and \
             not exists (select 1 from moved_rows m where m.transaction_id = t.id)";
        let cells = [Cell::Int(Some(account.0)), Cell::Date(Some(from)), Cell::Date(Some(to))];
        self.transactions_where(CONDITION, &cells, " order by t.trade_date, t.seq, t.id").await
    }

    /// What a provider told that is pending in an account on these days, also where it was told of
    /// another day first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending_in(
        &mut self,
        account: AccountId,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<StoredTransaction>> {
        const CONDITION: &str = "t.status = 'pending' and t.origin = 'provider' and \
             t.deleted = false and t.account_id = $1 and t.trade_date between $2 and $3";
        let cells = [Cell::Int(Some(account.0)), Cell::Date(Some(first)), Cell::Date(Some(last))];
        self.transactions_where(CONDITION, &cells, " order by t.trade_date, t.seq, t.id").await
    }

    pub(super) async fn transactions_where(
        &mut self,
        condition: &str,
        cells: &[Cell<'_>],
        rest: &str,
    ) -> Result<Vec<StoredTransaction>> {
        let rows = self.checked_transactions(condition, cells, rest).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    pub(super) async fn checked_transactions(
        &mut self,
        condition: &str,
        cells: &[Cell<'_>],
        rest: &str,
    ) -> Result<Vec<Checked>> {
        let sql = format!(
            "select {COLUMNS} from transactions t left join categories c on c.id = t.category_id \
             where {condition}{rest}"
        );
        Ok(on_tx!(self, conn => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for cell in cells {
                query = super::cell::bind_cell!(query, *cell);
            }
            query.fetch_all(&mut **conn).await?
        }))
    }
}

impl WriteTx {
    /// Adds transactions whose ids and identities are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_transactions(&mut self, rows: &[&StoredTransaction]) -> Result<()> {
        self.insert(rows).await
    }

    /// Adds such transactions where many more follow and nobody asks for these soon.
    ///
    /// # Errors
    /// When the database refuses these or earlier ones.
    pub async fn insert_many_transactions(&mut self, rows: &[&StoredTransaction]) -> Result<()> {
        self.insert_many(rows).await
    }

    /// Looks at the names of accounts and securities, so that SQLite keeps them in memory while
    /// many rows go by. A page that it had to write already and must write again before the end
    /// costs it a second reading of everything written since.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn keep_names_near(&mut self) -> Result<()> {
        const SQL: &str = "select \
             (select count(*) from accounts indexed by sqlite_autoindex_accounts_1) + \
             (select count(*) from securities indexed by securities_symbol)";
        if let Tx::Sqlite(conn) = &mut self.tx {
            sqlx::query(SQL).fetch_one(&mut **conn).await?;
        }
        Ok(())
    }

    /// Writes a transaction over its older version, which the caller has kept.
    ///
    /// # Errors
    /// When the database refuses or there is no such transaction.
    pub async fn update_transaction(&mut self, row: &StoredTransaction) -> Result<()> {
        self.note_row(&row.transaction);
        self.update(row).await
    }

    /// Remembers where a row that moves to another day or account would be looked for. The first
    /// place is what a source knows it by; later ones do not matter.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remember_place(&mut self, before: &StoredTransaction) -> Result<()> {
        let StoredTransaction { transaction, identity, .. } = before;
        if !self.first_places(&[transaction.id]).await?.is_empty() {
            return Ok(());
        }
        let place = MovedRow {
            date: transaction.facts.date,
            key: identity.key.to_vec(),
            account: transaction.account,
            occurrence: identity.occurrence,
            transaction: transaction.id,
        };
        self.insert(&[place]).await
    }

    /// Lets the places under which one row is known lead to another.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn inherit_places(&mut self, from: TransactionId, into: TransactionId) -> Result<()> {
        const SQL: &str = "select trade_date, content_key, account_id, occurrence, transaction_id \
             from moved_rows where transaction_id = $1";
        let places: Vec<MovedRow> = on_tx!(&mut self.tx, conn => sqlx::query_as(SQL).bind(from.0).fetch_all(&mut **conn).await?);
        for place in places {
            self.update(&MovedRow { transaction: into, ..place }).await?;
        }
        Ok(())
    }

    /// Takes transactions out of the store, with their versions and claims.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_transactions(&mut self, ids: &[TransactionId]) -> Result<()> {
        for ids in ids.chunks(400) {
            let marks = self.marks(ids.len());
            for (table, column) in [
                ("transaction_versions", "transaction_id"),
                ("claims", "transaction_id"),
                ("moved_rows", "transaction_id"),
                ("transactions", "id"),
            ] {
                let sql = format!("delete from {table} where {column} in ({marks})");
                on_tx!(&mut self.tx, conn => {
                    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
                    for id in ids {
                        query = query.bind(id.0);
                    }
                    query.execute(&mut **conn).await?;
                });
            }
        }
        Ok(())
    }
}
