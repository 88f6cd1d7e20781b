//! Wide exact arithmetic for derived money: multiply first, divide and round once at the end. It knows numbers only.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::decimal::{Dec, MAX_DIGITS, power_of_ten};

/// A number of any size and precision. Equal values are equal, however they came about.
#[derive(Clone, Debug)]
pub struct Exact(Kept);

/// As it is kept, with the decimal places of its digits: there are millions of them, so it is as
/// small as can be.
#[derive(Clone, Debug)]
enum Kept {
    Small { scale: u32, digits: Digits },
    Big { scale: u32, digits: Box<BigInt> },
}

/// By itself it would begin at a multiple of 16 only, and leave a third of the room empty.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(8))]
struct Digits(i128);

/// Nearly all money fits into 128 bits; what does not goes on in a big number.
#[derive(Clone, Debug)]
enum Mantissa {
    Small(i128),
    Big(BigInt),
}

use Mantissa::{Big, Small};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExactError {
    #[error("the result has more than 28 digits")]
    Overflow,
    #[error("the divisor is zero")]
    DivisionByZero,
}

impl Exact {
    pub const ZERO: Exact = Exact::small(0, 0);

    const fn small(digits: i128, scale: u32) -> Exact {
        Exact(Kept::Small { scale, digits: Digits(digits) })
    }

    fn of(mantissa: Mantissa, scale: u32) -> Exact {
        match mantissa {
            Small(digits) => Exact::small(digits, scale),
            Big(digits) => Exact(Kept::Big { scale, digits: Box::new(digits) }),
        }
    }

    fn mantissa(&self) -> Mantissa {
        match &self.0 {
            Kept::Small { digits, .. } => Small(digits.0),
            Kept::Big { digits, .. } => Big(BigInt::clone(digits)),
        }
    }

    const fn scale(&self) -> u32 {
        match self.0 {
            Kept::Small { scale, .. } | Kept::Big { scale, .. } => scale,
        }
    }

    #[must_use]
    pub fn mul(&self, other: &Exact) -> Exact {
        Exact::of(self.mantissa().mul(&other.mantissa()), self.scale() + other.scale())
    }

    #[must_use]
    pub fn add(&self, other: &Exact) -> Exact {
        // Sums of money of one currency, most of which is nothing.
        if let (Kept::Small { scale, digits: a }, Kept::Small { scale: other_scale, digits: b }) =
            (&self.0, &other.0)
            && scale == other_scale
            && let Some(sum) = { a.0 }.checked_add(b.0)
        {
            return Exact::small(sum, *scale);
        }
        for (some, none) in [(self, other), (other, self)] {
            if none.is_zero() && none.scale() <= some.scale() {
                return some.clone();
            }
        }
        let (a, b, scale) = self.aligned(other);
        Exact::of(a.add(&b), scale)
    }

    #[must_use]
    pub fn sub(&self, other: &Exact) -> Exact {
        self.add(&other.neg())
    }

    #[must_use]
    pub fn neg(&self) -> Exact {
        Exact::of(self.mantissa().mul(&Small(-1)), self.scale())
    }

    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.sign().is_eq()
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(&self) -> Exact {
        if self.sign().is_lt() { self.neg() } else { self.clone() }
    }

    /// The nearest that a ratio or a drawing needs; never money.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "that is what it is for")]
    pub fn approximate(&self) -> f64 {
        let mantissa = match &self.0 {
            Kept::Small { digits, .. } => digits.0 as f64,
            Kept::Big { digits, .. } => digits.to_string().parse().unwrap_or(f64::NAN),
        };
        let scale = i32::try_from(self.scale()).unwrap_or(i32::MAX);
        mantissa / 10_f64.powi(scale)
    }

    /// Half a unit of the last of `places` decimals: how far a number written with them may be
    /// from the one that was meant.
    #[must_use]
    pub const fn half_unit(places: u32) -> Exact {
        Exact::small(5, places + 1)
    }

