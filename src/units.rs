//! Numbers: the grid that the books are kept on, and exact decimals beside it.
//!
//! Every [`Amount`] is a whole count of 1e-18 and fits `numeric(38,18)`; an
//! [`Exact`] is whatever the chain said, to the last digit. The one way from
//! the second to the first is [`Exact::cut`], toward zero. No float is here.

use std::{array, fmt, str::FromStr, sync::LazyLock};

use alloy::primitives::{U256, Uint};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The grid's own scale: 18 decimals.
pub const SCALE: u32 = 18;

/// One whole unit on the grid.
const ONE: i128 = 1_000_000_000_000_000_000;

/// The first count that `numeric(38,18)` cannot hold.
const LIMIT: i128 = 100_000_000_000_000_000_000_000_000_000_000_000_000;

/// A signed number of whole counts of 1e-18, less than 1e20 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole unit.
    pub const ONE: Self = Self(ONE);
    /// The most that the grid holds.
    pub const MAX: Self = Self(LIMIT - 1);

    /// From a count of 1e-18; `None` where `numeric(38,18)` ends.
    pub const fn from_atoms(atoms: i128) -> Option<Self> {
        if atoms > -LIMIT && atoms < LIMIT { Some(Self(atoms)) } else { None }
    }

    /// The count of 1e-18.
    pub const fn atoms(self) -> i128 {
        self.0
    }

    /// Is it nothing?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; `None` where the grid ends.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_atoms)
    }

    /// The same with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }

    /// The difference; `None` where the grid ends.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Is it less than nothing?
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Cut toward zero to so many decimals; 18 and more leave it as it is.
    #[must_use]
    pub fn cut(self, decimals: u32) -> Self {
        let step = 10_i128.pow(SCALE.saturating_sub(decimals));
        Self(self.0 / step * step)
    }

    /// This many units of something worth `each`, rounded half to even.
    ///
    /// `None` where the grid ends.
    pub fn times(self, each: Self) -> Option<Self> {
        let one = U256::from(ONE.unsigned_abs());
        let product = U256::from(self.0.unsigned_abs()) * U256::from(each.0.unsigned_abs());
        let atoms = i128::try_from(rounded(product.div_rem(one), one, U256::ONE)).ok()?;
        Self::from_atoms(if (self.0 < 0) == (each.0 < 0) { atoms } else { -atoms })
    }

    /// This many units of something worth `ratio` each, cut toward zero (`domain.md` R33).
    ///
    /// `None` where the grid ends.
    pub fn times_toward_zero(self, ratio: Self) -> Option<Self> {
        let product = U256::from(self.0.unsigned_abs()) * U256::from(ratio.0.unsigned_abs());
        let atoms = i128::try_from(product / U256::from(ONE.unsigned_abs())).ok()?;
        Self::from_atoms(if (self.0 < 0) == (ratio.0 < 0) { atoms } else { -atoms })
    }
}

impl Amount {
    /// `self · part / whole`, rounded half to even: what falls to a part of something.
    ///
    /// `None` where `whole` is zero, or the grid ends.
    pub fn portion(self, part: Self, whole: Self) -> Option<Self> {
        let (of, part_of, in_all) = (self.0.unsigned_abs(), part.0.unsigned_abs(), whole.0.unsigned_abs());
        let atoms = match of.checked_mul(part_of) {
            // Nearly half of all products fit, and are ten times as quick.
            Some(product) => {
                let (quotient, remainder) = (product.checked_div(in_all)?, product.checked_rem(in_all)?);
                let up = match remainder.cmp(&(in_all - remainder)) {
                    std::cmp::Ordering::Less => false,
                    std::cmp::Ordering::Greater => true,
                    std::cmp::Ordering::Equal => quotient % 2 == 1,
                };
                i128::try_from(quotient + u128::from(up)).ok()?
            }
            None if in_all == 0 => return None,
            None => {
                let in_all = U256::from(in_all);
                let product = U256::from(of) * U256::from(part_of);
                i128::try_from(rounded(product.div_rem(in_all), in_all, U256::ONE)).ok()?
            }
        };
        let negative = (self.0 < 0) ^ (part.0 < 0) ^ (whole.0 < 0);
        Self::from_atoms(if negative { -atoms } else { atoms })
    }

