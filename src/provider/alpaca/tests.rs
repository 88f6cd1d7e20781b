//! Activities of every sort, read by the whole of this folder without anybody to ask.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::events::{self, AllRows};
use super::symbols::Symbols;
use crate::model::{Currency, Dec, SafeText};

fn read(rows: &[Value]) -> AllRows {
    let raw = |row: &Value| RawValue::from_string(row.to_string()).unwrap();
    let rows: Vec<_> = rows.iter().map(raw).collect();
    let mut symbols = Symbols::default();
    symbols.learn(br#"[{"symbol":"BTC/USD","class":"crypto"}]"#).unwrap();
    let now = "2024-06-01T00:00:00Z".parse().unwrap();
    events::read(&rows, &SafeText::new("A"), Currency::USD, &symbols, None, now)
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
    let line = |row: &super::super::RemoteRow| {
        let draft = row.row.clone().check().unwrap().first;
        let facts = draft.facts;
        let many = facts.quantity.map(|it| it.to_string()).unwrap_or_default();
        format!("{} {many} {}", facts.subtype, facts.amount)
    };
    (all.rows.iter().map(line).collect(), all.troubles.len())
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
    let name = |it: &Option<crate::model::Mention>| it.as_ref().unwrap().symbol.to_string();
    assert_eq!((name(&row.row.symbol), name(&row.row.to_symbol)), ("OLD".into(), "NEW".into()));
    assert_eq!(row.row.cost_share, Some(Dec::parse("0.2").unwrap()), "200 of 1000");
    assert_eq!(told(&rows[..1]), (vec!["transfer_in 5 0".to_owned()], 1));
    assert_eq!(told(&rows[..2]), (vec![], 2), "one of three is missing");
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
