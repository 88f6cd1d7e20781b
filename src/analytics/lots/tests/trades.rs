//! Purchases and sales: methods, fees, shorts, currencies, terms.

use super::*;

/// Three purchases: the oldest, the dearest, the newest.
fn three() -> Vec<Event> {
    vec![
        buy("2024-01-02", "10", "100"),
        buy("2024-01-03", "10", "300"),
        buy("2024-01-04", "10", "200"),
    ]
}

fn after_sale_by(method: LotMethod) -> Played {
    let place = Place::default().method(A, method);
    play(&place, three().into_iter().chain([sell("2024-02-01", "15", "600")]))
}

#[test]
fn each_method_takes_its_lots() {
    // 600 over 15: the first 10 bring 400, the rest 200.
    let oldest = after_sale_by(LotMethod::Fifo);
    assert_eq!(oldest.realized(), ["2024-01-02 10 400 100 300", "2024-01-03 5 200 150 50"]);
    assert_eq!(oldest.lots(A, X), ["2024-01-03 5 150", "2024-01-04 10 200"]);

    let newest = after_sale_by(LotMethod::Lifo);
    assert_eq!(newest.realized(), ["2024-01-04 10 400 200 200", "2024-01-03 5 200 150 50"]);
    assert_eq!(newest.lots(A, X), ["2024-01-02 10 100", "2024-01-03 5 150"]);

    let dearest = after_sale_by(LotMethod::Hifo);
    assert_eq!(dearest.realized(), ["2024-01-03 10 400 300 100", "2024-01-04 5 200 100 100"]);
    assert_eq!(dearest.lots(A, X), ["2024-01-02 10 100", "2024-01-04 5 100"]);

    // 600 x 15/30 = 300 leave the pool; 10 and 5 of 15 are 200 and 100.
    let average = after_sale_by(LotMethod::Average);
    assert_eq!(average.realized(), ["2024-01-02 10 400 200 200", "2024-01-03 5 200 100 100"]);
    assert_eq!(average.lots(A, X), ["2024-01-03 5 100", "2024-01-04 10 200"]);
}

#[test]
fn the_dearest_lot_counts_fees_and_of_equals_the_oldest_goes() {
    let place = Place::default().method(A, LotMethod::Hifo);
    let rows = [
        buy("2024-01-02", "10", "100"),
        buy("2024-01-03", "10", "100"),
        // 99 and a fee of 2 make 101, the dearest.
        buy("2024-01-04", "10", "101").fee("2"),
        row(Subtype::TransferIn, "2024-01-05", A, X).many("10"),
        sell("2024-02-01", "15", "150"),
        // What is left: 5 and 10 at 10 each, and 10 of unknown cost, which go last.
        sell("2024-02-02", "16", "160"),
    ];
    let played = play(&place, rows);
    let opened: Vec<_> =
        played.told.realized.iter().map(|it| (it.opened.to_string(), it.cost)).collect();
    assert_eq!(
        opened,
        [
            ("2024-01-04".to_owned(), known("101")),
            ("2024-01-02".to_owned(), known("50")),
            ("2024-01-02".to_owned(), known("50")),
            ("2024-01-03".to_owned(), known("100")),
            ("2024-01-05".to_owned(), None),
        ]
    );
    assert_eq!(played.position(A, X).realized.total(), None);
}

#[test]
fn the_newest_day_goes_first_and_of_one_day_the_last_that_came() {
    let place = Place::default().method(A, LotMethod::Lifo);
    let rows = [
        buy("2024-01-02", "1", "10"),
        buy("2024-01-02", "1", "11"),
        // Older, though it came later.
        row(Subtype::TransferIn, "2024-01-03", A, X).many("1").at_price("5").acquired("2020-05-05"),
        sell("2024-02-01", "1", "20"),
    ];
    let played = play(&place, rows);
    assert_eq!(played.realized(), ["2024-01-02 1 20 11 9"]);
    assert_eq!(played.lots(A, X), ["2020-05-05 1 5", "2024-01-02 1 10"]);
}

