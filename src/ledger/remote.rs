//! Which of our accounts the accounts of a connection are. A provider's ids are its own, and those of
//! one connection are none of another: two that say the same id, or the same name, mean two accounts.

use std::collections::{BTreeMap, BTreeSet};

use super::Result;
use crate::model::{
    AccountId, Connection, ConnectionId, ConnectionState, Drafts, NewAccount, SafeText, Standing,
};
use crate::store::{AccountRecord, WriteTx};

/// An account as its connection tells it.
#[derive(Clone, Debug)]
pub struct ToldAccount {
    /// By what the provider knows it.
    pub id: SafeText,
    /// What it is.
    pub account: NewAccount,
    /// Its rows, each with its instant in microseconds since the epoch.
    pub rows: Vec<(i64, Drafts)>,
    /// Since when these are all the rows there are, in microseconds since the epoch; none: there may
    /// be others.
    pub complete_since: Option<i64>,
    /// Where no row is told there is none; else that says nothing.
    pub may_be_empty: bool,
    /// Some of them may be missing all the same.
    pub left_out: bool,
    /// What it comes to.
    pub standing: Option<Standing>,
}

impl ToldAccount {
    /// Since when its rows are all there are.
    pub(super) fn complete(&self) -> Option<i64> {
        self.complete_since.filter(|_| self.may_be_empty || !self.rows.is_empty())
    }

    /// Whether it says nothing: of no row, not even that there is none, nor of what there is.
    pub(super) fn is_silent(&self) -> bool {
        self.rows.is_empty() && self.complete().is_none() && self.standing.is_none()
    }

    /// Takes in what is told of the same account under another id.
    fn absorb(&mut self, other: Self) {
        let since = [self.complete(), other.complete()];
        self.left_out |= other.left_out || since.contains(&None);
        self.complete_since = since.into_iter().flatten().max();
        self.rows.extend(other.rows);
        // What each says that it comes to is not what both come to.
        self.standing = match (self.standing.take(), other.standing) {
            (Some(_), Some(_)) => None,
            (one, other) => one.or(other),
        };
    }
}

/// An account that its connection is to fill from now on.
pub(super) struct Link {
    pub id: SafeText,
    /// Under a name that is its own here.
    pub account: NewAccount,
}

/// Gives the accounts of a connection, and so its rows, the names that they have here. Those that are
/// new, or that nobody fills yet, are to be linked.
pub(super) async fn settle(
    tx: &mut WriteTx,
    connection: &Connection,
    told: &mut Vec<ToldAccount>,
) -> Result<Vec<Link>> {
    let here = Here::read(tx, connection).await?;
    let known = |told: &ToldAccount| here.known.get(&told.id).copied();
    let told_of: BTreeSet<_> = told.iter().filter_map(known).collect();
    let mut taken: BTreeSet<SafeText> = BTreeSet::new();
    let mut links = Vec::new();
    let mut names = BTreeMap::new();
    // Those that are known go first, so that no other is taken for them.
    told.sort_by_key(|told| !here.known.contains_key(&told.id));
    for told in &mut *told {
        let (name, is_linked) = here.name_of(told, &taken, &told_of, connection);
        taken.insert(name.clone());
        names.insert(told.account.name.clone(), name.clone());
        told.account.name = name;
        if !is_linked {
            links.push(Link { id: told.id.clone(), account: told.account.clone() });
        }
    }
    for ToldAccount { account, rows, .. } in &mut *told {
        for (_, drafts) in rows {
            drafts.first.account = account.name.clone();
            // Where the other leg of a move is, is only told by name.
            if let Some(second) = &mut drafts.second
                && let Some(name) = names.get(&second.account)
            {
                second.account = name.clone();
            }
        }
    }
    join(told);
    Ok(links)
}

/// Two accounts of a bank may be one here, as a card that was renewed is while the old one is told
/// beside it: what is missing from one may be a row of the other.
fn join(told: &mut Vec<ToldAccount>) {
    let mut joined: Vec<ToldAccount> = Vec::with_capacity(told.len());
    for next in told.drain(..) {
        match joined.iter_mut().find(|one| one.account.name == next.account.name) {
            Some(one) => one.absorb(next),
            None => joined.push(next),
        }
    }
    *told = joined;
}

/// The accounts that are here.
struct Here {
    /// Those of the connection, by its ids.
    known: BTreeMap<SafeText, AccountId>,
    /// By every name they have or had.
    names: BTreeMap<SafeText, AccountId>,
    accounts: BTreeMap<AccountId, AccountRecord>,
    /// Connections that bring nothing any more.
    gone: BTreeSet<ConnectionId>,
}

impl Here {
    async fn read(tx: &mut WriteTx, connection: &Connection) -> Result<Self> {
        let over = |other: &Connection| other.state == ConnectionState::Disconnected;
        let accounts = tx.accounts().await?.into_iter();
        Ok(Self {
            known: tx.remote_accounts(connection.id).await?.into_iter().collect(),
            names: tx.account_names().await?.into_iter().collect(),
            accounts: accounts.map(|row| (row.account.id, row)).collect(),
            gone: tx.connections().await?.iter().filter(|it| over(it)).map(|it| it.id).collect(),
        })
    }

    /// What an account is called here, and whether its connection fills it already.
    fn name_of(
        &self,
        told: &ToldAccount,
        taken: &BTreeSet<SafeText>,
        told_of: &BTreeSet<AccountId>,
        connection: &Connection,
    ) -> (SafeText, bool) {
        let by_id = self.known.get(&told.id).copied();
        // What another connection fills is left to it.
        let is_free = |row: &&AccountRecord| {
            row.connection
                .is_none_or(|filler| filler == connection.id || self.gone.contains(&filler))
        };
        let row = |id: AccountId| self.accounts.get(&id).filter(is_free);
        if let Some(row) = by_id.and_then(row) {
            return (row.account.name.clone(), row.connection == Some(connection.id));
        }
        // One that is told beside it under another id is another one. One that is told no more was
        // given a new id: banks do that when they move house.
        let by_name = self.names.get(&told.account.name).copied();
        let by_name = by_name.filter(|id| !told_of.contains(id));
        match by_name.and_then(row).map(|row| &row.account.name) {
            Some(name) if !taken.contains(name) => (name.clone(), false),
            _ => (self.free_name(&told.account.name, taken, connection), false),
        }
    }

    /// The name itself, or with that of its connection behind it, and a number where that is not
    /// enough.
    fn free_name(
        &self,
        name: &SafeText,
        taken: &BTreeSet<SafeText>,
        connection: &Connection,
    ) -> SafeText {
        let label = &connection.label;
        let with_number = |number: u32| SafeText::new(&format!("{name} ({label} {number})"));
        let plain = [name.clone(), SafeText::new(&format!("{name} ({label})"))];
        let mut names = plain.into_iter().chain((2..).map(with_number));
        let is_free = |name: &SafeText| !self.names.contains_key(name) && !taken.contains(name);
        names.find(is_free).unwrap_or_else(|| name.clone())
    }
}
