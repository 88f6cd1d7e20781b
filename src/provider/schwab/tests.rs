use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::*;
use crate::model::{
    AccountKind, AssetClass, Dec, Drafts, Entry as Entered, EntryType, Status, Subtype,
};
use crate::provider::{Class, RemoteRow};

const ACCOUNTS: &str = include_str!("../../../tests/fixtures/schwab/accounts.json");
const ROWS: &str = include_str!("../../../tests/fixtures/schwab/transactions.json");

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-09-22T12:00:00Z".parse().unwrap()
}

fn read(text: &str) -> accounts::ReadAll {
    accounts::read(text.as_bytes(), &HashMap::new(), now()).unwrap()
}

fn rows_of(text: &str) -> Vec<std::result::Result<rows::Told, String>> {
    let all: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
    all.iter().map(|raw| rows::read(raw, &SafeText::new("A"))).collect()
}

/// The rows of one activity; every one of them can be stored.
fn rows(text: &str) -> Vec<Entered> {
    let rows::Told { rows, wrong } = rows_of(&format!("[{text}]")).remove(0).unwrap();
    assert_eq!(wrong, None, "{text}");
    for RemoteRow { row, .. } in &rows {
        row.clone().check().unwrap_or_else(|why| panic!("{why}: {row:?}"));
    }
    rows.into_iter().map(|it| it.row).collect()
}

/// What a row comes to: its type, its signed quantity and what it does to the cash.
fn told(rows: &[Entered]) -> Vec<String> {
    let one = |row: &Entered| {
        let Drafts { first, .. } = row.clone().check().unwrap();
        let quantity = first.facts.quantity.map(|it| format!(" {it}")).unwrap_or_default();
        format!("{}{quantity} {}", first.facts.subtype, first.facts.amount)
    };
    rows.iter().map(one).collect()
}

/// An activity with the fields that matter.
fn activity(kind: &str, words: &str, net: &str, items: &str) -> String {
    format!(
        "{{\"activityId\":1,\"time\":\"2026-09-14T14:30:05+0000\",\"type\":\"{kind}\",\
         \"description\":\"{words}\",\"netAmount\":{net},\"transferItems\":[{items}]}}"
    )
}

fn leg(asset: &str, symbol: &str, amount: &str, cost: &str, price: &str) -> String {
    format!(
        "{{\"instrument\":{{\"assetType\":\"{asset}\",\"symbol\":\"{symbol}\"}},\"amount\":{amount},\
         \"cost\":{cost},\"price\":{price}}}"
    )
}

#[test]
fn what_the_accounts_come_to() {
    let all = read(ACCOUNTS);
    assert_eq!(all.troubles, []);
    let [margin, cash] = &all.accounts[..] else { panic!("two accounts") };
    assert_eq!((margin.number.as_str(), margin.account.name.as_str()), ("90000017", "Schwab …017"));
    assert!(!margin.account.id.as_str().contains("90000017"), "nobody reads the number from it");
    assert_ne!(margin.account.id, cash.account.id);
    assert_eq!(
        (margin.account.kind, cash.account.kind),
        (AccountKind::Margin, AccountKind::Brokerage)
    );
    let standing = margin.account.standing.as_ref().unwrap();
    assert_eq!(
        (standing.balance, standing.date.to_string()),
        (dec("4825"), "2026-09-22".to_owned())
    );
    assert_eq!(standing.cash(crate::model::Currency::USD), Some(dec("1500")));
    let [share, fund, right] = &standing.holdings.as_ref().unwrap()[..] else { panic!() };
    assert_eq!((share.class, share.price()), (Some(AssetClass::Equity), Some(dec("55.25"))));
    assert_eq!((share.quantity, share.cost), (dec("40"), Some(dec("2050"))));
    assert_eq!((fund.class, fund.price()), (Some(AssetClass::Etf), Some(dec("104"))));
    assert_eq!(right.security.symbol.as_str(), "EXMP  270115C00060000", "its inner blanks stay");
    assert_eq!((right.quantity, right.value), (dec("-1"), Some(dec("-185"))));
    assert_eq!((right.multiplier, right.cost), (Some(dec("100")), Some(dec("-210"))));
    assert_eq!((right.price(), right.unit_cost()), (Some(dec("1.85")), Some(dec("2.1"))));
    let standing = cash.account.standing.as_ref().unwrap();
    assert_eq!(standing.cash(crate::model::Currency::USD), Some(dec("250.1")));
    assert_eq!(standing.holdings.as_ref().unwrap()[0].class, Some(AssetClass::MutualFund));
}

