//! JSON as a node writes it, straight into bytes.
//!
//! No tree is built: an answer of thousands of logs is written once, from the
//! compact form of the log to the wire's.

use super::block::{Block, DEPOSIT_RECEIPT_VERSION, Place, SimTx, TxKind};
use alloy::consensus::Header;
use alloy::primitives::{B256, Bloom, hex};
use std::io::Write;

/// Writes JSON. Values are hexadecimal, names are ours: nothing needs escaping.
#[derive(Debug, Default)]
pub(super) struct Json {
    out: Vec<u8>,
}

impl Json {
    /// What `write` writes.
    pub(super) fn written(write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self::default();
        write(&mut json);
        json.out
    }

    pub(super) fn null(&mut self) {
        self.raw("null");
    }

    pub(super) fn raw(&mut self, json: &str) {
        self.comma();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// `"0x…"`, two digits a byte.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.comma();
        self.out.extend_from_slice(b"\"0x");
        let start = self.out.len();
        self.out.resize(start + 2 * bytes.len(), 0);
        if let Some(digits) = self.out.get_mut(start..) {
            // The room is exactly what the digits need.
            let _ = hex::encode_to_slice(bytes, digits);
        }
        self.out.push(b'"');
    }

    /// `"0x…"`, without leading zeros.
    pub(super) fn quantity(&mut self, number: u64) {
        self.comma();
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "\"{number:#x}\"");
    }

    pub(super) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.comma();
        self.out.push(b'{');
        fields(self);
        self.out.push(b'}');
    }

    pub(super) fn array(&mut self, elements: impl FnOnce(&mut Self)) {
        self.comma();
        self.out.push(b'[');
        elements(self);
        self.out.push(b']');
    }

    pub(super) fn key(&mut self, name: &str) -> &mut Self {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self
    }

    /// A comma, unless this is the first of its kind or the value of a key.
    fn comma(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }
}

/// How a log is misreported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bend {
    Straight,
    WrongBlockHash,
    ForeignAddress,
    ForeignTopic,
    Removed,
    Phantom,
}

/// A log as an answer has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) block: &'a Block,
    pub(super) place: Place<'a>,
    pub(super) bend: Bend,
}

impl Line<'_> {
    /// `data` is room for the log's data, used again from log to log.
    pub(super) fn write(&self, json: &mut Json, timestamps: bool, data: &mut Vec<u8>) {
        let Self { block, place, bend } = self;
        let flip = |word: B256, bent: bool| if bent { !word } else { word };
        let mut address = place.log.address;
        if *bend == Bend::ForeignAddress {
            address = !address;
        }
        let block_hash = flip(block.hash, *bend == Bend::WrongBlockHash);
        let tx_hash = flip(place.tx.hash, *bend == Bend::Phantom);
        let log_index = match bend {
            Bend::Phantom => place.log_index + 1000,
            Bend::Straight
            | Bend::WrongBlockHash
            | Bend::ForeignAddress
            | Bend::ForeignTopic
            | Bend::Removed => place.log_index,
        };
        data.clear();
        place.log.unpack(data);
        json.object(|json| {
            json.key("address").bytes(address.as_slice());
            json.key("topics").array(|json| {
                for (nth, topic) in place.log.topics().enumerate() {
                    let bent = nth == 0 && *bend == Bend::ForeignTopic;
                    json.bytes(flip(topic, bent).as_slice());
                }
            });
            json.key("data").bytes(data);
            json.key("blockHash").bytes(block_hash.as_slice());
            json.key("blockNumber").quantity(block.number);
            if timestamps {
                json.key("blockTimestamp").quantity(block.timestamp);
            }
            json.key("transactionHash").bytes(tx_hash.as_slice());
            json.key("transactionIndex").quantity(place.tx_index);
            json.key("logIndex").quantity(log_index);
            let removed = if *bend == Bend::Removed { "true" } else { "false" };
            json.key("removed").raw(removed);
        });
    }
}

/// What a block's answer shows as its bloom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownBloom {
    True,
    /// One bit is another.
    Wrong,
    Zero,
}

