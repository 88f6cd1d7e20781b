//! Which of the rows that a provider told before are those it tells now.
//!
//! Ids are not enough: a payment that becomes final comes under another one, some providers number
//! the rows of a day anew, some all rows of a bank. What is told for a span of days is all there is,
//! so whatever is paired, the rows of that span are those that are told, none twice and none as
//! another. Pairing rows decides what becomes of a person's notes; where two would do, none is paired.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use chrono::{Days, NaiveDate, TimeDelta};

use crate::model::{Dec, Exact, SafeText, hex};

/// What a row says; what has the same content may be the same row.
pub(super) type Words = ([u8; 12], Option<SafeText>);

/// A row that is stored, or one that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The id it is stored under, or told by.
    pub id: SafeText,
    /// It is not final.
    pub pending: bool,
    /// It was told no more; it may come back.
    pub cancelled: bool,
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
/// A row may have become another, or have moved, within so many days before what is told.
pub(super) const LOOK_BACK: Days = Days::new(10);
/// What is said of a payment only until it is final.
const NOT_YET: [&str; 6] = ["auth", "authorization", "hold", "pending", "pre", "preauth"];

/// Pairs what is stored with what is told by what it says. That goes before ids: numbers move on.
pub(super) fn succeed<'a>(known: &'a [Seen], told: &'a [Seen]) -> Pairs<'a> {
    let mut pairs = Pairs::new(known, told);
    if !known.is_empty() {
        pairs.by(|row| (row.id.clone(), row.words.clone()));
        pairs.by(|row| row.words.clone());
    }
    pairs
}

/// Rows that are stored and those that are told, and which of them are one.
pub(super) struct Pairs<'a> {
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

    /// Pairs rows that are equal in something; equal ones in their order, as they are all one. What
    /// counts comes before what was told no more, and what has no other row of its id before what has.
    fn by<K: Hash + Eq>(&mut self, key: impl Fn(&Seen) -> K) {
        let stored: HashSet<_> = self.free_known().map(|(_, row)| &row.id).collect();
        let told: HashSet<_> = self.free_told().map(|(_, row)| &row.id).collect();
        let mut free: Vec<_> = self.free_known().collect();
        free.sort_by_key(|(_, row)| (row.cancelled, told.contains(&row.id)));
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (at, row) in free {
            waiting.entry(key(row)).or_default().push_back(at);
        }
        let mut free: Vec<_> = self.free_told().collect();
        free.sort_by_key(|(_, row)| stored.contains(&row.id));
        let mut pairs = Vec::new();
        for (at, row) in free {
            let known = waiting.get_mut(&key(row)).and_then(VecDeque::pop_front);
            pairs.extend(known.map(|known| (known, at)));
        }
        for (known, told) in pairs {
            self.pair(known, told);
        }
    }

    /// Pairs rows of one id of which one may be the other, edited.
    fn by_id(&mut self) {
        let ids = self.ids_told_once();
        let stored: HashMap<_, _> =
            self.free_known().map(|(at, row)| (&row.id, (at, row))).collect();
        let free = self.free_told().filter(|(_, row)| ids.contains(&row.id));
        let same = free.filter_map(|(at, row)| Some((*stored.get(&row.id)?, (at, row))));
        let same = same.filter(|((_, known), (_, told))| is_edited(known, told));
        let pairs: Vec<_> = same.map(|((known, _), (told, _))| (known, told)).collect();
        for (known, told) in pairs {
            self.pair(known, told);
        }
    }

    fn ids_told_once(&self) -> HashSet<&'a SafeText> {
        let mut times: HashMap<&SafeText, usize> = HashMap::new();
        for (at, row) in self.told.iter().enumerate() {
            *times.entry(&row.id).or_default() += usize::from(!self.again.contains(&at));
        }
        times.into_iter().filter(|(_, times)| *times == 1).map(|(id, _)| id).collect()
    }

    /// The rows that are told and the stored ones that say the same.
    fn pairs(&self) -> impl Iterator<Item = (&'a Seen, Option<&'a Seen>)> {
        self.told.iter().zip(&self.of).map(|(row, of)| (row, of.and_then(|at| self.known.get(at))))
    }

    /// Whether a stored row is told under the id of another stored one: then an id says nothing. Two
    /// that always shared one are no sign of it.
    fn are_numbers(&self, older: &[Seen]) -> bool {
        let stored = self.known.iter().chain(older);
        let stored: HashMap<_, _> = stored.map(|row| (&row.id, &row.words)).collect();
        self.pairs().any(|(row, known)| {
            let is_anothers = stored.get(&row.id).is_some_and(|words| **words != row.words);
            let id = known.and_then(|known| known.id.as_str().strip_prefix(row.id.as_str()));
            known.is_some() && is_anothers && !id.is_some_and(|end| end.starts_with('~'))
        })
    }

    /// The ids that are told and are not those that their rows are stored under.
    pub fn strange_ids(&self) -> Vec<&'a SafeText> {
        let strange = self.pairs().filter(|(row, known)| known.is_none_or(|it| it.id != row.id));
        strange.map(|(row, _)| &row.id).collect()
    }

    /// Pairs what was pending with what became of it, where nothing else can have.
    fn final_ones<K: Hash + Eq>(
        &mut self,
        key: impl Fn(&Seen) -> K,
        fits: impl Fn(&Seen, &Seen) -> bool,
    ) {
        let mut alike: HashMap<K, Vec<(usize, &Seen)>> = HashMap::new();
        for (at, row) in self.free_told().filter(|(_, row)| !row.pending) {
            alike.entry(key(row)).or_default().push((at, row));
        }
        for rows in alike.values_mut() {
            rows.sort_by_key(|(_, row)| row.date);
        }
        let mut wooers: HashMap<usize, usize> = HashMap::new();
        let mut pairs = Vec::new();
        for (at, pending) in self.free_known().filter(|(_, row)| row.pending) {
            let Some(rows) = alike.get(&key(pending)) else { continue };
            let first = pending.date.checked_sub_signed(EARLIER).unwrap_or(pending.date);
            let last = pending.date.checked_add_signed(LATER).unwrap_or(pending.date);
            let from = rows.partition_point(|(_, row)| row.date < first);
            let near = rows.iter().skip(from).take_while(|(_, row)| row.date <= last);
            let mut only = None;
            for (count, (told, _)) in near.filter(|(_, row)| fits(pending, row)).enumerate() {
                *wooers.entry(*told).or_default() += 1;
                only = (count == 0).then_some(*told);
            }
            pairs.extend(only.map(|told| (at, told)));
        }
        pairs.retain(|(_, told)| wooers.get(told) == Some(&1));
        for (known, told) in pairs {
            self.pair(known, told);
        }
    }

    /// Pairs what says something else now. Whether ids are mere numbers, which say nothing.
    fn by_what_is_left(&mut self, older: &[Seen]) -> bool {
        let are_numbers = self.are_numbers(older);
        if !are_numbers {
            self.by_id();
        }
        self.final_ones(|row| (row.amount, row.text.clone()), |_, _| true);
        self.final_ones(|row| row.amount, are_alike);
        let named = |row: &Seen, now: &Seen| row.text.is_some() && is_tipped(row, now);
        self.final_ones(|row| row.text.clone(), named);
        are_numbers
    }

    /// Pairs what says something else now. What is told and was never seen keeps its id, unless a
    /// stored row has it that is another: then what it says is added. `older` are all rows that are
    /// stored under ids that are strange.
    pub fn end(mut self, older: &[Seen]) -> Succession {
        let are_numbers = !self.known.is_empty() && self.by_what_is_left(older);
        let gone = self.free_known().map(|(at, _)| at).collect();
        let older: HashMap<_, _> = older.iter().map(|row| (&row.id, row)).collect();
        let is_other = |row: &Seen| {
            older.get(&row.id).is_some_and(|older| are_numbers || !has_moved(older, row))
        };
        let mut given = Names::default();
        given.used.extend(self.known.iter().map(|row| row.id.clone()));
        given.used.extend(self.told.iter().filter(|row| is_other(row)).map(|row| row.id.clone()));
        let ids = self.told.iter().zip(&self.of).enumerate().map(|(at, (row, of))| match of {
            Some(known) => self.known.get(*known).map(|known| known.id.clone()),
            None if self.again.contains(&at) => None,
            None => Some(given.name(row)),
        });
        Succession { ids: ids.collect(), gone }
    }
}

