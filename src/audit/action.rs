//! What is told in a trail: every operation that changes what is stored, or uses what opens it. A
//! closed list: `tests/audit` finds an operation that is not in it.

/// What sort of thing an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What is in the store.
    Store,
    /// A connection and its secret.
    Connection,
    /// The key to all secrets.
    Vault,
    /// A file of a person.
    File,
    /// The trail itself.
    Trail,
}

impl Subject {
    /// As the trail says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Connection => "connection",
            Self::Vault => "vault",
            Self::File => "file",
            Self::Trail => "trail",
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal on $subject:ident,)+) => {
        /// An operation that leaves an attempt and an outcome.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $variant,)+
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As the trail says it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it is done to.
            #[must_use]
            pub const fn subject(self) -> Subject {
                match self {
                    $(Self::$variant => Subject::$subject,)+
                }
            }
        }
    };
}

actions! {
    /// A new account.
    AccountAdd = "account.add" on Store,
    /// Another kind, currency or method.
    AccountEdit = "account.edit" on Store,
    /// Another name.
    AccountRename = "account.rename" on Store,
    /// Two accounts become one.
    AccountMerge = "account.merge" on Store,
    /// What an account came to on a day.
    AccountBalance = "account.balance" on Store,
    /// A row by hand.
    TransactionAdd = "transaction.add" on Store,
    /// A row is changed.
    TransactionEdit = "transaction.edit" on Store,
    /// A row is taken away.
    TransactionDelete = "transaction.delete" on Store,
    /// A row that was taken away comes back.
    TransactionRestore = "transaction.restore" on Store,
    /// Two rows are one movement.
    TransactionLink = "transaction.link" on Store,
    /// They are two again.
    TransactionUnlink = "transaction.unlink" on Store,
    /// A change by hand is taken back, or done again.
    ChangeUndo = "change.undo" on Store,
    /// A price or a rate by hand.
    PriceSet = "price.set" on Store,
    /// A price or a rate is taken away.
    PriceDelete = "price.delete" on Store,
    /// A price is right, however far it is from the one before.
    PriceAccept = "price.accept" on Store,
    /// What a source calls a security.
    SecuritySymbol = "security.symbol" on Store,
    /// What a security is.
    SecurityEdit = "security.edit" on Store,
    /// A setting that changes figures.
    SettingSet = "setting.set" on Store,
    /// How much of the whole something should be.
    TargetSet = "target.set" on Store,
    /// It need not be any more.
    TargetRemove = "target.remove" on Store,
    /// A difference to a provider is left as it is, or minded again.
    ReconcileIgnore = "reconcile.ignore" on Store,
    /// What somebody keeps an eye on.
    WatchSet = "watch.set" on Store,
    /// Nobody does any more.
    WatchRemove = "watch.remove" on Store,
    /// When somebody wants to be told.
    AlertAdd = "alert.add" on Store,
    /// At another bound.
    AlertEdit = "alert.edit" on Store,
    /// Not before a day, or again.
    AlertSnooze = "alert.snooze" on Store,
    /// Not any more.
    AlertRemove = "alert.remove" on Store,
    /// Something went past a bound, or came back.
    AlertJudge = "alert.judge" on Store,
    /// Files are taken in.
    Import = "import" on Store,
    /// They are taken back.
    ImportUndo = "import.undo" on Store,
    /// A store is filled from a backup.
    Restore = "restore" on Store,
    /// Derived figures are made anew.
    Rebuild = "rebuild" on Store,
    /// Another schema.
    Migrate = "migrate" on Store,
    /// The content goes into a file.
    Export = "export" on File,
    /// The same with its history.
    Backup = "backup" on File,
    /// What to buy goes into a file.
    PlanWrite = "plan.write" on File,
    /// A connection is made.
    Connect = "connect" on Connection,
    /// Its consent is given anew.
    Reconnect = "reconnect" on Connection,
    /// It ends.
    Disconnect = "disconnect" on Connection,
    /// It rests.
    ConnectionPause = "connection.pause" on Connection,
    /// It goes on.
    ConnectionResume = "connection.resume" on Connection,
    /// It needs a new consent.
    ConnectionFail = "connection.fail" on Connection,
    /// What it has is fetched.
    Refresh = "refresh" on Connection,
    /// A secret is kept.
    SecretPut = "secret.put" on Connection,
    /// A secret is exchanged for the next one.
    SecretRenew = "secret.renew" on Connection,
    /// The vault is made.
    VaultInit = "vault.init" on Vault,
    /// A passphrase is tried.
    VaultUnlock = "vault.unlock" on Vault,
    /// The key is let go of.
    VaultLock = "vault.lock" on Vault,
    /// Another passphrase.
    VaultPassphrase = "vault.passphrase" on Vault,
    /// Other machines.
    VaultRecipients = "vault.recipients" on Vault,
    /// Another key.
    VaultRotate = "vault.rotate" on Vault,
    /// The trail is proved.
    AuditVerify = "audit.verify" on Trail,
    /// The trail goes into a file.
    AuditExport = "audit.export" on Trail,
    /// What is older than seven years goes.
    AuditPurge = "audit.purge" on Trail,
    /// The trail on a server gets an owner of its own.
    AuditOwner = "audit.owner" on Trail,
    /// What keeps its rows as they are was not as it was made, and is made again.
    AuditMend = "audit.mend" on Trail,
}

impl Action {
    /// The one that a trail calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }
}

/// What an operation is done to, by its name.
pub(super) fn subject_of(name: &str) -> &'static str {
    Action::named(name).map_or(Subject::Store, Action::subject).as_str()
}
