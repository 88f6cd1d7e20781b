//! A whole store from its JSON form, element by element, in bounded memory. Knows the document;
//! what an element may say is the model's.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::encoding::{BOM, refuse_no_text};
use super::problem::{Fault, Problem};
use crate::model::wire::{SCHEMA, Section};
use crate::model::{Item, SafeText};

/// The most bytes of a file.
pub const MAX_BYTES: u64 = 4 << 30;
/// The most bytes of one element, and of what stands between two.
const MAX_ELEMENT: u64 = 1 << 20;

/// What is wrong with a document as such.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// No document, or half of one.
    #[error("the document ends too early; it was cut off")]
    CutOff,
    /// Far more text than anything honest has.
    #[error("more than {0} bytes without the end of an element; no export has that")]
    ElementTooLong(u64),
    /// No JSON, or not as it should be.
    #[error("{0}")]
    Wrong(SafeText),
}

/// Reads a document and hands on each of its items. They come before the rest was looked at, so
/// what is made of them must not last when an error follows. `each` may end the reading early.
///
/// # Errors
/// [`Problem`] with line and column: no JSON, another schema, an unknown or doubled key, an
/// element that says something impossible.
pub fn read_json<B>(
    mut source: impl Read,
    mut each: impl FnMut(Item) -> ControlFlow<B>,
) -> Result<ControlFlow<B>, Problem> {
    let mut head = Vec::new();
    source.by_ref().take(4096).read_to_end(&mut head)?;
    refuse_no_text(&head)?;
    let start = head.strip_prefix(BOM).unwrap_or(&head);
    let budget = Budget {
        total: Cell::new(MAX_BYTES),
        element: Cell::new(MAX_ELEMENT),
        place: Cell::new((1, 0)),
        refused: Cell::new(None),
    };
    let limited = Limited { source: BufReader::new(start.chain(source)), budget: &budget };
    let mut broken = None;
    let mut hand_on = |item| match each(item) {
        ControlFlow::Continue(()) => true,
        ControlFlow::Break(why) => {
            broken = Some(why);
            false
        }
    };
    let mut json = serde_json::Deserializer::from_reader(limited);
    let document = Document { each: &mut hand_on, budget: &budget };
    let read = json.deserialize_map(document).and_then(|()| json.end());
    match (broken, read) {
        (Some(why), _) => Ok(ControlFlow::Break(why)),
        (None, Ok(())) => Ok(ControlFlow::Continue(())),
        (None, Err(error)) => Err(problem(&error, &budget)),
    }
}

fn problem(error: &serde_json::Error, budget: &Budget) -> Problem {
    let fault = if budget.total.get() == 0 {
        Fault::TooBig(MAX_BYTES)
    } else if budget.element.get() == 0 {
        JsonFault::ElementTooLong(MAX_ELEMENT).into()
    } else if let Some(kind) = error.io_error_kind() {
        Fault::Unreadable(kind)
    } else if error.is_eof() {
        JsonFault::CutOff.into()
    } else {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = text.strip_suffix(place.as_str()).unwrap_or(&text);
        JsonFault::Wrong(SafeText::capped(what, 400)).into()
    };
    let (line, column) =
        budget.refused.get().unwrap_or((error.line() as u64, error.column() as u64));
    if line == 0 {
        return Problem::new(fault);
    }
    Problem::in_column(&column.to_string(), fault).on_line(line)
}

/// How many bytes may still come, in all and before the next element is complete, and how far the
/// reading is.
struct Budget {
    total: Cell<u64>,
    element: Cell<u64>,
    /// Line and column of the last byte given out.
    place: Cell<(u64, u64)>,
    /// Where an element turned out to be wrong: the parser itself only tells where it was after it
    /// had looked for the end of the list.
    refused: Cell<Option<(u64, u64)>>,
}

