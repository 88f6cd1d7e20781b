//! What the benches share: a portfolio, a folder for it, child processes that are measured, and a
//! table of what came out.

#![allow(dead_code, reason = "each bench uses a part of it")]

pub mod bench;
pub mod measure;
pub mod portfolio;
pub mod screen;
pub mod store;
pub mod table;
pub mod typist;
