//! Orders at the venue that is nobody's.

use jiff::Timestamp;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, types::At};
use crate::{
    book::{
        fill::Side,
        order::{Terms, Ticket},
    },
    units::Price,
};

/// An order, as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What was asked for.
    pub ticket: Ticket,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// How it stands: `resting`, `filled`, `canceled`, `expired`.
    pub fate: String,
    /// The price and the time of what is filled.
    pub filled: Option<(Price, Timestamp)>,
}

/// Keeps an order, unless its id is taken.
///
/// # Errors
/// *Try again*: the database.
pub async fn keep(conn: &mut PgConnection, venue: &str, order: &Kept) -> Result<(), StoreError> {
    let Ticket { client_id, symbol, side, quantity, terms } = &order.ticket;
    let limit = match terms {
        Terms::Market => None,
        Terms::ExtendedLimit(limit) => Some(*limit),
    };
    sqlx::query(include_str!("../../sql/queries/paper_keep.sql"))
        .bind(venue)
        .bind(client_id)
        .bind(symbol)
        .bind(side.word())
        .bind(*quantity)
        .bind(limit)
        .bind(At(order.taken_at))
        .bind(&order.fate)
        .bind(order.filled.map(|(_, at)| At(at)))
        .bind(order.filled.map(|(price, _)| price))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep an order on paper", error))?;
    Ok(())
}

/// The orders of a venue, oldest first: all, or the one of an id.
///
/// # Errors
/// *Try again*: the database.
pub async fn find(
    conn: &mut PgConnection,
    venue: &str,
    client_id: Option<&str>,
) -> Result<Vec<Kept>, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/paper_find.sql"))
        .bind(venue)
        .bind(client_id)
        .fetch_all(conn)
        .await;
    let kept = rows.and_then(|rows| rows.iter().map(kept).collect());
    kept.map_err(|error| StoreError::of("read orders on paper", error))
}

/// Writes what became of an order that rested; one that does not any more stays as it is.
///
/// # Errors
/// *Try again*: the database.
pub async fn settle(
    conn: &mut PgConnection,
    venue: &str,
    client_id: &str,
    fate: &str,
    filled: Option<(Price, Timestamp)>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/paper_settle.sql"))
        .bind(venue)
        .bind(client_id)
        .bind(fate)
        .bind(filled.map(|(_, at)| At(at)))
        .bind(filled.map(|(price, _)| price))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("settle an order on paper", error))?;
    Ok(())
}

/// What a share was last traded at on chain.
///
/// # Errors
/// *Try again*: the database.
pub async fn price(conn: &mut PgConnection, symbol: &str) -> Result<Option<(Price, Timestamp)>, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/paper_price.sql"))
        .bind(symbol)
        .fetch_optional(conn)
        .await;
    let read = |row: PgRow| {
        Ok::<_, sqlx::Error>((row.try_get("last_fill_price")?, row.try_get::<At, _>("last_fill_at")?.0))
    };
    row.and_then(|row| row.map(read).transpose())
        .map_err(|error| StoreError::of("read the price of a share", error))
}

fn kept(row: &PgRow) -> Result<Kept, sqlx::Error> {
    let limit: Option<Price> = row.try_get("limit_price")?;
    let price: Option<Price> = row.try_get("price")?;
    let at: Option<At> = row.try_get("filled_at")?;
    Ok(Kept {
        ticket: Ticket {
            client_id: row.try_get("client_id")?,
            symbol: row.try_get("symbol")?,
            // Which words there are is checked by the table.
            side: Side::named(row.try_get("side")?).unwrap_or(Side::Buy),
            quantity: row.try_get("quantity")?,
            terms: limit.map_or(Terms::Market, Terms::ExtendedLimit),
        },
        taken_at: row.try_get::<At, _>("taken_at")?.0,
        fate: row.try_get("fate")?,
        filled: price.zip(at).map(|(price, at)| (price, at.0)),
    })
}
