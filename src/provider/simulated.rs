//! The provider of the sample household: it is offline and invents everything, from a seed and the
//! clock alone, so that whoever asks twice hears the same.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    AccountSource, Accounts, Auth, DayBar, DayClose, Entry, Error, Market, MarketSource, Pair,
    RemoteAccount, RemoteBook, RemoteRow, Result, Setup, Spot, Wanted,
};
use crate::model::{
    AccountKind, AssetClass, Currency, Dec, Entry as Row, EntryType, Exact, Mention, SafeText,
    Subtype, Unit,
};

pub(super) const ENTRY: Entry = Entry {
    id: "simulated",
    title: "Simulated",
    auth: Auth::Nobody,
    hosts: &[],
    limits: &[],
    renews_within: 0,
    settles_within: 60,
    accounts: Some(|setup| Accounts::Simulated(Simulated::new(setup))),
    market: Some(|setup| Market::Simulated(Simulated::new(setup))),
    tells_prices: true,
    tells_rates: true,
};

/// A row comes in every so many seconds.
const ROW_EVERY: i64 = 20;
/// How far back the first answer goes, in seconds.
const FIRST_LOOK: i64 = 60;
/// The most rows of one answer.
const MOST_ROWS: i64 = 1_000;
/// A part of a million.
const MILLION: i64 = 1_000_000;
/// For how many seconds each wave of a price lasts, and how high it is in parts of a million.
const WAVES: [(i64, u64); 5] = [(2, 300), (16, 500), (128, 900), (1_024, 1_500), (8_192, 2_500)];
/// How far a day's close may be from that of the day before, in parts of a million.
const CLOSE_SWING: u64 = 12_000;
const RATE_SWING: u64 = 2_000;
/// What has no market.
const UNTRADED: [&str; 2] = ["OLPC", "PELA"];
const CARD: &str = "Harbor Card";
const BROKERAGE: &str = "Individual Brokerage";
const BOUGHT: &str = "NWEQ";
/// About what it is bought at.
const BOUGHT_AT: &str = "112.4";
const PAYERS: [&str; 3] = ["NWEQ", "STPR", "AURX"];
const SHOPS: [(&str, &str); 4] = [
    ("Groceries at the market", "Groceries"),
    ("Coffee by the harbour", "Dining"),
    ("Tram ticket", "Transport"),
    ("Bookshop", "Leisure"),
];

/// Invents accounts, rows and prices.
#[derive(Clone, Debug)]
pub struct Simulated {
    setup: Setup,
}

impl Simulated {
    /// From a seed and the clock.
    #[must_use]
    pub const fn new(setup: Setup) -> Self {
        Self { setup }
    }