    /// Without its sign, what stands before the point, below 1e20, and what behind it, in 1e-18.
    pub(crate) fn parts(self) -> (u128, u64) {
        let (magnitude, one) = (self.0.unsigned_abs(), ONE.unsigned_abs());
        // One division, for it is the slow part.
        let whole = magnitude / one;
        (whole, u64::try_from(magnitude - whole * one).unwrap_or(0))
    }

    /// As [`fmt::Display`], to the end of these bytes: files of millions of rows are written with it.
    pub fn spell(self, bytes: &mut Vec<u8>) {
        let (whole, mut fraction) = self.parts();
        if self.0 < 0 {
            bytes.push(b'-');
        }
        spell_whole(whole, bytes);
        if fraction == 0 {
            return;
        }
        let mut decimals = [b'0'; 18];
        for digit in decimals.iter_mut().rev() {
            *digit += u8::try_from(fraction % 10).unwrap_or(0);
            fraction /= 10;
        }
        bytes.push(b'.');
        let shown = decimals.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        bytes.extend_from_slice(decimals.get(..shown).unwrap_or_default());
    }
}

/// A number below 1e20, digit by digit.
fn spell_whole(whole: u128, bytes: &mut Vec<u8>) {
    let Ok(mut rest) = u64::try_from(whole) else {
        // One digit more than 64 bits hold.
        spell_whole(whole / 10, bytes);
        return bytes.push(b'0' + u8::try_from(whole % 10).unwrap_or(0));
    };
    let begun = bytes.len();
    loop {
        bytes.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(digits) = bytes.get_mut(begun..) {
        digits.reverse();
    }
}

impl fmt::Display for Amount {
    /// Plain decimal without trailing zeros: `-1.5`, `0.000000000000000001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(40);
        self.abs().spell(&mut bytes);
        f.pad_integral(!self.is_negative(), "", &String::from_utf8_lossy(&bytes))
    }
}

impl FromStr for Amount {
    type Err = NotANumber;

    /// Reads a plain decimal; more than 18 decimals that are not zero is an error, not a rounding.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let read = || {
            let (negative, digits) = match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, text),
            };
            let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
            let decimals = if decimals.len() > 18 { decimals.trim_end_matches('0') } else { decimals };
            if whole.is_empty() || decimals.len() > 18 {
                return None;
            }
            let padding = "000000000000000000".get(decimals.len()..)?;
            let parts = [whole.as_bytes(), decimals.as_bytes(), padding.as_bytes()];
            let atoms = parts.into_iter().flatten().try_fold(0_i128, |atoms, byte| {
                let digit = byte.is_ascii_digit().then_some(i128::from(byte.wrapping_sub(b'0')))?;
                atoms.checked_mul(10)?.checked_add(digit)
            })?;
            Self::from_atoms(if negative { -atoms } else { atoms })
        };
        read().ok_or_else(|| NotANumber(text.to_owned()))
    }
}

impl Serialize for Amount {
    /// As a text: a number of JSON would be read as a float.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// A text that is no number of the grid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a decimal number with at most 18 decimals below 1e20")]
pub struct NotANumber(pub String);

/// Underlying shares, signed: long is positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shares(pub Amount);

/// Dollars of the quote token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Usd(pub Amount);

/// Dollars per share: never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(Amount);

impl Price {
    /// A price; `None` where it is less than nothing.
    pub const fn of(dollars: Amount) -> Option<Self> {
        if dollars.is_negative() { None } else { Some(Self(dollars)) }
    }

    /// Dollars per share.
    pub const fn dollars(self) -> Amount {
        self.0
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::of(Amount::deserialize(from)?).ok_or_else(|| de::Error::custom("a price is below zero"))
    }
}

impl Shares {
    /// None.
    pub const ZERO: Self = Self(Amount::ZERO);

    /// The sum; `None` where the grid ends.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.plus(other.0).map(Self)
    }

