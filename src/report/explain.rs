//! How figures came about: the formula with the figures in place, and every row, lot, price and
//! rate that went into it. The numbers are those of the reports, never computed a second way.

use super::holdings::difference;
use super::net_worth::{self, Part};
use super::valuation::{Scene, Value};
use super::{
    AccountsQuery, Error, Explanation, GainsQuery, Input, NetWorthQuery, PositionsQuery, types,
};
use crate::analytics::lots::Conversion;
use crate::figures::{self, Held, Otherwise};
use crate::model::{Currency, Dec, Lot, Mode, SafeText};
use crate::store::Tx;

type Explained = Result<Vec<Explanation>, Error>;

fn input(kind: &'static str) -> Input {
    Input { kind, id: None, date: None, value: None, source: None, pair: None }
}

fn figure(name: &str, value: Option<Dec>) -> Input {
    Input { id: Some(SafeText::new(name)), value, ..input("figure") }
}

fn rates(rate: Option<&Conversion>) -> Vec<Input> {
    let legs = rate.map_or(&[][..], |rate| rate.legs.as_slice());
    legs.iter()
        .map(|leg| Input {
            date: Some(leg.date),
            value: Some(leg.rate),
            source: Some((*leg.source).clone()),
            pair: Some(SafeText::new(&format!("{}/{}", leg.base, leg.quote))),
            ..input("rate")
        })
        .collect()
}

/// The way from one currency to another, to stand behind an amount.
fn way(rate: Option<&Conversion>) -> String {
    let Some(rate) = rate else { return " x n/a".to_owned() };
    let leg = |leg: &crate::analytics::fx::Leg| {
        let sign = if leg.inverse { "/" } else { "x" };
        format!(" {sign} {} ({}/{})", leg.rate, leg.base, leg.quote)
    };
    rate.legs.iter().map(leg).collect()
}

fn shown(value: Option<Dec>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| value.to_string())
}

fn lot_input(lot: &Lot, value: Option<Dec>) -> Input {
    let id = SafeText::new(&format!("{}", lot.opening));
    Input { id: Some(id), date: Some(lot.opened), value, ..input("lot") }
}

/// A position with all that can be said of it.
struct Subject<'a> {
    scene: &'a Scene,
    held: &'a Held,
    lots: &'a [Lot],
    value: Value,
    of: SafeText,
    currency: Currency,
}

