//! Which security a mention means.
//!
//! The most telling mentions are settled first (an ISIN, a venue, a currency), a bare symbol last:
//! so what a bare symbol means does not depend on the order of rows.
//!
//! What a symbol means may depend on the day of the row. A security that is renamed keeps its old
//! symbol for rows dated up to the day of the change, so that files from before it bring nothing
//! twice. For later rows the symbol is free: they mean the security that has it then, and make a
//! new one where there is none. What has no day, like an entry of the watchlist, means the security
//! that has the symbol today, else the last that had it.

use std::cmp::Reverse;
use std::collections::HashMap;

use chrono::NaiveDate;

use super::book::{Book, Holder, Stamp, most};
use super::sayings::{self, Fields, Thing};
use super::survey::Use;
use super::{Result, Survey};
use crate::model::{Column, Currency, Mention, Refusal, SafeText, Security, SecurityId, Why};
use crate::store::{SecurityRecord, SymbolRecord, WriteTx};

type Meaning = std::result::Result<SecurityId, Refusal>;

/// What each mention means, or why that cannot be told.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    always: HashMap<Mention, Meaning>,
    /// Where it depends on the day.
    on_day: HashMap<(Mention, Option<NaiveDate>), Meaning>,
}

impl Meanings {
    /// What a mention of a day means, where that is settled.
    pub fn get(&self, book: &Book, mention: &Mention, day: Option<NaiveDate>) -> Option<&Meaning> {
        match book.given_up.contains(&mention.symbol) {
            false => self.always.get(mention),
            true => self.on_day.get(&(mention.clone(), day)),
        }
    }

    /// Settles what a mention of a day means.
    pub fn settle(
        &mut self,
        book: &Book,
        mention: &Mention,
        day: Option<NaiveDate>,
        meaning: Meaning,
    ) {
        match book.given_up.contains(&mention.symbol) {
            false => self.always.insert(mention.clone(), meaning),
            true => self.on_day.insert((mention.clone(), day), meaning),
        };
    }
}

/// Settles every mention of a survey; securities that are not there yet are made.
pub(super) async fn resolve_all(
    tx: &mut WriteTx,
    book: &mut Book,
    survey: &Survey,
    stamp: &Stamp,
) -> Result<Meanings> {
    let mut mentions: Vec<_> = survey.mentions.iter().collect();
    mentions.sort_by_key(|(mention, _)| {
        let telling = (mention.isin.is_some(), mention.venue.is_some(), mention.currency.is_some());
        (Reverse(telling), (*mention).clone())
    });
    let mut meanings = Meanings::default();
    for (mention, used) in mentions {
        // The days in between mean the one or the other, or are asked for when they come.
        let days = match used.days {
            Some((first, last)) if book.given_up.contains(&mention.symbol) => {
                vec![Some(first), Some(last)]
            }
            _ => vec![None],
        };
        for day in days {
            let meaning = resolve(tx, book, mention, day, used, stamp).await?;
            meanings.settle(book, mention, day, meaning);
        }
    }
    Ok(meanings)
}

/// What one mention means; a security that is not there yet is made.
pub(super) async fn resolve(
    tx: &mut WriteTx,
    book: &mut Book,
    mention: &Mention,
    day: Option<NaiveDate>,
    used: &Use,
    stamp: &Stamp,
) -> Result<Meaning> {
    let candidates = find(book, mention, day);
    match candidates.as_slice() {
        [] => make(tx, book, mention, used, stamp).await.map(Ok),
        [one] => {
            let id = *one;
            enrich(tx, book, id, mention, stamp).await?;
            Ok(Ok(id))
        }
        several => Ok(Err(Refusal {
            column: Column("symbol"),
            why: Why::SeveralSecurities {
                symbol: mention.symbol.clone(),
                candidates: names_of(book, several),
            },
        })),
    }
}

/// The securities that a mention may mean in a row of this day.
pub(super) fn find(book: &Book, mention: &Mention, day: Option<NaiveDate>) -> Vec<SecurityId> {
    let by_isin = |text: &str| {
        book.securities
            .values()
            .find(|row| row.security.isin.as_ref().is_some_and(|isin| isin.as_str() == text))
    };
    if let Some(isin) = &mention.isin
        && let Some(row) = by_isin(isin.as_str())
    {
        return vec![row.security.id];
    }
    // What it is beats what it was when a person had not edited it yet, and that beats what only
    // follows from its rows.
    let all = |holder: &Holder| book.securities.get(&holder.id).map(|row| &row.security);
    let is = |holder: &Holder| all(holder).is_some_and(|it| may_be(it, mention));
    let was =
        |holder: &Holder| book.edited.iter().any(|old| old.id == holder.id && may_be(old, mention));
    let open = |holder: &Holder| {
        let derived = all(holder).filter(|it| it.derived);
        derived.is_some_and(|it| may_be(it, &Mention { currency: None, ..mention.clone() }))
    };
    let tests: [&dyn Fn(&Holder) -> bool; 3] = [&is, &was, &open];
    for fits in tests {
        let holders = book.symbols.get(&mention.symbol).into_iter().flatten();
        let holders: Vec<_> = holders.filter(|holder| fits(holder)).collect();
        let found = on_day(book, mention, &holders, day);
        if !found.is_empty() {
            return found;
        }
    }
    by_isin(mention.symbol.as_str()).map(|row| row.security.id).into_iter().collect()
}

