//! The figures of realized gains.

use super::holding::sale;
use super::origin::{AllOrigins, Origin};
use super::{
    Explained, Explanation, Input, at_rate, figure, found, input, keys, minus, names, shown,
    tell_of_pending,
};
use crate::figures::{Otherwise, Scope};
use crate::model::SafeText;
use crate::report::valuation::Scene;
use crate::report::{GainRow, GainsQuery};
use crate::store::{PendingRow, Tx};

/// Every figure of the realized gains of a symbol, or of one row that closed lots.
///
/// # Errors
/// When nothing of that name was realized, or the store cannot be read.
pub async fn explain_gains(tx: &mut Tx, query: &GainsQuery, key: &SafeText) -> Explained {
    let report = crate::report::gains(tx, query).await?;
    let otherwise = Otherwise { method: query.method, base: query.currency };
    let scene = Scene::with(tx, query.to, query.to, Scope::History, otherwise).await?;
    let is_meant = |row: &&GainRow| {
        names(key, &row.symbol, row.currency) || row.closing.to_string() == key.as_str()
    };
    let mut explained = Vec::new();
    let mut origins = AllOrigins::default();
    for row in report.rows.iter().filter(is_meant) {
        let mut accounts = scene.accounts.iter();
        let account = accounts.find(|(_, it)| it.account.name == row.account).map(|(id, _)| *id);
        let Some(account) = account else { continue };
        let origins = origins.of(tx, &scene, row.security_id, query.to).await?;
        let origin = origins.sold(&scene, account, row);
        let mut mine = of_sale(&scene, row, &origin);
        let is_its = |it: &PendingRow| it.id == row.closing || row.opening == Some(it.id);
        tell_of_pending(tx, query.to, &mut mine, is_its).await?;
        explained.extend(mine);
    }
    let known = keys(report.rows.iter().map(|row| (&row.symbol, row.currency)));
    found(explained, key, known)
}

fn of_sale(scene: &Scene, row: &GainRow, origin: &Origin) -> Vec<Explanation> {
    let of = format!("{} bought {} sold {} in {}", row.symbol, row.opened, row.closed, row.account);
    let of = SafeText::new(&of);
    let (own, base) = (row.currency, scene.base);
    // A short was sold when it was opened.
    let short = row.quantity.is_negative();
    let lot = |value| Input {
        id: row.opening.map(|id| SafeText::new(&id.to_string())),
        date: Some(row.opened),
        value,
        ..input("lot")
    };
    let ends =
        |value| if short { (sale(row, value), row.closed) } else { (lot(value), row.opened) };
    let (cost_row, bought) = ends(row.cost);
    let (sold_row, sold) =
        if short { (lot(row.proceeds), row.opened) } else { (sale(row, row.proceeds), row.closed) };
    // What a short cost is what the row that closed it took.
    let (costing, behind) = match short {
        true => ("what its row cost, by quantity".to_owned(), Vec::new()),
        false => (origin.formula.clone(), origin.rows.clone()),
    };
    let cost_rows = [vec![cost_row], behind].concat();
    let cost = at_rate(scene, row.cost, (own, base), bought, row.cost_base);
    let proceeds = at_rate(scene, row.proceeds, (own, base), sold, row.proceeds_base);
    // What the lot had cost; of a short what it brought, negative.
    let (lots_cost, lots_base) = match short {
        true => (row.proceeds.map(|it| -it), row.proceeds_base.map(|it| -it)),
        false => (row.cost, row.cost_base),
    };
    let now = at_rate(scene, lots_cost, (own, base), row.closed, None);
    let say = |figure, value, currency, formula: String, inputs| Explanation {
        figure,
        of: of.clone(),
        value,
        currency,
        formula,
        inputs,
    };
    let two = |a: (&str, _), b: (&str, _)| vec![figure(a.0, a.1), figure(b.0, b.1)];
    let in_base = two(("proceeds_base", row.proceeds_base), ("cost_base", row.cost_base));
    let in_own = two(("proceeds", row.proceeds), ("cost", row.cost));
    vec![
        say(
            "gain_base",
            row.gain_base,
            Some(base),
            minus(row.proceeds_base, row.cost_base),
            in_base,
        ),
        say("gain", row.gain, Some(own), minus(row.proceeds, row.cost), in_own),
        say(
            "gain_fx",
            row.gain_fx,
            Some(base),
            format!("{} - {}", now.0, shown(lots_base)),
            [vec![lot(lots_cost)], now.1, vec![figure("lot in base", lots_base)]].concat(),
        ),
        say(
            "proceeds",
            row.proceeds,
            Some(own),
            "what its row brought, by quantity".to_owned(),
            vec![sold_row.clone()],
        ),
        say("cost", row.cost, Some(own), costing, cost_rows.clone()),
        say(
            "proceeds_base",
            row.proceeds_base,
            Some(base),
            proceeds.0,
            [vec![sold_row], proceeds.1].concat(),
        ),
        say("cost_base", row.cost_base, Some(base), cost.0, [cost_rows, cost.1].concat()),
        say(
            "quantity",
            Some(row.quantity),
            None,
            "the part of the lot that its row closed".to_owned(),
            vec![lot(Some(row.quantity)), sale(row, Some(row.quantity))],
        ),
    ]
}
