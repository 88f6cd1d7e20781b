//! What a person can ask for, one file per verb. The screen and the command line both call this.
//!
//! It opens the files, the store and the trail, and puts the rooms together; what a figure means,
//! what a row is and how it is stored is for others to say.

pub mod audit;
pub mod backup;
pub mod connect;
pub mod consent;
mod dashboard;
pub mod days;
pub mod demo;
pub mod doctor;
pub mod edit;
mod error;
pub mod export;
mod files;
pub mod folder;
pub mod held;
pub mod import;
pub mod ledger_sheet;
pub mod migrate;
pub mod open_source;
mod owners;
mod pair;
pub mod plan;
pub mod price;
pub mod rebuild;
pub mod refresh;
pub mod restore;
mod session;
pub mod sheet;
pub mod splits;
pub mod vault;
pub mod watch;

pub use dashboard::{Blocked, Opened, Shown};
pub use error::Error;
pub use session::{Access, Session, is_there};
