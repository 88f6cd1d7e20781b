//! Activities, put together into the events that they are parts of: a split is two rows, a merger up to
//! three, the use of a right and what was traded for it two. Pure. A part whose others are missing is
//! held back and told, for nobody knows what it is alone.

mod whole;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::super::{Error, RemoteRow, Trouble};
use super::rows::{self, Fact};
use super::symbols::{Symbols, What};
use crate::model::{Currency, Dec, Entry, Exact, SafeText, Subtype};
use whole::{Order, whole};

/// The parts of an event are written down within this time.
const TOGETHER: TimeDelta = TimeDelta::days(1);
/// Whatever is missing for so long does not come any more.
const LATE: TimeDelta = TimeDelta::days(10);

const UNCLEAR: &str =
    "when it was written down is not told; if it was not told before, it is missing";

/// What the activities come to.
#[derive(Default)]
pub(super) struct AllRows {
    pub rows: Vec<RemoteRow>,
    pub troubles: Vec<Trouble>,
    /// Something may be among those that could not be read.
    pub hides_rows: bool,
}

/// What parts there are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Split,
    SpinOff,
    Merger,
    NewName,
}

impl Event {
    fn of(fact: &Fact) -> Option<Self> {
        if fact.broken.is_some() {
            return None;
        }
        Some(match (fact.kind.as_str(), fact.sub.as_str()) {
            ("SPLIT" | "SSP", sub) if sub != "USPLIT" => Self::Split,
            ("SPIN" | "SSO", _) => Self::SpinOff,
            ("MA" | "REO", _) => Self::Merger,
            ("NC" | "SC", _) => Self::NewName,
            _ => return None,
        })
    }

    /// What tells the parts of one event from those of another. It does not change when parts come
    /// later, so what they come to is stored under it.
    fn key(self, fact: &Fact) -> (Self, String) {
        let symbol = || symbol_of(fact);
        let group = fact.group.as_ref().map(ToString::to_string);
        let key = match self {
            Self::Split => format!("{} {}", fact.date, symbol()),
            Self::NewName => group.unwrap_or_else(|| {
                let many = fact.quantity.map(|it| it.abs().to_string()).unwrap_or_default();
                format!("{} {many}", fact.date)
            }),
            Self::SpinOff | Self::Merger => {
                group.unwrap_or_else(|| format!("{} {}", fact.date, fact.what()))
            }
        };
        (self, key)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::SpinOff => "spin-off",
            Self::Merger => "merger",
            Self::NewName => "new name",
        }
    }
}

fn symbol_of(fact: &Fact) -> String {
    fact.named.as_ref().map(|it| it.mention.to_string()).unwrap_or_default()
}

/// When it is, and since when there may be something new.
#[derive(Clone, Copy)]
struct Span {
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

/// Whether all parts of an event are told again.
enum Edge {
    Clear,
    /// It was told before, and others of its parts may be told no more.
    Passed,
    /// So it may be: when its parts were written down is not told.
    Unclear,
}

impl Span {
    fn edge(self, parts: &[Fact]) -> Edge {
        let Some(since) = self.since else { return Edge::Clear };
        let is_near = |at: DateTime<Utc>| at - since < TOGETHER;
        if parts.iter().any(|part| part.created.is_some_and(is_near)) {
            return Edge::Passed;
        }
        // Nothing is written down before its day.
        match parts.iter().any(|part| part.created.is_none() && is_near(part.day_begins())) {
            true => Edge::Unclear,
            false => Edge::Clear,
        }
    }

