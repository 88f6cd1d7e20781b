use super::*;

fn day(day: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + TimeDelta::days(day)
}

fn seen(id: &str, pending: bool, on: i64, cents: i64, text: &str) -> Seen {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&cents.to_le_bytes());
    key[8..].copy_from_slice(&i32::try_from(on).unwrap().to_le_bytes());
    let text = SafeText::new(text);
    Seen {
        id: SafeText::new(id),
        pending,
        date: day(on),
        amount: Dec::from_i64(cents),
        text: Some(text.clone()),
        words: (key, Some(text)),
    }
}

fn final_(id: &str, on: i64, cents: i64, text: &str) -> Seen {
    seen(id, false, on, cents, text)
}

fn pending(id: &str, on: i64, cents: i64, text: &str) -> Seen {
    seen(id, true, on, cents, text)
}

/// The ids that what is told is stored under, `again` for what was told twice, and who is gone.
fn told(known: &[Seen], told: &[Seen]) -> (Vec<String>, Vec<String>) {
    let Succession { ids, gone } = succeed(known, told);
    let ids = ids.iter().map(|id| id.as_ref().map_or("again".to_owned(), ToString::to_string));
    (ids.collect(), gone.iter().map(|at| known[*at].id.to_string()).collect())
}

fn are(expected: [&[&str]; 2]) -> (Vec<String>, Vec<String>) {
    let [ids, gone] = expected.map(|all| all.iter().map(ToString::to_string).collect());
    (ids, gone)
}

#[test]
fn who_has_an_id_is_known_by_it() {
    let known = [final_("a", 1, -500, "coffee"), final_("b", 1, -700, "tea")];
    assert_eq!(told(&known, &known), are([&["a", "b"], &[]]));
    let edited = [final_("a", 2, -550, "coffee"), final_("b", 1, -700, "green tea")];
    assert_eq!(told(&known, &edited), are([&["a", "b"], &[]]));
    assert_eq!(told(&known, &known[1..]), are([&["b"], &["a"]]));
    assert_eq!(told(&[], &known), are([&["a", "b"], &[]]));
}

#[test]
fn what_is_told_twice_is_one_and_what_shares_an_id_is_two() {
    let twice = [final_("a", 1, -500, "coffee"), final_("a", 1, -500, "coffee")];
    assert_eq!(told(&[], &twice), are([&["a", "again"], &[]]));
    let shared = [final_("a", 1, -500, "coffee"), final_("a", 1, -700, "tea")];
    assert_eq!(told(&[], &shared), are([&["a", "a~2"], &[]]));
    let known = [final_("a", 1, -500, "coffee"), final_("a~2", 1, -700, "tea")];
    assert_eq!(told(&known, &shared), are([&["a", "a~2"], &[]]));
}

#[test]
fn new_ids_for_all_make_no_new_rows() {
    let known = [final_("a", 1, -500, "coffee"), final_("b", 1, -500, "coffee")];
    let again = [final_("x", 1, -500, "coffee"), final_("y", 1, -500, "coffee")];
    assert_eq!(told(&known, &again), are([&["a", "b"], &[]]));
    let three = [&again[..], &[final_("z", 1, -500, "coffee")]].concat();
    assert_eq!(told(&known, &three), are([&["a", "b", "z"], &[]]));
}

#[test]
fn numbered_rows_that_move_on_stay_who_they_are() {
    let known = [final_("1-0", 1, -500, "coffee"), final_("1-1", 1, -700, "tea")];
    let moved = [
        final_("1-0", 1, -100, "gum"),
        final_("1-1", 1, -500, "coffee"),
        final_("1-2", 1, -700, "tea"),
    ];
    assert_eq!(told(&known, &moved), are([&["1-0~2", "1-0", "1-1"], &[]]));
}

