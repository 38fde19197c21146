//! Prices that feeds had while fills were made: which are wanted, and what was told.
//!
//! A price is a fact. What could not be read is tried again a few times, ever later; then
//! that there is none is a fact too, with the reason.

use alloy::primitives::B256;
use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};

use super::{StoreError, big, clean, cursors::SourceId, place, types::At};
use crate::{book::log::Place, units::Amount};

/// A log of a fill whose price is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedPrice {
    /// Its block.
    pub block: Place,
    /// Its place there.
    pub log_index: i32,
    /// Its transaction.
    pub tx: B256,
    /// The feed of its share.
    pub feed: B256,
    /// How often it was asked for in vain.
    pub attempts: i32,
}

/// What is to be written of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldPrice<'a> {
    /// `trace` or `end of block`.
    pub method: &'a str,
    /// Dollars, confidence and when it was published; or why there is none.
    pub price: Result<(Amount, Amount, Timestamp), &'a str>,
}

/// Canonical fills of a source from a block on whose price is wanted now, the newest first.
pub async fn wanted(
    conn: &mut PgConnection,
    id: SourceId,
    feeds: &[(String, B256)],
    from_block: u64,
    now: Timestamp,
    most: i64,
) -> Result<Vec<WantedPrice>, StoreError> {
    let symbols: Vec<&str> = feeds.iter().map(|(symbol, _)| symbol.as_str()).collect();
    let ids: Vec<&[u8]> = feeds.iter().map(|(_, feed)| feed.as_slice()).collect();
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/oracle_wanted.sql"))
            .bind(id.0)
            .bind(symbols)
            .bind(ids)
            .bind(big(from_block))
            .bind(At(now))
            .bind(most)
            .fetch_all(conn)
            .await?;
        rows.iter()
            .map(|row| {
                let hash =
                    |name| row.try_get::<&[u8], _>(name).map(|hash| B256::try_from(hash).unwrap_or_default());
                Ok(WantedPrice {
                    block: place(row.try_get("block_number")?, row.try_get("block_hash")?),
                    log_index: row.try_get("log_index")?,
                    tx: hash("tx_hash")?,
                    feed: hash("feed")?,
                    attempts: row.try_get("attempts")?,
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read which prices are wanted", error))
}

/// Writes down what a feed said at a fill, or that it is not to be known.
pub async fn keep(
    conn: &mut PgConnection,
    chain: u64,
    wanted: &WantedPrice,
    told: &ToldPrice<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = told.price.as_ref().ok();
    sqlx::query(include_str!("../../sql/queries/oracle_write.sql"))
        .bind(big(chain))
        .bind(wanted.block.hash.as_slice())
        .bind(wanted.log_index)
        .bind(wanted.feed.as_slice())
        .bind(told.method)
        .bind(known.map(|(price, ..)| *price))
        .bind(known.map(|(_, confidence, _)| *confidence))
        .bind(known.map(|(.., at)| At(*at)))
        .bind(told.price.as_ref().err().map(|why| clean(why)))
        .bind(At(now))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep an oracle price", error))?;
    Ok(())
}

/// It was asked for in vain, and is again not before then.
pub async fn later(
    conn: &mut PgConnection,
    chain: u64,
    wanted: &WantedPrice,
    why: &str,
    again_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/oracle_attempt.sql"))
        .bind(big(chain))
        .bind(wanted.block.hash.as_slice())
        .bind(wanted.log_index)
        .bind(wanted.feed.as_slice())
        .bind(clean(why))
        .bind(At(again_at))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("note that an oracle price is asked for again", error))?;
    Ok(())
}