#[test]
fn an_account_is_read_whatever_its_balances_look_like() {
    let account = |rest: &str, beside: &str| {
        format!(
            "[{{\"securitiesAccount\":{{\"type\":\"CASH\",\"accountNumber\":\"12\"{rest}}}{beside}}}]"
        )
    };
    let balance = |text: &str| {
        let all = read(text);
        assert_eq!((all.accounts.len(), all.troubles.len()), (1, 0), "{text}");
        all.accounts[0].account.standing.as_ref().map(|it| it.balance)
    };
    let current = ",\"currentBalances\":{\"liquidationValue\":7.5,\"isInCall\":0,\"newField\":[]}";
    assert_eq!(balance(&account(current, "")), Some(dec("7.5")), "without what stands beside it");
    let other = current.replace(":0,", ":false,");
    let beside = ",\"aggregatedBalance\":{\"currentLiquidationValue\":8.25,\"liquidationValue\":8}";
    assert_eq!(balance(&account(&other, beside)), Some(dec("8.25")));
    let beside = ",\"aggregatedBalance\":{\"liquidationValue\":\"8\"}";
    assert_eq!(balance(&account("", beside)), Some(dec("8")));
    let told = read(&account("", ""));
    assert!(told.accounts[0].account.standing.is_none() && told.troubles.len() == 1);
    let told = read("[7,{\"x\":1},{\"securitiesAccount\":{\"type\":\"CASH\"}}]");
    assert_eq!((told.accounts.len(), told.troubles.len()), (0, 3));
    assert!(told.troubles.iter().all(|it| it.hides_rows), "its rows are asked for again");
    let held = |rest: &str| {
        let position = format!(
            ",\"positions\":[{{\"longQuantity\":2,\"marketValue\":10,\"instrument\":{{{rest}}}}}]"
        );
        let all = read(&account(&format!("{position}{current}"), ""));
        let holdings = all.accounts[0].account.standing.as_ref().unwrap().holdings.clone();
        (holdings.map(|all| all.len()), all.troubles.len())
    };
    assert_eq!(held("\"assetType\":\"EQUITY\",\"symbol\":\"X\""), (Some(1), 0));
    assert_eq!(
        held("\"assetType\":\"WARP_DRIVE\",\"symbol\":\"X\""),
        (Some(1), 0),
        "of a new kind"
    );
    assert_eq!(held("\"assetType\":\"FIXED_INCOME\",\"cusip\":\"000000101\""), (Some(1), 0));
    assert_eq!(held("\"assetType\":\"EQUITY\""), (None, 1), "nobody knows what it is");
    let sweep = "\"assetType\":\"CASH_EQUIVALENT\",\"type\":\"SWEEP_VEHICLE\",\"symbol\":\"S\"";
    assert_eq!(held(sweep), (Some(0), 0), "it is cash");
    let fund = sweep.replace("SWEEP_VEHICLE", "MONEY_MARKET_FUND");
    assert_eq!(held(&fund), (Some(1), 0));
    // A multiplier of its own, and numbers as texts.
    let right = account(
        ",\"positions\":[{\"shortQuantity\":\"2\",\"averagePrice\":1.5,\"marketValue\":-600,\
         \"instrument\":{\"assetType\":\"OPTION\",\"symbol\":\"X\",\"optionMultiplier\":150}}]",
        beside,
    );
    let all = read(&right);
    let held = &all.accounts[0].account.standing.as_ref().unwrap().holdings.as_ref().unwrap()[0];
    assert_eq!((held.price(), held.cost), (Some(dec("2")), Some(dec("-450"))));
    for wrong in ["", "{}", "null", "7", "<html>"] {
        let error = accounts::read(wrong.as_bytes(), &HashMap::new(), now()).err().unwrap();
        assert_eq!(error.class(), Class::Later(None), "{wrong}");
    }
    let mixed = account(current, "").replacen('[', "[7,{},{\"securitiesAccount\":{}},", 1);
    let all = read(&mixed);
    assert_eq!(
        (all.accounts.len(), all.troubles.len()),
        (1, 3),
        "one that is wrong hides no other"
    );
}

