use super::*;
use crate::model::{AccountKind, Currency, Dec, Status};
use crate::provider::Class;

const V1: &str = include_str!("../../../tests/fixtures/simplefin/v1.json");
const V2: &str = include_str!("../../../tests/fixtures/simplefin/v2.json");

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn read(text: &str) -> Result<RemoteBook> {
    page::read(text.as_bytes(), at("2026-09-01T00:00:00Z"), at("2026-09-22T12:00:00Z"))
}

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

#[test]
fn the_first_version_is_read() {
    let book = read(V1).unwrap();
    let said: Vec<_> = book.troubles.iter().map(|it| it.error.to_string()).collect();
    assert_eq!(said, ["Connection to Example Bank may need attention"]);
    let [checking, ira] = &book.accounts[..] else { panic!("{book:?}") };
    assert_eq!(checking.id.as_str(), "bank.example/ACT-1111");
    assert_eq!((checking.kind, checking.currency), (AccountKind::Checking, Currency::USD));
    assert!(checking.left_out && !ira.left_out, "its bank may be out of reach");
    let [coffee, hold] = &checking.rows[..] else { panic!("{checking:?}") };
    assert_eq!((coffee.row.amount, coffee.row.status), (Some(dec("-50")), Status::Settled));
    assert_eq!(coffee.row.date.to_string(), "2026-09-20");
    // 25: no day of 1970.
    assert_eq!(
        (hold.row.status, hold.row.date.to_string()),
        (Status::Pending, "2026-09-21".into())
    );
    let standing = ira.standing.as_ref().unwrap();
    assert_eq!(standing.balance, dec("4217.50"));
    let [fund] = &standing.holdings.as_ref().unwrap()[..] else { panic!("{ira:?}") };
    assert_eq!((fund.quantity, fund.cost), (dec("120.5"), Some(dec("3615"))));
    assert_eq!((fund.currency, fund.security.symbol.as_str()), (Currency::USD, "EXMFX"));
    assert_eq!(ira.kind, AccountKind::RothIra);
}

#[test]
fn the_second_version_blames_one_connection_only() {
    let book = read(V2).unwrap();
    let [trouble] = &book.troubles[..] else { panic!("{book:?}") };
    assert_eq!(trouble.what.as_str(), "Example Bank");
    assert_eq!(trouble.error.class(), Class::Reauthorize);
    let ids: Vec<_> = book.accounts.iter().map(|it| (it.id.as_str(), it.left_out)).collect();
    assert_eq!(ids, [("CON-1/ACT-1111", true), ("CON-2/ACT-1111", false)]);
    assert_eq!(book.accounts[1].institution.as_ref().unwrap().as_str(), "Other Bank");
}

/// 29, 30: what is wrong in one place takes nothing else along.
#[test]
fn one_bad_thing_does_not_hide_the_others() {
    let account = |id: &str, rest: &str| {
        format!(
            "{{\"id\":\"{id}\",\"name\":\"{id}\",\"currency\":\"USD\",\"balance\":\"1\"{rest}}}"
        )
    };
    let row = |amount: &str| {
        format!(",\"transactions\":[{{\"id\":\"t\",\"posted\":1789905600,\"amount\":{amount}}}]")
    };
    let good = account("good", &row("\"-0.00\""));
    for (bad, why) in [
        (account("a", ",\"id\":\"b\""), "duplicate field `id`"),
        (account("a", &row("\"NaN\"")), "t: its amount is no number"),
        (account("a", &row("\"12,5\"")), "its amount is no number"),
        (account("a", &row("1e400")), "its amount is no number"),
        (account("a", &row("null")), "its amount is no number"),
        (account("a", ",\"transactions\":[7]"), "cannot be read"),
        (account("a", ",\"holdings\":[{\"shares\":\"x\"}]"), "how many there are"),
        (account("a", "").replace("USD", "https://coins.example/x"), "is not known"),
        (account("a", "").replace("USD", "DOGE"), "`DOGE` is not known"),
        (account("a", "").replace("USD", ""), "is not known"),
        (account("a", "").replace("\"1\"", "\"lots\""), "its balance is no number"),
        ("[]".to_owned(), "account 1"),
        ("7".to_owned(), "account 1"),
    ] {
        let book = read(&format!("{{\"accounts\":[{bad},{good}]}}")).unwrap();
        let said: Vec<_> =
            book.troubles.iter().map(|it| format!("{}: {}", it.what, it.error)).collect();
        assert!(said.len() == 1 && said[0].contains(why), "{bad}: {said:?}");
        let last = book.accounts.last().unwrap();
        assert_eq!((last.id.as_str(), last.left_out, last.rows.len()), ("good", false, 1), "{bad}");
        assert_eq!(last.rows[0].row.amount, Some(Dec::ZERO));
    }
    // An amount in either form, and exact.
    for (amount, right) in
        [("\"0.1\"", "0.1"), ("1.10", "1.1"), ("\"1e3\"", "1000"), ("-2E-8", "-0.00000002")]
    {
        let book = read(&format!("{{\"accounts\":[{}]}}", account("a", &row(amount)))).unwrap();
        assert_eq!(book.accounts[0].rows[0].row.amount, Some(dec(right)), "{amount}");
    }
    // 29.
    let hostile =
        read("{\"errors\":[\"\\u001b[2Jgo\\u0007\\r\\n away\"],\"accounts\":[]}").unwrap();
    let words = hostile.troubles[0].error.to_string();
    assert!(!words.contains(['\u{1b}', '\u{7}', '\r', '\n']), "{words:?}");
}

