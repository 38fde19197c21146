//! What happened on chain: fills, vault moves, and logs that gave neither.
//!
//! Facts are read from logs once and never edited; a reorg marks the log they
//! rest on, and nothing else changes. How they are read is the chain door's.

use std::fmt;

use alloy::primitives::{Address, B256};

use crate::units::{Amount, Exact, Shares, Usd};

/// Which side of the log is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The order that somebody took.
    Order,
    /// The first order of a clear.
    Alice,
    /// The second order of a clear.
    Bob,
    /// A shared inventory that an operator settled with.
    Inventory,
}

impl Role {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Alice => "alice",
            Self::Bob => "bob",
            Self::Inventory => "inventory",
        }
    }

    /// The one named by a column.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Order, Self::Alice, Self::Bob, Self::Inventory].into_iter().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What the owner did on chain. The hedge goes the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Received the equity, gave USDC.
    Buy,
    /// Gave the equity, received USDC.
    Sell,
}

impl Side {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }

    /// The one named by a column.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Buy, Self::Sell].into_iter().find(|side| side.word() == word)
    }

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// What `quantity`, which has no sign, does to a position: a sale is negative.
    #[must_use]
    pub const fn signed(self, quantity: Shares) -> Shares {
        match self {
            Self::Buy => quantity,
            Self::Sell => quantity.negated(),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One side of ours in one onchain trade.
///
/// - **Unit** whole tokens, underlying shares, whole USDC.
/// - **Sign** none: `side` says which way, as seen by the owner.
/// - **Source** the orderbook's take and clear logs, or an inventory's operator logs.
/// - **Never** edited. A reorg marks its log as taken, and nothing else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Which side of the log is ours.
    pub role: Role,
    /// Whose order it was.
    pub owner: Address,
    /// What the owner did.
    pub side: Side,
    /// The share's ticker at the broker.
    pub symbol: String,
    /// The equity token.
    pub token: Address,
    /// Whole equity tokens, cut toward zero to 18 decimals.
    pub token_quantity: Amount,
    /// The same, uncut.
    pub token_quantity_exact: Exact,
    /// Whole USDC, cut toward zero to 6 decimals.
    pub usdc: Usd,
    /// The same, uncut.
    pub usdc_exact: Exact,
    /// Underlying shares per whole token at the fill's block; 1 unless the token is a wrapper.
    pub wrapper_ratio: Amount,
    /// Underlying shares: what must be hedged.
    pub quantity: Shares,
    /// USDC per whole token, 18 decimals, half to even, from the uncut amounts.
    pub price: Exact,
    /// The vault that received, where there is one.
    pub vault_in: Option<B256>,
    /// The vault that gave, where there is one.
    pub vault_out: Option<B256>,
}

/// A deposit into a vault of ours, or a withdrawal from it.
///
/// - **Unit** whole tokens.
/// - **Sign** of `amount`: what the vault gained; a withdrawal is negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultMove {
    /// Whose vault.
    pub owner: Address,
    /// Which token.
    pub token: Address,
    /// Which vault.
    pub vault_id: B256,
    /// What the vault gained, cut toward zero to 18 decimals.
    pub amount: Amount,
    /// The same, uncut.
    pub amount_exact: Exact,
    /// Deposit or withdrawal: a withdrawal of nothing is still one.
    pub withdrawal: bool,
}

/// Why a log of ours gave no fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The log does not read as its topic says.
    Decode,
    /// It names an input or output beyond the order's list.
    Index,
    /// Not USDC against a share we know.
    Pair,
    /// An amount is zero, or less than the books' grid: no usable price.
    Zero,
    /// An amount is negative or absurd.
    Range,
    /// The token does not say its decimals or symbol.
    Token,
    /// The wrapper does not say its ratio at the fill's block.
    Ratio,
    /// The partner log does not exist, or there is more than one.
    Unpaired,
}

impl Reason {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Index => "index",
            Self::Pair => "pair",
            Self::Zero => "zero",
            Self::Range => "range",
            Self::Token => "token",
            Self::Ratio => "ratio",
            Self::Unpaired => "unpaired",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A log that is ours, or may be, but gives no fill. Kept, counted, shown, re-driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The side that was skipped, where that much is known.
    pub role: Option<Role>,
    /// Why.
    pub reason: Reason,
    /// What was there instead, for a person to read.
    pub detail: String,
}

/// What one log said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A side of ours in a trade.
    Fill(Box<Fill>),
    /// A vault of ours gained or lost.
    VaultMove(VaultMove),
    /// Neither, and why.
    Skip(Skip),
}
