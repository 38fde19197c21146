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

    /// `numeric`, from the grid.
    pub fn amount(&mut self, value: Amount) -> &mut Self {
        self.numeric(&Exact::from(value))
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
