//! Splits, stock dividends, changes of symbol, return of capital.

use super::*;

fn stock() -> Vec<Event> {
    vec![buy("2020-01-02", "10", "100"), buy("2021-01-02", "5", "200")]
}

fn after(row: Event) -> Played {
    play(&Place::default(), stock().into_iter().chain([row]))
}

#[test]
fn a_split_changes_quantities_only() {
    let split = |ratio: &str| row(Subtype::Split, "2024-01-02", A, X).ratio(ratio);
    assert_eq!(after(split("4:1")).lots(A, X), ["2020-01-02 40 100", "2021-01-02 20 200"]);
    assert_eq!(after(split("1:10")).lots(A, X), ["2020-01-02 1 100", "2021-01-02 0.5 200"]);
    // 15 x 2/7 = 4.285714285714; 10 x 2/7 = 2.857142857143; the last lot is the rest.
    let odd = after(split("2:7"));
    assert_eq!(odd.position(A, X).quantity, dec("4.285714285714"));
    assert_eq!(odd.lots(A, X), ["2020-01-02 2.857142857143 100", "2021-01-02 1.428571428571 200"]);
    assert_eq!(odd.realized(), [""; 0]);
    // Only the row's own account.
    let rows = stock().into_iter().chain([buy("2022-01-02", "1", "1").account(B), split("2:1")]);
    assert_eq!(play(&Place::default(), rows).lots(B, X), ["2022-01-02 1 1"]);
    assert_eq!(play(&Place::default(), [split("2:1")]).findings(), ["nothing_held"]);
    assert_eq!(after(Event { ratio: None, ..split("2:1") }).findings(), ["ratio_unusable"]);
}

#[test]
fn a_split_cuts_the_quantity_no_coarser_than_it_is() {
    let rows = [
        buy("2024-01-02", "0.000000000000000003", "1"),
        row(Subtype::Split, "2024-01-03", A, X).ratio("1:3"),
    ];
    assert_eq!(play(&Place::default(), rows).lots(A, X), ["2024-01-02 0.000000000000000001 1"]);
}

#[test]
fn lots_that_round_to_nothing_leave_their_cost_to_their_neighbour() {
    let tiny = "0.000000000001";
    let rows = [
        buy("2024-01-02", tiny, "1"),
        buy("2024-01-03", tiny, "2"),
        buy("2024-01-04", tiny, "4"),
        row(Subtype::Split, "2024-01-05", A, X).ratio("1:2"),
    ];
    let played = play(&Place::default(), rows.clone());
    // Three halves of the last decimal are two; the halves of single lots are none, half-even.
    assert_eq!(played.lots(A, X), ["2024-01-04 0.000000000002 7"]);
    // A thousandth of it is nothing at all: the cost is lost.
    let [first, second, third, split] = rows;
    let played = play(&Place::default(), [first, second, third, split.ratio("1:1000")]);
    assert_eq!(played.findings(), ["ratio_leaves_nothing"]);
    assert_eq!(played.position(A, X).realized.total(), known("-7"));
    assert_eq!(played.position(A, X).quantity, Dec::ZERO);
    // Up to the next decimal each, but never more than there are: 3 x 0.7 is 2.
    let rows = rows_of_three(tiny, "7:10");
    assert_eq!(
        play(&Place::default(), rows).lots(A, X),
        ["2024-01-02 0.000000000001 1", "2024-01-03 0.000000000001 6"]
    );
}

fn rows_of_three(units: &str, ratio: &str) -> [Event; 4] {
    [
        buy("2024-01-02", units, "1"),
        buy("2024-01-03", units, "2"),
        buy("2024-01-04", units, "4"),
        row(Subtype::Split, "2024-01-05", A, X).ratio(ratio),
    ]
}

