//! The command line of the dashboard: every action by its name, and what needs a word with it.

use std::path::PathBuf;

use chrono::NaiveDate;

use crate::config::typed_path;
use crate::keys::Action;
use crate::model::{
    Change, Currency, Mode, NewAccount, NewTarget, Refusal, SafeText, Setting, SettingError,
    UnknownCurrency, UnknownWord,
};
use crate::state::Aim;
use crate::tui::errand::Errand;
use crate::tui::figure::{figure, part};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Do this.
    Act(Action),
    /// Look at another day.
    AsOf(NaiveDate),
    /// Go to a row.
    Row(usize),
    /// Compare with the security of this name, or with none.
    Against(Option<SafeText>),
    /// Plan for an amount.
    Aim(Aim),
    /// Write the plan into this file.
    WritePlan(PathBuf),
    /// Write the rows of the table into this file.
    Export(PathBuf),
    /// A filter of the transactions under a name.
    View(ViewCommand),
    /// Have this done.
    Errand(Errand),
}

/// What is done with a filter that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewCommand {
    /// It is brought back.
    Open(String),
    /// The one that is now is kept under this name.
    Save(String),
    /// It is forgotten.
    Drop(String),
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
    /// Words behind what takes none.
    #[error("`{0}` stands alone: it asks for what it needs")]
    Alone(&'static str),
    /// A quote that does not end.
    #[error("close the quote with another \"")]
    OpenQuote,
    /// No such kind.
    #[error(transparent)]
    Kind(#[from] UnknownWord),
    /// No such currency.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// Not an amount.
    #[error("an amount is written like 2500 or 199.95, and is more than nothing")]
    Amount,
    /// Not a part of a whole.
    #[error("a weight is written like 0.6 or 60%")]
    Weight,
    /// A target that cannot be.
    #[error(transparent)]
    Target(Refusal),
    /// No such setting, or a value that does not fit.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// No home folder.
    #[error("there is no home folder; write the whole path")]
    NoHome,
}

const IMPORT: &str = "import";
const ADD_ACCOUNT: &str = "account add";

const INVEST: &str = "invest";
const RAISE: &str = "raise";
const WRITE_PLAN: &str = "write-plan";
const TARGET: &str = "target";
const EXPORT: &str = "export";
const SET: &str = "set";
const VIEW: &str = "view";

/// Words that are no action and take one more.
const MORE: [&str; 3] = [AS_OF, AGAINST, SET];
const AS_OF: &str = "asof";
const AGAINST: &str = "against";
/// The word for no security.
const NONE: &str = "none";
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
    if word == AGAINST {
        let symbol = SafeText::new(&rest.join(" "));
        return match symbol.as_str() {
            "" => Err(CommandError::Form("against SYMBOL")),
            NONE => Ok(Command::Against(None)),
            _ => Ok(Command::Against(Some(symbol))),
        };
    }
    if let [amount] = rest.as_slice()
        && (word == INVEST || word == RAISE)
    {
        let (amount, _) = figure(amount).map_err(|_| CommandError::Amount)?;
        return match amount.is_positive() {
            true if word == INVEST => Ok(Command::Aim(Aim::Invest(amount))),
            true => Ok(Command::Aim(Aim::Raise(amount))),
            false => Err(CommandError::Amount),
        };
    }
    if word == SET {
        return match rest.as_slice() {
            [key, value] => {
                let setting = Setting::parse(key)?;
                let value = setting.check(value)?;
                let what = format!("set {key} to {value}");
                Ok(Command::Errand(Errand::change(what, vec![Change::Set(setting, value)])))
            }
            _ => Err(CommandError::Form("set SETTING VALUE")),
        };
    }
    if word == VIEW && !rest.is_empty() {
        return view(&words_of(line.trim_start().strip_prefix(word).unwrap_or_default())?);
    }
    if !rest.is_empty() && (word == WRITE_PLAN || word == TARGET || word == EXPORT) {
        let words = words_of(line.trim_start().strip_prefix(word).unwrap_or_default())?;
        return match words.as_slice() {
            [file] if word == WRITE_PLAN => {
                typed_path(file).map(Command::WritePlan).map_err(|_| CommandError::NoHome)
            }
            [file] if word == EXPORT => {
                typed_path(file).map(Command::Export).map_err(|_| CommandError::NoHome)
            }
            _ if word == EXPORT => Err(CommandError::Form("export FILE")),
            words if word == TARGET => target(words).map(Command::Errand),
            _ => Err(CommandError::Form("write-plan FILE")),
        };
    }
    if word == AS_OF || (word == Action::AsOf.name() && !rest.is_empty()) {
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
    let action = match word {
        "q" => Some(Action::Quit),
        _ => Action::named(word),
    };
    let action = action.ok_or_else(|| CommandError::Unknown(word.chars().take(40).collect()))?;
    match rest.is_empty() {
        true => Ok(Command::Act(action)),
        // Whoever writes more means more: a token, a passphrase, another day.
        false => Err(CommandError::Alone(action.name())),
    }
}

/// Whether a line begins with what asks for a secret: the rest of it may be one.
#[must_use]
pub fn asks_for_secret(line: &str) -> bool {
    let action = line.split_whitespace().next().and_then(Action::named);
    matches!(action, Some(Action::Unlock | Action::Connect | Action::NewConnection))
}

fn import(files: &[String]) -> Result<Errand, CommandError> {
    if files.is_empty() {
        return Err(CommandError::Form("import FILE..."));
    }
    let path = |file: &String| typed_path(file).map_err(|_| CommandError::NoHome);
    Ok(Errand::Import(files.iter().map(path).collect::<Result<_, _>>()?))
}

/// `NAME`, `save NAME` or `drop NAME`; the name may have blanks.
fn view(words: &[String]) -> Result<Command, CommandError> {
    let (what, name): (fn(String) -> ViewCommand, _) = match words {
        [word, name @ ..] if word == "save" => (ViewCommand::Save, name),
        [word, name @ ..] if word == "drop" => (ViewCommand::Drop, name),
        name => (ViewCommand::Open, name),
    };
    match SafeText::capped(name.join(" ").trim(), 40) {
        name if name.is_empty() => Err(CommandError::Form("view save NAME")),
        name => Ok(Command::View(what(name.into_string()))),
    }
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
    let what = format!("added account {name}");
    let new = NewAccount {
        name,
        kind,
        currency,
        mode: Mode::Ledger,
        method: None,
        institution: None,
        closed: None,
        performance: None,
    };
    Ok(Errand::change(what, vec![Change::AddAccount(new)]))
}

/// `DIMENSION KEY WEIGHT [BAND]`; the key may have blanks where it is quoted.
fn target(words: &[String]) -> Result<Errand, CommandError> {
    const FORM: CommandError = CommandError::Form("target DIMENSION KEY WEIGHT [BAND]");
    let (dimension, key, weight, band) = match words {
        [dimension, key, weight] => (dimension, key, weight, None),
        [dimension, key, weight, band] => (dimension, key, weight, Some(band)),
        _ => return Err(FORM),
    };
    let part = |text: &String| part(text).map_err(|_| CommandError::Weight);
    let target = NewTarget {
        dimension: dimension.parse()?,
        key: SafeText::new(key),
        weight: part(weight)?,
        band: band.map(part).transpose()?,
    };
    let target = target.check().map_err(CommandError::Target)?;
    let what = format!("set the target of {} by {}", target.key, target.dimension);
    Ok(Errand::change(what, vec![Change::SetTarget(target)]))
}

/// Words apart by blanks; quotes keep blanks.
fn words_of(text: &str) -> Result<Vec<String>, CommandError> {
    match split(text) {
        (_, true) => Err(CommandError::OpenQuote),
        (words, false) => Ok(words.into_iter().map(|word| word.text).collect()),
    }
}

/// A word of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes.
    pub text: String,
    /// The byte of the line that it begins at.
    pub start: usize,
    /// It has quotes.
    pub quoted: bool,
}

