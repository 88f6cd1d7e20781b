//! The book: accounts, securities, categories and the tally, as a write sees them.
//!
//! Read once at the beginning of a write, changed beside it, and written back where touched.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;

use super::sayings::{Sayings, Thing};
use super::{Error, Result, body};
use crate::figures::Keeper;
use crate::model::{
    Account, AccountId, AccountKind, BatchId, CategoryId, Change, Currency, Exact, Kind, SafeText,
    Security, SecurityId, Setting,
};
use crate::store::{
    AccountRecord, CategoryRecord, EntityVersion, SecurityRecord, StoredTransaction, SymbolRecord,
    Tally, TallyKey, WriteTx,
};

/// What every change of a write shares.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub op: String,
    pub now: i64,
    pub batch: Option<BatchId>,
}

/// A security that has a symbol, or had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub id: SecurityId,
    /// The last day on which it had it, and the number of the change: it counts up together with
    /// the ids of securities, so that it tells which of them were there at the time.
    pub until: Option<(NaiveDate, i64)>,
}

fn number_of(source: &SafeText) -> i64 {
    let number = source.as_str().strip_prefix(SymbolRecord::FORMER);
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

pub(super) struct Book {
    pub base: Currency,
    pub accounts: BTreeMap<AccountId, AccountRecord>,
    pub names: HashMap<SafeText, AccountId>,
    pub securities: BTreeMap<SecurityId, SecurityRecord>,
    /// What they were before a person edited them: sources still call them so.
    pub edited: Vec<Security>,
    /// By current and former symbol.
    pub symbols: HashMap<SafeText, Vec<Holder>>,
    /// Symbols that a security gave up: what they mean depends on the day.
    pub given_up: HashSet<SafeText>,
    pub categories: HashMap<SafeText, CategoryId>,
    pub tally: BTreeMap<TallyKey, Tally>,
    /// What is said of all this.
    pub sayings: Sayings,
    touched: BTreeSet<TallyKey>,
    keeper: Keeper,
    doubted: BTreeSet<Thing>,
}

impl Book {
    pub async fn open(tx: &mut WriteTx) -> Result<Self> {
        let base = tx.setting(Setting::BaseCurrency).await?;
        let base = base.and_then(|code| Currency::parse(&code).ok()).unwrap_or(Currency::USD);
        let accounts = tx.accounts().await?.into_iter();
        let accounts: BTreeMap<_, _> = accounts.map(|row| (row.account.id, row)).collect();
        let names = tx.account_names().await?.into_iter().collect();
        let mut book = Self {
            base,
            accounts,
            names,
            securities: BTreeMap::new(),
            edited: Vec::new(),
            symbols: HashMap::new(),
            given_up: HashSet::new(),
            categories: HashMap::new(),
            tally: tx.tally().await?,
            sayings: Sayings::default(),
            touched: BTreeSet::new(),
            keeper: Keeper::open(tx).await?,
            doubted: BTreeSet::new(),
        };
        for row in tx.securities().await? {
            book.index_security(row);
        }
        for (_, body) in tx.entity_versions("security", Change::EDIT_SECURITY).await? {
            book.edited.push(body::from_json(&body)?);
        }
        for row in tx.security_symbols().await? {
            let until = row.until.map(|day| (day, number_of(&row.source)));
            if until.is_some() {
                book.given_up.insert(row.symbol.clone());
            }
            if row.is_alias() {
                book.index_symbol(row.symbol, Holder { id: row.security, until });
            }
        }
        let categories = tx.categories().await?.into_iter();
        book.categories = categories.map(|row| (row.name, row.id)).collect();
        Ok(book)
    }

    pub fn index_security(&mut self, row: SecurityRecord) {
        let holder = Holder { id: row.security.id, until: None };
        self.index_symbol(row.security.symbol.clone(), holder);
        self.securities.insert(row.security.id, row);
    }

    pub fn index_symbol(&mut self, symbol: SafeText, holder: Holder) {
        let holders = self.symbols.entry(symbol).or_default();
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }

    /// The number with which a security got the symbol that it had just before this number.
    pub fn had_its_name_since(&self, id: SecurityId, before: i64) -> i64 {
        let of_symbol = |symbol| self.symbols.get(symbol).into_iter().flatten();
        let holders = self.given_up.iter().flat_map(of_symbol).filter(|holder| holder.id == id);
        let numbers = holders.filter_map(|holder| holder.until).map(|(_, number)| number);
        numbers.filter(|number| *number < before).max().unwrap_or(id.0)
    }

    /// The category of this name, made when it is new.
    pub async fn category(
        &mut self,
        tx: &mut WriteTx,
        name: &SafeText,
        stamp: &Stamp,
    ) -> Result<CategoryId> {
        if let Some(id) = self.categories.get(name) {
            return Ok(*id);
        }
        let id = CategoryId(tx.take_id());
        let row = CategoryRecord { id, name: name.clone(), parent: None, batch: stamp.batch };
        tx.insert_categories(&[row]).await?;
        self.categories.insert(name.clone(), id);
        Ok(id)
    }

    pub fn account(&self, id: AccountId) -> Result<&AccountRecord> {
        self.accounts.get(&id).ok_or(Error::NoAccount(id))
    }

    pub fn security(&self, id: SecurityId) -> Result<&SecurityRecord> {
        self.securities.get(&id).ok_or(Error::NoSecurity(id))
    }

    /// Counts a live row in (or out again).
    pub fn count(&mut self, row: &StoredTransaction, into: bool) {
        if row.transaction.deleted {
            return;
        }
        let account = row.transaction.account;
        if !self.keeper.knows(account)
            && let Some(known) = self.accounts.get(&account)
        {
            self.keeper.name(account, &known.account.name);
        }
        self.keeper.row(row, into);
        for (key, change) in tally_of(row) {
            let tally = self.touch(key);
            if into {
                tally.add(&change);
            } else {
                tally.take(&change);
            }
        }
    }

    /// Counts stored prices of a security.
    pub fn count_prices(&mut self, security: SecurityId, currency: Currency, change: i64) {
        if change != 0 {
            self.touch((None, Some(security), currency)).prices += change;
        }
    }

    fn touch(&mut self, key: TallyKey) -> &mut Tally {
        self.touched.insert(key);
        self.tally.entry(key).or_default()
    }

    /// Lets the figures follow the rows that are stored by now.
    pub async fn catch_up(&mut self, tx: &mut WriteTx) -> Result<()> {
        Ok(self.keeper.catch_up(tx).await?)
    }

    /// Brings the figures up to date with all that was written; the last thing before a commit.
    pub async fn settle_figures(&mut self, tx: &mut WriteTx) -> Result<()> {
        Ok(self.keeper.settle(tx).await?)
    }

    /// This write touches a day by what this book does not see, and perhaps later ones.
    pub fn touches(&mut self, day: NaiveDate) {
        self.keeper.touches(day);
    }

    /// Nobody can say which days this write touches.
    pub fn touches_everything(&mut self) {
        self.keeper.touches_everything();
    }

    /// Lets what is kept of the days before all that was settled stay. Only for a write of which
    /// this book knows everything.
    pub async fn carry_days(&self, tx: &mut WriteTx) -> Result<()> {
        let from = self.keeper.touched_from().unwrap_or(NaiveDate::MAX);
        Ok(tx.carry_account_days(from).await?)
    }

    /// What follows from the rows of this must be derived again.
    pub fn look_again(&mut self, thing: Thing) {
        self.doubted.insert(thing);
    }

    /// Writes the tally back, and derives again what nobody declared.
    pub async fn settle(&mut self, tx: &mut WriteTx, stamp: &Stamp) -> Result<()> {
        let touched = std::mem::take(&mut self.touched);
        let entries = touched
            .iter()
            .map(|key| (*key, self.tally.get(key).cloned().unwrap_or_default()))
            .collect();
        tx.put_tally(&entries).await?;
        let doubted = std::mem::take(&mut self.doubted);
        let accounts: BTreeSet<_> = touched
            .iter()
            .filter_map(|key| key.0)
            .chain(doubted.iter().filter_map(|thing| match thing {
                Thing::Account(id) => Some(*id),
                _ => None,
            }))
            .collect();
        for id in accounts {
            self.derive_account(tx, id, stamp).await?;
        }
        let securities: BTreeSet<_> = touched
            .iter()
            .filter_map(|key| key.1)
            .chain(doubted.iter().filter_map(|thing| match thing {
                Thing::Security(id) => Some(*id),
                _ => None,
            }))
            .collect();
        for id in securities {
            self.derive_security(tx, id, stamp).await?;
        }
        self.sayings.settle(tx, stamp.batch).await
    }

    /// An account that nobody declared: `brokerage` when any row has a security, else `checking`;
    /// the currency of most rows, ties by code.
    async fn derive_account(
        &mut self,
        tx: &mut WriteTx,
        id: AccountId,
        stamp: &Stamp,
    ) -> Result<()> {
        let Some(row) = self.accounts.get(&id).filter(|row| row.account.derived) else {
            return Ok(());
        };
        let mine = self
            .tally
            .iter()
            .filter(|((account, ..), tally)| *account == Some(id) && tally.rows > 0);
        let mut rows: BTreeMap<Currency, i64> = BTreeMap::new();
        let mut kind = AccountKind::Checking;
        for ((_, security, currency), tally) in mine {
            *rows.entry(*currency).or_default() += tally.rows;
            if security.is_some() {
                kind = AccountKind::Brokerage;
            }
        }
        let currency = most(&rows).unwrap_or(row.account.currency);
        if (kind, currency) == (row.account.kind, row.account.currency) {
            return Ok(());
        }
        let mut row = row.clone();
        row.account.kind = kind;
        row.account.currency = currency;
        self.put_account(tx, row, stamp, false).await
    }

    /// A security that nobody edited has the currency of its prices, else of most of its trades,
    /// else of most of its rows; ties by code.
    async fn derive_security(
        &mut self,
        tx: &mut WriteTx,
        id: SecurityId,
        stamp: &Stamp,
    ) -> Result<()> {
        let Some(row) = self.securities.get(&id).filter(|row| row.security.derived) else {
            return Ok(());
        };
        let mut prices = BTreeMap::new();
        let mut trades = BTreeMap::new();
        let mut rows = BTreeMap::new();
        let mine = self.tally.iter().filter(|((_, security, _), _)| *security == Some(id));
        for ((_, _, currency), tally) in mine {
            *prices.entry(*currency).or_default() += tally.prices;
            *trades.entry(*currency).or_default() += tally.trades;
            *rows.entry(*currency).or_default() += tally.rows;
        }
        let currency = most(&prices).or_else(|| most(&trades)).or_else(|| most(&rows));
        let currency = currency.unwrap_or(row.security.currency);
        if currency == row.security.currency {
            return Ok(());
        }
        let mut row = row.clone();
        row.security.currency = currency;
        self.put_security(tx, row, stamp, false).await
    }

    /// Writes an account over its older version. What a person decides is kept as a version;
    /// what follows from rows can be derived again.
    pub async fn put_account(
        &mut self,
        tx: &mut WriteTx,
        mut row: AccountRecord,
        stamp: &Stamp,
        decided: bool,
    ) -> Result<()> {
        let id = row.account.id;
        let before = self.accounts.get(&id).ok_or(Error::NoAccount(id))?;
        let rules = |row: &AccountRecord| {
            let account = &row.account;
            (account.method, account.kind.tax(), account.kind == AccountKind::Margin)
        };
        let figures = |row: &AccountRecord| {
            let Account { kind, currency, mode, method, closed, .. } = row.account;
            (kind, currency, mode, method, closed)
        };
        if figures(before) != figures(&row) {
            self.keeper.touches_everything();
        }
        if rules(before) != rules(&row) {
            self.keeper.account_changed(id);
        }
        if before.account.name != row.account.name {
            self.keeper.account_renamed(id, &row.account.name);
        }
        if decided {
            tx.insert_entity_version(&EntityVersion {
                entity: "account",
                id: row.account.id.0,
                version: before.version,
                replaced: stamp.now,
                op: stamp.op.clone(),
                body: body::to_json(&before.account)?,
            })
            .await?;
            row.version += 1;
            row.updated = Some(stamp.now);
        }
        tx.update_account(&row).await?;
        self.accounts.insert(row.account.id, row);
        Ok(())
    }

    /// Writes a security over its older version, as [`Book::put_account`] does.
    pub async fn put_security(
        &mut self,
        tx: &mut WriteTx,
        mut row: SecurityRecord,
        stamp: &Stamp,
        decided: bool,
    ) -> Result<()> {
        let id = row.security.id;
        let before = self.securities.get(&id).ok_or(Error::NoSecurity(id))?;
        if before.security != row.security {
            self.keeper.touches_everything();
        }
        if before.security.currency != row.security.currency {
            self.keeper.security_from(id, NaiveDate::MIN);
        }
        if before.security.symbol != row.security.symbol {
            self.keeper.security_renamed(id);
        }
        if decided {
            tx.insert_entity_version(&EntityVersion {
                entity: "security",
                id: row.security.id.0,
                version: before.version,
                replaced: stamp.now,
                op: stamp.op.clone(),
                body: body::to_json(&before.security)?,
            })
            .await?;
            row.version += 1;
            row.updated = Some(stamp.now);
        }
        tx.update_security(&row).await?;
        self.index_security(row);
        Ok(())
    }

    /// Whether a currency is in use: the base, an account's, a transaction's.
    pub fn uses(&self, currency: Currency) -> bool {
        currency == self.base
            || self.accounts.values().any(|row| row.account.currency == currency)
            || self.tally.iter().any(|((account, _, used), tally)| {
                account.is_some() && *used == currency && tally.rows > 0
            })
    }
}

/// What a live row adds to the tally: to that of its account and security, and to that of the
/// security that an event leads to, which may have no other rows.
pub(super) fn tally_of(row: &StoredTransaction) -> impl Iterator<Item = (TallyKey, Tally)> {
    let transaction = &row.transaction;
    let facts = &transaction.facts;
    let change = |amount| Tally {
        rows: 1,
        trades: i64::from(facts.subtype.kind() == Kind::Trade),
        prices: 0,
        amount,
    };
    let amount = if facts.counts() { Exact::from(facts.amount) } else { Exact::ZERO };
    let own = ((Some(transaction.account), transaction.security, facts.currency), change(amount));
    let to = transaction.to_security;
    let to = to.map(|to| ((None, Some(to), facts.currency), change(Exact::ZERO)));
    std::iter::once(own).chain(to)
}

/// The currency with the highest count above zero; ties go to the first by code.
pub(super) fn most(counts: &BTreeMap<Currency, i64>) -> Option<Currency> {
    let highest = counts.values().copied().max().filter(|count| *count > 0)?;
    counts.iter().find(|(_, count)| **count == highest).map(|(currency, _)| *currency)
}
