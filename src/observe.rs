//! The door to logs: one function per event that matters.
//!
//! Words and fields live here, so that a search finds every mention of one
//! thing. Levels: `error` someone must act; `warn` strange, but recovered;
//! `info` a line of the day's story.

use crate::book::{coverage::Contradiction, log::Place};

/// A range was committed.
pub fn read(source: &str, from: u64, to: u64, fills: u64) {
    tracing::debug!(source, from, to, fills, "read");
}

/// The chain changed its mind.
pub fn reorg(source: &str, fork: Place, old: Place, depth: u64) {
    tracing::warn!(source, fork = fork.number, old = old.number, old_hash = %old.hash, depth, "the chain changed its mind: rewound and read again");
}

/// Two answers could not both be true.
pub fn contradicted(source: &str, lie: &Contradiction) {
    tracing::warn!(
        source,
        node = lie.node,
        block = lie.block_number,
        said = lie.said,
        against = lie.against,
        against_said = lie.against_said,
        "a node was caught in a contradiction"
    );
}

/// A source stands still until a person acts.
pub fn source_stopped(source: &str, why: &str) {
    tracing::error!(source, why, "stopped: `hedge rewind` lets it go on");
}

/// An audit found what the first reading had not.
pub fn audit_found(source: &str, block: u64, what: &str) {
    tracing::error!(source, block, what, "the audit corrected the books");
}