#[test]
fn what_is_no_answer_is_said_and_holds_nothing_of_it() {
    for wrong in ["", "{", "[]", "null", "\"x\"", "{\"accounts\":{}}", "<html>", "\u{feff}"] {
        let error = read(wrong).unwrap_err();
        assert_eq!(error.class(), Class::Later(None), "{wrong}");
    }
    let doubled = read("{\"accounts\":[],\"accounts\":[]}").unwrap_err();
    assert!(doubled.to_string().contains("duplicate field `accounts`"), "{doubled}");
    assert!(
        read("{\"errors\":{\"canary\":1}}").unwrap_err().to_string().contains("not as it should")
    );
    let deep = format!("{{\"accounts\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(&deep).unwrap().troubles.len(), 1, "F41: no account, and no overflow");
    assert_eq!(read("\u{feff}{\"accounts\":[]}").unwrap(), RemoteBook::default());
    let all = "{\"errlist\":[{\"code\":\"gen.auth\",\"message\":\"sign in\"}],\"accounts\":[]}";
    assert_eq!(read(all).unwrap_err().class(), Class::Reauthorize);
}

/// In milliseconds, or by a clock that is wrong.
#[test]
fn no_balance_is_of_a_day_that_has_not_come() {
    let told = |date: &str| {
        let text = format!(
            "{{\"accounts\":[{{\"id\":\"1\",\"name\":\"A\",\"currency\":\"USD\",\"balance\":\"1\",\
             \"balance-date\":{date},\"transactions\":[{{\"id\":\"t\",\"posted\":0,\"amount\":\"1\"}}]}}]}}"
        );
        let book = read(&text).unwrap();
        let (date, row) =
            (book.accounts[0].standing.clone().unwrap().date, &book.accounts[0].rows[0]);
        (date.to_string(), row.row.date.to_string(), book.troubles.len())
    };
    let today = "2026-09-22".to_owned();
    assert_eq!(told("1790078400000"), (today.clone(), today.clone(), 1));
    assert_eq!(told("1790200000"), (today.clone(), today.clone(), 1), "nearly two days ahead");
    assert_eq!(told("1790085600"), (today.clone(), today, 0), "two hours are no reason");
    let before = "2026-09-21".to_owned();
    assert_eq!(told("1789992000"), (before.clone(), before, 0));
}

/// 31.
#[test]
fn a_cost_is_told_where_it_is_certain() {
    let of = |shares: &str, org: &str, paid: &str, basis: &str| {
        let text = format!(
            "{{\"accounts\":[{{\"org\":{{\"name\":\"{org}\"}},\"id\":\"1\",\"name\":\"A\",\"currency\":\"USD\",\
             \"balance\":\"40\",\"holdings\":[{{\"id\":\"HOL-1\",\"symbol\":\"\",\"currency\":\"\",\
             \"shares\":\"{shares}\",\"market_value\":\"40\",\"purchase_price\":\"{paid}\",\"cost_basis\":\"{basis}\"}}]}}]}}"
        );
        let book = read(&text).unwrap();
        let mut holdings = book.accounts[0].standing.clone().unwrap().holdings.unwrap();
        let held = holdings.remove(0);
        assert_eq!(held.security.symbol.as_str(), "HOL-1", "known by its id");
        held.cost
    };
    let held = |org: &str, paid: &str, basis: &str| of("4", org, paid, basis);
    assert_eq!(held("Example", "9.5", "0"), Some(dec("38")));
    assert_eq!(held("Example", "0.00", "36"), None, "of one or of all, nobody knows");
    assert_eq!(held("Vanguard Investments", "0.00", "36"), Some(dec("36")));
    // Of a short: what was received, below zero.
    assert_eq!(of("-4", "Example", "9.5", "0"), Some(dec("-38")));
    assert_eq!(
        of("-4", "Vanguard Investments", "0.00", "36"),
        None,
        "with which sign, nobody knows"
    );
}

#[test]
fn windows_are_joined_by_account() {
    let page = |id: &str, start: &str| {
        let text = format!(
            "{{\"errors\":[\"x\"],\"accounts\":[{{\"id\":\"a\",\"name\":\"a\",\"currency\":\"USD\",\"balance\":\"1\",\
             \"transactions\":[{{\"id\":\"{id}\",\"posted\":1789905600,\"amount\":\"1\"}}]}}]}}"
        );
        page::read(text.as_bytes(), at(start), at("2026-09-22T12:00:00Z")).unwrap()
    };
    let (newer, older) = (page("2", "2026-09-01T00:00:00Z"), page("1", "2026-06-03T00:00:00Z"));
    let book = page::joined(newer, older);
    assert_eq!((book.accounts.len(), book.troubles.len()), (1, 1));
    assert_eq!(book.accounts[0].rows.len(), 2);
    assert_eq!(book.accounts[0].complete_since, Some(at("2026-06-03T00:00:00Z")));
}
