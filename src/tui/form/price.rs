//! The price of a security or the rate of a currency on a day.

use super::field::{Choice, Field, Sort};
use super::row::{symbol_of, symbols, unit};
use super::{Around, Fault, Fields, Sheet};
use crate::model::{Change, PriceSubject, SafeText, SecurityId};
use crate::service::price::{PriceWords, quote};

/// A price or a rate.
#[derive(Debug)]
pub struct NewPrice(pub Option<SecurityId>);

impl Sheet for NewPrice {
    fn title(&self) -> String {
        "Set a price or a rate".to_owned()
    }

    fn begin(&mut self, around: &Around<'_>) -> Option<Fields> {
        let known = around.known;
        let mut all = symbols(&known.securities);
        let base = around.look.snapshot.as_ref().map(|shown| shown.currency);
        let mut used: Vec<_> = known.accounts.iter().map(|it| it.currency).collect();
        used.extend(known.securities.iter().map(|it| it.currency));
        used.sort();
        used.dedup();
        let others = used.iter().filter(|it| Some(**it) != base);
        all.extend(
            others.map(|it| Choice::of(format!("fx:{it}"), format!("rate of {}", it.name()))),
        );
        let symbol = self.0.and_then(|id| symbol_of(known, id));
        let security = self.0.and_then(|id| known.securities.iter().find(|it| it.id == id));
        let currency = security.map(|it| it.currency).or(base);
        let currency = currency.map(|it| it.code().to_owned()).unwrap_or_default();
        let fields = Fields::of(vec![
            Field::new("symbol", Sort::Open(all)).with(symbol.unwrap_or_default()),
            Field::new("close", Sort::Number).called("price"),
            Field::new("date", Sort::Day).with(around.today.to_string()),
            Field::new("currency", Sort::Text).proposing(currency),
            Field::new("open", Sort::Number),
            Field::new("high", Sort::Number),
            Field::new("low", Sort::Number),
            Field::new("volume", Sort::Number),
            Field::new("source", Sort::Text).with("hand"),
        ]);
        Some(if self.0.is_some() { fields.beginning_at("close") } else { fields })
    }

    fn settle(&self, fields: &mut Fields) {
        fields.follow_currency(&["symbol"]);
    }

    fn note(&self, fields: &Fields) -> Option<String> {
        let symbol = fields.text("symbol");
        let code = symbol.strip_prefix("fx:").filter(|code| !code.is_empty())?;
        Some(format!("What one {code} costs in {}.", fields.text("currency")))
    }

    fn read(&self, fields: &Fields) -> Result<Vec<Change>, Fault> {
        let words = PriceWords {
            symbol: Fields::needed("symbol", fields.name("symbol"))?,
            date: Fields::needed("date", fields.day("date"))?,
            close: Fields::needed("close", fields.dec("close"))?,
            currency: Fields::needed("currency", fields.read("currency", unit))?,
            open: fields.dec("open")?,
            high: fields.dec("high")?,
            low: fields.dec("low")?,
            volume: fields.dec("volume")?,
            source: fields.name("source")?.unwrap_or_else(|| SafeText::new("hand")),
        };
        let mut quote = quote(&words).map_err(|problem| {
            let names = ["symbol", "date", "close", "currency", "open", "high", "low", "volume"];
            let column = problem.column.as_ref();
            let field =
                names.into_iter().find(|name| column.is_some_and(|it| it.as_str() == *name));
            Fault { field, why: problem.why.to_string() }
        })?;
        if let Some(mention) = fields.choice("symbol").and_then(|it| it.mention.clone()) {
            quote.subject = PriceSubject::Security(mention);
        }
        Ok(vec![Change::SetPrice(Box::new(quote))])
    }

    fn done(&self) -> &'static str {
        "set the price"
    }
}