/// A block with the hashes of its transactions.
pub(super) fn block(block: &Block, shown: ShownBloom, json: &mut Json) {
    let header = block.header();
    let mut bloom = match shown {
        ShownBloom::True | ShownBloom::Wrong => header.logs_bloom,
        ShownBloom::Zero => Bloom::ZERO,
    };
    if shown == ShownBloom::Wrong
        && let Some(byte) = bloom.last_mut()
    {
        *byte ^= 1;
    }
    json.object(|json| {
        json.key("hash").bytes(block.hash.as_slice());
        json.key("logsBloom").bytes(bloom.as_slice());
        header_fields(&header, json);
        json.key("transactions").array(|json| {
            for tx in block.transactions() {
                json.bytes(tx.hash.as_slice());
            }
        });
        json.key("size").quantity(1024);
        json.key("uncles").array(|_| {});
        json.key("withdrawals").array(|_| {});
    });
}

/// Every field that the hash covers but the bloom.
fn header_fields(header: &Header, json: &mut Json) {
    let words = [
        ("parentHash", Some(header.parent_hash)),
        ("sha3Uncles", Some(header.ommers_hash)),
        ("stateRoot", Some(header.state_root)),
        ("transactionsRoot", Some(header.transactions_root)),
        ("receiptsRoot", Some(header.receipts_root)),
        ("mixHash", Some(header.mix_hash)),
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    ];
    for (name, word) in words {
        if let Some(word) = word {
            json.key(name).bytes(word.as_slice());
        }
    }
    let quantities = [
        ("number", Some(header.number)),
        ("gasLimit", Some(header.gas_limit)),
        ("gasUsed", Some(header.gas_used)),
        ("timestamp", Some(header.timestamp)),
        ("difficulty", Some(0)),
        ("baseFeePerGas", header.base_fee_per_gas),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
    ];
    for (name, quantity) in quantities {
        if let Some(quantity) = quantity {
            json.key(name).quantity(quantity);
        }
    }
    json.key("miner").bytes(header.beneficiary.as_slice());
    json.key("extraData").bytes(&header.extra_data);
    json.key("nonce").bytes(header.nonce.as_slice());
}

/// The receipts of a block, or of one of its transactions, leaving out the
/// logs that `without` names.
pub(super) struct Receipts<'a> {
    pub(super) block: &'a Block,
    pub(super) timestamps: bool,
    /// By its place in the block.
    pub(super) without: Option<u64>,
}

impl Receipts<'_> {
    pub(super) fn write_all(&self, json: &mut Json) {
        json.array(|json| {
            for tx in self.block.transactions() {
                self.write(tx, json);
            }
        });
    }

    pub(super) fn write(&self, tx: &SimTx, json: &mut Json) {
        let block = self.block;
        let until = block.transactions().take_while(|there| there.hash != tx.hash);
        let (mut index, mut gas_before) = (0, 0);
        for before in until {
            index += 1;
            gas_before += before.gas_used();
        }
        json.object(|json| {
            json.key("type").quantity(u64::from(tx.kind.byte()));
            json.key("status").quantity(u64::from(tx.succeeded));
            json.key("cumulativeGasUsed").quantity(gas_before + tx.gas_used());
            json.key("gasUsed").quantity(tx.gas_used());
            json.key("effectiveGasPrice").quantity(1_000_000);
            // Base writes its data elsewhere, and charges for that besides.
            json.key("l1Fee").quantity(1_287_654_321);
            json.key("logsBloom").bytes(tx.bloom().as_slice());
            json.key("transactionHash").bytes(tx.hash.as_slice());
            json.key("transactionIndex").quantity(index);
            json.key("blockHash").bytes(block.hash.as_slice());
            json.key("blockNumber").quantity(block.number);
            json.key("from").bytes(tx.from.as_slice());
            json.key("to").bytes(tx.to.as_slice());
            json.key("contractAddress").null();
            if tx.kind == TxKind::Deposit {
                json.key("depositNonce").quantity(block.number);
                json.key("depositReceiptVersion").quantity(DEPOSIT_RECEIPT_VERSION);
            }
            json.key("logs").array(|json| {
                let mut data = Vec::new();
                let of_it = block.places().filter(|place| place.tx.hash == tx.hash);
                for place in of_it.filter(|place| Some(place.log_index) != self.without) {
                    let bend = Bend::Straight;
                    Line { block, place, bend }.write(json, self.timestamps, &mut data);
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_and_nowhere_else() {
        let written = Json::written(|json| {
            json.array(|json| {
                json.object(|_| {});
                json.object(|json| {
                    json.key("a").quantity(0);
                    json.key("b").array(|json| {
                        json.bytes(&[1, 255]);
                        json.bytes(&[]);
                        json.null();
                    });
                });
            });
        });
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text, r#"[{},{"a":"0x0","b":["0x01ff","0x",null]}]"#);
    }
}
