#[path = "../../../tests/support/bank.rs"]
mod bank;

use bank::{Bank, Ids, Row};

use super::*;

fn day(day: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + TimeDelta::days(day)
}

fn seen(id: &str, pending: bool, on: i64, cents: i64, text: &str) -> Seen {
    let text = SafeText::new(text);
    Seen {
        id: SafeText::new(id),
        pending,
        cancelled: false,
        date: day(on),
        amount: Dec::from_i64(cents),
        text: Some(text.clone()),
        words: (key(on, cents), Some(text)),
    }
}

fn key(on: i64, cents: i64) -> [u8; 12] {
    let [on, cents] = [on, cents].map(|number| i32::try_from(number).unwrap().to_le_bytes());
    [on, cents, [0; 4]].concat().try_into().unwrap()
}

/// The id of a row where another one has its own: what it says is added.
fn beside(id: &str, on: i64, cents: i64) -> String {
    let key = key(on, cents);
    let hex = key[..8].iter().map(|byte| format!("{byte:02x}"));
    format!("{id}~{}", hex.collect::<String>())
}

fn final_(id: &str, on: i64, cents: i64, text: &str) -> Seen {
    seen(id, false, on, cents, text)
}

fn pending(id: &str, on: i64, cents: i64, text: &str) -> Seen {
    seen(id, true, on, cents, text)
}

/// The ids that what is told is stored under, `again` for what was told twice, and who is gone.
fn told(known: &[Seen], told: &[Seen]) -> (Vec<String>, Vec<String>) {
    let Succession { ids, gone } = succeed(known, told).end(&[]);
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
    let tea = beside("a", 1, -700);
    assert_eq!(told(&[], &shared), are([&["a", &tea], &[]]));
    let known = [final_("a", 1, -500, "coffee"), final_(&tea, 1, -700, "tea")];
    assert_eq!(told(&known, &shared), are([&["a", &tea], &[]]));
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
    assert_eq!(told(&known, &moved), are([&[&beside("1-0", 1, -100), "1-0", "1-1"], &[]]));
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
    let known = [pending("p", 3, -500, "COFFEE HOLD"), pending("q", 4, -500, "COFFEE HOLD")];
    let one = [final_("f", 4, -500, "Coffee")];
    assert_eq!(told(&known, &one), are([&["f"], &["p", "q"]]));
    let both = [final_("f", 4, -500, "Coffee"), final_("g", 5, -500, "Coffee")];
    assert_eq!(told(&known, &both), are([&["f", "g"], &["p", "q"]]));
    let left = [known[0].clone(), final_("g", 5, -500, "Coffee")];
    assert_eq!(told(&known, &left), are([&["p", "q"], &[]]), "one is still pending");
}

#[test]
fn what_counts_takes_over_a_new_id_before_what_was_cancelled() {
    let cancelled = Seen { cancelled: true, ..final_("a", 1, -500, "coffee") };
    let known = [cancelled.clone(), final_("b", 1, -500, "coffee")];
    let now = [final_("x", 1, -500, "coffee")];
    assert_eq!(told(&known, &now), are([&["b"], &["a"]]));
    let both = [now[0].clone(), final_("y", 1, -500, "coffee")];
    assert_eq!(told(&known, &both), are([&["b", "a"], &[]]));
    assert_eq!(told(&[cancelled], &now), are([&["a"], &[]]), "it comes back");
}

#[test]
fn a_payment_that_came_to_nothing_is_not_another_of_the_same_sum() {
    let known = [pending("p", 3, -500, "SHELL")];
    for (text, same) in [
        ("STARBUCKS", false),
        ("Shell Oil 0042", true),
        ("Shell", true),
        ("", false),
        ("0042", false),
    ] {
        let now = [final_("f", 7, -500, text)];
        let expected: [&[&str]; 2] = if same { [&["p"], &[]] } else { [&["f"], &["p"]] };
        assert_eq!(told(&known, &now), are(expected), "{text}");
    }
    let held = [pending("p", 3, -500, "Pending: UBER *HOLD")];
    assert_eq!(told(&held, &[final_("f", 4, -500, "UBER TRIP")]), are([&["p"], &[]]));
    let silent = |row: Seen| [Seen { text: None, ..row }];
    let (held, more) = (silent(pending("p", 3, -500, "")), silent(final_("f", 3, -600, "")));
    assert_eq!(told(&held, &more), are([&["f"], &["p"]]), "no words, no tip");
}

