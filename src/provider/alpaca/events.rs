//! Activities, put together into the events that they are parts of: a split is two rows, a merger up to
//! three, the use of a right and what was traded for it two. Pure. A part whose others are missing is
//! held back and told, for nobody knows what it is alone.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::super::{Error, RemoteRow, Trouble};
use super::rows::{self, Fact};
use super::symbols::{Symbols, What};
use crate::model::{Currency, Dec, Entry, Exact, Ratio, SafeText, Subtype};

/// The parts of an event are written down within this time.
const TOGETHER: TimeDelta = TimeDelta::days(1);
/// Whatever is missing for so long does not come any more.
const LATE: TimeDelta = TimeDelta::days(10);

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
        Some(match (fact.kind.as_str(), fact.sub.as_str()) {
            ("SPLIT" | "SSP", sub) if sub != "USPLIT" => Self::Split,
            ("SPIN" | "SSO", _) => Self::SpinOff,
            ("MA" | "REO", _) => Self::Merger,
            ("VOF", _) if fact.quantity.is_some() || fact.group.is_some() => Self::Merger,
            ("NC" | "SC", _) => Self::NewName,
            _ => return None,
        })
    }

    /// What tells the parts of one event from those of another.
    fn key(self, fact: &Fact) -> (Self, String) {
        let symbol = || fact.named.as_ref().map(|it| it.mention.to_string()).unwrap_or_default();
        let group = fact.group.as_ref().map(ToString::to_string);
        let key = match self {
            Self::Split => format!("{} {}", fact.date, symbol()),
            Self::NewName => group.unwrap_or_else(|| {
                let many = fact.quantity.map(|it| it.abs().to_string()).unwrap_or_default();
                format!("{} {many}", fact.date)
            }),
            Self::SpinOff | Self::Merger => {
                group.unwrap_or_else(|| format!("{} {}", fact.date, fact.kind))
            }
        };
        (self, key)
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
                all.take(&fact, entries, wrong);
            }
        }
    }
    for ((event, _), mut parts) in events {
        parts.sort_by(|one, other| one.id.cmp(&other.id));
        match whole(event, &parts) {
            Some((entry, wrong)) => {
                let Some(first) = parts.first() else { continue };
                all.take(first, vec![entry], wrong);
            }
            None => parts.iter().for_each(|part| all.hold_back(part, since, now)),
        }
    }
    all
}

impl AllRows {
    fn tell(&mut self, what: &SafeText, why: &str, hides_rows: bool) {
        let error = Error::Unavailable(SafeText::new(why));
        self.troubles.push(Trouble { what: what.clone(), error, hides_rows });
    }

    /// Takes rows; where one of them cannot be stored, what happened to the cash is all that is kept.
    fn take(&mut self, fact: &Fact, entries: Vec<Entry>, wrong: Option<String>) {
        let refused = entries.iter().find_map(|entry| entry.clone().check().err());
        let (entries, wrong) = match refused {
            None => (entries, wrong),
            Some(refusal) => fact.unknown(&refusal.to_string()),
        };
        if let Some(why) = wrong {
            self.tell(&fact.id, &why, false);
        }
        let at = fact.moment();
        self.rows.extend(entries.into_iter().map(|row| RemoteRow { at, row }));
    }

