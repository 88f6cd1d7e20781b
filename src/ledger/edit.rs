//! Single changes, as a person asks for them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::body::Underlay;
use super::book::{Book, Stamp};
use super::identity::{key_of_content, key_of_id};
use super::quotes::{self, Quotes};
use super::sayings::{self, Fields, Thing};
use super::steps::{Step, Turn};
use super::survey::Use;
use super::{
    Applied, Error, Result, Survey, called, gone, items, merge, proposed, resolve, undo, watch,
    write,
};
use crate::analytics::pairs;
use crate::model::{
    AccountEdit, AccountId, CategoryId, Change, Column, Currency, Dec, Difference, Dimension,
    DoubtfulPrice, Draft, Edit, Entry, Exact, Mention, Mode, Move, NewAccount, NewTarget, OpId,
    Origin, PriceSubject, Quote, Refusal, RowEdit, SafeText, SecurityEdit, SecurityId, Subtype,
    Transaction, TransactionId, WatchEdit, Why, target,
};
use crate::store::{
    AccountRecord, AllocationTarget, Balance, CategoryRecord, Finding, Identity, PriceRecord,
    RateRecord, Store, StoredTransaction, SymbolRecord, WriteTx,
};

/// One change on its way into the store.
struct Editor {
    tx: WriteTx,
    book: Book,
    stamp: Stamp,
    /// The day on which a person says all that.
    today: NaiveDate,
    applied: Applied,
}

/// All of the changes or none; they stand in the trail by the name of the first.
pub(super) async fn apply(
    store: &Store,
    changes: Vec<Change>,
    op: OpId,
    (now, today): (i64, NaiveDate),
) -> Result<Applied> {
    let mut tx = store.write().await?;
    let book = Book::open(&mut tx).await?;
    let stamp = Stamp { op: op.to_string(), now, batch: None };
    let mut editor = Editor { tx, book, stamp, today, applied: Applied::default() };
    let action = changes.first().map_or("", Change::action);
    // Of these the book sees everything that they touch.
    let is_seen = changes.iter().all(|change| {
        matches!(
            change,
            Change::AddTransaction(_)
                | Change::EditTransaction(..)
                | Change::DeleteTransaction(_)
                | Change::RestoreTransaction(_)
                | Change::SetPrice(_)
                | Change::DeletePrice(_)
                | Change::SetSymbol(..)
                | Change::SetTarget(_)
                | Change::RemoveTarget(..)
                | Change::IgnoreDifference(..)
                | Change::AcceptPrice(..)
                | Change::Watch(..)
                | Change::Unwatch(_)
                | Change::AddAlert(..)
                | Change::EditAlert(..)
                | Change::SnoozeAlert(..)
                | Change::RemoveAlert(_)
                // Of an account: what it counts in and whose it is, no figure of its own.
                | Change::EditAccount(
                    _,
                    AccountEdit {
                        kind: None,
                        currency: None,
                        mode: None,
                        method: Edit::Keep,
                        closed: Edit::Keep,
                        ..
                    }
                )
        )
    });
    let goes_back = !changes
        .iter()
        .any(|change| matches!(change, Change::MergeAccounts { .. } | Change::UndoBatch(_)));
    let made = editor.made();
    for change in changes {
        editor.change(change).await?;
    }
    // What was made by the way came before what needs it.
    let steps = std::mem::take(&mut editor.applied.steps.0);
    if goes_back {
        editor.applied.steps.0 = editor.made_since(&made).into_iter().chain(steps).collect();
    }
    editor.book.settle(&mut editor.tx, &editor.stamp).await?;
    editor.book.settle_figures(&mut editor.tx).await?;
    if is_seen {
        editor.book.carry_days(&mut editor.tx).await?;
    }
    let mut applied = editor.applied;
    applied.revision = editor.tx.commit(&editor.stamp.op, action, now).await?;
    Ok(applied)
}

/// The securities and categories that there are: changes may make some by the way.
type Made = (BTreeSet<SecurityId>, BTreeSet<CategoryId>);

impl Editor {
    fn made(&self) -> Made {
        let securities = self.book.securities.keys().copied().collect();
        (securities, self.book.categories.values().copied().collect())
    }

