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
#![allow(
    clippy::assigning_clones,
    clippy::format_push_string,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::wildcard_enum_match_arm,
    reason = "a test is read from its top to its end, once"
)]

mod actions;
mod acts;
mod alerts;
mod alpaca;
mod anvil;
mod auth;
mod bad_input;
mod bi;
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
mod gas;
mod gate;
mod handovers;
mod hedge_storm;
mod hedging;
mod importing;
mod jobs;
mod laws;
mod logins;
mod night;
mod office;
mod oracle;
mod outages;
mod paper;
mod parrot;
mod pit;
mod pnl;
mod process;
mod program;
mod proof;
mod recon;
mod recon_worlds;
mod reporting;
mod rules;
mod schwab;
mod sql;
mod standby;
mod statement_page;
mod store;
mod storm;
mod systemd;
mod tidy;
mod tools;
mod transactions;
mod vaults;
mod vectors;
mod venues;
mod weather;
mod web;
mod why;
mod words;
mod world;
