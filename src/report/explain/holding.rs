//! The figures of a holding.

use std::collections::BTreeSet;

use super::{
    Explained, Explanation, Input, at_rate, difference, figure, input, lot_input, minus, price,
    price_words, rates, shown, subjects, sum, tell_of_pending, way,
};
use crate::analytics::lots::{Conversion, Event};
use crate::figures::{self, Held};
use crate::model::{Currency, Dec, Exact, Lot, SafeText, Subtype};
use crate::report::valuation::{Scene, Value};
use crate::report::{GainRow, GainsQuery, HoldingsReport, PositionsQuery};
use crate::store::{PendingRow, Tx};

/// A position with all that can be said of it.
pub(super) struct Subject<'a> {
    scene: &'a Scene,
    held: &'a Held,
    lots: &'a [Lot],
    pub value: Value,
    of: SafeText,
    currency: Currency,
}

impl<'a> Subject<'a> {
    pub fn new(scene: &'a Scene, held: &'a Held, lots: &'a [Lot]) -> Self {
        let account = scene.account_name(held.account);
        let place = account.map_or_else(|| "in transit".to_owned(), |name| format!("in {name}"));
        let of = SafeText::new(&format!("{} {place}", scene.symbol(held.security)));
        let currency = scene.currency_of(held.security);
        Self { scene, held, lots, value: scene.value(held), of, currency }
    }

    fn say(
        &self,
        figure: &'static str,
        value: Option<Dec>,
        currency: Option<Currency>,
        formula: String,
        inputs: Vec<Input>,
    ) -> Explanation {
        Explanation { figure, of: self.of.clone(), value, currency, formula, inputs }
    }

    fn all(&self) -> Vec<Explanation> {
        let figures = &self.held.figures;
        let (own, base) = (Some(self.currency), Some(self.scene.base));
        let less = |a: Option<Dec>, b: Option<Dec>| difference(a?, b?);
        let unrealized = less(self.value.local, figures.cost);
        let unrealized_base = less(self.value.base, figures.cost_base);
        vec![
            self.worth_base(),
            self.worth(),
            self.lot_sum("quantity", Some(figures.quantity), None, |lot| Some(lot.quantity)),
            self.lot_sum("cost", figures.cost, own, |lot| lot.cost),
            self.cost_base(),
            self.say(
                "unrealized",
                unrealized,
                own,
                minus(self.value.local, figures.cost),
                vec![figure("value", self.value.local), figure("cost", figures.cost)],
            ),
            self.say(
                "unrealized_base",
                unrealized_base,
                base,
                minus(self.value.base, figures.cost_base),
                vec![figure("value_base", self.value.base), figure("cost_base", figures.cost_base)],
            ),
        ]
    }

    fn worth(&self) -> Explanation {
        let formula = self.units_and_price();
        self.say("value", self.value.local, Some(self.currency), formula, self.price_inputs())
    }

    fn worth_base(&self) -> Explanation {
        let rate = self.value.rate.as_ref();
        // Without a price no rate was looked for.
        let way = self.value.price.as_ref().map(|_| way(rate)).unwrap_or_default();
        let formula = format!("{}{way}", self.units_and_price());
        let mut inputs = self.price_inputs();
        inputs.extend(rates(rate));
        self.say("value_base", self.value.base, Some(self.scene.base), formula, inputs)
    }

    fn price(&self) -> Explanation {
        let found = self.value.price.as_ref();
        let formula = match found {
            None => "there is no price on or before the day".to_owned(),
            Some(price) => price_words(price),
        };
        let value = found.and_then(|price| price.price().ok());
        let inputs = price(self.scene, self.held.security, found);
        self.say("price", value, Some(self.currency), formula, inputs)
    }

    /// Quantity, price and multiplier, as far as they say something.
    fn units_and_price(&self) -> String {
        let figures = &self.held.figures;
        let price = self.value.price.as_ref().and_then(|price| price.price().ok());
        let mut formula = format!("{} x {}", figures.quantity, shown(price));
        if figures.multiplier != Dec::ONE {
            formula.push_str(&format!(" x {}", figures.multiplier));
        }
        formula
    }

    pub fn price_inputs(&self) -> Vec<Input> {
        let mut inputs = vec![figure("quantity", Some(self.held.figures.quantity))];
        inputs.extend(price(self.scene, self.held.security, self.value.price.as_ref()));
        inputs
    }

    fn lot_sum(
        &self,
        name: &'static str,
        value: Option<Dec>,
        currency: Option<Currency>,
        part: fn(&Lot) -> Option<Dec>,
    ) -> Explanation {
        let terms: Vec<_> = self.lots.iter().map(|lot| shown(part(lot))).collect();
        let inputs = self.lots.iter().map(|lot| lot_input(lot, part(lot))).collect();
        self.say(name, value, currency, sum(&terms, "no lots"), inputs)
    }

    /// Every lot's cost at the rate of its own day.
    fn cost_base(&self) -> Explanation {
        let base = self.scene.base;
        let mut terms = Vec::new();
        let mut inputs = Vec::new();
        for lot in self.lots {
            let pair = (self.currency, base);
            let (term, rates) = at_rate(self.scene, lot.cost, pair, lot.opened, lot.cost_base);
            terms.push(term);
            inputs.push(lot_input(lot, lot.cost_base));
            inputs.extend(rates);
        }
        let formula = sum(&terms, "no lots");
        self.say("cost_base", self.held.figures.cost_base, Some(base), formula, inputs)
    }

