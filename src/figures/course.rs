//! The course of everything that is held: how much of each security was where from which day on,
//! and what each row brought, took or moved, in the base currency.
//!
//! Performance is computed from this and from prices; it depends on neither the lots nor their
//! method.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::at::Player;
use super::linked_cash::cash_moves;
use super::market::{Market, Otherwise};
use super::position::TRANSIT;
use super::unmoved_since;
use crate::analytics::lots::{Book, Event, LotFinding, Place, Sink, Stock, World as _, in_base};
use crate::model::{
    AccountId, Currency, Dec, Exact, Kind, Realization, SecurityId, Subtype, TransactionId,
};
use crate::store::{CashRow, Result, Tx};

/// What rows brought and took, in the base currency, each at its own rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// What was paid for units that came, less what was received for those that went, gross.
    pub trade: Exact,
    /// Cash from outside, less cash that went there.
    pub came: Exact,
    /// The part of it that went there, positive.
    pub went: Exact,
    /// Gross.
    pub income: Exact,
    /// Charged, positive.
    pub fees: Exact,
    /// Taken by the state, positive.
    pub taxes: Exact,
    /// What the account's cash paid for the holding, row by row, with the charges.
    pub put_in: Exact,
    /// What the holding paid into the account's cash, row by row, less the charges.
    pub taken_out: Exact,
}

impl Default for Sums {
    fn default() -> Self {
        let zero = || Exact::ZERO;
        Self {
            trade: zero(),
            came: zero(),
            went: zero(),
            income: zero(),
            fees: zero(),
            taxes: zero(),
            put_in: zero(),
            taken_out: zero(),
        }
    }
}

impl Sums {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.trade = self.trade.add(&other.trade);
        self.came = self.came.add(&other.came);
        self.went = self.went.add(&other.went);
        self.income = self.income.add(&other.income);
        self.fees = self.fees.add(&other.fees);
        self.taxes = self.taxes.add(&other.taxes);
        self.put_in = self.put_in.add(&other.put_in);
        self.taken_out = self.taken_out.add(&other.taken_out);
    }

    /// What a row did, cut by weights, so that the parts add up.
    fn cut<K>(&self, weights: &[(K, Exact)]) -> Vec<Self> {
        let [trade, came, went, income, fees, taxes] =
            [&self.trade, &self.came, &self.went, &self.income, &self.fees, &self.taxes]
                .map(|sum| cut(sum, weights).into_iter());
        let parts = trade.zip(came).zip(went).zip(income).zip(fees).zip(taxes);
        parts
            .map(|(((((trade, came), went), income), fees), taxes)| {
                let rest = Self::default();
                let mut part = Self { trade, came, went, income, fees, taxes, ..rest };
                part.pay();
                part
            })
            .collect()
    }

    fn flow(&mut self, amount: &Exact) {
        if amount.sign().is_lt() {
            self.went = self.went.sub(amount);
        } else {
            self.came = self.came.add(amount);
        }
    }

    /// What one row moved between a holding and the cash of its account.
    fn pay(&mut self) {
        let paid = self.trade.add(&self.fees).add(&self.taxes).sub(&self.income);
        if paid.sign().is_lt() {
            self.taken_out = paid.neg();
        } else {
            self.put_in = paid;
        }
    }
}

/// An amount cut by weights that are not negative; the last part is the rest.
fn cut<K>(amount: &Exact, weights: &[(K, Exact)]) -> Vec<Exact> {
    let Some((_, firsts)) = weights.split_last() else { return Vec::new() };
    let whole = weights.iter().fold(Exact::ZERO, |sum, (_, weight)| sum.add(weight));
    let mut left = amount.clone();
    let mut parts = Vec::with_capacity(weights.len());
    for (_, weight) in firsts {
        let part = amount.mul(weight).div_round(&whole, 12).map_or(Exact::ZERO, Exact::from);
        left = left.sub(&part);
        parts.push(part);
    }
    parts.push(left);
    parts
}

