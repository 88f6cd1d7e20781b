//! The reports as scripts see them: the shapes that are a promise, what an option changes, and how
//! a question that has no answer is refused. What the figures must be is checked elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::home::{HEADER, Home, Ran, example, keys, sorted};
use unicode_width::UnicodeWidthStr;

/// A day after everything in the examples.
const END: &str = "2024-03-28";
const REPORTS: [&str; 11] = [
    "accounts",
    "holdings",
    "lots",
    "transactions",
    "net-worth",
    "gains",
    "income",
    "allocation",
    "performance",
    "coverage",
    "findings",
];

impl Home {
    /// Both worked examples: X in dollars, Y in Canadian dollars.
    fn with_examples() -> Self {
        let names =
            ["example_a.csv", "example_a_prices.csv", "example_b.csv", "example_b_prices.csv"];
        let files = names.map(example);
        Self::importing(&files)
    }

    /// Rows of the neutral form.
    fn with_rows(rows: &str) -> Self {
        let home = Self::new();
        home.import(&[home.file("rows.csv", &format!("{HEADER}\n{rows}"))]);
        home
    }

    fn importing(files: &[String]) -> Self {
        let home = Self::new();
        home.import(files);
        home
    }

    fn import(&self, files: &[String]) {
        let words: Vec<_> =
            std::iter::once("import").chain(files.iter().map(String::as_str)).collect();
        let ran = self.run(&words);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }

    /// A report of words without blanks in them; `~` stands for a blank.
    fn report(&self, line: &str) -> Ran {
        let words: Vec<_> = line.split(' ').map(|word| word.replace('~', " ")).collect();
        let words = std::iter::once("report").chain(words.iter().map(String::as_str));
        self.run(&words.collect::<Vec<_>>())
    }

    #[track_caller]
    fn text(&self, line: &str) -> String {
        let ran = self.report(line);
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
        ran.out
    }

    #[track_caller]
    fn json_of(&self, line: &str) -> Value {
        serde_json::from_str(&self.text(&format!("{line} --json"))).unwrap()
    }

    /// It is refused in one line that has this word, and nothing is printed.
    #[track_caller]
    fn refused(&self, line: &str, word: &str) {
        let ran = self.report(line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{line}");
        assert_eq!(ran.err.lines().count(), 1, "{line}: {}", ran.err);
        assert!(ran.err.starts_with("dashtam: ") && ran.err.contains(word), "{line}: {}", ran.err);
    }
}

// ---- shapes

#[test]
fn every_report_keeps_its_shape() {
    let home = Home::with_examples();
    let rows = [
        (
            "accounts",
            "id name kind class mode institution connection currency cash market_value value \
             value_base as_of stale pending",
        ),
        (
            "holdings",
            "account symbol security_id name asset_class currency quantity price price_date \
             price_source stale value value_base cost cost_base unrealized unrealized_base realized \
             realized_base income weight method pending closed",
        ),
        (
            "lots",
            "account symbol currency opened quantity cost cost_base value unrealized \
             unrealized_base unrealized_fx term pending",
        ),
        (
            "net-worth",
            "date net_worth market_value cash assets liabilities partial missing pending",
        ),
        (
            "gains",
            "account symbol currency opened closed quantity proceeds cost gain proceeds_base \
             cost_base gain_base gain_fx term method pending",
        ),
        (
            "income",
            "month account symbol kind amount withheld net expected currency amount_base \
             withheld_base net_base expected_base forecast pending yield_on_cost yield_on_value",
        ),
        ("allocation", "by key value_base weight target drift band standing"),
        ("coverage", "what name needed_from needed_to first last missing_days stale_days"),
    ];
    for (name, fields) in rows {
        let report = home.json_of(&format!("{name} --as-of {END}"));
        let envelope = sorted("schema as_of currency partial missing rows totals");
        assert_eq!(keys(&report), envelope, "{name}");
        assert_eq!(report["schema"], format!("dashtam.report.{name}/1"));
        assert_eq!((&report["as_of"], &report["currency"]), (&json!(END), &json!("USD")), "{name}");
        let all = report["rows"].as_array().unwrap();
        assert!(!all.is_empty(), "{name}");
        for row in all {
            assert_eq!(keys(row), sorted(fields), "{name}");
        }
        assert_eq!(report["partial"], !report["missing"].as_array().unwrap().is_empty(), "{name}");
        let csv = home.text(&format!("{name} --as-of {END} --csv"));
        assert_eq!(sorted(&csv.lines().next().unwrap().replace(',', " ")), sorted(fields));
        assert_eq!(csv.lines().count(), 1 + all.len(), "{name}");
    }
    let totals = |line: &str| keys(&home.json_of(line)["totals"]).join(" ");
    let positions = "cost_base pending realized_base unrealized_base value_base";
    assert_eq!(totals(&format!("holdings --as-of {END}")), positions);
    assert_eq!(totals(&format!("lots --as-of {END}")), positions);
    let gains = "cost_base gain_base long_base pending proceeds_base short_base";
    assert_eq!(totals(&format!("gains --as-of {END}")), gains);
}

#[test]
fn findings_keep_their_shape() {
    // Sold without ever having been bought, and not in a margin account.
    let home = Home::with_rows("2024-01-02,Broker,SELL,X,5,10,,USD,50\n");
    let report = home.json_of("findings");
    assert_eq!(report["schema"], "dashtam.report.findings/1");
    // There is no price of it either, which is of no one account; today comes first.
    let [price, row] = &report["rows"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&price["kind"], &price["account"]), (&json!("missing_price"), &Value::Null));
    let fields = sorted("id kind severity account symbol date transaction detail fix");
    assert_eq!(keys(row), fields);
    assert_eq!((&row["account"], &row["symbol"]), (&json!("Broker"), &json!("X")));
    assert_eq!(row["date"], "2024-01-02");
    let csv = home.text("findings --csv");
    assert_eq!(sorted(&csv.lines().next().unwrap().replace(',', " ")), fields);
    let told = home.text("findings");
    assert!(told.contains("Broker  X") && told.contains(row["fix"].as_str().unwrap()), "{told}");
    assert_eq!(home.json_of("findings --as-of 2024-01-01")["rows"], json!([]));
}

#[test]
fn decimals_are_strings_and_what_is_unknown_is_null() {
    let home = Home::with_examples();
    // X has its only price on the last day.
    let report = home.json_of("holdings --as-of 2024-02-29 --account Example~A");
    let row = &report["rows"][0];
    assert_eq!((&row["quantity"], &row["cost"]), (&json!("150"), &json!("1610")));
    for field in ["price", "price_date", "value", "value_base", "unrealized", "weight"] {
        assert_eq!(row[field], Value::Null, "{field}");
    }
    assert_eq!((&report["partial"], &report["totals"]["value_base"]), (&json!(true), &Value::Null));
    let lacks = json!([{
        "what": "price", "security": "X", "account": null, "date": "2024-02-29"
    }]);
    assert_eq!(report["missing"], lacks);

    let ran = home.report("holdings --as-of 2024-02-29");
    assert_eq!(ran.code, Some(0), "an answer that lacks something is an answer");
    let last = ran.out.lines().last().unwrap();
    assert!(last.starts_with("total ") && last.contains(" partial "), "{}", ran.out);
    assert_eq!(ran.err, "missing: price of X on 2024-02-29\n");
    let csv = home.text("holdings --as-of 2024-02-29 --account Example~A --csv");
    assert!(csv.lines().nth(1).unwrap().contains(",USD,150,,,,false,,,1610,1610,"), "{csv}");
}

// ---- options

