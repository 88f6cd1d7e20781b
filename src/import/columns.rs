//! Which columns a file must and may have, and where they stand in this one. Knows no rows.

use super::csv_reader::CsvReader;
use super::problem::{Fault, Problem};
use crate::model::SafeText;

/// A known column: its name and where it stands in this file, if it does.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub(super) name: &'static str,
    pub(super) at: Option<usize>,
}

/// Where a column stands in a header that was checked.
pub fn place(header: &[SafeText], name: &'static str) -> Place {
    Place { name, at: header.iter().position(|column| column.as_str() == name) }
}

/// Refuses a header with a column too many or too few. Both lists are names joined by commas.
pub fn check<R: std::io::Read>(
    csv: &CsvReader<R>,
    required: &'static str,
    optional: &'static str,
) -> Result<(), Problem> {
    let (header, line) = csv.header();
    check_names(header, required, optional).map_err(|problem| problem.on_line(line))
}

fn check_names(
    header: &[SafeText],
    required: &'static str,
    optional: &'static str,
) -> Result<(), Problem> {
    let known = || required.split(',').chain(optional.split(','));
    let there = |name: &str| header.iter().any(|column| column.as_str() == name);
    if !known().any(there) {
        return Err(Problem::new(Fault::NoHeader(required)));
    }
    for (index, column) in header.iter().enumerate() {
        let name = column.as_str();
        if name.is_empty() {
            return Err(Problem::in_column(&(index + 1).to_string(), Fault::Unnamed));
        }
        if header.iter().take(index).any(|earlier| earlier == column) {
            return Err(Problem::in_column(name, Fault::Twice));
        }
        if !known().any(|known| known == name) {
            let free: Vec<&'static str> = known().filter(|known| !there(known)).collect();
            let fault =
                Fault::UnknownColumn { nearest: nearest(name, &free), known: free.join(" ") };
            return Err(Problem::in_column(name, fault));
        }
    }
    let lacking: Vec<&str> = required.split(',').filter(|name| !there(name)).collect();
    if !lacking.is_empty() {
        return Err(Problem::new(Fault::Lacking(lacking.join(", "))));
    }
    Ok(())
}

/// The name that is only a slip away: a third of its letters may differ.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let closest = known.iter().copied().min_by_key(|known| distance(known))?;
    (distance(closest) * 3 <= closest.len()).then_some(closest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(header: &str) -> String {
        let header: Vec<SafeText> = header.split(',').map(SafeText::new).collect();
        match check_names(&header, "date,account,amount", "note,fx_rate") {
            Ok(()) => String::new(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn order_is_free_and_optional_columns_may_be_away() {
        assert_eq!(says("amount,date,account"), "");
        assert_eq!(says("fx_rate,amount,date,account,note"), "");
    }

    #[test]
    fn every_wrong_header_says_what_is_wrong_with_it() {
        for (header, right) in [
            (
                "date,acount,amount",
                "column acount: unknown column; did you mean `account`? otherwise take it out",
            ),
            (
                "date,account,amount,fxrate",
                "column fxrate: unknown column; did you mean `fx_rate`? otherwise take it out",
            ),
            (
                "date,account,amount,colour",
                "column colour: unknown column; take it out or rename it; there are note fx_rate",
            ),
            ("date,account,amount,date", "column date: this column is there twice; take one out"),
            (
                "date,account,x,x",
                "column x: unknown column; take it out or rename it; there are amount note fx_rate",
            ),
            ("date,,amount", "column 2: this column has no name; name it or take it out"),
            (
                "note,date",
                "the first line lacks account, amount; add them, empty where there is nothing to say",
            ),
            ("2024-01-02,main,12", "the first line must name the columns: date,account,amount"),
        ] {
            assert_eq!(says(header), right);
        }
    }

    #[test]
    fn a_place_is_where_the_header_has_the_name() {
        let header = [SafeText::new("b"), SafeText::new("a")];
        assert_eq!(place(&header, "a").at, Some(1));
        assert_eq!(place(&header, "c").at, None);
    }
}
