//! The clerk applies the rows of one day to the book, in their order but for those that must wait
//! for another or go before it, and keeps quantities, lots and pools in step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::book::{Book, Key, Position, give, key_for, pool_key};
use super::costs::{Costs, Gaps};
use super::event::{Event, MoveId};
use super::finding::{FindingKind, LotFinding, Sink};
use super::option::is_used;
use super::pick::{Taken, Way};
use super::pool::{Pool, PoolKey, Pooling};
use super::rates::Rates;
use super::world::{Fees, World};
use crate::model::{Dec, Exact, Lot, LotMethod, Running, SecurityId, Subtype, TransactionId};

/// Who applies a day.
pub(super) struct Clerk<'a, W, S> {
    pub book: &'a mut Book,
    pub world: &'a W,
    pub out: &'a mut S,
    /// What the row at hand could not know.
    pub gaps: Gaps,
    /// Rights used today, by the trade they lead to.
    pub rights: BTreeMap<TransactionId, Vec<&'a Event>>,
    /// Those of them that are applied.
    used: BTreeSet<TransactionId>,
    /// The splits of today that are applied, by their place among those of the security.
    pub splits: BTreeSet<(SecurityId, usize)>,
    /// Moves whose out leg of today is still to come: their in legs wait for it.
    pub expected: BTreeSet<MoveId>,
}

impl Book {
    /// Applies the rows of one day, all of them, in the order of rows.
    pub fn apply_day<W: World, S: Sink>(&mut self, events: &[Event], world: &W, out: &mut S) {
        let mut clerk = Clerk {
            book: self,
            world,
            out,
            gaps: Gaps::default(),
            rights: BTreeMap::new(),
            splits: BTreeSet::new(),
            used: BTreeSet::new(),
            expected: BTreeSet::new(),
        };
        clerk.day(events);
    }
}

impl<'a, W: World, S: Sink> Clerk<'a, W, S> {
    fn day(&mut self, events: &'a [Event]) {
        self.find_rights(events);
        self.expect_legs(events);
        let mut left: VecDeque<&Event> = events.iter().collect();
        while let Some(event) = self.next(&left).and_then(|at| left.remove(at)) {
            // A right is used before the trade it leads to, wherever its row stands.
            for right in self.rights.get(&event.id).cloned().unwrap_or_default() {
                if self.used.insert(right.id) {
                    self.enter(right);
                }
            }
            if is_used(event) && !self.used.insert(event.id) {
                continue;
            }
            self.enter(event);
        }
    }

    /// Which of these rows is next. Each account's rows keep their order; where one of them waits
    /// for what another account sends, those after it wait too.
    fn next(&self, left: &VecDeque<&Event>) -> Option<usize> {
        let mut waiting = BTreeSet::new();
        let free = left.iter().position(|event| {
            let waits = waiting.contains(&event.account) || self.must_wait(event);
            if waits {
                waiting.insert(event.account);
            }
            !waits
        });
        // Accounts that wait for each other: one fetches what is there, or does what it can.
        let all = || left.iter().enumerate();
        let fetches = || all().find(|(_, event)| self.must_wait(event) && self.can_fetch(event));
        let does = || all().find(|(_, event)| !self.must_wait(event));
        free.or_else(|| Some(fetches().or_else(does).or_else(|| all().next())?.0))
    }

