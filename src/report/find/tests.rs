use super::*;

/// What is understood, a term a line.
fn terms(text: &str) -> Vec<String> {
    let found = Find::parse(text).unwrap().terms;
    found
        .iter()
        .map(|term| format!("{}{:?}", if term.not { "not " } else { "" }, term.test))
        .collect()
}

fn refusal(text: &str) -> String {
    Find::parse(text).unwrap_err().to_string()
}

fn kind(text: &str) -> String {
    match Find::parse(text).unwrap().terms.as_slice() {
        [Term { test: Test::Kind(found), .. }] => {
            found.iter().map(|subtype| subtype.as_str()).collect::<Vec<_>>().join(" ")
        }
        other => panic!("{text}: {other:?}"),
    }
}

fn days(text: &str) -> String {
    match Find::parse(text).unwrap().terms.as_slice() {
        [Term { test: Test::Days(days), .. }] => format!("{} {}", days.start(), days.end()),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn nothing_is_everything() {
    assert!(Find::parse("").unwrap().is_everything());
    assert!(Find::parse("  \t ").unwrap().is_everything());
    assert!(!Find::parse("x").unwrap().is_everything());
}

#[test]
fn words_are_folded_and_quotes_keep_them_together() {
    assert_eq!(
        terms("Café \"Two  Words\" !\"NOT this\" un\"quo ted\"x"),
        [
            "Words(\"cafe\")",
            "Words(\"two  words\")",
            "not Words(\"not this\")",
            "Words(\"unquo tedx\")",
        ]
    );
    assert_eq!(
        terms("12:30 \"acct:x\" :x a!b"),
        ["Words(\"12:30\")", "Words(\"acct:x\")", "Words(\":x\")", "Words(\"a!b\")",]
    );
}

#[test]
fn each_key_is_understood() {
    assert_eq!(
        terms(
            "acct:\"My RRSP\" ACCT:x !sym:XEQT cat:Food status:p source:imp source:IMPORT:7 cur:usd linked !linked \"linked\""
        ),
        [
            "Account(\"my rrsp\")",
            "Account(\"x\")",
            "not Symbol(\"xeqt\")",
            "Category(\"food\")",
            "Status([Pending])",
            "Source([File])",
            "Batch(BatchId(7))",
            "Currency(USD)",
            "Linked",
            "not Linked",
            "Words(\"linked\")",
        ]
        .map(|line| line.replace("Currency(USD)", &format!("{:?}", Test::Currency(Currency::USD))))
    );
}

#[test]
fn the_beginning_of_a_kind_or_of_an_event_is_enough() {
    assert_eq!(kind("kind:div"), "dividend");
    assert_eq!(kind("kind:with"), "withdrawal withholding_tax");
    assert_eq!(
        kind("kind:FEE"),
        "commission account_fee margin_interest tax withholding_tax other_fee"
    );
    assert_eq!(kind("kind:wire"), "wire_in wire_out");
}

#[test]
fn numbers_have_spans() {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let dec = |text| Dec::parse(text).unwrap();
    for (text, span) in [
        ("50", (Included(dec("50")), Included(dec("50")))),
        ("=50.0", (Included(dec("50")), Included(dec("50")))),
        (">100", (Excluded(dec("100")), Unbounded)),
        (">=100", (Included(dec("100")), Unbounded)),
        ("<-5", (Unbounded, Excluded(dec("-5")))),
        ("<=-5", (Unbounded, Included(dec("-5")))),
        ("-5..0.5", (Included(dec("-5")), Included(dec("0.5")))),
        ("100..", (Included(dec("100")), Unbounded)),
        ("..100", (Unbounded, Included(dec("100")))),
    ] {
        let found = Find::parse(&format!("amt:{text} qty:{text}")).unwrap().terms;
        let tests: Vec<_> = found.into_iter().map(|term| term.test).collect();
        assert_eq!(tests, [Test::Amount(span), Test::Quantity(span)], "{text}");
    }
}

#[test]
fn days_have_spans() {
    for (text, span) in [
        ("2025", "2025-01-01 2025-12-31"),
        ("2024-02", "2024-02-01 2024-02-29"),
        ("2025-03-09", "2025-03-09 2025-03-09"),
        ("2025-03-01..2025-04", "2025-03-01 2025-04-30"),
        ("2025..", "2025-01-01 9999-12-31"),
        ("..2025", "0000-01-01 2025-12-31"),
        (">=2025", "2025-01-01 9999-12-31"),
        (">2025", "2026-01-01 9999-12-31"),
        ("<2025-03", "0000-01-01 2025-02-28"),
        ("<=2025-03", "0000-01-01 2025-03-31"),
        ("9999", "9999-01-01 9999-12-31"),
    ] {
        assert_eq!(days(&format!("date:{text}")), span, "{text}");
    }
}

#[test]
fn a_refusal_names_the_word_and_says_what_would_be_right() {
    for (text, said) in [
        ("x \"open q", "`\"open q`: close the quote with another \""),
        ("x acct:", "`acct:`: write what to look for behind it, like acct:rrsp or !coffee"),
        ("!", "`!`: write what to look for behind it, like acct:rrsp or !coffee"),
        (
            "foo:x",
            "`foo:x`: there is no `foo:`; one of: acct cat sym kind status source cur amt qty date; \
             or quote it to look for the text",
        ),
        (
            "status:x",
            "`status:x`: not the beginning of a status; one of: pending settled failed cancelled",
        ),
        ("source:x", "`source:x`: not the beginning of a source; one of: hand import provider"),
        (
            "source:import:x",
            "`source:import:x`: write the number of an import, like source:import:7",
        ),
        ("cur:dollar", "`cur:dollar`: write the code of a currency, like cur:usd"),
        ("!amt:1,5", "`!amt:1,5`: write 50, >100, <=-5 or 100..200 behind the colon"),
        ("qty:..", "`qty:..`: write 50, >100, <=-5 or 100..200 behind the colon"),
        ("amt:2..1", "`amt:2..1`: the span ends before it begins; turn it around"),
        ("date:2025..2024", "`date:2025..2024`: the span ends before it begins; turn it around"),
    ] {
        assert_eq!(refusal(text), said);
    }
    for text in ["25", "2025-3", "2025-02-30", "2025-01-01-01", "x", ">", "..", "2025-", "+025"] {
        let word = format!("date:{text}");
        assert_eq!(
            refusal(&word),
            format!(
                "`{word}`: write 2025, 2025-03, 2025-03-01, >=2025 or 2025-03..2025-04 behind date:"
            )
        );
    }
    assert!(
        refusal("kind:x")
            .starts_with("`kind:x`: not the beginning of a kind; one of: trade transfer ")
    );
    assert!(!refusal("\u{1b}[31m:x\"").contains('\u{1b}'), "what is shown is safe");
}
