//! The table of actions. Everything that names a key to a person is derived from it.

use std::cmp::Ordering;

use super::Context;

/// What the table says of an action.
struct Row {
    name: &'static str,
    doc: &'static str,
    context: Context,
    defaults: &'static [&'static str],
    /// The word in the bottom bar, if it stands there.
    bar: &'static [&'static str],
    /// Where it stands there, if not wherever it is at hand.
    bar_in: &'static [Context],
}

macro_rules! table {
    ($($context:ident {
        $($action:ident $name:literal $chords:tt $doc:literal
            $(bar $bar:literal $(in $($where:ident)+)?)?;)*
    })*) => {
        /// What a person can do with a key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[doc = concat!($doc, ".")] $action,)*)*
        }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &'static [Self] = &[$($(Self::$action,)*)*];

            const fn row(self) -> &'static Row {
                match self {
                    $($(Self::$action => &Row {
                        name: $name,
                        doc: $doc,
                        context: Context::$context,
                        defaults: &$chords,
                        bar: &[$($bar)?],
                        bar_in: &[$($($(Context::$where),+)?)?],
                    },)*)*
                }
            }
        }
    };
}

table! {
    Everywhere {
        Help "help" ["?"] "Show the keys of this pane" bar "help";
        Command "command" [":"] "Open the command line" bar "command";
        Palette "palette" ["Ctrl-p"] "Find a command by its name";
        Filter "filter" ["/"] "Show only what matches" bar "filter";
        Pane0 "pane-0" ["0"] "Go to the overview";
        Pane1 "pane-1" ["1"] "Go to the accounts";
        Pane2 "pane-2" ["2"] "Go to the holdings";
        Pane3 "pane-3" ["3"] "Go to the transactions";
        Pane4 "pane-4" ["4"] "Go to the chart";
        Pane5 "pane-5" ["5"] "Go to the performance";
        Pane6 "pane-6" ["6"] "Go to the allocation";
        Pane7 "pane-7" ["7"] "Go to the income";
        Pane8 "pane-8" ["8"] "Go to what is watched";
        Pane9 "pane-9" ["9"] "Go to the imports";
        Health "health" ["g h"] "Go to what needs a look";
        Activity "activity" ["g a"] "Go to what was done";
        Security "security" ["g s"] "Go to the security";
        Settings "settings" ["g o"] "Go to what can be chosen";
        Connections "connections" ["g n"] "Go to the connections";
        Reconcile "reconcile" ["x"] "Compare with what banks say";
        Unlock "unlock" ["g k"] "Unlock what connections need";
        Lock "lock" ["g l"] "Lock it again";
        Renew "renew" ["W"] "Renew a consent that ends";
        NextPane "next-pane" ["Tab"] "Go to the next pane";
        PreviousPane "previous-pane" ["BackTab"] "Go to the pane before";
        LastView "last-view" ["-"] "Change between the last two views";
        Back "back" ["Ctrl-o"] "Go one view back";
        Cancel "cancel" ["Esc"] "Leave what is open";
        Guide "guide" ["g u"] "Read the guide";
        Messages "messages" ["g m"] "See what was said before";
        View "view" ["g v"] "Bring back or keep a filter";
        Export "export" ["g e"] "Write the rows to a file";
        Refresh "refresh" ["r"] "Fetch what is new" bar "refresh";
        Explain "explain" ["="] "Explain this figure" bar "explain";
        Full "full" ["+"] "Give one part all the room";
        Half "half" ["_"] "Show the other parts again";
        // `@`, `[` and `]` need AltGr on many keyboards, so each has a second chord.
        AsOf "as-of" ["@", "Ctrl-t"] "See the portfolio of another day";
        Today "today" ["T"] "Come back to today";
        RangeShorter "range-shorter" ["[", ","] "Show a shorter range";
        RangeLonger "range-longer" ["]", "."] "Show a longer range";
        CopyCell "copy-cell" ["y"] "Copy the figure of the row";
        SetPrice "set-price" ["P"] "Set a price or a rate";
        Watch "watch" ["g w"] "Watch the security, or no more";
        Undo "undo" ["z"] "Take back the last edit" bar "undo" in Imports;
        Redo "redo" ["Z"] "Do it once more" bar "redo" in Imports;
        Privacy "privacy" ["p"] "Hide or show amounts";
        Theme "theme" ["t"] "Take the next theme";
        Columns "columns" ["g c"] "Choose columns and their order";
        SwapColours "swap-colours" ["g r"] "Swap colours of gain and loss";
        Redraw "redraw" ["Ctrl-l"] "Draw the screen again";
        Suspend "suspend" ["Ctrl-z"] "Go to the shell; `fg` comes back";
        Quit "quit" ["q"] "Quit" bar "quit";
        ForceQuit "force-quit" ["Ctrl-c"] "Quit, whatever is open";
    }
    List {
        MoveDown "move-down" ["j", "Down"] "Go down a row";
        MoveUp "move-up" ["k", "Up"] "Go up a row";
        First "first" ["g g", "Home"] "Go to the first row";
        Last "last" ["G", "End"] "Go to the last row";
        HalfPageDown "half-page-down" ["Ctrl-d"] "Go down half a page";
        HalfPageUp "half-page-up" ["Ctrl-u"] "Go up half a page";
        PageDown "page-down" ["PgDn", "Ctrl-f"] "Go down a page";
        PageUp "page-up" ["PgUp", "Ctrl-b"] "Go up a page";
        Open "open" ["Enter"] "Open the row" bar "open";
        In "in" ["l", "Right"] "Go in, or pan to the right";
        Out "out" ["h", "Left"] "Go out, or pan to the left";
        FindNext "find-next" ["n"] "Go to the next match of a filter";
        FindPrevious "find-previous" ["N"] "Go to the match before";
        Sort "sort" ["s"] "Choose the order of the rows";
        Mark "mark" ["Space"] "Mark the row, or unmark it";
        MarkRange "mark-range" ["v"] "Begin or end a range of marks";
        CopyRow "copy-row" ["Y"] "Copy the row, or all marked rows";
        Add "add" ["a"] "Add by hand" bar "add" in Transactions Accounts Reconcile;
        Edit "edit" ["e"] "Edit by hand" bar "edit" in Transactions;
        Delete "delete" ["d"] "Delete, close or take away";
    }
    Accounts {
        Fold "fold" ["o"] "Fold or unfold an institution" bar "fold";
        Balance "balance" ["B"] "Set the balance of a day";
        Connect "connect" ["c"] "Connect a bank or a broker" bar "connect";
    }
    Holdings {
        Lots "lots" ["L"] "Show or hide the lots" bar "lots";
        Group "group" ["o"] "Choose what rows are grouped by" bar "group";
        Closed "closed" ["c"] "Show or hide closed positions" bar "closed";
        Buy "buy" ["b"] "Buy more of it" bar "buy";
        Sell "sell" ["S"] "Sell of it, and choose the lots" bar "sell";
    }
    Transactions {
        Categorise "categorise" ["C"] "Sort the marked rows" bar "sort";
        Link "link" ["K"] "Make the marked rows one event";
        Unlink "unlink" ["U"] "Make the row an event of its own";
    }
    Connections {
        NewConnection "new-connection" ["c"] "Connect a bank or a broker" bar "connect";
        Pause "pause" ["o"] "Pause it, or let it go on" bar "pause";
        RefreshAll "refresh-all" ["R"] "Fetch what is new from all" bar "all";
    }
    Reconcile {
        Adjust "adjust" ["A"] "Add what makes them equal" bar "adjust";
        Ignore "ignore" ["i"] "Leave it, or mind it again" bar "ignore";
    }
    Health {
        Accept "accept" ["A"] "Mend it as proposed" bar "mend";
    }
    Security {
        SourceSymbol "source-symbol" ["m"] "Say what a source calls it" bar "call it";
    }
    Chart {
        ChartKind "chart-kind" ["m"] "Take the next kind of chart" bar "kind";
        ZoomIn "zoom-in" [">"] "Zoom in" bar "zoom in";
        ZoomOut "zoom-out" ["<"] "Zoom out" bar "out";
        Volume "volume" ["v"] "Show or hide the volume" bar "volume";
        Indicators "indicators" ["i"] "Take the next indicator" bar "indicate";
        Compare "compare" ["&"] "Compare with another security";
        LogScale "log-scale" ["L"] "Scale by ratios, or by amounts";
        CrosshairLeft "crosshair-left" ["h", "Left"] "Move the crosshair to the left";
        CrosshairRight "crosshair-right" ["l", "Right"] "Move the crosshair to the right";
        NextSecurity "next-security" ["j", "Down"] "Chart the next security";
        PreviousSecurity "previous-security" ["k", "Up"] "Chart the security before";
    }
    Performance {
        Scope "scope" ["o"] "Choose what is told of" bar "scope";
        Benchmark "benchmark" ["b"] "Compare with a security" bar "against";
    }
    Allocation {
        Dimension "dimension" ["o"] "Cut it in another way" bar "cut by";
        Invest "invest" ["i"] "Plan what to buy for an amount" bar "invest";
        Raise "raise" ["X"] "Plan what to sell for an amount" bar "raise";
        WholeShares "whole-shares" ["u"] "Plan in whole shares, or in parts";
        WritePlan "write-plan" ["w"] "Write the plan to a file" bar "write";
    }
    Income {
        IncomeBy "income-by" ["o"] "Choose what is added up" bar "sum by";
        Forecast "forecast" ["f"] "Show or hide what may come" bar "forecast";
    }
    Watch {
        Listed "listed" ["o"] "Show securities, alerts or log" bar "show";
        Alert "alert" ["A"] "Be told past a bound" bar "alert";
        Snooze "snooze" ["S"] "Silence alerts for a week, or not" bar "snooze";
    }
    Imports {
        BeginImport "begin-import" ["i"] "Import files" bar "import";
    }
}