/// A security at a place: how much there is, and what its rows brought and took.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Where.
    pub place: Place,
    /// What.
    pub security: SecurityId,
    /// Units times their multiplier from the end of a day on; none: it does not fit.
    pub levels: Vec<(NaiveDate, Option<Exact>)>,
    /// By day.
    pub rows: BTreeMap<NaiveDate, Sums>,
}

/// Units that a row moved without a price: valued at the close of the day.
#[derive(Clone, Debug)]
pub struct Moved {
    /// When.
    pub date: NaiveDate,
    /// What came (or went, negative) where. All legs of one row.
    pub legs: Vec<Leg>,
    /// One security became another: all legs have the value of this one, with its sign.
    pub becomes: Option<Leg>,
}

/// Units that came to a place, or went from it.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Where.
    pub place: Place,
    /// Of what.
    pub security: SecurityId,
    /// Times their multiplier; negative: they went.
    pub units: Exact,
}

/// Money that moved from one own account to another, or from one currency to another.
#[derive(Clone, Debug)]
pub struct CashMove {
    /// From where to where.
    pub accounts: (AccountId, AccountId),
    /// When it left and when it arrived.
    pub days: (NaiveDate, NaiveDate),
    /// What left, of which currency.
    pub sent: (Dec, Currency),
    /// What arrived.
    pub got: (Dec, Currency),
}

/// A rate that a row needs and nobody knows; of a row without a security none.
pub type LacksRate = (AccountId, Option<SecurityId>, Currency, NaiveDate);

/// Which lot: of which security where, the row that opened it, and which of that row's lots.
pub type LotKey = (AccountId, SecurityId, TransactionId, u32);

/// The course of one lot.
#[derive(Clone, Debug)]
pub struct LotCourse {
    /// When it was acquired.
    pub opened: NaiveDate,
    /// As those of a holding.
    pub levels: Vec<(NaiveDate, Option<Exact>)>,
    /// Its part of what rows brought and took.
    pub rows: BTreeMap<NaiveDate, Sums>,
    /// Units that came to it or went without a price: whose close values them, and how many.
    pub arrivals: Vec<(NaiveDate, SecurityId, Exact)>,
    /// What its part of a row lacks.
    pub lacks: BTreeSet<(NaiveDate, LotLack)>,
}

/// Why nobody can tell what a row did to a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LotLack {
    /// The row has money of this currency, and there is no rate.
    Rate(Currency),
    /// Units were earned of which nobody knows what they were worth.
    Worth,
}

/// Stands where the row that opened a lot would, for what came when no lot was left: it is of the
/// holding alone.
pub const OF_THE_HOLDING: TransactionId = TransactionId(0);

/// Everything that happened in a span of days.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// By place and security.
    pub holdings: BTreeMap<(Place, SecurityId), Holding>,
    /// The lots, where somebody asks for them.
    pub lots: BTreeMap<LotKey, LotCourse>,
    /// In the order of days, group by group.
    pub moved: Vec<Moved>,
    /// Rows without a security, by account and day.
    pub money: BTreeMap<AccountId, BTreeMap<NaiveDate, Sums>>,
    /// Moves of money, which the sums leave out.
    pub cash_moves: Vec<CashMove>,
    /// What could not be told in the base currency.
    pub lacks_rates: BTreeSet<LacksRate>,
    /// Units earned of which nobody knows what they were worth.
    pub lacks_worth: BTreeSet<(AccountId, SecurityId, NaiveDate)>,
}

