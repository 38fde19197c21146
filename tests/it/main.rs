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

mod acts;
mod alpaca;
mod anvil;
mod auth;
mod bad_input;
mod brokers;
mod chain;
mod covers;
mod crashes;
mod day;
mod desk;
mod doctor;
mod exporting;
mod facts;
mod faults;
mod floor;
mod gate;
mod handovers;
mod hedge_storm;
mod hedging;
mod importing;
mod jobs;
mod laws;
mod logins;
mod office;
mod outages;
mod paper;
mod parrot;
mod pit;
mod process;
mod program;
mod proof;
mod rules;
mod schwab;
mod sql;
mod standby;
mod store;
mod storm;
mod systemd;
mod tidy;
mod tools;
mod transactions;
mod vectors;
mod venues;
mod weather;
mod why;
mod words;
mod world;
