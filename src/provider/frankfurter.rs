//! The reference rates of the European Central Bank, as Frankfurter serves them: what one euro cost in
//! each currency on each day of banking since 1999. Everybody may ask; it knows no security.
//!
//! Rates between two other currencies are computed here from those two: the service would round them
//! to the few digits of a bureau de change.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::Value;

use super::field::{number, unreadable};
use super::{
    Auth, DayBar, DayClose, Entry, Error, Line, Market, MarketSource, Pair, Result, Setup, Spot,
    Wanted,
};
use crate::http::{Answer, Limit, Request};
use crate::model::{Currency, Dec, Exact, SafeText};

/// None is published; this is what nobody minds.
const LIMITS: [Limit; 1] = [Limit { most: 10, span: TimeDelta::seconds(2) }];
/// The longest span in a question: of longer ones some servers tell one day a week.
const WINDOW: Days = Days::new(89);
/// Nobody is at work for so many days at most, so that a shorter span may have no rate at all.
const HOLIDAYS: Days = Days::new(10);
/// The first day of the euro.
const FIRST: Option<NaiveDate> = NaiveDate::from_ymd_opt(1999, 1, 4);
/// A rate between two others is as exact as both.
const DIGITS: u32 = 10;

pub(super) const ENTRY: Entry = Entry {
    id: "frankfurter",
    title: "European Central Bank",
    auth: Auth::Nobody,
    hosts: &["api.frankfurter.dev"],
    limits: &LIMITS,
    renews_within: 0,
    settles_within: 0,
    accounts: None,
    market: Some(|setup| Market::Frankfurter(Frankfurter { setup })),
    tells_prices: false,
    tells_rates: true,
};

/// The rates of the European Central Bank.
#[derive(Clone, Debug)]
pub struct Frankfurter {
    setup: Setup,
}

#[derive(Deserialize)]
struct Told {
    base: Option<String>,
    rates: Option<BTreeMap<String, BTreeMap<String, Value>>>,
}

impl MarketSource for Frankfurter {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        let unknown = |wanted: &Wanted| Err(Error::NoData(wanted.symbol.clone()));
        Ok(wanted.iter().map(unknown).collect())
    }

    async fn bars(&self, wanted: &Wanted, _: NaiveDate, _: NaiveDate) -> Result<Vec<DayBar>> {
        Err(Error::NoData(wanted.symbol.clone()))
    }

    async fn rates(&self, pair: &Pair, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayClose>> {
        let Some((line, _)) = &self.setup.line else { return Err(Error::Consent) };
        let name = SafeText::new(&format!("{}/{}", pair.base, pair.quote));
        let mut closes = Vec::new();
        let not_before = |day: NaiveDate| FIRST.map_or(day, |first| day.max(first));
        let mut start = not_before(from);
        while start <= to {
            let end = start.checked_add_days(WINDOW).map_or(to, |end| end.min(to));
            // A span without a day of banking in it would look like a currency that nobody knows.
            let first = start.checked_sub_days(HOLIDAYS).map_or(start, not_before);
            let answer = line.send(&asked(line, pair, first, end)?).await?;
            let told = read(&answer, pair)?;
            let told = told.unwrap_or_default();
            // On the first day the last rate before it holds, as on every day without one.
            let holds = told.iter().map(|it| it.date).filter(|date| *date <= start).max();
            let first = holds.filter(|_| closes.is_empty()).unwrap_or(start);
            closes.extend(told.into_iter().filter(|it| it.date >= first && it.date <= end));
            let Some(next) = end.succ_opt() else { break };
            start = next;
        }
        match closes.is_empty() {
            false => Ok(closes),
            true => Err(Error::NoData(name)),
        }
    }
}

/// What one euro cost in both. The euro itself is in no answer.
fn asked(line: &Arc<Line>, pair: &Pair, from: NaiveDate, to: NaiveDate) -> Result<Request> {
    let both = [pair.base, pair.quote];
    let names: Vec<_> = both.into_iter().filter(|it| *it != Currency::EUR).collect();
    let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let request = Request::get(line.at(&format!("/v1/{from}..{to}"))?);
    Ok(request.query("base", "EUR").query("symbols", &names))
}