impl<'a> Subject<'a> {
    fn new(scene: &'a Scene, held: &'a Held, lots: &'a [Lot]) -> Self {
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
        let minus = |a: Option<Dec>, b: Option<Dec>| format!("{} - {}", shown(a), shown(b));
        let gain = |what: &str, a, cost| vec![figure(what, a), figure("cost", cost)];
        let unrealized = less(self.value.local, figures.cost);
        let unrealized_base = less(self.value.base, figures.cost_base);
        vec![
            self.worth_base(),
            self.worth(),
            self.lot_sum("quantity", Some(figures.quantity), None, |lot| Some(lot.quantity)),
            self.lot_sum("cost", figures.cost, own, |lot| lot.cost),
            self.lot_sum("cost_base", figures.cost_base, base, |lot| lot.cost_base),
            self.say(
                "unrealized",
                unrealized,
                own,
                minus(self.value.local, figures.cost),
                gain("value", self.value.local, figures.cost),
            ),
            self.say(
                "unrealized_base",
                unrealized_base,
                base,
                minus(self.value.base, figures.cost_base),
                gain("value_base", self.value.base, figures.cost_base),
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

    fn price_inputs(&self) -> Vec<Input> {
        let mut inputs = vec![figure("quantity", Some(self.held.figures.quantity))];
        if let Some(price) = &self.value.price {
            inputs.push(Input {
                id: Some(self.scene.symbol(self.held.security)),
                date: Some(price.date),
                value: Some(price.stored),
                source: Some(price.source.clone()),
                ..input("price")
            });
            inputs.extend(rates(price.converted.as_ref()));
        }
        inputs
    }

    fn lot_sum(
        &self,
        name: &'static str,
        value: Option<Dec>,
        currency: Option<Currency>,
        part: fn(&Lot) -> Option<Dec>,
    ) -> Explanation {
        const SHOWN: usize = 5;
        let mut terms: Vec<_> = self.lots.iter().take(SHOWN).map(|lot| shown(part(lot))).collect();
        if self.lots.len() > SHOWN {
            terms.push(format!("{} more", self.lots.len() - SHOWN));
        }
        let formula = if terms.is_empty() { "no lots".to_owned() } else { terms.join(" + ") };
        let inputs = self.lots.iter().map(|lot| lot_input(lot, part(lot))).collect();
        self.say(name, value, currency, formula, inputs)
    }
}

/// Every figure of the holdings of a symbol.
///
/// # Errors
/// When nothing of that name is held, or the store cannot be read.
pub async fn explain_holding(tx: &mut Tx, query: &PositionsQuery, key: &SafeText) -> Explained {
    let (mut scene, held) = subjects(tx, query, key).await?;
    scene.read_closes(tx, held.iter().map(|(held, _)| held.security)).await?;
    let mut explained = Vec::new();
    let span = GainsQuery {
        from: None,
        to: query.as_of,
        account: query.account,
        currency: query.currency,
        method: query.method,
    };
    let gains = super::gains(tx, &span).await?;
    for (held, lots) in &held {
        let subject = Subject::new(&scene, held, lots);
        explained.extend(subject.all());
        let account = scene.account_name(held.account);
        let mine: Vec<_> = gains
            .rows
            .iter()
            .filter(|row| Some(&row.account) == account.as_ref() && row.symbol == *key)
            .collect();
        type Part = fn(&types::GainRow) -> Option<Dec>;
        let sums: [(&'static str, Option<Dec>, Currency, Part); 2] = [
            ("realized", held.figures.realized, subject.currency, |row| row.gain),
            ("realized_base", held.figures.realized_base, scene.base, |row| row.gain_base),
        ];
        for (name, value, currency, part) in sums {
            let inputs = mine.iter().map(|row| sale(row, part(row))).collect();
            let formula = format!("the sum over {} closed lots", mine.len());
            explained.push(subject.say(name, value, Some(currency), formula, inputs));
        }
        let formula = "income received since the first row, before fees and taxes".to_owned();
        let currency = Some(subject.currency);
        explained.push(subject.say("income", held.figures.income, currency, formula, Vec::new()));
    }
    Ok(explained)
}

fn sale(row: &types::GainRow, value: Option<Dec>) -> Input {
    let id = SafeText::new(&row.closing.to_string());
    Input { id: Some(id), date: Some(row.closed), value, ..input("row") }
}

/// Every figure of the open lots of a symbol.
///
/// # Errors
/// When no lot of that name is open, or the store cannot be read.
pub async fn explain_lots(tx: &mut Tx, query: &PositionsQuery, key: &SafeText) -> Explained {
    let report = super::lots(tx, query).await?;
    let mut explained = Vec::new();
    for row in report.rows.iter().filter(|row| row.symbol == *key) {
        let place = row.account.as_ref().map_or("in transit", SafeText::as_str);
        let of = SafeText::new(&format!("{key} of {} in {place}", row.opened));
        let rows = vec![Input {
            id: Some(SafeText::new(&row.opening.to_string())),
            date: Some(row.opened),
            value: Some(row.quantity),
            ..input("row")
        }];
        let say = |figure, value, currency, formula: String| Explanation {
            figure,
            of: of.clone(),
            value,
            currency: Some(currency),
            formula,
            inputs: rows.clone(),
        };
        let minus = |a: Option<Dec>, b: Option<Dec>| format!("{} - {}", shown(a), shown(b));
        let value_base = row.unrealized_base.zip(row.cost_base).and_then(|(a, b)| a.checked_add(b));
        explained.extend([
            say(
                "unrealized_base",
                row.unrealized_base,
                report.currency,
                minus(value_base, row.cost_base),
            ),
            say("unrealized", row.unrealized, row.currency, minus(row.value, row.cost)),
            say(
                "unrealized_fx",
                row.unrealized_fx,
                report.currency,
                format!(
                    "{} at the rate of {} - {}",
                    shown(row.cost),
                    report.as_of,
                    shown(row.cost_base)
                ),
            ),
            say("value", row.value, row.currency, "its part of the holding".to_owned()),
            say("cost", row.cost, row.currency, "what its row cost, by quantity".to_owned()),
            say(
                "cost_base",
                row.cost_base,
                report.currency,
                format!("{} at the rate of {}", shown(row.cost), row.opened),
            ),
        ]);
    }
    found(explained, key, report.rows.iter().map(|row| &row.symbol))
}

/// Every figure of the realized gains of a symbol, or of one row that closed lots.
///
/// # Errors
/// When nothing of that name was realized, or the store cannot be read.
pub async fn explain_gains(tx: &mut Tx, query: &GainsQuery, key: &SafeText) -> Explained {
    let report = super::gains(tx, query).await?;
    let mut explained = Vec::new();
    for row in &report.rows {
        if row.symbol != *key && row.closing.to_string() != key.as_str() {
            continue;
        }
        let of =
            format!("{} bought {} sold {} in {}", row.symbol, row.opened, row.closed, row.account);
        let of = SafeText::new(&of);
        let opening = row.opening.map(|id| SafeText::new(&id.to_string()));
        let inputs = vec![
            Input { id: opening, date: Some(row.opened), value: row.cost, ..input("lot") },
            sale(row, row.proceeds),
        ];
        let say = |figure, value, currency, formula: String| Explanation {
            figure,
            of: of.clone(),
            value,
            currency: Some(currency),
            formula,
            inputs: inputs.clone(),
        };
        let minus = |a: Option<Dec>, b: Option<Dec>| format!("{} - {}", shown(a), shown(b));
        explained.extend([
            say(
                "gain_base",
                row.gain_base,
                report.currency,
                minus(row.proceeds_base, row.cost_base),
            ),
            say("gain", row.gain, row.currency, minus(row.proceeds, row.cost)),
            say(
                "gain_fx",
                row.gain_fx,
                report.currency,
                format!(
                    "{} at the rate of {} - {}",
                    shown(row.cost),
                    row.closed,
                    shown(row.cost_base)
                ),
            ),
        ]);
    }
    found(explained, key, report.rows.iter().map(|row| &row.symbol))
}

/// Every figure of an account.
///
/// # Errors
/// When there is none of that name, or the store cannot be read.
pub async fn explain_account(tx: &mut Tx, query: &AccountsQuery, key: &SafeText) -> Explained {
    let report = super::accounts(tx, query).await?;
    let known = || report.rows.iter().map(|row| row.name.clone()).collect();
    let Some(row) = report.rows.iter().find(|row| row.name == *key) else {
        return Err(Error::NoSuchFigure { key: key.clone(), known: known() });
    };
    let otherwise = Otherwise { base: query.currency, method: None };
    let mut scene = Scene::of_day(tx, query.as_of, query.today, otherwise).await?;
    let mut held = figures::positions_on(tx, &scene.market, query.as_of, otherwise).await?;
    held.retain(|held| held.account == row.id && !held.figures.quantity.is_zero());
    scene.read_closes(tx, held.iter().map(|held| held.security)).await?;
    let mut parts = Vec::new();
    let mut base_parts = Vec::new();
    if row.mode == Mode::Balances {
        let rate = scene.market.rates().on(row.currency, scene.base, query.as_of);
        parts.push(Input { date: row.as_of, value: row.value, ..figure("balance", row.value) });
        base_parts.clone_from(&parts);
        base_parts.extend(rates(rate.as_ref()));
    }
    for (currency, amount) in &row.cash {
        let name = format!("cash {currency}");
        parts.push(figure(&name, Some(*amount)));
        base_parts.push(figure(&name, Some(*amount)));
        let rate = scene.market.rates().on(*currency, scene.base, query.as_of);
        base_parts.extend(rates(rate.as_ref()));
    }
    for held in &held {
        let value = scene.value(held);
        let name = scene.symbol(held.security);
        parts.push(figure(name.as_str(), value.local));
        base_parts.push(figure(name.as_str(), value.base));
    }
    let say = |figure, value, currency, formula: &str, inputs| Explanation {
        figure,
        of: row.name.clone(),
        value,
        currency: Some(currency),
        formula: formula.to_owned(),
        inputs,
    };
    let what = match row.mode {
        Mode::Ledger => "cash + securities, each at the rate of the day",
        Mode::Balances => "the last balance, at the rate of the day",
    };
    Ok(vec![
        say("value_base", row.value_base, report.currency, what, base_parts),
        say("value", row.value, row.currency, what, parts.clone()),
        say("market_value", row.market_value, row.currency, "the sum of its securities", parts),
    ])
}

/// Net worth or one of its parts, on the last day.
///
/// # Errors
/// When there is no such part, or the store cannot be read.
pub async fn explain_net_worth(tx: &mut Tx, query: &NetWorthQuery, key: &SafeText) -> Explained {
    let (currency, row, items) = net_worth::itemized(tx, query).await?;
    let of = SafeText::new(&format!("everything on {}", row.date));
    let parts = [
        (Part::MarketValue, row.market_value),
        (Part::Cash, row.cash),
        (Part::Assets, row.assets),
        (Part::Liabilities, row.liabilities),
    ];
    let say = |figure, value, formula, inputs| Explanation {
        figure,
        of: of.clone(),
        value,
        currency: Some(currency),
        formula,
        inputs,
    };
    let terms: Vec<_> = parts.iter().map(|(_, value)| shown(*value)).collect();
    let inputs = parts.iter().map(|(part, value)| figure(part.as_str(), *value)).collect();
    let mut explained = vec![say("net_worth", row.net_worth, terms.join(" + "), inputs)];
    for (part, value) in parts {
        let mine: Vec<_> = items.iter().filter(|item| item.part == part).collect();
        let inputs = mine.iter().map(|item| figure(item.name.as_str(), item.value)).collect();
        let formula = match mine.len() {
            0 => "there is nothing of it".to_owned(),
            many => format!("the sum of these {many}, each at the rate of the day"),
        };
        explained.push(say(part.as_str(), value, formula, inputs));
    }
    let known: Vec<_> = explained.iter().map(|it| SafeText::new(it.figure)).collect();
    explained.retain(|it| key.as_str() == "net_worth" || it.figure == key.as_str());
    found(explained, key, known.iter())
}

async fn subjects(
    tx: &mut Tx,
    query: &PositionsQuery,
    key: &SafeText,
) -> Result<(Scene, Vec<(Held, Vec<Lot>)>), Error> {
    let scene = Scene::set(tx, query).await?;
    let mut all = figures::lots_on(tx, &scene.market, query.as_of, scene.otherwise).await?;
    all.retain(|(held, _)| scene.wants(held, query));
    let known: Vec<_> = all.iter().map(|(held, _)| scene.symbol(held.security)).collect();
    all.retain(|(held, _)| scene.symbol(held.security) == *key);
    if all.is_empty() {
        return Err(Error::NoSuchFigure { key: key.clone(), known });
    }
    Ok((scene, all))
}

fn found<'a>(
    explained: Vec<Explanation>,
    key: &SafeText,
    known: impl Iterator<Item = &'a SafeText>,
) -> Explained {
    if explained.is_empty() {
        return Err(Error::NoSuchFigure { key: key.clone(), known: known.cloned().collect() });
    }
    Ok(explained)
}
