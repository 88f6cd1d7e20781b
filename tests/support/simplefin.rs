//! A SimpleFIN Bridge on this machine: as strict as the real one where clients go wrong, and as
//! unreliable as a test wants. It knows the protocol and nothing of the product.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Asked, End, Reply, Server};

/// What must never be found anywhere but at the Bridge.
pub const PASSWORD: &str = "c4n4ry/p@ss:w0rd%";
pub const USER: &str = "c4n4ry-user";
pub const CLAIM: &str = "c4n4ry-claim";
const DAY: i64 = 86_400;

/// A row of an account, in the words of the Bridge.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: String,
    /// Days before now.
    pub ago: i64,
    pub amount: &'static str,
    pub description: &'static str,
    pub pending: bool,
}

impl Row {
    pub fn new(id: &str, ago: i64, amount: &'static str, description: &'static str) -> Self {
        Self { id: id.to_owned(), ago, amount, description, pending: false }
    }

    pub fn pending(self) -> Self {
        Self { pending: true, ..self }
    }
}

#[derive(Clone, Debug)]
pub struct Account {
    pub id: &'static str,
    pub name: &'static str,
    pub conn: &'static str,
    pub currency: &'static str,
    pub balance: String,
    pub rows: Vec<Row>,
    pub holdings: Option<Value>,
}

/// What a test turns.
pub struct Knobs {
    pub version: u8,
    pub now: i64,
    pub accounts: Vec<Account>,
    /// In the form of the version.
    pub errors: Vec<Value>,
    /// In the place of an answer about accounts.
    pub answer: Option<fn() -> Reply>,
    /// In the place of an answer to a claim.
    pub claim_answer: Option<fn() -> Reply>,
    /// Puts this before each id.
    pub reissue: &'static str,
    pub slow: Duration,
    /// The token was claimed.
    pub claimed: bool,
    pub claims: u32,
    /// Which token is good now.
    pub token: u32,
    /// So are those before it: somebody is connected several times.
    pub tokens_stay: bool,
    /// Start and end of each window that was asked for.
    pub windows: Vec<(i64, i64)>,
    /// What a client must never do, and did.
    pub faults: Vec<String>,
}

pub struct Bridge {
    pub server: Server,
    pub knobs: Arc<Mutex<Knobs>>,
}

