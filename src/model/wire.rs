//! The full JSON form of a store, element by element: how each [`Item`] is written and read back.
//! Knows the shape of one element, not the document around it, and nothing of files.
//!
//! Absent fields are left out, figures are texts, an unknown or doubled key is refused.

use chrono::{DateTime, NaiveDate, SecondsFormat, Timelike, Utc};
use serde::de::{DeserializeSeed, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

mod watch;

use watch::{AlertWire, WatchWire};

use super::account::words;
use super::{
    AccountKind, AssetClass, Column, Currency, Dec, Draft, Entry, Facts, InPerformance, Interval,
    Isin, Item, LotMethod, Mention, Mode, NewAccount, Origin, Price, Rate, Ratio, Refusal,
    SafeText, SecurityId, SecurityWords, Setting, SettingError, SourceWords, Status, Subtype, Tags,
    TransactionWords, Why,
};

/// What the document says it is.
pub const SCHEMA: &str = "dashtam.export/1";

words! {
    /// The lists of a document, in the order in which they are written.
    Section, "list" {
        /// Settings that somebody chose.
        Settings = "settings",
        /// Accounts.
        Accounts = "accounts",
        /// Categories.
        Categories = "categories",
        /// Securities.
        Securities = "securities",
        /// Balances of accounts.
        Balances = "balances",
        /// Transactions.
        Transactions = "transactions",
        /// Transactions that a person took away: a list of their own, so that nobody counts them.
        Deleted = "deleted",
        /// Prices.
        Prices = "prices",
        /// Rates.
        Rates = "rates",
        /// Securities to keep an eye on.
        Watchlist = "watchlist",
        /// Prices to be told of.
        Alerts = "alerts",
        /// Parts of the whole.
        Targets = "targets",
    }
}

impl Section {
    /// The list that an item belongs to.
    #[must_use]
    pub const fn of(item: &Item) -> Self {
        match item {
            Item::Setting(..) => Self::Settings,
            Item::Account { .. } => Self::Accounts,
            Item::Category { .. } => Self::Categories,
            Item::Security(_) => Self::Securities,
            Item::Balance { .. } => Self::Balances,
            Item::Transaction(words) if words.deleted => Self::Deleted,
            Item::Transaction(_) => Self::Transactions,
            Item::Price(..) => Self::Prices,
            Item::Rate(_) => Self::Rates,
            Item::Watch(..) => Self::Watchlist,
            Item::Alert(..) => Self::Alerts,
            Item::Target { .. } => Self::Targets,
        }
    }
}

/// Writes the element that stands for an item in its list.
impl Serialize for Item {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.clone() {
            Self::Setting(setting, value) => {
                SettingWire { key: setting.key().to_owned(), value }.serialize(s)
            }
            Self::Account { account, derived } => AccountWire::new(account, derived).serialize(s),
            Self::Balance { account, date, amount } => {
                BalanceWire { account, date: Day(date), amount: Figure(amount) }.serialize(s)
            }
            Self::Category { name, parent } => CategoryWire { name, parent }.serialize(s),
            Self::Security(words) => SecurityWire::from(words).serialize(s),
            Self::Transaction(words) => TransactionWire::from(*words).serialize(s),
            Self::Price(security, price) => PriceWire::new(security, *price).serialize(s),
            Self::Rate(rate) => RateWire::from(rate).serialize(s),
            Self::Watch(security, terms) => WatchWire::new(security, terms).serialize(s),
            Self::Alert(security, terms) => AlertWire::new(security, terms).serialize(s),
            Self::Target { dimension, key, weight, band } => {
                let (weight, band) = (Figure(weight), band.map(Figure));
                TargetWire { dimension, key, weight, band }.serialize(s)
            }
        }
    }
}

