//! Pyth, as far as a rehearsal needs it: a price a feed, from a block on, and who asked.
//!
//! A trace has the shape of a recorded one: the orderbook evaluates each order, the words
//! contract asks Pyth, and Pyth, being a proxy, its implementation.

use alloy::primitives::{Address, B256, Bytes, I256, U256, address, hex, keccak256};
use alloy::sol_types::SolValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::block::{Block, SimTx};
use super::token::Reverted;

/// Pyth on Base.
pub const PYTH: Address = address!("8250f4aF4B972684F7b336503E2D6dFeDeB1487a");
/// `getPriceNoOlderThan(bytes32,uint256)`
const NO_OLDER: [u8; 4] = [0xa4, 0xae, 0x35, 0xe0];
/// `getPriceUnsafe(bytes32)`
const UNSAFE: [u8; 4] = [0x96, 0x83, 0x4a, 0xd3];

/// The feed that a share has where nobody named one.
pub fn feed_of(ticker: &str) -> B256 {
    keccak256(format!("Equity.US.{ticker}/USD"))
}

/// Feeds, and what they say.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    feeds: BTreeMap<String, B256>,
    prices: BTreeMap<(B256, u64), i64>,
}

impl Oracle {
    pub(super) fn set(&mut self, ticker: &str, feed: B256, from_block: u64, price: i64) {
        self.feeds.insert(ticker.to_owned(), feed);
        self.prices.insert((feed, from_block), price);
    }

    pub(super) fn feed(&self, ticker: &str) -> Option<B256> {
        self.feeds.get(ticker).copied()
    }

    /// What a share's feed said last.
    pub(super) fn last(&self, ticker: &str) -> Option<i64> {
        let feed = self.feed(ticker)?;
        self.prices.range((feed, 0)..=(feed, u64::MAX)).next_back().map(|(_, price)| *price)
    }

    /// Price, confidence, exponent and time, as Pyth gives them.
    fn answer(&self, feed: B256, block: &Block) -> Option<Bytes> {
        let (_, price) = self.prices.range((feed, 0)..=(feed, block.number)).next_back()?;
        let word = |number: i64| I256::try_from(number).unwrap_or_default().into_raw();
        let at = block.timestamp.saturating_sub(1);
        Some([word(*price), U256::from(10_213), word(-5), U256::from(at)].abi_encode().into())
    }

    pub(super) fn call(&self, input: &[u8], block: &Block) -> Result<Bytes, Reverted> {
        let (selector, rest) = input.split_first_chunk::<4>().ok_or(Reverted)?;
        let feed = rest.first_chunk::<32>().filter(|_| [NO_OLDER, UNSAFE].contains(selector));
        feed.and_then(|feed| self.answer(B256::from(*feed), block)).ok_or(Reverted)
    }

    /// What a transaction called, whose orders are of these shares.
    pub(super) fn trace(&self, tx: &SimTx, block: &Block, tickers: impl Iterator<Item = String>) -> Value {
        let calls: Vec<Value> = tickers
            .filter_map(|ticker| {
                let feed = *self.feeds.get(&ticker)?;
                let output = self.answer(feed, block)?.to_string();
                let age = U256::from(3_600).to_be_bytes::<32>();
                let input = hex::encode_prefixed([&NO_OLDER[..], feed.as_slice(), &age].concat());
                let below = json!({ "type": "DELEGATECALL", "from": PYTH, "to": Address::repeat_byte(0x79),
                                    "input": input, "output": output });
                let asked = json!({ "type": "STATICCALL", "from": Address::repeat_byte(0x77), "to": PYTH,
                                    "input": input, "output": output, "calls": [below] });
                let words = json!({ "type": "STATICCALL", "from": Address::repeat_byte(0x76),
                                    "to": Address::repeat_byte(0x77), "input": "0x58c07152", "calls": [asked] });
                Some(json!({ "type": "STATICCALL", "from": tx.to, "to": Address::repeat_byte(0x76),
                             "input": "0xd04dfe23", "calls": [words] }))
            })
            .collect();
        let mut trace = json!({ "type": "CALL", "from": tx.from, "to": tx.to, "gas": "0xb6a74c",
                                "gasUsed": "0x347e3", "input": "0x69c72856" });
        if let (false, Some(fields)) = (calls.is_empty(), trace.as_object_mut()) {
            fields.insert("calls".to_owned(), Value::Array(calls));
        }
        if let (false, Some(fields)) = (tx.succeeded, trace.as_object_mut()) {
            fields.insert("error".to_owned(), json!("execution reverted"));
        }
        trace
    }
}
