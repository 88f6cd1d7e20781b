//! The contract of the store: everything it can be asked gives the same answer on both engines,
//! what was written comes back, damage is found, the trail only grows, and a store of a newer
//! program is left alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "a test"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chrono::NaiveDate;
use dashtam::analytics::fx::Rates;
use dashtam::analytics::pricing::{Series, price_on};
use dashtam::archive::Value;
use dashtam::audit::{Audit, Place};
use dashtam::model::{
    Account, AccountId, AccountKind, AlertId, AlertOf, AlertTerms, AssetClass, Bar, BatchId,
    CategoryId, Close, Connection, ConnectionId, ConnectionState, Currency, Dec, Exact, Facts,
    InPerformance, Interval, Isin, LotMethod, Mode, Move, Origin, Part, Price, Rate, Ratio,
    SafeText, Security, SecurityId, Setting, Side, Status, Subtype, Tags, Tick, Transaction,
    TransactionId, Unopened, WatchTerms, midnight_micros,
};
use dashtam::service::{Access, Session};
use dashtam::store::{
    ARCHIVED, AccountDays, AccountRecord, Alert, AlertLog, AllocationTarget, AuditFilter, AuditRow,
    AuditStore, AuditTarget, Balance, BatchFile, BatchRow, CashTransit, CashYear, CategoryRecord,
    Claim, DERIVED, EVIDENCE, EntityVersion, Error, Finding, Fits, Holder, Identity, LotPage,
    Noted, OF_ITS_OWN, PendingRow, PositionRecord, PriceRecord, RateRecord, RefreshRecord, Saying,
    SealedSecret, SecurityRecord, StagedRow, Store, StoredTransaction, Stretch, SymbolRecord,
    Tally, Target, ToldWindow, TransactionFilter, Tx, Verdict, Version, Waiting, Wanted, Watch,
    WriteTx, newest_schema,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, SqlitePool};
use support::engines::{Engine, clock, engines, postgres, target};

const NOW: i64 = 1_795_176_000_000_000;
/// Text that an engine or its bulk road could spoil.
const WORDS: &str = "a\\N b\tc 'd' \"e\" \\x00 {f} ,g; é \u{301}";

fn text(text: &str) -> SafeText {
    SafeText::new(text)
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
}

fn sealed(connection: i64, generation: i64) -> SealedSecret {
    SealedSecret {
        connection: ConnectionId(connection),
        generation,
        sealed_at: NOW,
        presented: None,
        serves_once: generation > 1,
        sealed_for: WORDS.to_owned(),
        sealed: vec![0, b'\\', 0xff, u8::try_from(generation).unwrap()],
    }
}

fn account(id: i64, name: &str) -> AccountRecord {
    AccountRecord {
        account: Account {
            id: AccountId(id),
            name: text(name),
            kind: AccountKind::Tfsa,
            currency: Currency::CAD,
            mode: Mode::Ledger,
            method: Some(LotMethod::Acb),
            institution: None,
            closed: Some(day(31)),
            performance: Some(InPerformance::No),
            derived: true,
        },
        institution: None,
        connection: None,
        batch: None,
        version: 1,
        created: NOW,
        updated: None,
    }
}

fn security(id: i64, symbol: &str) -> SecurityRecord {
    SecurityRecord {
        security: Security {
            id: SecurityId(id),
            symbol: text(symbol),
            venue: Some(text("TSX")),
            currency: Currency::CAD,
            name: Some(text(WORDS)),
            class: Some(AssetClass::Etf),
            isin: Isin::parse("US0378331005").ok(),
            cusip: Some(text("037833100")),
            figi: Some(text("BBG000B9XRY4")),
            sector: Some(text(WORDS)),
            region: Some(text("Europe")),
            tags: Tags::parse("core, income").ok(),
            derived: false,
        },
        batch: Some(BatchId(1)),
        version: 1,
        created: NOW,
        updated: Some(NOW + 1),
    }
}

/// A transaction in which every column has a value.
fn full(id: i64, account: i64, security: i64, date: NaiveDate) -> StoredTransaction {
    StoredTransaction {
        transaction: Transaction {
            id: TransactionId(id),
            account: AccountId(account),
            security: Some(SecurityId(security)),
            to_security: Some(SecurityId(security)),
            link: Some(text("event")),
            source_id: None,
            origin: Origin::File,
            batch: Some(BatchId(1)),
            seq: 3,
            version: 1,
            deleted: false,
            created: NOW,
            updated: NOW + 5,
            facts: Facts {
                date,
                settlement: Some(day(9)),
                subtype: Subtype::Buy,
                status: Status::Pending,
                quantity: Some(dec("1.5")),
                price: Some(dec("0.1234567890123456789012345678")),
                fee: Some(dec("0.01")),
                tax: Some(dec("1")),
                currency: Currency::USD,
                amount: dec("-1234567890123456.789012345678"),
                fx_rate: Some(dec("1.35")),
                multiplier: Some(dec("100")),
                ratio: Ratio::parse("3:2"),
                acquired: Some(day(2)),
                cost_share: Some(dec("0.25")),
                description: Some(text(WORDS)),
                category: Some(text("Food")),
                note: Some(text("n")),
                quoted_in: Some(text("GBp")),
            },
        },
        identity: Identity { key: [u8::try_from(id).unwrap(); 12], occurrence: 0 },
        file_no: Some(0),
        line: Some(2),
        category: Some(CategoryId(50)),
        source_facts: Some("{}".to_owned()),
    }
}

/// A transaction with nothing but what every one has.
fn bare(id: i64, account: i64, date: NaiveDate) -> StoredTransaction {
    let mut row = full(id, account, 20, date);
    row.transaction = Transaction {
        security: None,
        to_security: None,
        link: None,
        batch: None,
        origin: Origin::Hand,
        updated: NOW,
        facts: Facts {
            settlement: None,
            subtype: Subtype::Deposit,
            status: Status::Settled,
            quantity: None,
            price: None,
            fee: None,
            tax: None,
            amount: dec("7"),
            fx_rate: None,
            multiplier: None,
            ratio: None,
            acquired: None,
            cost_share: None,
            description: None,
            category: None,
            note: None,
            quoted_in: None,
            ..row.transaction.facts
        },
        ..row.transaction
    };
    StoredTransaction { file_no: None, line: None, category: None, source_facts: None, ..row }
}

fn price(security: i64, date: NaiveDate) -> PriceRecord {
    PriceRecord {
        price: Price {
            security: SecurityId(security),
            interval: Interval::Day,
            at: midnight_micros(date),
            source: text("file"),
            currency: Currency::CAD,
            open: Some(dec("1")),
            high: Some(dec("2.5")),
            low: None,
            close: dec("2"),
            volume: Some(dec("1000")),
            quoted_in: None,
            split_adjusted: true,
        },
        batch: Some(BatchId(1)),
        fetched: NOW,
    }
}

fn connection(id: i64, label: &str) -> Connection {
    Connection {
        id: ConnectionId(id),
        provider: text("simulated"),
        label: text(label),
        state: ConnectionState::Active,
        since: NOW,
        consent_expires: Some(NOW + 7),
        detail: Some(text(WORDS)),
    }
}

fn refreshed(connection: i64, part: Part) -> RefreshRecord {
    RefreshRecord {
        connection: ConnectionId(connection),
        part,
        attempted: NOW,
        succeeded: Some(NOW - 1),
        failures: 3,
        why: Some(text(WORDS)),
        next_attempt: Some(NOW + 1),
    }
}

fn tick(security: i64, date: NaiveDate, price: &str) -> Tick {
    Tick {
        security: SecurityId(security),
        source: text("simulated"),
        at: midnight_micros(date) + 5,
        date,
        currency: Currency::CAD,
        price: dec(price),
    }
}

fn rate(date: NaiveDate) -> RateRecord {
    let (base, quote, source) = (Currency::CAD, Currency::USD, text("file"));
    let rate = Rate { base, quote, at: midnight_micros(date), source, rate: dec("0.75") };
    RateRecord { rate, batch: Some(BatchId(1)), fetched: NOW }
}

/// What was asked, and the answer.
macro_rules! ask {
    ($told:ident, $($question:expr),+ $(,)?) => {$({
        let answer = $question.await.unwrap();
        $told.push(format!("{} = {answer:?}", stringify!($question)));
    })+};
}

/// Writes one of everything, asks for everything, takes everything away.
async fn story(store: &Store, told: &mut Vec<String>) {
    write_one_of_everything(store, told).await;
    let mut tx = store.read().await.unwrap();
    ask_for_everything(&mut tx, told).await;
    drop(tx);
    ask!(told, store.revision(), store.schema());
    // What is taken back was never there.
    let mut tx = store.write().await.unwrap();
    tx.put_setting(Setting::BaseCurrency, "JPY").await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = store.write().await.unwrap();
    tx.put_setting(Setting::BaseCurrency, "EUR").await.unwrap();
    drop(tx);
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.setting(Setting::BaseCurrency).await.unwrap().unwrap(), "CAD");
    assert_eq!(tx.revision().await.unwrap(), 1);
    drop(tx);
    take_everything_away(store, told).await;
}

