//! Lots between accounts, from outside and to there.

use super::*;

fn stock() -> Vec<Event> {
    vec![buy("2020-01-02", "10", "100"), buy("2021-01-02", "10", "200")]
}

#[test]
fn lots_move_with_their_dates_and_costs_on_one_day() {
    let (out, into) = transfer(("2024-03-01", A, "15"), ("2024-03-01", B, "15"));
    for legs in [[out.clone(), into.clone()], [into, out]] {
        let played = play(&Place::default(), stock().into_iter().chain(legs));
        assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
        assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2021-01-02 5 100"]);
        let there = played.position(B, X).lots;
        assert_eq!(there[0].opening, TransactionId(1));
        assert_eq!(there[1].opening, TransactionId(2));
        // The part has a number of its own.
        assert_eq!((there[0].piece, there[1].piece), (0, 1));
        assert_eq!(played.realized(), [""; 0]);
        assert_eq!(played.findings(), [""; 0]);
        assert_eq!(played.book.in_transit().count(), 0);
        assert!(played.book.moved.is_empty());
    }
}

#[test]
fn lots_that_left_earlier_are_on_their_way() {
    let (out, into) = transfer(("2024-03-01", A, "15"), ("2024-03-04", B, "15"));
    let left = play(&Place::default(), stock().into_iter().chain([out.clone()]));
    let (_, transit) = left.book.in_transit().next().unwrap();
    assert_eq!((transit.from, transit.to, transit.security), (A, B, X));
    assert_eq!(transit.quantity(), known("15"));
    let lots: Vec<_> = transit.lots.iter().map(lot_text).collect();
    assert_eq!(lots, ["2020-01-02 10 100", "2021-01-02 5 100"]);
    let arrived = play(&Place::default(), stock().into_iter().chain([out, into]));
    assert_eq!(arrived.lots(B, X), ["2020-01-02 10 100", "2021-01-02 5 100"]);
    assert_eq!(arrived.book.in_transit().count(), 0);
    assert_eq!(arrived.findings(), [""; 0]);
}

#[test]
fn lots_that_arrive_before_they_leave_move_when_they_arrive() {
    let (out, into) = transfer(("2024-03-04", A, "15"), ("2024-03-01", B, "15"));
    let played = play(&Place::default(), stock().into_iter().chain([into, out]));
    assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2021-01-02 5 100"]);
    assert_eq!(played.findings(), [""; 0]);
    assert!(played.book.moved.is_empty());
}

#[test]
fn the_sending_account_chooses_the_lots() {
    let place = Place::default().method(A, LotMethod::Lifo);
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-01", B, "10"));
    for legs in [[out.clone(), into.clone()], [into.clone(), out.clone()]] {
        let played = play(&place, stock().into_iter().chain(legs));
        assert_eq!(played.lots(B, X), ["2021-01-02 10 200"]);
    }
    // The out leg names their day, wherever it stands.
    let place = Place::default().method(A, LotMethod::Specific);
    let out = out.acquired("2021-01-02");
    for legs in [[out.clone(), into.clone()], [into, out]] {
        let played = play(&place, stock().into_iter().chain(legs));
        assert_eq!(played.lots(B, X), ["2021-01-02 10 200"]);
    }
}

#[test]
fn an_in_leg_waits_for_what_its_sender_buys_on_the_day() {
    // In the order of rows what comes stands before what is bought, and a sale before what goes.
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-01", B, "10"));
    let rows =
        [into, buy("2024-03-01", "10", "100"), sell("2024-03-01", "10", "150").account(B), out];
    let played = play(&Place::default(), rows);
    assert_eq!(played.realized(), ["2024-03-01 10 150 100 50"]);
    assert_eq!(played.findings(), [""; 0]);
    assert!(played.book.quantities().next().is_none());
}

#[test]
fn a_chain_of_transfers_on_one_day() {
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-01", B, "10"));
    let (on, arrives) = transfer(("2024-03-01", B, "10"), ("2024-03-01", C, "10"));
    let (on, arrives) = (on.id(903), arrives.id(904));
    let (on, arrives) = (on.clone().with(&arrives), arrives.with(&on));
    let rows = [arrives, into, buy("2024-03-01", "10", "100"), on, out];
    let played = play(&Place::default(), rows);
    assert_eq!(played.lots(C, X), ["2024-03-01 10 100"]);
    assert_eq!(played.findings(), [""; 0]);
}