    fn made_since(&self, (securities, categories): &Made) -> Vec<Step> {
        let rows = self.book.securities.values();
        let rows = rows.filter(|row| !securities.contains(&row.security.id));
        let made = rows.map(|row| Step::Security(Box::new(Turn::new(row.clone()))));
        let named = self.book.categories.iter().filter(|(_, id)| !categories.contains(id));
        let named = named.map(|(name, id)| {
            let row = CategoryRecord { id: *id, name: name.clone(), parent: None, batch: None };
            Step::Category(Turn::new(row))
        });
        made.chain(named).collect()
    }

    async fn change(&mut self, change: Change) -> Result<()> {
        match change {
            Change::AddAccount(new) => self.add_account(new).await,
            Change::EditAccount(id, edit) => self.edit_account(id, edit).await,
            Change::RenameAccount(id, name) => self.rename_account(id, name).await,
            Change::MergeAccounts { from, into } => self.merge_accounts(from, into).await,
            Change::SetBalance(id, date, amount) => self.set_balance(id, date, amount).await,
            Change::AddTransaction(entry) => self.add_transaction(*entry).await,
            Change::EditTransaction(id, edit) => self.edit_transaction(id, *edit).await,
            Change::DeleteTransaction(id) => self.set_deleted(id, true).await,
            Change::RestoreTransaction(id) => self.set_deleted(id, false).await,
            Change::LinkTransactions(ids) => self.link(&ids).await,
            Change::UnlinkTransaction(id) => self.unlink(id).await,
            Change::SetPrice(quote) => self.set_price(*quote).await,
            Change::DeletePrice(meant) => {
                let (tx, book) = (&mut self.tx, &mut self.book);
                let (security, step) = gone::delete(tx, book, &meant).await?;
                self.applied.security = security;
                self.did(step);
                Ok(())
            }
            Change::SetSymbol(id, source, symbol) => {
                let step = called::put(&mut self.tx, &self.book, id, source, symbol).await?;
                self.did_to((id, step));
                Ok(())
            }
            Change::EditSecurity(id, edit) => self.edit_security(id, edit).await,
            Change::Set(setting, value) => {
                let value = setting.check(&value)?;
                let was = self.tx.settings().await?.remove(setting.key());
                self.tx.put_setting(setting, &value).await?;
                self.did(Step::Setting(setting, Turn { was, is: Some(value.clone()) }));
                self.say(Thing::Setting(setting), sayings::only(Some(&value)));
                Ok(())
            }
            Change::SetTarget(target) => self.set_target(target.check()?).await,
            Change::RemoveTarget(dimension, key) => self.remove_target(dimension, key).await,
            Change::IgnoreDifference(finding, ignores) => {
                self.ignore_difference(finding, ignores).await
            }
            Change::AcceptPrice(finding, price) => self.accept_price(finding, price).await,
            Change::Watch(mention, edit) => self.watch(&mention, edit).await,
            Change::Unwatch(security) => {
                let step = watch::remove(&mut self.tx, security).await?;
                self.did_to((security, step));
                Ok(())
            }
            Change::AddAlert(mention, terms) => {
                let (tx, book, said) = (&mut self.tx, &mut self.book, (&self.stamp, self.today));
                let done = watch::add_alert(tx, book, said, &mention, terms).await?;
                self.did_to(done);
                Ok(())
            }
            Change::EditAlert(id, edit) => {
                let done =
                    watch::edit_alert(&mut self.tx, &self.book, self.today, (id, edit)).await?;
                self.did_to(done);
                Ok(())
            }
            Change::SnoozeAlert(id, until) => {
                let done = watch::snooze(&mut self.tx, id, until).await?;
                self.did_to(done);
                Ok(())
            }
            Change::RemoveAlert(id) => {
                let step = watch::remove_alert(&mut self.tx, id).await?;
                self.did(step);
                Ok(())
            }
            Change::UndoBatch(batch) => {
                let (tx, book) = (&mut self.tx, &mut self.book);
                self.applied.undone = Some(undo::undo(tx, book, batch, &self.stamp).await?);
                Ok(())
            }
        }
    }

