//! What Alpaca tells of prices: the bars of days, as they were traded, and what was paid last. Shares
//! and coins are asked for in different places; of rights and currencies it is not asked.
//!
//! Without a paid plan what was paid last is that of one exchange, and bars of all of them are told but
//! for the last minutes. Bars of one exchange alone are never asked for: their closes are other ones.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::America::New_York;
use serde_json::Value;

use super::super::field::{number, text, unreadable};
use super::super::venues::may_be_american;
use super::super::{DayBar, DayClose, Error, MarketSource, Result, Spot, Wanted};
use super::{Alpaca, DATA, Way, said};
use crate::http::Answer;
use crate::model::{AssetClass, Currency, Dec, SafeText};

/// How many are asked for at once.
const AT_ONCE: usize = 100;
/// As many bars as an answer can have.
const PAGE: &str = "10000";
/// No span has more pages of them.
const MOST_PAGES: usize = 50;
/// Without a paid plan nothing newer is told of all exchanges.
const TOO_NEW: TimeDelta = TimeDelta::minutes(16);
/// Where that is still too new, as clocks differ.
const OLD_ENOUGH: TimeDelta = TimeDelta::hours(2);
/// An answer that something in the question spoils is asked for in halves, but so often and no more
/// where it does not say that it is a symbol.
const MOST_HALVES: usize = 40;

/// Where something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Desk {
    Shares,
    Coins,
}

impl Desk {
    const fn path(self) -> &'static str {
        match self {
            Self::Shares => "/v2/stocks",
            Self::Coins => "/v1beta3/crypto/us",
        }
    }

    /// The day that an instant belongs to.
    fn day(self, at: DateTime<Utc>) -> NaiveDate {
        match self {
            Self::Shares => at.with_timezone(&New_York).date_naive(),
            Self::Coins => at.date_naive(),
        }
    }
}

impl MarketSource for Alpaca {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        let Some((line, kept)) = &self.setup.line else { return Err(Error::Consent) };
        let way = Way::of(line, kept)?;
        let names: Vec<_> = wanted.iter().map(name).collect();
        let mut told = HashMap::new();
        for desk in [Desk::Shares, Desk::Coins] {
            let of_desk = names.iter().flatten().filter(|(other, _)| *other == desk);
            let of_desk: Vec<_> = of_desk.map(|(_, name)| name.as_str()).collect();
            for names in of_desk.chunks(AT_ONCE) {
                latest(&way, desk, names, &mut told).await?;
            }
        }
        let spot = |(wanted, name): (&Wanted, &Option<(Desk, String)>)| {
            let spot = name.as_ref().and_then(|(_, name)| told.get(name)).copied();
            spot.ok_or_else(|| Error::NoData(wanted.symbol.clone()))
        };
        Ok(wanted.iter().zip(&names).map(spot).collect())
    }

    async fn bars(&self, wanted: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayBar>> {
        let Some((line, kept)) = &self.setup.line else { return Err(Error::Consent) };
        let nothing = || Error::NoData(wanted.symbol.clone());
        let (desk, name) = name(wanted).ok_or_else(nothing)?;
        let way = Way::of(line, kept)?;
        let now = self.setup.clock.now();
        let start = from.and_time(NaiveTime::MIN).and_utc();
        let last = to.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1);
        let mut end = last.min(now - TOO_NEW);
        // By day: a day that is told on two pages is one.
        let (mut bars, mut token) = (BTreeMap::new(), None::<SafeText>);
        for _ in 0..MOST_PAGES {
            let mut answer = page(&way, desk, &name, (start, end), token.as_ref()).await?;
            if said::is_of_plan(&answer) {
                end = last.min(now - OLD_ENOUGH);
                answer = page(&way, desk, &name, (start, end), token.as_ref()).await?;
            }
            // There is but one symbol in the question.
            if said::is_of_question(&answer) && token.is_none() {
                return Err(nothing());
            }
            let page = document(&said::accepted(&answer)?)?;
            let told = page.get("bars").and_then(|bars| bars.get(&name));
            let told = told.and_then(Value::as_array).into_iter().flatten();
            // One that cannot be read spoils no other.
            for bar in told.filter_map(|bar| read(desk, bar)) {
                if (from..=to).contains(&bar.close.date) {
                    bars.insert(bar.close.date, bar);
                }
            }
            match text(page.get("next_page_token")) {
                None => return Ok(bars.into_values().collect()),
                // One that says the same again would go on for ever.
                Some(next) if token.as_ref() == Some(&next) => break,
                Some(next) => token = Some(next),
            }
        }
        Err(wrong("the pages of its bars do not come to an end"))
    }
}

