//! One activity, read as the rows that it is. Pure.
//!
//! An activity has legs: what it charged, what happened to the cash (told once, in the net amount),
//! and securities. The direction of a leg is its sign and nothing else. Several legs of one security
//! at one price are one; legs of several securities are several rows of one event.

use chrono::{DateTime, Utc};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::RemoteRow;
use super::super::field::{number, parse, text};
use super::wire::{Item, Row, When, when};
use crate::model::{
    Currency, Dec, Entry, EntryType, Exact, Mention, Ratio, SafeText, Status, Subtype, Unit,
};

/// A journal entry that takes no more than this is a charge.
const TINY: i64 = 5;

/// What an activity is.
#[derive(Debug)]
pub(super) struct Told {
    /// No row, one, or several.
    pub rows: Vec<RemoteRow>,
    /// What could not be understood: all that is kept of it is what it did to the cash.
    pub wrong: Option<String>,
}

/// Reads an activity.
///
/// # Errors
/// When not even its day and what it did to the cash can be read, with its number.
pub(super) fn read(raw: &RawValue, account: &SafeText) -> Result<Told, String> {
    let row: Row = parse(raw)?;
    let id = text(row.activity_id.as_ref()).ok_or("a row without a number")?;
    let id = SafeText::capped(id.as_str(), SafeText::MAX_ID - 8);
    let named = |why: String| format!("{id}: {why}");
    let activity = Activity::of(&row, id.clone(), account).map_err(named)?;
    let (at, cash_alone) = (activity.at, activity.cash_alone());
    let (entries, wrong) = match activity.with_legs(&row).and_then(Activity::entries) {
        Ok(entries) => (entries, None),
        Err(why) => match cash_alone {
            Some(entry) => (vec![entry], Some(named(why))),
            None => return Err(named(why)),
        },
    };
    let rows = entries.into_iter().map(|row| RemoteRow { at, row }).collect();
    Ok(Told { rows, wrong })
}

/// An activity, understood as far as it is the same for all.
struct Activity {
    id: SafeText,
    account: SafeText,
    kind: String,
    status: Status,
    when: When,
    /// When it happened, for the order within a day.
    at: DateTime<Utc>,
    settlement: Option<When>,
    description: Option<SafeText>,
    /// The same in capital letters, to look for words in.
    words: String,
    net: Option<Dec>,
    /// What it charged altogether.
    charged: Exact,
    legs: Vec<Leg>,
    /// What went into the place where cash is kept over night, or came from there.
    swept: bool,
}

/// What happened to one security.
struct Leg {
    mention: Mention,
    is_option: bool,
    multiplier: Option<Dec>,
    /// Signed: what came is positive.
    quantity: Dec,
    price: Option<Dec>,
    /// Signed: what was received is positive.
    cost: Exact,
    opens: bool,
}

impl Activity {
    fn of(row: &Row, id: SafeText, account: &SafeText) -> Result<Self, String> {
        let happened = when(row.time.as_ref());
        // A trade has its day in New York, whatever the clock of its placeholder says.
        let day = when(row.trade_date.as_ref()).or(happened);
        let settlement = when(row.settlement_date.as_ref());
        let when = day.or(settlement).ok_or("it has no day")?;
        let description = text(row.description.as_ref());
        let words = description.as_ref().map(|it| it.as_str().to_uppercase()).unwrap_or_default();
        let word = |value: &Option<Value>| text(value.as_ref()).unwrap_or_default().into_string();
        let status = match word(&row.status).as_str() {
            "PENDING" => Status::Pending,
            "INVALID" => Status::Failed,
            _ => Status::Settled,
        };
        let net = match &row.net_amount {
            None | Some(Value::Null) => None,
            value => Some(number(value.as_ref()).ok_or("its amount is no number")?),
        };
        Ok(Self {
            id,
            account: account.clone(),
            kind: word(&row.kind),
            status,
            when,
            at: happened.map_or(when.at, |it| it.at),
            settlement,
            description,
            words,
            net,
            charged: Exact::ZERO,
            legs: Vec::new(),
            swept: false,
        })
    }

