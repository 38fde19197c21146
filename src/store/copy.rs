//! Rows in Postgres' binary COPY format.
//!
//! One encoder for every fact, whether it goes straight into its table or by a
//! staging one. Numbers are written digit by digit, never through text or float.
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, read 2026-11-20.

use alloy::primitives::Uint;

use crate::units::{Amount, Exact, ten_to};

/// Rows for one COPY.
#[derive(Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    count: u64,
}

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &[0xff, 0xff];

/// Seconds from 1970 to 2000, where Postgres counts from.
const EPOCH_2000: i64 = 946_684_800;

impl Rows {
    /// Begins a row of so many fields; exactly as many must follow.
    pub fn row(&mut self, fields: i16) -> Row<'_> {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(HEADER);
        }
        self.count += 1;
        self.bytes.extend_from_slice(&fields.to_be_bytes());
        Row(&mut self.bytes)
    }

    /// How many rows there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// How many bytes they take.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Is there none?
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What COPY is sent.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(TRAILER);
        self.bytes
    }
}

/// One row being written, field after field.
#[derive(Debug)]
pub struct Row<'a>(&'a mut Vec<u8>);

impl Row<'_> {
    /// `bytea`, or `text`: Postgres takes both as they stand.
    pub fn bytes(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        self.0.extend_from_slice(&i32::try_from(value.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }

    /// The same, or null.
    pub fn maybe(&mut self, value: Option<impl AsRef<[u8]>>) -> &mut Self {
        if let Some(value) = value {
            return self.bytes(value);
        }
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    /// `bigint`.
    pub fn bigint(&mut self, value: u64) -> &mut Self {
        self.bytes(i64::try_from(value).unwrap_or(i64::MAX).to_be_bytes())
    }

    /// `int`.
    pub fn int(&mut self, value: u64) -> &mut Self {
        self.bytes(i32::try_from(value).unwrap_or(i32::MAX).to_be_bytes())
    }

    /// `timestamptz`, from seconds since 1970.
    pub fn time(&mut self, seconds: u64) -> &mut Self {
        let since_2000 = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_sub(EPOCH_2000);
        self.bytes(since_2000.saturating_mul(1_000_000).to_be_bytes())
    }

    /// `timestamptz`, from microseconds since 1970.
    pub fn micros(&mut self, micros: i64) -> &mut Self {
        self.bytes(micros.saturating_sub(EPOCH_2000 * 1_000_000).to_be_bytes())
    }

    /// `date`, from days since 1970.
    pub fn date(&mut self, days: i32) -> &mut Self {
        self.bytes(days.saturating_sub(DAYS_TO_2000).to_be_bytes())
    }

    /// `boolean`.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.bytes([u8::from(value)])
    }

    /// `numeric`, from the grid: digit by digit, without the detour of [`Self::numeric`].
    pub fn amount(&mut self, value: Amount) -> &mut Self {
        let begun = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        grid_numeric(self.0, value);
        let length = i32::try_from(self.0.len() - begun - 4).unwrap_or(i32::MAX);
        if let Some(place) = self.0.get_mut(begun..begun + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self
    }

    /// The same, or null.
    pub fn maybe_amount(&mut self, value: Option<Amount>) -> &mut Self {
        match value {
            Some(value) => self.amount(value),
            None => self.maybe(None::<&[u8]>),
        }
    }

    /// `numeric`, to the last digit. The value must be bookable: the chain door saw to it.
    pub fn numeric(&mut self, value: &Exact) -> &mut Self {
        let begun = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        numeric(self.0, value);
        let length = i32::try_from(self.0.len() - begun - 4).unwrap_or(i32::MAX);
        if let Some(place) = self.0.get_mut(begun..begun + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self
    }
}

/// Days from 1970 to 2000, where Postgres counts from.
const DAYS_TO_2000: i32 = 10_957;

/// An amount as Postgres sends it, without its length: five digits to the base of 10000 on
/// either side of the point, less the zeros at the ends.
fn grid_numeric(bytes: &mut Vec<u8>, value: Amount) {
    let (whole, fraction) = value.parts();
    let mut digits = [0_u16; 10];
    let (above, below) = digits.split_at_mut(5);
    // What is above the last digit fits 64 bits.
    let over = whole / 10_000;
    let mut rest = u64::try_from(over).unwrap_or(0);
    if let Some((last, four)) = above.split_last_mut() {
        *last = u16::try_from(whole - over * 10_000).unwrap_or(0);
        for digit in four.iter_mut().rev() {
            *digit = u16::try_from(rest % 10_000).unwrap_or(0);
            rest /= 10_000;
        }
    }
    // 18 decimals are four digits and half of one.
    let mut rest = fraction / 100;
    if let Some((last, four)) = below.split_last_mut() {
        *last = u16::try_from(fraction % 100 * 100).unwrap_or(0);
        for digit in four.iter_mut().rev() {
            *digit = u16::try_from(rest % 10_000).unwrap_or(0);
            rest /= 10_000;
        }
    }
    let first = digits.iter().position(|digit| *digit != 0);
    let end = digits.iter().rposition(|digit| *digit != 0).map_or(0, |place| place + 1);
    let shown = first.and_then(|first| digits.get(first..end)).unwrap_or_default();
    let weight = first.map_or(0, |first| 4 - i16::try_from(first).unwrap_or(0));
    let (mut scale, mut zeros) = (if fraction == 0 { 0_i16 } else { 18 }, fraction);
    while zeros != 0 && zeros % 10 == 0 {
        (scale, zeros) = (scale - 1, zeros / 10);
    }
    let sign: u16 = if value.is_negative() { 0x4000 } else { 0 };
    bytes.extend_from_slice(&i16::try_from(shown.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&weight.to_be_bytes());
    bytes.extend_from_slice(&sign.to_be_bytes());
    bytes.extend_from_slice(&scale.to_be_bytes());
    for digit in shown {
        bytes.extend_from_slice(&digit.to_be_bytes());
    }
}

/// A number as Postgres sends it, without its length.
pub(super) fn numeric(bytes: &mut Vec<u8>, value: &Exact) {
    // Postgres keeps base-10000 digits, most significant first, `weight` being
    // the power of 10000 of the first. The exponent is brought to a multiple of four.
    let low = value.exponent().div_euclid(4);
    let lift = u32::try_from(value.exponent().rem_euclid(4)).unwrap_or(0);
    let mut rest = Uint::<320, 5>::from(value.coefficient()) * Uint::from(ten_to(lift).unwrap_or_default());
    let step = Uint::from(10_000_000_000_000_000_u64);
    let mut digits: Vec<i16> = Vec::with_capacity(24);
    while !rest.is_zero() {
        let (above, below) = rest.div_rem(step);
        let mut below = u64::try_from(below).unwrap_or(0);
        for _ in 0..4 {
            digits.push(i16::try_from(below % 10_000).unwrap_or(0));
            below /= 10_000;
        }
        rest = above;
    }
    let top = digits.iter().rposition(|digit| *digit != 0).map_or(0, |place| place + 1);
    digits.truncate(top);
    let count = i16::try_from(top).unwrap_or(i16::MAX);
    let weight = i16::try_from(low).unwrap_or(i16::MAX).saturating_add(count).saturating_sub(1);
    let weight = if count == 0 { 0 } else { weight };
    let sign: u16 = if value.is_negative() { 0x4000 } else { 0 };
    let scale = i16::try_from(value.exponent().min(0).unsigned_abs()).unwrap_or(i16::MAX);
    bytes.extend_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(&weight.to_be_bytes());
    bytes.extend_from_slice(&sign.to_be_bytes());
    bytes.extend_from_slice(&scale.to_be_bytes());
    for digit in digits.iter().rev() {
        bytes.extend_from_slice(&digit.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(amount: Amount) -> (Vec<u8>, Vec<u8>) {
        let (mut quick, mut exact) = (Vec::new(), Vec::new());
        grid_numeric(&mut quick, amount);
        numeric(&mut exact, &Exact::from(amount));
        (quick, exact)
    }

    #[test]
    fn round_numbers_are_sent_as_any_other() {
        for text in [
            "0",
            "1",
            "-1",
            "10000",
            "0.0001",
            "0.00000001",
            "150.5",
            "-0.000000000000000001",
            "99999999999999999999.999999999999999999",
        ] {
            let (quick, exact) = both(text.parse().unwrap());
            assert_eq!(quick, exact, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_sends_what_the_exact_one_does(atoms in -10_i128.pow(38) + 1..10_i128.pow(38), zeros in 0_u32..30) {
            let amount = Amount::from_atoms(atoms / 10_i128.pow(zeros) * 10_i128.pow(zeros.min(20))).unwrap_or_default();
            let (quick, exact) = both(amount);
            prop_assert_eq!(quick, exact);
            prop_assert_eq!(crate::store::copied::grid(&both(amount).0), Some(amount));
        }
    }
}