/// Reads one element of the list.
impl<'de> DeserializeSeed<'de> for Section {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Item, D::Error> {
        match self {
            Self::Settings => read::<SettingWire, D>(d),
            Self::Accounts => read::<AccountWire, D>(d),
            Self::Categories => read::<CategoryWire, D>(d),
            Self::Securities => read::<SecurityWire, D>(d),
            Self::Balances => read::<BalanceWire, D>(d),
            Self::Transactions => read::<TransactionWire, D>(d),
            Self::Deleted => read::<TransactionWire, D>(d).map(deleted),
            Self::Prices => read::<PriceWire, D>(d),
            Self::Rates => read::<RateWire, D>(d),
            Self::Watchlist => read::<WatchWire, D>(d),
            Self::Alerts => read::<AlertWire, D>(d),
            Self::Targets => read::<TargetWire, D>(d),
        }
    }
}

fn read<'de, W, D>(d: D) -> Result<Item, D::Error>
where
    W: Deserialize<'de> + TryInto<Item, Error = WireError>,
    D: Deserializer<'de>,
{
    W::deserialize(d)?.try_into().map_err(D::Error::custom)
}

/// An item of the list of what was taken away.
fn deleted(item: Item) -> Item {
    match item {
        Item::Transaction(words) => {
            Item::Transaction(Box::new(TransactionWords { deleted: true, ..*words }))
        }
        other => other,
    }
}

/// An element of the right shape that says something impossible.
#[derive(Debug, thiserror::Error)]
enum WireError {
    #[error(transparent)]
    Field(#[from] Refusal),
    #[error(transparent)]
    Setting(#[from] SettingError),
}

fn refuse<T>(column: &'static str, why: Why) -> Result<T, WireError> {
    Err(Refusal { column: Column(column), why }.into())
}

/// A decimal: written as a text, read from a text or from the very digits of a number.
#[derive(Clone, Copy)]
struct Figure(Dec);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = <Box<RawValue>>::deserialize(d)?;
        let value = if raw.get().starts_with('"') {
            Dec::parse(&serde_json::from_str::<String>(raw.get()).map_err(D::Error::custom)?)
        } else {
            Dec::from_json_number(raw.get())
        };
        value.map(Self).map_err(D::Error::custom)
    }
}

/// A day as `YYYY-MM-DD`, years 0001 to 9999.
#[derive(Clone, Copy)]
struct Day(NaiveDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        // Only what is written back the same was written as it should be.
        let date = text.parse::<NaiveDate>().ok();
        let date = date.filter(|date| date.to_string() == text && is_plain_year(*date));
        date.map(Self).ok_or_else(|| {
            let text = SafeText::capped(&text, 40);
            D::Error::custom(format_args!("`{text}` is no day; write YYYY-MM-DD, like 2024-01-31"))
        })
    }
}

fn is_plain_year(date: NaiveDate) -> bool {
    let (first, last) = (NaiveDate::from_ymd_opt(1, 1, 1), NaiveDate::from_ymd_opt(9999, 12, 31));
    first.is_some_and(|first| first <= date) && last.is_some_and(|last| date <= last)
}

/// Microseconds since the epoch, written as an instant in UTC.
#[derive(Clone, Copy)]
struct Instant(i64);