    /// Notes what was done, so that it can be taken back.
    fn did(&mut self, step: Step) {
        self.applied.steps.0.push(step);
    }

    /// The same of something that is said of a security.
    fn did_to(&mut self, (security, step): (SecurityId, Step)) {
        self.applied.security = Some(security);
        if let Step::Alert(Turn { is: Some(alert), .. }) = &step {
            self.applied.alert = Some(alert.id);
        }
        self.did(step);
    }

    /// Notes what a person says; what stood there before is only of interest to imports.
    fn say(&mut self, thing: Thing, fields: Fields) {
        if !fields.is_empty() {
            self.book.sayings.note(thing, fields, &Fields::new());
        }
    }

    /// What a provider says otherwise stays a finding: only what it is called changes.
    async fn ignore_difference(&mut self, id: i64, ignores: bool) -> Result<()> {
        let found = self.tx.findings().await?.into_iter().find(|row| row.id == id);
        let was = found.filter(|row| Difference::is_kind(&row.kind)).ok_or(Error::NoDifference)?;
        let kind = if ignores { Difference::IGNORED } else { Difference::FINDING };
        let is = Finding { kind: kind.to_owned(), ..was.clone() };
        if was != is {
            self.tx.put_finding(&is).await?;
            self.did(Step::Finding(Box::new(Turn::other(was, is))));
        }
        Ok(())
    }

    /// What its source tells next is judged by it, and taken then: it is not stored by hand, as what is
    /// stated by hand would go before all that is told later.
    async fn accept_price(&mut self, id: i64, seen: Dec) -> Result<()> {
        let found = self.tx.findings().await?.into_iter().find(|row| row.id == id);
        // A refresh may have put another price there since somebody looked.
        let is_seen = |row: &Finding| {
            let told = row.detail.parse::<DoubtfulPrice>().ok();
            DoubtfulPrice::is_kind(&row.kind) && told.is_some_and(|told| told.price == seen)
        };
        let was = found.filter(is_seen).ok_or(Error::NoDoubtfulPrice)?;
        let is = Finding { kind: DoubtfulPrice::ACCEPTED.to_owned(), ..was.clone() };
        if was != is {
            self.tx.put_finding(&is).await?;
            self.did(Step::Finding(Box::new(Turn::other(was, is))));
        }
        Ok(())
    }

    async fn watch(&mut self, mention: &Mention, edit: WatchEdit) -> Result<()> {
        let said = sayings::names(&[
            (!edit.list.is_keep(), "list"),
            (!edit.note.is_keep(), "note"),
            (!edit.target.is_keep(), "target"),
            (!edit.target.is_keep(), "units_of"),
            (!edit.target.is_keep(), "said_in"),
        ]);
        let (tx, book, at) = (&mut self.tx, &mut self.book, (&self.stamp, self.today));
        let row = watch::put(tx, book, at, mention, edit).await?;
        if let Step::Watch(Turn { is: Some(row), .. }) = &row.1 {
            let said = sayings::some_of(&sayings::all_of(&row.terms)?, &said);
            self.say(Thing::Watch(row.security), said);
        }
        self.did_to(row);
        Ok(())
    }

    /// Parts of one whole are never more than it.
    async fn set_target(&mut self, new: NewTarget) -> Result<()> {
        let NewTarget { dimension, key, weight, band } = new;
        let dimension = SafeText::new(dimension.as_str());
        let row = AllocationTarget { dimension, key, weight, band, batch: None };
        let was = self.target(row.dimension.as_str(), &row.key).await?;
        put_target(&mut self.tx, &row).await?;
        self.did(Step::Target(Turn { was, is: Some(row) }));
        Ok(())
    }

    async fn target(&mut self, by: &str, key: &SafeText) -> Result<Option<AllocationTarget>> {
        let mut all = self.tx.targets().await?.into_iter();
        Ok(all.find(|row| row.dimension.as_str() == by && row.key == *key))
    }

