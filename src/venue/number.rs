//! Numbers as brokers write them: in strings, or as JSON numbers that are doubles to them.
//!
//! Read from their text, digit by digit; no float comes between. What a double
//! trails behind the eighteenth decimal is noise, and is cut toward zero here.

use alloy::primitives::U256;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use crate::units::{Amount, Exact, Price, SCALE, Shares, Usd};

/// A number in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) Amount);

impl Number {
    pub(super) const fn shares(self) -> Shares {
        Shares(self.0)
    }

    pub(super) const fn usd(self) -> Usd {
        Usd(self.0)
    }

    /// `None` where it is less than nothing.
    pub(super) const fn price(self) -> Option<Price> {
        Price::of(self.0)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        let text = raw.get().trim_matches('"');
        amount(text).map(Self).ok_or_else(|| D::Error::custom(format!("`{text}` is no number of ours")))
    }
}

/// A decimal, with or without an exponent; `None` for anything else, and where the grid ends.
fn amount(text: &str) -> Option<Amount> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, power) = match text.split_once(['e', 'E']) {
        Some((digits, power)) => (digits, power.parse().ok()?),
        None => (text, 0_i64),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let coefficient = format!("{whole}{decimals}");
    if whole.is_empty() || !coefficient.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let coefficient = U256::from_str_radix(&coefficient, 10).ok()?;
    let exponent = power.checked_sub(i64::try_from(decimals.len()).ok()?)?;
    Exact::new(negative, coefficient, exponent).cut(SCALE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Number>(json).ok().map(|number| number.0.to_string())
    }

    #[test]
    fn a_number_is_read_from_its_text_in_a_string_or_not() {
        for (json, read_as) in [
            ("\"187.256667\"", "187.256667"),
            ("187.2567", "187.2567"),
            ("15.0", "15"),
            ("1.5E+1", "15"),
            ("1e-9", "0.000000001"),
            ("\"-3\"", "-3"),
            ("0.1000000000000000055511151231257827", "0.100000000000000005"),
            ("1E-30", "0"),
        ] {
            assert_eq!(read(json).as_deref(), Some(read_as), "{json}");
        }
    }

    #[test]
    fn what_is_no_number_is_no_number() {
        for json in
            ["\"\"", "\"abc\"", "\"1,000\"", "null", "[1]", "true", "\"--1\"", "\"1e\"", "1e30", "\"0x1f\""]
        {
            assert_eq!(read(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_the_books_write_is_read_back(atoms in -99_999_999_999_999_999_999_999_999_999_i128..99_999_999_999_999_999_999_999_999_999) {
            let number = Amount::from_atoms(atoms).unwrap();
            prop_assert_eq!(amount(&number.to_string()), Some(number));
        }

        #[test]
        fn no_text_is_too_much(text in ".*") {
            let _ = amount(&text);
        }
    }
}
