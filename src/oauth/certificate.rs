//! The certificate by which a browser knows this machine: made here, signed by itself, good for a year.
//! A browser warns of it once, and remembers that somebody went on.

use chrono::{Datelike as _, NaiveDate};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::NoChance;
use crate::model::Secret;

/// How many days one serves, and how many before its end a new one is made.
const SERVES: u64 = 365;
const BEFORE_ITS_END: i64 = 14;
/// How the first line of the text begins.
const UNTIL: &str = "until ";

/// A certificate with its key.
pub struct Certificate {
    until: NaiveDate,
    /// What a browser is shown.
    pub shown: CertificateDer<'static>,
    /// What proves it.
    pub key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// Makes one that is good from a day on, as the text that is kept.
    ///
    /// # Errors
    /// When the machine has no chance to give.
    pub fn make(today: NaiveDate) -> Result<Secret, NoChance> {
        let until = today.checked_add_days(chrono::Days::new(SERVES)).unwrap_or(today);
        let instant = |day: NaiveDate| {
            let small = |number: u32| u8::try_from(number).unwrap_or(1);
            date_time_ymd(day.year(), small(day.month()), small(day.day()))
        };
        let key = KeyPair::generate().map_err(|_| NoChance)?;
        let names = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
        let mut params = CertificateParams::new(names).map_err(|_| NoChance)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "dashtam on this machine");
        // The clock of a browser may be a little behind.
        params.not_before = instant(today.pred_opt().unwrap_or(today));
        params.not_after = instant(until);
        let made = params.self_signed(&key).map_err(|_| NoChance)?;
        Ok(Secret::new(format!("{UNTIL}{until}\n{}{}", made.pem(), key.serialize_pem())))
    }

    /// Reads what is kept; none: it is something else.
    #[must_use]
    pub fn of(text: &Secret) -> Option<Self> {
        let text = text.expose();
        let until = text.lines().next()?.strip_prefix(UNTIL)?.parse().ok()?;
        let shown = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok()?;
        Some(Self { until, shown, key })
    }

    /// Whether it is good for some time yet.
    #[must_use]
    pub fn serves(&self, today: NaiveDate) -> bool {
        let left = self.until.signed_duration_since(today).num_days();
        (BEFORE_ITS_END..=SERVES.cast_signed()).contains(&left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_serves_for_a_year() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let made = Certificate::make(day("2026-11-22")).unwrap();
        let kept = Certificate::of(&made).unwrap();
        for (today, serves) in [
            ("2026-11-22", true),
            ("2027-11-08", true),
            ("2027-11-09", false),
            ("2028-01-01", false),
            ("2026-11-21", false),
        ] {
            assert_eq!(kept.serves(day(today)), serves, "{today}");
        }
        for wrong in ["", "until soon", "until 2027-11-22\nno certificate"] {
            assert!(Certificate::of(&Secret::new(wrong.to_owned())).is_none(), "{wrong}");
        }
    }
}