#[test]
fn a_stock_dividend_spreads_the_cost() {
    let dividend = row(Subtype::StockDividend, "2024-01-02", A, X);
    // 15 and 3 are 18: each lot by 18/15.
    let played = after(dividend.clone().many("3"));
    assert_eq!(played.lots(A, X), ["2020-01-02 12 100", "2021-01-02 6 200"]);
    assert_eq!(played.position(A, X).income.total(), known("0"));
    assert_eq!(after(dividend.clone().ratio("1:5")).lots(A, X), played.lots(A, X));
    let played = play(&Place::default(), [dividend.many("3")]);
    assert_eq!(played.lots(A, X), ["2024-01-02 3 0"]);
    assert_eq!(played.findings(), ["nothing_held"]);
}

#[test]
fn a_new_name_keeps_the_lots() {
    let row = row(Subtype::SymbolChange, "2024-01-02", A, X).into_security(Y);
    let played = after(row);
    assert_eq!(played.lots(A, X), [""; 0]);
    assert_eq!(played.lots(A, Y), ["2020-01-02 10 100", "2021-01-02 5 200"]);
    assert_eq!(played.position(A, Y).lots[1].opening, TransactionId(2));
    assert_eq!(played.realized(), [""; 0]);
}

#[test]
fn a_new_name_keeps_the_average() {
    let place = Place::default().method(A, LotMethod::Average);
    let row = row(Subtype::SymbolChange, "2024-01-02", A, X).into_security(Y);
    let played = play(&place, stock().into_iter().chain([row]));
    assert_eq!(played.lots(A, Y), ["2020-01-02 10 200", "2021-01-02 5 100"]);
    assert_eq!(played.book.pools.len(), 1);
}

