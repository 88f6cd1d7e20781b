//! The guide: one text that `:guide` shows as a whole, each pane's help begins with, and the README
//! repeats in part.

use super::pane::PaneId;

/// The text, in sections.
const TEXT: &str = include_str!("../../assets/guide.md");

/// A section: its title, and its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about: a pane, or something that is the same in all of them.
    pub title: &'static str,
    text: &'static str,
}

impl Section {
    /// Its lines, each one thought.
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        self.text.lines().filter(|line| !line.is_empty())
    }
}

/// Every section, in its order.
pub fn sections() -> impl Iterator<Item = Section> {
    let parts = TEXT.split("\n## ").skip(1);
    parts.map(|part| {
        let (title, text) = part.split_once('\n').unwrap_or((part, ""));
        Section { title, text }
    })
}

/// What is said of a pane.
#[must_use]
pub fn of(pane: PaneId) -> Option<Section> {
    sections().find(|section| section.title == pane.title())
}

#[cfg(test)]
mod tests {
    use super::super::overlay::words;
    use super::*;
    use crate::keys::{Action, parse_chords};

    /// What stands between backticks.
    fn quoted(line: &str) -> impl Iterator<Item = &str> {
        line.split('`').skip(1).step_by(2)
    }

    #[test]
    fn every_pane_has_its_section_and_no_line_is_long() {
        for pane in PaneId::ALL {
            let section = of(pane).unwrap();
            assert!(section.lines().count() >= 2, "{pane:?}");
        }
        let titles: Vec<_> = sections().map(|section| section.title).collect();
        let more = ["First steps", "Tables", "Comfort"];
        assert_eq!(titles.len(), PaneId::ALL.len() + more.len(), "{titles:?}");
        assert!(more.iter().all(|title| titles.contains(title)));
        for line in sections().flat_map(Section::lines) {
            assert!(line.len() <= 130 && line.ends_with(['.', ':']), "{line}");
        }
    }

    #[test]
    fn every_key_and_command_that_is_named_exists() {
        let keys: Vec<_> = Action::ALL.iter().flat_map(|action| action.defaults()).collect();
        let words = words();
        let mut checked = 0;
        for line in sections().flat_map(Section::lines) {
            for quoted in quoted(line) {
                if let Some(command) = quoted.strip_prefix(':').filter(|it| !it.is_empty()) {
                    let word = command.split(' ').next().unwrap();
                    assert!(words.iter().any(|it| it.split(' ').next() == Some(word)), "{line}");
                } else if parse_chords(quoted).is_ok_and(|chords| chords.len() <= 2) {
                    assert!(keys.iter().any(|key| **key == quoted), "`{quoted}`: {line}");
                } else {
                    assert!(quoted.contains(':') || quoted.contains('.'), "`{quoted}`: {line}");
                }
                checked += 1;
            }
        }
        assert!(checked > 50);
    }

    #[test]
    fn keys_that_are_named_in_a_pane_are_heard_there() {
        use crate::tui::desk::Desk;
        let desk = Desk::default();
        for pane in PaneId::ALL {
            let contexts = desk.pane(pane).contexts();
            let heard: Vec<_> = Action::ALL
                .iter()
                .filter(|action| {
                    let context = action.context();
                    context == crate::keys::Context::Everywhere || contexts.contains(&context)
                })
                .flat_map(|action| action.defaults())
                .collect();
            for line in of(pane).unwrap().lines() {
                let chords = quoted(line).filter(|it| !it.starts_with(':') && it.len() <= 6);
                for chord in chords.filter(|it| parse_chords(it).is_ok()) {
                    assert!(heard.iter().any(|key| **key == chord), "{pane:?} `{chord}`");
                }
            }
        }
    }
}
