//! An answer of SimpleFIN, read. Pure: bytes and two instants in, accounts and troubles out. What is
//! wrong with one row or one account is told, and takes nothing else along.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;

use super::super::field::{self, WORDS, parse, trouble, unreadable};
use super::super::{Error, RemoteAccount, RemoteBook, RemoteRow, Result, Trouble};
use super::guess;
use super::wire::{Account, Connection, Field, Holding, Page, Transaction, instant, number, text};
use crate::model::{
    Class, Currency, Dec, Entry as Row, EntryType, Exact, Mention, SafeText, Standing,
    StatedHolding, Status, Unit,
};

const BOM: &[u8] = b"\xef\xbb\xbf";
/// By how much a clock may be ahead, or a day end later elsewhere.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::days(1);
/// Those of whom it is known that what they call the cost is that of all shares.
const COST_IS_TOTAL: [&str; 4] = ["schwab", "vanguard", "fidelity", "e*trade"];

/// Reads the answer to a window that began at `start`.
///
/// # Errors
/// When it is no list of accounts, or only says that the access must be renewed.
pub(super) fn read(bytes: &[u8], start: DateTime<Utc>, now: DateTime<Utc>) -> Result<RemoteBook> {
    let page: Page<'_> = serde_json::from_slice(bytes.strip_prefix(BOM).unwrap_or(bytes))
        .map_err(|error| Error::Unavailable(unreadable("answer", &error)))?;
    let connections = page.connections.unwrap_or_default();
    let names: HashMap<SafeText, SafeText> = connections
        .iter()
        .filter_map(|connection| Some((text(connection.conn_id.as_ref())?, name_of(connection)?)))
        .collect();
    let said: Vec<_> = page.errors.iter().chain(&page.errlist).flatten().map(Said::read).collect();
    let mut book = RemoteBook::default();
    for said in &said {
        let what = said.connection.as_ref().and_then(|id| names.get(id)).cloned();
        let what =
            what.or_else(|| said.account.clone()).unwrap_or_else(|| SafeText::new("SimpleFIN"));
        let error = match said.wants_consent {
            true => Error::Refused(said.words.clone()),
            false => Error::Unavailable(said.words.clone()),
        };
        book.troubles.push(Trouble { what, error, hides_rows: true });
    }
    let accounts = page.accounts.unwrap_or_default();
    if let (true, Some(said)) =
        (accounts.is_empty(), said.iter().find(|said| said.is_of_all_and_consent()))
    {
        return Err(Error::Refused(said.words.clone()));
    }
    for (at, raw) in accounts.iter().enumerate() {
        match parse::<Account<'_>>(raw) {
            Err(error) => book.troubles.push(trouble(&format!("account {}", at + 1), &error)),
            Ok(account) => {
                let reader = Reader { start, now, names: &names, said: &said };
                match reader.account(&account, &mut book.troubles) {
                    Ok(read) => book.accounts.push(read),
                    Err(trouble) => book.troubles.push(trouble),
                }
            }
        }
    }
    Ok(book)
}

/// The accounts of one window with the rows of the window before it.
pub(super) fn joined(mut newer: RemoteBook, older: RemoteBook) -> RemoteBook {
    for account in older.accounts {
        match newer.accounts.iter_mut().find(|known| known.id == account.id) {
            None => newer.accounts.push(account),
            Some(known) => {
                known.rows.extend(account.rows);
                known.left_out |= account.left_out;
                known.complete_since = known.complete_since.and(account.complete_since);
            }
        }
    }
    for trouble in older.troubles {
        if !newer.troubles.contains(&trouble) {
            newer.troubles.push(trouble);
        }
    }
    newer
}

/// An error as the service tells it, in either version.
struct Said {
    words: SafeText,
    connection: Option<SafeText>,
    account: Option<SafeText>,
    /// Its owner has to do something at the Bridge.
    wants_consent: bool,
}

