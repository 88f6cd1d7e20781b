//! What lies over a pane for a while. The top one hears keys first.

mod ask;
mod columns;
mod command;
mod complete;
mod confirm;
mod explain;
mod help;
mod page;
mod palette;
mod prompt;
mod sign_in;
mod sort;

pub use ask::{Again, Ask, Asked, Step};
pub use columns::{Chosen, ColumnsMenu};
#[cfg(test)]
pub use command::words;
pub use command::{Command, ViewCommand, asks_for_secret, parse as parse_command};
pub use complete::{asks, complete, take_in};
pub use confirm::{Confirm, Said};
pub use explain::{draw as draw_explanation, last_top as last_line};
pub use help::Help;
pub use page::Page;
pub use palette::{Entry, Palette};
pub use prompt::{Prompt, PromptKind};
pub use sort::{SortMenu, Sorted};

use super::form::Form;

/// What lies over the pane.
#[derive(Debug)]
pub enum Overlay {
    /// A line that is typed.
    Prompt(Prompt),
    /// The keys of this pane.
    Help(Help),
    /// A text to be read.
    Page(Page),
    /// Commands by name.
    Palette(Palette),
    /// What the rows can be put in order by.
    Sort(SortMenu),
    /// Which columns are shown.
    Columns(ColumnsMenu),
    /// Something that is done once somebody says yes.
    Confirm(Box<Confirm>),
    /// What nobody else may see.
    Ask(Box<Ask>),
    /// What is changed by hand.
    Form(Box<Form>),
    /// How a figure came about.
    Explain {
        /// The first line that is seen.
        top: usize,
    },
}