async fn write_one_of_everything(store: &Store, told: &mut Vec<String>) {
    let mut tx = store.write().await.unwrap();
    told.push(format!("{} {} {}", tx.take_id(), tx.take_id(), tx.next_revision()));
    tx.expect_many().await.unwrap();
    ask!(told, tx.next_batch());
    let mut batch = BatchRow { id: BatchId(1), op: "op-1".to_owned(), created: NOW, undone: None };
    tx.insert_batch(&batch).await.unwrap();
    batch.undone = Some(NOW + 9);
    tx.update_batch(&batch).await.unwrap();
    let file = BatchFile { batch: 1, path: WORDS.to_owned(), new: 2, ..BatchFile::default() };
    let staged = StagedRow {
        batch: BatchId(1),
        file_no: 0,
        line: 7,
        part: 1,
        verdict: Verdict::Refused,
        transaction: None,
        column: Some("amount".to_owned()),
        why: Some("wrong".to_owned()),
        raw: WORDS.to_owned(),
    };
    tx.insert_batch_files(&[file], &[staged]).await.unwrap();
    tx.insert_raw(BatchId(1), 0, 2, "2\tfirst row\n3\tsecond \\x00 row\n").await.unwrap();
    tx.insert_raw(BatchId(1), 0, 4, "4\tthird row\n").await.unwrap();

    let bank = tx.institution(&text("Bank"), Some(BatchId(1))).await.unwrap();
    assert_eq!(tx.institution(&text("Bank"), None).await.unwrap(), bank);
    let mut first = account(10, "First");
    tx.insert_account(&first).await.unwrap();
    tx.insert_account(&account(11, "Second")).await.unwrap();
    first.institution = Some(bank);
    first.account.name = text("Renamed");
    tx.update_account(&first).await.unwrap();
    tx.lead_name(&text("Renamed"), AccountId(10)).await.unwrap();
    let balance = |account: i64, date: NaiveDate, amount: &str| Balance {
        account: AccountId(account),
        date,
        amount: dec(amount),
        batch: Some(BatchId(1)),
        created: NOW,
    };
    for balance in [balance(11, day(2), "1"), balance(11, day(2), "-2"), balance(11, day(5), "3")] {
        tx.put_balance(&balance).await.unwrap();
    }

    tx.insert_securities(&[security(20, "X"), security(21, "Y")]).await.unwrap();
    tx.update_security(&security(20, "Z")).await.unwrap();
    let (source, symbol) = (text("former 7"), text("X"));
    let former = SymbolRecord { security: SecurityId(20), source, symbol, until: Some(day(9)) };
    tx.put_symbol(&former).await.unwrap();
    let gone = SymbolRecord { source: text("gone"), ..former };
    tx.put_symbol(&gone).await.unwrap();
    tx.remove_symbol(&gone).await.unwrap();
    let category = |id: i64, name: &str, parent: Option<i64>| CategoryRecord {
        id: CategoryId(id),
        name: text(name),
        parent: parent.map(CategoryId),
        batch: Some(BatchId(1)),
    };
    tx.insert_categories(&[category(50, "Eat", None), category(51, "All", None)]).await.unwrap();
    tx.update_category(&category(50, "Food", Some(51))).await.unwrap();

    let mut rows = vec![full(30, 10, 20, day(4)), full(31, 10, 20, day(4)), bare(32, 11, day(3))];
    let mut deleted = bare(33, 11, day(1));
    deleted.transaction.deleted = true;
    deleted.transaction.source_id = Some(text("i1"));
    rows.push(deleted);
    for id in 100..110 {
        let mut row = bare(id, 11, day(20));
        // Rows of one place have no order that the store promises.
        row.transaction.seq = id;
        rows.push(row);
    }
    // Both roads into the table, with every sort of value.
    let (few, many): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.transaction.id.0 % 2 == 0);
    tx.insert_transactions(&few).await.unwrap();
    tx.keep_names_near().await.unwrap();
    tx.insert_many_transactions(&many).await.unwrap();
    let before = rows[0].clone();
    rows[0].transaction.facts.date = day(6);
    rows[0].transaction.version = 2;
    tx.remember_place(&before).await.unwrap();
    tx.update_transaction(&rows[0]).await.unwrap();
    let version = Version {
        transaction: TransactionId(30),
        version: 1,
        replaced: NOW,
        op: "op-1".to_owned(),
        batch: Some(BatchId(1)),
        cause: "edit".to_owned(),
        body: format!("{{\"words\":\"{WORDS}\"}}"),
    };
    tx.insert_versions(&[Version { body: "{}".to_owned(), ..version.clone() }]).await.unwrap();
    tx.update_version(&version).await.unwrap();
    let version = EntityVersion {
        entity: "account",
        id: 10,
        version: 1,
        replaced: NOW,
        op: "op-1".to_owned(),
        body: "{}".to_owned(),
    };
    tx.insert_entity_version(&version).await.unwrap();
    let saying = |key: &str, revision: i64, batch: i64| Saying {
        entity: "account".to_owned(),
        key: key.to_owned(),
        revision,
        batch: BatchId(batch),
        fields: "{}".to_owned(),
    };
    let sayings = [saying("10", 0, 0), saying("10", 1, 1), saying("11", 1, 1), saying("12", 1, 0)];
    tx.put_sayings(&sayings).await.unwrap();
    tx.put_sayings(&[Saying { fields: WORDS.to_owned(), ..saying("11", 1, 1) }]).await.unwrap();
    let claim = |id: i64, batch: i64| Claim {
        transaction: TransactionId(id),
        batch: BatchId(batch),
        file_no: 0,
        line: 2,
        seq: 1,
        version: 1,
        said: 5,
    };
    tx.insert_claims(&[claim(30, 1), claim(30, 0), claim(32, 1)]).await.unwrap();
    tx.replace_claims(&[Claim { version: 2, said: 7, ..claim(30, 0) }]).await.unwrap();

    tx.insert_prices(&[price(20, day(2)), price(20, day(3))]).await.unwrap();
    let mut other = price(20, day(3));
    other.price.close = dec("3");
    tx.replace_price(&price(20, day(3)), &other).await.unwrap();
    tx.insert_rates(&[rate(day(2)), rate(day(3))]).await.unwrap();
    let mut other = rate(day(3));
    other.rate.rate = dec("0.8");
    tx.replace_rate(&rate(day(3)), &other).await.unwrap();
    let again = BatchRow { id: BatchId(2), op: "op-2".to_owned(), created: NOW, undone: None };
    tx.insert_batch(&again).await.unwrap();
    tx.claim_prices(BatchId(2), &[price(20, day(2)).price], &[rate(day(2)).rate]).await.unwrap();

    let batch = Some(BatchId(1));
    write_what_is_watched(&mut tx).await;
    let (dimension, key) = (text("class"), text("etf"));
    let (weight, band) = (dec("0.5"), Some(dec("0.05")));
    let target = AllocationTarget { dimension, key, weight, band, batch };
    tx.put_target(&target).await.unwrap();
    assert!(tx.remove_target(target.dimension.as_str(), target.key.as_str()).await.unwrap());
    assert!(!tx.remove_target(target.dimension.as_str(), target.key.as_str()).await.unwrap());
    tx.put_target(&target).await.unwrap();
    let finding = |id: i64, transaction: i64| Finding {
        id,
        kind: "kind".to_owned(),
        severity: "info".to_owned(),
        transaction: Some(TransactionId(transaction)),
        account: Some(AccountId(10)),
        security: None,
        date: Some(day(4)),
        detail: WORDS.to_owned(),
        created: NOW,
        settled: None,
    };
    tx.insert_findings(&[finding(70, 30), finding(71, 32)]).await.unwrap();
    tx.put_setting(Setting::BaseCurrency, "USD").await.unwrap();
    tx.put_setting(Setting::BaseCurrency, "CAD").await.unwrap();
    let amount = Exact::parse("-123456789012345678901234567890123456789.5").unwrap();
    let tally = Tally { rows: 2, trades: 1, prices: 0, amount };
    let key = (Some(AccountId(10)), Some(SecurityId(20)), Currency::USD);
    let prices = (None, Some(SecurityId(20)), Currency::CAD);
    let gone = (None, None, Currency::EUR);
    // A row that leads to a security counts where it is, not a second time.
    let counted = Tally { prices: 2, rows: 1, ..Tally::default() };
    let entries = BTreeMap::from([(key, tally), (prices, counted), (gone, Tally::default())]);
    tx.put_tally(&entries).await.unwrap();
    tx.put_tally(&BTreeMap::from([(gone, Tally::default())])).await.unwrap();
    let mut bank = connection(60, "Bank");
    tx.insert_connection(&bank).await.unwrap();
    tx.insert_connection(&connection(61, "Broker")).await.unwrap();
    // The same id at both is two accounts; the last word counts.
    for (connection, account) in [(60, 11), (60, 10), (61, 11)] {
        let connection = ConnectionId(connection);
        tx.put_remote_account(connection, &text("1"), AccountId(account)).await.unwrap();
    }
    // The last word counts here too, and what is opened is there no more.
    for what in [Some(Unopened::All), Some(Unopened::Early)] {
        tx.put_unopened(AccountId(10), what).await.unwrap();
    }
    for what in [Some(Unopened::Cash), None] {
        tx.put_unopened(AccountId(11), what).await.unwrap();
    }
    // The last word counts of what rests, too.
    for (connection, since) in [(60, Some(NOW)), (60, Some(NOW + 1)), (61, Some(NOW)), (61, None)] {
        tx.put_paused(ConnectionId(connection), since).await.unwrap();
    }
    // The last two generations are kept, and the second one is sealed anew.
    for generation in 1..=3 {
        tx.insert_secret(&sealed(60, generation)).await.unwrap();
    }
    tx.insert_secret(&sealed(61, 1)).await.unwrap();
    let presented = SealedSecret { presented: Some(NOW), ..sealed(60, 3) };
    tx.update_secret(&presented).await.unwrap();
    bank.state = ConnectionState::Failed;
    tx.update_connection(&bank).await.unwrap();
    for failures in [7, 0] {
        tx.put_refresh(&RefreshRecord { failures, ..refreshed(60, Part::Quotes) }).await.unwrap();
    }
    tx.put_refresh(&refreshed(60, Part::Accounts)).await.unwrap();
    tx.put_ticks(&[tick(20, day(2), "1"), tick(21, day(5), "7")]).await.unwrap();
    tx.put_ticks(&[tick(20, day(4), "2.5")]).await.unwrap();
    ask!(told, tx.commit("op-1", "story", NOW));
    for used in [&[1_i64][..], &[-3, 0, 7]] {
        store.keep_used("bank 60", used).await.unwrap();
    }
    assert_eq!(store.used_of("bank 60").await.unwrap(), [-3, 0, 7]);
    assert_eq!(store.used_of("bank 61").await.unwrap(), [0; 0]);
    keep_told_windows(store).await;
    // One alone can mark it, and only the newest one can be marked.
    let marked = SealedSecret { presented: Some(NOW), ..sealed(61, 1) };
    for (was, is, done) in [
        (&sealed(61, 1), &marked, true),
        (&sealed(61, 1), &marked, false),
        (&marked, &sealed(61, 1), true),
        (&sealed(60, 2), &SealedSecret { presented: Some(NOW), ..sealed(60, 2) }, false),
    ] {
        assert_eq!(store.mark_presented(was, is).await.unwrap(), done);
    }
}

/// An entry of the watchlist written over and one taken off, an alert written over and one taken
/// away, and what was told.
async fn write_what_is_watched(tx: &mut WriteTx) {
    let batch = Some(BatchId(1));
    let watch = |security: i64, note: Option<SafeText>| {
        let (list, units_of) = (Some(text("list")), Some(day(2)));
        let (target, said_in) = (Some(dec("9.5")), Some(Currency::USD));
        let terms = WatchTerms { list, note, target, units_of, said_in };
        Watch { security: SecurityId(security), terms, batch }
    };
    for note in [None, Some(text(WORDS))] {
        tx.put_watch(&watch(20, note)).await.unwrap();
    }
    tx.put_watch(&watch(21, None)).await.unwrap();
    tx.remove_watch(&watch(21, None)).await.unwrap();
    let alert = |id: i64, of: AlertOf| {
        let (side, bound, note) = (Side::Above, dec("9.5"), Some(text(WORDS)));
        let terms = AlertTerms {
            of,
            side,
            bound,
            note,
            units_of: Some(day(2)),
            said_in: Some(Currency::USD),
            snoozed: None,
        };
        Alert { id: AlertId(id), security: SecurityId(20), terms, batch, crossed: None }
    };
    tx.insert_alert(&alert(60, AlertOf::Price)).await.unwrap();
    let mut other = alert(60, AlertOf::Stale);
    (other.terms.snoozed, other.crossed) = (Some(day(3)), Some(day(4)));
    tx.update_alert(&other).await.unwrap();
    for id in [61, 62] {
        tx.insert_alert(&alert(id, AlertOf::Price)).await.unwrap();
    }
    tx.remove_alert(&alert(62, AlertOf::Price)).await.unwrap();
    let log = |id: i64, source: Option<SafeText>| AlertLog {
        id,
        security: SecurityId(20),
        at: NOW,
        of: AlertOf::Price,
        side: Side::Below,
        bound: dec("9.5"),
        seen: dec("9.25"),
        seen_on: day(4),
        currency: source.as_ref().map(|_| Currency::USD),
        source,
    };
    tx.insert_alert_log(&[log(63, None), log(64, Some(text(WORDS)))]).await.unwrap();
}

/// Every question about lines, each of which both engines must answer alike.
async fn ask_for_lines(tx: &mut Tx, told: &mut Vec<String>) {
    let has = |text: &str| Fits::Text(text.to_owned());
    let not = |fits| Fits::Not(Box::new(fits));
    let amount = dec("-1234567890123456.789012345678");
    let all = Wanted { words: true, subtype: true, amount: true, quantity: true };
    let everywhere = Stretch::of_days(None, Some(day(10)));
    let (early, late) =
        (Stretch::of_days(None, Some(day(4))), Stretch::of_days(Some(day(5)), None));
    let one = Stretch { ids: Some(30..=30), ..Stretch::default() };
    let place = tx.lines(&[], &one, all).await.unwrap()[0].place;
    let here = Stretch::default().not_newer(place).not_older(place);
    let day_of = Stretch::default().from_day(day(6)).to_day(day(6));
    for (fits, ids, stretch) in [
        (vec![], vec![30, 31, 32], &everywhere),
        (vec![], vec![30], &one),
        (vec![], vec![30], &here),
        (vec![], vec![30], &day_of),
        (vec![Fits::Account(vec![AccountId(11)])], vec![32], &everywhere),
        (vec![Fits::Account(vec![])], vec![], &everywhere),
        (vec![Fits::Security(vec![SecurityId(20), SecurityId(21)])], vec![30, 31], &everywhere),
        (vec![not(Fits::Security(vec![SecurityId(20)]))], vec![32], &everywhere),
        (vec![Fits::Category(vec![CategoryId(50)])], vec![30, 31], &everywhere),
        (vec![not(Fits::Category(vec![]))], vec![30, 31, 32], &everywhere),
        (vec![Fits::Subtype(vec![Subtype::Buy, Subtype::Sell])], vec![30, 31], &everywhere),
        (vec![Fits::Status(vec![Status::Pending])], vec![30, 31], &everywhere),
        (vec![Fits::Origin(vec![Origin::Hand])], vec![32], &everywhere),
        (vec![Fits::Batch(BatchId(1))], vec![30, 31], &everywhere),
        (vec![not(Fits::Batch(BatchId(1)))], vec![32], &everywhere),
        (vec![Fits::Currency(Currency::USD)], vec![30, 31, 32], &everywhere),
        (vec![not(Fits::Days(day(6)..=day(6)))], vec![31, 32], &everywhere),
        (vec![Fits::Linked], vec![30, 31], &everywhere),
        (vec![has("nowhere\\%_"), Fits::Linked], vec![30, 31], &everywhere),
        (vec![Fits::Any(vec![has("x"), Fits::Currency(Currency::CAD)])], vec![30, 31], &everywhere),
        (vec![Fits::Amount(None, Some(amount))], vec![30, 31], &everywhere),
        (vec![Fits::Amount(Some(amount), Some(amount))], vec![30, 31], &everywhere),
        (vec![Fits::Amount(Some(Dec::ZERO), None)], vec![32], &everywhere),
        (vec![Fits::Quantity(Some(dec("-1.5")), Some(dec("-1.5")))], vec![], &everywhere),
        (vec![Fits::Quantity(Some(dec("1.5")), None)], vec![30, 31], &everywhere),
    ] {
        let mut lines = tx.lines(&fits, stretch, all).await.unwrap();
        lines.sort_by_key(|line| line.id);
        let found: Vec<_> = lines.iter().map(|line| line.id.0).collect();
        assert_eq!(found, ids, "{fits:?} {stretch:?}");
        told.push(format!("{fits:?} {lines:?}"));
    }
    let mut halves = Vec::new();
    for half in [&early, &late] {
        halves.extend(tx.lines(&[], half, Wanted::default()).await.unwrap());
    }
    halves.sort_by_key(|line| line.id);
    assert_eq!(halves.len(), 13, "{halves:?}");
    assert!(halves.iter().all(|line| line.words.is_none() && line.amount.is_none()));
    told.push(format!("{halves:?}"));
}

