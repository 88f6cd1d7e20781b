//! The figures of income.

use super::{Explained, Explanation, Input, figure, found, input, rates, shown, sum};
use crate::model::{Dec, SafeText};
use crate::report::income::{Expected, Income, Payment, month};
use crate::report::valuation::Total;
use crate::report::{IncomeQuery, Yields};
use crate::store::Tx;

/// The key of the sum of everything.
const ALL: &str = "total";

/// What was received, and is expected, of a security, in an account or in a month, or in all.
///
/// # Errors
/// When there is no income of that name, or the store cannot be read.
pub async fn explain_income(tx: &mut Tx, query: &IncomeQuery, key: &SafeText) -> Explained {
    let income = Income::read(tx, query).await?;
    let scene = &income.scene;
    let word = key.as_str();
    let is_all = word == ALL;
    let is_symbol = |id| {
        let mine = scene.symbol(id);
        super::names(key, &mine, scene.currency_of(id))
    };
    let is_account = |id| scene.account_name(id).is_some_and(|name| name == *key);
    let paid = |it: &&Payment| {
        is_all
            || it.security.is_some_and(is_symbol)
            || is_account(it.account)
            || month(it.date) == word
    };
    let due = |it: &Expected<'_>| {
        is_all
            || it.of.security.is_some_and(is_symbol)
            || is_account(it.account())
            || month(it.date) == word
    };
    let payments: Vec<_> = income.payments().filter(paid).collect();
    let expected: Vec<_> = income.expected().filter(due).collect();
    if payments.is_empty() && expected.is_empty() {
        return found(Vec::new(), key, known(&income));
    }
    let of = if is_all { SafeText::new("all income") } else { key.clone() };
    let say = |figure, value, currency, formula, inputs| Explanation {
        figure,
        of: of.clone(),
        value,
        currency,
        formula,
        inputs,
    };
    let base = Some(scene.base);
    let received = |figure: fn(&Payment) -> Option<Dec>, own: fn(&Payment) -> Option<Dec>| {
        let total: Total = payments.iter().map(|it| figure(it)).collect();
        let terms: Vec<_> = payments.iter().map(|it| shown(figure(it))).collect();
        let inputs = payments.iter().flat_map(|it| behind(&income, it, own(it)));
        (total.known(), sum(&terms, "nothing was received"), inputs.collect::<Vec<_>>())
    };
    let amount = received(|it| it.gross.base, |it| it.gross.own);
    let withheld = received(|it| it.withheld.base, |it| it.withheld.own);
    let net = received(|it| it.net.base, |it| it.net.own);
    let may_come: Total = expected.iter().map(|it| it.base).collect();
    let term = |it: &Expected<'_>| match it.of.currency == scene.base {
        true => it.formula(),
        false => shown(it.base),
    };
    let terms: Vec<_> = expected.iter().map(term).collect();
    let mut explained = vec![
        say("amount_base", amount.0, base, amount.1, amount.2),
        say("withheld_base", withheld.0, base, withheld.1, withheld.2),
        say("net_base", net.0, base, net.1, net.2),
        say(
            "expected_base",
            may_come.known(),
            base,
            format!("a forecast: {}", sum(&terms, "nothing is expected")),
            expected.iter().flat_map(|it| forecast(&income, it)).collect(),
        ),
    ];
    // A month is nothing that one could hold.
    let is_month = !is_all
        && payments
            .iter()
            .map(|it| it.date)
            .chain(expected.iter().map(|it| it.date))
            .all(|date| month(date) == word);
    if !is_month {
        let yields = income.yields(|account, id| is_all || is_symbol(id) || is_account(account));
        explained.extend(of_yields(&yields, &say));
    }
    found(explained, key, Vec::new())
}

/// The yields, or why there is none.
fn of_yields(
    yields: &Yields,
    say: &impl Fn(
        &'static str,
        Option<Dec>,
        Option<crate::model::Currency>,
        String,
        Vec<Input>,
    ) -> Explanation,
) -> [Explanation; 2] {
    let paid = figure("paid in the last twelve months for what is held", yields.paid);
    let one = |name, part: Result<Dec, crate::report::NoYield>, whole: (&str, Option<Dec>)| {
        let formula = match part {
            Ok(_) => format!("{} / {}", shown(yields.paid), shown(whole.1)),
            Err(why) => format!("n/a: {}", why.as_str()),
        };
        say(name, part.ok(), None, formula, vec![paid.clone(), figure(whole.0, whole.1)])
    };
    [
        one("yield_on_cost", yields.on_cost, ("cost_base", yields.cost)),
        one("yield_on_value", yields.on_value, ("value_base", yields.value)),
    ]
}

/// A row, and the rate of its day.
fn behind(income: &Income, row: &Payment, value: Option<Dec>) -> Vec<Input> {
    let mine = Input {
        id: Some(SafeText::new(&row.id.to_string())),
        date: Some(row.date),
        value,
        source: Some(match row.pending {
            true => SafeText::new("pending"),
            false => SafeText::new(row.origin.as_str()),
        }),
        ..input("row")
    };
    let rate = income.scene.market.rates().on(row.currency, income.scene.base, row.date);
    std::iter::once(mine).chain(rates(rate.as_ref())).collect()
}

/// The row that may come, or the one that is thought to come again.
fn forecast(income: &Income, it: &Expected<'_>) -> Vec<Input> {
    let mine = Input {
        id: Some(SafeText::new(&it.of.id.to_string())),
        date: Some(it.of.date),
        value: it.own,
        source: Some(SafeText::new(it.of.origin.as_str())),
        ..input("row")
    };
    let account = income.scene.account_name(it.account()).unwrap_or_default();
    // No amount stands in words here: they are never masked.
    let words = format!("forecast for {} in {account}", it.date);
    let rate = income.scene.market.rates().on(it.of.currency, income.scene.base, income.scene.day);
    [figure(&words, it.own), mine].into_iter().chain(rates(rate.as_ref())).collect()
}

/// What there is: symbols, accounts, months and the whole.
fn known(income: &Income) -> Vec<SafeText> {
    let scene = &income.scene;
    let places = income.payments().map(|it| (it.security, it.account, it.date));
    let places = places.chain(income.expected().map(|it| (it.of.security, it.account(), it.date)));
    let mut known: Vec<_> = places
        .flat_map(|(security, account, date)| {
            let symbol = security.map(|id| scene.symbol(id));
            let account = scene.account_name(account);
            symbol.into_iter().chain(account).chain([SafeText::new(&month(date))])
        })
        .collect();
    known.sort();
    known.dedup();
    known.push(SafeText::new(ALL));
    known
}