#[test]
fn a_sale_takes_the_lots_of_the_day_it_names_and_then_the_oldest() {
    let place = Place::default().method(A, LotMethod::Specific);
    // Ten of the last of the three lots, at 20 each.
    let named = sell("2024-02-01", "10", "400").acquired("2024-01-04");
    let played = play(&place, three().into_iter().chain([named]));
    assert_eq!(played.realized(), ["2024-01-04 10 400 200 200"]);
    assert_eq!(played.told.realized[0].method, LotMethod::Specific);
    assert_eq!(played.findings(), [""; 0]);

    // The day brought ten only; of a day that brought nothing none are taken.
    for (day, left) in [
        ("2024-01-04", ["2024-01-02 5 50", "2024-01-03 10 300"].as_slice()),
        ("2024-01-09", &["2024-01-03 5 150", "2024-01-04 10 200"]),
    ] {
        let named = sell("2024-02-01", "15", "600").acquired(day);
        let played = play(&place, three().into_iter().chain([named]));
        assert_eq!(played.lots(A, X), left, "{day}");
        assert_eq!(played.findings(), ["needs_choice"], "{day}");
    }

    // Any other method does not ask for a day.
    let named = sell("2024-02-01", "10", "400").acquired("2024-01-04");
    let played = play(&Place::default(), three().into_iter().chain([named]));
    assert_eq!(played.told.realized[0].method, LotMethod::Fifo);
}

#[test]
fn a_part_of_a_cost_is_rounded_half_even_and_the_rest_is_the_rest() {
    let rows = [
        buy("2024-01-02", "3", "1"),
        sell("2024-01-03", "1", "1"),
        sell("2024-01-04", "1", "1"),
        sell("2024-01-05", "1", "1"),
    ];
    let played = play(&Place::default(), rows);
    // 1/3, then half of the rest 0.666666666667 is 0.3333333333335, to even ...334, then ...333.
    let costs: Vec<_> = played.told.realized.iter().map(|it| figure(it.cost)).collect();
    assert_eq!(costs, ["0.333333333333", "0.333333333334", "0.333333333333"]);
}

#[test]
fn fees_and_taxes_are_carried_by_the_lots_or_not() {
    let rows = || {
        [
            buy("2024-01-02", "10", "107").fee("5").tax("2"),
            sell("2024-01-03", "5", "56").fee("3").tax("1"),
        ]
    };
    let played = play(&Place::default(), rows());
    // 56 - 107/2.
    assert_eq!(played.realized(), ["2024-01-02 5 56 53.5 2.5"]);
    let mut place = Place::default();
    place.rules.fees = Fees::Expense;
    let played = play(&place, rows());
    // (56 + 4) - 100/2.
    assert_eq!(played.realized(), ["2024-01-02 5 60 50 10"]);
    let position = played.position(A, X);
    assert_eq!(position.fees.total(), known("8"));
    assert_eq!(position.taxes.total(), known("3"));
    assert_eq!(position.charges.total(), known("0"));
}

#[test]
fn a_sale_closes_longs_and_then_opens_a_short() {
    let rows = [
        buy("2024-01-02", "10", "100"),
        sell("2024-01-03", "15", "180"),
        buy("2024-01-04", "8", "120"),
    ];
    let played = play(&Place::default(), rows);
    // The sale: 10/15 of 180 is 120, 60 open the short. The purchase: 5/8 of 120 is 75 to close
    // it, a loss of 15, and 45 buy 3.
    assert_eq!(played.realized(), ["2024-01-02 10 120 100 20", "2024-01-03 -5 60 75 -15"]);
    assert_eq!(played.lots(A, X), ["2024-01-04 3 45"]);
    assert_eq!(played.findings(), ["short_opened"]);
    assert_eq!(played.told.findings[0].quantity, known("5"));
}

