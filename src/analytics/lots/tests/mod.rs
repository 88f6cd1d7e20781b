//! A small world, rows in few words, and the rules tried on them. Every expected number is worked
//! out by hand in a comment.

mod corporate;
mod examples;
mod options;
mod pools;
mod properties;
mod reorganizations;
mod trades;
mod transfers;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::*;
use crate::analytics::splits::ToldSplit;
use crate::model::*;

pub(super) const A: AccountId = AccountId(1);
pub(super) const B: AccountId = AccountId(2);
pub(super) const C: AccountId = AccountId(3);
pub(super) const X: SecurityId = SecurityId(1);
pub(super) const Y: SecurityId = SecurityId(2);

pub(super) fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with figures that may be unknown")]
pub(super) fn known(text: &str) -> Option<Dec> {
    Some(dec(text))
}

pub(super) fn day(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
}

/// Dollars everywhere, fifo, fees in cost, unless a test says otherwise.
#[derive(Debug)]
pub(super) struct Place {
    pub rules: Rules,
    pub accounts: BTreeMap<AccountId, AccountRules>,
    pub currencies: BTreeMap<SecurityId, Currency>,
    pub rates: BTreeMap<(Currency, Currency), BTreeMap<NaiveDate, Dec>>,
    pub closes: BTreeMap<SecurityId, BTreeMap<NaiveDate, Dec>>,
    /// Of X.
    pub splits: Vec<ToldSplit>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            rules: Rules { base: Currency::USD, tax: Currency::USD, fees: Fees::InCost },
            accounts: BTreeMap::new(),
            currencies: BTreeMap::new(),
            rates: BTreeMap::new(),
            closes: BTreeMap::new(),
            splits: Vec::new(),
        }
    }
}

impl Place {
    pub fn method(mut self, account: AccountId, method: LotMethod) -> Self {
        self.accounts.entry(account).or_default().method = method;
        self
    }

    pub fn kind(mut self, account: AccountId, kind: AccountKind) -> Self {
        let rules = self.accounts.entry(account).or_default();
        rules.kind = kind;
        rules.taxable = kind.tax() == Tax::Taxable;
        self
    }

    pub fn everywhere(self, method: LotMethod) -> Self {
        [A, B, C].into_iter().fold(self, |place, account| place.method(account, method))
    }

    pub fn currency(mut self, security: SecurityId, currency: Currency) -> Self {
        self.currencies.insert(security, currency);
        self
    }

    pub fn quoted(mut self, from: Currency, to: Currency, on: &str, rate: &str) -> Self {
        self.rates.entry((from, to)).or_default().insert(day(on), dec(rate));
        self
    }

    pub fn priced(mut self, security: SecurityId, on: &str, close: &str) -> Self {
        self.closes.entry(security).or_default().insert(day(on), dec(close));
        self
    }
}

impl Place {
    /// These accounts tell of one split of X.
    pub fn split(mut self, ratio: &str, accounts: &[(AccountId, &str)]) -> Self {
        let accounts: BTreeMap<_, _> = accounts.iter().map(|(id, on)| (*id, day(on))).collect();
        let first = *accounts.values().min().unwrap();
        let ratio = Ratio::parse(ratio).unwrap();
        self.splits.push(ToldSplit { day: first, ratio, accounts });
        self
    }
}

impl World for Place {
    fn account(&self, id: AccountId) -> AccountRules {
        self.accounts.get(&id).copied().unwrap_or_default()
    }

    fn currency_of(&self, security: SecurityId) -> Currency {
        self.currencies.get(&security).copied().unwrap_or(Currency::USD)
    }

    fn rate(&self, from: Currency, to: Currency, on: NaiveDate) -> Option<Conversion> {
        let (_, rate) = self.rates.get(&(from, to))?.range(..=on).next_back()?;
        Some(Conversion { num: (*rate).into(), ..Conversion::identity() })
    }

    fn close(&self, security: SecurityId, on: NaiveDate) -> Option<Dec> {
        Some(*self.closes.get(&security)?.range(..=on).next_back()?.1)
    }

    fn told_splits(&self, security: SecurityId) -> &[ToldSplit] {
        if security == X { &self.splits } else { &[] }
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }
}

/// A row. The tests give only what matters.
pub(super) fn row(subtype: Subtype, on: &str, account: AccountId, security: SecurityId) -> Event {
    Event {
        id: TransactionId(0),
        account,
        security,
        to_security: None,
        date: day(on),
        seq: 0,
        rank: Rank::Buy,
        subtype,
        quantity: None,
        price: None,
        fee: Dec::ZERO,
        tax: Dec::ZERO,
        currency: Currency::USD,
        amount: Dec::ZERO,
        fx_rate: None,
        multiplier: Dec::ONE,
        ratio: None,
        acquired: None,
        cost_share: None,
        peer: None,
    }
}

/// A purchase of X in A: so many for so much.
pub(super) fn buy(on: &str, units: &str, paid: &str) -> Event {
    row(Subtype::Buy, on, A, X).many(units).cash(&format!("-{paid}"))
}

