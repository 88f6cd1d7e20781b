//! What somebody keeps an eye on: the watchlist, the alerts, and what went past their bounds.

use chrono::NaiveDate;

use super::cell::{Cell, D};
use super::record::Record;
use super::row::{both_rows, safe, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{
    AlertId, AlertOf, AlertTerms, BatchId, Currency, Dec, SafeText, SecurityId, Side, WatchTerms,
};

/// A security that somebody keeps an eye on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Which.
    pub security: SecurityId,
    /// What is said of it.
    pub terms: WatchTerms,
    /// The import that brought it.
    pub batch: Option<BatchId>,
}

/// When somebody wants to be told of a security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Which.
    pub id: AlertId,
    /// Of what.
    pub security: SecurityId,
    /// When.
    pub terms: AlertTerms,
    /// The import that brought it.
    pub batch: Option<BatchId>,
    /// The day of what took it past its bound; none: it is not past it, as far as anybody looked.
    pub crossed: Option<NaiveDate>,
}

/// Something that went past the bound of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertLog {
    /// Its number.
    pub id: i64,
    /// Of what.
    pub security: SecurityId,
    /// When that was noticed, in microseconds since the epoch.
    pub at: i64,
    /// What the alert was of.
    pub of: AlertOf,
    /// On which side of the bound.
    pub side: Side,
    /// The bound, as it counted then.
    pub bound: Dec,
    /// What was seen.
    pub seen: Dec,
    /// Of which day that was.
    pub seen_on: NaiveDate,
    /// Who said so; none: it follows from several.
    pub source: Option<SafeText>,
    /// In which currency; none: it is no money.
    pub currency: Option<Currency>,
}

fn currency(code: Option<&str>) -> sqlx::Result<Option<Currency>> {
    code.map(|code| word(code, "currency")).transpose()
}

both_rows!(Watch, |row| {
    Ok(Self {
        security: SecurityId(row.try_get(0)?),
        batch: row.try_get::<Option<i64>, _>(2)?.map(BatchId),
        terms: WatchTerms {
            note: safe(row.try_get(1)?),
            list: safe(row.try_get(3)?),
            target: row.try_get::<Option<D>, _>(4)?.map(|target| target.0),
            units_of: row.try_get(5)?,
            said_in: currency(row.try_get(6)?)?,
        },
    })
});

both_rows!(Alert, |row| {
    let of: Option<&str> = row.try_get(6)?;
    Ok(Self {
        id: AlertId(row.try_get(0)?),
        security: SecurityId(row.try_get(1)?),
        batch: row.try_get::<Option<i64>, _>(5)?.map(BatchId),
        crossed: row.try_get(9)?,
        terms: AlertTerms {
            of: of.map_or(Ok(AlertOf::Price), |of| word(of, "what"))?,
            side: word(row.try_get(2)?, "direction")?,
            bound: row.try_get::<D, _>(3)?.0,
            note: safe(row.try_get(4)?),
            units_of: row.try_get(7)?,
            snoozed: row.try_get(8)?,
            said_in: currency(row.try_get(10)?)?,
        },
    })
});

both_rows!(AlertLog, |row| {
    Ok(Self {
        id: row.try_get(0)?,
        security: SecurityId(row.try_get(1)?),
        at: row.try_get(2)?,
        of: word(row.try_get(3)?, "what")?,
        side: word(row.try_get(4)?, "direction")?,
        bound: row.try_get::<D, _>(5)?.0,
        seen: row.try_get::<D, _>(6)?.0,
        seen_on: row.try_get(7)?,
        source: safe(row.try_get(8)?),
        currency: currency(row.try_get(9)?)?,
    })
});

impl Record for Watch {
    const TABLE: &'static str = "watchlist";
    const COLUMNS: &'static [&'static str] =
        &["security_id", "note", "batch_id", "list", "target", "units_of", "said_in"];
    const ADDED: &'static [usize] = &[3, 1];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let WatchTerms { list, note, target, units_of, said_in } = &self.terms;
        into.extend([
            Cell::Int(Some(self.security.0)),
            Cell::text(note),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::text(list),
            Cell::Dec(*target),
            Cell::Date(*units_of),
            Cell::Text(said_in.as_ref().map(Currency::code)),
        ]);
    }
}

