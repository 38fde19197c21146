//! What vaults and wallets held at one block, and what a wrapper was worth there.
//!
//! Everything is read at one block, named by its hash, which must be on the node's
//! own chain (EIP-1898): a reorg under a reading is an error, never a mixture. What a
//! node does not have any more, or not yet, is asked of the next; what a contract does
//! not answer is an error with its name, never a balance of zero (`raindex.md` §6).

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256, address};

use super::{
    float,
    nodes::Nodes,
    refusal::{Meaning, Refusal},
    rpc::{Call, Fault, Node, Reply},
    source::{Kind, SourceSettings},
};
use crate::{
    book::{
        log::Place,
        vault::{Balance, VaultKey, WalletKey},
    },
    units::{Amount, Exact},
};

/// `vaultBalance(address,address,uint256)`, v4
const VAULT_BALANCE: [u8; 4] = [0xd9, 0x7b, 0x2e, 0x48];
/// `vaultBalance2(address,address,bytes32)`, v5 and v6
const VAULT_BALANCE_2: [u8; 4] = [0x41, 0xd1, 0x51, 0x4f];
/// `balanceOf(address)`
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
/// `decimals()`
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];
/// `convertToAssets(uint256)`
const CONVERT_TO_ASSETS: [u8; 4] = [0x07, 0xa2, 0xd1, 0x3a];

/// The deployments of v6 in which vault 0 is a vault like any other (`raindex.md` §6).
const ORDINARY_ZERO: [Address; 2] = [
    address!("77Ca4947dce161e122Eb690D475448f092a7d7EB"),
    address!("e522cB4a5fCb2eb31a52Ff41a4653d85A4fd7C9D"),
];

/// Reads of contracts asked for in one batch.
const READS_A_BATCH: usize = 100;

/// What is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Vaults of the source's contract.
    pub vaults: BTreeSet<VaultKey>,
    /// Ordinary balances of tokens.
    pub wallets: BTreeSet<WalletKey>,
    /// ERC-4626 shares whose ratio is wanted.
    pub wrappers: BTreeSet<Address>,
}

/// What was there, all at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The block.
    pub at: Place,
    /// Which node said so.
    pub node: String,
    /// In vaults; vault 0 of a v6 contract is its owner's wallet, and reads as that.
    pub vaults: BTreeMap<VaultKey, Balance>,
    /// In wallets.
    pub wallets: BTreeMap<WalletKey, Balance>,
    /// Underlying shares per wrapper share.
    pub ratios: BTreeMap<Address, Amount>,
}

/// Why balances are not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VaultError {
    /// No usable answer: try again.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The state of that block is gone from this node.
    #[error("{node} no longer has the state of block {} ({said})", at.number)]
    Pruned {
        /// Which node.
        node: String,
        /// The block.
        at: Place,
        /// Its words.
        said: Refusal,
    },
    /// The block is not on the node's chain: it lags, or the chain changed its mind.
    #[error("{node} does not have block {} {} on its chain ({said})", at.number, at.hash)]
    Absent {
        /// Which node.
        node: String,
        /// The block.
        at: Place,
        /// Its words.
        said: Refusal,
    },
    /// Nothing answers at an address.
    #[error("{node} knows no contract at {contract} in block {}: {what} has no answer", at.number)]
    NoContract {
        /// Which node.
        node: String,
        /// The block.
        at: Place,
        /// The address.
        contract: Address,
        /// What was asked.
        what: String,
    },
    /// A contract, or a node, refuses the question.
    #[error("{node} refuses {what} of {contract}: {said}")]
    Refused {
        /// Which node.
        node: String,
        /// The contract asked.
        contract: Address,
        /// What was asked.
        what: String,
        /// Its words.
        said: Refusal,
    },
    /// An answer that says no such thing.
    #[error("{what} of {contract} answers 0x{}, which is none", alloy::hex::encode(answer))]
    Unreadable {
        /// The contract asked.
        contract: Address,
        /// What was asked.
        what: String,
        /// What came.
        answer: Vec<u8>,
    },
}

impl VaultError {
    /// What the operator can do about it.
    pub const fn next(&self) -> &'static str {
        match self {
            Self::Fault(_) => "see that the chain's nodes answer, and run again",
            Self::Pruned { .. } => {
                "add an archive node to the chain's `rpc`, or run sooner: public nodes keep the state of the newest blocks only"
            }
            Self::Absent { .. } => "run again when the node has caught up; after a reorg, with the new block",
            Self::NoContract { .. } => "check the address and the chain in the configuration",
            Self::Refused { .. } => {
                "check the source's `kind`: a contract of another generation refuses the question"
            }
            Self::Unreadable { .. } => {
                "check the address in the configuration: that contract is something else"
            }
        }
    }

    /// May another node know better?
    const fn is_of_the_node(&self) -> bool {
        match self {
            Self::Fault(_) | Self::Pruned { .. } | Self::Absent { .. } | Self::NoContract { .. } => true,
            Self::Refused { .. } | Self::Unreadable { .. } => false,
        }
    }
}

