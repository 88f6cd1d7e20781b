//! Stores of the generator's portfolio, to look at.

use std::path::PathBuf;

use super::bench::{Bench, announce};
use super::portfolio::{Files, TEN_YEARS};
use super::{measure, portfolio};

impl Bench {
    /// A store with so many rows and their prices.
    pub fn filled(&self, rows: u32) -> PathBuf {
        announce(&format!("a store of {rows} rows"));
        let (csv, prices) = (self.path("rows.csv"), self.path("prices.csv"));
        let files = Files { rows: csv.clone(), prices: Some(prices.clone()), journal: None };
        portfolio::write(&files, TEN_YEARS, rows, 200).unwrap();
        let store = self.path(&format!("{rows}.store"));
        let mut import = self.dashtam("import --json --data-dir");
        measure::run(import.arg(&store).arg(&csv).arg(&prices));
        store
    }
}