#[test]
fn returned_capital_lowers_the_cost_to_zero() {
    let back = |cash: &str| row(Subtype::ReturnOfCapital, "2024-01-02", A, X).cash(cash);
    // 30 over 15: 20 and 10.
    let played = after(back("30"));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 80", "2021-01-02 5 190"]);
    assert_eq!(played.realized(), [""; 0]);
    assert_eq!(played.position(A, X).income.total(), known("0"));
    // What was kept back counts: 27 and 3.
    assert_eq!(after(back("27").tax("3")).lots(A, X), played.lots(A, X));
    // 180: 120 to a lot of 100, 60 to one of 200. 20 are a gain.
    let played = after(back("180"));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 0", "2021-01-02 5 140"]);
    assert_eq!(played.realized(), ["2020-01-02 0 20 0 20"]);
    assert_eq!(played.told.realized[0].term, Term::Long);
    assert_eq!(played.findings(), ["return_beyond_cost"]);
    // Averaged: 300 less 180; then 120 and 30 more.
    let place = Place::default().method(A, LotMethod::Average);
    let played = play(&place, stock().into_iter().chain([back("180"), back("150")]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 0", "2021-01-02 5 0"]);
    assert_eq!(played.realized(), ["2020-01-02 0 30 0 30"]);
    // Nothing held: all of it.
    let played = play(&Place::default(), [back("5")]);
    assert_eq!(played.realized(), ["2024-01-02 0 5 0 5"]);
    assert_eq!(played.findings(), ["nothing_held"]);
    // Of an unknown cost nobody knows what is left.
    let unknown = row(Subtype::Opening, "2024-01-01", A, X).many("10");
    let played = play(&Place::default(), [unknown, back("5")]);
    assert_eq!(played.lots(A, X), ["2024-01-01 10 n/a"]);
    assert_eq!(played.realized(), [""; 0]);
    // A short's proceeds go up, so that its gain does.
    let rows = [sell("2024-01-01", "10", "100"), back("30")];
    assert_eq!(play(&Place::default(), rows).lots(A, X), ["2024-01-01 -10 -130"]);
}

#[test]
fn returned_capital_in_base_adds_up() {
    let cad = Currency::CAD;
    let place = Place::default()
        .currency(X, cad)
        .quoted(cad, Currency::USD, "2024-01-02", "0.75")
        .quoted(cad, Currency::USD, "2024-02-01", "0.80");
    let rows = |back: &str| {
        [
            buy("2024-01-02", "10", "100").paid_in(cad),
            row(Subtype::ReturnOfCapital, "2024-02-01", A, X).cash(back).paid_in(cad),
        ]
    };
    // 75 - 60 x 0.80 = 27.
    assert_eq!(play(&place, rows("60")).position(A, X).cost_base(), known("27"));
    // 130 x 0.80 = 104 came for what had cost 75: a gain of 29, of which the currency made
    // 100 x 0.80 - 75 = 5, and the price 30 x 0.80 = 24.
    let played = play(&place, rows("130"));
    let realized = &played.told.realized[0];
    assert_eq!(played.position(A, X).cost_base(), known("0"));
    assert_eq!((realized.proceeds, realized.cost), (known("30"), known("0")));
    assert_eq!((realized.gain_base(), realized.gain_fx), (known("29"), known("5")));
}

#[test]
fn whoever_is_short_owes_a_stock_dividend() {
    let margin = Place::default().kind(A, AccountKind::Margin);
    let rows = [
        sell("2024-01-02", "100", "1000"),
        row(Subtype::StockDividend, "2024-02-02", A, X).many("10"),
    ];
    let played = play(&margin, rows);
    assert_eq!(played.lots(A, X), ["2024-01-02 -110 -1000"]);
    assert_eq!(played.findings(), [""; 0]);
}

#[test]
fn accounts_that_tell_of_one_split_days_apart_count_new_units_from_the_first_day() {
    let split = |on, account| row(Subtype::Split, on, account, X).ratio("2:1");
    let rows = |second: Event| {
        stock().into_iter().chain([
            buy("2022-01-02", "100", "1000").account(B),
            split("2024-01-02", A),
            second,
        ])
    };
    let place = || Place::default().split("2:1", &[(A, "2024-01-02"), (B, "2024-01-03")]);
    // In between B buys new units: these are not doubled.
    let bought = buy("2024-01-02", "6", "30").account(B);
    let played = play(&place(), rows(bought).chain([split("2024-01-03", B)]));
    assert_eq!(played.lots(A, X), ["2020-01-02 20 100", "2021-01-02 10 200"]);
    assert_eq!(played.lots(B, X), ["2022-01-02 200 1000", "2024-01-02 6 30"]);
    assert_eq!(played.findings(), [""; 0]);
    // In one pool: 1300 for 230 units; 115 of them are the half.
    let acb = place().everywhere(LotMethod::Acb);
    let sold = sell("2024-01-02", "115", "1000").account(B);
    let played = play(&acb, rows(sold).chain([split("2024-01-03", B)]));
    assert_eq!(played.told.realized[0].cost, known("650"));
    assert_eq!(played.position(A, X).quantity, dec("30"));
    assert_eq!(played.position(B, X).quantity, dec("85"));
}

#[test]
fn a_split_changes_lots_that_are_on_their_way() {
    for method in [LotMethod::Fifo, LotMethod::Acb] {
        let place = Place::default().everywhere(method).split("2:1", &[(A, "2024-01-03")]);
        let (out, into) = transfer(("2024-01-02", A, "15"), ("2024-01-05", B, "30"));
        let split = row(Subtype::Split, "2024-01-03", A, X).ratio("2:1");
        let rows: Vec<_> = stock().into_iter().chain([out, split, into]).collect();
        let left = play(&place, rows[..rows.len() - 1].to_vec());
        assert_eq!(left.book.in_transit().next().unwrap().1.quantity(), known("30"));
        let played = play(&place, rows);
        assert_eq!(played.position(B, X).quantity, dec("30"));
        assert_eq!(played.position(B, X).cost(), known("300"));
        assert_eq!(played.findings(), [""; 0]);
    }
    // The account they come to books the split later, and says old units until then.
    let place = Place::default().split("2:1", &[(A, "2024-01-03"), (B, "2024-01-06")]);
    let (out, into) = transfer(("2024-01-02", A, "10"), ("2024-01-05", B, "10"));
    let split = |on, account| row(Subtype::Split, on, account, X).ratio("2:1");
    let rows = [out, split("2024-01-03", A), into, split("2024-01-06", B)];
    let played = play(&place, stock().into_iter().chain(rows));
    assert_eq!(played.lots(B, X), ["2020-01-02 20 100"]);
    assert_eq!(played.findings(), [""; 0]);
}
