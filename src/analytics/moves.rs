//! Which rows of one event are the two ends of one move: what leaves one place and comes to
//! another. What one row sends several may bring, each its part, and the other way round.

use std::collections::{BTreeSet, VecDeque};

use chrono::NaiveDate;

use crate::model::Dec;

/// A row that leaves, or one that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End<T, U> {
    /// The row.
    pub row: T,
    /// When.
    pub date: NaiveDate,
    /// How much, without a sign.
    pub amount: Dec,
    /// Of what.
    pub unit: U,
}

/// A row that leaves, a row that arrives, and how much of each is this move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// Leaves.
    pub out: T,
    /// Arrives.
    pub into: T,
    /// How much of what left.
    pub sent: Dec,
    /// How much of what arrived.
    pub got: Dec,
}

/// The moves of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moves<T> {
    /// What leaves, and where it arrives.
    pub parts: Vec<Part<T>>,
    /// Rows without another end.
    pub alone: Vec<T>,
}

impl<T: Copy> Moves<T> {
    /// Finds the moves: first what is equal and opposite, the earliest first; then all of a unit of
    /// which as much arrives as leaves, in the order of days. Of the rest one row that leaves and
    /// one that arrives are a pair whatever they say, as money may change its currency on the way;
    /// and where one row stands against several of its unit, what there is more on one side belongs
    /// to the last of them. More than that nobody can tell.
    pub fn of<U: Copy + Ord>(mut outs: Vec<End<T, U>>, mut ins: Vec<End<T, U>>) -> Self {
        outs.sort_by_key(|end| end.date);
        ins.sort_by_key(|end| end.date);
        let mut found = Self { parts: Vec::new(), alone: Vec::new() };
        outs.retain(|out| {
            let equal = |into: &End<T, U>| (into.unit, into.amount) == (out.unit, out.amount);
            let Some(at) = ins.iter().position(equal) else { return true };
            let into = ins.remove(at);
            let (sent, got) = (out.amount, into.amount);
            found.parts.push(Part { out: out.row, into: into.row, sent, got });
            false
        });
        let units: BTreeSet<U> = outs.iter().map(|end| end.unit).collect();
        for unit in units {
            let sum = |ends: &[End<T, U>]| {
                let mut all = ends.iter().filter(|end| end.unit == unit);
                all.try_fold(Dec::ZERO, |sum, end| sum.checked_add(end.amount))
            };
            if sum(&outs).is_some() && sum(&outs) == sum(&ins) {
                let of = |end: &mut End<T, U>| end.unit == unit;
                found.share(outs.extract_if(.., of), ins.extract_if(.., of));
            }
        }
        let one_unit = || {
            let mut units = outs.iter().chain(&ins).map(|end| end.unit);
            units.next().is_none_or(|first| units.all(|unit| unit == first))
        };
        match (outs.as_slice(), ins.as_slice()) {
            ([out], [into]) => found.parts.push(Part {
                out: out.row,
                into: into.row,
                sent: out.amount,
                got: into.amount,
            }),
            ([_], [_, ..]) | ([_, ..], [_]) if one_unit() => found.share(outs, ins),
            _ => found.alone.extend(outs.iter().chain(&ins).map(|end| end.row)),
        }
        found
    }

