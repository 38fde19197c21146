//! A log and a block, as they are kept.
//!
//! Where they come from and whether to believe them is the chain door's; how
//! they are stored is the store's. Both know them by these names.

use alloy::primitives::{Address, B256, Bytes};
use serde::Deserialize;

/// One log, with the place it stands in. Reads from a node's JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// The contract that emitted it.
    pub address: Address,
    /// `topic0` and the indexed parameters.
    pub topics: Vec<B256>,
    /// The rest, ABI-encoded.
    pub data: Bytes,
    /// The height of its block.
    #[serde(with = "alloy::serde::quantity")]
    pub block_number: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// Seconds since 1970 of its block; newer nodes say it in the log.
    #[serde(default, with = "alloy::serde::quantity::opt")]
    pub block_timestamp: Option<u64>,
    /// Its transaction.
    pub transaction_hash: B256,
    /// Where that stands in the block.
    #[serde(with = "alloy::serde::quantity")]
    pub transaction_index: u64,
    /// Where the log stands in the block.
    #[serde(with = "alloy::serde::quantity")]
    pub log_index: u64,
    /// Taken back by a reorg: never in an answer about canonical blocks.
    #[serde(default)]
    pub removed: bool,
}

impl Log {
    /// The first topic, which names the event.
    pub fn topic0(&self) -> Option<B256> {
        self.topics.first().copied()
    }
}

/// A block by height and hash: what a cursor stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The height.
    pub number: u64,
    /// The hash.
    pub hash: B256,
}

/// A block's place in its chain and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Height and hash.
    pub place: Place,
    /// Its parent's hash.
    pub parent: B256,
    /// Seconds since 1970.
    pub time: u64,
}