fn may_be(security: &Security, mention: &Mention) -> bool {
    mention.currency.is_none_or(|currency| currency == security.currency)
        && match (&mention.venue, &security.venue) {
            (Some(wanted), Some(venue)) => wanted == venue,
            _ => true,
        }
        && match (&mention.isin, &security.isin) {
            (Some(wanted), Some(isin)) => wanted == isin,
            _ => true,
        }
}

/// Who of those that ever had a symbol had it on a day.
fn on_day(
    book: &Book,
    mention: &Mention,
    holders: &[&Holder],
    day: Option<NaiveDate>,
) -> Vec<SecurityId> {
    let is_own = |id: &SecurityId| {
        book.securities.get(id).is_some_and(|row| row.security.symbol == mention.symbol)
    };
    let mut today: Vec<SecurityId> =
        holders.iter().filter(|holder| holder.until.is_none()).map(|holder| holder.id).collect();
    // Its own symbol beats what a source calls it.
    if today.iter().any(is_own) {
        today.retain(is_own);
    }
    let former = holders.iter().filter_map(|holder| {
        let (until, number) = holder.until?;
        Some((number, holder.id, until))
    });
    let Some(day) = day else {
        // Whoever had it last.
        let last = former.max().filter(|_| today.is_empty());
        return last.map_or(today, |(_, id, _)| vec![id]);
    };
    let mut former: Vec<_> = former.filter(|(.., until)| day <= *until).collect();
    former.sort_unstable();
    // Of twins that had the symbol at the same time, the one that kept it longer has it.
    while let Some((end, id, _)) = former.first().copied() {
        let was_there = |id, before| book.had_its_name_since(id, before) < end;
        former.retain(|(later, twin, _)| *later > end && was_there(*twin, *later));
        today.retain(|twin| was_there(*twin, i64::MAX));
        if former.is_empty() && today.is_empty() {
            return vec![id];
        }
    }
    today
}

/// How each of several securities can be named, so that one can be chosen.
pub(super) fn names_of(book: &Book, ids: &[SecurityId]) -> String {
    let names = ids.iter().filter_map(|id| book.securities.get(id)).map(|row| &row.security);
    names.map(Security::telling_name).collect::<Vec<_>>().join(", ")
}

async fn make(
    tx: &mut WriteTx,
    book: &mut Book,
    mention: &Mention,
    used: &Use,
    stamp: &Stamp,
) -> Result<SecurityId> {
    let id = SecurityId(tx.take_id());
    let likely: Option<Currency> =
        most(&used.prices).or_else(|| most(&used.trades)).or_else(|| most(&used.rows));
    let row = SecurityRecord {
        security: Security {
            id,
            symbol: mention.symbol.clone(),
            venue: mention.venue.clone(),
            currency: mention.currency.or(likely).unwrap_or(book.base),
            name: None,
            class: None,
            isin: mention.isin.clone(),
            cusip: None,
            figi: None,
            sector: None,
            region: None,
            tags: None,
            derived: mention.currency.is_none(),
        },
        batch: stamp.batch,
        version: 1,
        created: stamp.now,
        updated: None,
    };
    tx.insert_securities(std::slice::from_ref(&row)).await?;
    say(book, &row.security, mention, &Fields::new())?;
    book.index_security(row);
    Ok(id)
}

/// A mention may tell more than is known: the currency, a venue, an ISIN, another symbol for the
/// same ISIN.
async fn enrich(
    tx: &mut WriteTx,
    book: &mut Book,
    id: SecurityId,
    mention: &Mention,
    stamp: &Stamp,
) -> Result<()> {
    let before = book.security(id)?;
    let mut row = before.clone();
    // Once a source has said the currency, it does not follow from rows any more.
    if row.security.derived
        && let Some(currency) = mention.currency
    {
        row.security.currency = currency;
        row.security.derived = false;
    }
    if row.security.venue.is_none() {
        row.security.venue.clone_from(&mention.venue);
    }
    if row.security.isin.is_none() {
        row.security.isin.clone_from(&mention.isin);
    }
    let holders = book.symbols.get(&mention.symbol).into_iter().flatten();
    let known = holders.into_iter().any(|holder| holder.id == id);
    let is_isin =
        row.security.isin.as_ref().is_some_and(|isin| isin.as_str() == mention.symbol.as_str());
    let fields_before = match before.batch == stamp.batch {
        true => Fields::new(),
        false => sayings::all_of(&before.security)?,
    };
    let (before, after) = (before.clone(), row.security.clone());
    say(book, &after, mention, &fields_before)?;
    if row != before {
        book.put_security(tx, row, stamp, false).await?;
    }
    if !known && !is_isin {
        let source = SafeText::new(&format!("{}{}", SymbolRecord::IN_A_FILE, mention.symbol));
        let symbol = mention.symbol.clone();
        let row = SymbolRecord { security: id, source, symbol, until: None };
        tx.put_symbol(&row).await?;
        book.index_symbol(row.symbol, Holder { id, until: None });
    }
    Ok(())
}

/// Notes what a mention says beside the symbol, as far as it holds.
fn say(book: &mut Book, security: &Security, mention: &Mention, before: &Fields) -> Result<()> {
    let mut said = Vec::new();
    if mention.venue.is_some() && mention.venue == security.venue {
        said.push("venue");
    }
    if mention.isin.is_some() && mention.isin == security.isin {
        said.push("isin");
    }
    if !security.derived && mention.currency == Some(security.currency) {
        said.extend(["currency", "derived"]);
    }
    if !said.is_empty() {
        let said = sayings::some_of(&sayings::all_of(security)?, &said);
        book.sayings.note(Thing::Security(security.id), said, before);
    }
    Ok(())
}
