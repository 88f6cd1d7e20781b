//! Transactions as a search looks at them: where they stand, and no more columns than it asks for.
//!
//! The database leaves out what cannot fit; a reader tests the rest. What the database cannot tell
//! exactly (folded text, decimals) it lets through.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;

use super::cell::{Cell, D};
use super::row::word;
use super::transactions::Place;
use super::{Result, Tx, on_tx};
use crate::model::{
    AccountId, BatchId, CategoryId, Currency, Dec, Origin, SecurityId, Status, Subtype,
    TransactionId,
};

/// How much of a text the database looks for.
const LONGEST_TEXT: usize = 500;

/// Something that the database can tell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fits {
    /// It is of one of these accounts.
    Account(Vec<AccountId>),
    /// It is of one of these securities.
    Security(Vec<SecurityId>),
    /// It is of one of these categories.
    Category(Vec<CategoryId>),
    /// It is one of these events.
    Subtype(Vec<Subtype>),
    /// It has one of these.
    Status(Vec<Status>),
    /// It comes from one of these.
    Origin(Vec<Origin>),
    /// This import brought it.
    Batch(BatchId),
    /// Its money.
    Currency(Currency),
    /// Its day is one of these.
    Days(RangeInclusive<NaiveDate>),
    /// Another live row is part of the same event.
    Linked,
    /// Its description or note may hold this lower-case text: never no where it does.
    Text(String),
    /// Its amount may lie between these, where there are such ends: never no where it does.
    Amount(Option<Dec>, Option<Dec>),
    /// The same of its quantity, with its sign or without.
    Quantity(Option<Dec>, Option<Dec>),
    /// One of these holds.
    Any(Vec<Fits>),
    /// This does not hold; never said of what may be.
    Not(Box<Fits>),
}

/// Which rows are looked at; both ends belong to it.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// None newer.
    pub newest: Option<Place>,
    /// None older.
    pub oldest: Option<Place>,
    /// Only these, read in the order in which they lie on the disk.
    pub ids: Option<RangeInclusive<i64>>,
}

impl Stretch {
    /// Every row of these days.
    #[must_use]
    pub fn of_days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Self {
        let oldest = from.map(|day| (day, i64::MIN, i64::MIN));
        Self { newest: to.map(|day| (day, i64::MAX, i64::MAX)), oldest, ids: None }
    }

    /// Whether a place is within, whatever the ids are.
    #[must_use]
    pub fn holds(&self, place: &Place) -> bool {
        self.newest.is_none_or(|newest| *place <= newest)
            && self.oldest.is_none_or(|oldest| *place >= oldest)
    }

    /// Without what is newer than this place.
    #[must_use]
    pub fn not_newer(self, place: Place) -> Self {
        Self { newest: Some(self.newest.map_or(place, |newest| newest.min(place))), ..self }
    }

    /// Without what is older than this place.
    #[must_use]
    pub fn not_older(self, place: Place) -> Self {
        Self { oldest: self.oldest.max(Some(place)), ..self }
    }

    /// Without what is older than this day.
    #[must_use]
    pub fn from_day(self, day: NaiveDate) -> Self {
        self.not_older((day, i64::MIN, i64::MIN))
    }

    /// Without what is newer than this day.
    #[must_use]
    pub fn to_day(self, day: NaiveDate) -> Self {
        self.not_newer((day, i64::MAX, i64::MAX))
    }
}

/// Which columns are read beside the place.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column that is read or not")]
pub struct Wanted {
    /// What bare words are looked for in.
    pub words: bool,
    /// The event, which a bare word may be the beginning of.
    pub subtype: bool,
    /// The amount.
    pub amount: bool,
    /// The quantity, and the event that says which sign is shown.
    pub quantity: bool,
}

/// A row as a search looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its identity.
    pub id: TransactionId,
    /// Where it stands.
    pub place: Place,
    /// Where wanted.
    pub words: Option<LineWords>,
    /// Where wanted.
    pub subtype: Option<Subtype>,
    /// Where wanted.
    pub amount: Option<Dec>,
    /// Where wanted and there is one.
    pub quantity: Option<(Dec, Subtype)>,
}

/// What bare words are looked for in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineWords {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub security: Option<SecurityId>,
    /// By identity.
    pub category: Option<CategoryId>,
    /// In the source's words; to be searched, never shown.
    pub description: Option<String>,
    /// In a person's words; to be searched, never shown.
    pub note: Option<String>,
}

