//! What was in an account of a connection before the first row that is known: what its provider says
//! less all that is known, so that both come to the same. That is made once, by the first answer that
//! lacks nothing; where rows of before come after all, it is made anew over them.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::Result;
use super::body::Underlay;
use super::claims::Claims;
use super::intake::{Content, Intake};
use super::remote::ToldAccount;
use super::standing::Stands;
use crate::figures;
use crate::model::{
    AccountId, Currency, Dec, Entry, EntryType, Exact, Origin, SafeText, SecurityId, Subtype, Unit,
    Unopened, midnight_micros,
};
use crate::store::{StoredTransaction, Tx, WriteTx};

/// An account that is to be opened, and how far the answer about it can be relied on.
pub(super) struct Opening {
    waits: Unopened,
    /// Nothing is missing from it.
    is_whole: bool,
    /// Nothing is missing of what was asked for; only an answer from the start says more.
    is_late: bool,
    /// There are rows, or none is said to be none.
    tells_rows: bool,
    first: Option<NaiveDate>,
}

impl Opening {
    pub fn of(told: &ToldAccount, waits: Unopened) -> Self {
        let days = told.rows.iter().flat_map(|(_, drafts)| drafts.all());
        Self {
            waits,
            is_whole: !told.left_out && told.complete_since.is_some(),
            is_late: !told.left_out && told.complete_since.is_none(),
            tells_rows: told.complete().is_some(),
            first: days.map(|draft| draft.facts.date).min(),
        }
    }

    /// What is held is to be opened now.
    pub fn opens_holdings(&self) -> bool {
        self.is_whole && self.waits == Unopened::All
    }

    /// A row of it cannot be stored.
    pub const fn lacks_a_row(&mut self) {
        (self.is_whole, self.is_late) = (false, false);
    }

    /// What is left to be opened once it was by this answer.
    fn left(&self, from_start: bool) -> Option<Unopened> {
        (!self.tells_rows || !from_start).then_some(Unopened::Early)
    }
}

/// What is still to be opened of each of these accounts. One that has a row but is not listed had it
/// before it was connected: only a person knows what is missing there.
pub(super) async fn waits(tx: &mut Tx, told: &[ToldAccount]) -> Result<Vec<Option<Unopened>>> {
    let names: HashMap<_, _> = tx.account_names().await?.into_iter().collect();
    let listed = tx.unopened().await?;
    let mut waits = Vec::with_capacity(told.len());
    for told in told {
        let account = names.get(&told.account.name).copied();
        let has_rows = match account {
            // Those that count are counted already; to look for others is to look at all rows.
            Some(account) => {
                tx.count_rows(Some(account)).await? > 0 || tx.has_rows(account).await?
            }
            None => false,
        };
        let listed = account.and_then(|account| listed.get(&account).copied());
        waits.push(listed.or((!has_rows).then_some(Unopened::All)));
    }
    Ok(waits)
}

/// What is left to be opened of an account.
pub(super) struct Left {
    account: AccountId,
    waits: Option<Unopened>,
    /// There may be rows of before what was asked for, or nothing but all rows opens it.
    pub asks_again: bool,
}

/// Keeps what is left to be opened, where that is not known.
pub(super) async fn keep(tx: &mut WriteTx, left: &[Left]) -> Result<()> {
    let known = tx.unopened().await?;
    for Left { account, waits, .. } in left {
        if known.get(account) != waits.as_ref() {
            tx.put_unopened(*account, *waits).await?;
        }
    }
    Ok(())
}

/// A row that says what was there before, as nobody but this program says it.
pub(super) fn is_opening(row: &StoredTransaction) -> bool {
    let row = &row.transaction;
    row.origin == Origin::Provider
        && row.facts.subtype == Subtype::Opening
        && row.source_id.is_none()
}

/// With what an account begins.
#[derive(Default)]
struct Beginning {
    /// What was opened of it.
    openings: Vec<StoredTransaction>,
    /// The day of its first other row.
    first: Option<NaiveDate>,
}

