//! Figures as people type them: thousands may stand apart, a part of a whole may be a percentage.

use crate::model::{Dec, DecError, Exact, ExactError};

/// Why a text is no figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// It is not written like one.
    #[error(transparent)]
    Text(#[from] DecError),
    /// Its hundredth part has too many digits.
    #[error(transparent)]
    Part(#[from] ExactError),
}

/// A figure, and how many decimals were typed.
///
/// # Errors
/// When it is none.
pub fn figure(text: &str) -> Result<(Dec, u32), DecError> {
    let plain = match text.split_once('.') {
        Some((whole, rest)) => format!("{}.{rest}", without_groups(whole)),
        None => without_groups(text),
    };
    Dec::parse_with_scale(&plain)
}

/// A part of a whole: `0.6` or `60%`.
///
/// # Errors
/// When it is none.
pub fn part(text: &str) -> Result<Dec, FigureError> {
    let Some(percent) = text.strip_suffix('%') else { return Ok(figure(text)?.0) };
    let percent = Exact::from(figure(percent.trim_end())?.0);
    Ok(percent.div_round(&Exact::from(Dec::from_i64(100)), 12)?)
}

/// `1,234` is a thousand and more. `1,5`, `12,34` and `0,125`, which no thousand begins with, stay
/// what they are, and are refused.
fn without_groups(whole: &str) -> String {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let digits = first.trim_start_matches(['+', '-']);
    let rest: Vec<&str> = groups.collect();
    let fits = (1..=3).contains(&digits.len())
        && !digits.starts_with('0')
        && rest.iter().all(|group| group.len() == 3);
    if rest.is_empty() || !fits { whole.to_owned() } else { format!("{first}{}", rest.concat()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_may_stand_apart_and_a_comma_is_no_point() {
        let read = |text| figure(text).ok().map(|(value, scale)| (value.to_string(), scale));
        assert_eq!(read("1,234,567.80"), Some(("1234567.8".to_owned(), 2)));
        assert_eq!(read("-1,234"), Some(("-1234".to_owned(), 0)));
        assert_eq!(read("0.125"), Some(("0.125".to_owned(), 3)));
        for wrong in ["1,5", "12,34.5", "1.234,5", "1,2345", ",123", "x", "1e3"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for decimals in ["0,125", "-0,500", "0,125.5", "00,125", "012,345", "0,000,001"] {
            assert_eq!(read(decimals), None, "{decimals}");
        }
    }

    #[test]
    fn a_part_is_a_figure_or_a_percentage() {
        let read = |text| part(text).ok().map(|value| value.to_string());
        assert_eq!(read("0.6"), Some("0.6".to_owned()));
        assert_eq!(read("60 %"), Some("0.6".to_owned()));
        assert_eq!(read("12.5%"), Some("0.125".to_owned()));
        for wrong in ["0,125", "12,5%", "%", "x%"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
