//! Facts and arithmetic: what happened, and what follows from it.
//!
//! - [`fill`]: one side of ours in one onchain trade, a vault's move, a log that gave neither
//! - [`log`]: a log and a block, as they are kept
//! - [`vault`]: where our tokens rest on chain
//! - [`order`]: what we ask a broker to do, and how far it got
//! - [`execution`]: a trade of ours at a broker
//! - [`activity`]: what moved in an account at a broker without a trade
//! - [`action`]: what companies do to their shares
//! - [`gas`], [`accrual`]: what a transaction cost, what a wrapper earned
//! - [`lot`], [`pnl`], [`count`], [`history`]: lots, what closing them earned, how that is counted, and from which facts
//! - [`statement`]: a day's figures, and that they tie out
//! - [`market`]: what brokers and markets say of themselves: hours, quotes, holdings
//! - [`recon`]: our books against what brokers and chains say, and what becomes of a difference
//! - [`earlier`]: the earlier system's books, row by row
//! - [`coverage`]: which blocks were read, and how each range was believed
//!
//! Pure: values in, values out. No clock, no pool, no `async`, no float.

pub mod accrual;
pub mod action;
pub mod activity;
pub mod count;
pub mod coverage;
pub mod earlier;
pub mod execution;
pub mod fill;
pub mod gas;
pub mod history;
pub mod log;
pub mod lot;
pub mod market;
pub mod order;
pub mod pnl;
pub mod recon;
pub mod statement;
pub mod vault;
