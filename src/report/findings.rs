//! What a person should look at: what the ledger noted while it wrote, what the lots found, and what
//! the rows may lack.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::{
    AccountRow, AccountsQuery, FindingRow, Proposed, Result, doubts, proposals, superficial,
};
use crate::analytics::lots::{FindingKind, LotFinding};
use crate::figures::{self, Names};
use crate::model::{
    Difference, Differs, DoubtfulPrice, Mode, Move, SafeText, Transaction, TransactionId, Wording,
};
use crate::store::{Finding, Tx};

/// Everything that is open on a day, the gravest first, then the latest.
///
/// # Errors
/// When the store cannot be read.
pub async fn findings(tx: &mut Tx, as_of: NaiveDate) -> Result<Vec<FindingRow>> {
    let names = Names::read(tx).await?;
    let noted = tx.findings().await?;
    let is_open = |it: &&Finding| it.settled.is_none() && !is_laid_aside(&it.kind);
    let noted = noted.iter().filter(is_open);
    let noted = noted.filter(|finding| names.knows(finding.account));
    let mut rows: Vec<_> = noted.map(|finding| noted_row(&names, finding)).collect();
    let found = figures::findings(tx, as_of).await?;
    let (losses, found): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|finding| finding.kind == FindingKind::SuperficialLoss);
    rows.extend(found.iter().map(|finding| found_row(&names, finding)));
    rows.extend(superficial::findings(tx, &names, losses, as_of).await?);
    rows.extend(proposals::findings(tx, &names, as_of).await?);
    rows.extend(moves_alone(tx, &names, as_of).await?);
    rows.extend(closed_with_value(tx, as_of).await?);
    rows.extend(doubts::findings(tx, as_of).await?);
    let alone = figures::lone_moves(tx, as_of).await?;
    rows.extend(alone.iter().map(|row| lone_move(&names, row)));
    rows.retain(|row| row.date.is_none_or(|date| date <= as_of));
    let weight = |row: &FindingRow| match row.severity.as_str() {
        "error" => 0,
        "warning" => 1,
        _ => 2,
    };
    rows.sort_by(|a, b| {
        weight(a).cmp(&weight(b)).then(b.date.cmp(&a.date)).then_with(|| a.id.cmp(&b.id))
    });
    number_twins(&mut rows);
    Ok(rows)
}

/// Whether somebody said that it is as it should be.
fn is_laid_aside(kind: &str) -> bool {
    [Difference::IGNORED, DoubtfulPrice::ACCEPTED].contains(&kind)
}

/// Of one row the same may be found twice, for two securities or two accounts: each has an id.
fn number_twins(rows: &mut [FindingRow]) {
    let mut seen: HashMap<SafeText, usize> = HashMap::new();
    for row in rows {
        let times = seen.entry(row.id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            row.id = SafeText::new(&format!("{}#{times}", row.id));
        }
    }
}

/// Moves of cash that say they are a part of an event, of which there is nothing else. Those of
/// securities the lots find.
async fn moves_alone(tx: &mut Tx, names: &Names, as_of: NaiveDate) -> Result<Vec<FindingRow>> {
    const KIND: FindingKind = FindingKind::TransferWithoutOtherLeg;
    let row = |alone: Move| FindingRow {
        id: SafeText::new(&format!("{}:{}", KIND.as_str(), alone.id)),
        kind: SafeText::new(KIND.as_str()),
        severity: SafeText::new(KIND.severity().as_str()),
        account: Some(names.account(alone.account)),
        symbol: None,
        date: Some(alone.date),
        transaction: Some(alone.id),
        detail: Wording::new("no other row has its link; ")
            .amount(alone.amount.abs())
            .and(&format!(" {} came from outside or went there", alone.currency)),
        fix: SafeText::new(fix(KIND)),
        proposed: proposed(KIND, alone.id),
    };
    Ok(tx.moves_alone(as_of).await?.into_iter().map(row).collect())
}

/// Closed accounts that hold something, by their rows or their balance: no total counts them any
/// more.
async fn closed_with_value(tx: &mut Tx, as_of: NaiveDate) -> Result<Vec<FindingRow>> {
    let closed = |day: Option<NaiveDate>| day.is_some_and(|day| day <= as_of);
    if !tx.accounts().await?.iter().any(|row| closed(row.account.closed)) {
        return Ok(Vec::new());
    }
    let query = AccountsQuery { as_of, today: as_of, currency: None, account: None, closed: true };
    let accounts = super::accounts(tx, &query).await?.rows.into_iter();
    let left = accounts.filter(|row| closed(row.closed) && row.holds_something);
    Ok(left.map(|row| closed_row(&row)).collect())
}

