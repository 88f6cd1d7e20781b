//! How much of the whole something should be.

use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::target::usual_band;
use crate::model::{Change, Dimension, NewTarget, SafeText};
use crate::state::{Slice, Slot};
use crate::text::percent;

/// A target: a slice and what was wanted of it.
#[derive(Debug)]
pub struct Wanted {
    by: Dimension,
    key: Option<SafeText>,
}

impl Wanted {
    /// Of a slice, if one is meant.
    pub const fn new(by: Dimension, key: Option<SafeText>) -> Self {
        Self { by, key }
    }
}

impl Sheet for Wanted {
    fn title(&self) -> String {
        "What a slice should be".to_owned()
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let rows = match around.look.answer(Slot::Parts) {
            Some(Slice::Parts(parts)) => parts.rows.as_slice(),
            _ => &[],
        };
        let own = rows.iter().find(|row| Some(&row.key) == self.key.as_ref());
        let slices = rows
            .iter()
            .map(|row| Choice::of(row.key.as_str(), percent(Some(row.weight)).into_string()));
        let by = Dimension::ALL.iter().map(|it| Choice::plain(it.as_str())).collect();
        let part = |part: Option<crate::model::Dec>| part.map(|it| it.to_string());
        let key = self.key.as_ref().map(SafeText::to_string).unwrap_or_default();
        let fields = Fields::of(vec![
            Field::new("dimension", Sort::Choice(by)).called("cut by").with(self.by.as_str()),
            Field::new("key", Sort::Open(slices.collect())).called("slice").with(key),
            Field::new("weight", Sort::Text)
                .with(own.and_then(|row| part(row.target)).unwrap_or_default()),
            Field::new("band", Sort::Text)
                .with(own.and_then(|row| part(row.band)).unwrap_or_default()),
        ]);
        Some(if self.key.is_some() { fields.beginning_at("weight") } else { fields })
    }

    fn note(&self, _: &Fields) -> Option<String> {
        let usual = percent(Some(usual_band()));
        Some(format!("Parts of 1, like 0.6 or 60%; without a band {usual} off is still right."))
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let target = NewTarget {
            dimension: Fields::needed("dimension", fields.word("dimension"))?,
            key: Fields::needed("key", fields.name("key"))?,
            weight: Fields::needed("weight", fields.part("weight"))?,
            band: fields.part("band")?,
        };
        Ok(vec![Change::SetTarget(target.check()?)])
    }

    fn done(&self) -> &'static str {
        "set the target"
    }
}
