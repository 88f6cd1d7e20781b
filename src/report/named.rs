//! The security that a person names, where they name one and no other.

use super::Result;
use crate::model::{Mention, Security, SecurityId};
use crate::store::Tx;

/// What a symbol, `SYM@CUR` or an ISIN means today, or else what was called so once; none: nothing,
/// or several.
///
/// # Errors
/// When the store cannot be read.
pub async fn named(tx: &mut Tx, text: &str) -> Result<Option<SecurityId>> {
    let Ok(mention) = Mention::parse(text) else { return Ok(None) };
    let is_meant = |it: &Security| {
        let quoted = mention.currency.is_none_or(|currency| currency == it.currency);
        quoted && it.symbol == mention.symbol
            || it.isin.as_ref().is_some_and(|isin| isin.as_str() == text)
    };
    let all = tx.securities().await?.into_iter().map(|row| row.security);
    let mut found: Vec<_> = all.filter(is_meant).map(|it| it.id).collect();
    if found.is_empty() {
        let former = tx.security_symbols().await?.into_iter();
        found.extend(former.filter(|row| row.symbol == mention.symbol).map(|row| row.security));
        found.dedup();
    }
    Ok(<[SecurityId; 1]>::try_from(found).ok().map(|[one]| one))
}
