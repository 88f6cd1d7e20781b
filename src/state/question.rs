//! The large parts of the state, which are asked for.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{TrailRow, Trouble};
use crate::model::{BatchId, SafeText, SecurityId, Setting, TransactionId};
use crate::report::{
    self, AccountsQuery, Allocation, AllocationQuery, Bars, BarsQuery, BatchSummary, Compared,
    CoverageReport, Explanation, IncomeDate, IncomeQuery, IncomeReport, Indicator, IndicatorLines,
    Known, LotsReport, Movers, MoversQuery, NetWorthQuery, NetWorthReport, NextRow,
    PerformanceQuery, PerformanceReport, Plan, PlanQuery, PositionsQuery, ReconcileRow,
    SecurityDetail, SecurityQuery, SplitProposal, TransactionDetail, Trend, TrendsQuery,
    WatchQuery, Window, WindowQuery, WindowRow,
};
use crate::store::{StagedRow, Tx};

/// A place on the screen that wants an answer: of each the newest question counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The line of net worth in the overview.
    History,
    /// What changed since the last visit.
    Since,
    /// Lots beneath the holdings.
    Lots,
    /// Where prices went lately, beside the holdings.
    Trends,
    /// The chart: prices of a security, or net worth.
    Chart,
    /// A window into the transactions.
    Window,
    /// What is known of a transaction beyond its row.
    Row,
    /// Where a search goes.
    Next,
    /// What is marked and not in the window.
    Marked,
    /// What lies between two rows.
    Between,
    /// How things did.
    Performance,
    /// How the accounts did, where not all of them together have figures.
    Beneath,
    /// What everything consists of.
    Parts,
    /// What to buy or sell.
    Plan,
    /// What was received, and what may be.
    Income,
    /// The imports.
    Batches,
    /// What one of them left out.
    LeftOut,
    /// Which prices and rates lack.
    Coverage,
    /// What providers say that accounts come to.
    Reconcile,
    /// What was done.
    Trail,
    /// Everything of a security but its prices.
    Security,
    /// Its prices as a table.
    Prices,
    /// Splits that the rows lack.
    Splits,
    /// What is drawn beside prices.
    Indicator,
    /// The security that is compared with.
    Compared,
    /// What was chosen in the store.
    Settings,
    /// How a figure came about.
    Explain,
    /// What can be named in a form.
    Known,
    /// What a form is about.
    Form,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Net worth over time, as a line.
    History(NetWorthQuery),
    /// What changed since a day.
    Movers(MoversQuery),
    /// Every open lot.
    Lots(PositionsQuery),
    /// Those of one security.
    LotsOf(PositionsQuery, SecurityId),
    /// Where prices went lately.
    Trends(TrendsQuery),
    /// The prices of a security.
    Bars(BarsQuery),
    /// A window into the transactions.
    Window(WindowQuery),
    /// What is known of a transaction beyond its row.
    Row(TransactionId),
    /// The next transaction that fits.
    Next(WindowQuery),
    /// These transactions.
    Rows(Vec<TransactionId>),
    /// What can be named.
    Known,
    /// The transactions that fit from one to another.
    Between(WindowQuery, TransactionId, TransactionId),
    /// How things did, and what the same money would have done in a security that is named.
    Performance(PerformanceQuery, Option<SafeText>),
    /// What everything consists of.
    Parts(AllocationQuery),
    /// What to buy or sell.
    Plan(PlanQuery),
    /// What was received, and what may be.
    Income(IncomeQuery),
    /// The imports.
    Batches,
    /// What one of them left out.
    LeftOut(BatchId),
    /// Which prices and rates lack up to a day.
    Coverage(NaiveDate),
    /// What providers say that accounts come to, beside what the ledger comes to.
    Reconcile,
    /// Which splits the prices show up to a day, and the rows lack.
    Splits(NaiveDate),
    /// What was done: of the trail, not of the store.
    Trail,
    /// What was chosen in the store.
    Settings,
    /// Everything of a security but its prices.
    Security(SecurityQuery),
    /// What is drawn beside prices.
    Indicator(BarsQuery, Indicator),
    /// How the security of this name did on the same days.
    Compared(BarsQuery, SafeText),
    /// How the figures of income came about.
    ExplainIncome(IncomeQuery, SafeText),
    /// How the figures of a slice came about.
    ExplainPart(AllocationQuery, SafeText),
    /// How the figures of a scope of performance came about.
    ExplainPerformance(PerformanceQuery, SafeText),
    /// How the figures of a holding came about.
    ExplainHolding(PositionsQuery, SafeText),
    /// How the figures of an account came about.
    ExplainAccount(AccountsQuery, SafeText),
    /// How the figures of a security that is watched came about.
    ExplainWatch(WatchQuery, SecurityId),
    /// How the amount of a transaction came about.
    ExplainRow(TransactionId),
    /// How net worth on the last day came about.
    ExplainNetWorth(NetWorthQuery),
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Slice {
    /// Net worth over time, as a line.
    History(NetWorthReport),
    /// What changed since a day.
    Movers(Movers),
    /// Open lots.
    Lots(LotsReport),
    /// Where prices went lately.
    Trends(Vec<Trend>),
    /// Prices.
    Bars(Bars),
    /// A window into the transactions.
    Window(Window),
    /// What is known of a transaction beyond its row.
    Row(TransactionDetail),
    /// Where a search came to.
    Next(NextRow),
    /// The transactions with these ids: those that are still there.
    Rows(Vec<TransactionId>, Vec<WindowRow>),
    /// From one row to another; empty: more than were asked for.
    Between(Vec<TransactionId>),
    /// How things did.
    Performance(PerformanceReport),
    /// What everything consists of.
    Parts(Allocation),
    /// What to buy or sell.
    Plan(Plan),
    /// What was received, and what may be, and on which days.
    Income(IncomeReport, Vec<IncomeDate>),
    /// The imports, oldest first.
    Batches(Vec<BatchSummary>),
    /// What one of them left out.
    LeftOut(Vec<StagedRow>),
    /// Which prices and rates lack.
    Coverage(CoverageReport),
    /// What providers say that accounts come to, beside what the ledger comes to.
    Reconcile(Vec<ReconcileRow>),
    /// Splits that the prices show and the rows lack.
    Splits(Vec<SplitProposal>),
    /// What was done, newest first.
    Trail(Vec<TrailRow>),
    /// Every setting, its value (none: it follows from another), and whether somebody chose it.
    Settings(Vec<(Setting, Option<String>, bool)>),
    /// Everything of a security but its prices.
    Security(Box<SecurityDetail>),
    /// What is drawn beside prices.
    Indicator(IndicatorLines),
    /// How two securities did; none: the other one is not known.
    Compared(Option<Compared>),
    /// What can be named.
    Known(Known),
    /// Derivations.
    Explained(Vec<Explanation>),
    /// It could not be read.
    Failed(Trouble),
}