/// Follows everything from the end of the day before `from` to the end of `to`.
///
/// # Errors
/// When the store cannot be read.
pub async fn course(
    tx: &mut Tx,
    market: &Market,
    from: NaiveDate,
    to: NaiveDate,
    lots: Option<Otherwise>,
) -> Result<Course> {
    let mut course = Course::default();
    let before = from.pred_opt().unwrap_or(from);
    let mut unmoved = unmoved_since(tx, before, Otherwise::default()).await?;
    // What is between two accounts is kept without saying which, and lots are not kept here.
    unmoved.retain(|_, held| lots.is_none() && held.iter().all(|held| held.account != TRANSIT));
    // How much there is of a security does not depend on how its lots are followed.
    let otherwise = lots.unwrap_or_default();
    for group in tx.groups_with_pages().await? {
        if let Some(held) = unmoved.remove(&group) {
            for held in held {
                let figures = &held.figures;
                course.level(
                    before,
                    &Stock {
                        place: Place::In(held.account),
                        security: held.security,
                        quantity: (!figures.overflow).then_some(figures.quantity),
                        multiplier: figures.multiplier,
                    },
                );
            }
            continue;
        }
        let mut player = Player::before(tx, group, from, otherwise).await?;
        player.play_through(market, before, &mut Quiet)?;
        let lots = lots.map(|_| LotsBefore::default());
        let mut follower =
            Follower { course: &mut course, market, before: Vec::new(), ways: Vec::new(), lots };
        follower.tell_levels(&player.book, before);
        while let Some(day) = player.next_day()?.filter(|day| *day <= to) {
            player.play_through(market, day, &mut follower)?;
            follower.tell_levels(&player.book, day);
        }
    }
    course.follow_money(tx, market, from, to).await?;
    Ok(course)
}

impl Course {
    fn level(&mut self, day: NaiveDate, stock: &Stock) {
        let units = |quantity: Dec| Exact::from(quantity).mul(&stock.multiplier.into());
        let units = stock.quantity.map(units);
        let holding = self.holding(stock.place, stock.security);
        let last = holding.levels.last().map(|(_, units)| units);
        let changed = match last {
            Some(last) => *last != units,
            None => units.as_ref().is_none_or(|units| !units.is_zero()),
        };
        if changed {
            holding.levels.push((day, units));
        }
    }

    /// A place and security, made at its first row.
    pub fn holding(&mut self, place: Place, security: SecurityId) -> &mut Holding {
        self.holdings.entry((place, security)).or_insert_with(|| Holding {
            place,
            security,
            levels: Vec::new(),
            rows: BTreeMap::new(),
        })
    }

    fn lot(&mut self, key: LotKey, opened: NaiveDate) -> &mut LotCourse {
        self.lots.entry(key).or_insert_with(|| LotCourse {
            opened,
            levels: Vec::new(),
            rows: BTreeMap::new(),
            arrivals: Vec::new(),
            lacks: BTreeSet::new(),
        })
    }

