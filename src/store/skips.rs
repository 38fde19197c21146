//! Acts on skipped logs: an operator accepts one, a re-drive resolves one; and what they moved all the same.

use alloy::primitives::{Address, B256};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, big, cursors::SourceId, place, small};
use crate::book::{
    fill::{Role, VaultMove},
    log::Log,
};

/// Records that an operator takes a skipped log as it is; false where there is none open of this number.
pub async fn accept_skip(
    conn: &mut PgConnection,
    skipped: i64,
    reason: &str,
    author: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("../../sql/queries/skip_accept.sql"))
        .bind(skipped)
        .bind(reason)
        .bind(author)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("accept a skipped log", error))?;
    Ok(done.rows_affected() == 1)
}

/// Records which skipped logs have given a fact since, and says how many.
pub async fn resolve_skips(conn: &mut PgConnection, id: SourceId, author: &str) -> Result<u64, StoreError> {
    let done = sqlx::query(include_str!("../../sql/queries/skip_resolve.sql"))
        .bind(id.0)
        .bind(author)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("record a re-drive", error))?;
    Ok(done.rows_affected())
}

/// The canonical logs of every transaction of a source that has an open skipped log, in order.
pub async fn logs_to_redrive(conn: &mut PgConnection, id: SourceId) -> Result<(u64, Vec<Log>), StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/skip_logs.sql"));
        let rows = query.bind(id.0).fetch_all(conn).await?;
        let mut open = 0;
        let logs = rows
            .iter()
            .map(|row| {
                open += small(row.try_get("open")?);
                log(row)
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()?;
        Ok((open, logs))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read the skipped logs", error))
}

/// A log as it was kept.
fn log(row: &PgRow) -> Result<Log, sqlx::Error> {
    let block = place(row.try_get("block_number")?, row.try_get("block_hash")?);
    let topics: &[u8] = row.try_get("topics")?;
    Ok(Log {
        address: Address::try_from(row.try_get::<&[u8], _>("address")?).unwrap_or_default(),
        topics: topics.chunks_exact(32).map(B256::from_slice).collect(),
        data: row.try_get::<Vec<u8>, _>("data")?.into(),
        block_number: block.number,
        block_hash: block.hash,
        block_timestamp: Some(small(row.try_get("block_time")?)),
        transaction_hash: B256::try_from(row.try_get::<&[u8], _>("tx_hash")?).unwrap_or_default(),
        transaction_index: small(row.try_get::<i32, _>("tx_index")?.into()),
        log_index: small(row.try_get::<i32, _>("log_index")?.into()),
        removed: false,
    })
}

/// The canonical logs up to a block of every transaction of a source with a skipped trade of which
/// it is not known what it moved, in order.
pub async fn logs_that_moved(
    conn: &mut PgConnection,
    id: SourceId,
    to_block: u64,
) -> Result<Vec<Log>, StoreError> {
    let query = sqlx::query(include_str!("../../sql/queries/skipped_move_logs.sql"));
    let rows = query.bind(id.0).bind(big(to_block)).fetch_all(conn).await;
    rows.and_then(|rows| rows.iter().map(log).collect())
        .map_err(|error| StoreError::of("read the trades that were skipped", error))
}

/// What one side of a log moved in vaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The log's block.
    pub block: B256,
    /// The log's place there.
    pub log_index: u64,
    /// Which side.
    pub role: Role,
    /// Into one vault, and out of another.
    pub moves: [VaultMove; 2],
}

/// Keeps what skipped sides of logs moved, and the vaults that they speak of; a side that was not
/// skipped is passed over.
pub async fn keep_moves(conn: &mut PgConnection, chain: u64, moved: &[Moved]) -> Result<(), StoreError> {
    let each: Vec<(&Moved, &VaultMove)> =
        moved.iter().flat_map(|one| one.moves.iter().map(move |what| (one, what))).collect();
    let index = |one: &Moved| i32::try_from(one.log_index).unwrap_or(i32::MAX);
    let direction = |what: &VaultMove| if what.withdrawal { "out" } else { "in" };
    sqlx::query(include_str!("../../sql/queries/skipped_move_write.sql"))
        .bind(big(chain))
        .bind(each.iter().map(|(one, _)| one.block.as_slice()).collect::<Vec<_>>())
        .bind(each.iter().map(|(one, _)| index(one)).collect::<Vec<_>>())
        .bind(each.iter().map(|(one, _)| one.role.word()).collect::<Vec<_>>())
        .bind(each.iter().map(|(_, what)| direction(what)).collect::<Vec<_>>())
        .bind(each.iter().map(|(_, what)| what.owner.as_slice()).collect::<Vec<_>>())
        .bind(each.iter().map(|(_, what)| what.token.as_slice()).collect::<Vec<_>>())
        .bind(each.iter().map(|(_, what)| what.vault_id.as_slice()).collect::<Vec<_>>())
        .bind(each.iter().map(|(_, what)| what.amount_exact.to_string()).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep what skipped trades moved", error))?;
    Ok(())
}