async fn ask_for_everything(tx: &mut Tx, told: &mut Vec<String>) {
    ask_for_lines(tx, told).await;
    // What was written is what comes back.
    let mut first = full(30, 10, 20, day(6));
    first.transaction.version = 2;
    assert_eq!(tx.transaction(TransactionId(30)).await.unwrap(), Some(first));
    let third = tx.transaction(TransactionId(32)).await.unwrap();
    assert_eq!(third, Some(bare(32, 11, day(3))));
    assert_eq!(tx.raw_record(BatchId(1), 0, 3).await.unwrap().unwrap(), "second \\x00 row");
    assert_eq!(tx.raw_record(BatchId(1), 0, 9).await.unwrap(), None);
    let held = tx.balance_on(AccountId(11), day(4)).await.unwrap().unwrap();
    assert_eq!(held.amount, dec("-2"), "the last on or before the day, written over");
    assert_eq!(tx.balance_on(AccountId(11), day(1)).await.unwrap(), None);
    let names: Vec<_> = tx.accounts().await.unwrap();
    let names: Vec<_> = names.iter().map(|row| row.account.name.as_str()).collect();
    assert_eq!(names, ["Renamed", "Second"]);
    assert_eq!(tx.damage().await.unwrap(), []);
    told.push(format!("{:?}", tx.dangling().await.unwrap()));
    assert!(tx.is_applied("op-1").await.unwrap() && !tx.is_applied("op-2").await.unwrap());
    assert_eq!(tx.span_of_days().await.unwrap(), Some(day(1)..=day(20)));
    let days = [day(1), day(3), day(4), day(5), day(6), day(7)];
    // The row of day 6 came on day 4, and the other one of day 4 is still there.
    assert_eq!(
        tx.days_with_rows(&days).await.unwrap(),
        BTreeSet::from([day(1), day(3), day(4), day(6)])
    );
    let moved = tx.transactions_by_key(&[(day(4), [30; 12])]).await.unwrap();
    assert_eq!(moved.iter().map(|row| row.transaction.id.0).collect::<Vec<_>>(), [30]);
    let known_as = tx.first_places(&[TransactionId(30), TransactionId(32)]).await.unwrap();
    assert_eq!(known_as, [(TransactionId(30), AccountId(10), 0)]);

    let all = TransactionFilter::default();
    let narrow = TransactionFilter {
        account: Some(AccountId(11)),
        currency: Some(Currency::USD),
        from: Some(day(2)),
        to: Some(day(10)),
        subtypes: Some(&[Subtype::Buy]),
    };
    let none = TransactionFilter { currency: Some(Currency::EUR), ..all };
    let place = Some((day(4), 3, dashtam::model::Rank::Buy as i64));
    let ids = [TransactionId(30), TransactionId(32), TransactionId(99)];
    let like = [price(20, day(2)), price(21, day(2))];
    let rates_like = [rate(day(2)), rate(day(9))];
    let (x, i1, i2) = (SecurityId(20), text("i1"), text("i2"));
    ask!(
        told,
        tx.revision(),
        tx.moves_alone(day(28)),
        tx.accounts(),
        tx.account_names(),
        tx.balances(),
        tx.securities(),
        tx.security_symbols(),
        tx.last_day_of(x),
        tx.last_day_of(SecurityId(99)),
        tx.categories(),
        tx.watchlist(),
        tx.alerts(),
        tx.alert_log(1),
        tx.alert_log(9),
        tx.targets(),
        tx.transactions_from(&all, None, 3),
        tx.transactions_from(&all, place, 100),
        tx.transactions_from(&narrow, None, 100),
        tx.transactions_from(&none, None, 100),
        tx.transactions_of_next_day(day(1)),
        tx.transactions_of_next_day(day(21)),
        tx.day_after_rows(None, (None, None), true, 1),
        tx.day_after_rows(Some(AccountId(11)), (Some(day(1)), Some(day(9))), false, 0),
        tx.day_after_rows(None, (None, None), false, 99),
        tx.span_of_ids(),
        tx.rows_of_days(None),
        tx.rows_of_days(Some(AccountId(11))),
        tx.count_rows(None),
        tx.count_rows(Some(AccountId(11))),
        tx.cash_lines(day(6), &[AccountId(10), AccountId(11)]),
        tx.cash_lines(day(6), &[]),
        tx.cash_year_at(AccountId(10), Currency::USD, 2024),
        tx.cash_year_at(AccountId(10), Currency::USD, 1900),
        tx.transactions_linked("event"),
        tx.deleted_transactions(),
        tx.edited_transactions(&BTreeSet::from([day(1), day(21)])),
        tx.shared_links(),
        tx.transactions_of_account(AccountId(11)),
        tx.openings(&[AccountId(10), AccountId(11)]),
        tx.first_days(&[AccountId(10), AccountId(11)]),
        tx.transactions_by_source(&[&i1, &i2]),
        tx.transactions_of_batch(BatchId(1)),
        tx.transactions_told(AccountId(1), day(1)),
        tx.pending_told(AccountId(1), day(1), day(2)),
        tx.pending_in(AccountId(1), day(1), day(2)),
        tx.transactions_by_id(&ids),
        tx.versions(TransactionId(30)),
        tx.entity_versions("account", "story"),
        tx.claims(&ids),
        tx.sayings_of("account", "11"),
        tx.sayings_beside(BatchId(1)),
        tx.declared("account"),
        tx.batches(),
        tx.batch_files(),
        tx.staged_rows(BatchId(1)),
        tx.prices(x, i64::MIN, i64::MAX),
        tx.prices(x, midnight_micros(day(3)), midnight_micros(day(3))),
        tx.rates(),
        tx.prices_like(&like),
        tx.rates_like(&rates_like),
        tx.rates_on(Currency::CAD, midnight_micros(day(2))),
        tx.rates_on(Currency::EUR, midnight_micros(day(2))),
        tx.rates_through(day(2)),
        tx.rates_latest(day(9)),
        tx.closes_on(&[day(2), day(5)], &[x, SecurityId(21)], 5),
        tx.closes_latest(&[x], day(1), 5),
        tx.closes_between(x, day(3), day(9)),
        tx.daily_bars(x, day(1), day(9)),
        tx.has_prices(),
        tx.prices_of_batch(BatchId(1)),
        tx.findings(),
        tx.settings(),
        tx.setting(Setting::BaseCurrency),
        tx.setting(Setting::TimeZone),
        tx.tally(),
        tx.used_accounts(),
        tx.used_securities(),
        tx.connections(),
        tx.remote_accounts(ConnectionId(60)),
        tx.remote_accounts(ConnectionId(61)),
        tx.unopened(),
        tx.paused(),
        tx.told_windows(ConnectionId(60), &text("1")),
        tx.told_windows(ConnectionId(61), &text("1")),
        tx.quotas(),
        tx.refreshes(),
        tx.secrets(),
        tx.secret(ConnectionId(60)),
        tx.ticks_since(day(1)),
    );
    let kept = tx.secrets().await.unwrap();
    let places: Vec<_> = kept.iter().map(|row| (row.connection.0, row.generation)).collect();
    assert_eq!(places, [(60, 2), (60, 3), (61, 1)]);
    assert_eq!(tx.secret(ConnectionId(60)).await.unwrap().as_ref(), kept.get(1));
    assert_eq!(tx.secret(ConnectionId(62)).await.unwrap(), None);
    let ticks = tx.ticks_since(day(4)).await.unwrap();
    assert_eq!(ticks, [tick(20, day(4), "2.5"), tick(21, day(5), "7")], "the newest of each");
    assert_eq!(tx.ticks_since(day(5)).await.unwrap(), [tick(21, day(5), "7")]);
    for (connection, account) in [(60, 10), (61, 11)] {
        let known = tx.remote_accounts(ConnectionId(connection)).await.unwrap();
        assert_eq!(known, [(text("1"), AccountId(account))]);
    }
    assert_eq!(tx.unopened().await.unwrap(), [(AccountId(10), Unopened::Early)].into());
    assert_eq!(tx.paused().await.unwrap(), [(ConnectionId(60), NOW + 1)].into());
    let states: Vec<_> = tx.connections().await.unwrap().iter().map(|row| row.state).collect();
    assert_eq!(states, [ConnectionState::Failed, ConnectionState::Active]);
    let failures: Vec<_> = tx.refreshes().await.unwrap().iter().map(|row| row.failures).collect();
    assert_eq!(failures, [3, 0], "accounts, then quotes");
    let live = tx.transactions_from(&all, None, 100).await.unwrap();
    let ids: Vec<_> = live.iter().map(|row| row.transaction.id.0).take(3).collect();
    assert_eq!(ids, [32, 31, 30], "in the order of date, without the deleted one");
    assert_eq!(tx.count_rows(None).await.unwrap(), 2, "as the tally has it");
}

fn window(connection: i64, remote: &str, first: i64, told: &str) -> ToldWindow {
    let (connection, remote) = (ConnectionId(connection), text(remote));
    ToldWindow { connection, remote, first, last: first + 9, told: told.to_owned() }
}

/// What was told is kept by account, the last word counts, and what is asked again is forgotten.
async fn keep_told_windows(store: &Store) {
    let revision = store.revision().await.unwrap();
    for (connection, remote, first, told) in
        [(60, "1", 10, "[]"), (60, "1", 20, "[1]"), (60, "1", 20, "[2]"), (60, "2", 20, "[3]")]
    {
        let window = window(connection, remote, first, told);
        assert!(store.keep_told(&window, async { true }).await.unwrap());
    }
    store.keep_told(&window(61, "1", 20, "[4]"), async { true }).await.unwrap();
    let lost = window(60, "1", 20, "[5]");
    assert!(!store.keep_told(&lost, async { false }).await.unwrap(), "the lease is lost");
    assert_eq!(store.revision().await.unwrap(), revision, "no figure sees it");
    let told = async |connection, remote| {
        let mut tx = store.read().await.unwrap();
        tx.told_windows(ConnectionId(connection), &text(remote)).await.unwrap()
    };
    assert_eq!(told(60, "1").await, [window(60, "1", 20, "[2]"), window(60, "1", 10, "[]")]);
    store.forget_told_since(ConnectionId(60), &text("1"), 11).await.unwrap();
    assert_eq!(told(60, "1").await, [window(60, "1", 10, "[]")]);
    assert_eq!(told(60, "2").await, [window(60, "2", 20, "[3]")]);
    assert_eq!(told(62, "1").await, []);
}

async fn take_everything_away(store: &Store, told: &mut Vec<String>) {
    let mut tx = store.write().await.unwrap();
    let rates = tx.rates().await.unwrap();
    tx.unclaim_prices(BatchId(1)).await.unwrap();
    // Of the two, one is claimed by the second batch too, which has it now.
    ask!(told, tx.prices(SecurityId(20), i64::MIN, i64::MAX), tx.rates());
    let left = tx.prices(SecurityId(20), i64::MIN, i64::MAX).await.unwrap();
    assert_eq!(left.iter().map(|row| row.batch).collect::<Vec<_>>(), [Some(BatchId(2))]);
    tx.unclaim_prices(BatchId(2)).await.unwrap();
    assert!(!tx.has_prices().await.unwrap() && tx.rates().await.unwrap().is_empty());
    for row in &left {
        tx.insert_prices(std::slice::from_ref(row)).await.unwrap();
        tx.forget_price(row).await.unwrap();
        assert!(!tx.has_prices().await.unwrap());
    }
    for row in &rates {
        tx.insert_rates(std::slice::from_ref(row)).await.unwrap();
        tx.forget_rate(row).await.unwrap();
        assert!(tx.rates().await.unwrap().is_empty());
    }
    tx.forget_claims_of(BatchId(1)).await.unwrap();
    tx.forget_sayings_of(BatchId(1)).await.unwrap();
    assert_eq!(tx.sayings_of("account", "10").await.unwrap().len(), 1, "what nobody said");
    ask!(told, tx.claims(&[TransactionId(30)]), tx.sayings_of("account", "12"));
    tx.forget_setting(Setting::BaseCurrency).await.unwrap();
    assert_eq!(tx.setting(Setting::BaseCurrency).await.unwrap().unwrap(), "USD");
    tx.inherit_places(TransactionId(30), TransactionId(32)).await.unwrap();
    ask!(told, tx.first_places(&[TransactionId(30), TransactionId(32)]));
    tx.inherit_places(TransactionId(32), TransactionId(30)).await.unwrap();
    let mut ids = vec![30, 31];
    tx.forget_transactions(&ids.drain(..).map(TransactionId).collect::<Vec<_>>()).await.unwrap();
    tx.forget_orphan_findings().await.unwrap();
    let findings = tx.findings().await.unwrap();
    assert_eq!(findings.iter().map(|finding| finding.id).collect::<Vec<_>>(), [71]);
    let named = Finding { kind: "other".to_owned(), ..findings[0].clone() };
    tx.put_finding(&named).await.unwrap();
    assert_eq!(tx.findings().await.unwrap(), [named]);
    tx.settle_findings(&findings, NOW + 1).await.unwrap();
    assert_eq!(tx.findings().await.unwrap(), []);
    for row in tx.balances().await.unwrap() {
        tx.forget_balance(&row).await.unwrap();
        assert!(!tx.balances().await.unwrap().contains(&row));
        tx.put_balance(&row).await.unwrap();
    }
    for row in tx.categories().await.unwrap() {
        let parent = tx.categories().await.unwrap().iter().any(|it| it.parent == Some(row.id));
        if tx.forget_category(row.id).await.unwrap() {
            tx.insert_categories(&[row]).await.unwrap();
        } else {
            assert!(parent || tx.count_rows(None).await.unwrap() > 0, "something has it");
        }
    }
    tx.forget_extras_of(BatchId(1)).await.unwrap();
    tx.forget_balances_of(BatchId(1)).await.unwrap();
    ask!(told, tx.categories(), tx.watchlist(), tx.alerts(), tx.targets(), tx.balances());
    ask!(told, tx.used_accounts(), tx.used_securities());
    ask!(told, tx.has_rows(AccountId(10)), tx.has_rows(AccountId(99)));
    ask!(told, tx.is_account_used(AccountId(10)), tx.is_account_used(AccountId(99)));
    ask!(told, tx.is_security_used(SecurityId(20)), tx.is_security_used(SecurityId(99)));
    tx.forget_security(SecurityId(20)).await.unwrap();
    tx.lead_all(AccountId(10), AccountId(11)).await.unwrap();
    tx.forget_account(AccountId(10)).await.unwrap();
    tx.forget_unused_institutions(BatchId(1)).await.unwrap();
    ask!(
        told,
        tx.accounts(),
        tx.account_names(),
        tx.securities(),
        tx.security_symbols(),
        tx.tally()
    );
    let names: BTreeMap<_, _> = tx.account_names().await.unwrap().into_iter().collect();
    assert_eq!(names.values().copied().collect::<BTreeSet<_>>(), BTreeSet::from([AccountId(11)]));
    assert_eq!(names.len(), 3);
    let known = tx.remote_accounts(ConnectionId(60)).await.unwrap();
    assert_eq!(known, [(text("1"), AccountId(11))], "it follows its account into another");
    assert_eq!(tx.spend_secrets(NOW).await.unwrap(), [ConnectionId(60)]);
    let spent = tx.secret(ConnectionId(60)).await.unwrap().unwrap();
    assert_eq!((spent.presented, spent.serves_once), (Some(NOW), true));
    tx.forget_told(ConnectionId(60)).await.unwrap();
    ask!(
        told,
        tx.told_windows(ConnectionId(60), &text("1")),
        tx.told_windows(ConnectionId(61), &text("1"))
    );
    assert_eq!(tx.told_windows(ConnectionId(60), &text("2")).await.unwrap(), []);
    assert_eq!(tx.told_windows(ConnectionId(61), &text("1")).await.unwrap().len(), 1);
    tx.remove_secrets(ConnectionId(60)).await.unwrap();
    assert_eq!(tx.secrets().await.unwrap(), [sealed(61, 1)]);
    assert_eq!(tx.damage().await.unwrap(), []);
    ask!(told, tx.commit("op-2", "story", NOW));
}

