//! What must hold of one transaction, whoever writes it: a form, a file, a provider, a command.
//!
//! An [`Entry`] is what was written, unsigned and with gaps; [`Entry::check`] turns it into one or
//! two [`Draft`]s with dashtam's signs and a known amount, or says what is wrong and where. Needs
//! no store.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

use super::{
    Currency, Dec, Draft, Exact, Facts, Kind, Mention, Origin, Ratio, SafeText, SecurityId, Status,
    Subtype, Transaction, Unit, UnknownWord,
};

/// A field of a row, named as in the neutral form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(pub &'static str);

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// The type of a row as written: a subtype, or the one word that means two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryType {
    /// One row.
    One(Subtype),
    /// A dividend and the purchase it paid for.
    Reinvest,
}

impl FromStr for EntryType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if text.eq_ignore_ascii_case("reinvest") {
            Ok(Self::Reinvest)
        } else if text.eq_ignore_ascii_case("fee") {
            Ok(Self::One(Subtype::AccountFee))
        } else {
            text.parse().map(Self::One).map_err(|mut error: UnknownWord| {
                error.known.push_str(" fee reinvest");
                error
            })
        }
    }
}

/// One row as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub account: SafeText,
    /// When.
    pub date: NaiveDate,
    /// Which event.
    pub what: EntryType,
    /// The currency or minor unit of the money in this row.
    pub unit: Unit,
    /// Of what.
    pub symbol: Option<Mention>,
    /// What it becomes.
    pub to_symbol: Option<Mention>,
    /// Unsigned, but for openings and adjustments.
    pub quantity: Option<Dec>,
    /// Of one unit.
    pub price: Option<Dec>,
    /// The decimals of the price as written: they say how exact it is.
    pub price_scale: u32,
    /// Charged.
    pub fee: Option<Dec>,
    /// Taken by the state.
    pub tax: Option<Dec>,
    /// Change of cash; none: computed where that is possible.
    pub amount: Option<Dec>,
    /// Settlement date.
    pub settlement: Option<NaiveDate>,
    /// Units of the row's currency for one of the security's.
    pub fx_rate: Option<Dec>,
    /// Of an option or future.
    pub multiplier: Option<Dec>,
    /// Of a split or merger.
    pub ratio: Option<Ratio>,
    /// When the lot was bought.
    pub acquired: Option<NaiveDate>,
    /// The part of the cost that moves.
    pub cost_share: Option<Dec>,
    /// The own account on the other side.
    pub to_account: Option<SafeText>,
    /// The event this row is a part of.
    pub link: Option<SafeText>,
    /// The source's own id.
    pub id: Option<SafeText>,
    /// Whether it counts.
    pub status: Status,
    /// In the source's words.
    pub description: Option<SafeText>,
    /// By name.
    pub category: Option<SafeText>,
    /// A person's words.
    pub note: Option<SafeText>,
    /// The amount is kept even where it does not agree with the rest: a provider said it.
    pub amount_stands: bool,
}

impl Entry {
    /// An entry with nothing but what every one has.
    #[must_use]
    pub const fn new(account: SafeText, date: NaiveDate, what: EntryType, unit: Unit) -> Self {
        Self {
            account,
            date,
            what,
            unit,
            symbol: None,
            to_symbol: None,
            quantity: None,
            price: None,
            price_scale: 0,
            fee: None,
            tax: None,
            amount: None,
            settlement: None,
            fx_rate: None,
            multiplier: None,
            ratio: None,
            acquired: None,
            cost_share: None,
            to_account: None,
            link: None,
            id: None,
            status: Status::Settled,
            description: None,
            category: None,
            note: None,
            amount_stands: false,
        }
    }

    /// A stored row as a person would write it; `mention` says how a security is named.
    #[must_use]
    pub fn of_row(
        row: Transaction,
        account: SafeText,
        mention: impl Fn(SecurityId) -> Option<Mention>,
    ) -> Self {
        let draft = Draft {
            account,
            security: row.security.and_then(&mention),
            to_security: row.to_security.and_then(&mention),
            link: row.link,
            source_id: row.source_id,
            facts: row.facts,
        };
        Self::of(draft, row.origin)
    }

