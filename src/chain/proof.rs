//! What a header proves, and what its receipts do.
//!
//! A header whose hash recomputes ties its bloom and its receipts root to the
//! chain we follow: a bloom without a contract or without each of its events
//! proves that the block has no such log; receipts whose root recomputes *are*
//! the block's, with every log in them. What cannot be recomputed (an unknown
//! header field, an unknown receipt type) proves nothing and accuses nobody.

use alloy::{
    consensus,
    primitives::{Address, B256, Bloom, BloomInput, Bytes, Log as BareLog, U256},
    rlp::{BufMut, Encodable},
};
use serde::Deserialize;

use super::log::{Filter, Log};

/// One block's header, as far as it is relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its height.
    pub number: u64,
    /// Its hash, as the node says.
    pub hash: B256,
    /// Its parent's hash.
    pub parent: B256,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// What it proves; `None` where its hash does not recompute.
    pub proves: Option<Proves>,
}

/// What a header proves whose hash was recomputed from its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proves {
    /// Holds every address and topic of every log of the block.
    pub bloom: Box<Bloom>,
    /// The root of the block's receipts.
    pub receipts_root: B256,
}

impl Header {
    /// Reads a block as nodes answer it.
    ///
    /// # Errors
    /// Not even number, hash, parent and time could be read.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Bare {
            hash: B256,
            parent_hash: B256,
            #[serde(with = "alloy::serde::quantity")]
            number: u64,
            #[serde(with = "alloy::serde::quantity")]
            timestamp: u64,
        }
        let bare: Bare = serde_json::from_str(json)?;
        let proves = serde_json::from_str::<consensus::Header>(json)
            .ok()
            .filter(|header| header.hash_slow() == bare.hash)
            .map(|header| Proves { bloom: Box::new(header.logs_bloom), receipts_root: header.receipts_root });
        Ok(Self {
            number: bare.number,
            hash: bare.hash,
            parent: bare.parent_hash,
            timestamp: bare.timestamp,
            proves,
        })
    }

    /// Is it proved that the block holds no log of `filter`?
    pub fn excludes(&self, filter: &Filter) -> bool {
        self.proves.as_ref().is_some_and(|proves| {
            !holds(&proves.bloom, filter.address.as_slice())
                || !filter.topics.iter().any(|topic| holds(&proves.bloom, topic.as_slice()))
        })
    }

    /// Is the bloom proved, and does it hold the log's contract and event?
    pub fn holds(&self, log: &Log) -> bool {
        self.proves.as_ref().is_some_and(|proves| {
            holds(&proves.bloom, log.address.as_slice())
                && log.topics.iter().all(|topic| holds(&proves.bloom, topic.as_slice()))
        })
    }
}

fn holds(bloom: &Bloom, item: &[u8]) -> bool {
    bloom.contains_input(BloomInput::Raw(item))
}

/// Why receipts proved nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotProved {
    /// The header's own hash does not recompute: nothing to hold receipts against.
    #[error("the header's hash does not recompute from its fields")]
    Header,
    /// The answer is no list of receipts.
    #[error("the receipts do not read")]
    Unreadable(#[source] serde_json::Error),
    /// A kind of receipt whose encoding we do not know; accuses nobody.
    #[error("a receipt of the unknown type {0} is among them")]
    UnknownType(u64),
    /// The root does not recompute: these are not the block's receipts.
    #[error("their root is {computed}, the header says {expected}")]
    Root {
        /// What the receipts come to.
        computed: B256,
        /// What the header says.
        expected: B256,
    },
}

/// The logs of `filter` out of the receipts of block `header`, proved to be all.
///
/// `json` is an answer to `eth_getBlockReceipts`.
pub fn logs_of_receipts(json: &str, header: &Header, filter: &Filter) -> Result<Vec<Log>, NotProved> {
    let proves = header.proves.as_ref().ok_or(NotProved::Header)?;
    let mut receipts: Vec<Receipt> = serde_json::from_str(json).map_err(NotProved::Unreadable)?;
    receipts.sort_by_key(|receipt| receipt.transaction_index);
    let encoded: Vec<Bytes> = receipts.iter().map(|receipt| receipt.encoded().into()).collect();
    let computed =
        consensus::proofs::ordered_trie_root_with_encoder(&encoded, |item, out| out.put_slice(item));
    if computed != proves.receipts_root {
        let unknown = receipts.iter().find(|receipt| !receipt.has_known_type());
        return Err(match unknown {
            Some(receipt) => NotProved::UnknownType(receipt.kind),
            None => NotProved::Root { computed, expected: proves.receipts_root },
        });
    }
    // The root covers what the logs say, not where the answer says they stand.
    let mut logs = Vec::new();
    let mut next = 0;
    for receipt in receipts {
        for log in receipt.logs {
            if filter.address == log.address
                && log.topics.first().is_some_and(|topic| filter.topics.contains(topic))
            {
                logs.push(Log {
                    address: log.address,
                    topics: log.topics,
                    data: log.data,
                    block_number: header.number,
                    block_hash: header.hash,
                    block_timestamp: Some(header.timestamp),
                    transaction_hash: receipt.transaction_hash,
                    transaction_index: receipt.transaction_index,
                    log_index: next,
                    removed: false,
                });
            }
            next += 1;
        }
    }
    Ok(logs)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    #[serde(with = "alloy::serde::quantity")]
    transaction_index: u64,
    #[serde(rename = "type", default, with = "alloy::serde::quantity")]
    kind: u64,
    #[serde(default)]
    status: Option<U256>,
    #[serde(default)]
    root: Option<B256>,
    #[serde(with = "alloy::serde::quantity")]
    cumulative_gas_used: u64,
    logs_bloom: Bloom,
    logs: Vec<ReceiptLog>,
    #[serde(default, with = "alloy::serde::quantity::opt")]
    deposit_nonce: Option<u64>,
    #[serde(default, with = "alloy::serde::quantity::opt")]
    deposit_receipt_version: Option<u64>,
}

#[derive(Deserialize)]
struct ReceiptLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

/// The OP stack's deposit transaction.
const DEPOSIT: u64 = 0x7e;

impl Receipt {
    /// Ethereum's types to Pectra, and the OP stack's deposit.
    const fn has_known_type(&self) -> bool {
        self.kind <= 4 || self.kind == DEPOSIT
    }

    /// As the receipts trie holds it: `[type] ++ rlp([status, gas, bloom, logs])`; since
    /// Canyon an OP deposit has its nonce and version behind them.
    fn encoded(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        match self.root {
            Some(root) => root.encode(&mut fields),
            None => self.status.unwrap_or_default().encode(&mut fields),
        }
        self.cumulative_gas_used.encode(&mut fields);
        self.logs_bloom.encode(&mut fields);
        let logs: Vec<BareLog> = self
            .logs
            .iter()
            .map(|log| BareLog::new_unchecked(log.address, log.topics.clone(), log.data.clone()))
            .collect();
        logs.encode(&mut fields);
        if let (DEPOSIT, Some(version)) = (self.kind, self.deposit_receipt_version) {
            self.deposit_nonce.unwrap_or_default().encode(&mut fields);
            version.encode(&mut fields);
        }
        let mut receipt = Vec::with_capacity(fields.len() + 8);
        if let (1.., Ok(kind)) = (self.kind, u8::try_from(self.kind)) {
            receipt.push(kind);
        }
        alloy::rlp::Header { list: true, payload_length: fields.len() }.encode(&mut receipt);
        receipt.extend_from_slice(&fields);
        receipt
    }
}
