//! Rows that a provider tells again: each goes on under the id it is stored by, and what is told no
//! more is cancelled. It stays, with when and why, and comes back when it is told again.

use chrono::{DateTime, Days};

use super::Result;
use super::body::Underlay;
use super::claims::{Claims, Statement};
use super::identity::key_of_content;
use super::intake::Intake;
use super::remote::ToldAccount;
use super::succession::{Seen, Succession, succeed};
use super::write::{self, Said};
use crate::model::{AccountId, Drafts, Facts, SafeText, Status};
use crate::store::{StoredTransaction, Verdict};

/// A row may have become another within so many days before what is told.
const LOOK_BACK: Days = Days::new(10);

impl Intake {
    /// Finds out which stored rows those of an account are, where they are all that there are since
    /// an instant. Gives the stored ones that are told no more.
    pub(super) async fn recognise_retold(
        &mut self,
        account: AccountId,
        told: &mut ToldAccount,
    ) -> Result<Vec<StoredTransaction>> {
        let Some(since) = told.complete_since else { return Ok(Vec::new()) };
        // A service that lost its connection to a bank may tell that there is nothing at all.
        if told.rows.is_empty() {
            return Ok(Vec::new());
        }
        let first = DateTime::from_timestamp_micros(since).map(|at| at.date_naive());
        let first = first.and_then(|day| day.checked_sub_days(LOOK_BACK)).unwrap_or_default();
        let mut stored = self.tx.transactions_told(account, first).await?;
        let mut known = Vec::with_capacity(stored.len());
        let mut kept = Vec::with_capacity(stored.len());
        for row in stored.drain(..) {
            let said = Underlay::of(&row)?;
            let symbol = said.security.and_then(|id| self.book.securities.get(&id));
            let symbol = symbol.map(|row| row.security.symbol.clone());
            // Rows of one event are known by its id, as they come together.
            if let (Some(id), None) = (&row.transaction.source_id, &said.link) {
                known.push(self.seen(id.clone(), &said.facts, symbol));
                kept.push(row);
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
        let Succession { ids, gone } = succeed(&known, &seen);
        let mut again = Vec::new();
        for (at, id) in single.into_iter().zip(ids) {
            match (told.rows.get_mut(at), id) {
                (Some((_, drafts)), Some(id)) => drafts.first.source_id = Some(id),
                _ => again.push(at),
            }
        }
        let mut at = 0..;
        told.rows.retain(|_| at.next().is_none_or(|at| again.binary_search(&at).is_err()));
        let is_gone = |row: &StoredTransaction| {
            let counts = row.transaction.facts.status != Status::Cancelled;
            counts && !row.transaction.deleted && row.transaction.seq >= since
        };
        // It may be one of those that seem to be missing.
        if told.left_out {
            return Ok(Vec::new());
        }
        let mut gone = gone.into_iter().peekable();
        let told_no_more = kept.into_iter().enumerate();
        let told_no_more = told_no_more.filter(|(at, _)| gone.next_if_eq(at).is_some());
        Ok(told_no_more.map(|(_, row)| row).filter(is_gone).collect())
    }

    fn seen(&mut self, id: SafeText, facts: &Facts, symbol: Option<SafeText>) -> Seen {
        Seen {
            id,
            pending: facts.status == Status::Pending,
            date: facts.date,
            amount: facts.amount,
            text: facts.description.clone(),
            words: (key_of_content(None, None, facts, &mut self.bytes), symbol),
        }
    }

    /// Cancels rows that their provider no longer tells.
    pub(super) async fn cancel(&mut self, rows: Vec<StoredTransaction>) -> Result<()> {
        let ids: Vec<_> = rows.iter().map(|row| row.transaction.id).collect();
        let mut claims = Claims::default();
        claims.know(self.tx.claims(&ids).await?);
        for mut row in rows {
            let before = Underlay::of(&row)?;
            let mut now = before.clone();
            now.facts.status = Status::Cancelled;
            let version = row.transaction.version;
            let first = Statement { version, said: Said::from(before).fields() };
            let said = Said::from(now.clone()).fields();
            write::change_source(&mut self.tx, &mut self.book, &mut row, now, &self.stamp).await?;
            let mine = Statement { version: row.transaction.version, said };
            claims.add(&row, &row, self.batch, first, mine);
            self.count(0, Verdict::Changed, 1);
        }
        self.tx.insert_claims(&claims.new).await?;
        self.tx.replace_claims(&claims.again).await?;
        self.book.catch_up(&mut self.tx).await
    }
}
