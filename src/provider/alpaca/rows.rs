//! One activity, read, and what it is where it stands alone. Pure. An execution tells its own amount by
//! what was paid for how many; every other row tells what it did to the cash.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::America::New_York;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::field::{number, parse, text};
use super::symbols::{Named, Symbols, What};
use super::wire::Activity;
use crate::model::{Currency, Dec, Entry, EntryType, Exact, SafeText, Status, Subtype, Unit};

/// An activity, understood as far as it is the same for all.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub id: SafeText,
    /// What it is, and more exactly.
    pub kind: String,
    pub sub: String,
    pub date: NaiveDate,
    /// When it happened, or was written down, where that is told.
    pub at: Option<DateTime<Utc>>,
    pub created: Option<DateTime<Utc>>,
    pub named: Option<Named>,
    /// Signed: what came is positive. Never zero.
    pub quantity: Option<Dec>,
    pub price: Option<Dec>,
    pub net: Dec,
    pub group: Option<SafeText>,
    side: String,
    status: Status,
    description: Option<SafeText>,
    currency: Currency,
    account: SafeText,
    /// What is not understood of it.
    pub wrong: Option<String>,
    /// Why nothing of it counts but its cash.
    pub broken: Option<String>,
}

/// Rows, and what is not understood.
pub(super) type Read = (Vec<Entry>, Option<String>);

/// Reads an activity.
///
/// # Errors
/// When not even its day and what it did to the cash can be read.
pub(super) fn fact(
    raw: &RawValue,
    account: &SafeText,
    usual: Currency,
    symbols: &Symbols,
) -> Result<Fact, String> {
    let row: Activity = parse(raw)?;
    let id = text(row.id.as_ref()).ok_or("a row without an id")?;
    let named = |why: &str| format!("{id}: {why}");
    let word = |value: &Option<Value>| text(value.as_ref()).unwrap_or_default().into_string();
    let figure = |value: &Option<Value>, what: &str| match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(empty)) if empty.is_empty() => Ok(None),
        value => match number(value.as_ref()) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("its {what} is no number")),
        },
    };
    let currency = match text(row.currency.as_ref()) {
        None => usual,
        Some(code) => {
            Currency::parse(code.as_str()).map_err(|_| named("its currency is not known"))?
        }
    };
    let mut broken = None;
    let symbol = text(row.symbol.as_ref());
    let name = symbol.map(|symbol| symbols.name(&symbol, currency)).transpose();
    let name = readable(name, &mut broken);
    let quantity = readable(figure(&row.qty, "quantity"), &mut broken);
    let price = readable(figure(&row.price, "price"), &mut broken);
    let net = figure(&row.net_amount, "amount").map_err(|why| named(&why))?;
    let at = instant(row.transaction_time.as_ref());
    let created = instant(row.created_at.as_ref()).or(at);
    let is_coin = name.as_ref().is_some_and(Named::is_coin);
    let date = match (day(row.date.as_ref()), at.or(created)) {
        (Some(date), _) => date,
        (None, Some(at)) if is_coin => at.date_naive(),
        (None, Some(at)) => at.with_timezone(&New_York).date_naive(),
        (None, None) => return Err(named("it has no day")),
    };
    let (mut kind, mut sub) = (word(&row.kind), word(&row.sub));
    // Something that happened to a right is named as what happens to a share.
    if kind == "OPCA" {
        let whole = sub;
        let (first, rest) = whole.split_once('.').unwrap_or((whole.as_str(), ""));
        (kind, sub) = (first.to_owned(), rest.to_owned());
    }
    let mut wrong = None;
    let status = match word(&row.status).as_str() {
        "" | "executed" => Status::Settled,
        "canceled" => Status::Cancelled,
        "pending" => Status::Pending,
        "correct" => {
            wrong = Some("it corrects another row, and does not say which".to_owned());
            Status::Settled
        }
        other => {
            wrong = Some(format!("its status `{other}` is not known; it counts"));
            Status::Settled
        }
    };
    Ok(Fact {
        date,
        at,
        created,
        named: name,
        quantity: quantity.filter(|it| !it.is_zero()),
        price,
        net: net.unwrap_or(Dec::ZERO),
        group: text(row.group_id.as_ref()),
        side: word(&row.side),
        status,
        description: text(row.description.as_ref()),
        currency,
        account: account.clone(),
        kind,
        sub,
        wrong,
        broken,
        id: SafeText::capped(id.as_str(), SafeText::MAX_ID - 8),
    })
}