    async fn remove_target(&mut self, dimension: Dimension, key: SafeText) -> Result<()> {
        let key = target::slice(dimension, &key).unwrap_or(key);
        let dimension = SafeText::new(dimension.as_str());
        let was = self.target(dimension.as_str(), &key).await?;
        if self.tx.remove_target(dimension.as_str(), key.as_str()).await? {
            self.did(Step::Target(Turn { was, is: None }));
            return Ok(());
        }
        Err(Error::NoTarget { dimension, key })
    }

    async fn add_account(&mut self, new: NewAccount) -> Result<()> {
        if self.book.names.contains_key(&new.name) {
            return Err(Error::NameTaken(new.name));
        }
        let institution = match &new.institution {
            Some(name) => Some(self.tx.institution(name, None).await?),
            None => None,
        };
        let id = AccountId(self.tx.take_id());
        let row = AccountRecord {
            account: items::as_account(id, new, false),
            institution,
            connection: None,
            batch: None,
            version: 1,
            created: self.stamp.now,
            updated: None,
        };
        self.tx.insert_account(&row).await?;
        self.applied.account = Some(id);
        self.book.names.insert(row.account.name.clone(), id);
        self.book.accounts.insert(id, row.clone());
        self.did(Step::Account(Box::new(Turn::new(row))));
        Ok(())
    }

    async fn edit_account(&mut self, id: AccountId, edit: AccountEdit) -> Result<()> {
        let mut row = self.book.account(id)?.clone();
        let said = sayings::names(&[
            (edit.kind.is_some(), "kind"),
            (edit.currency.is_some(), "currency"),
            (edit.kind.is_some() || edit.currency.is_some(), "derived"),
            (edit.mode.is_some(), "mode"),
            (!edit.method.is_keep(), "method"),
            (!edit.institution.is_keep(), "institution"),
            (!edit.closed.is_keep(), "closed"),
            (!edit.performance.is_keep(), "performance"),
        ]);
        let account = &mut row.account;
        // What a person says of kind or currency, no row derives away again.
        if edit.kind.is_some() || edit.currency.is_some() {
            account.derived = false;
        }
        account.kind = edit.kind.unwrap_or(account.kind);
        account.currency = edit.currency.unwrap_or(account.currency);
        account.mode = edit.mode.unwrap_or(account.mode);
        account.method = edit.method.apply(account.method);
        account.closed = edit.closed.apply(account.closed);
        account.performance = edit.performance.apply(account.performance);
        if !edit.institution.is_keep() {
            account.institution = edit.institution.apply(None);
            row.institution = match &row.account.institution {
                Some(name) => Some(self.tx.institution(name, None).await?),
                None => None,
            };
        }
        self.say(Thing::Account(id), sayings::some_of(&sayings::all_of(&row.account)?, &said));
        self.own_account(row).await
    }

    /// Writes an account that a person has touched: it is no import's any more.
    async fn own_account(&mut self, mut row: AccountRecord) -> Result<()> {
        row.batch = None;
        self.applied.account = Some(row.account.id);
        let was = self.book.account(row.account.id)?.clone();
        self.did(Step::Account(Box::new(Turn::other(was, row.clone()))));
        self.book.put_account(&mut self.tx, row, &self.stamp, true).await
    }

    async fn rename_account(&mut self, id: AccountId, name: SafeText) -> Result<()> {
        if self.book.names.get(&name).is_some_and(|owner| *owner != id) {
            return Err(Error::NameTaken(name));
        }
        let mut row = self.book.account(id)?.clone();
        row.account.name = name.clone();
        self.own_account(row).await?;
        Ok(self.tx.lead_name(&name, id).await?)
    }

    async fn merge_accounts(&mut self, from: AccountId, into: AccountId) -> Result<()> {
        let (tx, book) = (&mut self.tx, &mut self.book);
        merge::merge(tx, book, from, into, &self.stamp).await?;
        self.own_account(self.book.account(into)?.clone()).await
    }

