//! What the locale says of money: the currency of its country, a proposal and no more.

use super::Environment;
use crate::model::Currency;

/// Countries and what is paid with there; those of the euro stand below.
const PAID_WITH: &[(&str, &str)] = &[
    ("AE", "AED"),
    ("AR", "ARS"),
    ("AU", "AUD"),
    ("BD", "BDT"),
    ("BG", "EUR"),
    ("BH", "BHD"),
    ("BR", "BRL"),
    ("CA", "CAD"),
    ("CH", "CHF"),
    ("CL", "CLP"),
    ("CN", "CNY"),
    ("CO", "COP"),
    ("CZ", "CZK"),
    ("DK", "DKK"),
    ("EG", "EGP"),
    ("GB", "GBP"),
    ("HK", "HKD"),
    ("HU", "HUF"),
    ("ID", "IDR"),
    ("IL", "ILS"),
    ("IN", "INR"),
    ("IS", "ISK"),
    ("JP", "JPY"),
    ("KE", "KES"),
    ("KR", "KRW"),
    ("KW", "KWD"),
    ("LI", "CHF"),
    ("MX", "MXN"),
    ("MY", "MYR"),
    ("NG", "NGN"),
    ("NO", "NOK"),
    ("NZ", "NZD"),
    ("PE", "PEN"),
    ("PH", "PHP"),
    ("PK", "PKR"),
    ("PL", "PLN"),
    ("RO", "RON"),
    ("RS", "RSD"),
    ("RU", "RUB"),
    ("SA", "SAR"),
    ("SE", "SEK"),
    ("SG", "SGD"),
    ("TH", "THB"),
    ("TR", "TRY"),
    ("TW", "TWD"),
    ("UA", "UAH"),
    ("US", "USD"),
    ("VN", "VND"),
    ("ZA", "ZAR"),
];

/// The countries of the euro.
const EURO: &str = "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK";

/// The currency of the country that the locale names; none: it names none that is known.
pub(super) fn currency(environment: &Environment) -> Option<Currency> {
    let names = ["LC_ALL", "LC_MONETARY", "LANG"].into_iter();
    let locale = names.filter_map(|name| environment.word(name)).find(|word| !word.is_empty())?;
    let (_, country) = locale.split_once('_')?;
    let country = country.get(..2)?;
    let own = PAID_WITH.iter().find(|(name, _)| *name == country).map(|(_, code)| *code);
    let euro = EURO.split(' ').any(|name| name == country).then_some("EUR");
    Currency::parse(own.or(euro)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_country_of_the_locale_proposes_its_currency() {
        let of = |variables: &[(&'static str, &str)]| {
            let found = currency(&Environment::new(variables.iter().copied()));
            found.map(|currency| currency.code().to_owned())
        };
        assert_eq!(of(&[("LANG", "en_CA.UTF-8")]).as_deref(), Some("CAD"));
        let mixed = [("LANG", "en_US.UTF-8"), ("LC_MONETARY", "de_AT@euro")];
        assert_eq!(of(&mixed).as_deref(), Some("EUR"));
        for nothing in ["C.UTF-8", "en", "en_", "en_XX", ""] {
            assert_eq!(of(&[("LANG", nothing)]), None, "{nothing}");
        }
    }

    #[test]
    fn every_proposal_is_a_current_currency() {
        for (country, code) in PAID_WITH {
            assert!(Currency::parse(code).is_ok_and(Currency::is_current), "{country} {code}");
        }
    }
}
