//! The figures of an account, and their total.

use std::collections::BTreeSet;

use super::{
    Explained, Explanation, Input, figure, found, input, price, rates, shown, sum, tell_of_pending,
    way,
};
use crate::figures::{self, Held, Otherwise, Scope};
use crate::model::{Currency, Dec, Exact, Mode, SafeText};
use crate::report::valuation::{Scene, Total};
use crate::report::{AccountRow, AccountsQuery, AccountsReport, Missing};
use crate::store::Tx;

/// The key of the sum of all accounts.
const TOTAL: &str = "total";

/// Every figure of an account, or the total of all: an account of that name goes before it.
///
/// # Errors
/// When there is none of that name, or the store cannot be read.
pub async fn explain_account(tx: &mut Tx, query: &AccountsQuery, key: &SafeText) -> Explained {
    let report = crate::report::accounts(tx, query).await?;
    let Some(row) = report.rows.iter().find(|row| row.name == *key) else {
        let mut whole: Vec<_> =
            (key.as_str() == TOTAL).then(|| total(&report)).into_iter().collect();
        let counts = |row: &&AccountRow| row.is_pending_on(report.as_of);
        let counted: BTreeSet<_> = report.rows.iter().filter(counts).map(|row| row.id).collect();
        tell_of_pending(tx, query.as_of, &mut whole, |row| counted.contains(&row.account)).await?;
        let known = report.rows.iter().map(|row| row.name.clone());
        let known = known.chain([SafeText::new(TOTAL)]).collect();
        return found(whole, key, known);
    };
    let otherwise = Otherwise { base: query.currency, method: None };
    let mut scene = Scene::with(tx, query.as_of, query.today, Scope::History, otherwise).await?;
    let mut held = figures::positions_on(tx, &scene.market, query.as_of, otherwise).await?;
    held.retain(|held| held.account == row.id && !held.figures.quantity.is_zero());
    scene.read_closes(tx, held.iter().map(|held| held.security)).await?;
    let mut explained = figures_of(&scene, row, &held);
    tell_of_pending(tx, query.as_of, &mut explained, |it| it.account == row.id).await?;
    Ok(explained)
}

fn total(report: &AccountsReport) -> Explanation {
    let counted = report.rows.iter().filter(|row| row.counts_on(report.as_of));
    let rows = counted.map(|row| (row.name.as_str(), row.value_base));
    let way = report.in_transit_base.map(|value| ("in transit", Some(value)));
    let parts: Vec<_> = rows.chain(way).collect();
    let terms: Vec<_> = parts.iter().map(|(_, value)| shown(*value)).collect();
    Explanation {
        figure: "value_base",
        of: SafeText::new("all accounts"),
        value: report.total_base,
        currency: Some(report.currency),
        formula: sum(&terms, "there are none"),
        inputs: parts
            .into_iter()
            .map(|(name, value)| figure(name, value))
            .chain(lacking(&report.missing))
            .collect(),
    }
}

/// What would be needed, each thing once: an input without a value.
fn lacking(missing: &[Missing]) -> Vec<Input> {
    let whose = |lacks: &Missing| {
        let named = lacks.security.is_some() || lacks.pair.is_some();
        lacks.account.clone().filter(|_| !named)
    };
    let once: BTreeSet<_> =
        missing.iter().map(|lacks| Missing { account: whose(lacks), ..lacks.clone() }).collect();
    let said = |lacks: Missing| {
        let of = lacks.security.or(lacks.account);
        let named = of.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
        let words = || Some(SafeText::new(&format!("{}{named}", lacks.what)));
        let (kind, id) = match lacks.what {
            "price" => ("price", of.clone()),
            "fx" => ("rate", None),
            _ => ("figure", words()),
        };
        let pair = lacks.pair.map(|pair| SafeText::new(&pair));
        Input { id, pair, date: lacks.date, ..input(kind) }
    };
    once.into_iter().map(said).collect()
}

/// Parts of a sum in one currency.
#[derive(Default)]
struct Parts {
    terms: Vec<String>,
    inputs: Vec<Input>,
    total: Total,
}

impl Parts {
    /// An amount, at the rate of the day.
    fn money(&mut self, scene: &Scene, name: &str, amount: Dec, from: Currency, to: Currency) {
        let rate = scene.market.rates().on(from, to, scene.day);
        self.terms.push(format!("{amount}{}", way(rate.as_ref())));
        self.inputs.push(figure(name, Some(amount)));
        self.inputs.extend(rates(rate.as_ref()));
        let value = rate.and_then(|rate| rate.apply(&Exact::from(amount)).ok());
        self.total.add(value);
    }

    /// A position: its price, and the rate of the day.
    fn position(&mut self, scene: &Scene, held: &Held, to: Currency) {
        let value = scene.value(held);
        let rate = scene.market.rates().on(scene.currency_of(held.security), to, scene.day);
        let known = value.price.as_ref().zip(value.units.as_ref()).zip(rate.as_ref());
        let worth = known.and_then(|((price, units), rate)| price.value(units, rate).ok());
        self.terms.push(shown(worth));
        self.inputs.push(figure(scene.symbol(held.security).as_str(), worth));
        self.inputs.push(figure("quantity", Some(held.figures.quantity)));
        self.inputs.extend(price(scene, held.security, value.price.as_ref()));
        self.inputs.extend(rates(rate.as_ref()));
        self.total.add(worth);
    }
}

fn figures_of(scene: &Scene, row: &AccountRow, held: &[Held]) -> Vec<Explanation> {
    let (own, base) = (row.currency, scene.base);
    let by_balance = row.mode == Mode::Balances;
    let cash = |to: Currency| {
        let mut parts = Parts::default();
        for (currency, amount) in &row.cash {
            parts.money(scene, &format!("cash {currency}"), *amount, *currency, to);
        }
        parts
    };
    let securities = |mut parts: Parts, to: Currency| {
        for held in held {
            parts.position(scene, held, to);
        }
        parts
    };
    let balance = |to: Currency| {
        let mut parts = Parts::default();
        if let Some(amount) = row.value {
            parts.money(scene, "balance", amount, own, to);
        }
        if let Some(balance) = parts.inputs.first_mut() {
            balance.date = row.as_of;
        }
        parts
    };
    let all = |to: Currency| if by_balance { balance(to) } else { securities(cash(to), to) };
    let in_securities = match by_balance {
        // Only what is invested is a market value.
        true if row.market_value.is_none() => Parts::default(),
        true => balance(own),
        false => securities(Parts::default(), own),
    };
    let say = |figure, value, currency, parts: Parts| Explanation {
        figure,
        of: row.name.clone(),
        value,
        currency: Some(currency),
        formula: sum(&parts.terms, "there is nothing of it"),
        inputs: parts.inputs,
    };
    let money = cash(own);
    vec![
        say("value_base", row.value_base, base, all(base)),
        say("value", row.value, own, all(own)),
        say("market_value", row.market_value, own, in_securities),
        say("cash", money.total.known(), own, money),
    ]
}
