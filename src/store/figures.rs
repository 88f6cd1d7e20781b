//! Derived figures kept beside the rows: pages of lots, positions, the cash of each year. The store
//! keeps them as bytes and knows nothing of what is in them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::cell::Cell;
use super::record::Record;
use super::row::{both_rows, damaged, word};
use super::{Result, Tx, WriteTx, on_tx};
use crate::model::{AccountId, Currency, Dec, Exact, Ratio, SafeText, SecurityId};

/// Half a year of a group of securities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotPage {
    /// The group, named by one of its securities.
    pub group: SecurityId,
    /// The half-year of its rows; each follows the one before it by one.
    pub half: i32,
    /// The day of its first row.
    pub first_day: NaiveDate,
    /// The day of its last row.
    pub last_day: NaiveDate,
    /// The rows as the lots see them.
    pub events: Vec<u8>,
    /// The lots after the last row.
    pub closing: Vec<u8>,
    /// What was found on the way.
    pub findings: Vec<u8>,
}

/// What the rows so far leave of a security in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionRecord {
    /// Where.
    pub account: AccountId,
    /// Of what.
    pub security: SecurityId,
    /// The group it belongs to.
    pub group: SecurityId,
    /// Its figures.
    pub figures: Vec<u8>,
}

/// A year of an account's cash in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashYear {
    /// Where.
    pub account: AccountId,
    /// Of which money.
    pub currency: Currency,
    /// Which year.
    pub year: i32,
    /// What the years before left.
    pub opening: Exact,
    /// The change of each day.
    pub days: Vec<u8>,
}

/// Money between two own accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashTransit {
    /// What joins its two rows.
    pub link: SafeText,
    /// From this day on it is between them.
    pub leaves: NaiveDate,
    /// From this day on it is not.
    pub arrives: NaiveDate,
    /// Of which money.
    pub currency: Currency,
    /// How much; negative: it arrives before it leaves.
    pub amount: Dec,
}

both_rows!(LotPage, |row| {
    Ok(Self {
        group: SecurityId(row.try_get(0)?),
        half: number(row.try_get(1)?, "half")?,
        first_day: row.try_get(2)?,
        last_day: row.try_get(3)?,
        events: row.try_get(4)?,
        closing: row.try_get(5)?,
        findings: row.try_get(6)?,
    })
});

both_rows!(PositionRecord, |row| {
    Ok(Self {
        account: AccountId(row.try_get(0)?),
        security: SecurityId(row.try_get(1)?),
        group: SecurityId(row.try_get(2)?),
        figures: row.try_get(3)?,
    })
});

both_rows!(CashYear, |row| {
    let opening: String = row.try_get(3)?;
    Ok(Self {
        account: AccountId(row.try_get(0)?),
        currency: word::<Currency>(row.try_get(1)?, "currency")?,
        year: number(row.try_get(2)?, "year")?,
        opening: Exact::parse(&opening).ok_or_else(|| damaged("opening", &opening))?,
        days: row.try_get(4)?,
    })
});

both_rows!(CashTransit, |row| {
    let amount: String = row.try_get(4)?;
    Ok(Self {
        link: SafeText::new(row.try_get(0)?),
        leaves: row.try_get(1)?,
        arrives: row.try_get(2)?,
        currency: word::<Currency>(row.try_get(3)?, "currency")?,
        amount: Dec::parse(&amount).map_err(|_| damaged("amount", &amount))?,
    })
});

fn number(stored: i64, column: &str) -> std::result::Result<i32, sqlx::Error> {
    i32::try_from(stored).map_err(|_| damaged(column, &stored.to_string()))
}

impl Record for LotPage {
    const TABLE: &'static str = "lot_pages";
    const COLUMNS: &'static [&'static str] =
        &["group_id", "half", "first_day", "last_day", "events", "closing", "findings"];
    const KEYS: usize = 2;
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.group.0)),
            Cell::Int(Some(i64::from(self.half))),
            Cell::Date(Some(self.first_day)),
            Cell::Date(Some(self.last_day)),
            Cell::Bytes(&self.events),
            Cell::Bytes(&self.closing),
            Cell::Bytes(&self.findings),
        ]);
    }
}

impl Record for PositionRecord {
    const TABLE: &'static str = "positions";
    const COLUMNS: &'static [&'static str] = &["account_id", "security_id", "group_id", "figures"];
    const KEYS: usize = 2;
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.account.0)),
            Cell::Int(Some(self.security.0)),
            Cell::Int(Some(self.group.0)),
            Cell::Bytes(&self.figures),
        ]);
    }
}

/// A year of cash on its way in, its exact sum as text.
struct CashYearCells<'a>(&'a CashYear, String);

