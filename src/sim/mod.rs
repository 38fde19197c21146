//! The rehearsal hall: a chain that can reorg, nodes that can lie about it, and brokers.
//!
//! - [`SimChain`] is the truth: blocks with real header hashes, blooms and
//!   receipts roots, invented from a seed ([`Invention`]), played from a recording
//!   ([`SimChain::from_recording`]) or mined log by log ([`SimChain::mine`]);
//!   it reorgs, flips back, steps back, and says what is canonical.
//! - [`SimNode`] serves a chain over HTTP as a JSON-RPC node; several may serve
//!   one chain.
//! - [`Weather`] is what goes wrong at a node: [`Fault`]s by script or by seed,
//!   [`Provider`]s' refusals, storms. Set at any time.
//! - [`broker`]: an account with a market, served as Alpaca and Schwab serve theirs.
//!
//! ```no_run
//! # async fn rehearsal() -> std::io::Result<()> {
//! use hedge::sim::{Fault, Invention, Pick, SimChain, SimNode, Weather};
//!
//! let chain = SimChain::invent(&Invention::seeded(7));
//! let honest = SimNode::serve(chain.clone(), Weather::calm(), "127.0.0.1:0").await?;
//! let forgetful = Weather::calm().with(Fault::OmitLog(Pick::Any).every(3));
//! let liar = SimNode::serve(chain.clone(), forgetful, "127.0.0.1:0").await?;
//! chain.reorg(3);
//! liar.calm();
//! # Ok(())
//! # }
//! ```
//!
//! Always true: the same seed gives the same chain and, to the same requests in
//! the same order, the same weather; no clock is read and no hash map's order
//! shows. Absent: execution. Transactions have no bodies; vaults hold what their logs moved.

mod abi;
mod block;
pub mod broker;
mod chain;
mod fill;
mod flow;
mod invent;
mod log;
mod node;
mod oracle;
mod orders;
mod provider;
mod record;
mod render;
mod rpc;
mod token;
mod vault;
mod weather;
mod wire;

pub use block::{Block, SimLog, SimTx, TxKind};
pub use broker::{
    AlpacaKeys, Ask, Opening, PlacedBy, Prices, SchwabApp, SimAccount, SimActivity, SimAlpaca, SimSchwab,
    Storm, Strike,
};
pub use chain::{BlockId, Genesis, Reorg, SimChain, SimTrade};
pub use fill::{Role, Side, SimFill};
pub use flow::Flow;
pub use invent::{Cast, Invention, Mix, Rate};
pub use node::{Served, SimNode, Tally};
pub use oracle::{PYTH, feed_of};
pub use orders::Generation;
pub use provider::{Cap, Provider, Refusal};
pub use record::{RecordingError, Synthetic};
pub use token::{ONE_E18, SimToken};
pub use vault::Hold;
pub use weather::{Fault, Limits, Manner, Method, Pick, Rule, SideLogs, Weather};
