//! What lies over a pane for a while. The top one hears keys first.

mod command;
mod complete;
mod confirm;
mod explain;
mod help;
mod palette;
mod prompt;
mod sort;

pub use command::{Command, parse as parse_command};
pub use complete::{asks, complete, take_in};
pub use confirm::{Confirm, Said};
pub use explain::draw as draw_explanation;
pub use help::Help;
pub use palette::Palette;
pub use prompt::{Prompt, PromptKind};
pub use sort::{SortMenu, Sorted};

/// What lies over the pane.
#[derive(Debug)]
pub enum Overlay {
    /// A line that is typed.
    Prompt(Prompt),
    /// The keys of this pane.
    Help(Help),
    /// Commands by name.
    Palette(Palette),
    /// What the rows can be put in order by.
    Sort(SortMenu),
    /// Something that is done once somebody says yes.
    Confirm(Box<Confirm>),
    /// How a figure came about.
    Explain {
        /// The first line that is seen.
        top: usize,
    },
}
