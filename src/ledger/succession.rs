//! Which of the rows that a provider told before are those it tells now.
//!
//! Ids are not enough: a payment that becomes final comes under another one, some providers number
//! the rows of a day anew, some all rows of a bank. What is told for a span of days is all there is,
//! so whatever is paired, the rows of that span are those that are told, none twice and none as
//! another. Pairing rows decides what becomes of a person's notes; where two would do, none is paired.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use chrono::{NaiveDate, TimeDelta};

use crate::model::{Dec, Exact, SafeText};

/// What a row says; what has the same content may be the same row.
pub(super) type Words = ([u8; 12], Option<SafeText>);

/// A row that is stored, or one that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The id it is stored under, or told by.
    pub id: SafeText,
    /// It is not final.
    pub pending: bool,
    /// Its day.
    pub date: NaiveDate,
    /// The change of cash.
    pub amount: Dec,
    /// In the provider's words.
    pub text: Option<SafeText>,
    /// All that it says.
    pub words: Words,
}

/// What became of the rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Succession {
    /// For each row that is told the id it is to be stored under; none: it was told twice.
    pub ids: Vec<Option<SafeText>>,
    /// The stored rows that are told no more.
    pub gone: Vec<usize>,
}

/// A payment by card becomes final from a day before its authorization up to a week after it.
const EARLIER: TimeDelta = TimeDelta::days(1);
const LATER: TimeDelta = TimeDelta::days(7);
/// A tip is added to what was authorized: up to so many percent of it.
const TIP_PERCENT: i64 = 30;

/// Pairs what is stored with what is told.
pub(super) fn succeed(known: &[Seen], told: &[Seen]) -> Succession {
    let mut pairs = Pairs::new(known, told);
    pairs.by(|row| (row.id.clone(), row.words.clone()));
    pairs.by(|row| row.words.clone());
    pairs.by(|row| row.id.clone());
    pairs.final_ones(|pending, told| pending.amount == told.amount);
    pairs.final_ones(|pending, told| pending.text == told.text && is_tipped(pending, told));
    pairs.end()
}

struct Pairs<'a> {
    known: &'a [Seen],
    told: &'a [Seen],
    /// By place: which stored row a told one is.
    of: Vec<Option<usize>>,
    /// The stored rows that are told.
    taken: Vec<bool>,
    /// Rows that were told twice.
    again: HashSet<usize>,
}

impl<'a> Pairs<'a> {
    fn new(known: &'a [Seen], told: &'a [Seen]) -> Self {
        let mut seen = HashSet::with_capacity(told.len());
        let again = told.iter().enumerate().filter(|(_, row)| !seen.insert((&row.id, &row.words)));
        let again = again.map(|(at, _)| at).collect();
        Self { known, told, of: vec![None; told.len()], taken: vec![false; known.len()], again }
    }

    fn free_known(&self) -> impl Iterator<Item = (usize, &'a Seen)> {
        let free = self.known.iter().enumerate().zip(&self.taken);
        free.filter(|(_, taken)| !**taken).map(|(row, _)| row)
    }

    fn free_told(&self) -> impl Iterator<Item = (usize, &'a Seen)> {
        let free = self.told.iter().enumerate().zip(&self.of);
        let free = free.filter(|((at, _), of)| of.is_none() && !self.again.contains(at));
        free.map(|(row, _)| row)
    }

    fn pair(&mut self, known: usize, told: usize) {
        if let (Some(of), Some(taken)) = (self.of.get_mut(told), self.taken.get_mut(known)) {
            *of = Some(known);
            *taken = true;
        }
    }

    /// Pairs rows that are equal in something; equal ones in their order, as they are all one.
    fn by<K: Hash + Eq>(&mut self, key: impl Fn(&Seen) -> K) {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (at, row) in self.free_known() {
            waiting.entry(key(row)).or_default().push_back(at);
        }
        let mut pairs = Vec::new();
        for (at, row) in self.free_told() {
            let known = waiting.get_mut(&key(row)).and_then(VecDeque::pop_front);
            pairs.extend(known.map(|known| (known, at)));
        }
        for (known, told) in pairs {
            self.pair(known, told);
        }
    }

    /// Pairs what was pending with what became of it, where nothing else can have.
    fn final_ones(&mut self, fits: impl Fn(&Seen, &Seen) -> bool) {
        let mut by_day: HashMap<NaiveDate, Vec<usize>> = HashMap::new();
        for (at, row) in self.free_told().filter(|(_, row)| !row.pending) {
            by_day.entry(row.date).or_default().push(at);
        }
        let mut wooers: HashMap<usize, usize> = HashMap::new();
        let mut pairs = Vec::new();
        for (at, pending) in self.free_known().filter(|(_, row)| row.pending) {
            let first = pending.date.checked_sub_signed(EARLIER).unwrap_or(pending.date);
            let last = pending.date.checked_add_signed(LATER).unwrap_or(pending.date);
            let days = first.iter_days().take_while(|day| *day <= last);
            let near = days.filter_map(|day| by_day.get(&day)).flatten().copied();
            let fitting = |told: &usize| self.told.get(*told).is_some_and(|it| fits(pending, it));
            let may_be: Vec<_> = near.filter(fitting).collect();
            for told in &may_be {
                *wooers.entry(*told).or_default() += 1;
            }
            if let [only] = may_be.as_slice() {
                pairs.push((at, *only));
            }
        }
        pairs.retain(|(_, told)| wooers.get(told) == Some(&1));
        for (known, told) in pairs {
            self.pair(known, told);
        }
    }

    /// What is told and was never seen keeps its id, unless a stored row has it that is another.
    fn end(self) -> Succession {
        let gone = self.free_known().map(|(at, _)| at).collect();
        let mut used: BTreeSet<SafeText> = self.known.iter().map(|row| row.id.clone()).collect();
        let mut free = |id: &SafeText| {
            let others = (2_u64..).map(|nth| SafeText::new(&format!("{id}~{nth}")));
            std::iter::once(id.clone()).chain(others).find(|id| used.insert(id.clone()))
        };
        let ids = self.told.iter().zip(&self.of).enumerate().map(|(at, (row, of))| match of {
            Some(known) => self.known.get(*known).map(|known| known.id.clone()),
            None if self.again.contains(&at) => None,
            None => free(&row.id),
        });
        Succession { ids: ids.collect(), gone }
    }
}

/// Whether an amount is another with a tip on top.
fn is_tipped(pending: &Seen, told: &Seen) -> bool {
    let (before, after) = (Exact::from(pending.amount), Exact::from(told.amount));
    let same_sign = pending.amount.is_positive() == told.amount.is_positive();
    let of = |percent: i64| Exact::from(Dec::from_i64(percent));
    let (least, most) = (before.abs().mul(&of(100)), before.abs().mul(&of(100 + TIP_PERCENT)));
    let told = after.abs().mul(&of(100));
    same_sign && least <= told && told <= most
}

#[cfg(test)]
mod tests;
