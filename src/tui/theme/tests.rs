//! Colours as eyes see them: contrast as WCAG 2 computes it, and what is left of a difference where
//! red and green look alike (Viénot, Brettel and Mollon, 1999).

use super::*;

const TEXT: [Tone; 10] = [
    Tone::Dim,
    Tone::Title,
    Tone::Up,
    Tone::Down,
    Tone::Warn,
    Tone::Error,
    Tone::Key,
    Tone::Line,
    Tone::Second,
    Tone::Border,
];

fn theme(name: ThemeName) -> Theme {
    Theme { name, colours: Some(Colours::Many), swapped: false }
}

/// One of the 256 colours as xterm has it: a cube of six steps, then greys.
fn rgb(index: u8) -> [u8; 3] {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..=15 => panic!("{index} is as the terminal likes it"),
        16..=231 => {
            let at = usize::from(index - 16);
            [STEPS[at / 36], STEPS[at / 6 % 6], STEPS[at % 6]]
        }
        grey => [8 + 10 * (grey - 232); 3],
    }
}

fn linear(rgb: [u8; 3]) -> [f64; 3] {
    rgb.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

fn luminance(rgb: [u8; 3]) -> f64 {
    let parts = linear(rgb).into_iter().zip([0.2126, 0.7152, 0.0722]);
    parts.map(|(part, weight)| part * weight).sum()
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn shade(name: ThemeName, tone: Tone) -> [u8; 3] {
    match theme(name).style(tone).fg {
        Some(Color::Indexed(index)) => rgb(index),
        other => panic!("{tone:?}: {other:?}"),
    }
}

#[test]
fn the_contrast_is_that_of_wcag() {
    let (black, white) = ([0; 3], [255; 3]);
    assert!((contrast(black, white) - 21.0).abs() < 1e-9);
    // The known example: the darkest grey that is enough on white.
    assert!((contrast([0x76; 3], white) - 4.54).abs() < 0.01);
    assert!((contrast([0, 0, 255], white) - 8.59).abs() < 0.01);
}

#[test]
fn text_is_read_on_its_ground_and_on_the_line_of_the_cursor() {
    // A theme, the grounds that it is for, and the least contrast of text there.
    let grounds = [
        (ThemeName::Dark, [[0; 3], [0x1e; 3]], 4.5),
        (ThemeName::Safe, [[0; 3], [0x1e; 3]], 4.5),
        (ThemeName::Contrast, [[0; 3], [0x1e; 3]], 7.0),
        (ThemeName::Light, [[255; 3], [255; 3]], 4.5),
        (ThemeName::SafeLight, [[255; 3], [255; 3]], 4.5),
    ];
    for (name, grounds, least) in grounds {
        for tone in TEXT {
            // A frame says nothing, and may be faint where nobody asked for contrast.
            if tone == Tone::Border && name != ThemeName::Contrast {
                continue;
            }
            let colour = shade(name, tone);
            for ground in grounds {
                let found = contrast(colour, ground);
                assert!(found >= least, "{name:?} {tone:?} on {ground:?}: {found:.2}");
            }
            let (own, index) = name.palette().cursor;
            let [_, r, g, b] = own.to_be_bytes();
            for cursor in [[r, g, b], rgb(index)] {
                let found = contrast(colour, cursor);
                let least = if least > 5.0 { 7.0 } else { 3.0 };
                assert!(found >= least, "{name:?} {tone:?} on the cursor: {found:.2}");
            }
        }
    }
}

/// A colour in the space where distances are as eyes see them, under D65.
fn lab(rgb: [f64; 3]) -> [f64; 3] {
    let along = |row: [f64; 3], white: f64| -> f64 {
        let sum: f64 = row.into_iter().zip(rgb).map(|(weight, part)| weight * part).sum();
        let part = sum / white;
        if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 }
    };
    let across = along([0.4124, 0.3576, 0.1805], 0.9505);
    let light = along([0.2126, 0.7152, 0.0722], 1.0);
    let deep = along([0.0193, 0.1192, 0.9505], 1.089);
    [116.0 * light - 16.0, 500.0 * (across - light), 200.0 * (light - deep)]
}

fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
    let pairs = lab(one).into_iter().zip(lab(other));
    pairs.map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}

