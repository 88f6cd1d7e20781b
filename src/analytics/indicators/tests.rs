//! The indicators against their definitions, written a second time and as plainly as they are said.

use proptest::prelude::*;

use super::*;

/// Bars as they come: high, low, close, volume.
#[derive(Clone, Debug, Default)]
struct Bars {
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

/// Cents and shares, so that the columns are prices and no noise of floats.
fn bars() -> impl Strategy<Value = Bars> {
    let bar = (1_000_u32..100_000, 0_u32..500, 0_u32..500, 0_u32..5_000);
    prop::collection::vec(bar, 0..90).prop_map(|rows| {
        let mut bars = Bars::default();
        for (close, up, down, volume) in rows {
            bars.close.push(f64::from(close) / 100.0);
            bars.high.push(f64::from(close + up) / 100.0);
            bars.low.push(f64::from(close - down) / 100.0);
            bars.volume.push(f64::from(volume));
        }
        bars
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// One value for each window of `n` that is full.
fn rolling(values: &[f64], n: usize, of: impl Fn(&[f64]) -> f64) -> Line {
    (1..=values.len()).map(|end| Some(of(&values[end.checked_sub(n)?..end]))).collect()
}

/// The first value is the mean of the first `n`; each later one is `step` of it and the new value.
fn seeded(values: &[f64], n: usize, step: impl Fn(f64, f64) -> f64) -> Line {
    let mut last = None;
    let value = |(at, value): (usize, &f64)| {
        last = match last {
            _ if at + 1 < n => None,
            None => Some(mean(&values[..n])),
            Some(before) => Some(step(before, *value)),
        };
        last
    };
    values.iter().enumerate().map(value).collect()
}

fn plain_ema(values: &[f64], n: usize) -> Line {
    let alpha = 2.0 / (n as f64 + 1.0);
    seeded(values, n, |before, value| before + alpha * (value - before))
}

fn wilder(values: &[f64], n: usize) -> Line {
    seeded(values, n, |before, value| (before * (n as f64 - 1.0) + value) / n as f64)
}

/// None for the first bars, then a line of what comes after them.
fn after(bars: usize, line: Line, length: usize) -> Line {
    let mut shifted = vec![None; bars.min(length)];
    shifted.extend(line);
    shifted.truncate(length);
    shifted
}

fn plain_rsi(closes: &[f64], n: usize) -> Line {
    let changes: Vec<_> = closes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let gains: Vec<_> = changes.iter().map(|change| change.max(0.0)).collect();
    let losses: Vec<_> = changes.iter().map(|change| (-change).max(0.0)).collect();
    let strength = |(gain, loss): (Option<f64>, Option<f64>)| {
        let (gain, loss) = (gain?, loss?);
        Some(if gain + loss > 0.0 { 100.0 * gain / (gain + loss) } else { 0.0 })
    };
    let line = wilder(&gains, n).into_iter().zip(wilder(&losses, n)).map(strength).collect();
    after(1, line, closes.len())
}

fn plain_atr(bars: &Bars, n: usize) -> Line {
    let range = |at: usize| {
        let (high, low, before) = (bars.high[at], bars.low[at], bars.close[at - 1]);
        (high - low).max((high - before).abs()).max((low - before).abs())
    };
    let ranges: Vec<_> = (1..bars.close.len()).map(range).collect();
    after(1, wilder(&ranges, n), bars.close.len())
}

/// The slow average begins first; the fast one is seeded so that both begin on the same bar.
fn plain_macd(closes: &[f64], fast: usize, slow: usize, signal: usize) -> [Line; 3] {
    let skipped = (slow - fast).min(closes.len());
    let quick = after(skipped, plain_ema(&closes[skipped..], fast), closes.len());
    let both = quick.into_iter().zip(plain_ema(closes, slow));
    let macd: Vec<_> = both.filter_map(|(quick, slow)| Some(quick? - slow?)).collect();
    let average = plain_ema(&macd, signal);
    let row = |(macd, average): (&f64, &Option<f64>)| average.map(|it| [*macd, it, macd - it]);
    let rows: Vec<_> = macd.iter().zip(&average).map(row).collect();
    let line = |of: usize| {
        let line = rows.iter().map(|row| row.map(|row| row[of])).collect();
        after(slow - 1, line, closes.len())
    };
    [line(0), line(1), line(2)]
}

fn plain_bollinger(closes: &[f64], n: usize, k: f64) -> [Line; 3] {
    let deviation = |window: &[f64]| {
        let middle = mean(window);
        let squares: Vec<_> = window.iter().map(|value| (value - middle).powi(2)).collect();
        mean(&squares).sqrt()
    };
    let band = |k: f64| rolling(closes, n, move |window| mean(window) + k * deviation(window));
    [band(k), rolling(closes, n, mean), band(-k)]
}

fn plain_obv(bars: &Bars) -> Line {
    let mut sum = 0.0;
    let value = |at: usize| {
        let before = at.checked_sub(1).map_or(f64::MIN, |before| bars.close[before]);
        if bars.close[at] > before {
            sum += bars.volume[at];
        } else if bars.close[at] < before {
            sum -= bars.volume[at];
        }
        Some(sum)
    };
    (0..bars.close.len()).map(value).collect()
}

fn plain_vwap(bars: &Bars) -> Line {
    let typical = |at: usize| (bars.high[at] + bars.low[at] + bars.close[at]) / 3.0;
    let through = |end: usize| {
        let volume: f64 = bars.volume[..=end].iter().sum();
        let money: f64 = (0..=end).map(|at| typical(at) * bars.volume[at]).sum();
        (volume > 0.0).then(|| money / volume)
    };
    (0..bars.close.len()).map(through).collect()
}

/// Absent where the definition is, and equal to 1e-9 relative; a difference of prices relative to
/// the prices, since its own digits are lost where it is near zero.
fn same(found: &Line, right: &Line, scale: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), right.len());
    for (at, (found, right)) in found.iter().zip(right).enumerate() {
        match (found, right) {
            (None, None) => {}
            (Some(found), Some(right)) => {
                let off = (found - right).abs();
                prop_assert!(
                    off <= 1e-9 * right.abs().max(scale),
                    "bar {}: {} should be {}",
                    at,
                    found,
                    right
                );
            }
            _ => prop_assert!(false, "bar {at}: {found:?} should be {right:?}"),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn averages_are_what_they_are_defined_as(bars in bars(), n in 2_usize..30) {
        same(&sma(&bars.close, n), &rolling(&bars.close, n, mean), 0.0)?;
        same(&ema(&bars.close, n), &plain_ema(&bars.close, n), 0.0)?;
        same(&rsi(&bars.close, n), &plain_rsi(&bars.close, n), 1.0)?;
        same(&atr(&bars.high, &bars.low, &bars.close, n), &plain_atr(&bars, n), 1.0)?;
    }

    #[test]
    fn bands_and_macd_are_what_they_are_defined_as(bars in bars()) {
        let Macd { macd: line, signal, histogram } = macd(&bars.close, 12, 26, 9);
        let right = plain_macd(&bars.close, 12, 26, 9);
        for (found, right) in [line, signal, histogram].iter().zip(&right) {
            same(found, right, 1_000.0)?;
        }
        let Bollinger { upper, middle, lower } = bollinger(&bars.close, 20, 2.0);
        let right = plain_bollinger(&bars.close, 20, 2.0);
        for (found, right) in [upper, middle, lower].iter().zip(&right) {
            same(found, right, 1_000.0)?;
        }
    }

    #[test]
    fn volumes_are_what_they_are_defined_as(bars in bars()) {
        let Bars { high, low, close, volume } = &bars;
        same(&obv(close, volume), &plain_obv(&bars), 0.0)?;
        same(&vwap(high, low, close, volume), &plain_vwap(&bars), 0.0)?;
    }
}

#[test]
fn figures_that_can_be_followed_with_a_pencil() {
    let closes = [1.0, 2.0, 3.0, 4.0, 8.0];
    assert_eq!(sma(&closes, 3), [None, None, Some(2.0), Some(3.0), Some(5.0)]);
    // Alpha is a half: 2, then (2 + 4) / 2, then (3 + 8) / 2.
    assert_eq!(ema(&closes, 3), [None, None, Some(2.0), Some(3.0), Some(5.5)]);
    // Three up and one down of the same size.
    assert_eq!(rsi(&[1.0, 2.0, 3.0, 4.0, 3.0], 4)[4], Some(75.0));
    assert_eq!(
        obv(&[2.0, 3.0, 3.0, 1.0], &[10.0, 5.0, 7.0, 4.0]),
        [10.0, 15.0, 15.0, 11.0].map(Some)
    );
    let prices = [1.0, 2.0, 4.0];
    let line = vwap(&prices, &prices, &prices, &[0.0, 1.0, 3.0]);
    assert_eq!(line, [None, Some(2.0), Some(3.5)]);
}

#[test]
fn there_is_nothing_before_there_is_enough() {
    assert_eq!(sma(&[], 3), []);
    assert_eq!(sma(&[1.0, 2.0], 3), [None, None]);
    assert_eq!(rsi(&[1.0; 14], 14), [None; 14]);
    assert_eq!(macd(&[1.0; 33], 12, 26, 9).macd, [None; 33]);
    assert_eq!(macd(&[1.0; 34], 12, 26, 9).signal[33], Some(0.0));
    // What no definition has, and columns that do not fit together.
    assert_eq!(sma(&[1.0, 2.0], 0), [None, None]);
    assert_eq!(sma(&[1.0, 2.0], usize::MAX), [None, None]);
    assert_eq!(obv(&[1.0, 2.0], &[1.0]), [None, None]);
}
