//! What was told of a long history while it is asked for, so that it goes on where it was cut off.

use chrono::{DateTime, Utc};

use super::{Boxed, Result};
use crate::model::SafeText;

/// What was told of a span of time, both ends in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldSpan {
    /// From when.
    pub first: DateTime<Utc>,
    /// Until when.
    pub last: DateTime<Utc>,
    /// The rows, in the words of the service, without anything that must not be kept.
    pub rows: String,
}

/// Keeps it, by account.
pub trait Progress: Send + Sync {
    /// What was told of an account, the newest first.
    fn told(&self, account: &SafeText) -> Boxed<Result<Vec<ToldSpan>>>;

    /// Keeps what was told; durable when this is done.
    fn keep(&self, account: &SafeText, span: ToldSpan) -> Boxed<Result<()>>;

    /// Forgets what was told since an instant, which is asked for again.
    fn forget_since(&self, account: &SafeText, first: DateTime<Utc>) -> Boxed<Result<()>>;
}