    /// The difference; `None` where the grid ends.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.minus(other.0).map(Self)
    }

    /// The same the other way round.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(self.0.negated())
    }

    /// Without the sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Cut toward zero to so many decimals.
    #[must_use]
    pub fn cut(self, decimals: u32) -> Self {
        Self(self.0.cut(decimals))
    }

    /// What these are worth at `price`, rounded half to even; signed as they are.
    ///
    /// `None` where the grid ends.
    pub fn at(self, price: Price) -> Option<Usd> {
        self.0.times(price.0).map(Usd)
    }
}

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(Amount::ZERO);
    /// As much as the grid holds.
    pub const MOST: Self = Self(Amount(LIMIT - 1));

    /// The sum; `None` where the grid ends.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.plus(other.0).map(Self)
    }

    /// The difference; `None` where the grid ends.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.minus(other.0).map(Self)
    }

    /// How many shares these buy at `price`, cut toward zero; signed as they are.
    ///
    /// `None` where a share costs nothing, or the grid ends.
    pub fn buys(self, price: Price) -> Option<Shares> {
        let dollars = U256::from(self.0.0.unsigned_abs()) * U256::from(ONE.unsigned_abs());
        let atoms = dollars.checked_div(U256::from(price.0.0.unsigned_abs()))?;
        let atoms = i128::try_from(atoms).ok()?;
        Amount::from_atoms(if self.0.is_negative() { -atoms } else { atoms }).map(Shares)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Wide enough for a quotient of any two [`Exact`]s that pass [`Exact::is_bookable`].
type Wide = Uint<4096, 64>;
/// Wide enough for nearly all of them, and much quicker.
type Narrow = Uint<512, 8>;

/// A decimal as the chain gave it: `coefficient × 10^exponent`, signed, exact.
///
/// Kept without trailing zeros, so that equal numbers are equal values; the
/// power is never built unless it is known to be small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Exact {
    negative: bool,
    coefficient: U256,
    exponent: i64,
}

/// `10^power`; the largest that 256 bits hold is `10^77`.
///
/// Looked up: every number of every fill asks for some.
pub fn ten_to(power: u32) -> Option<U256> {
    static POWERS: LazyLock<[U256; 78]> =
        LazyLock::new(|| array::from_fn(|power| U256::from(10).pow(U256::from(power))));
    POWERS.get(usize::try_from(power).ok()?).copied()
}

