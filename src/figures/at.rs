//! The lots of any day: from the page before it, or, seen otherwise than they are kept, from the
//! first row.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::NaiveDate;

use super::codec;
use super::days::{days_of, events_where, half};
use super::market::{Market, Otherwise, Scope};
use super::position::{self, Held};
use super::replay::{Closing, Findings};
use crate::analytics::lots::{Book, Event, LotFinding, Sink, World as _};
use crate::model::{
    AccountId, Currency, Dec, Lot, Rank, Realization, SecurityId, Subtype, TransactionId,
};
use crate::store::{LotPage, Result, Tx};

/// The positions of a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn positions_on(
    tx: &mut Tx,
    market: &Market,
    day: NaiveDate,
    otherwise: Otherwise,
) -> Result<Vec<Held>> {
    if otherwise.is_nothing() && tx.last_day().await?.is_none_or(|last| last <= day) {
        return tx.positions().await?.iter().map(position::of_record).collect();
    }
    let books = books_on(tx, market, day, otherwise).await?;
    Ok(books.iter().flat_map(position::held).collect())
}

/// How many of each security there are in each account on a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn held_on(
    tx: &mut Tx,
    day: NaiveDate,
) -> Result<BTreeMap<(AccountId, SecurityId), Dec>> {
    let held = match tx.last_day().await?.is_none_or(|last| last <= day) {
        true => {
            tx.positions().await?.iter().map(position::of_record).collect::<Result<Vec<_>>>()?
        }
        false => {
            let market = Market::read(tx, day, Scope::Day, Otherwise::default()).await?;
            positions_on(tx, &market, day, Otherwise::default()).await?
        }
    };
    Ok(held.into_iter().map(|it| ((it.account, it.security), it.figures.quantity)).collect())
}

/// The positions of a day with their lots.
///
/// # Errors
/// When the store cannot be read.
pub async fn lots_on(
    tx: &mut Tx,
    market: &Market,
    day: NaiveDate,
    otherwise: Otherwise,
) -> Result<Vec<(Held, Vec<Lot>)>> {
    let books = books_on(tx, market, day, otherwise).await?;
    Ok(books.iter().flat_map(position::held_with_lots).collect())
}

/// The same of one group.
///
/// # Errors
/// When the store cannot be read.
pub async fn lots_of_group(
    tx: &mut Tx,
    market: &Market,
    group: SecurityId,
    day: NaiveDate,
    otherwise: Otherwise,
) -> Result<Vec<(Held, Vec<Lot>)>> {
    let mut player = Player::before(tx, group, day, otherwise).await?;
    player.play_through(market, day, &mut Nobody)?;
    Ok(position::held_with_lots(&player.book))
}

async fn books_on(
    tx: &mut Tx,
    market: &Market,
    day: NaiveDate,
    otherwise: Otherwise,
) -> Result<Vec<Book>> {
    let mut books = Vec::new();
    if !otherwise.is_nothing() {
        for group in tx.groups_with_pages().await? {
            let mut player = Player::at_the_beginning(tx, group).await?;
            player.play_through(market, day, &mut Nobody)?;
            books.push(player.book);
        }
        return Ok(books);
    }
    // Of all groups at once: the page of the half-year, and the lots that the page before it left.
    let mut before = tx.lot_pages_before(half(day)).await?.into_iter().peekable();
    for page in tx.lot_pages_at(half(day)).await? {
        let before = before.next_if(|before| before.group == page.group);
        if page.last_day <= day {
            books.push(codec::from_bytes::<Closing>(&page.closing)?.book);
            continue;
        }
        let book = match before {
            Some(before) => codec::from_bytes::<Closing>(&before.closing)?.book,
            None => Book::default(),
        };
        let mut player = Player::new(book, vec![page]);
        player.play_through(market, day, &mut Nobody)?;
        books.push(player.book);
    }
    Ok(books)
}