#[test]
fn an_account_has_the_name_of_its_owner() {
    let one = "{\"accounts\":[{\"accountNumber\":\"90000017\",\"nickName\":\"My Roth IRA\",\
                \"primaryAccount\":true},{\"accountNumber\":\"90000025\",\"nickName\":\"\"}]}";
    for body in [one.to_owned(), format!("[{one}]")] {
        let names = accounts::names(body.as_bytes()).unwrap();
        let all = accounts::read(ACCOUNTS.as_bytes(), &names, now()).unwrap();
        let [first, second] = &all.accounts[..] else { panic!() };
        assert_eq!(
            (first.account.name.as_str(), first.account.kind),
            ("My Roth IRA", AccountKind::RothIra)
        );
        assert_eq!(second.account.name.as_str(), "Schwab …025");
    }
    assert!(accounts::names(b"<html>").is_err());
    assert!(accounts::names(b"[]").unwrap().is_empty());
    let hashes = accounts::hashes(
        b"[{\"accountNumber\":\"90000017\",\"hashValue\":\"AB12\"},{\"accountNumber\":\"1\",\"hashValue\":\"../x\"}]",
    );
    assert_eq!(hashes.unwrap(), HashMap::from([("90000017".to_owned(), "AB12".to_owned())]));
}

/// With the rows of the documents.
#[test]
fn the_documented_rows_are_read() {
    let all: Vec<Entered> =
        rows_of(ROWS).into_iter().flat_map(|it| it.unwrap().rows).map(|it| it.row).collect();
    assert_eq!(
        told(&all),
        [
            "buy 40 -2050",
            "short_sell -1 209.33",
            "dividend 12.4",
            "other_fee -0.4",
            "deposit 500",
            "expiration -2 0",
        ]
    );
    let [bought, written, dividend, .., expired] = &all[..] else { panic!() };
    assert_eq!((bought.price, bought.fee, bought.multiplier), (Some(dec("51.25")), None, None));
    assert_eq!(
        (bought.date.to_string(), bought.status),
        ("2026-09-14".to_owned(), Status::Settled)
    );
    assert_eq!((written.fee, written.multiplier), (Some(dec("0.67")), Some(dec("100"))));
    assert_eq!(written.price, Some(dec("2.1")));
    assert_eq!((dividend.date.to_string(), &dividend.symbol), ("2026-09-16".to_owned(), &None));
    assert_eq!(expired.symbol.as_ref().unwrap().symbol.as_str(), "EXMP  260918P00045000");
    let ids: Vec<_> = all.iter().map(|row| row.id.as_ref().unwrap().to_string()).collect();
    assert_eq!(ids[0], "900000000001", "58: no digit of a large number is lost");
}

