//! How the watchlist and the alerts are written and read back.

use serde::{Deserialize, Serialize};

use super::{Day, Figure, MentionWire, WireError, fits, refuse};
use crate::model::{AlertOf, AlertTerms, Currency, Item, Mention, SafeText, Side, WatchTerms, Why};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchWire {
    security: MentionWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units_of: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said_in: Option<Currency>,
}

impl WatchWire {
    pub fn new(security: Mention, terms: WatchTerms) -> Self {
        let WatchTerms { list, note, target, units_of, said_in } = terms;
        let (target, units_of) = (target.map(Figure), units_of.map(Day));
        Self { security: security.into(), list, note, target, units_of, said_in }
    }
}

impl TryFrom<WatchWire> for Item {
    type Error = WireError;

    fn try_from(wire: WatchWire) -> Result<Self, WireError> {
        let WatchWire { security, list, note, target, units_of, said_in } = wire;
        fits("list", list.as_ref(), SafeText::MAX_NAME)?;
        fits("note", note.as_ref(), SafeText::MAX_BYTES)?;
        let (target, units_of) = (target.map(|it| it.0), units_of.map(|it| it.0));
        let terms = WatchTerms { list, note, target, units_of, said_in };
        Ok(Self::Watch(security.try_into()?, terms))
    }
}

/// An alert; what it is of stands there unless it is the price, and the bound is called that.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertWire {
    security: MentionWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<AlertOf>,
    direction: SafeText,
    price: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units_of: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said_in: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snoozed: Option<Day>,
}

impl AlertWire {
    pub fn new(security: Mention, terms: AlertTerms) -> Self {
        let AlertTerms { of, side, bound, note, units_of, said_in, snoozed } = terms;
        Self {
            security: security.into(),
            what: Some(of).filter(|of| *of != AlertOf::Price),
            direction: SafeText::new(side.as_str()),
            price: Figure(bound),
            note,
            units_of: units_of.map(Day),
            said_in,
            snoozed: snoozed.map(Day),
        }
    }
}

impl TryFrom<AlertWire> for Item {
    type Error = WireError;

    fn try_from(wire: AlertWire) -> Result<Self, WireError> {
        let AlertWire { security, what, direction, price, note, units_of, said_in, snoozed } = wire;
        let Ok(side) = direction.as_str().parse::<Side>() else {
            return refuse("direction", Why::Other("write above or below"));
        };
        fits("note", note.as_ref(), SafeText::MAX_BYTES)?;
        let of = what.unwrap_or(AlertOf::Price);
        let (units_of, snoozed) = (units_of.map(|it| it.0), snoozed.map(|it| it.0));
        let terms = AlertTerms { of, side, bound: price.0, note, units_of, said_in, snoozed };
        terms.check().map_err(WireError::from)?;
        Ok(Self::Alert(security.try_into()?, terms))
    }
}
