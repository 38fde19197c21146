//! What moved an account at a broker without a trade, and the cash that moved with it.
//!
//! Both are facts, written once under the broker's own id. One that is taken back keeps
//! its id there; here the cash is booked the other way round, and both stand.

use alloy::primitives::B256;
use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};

use super::{StoreError, clean, orders::VenueId, types::At};
use crate::{book::activity::Activity, units::Usd};

/// A movement of cash that is no trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashFlow<'a> {
    /// Under which it is booked once: `venue/activity`, `chain/transaction`.
    pub id: &'a str,
    /// What it is: a word of the table's.
    pub kind: &'a str,
    /// At which venue, if at one.
    pub venue: Option<VenueId>,
    /// Of which share, if of one.
    pub symbol: Option<&'a str>,
    /// Dollars: what was paid is negative.
    pub amount: Usd,
    /// When.
    pub at: Timestamp,
    /// The transaction that it is for.
    pub tx: Option<B256>,
    /// How it was made dollars, where it was none.
    pub valuation: Option<&'a str>,
    /// The source's words: evidence.
    pub said: &'a str,
}

/// Keeps an activity; false where it was known.
pub async fn keep(conn: &mut PgConnection, venue: VenueId, activity: &Activity) -> Result<bool, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/activity_write.sql"))
        .bind(venue.0)
        .bind(&activity.id)
        .bind(activity.kind.word())
        .bind(&activity.word)
        .bind(&activity.symbol)
        .bind(activity.quantity)
        .bind(activity.cash)
        .bind(activity.date.to_string())
        .bind(activity.at.map(At))
        .bind(clean(&activity.said))
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("keep an activity", error))?;
    Ok(row.is_some())
}

/// Books a movement of cash; false where it is booked already.
pub async fn book(conn: &mut PgConnection, flow: &CashFlow<'_>) -> Result<bool, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/cash_flow_write.sql"))
        .bind(flow.id)
        .bind(flow.kind)
        .bind(flow.venue.map(|venue| venue.0))
        .bind(flow.symbol)
        .bind(flow.amount)
        .bind(At(flow.at))
        .bind(None::<&str>)
        .bind(flow.tx.map(|tx| tx.to_vec()))
        .bind(flow.valuation)
        .bind(clean(flow.said))
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("book a movement of cash", error))?;
    Ok(row.is_some())
}

/// What an activity moved was taken back: it is booked the other way round. How many rows that was.
pub async fn take_back(conn: &mut PgConnection, flow: &str, said: &str) -> Result<usize, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/cash_flow_reverse.sql"))
        .bind(flow)
        .bind(clean(said))
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("take a movement of cash back", error))?;
    Ok(rows.len())
}

/// Up to when the activities of a venue are known.
pub async fn scanned_to(conn: &mut PgConnection, venue: VenueId) -> Result<Option<Timestamp>, StoreError> {
    let query = sqlx::query_scalar::<_, At>(include_str!("../../sql/queries/activity_scanned.sql"));
    let read = query.bind(venue.0).fetch_optional(conn).await;
    read.map(|at| at.map(|at| at.0))
        .map_err(|error| StoreError::of("read up to when activities are known", error))
}

/// When hedging began; none where it has not.
pub async fn begun(conn: &mut PgConnection) -> Result<Option<Timestamp>, StoreError> {
    let read = async {
        let row = sqlx::query(include_str!("../../sql/queries/activity_begin.sql")).fetch_one(conn).await?;
        row.try_get::<Option<At>, _>("begun")
    };
    read.await.map(|at| at.map(|at| at.0)).map_err(|error| StoreError::of("read when hedging began", error))
}

/// The activities of a venue are known up to here.
pub async fn scanned(conn: &mut PgConnection, venue: VenueId, to: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/activity_scan_move.sql"))
        .bind(venue.0)
        .bind(At(to))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write up to when activities are known", error))?;
    Ok(())
}