/// Where something is asked for, and by which name; none: it is not known there.
fn name(wanted: &Wanted) -> Option<(Desk, String)> {
    let symbol = wanted.symbol.as_str();
    if wanted.currency != Currency::USD {
        return None;
    }
    match wanted.class {
        Some(AssetClass::Crypto) if symbol.contains('/') => {
            // Priced in another coin it is not priced in dollars.
            symbol.ends_with("/USD").then(|| (Desk::Coins, symbol.to_owned()))
        }
        Some(AssetClass::Crypto) => Some((Desk::Coins, format!("{symbol}/USD"))),
        None | Some(AssetClass::Equity | AssetClass::Etf) => {
            if !may_be_american(wanted) {
                return None;
            }
            // What is no symbol of a share would spoil the answer of all others.
            let symbol = symbol.replace(['-', '/', ' '], ".");
            let is_one = |byte: u8| byte.is_ascii_uppercase() || byte == b'.';
            let is_share = symbol.len() <= 8 && symbol.bytes().all(is_one);
            is_share.then_some((Desk::Shares, symbol))
        }
        _ => None,
    }
}

/// Asks for a page of the bars of days.
async fn page(
    way: &Way<'_>,
    desk: Desk,
    name: &str,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    token: Option<&SafeText>,
) -> Result<Answer> {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (start, end) = (written(start), written(end));
    let mut query = vec![
        ("symbols", name),
        ("timeframe", "1Day"),
        ("start", &start),
        ("end", &end),
        ("limit", PAGE),
    ];
    if desk == Desk::Shares {
        // As it was traded. Days before it was renamed are told under the name of today: by the name
        // of then, those of whoever had that before would be told, too.
        query.push(("adjustment", "raw"));
    }
    query.extend(token.map(|token| ("page_token", token.as_str())));
    way.send(DATA, &format!("{}/bars", desk.path()), &query).await
}

/// What was paid last. One that is not known may spoil the answer of all: they are asked for in halves
/// then.
async fn latest(
    way: &Way<'_>,
    desk: Desk,
    names: &[&str],
    told: &mut HashMap<String, Spot>,
) -> Result<()> {
    let path = format!("{}/snapshots", desk.path());
    let (mut left, mut refused) = (vec![names], 0);
    while let Some(names) = left.pop() {
        let answer = way.send(DATA, &path, &[("symbols", &names.join(","))]).await?;
        if said::is_of_question(&answer) {
            refused += usize::from(!said::is_of_symbol(&answer));
            if refused > MOST_HALVES {
                return said::accepted(&answer).map(|_| ());
            }
            if names.len() > 1 {
                let (one, other) = names.split_at(names.len() / 2);
                left.extend([one, other]);
            }
            continue;
        }
        let page = document(&said::accepted(&answer)?)?;
        // Shares stand at the top, coins in something.
        let all = page.get("snapshots").unwrap_or(&page);
        for name in names {
            let trade = all.get(name).and_then(|it| it.get("latestTrade"));
            // One that was taken back or corrected was not paid.
            let trade = trade.filter(|trade| trade.get("u").is_none_or(Value::is_null));
            if let Some((at, price)) = trade.and_then(|trade| priced(trade, "p")) {
                let (date, currency) = (desk.day(at), Currency::USD);
                told.insert((*name).to_owned(), Spot { at, date, price, currency });
            }
        }
    }
    Ok(())
}

/// A bar of a day; none: it has no day or no close.
fn read(desk: Desk, bar: &Value) -> Option<DayBar> {
    let (at, close) = priced(bar, "c")?;
    let part = |name: &str| number(bar.get(name));
    Some(DayBar {
        open: part("o"),
        high: part("h"),
        low: part("l"),
        close: DayClose { date: desk.day(at), close, currency: Currency::USD },
        volume: part("v"),
        split_adjusted: false,
    })
}