    /// Applies one row, and tells what it could not know.
    fn enter(&mut self, event: &Event) {
        self.out.entering(self.book, event);
        let rates = self.rates(event, event.date);
        self.charge(event, &rates);
        match event.subtype {
            Subtype::Buy | Subtype::BuyToCover | Subtype::Sell | Subtype::ShortSell => {
                self.trade(event, &rates);
            }
            Subtype::Exercise | Subtype::Assignment | Subtype::Expiration => {
                self.right(event, &rates);
            }
            Subtype::TransferIn => self.transfer_in(event, &rates),
            Subtype::TransferOut => self.transfer_out(event, &rates),
            Subtype::Opening | Subtype::Adjustment | Subtype::Journal | Subtype::Unknown => {
                self.correct(event, &rates);
            }
            Subtype::Dividend
            | Subtype::Interest
            | Subtype::CapitalGain
            | Subtype::Distribution => self.earn(event, &rates),
            Subtype::Reward => self.reward(event, &rates),
            Subtype::ReturnOfCapital => self.return_capital(event, &rates),
            Subtype::Split => self.split(event, &rates),
            Subtype::StockDividend => self.stock_dividend(event, &rates),
            Subtype::SymbolChange => self.change_symbol(event),
            Subtype::SpinOff => self.spin_off(event, &rates),
            Subtype::Merger => self.merge(event, &rates),
            // Charges are booked already; cash alone opens no lot.
            Subtype::Commission
            | Subtype::AccountFee
            | Subtype::MarginInterest
            | Subtype::Tax
            | Subtype::WithholdingTax
            | Subtype::OtherFee
            | Subtype::Deposit
            | Subtype::Withdrawal
            | Subtype::WireIn
            | Subtype::WireOut
            | Subtype::Internal
            | Subtype::Fx => {}
        }
        let gaps = std::mem::take(&mut self.gaps);
        for pair in gaps.rates {
            let finding = LotFinding { pair: Some(pair), ..of(event, FindingKind::MissingRate) };
            self.out.finding(finding);
        }
        if gaps.spilled {
            self.find(event, FindingKind::Overflow, None);
        }
        self.out.entered(self.book, event);
    }

    /// Tells that a person should look at this row.
    pub fn find(&mut self, event: &Event, kind: FindingKind, quantity: Option<Dec>) {
        self.out.finding(LotFinding { quantity, ..of(event, kind) });
    }

    /// Notes a loss in the shared average: whoever bought the same near the day may not take it.
    pub fn find_loss(&mut self, at: Key, event: &Event, units: Dec, gain: [Running; 2]) {
        let [tax, local] = gain.map(|gain| gain.total());
        let tax = tax.map(|gain| (gain, self.world.rules().tax));
        let gain = tax.or_else(|| Some((local?, self.world.currency_of(at.1))));
        if let Some((gain, currency)) = gain.filter(|(gain, _)| gain.is_negative()) {
            self.out.finding(LotFinding {
                account: at.0,
                security: at.1,
                quantity: Some(units),
                loss: Some((-gain, currency)),
                ..of(event, FindingKind::SuperficialLoss)
            });
        }
    }

    /// The rates of a row, as of a day.
    pub fn rates(&self, event: &Event, on: chrono::NaiveDate) -> Rates {
        let local = self.world.currency_of(event.security);
        Rates::new(self.world, event.currency, local, event.fx_rate, on)
    }

    /// How the account of a row chooses lots.
    pub fn way(&self, event: &Event) -> Way {
        Way { method: self.world.account(event.account).method, day: event.acquired }
    }

    /// The cash of a row, with the sign of a cost: what was paid is positive. Fees and taxes are
    /// in it or not, as the settings say; the shared average always has them.
    pub fn outlay(&mut self, event: &Event, rates: &Rates) -> Costs {
        let cash = Exact::from(event.amount);
        let cash = if self.fees_in_cost(event) {
            cash
        } else {
            cash.add(&event.fee.into()).add(&event.tax.into())
        };
        rates.convert(&cash.neg(), &mut self.gaps)
    }

    /// Whether cost and proceeds have the fees and taxes in them.
    pub fn fees_in_cost(&self, event: &Event) -> bool {
        self.world.rules().fees == Fees::InCost
            || self.world.account(event.account).method == LotMethod::Acb
    }

