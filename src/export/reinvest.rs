//! Finds the two transactions that one REINVEST row of the neutral form stands for. Knows how such
//! a row is read, not how it is written.

use std::collections::VecDeque;

use crate::model::{Draft, Drafts, Entry, EntryType, SafeText, Subtype, TransactionWords, Unit};

/// The link of two transactions that came from one row; it is not written, since the row says it.
const OWN_LINK: &str = "~reinvest:";

/// What becomes one row of the file.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A transaction.
    One(&'a Draft),
    /// A purchase and the dividend that paid for it.
    Reinvest {
        /// What was bought.
        buy: &'a Draft,
        /// What paid for it.
        dividend: &'a Draft,
    },
}

/// Puts purchase and dividend together as the transactions come by. A purchase waits for its
/// dividend until another row of its account or day shows that the two do not stand together;
/// rows of other accounts may come between.
#[derive(Debug, Default)]
pub struct Pairing {
    held: VecDeque<Held>,
}

#[derive(Debug)]
struct Held {
    draft: Draft,
    dividend: Option<Draft>,
    /// It may yet get its dividend.
    waits: bool,
}

impl Pairing {
    /// Takes the next transaction and gives out the rows that are complete.
    pub fn feed<E>(
        &mut self,
        words: &TransactionWords,
        each: &mut impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let draft = &words.draft;
        let another_day = |held: &Held| held.draft.facts.date != draft.facts.date;
        if self.held.front().is_some_and(another_day) {
            self.finish(each)?;
        }
        let mine = |held: &&mut Held| held.waits && held.draft.account == draft.account;
        if let Some(held) = self.held.iter_mut().find(mine) {
            held.waits = false;
            if is_reinvestment(&held.draft, draft) {
                held.dividend = Some(draft.clone());
                return self.give_out(each);
            }
            self.give_out(each)?;
        }
        let waits = may_be_reinvested(draft);
        if !waits && self.held.is_empty() {
            return each(Row::One(draft));
        }
        self.held.push_back(Held { draft: draft.clone(), dividend: None, waits });
        Ok(())
    }

