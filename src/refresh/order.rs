//! Who is asked for which security: the first in the order of sources that works and knows it, so that no
//! two are asked the same and what one does not know the next one tells.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::bars::memory_of_bars;
use super::questions::memory_of_price;
use super::untold::AllUntold;
use super::wanted::WantedAll;
use super::{Bench, Result};
use crate::model::{Connection, ConnectionState, Part, SafeText};
use crate::provider::{self, Auth, Wanted};
use crate::store::RefreshRecord;

/// What one did not know is asked of the next for so long: it is asked again itself within a day.
const UNKNOWN_TO_OTHERS: TimeDelta = TimeDelta::hours(25);
/// Days that are over can wait: who did not answer is asked again before the next one is.
const SILENT: TimeDelta = TimeDelta::hours(25);

impl Bench {
    /// The place of a connection in the order of sources.
    pub(super) fn place(&self, connection: &Connection) -> (usize, i64) {
        let sources = &self.outside.sources;
        let named = sources.iter().position(|id| id == connection.provider.as_str());
        (named.unwrap_or(sources.len()), connection.id.0)
    }

    /// What a connection is asked for of all that is wanted: what nobody better tells.
    pub(super) async fn left_for(
        &self,
        connection: &Connection,
        part: Part,
        mut wanted: WantedAll,
    ) -> Result<WantedAll> {
        let mut tx = self.store.read().await?;
        let (connections, refreshes) = (tx.connections().await?, tx.refreshes().await?);
        let paused: BTreeSet<_> = tx.paused().await?.into_keys().collect();
        let untold = AllUntold::read(&mut tx).await?;
        drop(tx);
        let now = self.clock.now();
        let works = |it: &&Connection| {
            let last = refreshes.iter().find(|last| last.connection == it.id && last.part == part);
            let is_awake = it.state == ConnectionState::Active && !paused.contains(&it.id);
            is_awake && self.can_be_asked(it) && last.is_none_or(|last| answers(last, now))
        };
        let better = connections.iter().filter(|it| self.place(it) < self.place(connection));
        let better: Vec<_> = better.filter(works).collect();
        let is_told_by = |it: &Connection, asked: &Wanted| {
            let memory = match part {
                Part::Quotes => memory_of_price(asked),
                _ => memory_of_bars(asked),
            };
            let known = untold.of(it.id, &memory);
            !known.is_some_and(|known| known.is_of_the_last(UNKNOWN_TO_OTHERS, now))
        };
        let all = std::mem::take(&mut wanted.securities);
        let left = all.into_iter().filter(|security| {
            let asked = |source: &SafeText| wanted.asked_of(security, source);
            !better.iter().any(|it| is_told_by(it, &asked(&it.provider)))
        });
        wanted.securities = left.collect();
        Ok(wanted)
    }

    /// Whether it knows prices of securities, and there is something to show to it.
    fn can_be_asked(&self, connection: &Connection) -> bool {
        let entry = provider::named(&connection.provider).ok();
        entry.is_some_and(|entry| {
            let is_open = self.outside.keeper.is_ok() || matches!(entry.auth, Auth::Nobody);
            entry.market.is_some() && entry.tells_prices && is_open
        })
    }
}

/// Whether a source answers: prices of today cannot wait for one that does not.
fn answers(last: &RefreshRecord, now: DateTime<Utc>) -> bool {
    let lately = last.succeeded.and_then(DateTime::from_timestamp_micros);
    let lately = lately.is_some_and(|at| now - at < SILENT);
    last.failures == 0 || (last.part == Part::History && lately)
}
