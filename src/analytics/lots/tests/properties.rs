//! What holds for any rows: nothing is lost, nothing is made, nothing depends on where one stops.

use std::collections::BTreeSet;

use chrono::Days;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use super::*;

const ACCOUNTS: [AccountId; 3] = [A, B, C];

/// What a person does, before it is known what is held.
#[derive(Clone, Debug)]
enum Deed {
    Buy {
        units: i64,
        cents: i64,
    },
    Sell {
        units: i64,
        cents: i64,
    },
    /// A part of what is held, in sixteenths.
    Move {
        to: usize,
        part: i64,
        when: When,
    },
    Split {
        ratio: &'static str,
    },
}

#[derive(Clone, Copy, Debug)]
enum When {
    OutFirst,
    InFirst,
    OutTheDayBefore,
    InTheDayBefore,
}

fn deeds() -> impl Strategy<Value = Vec<(usize, Deed)>> {
    let units = 1..5_000_000_i64;
    let cents = 1..1_000_000_i64;
    let whens =
        select(vec![When::OutFirst, When::InFirst, When::OutTheDayBefore, When::InTheDayBefore]);
    let deed = prop_oneof![
        4 => (units.clone(), cents.clone()).prop_map(|(units, cents)| Deed::Buy { units, cents }),
        3 => (units, cents).prop_map(|(units, cents)| Deed::Sell { units, cents }),
        2 => (0..3_usize, 1..=16_i64, whens)
            .prop_map(|(to, part, when)| Deed::Move { to, part, when }),
        1 => select(vec!["2:1", "3:2", "1:3", "7:11"]).prop_map(|ratio| Deed::Split { ratio }),
    ];
    prop::collection::vec((0..3_usize, deed), 1..40)
}

fn thousandths(units: i64) -> Dec {
    Exact::from(Dec::from_i64(units)).div_round(&Dec::from_i64(1000).into(), 3).unwrap()
}

fn cents(cents: i64) -> Dec {
    Exact::from(Dec::from_i64(cents)).div_round(&Dec::from_i64(100).into(), 2).unwrap()
}

/// The rows of the deeds, two days for each, and how much each account holds in the end.
fn rows_of(deeds: &[(usize, Deed)]) -> (Vec<Event>, [Dec; 3]) {
    let (mut rows, mut held) = (Vec::new(), [Dec::ZERO; 3]);
    for ((who, deed), at) in deeds.iter().zip(0_i32..) {
        let on = day("2020-01-01") + Days::new(2 * u64::from(at.unsigned_abs()));
        let next = on + Days::new(1);
        let id = 10 * i64::from(at) + 10;
        let account = ACCOUNTS[*who];
        let row = |subtype| Event { date: on, ..row(subtype, "2020-01-01", account, X) }.id(id);
        match *deed {
            Deed::Buy { units, cents: paid } => {
                let (units, paid) = (thousandths(units), cents(paid));
                held[*who] = held[*who].checked_add(units).unwrap();
                rows.push(Event { quantity: Some(units), amount: -paid, ..row(Subtype::Buy) });
            }
            Deed::Sell { units, cents: got } => {
                let (units, got) = (thousandths(units), cents(got));
                held[*who] = held[*who].checked_sub(units).unwrap();
                rows.push(Event { quantity: Some(-units), amount: got, ..row(Subtype::Sell) });
            }
            Deed::Split { ratio } => {
                let ratio = Ratio::parse(ratio).unwrap();
                let grown = Exact::from(held[*who]).mul(&ratio.new.into());
                held[*who] = grown.div_round(&ratio.old.into(), 12).unwrap();
                rows.push(Event { ratio: Some(ratio), ..row(Subtype::Split) });
            }
            Deed::Move { to, part, when } => {
                let whole = Exact::from(held[*who]).mul(&Dec::from_i64(part).into());
                let units = whole.div_round(&Dec::from_i64(16).into(), 12).unwrap();
                // What moves is what is held, to an account that is not short.
                if to == *who || !units.is_positive() || held[to].is_negative() {
                    continue;
                }
                held[*who] = held[*who].checked_sub(units).unwrap();
                held[to] = held[to].checked_add(units).unwrap();
                let out = Event { quantity: Some(-units), ..row(Subtype::TransferOut) };
                let into = Event { quantity: Some(units), ..row(Subtype::TransferIn) }
                    .account(ACCOUNTS[to])
                    .id(id + 1);
                let (out_on, in_on) = match when {
                    When::OutFirst | When::InFirst => (on, on),
                    When::OutTheDayBefore => (on, next),
                    When::InTheDayBefore => (next, on),
                };
                let (out, into) = (Event { date: out_on, ..out }, Event { date: in_on, ..into });
                let (out, into) = (out.clone().with(&into), into.with(&out));
                match when {
                    When::OutFirst | When::OutTheDayBefore => rows.extend([out, into]),
                    When::InFirst | When::InTheDayBefore => rows.extend([into, out]),
                }
            }
        }
    }
    (rows, held)
}

