//! The nouns of dashtam: money, accounts, securities, transactions, changes.
//!
//! Plain types that cannot hold an illegal value. This room does no I/O and knows neither the
//! store nor the screen.

mod account;
mod change;
mod check;
mod connection;
mod currency;
mod decimal;
mod doubtful;
mod exact;
mod fold;
mod hex;
mod ids;
mod item;
mod lot;
mod movement;
mod oauth;
mod order;
mod price;
mod row_edit;
mod safe_text;
mod secret;
mod security;
mod setting;
mod standing;
pub mod target;
mod transaction;
mod watch;
pub mod wire;
mod wording;

pub use account::{
    Account, AccountKind, Class, InPerformance, LotMethod, Mode, NewAccount, Tax, UnknownWord,
    choices,
};
pub use change::{AccountEdit, Change, Edit, SecurityEdit};
pub use check::{Column, Drafts, Entry, EntryType, Refusal, Why};
pub use connection::{Connection, ConnectionState, IllegalTransition, Part};
pub use currency::{Currency, Unit, UnknownCurrency};
pub use decimal::{Dec, DecError};
pub use doubtful::{Doubt, DoubtfulPrice};
pub use exact::{Exact, ExactError};
pub use fold::fold;
pub use hex::hex;
pub use ids::{
    AccountId, AlertId, BatchId, CategoryId, ConnectionId, InstitutionId, OpId, SecurityId,
    TransactionId,
};
pub use item::{Item, SecurityWords, SourceWords, TransactionWords};
pub use lot::{Lot, Realization, Running, Term, days};
pub use movement::Move;
pub use oauth::{App, OAuthSpec};
pub use price::{
    Bar, Close, Interval, Price, PriceSubject, PriceToDelete, Quote, Rate, Source, SourceBar, Tick,
    midnight_micros,
};
pub use row_edit::RowEdit;
pub use safe_text::{SafeText, is_safe, keep_raw, raw_of};
pub use secret::Secret;
pub use security::{AssetClass, Isin, Mention, Security, SymbolError, Tags, TagsError};
pub use setting::{Setting, SettingError};
pub use standing::{Difference, Differs, Standing, StatedHolding, Unopened};
pub use target::{Dimension, NewTarget};
pub use transaction::{
    Draft, Facts, Kind, OrderKey, Origin, Rank, Ratio, Status, Subtype, Transaction, Underlay,
};
pub use watch::{AlertEdit, AlertOf, AlertTerms, BoundError, Side, WatchEdit, WatchTerms};
pub use wording::Wording;