#[test]
fn what_was_pending_becomes_final_under_another_id() {
    let known = [pending("p", 3, -500, "COFFEE HOLD")];
    for (on, same) in [(1, false), (2, true), (3, true), (10, true), (11, false)] {
        let now = [final_("f", on, -500, "Coffee")];
        let expected: [&[&str]; 2] = if same { [&["p"], &[]] } else { [&["f"], &["p"]] };
        assert_eq!(told(&known, &now), are(expected), "{on}");
    }
    let still = [pending("f", 3, -500, "Coffee")];
    assert_eq!(told(&known, &still), are([&["f"], &["p"]]), "another one that is pending");
    let income = [final_("f", 3, 500, "Coffee")];
    assert_eq!(told(&known, &income), are([&["f"], &["p"]]));
}

#[test]
fn a_tip_goes_on_top_where_the_words_are_the_same() {
    let known = [pending("p", 3, -1000, "Diner")];
    for (cents, text, same) in [
        (-1300, "Diner", true),
        (-1301, "Diner", false),
        (-999, "Diner", false),
        (-1200, "Other", false),
        (1200, "Diner", false),
    ] {
        let now = [final_("f", 4, cents, text)];
        let expected: [&[&str]; 2] = if same { [&["p"], &[]] } else { [&["f"], &["p"]] };
        assert_eq!(told(&known, &now), are(expected), "{cents} {text}");
    }
}

#[test]
fn where_two_would_do_none_is_taken_for_another() {
    let known = [pending("p", 3, -500, "HOLD 1"), pending("q", 4, -500, "HOLD 2")];
    let one = [final_("f", 4, -500, "Coffee")];
    assert_eq!(told(&known, &one), are([&["f"], &["p", "q"]]));
    let both = [final_("f", 4, -500, "Coffee"), final_("g", 5, -500, "Coffee")];
    assert_eq!(told(&known, &both), are([&["f", "g"], &["p", "q"]]));
    let left = [known[0].clone(), final_("g", 5, -500, "Coffee")];
    assert_eq!(told(&known, &left), are([&["p", "q"], &[]]), "one is still pending");
}

/// How a provider treats its ids.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ids {
    Stable,
    Reissued,
    Numbered,
}

struct Bank {
    dice: u64,
    ids: Ids,
    /// What there is: who it is, whether it has a twin, and the row.
    rows: Vec<(u64, bool, Seen)>,
    next: u64,
}

impl Bank {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.dice >> 33) % sides
    }

    fn put(&mut self, pending: bool, on: i64, twin: bool) {
        self.next += 1;
        let who = self.next;
        // Twins share everything; of the others no two are of one amount.
        let (cents, text) = match twin {
            true => (-250, "Tram".to_owned()),
            false => (-1_000 - i64::try_from(who).unwrap() * 7, format!("Shop {who}")),
        };
        let at = usize::try_from(self.roll(self.rows.len() as u64 + 1)).unwrap();
        self.rows.insert(at, (who, twin, seen(&format!("t{who}"), pending, on, cents, &text)));
    }

    /// A day goes by.
    fn live(&mut self, on: i64, count: u64) {
        let calm = self.ids != Ids::Stable;
        for at in 0..self.rows.len() {
            let (dice, row) = (self.roll(100), &self.rows[at].2);
            let (age, is_pending) = ((day(on) - row.date).num_days(), row.pending);
            let (who, twin, row) = self.rows[at].clone();
            let now = match (is_pending, age, dice) {
                (true, 2.., 0..60) => {
                    let id = if dice < 40 { format!("f{who}") } else { row.id.to_string() };
                    let tip = if dice.is_multiple_of(3) && !twin && !calm { 12 } else { 10 };
                    let cents = row.amount.to_string().parse::<i64>().unwrap() * tip / 10;
                    let booked = on - age + age.min(i64::try_from(dice % 4).unwrap());
                    let text = row.text.clone().unwrap();
                    seen(&id, false, if calm { on - age } else { booked }, cents, text.as_str())
                }
                (false, 1..20, 0..2) if !calm && !twin => {
                    let cents = row.amount.to_string().parse::<i64>().unwrap();
                    seen(row.id.as_str(), false, on - age, cents, &format!("Edited {who}"))
                }
                _ => row,
            };
            self.rows[at].2 = now;
        }
        // What was only pending may come to nothing.
        let mut dice = self.dice;
        self.rows.retain(|(_, _, row)| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(7);
            !row.pending || !(dice >> 33).is_multiple_of(50)
        });
        for _ in 0..count {
            let (pending, twin) = (self.roll(2) == 0, self.roll(10) == 0);
            self.put(pending, on, twin);
        }
    }

    /// What it tells of the days since one.
    fn tell(&mut self, since: i64, round: i64) -> Vec<(u64, bool, Seen)> {
        self.rows.sort_by_key(|(_, _, row)| row.date);
        let mut numbers: HashMap<NaiveDate, u64> = HashMap::new();
        let told = self.rows.iter().filter(|(_, _, row)| row.date >= day(since));
        let told = told.map(|(who, twin, row)| {
            let number = numbers.entry(row.date).or_default();
            *number += 1;
            let id = match self.ids {
                Ids::Stable => row.id.to_string(),
                Ids::Reissued => format!("{}-{}", round / 5, row.id),
                Ids::Numbered => format!("{}-{number}", row.date),
            };
            (*who, *twin, Seen { id: SafeText::new(&id), ..row.clone() })
        });
        told.collect()
    }
}

