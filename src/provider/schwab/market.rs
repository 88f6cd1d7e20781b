//! What Schwab tells of prices: what was paid last, of five hundred at once, and the days of what is
//! traded like a share. Of indices, futures, currencies, coins and bonds, which are priced in other ways
//! than they are held, it is not asked.
//!
//! Its days are restated for splits, and nothing in them says for which: a share that became four last
//! year is told at a quarter of what was paid for it the year before. So only those days are told that are
//! proved to be as they were traded: those since a close that is known and told the same, or since the
//! first trade at a price that is told for its day.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, NaiveDate, NaiveTime};
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::info;

use super::super::field::{number, parse, text};
use super::super::venues::may_be_american;
use super::super::{DayBar, DayClose, Error, MarketSource, Result, Spot, Wanted};
use super::accounts::whole;
use super::wire::{Candle, Candles, Quote, Quoted, When, when_of};
use super::{Schwab, Way, said};
use crate::model::{AssetClass, Currency, Dec, Exact, SafeText};

const QUOTES: &str = "/marketdata/v1/quotes";
const HISTORY: &str = "/marketdata/v1/pricehistory";
/// How many are asked for at once.
const AT_ONCE: usize = 500;
/// A name that it minds spoils the answer of all: they are asked for in halves then, but so often and
/// no more.
const MOST_HALVES: usize = 40;
/// Two tellings of one close may be so many hundredths apart; a split that is usual moves it by more.
const APART: i64 = 4;
const HUNDRED: i64 = 100;
/// A close holds over so many days without trading.
const HOLIDAYS: i64 = 7;
/// Where no price is known so many days are told: a split of them would have been heard of.
const RECENT: Days = Days::new(5);

impl MarketSource for Schwab {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        let Some((line, access)) = &self.setup.line else { return Err(Error::Consent) };
        let way = Way { line, access };
        let names: Vec<_> = wanted.iter().map(names).collect();
        let all: BTreeSet<_> = names.iter().flatten().map(String::as_str).collect();
        let all: Vec<_> = all.into_iter().collect();
        let mut told = HashMap::new();
        for names in all.chunks(AT_ONCE) {
            latest(way, names, &mut told).await?;
        }
        let spot = |(wanted, names): (&Wanted, &Vec<String>)| {
            let spot = names.iter().find_map(|name| told.get(name.as_str())).and_then(spot);
            spot.ok_or_else(|| Error::NoData(wanted.symbol.clone()))
        };
        Ok(wanted.iter().zip(&names).map(spot).collect())
    }

    async fn bars(&self, wanted: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayBar>> {
        let nothing = || Error::NoData(wanted.symbol.clone());
        if !matches!(wanted.class, None | Some(AssetClass::Equity | AssetClass::Etf)) {
            return Err(nothing());
        }
        let Some((line, access)) = &self.setup.line else { return Err(Error::Consent) };
        let way = Way { line, access };
        // With the days around what is known, which proves the rest.
        let known = wanted.last.map_or(to, |last| last.date);
        let first = from.min(known).checked_sub_days(RECENT).unwrap_or(from);
        for name in names(wanted) {
            let days = days(way, &name, first, to.max(known)).await?;
            if !days.is_empty() {
                return as_traded(wanted, &days, from, to);
            }
        }
        Err(nothing())
    }
}

/// What something may be called there, the likeliest first; nothing: it is not asked for.
fn names(wanted: &Wanted) -> Vec<String> {
    let symbol = wanted.symbol.as_str();
    if wanted.currency != Currency::USD {
        return Vec::new();
    }
    match wanted.class {
        Some(AssetClass::Option) => right(symbol).into_iter().collect(),
        None | Some(AssetClass::Equity | AssetClass::Etf) if !may_be_american(wanted) => Vec::new(),
        None
        | Some(
            AssetClass::Equity
            | AssetClass::Etf
            | AssetClass::MutualFund
            | AssetClass::CashEquivalent,
        ) => share(symbol),
        _ => Vec::new(),
    }
}