/// Names for rows that are stored.
#[derive(Default)]
struct Names {
    used: HashSet<SafeText>,
    /// By name, which number comes next where even that is in use.
    next: HashMap<SafeText, u64>,
}

impl Names {
    /// The id of a row, or with what it says behind it, so that no row of long ago can have it.
    fn name(&mut self, row: &Seen) -> SafeText {
        if self.used.insert(row.id.clone()) {
            return row.id.clone();
        }
        let words = row.words.0.first_chunk::<8>().map_or_else(String::new, |bytes| hex(bytes));
        let name = SafeText::new(&format!("{}~{words}", row.id));
        if self.used.insert(name.clone()) {
            return name;
        }
        let next = self.next.entry(name.clone()).or_insert(1);
        loop {
            *next += 1;
            let numbered = SafeText::new(&format!("{name}~{next}"));
            if self.used.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

/// Whether a row may be another of the same id that the provider changed.
fn is_edited(before: &Seen, now: &Seen) -> bool {
    let is_final = before.pending && !now.pending;
    before.amount == now.amount || are_alike(before, now) || is_final && is_tipped(before, now)
}

/// Whether a row is one of the same id from before what is told, which came into it by its new day.
fn has_moved(before: &Seen, now: &Seen) -> bool {
    let since = now.date.checked_sub_days(LOOK_BACK).unwrap_or_default();
    let same = before.amount == now.amount && before.text == now.text && before.date >= since;
    same || before.pending
}

/// Whether two texts are about the same: all words of one are in the other.
fn are_alike(one: &Seen, other: &Seen) -> bool {
    let [one, other] = [one, other].map(|row| row.text.as_ref().map(SafeText::as_str));
    let (Some(one), Some(other)) = (one, other) else { return one == other };
    let (ones, others) = (words(one), words(other));
    one == other || !ones.is_empty() && ones.is_subset(&others) || {
        !others.is_empty() && others.is_subset(&ones)
    }
}

fn words(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    let words = text.split(|letter: char| !letter.is_alphabetic());
    let words = words.filter(|word| !word.is_empty() && !NOT_YET.contains(word));
    words.map(str::to_owned).collect()
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
