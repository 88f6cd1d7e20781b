//! Which stored rows the rows of a file are: new, known, changed or contradicting.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;

use super::Result;
use super::body::Underlay;
use super::claims::{Claims, Statement};
use super::edited::{Doubtful, are_doubtful, is_echo};
use super::intake::{HELD, Held, Intake, Taken, file_number};
use super::legs::{Found, Known, place_of};
use super::proposed;
use super::write::{self, Said};
use crate::model::{Column, Origin, Refusal, TransactionId, Why};
use crate::store::{Identity, StagedRow, StoredTransaction, Verdict};

impl Intake {
    /// Holds the rows of one event back.
    pub(super) async fn hold(&mut self, rows: impl IntoIterator<Item = Held>) -> Result<()> {
        let first = self.held.len();
        self.held.extend(rows);
        let named =
            |held: &Held| held.row.transaction.source_id.is_some().then_some(held.row.identity.key);
        let keys: BTreeSet<_> = self.held.iter().skip(first).filter_map(named).collect();
        // The same id twice in what is held back: the first must be stored to be found.
        if !keys.is_disjoint(&self.held_ids) {
            let rows = self.held.split_off(first);
            self.flush().await?;
            self.held.extend(rows);
        }
        self.held_ids.extend(keys);
        if self.held.len() >= HELD {
            self.flush().await?;
        }
        Ok(())
    }