#[tokio::test]
async fn both_engines_tell_the_same_story() {
    let mut stories: Vec<(&str, Vec<String>)> = Vec::new();
    for engine in engines().await {
        let mut told = Vec::new();
        story(&engine.session.store, &mut told).await;
        let place = target(&engine.config);
        for reader in [Store::open_read_only(&place).await, Store::open_to_watch(&place).await] {
            let reader = reader.unwrap();
            assert_eq!(reader.engine(), engine.name);
            let mut tx = reader.write().await;
            let refused = match &mut tx {
                Ok(tx) => tx.put_setting(Setting::BaseCurrency, "USD").await.err(),
                Err(_) => tx.err(),
            };
            assert!(refused.is_some(), "a reader cannot write on {}", engine.name);
            reader.close().await;
        }
        let connected = Store::connect(&place).await.unwrap();
        connected.migrate().await.unwrap();
        connected.close().await;
        for store in [Store::peek(&place).await.unwrap(), Store::open(&place).await.unwrap()] {
            assert_eq!(store.revision().await.unwrap(), 2);
            store.close().await;
        }
        stories.push((engine.name, told));
        engine.close().await;
    }
    for (name, story) in &stories {
        for (mine, first) in story.iter().zip(&stories[0].1) {
            assert_eq!(mine, first, "{name} and {}", stories[0].0);
        }
        assert_eq!(story.len(), stories[0].1.len());
    }
}

/// Goes on with work until it has had to wait so often, and gives it up then. True: it ended before.
async fn goes_on_for(waits: usize, work: impl Future) -> bool {
    let (mut work, mut left) = (pin!(work), waits);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test]
async fn a_read_that_is_given_up_at_any_time_is_in_nobodys_way() {
    for engine in engines().await {
        let store = &engine.session.store;
        for waits in 0.. {
            let read = async { store.read().await.unwrap().revision().await.unwrap() };
            let ended = goes_on_for(waits, read).await;
            // More often than connections were opened: each of them takes writes.
            for _ in 0..4 {
                let tx = store.write().await.unwrap();
                tx.try_writing().await.unwrap_or_else(|error| {
                    panic!("{}, given up after {waits} waits: {error}", engine.name)
                });
            }
            if ended {
                break;
            }
        }
        engine.close().await;
    }
}

fn holder(pid: i64) -> Holder {
    Holder { host: text("here"), pid, since: NOW }
}

#[tokio::test]
async fn one_holds_the_lease_and_others_see_who() {
    for engine in engines().await {
        let store = &engine.session.store;
        let other = Store::open(&target(&engine.config)).await.unwrap();
        assert_eq!(other.lease_holder().await.unwrap(), None);
        let revision = store.revision().await.unwrap();
        let lease = store.try_lease(&holder(1)).await.unwrap().unwrap();
        assert!(lease.is_held().await);
        assert!(other.try_lease(&holder(2)).await.unwrap().is_none(), "on {}", engine.name);
        assert!(store.try_lease(&holder(3)).await.unwrap().is_none(), "not twice in a process");
        assert_eq!(other.lease_holder().await.unwrap(), Some(holder(1)));
        lease.release().await.unwrap();
        assert_eq!(other.lease_holder().await.unwrap(), None);
        // Whoever goes without a word leaves the name, and the lease all the same.
        drop(other.try_lease(&holder(4)).await.unwrap().unwrap());
        assert_eq!(store.lease_holder().await.unwrap(), Some(holder(4)));
        let mut waiting = Waiting::default();
        let mut taken = store.try_lease_again(&holder(5), &mut waiting).await.unwrap();
        let begun = std::time::Instant::now();
        while taken.is_none() && begun.elapsed() < Duration::from_secs(5) {
            // A server notices a lost connection on its own time.
            tokio::time::sleep(Duration::from_millis(20)).await;
            taken = store.try_lease_again(&holder(5), &mut waiting).await.unwrap();
        }
        taken.expect("the lease of who went").release().await.unwrap();
        assert_eq!(store.revision().await.unwrap(), revision, "the store itself is as it was");
        other.close().await;
        engine.close().await;
    }
}

#[tokio::test]
async fn a_lease_that_was_taken_away_is_not_held() {
    for engine in engines().await {
        let store = &engine.session.store;
        let lease = store.try_lease(&holder(1)).await.unwrap().unwrap();
        match store {
            Store::Sqlite(pool) => {
                let mut path = pool.connect_options().get_filename().as_os_str().to_owned();
                path.push("-refresh");
                std::fs::remove_file(&path).unwrap();
                assert!(!lease.is_held().await, "the file is gone");
                std::fs::write(&path, "").unwrap();
            }
            Store::Postgres(_) => {
                let end = "select pg_terminate_backend(pid) from pg_locks \
                     where locktype = 'advisory' and classid = 603477126";
                run(store, end).await;
            }
        }
        assert!(!lease.is_held().await, "on {}", engine.name);
        let next = store.try_lease(&holder(2)).await.unwrap();
        next.expect("it is free").release().await.unwrap();
        engine.close().await;
    }
}

/// F56: a server ends every connection, that of the trail too; whoever asks next has another one.
#[tokio::test]
async fn connections_that_a_server_ends_are_made_again() {
    for engine in engines().await {
        let store = &engine.session.store;
        let Store::Postgres(_) = store else { continue };
        let trail = AuditStore::open(&trail_of(&engine)).await.unwrap();
        for round in 0..5 {
            let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and pid <> pg_backend_pid()";
            run(store, end).await;
            let begun = std::time::Instant::now();
            let op = format!("round {round}");
            let write = async || store.write().await?.commit(&op, "test", NOW).await;
            while write().await.is_err() {
                assert!(begun.elapsed() < Duration::from_secs(30), "no connection to the store");
            }
            while append(&trail, attempt(&op, "ATTEMPTED", "h:1")).await.is_err() {
                assert!(begun.elapsed() < Duration::from_secs(30), "no connection to the trail");
            }
        }
        trail.close().await;
        engine.close().await;
    }
}

/// A process that holds the lock of a file and is killed.
#[tokio::test]
async fn the_lease_of_a_killed_process_is_free_at_once() {
    let engine = support::engines::sqlite().await;
    let path = engine.folder().join("dashtam.db-refresh");
    let lock = "exec 9>\"$0\"; flock 9; echo held; exec sleep 60";
    let mut child = std::process::Command::new("sh")
        .args(["-c", lock])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut said).unwrap();
    assert_eq!(said, "held\n");
    let store = &engine.session.store;
    assert!(store.try_lease(&holder(1)).await.unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    store.try_lease(&holder(1)).await.unwrap().expect("it is free").release().await.unwrap();
    engine.close().await;
}

#[test]
fn nothing_that_the_store_can_do_is_missing_from_the_story() {
    let mine = include_str!("store_contract.rs");
    let mut found = 0;
    for file in support::rust_files("src/store") {
        for line in support::read(&file).lines() {
            let Some(rest) = line.trim_start().strip_prefix("pub async fn ") else { continue };
            let name = rest.split(['(', '<']).next().unwrap();
            let called = [format!(".{name}("), format!("::{name}(")];
            let is_called = called.iter().any(|call| mine.contains(call.as_str()));
            assert!(is_called, "{}: `{name}` is in no story", support::short(&file));
            found += 1;
        }
    }
    assert!(found > 80, "only {found} functions found");
}

// What somebody asks who wants to know whether all is well.

#[tokio::test]
async fn figures_that_are_made_to_be_compared_stay_beside_the_kept_ones() {
    for engine in engines().await {
        let store = &engine.session.store;
        write_one_of_everything(store, &mut Vec::new()).await;
        let currency = Currency::USD;
        let kept = CashYear {
            account: AccountId(10),
            currency,
            year: 2024,
            opening: Exact::ZERO,
            days: vec![1],
        };
        let kept = vec![kept];
        let mut tx = store.write().await.unwrap();
        tx.put_cash_years(&kept).await.unwrap();
        tx.commit("op-figures", "test", NOW).await.unwrap();
        let mut made = store.rehearse().await.unwrap();
        assert_eq!(made.cash_years().await.unwrap(), [], "on {}", engine.name);
        let facts = made.accounts().await.unwrap();
        assert_eq!(facts, store.read().await.unwrap().accounts().await.unwrap());
        let groups = store.read().await.unwrap().lot_groups().await.unwrap();
        assert_eq!(made.lot_groups().await.unwrap(), groups);
        made.put_cash_years(&kept).await.unwrap();
        made.put_lot_group(SecurityId(1), SecurityId(2)).await.unwrap();
        made.figures_are_made().await.unwrap();
        assert_eq!(made.cash_years().await.unwrap(), kept);
        drop(made);
        let mut tx = store.read().await.unwrap();
        assert_eq!(tx.cash_years().await.unwrap(), kept);
        assert_eq!(tx.lot_groups().await.unwrap(), groups);
        drop(tx);
        engine.close().await;
    }
}

#[tokio::test]
async fn days_of_accounts_are_true_of_one_revision() {
    for engine in engines().await {
        let store = &engine.session.store;
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let kept = |through: &str| {
            let of = |account, days| AccountDays {
                account: AccountId(account),
                through: day(through),
                days,
            };
            vec![of(10, vec![1, 2]), of(11, Vec::new())]
        };
        let now = async || store.read().await.unwrap().account_days().await.unwrap();
        let through = async || store.read().await.unwrap().account_days_through().await.unwrap();
        assert!(!store.read().await.unwrap().has_quotes().await.unwrap());
        assert_eq!((now().await, through().await), (Vec::new(), None), "on {}", engine.name);
        let before = store.revision().await.unwrap();
        store.write().await.unwrap().keep_account_days(&kept("2024-05-31")).await.unwrap();
        assert_eq!(store.revision().await.unwrap(), before, "nothing that anybody sees changed");
        assert_eq!((now().await, through().await), (kept("2024-05-31"), Some(day("2024-05-31"))));
        let write = async |op: &str, from: Option<&str>| {
            let mut tx = store.write().await.unwrap();
            if let Some(from) = from {
                tx.carry_account_days(day(from)).await.unwrap();
            }
            tx.commit(op, "test", NOW).await.unwrap();
        };
        write("later", Some("2024-06-01")).await;
        assert_eq!(now().await, kept("2024-05-31"));
        write("earlier", Some("2024-05-04")).await;
        assert_eq!(now().await, kept("2024-05-03"));
        store.write().await.unwrap().try_writing().await.unwrap();
        assert_eq!(now().await, kept("2024-05-03"), "it is no write that anybody hears of");
        let mut undone = store.write().await.unwrap();
        undone.carry_account_days(day("2020-01-01")).await.unwrap();
        undone.rollback().await.unwrap();
        assert_eq!(now().await, kept("2024-05-03"), "what is taken back leaves all as it was");
        write("unsaid", None).await;
        assert_eq!((now().await, through().await), (Vec::new(), None));
        write("too late", Some("2024-06-01")).await;
        assert_eq!(now().await, [], "what is left behind stays there");
        store.write().await.unwrap().keep_account_days(&kept("2024-05-31")).await.unwrap();
        let mut tx = store.write().await.unwrap();
        tx.carry_account_days(NaiveDate::MIN).await.unwrap();
        tx.commit("everything", "test", NOW).await.unwrap();
        assert_eq!(now().await, []);
        write_one_of_everything(store, &mut Vec::new()).await;
        assert!(store.read().await.unwrap().has_quotes().await.unwrap());
        engine.close().await;
    }
}

#[tokio::test]
async fn a_store_that_is_well_says_so() {
    for engine in engines().await {
        write_one_of_everything(&engine.session.store, &mut Vec::new()).await;
        let store = Store::open_to_examine(&target(&engine.config)).await.unwrap();
        assert_ne!(store.engine_version().await.unwrap().as_str(), "");
        assert_eq!(store.self_check().await.unwrap(), []);
        let facts = store.server_facts().await.unwrap();
        assert_eq!(facts.is_some(), engine.name == "postgres");
        if let Some(facts) = facts {
            assert!(facts.version >= 130_000, "{facts:?}");
            assert_eq!((facts.encoding.as_str(), facts.tls), ("UTF8", None));
            assert!(facts.may_create && facts.unwritable.is_empty() && !facts.takes_no_writes);
        }
        let mut tx = store.read().await.unwrap();
        assert!(tx.newest_write().await.unwrap() >= Some(NOW));
        drop(tx);
        assert!(store.write().await.is_err() || store.try_lease(&holder(1)).await.is_err());
        store.close().await;
        let trail = AuditStore::open_to_examine(&trail_of(&engine)).await.unwrap().unwrap();
        let extent = trail.extent().await.unwrap();
        assert_eq!(extent.rows, extent.last);
        assert_eq!(trail.self_check().await.unwrap(), []);
        trail.close().await;
        engine.close().await;
    }
}

// Prices and rates by the day.

fn priced(security: i64, on: NaiveDate, source: &str, close: &str) -> PriceRecord {
    let row = price(security, on);
    let (source, close) = (text(source), dec(close));
    PriceRecord { price: Price { source, close, split_adjusted: false, ..row.price }, ..row }
}

