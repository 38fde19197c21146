//! Everything with a database, a chain or a process, as one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a test that stops is a test that tells"
)]

mod anvil;
mod bad_input;
mod brokers;
mod chain;
mod desk;
mod facts;
mod faults;
mod hedging;
mod laws;
mod pit;
mod process;
mod program;
mod rules;
mod sql;
mod store;
mod storm;
mod tidy;
mod tools;
mod vectors;
mod venues;
mod weather;
mod world;
