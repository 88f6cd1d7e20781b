//! Where shares of the United States are traded, as people and files write it.

use super::Wanted;
use crate::model::SafeText;

const VENUES: [&str; 17] = [
    "AMEX", "ARCA", "ARCX", "BATS", "BZX", "CBOE", "IEX", "IEXG", "NASDAQ", "NYSE", "NYSEARCA",
    "OTC", "US", "USA", "XASE", "XNAS", "XNYS",
];

/// Whether a share may be traded there, as far as is known: one of the same symbol elsewhere is another
/// one.
pub(super) fn may_be_american(wanted: &Wanted) -> bool {
    let is_here =
        |venue: &SafeText| VENUES.iter().any(|known| known.eq_ignore_ascii_case(venue.as_str()));
    wanted.venue.as_ref().is_none_or(is_here)
}
