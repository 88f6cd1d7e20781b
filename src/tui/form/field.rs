//! A field of a form: what is typed, what may be typed, and what is wrong with it.

use chrono::NaiveDate;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::day;
use crate::keys::{Chord, Key};
use crate::model::{Currency, Mention};
use crate::tui::widget::Input;

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What goes into the field.
    pub word: String,
    /// More of it, to be found by and to be read.
    pub more: String,
    /// What its money is.
    pub currency: Option<Currency>,
    /// The security that is meant, where the word alone would mean several.
    pub mention: Option<Mention>,
}

impl Choice {
    /// A word that says it all.
    pub fn plain(word: &str) -> Self {
        Self::of(word, "")
    }

    /// A word, and more of it.
    pub fn of(word: impl Into<String>, more: impl Into<String>) -> Self {
        Self { word: word.into(), more: more.into(), currency: None, mention: None }
    }

    /// Its money is in this currency.
    #[must_use]
    pub fn quoted_in(self, currency: Currency) -> Self {
        Self { currency: Some(currency), ..self }
    }
}

/// What a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Any words.
    Text,
    /// A figure that tells how much somebody has.
    Amount,
    /// A figure that does not.
    Number,
    /// A day.
    Day,
    /// One of these.
    Choice(Vec<Choice>),
    /// One of these, or something new.
    Open(Vec<Choice>),
}

/// A field.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub struct Field {
    /// As refusals call it.
    pub name: &'static str,
    /// As people read it.
    pub label: String,
    /// What it takes.
    pub sort: Sort,
    /// What is typed.
    pub input: Input,
    /// Nobody typed it: it follows from the rest, or is proposed.
    pub auto: bool,
    /// Emptied, it follows from the rest again.
    follows: bool,
    /// What is wrong with it.
    pub error: Option<String>,
    /// It is of no use with what stands in the others.
    pub hidden: bool,
    /// Somebody was here.
    pub visited: bool,
    /// The first letter takes the place of what stands there.
    pub fresh: bool,
    /// Which of the choices that fit is chosen; none: what is typed.
    pub pick: Option<usize>,
    first: String,
}

impl Field {
    /// An empty one.
    pub fn new(name: &'static str, sort: Sort) -> Self {
        Self {
            name,
            label: name.replace('_', " "),
            sort,
            input: Input::default(),
            auto: false,
            follows: false,
            error: None,
            hidden: false,
            visited: false,
            fresh: true,
            pick: None,
            first: String::new(),
        }
    }

    /// With what stands there at first.
    #[must_use]
    pub fn with(mut self, text: impl Into<String>) -> Self {
        self.first = text.into();
        self.input = Input::of(&self.first);
        self
    }

    /// With a proposal that is taken back once the others say otherwise.
    #[must_use]
    pub fn proposing(self, text: impl Into<String>) -> Self {
        Self { auto: true, follows: true, ..self.with(text) }
    }