/// A sale of X in A.
pub(super) fn sell(on: &str, units: &str, received: &str) -> Event {
    row(Subtype::Sell, on, A, X).many(&format!("-{units}")).cash(received)
}

impl Event {
    pub(super) fn id(self, id: i64) -> Self {
        Self { id: TransactionId(id), ..self }
    }

    pub(super) fn account(self, account: AccountId) -> Self {
        Self { account, ..self }
    }

    pub(super) fn of(self, security: SecurityId) -> Self {
        Self { security, ..self }
    }

    pub(super) fn kind(self, subtype: Subtype) -> Self {
        Self { subtype, ..self }
    }

    pub(super) fn many(self, units: &str) -> Self {
        Self { quantity: known(units), ..self }
    }

    pub(super) fn cash(self, amount: &str) -> Self {
        Self { amount: dec(amount), ..self }
    }

    pub(super) fn at_price(self, price: &str) -> Self {
        Self { price: known(price), ..self }
    }

    pub(super) fn fee(self, fee: &str) -> Self {
        Self { fee: dec(fee), ..self }
    }

    pub(super) fn tax(self, tax: &str) -> Self {
        Self { tax: dec(tax), ..self }
    }

    pub(super) fn paid_in(self, currency: Currency) -> Self {
        Self { currency, ..self }
    }

    pub(super) fn fx(self, rate: &str) -> Self {
        Self { fx_rate: known(rate), ..self }
    }

    pub(super) fn ratio(self, ratio: &str) -> Self {
        Self { ratio: Ratio::parse(ratio), ..self }
    }

    pub(super) fn into_security(self, to: SecurityId) -> Self {
        Self { to_security: Some(to), ..self }
    }

    pub(super) fn share(self, share: &str) -> Self {
        Self { cost_share: known(share), ..self }
    }

    pub(super) fn acquired(self, on: &str) -> Self {
        Self { acquired: Some(day(on)), ..self }
    }

    /// Linked with another row.
    pub(super) fn with(self, other: &Event) -> Self {
        let peer = Peer {
            id: other.id,
            account: other.account,
            security: Some(other.security),
            date: other.date,
            subtype: other.subtype,
            quantity: other.quantity,
            amount: other.amount,
            currency: other.currency,
        };
        Self { peer: Some(peer), ..self }
    }
}

/// Both legs of a transfer of X, each linked with the other: out first.
pub(super) fn transfer(
    (out_on, from, sent): (&str, AccountId, &str),
    (in_on, to, got): (&str, AccountId, &str),
) -> (Event, Event) {
    let out = row(Subtype::TransferOut, out_on, from, X).many(&format!("-{sent}")).id(901);
    let into = row(Subtype::TransferIn, in_on, to, X).many(got).id(902);
    (out.clone().with(&into), into.with(&out))
}

/// What was told.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub realized: Vec<Realization>,
    pub findings: Vec<LotFinding>,
}

impl Sink for Told {
    fn realized(&mut self, realization: Realization) {
        self.realized.push(realization);
    }

    fn finding(&mut self, finding: LotFinding) {
        self.findings.push(finding);
    }
}

/// A book after some rows, and what was told on the way.
pub(super) struct Played {
    pub book: Book,
    pub told: Told,
}

/// Plays rows in the order given, a day at a time. Rows without an id are numbered from 1.
pub(super) fn play(place: &Place, rows: impl IntoIterator<Item = Event>) -> Played {
    let mut rows: Vec<Event> = rows.into_iter().collect();
    for (at, row) in rows.iter_mut().enumerate() {
        if row.id.0 == 0 {
            row.id = TransactionId(i64::try_from(at).unwrap() + 1);
        }
    }
    let mut played = Played { book: Book::default(), told: Told::default() };
    for day in rows.chunk_by(|a, b| a.date == b.date) {
        played.book.apply_day(day, place, &mut played.told);
    }
    played
}

impl Played {
    pub fn position(&self, account: AccountId, security: SecurityId) -> Position {
        self.book.position(account, security).map(Cow::into_owned).unwrap_or_default()
    }

    /// The lots as `date quantity cost`.
    pub fn lots(&self, account: AccountId, security: SecurityId) -> Vec<String> {
        self.position(account, security).lots.iter().map(lot_text).collect()
    }

    /// What was realized, as `opened quantity proceeds cost gain`.
    pub fn realized(&self) -> Vec<String> {
        let text = |it: &Realization| {
            let [proceeds, cost, gain] = [it.proceeds, it.cost, it.gain()].map(figure);
            format!("{} {} {proceeds} {cost} {gain}", it.opened, it.quantity)
        };
        self.told.realized.iter().map(text).collect()
    }

    pub fn findings(&self) -> Vec<&'static str> {
        self.told.findings.iter().map(|finding| finding.kind.as_str()).collect()
    }
}

pub(super) fn lot_text(lot: &Lot) -> String {
    format!("{} {} {}", lot.opened, lot.quantity, figure(lot.cost))
}

pub(super) fn figure(figure: Option<Dec>) -> String {
    figure.map_or("n/a".to_owned(), |figure| figure.to_string())
}
