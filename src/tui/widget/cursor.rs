//! The place in a list, and the part of the list that is seen.

use crate::keys::Action;

/// Which row is looked at, and which one is at the top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The row.
    pub at: usize,
    /// The first row that is seen.
    pub top: usize,
}

impl Cursor {
    /// Moves as an action says. False: it says nothing of moving.
    pub fn act(&mut self, action: Action, len: usize, height: usize) -> bool {
        let page = height.max(1);
        let last = len.saturating_sub(1);
        // Pages move what is seen too, so that the cursor stays where it is on the screen.
        let (at, top) = match action {
            Action::MoveDown => (self.at + 1, self.top),
            Action::MoveUp => (self.at.saturating_sub(1), self.top),
            Action::First => (0, 0),
            Action::Last => (last, self.top),
            Action::HalfPageDown => (self.at + page.div_ceil(2), self.top + page.div_ceil(2)),
            Action::PageDown => (self.at + page, self.top + page),
            Action::HalfPageUp => {
                let half = page.div_ceil(2);
                (self.at.saturating_sub(half), self.top.saturating_sub(half))
            }
            Action::PageUp => (self.at.saturating_sub(page), self.top.saturating_sub(page)),
            _ => return false,
        };
        (self.at, self.top) = (at, top);
        self.settle(len, height);
        true
    }

    /// Goes to the next row that fits, or to the one before, and on from the other end. True: it
    /// went on from there; none: no row fits.
    pub fn seek(
        &mut self,
        forward: bool,
        len: usize,
        height: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Option<bool> {
        let mut rows = (1..=len).map(|by| match forward {
            true => (self.at + by) % len,
            false => (self.at + len - by) % len,
        });
        let found = rows.find(|row| fits(*row))?;
        let around = if forward { found <= self.at } else { found >= self.at };
        self.at = found;
        self.settle(len, height);
        Some(around)
    }

    /// Keeps the place within a list, and in sight.
    pub fn settle(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.at = self.at.min(len.saturating_sub(1));
        self.top = self.top.min(len.saturating_sub(height)).min(self.at);
        self.top = self.top.max((self.at + 1).saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_stays_in_the_list_and_in_sight() {
        let mut cursor = Cursor::default();
        let mut go = |action, len, height| {
            assert!(cursor.act(action, len, height));
            (cursor.at, cursor.top)
        };
        assert_eq!(go(Action::MoveUp, 10, 4), (0, 0));
        assert_eq!(go(Action::MoveDown, 10, 4), (1, 0));
        assert_eq!(go(Action::PageDown, 10, 4), (5, 4));
        assert_eq!(go(Action::PageUp, 10, 4), (1, 0));
        assert_eq!(go(Action::Last, 10, 4), (9, 6));
        assert_eq!(go(Action::MoveDown, 10, 4), (9, 6));
        assert_eq!(go(Action::MoveUp, 10, 4), (8, 6));
        assert_eq!(go(Action::HalfPageUp, 10, 4), (6, 4));
        assert_eq!(go(Action::First, 10, 4), (0, 0));
        assert_eq!(go(Action::MoveDown, 0, 0), (0, 0));
        assert!(!Cursor::default().act(Action::Quit, 10, 4));
    }

    #[test]
    fn what_fits_is_found_and_the_search_goes_around() {
        let mut cursor = Cursor::default();
        let mut seek = |forward| {
            let around = cursor.seek(forward, 10, 4, |row| row == 3 || row == 7);
            (cursor.at, around)
        };
        assert_eq!(seek(true), (3, Some(false)));
        assert_eq!(seek(true), (7, Some(false)));
        assert_eq!(seek(true), (3, Some(true)));
        assert_eq!(seek(false), (7, Some(true)));
        assert_eq!(seek(false), (3, Some(false)));
        assert_eq!(Cursor::default().seek(true, 10, 4, |_| false), None);
        assert_eq!(Cursor::default().seek(true, 0, 4, |_| true), None);
    }

    #[test]
    fn a_list_that_shrinks_or_a_screen_that_grows_moves_it() {
        let mut cursor = Cursor { at: 9, top: 6 };
        cursor.settle(3, 4);
        assert_eq!(cursor, Cursor { at: 2, top: 0 });
        let mut cursor = Cursor { at: 9, top: 6 };
        cursor.settle(10, 8);
        assert_eq!(cursor, Cursor { at: 9, top: 2 });
    }
}
