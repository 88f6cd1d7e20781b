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

/// A colour as true as there is, and as one of sixteen.
type Shade = (u32, Color);

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
            Some((rgb, ansi)) => style.fg(shown(colours, rgb, ansi)),
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
            Tone::Dim if dark => (0x8a_93_a3, Color::DarkGray),
            Tone::Dim => (0x6b_74_84, Color::DarkGray),
            Tone::Border if dark => (0x4b_55_66, Color::DarkGray),
            Tone::Border => (0xa8_b2_c2, Color::Gray),
            Tone::Title | Tone::Line if dark => (0x7a_b8_ff, Color::LightBlue),
            Tone::Title | Tone::Line => (0x1f_5f_b8, Color::Blue),
            Tone::Up if dark => (0x5f_d3_8d, Color::Green),
            Tone::Up => (0x1a_7f_42, Color::Green),
            Tone::Down | Tone::Error if dark => (0xff_7b_7b, Color::LightRed),
            Tone::Down | Tone::Error => (0xb4_2b_2b, Color::Red),
            Tone::Warn if dark => (0xf2_c0_55, Color::Yellow),
            Tone::Warn => (0x8a_5a_00, Color::Yellow),
            Tone::Key | Tone::Second if dark => (0xd9_a9_ff, Color::LightMagenta),
            Tone::Key | Tone::Second => (0x7a_3f_b0, Color::Magenta),
        })
    }
}

fn shown(colours: Colours, rgb: u32, ansi: Color) -> Color {
    match colours {
        Colours::Sixteen => ansi,
        Colours::True => rgb_of(rgb),
        Colours::Many => Color::Indexed(in_cube(rgb)),
    }
}

fn rgb_of(rgb: u32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color::Rgb(r, g, b)
}

/// The nearest of the 216 colours of the cube.
fn in_cube(rgb: u32) -> u8 {
    let [_, r, g, b] = rgb.to_be_bytes();
    let step = |part: u8| match part {
        0..48 => 0,
        48..115 => 1,
        _ => (part - 35) / 40,
    };
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_brought_down_to_what_there_is() {
        assert_eq!(in_cube(0x00_00_00), 16);
        assert_eq!(in_cube(0xff_ff_ff), 231);
        assert_eq!(in_cube(0xff_00_00), 196);
        let style = |colours| Theme { name: ThemeName::Dark, colours }.style(Tone::Up);
        assert_eq!(style(Some(Colours::Sixteen)).fg, Some(Color::Green));
        assert_eq!(style(Some(Colours::True)).fg, Some(Color::Rgb(0x5f, 0xd3, 0x8d)));
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
