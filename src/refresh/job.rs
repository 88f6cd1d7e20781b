//! One job: an attempt in the trail, the provider asked, its answer judged, one write through the
//! ledger while the lease is still held, and the outcome in the trail.

use chrono::{DateTime, TimeDelta, Utc};

use super::judge::{Skip, Wrong, is_accepted, judge};
use super::plan::{self, Job, pause};
use super::questions::Question;
use super::rates::{self, Asked};
use super::sieve::Sieve;
use super::wanted::WantedAll;
use super::{Bench, Error, Result};
use crate::audit::Attempt;
use crate::ledger::{self, Counts, Delivery, Doubts, MarketNews, ToldAccount};
use crate::model::{
    Connection, ConnectionState, Doubt, DoubtfulPrice, Drafts, Mode, NewAccount, Part, Price, Rate,
    SafeText, SecurityId, Tick, midnight_micros,
};
use crate::provider::{
    self, AccountSource, Class, DayBar, DayClose, MarketSource, RemoteAccount, RemoteBook,
    RemoteRow, Spot,
};
use crate::store::{Lease, RefreshRecord};

/// What a job has done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What it was.
    pub job: Job,
    /// How many accounts there are.
    pub accounts: u64,
    /// What became of rows.
    pub counts: Counts,
    /// How many of the changed rows are told no more.
    pub cancelled: u64,
    /// How many prices were asked for.
    pub requested: u64,
    /// How many prices and rates were stored.
    pub stored: u64,
    /// There was nothing to ask for.
    pub is_idle: bool,
    /// What was left out.
    pub skipped: Vec<Skip>,
    /// What is far from the price before it.
    pub doubts: Doubts,
    /// Why nothing was fetched at all.
    pub error: Option<provider::Error>,
    /// Not to be tried again before, in microseconds since the epoch.
    pub next_attempt: Option<i64>,
}

impl Done {
    fn nothing(job: Job) -> Self {
        Self {
            job,
            accounts: 0,
            counts: Counts { new: 0, duplicate: 0, changed: 0, conflict: 0 },
            cancelled: 0,
            requested: 0,
            stored: 0,
            is_idle: false,
            skipped: Vec::new(),
            doubts: Doubts::default(),
            error: None,
            next_attempt: None,
        }
    }

    /// Whether it was left, since its owner lets the connection rest by now.
    pub(super) fn is_paused(&self) -> bool {
        self.error.as_ref().is_some_and(provider::Error::is_pause)
    }

    /// Whether the service did not take what it was shown for prices.
    pub(super) const fn is_denied(&self) -> bool {
        matches!(self.error, Some(provider::Error::Denied))
    }

    /// The same, once something newer was no help: that is all there is to be said.
    pub(super) fn settled(self) -> Self {
        match self.is_denied() {
            true => Self { error: Some(shows_no_prices()), ..self },
            false => self,
        }
    }

    /// Nobody was asked.
    pub(super) fn without(job: Job, error: provider::Error) -> Self {
        Self { error: Some(error), ..Self::nothing(job) }
    }
}

const STILL_DENIED: &str = "it does not take the access that it has just renewed (401); see that the app \
     is ready and may see these accounts, then connect it again";

fn shows_no_prices() -> provider::Error {
    provider::Error::Unavailable(SafeText::new(
        "it shows no prices for the access that it gave (401); see that the app may have market data",
    ))
}

/// What was told when accounts were asked for, its attempt being in the trail.
pub struct ToldAll {
    attempt: Attempt,
    now: i64,
    /// Since when it was asked; none: from the beginning.
    since: Option<DateTime<Utc>>,
    told: provider::Result<RemoteBook>,
}

impl ToldAll {
    /// Whether the service did not take what it was shown.
    pub(super) const fn is_denied(&self) -> bool {
        matches!(self.told, Err(provider::Error::Denied))
    }

    /// The same question once more, with something newer to show, or why there is nothing.
    pub(super) async fn again(&mut self, source: provider::Result<impl AccountSource>) {
        self.told = match source {
            Ok(source) => match source.accounts(self.since).await {
                Err(provider::Error::Denied) => {
                    Err(provider::Error::Refused(SafeText::new(STILL_DENIED)))
                }
                told => told,
            },
            Err(error) => Err(error),
        };
    }

    /// Nothing of it is wanted, or the store failed meanwhile.
    pub(super) async fn give_up(self, reason: &str) {
        // An error itself is what the person must see.
        let _ = self.attempt.failed(reason).await;
    }
}

