//! Everything of one security: what it is and was called, who prices it, how it was split, its lots
//! in all accounts, and its prices day by day.
//!
//! ```text
//! VFV.TO · Vanguard S&P 500
//! Class     etf                      Prices  1. file, 2018-01-02 to 2026-11-20, 2240 days
//! ISIN      CA92205Y1051             Splits  2022-08-31 2:1
//! Lot of      Account   Quantity   Each      Cost     Unrealized
//! Day         Open    High     Low   Close   Volume
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::figure::gain;
use super::holdings::{cost_of_one, term};
use super::list::List;
use super::table::{Line, lends};
use super::{Outcome, Pane, PaneId, Wish};
use crate::keys::{Action, Context};
use crate::model::{Bar, Change, Interval, PriceSubject, PriceToDelete, SafeText, SecurityId};
use crate::state::{
    Bars, BarsQuery, LotRow, PositionsQuery, Question, SecurityDetail, SecurityQuery, Slice, Slot,
};
use crate::tui::errand::Errand;
use crate::tui::form::Subject;
use crate::tui::look::Look;
use crate::tui::theme::Tone;
use crate::tui::widget::{Align, Cell, Column, Grid, Row, write};

const LOTS: [Column; 6] = [
    Column { title: "Lot of", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "Account", align: Align::Left, priority: 2, width: (8, 24) },
    Column { title: "Quantity", align: Align::Point, priority: 0, width: (4, 0) },
    Column { title: "Each", align: Align::Point, priority: 4, width: (4, 0) },
    Column { title: "Cost", align: Align::Point, priority: 3, width: (4, 0) },
    Column { title: "Unrealized", align: Align::Point, priority: 1, width: (6, 0) },
];

const PRICES: [Column; 6] = [
    Column { title: "Day", align: Align::Left, priority: 0, width: (10, 10) },
    Column { title: "Open", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "High", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "Low", align: Align::Point, priority: 2, width: (4, 0) },
    Column { title: "Close", align: Align::Point, priority: 0, width: (4, 0) },
    Column { title: "Volume", align: Align::Point, priority: 3, width: (4, 0) },
];

/// The column of the figure that matters most.
const MAIN: usize = 4;
/// Columns of a name before what it is.
const NAME: u16 = 10;
/// What stands where somebody could say something.
const UNSAID: &str = "nobody said";

/// The pane.
#[derive(Debug, Default)]
pub struct SecurityPane {
    list: List<chrono::NaiveDate>,
}

/// The places of its parts.
struct Parts {
    head: Rect,
    facts: Rect,
    lots: Rect,
    prices: Rect,
}

impl SecurityPane {
    /// Which one: the selected one, or else the first that is held.
    fn subject(look: &Look) -> Option<(SecurityId, SafeText)> {
        let held = || {
            let row = look.snapshot.as_ref()?.holdings.rows.first()?;
            Some((row.security_id, row.symbol.clone()))
        };
        look.selection.security.clone().or_else(held)
    }

    /// Where its parts are: prices have what the others leave, and at least a third.
    fn parts(look: &Look, area: Rect) -> Parts {
        let facts = detail(look).map_or(0, |detail| {
            let (left, right) = (profile(detail).len(), around(detail, look).len());
            u16::try_from(left.max(right)).unwrap_or(u16::MAX)
        });
        let lots = u16::try_from(lots(look).len()).unwrap_or(u16::MAX).saturating_add(1);
        let third = area.height / 3;
        let [head, facts, _, lots, _, prices] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(facts.min(third)),
            Constraint::Length(1),
            Constraint::Length(lots.clamp(2, third.max(2))),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(area);
        Parts { head, facts, lots, prices }
    }
}

