//! The page with an address to sign in at. It has no frame beside it, and the address begins in the
//! first column: a terminal that is far away can only mark what is there.
//!
//! ```text
//! Connect Charles Schwab
//!
//! 1  Open this address in a browser, on any machine, and sign in:
//! https://api.schwabapi.com/v1/oauth/authorize?response_type=code&client_id=...
//!
//! 2  The browser ends at https://127.0.0.1:8182/?code=... and shows no page: paste ...
//! that address
//! ```

use ratatui::layout::Rect;

use crate::tui::sign_in::SignIn;
use crate::tui::theme::Tone;
use crate::tui::widget::wrapped;

/// A line of the page.
#[derive(Clone, Debug)]
pub enum Line {
    /// Of words, or of the address.
    Text(String, Tone),
    /// The field of this number.
    Field(usize),
}

/// What goes first where there is little room: the highest number.
const ALWAYS: u8 = 0;
const ADDRESS: u8 = 1;
const STEPS: u8 = 2;
const TITLE: u8 = 3;
const BESIDE: u8 = 4;
const GAP: u8 = 5;

/// The lines of the page, as many as have room.
#[must_use]
pub fn lines(
    sign_in: &SignIn,
    title: &str,
    fields: usize,
    feet: Vec<(String, Tone)>,
    area: Rect,
) -> Vec<Line> {
    let width = usize::from(area.width.max(1));
    let text = |text: &str, tone| -> Vec<Line> {
        wrapped(text, width).into_iter().map(|line| Line::Text(line, tone)).collect()
    };
    let gap = || (GAP, vec![Line::Text(String::new(), Tone::Plain)]);
    let letters: Vec<char> = sign_in.url().chars().collect();
    let address = letters.chunks(width).map(|line| Line::Text(line.iter().collect(), Tone::Key));
    let beside = match sign_in.is_alone() {
        None => {
            "A browser on this machine comes back by itself within five minutes: it warns of a \
             certificate that dashtam made; go on past that."
                .to_owned()
        }
        Some(why) => format!("Nobody waits for a browser on this machine: {why}"),
    };
    let second = format!(
        "2  The browser ends at an address that begins with {} and shows no page. Copy all of it within \
         half a minute, and paste it here:",
        sign_in.callback()
    );
    let first = "1  Open this address in a browser, on any machine, and sign in:";
    let feet = feet.into_iter().map(|(text, tone)| Line::Text(text, tone)).collect();
    let mut parts: Vec<(u8, Vec<Line>)> = vec![
        (TITLE, text(title, Tone::Title)),
        gap(),
        (STEPS, text(first, Tone::Plain)),
        (ADDRESS, address.collect()),
        gap(),
        (STEPS, text(&second, Tone::Plain)),
        (ALWAYS, (0..fields).map(Line::Field).collect()),
        gap(),
        (BESIDE, text(&beside, Tone::Dim)),
        gap(),
        (ALWAYS, feet),
    ];
    let room = usize::from(area.height);
    for rank in (ADDRESS..=GAP).rev() {
        let wanted: usize = parts.iter().map(|(_, lines)| lines.len()).sum();
        if wanted <= room {
            break;
        }
        parts.retain(|(own, _)| *own != rank);
    }
    parts.into_iter().flat_map(|(_, lines)| lines).collect()
}
