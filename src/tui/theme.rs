//! Colours by what they mean. A pane names a [`Tone`]; what that looks like is decided here alone,
//! from a table of shades for each theme. No colour says anything that a word, a sign or an arrow
//! does not say too.

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
    /// Light on dark, and nothing of it faint.
    Contrast,
    /// Light on dark, for eyes that do not tell red from green.
    Safe,
    /// Dark on light, for the same eyes.
    SafeLight,
    /// The sixteen colours of the terminal, whatever somebody made of them.
    Terminal,
}

impl ThemeName {
    /// Every theme, in the order in which the key takes them.
    pub const ALL: [Self; 6] =
        [Self::Dark, Self::Light, Self::Contrast, Self::Safe, Self::SafeLight, Self::Terminal];

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let rest = Self::ALL.into_iter().skip_while(|theme| *theme != self);
        rest.skip(1).chain(Self::ALL).next().unwrap_or_default()
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name)
    }

    /// As people call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Contrast => "contrast",
            Self::Safe => "safe",
            Self::SafeLight => "safe-light",
            Self::Terminal => "terminal",
        }
    }

    /// Its shades; the terminal's own colours are those of the dark theme as far as there are
    /// sixteen.
    const fn palette(self) -> &'static Palette {
        match self {
            Self::Dark | Self::Terminal => &DARK,
            Self::Light => &LIGHT,
            Self::Contrast => &CONTRAST,
            Self::Safe => &SAFE,
            Self::SafeLight => &SAFE_LIGHT,
        }
    }
}

/// A colour by its number among 256, and as one of sixteen. The 256 are enough for text, and each
/// takes half as many bytes as a colour of its own would.
type Shade = (u8, Color);

/// The shades of a theme.
struct Palette {
    dim: Shade,
    border: Shade,
    title: Shade,
    up: Shade,
    down: Shade,
    warn: Shade,
    error: Shade,
    key: Shade,
    /// The line of the cursor: a colour of its own, and as one of 256.
    cursor: (u32, u8),
}

const DARK: Palette = Palette {
    dim: (246, Color::DarkGray),
    border: (240, Color::DarkGray),
    title: (111, Color::LightBlue),
    up: (78, Color::Green),
    down: (210, Color::LightRed),
    warn: (221, Color::Yellow),
    error: (210, Color::LightRed),
    key: (183, Color::LightMagenta),
    cursor: (0x2d_35_45, 237),
};

const LIGHT: Palette = Palette {
    dim: (242, Color::DarkGray),
    border: (249, Color::Gray),
    title: (25, Color::Blue),
    up: (29, Color::Green),
    down: (124, Color::Red),
    warn: (94, Color::Yellow),
    error: (124, Color::Red),
    key: (97, Color::Magenta),
    cursor: (0xd8_e2_f0, 253),
};

const CONTRAST: Palette = Palette {
    dim: (252, Color::White),
    border: (252, Color::White),
    title: (159, Color::LightCyan),
    up: (120, Color::LightGreen),
    down: (217, Color::LightRed),
    warn: (228, Color::LightYellow),
    error: (217, Color::LightRed),
    key: (225, Color::LightMagenta),
    cursor: (0x00_00_5f, 17),
};

const SAFE: Palette = Palette {
    up: (75, Color::LightBlue),
    down: (214, Color::Yellow),
    warn: (228, Color::LightYellow),
    error: (214, Color::Yellow),
    title: (255, Color::White),
    ..DARK
};

const SAFE_LIGHT: Palette = Palette {
    up: (25, Color::Blue),
    down: (130, Color::Yellow),
    warn: (58, Color::Yellow),
    error: (130, Color::Yellow),
    title: (16, Color::Black),
    ..LIGHT
};

/// How things look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Which one.
    pub name: ThemeName,
    /// None: without any colour.
    pub colours: Option<Colours>,
    /// Gains have the colour of losses, and losses that of gains: as in East Asia.
    pub swapped: bool,
}

impl Theme {
    /// The style of a tone.
    #[must_use]
    pub fn style(self, tone: Tone) -> Style {
        let style = match tone {
            Tone::Title | Tone::Strong | Tone::Error => Style::new().add_modifier(Modifier::BOLD),
            _ => Style::new(),
        };
        let Some(colours) = self.colours() else {
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
        let (rgb, index) = self.name.palette().cursor;
        match self.colours() {
            Some(Colours::True) => Style::new().bg(rgb_of(rgb)),
            Some(Colours::Many) => Style::new().bg(Color::Indexed(index)),
            _ => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// The place in a line of text, and the tab that is open.
    #[must_use]
    pub const fn reversed(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// How many colours are used of those that there are.
    fn colours(self) -> Option<Colours> {
        let few = self.name == ThemeName::Terminal;
        self.colours.map(|colours| if few { Colours::Sixteen } else { colours })
    }

    const fn shade(self, tone: Tone) -> Option<Shade> {
        let palette = self.name.palette();
        Some(match tone {
            Tone::Plain | Tone::Strong => return None,
            Tone::Dim => palette.dim,
            Tone::Border => palette.border,
            Tone::Title | Tone::Line => palette.title,
            Tone::Up if self.swapped => palette.down,
            Tone::Up => palette.up,
            Tone::Down if self.swapped => palette.up,
            Tone::Down => palette.down,
            Tone::Warn => palette.warn,
            Tone::Error => palette.error,
            Tone::Key | Tone::Second => palette.key,
        })
    }
}

fn rgb_of(rgb: u32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color::Rgb(r, g, b)
}

#[cfg(test)]
mod tests;
