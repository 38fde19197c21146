//! Reads skipped logs once more, from the books' own raw logs.
//!
//! A cause may have gone: a node with the state of that block, a token listed
//! since, a better reader. What stands is never changed; a fact that a log gives
//! now is added, and the skip is recorded as re-driven.

use super::reading::{Hindered, Reading};
use crate::store::{StoreError, facts, skips};

/// What a re-drive came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redriven {
    /// Skipped sides of logs that were open.
    pub open: u64,
    /// Those of them that gave a fact.
    pub resolved: u64,
}

/// Reads every open skipped log of the source again.
///
/// # Errors
/// Try again: no node answers what their tokens are.
pub async fn redrive(reading: &Reading, author: &str) -> Result<Redriven, Hindered> {
    let mut conn = reading.connection().await?;
    let (open, logs) = skips::logs_to_redrive(&mut conn, reading.id).await?;
    drop(conn);
    let node = reading.nodes.ready().await?;
    let booked = reading.book(&node, logs, |_| true).await?;
    let mut tx = reading.begin().await?;
    facts::merge(&mut tx, booked.page).await?;
    let resolved = skips::resolve_skips(&mut tx, reading.id, author).await?;
    tx.commit().await.map_err(|error| StoreError::of("commit a re-drive", error))?;
    Ok(Redriven { open, resolved })
}
