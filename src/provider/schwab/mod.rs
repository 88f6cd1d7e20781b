//! Charles Schwab's Trader API, of which only what reads is ever asked: accounts with their
//! positions, transactions in windows of at most a year, as far back as it tells, and prices.
//!
//! Nothing in here can place an order: there is no request in it but those that read.

mod accounts;
mod cash;
mod history;
mod market;
mod rows;
mod said;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::field::trouble;
use super::{
    AccountSource, Accounts, Auth, Entry, Error, Line, Market, RemoteBook, Result, Setup, Trouble,
};
use crate::http::{Answer, Limit, Request};
use crate::model::{OAuthSpec, SafeText, Secret};
use history::History;

const DAY: i64 = 86_400;
const NUMBERS: &str = "/trader/v1/accounts/accountNumbers";

/// A trade is settled within days, and dividends are corrected within a week.
const SETTLES: i64 = 10 * DAY;

/// A row may have one day by what it is asked by and another by what it is told with.
const EDGE: TimeDelta = TimeDelta::days(5);

/// It publishes no limit for reading; these are those of careful clients. Nobody waits for the second
/// where the first is kept, so that the years of many accounts come without a long pause.
const LIMITS: [Limit; 2] = [
    Limit { most: 50, span: TimeDelta::seconds(25) },
    Limit { most: 120, span: TimeDelta::minutes(1) },
];

pub(super) const ENTRY: Entry = Entry {
    id: "schwab",
    title: "Charles Schwab",
    auth: Auth::OAuth(OAuthSpec {
        authorize: "/v1/oauth/authorize",
        token: "/v1/oauth/token",
        issuer: "https://api.schwabapi.com",
        portal: "https://developer.schwab.com",
        // Nobody has seen it taken.
        pkce: false,
        scope: Some("api"),
        consent: TimeDelta::days(7),
        access: TimeDelta::minutes(30),
    }),
    hosts: &["api.schwabapi.com"],
    limits: &LIMITS,
    renews_within: 0,
    settles_within: SETTLES,
    accounts: Some(|setup| Accounts::Schwab(Schwab { setup })),
    market: Some(|setup| Market::Schwab(Schwab { setup })),
    tells_prices: true,
    tells_rates: false,
};

/// The accounts behind one sign-in, and prices.
#[derive(Clone, Debug)]
pub struct Schwab {
    setup: Setup,
}

impl Schwab {
    /// What its accounts are known by.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn ids(&self) -> Result<Vec<SafeText>> {
        let Some((line, access)) = &self.setup.line else { return Err(Error::Consent) };
        let body = Way { line, access }.ask(NUMBERS, &[]).await?;
        Ok(accounts::hashes(&body)?.keys().map(|number| accounts::id_of(number)).collect())
    }
}

impl AccountSource for Schwab {
    async fn accounts(&self, since: Option<DateTime<Utc>>) -> Result<RemoteBook> {
        let Some((line, access)) = &self.setup.line else { return Err(Error::Consent) };
        let (way, now) = (Way { line, access }, self.setup.clock.now());
        // What an account is called in every path; it may be another one after the next sign-in.
        let hashes = accounts::hashes(&way.ask(NUMBERS, &[]).await?)?;
        let all = way.ask("/trader/v1/accounts", &[("fields", "positions")]).await?;
        let names = way.ask("/trader/v1/userPreference", &[]).await;
        // Names are taken once, and can be given by hand.
        let (names, nameless) = match names.and_then(|body| accounts::names(&body)) {
            Ok(names) => (names, None),
            Err(Error::Denied) => return Err(Error::Denied),
            Err(error) => (HashMap::new(), Some(error)),
        };
        let read = accounts::read(&all, &names, now)?;
        let mut book = RemoteBook { troubles: read.troubles, ..RemoteBook::default() };
        // Only a first history is long enough to be cut off.
        let progress = self.setup.progress.as_deref().filter(|_| since.is_none());
        book.troubles.extend(nameless.map(|error| {
            let what = SafeText::new("names of accounts");
            Trouble { what, error, hides_rows: false }
        }));
        for accounts::Read { number, mut account } in read.accounts {
            let Some(hash) = hashes.get(&number) else {
                account.left_out = true;
                book.troubles.push(hides("it has no number to ask for its rows by", &account.name));
                book.accounts.push(account);
                continue;
            };
            let kept = progress.map(|progress| (progress, &account.id));
            let told = History { way, hash, now, kept }.ask(since).await?;
            for row in &told.rows {
                match rows::read(row, &account.name) {
                    Ok(read) => {
                        account.rows.extend(read.rows);
                        // What it did to the cash is kept: nothing is hidden that could come later.
                        let told = read.wrong.map(|why| trouble(account.name.as_str(), &why));
                        book.troubles.extend(told);
                    }
                    Err(why) => {
                        account.left_out = true;
                        book.troubles.push(hides(&why, &account.name));
                    }
                }
            }
            if let Some(error) = told.broken {
                (account.left_out, book.is_cut_off) = (true, since.is_none());
                let what = account.name.clone();
                book.troubles.push(Trouble { what, error, hides_rows: true });
            }
            let begins = told.begins.map(|why| trouble(account.name.as_str(), &why));
            book.troubles.extend(begins);
            // At the edge of what is asked for again a row may be missing that is there.
            account.complete_since = told.since.map(|first| match since {
                Some(_) => (first + EDGE).min(now),
                None => first,
            });
            book.accounts.push(account);
        }
        Ok(book)
    }
}

/// Something that cannot be understood, which may hide a row.
fn hides(why: &str, account: &SafeText) -> Trouble {
    let error = Error::Unavailable(SafeText::new(why));
    Trouble { what: account.clone(), error, hides_rows: true }
}

/// The way to the service, with what it is shown.
#[derive(Clone, Copy)]
struct Way<'a> {
    line: &'a Arc<Line>,
    access: &'a Secret,
}

impl Way<'_> {
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        said::accepted(&self.send(path, query).await?)
    }

    async fn send(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
        let request = Request::get(self.line.at(path)?).bearer(self.access);
        let request = query.iter().fold(request, |all, (name, value)| all.query(name, value));
        self.line.send(&request).await
    }
}

#[cfg(test)]
mod tests;