#[test]
fn an_id_says_nothing_once_it_moved_from_row_to_row() {
    let (coffee, tea) = (final_("1", 1, -500, "coffee"), final_("2", 1, -700, "tea"));
    let known = [coffee, tea, final_("3", 1, -900, "cake")];
    // The first two came to nothing: the third is the second now, and another one the first.
    let now = [final_("1", 1, -500, "gum"), final_("2", 1, -900, "cake")];
    assert_eq!(told(&known, &now), are([&[&beside("1", 1, -500), "3"], &["1", "2"]]));
    let known = &known[..2];
    // Nothing moved: of one sum it may be the same, edited; of another sum and shop it is not.
    let edited = [known[0].clone(), final_("2", 1, -700, "gum")];
    assert_eq!(told(known, &edited), are([&["1", "2"], &[]]));
    let other = [known[0].clone(), final_("2", 1, -900, "gum")];
    assert_eq!(told(known, &other), are([&["1", &beside("2", 1, -900)], &["2"]]));
}

#[test]
fn an_id_of_long_ago_is_no_name_for_another_row() {
    let ids = |older: &[Seen], now: &[Seen]| -> Vec<String> {
        let ids = succeed(&[], now).end(older).ids;
        ids.iter().map(|id| id.as_ref().unwrap().to_string()).collect()
    };
    let now = [final_("7", 60, -500, "coffee")];
    assert_eq!(ids(&[], &now), ["7"]);
    for (older, same) in [
        (final_("7", 2, -700, "tea"), false),
        (final_("7", 2, -500, "coffee"), false),
        (final_("7", 55, -500, "tea"), false),
        (final_("7", 55, -500, "coffee"), true),
        (pending("7", 2, -400, "coffee"), true),
    ] {
        let expected = if same { "7".to_owned() } else { beside("7", 60, -500) };
        assert_eq!(ids(&[older], &now), [expected]);
    }
}

/// A bank that gives no ids calls them all alike.
#[test]
fn many_rows_of_one_id_are_named_in_one_go() {
    let rows: Vec<_> = (0..20_000).map(|at| final_("0", at % 90, at, "coffee")).collect();
    let Succession { ids, gone } = succeed(&[], &rows).end(&[]);
    let ids: HashSet<_> = ids.into_iter().map(Option::unwrap).collect();
    assert_eq!((ids.len(), gone.len()), (20_000, 0));
    // What says the same to us and is not told twice is numbered.
    let alike = |at: usize| {
        let row = final_("0", 1, 1, "coffee");
        Seen { words: (row.words.0, Some(SafeText::new(&at.to_string()))), ..row }
    };
    let rows: Vec<_> = (0..20_000).map(alike).collect();
    let ids: HashSet<_> =
        succeed(&[], &rows).end(&[]).ids.into_iter().map(Option::unwrap).collect();
    assert_eq!(ids.len(), 20_000);
}

/// A row that is stored, and who it is in truth: several, where they were the same for a while.
struct Stored {
    who: BTreeSet<u64>,
    told_as: String,
    row: Row,
    seen: Seen,
}

fn seen_of(row: &Row) -> Seen {
    let on = (row.day - day(0)).num_days();
    seen(&row.id, row.pending, on, row.cents, &row.text)
}

/// Whether nobody who knows only what the bank told could know that one row is not the other: they
/// say the same; or one was pending, and the other is what could have become of it; or the bank gave
/// it the number of the other, of which it still tells half, before it gave any number to a second
/// row. In none of these cases is a row lost: there are as many as are told.
fn is_undecidable(before: &Stored, now: &Row, has_moved: bool) -> bool {
    let (old, span) = (&before.row, (now.day - before.row.day).num_days());
    let (same_sum, same_shop) = (old.cents == now.cents, old.shop() == now.shop());
    let with_tip = (-now.cents * 100) >= -old.cents * 100 && (-now.cents * 100) <= -old.cents * 130;
    let became = old.pending && !now.pending && (-1..=7).contains(&span) && same_shop && with_tip;
    let numbered = !has_moved && before.told_as == now.id && (same_sum || same_shop);
    old.content() == now.content() || became || numbered
}

