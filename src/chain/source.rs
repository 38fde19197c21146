//! What is to be read: chains, and the contracts on them.
//!
//! Only words and their spelling; reading itself is in the other files of this room.

use std::{fmt, str::FromStr};

use alloy::primitives::{Address, B256, address};
use serde::{Deserialize, Deserializer, de};

use super::rpc::host_of;
use crate::book::{coverage::Verdict, vault::VaultKey};

/// Which contract's events a source emits (`raindex.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Kind {
    /// Amounts are base units of the tokens.
    #[serde(rename = "raindex-v4")]
    RaindexV4,
    /// Amounts are Floats.
    #[serde(rename = "raindex-v5")]
    RaindexV5,
    /// Same events as v5.
    #[serde(rename = "raindex-v6")]
    RaindexV6,
    /// A shared inventory: operators' deposits and withdrawals, no orderbook.
    #[serde(rename = "raindex-inventory")]
    Inventory,
}

impl Kind {
    /// All, in order of age.
    pub const ALL: [Self; 4] = [Self::RaindexV4, Self::RaindexV5, Self::RaindexV6, Self::Inventory];

    /// The word used in columns and configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RaindexV4 => "raindex-v4",
            Self::RaindexV5 => "raindex-v5",
            Self::RaindexV6 => "raindex-v6",
            Self::Inventory => "raindex-inventory",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
            format!("`{word}` is not a kind: raindex-v4, raindex-v5, raindex-v6 or raindex-inventory")
        })
    }
}

/// How deep a fill's block must lie before the hedger may act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeAt {
    /// As soon as it is seen.
    Latest,
    /// Not above the node's `safe` block.
    Safe,
    /// Not above the node's `finalized` block.
    Finalized,
    /// At least this many blocks below the head.
    Blocks(u64),
}

impl<'de> Deserialize<'de> for HedgeAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Blocks(u64),
            Word(String),
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Blocks(blocks)) => Ok(Self::Blocks(blocks)),
            Ok(Form::Word(word)) if word == "latest" => Ok(Self::Latest),
            Ok(Form::Word(word)) if word == "safe" => Ok(Self::Safe),
            Ok(Form::Word(word)) if word == "finalized" => Ok(Self::Finalized),
            Ok(Form::Word(_)) | Err(_) => {
                Err(de::Error::custom("expected latest, safe, finalized or a number of blocks"))
            }
        }
    }
}

/// One contract to follow. Two sources never share a contract: list both owners in one.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Its name in tables and messages, unique.
    pub name: String,
    /// The chain's id.
    pub chain: u64,
    /// Which events it emits.
    pub kind: Kind,
    /// The contract.
    pub address: Address,
    /// Whose orders are ours; for an inventory, which operators.
    pub owners: Vec<Address>,
    /// The first block that may hold a log of ours.
    pub from_block: u64,
    /// How deep a fill must lie for the hedger.
    pub hedge_at: HedgeAt,
    /// How well a fill must be believed for the hedger.
    pub believe: Verdict,
    /// The vaults that are known to be ours; empty: whichever are met.
    pub vaults: Vec<VaultKey>,
    /// Wallets on its chain whose tokens are ours too; those that vault 0 stands for need not be named.
    pub wallets: Vec<Address>,
}

/// One chain, and how to reach it.
#[derive(Clone)]
pub struct ChainSettings {
    /// The chain's id, as `eth_chainId` must answer.
    pub id: u64,
    /// Nodes, in order of preference; rotated on fault. May carry keys: never printed whole.
    pub rpc: Vec<String>,
    /// The quote token.
    pub usdc: Address,
    /// Time between two looks at the head, in milliseconds.
    pub poll_ms: u64,
    /// Longest wait for one answer, in milliseconds.
    pub timeout_ms: u64,
    /// Answers asked for at the same time in a backfill.
    pub concurrency: usize,
    /// What proofs by receipts may cost.
    pub proof_budget: ProofBudget,
    /// Pyth's contract; none: there are no oracle prices.
    pub pyth: Option<Address>,
    /// Who of ours pays for transactions: what others paid costs us nothing.
    pub payers: Vec<Address>,
    /// Pyth's feed of what ETH is worth in dollars; none: gas stays in ETH.
    pub eth_feed: Option<B256>,
}

impl fmt::Debug for ChainSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, rpc, usdc, poll_ms, timeout_ms, concurrency, proof_budget, pyth, payers, eth_feed } =
            self;
        let nodes: Vec<String> = rpc.iter().map(|url| host_of(url)).collect();
        f.debug_struct("ChainSettings")
            .field("id", id)
            .field("rpc", &nodes)
            .field("usdc", usdc)
            .field("poll_ms", poll_ms)
            .field("timeout_ms", timeout_ms)
            .field("concurrency", concurrency)
            .field("proof_budget", proof_budget)
            .field("pyth", pyth)
            .field("payers", payers)
            .field("eth_feed", eth_feed)
            .finish()
    }
}

/// Pyth's contract where nobody names one: on Base (`raindex.md` §8).
pub fn usual_pyth(chain: u64) -> Option<Address> {
    (chain == 8453).then_some(address!("8250f4aF4B972684F7b336503E2D6dFeDeB1487a"))
}

/// How much may be fetched for proofs, a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofBudget {
    /// MiB of receipts a minute.
    pub mib: u64,
    /// Requests a minute.
    pub requests: u64,
}

impl Default for ProofBudget {
    fn default() -> Self {
        Self { mib: 512, requests: 1200 }
    }
}