    async fn set_balance(&mut self, id: AccountId, date: NaiveDate, amount: Dec) -> Result<()> {
        let row = self.book.account(id)?;
        if row.account.mode != Mode::Balances {
            return Err(Error::NotInBalancesMode(row.account.name.clone()));
        }
        let created = self.stamp.now;
        let row = Balance { account: id, date, amount, batch: None, created };
        let was = self.tx.balance_on(id, date).await?.filter(|row| row.date == date);
        self.tx.put_balance(&row).await?;
        self.did(Step::Balance(Turn { was, is: Some(row) }));
        self.say(Thing::Balance(id, date), sayings::only(Some(&amount.to_string())));
        self.applied.account = Some(id);
        Ok(())
    }

    async fn add_transaction(&mut self, entry: Entry) -> Result<()> {
        let drafts = entry.check()?;
        let mut added = Vec::new();
        for draft in [Some(drafts.first), drafts.second].into_iter().flatten() {
            added.push(self.row_of(*draft).await?);
        }
        // The legs of one entry are one event.
        if let [first, second] = added.as_mut_slice()
            && first.transaction.link.is_none()
        {
            let sort = if first.transaction.account == second.transaction.account {
                "reinvest"
            } else {
                "transfer"
            };
            let label = SafeText::new(&format!("~{sort}:hand:{}", first.transaction.id));
            first.transaction.link = Some(label.clone());
            second.transaction.link = Some(label);
        }
        for row in &mut added {
            let (tx, book) = (&mut self.tx, &mut self.book);
            proposed::link_alone(tx, book, &mut row.transaction, &self.stamp).await?;
            self.book.count(row, true);
            self.applied.transactions.push(row.transaction.id);
        }
        self.tx.insert_transactions(&added.iter().collect::<Vec<_>>()).await?;
        for row in added {
            self.did(Step::Row(Box::new(Turn::new(row))));
        }
        Ok(())
    }

    /// A new row by hand. Its account must be there: a slip of the pen makes no account.
    async fn row_of(&mut self, draft: Draft) -> Result<StoredTransaction> {
        let account = self.account_named(&draft.account)?;
        let place = (draft.facts.currency, draft.facts.date);
        let security = self.security_of(draft.security.as_ref(), "symbol", place).await?;
        let to_security = self.security_of(draft.to_security.as_ref(), "to_symbol", place).await?;
        let (key, equal) = match &draft.source_id {
            Some(id) => (key_of_id(Origin::File, id), self.tx.transactions_by_source(&[id]).await?),
            None => {
                let facts = &draft.facts;
                let key = key_of_content(security, to_security, facts, &mut Vec::new());
                (key, self.tx.transactions_by_key(&[(facts.date, key)]).await?)
            }
        };
        // A row that was moved away keeps its place: a source still knows it by that.
        let ids: Vec<_> = equal.iter().map(|row| row.transaction.id).collect();
        let moved = self.tx.first_places(&ids).await?.into_iter();
        let moved = moved.filter(|(_, place, _)| *place == account).map(|(.., nth)| nth);
        let here = equal.iter().filter(|row| row.transaction.account == account);
        let last = here.map(|row| row.identity.occurrence).chain(moved).max();
        if let (Some(id), Some(_)) = (&draft.source_id, last) {
            let why = Why::IdThere(id.clone());
            return Err(Refusal { column: Column("id"), why }.into());
        }
        let category = match &draft.facts.category {
            Some(name) => Some(self.book.category(&mut self.tx, name, &self.stamp).await?),
            None => None,
        };
        Ok(StoredTransaction {
            transaction: Transaction {
                id: TransactionId(self.tx.take_id()),
                account,
                security,
                to_security,
                link: draft.link,
                source_id: draft.source_id,
                origin: Origin::Hand,
                batch: None,
                seq: 0,
                version: 1,
                deleted: false,
                created: self.stamp.now,
                updated: self.stamp.now,
                facts: draft.facts,
            },
            identity: Identity { key, occurrence: last.map_or(0, |last| last + 1) },
            file_no: None,
            line: None,
            category,
            source_facts: None,
        })
    }

    fn account_named(&self, name: &SafeText) -> Result<AccountId> {
        self.book.names.get(name).copied().ok_or_else(|| {
            let why = Why::NoAccount(name.clone());
            Error::Refused(Refusal { column: Column("account"), why })
        })
    }

