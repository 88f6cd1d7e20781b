//! The configuration: what is wrong or unwise in it, and each effective value with its origin.

use std::collections::BTreeMap;

use super::{Check, Harm, Patient, Verdict};
use crate::keys::Keymap;
use crate::model::Setting;

/// What to do where a message does not say it.
const MEND: &str = "correct it in the config file, the environment or the flags";

pub fn look(patient: &Patient<'_>, checks: &mut Vec<Check>) {
    if let Some(error) = patient.broken {
        let mut check =
            Check::told(Verdict::Fail(Harm::Setup), "configuration", &error.to_string(), MEND);
        if patient.config.is_some() {
            let rest = "what follows is looked at as if there were no such file";
            check.detail = crate::model::SafeText::new(&format!("{}; {rest}", check.detail));
        }
        checks.push(check);
    }
    let Some(config) = patient.config else { return };
    if patient.broken.is_none() {
        let path = config.file.value.display();
        let detail = match config.file_exists {
            true => format!("read {path}"),
            false => format!("there is no {path}, so defaults count"),
        };
        checks.push(Check::ok("configuration", &detail));
    }
    let warnings = config.warnings().iter();
    checks
        .extend(warnings.map(|warning| {
            Check::told(Verdict::Warn, "configuration", &warning.to_string(), MEND)
        }));
    let (_, conflicts) = Keymap::with(&config.chosen_keys());
    checks.extend(
        conflicts
            .iter()
            .map(|conflict| Check::warn("configuration", &conflict.to_string(), "dashtam keys")),
    );
    checks.extend(config.effective().into_iter().map(|row| {
        let (name, value) = row.value;
        let name = if name == "config" { "file" } else { name.as_str() };
        Check::ok(&format!("config.{name}"), &format!("{value} ({})", row.from))
    }));
}

/// The settings that live in the store, since they change figures.
pub fn stored(chosen: &BTreeMap<String, String>, checks: &mut Vec<Check>) {
    for setting in Setting::ALL {
        let detail = match (chosen.get(setting.key()), setting.default()) {
            (Some(value), _) => format!("{value} (in the store)"),
            (None, Some(value)) => format!("{value} (default)"),
            (None, None) => "not chosen".to_owned(),
        };
        checks.push(Check::ok(&format!("settings.{}", setting.key()), &detail));
    }
}
