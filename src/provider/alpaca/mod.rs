//! Alpaca's Trading API, of which only what reads is ever asked: the account, its positions, and its
//! activities page by page, back to the first. A pair of keys is one account, on paper or not, and both
//! are told prices.
//!
//! Its keys could trade. [`Line`] lets nothing but a reading leave with a key.

mod account;
mod activities;
mod events;
mod first;
mod keys;
mod market;
mod rows;
mod said;
mod symbols;
mod wire;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::field::parse;
use super::{
    AccountSource, Accounts, Auth, Boxed, Entry, Error, Keys, Line, Market, RemoteBook, Result,
    Setup, Trouble,
};
use crate::http::{Answer, Limit, Request};
use crate::model::{SafeText, Secret};
use activities::Told;
use keys::{Pair, Place};
use symbols::Symbols;
use wire::Activity;

const DAY: i64 = 86_400;
/// Where prices are told, with the keys of either place.
const DATA: &str = "data.alpaca.markets";
const ACCOUNT: &str = "/v2/account";
const MOVED: &str = "something happened in it while its first history was read; until that is read again \
     what was there before is not known";
const WAITS: &str = "coins were traded whose charges are told in the evening; until then what was there \
     before is not known";

/// It grants 200 a minute to a key; its owner may use other programs beside this one.
const LIMITS: [Limit; 1] = [Limit { most: 150, span: TimeDelta::minutes(1) }];

pub(super) const ENTRY: Entry = Entry {
    id: "alpaca",
    title: "Alpaca",
    auth: Auth::Keys(Keys {
        from: "https://app.alpaca.markets",
        parts: &["key ID", "secret key"],
        variables: &["APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "APCA_API_BASE_URL"],
        read: keys::read,
        check,
    }),
    hosts: &["api.alpaca.markets", "paper-api.alpaca.markets", DATA],
    limits: &LIMITS,
    renews_within: 0,
    // Fees come a day late, corporate actions many days with the date of before.
    settles_within: 10 * DAY,
    accounts: Some(|setup| Accounts::Alpaca(Alpaca { setup })),
    market: Some(|setup| Market::Alpaca(Alpaca { setup })),
    tells_prices: true,
    tells_rates: false,
};

/// The account behind a pair of keys.
#[derive(Clone, Debug)]
pub struct Alpaca {
    setup: Setup,
}

impl Alpaca {
    /// What its account is known by.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn ids(&self) -> Result<Vec<SafeText>> {
        let Some((line, kept)) = &self.setup.line else { return Err(Error::Consent) };
        let body = Way::of(line, kept)?.ask(ACCOUNT, &[]).await?;
        Ok(vec![account::id(&body)?])
    }
}

impl AccountSource for Alpaca {
    async fn accounts(&self, since: Option<DateTime<Utc>>) -> Result<RemoteBook> {
        let Some((line, kept)) = &self.setup.line else { return Err(Error::Consent) };
        let (way, now) = (Way::of(line, kept)?, self.setup.clock.now());
        let (body, positions) = way.standing().await?;
        let mut told = activities::ask(&way, since).await?;
        let mut book = RemoteBook::default();
        let symbols = named(&way, &positions, &mut told, &mut book).await;
        let (place, troubles) = (way.keys.place, &mut book.troubles);
        let mut account = account::read(&body, &positions, &symbols, place, now, troubles)?;
        let hides = |error| Trouble { what: account.name.clone(), error, hides_rows: true };
        if since.is_none() {
            let before = account::owned(&body, &positions)?;
            troubles.extend(unsettled(&way, &told, &symbols, &before, now).await.map(hides));
            // Whatever is missing, what was there before the first row can only be told from all.
            for trouble in troubles.iter_mut() {
                trouble.hides_rows = true;
            }
        }
        troubles.extend(told.broken.map(hides));
        let read = events::read(&told.rows, &account.name, account.currency, &symbols, since, now);
        account.left_out = read.hides_rows || troubles.iter().any(|trouble| trouble.hides_rows);
        account.rows = read.rows;
        // The day of coins is UTC's, and may have begun before that of New York: what was traded in it
        // is in what is held.
        if let Some(standing) = &mut account.standing {
            let days =
                account.rows.iter().map(|row| row.row.date).filter(|day| *day <= now.date_naive());
            standing.date = days.max().map_or(standing.date, |last| standing.date.max(last));
        }
        troubles.extend(read.troubles);
        // What it tells of later is chosen by when it was written down, not by its day.
        account.complete_since = since.is_none().then_some(DateTime::UNIX_EPOCH);
        book.accounts.push(account);
        Ok(book)
    }
}