#[test]
fn a_trade_is_what_its_legs_say() {
    let trade = |net: &str, items: &[String]| rows(&activity("TRADE", "", net, &items.join(",")));
    let share = |amount: &str, cost: &str| leg("EQUITY", "X", amount, cost, "10");
    // The sign tells, not what is said of the effect.
    let closing =
        share("5", "-50").replace("\"amount\"", "\"positionEffect\":\"CLOSING\",\"amount\"");
    assert_eq!(told(&trade("-50", &[closing])), ["buy 5 -50"]);
    assert_eq!(told(&trade("50", &[share("-5", "50")])), ["sell -5 50"]);
    // An assignment with three legs and the right that ended by it.
    let called = [
        leg("OPTION", "X  260918C00010000", "15", "0", "0"),
        share("-1500", "15000"),
        share("1500", "-15000"),
        share("-1500", "15000"),
    ];
    let both = trade("15000", &called);
    assert_eq!(told(&both), ["sell -1500 15000", "assignment 15 0"]);
    assert_eq!(both[0].link, both[1].link, "one event");
    assert!(both[0].link.is_some() && both[0].id != both[1].id);
    // A trade of nothing is none; what it charged is not lost.
    let fee = "{\"feeType\":\"SEC_FEE\",\"amount\":0.02,\"cost\":-0.02,\
               \"instrument\":{\"assetType\":\"CURRENCY\",\"symbol\":\"CURRENCY_USD\"}}";
    assert_eq!(told(&trade("0", &[fee.to_owned()])), [""; 0]);
    assert_eq!(told(&trade("-0.02", &[fee.to_owned()])), ["commission -0.02"]);
    // A right that ended alone: what it charged, or was settled with, is not lost.
    let ended = |net: &str, fees: &[String]| {
        let right = leg("OPTION", "X  260918C00010000", "-2", "0", "0");
        trade(net, &[&[right], fees].concat())
    };
    let charged = ended("-0.02", &[fee.to_owned()]);
    assert_eq!(told(&charged), ["exercise -2 0", "commission -0.02"]);
    assert!(charged[0].link.is_some() && charged[0].link == charged[1].link);
    assert_eq!(told(&ended("499.98", &[fee.to_owned()])), ["exercise -2 0", "unknown 499.98"]);
    assert_eq!(told(&ended("0", &[])), ["exercise -2 0"]);
    // Without the net amount the legs tell it.
    assert_eq!(told(&trade("null", &[share("-5", "50"), fee.to_owned()])), ["sell -5 49.98"]);
    // An adjusted right.
    let right = leg("OPTION", "X1 260918C00010000", "-2", "450", "1.5")
        .replace("\"symbol\"", "\"optionPremiumMultiplier\":150,\"symbol\"");
    let row = trade("450", &[right]).remove(0);
    assert_eq!(row.multiplier, Some(dec("150")));
    // The shape of another service's past is no trade of anything.
    let old = "{\"activityId\":1,\"time\":\"2026-09-14\",\"type\":\"TRADE\",\"netAmount\":-10,\
               \"transactionItem\":{\"amount\":1,\"price\":10,\"instrument\":{\"symbol\":\"X\"}}}";
    assert_eq!(told(&rows(old)), ["unknown -10"], "kept, and not understood");
    // Into where cash is kept over night, and out of it.
    let sweep = "{\"amount\":100,\"cost\":-100,\"instrument\":{\"assetType\":\"CASH_EQUIVALENT\",\
                 \"type\":\"SWEEP_VEHICLE\",\"symbol\":\"SWEEP\"}}";
    assert_eq!(told(&trade("-100", &[sweep.to_owned()])), ["internal 0"]);
    assert_eq!(told(&rows(&activity("MONEY_MARKET", "SWEEP", "-100", sweep))), ["internal 0"]);
    // A fund of the money market is a holding, and is bought.
    let fund = sweep.replace("SWEEP_VEHICLE", "MONEY_MARKET_FUND");
    let bought = rows(&activity("MONEY_MARKET", "", "-100", &fund));
    assert_eq!(told(&bought), ["buy 100 -100"]);
}