/// The smallest exponent that a bookable number has. Truncating arithmetic on
/// chain leaves dust down to about 1e-90 (`raindex.md` §5); this is far below.
const LEAST_EXPONENT: i64 = -900;

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self { negative: false, coefficient: U256::ZERO, exponent: 0 };

    /// `±coefficient × 10^exponent`.
    pub fn new(negative: bool, mut coefficient: U256, mut exponent: i64) -> Self {
        if coefficient.is_zero() {
            return Self::ZERO;
        }
        // Sixteen zeros at a time, then one: v5 amounts often end in fifty. What is
        // no multiple of a power of two is none of that power of ten.
        for (step, zeros) in [(16_u32, 16), (4, 4), (1, 1)] {
            let power = U256::from(10_u64.pow(step));
            while coefficient.trailing_zeros() >= zeros {
                let (quotient, remainder) = coefficient.div_rem(power);
                if !remainder.is_zero() {
                    break;
                }
                coefficient = quotient;
                exponent = exponent.saturating_add(i64::from(step));
            }
        }
        Self { negative, coefficient, exponent }
    }

    /// `raw` base units of a token with this many decimals.
    pub fn from_base_units(raw: U256, decimals: u8) -> Self {
        Self::new(false, raw, -i64::from(decimals))
    }

    /// The digits, without sign or point.
    pub const fn coefficient(&self) -> U256 {
        self.coefficient
    }

    /// The power of ten that the digits are to be multiplied with.
    pub const fn exponent(&self) -> i64 {
        self.exponent
    }

    /// Is it nothing?
    pub fn is_zero(&self) -> bool {
        self.coefficient.is_zero()
    }

    /// Is it less than nothing?
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// The same with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { negative: !self.negative && !self.is_zero(), ..self }
    }

    /// How many digits the coefficient has; 0 for zero.
    pub fn digits(&self) -> u32 {
        // The bits say it but for one digit: 0.30103 is log10 of 2, a hair too much.
        let guess = u32::try_from(self.coefficient.bit_len() * 30_103 / 100_000).unwrap_or(u32::MAX);
        guess + u32::from(!self.is_zero() && ten_to(guess).is_some_and(|power| self.coefficient >= power))
    }

    /// `n` with `10^(n-1) <= |self| < 10^n`.
    pub fn magnitude(&self) -> i64 {
        self.exponent.saturating_add(i64::from(self.digits()))
    }

    /// Can the books hold it: not beyond the grid above, no absurd power below?
    pub fn is_bookable(&self) -> bool {
        self.is_zero() || (self.exponent >= LEAST_EXPONENT && self.magnitude() <= 20)
    }

    /// On the grid, cut toward zero to `decimals` (at most 18).
    ///
    /// The named cut of the chain door (`domain.md` R13: equity 18, USDC 6).
    /// `None` where the grid ends.
    pub fn cut(&self, decimals: u32) -> Option<Amount> {
        if self.magnitude() > 20 {
            return None;
        }
        let decimals = decimals.min(SCALE);
        let shift = self.exponent.saturating_add(i64::from(decimals));
        let kept = if let Ok(up) = u32::try_from(shift) {
            i128::try_from(self.coefficient).ok()?.checked_mul(10_i128.checked_pow(up)?)?
        } else {
            let down = u32::try_from(shift.unsigned_abs()).ok().and_then(ten_to);
            down.map_or(Some(0), |down| i128::try_from(self.coefficient / down).ok())?
        };
        let atoms = kept.checked_mul(10_i128.checked_pow(SCALE - decimals)?)?;
        Amount::from_atoms(if self.negative { -atoms } else { atoms })
    }

    /// Cut toward zero to so many decimals, exact above them.
    #[must_use]
    pub fn cut_to(self, decimals: u8) -> Self {
        let below = -i64::from(decimals) - self.exponent;
        if below <= 0 {
            return self;
        }
        let power = u32::try_from(below).ok().and_then(ten_to);
        let kept = power.map_or(U256::ZERO, |power| self.coefficient / power);
        Self::new(self.negative, kept, -i64::from(decimals))
    }

    /// `self / other` with 18 decimals, rounded half to even; signs are ignored.
    ///
    /// `None` where `other` is zero or either is not bookable.
    pub fn per(&self, other: &Self) -> Option<Self> {
        if other.is_zero() || !self.is_bookable() || !other.is_bookable() {
            return None;
        }
        if self.is_zero() {
            return Some(Self::ZERO);
        }
        let shift = i64::from(SCALE) + self.exponent - other.exponent;
        let power = u32::try_from(shift.unsigned_abs()).ok()?;
        // 154 digits fit 512 bits.
        let quotient = if self.digits().max(other.digits()) + power <= 154 {
            let most = power.min(77);
            let ten = Narrow::from(ten_to(most)?) * Narrow::from(ten_to(power - most)?);
            let (above, below) = (Narrow::from(self.coefficient), Narrow::from(other.coefficient));
            let (above, below) = if shift >= 0 { (above * ten, below) } else { (above, below * ten) };
            U256::checked_from_limbs_slice(rounded(above.div_rem(below), below, Narrow::ONE).as_limbs())?
        } else {
            let ten = Wide::from(10).pow(Wide::from(power));
            let (above, below) = (Wide::from(self.coefficient), Wide::from(other.coefficient));
            let (above, below) = if shift >= 0 { (above * ten, below) } else { (above, below * ten) };
            U256::checked_from_limbs_slice(rounded(above.div_rem(below), below, Wide::ONE).as_limbs())?
        };
        Some(Self::new(false, quotient, -i64::from(SCALE)))
    }

    /// `d.ddde±n`, as the vectors and messages about absurd numbers show it.
    pub fn scientific(&self) -> String {
        let digits = self.coefficient.to_string();
        let sign = if self.negative { "-" } else { "" };
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        match self.magnitude().saturating_sub(1) {
            0 | -1 if self.is_zero() => "0".to_owned(),
            0 => format!("{sign}{first}{point}{rest}"),
            power => format!("{sign}{first}{point}{rest}e{power}"),
        }
    }
}

/// A quotient with its remainder, rounded half to even.
fn rounded<const BITS: usize, const LIMBS: usize>(
    (quotient, remainder): (Uint<BITS, LIMBS>, Uint<BITS, LIMBS>),
    divisor: Uint<BITS, LIMBS>,
    one: Uint<BITS, LIMBS>,
) -> Uint<BITS, LIMBS> {
    let up = match remainder.cmp(&(divisor - remainder)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient.bit(0),
    };
    if up { quotient + one } else { quotient }
}

impl From<Amount> for Exact {
    fn from(amount: Amount) -> Self {
        Self::new(amount.0 < 0, U256::from(amount.0.unsigned_abs()), -i64::from(SCALE))
    }
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Self {
        let coefficient = U256::from(decimal.mantissa().unsigned_abs());
        Self::new(decimal.is_sign_negative(), coefficient, -i64::from(decimal.scale()))
    }
}