/// Gives out no more than the budget has.
struct Limited<'a, R> {
    source: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let (total, element) = (self.budget.total.get(), self.budget.element.get());
        let room = total.min(element);
        if room == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(out.len());
        let count = self.source.read(out.get_mut(..room).unwrap_or_default())?;
        self.budget.total.set(total.saturating_sub(count as u64));
        self.budget.element.set(element.saturating_sub(count as u64));
        for &byte in out.iter().take(count) {
            let (line, column) = self.budget.place.get();
            self.budget.place.set(if byte == b'\n' { (line + 1, 0) } else { (line, column + 1) });
        }
        Ok(count)
    }
}

/// The outermost object: the schema, then lists by their names.
struct Document<'a> {
    each: &'a mut dyn FnMut(Item) -> bool,
    budget: &'a Budget,
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object that begins with \"schema\":\"{SCHEMA}\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let schema = match map.next_key::<String>()? {
            Some(key) if key == "schema" => map.next_value::<String>()?,
            _ => {
                return Err(A::Error::custom(format_args!(
                    "it must begin with \"schema\":\"{SCHEMA}\""
                )));
            }
        };
        if schema != SCHEMA {
            let schema = SafeText::capped(&schema, 64);
            return Err(A::Error::custom(format_args!("the schema is `{schema}`, not `{SCHEMA}`")));
        }
        let mut seen = Vec::new();
        while let Some(section) = map.next_key::<Section>()? {
            if seen.contains(&section) {
                return Err(A::Error::custom(format_args!("`{section}` is there twice")));
            }
            seen.push(section);
            let each = &mut *self.each;
            map.next_value_seed(Elements { section, each, budget: self.budget })?;
        }
        Ok(())
    }
}

