//! Banks and brokers over SimpleFIN: a token from the Bridge is exchanged once for an address with a
//! login in it, which is asked for accounts in windows of at most 90 days, two dozen times a day.
//! Both versions of the protocol are understood.

pub(super) mod guess;
mod page;
mod token;
mod wire;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::{
    AccountSource, Accounts, Auth, Boxed, Entry, Error, Line, RemoteBook, Result, Setup, SetupToken,
};
use crate::http::{Answer, Limit, Request};
use crate::model::{SafeText, Secret};

/// A day's worth of requests. Who asks more often loses the access.
const LIMITS: [Limit; 1] = [Limit { most: 24, span: TimeDelta::days(1) }];
const DAY: i64 = 86_400;
/// The longest window; a longer one is cut short without a word.
const WINDOW: TimeDelta = TimeDelta::days(90);
/// How many windows the first answer is gathered from. Few banks have as much.
const FIRST_WINDOWS: i32 = 4;

pub(super) const ENTRY: Entry = Entry {
    id: "simplefin",
    title: "SimpleFIN",
    auth: Auth::SetupToken(SetupToken {
        from: "https://bridge.simplefin.org/simplefin/create",
        read: token::read,
        is_one: token::is_one,
        claim,
    }),
    hosts: &["bridge.simplefin.org", "beta-bridge.simplefin.org"],
    limits: &LIMITS,
    // Its data are renewed about once a day.
    renews_within: DAY / 4,
    // Rows are posted days after their date, and banks are out of reach for days.
    settles_within: 14 * DAY,
    accounts: Some(|setup| Accounts::SimpleFin(SimpleFin { setup })),
    market: None,
    tells_prices: false,
    tells_rates: false,
};

const NO_TOKEN: &str = "SimpleFIN does not know this token, or it was claimed before; if you did not do \
     that, it may be compromised: disable it at the Bridge, and make a new one";
const REVOKED: &str = "SimpleFIN no longer accepts the access (403); if you did not end it, make a new \
     token at the Bridge and connect again";
const UNPAID: &str = "SimpleFIN wants to be paid (402); renew the subscription at the Bridge";

/// What stands behind one access at the Bridge.
#[derive(Clone, Debug)]
pub struct SimpleFin {
    setup: Setup,
}

impl AccountSource for SimpleFin {
    async fn accounts(&self, since: Option<DateTime<Utc>>) -> Result<RemoteBook> {
        let Some((line, access)) = &self.setup.line else { return Err(Error::Consent) };
        let now = self.setup.clock.now();
        // What is told of today may say noon; the end itself is not in the window.
        let (mut end, first) = (now + TimeDelta::days(1), since.map(|since| since.min(now)));
        let first = first.unwrap_or(end - WINDOW * FIRST_WINDOWS).max(end - WINDOW * FIRST_WINDOWS);
        let mut book: Option<RemoteBook> = None;
        while end > first {
            let start = first.max(end - WINDOW);
            let mut answer = line.send(&asked(line, access, start, end)?).await?;
            accepted(&answer)?;
            // What it tells is stored as it is: there is nothing in it to be wiped.
            let page = page::read(&std::mem::take(&mut *answer.body), start, now)?;
            book = Some(match book {
                None => page,
                Some(newer) => page::joined(newer, page),
            });
            end = start;
        }
        Ok(book.unwrap_or_default())
    }
}

/// The request for a window: its start is in it, its end is not.
fn asked(
    line: &Line,
    access: &Secret,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<Request> {
    let broken = || Error::Refused(SafeText::new("what is kept of the access is no address"));
    let mut url = Url::parse(access.expose()).map_err(|_| broken())?;
    // An access that was kept for another configuration leads elsewhere.
    if !line.leads_to(&url) {
        return Err(token::elsewhere(&url));
    }
    url.path_segments_mut().map_err(|()| broken())?.pop_if_empty().push("accounts");
    let request = Request::get(url)
        .query("start-date", &start.timestamp().to_string())
        .query("end-date", &end.timestamp().to_string())
        .query("pending", "1")
        .query("version", "2");
    Ok(request)
}

fn accepted(answer: &Answer) -> Result<&Answer> {
    match answer.status {
        _ if answer.is_well() => Ok(answer),
        401 | 403 => Err(Error::Refused(SafeText::new(REVOKED))),
        402 => Err(Error::Unavailable(SafeText::new(UNPAID))),
        status => {
            let text = format!("SimpleFIN answered with status {status}");
            Err(Error::Unavailable(SafeText::new(&text)))
        }
    }
}

/// Exchanges a setup token for the address that is asked from then on.
fn claim(line: Arc<Line>, token: Secret) -> Boxed<Result<Secret>> {
    Box::pin(async move {
        let url = token::claim_url(&token)?;
        if !line.leads_to(&url) {
            return Err(token::elsewhere(&url));
        }
        let answer = line.send(&Request::post_once(url).accept_anything()).await?;
        match answer.status {
            403 => Err(Error::Refused(SafeText::new(NO_TOKEN))),
            _ => {
                let access = token::access_of(&accepted(&answer)?.body)?;
                let url = Url::parse(access.expose()).ok();
                match url {
                    Some(url) if line.leads_to(&url) => Ok(access),
                    Some(url) => Err(token::elsewhere(&url)),
                    None => Err(token::no_access()),
                }
            }
        }
    })
}

#[cfg(test)]
mod tests;
