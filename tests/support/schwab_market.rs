//! The Market Data API of the Schwab on this machine: quotes by symbol with what is not known beside
//! them, and days that begin at midnight in Chicago.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::America::Chicago;
use serde_json::{Value, json};

use super::schwab::{Knobs, said};
use super::server::Reply;

/// No question has more symbols.
const MOST: usize = 500;

/// A share, or a fund that is traded like one. The close is that of the day before.
pub fn share(symbol: &str, price: &str, at: DateTime<Utc>) -> Value {
    let (price, at) = (number(price), at.timestamp_millis());
    json!({"assetMainType": "EQUITY", "assetSubType": "COE", "quoteType": "NBBO", "realtime": true,
        "ssid": 1, "symbol": symbol, "quote": {"52WeekHigh": 999.5, "52WeekLow": 1.1,
        "askPrice": price, "askSize": 4, "askTime": at, "bidPrice": price, "bidSize": 4, "bidTime": at,
        "closePrice": 7.77, "highPrice": price, "lastPrice": price, "lastSize": 2, "lowPrice": price,
        "mark": price, "markChange": -9.165, "netChange": -9.165, "openPrice": price,
        "quoteTime": at, "securityStatus": "Normal", "totalVolume": 1200, "tradeTime": at,
        "volatility": 0.0347}})
}

/// A fund whose shares are worth what it holds; nothing is known of it where that is zero.
pub fn fund(symbol: &str, worth: &str, at: i64) -> Value {
    json!({"assetMainType": "MUTUAL_FUND", "assetSubType": "OEF", "symbol": symbol, "realtime": true,
        "ssid": -1, "quote": {"52WeekHigh": 99.24, "52WeekLow": 7.48, "closePrice": 29.5,
        "nAV": number(worth), "netChange": -0.03, "netPercentChange": -0.3289,
        "securityStatus": "Normal", "totalVolume": 0, "tradeTime": at}})
}

/// A right for which nothing was paid.
pub fn right(symbol: &str, bid: &str, mark: &str, ask: &str, at: DateTime<Utc>) -> Value {
    json!({"assetMainType": "OPTION", "symbol": symbol, "realtime": true, "ssid": 3,
        "quote": {"askPrice": number(ask), "askSize": 2, "askTime": 0, "bidPrice": number(bid),
        "bidSize": 2, "bidTime": 0, "closePrice": 357.75, "delta": 0.5106, "highPrice": 0,
        "lastPrice": 0, "lastSize": 0, "lowPrice": 0, "mark": number(mark), "netChange": 0,
        "openInterest": 0, "openPrice": 0, "quoteTime": at.timestamp_millis(),
        "securityStatus": "Normal", "totalVolume": 0, "tradeTime": 0}})
}

/// One day: what was paid first, most, least and last.
pub fn candle(date: NaiveDate, prices: [&str; 4]) -> Value {
    let midnight = Chicago.from_local_datetime(&date.and_time(NaiveTime::MIN)).unwrap();
    let [open, high, low, close] = prices.map(number);
    json!({"open": open, "high": high, "low": low, "close": close, "volume": 1200,
        "datetime": midnight.timestamp_millis()})
}

/// A number as it is written, with all of its digits.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What is in the accounts, at what the accounts say that it is worth.
pub fn of_the_accounts(now: DateTime<Utc>) -> BTreeMap<String, Value> {
    let call = "EXMP  270115C00060000";
    let all = [
        share("EXMP", "55.25", now),
        share("EXIX", "104", now),
        right(call, "1.8", "1.85", "1.9", now),
        fund("EXMFX", "30", now.timestamp_millis()),
    ];
    all.into_iter().map(|it| (it["symbol"].as_str().unwrap().to_owned(), it)).collect()
}

fn words(url: &url::Url) -> BTreeMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// A refusal as market data has it, with a status that is a text here and a number there.
fn wrong(detail: &str) -> Reply {
    said(
        400,
        &json!({"errors": [{"id": "0b9c", "status": "400", "title": "Bad Request",
        "detail": detail, "source": {"parameter": "symbols"}}]}),
    )
}

impl Knobs {
    pub(super) fn prices(&mut self, url: &url::Url) -> Reply {
        let words = words(url);
        let symbols = words.get("symbols").map_or("", String::as_str);
        let symbols: Vec<_> = symbols.split(',').map(ToOwned::to_owned).collect();
        let is_strange = |it: &String| it.is_empty() || it.starts_with(['$', '/']);
        if symbols.len() > MOST || symbols.iter().any(is_strange) {
            self.faults.push(format!("{} symbols in {url}", symbols.len()));
            return wrong("too many symbols, or one that is none");
        }
        let known = |symbol: &&String| self.quotes.contains_key(*symbol);
        let (known, unknown): (Vec<_>, Vec<_>) = symbols.iter().partition(known);
        let told = known.into_iter().map(|symbol| (symbol.clone(), self.quotes[symbol].clone()));
        let mut all: serde_json::Map<String, Value> = told.collect();
        if !unknown.is_empty() {
            all.insert("errors".to_owned(), json!({"invalidSymbols": unknown}));
        }
        self.quoted.push(symbols);
        Reply::json(&Value::Object(all).to_string())
    }

    pub(super) fn history(&mut self, url: &url::Url) -> Reply {
        let words = words(url);
        let word = |name: &str| words.get(name).map_or("", String::as_str);
        let millis = |name: &str| word(name).parse::<i64>().ok().filter(|_| word(name).len() >= 12);
        let (Some(start), Some(end)) = (millis("startDate"), millis("endDate")) else {
            self.faults.push(format!("no days: {url}"));
            return wrong("startDate is no time in milliseconds");
        };
        let form = ["periodType", "frequencyType", "frequency"].map(word);
        if form != ["year", "daily", "1"] || end <= start || words.contains_key("period") {
            self.faults.push(format!("no days: {url}"));
        }
        let mine = self.candles.get(word("symbol")).cloned().unwrap_or_default();
        let told = |candle: &Value| (start..=end).contains(&candle["datetime"].as_i64().unwrap());
        let candles: Vec<_> = mine.into_iter().filter(told).collect();
        let page =
            json!({"symbol": word("symbol"), "empty": candles.is_empty(), "candles": candles});
        Reply::json(&page.to_string())
    }
}