/// A change of cash on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashLine {
    /// Of which row.
    pub id: TransactionId,
    /// Where it stands.
    pub place: Place,
    /// Whose.
    pub account: AccountId,
    /// In which money.
    pub currency: Currency,
    /// How much.
    pub amount: Dec,
}

/// A condition on its way into a statement: its text, and what it binds.
#[derive(Default)]
struct Condition<'a> {
    text: String,
    cells: Vec<Cell<'a>>,
    /// What compares a text with a pattern, large letters and small ones alike.
    alike: &'static str,
}

impl<'a> Condition<'a> {
    fn bind(&mut self, cell: Cell<'a>) {
        self.cells.push(cell);
        self.text.push_str(&format!("${}", self.cells.len()));
    }

    /// The live rows of a stretch that fit. SQLite asks in this order, and what is looked for
    /// leaves out most of them.
    fn of(all: &[Fits], texts: &'a [String], stretch: &Stretch, alike: &'static str) -> Self {
        let mut condition = Self { alike, ..Self::default() };
        let mut texts = texts.iter();
        for fits in all {
            condition.add(fits, &mut texts);
            condition.text.push_str(" and ");
        }
        condition.within(stretch);
        condition.text.push_str("t.deleted = false");
        condition
    }

    /// The days stand alone: an index knows them, and not the rest of a place.
    fn within(&mut self, stretch: &Stretch) {
        for (place, compare, end) in
            [(stretch.newest, "<=", i64::MAX), (stretch.oldest, ">=", i64::MIN)]
        {
            let Some((date, seq, rank)) = place else { continue };
            self.text.push_str(&format!("t.trade_date {compare} "));
            self.bind(Cell::Date(Some(date)));
            if (seq, rank) != (end, end) {
                self.text.push_str(&format!(" and (t.trade_date, t.seq, t.rank) {compare} ("));
                self.bind(Cell::Date(Some(date)));
                for number in [seq, rank] {
                    self.text.push_str(", ");
                    self.bind(Cell::Int(Some(number)));
                }
                self.text.push(')');
            }
            self.text.push_str(" and ");
        }
        if let Some(ids) = &stretch.ids {
            self.text.push_str("t.id between ");
            self.bind(Cell::Int(Some(*ids.start())));
            self.text.push_str(" and ");
            self.bind(Cell::Int(Some(*ids.end())));
            self.text.push_str(" and ");
        }
    }

    fn add(&mut self, fits: &Fits, texts: &mut std::slice::Iter<'a, String>) {
        let one_of = |column: &str, values: Vec<String>| match values.is_empty() {
            true => "false".to_owned(),
            false => format!("t.{column} in ({})", values.join(",")),
        };
        let text = match fits {
            Fits::Account(ids) => one_of("account_id", ids.iter().map(written).collect()),
            Fits::Security(ids) => one_of("security_id", ids.iter().map(written).collect()),
            Fits::Category(ids) => one_of("category_id", ids.iter().map(written).collect()),
            Fits::Subtype(words) => one_of("subtype", words.iter().map(quoted).collect()),
            Fits::Status(words) => one_of("status", words.iter().map(quoted).collect()),
            Fits::Origin(words) => one_of("origin", words.iter().map(quoted).collect()),
            Fits::Batch(id) => format!("t.batch_id = {id}"),
            Fits::Currency(currency) => format!("t.currency = '{currency}'"),
            Fits::Linked => "exists (select 1 from transactions o where o.link = t.link \
                and o.id <> t.id and o.deleted = false)"
                .to_owned(),
            Fits::Days(days) => {
                self.text.push_str("(t.trade_date >= ");
                self.bind(Cell::Date(Some(*days.start())));
                self.text.push_str(" and t.trade_date <= ");
                self.bind(Cell::Date(Some(*days.end())));
                ")".to_owned()
            }
            Fits::Text(_) => {
                let Some(text) = texts.next() else { return };
                for (before, column) in [("(", "description"), (" or ", "note")] {
                    // Most rows have no note, and to ask first costs less than two functions.
                    let alike = self.alike;
                    self.text.push_str(&format!(
                        "{before}(t.{column} is not null and (t.{column} {alike} "
                    ));
                    self.bind(Cell::Text(Some(text)));
                    // Only plain letters are folded alike here and there.
                    self.text.push_str(&format!(
                        " escape '\\' or octet_length(t.{column}) > length(t.{column})))"
                    ));
                }
                ")".to_owned()
            }
            Fits::Amount(from, to) => nearly_between("t.amount", "", *from, *to),
            Fits::Quantity(from, to) => {
                let [signed, unsigned] =
                    ["", "abs"].map(|of| nearly_between("t.quantity", of, *from, *to));
                format!("({signed} or {unsigned})")
            }
            Fits::Any(all) => {
                self.text.push_str("(false");
                for fits in all {
                    self.text.push_str(" or ");
                    self.add(fits, texts);
                }
                ")".to_owned()
            }
            Fits::Not(fits) => {
                self.text.push_str("not coalesce(");
                self.add(fits, texts);
                ", false)".to_owned()
            }
        };
        self.text.push_str(&text);
    }
}

