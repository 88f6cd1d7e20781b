//! Indicators of a chart, as `ta-lib` computes them: one value for each bar, none before there is
//! enough data, never zero in its place. They are statistics, so that they are floats; no money is
//! computed here. It is the only file that knows the crate.

use std::array;

use ta_lib::{Core, MAType, OutRange, RetCode};

/// One value for each bar; none: there is not enough data before it.
pub type Line = Vec<Option<f64>>;

/// The three lines of MACD.
#[derive(Clone, Debug, PartialEq)]
pub struct Macd {
    /// The fast average less the slow one.
    pub macd: Line,
    /// The average of that.
    pub signal: Line,
    /// The one less the other.
    pub histogram: Line,
}

/// The three lines of Bollinger bands.
#[derive(Clone, Debug, PartialEq)]
pub struct Bollinger {
    /// The average and so many deviations.
    pub upper: Line,
    /// The average.
    pub middle: Line,
    /// The average less so many deviations.
    pub lower: Line,
}

/// The simple average of the last `n` values.
#[must_use]
pub fn sma(values: &[f64], n: usize) -> Line {
    let [line] = lines(values.len(), |core, last, [out]| core.sma(0, last, values, period(n), out));
    line
}

/// The exponential average with alpha 2 / (n + 1), which begins with the simple one of the first `n`.
#[must_use]
pub fn ema(values: &[f64], n: usize) -> Line {
    let [line] = lines(values.len(), |core, last, [out]| core.ema(0, last, values, period(n), out));
    line
}

/// Wilder's relative strength of the last `n` changes, from 0 to 100.
#[must_use]
pub fn rsi(closes: &[f64], n: usize) -> Line {
    let [line] = lines(closes.len(), |core, last, [out]| core.rsi(0, last, closes, period(n), out));
    line
}

/// The exponential average of `fast` values less that of `slow`, and the average of `signal` of
/// those; usually 12, 26 and 9. The lines begin together, where the last of them does.
#[must_use]
pub fn macd(closes: &[f64], fast: usize, slow: usize, signal: usize) -> Macd {
    let (fast, slow, average) = (period(fast), period(slow), period(signal));
    let [macd, signal, histogram] = lines(closes.len(), |core, last, [macd, signal, histogram]| {
        core.macd(0, last, closes, fast, slow, average, macd, signal, histogram)
    });
    Macd { macd, signal, histogram }
}

/// The simple average of `n` values and so many population deviations around it; usually 20 and 2.
#[must_use]
pub fn bollinger(closes: &[f64], n: usize, deviations: f64) -> Bollinger {
    let [upper, middle, lower] = lines(closes.len(), |core, last, [upper, middle, lower]| {
        let kind = MAType::SMA;
        let n = period(n);
        core.bbands(0, last, closes, n, deviations, deviations, kind, upper, middle, lower)
    });
    Bollinger { upper, middle, lower }
}

/// Wilder's average of the true range of `n` bars.
#[must_use]
pub fn atr(highs: &[f64], lows: &[f64], closes: &[f64], n: usize) -> Line {
    let [line] = lines(closes.len(), |core, last, [out]| {
        core.atr(0, last, highs, lows, closes, period(n), out)
    });
    line
}

/// On-balance volume: that of the first bar, and from then on that of each day added where the
/// close rose and taken away where it fell.
#[must_use]
pub fn obv(closes: &[f64], volumes: &[f64]) -> Line {
    let [line] = lines(closes.len(), |core, last, [out]| core.obv(0, last, closes, volumes, out));
    line
}

/// The average of the typical prices since the first bar, by volume; none while nothing was traded.
#[must_use]
pub fn vwap(highs: &[f64], lows: &[f64], closes: &[f64], volumes: &[f64]) -> Line {
    let [mut line] = lines(closes.len(), |core, last, [out]| {
        core.vwap(0, last, highs, lows, closes, volumes, out)
    });
    let untraded = volumes.iter().take_while(|volume| **volume <= 0.0).count();
    line.iter_mut().take(untraded).for_each(|value| *value = None);
    line
}

/// Longer than any series is as good as longer still.
fn period(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Has `N` lines of so many bars computed. A period that no definition has, or columns of different
/// lengths, leave them empty.
fn lines<const N: usize>(
    bars: usize,
    compute: impl FnOnce(&Core, usize, [&mut [f64]; N]) -> Result<OutRange, RetCode>,
) -> [Line; N] {
    let Some(last) = bars.checked_sub(1) else { return array::from_fn(|_| Line::new()) };
    let mut out: [Vec<f64>; N] = array::from_fn(|_| vec![0.0; bars]);
    let done = compute(&Core::new(), last, out.each_mut().map(Vec::as_mut_slice));
    let (first, count) = done.map_or((bars, 0), |range| (range.beg_idx, range.count));
    out.map(|values| {
        let known = values.into_iter().take(count).map(Some);
        let mut line: Line = std::iter::repeat_n(None, first.min(bars)).chain(known).collect();
        line.resize(bars, None);
        line
    })
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "so many bars are few")]
mod tests;
