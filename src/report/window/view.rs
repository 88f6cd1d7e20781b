//! Which rows a window shows, and what is known of those around it.

use super::walk::{Placed, Walk, Walker, Way};
use super::{At, NextRow, Ruler, WindowQuery, ruler};
use crate::model::TransactionId;
use crate::store::Result;

/// The rows of a window, the newest first.
#[derive(Default)]
pub(super) struct View {
    pub rows: Vec<Placed>,
    pub first_is_newest: bool,
    pub last_is_oldest: bool,
    pub first_row: FirstRow,
}

/// The number of the first row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum FirstRow {
    #[default]
    Unknown,
    Number(u64),
    /// The last row is the oldest.
    FromTheEnd,
}

/// Some rows in the order of a walk, and whether it came to its end.
type Part = (Vec<Placed>, bool);

/// Goes where a query wants to look. Each of its questions has no answer where somebody said stop.
pub(super) struct Looker<'a, G: Fn() -> bool> {
    pub walker: Walker<'a, G>,
    pub query: &'a WindowQuery,
    pub ruler: Option<&'a Ruler>,
}

impl<G: Fn() -> bool> Looker<'_, G> {
    pub async fn look(&mut self) -> Result<Option<View>> {
        if self.query.rows == 0 {
            return Ok(Some(View::default()));
        }
        match self.query.at {
            At::Newest => self.newest().await,
            At::Oldest => self.oldest().await,
            At::Row(number) => self.numbered(number.max(1)).await,
            At::Before(id) | At::After(id) | At::Around(id) => match self.row(id).await? {
                None => self.newest().await,
                Some(row) => match self.query.at {
                    At::Before(_) => self.before(&row).await,
                    At::After(_) => self.after(&row).await,
                    _ => self.around(&row).await,
                },
            },
        }
    }

    async fn newest(&mut self) -> Result<Option<View>> {
        let Some((rows, end)) = self.walk(Walk::all(Way::Older), self.query.rows).await? else {
            return Ok(None);
        };
        let first_row = FirstRow::Number(1);
        Ok(Some(View { rows, first_is_newest: true, last_is_oldest: end, first_row }))
    }

    async fn oldest(&mut self) -> Result<Option<View>> {
        let Some((mut rows, end)) = self.walk(Walk::all(Way::Newer), self.query.rows).await? else {
            return Ok(None);
        };
        rows.reverse();
        let first_row = FirstRow::FromTheEnd;
        Ok(Some(View { rows, first_is_newest: end, last_is_oldest: true, first_row }))
    }

    async fn after(&mut self, row: &Placed) -> Result<Option<View>> {
        let walk = Walk::behind(Way::Older, row);
        let Some((rows, end)) = self.walk(walk, self.query.rows).await? else { return Ok(None) };
        let Some(first_is_newest) = self.is_end(Way::Newer, row).await? else { return Ok(None) };
        let first_row = FirstRow::Unknown;
        Ok(Some(View { rows, first_is_newest, last_is_oldest: end, first_row }))
    }

    async fn before(&mut self, row: &Placed) -> Result<Option<View>> {
        let walk = Walk::behind(Way::Newer, row);
        let Some((mut rows, end)) = self.walk(walk, self.query.rows).await? else {
            return Ok(None);
        };
        let Some(last_is_oldest) = self.is_end(Way::Older, row).await? else { return Ok(None) };
        rows.reverse();
        let first_row = FirstRow::Unknown;
        Ok(Some(View { rows, first_is_newest: end, last_is_oldest, first_row }))
    }

    /// Half of the rows before this one; where one side has too few, the other has more.
    async fn around(&mut self, row: &Placed) -> Result<Option<View>> {
        let wanted = self.query.rows;
        let newer = Walk::behind(Way::Newer, row);
        let older = Walk { with_it: true, ..Walk::behind(Way::Older, row) };
        let Some((mut rows, mut first_is_newest)) = self.walk(newer, wanted / 2).await? else {
            return Ok(None);
        };
        let left = wanted - rows.len();
        let Some((after, last_is_oldest)) = self.walk(older, left).await? else { return Ok(None) };
        if after.len() < left && !first_is_newest {
            let Some(more) = self.walk(newer, wanted - after.len()).await? else {
                return Ok(None);
            };
            (rows, first_is_newest) = more;
        }
        rows.reverse();
        rows.extend(after);
        let first_row = FirstRow::Unknown;
        Ok(Some(View { rows, first_is_newest, last_is_oldest, first_row }))
    }

    /// From the row of this number on, or the last rows where there are fewer.
    async fn numbered(&mut self, number: u64) -> Result<Option<View>> {
        let mut walk = Walk::all(Way::Older);
        let before = if self.walker.everything {
            let made;
            let ruler = match self.ruler {
                Some(ruler) => ruler,
                None => {
                    made = ruler(self.walker.tx, self.query.account).await?;
                    &made
                }
            };
            let Some((day, before)) = ruler.find(self.query.to, number) else {
                return self.oldest().await;
            };
            walk.to = Some(day);
            before
        } else {
            number - 1
        };
        walk.skip = usize::try_from(before).unwrap_or(usize::MAX);
        let Some((rows, end)) = self.walk(walk, self.query.rows).await? else { return Ok(None) };
        if rows.is_empty() && number > 1 {
            return self.oldest().await;
        }
        let first_row = FirstRow::Number(number);
        Ok(Some(View { rows, first_is_newest: number == 1, last_is_oldest: end, first_row }))
    }

    /// The row that a search from the place of the query comes to, towards the newest from
    /// `Before` or `Oldest` and towards the oldest from any other; it goes on from the other end.
    pub async fn next(&mut self) -> Result<Option<NextRow>> {
        let (way, from) = match self.query.at {
            At::Before(id) => (Way::Newer, self.row(id).await?),
            At::After(id) => (Way::Older, self.row(id).await?),
            At::Oldest => (Way::Newer, None),
            _ => (Way::Older, None),
        };
        if let Some(from) = &from {
            let Some((rows, _)) = self.walk(Walk::behind(way, from), 1).await? else {
                return Ok(None);
            };
            if let Some(row) = rows.first() {
                return Ok(Some(NextRow { id: Some(row.row.transaction.id), around: false }));
            }
        }
        let Some((rows, _)) = self.walk(Walk::all(way), 1).await? else { return Ok(None) };
        let id = rows.first().map(|row| row.row.transaction.id);
        Ok(Some(NextRow { id, around: from.is_some() }))
    }

    async fn row(&mut self, id: TransactionId) -> Result<Option<Placed>> {
        let row = self.walker.tx.transaction(id).await?;
        Ok(row.map(|row| Placed::new(self.walker.names, row)))
    }

    /// Whether nothing that fits is this row or beyond it.
    async fn is_end(&mut self, way: Way, row: &Placed) -> Result<Option<bool>> {
        if self.walker.fits(row).await? {
            return Ok(Some(false));
        }
        let beyond = self.walk(Walk::behind(way, row), 1).await?;
        Ok(beyond.map(|(rows, _)| rows.is_empty()))
    }

    /// So many rows. One more is looked for where that costs nothing, to know whether there is one.
    async fn walk(&mut self, walk: Walk<'_>, rows: usize) -> Result<Option<Part>> {
        let wanted = rows + usize::from(self.walker.everything);
        if wanted == 0 {
            return Ok(Some((Vec::new(), false)));
        }
        let found = self.walker.walk(Walk { rows: wanted, ..walk }).await?;
        Ok(found.map(|mut found| {
            let end = found.len() < wanted;
            found.truncate(rows);
            (found, end)
        }))
    }
}
