//! Which chords do what: the table's defaults with what somebody chose over them. It knows chords
//! and contexts, not what an action does.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Chord, ChordError, Conflict, Context, parse_chords};

/// What the chords typed so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This.
    Action(Action),
    /// They begin something longer.
    Begins,
    /// Nothing here.
    Nothing,
}

/// Which chords do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap(BTreeMap<Action, Vec<Vec<Chord>>>);

impl Keymap {
    /// The table's defaults.
    #[must_use]
    pub fn standard() -> Self {
        Self(Action::ALL.iter().map(|action| (*action, defaults(*action))).collect())
    }

    /// The defaults with what somebody chose: for an action's name all its chords, or none to take
    /// them away. What cannot be taken is said, and the default of its action stays.
    #[must_use]
    pub fn with(overrides: &BTreeMap<String, Vec<String>>) -> (Self, Vec<Conflict>) {
        let mut map = Self::standard();
        let (mut chosen, mut conflicts) = (BTreeSet::new(), Vec::new());
        for (entry, texts) in overrides {
            let Some(action) = Action::named(entry) else {
                let nearest = Action::nearest(entry);
                conflicts.push(Conflict::NoAction { entry: entry.clone(), nearest });
                continue;
            };
            match parse_all(texts) {
                Ok(chords) => {
                    map.0.insert(action, chords);
                    chosen.insert(action);
                }
                Err(error) => conflicts.push(Conflict::NoChord { action, error }),
            }
        }
        // All choices stand before any is judged, so that two actions can swap their keys. One that
        // falls may break another that counted on it: again, until all fits. The defaults do fit.
        while let Some(conflict) = chosen.iter().find_map(|action| map.conflict_of(*action)) {
            let Some(action) = Action::named(conflict.entry()) else { break };
            map.0.insert(action, defaults(action));
            chosen.remove(&action);
            conflicts.push(conflict);
        }
        (map, conflicts)
    }

    /// What these chords mean where these contexts are active; the first one that knows them says.
    #[must_use]
    pub fn find(&self, contexts: &[Context], typed: &[Chord]) -> Found {
        let said = contexts.iter().map(|context| self.find_in(*context, typed));
        said.into_iter().find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
    }

    /// Every way to do this, each one or more chords.
    #[must_use]
    pub fn chords_of(&self, action: Action) -> &[Vec<Chord>] {
        self.0.get(&action).map_or(&[], Vec::as_slice)
    }

    fn find_in(&self, context: Context, typed: &[Chord]) -> Found {
        let mut found = Found::Nothing;
        for (action, chords) in self.all().filter(|(action, _)| action.context() == context) {
            if chords == typed {
                return Found::Action(action);
            }
            if !typed.is_empty() && chords.starts_with(typed) {
                found = Found::Begins;
            }
        }
        found
    }

    fn all(&self) -> impl Iterator<Item = (Action, &[Chord])> {
        self.0.iter().flat_map(|(action, ways)| ways.iter().map(|way| (*action, way.as_slice())))
    }

    /// Why the chords of an action cannot stand beside those of the others.
    fn conflict_of(&self, action: Action) -> Option<Conflict> {
        let near = |other: &Action| other.context().meets(action.context());
        self.chords_of(action).iter().find_map(|own| {
            self.all()
                .filter(|(other, _)| near(other))
                .find_map(|(other, chords)| conflict(action, own, other, chords))
        })
    }
}

fn conflict(action: Action, own: &[Chord], other: Action, chords: &[Chord]) -> Option<Conflict> {
    let hides = |short: &[Chord], long: &[Chord]| {
        long.starts_with(short).then(|| {
            let (short, long) = (short.to_vec(), long.to_vec());
            Conflict::Hides { action, other, short, long }
        })
    };
    if own == chords {
        let taken = || Conflict::Taken { action, by: other, chords: own.to_vec() };
        return (action != other).then(taken);
    }
    hides(own, chords).or_else(|| hides(chords, own))
}

/// The chords of a table that its tests read: none of them is wrong.
fn defaults(action: Action) -> Vec<Vec<Chord>> {
    action.defaults().iter().filter_map(|text| parse_chords(text).ok()).collect()
}

