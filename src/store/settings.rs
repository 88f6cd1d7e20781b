//! The settings that change figures.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::record::Record;
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::Setting;

pub(super) struct SettingRecord {
    pub key: String,
    pub value: String,
}

impl Record for SettingRecord {
    const TABLE: &'static str = "settings";
    const COLUMNS: &'static [&'static str] = &["key", "value"];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([Cell::text(&self.key), Cell::text(&self.value)]);
    }
}

impl Tx {
    /// The settings that somebody chose.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn settings(&mut self) -> Result<BTreeMap<String, String>> {
        let rows = self.checked_settings().await?;
        Ok(rows.into_iter().map(|(key, value, _)| (key, value)).collect())
    }

    pub(super) async fn checked_settings(&mut self) -> Result<Vec<(String, String, i64)>> {
        const SQL: &str = "select key, value, checksum from settings order by key";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The value of a setting, its default where nobody chose one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn setting(&mut self, setting: Setting) -> Result<Option<String>> {
        let chosen = self.settings().await?.remove(setting.key());
        Ok(chosen.or_else(|| setting.default().map(str::to_owned)))
    }
}

impl WriteTx {
    /// Chooses the value of a setting.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_setting(&mut self, setting: Setting, value: &str) -> Result<()> {
        let row = SettingRecord { key: setting.key().to_owned(), value: value.to_owned() };
        self.note_setting();
        self.remove(&row).await?;
        self.insert(&[row]).await
    }

    /// Leaves a setting to its default again.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_setting(&mut self, setting: Setting) -> Result<()> {
        self.note_setting();
        self.remove(&SettingRecord { key: setting.key().to_owned(), value: String::new() }).await
    }
}