    /// Called otherwise than its column.
    #[must_use]
    pub fn called(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What stands there, without blanks around it.
    pub fn text(&self) -> String {
        self.input.text().trim().to_owned()
    }

    /// Something else stands there than at first.
    pub fn is_changed(&self) -> bool {
        !self.auto && self.text() != self.first
    }

    /// Says what follows from the rest, where nobody said it.
    pub fn follow(&mut self, text: &str) {
        self.follows = true;
        if self.auto || (self.input.is_empty() && !self.visited) {
            self.auto = true;
            self.input = Input::of(text);
        }
    }

    /// The figures in it tell how much somebody has.
    pub const fn is_amount(&self) -> bool {
        matches!(self.sort, Sort::Amount)
    }

    /// What can be chosen and fits what is typed, the best first.
    pub fn matches(&self) -> Vec<&Choice> {
        let (Sort::Choice(all) | Sort::Open(all)) = &self.sort else { return Vec::new() };
        let typed = self.text();
        if typed.is_empty() || self.fresh {
            return all.iter().collect();
        }
        let pattern = Pattern::parse(&typed, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut letters = Vec::new();
        let mut found: Vec<_> = all
            .iter()
            .filter_map(|choice| {
                let text = format!("{} {}", choice.word, choice.more);
                let score = pattern.score(Utf32Str::new(&text, &mut letters), &mut matcher)?;
                let begins = starts_with(&choice.word, &typed);
                let whole = choice.word.eq_ignore_ascii_case(&typed);
                Some(((!whole, !begins, std::cmp::Reverse(score)), choice))
            })
            .collect();
        found.sort_by_key(|(order, _)| *order);
        found.into_iter().map(|(_, choice)| choice).collect()
    }

    /// Where what stands there is among the choices, while nothing is typed.
    pub fn standing(&self) -> Option<usize> {
        let text = self.text();
        let is_same = |choice: &&Choice| choice.word.eq_ignore_ascii_case(&text);
        self.matches().iter().position(is_same).filter(|_| self.fresh)
    }

    /// The choice that is meant when the field is left.
    fn meant(&self) -> Option<String> {
        let typed = self.text();
        let found = self.matches();
        let picked = self.pick.and_then(|at| found.get(at)).copied();
        let same = found.iter().find(|choice| choice.word.eq_ignore_ascii_case(&typed)).copied();
        let best = found
            .first()
            .copied()
            .filter(|_| matches!(self.sort, Sort::Choice(_)) && !typed.is_empty() && !self.fresh);
        picked.or(same).or(best).map(|choice| choice.word.clone())
    }

    /// The first letters of a choice stand there.
    pub fn is_begun(&self) -> bool {
        matches!(self.sort, Sort::Choice(_)) && !self.fresh && !self.matches().is_empty()
    }

    /// Somebody comes.
    pub const fn enter(&mut self) {
        self.fresh = true;
        self.pick = None;
    }

    /// Somebody goes: what is meant stands there from now on.
    pub fn leave(&mut self, today: NaiveDate) {
        if let Some(word) = self.meant()
            && word != self.text()
        {
            self.input = Input::of(&word);
            self.auto = false;
        }
        if self.sort == Sort::Day
            && let Some(day) = day::parse(&self.text(), today)
        {
            self.input = Input::of(&day.to_string());
        }
        self.auto |= self.follows && self.input.is_empty();
        self.visited = true;
        self.fresh = true;
        self.pick = None;
    }

    /// A key. False: it says nothing to this field.
    pub fn press(&mut self, chord: Chord, today: NaiveDate) -> bool {
        let by = match chord.key {
            Key::Char('+') | Key::Up => 1,
            Key::Char('-') | Key::Down => -1,
            _ => 0,
        };
        if self.sort == Sort::Day && self.fresh && !chord.ctrl {
            let now = day::parse(&self.text(), today);
            if by != 0 {
                self.put(&day::step(now.unwrap_or(today), by).to_string());
                self.fresh = true;
                return true;
            }
            if chord.key == Key::Char('t') {
                self.put(&today.to_string());
                self.fresh = true;
                return true;
            }
        }
        if matches!(self.sort, Sort::Choice(_) | Sort::Open(_))
            && matches!(chord.key, Key::Up | Key::Down)
        {
            let last = self.matches().len().checked_sub(1);
            self.pick = match (self.pick, chord.key, last) {
                (_, _, None) => None,
                (None, Key::Down, Some(last)) => {
                    Some(self.standing().map_or(0, |at| at + 1).min(last))
                }
                (None, _, Some(_)) => self.standing().and_then(|at| at.checked_sub(1)),
                (Some(at), Key::Down, Some(last)) => Some((at + 1).min(last)),
                (Some(at), _, Some(_)) => at.checked_sub(1),
            };
            return true;
        }
        let writes = matches!(chord.key, Key::Char(_)) && !chord.ctrl && !chord.alt;
        if self.fresh && writes {
            self.input = Input::default();
        }
        let before = self.input.text();
        let heard = self.input.press(chord);
        if heard {
            self.fresh = false;
        }
        if self.input.text() != before || (heard && writes) {
            self.typed();
        }
        heard
    }

    /// Text that was pasted: nothing in it is a key.
    pub fn paste(&mut self, text: &str) {
        if self.fresh {
            self.input = Input::default();
        }
        self.input.insert(text);
        self.fresh = false;
        self.typed();
    }

    /// Puts something in place of what stands there, as if typed.
    pub fn put(&mut self, text: &str) {
        self.input = Input::of(text);
        self.typed();
    }

    fn typed(&mut self) {
        self.auto = false;
        self.pick = None;
        self.visited = self.visited || !self.input.is_empty();
    }
}

fn starts_with(word: &str, typed: &str) -> bool {
    word.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
    }

    fn typed(mut field: Field, keys: &str) -> Field {
        field.enter();
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            field.press(Chord::parse(key).unwrap(), today());
        }
        field.leave(today());
        field
    }

    #[test]
    fn a_day_is_stepped_through_or_typed_over() {
        let day = || Field::new("date", Sort::Day).with("2026-11-21");
        for (keys, expected) in [
            ("- -", "2026-11-19"),
            ("- + Down t", "2026-11-21"),
            ("2 0", "2026-11-20"),
            ("1 1 - 0 3", "2026-11-03"),
            ("3 d", "2026-11-18"),
            ("4 0", "40"),
            ("End Backspace 0", "2026-11-20"),
        ] {
            assert_eq!(typed(day(), keys).text(), expected, "{keys}");
        }
    }

    #[test]
    fn a_few_letters_mean_one_of_the_choices_and_an_open_field_takes_what_is_new() {
        let words = ["buy", "buy_to_cover", "sell"].map(Choice::plain).to_vec();
        let closed = || Field::new("type", Sort::Choice(words.clone())).with("buy");
        assert_eq!(typed(closed(), "").text(), "buy");
        assert_eq!(typed(closed(), "s").text(), "sell");
        assert_eq!(typed(closed(), "b").text(), "buy");
        assert_eq!(typed(closed(), "Down").text(), "buy_to_cover");
        assert_eq!(typed(closed(), "x").text(), "x", "left for a refusal");
        let symbols = ["VTI", "VT"].map(Choice::plain).to_vec();
        let open = || Field::new("symbol", Sort::Open(symbols.clone()));
        assert_eq!(typed(open(), "v t").text(), "VT");
        assert_eq!(typed(open(), "V").text(), "V", "something new");
        assert_eq!(typed(open(), "v t i Down").text(), "VTI");
    }

    #[test]
    fn what_is_pasted_is_text_and_takes_the_place_of_a_proposal() {
        let mut field = Field::new("note", Sort::Text).proposing("old");
        field.enter();
        field.paste("a\u{1b}[2J\tb\n");
        assert_eq!((field.text().as_str(), field.auto), ("a[2J b", false));
        field.follow("something else");
        assert_eq!(field.text(), "a[2J b");
    }

    #[test]
    fn what_was_typed_and_emptied_follows_again() {
        let field = typed(Field::new("amount", Sort::Amount).proposing("5"), "7");
        let mut field = typed(field, "Backspace");
        field.follow("5");
        assert_eq!(field.text(), "5");
        // Not while somebody is about to type something else.
        field.enter();
        field.press(Chord::parse("Backspace").unwrap(), today());
        field.follow("6");
        assert_eq!(field.text(), "");
    }
}
