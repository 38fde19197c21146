//! How far a source is read, and how each block range was believed.
//!
//! The ranges of a source lie side by side from its first block to its cursor.
//! Asking and fetching are not here: this file only says what follows.

use std::{fmt, str::FromStr};

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

use super::log::Place;

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

/// A range of blocks as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first block.
    pub from: u64,
    /// Its last block, by height and hash.
    pub to: Place,
    /// How it was believed.
    pub verdict: Verdict,
    /// Who answered.
    pub node: String,
    /// Logs of ours in it.
    pub logs: u64,
    /// Logs of other owners in it: counted only.
    pub foreign: u64,
}

impl Stretch {
    /// Takes `next` in, where it follows at once and was believed the same way from the same node.
    ///
    /// # Errors
    /// Gives `next` back where it does not fit.
    pub fn join(&mut self, next: Self) -> Result<(), Self> {
        if next.from != self.to.number + 1 || next.verdict != self.verdict || next.node != self.node {
            return Err(next);
        }
        self.to = next.to;
        self.logs += next.logs;
        self.foreign += next.foreign;
        Ok(())
    }

    /// Puts `next` behind `stretches`, joined with the last of them where it fits.
    pub fn append(stretches: &mut Vec<Self>, next: Self) {
        let alone = match stretches.last_mut() {
            Some(last) => last.join(next).err(),
            None => Some(next),
        };
        stretches.extend(alone);
    }
}

/// Two answers about one block that could not both be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The block in question.
    pub block_number: u64,
    /// Its hash, where one is agreed on.
    pub block_hash: Option<B256>,
    /// Who was wrong, or cannot be told from the other.
    pub node: String,
    /// What it said.
    pub said: String,
    /// What stands against it: another node, or a proof.
    pub against: String,
    /// What that said.
    pub against_said: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block_number, node, said, against, against_said, .. } = self;
        write!(f, "block {block_number}: {node} said {said}; {against} said {against_said}")
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
