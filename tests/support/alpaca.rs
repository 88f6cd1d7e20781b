//! Alpaca on this machine: its two places, each with keys of its own, and its prices, with the documented
//! shapes and quirks, and as unreliable as a test wants. It knows the interface and nothing of the product.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::server::{Asked, Reply, Server};

/// What must never be found anywhere but here.
pub const ID: &str = "PKC4N4RYC4N4RYC4N4RY";
pub const SECRET: &str = "c4n4rySecretc4n4rySecretc4n4rySecretc4n4";
pub const PAPER: &str = "paper-api.alpaca.markets";
pub const LIVE: &str = "api.alpaca.markets";
pub const DATA: &str = "data.alpaca.markets";
const COINS: &str = r#"[{"id":"x","class":"crypto","symbol":"BTC/USD","tradable":true},
    {"id":"y","class":"crypto","symbol":"ETH/BTC","tradable":true}]"#;

/// What a test turns.
pub struct Knobs {
    /// Where its keys are good.
    pub place: &'static str,
    /// Which pair of keys is good now.
    pub pair: u32,
    pub account: Value,
    pub positions: Value,
    /// The oldest first.
    pub activities: Vec<Value>,
    /// In the place of an answer to this page of activities, from 1 on; it is told of each try.
    pub page_answer: Option<(usize, fn() -> Reply)>,
    /// In the place of every answer, so often.
    pub answer: Option<(u32, fn() -> Reply)>,
    /// In the place of the list of coins.
    pub list_answer: Option<fn() -> Reply>,
    /// What the account is once its activities were asked for.
    pub meanwhile: Option<Value>,
    /// Gives the first page again and again.
    pub stuck: bool,
    /// How each page was asked for: `after` and `page_token`.
    pub pages: Vec<(Option<String>, Option<String>)>,
    /// The bars of days by symbol, the oldest first.
    pub bars: BTreeMap<&'static str, Vec<Value>>,
    /// What was paid last for each symbol, and whatever else it says of it.
    pub snapshots: BTreeMap<&'static str, Value>,
    /// What spoils a whole question for prices.
    pub invalid: Vec<&'static str>,
    /// So many bars at most on a page.
    pub page: usize,
    /// Without a paid plan nothing newer is told than of so many minutes ago.
    pub delay: i64,
    /// What was asked for of prices.
    pub prices: Vec<String>,
    /// What a client must never do, and did.
    pub faults: Vec<String>,
}

pub struct Alpaca {
    pub server: Server,
    pub knobs: Arc<Mutex<Knobs>>,
}

impl Alpaca {
    pub fn new() -> Self {
        let knobs = Knobs {
            place: PAPER,
            pair: 1,
            account: account("102289.18"),
            positions: json!([]),
            activities: Vec::new(),
            page_answer: None,
            answer: None,
            list_answer: None,
            meanwhile: None,
            stuck: false,
            pages: Vec::new(),
            bars: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            invalid: Vec::new(),
            page: 10_000,
            delay: 15,
            prices: Vec::new(),
            faults: Vec::new(),
        };
        let knobs = Arc::new(Mutex::new(knobs));
        let mine = Arc::clone(&knobs);
        let server = Server::new(move |asked| respond(&mine, asked));
        Self { server, knobs }
    }

    pub fn turn<T>(&self, turn: impl FnOnce(&mut Knobs) -> T) -> T {
        turn(&mut self.knobs.lock().unwrap())
    }

    /// The keys as their owner copies them.
    pub fn keys(&self) -> String {
        let pair = self.turn(|knobs| knobs.pair);
        format!("{ID}{pair}\n{SECRET}{pair}\n")
    }
}

/// An account without the fields that were removed in July 2026.
pub fn account(cash: &str) -> Value {
    json!({
        "id": "11111111-0000-4000-8000-000000000001", "account_number": "PA0EXAMPLE01",
        "status": "FOO", "crypto_status": "ACTIVE", "currency": "USD", "cash": cash,
        "equity": "141657.18", "last_equity": "18600.1", "long_market_value": "21000",
        "short_market_value": "-190", "buying_power": "9000.5", "multiplier": "2",
        "trading_blocked": false, "shorting_enabled": true, "options_approved_level": 2,
        "created_at": "2024-01-05T14:03:07.99658Z", "admin_configurations": null
    })
}

/// A position; without a worth, where nobody knows its price.
pub fn position(symbol: &str, class: &str, qty: &str, value: Option<&str>, cost: &str) -> Value {
    json!({
        "asset_id": "22222222-0000-4000-8000-000000000001", "symbol": symbol, "exchange": "",
        "asset_class": class, "asset_marginable": true, "qty": qty, "qty_available": qty,
        "avg_entry_price": "400", "side": if qty.starts_with('-') { "short" } else { "long" },
        "market_value": value, "cost_basis": cost, "unrealized_pl": null,
        "unrealized_plpc": null, "current_price": null, "lastday_price": null,
        "change_today": null
    })
}