impl Pane for SecurityPane {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Security, Context::List]
    }

    fn refresh(&mut self, look: &Look) {
        let Some(bars) = bars(look) else { return };
        let line = |bar: &Bar| Line::of(bar.date, day(bar, bars, look));
        // The newest first.
        let lines = bars.rows.iter().rev().map(line).collect();
        let room = self.lines(look);
        self.list.lay_out(&PRICES, lines, None, |_| room);
    }

    lends!(PRICES);

    fn lines(&self, look: &Look) -> u16 {
        Self::parts(look, place(look)).prices.height
    }

    fn top(&self, look: &Look) -> u16 {
        Self::parts(look, place(look)).prices.y
    }

    fn act(&mut self, action: Action, look: &Look) -> Outcome {
        if self.list.act(action, self.lines(look)) {
            return Outcome::DONE;
        }
        match action {
            Action::Open | Action::In => Outcome::wish(Wish::Go(PaneId::Chart)),
            Action::Out => Outcome::wish(Wish::Go(PaneId::Holdings)),
            Action::Add | Action::SetPrice => {
                let id = Self::subject(look).map(|(id, _)| id);
                Outcome::wish(Wish::Form(Subject::Price(id)))
            }
            Action::Edit => match Self::subject(look) {
                Some((id, symbol)) => Outcome::wish(Wish::Form(Subject::Security(id, symbol))),
                None => Outcome::wish(Wish::Say("no security is selected".to_owned())),
            },
            Action::SourceSymbol => match Self::subject(look) {
                Some((id, symbol)) => Outcome::wish(Wish::Form(Subject::Called(id, symbol))),
                None => Outcome::wish(Wish::Say("no security is selected".to_owned())),
            },
            Action::Delete => match (self.list.key(), detail(look)) {
                (Some(day), Some(detail)) => {
                    let subject = PriceSubject::Security(detail.security.mention());
                    let what = format!("took the price of {day} away");
                    let (date, source, currency) = (*day, None, None);
                    let meant = PriceToDelete { subject, date, source, currency };
                    let change = Change::DeletePrice(meant);
                    Outcome::wish(Wish::Begin(Errand::change(what, vec![change])))
                }
                _ => Outcome::wish(Wish::Say("there is no price here to take away".to_owned())),
            },
            Action::Explain => match (Self::subject(look), &look.snapshot) {
                (Some((_, symbol)), Some(snapshot)) => {
                    let question = Question::ExplainHolding(positions(snapshot), symbol);
                    Outcome::wish(Wish::Explain(Box::new(question)))
                }
                _ => Outcome::wish(Wish::Say("there is no figure here to explain".to_owned())),
            },
            _ => Outcome::Unknown,
        }
    }

    fn questions(&self, look: &Look) -> Vec<(Slot, Question)> {
        let (Some(snapshot), Some((security, _))) = (&look.snapshot, Self::subject(look)) else {
            return Vec::new();
        };
        let (to, today) = (snapshot.day, snapshot.today);
        let from = look.selection.range.start(to);
        let bars = BarsQuery { security, from, to, today, every: Interval::Day };
        vec![
            (Slot::Security, Question::Security(SecurityQuery { security, to, today })),
            (Slot::Lots, Question::LotsOf(positions(snapshot), security)),
            (Slot::Prices, Question::Bars(bars)),
        ]
    }

    fn draw(&self, buf: &mut Buffer, area: Rect, look: &Look) {
        let theme = look.theme;
        if Self::subject(look).is_none() && look.snapshot.is_some() {
            let text = "no security is held; Enter on a row of a ledger or a holding selects one";
            write(buf, area, text, theme.style(Tone::Dim));
            return;
        }
        let Some(detail) = detail(look) else {
            let (text, tone) = look.waiting(Some(Slot::Security));
            write(buf, area, text, theme.style(tone));
            return;
        };
        let parts = Self::parts(look, area);
        let security = &detail.security;
        let name = security.name.as_ref().map_or(UNSAID, SafeText::as_str);
        let title = format!("{} · {name} · {}", security.symbol, security.currency);
        write(buf, parts.head, &title, theme.style(Tone::Title));
        let [left, _, right] =
            Layout::horizontal([Constraint::Fill(2), Constraint::Length(2), Constraint::Fill(3)])
                .areas(parts.facts);
        draw_words(buf, left, &profile(detail), look);
        draw_words(buf, right, &around(detail, look), look);
        let rows: Vec<Row> = lots(look).iter().map(|it| lot(it, look)).collect();
        if rows.is_empty() {
            write(buf, parts.lots, "no account holds it", theme.style(Tone::Dim));
        } else {
            Grid::new(&LOTS, rows, None).draw_start(buf, parts.lots, theme);
        }
        let nothing = "no price is known of this range; a longer one may have some";
        match bars(look) {
            Some(_) => self.list.draw(buf, parts.prices, look, nothing),
            None => {
                let (text, tone) = look.waiting(Some(Slot::Prices));
                write(buf, parts.prices, text, theme.style(tone));
            }
        }
    }

    fn status(&self, look: &Look) -> String {
        let days = bars(look).map_or(0, |bars| bars.rows.len());
        format!("{days} prices   {}", look.selection.range.as_str())
    }
}

/// Its place, counted from its own corner.
const fn place(look: &Look) -> Rect {
    Rect::new(0, 0, look.size.0, look.size.1)
}

fn positions(snapshot: &crate::state::Snapshot) -> PositionsQuery {
    PositionsQuery {
        as_of: snapshot.day,
        today: snapshot.today,
        account: None,
        currency: None,
        method: None,
        closed: false,
    }
}

fn detail(look: &Look) -> Option<&SecurityDetail> {
    match look.answer(Slot::Security) {
        Some(Slice::Security(detail)) => Some(detail),
        _ => None,
    }
}

fn bars(look: &Look) -> Option<&Bars> {
    match look.answer(Slot::Prices) {
        Some(Slice::Bars(bars)) => Some(bars),
        _ => None,
    }
}

fn lots(look: &Look) -> &[LotRow] {
    match look.answer(Slot::Lots) {
        Some(Slice::Lots(report)) => &report.rows,
        _ => &[],
    }
}

