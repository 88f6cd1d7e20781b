//! `doctor`: everything that could be wrong around a store and in it, each with what mends it. It
//! only looks: nothing is made, migrated or mended, and it goes on where a part cannot be looked at.

mod backup;
mod clock;
mod configuration;
mod database;
mod folders;
mod rows;
mod space;
mod terminal;
mod trail;

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Environment};
use crate::model::SafeText;
use crate::text::counted;

/// What somebody wants to know the health of.
#[derive(Debug)]
pub struct Patient<'a> {
    /// The configuration, as far as it can be had.
    pub config: Option<&'a Config>,
    /// What is wrong with it.
    pub broken: Option<&'a ConfigError>,
    /// What the surroundings say.
    pub environment: &'a Environment,
    /// The time.
    pub clock: &'a Clock,
}

/// How much worse one failure is than another: the last one decides how the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// The configuration, a permission, the machine.
    Setup,
    /// What is stored cannot be reached, or can be made again.
    Storage,
    /// What is stored is not what was written.
    Damage,
    /// The store is of a newer program.
    Newer,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It works, and should be known.
    Warn,
    /// It does not work.
    Fail(Harm),
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: SafeText,
    /// How it is.
    pub verdict: Verdict,
    /// In words.
    pub detail: SafeText,
    /// What to do about it.
    pub fix: Option<SafeText>,
}

impl Check {
    fn new(name: &str, verdict: Verdict, detail: &str, fix: Option<&str>) -> Self {
        let fix = fix.map(SafeText::new);
        Self { name: SafeText::new(name), verdict, detail: SafeText::new(detail), fix }
    }

    fn renamed(self, name: &str) -> Self {
        Self { name: SafeText::new(name), ..self }
    }

    fn ok(name: &str, detail: &str) -> Self {
        Self::new(name, Verdict::Ok, detail, None)
    }

    fn warn(name: &str, detail: &str, fix: &str) -> Self {
        Self::new(name, Verdict::Warn, detail, Some(fix))
    }

    fn fail(harm: Harm, name: &str, detail: &str, fix: &str) -> Self {
        Self::new(name, Verdict::Fail(harm), detail, Some(fix))
    }

    /// A message that ends with its remedy, as those of the configuration do; another one has the
    /// remedy that is given.
    fn told(verdict: Verdict, name: &str, message: &str, remedy: &str) -> Self {
        match message.rsplit_once("; ") {
            Some((detail, fix)) => {
                let fix = fix.strip_prefix("run: ").unwrap_or(fix);
                Self::new(name, verdict, detail, Some(fix))
            }
            None => Self::new(name, verdict, message, Some(remedy)),
        }
    }
}

/// Looks at everything, the surroundings first.
pub async fn run(patient: &Patient<'_>) -> Vec<Check> {
    let mut checks = vec![Check::ok("version", env!("CARGO_PKG_VERSION"))];
    terminal::look(patient, &mut checks);
    clock::look(patient, &mut checks);
    configuration::look(patient, &mut checks);
    let Some(config) = patient.config else { return checks };
    folders::look(config, &mut checks);
    space::look(config, &mut checks);
    database::look(config, patient.clock, &mut checks).await;
    trail::look(config, patient.clock, &mut checks).await;
    backup::offer(config, &mut checks);
    checks
}

/// The worst that was found; none: nothing fails.
#[must_use]
pub fn worst(checks: &[Check]) -> Option<Harm> {
    let harm = |check: &Check| match check.verdict {
        Verdict::Fail(harm) => Some(harm),
        Verdict::Ok | Verdict::Warn => None,
    };
    checks.iter().filter_map(harm).max()
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut unit) = (bytes, 0);
    while whole >= 10_240 && unit + 1 < UNITS.len() {
        whole /= 1024;
        unit += 1;
    }
    match unit {
        0 => counted(whole, "byte"),
        _ => format!("{whole} {}", UNITS.get(unit).copied().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_a_unit_that_fits() {
        for (bytes, told) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (10_239, "10239 bytes"),
            (10_240, "10 KiB"),
            (30 << 20, "30 MiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(size(bytes), told);
        }
    }

    #[test]
    fn the_worst_failure_counts_and_a_warning_is_none() {
        let warn = || Check::warn("a", "b", "c");
        let fail = |harm| Check::fail(harm, "a", "b", "c");
        assert_eq!(worst(&[warn(), Check::ok("a", "b")]), None);
        let all = [fail(Harm::Storage), fail(Harm::Setup), warn()];
        assert_eq!(worst(&all), Some(Harm::Storage));
        assert_eq!(worst(&[fail(Harm::Newer), fail(Harm::Storage)]), Some(Harm::Newer));
    }

    #[test]
    fn what_mends_it_is_taken_out_of_a_message() {
        let check = Check::told(Verdict::Warn, "x", "the mode is 644; run: chmod 600 x", "y");
        assert_eq!(check.detail.as_str(), "the mode is 644");
        assert_eq!(check.fix.unwrap().as_str(), "chmod 600 x");
        let check = Check::told(Verdict::Warn, "x", "nothing is said", "try y");
        assert_eq!(check.detail.as_str(), "nothing is said");
        assert_eq!(check.fix.unwrap().as_str(), "try y");
    }
}
