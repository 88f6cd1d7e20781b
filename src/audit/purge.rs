//! Taking away what was kept for seven years: whole days, only when somebody asks, and never without
//! a record from which the chain goes on to be proved.

use chrono::{Months, NaiveDate};

use super::keeper::{Ours, State};
use super::verify::Purged;
use super::witness::{Witness, day_of};
use super::{Attempt, Audit, Hash};
use crate::store::{AuditStore, AuditTx, Result};

/// So long a record is kept.
pub const YEARS: u32 = 7;

/// What went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// So many records.
    pub records: u64,
    /// The number of the last of them.
    pub until: Option<i64>,
}

/// The first day of which nothing may go yet: seven years before today, by the calendar.
#[must_use]
pub fn kept_from(today: NaiveDate) -> NaiveDate {
    today.checked_sub_months(Months::new(YEARS * 12)).unwrap_or(NaiveDate::MIN)
}

impl Audit {
    /// The first day (UTC) of which nothing may be purged yet.
    #[must_use]
    pub fn kept_from(&self) -> NaiveDate {
        kept_from(self.clock.now().date_naive())
    }

    /// Takes away what is of days before this one, by a role that may, with the outcome of the
    /// operation in the same transaction. Whoever asks has made sure that the day is early enough.
    ///
    /// # Errors
    /// When it is not allowed or not possible; then all of it is still there.
    pub async fn purge(
        &self,
        attempt: &Attempt,
        before: NaiveDate,
        through: &AuditStore,
    ) -> Result<Outcome> {
        let day = before.min(self.kept_from());
        let cut = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
        let mut ring = self.place.lock().await?;
        let mut tx = through.begin().await?;
        ring.follow(&mut tx).await?;
        let chain = ring.state().map(|state: &State| state.chain.clone()).unwrap_or_default();
        // A chain is cut at one place, and nothing behind that is as old.
        let loose = tx.last_before("", cut).await?.map_or(0, |row| row.seq);
        let last = tx.last_before(&chain, cut).await?.filter(|row| !row.chain.is_empty());
        let last = last.map(|row| Purged {
            seq: row.seq,
            link: row.link,
            hash: <Hash>::try_from(row.hash.as_slice()).unwrap_or_default(),
        });
        let gone = match &last {
            Some(last) => tx.purge(&chain, last.link, loose).await?,
            None if loose > 0 => tx.purge(&chain, -1, loose).await?,
            None => 0,
        };
        let files = self.files_before(&mut tx, &chain, day).await?;
        let detail = match &last {
            Some(last) => last.written(&before.to_string(), gone),
            None => format!("before={before} records={gone}"),
        };
        let row = self.row(&attempt.op.to_string(), &attempt.action, "SUCCEEDED", &detail);
        let row = ring.sign(&mut tx, row).await?;
        tx.insert(&row).await?;
        tx.commit().await?;
        ring.passed(Some(&row));
        self.witness(&ring, &row).await;
        let until = last.map(|last| last.seq).or((loose > 0).then_some(loose));
        // Their lines go with them; those that cannot be taken away now are not missed.
        let _ = Witness::at(self.place.witness()).forget_before(files);
        Ok(Outcome { records: gone, until })
    }

    /// The daily files before this day bear witness to nothing that is left. A chain that ended when
    /// its key was lost stays as it is, and so do its files.
    async fn files_before(
        &self,
        tx: &mut AuditTx,
        chain: &str,
        mut day: NaiveDate,
    ) -> Result<NaiveDate> {
        let is_here = |it: &Ours| it.first.trail == self.place.trail && it.first.chain != chain;
        for other in self.place.ours().into_iter().filter(is_here) {
            if let Some(oldest) = tx.links(&other.first.chain, 0).await?.first() {
                day = day.min(day_of(oldest));
            }
        }
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_years_are_counted_by_the_calendar() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (today, kept) in [
            ("2026-11-22", "2019-11-22"),
            ("2024-02-29", "2017-02-28"),
            ("2027-02-28", "2020-02-28"),
            ("2028-02-29", "2021-02-28"),
            ("2031-03-01", "2024-03-01"),
        ] {
            assert_eq!(kept_from(day(today)), day(kept), "{today}");
        }
    }
}
