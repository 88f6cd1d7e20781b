//! Activities of every sort, read by the whole of this folder without anybody to ask.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::super::RemoteRow;
use super::events::{self, AllRows};
use super::symbols::Symbols;
use super::wire::Position;
use crate::model::{Currency, Dec, Mention, SafeText};

fn read(rows: &[Value]) -> AllRows {
    read_at("2024-06-01T00:00:00Z", rows, None, &[])
}

/// Reads at a time what was told since an instant, with so many of some symbols held.
fn read_at(now: &str, rows: &[Value], since: Option<&str>, held: &[(&str, &str)]) -> AllRows {
    let raw = |row: &Value| RawValue::from_string(row.to_string()).unwrap();
    let rows: Vec<_> = rows.iter().map(raw).collect();
    let position = |(symbol, qty): &(&str, &str)| -> Position {
        serde_json::from_value(json!({"symbol": symbol, "qty": qty})).unwrap()
    };
    let held: Vec<_> = held.iter().map(position).collect();
    let mut symbols = Symbols::of_positions(&held);
    symbols.learn(br#"[{"symbol":"BTC/USD","class":"crypto"}]"#).unwrap();
    let since = since.map(|since| since.parse().unwrap());
    let (account, now) = (SafeText::new("A"), now.parse().unwrap());
    events::read(&rows, &account, Currency::USD, &symbols, since, now)
}

fn activity(nth: u32, kind: &str, net: &str, more: &Value) -> Value {
    let (kind, sub) = kind.split_once('/').unwrap_or((kind, ""));
    let mut row = json!({
        "id": format!("20240105000000000::{nth}"), "activity_type": kind, "date": "2024-01-05",
        "activity_sub_type": sub, "net_amount": net
    });
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

/// Type, quantity and cash of each row, and how much is told of what is not understood.
fn told(rows: &[Value]) -> (Vec<String>, usize) {
    let all = read(rows);
    (all.rows.iter().map(line).collect(), all.troubles.len())
}

fn line(row: &RemoteRow) -> String {
    let facts = row.row.clone().check().unwrap().first.facts;
    let many = facts.quantity.map(|it| it.to_string()).unwrap_or_default();
    format!("{} {many} {}", facts.subtype, facts.amount)
}

/// The symbol of a row and what it becomes.
fn names(row: &RemoteRow) -> (&str, &str) {
    (name(row.row.symbol.as_ref()), name(row.row.to_symbol.as_ref()))
}

fn name(mention: Option<&Mention>) -> &str {
    mention.map_or("", |it| it.symbol.as_str())
}

/// The table of kinds: each as it stands in the definitions, with its sign.
#[test]
fn each_kind_is_what_the_definitions_say() {
    let share = |qty: &str| json!({"symbol": "XYZ", "qty": qty, "price": "7"});
    let cash = json!({"qty": "0", "symbol": ""});
    for (kind, net, more, right) in [
        ("CSD", "10", &cash, "deposit  10"),
        ("CSW", "-10", &cash, "withdrawal  -10"),
        ("JNLC", "10", &cash, "transfer_in  10"),
        ("JNLC", "-10", &cash, "transfer_out  -10"),
        ("ACATC", "10", &cash, "transfer_in  10"),
        ("JNLS", "0", &share("3"), "transfer_in 3 0"),
        ("ACATS", "0", &share("-3"), "transfer_out -3 0"),
        ("FOPT", "0", &share("3"), "transfer_in 3 0"),
        ("DIV", "5", &share("100"), "dividend  5"),
        ("DIV/CDIV", "5", &share("0"), "dividend  5"),
        ("DIV/SPD", "-5", &share("0"), "other_fee  -5"),
        ("DIV/SDIV", "0", &share("12"), "stock_dividend 12 0"),
        ("DIVCGL", "5", &share("0"), "capital_gain  5"),
        ("DIVCGS", "5", &share("0"), "capital_gain  5"),
        ("CGD", "5", &share("0"), "capital_gain  5"),
        ("DIVROC", "5", &share("0"), "return_of_capital  5"),
        ("DIV/ROC", "5", &share("0"), "return_of_capital  5"),
        ("OPCA/DIV.ROC", "5", &share("0"), "return_of_capital  5"),
        ("INT", "5", &cash, "interest  5"),
        ("INT", "-5", &cash, "margin_interest  -5"),
        ("INT/MGN", "-5", &cash, "margin_interest  -5"),
        ("SWP", "5", &cash, "interest  5"),
        ("DIVNRA", "-5", &share("0"), "withholding_tax  -5"),
        ("WH", "-5", &cash, "withholding_tax  -5"),
        ("FEE/COM", "-5", &cash, "commission  -5"),
        ("FEE/NRV", "5", &cash, "account_fee  5"),
        ("FEE/TAF", "-0.01", &cash, "other_fee  -0.01"),
        ("FEE", "-0.01", &cash, "other_fee  -0.01"),
        ("MEM", "-1", &cash, "other_fee  -1"),
        ("REORG/WRM", "0", &share("-3"), "sell -3 0"),
        ("FIMAT", "1000", &share("-1"), "sell -1 1000"),
        ("FXTRD", "5", &cash, "fx  5"),
    ] {
        let rows = told(&[activity(1, kind, net, more)]);
        assert_eq!(rows, (vec![right.to_owned()], 0), "{kind} {net}");
    }
    for (kind, net, more, right) in [
        ("DIVNRA", "5", &share("0"), "adjustment  5"),
        ("OPCSH", "5", &cash, "distribution  5"),
        ("MEM", "0", &cash, "unknown  0"),
        ("CORR", "-3", &cash, "unknown  -3"),
        ("SPLIT/USPLIT", "0", &share("-3"), "unknown  0"),
        ("ALLOC", "0", &share("3"), "unknown  0"),
        ("JNL", "5", &share("3"), "unknown  5"),
        // An offer takes what was tendered, and not all that is held.
        ("VOF", "0", &share("-40"), "transfer_out -40 0"),
        ("VOF", "0", &share("4"), "transfer_in 4 0"),
        ("VOF", "80", &share("-40"), "unknown  80"),
        ("VOF", "80", &cash, "unknown  80"),
        // The other sign than that of what it is called.
        ("DIV/SDIV", "0", &share("-12"), "unknown  0"),
        ("CFEE", "0", &json!({"symbol": "BTCUSD", "qty": "0.1", "price": "9"}), "unknown  0"),
        ("DIV/CDIV", "-5", &share("0"), "adjustment  -5"),
        ("DIV", "-5", &share("0"), "adjustment  -5"),
        ("DIVTXEX", "-5", &share("0"), "adjustment  -5"),
        // Cash that is not told by what it is called.
        ("ACATS", "5", &share("3"), "unknown  5"),
        ("DIV/SDIV", "5", &share("3"), "unknown  5"),
        ("SPIN", "5", &share("3"), "unknown  5"),
        // What cannot be read leaves the cash that can.
        ("DIV/CDIV", "5", &json!({"symbol": "X".repeat(65)}), "unknown  5"),
        ("OPTRD", "-5", &share("many"), "unknown  -5"),
        ("MA/CMA", "5", &json!({"symbol": "XYZ", "qty": "-1", "price": "?"}), "unknown  5"),
        // What cannot be stored as what it is.
        ("ACATS", "0", &json!({"qty": "3"}), "unknown  0"),
        ("DIVROC", "5", &cash, "unknown  5"),
    ] {
        let rows = told(&[activity(1, kind, net, more)]);
        assert_eq!(rows, (vec![right.to_owned()], 1), "{kind} {net}");
    }
}

/// 14: the newer form tells nothing of the source.
#[test]
fn a_spin_off_is_read_in_both_forms() {
    let of = |symbol: &str, qty: &str, price: &str| json!({"symbol": symbol, "qty": qty, "price": price});
    let rows = [
        activity(1, "SPIN", "0", &of("NEW", "5", "40")),
        activity(2, "SPIN", "0", &of("OLD", "-10", "100")),
        activity(3, "SPIN", "0", &of("OLD", "10", "80")),
    ];
    let all = read(&rows);
    let [row] = all.rows.as_slice() else { panic!("{:?}", all.rows) };
    assert_eq!(names(row), ("OLD", "NEW"));
    assert_eq!(row.row.cost_share, Some(Dec::parse("0.2").unwrap()), "200 of 1000");
    assert_eq!(told(&rows[..1]), (vec!["transfer_in 5 0".to_owned()], 1));
    assert_eq!(told(&rows[..2]), (vec![], 1), "one of three is missing");
}

/// 16: linked by the day, what it is on and the strike, or by the group.
#[test]
fn the_use_of_a_right_is_joined_to_what_it_led_to() {
    let of = |symbol: &str, qty: &str| json!({"symbol": symbol, "qty": qty, "price": "1"});
    let rows = [
        activity(1, "OPASN", "0", &of("AAPL240105P00140000", "1")),
        activity(2, "OPEXC", "0", &of("AAPL240105C00150000", "-2")),
        activity(3, "OPTRD", "-30000", &of("AAPL", "200")),
        activity(4, "OPTRD", "-14000", &of("AAPL", "100")),
        activity(5, "OPEXP", "0", &of("AAPL240105C00990000", "-1")),
    ];
    let all = read(&rows);
    let link = |nth: usize| all.rows[nth].row.link.as_ref().map(ToString::to_string);
    assert!(link(1).is_some() && link(1) == link(2), "{:?} {:?}", link(1), link(2));
    assert!(link(0).is_some() && link(0) == link(3) && link(0) != link(1));
    assert_eq!(link(4), None);
    let right =
        ["assignment 1 0", "exercise -2 0", "buy 200 -30000", "buy 100 -14000", "expiration -1 0"];
    assert_eq!(told(&rows), (right.map(str::to_owned).to_vec(), 0));
}

/// Manuals reuse one id for both rows of an event; which comes first must not matter.
#[test]
fn two_rows_with_one_id_stay_two_whichever_comes_first() {
    let of = |symbol: &str, qty: &str| json!({"symbol": symbol, "qty": qty});
    let rows = [
        activity(1, "OPEXC", "0", &of("AAPL240105C00150000", "-2")),
        activity(1, "OPTRD", "-30000", &of("AAPL", "200")),
    ];
    let ids = |rows: &[Value]| {
        let all = read(rows).rows;
        let mut ids: Vec<_> = all
            .iter()
            .map(|row| format!("{} {:?}", row.row.id.as_ref().unwrap(), row.row.what))
            .collect();
        ids.sort();
        ids
    };
    let [one, other] = rows.clone();
    assert_eq!(ids(&rows), ids(&[other, one]));
    let ids = ids(&rows);
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}

/// 9, 20: days of New York and of coins, and numbers of any size.
#[test]
fn an_execution_has_its_day_where_it_is_traded_and_its_figures_to_the_last_digit() {
    let fill = |symbol: &str, price: Value| {
        json!({"id": "x", "activity_type": "FILL", "transaction_time": "2026-07-01T02:30:00Z",
               "side": "buy", "symbol": symbol, "qty": "-2.0000000000000001", "price": price})
    };
    let row = |symbol: &str, price: Value| {
        let mut all = read(&[fill(symbol, price)]);
        all.rows.remove(0).row
    };
    assert_eq!(row("XYZ", json!("5")).date.to_string(), "2026-06-30");
    let coin = row("BTCUSD", json!("0.00001234"));
    assert_eq!(coin.date.to_string(), "2026-07-01");
    assert_eq!(coin.price, Some(Dec::parse("0.00001234").unwrap()));
    assert_eq!(coin.quantity, Some(Dec::parse("2.0000000000000001").unwrap()));
    let small = fill("XYZ", json!(0)).to_string().replace("\"price\":0", "\"price\":1e-7");
    let all = read(&[serde_json::from_str(&small).unwrap()]);
    assert_eq!(all.rows[0].row.price, Some(Dec::parse("0.0000001").unwrap()));
}

/// A row that cannot even be told by its cash is refused; an execution has none that is told.
#[test]
fn what_cannot_be_read_is_named_and_what_can_is_kept() {
    for (bad, hides) in [
        (json!({"price": "?"}), false),
        (json!({"symbol": "X".repeat(65)}), false),
        (json!({"net_amount": "?"}), true),
        (json!({"currency": "?"}), true),
        (json!({"date": "?"}), true),
        (json!({"id": ""}), true),
    ] {
        let all = read(&[activity(1, "DIV/CDIV", "5", &bad)]);
        let right = if hides { vec![] } else { vec!["unknown  5".to_owned()] };
        assert_eq!(all.rows.iter().map(line).collect::<Vec<_>>(), right, "{bad}");
        assert_eq!((all.troubles.len(), all.hides_rows), (1, hides), "{bad}");
    }
    let fill = json!({"id": "x", "activity_type": "FILL", "side": "buy", "symbol": "XYZ",
        "transaction_time": "2024-01-05T15:00:00Z", "qty": "2", "price": "?"});
    let all = read(&[fill]);
    assert_eq!(all.rows.iter().map(line).collect::<Vec<_>>(), ["unknown  0"]);
    let said = all.troubles[0].error.to_string();
    assert!(said.contains("its price is no number") && said.contains("is missing"), "{said}");
    assert!(!said.contains("is kept"), "{said}");
}

/// An event of each kind, and what it comes to.
fn each_event() -> [(Vec<Value>, &'static str, (&'static str, &'static str)); 4] {
    let of = |nth, kind, net, symbol: &str, qty: &str, price: &str| {
        activity(nth, kind, net, &json!({"symbol": symbol, "qty": qty, "price": price}))
    };
    [
        (
            vec![
                of(1, "SPLIT/FSPLIT", "0", "XYZ", "-5", "8"),
                of(2, "SPLIT/FSPLIT", "0", "XYZ", "20", "2"),
            ],
            "split  0",
            ("XYZ", ""),
        ),
        (
            vec![
                of(1, "SPIN", "0", "NEW", "5", "40"),
                of(2, "SPIN", "0", "OLD", "-10", "100"),
                of(3, "SPIN", "0", "OLD", "10", "80"),
            ],
            "spin_off 5 0",
            ("OLD", "NEW"),
        ),
        (
            vec![
                of(1, "MA/SCMA", "30", "OLD", "0", ""),
                of(2, "MA/SCMA", "0", "OLD", "-10", "9"),
                of(3, "MA/SCMA", "0", "NEW", "4", "9"),
            ],
            "merger 4 30",
            ("OLD", "NEW"),
        ),
        (
            vec![of(1, "NC", "0", "OLD", "-10", "9"), of(2, "NC", "0", "NEW", "10", "9")],
            "symbol_change  0",
            ("OLD", "NEW"),
        ),
    ]
}

/// All orders of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![vec![]] };
    let put = |order: Vec<usize>| {
        (0..=last).map(move |at| {
            let mut order = order.clone();
            order.insert(at, last);
            order
        })
    };
    orders(last).into_iter().flat_map(put).collect()
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter().flat_map(move |one| all.iter().map(move |other| (one, other)))
}

const HELD: [(&str, &str); 2] = [("NEW", "4"), ("XYZ", "20")];

/// Ids end in a random text, and parts come when they come: one row, under one id, at the beginning of
/// its day, and no cash twice.
#[test]
fn an_event_is_one_row_whatever_the_ids_of_its_parts_and_whichever_comes_first() {
    for (parts, right, symbols) in each_event() {
        for (numbers, arrival) in pairs(&orders(parts.len())) {
            let mut mixed = parts.clone();
            for (part, nth) in mixed.iter_mut().zip(numbers) {
                part["id"] = json!(format!("20240105000000000::{nth}"));
            }
            let mut ids = BTreeSet::new();
            for count in 1..=mixed.len() {
                let told: Vec<_> = arrival[..count].iter().map(|at| mixed[*at].clone()).collect();
                let all = read_at("2024-01-07T00:00:00Z", &told, None, &HELD);
                assert!(all.rows.len() <= 1, "{:?}", all.rows);
                ids.extend(all.rows.iter().map(|row| row.row.id.clone()));
                if count == mixed.len() {
                    assert_eq!(all.troubles.len(), 0);
                    let [row] = all.rows.as_slice() else { panic!("{told:?}") };
                    assert_eq!((line(row).as_str(), names(row)), (right, symbols));
                    assert_eq!(row.at.to_rfc3339(), "2024-01-05T00:00:00+00:00");
                }
            }
            assert_eq!(ids.len(), 1, "{ids:?}");
        }
    }
}

/// At the edge of what is told again some parts are told no more: what the event came to stays.
#[test]
fn an_event_that_passes_the_edge_is_left_as_it_was_told() {
    let (now, since) = ("2024-01-16T02:00:00Z", Some("2024-01-06T02:00:00Z"));
    for (parts, _, _) in each_event() {
        for left in 0..parts.len() {
            let mut told: Vec<_> = parts[left..].to_vec();
            for part in &mut told {
                part["created_at"] = json!("2024-01-06T02:00:01Z");
            }
            let all = read_at(now, &told, since, &HELD);
            assert_eq!((all.rows.len(), all.troubles.len(), all.hides_rows), (0, 0, false));
            // Nobody tells when they were written down: said, for they may be new.
            for part in &mut told {
                part["created_at"] = Value::Null;
            }
            let all = read_at(now, &told, since, &HELD);
            assert_eq!((all.rows.len(), all.troubles.len(), all.hides_rows), (0, 1, false));
        }
        // Farther from it they are all told.
        let mut told = parts.clone();
        for part in &mut told {
            part["created_at"] = json!("2024-01-07T02:00:01Z");
        }
        assert_eq!(read_at(now, &told, since, &HELD).rows.len(), 1);
    }
}

/// Of what is owed the signs are the other way round: -5 of the new one come, 10 of the old one go.
#[test]
fn what_becomes_what_is_told_by_what_is_held_and_was_dealt_in_and_not_by_signs_alone() {
    let of = |nth, kind, symbol: &str, qty: &str| {
        activity(nth, kind, "0", &json!({"symbol": symbol, "qty": qty, "price": "9"}))
    };
    let dealt = |symbol: &str, day: &str| {
        json!({"id": format!("{symbol} {day}"), "activity_type": "FILL", "side": "sell_short",
            "transaction_time": format!("{day}T15:00:00Z"), "symbol": symbol, "qty": "1", "price": "1"})
    };
    for (kind, what) in [("NC", "symbol_change"), ("MA/SMA", "merger")] {
        let parts = [of(1, kind, "ONE", "-10"), of(2, kind, "TWO", "10")];
        let become_of = |fills: &[Value], held: &[(&str, &str)]| {
            let rows = [&parts[..], fills].concat();
            let all = read_at("2024-06-01T00:00:00Z", &rows, None, held);
            let found: Vec<_> = all.rows.iter().filter(|row| line(row).starts_with(what)).collect();
            assert_eq!(found.len() + all.troubles.len(), 1, "a row, or why there is none");
            found.first().map(|row| (names(row).0.to_owned(), names(row).1.to_owned()))
        };
        let long = Some(("ONE".to_owned(), "TWO".to_owned()));
        let short = Some(("TWO".to_owned(), "ONE".to_owned()));
        assert_eq!(become_of(&[], &[("TWO", "10")]), long);
        assert_eq!(become_of(&[], &[("ONE", "-10")]), short);
        assert_eq!(become_of(&[], &[]), None, "nobody tells");
        assert_eq!(become_of(&[], &[("ONE", "-10"), ("TWO", "10")]), None);
        // Both are long gone.
        assert_eq!(become_of(&[dealt("ONE", "2024-01-03")], &[]), long);
        assert_eq!(become_of(&[dealt("TWO", "2024-01-03")], &[]), short);
        let both = [dealt("ONE", "2024-01-03"), dealt("TWO", "2024-01-03")];
        assert_eq!(become_of(&both, &[]), None);
        assert_eq!(become_of(&[&both[..], &[dealt("TWO", "2024-01-05")]].concat(), &[]), long);
        assert_eq!(become_of(&[&both[..], &[dealt("ONE", "2024-02-05")]].concat(), &[]), short);
    }
}

/// Without a word on which belong together: not to be told apart while more may come, then by symbol.
#[test]
fn several_mergers_and_spin_offs_of_one_day_are_told_apart() {
    let of = |nth, kind, net, symbol: &str, qty: &str| {
        activity(nth, kind, net, &json!({"symbol": symbol, "qty": qty, "price": "9"}))
    };
    let mergers = [
        of(1, "MA/CMA", "0", "AAA", "-10"),
        of(2, "MA/CMA", "0", "BBB", "-20"),
        of(3, "MA/CMA", "200", "BBB", "0"),
        of(4, "MA/CMA", "100", "AAA", "0"),
        // Of another kind, and so another one.
        of(5, "MA/SMA", "0", "CCC", "-1"),
        of(6, "MA/SMA", "0", "NEW", "2"),
    ];
    let spun = [of(7, "SPIN", "0", "DDD", "5"), of(8, "SPIN", "0", "EEE", "6")];
    let rows = [&mergers[..], &spun].concat();
    let soon = read_at("2024-01-07T00:00:00Z", &rows, None, &HELD);
    let lines: Vec<_> = soon.rows.iter().map(line).collect();
    assert_eq!(lines, ["unknown  300", "merger 2 0"], "their cash is kept");
    assert_eq!((soon.troubles.len(), soon.hides_rows), (2, true));
    let late = read_at("2024-06-01T00:00:00Z", &rows, None, &HELD);
    let mut lines: Vec<_> =
        late.rows.iter().map(|row| format!("{} {}", names(row).0, line(row))).collect();
    lines.sort();
    let right = [
        "AAA sell -10 100",
        "BBB sell -20 200",
        "CCC merger 2 0",
        "DDD transfer_in 5 0",
        "EEE transfer_in 6 0",
    ];
    assert_eq!((lines, late.hides_rows), (right.map(str::to_owned).to_vec(), false));
    let ids: BTreeSet<_> = late.rows.iter().map(|row| &row.row.id).collect();
    assert_eq!(ids.len(), 5, "{ids:?}");
    assert!(ids.contains(&soon.rows[0].row.id), "what was held back is one of them");
}