/// The words, and whether the last one has a quote that does not end.
fn split(text: &str) -> (Vec<Word>, bool) {
    let (mut words, mut word, mut open) = (Vec::new(), None::<Word>, false);
    for (start, c) in text.char_indices() {
        if c.is_whitespace() && !open {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_with(|| Word { start, ..Word::default() });
        if c == '"' {
            open = !open;
            word.quoted = true;
        } else {
            word.text.push(c);
        }
    }
    words.extend(word);
    (words, open)
}

/// The name of a file that is being typed at the end of the beginning of a line; none: no command
/// that takes files begins like that.
#[must_use]
pub fn file_at(line: &str) -> Option<Word> {
    let line_rest = |word| line.trim_start().strip_prefix(word);
    let mut rests = [IMPORT, EXPORT, WRITE_PLAN].into_iter().filter_map(line_rest);
    let rest = rests.find(|rest| rest.starts_with(char::is_whitespace))?;
    let before = line.len() - rest.len();
    let (mut words, open) = split(rest);
    let over = rest.ends_with(char::is_whitespace) && !open;
    let word = words.pop().filter(|_| !over);
    let word = word.unwrap_or_else(|| Word { start: rest.len(), ..Word::default() });
    Some(Word { start: before + word.start, ..word })
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
    use crate::model::{AccountKind, Dec};

    #[test]
    fn the_file_that_is_being_typed_is_read_as_the_whole_line_will_be() {
        let at = |line| file_at(line).map(|word| (word.start, word.text, word.quoted));
        let word = |start, text: &str, quoted| Some((start, text.to_owned(), quoted));
        assert_eq!(at("import"), None);
        assert_eq!(at("imports a"), None);
        assert_eq!(at("account add a"), None);
        assert_eq!(at("import "), word(7, "", false));
        assert_eq!(at("export a"), word(7, "a", false));
        assert_eq!(at(" import a.csv  b"), word(15, "b", false));
        assert_eq!(at("import a.csv "), word(13, "", false));
        assert_eq!(at("import \"my b"), word(7, "my b", true));
        assert_eq!(at("import \"my \"b"), word(7, "my b", true));
        assert_eq!(at("import é \""), word(10, "", true));
    }

    #[test]
    fn views_and_exports_are_commands() {
        let view = |line| match parse(line) {
            Ok(Command::View(view)) => view,
            other => panic!("{other:?}"),
        };
        assert_eq!(view("view big spending"), ViewCommand::Open("big spending".to_owned()));
        assert_eq!(view("view save big spending"), ViewCommand::Save("big spending".to_owned()));
        assert_eq!(view("view drop x"), ViewCommand::Drop("x".to_owned()));
        assert_eq!(parse("view"), Ok(Command::Act(Action::View)));
        assert_eq!(parse("view save"), Err(CommandError::Form("view save NAME")));
        assert_eq!(parse("export a.csv"), Ok(Command::Export("a.csv".into())));
        assert_eq!(parse("export a b"), Err(CommandError::Form("export FILE")));
        assert_eq!(parse("export"), Ok(Command::Act(Action::Export)));
        let rate = Change::Set(Setting::RiskFreeRate, "0.03".to_owned());
        let rate = Errand::change("set risk_free_rate to 0.03", vec![rate]);
        assert_eq!(parse("set risk_free_rate 0.030"), Ok(Command::Errand(rate)));
        assert!(matches!(parse("set risk_free_rate 3"), Err(CommandError::Setting(_))));
        assert!(matches!(parse("set colour red"), Err(CommandError::Setting(_))));
        assert_eq!(parse("set"), Err(CommandError::Form("set SETTING VALUE")));
    }

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
        let rainy = Change::AddAccount(NewAccount {
            name: SafeText::new("Rainy Day"),
            kind: AccountKind::Savings,
            currency: Currency::USD,
            mode: Mode::Ledger,
            method: None,
            institution: None,
            closed: None,
            performance: None,
        });
        let rainy = Errand::change("added account Rainy Day", vec![rainy]);
        for line in ["account add Rainy Day savings usd", "account add \"Rainy Day\" savings USD"] {
            assert_eq!(parse(line), Ok(Command::Errand(rainy.clone())));
        }
        let form = Err(CommandError::Form("account add NAME KIND CURRENCY"));
        for line in ["account", "account add", "account add savings usd", "account list a b c"] {
            assert_eq!(parse(line), form, "{line}");
        }
        assert!(matches!(parse("account add A b usd"), Err(CommandError::Kind(_))));
        assert!(matches!(parse("account add A savings usx"), Err(CommandError::Currency(_))));
        let voo = Command::Against(Some(SafeText::new("VOO")));
        assert_eq!(parse("against VOO"), Ok(voo));
        assert_eq!(parse("against none"), Ok(Command::Against(None)));
        let invest = Aim::Invest(Dec::from_i64(2500));
        assert_eq!(parse("invest 2,500"), Ok(Command::Aim(invest)));
        assert_eq!(parse("invest"), Ok(Command::Act(Action::Invest)));
        for wrong in ["invest 1,5", "invest 0,125", "raise 12,34"] {
            assert_eq!(parse(wrong), Err(CommandError::Amount), "{wrong}");
        }
        assert_eq!(parse("raise -1"), Err(CommandError::Amount));
        let file = Command::WritePlan("my plan.csv".into());
        assert_eq!(parse("write-plan \"my plan.csv\""), Ok(file));
        let target = |weight: &str| NewTarget {
            dimension: crate::model::Dimension::Class,
            key: SafeText::new("cash"),
            weight: Dec::parse(weight).unwrap(),
            band: None,
        };
        let set = |weight| {
            let changes = vec![Change::SetTarget(target(weight))];
            Ok(Command::Errand(Errand::change("set the target of cash by class", changes)))
        };
        assert_eq!(parse("target class cash 60%"), set("0.6"));
        assert_eq!(parse("target class cash 0.05"), set("0.05"));
        assert_eq!(parse("target class cash x"), Err(CommandError::Weight));
        assert!(matches!(parse("target class cash 2"), Err(CommandError::Target(_))));
        assert_eq!(parse("against"), Err(CommandError::Form("against SYMBOL")));
        assert_eq!(parse("fly"), Err(CommandError::Unknown("fly".to_owned())));
    }
}
