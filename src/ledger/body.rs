//! Older versions and overlaid facts, as JSON: readable for ever, on both engines alike.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::model::{Facts, SafeText, SecurityId};
use crate::store::StoredTransaction;

/// What the source says of a row, where a person's edits lie over it, and which fields they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Underlay {
    pub facts: Facts,
    pub security: Option<SecurityId>,
    pub to_security: Option<SecurityId>,
    pub link: Option<SafeText>,
    pub edited: BTreeSet<String>,
}

impl Underlay {
    /// The overlay of a row, or an empty one over what it says now.
    pub fn of(row: &StoredTransaction) -> Result<Self> {
        match &row.source_facts {
            Some(json) => serde_json::from_str(json).map_err(|error| damaged(&error)),
            None => Ok(Self {
                facts: row.transaction.facts.clone(),
                security: row.transaction.security,
                to_security: row.transaction.to_security,
                link: row.transaction.link.clone(),
                edited: BTreeSet::new(),
            }),
        }
    }

    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| damaged(&error))
    }
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(&error))
}

pub(super) fn row_from_json(json: &str) -> Result<StoredTransaction> {
    from_json(json)
}

pub(super) fn from_json<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| damaged(&error))
}

pub(super) fn damaged(error: &serde_json::Error) -> Error {
    Error::Damaged(SafeText::capped(&error.to_string(), 200))
}
