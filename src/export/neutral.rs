//! Transactions in the native form: one row of a CSV file is one transaction, or one REINVEST.
//! Knows how they are written; what a row means is for the model to say.
//!
//! The form cannot tell what a source says under a person's edits, nor which rows were deleted: a
//! store that knows both takes nothing of it twice, a new one knows the rows only as they are now.
//! JSON tells it.

use std::convert::Infallible;
use std::io;

use super::Writer;
use super::csv_line::{Line, Value};
use super::reinvest::{Pairing, Row, written_link};
use crate::model::{Dec, Draft, Item, Mention, SafeText, Status, Subtype, TransactionWords};

type Column = (&'static str, fn(Row<'_>) -> Value<'_>);

/// The columns that every file has.
const REQUIRED: [Column; 9] = [
    ("date", |row| Value::Day(row.draft().facts.date)),
    ("account", |row| Value::Text(&row.draft().account)),
    ("type", kind),
    ("symbol", |row| Value::maybe(row.draft().security.as_ref(), Value::mention)),
    ("quantity", |row| Value::maybe(quantity(row.draft()), Value::Figure)),
    ("price", |row| Value::maybe(row.draft().facts.price, Value::Figure)),
    ("fee", |row| Value::maybe(row.draft().facts.fee, Value::Figure)),
    ("currency", |row| Value::Code(row.draft().facts.currency.code())),
    ("amount", |row| match row {
        Row::One(draft) => Value::Figure(draft.facts.amount),
        Row::Reinvest { .. } => Value::Nothing,
    }),
];

/// The columns that a file has when they are in use. The other leg of a transfer has a row of its
/// own here, so there is never an account to go to.
const OPTIONAL: [Column; 16] = [
    ("settlement", |row| Value::maybe(row.draft().facts.settlement, Value::Day)),
    ("tax", |row| Value::maybe(row.taxed().facts.tax, Value::Figure)),
    ("fx_rate", |row| Value::maybe(row.draft().facts.fx_rate, Value::Figure)),
    ("description", |row| Value::maybe(row.draft().facts.description.as_ref(), Value::Text)),
    ("id", |row| Value::maybe(row.draft().source_id.as_ref(), Value::Text)),
    ("ratio", |row| Value::maybe(row.draft().facts.ratio, Value::Ratio)),
    ("to_symbol", |row| Value::maybe(row.draft().to_security.as_ref(), Value::mention)),
    ("cost_share", |row| Value::maybe(row.draft().facts.cost_share, Value::Figure)),
    ("multiplier", |row| Value::maybe(row.draft().facts.multiplier, Value::Figure)),
    ("venue", |row| Value::maybe(row.mention(|mention| mention.venue.as_ref()), Value::Text)),
    ("isin", |row| {
        Value::maybe(row.mention(|mention| mention.isin.as_ref()), |isin| {
            Value::Code(isin.as_str())
        })
    }),
    ("acquired", |row| Value::maybe(row.draft().facts.acquired, Value::Day)),
    ("link", |row| Value::maybe(row.link(), Value::Text)),
    ("status", |row| match row.draft().facts.status {
        Status::Settled => Value::Nothing,
        status => Value::Word(status.as_str()),
    }),
    ("category", |row| Value::maybe(row.draft().facts.category.as_ref(), Value::Text)),
    ("note", |row| Value::maybe(row.draft().facts.note.as_ref(), Value::Text)),
];

impl<'a> Row<'a> {
    /// What most columns are about.
    const fn draft(self) -> &'a Draft {
        match self {
            Self::One(draft) | Self::Reinvest { buy: draft, .. } => draft,
        }
    }

    /// What the tax was taken from.
    const fn taxed(self) -> &'a Draft {
        match self {
            Self::One(draft) | Self::Reinvest { dividend: draft, .. } => draft,
        }
    }

    fn mention<T>(self, part: impl FnOnce(&'a Mention) -> Option<&'a T>) -> Option<&'a T> {
        self.draft().security.as_ref().and_then(part)
    }

    fn link(self) -> Option<&'a SafeText> {
        match self {
            Self::One(draft) => draft.link.as_ref(),
            Self::Reinvest { buy, .. } => written_link(buy.link.as_ref()),
        }
    }
}