/// The positions of every group that has no row after a day: on that day and on every later one
/// they are as they are kept, and no page needs to be read.
///
/// # Errors
/// When the store cannot be read.
pub async fn unmoved_since(
    tx: &mut Tx,
    day: NaiveDate,
    otherwise: Otherwise,
) -> Result<BTreeMap<SecurityId, Vec<Held>>> {
    let mut unmoved: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let Some(next) = day.succ_opt().filter(|_| otherwise.is_nothing()) else { return Ok(unmoved) };
    let moved: BTreeSet<_> = tx.groups_with_rows_from(next).await?.into_iter().collect();
    for record in tx.positions().await?.iter().filter(|record| !moved.contains(&record.group)) {
        let held = position::of_record(record)?;
        unmoved.entry(record.group).or_default().extend(held.is_something().then_some(held));
    }
    Ok(unmoved)
}

/// The positions of one group on each of these days, which are in order.
///
/// # Errors
/// When the store cannot be read.
pub async fn group_on(
    tx: &mut Tx,
    market: &Market,
    group: SecurityId,
    days: &[NaiveDate],
    otherwise: Otherwise,
) -> Result<Vec<Vec<Held>>> {
    let Some(&first) = days.first() else { return Ok(Vec::new()) };
    let mut player = Player::before(tx, group, first, otherwise).await?;
    let mut positions: Vec<Vec<Held>> = Vec::with_capacity(days.len());
    for &day in days {
        let changed = player.play_through(market, day, &mut Nobody)?;
        // To add up the lots of every position takes far longer than most days are worth.
        if let Some(as_before) = positions.last().filter(|_| !changed) {
            positions.push(as_before.clone());
            continue;
        }
        let mut held = position::held(&player.book);
        held.retain(Held::is_something);
        positions.push(held);
    }
    Ok(positions)
}

/// The positions of one security on a day; `group` is the one its pages are kept under.
///
/// # Errors
/// When the store cannot be read.
pub async fn security_on(
    tx: &mut Tx,
    market: &Market,
    group: SecurityId,
    security: SecurityId,
    day: NaiveDate,
) -> Result<Vec<Held>> {
    let as_kept = Otherwise::default();
    let mut held = if tx.last_day().await?.is_none_or(|last| last <= day) {
        positions_on(tx, market, day, as_kept).await?
    } else {
        group_on(tx, market, group, &[day], as_kept).await?.into_iter().flatten().collect()
    };
    held.retain(|held| held.security == security);
    Ok(held)
}

/// Everything that was realized in a span of days.
///
/// # Errors
/// When the store cannot be read.
pub async fn realized(
    tx: &mut Tx,
    market: &Market,
    from: NaiveDate,
    to: NaiveDate,
    otherwise: Otherwise,
) -> Result<Vec<Realization>> {
    let mut gains = Gains { from, found: Vec::new() };
    for group in tx.groups_with_pages().await? {
        let mut player = Player::before(tx, group, from, otherwise).await?;
        player.play_through(market, to, &mut gains)?;
    }
    Ok(gains.found)
}

/// A sale that nobody made.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    /// Where.
    pub account: AccountId,
    /// Of what.
    pub security: SecurityId,
    /// How many.
    pub quantity: Dec,
    /// How many of the underlying thing one is.
    pub multiplier: Dec,
    /// What it would bring, in the security's currency.
    pub proceeds: Dec,
}

/// What sales of one group would close at the end of a day. Nothing is kept of it.
///
/// # Errors
/// When the store cannot be read.
pub async fn sold_if(
    tx: &mut Tx,
    market: &Market,
    group: SecurityId,
    day: NaiveDate,
    sales: &[Sale],
    otherwise: Otherwise,
) -> Result<Vec<Realization>> {
    let mut player = Player::before(tx, group, day, otherwise).await?;
    player.play_through(market, day, &mut Nobody)?;
    let event = |sale: &Sale| Event {
        id: TransactionId(0),
        account: sale.account,
        security: sale.security,
        to_security: None,
        date: day,
        seq: i64::MAX,
        rank: Rank::Sell,
        subtype: Subtype::Sell,
        quantity: Some(-sale.quantity),
        price: None,
        fee: Dec::ZERO,
        tax: Dec::ZERO,
        currency: market.currency_of(sale.security),
        amount: sale.proceeds,
        fx_rate: None,
        multiplier: sale.multiplier,
        ratio: None,
        acquired: None,
        cost_share: None,
        peer: None,
    };
    let events: Vec<_> = sales.iter().map(event).collect();
    let mut gains = Gains { from: day, found: Vec::new() };
    player.book.apply_day(&events, market, &mut gains);
    Ok(gains.found)
}

