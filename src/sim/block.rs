//! A block that a client can check: real header hash, parent, bloom, roots.
//!
//! What a light client recomputes is true: `keccak(rlp(header))`, `logsBloom`
//! and `receiptsRoot`. Absent on purpose: transaction bodies and state, so
//! `transactionsRoot` and `stateRoot` are stand-ins that nobody can recompute,
//! bound to the transactions' hashes and to the block.

use super::fill::{Note, SimFill};
use super::log::{LogRef, Logs};
use alloy::consensus::Header;
use alloy::consensus::constants::{EMPTY_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy::consensus::proofs::ordered_trie_root_with_encoder;
use alloy::eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy::primitives::{Address, B256, Bloom, BloomInput, Bytes, Log, address, keccak256};
use alloy::rlp::{self, Encodable};
use std::sync::Arc;

/// How a transaction's receipt is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxKind {
    /// Type 0, without a prefix.
    Legacy,
    /// Type 2, EIP-1559.
    Dynamic,
    /// Type 0x7e of the OP stack: its receipt carries a nonce and a version.
    Deposit,
}

impl TxKind {
    /// The type's byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Legacy => 0,
            Self::Dynamic => 2,
            Self::Deposit => 0x7e,
        }
    }
}

/// The receipt version that deposits carry since the Canyon upgrade.
pub(super) const DEPOSIT_RECEIPT_VERSION: u64 = 1;

/// The account that opens each block of an OP chain.
const L1_ATTRIBUTES: Address = address!("deaddeaddeaddeaddeaddeaddeaddeaddead0001");
/// The contract it calls.
const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");
/// Where an OP chain sends its fees.
const SEQUENCER_FEES: Address = address!("4200000000000000000000000000000000000011");

/// A transaction and what it left behind. In which block is not its affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimTx {
    pub(super) hash: B256,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) kind: TxKind,
    pub(super) succeeded: bool,
    pub(super) logs: Logs,
    pub(super) notes: Box<[Note]>,
}

impl SimTx {
    /// An EIP-1559 transaction that succeeded with these logs.
    pub fn new(hash: B256, from: Address, to: Address, logs: impl IntoIterator<Item = Log>) -> Self {
        Self {
            hash,
            from,
            to,
            kind: TxKind::Dynamic,
            succeeded: true,
            logs: logs.into_iter().collect(),
            notes: Box::default(),
        }
    }

    /// The same, of another kind.
    #[must_use]
    pub fn of_kind(self, kind: TxKind) -> Self {
        Self { kind, ..self }
    }

    /// One that failed: mined and paid for, and without a log.
    pub fn failed(hash: B256, from: Address, to: Address) -> Self {
        Self { succeeded: false, ..Self::new(hash, from, to, []) }
    }

    /// The deposit that opens block `number` of an OP chain.
    pub fn l1_attributes(number: u64) -> Self {
        let hash = keccak256([L1_ATTRIBUTES.as_slice(), &number.to_be_bytes()].concat());
        Self::new(hash, L1_ATTRIBUTES, L1_BLOCK, []).of_kind(TxKind::Deposit)
    }

    /// Its hash.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Its logs, in order.
    pub fn logs(&self) -> impl Iterator<Item = Log> {
        self.logs.iter().map(LogRef::to_log)
    }

    pub(super) fn gas_used(&self) -> u64 {
        21_000 + 30_000 * count(self.logs.count())
    }

    pub(super) fn bloom(&self) -> Bloom {
        let mut bloom = Bloom::ZERO;
        for log in self.logs.iter() {
            bloom.accrue(BloomInput::Raw(log.address.as_slice()));
            for topic in log.topics() {
                bloom.accrue(BloomInput::Raw(topic.as_slice()));
            }
        }
        bloom
    }
}

/// A block; the parts of its header that differ from block to block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub number: u64,
    /// Keccak of its RLP header.
    pub hash: B256,
    /// The block below.
    pub parent_hash: B256,
    /// Seconds since 1970.
    pub timestamp: u64,
    pub(super) txs: Vec<Arc<SimTx>>,
    receipts_root: B256,
    /// None if no bit is set: most blocks of most chains in a rehearsal.
    bloom: Option<Box<Bloom>>,
    gas_used: u64,
    entropy: B256,
}