    /// Its part in the value of all holdings of the report.
    fn weight(&self, report: &HoldingsReport) -> Explanation {
        let account = self.scene.account_name(self.held.account);
        let mut rows = report.rows.iter();
        let row = rows.find(|it| it.account == account && it.security_id == self.held.security);
        let whole = report.totals.value_base;
        let inputs = vec![figure("value_base", self.value.base), figure("total value_base", whole)];
        let formula = format!("{} / {}", shown(self.value.base), shown(whole));
        self.say("weight", row.and_then(|row| row.weight), None, formula, inputs)
    }

    /// What it earned, row by row, before fees and taxes.
    fn income(&self, events: &[Event]) -> Explanation {
        let mut terms = Vec::new();
        let mut inputs = Vec::new();
        for event in events.iter().filter(|event| is_income(event)) {
            let gross = gross(event);
            let (rate, legs) = self.to_local(event);
            terms.push(format!("{}{rate}", shown(gross)));
            inputs.push(Input {
                id: Some(SafeText::new(&event.id.to_string())),
                date: Some(event.date),
                value: gross,
                ..input("row")
            });
            inputs.extend(legs);
        }
        let formula = sum(&terms, "nothing was received");
        self.say("income", self.held.figures.income, Some(self.currency), formula, inputs)
    }

    /// The way from the currency of a row to that of the security.
    fn to_local(&self, event: &Event) -> (String, Vec<Input>) {
        if event.currency == self.currency {
            return (String::new(), Vec::new());
        }
        if let Some(given) = event.fx_rate {
            let pair = format!("{}/{}", self.currency, event.currency);
            let rate = Input {
                date: Some(event.date),
                value: Some(given),
                source: Some(SafeText::new("row")),
                pair: Some(SafeText::new(&pair)),
                ..input("rate")
            };
            return (format!(" / {given} ({pair})"), vec![rate]);
        }
        let all = self.scene.market.rates();
        let rate: Option<Conversion> = all.on(event.currency, self.currency, event.date);
        (way(rate.as_ref()), rates(rate.as_ref()))
    }

    fn realized(&self, rows: &[&GainRow], in_base: bool) -> Explanation {
        let figures = &self.held.figures;
        let (name, value, currency) = match in_base {
            true => ("realized_base", figures.realized_base, self.scene.base),
            false => ("realized", figures.realized, self.currency),
        };
        let gain = |row: &GainRow| if in_base { row.gain_base } else { row.gain };
        let terms: Vec<_> = rows.iter().map(|row| shown(gain(row))).collect();
        let inputs = rows.iter().map(|row| sale(row, gain(row))).collect();
        self.say(name, value, Some(currency), sum(&terms, "nothing was sold"), inputs)
    }
}

const fn is_income(event: &Event) -> bool {
    matches!(
        event.subtype,
        Subtype::Dividend
            | Subtype::Interest
            | Subtype::CapitalGain
            | Subtype::Distribution
            | Subtype::Reward
    )
}

/// What a row earned before anything was kept back, in its own currency.
fn gross(event: &Event) -> Option<Dec> {
    let units =
        event.quantity.map(Dec::abs).zip(event.price).filter(|_| event.subtype == Subtype::Reward);
    let gross = match units {
        Some((units, price)) => Exact::from(units).mul(&price.into()).mul(&event.multiplier.into()),
        None => Exact::from(event.amount).add(&event.fee.into()).add(&event.tax.into()),
    };
    gross.round(12).ok()
}

pub(super) fn sale(row: &GainRow, value: Option<Dec>) -> Input {
    let id = SafeText::new(&row.closing.to_string());
    Input { id: Some(id), date: Some(row.closed), value, ..input("row") }
}

/// Every figure of the holdings of a symbol.
///
/// # Errors
/// When nothing of that name is held, or the store cannot be read.
pub async fn explain_holding(tx: &mut Tx, query: &PositionsQuery, key: &SafeText) -> Explained {
    let (scene, held) = subjects(tx, query, key).await?;
    let span = GainsQuery {
        from: None,
        to: query.as_of,
        account: query.account,
        currency: query.currency,
        method: query.method,
    };
    let gains = crate::report::gains(tx, &span).await?;
    let report = crate::report::holdings(tx, query).await?;
    let groups = tx.lot_groups().await?;
    let mut explained = Vec::new();
    let mut priced = BTreeSet::new();
    for (held, lots) in &held {
        let subject = Subject::new(&scene, held, lots);
        let mut mine = subject.all();
        let is_its = |row: &PendingRow| row.is_of(held.security, held.account);
        tell_of_pending(tx, query.as_of, &mut mine, is_its).await?;
        explained.append(&mut mine);
        // Whoever holds it, one costs the same.
        if priced.insert(held.security) {
            explained.push(subject.price());
        }
        mine.push(subject.weight(&report));
        let account = scene.account_name(held.account);
        let is_mine = |row: &&GainRow| {
            Some(&row.account) == account.as_ref() && row.security_id == held.security
        };
        let sales: Vec<_> = gains.rows.iter().filter(is_mine).collect();
        mine.push(subject.realized(&sales, false));
        mine.push(subject.realized(&sales, true));
        let group = groups.get(&held.security).copied().unwrap_or(held.security);
        let mut events = figures::rows_of(tx, group, held.security).await?;
        events.retain(|event| event.account == held.account && event.date <= query.as_of);
        mine.push(subject.income(&events));
        tell_of_pending(tx, query.as_of, &mut mine, is_its).await?;
        explained.extend(mine);
    }
    Ok(explained)
}
