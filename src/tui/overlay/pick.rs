//! One of many, found by a few letters: what a setting can be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::super::frame::framed;
use crate::keys::{Action, Chord, Key};
use crate::model::{Currency, LotMethod, Setting};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::{Cursor, Input, Sought, write};

/// A list that shrinks while one types.
#[derive(Clone, Debug)]
pub struct Pick {
    setting: Setting,
    /// Values, and what they are called.
    choices: Vec<(String, String)>,
    /// What is typed.
    pub input: Input,
    cursor: Cursor,
}

/// What a key did to the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// It stays open.
    Open,
    /// Nothing was chosen.
    Left,
    /// This setting becomes this.
    Value(Setting, String),
}

impl Pick {
    /// What a setting can be; none: too much to be listed.
    #[must_use]
    pub fn of(setting: Setting) -> Option<Self> {
        let choices = match setting {
            Setting::BaseCurrency | Setting::TaxCurrency => Currency::all()
                .filter(|currency| currency.is_current())
                .map(|currency| (currency.code().to_owned(), currency.name().to_owned()))
                .collect(),
            Setting::TimeZone => chrono_tz::TZ_VARIANTS
                .iter()
                .map(|zone| (zone.name().to_owned(), zone.name().replace(['/', '_'], " ")))
                .collect(),
            Setting::DefaultMethod => {
                let method = |method: &LotMethod| (method.as_str().to_owned(), String::new());
                LotMethod::ALL.iter().map(method).collect()
            }
            Setting::FeeTreatment => vec![
                ("in_cost".to_owned(), "fees are part of what a lot cost".to_owned()),
                ("expense".to_owned(), "fees are spent, beside the cost".to_owned()),
            ],
            Setting::RiskFreeRate => return None,
        };
        Some(Self { setting, choices, input: Input::default(), cursor: Cursor::default() })
    }

    fn matches(&self) -> Vec<&(String, String)> {
        let sought = Sought::of(&self.input.text());
        let fits = |(value, name): &&(String, String)| sought.fits(&format!("{value} {name}"));
        self.choices.iter().filter(fits).collect()
    }

    /// A key.
    pub fn press(&mut self, chord: Chord) -> Picked {
        let len = self.matches().len();
        let action = match chord.key {
            Key::Esc => return Picked::Left,
            Key::Enter => {
                let chosen = self.matches().get(self.cursor.at).map(|(value, _)| value.clone());
                return chosen.map_or(Picked::Open, |value| Picked::Value(self.setting, value));
            }
            Key::Down => Action::MoveDown,
            Key::Up => Action::MoveUp,
            Key::PageDown => Action::PageDown,
            Key::PageUp => Action::PageUp,
            _ => {
                self.input.press(chord);
                self.cursor.at = 0;
                return Picked::Open;
            }
        };
        self.cursor.act(action, len, 10);
        Picked::Open
    }

    /// Draws itself over the pane.
    pub fn draw(&self, buf: &mut Buffer, area: Rect, theme: Theme) {
        Clear.render(area, buf);
        let inner = framed(buf, area, self.setting.key(), theme);
        if inner.height < 2 {
            return;
        }
        let line = |at: u16| Rect { y: inner.y + at, height: 1, ..inner };
        write(buf, line(0), &format!("> {}", self.input.text()), theme.style(Tone::Strong));
        let found = self.matches();
        let seen = usize::from(inner.height - 1);
        let mut cursor = self.cursor;
        cursor.settle(found.len(), seen);
        let rows = found.iter().enumerate().skip(cursor.top).take(seen);
        for ((index, (value, name)), at) in rows.zip(1..) {
            if index == cursor.at {
                buf.set_style(line(at), theme.cursor());
            }
            let place = line(at);
            let used = write(buf, place, value, theme.style(Tone::Key));
            let x = (used.max(6) + 2).min(place.width);
            let rest = Rect { x: place.x + x, width: place.width - x, ..place };
            if !value.contains('/') {
                write(buf, rest, name, theme.style(Tone::Dim));
            }
        }
        if found.is_empty() {
            write(buf, line(1), "nothing is called so", theme.style(Tone::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_offered_fits_and_is_found_by_letters() {
        let pressed = |setting, keys: &str| {
            let mut pick = Pick::of(setting).unwrap();
            let mut last = Picked::Open;
            for key in keys.split(' ') {
                last = pick.press(Chord::parse(key).unwrap());
            }
            last
        };
        for setting in Setting::ALL.iter().copied() {
            let choices = Pick::of(setting).map(|pick| pick.choices).unwrap_or_default();
            assert_eq!(choices.is_empty(), setting == Setting::RiskFreeRate);
            for (value, _) in choices {
                assert_eq!(setting.check(&value), Ok(value.clone()));
            }
        }
        let is = |value: &str| Picked::Value(Setting::TimeZone, value.to_owned());
        assert_eq!(pressed(Setting::TimeZone, "t o r o n t Enter"), is("America/Toronto"));
        let yen = Picked::Value(Setting::BaseCurrency, "JPY".to_owned());
        assert_eq!(pressed(Setting::BaseCurrency, "y e n Enter"), yen);
        let lifo = Picked::Value(Setting::DefaultMethod, "lifo".to_owned());
        assert_eq!(pressed(Setting::DefaultMethod, "Down Enter"), lifo);
        assert_eq!(pressed(Setting::DefaultMethod, "x x Enter"), Picked::Open);
        assert_eq!(pressed(Setting::DefaultMethod, "Esc"), Picked::Left);
    }
}