    /// Finds out what the rows held back are, and writes them.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.held_ids.clear();
        let mut held = std::mem::take(&mut self.held);
        self.tx.keep_names_near().await?;
        let stored = self.stored(&held).await?;
        let may_wait = stored.is_none();
        let (mut known, mut claims) = self.known(stored.unwrap_or_default()).await?;
        let alike = self.edited_contents(&held, &known.places).await?;
        let mut new = Vec::with_capacity(held.len());
        for event in held.chunk_by_mut(|_, next| next.part > 0) {
            let came = event.iter().any(|held| held.may_be_among(&alike)).then(|| event.to_vec());
            let found = self.find(event, &known).await?;
            match came.filter(|event| are_doubtful(event, &found, &alike)) {
                None => self.take(event, &found, &mut known, &mut claims, &mut new).await?,
                Some(came) => {
                    self.forget_moves(&came, event);
                    self.doubtful.wait(came);
                }
            }
        }
        match may_wait {
            true => self.tx.insert_many_transactions(&new).await?,
            false => self.tx.insert_transactions(&new).await?,
        }
        self.write_claims(&claims).await?;
        held.clear();
        self.held = held;
        Ok(())
    }

    /// The stored rows as they are asked for, with their claims.
    async fn known(&mut self, stored: Vec<StoredTransaction>) -> Result<(Known, Claims)> {
        let ids: Vec<_> = stored.iter().map(|row| row.transaction.id).collect();
        let mut known = Known::default();
        known.places.extend(stored.iter().map(|row| (place_of(row), row.transaction.id)));
        known.rows.extend(stored.into_iter().map(|row| (row.transaction.id, row)));
        for (id, account, occurrence) in self.tx.first_places(&ids).await? {
            if let Some(row) = known.rows.get(&id) {
                known.places.insert((account, Identity { occurrence, ..row.identity }), id);
            }
        }
        let mut claims = Claims::default();
        claims.know(self.tx.claims(&ids).await?);
        Ok((known, claims))
    }

    pub(super) async fn write_claims(&mut self, claims: &Claims) -> Result<()> {
        self.tx.insert_claims(&claims.new).await?;
        self.tx.replace_claims(&claims.again).await?;
        self.book.catch_up(&mut self.tx).await
    }

    /// Takes in the rows of an event, now that it is known which stored ones they are: all of them,
    /// or none where one contradicts.
    async fn take<'a>(
        &mut self,
        event: &'a mut [Held],
        found: &Found,
        known: &mut Known,
        claims: &mut Claims,
        new: &mut Vec<&'a StoredTransaction>,
    ) -> Result<()> {
        for stored in found.ids.iter().flatten().filter_map(|id| known.rows.get(id)) {
            self.doubtful.meets(stored);
        }
        if let Some(what) = self.contradiction(event, found, known)? {
            self.stage_conflict(event, found.ids, what);
            return Ok(());
        }
        for (held, id) in event.iter_mut().zip(found.ids) {
            let verdict = match id.and_then(|id| known.rows.get_mut(&id)) {
                None => {
                    self.complete(held, new, &mut known.rows, claims).await?;
                    Verdict::New
                }
                Some(stored) => self.meet(held, stored, found.elsewhere, claims).await?,
            };
            if verdict == Verdict::New {
                new.push(&held.row);
            }
            self.count(held.file, verdict, 1);
        }
        Ok(())
    }

    /// Settles what is left of a file.
    pub(super) async fn end_file(&mut self) -> Result<()> {
        self.flush().await?;
        for mut event in self.doubtful.end() {
            let stored = self.stored(&event).await?.unwrap_or_default();
            let (mut known, mut claims) = self.known(stored).await?;
            let Some(found) = self.find_edited(&mut event, &mut known).await? else {
                for held in &mut event {
                    held.sure = true;
                }
                self.hold(event).await?;
                continue;
            };
            let ids: Vec<_> = found.ids.iter().flatten().copied().collect();
            claims.know(self.tx.claims(&ids).await?);
            let mut new = Vec::new();
            self.take(&mut event, &found, &mut known, &mut claims, &mut new).await?;
            self.tx.insert_transactions(&new).await?;
            self.write_claims(&claims).await?;
        }
        self.flush().await?;
        self.doubtful = Doubtful::default();
        Ok(())
    }

    /// Whether a day may have had rows before this file.
    pub(super) fn may_have_rows(&self, day: NaiveDate) -> bool {
        self.days.get(&day) == Some(&true)
    }

    /// The stored rows that the rows of an event are.
    async fn find(&mut self, event: &mut [Held], known: &Known) -> Result<Found> {
        let mut found = Found::default();
        if let [first, second] = event {
            let nth = first.nth;
            let (first, second) = (&mut first.row, &mut second.row);
            if let Some(found) = known.event(first, second, nth)? {
                return Ok(found);
            }
            if first.transaction.source_id.is_some() {
                return known.named([first, second]);
            }
            for (row, id) in [first, second].into_iter().zip(&mut found.ids) {
                *id = self.free(row, known).await?;
            }
        } else if let [Held { row, .. }] = event {
            let before = row.identity;
            while self.moved.contains(&place_of(row)) {
                row.identity.occurrence += 1;
            }
            if row.identity != before {
                self.moved.insert(place_of(row));
            }
            found.ids = [known.places.get(&place_of(row)).copied(), None];
        }
        Ok(found)
    }

    /// The stored row of a row that has no equal one as part of another event.
    pub(super) async fn free(
        &mut self,
        row: &mut StoredTransaction,
        known: &Known,
    ) -> Result<Option<TransactionId>> {
        known.free(&mut self.tx, row, &mut self.moved).await
    }

    /// The places that an event took which is looked for again later.
    fn forget_moves(&mut self, came: &[Held], went: &[Held]) {
        for (came, went) in came.iter().zip(went) {
            if came.row.identity != went.row.identity {
                self.moved.remove(&place_of(&went.row));
            }
        }
    }

    /// What tells that the source means another event than the one that is stored, unless that is
    /// welcome.
    fn contradiction(
        &self,
        event: &[Held],
        found: &Found,
        known: &Known,
    ) -> Result<Option<&'static str>> {
        if self.options.accept_changes {
            return Ok(None);
        }
        if found.elsewhere {
            return Ok(Some("the other account"));
        }
        for (held, id) in event.iter().zip(found.ids) {
            if let Some(stored) = id.and_then(|id| known.rows.get(&id))
                && let said = Said::by(&held.row)
                && let before = Underlay::of(stored)?
                && let Some(what) = said.contradicts(&before)
                && !is_echo(held, &said, &before, stored)
            {
                return Ok(Some(what));
            }
        }
        Ok(None)
    }

    /// Completes a new row: its category, and what it meets.
    async fn complete(
        &mut self,
        held: &mut Held,
        new: &[&StoredTransaction],
        known: &mut HashMap<TransactionId, StoredTransaction>,
        claims: &mut Claims,
    ) -> Result<()> {
        let row = &mut held.row;
        if let Some(edited) = held.edited.take() {
            self.take_edited(row, *edited, new).await?;
        }
        if let Some(name) = row.transaction.facts.category.clone() {
            row.category = Some(self.book.category(&mut self.tx, &name, &self.stamp).await?);
        }
        if !held.whole {
            self.meet_event(row, known, claims).await?;
        }
        self.book.count(row, true);
        Ok(())
    }

    /// A new row of an event of which another row is known by other means.
    async fn meet_event(
        &mut self,
        row: &mut StoredTransaction,
        known: &mut HashMap<TransactionId, StoredTransaction>,
        claims: &mut Claims,
    ) -> Result<()> {
        let (tx, book, stamp) = (&mut self.tx, &mut self.book, &self.stamp);
        proposed::link_by_id(tx, book, &mut row.transaction, known, stamp).await?;
        if let Some(gone) = proposed::give_way(tx, book, &row.transaction, stamp).await? {
            claims.know(tx.claims(&[gone.transaction.id]).await?);
            let first = Statement::default();
            let mine = Statement { version: gone.transaction.version, ..Statement::default() };
            claims.add(&gone, row, self.batch, first, mine);
        }
        Ok(())
    }

    /// The stored rows that the rows held back may be; none where there is nothing to ask.
    async fn stored(&mut self, held: &[Held]) -> Result<Option<Vec<StoredTransaction>>> {
        let mut unseen: Vec<NaiveDate> = Vec::new();
        for Held { row, .. } in held {
            let day = row.transaction.facts.date;
            let may_have = self.span.as_ref().is_some_and(|span| span.contains(&day));
            if may_have && row.transaction.source_id.is_none() && !self.days.contains_key(&day) {
                self.days.insert(day, false);
                unseen.push(day);
            }
        }
        // Rows of this file differ from each other, so what the file itself brought to a day
        // need not be looked at: most days of most files are new, and one look tells.
        for day in self.tx.days_with_rows(&unseen).await? {
            self.days.insert(day, true);
        }
        let mut ids = Vec::new();
        let mut keys = Vec::new();
        for Held { row, .. } in held {
            let day = row.transaction.facts.date;
            match &row.transaction.source_id {
                Some(id) => ids.push(id),
                None if self.may_have_rows(day) => keys.push((day, row.identity.key)),
                None => {}
            }
        }
        if unseen.is_empty() && keys.is_empty() && ids.is_empty() {
            return Ok(None);
        }
        let mut known = self.tx.transactions_by_key(&keys).await?;
        known.extend(self.tx.transactions_by_source(&ids).await?);
        Ok(Some(known))
    }

    /// A row that is there already: the same or another version, which may be in the account that
    /// the source names now.
    async fn meet(
        &mut self,
        held: &Held,
        stored: &mut StoredTransaction,
        moves: bool,
        claims: &mut Claims,
    ) -> Result<Verdict> {
        let row = &held.row;
        let said = Said::by(row);
        let before = Underlay::of(stored)?;
        let first = Statement {
            version: stored.transaction.version,
            said: Said::from(before.clone()).fields(),
        };
        let mut now = said.over(&before);
        // A file leaves open what becomes of a pending row; a provider tells how it is today.
        if row.transaction.origin == Origin::Provider {
            now.facts.status = said.facts.status;
        }
        let by_hand = stored.transaction.origin == Origin::Hand;
        // What comes as a person left it says nothing of what its source says.
        let echo = is_echo(held, &said, &before, stored);
        let mut verdict = Verdict::Duplicate;
        if moves
            && stored.transaction.account != row.transaction.account
            && !before.edited.contains("account")
        {
            let old = stored.clone();
            stored.transaction.account = row.transaction.account;
            let (tx, book) = (&mut self.tx, &mut self.book);
            write::put(tx, book, &old, stored, &self.stamp, "source").await?;
            verdict = Verdict::Changed;
        }
        // What a person wrote stands; a file that says it again adds nothing to it.
        let stands = by_hand && !self.options.accept_changes;
        if now != before && !echo && !stands {
            let (tx, book) = (&mut self.tx, &mut self.book);
            write::change_source(tx, book, stored, now, &self.stamp).await?;
            verdict = Verdict::Changed;
        }
        // A provider is asked again and again: saying the same adds nothing.
        if row.transaction.origin == Origin::Provider && verdict == Verdict::Duplicate {
            return Ok(verdict);
        }
        // A file has no say in what a person wrote.
        let mine = match verdict {
            Verdict::Duplicate if by_hand || echo => Statement::default(),
            _ => Statement { version: stored.transaction.version, said: said.fields() },
        };
        if claims.add(stored, row, self.batch, first, mine)
            && row.transaction.seq < stored.transaction.seq
        {
            stored.transaction.seq = row.transaction.seq;
            self.tx.update_transaction(stored).await?;
        }
        Ok(verdict)
    }

    fn stage_conflict(
        &mut self,
        event: &[Held],
        stored: [Option<TransactionId>; 2],
        what: &'static str,
    ) {
        let Some(Held { file, line, row, .. }) = event.first() else { return };
        let rows = u64::try_from(event.len()).unwrap_or(u64::MAX);
        self.count(*file, Verdict::Conflict, rows);
        if self.taken.conflicts.len() >= Taken::MOST {
            return;
        }
        let why = match row.transaction.source_id.clone() {
            Some(id) => Why::Conflict { id, what },
            None => Why::ChangedByHand(what),
        };
        let refusal = Refusal { column: Column("id"), why };
        for (held, transaction) in event.iter().zip(stored) {
            self.staged.push(StagedRow {
                batch: self.batch,
                file_no: file_number(*file),
                line: i64::try_from(*line).unwrap_or(i64::MAX),
                part: held.part,
                verdict: Verdict::Conflict,
                transaction,
                column: Some(refusal.column.to_string()),
                why: Some(refusal.why.to_string()),
                raw: String::new(),
            });
        }
        self.taken.conflicts.push((*file, *line, refusal));
    }
}
