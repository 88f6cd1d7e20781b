//! The figures of a security that is watched, and what its alerts see.

use std::collections::BTreeSet;

use super::{Explained, Explanation, Input, figure, minus, price, price_words, shown, sum};
use crate::analytics::pricing::PriceOn;
use crate::model::{AlertOf, SafeText, SecurityId};
use crate::report::watch::{AlertRow, Grounds, WatchQuery, WatchRow, watch_closely};
use crate::report::{Error, HoldingRow};
use crate::store::Tx;

/// The price of a security that is watched, what it changed by, how far it is from the one that is
/// waited for, and what its alerts see.
///
/// # Errors
/// When the store cannot be read, or the security is not watched.
pub async fn explain_watch(tx: &mut Tx, query: &WatchQuery, security: SecurityId) -> Explained {
    let (report, grounds) = watch_closely(tx, query).await?;
    let Some(row) = report.rows.iter().find(|row| row.security == security) else {
        let key = SafeText::new(&format!("#{security}"));
        let known = report.rows.into_iter().map(|row| row.symbol).collect();
        return Err(Error::NoSuchFigure { key, known });
    };
    let subject = Subject { row, grounds: &grounds };
    let mut told = vec![subject.price(), subject.change()];
    let waits = row.terms.as_ref().is_some_and(|terms| terms.target.is_some());
    told.extend(waits.then(|| subject.distance()));
    let mine = report.alerts.iter().filter(|alert| alert.security == security);
    told.extend(mine.map(|alert| subject.alert(alert)));
    Ok(told)
}

/// A security that is watched, with what its figures follow from.
struct Subject<'a> {
    row: &'a WatchRow,
    grounds: &'a Grounds,
}

impl Subject<'_> {
    fn say(&self, figure: &'static str, formula: String, inputs: Vec<Input>) -> Explanation {
        let of = self.row.symbol.clone();
        Explanation { figure, of, value: None, currency: None, formula, inputs }
    }

    fn last(&self) -> Option<&PriceOn> {
        self.grounds.prices.last(self.row.security)
    }

    /// A price as it is stored, and its rate.
    fn stored(&self, of: Option<&PriceOn>) -> Vec<Input> {
        price(&self.grounds.scene, self.row.security, of)
    }

    fn price(&self) -> Explanation {
        let last = self.last();
        let nothing = || "there is no price on or before the day".to_owned();
        let formula = last.map_or_else(nothing, price_words);
        let (value, currency) = (self.row.price, Some(self.row.currency));
        Explanation { value, currency, ..self.say("price", formula, self.stored(last)) }
    }

    fn change(&self) -> Explanation {
        let row = self.row;
        let before = self.grounds.prices.before(row.security);
        let mut formula = format!("({}) / {}", minus(row.price, row.before), shown(row.before));
        for (name, price) in [("price", self.last()), ("before", before)] {
            let words = price.map(|price| format!("; {name}: {}", price_words(price)));
            formula.push_str(&words.unwrap_or_default());
        }
        let prices = [figure("price", row.price), figure("before", row.before)];
        let stored = self.stored(self.last()).into_iter().chain(self.stored(before));
        let inputs = prices.into_iter().chain(stored).collect();
        Explanation { value: row.change, ..self.say("change", formula, inputs) }
    }

    fn distance(&self) -> Explanation {
        let row = self.row;
        let terms = row.terms.as_ref();
        let said = terms.and_then(|terms| terms.target);
        let other = terms.and_then(|terms| terms.said_in).filter(|said| *said != row.currency);
        let split = match other {
            Some(said) => format!("; the target was said in {said}"),
            None if said == row.target => String::new(),
            None => "; a split since made the target another one".to_owned(),
        };
        let formula = format!("({}) / {}{split}", minus(row.target, row.price), shown(row.price));
        let date = terms.and_then(|terms| terms.units_of);
        let mut inputs = vec![Input { date, ..figure("target", said) }, figure("price", row.price)];
        inputs.extend(self.stored(self.last()));
        Explanation { value: row.distance, ..self.say("distance", formula, inputs) }
    }

    fn alert(&self, alert: &AlertRow) -> Explanation {
        let (of, side) = (alert.terms.of, alert.terms.side);
        let (what, inputs) = match of {
            AlertOf::Price => ("the last price".to_owned(), self.stored(self.last())),
            AlertOf::Change => {
                ("the last price against the one before it".to_owned(), self.change().inputs)
            }
            AlertOf::Stale => {
                ("how many days old the last price is".to_owned(), self.stored(self.last()))
            }
            AlertOf::Value => self.value(),
            AlertOf::Weight => self.weight(),
        };
        let lacks = self.lacks(of, alert.stale);
        let other = alert
            .other_currency()
            .map(|said| format!(", as {} was said in {said}", alert.terms.bound));
        let (bound, other) = (shown(alert.bound), other.unwrap_or_default());
        let formula = format!("{what}; told {side} {bound}{other}{lacks}");
        let (value, currency) = (alert.seen, alert.currency);
        Explanation { value, currency, ..self.say("alert", formula, inputs) }
    }

    /// Why nothing is judged: whose value is not known, or whose price is old.
    fn lacks(&self, of: AlertOf, is_old: bool) -> String {
        let names = |is_meant: fn(&HoldingRow) -> bool| {
            let all = self.grounds.held().filter(|row| is_meant(row)).map(|row| &row.symbol);
            let all: BTreeSet<_> = all.map(SafeText::as_str).collect();
            all.into_iter().collect::<Vec<_>>().join(", ")
        };
        let (unknown, old) = match of {
            AlertOf::Weight => (names(|row| row.value_base.is_none()), names(|row| row.stale)),
            _ => (String::new(), self.row.symbol.to_string()),
        };
        let unknown = Some(unknown).filter(|names| !names.is_empty());
        let unknown = unknown.map(|names| format!("; not known: {names}")).unwrap_or_default();
        let old =
            if is_old { format!("; not judged by an old price: {old}") } else { String::new() };
        format!("{unknown}{old}")
    }

    /// What each account holds of it, and what that comes to.
    fn held(&self) -> impl Iterator<Item = &HoldingRow> {
        self.grounds.held().filter(|row| row.security_id == self.row.security)
    }

    fn value(&self) -> (String, Vec<Input>) {
        let terms: Vec<_> = self.held().map(|row| shown(row.value_base)).collect();
        let part = |row: &HoldingRow| {
            let place = row.account.as_ref().map_or("in transit", SafeText::as_str);
            figure(&format!("value in {place}"), row.value_base)
        };
        let inputs = self.held().map(part).chain(self.stored(self.last())).collect();
        (sum(&terms, "nothing is held"), inputs)
    }

    fn weight(&self) -> (String, Vec<Input>) {
        let (_, mut inputs) = self.value();
        let value = self.grounds.value(self.row.security);
        let whole = self.grounds.holdings.as_ref().and_then(|held| held.totals.value_base);
        inputs.extend([figure("value", value), figure("total", whole)]);
        (format!("{} / {}", shown(value), shown(whole)), inputs)
    }
}
