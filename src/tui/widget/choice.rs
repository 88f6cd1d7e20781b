//! Which columns of a table somebody wants to see, and in which order. It knows their titles alone,
//! so that a table may get other columns without anybody's choice being lost.

use super::Column;

/// A choice of columns. Those that it does not name stand behind the others as they always did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Titles, in the order of their columns.
    pub order: Vec<String>,
    /// Titles of those that are not shown.
    pub hidden: Vec<String>,
}

impl Choice {
    /// Where the chosen ones are among all columns, in the order of the choice. One without a title
    /// stays behind the one before it, shown or not: what it says is a mark that belongs there.
    #[must_use]
    pub fn among(&self, columns: &[Column]) -> Vec<usize> {
        let mut groups: Vec<(Option<&'static str>, Vec<usize>)> = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            match groups.last_mut().filter(|_| column.title.is_empty()) {
                Some((_, places)) => places.push(at),
                None => groups.push((Some(column.title), vec![at])),
            }
        }
        // What leads without a title goes on leading.
        let rank = |title: Option<&str>| match title {
            None | Some("") => 0,
            Some(title) => {
                let at = self.order.iter().position(|own| own == title);
                at.map_or(usize::MAX, |at| at + 1)
            }
        };
        groups.sort_by_key(|(title, _)| rank(*title));
        let is_shown = |at: &usize| columns.get(*at).is_some_and(|it| self.shows(it.title));
        groups.into_iter().flat_map(|(_, places)| places).filter(is_shown).collect()
    }

    /// Whether the column of a title is shown.
    #[must_use]
    pub fn shows(&self, title: &str) -> bool {
        title.is_empty() || !self.hidden.iter().any(|hidden| hidden == title)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Align;
    use super::*;

    const fn column(title: &'static str) -> Column {
        Column { title, align: Align::Left, priority: 0, width: (1, 9) }
    }

    #[test]
    fn columns_stand_as_they_were_chosen_and_marks_stay_with_theirs() {
        let columns = ["", "Of", "", "Value", "Cost", "Age"].map(column);
        let among = |order: &[&str], hidden: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            Choice { order: texts(order), hidden: texts(hidden) }.among(&columns)
        };
        assert_eq!(among(&[], &[]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(among(&["Cost", "Of"], &[]), [0, 4, 1, 2, 3, 5]);
        assert_eq!(among(&["Cost", "Of"], &["Of", "Age", "Gone"]), [0, 4, 2, 3]);
    }
}