/// Is this vault its owner's wallet? (`raindex.md` §6)
pub fn is_wallet(source: &SourceSettings, vault: &VaultKey) -> bool {
    source.kind == Kind::RaindexV6 && vault.vault_id.is_zero() && !ORDINARY_ZERO.contains(&source.address)
}

/// Reads everything wanted at block `at` from the first node that has all of it.
///
/// # Errors
/// What the last node said; where one had pruned the state and no other knew better, that.
pub async fn read(
    nodes: &Nodes,
    source: &SourceSettings,
    wanted: &Wanted,
    at: Place,
) -> Result<Held, VaultError> {
    let mut pruned = None;
    let mut last = None;
    for _ in nodes.all() {
        let node = match nodes.ready().await {
            Ok(node) => node,
            Err(fault) => {
                last = Some(fault.into());
                continue;
            }
        };
        match held(&node, source, wanted, at).await {
            Ok(held) => {
                nodes.praise(&node);
                return Ok(held);
            }
            Err(error) if !error.is_of_the_node() => return Err(error),
            Err(error) => {
                if let VaultError::Fault(fault) = &error {
                    nodes.blame(&node, fault);
                } else {
                    nodes.pass(&node);
                }
                if matches!(error, VaultError::Pruned { .. }) {
                    pruned = Some(error);
                } else {
                    last = Some(error);
                }
            }
        }
    }
    let none = || Fault::Unanswered { node: "no node".to_owned(), why: "the chain has no rpc".to_owned() };
    Err(pruned.or(last).unwrap_or_else(|| none().into()))
}

/// One question to a contract.
#[derive(Clone, Copy, Debug)]
enum What {
    Decimals(Address),
    Vault(VaultKey),
    Wallet(WalletKey),
    Ratio(Address),
}

impl What {
    fn contract(self, source: &SourceSettings) -> Address {
        match self {
            Self::Decimals(token) | Self::Ratio(token) => token,
            Self::Vault(vault) if is_wallet(source, &vault) => vault.token,
            Self::Vault(_) => source.address,
            Self::Wallet(wallet) => wallet.token,
        }
    }

    fn input(self, source: &SourceSettings) -> Vec<u8> {
        match self {
            Self::Decimals(_) => DECIMALS.to_vec(),
            Self::Ratio(_) => {
                let one = U256::from(Amount::ONE.atoms().unsigned_abs());
                [&CONVERT_TO_ASSETS[..], &one.to_be_bytes::<32>()].concat()
            }
            Self::Wallet(wallet) => [&BALANCE_OF[..], wallet.holder.into_word().as_slice()].concat(),
            Self::Vault(vault) if is_wallet(source, &vault) => {
                [&BALANCE_OF[..], vault.owner.into_word().as_slice()].concat()
            }
            Self::Vault(vault) => {
                let selector = if source.kind == Kind::RaindexV4 { VAULT_BALANCE } else { VAULT_BALANCE_2 };
                let (owner, token) = (vault.owner.into_word(), vault.token.into_word());
                [&selector[..], owner.as_slice(), token.as_slice(), vault.vault_id.as_slice()].concat()
            }
        }
    }

    /// As an error names it.
    fn name(self, source: &SourceSettings) -> String {
        match self {
            Self::Decimals(_) => "decimals()".to_owned(),
            Self::Ratio(_) => "convertToAssets(1e18)".to_owned(),
            Self::Wallet(wallet) => format!("balanceOf({})", wallet.holder),
            Self::Vault(vault) if is_wallet(source, &vault) => format!("balanceOf({})", vault.owner),
            Self::Vault(VaultKey { owner, token, vault_id }) => {
                let function = if source.kind == Kind::RaindexV4 { "vaultBalance" } else { "vaultBalance2" };
                format!("{function}({owner}, {token}, {vault_id})")
            }
        }
    }
}