/// One list.
struct Elements<'a> {
    section: Section,
    each: &'a mut dyn FnMut(Item) -> bool,
    budget: &'a Budget,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.section)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let refused = |_: &A::Error| self.budget.refused.set(Some(self.budget.place.get()));
        while let Some(item) = seq.next_element_seed(self.section).inspect_err(refused)? {
            self.budget.element.set(MAX_ELEMENT);
            if !(self.each)(item) {
                return Err(A::Error::custom("ended by the reader"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Item>, Problem> {
        let mut items = Vec::new();
        let end = read_json(text, |item| {
            items.push(item);
            ControlFlow::<()>::Continue(())
        });
        end.map(|_| items)
    }

    fn says(text: &str) -> String {
        read(text.as_bytes()).expect_err(text).to_string()
    }

    fn category(name: &str) -> Item {
        Item::Category { name: SafeText::new(name), parent: None }
    }

    #[test]
    fn items_come_in_the_order_of_the_document() {
        let text = r#"
            {"schema": "dashtam.export/1",
             "categories": [{"name":"a"}, {"name":"b"}], "rates": [],
             "settings": [{"key":"base_currency","value":"CAD"}]}
        "#;
        let setting = Item::Setting(crate::model::Setting::BaseCurrency, "CAD".to_owned());
        let right = vec![category("a"), category("b"), setting];
        assert_eq!(read(text.as_bytes()), Ok(right.clone()));
        assert_eq!(read(format!("\u{feff}{text}").as_bytes()), Ok(right));
        assert_eq!(read(br#"{"schema":"dashtam.export/1"}"#), Ok(Vec::new()));
    }

    #[test]
    fn the_reader_can_end_it() {
        let text = r#"{"schema":"dashtam.export/1","categories":[{"name":"a"},{"name":"b"},!"#;
        let end = read_json(text.as_bytes(), |item| {
            if item == category("b") {
                ControlFlow::Break("enough")
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(end, Ok(ControlFlow::Break("enough")));
    }

    #[test]
    fn every_wrong_document_says_where_and_what() {
        let start = r#"{"schema":"dashtam.export/1""#;
        for (text, right) in [
            (String::new(), "line 1, column 0: the document ends too early"),
            ("{".to_owned(), "line 1, column 1: the document ends too early"),
            (
                format!("{start},\n\"categories\":[{{\"name\":\"a\"}},"),
                "line 2, column 27: the document ends too early",
            ),
            ("[]".to_owned(), "an object that begins with \"schema\":\"dashtam.export/1\""),
            ("{}".to_owned(), "it must begin with \"schema\""),
            (r#"{"accounts":[]}"#.to_owned(), "it must begin with \"schema\""),
            (
                r#"{"schema":"dashtam.export/2"}"#.to_owned(),
                "the schema is `dashtam.export/2`, not `dashtam.export/1`",
            ),
            (
                r#"{"schema":1}"#.to_owned(),
                "line 1, column …: invalid type: integer `1`, expected a string",
            ),
            (format!("{start},\"colour\":[]}}"), "`colour` is no list; one of: settings accounts"),
            (format!("{start},\"schema\":\"x\"}}"), "`schema` is no list"),
            (format!("{start},\"rates\":[],\"rates\":[]}}"), "`rates` is there twice"),
            (format!("{start},\"rates\":{{}}}}"), "expected a list of rates"),
            (
                format!("{start},\n\"categories\":[\n{{\"name\":\"a\"}},\n{{\"nam\":\"b\"}}]}}"),
                "line 4, column …: unknown field `nam`",
            ),
            (
                format!("{start},\n\"categories\":[\n{{\"name\":\"a\"}},\n{{\"name\":\"\"}}\n]}}"),
                "line 4, column 11: name: missing",
            ),
            (format!("{start}}}\n x"), "line 2, column …: trailing characters"),
            (format!("{start},}}"), "trailing comma"),
        ] {
            let said = says(&text);
            // Which column exactly depends on how far the parser had to look.
            assert!(right.split('…').all(|part| said.contains(part)), "{text}: {said}");
        }
        let bytes = b"{\"schema\":\"dashtam.export/1\",\"categories\":[{\"name\":\"\xff\"}]}";
        assert!(read(bytes).is_err_and(|problem| problem.to_string().contains("unicode")));
        assert!(read(b"\xff\xfe{\0").is_err_and(|problem| problem.why == Fault::Utf16));
    }

    #[test]
    fn messages_are_safe_to_show() {
        let said = says("{\"schema\":\"dashtam.export/1\",\"categories\":[{\"\u{202e}\":1}]}");
        assert!(crate::model::is_safe(&said) && said.contains("202e"), "{said}");
    }

    #[test]
    fn bombs_are_refused_before_they_fill_the_memory() {
        let start = r#"{"schema":"dashtam.export/1","balances":[{"amount":"#;
        for bomb in [
            format!("{start}\"{}", "1".repeat(3 << 20)),
            format!("{start}{}", "[".repeat(3 << 20)),
            format!("{start}{}", " ".repeat(3 << 20)),
            format!("{{{}", " ".repeat(3 << 20)),
            format!("{{\"{}", "x".repeat(3 << 20)),
        ] {
            let problem = read(bomb.as_bytes()).unwrap_err();
            assert_eq!(problem.why, JsonFault::ElementTooLong(1 << 20).into());
        }
        let deep = format!("{{\"schema\":{}", "[".repeat(1000));
        assert!(says(&deep).contains("invalid type"));
    }

    #[test]
    fn many_elements_are_no_bomb() {
        let element = format!("{{\"name\":\"{}\"}}", "x".repeat(100));
        let list = vec![element; 30_000].join(",");
        let text = format!("{{\"schema\":\"dashtam.export/1\",\"categories\":[{list}]}}");
        assert_eq!(read(text.as_bytes()).map(|items| items.len()), Ok(30_000));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), at in 0..90_usize) {
            let _ = read(&bytes);
            let mut text = br#"{"schema":"dashtam.export/1","balances":[{"account":"A","date":"2024-01-02","amount":1.5}]}"#.to_vec();
            text.splice(at..at, bytes.into_iter().take(3));
            let _ = read(&text);
        }
    }
}
