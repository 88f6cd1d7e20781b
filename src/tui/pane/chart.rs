//! Prices of a security, or net worth, over time.
//!
//! ```text
//! VFV.TO · CAD · week · 1y   2024-03-08  O 152.10  H 153.20  L 151.88  C 152.90   cost 89.86
//!                                                       ⣀⡠⠤⠒⠉            153.20
//!            B         D                S
//! 2023-03-10                                                      2024-03-08
//! ```

use chrono::NaiveDate;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::accounts::PARTIAL;
use super::{Outcome, Pane, Wish, overlays};
use crate::keys::{Action, Context};
use crate::model::{AccountId, Bar, Currency, Dec, Interval, SafeText, SecurityId};
use crate::state::{
    Bars, BarsQuery, Every, Indicator, MarkKind, NetWorthQuery, Question, Slice, Slot, Snapshot,
};
use crate::text::UNKNOWN;
use crate::tui::look::{Look, Range, Selection};
use crate::tui::theme::Tone;
use crate::tui::widget::{Scale, line_chart, write, write_right};

/// Columns of the figures at the right edge.
const LABELS: u16 = 13;
/// The least number of bars one can zoom in to.
const FEWEST: usize = 10;

/// How it is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Line,
    Area,
    Candle,
}

impl Kind {
    const fn next(self) -> Self {
        match self {
            Self::Line => Self::Area,
            Self::Area => Self::Candle,
            Self::Candle => Self::Line,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Area => "area",
            Self::Candle => "candles",
        }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct Chart {
    kind: Kind,
    volume: bool,
    /// How many bars are seen; none: all.
    seen: Option<usize>,
    /// How many bars behind the newest the crosshair is; none: there is no crosshair.
    cross: Option<usize>,
    /// What is drawn beside prices.
    indicator: Option<Indicator>,
    /// As far apart as one price is times the other.
    by_ratio: bool,
}

/// What is drawn: bars, be it of prices or of net worth.
struct Series<'a> {
    name: String,
    currency: Currency,
    every: &'static str,
    bars: Vec<Option<Bar>>,
    dates: Vec<NaiveDate>,
    /// Beside each of them: something is missing in it.
    partial: Vec<bool>,
    of: Option<&'a Bars>,
}

impl Pane for Chart {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Chart]
    }

    fn refresh(&mut self, _: &Look) {}

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        let count = series(look).map_or(0, |series| series.bars.len());
        match action {
            Action::ChartKind => {
                self.kind = self.kind.next();
                return Outcome::wish(Wish::Say(format!("chart: {}", self.kind.as_str())));
            }
            Action::Volume => self.volume = !self.volume,
            Action::LogScale => {
                self.by_ratio = !self.by_ratio;
                let what = if self.by_ratio { "ratios" } else { "amounts" };
                return Outcome::wish(Wish::Say(format!("scaled by {what}")));
            }
            Action::Indicators if look.selection.security.is_none() => {
                let what = "indicators are of prices: j chooses a security";
                return Outcome::wish(Wish::Say(what.to_owned()));
            }
            Action::Indicators => {
                self.indicator = next_indicator(self.indicator);
                let what = self.indicator.map_or("none", Indicator::as_str);
                return Outcome::wish(Wish::Say(format!("indicator: {what}")));
            }
            Action::Compare => return Outcome::wish(Wish::Type("against ".to_owned())),
            Action::ZoomIn => {
                let seen = self.seen.unwrap_or(count);
                self.seen = Some((seen * 2 / 3).max(FEWEST.min(count)));
            }
            Action::ZoomOut => {
                let seen = self.seen.unwrap_or(count) * 3 / 2;
                self.seen = (seen < count).then_some(seen);
            }
            Action::CrosshairLeft => {
                let last = count.saturating_sub(1);
                self.cross = Some(self.cross.map_or(0, |at| at + 1).min(last));
            }
            Action::CrosshairRight => {
                self.cross = self.cross.and_then(|at| at.checked_sub(1));
            }
            Action::Cancel if self.cross.is_some() => self.cross = None,
            Action::NextSecurity => return self.step(look, 1),
            Action::PreviousSecurity => return self.step(look, -1),
            Action::Explain => return Outcome::wish(self.explained(look)),
            Action::RangeLonger | Action::RangeShorter => {
                self.seen = None;
                self.cross = None;
                return Outcome::Unknown;
            }
            _ => return Outcome::Unknown,
        }
        Outcome::DONE
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let Some(snapshot) = &look.snapshot else { return Vec::new() };
        let range = look.selection.range;
        match &look.selection.security {
            Some((security, _)) => {
                let query = BarsQuery {
                    security: *security,
                    from: range.start(snapshot.day),
                    to: snapshot.day,
                    today: snapshot.today,
                    every: match range {
                        Range::Five => Interval::Week,
                        Range::Max => Interval::Month,
                        _ => Interval::Day,
                    },
                };
                let beside =
                    self.indicator.map(|it| (Slot::Indicator, Question::Indicator(query, it)));
                let against = look.selection.against.clone();
                let other = against.map(|it| (Slot::Compared, Question::Compared(query, it)));
                let bars = (Slot::Chart, Question::Bars(query));
                [Some(bars), beside, other].into_iter().flatten().collect()
            }
            None => {
                let query = net_worth(snapshot, range, look.account().map(|row| row.id));
                vec![(Slot::Chart, Question::History(query))]
            }
        }
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        let [head, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let Some(series) = series(look) else {
            let (text, tone) = look.waiting(Some(Slot::Chart));
            write(buf, head, text, theme.style(tone));
            return;
        };
        let seen = self.seen.unwrap_or(series.bars.len()).min(series.bars.len());
        let skip = series.bars.len() - seen;
        let bars = series.bars.get(skip..).unwrap_or_default();
        let dates = series.dates.get(skip..).unwrap_or_default();
        let cross = self.cross.and_then(|back| seen.checked_sub(back + 1));
        draw_head(buf, head, &series, skip + cross.unwrap_or(seen.saturating_sub(1)), look);
        let over = series.of.and_then(|bars| overlays::of(self.indicator, bars, look));
        let legend = u16::from(over.is_some());
        let [note, body] =
            Layout::vertical([Constraint::Length(legend), Constraint::Fill(1)]).areas(body);
        let day = dates.get(cross.unwrap_or(seen.saturating_sub(1))).copied();
        if let Some(over) = &over {
            over.draw_legend(buf, note, day, look);
        }
        let cost = series.of.and_then(|bars| bars.cost_per_unit);
        let ends = self.ends(bars);
        let scale = ends.and_then(|(high, low)| Scale::over([high, low]));
        let scale = scale.map(|scale| if self.by_ratio { scale.by_ratio() } else { scale });
        let Some((scale, ends)) = scale.zip(ends) else {
            write(
                buf,
                body,
                "nothing is known of this range; a longer one may have something",
                theme.style(Tone::Dim),
            );
            return;
        };
        let volume = if self.volume && body.height > 12 { body.height / 5 } else { 0 };
        let panel = over.as_ref().map_or(0, |over| over.panel_lines(body.height));
        let [plot, panel, volumes, marks, axis] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(panel),
            Constraint::Length(volume),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(body);
        let inner = |area: Rect| Rect { width: area.width.saturating_sub(LABELS), ..area };
        let column = cross.and_then(|at| column_of(at, seen, inner(plot).width));
        let foot = (inner(volumes), inner(marks), axis);
        if let Some(over) = over.as_ref().filter(|over| over.is_comparison()) {
            over.draw(buf, inner(plot), plot, dates, scale, look);
            Self::draw_foot(buf, foot, bars, dates, &series, look);
            draw_crosshair(buf, plot, volumes.bottom(), column, look);
            return;
        }
        if let Some(at) = cost.and_then(|cost| scale.line_of(cost, usize::from(plot.height))) {
            let line = Rect { y: plot.y + lines(at), height: 1, ..inner(plot) };
            let dashes = "┄".repeat(usize::from(line.width));
            write(buf, line, &dashes, theme.style(Tone::Second));
        }
        match self.kind {
            Kind::Candle => candles(buf, inner(plot), bars, scale, look),
            kind => {
                let points: Vec<Option<Dec>> =
                    bars.iter().map(|bar| bar.as_ref().map(|bar| bar.close)).collect();
                let style = theme.style(Tone::Line);
                line_chart(buf, inner(plot), &points, scale, kind == Kind::Area, style);
            }
        }
        labels(buf, plot, ends, &series, look);
        if let Some(over) = &over {
            over.draw(buf, inner(plot), plot, dates, scale, look);
            over.draw_panel(buf, inner(panel), panel, dates, look);
        }
        Self::draw_foot(buf, foot, bars, dates, &series, look);
        draw_crosshair(buf, plot, volumes.bottom(), column, look);
    }

    fn status(&self, look: &Look) -> String {
        let beside = self.indicator.map(|it| format!("   {}", it.as_str())).unwrap_or_default();
        let scale = if self.by_ratio { "   log" } else { "" };
        format!("{}{beside}{scale}   {}", self.kind.as_str(), look.selection.range.as_str())
    }

    /// The figure at the crosshair, or the newest.
    fn texts(&self, _: bool, look: &Look) -> Option<Vec<String>> {
        let Some(series) = series(look) else { return Some(Vec::new()) };
        let back = self.cross.unwrap_or(0);
        let bar = series.bars.iter().rev().nth(back).and_then(Option::as_ref);
        let text = bar.map(|bar| match series.of {
            Some(_) => look.figures.price(Some(bar.close), series.currency),
            None => look.figures.money(bar.close, series.currency),
        });
        Some(text.into_iter().map(SafeText::into_string).collect())
    }
}

