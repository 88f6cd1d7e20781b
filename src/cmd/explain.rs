//! `--explain`: how one figure came about, as a document or for people. It knows figures by their
//! names only; what they mean is said by the report that they are from.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::exit::{Error, Status};
use super::table::{Column, Table};
use super::{ECHO, Job};
use crate::model::{Currency, Exact, SafeText};
use crate::report::{Explanation, Input};
use crate::text::{Figures, UNKNOWN};

/// So many names are told where one is not known.
const NAMED: usize = 12;
/// So many parts are told in the words of a sum.
const PARTS: usize = 4;

/// Which figure is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whose.
    pub key: SafeText,
    /// Which; none: the main one.
    pub figure: Option<&'static str>,
}

impl Asked {
    /// `KEY` or `KEY.FIGURE`. Symbols may have points of their own, so only what is a field of the
    /// report is a figure.
    pub fn parse(text: &SafeText, fields: &[&'static str]) -> Self {
        let parts = text.as_str().rsplit_once('.').and_then(|(key, figure)| {
            let figure = fields.iter().find(|field| **field == figure)?;
            Some((SafeText::new(key), *figure))
        });
        match parts {
            Some((key, figure)) if !key.is_empty() => Self { key, figure: Some(figure) },
            _ => Self { key: text.clone(), figure: None },
        }
    }
}

/// The report has nothing of this name; it has these.
pub fn no_figure(key: &SafeText, known: &[SafeText]) -> Error {
    let mut known: Vec<_> = known.iter().map(SafeText::as_str).collect();
    known.sort_unstable();
    known.dedup();
    // What was written is known to who wrote it.
    let key = SafeText::capped(key.as_str(), ECHO);
    Error::NoFigure { key, known: in_words(&known, NAMED) }
}

fn in_words(names: &[&str], most: usize) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut words = names.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => {}
        rest => words.push_str(&format!(" and {rest} more")),
    }
    words
}

/// Prints what was asked for out of what a report can explain.
pub fn print(
    job: &mut Job<'_>,
    asked: &Asked,
    main: &str,
    found: &[Explanation],
) -> Result<Status, Error> {
    let document = document(asked, main, found, job.figures())?;
    if job.flags.json {
        job.out.json(&document)?;
    } else {
        document.lines().try_for_each(|line| job.out.line(&line))?;
        if !document.inputs.is_empty() {
            job.out.line("")?;
            job.out.table(&document.table())?;
        }
    }
    Ok(Status::Done)
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    figure: &'static str,
    of: SafeText,
    value: Option<String>,
    currency: Option<Currency>,
    formula: SafeText,
    inputs: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    kind: &'static str,
    id: Option<SafeText>,
    date: Option<NaiveDate>,
    value: Option<String>,
    source: Option<SafeText>,
    pair: Option<SafeText>,
}

fn document(
    asked: &Asked,
    main: &str,
    found: &[Explanation],
    figures: Figures,
) -> Result<Document, Error> {
    let chosen = chosen(asked, main, found)?;
    let mut inputs: Vec<_> = chosen.inputs.iter().map(|input| part(input, figures)).collect();
    if asked.figure.is_none() {
        // The other figures of the same thing, each of which can be asked for.
        for name in names(found).filter(|name| *name != chosen.figure) {
            let id = Some(SafeText::new(name));
            let is_told = inputs.iter().any(|input| input.kind == "figure" && input.id == id);
            if let Some(other) = together(name, found).filter(|_| !is_told) {
                inputs.push(Part { id, value: figures.maybe(other.value), ..Part::figure() });
            }
        }
    }
    Ok(Document {
        schema: "dashtam.explain/1",
        figure: chosen.figure,
        of: chosen.of,
        value: figures.maybe(chosen.value),
        currency: chosen.currency,
        formula: SafeText::new(&figures.message(&chosen.formula)),
        inputs,
    })
}

/// The names of all figures, each once.
fn names(found: &[Explanation]) -> impl Iterator<Item = &'static str> {
    let mut told = BTreeSet::new();
    found.iter().map(|explanation| explanation.figure).filter(move |name| told.insert(*name))
}

/// The figure that is meant.
fn chosen(asked: &Asked, main: &str, found: &[Explanation]) -> Result<Explanation, Error> {
    let is_known = |figure: &str| found.iter().any(|explanation| explanation.figure == figure);
    let figure = match (asked.figure, found.first()) {
        (None, Some(first)) if !is_known(main) => first.figure,
        (figure, _) => figure.unwrap_or(main),
    };
    if !is_known(figure) {
        let known: Vec<_> = names(found).map(|name| format!("{}.{name}", asked.key)).collect();
        let known: Vec<_> = known.iter().map(|name| SafeText::new(name)).collect();
        return Err(no_figure(&SafeText::new(&format!("{}.{figure}", asked.key)), &known));
    }
    together(figure, found).ok_or_else(|| Error::ManyFigures { key: asked.key.clone() })
}