impl Intake {
    /// Opens the accounts that are not, as far as these answers allow; all rows are in.
    pub(super) async fn open_accounts(
        &mut self,
        told: &[(AccountId, Option<Opening>, Option<Stands>)],
        from_start: bool,
    ) -> Result<Vec<Left>> {
        let mut left = Vec::new();
        let mut beginnings = self.beginnings(told).await?;
        for (account, opening, stand) in told {
            let Some(opening) = opening else { continue };
            let (mut waits, mut is_tried) = (Some(opening.waits), false);
            if let Some(stand) = stand.as_ref().filter(|_| opening.is_whole) {
                let beginning = beginnings.remove(account).unwrap_or_default();
                waits = self.open(stand, opening, beginning, from_start).await?;
                is_tried = true;
            }
            let is_early = waits == Some(Unopened::Early);
            let asks_again = !from_start
                && match is_tried {
                    true => is_early && opening.tells_rows,
                    false => opening.is_late,
                };
            left.push(Left { account: *account, waits, asks_again });
        }
        Ok(left)
    }

    /// With what the accounts begin that can be opened now. They are looked for together: each look is
    /// one at all rows there are.
    async fn beginnings(
        &mut self,
        told: &[(AccountId, Option<Opening>, Option<Stands>)],
    ) -> Result<HashMap<AccountId, Beginning>> {
        let can_be_opened =
            |(account, opening, stand): &(AccountId, Option<Opening>, Option<Stands>)| {
                let is_whole = opening.as_ref().is_some_and(|opening| opening.is_whole);
                (is_whole && stand.is_some()).then_some(*account)
            };
        let accounts: Vec<_> = told.iter().filter_map(can_be_opened).collect();
        let mut found: HashMap<AccountId, Beginning> = HashMap::new();
        if accounts.is_empty() {
            return Ok(found);
        }
        self.settle().await?;
        self.book.settle_figures(&mut self.tx).await?;
        for (account, first) in self.tx.first_days(&accounts).await? {
            found.entry(account).or_default().first = Some(first);
        }
        for row in self.tx.openings(&accounts).await? {
            found.entry(row.transaction.account).or_default().openings.push(row);
        }
        Ok(found)
    }

    /// Makes the opening of an account as far as this answer allows; all other rows are in. Gives
    /// what is left to be opened.
    async fn open(
        &mut self,
        stand: &Stands,
        opening: &Opening,
        Beginning { openings, first }: Beginning,
        from_start: bool,
    ) -> Result<Option<Unopened>> {
        let waits = opening.waits;
        let is_nothing_new = match waits {
            Unopened::All => false,
            Unopened::Cash => stand.standing.cash(stand.currency).is_none(),
            Unopened::Early => !opening.tells_rows,
        };
        if is_nothing_new || stand.standing.holdings.is_none() {
            return Ok(Some(waits));
        }
        let day = first_day(stand, &openings, first);
        if waits == Unopened::Early {
            let opened = openings.iter().map(|row| row.transaction.facts.date).min();
            let is_later = |first| opened.is_some_and(|opened| opened < first);
            if opening.first.is_none_or(is_later) {
                // Nothing came of the time before.
                return Ok(None);
            }
        }
        if waits == Unopened::All {
            self.open_holdings(stand, &openings, day).await?;
        }
        let Some(cash) = stand.standing.cash(stand.currency) else {
            return Ok(Some(if waits == Unopened::All { Unopened::Cash } else { waits }));
        };
        for row in openings.iter().filter(|row| is_of_cash(row, stand.currency)) {
            // What a person did to it is the last word about it.
            if row.transaction.deleted || Underlay::of(row)?.edited.contains("amount") {
                return Ok(None);
            }
        }
        let Stands { account, currency, .. } = *stand;
        let ours =
            figures::settled_cash(&mut self.tx, account, currency, stand.standing.date).await?;
        // An opening of a later day than this balance will be moved before it.
        let later = openings.iter().map(|row| &row.transaction);
        let later = later.filter(|row| row.facts.date > stand.standing.date);
        let later = later.filter(|row| row.security.is_none() && row.facts.currency == currency);
        let ours = later.fold(ours, |sum, row| sum.add(&Exact::from(row.facts.amount)));
        let Ok(lacks) = Exact::from(cash).sub(&ours).round(28) else { return Ok(Some(waits)) };
        self.open_cash(stand, openings, day, lacks).await?;
        Ok(opening.left(from_start))
    }