impl Said {
    fn read(value: &Value) -> Self {
        let field = |name: &str| field::text(value.get(name));
        let words = match value {
            Value::String(text) => SafeText::capped(text, WORDS),
            _ => field("msg")
                .or_else(|| field("message"))
                .or_else(|| field("code"))
                .unwrap_or_else(|| SafeText::new("says that something is wrong")),
        };
        let words = SafeText::capped(words.as_str(), WORDS);
        let code = field("code");
        let is_auth = |code: &SafeText| code.as_str().rsplit('.').next() == Some("auth");
        Self {
            wants_consent: code.as_ref().is_some_and(is_auth),
            connection: field("conn_id"),
            account: field("account_id"),
            words,
        }
    }

    fn is_of_all_and_consent(&self) -> bool {
        self.wants_consent && self.connection.is_none() && self.account.is_none()
    }

    /// Whether what is told of an account may lack something because of it. In the first version
    /// only the words tell whom it is about.
    fn is_about(
        &self,
        connection: Option<&SafeText>,
        account: &SafeText,
        institution: Option<&SafeText>,
    ) -> bool {
        match (&self.connection, &self.account) {
            (Some(mine), _) => Some(mine) == connection,
            (None, Some(mine)) => mine == account,
            (None, None) => match institution {
                Some(name) if self.words.as_str().starts_with("Connection to ") => {
                    self.words.as_str().contains(name.as_str())
                }
                _ => true,
            },
        }
    }
}

/// What reading an account takes.
struct Reader<'a> {
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    names: &'a HashMap<SafeText, SafeText>,
    said: &'a [Said],
}

impl Reader<'_> {
    fn account(
        &self,
        account: &Account<'_>,
        troubles: &mut Vec<Trouble>,
    ) -> std::result::Result<RemoteAccount, Trouble> {
        let id = text(account.id.as_ref());
        let name = text(account.name.as_ref()).or_else(|| id.clone());
        let unnamed = || trouble("account", "it has no id");
        let (Some(id), Some(name)) = (id, name) else { return Err(unnamed()) };
        let name = SafeText::capped(name.as_str(), SafeText::MAX_NAME);
        let conn_id = text(account.conn_id.as_ref());
        let org = account.org.as_ref();
        let org_key = org.and_then(|org| {
            text(org.id.as_ref())
                .or_else(|| text(org.domain.as_ref()))
                .or_else(|| text(org.name.as_ref()))
        });
        let institution = match &conn_id {
            Some(id) => self.names.get(id).cloned(),
            None => {
                org.and_then(|org| text(org.name.as_ref()).or_else(|| text(org.domain.as_ref())))
            }
        };
        let written = text(account.currency.as_ref()).unwrap_or_default();
        let currency = Currency::parse(written.as_str()).map_err(|_| {
            let written = SafeText::capped(written.as_str(), 64);
            trouble(name.as_str(), &format!("its currency `{written}` is not known"))
        })?;
        let said_of = instant(account.balance_date.as_ref()).unwrap_or(self.now);
        let as_of = said_of.min(self.now);
        if said_of - as_of > CLOCKS_DIFFER {
            troubles.push(trouble(name.as_str(), "its balance is of a day that has not come"));
        }
        let mut left_out =
            self.said.iter().any(|said| said.is_about(conn_id.as_ref(), &id, institution.as_ref()));
        let is_total = institution.as_ref().is_some_and(|name| {
            let name = name.as_str().to_lowercase();
            COST_IS_TOTAL.iter().any(|known| name.contains(known))
        });
        let mut holdings = Vec::new();
        let mut missing = false;
        for raw in account.holdings.iter().flatten() {
            match parse::<Holding<'_>>(raw)
                .and_then(|holding| read_holding(&holding, currency, is_total))
            {
                Ok(holding) => holdings.extend(holding),
                Err(why) => {
                    missing = true;
                    troubles.push(trouble(&format!("{name}: a holding"), &why));
                }
            }
        }
        let kind = guess::kind(name.as_str(), !holdings.is_empty());
        let mut rows = Vec::new();
        for raw in account.transactions.iter().flatten() {
            let read = parse::<Transaction<'_>>(raw).and_then(|row| {
                let row_id = text(row.id.as_ref());
                read_row(&row, &name, currency, kind.class(), as_of).map_err(|why| match row_id {
                    Some(id) => format!("{id}: {why}"),
                    None => why,
                })
            });
            match read {
                Ok(row) => rows.push(row),
                Err(why) => {
                    left_out = true;
                    let trouble = trouble(name.as_str(), &why);
                    troubles.push(Trouble { hides_rows: true, ..trouble });
                }
            }
        }
        let balance = number(account.balance.as_ref());
        if balance.is_none() {
            troubles.push(trouble(name.as_str(), "its balance is no number"));
        }
        let standing = balance.map(|balance| Standing {
            date: as_of.date_naive(),
            balance,
            cash: None,
            holdings: (!missing).then_some(holdings),
        });
        let whole_id = match conn_id.or(org_key) {
            Some(of) => SafeText::capped(&format!("{of}/{id}"), SafeText::MAX_ID),
            None => id,
        };
        Ok(RemoteAccount {
            id: whole_id,
            name,
            kind,
            currency,
            institution,
            rows,
            complete_since: Some(self.start),
            may_be_empty: false,
            left_out,
            standing,
        })
    }
}