impl Chart {
    /// Draws what stands beneath the prices: volumes, marks, the first day and the last.
    fn draw_foot(
        buf: &mut Buffer,
        (volumes, marks, axis): (Rect, Rect, Rect),
        bars: &[Option<Bar>],
        dates: &[NaiveDate],
        series: &Series<'_>,
        look: &Look,
    ) {
        let style = look.theme.style(Tone::Dim);
        if volumes.height > 0 {
            draw_volumes(buf, volumes, bars, look);
        }
        if let Some(bars) = series.of {
            draw_marks(buf, marks, bars, dates, look);
        }
        if let (Some(first), Some(last)) = (dates.first(), dates.last()) {
            write(buf, axis, &first.to_string(), style);
            let right = Rect { width: axis.width.saturating_sub(LABELS), ..axis };
            write_right(buf, right, &last.to_string(), style);
        }
    }

    /// The highest and the lowest figure that is drawn of these.
    fn ends(&self, bars: &[Option<Bar>]) -> Option<(Dec, Dec)> {
        let of_bar = |bar: &Bar| match self.kind {
            Kind::Candle => [Some(bar.close), bar.open, bar.high, bar.low],
            Kind::Line | Kind::Area => [Some(bar.close), None, None, None],
        };
        let figures = || bars.iter().flatten().flat_map(of_bar).flatten();
        figures().max().zip(figures().min())
    }

