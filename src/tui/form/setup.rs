//! What is asked once, where a store is new: the currency of totals and the zone of days.

use super::setting::{chosen, field_of};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{Change, Currency, Setting};

/// What the machine says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The currency of its country.
    pub currency: Currency,
    /// Its zone.
    pub zone: chrono_tz::Tz,
}

/// The question.
#[derive(Debug)]
pub struct Setup(pub Proposal);

impl Sheet for Setup {
    fn title(&self) -> String {
        "Welcome to dashtam".to_owned()
    }

    fn begin(&mut self, _: &Around<'_>) -> Option<Fields> {
        Some(Fields::of(vec![
            field_of(Setting::BaseCurrency).called("totals in").with(self.0.currency.code()),
            field_of(Setting::TimeZone).with(self.0.zone.name()),
        ]))
    }

    fn note(&self, _: &Fields) -> Option<String> {
        Some(
            "Two questions, asked once: in which currency totals are, and where a day begins. \
             `g o` changes both later."
                .to_owned(),
        )
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        [Setting::BaseCurrency, Setting::TimeZone]
            .map(|it| chosen(it, fields))
            .into_iter()
            .collect()
    }

    fn is_asked_once(&self) -> bool {
        true
    }

    fn done(&self) -> &'static str {
        "noted; choose a door"
    }
}
