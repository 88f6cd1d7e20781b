//! The documents of SimpleFIN as they come, lenient where services differ: a number may be a text, a
//! field may be missing or null, and one that is twice is refused.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::field::text;

#[derive(Deserialize)]
pub(super) struct Page {
    pub errors: Option<Vec<Value>>,
    pub errlist: Option<Vec<Value>>,
    pub connections: Option<Vec<Connection>>,
    pub accounts: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
pub(super) struct Connection {
    pub conn_id: Option<Value>,
    pub name: Option<Value>,
    pub org_name: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Org {
    pub id: Option<Value>,
    pub domain: Option<Value>,
    pub name: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub org: Option<Org>,
    pub conn_id: Option<Value>,
    pub id: Option<Value>,
    pub name: Option<Value>,
    pub currency: Option<Value>,
    pub balance: Option<Value>,
    #[serde(rename = "balance-date")]
    pub balance_date: Option<Value>,
    pub transactions: Option<Vec<Box<RawValue>>>,
    pub holdings: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
pub(super) struct Transaction {
    pub id: Option<Value>,
    pub posted: Option<Value>,
    pub transacted_at: Option<Value>,
    pub amount: Option<Value>,
    pub description: Option<Value>,
    pub payee: Option<Value>,
    pub memo: Option<Value>,
    pub pending: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Holding {
    pub id: Option<Value>,
    pub currency: Option<Value>,
    pub symbol: Option<Value>,
    pub description: Option<Value>,
    pub shares: Option<Value>,
    pub market_value: Option<Value>,
    pub purchase_price: Option<Value>,
    pub cost_basis: Option<Value>,
}

/// An instant in seconds since the epoch; 0 says that it has not come.
pub(super) fn instant(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let text = text(value)?;
    // Some have a fraction of a second.
    let seconds: i64 = text.as_str().split('.').next()?.parse().ok()?;
    DateTime::from_timestamp(seconds, 0).filter(|_| seconds > 0)
}