fn closed_row(account: &AccountRow) -> FindingRow {
    let detail = Wording::new("is closed and still holds something ");
    let detail = match account.value {
        Some(value) => detail.and("worth ").amount(value).and(&format!(" {}", account.currency)),
        None => detail.and("of unknown worth"),
    };
    FindingRow {
        id: SafeText::new(&format!("closed_with_value:{}", account.id)),
        kind: SafeText::new("closed_with_value"),
        severity: SafeText::new("warning"),
        account: Some(account.name.clone()),
        symbol: None,
        date: account.closed,
        transaction: None,
        detail: detail.and(", which no total counts"),
        fix: SafeText::new(match account.mode {
            Mode::Ledger => {
                "open it with `account edit NAME --reopen`, or add the rows that empty it"
            }
            Mode::Balances => {
                "open it with `account edit NAME --reopen`, or give it a last balance of 0"
            }
        }),
        proposed: Some(Proposed::Reopen),
    }
}

/// Money that is in no account between the days of its link, and in no total either.
fn lone_move(names: &Names, row: &Transaction) -> FindingRow {
    let facts = &row.facts;
    FindingRow {
        id: SafeText::new(&format!("move_without_other_end:{}", row.id)),
        kind: SafeText::new("move_without_other_end"),
        severity: SafeText::new("warning"),
        account: Some(names.account(row.account)),
        symbol: None,
        date: Some(facts.date),
        transaction: Some(row.id),
        detail: Wording::new("the rows of its link do not say where ").amount(facts.amount).and(
            &format!(
                " {} come from or go to; between their days the money is in no total",
                facts.currency
            ),
        ),
        fix: SafeText::new("link each two rows that are one move with `txn link`"),
        proposed: Some(Proposed::Edit(row.id)),
    }
}

fn noted_row(names: &Names, finding: &Finding) -> FindingRow {
    let (detail, fix) = match finding.kind.as_str() {
        Difference::FINDING => (
            differs(&finding.detail),
            "add the row that is missing, or delete the one too many; nothing is corrected by itself",
        ),
        DoubtfulPrice::FINDING => (
            doubtful(&finding.detail),
            "if it is right, `price accept SYMBOL` takes it; once the next day bears it out it is taken by itself",
        ),
        _ => (Wording::new(&finding.detail), "look at the row and edit it, or leave your edit"),
    };
    let proposed = match finding.kind.as_str() {
        DoubtfulPrice::FINDING => {
            let told = finding.detail.parse::<DoubtfulPrice>().ok();
            told.map(|told| Proposed::AcceptPrice(finding.id, told.price))
        }
        _ => finding.transaction.map(Proposed::Edit),
    };
    FindingRow {
        id: SafeText::new(&finding.id.to_string()),
        kind: SafeText::new(&finding.kind),
        severity: SafeText::new(&finding.severity),
        account: finding.account.map(|id| names.account(id)),
        symbol: finding.security.map(|id| names.symbol(id)),
        date: finding.date,
        transaction: finding.transaction,
        detail,
        fix: SafeText::new(fix),
        proposed,
    }
}

/// A price that is far from the one before.
fn doubtful(detail: &str) -> Wording {
    let Ok(DoubtfulPrice { price, currency, before, since, source }) = detail.parse() else {
        return Wording::new("a price is far from the one before it, and not taken");
    };
    Wording::new(&format!(
        "{source} tells {price} {currency}, far from {before} of {since}; it is not taken"
    ))
}

/// What the ledger comes to and what its provider says; just that they differ, where more cannot be
/// read.
fn differs(detail: &str) -> Wording {
    let Ok(Difference { ours, stated, of }) = detail.parse() else {
        return Wording::new("what its provider says is not what is here");
    };
    let begun = Wording::new(match of {
        Differs::Balance(_) => "the balance here is ",
        Differs::Cash(_) | Differs::Units(_) => "the rows come to ",
    });
    begun.amount(ours).and(&format!(" {of}, the provider says ")).amount(stated)
}