    async fn security_of(
        &mut self,
        mention: Option<&Mention>,
        column: &'static str,
        (currency, day): (Currency, NaiveDate),
    ) -> Result<Option<SecurityId>> {
        let Some(mention) = mention else { return Ok(None) };
        let mut used = Use::default();
        used.rows.insert(currency, 1);
        let (tx, book) = (&mut self.tx, &mut self.book);
        match resolve::resolve(tx, book, mention, Some(day), &used, &self.stamp).await? {
            Ok(id) => Ok(Some(id)),
            Err(mut refusal) => {
                refusal.column = Column(column);
                Err(refusal.into())
            }
        }
    }

    async fn stored(&mut self, id: TransactionId) -> Result<StoredTransaction> {
        self.tx.transaction(id).await?.ok_or(Error::NoTransaction(id))
    }

    /// Reads and writes at once, so that nothing that came in between is taken for a person's edit.
    async fn edit_transaction(&mut self, id: TransactionId, edit: RowEdit) -> Result<()> {
        let before = self.stored(id).await?;
        if before.transaction.deleted {
            return Err(Error::WrongState(id, "deleted; bring it back first"));
        }
        let same_unit = edit.unit.is_none();
        let (same, same_to) = (edit.symbol.is_none(), edit.to_symbol.is_none());
        let mut entry = entry_of(&self.book, &before)?;
        edit.lay_over(&mut entry);
        let draft = *entry.check()?.first;
        let mut row = before.clone();
        row.transaction.account = self.account_named(&draft.account)?;
        // A security that is not named anew is the same, whatever its symbol meant on that day.
        let place = (draft.facts.currency, draft.facts.date);
        row.transaction.security = match before.transaction.security {
            Some(id) if same => draft.security.map(|_| id),
            _ => self.security_of(draft.security.as_ref(), "symbol", place).await?,
        };
        row.transaction.to_security = match before.transaction.to_security {
            Some(id) if same_to => draft.to_security.map(|_| id),
            _ => self.security_of(draft.to_security.as_ref(), "to_symbol", place).await?,
        };
        row.transaction.facts = draft.facts;
        if same_unit {
            // What the source quoted in stays true of what was converted.
            row.transaction.facts.quoted_in.clone_from(&before.transaction.facts.quoted_in);
        }
        if row.transaction.account != before.transaction.account {
            self.make_room(&mut row).await?;
        }
        Self::overlay(&before, &mut row)?;
        self.put(&before, row, "edit").await
    }

    /// A row that moves to another account must not take the identity of one that is there.
    async fn make_room(&mut self, row: &mut StoredTransaction) -> Result<()> {
        let there = self.tx.transactions_of_account(row.transaction.account).await?;
        let taken = there.iter().map(|other| other.identity).collect();
        merge::find_room(row, &taken)?;
        Ok(())
    }

    /// Keeps what the source says beside what the person says, field by field.
    fn overlay(before: &StoredTransaction, row: &mut StoredTransaction) -> Result<()> {
        if row.transaction.origin == Origin::Hand {
            return Ok(());
        }
        let mut source = Underlay::of(before)?;
        row.source_facts = None;
        let now = Underlay::of(row)?;
        source.edited = write::changed_fields(&source, &now);
        if row.transaction.account != before.transaction.account {
            source.edited.insert("account".to_owned());
        }
        row.source_facts = match source.edited.is_empty() {
            true => None,
            false => Some(source.to_json()?),
        };
        Ok(())
    }

    async fn put(
        &mut self,
        before: &StoredTransaction,
        mut row: StoredTransaction,
        cause: &str,
    ) -> Result<()> {
        self.applied.transactions.push(row.transaction.id);
        if row == *before {
            return Ok(());
        }
        let (tx, book) = (&mut self.tx, &mut self.book);
        write::put(tx, book, before, &mut row, &self.stamp, cause).await?;
        self.did(Step::Row(Box::new(Turn::other(before.clone(), row))));
        Ok(())
    }

