//! Colours by what they mean. A pane names a [`Tone`]; what that looks like is decided here alone.

use ratatui::style::{Color, Modifier, Style};

use crate::config::Colours;

/// What a piece of the screen means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Text.
    #[default]
    Plain,
    /// Of less weight: old, a unit, an explanation.
    Dim,
    /// A heading.
    Title,
    /// What is looked at: a figure above all.
    Strong,
    /// A gain.
    Up,
    /// A loss.
    Down,
    /// Needs a look.
    Warn,
    /// Went wrong.
    Error,
    /// A key to press.
    Key,
    /// A frame.
    Border,
    /// A line on a chart.
    Line,
    /// Another one.
    Second,
}

/// The themes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

impl ThemeName {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Dark,
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Dark, Self::Light].into_iter().find(|theme| theme.as_str() == name)
    }

    /// As people call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// How things look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Which one.
    pub name: ThemeName,
    /// None: without any colour.
    pub colours: Option<Colours>,
}

/// A colour by its number among 256, and as one of sixteen. The 256 are enough for text, and each
/// takes half as many bytes as a colour of its own would.
type Shade = (u8, Color);

impl Theme {
    /// The style of a tone.
    #[must_use]
    pub fn style(self, tone: Tone) -> Style {
        let style = match tone {
            Tone::Title | Tone::Strong | Tone::Error => Style::new().add_modifier(Modifier::BOLD),
            _ => Style::new(),
        };
        let Some(colours) = self.colours else {
            return match tone {
                Tone::Dim | Tone::Border => style.add_modifier(Modifier::DIM),
                Tone::Key => style.add_modifier(Modifier::BOLD),
                _ => style,
            };
        };
        match self.shade(tone) {
            Some((_, ansi)) if colours == Colours::Sixteen => style.fg(ansi),
            Some((index, _)) => style.fg(Color::Indexed(index)),
            None => style,
        }
    }

    /// The line of the cursor.
    #[must_use]
    pub fn cursor(self) -> Style {
        match self.colours {
            Some(Colours::True | Colours::Many) => {
                let (rgb, index) = match self.name {
                    ThemeName::Dark => (0x2d_35_45, 237),
                    ThemeName::Light => (0xd8_e2_f0, 253),
                };
                Style::new().bg(match self.colours {
                    Some(Colours::True) => rgb_of(rgb),
                    _ => Color::Indexed(index),
                })
            }
            _ => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// The place in a line of text, and the tab that is open.
    #[must_use]
    pub const fn reversed(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    const fn shade(self, tone: Tone) -> Option<Shade> {
        let dark = matches!(self.name, ThemeName::Dark);
        Some(match tone {
            Tone::Plain | Tone::Strong => return None,
            Tone::Dim if dark => (246, Color::DarkGray),
            Tone::Dim => (242, Color::DarkGray),
            Tone::Border if dark => (240, Color::DarkGray),
            Tone::Border => (249, Color::Gray),
            Tone::Title | Tone::Line if dark => (111, Color::LightBlue),
            Tone::Title | Tone::Line => (25, Color::Blue),
            Tone::Up if dark => (78, Color::Green),
            Tone::Up => (29, Color::Green),
            Tone::Down | Tone::Error if dark => (210, Color::LightRed),
            Tone::Down | Tone::Error => (124, Color::Red),
            Tone::Warn if dark => (221, Color::Yellow),
            Tone::Warn => (94, Color::Yellow),
            Tone::Key | Tone::Second if dark => (183, Color::LightMagenta),
            Tone::Key | Tone::Second => (97, Color::Magenta),
        })
    }
}

fn rgb_of(rgb: u32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color::Rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_colours_as_the_terminal_has() {
        let style = |colours| Theme { name: ThemeName::Dark, colours }.style(Tone::Up);
        assert_eq!(style(Some(Colours::Sixteen)).fg, Some(Color::Green));
        assert_eq!(style(Some(Colours::Many)).fg, Some(Color::Indexed(78)));
        assert_eq!(style(Some(Colours::True)).fg, Some(Color::Indexed(78)));
        assert_eq!(style(None).fg, None);
    }

    #[test]
    fn without_colours_no_style_has_one() {
        use Tone::{Border, Dim, Down, Error, Key, Line, Plain, Second, Strong, Title, Up, Warn};
        let theme = Theme { name: ThemeName::Light, colours: None };
        for tone in [Border, Dim, Down, Error, Key, Line, Plain, Second, Strong, Title, Up, Warn] {
            let style = theme.style(tone);
            assert_eq!((style.fg, style.bg), (None, None), "{tone:?}");
        }
        assert_eq!((theme.cursor().fg, theme.cursor().bg), (None, None));
    }
}
