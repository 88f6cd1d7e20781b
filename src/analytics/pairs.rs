//! Two rows that may be one move between two own accounts: equal, opposite and a few days apart. It
//! knows neither what accounts are called nor how rows become one event.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, TimeDelta};

use crate::model::{Currency, Dec, Move, SecurityId, Subtype};

/// Money is on its way for so many days at most.
pub const DAYS: i64 = 5;

/// Two rows that may be one move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What leaves.
    pub out: Move,
    /// What arrives.
    pub into: Move,
}

/// What moves, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Thing {
    Cash(Currency, Dec),
    Units(SecurityId, Dec),
}

/// What a row moves, and whether it leaves; none: nothing that could be found in another account.
fn thing(row: &Move) -> Option<(Thing, bool)> {
    match row.security {
        None => Some((Thing::Cash(row.currency, row.amount.abs()), row.amount.is_negative()))
            .filter(|_| !row.amount.is_zero()),
        Some(security) => {
            let quantity = row.quantity.filter(|quantity| !quantity.is_zero())?;
            matches!(row.subtype, Subtype::TransferIn | Subtype::TransferOut)
                .then(|| (Thing::Units(security, quantity.abs()), quantity.is_negative()))
        }
    }
}

/// The two rows as a pair, if they are equal and opposite, of two accounts and near enough.
#[must_use]
pub fn pair(a: &Move, b: &Move) -> Option<Pair> {
    let ((what, leaves), (other, other_leaves)) = (thing(a)?, thing(b)?);
    let near = (a.date - b.date).num_days().abs() <= DAYS;
    if what != other || leaves == other_leaves || a.account == b.account || !near {
        return None;
    }
    let (out, into) = if leaves { (*a, *b) } else { (*b, *a) };
    Some(Pair { out, into })
}

/// Whether two moves can be the legs of one, however much came of it and however long it took: what
/// leaves one account comes to another, both money or both the same security. Of a row that does
/// not say what it moves nobody knows.
#[must_use]
pub fn can_be_legs(a: &Move, b: &Move) -> bool {
    let (Some((what, leaves)), Some((other, other_leaves))) = (thing(a), thing(b)) else {
        return true;
    };
    let alike = match (what, other) {
        (Thing::Cash(..), Thing::Cash(..)) => true,
        (Thing::Units(a, _), Thing::Units(b, _)) => a == b,
        _ => false,
    };
    alike && leaves != other_leaves && a.account != b.account
}

/// Of rows that come by day those that have another one with which they are a pair: of very many
/// rows few do, and no others need to be remembered for longer than it takes money to arrive.
#[derive(Debug, Default)]
pub struct Partners {
    /// The rows of the last days by what they move, and whether a partner was seen.
    near: HashMap<Thing, Vec<(Move, bool)>>,
    day: Option<NaiveDate>,
    found: Vec<Move>,
}

impl Partners {
    /// Takes notice of a row.
    pub fn see(&mut self, row: &Move) {
        let Some((thing, _)) = thing(row) else { return };
        if self.day.replace(row.date) != Some(row.date) {
            self.near.retain(|_, rows| {
                rows.retain(|(before, _)| (row.date - before.date).num_days() <= DAYS);
                !rows.is_empty()
            });
        }
        let others = self.near.entry(thing).or_default();
        let mut paired = false;
        for (other, was_paired) in others.iter_mut().filter(|(other, _)| pair(row, other).is_some())
        {
            if !std::mem::replace(was_paired, true) {
                self.found.push(*other);
            }
            paired = true;
        }
        if paired {
            self.found.push(*row);
        }
        others.push((*row, paired));
    }

    /// Every row that has a partner, each once.
    #[must_use]
    pub fn found(self) -> Vec<Move> {
        self.found
    }
}

/// The rows of one thing.
#[derive(Default)]
struct Sides {
    outs: Vec<Move>,
    ins: BTreeMap<NaiveDate, Vec<Move>>,
}

