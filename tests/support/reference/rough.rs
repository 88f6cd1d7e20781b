//! A portfolio without manners: short sales, trades through zero, splits, taxes, rows that do not
//! count, transfers, a third currency, closes and rates with holes. It knows nothing of the program.

use super::portfolio::{Portfolio, Random, business_days, decimals};
use super::{Day, day};

const SECURITIES: [(&str, &str); 5] =
    [("ALFA", "USD"), ("BETA", "CAD"), ("GAMA", "EUR"), ("DELT", "USD"), ("EPSI", "CAD")];
/// No account has as many rows in one currency as in another, hopefully.
const ACCOUNTS: [&str; 2] = ["Left", "Right"];
const STATUSES: [&str; 6] = ["", "settled", "pending", "", "failed", "cancelled"];

/// Closes of two years, and so many events from a seed, of which no two share a day: how rows of
/// two accounts on one day lie to each other is no matter of this portfolio.
pub fn portfolio(seed: u64, rows: usize) -> Portfolio {
    let mut random = Random(seed);
    let days = business_days(2);
    assert!(rows < days.len());
    let mut out = String::from(
        "date,account,type,symbol,quantity,price,fee,currency,amount,tax,ratio,to_account,status\n",
    );
    let mut splits = Vec::new();
    // In thousandths; only for rows that need to know whether there is something.
    let mut held = [[0_i64; SECURITIES.len()]; ACCOUNTS.len()];
    for account in ACCOUNTS {
        for code in ["USD", "CAD", "EUR"] {
            out += &format!("{},{account},DEPOSIT,,,,,{code},10000,,,,\n", days[0]);
        }
    }
    for number in 0..rows {
        let day = days[1 + number * (days.len() - 1) / rows];
        let (account, security) = (random.index(2), random.index(SECURITIES.len()));
        let (symbol, code) = SECURITIES[security];
        let name = ACCOUNTS[account];
        let position = held[account][security];
        let price = decimals(1000 + random.below(4000), 2);
        let fee = decimals(random.below(3) * 125, 2);
        let tax = decimals(random.below(4).saturating_sub(2).max(0) * 33, 2);
        let mut status = STATUSES[random.index(STATUSES.len())];
        let counts = !matches!(status, "failed" | "cancelled");
        match random.below(100) {
            0..75 => {
                let units = 500 * (1 + random.below(60));
                let is_sale = random.below(2) == 0;
                let what = match (is_sale, position.signum()) {
                    (true, 1) => "SELL",
                    (true, _) => "SHORT_SELL",
                    (false, -1) => "BUY_TO_COVER",
                    (false, _) => "BUY",
                };
                if counts {
                    held[account][security] += if is_sale { -units } else { units };
                }
                let quantity = decimals(units, 3);
                out += &format!(
                    "{day},{name},{what},{symbol},{quantity},{price},{fee},{code},,{tax},,,{status}\n"
                );
            }
            75..83 if position > 0 => {
                let paid = decimals(100 + random.below(5000), 2);
                out +=
                    &format!("{day},{name},DIVIDEND,{symbol},,,,{code},{paid},{tax},,,{status}\n");
            }
            83..87 if position != 0 && position % 2 == 0 => {
                // Everybody's shares split on the same day, which has a close.
                splits.push((day, security));
                for (account, name) in ACCOUNTS.iter().enumerate() {
                    if held[account][security] != 0 {
                        held[account][security] *= 2;
                        out += &format!("{day},{name},SPLIT,{symbol},,,,{code},,,2:1,,\n");
                    }
                }
            }
            87..92 if position > 0 && held[1 - account][security] >= 0 => {
                let units = 1 + random.below(position);
                held[account][security] -= units;
                held[1 - account][security] += units;
                let (other, quantity) = (ACCOUNTS[1 - account], decimals(units, 3));
                out += &format!(
                    "{day},{name},TRANSFER_OUT,{symbol},{quantity},,,{code},,,,{other},\n"
                );
            }
            92..96 => {
                if status.is_empty() {
                    status = "settled";
                }
                let paid = decimals(-(1 + random.below(900)), 2);
                out += &format!("{day},{name},FEE,,,,,{code},{paid},,,,{status}\n");
            }
            _ => {
                let paid = decimals(-(1 + random.below(90_000)), 2);
                let other = ACCOUNTS[1 - account];
                out += &format!("{day},{name},WITHDRAWAL,,,,,{code},{paid},,,{other},\n");
            }
        }
    }
    Portfolio { transactions: out, prices: prices(&mut random, &days, &splits) }
}

/// A close or rate on some days; a direct rate between CAD and EUR only now and then.
fn prices(random: &mut Random, days: &[Day], splits: &[(Day, usize)]) -> String {
    let mut out = String::from("date,symbol,close,currency\n");
    for (at, date) in days.iter().enumerate() {
        for (security, (symbol, currency)) in SECURITIES.iter().enumerate() {
            if splits.contains(&(*date, security)) || at % 9 == 0 && random.below(3) > 0 {
                let close = decimals(1000 + random.below(4000), 2);
                out += &format!("{date},sec:{symbol},{close},{currency}\n");
            }
        }
        let is_gap = (day("2015-08-01")..day("2015-09-01")).contains(date);
        if at % 3 == 0 && !is_gap {
            let (cad, eur) = (7000 + random.below(1500), 10_500 + random.below(1500));
            out += &format!("{date},fx:CAD,{},USD\n", decimals(cad, 4));
            out += &format!("{date},fx:EUR,{},USD\n", decimals(eur, 4));
        }
        if at % 40 == 0 {
            out += &format!("{date},fx:EUR,{},CAD\n", decimals(14_000 + random.below(1000), 4));
        }
    }
    out
}