/// The name of a right: its root with blanks to six letters, the day, the side and the strike. Others
/// write it without the blanks.
fn right(symbol: &str) -> Option<String> {
    let (root, rest) = symbol.split_at_checked(symbol.len().checked_sub(15)?)?;
    let root = root.trim_end();
    let shape: String =
        rest.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    let is_root = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit();
    let is_right = matches!(shape.as_str(), "000000C00000000" | "000000P00000000")
        && (1..=6).contains(&root.len())
        && root.bytes().all(is_root);
    is_right.then(|| format!("{root:<6}{rest}"))
}

/// The names of what is traded by letters alone. Classes of shares are behind a slash there, and others
/// write a dot: both are asked for.
fn share(symbol: &str) -> Vec<String> {
    let is_name = |letter: u8| letter.is_ascii_uppercase() || matches!(letter, b'.' | b'/');
    let begins = symbol.starts_with(|letter: char| letter.is_ascii_uppercase());
    if !begins || symbol.len() > 10 || !symbol.bytes().all(is_name) {
        return Vec::new();
    }
    let mut names = vec![symbol.replace('.', "/"), symbol.to_owned()];
    names.dedup();
    names
}

/// What was paid last, by name. What is not known there stands among errors, or nowhere.
async fn latest(way: Way<'_>, names: &[&str], told: &mut HashMap<String, Quoted>) -> Result<()> {
    let (mut left, mut refused) = (vec![names], 0);
    while let Some(names) = left.pop() {
        let query = [("symbols", &*names.join(",")), ("fields", "quote"), ("indicative", "false")];
        let answer = way.send(QUOTES, &query).await?;
        // Or there are too many of them for an address.
        if matches!(answer.status, 400 | 404 | 414) {
            refused += 1;
            if refused > MOST_HALVES {
                return said::accepted_prices(&answer).map(|_| ());
            }
            let (one, other) = names.split_at(names.len() / 2);
            let halves = [one, other].into_iter().filter(|half| !half.is_empty());
            left.extend(halves.filter(|_| names.len() > 1));
            continue;
        }
        let body = said::accepted_prices(&answer)?;
        let page: HashMap<String, Box<RawValue>> = whole(&body)?;
        for name in names {
            // One that cannot be read spoils no other.
            if let Some(quoted) = page.get(*name).and_then(|raw| parse(raw).ok()) {
                told.insert((*name).to_owned(), quoted);
            }
        }
    }
    Ok(())
}

/// The price of one unit now. The close that stands beside it is that of the day before, and a zero
/// says that there is none.
fn spot(quoted: &Quoted) -> Option<Spot> {
    let quote = quoted.quote.as_ref()?;
    let paid = || priced(quote.last_price.as_ref(), quote.trade_time.as_ref());
    let (When { at, date }, price) = match text(quoted.asset_main_type.as_ref())?.as_str() {
        "EQUITY" => paid(),
        "MUTUAL_FUND" => priced(quote.nav.as_ref(), quote.trade_time.as_ref()).or_else(paid),
        // Of most rights nothing was paid for days.
        "OPTION" => middle(quote).or_else(paid),
        _ => None,
    }?;
    Some(Spot { at, date, price, currency: Currency::USD })
}

/// What a right is valued with there, where somebody bids and somebody asks.
fn middle(quote: &Quote) -> Option<(When, Dec)> {
    let (bid, ask) = (above(quote.bid_price.as_ref())?, above(quote.ask_price.as_ref())?);
    let mark = priced(quote.mark.as_ref(), quote.marked.as_ref());
    mark.filter(|(_, mark)| (bid..=ask).contains(mark))
}

fn priced(price: Option<&Value>, at: Option<&Value>) -> Option<(When, Dec)> {
    Some((when_of(at)?, above(price)?))
}

/// A number that is more than nothing.
fn above(value: Option<&Value>) -> Option<Dec> {
    number(value).filter(|number| number.is_positive())
}

