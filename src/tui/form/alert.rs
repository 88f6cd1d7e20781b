//! When somebody wants to be told of a security.

use super::field::{Choice, Field, Sort};
use super::row::{symbol_of, symbols};
use super::watch::needed_symbol;
use super::{Around, Fault, Fields, Sheet};
use crate::model::{AlertEdit, AlertId, AlertOf, AlertTerms, Change, SafeText, SecurityId, Side};
use crate::state::AlertRow;
use crate::tui::figure::{figure, part};

/// A new alert.
#[derive(Debug)]
pub struct NewAlert(pub Option<SecurityId>);

/// An alert that is there.
#[derive(Debug)]
pub struct OldAlert(pub AlertId);

impl Sheet for NewAlert {
    fn title(&self) -> String {
        "Be told of a security".to_owned()
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let symbol = self.0.and_then(|id| symbol_of(around.known, id)).unwrap_or_default();
        let known = symbols(&around.known.securities);
        let mut fields = vec![Field::new("symbol", Sort::Open(known)).with(symbol)];
        fields.extend(rest(None));
        let fields = Fields::of(fields);
        Some(if self.0.is_some() { fields.beginning_at("what") } else { fields })
    }

    fn settle(&self, fields: &mut Fields) {
        fit(fields);
    }

    fn note(&self, fields: &Fields) -> Option<String> {
        help(fields)
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        Ok(vec![Change::AddAlert(needed_symbol(fields)?, terms(fields)?)])
    }

    fn done(&self) -> &'static str {
        "added the alert"
    }
}

impl Sheet for OldAlert {
    fn title(&self) -> String {
        format!("Edit alert {}", self.0)
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let report = around.look.snapshot.as_ref()?.watch.as_deref()?;
        let row = report.alerts.iter().find(|row| row.id == self.0)?;
        Some(Fields::of(rest(Some(row))).beginning_at("bound"))
    }

    fn settle(&self, fields: &mut Fields) {
        fit(fields);
    }

    fn note(&self, fields: &Fields) -> Option<String> {
        help(fields)
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let AlertTerms { of, side, bound, note, snoozed, .. } = terms(fields)?;
        // What a side and a bound mean depends on what they are of.
        let is_other = fields.is_changed("what");
        let edit = AlertEdit {
            of: is_other.then_some(of),
            side: (is_other || fields.is_changed("side")).then_some(side),
            bound: (is_other || fields.is_changed("bound")).then_some(bound),
            note: fields.edit("note", note),
            snoozed: fields.edit("silent_until", snoozed),
        };
        let is_same = edit == AlertEdit::default();
        Ok((!is_same).then_some(Change::EditAlert(self.0, edit)).into_iter().collect())
    }

    fn done(&self) -> &'static str {
        "changed the alert"
    }
}

/// Its fields but the security, as they are or as they begin.
fn rest(row: Option<&AlertRow>) -> Vec<Field> {
    let of = row.map_or(AlertOf::Price, |row| row.terms.of);
    let side = row.map_or(Side::Above, |row| row.terms.side);
    let bound = row.and_then(|row| row.bound_today).map(|bound| of.written(bound));
    let silent = row.filter(|row| row.silent).and_then(|row| row.terms.snoozed);
    let note = row.and_then(|row| row.terms.note.clone()).map(SafeText::into_string);
    let words = |of: &AlertOf| {
        let more = match of {
            AlertOf::Price => "of one",
            AlertOf::Change => "since the price before",
            AlertOf::Stale => "days old",
            AlertOf::Value => "of all that is held",
            AlertOf::Weight => "as a part of everything",
        };
        Choice::of(of.as_str(), more)
    };
    let ofs = AlertOf::ALL.iter().map(words).collect();
    let sides = Side::ALL.iter().map(|side| Choice::plain(side.as_str())).collect();
    let mut fields = vec![
        Field::new("what", Sort::Choice(ofs)).with(of.as_str()),
        Field::new("side", Sort::Choice(sides)).with(side.as_str()),
        Field::new("bound", Sort::Text).with(bound.unwrap_or_default()),
        Field::new("note", Sort::Text).with(note.unwrap_or_default()),
    ];
    if row.is_some() {
        let day = silent.map(|day| day.to_string()).unwrap_or_default();
        fields.push(Field::new("silent_until", Sort::Day).with(day));
    }
    fields
}

/// A price is stale above a number of days, and never below; a value tells how much somebody has.
fn fit(fields: &mut Fields) {
    let of = fields.word::<AlertOf>("what").ok().flatten();
    if let Some(side) = fields.get_mut("side") {
        side.hidden = of == Some(AlertOf::Stale);
    }
    if let Some(bound) = fields.get_mut("bound") {
        bound.sort = match of {
            Some(AlertOf::Value) => Sort::Amount,
            Some(AlertOf::Price | AlertOf::Stale) => Sort::Number,
            Some(AlertOf::Change | AlertOf::Weight) | None => Sort::Text,
        };
    }
}

fn help(fields: &Fields) -> Option<String> {
    let of = fields.word::<AlertOf>("what").ok()??;
    Some(match of {
        AlertOf::Price => "A price in the currency of the security.".to_owned(),
        AlertOf::Change => {
            "Against the price before: 5% is a rise, -5% (with below) a fall.".to_owned()
        }
        AlertOf::Stale => "Told once its price is more days old than this.".to_owned(),
        AlertOf::Value => "All accounts together, in the base currency.".to_owned(),
        AlertOf::Weight => "A part of all that is held, like 25% or 0.25.".to_owned(),
    })
}

fn terms(fields: &Fields) -> Result<AlertTerms, Fault> {
    let of = Fields::needed("what", fields.word::<AlertOf>("what"))?;
    let side = match of {
        AlertOf::Stale => Side::Above,
        _ => Fields::needed("side", fields.word::<Side>("side"))?,
    };
    let bound = match of.is_part() {
        true => fields.read("bound", part),
        false => fields.read("bound", |text| figure(text).map(|(bound, _)| bound)),
    };
    let bound = Fields::needed("bound", bound)?;
    of.check_part(&fields.text("bound"), bound)
        .map_err(|error| Fault::in_field("bound", error.to_string()))?;
    let snoozed = fields.day("silent_until")?;
    let note = fields.words("note", SafeText::MAX_BYTES)?;
    let terms = AlertTerms { of, side, bound, note, units_of: None, said_in: None, snoozed };
    terms.check()?;
    Ok(terms)
}
