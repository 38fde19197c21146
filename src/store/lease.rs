//! Who may plan and send: one lease a deployment, with a fence that is never given twice.
//!
//! Its time is the database's own, so that two machines need not agree on the
//! hour. A plan is committed only by who holds the lease at that moment.
//!
//! Who takes it also locks its fence, for as long as the connection lasts: of a process
//! that is gone Postgres hears at once, and nobody has to wait until its time is over.
//! The time is for one that hangs, or whose network is cut.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};

use super::{StoreError, types::At};

/// The number of a lease; a later one is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub i64);

/// The lease is not ours any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// Who holds the lease, or held it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its fence.
    pub fence: Fence,
    /// Host and process.
    pub name: String,
    /// Since when.
    pub taken_at: Timestamp,
    /// Until when, unless it is renewed.
    pub expires_at: Timestamp,
    /// Whether it holds now.
    pub held: bool,
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Takes the lease where nobody has it. It is ours while this connection lives and it is renewed.
pub async fn take(
    conn: &mut PgConnection,
    holder: &str,
    time: Duration,
) -> Result<Option<Fence>, StoreError> {
    let taken = sqlx::query_scalar(include_str!("../../sql/queries/lease_take.sql"))
        .bind(holder)
        .bind(millis(time))
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("take the lease", error))?;
    Ok(taken.map(Fence))
}

/// Keeps the lease for so much longer.
pub async fn renew(
    conn: &mut PgConnection,
    fence: Fence,
    time: Duration,
) -> Result<Result<(), Lost>, StoreError> {
    let kept = sqlx::query(include_str!("../../sql/queries/lease_renew.sql"))
        .bind(fence.0)
        .bind(millis(time))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("renew the lease", error))?;
    Ok(if kept.rows_affected() == 1 { Ok(()) } else { Err(Lost) })
}

/// Lets the next one have it.
pub async fn give_up(conn: &mut PgConnection, fence: Fence) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/lease_give_up.sql"))
        .bind(fence.0)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("give up the lease", error))?;
    Ok(())
}

/// Holds the lease until the transaction ends, and says which deployment this is.
pub async fn hold(conn: &mut PgConnection, fence: Fence) -> Result<Result<String, Lost>, StoreError> {
    let deployment = sqlx::query_scalar(include_str!("../../sql/queries/lease_hold.sql"))
        .bind(fence.0)
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("hold the lease", error))?;
    Ok(deployment.ok_or(Lost))
}

/// Who holds it; `None` where nobody ever did.
pub async fn holder(conn: &mut PgConnection) -> Result<Option<Holder>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/lease_show.sql"));
        let Some(row) = query.fetch_optional(conn).await? else { return Ok(None) };
        Ok(Some(Holder {
            fence: Fence(row.try_get("fence")?),
            name: row.try_get("holder")?,
            taken_at: row.try_get::<At, _>("taken_at")?.0,
            expires_at: row.try_get::<At, _>("expires_at")?.0,
            held: row.try_get("held")?,
        }))
    };
    read.await.map_err(|error| StoreError::of("read the lease", error))
}
