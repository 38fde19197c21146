//! Rehearsal brokers: servers as faithful to the real ones as their references know them.
//!
//! - [`SimAccount`] is the truth: one brokerage account with cash, orders, executions,
//!   prices, hours and a clock of its own, which may be told the time;
//! - [`SimAlpaca`] serves it as Alpaca does, [`SimSchwab`] as Schwab does;
//! - [`Strike`]s are what goes wrong: by script ([`SimAccount::strike`]) or by seed
//!   ([`SimAccount::storm`]).
//!
//! Always true: an order's answer says what is so at that instant, and the next look
//! finds what became of it; what an account did is never forgotten but by
//! [`SimAccount::reset`]; the same seed, the same time and the same requests give the
//! same answers. What is asked by one client never waits for what another one is told.
//!
//! ```no_run
//! # async fn rehearsal() -> std::io::Result<()> {
//! use hedge::{
//!     sim::{AlpacaKeys, Ask, Opening, SimAccount, SimAlpaca, Strike},
//!     time::Clock,
//!     units::Shares,
//! };
//!
//! // Given an open market, at a clock that is told the time and that the client has too
//! let clock = Clock::told("2026-11-20T15:30:00Z".parse().unwrap_or_default());
//! let account = SimAccount::open(Opening { clock: clock.clone(), ..Opening::default() });
//! let alpaca = SimAlpaca::serve(account.clone(), AlpacaKeys::default(), "127.0.0.1:0").await?;
//! // When the answer to the next order of AAPL is lost
//! account.strike(Strike::Drop.once().on(Ask::Submit).about("AAPL"));
//! // … (a client trades with `alpaca.url()`)
//! // Then the broker has one order all the same, and what it filled is held
//! assert_eq!(account.orders().len(), 1);
//! assert_ne!(account.position("AAPL"), Shares::ZERO);
//! assert_eq!(alpaca.asked().of(Ask::Submit), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Control endpoints
//!
//! On the port that a broker is served at, with parameters in the query or as a JSON
//! object, and nobody's keys. Times are `_s` or `_ms`, as in `after_s=3`.
//!
#![doc = concat!("```text\n", include_str!("control.txt"), "```")]

mod account;
mod alpaca;
mod control;
mod front;
mod ledger;
mod login;
mod market;
mod money;
mod night;
mod order;
mod rules;
mod schwab;
mod strike;

/// The control endpoints, as a person reads them.
pub const CONTROL: &str = include_str!("control.txt");

pub use account::{Opening, SimAccount};
pub use alpaca::{AlpacaKeys, SimAlpaca};
pub use front::{Asked, Heard};
pub use market::{Hours, Prices, SimListing};
pub use night::{SimAction, SimActivity};
pub use order::{PlacedBy, SimExecution, SimOrder, SimStatus, TimeInForce};
pub use schwab::{SchwabApp, SimSchwab};
pub use strike::{Ask, Rule as StrikeRule, Storm, Strike};