    async fn set_deleted(&mut self, id: TransactionId, deleted: bool) -> Result<()> {
        let before = self.stored(id).await?;
        if before.transaction.deleted == deleted {
            let state = if deleted { "deleted already" } else { "not deleted" };
            return Err(Error::WrongState(id, state));
        }
        let mut row = before.clone();
        row.transaction.deleted = deleted;
        self.put(&before, row, if deleted { "delete" } else { "restore" }).await
    }

    /// Makes rows one event. Whole events that they are parts of come along, under a label of its
    /// own: the one of a reinvestment or a transfer means just the rows it was made for.
    async fn link(&mut self, ids: &[TransactionId]) -> Result<()> {
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        if ids.len() < 2 {
            return Err(Error::NothingToLink);
        }
        let mut rows = BTreeMap::new();
        for id in &ids {
            let row = self.stored(*id).await?;
            if let Some(link) = &row.transaction.link {
                for other in self.tx.transactions_linked(link.as_str()).await? {
                    rows.insert(other.transaction.id, other);
                }
            }
            rows.insert(*id, row);
        }
        fit_together(rows.values())?;
        let label = SafeText::new(&format!("~hand:{}", self.tx.take_id()));
        for before in rows.into_values() {
            let mut row = before.clone();
            row.transaction.link = Some(label.clone());
            Self::overlay(&before, &mut row)?;
            self.put(&before, row, "edit").await?;
        }
        Ok(())
    }

    /// Takes a row out of its event. One that is left alone is no event any more either.
    async fn unlink(&mut self, id: TransactionId) -> Result<()> {
        let before = self.stored(id).await?;
        let link = before.transaction.link.clone();
        self.free(before).await?;
        let Some(link) = link else { return Ok(()) };
        let mut left = self.tx.transactions_linked(link.as_str()).await?;
        left.retain(|row| !row.transaction.deleted);
        match (left.pop(), left.is_empty()) {
            (Some(last), true) => self.free(last).await,
            _ => Ok(()),
        }
    }

    async fn free(&mut self, before: StoredTransaction) -> Result<()> {
        let mut row = before.clone();
        row.transaction.link = None;
        Self::overlay(&before, &mut row)?;
        self.put(&before, row, "edit").await
    }

    async fn set_price(&mut self, quote: Quote) -> Result<()> {
        let mention = match &quote.subject {
            PriceSubject::Security(mention) => Some(mention.clone()),
            PriceSubject::Currency(_) => None,
            PriceSubject::Bare(code) => {
                Quotes::new(&Survey::default()).read_code(&self.book, *code, &quote)?
            }
        };
        let fetched = self.stamp.now;
        let Some(mention) = mention else {
            let Some(rate) = quotes::rate_of(&quote) else { return Ok(()) };
            let row = RateRecord { rate, batch: None, fetched };
            let known = self.tx.rates_like(std::slice::from_ref(&row)).await?.into_iter().next();
            match &known {
                None => self.tx.insert_rates(std::slice::from_ref(&row)).await?,
                Some(before) => self.tx.replace_rate(before, &row).await?,
            }
            self.did(Step::Rate(Box::new(Turn { was: known, is: Some(row) })));
            return Ok(());
        };
        let id = self.security_of(Some(&mention), "symbol", (quote.currency, quote.date)).await?;
        let Some(id) = id else { return Ok(()) };
        self.applied.security = Some(id);
        let row = PriceRecord { price: quotes::price_of(quote, id), batch: None, fetched };
        let known = self.tx.prices_like(std::slice::from_ref(&row)).await?.into_iter().next();
        self.book.count_prices(id, row.price.currency, 1);
        match &known {
            None => self.tx.insert_prices(std::slice::from_ref(&row)).await?,
            Some(before) => {
                self.book.count_prices(id, before.price.currency, -1);
                self.tx.replace_price(before, &row).await?;
            }
        }
        self.did(Step::Price(Box::new(Turn { was: known, is: Some(row) })));
        Ok(())
    }

