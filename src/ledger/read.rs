//! What a row of a file means: its account, its securities, and what it will be known by.

use chrono::NaiveDate;

use super::Result;
use super::identity::{key_of_content, key_of_event, key_of_id};
use super::intake::{Held, Intake, file_number};
use super::resolve;
use super::survey::Use;
use crate::model::{
    Account, AccountId, AccountKind, Column, Draft, Drafts, Mention, Mode, Origin, Refusal,
    SafeText, SecurityId, Transaction, TransactionId, Why, hex,
};
use crate::store::{AccountRecord, Identity, StoredTransaction};

impl Intake {
    pub(super) async fn push_drafts(
        &mut self,
        file: usize,
        line: u64,
        drafts: Drafts,
    ) -> Result<std::result::Result<(), Refusal>> {
        let Drafts { first, second } = drafts;
        let Some(second) = second else {
            return match self.read_draft(file, line, first).await? {
                Ok(held) => self.hold([held]).await.map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            };
        };
        // Both or neither: half a transfer would be a wrong number.
        for (draft, column) in [(&first, "account"), (&second, "to_account")] {
            if let Err(refusal) = self.account(&draft.account) {
                return Ok(Err(Refusal { column: Column(column), ..refusal }));
            }
            if let Some(mention) = draft.security.clone()
                && let Err(refusal) = self.meaning(&mention, Some(draft.facts.date)).await?
            {
                return Ok(Err(refusal));
            }
        }
        let sort = if first.account == second.account { "reinvest" } else { "transfer" };
        let mut legs = Vec::with_capacity(2);
        for draft in [first, second] {
            match self.read_draft(file, line, draft).await? {
                Ok(held) => legs.push(held),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        if let [first, second] = legs.as_mut_slice() {
            self.name_event(sort, first, second);
        }
        self.hold(legs).await?;
        Ok(Ok(()))
    }

    /// Makes two rows one event. Its name is made of what they say, so that it is the same whenever
    /// and wherever the row comes again.
    fn name_event(&mut self, sort: &str, first: &mut Held, second: &mut Held) {
        second.part = 1;
        let (one, other) = (&first.row, &second.row);
        let (day, account) = (one.transaction.facts.date, one.transaction.account);
        let mut key = one.identity.key;
        let mut nth = 0;
        if one.transaction.source_id.is_none() {
            key = key_of_event(&key, &other.identity.key, other.transaction.account);
            nth = self.occurrences.next(day, account, &key);
        }
        first.nth = usize::try_from(nth).unwrap_or(0);
        let name = SafeText::new(&format!("~{sort}:{account}:{}:{nth}", hex(&key)));
        for held in [first, second] {
            held.row.transaction.link.get_or_insert_with(|| name.clone());
        }
    }

    /// What a row of a file means: its account, its securities, and what it will be known by.
    async fn read_draft(
        &mut self,
        file: usize,
        line: u64,
        draft: Box<Draft>,
    ) -> Result<std::result::Result<Held, Refusal>> {
        let mut row = match self.row_of(file, line, *draft, self.options.origin).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.place(&mut row, None, self.instant);
        Ok(Ok(Held { file, line, part: 0, nth: 0, row, whole: false, edited: None, sure: false }))
    }

    /// Gives a row its identity and its place among the rows of its account and day, where nobody
    /// tells them.
    pub(super) fn place(
        &mut self,
        row: &mut StoredTransaction,
        nth: Option<i64>,
        seq: Option<i64>,
    ) {
        let transaction = &mut row.transaction;
        let (account, day) = (transaction.account, transaction.facts.date);
        row.identity = match &transaction.source_id {
            Some(id) => Identity { key: key_of_id(transaction.origin, id), occurrence: 0 },
            None => {
                let key = key_of_content(
                    transaction.security,
                    transaction.to_security,
                    &transaction.facts,
                    &mut self.bytes,
                );
                let next = || self.occurrences.next(day, account, &key);
                Identity { key, occurrence: nth.unwrap_or_else(next) }
            }
        };
        let place = self.seqs.entry((account, day)).or_insert(0);
        transaction.seq = seq.unwrap_or(*place);
        *place += 1;
    }

    /// The row that a draft describes, without identity and place.
    pub(super) async fn row_of(
        &mut self,
        file: usize,
        line: u64,
        draft: Draft,
        origin: Origin,
    ) -> Result<std::result::Result<StoredTransaction, Refusal>> {
        let security = match &draft.security {
            Some(mention) => match self.meaning(mention, Some(draft.facts.date)).await? {
                Ok(id) => Some(id),
                Err(refusal) => return Ok(Err(refusal)),
            },
            None => None,
        };
        let to_security = match &draft.to_security {
            Some(mention) => match self.meaning(mention, Some(draft.facts.date)).await? {
                Ok(id) => Some(id),
                Err(mut refusal) => {
                    refusal.column = Column("to_symbol");
                    return Ok(Err(refusal));
                }
            },
            None => None,
        };
        // Last, so that a row which is refused leaves no account behind.
        let account = match self.account(&draft.account) {
            Ok(Some(id)) => id,
            Ok(None) => self.make_account(&draft).await?,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(StoredTransaction {
            transaction: Transaction {
                id: TransactionId(self.tx.take_id()),
                account,
                security,
                to_security,
                link: draft.link,
                source_id: draft.source_id,
                origin,
                batch: Some(self.batch),
                seq: 0,
                version: 1,
                deleted: false,
                created: self.stamp.now,
                updated: self.stamp.now,
                facts: draft.facts,
            },
            identity: Identity { key: [0; 12], occurrence: 0 },
            file_no: Some(file_number(file)),
            line: i64::try_from(line).ok(),
            category: None,
            source_facts: None,
        }))
    }

    /// What a mention means in a row of this day; one that the survey did not see is settled now.
    pub(super) async fn meaning(
        &mut self,
        mention: &Mention,
        day: Option<NaiveDate>,
    ) -> Result<std::result::Result<SecurityId, Refusal>> {
        if let Some(meaning) = self.meanings.get(&self.book, mention, day) {
            return Ok(meaning.clone());
        }
        let (tx, book) = (&mut self.tx, &mut self.book);
        let used = Use::default();
        let meaning = resolve::resolve(tx, book, mention, day, &used, &self.stamp).await?;
        self.meanings.settle(&self.book, mention, day, meaning.clone());
        Ok(meaning)
    }

    /// The account of this name; none where one may be made.
    fn account(&self, name: &SafeText) -> std::result::Result<Option<AccountId>, Refusal> {
        match self.book.names.get(name) {
            Some(id) => Ok(Some(*id)),
            None if self.options.strict => {
                Err(Refusal { column: Column("account"), why: Why::NoAccount(name.clone()) })
            }
            None => Ok(None),
        }
    }

    /// An account that nobody declared; its kind and currency follow from its rows.
    async fn make_account(&mut self, draft: &Draft) -> Result<AccountId> {
        let id = AccountId(self.tx.take_id());
        let record = AccountRecord {
            account: Account {
                id,
                name: draft.account.clone(),
                kind: AccountKind::Checking,
                currency: draft.facts.currency,
                mode: Mode::Ledger,
                method: None,
                institution: None,
                closed: None,
                performance: None,
                derived: true,
            },
            institution: None,
            connection: None,
            batch: Some(self.batch),
            version: 1,
            created: self.stamp.now,
            updated: None,
        };
        self.tx.insert_account(&record).await?;
        self.book.names.insert(draft.account.clone(), id);
        self.book.accounts.insert(id, record);
        Ok(id)
    }
}
