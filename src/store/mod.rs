//! The door to Postgres.
//!
//! - [`embedded`]: a private cluster in the data directory, for whoever has no
//!   database server of their own;
//! - [`pool`]: [`Db`], the handle that everything else is given;
//! - [`cursors`], [`facts`], [`ranges`], [`nodes`], [`skips`]: what the indexer writes, with [`copy`] as its pen;
//! - [`lease`], [`exposure`], [`orders`], [`venues`], [`halts`]: what the hedger reads and writes,
//!   in numbers of [`types`];
//! - [`oracle`]: what price feeds said while fills were made;
//! - [`gas`], [`accruals`]: what transactions of ours cost, what wrappers earned;
//! - [`actions`], [`activities`]: what companies do to their shares, what moves an account without a trade;
//! - [`alerts`], [`outbox`]: what people are told of, and how far it got;
//! - [`ledger`]: what the books say of every place at a moment; [`recon`]: what runs came to, breaks, acts on them;
//! - [`vaults`]: where our tokens rest on chain, as far as is known;
//! - [`credentials`]: logins at brokers, sealed; [`paper`]: orders at the venue that is nobody's;
//! - [`runs`], [`sessions`], [`checks`]: which job ran, when the market is open, what `sql/checks` found;
//! - [`marks`]: what open quantity is valued at;
//! - [`table`]: rows as Postgres spells them, for whoever shows them;
//! - [`pnl`], [`statement`]: what P&L is counted from, what was counted, what was stated, with [`copied`] as its spectacles;
//! - [`imports`]: what was taken over from the earlier system;
//! - [`migrate`]: the tables' history applied, the schema `reporting` made anew.
//!
//! What is always true here: nothing in this room decides, and no error or log
//! line of it holds a password. Deliberately absent: a mock. A test gets a real
//! Postgres in some 30 ms (`tests/it/world.rs`).

pub mod accruals;
pub mod actions;
pub mod activities;
pub mod alerts;
pub mod checks;
pub mod copied;
pub mod copy;
pub mod credentials;
pub mod cursors;
pub mod embedded;
pub mod exposure;
pub mod facts;
pub mod gas;
pub mod halts;
pub mod imports;
pub mod lease;
pub mod ledger;
pub mod marks;
pub mod migrate;
pub mod nodes;
pub mod oracle;
pub mod orders;
pub mod outbox;
pub mod paper;
pub mod pnl;
pub mod pool;
pub mod ranges;
pub mod recon;
pub mod runs;
pub mod sessions;
pub mod skips;
pub mod statement;
pub mod table;
pub mod types;
pub mod vaults;
pub mod venues;

use std::error::Error;
use std::path::PathBuf;

use alloy::primitives::B256;

pub use embedded::Embedded;
pub use migrate::Migrated;
pub use pool::{DatabaseUrl, Db};

use crate::book::log::Place;

/// Where the books are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The operator's own Postgres (`DATABASE_URL`); without it, the embedded one.
    pub database_url: Option<DatabaseUrl>,
    /// What belongs to this installation on disk, the embedded cluster among it.
    pub data_dir: PathBuf,
}

/// Why the database did not do what it was asked, by what the caller should do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Try again: nobody is at fault for long.
    #[error("{what}")]
    Unavailable {
        /// What failed, and where.
        what: String,
        /// What the operator can do, should it not pass by itself.
        next: String,
        /// The lower error, where there was one.
        #[source]
        source: Option<Cause>,
    },
    /// Stop: the same call fails the same way until somebody acts.
    #[error("{what}")]
    Stop {
        /// What failed, and where.
        what: String,
        /// What the operator can do about it.
        next: String,
        /// The lower error, where there was one.
        #[source]
        source: Option<Cause>,
    },
    /// Stop: a later `hedge` has been here, and this one does not know its tables.
    #[error(
        "{place} is newer than this hedge: it has migration {found}, and the last one known here is V{known}"
    )]
    NewerDatabase {
        /// The database, without its password.
        place: String,
        /// The migration that this binary has never heard of.
        found: String,
        /// The last version that it knows.
        known: i32,
    },
}

/// An error from below, kept for the line that says why.
pub type Cause = Box<dyn Error + Send + Sync>;

impl StoreError {
    /// What the operator can do about it.
    pub fn next(&self) -> &str {
        match self {
            Self::Unavailable { next, .. } | Self::Stop { next, .. } => next,
            Self::NewerDatabase { .. } => {
                "start the newer hedge; an older one never writes into tables that it does not know"
            }
        }
    }

    /// Sorts an error of a statement: is it worth trying again?
    ///
    /// `doing` completes "could not …".
    pub fn of(doing: &str, source: sqlx::Error) -> Self {
        let what = format!("could not {doing}");
        let error = if passes(&source) {
            Self::Unavailable {
                what,
                next: "see that Postgres runs and has room, and try again".to_owned(),
                source: None,
            }
        } else {
            Self::stop(what, "this is a fault of hedge or of the database: keep the cause and report it")
        };
        error.because(cause(source))
    }

    fn stop(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Stop { what: what.into(), next: next.into(), source: None }
    }

    fn because(self, cause: impl Into<Cause>) -> Self {
        let cause = Some(cause.into());
        match self {
            Self::Unavailable { what, next, .. } => Self::Unavailable { what, next, source: cause },
            Self::Stop { what, next, .. } => Self::Stop { what, next, source: cause },
            newer @ Self::NewerDatabase { .. } => newer,
        }
    }
}

/// The cause as a person reads it: of what Postgres says its words and its code,
/// not the line of its own source that sqlx adds.
fn cause(error: sqlx::Error) -> Cause {
    match error.as_database_error() {
        Some(refused) => format!("{} ({})", refused.message(), refused.code().unwrap_or_default()).into(),
        None => error.into(),
    }
}

/// Whether an error goes away by itself: the connection broke, the server is
/// starting, stopping or full, or two transactions met.
///
/// Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn passes(error: &sqlx::Error) -> bool {
    if let Some(refused) = error.as_database_error() {
        let code = refused.code().unwrap_or_default();
        return code.starts_with("08")                     // the connection
            || code.starts_with("40")                     // serialization, deadlock
            || code.starts_with("53")                     // disk, memory, connections
            || code.starts_with("57P")                    // shutdown, crash, starting up
            || code == "25P03"                            // a transaction that slept
            || code == "55P03"; // lock timeout
    }
    matches!(
        error,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed
    )
}

fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn small(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn place(number: i64, hash: &[u8]) -> Place {
    Place { number: small(number), hash: B256::try_from(hash).unwrap_or_default() }
}

/// Text from outside as Postgres can keep it: no NUL, no novel.
fn clean(text: &str) -> String {
    text.chars().filter(|character| *character != '\0').take(1_000).collect()
}

/// `to_timestamp` takes a double: whole seconds below 2^53 are exact in it.
fn seconds(time: u64) -> i64 {
    big(time)
}