    /// How the figure in the first line came about.
    fn explained(&self, look: &Look) -> Wish {
        let day = series(look)
            .and_then(|series| series.dates.iter().rev().nth(self.cross.unwrap_or(0)).copied());
        match (look.answered(Slot::Chart), day) {
            (Some(Question::History(query)), Some(day)) => {
                let query = NetWorthQuery { from: None, to: day, every: None, ..*query };
                Wish::Explain(Box::new(Question::ExplainNetWorth(query)))
            }
            (Some(Question::Bars(_)), Some(_)) => {
                Wish::Say("a price is as its source says: there is nothing to explain".to_owned())
            }
            _ => Wish::Say("there is no figure here to explain".to_owned()),
        }
    }

    /// The next thing to draw: net worth, then each security by its place in the holdings.
    fn step(&mut self, look: &Look, by: isize) -> Outcome {
        self.seen = None;
        self.cross = None;
        let Some(snapshot) = &look.snapshot else { return Outcome::DONE };
        let mut all: Vec<Option<(SecurityId, SafeText)>> = vec![None];
        for row in &snapshot.holdings.rows {
            let this = Some((row.security_id, row.symbol.clone()));
            if !all.contains(&this) {
                all.push(this);
            }
        }
        let now = all.iter().position(|other| *other == look.selection.security).unwrap_or(0);
        let next = now.checked_add_signed(by).and_then(|at| all.get(at));
        match next {
            Some(security) => {
                let selection = Selection { security: security.clone(), ..look.selection.clone() };
                Outcome::wish(Wish::Select(selection))
            }
            None => Outcome::DONE,
        }
    }
}