/// What a block is made of, before it is mined.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) number: u64,
    pub(super) parent_hash: B256,
    pub(super) timestamp: u64,
    pub(super) txs: Vec<Arc<SimTx>>,
    /// Makes siblings with equal contents differ, as `prevRandao` does.
    pub(super) entropy: B256,
    /// Whether this chain fills in its headers' blooms; some do not.
    pub(super) blooms: bool,
}

impl Block {
    pub(super) fn mine(draft: Draft) -> Self {
        let blooms: Vec<Bloom> = draft.txs.iter().map(|tx| tx.bloom()).collect();
        let mut gas_used = 0;
        let receipts: Vec<Receipt<'_>> = draft
            .txs
            .iter()
            .zip(&blooms)
            .map(|(tx, bloom)| {
                gas_used += tx.gas_used();
                Receipt { tx, bloom, cumulative_gas: gas_used, deposit_nonce: draft.number }
            })
            .collect();
        let receipts_root = ordered_trie_root_with_encoder(&receipts, Receipt::encode);
        let bloom = blooms.iter().fold(Bloom::ZERO, |all, one| all | *one);
        let mut block = Self {
            number: draft.number,
            hash: B256::ZERO,
            parent_hash: draft.parent_hash,
            timestamp: draft.timestamp,
            receipts_root,
            bloom: (draft.blooms && !bloom.is_zero()).then(|| Box::new(bloom)),
            gas_used,
            entropy: draft.entropy,
            txs: draft.txs,
        };
        block.hash = block.header().hash_slow();
        block
    }

    /// Its header, whole, in the shape of Base since the Isthmus upgrade.
    pub fn header(&self) -> Header {
        Header {
            parent_hash: self.parent_hash,
            beneficiary: SEQUENCER_FEES,
            state_root: keccak256(self.entropy),
            transactions_root: self.transactions_root(),
            receipts_root: self.receipts_root,
            logs_bloom: self.bloom.as_deref().copied().unwrap_or_default(),
            number: self.number,
            gas_limit: 240_000_000,
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: Bytes::from_static(&[0, 0, 0, 0, 50, 0, 0, 0, 6]),
            mix_hash: self.entropy,
            base_fee_per_gas: Some(1_000_000),
            withdrawals_root: Some(EMPTY_WITHDRAWALS),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(self.parent_hash),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// Its transactions, in order.
    pub fn transactions(&self) -> impl Iterator<Item = &SimTx> {
        self.txs.iter().map(Arc::as_ref)
    }

    /// Its logs, each with the transaction it is of, counted through the block.
    pub fn logs(&self) -> impl Iterator<Item = SimLog> {
        self.places().map(|place| SimLog {
            block_hash: self.hash,
            block_number: self.number,
            tx_hash: place.tx.hash,
            tx_index: place.tx_index,
            log_index: place.log_index,
            log: place.log.to_log(),
        })
    }

    /// The invented fills in it.
    pub fn fills(&self) -> impl Iterator<Item = SimFill> {
        let mut before = 0;
        self.txs.iter().flat_map(move |tx| {
            let first = before;
            before += tx.logs.count();
            tx.notes.iter().map(move |note| SimFill {
                block_hash: self.hash,
                block_number: self.number,
                tx_hash: tx.hash,
                log_index: count(first + note.log),
                role: note.role,
                side: note.side,
                owner: note.owner,
                ours: note.ours,
                token: note.token,
                quantity: note.quantity.to_string(),
                usdc: note.usdc.to_string(),
            })
        })
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let of_each = self.txs.iter().zip(0..).flat_map(|(tx, tx_index)| {
            let logs = tx.logs.iter();
            logs.map(move |log| (tx.as_ref(), tx_index, log))
        });
        of_each.zip(0..).map(|((tx, tx_index, log), log_index)| Place { tx, tx_index, log, log_index })
    }

    /// Whether any of its transactions left a log.
    pub fn has_logs(&self) -> bool {
        self.txs.iter().any(|tx| tx.logs.count() > 0)
    }

    fn transactions_root(&self) -> B256 {
        if self.txs.is_empty() {
            return EMPTY_ROOT_HASH;
        }
        let mut hashes = Vec::with_capacity(32 * self.txs.len());
        for tx in &self.txs {
            hashes.extend_from_slice(tx.hash.as_slice());
        }
        keccak256(hashes)
    }
}

/// A log where it stands in its block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) tx: &'a SimTx,
    pub(super) tx_index: u64,
    pub(super) log: LogRef<'a>,
    pub(super) log_index: u64,
}

/// A log at its place on the chain, for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimLog {
    /// The block it is in.
    pub block_hash: B256,
    /// That block's number.
    pub block_number: u64,
    /// Its transaction.
    pub tx_hash: B256,
    /// That transaction's place in the block.
    pub tx_index: u64,
    /// Counted through the block.
    pub log_index: u64,
    /// Address, topics and data.
    pub log: Log,
}

