//! What a service tells of the accounts that somebody has there. It is in its words and unchecked.

use chrono::{DateTime, Utc};

use super::Error;
use crate::model::{AccountKind, Currency, Entry as Row, SafeText, Standing};

/// All that a connection tells. What it could not tell of one account or one institution stands
/// beside what it told of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteBook {
    /// The accounts there are.
    pub accounts: Vec<RemoteAccount>,
    /// What could not be told or understood.
    pub troubles: Vec<Trouble>,
    /// Some of a first history could not be asked for: what was told of it is still needed.
    pub is_cut_off: bool,
}

/// Something that is missing in what a connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Of what: an institution, an account, a row.
    pub what: SafeText,
    /// Why.
    pub error: Error,
    /// Rows may be missing because of it, which are to be asked for again.
    pub hides_rows: bool,
}

/// An account as its provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteAccount {
    /// What the provider knows it by; another connection may know another account by the same.
    pub id: SafeText,
    /// What it is called there.
    pub name: SafeText,
    /// What it is, as far as that can be told.
    pub kind: AccountKind,
    /// Its main currency.
    pub currency: Currency,
    /// Where it is.
    pub institution: Option<SafeText>,
    /// Its rows.
    pub rows: Vec<RemoteRow>,
    /// Since when these are all the rows there are: what was told before of that time and is not
    /// among them no longer is. None: there may be others.
    pub complete_since: Option<DateTime<Utc>>,
    /// Where no row is told there is none. Else nothing at all is no word on what there was: a
    /// service that lost its connection to a bank tells that too.
    pub may_be_empty: bool,
    /// Some of its rows may be missing all the same.
    pub left_out: bool,
    /// What it comes to.
    pub standing: Option<Standing>,
}

/// A row as its provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRow {
    /// When, for the order among the rows of a day.
    pub at: DateTime<Utc>,
    /// The row, with the provider's id.
    pub row: Row,
}