    /// Makes up for what is lacking, and moves what was opened too late to the right day.
    async fn open_cash(
        &mut self,
        stand: &Stands,
        openings: Vec<StoredTransaction>,
        day: NaiveDate,
        lacks: Dec,
    ) -> Result<()> {
        let mut lacks = Some(lacks).filter(|lacks| !lacks.is_zero());
        let mut claims = Claims::default();
        let ids: Vec<_> = openings.iter().map(|row| row.transaction.id).collect();
        claims.know(self.tx.claims(&ids).await?);
        for mut row in openings.into_iter().filter(|row| !row.transaction.deleted) {
            let mut now = Underlay::of(&row)?;
            now.facts.date = day;
            if is_of_cash(&row, stand.currency) {
                let sum = lacks.take().map(|lacks| now.facts.amount.checked_add(lacks));
                now.facts.amount = sum.flatten().unwrap_or(now.facts.amount);
            }
            if now != Underlay::of(&row)? {
                row.transaction.seq = midnight_micros(day);
                self.change_told(&mut row, now, &mut claims).await?;
            }
        }
        self.write_claims(&claims).await?;
        let Some(lacks) = lacks else { return Ok(()) };
        let row =
            Entry { amount: Some(lacks), ..self.opening_row(stand, day, stand.currency.into())? };
        self.push_opening(row).await
    }

    async fn open_holdings(
        &mut self,
        stand: &Stands,
        openings: &[StoredTransaction],
        day: NaiveDate,
    ) -> Result<()> {
        let mut held = figures::held_on(&mut self.tx, stand.standing.date).await?;
        let is_opened = |id| openings.iter().any(|row| row.transaction.security == Some(id));
        for (holding, security) in stand.holdings() {
            let Some(id) = security.filter(|id| !is_opened(*id)) else { continue };
            // What is told in several lots has its rows counted with the first.
            let ours = held.remove(&(stand.account, id)).unwrap_or(Dec::ZERO);
            let Some(before) = holding.quantity.checked_sub(ours).filter(|left| !left.is_zero())
            else {
                continue;
            };
            let price = holding.unit_cost();
            let row = Entry {
                symbol: Some(holding.security.clone()),
                quantity: Some(before),
                multiplier: holding.multiplier,
                price,
                price_scale: price.map_or(0, |price| price.inner().scale()),
                ..self.opening_row(stand, day, holding.currency.into())?
            };
            self.push_opening(row).await?;
        }
        // What is held no more was there before it went; at which cost nobody tells.
        let mine = (stand.account, SecurityId(i64::MIN))..=(stand.account, SecurityId(i64::MAX));
        let left = held.range(mine).map(|((_, id), ours)| (*id, *ours));
        let left: Vec<_> = left.filter(|(id, ours)| !ours.is_zero() && !is_opened(*id)).collect();
        let rows = match left.is_empty() {
            true => Vec::new(),
            false => self.tx.transactions_of_account(stand.account).await?,
        };
        for (id, ours) in left {
            let security = &self.book.security(id)?.security;
            let facts = rows.iter().map(|row| &row.transaction);
            let mut facts = facts.filter(|row| row.security == Some(id)).map(|row| &row.facts);
            let row = Entry {
                symbol: Some(security.mention()),
                quantity: Some(-ours),
                multiplier: facts.find_map(|facts| facts.multiplier),
                ..self.opening_row(stand, day, security.currency.into())?
            };
            self.push_opening(row).await?;
        }
        Ok(())
    }

    fn opening_row(&self, stand: &Stands, day: NaiveDate, unit: Unit) -> Result<Entry> {
        let name = self.book.account(stand.account)?.account.name.clone();
        let row = Entry::new(name, day, EntryType::One(Subtype::Opening), unit);
        let words = "Opening implied by the first refresh";
        Ok(Entry { description: Some(SafeText::new(words)), amount_stands: true, ..row })
    }

    async fn push_opening(&mut self, row: Entry) -> Result<()> {
        let at = midnight_micros(row.date);
        if let Ok(drafts) = row.check() {
            // Where it cannot be stored, the difference is found and told.
            let _ = self.push_at(0, at, Content::Drafts(drafts)).await?;
        }
        Ok(())
    }
}

fn is_of_cash(opening: &StoredTransaction, currency: Currency) -> bool {
    let row = &opening.transaction;
    row.security.is_none() && row.facts.currency == currency
}

/// The day before the first row that is known, and never later than it was.
fn first_day(
    stand: &Stands,
    openings: &[StoredTransaction],
    first: Option<NaiveDate>,
) -> NaiveDate {
    let opened = openings.iter().map(|row| row.transaction.facts.date).min();
    let before = first.and_then(|first| first.pred_opt());
    [before, opened].into_iter().flatten().fold(stand.standing.date, NaiveDate::min)
}