/// A receipt about to be encoded.
#[derive(Debug)]
struct Receipt<'a> {
    tx: &'a SimTx,
    bloom: &'a Bloom,
    cumulative_gas: u64,
    deposit_nonce: u64,
}

impl Receipt<'_> {
    /// As EIP-2718 has it: the type's byte, if any, then the list.
    fn encode(&self, out: &mut Vec<u8>) {
        let logs: Vec<Log> = self.tx.logs().collect();
        let mut fields: Vec<&dyn Encodable> =
            vec![&self.tx.succeeded, &self.cumulative_gas, self.bloom, &logs];
        match self.tx.kind {
            TxKind::Legacy => {}
            TxKind::Dynamic => out.push(self.tx.kind.byte()),
            TxKind::Deposit => {
                out.push(self.tx.kind.byte());
                fields.push(&self.deposit_nonce);
                fields.push(&DEPOSIT_RECEIPT_VERSION);
            }
        }
        let payload_length = fields.iter().copied().map(Encodable::length).sum();
        rlp::Header { list: true, payload_length }.encode(out);
        for field in fields {
            field.encode(out);
        }
    }
}

/// A count of things in memory, as the wire has it.
pub(super) fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::consensus::proofs::calculate_receipt_root;
    use alloy::consensus::{Eip658Value, ReceiptEnvelope};
    use alloy::primitives::U256;

    #[test]
    fn roots_and_blooms_are_those_that_alloy_computes() {
        let token = Address::repeat_byte(7);
        let transfer = || super::super::abi::transfer(token, token, token, U256::from(5));
        let txs = [
            SimTx::new(B256::repeat_byte(1), token, token, [transfer(), transfer()]),
            SimTx::new(B256::repeat_byte(2), token, token, [transfer()]).of_kind(TxKind::Legacy),
            SimTx::failed(B256::repeat_byte(3), token, token),
        ];
        let mut gas = 0;
        let receipts: Vec<ReceiptEnvelope> = txs
            .iter()
            .map(|tx| {
                gas += tx.gas_used();
                let receipt = alloy::consensus::Receipt {
                    status: Eip658Value::Eip658(tx.succeeded),
                    cumulative_gas_used: gas,
                    logs: tx.logs().collect(),
                }
                .with_bloom();
                match tx.kind {
                    TxKind::Legacy => ReceiptEnvelope::Legacy(receipt),
                    TxKind::Dynamic | TxKind::Deposit => ReceiptEnvelope::Eip1559(receipt),
                }
            })
            .collect();
        let bloom = txs[0].logs().chain(txs[1].logs()).collect::<Vec<Log>>();

        let block = Block::mine(Draft {
            number: 5,
            parent_hash: B256::repeat_byte(9),
            timestamp: 10,
            txs: txs.into_iter().map(Arc::new).collect(),
            entropy: B256::repeat_byte(8),
            blooms: true,
        });

        let header = block.header();
        assert_eq!(header.receipts_root, calculate_receipt_root(&receipts));
        assert_eq!(header.logs_bloom, alloy::primitives::logs_bloom(&bloom));
        assert_eq!(header.hash_slow(), block.hash);
        let indexes: Vec<u64> = block.logs().map(|log| log.log_index).collect();
        assert_eq!(indexes, [0, 1, 2]);
    }
}
