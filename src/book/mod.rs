//! Facts and arithmetic: what happened, and what follows from it.
//!
//! - [`fill`]: one side of ours in one onchain trade, a vault's move, a log that gave neither
//! - [`log`]: a log and a block, as they are kept
//! - [`order`]: what we ask a broker to do, and how far it got
//! - [`execution`]: a trade of ours at a broker
//! - [`activity`]: what moved in an account at a broker without a trade
//! - [`action`]: what companies do to their shares
//! - [`market`]: what brokers and markets say of themselves: hours, quotes, holdings
//! - [`earlier`]: the earlier system's books, row by row
//! - [`coverage`]: which blocks were read, and how each range was believed
//!
//! Pure: values in, values out. No clock, no pool, no `async`, no float.

pub mod action;
pub mod activity;
pub mod coverage;
pub mod earlier;
pub mod execution;
pub mod fill;
pub mod log;
pub mod market;
pub mod order;
