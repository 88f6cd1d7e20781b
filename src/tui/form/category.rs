//! The category of one row, or of all that are marked.

use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{Change, RowEdit, TransactionId};
use crate::text::counted;

/// These rows.
#[derive(Debug)]
pub struct Categorise(pub Vec<TransactionId>);

impl Sheet for Categorise {
    fn title(&self) -> String {
        format!("Category of {}", counted(self.0.len() as u64, "row"))
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let names = around.known.categories.iter().map(|name| Choice::plain(name.as_str()));
        Some(Fields::of(vec![Field::new("category", Sort::Open(names.collect()))]))
    }

    fn note(&self, _: &Fields) -> Option<String> {
        Some("An empty one takes the category away.".to_owned())
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let category = fields.name("category")?;
        let clear = if category.is_none() { vec!["category".to_owned()] } else { Vec::new() };
        let edit = RowEdit { category, clear, ..RowEdit::default() };
        let change = |id: &TransactionId| Change::EditTransaction(*id, Box::new(edit.clone()));
        Ok(self.0.iter().map(change).collect())
    }

    fn done(&self) -> &'static str {
        "sorted"
    }
}
