//! What is exposed, and what of it an order covers.
//!
//! Exposure is a sum over facts: released fills, executions of our orders, and what
//! a person stated. Which fills are released only ever grows, but for a reorg; what
//! lies far behind is summed in `fill_close` and `execution_close`, which triggers keep true
//! and the checks of these names in `sql/checks` prove.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{PgConnection, Postgres, Row as _, Transaction};

use super::{StoreError, big, cursors::SourceId, types::At, venues};
use crate::{
    book::{coverage::Verdict, fill::Side},
    units::{Price, Shares, Usd},
};

/// How deep a fill must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// `latest`, `safe`, `finalized` or `blocks`.
    pub word: &'static str,
    /// How many blocks, where that is asked for.
    pub blocks: u64,
}

/// Blocks of released and final fills from which on they are summed.
const CLOSE_FROM: i64 = 512;

/// Releases what lies deep enough and is believed well enough, and sums what is far behind.
pub async fn release(
    tx: &mut Transaction<'_, Postgres>,
    source: SourceId,
    from_block: u64,
    depth: Depth,
    believe: Verdict,
) -> Result<(), StoreError> {
    let believed: Vec<&str> =
        Verdict::ALL.into_iter().filter(|verdict| *verdict >= believe).map(Verdict::word).collect();
    let write = async {
        sqlx::query(include_str!("../../sql/queries/release_write.sql"))
            .bind(source.0)
            .bind(big(from_block))
            .execute(&mut **tx)
            .await?;
        sqlx::query(include_str!("../../sql/queries/release_lock.sql"))
            .bind(source.0)
            .execute(&mut **tx)
            .await?;
        sqlx::query(include_str!("../../sql/queries/release_move.sql"))
            .bind(source.0)
            .bind(depth.word)
            .bind(big(depth.blocks))
            .bind(believed)
            .execute(&mut **tx)
            .await?;
        sqlx::query(include_str!("../../sql/queries/release_close.sql"))
            .bind(source.0)
            .bind(CLOSE_FROM)
            .execute(&mut **tx)
            .await
    };
    write.await.map_err(|error| StoreError::of("release fills", error))?;
    Ok(())
}

/// Executions from which on they are summed.
const SUM_FROM: i64 = 4_096;

/// Sums the executions of our orders, once there are so many that are not summed.
///
/// Waits for nobody: where one is being written, the next call does it.
///
/// # Errors
/// The database.
pub async fn close_executions(conn: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/execution_close.sql"))
        .bind(SUM_FROM)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("sum executions", error))?;
    Ok(())
}

/// What is exposed of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Not hedged and not being hedged: long is positive.
    pub net: Shares,
    /// Dollars a share of the last released fill, and its time.
    pub last_fill: Option<(Price, Timestamp)>,
}

/// Every share that anything is known of.
pub async fn exposures(conn: &mut PgConnection) -> Result<BTreeMap<String, Exposure>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/exposures.sql")).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let price: Option<Price> = row.try_get("last_fill_price")?;
                let at: Option<At> = row.try_get("last_fill_at")?;
                let last_fill = price.zip(at).map(|(price, at)| (price, at.0));
                Ok((row.try_get("symbol")?, Exposure { net: row.try_get("exposure")?, last_fill }))
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what is exposed", error))
}

/// The last so many blocks are looked at first, since an exposure is mostly made of what was just
/// filled; then more of them, and in the end all.
const WINDOWS: [Option<i64>; 4] = [Some(2), Some(64), Some(4_096), None];

/// What a part of an exposure is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A fill on chain.
    Fill {
        /// Its chain.
        chain: i64,
        /// Its block.
        block: Vec<u8>,
        /// Its log.
        log_index: i32,
        /// Which side of the log.
        role: String,
    },
    /// An execution of ours, by its number.
    Execution(i64),
    /// An opening position or a correction, or what nothing on record explains.
    Stated,
}

/// A part of an exposure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What it is.
    pub part: Part,
    /// Shares: above zero.
    pub quantity: Shares,
}

/// The parts of an exposure, oldest first: what was traded last on its side and met nothing yet.
///
/// Their sum is the exposure's, but where a bust or a foreign hand left less on record.
pub async fn units(conn: &mut PgConnection, symbol: &str, exposure: Shares) -> Result<Vec<Unit>, StoreError> {
    let side = if exposure < Shares::ZERO { Side::Sell } else { Side::Buy };
    let mut found = Vec::new();
    for blocks in WINDOWS {
        found = parts(conn, symbol, side, exposure.abs(), blocks)
            .await
            .map_err(|error| StoreError::of("read what an exposure is made of", error))?;
        let sum = found.iter().try_fold(Shares::ZERO, |sum, unit| sum.plus(unit.quantity));
        if sum == Some(exposure.abs()) {
            break;
        }
    }
    Ok(found)
}

