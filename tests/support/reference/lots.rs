//! The lots of one security in one account, or in the pool of several. It knows quantities and
//! costs, and nothing of accounts, prices or rates.

use num_traits::{Signed, Zero};

use super::{Day, Q, plus};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Fifo,
    Lifo,
    Hifo,
    Average,
    /// An average over all accounts.
    Acb,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
            Self::Hifo => "hifo",
            Self::Average => "average",
            Self::Acb => "acb",
        }
    }

    /// Whether all that is held is one lot.
    pub fn is_pooled(self) -> bool {
        matches!(self, Self::Average | Self::Acb)
    }
}

/// A short lot has a negative quantity, and what its sale brought as a negative cost.
#[derive(Clone, Debug)]
pub struct Lot {
    pub opened: Day,
    pub quantity: Q,
    pub cost: Option<Q>,
    pub cost_base: Option<Q>,
    /// Fees that the cost leaves out: they only make a lot dearer than others.
    pub apart: Q,
}

/// A piece of a lot that a trade closed, and what that brought; negative where it cost something.
#[derive(Clone, Debug)]
pub struct Closed {
    pub lot: Lot,
    pub value: Q,
    pub value_base: Option<Q>,
}

/// All lots, the oldest first.
#[derive(Clone, Debug)]
pub struct Lots {
    pub method: Method,
    pub all: Vec<Lot>,
}

impl Lot {
    /// This part of the whole.
    fn part(&self, part: &Q) -> Self {
        Self {
            opened: self.opened,
            quantity: &self.quantity * part,
            cost: self.cost.as_ref().map(|cost| cost * part),
            cost_base: self.cost_base.as_ref().map(|cost| cost * part),
            apart: &self.apart * part,
        }
    }

    fn unit_cost(&self) -> Option<Q> {
        Some((self.cost.as_ref()? + &self.apart) / &self.quantity)
    }
}

impl Lots {
    pub fn new(method: Method) -> Self {
        Self { method, all: Vec::new() }
    }

    pub fn quantity(&self) -> Q {
        self.all.iter().map(|lot| &lot.quantity).sum()
    }

    /// None where the cost of a lot is unknown.
    pub fn cost(&self) -> Option<Q> {
        self.all.iter().map(|lot| lot.cost.clone()).sum()
    }

    pub fn cost_base(&self) -> Option<Q> {
        self.all.iter().map(|lot| lot.cost_base.clone()).sum()
    }

    /// A trade of a signed quantity for a signed cost, as a lot would have it: what it closes, and
    /// the rest opens a lot.
    pub fn trade(&mut self, trade: &Lot) -> Vec<Closed> {
        let held = self.quantity();
        let is_opposite = held.is_positive() && trade.quantity.is_negative()
            || held.is_negative() && trade.quantity.is_positive();
        let taken = if is_opposite { self.take(&trade.quantity.abs()) } else { Vec::new() };
        let mut rest = trade.quantity.clone();
        let mut closed = Vec::new();
        for lot in taken {
            let mirror = trade.part(&(-&lot.quantity / &trade.quantity));
            rest += &lot.quantity;
            let value_base = mirror.cost_base.map(|cost| -cost);
            closed.push(Closed { lot, value: -mirror.cost.unwrap(), value_base });
        }
        if !rest.is_zero() {
            self.put(trade.part(&(&rest / &trade.quantity)));
        }
        closed
    }

    /// Removes so much, or all there is, and gives the pieces in the order of the method.
    pub fn take(&mut self, quantity: &Q) -> Vec<Lot> {
        let (mut rest, mut taken) = (quantity.clone(), Vec::new());
        while rest.is_positive() && !self.all.is_empty() {
            let at = self.next();
            let held = self.all[at].quantity.abs();
            if held <= rest {
                rest -= held;
                taken.push(self.all.remove(at));
            } else {
                let part = &rest / &held;
                taken.push(self.all[at].part(&part));
                self.all[at] = self.all[at].part(&(Q::from_integer(1.into()) - part));
                rest = Q::zero();
            }
        }
        taken
    }

    /// Which lot goes next.
    fn next(&self) -> usize {
        match self.method {
            Method::Fifo | Method::Average | Method::Acb => 0,
            Method::Lifo => self.all.len() - 1,
            Method::Hifo => {
                let mut dearest = 0;
                for (at, lot) in self.all.iter().enumerate() {
                    if lot.unit_cost() > self.all[dearest].unit_cost() {
                        dearest = at;
                    }
                }
                dearest
            }
        }
    }

    /// Adds a lot: behind those of its day and before, or to the one lot of an average.
    pub fn put(&mut self, lot: Lot) {
        if self.method.is_pooled()
            && let Some(pool) = self.all.first_mut()
        {
            pool.quantity += lot.quantity;
            pool.cost = plus(pool.cost.as_ref(), lot.cost.as_ref());
            pool.cost_base = plus(pool.cost_base.as_ref(), lot.cost_base.as_ref());
            return;
        }
        let at = self.all.iter().position(|other| other.opened > lot.opened);
        self.all.insert(at.unwrap_or(self.all.len()), lot);
    }

    /// More or fewer for the same cost.
    pub fn scale(&mut self, factor: &Q) {
        for lot in &mut self.all {
            lot.quantity *= factor;
        }
    }

    /// Lowers the cost by an amount spread by quantity, and gives what was more than the cost.
    /// The cost in base goes down in proportion.
    pub fn lower_cost(&mut self, amount: &Q) -> Option<Q> {
        let each = amount / self.quantity();
        let mut excess = Q::zero();
        for lot in &mut self.all {
            let share = &each * &lot.quantity;
            let cost = lot.cost.clone()?;
            let left = (&cost - &share).max(Q::zero());
            excess += share - (&cost - &left);
            if !cost.is_zero() {
                lot.cost_base = lot.cost_base.as_ref().map(|base| base * &left / &cost);
            }
            lot.cost = Some(left);
        }
        Some(excess)
    }
}
