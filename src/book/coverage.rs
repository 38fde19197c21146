//! How far a source is read, and how each block range was believed.
//!
//! The ranges of a source lie side by side from its first block to its cursor.
//! Asking and fetching are not here: this file only says what follows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How a range of blocks came to be believed, weakest first.
///
/// - `taken` the answer was consistent in itself: filter, range, hashes, order,
///   and the header of the last block came from the same node in the same batch.
/// - `bloom` every header's hash was recomputed and links to the next; each block
///   without a log of ours is excluded by its bloom, each log of ours is held by it.
/// - `cross-checked` a second node, or a second reading after finality, agrees.
/// - `proved` every block is excluded by its bloom, or its receipts were fetched,
///   their root recomputed, and the logs taken from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Consistent in itself.
    Taken,
    /// Bloom-excluded where nothing came, bloom-held where something did.
    Bloom,
    /// Two readings agree.
    CrossChecked,
    /// Excluded by bloom or taken from proved receipts, block by block.
    Proved,
}

impl Verdict {
    /// All, weakest first.
    pub const ALL: [Self; 4] = [Self::Taken, Self::Bloom, Self::CrossChecked, Self::Proved];

    /// The word used in columns, flags and configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Bloom => "bloom",
            Self::CrossChecked => "cross-checked",
            Self::Proved => "proved",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Verdict {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.word() == word)
            .ok_or_else(|| format!("`{word}` is not a verdict: taken, bloom, cross-checked or proved"))
    }
}
