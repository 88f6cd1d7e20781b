//! Taking in prices and rates: upserts by subject, interval, time and source.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::book::{Book, Stamp};
use super::intake::Counts;
use super::{Result, Survey};
use crate::model::{
    Column, Currency, Interval, Mention, Price, PriceSubject, Quote, Rate, Refusal, SafeText,
    SecurityId, Why, midnight_micros,
};
use crate::store::{PriceRecord, RateRecord, WriteTx};

/// How many are held back.
const HELD: usize = 1_000;

/// Prices and rates on their way in.
pub(super) struct Quotes {
    /// Currencies that the rows of the import use.
    used: BTreeSet<Currency>,
    /// What bare codes mean, by code and the currency of the price.
    codes: HashMap<(Currency, Currency), std::result::Result<Option<Mention>, Refusal>>,
    prices: Vec<(usize, PriceRecord)>,
    rates: Vec<(usize, RateRecord)>,
    counts: HashMap<usize, Counts>,
}

type PriceKey = (SecurityId, Interval, i64, SafeText);
type RateKey = (Currency, Currency, i64, SafeText);

impl Quotes {
    pub fn new(survey: &Survey) -> Self {
        Self {
            used: survey.currencies.clone(),
            codes: HashMap::new(),
            prices: Vec::new(),
            rates: Vec::new(),
            counts: HashMap::new(),
        }
    }

    /// What a bare currency code means: the security of that symbol, else (none) a rate if both
    /// codes are in use, else nobody can tell.
    pub fn read_code(
        &mut self,
        book: &Book,
        code: Currency,
        quote: &Quote,
    ) -> std::result::Result<Option<Mention>, Refusal> {
        let used = &self.used;
        let meaning = self.codes.entry((code, quote.currency)).or_insert_with(|| {
            let symbol = SafeText::new(code.code());
            let in_use = |currency| used.contains(&currency) || book.uses(currency);
            if book.symbols.get(&symbol).is_some_and(|ids| !ids.is_empty()) {
                Ok(Some(Mention { symbol, currency: None, venue: None, isin: None }))
            } else if in_use(code) && in_use(quote.currency) {
                Ok(None)
            } else {
                Err(Refusal { column: Column("symbol"), why: Why::AmbiguousCode(symbol) })
            }
        });
        let meaning = meaning.clone();
        // What can be no rate is refused for that: it names the way to write a price too.
        if meaning == Ok(None) || (meaning.is_err() && code == quote.currency) {
            quote.check_rate(code)?;
        }
        meaning
    }

    pub async fn push_price(
        &mut self,
        tx: &mut WriteTx,
        book: &mut Book,
        stamp: &Stamp,
        file: usize,
        price: Price,
    ) -> Result<()> {
        self.prices.push((file, PriceRecord { price, batch: stamp.batch, fetched: stamp.now }));
        if self.prices.len() >= HELD {
            self.flush_prices(tx, book, stamp).await?;
        }
        Ok(())
    }

    pub async fn push_rate(
        &mut self,
        tx: &mut WriteTx,
        _book: &mut Book,
        stamp: &Stamp,
        file: usize,
        rate: Rate,
    ) -> Result<()> {
        self.rates.push((file, RateRecord { rate, batch: stamp.batch, fetched: stamp.now }));
        if self.rates.len() >= HELD {
            self.flush_rates(tx, stamp).await?;
        }
        Ok(())
    }

    /// Writes what is held back, and tells what became of all of it since the last time.
    pub async fn flush(
        &mut self,
        tx: &mut WriteTx,
        book: &mut Book,
        stamp: &Stamp,
    ) -> Result<HashMap<usize, Counts>> {
        self.flush_prices(tx, book, stamp).await?;
        self.flush_rates(tx, stamp).await?;
        Ok(std::mem::take(&mut self.counts))
    }