#[test]
fn the_lots_of_the_smaller_leg_move() {
    // More was sent than came: 3 of 15 went elsewhere.
    let (out, into) = transfer(("2024-03-01", A, "15"), ("2024-03-02", B, "12"));
    let played = play(&Place::default(), stock().into_iter().chain([out, into]));
    assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2021-01-02 2 40"]);
    assert_eq!(played.findings(), ["transfer_quantities_differ"]);
    // The same, the in leg first.
    let (out, into) = transfer(("2024-03-02", A, "15"), ("2024-03-01", B, "12"));
    let played = play(&Place::default(), stock().into_iter().chain([into, out]));
    assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2021-01-02 2 40"]);
    assert_eq!(played.findings(), ["transfer_quantities_differ", "transfer_quantities_differ"]);
    // More came than was sent: nobody knows what that cost.
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-02", B, "12"));
    let played = play(&Place::default(), stock().into_iter().chain([out, into]));
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2024-03-02 2 n/a"]);
    assert_eq!(played.findings(), ["transfer_quantities_differ", "missing_cost"]);
}

#[test]
fn more_than_there_is_cannot_move_with_a_cost() {
    let (out, into) = transfer(("2024-03-01", A, "25"), ("2024-03-02", B, "25"));
    let played = play(&Place::default(), stock().into_iter().chain([out, into]));
    assert_eq!(played.lots(A, X), ["2024-03-01 -5 n/a"]);
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2021-01-02 10 200", "2024-03-02 5 n/a"]);
    assert_eq!(played.findings(), ["moved_beyond_position", "missing_cost"]);
}

#[test]
fn a_leg_whose_other_leg_does_not_fit_is_a_leg_to_the_outside() {
    let (out, into) = transfer(("2024-03-01", A, "15"), ("2024-03-02", B, "15"));
    let other = into.clone().of(Y);
    let played = play(&Place::default(), stock().into_iter().chain([out.with(&other), other]));
    assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
    assert_eq!(played.lots(B, Y), ["2024-03-02 15 n/a"]);
    assert_eq!(played.book.in_transit().count(), 0);
    assert_eq!(
        played.findings(),
        ["transfer_without_other_leg", "transfer_without_other_leg", "missing_cost"]
    );
}

#[test]
fn lots_on_their_way_to_one_are_not_given_to_another() {
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-02", B, "10"));
    let thief = into.clone().account(C).id(903);
    let played = play(&Place::default(), stock().into_iter().chain([out, thief, into]));
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100"]);
    assert_eq!(played.lots(C, X), ["2024-03-02 10 n/a"]);
}

#[test]
fn what_comes_from_outside_has_the_price_and_date_of_its_row() {
    let cad = Currency::CAD;
    let place = Place::default()
        .currency(X, cad)
        .quoted(cad, Currency::USD, "2019-05-05", "0.70")
        .quoted(cad, Currency::USD, "2024-01-01", "0.80");
    let row = row(Subtype::TransferIn, "2024-01-02", A, X).many("10").at_price("5").paid_in(cad);
    // In base at the rate of the day on which it was bought.
    let lot = play(&place, [row.clone().acquired("2019-05-05")]).position(A, X).lots[0].clone();
    assert_eq!((lot.opened, lot.cost), (day("2019-05-05"), known("50")));
    assert_eq!(lot.cost_base, known("35"));
    let lot = play(&place, [row.clone()]).position(A, X).lots[0].clone();
    assert_eq!((lot.opened, lot.cost_base), (day("2024-01-02"), known("40")));
    let unknown = Event { price: None, ..row };
    let played = play(&place, [unknown]);
    assert_eq!(played.position(A, X).cost(), None);
    assert_eq!(played.findings(), ["missing_cost"]);
}

#[test]
fn what_goes_outside_takes_its_cost_along_without_a_gain() {
    let out = row(Subtype::TransferOut, "2024-03-01", A, X).many("-15");
    let played = play(&Place::default(), stock().into_iter().chain([out]));
    assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
    assert_eq!(played.realized(), [""; 0]);
    assert_eq!(played.findings(), [""; 0]);
}