/// Canadian shares, dollars as base, euros for the taxman, other rates every day.
fn abroad(method: LotMethod) -> Place {
    let mut place = Place::default().everywhere(method).currency(X, Currency::CAD);
    place.rules.tax = Currency::EUR;
    for at in 0..100 {
        let on = (day("2020-01-01") + Days::new(at)).to_string();
        let usd = format!("0.7{}", (at * 7919) % 1000);
        let eur = format!("0.6{}", (at * 104_729) % 10_000);
        place = place.quoted(Currency::CAD, Currency::USD, &on, &usd);
        place = place.quoted(Currency::CAD, Currency::EUR, &on, &eur);
    }
    place
}

fn in_cad(rows: Vec<Event>) -> Vec<Event> {
    rows.into_iter().map(|row| row.paid_in(Currency::CAD)).collect()
}

fn sum(figures: impl Iterator<Item = Option<Dec>>) -> Dec {
    let exact = figures.fold(Exact::ZERO, |sum, figure| sum.add(&figure.unwrap().into()));
    exact.round(12).unwrap()
}

/// Every open lot, in accounts and between them.
fn open_lots(book: &Book) -> Vec<Lot> {
    let held = book.positions().flat_map(|(_, _, held)| held.into_owned().lots);
    let between = book.in_transit().flat_map(|(_, transit)| transit.into_owned().lots);
    held.chain(between).collect()
}

/// What must hold of any book.
fn check(book: &Book) {
    let mut seen = BTreeSet::new();
    for (account, security, held) in book.positions() {
        let whole = held.lots.iter().fold(Exact::ZERO, |sum, lot| sum.add(&lot.quantity.into()));
        assert_eq!(whole, held.quantity.into(), "{account} {security}");
        let sides: BTreeSet<_> = held.lots.iter().map(|lot| lot.quantity.is_negative()).collect();
        assert!(sides.len() <= 1, "longs and shorts at once");
        assert!(held.lots.iter().all(|lot| !lot.quantity.is_zero()), "an empty lot");
        assert!(held.lots.iter().is_sorted_by_key(|lot| lot.opened));
    }
    for lot in open_lots(book) {
        assert!(seen.insert((lot.opening, lot.piece)), "two lots of one name: {lot:?}");
    }
    let bytes = postcard::to_stdvec(book).unwrap();
    let read: Book = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(&read, book);
    assert_eq!(postcard::to_stdvec(&read).unwrap(), bytes);
}