/// The indicator behind one, and none behind the last.
fn next_indicator(now: Option<Indicator>) -> Option<Indicator> {
    let Some(now) = now else { return Indicator::ALL.first().copied() };
    let at = Indicator::ALL.iter().position(|one| *one == now)?;
    Indicator::ALL.get(at + 1).copied()
}

/// Draws the crosshair where nothing else is.
fn draw_crosshair(buf: &mut Buffer, plot: Rect, bottom: u16, column: Option<u16>, look: &Look) {
    let Some(x) = column else { return };
    for y in plot.y..bottom {
        if let Some(cell) = buf.cell_mut((plot.x + x, y)).filter(|cell| cell.symbol() == " ") {
            cell.set_char('│').set_style(look.theme.style(Tone::Dim));
        }
    }
}

/// Draws what is seen, and its figures at one of the bars.
fn draw_head(buf: &mut Buffer, area: Rect, series: &Series<'_>, at: usize, look: &Look) {
    let theme = look.theme;
    let price = |value| look.figures.price(value, series.currency);
    let rest = |x: u16| Rect {
        x: area.x + x.min(area.width),
        width: area.width.saturating_sub(x),
        ..area
    };
    let name = format!("{} · {} · {}", series.name, series.currency, series.every);
    let mut x = write(buf, area, &name, theme.style(Tone::Title)) + 3;
    let bar = series.bars.get(at).and_then(Option::as_ref);
    let date = series.dates.get(at).map(NaiveDate::to_string).unwrap_or_default();
    let figures = match bar {
        Some(Bar { open: None, high: None, low: None, close, .. }) if series.of.is_some() => {
            format!("{date}  {}", price(Some(*close)))
        }
        Some(bar) if series.of.is_some() => format!(
            "{date}  O {}  H {}  L {}  C {}",
            price(bar.open),
            price(bar.high),
            price(bar.low),
            price(Some(bar.close))
        ),
        Some(bar) => format!("{date}  {}", look.figures.money(bar.close, series.currency)),
        None => format!("{date}  {UNKNOWN}"),
    };
    x += write(buf, rest(x), &figures, theme.style(Tone::Plain)) + 3;
    if series.partial.get(at).is_some_and(|partial| *partial) {
        x += write(buf, rest(x), PARTIAL, theme.style(Tone::Warn)) + 3;
    }
    if let Some(bars) = series.of {
        if let Some(cost) = bars.cost_per_unit {
            let cost = cost.round_to(series.currency.minor_units() + 2);
            let text = format!("cost {} ┄", price(Some(cost)));
            x += write(buf, rest(x), &text, theme.style(Tone::Second)) + 3;
        }
        let source = bars.told.last().map_or("", |told| told.source.as_str());
        write(buf, rest(x), source, theme.style(Tone::Dim));
    }
}

