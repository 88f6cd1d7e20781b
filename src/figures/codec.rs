//! Figures as bytes and back. Bytes that no writer of ours made are damage, never a panic.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::Exact;
use crate::store::{Error, Result};

/// The change of one day of a year.
#[derive(Serialize, Deserialize)]
pub(super) struct DayChange {
    /// The day of the year, from 1.
    pub day: u16,
    /// Exact, as text.
    pub sum: String,
}

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|error| Error::Damaged(error.to_string()))
}

/// Writes a value after what is there.
pub(super) fn append<T: Serialize>(bytes: Vec<u8>, value: &T) -> Result<Vec<u8>> {
    postcard::to_extend(value, bytes).map_err(|error| Error::Damaged(error.to_string()))
}

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes)
        .map_err(|error| Error::Damaged(format!("a derived figure cannot be read: {error}")))
}

pub(super) fn days_to(changes: &[DayChange]) -> Result<Vec<u8>> {
    to_bytes(&changes)
}

pub(super) fn days_of(bytes: &[u8]) -> Result<BTreeMap<u16, Exact>> {
    let changes: Vec<DayChange> = from_bytes(bytes)?;
    changes
        .into_iter()
        .map(|change| match Exact::parse(&change.sum) {
            Some(sum) => Ok((change.day, sum)),
            None => Err(Error::Damaged("a derived sum is no number".to_owned())),
        })
        .collect()
}