/// The days from one to another, both inclusive. One without a close is none.
async fn days(
    way: Way<'_>,
    name: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<BTreeMap<NaiveDate, DayBar>> {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    let end = to.succ_opt().unwrap_or(to);
    let (start, end) = (midnight(from).to_string(), midnight(end).to_string());
    let query = [
        ("symbol", name),
        ("periodType", "year"),
        ("frequencyType", "daily"),
        ("frequency", "1"),
        ("startDate", &start),
        ("endDate", &end),
        ("needExtendedHoursData", "false"),
    ];
    let answer = way.send(HISTORY, &query).await?;
    // It may be that it does not know the name.
    if matches!(answer.status, 400 | 404) {
        info!(name, status = answer.status, "no days are told");
        return Ok(BTreeMap::new());
    }
    days_in(&said::accepted_prices(&answer)?, from, to)
}

/// The days of an answer. One that cannot be read spoils no other.
fn days_in(body: &[u8], from: NaiveDate, to: NaiveDate) -> Result<BTreeMap<NaiveDate, DayBar>> {
    let page: Candles = whole(body)?;
    let mut all: Vec<_> = page.candles.iter().flatten().filter_map(|raw| day(raw)).collect();
    // Of two of a day the later one is the whole day.
    all.sort_by_key(|(when, _)| when.at);
    let within = all.into_iter().filter(|(when, _)| (from..=to).contains(&when.date));
    Ok(within.map(|(when, bar)| (when.date, bar)).collect())
}

/// One day.
fn day(raw: &RawValue) -> Option<(When, DayBar)> {
    let candle: Candle = parse(raw).ok()?;
    let (when, close) = priced(candle.close.as_ref(), candle.datetime.as_ref())?;
    let close = DayClose { date: when.date, close, currency: Currency::USD };
    let [open, high, low] =
        [&candle.open, &candle.high, &candle.low].map(|price| number(price.as_ref()));
    let volume = number(candle.volume.as_ref());
    Some((when, DayBar { open, high, low, volume, ..DayBar::from(close) }))
}

/// The days that are as they were traded: those since a price that is still told as it was.
///
/// # Errors
/// When what is known last is told otherwise, or nothing of the days after it.
fn as_traded(
    wanted: &Wanted,
    days: &BTreeMap<NaiveDate, DayBar>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<DayBar>> {
    let nothing = || Error::NoData(wanted.symbol.clone());
    let proved = match &wanted.last {
        None => to.checked_sub_days(RECENT).unwrap_or(to),
        Some(known) => {
            let told = days.range(..=known.date).next_back().map(|(_, bar)| bar.close);
            let told = told.filter(|told| (known.date - told.date).num_days() <= HOLIDAYS);
            let told = told.ok_or_else(nothing)?;
            if !is_near(told.close, known.close) {
                // Since the day before it may have moved as far by itself.
                if told.date != known.date {
                    return Err(nothing());
                }
                let why = format!(
                    "{} is told for {} and {} is known: a split since then has to be among the \
                     transactions, or what is known is wrong",
                    told.close, told.date, known.close
                );
                return Err(Error::Restated(wanted.symbol.clone(), SafeText::new(&why)));
            }
            told.date
        }
    };
    // What its owner paid on a day is a price of that day.
    let is_told = |paid: &&DayClose| {
        let bar = days.get(&paid.date);
        let range = bar.and_then(|bar| Some(bar.low?..=bar.high?));
        range.is_some_and(|range| range.contains(&paid.close))
    };
    let paid = wanted.paid.iter().filter(is_told).map(|paid| paid.date).min();
    let first = from.max(paid.map_or(proved, |paid| paid.min(proved)));
    let days = days.values().filter(|bar| (first..=to).contains(&bar.close.date));
    let days: Vec<_> = days.copied().collect();
    if days.is_empty() { Err(nothing()) } else { Ok(days) }
}

/// Whether two tellings are of the same close.
fn is_near(told: Dec, known: Dec) -> bool {
    let hundredths = |value: &Exact, of: i64| value.mul(&Exact::from(Dec::from_i64(of)));
    let (told, known) = (Exact::from(told), Exact::from(known));
    hundredths(&told.sub(&known).abs(), HUNDRED) <= hundredths(&known.abs(), APART)
}

#[cfg(test)]
mod tests;