impl Record for CashYearCells<'_> {
    const TABLE: &'static str = "cash_years";
    const COLUMNS: &'static [&'static str] = &["account_id", "currency", "year", "opening", "days"];
    const KEYS: usize = 3;
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::Int(Some(self.0.account.0)),
            Cell::Text(Some(self.0.currency.code())),
            Cell::Int(Some(i64::from(self.0.year))),
            Cell::text(&self.1),
            Cell::Bytes(&self.0.days),
        ]);
    }
}

/// Money on its way, its amount as text.
struct CashTransitCells<'a> {
    way: &'a CashTransit,
    /// Among those of its link.
    place: i64,
    amount: String,
}

impl Record for CashTransitCells<'_> {
    const TABLE: &'static str = "cash_transit";
    const COLUMNS: &'static [&'static str] =
        &["link", "place", "leaves", "arrives", "currency", "amount"];
    const CHECKSUM: bool = false;

    fn cells<'a>(&'a self, into: &mut Vec<Cell<'a>>) {
        into.extend([
            Cell::text(&self.way.link),
            Cell::Int(Some(self.place)),
            Cell::Date(Some(self.way.leaves)),
            Cell::Date(Some(self.way.arrives)),
            Cell::Text(Some(self.way.currency.code())),
            Cell::text(&self.amount),
        ]);
    }
}

const PAGE: &str = "p.group_id, p.half, p.first_day, p.last_day, p.events, p.closing, p.findings";

