//! Rights: their premium goes where the trade goes.

use super::*;

/// The option is Y, the shares are X; 100 of them for each of 2 rights.
fn option(subtype: Subtype, on: &str) -> Event {
    row(subtype, on, A, Y)
}

/// Both rows of the use of a right, each knowing the other, the trade first.
fn used(subtype: Subtype, trade: Event) -> [Event; 2] {
    let right = option(subtype, "2024-03-01").many("2").id(900);
    let trade = trade.id(901);
    [trade.clone().with(&right), right.with(&trade)]
}

fn bought() -> Event {
    option(Subtype::Buy, "2024-01-02").many("2").cash("-300")
}

fn written() -> Event {
    option(Subtype::ShortSell, "2024-01-02").many("-2").cash("300")
}

fn paid() -> Event {
    buy("2024-03-01", "200", "10000")
}

fn received() -> Event {
    sell("2024-03-01", "200", "10000")
}

fn shares() -> Event {
    buy("2024-01-02", "200", "8000")
}

#[test]
fn the_premium_of_a_call_that_is_used_is_a_cost() {
    let [trade, right] = used(Subtype::Exercise, paid());
    for rows in [[trade.clone(), right.clone()], [right, trade]] {
        let played = play(&Place::default(), [bought()].into_iter().chain(rows));
        assert_eq!(played.lots(A, X), ["2024-03-01 200 10300"]);
        assert_eq!(played.position(A, Y).quantity, Dec::ZERO);
        assert_eq!(played.realized(), [""; 0]);
        assert_eq!(played.findings(), [""; 0]);
    }
}

#[test]
fn the_premium_of_a_written_put_lowers_the_cost() {
    let rows = used(Subtype::Assignment, paid());
    let played = play(&Place::default(), [written()].into_iter().chain(rows));
    assert_eq!(played.lots(A, X), ["2024-03-01 200 9700"]);
    assert_eq!(played.realized(), [""; 0]);
}

#[test]
fn the_premium_of_a_put_that_is_used_lowers_the_proceeds() {
    let rows = used(Subtype::Exercise, received());
    let played = play(&Place::default(), [shares(), bought()].into_iter().chain(rows));
    assert_eq!(played.realized(), ["2024-01-02 200 9700 8000 1700"]);
}

#[test]
fn the_premium_of_a_written_call_raises_the_proceeds() {
    let rows = used(Subtype::Assignment, received());
    let played = play(&Place::default(), [shares(), written()].into_iter().chain(rows));
    assert_eq!(played.realized(), ["2024-01-02 200 10300 8000 2300"]);
}

#[test]
fn what_the_use_itself_costs_is_part_of_the_premium() {
    let [trade, right] = used(Subtype::Exercise, paid());
    let rows = [bought(), trade, right.cash("-7").fee("7")];
    assert_eq!(play(&Place::default(), rows).lots(A, X), ["2024-03-01 200 10307"]);
}

#[test]
fn a_right_in_another_currency_is_carried_by_the_rate_of_the_day() {
    let cad = Currency::CAD;
    let place = Place::default()
        .currency(Y, cad)
        .quoted(cad, Currency::USD, "2024-01-01", "0.75")
        .quoted(cad, Currency::USD, "2024-03-01", "0.80");
    let rows = used(Subtype::Exercise, paid());
    let played = play(&place, [bought().paid_in(cad)].into_iter().chain(rows));
    let lot = played.position(A, X).lots[0].clone();
    // 300 x 0.80 in its own currency; 300 x 0.75 in base, as when it was bought.
    assert_eq!((lot.cost, lot.cost_base), (known("10240"), known("10225")));
}

#[test]
fn a_right_that_leads_nowhere_is_realized() {
    let [_, right] = used(Subtype::Exercise, paid());
    // The trade is not among the rows of the day.
    let played = play(&Place::default(), [bought(), right.clone()]);
    assert_eq!(played.realized(), ["2024-01-02 2 0 300 -300"]);
    assert_eq!(played.findings(), ["exercise_without_other_leg"]);
    // Settled in cash.
    let played = play(&Place::default(), [bought(), Event { peer: None, ..right }.cash("450")]);
    assert_eq!(played.realized(), ["2024-01-02 2 450 300 150"]);
}

