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
    let quoted = |it: &&Security| mention.currency.is_none_or(|currency| currency == it.currency);
    let is_meant = |it: &&Security| {
        quoted(it) && it.symbol == mention.symbol
            || it.isin.as_ref().is_some_and(|isin| isin.as_str() == text)
    };
    let all: Vec<_> = tx.securities().await?.into_iter().map(|row| row.security).collect();
    let mut found: Vec<_> = all.iter().filter(is_meant).map(|it| it.id).collect();
    if found.is_empty() {
        let former = tx.security_symbols().await?.into_iter();
        let former = former.filter(|row| row.symbol == mention.symbol && row.is_alias());
        let former = former.filter_map(|row| all.iter().find(|it| it.id == row.security));
        found.extend(former.filter(quoted).map(|it| it.id));
        found.dedup();
    }
    Ok(<[SecurityId; 1]>::try_from(found).ok().map(|[one]| one))
}
