//! What a symbol of Alpaca names: a share, a right on a hundred of them, or a coin, which is called by
//! the pair that it is traded in, with a slash or without one.

use std::collections::HashMap;

use serde_json::Value;

use super::super::field::{number, text, unreadable};
use super::super::{Error, Result};
use super::wire::{Asset, Position};
use crate::model::{Currency, Dec, Mention, SafeText};

/// What coins are paid in, the longest first.
const QUOTES: [&str; 4] = ["USDC", "USDT", "USD", "BTC"];
/// No share has a longer symbol without a dot in it.
const LONGEST_SHARE: usize = 5;
/// Where coins are, so that none is taken for a share of the same symbol.
const COINS: &str = "CRYPTO";
/// Of a right on a hundred shares.
const OF_AN_OPTION: i64 = 100;
/// Date, side and strike of a right, behind the symbol of what it is on.
const RIGHT: usize = 15;

/// What is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Share,
    /// A right on something, at a price.
    Right {
        on: String,
        strike: Dec,
    },
    /// A coin, paid in another one where it is not paid in money.
    Coin {
        paid_in: Option<Mention>,
    },
}

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub what: What,
    pub mention: Mention,
}

impl Named {
    pub fn multiplier(&self) -> Option<Dec> {
        self.is_right().then(|| Dec::from_i64(OF_AN_OPTION))
    }

    pub const fn is_right(&self) -> bool {
        matches!(self.what, What::Right { .. })
    }

    pub const fn is_coin(&self) -> bool {
        matches!(self.what, What::Coin { .. })
    }
}

/// What is known of the names of this account.
#[derive(Default)]
pub(super) struct Symbols {
    /// Whether what looks like a pair of coins is one.
    coins: HashMap<String, bool>,
    is_whole: bool,
    /// Whether what is held now is owed.
    owed: HashMap<String, bool>,
}

impl Symbols {
    pub fn of_positions(positions: &[Position]) -> Self {
        let known = |position: &Position| {
            let class = text(position.asset_class.as_ref())?;
            let symbol = text(position.symbol.as_ref())?.into_string();
            Some((symbol.replace('/', ""), class.as_str().starts_with("crypto")))
        };
        let held = |position: &Position| {
            let quantity = number(position.qty.as_ref()).filter(|it| !it.is_zero())?;
            Some((text(position.symbol.as_ref())?.into_string(), quantity.is_negative()))
        };
        Self {
            coins: positions.iter().filter_map(known).collect(),
            is_whole: false,
            owed: positions.iter().filter_map(held).collect(),
        }
    }

    /// Whether a share of this symbol is owed; none: it is not held now.
    pub fn is_owed(&self, symbol: &str) -> Option<bool> {
        self.owed.get(symbol).copied()
    }

    /// Whether only the list of coins tells what this is.
    pub fn doubts(&self, symbol: Option<&Value>) -> bool {
        text(symbol).is_some_and(|symbol| {
            let symbol = symbol.as_str();
            looks_like_pair(symbol) && !self.is_whole && !self.coins.contains_key(symbol)
        })
    }

    /// Takes the list of coins in.
    pub fn learn(&mut self, body: &[u8]) -> Result<()> {
        let list: Vec<Asset> = serde_json::from_slice(body)
            .map_err(|error| Error::Unavailable(unreadable("list", &error)))?;
        for asset in list {
            let is_coin = text(asset.class.as_ref()).is_none_or(|it| it.as_str() == "crypto");
            if let Some(symbol) = text(asset.symbol.as_ref()).filter(|_| is_coin) {
                self.coins.entry(symbol.into_string().replace('/', "")).or_insert(true);
            }
        }
        self.is_whole = true;
        Ok(())
    }

