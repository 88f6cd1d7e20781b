//! THE table of what a person can do with a key, and the chords that do it, as data.
//!
//! The keymap, its overrides and their conflicts, the help, the bottom bar, the palette,
//! `dashtam keys` and the table of the README are all derived from here: a new action is one line in
//! the table of [`Action`]. This room knows neither how a terminal sends keys nor what an action does.

mod action;
mod chord;
mod conflict;
mod context;
mod keymap;

pub use action::Action;
pub use chord::{Chord, ChordError, Key, parse_chords, spelled};
pub use conflict::Conflict;
pub use context::Context;
pub use keymap::{Found, Keymap};
