//! Alpaca's Trading API, of which only what reads is ever asked: the account, its positions, and its
//! activities page by page, back to the first. A pair of keys is one account, on paper or not.
//!
//! Its keys could trade. [`Line`] lets nothing but a reading leave with a key.

mod account;
mod activities;
mod events;
mod keys;
mod rows;
mod said;
mod symbols;
mod wire;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::field::{parse, trouble};
use super::{
    AccountSource, Accounts, Auth, Boxed, Entry, Error, Keys, Line, RemoteBook, Result, Setup,
};
use crate::http::{Limit, Request};
use crate::model::{SafeText, Secret};
use activities::Told;
use keys::{Pair, Place};
use symbols::Symbols;
use wire::Activity;

const DAY: i64 = 86_400;
const ACCOUNT: &str = "/v2/account";

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
    hosts: &["api.alpaca.markets", "paper-api.alpaca.markets"],
    limits: &LIMITS,
    renews_within: 0,
    // Fees come a day late, corporate actions many days with the date of before.
    settles_within: 10 * DAY,
    accounts: Some(|setup| Accounts::Alpaca(Alpaca { setup })),
    market: None,
    tells_prices: false,
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
        let (body, held) = (way.ask(ACCOUNT, &[]).await?, way.ask("/v2/positions", &[]).await?);
        let positions = account::positions(&held)?;
        let told = activities::ask(&way, since).await?;
        let mut book = RemoteBook::default();
        let symbols = named(&way, &positions, &told, &mut book).await;
        let place = way.keys.place;
        let mut account =
            account::read(&body, &positions, &symbols, place, now, &mut book.troubles)?;
        let read = events::read(&told.rows, &account.name, account.currency, &symbols, since, now);
        account.rows = read.rows;
        account.left_out = read.hides_rows;
        book.troubles.extend(read.troubles);
        if let Some(error) = told.broken {
            account.left_out = true;
            let what = account.name.clone();
            book.troubles.push(super::Trouble { what, error, hides_rows: true });
        }
        // What it tells of later is chosen by when it was written down, not by its day.
        account.complete_since = since.is_none().then_some(DateTime::UNIX_EPOCH);
        book.accounts.push(account);
        Ok(book)
    }
}

/// What symbols name: which of those that look like it are pairs of coins is in a list, which is asked
/// for where it is needed.
async fn named(
    way: &Way<'_>,
    positions: &[wire::Position],
    told: &Told,
    book: &mut RemoteBook,
) -> Symbols {
    let mut symbols = Symbols::of_positions(positions);
    let rows = told.rows.iter().filter_map(|raw| parse::<Activity>(raw).ok());
    if rows.into_iter().any(|row| symbols.doubts(row.symbol.as_ref())) {
        let query = [("asset_class", "crypto")];
        let list = way.ask("/v2/assets", &query).await;
        match list.and_then(|body| symbols.learn(&body)) {
            Ok(()) => {}
            Err(error) => book.troubles.push(trouble(
                "list of coins",
                &format!("{error}; a coin that is held no more may be taken for a share"),
            )),
        }
    }
    symbols
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

    /// Reads something. There is no other kind of request in this folder.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        let request = Request::get(self.line.on(self.keys.place.host(), path)?)
            .secret_header("apca-api-key-id", &self.keys.id())
            .secret_header("apca-api-secret-key", &self.keys.secret());
        let request = query.iter().fold(request, |all, (name, value)| all.query(name, value));
        said::accepted(&self.line.send(&request).await?)
    }
}

#[cfg(test)]
mod tests;