fn without_red([r, g, b]: [f64; 3]) -> [f64; 3] {
    let both = 0.112_38 * r + 0.887_62 * g;
    [both, both, 0.004_01 * r - 0.004_01 * g + b]
}

fn without_green([r, g, b]: [f64; 3]) -> [f64; 3] {
    let both = 0.292_75 * r + 0.707_25 * g;
    [both, both, -0.022_34 * r + 0.022_34 * g + b]
}

#[test]
fn a_gain_is_told_from_a_loss_where_red_and_green_look_alike() {
    let apart = |name| {
        let (up, down) = (linear(shade(name, Tone::Up)), linear(shade(name, Tone::Down)));
        let eyes: [fn([f64; 3]) -> [f64; 3]; 2] = [without_red, without_green];
        let seen = eyes.map(|eyes| distance(eyes(up), eyes(down)));
        seen.into_iter().fold(f64::MAX, f64::min)
    };
    for name in [ThemeName::Safe, ThemeName::SafeLight] {
        assert!(apart(name) >= 50.0, "{name:?}: {}", apart(name));
    }
    // Which is why there is a theme for it.
    assert!(apart(ThemeName::Dark) < 30.0, "{}", apart(ThemeName::Dark));
}

#[test]
fn there_are_as_many_colours_as_the_terminal_has() {
    let style = |colours| Theme { colours, ..theme(ThemeName::Dark) }.style(Tone::Up);
    assert_eq!(style(Some(Colours::Sixteen)).fg, Some(Color::Green));
    assert_eq!(style(Some(Colours::Many)).fg, Some(Color::Indexed(78)));
    assert_eq!(style(Some(Colours::True)).fg, Some(Color::Indexed(78)));
    assert_eq!(style(None).fg, None);
    // The terminal's own are sixteen wherever there are more.
    let own = Theme { colours: Some(Colours::True), ..theme(ThemeName::Terminal) };
    assert_eq!(own.style(Tone::Up).fg, Some(Color::Green));
    assert_eq!((own.cursor().bg, own.style(Tone::Plain).fg), (None, None));
}

#[test]
fn gains_and_losses_swap_and_errors_stay() {
    for name in ThemeName::ALL {
        let (plain, swapped) = (theme(name), Theme { swapped: true, ..theme(name) });
        assert_eq!(plain.style(Tone::Up), swapped.style(Tone::Down));
        assert_eq!(plain.style(Tone::Down), swapped.style(Tone::Up));
        assert_eq!(plain.style(Tone::Error), swapped.style(Tone::Error));
        assert_ne!(plain.style(Tone::Up), plain.style(Tone::Down));
    }
}

#[test]
fn the_key_takes_every_theme_and_comes_back() {
    let mut name = ThemeName::default();
    for expected in ThemeName::ALL.into_iter().skip(1).chain([ThemeName::default()]) {
        name = name.next();
        assert_eq!(name, expected);
        assert_eq!(ThemeName::named(name.as_str()), Some(name));
    }
    assert_eq!(ThemeName::named("pink"), None);
}

#[test]
fn without_colours_no_style_has_one() {
    for name in ThemeName::ALL {
        let theme = Theme { colours: None, ..theme(name) };
        for tone in TEXT.into_iter().chain([Tone::Plain, Tone::Strong]) {
            let style = theme.style(tone);
            assert_eq!((style.fg, style.bg), (None, None), "{tone:?}");
        }
        assert_eq!((theme.cursor().fg, theme.cursor().bg), (None, None));
    }
}
