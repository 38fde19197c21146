//! The rehearsal hall.
mod abi;
mod block;
mod chain;
mod fill;
mod invent;
mod log;
mod orders;
mod token;

pub use block::{Block, SimLog, SimTx, TxKind};
pub use chain::{BlockId, Genesis, Reorg, SimChain};
pub use fill::{Role, Side, SimFill};
pub use invent::{Cast, Invention, Mix, Rate};
pub use orders::Generation;
pub use token::{ONE_E18, SimToken};