/// Reads the rates of a span; none: it knows none, of these currencies or of these days.
fn read(answer: &Answer, pair: &Pair) -> Result<Option<Vec<DayClose>>> {
    match answer.status {
        404 | 422 => return Ok(None),
        _ if answer.is_well() => {}
        status => {
            let text = format!("Frankfurter answered with status {status}");
            return Err(Error::Unavailable(SafeText::new(&text)));
        }
    }
    let told: Told = serde_json::from_slice(&answer.body)
        .map_err(|error| Error::Unavailable(unreadable("answer", &error)))?;
    let wrong = |why: &str| Error::Unavailable(SafeText::new(why));
    if told.base.as_deref() != Some("EUR") {
        return Err(wrong("the rates are of another currency than the euro"));
    }
    let mut closes = Vec::new();
    for (day, rates) in told.rates.ok_or_else(|| wrong("there are no rates in the answer"))? {
        let date: NaiveDate = day.parse().map_err(|_| wrong("a rate is of no day"))?;
        let of = |currency: Currency| match currency {
            Currency::EUR => Ok(Some(Dec::ONE)),
            other => match rates.get(other.to_string().as_str()) {
                None => Ok(None),
                value => number(value)
                    .filter(|rate: &Dec| rate.is_positive())
                    .map(Some)
                    .ok_or_else(|| wrong(&format!("a rate of {date} is none"))),
            },
        };
        // Currencies come and go: what is not told of a day there is not.
        if let (Some(base), Some(quote)) = (of(pair.base)?, of(pair.quote)?) {
            let close = cross(base, quote).ok_or_else(|| wrong("a rate has too many digits"))?;
            closes.push(DayClose { date, close, currency: pair.quote });
        }
    }
    Ok(Some(closes))
}

/// What one of a currency costs in another, from what one euro costs in each.
fn cross(base: Dec, quote: Dec) -> Option<Dec> {
    if base == Dec::ONE {
        return Some(quote);
    }
    let (up, down) = (Exact::from(quote), Exact::from(base));
    let of = |places: u32| up.div_round(&down, places).ok();
    let is_exact = |rate: &Dec| rate.inner().mantissa().unsigned_abs() >= 10_u128.pow(DIGITS - 1);
    // Fewer digits are enough where that is all there are.
    (0..=28).filter_map(of).find(is_exact).or_else(|| of(DIGITS * 2))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::provider::Class;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn pair(base: Currency, quote: Currency) -> Pair {
        Pair { base, quote, since: None, last: None }
    }

    fn told(status: u16, body: &str, pair: &Pair) -> Result<Option<Vec<DayClose>>> {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        read(&Answer { status, body, date: None }, pair)
    }

    fn closes(body: &str, pair: &Pair) -> Vec<(String, String)> {
        let all = told(200, body, pair).unwrap().unwrap();
        all.iter().map(|it| (it.date.to_string(), it.close.to_string())).collect()
    }

    #[test]
    fn a_rate_between_two_is_that_of_both() {
        // By hand: 1.0843 / 1.4766 = 0.734322091..., 163.45 / 1.0843 = 150.74241446..., and so on.
        assert_eq!(cross(dec("1.4766"), dec("1.0843")), Some(dec("0.7343220913")));
        assert_eq!(cross(dec("1.0843"), dec("163.45")), Some(dec("150.7424145")));
        assert_eq!(cross(dec("163.45"), dec("1.0843")), Some(dec("0.006633832976")));
        assert_eq!(cross(dec("1"), dec("1.0843")), Some(dec("1.0843")), "as it is told");
        assert_eq!(cross(dec("1.0843"), dec("1")), Some(dec("0.9222539887")));
    }

    #[test]
    fn the_days_of_banking_are_read() {
        let body = "{\"amount\":1.0,\"base\":\"EUR\",\"start_date\":\"2026-02-06\",\
                    \"end_date\":\"2026-02-10\",\"rates\":{\"2026-02-06\":{\"CAD\":1.5,\"USD\":1.08},\
                    \"2026-02-09\":{\"CAD\":1.25,\"USD\":\"1.0843\"},\"2026-02-10\":{\"CAD\":1.25}}}";
        let day = |date: &str, rate: &str| (date.to_owned(), rate.to_owned());
        let usd = [day("2026-02-06", "1.08"), day("2026-02-09", "1.0843")];
        assert_eq!(closes(body, &pair(Currency::EUR, Currency::USD)), usd);
        let cad = [day("2026-02-06", "0.72"), day("2026-02-09", "0.86744")];
        assert_eq!(closes(body, &pair(Currency::CAD, Currency::USD)), cad);
        for status in [404, 422] {
            let none =
                told(status, "{\"message\":\"not found\"}", &pair(Currency::CAD, Currency::USD));
            assert_eq!(none, Ok(None));
        }
        for (status, wrong) in [
            (500, ""),
            (200, ""),
            (200, "[]"),
            (200, "{\"base\":\"USD\",\"rates\":{}}"),
            (200, "{\"base\":\"EUR\"}"),
            (200, "{\"base\":\"EUR\",\"rates\":{\"soon\":{\"USD\":1}}}"),
            (200, "{\"base\":\"EUR\",\"rates\":{\"2026-02-06\":{\"USD\":0}}}"),
            (200, "{\"base\":\"EUR\",\"rates\":{\"2026-02-06\":{\"USD\":\"NaN\"}}}"),
            (200, "{\"base\":\"EUR\",\"base\":\"EUR\",\"rates\":{}}"),
        ] {
            let error = told(status, wrong, &pair(Currency::EUR, Currency::USD)).unwrap_err();
            assert_eq!(error.class(), Class::Later(None), "{wrong}");
        }
    }
}