/// Security, day of January 2024, source, price.
fn told(closes: &[(SecurityId, Close)]) -> Vec<String> {
    let line = |(security, close): &(SecurityId, Close)| {
        let day = (close.date - day(1)).num_days() + 1;
        format!("{security} {day} {} {}", close.source, close.close)
    };
    closes.iter().map(line).collect()
}

#[tokio::test]
async fn the_closes_of_days_are_those_that_price_them() {
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        tx.insert_securities(&[security(20, "X"), security(21, "Y")]).await.unwrap();
        let long_ago = NaiveDate::from_ymd_opt(2001, 5, 6).unwrap();
        let mut minute = priced(20, day(11), "b", "99");
        minute.price.interval = Interval::Minute;
        let rows = [
            priced(20, long_ago, "c", "-37.63"),
            priced(20, day(4), "c", "1"),
            priced(20, day(5), "b", "2"),
            priced(20, day(6), "b", "3"),
            priced(20, day(10), "a", "4"),
            priced(20, day(10), "b", "0"),
            priced(20, day(12), "a", "0.1234567890123456789012345678"),
            minute,
            priced(21, day(10), "a", "6"),
        ];
        tx.insert_prices(&rows).await.unwrap();
        let (x, y) = (SecurityId(20), SecurityId(21));
        let mut on = async |on: u32| told(&tx.closes_latest(&[x, y], day(on), 5).await.unwrap());
        assert_eq!(on(3).await, ["20 -8274 c -37.63"], "however old");
        assert_eq!(on(5).await, ["20 4 c 1", "20 5 b 2"]);
        // Of the tenth two, and neither the earlier one of `b`, nor that of `c`, six days old.
        let all = on(10).await;
        assert_eq!(all[all.len() - 3..], ["20 10 a 4", "20 10 b 0", "21 10 a 6"]);
        assert!(!all.contains(&"20 4 c 1".to_owned()));
        // The minute of the eleventh is no close of a day.
        let all = on(12).await;
        assert_eq!(all, ["20 10 b 0", "20 12 a 0.1234567890123456789012345678", "21 10 a 6"]);
        assert_eq!(on(31).await, ["20 12 a 0.1234567890123456789012345678", "21 10 a 6"]);
        let none = tx.closes_latest(&[SecurityId(99)], day(9), 5).await.unwrap();
        assert_eq!(told(&none), [""; 0]);
        assert_eq!(tx.closes_on(&[], &[x], 5).await.unwrap(), []);
        assert_eq!(tx.closes_on(&[day(9)], &[], 5).await.unwrap(), []);
        let days = [day(6), day(5), day(5)];
        let both = tx.closes_on(&days, &[y, x], 0).await.unwrap();
        assert_eq!(told(&both), ["20 5 b 2", "20 6 b 3"], "each once, none reached back for");
        let between = tx.closes_between(x, day(5), day(10)).await.unwrap();
        let closes: Vec<_> = between.iter().map(|close| close.close.to_string()).collect();
        assert_eq!(closes, ["2", "3", "4", "0"]);
        assert_eq!(tx.closes_between(x, NaiveDate::MIN, NaiveDate::MAX).await.unwrap().len(), 7);
        // What one source told last: nothing of another, nothing later, no minute.
        let last =
            [("b", 5, Some("2")), ("b", 11, Some("0")), ("c", 31, Some("1")), ("a", 9, None)];
        for (source, on, right) in last {
            let close = tx.close_by(x, &text(source), day(on)).await.unwrap();
            assert_eq!(close.map(|close| close.close), right.map(dec), "{source} {on}");
        }
        let all = tx.closes_between(x, NaiveDate::MIN, NaiveDate::MAX).await.unwrap();
        for source in ["b", "c", "nobody"] {
            let mine = all.iter().find(|close| close.source.as_str() == source);
            let first = tx.first_close_by(x, &text(source)).await.unwrap();
            assert_eq!(first, mine.map(|close| close.date), "{source}");
        }
        // The bars of the same days: of both sources on the tenth, and no minute.
        let bars = tx.daily_bars(x, day(6), day(11)).await.unwrap();
        let told = bars.iter().map(|told| format!("{} {}", told.source, told.bar.close));
        assert_eq!(told.collect::<Vec<_>>(), ["b 3", "a 4", "b 0"]);
        let Bar { date, open, high, low, volume, .. } = bars[0].bar;
        assert_eq!(
            (date, open, high, low, volume),
            (day(6), Some(dec("1")), Some(dec("2.5")), None, Some(dec("1000")))
        );
        let always = tx.daily_bars(x, NaiveDate::MIN, NaiveDate::MAX).await.unwrap();
        assert_eq!(always.len(), 7);
        drop(tx);
        engine.close().await;
    }
}

/// Whatever is stored, the few closes that are read price a day as all of them would.
#[tokio::test]
async fn few_closes_say_the_same_as_all() {
    let today = day(31);
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        tx.insert_securities(&[security(20, "X"), security(21, "Y")]).await.unwrap();
        // A walk that is no pattern: every security misses days, every source others.
        let mut rows = Vec::new();
        for (number, source) in [(1_u32, "hand"), (2, "file"), (3, "yahoo"), (5, "provider:x")] {
            for on in 1..=31_u32 {
                for id in [20_i64, 21] {
                    let draw =
                        (on * 7919 + number * 104_729 + u32::try_from(id).unwrap() * 31) % 97;
                    if draw < 12 {
                        rows.push(priced(id, day(on), source, &draw.to_string()));
                    }
                }
            }
        }
        assert!(rows.len() > 20, "{}", rows.len());
        tx.insert_prices(&rows).await.unwrap();
        let ids = [SecurityId(20), SecurityId(21)];
        let days: Vec<_> = (1..=31).map(day).collect();
        let few = tx.closes_on(&days, &ids, 5).await.unwrap();
        for id in ids {
            let all = tx.closes_between(id, day(1), day(31)).await.unwrap();
            let all: Series = all.into_iter().collect();
            let of_all_days: Series =
                few.iter().filter(|row| row.0 == id).map(|row| row.1.clone()).collect();
            for &on in &days {
                let one = tx.closes_latest(&[id], on, 5).await.unwrap();
                let one: Series = one.into_iter().map(|row| row.1).collect();
                for freshness in [1, 5] {
                    let right = price_on(&all, on, freshness, &[], today);
                    assert_eq!(price_on(&one, on, freshness, &[], today), right, "{id} {on}");
                    assert_eq!(price_on(&of_all_days, on, freshness, &[], today), right);
                }
            }
        }
        drop(tx);
        engine.close().await;
    }
}

#[tokio::test]
async fn the_latest_rates_are_those_of_each_pair() {
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        assert_eq!(tx.rates_latest(day(9)).await.unwrap(), []);
        let of = |base: &str, quote: &str, on: u32, source: &str, value: &str| {
            let mut row = rate(day(on));
            row.rate.base = Currency::parse(base).unwrap();
            row.rate.quote = Currency::parse(quote).unwrap();
            row.rate.source = text(source);
            row.rate.rate = dec(value);
            row
        };
        let rows = [
            of("CAD", "USD", 2, "file", "0.7"),
            of("CAD", "USD", 4, "file", "0.75"),
            of("CAD", "USD", 4, "hand", "-1"),
            of("CAD", "USD", 9, "file", "0.8"),
            of("CHF", "CAD", 8, "file", "1.5"),
            of("CHF", "EUR", 1, "file", "0.000000000001"),
            of("CHF", "EUR", 2, "file", "0"),
            of("CHF", "EUR", 3, "file", "-0.5"),
            of("GBP", "CAD", 6, "file", "1.7"),
            of("USD", "JPY", 3, "file", "150"),
        ];
        tx.insert_rates(&rows).await.unwrap();
        let told = |rates: &[Rate]| -> Vec<String> {
            let line = |rate: &Rate| format!("{}{} {}", rate.base, rate.quote, rate.rate);
            rates.iter().map(line).collect()
        };
        let latest = told(&tx.rates_latest(day(6)).await.unwrap());
        // A rate that can never serve hides none that can.
        let right =
            ["CADUSD 0.75", "CADUSD -1", "CHFEUR 0.000000000001", "GBPCAD 1.7", "USDJPY 150"];
        assert_eq!(latest, right);
        let last = [("file", 6, Some("0.75")), ("hand", 9, Some("-1")), ("file", 1, None)];
        for (source, on, right) in last {
            let told = tx.rate_by(Currency::CAD, Currency::USD, &text(source), day(on)).await;
            assert_eq!(told.unwrap().map(|rate| rate.rate), right.map(dec), "{source} {on}");
        }
        let firsts = [("file", Some(day(2))), ("hand", Some(day(4))), ("nobody", None)];
        for (source, first) in firsts {
            let told = tx.first_rate_by(Currency::CAD, Currency::USD, &text(source)).await;
            assert_eq!(told.unwrap(), first, "{source}");
        }
        let through = tx.rates_through(day(6)).await.unwrap();
        assert_eq!(through.len(), 8);
        let (mut few, mut all) = (Rates::new(Currency::CAD), Rates::new(Currency::CAD));
        few.extend(tx.rates_latest(day(6)).await.unwrap());
        all.extend(through);
        for from in
            ["CAD", "USD", "CHF", "EUR", "GBP", "JPY"].map(|code| Currency::parse(code).unwrap())
        {
            for to in [Currency::CAD, Currency::USD, Currency::EUR] {
                assert_eq!(few.on(from, to, day(6)), all.on(from, to, day(6)), "{from} {to}");
            }
        }
        drop(tx);
        engine.close().await;
    }
}

// References.

/// What a transaction refers to must be there, whichever way it is written.
#[tokio::test]
async fn no_transaction_refers_to_nothing() {
    let dangling: [fn(&mut StoredTransaction); 4] = [
        |row| row.transaction.account = AccountId(99),
        |row| row.transaction.security = Some(SecurityId(99)),
        |row| row.transaction.to_security = Some(SecurityId(99)),
        |row| row.category = Some(CategoryId(99)),
    ];
    for engine in engines().await {
        let store = &engine.session.store;
        write_one_of_everything(store, &mut Vec::new()).await;
        for (which, dangle) in dangling.iter().enumerate() {
            let says = format!("reference {which} on {}", engine.name);
            let (good, mut row) = (bare(201, 11, day(8)), bare(200, 11, day(8)));
            dangle(&mut row);
            let mut tx = store.write().await.unwrap();
            assert!(tx.insert_transactions(&[&good, &row]).await.is_err(), "{says}");
            tx.rollback().await.unwrap();

            let mut tx = store.write().await.unwrap();
            let inserted = tx.insert_many_transactions(&[&good, &row]).await;
            let committed = tx.commit("dangling", "test", NOW).await;
            assert!(inserted.is_err() || committed.is_err(), "{says}");

            let mut tx = store.write().await.unwrap();
            tx.insert_transactions(&[&good]).await.unwrap();
            row.transaction.id = good.transaction.id;
            assert!(tx.update_transaction(&row).await.is_err(), "{says}");
            tx.rollback().await.unwrap();
        }
        let mut tx = store.read().await.unwrap();
        let found = tx.transactions_by_id(&[TransactionId(200), TransactionId(201)]).await;
        assert_eq!(found.unwrap(), [], "all or nothing on {}", engine.name);
        drop(tx);
        engine.close().await;
    }
}

/// What transactions refer to cannot be taken away, and can once they are gone.
#[tokio::test]
async fn what_is_referred_to_stays() {
    for engine in engines().await {
        let store = &engine.session.store;
        write_one_of_everything(store, &mut Vec::new()).await;
        let mut tx = store.write().await.unwrap();
        tx.insert_account(&account(12, "Third")).await.unwrap();
        tx.insert_securities(&[security(22, "V"), security(23, "W")]).await.unwrap();
        let name = text("Alone");
        let category = CategoryRecord { id: CategoryId(52), name, parent: None, batch: None };
        tx.insert_categories(&[category]).await.unwrap();
        let mut row = full(200, 12, 22, day(8));
        row.transaction.to_security = Some(SecurityId(23));
        row.category = Some(CategoryId(52));
        tx.insert_transactions(&[&row]).await.unwrap();
        tx.commit("op-9", "test", NOW).await.unwrap();

        run(store, "delete from account_names where account_id = 12").await;
        let removals = [
            "delete from accounts where id = 12",
            "delete from securities where id = 22",
            "delete from securities where id = 23",
            "delete from categories where id = 52",
        ];
        for removal in removals {
            assert!(try_run(store, removal).await.is_err(), "{removal} on {}", engine.name);
        }
        run(store, "delete from transactions where id = 200").await;
        for removal in removals {
            run(store, removal).await;
        }
        engine.close().await;
    }
}

// The trail.

fn trail_of(engine: &Engine) -> AuditTarget {
    match target(&engine.config) {
        Target::Sqlite(_) => AuditTarget::Sqlite(engine.folder().join("audit.db")),
        server @ Target::Postgres(_) => server,
    }
}

fn attempt(op: &str, state: &str, actor: &str) -> AuditRow {
    AuditRow {
        seq: 0,
        at: NOW,
        op: op.to_owned(),
        action: "test".to_owned(),
        state: state.to_owned(),
        actor: actor.to_owned(),
        detail: WORDS.to_owned(),
        ..AuditRow::default()
    }
}

/// Adds a row as it is, under the next number.
async fn append(trail: &AuditStore, row: AuditRow) -> dashtam::store::Result<i64> {
    let mut tx = trail.begin().await?;
    let seq = tx.last().await? + 1;
    tx.insert(&AuditRow { seq, ..row }).await?;
    tx.commit().await?;
    Ok(seq)
}

