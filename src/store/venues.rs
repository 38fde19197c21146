//! Venues: which account was met there, what of it is known, and what in it is not ours.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};

use super::{StoreError, clean, orders::VenueId, types::At};
use crate::book::order::Report;

/// Finds the number of a venue, writing it down where it is new.
pub async fn venue(
    conn: &mut PgConnection,
    name: &str,
    broker: &str,
    environment: &str,
) -> Result<VenueId, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/venue_write.sql"))
        .bind(name)
        .bind(broker)
        .bind(environment)
        .fetch_one(conn)
        .await
        .map(VenueId)
        .map_err(|error| StoreError::of(&format!("write down the venue `{name}`"), error))
}

/// Remembers the account that is met first.
pub async fn met(conn: &mut PgConnection, id: VenueId, account: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/venue_account.sql"))
        .bind(id.0)
        .bind(account)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down an account", error))?;
    Ok(())
}

/// The account that was met first.
pub async fn account(conn: &mut PgConnection, id: VenueId) -> Result<Option<String>, StoreError> {
    read(conn, id).await.map(|(account, _)| account)
}

/// Whichever account is met next at a venue is taken as the one there.
pub async fn forget_accounts(conn: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/venue_accounts_forget.sql"))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("forget which accounts were met", error))?;
    Ok(())
}

/// Up to when everything that happened there is known.
pub async fn scanned_to(conn: &mut PgConnection, id: VenueId) -> Result<Option<Timestamp>, StoreError> {
    read(conn, id).await.map(|(_, scanned)| scanned)
}

async fn read(
    conn: &mut PgConnection,
    id: VenueId,
) -> Result<(Option<String>, Option<Timestamp>), StoreError> {
    let read = async {
        let row =
            sqlx::query(include_str!("../../sql/queries/venue_read.sql")).bind(id.0).fetch_one(conn).await?;
        Ok((row.try_get("account")?, row.try_get::<Option<At>, _>("scanned_to")?.map(|at| at.0)))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read what is known of a venue", error))
}

/// Which deployment this is: it stands in every id of ours.
pub async fn deployment(conn: &mut PgConnection) -> Result<String, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/lease_deployment.sql"))
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("read which deployment this is", error))
}

/// Whether a broker's order is known not to be ours.
pub async fn is_foreign(conn: &mut PgConnection, id: VenueId, broker_id: &str) -> Result<bool, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/foreign_order_known.sql"))
        .bind(id.0)
        .bind(broker_id)
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("look for an order that is not ours", error))
}

/// From now on everything up to here is known.
pub async fn scanned(conn: &mut PgConnection, id: VenueId, to: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/venue_scanned.sql"))
        .bind(id.0)
        .bind(At(to))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down how far a venue is known", error))?;
    Ok(())
}

/// A venue with live orders that is not configured any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its name, broker and environment.
    pub venue: String,
    /// How many live orders it has.
    pub orders: i64,
    /// The first of them.
    pub first: i64,
}

/// Venues with live orders that are not among these.
pub async fn strays(conn: &mut PgConnection, known: &[VenueId]) -> Result<Vec<Stray>, StoreError> {
    let known: Vec<i32> = known.iter().map(|id| id.0).collect();
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/venue_stray_orders.sql"))
            .bind(known)
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| {
                let (name, broker, environment): (&str, &str, &str) =
                    (row.try_get("name")?, row.try_get("broker")?, row.try_get("environment")?);
                Ok(Stray {
                    venue: format!("{name} ({broker}, {environment})"),
                    orders: row.try_get("orders")?,
                    first: row.try_get("first")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read which venues have live orders", error))
}

/// The broker's ids that were seen since then and are spoken for: by an order of ours, or by nobody here.
pub async fn owned(
    conn: &mut PgConnection,
    id: VenueId,
    since: Timestamp,
) -> Result<HashSet<String>, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/broker_orders_owned.sql"))
        .bind(id.0)
        .bind(At(since))
        .fetch_all(conn)
        .await
        .map(|ids: Vec<String>| ids.into_iter().collect())
        .map_err(|error| StoreError::of("read which orders of a broker are ours", error))
}

/// The last order of ours that the broker was seen to have; one that ended, if any did.
pub async fn witness(conn: &mut PgConnection, id: VenueId) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/broker_order_witness.sql"))
        .bind(id.0)
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("read the last order at a broker", error))
}

/// Writes down an order that is not ours; true where it is new to us.
pub async fn foreign(
    conn: &mut PgConnection,
    id: VenueId,
    report: &Report,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let new = sqlx::query(include_str!("../../sql/queries/foreign_order_write.sql"))
        .bind(id.0)
        .bind(&report.broker_id)
        .bind(&report.symbol)
        .bind(report.side.word())
        .bind(report.quantity)
        .bind(clean(&report.word))
        .bind(clean(&report.said))
        .bind(At(report.submitted_at))
        .bind(At(now))
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("write down an order that is not ours", error))?;
    Ok(new.is_some())
}