/// What several lines have of one figure, added up: the lots of a symbol, or the accounts that hold
/// it. None where they are of several currencies.
fn together(figure: &str, found: &[Explanation]) -> Option<Explanation> {
    let parts: Vec<_> = found.iter().filter(|part| part.figure == figure).collect();
    let (first, others) = parts.split_first()?;
    if others.is_empty() {
        return Some((*first).clone());
    }
    if others.iter().any(|other| other.currency != first.currency) {
        return None;
    }
    let sum = parts.iter().try_fold(Exact::ZERO, |sum, part| Some(sum.add(&part.value?.into())));
    let of: Vec<_> = parts.iter().map(|part| part.of.as_str()).collect();
    let formula = match parts.len() {
        0..=PARTS => parts.iter().map(|part| part.formula.as_str()).collect::<Vec<_>>().join(" + "),
        many => format!("the sum of these {many}"),
    };
    let mut inputs = Vec::new();
    for part in &parts {
        let (id, value) = (Some(part.of.clone()), part.value);
        inputs.push(Input { kind: "figure", id, date: None, value, source: None, pair: None });
        inputs.extend(part.inputs.iter().cloned());
    }
    Some(Explanation {
        figure: first.figure,
        of: SafeText::new(&in_words(&of, PARTS)),
        // Nothing is rounded a second time.
        value: sum.and_then(|sum| sum.round(28).ok()),
        currency: first.currency,
        formula,
        inputs,
    })
}

fn part(input: &Input, figures: Figures) -> Part {
    Part {
        kind: input.kind,
        id: input.id.clone(),
        date: input.date,
        value: figures.maybe(input.value),
        source: input.source.clone(),
        pair: input.pair.clone(),
    }
}

impl Part {
    const fn figure() -> Self {
        Self { kind: "figure", id: None, date: None, value: None, source: None, pair: None }
    }
}