#[tokio::test]
async fn the_trail_only_grows() {
    for engine in engines().await {
        let trail = AuditStore::open(&trail_of(&engine)).await.unwrap();
        let first = append(&trail, attempt("one", "ATTEMPTED", "h:1")).await.unwrap();
        let second = append(&trail, attempt("one", "SUCCEEDED", "h:1")).await.unwrap();
        assert_eq!(second, first + 1);
        append(&trail, attempt("two", "ATTEMPTED", "h:1")).await.unwrap();
        assert_eq!(trail.newest_done(None).await.unwrap().unwrap().op, "one");
        let open: Vec<_> = trail.open_attempts(0).await.unwrap();
        assert_eq!(open.iter().map(|row| row.op.as_str()).collect::<Vec<_>>(), ["two"]);
        assert_eq!(trail.open_attempts(open[0].seq).await.unwrap(), []);
        for (op, has) in [("one", true), (open[0].op.as_str(), false)] {
            assert_eq!(trail.has_outcome(op).await.unwrap(), has, "{op}");
        }
        // One attempt and one outcome each.
        for (op, state) in [("one", "ATTEMPTED"), ("one", "FAILED"), ("one", "SUCCEEDED")] {
            assert!(append(&trail, attempt(op, state, "h:1")).await.is_err(), "{op} {state}");
        }
        assert!(append(&trail, attempt("three", "MAYBE", "h:1")).await.is_err());
        let before = trail.rows().await.unwrap();
        let newest = trail.newest().await.unwrap();
        assert_eq!(usize::try_from(newest).unwrap(), before.len());
        assert_eq!(trail.rows_between(0, newest).await.unwrap(), before);
        assert_eq!(trail.rows_between(1, newest - 1).await.unwrap(), before[1..before.len() - 1]);
        assert_eq!(trail.rows_between(newest, newest).await.unwrap(), []);
        let table = match &trail {
            AuditStore::Sqlite(_) => "audit",
            AuditStore::Postgres(_) => "dashtam_audit.audit",
        };
        let empty = if engine.name == "sqlite" { "x''" } else { "''" };
        let values = format!("(1, 1, 'one', 'x', 'ATTEMPTED', 'x', 'x', 'x', '', 0, {empty})");
        let attacks = [
            format!("update {table} set detail = 'x'"),
            format!("update {table} set detail = detail where seq = 1"),
            format!("delete from {table}"),
            format!("delete from {table} where op_id = 'two'"),
            format!("insert into {table} values {values}"),
            match &trail {
                AuditStore::Sqlite(_) => format!("insert or replace into {table} values {values}"),
                AuditStore::Postgres(_) => format!("truncate {table}"),
            },
            match &trail {
                AuditStore::Sqlite(_) => format!("replace into {table} values {values}"),
                AuditStore::Postgres(_) => format!(
                    "insert into {table} values {values} on conflict (seq) do update set detail = ''"
                ),
            },
        ];
        for attack in attacks {
            let sql = AssertSqlSafe(attack.clone());
            let done = match &trail {
                AuditStore::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
                AuditStore::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
            };
            assert!(done.is_err(), "{} allows {attack}", engine.name);
            assert_eq!(trail.rows().await.unwrap(), before, "{attack}");
        }
        // What refuses it is as it was made; `tests/audit` takes it away.
        assert_eq!(trail.broken_guards().await.unwrap(), [""; 0]);
        let mut tx = trail.begin().await.unwrap();
        assert_eq!(tx.broken_guards().await.unwrap(), [""; 0]);
        assert_eq!(tx.mend_guards(&[]).await.unwrap(), [""; 0]);
        drop(tx);
        trail.close().await;
        engine.close().await;
    }
}

#[tokio::test]
async fn links_of_a_chain_are_added_read_and_taken_away_in_their_order() {
    for engine in engines().await {
        let trail = AuditStore::open(&trail_of(&engine)).await.unwrap();
        let loose = append(&trail, attempt("old", "ATTEMPTED", "h:1")).await.unwrap();
        let link = |link: i64, chain: &str| AuditRow {
            seq: loose + 1 + link,
            chain: chain.to_owned(),
            link,
            hash: vec![7; 32],
            ..attempt(&format!("{chain}{link}"), "ATTEMPTED", "h:1")
        };
        let mut tx = trail.begin().await.unwrap();
        for number in 0..4 {
            assert_eq!(tx.last().await.unwrap(), loose + number);
            tx.insert(&link(number, "c")).await.unwrap();
        }
        assert_eq!(tx.links("c", 1).await.unwrap().len(), 3);
        assert_eq!(tx.loose(0).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
        // A link has one place, and what was begun and dropped was never there.
        let mut tx = trail.begin().await.unwrap();
        assert!(tx.insert(&AuditRow { seq: loose + 9, ..link(2, "c") }).await.is_err());
        drop(tx);
        let mut tx = trail.begin().await.unwrap();
        tx.insert(&link(4, "d")).await.unwrap();
        drop(tx);
        let all: Vec<_> = (0..4).map(|number| link(number, "c")).collect();
        assert_eq!(trail.links("c", 0).await.unwrap(), all);
        assert_eq!(trail.links("c", 2).await.unwrap(), all[2..]);
        assert_eq!(trail.loose(0).await.unwrap().len(), 1);
        let chains = trail.chains().await.unwrap();
        assert_eq!(chains.len(), 1);
        assert_eq!((chains[0].rows, chains[0].first, chains[0].last), (4, 0, 3));
        assert_eq!((chains[0].first_seq, chains[0].last_seq), (loose + 1, loose + 4));
        assert!(trail.newest_purge("c").await.unwrap().is_none());
        let find = async |filter: AuditFilter| {
            let rows = trail.find(&filter).await.unwrap();
            rows.iter().map(|row| row.seq - loose).collect::<Vec<_>>()
        };
        let every = AuditFilter::default;
        assert_eq!(find(every()).await, [0, 1, 2, 3, 4]);
        assert_eq!(find(AuditFilter { newest: Some(2), ..every() }).await, [3, 4]);
        assert_eq!(find(AuditFilter { after: loose + 2, ..every() }).await, [3, 4]);
        assert_eq!(find(AuditFilter { until: Some(NOW), ..every() }).await, [0; 0]);
        assert_eq!(find(AuditFilter { from: Some(NOW + 1), ..every() }).await, [0; 0]);
        let action = |name: &str| AuditFilter { action: Some(name.to_owned()), ..every() };
        assert_eq!(find(action("test")).await, [0, 1, 2, 3, 4]);
        assert_eq!(find(action("tes")).await, [0; 0]);
        // What goes goes from the beginning, and what guards the rest is there again.
        let mut tx = trail.begin().await.unwrap();
        assert_eq!(tx.last_before("c", NOW).await.unwrap(), None);
        assert_eq!(tx.last_before("c", NOW + 1).await.unwrap().as_ref(), all.last());
        assert_eq!(tx.last_before("", NOW + 1).await.unwrap().unwrap().seq, loose);
        assert_eq!(tx.purge("c", 1, loose).await.unwrap(), 3);
        tx.commit().await.unwrap();
        assert_eq!(trail.rows().await.unwrap(), all[2..]);
        let sql = "delete from {audit}";
        let refused = match &trail {
            AuditStore::Sqlite(pool) => {
                let sql = AssertSqlSafe(sql.replace("{audit}", "audit"));
                sqlx::raw_sql(sql).execute(pool).await.is_err()
            }
            AuditStore::Postgres(pool) => {
                let sql = AssertSqlSafe(sql.replace("{audit}", "dashtam_audit.audit"));
                sqlx::raw_sql(sql).execute(pool).await.is_err()
            }
        };
        assert!(refused, "{}", engine.name);
        match target(&engine.config) {
            Target::Sqlite(_) => assert_eq!(trail.guard().await.unwrap(), None),
            Target::Postgres(server) => {
                assert!(trail.guard().await.unwrap().unwrap().is_ours);
                // It is another role that gives it away; `tests/audit` has one.
                assert!(AuditStore::give_away(&server, &server).await.is_err());
                let same = AuditStore::open_as(&server).await.unwrap();
                assert_eq!(same.rows().await.unwrap().len(), 2);
                same.close().await;
            }
        }
        trail.close().await;
        engine.close().await;
    }
}

/// The number of a process that ran on this machine and is gone.
fn dead_process() -> u32 {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let id = child.id();
    child.wait().unwrap();
    id
}

#[tokio::test]
async fn what_a_crash_left_open_is_settled_by_what_is_in_the_store() {
    for engine in engines().await {
        let audit = engine.session.audit().unwrap();
        let attempted = audit.attempt("look", "who am I").await.unwrap();
        attempted.failed("no matter").await.unwrap();
        let me = audit.rows().await.unwrap().last().unwrap().actor.clone();
        let (host, my_id) = me.rsplit_once(':').unwrap();
        assert_eq!(my_id, std::process::id().to_string());
        let gone = format!("{host}:{}", dead_process());
        // The test runner's own parent runs for sure.
        let running = format!("{host}:{}", std::os::unix::process::parent_id());
        let trail = AuditStore::open(&trail_of(&engine)).await.unwrap();
        for (op, actor) in [("done", &gone), ("undone", &gone), ("alive", &running), ("mine", &me)]
        {
            append(&trail, attempt(op, "ATTEMPTED", actor)).await.unwrap();
        }
        append(&trail, attempt("elsewhere", "ATTEMPTED", "another-host:1")).await.unwrap();
        let tx = engine.session.store.write().await.unwrap();
        tx.commit("done", "test", NOW).await.unwrap();
        trail.close().await;

        let again = Audit::open(
            &trail_of(&engine),
            &engine.session.store,
            &clock(),
            Place::of(&engine.config, &trail_of(&engine)),
        )
        .await
        .unwrap();
        let outcome = |rows: &[AuditRow], op: &str| {
            let row = rows.iter().find(|row| row.op == op && row.state != "ATTEMPTED");
            row.map(|row| format!("{} {} {}", row.state, row.action, row.detail))
        };
        let rows = again.rows().await.unwrap();
        let told = ["done", "undone", "mine", "alive", "elsewhere"].map(|op| outcome(&rows, op));
        let right = [
            Some("SUCCEEDED test recovered=true".to_owned()),
            Some("FAILED test reason=interrupted".to_owned()),
            // An earlier process had this one's number.
            Some("FAILED test reason=interrupted".to_owned()),
            None,
            None,
        ];
        assert_eq!(told, right, "on {}", engine.name);
        again.close().await;
        engine.close().await;
    }
}

#[tokio::test]
async fn whoever_listens_hears_of_a_write() {
    for engine in engines().await {
        let store = &engine.session.store;
        let mut changes = store.changes().await.unwrap();
        let silence = tokio::time::timeout(Duration::from_secs(2), changes.next());
        assert!(silence.await.is_err(), "nothing was written on {}", engine.name);
        write_one_of_everything(store, &mut Vec::new()).await;
        let heard = tokio::time::timeout(Duration::from_secs(20), changes.next()).await;
        assert!(matches!(heard, Ok(Ok(()))), "{heard:?} on {}", engine.name);
        engine.close().await;
    }
}

#[tokio::test]
async fn every_write_leaves_an_attempt_and_one_outcome() {
    for engine in engines().await {
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2024-01-02,A,DEPOSIT,,,,,USD,5\n";
        engine.import(&[("a.csv", file)]).await;
        engine.undo(BatchId(1)).await;
        assert!(dashtam::service::import::undo(&engine.session, BatchId(9)).await.is_err());
        let rows = engine.session.audit().unwrap().rows().await.unwrap();
        let told: Vec<_> =
            rows.iter().map(|row| (row.action.as_str(), row.state.as_str())).collect();
        assert_eq!(
            told,
            [
                ("import", "ATTEMPTED"),
                ("import", "SUCCEEDED"),
                ("import.undo", "ATTEMPTED"),
                ("import.undo", "SUCCEEDED"),
                ("import.undo", "ATTEMPTED"),
                ("import.undo", "FAILED"),
            ]
        );
        let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
        assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
        engine.close().await;
    }
}

#[tokio::test]
async fn figures_kept_in_an_older_way_are_made_again_before_they_are_seen() {
    for engine in engines().await {
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2024-01-02,A,BUY,X,2,5,,USD,\n2024-08-02,A,SELL,X,1,6,,USD,\n";
        engine.import(&[("a.csv", file)]).await;
        let store = &engine.session.store;
        let open = |access| Session::open(&engine.config, &engine.session.clock, access);
        let figures = [
            "delete from lot_pages",
            "delete from positions",
            "alter table lot_pages rename column half to year",
            "drop table figures_due",
            "drop table refresher",
            "drop table refreshes",
            "drop table remote_accounts",
            "drop table unopened",
            "drop table paused",
            "drop table told_windows",
            "drop table ticks",
            "drop table audit_evidence",
            "drop table secrets",
            "drop table quotas",
            "alter table securities drop column sector",
            "alter table securities drop column region",
            "alter table securities drop column tags",
            "drop table account_days",
            "alter table batches drop column checksum",
            "alter table batch_files drop column checksum",
            "alter table staged_rows drop column checksum",
            "alter table raw_records drop column checksum",
            "alter table claims drop column checksum",
            "alter table price_claims drop column checksum",
            "alter table rate_claims drop column checksum",
            "alter table moved_rows drop column checksum",
            "alter table entity_versions drop column checksum",
            "alter table sayings drop column checksum",
            "alter table findings drop column checksum",
            "alter table account_names drop column checksum",
            "alter table accounts drop column performance",
            "drop table alert_log",
            "alter table watchlist drop column list",
            "alter table watchlist drop column target",
            "alter table watchlist drop column units_of",
            "alter table alerts drop column what",
            "alter table alerts drop column units_of",
            "alter table alerts drop column snoozed",
            "alter table alerts drop column crossed",
            "alter table watchlist drop column said_in",
            "alter table alerts drop column said_in",
            "delete from _sqlx_migrations where version >= 3",
        ];
        // The second time as after a crash between the migration and the figures.
        for older in [&figures[..], &[figures[1], "insert into figures_due values (3)"]] {
            for sql in older {
                run(store, sql).await;
            }
            let refused = open(Access::Look).await.unwrap_err();
            assert!(refused.to_string().contains("dashtam migrate"), "{refused}");
            let session = open(Access::Write).await.unwrap();
            assert_eq!(dashtam::ledger::check(&session.store).await.unwrap(), BTreeSet::new());
            assert_eq!(session.store.read().await.unwrap().positions().await.unwrap().len(), 1);
            session.close().await;
            open(Access::Look).await.unwrap().close().await;
        }
        let trail = engine.session.audit().unwrap().rows().await.unwrap();
        let told = trail.iter().filter(|row| row.action == "migrate" && row.state == "SUCCEEDED");
        assert_eq!(told.count(), 2, "on {}", engine.name);
        engine.close().await;
    }
}

#[tokio::test]
async fn an_older_schema_is_only_touched_after_an_attempt() {
    for engine in engines().await {
        let trail = engine.session.audit().unwrap();
        assert_eq!(trail.rows().await.unwrap(), [], "a new store changes nothing that was there");
        // As old as no program knows: it cannot be migrated, and that it was tried stands written.
        run(&engine.session.store, "update _sqlx_migrations set version = -version").await;
        let (config, access) = (&engine.config, Access::Write);
        let opened = Session::open(config, &clock(), access).await;
        assert_eq!(opened.unwrap_err().kind(), "storage");
        let rows = trail.rows().await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.action.as_str(), row.state.as_str(), row.detail.as_str()))
            .collect();
        let right = [("migrate", "ATTEMPTED", "from=-1"), ("migrate", "FAILED", "storage")];
        assert_eq!(told, right, "on {}", engine.name);
        engine.close().await;
    }
}