/// The question of the line of net worth.
pub fn net_worth(snapshot: &Snapshot, range: Range, account: Option<AccountId>) -> NetWorthQuery {
    NetWorthQuery {
        from: range.start(snapshot.day),
        to: snapshot.day,
        today: snapshot.today,
        account,
        currency: None,
        every: Some(match range {
            Range::Month | Range::Quarter => Every::Day,
            Range::Half | Range::ToDate | Range::Year => Every::Week,
            Range::Five | Range::Max => Every::Month,
        }),
    }
}

/// What there is to draw; none: it is not read yet. It is told of what was answered: what is
/// selected now may be asked for still.
fn series(look: &Look) -> Option<Series<'_>> {
    match (look.answered(Slot::Chart)?, look.answer(Slot::Chart)?) {
        (Question::Bars(query), Slice::Bars(bars)) => Some(Series {
            name: bars.symbol.to_string(),
            currency: bars.currency,
            every: match query.every {
                Interval::Month => "months",
                Interval::Week => "weeks",
                _ => "days",
            },
            bars: bars.rows.iter().cloned().map(Some).collect(),
            dates: bars.rows.iter().map(|bar| bar.date).collect(),
            partial: vec![false; bars.rows.len()],
            of: Some(bars),
        }),
        (Question::History(query), Slice::History(report)) => {
            let accounts = look.snapshot.iter().flat_map(|snapshot| &snapshot.accounts.rows);
            let mut named = accounts.filter(|row| Some(row.id) == query.account);
            let bar = |date, value: Option<Dec>| {
                let none = None;
                value.map(|close| Bar {
                    date,
                    open: none,
                    high: none,
                    low: none,
                    close,
                    volume: none,
                })
            };
            Some(Series {
                name: named.next().map_or("Net worth", |row| row.name.as_str()).to_owned(),
                currency: report.currency,
                every: match query.every {
                    Some(Every::Month) => "months",
                    Some(Every::Week) => "weeks",
                    _ => "days",
                },
                bars: report.rows.iter().map(|row| bar(row.date, row.net_worth)).collect(),
                dates: report.rows.iter().map(|row| row.date).collect(),
                partial: report.rows.iter().map(|row| !row.missing.is_empty()).collect(),
                of: None,
            })
        }
        _ => None,
    }
}

