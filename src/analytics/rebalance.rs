//! How an amount is spread over the slices of a whole so that they come as near to what they should
//! be as they can. Amounts are whole numbers of the smallest unit of money, so that they add up.

/// A slice, and what it may get: more than nothing is never taken from it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What would make it just right; below zero where it has too much already.
    pub right: i128,
    /// What it must get to be inside its band.
    pub least: i128,
    /// What it may get and still be inside its band.
    pub most: i128,
    /// What it can get at all.
    pub room: i128,
}

/// The parts of an amount, one for each slice, each between nothing and its room.
///
/// Where it can be done every slice ends inside its band, and within the bands the sum of the squares
/// of what is off is the least there is: whatever is furthest from right comes first, until all are
/// equally far, and the rest is shared evenly. What there is no room for is not given.
#[must_use]
pub fn spread(amount: i128, needs: &[Need]) -> Vec<i128> {
    let mut bounds: Vec<Bounds> = needs.iter().map(Bounds::of).collect();
    let sum = |bounds: &[Bounds], of: fn(&Bounds) -> i128| bounds.iter().map(of).sum::<i128>();
    if sum(&bounds, |it| it.least) > amount {
        for it in &mut bounds {
            it.least = 0;
        }
    }
    if sum(&bounds, |it| it.most) < amount {
        for (it, need) in bounds.iter_mut().zip(needs) {
            it.most = need.room.max(0);
        }
    }
    let amount = amount.min(sum(&bounds, |it| it.most));
    let given = |level: i128| bounds.iter().map(move |it| it.at(level));
    // The lowest level at which no more is given than there is. At the lower end everything has its
    // most, at the upper one its least.
    let mut low = bounds.iter().map(|it| it.right - it.most).min().unwrap_or(0);
    let mut high = bounds.iter().map(|it| it.right - it.least).max().unwrap_or(0);
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        if given(middle).sum::<i128>() <= amount { high = middle } else { low = middle + 1 }
    }
    let mut parts: Vec<i128> = given(low).collect();
    // One level lower would be too much by now: some of those that would get one more do.
    let mut left = amount - parts.iter().sum::<i128>();
    for (part, bounds) in parts.iter_mut().zip(&bounds) {
        if left > 0 && bounds.at(low - 1) > *part {
            *part += 1;
            left -= 1;
        }
    }
    parts
}

/// What a slice gets at least and at most.
#[derive(Clone, Copy)]
struct Bounds {
    right: i128,
    least: i128,
    most: i128,
}

impl Bounds {
    fn of(need: &Need) -> Self {
        let room = need.room.max(0);
        let most = need.most.clamp(0, room);
        Self { right: need.right, least: need.least.clamp(0, most), most }
    }

    /// What it gets where everything ends as far from right as this.
    fn at(&self, level: i128) -> i128 {
        (self.right - level).clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREE: i128 = i128::MAX / 1_000_000;

    fn free(right: i128) -> Need {
        Need { right, least: 0, most: FREE, room: FREE }
    }

    #[test]
    fn the_deepest_shortfall_is_filled_first() {
        assert_eq!(spread(100, &[free(100), free(40), free(-10)]), [80, 20, 0]);
        assert_eq!(spread(30, &[free(100), free(40)]), [30, 0]);
        // More than all lack: the rest is shared evenly, and a unit that cannot be is the first's.
        assert_eq!(spread(151, &[free(100), free(40)]), [106, 45]);
        assert_eq!(spread(5, &[free(0), free(0), free(0)]), [2, 2, 1]);
        assert_eq!(spread(5, &[]), []);
    }

    #[test]
    fn a_band_comes_before_what_is_just_right() {
        let narrow = Need { least: 10, most: 10, ..free(10) };
        let wide = Need { least: 0, most: 20, ..free(10) };
        assert_eq!(spread(10, &[narrow, wide]), [10, 0]);
        // Not all of them can be inside: then each as near as it can be.
        assert_eq!(spread(8, &[narrow, Need { least: 4, ..wide }]), [4, 4]);
    }

    #[test]
    fn no_more_is_given_than_there_is_room_for() {
        let small = Need { room: 5, ..free(50) };
        assert_eq!(spread(20, &[small, free(0)]), [5, 15]);
        assert_eq!(spread(20, &[small, small]), [5, 5]);
    }

    fn need() -> impl Strategy<Value = Need> {
        (-1_000_i128..1_000, 0_i128..300, 0_i128..1_500).prop_map(|(right, band, room)| Need {
            right,
            least: right - band,
            most: right + band,
            room,
        })
    }

    proptest! {
        #[test]
        fn parts_add_up_and_nothing_could_be_nearer(
            amount in 0_i128..3_000,
            needs in prop::collection::vec(need(), 1..7),
        ) {
            let parts = spread(amount, &needs);
            let room: i128 = needs.iter().map(|it| it.room).sum();
            prop_assert_eq!(parts.iter().sum::<i128>(), amount.min(room));
            for (part, need) in parts.iter().zip(&needs) {
                prop_assert!((0..=need.room).contains(part), "{} of {:?}", part, need);
            }
            let least: i128 = needs.iter().map(|it| it.least.max(0)).sum();
            let most: i128 = needs.iter().map(|it| it.most.clamp(0, it.room)).sum();
            let each = needs.iter().all(|it| it.most >= 0 && it.least <= it.room);
            let possible = each && least <= amount && amount <= most;
            let is_inside = |part: i128, need: &Need| (need.least..=need.most).contains(&part);
            if possible {
                for (part, need) in parts.iter().zip(&needs) {
                    prop_assert!(is_inside(*part, need), "{} of {:?}", part, need);
                }
            }
            // To move a unit from one to another makes no sum of squares smaller, unless one of them
            // would leave its band, or its room.
            for (from, (a, x)) in parts.iter().zip(&needs).enumerate() {
                for (to, (b, y)) in parts.iter().zip(&needs).enumerate() {
                    let fits = *a > 0 && *b < y.room;
                    let stays = is_inside(a - 1, x) && is_inside(b + 1, y);
                    if from != to && fits && stays {
                        let off = |part: i128, need: &Need| (part - need.right).pow(2);
                        let before = off(*a, x) + off(*b, y);
                        let then = off(a - 1, x) + off(b + 1, y);
                        prop_assert!(before <= then, "{:?} of {:?}", parts, needs);
                    }
                }
            }
        }
    }
}