fn kind(row: Row<'_>) -> Value<'_> {
    match row {
        Row::Reinvest { .. } => Value::Word("REINVEST"),
        Row::One(draft) if draft.facts.subtype == Subtype::AccountFee => Value::Word("FEE"),
        Row::One(draft) => Value::Capitals(draft.facts.subtype.as_str()),
    }
}

/// Unsigned where the type gives the direction.
fn quantity(draft: &Draft) -> Option<Dec> {
    let signed = draft.facts.subtype.quantity_is_signed();
    draft.facts.quantity.map(|quantity| if signed { quantity } else { quantity.abs() })
}

/// Which optional columns a set of transactions needs. Note them in the order in which they will
/// be written.
#[derive(Debug, Default)]
pub struct ColumnsInUse {
    used: [bool; OPTIONAL.len()],
    pairing: Pairing,
}

impl ColumnsInUse {
    /// Looks at the next transaction.
    pub fn note(&mut self, words: &TransactionWords) {
        let used = &mut self.used;
        let Ok(()) = self.pairing.feed(words, &mut |row| mark(used, row));
    }

    /// What was found.
    fn found(mut self) -> [bool; OPTIONAL.len()] {
        let used = &mut self.used;
        let Ok(()) = self.pairing.finish(&mut |row| mark(used, row));
        self.used
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form in which rows are given out")]
fn mark(used: &mut [bool], row: Row<'_>) -> Result<(), Infallible> {
    for (used, (_, value)) in used.iter_mut().zip(OPTIONAL) {
        *used |= !value(row).is_nothing();
    }
    Ok(())
}

/// Writes transactions; other items have no place in this form.
#[derive(Debug)]
pub struct NeutralWriter<W> {
    pairing: Pairing,
    lines: Lines<W>,
}

impl<W: io::Write> NeutralWriter<W> {
    /// Begins a file with these columns.
    pub fn new(out: W, columns: ColumnsInUse) -> Self {
        let lines = Lines { out, line: Line::default(), used: columns.found(), begun: false };
        Self { pairing: Pairing::default(), lines }
    }
}

impl<W: io::Write> Writer for NeutralWriter<W> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        match item {
            Item::Transaction(words) => self.pairing.feed(words, &mut |row| self.lines.write(row)),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.pairing.finish(&mut |row| self.lines.write(row))?;
        self.lines.begin()?;
        self.lines.out.flush()
    }
}

/// The lines of the file.
#[derive(Debug)]
struct Lines<W> {
    out: W,
    line: Line,
    used: [bool; OPTIONAL.len()],
    begun: bool,
}

impl<W: io::Write> Lines<W> {
    /// Writes the header once.
    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        for (name, _) in REQUIRED {
            self.line.push(Value::Word(name));
        }
        for ((name, _), used) in OPTIONAL.into_iter().zip(self.used) {
            if used {
                self.line.push(Value::Word(name));
            }
        }
        self.line.end(&mut self.out)
    }

    fn write(&mut self, row: Row<'_>) -> io::Result<()> {
        self.begin()?;
        for (_, value) in REQUIRED {
            self.line.push(value(row));
        }
        for ((name, value), used) in OPTIONAL.into_iter().zip(self.used) {
            let value = value(row);
            if used {
                self.line.push(value);
            } else if !value.is_nothing() {
                // Better no file than one that has lost something.
                let lost = format!("a transaction has a {name}, which none of those noted had");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, lost));
            }
        }
        self.line.end(&mut self.out)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::model::{Currency, Entry, EntryType, Isin, Origin, Ratio, Unit};

    fn dec(text: &str) -> Option<Dec> {
        Dec::parse(text).ok()
    }

    fn entry(what: EntryType) -> Entry {
        let date = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap();
        Entry::new(SafeText::new("Main"), date, what, Unit::from(Currency::USD))
    }

    fn one(what: Subtype, change: impl FnOnce(&mut Entry)) -> Draft {
        let mut entry = entry(EntryType::One(what));
        change(&mut entry);
        *entry.check().unwrap().first
    }

    fn item(draft: Draft) -> Item {
        Item::Transaction(Box::new(TransactionWords::new(draft, 0, Origin::File)))
    }

    fn written(drafts: &[Draft]) -> String {
        let mut columns = ColumnsInUse::default();
        let items: Vec<Item> = drafts.iter().cloned().map(item).collect();
        for item in &items {
            if let Item::Transaction(words) = item {
                columns.note(words);
            }
        }
        let mut out = Vec::new();
        let mut writer = NeutralWriter::new(&mut out, columns);
        for item in &items {
            writer.item(item).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    const HEADER: &str = "date,account,type,symbol,quantity,price,fee,currency,amount";

    #[test]
    fn nine_columns_are_enough_for_plain_rows() {
        let drafts = [
            one(Subtype::Deposit, |entry| entry.amount = dec("10000.00")),
            one(Subtype::Sell, |entry| {
                entry.symbol = Mention::parse("SHOP@CAD").ok();
                (entry.quantity, entry.price, entry.fee) = (dec("2"), dec("10.50"), dec("1"));
            }),
            one(Subtype::AccountFee, |entry| entry.amount = dec("-3")),
            one(Subtype::Adjustment, |entry| {
                entry.symbol = Mention::parse("X").ok();
                entry.quantity = dec("-5");
            }),
        ];
        let right = format!(
            "{HEADER}\n\
            2024-01-02,Main,DEPOSIT,,,,,USD,10000\n\
            2024-01-02,Main,SELL,SHOP@CAD,2,10.5,1,USD,20\n\
            2024-01-02,Main,FEE,,,,,USD,-3\n\
            2024-01-02,Main,ADJUSTMENT,X,-5,,,USD,0\n"
        );
        assert_eq!(written(&drafts), right);
        assert_eq!(written(&[]), format!("{HEADER}\n"));
    }

    #[test]
    fn every_optional_column_is_written_where_it_is_in_use() {
        let all = one(Subtype::SpinOff, |entry| {
            entry.unit = Unit::parse("GBp").unwrap();
            let mut symbol = Mention::parse("OLD").unwrap();
            symbol.venue = Some(SafeText::new("LSE"));
            symbol.isin = Isin::parse("US0378331005").ok();
            entry.symbol = Some(symbol);
            entry.to_symbol = Mention::parse("NEW@USD").ok();
            (entry.quantity, entry.amount) = (dec("7"), dec("900"));
            (entry.tax, entry.fx_rate) = (dec("50"), dec("1.35"));
            (entry.multiplier, entry.cost_share) = (dec("100"), dec("0.25"));
            entry.ratio = Ratio::parse("3:2");
            entry.settlement = NaiveDate::from_ymd_opt(2024, 1, 4);
            entry.acquired = NaiveDate::from_ymd_opt(2020, 2, 29);
            entry.link = Some(SafeText::new("L"));
            entry.id = Some(SafeText::new("-7"));
            entry.status = Status::Pending;
            entry.description = Some(SafeText::new("=1+1"));
            entry.category = Some(SafeText::new("a, b"));
            entry.note = Some(SafeText::new("say \"x\""));
        });
        let plain = one(Subtype::Deposit, |entry| entry.amount = dec("1"));
        let right = format!(
            "{HEADER},settlement,tax,fx_rate,description,id,ratio,to_symbol,cost_share,\
            multiplier,venue,isin,acquired,link,status,category,note\n\
            2024-01-02,Main,SPIN_OFF,OLD,7,,,GBP,9,2024-01-04,0.5,1.35,'=1+1,'-7,3:2,NEW@USD,\
            0.25,100,LSE,US0378331005,2020-02-29,L,pending,\"a, b\",\"say \"\"x\"\"\"\n\
            2024-01-02,Main,DEPOSIT,,,,,USD,1,,,,,,,,,,,,,,,,\n"
        );
        assert_eq!(written(&[all, plain]), right);
    }

    #[test]
    fn a_reinvestment_is_one_row_without_its_own_link() {
        let mut entry = entry(EntryType::Reinvest);
        entry.symbol = Mention::parse("X").ok();
        (entry.quantity, entry.price) = (dec("2"), dec("10"));
        (entry.fee, entry.tax) = (dec("1"), dec("3"));
        let drafts = entry.check().unwrap();
        let mut pair = [*drafts.first, *drafts.second.unwrap()];
        for draft in &mut pair {
            draft.link = Some(SafeText::new("~reinvest:1"));
        }
        let right = format!("{HEADER},tax\n2024-01-02,Main,REINVEST,X,2,10,1,USD,,3\n");
        assert_eq!(written(&pair), right);
        let alone = &written(&pair[..1]);
        assert!(alone.ends_with(",BUY,X,2,10,1,USD,-21,~reinvest:1\n"), "{alone}");
    }

    #[test]
    fn a_column_that_nobody_noted_is_an_error_and_no_loss() {
        let mut out = Vec::new();
        let mut writer = NeutralWriter::new(&mut out, ColumnsInUse::default());
        let draft = one(Subtype::Deposit, |entry| {
            entry.amount = dec("1");
            entry.note = Some(SafeText::new("n"));
        });
        let error = writer.item(&item(draft)).unwrap_err();
        assert!(error.to_string().contains("a note"), "{error}");
    }

    #[test]
    fn other_items_are_passed_over() {
        let mut out = Vec::new();
        let mut writer = NeutralWriter::new(&mut out, ColumnsInUse::default());
        writer.item(&Item::Category { name: SafeText::new("c"), parent: None }).unwrap();
        writer.finish().unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{HEADER}\n"));
    }
}
