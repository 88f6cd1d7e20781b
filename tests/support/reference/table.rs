//! A report as rows of named cells, and how two of them are compared. It knows figures, and
//! nothing of what they mean.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use super::Q;

/// A cell of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    /// A figure that was not computed, and must come as it is.
    Exact(Q),
    /// A figure within 1e-9; none where it cannot be known.
    Near(Option<Q>),
}

/// The cells that are to be compared, by column.
pub type Row = BTreeMap<String, Cell>;

/// What a cell sorts by: figures that are near each other are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Nothing,
    Number(BigInt),
    Text(String),
}

impl Cell {
    pub fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    pub fn figure(&self) -> Option<&Q> {
        match self {
            Self::Text(_) => None,
            Self::Exact(figure) => Some(figure),
            Self::Near(figure) => figure.as_ref(),
        }
    }

    fn key(&self) -> Key {
        match (self, self.figure()) {
            (Self::Text(text), _) => Key::Text(text.clone()),
            (_, None) => Key::Nothing,
            (_, Some(figure)) => Key::Number(scaled(figure, 6).round().to_integer()),
        }
    }

    /// Whether another cell says the same as this, which is what is expected.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Exact(a), b) => b.figure() == Some(a),
            (Self::Near(None), Self::Near(None)) => true,
            (Self::Near(Some(a)), b) => {
                b.figure().is_some_and(|b| scaled(&(a - b), 9).abs() <= Q::from_integer(1.into()))
            }
            _ => false,
        }
    }
}

fn scaled(figure: &Q, places: u32) -> Q {
    figure * Q::from_integer(BigInt::from(10).pow(places))
}

/// The sum, each figure cut to thirty decimals: the digits of exact sums of many rates have no end.
pub fn total<'a>(figures: impl IntoIterator<Item = &'a Q>) -> Q {
    let whole: BigInt = figures.into_iter().map(|figure| scaled(figure, 30).to_integer()).sum();
    Q::new(whole, BigInt::from(10).pow(30))
}

/// The values of some columns; a missing one counts as nothing.
pub fn key(row: &Row, columns: &[&str]) -> Vec<Key> {
    columns.iter().map(|column| row.get(*column).map_or(Key::Nothing, Cell::key)).collect()
}

/// One row for all rows that agree in some columns, with the sums of others.
pub fn folded(rows: &[Row], by: &[&str], sums: &[&str]) -> Vec<Row> {
    let mut groups: BTreeMap<Vec<Key>, Row> = BTreeMap::new();
    for row in rows {
        let group = groups.entry(key(row, by)).or_insert_with(|| {
            let cells = by.iter().map(|column| ((*column).to_owned(), row[*column].clone()));
            let zero = |column: &&str| ((*column).to_owned(), Cell::Near(Some(Q::zero())));
            cells.chain(sums.iter().map(zero)).collect()
        });
        for column in sums {
            let parts = [group[*column].figure(), row.get(*column).and_then(Cell::figure)];
            let sum = parts.into_iter().collect::<Option<Vec<&Q>>>().map(total);
            group.insert((*column).to_owned(), Cell::Near(sum));
        }
    }
    groups.into_values().collect()
}

/// Where rows differ from what is expected, a line each.
pub fn differences(expected: &[Row], actual: &[Row], sort: &[&str]) -> Vec<String> {
    let sorted = |rows: &[Row]| {
        let mut rows = rows.to_vec();
        rows.sort_by_cached_key(|row| key(row, sort));
        rows
    };
    let mut found = Vec::new();
    if expected.len() != actual.len() {
        found.push(format!("{} rows, not {}", actual.len(), expected.len()));
    }
    for (expected, actual) in sorted(expected).iter().zip(&sorted(actual)) {
        for (column, cell) in expected {
            let other = actual.get(column);
            if !other.is_some_and(|other| cell.agrees(other)) {
                let place = key(expected, sort);
                found.push(format!("{place:?} {column}: {other:?}, not {cell:?}"));
            }
        }
        let more = actual.keys().find(|name| name.contains('.') && !expected.contains_key(*name));
        if let Some(more) = more {
            found.push(format!("{:?}: {more} should not be", key(expected, sort)));
        }
    }
    found
}
