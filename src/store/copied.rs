//! Rows as Postgres' binary COPY sends them, one a message, and their fields.
//!
//! Millions are read this way: nothing is allocated for a field but by whoever keeps it.
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, read 2026-11-20.

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use sqlx::PgConnection;

use super::StoreError;
use crate::units::Amount;

/// Signature, flags and the length of nothing: what stands before the first row.
const HEADER: usize = 19;

/// Microseconds from 1970 to 2000, where Postgres counts from.
const EPOCH_2000: i64 = 946_684_800_000_000;

/// Rows on their way.
pub struct Copied<'c> {
    rows: BoxStream<'c, Result<Bytes, sqlx::Error>>,
    doing: &'static str,
}

impl<'c> Copied<'c> {
    /// Asks for the rows of this query, which is text of ours. `doing` completes "could not …".
    ///
    /// # Errors
    ///
    /// As [`StoreError::of`].
    pub async fn out(conn: &'c mut PgConnection, sql: &str, doing: &'static str) -> Result<Self, StoreError> {
        let sql = format!("copy ({sql}\n) to stdout (format binary)");
        let rows = conn.copy_out_raw(&sql).await.map_err(|error| StoreError::of(doing, error))?;
        Ok(Self { rows, doing })
    }

    /// The next row.
    ///
    /// # Errors
    ///
    /// As [`StoreError::of`].
    pub async fn row(&mut self) -> Result<Option<Bytes>, StoreError> {
        while let Some(message) = self.rows.next().await {
            let mut row = message.map_err(|error| StoreError::of(self.doing, error))?;
            if row.starts_with(b"PGCOPY\n") {
                row = row.slice(HEADER.min(row.len())..);
            }
            // The header may come by itself, and the end says that there is no field.
            if !row.is_empty() && !row.starts_with(&[0xff, 0xff]) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// An error for a row that is not as it should be.
    pub fn unreadable(&self) -> StoreError {
        StoreError::of(self.doing, sqlx::Error::Protocol("a row is not as it was asked for".to_owned()))
    }
}

/// The fields of a row, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'r>(&'r [u8]);

impl<'r> Fields<'r> {
    /// Of this row.
    pub fn of(row: &'r [u8]) -> Self {
        Self(row.get(2..).unwrap_or_default())
    }

    /// The next field; the inner one is none where it is null.
    #[expect(clippy::option_option, reason = "a row that is cut off is not one that ends in a null")]
    fn next(&mut self) -> Option<Option<&'r [u8]>> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(field))
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'r str> {
        std::str::from_utf8(self.next()??).ok()
    }

    /// A `bigint` or an `int`, or null.
    pub fn maybe_number(&mut self) -> Option<Option<i64>> {
        let Some(field) = self.next()? else { return Some(None) };
        let number = match field.len() {
            4 => i64::from(i32::from_be_bytes(field.try_into().ok()?)),
            _ => i64::from_be_bytes(field.try_into().ok()?),
        };
        Some(Some(number))
    }

    /// The same; null is nothing.
    pub fn number(&mut self) -> Option<i64> {
        self.maybe_number().flatten()
    }

    /// A text, or null.
    pub fn maybe_text(&mut self) -> Option<Option<&'r str>> {
        self.next()?.map_or(Some(None), |field| std::str::from_utf8(field).ok().map(Some))
    }

    /// A `timestamptz`, as microseconds since 1970.
    pub fn micros(&mut self) -> Option<i64> {
        Some(self.number()?.saturating_add(EPOCH_2000))
    }

    /// A `boolean`.
    pub fn flag(&mut self) -> Option<bool> {
        self.next()?.map(|field| field == [1])
    }

    /// A `numeric` of the grid, or null.
    pub fn maybe_amount(&mut self) -> Option<Option<Amount>> {
        self.next()?.map_or(Some(None), |field| grid(field).map(Some))
    }

    /// The same; null is nothing.
    pub fn amount(&mut self) -> Option<Amount> {
        self.maybe_amount().flatten()
    }
}

/// A `numeric` as Postgres sends it; none where it is not on the grid.
pub fn grid(field: &[u8]) -> Option<Amount> {
    let (head, digits) = field.split_first_chunk::<8>()?;
    let [_, _, w0, w1, s0, s1, _, _] = *head;
    let weight = i32::from(i16::from_be_bytes([w0, w1]));
    let negative = match u16::from_be_bytes([s0, s1]) {
        0 => false,
        0x4000 => true,
        _ => return None,
    };
    // Digits to the base of 10000; the first counts 10000^weight, in units of the grid 10^power.
    let (mut atoms, mut power, mut last) = (0_i128, 4 * weight + 18, 0);
    let mut halves = digits.chunks_exact(2);
    for half in &mut halves {
        let digit = i128::from(u16::from_be_bytes(half.try_into().ok()?));
        (atoms, last) = match power {
            0.. => (atoms.checked_mul(10_000)?.checked_add(digit)?, power),
            -2 if digit % 100 == 0 => (atoms.checked_mul(100)?.checked_add(digit / 100)?, 0),
            _ if digit == 0 => (atoms, last),
            _ => return None,
        };
        power -= 4;
    }
    let atoms =
        if atoms == 0 { 0 } else { atoms.checked_mul(10_i128.checked_pow(u32::try_from(last).ok()?)?)? };
    Amount::from_atoms(if negative { -atoms } else { atoms })
}
