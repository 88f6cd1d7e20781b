//! The cash of an account: as it is told, with what is kept over night counted once. Which of its
//! figures have that in them differs from account to account; what the holdings leave tells which.

use super::super::field::number;
use super::wire::{Current, Position};
use crate::model::{AssetClass, Currency, Dec, Exact, Standing};

/// Prices move between the figures of one answer: they may be apart by so many hundredths of what is
/// held.
const APART: i64 = 2;
const HUNDRED: i64 = 100;

/// Positions that count as cash.
#[derive(Default)]
pub(super) struct CashLike {
    value: Option<Dec>,
}

impl CashLike {
    /// Takes a position in, if it is one.
    pub fn note(&mut self, position: &Position) {
        let is_sweep =
            position.instrument.as_ref().is_some_and(|it| it.is_cash() && !it.is_money());
        let value = number(position.market_value.as_ref()).filter(|_| is_sweep);
        self.value = match (self.value, value) {
            (Some(sum), Some(value)) => sum.checked_add(value),
            (sum, value) => sum.or(value),
        };
    }
}

/// What is told of the cash; none: nothing is.
///
/// # Errors
/// When no reading of it fits what the account comes to, with both figures.
pub(super) fn stated(
    current: Option<&Current>,
    swept: &CashLike,
    standing: &Standing,
) -> Result<Option<Dec>, String> {
    let Some(current) = current else { return Ok(None) };
    let Some(cash) = number(current.cash_balance.as_ref()) else { return Ok(None) };
    // One that is held as a fund is no cash.
    let is_held = standing
        .holdings
        .iter()
        .flatten()
        .any(|held| held.class == Some(AssetClass::CashEquivalent));
    let elsewhere = || number(current.money_market_fund.as_ref()).filter(|_| !is_held);
    let sweep = swept.value.or_else(elsewhere);
    let debit = number(current.margin_balance.as_ref());
    let [sweep, debit] = [sweep, debit].map(|part| Exact::from(part.unwrap_or(Dec::ZERO)));
    let plain = Exact::from(cash);
    let with_sweep = plain.add(&sweep);
    let with_debit = [with_sweep.add(&debit), plain.add(&debit)];
    let readings = [with_sweep.clone(), plain].into_iter().chain(with_debit);
    // What is left without the holdings; nobody knows where the worth of one of them is not told.
    let Some(left) = standing.cash(Currency::USD) else { return Ok(with_sweep.round(28).ok()) };
    let left = Exact::from(left);
    let apart = |reading: &Exact| reading.sub(&left).abs();
    let best = readings.min_by(|one, other| apart(one).sub(&apart(other)).sign());
    let Some(best) = best else { return Ok(None) };
    let held = standing.holdings.iter().flatten().filter_map(|it| it.value);
    let held = held.fold(Exact::ZERO, |sum, value| sum.add(&Exact::from(value.abs())));
    let far = apart(&best).mul(&Exact::from(Dec::from_i64(HUNDRED)));
    let near = held.mul(&Exact::from(Dec::from_i64(APART)));
    if near.sub(&far).sign().is_lt() {
        let shown = |value: &Exact| value.round(2).map(|it| it.to_string()).unwrap_or_default();
        return Err(format!(
            "its cash is told as {} USD, and without its holdings {} USD are left of it; that is taken",
            shown(&with_sweep),
            shown(&left)
        ));
    }
    Ok(best.round(28).ok())
}