fn methods() -> impl Strategy<Value = LotMethod> {
    select(LotMethod::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 128 } else { 4096 }))]

    /// What was paid less what was received is what the open lots cost less what was gained: to
    /// the last decimal, in all three currencies, by every method.
    #[test]
    fn quantity_and_cost_are_conserved(deeds in deeds(), method in methods()) {
        let (rows, held) = rows_of(&deeds);
        let rows = in_cad(rows);
        let place = abroad(method);
        let played = play(&place, rows.clone());
        check(&played.book);
        for (account, held) in ACCOUNTS.into_iter().zip(held) {
            prop_assert_eq!(played.position(account, X).quantity, held);
        }
        prop_assert_eq!(played.book.in_transit().count(), 0);
        prop_assert!(played.book.moved.is_empty());

        let lots = open_lots(&played.book);
        let told = &played.told.realized;
        let less = |a: Dec, b: Dec| a.checked_sub(b).unwrap();
        let paid = sum(rows.iter().map(|row| Some(-row.amount)));
        let cost = sum(lots.iter().map(|lot| lot.cost));
        prop_assert_eq!(less(cost, paid), sum(told.iter().map(Realization::gain)));
        let converted = |to| sum(rows.iter().map(|row| {
            let rate = World::rate(&place, Currency::CAD, to, row.date).unwrap();
            rate.apply(&Exact::from(-row.amount)).ok()
        }));
        let cost = sum(lots.iter().map(|lot| lot.cost_base));
        let gain = sum(told.iter().map(Realization::gain_base));
        prop_assert_eq!(less(cost, converted(Currency::USD)), gain);
        let cost = sum(lots.iter().map(|lot| lot.cost_tax));
        let gain = sum(told.iter().map(Realization::gain_tax));
        prop_assert_eq!(less(cost, converted(Currency::EUR)), gain);

        for account in ACCOUNTS {
            let mine = told.iter().filter(|it| it.account == account);
            let position = played.position(account, X);
            prop_assert_eq!(position.realized.total(), Some(sum(mine.map(Realization::gain))));
        }
    }

    /// The gain in base is that of the price and that of the currency.
    #[test]
    fn a_gain_has_two_parts(deeds in deeds(), method in methods()) {
        let place = abroad(method);
        for it in play(&place, in_cad(rows_of(&deeds).0)).told.realized {
            let rate = World::rate(&place, Currency::CAD, Currency::USD, it.closed).unwrap();
            let price = Exact::from(it.gain().unwrap()).mul(&rate.num);
            let both = price.add(&it.gain_fx.unwrap().into());
            let off = both.sub(&it.gain_base().unwrap().into()).abs();
            // Each of the figures is rounded for itself.
            prop_assert!(off < Exact::from(dec("0.000000000005")), "{it:?}");
        }
    }

    /// Whoever sells everything has gained the same, whichever lots went first.
    #[test]
    fn all_methods_agree_when_all_is_sold(deeds in deeds()) {
        let (mut rows, held) = rows_of(&deeds);
        for ((account, held), id) in ACCOUNTS.into_iter().zip(held).zip(1..) {
            if !held.is_zero() {
                let subtype = if held.is_negative() { Subtype::Buy } else { Subtype::Sell };
                let last = row(subtype, "2030-01-01", account, X).id(id).cash("7.77");
                rows.push(Event { quantity: Some(-held), ..last });
            }
        }
        let gained = sum(rows.iter().map(|row| Some(row.amount)));
        for method in LotMethod::ALL {
            let played = play(&Place::default().everywhere(*method), rows.clone());
            prop_assert_eq!(sum(played.told.realized.iter().map(Realization::gain)), gained);
            prop_assert!(open_lots(&played.book).is_empty());
            prop_assert!(played.book.pools.is_empty());
        }
    }

    /// Lots that move are the lots that were there.
    #[test]
    fn a_transfer_changes_no_total(deeds in deeds(), method in methods()) {
        let staying: Vec<_> = deeds
            .into_iter()
            .filter(|(_, deed)| !matches!(deed, Deed::Move { .. }))
            .collect();
        let (rows, held) = rows_of(&staying);
        let place = abroad(method);
        let before = play(&place, in_cad(rows.clone()));
        let Some(from) = held.iter().position(|held| held.is_positive()) else { return Ok(()) };
        let Some(to) = (0..3).find(|to| *to != from && !held[*to].is_negative()) else {
            return Ok(());
        };
        let units = held[from].to_string();
        let (out, into) =
            transfer(("2029-01-01", ACCOUNTS[from], &units), ("2029-01-09", ACCOUNTS[to], &units));
        let (out, into) = (out.id(1), into.id(2));
        let (out, into) = (out.clone().with(&into), into.with(&out));
        for moved in [vec![out.clone()], vec![out, into]] {
            let after = play(&place, in_cad(rows.iter().cloned().chain(moved).collect()));
            let totals = |played: &Played| {
                let lots = open_lots(&played.book);
                let figures = |f: fn(&Lot) -> Option<Dec>| sum(lots.iter().map(f));
                [
                    figures(|lot| Some(lot.quantity)),
                    figures(|lot| lot.cost),
                    figures(|lot| lot.cost_base),
                    figures(|lot| lot.cost_tax),
                ]
            };
            prop_assert_eq!(totals(&before), totals(&after));
            prop_assert_eq!(&before.told.realized, &after.told.realized);
        }
    }

    /// Three currencies that are worth the same make three equal costs.
    #[test]
    fn the_three_costs_agree_where_the_rates_are_one(deeds in deeds(), method in methods()) {
        let mut place = Place::default()
            .everywhere(method)
            .currency(X, Currency::CAD)
            .quoted(Currency::CAD, Currency::USD, "2020-01-01", "1")
            .quoted(Currency::CAD, Currency::EUR, "2020-01-01", "1");
        place.rules.tax = Currency::EUR;
        let played = play(&place, in_cad(rows_of(&deeds).0));
        for lot in open_lots(&played.book) {
            prop_assert_eq!((lot.cost_base, lot.cost_tax), (lot.cost, lot.cost));
        }
        for it in &played.told.realized {
            prop_assert_eq!((it.gain_base(), it.gain_tax()), (it.gain(), it.gain()));
            prop_assert_eq!(it.gain_fx, Some(Dec::ZERO));
        }
        // And they are what they would be with one currency only.
        let mut alone = play(&Place::default().everywhere(method), rows_of(&deeds).0);
        for loss in alone.told.findings.iter_mut().filter_map(|finding| finding.loss.as_mut()) {
            loss.1 = Currency::EUR;
        }
        prop_assert_eq!(&alone.book, &played.book);
        prop_assert_eq!(&alone.told, &played.told);
    }

    /// A book can be put away and taken up again between any two days.
    #[test]
    fn stopping_in_between_changes_nothing(
        deeds in deeds(),
        method in methods(),
        cut in any::<prop::sample::Index>(),
    ) {
        let rows = in_cad(rows_of(&deeds).0);
        let place = abroad(method);
        let whole = play(&place, rows.clone());
        let days: Vec<_> = rows.chunk_by(|a, b| a.date == b.date).collect();
        let (first, rest) = days.split_at(cut.index(days.len() + 1));
        let (mut book, mut told) = (Book::default(), Told::default());
        for part in [first, rest] {
            for day in part {
                let stored = postcard::to_stdvec(day).unwrap();
                let day: Vec<Event> = postcard::from_bytes(&stored).unwrap();
                book.apply_day(&day, &place, &mut told);
            }
            let stored = postcard::to_stdvec(&book).unwrap();
            book = postcard::from_bytes(&stored).unwrap();
        }
        prop_assert_eq!(book, whole.book);
        prop_assert_eq!(told, whole.told);
    }
}