/// What cannot be read leaves the cash that can.
fn readable<T>(read: Result<Option<T>, String>, broken: &mut Option<String>) -> Option<T> {
    read.unwrap_or_else(|why| {
        broken.get_or_insert(why);
        None
    })
}

fn instant(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let text = text(value)?;
    Some(DateTime::parse_from_rfc3339(text.as_str()).ok()?.to_utc())
}

/// A day, with or without a midnight behind it.
fn day(value: Option<&Value>) -> Option<NaiveDate> {
    text(value)?.as_str().get(..10)?.parse().ok()
}

impl Fact {
    /// What it is called, for a message.
    pub fn what(&self) -> String {
        match self.sub.is_empty() {
            true => self.kind.clone(),
            false => format!("{}/{}", self.kind, self.sub),
        }
    }

    /// Before all that is done on its day.
    pub fn day_begins(&self) -> DateTime<Utc> {
        self.date.and_time(NaiveTime::MIN).and_utc()
    }

    /// Its place among the rows of its day: an execution when it was, what comes before them all, and
    /// what goes, or ends, after them.
    pub fn moment(&self) -> DateTime<Utc> {
        let goes = self.quantity.is_some_and(Dec::is_negative) || self.kind.starts_with("OP");
        let midnight = self.date.and_time(NaiveTime::MIN);
        let ends =
            (midnight + TimeDelta::days(1) - TimeDelta::seconds(1)).and_local_timezone(New_York);
        match (self.at, goes) {
            (Some(at), _) => at,
            (None, true) => ends.earliest().map_or(self.day_begins(), |at| at.to_utc()),
            (None, false) => self.day_begins(),
        }
    }

    /// A row of it, with nothing but what every one has.
    pub fn row(&self, what: Subtype) -> Entry {
        let said = SafeText::new(&self.what());
        Entry {
            id: Some(self.id.clone()),
            status: self.status,
            description: Some(self.description.clone().unwrap_or(said)),
            amount_stands: true,
            ..Entry::new(
                self.account.clone(),
                self.date,
                EntryType::One(what),
                Unit::from(self.currency),
            )
        }
    }

    /// One that moves cash alone.
    pub fn cash(&self, what: Subtype) -> Entry {
        Entry { amount: Some(self.net), ..self.row(what) }
    }

    /// The same with the security that it is about.
    fn of_security(&self, what: Subtype) -> Entry {
        Entry { symbol: self.named.as_ref().map(|it| it.mention.clone()), ..self.cash(what) }
    }

    /// One that moves securities.
    pub fn units(&self, what: Subtype, amount: Dec) -> Entry {
        let quantity =
            self.quantity.map(|it| if what.quantity_is_signed() { it } else { it.abs() });
        Entry {
            quantity,
            multiplier: self.named.as_ref().and_then(Named::multiplier),
            amount: Some(amount),
            ..self.of_security(what)
        }
    }

    fn priced(&self, entry: Entry) -> Entry {
        let scale = self.price.map_or(0, |price| price.inner().scale());
        Entry { price: self.price, price_scale: scale, ..entry }
    }

    /// An execution, which does not say what it did to the cash.
    pub fn is_fill(&self) -> bool {
        self.kind == "FILL"
    }

    /// Whether rows do to the cash what it is said to have done.
    pub fn comes_to(&self, rows: &[Entry]) -> bool {
        let amounts = rows.iter().filter_map(|row| row.amount);
        let sum = amounts.fold(Exact::ZERO, |sum, it| sum.add(&Exact::from(it)));
        self.is_fill() || sum.sub(&Exact::from(self.net)).is_zero()
    }