impl Document {
    fn lines(&self) -> impl Iterator<Item = String> {
        let value = self.value.as_deref().unwrap_or(UNKNOWN);
        let unit = self.currency.filter(|_| self.value.is_some());
        let unit = unit.map(|currency| format!(" {currency}")).unwrap_or_default();
        let first = format!("{} of {}: {value}{unit}", self.figure, self.of);
        [first, self.formula.to_string()].into_iter()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(vec![
            Column::text("from", 6, 0),
            Column::text("which", 8, 0),
            Column::text("date", 10, 2),
            Column::figure("value", 0),
            Column::text("source", 6, 1),
        ]);
        for input in &self.inputs {
            let date = input.date.map(|date| date.to_string()).unwrap_or_default();
            table.row(vec![
                SafeText::new(input.kind),
                input.id.clone().or_else(|| input.pair.clone()).unwrap_or_default(),
                SafeText::new(&date),
                SafeText::new(input.value.as_deref().unwrap_or(UNKNOWN)),
                input.source.clone().unwrap_or_default(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dec;

    const OPEN: Figures = Figures::plain(false);
    const FIELDS: [&str; 3] = ["cost", "value_base", "account"];

    fn text(text: &str) -> SafeText {
        SafeText::new(text)
    }

    fn explanation(figure: &'static str, of: &str, value: &str) -> Explanation {
        Explanation {
            figure,
            of: text(of),
            value: Dec::parse(value).ok(),
            currency: Some(Currency::USD),
            formula: "30 x 14".to_owned(),
            inputs: vec![Input {
                kind: "price",
                id: None,
                date: NaiveDate::from_ymd_opt(2024, 3, 28),
                value: Dec::parse("14").ok(),
                source: Some(text("file")),
                pair: None,
            }],
        }
    }

    fn asked(words: &str) -> Asked {
        Asked::parse(&text(words), &FIELDS)
    }

    #[test]
    fn a_figure_is_a_field_and_a_symbol_may_have_points() {
        assert_eq!(asked("X"), Asked { key: text("X"), figure: None });
        assert_eq!(asked("X.cost"), Asked { key: text("X"), figure: Some("cost") });
        assert_eq!(asked("XEQT.TO"), Asked { key: text("XEQT.TO"), figure: None });
        assert_eq!(asked("XEQT.TO.cost"), Asked { key: text("XEQT.TO"), figure: Some("cost") });
        assert_eq!(asked(".cost"), Asked { key: text(".cost"), figure: None });
    }

    #[test]
    fn the_document_has_the_main_figure_and_names_the_others() {
        let found =
            [explanation("value_base", "X in A", "420"), explanation("cost", "X in A", "363")];
        let document = document(&asked("X"), "value_base", &found, OPEN).unwrap();
        assert_eq!(
            serde_json::to_string(&document).unwrap(),
            r#"{"schema":"dashtam.explain/1","figure":"value_base","of":"X in A","value":"420","currency":"USD","formula":"30 x 14","inputs":[{"kind":"price","id":null,"date":"2024-03-28","value":"14","source":"file","pair":null},{"kind":"figure","id":"cost","date":null,"value":"363","source":null,"pair":null}]}"#
        );
        let lines: Vec<_> = document.lines().collect();
        assert_eq!(lines, ["value_base of X in A: 420 USD", "30 x 14"]);
        let mut out = Vec::new();
        document.table().write(&mut out, false).unwrap();
        let table = "\
from    which  date        value  source
price          2024-03-28     14  file
figure  cost                 363
";
        assert_eq!(String::from_utf8(out).unwrap(), table);
    }

    #[test]
    fn another_figure_stands_alone() {
        let found =
            [explanation("value_base", "X in A", "420"), explanation("cost", "X in A", "363")];
        let document = document(&asked("X.cost"), "value_base", &found, OPEN).unwrap();
        assert_eq!((document.figure, document.inputs.len()), ("cost", 1));
        assert_eq!(document.value.as_deref(), Some("363"));
    }

    #[test]
    fn what_several_accounts_hold_is_added_up() {
        let found = [
            explanation("value_base", "X in A", "420"),
            explanation("cost", "X in A", "363"),
            explanation("value_base", "X in B", "0.5"),
            explanation("cost", "X in B", ""),
        ];
        let whole = document(&asked("X"), "value_base", &found, OPEN).unwrap();
        assert_eq!(whole.value.as_deref(), Some("420.5"));
        assert_eq!(whole.of.as_str(), "X in A, X in B");
        assert_eq!(whole.formula.as_str(), "30 x 14 + 30 x 14");
        let inputs: Vec<_> = whole
            .inputs
            .iter()
            .map(|input| (input.kind, input.id.as_ref().map_or("", SafeText::as_str)))
            .collect();
        let expected = [
            ("figure", "X in A"),
            ("price", ""),
            ("figure", "X in B"),
            ("price", ""),
            ("figure", "cost"),
        ];
        assert_eq!(inputs, expected);
        let many: Vec<_> =
            ["A", "B", "C", "D", "E", "F"].map(|of| explanation("cost", of, "1")).into();
        let whole = together("cost", &many).unwrap();
        assert_eq!(whole.of.as_str(), "A, B, C, D and 2 more");
        assert_eq!(
            (whole.formula.as_str(), whole.value),
            ("the sum of these 6", Dec::parse("6").ok())
        );
        // Something unknown in it makes the whole unknown.
        assert_eq!(document(&asked("X.cost"), "value_base", &found, OPEN).unwrap().value, None);
    }

    #[test]
    fn what_is_unknown_or_in_several_currencies_is_refused() {
        let mut found = [explanation("value", "X in A", "1"), explanation("value", "X in B", "2")];
        let why = |found: &[Explanation], words| {
            chosen(&asked(words), "value", found).unwrap_err().to_string()
        };
        assert_eq!(
            why(&found, "X.cost"),
            "there is no figure called `X.cost` in this report; it has X.value"
        );
        found[1].currency = Currency::parse("CAD").ok();
        assert!(why(&found, "X").contains("--account"));
        let known = [text("B"), text("A"), text("B")];
        assert_eq!(
            no_figure(&text("C"), &known).to_string(),
            "there is no figure called `C` in this report; it has A, B"
        );
        assert!(no_figure(&text("C"), &[]).to_string().ends_with("it has none"));
    }

    #[test]
    fn nothing_of_a_masked_figure_is_left_in_its_explanation() {
        let found = [explanation("value_base", "X in A", "420")];
        let hidden = Figures::plain(true);
        let document = document(&asked("X"), "value_base", &found, hidden).unwrap();
        let written = serde_json::to_string(&document).unwrap();
        assert!(!written.contains("420") && !written.contains("\"14\""), "{written}");
        assert_eq!(document.formula.as_str(), "••• x •••");
    }
}
