//! What the rows may lack: splits that the prices show, and pairs of rows that may be one move. It
//! only proposes; whoever agrees has them written elsewhere.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{FindingRow, Proposed, Result};
use crate::analytics::pairs::{self, Pair, Partners};
use crate::analytics::splits::{self, Break, DAYS, Quantities, Step, Witness};
use crate::figures::{self, Market, Names, Otherwise, Scope, TRANSIT};
use crate::model::{
    AccountId, AssetClass, Currency, Dec, Mention, Move, Ratio, SafeText, Security, SecurityId,
    Transaction, TransactionId, Wording,
};
use crate::store::Tx;

/// A split that the prices show and some account lacks.
#[derive(Clone, Debug)]
pub struct SplitProposal {
    /// Of what.
    pub security: SecurityId,
    /// How a row names it.
    pub mention: Mention,
    /// The first day that counts new units.
    pub day: NaiveDate,
    /// New units for old ones.
    pub ratio: Ratio,
    /// The closes that step, and whose they are.
    pub step: Step,
    /// Who bears it out, in words.
    pub witnesses: Vec<SafeText>,
    /// More than the market says so, or the market seldom does that.
    pub sure: bool,
    /// Every account that lacks it.
    pub shares: Vec<SplitShare>,
}

/// What a split makes of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitShare {
    /// Which.
    pub account: SafeText,
    /// How much it held at the end of the day before.
    pub before: Dec,
    /// How much that is in new units; none: more digits than there are.
    pub after: Option<Dec>,
    /// A correction that brought the new units already: a row would count them twice.
    pub booked: Option<TransactionId>,
    /// The row that was written for it before and deleted since.
    pub deleted: Option<TransactionId>,
    /// The currency of the account.
    pub currency: Currency,
}

/// The splits up to a day that some account lacks, by day and symbol.
///
/// # Errors
/// When the store cannot be read.
pub async fn splits(tx: &mut Tx, through: NaiveDate) -> Result<Vec<SplitProposal>> {
    let names = Names::read(tx).await?;
    let securities = tx.securities().await?.into_iter();
    let securities: BTreeMap<_, _> =
        securities.map(|row| (row.security.id, row.security)).collect();
    let positions = tx.positions().await?.into_iter();
    let groups: BTreeMap<_, _> = positions.map(|row| (row.security, row.group)).collect();
    // Only quantities are asked for, and they depend on no rate.
    let market = Market::read(tx, through, Scope::Day, Otherwise::default()).await?;
    let accounts = tx.accounts().await?.into_iter();
    let accounts: BTreeMap<_, _> =
        accounts.map(|row| (row.account.id, row.account.currency)).collect();
    let mut proposals = Vec::new();
    for (security, group) in groups {
        let Some(security) = securities.get(&security).filter(|it| can_split(it)) else { continue };
        let (breaks, shares) = of_security(tx, &market, group, security.id, through).await?;
        for (found, shares) in breaks.into_iter().zip(shares) {
            if !shares.is_empty() {
                let id = splits::split_id(&mention(&names, security), found.day, found.ratio);
                let known = tx.transactions_by_source(&[&id]).await?.into_iter();
                let known: Vec<_> = known.map(|row| row.transaction).collect();
                let share = |share: &splits::Share| SplitShare {
                    account: names.account(share.account),
                    before: share.before,
                    after: share.after,
                    booked: share.booked,
                    deleted: deleted(&known, share.account, security.id),
                    currency: accounts.get(&share.account).copied().unwrap_or(security.currency),
                };
                let shares = shares.iter().map(share).collect();
                proposals.push(proposal(&names, security, found, shares));
            }
        }
    }
    proposals.sort_by(|a, b| (a.day, &a.mention).cmp(&(b.day, &b.mention)));
    Ok(proposals)
}

/// Coins, options and the like move as splits do every other day, and never split.
const fn can_split(security: &Security) -> bool {
    matches!(
        security.class,
        None | Some(
            AssetClass::Equity | AssetClass::Etf | AssetClass::MutualFund | AssetClass::Other
        )
    )
}

async fn of_security(
    tx: &mut Tx,
    market: &Market,
    group: SecurityId,
    security: SecurityId,
    through: NaiveDate,
) -> Result<(Vec<Break>, Vec<Vec<splits::Share>>)> {
    let nothing = (Vec::new(), Vec::new());
    let closes = tx.closes_between(security, NaiveDate::MIN, through).await?;
    if splits::steps(&closes).is_empty() {
        return Ok(nothing);
    }
    let mut rows = figures::rows_of(tx, group, security).await?;
    rows.retain(|row| row.date <= through);
    // A contract for a hundred of something has a price that leaps.
    if rows.iter().any(|row| row.multiplier != Dec::ONE) {
        return Ok(nothing);
    }
    let breaks = splits::breaks(&closes, &rows);
    let days: Vec<_> = splits::days_to_know(&breaks, &rows).into_iter().collect();
    let held = figures::group_on(tx, market, group, &days, Otherwise::default()).await?;
    let mut quantities = Quantities::new();
    for (day, held) in days.iter().zip(held) {
        let mine = held.iter().filter(|held| held.security == security && held.account != TRANSIT);
        quantities.extend(mine.map(|held| ((*day, held.account), held.figures.quantity)));
    }
    let shares = splits::shares(&breaks, &rows, &quantities);
    Ok((breaks, shares))
}

