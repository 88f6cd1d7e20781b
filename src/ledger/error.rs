//! Why a change was not written.

use chrono::NaiveDate;

use crate::model::{
    AccountId, AlertId, BatchId, IllegalTransition, Refusal, SafeText, SecurityId, SettingError,
    TransactionId,
};
use crate::{archive, store};

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a change was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The change itself is wrong.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Not a value of this setting.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No such account.
    #[error("there is no account with id {0}")]
    NoAccount(AccountId),
    /// No such transaction.
    #[error("there is no transaction {0}; `dashtam report transactions` lists them")]
    NoTransaction(TransactionId),
    /// No such security.
    #[error("there is no security with id {0}")]
    NoSecurity(SecurityId),
    /// No such import.
    #[error("there is no import {0}; `dashtam import list` lists them")]
    NoBatch(BatchId),
    /// Taken back already.
    #[error("import {0} was taken back already")]
    AlreadyUndone(BatchId),
    /// The name is in use.
    #[error("there is an account called `{0}` already; choose another name")]
    NameTaken(SafeText),
    /// Into itself.
    #[error("an account cannot be merged into itself; name two")]
    SameAccount,
    /// Different currencies or modes.
    #[error("`{from}` and `{into}` differ in {what}; make them alike first")]
    CannotMerge {
        /// Would end.
        from: SafeText,
        /// Would live on.
        into: SafeText,
        /// In what.
        what: &'static str,
    },
    /// Two connections would fill one account.
    #[error(
        "`{from}` and `{into}` are both filled by a connection; end one that fills them, then merge again"
    )]
    CannotMergeFilled {
        /// Would end.
        from: SafeText,
        /// Would live on.
        into: SafeText,
    },
    /// One row in two accounts, and nobody can tell which is right.
    #[error(
        "transactions {kept} and {lost} are one row and differ in {what}; make them alike or take one of the imports back, then merge again"
    )]
    CannotFold {
        /// In the account that would live on.
        kept: TransactionId,
        /// In the account that would end.
        lost: TransactionId,
        /// In what.
        what: SafeText,
    },
    /// Two accounts that become one, and each has a balance of one day.
    #[error(
        "`{from}` and `{into}` each have a balance on {date}, and balances are not added; keep both and `dashtam account close` one, or take back the import of one"
    )]
    TwoBalances {
        /// Would end.
        from: SafeText,
        /// Would live on.
        into: SafeText,
        /// The first such day.
        date: NaiveDate,
    },
    /// Balances belong to accounts in balances mode.
    #[error(
        "`{0}` is in ledger mode, its value follows from its rows; `account edit --mode balances` changes that"
    )]
    NotInBalancesMode(SafeText),
    /// Gone or there.
    #[error("transaction {0} is {1}")]
    WrongState(TransactionId, &'static str),
    /// A symbol that another security has.
    #[error("another security is called {0} already; give a venue to tell them apart")]
    SymbolTaken(SafeText),
    /// Parts of one whole that are more than it.
    #[error(
        "the targets by {dimension} would add up to {sum}, and a whole is 1; lower another first"
    )]
    TargetsOverOne {
        /// Cut by what.
        dimension: SafeText,
        /// All of them.
        sum: String,
    },
    /// No such target.
    #[error("there is no target for {key} by {dimension}; `dashtam target list` lists them")]
    NoTarget {
        /// Cut by what.
        dimension: SafeText,
        /// Which.
        key: SafeText,
    },
    /// A refresh came between.
    #[error("this difference is no more: a refresh has found other figures, or none")]
    NoDifference,
    /// A refresh came between, or somebody else.
    #[error(
        "no such price waits to be accepted: it was accepted or borne out already, or a refresh has found \
         another one; `dashtam report findings` lists those that wait"
    )]
    NoDoubtfulPrice,
    /// Nobody said a price of that day.
    #[error("there is no price of {symbol} of {date} from such a source")]
    NoPrice {
        /// Of what.
        symbol: SafeText,
        /// The day.
        date: NaiveDate,
    },
    /// Nobody watches it.
    #[error("security {0} is not watched; `dashtam watch list` lists those that are")]
    NotWatched(SecurityId),
    /// No such alert.
    #[error("there is no alert {0}; `dashtam alert list` lists them")]
    NoAlert(AlertId),
    /// What was to be taken back is something else by now.
    #[error("{0} was changed since by somebody else; nothing was taken back")]
    ChangedSince(SafeText),
    /// A row that an import counts on by now.
    #[error("an import has transaction {0} too since; delete it instead of taking it back")]
    ClaimedSince(TransactionId),
    /// One row is no group.
    #[error("it takes two transactions or more to link them")]
    NothingToLink,
    /// Two moves that are no one event.
    #[error(
        "transactions {0} and {1} cannot be the two legs of one move: what leaves one account comes to another, both money or both the same security; `report findings` proposes pairs that fit"
    )]
    NoPair(TransactionId, TransactionId),
    /// A backup that is not what was written, or is no backup.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// A backup would be mixed with something else.
    #[error(
        "this store has content, and a backup only goes into an empty one; name a new one with --database or --data-dir"
    )]
    HasContent,
    /// Something in a backup that this program has no place for.
    #[error(
        "the backup has a {what} `{name}`, which this dashtam does not know; use the one that wrote it"
    )]
    NoPlace {
        /// Table or column.
        what: &'static str,
        /// As the backup calls it.
        name: SafeText,
    },
    /// Somebody else refreshes now.
    #[error("another process refreshes this store by now; nothing was stored")]
    LeaseLost,
    /// The task that wrote was stopped.
    #[error("the write was stopped before its end; nothing was stored")]
    Interrupted,
    /// What a connection is to show cannot be kept as a secret.
    #[error("what the connection is to show cannot be sealed: {0}; nothing was stored")]
    NotSealed(SafeText),
    /// A connection that was ended, say, and is to work again.
    #[error(transparent)]
    Transition(#[from] IllegalTransition),
    /// What we wrote ourselves cannot be read.
    #[error("a stored version cannot be read: {0}")]
    Damaged(SafeText),
}
