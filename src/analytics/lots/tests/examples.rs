//! The worked examples that every implementation must reproduce.

use super::*;

fn first() -> Vec<Event> {
    vec![
        buy("2024-01-03", "100", "1005").fee("5"),
        buy("2024-02-01", "50", "605").fee("5"),
        sell("2024-03-01", "120", "1554").fee("6"),
        row(Subtype::Dividend, "2024-03-15", A, X).cash("9"),
    ]
}

#[test]
fn the_first_example_by_fifo() {
    let played = play(&Place::default(), first());
    assert_eq!(played.lots(A, X), ["2024-02-01 30 363"]);
    let position = played.position(A, X);
    // Proceeds 1554 less cost 1005 + 605 x 20/50 = 1247.
    assert_eq!(position.realized.total(), known("307"));
    assert_eq!(position.cost(), known("363"));
    assert_eq!(position.income.total(), known("9"));
    assert_eq!(position.fees.total(), known("16"));
    assert_eq!(position.taxes.total(), known("0"));
    // The proceeds split by quantity: 1554 x 100/120 = 1295, the rest is 259.
    assert_eq!(played.realized(), ["2024-01-03 100 1295 1005 290", "2024-02-01 20 259 242 17"]);
    assert_eq!(played.findings(), [""; 0]);
}

#[test]
fn the_first_example_by_average() {
    let place = Place::default().method(A, LotMethod::Average);
    let played = play(&place, first());
    let position = played.position(A, X);
    // 1610 x 120/150 = 1288; 1554 - 1288 = 266; 1610 - 1288 = 322.
    assert_eq!(position.realized.total(), known("266"));
    assert_eq!(position.cost(), known("322"));
    assert_eq!(played.lots(A, X), ["2024-02-01 30 322"]);
    // By quantity: 1288 x 100/120 = 1073.333..., the rest is 214.666...
    assert_eq!(
        played.realized(),
        [
            "2024-01-03 100 1295 1073.333333333333 221.666666666667",
            "2024-02-01 20 259 214.666666666667 44.333333333333",
        ]
    );
    assert_eq!(played.told.realized[0].method, LotMethod::Average);
}

#[test]
fn the_second_example() {
    let cad = Currency::CAD;
    let place = Place::default()
        .currency(Y, cad)
        .quoted(cad, Currency::USD, "2024-01-02", "0.75")
        .quoted(cad, Currency::USD, "2024-01-03", "0.76")
        .quoted(cad, Currency::USD, "2024-01-31", "0.80");
    let rows = [
        buy("2024-01-03", "10", "505").fee("5").of(Y).paid_in(cad),
        row(Subtype::Dividend, "2024-01-31", A, Y).cash("17").tax("3").paid_in(cad),
    ];
    let played = play(&place, rows);
    let position = played.position(A, Y);
    assert_eq!(position.cost(), known("505"));
    // 505 x 0.76.
    assert_eq!(position.cost_base(), known("383.8"));
    // (17 + 3) x 0.80; 5 x 0.76; 3 x 0.80.
    assert_eq!(position.income_base.total(), known("16"));
    assert_eq!(position.fees_base.total(), known("3.8"));
    assert_eq!(position.taxes_base.total(), known("2.4"));
    assert_eq!(position.charges_base.total(), known("2.4"));
    assert_eq!(position.income.total(), known("20"));

    // Sold at 60 with the rate still 0.80: 600 x 0.80 - 383.8 = 96.2, of which currency
    // 505 x 0.80 - 383.8 = 20.2.
    let sale = sell("2024-02-01", "10", "600").of(Y).paid_in(cad);
    let rows = [buy("2024-01-03", "10", "505").fee("5").of(Y).paid_in(cad), sale];
    let played = play(&place, rows);
    let realized = &played.told.realized[0];
    assert_eq!(realized.gain(), known("95"));
    assert_eq!(realized.gain_base(), known("96.2"));
    assert_eq!(realized.gain_fx, known("20.2"));
}
