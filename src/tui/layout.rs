//! Which panes are seen, and where: one pure function of the place that there is, the pane that is
//! open and whether it has all of it to itself.
//!
//! ```text
//!  small            from 110 x 30          from 180 x 44
//! +--------+       +-------------+        +----------+--------------+
//! |  open  |       |    open     |        | Accounts |   Holdings   |
//! |        |       +------+------+        +----------+--------------+
//! |        |       |detail|chart |        |  Chart   | Transactions |
//! +--------+       +------+------+        +----------+--------------+
//! ```

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Block;

use super::pane::PaneId;

/// What is beneath the tabs and above the bar: from so much on there is room for a detail.
pub const DETAIL: (u16, u16) = (110, 30);
/// From so much on there is room for four panes.
pub const FOUR: (u16, u16) = (180, 44);

/// What stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A pane.
    Pane(PaneId),
    /// Everything of the row at the cursor of the open pane.
    Detail,
}

/// A part, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub part: Part,
    /// Where.
    pub area: Rect,
    /// There is a border around it.
    pub framed: bool,
}

impl Place {
    /// What is inside the border.
    #[must_use]
    pub fn inner(&self) -> Rect {
        if self.framed { Block::bordered().inner(self.area) } else { self.area }
    }
}

/// It has parts of its own, and all the room.
const fn is_whole(pane: PaneId) -> bool {
    use PaneId::{Accounts, Chart, Holdings, Transactions};
    !matches!(pane, Accounts | Holdings | Transactions | Chart)
}

/// The parts that are seen; the open pane is one of them.
#[must_use]
pub fn places(body: Rect, open: PaneId, zoomed: bool) -> Vec<Place> {
    let fits = |(width, height)| body.width >= width && body.height >= height;
    let alone = vec![Place { part: Part::Pane(open), area: body, framed: false }];
    if zoomed || is_whole(open) {
        alone
    } else if fits(FOUR) {
        let [left, right] =
            Layout::horizontal([Constraint::Fill(2), Constraint::Fill(3)]).areas(body);
        let halves = |area| -> [Rect; 2] {
            Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(area)
        };
        let ([accounts, chart], [holdings, transactions]) = (halves(left), halves(right));
        [
            (PaneId::Accounts, accounts),
            (PaneId::Holdings, holdings),
            (PaneId::Transactions, transactions),
            (PaneId::Chart, chart),
        ]
        .map(|(pane, area)| Place { part: Part::Pane(pane), area, framed: true })
        .to_vec()
    } else if fits(DETAIL) && open != PaneId::Chart {
        // A transaction is told on a few lines; its table has rows without end.
        let shares = match open {
            PaneId::Transactions => [Constraint::Fill(1), Constraint::Length(12)],
            _ => [Constraint::Fill(3), Constraint::Fill(2)],
        };
        let [master, beneath] = Layout::vertical(shares).areas(body);
        let framed = |part, area| Place { part, area, framed: true };
        let mut places = vec![Place { part: Part::Pane(open), area: master, framed: false }];
        if open == PaneId::Transactions {
            places.push(framed(Part::Detail, beneath));
        } else {
            let [left, right] =
                Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(beneath);
            places.push(framed(Part::Detail, left));
            places.push(framed(Part::Pane(PaneId::Chart), right));
        }
        places
    } else {
        alone
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Parts stay inside, do not overlap, leave nothing over, and the open pane is one of them.
    fn check(body: Rect, open: PaneId, zoomed: bool) -> Vec<Place> {
        let places = places(body, open, zoomed);
        let opened = places.iter().filter(|place| place.part == Part::Pane(open));
        assert_eq!(opened.count(), 1, "{body} {open:?}");
        for (at, place) in places.iter().enumerate() {
            assert_eq!(place.area.intersection(body), place.area, "{body} {places:?}");
            assert_eq!(place.inner().intersection(place.area), place.inner(), "{body} {places:?}");
            for other in places.iter().skip(at + 1) {
                assert!(!place.area.intersects(other.area), "{body} {places:?}");
                assert_ne!(place.part, other.part);
            }
        }
        let covered: u32 = places.iter().map(|place| place.area.area()).sum();
        assert_eq!(covered, body.area(), "{body} {places:?}");
        places
    }

    fn count(width: u16, height: u16, open: PaneId) -> usize {
        check(Rect::new(0, 2, width, height), open, false).len()
    }

    #[test]
    fn each_border_is_where_it_is_said_to_be() {
        use PaneId::{Accounts, Chart, Holdings, Transactions};
        for (open, beside) in [(Accounts, 3), (Holdings, 3), (Transactions, 2), (Chart, 1)] {
            let (width, height) = DETAIL;
            assert_eq!(count(width - 1, height, open), 1);
            assert_eq!(count(width, height - 1, open), 1);
            assert_eq!(count(width, height, open), beside);
            assert_eq!(count(width + 1, height + 1, open), beside);
            let (width, height) = FOUR;
            assert_eq!(count(width - 1, height, open), beside);
            assert_eq!(count(width, height - 1, open), beside);
            assert_eq!(count(width, height, open), 4);
            assert_eq!(count(width + 1, height + 1, open), 4);
            let zoomed = check(Rect::new(0, 0, width, height), open, true);
            assert_eq!(zoomed.len(), 1);
        }
        let beside = [Accounts, Holdings, Transactions, Chart];
        for open in PaneId::ALL.into_iter().filter(|pane| !beside.contains(pane)) {
            assert_eq!(count(FOUR.0, FOUR.1, open), 1);
        }
    }

    proptest! {
        #[test]
        fn parts_share_the_place_out(
            (x, y, width, height) in (0..9_u16, 0..9_u16, 0..400_u16, 0..200_u16),
            at in 0..PaneId::ALL.len(),
            zoomed: bool,
        ) {
            check(Rect::new(x, y, width, height), PaneId::ALL[at], zoomed);
        }
    }
}
