//! A log as a node gives it, and what makes an answer believable in itself.
//!
//! [`screen`] is rule 9 of polling: every log satisfies the filter and the
//! range, carries one hash per height, and is not removed; twins are dropped
//! and the order is made, not trusted. Whether anything is missing is `proof`'s.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};

pub use crate::book::log::Log;

/// What is asked for: one contract's logs of these events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The contract.
    pub address: Address,
    /// The events.
    pub topics: Vec<B256>,
}

impl Filter {
    /// Would the chain give this log for the filter?
    pub fn takes(&self, log: &Log) -> bool {
        log.address == self.address && log.topic0().is_some_and(|topic| self.topics.contains(&topic))
    }
}

/// An answer that contradicts itself; the node that gave it is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrue {
    /// A log that was not asked for.
    #[error("log {index} of block {block} is not of the contract or events asked for")]
    Unasked {
        /// Its block.
        block: u64,
        /// Its place there.
        index: u64,
    },
    /// A log outside the range.
    #[error("log {index} of block {block} lies outside the blocks asked for")]
    Outside {
        /// Its block.
        block: u64,
        /// Its place there.
        index: u64,
    },
    /// A log that a reorg took.
    #[error("log {index} of block {block} is marked as removed")]
    Removed {
        /// Its block.
        block: u64,
        /// Its place there.
        index: u64,
    },
    /// Two hashes at one height.
    #[error("block {block} has two hashes in one answer, {one} and {other}")]
    TwoHashes {
        /// The height.
        block: u64,
        /// The hash that stood first.
        one: B256,
        /// The hash that came later.
        other: B256,
    },
    /// Two different logs in one place.
    #[error("log {index} of block {block} came twice with different content")]
    TwoContents {
        /// Its block.
        block: u64,
        /// Its place there.
        index: u64,
    },
}

/// Sorts an answer, drops twins, and refuses what contradicts itself.
///
/// `hashes` are the headers known from the same node in the same batch, by
/// height; every height that logs speak of is added to it.
pub fn screen(
    logs: Vec<Log>,
    filter: &Filter,
    (from, to): (u64, u64),
    hashes: &mut BTreeMap<u64, B256>,
) -> Result<Vec<Log>, Untrue> {
    for log in &logs {
        let (block, index) = (log.block_number, log.log_index);
        if log.removed {
            return Err(Untrue::Removed { block, index });
        }
        if !filter.takes(log) {
            return Err(Untrue::Unasked { block, index });
        }
        if block < from || block > to {
            return Err(Untrue::Outside { block, index });
        }
        let known = *hashes.entry(block).or_insert(log.block_hash);
        if known != log.block_hash {
            return Err(Untrue::TwoHashes { block, one: known, other: log.block_hash });
        }
    }
    let mut logs = logs;
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    logs.dedup();
    if let Some(twin) = logs.array_windows::<2>().find_map(|[one, other]| {
        ((one.block_number, one.log_index) == (other.block_number, other.log_index)).then_some(one)
    }) {
        return Err(Untrue::TwoContents { block: twin.block_number, index: twin.log_index });
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Bytes;

    use super::*;

    fn filter() -> Filter {
        Filter { address: Address::repeat_byte(1), topics: vec![B256::repeat_byte(2)] }
    }

    fn log(block_number: u64, log_index: u64) -> Log {
        Log {
            address: filter().address,
            topics: filter().topics,
            data: Bytes::new(),
            block_number,
            block_hash: B256::with_last_byte(u8::try_from(block_number).unwrap()),
            block_timestamp: None,
            transaction_hash: B256::ZERO,
            transaction_index: 0,
            log_index,
            removed: false,
        }
    }

    fn screened(logs: Vec<Log>) -> Result<Vec<(u64, u64)>, Untrue> {
        screen(logs, &filter(), (10, 20), &mut BTreeMap::new())
            .map(|logs| logs.iter().map(|log| (log.block_number, log.log_index)).collect())
    }

    #[test]
    fn a_shuffled_answer_with_twins_is_put_in_order() {
        let logs = vec![log(12, 3), log(11, 9), log(12, 3), log(12, 1)];
        assert_eq!(screened(logs), Ok(vec![(11, 9), (12, 1), (12, 3)]));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert_eq!(screened(vec![log(21, 0)]), Err(Untrue::Outside { block: 21, index: 0 }));
        assert_eq!(
            screened(vec![Log { removed: true, ..log(11, 0) }]),
            Err(Untrue::Removed { block: 11, index: 0 })
        );
        let foreign = Log { address: Address::ZERO, ..log(11, 0) };
        assert_eq!(screened(vec![foreign]), Err(Untrue::Unasked { block: 11, index: 0 }));
        let other = Log { block_hash: B256::ZERO, ..log(11, 1) };
        assert!(matches!(screened(vec![log(11, 0), other]), Err(Untrue::TwoHashes { block: 11, .. })));
        let twin = Log { data: vec![1].into(), ..log(11, 0) };
        assert_eq!(screened(vec![log(11, 0), twin]), Err(Untrue::TwoContents { block: 11, index: 0 }));
    }

    #[test]
    fn a_log_of_another_fork_than_the_header_is_refused() {
        let mut hashes = BTreeMap::from([(11, B256::ZERO)]);
        let answer = screen(vec![log(11, 0)], &filter(), (10, 20), &mut hashes);
        assert!(matches!(answer, Err(Untrue::TwoHashes { block: 11, .. })));
    }
}
