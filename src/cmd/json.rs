//! The JSON documents that several commands share: the envelope of reports and the answer to a
//! change. It knows shapes, not figures.

use chrono::NaiveDate;
use serde::Serialize;

use crate::model::{AccountId, AlertId, Currency, SafeText, SecurityId, TransactionId};
use crate::report::Missing;
use crate::service::edit::Applied;

/// The envelope of every report.
#[derive(Serialize)]
pub struct Report<'a, R, T> {
    /// Name and version of the shape.
    pub schema: &'static str,
    /// The day of the figures.
    pub as_of: NaiveDate,
    /// The currency of totals.
    pub currency: Currency,
    /// Something is missing in a total.
    pub partial: bool,
    /// What.
    pub missing: Vec<MissingPart<'a>>,
    /// The rows.
    pub rows: Vec<R>,
    /// The totals.
    pub totals: T,
}

impl<'a, R, T> Report<'a, R, T> {
    /// The envelope of rows whose totals lack something, or nothing.
    pub fn of(
        schema: &'static str,
        (as_of, currency): (NaiveDate, Currency),
        missing: &'a [Missing],
        rows: impl Iterator<Item = R>,
        totals: T,
    ) -> Self {
        Self {
            schema,
            as_of,
            currency,
            partial: !missing.is_empty(),
            missing: missing.iter().map(MissingPart::from).collect(),
            rows: rows.collect(),
            totals,
        }
    }
}

/// What made a total partial.
#[derive(Serialize)]
pub struct MissingPart<'a> {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<&'a SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<&'a str>,
    account: Option<&'a SafeText>,
    date: Option<NaiveDate>,
}

impl<'a> From<&'a Missing> for MissingPart<'a> {
    fn from(missing: &'a Missing) -> Self {
        Self {
            what: missing.what,
            security: missing.security.as_ref(),
            pair: missing.pair.as_deref(),
            account: missing.account.as_ref(),
            date: missing.date,
        }
    }
}

/// Totals of a report whose rows have no sum.
#[derive(Serialize)]
pub struct Totals {}

/// The same for people: what is lacked in several places or on several days is said once.
pub fn describe_all(missing: &[Missing]) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for missing in missing {
        if let ("history", Some(account), Some(day)) =
            (missing.what, &missing.account, missing.date)
        {
            lines.push((format!("n/a: {account} has no balance on or before {day}"), Vec::new()));
            continue;
        }
        let what = format!("missing: {}", in_short(missing));
        let account = missing.account.as_ref().map(|account| format!("in {account}"));
        let date = missing.date.map(|date| format!("on {date}"));
        let place: Vec<_> = account.into_iter().chain(date).collect();
        match lines.iter_mut().find(|(said, _)| *said == what) {
            Some((_, places)) => places.push(place.join(" ")),
            None => lines.push((what, vec![place.join(" ")])),
        }
    }
    let line = |(what, mut places): (String, Vec<String>)| {
        places.retain(|place| !place.is_empty());
        places.dedup();
        match places.as_slice() {
            [] => what,
            [one] => format!("{what} {one}"),
            [one, more @ ..] => format!("{what} {one} and {} more", more.len()),
        }
    };
    lines.into_iter().map(line).collect()
}

/// The same for a field of CSV: `price of X`, `fx CAD/USD`.
pub fn in_short(missing: &Missing) -> String {
    let security = missing.security.as_ref().map(|security| format!(" of {security}"));
    let pair = missing.pair.as_ref().map(|pair| format!(" {}", SafeText::new(pair)));
    let parts = [Some(missing.what.to_owned()), security, pair];
    parts.into_iter().flatten().collect()
}

/// What a change did.
#[derive(Serialize)]
pub struct Changed<'a> {
    schema: &'static str,
    revision: i64,
    account: Option<AccountId>,
    transactions: &'a [TransactionId],
    security: Option<SecurityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<AlertId>,
}

impl<'a> From<&'a Applied> for Changed<'a> {
    fn from(applied: &'a Applied) -> Self {
        Self {
            schema: "dashtam.change/1",
            revision: applied.revision,
            account: applied.account,
            transactions: &applied.transactions,
            security: applied.security,
            alert: applied.alert,
        }
    }
}

/// A list of things that are no figures.
#[derive(Serialize)]
pub struct List<R> {
    /// Name and version of the shape.
    pub schema: &'static str,
    /// The things.
    pub rows: Vec<R>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_names_the_security_or_the_pair() {
        let date = NaiveDate::from_ymd_opt(2024, 1, 31);
        let price = Missing {
            what: "price",
            security: Some(SafeText::new("OLPC")),
            pair: None,
            account: Some(SafeText::new("A")),
            date,
        };
        assert_eq!(
            serde_json::to_string(&MissingPart::from(&price)).unwrap(),
            r#"{"what":"price","security":"OLPC","account":"A","date":"2024-01-31"}"#
        );
        assert_eq!(
            describe_all(std::slice::from_ref(&price)),
            ["missing: price of OLPC in A on 2024-01-31"]
        );
        let rate = Missing {
            what: "fx",
            security: None,
            pair: Some("CAD/USD".to_owned()),
            account: None,
            date: None,
        };
        assert_eq!(
            serde_json::to_string(&MissingPart::from(&rate)).unwrap(),
            r#"{"what":"fx","pair":"CAD/USD","account":null,"date":null}"#
        );
        assert_eq!(in_short(&price), "price of OLPC");
        assert_eq!(describe_all(std::slice::from_ref(&rate)), ["missing: fx CAD/USD"]);
    }
}
