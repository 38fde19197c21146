//! The front desk: one file a command, each an `Args` and a `run` that is given its writer.

pub mod db;
pub mod migrate;