// A newer program.

#[tokio::test]
async fn a_store_of_a_newer_program_is_left_alone() {
    for engine in engines().await {
        let newer = newest_schema() + 1;
        let columns = "description, success, checksum, execution_time";
        let sql = format!(
            "insert into _sqlx_migrations (version, {columns}) \
             select {newer}, {columns} from _sqlx_migrations where version = {}",
            newest_schema()
        );
        run(&engine.session.store, &sql).await;
        let before = versions(&engine.session.store).await;
        let (name, config) = (engine.name, engine.config.clone());
        // The session stays open, so that the file is not tidied up meanwhile.
        let bytes = || match target(&config) {
            Target::Sqlite(path) => std::fs::read(path).unwrap(),
            Target::Postgres(_) => Vec::new(),
        };
        let file = bytes();
        for access in [Access::Write, Access::Look] {
            let opened = Session::open(&config, &clock(), access).await;
            let error = opened.err().unwrap_or_else(|| panic!("{name} opened a newer store"));
            assert_eq!(error.kind(), "newer_schema");
            assert!(error.to_string().contains("nothing was touched"), "{error}");
        }
        for opened in
            [Store::open(&target(&config)).await, Store::open_read_only(&target(&config)).await]
        {
            assert!(matches!(opened, Err(Error::Newer { found, known })
                if (found, known) == (newer, newest_schema())));
        }
        assert_eq!(versions(&engine.session.store).await, before);
        assert_eq!(bytes(), file);
        engine.close().await;
    }
}

async fn run(store: &Store, sql: &str) {
    try_run(store, sql).await.unwrap();
}

async fn try_run(store: &Store, sql: &str) -> sqlx::Result<()> {
    let sql = AssertSqlSafe(sql.to_owned());
    match store {
        Store::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        Store::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
    }
}

async fn versions(store: &Store) -> Vec<i64> {
    const SQL: &str = "select version from _sqlx_migrations order by version";
    match store {
        Store::Sqlite(pool) => sqlx::query_scalar(SQL).fetch_all(pool).await.unwrap(),
        Store::Postgres(pool) => sqlx::query_scalar(SQL).fetch_all(pool).await.unwrap(),
    }
}

// Whole tables, for backups.

/// A value of a row that is kept.
#[derive(Clone, Debug, PartialEq)]
enum Kept {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

type KeptTable = (&'static str, Vec<String>, Vec<Vec<Kept>>);

async fn whole_tables(store: &Store) -> Vec<KeptTable> {
    let mut tx = store.read().await.unwrap();
    let mut all = Vec::new();
    for table in tx.archived_tables().await.unwrap() {
        let mut rows = Vec::new();
        let each = |row: &[Value<'_>]| {
            let kept = |value: &Value<'_>| match *value {
                Value::Null => Kept::Null,
                Value::Int(number) => Kept::Int(number),
                Value::Text(text) => Kept::Text(text.to_owned()),
                Value::Bytes(bytes) => Kept::Bytes(bytes.to_vec()),
            };
            rows.push(row.iter().map(kept).collect());
            Ok::<(), Error>(())
        };
        tx.each_archived_row(&table, each).await.unwrap();
        all.push((table.name, table.columns(), rows));
    }
    all
}

/// Fills an empty store, a few rows at a time.
async fn put_whole_tables(store: &Store, tables: &[KeptTable], next_id: i64) {
    let mut tx = store.write().await.unwrap();
    assert!(!tx.has_content().await.unwrap());
    assert_eq!(tx.next_trail().await.unwrap(), 1);
    tx.expect_archived().await.unwrap();
    let known = tx.archived_tables().await.unwrap();
    for (name, columns, rows) in tables {
        let table = known.iter().find(|table| table.name == *name).unwrap();
        for rows in rows.chunks(2) {
            let value = |kept| match kept {
                &Kept::Null => Value::Null,
                Kept::Int(number) => Value::Int(*number),
                Kept::Text(text) => Value::Text(text),
                Kept::Bytes(bytes) => Value::Bytes(bytes),
            };
            let values: Vec<_> = rows.iter().flatten().map(value).collect();
            tx.put_archived(table, columns, &values).await.unwrap();
        }
        tx.end_archived().await.unwrap();
    }
    assert!(tx.has_content().await.unwrap());
    tx.go_on_behind(41, next_id);
    assert_eq!(tx.next_revision(), 42);
    tx.commit("op-3", "restore", NOW).await.unwrap();
}

/// A row that refers to one behind it.
const CHILD_FIRST: &str = "insert into categories (id, name, parent_id, checksum) values (901, 'parent', null, 0); \
     insert into categories (id, name, parent_id, checksum) values (900, 'child', 901, 0)";

#[tokio::test]
async fn whole_tables_go_from_each_engine_to_each() {
    let mut first: Option<Vec<KeptTable>> = None;
    for source in engines().await {
        let store = &source.session.store;
        write_one_of_everything(store, &mut Vec::new()).await;
        run(store, CHILD_FIRST).await;
        let damage = store.read().await.unwrap().damage().await.unwrap();
        let mut tx = store.read().await.unwrap();
        let next_id = tx.next_id().await.unwrap();
        assert_eq!(tx.last_op().await.unwrap().unwrap(), "op-1");
        drop(tx);
        let tables = whole_tables(store).await;
        let names: Vec<_> = tables.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, ARCHIVED);
        let empty: Vec<_> = tables.iter().filter(|(.., rows)| rows.is_empty()).collect();
        let empty: Vec<_> = empty.iter().map(|(name, ..)| *name).collect();
        assert_eq!(empty, [EVIDENCE], "of these there is no row");
        for target in engines().await {
            let other = &target.session.store;
            put_whole_tables(other, &tables, next_id).await;
            let mut copies = whole_tables(other).await;
            copies[0].2.retain(|row| row[0] != Kept::Text("op-3".to_owned()));
            assert_eq!(copies, tables, "from {} to {}", source.name, target.name);
            let mut tx = other.write().await.unwrap();
            assert_eq!(tx.take_id(), next_id);
            assert_eq!(tx.damage().await.unwrap(), damage);
            drop(tx);
            target.close().await;
        }
        assert_eq!(first.get_or_insert_with(|| tables.clone()), &tables, "on {}", source.name);
        source.close().await;
    }
}

#[tokio::test]
async fn every_table_is_in_a_backup_or_made_again() {
    let mut known: Vec<_> = [ARCHIVED, DERIVED, OF_ITS_OWN].concat();
    known.sort_unstable();
    for engine in engines().await {
        let sql = match &engine.session.store {
            Store::Sqlite(_) => {
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            }
            Store::Postgres(_) => {
                "select tablename::text from pg_tables where schemaname = current_schema()"
            }
        };
        let mut there: Vec<String> = match &engine.session.store {
            Store::Sqlite(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
            Store::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        };
        there.sort_unstable();
        assert_eq!(there, known, "a new table goes into a list of `store::archive`");
        engine.close().await;
    }
}

// Damage.

/// A column of a table whose rows carry a checksum.
#[derive(Clone, Debug)]
struct Column {
    table: String,
    name: String,
    kind: String,
}

/// Every stored value of a row with a checksum is changed, one at a time, behind the store's back:
/// each change must be found. The tables and columns are asked for, so nothing here knows them.
#[tokio::test]
async fn every_flipped_value_is_found() {
    for engine in engines().await {
        let store = engine.session.store.clone();
        write_one_of_everything(&store, &mut Vec::new()).await;
        let columns = columns(&store).await;
        assert!(columns.len() > 80, "{columns:?}");
        // A connection that lets references dangle, as damage does.
        let loose = match &store {
            Store::Sqlite(_) => Some(loose_pool(&engine).await),
            Store::Postgres(_) => None,
        };
        let mut missed = Vec::new();
        let mut flipped = 0;
        for column in columns {
            let Some(mut tx) = flip(&store, loose.as_ref(), &column).await else { continue };
            flipped += 1;
            let damage = tx.damage().await.unwrap();
            if !damage.iter().any(|damage| damage.table == column.table) {
                missed.push(format!("{}.{}", column.table, column.name));
            }
        }
        assert!(flipped > 80, "only {flipped} values were flipped on {}", engine.name);
        assert_eq!(missed, [""; 0], "flipped unseen on {}", engine.name);
        let mut tx = store.read().await.unwrap();
        assert_eq!(tx.damage().await.unwrap(), [], "every flip was taken back");
        drop(tx);
        if let Some(pool) = loose {
            pool.close().await;
        }
        engine.close().await;
    }
}

async fn loose_pool(engine: &Engine) -> SqlitePool {
    let Target::Sqlite(path) = target(&engine.config) else { panic!("no file") };
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

async fn columns(store: &Store) -> Vec<Column> {
    const SQLITE: &str = "select m.name, c.name, c.type from sqlite_master m, \
         pragma_table_info(m.name) c where m.type = 'table' and c.name <> 'checksum' and exists \
         (select 1 from pragma_table_info(m.name) s where s.name = 'checksum') \
         and m.name not like '\\_sqlx%' escape '\\' order by 1, c.cid";
    const POSTGRES: &str = "select c.table_name::text, c.column_name::text, c.data_type::text \
         from information_schema.columns c where c.table_schema = 'public' \
         and c.column_name <> 'checksum' and c.table_name not like '\\_sqlx%' and exists \
         (select 1 from information_schema.columns s where s.table_schema = 'public' \
         and s.table_name = c.table_name and s.column_name = 'checksum') order by 1, \
         c.ordinal_position";
    let rows: Vec<(String, String, String)> = match store {
        Store::Sqlite(pool) => sqlx::query_as(SQLITE).fetch_all(pool).await.unwrap(),
        Store::Postgres(pool) => sqlx::query_as(POSTGRES).fetch_all(pool).await.unwrap(),
    };
    let column = |(table, name, kind)| Column { table, name, kind };
    rows.into_iter().map(column).collect()
}

/// Changes one value of a column and gives the transaction in which that is so; none where there
/// is no value, or where the database itself refuses the change.
async fn flip(store: &Store, loose: Option<&SqlitePool>, column: &Column) -> Option<Tx> {
    let Column { table, name, kind } = column;
    let changed = match kind.to_lowercase().as_str() {
        "text" => format!("case when {name} = 'USD' then 'EUR' else {name} || '1' end"),
        "integer" if name == "deleted" || name == "derived" || name == "split_adjusted" => {
            format!("1 - {name}")
        }
        "integer" | "bigint" | "numeric" | "smallint" | "date" => format!("{name} + 1"),
        "boolean" => format!("not {name}"),
        "blob" => "x'000000000000000000000000'".to_owned(),
        "bytea" => "'\\x000000000000000000000000'::bytea".to_owned(),
        other => panic!("{table}.{name} is {other}"),
    };
    // Which row it is does not matter: one that has a value there.
    let one = match store {
        Store::Sqlite(_) => {
            let key = format!("select * from {table} where {name} is not null limit 1");
            format!("{name} = (select {name} from ({key}))")
        }
        Store::Postgres(_) => {
            format!("ctid = (select ctid from {table} where {name} is not null limit 1)")
        }
    };
    let sql = AssertSqlSafe(format!("update {table} set {name} = {changed} where {one}"));
    match store {
        Store::Sqlite(_) => {
            let mut tx = loose.unwrap().begin().await.unwrap();
            let done = sqlx::query(sql).execute(&mut *tx).await.ok()?;
            (done.rows_affected() > 0).then_some(Tx::Sqlite(tx))
        }
        Store::Postgres(pool) => {
            let mut tx = pool.begin().await.unwrap();
            let done = sqlx::query(sql).execute(&mut *tx).await.ok()?;
            (done.rows_affected() > 0).then(|| Tx::Postgres(tx.into()))
        }
    }
}

// What proposals are made from.

#[tokio::test]
async fn moves_without_a_link_and_splits_of_a_span_are_found() {
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        tx.insert_account(&account(10, "A")).await.unwrap();
        tx.insert_securities(&[security(20, "X")]).await.unwrap();
        let of = |id: i64, on: u32, subtype: Subtype| {
            let mut row = full(id, 10, 20, day(on));
            row.category = None;
            row.transaction.security = None;
            row.transaction.to_security = None;
            row.transaction.link = None;
            row.transaction.facts.category = None;
            row.transaction.facts.subtype = subtype;
            row.transaction.facts.ratio = None;
            row
        };
        let changed = |mut row: StoredTransaction, change: fn(&mut Transaction)| {
            change(&mut row.transaction);
            row
        };
        let split = |id: i64, on: u32| {
            let mut row = of(id, on, Subtype::Split);
            row.transaction.security = Some(SecurityId(20));
            row.transaction.facts.ratio = Ratio::parse("4:1");
            row
        };
        let moves = (40..).zip(Move::SUBTYPES).map(|(id, subtype)| of(id, 10, subtype));
        let mut rows: Vec<_> = moves.collect();
        rows.extend([
            changed(of(50, 9, Subtype::Deposit), |row| row.link = Some(text("a"))),
            changed(of(51, 9, Subtype::Deposit), |row| row.deleted = true),
            changed(of(52, 9, Subtype::Deposit), |row| row.facts.status = Status::Failed),
            of(53, 9, Subtype::Interest),
            of(54, 11, Subtype::Deposit),
            of(55, 8, Subtype::Deposit),
            changed(of(56, 9, Subtype::Fx), |row| row.link = Some(text("b"))),
            changed(of(57, 8, Subtype::Withdrawal), |row| row.link = Some(text("a"))),
            changed(of(58, 8, Subtype::Dividend), |row| row.link = Some(text("a"))),
            split(60, 4),
            split(61, 5),
            changed(split(62, 5), |row| row.deleted = true),
            changed(split(63, 5), |row| row.facts.status = Status::Cancelled),
            split(64, 7),
            split(65, 8),
        ]);
        tx.insert_transactions(&rows.iter().collect::<Vec<_>>()).await.unwrap();
        let mut moves = Vec::new();
        tx.each_unlinked_move(day(10), |row| moves.push(*row)).await.unwrap();
        assert_eq!(moves[0].id.0, 55, "by day");
        let mut ids: Vec<_> = moves.iter().map(|row| row.id.0).collect();
        ids.sort_unstable();
        assert_eq!(ids, [40, 41, 42, 43, 44, 45, 46, 47, 55], "on {}", engine.name);
        let stored = tx.transaction(TransactionId(55)).await.unwrap().unwrap().transaction;
        assert_eq!(Some(moves[0]), Move::of(&stored));
        let linked = tx.linked_cash().await.unwrap();
        let ids: Vec<_> = linked.iter().map(|row| row.transaction.id.0).collect();
        assert_eq!(ids, [50, 57, 56], "link by link");
        let mut of_cash = Vec::new();
        tx.each_cash_row(day(1), day(28), |row| of_cash.push(row)).await.unwrap();
        let counts: Vec<_> = rows
            .iter()
            .map(|row| &row.transaction)
            .filter(|row| row.security.is_none() && !row.deleted && row.facts.counts())
            .collect();
        assert!(of_cash.len() >= counts.len() && !counts.is_empty());
        assert!(of_cash.is_sorted_by_key(|row| row.date));
        for row in counts {
            let found = of_cash.iter().find(|found| found.id == row.id).unwrap();
            let facts = &row.facts;
            assert_eq!((found.date, found.subtype), (facts.date, facts.subtype));
            assert_eq!((found.amount, found.currency), (facts.amount, facts.currency));
            assert_eq!(found.fee, facts.fee.unwrap_or(Dec::ZERO));
        }
        tx.each_cash_row(day(28), day(1), |row| panic!("{row:?}")).await.unwrap();
        let splits = tx.splits_between(day(5), day(7)).await.unwrap();
        let ids: Vec<_> = splits.iter().map(|row| row.transaction.id.0).collect();
        assert_eq!(ids, [61, 64]);
        assert_eq!(splits[0].transaction.facts.ratio, Ratio::parse("4:1"));
        drop(tx);
        engine.close().await;
    }
}

#[tokio::test]
async fn what_is_pending_on_a_day_is_found() {
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        tx.insert_account(&account(10, "A")).await.unwrap();
        tx.insert_securities(&[security(20, "X"), security(21, "Y")]).await.unwrap();
        let of = |id: i64, on: u32, status: Status| {
            let mut row = full(id, 10, 20, day(on));
            row.category = None;
            row.transaction.to_security = Some(SecurityId(21));
            row.transaction.facts.category = None;
            row.transaction.facts.status = status;
            row
        };
        let mut deleted = of(44, 5, Status::Pending);
        deleted.transaction.deleted = true;
        let rows = [
            of(40, 5, Status::Pending),
            of(41, 5, Status::Settled),
            of(42, 5, Status::Failed),
            of(43, 6, Status::Pending),
            deleted,
        ];
        tx.insert_transactions(&rows.iter().collect::<Vec<_>>()).await.unwrap();
        let pending = PendingRow {
            id: TransactionId(40),
            date: day(5),
            account: AccountId(10),
            security: Some(SecurityId(20)),
            to_security: Some(SecurityId(21)),
            subtype: rows[0].transaction.facts.subtype,
        };
        assert_eq!(tx.pending(day(5)).await.unwrap(), [pending], "on {}", engine.name);
        assert!(pending.is_of(SecurityId(20), AccountId(10)));
        assert!(pending.is_of(SecurityId(21), AccountId(0)), "on its way it is in no account");
        assert!(!pending.is_of(SecurityId(20), AccountId(11)));
        assert!(!pending.is_of(SecurityId(22), AccountId(10)));
        drop(tx);
        engine.close().await;
    }
}