/// An execution.
pub fn fill(nth: u32, at: &str, side: &str, symbol: &str, qty: &str, price: &str) -> Value {
    let digits: String = at.chars().filter(char::is_ascii_digit).take(14).collect();
    json!({
        "id": format!("{digits}123::33333333-0000-4000-8000-{nth:012}"), "activity_type": "FILL",
        "transaction_time": at, "type": "partial_fill", "price": price, "qty": qty, "side": side,
        "symbol": symbol, "leaves_qty": "1.5", "cum_qty": "999",
        "order_id": "44444444-0000-4000-8000-000000000001"
    })
}

/// Anything else: its type with the more exact one behind a slash.
pub fn other(nth: u32, date: &str, kind: &str, net: &str, more: &Value) -> Value {
    let digits = date.replace('-', "");
    let (kind, sub) = kind.split_once('/').unwrap_or((kind, ""));
    let mut row = json!({
        "id": format!("{digits}000000000::33333333-0000-4000-8000-{nth:012}"),
        "activity_type": kind, "date": date, "created_at": format!("{date}T23:09:50.214Z"),
        "net_amount": net, "status": "executed", "currency": ""
    });
    if !sub.is_empty() {
        row["activity_sub_type"] = json!(sub);
    }
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

/// A bar of a day that begins at an instant.
pub fn bar(at: &str, prices: [&str; 4], volume: &str) -> Value {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let [open, high, low, close] = prices.map(number);
    json!({"t": at, "o": open, "h": high, "l": low, "c": close, "v": number(volume),
           "n": 51_234, "vw": close})
}

/// What is said of something that was paid last at an instant.
pub fn snapshot(at: &str, price: &str) -> Value {
    let price: Value = serde_json::from_str(price).unwrap();
    json!({
        "latestTrade": {"t": at, "x": "V", "p": price, "s": 100, "c": ["@"], "i": 52_983_525_037_630_u64, "z": "C"},
        "latestQuote": {"t": at, "ax": "V", "ap": 0, "as": 0, "bx": "V", "bp": 270.1, "bs": 200, "c": ["R"]},
        "minuteBar": null, "dailyBar": null, "prevDailyBar": null
    })
}

/// What the gateway says in the place of the service.
pub fn gateway() -> Reply {
    Reply::new(502, &[("content-type", "text/html")], "<html><h1>502 Bad Gateway</h1></html>")
}

fn respond(knobs: &Mutex<Knobs>, asked: &Asked) -> Reply {
    let mut knobs = knobs.lock().unwrap();
    if asked.method != "GET" || !asked.body.is_empty() {
        knobs.faults.push(format!("{} {}", asked.method, asked.path));
        return Reply::new(405, &[], "");
    }
    let url = url::Url::parse(&format!("http://x{}", asked.path)).unwrap();
    let (host, path) = url.path()[1..].split_once('/').unwrap_or_default();
    let value = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    if url.as_str().contains("c4n4ry") || url.as_str().contains(ID) {
        knobs.faults.push("a key in an address".to_owned());
    }
    let (id, secret) = (format!("{ID}{}", knobs.pair), format!("{SECRET}{}", knobs.pair));
    let keys = (asked.header("apca-api-key-id"), asked.header("apca-api-secret-key"));
    if keys.0.is_none() || keys.1.is_none() {
        return Reply::new(403, &[], "{\"message\":\"forbidden.\"}");
    }
    // A key of the other place is as good as any other.
    if (host != DATA && host != knobs.place) || keys != (Some(id.as_str()), Some(secret.as_str())) {
        let body = "{\"code\":40110000,\"message\":\"request is not authorized\"}";
        return Reply::new(401, &[("content-type", "application/json")], body);
    }
    if let Some((times, answer)) = knobs.answer.filter(|(times, _)| *times > 0) {
        knobs.answer = Some((times - 1, answer));
        return answer();
    }
    if host == DATA {
        return knobs.market(path, &value);
    }
    match path {
        "v2/account" => Reply::json(&knobs.account.to_string()),
        "v2/positions" => Reply::json(&knobs.positions.to_string()),
        "v2/assets" if value("asset_class").as_deref() == Some("crypto") => {
            knobs.list_answer.map_or_else(|| Reply::json(COINS), |answer| answer())
        }
        "v2/account/activities" => knobs.page(&value),
        _ => {
            knobs.faults.push(format!("GET {}", asked.path));
            Reply::new(404, &[], "{\"code\":40410000,\"message\":\"endpoint not found.\"}")
        }
    }
}

impl Knobs {
    /// Bars and snapshots, of shares and of coins.
    fn market(&mut self, path: &str, value: &dyn Fn(&str) -> Option<String>) -> Reply {
        let symbols = value("symbols").unwrap_or_default();
        let is_share = path.starts_with("v2/stocks/");
        self.prices.push(format!("{} {symbols}", path.rsplit('/').next().unwrap()));
        let symbols: Vec<_> = symbols.split(',').collect();
        let is_wrong = |name: &&&str| self.invalid.contains(name) || is_share == name.contains('/');
        if let Some(wrong) = symbols.iter().find(is_wrong) {
            let body = format!("{{\"message\":\"invalid symbol: {wrong}\"}}");
            return Reply::new(400, &[("content-type", "application/json")], &body);
        }
        match path {
            "v2/stocks/bars" | "v1beta3/crypto/us/bars" => self.bars(&symbols, is_share, value),
            "v2/stocks/snapshots" | "v1beta3/crypto/us/snapshots" => {
                let told = self.snapshots.iter().filter(|(name, _)| symbols.contains(name));
                let told: BTreeMap<_, _> = told.collect();
                let told = if is_share { json!(told) } else { json!({"snapshots": told}) };
                Reply::json(&told.to_string())
            }
            _ => {
                self.faults.push(format!("GET {path}"));
                Reply::new(404, &[], "{\"message\":\"Not Found\"}")
            }
        }
    }

    fn bars(
        &mut self,
        symbols: &[&str],
        is_share: bool,
        value: &dyn Fn(&str) -> Option<String>,
    ) -> Reply {
        let asked = ["timeframe", "adjustment", "asof", "feed"].map(value);
        let asked: Vec<_> = asked.iter().map(Option::as_deref).collect();
        let right = match is_share {
            true => [Some("1Day"), Some("raw"), None, None],
            false => [Some("1Day"), None, None, None],
        };
        let limit = value("limit").map_or(1_000, |limit| limit.parse().unwrap());
        if asked != right || limit > 10_000 {
            self.faults.push(format!("bars by {asked:?}, {limit} of them"));
        }
        let instant = |name: &str| value(name).unwrap().parse::<DateTime<Utc>>().unwrap();
        let (start, end) = (instant("start"), instant("end"));
        let now = dashtam::clock::Clock::system(chrono_tz::UTC).now();
        if is_share && end > now - TimeDelta::minutes(self.delay) {
            let body = "{\"message\":\"subscription does not permit querying recent SIP data\"}";
            return Reply::new(403, &[("content-type", "application/json")], body);
        }
        let is_of = |bar: &Value| {
            let at: DateTime<Utc> = bar["t"].as_str().unwrap().parse().unwrap();
            (start..=end).contains(&at)
        };
        // Of all symbols together, by symbol and then by time.
        let mine = self.bars.iter().filter(|(name, _)| symbols.contains(name));
        let all: Vec<_> = mine
            .flat_map(|(name, bars)| {
                bars.iter().filter(|bar| is_of(bar)).map(move |bar| (name, bar))
            })
            .collect();
        let begun = match value("page_token").as_deref().map(|token| token.strip_suffix("==")) {
            None => 0,
            Some(Some(token)) => token.parse().unwrap(),
            Some(None) => return Reply::new(422, &[], "{\"message\":\"invalid page_token\"}"),
        };
        let until = begun + limit.min(self.page);
        let mut told: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, bar) in all.iter().take(until).skip(begun) {
            told.entry(name).or_default().push(bar);
        }
        let next = (until < all.len()).then(|| format!("{until}=="));
        Reply::json(&json!({"bars": told, "next_page_token": next}).to_string())
    }

    fn page(&mut self, value: &dyn Fn(&str) -> Option<String>) -> Reply {
        let size = value("page_size").and_then(|size| size.parse::<usize>().ok()).unwrap_or(100);
        if size > 100 || value("direction").as_deref() != Some("asc") || value("date").is_some() {
            self.faults.push(format!("a page of {size}"));
        }
        let (after, token) = (value("after"), value("page_token"));
        self.pages.push((after.clone(), token.clone()));
        if let Some(account) = self.meanwhile.take() {
            self.account = account;
        }
        let created = |row: &Value| {
            let at = row["created_at"].as_str().or(row["transaction_time"].as_str());
            at.and_then(|at| at.parse::<DateTime<Utc>>().ok())
        };
        let first = after.map(|after| after.parse::<DateTime<Utc>>().unwrap());
        let is_told = |row: &&Value| first.is_none_or(|first| created(row) >= Some(first));
        let rows: Vec<_> = self.activities.iter().filter(is_told).collect();
        let begun = match token.as_ref().filter(|_| !self.stuck) {
            None => 0,
            Some(token) => match rows.iter().rposition(|row| row["id"] == **token) {
                Some(at) => at + 1,
                None => return Reply::new(422, &[], "{\"message\":\"invalid page_token\"}"),
            },
        };
        match self.page_answer {
            Some((page, answer)) if begun / size + 1 == page => answer(),
            _ => {
                let page: Vec<_> = rows.into_iter().skip(begun).take(size).collect();
                Reply::json(&json!(page).to_string())
            }
        }
    }
}
