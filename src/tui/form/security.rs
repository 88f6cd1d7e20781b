//! What a security is and is called.

use super::account::{currencies, currency};
use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{
    AssetClass, Change, Isin, Mention, SafeText, Security, SecurityEdit, SecurityId, Tags,
};

/// A security that is there.
#[derive(Debug)]
pub struct OldSecurity {
    id: SecurityId,
    symbol: SafeText,
}

impl OldSecurity {
    /// Of this id and symbol.
    pub const fn new(id: SecurityId, symbol: SafeText) -> Self {
        Self { id, symbol }
    }
}

impl Sheet for OldSecurity {
    fn title(&self) -> String {
        format!("Edit security {}", self.symbol)
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let it = around.known.securities.iter().find(|it| it.id == self.id)?;
        let text = |words: Option<&SafeText>| words.map(SafeText::to_string).unwrap_or_default();
        let all = &around.known.securities;
        let used = |of: fn(&Security) -> Option<&SafeText>| {
            let mut words: Vec<_> = all.iter().filter_map(of).collect();
            words.sort();
            words.dedup();
            Sort::Open(words.into_iter().map(|word| Choice::plain(word.as_str())).collect())
        };
        let classes = AssetClass::ALL.iter().map(|class| Choice::plain(class.as_str())).collect();
        let class = it.class.map(|class| class.to_string()).unwrap_or_default();
        let isin = it.isin.as_ref().map(Isin::to_string).unwrap_or_default();
        let tags = it.tags.as_ref().map(Tags::to_string).unwrap_or_default();
        Some(Fields::of(vec![
            Field::new("symbol", Sort::Text).with(it.symbol.as_str()),
            Field::new("name", Sort::Text).with(text(it.name.as_ref())),
            Field::new("class", Sort::Choice(classes)).with(class),
            Field::new("currency", Sort::Open(currencies())).with(it.currency.code()),
            Field::new("sector", used(|it| it.sector.as_ref())).with(text(it.sector.as_ref())),
            Field::new("region", used(|it| it.region.as_ref())).with(text(it.region.as_ref())),
            Field::new("tags", Sort::Text).with(tags),
            Field::new("venue", used(|it| it.venue.as_ref())).with(text(it.venue.as_ref())),
            Field::new("isin", Sort::Text).with(isin),
            Field::new("cusip", Sort::Text).with(text(it.cusip.as_ref())),
            Field::new("figi", Sort::Text).with(text(it.figi.as_ref())),
        ]))
    }

    fn note(&self, fields: &Fields) -> Option<String> {
        let renamed = fields.is_changed("symbol");
        renamed.then(|| "Rows keep to it; its old symbol goes on leading to it.".to_owned())
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let symbol = Fields::needed("symbol", fields.words("symbol", Mention::MAX))?;
        let currency = Fields::needed("currency", fields.read("currency", currency))?;
        let id = SafeText::MAX_ID;
        let edit = SecurityEdit {
            symbol: Some(symbol).filter(|_| fields.is_changed("symbol")),
            currency: Some(currency).filter(|_| fields.is_changed("currency")),
            class: fields.edit("class", fields.word("class")?),
            name: fields.edit("name", fields.name("name")?),
            venue: fields.edit("venue", fields.name("venue")?),
            isin: fields.edit("isin", fields.read("isin", Isin::parse)?),
            cusip: fields.edit("cusip", fields.words("cusip", id)?),
            figi: fields.edit("figi", fields.words("figi", id)?),
            sector: fields.edit("sector", fields.name("sector")?),
            region: fields.edit("region", fields.name("region")?),
            tags: fields.edit("tags", fields.read("tags", Tags::parse)?),
        };
        let is_changed = edit != SecurityEdit::default();
        Ok(is_changed.then_some(Change::EditSecurity(self.id, edit)).into_iter().collect())
    }

    fn done(&self) -> &'static str {
        "changed the security"
    }
}