    fn may_come(self, part: &Fact) -> bool {
        self.now.date_naive() - part.date < LATE
    }
}

/// Reads what was told since an instant; none: all there is.
pub(super) fn read(
    told: &[Box<RawValue>],
    account: &SafeText,
    currency: Currency,
    symbols: &Symbols,
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> AllRows {
    let mut all = AllRows::default();
    let mut facts = Vec::with_capacity(told.len());
    for raw in told {
        match rows::fact(raw, account, currency, symbols) {
            Ok(fact) => facts.push(fact),
            Err(why) => {
                all.hides_rows = true;
                all.tell(account, &why, true);
            }
        }
    }
    keep_apart(&mut facts);
    let order = Order::of(&facts, symbols);
    let links = links_of_rights(&facts);
    let mut events: BTreeMap<_, Vec<Fact>> = BTreeMap::new();
    for fact in facts {
        if let Some(why) = &fact.wrong {
            all.tell(account, &format!("{}: {why}", fact.id), false);
        }
        match Event::of(&fact) {
            Some(event) => events.entry(event.key(&fact)).or_default().push(fact),
            None => {
                let (mut entries, wrong) = fact.rows();
                for entry in &mut entries {
                    let link = links.get(&fact.id).or(fact.group.as_ref());
                    entry.link = entry.link.take().or_else(|| link.cloned());
                }
                all.take(&fact, fact.moment(), entries, wrong);
            }
        }
    }
    let span = Span { since, now };
    for ((event, key), parts) in events {
        let id = format!("{} {key}", event.word());
        match span.edge(&parts) {
            Edge::Passed => continue,
            Edge::Unclear => {
                all.tell(&SafeText::capped(&id, SafeText::MAX_ID), UNCLEAR, false);
                continue;
            }
            Edge::Clear => {}
        }
        for (nth, parts) in several(event, parts, &order, span).into_iter().enumerate() {
            let symbol = parts.first().filter(|_| nth > 0).map(symbol_of).unwrap_or_default();
            all.take_event(event, format!("{id} {symbol}").trim_end(), parts, &order, span);
        }
    }
    all
}

/// Without a word on which belong together, those of one day are one event. Where they never became
/// one, and each symbol makes one by itself, they are several. The first has the name of all.
fn several(event: Event, parts: Vec<Fact>, order: &Order<'_>, span: Span) -> Vec<Vec<Fact>> {
    let is_one = parts.iter().any(|part| part.group.is_some() || span.may_come(part));
    if is_one || !matches!(event, Event::SpinOff | Event::Merger) {
        return vec![parts];
    }
    let mut by_symbol: BTreeMap<_, Vec<Fact>> = BTreeMap::new();
    for part in &parts {
        by_symbol.entry(symbol_of(part)).or_default().push(part.clone());
    }
    let are_many = whole(event, &parts, order).is_err()
        && by_symbol.values().all(|parts| whole(event, parts, order).is_ok());
    if are_many { by_symbol.into_values().collect() } else { vec![parts] }
}

impl AllRows {
    fn tell(&mut self, what: &SafeText, why: &str, hides_rows: bool) {
        let error = Error::Unavailable(SafeText::new(why));
        self.troubles.push(Trouble { what: what.clone(), error, hides_rows });
    }

    /// Takes rows; where one of them cannot be stored, what happened to the cash is all that is kept.
    fn take(&mut self, fact: &Fact, at: DateTime<Utc>, entries: Vec<Entry>, wrong: Option<String>) {
        let refused = entries.iter().find_map(|entry| entry.clone().check().err());
        let refused = refused.map(|refusal| refusal.to_string()).or_else(|| {
            let why = "it moves cash that such a thing does not";
            (!fact.comes_to(&entries)).then(|| why.to_owned())
        });
        let (entries, wrong) = match refused {
            None => (entries, wrong),
            Some(why) => fact.unknown(&why),
        };
        if let Some(why) = wrong {
            self.tell(&fact.id, &why, false);
        }
        self.rows.extend(entries.into_iter().map(|row| RemoteRow { at, row }));
    }

    /// Takes what the parts of an event come to. It happens before all that is done on its day.
    fn take_event(
        &mut self,
        event: Event,
        id: &str,
        mut parts: Vec<Fact>,
        order: &Order<'_>,
        span: Span,
    ) {
        parts.sort_by(|one, other| one.id.cmp(&other.id));
        let id = SafeText::capped(id, SafeText::MAX_ID);
        for part in &mut parts {
            part.id = id.clone();
        }
        let Some(first) = parts.first() else { return };
        let cash = parts.iter().fold(Exact::ZERO, |sum, it| sum.add(&Exact::from(it.net)));
        let Ok(net) = cash.round(28) else {
            return self.tell(&id, "its figures have too many digits", true);
        };
        let mut all = first.clone();
        all.net = net;
        let at = all.day_begins();
        match whole(event, &parts, order) {
            Ok((entry, wrong)) => self.take(&all, at, vec![entry], wrong),
            // What it is, is not known; what it did to the cash is.
            Err(why) => {
                let may_come = parts.iter().any(|part| span.may_come(part));
                self.hides_rows |= may_come;
                let why = format!("{}: {why}, so it is held back", all.what());
                self.tell(&id, &why, may_come);
                let row = (!net.is_zero()).then(|| all.cash(Subtype::Unknown));
                self.rows.extend(row.map(|row| RemoteRow { at, row }));
            }
        }
    }
}

/// Two rows of one event may have one id: all but one of them get another, whichever comes first.
fn keep_apart(facts: &mut [Fact]) {
    let mut by_id: HashMap<SafeText, Vec<usize>> = HashMap::new();
    for (at, fact) in facts.iter().enumerate() {
        by_id.entry(fact.id.clone()).or_default().push(at);
    }
    for mut twins in by_id.into_values().filter(|twins| twins.len() > 1) {
        let order = |at: &usize| facts.get(*at).map(other_name);
        twins.sort_by_key(order);
        for at in twins.into_iter().skip(1) {
            if let Some(fact) = facts.get_mut(at) {
                let id = format!("{}#{}", fact.id, other_name(fact));
                fact.id = SafeText::capped(&id, SafeText::MAX_ID);
            }
        }
    }
}

fn other_name(fact: &Fact) -> String {
    let symbol = fact.named.as_ref().map(|it| it.mention.symbol.to_string()).unwrap_or_default();
    // The two of a split have one type and one symbol.
    let side = if fact.quantity.is_some_and(Dec::is_negative) { "-" } else { "" };
    format!("{}#{symbol}{side}", fact.kind)
}

/// What joins the use of a right and the trade that it leads to: a group, else the day, what it is on
/// and the strike.
fn links_of_rights(facts: &[Fact]) -> HashMap<SafeText, SafeText> {
    let is_use = |fact: &&Fact| matches!(fact.kind.as_str(), "OPEXC" | "OPXRC" | "OPASN");
    let mut uses: Vec<_> = facts.iter().filter(is_use).collect();
    let mut links = HashMap::new();
    for trade in facts.iter().filter(|fact| matches!(fact.kind.as_str(), "OPTRD" | "OPCSH")) {
        let fits = |right: &&Fact| match (&trade.group, &right.group) {
            (Some(one), Some(other)) => one == other,
            _ => leads_to(right, trade),
        };
        if let Some(at) = uses.iter().position(fits) {
            let right = uses.remove(at);
            links.insert(trade.id.clone(), right.id.clone());
            links.insert(right.id.clone(), right.id.clone());
        }
    }
    links
}

fn leads_to(right: &Fact, trade: &Fact) -> bool {
    let What::Right { on, strike } = right.named.as_ref().map_or(&What::Share, |it| &it.what)
    else {
        return false;
    };
    let symbol = trade.named.as_ref().map(|it| it.mention.symbol.as_str());
    // The price of one sample is wrong; what was paid for how many is not.
    let paid = trade.quantity.map(|many| Exact::from(many).mul(&Exact::from(*strike)));
    let fits = paid.is_none_or(|paid| paid.add(&Exact::from(trade.net)).is_zero());
    right.date == trade.date && symbol == Some(on) && fits
}