    /// Gives out the rest.
    pub fn finish<E>(&mut self, each: &mut impl FnMut(Row<'_>) -> Result<(), E>) -> Result<(), E> {
        for held in &mut self.held {
            held.waits = false;
        }
        self.give_out(each)
    }

    fn give_out<E>(&mut self, each: &mut impl FnMut(Row<'_>) -> Result<(), E>) -> Result<(), E> {
        while let Some(held) = self.held.pop_front_if(|held| !held.waits) {
            each(match &held.dividend {
                Some(dividend) => Row::Reinvest { buy: &held.draft, dividend },
                None => Row::One(&held.draft),
            })?;
        }
        Ok(())
    }
}

/// The link as the file has it: not the one that the row itself makes.
pub fn written_link(link: Option<&SafeText>) -> Option<&SafeText> {
    link.filter(|link| !link.as_str().starts_with(OWN_LINK))
}

/// Two transactions are from one row if their link says so, or if they share the source's id, which
/// no two rows do.
fn may_be_reinvested(draft: &Draft) -> bool {
    let own_link = draft.link.is_some() && written_link(draft.link.as_ref()).is_none();
    draft.facts.subtype == Subtype::Buy
        && (own_link || draft.link.is_some() && draft.source_id.is_some())
}

/// Whether the row that would be written is read back as just these two.
fn is_reinvestment(buy: &Draft, dividend: &Draft) -> bool {
    if dividend.facts.subtype != Subtype::Dividend || buy.link != dividend.link {
        return false;
    }
    let as_read = |draft: &Draft| {
        let mut draft = draft.clone();
        draft.link = written_link(draft.link.as_ref()).cloned();
        // Figures are written in the main unit.
        draft.facts.quoted_in = None;
        draft
    };
    let drafts =
        Drafts { first: Box::new(as_read(buy)), second: Some(Box::new(as_read(dividend))) };
    entry(buy, dividend).check() == Ok(drafts)
}

fn entry(buy: &Draft, dividend: &Draft) -> Entry {
    let facts = buy.facts.clone();
    let unit = Unit::from(facts.currency);
    Entry {
        symbol: buy.security.clone(),
        to_symbol: buy.to_security.clone(),
        quantity: facts.quantity,
        price: facts.price,
        fee: facts.fee,
        tax: dividend.facts.tax,
        settlement: facts.settlement,
        fx_rate: facts.fx_rate,
        multiplier: facts.multiplier,
        ratio: facts.ratio,
        acquired: facts.acquired,
        cost_share: facts.cost_share,
        link: written_link(buy.link.as_ref()).cloned(),
        id: buy.source_id.clone(),
        status: facts.status,
        description: facts.description,
        category: facts.category,
        note: facts.note,
        ..Entry::new(buy.account.clone(), facts.date, EntryType::Reinvest, unit)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use chrono::NaiveDate;

    use super::*;
    use crate::model::{Currency, Dec, Mention, Origin};

    /// What one REINVEST row is read as, with the link that such a row gets.
    fn reinvested(account: &str, day: u32, change: impl FnOnce(&mut Entry)) -> [Draft; 2] {
        let mut entry = Entry::new(
            SafeText::new(account),
            NaiveDate::from_ymd_opt(2024, 1, day).unwrap(),
            EntryType::Reinvest,
            Unit::from(Currency::USD),
        );
        entry.symbol = Mention::parse("X").ok();
        entry.quantity = Dec::parse("2").ok();
        entry.price = Dec::parse("10.5").ok();
        change(&mut entry);
        let Drafts { mut first, second } = entry.check().unwrap();
        let mut second = second.unwrap();
        if first.link.is_none() {
            first.link = Some(SafeText::new(&format!("~reinvest:{account}{day}")));
            second.link.clone_from(&first.link);
        }
        [*first, *second]
    }

    /// One letter per row: `R` for a reinvestment, else the first of its type.
    fn rows(drafts: &[&Draft]) -> String {
        let mut rows = String::new();
        let mut each = |row: Row<'_>| -> Result<(), Infallible> {
            rows.push_str(match row {
                Row::Reinvest { .. } => "R",
                Row::One(draft) => draft.facts.subtype.as_str().get(..1).unwrap(),
            });
            Ok(())
        };
        let mut pairing = Pairing::default();
        for &draft in drafts {
            let words = TransactionWords::new(draft.clone(), 0, Origin::File);
            let Ok(()) = pairing.feed(&words, &mut each);
        }
        let Ok(()) = pairing.finish(&mut each);
        rows
    }

    #[test]
    fn the_two_halves_of_a_row_become_one_again() {
        let plain = reinvested("A", 2, |_| {});
        assert_eq!(rows(&[&plain[0], &plain[1]]), "R");
        let charged = reinvested("A", 2, |entry| {
            entry.fee = Dec::parse("1").ok();
            entry.tax = Dec::parse("3").ok();
            entry.note = Some(SafeText::new("n"));
            entry.multiplier = Dec::parse("100").ok();
        });
        assert_eq!(rows(&[&charged[0], &charged[1]]), "R");
        let pence = reinvested("A", 2, |entry| entry.unit = Unit::parse("GBp").unwrap());
        assert_eq!(rows(&[&pence[0], &pence[1]]), "R");
    }

    #[test]
    fn a_link_of_the_source_needs_its_id_too() {
        let linked = reinvested("A", 2, |entry| entry.link = Some(SafeText::new("L")));
        assert_eq!(rows(&[&linked[0], &linked[1]]), "bd");
        let known = reinvested("A", 2, |entry| {
            entry.link = Some(SafeText::new("L"));
            entry.id = Some(SafeText::new("7"));
        });
        assert_eq!(rows(&[&known[0], &known[1]]), "R");
    }

    #[test]
    fn rows_of_other_accounts_may_come_between_and_no_others() {
        let [a_buy, a_dividend] = &reinvested("A", 2, |_| {});
        let [b_buy, b_dividend] = &reinvested("B", 2, |_| {});
        let [c_buy, c_dividend] = &reinvested("A", 3, |_| {});
        assert_eq!(rows(&[a_buy, b_buy, a_dividend, b_dividend]), "RR");
        assert_eq!(rows(&[a_buy, c_buy, a_dividend, c_dividend]), "bbdd");
        assert_eq!(rows(&[a_buy, a_dividend, c_buy, c_dividend]), "RR");
        let mut other = a_buy.clone();
        (other.link, other.facts.subtype) = (None, Subtype::Sell);
        assert_eq!(rows(&[a_buy, &other, a_dividend]), "bsd");
        other.account = SafeText::new("B");
        assert_eq!(rows(&[a_buy, &other, a_dividend]), "Rs");
        assert_eq!(rows(&[&other, a_buy]), "sb");
        assert_eq!(rows(&[a_dividend, a_buy]), "db");
    }

    #[test]
    fn nothing_waits_beyond_its_day() {
        let [buy, _] = reinvested("A", 2, |_| {});
        let [other, _] = reinvested("B", 3, |_| {});
        let (mut pairing, mut given_out) = (Pairing::default(), 0);
        for draft in [buy, other] {
            let words = TransactionWords::new(draft, 0, Origin::File);
            let Ok(()) = pairing.feed(&words, &mut |_| -> Result<(), Infallible> {
                given_out += 1;
                Ok(())
            });
        }
        assert_eq!(given_out, 1);
    }

    #[test]
    fn what_was_edited_since_is_written_as_two_rows() {
        let [buy, dividend] = &reinvested("A", 2, |_| {});
        let edits: [fn(&mut Draft); 8] = [
            |d| d.facts.amount = Dec::parse("20").unwrap(),
            |d| d.facts.note = Some(SafeText::new("n")),
            |d| d.facts.status = crate::model::Status::Pending,
            |d| d.facts.quantity = Some(Dec::ONE),
            |d| d.facts.fee = Some(Dec::ONE),
            |d| d.security = Mention::parse("Y").ok(),
            |d| d.link = Some(SafeText::new("~reinvest:other")),
            |d| d.facts.subtype = Subtype::Interest,
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            let mut edited = dividend.clone();
            edit(&mut edited);
            let right = if edited.facts.subtype == Subtype::Interest { "bi" } else { "bd" };
            assert_eq!(rows(&[buy, &edited]), right, "edit {number}");
        }
    }
}