    fn with_legs(mut self, row: &Row) -> Result<Self, String> {
        let items: Vec<Item> = match &row.transfer_items {
            Some(items) => parse(items)?,
            None => Vec::new(),
        };
        for item in &items {
            self.take(item)?;
        }
        Ok(self)
    }

    /// All that is sure where the rest is not understood.
    fn cash_alone(&self) -> Option<Entry> {
        let entry = Entry { amount: Some(self.net?), ..self.row(Subtype::Unknown) };
        entry.clone().check().is_ok().then_some(entry)
    }

    /// Takes a leg in.
    fn take(&mut self, item: &Item) -> Result<(), String> {
        let figure = |value: &Option<Value>, what: &str| match value {
            None | Some(Value::Null) => Ok(None),
            value => match number(value.as_ref()) {
                Some(number) => Ok(Some(number)),
                None => Err(format!("the {what} of a leg is no number")),
            },
        };
        let (amount, cost) = (figure(&item.amount, "amount")?, figure(&item.cost, "cost")?);
        if text(item.fee_type.as_ref()).is_some() {
            let size = cost.map(|cost| -cost).or(amount).unwrap_or(Dec::ZERO);
            self.charged = self.charged.add(&Exact::from(size));
            return Ok(());
        }
        let Some(instrument) = &item.instrument else { return Ok(()) };
        if instrument.is_cash() {
            self.swept |= !instrument.is_money() && amount.is_some_and(|amount| !amount.is_zero());
            return Ok(());
        }
        let Some(quantity) = amount.filter(|amount| !amount.is_zero()) else { return Ok(()) };
        let (mention, price) = (instrument.mention()?, figure(&item.price, "price")?);
        let cost = Exact::from(cost.unwrap_or(Dec::ZERO));
        let effect = text(item.position_effect.as_ref());
        let opens = effect.is_some_and(|effect| effect.as_str() == "OPENING");
        // In a split the two directions tell the ratio.
        let is_trade = self.kind == "TRADE";
        let same = |leg: &&mut Leg| is_trade && leg.mention == mention && leg.price == price;
        match self.legs.iter_mut().find(same) {
            Some(leg) => {
                let sum = leg.quantity.checked_add(quantity);
                leg.quantity = sum.ok_or("its quantities have too many digits")?;
                leg.cost = leg.cost.add(&cost);
            }
            None => self.legs.push(Leg {
                is_option: instrument.is_option(),
                multiplier: instrument.multiplier(),
                mention,
                quantity,
                price,
                cost,
                opens,
            }),
        }
        Ok(())
    }

    /// The rows that it is; each of them can be stored.
    fn entries(mut self) -> Result<Vec<Entry>, String> {
        self.legs.retain(|leg| !leg.quantity.is_zero());
        // Rows are known by their place, and the service tells legs in any order.
        let order = |leg: &Leg| {
            (leg.mention.symbol.clone(), leg.price, leg.quantity.is_negative(), leg.quantity)
        };
        self.legs.sort_by_key(order);
        let mut rows = match (self.kind.as_str(), self.legs.is_empty()) {
            ("TRADE" | "MONEY_MARKET", false) => self.trade()?,
            ("TRADE", true) => self.trade_of_nothing()?,
            ("MONEY_MARKET", true) => vec![self.sweep()],
            (_, false) if !self.is_note() => self.received()?,
            _ => self.cash().into_iter().collect(),
        };
        if rows.len() > 1 {
            for (at, row) in rows.iter_mut().enumerate() {
                row.link = Some(self.id.clone());
                if at > 0 {
                    row.id = Some(SafeText::new(&format!("{}/{}", self.id, at + 1)));
                }
            }
        }
        for row in &rows {
            row.clone().check().map_err(|refusal| refusal.to_string())?;
        }
        Ok(rows)
    }