#[test]
fn whoever_may_sell_short_is_left_alone() {
    let margin = Place::default().kind(A, AccountKind::Margin);
    let short = play(&margin, [sell("2024-01-03", "5", "60")]);
    assert_eq!(short.findings(), [""; 0]);
    assert_eq!(short.lots(A, X), ["2024-01-03 -5 -60"]);
    assert_eq!(short.position(A, X).quantity, dec("-5"));
    let said = play(&Place::default(), [sell("2024-01-03", "5", "60").kind(Subtype::ShortSell)]);
    assert_eq!(said.findings(), [""; 0]);
}

#[test]
fn shorts_are_averaged_too() {
    let place = Place::default().method(A, LotMethod::Average).kind(A, AccountKind::Margin);
    let rows = [
        sell("2024-01-02", "10", "100"),
        sell("2024-01-03", "10", "200"),
        buy("2024-01-04", "5", "50").kind(Subtype::BuyToCover),
    ];
    let played = play(&place, rows);
    // 300 for 20: five brought 75 and cost 50.
    assert_eq!(played.realized(), ["2024-01-02 -5 75 50 25"]);
    assert_eq!(played.lots(A, X), ["2024-01-02 -5 -75", "2024-01-03 -10 -150"]);
}

#[test]
fn the_currency_part_of_a_gain() {
    let cad = Currency::CAD;
    let place = Place::default()
        .currency(X, cad)
        .quoted(cad, Currency::USD, "2024-01-02", "0.75")
        .quoted(cad, Currency::USD, "2024-02-01", "0.80");
    let rows =
        [buy("2024-01-02", "10", "100").paid_in(cad), sell("2024-02-01", "10", "130").paid_in(cad)];
    let played = play(&place, rows);
    let realized = &played.told.realized[0];
    // 130 x 0.80 - 100 x 0.75 = 29: price 30 x 0.80 = 24, currency 100 x 0.05 = 5.
    assert_eq!((realized.gain_base(), realized.gain_fx), (known("29"), known("5")));

    // A short the other way round: brought 130 at 0.75, bought back for 100 at 0.80.
    let rows =
        [sell("2024-01-02", "10", "130").paid_in(cad), buy("2024-02-01", "10", "100").paid_in(cad)];
    let realized = play(&place, rows).told.realized.remove(0);
    // 97.5 - 80 = 17.5: price 30 x 0.80 = 24, currency -130 x 0.05 = -6.5.
    assert_eq!((realized.gain_base(), realized.gain_fx), (known("17.5"), known("-6.5")));
    assert_eq!((realized.cost_base, realized.proceeds_base), (known("80"), known("97.5")));
}

#[test]
fn a_row_paid_in_another_currency_goes_by_its_own_rate() {
    let (cad, usd, eur) = (Currency::CAD, Currency::USD, Currency::EUR);
    let mut place = Place::default()
        .currency(X, cad)
        .quoted(usd, cad, "2024-01-01", "1.30")
        .quoted(cad, usd, "2024-01-01", "0.76")
        .quoted(cad, eur, "2024-01-01", "0.70");
    place.rules.tax = eur;
    // 75 dollars at 0.75 dollars a Canadian dollar are 100. In base they are 75 exactly, in the
    // tax currency 100 x 0.70.
    let paid = play(&place, [buy("2024-01-02", "10", "75").fx("0.75")]);
    let lot = paid.position(A, X).lots[0].clone();
    assert_eq!((lot.cost, lot.cost_base, lot.cost_tax), (known("100"), known("75"), known("70")));
    // Without it by the day's: 75 x 1.30 = 97.5, times 0.70 = 68.25.
    let paid = play(&place, [buy("2024-01-02", "10", "75")]);
    let lot = paid.position(A, X).lots[0].clone();
    assert_eq!(
        (lot.cost, lot.cost_base, lot.cost_tax),
        (known("97.5"), known("75"), known("68.25"))
    );
    // In euros at 0.60 a Canadian dollar: 60 are 100, and 76 in base.
    let paid = play(&place, [buy("2024-01-02", "10", "60").paid_in(eur).fx("0.60")]);
    let lot = paid.position(A, X).lots[0].clone();
    assert_eq!((lot.cost, lot.cost_base, lot.cost_tax), (known("100"), known("76"), known("60")));

    // Sold for 90 dollars at 0.75 after a purchase for 100 Canadian, 76 in base: the gain is 20
    // Canadian; in base 14, of which the currency made 100 x 0.75 - 76 = -1.
    let rows =
        [buy("2024-01-02", "10", "100").paid_in(cad), sell("2024-01-03", "10", "90").fx("0.75")];
    let realized = play(&place, rows).told.realized.remove(0);
    assert_eq!(realized.gain(), known("20"));
    assert_eq!((realized.gain_base(), realized.gain_fx), (known("14"), known("-1")));
}

