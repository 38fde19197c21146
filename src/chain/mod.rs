//! The door to chains.
//!
//! - [`source`]: what to read: a contract, its generation, its owners
//!
//! It does what it is told and decides nothing about money.

pub mod source;
