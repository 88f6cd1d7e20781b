//! Rows that somebody marked, by what they are and not by where they stand.

use std::collections::BTreeSet;

use crate::keys::Action;

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking<K> {
    /// It says nothing of marks.
    Unknown,
    /// Done.
    Done,
    /// Done, and the next row is the next one to look at.
    Next,
    /// Everything from the one to the other, which is not among these rows, is to be marked.
    Between(K, K),
}

/// Marked rows, and where a range of them begins.
#[derive(Clone, Debug)]
pub struct Marks<K> {
    kept: BTreeSet<K>,
    from: Option<K>,
}

impl<K> Default for Marks<K> {
    fn default() -> Self {
        Self { kept: BTreeSet::new(), from: None }
    }
}

impl<K: Ord + Clone> Marks<K> {
    /// Those that are marked, an open range not counted.
    #[must_use]
    pub const fn kept(&self) -> &BTreeSet<K> {
        &self.kept
    }

    /// A range has begun and not ended.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.from.is_some()
    }

    /// A range is open and began where none of these rows is: what it takes in is not known.
    #[must_use]
    pub fn reaches_beyond(&self, rows: &[Option<K>]) -> bool {
        self.from.as_ref().is_some_and(|from| place_of(from, rows).is_none())
    }

    /// Marks these too.
    pub fn add(&mut self, keys: impl IntoIterator<Item = K>) {
        self.kept.extend(keys);
    }

    /// Forgets what is no more.
    pub fn retain(&mut self, is_there: impl Fn(&K) -> bool) {
        self.kept.retain(&is_there);
        self.from = self.from.take().filter(is_there);
    }

    /// Does what an action says, with the cursor on one of these rows. A row without a key cannot
    /// be marked.
    pub fn act(&mut self, action: Action, rows: &[Option<K>], at: usize) -> Marking<K> {
        let here = rows.get(at).cloned().flatten();
        match (action, self.from.clone(), here) {
            (Action::Mark | Action::MarkRange, Some(from), here) => {
                self.from = None;
                match (place_of(&from, rows), here) {
                    (Some(_), _) => {
                        let all = range_from(&from, rows, at);
                        self.kept.extend(all);
                        Marking::Done
                    }
                    (None, Some(here)) => Marking::Between(from, here),
                    (None, None) => Marking::Done,
                }
            }
            (Action::Mark, None, here) => {
                if let Some(key) = here
                    && !self.kept.remove(&key)
                {
                    self.kept.insert(key);
                }
                Marking::Next
            }
            (Action::MarkRange, None, here) => {
                self.from = here;
                Marking::Done
            }
            (Action::Cancel, Some(_), _) => {
                self.from = None;
                Marking::Done
            }
            (Action::Cancel, None, _) if !self.kept.is_empty() => {
                self.kept.clear();
                Marking::Done
            }
            _ => Marking::Unknown,
        }
    }

    /// Which of these rows are marked now, an open range counted up to the cursor.
    #[must_use]
    pub fn among(&self, rows: &[Option<K>], at: usize) -> BTreeSet<K> {
        let mut all: BTreeSet<K> =
            rows.iter().flatten().filter(|key| self.kept.contains(*key)).cloned().collect();
        if let Some(from) = &self.from {
            all.extend(range_from(from, rows, at));
        }
        all
    }

    /// Everything that is marked, an open range counted up to the cursor.
    #[must_use]
    pub fn all(&self, rows: &[Option<K>], at: usize) -> BTreeSet<K> {
        let mut all = self.kept.clone();
        all.extend(self.among(rows, at));
        all
    }
}

fn range_from<K: PartialEq + Clone>(from: &K, rows: &[Option<K>], at: usize) -> Vec<K> {
    let Some(start) = place_of(from, rows) else { return Vec::new() };
    let (first, last) = (start.min(at), start.max(at));
    rows.iter().take(last + 1).skip(first).flatten().cloned().collect()
}

fn place_of<K: PartialEq>(key: &K, rows: &[Option<K>]) -> Option<usize> {
    rows.iter().position(|other| other.as_ref() == Some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A heading and four rows.
    const ROWS: [Option<u8>; 5] = [None, Some(1), Some(2), Some(3), Some(4)];

    fn kept(marks: &Marks<u8>) -> Vec<u8> {
        marks.kept().iter().copied().collect()
    }

    #[test]
    fn a_row_is_marked_and_unmarked() {
        let mut marks = Marks::default();
        assert_eq!(marks.act(Action::Mark, &ROWS, 1), Marking::Next);
        assert_eq!(marks.act(Action::Mark, &ROWS, 3), Marking::Next);
        assert_eq!(marks.act(Action::Mark, &ROWS, 0), Marking::Next);
        assert_eq!(kept(&marks), [1, 3]);
        marks.act(Action::Mark, &ROWS, 1);
        assert_eq!(kept(&marks), [3]);
        assert_eq!(marks.act(Action::Cancel, &ROWS, 1), Marking::Done);
        assert!(kept(&marks).is_empty());
        assert_eq!(marks.act(Action::Cancel, &ROWS, 1), Marking::Unknown);
        assert_eq!(marks.act(Action::Quit, &ROWS, 1), Marking::Unknown);
    }

    #[test]
    fn a_range_goes_either_way_and_follows_the_cursor() {
        let mut marks = Marks::default();
        marks.act(Action::MarkRange, &ROWS, 3);
        assert!(marks.is_open() && kept(&marks).is_empty());
        assert_eq!(marks.all(&ROWS, 1), [1, 2, 3].into());
        assert_eq!(marks.all(&ROWS, 4), [3, 4].into());
        assert_eq!(marks.act(Action::MarkRange, &ROWS, 2), Marking::Done);
        assert_eq!((kept(&marks), marks.is_open()), (vec![2, 3], false));
        // Esc leaves a range first, and marks only when there is none.
        marks.act(Action::MarkRange, &ROWS, 1);
        assert_eq!(marks.act(Action::Cancel, &ROWS, 4), Marking::Done);
        assert_eq!(kept(&marks), [2, 3]);
    }

    #[test]
    fn a_range_that_began_elsewhere_says_so() {
        let mut marks = Marks::default();
        marks.act(Action::MarkRange, &[Some(9)], 0);
        assert!(marks.reaches_beyond(&ROWS) && !marks.reaches_beyond(&[None, Some(9)]));
        assert!(marks.among(&ROWS, 2).is_empty());
        assert_eq!(marks.act(Action::MarkRange, &ROWS, 2), Marking::Between(9, 2));
        assert!(!marks.is_open());
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let mut marks = Marks::default();
        marks.add([1, 2, 3]);
        marks.act(Action::MarkRange, &ROWS, 4);
        marks.retain(|key| *key != 2 && *key != 4);
        assert_eq!((kept(&marks), marks.is_open()), (vec![1, 3], false));
    }
}