#[test]
fn openings_and_adjustments() {
    let opening = |units: &str| row(Subtype::Opening, "2024-01-02", A, X).many(units);
    let played = play(&Place::default(), [opening("10").at_price("5").acquired("2020-02-02")]);
    assert_eq!(played.lots(A, X), ["2020-02-02 10 50"]);
    assert_eq!(played.findings(), [""; 0]);
    let short = play(&Place::default(), [opening("-10").at_price("5")]);
    assert_eq!(short.lots(A, X), ["2024-01-02 -10 -50"]);
    assert_eq!(short.findings(), [""; 0]);
    let again = play(&Place::default(), [opening("10").at_price("5"), opening("1").at_price("6")]);
    assert_eq!(again.lots(A, X), ["2024-01-02 10 50", "2024-01-02 1 6"]);
    assert_eq!(again.findings(), ["opening_on_position"]);

    let adjust = |units: &str| row(Subtype::Adjustment, "2024-03-01", A, X).many(units);
    let more = play(&Place::default(), stock().into_iter().chain([adjust("1")]));
    assert_eq!(more.position(A, X).quantity, dec("21"));
    assert_eq!(more.findings(), ["missing_cost"]);
    let fewer = play(&Place::default(), stock().into_iter().chain([adjust("-11")]));
    assert_eq!(fewer.lots(A, X), ["2021-01-02 9 180"]);
    assert_eq!(fewer.realized(), [""; 0]);
    assert_eq!(fewer.findings(), [""; 0]);
    let journal = adjust("-11").kind(Subtype::Journal);
    let fewer = play(&Place::default(), stock().into_iter().chain([journal]));
    assert_eq!(fewer.lots(A, X), ["2021-01-02 9 180"]);
    assert_eq!(fewer.findings(), ["not_understood"]);
    let beyond = play(&Place::default(), stock().into_iter().chain([adjust("-21").at_price("7")]));
    assert_eq!(beyond.lots(A, X), ["2024-03-01 -1 -7"]);
    assert_eq!(beyond.findings(), ["moved_beyond_position"]);
}

#[test]
fn shares_that_come_to_a_short_close_it_at_their_cost() {
    let rows = [
        sell("2024-01-02", "10", "100"),
        row(Subtype::TransferIn, "2024-01-03", A, X).many("4").at_price("7"),
    ];
    let played = play(&Place::default().kind(A, AccountKind::Margin), rows);
    // 4 were sold for 40 and had cost 28.
    assert_eq!(played.realized(), ["2024-01-02 -4 40 28 12"]);
    assert_eq!(played.lots(A, X), ["2024-01-02 -6 -60"]);
}

#[test]
fn the_rows_before_an_out_leg_go_before_its_in_leg() {
    // The sale takes the older 10, so that the newer ones go; wherever the in leg stands.
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-01", B, "10"));
    let sold = sell("2024-03-01", "10", "300");
    for rows in
        [[into.clone(), sold.clone(), out.clone()], [sold.clone(), into.clone(), out.clone()]]
    {
        let played = play(&Place::default(), stock().into_iter().chain(rows));
        assert_eq!(played.realized(), ["2020-01-02 10 300 100 200"]);
        assert_eq!(played.lots(B, X), ["2021-01-02 10 200"]);
        assert_eq!(played.findings(), [""; 0]);
    }
    // Money that came back before lowers what is sent on: 200 - 10 x 60/20.
    let back = row(Subtype::ReturnOfCapital, "2024-03-01", A, X).cash("60");
    let rows = [into, back, sold, out];
    let played = play(&Place::default(), stock().into_iter().chain(rows));
    assert_eq!(played.lots(B, X), ["2021-01-02 10 170"]);
}

#[test]
fn two_accounts_that_send_to_each_other_on_one_day() {
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-01", B, "10"));
    let (back, again) = transfer(("2024-03-01", B, "4"), ("2024-03-01", A, "4"));
    let (back, again) = (back.id(903), again.id(904));
    let (back, again) = (back.clone().with(&again), again.with(&back));
    // In the order of rows what comes stands before what goes, in both accounts.
    let rows = [into, again, buy("2024-03-01", "10", "100"), out, back];
    let played = play(&Place::default(), rows);
    assert_eq!(played.lots(A, X), ["2024-03-01 4 40"]);
    assert_eq!(played.lots(B, X), ["2024-03-01 6 60"]);
    assert_eq!(played.findings(), [""; 0]);
}