/// The work on one part of one connection.
pub struct Work<'a> {
    /// The store and the trail.
    pub bench: &'a Bench,
    /// The right to write.
    pub lease: &'a Lease,
    /// Whose part.
    pub connection: &'a Connection,
    /// What is to be done.
    pub job: Job,
    /// How it was done last.
    pub last: Option<&'a RefreshRecord>,
}

impl Work<'_> {
    /// Fetches accounts and their rows; `settles_within` is how long a row may still come late.
    ///
    /// # Errors
    /// When the store or the trail fails. What the provider does not tell is in the answer.
    pub async fn accounts(
        &self,
        source: &impl AccountSource,
        settles_within: TimeDelta,
    ) -> Result<Done> {
        self.take_accounts(self.ask_accounts(source, settles_within).await?).await
    }

    /// Asks for accounts and their rows, with an attempt in the trail.
    ///
    /// # Errors
    /// When the trail fails.
    pub async fn ask_accounts(
        &self,
        source: &impl AccountSource,
        settles_within: TimeDelta,
    ) -> Result<ToldAll> {
        let (attempt, now) = self.begin().await?;
        // The clock may have run ahead: what came meanwhile is told again, and known by its id.
        let since = self.last.and_then(|last| last.succeeded).filter(|since| *since <= now);
        let since = since.and_then(DateTime::from_timestamp_micros).map(|at| at - settles_within);
        Ok(ToldAll { attempt, now, since, told: source.accounts(since).await })
    }

    /// Judges what was told of accounts, and writes it.
    ///
    /// # Errors
    /// When the store or the trail fails.
    pub async fn take_accounts(&self, told: ToldAll) -> Result<Done> {
        let ToldAll { attempt, now, since, told } = told;
        let from_start = since.is_none();
        let book = match told {
            Ok(book) => book,
            Err(error) => return self.fail(attempt, error, now).await,
        };
        let mut done = self.done();
        done.accounts = count(book.accounts.len());
        let is_cut_off = book.is_cut_off;
        let is_whole = !book.troubles.iter().any(|trouble| trouble.hides_rows);
        for trouble in book.troubles {
            done.skipped.push(Skip::wrong(trouble.what, &trouble.error));
        }
        let mut refresh = self.record(now, &done.skipped);
        // A bank that was out of reach for a month is asked for that month once it is back.
        if !is_whole {
            refresh.succeeded = self.last.and_then(|last| last.succeeded);
        }
        let mut accounts = Vec::with_capacity(book.accounts.len());
        for mut account in book.accounts {
            let fetched = std::mem::take(&mut account.rows);
            let told = fetched.len();
            let rows = self.right(fetched, &mut refresh, &mut done);
            accounts.push(ToldAccount {
                id: account.id.clone(),
                left_out: account.left_out || rows.len() < told,
                rows,
                complete_since: account.complete_since.map(|since| since.timestamp_micros()),
                may_be_empty: account.may_be_empty,
                standing: account.standing.take(),
                account: new(account),
            });
        }
        let connection = self.connection.clone();
        let delivery = Delivery { connection, accounts, refresh, from_start, is_cut_off };
        let (store, op) = (&self.bench.store, attempt.op());
        match ledger::deliver(store, self.lease, delivery, op, now).await {
            Err(error) => self.give_up(attempt, error).await,
            Ok(delivered) => {
                done.counts = delivered.counts;
                done.cancelled = delivered.cancelled;
                done.skipped.extend(
                    delivered
                        .refused
                        .into_iter()
                        .map(|(id, refusal)| Skip::wrong(id.unwrap_or_default(), &refusal)),
                );
                Ok(self.end(attempt, done).await)
            }
        }
    }

    /// The rows that can be; why others are left out is kept.
    fn right(
        &self,
        fetched: Vec<RemoteRow>,
        refresh: &mut RefreshRecord,
        done: &mut Done,
    ) -> Vec<(i64, Drafts)> {
        let tomorrow = self.bench.clock.today().succ_opt();
        let mut rows = Vec::with_capacity(fetched.len());
        for fetched in fetched {
            let name = fetched.row.id.clone().unwrap_or_default();
            let at = fetched.at.timestamp_micros();
            if tomorrow.is_some_and(|tomorrow| fetched.row.date > tomorrow) {
                let why = Wrong::Future(fetched.row.date);
                refresh.leave_out(at, &name, &why);
                done.skipped.push(Skip::wrong(name, &why));
                continue;
            }
            match fetched.row.check() {
                Ok(drafts) => rows.push((at, drafts)),
                Err(refusal) => {
                    refresh.leave_out(at, &name, &refusal);
                    done.skipped.push(Skip::wrong(name, &refusal));
                }
            }
        }
        rows
    }

    /// Fetches what everything that is wanted costs now.
    ///
    /// # Errors
    /// When the store or the trail fails. What the provider does not tell is in the answer.
    pub async fn quotes(&self, source: &impl MarketSource, wanted: &WantedAll) -> Result<Done> {
        let (attempt, now) = self.begin().await?;
        let mut done = self.done();
        let questions = self.questions(wanted, &mut done.skipped).await?;
        let asked: Vec<_> = questions.iter().map(|question| question.asked.clone()).collect();
        done.requested = count(asked.len());
        done.is_idle = asked.is_empty();
        let answers = match asked.is_empty() {
            true => Ok(Vec::new()),
            false => source.quotes(&asked).await,
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => return self.fail(attempt, error, now).await,
        };
        let (instant, today) = (self.bench.clock.now(), self.bench.clock.today());
        let mut ticks = Vec::with_capacity(answers.len());
        for (question, answer) in questions.iter().zip(answers) {
            self.notice(question, &answer).await?;
            let Question { security, asked, .. } = question;
            let name = || security.wanted.symbol.clone();
            match answer {
                Err(error) => done.skipped.push(Skip::untold(name(), &error)),
                Ok(spot) => {
                    let (last, accepted) = (security.newest.as_ref(), security.accepted.as_ref());
                    // It may have been paid before a split of today.
                    let told = spot.as_close();
                    let told = security.on(today, spot.date, told).unwrap_or(told);
                    let of_today = Spot { price: told.close, ..spot };
                    match judge(&of_today, asked.currency, last, instant, today) {
                        Err(wrong @ Wrong::Jump { .. }) if !is_accepted(&told, accepted) => {
                            done.doubts.doubtful.extend(self.doubt(security.id, &told, &wrong));
                            done.skipped.push(Skip::wrong(name(), &wrong.of_security()));
                        }
                        Ok(()) | Err(Wrong::Jump { .. }) => {
                            done.doubts.near.insert(security.id, today.max(spot.date));
                            ticks.push(self.tick(security.id, &spot));
                        }
                        Err(wrong) => done.skipped.push(Skip::wrong(name(), &wrong)),
                    }
                }
            }
        }
        done.stored = count(ticks.len());
        let (bars, rates) = (Vec::new(), Vec::new());
        let (doubts, refresh) = (done.doubts.clone(), self.record(now, &done.skipped));
        self.take(attempt, MarketNews { ticks, bars, rates, doubts, refresh }, done, now).await
    }

    /// Fetches the closes and rates of the days that are over since the last ones known.
    ///
    /// # Errors
    /// When the store or the trail fails. What the provider does not tell is in the answer.
    pub async fn history(&self, source: &impl MarketSource, wanted: &WantedAll) -> Result<Done> {
        let (attempt, now) = self.begin().await?;
        let mut done = self.done();
        let today = self.bench.clock.today();
        // A day is over once it is so here and in UTC, where coins have theirs.
        let Some(to) = today.min(self.bench.clock.now().date_naive()).pred_opt() else {
            return Ok(self.end(attempt, done).await);
        };
        done.is_idle = wanted.securities.is_empty() && wanted.pairs.is_empty();
        let (mut bars, mut rates) = (Vec::new(), Vec::new());
        for security in &wanted.securities {
            let asked = &wanted.asked_of(security, &self.source());
            match self.bars_of(source, security, asked, to, &mut done).await? {
                Ok(told) => bars.extend(told),
                Err(error) => return self.cut_off(attempt, error, bars, rates, done, now).await,
            }
        }
        for pair in &wanted.pairs {
            match self.rates_of(source, pair, to, now).await? {
                Asked::Untold(skip) => done.skipped.push(skip),
                Asked::Failed(error) => {
                    return self.cut_off(attempt, error, bars, rates, done, now).await;
                }
                Asked::Rates(closes) => {
                    let name = rates::name(pair);
                    let above_zero = |close: &DayClose| close.close.is_positive();
                    let (rate, zero): (Vec<_>, Vec<_>) = closes.into_iter().partition(above_zero);
                    let wrong = zero.iter().map(|zero| Wrong::NoRate(zero.date));
                    done.skipped.extend(wrong.map(|wrong| Skip::wrong(name.clone(), &wrong)));
                    let rate = rate.into_iter().map(DayBar::from).collect();
                    let close_of = |bar: &DayBar| bar.close;
                    let (currency, last) = (pair.quote, pair.last);
                    let sieve = Sieve { name, is_rate: true, currency, last, accepted: None, to };
                    let right = sieve.sift(rate, close_of, &mut done.skipped).right;
                    rates.extend(right.into_iter().map(|DayBar { close, .. }| Rate {
                        base: pair.base,
                        quote: pair.quote,
                        at: midnight_micros(close.date),
                        source: self.source(),
                        rate: close.close,
                    }));
                }
            }
        }
        done.stored = count(bars.len() + rates.len());
        let (ticks, doubts) = (Vec::new(), done.doubts.clone());
        let refresh = self.record(now, &done.skipped);
        self.take(attempt, MarketNews { ticks, bars, rates, doubts, refresh }, done, now).await
    }

    fn tick(&self, security: SecurityId, spot: &Spot) -> Tick {
        Tick {
            security,
            source: self.source(),
            at: spot.at.timestamp_micros(),
            date: spot.date,
            currency: spot.currency,
            price: spot.price,
        }
    }

    /// What is kept of a price that is far from the one before; none: something else is wrong with it.
    pub(super) fn doubt(
        &self,
        security: SecurityId,
        told: &DayClose,
        wrong: &Wrong,
    ) -> Option<Doubt> {
        let Wrong::Jump { price, before, since } = *wrong else { return None };
        let source = self.source();
        let price = DoubtfulPrice { price, currency: told.currency, before, since, source };
        Some(Doubt { security, date: told.date, told: price })
    }

    /// The provider of the connection is not known to this program.
    ///
    /// # Errors
    /// When the store or the trail fails.
    pub async fn unknown(&self, error: provider::Error) -> Result<Done> {
        let (attempt, now) = self.begin().await?;
        self.fail(attempt, error, now).await
    }

    /// There is nothing to do.
    #[must_use]
    pub fn nothing(&self) -> Done {
        self.done()
    }

    async fn begin(&self) -> Result<(Attempt, i64)> {
        let Job { connection, part, why } = self.job;
        let detail = format!("connection={connection} part={part} why={}", why.as_str());
        let attempt = self.bench.audit.attempt("refresh", &detail).await?;
        Ok((attempt, self.bench.clock.now().timestamp_micros()))
    }

    async fn take(&self, attempt: Attempt, news: MarketNews, done: Done, now: i64) -> Result<Done> {
        let (store, op) = (&self.bench.store, attempt.op());
        match ledger::take_market(store, self.lease, news, op, now).await {
            Ok(_) => Ok(self.end(attempt, done).await),
            Err(error) => self.give_up(attempt, error).await,
        }
    }

    async fn end(&self, attempt: Attempt, done: Done) -> Done {
        let Counts { new, changed, .. } = done.counts;
        let (stored, skipped) = (done.stored, done.skipped.len());
        let cancelled = done.cancelled;
        let detail = format!(
            "new={new} changed={changed} cancelled={cancelled} stored={stored} skipped={skipped}"
        );
        attempt.committed(&detail).await;
        done
    }

    /// It told some, and then no more: what it told is stored, so that a first history that is longer
    /// than what a service tells at once comes to its end.
    async fn cut_off(
        &self,
        attempt: Attempt,
        error: provider::Error,
        bars: Vec<Price>,
        rates: Vec<Rate>,
        mut done: Done,
        now: i64,
    ) -> Result<Done> {
        let is_nothing = bars.is_empty() && rates.is_empty();
        if is_nothing || error.is_pause() || self.class_of(&error) == Class::Reauthorize {
            return self.fail(attempt, error, now).await;
        }
        let refresh = self.failure(&error, now);
        done.next_attempt = refresh.next_attempt;
        done.stored = count(bars.len() + rates.len());
        done.error = Some(error);
        let (ticks, doubts) = (Vec::new(), done.doubts.clone());
        self.take(attempt, MarketNews { ticks, bars, rates, doubts, refresh }, done, now).await
    }

    /// The provider did not tell: that is kept, and what its connection has become by it.
    async fn fail(&self, attempt: Attempt, error: provider::Error, now: i64) -> Result<Done> {
        if error.is_pause() {
            // No failure of the service, which nobody asked: it is due when its owner says so.
            attempt.failed("paused").await?;
            return Ok(Done { error: Some(error), ..self.done() });
        }
        let op = attempt.op();
        attempt.failed(self.class_of(&error).as_str()).await?;
        let refresh = self.failure(&error, now);
        let next_attempt = refresh.next_attempt;
        let why = refresh.why.clone().unwrap_or_default();
        let connection = match self.class_of(&error) {
            Class::Reauthorize => self.ended(&error, why, now).await?,
            _ => None,
        };
        ledger::note_failure(&self.bench.store, refresh, connection, op, now).await?;
        Ok(Done { error: Some(error), next_attempt, ..self.done() })
    }

    /// Whether prices were not shown the last time either, for all that was renewed.
    pub(super) fn was_denied_before(&self) -> bool {
        let why = shows_no_prices().to_string();
        let last = self.last.and_then(|last| last.why.as_ref());
        last.is_some_and(|last| last.as_str() == why)
    }

    /// What is to be done about an error. Prices end no consent: whether what is shown for them still
    /// serves, accounts tell.
    fn class_of(&self, error: &provider::Error) -> Class {
        match error {
            provider::Error::Denied if self.job.part != Part::Accounts => Class::Later(None),
            error => error.class(),
        }
    }

    /// It went wrong, and is not to be tried again before a while.
    fn failure(&self, error: &provider::Error, now: i64) -> RefreshRecord {
        let failures = self.last.map_or(0, |last| last.failures).saturating_add(1);
        let later = now.saturating_add(pause(failures).num_microseconds().unwrap_or(i64::MAX));
        let next_attempt = match self.class_of(error) {
            Class::Later(Some(until)) => Some(until.timestamp_micros().max(later)),
            Class::Later(None) | Class::Never | Class::NextSource => Some(later),
            Class::Reauthorize => None,
        };
        let why = match self.class_of(error) == error.class() {
            true => error.to_string(),
            false => shows_no_prices().to_string(),
        };
        RefreshRecord {
            attempted: now,
            succeeded: self.last.and_then(|last| last.succeeded),
            failures,
            why: Some(SafeText::new(&why)),
            next_attempt,
            ..self.record(now, &[])
        }
    }

    /// The connection as one that needs a new consent, unless it is marked so already.
    async fn ended(
        &self,
        error: &provider::Error,
        why: SafeText,
        now: i64,
    ) -> Result<Option<Connection>> {
        let ended = match error {
            provider::Error::Expired(_) => ConnectionState::Expired,
            _ => ConnectionState::Revoked,
        };
        let known = self.bench.store.read().await?.connections().await?;
        let known = known.into_iter().find(|known| known.id == self.connection.id);
        Ok(known.and_then(|known| {
            // It may have been given anew while this was asked.
            let is_over = known.consent_expires.is_some_and(|ends| ends <= now);
            if ended == ConnectionState::Expired && !is_over {
                return None;
            }
            let state = known.state.become_(ended).ok()?;
            Some(Connection { state, since: now, detail: Some(why), ..known })
        }))
    }

    /// The store did not take it; nobody knows how far it came.
    async fn give_up(&self, attempt: Attempt, error: ledger::Error) -> Result<Done> {
        let reason = if matches!(error, ledger::Error::LeaseLost) { "lease" } else { "storage" };
        let failed = match &error {
            ledger::Error::Store(failed) => Some(failed),
            _ => None,
        };
        attempt.settle(&self.bench.store, failed, reason).await;
        Err(Error::from(error))
    }

    fn done(&self) -> Done {
        Done::nothing(self.job)
    }

    /// It went well; what was wrong in it is kept.
    fn record(&self, now: i64, skipped: &[Skip]) -> RefreshRecord {
        let wrong = skipped.iter().filter(|skip| skip.wrong);
        let why: Vec<_> = wrong.map(|skip| format!("{}: {}", skip.what, skip.why)).collect();
        RefreshRecord {
            connection: self.connection.id,
            part: self.job.part,
            attempted: now,
            succeeded: Some(now),
            failures: 0,
            why: (!why.is_empty()).then(|| SafeText::capped(&why.join("; "), 1024)),
            next_attempt: None,
        }
    }

    /// The time, in microseconds since the epoch.
    pub(super) fn now(&self) -> i64 {
        self.bench.clock.now().timestamp_micros()
    }

    /// Whether somebody wants it now.
    pub(super) fn is_asked(&self) -> bool {
        self.job.why == plan::Why::Asked
    }

    pub(super) fn source(&self) -> SafeText {
        self.connection.provider.clone()
    }
}

impl Skip {
    pub(super) fn wrong(what: SafeText, why: &impl ToString) -> Self {
        Self { what, why: SafeText::new(&why.to_string()), wrong: true }
    }

    /// Nothing is wrong with what is not there.
    fn untold(what: SafeText, why: &provider::Error) -> Self {
        let wrong = why.class() != Class::NextSource;
        Self { what, why: SafeText::new(&why.to_string()), wrong }
    }
}

/// An account as it is made here, where there is none.
fn new(account: RemoteAccount) -> NewAccount {
    NewAccount {
        name: account.name,
        kind: account.kind,
        currency: account.currency,
        mode: Mode::Ledger,
        method: None,
        institution: account.institution,
        closed: None,
        performance: None,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
