//! The terminal: whether there is one, how large it is, what it can show.

use std::io::{IsTerminal, stdin, stdout};

use super::{Check, Patient};
use crate::config::{Colours, TerminalKind};

/// The smallest screen that the panes are made for.
const LEAST: (u16, u16) = (80, 24);

pub fn look(patient: &Patient<'_>, checks: &mut Vec<Check>) {
    let word = |name| patient.environment.word(name).unwrap_or_default();
    let kind = TerminalKind::of(patient.environment);
    checks.push(screen(kind, &word("TERM")));
    checks.push(locale(kind, [word("LC_ALL"), word("LC_CTYPE"), word("LANG")]));
    checks.push(colours(kind, !word("NO_COLOR").is_empty()));
}

fn screen(kind: TerminalKind, term: &str) -> Check {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        let detail = "this is no terminal; commands work, the dashboard needs one";
        return Check::ok("terminal", detail);
    }
    let size = rustix::termios::tcgetwinsize(stdout()).ok();
    judge(kind, term, size.map(|size| (size.ws_col, size.ws_row)))
}

fn judge(kind: TerminalKind, term: &str, size: Option<(u16, u16)>) -> Check {
    if kind.dumb {
        let detail = format!("TERM is `{term}`: it cannot be written to in places");
        return Check::warn("terminal", &detail, "export TERM=xterm-256color");
    }
    match size {
        None | Some((0, _) | (_, 0)) => {
            let detail = format!("{term}, which does not tell its size");
            Check::warn("terminal", &detail, "stty cols 80 rows 24")
        }
        Some((columns, rows)) if columns < LEAST.0 || rows < LEAST.1 => {
            let detail =
                format!("{term}, {columns} x {rows}: the dashboard cuts what does not fit");
            let fix = format!("make the window {} x {} or larger", LEAST.0, LEAST.1);
            Check::warn("terminal", &detail, &fix)
        }
        Some((columns, rows)) => Check::ok("terminal", &format!("{term}, {columns} x {rows}")),
    }
}

fn locale(kind: TerminalKind, words: [String; 3]) -> Check {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let set = names.into_iter().zip(words).find(|(_, value)| !value.is_empty());
    let said = set.map_or_else(
        || "LC_ALL, LC_CTYPE and LANG are not set".to_owned(),
        |(name, value)| format!("{name}={value}"),
    );
    if kind.unicode {
        return Check::ok("locale", &said);
    }
    let detail = format!("{said}: the dashboard keeps to ASCII");
    Check::warn("locale", &detail, "export LANG=C.UTF-8 (on a terminal that shows UTF-8)")
}

fn colours(kind: TerminalKind, none: bool) -> Check {
    let many = match kind.colours {
        Colours::Sixteen => "16 colours",
        Colours::Many => "256 colours",
        Colours::True => "true colour",
    };
    let asked = if none { ", and NO_COLOR asks for none" } else { "" };
    Check::ok("colours", &format!("{many}{asked}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::service::doctor::Verdict;

    fn kind(words: &[(&'static str, &str)]) -> TerminalKind {
        TerminalKind::of(&Environment::new(words.iter().copied()))
    }

    #[test]
    fn a_screen_is_judged_by_what_it_can_do_and_its_size() {
        let good = kind(&[("TERM", "xterm")]);
        let verdict = |kind: TerminalKind, size| judge(kind, "xterm", size).verdict;
        assert_eq!(verdict(good, Some((80, 24))), Verdict::Ok);
        for size in [None, Some((0, 0)), Some((79, 24)), Some((80, 23))] {
            assert_eq!(verdict(good, size), Verdict::Warn, "{size:?}");
        }
        assert_eq!(verdict(kind(&[("TERM", "dumb")]), Some((80, 24))), Verdict::Warn);
    }

    #[test]
    fn the_locale_that_counts_is_named() {
        let words = |lang: &str| [String::new(), String::new(), lang.to_owned()];
        let utf8 = kind(&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")]);
        let check = locale(utf8, words("de_DE.UTF-8"));
        assert_eq!((check.verdict, check.detail.as_str()), (Verdict::Ok, "LANG=de_DE.UTF-8"));
        let plain = locale(kind(&[("TERM", "xterm")]), words(""));
        assert_eq!(plain.verdict, Verdict::Warn);
        assert!(plain.detail.as_str().contains("not set"), "{plain:?}");
    }
}
