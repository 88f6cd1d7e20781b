//! What sources call a security.

use super::book::Book;
use super::steps::{Step, Turn};
use super::{Error, Result};
use crate::model::{Column, Refusal, SafeText, SecurityId, Why};
use crate::store::{SymbolRecord, WriteTx};

/// Says what a source calls a security; none: as everybody does.
pub(super) async fn put(
    tx: &mut WriteTx,
    book: &Book,
    security: SecurityId,
    source: SafeText,
    symbol: Option<SafeText>,
) -> Result<Step> {
    book.security(security)?;
    if SymbolRecord::is_alias_by(&source) || source.is_empty() {
        let why = Why::Other("name a source of prices, as its provider is called");
        return Err(Refusal { column: Column("source"), why }.into());
    }
    let was = find(tx, security, &source).await?;
    let is = symbol.map(|symbol| SymbolRecord { security, source, symbol, until: None });
    write(tx, was.as_ref(), is.as_ref()).await?;
    Ok(Step::Symbol(Turn { was, is }))
}

/// Goes back to what a source called a security.
pub(super) async fn take_back(tx: &mut WriteTx, turn: &Turn<SymbolRecord>) -> Result<()> {
    let Some(place) = turn.is.as_ref().or(turn.was.as_ref()) else { return Ok(()) };
    let now = find(tx, place.security, &place.source).await?;
    if now != turn.is {
        let what = format!("what {} calls it", place.source);
        return Err(Error::ChangedSince(SafeText::new(&what)));
    }
    write(tx, now.as_ref(), turn.was.as_ref()).await
}

async fn find(
    tx: &mut WriteTx,
    security: SecurityId,
    source: &SafeText,
) -> Result<Option<SymbolRecord>> {
    let all = tx.security_symbols().await?.into_iter();
    let mut mine = all.filter(|row| row.security == security && row.source == *source);
    Ok(mine.next())
}

async fn write(
    tx: &mut WriteTx,
    was: Option<&SymbolRecord>,
    is: Option<&SymbolRecord>,
) -> Result<()> {
    match (was, is) {
        (_, Some(is)) => tx.put_symbol(is).await?,
        (Some(was), None) => tx.remove_symbol(was).await?,
        (None, None) => {}
    }
    Ok(())
}
