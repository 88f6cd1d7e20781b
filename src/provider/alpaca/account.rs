//! The account and its positions, read. Pure: bytes in, an account and troubles out.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::America::New_York;
use serde::Deserialize;
use serde_json::Value;

use super::super::field::{number, parse, text, trouble, unreadable};
use super::super::{Error, RemoteAccount, Result, Trouble};
use super::keys::Place;
use super::symbols::Symbols;
use super::wire::{Account, Position};
use crate::model::{AccountKind, AssetClass, Currency, Dec, SafeText, Standing, StatedHolding};
use serde_json::value::RawValue;

/// What an account is known by: it outlives its keys.
///
/// # Errors
/// When there is none.
pub(super) fn id(body: &[u8]) -> Result<SafeText> {
    id_of(&whole(body)?)
}

fn id_of(account: &Account) -> Result<SafeText> {
    let id = text(account.id.as_ref()).map(|id| SafeText::capped(id.as_str(), SafeText::MAX_ID));
    id.ok_or_else(|| Error::Unavailable(SafeText::new("its account has no id")))
}

/// What is held, one by one.
///
/// # Errors
/// When it is no list.
pub(super) fn positions(body: &[u8]) -> Result<Vec<Position>> {
    let all: Vec<Box<RawValue>> = whole(body)?;
    // One that is no position at all is one without anything in it, and told as such.
    let nothing = || Position {
        symbol: None,
        asset_class: None,
        qty: None,
        side: None,
        market_value: None,
        cost_basis: None,
    };
    Ok(all.iter().map(|raw| parse(raw).unwrap_or_else(|_| nothing())).collect())
}

/// The cash, and how many there are of each: what activities change, and prices do not.
pub(super) type Owned = (Option<Dec>, BTreeMap<Option<SafeText>, Option<Dec>>);

/// What there is.
///
/// # Errors
/// When it is no account.
pub(super) fn owned(body: &[u8], positions: &[Position]) -> Result<Owned> {
    let account: Account = whole(body)?;
    let held = |it: &Position| (text(it.symbol.as_ref()), number(it.qty.as_ref()));
    Ok((number(account.cash.as_ref()), positions.iter().map(held).collect()))
}

/// Reads the account with what is held in it.
///
/// # Errors
/// When it is none.
pub(super) fn read(
    body: &[u8],
    positions: &[Position],
    symbols: &Symbols,
    place: Place,
    now: DateTime<Utc>,
    troubles: &mut Vec<Trouble>,
) -> Result<RemoteAccount> {
    let account: Account = whole(body)?;
    let (id, name) = (id_of(&account)?, name(&account, place));
    let written = text(account.currency.as_ref());
    let currency = match &written {
        None => Currency::USD,
        Some(code) => Currency::parse(code.as_str()).map_err(|_| {
            Error::Unavailable(SafeText::new("the currency of its account is not known"))
        })?,
    };
    let (mut holdings, mut missing) = (Vec::new(), false);
    for position in positions {
        match holding(position, symbols, currency) {
            Ok(held) => holdings.extend(held),
            Err(why) => {
                missing = true;
                troubles.push(trouble(&format!("{name}: a position"), &why));
            }
        }
    }
    let figure = |value: &Option<Value>| number(value.as_ref());
    let (balance, cash) = (figure(&account.equity), figure(&account.cash));
    if balance.is_none() || cash.is_none() {
        troubles.push(trouble(name.as_str(), "what it comes to is not told"));
    }
    let date = now.with_timezone(&New_York).date_naive();
    let holdings = (!missing).then_some(holdings);
    let standing = balance.map(|balance| Standing { date, balance, cash, holdings });
    let may_borrow = figure(&account.multiplier).is_some_and(|times| times > Dec::ONE);
    Ok(RemoteAccount {
        id,
        kind: if may_borrow { AccountKind::Margin } else { AccountKind::Brokerage },
        name,
        currency,
        institution: Some(SafeText::new(institution(place))),
        rows: Vec::new(),
        complete_since: None,
        may_be_empty: true,
        left_out: false,
        standing,
    })
}

const fn institution(place: Place) -> &'static str {
    match place {
        Place::Live => "Alpaca",
        Place::Paper => "Alpaca paper",
    }
}

/// Play money must not be taken for money. Of the number only the end is kept.
fn name(account: &Account, place: Place) -> SafeText {
    let number = text(account.number.as_ref()).unwrap_or_default().into_string();
    let skip = number.chars().count().saturating_sub(3);
    let end: String = number.chars().skip(skip).collect();
    let end = if end.is_empty() { end } else { format!(" …{end}") };
    SafeText::new(&format!("{}{end}", institution(place)))
}

/// What is held; none: nothing.
fn holding(
    position: &Position,
    symbols: &Symbols,
    currency: Currency,
) -> std::result::Result<Option<StatedHolding>, String> {
    let symbol = text(position.symbol.as_ref()).ok_or("it has no symbol")?;
    let quantity = number(position.qty.as_ref())
        .ok_or_else(|| format!("how many of {symbol} there are is no number"))?;
    let is_short = text(position.side.as_ref()).is_some_and(|side| side.as_str() == "short");
    if is_short != quantity.is_negative() && !quantity.is_zero() {
        return Err(format!("whether {symbol} is held or owed is told in two ways"));
    }
    if quantity.is_zero() {
        return Ok(None);
    }
    let named = symbols.name(&symbol, currency)?;
    let class = text(position.asset_class.as_ref());
    Ok(Some(StatedHolding {
        multiplier: named.multiplier(),
        security: named.mention,
        name: None,
        class: class.and_then(|class| class_of(class.as_str())),
        currency,
        quantity,
        value: number(position.market_value.as_ref()),
        cost: number(position.cost_basis.as_ref()),
    }))
}

/// Of a share it does not tell whether it is one of a fund.
fn class_of(class: &str) -> Option<AssetClass> {
    match class {
        "us_option" => Some(AssetClass::Option),
        "crypto" => Some(AssetClass::Crypto),
        _ => None,
    }
}

/// A whole document.
fn whole<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::Unavailable(unreadable("answer", &error)))
}
