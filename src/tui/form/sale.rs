//! A sale, with the days of the open lots that it may take: their quantities add up to what is sold.
//!
//! A sale names its lots by their day alone. Of several lots of one day it takes the first to come
//! first, so that there is one field for each day, not for each lot.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::field::{Field, Sort};
use super::row::unit;
use super::{Around, Fault, Fields, Sheet};
use crate::model::{
    AccountId, Change, Currency, Dec, Entry, EntryType, Exact, LotMethod, Mention, SafeText,
    SecurityId, Subtype,
};
use crate::state::{LotRow, PositionsQuery, Question, Slice};
use crate::tui::figure::figure;
use crate::tui::look::Look;

/// What the fields of the days of lots are called.
const LOT: &str = "acquired";

/// A sale out of a position.
#[derive(Debug)]
pub struct Sale {
    account: AccountId,
    name: SafeText,
    security: SecurityId,
    symbol: SafeText,
    method: LotMethod,
    mention: Option<Mention>,
    currency: Currency,
    lots: Vec<Lot>,
}

/// A lot, as far as a choice needs it.
#[derive(Debug)]
struct Lot {
    opened: NaiveDate,
    quantity: Dec,
    cost: Option<Dec>,
}

impl Sale {
    /// Of a security out of an account that follows a method.
    pub fn new(
        (account, name): (AccountId, SafeText),
        (security, symbol): (SecurityId, SafeText),
        method: LotMethod,
    ) -> Self {
        let (mention, currency, lots) = (None, Currency::USD, Vec::new());
        Self { account, name, security, symbol, method, mention, currency, lots }
    }

    /// Somebody can choose among the lots.
    const fn has_choice(&self) -> bool {
        !matches!(self.method, LotMethod::Average | LotMethod::Acb)
    }

    /// How much there is of each day.
    fn held(&self) -> ByDay {
        let mut held = ByDay::new();
        for lot in &self.lots {
            let sum = held.entry(lot.opened).or_insert(Dec::ZERO);
            *sum = add(*sum, lot.quantity);
        }
        held
    }

    /// The lots in the order in which the method takes them.
    fn order(&self) -> Vec<&Lot> {
        let mut order: Vec<&Lot> = self.lots.iter().collect();
        let each =
            |lot: &&Lot| Exact::from(lot.cost?).div_round(&Exact::from(lot.quantity), 12).ok();
        match self.method {
            LotMethod::Lifo => order.reverse(),
            // An unknown cost is the least of all; of equal ones the oldest goes first.
            LotMethod::Hifo => order.sort_by_key(|lot| std::cmp::Reverse(each(lot))),
            _ => {}
        }
        order
    }

    /// What the method takes of each day, beside the days that somebody fixed.
    fn proposed(&self, quantity: Dec, fixed: &ByDay) -> ByDay {
        let mut rest = quantity.checked_sub(sum(fixed)).unwrap_or(Dec::ZERO);
        let mut taken = fixed.clone();
        for lot in self.order() {
            if !fixed.contains_key(&lot.opened) {
                let part = lot.quantity.min(rest).max(Dec::ZERO);
                rest = rest.checked_sub(part).unwrap_or(Dec::ZERO);
                let day = taken.entry(lot.opened).or_insert(Dec::ZERO);
                *day = add(*day, part);
            }
        }
        taken
    }

    /// What is taken of each day.
    fn taken(&self, fields: &Fields) -> Result<ByDay, Fault> {
        let read = |(day, field): (NaiveDate, &Field)| match field.text() {
            text if text.is_empty() => Ok((day, Dec::ZERO)),
            text => match figure(&text) {
                Ok((part, _)) => Ok((day, part)),
                Err(error) => Err(Fault::in_field(LOT, error.to_string())),
            },
        };
        self.held().into_keys().zip(fields.named(LOT)).map(read).collect()
    }

    /// What somebody fixed.
    fn fixed(&self, fields: &Fields) -> ByDay {
        let typed = self.held().into_keys().zip(fields.named(LOT)).filter(|(_, it)| !it.auto);
        typed.filter_map(|(day, field)| Some((day, figure(&field.text()).ok()?.0))).collect()
    }

    /// Each day of lots and how many of them are sold; one part without a day where the method
    /// decides.
    fn parts(
        &self,
        fields: &Fields,
        quantity: Dec,
    ) -> Result<Vec<(Option<NaiveDate>, Dec)>, Fault> {
        let taken = self.taken(fields)?;
        let alone = vec![(None, quantity)];
        if !self.has_choice() || self.lots.is_empty() {
            return Ok(alone);
        }
        for ((day, held), part) in self.held().into_iter().zip(taken.values()) {
            if *part > held || part.is_negative() {
                let why = format!("there are {held} of {day}");
                return Err(Fault { field: None, why });
            }
        }
        if self.method != LotMethod::Specific {
            if taken == self.proposed(quantity, &ByDay::new()) {
                return Ok(alone);
            }
            let why = format!(
                "{} takes lots by {}; `e` on the account makes its method specific",
                self.name, self.method
            );
            return Err(Fault { field: None, why });
        }
        let sum = sum(&taken);
        if sum != quantity {
            let why = format!("the lots add up to {sum}, and {quantity} are sold");
            return Err(Fault { field: None, why });
        }
        let parts = taken.into_iter().filter(|(_, part)| !part.is_zero());
        Ok(parts.map(|(day, part)| (Some(day), part)).collect())
    }

