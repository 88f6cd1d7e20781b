//! What a source of prices calls a security.

use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{Change, Mention, SafeText, SecurityId};
use crate::service::price;
use crate::state::{Slice, Slot};

/// What sources call a security.
#[derive(Debug)]
pub struct Called {
    id: SecurityId,
    symbol: SafeText,
    /// What each of them calls it.
    known: Vec<(SafeText, SafeText)>,
}

impl Called {
    /// Of this id and symbol.
    pub const fn new(id: SecurityId, symbol: SafeText) -> Self {
        Self { id, symbol, known: Vec::new() }
    }

    fn called_by(&self, source: &str) -> &SafeText {
        let mine = self.known.iter().find(|(of, _)| of.as_str() == source);
        mine.map_or(&self.symbol, |(_, symbol)| symbol)
    }
}

impl Sheet for Called {
    fn title(&self) -> String {
        format!("What a source calls {}", self.symbol)
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let Some(Slice::Security(detail)) = around.look.answer(Slot::Security) else { return None };
        let held = detail.symbols.iter().filter(|row| row.until.is_none());
        self.known = held.map(|row| (row.source.clone(), row.symbol.clone())).collect();
        let connections = around.look.snapshot.iter().flat_map(|shown| shown.connections.iter());
        let mut sources: Vec<_> = connections.map(|row| row.connection.provider.clone()).collect();
        sources.extend(detail.sources.iter().map(|span| span.source.clone()));
        sources.extend(self.known.iter().map(|(source, _)| source.clone()));
        // Nobody asks a file, a person or a bank for prices.
        sources.retain(|source| price::sources().any(|id| id == source.as_str()));
        sources.sort();
        sources.dedup();
        let choices = sources
            .iter()
            .map(|source| Choice::of(source.as_str(), self.called_by(source.as_str()).as_str()));
        let source = sources.first().map(SafeText::to_string).unwrap_or_default();
        let symbol = self.called_by(&source).to_string();
        Some(Fields::of(vec![
            Field::new("source", Sort::Open(choices.collect())).with(source),
            Field::new("symbol", Sort::Text).called("calls it").proposing(symbol),
        ]))
    }

    fn settle(&self, fields: &mut Fields) {
        let symbol = self.called_by(&fields.text("source")).to_string();
        if let Some(field) = fields.get_mut("symbol") {
            field.follow(&symbol);
        }
    }

    fn note(&self, _: &Fields) -> Option<String> {
        Some(format!("Prices are asked for by it; empty or {}: as everybody does.", self.symbol))
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let source = Fields::needed("source", fields.name("source"))?;
        let symbol = fields.words("symbol", Mention::MAX)?;
        let symbol = symbol.filter(|symbol| *symbol != self.symbol);
        let is_known = self.known.iter().find(|(of, _)| *of == source).map(|(_, symbol)| symbol);
        let is_same = is_known == symbol.as_ref();
        let change = Change::SetSymbol(self.id, source, symbol);
        Ok((!is_same).then_some(change).into_iter().collect())
    }

    fn done(&self) -> &'static str {
        "changed what the source calls it"
    }
}