impl Action {
    /// What it is called in the configuration, on the command line and in the palette.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// What it does, in one short sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        self.row().doc
    }

    /// Its chords where nobody chose others; several in a row have blanks between them.
    #[must_use]
    pub const fn defaults(self) -> &'static [&'static str] {
        self.row().defaults
    }

    /// Where it is at hand.
    #[must_use]
    pub const fn context(self) -> Context {
        self.row().context
    }

    /// Its word in the bottom bar, if it stands there.
    #[must_use]
    pub fn bar(self) -> Option<&'static str> {
        self.row().bar.first().copied()
    }

    /// Whether its word stands in the bar where these contexts are heard.
    #[must_use]
    pub fn is_in_bar(self, contexts: &[Context]) -> bool {
        match self.row().bar_in {
            [] => self.context() == Context::Everywhere || contexts.contains(&self.context()),
            places => places.iter().any(|place| contexts.contains(place)),
        }
    }

    /// It moves the cursor through rows; whoever holds its key down reads none of those on the way.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(
            self,
            Self::MoveDown
                | Self::MoveUp
                | Self::First
                | Self::Last
                | Self::HalfPageDown
                | Self::HalfPageUp
                | Self::PageDown
                | Self::PageUp
        )
    }

    /// The action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// The action that a misspelt name most likely meant.
    pub(super) fn nearest(name: &str) -> Self {
        let likeness = |action: &Self| strsim::jaro_winkler(name, action.name());
        let closer = |a: &Self, b: &Self| -> Ordering { likeness(a).total_cmp(&likeness(b)) };
        Self::ALL.iter().copied().max_by(closer).unwrap_or(Self::Help)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Chord, Key, parse_chords};
    use super::*;

    /// What some common keyboard makes only with `AltGr` or a dead key.
    const NOT_ON_EVERY_KEYBOARD: &str = "@#[]{}\\|~^`´¨€";

    #[test]
    fn names_are_unique_and_plain() {
        let names: BTreeSet<_> = Action::ALL.iter().map(|action| action.name()).collect();
        assert_eq!(names.len(), Action::ALL.len());
        for action in Action::ALL {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(action.name().chars().all(plain), "{action:?}");
            assert_eq!(Action::named(action.name()), Some(*action));
            let spelt: String = action.name().split('-').map(capitalized).collect();
            assert_eq!(spelt, format!("{action:?}"));
        }
        assert_eq!(Action::named("Quit"), None);
    }

    fn capitalized(word: &str) -> String {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    }

    #[test]
    fn sentences_are_short_and_words_of_the_bar_shorter() {
        for action in Action::ALL {
            let doc = action.doc();
            assert!(doc.starts_with(|c: char| c.is_ascii_uppercase()), "{doc}");
            assert!(!doc.ends_with('.') && doc.len() <= 34, "{doc}");
            assert!(action.bar().is_none_or(|word| (2..=8).contains(&word.len())), "{action:?}");
        }
        assert_eq!(Action::Quit.bar(), Some("quit"));
        assert_eq!(Action::Today.bar(), None);
    }

    #[test]
    fn every_keyboard_reaches_every_action() {
        let everywhere = |chord: &Chord| match chord.key {
            _ if chord.alt => false,
            Key::F(_) => false,
            Key::Char(c) => c.is_ascii() && !NOT_ON_EVERY_KEYBOARD.contains(c),
            _ => true,
        };
        for action in Action::ALL {
            let written = action.defaults().iter().map(|text| parse_chords(text).unwrap());
            let reached = written.into_iter().any(|chords| chords.iter().all(everywhere));
            assert!(reached, "{action:?} needs Alt, AltGr, a dead key or a function key");
        }
    }

    #[test]
    fn a_misspelt_name_finds_its_action() {
        assert_eq!(Action::nearest("pagedown"), Action::PageDown);
        assert_eq!(Action::nearest("quitt"), Action::Quit);
    }
}
