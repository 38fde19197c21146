//! One transaction, now: its block is proved, and what the books lacked of it is added.
//!
//! Only a block that a source has read already is looked at, by the auditor's own means, so
//! that nothing is written twice, and a log that was missed is an alarm. What lies above the
//! cursor comes in its turn: a log up there would be one that the cursor never passed.

use std::sync::Arc;

use alloy::primitives::B256;

use super::{
    audit::{Auditor, Look, Scope},
    reading::{Hindered, Reading},
};
use crate::{book::coverage::Verdict, chain::reader, store::cursors};

/// What became of a transaction, in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No node has it in a block.
    Nowhere,
    /// It has no log that this source reads.
    Nothing,
    /// It lies above what is written.
    Ahead {
        /// Its block.
        block: u64,
        /// The last block that is written.
        cursor: u64,
    },
    /// It lies before the source's first block.
    Before {
        /// Its block.
        block: u64,
        /// The source's first block.
        from: u64,
    },
    /// The node has another chain than the books.
    Another {
        /// Its block.
        block: u64,
    },
    /// Its block is written, and was looked at again.
    Written {
        /// Its block.
        block: u64,
        /// Logs of the block that the books lacked.
        added: u64,
        /// How the block is believed now.
        verdict: Verdict,
    },
}

/// Attempts at a block whose range changes meanwhile.
const ATTEMPTS: usize = 5;

/// Looks at the block of a transaction again, where it is written.
///
/// # Errors
/// Try again: no node answers, or the books move on all the time.
pub async fn index(reading: &Arc<Reading>, tx: B256) -> Result<Found, Hindered> {
    let mut mined = None;
    for node in reading.nodes.all() {
        if let Some(block) = reader::block_of_transaction(node, tx).await? {
            mined = Some((node, block));
            break;
        }
    }
    let Some((node, block)) = mined else { return Ok(Found::Nowhere) };
    let logs = reader::logs_of_transaction(node, &reading.filter, tx, block).await?;
    if logs.is_none_or(|logs| logs.is_empty()) {
        return Ok(Found::Nothing);
    }
    let number = block.number;
    if number < reading.source.from_block {
        return Ok(Found::Before { block: number, from: reading.source.from_block });
    }
    let scope = Scope { from: number, to: number, only_final: false, wanted: Verdict::Proved };
    let mut auditor = Auditor::new(Arc::clone(reading), scope);
    for _ in 0..ATTEMPTS {
        let cursor = cursors::cursor(&mut *reading.connection().await?, reading.id).await?;
        let written = cursor.map_or(0, |cursor| cursor.at.number);
        if written < number {
            return Ok(Found::Ahead { block: number, cursor: written });
        }
        match auditor.one(node, block).await? {
            Look::Another => return Ok(Found::Another { block: number }),
            Look::Moved => {}
            Look::Done(verdict) => {
                return Ok(Found::Written { block: number, added: auditor.report().added, verdict });
            }
        }
    }
    Err(node.unanswered("the books moved on while its block was looked at").into())
}