fn lines(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// The column of one of so many bars.
fn column_of(at: usize, bars: usize, width: u16) -> Option<u16> {
    let last = usize::from(width).checked_sub(1)?;
    u16::try_from(at * last / bars.saturating_sub(1).max(1)).ok()
}

/// Bars that share a column become one. Without an open there is a stroke at the close, without high
/// and low no more than what is between open and close.
fn candles(buf: &mut Buffer, area: Rect, bars: &[Option<Bar>], scale: Scale, look: &Look) {
    let mut by_column: Vec<Vec<&Bar>> = vec![Vec::new(); usize::from(area.width)];
    for (at, bar) in bars.iter().enumerate() {
        let column = column_of(at, bars.len(), area.width).map(usize::from);
        if let (Some(bar), Some(column)) = (bar, column.and_then(|at| by_column.get_mut(at))) {
            column.push(bar);
        }
    }
    let height = usize::from(area.height);
    for (bars, x) in by_column.iter().zip(0..) {
        let (Some(first), Some(last)) = (bars.first(), bars.last()) else { continue };
        // Of one bar alone without an open nobody knows whether it rose.
        let open = first.open.or_else(|| (bars.len() > 1).then_some(first.close));
        let ends = || bars.iter().flat_map(|bar| [Some(bar.close), bar.open, bar.high, bar.low]);
        let (Some(high), Some(low)) = (ends().flatten().max(), ends().flatten().min()) else {
            continue;
        };
        let tone = match open {
            None => Tone::Plain,
            Some(open) if last.close < open => Tone::Down,
            Some(_) => Tone::Up,
        };
        let style = look.theme.style(tone);
        let place = |value| scale.line_of(value, height);
        let (Some(top), Some(bottom)) = (place(high), place(low)) else { continue };
        let (Some(a), Some(b)) = (place(open.unwrap_or(last.close)), place(last.close)) else {
            continue;
        };
        for y in top..=bottom {
            let body = (a.min(b)..=a.max(b)).contains(&y);
            if let Some(cell) = buf.cell_mut((area.x + x, area.y + lines(y))) {
                // What fell is hollow, so that it is told without colours too.
                let sign = match (body, tone) {
                    (true, Tone::Down) => '░',
                    (true, Tone::Plain) => '─',
                    (true, _) => '█',
                    (false, _) => '│',
                };
                cell.set_char(sign).set_style(style);
            }
        }
    }
}

/// Draws the ends of the scale beside them.
fn labels(buf: &mut Buffer, plot: Rect, (high, low): (Dec, Dec), series: &Series<'_>, look: &Look) {
    let place = |y: u16| Rect { y, height: 1, ..plot };
    let text = |value| match series.of {
        Some(_) => look.figures.price(Some(value), series.currency),
        None => look.figures.money(value, series.currency),
    };
    let style = look.theme.style(Tone::Dim);
    write_right(buf, place(plot.y), text(high).as_str(), style);
    if plot.height > 1 && high != low {
        write_right(buf, place(plot.bottom() - 1), text(low).as_str(), style);
    }
}

fn draw_volumes(buf: &mut Buffer, area: Rect, bars: &[Option<Bar>], look: &Look) {
    let volumes = || bars.iter().flatten().filter_map(|bar| bar.volume);
    let Some(scale) = Scale::over(volumes().chain([Dec::ZERO])) else { return };
    let height = usize::from(area.height);
    let style = look.theme.style(Tone::Dim);
    for (at, bar) in bars.iter().enumerate() {
        let volume = bar.as_ref().and_then(|bar| bar.volume).filter(|volume| !volume.is_zero());
        let top = volume.and_then(|volume| scale.line_of(volume, height));
        let (Some(top), Some(x)) = (top, column_of(at, bars.len(), area.width)) else { continue };
        for y in top..height {
            if let Some(cell) = buf.cell_mut((area.x + x, area.y + lines(y))) {
                cell.set_char('▇').set_style(style);
            }
        }
    }
}

fn draw_marks(buf: &mut Buffer, area: Rect, bars: &Bars, dates: &[NaiveDate], look: &Look) {
    for mark in &bars.marks {
        let after = dates.partition_point(|date| *date <= mark.date);
        let Some(x) = after.checked_sub(1).and_then(|at| column_of(at, dates.len(), area.width))
        else {
            continue;
        };
        let (sign, tone) = match mark.kind {
            MarkKind::Buy => ('B', Tone::Up),
            MarkKind::Sell => ('S', Tone::Down),
            MarkKind::Dividend => ('D', Tone::Second),
            MarkKind::Split => ('/', Tone::Warn),
        };
        if let Some(cell) = buf.cell_mut((area.x + x, area.y)) {
            // A trade is more than what it pays.
            if cell.symbol() == " " || cell.symbol() == "D" {
                cell.set_char(sign).set_style(look.theme.style(tone));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_scale_are_those_of_what_is_drawn() {
        let bar = |low: i64, close: i64, high: i64| {
            let [low, close, high] = [low, close, high].map(Dec::from_i64);
            let date = NaiveDate::default();
            Some(Bar { date, open: None, high: Some(high), low: Some(low), close, volume: None })
        };
        let bars = [bar(2, 3, 9), None, bar(1, 4, 5)];
        let ends = |kind| {
            let chart = Chart { kind, ..Chart::default() };
            chart.ends(&bars).map(|(high, low)| (high.to_string(), low.to_string()))
        };
        assert_eq!(ends(Kind::Line), Some(("4".to_owned(), "3".to_owned())));
        assert_eq!(ends(Kind::Candle), Some(("9".to_owned(), "1".to_owned())));
        assert_eq!(Chart::default().ends(&[None]), None);
    }
}
