//! The canonical dump: what a store says, line by line, in one fixed form. Two stores of equal
//! content give equal dumps, and two dumps are easy to compare. Nobody reads it back.
//!
//! It leaves out what says where something came from and not what it is: ids, batches, sequence
//! numbers, origins, and the minor unit that a figure was once quoted in.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::io;

use chrono::{DateTime, SecondsFormat};

use super::Writer;
use crate::model::{
    AlertOf, AlertTerms, Dec, Draft, Interval, Item, Mention, NewAccount, Price, Rate, SafeText,
    SecurityWords, Tags, WatchTerms,
};

/// The parts of the dump, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Accounts,
    Securities,
    Categories,
    Settings,
    Balances,
    Transactions,
    Prices,
    Rates,
    Watchlist,
    Alerts,
    Targets,
}

impl Part {
    const fn of(item: &Item) -> Self {
        match item {
            Item::Account { .. } => Self::Accounts,
            Item::Security(_) => Self::Securities,
            Item::Category { .. } => Self::Categories,
            Item::Setting(..) => Self::Settings,
            Item::Balance { .. } => Self::Balances,
            Item::Transaction(_) => Self::Transactions,
            Item::Price(..) => Self::Prices,
            Item::Rate(_) => Self::Rates,
            Item::Watch(..) => Self::Watchlist,
            Item::Alert(..) => Self::Alerts,
            Item::Target { .. } => Self::Targets,
        }
    }

    /// Too many to be kept: they are written as they come.
    const fn is_long(self) -> bool {
        matches!(self, Self::Transactions | Self::Prices | Self::Rates)
    }
}

/// Writes the dump. Transactions, prices and rates must come in this order and each in theirs;
/// what stands before them in the dump must come before them, the rest at any time and in any
/// order, since it is sorted here.
#[derive(Debug)]
pub struct CanonicalWriter<W, F> {
    out: W,
    /// Whether more than one transaction has this link: alone it links nothing.
    is_shared: F,
    /// The links in the order of their first rows.
    ranks: HashMap<SafeText, usize>,
    /// Lines of the short parts, until their turn comes.
    waiting: Vec<(Part, String)>,
    /// The last part of which something was written.
    last: Part,
}

impl<W: io::Write, F: Fn(&SafeText) -> bool> CanonicalWriter<W, F> {
    /// Begins a dump; `is_shared` says whether more than one transaction has a link.
    pub fn new(out: W, is_shared: F) -> Self {
        let (ranks, waiting) = (HashMap::new(), Vec::new());
        Self { out, is_shared, ranks, waiting, last: Part::Accounts }
    }

    /// Writes the kept lines that come before a part.
    fn write_before(&mut self, part: Option<Part>) -> io::Result<()> {
        let comes = |line: &mut (Part, String)| part.is_none_or(|part| line.0 < part);
        let mut due: Vec<_> = self.waiting.extract_if(.., comes).collect();
        due.sort_unstable();
        due.iter().try_for_each(|(_, line)| self.out.write_all(line.as_bytes()))
    }

    fn line(&mut self, item: &Item) -> Line {
        match item {
            Item::Account { account, derived: _ } => account_line(account),
            Item::Security(words) => security_line(words),
            Item::Category { name, parent } => {
                Line::new("category").text("name", name).maybe_text("parent", parent.as_ref())
            }
            Item::Setting(setting, value) => Line::new("setting")
                .plain("key", setting.key())
                .text("value", &SafeText::new(value)),
            Item::Balance { account, date, amount } => Line::new("balance")
                .text("account", account)
                .plain("date", date)
                .plain("amount", amount),
            Item::Transaction(words) => {
                let link = self.rank(words.draft.link.as_ref());
                transaction_line(&words.draft, link)
            }
            Item::Price(mention, price) => price_line(mention, price),
            Item::Rate(rate) => rate_line(rate),
            Item::Watch(security, terms) => watch_line(security, terms),
            Item::Alert(security, terms) => alert_line(security, terms),
            Item::Target { dimension, key, weight, band } => Line::new("target")
                .text("dimension", dimension)
                .text("key", key)
                .plain("weight", weight)
                .maybe("band", *band),
        }
    }

