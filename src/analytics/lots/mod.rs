//! Lots: what a row does to what is held, what a sale took, what it cost and what it brought.
//!
//! A [`Book`] holds the lots of securities that belong together; a day of rows at a time is
//! applied to it. It asks the [`World`] for rules, rates and prices, and tells a [`Sink`] what was
//! realized and what a person should look at. It knows neither where rows come from nor where
//! figures go, and where a number cannot be known it says so instead of making one up.
//!
//! | file | the rows |
//! |---|---|
//! | `trade` | purchases and sales |
//! | `transfer` | lots that move between accounts, come from outside or go there |
//! | `correction` | openings, adjustments and what is not understood |
//! | `corporate` | splits, stock dividends, changes of symbol, cash that lowers the cost |
//! | `reorganization` | spin-offs and mergers |
//! | `option` | rights that are used or end |
//! | `income` | what is earned and charged |
//!
//! Below them: `clerk` applies rows in their order, `settle` lets what comes meet what is held,
//! `pick` chooses lots, `pool` averages, `costs` and `rates` compute; `stock` tells how much there is.

mod book;
mod clerk;
mod corporate;
mod correction;
mod costs;
mod event;
mod finding;
mod income;
mod option;
mod pick;
mod pool;
mod rates;
mod reorganization;
mod settle;
mod stock;
mod trade;
mod transfer;
mod world;

pub use book::{Book, Position, Transit};
pub use event::{Event, MoveId, Peer};
pub use finding::{FindingKind, LotFinding, Severity, Sink};
pub use rates::{Converted, converted, in_base};
pub use settle::term;
pub use stock::{Place, Stock};
pub use world::{AccountRules, Conversion, Fees, Rules, World};

#[cfg(test)]
mod tests;
