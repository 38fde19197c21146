//! What moved cash or shares in an account at a broker without a trade.

use jiff::{Timestamp, civil::Date};

use crate::units::{Shares, Usd};

/// What an activity is, in our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActivityKind {
    /// A commission or another fee of the broker.
    Commission,
    /// A fee of a regulator or an exchange, passed through.
    Regulatory,
    /// Interest; what is paid is negative.
    Interest,
    /// A cash dividend, or what was withheld of one.
    Dividend,
    /// Cash that came or went from outside.
    Cash,
    /// Shares that came or went from outside: journals, transfers, tokenization.
    Shares,
    /// Shares multiplied or divided by a split.
    Split,
    /// Shares that changed their ticker.
    Rename,
    /// Anything else: shown, never guessed.
    Other,
}

impl ActivityKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Commission,
        Self::Regulatory,
        Self::Interest,
        Self::Dividend,
        Self::Cash,
        Self::Shares,
        Self::Split,
        Self::Rename,
        Self::Other,
    ];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Commission => "commission",
            Self::Regulatory => "regulatory",
            Self::Interest => "interest",
            Self::Dividend => "dividend",
            Self::Cash => "cash",
            Self::Shares => "shares",
            Self::Split => "split",
            Self::Rename => "rename",
            Self::Other => "other",
        }
    }
}

/// One movement in an account at a broker that is no trade.
///
/// - **Unit** shares; dollars.
/// - **Sign** what it does to the account: what came is positive.
/// - **Source** the broker's list of activities; `id` is the broker's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The broker's own id, unique at its venue.
    pub id: String,
    /// What it is, in our words.
    pub kind: ActivityKind,
    /// What it is, in the broker's words: `FEE`, `SPLIT`, …
    pub word: String,
    /// The ticker, where it is of one share.
    pub symbol: Option<String>,
    /// Shares, signed; zero where only cash moved.
    pub quantity: Shares,
    /// Dollars, signed; zero where only shares moved.
    pub cash: Usd,
    /// The day it counts for.
    pub date: Date,
    /// When it happened, where the broker says so to the second.
    pub at: Option<Timestamp>,
    /// The broker's words: evidence.
    pub said: String,
}
