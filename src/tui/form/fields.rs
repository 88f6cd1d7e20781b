//! The fields of a form together, and how what is typed in them is read.

use std::str::FromStr;

use chrono::NaiveDate;

use super::day;
use super::field::{Choice, Field, Sort};
use crate::model::{Dec, Edit, Mention, Refusal, SafeText};
use crate::tui::figure::{figure, part};

/// What is wrong, and where; no field: with all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, as refusals call it.
    pub field: Option<&'static str>,
    /// What would be right.
    pub why: String,
}

impl Fault {
    /// In one field.
    pub fn in_field(field: &'static str, why: impl Into<String>) -> Self {
        Self { field: Some(field), why: why.into() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::in_field(refusal.column.0, refusal.why.to_string())
    }
}

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    all: Vec<Field>,
    start: usize,
    /// What days are counted from.
    today: NaiveDate,
}

impl Fields {
    /// These, and the place in them is the first.
    #[must_use]
    pub const fn of(all: Vec<Field>) -> Self {
        Self { all, start: 0, today: NaiveDate::MIN }
    }

    /// The place at the beginning is another field.
    #[must_use]
    pub fn beginning_at(self, name: &str) -> Self {
        let start = self.place_of(name).unwrap_or(0);
        Self { start, ..self }
    }

    /// Days are counted from this one.
    pub(super) fn counting_from(self, today: NaiveDate) -> Self {
        Self { today, ..self }
    }

