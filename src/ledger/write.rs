//! Writing transactions: new ones in bulk, changed ones as versions.

use std::collections::BTreeSet;

use super::Result;
use super::body::{self, Underlay};
use super::book::{Book, Stamp};
use crate::model::{Facts, SafeText, SecurityId, Status};
use crate::store::{Finding, StoredTransaction, Version, WriteTx};

/// What a source says of a row, as far as it may change.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub facts: Facts,
    pub security: Option<SecurityId>,
    pub to_security: Option<SecurityId>,
    pub link: Option<SafeText>,
}

/// The fields that a source may leave out: by their numbers a claim keeps which of them it said.
mod field {
    pub const DESCRIPTION: i64 = 1;
    pub const CATEGORY: i64 = 2;
    pub const NOTE: i64 = 4;
    pub const QUOTED_IN: i64 = 8;
    pub const SETTLEMENT: i64 = 16;
    /// Final; a pending row leaves open what becomes of it.
    pub const STATUS: i64 = 32;
    pub const LINK: i64 = 64;
}

impl From<Underlay> for Said {
    fn from(all: Underlay) -> Self {
        let Underlay { facts, security, to_security, link, edited: _ } = all;
        Self { facts, security, to_security, link }
    }
}

impl Said {
    /// What a row says that comes in.
    pub fn by(row: &StoredTransaction) -> Self {
        let transaction = &row.transaction;
        Self {
            facts: transaction.facts.clone(),
            security: transaction.security,
            to_security: transaction.to_security,
            link: transaction.link.clone(),
        }
    }

    /// What an import said whose claim agrees with this state of the source.
    pub fn claimed(by: &Underlay, fields: i64) -> Self {
        let has = |field: i64| fields & field != 0;
        let text = |field: i64, value: &Option<SafeText>| value.clone().filter(|_| has(field));
        let mut facts = by.facts.clone();
        facts.description = text(field::DESCRIPTION, &facts.description);
        facts.category = text(field::CATEGORY, &facts.category);
        facts.note = text(field::NOTE, &facts.note);
        facts.quoted_in = text(field::QUOTED_IN, &facts.quoted_in);
        facts.settlement = facts.settlement.filter(|_| has(field::SETTLEMENT));
        if !has(field::STATUS) {
            facts.status = Status::Pending;
        }
        let link = text(field::LINK, &by.link);
        Self { facts, security: by.security, to_security: by.to_security, link }
    }

    /// The first word on a row, with a person's edits over it.
    fn into_underlay(self, edited: &BTreeSet<String>) -> Underlay {
        let Self { facts, security, to_security, link } = self;
        Underlay { facts, security, to_security, link, edited: edited.clone() }
    }

    /// Which of the fields that may be left out are not.
    pub fn fields(&self) -> i64 {
        let facts = &self.facts;
        [
            (facts.description.is_some(), field::DESCRIPTION),
            (facts.category.is_some(), field::CATEGORY),
            (facts.note.is_some(), field::NOTE),
            (facts.quoted_in.is_some(), field::QUOTED_IN),
            (facts.settlement.is_some(), field::SETTLEMENT),
            (facts.status != Status::Pending, field::STATUS),
            (self.link.is_some(), field::LINK),
        ]
        .iter()
        .filter(|(said, _)| *said)
        .map(|(_, field)| field)
        .sum()
    }

    /// What is new in what a source says now, laid over what it said before. A field that the
    /// source leaves out now is not taken back: a file with fewer columns knows less, not other.
    pub fn over(&self, before: &Underlay) -> Underlay {
        let keep =
            |new: &Option<SafeText>, old: &Option<SafeText>| new.clone().or_else(|| old.clone());
        let old = &before.facts;
        let mut facts = self.facts.clone();
        facts.description = keep(&facts.description, &old.description);
        facts.category = keep(&facts.category, &old.category);
        facts.note = keep(&facts.note, &old.note);
        facts.quoted_in = keep(&facts.quoted_in, &old.quoted_in);
        facts.settlement = facts.settlement.or(old.settlement);
        // An older file still shows as pending what has become final since.
        if facts.status == Status::Pending {
            facts.status = old.status;
        }
        Underlay {
            facts,
            // Which securities a row has follows from its type: half of each would be no event.
            security: self.security,
            to_security: self.to_security,
            link: keep(&self.link, &before.link),
            edited: before.edited.clone(),
        }
    }

    /// Which of the fields that make a row this row differ: the source means another event.
    pub fn contradicts(&self, before: &Underlay) -> Option<&'static str> {
        if self.facts.date != before.facts.date {
            Some("the date")
        } else if self.facts.amount != before.facts.amount
            || self.facts.currency != before.facts.currency
        {
            Some("the amount")
        } else if self.security != before.security {
            Some("the security")
        } else {
            None
        }
    }
}