/// Whether a bank gives the id of a stored row to another that is stored as well.
fn has_moved(stored: &HashMap<SafeText, Stored>, told: &[Row]) -> bool {
    let mine: HashMap<_, _> =
        stored.values().flat_map(|it| it.who.iter().map(move |who| (who, it))).collect();
    told.iter().any(|row| {
        let mine = mine.get(&row.who).filter(|mine| mine.row.content() == row.content());
        let other = stored.get(&SafeText::new(&row.id)).map(|other| other.row.content());
        mine.is_some_and(|mine| mine.told_as != row.id)
            && other.is_some_and(|it| it != row.content())
    })
}

/// Whoever is told for many days has every row once, and no row becomes another that is not the
/// same by all that is told.
#[test]
#[allow(clippy::disallowed_methods, reason = "a longer test where that is asked for")]
fn no_history_doubles_a_row_or_makes_one_of_two() {
    let (seeds, days, a_day) = if std::env::var("DASHTAM_FULL").is_ok_and(|full| full == "1") {
        (50, 500, 20)
    } else {
        (8, 90, 8)
    };
    let (mut rows, mut followed, mut lost, mut alike) = (0, 0, 0, 0);
    for seed in 0..seeds {
        let ids = Ids::ALL[usize::try_from(seed).unwrap() % 4];
        let mut bank = Bank::new(seed, ids);
        let mut stored: HashMap<SafeText, Stored> = HashMap::new();
        let mut ever: HashSet<u64> = HashSet::new();
        let mut since = day(0);
        for on in 0..days {
            bank.live(day(on), a_day);
            // It is not asked every day, but at the end.
            if on % 3 == 0 && bank.roll(2) == 0 && on + 1 < days {
                continue;
            }
            since = day(on - 6);
            let told = bank.tell(since);
            let is_known = |it: &&Stored| {
                it.seen.date >= since || it.seen.pending && it.seen.date >= since - LOOK_BACK
            };
            let mut known: Vec<_> =
                stored.values().filter(is_known).map(|it| it.seen.clone()).collect();
            known.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
            let now: Vec<_> = told.iter().map(seen_of).collect();
            let has_moved = has_moved(&stored, &told);
            let pairs = succeed(&known, &now);
            let strange = pairs.strange_ids().into_iter();
            let older: Vec<_> =
                strange.filter_map(|id| stored.get(id)).map(|it| it.seen.clone()).collect();
            let Succession { ids: names, gone } = pairs.end(&older);
            for missing in gone.iter().map(|at| &known[*at]) {
                let missing = &mut stored.get_mut(&missing.id).unwrap().seen;
                // What is older than what is told is left as it is.
                missing.cancelled |= missing.date >= since;
                missing.pending &= !missing.cancelled;
            }
            let mut used = BTreeSet::new();
            for ((row, seen), id) in told.into_iter().zip(now).zip(names) {
                let id = id.unwrap_or_else(|| panic!("{ids:?} {seed} {on}: {row:?} is lost"));
                assert!(used.insert(id.clone()), "{ids:?} {seed} {on}: {id} is two rows");
                let seen = Seen { id: id.clone(), ..seen };
                let (mut who, told_as) = (BTreeSet::from([row.who]), row.id.clone());
                rows += 1;
                let was_there = !ever.insert(row.who);
                match stored.get_mut(&id) {
                    Some(before) => {
                        let same = before.who.contains(&row.who);
                        let may_be = same || is_undecidable(before, &row, has_moved);
                        let was = &before.row;
                        assert!(may_be, "{ids:?} {seed} {on}: {row:?} was {was:?}");
                        followed += usize::from(same);
                        alike += usize::from(!same);
                        if before.row.content() == row.content() {
                            who.append(&mut before.who);
                        }
                    }
                    None => lost += usize::from(was_there),
                }
                stored.insert(id, Stored { who, told_as, row, seen });
            }
        }
        // What was pending before all that was told at last may be so for ever.
        let is_over = |row: &&Row| !row.pending || row.day >= since;
        let live = stored.values().filter(|it| !it.seen.cancelled).map(|it| &it.row);
        let mut balance: HashMap<_, i64> = HashMap::new();
        for row in live.filter(is_over) {
            *balance.entry(row.content()).or_default() += 1;
        }
        for row in bank.rows.iter().filter(is_over) {
            *balance.entry(row.content()).or_default() -= 1;
        }
        balance.retain(|_, times| *times != 0);
        assert!(balance.is_empty(), "{ids:?} {seed}: not there once: {balance:?}");
    }
    assert!(rows > 10_000, "{rows} rows say little");
    // It is not enough to take every row for a new one.
    assert!(followed > 50 * lost && followed > 50 * alike, "{followed} {lost} {alike}");
}
