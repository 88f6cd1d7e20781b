//! The frame around the panes: tabs, a line of context, the bar at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::{Block, Widget};
use unicode_width::UnicodeWidthStr;

use super::live::{live, secrets};
use super::look::Look;
use super::pane::PaneId;
use super::theme::{Theme, Tone};
use super::widget::{fit, write, write_right};
use crate::keys::{Action, Context, Keymap, spelled};
use crate::text::counted;

/// Below this nothing can be shown.
pub const LEAST: (u16, u16) = (40, 10);

/// The parts of the screen.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The tabs.
    pub tabs: Rect,
    /// What is looked at.
    pub context: Rect,
    /// The pane.
    pub body: Rect,
    /// Keys, or what is typed.
    pub bar: Rect,
}

impl Parts {
    /// Of a screen.
    #[must_use]
    pub fn of(area: Rect) -> Self {
        let [tabs, context, body, bar] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(area);
        Self { tabs, context, body, bar }
    }
}

/// Draws a border with a title, and gives what is inside.
pub fn framed(buf: &mut Buffer, area: Rect, title: &str, theme: Theme) -> Rect {
    border(buf, area, title, true, theme)
}

/// Draws a border with a title that says whether keys are heard inside, and gives what is inside.
pub fn border(buf: &mut Buffer, area: Rect, title: &str, focused: bool, theme: Theme) -> Rect {
    // A title that is too long is cut with a mark.
    let room = usize::from(area.width).saturating_sub(4);
    let block = Block::bordered()
        .border_style(theme.style(Tone::Border))
        .title(format!(" {} ", fit(title, room)))
        .title_style(theme.style(if focused { Tone::Title } else { Tone::Dim }));
    let inner = block.inner(area);
    block.render(area, buf);
    inner
}

/// Draws the tabs. Where there is no room for names, short ones or numbers have to do.
pub fn tabs(buf: &mut Buffer, area: Rect, open: PaneId, look: &Look) {
    let theme = look.theme;
    let told = told(look) > 0;
    let mut x = 0;
    for (pane, mut name) in names(open, area.width) {
        let rest = Rect { x: area.x + x, width: area.width.saturating_sub(x), ..area };
        let is_told = told && pane == PaneId::Watch;
        // The mark has the place of the blank behind a name: nothing moves for it.
        if is_told && name.pop().is_some() {
            name.push('!');
        }
        let style = match pane == open {
            true => theme.reversed(),
            false if is_told => theme.style(Tone::Warn),
            false => theme.style(Tone::Dim),
        };
        x += write(buf, rest, &name, style);
    }
}

/// How many alerts somebody should hear of.
fn told(look: &Look) -> usize {
    let report = look.snapshot.as_ref().and_then(|snapshot| snapshot.watch.as_ref());
    report.map_or(0, |report| report.alerts.iter().filter(|row| row.is_on()).count())
}

/// Which pane a click on the tabs means.
#[must_use]
pub fn tab_at(column: u16, open: PaneId, width: u16) -> Option<PaneId> {
    let mut x = 0;
    names(open, width).into_iter().find_map(|(pane, name)| {
        x += name.width();
        (usize::from(column) < x).then_some(pane)
    })
}

/// What a pane is called where it is not open.
type Way = fn(PaneId) -> &'static str;

/// The tabs, as long as there is room for; the open one always has its name.
fn names(open: PaneId, room: u16) -> Vec<(PaneId, String)> {
    let full = |pane: PaneId| pane.title();
    let short = |pane: PaneId| pane.short_title();
    let number = |_: PaneId| "";
    // A name with a blank before it, or none where that is what makes it fit.
    let ways: [(Way, &str); 4] = [(full, " "), (short, " "), (short, ""), (number, " ")];
    let shown = ways.map(|(way, before)| -> Vec<(PaneId, String)> {
        let seen = PaneId::ALL.into_iter().filter(|pane| *pane == open || pane.digit().is_some());
        let name = |pane: PaneId| {
            let word = if pane == open { pane.title() } else { way(pane) };
            let digit = pane.digit().map(String::from);
            let words = [digit.as_deref().unwrap_or_default(), word];
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            (pane, format!("{before}{} ", words.join(" ")))
        };
        seen.map(name).collect()
    });
    let fits = |names: &Vec<(PaneId, String)>| {
        names.iter().map(|(_, name)| name.width()).sum::<usize>() <= usize::from(room)
    };
    let [full, short, tight, numbers] = shown;
    [full, short, tight].into_iter().find(fits).unwrap_or(numbers)
}

/// Draws what is looked at, and what the pane says of itself.
pub fn context(buf: &mut Buffer, area: Rect, look: &Look, status: &str) {
    let theme = look.theme;
    let scope = look.selection.account.as_ref().map_or("All accounts", |name| name.as_str());
    let text = match &look.snapshot {
        None => scope.to_owned(),
        Some(snapshot) => {
            let when = match snapshot.view.as_of {
                Some(day) => format!("as of {day}"),
                None => format!("{}", snapshot.day),
            };
            format!("{scope} · {} · {when}", snapshot.currency)
        }
    };
    let mut x = write(buf, area, &text, theme.style(Tone::Strong)) + 2;
    let mut mark = |text: &str, tone: Tone| {
        let rest =
            Rect { x: area.x + x.min(area.width), width: area.width.saturating_sub(x), ..area };
        x += write(buf, rest, text, theme.style(tone)) + 2;
    };
    if look.trouble.is_some() {
        mark("! cannot read the store", Tone::Error);
    }
    let away = look.snapshot.as_ref().is_some_and(|snapshot| snapshot.view.as_of.is_some());
    if away {
        mark("time travel", Tone::Warn);
    }
    if look.read_only {
        mark("read-only", Tone::Warn);
    }
    if let Some(why) = look.blocked {
        mark(&format!("! only looking: {why}"), Tone::Error);
    }
    if look.figures.private {
        mark("private", Tone::Warn);
    }
    if let Some((text, tone)) = secrets(look) {
        mark(text, tone);
    }
    for (text, tone) in live(look) {
        mark(&text, tone);
    }
    let stale = look
        .snapshot
        .as_ref()
        .map_or(0, |snapshot| snapshot.holdings.rows.iter().filter(|row| row.stale).count());
    if stale > 0 {
        mark(&format!("{stale} stale"), Tone::Warn);
    }
    let told = told(look);
    if told > 0 {
        mark(
            &format!("! {}", counted(u64::try_from(told).unwrap_or(u64::MAX), "alert")),
            Tone::Warn,
        );
    }
    let room = area.width.saturating_sub(x);
    if usize::from(room) >= status.width() {
        write_right(buf, area, status, theme.style(Tone::Dim));
    }
}

/// Draws the keys that matter here.
pub fn bar(buf: &mut Buffer, area: Rect, keymap: &Keymap, contexts: &[Context], theme: Theme) {
    let heard = |action: &&Action| action.is_in_bar(contexts);
    let mut x = 0u16;
    for action in Action::ALL.iter().filter(heard) {
        let (Some(word), Some(chords)) = (action.bar(), keymap.chords_of(*action).first()) else {
            continue;
        };
        let key = spelled(chords);
        let width = u16::try_from(key.width() + word.width() + 4).unwrap_or(u16::MAX);
        if x.saturating_add(width) > area.width {
            break;
        }
        let place = |x: u16| Rect { x: area.x + x, width: area.width - x, ..area };
        let end = x + 1 + write(buf, place(x + 1), &key, theme.style(Tone::Key));
        write(buf, place(end + 1), word, theme.style(Tone::Dim));
        x += width;
    }
}