/// Writes a new version of a row: what the source says now, with the person's edits over it.
/// Gives a finding where the source changed what a person had edited.
pub(super) async fn change_source(
    tx: &mut WriteTx,
    book: &mut Book,
    row: &mut StoredTransaction,
    now_said: Underlay,
    stamp: &Stamp,
) -> Result<()> {
    let before_said = Underlay::of(row)?;
    let before = row.clone();
    let under_edit = changed_fields(&before_said, &now_said)
        .intersection(&now_said.edited)
        .cloned()
        .collect::<Vec<_>>();
    lay(row, &now_said)?;
    put(tx, book, &before, row, stamp, "source").await?;
    if !under_edit.is_empty() {
        let finding = Finding {
            id: tx.take_id(),
            kind: "source_changed_under_edit".to_owned(),
            severity: "warning".to_owned(),
            transaction: Some(row.transaction.id),
            account: Some(row.transaction.account),
            security: row.transaction.security,
            date: Some(row.transaction.facts.date),
            detail: format!("the source changed {} under your edit", under_edit.join(", ")),
            created: stamp.now,
            settled: None,
        };
        tx.insert_findings(&[finding]).await?;
    }
    Ok(())
}

/// Keeps the older version and writes the newer one over it.
pub(super) async fn put(
    tx: &mut WriteTx,
    book: &mut Book,
    before: &StoredTransaction,
    row: &mut StoredTransaction,
    stamp: &Stamp,
    cause: &str,
) -> Result<()> {
    tx.insert_versions(&[Version {
        transaction: before.transaction.id,
        version: before.transaction.version,
        replaced: stamp.now,
        op: stamp.op.clone(),
        batch: stamp.batch,
        cause: cause.to_owned(),
        body: body::to_json(before)?,
    }])
    .await?;
    row.transaction.version = before.transaction.version + 1;
    row.transaction.updated = stamp.now;
    row.category = match &row.transaction.facts.category {
        Some(name) => Some(book.category(tx, &name.clone(), stamp).await?),
        None => None,
    };
    // The names of a merged account lead on by themselves.
    let (old, new) = (&before.transaction, &row.transaction);
    if old.facts.date != new.facts.date || (old.account != new.account && cause != "merge") {
        tx.remember_place(before).await?;
    }
    tx.update_transaction(row).await?;
    book.count(before, false);
    book.count(row, true);
    Ok(())
}

/// What a source says in the end when all this was said, one after the other; none: nothing was.
pub(super) fn all_said(
    said: impl Iterator<Item = Said>,
    edited: &BTreeSet<String>,
) -> Option<Underlay> {
    said.fold(None, |before: Option<Underlay>, said| {
        Some(match &before {
            Some(before) => said.over(before),
            None => said.into_underlay(edited),
        })
    })
}

/// Lays what the source says under the fields that nobody edited.
pub(super) fn lay(row: &mut StoredTransaction, said: &Underlay) -> Result<()> {
    let has_edits = row.source_facts.is_some();
    row.source_facts = has_edits.then(|| said.to_json()).transpose()?;
    copy(row, said, |field| !said.edited.contains(field));
    Ok(())
}

/// Hands the name of every fact that a row states by itself to a macro.
macro_rules! every_fact {
    ($what:ident) => {
        $what!(
            date,
            settlement,
            subtype,
            status,
            quantity,
            price,
            fee,
            tax,
            currency,
            amount,
            fx_rate,
            multiplier,
            ratio,
            acquired,
            cost_share,
            description,
            category,
            note,
            quoted_in
        )
    };
}

/// Copies the fields that are wanted.
pub(super) fn copy(row: &mut StoredTransaction, from: &Underlay, wanted: impl Fn(&str) -> bool) {
    let new = &from.facts;
    let transaction = &mut row.transaction;
    macro_rules! take {
        ($($field:ident),+) => {$(
            if wanted(stringify!($field)) {
                transaction.facts.$field = new.$field.clone();
            }
        )+};
    }
    every_fact!(take);
    if wanted("security") {
        transaction.security = from.security;
    }
    if wanted("to_security") {
        transaction.to_security = from.to_security;
    }
    if wanted("link") {
        transaction.link.clone_from(&from.link);
    }
}

/// The fields in which two states differ, by name.
pub(super) fn changed_fields(before: &Underlay, after: &Underlay) -> BTreeSet<String> {
    let (a, b) = (&before.facts, &after.facts);
    let mut changed = BTreeSet::new();
    let mut note = |name: &str, differs: bool| {
        if differs {
            changed.insert(name.to_owned());
        }
    };
    macro_rules! compare {
        ($($field:ident),+) => {$( note(stringify!($field), a.$field != b.$field); )+};
    }
    every_fact!(compare);
    note("security", before.security != after.security);
    note("to_security", before.to_security != after.to_security);
    note("link", before.link != after.link);
    changed
}
