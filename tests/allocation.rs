//! Targets and the plans that lead to them: what to buy or to sell, to the last cent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dashtam::model::{
    AssetClass, Change, Dec, Dimension, Edit, Exact, NewTarget, SafeText, SecurityEdit,
};
use dashtam::report::{self, Aim, AllocationQuery, Plan, PlanQuery, Standing};
use dashtam::service::edit::security_named;
use serde_json::{Value, json};
use support::engines::{Engine, TODAY, on_each};
use support::home::Home;

const ROWS: &str = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
    2026-01-02,Broker,DEPOSIT,,,,,USD,1000\n\
    2026-01-05,Broker,BUY,X,4,50,,USD,\n\
    2026-02-02,Broker,BUY,X,6,50,,USD,\n\
    2026-02-02,Broker,BUY,Y,10,20,,USD,\n\
    2026-02-03,TFSA,OPENING,Y,5,20,,USD,\n";
/// X 600, Y 210 and 105, cash 300: 1215.
const PRICES: &str = "date,symbol,close,currency\n\
    2026-11-19,sec:X,60,USD\n2026-11-19,sec:Y,21,USD\n";

fn dec(text: &str) -> Dec {
    Dec::parse(text).unwrap()
}

/// Broker and TFSA, X an ETF, Y a share.
async fn portfolio(engine: &Engine) {
    engine.import(&[("rows.csv", ROWS), ("prices.csv", PRICES)]).await;
    for (symbol, class) in [("X", AssetClass::Etf), ("Y", AssetClass::Equity)] {
        let id = security_named(&engine.session, symbol).await.unwrap().id;
        let edit = SecurityEdit { class: Edit::Set(class), ..SecurityEdit::default() };
        engine.edit(Change::EditSecurity(id, edit)).await;
    }
}

async fn target(engine: &Engine, key: &str, weight: &str, band: Option<&str>) {
    target_by(engine, Dimension::Class, key, weight, band).await;
}

async fn target_by(
    engine: &Engine,
    dimension: Dimension,
    key: &str,
    weight: &str,
    band: Option<&str>,
) {
    let (key, weight, band) = (SafeText::new(key), dec(weight), band.map(dec));
    engine.edit(Change::SetTarget(NewTarget { dimension, key, weight, band })).await;
}

async fn plan(engine: &Engine, aim: Aim, whole_shares: bool) -> Result<Plan, report::Error> {
    plan_by(engine, Dimension::Class, aim, whole_shares).await
}

async fn plan_by(
    engine: &Engine,
    by: Dimension,
    aim: Aim,
    whole_shares: bool,
) -> Result<Plan, report::Error> {
    let allocation =
        AllocationQuery { as_of: TODAY, today: TODAY, account: None, currency: None, by };
    let mut tx = engine.session.store.read().await.unwrap();
    report::plan(&mut tx, &PlanQuery { allocation, aim, whole_shares }).await
}

/// Action, symbol, account, quantity, amount.
fn orders(plan: &Plan) -> Vec<String> {
    let name = |text: &Option<SafeText>| text.as_ref().map_or("-".to_owned(), ToString::to_string);
    let row = |row: &report::PlanRow| {
        let quantity = row.quantity.map_or("-".to_owned(), |it| it.to_string());
        let (symbol, account) = (name(&row.symbol), name(&row.account));
        format!("{} {symbol} {account} {quantity} {}", row.action.as_str(), row.amount)
    };
    plan.rows.iter().map(row).collect()
}

#[tokio::test]
async fn money_goes_to_what_is_furthest_below_its_target() {
    on_each(async |engine| {
        portfolio(engine).await;
        target(engine, "etf", "0.6", None).await;
        target(engine, "equity", "0.3", None).await;
        target(engine, "crypto", "0.1", None).await;
        // Of 2430: X lacks 858, Y 414 and coins 243: 100 less each, to spread 1215.
        let invested = plan(engine, Aim::Invest(dec("1215")), false).await.unwrap();
        // Y by what each account has of it: 314 x 210 / 315 and the rest.
        let right = [
            "buy X Broker 12.63333333 758",
            "buy Y Broker 9.96809523 209.33",
            "buy Y TFSA 4.98428571 104.67",
            "choose - - - 143",
        ];
        assert_eq!(orders(&invested), right);
        assert_eq!(invested.cash_left, Dec::ZERO);
        // No share is cut: 12 X, 9 and 4 Y leave 79. X is furthest from its 758 and gets one more;
        // 19 buy nothing.
        let whole = plan(engine, Aim::Invest(dec("1215")), true).await.unwrap();
        let right =
            ["buy X Broker 13 780", "buy Y Broker 9 189", "buy Y TFSA 4 84", "choose - - - 143"];
        assert_eq!(orders(&whole), right);
        assert_eq!(whole.cash_left, dec("19"));
    })
    .await;
}

