//! Chains made of recorded logs.
//!
//! Logs, their places, transaction hashes, heights and timestamps stay as they
//! were recorded. Headers are mined anew, since the recordings lack most of
//! them, so block hashes are other ones. A log index or transaction index that
//! a recording skips is filled up with a stranger's, or receipts would not
//! agree with the places.

use super::abi::{float, log, transfer, v4, v5};
use super::block::SimTx;
use super::chain::{Genesis, SimChain};
use super::invent::Cast;
use super::orders::Generation;
use super::token::{ONE_E18, SimToken};
use super::weather::Fault;
use alloy::primitives::{Address, B256, Bytes, I256, Log, U64, U256, address, keccak256};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Whose logs fill the gaps.
const STRANGER: Address = address!("57a7a6e4000000000000000000000000000000ff");

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// Not the JSON of a recording.
    #[error("the recording cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// A generation that this program does not know, or the file has not.
    #[error("there is no generation {0:?} here")]
    Generation(String),
    /// Two logs or transactions are at one place.
    #[error("block {block} has two of number {index}")]
    TwoAtOnePlace {
        /// The block's height.
        block: u64,
        /// The place that both have.
        index: u64,
    },
    /// There is nothing in it.
    #[error("the recording has no block")]
    Empty,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    chain_id: u64,
    #[serde(flatten)]
    stage: RecordedStage,
    blocks: Vec<RecordedBlock>,
    transactions: Vec<RecordedTx>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedStage {
    generation: String,
    orderbook: Address,
    order_owner: Address,
    usdc: Address,
    tokens: Vec<RecordedToken>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedToken {
    address: Address,
    symbol: String,
    decimals: u8,
    wraps: Option<Address>,
    #[serde(rename = "assetsPerShareE18")]
    assets_per_share_e18: Option<String>,
    ticker: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RecordedBlock {
    number: U64,
    timestamp: U64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedTx {
    transaction_hash: B256,
    block_number: U64,
    transaction_index: U64,
    from: Address,
    to: Option<Address>,
    logs: Vec<RecordedLog>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    transaction_hash: B256,
    transaction_index: U64,
    log_index: U64,
}

#[derive(Debug, Deserialize)]
struct SyntheticFile {
    sets: Vec<SyntheticSet>,
}

#[derive(Debug, Deserialize)]
struct SyntheticSet {
    #[serde(flatten)]
    stage: RecordedStage,
    cases: Vec<SyntheticCase>,
}

#[derive(Debug, Deserialize)]
struct SyntheticCase {
    logs: Vec<RecordedLog>,
    #[serde(default)]
    incomplete: bool,
    #[serde(default)]
    node: bool,
}

/// A chain of synthetic logs, and what a node must say to tell them as they
/// are written.
#[derive(Debug)]
pub struct Synthetic {
    /// The truth: the logs of every case, each once, each clear complete.
    pub chain: SimChain,
    /// The cases that only a lying node produces: faults for its weather.
    pub lies: Vec<Fault>,
}

impl RecordedStage {
    fn cast(&self) -> Result<Cast, RecordingError> {
        let unknown = || RecordingError::Generation(self.generation.clone());
        Ok(Cast {
            generation: Generation::named(&self.generation).ok_or_else(unknown)?,
            orderbook: self.orderbook,
            owner: self.order_owner,
            usdc: self.usdc,
            tokens: self.tokens.iter().map(RecordedToken::token).collect(),
        })
    }
}

impl RecordedToken {
    fn token(&self) -> SimToken {
        let ratio = self.assets_per_share_e18.as_deref().and_then(|ratio| ratio.parse().ok());
        SimToken {
            wraps: self.wraps,
            ratio_e18: ratio.unwrap_or(ONE_E18),
            ticker: self.ticker.clone(),
            ..SimToken::plain(self.address, &self.symbol, self.decimals)
        }
    }
}

impl RecordedLog {
    fn log(&self) -> Log {
        Log::new_unchecked(self.address, self.topics.clone(), self.data.clone())
    }
}

/// A transaction on its way into a block.
#[derive(Debug)]
struct Placed {
    hash: B256,
    from: Address,
    to: Address,
    /// By place in the block.
    logs: BTreeMap<u64, Log>,
}

/// The transactions of each block by place.
type Blocks = BTreeMap<u64, BTreeMap<u64, Placed>>;

impl SimChain {
    /// The chain of a recording of the real contracts.
    pub fn from_recording(json: &str) -> Result<Self, RecordingError> {
        let recording: Recording = serde_json::from_str(json)?;
        let mut blocks = Blocks::new();
        for tx in recording.transactions {
            let number = tx.block_number.to::<u64>();
            let mut placed = Placed {
                hash: tx.transaction_hash,
                from: tx.from,
                to: tx.to.unwrap_or_default(),
                logs: BTreeMap::new(),
            };
            for log in tx.logs {
                place(&mut placed.logs, number, log.log_index.to(), log.log())?;
            }
            let txs = blocks.entry(number).or_default();
            place(txs, number, tx.transaction_index.to(), placed)?;
        }
        let timestamps: BTreeMap<u64, u64> =
            recording.blocks.iter().map(|block| (block.number.to(), block.timestamp.to())).collect();
        mine(recording.chain_id, recording.stage.cast()?, blocks, &timestamps)
    }

    /// The chain of one generation's set of synthetic logs.
    ///
    /// A clear whose partner the node leaves out has one in truth, with four
    /// amounts of one.
    pub fn from_synthetic(json: &str, generation: &str) -> Result<Synthetic, RecordingError> {
        let file: SyntheticFile = serde_json::from_str(json)?;
        let unknown = || RecordingError::Generation(generation.to_owned());
        let set = file.sets.into_iter().find(|set| set.stage.generation == generation);
        let set = set.ok_or_else(unknown)?;
        let cast = set.stage.cast()?;
        let mut blocks = Blocks::new();
        let mut lies = Vec::new();
        for case in set.cases {
            for log in &case.logs {
                let txs = blocks.entry(log.block_number.to()).or_default();
                let placed = txs.entry(log.transaction_index.to()).or_insert_with(|| Placed {
                    hash: log.transaction_hash,
                    from: STRANGER,
                    to: cast.orderbook,
                    logs: BTreeMap::new(),
                });
                // A log that the node says twice is there once.
                placed.logs.insert(log.log_index.to(), log.log());
                if case.incomplete {
                    let partner = after_clear(&cast);
                    placed.logs.insert(log.log_index.to::<u64>() + 1, partner);
                }
            }
            if case.node
                && let Some(first) = case.logs.first()
            {
                lies.push(Fault::ExactlyLogs {
                    block: first.block_number.to(),
                    log_indexes: case.logs.iter().map(|log| log.log_index.to()).collect(),
                });
            }
        }
        let chain = mine(8453, cast, blocks, &BTreeMap::new())?;
        Ok(Synthetic { chain, lies })
    }
}

fn after_clear(cast: &Cast) -> Log {
    match cast.generation {
        Generation::V4 => {
            let one = U256::ONE;
            let change =
                v4::ClearStateChange { aliceOutput: one, bobOutput: one, aliceInput: one, bobInput: one };
            log(cast.orderbook, &v4::AfterClear { sender: STRANGER, clearStateChange: change })
        }
        Generation::V5 | Generation::V6 => {
            let one = float(I256::ONE, 0);
            let change =
                v5::ClearStateChangeV2 { aliceOutput: one, bobOutput: one, aliceInput: one, bobInput: one };
            log(cast.orderbook, &v5::AfterClearV2 { sender: STRANGER, clearStateChange: change })
        }
    }
}

fn place<T>(places: &mut BTreeMap<u64, T>, block: u64, index: u64, thing: T) -> Result<(), RecordingError> {
    match places.insert(index, thing) {
        None => Ok(()),
        Some(_) => Err(RecordingError::TwoAtOnePlace { block, index }),
    }
}

/// Mines every block from the first to the last, empty ones between.
fn mine(
    chain_id: u64,
    cast: Cast,
    mut blocks: Blocks,
    timestamps: &BTreeMap<u64, u64>,
) -> Result<SimChain, RecordingError> {
    let heights = || blocks.keys().chain(timestamps.keys());
    let first = heights().min().copied().ok_or(RecordingError::Empty)?;
    let last = heights().max().copied().ok_or(RecordingError::Empty)?;
    let chain = SimChain::empty(Genesis { chain_id, cast, ..Genesis::at(first) });
    for number in first..=last {
        let txs = blocks.remove(&number).unwrap_or_default();
        chain.mine_at(timestamps.get(&number).copied(), fill_up(number, txs));
    }
    Ok(chain)
}

/// The block's transactions, with a stranger's at each place that is skipped.
fn fill_up(number: u64, txs: BTreeMap<u64, Placed>) -> Vec<SimTx> {
    let mut filled = Vec::new();
    let mut next_tx = 0;
    let mut next_log = 0;
    for (tx_index, placed) in txs {
        for skipped in next_tx..tx_index {
            let hash = keccak256([number.to_be_bytes(), skipped.to_be_bytes()].concat());
            filled.push(SimTx::failed(hash, STRANGER, STRANGER));
        }
        next_tx = tx_index + 1;
        let mut logs = Vec::new();
        for (log_index, log) in placed.logs {
            for skipped in next_log..log_index {
                logs.push(transfer(STRANGER, STRANGER, STRANGER, U256::from(skipped)));
            }
            next_log = log_index + 1;
            logs.push(log);
        }
        filled.push(SimTx::new(placed.hash, placed.from, placed.to, logs));
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::super::invent::{Mix, Rate};
    use super::*;
    use serde_json::Value;

    const RECORDINGS: [&str; 5] = [
        include_str!("../../tests/fixtures/raindex/raindex-v4.json"),
        include_str!("../../tests/fixtures/raindex/raindex-v4-zero-clear.json"),
        include_str!("../../tests/fixtures/raindex/raindex-v5.json"),
        include_str!("../../tests/fixtures/raindex/raindex-v6.json"),
        include_str!("../../tests/fixtures/raindex/raindex-v6-random.json"),
    ];
    const SYNTHETIC: &str = include_str!("../../tests/fixtures/raindex/raindex-synthetic.json");

    /// The recorded log as the chain should have it.
    fn expected(log: &Value) -> (u64, B256, u64, u64, Log) {
        let log: RecordedLog = serde_json::from_value(log.clone()).unwrap();
        (
            log.block_number.to(),
            log.transaction_hash,
            log.transaction_index.to(),
            log.log_index.to(),
            log.log(),
        )
    }

    fn there(chain: &SimChain) -> Vec<(u64, B256, u64, u64, Log)> {
        chain
            .canonical_logs()
            .into_iter()
            .map(|log| (log.block_number, log.tx_hash, log.tx_index, log.log_index, log.log))
            .collect()
    }

    #[test]
    fn every_recorded_log_is_where_it_was() {
        for json in RECORDINGS {
            let file: Value = serde_json::from_str(json).unwrap();
            let chain = SimChain::from_recording(json).unwrap();
            let mut recorded = Vec::new();
            for tx in file["transactions"].as_array().unwrap() {
                recorded.extend(tx["logs"].as_array().unwrap().iter().map(expected));
            }
            recorded.sort_by_key(|log| (log.0, log.3));
            let ours: Vec<_> = there(&chain).into_iter().filter(|log| log.4.address != STRANGER).collect();
            assert_eq!(ours, recorded);
            for block in file["blocks"].as_array().unwrap() {
                let recorded: RecordedBlock = serde_json::from_value(block.clone()).unwrap();
                let block = chain.block(recorded.number.to()).unwrap();
                assert_eq!(block.timestamp, recorded.timestamp.to::<u64>());
                assert_eq!(block.header().hash_slow(), block.hash);
            }
        }
    }

    #[test]
    fn a_recording_goes_on_with_an_invention() {
        let chain = SimChain::from_recording(RECORDINGS[3]).unwrap();
        let recorded = chain.head();
        chain.keep_inventing(1, Rate::per_block(2), Mix::full());
        chain.mine_invented(10);
        assert_eq!(chain.head().number, recorded.number + 10);
        let fills = chain.canonical_fills();
        let owner = chain.cast().owner;
        assert!(fills.iter().any(|fill| fill.ours && fill.owner == owner));
        assert!(fills.iter().all(|fill| fill.block_number > recorded.number));
    }

    #[test]
    fn synthetic_logs_are_where_they_say_they_are() {
        let file: Value = serde_json::from_str(SYNTHETIC).unwrap();
        for set in file["sets"].as_array().unwrap() {
            let generation = set["generation"].as_str().unwrap();
            let Synthetic { chain, lies } = SimChain::from_synthetic(SYNTHETIC, generation).unwrap();
            let there = there(&chain);
            for case in set["cases"].as_array().unwrap() {
                for log in case["logs"].as_array().unwrap() {
                    let wanted = expected(log);
                    assert_eq!(there.iter().filter(|log| **log == wanted).count(), 1, "{case}");
                }
            }
            assert_eq!(lies.len(), 2, "one leaves a partner out, one says a log twice");
        }
        let unknown = SimChain::from_synthetic(SYNTHETIC, "v9").unwrap_err();
        assert_eq!(unknown.to_string(), "there is no generation \"v9\" here");
    }
}
