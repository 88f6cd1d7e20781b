//! A security that somebody keeps an eye on.

use super::field::{Choice, Field, Sort};
use super::row::{symbol_of, symbols};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{Change, Mention, SafeText, SecurityId, WatchEdit, WatchTerms};

/// What is said of a security that is watched, or is to be.
#[derive(Debug)]
pub struct Watching {
    security: Option<SecurityId>,
    /// What is watched already, which nothing that is typed makes another one.
    there: Option<Mention>,
}

impl Watching {
    /// Of this one; none: of any.
    pub const fn new(security: Option<SecurityId>) -> Self {
        Self { security, there: None }
    }
}

impl Sheet for Watching {
    fn title(&self) -> String {
        match &self.there {
            Some(mention) => format!("Watch {}", mention.symbol),
            None => "Watch a security".to_owned(),
        }
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let report = around.look.snapshot.as_ref()?.watch.as_deref();
        let rows = report.map_or(&[][..], |report| &report.rows);
        let row = rows.iter().find(|row| Some(row.security) == self.security);
        let terms = row.and_then(|row| row.terms.clone());
        let known = &around.known.securities;
        let it = known.iter().find(|it| terms.is_some() && Some(it.id) == self.security);
        self.there = it.map(|it| Mention { isin: it.isin.clone(), ..it.mention() });
        let WatchTerms { list, note, .. } = terms.unwrap_or_default();
        let mut lists: Vec<_> =
            rows.iter().filter_map(|row| row.terms.as_ref()?.list.as_ref()).collect();
        lists.dedup();
        let lists = lists.into_iter().map(|list| Choice::plain(list.as_str())).collect();
        let text = |text: Option<SafeText>| text.map(SafeText::into_string).unwrap_or_default();
        let target = row.and_then(|row| row.target_today).map(|price| price.to_string());
        let symbol = self.security.and_then(|id| symbol_of(around.known, id));
        let mut fields = Fields::of(vec![
            Field::new("symbol", Sort::Open(symbols(known))).with(symbol.unwrap_or_default()),
            Field::new("group", Sort::Open(lists)).with(text(list)),
            Field::new("target", Sort::Number).with(target.unwrap_or_default()),
            Field::new("note", Sort::Text).with(text(note)),
        ]);
        if self.there.is_none() {
            return Some(fields);
        }
        if let Some(symbol) = fields.get_mut("symbol") {
            symbol.hidden = true;
        }
        Some(fields.beginning_at("target"))
    }

    fn note(&self, _: &Fields) -> Option<String> {
        let is_new = self.there.is_none();
        is_new.then(|| "One that is new is written with its currency, like NVDA@USD.".to_owned())
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let security = match &self.there {
            Some(mention) => mention.clone(),
            None => needed_symbol(fields)?,
        };
        let edit = WatchEdit {
            list: fields.edit("group", fields.name("group")?),
            note: fields.edit("note", fields.words("note", SafeText::MAX_BYTES)?),
            target: fields.edit("target", fields.dec("target")?),
        };
        let is_same = self.there.is_some() && edit == WatchEdit::default();
        Ok((!is_same).then_some(Change::Watch(security, edit)).into_iter().collect())
    }

    fn done(&self) -> &'static str {
        "watched"
    }
}

/// The security that is meant; there must be one.
pub(super) fn needed_symbol(fields: &Fields) -> Result<Mention, Fault> {
    Fields::needed("symbol", fields.mention("symbol"))
}