#[test]
fn options_choose_the_account_the_currency_and_the_method() {
    let home = Home::with_examples();
    let rows = |line: &str| home.json_of(line)["rows"].as_array().unwrap().len();
    for report in ["accounts", "holdings", "lots"] {
        assert_eq!(rows(&format!("{report} --as-of {END}")), 2, "{report}");
        assert_eq!(rows(&format!("{report} --as-of {END} --account Example~B")), 1, "{report}");
        home.refused(&format!("{report} --account Nobody"), "Nobody");
    }
    let y = |line: &str| home.json_of(&format!("holdings --account Example~B {line}"));
    let day = "--as-of 2024-01-31";
    // 505 CAD at 0.76; in its own currency there is nothing to convert.
    assert_eq!(y(day)["rows"][0]["cost_base"], "383.8");
    let own = y(&format!("{day} --currency CAD"));
    assert_eq!((&own["currency"], &own["rows"][0]["cost_base"]), (&json!("CAD"), &json!("505")));
    let gain = |line: &str| home.json_of(line)["totals"]["gain_base"].clone();
    assert_eq!(gain(&format!("gains --as-of {END}")), "307");
    assert_eq!(gain(&format!("gains --as-of {END} --method average")), "266");
    home.refused("holdings --method dearest", "hifo");
}

#[test]
fn what_is_held_no_more_is_shown_when_asked_for() {
    let rows = "2024-01-02,Broker,BUY,X,5,10,,USD,-50\n2024-02-01,Broker,SELL,X,5,12,,USD,60\n";
    let home = Home::with_rows(rows);
    assert_eq!(home.json_of("holdings")["rows"], json!([]));
    let closed = home.json_of("holdings --closed");
    let row = &closed["rows"][0];
    assert_eq!((&row["quantity"], &row["realized"]), (&json!("0"), &json!("10")));
}