impl Instant {
    /// Prices and rates of whole days are kept at midnight.
    fn is_midnight(self) -> bool {
        self.0.rem_euclid(24 * 60 * 60 * 1_000_000) == 0
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let instant = DateTime::from_timestamp_micros(self.0);
        match instant.filter(|instant| is_plain_year(instant.date_naive())) {
            Some(instant) => s.serialize_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => Err(S::Error::custom("an instant outside the years 1 to 9999")),
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let instant = DateTime::parse_from_rfc3339(&text).ok().map(|at| at.with_timezone(&Utc));
        // Nothing finer than a microsecond is kept, and no leap second.
        let kept = |at: &DateTime<Utc>| {
            at.nanosecond().is_multiple_of(1000) && at.nanosecond() < 1_000_000_000
        };
        match instant.filter(|at| kept(at) && is_plain_year(at.date_naive())) {
            Some(at) => Ok(Self(at.timestamp_micros())),
            None => Err(D::Error::custom(format_args!(
                "`{}` is no instant; write it like 2024-01-31T16:00:00Z",
                SafeText::capped(&text, 40)
            ))),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that the derive calls")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingWire {
    key: String,
    value: String,
}

impl TryFrom<SettingWire> for Item {
    type Error = WireError;

    fn try_from(wire: SettingWire) -> Result<Self, WireError> {
        let setting = Setting::parse(&wire.key)?;
        Ok(Self::Setting(setting, setting.check(&wire.value)?))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountWire {
    name: SafeText,
    kind: AccountKind,
    currency: Currency,
    mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<LotMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    performance: Option<InPerformance>,
    #[serde(default, skip_serializing_if = "is_false")]
    derived: bool,
}

impl AccountWire {
    fn new(account: NewAccount, derived: bool) -> Self {
        let NewAccount { name, kind, currency, mode, method, institution, .. } = account;
        let (closed, performance) = (account.closed.map(Day), account.performance);
        Self { name, kind, currency, mode, method, institution, closed, performance, derived }
    }
}

impl TryFrom<AccountWire> for Item {
    type Error = WireError;

    fn try_from(wire: AccountWire) -> Result<Self, WireError> {
        let AccountWire { name, kind, currency, mode, method, institution, .. } = wire;
        named("name", &name)?;
        fits("institution", institution.as_ref(), SafeText::MAX_NAME)?;
        let (closed, performance) = (wire.closed.map(|day| day.0), wire.performance);
        let account =
            NewAccount { name, kind, currency, mode, method, institution, closed, performance };
        Ok(Self::Account { account, derived: wire.derived })
    }
}

/// What other rows refer to needs a name.
fn named(column: &'static str, name: &SafeText) -> Result<(), WireError> {
    if name.as_str().trim().is_empty() {
        return refuse(column, Why::Missing("every one"));
    }
    fits(column, name, SafeText::MAX_NAME)
}

/// No text is longer than a row of a file may have it.
fn fits<'t>(
    column: &'static str,
    text: impl Into<Option<&'t SafeText>>,
    most: usize,
) -> Result<(), WireError> {
    match text.into().filter(|text| text.as_str().len() > most) {
        Some(_) => refuse(column, Why::TooLong(most)),
        None => Ok(()),
    }
}

/// What names a security.
fn symbol(symbol: &SafeText, venue: Option<&SafeText>) -> Result<(), WireError> {
    named("symbol", symbol)?;
    fits("symbol", symbol, Mention::MAX)?;
    fits("venue", venue, Mention::MAX)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BalanceWire {
    account: SafeText,
    date: Day,
    amount: Figure,
}

impl TryFrom<BalanceWire> for Item {
    type Error = WireError;

    fn try_from(wire: BalanceWire) -> Result<Self, WireError> {
        named("account", &wire.account)?;
        Ok(Self::Balance { account: wire.account, date: wire.date.0, amount: wire.amount.0 })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryWire {
    name: SafeText,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<SafeText>,
}

impl TryFrom<CategoryWire> for Item {
    type Error = WireError;

    fn try_from(wire: CategoryWire) -> Result<Self, WireError> {
        named("name", &wire.name)?;
        fits("parent", wire.parent.as_ref(), SafeText::MAX_NAME)?;
        Ok(Self::Category { name: wire.name, parent: wire.parent })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecurityWire {
    symbol: SafeText,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    venue: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isin: Option<Isin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cusip: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    figi: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<AssetClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sector: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Tags>,
    #[serde(default, skip_serializing_if = "is_false")]
    derived: bool,
}

/// The same fields, by the same names.
macro_rules! same_security {
    ($from:ident as $kind:ident into $into:ident) => {{
        let $kind {
            symbol,
            currency,
            venue,
            isin,
            cusip,
            figi,
            name,
            class,
            sector,
            region,
            tags,
            derived,
        } = $from;
        $into {
            symbol,
            currency,
            venue,
            isin,
            cusip,
            figi,
            name,
            class,
            sector,
            region,
            tags,
            derived,
        }
    }};
}

impl From<SecurityWords> for SecurityWire {
    fn from(words: SecurityWords) -> Self {
        same_security!(words as SecurityWords into SecurityWire)
    }
}

impl TryFrom<SecurityWire> for Item {
    type Error = WireError;

    fn try_from(wire: SecurityWire) -> Result<Self, WireError> {
        symbol(&wire.symbol, wire.venue.as_ref())?;
        for (column, text) in [
            ("cusip", &wire.cusip),
            ("figi", &wire.figi),
            ("name", &wire.name),
            ("sector", &wire.sector),
            ("region", &wire.region),
        ] {
            fits(column, text.as_ref(), SafeText::MAX_NAME)?;
        }
        Ok(Self::Security(same_security!(wire as SecurityWire into SecurityWords)))
    }
}

/// How other elements name a security.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MentionWire {
    symbol: SafeText,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    venue: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isin: Option<Isin>,
}

impl From<Mention> for MentionWire {
    fn from(mention: Mention) -> Self {
        let Mention { symbol, currency, venue, isin } = mention;
        Self { symbol, currency, venue, isin }
    }
}

impl TryFrom<MentionWire> for Mention {
    type Error = WireError;

    fn try_from(wire: MentionWire) -> Result<Self, WireError> {
        let MentionWire { symbol, currency, venue, isin } = wire;
        self::symbol(&symbol, venue.as_ref())?;
        Ok(Self { symbol, currency, venue, isin })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransactionWire {
    date: Day,
    seq: i64,
    account: SafeText,
    #[serde(rename = "type")]
    subtype: Subtype,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<MentionWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_security: Option<MentionWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<Figure>,
    currency: Currency,
    amount: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fx_rate: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multiplier: Option<Figure>,
    /// `new:old`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquired: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_share: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_id: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted_in: Option<SafeText>,
    origin: Origin,
    /// Which of several equal rows it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<i64>,
    /// The row as its source says it, where a person changed it since.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Box<TransactionWire>>,
}

impl From<TransactionWords> for TransactionWire {
    fn from(words: TransactionWords) -> Self {
        let TransactionWords { draft, seq, origin, deleted: _, nth, source } = words;
        let source = source.map(|source| {
            let SourceWords { draft, nth } = *source;
            Self::from(TransactionWords { nth, ..TransactionWords::new(draft, seq, origin) })
        });
        let Draft { account, security, to_security, link, source_id, facts } = draft;
        Self {
            date: Day(facts.date),
            seq,
            account,
            subtype: facts.subtype,
            status: facts.status,
            security: security.map(MentionWire::from),
            to_security: to_security.map(MentionWire::from),
            quantity: facts.quantity.map(Figure),
            price: facts.price.map(Figure),
            fee: facts.fee.map(Figure),
            tax: facts.tax.map(Figure),
            currency: facts.currency,
            amount: Figure(facts.amount),
            settlement: facts.settlement.map(Day),
            fx_rate: facts.fx_rate.map(Figure),
            multiplier: facts.multiplier.map(Figure),
            ratio: facts.ratio.map(|ratio| ratio.to_string()),
            acquired: facts.acquired.map(Day),
            cost_share: facts.cost_share.map(Figure),
            link,
            source_id,
            description: facts.description,
            category: facts.category,
            note: facts.note,
            quoted_in: facts.quoted_in,
            origin,
            nth,
            source: source.map(Box::new),
        }
    }
}

impl TryFrom<TransactionWire> for Item {
    type Error = WireError;

    fn try_from(wire: TransactionWire) -> Result<Self, WireError> {
        Ok(Self::Transaction(Box::new(wire.try_into()?)))
    }
}

impl TryFrom<TransactionWire> for TransactionWords {
    type Error = WireError;

    fn try_from(wire: TransactionWire) -> Result<Self, WireError> {
        named("account", &wire.account)?;
        for (column, text, most) in [
            ("link", &wire.link, SafeText::MAX_ID),
            ("source_id", &wire.source_id, SafeText::MAX_ID),
            ("description", &wire.description, SafeText::MAX_BYTES),
            ("category", &wire.category, SafeText::MAX_NAME),
            ("note", &wire.note, SafeText::MAX_BYTES),
            ("quoted_in", &wire.quoted_in, SafeText::MAX_NAME),
        ] {
            fits(column, text.as_ref(), most)?;
        }
        let day = |day: Option<Day>| day.map(|day| day.0);
        let figure = |figure: Option<Figure>| figure.map(|figure| figure.0);
        let charged = |value| figure(value).filter(|value| !value.is_zero());
        let filled = |text: Option<SafeText>| text.filter(|text| !text.is_empty());
        let facts = Facts {
            date: wire.date.0,
            settlement: day(wire.settlement),
            subtype: wire.subtype,
            status: wire.status,
            quantity: figure(wire.quantity),
            price: figure(wire.price),
            fee: charged(wire.fee),
            tax: charged(wire.tax),
            currency: wire.currency,
            amount: wire.amount.0,
            fx_rate: figure(wire.fx_rate),
            multiplier: figure(wire.multiplier).filter(|&multiplier| multiplier != Dec::ONE),
            ratio: wire.ratio.as_deref().map(ratio).transpose()?,
            acquired: day(wire.acquired),
            cost_share: figure(wire.cost_share),
            description: filled(wire.description),
            category: filled(wire.category),
            note: filled(wire.note),
            quoted_in: filled(wire.quoted_in),
        };
        let draft = Draft {
            account: wire.account,
            security: wire.security.map(Mention::try_from).transpose()?,
            to_security: wire.to_security.map(Mention::try_from).transpose()?,
            link: filled(wire.link),
            source_id: filled(wire.source_id),
            facts,
        };
        check(&draft, wire.origin)?;
        if let Some(nth) = wire.nth.filter(|nth| *nth < 0) {
            return refuse("nth", Why::Negative(Dec::from_i64(nth)));
        }
        Ok(Self {
            draft,
            seq: wire.seq,
            origin: wire.origin,
            deleted: false,
            nth: wire.nth,
            source: wire.source.map(|source| said_by_source(*source, wire.origin)).transpose()?,
        })
    }
}

/// What a source says is nothing that a person changed.
fn said_by_source(wire: TransactionWire, origin: Origin) -> Result<Box<SourceWords>, WireError> {
    if wire.source.is_some() || wire.origin != origin {
        return refuse("source", Why::Other("it has the origin of its row and no source itself"));
    }
    let TransactionWords { draft, nth, .. } = wire.try_into()?;
    Ok(Box::new(SourceWords { draft, nth }))
}

fn ratio(text: &str) -> Result<Ratio, WireError> {
    match Ratio::parse(text) {
        Some(ratio) => Ok(ratio),
        None => refuse("ratio", Why::Other("no ratio; write new:old, like 4:1, both above zero")),
    }
}

/// What holds for every stored event: the direction of its quantity, which a person leaves out,
/// and all that would be asked of a person who writes it.
fn check(draft: &Draft, origin: Origin) -> Result<(), WireError> {
    let facts = &draft.facts;
    let what = facts.subtype.as_str();
    if let Some(quantity) = facts.quantity.filter(|_| !facts.subtype.quantity_is_signed()) {
        let outward = facts.subtype.direction() < 0;
        if outward && quantity.is_positive() || !outward && quantity.is_negative() {
            let right = if outward { "negative here" } else { "positive here" };
            return refuse("quantity", Why::Sign { amount: quantity, what, right });
        }
    }
    if let Some(tax) = facts.tax.filter(|tax| tax.is_negative()) {
        return refuse("tax", Why::Negative(tax));
    }
    for (column, value) in [("fx_rate", facts.fx_rate), ("multiplier", facts.multiplier)] {
        if value.is_some_and(|value| !value.is_positive()) {
            return refuse(column, Why::Other("it must be above zero"));
        }
    }
    if facts.cost_share.is_some_and(|share| share.is_negative() || share > Dec::ONE) {
        return refuse("cost_share", Why::Other("a part of the cost is between 0 and 1"));
    }
    Entry::of(draft.clone(), origin).check()?;
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceWire {
    security: MentionWire,
    interval: Interval,
    at: Instant,
    source: SafeText,
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<Figure>,
    close: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted_in: Option<SafeText>,
    #[serde(default, skip_serializing_if = "is_false")]
    split_adjusted: bool,
}

impl PriceWire {
    fn new(security: Mention, price: Price) -> Self {
        Self {
            security: security.into(),
            interval: price.interval,
            at: Instant(price.at),
            source: price.source,
            currency: price.currency,
            open: price.open.map(Figure),
            high: price.high.map(Figure),
            low: price.low.map(Figure),
            close: Figure(price.close),
            volume: price.volume.map(Figure),
            quoted_in: price.quoted_in,
            split_adjusted: price.split_adjusted,
        }
    }
}

impl TryFrom<PriceWire> for Item {
    type Error = WireError;

    fn try_from(wire: PriceWire) -> Result<Self, WireError> {
        if wire.interval == Interval::Day && !wire.at.is_midnight() {
            return refuse("at", Why::Other("the price of a day stands at its midnight in UTC"));
        }
        fits("source", &wire.source, SafeText::MAX_NAME)?;
        fits("quoted_in", wire.quoted_in.as_ref(), SafeText::MAX_NAME)?;
        let figure = |figure: Option<Figure>| figure.map(|figure| figure.0);
        let price = Price {
            // Only the store knows it.
            security: SecurityId(0),
            interval: wire.interval,
            at: wire.at.0,
            source: wire.source,
            currency: wire.currency,
            open: figure(wire.open),
            high: figure(wire.high),
            low: figure(wire.low),
            close: wire.close.0,
            volume: figure(wire.volume),
            quoted_in: wire.quoted_in,
            split_adjusted: wire.split_adjusted,
        };
        Ok(Self::Price(wire.security.try_into()?, Box::new(price)))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateWire {
    base: Currency,
    quote: Currency,
    at: Instant,
    source: SafeText,
    rate: Figure,
}

impl From<Rate> for RateWire {
    fn from(rate: Rate) -> Self {
        let Rate { base, quote, at, source, rate } = rate;
        Self { base, quote, at: Instant(at), source, rate: Figure(rate) }
    }
}

impl TryFrom<RateWire> for Item {
    type Error = WireError;

    fn try_from(wire: RateWire) -> Result<Self, WireError> {
        let RateWire { base, quote, at, source, rate: Figure(rate) } = wire;
        fits("source", &source, SafeText::MAX_NAME)?;
        if base == quote {
            return refuse("quote", Why::Other("a rate needs two currencies"));
        }
        if !rate.is_positive() {
            return refuse("rate", Why::Other("it must be above zero"));
        }
        if !at.is_midnight() {
            return refuse("at", Why::Other("the rate of a day stands at its midnight in UTC"));
        }
        Ok(Self::Rate(Rate { base, quote, at: at.0, source, rate }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetWire {
    dimension: SafeText,
    key: SafeText,
    weight: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<Figure>,
}

impl TryFrom<TargetWire> for Item {
    type Error = WireError;

    fn try_from(wire: TargetWire) -> Result<Self, WireError> {
        let TargetWire { dimension, key, weight, band } = wire;
        named("dimension", &dimension)?;
        named("key", &key)?;
        Ok(Self::Target { dimension, key, weight: weight.0, band: band.map(|band| band.0) })
    }
}

#[cfg(test)]
mod tests;
