//! Which security a mention means.
//!
//! The most telling mentions are settled first (an ISIN, a venue, a currency), a bare symbol last:
//! so what a bare symbol means does not depend on the order of rows.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::book::{Book, Stamp, most};
use super::sayings::{self, Fields, Thing};
use super::survey::Use;
use super::{Result, Survey};
use crate::model::{Column, Currency, Mention, Refusal, SafeText, Security, SecurityId, Why};
use crate::store::{SecurityRecord, WriteTx};

/// What each mention means, or why that cannot be told.
pub(super) type Meanings = HashMap<Mention, std::result::Result<SecurityId, Refusal>>;

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
    let mut meanings = Meanings::new();
    for (mention, used) in mentions {
        let meaning = resolve(tx, book, mention, used, stamp).await?;
        meanings.insert(mention.clone(), meaning);
    }
    Ok(meanings)
}

/// What one mention means; a security that is not there yet is made.
pub(super) async fn resolve(
    tx: &mut WriteTx,
    book: &mut Book,
    mention: &Mention,
    used: &Use,
    stamp: &Stamp,
) -> Result<std::result::Result<SecurityId, Refusal>> {
    let candidates = find(book, mention);
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

/// The securities that a mention may mean.
pub(super) fn find(book: &Book, mention: &Mention) -> Vec<SecurityId> {
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
    let mut found: Vec<SecurityId> = Vec::new();
    for id in book.symbols.get(&mention.symbol).into_iter().flatten() {
        let Some(row) = book.securities.get(id) else { continue };
        let security = &row.security;
        let fits = mention.currency.is_none_or(|currency| currency == security.currency)
            && match (&mention.venue, &security.venue) {
                (Some(wanted), Some(venue)) => wanted == venue,
                _ => true,
            }
            && (mention.isin.is_none() || security.isin.is_none());
        if fits {
            found.push(*id);
        }
    }
    // A symbol that a security has today beats one that another had before.
    let current: Vec<_> = found
        .iter()
        .copied()
        .filter(|id| {
            book.securities.get(id).is_some_and(|row| row.security.symbol == mention.symbol)
        })
        .collect();
    if !current.is_empty() {
        found = current;
    }
    if found.is_empty()
        && let Some(row) = by_isin(mention.symbol.as_str())
    {
        return vec![row.security.id];
    }
    found
}

/// How each of several securities can be named, so that one can be chosen.
pub(super) fn names_of(book: &Book, ids: &[SecurityId]) -> String {
    let names = ids.iter().filter_map(|id| book.securities.get(id)).map(|row| {
        let security = &row.security;
        match &security.venue {
            Some(venue) => format!("{}@{} (venue {venue})", security.symbol, security.currency),
            None => format!("{}@{}", security.symbol, security.currency),
        }
    });
    names.collect::<Vec<_>>().join(", ")
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

/// A mention may tell more than is known: a venue, an ISIN, another symbol for the same ISIN.
async fn enrich(
    tx: &mut WriteTx,
    book: &mut Book,
    id: SecurityId,
    mention: &Mention,
    stamp: &Stamp,
) -> Result<()> {
    let before = book.security(id)?;
    let mut row = before.clone();
    if row.security.venue.is_none() {
        row.security.venue.clone_from(&mention.venue);
    }
    if row.security.isin.is_none() {
        row.security.isin.clone_from(&mention.isin);
    }
    let known = book.symbols.get(&mention.symbol).is_some_and(|ids| ids.contains(&id));
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
        let source = SafeText::new(&format!("file {}", mention.symbol));
        tx.put_symbol(id, &source, &mention.symbol, None).await?;
        book.index_symbol(mention.symbol.clone(), id);
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