/// What it is.
fn profile(detail: &SecurityDetail) -> Vec<(&'static str, String)> {
    let it = &detail.security;
    let said = |text: Option<String>| text.unwrap_or_else(|| UNSAID.to_owned());
    let safe = |text: &Option<SafeText>| text.as_ref().map(SafeText::to_string);
    let mut facts = vec![
        ("Class", said(it.class.map(|class| class.to_string()))),
        ("Sector", said(safe(&it.sector))),
        ("Region", said(safe(&it.region))),
    ];
    let tags = it.tags.as_ref().map(ToString::to_string);
    let isin = it.isin.as_ref().map(ToString::to_string);
    let known = [
        ("Tags", tags),
        ("Venue", safe(&it.venue)),
        ("ISIN", isin),
        ("CUSIP", safe(&it.cusip)),
        ("FIGI", safe(&it.figi)),
    ];
    facts.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
    facts
}

/// What is said of it: by whom it is called what and priced, its splits, and what needs a look.
fn around(detail: &SecurityDetail, look: &Look) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut list = |name: &'static str, lines: Vec<String>| {
        for (at, line) in lines.into_iter().enumerate() {
            facts.push((if at == 0 { name } else { "" }, line));
        }
    };
    let sources = detail.sources.iter().zip(1..).map(|(span, nth)| {
        let restated = if span.split_adjusted { ", restated for splits" } else { "" };
        format!(
            "{nth}. {}, {} to {}, {} days{restated}",
            span.source, span.first, span.last, span.days
        )
    });
    let sources: Vec<_> = sources.collect();
    list("Prices", if sources.is_empty() { vec!["nobody".to_owned()] } else { sources });
    let symbols = detail.symbols.iter().map(|row| {
        let until = row.until.map(|day| format!(" until {day}")).unwrap_or_default();
        match row.source.as_str() {
            "" => format!("{}{until}", row.symbol),
            source => format!("{} by {source}{until}", row.symbol),
        }
    });
    list("Called", symbols.collect());
    let splits = detail.splits.iter().map(|(day, ratio)| format!("{day} {ratio}"));
    list("Splits", splits.collect());
    let mut notes = Vec::new();
    if detail.security.derived {
        notes.push("its currency follows from its rows and prices".to_owned());
    }
    if bars(look).is_some_and(|bars| bars.restated) {
        notes.push("prices from before a split count units of today".to_owned());
    }
    let found = look.snapshot.iter().flat_map(|snapshot| snapshot.findings.iter());
    let found = found.flat_map(|found| found.iter());
    let mine = found.filter(|row| row.symbol.as_ref() == Some(&detail.security.symbol));
    notes.extend(mine.map(|row| look.figures.wording(&row.detail).into_string()));
    list("Notes", notes);
    facts
}

/// Words with their names before them; where there are more than lines, it says so.
fn draw_words(buf: &mut Buffer, area: Rect, words: &[(&'static str, String)], look: &Look) {
    let room = usize::from(area.height);
    let shown = if words.len() > room { room.saturating_sub(1) } else { words.len() };
    let mut line = |at: u16, name: &str, text: &str, tone| {
        let place = Rect { y: area.y + at, height: 1, ..area };
        write(buf, place, name, look.theme.style(Tone::Dim));
        let x = NAME.min(place.width);
        let rest = Rect { x: place.x + x, width: place.width - x, ..place };
        write(buf, rest, text, look.theme.style(tone));
    };
    for ((name, text), at) in words.iter().take(shown).zip(0..area.height) {
        let tone = if text == UNSAID { Tone::Dim } else { Tone::Plain };
        line(at, name, text, tone);
    }
    if shown < words.len() && area.height > 0 {
        line(area.height - 1, "", &format!("and {} more", words.len() - shown), Tone::Dim);
    }
}

fn lot(lot: &LotRow, look: &Look) -> Row {
    let figures = look.figures;
    let account = lot.account.as_ref().map_or("in transit", SafeText::as_str);
    Row::of(vec![
        Cell::plain(lot.opened.to_string()),
        Cell::plain(format!("{account}, {}", term(lot))),
        Cell::plain(figures.quantity(Some(lot.quantity)).into_string()),
        Cell::new(cost_of_one(lot, figures), Tone::Dim),
        Cell::plain(figures.money_or_unknown(lot.cost, lot.currency).into_string()),
        gain(lot.unrealized, lot.currency, figures),
    ])
}

fn day(bar: &Bar, bars: &Bars, look: &Look) -> Row {
    let figures = look.figures;
    // A source that tells only the close says nothing of the rest of the day.
    let price = |value: Option<_>| match value {
        Some(_) => Cell::plain(figures.price(value, bars.currency).into_string()).of(value),
        None => Cell::default(),
    };
    Row::of(vec![
        Cell::plain(bar.date.to_string()),
        price(bar.open),
        price(bar.high),
        price(bar.low),
        price(Some(bar.close)),
        Cell::new(figures.quantity(bar.volume).into_string(), Tone::Dim).of(bar.volume),
    ])
}
