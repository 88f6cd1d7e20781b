//! The documents of Alpaca as they come: decimals are texts, numbers or null, and of most fields nobody
//! promises that they are there.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Account {
    pub id: Option<Value>,
    #[serde(rename = "account_number")]
    pub number: Option<Value>,
    pub currency: Option<Value>,
    pub cash: Option<Value>,
    pub equity: Option<Value>,
    pub multiplier: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Position {
    pub symbol: Option<Value>,
    pub asset_class: Option<Value>,
    pub qty: Option<Value>,
    pub side: Option<Value>,
    pub market_value: Option<Value>,
    pub cost_basis: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Asset {
    pub symbol: Option<Value>,
    pub class: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Activity {
    pub id: Option<Value>,
    #[serde(rename = "activity_type")]
    pub kind: Option<Value>,
    #[serde(rename = "activity_sub_type")]
    pub sub: Option<Value>,
    /// Of executions, which have no day.
    pub transaction_time: Option<Value>,
    pub date: Option<Value>,
    pub created_at: Option<Value>,
    pub side: Option<Value>,
    pub symbol: Option<Value>,
    pub qty: Option<Value>,
    pub price: Option<Value>,
    pub net_amount: Option<Value>,
    pub description: Option<Value>,
    pub status: Option<Value>,
    pub group_id: Option<Value>,
    pub currency: Option<Value>,
}
