//! Net worth and its parts.

use super::{Explained, Explanation, figure, found, shown, sum, tell_of_pending};
use crate::model::SafeText;
use crate::report::NetWorthQuery;
use crate::report::net_worth::{self, Part};
use crate::store::{PendingRow, Tx};

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
        let terms: Vec<_> = mine.iter().map(|item| shown(item.value)).collect();
        let inputs = mine.iter().flat_map(|item| {
            let value = figure(item.name.as_str(), item.value);
            std::iter::once(value).chain(item.from.iter().cloned())
        });
        let formula = sum(&terms, "there is nothing of it");
        explained.push(say(part.as_str(), value, formula, inputs.collect()));
    }
    if row.pending {
        let counted = net_worth::counted(tx, query).await?;
        let is_meant = |it: &PendingRow| counted.contains(&it.account);
        tell_of_pending(tx, query.to, &mut explained, is_meant).await?;
    }
    let known: Vec<_> = explained.iter().map(|it| SafeText::new(it.figure)).collect();
    explained.retain(|it| key.as_str() == "net_worth" || it.figure == key.as_str());
    found(explained, key, known)
}