    /// A checked row as a person would write it.
    #[must_use]
    pub fn of(draft: Draft, origin: Origin) -> Self {
        let Draft { account, security, to_security, link, source_id, facts } = draft;
        let signed = facts.subtype.quantity_is_signed();
        let quantity =
            facts.quantity.map(|quantity| if signed { quantity } else { quantity.abs() });
        Self {
            symbol: security,
            to_symbol: to_security,
            quantity,
            price: facts.price,
            price_scale: facts.price.map_or(0, |price| price.inner().scale()),
            fee: facts.fee,
            tax: facts.tax,
            amount: Some(facts.amount),
            settlement: facts.settlement,
            fx_rate: facts.fx_rate,
            multiplier: facts.multiplier,
            ratio: facts.ratio,
            acquired: facts.acquired,
            cost_share: facts.cost_share,
            link,
            id: source_id,
            status: facts.status,
            description: facts.description,
            category: facts.category,
            note: facts.note,
            amount_stands: origin == Origin::Provider,
            ..Self::new(account, facts.date, EntryType::One(facts.subtype), facts.currency.into())
        }
    }
}

/// The rows that one entry stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafts {
    /// The row itself.
    pub first: Box<Draft>,
    /// The dividend of a reinvestment, or the other leg of a transfer.
    pub second: Option<Box<Draft>>,
}

impl Drafts {
    /// The row, and the one that comes with it.
    pub fn all(&self) -> impl Iterator<Item = &Draft> {
        std::iter::once(&*self.first).chain(self.second.as_deref())
    }
}

/// Why a row is refused: the column and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{column}: {why}")]
pub struct Refusal {
    /// Where.
    pub column: Column,
    /// What is wrong and what would be right.
    pub why: Why,
}