/// Decimals are no floats, so the ends are a little farther apart than they are said to be.
fn nearly_between(column: &str, of: &str, from: Option<Dec>, to: Option<Dec>) -> String {
    let end = |end: Option<Dec>, compare: &str, away: &str| match end {
        Some(end) => format!(
            "{of}(cast({column} as double precision)) {compare} \
             {end} {away} abs({end}) * 1e-9 {away} 1e-9"
        ),
        None => "true".to_owned(),
    };
    format!("({} and {})", end(from, ">=", "-"), end(to, "<=", "+"))
}

fn written(id: &impl ToString) -> String {
    id.to_string()
}

/// One of our own words, which hold no quote.
fn quoted(word: &impl ToString) -> String {
    format!("'{}'", word.to_string())
}

/// The patterns for the texts of a condition, in the order in which it names them.
fn patterns(all: &[Fits], into: &mut Vec<String>) {
    for fits in all {
        match fits {
            Fits::Text(text) => {
                // SQLite refuses long patterns; the beginning lets through no less.
                let text: String = text.chars().take(LONGEST_TEXT).collect();
                let text = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
                into.push(format!("%{text}%"));
            }
            Fits::Any(all) => patterns(all, into),
            Fits::Not(fits) => patterns(std::slice::from_ref(&**fits), into),
            _ => {}
        }
    }
}