/// Cash is as it is told, with what is kept over night once, whichever figure has that in it.
#[test]
fn cash_is_told_once() {
    let usd = crate::model::Currency::USD;
    let account = |current: &str, whole: &str, positions: &str| {
        let text = format!(
            "[{{\"securitiesAccount\":{{\"type\":\"MARGIN\",\"accountNumber\":\"12\",\
             \"positions\":[{positions}],\"currentBalances\":{{{current}}}}},\
             \"aggregatedBalance\":{{\"currentLiquidationValue\":{whole}}}}}]"
        );
        let all = read(&text);
        let standing = all.accounts[0].account.standing.clone().unwrap();
        (standing.cash(usd), all.troubles.len())
    };
    let position = |asset: &str, kind: &str, value: &str| {
        format!(
            "{{\"longQuantity\":10,\"marketValue\":{value},\"instrument\":{{\"assetType\":\"{asset}\",\
             \"type\":\"{kind}\",\"symbol\":\"{kind}\"}}}}"
        )
    };
    let share = position("EQUITY", "COMMON_STOCK", "1000");
    let sweep = position("CASH_EQUIVALENT", "SWEEP_VEHICLE", "40");
    let fund = position("CASH_EQUIVALENT", "MONEY_MARKET_FUND", "40");
    let both = |one: &str, other: &str| format!("{one},{other}");
    let told = |cash: &str| (Some(dec(cash)), 0);
    // A price has moved between the two: the cash has not.
    assert_eq!(account("\"cashBalance\":5", "1006.5", &share), told("5"));
    assert_eq!(account("\"cashBalance\":5", "1045", &both(&share, &sweep)), told("45"));
    assert_eq!(account("\"cashBalance\":45", "1045", &both(&share, &sweep)), told("45"));
    assert_eq!(account("\"cashBalance\":5,\"moneyMarketFund\":40", "1045", &share), told("45"));
    let held = both(&share, &fund);
    assert_eq!(account("\"cashBalance\":5,\"moneyMarketFund\":40", "1045", &held), told("5"));
    let owed = "\"cashBalance\":0,\"marginBalance\":-300";
    assert_eq!(account(owed, "700", &share), told("-300"));
    // Nothing fits: it is told, and what is left counts.
    assert_eq!(account("\"cashBalance\":5", "1500", &share), (Some(dec("500")), 1));
    assert_eq!(account("\"cashBalance\":5", "6", ""), (Some(dec("6")), 1), "to the last digit");
    // Where a worth is not told the cash still is.
    let unpriced = share.replace(":1000", ":null");
    assert_eq!(account("\"cashBalance\":5", "1005", &unpriced), told("5"));
    assert_eq!(account("", "1005", &share), told("5"), "what is left");
}