    fn today(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.setup.clock.zone()).date_naive()
    }

    /// Waves on top of each other: near in time is near in price, and nothing drifts away.
    fn price_at(&self, symbol: &SafeText, last: Dec, at: DateTime<Utc>) -> Option<Dec> {
        let waves = WAVES.iter().map(|(seconds, height)| {
            let wave = at.timestamp().div_euclid(*seconds);
            swing(&[self.setup.seed, hash(symbol), bits(*seconds), bits(wave)], *height)
        });
        moved(last, waves.sum())
    }

    /// From day to day, beginning at what is known.
    fn walk(
        &self,
        name: &SafeText,
        last: Option<DayClose>,
        (from, to): (NaiveDate, NaiveDate),
        height: u64,
    ) -> Result<Vec<DayClose>> {
        let no_data = || Error::NoData(name.clone());
        let mut known = last.ok_or_else(no_data)?;
        let mut closes = Vec::new();
        while let Some(date) = known.date.succ_opt().filter(|date| *date <= to) {
            let day = bits(midnight(date));
            let close = moved(known.close, swing(&[self.setup.seed, hash(name), day], height));
            known = DayClose { date, close: close.ok_or_else(no_data)?, ..known };
            if date >= from {
                closes.push(known);
            }
        }
        Ok(closes)
    }

    /// The row of a moment: a payment by card, a dividend, a purchase, in turn. Prices known by now
    /// have no say in it: they move on, and what was bought was bought.
    fn row(&self, turn: i64) -> Option<RemoteRow> {
        let at = DateTime::from_timestamp(turn.checked_mul(ROW_EVERY)?, 0)?;
        let date = self.today(at);
        let pick = |what: u64, of: u64| chance(&[self.setup.seed, bits(turn), what]) % of;
        let cents = |least: u64, most: u64| {
            let cents = i64::try_from(least + pick(1, most - least)).ok()?;
            Exact::from(Dec::from_i64(cents)).div_round(&Exact::from(Dec::from_i64(100)), 2).ok()
        };
        let entry = |account: &str, what| {
            let unit = Unit::from(Currency::USD);
            let row = Row::new(SafeText::new(account), date, EntryType::One(what), unit);
            // Another seed tells of another row by the same id, as services do.
            let id = Some(SafeText::new(&format!("sim-{turn}")));
            Row { id, amount_stands: true, ..row }
        };
        let mention = |symbol: &str| Mention::parse(symbol).ok();
        let row = match turn.rem_euclid(3) {
            1 => {
                let payer = PAYERS.get(usize::try_from(pick(2, 3)).ok()?)?;
                Row {
                    symbol: mention(payer),
                    amount: cents(3_000, 6_000),
                    description: Some(SafeText::new("Dividend")),
                    ..entry(BROKERAGE, Subtype::Dividend)
                }
            }
            2 => {
                let usual = Dec::parse(BOUGHT_AT).ok()?;
                let price = self.price_at(&SafeText::new(BOUGHT), usual, at)?;
                Row {
                    symbol: mention(BOUGHT),
                    // Less than a dividend pays, so that the cash lasts.
                    quantity: Dec::parse("0.25").ok(),
                    price: Some(price),
                    price_scale: price.inner().scale(),
                    description: Some(SafeText::new("Standing order")),
                    ..entry(BROKERAGE, Subtype::Buy)
                }
            }
            _ => {
                let (shop, category) = SHOPS.get(usize::try_from(pick(2, 4)).ok()?)?;
                Row {
                    amount: cents(250, 9_500).map(|paid| -paid),
                    description: Some(SafeText::new(shop)),
                    category: Some(SafeText::new(category)),
                    ..entry(CARD, Subtype::Withdrawal)
                }
            }
        };
        Some(RemoteRow { at, row })
    }
}

impl AccountSource for Simulated {
    async fn accounts(&self, since: Option<DateTime<Utc>>) -> Result<RemoteBook> {
        let now = self.setup.clock.now().timestamp();
        let since = since.map_or(now - FIRST_LOOK, |since| since.timestamp());
        let (last, first) = (now.div_euclid(ROW_EVERY), since.div_euclid(ROW_EVERY));
        let first = first.max(last - MOST_ROWS) + 1;
        let complete_since = DateTime::from_timestamp(first.saturating_mul(ROW_EVERY), 0);
        let all: Vec<_> = (first..=last).filter_map(|turn| self.row(turn)).collect();
        let account = |id: &str, name: &str, kind| RemoteAccount {
            id: SafeText::new(id),
            name: SafeText::new(name),
            kind,
            currency: Currency::USD,
            institution: None,
            rows: all.iter().filter(|row| row.row.account.as_str() == name).cloned().collect(),
            complete_since,
            may_be_empty: false,
            left_out: false,
            standing: None,
        };
        let accounts = vec![
            account("card", CARD, AccountKind::CreditCard),
            account("brokerage", BROKERAGE, AccountKind::Brokerage),
        ];
        Ok(RemoteBook { accounts, ..RemoteBook::default() })
    }
}

impl MarketSource for Simulated {
    async fn quotes(&self, wanted: &[Wanted]) -> Result<Vec<Result<Spot>>> {
        let at = self.setup.clock.now();
        let spot = |wanted: &Wanted| {
            let price =
                known(wanted).and_then(|last| self.price_at(&wanted.symbol, last.close, at));
            let price = price.ok_or_else(|| Error::NoData(wanted.symbol.clone()))?;
            let date = match wanted.class {
                Some(AssetClass::Crypto) => at.date_naive(),
                _ => self.today(at),
            };
            Ok(Spot { at, date, price, currency: wanted.currency })
        };
        Ok(wanted.iter().map(spot).collect())
    }

