//! The table of figures: its lines, and how they are laid out. It does not know how a figure was
//! come by.

use super::measure::Figures;

const HEADINGS: [&str; 9] =
    ["work", "CPU s", "wall ms", "peak MiB", "yardstick", "its figure", "figure", "bound", ""];

/// Lines of cells, in the order of the headings.
#[derive(Default)]
pub struct Table(Vec<[String; 9]>);

/// What a figure is held against.
pub struct Against<'a> {
    /// What the yardstick is.
    pub yardstick: &'a str,
    /// What it took, where it is a measurement.
    pub took: String,
    /// The figure in question; `bound` is in the same unit.
    pub figure: f64,
    /// More than this is over.
    pub bound: f64,
    /// `x`, `ms` ...
    pub unit: &'a str,
}

impl Table {
    /// One line: what a work took, and how a figure of it stands against its bound.
    pub fn line(&mut self, work: &str, took: Option<Figures>, against: Option<Against<'_>>) {
        let took = took.map(|Figures { cpu, wall, peak }| {
            [format!("{cpu:.2}"), format!("{:.1}", wall * 1_000.0), format!("{peak:.1}")]
        });
        let [cpu, wall, peak] = took.unwrap_or_default();
        let against = against.map(|Against { yardstick, took, figure, bound, unit }| {
            let verdict = if figure <= bound { "ok" } else { "over" };
            let (figure, bound) = (format!("{figure:.2} {unit}"), format!("{bound:.2} {unit}"));
            [yardstick.to_owned(), took, figure, bound, verdict.to_owned()]
        });
        let [yardstick, its, figure, bound, verdict] = against.unwrap_or_default();
        self.0.push([work.to_owned(), cpu, wall, peak, yardstick, its, figure, bound, verdict]);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headings = HEADINGS.map(str::to_owned);
        let lines = || std::iter::once(&headings).chain(&self.0);
        let widths: [usize; 9] =
            std::array::from_fn(|at| lines().map(|line| line[at].len()).max().unwrap_or(0));
        for line in lines() {
            let cells = line.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
                0 | 4 | 8 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