impl Record for Alert {
    const TABLE: &'static str = "alerts";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "security_id",
        "direction",
        "price",
        "note",
        "batch_id",
        "what",
        "units_of",
        "snoozed",
        "crossed",
        "said_in",
    ];
    const ADDED: &'static [usize] = &[4, 1];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        let AlertTerms { of, side, bound, note, units_of, said_in, snoozed } = &self.terms;
        into.extend([
            Cell::Int(Some(self.id.0)),
            Cell::Int(Some(self.security.0)),
            Cell::Text(Some(side.as_str())),
            Cell::Dec(Some(*bound)),
            Cell::text(note),
            Cell::Int(self.batch.map(|id| id.0)),
            Cell::Text(Some(of.as_str()).filter(|_| *of != AlertOf::Price)),
            Cell::Date(*units_of),
            Cell::Date(*snoozed),
            Cell::Date(self.crossed),
            Cell::Text(said_in.as_ref().map(Currency::code)),
        ]);
    }
}

impl Record for AlertLog {
    const TABLE: &'static str = "alert_log";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "security_id",
        "at",
        "what",
        "direction",
        "bound",
        "seen",
        "seen_on",
        "source",
        "currency",
    ];

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.id)),
            Cell::Int(Some(self.security.0)),
            Cell::Int(Some(self.at)),
            Cell::Text(Some(self.of.as_str())),
            Cell::Text(Some(self.side.as_str())),
            Cell::Dec(Some(self.bound)),
            Cell::Dec(Some(self.seen)),
            Cell::Date(Some(self.seen_on)),
            Cell::text(&self.source),
            Cell::Text(self.currency.as_ref().map(Currency::code)),
        ]);
    }
}

impl Tx {
    /// The watchlist.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn watchlist(&mut self) -> Result<Vec<Watch>> {
        const SQL: &str = "select security_id, note, batch_id, list, target, units_of, said_in \
             from watchlist order by security_id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// Every alert, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts(&mut self) -> Result<Vec<Alert>> {
        const SQL: &str = "select id, security_id, direction, price, note, batch_id, what, \
             units_of, snoozed, crossed, said_in from alerts order by id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// What went past the bounds of alerts, the latest first, so many at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alert_log(&mut self, most: i64) -> Result<Vec<AlertLog>> {
        const SQL: &str = "select id, security_id, at, what, direction, bound, seen, seen_on, \
             source, currency from alert_log order by id desc limit $1";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).bind(most).fetch_all(&mut **conn).await?))
    }
}

impl WriteTx {
    /// Puts a security on the watchlist, over an older entry.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_watch(&mut self, row: &Watch) -> Result<()> {
        self.remove(row).await?;
        self.insert(std::slice::from_ref(row)).await
    }

    /// Takes a security off the watchlist.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_watch(&mut self, row: &Watch) -> Result<()> {
        self.remove(row).await
    }

    /// Adds an alert.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_alert(&mut self, row: &Alert) -> Result<()> {
        self.insert(std::slice::from_ref(row)).await
    }

    /// Writes an alert over its older version.
    ///
    /// # Errors
    /// When the database refuses or there is no such alert.
    pub async fn update_alert(&mut self, row: &Alert) -> Result<()> {
        self.update(row).await
    }

    /// Takes an alert away.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn remove_alert(&mut self, row: &Alert) -> Result<()> {
        self.remove(row).await
    }

    /// Notes what went past the bounds of alerts.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert_alert_log(&mut self, rows: &[AlertLog]) -> Result<()> {
        self.insert(rows).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::checksum;
    use super::*;

    fn cells<R: Record>(row: &R) -> Vec<Cell<'_>> {
        let mut cells = Vec::new();
        row.cells(&mut cells);
        cells
    }

    /// The figures of schema 18, which had no currency of what was said: its rows are no damage.
    #[test]
    fn a_row_of_before_currencies_were_kept_has_the_checksum_that_it_had() {
        let day = NaiveDate::from_ymd_opt(2024, 1, 2);
        let bound = Dec::from_i64(7);
        let (of, side, note) = (AlertOf::Price, Side::Above, None);
        let (said_in, snoozed) = (None, None);
        let terms = AlertTerms { of, side, bound, note, units_of: day, said_in, snoozed };
        let (id, security) = (AlertId(1), SecurityId(2));
        let alert = Alert { id, security, terms, batch: None, crossed: None };
        let (_, before) =
            cells(&alert).split_last().map(|(last, all)| (*last, all.to_vec())).unwrap();
        assert_eq!(alert.checksum(), checksum(&before, &[4]));
        let terms = WatchTerms { target: Some(bound), units_of: day, ..WatchTerms::default() };
        let watch = Watch { security, terms, batch: None };
        let all = cells(&watch);
        assert_eq!(watch.checksum(), checksum(&all[..all.len() - 1], &[3]));
    }
}
