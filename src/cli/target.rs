//! `target` as clap sees it.

use clap::{Args, Subcommand};

use super::values::{dimension, name, part};
use crate::model::{Dec, Dimension, SafeText};

/// `target`.
#[derive(Debug, Subcommand)]
pub enum TargetCommand {
    /// List the targets
    List,
    /// Say how much of the whole something should be
    Set(TargetSetArgs),
    /// Take a target away
    Remove {
        /// What the whole is cut by
        #[arg(value_name = "BY", ignore_case = true, value_parser = dimension())]
        by: Dimension,
        /// Which slice
        #[arg(value_name = "KEY", value_parser = name)]
        key: SafeText,
    },
}

/// `target set`.
#[derive(Debug, Args)]
pub struct TargetSetArgs {
    /// What the whole is cut by
    #[arg(value_name = "BY", ignore_case = true, value_parser = dimension())]
    pub by: Dimension,
    /// Which slice, as `report allocation --by` calls it
    #[arg(value_name = "KEY", value_parser = name)]
    pub key: SafeText,
    /// Its part of the whole, like 0.6 or 60%
    #[arg(value_name = "WEIGHT", value_parser = part)]
    pub weight: Dec,
    /// How far off is still right, like 0.02 or 2% [default: 5%]
    #[arg(long, value_name = "PART", value_parser = part)]
    pub band: Option<Dec>,
}
