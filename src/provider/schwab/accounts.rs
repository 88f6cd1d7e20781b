//! Accounts and what is in them, read. Pure: bytes in, accounts and troubles out. What is wrong with
//! one position or one account is told, and takes nothing else along.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::America::New_York;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::field::{number as number_in, parse, text, trouble, unreadable};
use super::super::simplefin::guess;
use super::super::{Error, RemoteAccount, Result, Trouble};
use super::cash::{self, CashLike};
use super::hides;
use super::wire::{Account, Aggregated, Entry, Instrument, Number, Position};
use crate::model::{
    AccountKind, AssetClass, Class, Currency, Dec, Exact, Mention, SafeText, Standing,
    StatedHolding, hex,
};

const INSTITUTION: &str = "Charles Schwab";
/// Of a right on a hundred shares, where nothing else is said.
const OF_AN_OPTION: i64 = 100;

/// An account, and its number, by which it is asked for and never kept.
pub(super) struct Read {
    pub number: String,
    pub account: RemoteAccount,
}

/// All of them.
#[derive(Default)]
pub(super) struct ReadAll {
    pub accounts: Vec<Read>,
    pub troubles: Vec<Trouble>,
}

/// What stands for each number in a path.
///
/// # Errors
/// When it cannot be read.
pub(super) fn hashes(body: &[u8]) -> Result<HashMap<String, String>> {
    let numbers: Vec<Number> = whole(body)?;
    let pair = |number: Number| {
        let hash = text(number.hash_value.as_ref())?.into_string();
        // It becomes a part of a path.
        let is_plain = hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let number = text(number.account_number.as_ref())?.into_string();
        is_plain.then_some((number, hash))
    };
    Ok(numbers.into_iter().filter_map(pair).collect())
}

/// What their owner calls accounts, by number. The documents say that it is a list; it is none.
///
/// # Errors
/// When it is neither.
pub(super) fn names(body: &[u8]) -> Result<HashMap<String, SafeText>> {
    #[derive(Deserialize)]
    struct Preference {
        accounts: Option<Vec<Value>>,
    }
    let one = || serde_json::from_slice(body).map(|one: Preference| vec![one]);
    let all: Vec<Preference> = serde_json::from_slice(body)
        .or_else(|_| one())
        .map_err(|error| Error::Unavailable(unreadable("answer", &error)))?;
    let name = |account: &Value| {
        let number = text(account.get("accountNumber"))?.into_string();
        let name = text(account.get("nickName"))?;
        Some((number, SafeText::capped(name.as_str(), SafeText::MAX_NAME)))
    };
    Ok(all.iter().flat_map(|all| all.accounts.iter().flatten()).filter_map(name).collect())
}

/// Reads all accounts.
///
/// # Errors
/// When it is no list of accounts.
pub(super) fn read(
    body: &[u8],
    names: &HashMap<String, SafeText>,
    now: DateTime<Utc>,
) -> Result<ReadAll> {
    let entries: Vec<Box<RawValue>> = whole(body)?;
    let mut all = ReadAll::default();
    for (at, raw) in entries.iter().enumerate() {
        let unnamed = format!("account {}", at + 1);
        match parse::<Entry>(raw) {
            Err(why) => all.troubles.push(hides(&why, &SafeText::new(&unnamed))),
            Ok(Entry { securities_account: Some(account), aggregated_balance }) => {
                let read = account_of(
                    &account,
                    aggregated_balance.as_ref(),
                    names,
                    now,
                    &mut all.troubles,
                );
                match read {
                    Some(read) => all.accounts.push(read),
                    None => all.troubles.push(hides("it has no number", &SafeText::new(&unnamed))),
                }
            }
            Ok(_) => {
                let why = "it is none that holds securities";
                all.troubles.push(hides(why, &SafeText::new(&unnamed)));
            }
        }
    }
    Ok(all)
}

fn account_of(
    account: &Account,
    aggregated: Option<&Aggregated>,
    names: &HashMap<String, SafeText>,
    now: DateTime<Utc>,
    troubles: &mut Vec<Trouble>,
) -> Option<Read> {
    let number = text(account.number.as_ref())?.into_string();
    let name = names.get(&number).cloned().unwrap_or_else(|| masked(&number));
    let mut holdings = Vec::new();
    let (mut missing, mut swept) = (false, CashLike::default());
    for raw in account.positions.iter().flatten() {
        let position = parse::<Position>(raw);
        if let Ok(position) = &position {
            swept.note(position);
        }
        match position.and_then(|position| holding(&position)) {
            Ok(held) => holdings.extend(held),
            Err(why) => {
                missing = true;
                troubles.push(trouble(&format!("{name}: a position"), &why));
            }
        }
    }
    let current = account.current_balances.as_ref();
    let balance = [
        aggregated.and_then(|it| it.current_liquidation_value.as_ref()),
        aggregated.and_then(|it| it.liquidation_value.as_ref()),
        current.and_then(|it| it.liquidation_value.as_ref()),
    ];
    let balance = balance.into_iter().find_map(number_in);
    if balance.is_none() {
        troubles.push(trouble(name.as_str(), "what it comes to is not told"));
    }
    let standing = balance.map(|balance| {
        let date = now.with_timezone(&New_York).date_naive();
        let holdings = (!missing).then_some(holdings);
        let mut standing = Standing { date, balance, cash: None, holdings };
        match cash::stated(current, &swept, &standing) {
            Ok(cash) => standing.cash = cash,
            Err(why) => troubles.push(trouble(name.as_str(), &why)),
        }
        standing
    });
    let account = RemoteAccount {
        id: id_of(&number),
        kind: kind_of(account, &name),
        name,
        currency: Currency::USD,
        institution: Some(SafeText::new(INSTITUTION)),
        rows: Vec::new(),
        complete_since: None,
        may_be_empty: false,
        left_out: false,
        standing,
    };
    Some(Read { number, account })
}