impl Tx {
    /// The group of every security that is joined with another.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_groups(&mut self) -> Result<BTreeMap<SecurityId, SecurityId>> {
        const SQL: &str = "select security_id, group_id from lot_groups";
        let rows: Vec<(i64, i64)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|(of, group)| (SecurityId(of), SecurityId(group))).collect())
    }

    /// The last day on which there is a row, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_day(&mut self) -> Result<Option<NaiveDate>> {
        const SQL: &str = "select max(trade_date) from transactions";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }

    /// The first day on which there is a row, deleted ones too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_day(&mut self) -> Result<Option<NaiveDate>> {
        const SQL: &str = "select min(trade_date) from transactions";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?))
    }

    /// The first day with a row of each group.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_days_of_groups(&mut self) -> Result<BTreeMap<SecurityId, NaiveDate>> {
        // The oldest page of each is found in the index.
        const SQL: &str = "select p.group_id, p.first_day from \
             (select group_id, min(half) as half from lot_pages group by group_id) oldest \
             join lot_pages p on p.group_id = oldest.group_id and p.half = oldest.half";
        let rows: Vec<(i64, NaiveDate)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        Ok(rows.into_iter().map(|(group, day)| (SecurityId(group), day)).collect())
    }

    /// Every row that says a split: of which security, in which account, when and how.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn splits(&mut self) -> Result<Vec<(SecurityId, AccountId, NaiveDate, Ratio)>> {
        // The words of an index: no other row is looked at.
        const SQL: &str = "select security_id, account_id, trade_date, ratio from transactions \
             where subtype = 'split' and deleted = false and status in ('pending', 'settled') \
             and security_id is not null and ratio is not null order by trade_date, id";
        let rows: Vec<(i64, i64, NaiveDate, String)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        rows.into_iter()
            .map(|(security, account, day, ratio)| {
                let ratio = Ratio::parse(&ratio).ok_or_else(|| damaged("ratio", &ratio))?;
                Ok((SecurityId(security), AccountId(account), day, ratio))
            })
            .collect()
    }

    /// Whether a migration left the figures to be made anew: they are not as this program keeps
    /// them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn are_figures_due(&mut self) -> Result<bool> {
        const SQL: &str = "select count(*) from figures_due";
        let due: i64 = on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_one(&mut **conn).await?);
        Ok(due > 0)
    }

    /// Every group that has a page, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn groups_with_pages(&mut self) -> Result<Vec<SecurityId>> {
        const SQL: &str = "select distinct group_id from lot_pages order by 1";
        let ids: Vec<i64> =
            on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_all(&mut **conn).await?);
        Ok(ids.into_iter().map(SecurityId).collect())
    }

    /// Every group that has a row on or after a day.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn groups_with_rows_from(&mut self, day: NaiveDate) -> Result<Vec<SecurityId>> {
        // Days outside of four digits do not sort as text.
        let day = day.max(NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default());
        // The newest page of each is found in the index; to look at all of them takes far longer.
        const SQL: &str = "select p.group_id from \
             (select group_id, max(half) as half from lot_pages group by group_id) newest \
             join lot_pages p on p.group_id = newest.group_id and p.half = newest.half \
             where p.last_day >= $1 order by 1";
        let ids: Vec<i64> =
            on_tx!(self, conn => sqlx::query_scalar(SQL).bind(day).fetch_all(&mut **conn).await?);
        Ok(ids.into_iter().map(SecurityId).collect())
    }

    /// Every group that has a position in an account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn groups_of_account(&mut self, account: AccountId) -> Result<Vec<SecurityId>> {
        const SQL: &str = "select distinct group_id from positions where account_id = $1";
        let ids: Vec<i64> = on_tx!(self, conn => {
            sqlx::query_scalar(SQL).bind(account.0).fetch_all(&mut **conn).await?
        });
        Ok(ids.into_iter().map(SecurityId).collect())
    }

    /// The pages of a group from a half-year on, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_pages_from(&mut self, group: SecurityId, half: i32) -> Result<Vec<LotPage>> {
        let condition = "p.group_id = $1 and p.half >= $2 order by p.half";
        self.pages(condition, &[group.0, i64::from(half)]).await
    }

    /// One page.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_page(&mut self, group: SecurityId, half: i32) -> Result<Option<LotPage>> {
        let condition = "p.group_id = $1 and p.half = $2";
        Ok(self.pages(condition, &[group.0, i64::from(half)]).await?.into_iter().next())
    }

    /// Which pages there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_page_keys(&mut self) -> Result<Vec<(SecurityId, i32)>> {
        const SQL: &str = "select group_id, half from lot_pages";
        let rows: Vec<(i64, i64)> =
            on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?);
        rows.into_iter().map(|(group, of)| Ok((SecurityId(group), number(of, "half")?))).collect()
    }

    /// The newest page of a group before a half-year.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_page_before(
        &mut self,
        group: SecurityId,
        half: i32,
    ) -> Result<Option<LotPage>> {
        let condition = "p.group_id = $1 and p.half < $2 order by p.half desc limit 1";
        let pages = self.pages(condition, &[group.0, i64::from(half)]).await?;
        Ok(pages.into_iter().next())
    }

    /// Of every group the page of this half-year, or the newest one before it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_pages_at(&mut self, half: i32) -> Result<Vec<LotPage>> {
        let condition = "p.half = (select max(q.half) from lot_pages q \
             where q.group_id = p.group_id and q.half <= $1) order by p.group_id";
        self.pages(condition, &[i64::from(half)]).await
    }

    /// Of every group that has a page of this half-year, the newest one before it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_pages_before(&mut self, half: i32) -> Result<Vec<LotPage>> {
        let condition = "p.half = (select max(q.half) from lot_pages q \
             where q.group_id = p.group_id and q.half < $1) and exists (select 1 from lot_pages r \
             where r.group_id = p.group_id and r.half = $1) order by p.group_id";
        self.pages(condition, &[i64::from(half)]).await
    }

    async fn pages(&mut self, condition: &str, keys: &[i64]) -> Result<Vec<LotPage>> {
        let sql = format!("select {PAGE} from lot_pages p where {condition}");
        Ok(on_tx!(self, conn => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for key in keys {
                query = query.bind(*key);
            }
            query.fetch_all(&mut **conn).await?
        }))
    }

    /// What was found on every page that found something.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lot_findings(&mut self) -> Result<Vec<Vec<u8>>> {
        // An empty list takes one byte.
        const SQL: &str = "select findings from lot_pages where length(findings) > 1 \
             order by group_id, half";
        Ok(on_tx!(self, conn => sqlx::query_scalar(SQL).fetch_all(&mut **conn).await?))
    }

    /// Every position, those that are empty by now too.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn positions(&mut self) -> Result<Vec<PositionRecord>> {
        const SQL: &str = "select account_id, security_id, group_id, figures from positions \
             order by account_id, security_id";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// The years of an account's cash from one on, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_years_from(
        &mut self,
        account: AccountId,
        currency: Currency,
        year: i32,
    ) -> Result<Vec<CashYear>> {
        const SQL: &str = "select account_id, currency, year, opening, days from cash_years \
             where account_id = $1 and currency = $2 and year >= $3 order by year";
        Ok(on_tx!(self, conn => {
            let query = sqlx::query_as(SQL).bind(account.0).bind(currency.code().to_owned());
            query.bind(i64::from(year)).fetch_all(&mut **conn).await?
        }))
    }

    /// Of all cash the newest year that is not after this one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_years_at(&mut self, year: i32) -> Result<Vec<CashYear>> {
        const SQL: &str = "select c.account_id, c.currency, c.year, c.opening, c.days \
             from cash_years c where c.year = (select max(d.year) from cash_years d \
             where d.account_id = c.account_id and d.currency = c.currency and d.year <= $1) \
             order by c.account_id, c.currency";
        let year = i64::from(year);
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).bind(year).fetch_all(&mut **conn).await?))
    }

    /// The newest year of one cash that is not after this one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_year_at(
        &mut self,
        account: AccountId,
        currency: Currency,
        year: i32,
    ) -> Result<Option<CashYear>> {
        const SQL: &str = "select account_id, currency, year, opening, days from cash_years \
             where account_id = $1 and currency = $2 and year <= $3 order by year desc limit 1";
        Ok(on_tx!(self, conn => {
            let query = sqlx::query_as(SQL).bind(account.0).bind(currency.code().to_owned());
            query.bind(i64::from(year)).fetch_optional(&mut **conn).await?
        }))
    }

    /// All years of all cash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_years(&mut self) -> Result<Vec<CashYear>> {
        const SQL: &str = "select account_id, currency, year, opening, days from cash_years \
             order by account_id, currency, year";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }

    /// Everything that was ever between two own accounts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn cash_transit(&mut self) -> Result<Vec<CashTransit>> {
        const SQL: &str =
            "select link, leaves, arrives, currency, amount from cash_transit order by link, place";
        Ok(on_tx!(self, conn => sqlx::query_as(SQL).fetch_all(&mut **conn).await?))
    }
}

