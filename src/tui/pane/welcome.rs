//! What there is to do where there is nothing yet: doors, and each leads somewhere.
//!
//! ```text
//! Welcome. There is nothing here yet.
//!
//! > Look at the demo
//!     a sample household, all invented; nothing of it is kept
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Outcome, Pane, Wish};
use crate::keys::{Action, Context};
use crate::tui::form::Subject;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Cursor, write};

/// Lines before the first door.
const HEAD: u16 = 2;
/// Lines of a door, with the empty one behind it.
const LINES: u16 = 3;

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Demo,
    Import,
    Account,
    Connect,
}

impl Door {
    /// Those that are open: where nothing may be written, only one.
    const fn all(read_only: bool) -> &'static [Self] {
        match read_only {
            true => &[Self::Demo],
            false => &[Self::Demo, Self::Import, Self::Account, Self::Connect],
        }
    }

    /// What it is called, and what is behind it.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Demo => {
                ("Look at the demo", "a sample household, all invented; nothing of it is kept")
            }
            Self::Import => (
                "Import a file",
                "transactions, prices, or all of another store; any can be undone",
            ),
            Self::Account => (
                "Add an account by hand",
                "a bank, a broker, a house, a loan: name, kind, currency",
            ),
            Self::Connect => (
                "Connect a bank or a broker",
                "its accounts look after themselves; dashtam can only read there",
            ),
        }
    }

    fn open(self) -> Wish {
        match self {
            Self::Demo => Wish::Demo,
            Self::Import => Wish::Type("import ".to_owned()),
            Self::Account => Wish::Form(Subject::NewAccount),
            Self::Connect => Wish::Act(Action::Connect),
        }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct Welcome {
    cursor: Cursor,
}

impl Pane for Welcome {
    fn contexts(&self) -> &'static [Context] {
        &[Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let doors = Door::all(look.read_only).len();
        self.cursor.settle(doors, doors);
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        let doors = Door::all(look.read_only);
        if self.cursor.act(action, doors.len(), doors.len()) {
            return Outcome::DONE;
        }
        match (action, doors.get(self.cursor.at)) {
            (Action::Open | Action::In, Some(door)) => Outcome::wish(door.open()),
            _ => Outcome::Unknown,
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        let mut say = |line: u16, indent: u16, text: &str, tone: Tone| {
            if line < area.height {
                let x = indent.min(area.width);
                let place =
                    Rect { x: area.x + x, y: area.y + line, width: area.width - x, height: 1 };
                write(buf, place, text, theme.style(tone));
            }
        };
        say(0, 2, "Welcome. There is nothing here yet.", Tone::Title);
        let mut line = HEAD;
        for (at, door) in Door::all(look.read_only).iter().enumerate() {
            let (name, behind) = door.words();
            let here = at == self.cursor.at;
            say(line, 2, if here { "▸" } else { "" }, Tone::Key);
            say(line, 4, name, if here { Tone::Strong } else { Tone::Plain });
            say(line + 1, 6, behind, Tone::Dim);
            line += LINES;
        }
        let hint = "Enter opens what you choose with j and k; ? shows all keys.";
        say(line, 2, hint, Tone::Plain);
        let hint = "What another session writes is shown here as soon as it is there.";
        say(line + 1, 2, hint, Tone::Dim);
    }

    fn click(&mut self, line: u16, look: &Look) -> bool {
        let line = line.checked_sub(HEAD);
        if let Some(line) = line {
            self.cursor.at = usize::from(line / LINES);
            self.refresh(look);
        }
        line.is_some()
    }
}
