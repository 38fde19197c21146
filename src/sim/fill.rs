//! What an invented transaction did, said plainly.
//!
//! The inventor notes each side of each trade while it writes the logs, so a
//! test can lay the database beside the chain row by row without a decoder.
//! Absent on purpose: notes on recorded logs, which have their own vectors.

use alloy::primitives::{Address, B256, U256};
use std::fmt;

/// Which part an order had in a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Taken by somebody.
    Order,
    /// First order of a clear.
    Alice,
    /// Second order of a clear.
    Bob,
}

impl Role {
    /// As the recorded vectors write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }
}

/// Which way the order's owner traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Equity came in, dollars went out.
    Buy,
    /// Dollars came in, equity went out.
    Sell,
}

impl Side {
    /// As the recorded vectors write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

/// `coefficient` × 10^`exponent`, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) coefficient: U256,
    pub(super) exponent: i32,
}

impl Decimal {
    pub(super) fn new(coefficient: U256, exponent: i32) -> Self {
        Self { coefficient, exponent }
    }

    /// Exact; the inventor keeps factors well under 128 bits.
    pub(super) fn times(self, other: Self) -> Self {
        Self::new(self.coefficient.saturating_mul(other.coefficient), self.exponent + other.exponent)
    }

    /// How many digits the coefficient has.
    pub(super) fn digits(self) -> u32 {
        let digits = self.coefficient.checked_log10().map_or(1, |log| log + 1);
        u32::try_from(digits).unwrap_or(u32::MAX)
    }

    /// The first so many digits.
    pub(super) fn cut_to(self, digits: u32) -> Self {
        let over = self.digits().saturating_sub(digits);
        let power = U256::from(10).saturating_pow(U256::from(over));
        Self::new(self.coefficient / power, self.exponent + i32::try_from(over).unwrap_or(0))
    }

    /// The same value written with so many zeros more.
    pub(super) fn stretched(self, zeros: u32) -> Self {
        let power = U256::from(10).saturating_pow(U256::from(zeros));
        let exponent = self.exponent - i32::try_from(zeros).unwrap_or(0);
        Self::new(self.coefficient.saturating_mul(power), exponent)
    }

    /// Whole counts of 10^-`places`, the rest cut off.
    pub(super) fn at(self, places: u8) -> U256 {
        let shift = self.exponent + i32::from(places);
        let power = U256::from(10).saturating_pow(U256::from(shift.unsigned_abs()));
        if shift < 0 { self.coefficient / power } else { self.coefficient.saturating_mul(power) }
    }
}

/// Plain notation without an exponent or needless zeros: `12.5`, `300`, `0`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.coefficient.to_string();
        let shift = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
        if self.coefficient.is_zero() {
            return f.write_str("0");
        }
        if self.exponent >= 0 {
            return write!(f, "{digits}{:0>shift$}", "");
        }
        let padded = format!("{digits:0>width$}", width = shift + 1);
        let (whole, fraction) = padded.split_at_checked(padded.len() - shift).unwrap_or_default();
        match fraction.trim_end_matches('0') {
            "" => f.write_str(whole),
            fraction => write!(f, "{whole}.{fraction}"),
        }
    }
}

/// One side of a trade, noted in its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// Place of the log among the transaction's own.
    pub(super) log: usize,
    pub(super) role: Role,
    pub(super) side: Side,
    pub(super) owner: Address,
    pub(super) ours: bool,
    pub(super) token: Address,
    pub(super) quantity: Decimal,
    pub(super) usdc: Decimal,
}

/// One side of an invented trade, at its place on the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimFill {
    /// The block it is in.
    pub block_hash: B256,
    /// That block's number.
    pub block_number: u64,
    /// Its transaction.
    pub tx_hash: B256,
    /// The take or clear log, counted through the block.
    pub log_index: u64,
    /// Which order of the trade.
    pub role: Role,
    /// Which way its owner traded.
    pub side: Side,
    /// Whose order.
    pub owner: Address,
    /// Whether that is the owner the invention was made for.
    pub ours: bool,
    /// The equity's token.
    pub token: Address,
    /// Whole tokens, exact, in plain notation.
    pub quantity: String,
    /// Dollars, exact, in plain notation.
    pub usdc: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_written_plainly() {
        let cases = [
            (1845, -1, "184.5"),
            (3, 2, "300"),
            (500, -2, "5"),
            (1, -3, "0.001"),
            (0, -18, "0"),
            (7, 0, "7"),
        ];
        for (coefficient, exponent, written) in cases {
            let decimal = Decimal::new(U256::from(coefficient), exponent);
            assert_eq!(decimal.to_string(), written);
        }
    }

    #[test]
    fn a_value_is_the_same_however_it_is_stretched() {
        let decimal = Decimal::new(U256::from(184_523), -3);
        assert_eq!(decimal.stretched(20).to_string(), "184.523");
        assert_eq!(decimal.stretched(20).cut_to(6), decimal);
        assert_eq!(decimal.cut_to(4).to_string(), "184.5");
        assert_eq!((decimal.digits(), Decimal::new(U256::ZERO, 0).digits()), (6, 1));
    }

    #[test]
    fn base_units_cut_off_the_rest() {
        let decimal = Decimal::new(U256::from(123_456_789), -7);
        assert_eq!(decimal.at(6), U256::from(12_345_678));
        assert_eq!(decimal.at(18), U256::from(12_345_678_900_000_000_000_u64));
    }
}