    async fn bars(&self, wanted: &Wanted, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayBar>> {
        let closes = self.walk(&wanted.symbol, known(wanted), (from, to), CLOSE_SWING)?;
        Ok(closes.into_iter().map(DayBar::from).collect())
    }

    async fn rates(&self, pair: &Pair, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayClose>> {
        let name = SafeText::new(&format!("{}/{}", pair.base, pair.quote));
        self.walk(&name, pair.last, (from, to), RATE_SWING)
    }
}

/// What a price can be told from.
fn known(wanted: &Wanted) -> Option<DayClose> {
    let traded = !UNTRADED.contains(&wanted.symbol.as_str());
    wanted.last.filter(|last| traded && last.currency == wanted.currency)
}

/// A price moved by so many parts of a million, with as many decimals as it had, but two at least.
fn moved(price: Dec, parts: i64) -> Option<Dec> {
    let places = price.inner().scale().max(2);
    let factor = Exact::from(Dec::from_i64(MILLION + parts));
    Exact::from(price).mul(&factor).div_round(&Exact::from(Dec::from_i64(MILLION)), places).ok()
}

fn midnight(date: NaiveDate) -> i64 {
    crate::model::midnight_micros(date)
}

const fn bits(number: i64) -> u64 {
    number.cast_unsigned()
}

/// Up or down, by `height` at most.
fn swing(of: &[u64], height: u64) -> i64 {
    let span = 2 * height + 1;
    i64::try_from(chance(of) % span).unwrap_or(0) - i64::try_from(height).unwrap_or(0)
}

fn hash(name: &SafeText) -> u64 {
    let bytes = name.as_str().bytes();
    bytes.fold(0, |hash, byte| chance(&[hash, u64::from(byte)]))
}

/// The same for the same numbers, and like chance for others (`SplitMix64`).
fn chance(of: &[u64]) -> u64 {
    of.iter().fold(0x9e37_79b9_7f4a_7c15, |mix, number| {
        let mix = (mix ^ number).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mix = (mix ^ (mix >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mix ^ (mix >> 31)
    })
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;
    use crate::clock::Clock;

    const NOW: &str = "2026-11-21T15:00:00Z";

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn wanted(symbol: &str, close: &str) -> Wanted {
        let (date, currency) = (day("2026-11-20"), Currency::USD);
        let last = DayClose { date, close: Dec::parse(close).unwrap(), currency };
        let symbol = SafeText::new(symbol);
        Wanted { symbol, currency, class: None, venue: None, last: Some(last), paid: vec![] }
    }

    fn at(now: &str, zone: Tz) -> Simulated {
        let clock = Clock::fixed(now.parse().unwrap(), zone);
        Simulated::new(Setup { seed: 7, clock, line: None, progress: None })
    }

    async fn rows(source: &Simulated, since: Option<&str>) -> Vec<RemoteRow> {
        let since = since.map(|since| since.parse().unwrap());
        let accounts = source.accounts(since).await.unwrap().accounts;
        let mut all: Vec<_> = accounts.into_iter().flat_map(|account| account.rows).collect();
        all.sort_by_key(|row| row.at);
        all
    }

    #[tokio::test]
    async fn asking_twice_hears_the_same_and_time_moves_prices_a_little() {
        let asked = [wanted("NWEQ", "111.63"), wanted("BTC", "36450"), wanted("CENT", "0.0123")];
        let first = at(NOW, Tz::UTC).quotes(&asked).await.unwrap();
        assert_eq!(first, at(NOW, Tz::UTC).quotes(&asked).await.unwrap());
        let later = at("2026-11-21T15:00:02Z", Tz::UTC).quotes(&asked).await.unwrap();
        assert_ne!(first, later);
        for (asked, spot) in asked.iter().zip(first) {
            let (spot, last) = (spot.unwrap(), asked.last.unwrap().close);
            assert_eq!((spot.date, spot.currency), (day("2026-11-21"), Currency::USD));
            let far = spot.price.checked_sub(last).unwrap().abs();
            let most = Exact::from(last).mul(&Exact::from(Dec::parse("0.02").unwrap()));
            assert!(Exact::from(far) <= most, "{} -> {}", last, spot.price);
        }
    }

    #[tokio::test]
    async fn what_has_no_market_or_no_past_has_no_price() {
        let unknown = Wanted { last: None, ..wanted("NEW", "1") };
        // A number of one currency is none of another.
        let other = Wanted { currency: Currency::CAD, ..wanted("TWO", "111.63") };
        let asked = [unknown, wanted("PELA", "5"), other.clone()];
        let spots = at(NOW, Tz::UTC).quotes(&asked).await.unwrap();
        let said: Vec<_> = spots.into_iter().map(|spot| spot.unwrap_err().to_string()).collect();
        let right = ["NEW", "PELA", "TWO"].map(|name| format!("{name}: no price is known there"));
        assert_eq!(said, right);
        let days = at(NOW, Tz::UTC).bars(&other, day("2026-11-20"), day("2026-11-21")).await;
        assert!(days.is_err());
    }

    #[tokio::test]
    async fn a_row_comes_in_turn_and_keeps_its_id() {
        let source = at(NOW, Tz::UTC);
        let all = rows(&source, Some("2026-11-21T14:50:00Z")).await;
        assert_eq!(all.len(), 30);
        // A part of it, asked for later, is the same.
        let later = at("2026-11-21T15:01:00Z", Tz::UTC);
        let again = rows(&later, Some("2026-11-21T14:55:00Z")).await;
        assert_eq!(again.len(), 18);
        assert_eq!(again[..15], all[15..]);
        assert_eq!(rows(&source, None).await, all[27..], "the first look is a short one");
        let mut types: Vec<_> = all.iter().map(|row| format!("{:?}", row.row.what)).collect();
        types.sort();
        types.dedup();
        assert_eq!(types, ["One(Buy)", "One(Dividend)", "One(Withdrawal)"]);
        for row in all {
            row.row.check().unwrap();
        }
    }

    #[tokio::test]
    async fn a_row_has_the_day_of_its_owner() {
        // Midnight in Tokyo was nine hours ago.
        let source = at("2026-11-21T20:00:00Z", chrono_tz::Asia::Tokyo);
        assert!(rows(&source, None).await.iter().all(|row| row.row.date == day("2026-11-22")));
    }

    #[tokio::test]
    async fn a_coin_has_the_day_of_utc() {
        let coin = Wanted { class: Some(AssetClass::Crypto), ..wanted("BTC", "36450") };
        let source = at("2026-11-21T20:00:00Z", chrono_tz::Asia::Tokyo);
        let spots = source.quotes(&[coin, wanted("NWEQ", "111.63")]).await.unwrap();
        let days: Vec<_> = spots.into_iter().map(|spot| spot.unwrap().date).collect();
        assert_eq!(days, [day("2026-11-21"), day("2026-11-22")]);
    }

    #[tokio::test]
    async fn days_go_on_from_the_last_one_known() {
        let source = at(NOW, Tz::UTC);
        let asked = wanted("NWEQ", "111.63");
        let all = source.bars(&asked, day("2026-11-21"), day("2026-11-30")).await.unwrap();
        assert_eq!(all.len(), 10);
        let some = source.bars(&asked, day("2026-11-25"), day("2026-11-30")).await.unwrap();
        assert_eq!(some, all[4..]);
        let known = Wanted { last: Some(all[3].close), ..asked };
        let rest = source.bars(&known, day("2026-11-25"), day("2026-11-30")).await.unwrap();
        assert_eq!(rest, some);
        let pair = Pair { base: Currency::CAD, quote: Currency::USD, since: None, last: None };
        assert!(source.rates(&pair, day("2026-11-21"), day("2026-11-30")).await.is_err());
    }
}