#[test]
fn what_the_other_leg_did_not_send_has_the_price_and_date_of_its_row() {
    let (out, into) = transfer(("2024-03-01", A, "10"), ("2024-03-02", B, "12"));
    let into = into.at_price("7").acquired("2023-01-03");
    let played = play(&Place::default(), stock().into_iter().chain([out, into]));
    // 2 x 7.
    assert_eq!(played.lots(B, X), ["2020-01-02 10 100", "2023-01-03 2 14"]);
    assert_eq!(played.findings(), ["transfer_quantities_differ"]);
}

/// Each leg as the part of a row that moves so many units with another row.
fn parts(moves: &[(&Event, &Event, &str)]) -> Vec<Event> {
    let part = |row: &Event, units: String| row.clone().many(&units);
    let pair = |(out, into, units): &(&Event, &Event, &str)| {
        let (out, into) = (part(out, format!("-{units}")), part(into, (*units).to_owned()));
        [out.clone().with(&into), into.with(&out)]
    };
    moves.iter().flat_map(pair).collect()
}

/// Rows of several days in the order of days, whatever order they come in.
fn in_order(mut rows: Vec<Event>) -> Vec<Event> {
    rows.sort_by_key(|row| (row.date, row.subtype == Subtype::TransferOut));
    rows
}

#[test]
fn several_rows_bring_what_one_sent() {
    // Out; what B gets, and what C gets.
    let days = [
        ["2024-03-01", "2024-03-02", "2024-03-05"],
        ["2024-03-01", "2024-03-01", "2024-03-01"],
        ["2024-03-02", "2024-03-01", "2024-03-05"],
        ["2024-03-05", "2024-03-01", "2024-03-02"],
    ];
    for place in [Place::default(), Place::default().everywhere(LotMethod::Acb)] {
        for [sent, b, c] in days {
            let out = row(Subtype::TransferOut, sent, A, X).id(901);
            let into = row(Subtype::TransferIn, b, B, X).id(902);
            let other = row(Subtype::TransferIn, c, C, X).id(903);
            let legs = in_order(parts(&[(&out, &into, "4"), (&out, &other, "11")]));
            let played = play(&place, stock().into_iter().chain(legs.clone()));
            // On average 15 each.
            if place.accounts.is_empty() {
                assert_eq!(played.lots(B, X), ["2020-01-02 4 40"]);
                assert_eq!(played.lots(C, X), ["2020-01-02 6 60", "2021-01-02 5 100"]);
                assert_eq!(played.lots(A, X), ["2021-01-02 5 100"]);
            } else {
                let costs = [A, B, C].map(|account| played.position(account, X).cost());
                assert_eq!(costs, ["75", "60", "165"].map(known));
            }
            assert_eq!(played.findings(), [""; 0]);
            assert_eq!(played.book.in_transit().count(), 0);
            assert!(played.book.moved.is_empty());
            if c < sent {
                continue;
            }
            let before = legs.into_iter().filter(|leg| leg.id.0 != 903);
            let left = play(&place, stock().into_iter().chain(before));
            assert_eq!(left.book.in_transit().next().unwrap().1.quantity(), known("11"));
        }
    }
}

#[test]
fn one_row_brings_what_several_sent() {
    let into = row(Subtype::TransferIn, "2024-03-03", C, X).id(903);
    let older = row(Subtype::TransferOut, "2024-03-01", A, X).id(901);
    let newer = row(Subtype::TransferOut, "2024-03-04", B, X).id(902);
    let there = buy("2021-05-05", "7", "70").account(B);
    let legs = in_order(parts(&[(&older, &into, "4"), (&newer, &into, "5")]));
    let played = play(&Place::default(), stock().into_iter().chain([there]).chain(legs));
    assert_eq!(played.lots(C, X), ["2020-01-02 4 40", "2021-05-05 5 50"]);
    assert_eq!(played.lots(B, X), ["2021-05-05 2 20"]);
    assert_eq!(played.findings(), [""; 0]);
    assert!(played.book.moved.is_empty() && played.book.in_transit().count() == 0);
}
