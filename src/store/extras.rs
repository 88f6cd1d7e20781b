//! The small lists: categories and targets, and what an import brought to any of them.

use super::cell::{Cell, D};
use super::record::Record;
use super::row::both_rows;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{BatchId, CategoryId, Dec, SafeText};

/// A category of spending or income.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryRecord {
    /// Its identity.
    pub id: CategoryId,
    /// Unique in a store.
    pub name: SafeText,
    /// What it is a part of.
    pub parent: Option<CategoryId>,
    /// The import that made it.
    pub batch: Option<BatchId>,
}

/// How much of the whole something should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `class`, `currency`, `security` and so on.
    pub dimension: SafeText,
    /// Which of them.
    pub key: SafeText,
    /// A part of 1.
    pub weight: Dec,
    /// How far off is still right, a part of 1; none: as usual.
    pub band: Option<Dec>,
    /// The import that brought it.
    pub batch: Option<BatchId>,
}

both_rows!(CategoryRecord, |row| {
    Ok(Self {
        id: CategoryId(row.try_get(0)?),
        name: SafeText::new(row.try_get(1)?),
        parent: row.try_get::<Option<i64>, _>(2)?.map(CategoryId),
        batch: row.try_get::<Option<i64>, _>(3)?.map(BatchId),
    })
});

both_rows!(Target, |row| {
    Ok(Self {
        dimension: SafeText::new(row.try_get(0)?),
        key: SafeText::new(row.try_get(1)?),
        weight: row.try_get::<D, _>(2)?.0,
        band: row.try_get::<Option<D>, _>(3)?.map(|band| band.0),
        batch: row.try_get::<Option<i64>, _>(4)?.map(BatchId),
    })
});

impl Record for CategoryRecord {
    const TABLE: &'static str = "categories";
    const COLUMNS: &'static [&'static str] = &["id", "name", "parent_id", "batch_id"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id.0)),
            Cell::text(&self.name),
            Cell::Int(self.parent.map(|id| id.0)),
            Cell::Int(self.batch.map(|id| id.0)),
        ]);
    }
}

impl Record for Target {
    const TABLE: &'static str = "targets";
    const COLUMNS: &'static [&'static str] = &["dimension", "key", "weight", "band", "batch_id"];
    const KEYS: usize = 2;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::text(&self.dimension),
            Cell::text(&self.key),
            Cell::Dec(Some(self.weight)),
            Cell::Dec(self.band),
            Cell::Int(self.batch.map(|id| id.0)),
        ]);
    }
}

impl Tx {
    /// Every category, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn categories(&mut self) -> Result<Vec<CategoryRecord>> {
        const SQL: &str = "select id, name, parent_id, batch_id from categories order by name";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// Every target.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn targets(&mut self) -> Result<Vec<Target>> {
        const SQL: &str =
            "select dimension, key, weight, band, batch_id from targets order by dimension, key";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }
}

impl WriteTx {
    /// Adds categories whose ids and names are new.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_categories(&mut self, rows: &[CategoryRecord]) -> Result<()> {
        self.insert(rows).await
    }

    /// Writes a category over its older version.
    ///
    /// # Errors
    /// When the database refuses or there is no such category.
    pub async fn update_category(&mut self, row: &CategoryRecord) -> Result<()> {
        self.update(row).await
    }

    /// Takes a category away that nothing has; tells whether it is gone.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_category(&mut self, id: CategoryId) -> Result<bool> {
        const SQL: &str = "delete from categories where id = $1 and not exists \
             (select 1 from transactions where category_id = $1) and not exists \
             (select 1 from categories where parent_id = $1)";
        let gone = on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(id.0).execute(&mut **conn).await?.rows_affected()
        });
        Ok(gone > 0)
    }

    /// Sets a target, over an older one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_target(&mut self, row: &Target) -> Result<()> {
        self.remove(row).await?;
        self.insert(std::slice::from_ref(row)).await
    }

    /// Takes a target away; tells whether there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_target(&mut self, dimension: &str, key: &str) -> Result<bool> {
        const SQL: &str = "delete from targets where dimension = $1 and key = $2";
        let gone = on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(dimension).bind(key).execute(&mut **conn).await?.rows_affected()
        });
        Ok(gone > 0)
    }

    /// Takes away what a batch brought to the small lists, where nothing uses it any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_extras_of(&mut self, batch: BatchId) -> Result<()> {
        for sql in [
            "delete from watchlist where batch_id = $1",
            "delete from alerts where batch_id = $1",
            "delete from targets where batch_id = $1",
        ] {
            on_tx!(&mut self.tx, conn => sqlx::query(sql).bind(batch.0).execute(&mut **conn).await.map(drop)?);
        }
        // Children before parents: a pass for every level that there may be.
        const CATEGORIES: &str = "delete from categories where batch_id in \
             (select id from batches where undone is not null or id = $1) and id not in \
             (select category_id from transactions where category_id is not null) and id not in \
             (select parent_id from categories where parent_id is not null)";
        loop {
            let gone = on_tx!(&mut self.tx, conn => {
                sqlx::query(CATEGORIES).bind(batch.0).execute(&mut **conn).await?.rows_affected()
            });
            if gone == 0 {
                return Ok(());
            }
        }
    }
}
