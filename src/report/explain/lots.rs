//! The figures of open lots.

use super::holding::Subject;
use super::origin::AllOrigins;
use super::{
    Explained, Explanation, Input, at_rate, figure, input, minus, names, shown, subjects,
    tell_of_pending,
};
use crate::model::SafeText;
use crate::report::{LotRow, PositionsQuery};
use crate::store::{PendingRow, Tx};

/// Every figure of the open lots of a symbol.
///
/// # Errors
/// When no lot of that name is open, or the store cannot be read.
pub async fn explain_lots(tx: &mut Tx, query: &PositionsQuery, key: &SafeText) -> Explained {
    let (scene, held) = subjects(tx, query, key).await?;
    let report = crate::report::lots(tx, query).await?;
    let mut explained = Vec::new();
    let mut origins = AllOrigins::default();
    for row in report.rows.iter().filter(|row| names(key, &row.symbol, row.currency)) {
        let mine = held.iter().find(|(held, _)| {
            held.security == row.security_id && scene.account_name(held.account) == row.account
        });
        let Some((held, lots)) = mine else { continue };
        let origins = origins.of(tx, &scene, row.security_id, query.as_of).await?;
        let origin = origins.of_lot(&scene, held.account, row);
        let subject = Subject::new(&scene, held, lots);
        let (own, base) = (row.currency, report.currency);
        let bought = match origin.formula_base {
            Some(average) => (average, Vec::new()),
            None => at_rate(&scene, row.cost, (own, base), row.opened, row.cost_base),
        };
        let today = at_rate(&scene, row.cost, (own, base), report.as_of, None);
        let price = subject.price_inputs();
        let say = |figure, value, currency, formula: String, inputs| Explanation {
            figure,
            of: of(key, row),
            value,
            currency,
            formula,
            inputs,
        };
        let opening = |value| Input {
            id: Some(SafeText::new(&row.opening.to_string())),
            date: Some(row.opened),
            value,
            ..input("row")
        };
        let cost_base = figure("cost_base", row.cost_base);
        let value_base = row.unrealized_base.zip(row.cost_base).and_then(|(a, b)| a.checked_add(b));
        let whole = held.figures.quantity;
        let part = |of: String| match row.quantity == whole {
            true => of,
            false => format!("{of} x {} / {whole}", row.quantity),
        };
        let worth = part(shown(subject.value.local));
        let worth_base = part(shown(subject.value.base));
        let rates = super::rates(subject.value.rate.as_ref());
        let mut mine = vec![
            say(
                "unrealized_base",
                row.unrealized_base,
                Some(base),
                minus(value_base, row.cost_base),
                [
                    vec![opening(Some(row.quantity)), figure("value_base", value_base)],
                    price.clone(),
                    rates.clone(),
                    vec![cost_base.clone()],
                ]
                .concat(),
            ),
            say(
                "unrealized",
                row.unrealized,
                Some(own),
                minus(row.value, row.cost),
                vec![figure("value", row.value), figure("cost", row.cost)],
            ),
            say(
                "unrealized_fx",
                row.unrealized_fx,
                Some(base),
                format!("{} - {}", today.0, shown(row.cost_base)),
                [vec![figure("cost", row.cost)], today.1, vec![cost_base]].concat(),
            ),
            say("value", row.value, Some(own), worth, price.clone()),
            say("value_base", value_base, Some(base), worth_base, [price, rates].concat()),
            say(
                "quantity",
                Some(row.quantity),
                None,
                "what is left of its row".to_owned(),
                vec![opening(Some(row.quantity))],
            ),
            say("cost", row.cost, Some(own), origin.formula, origin.rows.clone()),
            say(
                "cost_base",
                row.cost_base,
                Some(base),
                bought.0,
                [origin.rows, vec![figure("cost", row.cost)], bought.1].concat(),
            ),
        ];
        if row.pending {
            let is_meant = |it: &PendingRow| it.is_of(held.security, held.account);
            tell_of_pending(tx, query.as_of, &mut mine, is_meant).await?;
        }
        explained.extend(mine);
    }
    super::found(explained, key, Vec::new())
}

fn of(key: &SafeText, row: &LotRow) -> SafeText {
    let place = row.account.as_ref().map_or("in transit", SafeText::as_str);
    SafeText::new(&format!("{key} of {} in {place}", row.opened))
}
