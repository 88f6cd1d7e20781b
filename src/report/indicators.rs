//! Lines over and beneath the prices of a chart: averages and the like, and how another security did
//! since the same day. Statistics, so that they are floats on the way; nobody's money is in them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Bars, BarsQuery, Result, bars, named, ratio};
use crate::analytics::indicators::{bollinger, ema, macd, rsi, sma};
use crate::model::{Dec, Exact, SafeText};
use crate::store::Tx;

/// What is drawn beside the prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indicator {
    /// Simple averages of 20 and 50 bars.
    Sma,
    /// Exponential averages of 12 and 26 bars.
    Ema,
    /// The average of 20 bars and two deviations around it.
    Bollinger,
    /// Wilder's relative strength of 14 bars.
    Rsi,
    /// The difference of the averages of 12 and 26 bars, and the average of 9 of it.
    Macd,
}

impl Indicator {
    /// In the order in which a key takes them.
    pub const ALL: [Self; 5] = [Self::Sma, Self::Ema, Self::Bollinger, Self::Rsi, Self::Macd];

    /// What people call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sma => "SMA",
            Self::Ema => "EMA",
            Self::Bollinger => "Bollinger",
            Self::Rsi => "RSI",
            Self::Macd => "MACD",
        }
    }

    /// It is measured as the prices are, so that it is drawn among them.
    #[must_use]
    pub const fn is_a_price(self) -> bool {
        matches!(self, Self::Sma | Self::Ema | Self::Bollinger)
    }
}

/// The lines of an indicator, with a value for each of some days, the last of which is the chart's.
#[derive(Clone, Debug)]
pub struct IndicatorLines {
    /// Which.
    pub indicator: Indicator,
    /// Each with its name; none where there is not enough before.
    pub lines: Vec<(&'static str, BTreeMap<NaiveDate, Dec>)>,
}

/// Two securities from their first common day on, which both begin with 100.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What the other one is called.
    pub symbol: SafeText,
    /// The one that the chart is of.
    pub one: BTreeMap<NaiveDate, Dec>,
    /// The other one, each in its own currency.
    pub other: BTreeMap<NaiveDate, Dec>,
}

/// The lines of an indicator on the days of a chart; what came before them counts.
///
/// # Errors
/// When the store cannot be read.
pub async fn indicator(
    tx: &mut Tx,
    query: &BarsQuery,
    indicator: Indicator,
) -> Result<IndicatorLines> {
    let all = bars(tx, &BarsQuery { from: None, ..*query }).await?;
    let from = query.from.unwrap_or(NaiveDate::MIN);
    let lines = lines_of(indicator, &closes(&all)).into_iter().map(|(name, line)| {
        let days = all.rows.iter().zip(line).filter(|(bar, _)| bar.date >= from);
        let known = days.filter_map(|(bar, value)| Some((bar.date, ratio(value?)?)));
        (name, known.collect())
    });
    Ok(IndicatorLines { indicator, lines: lines.collect() })
}

/// A line with its name and a value for each bar.
type Named = (&'static str, Vec<Option<f64>>);

fn lines_of(indicator: Indicator, closes: &[f64]) -> Vec<Named> {
    match indicator {
        Indicator::Sma => vec![("SMA 20", sma(closes, 20)), ("SMA 50", sma(closes, 50))],
        Indicator::Ema => vec![("EMA 12", ema(closes, 12)), ("EMA 26", ema(closes, 26))],
        Indicator::Bollinger => {
            let bands = bollinger(closes, 20, 2.0);
            vec![("upper", bands.upper), ("middle", bands.middle), ("lower", bands.lower)]
        }
        Indicator::Rsi => vec![("RSI 14", rsi(closes, 14))],
        Indicator::Macd => {
            let lines = macd(closes, 12, 26, 9);
            vec![("MACD", lines.macd), ("signal", lines.signal)]
        }
    }
}

fn closes(bars: &Bars) -> Vec<f64> {
    let close = |close: Dec| close.to_string().parse().unwrap_or(f64::NAN);
    bars.rows.iter().map(|bar| close(bar.close)).collect()
}

/// How two securities did since the same day; none: nobody knows which the other one is, or they
/// have no day in common.
///
/// # Errors
/// When the store cannot be read.
pub async fn compared(
    tx: &mut Tx,
    query: &BarsQuery,
    other: &SafeText,
) -> Result<Option<Compared>> {
    let Some(security) = named(tx, other.as_str()).await? else { return Ok(None) };
    let one = bars(tx, query).await?;
    let other = bars(tx, &BarsQuery { security, ..*query }).await?;
    let common = one
        .rows
        .iter()
        .map(|bar| bar.date)
        .find(|day| other.rows.iter().any(|bar| bar.date == *day));
    let Some(since) = common else { return Ok(None) };
    let (mine, its) = (since_then(&one, since), since_then(&other, since));
    Ok(Some(Compared { symbol: other.symbol, one: mine, other: its }))
}

/// Each close as so many hundredths of that of a day.
fn since_then(bars: &Bars, since: NaiveDate) -> BTreeMap<NaiveDate, Dec> {
    let first = bars.rows.iter().find(|bar| bar.date == since).map(|bar| Exact::from(bar.close));
    let hundred = Exact::from(Dec::from_i64(100));
    let part = |close: Dec| Exact::from(close).mul(&hundred).div_round(first.as_ref()?, 10).ok();
    let known = bars.rows.iter().filter(|bar| bar.date >= since);
    known.filter_map(|bar| Some((bar.date, part(bar.close)?))).collect()
}