/// Of every security the spans of days, up to this one, on which it was held.
///
/// # Errors
/// When the store cannot be read.
pub async fn held_spans(
    tx: &mut Tx,
    market: &Market,
    through: NaiveDate,
    account: Option<AccountId>,
) -> Result<BTreeMap<SecurityId, Vec<(NaiveDate, NaiveDate)>>> {
    let mut spans: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for group in tx.groups_with_pages().await? {
        let mut since: BTreeMap<SecurityId, NaiveDate> = BTreeMap::new();
        let mut book = Book::default();
        for page in tx.lot_pages_from(group, i32::MIN).await? {
            for (day, events) in events_where(&page, |day| day <= through)? {
                book.apply_day(&events, market, &mut Nobody);
                let wanted = |at: AccountId| account.is_none_or(|account| account == at);
                let held: BTreeSet<SecurityId> = book
                    .quantities()
                    .filter(|(at, ..)| wanted(*at))
                    .map(|(_, security, _)| security)
                    .collect();
                for &security in &held {
                    since.entry(security).or_insert(day);
                }
                for (security, from) in since.extract_if(.., |security, _| !held.contains(security))
                {
                    spans.entry(security).or_default().push((from, day));
                }
            }
        }
        for (security, from) in since {
            spans.entry(security).or_default().push((from, through));
        }
    }
    Ok(spans)
}

/// From which currency to which one, and of which day.
pub type RateNeeded = (Currency, Currency, NaiveDate);

/// The rates that the rows about securities need up to a day, each of its own day.
///
/// # Errors
/// When the store cannot be read.
pub async fn rates_of_rows(
    tx: &mut Tx,
    market: &Market,
    through: NaiveDate,
    account: Option<AccountId>,
) -> Result<BTreeSet<RateNeeded>> {
    let mut needed = BTreeSet::new();
    for group in tx.groups_with_pages().await? {
        for page in tx.lot_pages_from(group, i32::MIN).await? {
            let days = events_where(&page, |day| day <= through)?.into_iter();
            for event in days.flat_map(|(_, events)| events) {
                let wanted = account.is_none_or(|account| account == event.account);
                let money = [event.amount, event.fee, event.tax, event.price.unwrap_or_default()];
                if !wanted || money.iter().all(|money| money.is_zero()) {
                    continue;
                }
                // What comes from outside cost what it did on the day it was bought.
                let comes = matches!(
                    event.subtype,
                    Subtype::Opening | Subtype::Adjustment | Subtype::TransferIn
                );
                let day = event.acquired.filter(|_| comes).unwrap_or(event.date);
                let local = market.currency_of(event.security);
                if event.fx_rate.is_none() && event.currency != local {
                    needed.insert((event.currency, local, day));
                }
                let base = market.rules().base;
                if local != base && event.currency != base {
                    needed.insert((local, base, day));
                }
            }
        }
    }
    Ok(needed)
}

/// What the lots found up to a day.
///
/// # Errors
/// When the store cannot be read.
pub async fn findings(tx: &mut Tx, through: NaiveDate) -> Result<Vec<LotFinding>> {
    let mut found = Vec::new();
    for bytes in tx.lot_findings().await? {
        found.extend(codec::from_bytes::<Vec<LotFinding>>(&bytes)?);
    }
    found.retain(|finding| finding.date <= through);
    Ok(found)
}

/// What the lots found up to a day, seen otherwise than they are kept.
///
/// # Errors
/// When the store cannot be read.
pub async fn findings_of(
    tx: &mut Tx,
    market: &Market,
    through: NaiveDate,
    otherwise: Otherwise,
) -> Result<Vec<LotFinding>> {
    if otherwise.is_nothing() {
        return findings(tx, through).await;
    }
    let mut found = Findings::default();
    for group in tx.groups_with_pages().await? {
        let mut player = Player::at_the_beginning(tx, group).await?;
        player.play_through(market, through, &mut found)?;
    }
    Ok(found.0)
}