    async fn follow_money(
        &mut self,
        tx: &mut Tx,
        market: &Market,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<()> {
        let base = market.rules().base;
        let mut paired: BTreeMap<TransactionId, Exact> = BTreeMap::new();
        for (rows, way) in cash_moves(tx).await? {
            let sums = [(rows.0, Exact::from(way.sent.0).neg()), (rows.1, way.got.0.into())];
            for (row, amount) in sums {
                let sum = paired.entry(row).or_insert(Exact::ZERO);
                *sum = sum.add(&amount);
            }
            self.cash_moves.push(way);
        }
        tx.each_cash_row(from, to, |row| {
            let mut told = of_row(row.subtype, &Money::of(&row), None);
            if let Some(moved) = paired.get(&row.id) {
                told.flow = told.flow.sub(moved);
            }
            // What pays for no security comes from outside, or goes there.
            told.flow = told.flow.sub(&told.trade);
            told.trade = Exact::ZERO;
            let rate = market.rate(row.currency, base, row.date);
            let Some(sums) = told.in_base(|money| rate.as_ref()?.apply(money).ok()) else {
                self.lacks_rates.insert((row.account, None, row.currency, row.date));
                return;
            };
            self.money.entry(row.account).or_default().entry(row.date).or_default().add(&sums);
        })
        .await
    }
}

/// The money of a row, as it says it.
struct Money {
    amount: Exact,
    fee: Exact,
    tax: Exact,
}

impl Money {
    fn of(row: &CashRow) -> Self {
        Self { amount: row.amount.into(), fee: row.fee.into(), tax: row.tax.into() }
    }
}

/// What the money of a row was for. All but the trade add up to the change of cash with it:
/// amount = flow - trade + income - fee - tax.
struct Told {
    trade: Exact,
    flow: Exact,
    income: Exact,
    fee: Exact,
    tax: Exact,
}

/// Sorts the money of a row out; `worth` is that of units that were earned.
fn of_row(subtype: Subtype, money: &Money, worth: Option<Exact>) -> Told {
    let Money { amount, fee, tax } = money;
    let gross = amount.add(fee).add(tax);
    let zero = || Exact::ZERO;
    let none =
        Told { trade: zero(), flow: zero(), income: zero(), fee: fee.clone(), tax: tax.clone() };
    match subtype {
        // The amount of a charge is the charge itself, with what its columns call by another name.
        Subtype::Tax | Subtype::WithholdingTax => Told { tax: amount.neg().sub(fee), ..none },
        _ if subtype.kind() == Kind::Fee => Told { fee: amount.neg().sub(tax), ..none },
        Subtype::Dividend | Subtype::Interest | Subtype::CapitalGain | Subtype::Distribution => {
            Told { income: gross, ..none }
        }
        Subtype::Reward => {
            let income = worth.unwrap_or_else(|| gross.clone());
            Told { trade: income.sub(&gross), income, ..none }
        }
        _ if subtype.kind() == Kind::Transfer => Told { flow: gross, ..none },
        Subtype::Opening | Subtype::Adjustment | Subtype::Journal | Subtype::Unknown => {
            Told { flow: gross, ..none }
        }
        _ => Told { trade: gross.neg(), ..none },
    }
}

impl Told {
    /// The same in the base currency; none: something cannot be told in it.
    fn in_base(&self, to_base: impl Fn(&Exact) -> Option<Dec>) -> Option<Sums> {
        let told = |money: &Exact| match money.is_zero() {
            true => Some(Exact::ZERO),
            false => to_base(money).map(Exact::from),
        };
        let mut sums = Sums {
            trade: told(&self.trade)?,
            income: told(&self.income)?,
            fees: told(&self.fee)?,
            taxes: told(&self.tax)?,
            ..Sums::default()
        };
        sums.flow(&told(&self.flow)?);
        sums.pay();
        Some(sums)
    }
}

/// Whether a row moves units that nobody paid for.
const fn moves_units(subtype: Subtype) -> bool {
    matches!(
        subtype,
        Subtype::TransferIn
            | Subtype::TransferOut
            | Subtype::Opening
            | Subtype::Adjustment
            | Subtype::Journal
            | Subtype::Unknown
            | Subtype::SpinOff
            | Subtype::Merger
            | Subtype::SymbolChange
    )
}

/// What units that were earned were worth, in the row's currency; none: nobody says.
fn worth(event: &Event) -> Option<Exact> {
    let units = event.quantity?.abs();
    match event.price {
        Some(price) => Some(Exact::from(units).mul(&price.into()).mul(&event.multiplier.into())),
        None => {
            let gross = Exact::from(event.amount).add(&event.fee.into()).add(&event.tax.into());
            (!gross.is_zero()).then_some(gross)
        }
    }
}

/// The money of a row in the base currency.
enum ToldMoney {
    /// There is none.
    Nothing,
    /// There is no rate for it.
    LacksRate,
    Sums(Box<Sums>),
}

/// Writes down what the rows of a group do while they are played.
struct Follower<'a> {
    course: &'a mut Course,
    market: &'a Market,
    /// What there was before the row at hand of what it may move.
    before: Vec<Stock>,
    /// What was on its way at the end of the last day that was told.
    ways: Vec<Stock>,
    /// Where somebody asks for them.
    lots: Option<LotsBefore>,
}

/// The lots as they were.
#[derive(Default)]
struct LotsBefore {
    /// Before the row at hand, of what it may move: units times multiplier.
    row: BTreeMap<LotKey, (Exact, NaiveDate)>,
    /// At the end of the last day that was told.
    day: BTreeMap<LotKey, Exact>,
}

/// The lots of these places.
fn lots_of(book: &Book, stocks: &[Stock]) -> BTreeMap<LotKey, (Exact, NaiveDate)> {
    let mut found = BTreeMap::new();
    for stock in stocks {
        let Place::In(account) = stock.place else { continue };
        for (lot, multiplier) in book.lots_at(account, stock.security) {
            let units = Exact::from(lot.quantity).mul(&multiplier.into());
            let key = (account, stock.security, lot.opening, lot.piece);
            found.insert(key, (units, lot.opened));
        }
    }
    found
}

