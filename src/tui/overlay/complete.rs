//! What Tab does on the command line: commands are known at once; for the names of files a folder
//! is read first.

use super::command::{CommandError, Word, file_at, words};
use super::prompt::Prompt;
use crate::config::typed_path;
use crate::model::{SafeText, Setting};
use crate::service::folder::{Fitting, FolderQuery};
use crate::tui::folders::Listed;
use crate::tui::widget::Input;

/// The folder whose names are wanted where the line is typed; none: no file is named there.
pub fn asks(prompt: &Prompt) -> Option<Result<FolderQuery, CommandError>> {
    let word = file_at(prompt.input.parts().0).filter(|word| !is_folder(&word.text))?;
    let (folder, prefix) = in_two(&word.text);
    let query = |folder| FolderQuery { folder, prefix: prefix.to_owned() };
    Some(typed_path(folder).map(query).map_err(|_| CommandError::NoHome))
}

/// Completes a command as far as there is one way; filters with names are commands too.
pub fn complete<'a>(prompt: &mut Prompt, views: impl Iterator<Item = &'a String>) {
    if let Some(word) = file_at(prompt.input.parts().0) {
        put(prompt, &word, &format!("{}/", word.text), false);
        return;
    }
    let typed = prompt.input.text();
    let words = words().into_iter().map(str::to_owned);
    let settings = Setting::ALL.iter().map(|setting| format!("set {}", setting.key()));
    let views = views.map(|name| format!("view {name}"));
    let all = words.chain(settings).chain(views);
    let fitting: Vec<String> = all.filter(|word| word.starts_with(&typed)).collect();
    match fitting.as_slice() {
        [] => prompt.complaint = Some("no command begins like that".to_owned()),
        [one] => prompt.input = Input::of(one),
        [first, rest @ ..] => {
            let shared = rest.iter().fold(first.clone(), |shared, word| {
                let same = shared.chars().zip(word.chars()).take_while(|(a, b)| a == b);
                same.map(|(c, _)| c).collect()
            });
            prompt.input = Input::of(&shared);
            prompt.complaint = Some(fitting.join("  "));
        }
    }
}

/// Completes the name of a file as far as there is one way, and shows the ways.
pub fn take_in(prompt: &mut Prompt, listed: &Listed) {
    let Some(word) = file_at(prompt.input.parts().0) else { return };
    let found = match &listed.found {
        Ok(found) => found,
        Err(error) => {
            prompt.complaint = Some(SafeText::new(&error.to_string()).into_string());
            return;
        }
    };
    let (folder, _) = in_two(&word.text);
    let Fitting { names, count, shared, cut_off } = found;
    match names.as_slice() {
        // What was not looked at might fit too.
        _ if *cut_off => {
            prompt.complaint = Some("this folder has too many names to complete one".to_owned());
        }
        [] => {
            prompt.complaint = Some("no file or folder begins like that".to_owned());
            return;
        }
        [one] => {
            put(prompt, &word, &format!("{folder}{one}"), !one.ends_with('/'));
            return;
        }
        _ => put(prompt, &word, &format!("{folder}{shared}"), false),
    }
    prompt.choices = (names.clone(), count - names.len());
}

/// The home folder and the one above are known without looking.
fn is_folder(name: &str) -> bool {
    name == "~" || name == ".." || name.ends_with("/..")
}

/// A name: its folder, and the rest.
fn in_two(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('/').map_or(0, |slash| slash + 1))
}

/// Puts a name in place of the word that ends where the line is typed. Blanks need quotes, which end
/// with the name.
fn put(prompt: &mut Prompt, word: &Word, name: &str, ends: bool) {
    let (before, after) = prompt.input.parts();
    let quoted = word.quoted || name.contains(char::is_whitespace);
    // A quote that stands behind the place already is not wanted twice.
    let after = after.strip_prefix('"').filter(|_| quoted).unwrap_or(after);
    let quote = if quoted { "\"" } else { "" };
    let (end, blank) = match ends {
        true => (quote, if after.starts_with(char::is_whitespace) { "" } else { " " }),
        false => ("", ""),
    };
    let before = before.get(..word.start).unwrap_or_default();
    prompt.input = Input::at(&format!("{before}{quote}{name}{end}{blank}"), after);
}