    /// The day on which this is typed.
    pub(super) const fn today(&self) -> NaiveDate {
        self.today
    }

    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.all.iter().enumerate().filter(|(_, field)| !field.hidden)
    }

    /// Every field, hidden ones too.
    pub fn each_mut(&mut self) -> impl Iterator<Item = &mut Field> {
        self.all.iter_mut()
    }

    /// All of one name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.all.iter().filter(move |field| field.name == name)
    }

    /// One by its name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.all.iter().find(|field| field.name == name)
    }

    /// One by its name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Field> {
        self.all.iter_mut().find(|field| field.name == name)
    }

    pub(super) fn at_mut(&mut self, at: usize) -> Option<&mut Field> {
        self.all.get_mut(at)
    }

    /// Where one is that is seen.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.iter().find(|(_, field)| field.name == name).map(|(at, _)| at)
    }

    pub(super) fn next(&self, at: usize) -> Option<usize> {
        self.iter().map(|(place, _)| place).find(|place| *place > at)
    }

    pub(super) fn before(&self, at: usize) -> Option<usize> {
        self.iter().map(|(place, _)| place).filter(|place| *place < at).last()
    }

    pub(super) fn first(&self) -> Option<usize> {
        self.iter().map(|(at, _)| at).next()
    }

    pub(super) fn last(&self) -> Option<usize> {
        self.iter().map(|(at, _)| at).last()
    }

    /// The first one that is wrong.
    pub(super) fn wrong(&self) -> Option<usize> {
        self.iter().find(|(_, field)| field.error.is_some()).map(|(at, _)| at)
    }

    /// Something is typed.
    pub(super) fn are_changed(&self) -> bool {
        self.all.iter().any(Field::is_changed)
    }

    /// Says of each field by itself whether it can be read. Whether one cannot.
    pub(super) fn check(&mut self) -> bool {
        let today = self.today;
        for field in &mut self.all {
            let text = field.text();
            field.error = match &field.sort {
                _ if field.hidden || text.is_empty() => None,
                Sort::Amount | Sort::Number => figure(&text).err().map(|error| error.to_string()),
                Sort::Day if day::parse(&text, today).is_none() => Some(day::FORM.to_owned()),
                Sort::Choice(all) => {
                    let is_one = all.iter().any(|choice| choice.word.eq_ignore_ascii_case(&text));
                    (!is_one && !field.is_begun()).then(|| {
                        "none of the choices is like that; Backspace shows them".to_owned()
                    })
                }
                _ => None,
            };
        }
        self.wrong().is_some()
    }

    // ---- what stands in them

    /// What stands in a field; nothing where it is of no use.
    pub fn text(&self, name: &str) -> String {
        self.get(name).filter(|field| !field.hidden).map(Field::text).unwrap_or_default()
    }

    /// The choice that stands in a field.
    pub fn choice(&self, name: &str) -> Option<&Choice> {
        let field = self.get(name).filter(|field| !field.hidden)?;
        let (Sort::Choice(all) | Sort::Open(all)) = &field.sort else { return None };
        let text = field.text();
        all.iter().find(|choice| choice.word.eq_ignore_ascii_case(&text))
    }

    /// The currency is that of the first of these fields that has one, where nobody says otherwise.
    pub fn follow_currency(&mut self, names: &[&str]) {
        let code = names.iter().find_map(|name| self.choice(name)?.currency);
        if let (Some(code), Some(field)) = (code, self.get_mut("currency")) {
            field.follow(code.code());
        }
    }

    /// Something else than at first.
    pub fn is_changed(&self, name: &str) -> bool {
        self.get(name).is_some_and(|field| !field.hidden && field.is_changed())
    }

    /// Words; none: nothing is there.
    pub fn words(&self, name: &'static str, most: usize) -> Result<Option<SafeText>, Fault> {
        let text = SafeText::new(&self.text(name));
        match text.as_str().len() {
            0 => Ok(None),
            len if len > most => Err(Fault::in_field(name, format!("longer than {most} bytes"))),
            _ => Ok(Some(text)),
        }
    }

    /// A name.
    pub fn name(&self, name: &'static str) -> Result<Option<SafeText>, Fault> {
        self.words(name, SafeText::MAX_NAME)
    }

    /// A word of a list, or anything that is read from a text.
    pub fn word<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Fault>
    where
        T::Err: std::fmt::Display,
    {
        self.read(name, |text| text.parse::<T>().map_err(|error| error.to_string()))
    }

    /// Anything that is read from a text.
    pub fn read<T, E: std::fmt::Display>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        let text = self.text(name);
        match text.is_empty() {
            true => Ok(None),
            false => {
                read(&text).map(Some).map_err(|error| Fault::in_field(name, error.to_string()))
            }
        }
    }

    /// A figure.
    pub fn dec(&self, name: &'static str) -> Result<Option<Dec>, Fault> {
        Ok(self.figure(name)?.map(|(value, _)| value))
    }

    /// A figure with the decimals that were written.
    pub fn figure(&self, name: &'static str) -> Result<Option<(Dec, u32)>, Fault> {
        self.read(name, figure)
    }

    /// A part of a whole: `0.6` or `60%`.
    pub fn part(&self, name: &'static str) -> Result<Option<Dec>, Fault> {
        self.read(name, part)
    }

    /// A day.
    pub fn day(&self, name: &'static str) -> Result<Option<NaiveDate>, Fault> {
        self.read(name, |text| day::parse(text, self.today).ok_or(day::FORM))
    }

    /// A security as rows name it.
    pub fn mention(&self, name: &'static str) -> Result<Option<Mention>, Fault> {
        match self.choice(name).and_then(|choice| choice.mention.clone()) {
            Some(mention) => Ok(Some(mention)),
            None => self.read(name, Mention::parse),
        }
    }

    /// What there must be.
    pub fn needed<T>(name: &'static str, value: Result<Option<T>, Fault>) -> Result<T, Fault> {
        value?.ok_or_else(|| Fault::in_field(name, "missing; it is needed"))
    }

    /// What becomes of a field: it stays, it is emptied, or it is this.
    pub fn edit<T>(&self, name: &'static str, value: Option<T>) -> Edit<T> {
        match (self.is_changed(name), value) {
            (false, _) => Edit::Keep,
            (true, None) => Edit::Clear,
            (true, Some(value)) => Edit::Set(value),
        }
    }
}