    fn entries(&self, fields: &Fields) -> Result<Vec<Entry>, Fault> {
        let date = Fields::needed("date", fields.day("date"))?;
        let quantity = Fields::needed("quantity", fields.dec("quantity"))?;
        let unit = Fields::needed("currency", fields.read("currency", unit))?;
        let (price, scale) = fields.figure("price")?.unzip();
        let parts = self.parts(fields, quantity)?;
        let amount = match fields.get("amount") {
            Some(field) if !field.auto => fields.dec("amount")?,
            _ => None,
        };
        if parts.len() > 1 && amount.is_some() {
            let why = "lots of several days are several rows; leave it empty";
            return Err(Fault::in_field("amount", why));
        }
        let places = unit.currency.minor_units();
        let fees = shares(fields.dec("fee")?, &parts, quantity, places);
        let taxes = shares(fields.dec("tax")?, &parts, quantity, places);
        let what = EntryType::One(Subtype::Sell);
        let entry = |((acquired, quantity), (fee, tax))| Entry {
            symbol: self.mention.clone(),
            quantity: Some(quantity),
            price,
            price_scale: scale.unwrap_or(0),
            fee,
            tax,
            amount,
            acquired,
            ..Entry::new(self.name.clone(), date, what, unit)
        };
        let note = fields.words("note", SafeText::MAX_BYTES)?;
        let entries = parts.into_iter().zip(fees.into_iter().zip(taxes)).map(entry);
        Ok(entries.map(|it| Entry { note: note.clone(), ..it }).collect())
    }
}

impl Sheet for Sale {
    fn title(&self) -> String {
        format!("Sell {} out of {}", self.symbol, self.name)
    }

    fn question(&self, look: &Look) -> Option<Question> {
        let snapshot = look.snapshot.as_ref()?;
        let query = PositionsQuery {
            as_of: snapshot.today,
            today: snapshot.today,
            account: Some(self.account),
            currency: None,
            method: None,
            closed: false,
        };
        Some(Question::LotsOf(query, self.security))
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let Some(Slice::Lots(report)) = around.slice else { return None };
        let security = around.known.securities.iter().find(|it| it.id == self.security)?;
        self.currency = security.currency;
        self.mention = Some(security.mention());
        let long = |lot: &&LotRow| lot.quantity.is_positive();
        let lots = report.rows.iter().filter(long).map(|lot| Lot {
            opened: lot.opened,
            quantity: lot.quantity,
            cost: lot.cost,
        });
        self.lots = lots.collect();
        let mut fields = vec![
            Field::new("quantity", Sort::Amount).proposing(""),
            Field::new("price", Sort::Amount).called("price of one"),
            Field::new("fee", Sort::Amount),
            Field::new("date", Sort::Day).with(around.today.to_string()),
            Field::new("amount", Sort::Amount).proposing(""),
            Field::new("currency", Sort::Text).proposing(self.currency.code()),
            Field::new("tax", Sort::Amount),
        ];
        if self.has_choice() {
            let of = |day| Field::new(LOT, Sort::Amount).called(format!("of {day}")).proposing("");
            fields.extend(self.held().into_keys().map(of));
        }
        fields.push(Field::new("note", Sort::Text));
        Some(Fields::of(fields))
    }

    fn settle(&self, fields: &mut Fields) {
        let fixed = self.fixed(fields);
        let shown = |part: Dec| if part.is_zero() { String::new() } else { part.to_string() };
        let is_typed = fields.get("quantity").is_some_and(|field| !field.auto);
        let quantity = fields.dec("quantity").ok().flatten().filter(|_| is_typed);
        if let Some(quantity) = quantity.filter(|quantity| quantity.is_positive()) {
            let taken = self.proposed(quantity, &fixed).into_values();
            for (field, part) in fields.each_mut().filter(|it| it.name == LOT).zip(taken) {
                field.follow(&shown(part));
            }
        } else if let Some(field) = fields.get_mut("quantity").filter(|_| !is_typed) {
            field.follow(&shown(sum(&fixed)));
        }
        let cash = |fields: &Fields| -> Option<Dec> {
            let entries = self.entries(fields).ok()?.into_iter();
            let mut sum = Dec::ZERO;
            for entry in entries {
                let entry = Entry { amount: None, ..entry };
                sum = sum.checked_add(entry.check().ok()?.first.facts.amount)?;
            }
            Some(sum)
        };
        let amount = cash(fields).map(|amount| amount.to_string()).unwrap_or_default();
        if let Some(field) = fields.get_mut("amount") {
            field.follow(&amount);
        }
    }

