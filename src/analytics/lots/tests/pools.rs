//! The shared average of taxable accounts, and averages of single accounts.

use super::*;

fn acb() -> Place {
    Place::default().everywhere(LotMethod::Acb)
}

#[test]
fn taxable_accounts_share_one_average() {
    let rows = [
        buy("2024-01-02", "10", "100"),
        buy("2024-01-03", "30", "500").account(B),
        sell("2024-02-01", "5", "100"),
    ];
    let played = play(&acb(), rows);
    // 600 for 40: the five cost 75. Left 525 for 35: 75 and 450.
    assert_eq!(played.realized(), ["2024-01-02 5 100 75 25"]);
    assert_eq!(played.position(A, X).cost(), known("75"));
    assert_eq!(played.position(B, X).cost(), known("450"));
}

#[test]
fn an_account_that_is_not_taxable_has_an_average_of_its_own() {
    let place = acb().kind(C, AccountKind::Tfsa);
    let rows = [
        buy("2024-01-02", "10", "100"),
        buy("2024-01-03", "10", "500").account(C),
        buy("2024-01-04", "10", "700").account(C),
        sell("2024-02-01", "5", "100"),
        sell("2024-02-01", "5", "400").account(C),
    ];
    let played = play(&place, rows);
    assert_eq!(played.realized(), ["2024-01-02 5 100 50 50", "2024-01-03 5 400 300 100"]);
    assert_eq!(played.position(C, X).cost(), known("900"));
}

#[test]
fn an_account_of_another_method_stays_out_of_it() {
    let place = acb().method(B, LotMethod::Fifo);
    let rows = [
        buy("2024-01-02", "10", "100"),
        buy("2024-01-03", "10", "500").account(B),
        sell("2024-02-01", "5", "100"),
    ];
    assert_eq!(play(&place, rows).realized(), ["2024-01-02 5 100 50 50"]);
}

#[test]
fn the_parts_of_a_pool_add_up() {
    let rows = [
        buy("2024-01-02", "1", "40"),
        buy("2024-01-02", "1", "30").account(B),
        buy("2024-01-02", "1", "30").account(C),
    ];
    let played = play(&acb(), rows);
    let costs: Vec<_> = [A, B, C].map(|it| figure(played.position(it, X).cost())).into();
    assert_eq!(costs, ["33.333333333333", "33.333333333333", "33.333333333334"]);
}

#[test]
fn the_three_costs_each_go_by_their_own_days() {
    let (cad, usd, eur) = (Currency::CAD, Currency::USD, Currency::EUR);
    let mut place = acb()
        .currency(X, cad)
        .quoted(cad, usd, "2024-01-02", "0.75")
        .quoted(cad, usd, "2024-01-03", "0.80")
        .quoted(cad, eur, "2024-01-02", "0.70")
        .quoted(cad, eur, "2024-01-03", "0.60");
    place.rules.tax = eur;
    place.rules.fees = Fees::Expense;
    let rows = [
        buy("2024-01-02", "10", "100").fee("20").paid_in(cad),
        buy("2024-01-03", "10", "300").paid_in(cad),
        sell("2024-01-03", "5", "150").fee("10").paid_in(cad),
    ];
    let played = play(&place, rows);
    let realized = &played.told.realized[0];
    // A quarter of 400, of 75 + 240 = 315, of 70 + 180 = 250; fees always in it.
    assert_eq!(
        (realized.cost, realized.cost_base, realized.cost_tax),
        (known("100"), known("78.75"), known("62.5"))
    );
    assert_eq!(
        (realized.proceeds, realized.proceeds_base, realized.proceeds_tax),
        (known("150"), known("120"), known("90"))
    );
    assert_eq!(realized.gain_tax(), known("27.5"));
    // 150 x 0.80 - 78.75 = 41.25, of which 100 x 0.80 - 78.75 = 1.25.
    assert_eq!((realized.gain_base(), realized.gain_fx), (known("41.25"), known("1.25")));
}

