//! The rows of half a year as bytes: day after day, each with its length before it, so that a day is
//! added, found or replaced without reading the others.

use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use super::codec;
use crate::analytics::lots::Event;
use crate::store::{Error, LotPage, Result};

/// Day of the year and length, before the rows of a day.
const HEAD: usize = 6;
/// What the rows of a day mostly fit into.
const ROOM: usize = 512;

/// The days of a half-year that have rows, in order.
#[derive(Default)]
pub(super) struct Days {
    bytes: Vec<u8>,
    last: Option<u16>,
}

impl Days {
    /// As a page keeps them.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        let last = check(&bytes)?;
        Ok(Self { bytes, last })
    }

    /// As a page keeps them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes there are.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The first and the last day.
    pub fn span(&self) -> Option<(u16, u16)> {
        let (first, _) = places(&self.bytes).next()?;
        Some((first, self.last?))
    }

    /// Every day with the bytes of its rows.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &[u8])> {
        rows_of(&self.bytes)
    }

    /// Writes the rows of a day in place of those it had; none: the day goes. Tells whether
    /// anything changed.
    pub fn put(&mut self, day: u16, events: &[Event]) -> Result<bool> {
        if self.last.is_none_or(|last| last < day) {
            if !events.is_empty() {
                self.append(day, |bytes| codec::append(bytes, &events))?;
            }
            return Ok(!events.is_empty());
        }
        let mut new = Self::default();
        if !events.is_empty() {
            new.append(day, |bytes| codec::append(bytes, &events))?;
        }
        let place = self.place_of(day);
        if self.bytes.get(place.clone()) == Some(new.bytes.as_slice()) {
            return Ok(false);
        }
        self.bytes.splice(place, new.bytes);
        self.last = places(&self.bytes).last().map(|(day, _)| day);
        Ok(true)
    }

    /// Takes a day over as it is, unless there are rows of that day. Tells whether it did.
    pub fn take_over(&mut self, day: u16, rows: &[u8]) -> Result<bool> {
        let mut new = Self::default();
        new.append(day, |mut bytes| {
            bytes.extend_from_slice(rows);
            Ok(bytes)
        })?;
        let place = self.place_of(day);
        let free = place.is_empty();
        if free {
            self.bytes.splice(place, new.bytes);
            self.last = self.last.max(Some(day));
        }
        Ok(free)
    }

    /// Adds a day after all others.
    fn append(&mut self, day: u16, write: impl FnOnce(Vec<u8>) -> Result<Vec<u8>>) -> Result<()> {
        let start = self.bytes.len();
        let mut bytes = std::mem::take(&mut self.bytes);
        // Many years grow at once: to double each would take room for twice what there is.
        if bytes.capacity() - start < ROOM {
            bytes.reserve_exact(start / 8 + ROOM);
        }
        bytes.extend_from_slice(&day.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        self.bytes = write(bytes)?;
        let length = self.bytes.len().saturating_sub(start + HEAD);
        let length = u32::try_from(length).map_err(|_| damaged())?;
        if let Some(place) = self.bytes.get_mut(start + 2..start + HEAD) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        self.last = Some(day);
        Ok(())
    }

    /// Where the bytes of a day are, or would be.
    fn place_of(&self, day: u16) -> Range<usize> {
        match places(&self.bytes).find(|(of, _)| *of >= day) {
            Some((of, place)) if of == day => place,
            Some((_, next)) => next.start..next.start,
            None => self.bytes.len()..self.bytes.len(),
        }
    }
}

/// Where each day is.
fn places(bytes: &[u8]) -> impl Iterator<Item = (u16, Range<usize>)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let (day, rest) = bytes.get(start..)?.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let end = start + HEAD + rest.get(..length)?.len();
        let place = start..end;
        start = end;
        Some((u16::from_le_bytes(*day), place))
    })
}

fn rows_of(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    places(bytes).map(|(day, place)| {
        let rows = bytes.get(place.start + HEAD..place.end);
        (day, rows.unwrap_or_default())
    })
}

/// Whether these are days in order and nothing else. Gives the last one.
fn check(bytes: &[u8]) -> Result<Option<u16>> {
    let (mut last, mut end) = (None, 0);
    for (day, place) in places(bytes) {
        if last.is_some_and(|last| last >= day) {
            return Err(damaged());
        }
        (last, end) = (Some(day), place.end);
    }
    if end == bytes.len() { Ok(last) } else { Err(damaged()) }
}

/// The place of a day in its year, from 1.
pub(super) fn ordinal(day: NaiveDate) -> u16 {
    u16::try_from(day.ordinal()).unwrap_or(u16::MAX)
}

/// The half-year of a day: longer pages make a past day slow, shorter ones every write.
pub(super) fn half(day: NaiveDate) -> i32 {
    2 * day.year() + i32::from(day.month0() >= 6)
}

/// The year of a half-year.
pub(super) const fn year(half: i32) -> i32 {
    half.div_euclid(2)
}

