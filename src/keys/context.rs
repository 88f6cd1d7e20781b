//! Where an action is at hand. It knows no action.

use std::fmt;

/// Where an action is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// In every pane.
    Everywhere,
    /// In every pane with a cursor: all but the chart.
    List,
    /// In the overview.
    Overview,
    /// In the tree of accounts.
    Accounts,
    /// In the table of holdings.
    Holdings,
    /// In the ledger.
    Transactions,
    /// In the chart.
    Chart,
    /// In the performance.
    Performance,
    /// In the allocation.
    Allocation,
    /// In the income.
    Income,
    /// In what is watched.
    Watch,
    /// In the history of imports.
    Imports,
    /// In the list of what needs a look.
    Health,
    /// In the trail of what was done.
    Activity,
    /// In the pane of one security.
    Security,
    /// In the list of what can be chosen.
    Settings,
    /// In the list of connections.
    Connections,
    /// Where providers and the ledger are compared.
    Reconcile,
}

impl Context {
    /// Every context, the widest first.
    pub const ALL: &'static [Self] = &[
        Self::Everywhere,
        Self::List,
        Self::Overview,
        Self::Accounts,
        Self::Holdings,
        Self::Transactions,
        Self::Chart,
        Self::Performance,
        Self::Allocation,
        Self::Income,
        Self::Watch,
        Self::Imports,
        Self::Health,
        Self::Activity,
        Self::Security,
        Self::Settings,
        Self::Connections,
        Self::Reconcile,
    ];

    /// Its name, as people and scripts read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::List => "list",
            Self::Overview => "overview",
            Self::Accounts => "accounts",
            Self::Holdings => "holdings",
            Self::Transactions => "transactions",
            Self::Chart => "chart",
            Self::Performance => "performance",
            Self::Allocation => "allocation",
            Self::Income => "income",
            Self::Watch => "watch",
            Self::Imports => "imports",
            Self::Health => "health",
            Self::Activity => "activity",
            Self::Security => "security",
            Self::Settings => "settings",
            Self::Connections => "connections",
            Self::Reconcile => "reconcile",
        }
    }

    /// Whether both can be active at once, so that one chord cannot serve both.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        let covers = |wide, narrow| match wide {
            Self::Everywhere => true,
            Self::List => narrow != Self::Chart,
            _ => wide == narrow,
        };
        covers(self, other) || covers(other, self)
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Context::{self, Accounts, Chart, Everywhere, Holdings, List};

    #[test]
    fn panes_do_not_meet_and_the_chart_is_no_list() {
        for (a, b, meet) in [
            (Everywhere, Chart, true),
            (List, Holdings, true),
            (Everywhere, List, true),
            (Holdings, Holdings, true),
            (List, Chart, false),
            (Accounts, Holdings, false),
            (Holdings, Chart, false),
        ] {
            assert_eq!((a.meets(b), b.meets(a)), (meet, meet), "{a} {b}");
        }
        assert!(Context::ALL.iter().all(|context| Everywhere.meets(*context)));
    }
}