/// What symbols name: which of those that look like it are pairs of coins is in a list, which is asked
/// for where it is needed. Without the list, what is told of them is held back.
async fn named(
    way: &Way<'_>,
    positions: &[wire::Position],
    told: &mut Told,
    book: &mut RemoteBook,
) -> Symbols {
    let mut symbols = Symbols::of_positions(positions);
    let doubts = |symbols: &Symbols, raw: &RawValue| {
        parse::<Activity>(raw).is_ok_and(|row| symbols.doubts(row.symbol.as_ref()))
    };
    if told.rows.iter().any(|raw| doubts(&symbols, raw)) {
        let list = way.ask("/v2/assets", &[("asset_class", "crypto")]).await;
        if let Err(error) = list.and_then(|body| symbols.learn(&body)) {
            let all = told.rows.len();
            told.rows.retain(|raw| !doubts(&symbols, raw));
            let held_back = all - told.rows.len();
            let why = format!("{error}; {held_back} activities of what may be coins are held back");
            let (what, error) = ("list of coins", Error::Unavailable(SafeText::new(&why)));
            book.troubles.push(Trouble { what: SafeText::new(what), error, hides_rows: true });
        }
    }
    symbols
}

/// Why what is held may not be of the time of a first history; none: it is. To read one takes minutes,
/// and what is held beside it is taken for what was there before its first row.
async fn unsettled(
    way: &Way<'_>,
    told: &Told,
    symbols: &Symbols,
    before: &account::Owned,
    now: DateTime<Utc>,
) -> Option<Error> {
    // It is asked for again anyway.
    if told.broken.is_some() {
        return None;
    }
    if first::waits_for_charges(&told.rows, symbols, now) {
        return Some(Error::Unavailable(SafeText::new(WAITS)));
    }
    let after = way.standing().await;
    match after.and_then(|(body, positions)| account::owned(&body, &positions)) {
        Ok(after) if after == *before => None,
        Ok(_) => Some(Error::Unavailable(SafeText::new(MOVED))),
        Err(error) => Some(error),
    }
}

/// Finds out whether keys are good, and for which of its two places.
fn check(line: Arc<Line>, brought: Secret) -> Boxed<Result<Secret>> {
    Box::pin(async move {
        let said = Pair::read(&brought)?;
        let places = match said.place {
            Some(place) => vec![place],
            None => vec![Place::Live, Place::Paper],
        };
        for place in places {
            let way = Way { line: &line, keys: said.at(place) };
            match way.ask(ACCOUNT, &[]).await {
                Ok(_) => return Ok(way.keys.kept()),
                // Those of the other place are refused in the same words.
                Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(keys::refused(said.place))
    })
}

/// The way to the service, with what it is shown.
struct Way<'a> {
    line: &'a Arc<Line>,
    keys: keys::Placed<'a>,
}

impl<'a> Way<'a> {
    fn of(line: &'a Arc<Line>, kept: &'a Secret) -> Result<Self> {
        let pair = Pair::read(kept)?;
        let place = pair.place.ok_or_else(keys::no_keys)?;
        Ok(Self { line, keys: pair.at(place) })
    }

    /// The account, and what is held in it.
    async fn standing(&self) -> Result<(Vec<u8>, Vec<wire::Position>)> {
        let (body, held) = (self.ask(ACCOUNT, &[]).await?, self.ask("/v2/positions", &[]).await?);
        Ok((body, account::positions(&held)?))
    }

    /// Reads something of the account.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        said::accepted(&self.send(self.keys.place.host(), path, query).await?)
    }

    /// Reads something. There is no other kind of request in this folder.
    async fn send(&self, host: &str, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        let request = Request::get(self.line.on(host, path)?)
            .secret_header("apca-api-key-id", &self.keys.id())
            .secret_header("apca-api-secret-key", &self.keys.secret());
        let request = query.iter().fold(request, |all, (name, value)| all.query(name, value));
        self.line.send(&request).await
    }
}

#[cfg(test)]
mod tests;