    /// The number of the event that a row is a part of.
    fn rank(&mut self, link: Option<&SafeText>) -> Option<usize> {
        let link = link.filter(|link| (self.is_shared)(link))?;
        if let Some(&rank) = self.ranks.get(link) {
            return Some(rank);
        }
        let rank = self.ranks.len() + 1;
        self.ranks.insert(link.clone(), rank);
        Some(rank)
    }
}

impl<W: io::Write, F: Fn(&SafeText) -> bool> Writer for CanonicalWriter<W, F> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        let part = Part::of(item);
        if part < self.last {
            let late = format!("{part:?} stand before {:?}, which were fed first", self.last);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, late));
        }
        let line = self.line(item).end();
        if !part.is_long() {
            self.waiting.push((part, line));
            return Ok(());
        }
        if part != self.last {
            self.last = part;
            self.write_before(Some(part))?;
        }
        self.out.write_all(line.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_before(None)?;
        self.out.flush()
    }
}

fn account_line(account: &NewAccount) -> Line {
    Line::new("account")
        .text("name", &account.name)
        .plain("kind", account.kind)
        .plain("currency", account.currency)
        .plain("mode", account.mode)
        .maybe("method", account.method)
        .maybe_text("institution", account.institution.as_ref())
        .maybe("closed", account.closed)
        .maybe("performance", account.performance)
}

fn watch_line(security: &Mention, terms: &WatchTerms) -> Line {
    Line::new("watch")
        .mention("", Some(security))
        .maybe_text("list", terms.list.as_ref())
        .maybe_text("note", terms.note.as_ref())
        .maybe("target", terms.target)
        .maybe("units_of", terms.units_of)
        .maybe("said_in", terms.said_in)
}

fn alert_line(security: &Mention, terms: &AlertTerms) -> Line {
    Line::new("alert")
        .mention("", Some(security))
        .maybe("what", Some(terms.of).filter(|of| *of != AlertOf::Price))
        .text("direction", &SafeText::new(terms.side.as_str()))
        .plain("price", terms.bound)
        .maybe_text("note", terms.note.as_ref())
        .maybe("units_of", terms.units_of)
        .maybe("said_in", terms.said_in)
        .maybe("snoozed", terms.snoozed)
}

fn security_line(words: &SecurityWords) -> Line {
    Line::new("security")
        .text("symbol", &words.symbol)
        .plain("currency", words.currency)
        .maybe_text("venue", words.venue.as_ref())
        .maybe("isin", words.isin.as_ref())
        .maybe_text("cusip", words.cusip.as_ref())
        .maybe_text("figi", words.figi.as_ref())
        .maybe_text("name", words.name.as_ref())
        .maybe("class", words.class)
        .maybe_text("sector", words.sector.as_ref())
        .maybe_text("region", words.region.as_ref())
        .maybe_text("tags", words.tags.as_ref().map(Tags::as_text))
}

fn transaction_line(draft: &Draft, link: Option<usize>) -> Line {
    let facts = &draft.facts;
    Line::new("transaction")
        .plain("date", facts.date)
        .text("account", &draft.account)
        .plain("type", facts.subtype)
        .plain("status", facts.status)
        .mention("", draft.security.as_ref())
        .mention("to_", draft.to_security.as_ref())
        .maybe("quantity", facts.quantity)
        .maybe("price", facts.price)
        .maybe("fee", facts.fee)
        .maybe("tax", facts.tax)
        .plain("currency", facts.currency)
        .plain("amount", facts.amount)
        .maybe("settlement", facts.settlement)
        .maybe("fx_rate", facts.fx_rate)
        .maybe("multiplier", facts.multiplier)
        .maybe("ratio", facts.ratio)
        .maybe("acquired", facts.acquired)
        .maybe("cost_share", facts.cost_share)
        .maybe("link", link)
        .maybe_text("id", draft.source_id.as_ref())
        .maybe_text("description", facts.description.as_ref())
        .maybe_text("category", facts.category.as_ref())
        .maybe_text("note", facts.note.as_ref())
}

