//! `hedge` sees the fills of a desk's Raindex orders on chain, keeps exact
//! books of them in Postgres, proves what it wrote, and trades the other way
//! at a stock broker.
//!
//! The rooms, in reading order. A file uses its own room and the floors below;
//! never a neighbour on floor 3, never up. `tests/it/tidy.rs` enforces it.
//!
//! ```text
//! 5  cli  config  web  sim            the front desk, and the rehearsal hall
//! 4  engine  job                      carry things between doors
//! 3  chain  venue  store  alert  observe   doors: each opens on its own street, none onto another
//! 2  policy  report                   what to do; how it reads
//! 1  book                             facts and arithmetic
//! 0  units  assets  time  secret  tape   words
//! ```
//!
//! What is always true here:
//!
//! - a log of ours is written once, with its block's hash, and never edited;
//! - a cursor moves only in the transaction that writes what it passed;
//! - what cannot be read is kept with the reason, and stops nothing else;
//! - an order is in the books as sent before a byte of it leaves, and what may exist at a
//!   broker is asked after until there is evidence;
//! - no float touches money.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::float_arithmetic,
        reason = "a test that stops is a test that tells"
    )
)]

pub mod alert;
pub mod assets;
pub mod book;
pub mod chain;
pub mod cli;
pub mod config;
pub mod engine;
pub mod job;
pub mod observe;
pub mod policy;
pub mod report;
pub mod secret;
pub mod sim;
pub mod store;
pub mod tape;
pub mod time;
pub mod units;
pub mod venue;
pub mod web;
