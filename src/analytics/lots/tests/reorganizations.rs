//! Spin-offs and mergers.

use super::*;

fn stock() -> Vec<Event> {
    vec![buy("2020-01-02", "10", "100"), buy("2021-01-02", "5", "200")]
}

fn spin_off() -> Event {
    row(Subtype::SpinOff, "2024-01-02", A, X).into_security(Y)
}

fn merger() -> Event {
    row(Subtype::Merger, "2024-01-02", A, X).into_security(Y)
}

fn priced() -> Place {
    // The 3 new ones are worth 60, the 15 old ones 180.
    Place::default().priced(X, "2024-01-02", "12").priced(Y, "2024-01-01", "20")
}

#[test]
fn a_spin_off_moves_a_share_of_the_cost() {
    let row = spin_off().ratio("1:5").share("0.25");
    let played = play(&Place::default(), stock().into_iter().chain([row]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 75", "2021-01-02 5 150"]);
    assert_eq!(played.lots(A, Y), ["2020-01-02 2 25", "2021-01-02 1 50"]);
    let lots = played.position(A, Y).lots;
    assert_eq!(lots[0].opening, TransactionId(3));
    assert_ne!(lots[0].piece, lots[1].piece);
    assert_eq!(played.findings(), [""; 0]);
    assert_eq!(played.realized(), [""; 0]);
}

#[test]
fn a_spin_off_without_a_share_goes_by_value() {
    // 60 of 240: a quarter.
    for row in [spin_off().many("3"), spin_off().ratio("1:5")] {
        let played = play(&priced(), stock().into_iter().chain([row.clone()]));
        assert_eq!(played.lots(A, X), ["2020-01-02 10 75", "2021-01-02 5 150"]);
        assert_eq!(played.lots(A, Y), ["2020-01-02 2 25", "2021-01-02 1 50"]);
        let played = play(&Place::default(), stock().into_iter().chain([row]));
        assert_eq!(played.lots(A, X), ["2020-01-02 10 n/a", "2021-01-02 5 n/a"]);
        assert_eq!(played.lots(A, Y), ["2020-01-02 2 n/a", "2021-01-02 1 n/a"]);
        assert_eq!(played.findings(), ["missing_price"]);
    }
}

#[test]
fn the_cash_of_a_spin_off_is_a_sale() {
    // 60 + 180 + 60 of cash: a fifth for the new ones, a fifth sold: 20 + 40 of cost for 40 + 20.
    let row = spin_off().many("3").cash("60");
    let played = play(&priced(), stock().into_iter().chain([row.clone()]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 60", "2021-01-02 5 120"]);
    assert_eq!(played.lots(A, Y), ["2020-01-02 2 20", "2021-01-02 1 40"]);
    assert_eq!(played.realized(), ["2020-01-02 0 40 20 20", "2021-01-02 0 20 40 -20"]);
    // By a given share the new ones take a quarter; the cash still a fifth.
    let played = play(&priced(), stock().into_iter().chain([row.clone().share("0.25")]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 55", "2021-01-02 5 110"]);
    assert_eq!(played.lots(A, Y), ["2020-01-02 2 25", "2021-01-02 1 50"]);
    // A share too large leaves the cash the rest.
    let played = play(&priced(), stock().into_iter().chain([row.clone().share("0.9")]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 0", "2021-01-02 5 0"]);
    assert_eq!(played.realized(), ["2020-01-02 0 40 10 30", "2021-01-02 0 20 20 0"]);
    assert_eq!(played.findings(), ["share_too_large"]);
    // Without prices nobody knows what the cash had cost.
    let played = play(&Place::default(), stock().into_iter().chain([row.share("0.25")]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 75", "2021-01-02 5 150"]);
    assert_eq!(played.realized(), ["2020-01-02 0 40 n/a n/a", "2021-01-02 0 20 n/a n/a"]);
    assert_eq!(played.findings(), ["missing_price"]);
}

#[test]
fn a_spin_off_of_an_average() {
    let place = priced().method(A, LotMethod::Average);
    let row = spin_off().many("3").cash("60");
    let played = play(&place, stock().into_iter().chain([row]));
    // Of 300 a fifth goes to the new ones, a fifth is sold, by quantity.
    assert_eq!(played.lots(A, X), ["2020-01-02 10 120", "2021-01-02 5 60"]);
    assert_eq!(played.lots(A, Y), ["2020-01-02 2 40", "2021-01-02 1 20"]);
    assert_eq!(played.realized(), ["2020-01-02 0 40 40 0", "2021-01-02 0 20 20 0"]);
}

#[test]
fn securities_of_two_currencies_are_compared_and_carried_by_the_rate_of_the_day() {
    let cad = Currency::CAD;
    let place = priced().currency(Y, cad).quoted(cad, Currency::USD, "2024-01-01", "0.75").quoted(
        Currency::USD,
        cad,
        "2024-01-01",
        "1.25",
    );
    // 3 x 20 x 0.75 = 45 of 225: a fifth, 20 and 40 in dollars, times 1.25.
    let played = play(&place, stock().into_iter().chain([spin_off().many("3")]));
    assert_eq!(played.lots(A, X), ["2020-01-02 10 80", "2021-01-02 5 160"]);
    assert_eq!(played.lots(A, Y), ["2020-01-02 2 25", "2021-01-02 1 50"]);
    assert_eq!(played.position(A, Y).cost_base(), known("60"));
}

#[test]
fn a_merger_moves_the_lots() {
    for row in [merger().ratio("2:5"), merger().many("6")] {
        let played = play(&Place::default(), stock().into_iter().chain([row]));
        assert_eq!(played.lots(A, X), [""; 0]);
        assert_eq!(played.lots(A, Y), ["2020-01-02 4 100", "2021-01-02 2 200"]);
        assert_eq!(played.position(A, Y).lots[0].opening, TransactionId(1));
        assert_eq!(played.realized(), [""; 0]);
        assert_eq!(played.findings(), [""; 0]);
    }
    let row = merger().many("6").share("0.5");
    let played = play(&Place::default(), stock().into_iter().chain([row]));
    assert_eq!(played.lots(A, Y), ["2020-01-02 4 100", "2021-01-02 2 200"]);
    assert_eq!(played.findings(), ["share_unused"]);
}

#[test]
fn the_cash_of_a_merger_is_a_sale() {
    // By a share of 0.9: 10 and 20 of the cost were sold for 40 and 20.
    let row = merger().many("6").cash("60");
    let played = play(&priced(), stock().into_iter().chain([row.clone().share("0.9")]));
    assert_eq!(played.lots(A, Y), ["2020-01-02 4 90", "2021-01-02 2 180"]);
    assert_eq!(played.realized(), ["2020-01-02 0 40 10 30", "2021-01-02 0 20 20 0"]);
    // By value: 120 of 180 move, a third was sold.
    let played = play(&priced(), stock().into_iter().chain([row.clone()]));
    assert_eq!(
        played.lots(A, Y),
        ["2020-01-02 4 66.666666666667", "2021-01-02 2 133.333333333333"]
    );
    assert_eq!(
        played.realized(),
        [
            "2020-01-02 0 40 33.333333333333 6.666666666667",
            "2021-01-02 0 20 66.666666666667 -46.666666666667"
        ]
    );
    let played = play(&Place::default(), stock().into_iter().chain([row]));
    assert_eq!(played.lots(A, Y), ["2020-01-02 4 n/a", "2021-01-02 2 n/a"]);
    assert_eq!(played.findings(), ["missing_price"]);
}

#[test]
fn where_nothing_is_held_nothing_is_known() {
    for row in [spin_off(), merger()] {
        let played = play(&priced(), [row.clone().many("6").cash("60")]);
        assert_eq!(played.lots(A, Y), ["2024-01-02 6 n/a"]);
        assert_eq!(played.realized(), ["2024-01-02 0 60 n/a n/a"]);
        assert_eq!(played.findings(), ["nothing_held"]);
        let played = play(&priced(), [row.clone().ratio("1:5")]);
        assert_eq!(played.findings(), ["nothing_held"]);
        let nowhere = Event { to_security: None, ..row };
        let played = play(&priced(), stock().into_iter().chain([nowhere.many("6")]));
        assert_eq!(played.findings(), ["missing_target"]);
        assert_eq!(played.position(A, X).quantity, dec("15"));
    }
}

#[test]
fn accounts_of_a_pool_that_tell_of_one_spin_off_days_apart_take_the_same_part() {
    let place = Place::default().everywhere(LotMethod::Acb);
    let told = |on, account| {
        row(Subtype::SpinOff, on, account, X).into_security(Y).ratio("1:1").share("0.2")
    };
    let rows = [
        buy("2024-01-02", "100", "1000"),
        buy("2024-01-02", "100", "1000").account(B),
        told("2024-06-10", A),
        told("2024-06-11", B),
    ];
    let played = play(&place, rows.clone());
    // 2000 x 0.2, half of it each.
    assert_eq!(played.position(A, Y).cost(), known("200"));
    assert_eq!(played.position(B, Y).cost(), known("200"));
    assert_eq!(played.position(A, X).cost(), known("800"));
    // The next one of the same account is another: 0.2 of what is left of it, 1600 / 2.
    let played = play(&place, rows.into_iter().chain([told("2024-06-12", A)]));
    assert_eq!(played.position(A, X).cost().zip(played.position(B, X).cost()), {
        // 1440 are shared by halves.
        known("720").zip(known("720"))
    });
}
