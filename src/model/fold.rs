//! Text as it is compared when somebody looks for something.

use unicode_normalization::UnicodeNormalization;

/// Text as it is compared: upper and lower case are the same, with accents and without, wide
/// letters and narrow ones. `café`, `Cafe` and `ＣＡＦÉ` all become `cafe`.
#[must_use]
pub fn fold(text: &str) -> String {
    // Nearly all text, and a search folds a million of them.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let letters = text.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for letter in letters {
        match whole(letter) {
            Some(plain) => folded.push_str(plain),
            None => folded.push(letter),
        }
    }
    folded
}

/// The accents of European scripts. Those of others make another letter, so they stay.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Letters that are not a plain one with an accent, but are typed as if they were.
const fn whole(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_are_the_same() {
        for text in ["cafe", "CAFE", "Café", "cafe\u{301}", "ＣＡＦÉ"] {
            assert_eq!(fold(text), "cafe", "{text}");
        }
        assert_eq!(fold("Straße ÆØÅ Łódź İstanbul ﬁ"), "strasse aeoa lodz istanbul fi");
        assert_eq!(fold("Ὀδυσσεύς"), fold("ΟΔΥΣΣΕΥΣ"));
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        assert_ne!(fold("が"), fold("か"));
        assert_ne!(fold("कि"), fold("क"));
        assert_eq!(fold("ガ"), fold("カ\u{3099}"));
    }

    #[test]
    fn folding_again_changes_nothing() {
        let all = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        for c in all {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }
}