fn parse_all(texts: &[String]) -> Result<Vec<Vec<Chord>>, ChordError> {
    let mut all = Vec::new();
    for text in texts {
        let chords = parse_chords(text)?;
        if !all.contains(&chords) {
            all.push(chords);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(overrides: &[(&str, &[&str])]) -> (Keymap, Vec<String>) {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let overrides = overrides.iter().map(|(name, texts)| ((*name).to_owned(), own(texts)));
        let (map, conflicts) = Keymap::with(&overrides.collect());
        (map, conflicts.iter().map(ToString::to_string).collect())
    }

    fn found(map: &Keymap, contexts: &[Context], typed: &str) -> Found {
        map.find(contexts, &parse_chords(typed).unwrap())
    }

    const HOLDINGS: &[Context] = &[Context::Holdings, Context::List, Context::Everywhere];
    const CHART: &[Context] = &[Context::Chart, Context::Everywhere];

    #[test]
    fn every_default_is_in_the_standard_map_and_none_conflicts() {
        let map = Keymap::standard();
        for action in Action::ALL {
            let written: Vec<_> =
                action.defaults().iter().map(|text| parse_chords(text).unwrap()).collect();
            assert!(!written.is_empty(), "{action:?}");
            assert_eq!(map.chords_of(*action), written);
            assert_eq!(map.conflict_of(*action), None);
        }
        assert_eq!(Keymap::with(&BTreeMap::new()), (map, Vec::new()));
    }

    #[test]
    fn a_chord_means_what_its_context_says() {
        let map = Keymap::standard();
        for (contexts, typed, expected) in [
            (HOLDINGS, "j", Found::Action(Action::MoveDown)),
            (CHART, "j", Found::Action(Action::NextSecurity)),
            (HOLDINGS, "v", Found::Action(Action::MarkRange)),
            (HOLDINGS, "<", Found::Nothing),
            (CHART, "v", Found::Action(Action::Volume)),
            (HOLDINGS, "o", Found::Action(Action::Group)),
            (&[Context::Accounts], "o", Found::Action(Action::Fold)),
            (CHART, "o", Found::Nothing),
            (CHART, "q", Found::Action(Action::Quit)),
            (HOLDINGS, "g", Found::Begins),
            (CHART, "g", Found::Begins),
            (HOLDINGS, "g g", Found::Action(Action::First)),
            (HOLDINGS, "g q", Found::Nothing),
            (HOLDINGS, "g g g", Found::Nothing),
            (&[], "q", Found::Nothing),
        ] {
            assert_eq!(found(&map, contexts, typed), expected, "{contexts:?} {typed}");
        }
        assert_eq!(map.find(HOLDINGS, &[]), Found::Nothing);
    }

    #[test]
    fn the_first_context_that_knows_a_chord_says() {
        let map = Keymap::standard();
        let both = |contexts: &[Context]| found(&map, contexts, "j");
        assert_eq!(both(&[Context::Chart, Context::List]), Found::Action(Action::NextSecurity));
        assert_eq!(both(&[Context::List, Context::Chart]), Found::Action(Action::MoveDown));
    }

    #[test]
    fn a_choice_takes_the_place_of_all_defaults() {
        let (map, conflicts) = with(&[("first", &["g t", "Alt-x", "g t"]), ("privacy", &[])]);
        assert_eq!(conflicts, [""; 0]);
        assert_eq!(map.chords_of(Action::First).len(), 2);
        assert_eq!(found(&map, HOLDINGS, "g t"), Found::Action(Action::First));
        assert_eq!(found(&map, HOLDINGS, "g g"), Found::Nothing);
        assert_eq!(found(&map, HOLDINGS, "p"), Found::Nothing);
    }

    #[test]
    fn two_actions_can_swap_and_panes_can_share() {
        let (map, conflicts) = with(&[("sort", &["q"]), ("quit", &["s"]), ("fold", &["L"])]);
        assert_eq!(conflicts, [""; 0]);
        assert_eq!(found(&map, HOLDINGS, "q"), Found::Action(Action::Sort));
        assert_eq!(found(&map, HOLDINGS, "s"), Found::Action(Action::Quit));
        assert_eq!(found(&map, &[Context::Accounts], "L"), Found::Action(Action::Fold));
    }

    #[test]
    fn what_cannot_be_taken_is_said_and_the_default_stays() {
        for (name, chords, said) in [
            ("quitt", "x", "keys.quitt: no action is called so; did you mean quit?"),
            ("quit\u{1b}", "x", "keys.quit\\u{1b}: no action is called so; did you mean quit?"),
            ("quit", " ", "keys.quit: no key is named; quit keeps `q`"),
            (
                "move-down",
                "Ctrl-i",
                "keys.move-down: `Ctrl-i` comes from the terminal as `Tab`; write that, or choose \
                 another key; move-down keeps `j` and `Down`",
            ),
            ("sort", "q", "keys.sort: `q` is the key of quit; sort keeps `s`"),
            (
                "sort",
                "g",
                "keys.sort: `g` would hide `g h` (the other is the key of health); sort keeps `s`",
            ),
            (
                "sort",
                "q q",
                "keys.sort: `q` would hide `q q` (the other is the key of quit); sort keeps `s`",
            ),
        ] {
            let (map, conflicts) = with(&[(name, &[chords])]);
            assert_eq!(conflicts, [said]);
            assert_eq!(map, Keymap::standard());
        }
        let (map, conflicts) = with(&[("sort", &["S", "S S"])]);
        assert_eq!(conflicts, ["keys.sort: `S` would hide `S S`; sort keeps `s`"]);
        assert_eq!(map, Keymap::standard());
    }

    #[test]
    fn a_choice_that_falls_takes_those_that_counted_on_it_along() {
        // `sort` may have `q` only while `quit` leaves it; `quit` cannot go to `j`.
        let (map, conflicts) = with(&[("quit", &["j"]), ("sort", &["q"]), ("theme", &["D"])]);
        assert_eq!(
            conflicts,
            [
                "keys.quit: `j` is the key of move-down; quit keeps `q`",
                "keys.sort: `q` is the key of quit; sort keeps `s`",
            ]
        );
        assert_eq!(found(&map, HOLDINGS, "D"), Found::Action(Action::Theme));
        assert_eq!(map.chords_of(Action::Sort), Keymap::standard().chords_of(Action::Sort));
    }

    #[test]
    fn of_two_choices_for_one_chord_one_is_taken() {
        let (map, conflicts) = with(&[("theme", &["D"]), ("privacy", &["D"])]);
        assert_eq!(conflicts, ["keys.privacy: `D` is the key of theme; privacy keeps `p`"]);
        assert_eq!(found(&map, HOLDINGS, "D"), Found::Action(Action::Theme));
        assert_eq!(found(&map, HOLDINGS, "p"), Found::Action(Action::Privacy));
    }
}