    /// A position, made at its first row.
    pub fn position(&mut self, at: Key) -> &mut Position {
        let world = self.world;
        self.book.positions.entry(at).or_insert_with(|| {
            let rules = world.account(at.0);
            let pooling = match rules.method {
                LotMethod::Acb if rules.taxable => Pooling::Shared,
                LotMethod::Acb | LotMethod::Average => Pooling::Own,
                _ => Pooling::None,
            };
            Position { pooling, ..Position::default() }
        })
    }

    /// How many there are; negative: short.
    pub fn held(&self, at: Key) -> Dec {
        self.book.positions.get(&at).map_or(Dec::ZERO, |position| position.quantity)
    }

    /// A number for a lot that another one's row opened.
    pub fn next_piece(&mut self) -> u32 {
        self.book.pieces = self.book.pieces.wrapping_add(1);
        self.book.pieces
    }

    /// Adds a lot to a position that is on its side, or flat.
    pub fn put(&mut self, at: Key, mut lot: Lot) {
        let position = self.position(at);
        if position.overflow {
            return;
        }
        let pooling = position.pooling;
        if pooling != Pooling::None {
            let key = key_for(at, pooling, lot.quantity.is_negative());
            let pool = self.book.pools.entry(key).or_default();
            pool.add(lot.quantity, lot.costs(), &mut self.gaps);
            lot.set_costs(Costs::UNKNOWN);
        }
        if self.position(at).insert(lot).is_err() {
            self.give_up(at);
        }
    }

    /// Takes so many units out of a position, with their costs; fewer if there are fewer.
    pub fn take(&mut self, at: Key, units: Dec, way: Way) -> Vec<Taken> {
        let Some(position) = self.book.positions.get(&at) else { return Vec::new() };
        let (pooling, key) = (position.pooling, pool_key(at, position));
        let mut taken = self.take_lots(at, units, way);
        if pooling != Pooling::None && !taken.is_empty() {
            let costs = self.leave_pool(key, taken.iter().map(|taken| &taken.lot));
            give(costs, taken.iter_mut().map(|taken| &mut taken.lot), &mut self.gaps);
        }
        taken
    }

    /// The same, but what is in a pool stays there.
    pub fn take_lots(&mut self, at: Key, units: Dec, way: Way) -> Vec<Taken> {
        let Some(position) = self.book.positions.get_mut(&at) else { return Vec::new() };
        let picked = position.pick(units, way, &mut self.gaps);
        picked.unwrap_or_else(|_| {
            self.give_up(at);
            Vec::new()
        })
    }

    /// Takes the costs of lots out of their pool.
    pub fn leave_pool<'l>(
        &mut self,
        key: PoolKey,
        mut lots: impl Iterator<Item = &'l Lot>,
    ) -> Costs {
        let units = lots.try_fold(Dec::ZERO, |sum, lot| sum.checked_add(lot.quantity));
        let (Some(units), Some(pool)) = (units, self.book.pools.get_mut(&key)) else {
            return Costs::UNKNOWN;
        };
        let costs = pool.remove(units, &mut self.gaps);
        if pool.is_empty() {
            self.book.pools.remove(&key);
        }
        costs
    }

    /// A quantity does not fit: nothing of this position can be known any more.
    pub fn give_up(&mut self, at: Key) {
        self.gaps.spilled = true;
        let position = self.position(at);
        let pooling = position.pooling;
        position.give_up();
        for short in [false, true] {
            let key = key_for(at, pooling, short);
            match pooling {
                Pooling::None => {}
                Pooling::Own => {
                    self.book.pools.remove(&key);
                }
                Pooling::Shared => {
                    self.book.pools.insert(key, Pool::broken());
                }
            }
        }
    }
}

/// A finding about a row.
const fn of(event: &Event, kind: FindingKind) -> LotFinding {
    LotFinding {
        kind,
        transaction: event.id,
        account: event.account,
        security: event.security,
        date: event.date,
        quantity: None,
        pair: None,
        loss: None,
    }
}