pub(super) fn found_row(names: &Names, finding: &LotFinding) -> FindingRow {
    let mut detail = Wording::new(finding.kind.detail());
    if let Some(quantity) = finding.quantity {
        detail = detail.and(" (").amount(quantity).and(")");
    }
    if let Some((from, to)) = finding.pair {
        detail = detail.and(&format!(" ({from}/{to})"));
    }
    FindingRow {
        // What follows from rows has no number of its own.
        id: SafeText::new(&format!("{}:{}", finding.kind.as_str(), finding.transaction)),
        kind: SafeText::new(finding.kind.as_str()),
        severity: SafeText::new(finding.severity().as_str()),
        account: Some(names.account(finding.account)),
        symbol: Some(names.symbol(finding.security)),
        date: Some(finding.date),
        transaction: Some(finding.transaction),
        detail,
        fix: SafeText::new(fix(finding.kind)),
        proposed: proposed(finding.kind, finding.transaction),
    }
}

/// What to do about it.
const fn fix(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::ShortOpened | FindingKind::MovedBeyondPosition | FindingKind::BeyondRight => {
            "add what is missing before it: an `opening`, a purchase or a transfer"
        }
        FindingKind::OpeningOnPosition => {
            "leave out the opening, or the rows before it that it repeats"
        }
        FindingKind::NeedsChoice => "name the lots by their day in `acquired` of the sale",
        FindingKind::TransferWithoutOtherLeg | FindingKind::TransferQuantitiesDiffer => {
            "link the two legs with `txn link`, or correct one of them"
        }
        FindingKind::ExerciseWithoutOtherLeg => {
            "link it with the one trade of the underlying by `txn link`; its day is that or a later one"
        }
        FindingKind::NothingHeld => "add what was held before it, or delete the row",
        FindingKind::RatioUnusable | FindingKind::RatioLeavesNothing => {
            "give the row a ratio, new:old"
        }
        FindingKind::ShareUnused | FindingKind::ShareTooLarge => "correct the cost share",
        FindingKind::MissingQuantity | FindingKind::MissingTarget | FindingKind::NotUnderstood => {
            "edit the row so that it says what happened"
        }
        FindingKind::MissingCost => "give the row that brought it in a unit cost in `price`",
        FindingKind::MissingRate => "import rates, or set one with `price set fx:...`",
        FindingKind::MissingPrice => "import prices, or give the row a cost share",
        FindingKind::ReturnBeyondCost => "nothing, if the broker says the same",
        FindingKind::MultiplierDiffers => {
            "give the row its multiplier with `txn edit`, or correct those before it"
        }
        FindingKind::SuperficialLoss => {
            "lower the loss in your tax return by what the rules there say; no figure here does"
        }
        FindingKind::Overflow => "check quantity, price and amount of the row",
    }
}

/// What would mend it at once; none: nothing in the store is wrong, or something outside is to be done.
const fn proposed(kind: FindingKind, row: TransactionId) -> Option<Proposed> {
    match kind {
        FindingKind::ShortOpened
        | FindingKind::MovedBeyondPosition
        | FindingKind::BeyondRight
        | FindingKind::NothingHeld => Some(Proposed::Add("opening")),
        FindingKind::OpeningOnPosition
        | FindingKind::NeedsChoice
        | FindingKind::TransferWithoutOtherLeg
        | FindingKind::TransferQuantitiesDiffer
        | FindingKind::ExerciseWithoutOtherLeg
        | FindingKind::RatioUnusable
        | FindingKind::RatioLeavesNothing
        | FindingKind::ShareUnused
        | FindingKind::ShareTooLarge
        | FindingKind::MissingQuantity
        | FindingKind::MissingTarget
        | FindingKind::MissingCost
        | FindingKind::MissingRate
        | FindingKind::MissingPrice
        | FindingKind::NotUnderstood
        | FindingKind::MultiplierDiffers
        | FindingKind::Overflow => Some(Proposed::Edit(row)),
        FindingKind::ReturnBeyondCost | FindingKind::SuperficialLoss => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_findings_have_one_id() {
        let row = |id: &str| FindingRow {
            id: SafeText::new(id),
            kind: SafeText::new("short_opened"),
            severity: SafeText::new("warning"),
            account: None,
            symbol: None,
            date: None,
            transaction: None,
            detail: Wording::default(),
            fix: SafeText::new(""),
            proposed: None,
        };
        let mut rows: Vec<_> = ["a:1", "a:2", "a:1", "a:1"].into_iter().map(row).collect();
        number_twins(&mut rows);
        let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["a:1", "a:2", "a:1#2", "a:1#3"]);
    }
}