/// Of every row whose lots do not cost what it says alone: the rows that changed that, up to a day.
pub type Recosted = BTreeMap<TransactionId, BTreeSet<TransactionId>>;

/// Which rows changed what the lots of others cost.
///
/// # Errors
/// When the store cannot be read.
pub async fn recosted(
    tx: &mut Tx,
    market: &Market,
    group: SecurityId,
    through: NaiveDate,
) -> Result<Recosted> {
    let mut player = Player::at_the_beginning(tx, group).await?;
    let mut costs = Costs::default();
    player.play_through(market, through, &mut costs)?;
    Ok(costs.0)
}

/// The lots of a group on their way through time.
pub(super) struct Player {
    pub book: Book,
    /// Pages that are not begun, newest first.
    pages: Vec<LotPage>,
    /// The days of the page at hand that are not played, as they are kept: who asks for a day in its
    /// middle need not read those after it.
    days: VecDeque<(NaiveDate, Vec<u8>)>,
}

impl Player {
    const fn new(book: Book, pages: Vec<LotPage>) -> Self {
        Self { book, pages, days: VecDeque::new() }
    }

    async fn at_the_beginning(tx: &mut Tx, group: SecurityId) -> Result<Self> {
        let mut pages = tx.lot_pages_from(group, i32::MIN).await?;
        pages.reverse();
        Ok(Self::new(Book::default(), pages))
    }

    /// As late as the pages allow, with no row of this day or a later one played.
    pub async fn before(
        tx: &mut Tx,
        group: SecurityId,
        day: NaiveDate,
        otherwise: Otherwise,
    ) -> Result<Self> {
        if !otherwise.is_nothing() {
            return Self::at_the_beginning(tx, group).await;
        }
        let mut pages = tx.lot_pages_from(group, half(day)).await?;
        pages.reverse();
        let book = match tx.lot_page_before(group, half(day)).await? {
            Some(page) => codec::from_bytes::<Closing>(&page.closing)?.book,
            None => Book::default(),
        };
        Ok(Self::new(book, pages))
    }

    /// The next day that has rows.
    pub fn next_day(&mut self) -> Result<Option<NaiveDate>> {
        if self.days.is_empty()
            && let Some(page) = self.pages.pop()
        {
            self.begin(&page)?;
        }
        Ok(self.days.front().map(|(day, _)| *day))
    }

    /// Plays every row up to the end of a day. Tells whether there was any.
    pub fn play_through(
        &mut self,
        market: &Market,
        day: NaiveDate,
        sink: &mut impl Sink,
    ) -> Result<bool> {
        let mut changed = false;
        loop {
            while let Some((_, rows)) = self.days.pop_front_if(|(of, _)| *of <= day) {
                let events: Vec<Event> = codec::from_bytes(&rows)?;
                self.book.apply_day(&events, market, sink);
                changed = true;
            }
            let next = self.pages.pop_if(|page| self.days.is_empty() && page.first_day <= day);
            let Some(page) = next else { return Ok(changed) };
            self.begin(&page)?;
        }
    }

    fn begin(&mut self, page: &LotPage) -> Result<()> {
        let days = days_of(page)?.into_iter();
        self.days = days.map(|(day, rows)| (day, rows.to_vec())).collect();
        Ok(())
    }
}

/// Only the lots themselves are asked for.
struct Nobody;

impl Sink for Nobody {
    fn realized(&mut self, _: Realization) {}

    fn finding(&mut self, _: LotFinding) {}
}

#[derive(Default)]
struct Costs(Recosted);

impl Sink for Costs {
    fn realized(&mut self, _: Realization) {}

    fn finding(&mut self, _: LotFinding) {}

    fn recosted(&mut self, lots_of: TransactionId, by: TransactionId) {
        self.0.entry(lots_of).or_default().insert(by);
    }
}

struct Gains {
    from: NaiveDate,
    found: Vec<Realization>,
}

impl Sink for Gains {
    fn realized(&mut self, realized: Realization) {
        if realized.closed >= self.from {
            self.found.push(realized);
        }
    }

    fn finding(&mut self, _: LotFinding) {}
}
