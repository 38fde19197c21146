//! What open quantity is valued at.

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    StoreError,
    types::{At, Day},
};
use crate::units::Price;

/// A share that is to be valued, and its last trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The ticker.
    pub symbol: String,
    /// Price, time and `execution` or `fill`; none where it never traded at a price.
    pub last: Option<(Price, Timestamp, String)>,
}

/// The shares that a statement of this New York date values.
pub async fn wanted(conn: &mut PgConnection, date: Date) -> Result<Vec<Wanted>, StoreError> {
    let read = |row: &PgRow| {
        let price: Option<Price> = row.try_get("price")?;
        let at: Option<At> = row.try_get("at")?;
        let source: Option<String> = row.try_get("source")?;
        let last = price.zip(at).zip(source).map(|((price, at), source)| (price, at.0, source));
        Ok(Wanted { symbol: row.try_get("symbol")?, last })
    };
    let rows =
        sqlx::query(include_str!("../../sql/queries/mark_wanted.sql")).bind(Day(date)).fetch_all(conn).await;
    rows.and_then(|rows| rows.iter().map(read).collect())
        .map_err(|error| StoreError::of("read what is to be valued", error))
}

/// Writes a price; one that is there already stays.
pub async fn write(
    conn: &mut PgConnection,
    symbol: &str,
    price: Price,
    as_of: Timestamp,
    source: &str,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/mark_write.sql"))
        .bind(symbol)
        .bind(price)
        .bind(At(as_of))
        .bind(source)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write a mark", error))?;
    Ok(())
}