    /// What a symbol names.
    ///
    /// # Errors
    /// When it is none.
    pub fn name(
        &self,
        symbol: &SafeText,
        currency: Currency,
    ) -> std::result::Result<Named, String> {
        let written = symbol.as_str();
        let is_coin = written.contains('/') || self.coins.get(written) == Some(&true);
        if let Some((coin, paid)) = is_coin.then(|| pair(written)).flatten() {
            let paid_in = match paid == currency.to_string() {
                true => None,
                false => Some(coin_of(paid, currency)?),
            };
            return Ok(Named { what: What::Coin { paid_in }, mention: coin_of(coin, currency)? });
        }
        let mention = Mention::parse(written).map_err(|error| error.to_string())?;
        let mention = Mention { currency: Some(currency), ..mention };
        Ok(Named { what: right(written).unwrap_or(What::Share), mention })
    }
}

fn coin_of(coin: &str, currency: Currency) -> std::result::Result<Mention, String> {
    let mention = Mention::parse(coin).map_err(|error| error.to_string())?;
    Ok(Mention { currency: Some(currency), venue: Some(SafeText::new(COINS)), ..mention })
}

fn looks_like_pair(symbol: &str) -> bool {
    symbol.len() > LONGEST_SHARE
        && symbol.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && right(symbol).is_none()
        && pair(symbol).is_some()
}

/// `BTC/USD` and `BTCUSD`.
fn pair(symbol: &str) -> Option<(&str, &str)> {
    let joined = || QUOTES.iter().find_map(|quote| Some((symbol.strip_suffix(quote)?, *quote)));
    let (coin, paid) = symbol.split_once('/').or_else(joined)?;
    (!coin.is_empty() && !paid.is_empty()).then_some((coin, paid))
}

/// `AAPL260116C00150000`.
fn right(symbol: &str) -> Option<What> {
    let (on, rest) = symbol.split_at_checked(symbol.len().checked_sub(RIGHT)?)?;
    let (date, rest) = rest.split_at_checked(6)?;
    let (side, strike) = rest.split_at_checked(1)?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = !on.is_empty() && are_digits(date) && are_digits(strike);
    let thousandths: i64 = strike.parse().ok()?;
    let strike = Dec::parse(&format!("{}.{:03}", thousandths / 1000, thousandths % 1000)).ok()?;
    (is_one && matches!(side, "C" | "P")).then(|| What::Right { on: on.to_owned(), strike })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_symbol_names_what_it_looks_like() {
        let mut symbols = Symbols::default();
        for (symbol, doubted) in [
            ("BTCUSD", true),
            ("BTC/USD", false),
            ("AAPL", false),
            ("BRK.B", false),
            ("XUSD", false),
        ] {
            assert_eq!(symbols.doubts(Some(&json!(symbol))), doubted, "{symbol}");
        }
        symbols.learn(br#"[{"symbol":"BTC/USD","class":"crypto"},{"symbol":"ETH/BTC"}]"#).unwrap();
        assert!(!symbols.doubts(Some(&json!("DOGEUSD"))), "the list is whole");
        let name = |symbol: &str| symbols.name(&SafeText::new(symbol), Currency::USD).unwrap();
        for (symbol, coin, paid) in [
            ("BTCUSD", "BTC", None),
            ("BTC/USD", "BTC", None),
            ("ETHBTC", "ETH", Some("BTC")),
            ("SHIB/USDT", "SHIB", Some("USDT")),
        ] {
            let Named { what: What::Coin { paid_in }, mention } = name(symbol) else { panic!() };
            assert_eq!(mention.symbol.as_str(), coin);
            let paid_in = paid_in.map(|it| it.symbol.into_string());
            assert_eq!(paid_in.as_deref(), paid);
        }
        let call = name("AAPL260116C00152500");
        let strike = Dec::parse("152.5").unwrap();
        assert_eq!(call.what, What::Right { on: "AAPL".to_owned(), strike });
        assert_eq!(call.multiplier(), Some(Dec::from_i64(100)));
        for share in ["BRK.B", "AAPL", "INFQ.WS", "DOGEUSD", "260116C00152500"] {
            assert_eq!(name(share).what, What::Share, "{share}");
        }
    }
}