#[test]
fn words_tell_what_came() {
    let cash = |kind: &str, words: &str, net: &str| {
        told(&rows(&activity(kind, words, net, ""))).join(", ")
    };
    let paid = |words: &str, net: &str| cash("DIVIDEND_OR_INTEREST", words, net);
    assert_eq!(paid("SCHWAB1 INT 08/16-09/15", "1.5"), "interest 1.5");
    assert_eq!(paid("Something int 08/16-09/15", "1.5"), "interest 1.5");
    assert_eq!(paid("BANK INT", "1.5"), "interest 1.5");
    assert_eq!(paid("MARGIN INTEREST", "-7"), "margin_interest -7");
    assert_eq!(paid("EXAMPLE INTERNATIONAL CORP", "3"), "dividend 3");
    assert_eq!(paid("", "3"), "dividend 3");
    assert_eq!(paid("NRA TAX ADJ", "-3"), "withholding_tax -3");
    assert_eq!(paid("FOREIGN TAX", "3"), "tax 3");
    assert_eq!(paid("EXAMPLE CORP", "-3"), "unknown -3", "it is taken back");
    for (kind, words, net, right) in [
        ("ACH_RECEIPT", "", "5", "deposit 5"),
        ("ACH_DISBURSEMENT", "", "-5", "withdrawal -5"),
        ("CASH_DISBURSEMENT", "", "-5", "withdrawal -5"),
        ("ELECTRONIC_FUND", "", "-5", "withdrawal -5"),
        ("ELECTRONIC_FUND", "", "5", "deposit 5"),
        ("WIRE_IN", "", "5", "wire_in 5"),
        ("WIRE_OUT", "", "-5", "wire_out -5"),
        ("JOURNAL", "TRF FUNDS FRM TYPE 1 TO 2", "-900", "internal -900"),
        ("JOURNAL", "TRF FUNDS TO TYPE 2 FRM 1", "900", "internal 900"),
        ("JOURNAL", "STOCK BORROW FEE", "-12", "other_fee -12"),
        ("JOURNAL", "EXAMPLE PLC ADR", "-0.4", "other_fee -0.4"),
        ("JOURNAL", "EXAMPLE PLC", "-0.4", "other_fee -0.4"),
        ("JOURNAL", "JOURNAL TO 0025", "-900", "transfer_out -900"),
        ("JOURNAL", "JOURNAL FROM 0017", "900", "transfer_in 900"),
        ("SMA_ADJUSTMENT", "", "0", ""),
        ("MEMORANDUM", "", "0.0", ""),
        ("MARGIN_CALL", "", "0", ""),
        ("MEMORANDUM", "", "4", "unknown 4"),
        ("WARP_DRIVE", "", "4", "unknown 4"),
    ] {
        assert_eq!(cash(kind, words, net), right, "{kind} {words}");
    }
}

#[test]
fn what_is_received_is_told_by_its_legs() {
    let got = |words: &str, items: &[String]| {
        rows(&activity("RECEIVE_AND_DELIVER", words, "0", &items.join(",")))
    };
    let share = |symbol: &str, amount: &str| leg("EQUITY", symbol, amount, "0", "0");
    assert_eq!(told(&got("TRANSFER", &[share("X", "7")])), ["transfer_in 7 0"]);
    assert_eq!(told(&got("", &[share("X", "-7")])), ["transfer_out -7 0"]);
    let split = got("", &[share("X", "-100"), share("X", "400")]).remove(0);
    assert_eq!(
        (split.what, split.ratio.unwrap().to_string()),
        (EntryType::One(Subtype::Split), "400:100".to_owned())
    );
    for words in ["STOCK SPLIT 4:1", "4 for 1 split", "4-FOR-1 FORWARD SPLIT"] {
        let split = got(words, &[share("X", "300")]).remove(0);
        assert_eq!(split.ratio.unwrap().to_string(), "4:1", "{words}");
    }
    assert_eq!(told(&got("STOCK SPLIT", &[share("X", "300")])), ["stock_dividend 300 0"]);
    assert_eq!(told(&got("REVERSE SPLIT", &[share("X", "-90")])), ["adjustment -90 0"]);
    let swapped = got("MERGER", &[share("X", "-10"), share("Y", "5")]);
    assert_eq!(told(&swapped), ["transfer_out -10 0", "transfer_in 5 0"]);
    assert!(swapped[0].link.is_some() && swapped[0].link == swapped[1].link);
    let right = |amount: &str| leg("OPTION", "X  260918P00045000", amount, "0", "0");
    assert_eq!(told(&got("REMOVED DUE TO ASSIGNMENT", &[right("1")])), ["assignment 1 0"]);
    assert_eq!(told(&got("OPTION EXERCISE", &[right("-1")])), ["exercise -1 0"]);
    assert_eq!(told(&got("", &[right("-1")])), ["expiration -1 0"]);
}