/// An account is known by its number, which nobody can read from what is kept.
pub(super) fn id_of(number: &str) -> SafeText {
    let digest = digest(&SHA256, format!("schwab account {number}").as_bytes());
    SafeText::capped(&hex(digest.as_ref()), 32)
}

/// The last three digits, as its owner knows them from letters.
fn masked(number: &str) -> SafeText {
    let skip = number.chars().count().saturating_sub(3);
    SafeText::new(&format!("Schwab …{}", number.chars().skip(skip).collect::<String>()))
}

/// All that is told is whether it may borrow. A name may say more; its owner knows best.
fn kind_of(account: &Account, name: &SafeText) -> AccountKind {
    let guessed = guess::kind(name.as_str(), true);
    match text(account.kind.as_ref()).as_ref().map(SafeText::as_str) {
        _ if guessed.class() == Class::Investment && guessed != AccountKind::Brokerage => guessed,
        Some("MARGIN") => AccountKind::Margin,
        _ => AccountKind::Brokerage,
    }
}

/// What is held; none: nothing, or what counts as cash.
fn holding(position: &Position) -> std::result::Result<Option<StatedHolding>, String> {
    let instrument = position.instrument.as_ref().ok_or("it does not say of what")?;
    let side = |value: &Option<Value>| match value {
        None | Some(Value::Null) => Ok(Dec::ZERO),
        value => number_in(value.as_ref()).ok_or("how many there are is no number"),
    };
    let (long, short) = (side(&position.long_quantity)?, side(&position.short_quantity)?);
    let quantity = long.checked_sub(short).ok_or("how many there are is no number")?;
    if quantity.is_zero() || instrument.is_cash() {
        return Ok(None);
    }
    let multiplier = instrument.multiplier();
    let units = Exact::from(quantity).mul(&Exact::from(multiplier.unwrap_or(Dec::ONE)));
    let cost = number_in(position.average_price.as_ref());
    let cost = cost.and_then(|price| units.mul(&Exact::from(price)).round(28).ok());
    Ok(Some(StatedHolding {
        security: instrument.mention()?,
        name: text(instrument.description.as_ref()),
        class: instrument.class(),
        multiplier,
        currency: Currency::USD,
        quantity,
        value: number_in(position.market_value.as_ref()),
        cost,
    }))
}

impl Instrument {
    /// How a row names it.
    pub fn mention(&self) -> std::result::Result<Mention, String> {
        let names = [&self.symbol, &self.cusip, &self.id];
        let symbol = names.into_iter().find_map(|name| text(name.as_ref()));
        let symbol = symbol.ok_or("it has neither symbol nor CUSIP")?;
        let mention = Mention::parse(symbol.as_str()).map_err(|error| error.to_string())?;
        Ok(Mention { currency: Some(Currency::USD), ..mention })
    }

    fn word(&self) -> String {
        text(self.asset_type.as_ref()).unwrap_or_default().into_string()
    }

    fn kind(&self) -> String {
        text(self.kind.as_ref()).unwrap_or_default().into_string()
    }

    /// Money, or where an account keeps money over night.
    pub fn is_cash(&self) -> bool {
        match self.word().as_str() {
            "CURRENCY" => true,
            "CASH_EQUIVALENT" => self.kind() != "MONEY_MARKET_FUND",
            _ => false,
        }
    }

    /// Money itself, and not where it is kept.
    pub fn is_money(&self) -> bool {
        self.word() == "CURRENCY"
    }

    pub fn is_option(&self) -> bool {
        self.word() == "OPTION"
    }

    /// How many units one of a right or a future stands for.
    pub fn multiplier(&self) -> Option<Dec> {
        let said = [&self.option_multiplier, &self.option_premium_multiplier];
        let said = said.into_iter().find_map(|value| number_in(value.as_ref()));
        let said = said.filter(|multiplier: &Dec| multiplier.is_positive());
        let usual = self.is_option().then(|| Dec::from_i64(OF_AN_OPTION));
        said.or(usual).filter(|_| matches!(self.word().as_str(), "OPTION" | "FUTURE"))
    }

    pub fn class(&self) -> Option<AssetClass> {
        Some(match (self.word().as_str(), self.kind().as_str()) {
            ("EQUITY", _) => AssetClass::Equity,
            ("COLLECTIVE_INVESTMENT", "UNIT_INVESTMENT_TRUST" | "CLOSED_END_FUND") => {
                AssetClass::MutualFund
            }
            ("COLLECTIVE_INVESTMENT", _) => AssetClass::Etf,
            ("MUTUAL_FUND", _) => AssetClass::MutualFund,
            ("FIXED_INCOME", _) => AssetClass::FixedIncome,
            ("OPTION", _) => AssetClass::Option,
            ("FUTURE", _) => AssetClass::Future,
            ("CASH_EQUIVALENT", _) => AssetClass::CashEquivalent,
            ("INDEX" | "PRODUCT", _) => AssetClass::Other,
            _ => return None,
        })
    }
}

/// A whole document.
pub(super) fn whole<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::Unavailable(unreadable("answer", &error)))
}