/// Any number at all, often one that causes trouble.
fn number() -> impl Strategy<Value = Dec> {
    let large = 10_i128.pow(28) - 1;
    let any = (-large..=large, 0..=28_u32).prop_map(|(mantissa, scale)| {
        Dec::from_decimal(Decimal::try_from_i128_with_scale(mantissa, scale).unwrap()).unwrap()
    });
    prop_oneof![
        1 => any,
        4 => (-20..=20_i64).prop_map(Dec::from_i64),
        1 => select(vec![
            Dec::ZERO,
            dec("9999999999999999999999999999"),
            dec("-9999999999999999999999999999"),
            dec("0.0000000000000000000000000001"),
            dec("-0.000000000001"),
            dec("3333333333333333.333333333333"),
        ]),
    ]
}

fn currency() -> impl Strategy<Value = Currency> {
    select(vec![Currency::USD, Currency::CAD, Currency::EUR])
}

fn date() -> impl Strategy<Value = NaiveDate> {
    prop_oneof![
        20 => (0..4_u64).prop_map(|at| day("2024-02-27") + Days::new(at)),
        1 => select(vec![NaiveDate::MIN, NaiveDate::MAX, day("0001-01-01"), day("9999-12-31")]),
    ]
}

fn peer() -> impl Strategy<Value = Peer> {
    (
        (1..12_i64, 0..3_usize, prop::option::of(1..4_i64), date()),
        (select(Subtype::ALL), prop::option::of(number()), number(), currency()),
    )
        .prop_map(|((id, account, security, date), (subtype, quantity, amount, currency))| {
            Peer {
                id: TransactionId(id),
                account: ACCOUNTS[account],
                security: security.map(SecurityId),
                date,
                subtype,
                quantity,
                amount,
                currency,
            }
        })
}

