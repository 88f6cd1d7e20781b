//! Rows that a provider tells again: each goes on under the id it is stored by, and what is told no
//! more is cancelled. It stays, with when and why, and comes back when it is told again.

use std::collections::HashMap;

use chrono::DateTime;

use super::Result;
use super::body::Underlay;
use super::claims::{Claims, Statement};
use super::identity::key_of_content;
use super::intake::Intake;
use super::proposed;
use super::remote::ToldAccount;
use super::succession::{LOOK_BACK, Seen, Succession, succeed};
use super::write::{self, Said};
use crate::model::{
    AccountId, Drafts, Facts, Origin, SafeText, Status, TransactionId, midnight_micros,
};
use crate::store::{StoredTransaction, Verdict};

/// Where a bank is, a day may begin so much earlier than in UTC.
const ZONES: i64 = 86_400_000_000;

impl Intake {
    /// Finds out which stored rows those of an account are, where they are all that there are since
    /// an instant. Gives the stored ones that are told no more.
    pub(super) async fn recognise_retold(
        &mut self,
        account: AccountId,
        told: &mut ToldAccount,
    ) -> Result<Vec<TransactionId>> {
        let Some(since) = told.complete() else { return Ok(Vec::new()) };
        let first = DateTime::from_timestamp_micros(since.saturating_sub(ZONES));
        let first = first.map(|at| at.date_naive()).unwrap_or_default();
        let before = first.checked_sub_days(LOOK_BACK).unwrap_or_default();
        let mut stored = self.tx.pending_told(account, before, first).await?;
        stored.extend(self.tx.transactions_told(account, first).await?);
        let mut known = Vec::with_capacity(stored.len());
        let mut missed = Vec::with_capacity(stored.len());
        for row in stored {
            // Its day too is where its source has it.
            if let Some(seen) = self.single(&row)?.filter(|seen| seen.date >= before) {
                missed.push(is_missed(&row, &seen, since).then_some(row.transaction.id));
                known.push(seen);
            }
        }
        let mut single = Vec::with_capacity(told.rows.len());
        let mut seen = Vec::with_capacity(told.rows.len());
        for (at, (_, Drafts { first, second })) in told.rows.iter().enumerate() {
            if let (Some(id), None, None) = (&first.source_id, &first.link, second) {
                let symbol = first.security.as_ref().map(|mention| mention.symbol.clone());
                seen.push(self.seen(id.clone(), &first.facts, symbol));
                single.push(at);
            }
        }
        let pairs = succeed(&known, &seen);
        let older = self.stored_under(account, &pairs.strange_ids()).await?;
        let Succession { ids, gone } = pairs.end(&older);
        let mut again = Vec::new();
        for (at, id) in single.into_iter().zip(ids) {
            match (told.rows.get_mut(at), id) {
                (Some((_, drafts)), Some(id)) => drafts.first.source_id = Some(id),
                _ => again.push(at),
            }
        }
        let mut at = 0..;
        told.rows.retain(|_| at.next().is_none_or(|at| again.binary_search(&at).is_err()));
        // It may be one of those that seem to be missing.
        if told.left_out {
            return Ok(Vec::new());
        }
        Ok(gone.into_iter().filter_map(|at| missed.get(at).copied().flatten()).collect())
    }

    /// What an account has stored under some ids, whenever it was told.
    async fn stored_under(&mut self, account: AccountId, ids: &[&SafeText]) -> Result<Vec<Seen>> {
        let rows = self.tx.transactions_by_source(ids).await?;
        let all: Vec<_> = rows.iter().map(|row| row.transaction.id).collect();
        let moved = self.tx.first_places(&all).await?.into_iter();
        let moved: HashMap<_, _> = moved.map(|(id, account, _)| (id, account)).collect();
        let mut found = Vec::new();
        for row in rows {
            let StoredTransaction { transaction, .. } = &row;
            let home = moved.get(&transaction.id).copied().unwrap_or(transaction.account);
            if transaction.origin == Origin::Provider && home == account {
                found.extend(self.single(&row)?);
            }
        }
        Ok(found)
    }

    /// A stored row as its source tells it; none where it comes together with others.
    fn single(&mut self, row: &StoredTransaction) -> Result<Option<Seen>> {
        let said = Underlay::of(row)?;
        // Those that we made one event because of their id come each by itself.
        let link = said.link.as_ref().filter(|link| !proposed::is_by_id(link));
        let (Some(id), None) = (&row.transaction.source_id, link) else { return Ok(None) };
        let symbol = said.security.and_then(|id| self.book.securities.get(&id));
        let symbol = symbol.map(|row| row.security.symbol.clone());
        Ok(Some(self.seen(id.clone(), &said.facts, symbol)))
    }

    fn seen(&mut self, id: SafeText, facts: &Facts, symbol: Option<SafeText>) -> Seen {
        Seen {
            id,
            pending: facts.status == Status::Pending,
            cancelled: facts.status == Status::Cancelled,
            date: facts.date,
            amount: facts.amount,
            text: facts.description.clone(),
            words: (key_of_content(None, None, facts, &mut self.bytes), symbol),
        }
    }

    /// Cancels rows that their provider no longer tells.
    pub(super) async fn cancel(&mut self, ids: Vec<TransactionId>) -> Result<()> {
        let mut claims = Claims::default();
        claims.know(self.tx.claims(&ids).await?);
        for mut row in self.tx.transactions_by_id(&ids).await? {
            let mut now = Underlay::of(&row)?;
            now.facts.status = Status::Cancelled;
            self.change_told(&mut row, now, &mut claims).await?;
        }
        self.write_claims(&claims).await
    }

    /// Lets a row be another one from now on by what its provider tells.
    pub(super) async fn change_told(
        &mut self,
        row: &mut StoredTransaction,
        now: Underlay,
        claims: &mut Claims,
    ) -> Result<()> {
        let version = row.transaction.version;
        let first = Statement { version, said: Said::from(Underlay::of(row)?).fields() };
        let said = Said::from(now.clone()).fields();
        write::change_source(&mut self.tx, &mut self.book, row, now, &self.stamp).await?;
        let mine = Statement { version: row.transaction.version, said };
        claims.add(row, row, self.batch, first, mine);
        self.count(0, Verdict::Changed, 1);
        Ok(())
    }
}

/// Whether a row would be told if it still were, by its instant or by a later day that it got since.
fn is_missed(row: &StoredTransaction, seen: &Seen, since: i64) -> bool {
    let day = midnight_micros(seen.date).saturating_sub(ZONES);
    !seen.cancelled && !row.transaction.deleted && row.transaction.seq.max(day) >= since
}
