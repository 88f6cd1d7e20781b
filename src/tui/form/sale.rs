//! A sale, with the open lots that it may take: their quantities add up to what is sold.

use chrono::NaiveDate;

use super::field::{Field, Sort};
use super::row::unit;
use super::{Around, Fault, Fields, Sheet};
use crate::model::{
    AccountId, Change, Currency, Dec, Entry, EntryType, Exact, LotMethod, Mention, SafeText,
    SecurityId, Subtype,
};
use crate::state::{LotRow, PositionsQuery, Question, Slice};
use crate::tui::look::Look;

/// What the fields of lots are called.
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

    /// The places of the lots in the order in which the method takes them.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        let each = |at: &usize| {
            let lot = self.lots.get(*at)?;
            Exact::from(lot.cost?).div_round(&Exact::from(lot.quantity), 12).ok()
        };
        match self.method {
            LotMethod::Lifo => order.reverse(),
            // An unknown cost is the least of all; of equal ones the oldest goes first.
            LotMethod::Hifo => order.sort_by_key(|at| std::cmp::Reverse(each(at))),
            _ => {}
        }
        order
    }

    /// What the method takes of each lot, beside those that somebody fixed.
    fn proposed(&self, quantity: Dec, fixed: &[Option<Dec>]) -> Vec<Dec> {
        let sum = fixed.iter().flatten().fold(Dec::ZERO, |sum, it| add(sum, *it));
        let mut rest = quantity.checked_sub(sum).unwrap_or(Dec::ZERO);
        let mut taken: Vec<Dec> = fixed.iter().map(|it| it.unwrap_or(Dec::ZERO)).collect();
        for at in self.order() {
            if let (Some(lot), Some(None), Some(part)) =
                (self.lots.get(at), fixed.get(at), taken.get_mut(at))
            {
                *part = lot.quantity.min(rest).max(Dec::ZERO);
                rest = rest.checked_sub(*part).unwrap_or(Dec::ZERO);
            }
        }
        taken
    }

    /// What is taken of each lot.
    fn taken(fields: &Fields) -> Result<Vec<Dec>, Fault> {
        let texts = fields.named(LOT).map(Field::text);
        let read = |text: String| match text.is_empty() {
            true => Ok(Dec::ZERO),
            false => Dec::parse(&text).map_err(|error| Fault::in_field(LOT, error.to_string())),
        };
        texts.map(read).collect()
    }

    /// Each day of lots and how many of them are sold; one part without a day where the method
    /// decides.
    fn parts(
        &self,
        fields: &Fields,
        quantity: Dec,
    ) -> Result<Vec<(Option<NaiveDate>, Dec)>, Fault> {
        let taken = Self::taken(fields)?;
        let alone = vec![(None, quantity)];
        if !self.has_choice() || self.lots.is_empty() {
            return Ok(alone);
        }
        for (lot, part) in self.lots.iter().zip(&taken) {
            if *part > lot.quantity || part.is_negative() {
                let why = format!("the lot of {} has {}", lot.opened, lot.quantity);
                return Err(Fault { field: None, why });
            }
        }
        let nothing_chosen = self.proposed(quantity, &vec![None; self.lots.len()]);
        if self.method != LotMethod::Specific {
            if taken == nothing_chosen {
                return Ok(alone);
            }
            let why = format!(
                "{} takes lots by {}; `e` on the account makes its method specific",
                self.name, self.method
            );
            return Err(Fault { field: None, why });
        }
        let sum = taken.iter().fold(Dec::ZERO, |sum, part| add(sum, *part));
        if sum != quantity {
            let why = format!("the lots add up to {sum}, and {quantity} are sold");
            return Err(Fault { field: None, why });
        }
        let mut parts: Vec<(Option<NaiveDate>, Dec)> = Vec::new();
        for (lot, part) in self.lots.iter().zip(taken).filter(|(_, part)| !part.is_zero()) {
            match parts.last_mut().filter(|last| last.0 == Some(lot.opened)) {
                Some(last) => last.1 = add(last.1, part),
                None => parts.push((Some(lot.opened), part)),
            }
        }
        Ok(parts)
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
            let lot = |lot: &Lot| {
                Field::new(LOT, Sort::Amount).called(format!("of {}", lot.opened)).proposing("")
            };
            fields.extend(self.lots.iter().map(lot));
        }
        fields.push(Field::new("note", Sort::Text));
        Some(Fields::of(fields))
    }

    fn settle(&self, fields: &mut Fields) {
        let fixed: Vec<Option<Dec>> = fields
            .named(LOT)
            .map(|field| if field.auto { None } else { Dec::parse(&field.text()).ok() })
            .collect();
        let is_typed = fields.get("quantity").is_some_and(|field| !field.auto);
        let quantity = fields.dec("quantity").ok().flatten().filter(|_| is_typed);
        if let Some(quantity) = quantity.filter(|quantity| quantity.is_positive()) {
            let taken = self.proposed(quantity, &fixed);
            for (field, part) in fields.each_mut().filter(|it| it.name == LOT).zip(taken) {
                field.follow(&if part.is_zero() { String::new() } else { part.to_string() });
            }
        } else if !is_typed {
            let sum = fixed.iter().flatten().fold(Dec::ZERO, |sum, part| add(sum, *part));
            let text = if sum.is_zero() { String::new() } else { sum.to_string() };
            if let Some(field) = fields.get_mut("quantity") {
                field.follow(&text);
            }
        }
        let sum = |fields: &Fields| -> Option<Dec> {
            let entries = self.entries(fields).ok()?.into_iter();
            let mut sum = Dec::ZERO;
            for entry in entries {
                let entry = Entry { amount: None, ..entry };
                sum = sum.checked_add(entry.check().ok()?.first.facts.amount)?;
            }
            Some(sum)
        };
        let amount = sum(fields).map(|amount| amount.to_string()).unwrap_or_default();
        if let Some(field) = fields.get_mut("amount") {
            field.follow(&amount);
        }
    }

    fn note(&self, _: &Fields) -> Option<String> {
        let held = self.lots.iter().fold(Dec::ZERO, |sum, lot| add(sum, lot.quantity));
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
            LotMethod::Specific => "the lots you choose".to_owned(),
            method => format!("lots by {method}"),
        };
        Some(format!("{held} held, {how}: {}", lots.join(", ")))
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
            let taken = sale(method).proposed(dec(quantity), &[None, None, None]);
            taken.iter().map(Dec::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(proposed(LotMethod::Fifo, "12"), "10 2 0");
        assert_eq!(proposed(LotMethod::Lifo, "12"), "2 5 5");
        // 16 each, 10 each, unknown.
        assert_eq!(proposed(LotMethod::Hifo, "12"), "7 5 0");
        assert_eq!(proposed(LotMethod::Specific, "25"), "10 5 5", "no more than there is");
    }

    #[test]
    fn a_charge_is_parted_to_the_last_cent() {
        let parts = [(Some(day(1)), dec("1")), (Some(day(2)), dec("1")), (Some(day(3)), dec("1"))];
        let shares = shares(Some(dec("10")), &parts, dec("3"), 2);
        let shares: Vec<_> = shares.into_iter().flatten().map(|it| it.to_string()).collect();
        assert_eq!(shares, ["3.33", "3.33", "3.34"]);
    }
}