    /// Lets what leaves arrive, each row in its turn with as much as fits.
    fn share<U>(
        &mut self,
        outs: impl IntoIterator<Item = End<T, U>>,
        ins: impl IntoIterator<Item = End<T, U>>,
    ) {
        let whole = |end: End<T, U>| (end.row, end.amount, false);
        let mut outs: VecDeque<_> = outs.into_iter().map(whole).collect();
        let mut ins: VecDeque<_> = ins.into_iter().map(whole).collect();
        while let (Some(out), Some(into)) = (outs.front_mut(), ins.front_mut()) {
            let amount = out.1.min(into.1);
            self.parts.push(Part { out: out.0, into: into.0, sent: amount, got: amount });
            for end in [out, into] {
                // What is left of a figure with too many digits is not less than nothing.
                *end = (end.0, end.1.checked_sub(amount).unwrap_or(Dec::ZERO), true);
            }
            outs.pop_front_if(|out| out.1.is_zero());
            ins.pop_front_if(|into| into.1.is_zero());
        }
        if let Some(last) = self.parts.last_mut() {
            for (rest, part) in [(&mut outs, &mut last.sent), (&mut ins, &mut last.got)] {
                if let Some((_, more, _)) = rest.pop_front_if(|(_, _, begun)| *begun) {
                    *part = part.checked_add(more).unwrap_or(*part);
                }
            }
        }
        self.alone.extend(outs.into_iter().chain(ins).map(|(row, ..)| row));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `day amount unit`.
    fn ends(rows: &[&'static str]) -> Vec<End<&'static str, &'static str>> {
        let end = |row: &&'static str| {
            let cells: Vec<_> = row.split(' ').collect();
            End {
                row: *row,
                date: NaiveDate::from_ymd_opt(2024, 1, cells[0].parse().unwrap()).unwrap(),
                amount: Dec::parse(cells[1]).unwrap(),
                unit: cells[2],
            }
        };
        rows.iter().map(end).collect()
    }

    #[track_caller]
    fn check(outs: &[&'static str], ins: &[&'static str], parts: &[&str], alone: &[&str]) {
        let found = Moves::of(ends(outs), ends(ins));
        let told: Vec<_> = found
            .parts
            .iter()
            .map(|part| format!("{} -> {}: {} {}", part.out, part.into, part.sent, part.got))
            .collect();
        assert_eq!(
            (told, found.alone),
            (parts.iter().map(ToString::to_string).collect(), alone.to_vec())
        );
    }

    #[test]
    fn what_is_equal_and_opposite_is_a_pair_before_anything_else() {
        check(
            &["1 5 USD", "1 3 USD"],
            &["2 3 USD", "3 5 USD"],
            &["1 5 USD -> 3 5 USD: 5 5", "1 3 USD -> 2 3 USD: 3 3"],
            &[],
        );
        check(&["2 5 USD", "1 5 USD"], &["3 5 USD"], &["1 5 USD -> 3 5 USD: 5 5"], &["2 5 USD"]);
    }

    #[test]
    fn what_one_row_sends_several_bring_and_the_other_way_round() {
        let parts = ["1 10 USD -> 2 6 USD: 6 6", "1 10 USD -> 3 4 USD: 4 4"];
        check(&["1 10 USD"], &["3 4 USD", "2 6 USD"], &parts, &[]);
        let parts = ["1 6 USD -> 3 10 USD: 6 6", "2 4 USD -> 3 10 USD: 4 4"];
        check(&["1 6 USD", "2 4 USD"], &["3 10 USD"], &parts, &[]);
        let parts =
            ["1 6 USD -> 3 5 USD: 5 5", "1 6 USD -> 4 4 USD: 1 1", "2 3 USD -> 4 4 USD: 3 3"];
        check(&["1 6 USD", "2 3 USD"], &["3 5 USD", "4 4 USD"], &parts, &[]);
    }

    #[test]
    fn what_one_side_has_more_belongs_to_the_last() {
        let parts = ["1 10 USD -> 2 6 USD: 6 6", "1 10 USD -> 3 3 USD: 4 3"];
        check(&["1 10 USD"], &["2 6 USD", "3 3 USD"], &parts, &[]);
        let parts = ["1 10 USD -> 2 6 USD: 6 6", "1 10 USD -> 3 5 USD: 4 5"];
        check(&["1 10 USD"], &["2 6 USD", "3 5 USD"], &parts, &[]);
        // Whatever came after all had arrived came from elsewhere.
        let parts = ["1 10 USD -> 2 6 USD: 6 6", "1 10 USD -> 3 4 USD: 4 4"];
        check(&["1 10 USD"], &["2 6 USD", "3 4 USD", "4 1 USD"], &parts, &["4 1 USD"]);
        let alone = ["1 6 USD", "1 4 USD", "2 7 USD", "2 5 USD"];
        check(&alone[..2], &alone[2..], &[], &alone);
    }

    #[test]
    fn another_unit_arrives_only_where_there_is_no_doubt() {
        check(&["1 10 USD"], &["2 13 CAD"], &["1 10 USD -> 2 13 CAD: 10 13"], &[]);
        let parts =
            ["1 9 USD -> 2 5 USD: 5 5", "1 9 USD -> 2 4 USD: 4 4", "1 10 EUR -> 2 13 CAD: 10 13"];
        check(&["1 9 USD", "1 10 EUR"], &["2 5 USD", "2 4 USD", "2 13 CAD"], &parts, &[]);
        let alone = ["1 10 USD", "2 6 USD", "2 5 CAD"];
        check(&alone[..1], &alone[1..], &[], &alone);
        check(&["1 10 USD"], &[], &[], &["1 10 USD"]);
        check(&[], &["1 10 USD"], &[], &["1 10 USD"]);
    }
}
