//! The command line of the dashboard: every action by its name, and what needs a word with it.

use chrono::NaiveDate;

use crate::config::typed_path;
use crate::keys::Action;
use crate::model::{Currency, SafeText, UnknownCurrency, UnknownWord};
use crate::tui::errand::Errand;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Do this.
    Act(Action),
    /// Look at another day.
    AsOf(NaiveDate),
    /// Go to a row.
    Row(usize),
    /// Have this done.
    Errand(Errand),
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
    /// Words are missing, or there are too many.
    #[error("write `{0}`")]
    Form(&'static str),
    /// A quote that does not end.
    #[error("close the quote with another \"")]
    OpenQuote,
    /// No such kind.
    #[error(transparent)]
    Kind(#[from] UnknownWord),
    /// No such currency.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// No home folder.
    #[error("there is no home folder; write the whole path")]
    NoHome,
}

const IMPORT: &str = "import";
const ADD_ACCOUNT: &str = "account add";

/// Words that are no action and take one more.
const MORE: [&str; 1] = ["asof"];
/// The same, of what is written.
const ERRANDS: [&str; 2] = [ADD_ACCOUNT, IMPORT];

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
    if let Some(rest) = line.trim_start().strip_prefix(IMPORT).filter(|_| word == IMPORT) {
        return import(&words_of(rest)?).map(Command::Errand);
    }
    if word == "account" {
        let rest = line.trim_start().strip_prefix(word).unwrap_or_default();
        return account(&words_of(rest)?).map(Command::Errand);
    }
    match word {
        "q" => Ok(Command::Act(Action::Quit)),
        _ => Action::named(word)
            .map(Command::Act)
            .ok_or_else(|| CommandError::Unknown(word.chars().take(40).collect())),
    }
}

fn import(files: &[String]) -> Result<Errand, CommandError> {
    if files.is_empty() {
        return Err(CommandError::Form("import FILE..."));
    }
    let path = |file: &String| typed_path(file).map_err(|_| CommandError::NoHome);
    Ok(Errand::Import(files.iter().map(path).collect::<Result<_, _>>()?))
}

/// `add NAME KIND CURRENCY`; the name may have blanks.
fn account(words: &[String]) -> Result<Errand, CommandError> {
    const FORM: CommandError = CommandError::Form("account add NAME KIND CURRENCY");
    let Some(([name @ .., kind, currency], true)) =
        words.split_first().map(|(first, rest)| (rest, first == "add"))
    else {
        return Err(FORM);
    };
    let name = SafeText::new(name.join(" ").trim());
    if name.is_empty() {
        return Err(FORM);
    }
    let (kind, currency) = (kind.parse()?, Currency::parse(&currency.to_uppercase())?);
    Ok(Errand::AddAccount { name, kind, currency })
}

/// Words apart by blanks; quotes keep blanks.
fn words_of(text: &str) -> Result<Vec<String>, CommandError> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None, false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    if quoted { Err(CommandError::OpenQuote) } else { Ok(words) }
}

/// Every word that a line can begin with, sorted.
#[must_use]
pub fn words() -> Vec<&'static str> {
    let mut words: Vec<_> =
        Action::ALL.iter().map(|action| action.name()).chain(MORE).chain(ERRANDS).collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AccountKind;

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
        assert_eq!(parse("import"), Err(CommandError::Form("import FILE...")));
        assert_eq!(parse("import \"a"), Err(CommandError::OpenQuote));
        assert_eq!(parse("imports x"), Err(CommandError::Unknown("imports".to_owned())));
        let files = ["a.csv", "my bank/b c.csv"].map(Into::into).to_vec();
        assert_eq!(
            parse(" import a.csv  \"my bank/b c.csv\""),
            Ok(Command::Errand(Errand::Import(files)))
        );
        let rainy = Errand::AddAccount {
            name: SafeText::new("Rainy Day"),
            kind: AccountKind::Savings,
            currency: Currency::USD,
        };
        for line in ["account add Rainy Day savings usd", "account add \"Rainy Day\" savings USD"] {
            assert_eq!(parse(line), Ok(Command::Errand(rainy.clone())));
        }
        let form = Err(CommandError::Form("account add NAME KIND CURRENCY"));
        for line in ["account", "account add", "account add savings usd", "account list a b c"] {
            assert_eq!(parse(line), form, "{line}");
        }
        assert!(matches!(parse("account add A b usd"), Err(CommandError::Kind(_))));
        assert!(matches!(parse("account add A savings usx"), Err(CommandError::Currency(_))));
        assert_eq!(parse("fly"), Err(CommandError::Unknown("fly".to_owned())));
    }
}