    fn row(&self, what: Subtype) -> Entry {
        Entry {
            id: Some(self.id.clone()),
            status: self.status,
            description: self.description.clone(),
            settlement: self.settlement.map(|it| it.date),
            amount_stands: true,
            ..Entry::new(
                self.account.clone(),
                self.when.date,
                EntryType::One(what),
                Unit::from(Currency::USD),
            )
        }
    }

    /// A row of a leg, without what it did to the cash.
    fn row_of(&self, what: Subtype, leg: &Leg) -> Entry {
        Entry {
            symbol: Some(leg.mention.clone()),
            quantity: Some(leg.quantity.abs()),
            multiplier: leg.multiplier,
            amount: Some(Dec::ZERO),
            ..self.row(what)
        }
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.words.contains(word))
    }

    /// What the cash changed by: as told, else as the legs say.
    fn net(&self) -> Result<Dec, String> {
        if let Some(net) = self.net {
            return Ok(net);
        }
        let sum = self.legs.iter().fold(self.charged.neg(), |sum, leg| sum.add(&leg.cost));
        sum.round(28).map_err(|_| "its figures have too many digits".to_owned())
    }

    /// Securities for cash. What ended at no price is a right: its cash is that of the other leg.
    fn trade(&self) -> Result<Vec<Entry>, String> {
        let is_end =
            |leg: &Leg| leg.is_option && leg.cost.is_zero() && leg.price.is_none_or(Dec::is_zero);
        let main = self.legs.iter().position(|leg| !is_end(leg));
        let mut rest = Exact::from(self.net()?);
        for (at, leg) in self.legs.iter().enumerate() {
            if Some(at) != main {
                rest = rest.sub(&leg.cost);
            }
        }
        let exact = |value: &Exact| {
            value.round(28).map_err(|_| "its figures have too many digits".to_owned())
        };
        let mut rows = Vec::new();
        for (at, leg) in self.legs.iter().enumerate() {
            if is_end(leg) {
                rows.push(self.row_of(self.end_of(leg), leg));
                continue;
            }
            let what = match (leg.quantity.is_negative(), leg.opens) {
                (false, false) if leg.is_option => Subtype::BuyToCover,
                (false, _) => Subtype::Buy,
                (true, true) => Subtype::ShortSell,
                (true, false) => Subtype::Sell,
            };
            let is_main = Some(at) == main;
            let fee = exact(&self.charged)?;
            rows.push(Entry {
                price: leg.price,
                price_scale: leg.price.map_or(0, |price| price.inner().scale()),
                fee: Some(fee).filter(|fee| is_main && !fee.is_zero()),
                amount: Some(exact(if is_main { &rest } else { &leg.cost })?),
                ..self.row_of(what, leg)
            });
        }
        // Rights that ended alone: what that cost, or was settled with, has no row yet.
        let rest = exact(&rest)?;
        if main.is_none() && !rest.is_zero() {
            rows.push(Entry { amount: Some(rest), ..self.row(self.charge_or_unknown(rest)) });
        }
        Ok(rows)
    }

    /// A trade of no security: between cash and where it is kept, or what is left is a charge.
    fn trade_of_nothing(&self) -> Result<Vec<Entry>, String> {
        let net = self.net()?;
        Ok(match (self.swept, net.is_zero()) {
            (true, _) => vec![self.sweep()],
            (false, true) => Vec::new(),
            (false, false) => {
                vec![Entry { amount: Some(net), ..self.row(self.charge_or_unknown(net)) }]
            }
        })
    }

    /// What cash is that no security was traded for.
    fn charge_or_unknown(&self, net: Dec) -> Subtype {
        match net.is_negative() && !self.charged.is_zero() {
            true => Subtype::Commission,
            false => Subtype::Unknown,
        }
    }

    /// What moves between cash and where it is kept over night is cash before and after.
    fn sweep(&self) -> Entry {
        let moved = self.net.filter(|net| !net.is_zero());
        let said = self.description.as_ref().map_or("Sweep", SafeText::as_str);
        let said = moved.map_or(said.to_owned(), |moved| format!("{said} ({} USD)", moved.abs()));
        let description = Some(SafeText::new(&said));
        Entry { amount: Some(Dec::ZERO), description, ..self.row(Subtype::Internal) }
    }

    /// How a right ends: by its words, else by its side.
    fn end_of(&self, leg: &Leg) -> Subtype {
        if self.says(&["EXPIR"]) {
            Subtype::Expiration
        } else if self.says(&["ASSIGN"]) {
            Subtype::Assignment
        } else if self.says(&["EXERCISE"]) {
            Subtype::Exercise
        } else if self.kind != "TRADE" {
            Subtype::Expiration
        } else if leg.quantity.is_positive() {
            // What was written is gone.
            Subtype::Assignment
        } else {
            Subtype::Exercise
        }
    }

    /// Securities that come, go or become others, without a price.
    fn received(&self) -> Result<Vec<Entry>, String> {
        let net = self.net.unwrap_or(Dec::ZERO);
        let mut rows = match self.split()? {
            Some(row) => vec![row],
            None => {
                let is_income = self.kind == "DIVIDEND_OR_INTEREST";
                let leg = |leg: &Leg| {
                    let what = match (leg.is_option, leg.quantity.is_negative()) {
                        (true, _) if leg.price.is_none_or(Dec::is_zero) => self.end_of(leg),
                        (_, true) => Subtype::TransferOut,
                        (_, false) if is_income => Subtype::StockDividend,
                        (_, false) => Subtype::TransferIn,
                    };
                    self.row_of(what, leg)
                };
                self.legs.iter().map(leg).collect()
            }
        };
        match self.kind.as_str() {
            _ if net.is_zero() => {}
            // Its cash came for what was delivered: it is no transfer of money.
            "RECEIVE_AND_DELIVER" | "JOURNAL" => {
                rows.push(Entry { amount: Some(net), ..self.row(Subtype::Unknown) });
            }
            _ => rows.extend(self.cash()),
        }
        Ok(rows)
    }

    /// A split, where it is one: two legs of one security in opposite directions, or the words say so.
    /// Where the ratio is not told the units come, or go, by themselves.
    fn split(&self) -> Result<Option<Entry>, String> {
        let too_long = || "its figures have too many digits".to_owned();
        if let [one, other] = self.legs.as_slice()
            && one.mention == other.mention
            && one.quantity.is_negative() != other.quantity.is_negative()
        {
            let (old, new) = if one.quantity.is_negative() { (one, other) } else { (other, one) };
            let ratio = Ratio::new(new.quantity, old.quantity.abs()).ok_or_else(too_long)?;
            return Ok(Some(self.split_row(one, ratio)));
        }
        let ([leg], true) = (self.legs.as_slice(), self.says(&["SPLIT"])) else { return Ok(None) };
        if let Some(ratio) = ratio_in(&self.words) {
            return Ok(Some(self.split_row(leg, ratio)));
        }
        Ok(Some(match leg.quantity.is_positive() {
            true => self.row_of(Subtype::StockDividend, leg),
            false => {
                let signed = Some(leg.quantity);
                Entry { quantity: signed, ..self.row_of(Subtype::Adjustment, leg) }
            }
        }))
    }

    fn split_row(&self, leg: &Leg, ratio: Ratio) -> Entry {
        let row = self.row_of(Subtype::Split, leg);
        Entry { quantity: None, multiplier: None, ratio: Some(ratio), ..row }
    }

    /// Cash by itself; none: nothing happened to it.
    fn cash(&self) -> Option<Entry> {
        let net = self.net.unwrap_or(Dec::ZERO);
        let what = self.cash_event(net)?;
        let symbol = self.legs.first().map(|leg| leg.mention.clone());
        let takes_symbol = matches!(
            what,
            Subtype::Dividend | Subtype::Interest | Subtype::WithholdingTax | Subtype::Tax
        );
        let row = self.row(what);
        Some(Entry { amount: Some(net), symbol: symbol.filter(|_| takes_symbol), ..row })
    }

    /// Something that is only written down, and moves nothing.
    fn is_note(&self) -> bool {
        matches!(self.kind.as_str(), "SMA_ADJUSTMENT" | "MEMORANDUM" | "MARGIN_CALL")
            && self.net.is_none_or(Dec::is_zero)
    }

    fn cash_event(&self, net: Dec) -> Option<Subtype> {
        let comes = !net.is_negative();
        Some(match self.kind.as_str() {
            _ if self.is_note() => return None,
            "DIVIDEND_OR_INTEREST" => self.income(comes),
            "ACH_RECEIPT" | "CASH_RECEIPT" | "ACH_DISBURSEMENT" | "CASH_DISBURSEMENT"
            | "ELECTRONIC_FUND" => match comes {
                true => Subtype::Deposit,
                false => Subtype::Withdrawal,
            },
            "WIRE_IN" | "WIRE_OUT" => match comes {
                true => Subtype::WireIn,
                false => Subtype::WireOut,
            },
            "JOURNAL" if self.says(&["TRF FUNDS FRM TYPE", "TRF FUNDS TO TYPE"]) => {
                Subtype::Internal
            }
            "JOURNAL" if !comes && self.is_charge(net) => Subtype::OtherFee,
            "JOURNAL" | "RECEIVE_AND_DELIVER" => match comes {
                true => Subtype::TransferIn,
                false => Subtype::TransferOut,
            },
            _ => Subtype::Unknown,
        })
    }

    fn income(&self, comes: bool) -> Subtype {
        if self.says(&["NRA TAX", "FOREIGN TAX", "WITHHOLD"]) {
            return if comes { Subtype::Tax } else { Subtype::WithholdingTax };
        }
        if self.says(&["MARGIN INT"]) {
            return if comes { Subtype::Interest } else { Subtype::MarginInterest };
        }
        let is_interest = self.says(&["SCHWAB1 INT", "BANK INT", "CREDIT INTEREST"])
            || interest_of_days(&self.words);
        match (is_interest, comes) {
            (true, _) => Subtype::Interest,
            (false, true) => Subtype::Dividend,
            // A dividend that is taken back, or owed by who sold short.
            (false, false) => Subtype::Unknown,
        }
    }

    /// Whether a journal entry takes a charge: it says so, or it takes next to nothing for a security
    /// that is only named.
    fn is_charge(&self, net: Dec) -> bool {
        let is_tiny =
            net.abs() <= Dec::from_i64(TINY) && !self.says(&["TRF", "TRANSFER", "JOURNAL"]);
        let names_adr = self.words.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ADR");
        self.says(&["STOCK BORROW FEE"]) || names_adr || (is_tiny && !self.words.is_empty())
    }
}

/// ` INT 08/16-09/15`.
fn interest_of_days(words: &str) -> bool {
    words.match_indices(" INT ").any(|(at, found)| {
        let rest = words.get(at + found.len()..).unwrap_or_default();
        let shape: String =
            rest.chars().take(11).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape == "00/00-00/00"
    })
}

/// `4:1`, `4 FOR 1` or `4-FOR-1`.
fn ratio_in(words: &str) -> Option<Ratio> {
    let words = words.replace(':', " FOR ").replace('-', " ");
    let words: Vec<_> = words.split_whitespace().collect();
    words.windows(3).find_map(|three| match three {
        [new, "FOR", old] => Ratio::new(Dec::parse(new).ok()?, Dec::parse(old).ok()?),
        _ => None,
    })
}