    /// What it is where it stands alone.
    pub fn rows(&self) -> Read {
        if let Some(why) = &self.broken {
            return self.unknown(why);
        }
        let one = |entry: Entry| (vec![entry], None);
        let (comes, net) = (!self.net.is_negative(), self.net);
        let goes_out = self.quantity.is_some_and(Dec::is_negative);
        let fee = |what: Subtype| match net.is_positive() {
            // Only this one may be paid back.
            true => one(self.cash(Subtype::AccountFee)),
            false => one(self.cash(what)),
        };
        match (self.kind.as_str(), self.sub.as_str()) {
            ("FILL", _) => self.fill(),
            ("CFEE", _) => self.fee_in_coins(),
            ("OPEXC" | "OPXRC", _) => one(self.units(Subtype::Exercise, Dec::ZERO)),
            ("OPASN", _) => one(self.units(Subtype::Assignment, Dec::ZERO)),
            ("OPEXP", _) => one(self.units(Subtype::Expiration, Dec::ZERO)),
            ("OPTRD", _) => {
                let what = if goes_out { Subtype::Sell } else { Subtype::Buy };
                one(self.units(what, net))
            }
            ("OPCSH", _) => {
                let why = "cash of a right that was used and stands for more than shares";
                (vec![self.cash(Subtype::Distribution)], Some(why.to_owned()))
            }
            ("CSD" | "CSW" | "TRANS", _) => {
                one(self.cash(if comes { Subtype::Deposit } else { Subtype::Withdrawal }))
            }
            ("JNL" | "JNLC" | "JNLS" | "ACATC" | "ACATS" | "FOPT" | "OCT", _) => self.transfer(),
            ("DIV", "SDIV") if goes_out => {
                self.unknown("shares of a dividend are owed, or taken back")
            }
            ("DIV", "SDIV") => one(self.units(Subtype::StockDividend, Dec::ZERO)),
            ("DIV", "ROC") | ("DIVROC", _) if comes => {
                one(self.of_security(Subtype::ReturnOfCapital))
            }
            // Who is short pays it.
            ("DIV", "SPD") if !comes => one(self.cash(Subtype::OtherFee)),
            ("DIV", "" | "CDIV" | "SPD") | ("DIVTXEX", _) => match comes {
                true => one(self.of_security(Subtype::Dividend)),
                false => {
                    let why = "a dividend is taken back";
                    (vec![self.cash(Subtype::Adjustment)], Some(why.to_owned()))
                }
            },
            ("DIVCGL" | "DIVCGS" | "CGD", _) if comes => {
                one(self.of_security(Subtype::CapitalGain))
            }
            ("INT", "MGN") if !comes => one(self.cash(Subtype::MarginInterest)),
            ("INT" | "SWP" | "QII" | "FI" | "FPSL", _) => {
                one(self.cash(if comes { Subtype::Interest } else { Subtype::MarginInterest }))
            }
            ("DIVNRA" | "DIVFT" | "DIVTW" | "DIVWH" | "INTNRA" | "INTTW" | "WH", _) => {
                match net.is_positive() {
                    false => one(self.of_security(Subtype::WithholdingTax)),
                    true => {
                        let why = "a tax that was withheld is paid back";
                        (vec![self.cash(Subtype::Adjustment)], Some(why.to_owned()))
                    }
                }
            }
            ("FEE", "COM" | "NRC" | "NRV") => fee(Subtype::Commission),
            ("FEE" | "DIVFEE" | "PTC" | "PTR", _) => fee(Subtype::OtherFee),
            ("CSR" | "SUB" | "MEM", _) if !net.is_zero() => fee(Subtype::OtherFee),
            ("REORG", "" | "WRM") | ("FIMAT", _) if goes_out => one(self.units(Subtype::Sell, net)),
            // An offer takes as many as were tendered, which a merger of all that is held would not.
            ("VOF", _) if self.quantity.is_some() && self.named.is_some() && net.is_zero() => {
                let what = if goes_out { Subtype::TransferOut } else { Subtype::TransferIn };
                let why =
                    "an offer that was taken; what was given for what is not told, nor its cost";
                (vec![self.units(what, net)], Some(why.to_owned()))
            }
            ("FXCNV" | "FXTRD", _) => one(self.cash(Subtype::Fx)),
            _ => self.unknown("what this is, is not known"),
        }
    }

