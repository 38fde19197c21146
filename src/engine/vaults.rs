//! Which vaults are ours: those configured, and those that orders, deposits and fills speak of.
//!
//! Orders are asked of the chain, once for every block: the indexer has no use for their
//! logs. Their scan has a place of its own and goes up to a block that the caller
//! believes in for good, so no reorg takes it back.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use sqlx::PgConnection;

use super::reading::{Hindered, Reading};
use crate::{
    book::{log::Place, vault::VaultKey},
    chain::{
        log::Log,
        raindex,
        reader::{self, Failed},
        refusal::narrower,
    },
    observe,
    store::{
        StoreError,
        nodes::FoundBy,
        skips,
        vaults::{self, KnownVault, VaultFound},
    },
};

/// Blocks asked for at first; halved and doubled as the node takes it.
const SPAN: u64 = 10_000;
/// How often in a row a range may fail.
const ATTEMPTS: u32 = 5;

/// The vaults of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vaults {
    /// All that are known.
    pub all: Vec<KnownVault>,
    /// Those of them that were not known before.
    pub new: Vec<KnownVault>,
    /// Those that the configuration's list lacks; none where there is no list.
    pub unlisted: Vec<KnownVault>,
    /// Logs that say they add an order and do not read.
    pub unread: Vec<Log>,
}

/// Finds the vaults of a source up to block `to`, and keeps them; `usdc` is the quote token.
///
/// A vault that the configuration's list lacks is said aloud.
///
/// # Errors
/// No node that could be asked: what was found so far is kept.
pub async fn discover(reading: &Reading, usdc: Address, to: Place) -> Result<Vaults, Hindered> {
    let mut conn = reading.connection().await?;
    let before: BTreeSet<VaultKey> =
        vaults::known(&mut conn, reading.id).await?.iter().map(|vault| vault.key).collect();
    let configured = &reading.source.vaults;
    for key in configured {
        let vault = KnownVault { key: *key, found_by: VaultFound::Configuration, block: None };
        vaults::keep(&mut conn, reading.id, &vault).await?;
    }
    moved(&mut conn, reading, to.number).await?;
    let scanned = vaults::scanned_to(&mut conn, reading.id).await?;
    drop(conn);
    let from = scanned.map_or(0, |scanned| scanned.saturating_add(1)).max(reading.source.from_block);
    let mut found = Vaults::default();
    scan(reading, usdc, from, to, &mut found).await?;
    let mut conn = reading.connection().await?;
    found.all = vaults::known(&mut conn, reading.id).await?;
    found.new = found.all.iter().filter(|vault| !before.contains(&vault.key)).copied().collect();
    if !configured.is_empty() {
        let unlisted = found.all.iter().filter(|vault| !configured.contains(&vault.key));
        found.unlisted = unlisted.copied().collect();
    }
    for vault in &found.unlisted {
        observe::unlisted_vault(&reading.source.name, &vault.key, vault.found_by.word());
    }
    Ok(found)
}

/// Reads what trades that are no fills moved in vaults, up to a block, from the logs that were kept.
///
/// # Errors
/// The database.
pub async fn moved(conn: &mut PgConnection, reading: &Reading, to: u64) -> Result<(), StoreError> {
    let logs = skips::logs_that_moved(conn, reading.id, to).await?;
    let moved = reading.keeper.moves(&reading.source, &logs);
    if moved.is_empty() { Ok(()) } else { skips::keep_moves(conn, reading.source.chain, &moved).await }
}

/// Asks for orders of ours from one block to another, range by range.
async fn scan(
    reading: &Reading,
    usdc: Address,
    mut from: u64,
    to: Place,
    found: &mut Vaults,
) -> Result<(), Hindered> {
    let filter = raindex::added_orders(&reading.source);
    let mut span = SPAN;
    let mut failed_times = 0;
    while from <= to.number {
        let last = to.number.min(from.saturating_add(span - 1));
        let mut orders = Vec::new();
        if let Some(filter) = &filter {
            let node = reading.nodes.ready().await?;
            match reader::bulk(&node, filter, from, last).await {
                Ok(bulk) if last == to.number && bulk.last.hash != to.hash => {
                    reading.nodes.pass(&node);
                    return Err(Failed::Behind { node: node.name().to_owned(), block: to.number }.into());
                }
                Ok(bulk) => {
                    reading.nodes.praise(&node);
                    orders = bulk.logs;
                }
                Err(Failed::Refused { refusal, .. }) if from < last => {
                    span = narrower(last - from + 1, refusal.suggested());
                    continue;
                }
                Err(failed) => {
                    failed_times += 1;
                    if failed_times == ATTEMPTS {
                        return Err(failed.into());
                    }
                    reading.failed(&node, failed, FoundBy::Backfill).await?;
                    continue;
                }
            }
        }
        failed_times = 0;
        let mut tx = reading.begin().await?;
        for log in orders {
            let Ok(named) = raindex::vaults_of_order(&reading.source, &log) else {
                found.unread.push(log);
                continue;
            };
            for key in named {
                let block = Some(log.block_number);
                let vault = KnownVault { key, found_by: VaultFound::Order, block };
                vaults::keep(&mut tx, reading.id, &vault).await?;
            }
        }
        vaults::learn(&mut tx, reading.id, usdc, (from, last)).await?;
        vaults::scanned(&mut tx, reading.id, last).await?;
        tx.commit().await.map_err(|error| StoreError::of("keep vaults", error))?;
        from = last + 1;
        span = span.saturating_mul(2).min(reading.nodes.widest()).max(1);
    }
    Ok(())
}