/// The answer to the question of a slot.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where it belongs.
    pub slot: Slot,
    /// The number of the question.
    pub number: u64,
    /// What was found.
    pub slice: Arc<Slice>,
}

impl Question {
    /// The answer; none where `go_on` said stop.
    pub(super) async fn answer(
        &self,
        tx: &mut Tx,
        go_on: impl Fn() -> bool + Send + Sync,
    ) -> Option<Slice> {
        match self.read(tx, go_on).await {
            Ok(slice) => slice,
            Err(error) => Some(Slice::Failed(Trouble(error.to_string()))),
        }
    }

    async fn read(
        &self,
        tx: &mut Tx,
        go_on: impl Fn() -> bool + Send + Sync,
    ) -> Result<Option<Slice>, report::Error> {
        Ok(Some(match self {
            Self::History(query) => Slice::History(report::worth_line(tx, query).await?),
            Self::Movers(query) => Slice::Movers(report::movers(tx, query).await?),
            Self::Lots(query) => Slice::Lots(report::lots(tx, query).await?),
            Self::LotsOf(query, security) => {
                Slice::Lots(report::lots_of(tx, query, *security).await?)
            }
            Self::Trends(query) => Slice::Trends(report::trends(tx, query).await?),
            Self::Bars(query) => Slice::Bars(report::bars(tx, query).await?),
            Self::Window(query) => {
                return Ok(report::window(tx, query, None, go_on).await?.map(Slice::Window));
            }
            Self::Row(id) => Slice::Row(report::transaction_detail(tx, *id).await?),
            Self::Next(query) => {
                return Ok(report::next_row(tx, query, go_on).await?.map(Slice::Next));
            }
            Self::Known => Slice::Known(report::known(tx).await?),
            Self::Rows(ids) => Slice::Rows(ids.clone(), report::rows(tx, ids).await?),
            Self::Between(query, one, other) => {
                let found = report::between(tx, query, (*one, *other), go_on).await?;
                return Ok(found.map(Slice::Between));
            }
            Self::Performance(query, against) => {
                let benchmark = match against {
                    Some(symbol) => report::named(tx, symbol.as_str()).await?,
                    None => None,
                };
                let query = PerformanceQuery { benchmark, ..*query };
                Slice::Performance(report::performance(tx, &query).await?)
            }
            Self::Parts(query) => Slice::Parts(report::allocation(tx, query).await?),
            Self::Plan(query) => Slice::Plan(report::plan(tx, query).await?),
            Self::Income(query) => {
                let (report, dates) = report::income_and_dates(tx, query).await?;
                Slice::Income(report, dates)
            }
            Self::Batches => Slice::Batches(report::batches(tx).await?),
            Self::Settings => Slice::Settings(Setting::among(&tx.settings().await?)),
            Self::LeftOut(batch) => Slice::LeftOut(report::left_out(tx, *batch).await?),
            Self::Coverage(day) => Slice::Coverage(report::coverage(tx, *day, None, None).await?),
            Self::Reconcile => Slice::Reconcile(report::reconcile(tx).await?),
            Self::Splits(day) => Slice::Splits(report::splits(tx, *day).await?),
            // The trail is not in the store: whoever keeps it answers.
            Self::Trail => return Ok(None),
            Self::Security(query) => match report::security_detail(tx, query).await? {
                Some(detail) => Slice::Security(Box::new(detail)),
                None => Slice::Failed(Trouble("there is no such security any more".to_owned())),
            },
            Self::Indicator(query, which) => {
                Slice::Indicator(report::indicator(tx, query, *which).await?)
            }
            Self::Compared(query, other) => {
                Slice::Compared(report::compared(tx, query, other).await?)
            }
            Self::ExplainIncome(query, key) => {
                Slice::Explained(report::explain_income(tx, query, key).await?)
            }
            Self::ExplainPart(query, key) => {
                Slice::Explained(report::explain_allocation(tx, query, key).await?)
            }
            Self::ExplainPerformance(query, key) => {
                Slice::Explained(report::explain_performance(tx, query, key).await?)
            }
            Self::ExplainHolding(query, key) => {
                Slice::Explained(report::explain_holding(tx, query, key).await?)
            }
            Self::ExplainAccount(query, key) => {
                Slice::Explained(report::explain_account(tx, query, key).await?)
            }
            Self::ExplainWatch(query, security) => {
                Slice::Explained(report::explain_watch(tx, query, *security).await?)
            }
            Self::ExplainRow(id) => {
                let key = SafeText::new(&id.to_string());
                Slice::Explained(report::explain_transaction(tx, &key).await?)
            }
            Self::ExplainNetWorth(query) => {
                let key = SafeText::new("net_worth");
                Slice::Explained(report::explain_net_worth(tx, query, &key).await?)
            }
        }))
    }
}
