//! The value of a setting that changes figures.

use super::account::currencies;
use super::field::{Choice, Field, Sort};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{Change, LotMethod, Setting};
use crate::state::{Question, Slice};
use crate::tui::look::Look;

/// A setting.
#[derive(Debug)]
pub struct OneSetting(pub Setting);

impl Sheet for OneSetting {
    fn title(&self) -> String {
        format!("Choose {}", self.0.key())
    }

    fn question(&self, _: &Look) -> Option<Question> {
        Some(Question::Settings)
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let Some(Slice::Settings(rows)) = around.slice else { return None };
        let (_, value, _) = rows.iter().find(|(setting, ..)| *setting == self.0)?;
        Some(Fields::of(vec![field_of(self.0).with(value.clone().unwrap_or_default())]))
    }

    fn note(&self, _: &Fields) -> Option<String> {
        Some(format!("It is {}.", self.0.what()))
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let change = chosen(self.0, fields)?;
        Ok(fields.is_changed(self.0.key()).then_some(change).into_iter().collect())
    }

    fn done(&self) -> &'static str {
        "changed the setting"
    }
}

/// An empty field for a setting, with what it can be.
pub(super) fn field_of(setting: Setting) -> Field {
    let sort = match setting {
        Setting::BaseCurrency | Setting::TaxCurrency => Sort::Choice(currencies()),
        Setting::TimeZone => {
            let zones = chrono_tz::TZ_VARIANTS.iter();
            Sort::Choice(zones.map(|zone| Choice::plain(zone.name())).collect())
        }
        Setting::DefaultMethod => {
            let methods = LotMethod::ALL.iter();
            Sort::Choice(methods.map(|method| Choice::plain(method.as_str())).collect())
        }
        Setting::FeeTreatment => Sort::Choice(vec![
            Choice::of("in_cost", "fees are part of what a lot cost"),
            Choice::of("expense", "fees are spent, beside the cost"),
        ]),
        Setting::RiskFreeRate => Sort::Number,
    };
    Field::new(setting.key(), sort)
}

/// What stands in the field of a setting, as it is stored.
pub(super) fn chosen(setting: Setting, fields: &Fields) -> Result<Change, Fault> {
    let key = setting.key();
    let value = Fields::needed(key, fields.read(key, |text| setting.check(text)))?;
    Ok(Change::Set(setting, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_offered_fits() {
        for setting in Setting::ALL.iter().copied() {
            let field = field_of(setting);
            let choices = field.matches();
            assert_eq!(choices.is_empty(), setting == Setting::RiskFreeRate);
            for choice in choices {
                assert_eq!(setting.check(&choice.word).as_ref(), Ok(&choice.word));
            }
        }
    }
}
