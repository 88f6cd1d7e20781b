//! Older versions and overlaid facts, as JSON: readable for ever, on both engines alike.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, Result};
use crate::model::SafeText;
pub(super) use crate::model::Underlay;
use crate::store::StoredTransaction;

impl Underlay {
    /// The overlay of a row, or an empty one over what it says now.
    pub(super) fn of(row: &StoredTransaction) -> Result<Self> {
        match &row.source_facts {
            Some(json) => serde_json::from_str(json).map_err(|error| damaged(&error)),
            None => Ok(Self::shown(row)),
        }
    }

    /// What a row says now, edits applied.
    pub(super) fn shown(row: &StoredTransaction) -> Self {
        let transaction = &row.transaction;
        Self {
            facts: transaction.facts.clone(),
            security: transaction.security,
            to_security: transaction.to_security,
            link: transaction.link.clone(),
            edited: BTreeSet::new(),
        }
    }

    pub(super) fn to_json(&self) -> Result<String> {
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
