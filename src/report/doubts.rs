//! What a person should look at in what is held on a day: prices that are not there, are not above
//! zero or are in another currency, and whatever else keeps a value from being known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::valuation::Scene;
use super::{AccountsQuery, FindingRow, Missing, Result};
use crate::analytics::lots::Severity;
use crate::figures::{self, Held, Otherwise};
use crate::model::{Currency, SafeText, Wording};
use crate::store::Tx;

/// The doubts of a day: those of a price once for each security, those of a rate once for each pair.
pub(super) async fn findings(tx: &mut Tx, as_of: NaiveDate) -> Result<Vec<FindingRow>> {
    let otherwise = Otherwise::default();
    let mut scene = Scene::of_day(tx, as_of, as_of, otherwise).await?;
    let mut held = figures::positions_on(tx, &scene.market, as_of, otherwise).await?;
    held.retain(|held| counts(&scene, held));
    scene.read_closes(tx, held.iter().map(|held| held.security)).await?;
    let too_large = held.iter().filter(|held| held.figures.cost_overflows);
    let mut rows: Vec<_> = too_large.map(|held| cost_row(&scene, held)).collect();
    held.sort_by_key(|held| held.security);
    held.dedup_by_key(|held| held.security);
    rows.extend(held.iter().flat_map(|held| price_rows(&scene, held)));
    // Cash, balances, what is on its way and every sum: whatever the total of all accounts lacks.
    let query = AccountsQuery { as_of, today: as_of, currency: None, account: None, closed: false };
    let missing = super::accounts(tx, &query).await?.missing;
    rows.extend(missing_rates(&missing, scene.base, as_of));
    let lost = missing.into_iter().filter(|lacks| lacks.what == "overflow");
    rows.extend(lost.map(|lacks| value_row(lacks, as_of)));
    Ok(rows)
}

/// Whether a position is a part of any total.
fn counts(scene: &Scene, held: &Held) -> bool {
    !held.figures.quantity.is_zero()
        && scene.is_open(held.account, scene.day)
        && scene.follows_rows(held.account)
}

fn price_rows(scene: &Scene, held: &Held) -> Vec<FindingRow> {
    let value = scene.value(held);
    let symbol = scene.symbol(held.security);
    let row = |kind: &str, severity: Severity, date, detail: Wording, fix: String| FindingRow {
        id: SafeText::new(&format!("{kind}:{}", held.security)),
        severity: SafeText::new(severity.as_str()),
        kind: SafeText::new(kind),
        account: None,
        date: Some(date),
        transaction: None,
        detail,
        fix: SafeText::new(&fix),
        proposed: None,
        symbol: Some(symbol.clone()),
    };
    let set_price = || format!("import prices, or set one with `price set sec:{symbol}`");
    let Some(price) = &value.price else {
        // Where a price is stored and only its rate lacks, that is said with all other rates.
        let lacks_price = value.missing.iter().any(|lacks| lacks.what == "price");
        let detail = "there is no price on or before the day; what is held has no value";
        let missing = || {
            row("missing_price", Severity::Warning, scene.day, Wording::new(detail), set_price())
        };
        return lacks_price.then(missing).into_iter().collect();
    };
    let mut rows = Vec::new();
    // By what it is, not by what it is rounded to.
    if !price.num.sign().is_gt() {
        let kind = if price.num.is_zero() { "zero_price" } else { "negative_price" };
        let detail = Wording::new("the latest price is ")
            .amount(price.price().unwrap_or(price.stored))
            .and("; values are computed with it");
        rows.push(row(kind, Severity::Warning, price.date, detail, set_price()));
    }
    if let Some(way) = &price.converted {
        let (pair, quoted) = (way.pairs(), scene.currency_of(held.security));
        let detail = format!(
            "the latest price is in another currency than {quoted}; it was converted by the rate \
             of its day ({pair})"
        );
        let fix = format!("nothing, if it trades there; else set one in {quoted} with `price set`");
        let kind = "price_in_other_currency";
        rows.push(row(kind, Severity::Info, price.date, Wording::new(&detail), fix));
    }
    rows
}

/// Each pair and day whose rate something has no value without.
fn missing_rates(missing: &[Missing], base: Currency, as_of: NaiveDate) -> Vec<FindingRow> {
    let mut pairs: BTreeMap<((&str, &str), NaiveDate), BTreeSet<&SafeText>> = BTreeMap::new();
    for lacks in missing {
        if let Some((from, to)) = lacks.pair.as_ref().and_then(|pair| pair.split_once('/')) {
            // One rate serves both ways.
            let pair = if from == base.code() { (to, from) } else { (from, to) };
            let accounts = pairs.entry((pair, lacks.date.unwrap_or(as_of))).or_default();
            accounts.extend(&lacks.account);
        }
    }
    let row = |(((from, to), date), accounts): (_, BTreeSet<&SafeText>)| {
        let names: Vec<_> = accounts.iter().map(|name| name.as_str()).collect();
        let places = match names.is_empty() {
            true => String::new(),
            false => format!(" in {}", names.join(", ")),
        };
        let pair = format!("{from}/{to}");
        FindingRow {
            id: SafeText::new(&format!("missing_rate:{pair}:{date}")),
            kind: SafeText::new("missing_rate"),
            severity: SafeText::new(Severity::Warning.as_str()),
            account: accounts.first().filter(|_| accounts.len() == 1).map(|name| (*name).clone()),
            symbol: None,
            date: Some(date),
            transaction: None,
            detail: Wording::new(&format!(
                "there is no exchange rate {pair} on or before the day; what needs it{places} has \
                 no value"
            )),
            fix: SafeText::new(&format!("import rates, or set one with `price set fx:{from}`")),
            proposed: None,
        }
    };
    pairs.into_iter().map(row).collect()
}

/// A value or a sum that does not fit.
fn value_row(lacks: Missing, as_of: NaiveDate) -> FindingRow {
    let (account, symbol) = (lacks.account, lacks.security);
    let (what, fix) = match (&account, &symbol) {
        (_, Some(_)) => {
            ("the value of what is held", "check the price, and the quantity of its rows")
        }
        (Some(_), None) => ("a sum in the account", "check quantity, price and amount of its rows"),
        (None, None) => ("the sum of all accounts", "check the largest of them"),
    };
    let place = [&account, &symbol].map(|name| name.as_ref().map_or("", SafeText::as_str));
    FindingRow {
        id: SafeText::new(&format!("overflow:value:{}", place.join(":"))),
        kind: SafeText::new("overflow"),
        severity: SafeText::new(Severity::Error.as_str()),
        date: Some(lacks.date.unwrap_or(as_of)),
        transaction: None,
        detail: Wording::new(&format!("{what} has more than 28 digits")),
        fix: SafeText::new(fix),
        proposed: None,
        account,
        symbol,
    }
}

fn cost_row(scene: &Scene, held: &Held) -> FindingRow {
    FindingRow {
        id: SafeText::new(&format!("overflow:{}:{}", held.account, held.security)),
        kind: SafeText::new("overflow"),
        severity: SafeText::new(Severity::Error.as_str()),
        account: scene.account_name(held.account),
        symbol: Some(scene.symbol(held.security)),
        date: Some(scene.day),
        transaction: None,
        detail: Wording::new("what its lots cost has together more than 28 digits"),
        fix: SafeText::new("check quantity, price and amount of its rows"),
        proposed: None,
    }
}
