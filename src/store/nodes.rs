//! What is known of nodes and tokens: who contradicted whom, what each node can
//! do, what each token says of itself. Kept across restarts.

use alloy::primitives::Address;
use sqlx::{PgConnection, Row as _};

use super::{StoreError, big, clean, cursors::SourceId, small};
use crate::book::coverage::Contradiction;

/// Where a contradiction was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// Following the head.
    Head,
    /// Reading history.
    Backfill,
    /// Reading again.
    Audit,
}

impl FoundBy {
    const fn word(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Backfill => "backfill",
            Self::Audit => "audit",
        }
    }
}

/// Keeps a contradiction on record; the same again is counted.
pub async fn contradicted(
    conn: &mut PgConnection,
    id: SourceId,
    chain: u64,
    contradiction: &Contradiction,
    found_by: FoundBy,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/contradiction_write.sql"))
        .bind(big(chain))
        .bind(id.0)
        .bind(big(contradiction.block_number))
        .bind(contradiction.block_hash.map(|hash| hash.to_vec()))
        .bind(&contradiction.node)
        .bind(clean(&contradiction.said))
        .bind(&contradiction.against)
        .bind(clean(&contradiction.against_said))
        .bind(found_by.word())
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep a contradiction", error))?;
    Ok(())
}

/// What a node has shown it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLimit {
    /// Which node.
    pub node: String,
    /// The widest range that worked.
    pub largest_ok: u64,
    /// The narrowest range refused for its width.
    pub smallest_refused: Option<u64>,
    /// Takes batches.
    pub batches: bool,
    /// Serves receipts.
    pub receipts: bool,
}

/// What was learnt of a chain's nodes.
pub async fn limits(conn: &mut PgConnection, chain: u64) -> Result<Vec<NodeLimit>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/limit_read.sql"));
        let rows = query.bind(big(chain)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok(NodeLimit {
                    node: row.try_get("node")?,
                    largest_ok: small(row.try_get("largest_ok")?),
                    smallest_refused: row.try_get::<Option<i64>, _>("smallest_refused")?.map(small),
                    batches: row.try_get("batches")?,
                    receipts: row.try_get("receipts")?,
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what nodes can do", error))
}

/// Keeps what was learnt of a node.
pub async fn keep_limit(conn: &mut PgConnection, chain: u64, limit: &NodeLimit) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/limit_write.sql"))
        .bind(big(chain))
        .bind(&limit.node)
        .bind(big(limit.largest_ok))
        .bind(limit.smallest_refused.map(big))
        .bind(limit.batches)
        .bind(limit.receipts)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep what a node can do", error))?;
    Ok(())
}

/// What the chain's tokens said of themselves: address, symbol, decimals.
pub async fn tokens(conn: &mut PgConnection, chain: u64) -> Result<Vec<(Address, String, u8)>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/token_read.sql"));
        let rows = query.bind(big(chain)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let address = Address::try_from(row.try_get::<&[u8], _>("address")?).unwrap_or_default();
                let decimals: i32 = row.try_get("decimals")?;
                Ok((address, row.try_get("symbol")?, u8::try_from(decimals).unwrap_or(u8::MAX)))
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the tokens", error))
}

/// Keeps what a token said of itself.
pub async fn keep_token(
    conn: &mut PgConnection,
    chain: u64,
    address: Address,
    symbol: &str,
    decimals: u8,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/token_write.sql"))
        .bind(big(chain))
        .bind(address.as_slice())
        .bind(symbol)
        .bind(i32::from(decimals))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep a token", error))?;
    Ok(())
}