/// Whoever is told for many days has every row once and each note where it was made.
#[test]
#[allow(clippy::disallowed_methods, reason = "a longer test where that is asked for")]
fn no_history_doubles_a_row_or_makes_one_of_two() {
    let (seeds, days, a_day) = if std::env::var("DASHTAM_FULL").is_ok_and(|full| full == "1") {
        (50, 500, 20)
    } else {
        (4, 90, 8)
    };
    let (mut rows, mut lost) = (0, 0);
    for seed in 0..seeds {
        let ids = [Ids::Stable, Ids::Reissued, Ids::Numbered][seed % 3];
        let mut bank = Bank { dice: seed as u64 + 1, ids, rows: Vec::new(), next: 0 };
        let mut stored: Vec<(u64, bool, Seen)> = Vec::new();
        for on in 0..days {
            bank.live(on, a_day);
            let since = on - 30;
            let told = bank.tell(since, on);
            // What is older than what is told is left as it is.
            let (mut now, window): (Vec<_>, Vec<_>) =
                stored.into_iter().partition(|(_, _, row)| row.date < day(since));
            let words = |all: &[(u64, bool, Seen)]| -> Vec<Seen> {
                all.iter().map(|(_, _, row)| row.clone()).collect()
            };
            let Succession { ids: stored_ids, gone } = succeed(&words(&window), &words(&told));
            let mut used = BTreeSet::new();
            for ((who, twin, row), id) in told.iter().zip(stored_ids) {
                let id = id.unwrap_or_else(|| panic!("{ids:?} {seed} {on}: {row:?} is lost"));
                assert!(used.insert(id.clone()), "{ids:?} {seed} {on}: {id} is two rows");
                let before = window.iter().find(|(_, _, row)| row.id == id);
                if let Some((note, _, before)) = before {
                    let known = window.iter().any(|(it, _, _)| it == who);
                    lost += usize::from(!twin && known && note != who);
                    assert!(twin | known || note == who, "{row:?} was {before:?}");
                }
                let note = before.map_or(*who, |(note, _, _)| *note);
                now.push((note, *twin, Seen { id, ..row.clone() }));
                rows += 1;
            }
            let kept = window.iter().filter(|(_, _, row)| used.contains(&row.id)).count();
            assert_eq!(kept + gone.len(), window.len(), "{ids:?} {seed} {on}");
            stored = now;
        }
        let all: BTreeSet<_> = stored.iter().map(|(_, _, row)| &row.id).collect();
        assert_eq!(all.len(), stored.len(), "{ids:?} {seed}: a row is there twice");
        assert_eq!(stored.len(), bank.rows.len(), "{ids:?} {seed}");
    }
    assert!(rows > 10_000, "{rows} rows say little");
    assert_eq!(lost, 0, "notes went to other rows");
}