    async fn flush_prices(
        &mut self,
        tx: &mut WriteTx,
        book: &mut Book,
        stamp: &Stamp,
    ) -> Result<()> {
        let held = std::mem::take(&mut self.prices);
        let rows: Vec<_> = held.iter().map(|(_, row)| row.clone()).collect();
        let stored = tx.prices_like(&rows).await?.into_iter();
        let mut known: HashMap<PriceKey, PriceRecord> =
            stored.map(|row| (price_key(&row.price), row)).collect();
        let mut new: HashMap<PriceKey, PriceRecord> = HashMap::new();
        let mut again = BTreeMap::new();
        for (file, row) in held {
            let counts = self.counts.entry(file).or_default();
            let key = price_key(&row.price);
            if let Some(waiting) = new.get_mut(&key) {
                count_again(counts, waiting.price == row.price);
                book.count_prices(key.0, waiting.price.currency, -1);
                book.count_prices(key.0, row.price.currency, 1);
                *waiting = row;
            } else if let Some(before) = known.get_mut(&key) {
                let same = before.price == row.price;
                count_again(counts, same);
                if !same {
                    tx.replace_price(before, &row).await?;
                    again.remove(&key);
                    book.count_prices(key.0, before.price.currency, -1);
                    book.count_prices(key.0, row.price.currency, 1);
                    *before = row;
                } else if before.batch.is_some() && before.batch != stamp.batch {
                    again.insert(key, row.price);
                }
            } else {
                counts.new += 1;
                book.count_prices(key.0, row.price.currency, 1);
                new.insert(key, row);
            }
        }
        let mut new: Vec<_> = new.into_values().collect();
        new.sort_by_key(|row| price_key(&row.price));
        tx.insert_prices(&new).await?;
        if let Some(batch) = stamp.batch {
            let again: Vec<_> = again.into_values().collect();
            tx.claim_prices(batch, &again, &[]).await?;
        }
        Ok(())
    }

    async fn flush_rates(&mut self, tx: &mut WriteTx, stamp: &Stamp) -> Result<()> {
        let held = std::mem::take(&mut self.rates);
        let rows: Vec<_> = held.iter().map(|(_, row)| row.clone()).collect();
        let stored = tx.rates_like(&rows).await?.into_iter();
        let mut known: HashMap<RateKey, RateRecord> =
            stored.map(|row| (rate_key(&row.rate), row)).collect();
        let mut new: HashMap<RateKey, RateRecord> = HashMap::new();
        let mut again = BTreeMap::new();
        for (file, row) in held {
            let counts = self.counts.entry(file).or_default();
            let key = rate_key(&row.rate);
            if let Some(waiting) = new.get_mut(&key) {
                count_again(counts, waiting.rate == row.rate);
                *waiting = row;
            } else if let Some(before) = known.get_mut(&key) {
                let same = before.rate == row.rate;
                count_again(counts, same);
                if !same {
                    tx.replace_rate(before, &row).await?;
                    again.remove(&key);
                    *before = row;
                } else if before.batch.is_some() && before.batch != stamp.batch {
                    again.insert(key, row.rate);
                }
            } else {
                counts.new += 1;
                new.insert(key, row);
            }
        }
        let mut new: Vec<_> = new.into_values().collect();
        new.sort_by_key(|row| rate_key(&row.rate));
        tx.insert_rates(&new).await?;
        if let Some(batch) = stamp.batch {
            let again: Vec<_> = again.into_values().collect();
            tx.claim_prices(batch, &[], &again).await?;
        }
        Ok(())
    }
}

fn count_again(counts: &mut Counts, same: bool) {
    if same {
        counts.duplicate += 1;
    } else {
        counts.changed += 1;
    }
}

fn price_key(price: &Price) -> PriceKey {
    (price.security, price.interval, price.at, price.source.clone())
}

fn rate_key(rate: &Rate) -> RateKey {
    (rate.base, rate.quote, rate.at, rate.source.clone())
}

/// The daily bar that a row of a price file is.
pub(super) fn price_of(quote: Quote, security: SecurityId) -> Price {
    Price {
        security,
        interval: Interval::Day,
        at: midnight_micros(quote.date),
        source: quote.source,
        currency: quote.currency,
        open: quote.open,
        high: quote.high,
        low: quote.low,
        close: quote.close,
        volume: quote.volume,
        quoted_in: quote.quoted_in,
        split_adjusted: false,
    }
}

/// The rate that a row of a price file is; none for the price of a security.
pub(super) fn rate_of(quote: &Quote) -> Option<Rate> {
    let base = match &quote.subject {
        PriceSubject::Currency(code) | PriceSubject::Bare(code) => *code,
        PriceSubject::Security(_) => return None,
    };
    Some(Rate {
        base,
        quote: quote.currency,
        at: midnight_micros(quote.date),
        source: quote.source.clone(),
        rate: quote.close,
    })
}