#[test]
fn without_a_rate_nothing_is_made_up() {
    let cad = Currency::CAD;
    let place = Place::default().currency(X, cad);
    let played = play(&place, [buy("2024-01-02", "10", "100").paid_in(cad)]);
    let lot = played.position(A, X).lots[0].clone();
    assert_eq!((lot.cost, lot.cost_base, lot.cost_tax), (known("100"), None, None));
    assert_eq!(played.findings(), ["missing_rate"]);
    assert_eq!(played.told.findings[0].pair, Some((cad, Currency::USD)));

    // Paid in base: what it cost in base is known, what in its own currency is not.
    let played = play(&place, [buy("2024-01-02", "10", "75")]);
    let lot = played.position(A, X).lots[0].clone();
    assert_eq!((lot.cost, lot.cost_base), (None, known("75")));
    assert_eq!(played.told.findings[0].pair, Some((Currency::USD, cad)));

    // Nothing needs no rate.
    let played = play(&place, [row(Subtype::Split, "2024-01-02", A, X).ratio("2:1")]);
    assert_eq!(played.findings(), ["nothing_held"]);
}

#[test]
fn a_year_and_a_day_make_a_long_term() {
    for (opened, closed, term) in [
        ("2023-03-01", "2024-03-01", Term::Short),
        ("2023-03-01", "2024-03-02", Term::Long),
        ("2024-02-29", "2025-02-28", Term::Short),
        ("2024-02-29", "2025-03-01", Term::Long),
        ("2023-02-28", "2024-02-28", Term::Short),
        ("2023-02-28", "2024-02-29", Term::Long),
    ] {
        let played = play(&Place::default(), [buy(opened, "1", "1"), sell(closed, "1", "1")]);
        assert_eq!(played.told.realized[0].term, term, "{opened} {closed}");
        let open = play(&Place::default(), [buy(opened, "1", "1")]);
        assert_eq!(super::term(&open.position(A, X).lots[0], day(closed)), term);
    }
    let rows = [sell("2020-01-01", "1", "1"), buy("2024-01-01", "1", "1")];
    assert_eq!(play(&Place::default(), rows).told.realized[0].term, Term::Short);
}

#[test]
fn odd_numbers_are_numbers() {
    // Oil in April 2020: bought for less than nothing, sold for nothing, and for less.
    let rows = [
        row(Subtype::Buy, "2020-04-20", A, X).many("2").cash("74"),
        row(Subtype::Sell, "2020-04-21", A, X).many("-1").cash("0"),
        row(Subtype::Sell, "2020-04-22", A, X).many("-1").cash("-5"),
    ];
    let played = play(&Place::default(), rows);
    assert_eq!(played.realized(), ["2020-04-20 1 0 -37 37", "2020-04-20 1 -5 -37 32"]);
}