    /// What it did to the cash, and nothing that nobody said.
    pub fn unknown(&self, why: &str) -> Read {
        let kind = self.what();
        let said = self.description.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        let description = Some(SafeText::new(&format!("{kind}{said}")));
        let left = match (self.is_fill(), self.quantity.is_some()) {
            (true, _) => "what it did to the cash and to what is held is missing",
            (false, true) => "what it did to the cash is kept; how many are held may differ by it",
            (false, false) => "what it did to the cash is kept",
        };
        let why = format!("{kind}: {why}; {left}");
        (vec![Entry { description, ..self.cash(Subtype::Unknown) }], Some(why))
    }

    /// An execution: all that is told is how many, at what price.
    fn fill(&self) -> Read {
        let what = match self.side.as_str() {
            "buy" => Subtype::Buy,
            "sell" => Subtype::Sell,
            "sell_short" => Subtype::ShortSell,
            _ => return self.unknown("whether it bought or sold is not told"),
        };
        let (Some(named), Some(quantity), Some(price)) = (&self.named, self.quantity, self.price)
        else {
            return self.unknown("an execution needs a symbol, a quantity and a price");
        };
        let What::Coin { paid_in: Some(paid) } = &named.what else {
            let row = Entry { amount: None, ..self.units(what, Dec::ZERO) };
            return (vec![self.priced(row)], None);
        };
        // Coins for coins: what either cost in money nobody tells.
        let paid_for = Exact::from(quantity.abs()).mul(&Exact::from(price));
        let Ok(paid_for) = paid_for.round(28) else {
            return self.unknown("its figures have too many digits");
        };
        let (came, went) = match what {
            Subtype::Buy => (quantity.abs(), -paid_for),
            _ => (-quantity.abs(), paid_for),
        };
        let link = Some(self.id.clone());
        let row = self.units(Subtype::Adjustment, Dec::ZERO);
        let first = Entry { quantity: Some(came), link: link.clone(), ..row.clone() };
        let id = Some(SafeText::new(&format!("{}/2", self.id)));
        let (symbol, quantity) = (Some(paid.clone()), Some(went));
        let second = Entry { symbol, quantity, link, id, ..row };
        let why = "coins were paid for with coins; what they cost in money is not told";
        (vec![first, second], Some(why.to_owned()))
    }

    /// A charge in coins is a sale of them that paid it.
    fn fee_in_coins(&self) -> Read {
        if self.quantity.is_some_and(Dec::is_positive) {
            return self.unknown("coins that come are no charge");
        }
        let paid = self.quantity.zip(self.price).map(|(quantity, price)| {
            Exact::from(quantity.abs()).mul(&Exact::from(price)).round(28)
        });
        match paid {
            Some(Ok(paid)) if self.named.is_some() && paid.is_positive() => {
                let link = Some(self.id.clone());
                let sale = self.priced(self.units(Subtype::Sell, paid));
                let sale = Entry { link: link.clone(), ..sale };
                let id = Some(SafeText::new(&format!("{}/2", self.id)));
                let fee = Entry {
                    id,
                    link,
                    amount: Some(-paid),
                    symbol: None,
                    ..self.row(Subtype::Commission)
                };
                (vec![sale, fee], None)
            }
            _ if self.named.is_some() && self.quantity.is_some() => {
                let why = "a charge in coins without a price; what it cost in money is not told";
                (vec![self.units(Subtype::Adjustment, Dec::ZERO)], Some(why.to_owned()))
            }
            _ => self.unknown("a charge in coins without a quantity"),
        }
    }

    /// Cash or securities from or to elsewhere. The price is that of the day, and no cost.
    fn transfer(&self) -> Read {
        let of = |comes: bool| if comes { Subtype::TransferIn } else { Subtype::TransferOut };
        match (self.quantity.filter(|_| self.named.is_some()), self.net.is_zero()) {
            (Some(quantity), true) => {
                (vec![self.units(of(!quantity.is_negative()), Dec::ZERO)], None)
            }
            (None, _) if self.quantity.is_none() => {
                (vec![self.cash(of(!self.net.is_negative()))], None)
            }
            _ => self.unknown("it moves cash and securities at once"),
        }
    }
}
