//! A Schwab on this machine: the sign-in page, tokens and the Trader API, as strict as the real one
//! where clients go wrong and as odd as it is in its answers. It knows the documents and nothing of
//! the product. What it tells of prices is in `schwab_market`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::schwab_market;
use super::server::{Asked, Reply, Server};
use super::simplefin::base64;

pub const KEY: &str = "C4N4RYKEY";
/// What must never be found anywhere but at Schwab.
pub const SECRET: &str = "c4n4ry-app-secret";
const CALLBACK: &str = "https://127.0.0.1:8182";
/// What every token begins with.
pub const TOKEN: &str = "c4n4ry-token";

/// What comes with a renewed access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// Another refresh token; the old one is spent.
    On,
    /// The same.
    Off,
    /// None at all.
    Omit,
    /// One with nothing in it.
    Empty,
}

/// A path, and what is said there in the place of an answer.
pub type Instead = (&'static str, fn() -> Reply);

/// What a test turns.
#[derive(Clone)]
pub struct Knobs {
    pub now: DateTime<Utc>,
    pub rotate: Rotate,
    pub expires_in: Value,
    /// In the place of an answer to whatever path begins so.
    pub answer: Option<Instead>,
    pub slow: Duration,
    /// The same account may have another one after the next sign-in.
    pub hashes: BTreeMap<String, String>,
    pub accounts: Value,
    pub preference: Value,
    /// By account number.
    pub rows: BTreeMap<String, Vec<Value>>,
    /// No answer has more.
    pub most_rows: usize,
    /// The longest window, in days, of rows older than a month.
    pub longest: i64,
    /// Nothing is told of before.
    pub tells_since: Option<DateTime<Utc>>,
    /// Whatever reaches back before is refused.
    pub tells_no_part_before: Option<DateTime<Utc>>,
    /// What is told of prices, by symbol; of others nothing is known.
    pub quotes: BTreeMap<String, Value>,
    /// The days of prices, by symbol.
    pub candles: BTreeMap<String, Vec<Value>>,
    /// The symbols of each question for prices.
    pub quoted: Vec<Vec<String>>,
    /// The access that is good now ends after so many more questions.
    pub serves: Option<usize>,
    /// Questions with an access that is none.
    pub denied: usize,
    /// As it was registered.
    pub callback: String,
    codes: BTreeSet<String>,
    /// The access that is good now, and the refresh token.
    pub access: String,
    pub refresh: String,
    spent: BTreeSet<String>,
    made: u32,
    /// Consents given, and accesses renewed.
    pub given: u32,
    pub renewed: u32,
    /// Account, start and end of each window that was asked for.
    pub windows: Vec<(String, String, String)>,
    /// What a client must never do, and did.
    pub faults: Vec<String>,
}

pub struct Schwab {
    pub server: Server,
    pub knobs: Arc<Mutex<Knobs>>,
}

fn fixture(name: &str) -> Value {
    let path = super::root().join("tests/fixtures/schwab").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// As Schwab writes an instant, without a colon in its offset.
fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

impl Schwab {
    pub fn new(now: DateTime<Utc>) -> Self {
        let mut rows = fixture("transactions.json").as_array().unwrap().clone();
        // Those of the documents, as of the last days: bought, written, paid, charged, put in, ended.
        for (row, ago) in rows.iter_mut().zip([8_i64, 7, 6, 5, 4, 3]) {
            let at = written(now - TimeDelta::days(ago));
            (row["time"], row["tradeDate"]) = (json!(at), json!(at));
        }
        let hashes = [("90000017", "H0017"), ("90000025", "H0025")];
        let knobs = Knobs {
            now,
            rotate: Rotate::On,
            expires_in: json!(1800),
            answer: None,
            slow: Duration::ZERO,
            hashes: hashes.map(|(number, hash)| (number.to_owned(), hash.to_owned())).into(),
            accounts: fixture("accounts.json"),
            preference: json!({"accounts": [{"accountNumber": "90000017", "nickName": "Trading",
                "primaryAccount": true, "type": "BROKERAGE", "displayAcctId": "...017"}],
                "streamerInfo": [], "offers": []}),
            rows: BTreeMap::from([("90000017".to_owned(), rows), ("90000025".to_owned(), vec![])]),
            most_rows: 3000,
            longest: 366,
            tells_since: None,
            tells_no_part_before: None,
            quotes: schwab_market::of_the_accounts(now),
            candles: BTreeMap::new(),
            quoted: Vec::new(),
            serves: None,
            denied: 0,
            callback: CALLBACK.to_owned(),
            codes: BTreeSet::new(),
            access: String::new(),
            refresh: String::new(),
            spent: BTreeSet::new(),
            made: 0,
            given: 0,
            renewed: 0,
            windows: Vec::new(),
            faults: Vec::new(),
        };
        Self::with(knobs)
    }

    /// Another one that knows all that this one does, and goes on by itself.
    pub fn twin(&self) -> Self {
        Self::with(self.turn(|knobs| knobs.clone()))
    }

    fn with(knobs: Knobs) -> Self {
        let knobs = Arc::new(Mutex::new(knobs));
        let mine = Arc::clone(&knobs);
        let server = Server::new(move |asked| respond(&mine, asked));
        Self { server, knobs }
    }

    pub fn turn<T>(&self, turn: impl FnOnce(&mut Knobs) -> T) -> T {
        turn(&mut self.knobs.lock().unwrap())
    }

    /// Signs in at an address, as a person does in a browser, and gives the one it ends at.
    pub fn sign_in(&self, address: &str) -> String {
        let url = url::Url::parse(address).unwrap();
        assert!(address.starts_with(&self.server.base), "{address}");
        assert_eq!(url.path(), "/v1/oauth/authorize");
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let word = |name: &str| pairs.get(name).map_or("", String::as_str);
        assert_eq!((word("response_type"), word("client_id")), ("code", KEY));
        let callback = self.turn(|knobs| knobs.callback.clone());
        assert_eq!(word("redirect_uri"), callback, "to the letter");
        assert!(word("state").len() >= 43, "256 bits");
        let code = self.turn(|knobs| {
            knobs.made += 1;
            let code = format!("C0.{TOKEN}-code-{}@", knobs.made);
            knobs.codes.insert(code.clone());
            code.replace('@', "%40")
        });
        format!("{callback}/?code={code}&session=0b9c&state={}", word("state"))
    }

    pub fn no_faults(&self) {
        assert_eq!(self.turn(|knobs| knobs.faults.clone()), [""; 0]);
    }

    /// The refresh tokens that were presented, in order.
    pub fn presented(&self) -> Vec<String> {
        let pairs = |body: &str| -> Vec<_> {
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
        };
        let asked = self.server.asked().into_iter().flat_map(|asked| pairs(&asked.body));
        asked.filter(|(name, _)| name == "refresh_token").map(|(_, token)| token).collect()
    }

    /// How often a path that begins so was asked.
    pub fn asked(&self, path: &str) -> usize {
        self.server.asked().iter().filter(|asked| asked.path.starts_with(path)).count()
    }
}

/// A row by which cash came, so many days ago, with the number of its account where it comes too.
pub fn came(now: DateTime<Utc>, id: i64, ago: i64, amount: i64) -> Value {
    let leg = json!({"accountNumber": "90000017", "amount": amount, "instrument": {
        "assetType": "CURRENCY", "symbol": "CURRENCY_USD", "accountNumber": "90000017"}});
    json!({"activityId": id, "time": written(now - TimeDelta::days(ago)), "type": "WIRE_IN",
        "status": "VALID", "accountNumber": "90000017", "netAmount": amount, "transferItems": [leg]})
}

fn respond(knobs: &Mutex<Knobs>, asked: &Asked) -> Reply {
    let slow = knobs.lock().unwrap().slow;
    std::thread::sleep(slow);
    let mut knobs = knobs.lock().unwrap();
    let url = url::Url::parse(&format!("http://x{}", asked.path)).unwrap();
    if asked.method == "POST" && url.path() == "/v1/oauth/token" {
        return knobs.token(asked);
    }
    if let Some((path, answer)) = knobs.answer
        && url.path().starts_with(path)
    {
        return answer();
    }
    if asked.method != "GET" {
        knobs.faults.push(format!("{} {}: only reading is asked for", asked.method, url.path()));
        return Reply::new(405, &[], "");
    }
    if knobs.serves == Some(0) {
        (knobs.serves, knobs.access) = (None, String::new());
    }
    knobs.serves = knobs.serves.map(|left| left - 1);
    let right = format!("Bearer {}", knobs.access);
    if knobs.access.is_empty() || asked.header("authorization") != Some(&right) {
        knobs.denied += 1;
        return said(401, &json!({"message": "Unauthorized", "errors": []}));
    }
    match url.path() {
        "/trader/v1/accounts/accountNumbers" => {
            let pair = |(number, hash): (&String, &String)| json!({"accountNumber": number, "hashValue": hash});
            let all: Vec<_> = knobs.hashes.iter().map(pair).collect();
            Reply::json(&json!(all).to_string())
        }
        "/trader/v1/accounts" => Reply::json(&knobs.accounts.to_string()),
        "/trader/v1/userPreference" => Reply::json(&knobs.preference.to_string()),
        "/marketdata/v1/quotes" => knobs.prices(&url),
        "/marketdata/v1/pricehistory" => knobs.history(&url),
        path => {
            let hash = path.strip_prefix("/trader/v1/accounts/");
            let hash = hash.and_then(|rest| rest.strip_suffix("/transactions"));
            match hash {
                Some(hash) => knobs.transactions(hash, &url),
                None => {
                    knobs.faults.push(format!("GET {path}"));
                    Reply::new(404, &[], "")
                }
            }
        }
    }
}

/// A refusal in its words, with the header that it always sends.
pub(super) fn said(status: u16, body: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("schwab-client-correlid", "1")];
    Reply::new(status, &headers, body.to_string())
}

impl Knobs {
    fn token(&mut self, asked: &Asked) -> Reply {
        let login = format!("Basic {}", base64(format!("{KEY}:{SECRET}").as_bytes()));
        if asked.header("authorization") != Some(login.as_str()) {
            return said(401, &json!({"error": "invalid_client", "error_description": "who?"}));
        }
        if asked.header("content-type") != Some("application/x-www-form-urlencoded") {
            self.faults.push("a token is asked for by a form".to_owned());
        }
        let pairs: BTreeMap<_, _> =
            url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
        let word = |name: &str| pairs.get(name).cloned().unwrap_or_default();
        let answer = self.answer.filter(|(path, _)| *path == "/v1/oauth/token");
        match word("grant_type").as_str() {
            "authorization_code" => {
                let code = word("code");
                if code.contains('%') {
                    self.faults.push(format!("encoded twice: {code}"));
                }
                if word("redirect_uri") != self.callback {
                    self.faults.push(format!("another callback: {}", word("redirect_uri")));
                }
                if let Some((_, answer)) = answer {
                    return answer();
                }
                if !self.codes.remove(&code) {
                    return said(400, &json!({"error": "invalid_grant"}));
                }
                // A sign-in ends whatever was before.
                self.spent.insert(std::mem::take(&mut self.refresh));
                self.given += 1;
                self.refresh = self.next("refresh");
                self.grant(Some(self.refresh.clone()))
            }
            "refresh_token" => {
                let token = word("refresh_token");
                if self.spent.contains(&token) {
                    // All that came of it is revoked.
                    self.faults.push("a refresh token was presented again".to_owned());
                    (self.access, self.refresh) = (String::new(), String::new());
                }
                if let Some((_, answer)) = answer {
                    return answer();
                }
                if token != self.refresh || token.is_empty() {
                    return said(400, &refused());
                }
                self.renewed += 1;
                if self.rotate == Rotate::On {
                    self.spent.insert(token);
                    self.refresh = self.next("refresh");
                }
                self.grant(match self.rotate {
                    Rotate::On | Rotate::Off => Some(self.refresh.clone()),
                    Rotate::Omit => None,
                    Rotate::Empty => Some(String::new()),
                })
            }
            _ => said(400, &json!({"error": "unsupported_grant_type"})),
        }
    }

    fn next(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{TOKEN}-{what}-{}", self.made)
    }

    fn grant(&mut self, refresh: Option<String>) -> Reply {
        self.access = format!("I0.{}@", self.next("access"));
        let mut given = json!({"expires_in": self.expires_in, "token_type": "Bearer",
            "scope": "api", "access_token": self.access, "id_token": "eyJ.made.up"});
        if let Some(refresh) = refresh {
            given["refresh_token"] = json!(refresh);
        }
        Reply::json(&given.to_string())
    }

    fn transactions(&mut self, hash: &str, url: &url::Url) -> Reply {
        let known = self.hashes.iter().find(|(_, known)| *known == hash);
        let Some(number) = known.map(|(number, _)| number.clone()) else {
            self.faults.push(format!("no hash: {hash}"));
            return said(400, &json!({"message": "Invalid account number"}));
        };
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let word = |name: &str| pairs.get(name).cloned().unwrap_or_default();
        let instant = |name: &str| {
            let text = word(name);
            let at = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.3fZ").ok();
            at.filter(|_| text.len() == 24).map(|at| at.and_utc())
        };
        let (Some(start), Some(end)) = (instant("startDate"), instant("endDate")) else {
            self.faults.push(format!("no dates: {url}"));
            return said(400, &json!({"message": "'x' is not a valid value for startDate"}));
        };
        if word("types").split(',').count() != 15 || end <= start {
            self.faults.push(format!("no types, or no span: {url}"));
        }
        self.windows.push((number.clone(), word("startDate"), word("endDate")));
        let days = (end - start).num_days() + 1;
        let is_old = start < self.now - TimeDelta::days(31);
        let is_gone = self.tells_since.is_some_and(|first| end < first)
            || self.tells_no_part_before.is_some_and(|first| start < first);
        if days > 366 || is_gone || (is_old && days > self.longest) {
            return said(400, &json!({"message": "the range of dates is too long", "errors": []}));
        }
        let told = |row: &&Value| {
            let time = row["time"].as_str().unwrap();
            let at = DateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%z")
                .or_else(|_| DateTime::parse_from_rfc3339(time))
                .unwrap();
            (start..=end).contains(&at.to_utc())
        };
        let rows = self.rows.get(&number).into_iter().flatten();
        let rows: Vec<_> = rows.filter(told).take(self.most_rows).collect();
        Reply::json(&json!(rows).to_string())
    }
}

/// A refusal as it is in the wild, one document in the words of another.
pub fn refused() -> Value {
    let inner = "400 Bad Request: \"{\"error_description\":\"Exception while authenticating refresh \
                 token [tokenDigest=x, Exception=Failed]\",\"error\":\"refresh_token_authentication_error\"}\"";
    json!({"error": "unsupported_token_type", "error_description": inner})
}

/// What stands in front of it says no, with a page.
pub fn access_denied() -> Reply {
    Reply::new(403, &[("content-type", "text/html")], "<HTML><TITLE>Access Denied</TITLE></HTML>")
}