impl WriteTx {
    /// Says which group a security belongs to.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_lot_group(&mut self, security: SecurityId, group: SecurityId) -> Result<()> {
        const SQL: &str = "insert into lot_groups (security_id, group_id) values ($1, $2) \
             on conflict (security_id) do update set group_id = excluded.group_id";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(security.0).bind(group.0).execute(&mut **conn).await?;
        });
        Ok(())
    }

    /// Writes pages over what is there.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_lot_pages(&mut self, pages: &[LotPage]) -> Result<()> {
        self.remove_all(pages).await?;
        self.insert(pages).await
    }

    /// Takes one page away.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_lot_page(&mut self, group: SecurityId, half: i32) -> Result<()> {
        const SQL: &str = "delete from lot_pages where group_id = $1 and half = $2";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(group.0).bind(i64::from(half)).execute(&mut **conn).await?;
        });
        Ok(())
    }

    /// Writes the positions of a group in place of those it had.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_positions(
        &mut self,
        group: SecurityId,
        positions: &[PositionRecord],
    ) -> Result<()> {
        const SQL: &str = "delete from positions where group_id = $1";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(group.0).execute(&mut **conn).await?;
        });
        self.insert(positions).await
    }

    /// Writes years of cash over what is there.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_cash_years(&mut self, years: &[CashYear]) -> Result<()> {
        let cells: Vec<_> =
            years.iter().map(|year| CashYearCells(year, year.opening.to_string())).collect();
        for year in &cells {
            self.remove(year).await?;
        }
        self.insert(&cells).await
    }

    /// Takes one year of cash away.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_cash_year(&mut self, year: &CashYear) -> Result<()> {
        const SQL: &str =
            "delete from cash_years where account_id = $1 and currency = $2 and year = $3";
        on_tx!(&mut self.tx, conn => {
            let query = sqlx::query(SQL).bind(year.account.0).bind(year.currency.code().to_owned());
            query.bind(i64::from(year.year)).execute(&mut **conn).await?;
        });
        Ok(())
    }

    /// Says what is between two own accounts for one link, in order.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn put_cash_transit(&mut self, link: &SafeText, ways: &[CashTransit]) -> Result<()> {
        const SQL: &str = "delete from cash_transit where link = $1";
        on_tx!(&mut self.tx, conn => {
            sqlx::query(SQL).bind(link.as_str().to_owned()).execute(&mut **conn).await?;
        });
        let cells = |(place, way)| CashTransitCells { way, place, amount: way.amount.to_string() };
        let rows: Vec<_> = (0..).zip(ways).map(cells).collect();
        self.insert(&rows).await
    }

    /// Says that the figures are as this program keeps them.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn figures_are_made(&mut self) -> Result<()> {
        on_tx!(&mut self.tx, conn => {
            sqlx::query("delete from figures_due").execute(&mut **conn).await?;
        });
        Ok(())
    }

    /// Takes every derived figure away, to make them anew. `groups`: also which securities belong
    /// together.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn forget_figures(&mut self, groups: bool) -> Result<()> {
        const TABLES: [&str; 4] = ["lot_pages", "positions", "cash_years", "cash_transit"];
        for table in TABLES.into_iter().chain(groups.then_some("lot_groups")) {
            let sql = format!("delete from {table}");
            on_tx!(&mut self.tx, conn => {
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut **conn).await?;
            });
        }
        Ok(())
    }
}
