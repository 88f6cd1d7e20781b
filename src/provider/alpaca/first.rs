//! Whether a first history tells all that made what is held. Pure. A coin that is bought pays its
//! charge, which is taken at once and told in the evening.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::field::{parse, text};
use super::symbols::Symbols;
use super::wire::Activity;
use crate::model::{Currency, SafeText};

/// Whatever was not charged after so many days never is: not everybody pays.
const LATE: Days = Days::new(2);

/// Whether coins were traded whose charge is not told yet.
pub(super) fn waits_for_charges(
    rows: &[Box<RawValue>],
    symbols: &Symbols,
    now: DateTime<Utc>,
) -> bool {
    let (mut traded, mut charged) = (BTreeMap::new(), BTreeMap::new());
    for row in rows.iter().filter_map(|raw| parse::<Activity>(raw).ok()) {
        let kind = text(row.kind.as_ref()).unwrap_or_default();
        let days = match kind.as_str() {
            "FILL" => &mut traded,
            "CFEE" => &mut charged,
            _ => continue,
        };
        let day = day(row.date.as_ref().or(row.transaction_time.as_ref()));
        if let (Some(coin), Some(day)) = (coin(row.symbol.as_ref(), symbols), day) {
            let last = days.entry(coin).or_insert(day);
            *last = day.max(*last);
        }
    }
    let recent = now.date_naive().checked_sub_days(LATE).unwrap_or_default();
    let is_charged = |coin, day| charged.get(coin).is_some_and(|charged| *charged >= day);
    traded.iter().any(|(coin, day)| *day > recent && !is_charged(coin, *day))
}

/// The coin of a pair.
fn coin(symbol: Option<&Value>, symbols: &Symbols) -> Option<SafeText> {
    // What it is paid in does not matter here.
    let named = symbols.name(&text(symbol)?, Currency::USD).ok()?;
    named.is_coin().then_some(named.mention.symbol)
}

/// Those of coins are those of UTC, in which every instant is told.
fn day(value: Option<&Value>) -> Option<NaiveDate> {
    text(value)?.as_str().get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_coin_that_was_bought_is_whole_once_its_charge_is_told() {
        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        let mut symbols = Symbols::default();
        symbols.learn(br#"[{"symbol":"BTC/USD","class":"crypto"}]"#).unwrap();
        let fill = |symbol: &str, day: &str| {
            json!({"activity_type": "FILL", "symbol": symbol, "side": "buy",
                   "transaction_time": format!("{day}T08:30:00.1Z")})
        };
        let fee = |symbol: &str, day: &str| json!({"activity_type": "CFEE", "symbol": symbol, "date": day});
        let waits = |rows: &[Value]| {
            let raw = |row: &Value| RawValue::from_string(row.to_string()).unwrap();
            waits_for_charges(&rows.iter().map(raw).collect::<Vec<_>>(), &symbols, now)
        };
        let today = fill("BTC/USD", "2026-11-20");
        assert!(waits(std::slice::from_ref(&today)));
        assert!(waits(&[fill("BTCUSD", "2026-11-19")]), "its charge may be late");
        assert!(waits(&[fee("BTCUSD", "2026-11-19"), today.clone()]), "that is of yesterday");
        assert!(waits(&[fee("ETH/USD", "2026-11-20"), today.clone()]), "that is of another");
        assert!(!waits(&[fee("BTCUSD", "2026-11-20"), today]));
        assert!(!waits(&[fill("BTC/USD", "2026-11-18")]), "nobody is charged so late");
        assert!(!waits(&[fill("AAPL", "2026-11-20")]));
    }
}