impl Bridge {
    pub fn new(now: i64) -> Self {
        let knobs = Knobs {
            version: 2,
            now,
            accounts: household(),
            errors: Vec::new(),
            answer: None,
            claim_answer: None,
            reissue: "",
            slow: Duration::ZERO,
            claimed: false,
            claims: 0,
            token: 1,
            tokens_stay: false,
            windows: Vec::new(),
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

    /// A token as its owner copies it, blanks and all.
    pub fn token(&self) -> String {
        let number = self.turn(|knobs| knobs.token);
        let url = format!("{}/simplefin/claim/{CLAIM}-{number}", self.server.base);
        let mut text = base64(url.as_bytes());
        text.insert(20, '\n');
        format!(" {text} \n")
    }

    /// Ends the access and offers another token.
    pub fn renew(&self) {
        self.turn(|knobs| (knobs.token, knobs.claimed) = (knobs.token + 1, false));
    }

    /// How often accounts were asked for.
    pub fn asked(&self) -> usize {
        self.turn(|knobs| knobs.windows.len())
    }
}

/// A bank account and one with a fund.
pub fn household() -> Vec<Account> {
    let rows = vec![
        Row::new("T-1", 200, "1000.00", "PAYROLL"),
        Row::new("T-2", 5, "-50.25", "COFFEE AND BOOKS"),
        Row::new("T-3", 3, "-10.00", "TRAM"),
        Row::new("T-4", 3, "-10.00", "TRAM"),
    ];
    let holdings = json!([{
        "id": "HOL-1", "created": 1_780_000_000, "currency": "", "cost_basis": "3615.00",
        "description": "Example Total Market Fund", "market_value": "4217.50",
        "purchase_price": "30.00", "shares": "120.500", "symbol": "EXMFX"
    }]);
    let account = |id, name, conn, balance: &str, rows, holdings| Account {
        id,
        name,
        conn,
        currency: "USD",
        balance: balance.to_owned(),
        rows,
        holdings,
    };
    vec![
        account("ACT-1", "Everyday Checking", "CON-1", "1250.75", rows, None),
        account("ACT-1", "Roth IRA", "CON-2", "4317.50", vec![], Some(holdings)),
    ]
}

fn respond(knobs: &Mutex<Knobs>, asked: &Asked) -> Reply {
    let slow = knobs.lock().unwrap().slow;
    std::thread::sleep(slow);
    let mut knobs = knobs.lock().unwrap();
    let path = asked.path.split('?').next().unwrap_or_default();
    match (asked.method.as_str(), path) {
        ("POST", path) if path.starts_with("/simplefin/claim/") => knobs.claim(asked, path),
        ("GET", "/simplefin/accounts") => knobs.accounts(asked),
        ("GET", "/simplefin/info") => Reply::json("{\"versions\":[\"1.0\",\"2.0\"]}"),
        (method, path) => {
            knobs.faults.push(format!("{method} {path}"));
            Reply::new(404, &[], "")
        }
    }
}

impl Knobs {
    fn claim(&mut self, asked: &Asked, path: &str) -> Reply {
        if asked.header("content-length") != Some("0") || asked.header("authorization").is_some() {
            self.faults.push("a claim is an empty body and no login".to_owned());
        }
        if let Some(answer) = self.claim_answer {
            return answer();
        }
        let is_mine = path.ends_with(&format!("{CLAIM}-{}", self.token));
        if self.claimed || !is_mine {
            return Reply::new(403, &[], "Forbidden");
        }
        (self.claimed, self.claims) = (true, self.claims + 1);
        let host = asked.header("host").unwrap();
        let password = PASSWORD.replace('%', "%25").replace('/', "%2F").replace('@', "%40");
        let password = password.replace(':', "%3A");
        Reply::new(200, &[], format!("http://{USER}-{}:{password}@{host}/simplefin\n", self.token))
    }

    fn accounts(&mut self, asked: &Asked) -> Reply {
        let first = if self.tokens_stay { 1 } else { self.token };
        let logins = (first..=self.token).map(|token| format!("{USER}-{token}:{PASSWORD}"));
        let right = |login: String| format!("Basic {}", base64(login.as_bytes()));
        let is_right = |it: String| asked.header("authorization") == Some(right(it).as_str());
        if !self.claimed || !logins.into_iter().any(is_right) {
            return Reply::new(403, &[], "Forbidden");
        }
        let url = url::Url::parse(&format!("http://x{}", asked.path)).unwrap();
        let value = |name: &str| {
            url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let number = |name| value(name).and_then(|text| text.parse::<i64>().ok());
        let (Some(start), Some(end)) = (number("start-date"), number("end-date")) else {
            self.faults.push("no window".to_owned());
            return Reply::new(400, &[], "");
        };
        if end - start > 90 * DAY || end <= start {
            self.faults.push(format!("a window of {} s", end - start));
        }
        if value("pending").is_some_and(|pending| pending != "1") {
            self.faults.push("pending=0 acts like 1".to_owned());
        }
        self.windows.push((start, end));
        if self.windows.len() > 24 {
            self.faults.push("the 25th request".to_owned());
        }
        if let Some(answer) = self.answer {
            return answer();
        }
        let accounts: Vec<_> =
            self.accounts.iter().map(|account| self.account(account, start, end)).collect();
        let second = json!([
            {"conn_id": "CON-1", "name": "Example Bank - Pat", "org_name": "Example Bank"},
            {"conn_id": "CON-2", "name": "Other Broker - Pat", "org_name": "Other Broker"}
        ]);
        Reply::json(
            &match self.version {
                1 => json!({"errors": self.errors, "accounts": accounts}),
                _ => {
                    json!({"errlist": self.errors, "connections": second, "accounts": accounts})
                }
            }
            .to_string(),
        )
    }

    fn account(&self, account: &Account, start: i64, end: i64) -> Value {
        let instant = |row: &Row| (self.now / DAY - row.ago) * DAY + DAY / 2;
        let rows = account.rows.iter().filter(|row| (start..end).contains(&instant(row)));
        let row = |row: &Row| {
            let at = instant(row);
            json!({
                "id": format!("{}{}", self.reissue, row.id),
                "posted": if row.pending { 0 } else { at }, "transacted_at": at,
                "amount": row.amount, "description": row.description, "payee": "", "memo": "",
                "pending": row.pending
            })
        };
        let mut told = json!({
            "id": account.id, "name": account.name, "currency": account.currency,
            "balance": account.balance, "balance-date": self.now,
            "transactions": rows.map(row).collect::<Vec<_>>(), "extra": {"odd": null}
        });
        match self.version {
            1 => {
                let name = if account.conn == "CON-1" { "Example Bank" } else { "Other Broker" };
                told["org"] = json!({"name": name, "sfin-url": "https://bridge.invalid"});
            }
            _ => told["conn_id"] = json!(account.conn),
        }
        if let Some(holdings) = &account.holdings {
            told["holdings"] = holdings.clone();
        }
        told
    }
}

/// A page of somebody in between.
pub fn page() -> Reply {
    Reply::new(200, &[("content-type", "text/html")], "<!doctype html><p>Sign in")
}

/// Nothing, and the connection breaks.
pub fn nothing() -> Reply {
    Reply { bytes: Vec::new(), end: End::Reset }
}

pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |at: usize| three.get(at).copied().map_or(0, usize::from);
        let whole = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS[whole >> shift & 63];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