#[test]
fn a_tax_year_is_grouped_by_account() {
    let rows = "\
2023-05-10,B,BUY,X,10,10,,USD,-100
2023-05-10,A,BUY,X,10,10,,USD,-100
2024-01-01,B,SELL,X,1,12,,USD,12
2024-12-31,A,SELL,X,2,9,,USD,18
2025-01-01,A,SELL,X,2,9,,USD,18
";
    let home = Home::with_rows(rows);
    let year = home.json_of("gains --tax-year 2024");
    assert_eq!(year["as_of"], "2024-12-31");
    let accounts: Vec<_> =
        year["rows"].as_array().unwrap().iter().map(|row| row["account"].clone()).collect();
    assert_eq!(accounts, ["A", "B"]);
    // 2 x 9 - 2 x 10 after more than a year; 12 - 10 within one.
    let sums = &year["totals"]["accounts"];
    assert_eq!((&sums[0]["account"], &sums[0]["gain_base"]), (&json!("A"), &json!("-2")));
    assert_eq!((&sums[0]["long_base"], &sums[0]["short_base"]), (&json!("-2"), &json!("0")));
    assert_eq!((&sums[1]["account"], &sums[1]["gain_base"]), (&json!("B"), &json!("2")));
    assert_eq!(year["totals"]["gain_base"], "0");
    let table = home.text("gains --tax-year 2024");
    let totals: Vec<_> = table.lines().filter(|line| line.contains("total")).collect();
    assert_eq!(totals.len(), 3, "{table}");
    assert!(totals[0].starts_with('A') && totals[0].ends_with("▼ -2.00"), "{table}");
    assert_eq!(
        home.json_of("gains --tax-year 2025")["totals"]["accounts"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn methods_are_compared_on_the_same_sales() {
    let home = Home::with_examples();
    let report = home.json_of(&format!("gains --compare-methods --as-of {END}"));
    assert_eq!(report["schema"], "dashtam.report.methods/1");
    let row = |method: &str| {
        let rows = report["rows"].as_array().unwrap();
        rows.iter().find(|row| row["method"] == method).unwrap().clone()
    };
    // The newest first: 1554 - 605 - 1005 x 70/100.
    for (method, gain) in [("fifo", "307"), ("average", "266"), ("lifo", "245.5")] {
        assert_eq!(row(method)["gain_base"], gain, "{method}");
        assert_eq!(row(method)["current"], method == "fifo", "{method}");
    }
    assert_eq!(report["rows"].as_array().unwrap().len(), 6);
}

#[test]
fn net_worth_has_the_last_day_of_each_period() {
    let home = Home::with_examples();
    let dates = |line: &str| -> Vec<String> {
        let report = home.json_of(&format!("net-worth {line}"));
        let rows = report["rows"].as_array().unwrap();
        rows.iter().map(|row| row["date"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(dates(&format!("--as-of {END}")), [END]);
    let months = format!("--every month --from 2024-01-15 --to {END}");
    assert_eq!(dates(&months), ["2024-01-31", "2024-02-29", END]);
    // Two Sundays and a Monday.
    let weeks = "--every week --from 2024-01-04 --to 2024-01-15";
    assert_eq!(dates(weeks), ["2024-01-07", "2024-01-14", "2024-01-15"]);
    home.refused("net-worth --from 2024-01-01", "--every");
    home.refused("net-worth --every hour", "quarter");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let home = Home::with_examples();
    for (line, word) in [
        ("holdings --csv --json", "--csv"),
        ("holdings --explain X --csv", "--csv"),
        ("gains --to 2024-01-02 --as-of 2024-01-03", "--as-of"),
        ("net-worth --to 2024-01-02 --as-of 2024-01-03", "--as-of"),
        ("gains --from 2024-01-02 --to 2024-01-01", "--from"),
        ("gains --tax-year 2024 --from 2024-01-01", "--tax-year"),
        ("gains --tax-year 2024 --as-of 2024-06-30", "--tax-year"),
        ("gains --compare-methods --method fifo", "--method"),
        ("gains --tax-year 24x", "24x"),
        ("net-worth --explain cash --every day", "--every"),
        ("holdings --currency usd", "usd"),
        ("lots --from 2024-01-01", "--from"),
    ] {
        // An error in JSON is the document, and `--csv --json` asks for both.
        if line.ends_with("--json") {
            assert_eq!(home.report(line).code, Some(2), "{line}");
        } else {
            home.refused(line, word);
        }
    }
}

// ---- explanations

#[test]
fn every_explained_figure_is_the_one_of_the_report() {
    let home = Home::with_examples();
    let report = home.json_of(&format!("holdings --as-of {END}"));
    for row in report["rows"].as_array().unwrap() {
        let symbol = row["symbol"].as_str().unwrap();
        let main = home.json_of(&format!("holdings --as-of {END} --explain {symbol}"));
        assert_eq!(main["schema"], "dashtam.explain/1");
        assert_eq!(keys(&main), sorted("schema figure of value currency formula inputs"));
        assert_eq!(
            (&main["figure"], &main["value"]),
            (&json!("value_base"), &row["value_base"]),
            "{symbol}"
        );
        let mut checked = 0;
        for input in main["inputs"].as_array().unwrap() {
            assert_eq!(keys(input), sorted("kind id date value source pair"));
            let figure = input["id"].as_str().unwrap_or_default();
            if input["kind"] == "figure" && !row[figure].is_null() {
                let one =
                    home.json_of(&format!("holdings --as-of {END} --explain {symbol}.{figure}"));
                assert_eq!((&one["figure"], &one["value"]), (&json!(figure), &row[figure]));
                assert_eq!(input["value"], row[figure], "{symbol}.{figure}");
                checked += 1;
            }
        }
        assert!(checked >= 6, "{symbol}: {main}");
    }
    let rate = home.json_of(&format!("holdings --as-of {END} --explain Y"));
    let inputs = rate["inputs"].as_array().unwrap();
    let rate = inputs.iter().find(|input| input["kind"] == "rate").unwrap();
    assert_eq!((&rate["pair"], &rate["date"]), (&json!("CAD/USD"), &json!("2024-01-31")));
    assert_eq!(rate["value"], "0.8");
}

#[test]
fn every_report_with_figures_explains_one() {
    let home = Home::with_examples();
    let a_of = |line: &str, field: &str| home.json_of(line)["rows"][0][field].clone();
    let worth = a_of(&format!("net-worth --as-of {END}"), "net_worth");
    for (line, figure, value) in [
        ("lots --explain X", "unrealized_base", json!("57")),
        ("gains --explain X", "gain_base", json!("307")),
        ("accounts --explain Example~A", "value_base", json!("10373")),
        ("net-worth --explain net_worth", "net_worth", worth),
        ("net-worth --explain liabilities", "liabilities", json!("0")),
        ("income --explain X", "amount_base", json!("9")),
        ("income --explain total.net_base", "net_base", json!("22.6")),
        ("income --explain 2025-03.expected_base", "expected_base", json!("9")),
        ("allocation --explain unknown", "value_base", json!("900")),
        ("coverage --explain X", "missing_days", json!("85")),
    ] {
        let document = home.json_of(&format!("{line} --as-of {END}"));
        assert_eq!((&document["figure"], &document["value"]), (&json!(figure), &value), "{line}");
        let text = home.text(&format!("{line} --as-of {END}"));
        assert!(text.starts_with(&format!("{figure} of ")), "{line}: {text}");
    }
}

#[test]
fn a_figure_that_is_not_there_is_refused_with_those_that_are() {
    let home = Home::with_examples();
    for (line, known) in [
        ("holdings --explain FOO", "X, Y"),
        ("lots --explain FOO", "X, Y"),
        ("gains --explain Y", "it has X"),
        ("accounts --explain FOO", "Example A, Example B"),
        ("net-worth --explain FOO", "assets, cash, liabilities, market_value, net_worth"),
        ("income --explain FOO", "X, Y, total"),
        ("allocation --explain FOO", "cash, unknown"),
        ("coverage --explain FOO", "CAD/USD, X, Y"),
        ("holdings --explain X.asset_class", "X.value_base"),
    ] {
        home.refused(&format!("{line} --as-of {END}"), known);
    }
    let ran = home.report("holdings --explain FOO --json");
    assert_eq!(ran.code, Some(2));
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["schema"], "dashtam.error/1");
    assert_eq!(document["error"]["kind"], "not_found");
}

// ---- performance

const PERFORMANCE: &str = "scope accounts from to twr twr_annualized xirr gain gain_price gain_fx \
    gain_income gain_fees gain_taxes flows_in flows_out start_value end_value volatility sharpe \
    max_drawdown days_skipped days_unvalued reasons pending";

#[test]
fn performance_keeps_its_shape() {
    let home = Home::with_examples();
    for (by, lines) in [("all", 1), ("account", 2), ("holding", 2), ("lot", 3), ("class", 1)] {
        let line = format!("performance --as-of {END} --by {by}");
        let report = home.json_of(&line);
        assert_eq!(report["schema"], "dashtam.report.performance/1");
        let rows = report["rows"].as_array().unwrap();
        assert_eq!(rows.len(), lines, "{by}");
        for row in rows {
            assert_eq!(keys(row), sorted(PERFORMANCE), "{by}");
            let fall = &row["max_drawdown"];
            assert!(fall.is_null() || keys(fall) == sorted("depth start trough recovered"));
        }
        let csv = home.text(&format!("{line} --csv"));
        assert_eq!(csv.lines().count(), 1 + lines, "{by}");
        home.text(&line);
    }
    let report = home.json_of(&format!("performance --as-of {END} --benchmark X --every month"));
    let row = &report["rows"][0];
    assert_eq!(row["benchmark"]["symbol"], "X");
    assert_eq!(row["periods"].as_array().unwrap().len(), 3);
    assert_eq!(row["periods"][2]["to"], END);
    assert_eq!(row["accounts"], json!(["Example A", "Example B"]));
}

#[test]
fn performance_names_what_is_left_out_of_it() {
    let home = Home::with_examples();
    let line = format!("performance --as-of {END}");
    let scope = || {
        let report = home.json_of(&line);
        (report["rows"][0]["accounts"].clone(), report.get("left_out").cloned())
    };
    assert_eq!(scope(), (json!(["Example A", "Example B"]), None));
    home.ok(&["account", "edit", "Example B", "--performance", "no"]);
    assert_eq!(scope(), (json!(["Example A"]), Some(json!(["Example B"]))));
    let ran = home.say(&format!("report {line}"));
    assert!(ran.err.contains("left out of performance: Example B"), "{ran:?}");
    home.ok(&["account", "edit", "Example B", "--performance", "yes"]);
    assert_eq!(scope(), (json!(["Example A", "Example B"]), None));
}

#[test]
fn performance_in_parts_is_a_line_for_each() {
    let home = Home::with_rows(
        "2024-01-02,Broker,DEPOSIT,,,,,USD,1000\n2024-01-02,Broker,BUY,X,10,100,,USD,\n\
         2024-02-01,Broker,DEPOSIT,,,,,USD,1100\n2024-02-01,Broker,BUY,X,10,110,,USD,\n",
    );
    home.import(&[home.file(
        "prices.csv",
        "date,symbol,close,currency\n2024-01-02,sec:X,100,USD\n2024-01-31,sec:X,110,USD\n\
         2024-02-29,sec:X,99,USD\n",
    )]);
    let line = "performance --as-of 2024-02-29";
    // 1000 become 1100; with 1100 more that is 2200, which become 20 x 99.
    assert_eq!(
        home.text(&format!("{line} --every month --csv")),
        "scope,accounts,from,to,twr,gain,flows,end_value\n\
         all,Broker,2024-01-02,2024-01-31,0.1,100,1000,1100\n\
         all,Broker,2024-02-01,2024-02-29,-0.1,-220,1100,1980\n"
    );
    // Each of two scopes, and hidden.
    let parts = home.text(&format!("{line} --every month --csv --by holding --private"));
    let lines: Vec<_> = parts.lines().skip(1).collect();
    assert_eq!(lines[1], "X,Broker,2024-02-01,2024-02-29,-0.1,•••,•••,•••", "{parts}");
    // The same money in X has 10 and 10 of it: 1980 of 2100.
    let csv = home.text(&format!("{line} --benchmark X --csv"));
    let [header, row] = csv.lines().collect::<Vec<_>>()[..] else { panic!("{csv}") };
    let told = |name: &str| {
        let place = header.split(',').position(|it| it == name);
        place.and_then(|place| row.split(',').nth(place))
    };
    assert_eq!(told("benchmark"), Some("X"));
    assert_eq!(told("benchmark_end_value"), Some("1980"));
    assert_eq!(told("benchmark_gain"), Some("-120"));
}

#[test]
fn performance_hides_amounts_and_keeps_ratios() {
    let home = Home::with_examples();
    let line = format!("performance --as-of {END}");
    let (open, hidden) = (home.json_of(&line), home.json_of(&format!("{line} --private")));
    let (open, hidden) = (&open["rows"][0], &hidden["rows"][0]);
    for figure in ["gain", "gain_price", "flows_in", "end_value"] {
        assert_eq!(hidden[figure], "•••", "{figure}");
        assert!(open[figure].as_str().unwrap().contains(char::is_numeric), "{figure}");
    }
    assert_eq!(open["twr"], hidden["twr"]);
    for form in ["", " --csv", " --explain all", " --every month", " --every month --csv"] {
        let out = home.text(&format!("{line} --private{form}"));
        assert!(out.contains("•••") && !out.contains("11262"), "{form}: {out}");
    }
}

#[test]
fn performance_explains_each_figure() {
    let home = Home::with_examples();
    let line = format!("performance --as-of {END}");
    let row = home.json_of(&line)["rows"][0].clone();
    let names = PERFORMANCE.split_whitespace().filter(|name| {
        !["scope", "accounts", "from", "to", "days_skipped", "days_unvalued", "reasons", "pending"]
            .contains(name)
    });
    for name in names {
        let told = home.json_of(&format!("{line} --explain all.{name}"));
        let wanted = if name == "max_drawdown" { &row[name]["depth"] } else { &row[name] };
        assert_eq!((&told["figure"], &told["value"]), (&json!(name), wanted), "{name}");
        assert!(!told["formula"].as_str().unwrap().is_empty(), "{name}");
    }
    // An unknown figure says why.
    let told = home.json_of(&format!("{line} --explain all.twr_annualized"));
    assert!(told["formula"].as_str().unwrap().contains("span of a year or less"), "{told}");
    home.refused(&format!("{line} --explain FOO"), "all");
    home.refused(&format!("{line} --by FOO"), "holding");
    home.refused(&format!("{line} --benchmark FOO"), "FOO");
    home.refused("performance --from 2024-02-01 --to 2024-01-31", "--from");
}

// ---- manners

#[test]
fn tables_fit_a_terminal_of_80_columns_without_colours() {
    let folder = support::root().join("assets/demo");
    let files = ["transactions.csv", "prices.csv"];
    let files = files.map(|name| folder.join(name).into_os_string().into_string().unwrap());
    let home = Home::importing(&files);
    for report in REPORTS {
        let flags = if report == "net-worth" { "--every quarter " } else { "" };
        let table = home.text(&format!("{report} {flags}--as-of 2026-11-20"));
        for line in table.lines() {
            assert!(line.width() <= 80, "{report}: {line}");
        }
        assert!(!table.contains('\x1b'), "{report} has colours that nobody can see");
        assert!(table.lines().count() > 2 || report == "findings", "{report}: {table}");
    }
}

#[test]
fn private_hides_the_amounts_of_every_report() {
    let home = Home::with_examples();
    let explained = ["holdings --explain X", "lots --explain X", "gains --explain X"];
    // Ratios are no amounts, and may have the same digits.
    let others = ["coverage", "findings", "performance"];
    let all = REPORTS.iter().filter(|name| !others.contains(name));
    for report in all.chain(&explained) {
        let forms = if report.contains("--explain") {
            vec!["", " --json"]
        } else {
            vec!["", " --json", " --csv"]
        };
        for form in forms {
            let open = home.text(&format!("{report}{form} --as-of {END}"));
            let out = home.text(&format!("{report}{form} --private --as-of {END}"));
            assert!(out.contains("•••"), "{report}{form}: {out}");
            let figures = [
                "10373", "10362", "11262", "1005", "363", "420", "307", "290", "57", "13.6", "2.40",
            ];
            assert!(figures.iter().any(|figure| open.contains(figure)), "{report}{form}: {open}");
            for figure in figures {
                // The age of a price is no amount.
                let out = out.replace("57d", "");
                assert!(!out.contains(figure), "{report}{form} shows {figure}: {out}");
            }
        }
    }
}

#[test]
fn a_report_needs_a_store_and_leaves_no_trace() {
    let home = Home::new();
    for report in REPORTS {
        assert_eq!(home.report(report).code, Some(7), "{report}");
    }
    assert!(!home.data().exists());
    let home = Home::with_examples();
    let before = fs::read(home.root.path().join("data/dashtam.db")).unwrap();
    for report in REPORTS {
        home.text(report);
    }
    assert_eq!(fs::read(home.root.path().join("data/dashtam.db")).unwrap(), before);
}

#[test]
fn reports_of_an_empty_portfolio_are_empty() {
    let home = Home::new();
    assert_eq!(home.run(&["migrate"]).code, Some(0));
    for report in REPORTS {
        let document = home.json_of(report);
        assert_eq!(document["partial"], false, "{report}");
        let rows = document["rows"].as_array().unwrap().len();
        // Nothing is worth nothing, on a day too.
        assert_eq!(rows, usize::from(report == "net-worth"), "{report}");
        home.text(report);
    }
    assert_eq!(home.json_of("net-worth")["rows"][0]["net_worth"], "0");
}

#[test]
fn names_that_change_leave_figures_as_a_rebuild_makes_them() {
    let home = Home::new();
    let done = |line: &str| {
        let ran = home.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
        ran.out
    };
    for account in ["A", "B"] {
        done(&format!("account add {account} --kind brokerage --currency USD"));
        let row = "--date 2024-01-02 --type buy --symbol X --quantity 10 --price 100";
        done(&format!("txn add --account {account} {row}"));
    }
    for (symbol, share) in [("L", "0.2"), ("M", "0.5")] {
        done(&format!(
            "txn add --account A --date 2024-01-03 --type spin_off --symbol X --to-symbol {symbol} \
             --quantity 5 --cost-share {share}"
        ));
    }
    let same = "every figure is what the rows say\n";
    assert_eq!(done("rebuild --check"), same);
    // Each of these puts a row behind the one that it stood before.
    for line in ["account rename A Z", "security edit L --symbol N"] {
        done(line);
        assert_eq!(done("rebuild --check"), same, "{line}");
    }
}

#[test]
fn what_is_not_known_of_the_past_is_missing_too() {
    let rows = "2024-01-02,A,OPENING,X,10,,,USD,\n2024-01-03,A,SELL,X,10,10,,USD,\n\
        2024-01-03,A,BUY,Q,10,10,,USD,\n2024-01-04,A,SELL,Q,10,11,,USD,\n";
    let home = Home::with_rows(rows);
    let ran = home.run(&["report", "holdings", "--closed", "--as-of", "2024-01-05", "--json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["partial"], true);
    assert_eq!(report["missing"][0]["what"], "cost");
    assert_eq!(report["totals"]["realized_base"], "10");

    let rows = "2024-01-03,A,BUY,X,10,10,,USD,\n2024-01-03,A,SELL,X,10,10,,USD,\n\
        2024-01-03,A,BUY,Y,10,10,,USD,\n";
    let home = Home::with_rows(rows);
    let ran = home.run(&["report", "holdings", "--closed", "--as-of", "2024-01-05", "--json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["totals"]["value_base"], Value::Null, "nothing that is held has a value");
}

#[test]
fn what_is_between_two_accounts_is_in_the_total() {
    let home = Home::with_rows(
        "2024-01-02,A,DEPOSIT,,,,,USD,1000\n2024-01-02,A,BUY,X,4,50,,USD,-200\n\
         2024-01-03,B,DEPOSIT,,,,,USD,1\n",
    );
    for (link, what) in [("cash", "--currency USD --amount"), ("lots", "--symbol X --quantity")] {
        let (out, into) = if link == "cash" { ("-300", "300") } else { ("3", "3") };
        for line in [
            format!("--account A --date 2024-01-05 --type transfer_out {what} {out}"),
            format!("--account B --date 2024-01-09 --type transfer_in {what} {into}"),
        ] {
            let ran = home.say(&format!("txn add {line} --link {link}"));
            assert_eq!(ran.code, Some(0), "{}", ran.err);
        }
    }
    let price = home.say("price set X --date 2024-01-05 --close 60 --currency USD");
    assert_eq!(price.code, Some(0), "{}", price.err);
    let worth = |day: &str, form: &str| home.text(&format!("accounts --as-of {day}{form}"));

    // A has 500 in cash and one X of 60, B has 1; 300 and three X of 60 are on their way.
    let table = worth("2024-01-06", "");
    assert!(table.contains("in transit"), "{table}");
    let totals = |day: &str| {
        let report: Value = serde_json::from_str(&worth(day, " --json")).unwrap();
        report["totals"].clone()
    };
    let under_way = json!({"value_base": "1041", "in_transit_base": "480", "pending": false});
    assert_eq!(totals("2024-01-06"), under_way);
    let net_worth = home.json_of("net-worth --as-of 2024-01-06 --every year");
    assert_eq!(net_worth["rows"][0]["net_worth"], "1041");
    let arrived = json!({"value_base": "1041", "pending": false});
    assert_eq!(totals("2024-01-09"), arrived, "all has come");
    // One account has a total of its own, and what has left it is not in there.
    let one = home.json_of("accounts --account A --as-of 2024-01-06");
    assert_eq!(one["totals"], json!({"value_base": "560", "pending": false}));
}

#[test]
fn a_closed_account_that_is_not_empty_is_a_finding() {
    let home = Home::with_rows(
        "2024-01-02,Old,DEPOSIT,,,,,USD,70\n2024-01-02,Gone,DEPOSIT,,,,,USD,5\n\
         2024-01-03,Gone,WITHDRAWAL,,,,,USD,-5\n2024-01-03,Kept,BUY,X,1,9,,USD,-9\n",
    );
    for name in ["Old", "Gone"] {
        home.ok(&["account", "close", name, "--date", "2024-01-10"]);
    }
    let closed = |day: &str| {
        let report = home.json_of(&format!("findings --as-of {day}"));
        let rows = report["rows"].as_array().unwrap().clone();
        rows.into_iter().filter(|row| row["kind"] == "closed_with_value").collect::<Vec<_>>()
    };
    assert_eq!(closed("2024-01-09"), Vec::<Value>::new());
    let [found] = &closed("2024-01-10")[..] else { panic!("{:?}", closed("2024-01-10")) };
    assert_eq!((&found["account"], &found["date"]), (&json!("Old"), &json!("2024-01-10")));
    assert!(found["detail"].as_str().unwrap().contains("70 USD"), "{found}");
    home.ok(&["account", "edit", "Old", "--reopen"]);
    assert_eq!(closed("2024-01-10"), Vec::<Value>::new());
}

#[test]
fn an_empty_report_says_why_it_is_empty() {
    let home = Home::with_rows("2024-01-02,A,DEPOSIT,,,,,USD,70\n");
    let ran = home.report("coverage");
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(ran.err.contains("nothing is held that would need"), "{}", ran.err);
    assert_eq!(home.json_of("coverage")["rows"], json!([]));
    let says = |asked: &str, text: &str, reason: &str| {
        let told = home.text(asked);
        assert!(told.contains(text), "{told}");
        assert_eq!(home.json_of(asked)["reasons"], json!({ "rows": reason }));
    };
    says("performance", "no account invests", "no_investing_account");
    let before = "performance --by class --to 2020-01-01";
    says(before, "nothing was invested by 2020-01-01", "nothing_invested_yet");
    assert_eq!(home.json_of("performance --by class").get("reasons"), None);
}

#[test]
fn no_total_waits_for_a_row_that_no_value_follows() {
    let home = Home::new();
    home.ok(&["account", "add", "H", "--kind", "other", "--currency", "USD", "--mode", "balances"]);
    home.ok(&["account", "edit", "H", "--balance", "500", "--date", "2024-01-02"]);
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,status\n\
        2024-01-05,H,DEPOSIT,,,,,USD,7,pending\n";
    home.import(&[home.file("rows.csv", rows)]);
    let totals = json!({"value_base": "500", "pending": false});
    assert_eq!(home.json_of("accounts --as-of 2024-01-31")["totals"], totals);
    let total = home.json_of("accounts --explain total --as-of 2024-01-31");
    assert!(!total.to_string().contains("\"pending\""), "{total}");
    assert_eq!(home.json_of("net-worth --as-of 2024-01-31")["rows"][0]["pending"], json!(false));
}

#[test]
fn what_is_pending_or_failed_says_so_in_every_table() {
    // A name that leaves little room for a status.
    let home = Home::new();
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,status\n\
        2024-01-02,Brokerage of old,DEPOSIT,,,,,USD,1000000.25,\n\
        2024-01-03,Brokerage of old,BUY,X,1000.123,10.125,,USD,,pending\n\
        2024-01-04,Brokerage of old,BUY,X,1000.123,10.125,,USD,,failed\n\
        2024-01-04,Brokerage of old,BUY,Y,1000.123,10.125,,USD,,\n\
        2024-01-05,Brokerage of old,SELL,Y,10,11,,USD,,\n\
        2024-01-05,Brokerage of old,SELL,X,4,10,,USD,,pending\n\
        2024-01-05,Settled,DEPOSIT,,,,,USD,5,\n";
    home.import(&[home.file("rows.csv", rows)]);
    let marked = |line: &str, word: &str| -> Vec<bool> {
        let table = home.text(&format!("{line} --as-of 2024-01-31"));
        table.lines().skip(1).map(|line| line.contains(word)).collect()
    };
    // X, then Y, then the total.
    assert_eq!(marked("holdings", "pending"), [true, false, true]);
    assert_eq!(marked("lots", "pending"), [true, false, true]);
    // By the day, then X before Y; and the total with its two terms.
    assert_eq!(marked("gains", "pending"), [true, false, true, false, false]);
    assert_eq!(marked("accounts", "pending"), [true, false, true]);
    assert_eq!(marked("net-worth", "pending"), [true]);
    assert_eq!(marked("transactions", "pending"), [false, true, false, false, false, false, true]);
    assert_eq!(marked("transactions", "failed").iter().filter(|is| **is).count(), 1);
    // Before the day of a row nothing of it is pending.
    for report in ["accounts", "holdings", "lots", "gains", "net-worth"] {
        let before = home.text(&format!("{report} --as-of 2024-01-02"));
        assert!(!before.contains("pending"), "{before}");
        let document = home.text(&format!("{report} --as-of 2024-01-02 --json"));
        assert!(!document.contains("\"pending\":true"), "{document}");
    }
    // The rows of a document say so one by one, and so does what they add up to.
    let day = "--as-of 2024-01-31";
    for (report, expected) in [
        ("accounts", json!([true, false])),
        ("holdings", json!([true, false])),
        ("lots", json!([true, false])),
        ("gains", json!([true, false])),
        ("net-worth", json!([true])),
    ] {
        let document = home.json_of(&format!("{report} {day}"));
        let rows = document["rows"].as_array().unwrap().iter().map(|row| row["pending"].clone());
        assert_eq!(rows.collect::<Value>(), expected, "{report}");
        let total = &document["totals"]["pending"];
        assert_eq!(*total, if report == "net-worth" { Value::Null } else { json!(true) });
        let csv = home.text(&format!("{report} {day} --csv"));
        assert!(csv.lines().nth(1).unwrap().contains(",true"), "{csv}");
    }
    // An explanation names the row.
    let told = |line: &str| -> Vec<String> {
        let document = home.json_of(&format!("{line} {day}"));
        let inputs = document["inputs"].as_array().unwrap().clone();
        let pending = inputs.into_iter().filter(|input| input["source"] == "pending");
        pending.map(|input| input["date"].as_str().unwrap().to_owned()).collect()
    };
    for key in [
        "accounts --explain Brokerage~of~old",
        "accounts --explain total",
        "holdings --explain X",
        "gains --explain X",
        "net-worth --explain net_worth",
    ] {
        assert_eq!(told(key), ["2024-01-03", "2024-01-05"], "{key}");
    }
    for key in ["accounts --explain Settled", "holdings --explain Y", "lots --explain Y"] {
        assert_eq!(told(key), Vec::<String>::new(), "{key}");
    }
}

#[test]
fn money_that_came_by_the_rate_of_its_day_says_so() {
    let home = Home::new();
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,fx_rate\n\
        2024-01-02,A,BUY,X,10,5,,USD,,\n\
        2024-01-03,A,DIVIDEND,X,,,,CAD,4,\n\
        2024-01-03,A,DIVIDEND,X,,,,CAD,4,1.25\n\
        2024-01-04,A,DEPOSIT,,,,,CAD,4,\n";
    home.import(&[home.file("rows.csv", rows)]);
    let report = home.json_of("transactions");
    let marks = report["rows"].as_array().unwrap().iter().map(|row| row["by_day_rate"].clone());
    assert_eq!(marks.collect::<Value>(), json!([false, true, false, false]));
    let table = home.text("transactions");
    let marked: Vec<_> = table.lines().skip(1).map(|line| line.contains("day's rate")).collect();
    assert_eq!(marked, [false, true, false, false], "{table}");
}

#[test]
fn a_loss_that_may_not_count_names_the_sale_and_the_purchases() {
    let home = Home::new();
    let kind = ["--kind", "brokerage", "--currency", "USD", "--method", "acb"];
    home.run(&[&["account", "add", "T"][..], &kind].concat());
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2025-01-02,T,BUY,X,10,100,,USD,\n\
        2025-03-02,T,SELL,X,10,50,,USD,\n\
        2025-03-10,R,BUY,X,10,51,,USD,\n";
    let prices = "date,symbol,close,currency\n2025-01-02,sec:X,50,USD\n";
    home.import(&[home.file("rows.csv", rows), home.file("prices.csv", prices)]);
    let rows = home.json_of("transactions")["rows"].clone();
    let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    let found = home.json_of("findings");
    let [found] = &found["rows"].as_array().unwrap()[..] else { panic!("{found}") };
    assert_eq!(
        (&found["kind"], &found["severity"]),
        (&json!("superficial_loss"), &json!("warning"))
    );
    assert_eq!(found["transaction"].to_string(), ids[1]);
    let detail = format!(
        "perhaps not all of the loss of 500 USD counts: within 30 days of the sale were bought 10 in \
         R on 2025-03-10 (row {}), and some was held 30 days after it, or is today",
        ids[2].trim_matches('"')
    );
    assert_eq!(found["detail"], detail);
}

#[test]
fn what_lots_cost_is_explained_by_all_the_rows_that_made_it_so() {
    let home = Home::new();
    for (name, method) in [("T1", "acb"), ("T2", "acb"), ("Mean", "average")] {
        let kind = ["--kind", "brokerage", "--currency", "USD", "--method", method];
        home.run(&[&["account", "add", name][..], &kind].concat());
    }
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,multiplier,link,to_account,cost_share,to_symbol\n\
        2025-01-01,T1,BUY,V,1,70,,USD,,,,,,\n\
        2025-01-01,T1,SELL,V,1,80,,USD,,,,,,\n\
        2025-01-02,T1,BUY,V,10,100,10,USD,,,,,,\n\
        2025-01-03,T1,DIVIDEND,V,,,,USD,8,,,,,\n\
        2025-01-05,T2,BUY,V,30,120,10,USD,,,,,,\n\
        2025-01-09,T1,SELL,V,5,130,10,USD,,,,,,\n\
        2025-01-02,M,BUY,P,10,100,1,USD,,,,,,\n\
        2025-01-03,M,SELL,P,4,110,,USD,,,,,,\n\
        2025-01-02,M,BUY,R,10,100,,USD,,,,,,\n\
        2025-02-02,M,RETURN_OF_CAPITAL,R,,,,USD,20,,,,,\n\
        2025-02-03,M,SELL,R,4,90,,USD,,,,,,\n\
        2025-01-02,M,BUY,ZC,2,5,2,USD,,100,,,,\n\
        2025-02-02,M,EXERCISE,ZC,1,,,USD,,100,e,,,\n\
        2025-02-02,M,BUY,Z,100,100,1,USD,,,e,,,\n\
        2025-01-02,Mean,BUY,W,1,10,,USD,,,,,,\n\
        2025-01-03,Mean,BUY,W,1,30,,USD,,,,,,\n\
        2025-01-04,Mean,TRANSFER_OUT,W,1,,,USD,,,,M,,\n\
        2025-01-02,M,BUY,OLD,10,10,,USD,,,,,,\n\
        2025-01-06,M,SPIN_OFF,OLD,5,,,USD,,,,,0.4,NEW\n";
    home.import(&[home.file("rows.csv", rows)]);
    let check = |line: &str, value: &str, formula: &str, expected: &[&str]| {
        let document = home.json_of(&format!("{line} --as-of 2025-03-01"));
        let inputs = document["inputs"].as_array().unwrap().iter().map(|input| {
            let [kind, date] = ["kind", "date"].map(|name| input[name].as_str().unwrap());
            format!("{kind} {date} {}", input["value"].as_str().unwrap_or("-"))
        });
        let inputs: Vec<_> = inputs.collect();
        assert_eq!(document["value"], value, "{line}");
        assert_eq!(document["formula"], formula, "{line}");
        assert_eq!(inputs, expected, "{line}");
    };
    // What the trade of the day before brought in and took out has no part in it.
    let pool = ["row 2025-01-02 -1010", "row 2025-01-05 -3610", "row 2025-01-09 640"];
    check("lots --account T1 --explain V.cost", "577.5", "4042.5 x 5 / 35", &pool);
    check(
        "gains --from 2025-01-02 --explain V.cost",
        "577.5",
        "the average cost of what was held then, by quantity",
        &["lot 2025-01-02 577.5", pool[0], pool[1]],
    );
    check("lots --explain P.cost", "600.6", "1001 x 6 / 10", &["row 2025-01-02 -1001"]);
    let own = "what its row cost, by quantity";
    check("gains --explain P.cost", "400.4", own, &["lot 2025-01-02 400.4"]);
    let several = "what is left of the cost of these rows, by quantity";
    let returned = ["row 2025-01-02 -1000", "row 2025-02-02 20"];
    check("lots --explain R.cost", "588", several, &returned);
    check(
        "gains --explain R.cost",
        "392",
        "what was left of the cost of these rows, by quantity",
        &["lot 2025-01-02 392", "row 2025-02-02 20"],
    );
    // 1002 x 1/2 for the right that was used.
    let used = ["row 2025-01-02 -1002", "row 2025-02-02 -", "row 2025-02-02 -10001"];
    check("lots --explain Z.cost", "10502", several, &used);
    check("lots --explain ZC.cost", "501", "1002 x 1 / 2", &["row 2025-01-02 -1002"]);
    // The average of 40 for two; what left it took its part along.
    let mean = ["row 2025-01-02 -10", "row 2025-01-03 -30", "row 2025-01-04 -"];
    check("lots --account Mean --explain W.cost", "20", "20 x 1 / 1", &mean);
    let moved = ["row 2025-01-02 -10", "row 2025-01-04 -"];
    check("lots --account M --explain W.cost", "20", several, &moved);
    let spun = ["row 2025-01-02 -100", "row 2025-01-06 -"];
    check("lots --explain OLD.cost", "60", several, &spun);
    check("lots --explain NEW.cost", "40", several, &spun);
}

#[test]
fn every_figure_leads_to_the_rows_prices_and_rates_behind_it() {
    // 10 Y for 505 CAD at 0.76, 4 of them sold for 278 at 0.8; a dividend paid in USD at 0.8.
    let home = Home::new();
    home.run(&[
        "account",
        "add",
        "House",
        "--kind",
        "other",
        "--currency",
        "CAD",
        "--mode",
        "balances",
    ]);
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
        2024-01-02,A,DEPOSIT,,,,,CAD,1000\n\
        2024-01-03,A,BUY,Y,10,50,5,CAD,\n\
        2024-01-31,A,DIVIDEND,Y,,,,USD,8\n\
        2024-02-05,A,SELL,Y,4,70,2,CAD,\n";
    let prices = "date,symbol,close,currency\n\
        2024-01-03,fx:CAD,0.76,USD\n2024-01-31,fx:CAD,0.8,USD\n2024-01-31,sec:Y,60,CAD\n";
    home.import(&[home.file("rows.csv", rows), home.file("prices.csv", prices)]);
    home.run(&["account", "edit", "House", "--balance", "500", "--date", "2024-01-15"]);
    // Each: the value, then what every input is and how much.
    let explained = |line: &str| {
        let document = home.json_of(&format!("{line} --as-of 2024-02-05"));
        let inputs = document["inputs"].as_array().unwrap().iter().map(|input| {
            let kind = input["kind"].as_str().unwrap();
            let name = input["pair"].as_str().or(input["id"].as_str()).unwrap_or("?");
            let name = if matches!(kind, "row" | "lot") { "" } else { name };
            format!("{kind} {name} {}", input["value"].as_str().unwrap_or("n/a"))
        });
        let inputs: Vec<_> = inputs.collect();
        (document["value"].as_str().unwrap_or("n/a").to_owned(), inputs.join("; "))
    };
    let check = |line: &str, value: &str, inputs: &str| {
        assert_eq!(explained(line), (value.to_owned(), inputs.to_owned()), "{line}");
    };
    // 6 Y are left: 303 CAD, 230.28 USD.
    check("holdings --explain Y.cost_base", "230.28", "lot  230.28; rate CAD/USD 0.76");
    check("holdings --explain Y.price", "60", "price Y 60");
    // Of 288 + 400 + 618.4 USD of cash and the house, which are no holdings, it knows nothing.
    check("holdings --explain Y.weight", "1", "figure value_base 288; figure total value_base 288");
    check("holdings --explain Y.income", "10", "row  8; rate CAD/USD 0.8");
    check("lots --explain Y.cost", "303", "row  -505");
    check("lots --explain Y.cost_base", "230.28", "row  -505; figure cost 303; rate CAD/USD 0.76");
    check(
        "lots --explain Y.unrealized_fx",
        "12.12",
        "figure cost 303; rate CAD/USD 0.8; figure cost_base 230.28",
    );
    check("gains --explain Y.proceeds_base", "222.4", "row  278; rate CAD/USD 0.8");
    check("gains --explain Y.cost_base", "153.52", "lot  202; rate CAD/USD 0.76");
    check("gains --explain Y.cost", "202", "lot  202");
    check(
        "gains --explain Y.gain_base",
        "68.88",
        "figure proceeds_base 222.4; figure cost_base 153.52",
    );
    // 1000 - 505 + 278 CAD and 8 USD.
    check(
        "accounts --explain A.cash",
        "783",
        "figure cash CAD 773; figure cash USD 8; rate CAD/USD 0.8",
    );
    check(
        "accounts --explain A.market_value",
        "360",
        "figure Y 360; figure quantity 6; price Y 60",
    );
    check(
        "accounts --explain House",
        "400",
        "figure balance 500; rate CAD/USD 0.8; figure value 500; figure market_value n/a; \
         figure cash 0",
    );
    check("accounts --explain total", "1314.4", "figure A 914.4; figure House 400");
    check(
        "net-worth --explain market_value",
        "288",
        "figure Y in A 288; figure quantity 6; price Y 60; rate CAD/USD 0.8",
    );
    check(
        "net-worth --explain assets",
        "400",
        "figure the balance in House 400; figure amount 500; rate CAD/USD 0.8",
    );
    // 10 x 50 and a fee.
    let rows = home.json_of("transactions");
    let id = &rows["rows"][1]["id"];
    check(
        &format!("transactions --explain {id}"),
        "-505",
        "row  -505; figure quantity 10; figure price 50; figure fee 5",
    );
    home.refused("transactions --explain 999", "999");
}

#[test]
fn one_of_two_securities_of_a_symbol_is_asked_for_by_its_currency() {
    let home = Home::new();
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,venue\n\
        2024-01-02,A,BUY,X,10,100,,USD,,NYSE\n\
        2024-01-02,A,BUY,X,10,50,,CAD,,TSX\n\
        2024-02-02,A,SELL,X,5,110,,USD,,NYSE\n\
        2024-02-02,A,SELL,X,5,40,,CAD,,TSX\n";
    let prices = "date,symbol,close,currency\n2024-01-01,fx:CAD,0.75,USD\n";
    home.import(&[home.file("rows.csv", rows), home.file("prices.csv", prices)]);
    let explained =
        |key: &str| home.json_of(&format!("holdings --as-of 2024-02-03 --explain {key}"));
    assert_eq!(explained("X@CAD.cost")["value"], "250");
    let american = explained("X@USD.realized_base");
    assert_eq!(american["value"], "50");
    assert_eq!(american["inputs"].as_array().unwrap().len(), 1, "{american}");
    home.refused("holdings --as-of 2024-02-03 --explain X.cost", "SYMBOL@CURRENCY");
    home.refused("holdings --as-of 2024-02-03 --explain Y", "X@CAD, X@USD");
    let sold = home.json_of("gains --as-of 2024-02-03 --explain X@CAD");
    // 200 - 250 CAD at 0.75.
    assert_eq!(sold["value"], "-37.5");
}

#[test]
fn a_finding_is_explained_by_its_row() {
    let home = Home::with_rows("2024-01-02,Broker,SELL,X,5,10,,USD,50\n");
    let findings = home.json_of("findings");
    let rows = findings["rows"].as_array().unwrap();
    let found = rows.iter().find(|row| row["kind"] == "short_opened").unwrap();
    let id = found["id"].as_str().unwrap();
    let explained = home.json_of(&format!("findings --explain {id}"));
    assert_eq!(explained["formula"], found["detail"]);
    assert_eq!(explained["inputs"][0]["value"], "50");
    home.refused("findings --explain 0", id);
}

#[test]
fn a_price_is_told_with_all_its_digits() {
    // 5e14 x 1.3e-13 = 65.
    let home = Home::with_rows("2025-01-02,A,BUY,PEPE,500000000000000,0.0000000000001234,,USD,\n");
    let prices = "date,symbol,close,currency\n2025-01-06,sec:PEPE,0.00000000000013,USD\n";
    home.import(&[home.file("prices.csv", prices)]);
    let report = home.json_of("holdings --as-of 2025-01-06");
    let row = &report["rows"][0];
    assert_eq!((&row["price"], &row["value"]), (&json!("0.00000000000013"), &json!("65")));
    let explained = home.json_of("holdings --as-of 2025-01-06 --explain PEPE");
    assert_eq!(explained["formula"], "500000000000000 x 0.00000000000013");
    assert!(home.text("holdings --as-of 2025-01-06").contains(" 0.00000000000013 "));
    assert_eq!(home.json_of("findings --as-of 2025-01-06")["rows"], json!([]));
}

#[test]
fn a_quantity_on_its_way_keeps_all_its_digits() {
    let home = Home::new();
    let rows = "date,account,type,symbol,quantity,price,fee,currency,amount,link\n\
        2025-01-02,A,BUY,ETH,0.123456789012345678,100,,USD,,\n\
        2025-01-05,A,TRANSFER_OUT,ETH,0.123456789012345678,,,USD,,m\n\
        2025-01-09,B,TRANSFER_IN,ETH,0.123456789012345678,,,USD,,m\n";
    home.import(&[home.file("rows.csv", rows)]);
    let row = home.json_of("holdings --as-of 2025-01-06")["rows"][0].clone();
    assert_eq!((&row["account"], &row["quantity"]), (&Value::Null, &json!("0.123456789012345678")));
}

/// The findings of a day: kind, account, symbol and day.
fn found(home: &Home, day: &str) -> Vec<String> {
    let report = home.json_of(&format!("findings --as-of {day}"));
    let rows = report["rows"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line =
        |row: Value| ["kind", "account", "symbol", "date"].map(|field| text(&row[field])).join(" ");
    rows.into_iter().map(line).collect()
}

#[test]
fn whatever_a_total_lacks_is_a_finding() {
    let home =
        Home::with_rows("2025-01-02,J,DEPOSIT,,,,,JPY,1000\n2025-01-02,K,DEPOSIT,,,,,JPY,5\n");
    home.ok(&["account", "add", "H", "--kind", "other", "--currency", "CAD", "--mode", "balances"]);
    home.ok(&["account", "edit", "H", "--balance", "5", "--date", "2025-01-01"]);
    assert_eq!(
        found(&home, "2025-01-03"),
        ["missing_rate H - 2025-01-03", "missing_rate - - 2025-01-03"],
        "one for each pair"
    );
    let report = home.json_of("findings --as-of 2025-01-03");
    let [cad, jpy] = &report["rows"].as_array().unwrap()[..] else { panic!("{report}") };
    assert!(cad["fix"].as_str().unwrap().contains("fx:CAD"), "{cad}");
    assert!(jpy["detail"].as_str().unwrap().contains("JPY/USD"), "{jpy}");
    assert!(jpy["detail"].as_str().unwrap().contains("in J, K has"), "{jpy}");
    // One rate serves both ways.
    let home = Home::with_rows("2025-01-02,E,DEPOSIT,,,,,EUR,9\n2025-01-02,E,BUY,X,1,5,,USD,\n");
    home.ok(&["account", "edit", "E", "--currency", "EUR"]);
    home.ok(&["price", "set", "X", "--date", "2025-01-03", "--close", "5", "--currency", "USD"]);
    assert_eq!(found(&home, "2025-01-03"), ["missing_rate E - 2025-01-03"]);
}

#[test]
fn a_price_in_another_currency_is_a_finding() {
    let home = Home::with_rows("2025-01-01,A,BUY,X,10,4,,USD,\n");
    home.ok(&["security", "edit", "X", "--currency", "USD"]);
    let prices = "date,symbol,close,currency\n2025-01-04,sec:X,7,CAD\n";
    home.import(&[home.file("prices.csv", prices)]);
    // On a later day it is the rate of the price's own that is missing.
    assert_eq!(found(&home, "2025-01-05"), ["missing_rate A - 2025-01-04"]);
    home.ok(&[
        "price",
        "set",
        "fx:CAD",
        "--date",
        "2025-01-04",
        "--close",
        "0.8",
        "--currency",
        "USD",
    ]);
    assert_eq!(found(&home, "2025-01-05"), ["price_in_other_currency - X 2025-01-04"]);
    assert!(home.text("findings --as-of 2025-01-05").contains("CAD/USD"));
}

#[test]
fn a_value_or_a_sum_that_does_not_fit_is_a_finding() {
    let most = "9".repeat(28);
    let home = Home::with_rows(&format!(
        "2025-01-02,A,DEPOSIT,,,,,USD,{most}\n2025-01-02,A,DEPOSIT,,,,,USD,{most}\n\
         2025-01-02,B,BUY,X,{most},1,,USD,\n2025-01-02,B,DEPOSIT,,,,,USD,{most}\n"
    ));
    let prices = format!("date,symbol,close,currency\n2025-01-03,sec:X,{most},USD\n");
    home.import(&[home.file("prices.csv", &prices)]);
    let found = found(&home, "2025-01-03");
    for expected in ["overflow A - 2025-01-03", "overflow B X 2025-01-03"] {
        assert!(found.iter().any(|row| row == expected), "{found:?}");
    }
}

#[test]
fn no_total_counts_a_closed_account() {
    let home = Home::with_rows(
        "2025-01-02,A,BUY,X,10,10,,USD,\n2025-01-03,A,SELL,X,4,12,,USD,\n\
         2025-01-02,B,BUY,X,10,10,,USD,\n2025-01-02,B,DEPOSIT,,,,,USD,500\n\
         2025-01-02,A,BUY,Z,1,1,,USD,\n",
    );
    home.ok(&["price", "set", "X", "--date", "2025-01-05", "--close", "13", "--currency", "USD"]);
    home.ok(&["account", "close", "A", "--date", "2025-02-01"]);
    let accounts = home.json_of("accounts --closed --as-of 2025-02-01");
    assert_eq!(accounts["rows"].as_array().unwrap().len(), 2);
    // B: 500 - 100 in cash and 130.
    assert_eq!(accounts["totals"]["value_base"], "530");
    assert_eq!((&accounts["partial"], &accounts["missing"]), (&json!(false), &json!([])));
    let total = home.json_of("accounts --closed --as-of 2025-02-01 --explain total");
    assert_eq!((&total["value"], &total["formula"]), (&json!("530"), &json!("530")));
    let holdings = home.json_of("holdings --closed --as-of 2025-02-01");
    let totals = json!({
        "value_base": "130", "cost_base": "100", "unrealized_base": "30", "realized_base": "0",
        "pending": false
    });
    assert_eq!(holdings["totals"], totals);
    assert_eq!(holdings["partial"], false, "{holdings}");
    let rows = holdings["rows"].as_array().unwrap().iter();
    let weights: Vec<_> = rows.map(|row| (row["closed"].clone(), row["weight"].clone())).collect();
    let gone = (json!(true), Value::Null);
    assert_eq!(weights, [gone.clone(), gone, (json!(false), json!("1"))]);
    // On the day before it counts.
    let before = home.json_of("accounts --as-of 2025-01-31");
    assert_eq!(before["totals"]["value_base"], "555");
}

#[test]
fn a_closed_account_known_by_its_balance_is_a_finding_until_that_is_nothing() {
    let home = Home::new();
    home.ok(&["account", "add", "H", "--kind", "other", "--currency", "USD", "--mode", "balances"]);
    home.ok(&["account", "edit", "H", "--balance", "515151", "--date", "2025-01-01"]);
    home.ok(&["account", "close", "H", "--date", "2025-01-06"]);
    assert_eq!(found(&home, "2025-01-07"), ["closed_with_value H - 2025-01-06"]);
    home.ok(&["account", "edit", "H", "--balance", "0", "--date", "2025-01-06"]);
    assert_eq!(found(&home, "2025-01-07"), Vec::<String>::new());
}

#[test]
fn private_findings_can_still_be_followed() {
    let home = Home::with_rows(
        "2024-01-03,B,WITHDRAWAL,,,,,USD,-4141\n2024-01-04,A,DEPOSIT,,,,,USD,4141\n",
    );
    let open = home.text("findings");
    assert!(open.contains("4141 USD left B on 2024-01-03"), "{open}");
    for form in ["", " --json", " --csv"] {
        let [plain, hidden] =
            ["", " --private"].map(|flag| home.text(&format!("findings{form}{flag}")));
        assert_eq!(hidden, plain.replace("4141", "•••"), "{form}");
    }
}
