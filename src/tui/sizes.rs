//! New sizes of the terminal, no faster than anybody could see: while a window is being dragged they
//! come by the hundred, and of those that come between two frames only the last is of interest.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// Sixty frames a second.
const FRAME: Duration = Duration::from_micros(16_667);

/// Columns and lines.
type Size = (u16, u16);

/// Sizes that are taken in by turns.
#[derive(Debug, Default)]
pub struct Sizes {
    /// The last one that came too early.
    waiting: Option<Size>,
    /// Until the next may be taken in; none: at once.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Sizes {
    /// A size that is new. It is given back if it is its turn.
    pub fn take(&mut self, size: Size) -> Option<Size> {
        if self.pause.is_some() {
            self.waiting = Some(size);
            return None;
        }
        self.pause = Some(Box::pin(sleep(FRAME)));
        Some(size)
    }

    /// Waits until a pause is over, for ever where there is none; gives the size that waited for it,
    /// if one did.
    pub async fn next(&mut self) -> Option<Size> {
        match &mut self.pause {
            Some(pause) => pause.await,
            None => pending().await,
        }
        self.pause = None;
        self.waiting.take().and_then(|size| self.take(size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_sizes_that_come_at_once_the_first_and_the_last_are_taken_in() {
        let mut sizes = Sizes::default();
        let taken: Vec<_> = (1..100).filter_map(|cols| sizes.take((cols, 9))).collect();
        assert_eq!(taken, [(1, 9)]);
        assert_eq!(sizes.next().await, Some((99, 9)));
        assert_eq!(sizes.take((7, 7)), None, "the last one had its turn just now");
        assert_eq!(sizes.next().await, Some((7, 7)));
        assert_eq!(sizes.next().await, None);
        assert_eq!(sizes.take((8, 8)), Some((8, 8)));
    }
}
