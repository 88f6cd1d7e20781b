//! The verbs over the nouns of `model`: lots, rates, prices, proposals. Pure functions: no store,
//! no clock, no waiting.

pub mod bars;
pub mod fx;
pub mod indicators;
pub mod lots;
pub mod moves;
pub mod pairs;
pub mod pricing;
pub mod rebalance;
pub mod returns;
pub mod source;
pub mod splits;
