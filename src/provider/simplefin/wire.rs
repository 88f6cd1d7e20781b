//! The documents of SimpleFIN as they come, lenient where services differ: a number may be a text, a
//! field may be missing or null, and one that is twice is refused.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{Dec, SafeText};

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Page<'a> {
    pub errors: Option<Vec<Value>>,
    pub errlist: Option<Vec<Value>>,
    pub connections: Option<Vec<Connection<'a>>>,
    pub accounts: Option<Vec<&'a RawValue>>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Connection<'a> {
    pub conn_id: Option<Field<'a>>,
    pub name: Option<Field<'a>>,
    pub org_name: Option<Field<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Org<'a> {
    pub id: Option<Field<'a>>,
    pub domain: Option<Field<'a>>,
    pub name: Option<Field<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Account<'a> {
    pub org: Option<Org<'a>>,
    pub conn_id: Option<Field<'a>>,
    pub id: Option<Field<'a>>,
    pub name: Option<Field<'a>>,
    pub currency: Option<Field<'a>>,
    pub balance: Option<Field<'a>>,
    #[serde(rename = "balance-date")]
    pub balance_date: Option<Field<'a>>,
    pub transactions: Option<Vec<&'a RawValue>>,
    pub holdings: Option<Vec<&'a RawValue>>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Transaction<'a> {
    pub id: Option<Field<'a>>,
    pub posted: Option<Field<'a>>,
    pub transacted_at: Option<Field<'a>>,
    pub amount: Option<Field<'a>>,
    pub description: Option<Field<'a>>,
    pub payee: Option<Field<'a>>,
    pub memo: Option<Field<'a>>,
    pub pending: Option<Field<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Holding<'a> {
    pub id: Option<Field<'a>>,
    pub currency: Option<Field<'a>>,
    pub symbol: Option<Field<'a>>,
    pub description: Option<Field<'a>>,
    pub shares: Option<Field<'a>>,
    pub market_value: Option<Field<'a>>,
    pub purchase_price: Option<Field<'a>>,
    pub cost_basis: Option<Field<'a>>,
}

/// A field as it is written; of a hundred thousand rows most are read where they stand.
#[derive(Debug)]
pub(super) enum Field<'a> {
    Text(Cow<'a, str>),
    Number(&'a str),
    Yes,
    /// Nothing that says anything here.
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = <&'a RawValue>::deserialize(from)?.get();
        let quoted = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        Ok(match (quoted, raw.as_bytes().first()) {
            (Some(text), _) if !text.contains('\\') => Self::Text(Cow::Borrowed(text)),
            (Some(_), _) => Self::Text(serde_json::from_str(raw).map_err(D::Error::custom)?),
            (None, Some(b'-' | b'0'..=b'9')) => Self::Number(raw),
            _ if raw == "true" => Self::Yes,
            _ => Self::Other,
        })
    }
}

/// A text, or a number as it is written; nothing where there is nothing in it.
pub(super) fn text(field: Option<&Field<'_>>) -> Option<SafeText> {
    let text = match field? {
        Field::Text(text) => SafeText::new(text.trim()),
        Field::Number(number) => SafeText::new(number),
        Field::Yes | Field::Other => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// An exact number; none: there is none, or it is none.
pub(super) fn number(field: Option<&Field<'_>>) -> Option<Dec> {
    match field? {
        Field::Text(text) => Dec::from_json_number(text.trim()).ok(),
        Field::Number(number) => Dec::from_json_number(number).ok(),
        Field::Yes | Field::Other => None,
    }
}

/// An instant in seconds since the epoch; 0 says that it has not come.
pub(super) fn instant(field: Option<&Field<'_>>) -> Option<DateTime<Utc>> {
    let text = text(field)?;
    // Some have a fraction of a second.
    let seconds: i64 = text.as_str().split('.').next()?.parse().ok()?;
    DateTime::from_timestamp(seconds, 0).filter(|_| seconds > 0)
}