    /// Reads what `Display` writes; any number of digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Exact> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{decimals}");
        let scale = u32::try_from(decimals.len()).ok()?;
        let big: BigInt = digits.parse().ok()?;
        Some(Exact::of(Mantissa::of_big(big), scale))
    }

    /// How the number compares with zero: `Less` is negative.
    #[must_use]
    pub fn sign(&self) -> Ordering {
        match &self.0 {
            Kept::Small { digits, .. } => { digits.0 }.cmp(&0),
            Kept::Big { digits, .. } => digits.sign().cmp(&Sign::NoSign),
        }
    }

    /// Rounded half-even to `places` decimals (28 at most).
    pub fn round(&self, places: u32) -> Result<Dec, ExactError> {
        let places = places.min(MAX_DIGITS);
        let (mantissa, scale) = match self.scale().checked_sub(places) {
            None | Some(0) => (self.mantissa(), self.scale()),
            Some(extra) => (self.mantissa().divided(&Small(1).shifted(extra)), places),
        };
        mantissa.into_dec(scale)
    }

    /// The quotient, rounded half-even to `places` decimals (28 at most); nothing else is rounded on the way.
    pub fn div_round(&self, divisor: &Exact, places: u32) -> Result<Dec, ExactError> {
        if divisor.is_zero() {
            return Err(ExactError::DivisionByZero);
        }
        let places = places.min(MAX_DIGITS);
        // (a / 10^s) / (b / 10^t), in units of 10^-places, is a * 10^(t + places) / (b * 10^s).
        let (up, down) = (divisor.scale() + places, self.scale());
        let numerator = self.mantissa().shifted(up.saturating_sub(down));
        let denominator = divisor.mantissa().shifted(down.saturating_sub(up));
        numerator.divided(&denominator).into_dec(places)
    }

    /// Both mantissas at the larger of the two scales.
    fn aligned(&self, other: &Exact) -> (Mantissa, Mantissa, u32) {
        let scale = self.scale().max(other.scale());
        let at_scale = |it: &Exact| it.mantissa().shifted(scale - it.scale());
        (at_scale(self), at_scale(other), scale)
    }
}

/// Its digits and how many of them are decimals; digits that do not fit into 128 bits as text.
#[derive(Serialize, Deserialize)]
enum Stored {
    Small(i128, u32),
    Big(String),
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = match self.mantissa() {
            Small(small) => Stored::Small(small, self.scale()),
            Big(_) => Stored::Big(self.to_string()),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Stored::deserialize(deserializer)? {
            Stored::Small(small, scale) => Ok(Self::small(small, scale)),
            Stored::Big(text) => {
                Self::parse(&text).ok_or_else(|| de::Error::custom("digits that are no number"))
            }
        }
    }
}