#[test]
fn what_does_not_fit_is_said_and_not_shown() {
    let large = "9999999999999999999999999999";
    let rows = [
        buy("2024-01-02", large, "1"),
        buy("2024-01-03", "0.5", "1"),
        sell("2024-01-04", "1", "1"),
        buy("2024-01-04", "1", "1").of(Y),
    ];
    let played = play(&Place::default(), rows);
    let position = played.position(A, X);
    assert!(position.overflow && position.cost().is_none());
    assert_eq!(position.realized.total(), None);
    assert_eq!(played.told.findings[0].kind, FindingKind::Overflow);
    assert_eq!(played.told.findings[0].severity(), Severity::Error);
    assert_eq!(played.lots(A, Y), ["2024-01-04 1 1"]);
    let quantities: Vec<_> = played.book.quantities().collect();
    assert_eq!(quantities, [(A, X, None), (A, Y, Some(Dec::ONE))]);

    // Money that does not fit is unknown; the quantity is not.
    let price = row(Subtype::Opening, "2024-01-02", A, X).many("1000").at_price(large);
    let played = play(&Place::default(), [price]);
    let position = played.position(A, X);
    assert_eq!((position.quantity, position.cost()), (dec("1000"), None));
    assert_eq!(played.findings(), ["overflow"]);
}

#[test]
fn a_trade_without_a_quantity_is_said() {
    let played = play(&Place::default(), [row(Subtype::Buy, "2024-01-02", A, X).cash("-5")]);
    assert_eq!(played.findings(), ["missing_quantity"]);
}

#[test]
fn income_charges_and_rewards() {
    let rows = [
        buy("2024-01-02", "10", "100"),
        row(Subtype::Dividend, "2024-01-03", A, X).cash("17").tax("3").fee("1"),
        row(Subtype::Interest, "2024-01-04", A, X).cash("-2"),
        row(Subtype::CapitalGain, "2024-01-05", A, X).cash("5"),
        row(Subtype::Distribution, "2024-01-06", A, X).cash("7"),
        row(Subtype::Reward, "2024-01-07", A, X).many("0.5").at_price("12"),
        row(Subtype::OtherFee, "2024-01-08", A, X).cash("-4"),
        row(Subtype::WithholdingTax, "2024-01-09", A, X).cash("-6"),
    ];
    let played = play(&Place::default(), rows);
    let position = played.position(A, X);
    // 21 - 2 + 5 + 7 + 6.
    assert_eq!(position.income.total(), known("37"));
    assert_eq!(position.fees.total(), known("5"));
    assert_eq!(position.taxes.total(), known("9"));
    assert_eq!(position.charges.total(), known("14"));
    assert_eq!(played.lots(A, X), ["2024-01-02 10 100", "2024-01-07 0.5 6"]);
    assert_eq!(played.findings(), [""; 0]);

    let played = play(&Place::default(), [row(Subtype::Reward, "2024-01-07", A, X).many("1")]);
    assert_eq!(played.findings(), ["missing_cost"]);
    assert_eq!(played.position(A, X).income.total(), None);
    assert_eq!(played.lots(A, X), ["2024-01-07 1 n/a"]);
}

#[test]
fn the_dearest_lot_counts_fees_that_its_cost_leaves_out() {
    let mut place = Place::default().method(A, LotMethod::Hifo);
    place.rules.fees = Fees::Expense;
    let rows = [
        // (100 + 20) / 10 is more than 11.
        buy("2024-01-02", "10", "120").fee("20"),
        buy("2024-01-03", "10", "110"),
        // A part of it is as dear as the whole.
        sell("2024-01-04", "4", "60"),
        sell("2024-01-05", "6", "90"),
    ];
    let played = play(&place, rows);
    assert_eq!(played.realized(), ["2024-01-02 4 60 40 20", "2024-01-02 6 90 60 30"]);
}

#[test]
fn costs_that_are_too_large_together_are_an_overflow() {
    let large = "6000000000000000000000000000";
    let played =
        play(&Place::default(), [buy("2024-01-02", "1", large), buy("2024-01-03", "1", large)]);
    let position = played.position(A, X);
    assert_eq!((position.cost(), position.cost_overflows()), (None, true));
    let unknown = row(Subtype::TransferIn, "2024-01-02", A, X).many("1");
    let played = play(&Place::default(), [buy("2024-01-02", "1", large), unknown]);
    let position = played.position(A, X);
    assert_eq!((position.cost(), position.cost_overflows()), (None, false));
}