impl Follower<'_> {
    /// How much there is at the end of a day.
    fn tell_levels(&mut self, book: &Book, day: NaiveDate) {
        let stocks = book.stocks();
        let is_way = |stock: &&Stock| matches!(stock.place, Place::Between(..));
        // What has arrived is on no way any more.
        let arrived = self.ways.iter().filter(|way| {
            !stocks.iter().any(|stock| (stock.place, stock.security) == (way.place, way.security))
        });
        for way in arrived {
            self.course.level(day, &Stock { quantity: Some(Dec::ZERO), ..*way });
        }
        self.ways = stocks.iter().filter(is_way).copied().collect();
        for stock in &stocks {
            self.course.level(day, stock);
        }
        let Some(lots) = &mut self.lots else { return };
        let now = lots_of(book, &stocks);
        for key in lots.day.keys().filter(|key| !now.contains_key(key)) {
            if let Some(lot) = self.course.lots.get_mut(key) {
                lot.levels.push((day, Some(Exact::ZERO)));
            }
        }
        for (key, (units, opened)) in &now {
            if lots.day.get(key) != Some(units) {
                let lot = self.course.lot(*key, *opened);
                lot.levels.push((day, Some(units.clone())));
            }
        }
        lots.day = now.into_iter().map(|(key, (units, _))| (key, units)).collect();
    }

    /// Gives each lot its part of a row: by how much of it the row moved, or where it moved none by
    /// how much there was.
    fn tell_lots(&mut self, book: &Book, event: &Event, told: &ToldMoney) {
        let Some(lots) = &mut self.lots else { return };
        let before = std::mem::take(&mut lots.row);
        let after = lots_of(book, &book.touched_by(event));
        let units = |of: &BTreeMap<LotKey, (Exact, NaiveDate)>, key| {
            of.get(key).map_or(Exact::ZERO, |(units, _)| units.clone())
        };
        let keys: BTreeSet<LotKey> = before.keys().chain(after.keys()).copied().collect();
        let opened = |key| after.get(key).or_else(|| before.get(key)).map(|(_, opened)| *opened);
        let changes: BTreeMap<LotKey, Exact> =
            keys.iter().map(|key| (*key, units(&after, key).sub(&units(&before, key)))).collect();
        let is_own = |key: &LotKey| (key.0, key.1) == (event.account, event.security);
        let own = || changes.iter().filter(|(key, _)| is_own(key));
        let moved: Vec<_> = own().filter(|(_, change)| !change.is_zero()).collect();
        let mut weights: Vec<(LotKey, Exact)> = match moved.is_empty() {
            false => moved.into_iter().map(|(key, change)| (*key, change.abs())).collect(),
            true => own().map(|(key, _)| (*key, units(&before, key).abs())).collect(),
        };
        if weights.is_empty() {
            let holding = (event.account, event.security, OF_THE_HOLDING, 0);
            weights.push((holding, Dec::ONE.into()));
        }
        let lacks_worth = event.subtype == Subtype::Reward && worth(event).is_none();
        let lacks = match told {
            ToldMoney::LacksRate => Some(LotLack::Rate(event.currency)),
            _ => lacks_worth.then_some(LotLack::Worth),
        };
        if let Some(lack) = lacks {
            for (key, _) in &weights {
                let day = opened(key).unwrap_or(event.date);
                self.course.lot(*key, day).lacks.insert((event.date, lack));
            }
        }
        if let ToldMoney::Sums(sums) = told {
            for ((key, _), part) in weights.iter().zip(sums.cut(&weights)) {
                let day = opened(key).unwrap_or(event.date);
                self.course.lot(*key, day).rows.entry(event.date).or_default().add(&part);
            }
        }
        if !Self::watches(event) {
            return;
        }
        let to = event.to_security.filter(|to| *to != event.security);
        let becomes = changes.iter().filter(|(key, _)| Some(key.1) == to);
        let becomes = becomes.fold(Exact::ZERO, |sum, (_, change)| sum.add(change));
        for (key, change) in changes
            .iter()
            .filter(|(key, change)| !change.is_zero() && (!is_own(key) || becomes.is_zero()))
        {
            let day = opened(key).unwrap_or(event.date);
            let arrival = (event.date, key.1, change.clone());
            self.course.lot(*key, day).arrivals.push(arrival);
        }
        // What became another security goes at the value of that one.
        if let Some(to) = to.filter(|_| !becomes.is_zero()) {
            for ((key, _), part) in weights.iter().zip(cut(&becomes.neg(), &weights)) {
                let day = opened(key).unwrap_or(event.date);
                self.course.lot(*key, day).arrivals.push((event.date, to, part));
            }
        }
    }

    fn watches(event: &Event) -> bool {
        moves_units(event.subtype) || (event.subtype == Subtype::Reward && worth(event).is_none())
    }

    fn tell_money(&mut self, event: &Event) -> ToldMoney {
        let [amount, fee, tax] = [event.amount, event.fee, event.tax].map(Exact::from);
        let told = of_row(event.subtype, &Money { amount, fee, tax }, worth(event));
        let parts = [&told.trade, &told.flow, &told.income, &told.fee, &told.tax];
        if parts.iter().all(|part| part.is_zero()) {
            return ToldMoney::Nothing;
        }
        let Some(sums) = told.in_base(|money| in_base(self.market, event, money)) else {
            let lacks = (event.account, Some(event.security), event.currency, event.date);
            self.course.lacks_rates.insert(lacks);
            return ToldMoney::LacksRate;
        };
        let holding = self.course.holding(Place::In(event.account), event.security);
        holding.rows.entry(event.date).or_default().add(&sums);
        ToldMoney::Sums(Box::new(sums))
    }

    fn tell_units(&mut self, book: &Book, event: &Event) {
        let after = book.touched_by(event);
        let mut legs: Vec<Leg> = Vec::new();
        let places = |stock: &Stock| (stock.place, stock.security);
        let before = std::mem::take(&mut self.before);
        for now in after {
            let was = before.iter().find(|was| places(was) == places(&now));
            let Some(quantity) = now.quantity.zip(was.and_then(|was| was.quantity)) else {
                continue;
            };
            let change = Exact::from(quantity.0).sub(&quantity.1.into());
            // What left for good says no multiplier any more.
            let multiplier = match (quantity.0.is_zero(), was) {
                (true, Some(was)) => was.multiplier,
                _ => now.multiplier,
            };
            let units = change.mul(&multiplier.into());
            if !units.is_zero() {
                legs.push(Leg { place: now.place, security: now.security, units });
            }
        }
        let to = event.to_security.filter(|to| *to != event.security);
        let becomes = legs.iter().find(|leg| Some(leg.security) == to).cloned();
        if event.subtype == Subtype::Reward {
            self.course.lacks_worth.insert((event.account, event.security, event.date));
        }
        // A spin-off leaves the units of the old security where they are, but takes of their value.
        if let Some(new) = &becomes
            && legs.iter().all(|leg| leg.security != event.security)
        {
            let (place, security) = (new.place, event.security);
            legs.push(Leg { place, security, units: Exact::ZERO });
        }
        if !legs.is_empty() {
            self.course.moved.push(Moved { date: event.date, legs, becomes });
        }
    }
}

impl Sink for Follower<'_> {
    fn realized(&mut self, _: Realization) {}

    fn finding(&mut self, _: LotFinding) {}

    fn entering(&mut self, book: &Book, event: &Event) {
        if Self::watches(event) {
            self.before = book.touched_by(event);
        }
        if let Some(lots) = &mut self.lots {
            lots.row = lots_of(book, &book.touched_by(event));
        }
    }

    fn entered(&mut self, book: &Book, event: &Event) {
        let told = self.tell_money(event);
        if Self::watches(event) {
            self.tell_units(book, event);
        }
        self.tell_lots(book, event, &told);
    }
}

/// Nobody listens.
struct Quiet;

impl Sink for Quiet {
    fn realized(&mut self, _: Realization) {}

    fn finding(&mut self, _: LotFinding) {}
}