/// The pairs among rows: those of the fewest days between them first, then those that come first in
/// `order`. No row is in two of them.
#[must_use]
pub fn propose<K: Ord>(mut rows: Vec<Move>, order: impl Fn(&Move) -> K) -> Vec<Pair> {
    rows.sort_by_cached_key(order);
    let mut things: HashMap<Thing, Sides> = HashMap::new();
    for row in &rows {
        if let Some((thing, leaves)) = thing(row) {
            let sides = things.entry(thing).or_default();
            match leaves {
                true => sides.outs.push(*row),
                false => sides.ins.entry(row.date).or_default().push(*row),
            }
        }
    }
    let mut pairs: Vec<_> = things.into_values().flat_map(Sides::pairs).collect();
    // A hash map has no order.
    pairs.sort_by_key(|pair| (pair.out.date, pair.out.place, pair.out.id));
    pairs
}

impl Sides {
    fn pairs(mut self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for days in 0..=DAYS {
            if self.ins.is_empty() {
                break;
            }
            let outs = std::mem::take(&mut self.outs);
            for out in outs {
                match self.take(&out, days) {
                    Some(into) => pairs.push(Pair { out, into }),
                    None => self.outs.push(out),
                }
            }
        }
        pairs
    }

    /// The first row of another account that is so many days away.
    fn take(&mut self, out: &Move, days: i64) -> Option<Move> {
        for away in [-days, days] {
            let Some(date) = out.date.checked_add_signed(TimeDelta::days(away)) else { continue };
            let Some(ins) = self.ins.get_mut(&date) else { continue };
            let Some(at) = ins.iter().position(|into| into.account != out.account) else {
                continue;
            };
            let into = ins.remove(at);
            if ins.is_empty() {
                self.ins.remove(&date);
            }
            return Some(into);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, TransactionId};

    /// Account, day of January 2024, dollars.
    fn cash(id: i64, account: i64, day: u32, amount: &str) -> Move {
        let amount = Dec::parse(amount).unwrap();
        Move {
            id: TransactionId(id),
            account: AccountId(account),
            date: NaiveDate::from_ymd_opt(2024, 1, day).unwrap(),
            place: (0, 0),
            subtype: if amount.is_negative() { Subtype::Withdrawal } else { Subtype::Deposit },
            security: None,
            quantity: None,
            currency: Currency::USD,
            amount,
        }
    }

    fn units(id: i64, account: i64, day: u32, quantity: &str) -> Move {
        let quantity = Dec::parse(quantity).unwrap();
        let leaves = quantity.is_negative();
        Move {
            subtype: if leaves { Subtype::TransferOut } else { Subtype::TransferIn },
            security: Some(SecurityId(7)),
            quantity: Some(quantity),
            ..cash(id, account, day, "0")
        }
    }

    /// Which row goes with which, the one that leaves before the other; the rows come in order.
    fn found(rows: &[Move]) -> Vec<(i64, i64)> {
        let place = |row: &Move| rows.iter().position(|other| other.id == row.id);
        propose(rows.to_vec(), place).iter().map(|pair| (pair.out.id.0, pair.into.id.0)).collect()
    }

    #[test]
    fn equal_and_opposite_moves_within_five_days_are_a_pair() {
        assert_eq!(found(&[cash(1, 1, 3, "-500"), cash(2, 2, 8, "500")]), [(1, 2)]);
        assert_eq!(found(&[cash(2, 2, 3, "500"), cash(1, 1, 8, "-500")]), [(1, 2)]);
        assert_eq!(found(&[cash(1, 1, 3, "-500"), cash(2, 2, 9, "500")]), []);
        assert_eq!(found(&[units(1, 1, 3, "-5"), units(2, 2, 4, "5")]), [(1, 2)]);
    }

    #[test]
    fn what_differs_is_no_pair() {
        let out = cash(1, 1, 3, "-500");
        let canadian = Move { currency: Currency::CAD, ..cash(2, 2, 3, "500") };
        let other = Move { security: Some(SecurityId(8)), ..units(2, 2, 3, "5") };
        for into in [cash(2, 1, 3, "500"), cash(2, 2, 3, "500.01"), cash(2, 2, 3, "-500"), canadian]
        {
            assert_eq!(found(&[out, into]), [], "{into:?}");
            assert_eq!(pair(&out, &into), None);
        }
        assert_eq!(found(&[units(1, 1, 3, "-5"), other]), []);
        assert_eq!(found(&[cash(1, 1, 3, "0"), cash(2, 2, 3, "0")]), []);
        // A journal entry of securities may be anything.
        let journal = Move { subtype: Subtype::Journal, ..units(1, 1, 3, "-5") };
        assert_eq!(found(&[journal, units(2, 2, 3, "5")]), []);
    }

    #[test]
    fn rows_without_a_partner_are_left_out_and_no_pair_is() {
        // A week of many rows of few amounts, in two currencies of three accounts.
        let rows: Vec<Move> = (0..200_u32)
            .map(|at| {
                let id = i64::from(at);
                let amount = (id * 7919 % 11 - 5) * 100;
                let row = cash(id, id * 31 % 3, 1 + at / 9, &amount.to_string());
                let currency = if id % 4 == 0 { Currency::CAD } else { Currency::USD };
                Move { currency, ..row }
            })
            .collect();
        let mut partners = Partners::default();
        for row in &rows {
            partners.see(row);
        }
        let found_rows = partners.found();
        let has_partner = |row: &&Move| rows.iter().any(|other| pair(row, other).is_some());
        let mut ids: Vec<_> = found_rows.iter().map(|row| row.id).collect();
        ids.sort();
        assert_eq!(ids, rows.iter().filter(has_partner).map(|row| row.id).collect::<Vec<_>>());
        assert!(ids.len() > 20 && ids.len() < rows.len(), "{}", ids.len());
        let of = |rows: &[Move]| propose(rows.to_vec(), |row| (row.date, row.id));
        assert_eq!(of(&found_rows), of(&rows));
    }

    #[test]
    fn legs_are_of_one_sort_and_go_from_one_account_to_another() {
        let out = cash(1, 1, 3, "-500");
        let canadian = Move { currency: Currency::CAD, ..cash(2, 2, 30, "680") };
        assert!(can_be_legs(&out, &canadian), "changed on the way");
        assert!(can_be_legs(&units(1, 1, 3, "-5"), &units(2, 2, 3, "4")));
        assert!(can_be_legs(&out, &cash(2, 2, 3, "0")), "it does not say");
        for other in [cash(2, 2, 3, "-500"), cash(2, 1, 3, "500"), units(2, 2, 3, "500")] {
            assert!(!can_be_legs(&out, &other), "{other:?}");
        }
        let other = Move { security: Some(SecurityId(8)), ..units(2, 2, 3, "5") };
        assert!(!can_be_legs(&units(1, 1, 3, "-5"), &other));
    }

    #[test]
    fn the_nearest_day_wins_and_no_row_is_used_twice() {
        let rows = [
            cash(1, 1, 3, "-500"),
            cash(2, 1, 5, "-500"),
            cash(3, 2, 5, "500"),
            cash(4, 2, 8, "500"),
        ];
        assert_eq!(found(&rows), [(1, 4), (2, 3)]);
        assert_eq!(found(&rows[..3]), [(2, 3)]);
    }

    #[test]
    fn of_equal_ones_the_first_in_order_go_together() {
        let rows = [
            cash(9, 1, 3, "-500"),
            cash(8, 1, 3, "-500"),
            cash(7, 2, 3, "500"),
            cash(6, 3, 3, "500"),
        ];
        assert_eq!(found(&rows), [(8, 6), (9, 7)]);
        // The first that arrives is of the account that paid.
        let rows = [cash(1, 1, 3, "-500"), cash(2, 1, 3, "500"), cash(3, 2, 3, "500")];
        assert_eq!(found(&rows), [(1, 3)]);
        // As far before as after: the one before comes first.
        let rows = [cash(1, 2, 3, "500"), cash(2, 1, 5, "-500"), cash(3, 2, 7, "500")];
        assert_eq!(found(&rows), [(2, 1)]);
    }
}