fn event() -> impl Strategy<Value = Event> {
    let may = || prop::option::weighted(0.8, number());
    (
        (1..12_i64, 0..3_usize, 1..4_i64, prop::option::of(1..4_i64), date()),
        (select(Subtype::ALL), may(), may(), number(), number()),
        (currency(), number(), prop::option::of(number()), number()),
        (
            prop::option::of((number(), number())),
            prop::option::of(date()),
            prop::option::of(number()),
            prop::option::of(peer()),
        ),
    )
        .prop_map(|(who, what, money, more)| Event {
            id: TransactionId(who.0),
            account: ACCOUNTS[who.1],
            security: SecurityId(who.2),
            to_security: who.3.map(SecurityId),
            date: who.4,
            seq: 0,
            rank: Rank::Fee,
            subtype: what.0,
            quantity: what.1,
            price: what.2,
            fee: what.3,
            tax: what.4,
            currency: money.0,
            amount: money.1,
            fx_rate: money.2,
            multiplier: money.3,
            ratio: more.0.map(|(new, old)| Ratio { new, old }),
            acquired: more.1,
            cost_share: more.2,
            peer: more.3,
        })
}

fn anywhere() -> impl Strategy<Value = Place> {
    let account = (methods(), select(AccountKind::ALL));
    (
        prop::collection::vec(account, 3),
        prop::collection::vec(currency(), 3),
        prop::collection::vec((currency(), currency(), number()), 0..9),
        prop::collection::vec((1..4_i64, number()), 0..4),
        (currency(), currency(), any::<bool>()),
    )
        .prop_map(|(accounts, currencies, rates, closes, (base, tax, expense))| {
            let fees = if expense { Fees::Expense } else { Fees::InCost };
            let mut place = Place { rules: Rules { base, tax, fees }, ..Place::default() };
            for (account, (method, kind)) in ACCOUNTS.into_iter().zip(accounts) {
                place = place.method(account, method).kind(account, kind);
            }
            for (currency, security) in currencies.into_iter().zip(1..) {
                place.currencies.insert(SecurityId(security), currency);
            }
            for (from, to, rate) in rates {
                place.rates.entry((from, to)).or_default().insert(day("2024-02-28"), rate);
            }
            for (security, close) in closes {
                let closes = place.closes.entry(SecurityId(security)).or_default();
                closes.insert(day("2024-02-28"), close);
            }
            place
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 512 } else { 65_536 }))]

    /// Whatever the rows say, the book stays a book.
    #[test]
    fn no_row_breaks_a_book(
        place in anywhere(),
        mut rows in prop::collection::vec(event(), 1..30),
    ) {
        // No two rows are one.
        for (row, id) in rows.iter_mut().zip(1..) {
            row.id = TransactionId(id);
        }
        rows.sort_by_key(|row| row.date);
        let played = play(&place, rows.clone());
        check(&played.book);
        // Nor do rows that are no pair, no day, and in no order.
        let (mut book, mut told) = (Book::default(), Told::default());
        book.apply_day(&rows, &place, &mut told);
        check(&book);
        for finding in &told.findings {
            let stored = postcard::to_stdvec(finding).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<LotFinding>(&stored).unwrap(), finding);
        }
    }
}
