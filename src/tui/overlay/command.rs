//! The command line of the dashboard: every action by its name, and what needs a word with it.

use chrono::NaiveDate;

use crate::keys::Action;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Do this.
    Act(Action),
    /// Look at another day.
    AsOf(NaiveDate),
    /// Go to a row.
    Row(usize),
}

/// Why a line says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such command.
    #[error("no command is called `{0}`; Ctrl-p lists them")]
    Unknown(String),
    /// A day is missing or wrong.
    #[error("`as-of` takes a day like 2024-12-31")]
    Day,
}

/// Words that are no action and take one more.
const MORE: [&str; 1] = ["asof"];

/// Reads a line.
///
/// # Errors
/// When it says nothing.
pub fn parse(line: &str) -> Result<Command, CommandError> {
    let mut words = line.split_whitespace();
    let word = words.next().unwrap_or_default();
    if let Ok(row) = word.parse::<usize>() {
        return Ok(Command::Row(row));
    }
    let rest: Vec<&str> = words.collect();
    if MORE.contains(&word) || (word == Action::AsOf.name() && !rest.is_empty()) {
        let day = rest.join(" ").parse().map_err(|_| CommandError::Day)?;
        return Ok(Command::AsOf(day));
    }
    match word {
        "q" => Ok(Command::Act(Action::Quit)),
        _ => Action::named(word)
            .map(Command::Act)
            .ok_or_else(|| CommandError::Unknown(word.chars().take(40).collect())),
    }
}

/// Every word that a line can begin with, sorted.
#[must_use]
pub fn words() -> Vec<&'static str> {
    let mut words: Vec<_> = Action::ALL.iter().map(|action| action.name()).chain(MORE).collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_a_command() {
        for action in Action::ALL {
            assert_eq!(parse(action.name()), Ok(Command::Act(*action)));
        }
        assert_eq!(parse("q"), Ok(Command::Act(Action::Quit)));
    }

    #[test]
    fn rows_and_days_are_commands_too() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(parse(" 42 "), Ok(Command::Row(42)));
        assert_eq!(parse("as-of 2024-02-29"), Ok(Command::AsOf(day)));
        assert_eq!(parse("asof 2024-02-29"), Ok(Command::AsOf(day)));
        assert_eq!(parse("asof 2024-02-30"), Err(CommandError::Day));
        assert_eq!(parse("asof"), Err(CommandError::Day));
        assert_eq!(parse("fly"), Err(CommandError::Unknown("fly".to_owned())));
    }
}