    /// What a part alone is, is not known; what it did to the cash is.
    fn hold_back(&mut self, part: &Fact, since: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        // At the edge of what is told again the other part was told before.
        let is_edge = |(since, created): (DateTime<Utc>, DateTime<Utc>)| created - since < TOGETHER;
        if since.zip(part.created).is_some_and(is_edge) {
            return;
        }
        let may_come = now.date_naive() - part.date < LATE;
        self.hides_rows |= may_come;
        let what = part.what();
        let why = format!("{what}: the other parts of it are missing, so it is held back");
        self.tell(&part.id, &why, may_come);
        if !part.net.is_zero() {
            let row = part.cash(Subtype::Unknown);
            self.rows.push(RemoteRow { at: part.moment(), row });
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

/// The row that an event is; none: parts of it are missing, or there are too many.
fn whole(event: Event, parts: &[Fact]) -> Option<(Entry, Option<String>)> {
    match event {
        Event::Split => Some((split(parts)?, None)),
        Event::SpinOff => spin_off(parts),
        Event::Merger => Some((merger(parts)?, None)),
        Event::NewName => Some((new_name(parts)?, None)),
    }
}

/// What goes and what comes, where it is one of each.
fn two(parts: &[Fact]) -> Option<(&Fact, &Fact)> {
    let [one, other] = parts else { return None };
    match (one.quantity?.is_negative(), other.quantity?.is_negative()) {
        (true, false) => Some((one, other)),
        (false, true) => Some((other, one)),
        _ => None,
    }
}

fn split(parts: &[Fact]) -> Option<Entry> {
    let (gone, come) = two(parts)?;
    let (gone_units, come_units) = (gone.quantity?.abs(), come.quantity?.abs());
    let (least, most) = (gone_units.min(come_units), gone_units.max(come_units));
    // Of what is owed the signs are the other way round; its name says which way it went.
    let (new, old) = match gone.sub.as_str() {
        "FSPLIT" => (most, least),
        "RSPLIT" => (least, most),
        _ => (come_units, gone_units),
    };
    let ratio = Some(Ratio::new(new, old)?);
    let first = parts.first()?;
    let row = first.units(Subtype::Split, Dec::ZERO);
    Some(Entry { quantity: None, multiplier: None, ratio, ..row })
}

fn spin_off(parts: &[Fact]) -> Option<(Entry, Option<String>)> {
    let symbol = |fact: &Fact| fact.named.as_ref().map(|it| it.mention.clone());
    let gone: Vec<_> =
        parts.iter().filter(|it| it.quantity.is_some_and(Dec::is_negative)).collect();
    let come: Vec<_> =
        parts.iter().filter(|it| it.quantity.is_some_and(Dec::is_positive)).collect();
    let (borne, source) = match (gone.as_slice(), come.as_slice()) {
        // Of what it was, is not told.
        ([], [borne]) => {
            let why = "what it was spun off from is not told; it came in without a cost";
            let row = borne.units(Subtype::TransferIn, Dec::ZERO);
            let row = Entry { id: parts.first().map(|it| it.id.clone()), ..row };
            return Some((row, Some(why.to_owned())));
        }
        ([old], [one, other]) if symbol(old) == symbol(one) => (*other, (*old, *one)),
        ([old], [one, other]) if symbol(old) == symbol(other) => (*one, (*old, *other)),
        _ => return None,
    };
    let cost = |fact: &Fact| Some(Exact::from(fact.quantity?.abs()).mul(&Exact::from(fact.price?)));
    // The part of the cost that went with it.
    let share = cost(source.0).zip(cost(source.1)).and_then(|(before, after)| {
        let moved = before.sub(&after).div_round(&before.round(28).ok()?.into(), 12).ok()?;
        (!moved.is_negative() && moved <= Dec::ONE).then_some(moved)
    });
    let row = borne.units(Subtype::SpinOff, Dec::ZERO);
    Some((
        Entry {
            id: parts.first().map(|it| it.id.clone()),
            to_symbol: row.symbol.clone(),
            symbol: symbol(source.0),
            cost_share: share,
            ..row
        },
        None,
    ))
}

/// Shares become others, or cash, or both.
fn merger(parts: &[Fact]) -> Option<Entry> {
    let units: Vec<_> = parts.iter().filter(|it| it.quantity.is_some()).cloned().collect();
    let cash = parts.iter().fold(Exact::ZERO, |sum, it| sum.add(&Exact::from(it.net)));
    let cash = cash.round(28).ok()?;
    let id = parts.first().map(|it| it.id.clone());
    if let [gone] = units.as_slice() {
        let is_sale = gone.quantity?.is_negative() && cash.is_positive();
        return is_sale.then(|| Entry { id, ..gone.units(Subtype::Sell, cash) });
    }
    let (gone, come) = two(&units)?;
    let row = come.units(Subtype::Merger, cash);
    let symbol = gone.named.as_ref().map(|it| it.mention.clone());
    Some(Entry { id, to_symbol: row.symbol.clone(), symbol, ..row })
}

fn new_name(parts: &[Fact]) -> Option<Entry> {
    let (gone, come) = two(parts)?;
    let (old, new) = (gone.named.as_ref()?, come.named.as_ref()?);
    let first = parts.first()?;
    // Only its number in the books of others changed.
    if old.mention == new.mention {
        let row = first.cash(Subtype::Journal);
        return Some(Entry { symbol: Some(old.mention.clone()), ..row });
    }
    let row = first.cash(Subtype::SymbolChange);
    let (symbol, to_symbol) = (Some(old.mention.clone()), Some(new.mention.clone()));
    Some(Entry { symbol, to_symbol, ..row })
}
