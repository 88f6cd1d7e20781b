//! The figures of a security that is watched, and what its alerts see.

use super::{Explained, Explanation, Input, figure, input, minus, shown};
use crate::model::{AlertOf, SafeText, SecurityId};
use crate::report::Error;
use crate::report::watch::{AlertRow, WatchQuery, WatchRow, watch};
use crate::store::Tx;

/// The price of a security that is watched, what it changed by, how far it is from the one that is
/// waited for, and what its alerts see.
///
/// # Errors
/// When the store cannot be read, or the security is not watched.
pub async fn explain_watch(tx: &mut Tx, query: &WatchQuery, security: SecurityId) -> Explained {
    let report = watch(tx, query).await?;
    let Some(row) = report.rows.iter().find(|row| row.security == security) else {
        let key = SafeText::new(&format!("#{security}"));
        let known = report.rows.into_iter().map(|row| row.symbol).collect();
        return Err(Error::NoSuchFigure { key, known });
    };
    let mut told = vec![price(row), change(row)];
    told.extend(row.target.map(|_| distance(row)));
    let mine = report.alerts.iter().filter(|alert| alert.security == security);
    told.extend(mine.map(alert));
    Ok(told)
}

fn say(row: &WatchRow, figure: &'static str, formula: String, inputs: Vec<Input>) -> Explanation {
    let of = row.symbol.clone();
    Explanation { figure, of, value: None, currency: None, formula, inputs }
}

fn price(row: &WatchRow) -> Explanation {
    let formula = match row.price_date {
        Some(day) => format!("the last price on or before the day, of {day}"),
        None => "there is no price on or before the day".to_owned(),
    };
    let stored = Input {
        id: Some(row.symbol.clone()),
        date: row.price_date,
        value: row.price,
        source: row.price_source.clone(),
        ..input("price")
    };
    let inputs = row.price_date.map(|_| stored).into_iter().collect();
    let currency = Some(row.currency);
    Explanation { value: row.price, currency, ..say(row, "price", formula, inputs) }
}

fn change(row: &WatchRow) -> Explanation {
    let formula = format!("({}) / {}", minus(row.price, row.before), shown(row.before));
    let before = Input { date: row.before_date, ..figure("before", row.before) };
    let inputs = vec![figure("price", row.price), before];
    Explanation { value: row.change, ..say(row, "change", formula, inputs) }
}

fn distance(row: &WatchRow) -> Explanation {
    let terms = row.terms.as_ref();
    let said = terms.and_then(|terms| terms.target);
    let split = if said == row.target { "" } else { "; a split since made the target another one" };
    let formula = format!("({}) / {}{split}", minus(row.target, row.price), shown(row.price));
    let target = Input { date: terms.and_then(|terms| terms.units_of), ..figure("target", said) };
    let inputs = vec![target, figure("price", row.price)];
    Explanation { value: row.distance, ..say(row, "distance", formula, inputs) }
}

fn alert(row: &AlertRow) -> Explanation {
    let (of, side) = (row.terms.of, row.terms.side);
    let what = match of {
        AlertOf::Price => "the last price",
        AlertOf::Change => "the last price against the one before it",
        AlertOf::Stale => "how many days old the last price is",
        AlertOf::Value => "the value of all that is held of it",
        AlertOf::Weight => "its part of the value of everything that is held",
    };
    let formula = format!("{what}; told {side} {}", shown(row.bound));
    let seen =
        Input { date: row.seen_on, source: row.source.clone(), ..figure(of.as_str(), row.seen) };
    Explanation {
        figure: "alert",
        of: row.symbol.clone(),
        value: row.seen,
        currency: row.currency,
        formula,
        inputs: vec![seen],
    }
}