impl From<Dec> for Exact {
    fn from(dec: Dec) -> Exact {
        Exact::small(dec.inner().mantissa(), dec.inner().scale())
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        match self.aligned(other) {
            (Small(a), Small(b), _) => a.cmp(&b),
            (a, b, _) => a.to_big().cmp(&b.to_big()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Exact) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Exact {}

impl Mantissa {
    fn to_big(&self) -> BigInt {
        match self {
            Small(small) => BigInt::from(*small),
            Big(big) => big.clone(),
        }
    }

    fn of_big(big: BigInt) -> Mantissa {
        i128::try_from(&big).map_or(Big(big), Small)
    }

    fn mul(&self, other: &Mantissa) -> Mantissa {
        if let (Small(a), Small(b)) = (self, other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Small(product);
        }
        Mantissa::of_big(self.to_big() * other.to_big())
    }

    fn add(&self, other: &Mantissa) -> Mantissa {
        if let (Small(a), Small(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Small(sum);
        }
        Mantissa::of_big(self.to_big() + other.to_big())
    }

    /// Times 10^places.
    fn shifted(&self, places: u32) -> Mantissa {
        match power_of_ten(places) {
            Some(1) => self.clone(),
            Some(power) => self.mul(&Small(power)),
            None => Mantissa::of_big(self.to_big() * BigInt::from(10).pow(places)),
        }
    }

    /// Divided by what is not zero, rounded half-even to a whole number.
    fn divided(&self, divisor: &Mantissa) -> Mantissa {
        if let (Small(a), Small(b)) = (self, divisor)
            && let (Some(quotient), Some(rest)) = (a.checked_div(*b), a.checked_rem(*b))
        {
            let away = rounds_away(
                &rest.unsigned_abs(),
                &(b.unsigned_abs() - rest.unsigned_abs()),
                quotient % 2 != 0,
            );
            // Something rests, so the divisor is at least 2 and the quotient has room for one more.
            return Small(if away { quotient + a.signum() * b.signum() } else { quotient });
        }
        let (a, b) = (self.to_big(), divisor.to_big());
        let (quotient, rest) = (&a / &b, &a % &b);
        let away =
            rounds_away(rest.magnitude(), &(b.magnitude() - rest.magnitude()), quotient.bit(0));
        let one = if (a.sign() == Sign::Minus) == (b.sign() == Sign::Minus) { 1 } else { -1 };
        Mantissa::of_big(if away { quotient + one } else { quotient })
    }

    fn into_dec(self, scale: u32) -> Result<Dec, ExactError> {
        let dec = match self {
            Small(small) => Dec::from_parts(small, scale),
            Big(big) => {
                without_zeros(big, scale).and_then(|(small, scale)| Dec::from_parts(small, scale))
            }
        };
        dec.ok_or(ExactError::Overflow)
    }
}

/// Whether a quotient is to go one further from zero: what rests is more than what lacks, or the same and it is odd.
fn rounds_away<T: Ord>(rests: &T, lacks: &T, odd: bool) -> bool {
    match rests.cmp(lacks) {
        Ordering::Less => false,
        Ordering::Equal => odd,
        Ordering::Greater => true,
    }
}

/// Takes zeros behind the point away until the number fits into 128 bits, if it ever does.
fn without_zeros(mut big: BigInt, mut scale: u32) -> Option<(i128, u32)> {
    let ten = BigInt::from(10);
    loop {
        if let Ok(small) = i128::try_from(&big) {
            return Some((small, scale));
        }
        if scale == 0 || &big % &ten != BigInt::ZERO {
            return None;
        }
        big /= &ten;
        scale -= 1;
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = match self.mantissa() {
            Small(small) => small.unsigned_abs().to_string(),
            Big(big) => big.magnitude().to_string(),
        };
        let sign = if self.sign().is_lt() { "-" } else { "" };
        let scale = self.scale() as usize;
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, decimals) = padded.split_at(padded.len() - scale);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{decimals}")
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> Exact {
        Dec::parse(text).unwrap().into()
    }

    #[test]
    fn a_number_takes_little_room() {
        assert_eq!(size_of::<Exact>(), 24);
    }

    #[test]
    fn any_number_is_kept_as_bytes() {
        let wide = exact("7000000000000000000000000.001");
        for number in [Exact::ZERO, exact("-0.125"), wide.mul(&wide), wide.mul(&wide).neg()] {
            let bytes = postcard::to_stdvec(&number).unwrap();
            assert_eq!(postcard::from_bytes::<Exact>(&bytes).unwrap(), number);
        }
        let no_number = postcard::to_stdvec(&Stored::Big("1,5".to_owned())).unwrap();
        assert!(postcard::from_bytes::<Exact>(&no_number).is_err());
    }

    /// A fraction, the other way to compute exactly. Its denominator is positive.
    #[derive(Clone, Debug)]
    struct Fraction {
        over: BigInt,
        under: BigInt,
    }

    impl Fraction {
        fn read(text: &str) -> Fraction {
            let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
            let under = BigInt::from_str(&format!("1{}", "0".repeat(decimals.len()))).unwrap();
            Fraction { over: BigInt::from_str(&format!("{whole}{decimals}")).unwrap(), under }
        }

        fn mul(&self, other: &Fraction) -> Fraction {
            Fraction { over: &self.over * &other.over, under: &self.under * &other.under }
        }

        fn add(&self, other: &Fraction) -> Fraction {
            let over = &self.over * &other.under + &other.over * &self.under;
            Fraction { over, under: &self.under * &other.under }
        }

        fn neg(&self) -> Fraction {
            Fraction { over: -&self.over, under: self.under.clone() }
        }

        fn over_one(&self) -> Fraction {
            let sign = if self.over.sign() == Sign::Minus { -1 } else { 1 };
            Fraction {
                over: &self.under * sign,
                under: BigInt::from(self.over.magnitude().clone()),
            }
        }

        fn cmp(&self, other: &Fraction) -> Ordering {
            (&self.over * &other.under).cmp(&(&other.over * &self.under))
        }

        /// The nearest multiple of 10^-places, half-even, as the text of a decimal; none when it has over 28 digits.
        fn rounded(&self, places: u32) -> Option<String> {
            let scaled = &self.over * BigInt::from(10).pow(places);
            // floor(x + 1/2), one less on a tie that went to an odd number.
            let (top, bottom) = (&scaled * 2 + &self.under, &self.under * 2);
            let mut nearest: BigInt = &top / &bottom;
            if &nearest * &bottom > top {
                nearest -= 1;
            }
            if &nearest * &bottom == top && nearest.bit(0) {
                nearest -= 1;
            }
            let sign = if nearest.sign() == Sign::Minus { "-" } else { "" };
            let digits = format!(
                "{:0>width$}",
                nearest.magnitude().to_string(),
                width = places as usize + 1
            );
            let (whole, decimals) = digits.split_at(digits.len() - places as usize);
            let decimals = decimals.trim_end_matches('0');
            let significant = format!("{whole}{decimals}");
            let text = if decimals.is_empty() {
                format!("{sign}{whole}")
            } else {
                format!("{sign}{whole}.{decimals}")
            };
            (significant.trim_start_matches('0').len() <= 28).then_some(text)
        }
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,6}\\.[0-9]{1,4}",
            "-?[0-9]{1,14}\\.[0-9]{1,14}",
            "-?[0-9]{24,28}",
            "-?0\\.[0-9]{20,28}",
            "-?[0-9]{0,2}[05]\\.?5?0?",
        ]
        .prop_filter("a number", |text| Dec::parse(text).is_ok())
        .prop_map(|text| text.trim_end_matches('.').to_owned())
    }

    fn as_text(result: Result<Dec, ExactError>) -> Option<String> {
        match result {
            Ok(dec) => Some(dec.to_string()),
            Err(error) => {
                assert_eq!(error, ExactError::Overflow);
                None
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn agrees_with_fractions(a in number(), b in number(), c in number(), d in number(), places in 0..=28_u32) {
            let [x, y, z, w] = [&a, &b, &c, &d].map(|text| exact(text));
            let [p, q, r, s] = [&a, &b, &c, &d].map(|text| Fraction::read(text));
            // a * b + c, and a * b * c - d: beyond 128 bits for the long ones.
            let (sum, sum_fraction) = (x.mul(&y).add(&z), p.mul(&q).add(&r));
            let (wide, wide_fraction) = (x.mul(&y).mul(&z).sub(&w), p.mul(&q).mul(&r).add(&s.neg()));
            prop_assert_eq!(as_text(sum.round(places)), sum_fraction.rounded(places));
            prop_assert_eq!(as_text(wide.round(places)), wide_fraction.rounded(places));
            prop_assert_eq!(sum.cmp(&wide), sum_fraction.cmp(&wide_fraction));
            prop_assert_eq!(sum == wide, sum_fraction.cmp(&wide_fraction).is_eq());
            prop_assert_eq!(wide.neg().sign(), wide.sign().reverse());
            prop_assert_eq!(wide.sign(), wide_fraction.cmp(&Fraction::read("0")));
            for (divisor, fraction) in [(&w, &s), (&sum, &sum_fraction), (&wide, &wide_fraction)] {
                if divisor.is_zero() {
                    prop_assert_eq!(x.div_round(divisor, places), Err(ExactError::DivisionByZero));
                    continue;
                }
                for (dividend, over) in [(&x, &p), (&wide, &wide_fraction)] {
                    let quotient = over.mul(&fraction.over_one()).rounded(places);
                    prop_assert_eq!(as_text(dividend.div_round(divisor, places)), quotient);
                }
            }
        }
    }

    #[test]
    fn ties_go_to_the_even_digit_on_both_sides_of_zero() {
        for (a, b, quotient) in [
            ("1", "2", "0"),
            ("3", "2", "2"),
            ("5", "2", "2"),
            ("-1", "2", "0"),
            ("-3", "2", "-2"),
            ("3", "-2", "-2"),
            ("-5", "-2", "2"),
            ("2", "3", "1"),
            ("-2", "3", "-1"),
        ] {
            assert_eq!(
                exact(a).div_round(&exact(b), 0),
                Ok(Dec::parse(quotient).unwrap()),
                "{a} / {b}"
            );
        }
        // 605 x 20 / 50 = 242, and a third to twelve places.
        let cost = exact("605").mul(&exact("20")).div_round(&exact("50"), 12);
        assert_eq!(cost, Dec::parse("242").map_err(|_| ExactError::Overflow));
        assert_eq!(
            exact("1").div_round(&exact("3"), 12),
            Ok(Dec::parse("0.333333333333").unwrap())
        );
    }

    #[test]
    fn only_the_result_has_to_fit() {
        let large = exact("9999999999999999999999999999");
        let square = large.mul(&large);
        assert_eq!(square.round(12), Err(ExactError::Overflow));
        assert_eq!(
            square.mul(&square).div_round(&square.mul(&large), 12).map(Exact::from),
            Ok(large.clone())
        );
        assert!(square.sub(&square).is_zero());
        assert_eq!(square.sub(&square), Exact::ZERO);
        assert_eq!(large.div_round(&Exact::ZERO, 2), Err(ExactError::DivisionByZero));
        let tiny = exact("0.0000000000000000000000000001");
        assert_eq!(large.mul(&tiny).round(12), Ok(Dec::ONE));
        assert_eq!(tiny.mul(&tiny).round(99), Ok(Dec::ZERO));
    }

    #[test]
    fn the_very_ends_of_128_bits_are_no_trap() {
        let least = Exact::small(i128::MIN, 0);
        assert_eq!(least.neg().sign(), Ordering::Greater);
        assert_eq!(least.div_round(&least, 0), Ok(Dec::ONE));
        assert_eq!(least.div_round(&exact("-1"), 0), Err(ExactError::Overflow));
        assert_eq!(exact("1").div_round(&least, 0), Ok(Dec::ZERO));
        assert_eq!(least.round(0), Err(ExactError::Overflow));
    }
}
