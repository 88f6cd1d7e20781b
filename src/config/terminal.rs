//! What the environment says of the terminal.

use super::Environment;

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// The sixteen that everybody has.
    Sixteen,
    /// 256, in a cube.
    Many,
    /// Any.
    True,
}

/// What the environment says of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalKind {
    /// It cannot be written to in places: no dashboard there.
    pub dumb: bool,
    /// Text beyond ASCII is understood.
    pub unicode: bool,
    /// How many colours it has.
    pub colours: Colours,
}

impl TerminalKind {
    pub fn of(environment: &Environment) -> Self {
        let text = |name| environment.word(name).unwrap_or_default();
        let term = text("TERM");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .map(text)
            .find(|value| !value.is_empty())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let colours = match text("COLORTERM").as_str() {
            "truecolor" | "24bit" => Colours::True,
            _ if term.contains("256color") => Colours::Many,
            _ => Colours::Sixteen,
        };
        Self {
            dumb: term.is_empty() || term == "dumb",
            // The Linux console has UTF-8 but hardly any glyphs.
            unicode: (locale.contains("utf-8") || locale.contains("utf8")) && term != "linux",
            colours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(variables: &[(&'static str, &str)]) -> TerminalKind {
        TerminalKind::of(&Environment::new(variables.iter().copied()))
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let term = ("TERM", "xterm");
        assert!(kind(&[term, ("LANG", "en_CA.UTF-8")]).unicode);
        assert!(!kind(&[term, ("LANG", "en_CA.UTF-8"), ("LC_ALL", "C")]).unicode);
        assert!(kind(&[term, ("LANG", "C"), ("LC_CTYPE", "C.utf8")]).unicode);
        assert!(!kind(&[term]).unicode);
        assert!(!kind(&[("TERM", "linux"), ("LANG", "en_CA.UTF-8")]).unicode);
    }

    #[test]
    fn colours_and_dumb_terminals_are_known() {
        assert!(kind(&[]).dumb && kind(&[("TERM", "dumb")]).dumb);
        let colours = |term: &str, more: &str| {
            let kind = kind(&[("TERM", term), ("COLORTERM", more)]);
            assert!(!kind.dumb);
            kind.colours
        };
        assert_eq!(colours("xterm", ""), Colours::Sixteen);
        assert_eq!(colours("tmux-256color", ""), Colours::Many);
        assert_eq!(colours("xterm", "truecolor"), Colours::True);
    }
}