/// The day of a place in the year of a half-year.
pub(super) fn date(half: i32, day: u16) -> Result<NaiveDate> {
    NaiveDate::from_yo_opt(year(half), u32::from(day)).ok_or_else(damaged)
}

/// The rows of a page, day by day.
pub(super) fn events_of(page: &LotPage) -> Result<Vec<(NaiveDate, Vec<Event>)>> {
    events_where(page, |_| true)
}

/// The same of the days that are wanted; the others are not read.
pub(super) fn events_where(
    page: &LotPage,
    wanted: impl Fn(NaiveDate) -> bool,
) -> Result<Vec<(NaiveDate, Vec<Event>)>> {
    let days = days_of(page)?.into_iter().filter(|(day, _)| wanted(*day));
    days.map(|(day, rows)| Ok((day, codec::from_bytes(rows)?))).collect()
}

/// The days of a page, each with the bytes of its rows.
pub(super) fn days_of(page: &LotPage) -> Result<Vec<(NaiveDate, &[u8])>> {
    check(&page.events)?;
    rows_of(&page.events).map(|(day, rows)| Ok((date(page.half, day)?, rows))).collect()
}

fn damaged() -> Error {
    Error::Damaged("the kept rows of half a year cannot be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Currency, Dec, Rank, SecurityId, Subtype, TransactionId};

    fn event(id: i64) -> Event {
        Event {
            id: TransactionId(id),
            account: AccountId(1),
            security: SecurityId(1),
            to_security: None,
            date: NaiveDate::default(),
            seq: 0,
            rank: Rank::Buy,
            subtype: Subtype::Buy,
            quantity: Some(Dec::ONE),
            price: None,
            fee: Dec::ZERO,
            tax: Dec::ZERO,
            currency: Currency::USD,
            amount: Dec::ONE,
            fx_rate: None,
            multiplier: Dec::ONE,
            ratio: None,
            acquired: None,
            cost_share: None,
            peer: None,
        }
    }

    fn filled(days: &[u16]) -> Days {
        let mut filled = Days::default();
        for day in days {
            assert!(filled.put(*day, &[event(i64::from(*day))]).unwrap());
        }
        filled
    }

    fn days(days: &Days) -> Vec<u16> {
        days.iter().map(|(day, _)| day).collect()
    }

    #[test]
    fn the_order_in_which_days_come_does_not_matter() {
        let sorted = filled(&[1, 7, 200, 366]).into_bytes();
        for order in [[366, 200, 7, 1], [7, 1, 366, 200], [200, 366, 1, 7]] {
            let filled = filled(&order);
            assert_eq!((days(&filled), filled.span()), (vec![1, 7, 200, 366], Some((1, 366))));
            assert_eq!(filled.into_bytes(), sorted);
        }
    }

    #[test]
    fn a_day_is_written_over_and_goes() {
        let mut kept = filled(&[3, 5, 9]);
        assert!(!kept.put(5, &[event(5)]).unwrap(), "it is the same");
        assert!(!kept.put(4, &[]).unwrap() && !kept.put(10, &[]).unwrap(), "nothing goes");
        assert!(kept.put(5, &[event(5), event(50)]).unwrap());
        let rows: Vec<Event> = codec::from_bytes(kept.iter().nth(1).unwrap().1).unwrap();
        assert_eq!(rows, [event(5), event(50)]);
        assert!(kept.put(9, &[]).unwrap());
        assert_eq!((days(&kept), kept.span()), (vec![3, 5], Some((3, 5))));
        assert!(kept.put(3, &[]).unwrap() && kept.put(5, &[]).unwrap());
        assert_eq!((kept.len(), kept.span()), (0, None));
    }

    #[test]
    fn a_day_is_taken_over_where_there_is_none() {
        let from = filled(&[2, 4]);
        let mut into = filled(&[2, 3]);
        let taken: Vec<_> =
            from.iter().map(|(day, rows)| into.take_over(day, rows).unwrap()).collect();
        assert_eq!(taken, [false, true]);
        assert_eq!(into.into_bytes(), filled(&[2, 3, 4]).into_bytes());
    }

    #[test]
    fn halves_follow_each_other_and_know_their_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (last, first) in [("2024-06-30", "2024-07-01"), ("2023-12-31", "2024-01-01")] {
            let (last, first) = (day(last), day(first));
            assert_eq!(half(last) + 1, half(first));
            for day in [last, first] {
                assert_eq!(date(half(day), ordinal(day)).unwrap(), day);
            }
        }
        assert_eq!((half(day("-0001-12-31")) + 1, year(-1)), (half(day("0000-01-01")), -1));
    }

    #[test]
    fn damage_is_told() {
        let whole = filled(&[1, 2]).into_bytes();
        for cut in 1..whole.len() {
            let kept = whole.get(..cut).unwrap().to_vec();
            // A cut between two days leaves whole days.
            let fits = Days::parse(kept.clone()).is_ok();
            assert_eq!(fits, kept.len() * 2 == whole.len(), "{cut}");
        }
        let twice = [whole.clone(), whole].concat();
        assert!(Days::parse(twice).is_err(), "a day comes twice");
    }
}
