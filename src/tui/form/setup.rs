//! What is asked once, where a store is new: the currency of totals and the zone of days.

use super::account::{currencies, currency};
use super::field::{Choice, Field, Sort};
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
        let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| Choice::plain(zone.name())).collect();
        let [base, zone] = [Setting::BaseCurrency, Setting::TimeZone].map(Setting::key);
        Some(Fields::of(vec![
            Field::new(base, Sort::Open(currencies()))
                .called("totals in")
                .with(self.0.currency.code()),
            Field::new(zone, Sort::Choice(zones)).called("time zone").with(self.0.zone.name()),
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
        let base = Setting::BaseCurrency.key();
        let chosen = Fields::needed(base, fields.read(base, currency))?;
        let zone = Setting::TimeZone.key();
        let zone = Fields::needed(zone, fields.read(zone, |zone| Setting::TimeZone.check(zone)))?;
        Setting::BaseCurrency
            .check(chosen.code())
            .map_err(|error| Fault::in_field(base, error.to_string()))?;
        Ok(vec![
            Change::Set(Setting::BaseCurrency, chosen.code().to_owned()),
            Change::Set(Setting::TimeZone, zone),
        ])
    }

    fn is_asked_once(&self) -> bool {
        true
    }

    fn done(&self) -> &'static str {
        "noted; choose a door"
    }
}
