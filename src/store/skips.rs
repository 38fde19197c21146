//! Acts on skipped logs: an operator accepts one, a re-drive resolves one.

use alloy::primitives::{Address, B256};
use sqlx::{PgConnection, Row as _};

use super::{StoreError, cursors::SourceId, place, small};
use crate::book::log::Log;

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
                let block = place(row.try_get("block_number")?, row.try_get("block_hash")?);
                let topics: &[u8] = row.try_get("topics")?;
                open += small(row.try_get("open")?);
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
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()?;
        Ok((open, logs))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read the skipped logs", error))
}
