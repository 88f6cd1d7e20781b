//! A whole store as one JSON document, one element per line. Knows the document; what an element
//! looks like is the model's.

use std::io;

use super::Writer;
use crate::model::Item;
use crate::model::wire::{SCHEMA, Section};

/// Writes items, which must come list by list in the order of [`Section`].
#[derive(Debug)]
pub struct JsonWriter<W> {
    out: W,
    /// The list being written and whether it has elements; none before the first.
    open: Option<(Section, bool)>,
    line: Vec<u8>,
}

impl<W: io::Write> JsonWriter<W> {
    /// Begins a document.
    pub const fn new(out: W) -> Self {
        Self { out, open: None, line: Vec::new() }
    }

    /// Ends the open list and opens those up to `section`, or all that are left.
    fn go_to(&mut self, section: Option<Section>) -> io::Result<()> {
        for &next in Section::ALL {
            let behind = self.open.is_some_and(|(open, _)| next <= open);
            let beyond = section.is_some_and(|section| next > section);
            if behind || beyond {
                continue;
            }
            match self.open {
                None => write!(self.out, "{{\"schema\":\"{SCHEMA}\"")?,
                Some((_, false)) => write!(self.out, "]")?,
                Some((_, true)) => write!(self.out, "\n]")?,
            }
            write!(self.out, ",\n\"{next}\":[")?;
            self.open = Some((next, false));
        }
        Ok(())
    }
}

impl<W: io::Write> Writer for JsonWriter<W> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        let section = Section::of(item);
        if self.open.is_some_and(|(open, _)| section < open) {
            let late = format!("{section} come before what was written last");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, late));
        }
        self.go_to(Some(section))?;
        let first = self.open.replace((section, true)) == Some((section, false));
        self.line.clear();
        self.line.extend_from_slice(if first { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut self.line, item)?;
        self.out.write_all(&self.line)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.go_to(None)?;
        let filled = self.open.is_some_and(|(_, filled)| filled);
        self.out.write_all(if filled { b"\n]\n}\n" } else { b"]\n}\n" })?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, Dec, SafeText, Setting};

    fn category(name: &str) -> Item {
        Item::Category { name: SafeText::new(name), parent: None }
    }

    fn written(items: &[Item]) -> String {
        let mut out = Vec::new();
        let mut writer = JsonWriter::new(&mut out);
        for item in items {
            writer.item(item).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_list_is_there_and_every_element_has_a_line() {
        let rate = Item::Rate(crate::model::Rate {
            base: Currency::CAD,
            quote: Currency::USD,
            at: 0,
            source: SafeText::new("file"),
            rate: Dec::parse("0.75").unwrap(),
        });
        let items = [
            Item::Setting(Setting::BaseCurrency, "CAD".to_owned()),
            category("a \"b\""),
            category("c"),
            rate,
        ];
        let right = r#"{"schema":"dashtam.export/1",
"settings":[
{"key":"base_currency","value":"CAD"}
],
"accounts":[],
"categories":[
{"name":"a \"b\""},
{"name":"c"}
],
"securities":[],
"balances":[],
"transactions":[],
"deleted":[],
"prices":[],
"rates":[
{"base":"CAD","quote":"USD","at":"1970-01-01T00:00:00Z","source":"file","rate":"0.75"}
],
"watchlist":[],
"alerts":[],
"targets":[]
}
"#;
        assert_eq!(written(&items), right);
    }

    #[test]
    fn an_empty_store_is_a_document_too() {
        let lists = "settings accounts categories securities balances transactions deleted prices rates \
            watchlist alerts targets";
        let lists: Vec<_> = lists.split(' ').map(|list| format!("\"{list}\":[]")).collect();
        let right = format!("{{\"schema\":\"dashtam.export/1\",\n{}\n}}\n", lists.join(",\n"));
        assert_eq!(written(&[]), right);
    }

    #[test]
    fn the_last_list_is_closed_as_well() {
        let (dimension, key) = (SafeText::new("class"), SafeText::new("etf"));
        let target = Item::Target { dimension, key, weight: Dec::ONE, band: None };
        let end =
            "\"targets\":[\n{\"dimension\":\"class\",\"key\":\"etf\",\"weight\":\"1\"}\n]\n}\n";
        assert!(written(&[target]).ends_with(end));
    }

    #[test]
    fn a_list_cannot_be_taken_up_again() {
        let mut writer = JsonWriter::new(Vec::new());
        writer.item(&category("c")).unwrap();
        let late = writer.item(&Item::Setting(Setting::BaseCurrency, "CAD".to_owned()));
        assert!(late.is_err_and(|error| error.to_string().starts_with("settings come before")));
    }
}