fn price_line(mention: &Mention, price: &Price) -> Line {
    let figures = |line: Line, figures: [(&'static str, Option<Dec>); 4]| {
        figures.into_iter().fold(line, |line, (key, figure)| line.maybe(key, figure))
    };
    let line = Line::new("price")
        .mention("", Some(mention))
        .plain("interval", price.interval)
        .moment(price.at, price.interval == Interval::Day)
        .text("source", &price.source)
        .plain("close", price.close)
        .plain("currency", price.currency);
    let bar =
        [("open", price.open), ("high", price.high), ("low", price.low), ("volume", price.volume)];
    figures(line, bar).maybe("split_adjusted", price.split_adjusted.then_some("yes"))
}

fn rate_line(rate: &Rate) -> Line {
    Line::new("rate")
        .plain("base", rate.base)
        .plain("quote", rate.quote)
        .moment(rate.at, true)
        .text("source", &rate.source)
        .plain("rate", rate.rate)
}

/// One line: a word and what is known, `key=value`. Texts stand in quotes, with a backslash before
/// quotes and backslashes; what is absent is left out.
struct Line(String);

impl Line {
    fn new(word: &str) -> Self {
        Self(word.to_owned())
    }

    fn plain(mut self, key: &str, value: impl Display) -> Self {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, " {key}={value}");
        self
    }

    fn maybe(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.plain(key, value),
            None => self,
        }
    }

    fn text(self, key: &str, text: &SafeText) -> Self {
        let escaped = text.as_str().replace('\\', r"\\").replace('"', "\\\"");
        self.plain(key, format_args!("\"{escaped}\""))
    }

    fn maybe_text(self, key: &str, text: Option<&SafeText>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    /// A security; `prefix` tells which of two.
    fn mention(self, prefix: &str, mention: Option<&Mention>) -> Self {
        let Some(mention) = mention else { return self };
        self.text(&format!("{prefix}symbol"), &mention.symbol)
            .maybe(&format!("{prefix}quoted"), mention.currency)
            .maybe_text(&format!("{prefix}venue"), mention.venue.as_ref())
            .maybe(&format!("{prefix}isin"), mention.isin.as_ref())
    }

    fn moment(self, micros: i64, whole_day: bool) -> Self {
        match DateTime::from_timestamp_micros(micros) {
            Some(at) if whole_day => self.plain("date", at.date_naive()),
            Some(at) => self.plain("at", at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => self.plain("micros", micros),
        }
    }

    fn end(mut self) -> String {
        self.0.push('\n');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::model::{
        AccountKind, AssetClass, Currency, Entry, EntryType, InPerformance, Isin, LotMethod, Mode,
        Origin, Ratio, SecurityId, Setting, Side, Status, Subtype, TransactionWords, Unit,
        midnight_micros,
    };

    fn text(text: &str) -> SafeText {
        SafeText::new(text)
    }

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
    }

    fn written(items: &[Item], shared: &[&str]) -> String {
        let mut out = Vec::new();
        let is_shared = |link: &SafeText| shared.contains(&link.as_str());
        let mut writer = CanonicalWriter::new(&mut out, is_shared);
        for item in items {
            writer.item(item).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn account(name: &str) -> Item {
        let (name, kind, currency) = (text(name), AccountKind::Brokerage, Currency::USD);
        let (mode, method, institution) = (Mode::Ledger, None, None);
        let (closed, performance) = (None, None);
        let account =
            NewAccount { name, kind, currency, mode, method, institution, closed, performance };
        Item::Account { account, derived: true }
    }

    fn alert(of: AlertOf, bound: &str) -> AlertTerms {
        let (side, bound) = (Side::Above, dec(bound));
        let (note, units_of, said_in, snoozed) = (None, None, None, None);
        AlertTerms { of, side, bound, note, units_of, said_in, snoozed }
    }

    fn deposit(link: Option<&str>, seq: i64) -> Item {
        let what = EntryType::One(Subtype::Deposit);
        let mut entry = Entry::new(text("A"), day(2), what, Unit::from(Currency::USD));
        entry.amount = Some(dec("1.50"));
        entry.link = link.map(text);
        let draft = *entry.check().unwrap().first;
        Item::Transaction(Box::new(TransactionWords::new(draft, seq, Origin::Hand)))
    }

    fn price(interval: Interval, at: i64) -> Item {
        let price = Price {
            security: SecurityId(7),
            interval,
            at,
            source: text("file"),
            currency: Currency::USD,
            open: None,
            high: Some(dec("2")),
            low: None,
            close: dec("1"),
            volume: None,
            quoted_in: Some(text("GBp")),
            split_adjusted: interval != Interval::Day,
        };
        Item::Price(Mention::parse("X@USD").unwrap(), Box::new(price))
    }

    #[test]
    fn the_parts_stand_in_their_order_and_the_short_ones_sorted() {
        let weight = dec("0.5");
        let items = [
            Item::Setting(Setting::BaseCurrency, "CAD".to_owned()),
            account("B"),
            Item::Target { dimension: text("class"), key: text("etf"), weight, band: None },
            account("A"),
            Item::Category { name: text("c"), parent: Some(text("p")) },
            Item::Balance { account: text("A"), date: day(3), amount: dec("-1") },
            Item::Balance { account: text("A"), date: day(2), amount: dec("1") },
            deposit(None, 5),
            price(Interval::Day, midnight_micros(day(2))),
            price(Interval::Minute, midnight_micros(day(2)) + 60_000_000),
            Item::Rate(Rate {
                base: Currency::CAD,
                quote: Currency::USD,
                at: midnight_micros(day(2)),
                source: text("file"),
                rate: dec("0.75"),
            }),
            Item::Alert(Mention::parse("X").unwrap(), alert(AlertOf::Price, "9")),
            Item::Alert(
                Mention::parse("X").unwrap(),
                AlertTerms { snoozed: Some(day(3)), ..alert(AlertOf::Change, "-0.05") },
            ),
            Item::Watch(
                Mention::parse("X").unwrap(),
                WatchTerms { note: Some(text("n")), ..WatchTerms::default() },
            ),
            Item::Watch(
                Mention::parse("Y").unwrap(),
                WatchTerms {
                    list: Some(text("l")),
                    target: Some(dec("7.5")),
                    units_of: Some(day(2)),
                    said_in: Some(Currency::USD),
                    note: None,
                },
            ),
        ];
        let right = "\
account name=\"A\" kind=brokerage currency=USD mode=ledger
account name=\"B\" kind=brokerage currency=USD mode=ledger
category name=\"c\" parent=\"p\"
setting key=base_currency value=\"CAD\"
balance account=\"A\" date=2024-01-02 amount=1
balance account=\"A\" date=2024-01-03 amount=-1
transaction date=2024-01-02 account=\"A\" type=deposit status=settled currency=USD amount=1.5
price symbol=\"X\" quoted=USD interval=1d date=2024-01-02 source=\"file\" close=1 currency=USD high=2
price symbol=\"X\" quoted=USD interval=1m at=2024-01-02T00:01:00Z source=\"file\" close=1 currency=USD high=2 split_adjusted=yes
rate base=CAD quote=USD date=2024-01-02 source=\"file\" rate=0.75
watch symbol=\"X\" note=\"n\"
watch symbol=\"Y\" list=\"l\" target=7.5 units_of=2024-01-02 said_in=USD
alert symbol=\"X\" direction=\"above\" price=9
alert symbol=\"X\" what=change direction=\"above\" price=-0.05 snoozed=2024-01-03
target dimension=\"class\" key=\"etf\" weight=0.5
";
        assert_eq!(written(&items, &[]), right);
    }

    #[test]
    fn everything_known_is_said() {
        let account = NewAccount {
            name: text("A \"1\" \\"),
            kind: AccountKind::Rrsp,
            currency: Currency::CAD,
            mode: Mode::Balances,
            method: Some(LotMethod::Acb),
            institution: Some(text("Bank")),
            closed: Some(day(31)),
            performance: Some(InPerformance::No),
        };
        let security = SecurityWords {
            symbol: text("X"),
            currency: Currency::USD,
            venue: Some(text("NYSE")),
            isin: Isin::parse("US0378331005").ok(),
            cusip: Some(text("037833100")),
            figi: Some(text("F")),
            name: Some(text("N")),
            class: Some(AssetClass::Etf),
            sector: Some(text("S")),
            region: Some(text("R")),
            tags: Tags::parse("b,a").ok(),
            derived: true,
        };
        let what = EntryType::One(Subtype::SpinOff);
        let mut entry = Entry::new(text("A"), day(2), what, Unit::parse("GBp").unwrap());
        let mut symbol = Mention::parse("OLD").unwrap();
        (symbol.venue, symbol.isin) = (Some(text("LSE")), Isin::parse("US0378331005").ok());
        entry.symbol = Some(symbol);
        entry.to_symbol = Mention::parse("NEW@USD").ok();
        (entry.quantity, entry.price) = (Some(dec("7")), Some(dec("100")));
        (entry.fee, entry.tax) = (Some(dec("50")), Some(dec("25")));
        entry.amount = Some(dec("900"));
        (entry.fx_rate, entry.multiplier) = (Some(dec("1.35")), Some(dec("10")));
        (entry.ratio, entry.cost_share) = (Ratio::parse("3:2"), Some(dec("0.25")));
        (entry.settlement, entry.acquired) = (Some(day(4)), Some(day(1)));
        (entry.link, entry.id) = (Some(text("L")), Some(text("S")));
        entry.status = Status::Pending;
        entry.description = Some(text("d"));
        (entry.category, entry.note) = (Some(text("c")), Some(text("n")));
        let draft = *entry.check().unwrap().first;
        let words = TransactionWords::new(draft, 9, Origin::File);
        let items = [
            Item::Account { account, derived: false },
            Item::Security(security),
            Item::Transaction(Box::new(words)),
            Item::Target {
                dimension: text("class"),
                key: text("etf"),
                weight: dec("0.5"),
                band: Some(dec("0.05")),
            },
        ];
        let right = r#"account name="A \"1\" \\" kind=rrsp currency=CAD mode=balances method=acb institution="Bank" closed=2024-01-31 performance=no
security symbol="X" currency=USD venue="NYSE" isin=US0378331005 cusip="037833100" figi="F" name="N" class=etf sector="S" region="R" tags="a, b"
transaction date=2024-01-02 account="A" type=spin_off status=pending symbol="OLD" venue="LSE" isin=US0378331005 to_symbol="NEW" to_quoted=USD quantity=7 price=1 fee=0.5 tax=0.25 currency=GBP amount=9 settlement=2024-01-04 fx_rate=1.35 multiplier=10 ratio=3:2 acquired=2024-01-01 cost_share=0.25 link=1 id="S" description="d" category="c" note="n"
target dimension="class" key="etf" weight=0.5 band=0.05
"#;
        assert_eq!(written(&items, &["L"]), right);
    }

    #[test]
    fn links_are_numbered_as_they_appear_and_a_lonely_one_is_none() {
        let links = [Some("z"), Some("lonely"), Some("a"), Some("z"), None, Some("a")];
        let items: Vec<_> = links.into_iter().map(|link| deposit(link, 0)).collect();
        let dump = written(&items, &["z", "a"]);
        let ranks: Vec<_> = dump.lines().map(|l| l.split_once("link=").map(|(_, n)| n)).collect();
        assert_eq!(ranks, [Some("1"), None, Some("2"), Some("1"), None, Some("2")]);
    }

    #[test]
    fn names_and_sources_of_rows_make_no_difference() {
        let one = [deposit(Some("x"), 0), deposit(Some("x"), 1)];
        let other = [deposit(Some("y"), 4), deposit(Some("y"), 8)];
        assert_eq!(written(&one, &["x"]), written(&other, &["y"]));
    }

    #[test]
    fn what_comes_too_late_is_an_error() {
        let mut writer = CanonicalWriter::new(Vec::new(), |_: &SafeText| true);
        writer.item(&price(Interval::Day, 0)).unwrap();
        assert!(writer.item(&account("A")).is_err());
        assert!(writer.item(&deposit(None, 0)).is_err());
    }
}
