//! The door to chains.
//!
//! - [`source`]: what to read: a contract, its generation, its owners
//! - [`log`]: a log as a node gives it, and what makes an answer believable in itself
//! - [`raindex`]: one transaction's logs → trades, vault moves, skips; with [`abi`] and [`float`]
//! - [`pyth`]: what a price feed said while a transaction ran
//! - [`gas`]: what transactions cost, and who paid
//! - [`vault`]: what vaults and wallets held at a block, and what a wrapper was worth
//! - [`booking`]: a trade and what is known of its tokens → a fill
//! - [`proof`]: what a header proves: its hash, what its bloom excludes, its receipts
//! - [`reader`]: one node's answers about a range → logs, and how far to believe them
//! - [`rpc`]: asking one node, in batches; [`refusal`]: what its "no" means; [`nodes`]: which one to ask
//!
//! It does what it is told and decides nothing about money. Nothing that a node
//! answers can panic here or keep another log from being read.

pub mod abi;
pub mod booking;
pub mod float;
pub mod gas;
pub mod log;
pub mod nodes;
pub mod proof;
pub mod pyth;
pub mod raindex;
pub mod reader;
pub mod refusal;
pub mod rpc;
pub mod source;
pub mod vault;
