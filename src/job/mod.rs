//! Clerks: what is done once for a business date, and told of.
//!
//! - [`schedule`], [`spec`]: when a job is due, and what it is; [`office`], [`scheduler`]: who runs
//!   what is due, once, and asks every minute
//! - [`calendar`], [`checks`], [`health`]: when the market is open, what must be true, what is too old
//! - [`accruals`]: what wrappers earned
//! - [`activities`], [`corporate_actions`]: what moves an account without a trade, and what companies do
//! - [`notify`]: what people are told of what a run saw
//! - [`pnl`]: counts what trades earned, with [`pairing`] as the second count; [`marks`]: what is open is worth
//! - [`reconcile`]: the books against brokers and chains
//! - [`statement`]: states what a day earned
//!
//! What is always true here: a job may be killed at any write and run again, and
//! comes to the same; what it writes is written in the transaction that says so.

pub mod accruals;
pub mod activities;
pub mod calendar;
pub mod checks;
pub mod corporate_actions;
pub mod health;
pub mod marks;
pub mod notify;
pub mod office;
pub mod pairing;
pub mod pnl;
pub mod reconcile;
pub mod schedule;
pub mod scheduler;
pub mod spec;
pub mod statement;

use jiff::{Timestamp, civil::Date};

/// One run of a job, for one business date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its row in `job_run`; none where a person calls and no turnstile is passed.
    pub id: Option<i64>,
    /// The job's name.
    pub job: String,
    /// The day that it is about, in New York.
    pub date: Date,
    /// Now, by the clock that the run is given.
    pub at: Timestamp,
}

/// What a run came to. Each has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be: 0.
    Done,
    /// It ran, and found something that is not in order: 2.
    Found,
    /// Something could not be asked, so that not all was judged: 3.
    Incomplete,
    /// The books contradict themselves; nothing was judged or published: 4.
    Inconsistent,
    /// There was nothing to do on this day: 0.
    Skipped,
}

impl Verdict {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Found => "found",
            Self::Incomplete => "incomplete",
            Self::Inconsistent => "inconsistent",
            Self::Skipped => "skipped",
        }
    }
}

/// What a run came to, and that in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it came to.
    pub verdict: Verdict,
    /// In a sentence with figures.
    pub said: String,
}
