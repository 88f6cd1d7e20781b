//! What a source is asked the price of, but for what it did not know lately.

use super::Result;
use super::bars::UNKNOWN_LASTS;
use super::job::Work;
use super::judge::Skip;
use super::untold::{AllUntold, why};
use super::wanted::{WantedAll, WantedSecurity};
use crate::provider::{Error, Spot, Wanted};

/// A security whose price is asked for.
pub(super) struct Question<'w> {
    /// Which.
    pub security: &'w WantedSecurity,
    /// As the source is asked.
    pub asked: Wanted,
    /// It did not know it before.
    was_untold: bool,
}

impl Work<'_> {
    /// What is asked for. Who asks by hand wants to know whether something is known by now.
    pub(super) async fn questions<'w>(
        &self,
        wanted: &'w WantedAll,
        skipped: &mut Vec<Skip>,
    ) -> Result<Vec<Question<'w>>> {
        let untold = AllUntold::read(&mut self.bench.store.read().await?).await?;
        let (now, today) = (self.now(), self.bench.clock.today());
        let mut questions = Vec::with_capacity(wanted.securities.len());
        for security in &wanted.securities {
            let asked = wanted.asked_of(security, &self.source());
            let known = untold.of(self.connection.id, &memory_of_price(&asked));
            let lately = known.filter(|known| known.answers(today, now, UNKNOWN_LASTS));
            match lately.filter(|_| !self.is_asked()) {
                Some(lately) => {
                    let why = why(&Error::NoData(asked.symbol), lately.until(UNKNOWN_LASTS));
                    let what = security.wanted.symbol.clone();
                    skipped.push(Skip { what, why, wrong: false });
                }
                None => questions.push(Question { security, asked, was_untold: known.is_some() }),
            }
        }
        Ok(questions)
    }

    /// Remembers that no price is told, or that one is by now.
    pub(super) async fn notice(
        &self,
        question: &Question<'_>,
        answer: &crate::provider::Result<Spot>,
    ) -> Result<()> {
        let memory = memory_of_price(&question.asked);
        match answer {
            Err(Error::NoData(_)) => {
                self.remember_untold(&memory, self.bench.clock.today(), self.now()).await
            }
            Ok(_) if question.was_untold => self.forget_untold(&memory).await,
            _ => Ok(()),
        }
    }
}

/// Under what it is remembered that the price of something is not told.
pub(super) fn memory_of_price(asked: &Wanted) -> String {
    format!("price of {} {}", asked.symbol, asked.currency)
}
