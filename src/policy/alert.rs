//! What people are told of, and when.
//!
//! A job says all conditions that it sees in its scope, at every run; what was
//! told before, what has changed and what is over is for this to find out.
//!
//! - [`machine`]: one condition over time, and a run's conditions all together
//! - [`rules`]: from when on, how often, and until when

pub mod machine;
pub mod rules;

use jiff::{Timestamp, civil::Date};

use crate::units::{Amount, Shares, Usd};

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know: part of the digest.
    Info,
    /// Somebody should look today.
    Warning,
    /// Somebody must act now: a thread of its own.
    Critical,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word used in columns, specs and subjects.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The one that `word` means.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.word() == word)
    }
}

/// One thing that is not as it should be, as a run sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The same as long as it is the same thing: `break/17`, `health/cursor/raindex`, `job/pnl/late`.
    pub key: String,
    /// What kind of thing: `UNEXPLAINED`, `cursor behind`, `late`. A change of it is told.
    pub class: String,
    /// Where it is seen, for muting: `vault`, `broker`, `node/8453`. A scope that is unknown is not judged.
    pub leg: String,
    /// How much it matters.
    pub severity: Severity,
    /// The share, where it is of one.
    pub symbol: Option<String>,
    /// What, how much: half a line, for subjects.
    pub about: String,
    /// Why, and since when: a sentence or two.
    pub detail: String,
    /// What to do: a command where there is one.
    pub next: String,
    /// What it is worth, signed, where that is known.
    pub usd: Option<Usd>,
    /// How many shares or coins, signed, where it is of some.
    pub quantity: Option<Shares>,
    /// Since when it is so.
    pub since: Timestamp,
    /// Seen again by a second read a minute later or more; of what needs none, true at once.
    pub confirmed: bool,
    /// A person knows, and wants to hear no more of it until then.
    pub acknowledged_until: Option<Timestamp>,
}

/// All that one run sees in its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The job: `reconcile`, `pnl`, `health`, `checks`, … Keys of other scopes are not touched.
    pub scope: String,
    /// Its run; none for what is seen outside one.
    pub run: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// Everything that is not as it should be.
    pub conditions: Vec<Condition>,
    /// Legs that could not be judged: what was open of them stays as it is, and nothing of them is told but this.
    pub unknown: Vec<String>,
    /// Worth a digest even if there is nothing: the nightly run says that all is clear.
    pub digest: Option<Digest>,
}

/// The mail of a run: one, however much there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The business date that it is of; none: the date on which it is told.
    pub date: Option<Date>,
    /// The first line: what, how much, since when, what to do.
    pub headline: String,
    /// What the subject says where nothing is open; none: that all is clear.
    pub subject: Option<String>,
    /// Tables of figures, in order.
    pub tables: Vec<Figures>,
    /// Curves to draw.
    pub curves: Vec<Curve>,
}

/// A table of figures, as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Its title.
    pub title: String,
    /// The heads of its columns.
    pub heads: Vec<String>,
    /// Its rows, a text for each head.
    pub rows: Vec<Vec<String>>,
}

/// One figure over days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    /// Its title.
    pub title: String,
    /// What is counted: `USD`.
    pub unit: String,
    /// By date, oldest first.
    pub points: Vec<(Date, Amount)>,
}