/// When something was priced, and the price.
fn priced(value: &Value, price: &str) -> Option<(DateTime<Utc>, Dec)> {
    let at = DateTime::parse_from_rfc3339(value.get("t")?.as_str()?).ok()?.to_utc();
    let price = number(value.get(price)).filter(|price| price.is_positive())?;
    Some((at, price))
}

fn document(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| Error::Unavailable(unreadable("answer", &error)))
}

fn wrong(why: &str) -> Error {
    Error::Unavailable(SafeText::new(why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(symbol: &str, class: Option<AssetClass>) -> Wanted {
        let symbol = SafeText::new(symbol);
        Wanted { symbol, currency: Currency::USD, class, venue: None, last: None, paid: vec![] }
    }

    #[test]
    fn what_is_traded_there_is_asked_for_by_its_name_there() {
        let coin = Some(AssetClass::Crypto);
        let named = |wanted: &Wanted| name(wanted).map(|(desk, name)| format!("{desk:?} {name}"));
        for (symbol, class, asked) in [
            ("AAPL", None, Some("Shares AAPL")),
            ("VTI", Some(AssetClass::Etf), Some("Shares VTI")),
            ("BRK.B", Some(AssetClass::Equity), Some("Shares BRK.B")),
            ("BRK-B", None, Some("Shares BRK.B")),
            ("BRK/B", None, Some("Shares BRK.B")),
            ("BTC", coin, Some("Coins BTC/USD")),
            ("BTC/USD", coin, Some("Coins BTC/USD")),
            ("ETH/BTC", coin, None),
            ("ETH/USDT", coin, None),
            ("AAPL240719C00150000", Some(AssetClass::Option), None),
            ("AAPL240719C00150000", None, None),
            ("VTSAX", Some(AssetClass::MutualFund), None),
            ("7203", None, None),
            ("a,b", None, None),
        ] {
            assert_eq!(named(&wanted(symbol, class)).as_deref(), asked, "{symbol} {class:?}");
        }
        let other = Wanted { currency: Currency::CAD, ..wanted("SHOP", None) };
        assert_eq!(named(&other), None);
        let at = |venue| Wanted { venue: Some(SafeText::new(venue)), ..wanted("VUSD", None) };
        assert_eq!(named(&at("Nasdaq")).as_deref(), Some("Shares VUSD"));
        assert_eq!(named(&at("LSE")), None, "it is quoted in dollars there, too");
    }

    /// 10: midnight in New York is at another time of UTC before and after the clocks change; the days
    /// of coins are those of UTC, however they are written.
    #[test]
    fn a_bar_is_of_the_day_where_it_was_traded() {
        let bar = |desk, at: &str| {
            let bar = json!({"t": at, "o": 1, "h": 2, "l": 0.5, "c": 1.5, "v": 3});
            read(desk, &bar).unwrap().close.date.to_string()
        };
        assert_eq!(bar(Desk::Shares, "2026-10-30T04:00:00Z"), "2026-10-30");
        assert_eq!(bar(Desk::Shares, "2026-11-02T05:00:00Z"), "2026-11-02");
        for at in ["2026-11-02T00:00:00Z", "2026-11-02T05:00:00Z", "2026-11-02T06:00:00Z"] {
            assert_eq!(bar(Desk::Coins, at), "2026-11-02");
        }
    }

    /// 20.
    #[test]
    fn digits_survive_as_they_are_written() {
        let body = br#"{"t":"2026-11-18T05:00:00Z","o":1e-7,"h":0.00001234,"l":1e-7,
            "c":0.00001233999999999,"v":31004500000,"n":5}"#;
        let bar = read(Desk::Shares, &document(body).unwrap()).unwrap();
        let digits = |dec: Option<Dec>| dec.unwrap().to_string();
        assert_eq!(digits(bar.open), "0.0000001");
        assert_eq!(digits(bar.high), "0.00001234");
        assert_eq!(bar.close.close.to_string(), "0.00001233999999999");
        assert_eq!(digits(bar.volume), "31004500000");
        for wrong in [json!({"t": "soon", "c": 1}), json!({"t": "2026-11-18T05:00:00Z", "c": 0})] {
            assert_eq!(read(Desk::Shares, &wrong), None);
        }
    }
}