// Derived figures: bytes to the store, whatever is in them.

#[tokio::test]
async fn derived_figures_are_kept_as_they_are() {
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        let (a, b) = (SecurityId(20), SecurityId(21));
        assert_eq!(tx.first_day().await.unwrap(), None);
        assert!(tx.splits().await.unwrap().is_empty());
        assert_eq!(tx.last_day().await.unwrap(), None);
        tx.put_lot_group(a, b).await.unwrap();
        tx.put_lot_group(a, a).await.unwrap();
        tx.put_lot_group(b, a).await.unwrap();
        let groups: Vec<_> = tx.lot_groups().await.unwrap().into_iter().collect();
        assert_eq!(groups, [(a, a), (b, a)]);
        let page = |group, year, findings: &[u8]| LotPage {
            group,
            half: year,
            first_day: NaiveDate::from_ymd_opt(year, 2, 3).unwrap(),
            last_day: NaiveDate::from_ymd_opt(year, 11, 12).unwrap(),
            events: vec![0, 1, 255, 39],
            closing: Vec::new(),
            findings: findings.to_vec(),
        };
        let pages =
            [page(a, 2020, &[0]), page(a, 2022, &[1, 2]), page(b, 2021, &[0]), page(b, 2022, &[0])];
        tx.put_lot_pages(&pages[1..]).await.unwrap();
        let other = LotPage { closing: vec![7; 10_000], ..pages[3].clone() };
        tx.put_lot_pages(&[pages[0].clone(), other.clone()]).await.unwrap();
        assert_eq!(tx.lot_page(b, 2022).await.unwrap(), Some(other.clone()));
        assert_eq!(tx.lot_page(b, 2020).await.unwrap(), None);
        assert_eq!(tx.lot_pages_from(a, 2020).await.unwrap(), pages[..2]);
        assert_eq!(tx.lot_pages_from(a, 2021).await.unwrap(), pages[1..2]);
        assert_eq!(tx.lot_page_before(a, 2022).await.unwrap(), Some(pages[0].clone()));
        assert_eq!(tx.lot_page_before(a, 2020).await.unwrap(), None);
        let first: Vec<_> = tx.first_days_of_groups().await.unwrap().into_iter().collect();
        assert_eq!(first, [(a, pages[0].first_day), (b, pages[2].first_day)]);
        let at = tx.lot_pages_at(2021).await.unwrap();
        assert_eq!(at, [pages[0].clone(), pages[2].clone()]);
        let before = tx.lot_pages_before(2022).await.unwrap();
        assert_eq!(before, [pages[0].clone(), pages[2].clone()]);
        assert_eq!(tx.lot_pages_before(2021).await.unwrap(), []);
        let mut keys = tx.lot_page_keys().await.unwrap();
        keys.sort_unstable();
        assert_eq!(keys, [(a, 2020), (a, 2022), (b, 2021), (b, 2022)]);
        assert_eq!(tx.lot_findings().await.unwrap(), [vec![1, 2]]);
        assert_eq!(tx.groups_with_pages().await.unwrap(), [a, b]);
        let late = NaiveDate::from_ymd_opt(2022, 11, 13).unwrap();
        assert_eq!(tx.groups_with_rows_from(late).await.unwrap(), []);
        assert_eq!(tx.groups_with_rows_from(late.pred_opt().unwrap()).await.unwrap(), [a, b]);
        assert_eq!(tx.groups_with_rows_from(NaiveDate::MIN).await.unwrap(), [a, b]);
        tx.forget_lot_page(b, 2021).await.unwrap();
        assert_eq!(tx.lot_pages_from(b, 2000).await.unwrap(), [other]);

        let position = |account, security| PositionRecord {
            account: AccountId(account),
            security,
            group: a,
            figures: vec![9, 8],
        };
        tx.put_positions(a, &[position(2, a), position(1, b)]).await.unwrap();
        tx.put_positions(a, &[position(1, b), position(1, a)]).await.unwrap();
        tx.put_positions(b, &[]).await.unwrap();
        assert_eq!(tx.positions().await.unwrap(), [position(1, a), position(1, b)]);
        assert_eq!(tx.groups_of_account(AccountId(1)).await.unwrap(), [a]);
        assert_eq!(tx.groups_of_account(AccountId(2)).await.unwrap(), []);

        let year = |account, year, opening: &str| CashYear {
            account: AccountId(account),
            currency: Currency::CAD,
            year,
            opening: Exact::parse(opening).unwrap(),
            days: vec![1, 2, 3],
        };
        let years = [
            year(1, 2020, "0"),
            year(1, 2022, "-1.5"),
            year(2, 2021, "12345678901234567890123456789012345"),
        ];
        tx.put_cash_years(&years).await.unwrap();
        tx.put_cash_years(&years[1..2]).await.unwrap();
        assert_eq!(tx.cash_years().await.unwrap(), years);
        assert_eq!(tx.cash_years_at(2021).await.unwrap(), [years[0].clone(), years[2].clone()]);
        let from = tx.cash_years_from(AccountId(1), Currency::CAD, 2021).await.unwrap();
        assert_eq!(from, years[1..2]);
        tx.forget_cash_year(&years[0]).await.unwrap();
        assert_eq!(tx.cash_years().await.unwrap(), years[1..]);

        let transit = CashTransit {
            link: text("a link"),
            leaves: day(1),
            arrives: day(3),
            currency: Currency::USD,
            amount: dec("-12.25"),
        };
        let late = CashTransit { leaves: transit.arrives, ..transit.clone() };
        // Two of one link, in the order given, and nothing of what was said before.
        tx.put_cash_transit(&transit.link, &[transit.clone(), late.clone()]).await.unwrap();
        tx.put_cash_transit(&transit.link, &[late.clone(), transit.clone()]).await.unwrap();
        assert_eq!(tx.cash_transit().await.unwrap(), [late, transit.clone()]);
        tx.put_cash_transit(&transit.link, &[]).await.unwrap();
        assert_eq!(tx.cash_transit().await.unwrap(), []);

        assert!(!tx.are_figures_due().await.unwrap());
        tx.figures_are_made().await.unwrap();
        tx.forget_figures(false).await.unwrap();
        assert_eq!(tx.positions().await.unwrap(), []);
        assert_eq!(tx.groups_with_pages().await.unwrap(), []);
        assert_eq!(tx.lot_groups().await.unwrap().len(), 2);
        tx.forget_figures(true).await.unwrap();
        assert!(tx.lot_groups().await.unwrap().is_empty());
        drop(tx);
        engine.close().await;
    }
}

/// What is noted of a write is what it did, whichever way.
#[tokio::test]
async fn prices_rates_and_settings_that_change_are_noted() {
    for engine in engines().await {
        let mut tx = engine.session.store.write().await.unwrap();
        tx.insert_securities(&[security(20, "X")]).await.unwrap();
        assert_eq!(tx.take_noted(), Noted::default());
        tx.insert_prices(&[price(20, day(9)), price(20, day(8))]).await.unwrap();
        tx.insert_rates(&[rate(day(7)), rate(day(6))]).await.unwrap();
        tx.put_setting(Setting::BaseCurrency, "CAD").await.unwrap();
        let noted = tx.take_noted();
        assert_eq!(noted.rates_from, Some(day(6)));
        assert_eq!(noted.prices_from.into_iter().collect::<Vec<_>>(), [(SecurityId(20), day(8))]);
        assert!(noted.settings);
        let counts = tx.price_counts().await.unwrap();
        assert_eq!(counts, [(SecurityId(20), price(20, day(8)).price.currency, 2)]);
        let (before, mut after) = (rate(day(7)), rate(day(7)));
        after.rate.rate = dec("3");
        tx.replace_rate(&before, &after).await.unwrap();
        assert_eq!(tx.take_noted().rates_from, Some(day(7)));
        if let Some(batch) = rate(day(7)).batch {
            tx.unclaim_prices(batch).await.unwrap();
            let noted = tx.take_noted();
            assert!(noted.rates_from.is_some());
            assert_eq!(noted.prices_from.get(&SecurityId(20)), Some(&day(8)));
        }
        drop(tx);
        engine.close().await;
    }
}

#[tokio::test]
async fn a_server_that_takes_no_writes_says_so() {
    let Some(engine) = postgres().await else { return };
    let Target::Postgres(mut server) = target(&engine.config) else { panic!() };
    server.options.push(("default_transaction_read_only".to_owned(), "on".to_owned()));
    let store = Store::connect(&Target::Postgres(server)).await.unwrap();
    let written = async {
        let mut tx = store.write().await?;
        tx.put_setting(Setting::BaseCurrency, "CAD").await?;
        tx.commit("op", "test", 0).await
    };
    let error = written.await.unwrap_err();
    assert!(error.to_string().contains("takes no writes"), "{error}");
    store.close().await;
    engine.close().await;
}