impl Tx {
    const fn alike(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "like",
            Self::Postgres(_) => "ilike",
        }
    }

    /// The live transactions of a stretch that may fit, in no order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lines(
        &mut self,
        all: &[Fits],
        stretch: &Stretch,
        wanted: Wanted,
    ) -> Result<Vec<Line>> {
        let mut texts = Vec::new();
        patterns(all, &mut texts);
        let condition = Condition::of(all, &texts, stretch, self.alike());
        let mut columns = "t.id, t.trade_date, t.seq, t.rank".to_owned();
        let mut width = 4;
        let mut put = |wanted: bool, names: &str, count: usize| {
            let at = width;
            if wanted {
                columns.push_str(names);
                width += count;
            }
            wanted.then_some(at)
        };
        let words = put(
            wanted.words,
            ", t.account_id, t.security_id, t.category_id, t.description, t.note",
            5,
        );
        let subtype = put(wanted.subtype, ", t.subtype", 1);
        let amount = put(wanted.amount, ", t.amount", 1);
        let quantity = put(wanted.quantity, ", t.quantity, t.subtype", 2);
        // A walk along the index looks each row up; where all are read that is the long way.
        let road = match (&self, &stretch.ids) {
            (Self::Sqlite(_), Some(_)) => " not indexed",
            _ => "",
        };
        let sql = format!("select {columns} from transactions t{road} where {}", condition.text);
        Ok(on_tx!(self, conn => {
            use sqlx::Row as _;
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for cell in condition.cells {
                query = super::cell::bind_cell!(query, cell);
            }
            // A row of the driver takes many times the room of a line.
            let mut rows = query.fetch(&mut **conn);
            let mut lines = Vec::new();
            while let Some(row) = rows.try_next().await? {
                let words = match words {
                    None => None,
                    Some(at) => Some(LineWords {
                        account: AccountId(row.try_get(at)?),
                        security: row.try_get::<Option<i64>, _>(at + 1)?.map(SecurityId),
                        category: row.try_get::<Option<i64>, _>(at + 2)?.map(CategoryId),
                        description: row.try_get(at + 3)?,
                        note: row.try_get(at + 4)?,
                    }),
                };
                let subtype = match subtype {
                    None => None,
                    Some(at) => Some(word(row.try_get::<&str, _>(at)?, "subtype")?),
                };
                let amount = match amount {
                    None => None,
                    Some(at) => Some(row.try_get::<D, _>(at)?.0),
                };
                let quantity = match quantity {
                    None => None,
                    Some(at) => match row.try_get::<Option<D>, _>(at)? {
                        None => None,
                        Some(value) => Some((value.0, word(row.try_get::<&str, _>(at + 1)?, "subtype")?)),
                    },
                };
                let place = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
                let id = TransactionId(row.try_get(0)?);
                lines.push(Line { id, place, words, subtype, amount, quantity });
            }
            lines
        }))
    }

    /// The day of the row that has so many before it, counted from the newest of a stretch (or
    /// the oldest); none: there are not so many. Rows that were taken away count, so that an index
    /// is enough to tell.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn day_after_rows(
        &mut self,
        account: Option<AccountId>,
        days: (Option<NaiveDate>, Option<NaiveDate>),
        newest_first: bool,
        rows: i64,
    ) -> Result<Option<NaiveDate>> {
        let mut condition = Condition { text: "true".to_owned(), ..Condition::default() };
        for (day, compare) in [(days.0, ">="), (days.1, "<=")] {
            if day.is_some() {
                condition.text.push_str(&format!(" and t.trade_date {compare} "));
                condition.bind(Cell::Date(day));
            }
        }
        if let Some(account) = account {
            condition.text.push_str(&format!(" and t.account_id = {account}"));
        }
        let order = if newest_first { "desc" } else { "asc" };
        let sql = format!(
            "select t.trade_date from transactions t where {} order by t.trade_date {order} \
             limit 1 offset {rows}",
            condition.text
        );
        Ok(on_tx!(self, conn => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
            for cell in condition.cells {
                query = super::cell::bind_cell!(query, cell);
            }
            query.fetch_optional(&mut **conn).await?
        }))
    }

    /// The lowest and the highest id of a transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn span_of_ids(&mut self) -> Result<Option<RangeInclusive<i64>>> {
        const SQL: &str =
            "select (select min(id) from transactions), (select max(id) from transactions)";
        let (first, last): (Option<i64>, Option<i64>) =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_one(&mut **conn).await?);
        Ok(first.zip(last).map(|(first, last)| first..=last))
    }

    /// How many live transactions each day has, newest day first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rows_of_days(
        &mut self,
        account: Option<AccountId>,
    ) -> Result<Vec<(NaiveDate, i64)>> {
        let account = account.map(|id| format!(" and account_id = {id}")).unwrap_or_default();
        let sql = format!(
            "select trade_date, count(*) from transactions where deleted = false{account} \
             group by trade_date order by trade_date desc"
        );
        Ok(on_tx!(self, conn => {
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut **conn).await?
        }))
    }

    /// The changes of cash of a day in these accounts by rows that count, in the order of rows as
    /// far as columns can tell.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_lines(
        &mut self,
        day: NaiveDate,
        accounts: &[AccountId],
    ) -> Result<Vec<CashLine>> {
        let counting = Status::ALL.iter().copied().filter(|status| status.counts()).collect();
        let all = [Fits::Account(accounts.to_vec()), Fits::Status(counting)];
        let stretch = Stretch::of_days(Some(day), Some(day));
        let condition = Condition::of(&all, &[], &stretch, self.alike());
        let sql = format!(
            "select t.id, t.seq, t.rank, t.account_id, t.currency, t.amount from transactions t \
             where {} order by t.seq, t.rank, t.id",
            condition.text
        );
        let rows: Vec<(i64, i64, i64, i64, String, D)> = on_tx!(self, conn => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for cell in condition.cells {
                query = super::cell::bind_cell!(query, cell);
            }
            query.fetch_all(&mut **conn).await?
        });
        rows.into_iter()
            .map(|(id, seq, rank, account, code, amount)| {
                Ok(CashLine {
                    id: TransactionId(id),
                    place: (day, seq, rank),
                    account: AccountId(account),
                    currency: word(&code, "currency")?,
                    amount: amount.0,
                })
            })
            .collect()
    }
}
