//! What a person can ask to be changed, one thing at a time. Imports bring many rows at once and
//! have their own way through the same door.

use chrono::NaiveDate;

use super::{
    AccountId, AccountKind, AlertEdit, AlertId, AlertTerms, AssetClass, BatchId, Currency, Dec,
    Dimension, Entry, InPerformance, Isin, LotMethod, Mention, Mode, NewAccount, NewTarget,
    PriceToDelete, Quote, Refusal, RowEdit, SafeText, SecurityId, Setting, Tags, TransactionId,
    WatchEdit,
};

/// What happens to one field of an edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// Stays as it is.
    #[default]
    Keep,
    /// Becomes empty.
    Clear,
    /// Becomes this.
    Set(T),
}

impl<T> Edit<T> {
    /// A flag that was given sets the field; one that was not leaves it.
    pub fn given(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }

    /// Whether nothing is asked.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The field after the edit.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// An edit of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountEdit {
    /// What it is.
    pub kind: Option<AccountKind>,
    /// Its main currency.
    pub currency: Option<Currency>,
    /// How it is valued.
    pub mode: Option<Mode>,
    /// Which lots a sale takes.
    pub method: Edit<LotMethod>,
    /// The bank or broker.
    pub institution: Edit<SafeText>,
    /// Closed from this day on.
    pub closed: Edit<NaiveDate>,
    /// Whether it counts in performance.
    pub performance: Edit<InPerformance>,
}

/// An edit of a security.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityEdit {
    /// Its symbol from now on; the identity stays.
    pub symbol: Option<SafeText>,
    /// The currency it is quoted in.
    pub currency: Option<Currency>,
    /// What it is.
    pub class: Edit<AssetClass>,
    /// What people call it.
    pub name: Edit<SafeText>,
    /// The venue or chain.
    pub venue: Edit<SafeText>,
    /// ISIN.
    pub isin: Edit<Isin>,
    /// CUSIP.
    pub cusip: Edit<SafeText>,
    /// FIGI.
    pub figi: Edit<SafeText>,
    /// The part of the economy.
    pub sector: Edit<SafeText>,
    /// The part of the world.
    pub region: Edit<SafeText>,
    /// What else it is sorted by.
    pub tags: Edit<Tags>,
}

/// One change that a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new account.
    AddAccount(NewAccount),
    /// Other properties of an account.
    EditAccount(AccountId, AccountEdit),
    /// Another name; the old one keeps leading to it.
    RenameAccount(AccountId, SafeText),
    /// All of the first becomes part of the second.
    MergeAccounts {
        /// Ends.
        from: AccountId,
        /// Lives on.
        into: AccountId,
    },
    /// The balance of an account on a day.
    SetBalance(AccountId, NaiveDate, Dec),
    /// A new transaction.
    AddTransaction(Box<Entry>),
    /// Another version of a transaction: each changed field becomes an overlay that wins over the
    /// source.
    EditTransaction(TransactionId, Box<RowEdit>),
    /// A transaction taken away.
    DeleteTransaction(TransactionId),
    /// A transaction brought back.
    RestoreTransaction(TransactionId),
    /// Rows that are one event.
    LinkTransactions(Vec<TransactionId>),
    /// A row that is an event of its own.
    UnlinkTransaction(TransactionId),
    /// A price or a rate of one day.
    SetPrice(Box<Quote>),
    /// A price or a rate of one day taken away.
    DeletePrice(PriceToDelete),
    /// What a source calls a security; none: as everybody does.
    SetSymbol(SecurityId, SafeText, Option<SafeText>),
    /// Other properties of a security.
    EditSecurity(SecurityId, SecurityEdit),
    /// A setting.
    Set(Setting, String),
    /// How much of the whole something should be.
    SetTarget(NewTarget),
    /// Nobody minds how much it is.
    RemoveTarget(Dimension, SafeText),
    /// The difference of a finding is left as it is, for as long as both figures stay; or minded
    /// again.
    IgnoreDifference(i64, bool),
    /// The price of a finding is right, however far it is from the one before, where it is still this
    /// one.
    AcceptPrice(i64, Dec),
    /// A security on the watchlist, and what is said of it.
    Watch(Mention, WatchEdit),
    /// A security that is watched no more.
    Unwatch(SecurityId),
    /// A new alert.
    AddAlert(Mention, AlertTerms),
    /// Other terms of an alert.
    EditAlert(AlertId, AlertEdit),
    /// An alert that is silent before a day; none: that speaks again.
    SnoozeAlert(AlertId, Option<NaiveDate>),
    /// An alert taken away.
    RemoveAlert(AlertId),
    /// An import taken back.
    UndoBatch(BatchId),
}

impl Change {
    /// The name of a change of a security.
    pub const EDIT_SECURITY: &'static str = "security.edit";

    /// What needs no store to be checked.
    ///
    /// # Errors
    /// [`Refusal`] with the field and what would be right.
    pub fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::AddTransaction(entry) => entry.as_ref().clone().check().map(|_| ()),
            Self::SetTarget(target) => target.clone().check().map(|_| ()),
            Self::AddAlert(_, terms) => terms.check(),
            _ => Ok(()),
        }
    }

    /// The word for it in the audit trail.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::AddAccount(_) => "account.add",
            Self::EditAccount(..) => "account.edit",
            Self::RenameAccount(..) => "account.rename",
            Self::MergeAccounts { .. } => "account.merge",
            Self::SetBalance(..) => "account.balance",
            Self::AddTransaction(_) => "transaction.add",
            Self::EditTransaction(..) => "transaction.edit",
            Self::DeleteTransaction(_) => "transaction.delete",
            Self::RestoreTransaction(_) => "transaction.restore",
            Self::LinkTransactions(_) => "transaction.link",
            Self::UnlinkTransaction(_) => "transaction.unlink",
            Self::SetPrice(_) => "price.set",
            Self::DeletePrice(..) => "price.delete",
            Self::SetSymbol(..) => "security.symbol",
            Self::EditSecurity(..) => Self::EDIT_SECURITY,
            Self::Set(..) => "setting.set",
            Self::SetTarget(_) => "target.set",
            Self::RemoveTarget(..) => "target.remove",
            Self::IgnoreDifference(..) => "reconcile.ignore",
            Self::AcceptPrice(..) => "price.accept",
            Self::Watch(..) => "watch.set",
            Self::Unwatch(_) => "watch.remove",
            Self::AddAlert(..) => "alert.add",
            Self::EditAlert(..) => "alert.edit",
            Self::SnoozeAlert(..) => "alert.snooze",
            Self::RemoveAlert(_) => "alert.remove",
            Self::UndoBatch(_) => "import.undo",
        }
    }
}
