//! Vaults of ours, as far as they are known, and up to where they were looked for.

use alloy::primitives::{Address, B256};
use sqlx::{PgConnection, Row as _};

use super::{StoreError, big, cursors::SourceId, small};
use crate::book::vault::VaultKey;

/// How a vault became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultFound {
    /// It was configured.
    Configuration,
    /// An order of ours names it.
    Order,
    /// It was filled or emptied.
    Deposit,
    /// A trade moved it.
    Fill,
}

impl VaultFound {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Configuration, Self::Order, Self::Deposit, Self::Fill];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Order => "order",
            Self::Deposit => "deposit",
            Self::Fill => "fill",
        }
    }
}

/// A vault of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownVault {
    /// Which.
    pub key: VaultKey,
    /// How it became known.
    pub found_by: VaultFound,
    /// The block where it was first met; none where it was configured.
    pub block: Option<u64>,
}

/// Keeps a vault; what it was known by first stays.
pub async fn keep(conn: &mut PgConnection, id: SourceId, vault: &KnownVault) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/vault_write.sql"))
        .bind(id.0)
        .bind(vault.key.owner.as_slice())
        .bind(vault.key.token.as_slice())
        .bind(vault.key.vault_id.as_slice())
        .bind(vault.found_by.word())
        .bind(vault.block.map(big))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep a vault", error))?;
    Ok(())
}

/// Keeps the vaults that canonical deposits and fills speak of, from one block to another.
pub async fn learn(
    conn: &mut PgConnection,
    id: SourceId,
    usdc: Address,
    (from, to): (u64, u64),
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/vault_learn.sql"))
        .bind(id.0)
        .bind(usdc.as_slice())
        .bind(big(from))
        .bind(big(to))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("learn vaults from the books", error))?;
    Ok(())
}

/// All vaults of a source that are known.
pub async fn known(conn: &mut PgConnection, id: SourceId) -> Result<Vec<KnownVault>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/vault_read.sql"));
        let rows = query.bind(id.0).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let address = |name| {
                    let bytes = row.try_get::<&[u8], _>(name)?;
                    Ok::<_, sqlx::Error>(Address::try_from(bytes).unwrap_or_default())
                };
                let word: &str = row.try_get("found_by")?;
                let vault_id = B256::try_from(row.try_get::<&[u8], _>("vault_id")?).unwrap_or_default();
                Ok(KnownVault {
                    key: VaultKey { owner: address("owner")?, token: address("token")?, vault_id },
                    found_by: VaultFound::ALL
                        .into_iter()
                        .find(|found| found.word() == word)
                        .unwrap_or(VaultFound::Fill),
                    block: row.try_get::<Option<i64>, _>("block_number")?.map(small),
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the vaults", error))
}

/// Up to where a source's contract was asked for orders.
pub async fn scanned_to(conn: &mut PgConnection, id: SourceId) -> Result<Option<u64>, StoreError> {
    let query = sqlx::query_scalar::<_, i64>(include_str!("../../sql/queries/vault_scanned.sql"));
    let read = query.bind(id.0).fetch_optional(conn).await;
    read.map(|to| to.map(small)).map_err(|error| StoreError::of("read how far vaults were looked for", error))
}

/// A source's contract was asked for orders up to here.
pub async fn scanned(conn: &mut PgConnection, id: SourceId, to: u64) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/vault_scan_move.sql"))
        .bind(id.0)
        .bind(big(to))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write how far vaults were looked for", error))?;
    Ok(())
}
