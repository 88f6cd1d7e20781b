//! Everything that is known of a security itself: what it is and was called, who prices it, and how
//! it was split.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Result;
use super::valuation::Scene;
use crate::analytics::source::source_order;
use crate::figures::Otherwise;
use crate::model::{Ratio, SafeText, Security, SecurityId};
use crate::store::{SymbolRecord, Tx};

/// Which security, and on which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecurityQuery {
    /// Which.
    pub security: SecurityId,
    /// Up to this day.
    pub to: NaiveDate,
    /// Today, in the zone of the store.
    pub today: NaiveDate,
}

/// A security.
#[derive(Clone, Debug)]
pub struct SecurityDetail {
    /// What it is.
    pub security: Security,
    /// What else it is called, or was, by whom.
    pub symbols: Vec<SymbolRecord>,
    /// Who prices it, whom to believe first.
    pub sources: Vec<SourceSpan>,
    /// Its splits that count, oldest first.
    pub splits: Vec<(NaiveDate, Ratio)>,
}

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpan {
    /// Who.
    pub source: SafeText,
    /// Its prices count units of today: it restated them for later splits.
    pub split_adjusted: bool,
    /// How many days it priced.
    pub days: usize,
    /// The first of them.
    pub first: NaiveDate,
    /// The last of them.
    pub last: NaiveDate,
}

/// Everything that is known of a security; none: there is none of this number.
///
/// # Errors
/// When the store cannot be read.
pub async fn security_detail(tx: &mut Tx, query: &SecurityQuery) -> Result<Option<SecurityDetail>> {
    let SecurityQuery { security: id, to, today } = *query;
    let all = tx.securities().await?.into_iter();
    let Some(security) = all.map(|row| row.security).find(|it| it.id == id) else {
        return Ok(None);
    };
    let symbols = tx.security_symbols().await?.into_iter();
    let symbols = symbols.filter(|row| row.security == id).collect();
    let scene = Scene::of_day(tx, to, today, Otherwise::default()).await?;
    let mut spans: BTreeMap<(SafeText, bool), SourceSpan> = BTreeMap::new();
    for told in tx.daily_bars(id, NaiveDate::MIN, to).await? {
        let (source, day) = (SafeText::new(told.source.as_str()), told.bar.date);
        let span = spans.entry((source.clone(), told.split_adjusted)).or_insert(SourceSpan {
            source,
            split_adjusted: told.split_adjusted,
            days: 0,
            first: day,
            last: day,
        });
        span.days += 1;
        (span.first, span.last) = (span.first.min(day), span.last.max(day));
    }
    let mut sources: Vec<_> = spans.into_values().collect();
    sources.sort_by(|a, b| source_order(a.source.as_str()).cmp(&source_order(b.source.as_str())));
    let splits = scene.market.splits(id).to_vec();
    Ok(Some(SecurityDetail { security, symbols, sources, splits }))
}