#[test]
fn a_right_that_ends_realizes_its_premium() {
    let ends = |units: &str| option(Subtype::Expiration, "2024-06-21").many(units);
    let played = play(&Place::default(), [bought(), ends("-2")]);
    assert_eq!(played.realized(), ["2024-01-02 2 0 300 -300"]);
    let played = play(&Place::default(), [written(), ends("-2")]);
    assert_eq!(played.realized(), ["2024-01-02 -2 300 0 300"]);
    assert_eq!(played.findings(), [""; 0]);
    let played = play(&Place::default(), [written(), ends("-3")]);
    assert_eq!(played.realized(), ["2024-01-02 -2 300 0 300"]);
    assert_eq!(played.findings(), ["beyond_right"]);
    assert_eq!(played.told.findings[0].quantity, known("1"));
    let played = play(&Place::default(), [ends("-2")]);
    assert_eq!(played.findings(), ["nothing_held"]);
}

#[test]
fn the_premium_of_a_right_nobody_held_is_unknown() {
    let played = play(&Place::default(), used(Subtype::Exercise, paid()));
    assert_eq!(played.lots(A, X), ["2024-03-01 200 n/a"]);
    assert_eq!(played.findings(), ["nothing_held"]);
}

#[test]
fn positions_remember_how_many_one_is() {
    let contract = Event { multiplier: dec("100"), ..bought() };
    let found = option(Subtype::Adjustment, "2024-02-01").many("1").at_price("3");
    let played = play(&Place::default(), [contract.clone(), found]);
    assert_eq!(played.position(A, Y).multiplier, dec("100"));
    // 1 x 4 x 100.
    let opening = option(Subtype::Opening, "2024-01-01").many("1").at_price("4");
    let opening = Event { multiplier: dec("100"), ..opening };
    let played = play(&Place::default(), [opening]);
    assert_eq!(played.lots(A, Y), ["2024-01-01 1 400"]);
    assert_eq!(played.position(A, Y).multiplier, dec("100"));
}

#[test]
fn the_premium_goes_into_a_short_that_is_closed_or_opened() {
    let margin = Place::default().kind(A, AccountKind::Margin);
    let short = sell("2024-01-02", "200", "12000").kind(Subtype::ShortSell);
    let rows = used(Subtype::Exercise, paid().kind(Subtype::BuyToCover));
    let played = play(&margin, [short, bought()].into_iter().chain(rows));
    // 10000 and 300.
    assert_eq!(played.realized(), ["2024-01-02 -200 12000 10300 1700"]);
    let rows = used(Subtype::Exercise, received().kind(Subtype::ShortSell));
    let played = play(&margin, [bought()].into_iter().chain(rows));
    // 10000 less 300.
    assert_eq!(played.lots(A, X), ["2024-03-01 -200 -9700"]);
    assert_eq!(played.findings(), [""; 0]);
}

#[test]
fn the_premium_waits_for_a_trade_of_a_later_day() {
    let trade = Event { date: day("2024-03-04"), ..paid() };
    let [trade, right] = used(Subtype::Exercise, trade);
    let played = play(&Place::default(), [bought(), right.clone(), trade.clone()]);
    assert_eq!(played.lots(A, X), ["2024-03-04 200 10300"]);
    assert_eq!(played.realized(), [""; 0]);
    assert_eq!(played.findings(), [""; 0]);
    assert!(played.book.premiums.is_empty());
    // A trade of an earlier day has its cost already.
    let early = Event { date: day("2024-02-28"), ..trade };
    let right = right.with(&early);
    let played = play(&Place::default(), [bought(), early, right]);
    assert_eq!(played.findings(), ["exercise_without_other_leg"]);
}