    async fn edit_security(&mut self, id: SecurityId, edit: SecurityEdit) -> Result<()> {
        let mut row = self.book.security(id)?.clone();
        let said = sayings::names(&[
            (edit.currency.is_some(), "currency"),
            (edit.currency.is_some(), "derived"),
            (!edit.class.is_keep(), "class"),
            (!edit.name.is_keep(), "name"),
            (!edit.venue.is_keep(), "venue"),
            (!edit.isin.is_keep(), "isin"),
            (!edit.cusip.is_keep(), "cusip"),
            (!edit.figi.is_keep(), "figi"),
            (!edit.sector.is_keep(), "sector"),
            (!edit.region.is_keep(), "region"),
            (!edit.tags.is_keep(), "tags"),
        ]);
        let security = &mut row.security;
        let old_symbol = security.symbol.clone();
        if edit.currency.is_some() {
            security.derived = false;
        }
        security.currency = edit.currency.unwrap_or(security.currency);
        security.symbol = edit.symbol.unwrap_or(security.symbol.clone());
        security.class = edit.class.apply(security.class);
        security.name = edit.name.apply(security.name.take());
        security.venue = edit.venue.apply(security.venue.take());
        security.isin = edit.isin.apply(security.isin.take());
        security.cusip = edit.cusip.apply(security.cusip.take());
        security.figi = edit.figi.apply(security.figi.take());
        security.sector = edit.sector.apply(security.sector.take());
        security.region = edit.region.apply(security.region.take());
        security.tags = edit.tags.apply(security.tags.take());
        let twin = self.book.securities.values().any(|other| {
            other.security.id != id
                && other.security.symbol == row.security.symbol
                && other.security.currency == row.security.currency
                && other.security.venue == row.security.venue
        });
        if twin {
            return Err(Error::SymbolTaken(row.security.symbol));
        }
        if row.security.symbol != old_symbol {
            // Older files still name it as it was. What is there already must not come twice, even
            // where it is dated ahead.
            let until = Some(self.today).max(self.tx.last_day_of(id).await?);
            let source = format!("{}{}", SymbolRecord::FORMER, self.tx.take_id());
            let source = SafeText::new(&source);
            let row = SymbolRecord { security: id, source, symbol: old_symbol, until };
            self.tx.put_symbol(&row).await?;
        }
        row.batch = None;
        self.applied.security = Some(id);
        let was = self.book.security(id)?.clone();
        self.did(Step::Security(Box::new(Turn::other(was, row.clone()))));
        self.say(Thing::Security(id), sayings::some_of(&sayings::all_of(&row.security)?, &said));
        self.book.put_security(&mut self.tx, row, &self.stamp, true).await
    }
}

/// Sets a target, if with the others of its whole it is no more than that.
pub(super) async fn put_target(tx: &mut WriteTx, row: &AllocationTarget) -> Result<()> {
    let others = tx.targets().await?.into_iter();
    let others = others.filter(|it| it.dimension == row.dimension && it.key != row.key);
    let sum = others.fold(Exact::from(row.weight), |sum, it| sum.add(&it.weight.into()));
    if sum > Exact::from(Dec::ONE) {
        let dimension = row.dimension.clone();
        return Err(Error::TargetsOverOne { dimension, sum: sum.to_string() });
    }
    Ok(tx.put_target(row).await?)
}

/// Refuses moves of which none can be the other leg: linked, they would be no event.
fn fit_together<'r>(rows: impl Iterator<Item = &'r StoredTransaction>) -> Result<()> {
    let moves = rows.filter_map(|row| Move::of(&row.transaction));
    // A journal entry may be anything.
    let moves: Vec<_> = moves.filter(|row| row.subtype != Subtype::Journal).collect();
    for row in &moves {
        let mut others = moves.iter().filter(|other| other.id != row.id).peekable();
        if let Some(first) = others.peek().map(|other| other.id)
            && !others.any(|other| pairs::can_be_legs(row, other))
        {
            return Err(Error::NoPair(row.id.min(first), row.id.max(first)));
        }
    }
    Ok(())
}

/// A stored row as a person would write it.
fn entry_of(book: &Book, stored: &StoredTransaction) -> Result<Entry> {
    let account = book.account(stored.transaction.account)?.account.name.clone();
    let mention = |id| Some(book.securities.get(&id)?.security.mention());
    Ok(Entry::of_row(stored.transaction.clone(), account, mention))
}
