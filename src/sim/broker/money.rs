//! Sums that cannot fail.
//!
//! Quantities and prices are looked at where they come in ([`is_sane`]): no sum of
//! them comes near the grid's end. Beyond it a sum would stay what it was.

use crate::units::{Amount, Exact, Shares, Usd};

/// Numbers of one kind, summed.
pub(super) trait Summed: Copy {
    fn and(self, other: Self) -> Self;
    fn less(self, other: Self) -> Self;
}

impl Summed for Shares {
    fn and(self, other: Self) -> Self {
        self.plus(other).unwrap_or(self)
    }

    fn less(self, other: Self) -> Self {
        self.minus(other).unwrap_or(self)
    }
}

impl Summed for Usd {
    fn and(self, other: Self) -> Self {
        self.plus(other).unwrap_or(self)
    }

    fn less(self, other: Self) -> Self {
        self.minus(other).unwrap_or(self)
    }
}

/// Whether a quantity or a price is one that anybody trades: not below zero, under ten million.
pub(super) fn is_sane(amount: Amount) -> bool {
    !amount.is_negative() && amount.cut(0).atoms() < 10_000_000 * Amount::ONE.atoms()
}

/// `above / below`, 18 decimals; none where `below` is nothing.
pub(super) fn ratio(above: Amount, below: Amount) -> Option<Amount> {
    let negative = above.is_negative() != below.is_negative();
    let quotient = Exact::from(above).per(&Exact::from(below))?.cut(18)?;
    Some(if negative { quotient.negated() } else { quotient })
}

/// Rounded half away from zero.
pub(super) fn rounded(amount: Amount, decimals: u32) -> Amount {
    let half = 10_i128.pow(18_u32.saturating_sub(decimals)) / 2;
    let half = if amount.is_negative() { -half } else { half };
    Amount::from_atoms(amount.atoms().saturating_add(half)).unwrap_or(amount).cut(decimals)
}

/// A JSON number, as brokers write them: a double, whose shortest text is what it was made of.
pub(super) fn double(amount: Amount) -> serde_json::Value {
    amount.to_string().parse::<f64>().map_or(serde_json::Value::Null, Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_keeps_its_sign_and_is_rounded_to_what_is_shown() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let third = ratio(amount("-2"), amount("3")).unwrap();
        assert_eq!(rounded(third, 6), amount("-0.666667"));
        assert_eq!(ratio(amount("1"), Amount::ZERO), None);
        assert!(is_sane(amount("9999999.999")) && !is_sane(amount("10000000")) && !is_sane(amount("-1")));
    }
}
