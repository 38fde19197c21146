//! Sources and their cursors: what is read, and how far it is written.
//!
//! A cursor moves in the transaction that writes what it passed; that is
//! `facts`. Here it is found, begun, looked at, stopped and released.

use alloy::primitives::Address;
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgRow};

use super::{StoreError, big, place, seconds, small};
use crate::book::log::Place;

/// The number of a source in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId(pub i32);

/// What a source is, as the tables keep it.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Its name, unique.
    pub name: &'a str,
    /// Its chain.
    pub chain: u64,
    /// Which events it emits.
    pub kind: &'a str,
    /// The contract.
    pub address: Address,
    /// Whose logs are ours.
    pub owners: &'a [Address],
    /// Its first block.
    pub from_block: u64,
}

/// What the books say of a source that the configuration describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub id: SourceId,
    /// It is the same contract on the same chain, of the same kind.
    pub same_contract: bool,
    /// It was read for the same owners.
    pub same_owners: bool,
    /// The first block that the books have it from.
    pub from_block: u64,
}

/// How far a source is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last block written.
    pub at: Place,
    /// The highest block that a node ever called final.
    pub finalized: Option<u64>,
    /// Why it stands still until a person rewinds it.
    pub stopped: Option<String>,
}

/// Finds the source, writing it down where it is new.
pub async fn source(conn: &mut PgConnection, source: &Source<'_>) -> Result<Known, StoreError> {
    let owners: Vec<&[u8]> = source.owners.iter().map(|owner| owner.as_slice()).collect();
    let doing = format!("write down the source `{}`", source.name);
    let row = async {
        sqlx::query(include_str!("../../sql/queries/source_write.sql"))
            .bind(source.name)
            .bind(big(source.chain))
            .bind(source.kind)
            .bind(source.address.as_slice())
            .bind(owners.clone())
            .bind(big(source.from_block))
            .execute(&mut *conn)
            .await?;
        let row = sqlx::query(include_str!("../../sql/queries/source_read.sql"))
            .bind(source.name)
            .bind(big(source.chain))
            .bind(source.kind)
            .bind(source.address.as_slice())
            .bind(owners.clone())
            .fetch_optional(&mut *conn)
            .await?;
        let known = |row: PgRow| {
            Ok::<_, sqlx::Error>(Known {
                id: SourceId(row.try_get("id")?),
                same_contract: row.try_get("same_contract")?,
                same_owners: row.try_get("same_owners")?,
                from_block: small(row.try_get("from_block")?),
            })
        };
        row.map(known).transpose()
    };
    let known = row.await.map_err(|error| StoreError::of(&doing, error))?;
    known.ok_or_else(|| {
        StoreError::stop(
            format!("could not {doing}: its contract is in the books under another name"),
            "give the source the name that `hedge show cursors` has for it",
        )
    })
}

/// From now on the source is read for these owners.
pub async fn set_owners(conn: &mut PgConnection, id: SourceId, owners: &[Address]) -> Result<(), StoreError> {
    let owners: Vec<&[u8]> = owners.iter().map(|owner| owner.as_slice()).collect();
    sqlx::query(include_str!("../../sql/queries/source_owners.sql"))
        .bind(id.0)
        .bind(owners)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down a source's owners", error))?;
    Ok(())
}

/// From now on the source begins at this block.
pub async fn set_from_block(
    conn: &mut PgConnection,
    id: SourceId,
    from_block: u64,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/source_begin.sql"))
        .bind(id.0)
        .bind(big(from_block))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down where a source begins", error))?;
    Ok(())
}

/// How far the source is written; `None` before its first look at the chain.
pub async fn cursor(conn: &mut PgConnection, id: SourceId) -> Result<Option<Cursor>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/cursor_read.sql")).bind(id.0);
        let Some(row) = query.fetch_optional(conn).await? else { return Ok(None) };
        Ok(Some(Cursor {
            at: place(row.try_get("number")?, row.try_get("hash")?),
            finalized: row.try_get::<Option<i64>, _>("finalized")?.map(small),
            stopped: row.try_get("stopped_why")?,
        }))
    };
    read.await.map_err(|error| StoreError::of("read a cursor", error))
}

/// Puts the cursor before the source's first block, where it has none.
pub async fn start(
    conn: &mut PgConnection,
    id: SourceId,
    before: Place,
    time: u64,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_start.sql"))
        .bind(id.0)
        .bind(big(before.number))
        .bind(before.hash.as_slice())
        .bind(seconds(time))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write a first cursor", error))?;
    Ok(())
}

/// Notes what a node said of its head.
pub async fn looked(
    conn: &mut PgConnection,
    id: SourceId,
    head: u64,
    safe: Option<u64>,
    finalized: Option<u64>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_look.sql"))
        .bind(id.0)
        .bind(big(head))
        .bind(safe.map(big))
        .bind(finalized.map(big))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("note a head", error))?;
    Ok(())
}

/// Stops a source until a person rewinds it.
pub async fn stop(conn: &mut PgConnection, id: SourceId, why: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_stop.sql"))
        .bind(id.0)
        .bind(why)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("stop a source", error))?;
    Ok(())
}

/// A source begins anew: nothing of it is canonical, and its next look is its first.
pub async fn forget_cursor(conn: &mut PgConnection, id: SourceId) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_forget.sql"))
        .bind(id.0)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("forget a cursor", error))?;
    Ok(())
}

/// Lets a stopped source go on, from a block that may lie before what it called final.
pub async fn release(conn: &mut PgConnection, id: SourceId, from: u64) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_release.sql"))
        .bind(id.0)
        .bind(big(from))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("release a source", error))?;
    Ok(())
}

/// Keeps the source's cursor where it is until the transaction ends: whoever would move it waits.
///
/// Ranges are rewritten only by who moves the cursor, or holds it: a reorg that cuts them
/// does not see a range that an audit is about to put in another's place.
pub async fn hold(tx: &mut Transaction<'_, Postgres>, id: SourceId) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_hold.sql"))
        .bind(id.0)
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of("hold a cursor", error))?;
    Ok(())
}