fn read_row(
    row: &Transaction<'_>,
    account: &SafeText,
    currency: Currency,
    class: Class,
    as_of: DateTime<Utc>,
) -> std::result::Result<RemoteRow, String> {
    let id = text(row.id.as_ref()).ok_or("a row without an id")?;
    let amount = number(row.amount.as_ref()).ok_or("its amount is no number")?;
    let posted = instant(row.posted.as_ref());
    let is_pending = matches!(row.pending, Some(Field::Yes)) || posted.is_none();
    // Before it is posted it has the day of the purchase, else that of the balance.
    let at = match is_pending {
        true => instant(row.transacted_at.as_ref()).or(posted).unwrap_or(as_of),
        false => posted.unwrap_or(as_of),
    };
    let words = [&row.description, &row.payee, &row.memo];
    let description = words.into_iter().find_map(|words| text(words.as_ref()));
    let said = description.as_ref().map_or("", SafeText::as_str);
    let what = EntryType::One(guess::event(class, !amount.is_negative(), said));
    let date: NaiveDate = at.date_naive();
    let entry = Row::new(account.clone(), date, what, Unit::from(currency));
    let status = if is_pending { Status::Pending } else { Status::Settled };
    let id = Some(SafeText::capped(id.as_str(), SafeText::MAX_ID));
    let row = Row { id, amount: Some(amount), status, description, amount_stands: true, ..entry };
    Ok(RemoteRow { at, row })
}

/// What is held; none: nothing any more.
fn read_holding(
    holding: &Holding<'_>,
    account: Currency,
    cost_is_total: bool,
) -> std::result::Result<Option<StatedHolding>, String> {
    let quantity = number(holding.shares.as_ref()).ok_or("how many there are is no number")?;
    if quantity.is_zero() {
        return Ok(None);
    }
    let currency = match text(holding.currency.as_ref()) {
        None => account,
        Some(code) => Currency::parse(code.as_str()).map_err(|_| "its currency is not known")?,
    };
    // What has no symbol is known by its id.
    let symbol = text(holding.symbol.as_ref()).or_else(|| text(holding.id.as_ref()));
    let symbol = symbol.ok_or("it has neither symbol nor id")?;
    let mention = Mention::parse(symbol.as_str()).map_err(|error| error.to_string())?;
    let security = Mention { currency: Some(currency), ..mention };
    let paid = number(holding.purchase_price.as_ref()).filter(|price| price.is_positive());
    // Whether what was received for a short is told below zero nobody says.
    let is_total = cost_is_total && quantity.is_positive();
    let whole = number(holding.cost_basis.as_ref()).filter(|cost| is_total && cost.is_positive());
    let cost = match paid {
        Some(price) => Exact::from(price).mul(&Exact::from(quantity)).round(28).ok(),
        None => whole,
    };
    let value = number(holding.market_value.as_ref()).filter(|value: &Dec| !value.is_zero());
    let name = text(holding.description.as_ref());
    let (class, multiplier) = (None, None);
    Ok(Some(StatedHolding { security, name, class, multiplier, currency, quantity, value, cost }))
}

fn name_of(connection: &Connection<'_>) -> Option<SafeText> {
    text(connection.org_name.as_ref()).or_else(|| text(connection.name.as_ref()))
}