    fn note(&self, _: &Fields) -> Option<String> {
        let held = self.held();
        let each = |lot: &Lot| {
            let each = lot.cost.map(Exact::from);
            let each = each.and_then(|it| it.div_round(&Exact::from(lot.quantity), 4).ok());
            let each = each.map(|each| format!(" @ {each}")).unwrap_or_default();
            format!("{} {}{each}", lot.opened, lot.quantity)
        };
        const MOST: usize = 3;
        let mut lots: Vec<_> = self.lots.iter().take(MOST).map(each).collect();
        if self.lots.len() > MOST {
            lots.push(format!("and {} more", self.lots.len() - MOST));
        }
        let how = match self.method {
            LotMethod::Specific if held.len() < self.lots.len() => {
                "the days you choose, of each its first lots first".to_owned()
            }
            LotMethod::Specific => "the lots you choose".to_owned(),
            method => format!("lots by {method}"),
        };
        Some(format!("{} held, {how}: {}", sum(&held), lots.join(", ")))
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let entries = self.entries(fields)?;
        for entry in &entries {
            entry.clone().check()?;
        }
        let change = |entry| Change::AddTransaction(Box::new(entry));
        Ok(entries.into_iter().map(change).collect())
    }

    fn done(&self) -> &'static str {
        "sold"
    }
}

/// A quantity for each day.
type ByDay = BTreeMap<NaiveDate, Dec>;

fn sum(parts: &ByDay) -> Dec {
    parts.values().fold(Dec::ZERO, |sum, part| add(sum, *part))
}

fn add(a: Dec, b: Dec) -> Dec {
    a.checked_add(b).unwrap_or(a)
}

/// A charge on all of it, parted by what each part sells; the last one has what is left.
fn shares(
    charge: Option<Dec>,
    parts: &[(Option<NaiveDate>, Dec)],
    quantity: Dec,
    places: u32,
) -> Vec<Option<Dec>> {
    let Some(charge) = charge else { return vec![None; parts.len()] };
    let mut left = charge;
    let mut shares = Vec::new();
    for (at, (_, part)) in parts.iter().enumerate() {
        let share = if at + 1 == parts.len() {
            left
        } else {
            let share = Exact::from(charge).mul(&Exact::from(*part));
            share.div_round(&Exact::from(quantity), places).unwrap_or(Dec::ZERO)
        };
        left = left.checked_sub(share).unwrap_or(left);
        shares.push(Some(share));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
    }

    fn sale(method: LotMethod) -> Sale {
        let mut sale = Sale::new(
            (AccountId(1), SafeText::new("A")),
            (SecurityId(1), SafeText::new("X")),
            method,
        );
        let lot = |(opened, quantity, cost): (u32, &str, Option<&str>)| Lot {
            opened: day(opened),
            quantity: dec(quantity),
            cost: cost.map(dec),
        };
        sale.lots = [(1, "10", Some("100")), (2, "5", Some("80")), (3, "5", None)].map(lot).into();
        sale
    }

    #[test]
    fn lots_are_proposed_as_the_method_takes_them() {
        let proposed = |method, quantity| {
            let taken = sale(method).proposed(dec(quantity), &ByDay::new());
            taken.values().map(Dec::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(proposed(LotMethod::Fifo, "12"), "10 2 0");
        assert_eq!(proposed(LotMethod::Lifo, "12"), "2 5 5");
        // 16 each, 10 each, unknown.
        assert_eq!(proposed(LotMethod::Hifo, "12"), "7 5 0");
        assert_eq!(proposed(LotMethod::Specific, "25"), "10 5 5", "no more than there is");
    }

    /// A stored sale can say no more than the day.
    #[test]
    fn lots_of_one_day_are_one_choice() {
        let mut sale = sale(LotMethod::Specific);
        let lot = |cost| Lot { opened: day(1), quantity: dec("10"), cost: Some(dec(cost)) };
        sale.lots = vec![lot("100"), lot("200")];
        assert_eq!(sale.held(), ByDay::from([(day(1), dec("20"))]));
        let field = |text: &str| Field::new(LOT, Sort::Amount).with(text);
        let parts = |text| {
            let fields = Fields::of(vec![field(text)]);
            sale.parts(&fields, dec("15")).map_err(|fault| fault.why)
        };
        assert_eq!(parts("15"), Ok(vec![(Some(day(1)), dec("15"))]));
        assert_eq!(parts("25"), Err("there are 20 of 2024-01-01".to_owned()));
        sale.method = LotMethod::Lifo;
        assert_eq!(sale.proposed(dec("15"), &ByDay::new()), ByDay::from([(day(1), dec("15"))]));
    }

    #[test]
    fn a_charge_is_parted_to_the_last_cent() {
        let parts = [(Some(day(1)), dec("1")), (Some(day(2)), dec("1")), (Some(day(3)), dec("1"))];
        let shares = shares(Some(dec("10")), &parts, dec("3"), 2);
        let shares: Vec<_> = shares.into_iter().flatten().map(|it| it.to_string()).collect();
        assert_eq!(shares, ["3.33", "3.33", "3.34"]);
    }
}