impl fmt::Display for Exact {
    /// Plain decimal; scientific where the plain form would be beyond 1 000 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.coefficient.to_string();
        let (Ok(power), true) =
            (usize::try_from(self.exponent.unsigned_abs()), self.exponent.unsigned_abs() <= 1_000)
        else {
            return f.pad(&self.scientific());
        };
        let text = if self.exponent >= 0 {
            format!("{digits}{:0<power$}", "")
        } else if digits.len() > power {
            let (whole, decimals) = digits.split_at(digits.len() - power);
            format!("{whole}.{decimals}")
        } else {
            format!("0.{digits:0>power$}")
        };
        f.pad_integral(!self.negative, "", &text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn digits_are_counted_on_both_sides_of_every_power() {
        for power in 0..78 {
            let ten = ten_to(power).unwrap();
            let digits = |coefficient| Exact { coefficient, ..Exact::ZERO }.digits();
            assert_eq!((digits(ten - U256::ONE), digits(ten)), (power, power + 1));
        }
        assert_eq!(Exact { coefficient: U256::MAX, ..Exact::ZERO }.digits(), 78);
    }

    #[test]
    fn an_amount_reads_and_writes_the_same() {
        for text in
            ["0", "1", "-1", "0.3", "-0.592127850777440263", "99999999999999999999.999999999999999999"]
        {
            assert_eq!(amount(text).to_string(), text);
        }
        for text in ["", "-", ".5", "1e3", "100000000000000000000", "0.0000000000000000001", "1,5", "+1"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert_eq!(amount("1.50000000000000000000000"), amount("1.5"));
    }

    #[test]
    fn a_portion_is_rounded_half_to_even_however_wide() {
        let portion = |of: &str, part: &str, whole: &str| amount(of).portion(amount(part), amount(whole));
        assert_eq!(portion("1", "1", "3"), Some(amount("0.333333333333333333")));
        assert_eq!(portion("-1", "2", "3"), Some(amount("-0.666666666666666667")));
        let half = |atoms: &str| portion(atoms, "1", "2").unwrap().to_string();
        assert_eq!(half("0.000000000000000001"), "0");
        assert_eq!(half("0.000000000000000003"), "0.000000000000000002");
        // 256 bits: the product of the two is no 128-bit number.
        assert_eq!(
            portion("12193263123456.7900112635269", "23456789.123456788999999999", "123456789.123456789"),
            Some(amount("2316719913456.790011263526801235"))
        );
        assert_eq!(portion("1", "1", "0"), None);
        assert_eq!(portion("99999999999999999999", "99999999999999999999", "0"), None);
        assert_eq!(portion("99999999999999999999", "2", "1"), None);
    }

    #[test]
    fn wrapped_quantities_are_cut_toward_zero() {
        assert_eq!(amount("10").times_toward_zero(amount("1.5")), Some(amount("15")));
        assert_eq!(amount("7").times_toward_zero(Amount::ONE), Some(amount("7")));
        assert_eq!(
            amount("0.000000000000000001").times_toward_zero(amount("1.999999999999999999")),
            Some(amount("0.000000000000000001"))
        );
        assert_eq!(amount("99999999999").times_toward_zero(amount("99999999999")), None);
    }

    #[test]
    fn an_amount_is_a_text_in_json() {
        let json = serde_json::to_string(&Usd(amount("-73.75"))).unwrap();
        assert_eq!(json, "\"-73.75\"");
        assert_eq!(serde_json::from_str::<Usd>(&json).unwrap(), Usd(amount("-73.75")));
        assert!(serde_json::from_str::<Amount>("1.5").is_err(), "a float is none");
        assert!(serde_json::from_str::<Price>("\"-1\"").is_err());
    }

    #[test]
    fn dollars_buy_shares_toward_zero() {
        let buys = |usd: &str, price: &str| Usd(amount(usd)).buys(Price::of(amount(price)).unwrap());
        assert_eq!(buys("100", "9"), Some(Shares(amount("11.111111111111111111"))));
        assert_eq!(buys("-2", "3"), Some(Shares(amount("-0.666666666666666666"))));
        assert_eq!(buys("1", "0"), None);
        assert_eq!(buys("99999999999", "0.000000000000000001"), None);
    }

    #[test]
    fn a_decimal_is_taken_as_it_is_written() {
        for text in ["0", "2.5", "-0.000000001", "79228162514264337593543950335"] {
            assert_eq!(Exact::from(text.parse::<Decimal>().unwrap()).to_string(), text);
        }
    }

    #[test]
    fn usdc_is_cut_to_six_decimals_toward_zero() {
        let exact = Exact::new(false, U256::from(9_794_019_706_861_u64), -9);
        assert_eq!(exact.to_string(), "9794.019706861");
        assert_eq!(exact.cut(6), Some(amount("9794.019706")));
        assert_eq!(exact.negated().cut(6), Some(amount("-9794.019706")));
        assert_eq!(exact.cut(18), Some(amount("9794.019706861")));
    }

    #[test]
    fn a_price_is_rounded_half_to_even() {
        let price = |usdc: u64, quantity: u64| {
            Exact::new(false, U256::from(usdc), 0)
                .per(&Exact::new(false, U256::from(quantity), 0))
                .unwrap()
                .to_string()
        };
        assert_eq!(price(100, 9), "11.111111111111111111");
        assert_eq!(price(2, 3), "0.666666666666666667");
        // Exactly half of the last place: 0.0…05 goes down to even, 0.0…15 up to even.
        let half =
            |units: u64| Exact::new(false, U256::from(units), -19).per(&Exact::from(Amount::ONE)).unwrap();
        assert_eq!(half(5).to_string(), "0");
        assert_eq!(half(15).to_string(), "0.000000000000000002");
        assert_eq!(half(25).to_string(), "0.000000000000000002");
    }

    #[test]
    fn absurd_powers_are_never_built() {
        for exponent in [i64::from(i32::MAX), i64::from(i32::MIN), i64::MAX, i64::MIN] {
            let exact = Exact::new(true, U256::MAX, exponent);
            assert!(!exact.is_bookable());
            assert!(exact.to_string().len() < 200);
            assert!(exact.cut(18).is_none_or(Amount::is_zero));
            assert_eq!(exact.per(&Exact::from(Amount::ONE)), None);
        }
    }

    proptest! {
        #[test]
        fn the_quick_quotient_is_the_wide_one(above in 1_u128.., below in 1_u128.., exponents in (-890_i64..-20, -890_i64..-20)) {
            let (above, below) = (Exact::new(false, U256::from(above), exponents.0), Exact::new(false, U256::from(below), exponents.1));
            // q is the rounding of above/below at 18 decimals: |above - q·below| <= below/2 · 1e-18, said in whole numbers.
            if let Some(q) = above.per(&below) {
                let wide = |exact: &Exact, exponent: i64| Wide::from(exact.coefficient()) * Wide::from(10).pow(Wide::from(u64::try_from(exact.exponent() - exponent).unwrap()));
                let least = above.exponent().min(below.exponent() - 18 - 1);
                let one = Wide::from(below.coefficient()) * Wide::from(10).pow(Wide::from(u64::try_from(below.exponent() - 18 - least).unwrap()));
                let atoms = Wide::from(q.coefficient()) * Wide::from(10).pow(Wide::from(u64::try_from(q.exponent() + 18).unwrap()));
                let (a, b) = (wide(&above, least), one * atoms);
                let off = if a > b { a - b } else { b - a };
                prop_assert!(off * Wide::from(2) <= one);
            }
        }

        #[test]
        fn what_is_written_is_read_back(atoms in -LIMIT + 1..LIMIT) {
            let amount = Amount::from_atoms(atoms).unwrap();
            prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
            prop_assert_eq!(Exact::from(amount).cut(18), Some(amount));
            prop_assert_eq!(Exact::from(amount).to_string(), amount.to_string());
        }

        #[test]
        fn the_quick_portion_is_the_wide_one(of in 0..1_i128 << 63, part in 0..1_i128 << 64, whole in 1..1_i128 << 64) {
            let [of, part, whole] = [of, part, whole].map(|atoms| Amount::from_atoms(atoms).unwrap());
            let divisor = U256::from(whole.0.unsigned_abs());
            let wide = (U256::from(of.0.unsigned_abs()) * U256::from(part.0.unsigned_abs())).div_rem(divisor);
            let wide = i128::try_from(rounded(wide, divisor, U256::ONE)).ok().and_then(Amount::from_atoms);
            prop_assert_eq!(of.portion(part, whole), wide);
        }
    }
}
