//! A machine with a little money in one account, and what is seen of it in a terminal.

use super::home::Home;

pub const CTRL_L: &str = "\x0c";
pub const CTRL_Z: &str = "\x1a";
/// What is seen once the first frame is there.
pub const TABS: &str = "0 Overview";
/// An account, and all that is in it.
pub const ACCOUNT: &str = "Jam Jar";
pub const AMOUNT: &str = "77777.77";
pub const AMOUNT_SHOWN: &str = "77,777.77";

/// A machine with a little money on it.
pub fn home() -> Home {
    home_with("")
}

/// The same with these flags, which may name another store.
pub fn home_with(flags: &str) -> Home {
    let home = Home::new();
    let add = ["account", "add", ACCOUNT, "--kind", "checking", "--currency", "USD"];
    home.ok(&[&words(flags)[..], &add].concat());
    deposit(&home, flags, AMOUNT, "pickled");
    home
}

pub fn deposit(home: &Home, flags: &str, amount: &str, why: &str) {
    let date = ["txn", "add", "--date", "2024-01-02", "--type", "deposit", "--amount", amount];
    let rest = ["--account", ACCOUNT, "--description", why];
    home.ok(&[&words(flags)[..], &date, &rest].concat());
}

pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