/// Reads everything wanted at block `at` from one node, in as few batches as it takes.
///
/// # Errors
/// As [`VaultError`] says.
pub async fn held(
    node: &Node,
    source: &SourceSettings,
    wanted: &Wanted,
    at: Place,
) -> Result<Held, VaultError> {
    let tokens: BTreeSet<Address> = wanted
        .vaults
        .iter()
        .map(|vault| vault.token)
        .chain(wanted.wallets.iter().map(|wallet| wallet.token))
        .collect();
    // Decimals first: what comes after is counted in them.
    let questions: Vec<What> = tokens
        .into_iter()
        .map(What::Decimals)
        .chain(wanted.vaults.iter().copied().map(What::Vault))
        .chain(wanted.wallets.iter().copied().map(What::Wallet))
        .chain(wanted.wrappers.iter().copied().map(What::Ratio))
        .collect();
    let mut decimals: BTreeMap<Address, u8> = BTreeMap::new();
    let mut held = Held {
        at,
        node: node.name().to_owned(),
        vaults: BTreeMap::new(),
        wallets: BTreeMap::new(),
        ratios: BTreeMap::new(),
    };
    for some in questions.chunks(READS_A_BATCH) {
        let call = |what: &What| Call::read_canonical(what.contract(source), &what.input(source), at.hash);
        let calls: Vec<Call> = some.iter().map(call).collect();
        for (what, reply) in some.iter().zip(node.ask(&calls).await?) {
            let asked = Asked { node, source, what: *what, at };
            let word = asked.word(reply)?;
            let number = U256::from_be_bytes(word.0);
            let known = |token: Address| decimals.get(&token).copied().ok_or_else(|| asked.unreadable(word));
            match what {
                What::Decimals(token) => {
                    let own = u8::try_from(number).ok().filter(|own| *own <= 77);
                    decimals.insert(*token, own.ok_or_else(|| asked.unreadable(word))?);
                }
                What::Ratio(token) => {
                    let ratio = i128::try_from(number).ok().and_then(Amount::from_atoms);
                    let ratio = ratio.filter(|ratio| !ratio.is_zero());
                    held.ratios.insert(*token, ratio.ok_or_else(|| asked.unreadable(word))?);
                }
                What::Wallet(wallet) => {
                    held.wallets.insert(*wallet, Balance::base_units(number, known(wallet.token)?));
                }
                What::Vault(vault) => {
                    let own = known(vault.token)?;
                    let balance = if source.kind == Kind::RaindexV4 || is_wallet(source, vault) {
                        Balance::base_units(number, own)
                    } else {
                        Balance::whole(asked.bookable(float::decode(word), word)?, own)
                    };
                    held.vaults.insert(*vault, balance);
                }
            }
        }
    }
    Ok(held)
}

/// A question on its way, for what may be said of its answer.
#[derive(Clone, Copy)]
struct Asked<'a> {
    node: &'a Node,
    source: &'a SourceSettings,
    what: What,
    at: Place,
}

impl Asked<'_> {
    /// The first word of the answer.
    fn word(self, reply: Reply) -> Result<B256, VaultError> {
        let node = self.node.name().to_owned();
        let json = match reply {
            Ok(Some(json)) => json,
            Ok(None) => return Err(self.node.unanswered("null where a read was asked for").into()),
            Err(said) => {
                let (at, what, contract) =
                    (self.at, self.what.name(self.source), self.what.contract(self.source));
                return Err(match said.meaning() {
                    Meaning::Pruned => VaultError::Pruned { node, at, said },
                    Meaning::Unknown => VaultError::Absent { node, at, said },
                    Meaning::Unwell | Meaning::TooFast => self.node.unanswered(said).into(),
                    Meaning::Reverted
                    | Meaning::NoMethod
                    | Meaning::TooMuch
                    | Meaning::TooWide
                    | Meaning::Unheard => VaultError::Refused { node, contract, what, said },
                });
            }
        };
        let hex: String = serde_json::from_str(json.get())
            .map_err(|error| self.node.unanswered(format!("a read that gave no hex: {error}")))?;
        let answer = alloy::hex::decode(&hex)
            .map_err(|error| self.node.unanswered(format!("a read that gave no hex: {error}")))?;
        if answer.is_empty() {
            return Err(VaultError::NoContract {
                node,
                at: self.at,
                contract: self.what.contract(self.source),
                what: self.what.name(self.source),
            });
        }
        match answer.first_chunk::<32>() {
            Some(word) => Ok(B256::from(*word)),
            None => Err(self.none(answer)),
        }
    }

    fn bookable(self, exact: Exact, word: B256) -> Result<Exact, VaultError> {
        if exact.is_bookable() { Ok(exact) } else { Err(self.unreadable(word)) }
    }

    fn unreadable(self, word: B256) -> VaultError {
        self.none(word.to_vec())
    }

    fn none(self, answer: Vec<u8>) -> VaultError {
        let (contract, what) = (self.what.contract(self.source), self.what.name(self.source));
        VaultError::Unreadable { contract, what, answer }
    }
}
