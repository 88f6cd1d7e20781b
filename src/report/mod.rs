//! Every figure that is shown or printed, read from the store; the screen and the command line
//! read the same ones. Writes nothing.

mod accounts;
mod allocation;
mod as_of;
mod bars;
mod batches;
mod connections;
mod contents;
mod coverage;
mod doubts;
mod explain;
pub mod find;
mod findings;
mod gains;
mod holdings;
mod income;
mod indicators;
mod known;
mod lots;
mod movers;
mod named;
mod net_worth;
mod order;
mod parts;
mod pending;
mod performance;
mod plan;
mod proposals;
mod reasons;
mod reconcile;
mod security;
mod sources;
mod superficial;
mod transactions;
mod trends;
mod types;
mod valuation;
mod watch;
mod window;

pub use crate::figures::Names;
pub use accounts::{AccountRow, AccountsQuery, AccountsReport, accounts};
pub use allocation::{Allocation, AllocationQuery, AllocationRow, Standing, allocation};
pub use as_of::accounts_and_holdings;
pub use bars::{Bars, BarsQuery, Mark, MarkKind, Told, bars};
pub use batches::{BatchSummary, batches, left_out};
pub use connections::{ConnectionRow, connections};
pub use contents::Contents;
pub use coverage::coverage;
pub use explain::{
    explain_account, explain_allocation, explain_finding, explain_gains, explain_holding,
    explain_income, explain_lots, explain_net_worth, explain_transaction, explain_watch,
};
pub use find::{Find, FindError};
pub use findings::findings;
pub use gains::{compare_methods, gains};
pub use holdings::holdings;
pub use income::{
    Coming, IncomeBy, IncomeDate, IncomeQuery, IncomeReport, IncomeRow, IncomeSums, IncomeTotals,
    NoYield, Yields, income, income_and_dates,
};
pub use indicators::{Compared, Indicator, IndicatorLines, compared, indicator};
pub use known::{Known, known};
pub use lots::{lots, lots_of};
pub use movers::{Change, Mover, Movers, MoversQuery, movers};
pub use named::named;
pub use net_worth::{net_worth, worth_line};
pub use performance::{
    By, Nothing, PerformanceQuery, PerformanceReport, PerformanceRow, Period, Portion, Reasons,
    Split, Yardstick, days_to_keep, explain_performance, performance, ratio, unlike_the_kept,
};
pub use plan::{Action, Aim, Plan, PlanError, PlanQuery, PlanRow, PlannedLot, plan};
pub use proposals::{SplitProposal, SplitShare, splits};
pub use reconcile::{Differing, ReconcileRow, reconcile};
pub use security::{SecurityDetail, SecurityQuery, SourceSpan, security_detail};
pub use transactions::{
    TransactionDetail, TransactionRow, TransactionsQuery, TransactionsReport, transaction_detail,
    transactions,
};
pub use trends::{Trend, TrendsQuery, trends};
pub use types::*;
pub use watch::{AlertRow, LoggedAlert, WatchQuery, WatchReport, WatchRow, watch};
pub use window::{
    At, NextRow, Pages, Ruler, Window, WindowQuery, WindowRow, between, next_row, rows, ruler,
    window,
};

use chrono::NaiveDate;

use crate::model::SafeText;
use crate::store;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A place that no earlier answer gave.
    #[error("--after takes the `next` of an earlier answer, unchanged")]
    Cursor,
    /// A plan that cannot be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// There is nothing of this name in the report.
    #[error("the report has no figure `{key}`")]
    NoSuchFigure {
        /// As given.
        key: SafeText,
        /// What it has.
        known: Vec<SafeText>,
    },
}

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, store::Error>;

/// Something that a figure would need and that is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// `price`, `fx`, `cost`, `history` or `overflow`.
    pub what: &'static str,
    /// Of which security.
    pub security: Option<SafeText>,
    /// Of which pair of currencies.
    pub pair: Option<String>,
    /// In which account.
    pub account: Option<SafeText>,
    /// Of which day.
    pub date: Option<NaiveDate>,
}
