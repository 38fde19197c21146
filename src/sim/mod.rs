//! The rehearsal hall.
mod abi;
mod block;
mod chain;
mod fill;
mod invent;
mod log;
mod node;
mod orders;
mod provider;
mod record;
mod render;
mod rpc;
mod token;
mod weather;
mod wire;

pub use block::{Block, SimLog, SimTx, TxKind};
pub use chain::{BlockId, Genesis, Reorg, SimChain};
pub use fill::{Role, Side, SimFill};
pub use invent::{Cast, Invention, Mix, Rate};
pub use node::{Served, SimNode, Tally};
pub use orders::Generation;
pub use provider::{Cap, Provider, Refusal};
pub use record::{RecordingError, Synthetic};
pub use token::{ONE_E18, SimToken};
pub use weather::{Fault, Limits, Manner, Method, Pick, Rule, SideLogs, Weather};
