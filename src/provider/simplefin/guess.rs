//! What the protocol does not tell and words may: what an account is, what an event was. A guess is
//! the careful one; what its owner says is never guessed over.

use std::cell::LazyCell;

use crate::model::{AccountKind, Class, Subtype};

/// What an account is by its name, else by what is in it.
pub(in crate::provider) fn kind(name: &str, has_holdings: bool) -> AccountKind {
    const HINTS: &[(&str, AccountKind)] = &[
        ("roth", AccountKind::RothIra),
        ("ira", AccountKind::Ira),
        ("401k", AccountKind::FourOhOneK),
        ("401(k)", AccountKind::FourOhOneK),
        ("403b", AccountKind::FourOhOneK),
        ("tsp", AccountKind::FourOhOneK),
        ("hsa", AccountKind::Hsa),
        ("tfsa", AccountKind::Tfsa),
        ("rrsp", AccountKind::Rrsp),
        ("fhsa", AccountKind::Fhsa),
        ("resp", AccountKind::Resp),
        ("mortgage", AccountKind::Mortgage),
        ("heloc", AccountKind::LineOfCredit),
        ("line of credit", AccountKind::LineOfCredit),
        ("loan", AccountKind::Loan),
        ("money market", AccountKind::MoneyMarket),
        ("savings", AccountKind::Savings),
        ("checking", AccountKind::Checking),
        ("chequing", AccountKind::Checking),
        ("dda", AccountKind::Checking),
        ("credit card", AccountKind::CreditCard),
        ("card", AccountKind::CreditCard),
        ("visa", AccountKind::CreditCard),
        ("mastercard", AccountKind::CreditCard),
        ("amex", AccountKind::CreditCard),
        ("crypto", AccountKind::Crypto),
        ("bitcoin", AccountKind::Crypto),
        ("brokerage", AccountKind::Brokerage),
    ];
    let words = words(name);
    let hint = HINTS.iter().find(|(hint, _)| has(&words, hint)).map(|(_, kind)| *kind);
    match hint {
        // What is held says more than a word that fits a bank too.
        Some(kind) if !has_holdings || kind.class() == Class::Investment => kind,
        _ if has_holdings => AccountKind::Brokerage,
        Some(kind) => kind,
        None => AccountKind::Other,
    }
}

/// What an event was. In an account with securities a line of cash may be a purchase, of which not
/// enough is told: it is kept as what is not understood.
pub(super) fn event(class: Class, is_gain: bool, description: &str) -> Subtype {
    // Most rows are lines of cash that no word changes.
    let words = LazyCell::new(|| words(description));
    let any = |hints: &[&str]| hints.iter().any(|hint| has(&words, hint));
    match class {
        _ if is_gain && any(&["interest", "interest paid"]) => Subtype::Interest,
        Class::Investment if is_gain && any(&["dividend", "dividends", "div"]) => Subtype::Dividend,
        Class::Investment if !is_gain && any(&["fee", "fees"]) => Subtype::AccountFee,
        Class::Investment if any(&["tax", "withheld"]) && !is_gain => Subtype::Tax,
        Class::Investment if is_gain && any(&["deposit", "contribution"]) => Subtype::Deposit,
        Class::Investment if !is_gain && any(&["withdrawal"]) => Subtype::Withdrawal,
        Class::Investment => Subtype::Unknown,
        _ if is_gain => Subtype::Deposit,
        _ => Subtype::Withdrawal,
    }
}

/// In lower case, with one blank around each word.
fn words(text: &str) -> String {
    let is_between = |c: char| !(c.is_alphanumeric() || "()".contains(c));
    let mut words = String::with_capacity(text.len() + 2);
    for word in text.to_lowercase().split(is_between).filter(|word| !word.is_empty()) {
        words.push(' ');
        words.push_str(word);
    }
    words.push(' ');
    words
}

fn has(words: &str, hint: &str) -> bool {
    words.match_indices(hint).any(|(at, _)| {
        let around = words.get(..at).zip(words.get(at + hint.len()..));
        around.is_some_and(|(before, after)| before.ends_with(' ') && after.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_an_account_is_if_anything_does() {
        for (name, holds, right) in [
            ("Everyday Checking (0017)", false, AccountKind::Checking),
            ("Roth IRA", true, AccountKind::RothIra),
            ("Traditional IRA - 22", false, AccountKind::Ira),
            ("Virago Motors", false, AccountKind::Other),
            ("ACME 401(k) Plan", true, AccountKind::FourOhOneK),
            ("Home-Mortgage", false, AccountKind::Mortgage),
            ("Visa Platinum", false, AccountKind::CreditCard),
            ("Savings", true, AccountKind::Brokerage),
            ("Individual", true, AccountKind::Brokerage),
            ("Something", false, AccountKind::Other),
        ] {
            assert_eq!(kind(name, holds), right, "{name}");
        }
    }

    #[test]
    fn words_tell_what_happened_where_that_is_safe() {
        let (cash, invested) = (Class::Cash, Class::Investment);
        for (class, gain, text, right) in [
            (cash, true, "ACH PAYROLL", Subtype::Deposit),
            (cash, false, "COFFEE", Subtype::Withdrawal),
            (cash, true, "Interest Paid", Subtype::Interest),
            (cash, false, "INTEREST CHARGE", Subtype::Withdrawal),
            (invested, true, "DIVIDEND RECEIVED EXMFX", Subtype::Dividend),
            (invested, false, "YOU BOUGHT EXMFX", Subtype::Unknown),
            (invested, false, "ADVISORY FEE", Subtype::AccountFee),
            (Class::Liability, false, "BOOKS", Subtype::Withdrawal),
        ] {
            assert_eq!(event(class, gain, text), right, "{text}");
        }
    }
}
