//! Days as people type them: whole, in part, or by how long ago they were.

use chrono::{Datelike, Days, NaiveDate};

/// What is expected, for whoever typed something else.
pub const FORM: &str = "a day is written like 2026-01-31, 01-31, 31, t (today), y or 3d, 2w ago";

/// Reads a day. One without its year or month is the latest that is not after today.
pub fn parse(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = text.trim();
    let ago = |days: u64| today.checked_sub_days(Days::new(days));
    match text {
        "t" | "today" => return Some(today),
        "y" | "yesterday" => return ago(1),
        _ => {}
    }
    if let Some(days) = text.strip_suffix('d').and_then(|number| number.parse().ok()) {
        return ago(days);
    }
    if let Some(weeks) = text.strip_suffix('w').and_then(|number| number.parse::<u64>().ok()) {
        return ago(weeks.checked_mul(7)?);
    }
    let parts: Vec<&str> = text.split('-').collect();
    if parts.iter().any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            let year = year.parse().ok().filter(|year| *year > 0)?;
            NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
        }
        [month, day] => {
            let (month, day) = (month.parse().ok()?, day.parse().ok()?);
            // A leap day may be some years back.
            let years = (0..8).map(|back| today.year() - back);
            let mut days = years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day));
            days.find(|day| *day <= today)
        }
        [day] if day.len() <= 2 => {
            let day: u32 = day.parse().ok()?;
            let months = (0..3u32).filter_map(|back| {
                let first = today.with_day(1)?.checked_sub_months(chrono::Months::new(back))?;
                first.with_day(day)
            });
            let mut days = months.filter(|day| *day <= today);
            days.next()
        }
        _ => None,
    }
}

/// Another day, so many later or earlier.
pub fn step(day: NaiveDate, by: i64) -> NaiveDate {
    let days = Days::new(by.unsigned_abs());
    let other = if by < 0 { day.checked_sub_days(days) } else { day.checked_add_days(days) };
    other.unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_type_them() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 15).unwrap();
        for (text, expected) in [
            ("2024-02-29", Some("2024-02-29")),
            ("t", Some("2026-03-15")),
            ("y", Some("2026-03-14")),
            ("3d", Some("2026-03-12")),
            ("2w", Some("2026-03-01")),
            ("15", Some("2026-03-15")),
            ("16", Some("2026-02-16")),
            ("31", Some("2026-01-31")),
            ("03-16", Some("2025-03-16")),
            ("2-29", Some("2024-02-29")),
            ("32", None),
            ("2023-02-29", None),
            ("24-02-29", None),
            ("-3", None),
            ("99999999999999999999d", None),
            ("9999999999999999999w", None),
            ("", None),
        ] {
            let expected = expected.map(|day| day.parse().unwrap());
            assert_eq!(parse(text, today), expected, "{text}");
        }
        assert_eq!(step(NaiveDate::MAX, 1), NaiveDate::MAX);
    }
}