async fn parts(
    conn: &mut PgConnection,
    symbol: &str,
    side: Side,
    quantity: Shares,
    blocks: Option<i64>,
) -> Result<Vec<Unit>, sqlx::Error> {
    let rows = sqlx::query(include_str!("../../sql/queries/cover_units.sql"))
        .bind(symbol)
        .bind(side.word())
        .bind(quantity)
        .bind(blocks)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let part = match row.try_get("what")? {
                "fill" => Part::Fill {
                    chain: row.try_get("chain_id")?,
                    block: row.try_get("block_hash")?,
                    log_index: row.try_get("log_index")?,
                    role: row.try_get("role")?,
                },
                "execution" => Part::Execution(row.try_get("execution")?),
                _ => Part::Stated,
            };
            Ok(Unit { part, quantity: row.try_get("quantity")? })
        })
        .collect()
}

/// The oldest `quantity` of these parts; what they do not make up is `Stated`.
pub fn oldest(units: &[Unit], quantity: Shares) -> Vec<Unit> {
    let mut left = quantity;
    let mut taken = Vec::new();
    for unit in units {
        if left <= Shares::ZERO {
            break;
        }
        let some = unit.quantity.min(left);
        left = left.minus(some).unwrap_or_default();
        taken.push(Unit { part: unit.part.clone(), quantity: some });
    }
    if left > Shares::ZERO {
        taken.push(Unit { part: Part::Stated, quantity: left });
    }
    taken
}

/// What was traded since then: dollars of all shares together, and shares of each.
pub async fn spent(
    conn: &mut PgConnection,
    since: Timestamp,
) -> Result<(Usd, BTreeMap<String, Shares>), StoreError> {
    let read = async {
        let rows =
            sqlx::query(include_str!("../../sql/queries/spent.sql")).bind(At(since)).fetch_all(conn).await?;
        let mut dollars = Usd::ZERO;
        let mut shares = BTreeMap::new();
        for row in &rows {
            dollars = dollars.plus(row.try_get("usd")?).unwrap_or(Usd::MOST);
            shares.insert(row.try_get("symbol")?, row.try_get("quantity")?);
        }
        Ok((dollars, shares))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read what was traded today", error))
}

/// What is said of a position that was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The ticker.
    pub symbol: String,
    /// Shares: long is positive.
    pub quantity: Shares,
}

/// An act of a person: who, why, when.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Who.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// From now on the fills of a source from this block on are hedged; false where they were already.
///
/// Which deployment this is stands in the books from here on: whatever is restored from a
/// backup that hedges at all knows the orders that left after it by their ids.
pub async fn go_live(
    tx: &mut Transaction<'_, Postgres>,
    source: SourceId,
    from_block: u64,
    act: Act<'_>,
) -> Result<bool, StoreError> {
    venues::deployment(tx).await?;
    let write = async {
        let begun = sqlx::query(include_str!("../../sql/queries/go_live.sql"))
            .bind(source.0)
            .bind(big(from_block))
            .bind(act.reason)
            .bind(act.author)
            .bind(At(act.at))
            .fetch_optional(&mut **tx)
            .await?;
        if begun.is_none() {
            return Ok(false);
        }
        sqlx::query(include_str!("../../sql/queries/release_begin.sql"))
            .bind(source.0)
            .bind(big(from_block))
            .execute(&mut **tx)
            .await?;
        Ok(true)
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("go live", error))
}

/// A source that is hedged, and from which block on.
pub async fn live_sources(conn: &mut PgConnection) -> Result<Vec<(String, u64)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query(include_str!("../../sql/queries/live_sources.sql"))
        .fetch_all(conn)
        .await
        .and_then(|rows| {
            rows.iter().map(|row| Ok((row.try_get("name")?, row.try_get("from_block")?))).collect()
        })
        .map_err(|error| StoreError::of("read which sources are hedged", error))?;
    Ok(rows.into_iter().map(|(name, from)| (name, super::small(from))).collect())
}

/// Writes down a position that was there before.
pub async fn state(conn: &mut PgConnection, opening: &Opening, act: Act<'_>) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/state_position.sql"))
        .bind(&opening.symbol)
        .bind(opening.quantity)
        .bind(act.reason)
        .bind(act.author)
        .bind(At(act.at))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down an opening position", error))?;
    Ok(())
}