#[test]
fn a_transfer_between_accounts_that_share_a_pool_changes_nothing_in_it() {
    let (out, into) = transfer(("2024-02-01", A, "10"), ("2024-02-05", B, "10"));
    let rows = |between: Event| {
        [
            buy("2024-01-02", "20", "200"),
            buy("2024-01-03", "20", "600").account(B),
            out.clone(),
            between,
            into.clone(),
        ]
    };
    // 800 for 40, also while 10 of them are on their way.
    let sale = sell("2024-02-02", "4", "100").account(B);
    let played = play(&acb(), rows(sale));
    assert_eq!(played.realized(), ["2024-01-03 4 100 80 20"]);
    assert_eq!(played.lots(A, X), ["2024-01-02 10 200"]);
    assert_eq!(played.lots(B, X), ["2024-01-02 10 200", "2024-01-03 16 320"]);
    let on_the_way = play(&acb(), rows(out.clone()).into_iter().take(3));
    let (_, transit) = on_the_way.book.in_transit().next().unwrap();
    assert_eq!(transit.lots.iter().map(lot_text).collect::<Vec<_>>(), ["2024-01-02 10 200"]);
    assert_eq!(on_the_way.position(A, X).cost(), known("200"));
    assert_eq!(on_the_way.position(B, X).cost(), known("400"));
}

#[test]
fn a_transfer_out_of_a_pool_takes_its_average_along() {
    let (out, into) = transfer(("2024-02-01", A, "10"), ("2024-02-05", C, "10"));
    let rows =
        [buy("2024-01-02", "20", "200"), buy("2024-01-03", "20", "600").account(B), out, into];
    let played = play(&acb().kind(C, AccountKind::Tfsa), rows);
    assert_eq!(played.lots(C, X), ["2024-01-02 10 200"]);
    assert_eq!(played.position(B, X).cost(), known("400"));
    let pools = &played.book.pools;
    assert_eq!(pools.len(), 2);
}

#[test]
fn one_unknown_cost_makes_the_average_unknown_until_all_is_gone() {
    let place = Place::default().method(A, LotMethod::Average);
    let rows = [
        buy("2024-01-02", "10", "100"),
        row(Subtype::Adjustment, "2024-01-03", A, X).many("10"),
        sell("2024-01-04", "5", "70"),
        sell("2024-01-05", "15", "200"),
        buy("2024-01-06", "1", "9"),
    ];
    let played = play(&place, rows);
    assert!(played.told.realized.iter().all(|it| it.cost.is_none()));
    assert_eq!(played.lots(A, X), ["2024-01-06 1 9"]);
}

#[test]
fn shorts_and_longs_are_not_averaged_together() {
    let place = acb().kind(A, AccountKind::Margin);
    let rows = [
        sell("2024-01-02", "10", "90"),
        buy("2024-01-03", "10", "100").account(B),
        buy("2024-01-04", "5", "40"),
    ];
    let played = play(&place, rows);
    assert_eq!(played.realized(), ["2024-01-02 -5 45 40 5"]);
    assert_eq!(played.lots(A, X), ["2024-01-02 -5 -45"]);
    assert_eq!(played.lots(B, X), ["2024-01-03 10 100"]);
}

#[test]
fn a_split_of_a_pool_changes_the_units_of_its_account() {
    let split = |account| row(Subtype::Split, "2024-02-01", account, X).ratio("2:1");
    let rows = [
        buy("2024-01-02", "10", "100"),
        buy("2024-01-03", "10", "300").account(B),
        split(A),
        split(B),
        sell("2024-02-02", "4", "100"),
    ];
    let played = play(&acb(), rows);
    // 400 for 40.
    assert_eq!(played.realized(), ["2024-01-02 4 100 40 60"]);
    assert_eq!(played.position(B, X).cost(), known("200"));
}

#[test]
fn a_loss_in_a_shared_average_is_noted_in_the_tax_currency() {
    let (cad, usd) = (Currency::CAD, Currency::USD);
    let mut place =
        acb().quoted(usd, cad, "2024-01-02", "2").quoted(usd, cad, "2024-02-01", "1.25");
    place.rules.tax = cad;
    let rows = [
        buy("2024-01-02", "10", "100"),
        sell("2024-01-02", "2", "21"),
        sell("2024-02-01", "4", "48"),
        sell("2024-02-01", "4", "100"),
    ];
    let played = play(&place, rows.clone());
    // Bought at 2 CAD for a dollar, sold at 1.25: 60 - 80 although 48 - 40, and 125 - 80.
    let told = &played.told.findings;
    assert_eq!(played.findings(), ["superficial_loss"]);
    assert_eq!((told[0].loss, told[0].quantity), (Some((dec("20"), cad)), known("4")));
    assert_eq!(told[0].transaction, TransactionId(3));
    // No other method and no other account has such a rule.
    let registered = acb().kind(A, AccountKind::Tfsa);
    for place in [Place::default(), Place::default().everywhere(LotMethod::Average), registered] {
        let rows = [buy("2024-01-02", "10", "100"), sell("2024-02-01", "4", "1")];
        assert_eq!(play(&place, rows).findings(), [""; 0]);
    }
}