fn proposal(
    names: &Names,
    security: &Security,
    found: Break,
    shares: Vec<SplitShare>,
) -> SplitProposal {
    SplitProposal {
        security: security.id,
        mention: mention(names, security),
        day: found.day,
        ratio: found.ratio,
        witnesses: found.witnesses.iter().map(|witness| words(names, witness)).collect(),
        sure: found.sure,
        shares,
        step: found.step,
    }
}

/// The row of an account among those that were written for a split, where it was deleted since.
fn deleted(
    known: &[Transaction],
    account: AccountId,
    security: SecurityId,
) -> Option<TransactionId> {
    let mut known = known.iter();
    let row =
        known.find(|row| row.account == account && row.security == Some(security) && row.deleted);
    row.map(|row| row.id)
}

/// Whatever else is called so, this is the one. A currency that only follows from rows is not said,
/// else it would be fixed by the splits that are applied.
fn mention(names: &Names, security: &Security) -> Mention {
    let known = names.mention(security.id);
    match security.derived {
        true => known,
        false => Mention { currency: Some(security.currency), ..known },
    }
}

fn words(names: &Names, witness: &Witness) -> SafeText {
    SafeText::new(&match witness {
        Witness::Row { account, transaction } => {
            format!("{} has the split (transaction {transaction})", names.account(*account))
        }
        Witness::Unbroken(source) => format!("{source} counts new units all along"),
        Witness::SameStep(source) => format!("{source} steps alike"),
        Witness::Trades { before, after } => {
            format!("own trades before and after it (transactions {before} and {after})")
        }
        Witness::Stays => "the next five closes stay".to_owned(),
    })
}

/// Pairs of rows that may be one move, and splits that are told twice, up to a day.
pub(super) async fn findings(
    tx: &mut Tx,
    names: &Names,
    through: NaiveDate,
) -> Result<Vec<FindingRow>> {
    let mut partners = Partners::default();
    tx.each_unlinked_move(through, |row| partners.see(row)).await?;
    let moves = partners.found();
    let order = |row: &Move| (row.date, row.place, names.account(row.account), row.id);
    let pairs = pairs::propose(moves, order);
    let mut rows: Vec<_> = pairs.iter().map(|pair| pair_row(names, pair)).collect();
    let splits = tx.splits_between(FIRST_DAY, through).await?;
    let splits: Vec<_> = splits.into_iter().map(|row| row.transaction).collect();
    rows.extend(told_twice(&splits).into_iter().map(|(a, b)| twice_row(names, a, b)));
    Ok(rows)
}

/// Days outside of four digits do not sort as text.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

fn pair_row(names: &Names, pair: &Pair) -> FindingRow {
    let Pair { out, into } = pair;
    let symbol = out.security.map(|id| names.symbol(id));
    let (amount, what) = match (&symbol, out.quantity) {
        (Some(symbol), Some(quantity)) => (quantity, symbol.to_string()),
        _ => (out.amount, out.currency.to_string()),
    };
    let (from, to) = (names.account(out.account), names.account(into.account));
    let moved = format!(" {what} left {from} on {} and came to {to} on {}", out.date, into.date);
    FindingRow {
        id: SafeText::new(&format!("pair_proposed:{}:{}", out.id, into.id)),
        kind: SafeText::new("pair_proposed"),
        severity: SafeText::new("info"),
        account: Some(from),
        symbol,
        date: Some(out.date.max(into.date)),
        transaction: Some(out.id),
        detail: Wording::default().amount(amount.abs()).and(&moved),
        fix: SafeText::new(&format!(
            "if that is one move: `dashtam txn link {} {}`",
            out.id, into.id
        )),
        proposed: Some(Proposed::Link(out.id, into.id)),
    }
}

/// Rows of one account that tell the same split: a company does not do that twice within days.
fn told_twice(splits: &[Transaction]) -> Vec<(&Transaction, &Transaction)> {
    let mut places: BTreeMap<(AccountId, Option<SecurityId>), Vec<&Transaction>> = BTreeMap::new();
    for row in splits {
        places.entry((row.account, row.security)).or_default().push(row);
    }
    let is_twice = |a: &Transaction, b: &Transaction| {
        let near = (b.facts.date - a.facts.date).num_days() <= DAYS;
        let (one, other) = (a.facts.ratio, b.facts.ratio);
        near && one.zip(other).is_some_and(|(one, other)| splits::is_same(one, other))
    };
    let mut found = Vec::new();
    for rows in places.into_values() {
        let pairs = rows.windows(2).filter_map(|pair| match pair {
            [a, b] if is_twice(a, b) => Some((*a, *b)),
            _ => None,
        });
        found.extend(pairs);
    }
    found
}

fn twice_row(names: &Names, first: &Transaction, second: &Transaction) -> FindingRow {
    let ratio = second.facts.ratio.map(|ratio| ratio.to_string()).unwrap_or_default();
    let detail = format!(
        "the split {ratio} is told twice: by {} of {} and by {} of {}",
        first.id, first.facts.date, second.id, second.facts.date
    );
    FindingRow {
        id: SafeText::new(&format!("split_twice:{}:{}", first.id, second.id)),
        kind: SafeText::new("split_twice"),
        severity: SafeText::new("warning"),
        account: Some(names.account(second.account)),
        symbol: second.security.map(|id| names.symbol(id)),
        date: Some(second.facts.date),
        transaction: Some(second.id),
        detail: Wording::new(&detail),
        fix: SafeText::new("delete one of them with `txn delete`"),
        proposed: Some(Proposed::Delete(second.id)),
    }
}