/// What is wrong with a row, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A field that this type needs.
    #[error("missing; {0} needs it")]
    Missing(&'static str),
    /// A field that makes no sense here.
    #[error("{0} takes none; leave it empty")]
    NotHere(&'static str),
    /// Below zero where the direction follows from the type.
    #[error("{0} is below zero; write it unsigned, the type gives the direction")]
    Negative(Dec),
    /// A text longer than texts are.
    #[error("longer than {0} bytes; shorten it")]
    TooLong(usize),
    /// Zero where something must change.
    #[error("zero; {0} needs more than that")]
    Zero(&'static str),
    /// A sign that the type forbids.
    #[error("{amount} has the wrong sign; {what} is {right}")]
    Sign {
        /// As given.
        amount: Dec,
        /// The type.
        what: &'static str,
        /// Positive or negative.
        right: &'static str,
    },
    /// The row's own figures do not fit together.
    #[error(
        "{given} does not agree with {computed}, computed from quantity, price, fee and tax; correct one of them or leave the amount empty"
    )]
    Disagrees {
        /// As given.
        given: Dec,
        /// From the other columns.
        computed: Dec,
    },
    /// The product does not fit.
    #[error("quantity times price has more than 28 digits before the rounding to 12 decimals")]
    Overflow,
    /// Two ways of naming the other leg at once.
    #[error("a row has either `link` or `to_account`, not both; leave one empty")]
    LinkAndAccount,
    /// From an account to itself.
    #[error("is the account itself; name the other one")]
    SameAccount,
    /// More than one security is called so.
    #[error(
        "several securities are called {symbol}: {candidates}; write one of these, or its ISIN as the symbol, or give `venue`, for a price as sec:SYM@CUR:VENUE"
    )]
    SeveralSecurities {
        /// As written.
        symbol: SafeText,
        /// How each can be named.
        candidates: String,
    },
    /// Nobody who is asked for prices.
    #[error("nobody called `{0}` is asked for prices; there are {1}")]
    NoSource(SafeText, String),
    /// The one that is called so is quoted in another currency.
    #[error(
        "{symbol}@{said} means {symbol} so far, which is in {currency}: write {symbol}, or where it is another one, first `security edit {symbol} --currency {currency}`"
    )]
    OtherCurrency {
        /// As written.
        symbol: SafeText,
        /// As written.
        said: Currency,
        /// What the one that is there is quoted in.
        currency: Currency,
    },
    /// An account that is not there, where none may be made.
    #[error("there is no account `{0}`; add it first or import without --strict")]
    NoAccount(SafeText),
    /// An id that another row of the account has.
    #[error(
        "the other account has a row with the id {0} too, and when it comes again nobody could tell which is meant; keep them apart"
    )]
    IdTaken(SafeText),
    /// An id that a row by hand would share with another.
    #[error(
        "the account has a row with the id {0} already; leave the id out, or change that row with `dashtam txn edit`"
    )]
    IdThere(SafeText),
    /// A row that was told otherwise by a person.
    #[error(
        "the row is there, and a person changed it since ({0} differs); --accept-changes makes it what this row says"
    )]
    ChangedByHand(&'static str),
    /// A code that may be a currency or a security.
    #[error("`{0}` may be a currency or a security; write fx:{0} or sec:{0}")]
    AmbiguousCode(SafeText),
    /// A rate of a currency in itself.
    #[error(
        "a rate of {0} in {0}; write what it costs in another currency, or sec:{0} for the price of a security"
    )]
    SameCurrency(SafeText),
    /// A rate that would make money vanish.
    #[error(
        "a rate of {0}; a rate is above zero (for the price of a security write sec: before the symbol)"
    )]
    Rate(Dec),
    /// The same id, another event.
    #[error(
        "the id {id} is already another event ({what} differs); accept it with --accept-changes"
    )]
    Conflict {
        /// The source's id.
        id: SafeText,
        /// What differs.
        what: &'static str,
    },
    /// A cash-only type with a security, and the like.
    #[error("{0}")]
    Other(&'static str),
    /// A word outside its list.
    #[error(transparent)]
    Word(#[from] UnknownWord),
}

fn refuse<T>(column: &'static str, why: Why) -> Result<T, Refusal> {
    Err(Refusal { column: Column(column), why })
}

impl Entry {
    /// The checked rows that this entry stands for.
    ///
    /// # Errors
    /// [`Refusal`] with the column and what would be right.
    pub fn check(mut self) -> Result<Drafts, Refusal> {
        self.unify_unit()?;
        self.check_signs()?;
        match self.what {
            EntryType::One(subtype) => self.one(subtype),
            EntryType::Reinvest => self.reinvest(),
        }
    }

    /// Converts minor-unit quotes once, here.
    fn unify_unit(&mut self) -> Result<(), Refusal> {
        if self.unit.per == 1 {
            return Ok(());
        }
        let per = Exact::from(Dec::from_i64(i64::from(self.unit.per)));
        for (column, field) in [
            ("price", &mut self.price),
            ("fee", &mut self.fee),
            ("tax", &mut self.tax),
            ("amount", &mut self.amount),
        ] {
            if let Some(value) = field {
                *value = match Exact::from(*value).div_round(&per, 28) {
                    Ok(converted) => converted,
                    Err(_) => return refuse(column, Why::Overflow),
                };
            }
        }
        self.price_scale += self.unit.per.ilog10();
        Ok(())
    }

    /// What holds for every type.
    fn check_signs(&self) -> Result<(), Refusal> {
        let signed = matches!(self.what, EntryType::One(subtype) if subtype.quantity_is_signed());
        let unsigned = [
            ("quantity", self.quantity.filter(|_| !signed)),
            ("tax", self.tax),
            ("fx_rate", self.fx_rate),
            ("multiplier", self.multiplier),
            ("cost_share", self.cost_share),
        ];
        for (column, value) in unsigned {
            if let Some(value) = value.filter(|value| value.is_negative()) {
                return refuse(column, Why::Negative(value));
            }
        }
        for (column, value) in [("fx_rate", self.fx_rate), ("multiplier", self.multiplier)] {
            if value.is_some_and(Dec::is_zero) {
                return refuse(column, Why::Zero("it"));
            }
        }
        if self.cost_share.is_some_and(|share| share > Dec::ONE) {
            return refuse(
                "cost_share",
                Why::Other("more than 1; it is a part of the cost, like 0.25"),
            );
        }
        if self.to_account.is_some() && self.link.is_some() {
            return refuse("link", Why::LinkAndAccount);
        }
        if self.to_account.as_ref() == Some(&self.account) {
            return refuse("to_account", Why::SameAccount);
        }
        Ok(())
    }

    fn one(self, subtype: Subtype) -> Result<Drafts, Refusal> {
        self.check_shape(subtype)?;
        let amount = self.amount_of(subtype)?;
        if !self.pays_charges_alone() {
            check_amount_sign(subtype, amount)?;
        }
        let quantity = self.quantity.map(|quantity| match subtype.direction() {
            -1 => -quantity,
            _ => quantity,
        });
        let to_account = self.to_account.clone();
        let first = Box::new(self.into_draft(subtype, quantity, amount));
        let second = match to_account {
            Some(account) => Some(Box::new(other_leg(&first, account)?)),
            None => None,
        };
        Ok(Drafts { first, second })
    }

    /// A dividend that paid for its own purchase: cash in and out by the same amount.
    fn reinvest(mut self) -> Result<Drafts, Refusal> {
        const WHAT: &str = "reinvest";
        if self.to_account.is_some() {
            return refuse("to_account", Why::NotHere(WHAT));
        }
        if self.symbol.is_none() {
            return refuse("symbol", Why::Missing(WHAT));
        }
        match self.quantity {
            None => return refuse("quantity", Why::Missing(WHAT)),
            Some(quantity) if quantity.is_zero() => return refuse("quantity", Why::Zero(WHAT)),
            Some(_) => {}
        }
        if self.price.is_none() {
            return refuse("price", Why::Missing(WHAT));
        }
        if self.amount.is_some_and(|amount| !amount.is_zero()) {
            return refuse("amount", Why::Other("reinvest moves no cash; leave it empty or 0"));
        }
        self.check_shape(Subtype::Buy)?;
        let tax = self.tax.take();
        self.amount = None;
        let spent = self.amount_of(Subtype::Buy)?;
        check_amount_sign(Subtype::Dividend, -spent)?;
        let mut dividend = self.clone();
        dividend.tax = tax;
        dividend.fee = None;
        dividend.price = None;
        dividend.quantity = None;
        dividend.multiplier = None;
        dividend.acquired = None;
        dividend.id = self.id.as_ref().map(second_id);
        let quantity = self.quantity;
        Ok(Drafts {
            first: Box::new(self.into_draft(Subtype::Buy, quantity, spent)),
            second: Some(Box::new(dividend.into_draft(Subtype::Dividend, None, -spent))),
        })
    }

    /// Which fields a type needs and which it cannot have.
    fn check_shape(&self, subtype: Subtype) -> Result<(), Refusal> {
        let what = subtype.as_str();
        let needs = |column, present: bool| {
            if present { Ok(()) } else { refuse(column, Why::Missing(what)) }
        };
        let bars = |column, present: bool| {
            if present { refuse(column, Why::NotHere(what)) } else { Ok(()) }
        };
        let corporate = matches!(
            subtype,
            Subtype::Split | Subtype::Merger | Subtype::SpinOff | Subtype::SymbolChange
        );
        match subtype {
            _ if subtype.kind() == Kind::Trade => {
                needs("symbol", self.symbol.is_some())?;
                needs("quantity", self.quantity.is_some())?;
            }
            Subtype::Reward | Subtype::StockDividend => {
                needs("symbol", self.symbol.is_some())?;
                needs("quantity", self.quantity.is_some())?;
            }
            Subtype::ReturnOfCapital => needs("symbol", self.symbol.is_some())?,
            Subtype::Deposit
            | Subtype::Withdrawal
            | Subtype::WireIn
            | Subtype::WireOut
            | Subtype::Internal
            | Subtype::Fx => {
                bars("quantity", self.quantity.is_some())?;
                bars("symbol", self.symbol.is_some())?;
            }
            Subtype::TransferIn | Subtype::TransferOut | Subtype::Opening | Subtype::Adjustment => {
                if self.symbol.is_some() {
                    needs("quantity", self.quantity.is_some())?;
                } else {
                    bars("quantity", self.quantity.is_some())?;
                    needs("amount", self.amount.is_some())?;
                }
            }
            _ if corporate => needs("symbol", self.symbol.is_some())?,
            _ => {}
        }
        if subtype == Subtype::Split {
            needs("ratio", self.ratio.is_some())?;
        } else if !matches!(subtype, Subtype::Merger | Subtype::SpinOff | Subtype::StockDividend) {
            bars("ratio", self.ratio.is_some())?;
        }
        let two_sided =
            matches!(subtype, Subtype::Merger | Subtype::SpinOff | Subtype::SymbolChange);
        if two_sided {
            needs("to_symbol", self.to_symbol.is_some())?;
        } else {
            bars("to_symbol", self.to_symbol.is_some())?;
        }
        if matches!(subtype, Subtype::Merger | Subtype::SpinOff) {
            needs("ratio", self.ratio.is_some() || self.quantity.is_some())?;
        } else {
            bars("cost_share", self.cost_share.is_some())?;
        }
        if matches!(subtype, Subtype::Split | Subtype::SymbolChange) {
            bars("quantity", self.quantity.is_some())?;
        }
        if self.to_account.is_some() && subtype.mirror().is_none() {
            return refuse("to_account", Why::NotHere(what));
        }
        if self.quantity.is_some_and(Dec::is_zero) {
            return refuse("quantity", Why::Zero(what));
        }
        Ok(())
    }

    /// The end of a right moves no cash by itself, its legs do; nor do securities that come, go or
    /// become others.
    const fn moves_no_cash(&self) -> bool {
        match self.what {
            EntryType::One(
                Subtype::Exercise
                | Subtype::Assignment
                | Subtype::Expiration
                | Subtype::Reward
                | Subtype::StockDividend
                | Subtype::Split
                | Subtype::Merger
                | Subtype::SpinOff
                | Subtype::SymbolChange,
            ) => true,
            EntryType::One(
                Subtype::TransferIn | Subtype::TransferOut | Subtype::Opening | Subtype::Adjustment,
            ) => self.symbol.is_some(),
            EntryType::One(_) | EntryType::Reinvest => false,
        }
    }

    /// Fee and tax together.
    fn charges(&self) -> Exact {
        let charged = |value: Option<Dec>| Exact::from(value.unwrap_or(Dec::ZERO));
        charged(self.fee).add(&charged(self.tax))
    }

    /// The row moves no cash but for its fee and tax, which nobody can pay with nothing: an amount
    /// of 0 says as much as none.
    pub(super) fn pays_charges_alone(&self) -> bool {
        let says_no_more =
            |amount: Dec| amount.is_zero() || Exact::from(amount).add(&self.charges()).is_zero();
        self.moves_no_cash() && self.amount.is_none_or(says_no_more)
    }

    /// The amount as given or as computed; a given one must agree with the other columns.
    fn amount_of(&self, subtype: Subtype) -> Result<Dec, Refusal> {
        if self.pays_charges_alone() {
            return self
                .charges()
                .neg()
                .round(28)
                .map_err(|_| Refusal { column: Column("amount"), why: Why::Overflow });
        }
        let is_trade = subtype.kind() == Kind::Trade;
        let moves_no_cash = self.moves_no_cash();
        let computed = match (self.quantity, self.price) {
            (Some(quantity), Some(price)) if is_trade || subtype.kind() == Kind::Income => {
                Some(self.compute(subtype, quantity, price)?)
            }
            _ => None,
        };
        match (self.amount, computed) {
            (Some(given), Some((computed, slack))) if !moves_no_cash => {
                let opposite = given.is_positive() && computed.is_negative()
                    || given.is_negative() && computed.is_positive();
                if is_trade && opposite {
                    let right = if computed.is_negative() { "negative" } else { "positive" };
                    return refuse(
                        "amount",
                        Why::Sign { amount: given, what: subtype.as_str(), right },
                    );
                }
                let off = Exact::from(given).sub(&Exact::from(computed)).abs();
                if off.cmp(&slack) == Ordering::Greater && !self.amount_stands {
                    return refuse("amount", Why::Disagrees { given, computed });
                }
                Ok(given)
            }
            (Some(given), None) if is_trade && !moves_no_cash => {
                let (wrong, right) = match subtype {
                    Subtype::Buy | Subtype::BuyToCover => (given.is_positive(), "negative"),
                    _ => (given.is_negative(), "positive"),
                };
                if wrong {
                    return refuse(
                        "amount",
                        Why::Sign { amount: given, what: subtype.as_str(), right },
                    );
                }
                Ok(given)
            }
            (Some(given), _) => Ok(given),
            (None, Some((computed, _))) => Ok(computed),
            (None, None) if is_trade => refuse("price", Why::Missing("a trade without an amount")),
            (None, None) => refuse("amount", Why::Missing(subtype.as_str())),
        }
    }

    /// The cash that quantity and price make, and how far a given amount may be off: half a minor
    /// unit and half a unit of the price's last digit.
    fn compute(
        &self,
        subtype: Subtype,
        quantity: Dec,
        price: Dec,
    ) -> Result<(Dec, Exact), Refusal> {
        let units = Exact::from(quantity).mul(&Exact::from(self.multiplier.unwrap_or(Dec::ONE)));
        let gross = units.mul(&Exact::from(price));
        let gross =
            if matches!(subtype, Subtype::Buy | Subtype::BuyToCover) { gross.neg() } else { gross };
        let amount = gross
            .sub(&self.charges())
            .round(12)
            .map_err(|_| Refusal { column: Column("amount"), why: Why::Overflow })?;
        // Zeros at the end of the price as written make it more exact, never less.
        let written = self.price_scale.max(price.inner().scale());
        let slack = Exact::half_unit(self.unit.currency.minor_units())
            .add(&units.mul(&Exact::half_unit(written)));
        Ok((amount, slack))
    }

    fn into_draft(self, subtype: Subtype, quantity: Option<Dec>, amount: Dec) -> Draft {
        let nonzero = |value: Option<Dec>| value.filter(|value| !value.is_zero());
        let filled = |text: Option<SafeText>| text.filter(|text| !text.is_empty());
        Draft {
            account: self.account,
            security: self.symbol,
            to_security: self.to_symbol,
            link: filled(self.link),
            source_id: filled(self.id),
            facts: Facts {
                date: self.date,
                settlement: self.settlement,
                subtype,
                status: self.status,
                quantity,
                price: self.price,
                fee: nonzero(self.fee),
                tax: nonzero(self.tax),
                currency: self.unit.currency,
                amount,
                fx_rate: self.fx_rate,
                multiplier: self.multiplier.filter(|&multiplier| multiplier != Dec::ONE),
                ratio: self.ratio,
                acquired: self.acquired,
                cost_share: self.cost_share,
                description: filled(self.description),
                category: filled(self.category),
                note: filled(self.note),
                quoted_in: (self.unit.per != 1).then(|| SafeText::new(self.unit.name)),
            },
        }
    }
}

/// What a transfer looks like from the other account: the opposite, less what was charged.
fn other_leg(first: &Draft, account: SafeText) -> Result<Draft, Refusal> {
    let mut leg = first.clone();
    let Some(mirror) = first.facts.subtype.mirror() else {
        return refuse("to_account", Why::NotHere(first.facts.subtype.as_str()));
    };
    leg.account = account;
    leg.facts.subtype = mirror;
    leg.facts.quantity = first.facts.quantity.map(|quantity| -quantity);
    let charged = |value: Option<Dec>| Exact::from(value.unwrap_or(Dec::ZERO));
    // What was charged left the first account and never came to the other.
    leg.facts.amount = Exact::from(first.facts.amount)
        .add(&charged(first.facts.fee))
        .add(&charged(first.facts.tax))
        .neg()
        .round(28)
        .map_err(|_| Refusal { column: Column("amount"), why: Why::Overflow })?;
    if check_amount_sign(mirror, leg.facts.amount).is_err() {
        return refuse("fee", Why::Other("more than the amount; nothing would arrive"));
    }
    leg.facts.fee = None;
    leg.facts.tax = None;
    leg.source_id = first.source_id.as_ref().map(second_id);
    Ok(leg)
}

/// The id of the second row that one row of a source stands for.
fn second_id(id: &SafeText) -> SafeText {
    SafeText::new(&format!("{id}#2"))
}

/// The sign that a type gives its amount; fees, taxes and interest go both ways.
fn check_amount_sign(subtype: Subtype, amount: Dec) -> Result<(), Refusal> {
    let what = subtype.as_str();
    let in_only = matches!(
        subtype,
        Subtype::Deposit
            | Subtype::WireIn
            | Subtype::TransferIn
            | Subtype::Dividend
            | Subtype::CapitalGain
            | Subtype::Distribution
            | Subtype::ReturnOfCapital
            | Subtype::Merger
            | Subtype::SpinOff
    );
    let out_only = matches!(
        subtype,
        Subtype::Withdrawal
            | Subtype::WireOut
            | Subtype::TransferOut
            | Subtype::Commission
            | Subtype::MarginInterest
            | Subtype::WithholdingTax
            | Subtype::OtherFee
    );
    let none_at_all = matches!(
        subtype,
        Subtype::Reward | Subtype::StockDividend | Subtype::Split | Subtype::SymbolChange
    );
    if in_only && amount.is_negative() {
        return refuse("amount", Why::Sign { amount, what, right: "cash that comes in, positive" });
    }
    if out_only && amount.is_positive() {
        return refuse("amount", Why::Sign { amount, what, right: "cash that goes out, negative" });
    }
    if none_at_all && !amount.is_zero() {
        return refuse("amount", Why::Other("this type moves no cash; leave it empty or 0"));
    }
    Ok(())
}
