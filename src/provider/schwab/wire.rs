//! The documents of Schwab as they come. Only the first few fields of each can be relied on; a number
//! may be a text, anything else may be missing, null or of a type that nobody documented.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::America::New_York;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::super::field::{parse, text};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Number {
    pub account_number: Option<Value>,
    pub hash_value: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub securities_account: Option<Account>,
    /// In no document, and in every answer.
    pub aggregated_balance: Option<Aggregated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    #[serde(rename = "type")]
    pub kind: Option<Value>,
    #[serde(rename = "accountNumber")]
    pub number: Option<Value>,
    pub positions: Option<Vec<Box<RawValue>>>,
    pub current_balances: Option<Current>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Aggregated {
    pub current_liquidation_value: Option<Value>,
    pub liquidation_value: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Current {
    pub liquidation_value: Option<Value>,
    pub cash_balance: Option<Value>,
    pub money_market_fund: Option<Value>,
    pub margin_balance: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Position {
    pub short_quantity: Option<Value>,
    pub long_quantity: Option<Value>,
    pub average_price: Option<Value>,
    pub market_value: Option<Value>,
    pub instrument: Option<Instrument>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instrument {
    pub asset_type: Option<Value>,
    #[serde(rename = "type")]
    pub kind: Option<Value>,
    pub symbol: Option<Value>,
    pub cusip: Option<Value>,
    #[serde(rename = "instrumentId")]
    pub id: Option<Value>,
    pub description: Option<Value>,
    /// On the side of accounts.
    pub option_multiplier: Option<Value>,
    /// On the side of transactions.
    pub option_premium_multiplier: Option<Value>,
}

/// Written too, where a row is kept: without the number of its account and whatever else there is.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub activity_id: Option<Value>,
    pub time: Option<Value>,
    pub trade_date: Option<Value>,
    pub settlement_date: Option<Value>,
    pub description: Option<Value>,
    #[serde(rename = "type")]
    pub kind: Option<Value>,
    pub status: Option<Value>,
    pub net_amount: Option<Value>,
    /// Read later: what is wrong with a leg leaves the rest readable.
    pub transfer_items: Option<Box<RawValue>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub instrument: Option<Instrument>,
    pub amount: Option<Value>,
    pub cost: Option<Value>,
    pub price: Option<Value>,
    pub fee_type: Option<Value>,
    pub position_effect: Option<Value>,
}

/// The price of one security. Zero stands where there is none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quoted {
    pub asset_main_type: Option<Value>,
    pub quote: Option<Quote>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quote {
    pub last_price: Option<Value>,
    pub trade_time: Option<Value>,
    pub bid_price: Option<Value>,
    pub ask_price: Option<Value>,
    pub mark: Option<Value>,
    /// When that was so.
    #[serde(rename = "quoteTime")]
    pub marked: Option<Value>,
    /// Of a fund, what a share of it is worth.
    #[serde(rename = "nAV")]
    pub nav: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Candles {
    pub candles: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
pub(super) struct Candle {
    pub datetime: Option<Value>,
    pub open: Option<Value>,
    pub high: Option<Value>,
    pub low: Option<Value>,
    pub close: Option<Value>,
    pub volume: Option<Value>,
}

impl Row {
    /// A row with what is read of it, to be kept; none: it cannot be read.
    pub fn to_keep(row: &RawValue) -> Option<Self> {
        let mut row: Self = parse(row).ok()?;
        if let Some(legs) = &mut row.transfer_items {
            // What cannot be read stays so, and is told of when it is read again.
            let kept = match parse::<Vec<Item>>(legs) {
                Ok(legs) => to_raw_value(&legs),
                Err(_) => to_raw_value("not readable"),
            };
            *legs = kept.ok()?;
        }
        Some(row)
    }
}

/// An instant, and the day that it is where the exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    pub at: DateTime<Utc>,
    pub date: NaiveDate,
}

impl When {
    /// Midnight in UTC stands for a day: nobody trades then, and in New York it would be the day before.
    /// Midnight in Chicago, where days of prices begin, is the same day in New York.
    fn at(at: DateTime<Utc>) -> Self {
        let date = match at.time() == NaiveTime::MIN {
            true => at.date_naive(),
            false => at.with_timezone(&New_York).date_naive(),
        };
        Self { at, date }
    }
}

/// Reads an instant in milliseconds. Zero is none.
pub(super) fn when_of(millis: Option<&Value>) -> Option<When> {
    let millis = text(millis)?.as_str().parse().ok().filter(|millis| *millis > 0)?;
    DateTime::from_timestamp_millis(millis).map(When::at)
}

/// Reads an instant with an offset of either spelling, or a day.
pub(super) fn when(value: Option<&Value>) -> Option<When> {
    let text = text(value)?;
    let text = text.as_str();
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(When { at: date.and_time(NaiveTime::MIN).and_utc(), date });
    }
    let at = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()?
        .to_utc();
    Some(When::at(at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_is_read_in_each_of_its_forms() {
        let read = |text: &str| when(Some(&json!(text)));
        let told = |text: &str| read(text).map(|it| (it.at.to_rfc3339(), it.date.to_string()));
        let some = |at: &str, date: &str| Some((format!("{at}+00:00"), date.to_owned()));
        let right = some("2026-09-14T14:30:05", "2026-09-14");
        for text in [
            "2026-09-14T14:30:05+0000",
            "2026-09-14T14:30:05+00:00",
            "2026-09-14T14:30:05Z",
            "2026-09-14T10:30:05-0400",
        ] {
            assert_eq!(told(text), right, "{text}");
        }
        assert_eq!(told("2026-09-14T14:30:05.123+0000").unwrap().1, "2026-09-14");
        // The placeholder of a day, in summer and in winter, and a late evening in New York.
        for (text, date) in [
            ("2026-09-14T04:00:00+0000", "2026-09-14"),
            ("2026-12-14T05:00:00+0000", "2026-12-14"),
            ("2026-09-14T00:00:00+0000", "2026-09-14"),
            ("2026-09-15T01:30:00+0000", "2026-09-14"),
            ("2026-09-14", "2026-09-14"),
        ] {
            assert_eq!(told(text).unwrap().1, date, "{text}");
        }
        for wrong in ["", "soon", "2026-13-01", "2026-09-14T14:30:05"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
