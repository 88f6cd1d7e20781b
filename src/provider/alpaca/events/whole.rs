//! What the parts of an event come to, and which of two securities was before and which is now. Pure.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::super::rows::Fact;
use super::super::symbols::Symbols;
use super::Event;
use crate::model::{Dec, Entry, Exact, Mention, Ratio, SafeText, Subtype};

/// A row, and what is not known of it; or why there is none.
type Whole = Result<(Entry, Option<String>), &'static str>;

const MISSING: &str = "the other parts of it are missing";
const NO_ORDER: &str = "which of its two securities became the other is not told";

/// The row that an event is.
///
/// # Errors
/// With the reason why it is none, or none yet.
pub(super) fn whole(event: Event, parts: &[Fact], order: &Order<'_>) -> Whole {
    match event {
        Event::Split => split(parts).map(|row| (row, None)).ok_or(MISSING),
        Event::SpinOff => spin_off(parts).ok_or(MISSING),
        Event::Merger => merger(parts, order),
        Event::NewName => new_name(parts, order),
    }
}

/// What tells which of two securities became the other. By their signs alone that is not known: of
/// what is owed they are the other way round.
pub(super) struct Order<'a> {
    symbols: &'a Symbols,
    days: HashMap<SafeText, Days>,
}

/// The days of a symbol.
struct Days {
    /// When it was first heard of.
    first: NaiveDate,
    /// When it was last traded.
    last: Option<NaiveDate>,
}

impl<'a> Order<'a> {
    pub fn of(facts: &[Fact], symbols: &'a Symbols) -> Self {
        let mut days: HashMap<SafeText, Days> = HashMap::new();
        for fact in facts {
            let Some(named) = &fact.named else { continue };
            let symbol = named.mention.symbol.clone();
            let seen = days.entry(symbol).or_insert(Days { first: fact.date, last: None });
            seen.first = seen.first.min(fact.date);
            if fact.is_fill() {
                seen.last = seen.last.max(Some(fact.date));
            }
        }
        Self { symbols, days }
    }

    /// What was before, and what is now, by what was heard of them before that day and since; else by
    /// what is held now.
    fn tell<'f>(&self, minus: &'f Fact, plus: &'f Fact) -> Option<(&'f Fact, &'f Fact)> {
        let (one, other) = (mention(minus)?, mention(plus)?);
        let has_ended = |name: &Mention, on: NaiveDate| {
            let days = self.days.get(&name.symbol);
            days.is_some_and(|it| it.first < on && it.last.is_none_or(|last| last < on))
        };
        let is_owed = |name: &Mention| self.symbols.is_owed(name.symbol.as_str());
        match (has_ended(one, minus.date), has_ended(other, plus.date)) {
            (true, false) => Some((minus, plus)),
            (false, true) => Some((plus, minus)),
            _ => match (is_owed(one), is_owed(other)) {
                (Some(true), None | Some(true)) => Some((plus, minus)),
                (None | Some(false), Some(false)) => Some((minus, plus)),
                _ => None,
            },
        }
    }
}

fn mention(fact: &Fact) -> Option<&Mention> {
    fact.named.as_ref().map(|it| &it.mention)
}

/// The one that goes and the one that comes by their signs.
fn two<'f>(parts: &[&'f Fact]) -> Option<(&'f Fact, &'f Fact)> {
    let [one, other] = parts else { return None };
    match (one.quantity?.is_negative(), other.quantity?.is_negative()) {
        (true, false) => Some((one, other)),
        (false, true) => Some((other, one)),
        _ => None,
    }
}

fn split(parts: &[Fact]) -> Option<Entry> {
    let (gone, come) = two(&parts.iter().collect::<Vec<_>>())?;
    let (gone_units, come_units) = (gone.quantity?.abs(), come.quantity?.abs());
    let (least, most) = (gone_units.min(come_units), gone_units.max(come_units));
    // Of what is owed the signs are the other way round; its name says which way it went.
    let (new, old) = match gone.sub.as_str() {
        "FSPLIT" => (most, least),
        "RSPLIT" => (least, most),
        _ => (come_units, gone_units),
    };
    let ratio = Some(Ratio::new(new, old)?);
    let row = gone.units(Subtype::Split, Dec::ZERO);
    Some(Entry { quantity: None, multiplier: None, ratio, ..row })
}

fn spin_off(parts: &[Fact]) -> Option<(Entry, Option<String>)> {
    let gone: Vec<_> =
        parts.iter().filter(|it| it.quantity.is_some_and(Dec::is_negative)).collect();
    let come: Vec<_> =
        parts.iter().filter(|it| it.quantity.is_some_and(Dec::is_positive)).collect();
    let (borne, source) = match (gone.as_slice(), come.as_slice()) {
        // Of what it was, is not told.
        ([], [borne]) => {
            let why = "what it was spun off from is not told; it came in without a cost";
            return Some((borne.units(Subtype::TransferIn, Dec::ZERO), Some(why.to_owned())));
        }
        ([old], [one, other]) if mention(old) == mention(one) => (*other, (*old, *one)),
        ([old], [one, other]) if mention(old) == mention(other) => (*one, (*old, *other)),
        _ => return None,
    };
    let cost = |fact: &Fact| Some(Exact::from(fact.quantity?.abs()).mul(&Exact::from(fact.price?)));
    // The part of the cost that went with it.
    let share = cost(source.0).zip(cost(source.1)).and_then(|(before, after)| {
        let moved = before.sub(&after).div_round(&before.round(28).ok()?.into(), 12).ok()?;
        (!moved.is_negative() && moved <= Dec::ONE).then_some(moved)
    });
    let row = borne.units(Subtype::SpinOff, Dec::ZERO);
    let symbol = mention(source.0).cloned();
    Some((Entry { to_symbol: row.symbol.clone(), symbol, cost_share: share, ..row }, None))
}

/// Shares become others, or cash, or both.
fn merger(parts: &[Fact], order: &Order<'_>) -> Whole {
    let units: Vec<_> = parts.iter().filter(|it| it.quantity.is_some()).collect();
    let cash = parts.iter().fold(Exact::ZERO, |sum, it| sum.add(&Exact::from(it.net)));
    let cash = cash.round(28).map_err(|_| MISSING)?;
    if let [gone] = units.as_slice() {
        let is_sale = gone.quantity.is_some_and(Dec::is_negative) && cash.is_positive();
        return is_sale.then(|| (gone.units(Subtype::Sell, cash), None)).ok_or(MISSING);
    }
    let (minus, plus) = two(&units).ok_or(MISSING)?;
    let (before, now) = order.tell(minus, plus).ok_or(NO_ORDER)?;
    let row = now.units(Subtype::Merger, cash);
    let symbol = mention(before).cloned();
    Ok((Entry { to_symbol: row.symbol.clone(), symbol, ..row }, None))
}

fn new_name(parts: &[Fact], order: &Order<'_>) -> Whole {
    let (minus, plus) = two(&parts.iter().collect::<Vec<_>>()).ok_or(MISSING)?;
    let symbol = mention(minus).cloned();
    // Only its number in the books of others changed.
    if symbol.as_ref() == mention(plus) {
        return Ok((Entry { symbol, ..minus.cash(Subtype::Journal) }, None));
    }
    let (before, now) = order.tell(minus, plus).ok_or(NO_ORDER)?;
    let (symbol, to_symbol) = (mention(before).cloned(), mention(now).cloned());
    Ok((Entry { symbol, to_symbol, ..now.cash(Subtype::SymbolChange) }, None))
}
