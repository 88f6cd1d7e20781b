//! The dashboard: an event loop over an [`App`] that knows neither terminals nor stores.
//!
//! A key becomes an action by `keys`, the action changes the app and may ask for effects; the
//! screen is drawn from the app when anything changed, and not otherwise. What is shown comes from
//! `state`; what is written goes to `service`. Nothing in here waits for either.

mod app;
mod brush;
mod desk;
mod errand;
mod events;
mod figure;
mod folders;
mod form;
mod frame;
mod guide;
mod layout;
mod live;
mod look;
mod memory;
mod overlay;
mod painter;
mod pane;
mod run;
mod screen;
mod sign_in;
mod signals;
mod sizes;
mod theme;
mod widget;

pub use app::{App, Effect, Msg, Options};
pub use errand::{Done, Edit, Edited, Errand, Hidden, Upshot};
pub use folders::Listed;
pub use form::Proposal;
pub use memory::Memo;
pub use run::{Ended, Error, Keyboard, run};
pub use theme::{Theme, ThemeName, Tone};