#[tokio::test]
async fn what_is_sold_names_its_lots() {
    on_each(async |engine| {
        portfolio(engine).await;
        target(engine, "etf", "0.3", None).await;
        target(engine, "equity", "0.3", None).await;
        // Of 915: 325.5 of X and 40.5 of Y are too much: 33 less each, to raise 300.
        let raised = plan(engine, Aim::Raise(dec("300")), false).await.unwrap();
        let right = [
            "sell X Broker 4.875 292.5",
            "sell Y Broker 0.23809523 5",
            "sell Y TFSA 0.11904761 2.5",
        ];
        assert_eq!(orders(&raised), right);
        let lots = raised.rows[0].lots.iter().map(|lot| {
            let [cost, gain] = [lot.cost_base, lot.gain_base].map(Option::unwrap);
            format!("{} {} {cost} {gain} {}", lot.opened, lot.quantity, lot.term)
        });
        // 4 of the first purchase, the rest of the second, 10 gained on each.
        let right = ["2026-01-05 4 200 40 short", "2026-02-02 0.875 43.75 8.75 short"];
        assert_eq!(lots.collect::<Vec<_>>(), right);
        let whole = plan(engine, Aim::Raise(dec("300")), true).await.unwrap();
        assert_eq!(orders(&whole), ["sell X Broker 5 300"]);
        assert_eq!(whole.cash_left, Dec::ZERO);
        // All of it, and more than there is.
        let all = plan(engine, Aim::Raise(dec("915")), false).await.unwrap();
        assert_eq!(
            orders(&all),
            ["sell X Broker 10 600", "sell Y Broker 10 210", "sell Y TFSA 5 105"]
        );
        let error = plan(engine, Aim::Raise(dec("915.01")), false).await.unwrap_err();
        assert!(error.to_string().contains("no more than 915 USD"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn cash_beside_shares_is_raised_before_any_is_sold() {
    on_each(async |engine| {
        portfolio(engine).await;
        let by = Dimension::Account;
        target_by(engine, by, "Broker", "0.8", None).await;
        target_by(engine, by, "TFSA", "0.2", None).await;
        let raise = async |amount: &str, whole_shares: bool| {
            plan_by(engine, by, Aim::Raise(dec(amount)), whole_shares).await
        };
        // Of 1115: Broker has 1110 - 892 = 218 too much, TFSA lacks 118.
        let some = raise("100", false).await.unwrap();
        assert_eq!(orders(&some), ["take - Broker - 100"]);
        // Of 215: 1110 - 172 = 938 and 105 - 43 = 62. Broker's cash is 300; the other 638 are
        // 600 / 810 of X and 210 / 810 of Y: 472.59 and 165.41.
        let right = [
            "take - Broker - 300",
            "sell X Broker 7.8765 472.59",
            "sell Y Broker 7.87666666 165.41",
            "sell Y TFSA 2.95238095 62",
        ];
        assert_eq!(orders(&raise("1000", false).await.unwrap()), right);
        // 7 X, 7 and 2 Y make 609, with the cash 909; then one more of each, X 52.59 short, Y
        // of TFSA 20, Y of Broker 18.41: 480, 168 and 63.
        let whole = raise("1000", true).await.unwrap();
        let right = [
            "take - Broker - 300",
            "sell X Broker 8 480",
            "sell Y Broker 8 168",
            "sell Y TFSA 3 63",
        ];
        assert_eq!(orders(&whole), right);
        assert_eq!(whole.cash_left, dec("11"));
        // All there is, and more.
        let all = raise("1215", false).await.unwrap();
        let right = [
            "take - Broker - 300",
            "sell X Broker 10 600",
            "sell Y Broker 10 210",
            "sell Y TFSA 5 105",
        ];
        assert_eq!(orders(&all), right);
        let error = raise("1215.01", false).await.unwrap_err();
        assert!(error.to_string().contains("no more than 1215 USD"), "{error}");
        // What comes in buys shares: nobody asked for more cash.
        let invested = plan_by(engine, by, Aim::Invest(dec("1000")), false).await.unwrap();
        assert!(invested.rows.iter().all(|it| it.symbol.is_some()), "{:?}", orders(&invested));
    })
    .await;
}

#[tokio::test]
async fn money_for_cash_is_kept_where_there_is_none_yet() {
    on_each(async |engine| {
        let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-02-03,TFSA,OPENING,Y,5,20,,USD,\n";
        engine.import(&[("rows.csv", rows), ("prices.csv", PRICES)]).await;
        // Y is 5 x 21; half of 210 is the other 105. An account of that name is no cash.
        for (by, held, action) in
            [(Dimension::Security, "Y", "keep"), (Dimension::Account, "TFSA", "choose")]
        {
            target_by(engine, by, held, "0.5", None).await;
            target_by(engine, by, "cash", "0.5", None).await;
            let invested = plan_by(engine, by, Aim::Invest(dec("105")), false).await.unwrap();
            assert_eq!(orders(&invested), [format!("{action} - - - 105")]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_plan_ends_inside_the_bands_when_that_is_possible() {
    on_each(async |engine| {
        portfolio(engine).await;
        target(engine, "etf", "0.5", Some("0.02")).await;
        target(engine, "equity", "0.3", Some("0.05")).await;
        target(engine, "cash", "0.2", Some("0.02")).await;
        let values = [("etf", 600), ("equity", 315), ("cash", 300)];
        let bands = [("0.48", "0.52"), ("0.25", "0.35"), ("0.18", "0.22")];
        let mut possible = 0;
        for amount in (10..=900).step_by(89) {
            for aim in [Aim::Invest(Dec::from_i64(amount)), Aim::Raise(Dec::from_i64(amount))] {
                let sign = if matches!(aim, Aim::Invest(_)) { 1 } else { -1 };
                let planned = plan(engine, aim, false).await.unwrap();
                let sum =
                    planned.rows.iter().fold(Exact::ZERO, |sum, it| sum.add(&it.amount.into()));
                assert_eq!(sum, Exact::from(Dec::from_i64(amount)), "{aim:?}");
                let weights =
                    planned.after.iter().fold(Exact::ZERO, |sum, it| sum.add(&it.weight.into()));
                assert_eq!(weights, Exact::from(Dec::ONE), "{aim:?}");
                // What must move at least, and what may at most, in units of the plan's own sign.
                let whole = Exact::from(Dec::from_i64(1215 + sign * amount));
                let of = |part: &str, value: i64| {
                    let off = whole.mul(&dec(part).into()).sub(&Dec::from_i64(value).into());
                    off.mul(&Dec::from_i64(sign).into())
                };
                let (mut least, mut most, mut can) = (Exact::ZERO, Exact::ZERO, true);
                for ((_, value), (low, high)) in values.iter().zip(bands) {
                    let (low, high) = if sign > 0 { (low, high) } else { (high, low) };
                    least = least.add(&of(low, *value).max(Exact::ZERO));
                    can &= of(high, *value) >= Exact::ZERO;
                    most = most.add(&of(high, *value).max(Exact::ZERO));
                }
                let amount = Exact::from(Dec::from_i64(amount));
                let inside = planned.after.iter().all(|it| it.standing() == Some(Standing::Within));
                assert_eq!(inside, can && least <= amount && amount <= most, "{aim:?}");
                possible += usize::from(inside);
            }
        }
        assert!((3..20).contains(&possible), "{possible}");
    })
    .await;
}

// ---- as a person asks

impl Home {
    fn with_portfolio() -> Self {
        let home = Self::new();
        let files = [home.file("rows.csv", ROWS), home.file("prices.csv", PRICES)];
        home.done(&format!("import {} {}", files[0], files[1]));
        home.done("security edit X --class etf");
        home.done("security edit Y --class equity");
        home
    }

    #[track_caller]
    fn done(&self, line: &str) -> String {
        let ran = self.say(line);
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
        ran.out
    }

    #[track_caller]
    fn no(&self, line: &str, word: &str) {
        let ran = self.say(line);
        assert_eq!(ran.code, Some(2), "{line}: {}", ran.out);
        assert!(ran.err.contains(word), "{line}: {}", ran.err);
    }
}

#[test]
fn targets_are_set_listed_and_removed() {
    let home = Home::with_portfolio();
    home.no("report allocation --invest 5", "target set");
    assert_eq!(home.done("target set class ETF 60% --band 3%"), "ETF should be 60.0 % by class\n");
    home.done("target set class cash 0.3");
    home.no("target set class equity 0.2", "add up to 1.1");
    home.no("target set class nonsense 0.1", "no such slice");
    home.no("target set class equity 20", "60%");
    home.done("target set class equity 0.1");
    let list: Value = serde_json::from_str(&home.done("target list --json")).unwrap();
    let row = |key: &str, weight: &str, band: &str| json!({"by": "class", "key": key, "weight": weight, "band": band});
    let rows =
        [row("cash", "0.3", "0.05"), row("equity", "0.1", "0.05"), row("etf", "0.6", "0.03")];
    assert_eq!(list["rows"], json!(rows));
    assert!(home.done("target list").contains("class  etf"), "{}", home.done("target list"));
    home.done("target remove class Cash");
    let ran = home.say("target remove class cash");
    assert!(ran.code != Some(0) && ran.err.contains("no target"), "{}", ran.err);
    // They travel with the store.
    assert!(
        home.done("export --format canonical").contains("target dimension=\"class\" key=\"etf\"")
    );
}

#[test]
fn a_plan_is_printed_and_kept_in_a_private_file() {
    let home = Home::with_portfolio();
    home.done("target set class etf 0.6 --band 0.05");
    home.done("target set class equity 0.4");
    let line = "report allocation --as-of 2026-11-20 --raise 100 --whole-shares";
    let plan: Value = serde_json::from_str(&home.done(&format!("{line} --json"))).unwrap();
    assert_eq!(plan["schema"], "dashtam.report.allocation/1");
    assert_eq!((&plan["plan"]["aim"], &plan["plan"]["amount"]), (&json!("raise"), &json!("100")));
    let orders = plan["plan"]["orders"].as_array().unwrap();
    assert!(!orders.is_empty());
    let table = home.done(line);
    for order in orders {
        let cells = [&order["action"], &order["symbol"], &order["account"], &order["quantity"]];
        for cell in cells {
            assert!(table.contains(cell.as_str().unwrap()), "{order}: {table}");
        }
        assert_eq!(order["price_date"], "2026-11-19");
        assert!(!order["lots"].as_array().unwrap().is_empty(), "{order}");
    }
    let csv = home.done(&format!("{line} --csv"));
    assert_eq!(csv.lines().count(), 1 + orders.len());
    let path = home.file("old.csv", "mine");
    home.no(&format!("{line} --out {path}"), "old.csv");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    home.done(&format!("{line} --out {path} --force"));
    assert_eq!(fs::read_to_string(&path).unwrap(), csv);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let document = home.file("plan.json", "");
    home.done(&format!("{line} --json --out {document} --force"));
    let written: Value = serde_json::from_str(&fs::read_to_string(&document).unwrap()).unwrap();
    assert_eq!(written, plan);
    home.no(&format!("{line} --out {document} --force --private"), "--private");
    home.no(&format!("{line} --out {document} --read-only"), "read");
    home.no("report allocation --out plan.csv", "--invest");
    home.no("report allocation --invest 5 --raise 5", "--raise");
    // Nothing of the amounts is left where they are hidden.
    let hidden = home.done(&format!("{line} --private"));
    assert!(hidden.contains("•••") && !hidden.contains("60.00"), "{hidden}");
}

#[test]
fn securities_are_sorted_by_hand() {
    let home = Home::with_portfolio();
    home.done("security edit X --sector Tech --region Europe --tags income,core");
    let list: Value = serde_json::from_str(&home.done("security list --json")).unwrap();
    let x = &list["rows"][0];
    assert_eq!((&x["sector"], &x["region"]), (&json!("Tech"), &json!("Europe")));
    assert_eq!(x["tags"], json!(["core", "income"]));
    home.done("security edit X --clear tags --clear sector");
    let list: Value = serde_json::from_str(&home.done("security list --json")).unwrap();
    assert_eq!(
        (&list["rows"][0]["tags"], &list["rows"][0]["sector"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(list["rows"][0]["region"], "Europe");
}