/// Whatever it is called, what happened to a security is not dropped.
#[test]
fn securities_are_kept_of_activities_of_any_type() {
    let share = leg("EQUITY", "X", "3", "0", "0");
    let came = |kind: &str, net: &str| told(&rows(&activity(kind, "X CORP", net, &share)));
    assert_eq!(came("DIVIDEND_OR_INTEREST", "0"), ["stock_dividend 3 0"]);
    assert_eq!(came("DIVIDEND_OR_INTEREST", "4"), ["stock_dividend 3 0", "dividend 4"]);
    assert_eq!(came("WARP_DRIVE", "-4"), ["transfer_in 3 0", "unknown -4"]);
    assert_eq!(came("WIRE_IN", "4"), ["transfer_in 3 0", "wire_in 4"]);
    assert_eq!(came("MEMORANDUM", "0"), [""; 0], "it is only written down");
}

/// A row keeps its id whatever the order in which its legs are told.
#[test]
fn ids_do_not_follow_the_order_of_legs() {
    let legs = [
        leg("EQUITY", "Y", "5", "0", "0"),
        leg("EQUITY", "X", "-10", "0", "0"),
        leg("OPTION", "X  260918C00010000", "1", "0", "0"),
    ];
    let ids = |order: [usize; 3]| {
        let items = order.map(|at| legs[at].clone()).join(",");
        let rows = rows(&activity("RECEIVE_AND_DELIVER", "", "7", &items));
        let ids = rows.iter().map(|row| row.id.clone().unwrap());
        ids.zip(told(&rows)).collect::<Vec<_>>()
    };
    let one = ids([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(ids(order), one, "{order:?}");
    }
}

/// What it did to the cash is kept of what cannot be understood, and told.
#[test]
fn a_row_that_is_not_understood_keeps_its_cash() {
    let strange = leg("EQUITY", "X", "\"many\"", "0", "0");
    let huge = leg("EQUITY", "X", "1", "-5", "-5").replace("\"X\"", "\"\"");
    for items in [strange, huge, "7".to_owned()] {
        let text = activity("TRADE", "", "-5", &items);
        let told_of = rows_of(&format!("[{text}]")).remove(0).unwrap();
        let all: Vec<_> = told_of.rows.into_iter().map(|it| it.row).collect();
        assert_eq!(told(&all), ["unknown -5"], "{items}");
        assert!(told_of.wrong.unwrap().starts_with("1: "), "{items}");
        // Without that there is nothing that could be kept.
        let text = activity("TRADE", "", "null", &items);
        assert!(rows_of(&format!("[{text}]")).remove(0).is_err(), "{items}");
    }
}

/// What cannot be understood.
#[test]
fn a_row_has_its_status_or_says_what_is_wrong() {
    let status = |word: &str| {
        let text = activity("WIRE_IN", "", "5", "")
            .replace("\"type\"", &format!("\"status\":{word},\"type\""));
        rows(&text).remove(0).status
    };
    assert_eq!(status("\"PENDING\""), Status::Pending);
    assert_eq!(status("\"VALID\""), Status::Settled);
    assert_eq!(status("\"INVALID\""), Status::Failed);
    assert_eq!(status("null"), Status::Settled);
    for (text, why) in [
        ("{\"type\":\"WIRE_IN\",\"netAmount\":1}", "a row without a number"),
        ("{\"activityId\":7,\"type\":\"WIRE_IN\",\"netAmount\":1}", "7: it has no day"),
        (
            "{\"activityId\":7,\"time\":\"2026-09-14\",\"netAmount\":\"NaN\"}",
            "7: its amount is no number",
        ),
        ("{\"activityId\":7,\"activityId\":8}", "duplicate field `activityId`"),
        ("7", "cannot be read"),
    ] {
        let told = rows_of(&format!("[{text}]")).remove(0).unwrap_err();
        assert!(told.contains(why), "{text}: {told}");
    }
    let large = activity("WIRE_IN", "", "5", "").replace("Id\":1", "Id\":9007199254740993");
    assert_eq!(rows(&large)[0].id.as_ref().unwrap().as_str(), "9007199254740993");
}
