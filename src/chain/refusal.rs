//! What a node's "no" means, and what it has shown it can do.
//!
//! One code means different things at different providers, so a refusal is told
//! by its words alone (`indexing.md` rule 1); of words we have not met, only that
//! they refuse is believed. Asking and waiting are not here.

/// A node's "no" to one call, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{message}` (code {code})")]
pub struct Refusal {
    /// The JSON-RPC code. One code means different things at different providers.
    pub code: i64,
    /// The text, with what came as `data` behind it.
    pub message: String,
}

/// What a refusal asks us to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Ask for fewer blocks: the width itself is refused.
    TooWide,
    /// Ask for fewer blocks: here, the answer would be too large or too slow.
    TooMuch,
    /// Ask more slowly.
    TooFast,
    /// Ask again later, or another node.
    Unwell,
    /// The state at that block is gone from this node.
    Pruned,
    /// The node does not have the block, yet or any more.
    Unknown,
    /// The node does not serve this method.
    NoMethod,
    /// The contract reverted.
    Reverted,
    /// Words we have not met.
    Unheard,
}

impl Refusal {
    /// Told by the words alone; the more telling ones come first.
    #[expect(clippy::too_many_lines, reason = "one table of words")]
    pub fn meaning(&self) -> Meaning {
        use Meaning::{NoMethod, Pruned, Reverted, TooFast, TooMuch, TooWide, Unheard, Unknown, Unwell};
        const WORDS: [(Meaning, &[&str]); 8] = [
            (
                Pruned,
                &[
                    "missing trie node",
                    "pruned",
                    "state is not available",
                    "state not available",
                    "historical state",
                    "archive",
                    "no state available",
                    "state already discarded",
                ],
            ),
            (
                TooMuch,
                &[
                    "results",
                    "response size",
                    "response is too big",
                    "too many logs",
                    "too large",
                    "query timeout",
                    "returned more than",
                    "size exceeded",
                    "exceeds max logs",
                    "execution timeout",
                    "too many events",
                ],
            ),
            (
                TooFast,
                &[
                    "rate limit",
                    "rate-limit",
                    "ratelimit",
                    "too many requests",
                    "requests per second",
                    "per second",
                    "throughput",
                    "quota",
                    "credits",
                    "request limit",
                    "requests limit",
                    "throttl",
                    "daily request",
                    "request count",
                    "slow down",
                    "capacity exceeded",
                ],
            ),
            (
                TooWide,
                &[
                    "block range",
                    "blocks range",
                    "range is too",
                    "range too",
                    "too wide",
                    "max range",
                    "limited to a",
                    "range limit",
                    "range exceed",
                    "exceed maximum block",
                    "block distance",
                    "more than",
                    "up to a",
                    "maximum allowed",
                    "is greater than the limit",
                    "blocks at a time",
                    "limited to 0 -",
                ],
            ),
            (
                NoMethod,
                &[
                    "method not found",
                    "not supported",
                    "does not exist/is not available",
                    "unsupported method",
                    "method not available",
                    "not available on",
                    "unknown method",
                    "method is not",
                    "not whitelisted",
                    "is not available",
                    "not implemented",
                ],
            ),
            (Reverted, &["execution reverted", "revert", "invalid opcode", "out of gas", "vm exception"]),
            (
                Unknown,
                &[
                    "unknown block",
                    "not currently canonical",
                    "header not found",
                    "block not found",
                    "beyond",
                    "not found",
                    "future block",
                    "greater than latest",
                    "invalid block range",
                    "after the head",
                    "ahead of",
                ],
            ),
            (
                Unwell,
                &[
                    "no backend",
                    "unhealthy",
                    "not healthy",
                    "unavailable",
                    "overloaded",
                    "try again",
                    "retry",
                    "timeout",
                    "timed out",
                    "connection",
                    "bad gateway",
                    "syncing",
                    "internal error",
                ],
            ),
        ];
        let said = self.message.to_ascii_lowercase();
        if let Some(meaning) = out_of_range(&said) {
            return meaning;
        }
        WORDS
            .into_iter()
            .find(|(_, words)| words.iter().any(|word| said.contains(word)))
            .map_or(if self.code == -32601 { NoMethod } else { Unheard }, |(meaning, _)| meaning)
    }

    /// A range that the node says would do: `[0xfrom, 0xto]` in its text.
    pub fn suggested(&self) -> Option<(u64, u64)> {
        let (_, inside) = self.message.split_once("[0x")?;
        let (inside, _) = inside.split_once(']')?;
        let (from, to) = inside.split_once(',')?;
        let to = to.trim().strip_prefix("0x")?;
        Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
    }
}

/// What a node has shown it can do; kept across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The widest range that worked.
    pub largest_ok: u64,
    /// The narrowest range refused for its width.
    pub smallest_refused: Option<u64>,
    /// Takes JSON-RPC batches.
    pub batches: bool,
    /// Serves `eth_getBlockReceipts`.
    pub receipts: bool,
    /// Answers to ranges as wide as allowed since the last refusal.
    pub good_answers: u32,
    /// How many of those it takes before a wider range is tried once more.
    pub patience: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            largest_ok: 0,
            smallest_refused: None,
            batches: true,
            receipts: true,
            good_answers: 0,
            patience: 32,
        }
    }
}

impl Limits {
    /// The widest range to ask for: what worked, or half of what was refused.
    pub fn widest(&self) -> u64 {
        self.smallest_refused.map_or(u64::MAX, |refused| {
            let half = refused / 2;
            if self.largest_ok < refused { half.max(self.largest_ok) } else { half }.max(1)
        })
    }

    /// A range of this width was answered. Every so often a wider one may be tried: limits are lifted, too.
    pub fn answered(&mut self, width: u64) {
        self.largest_ok = self.largest_ok.max(width);
        if width < self.widest() {
            return;
        }
        self.good_answers += 1;
        if self.good_answers >= self.patience {
            self.good_answers = 0;
            self.patience = self.patience.saturating_mul(2);
            self.smallest_refused = self.smallest_refused.map(|refused| refused.saturating_mul(2));
        }
    }

    /// A range was refused for its width.
    pub fn refused(&mut self, width: u64) {
        self.good_answers = 0;
        self.smallest_refused = Some(self.smallest_refused.map_or(width, |known| known.min(width)));
        if self.largest_ok >= width {
            self.largest_ok = width / 2;
        }
    }
}

/// What anvil says of a block whose state it has dropped, and of one that it does not have yet: the
/// heights tell which.
fn out_of_range(said: &str) -> Option<Meaning> {
    let (_, heights) = said.split_once("blockoutofrangeerror: block height is ")?;
    let (height, asked) = heights.split_once(" but requested was ")?;
    let (height, asked): (u64, u64) = (height.parse().ok()?, asked.trim().parse().ok()?);
    Some(if asked <= height { Meaning::Pruned } else { Meaning::Unknown })
}

/// The width to try after `width` was refused: what the node suggests, or half; always less.
pub fn narrower(width: u64, suggested: Option<(u64, u64)>) -> u64 {
    let hint = suggested.and_then(|(from, to)| to.checked_sub(from)?.checked_add(1));
    hint.filter(|hint| (1..width).contains(hint)).unwrap_or(width / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(message: &str) -> Refusal {
        Refusal { code: -32005, message: message.into() }
    }

    #[test]
    fn a_refusal_is_told_by_its_words() {
        use Meaning::*;
        for (words, meaning) in [
            ("query returned more than 10000 results. Try with this block range [0x1, 0x2].", TooMuch),
            (
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
                TooMuch,
            ),
            ("eth_getLogs is limited to a 10,000 range", TooWide),
            ("block range is too wide", TooWide),
            ("exceed maximum block range: 50000", TooWide),
            ("query exceeds max block range 100000", TooWide),
            ("query exceeds max results 20000, retry with the range 1-2", TooMuch),
            ("daily request count exceeded, request rate limited", TooFast),
            ("Your app has exceeded its compute units per second capacity", TooFast),
            ("no backend is currently healthy to serve traffic", Unwell),
            ("missing trie node 1a2b (path )", Pruned),
            ("BlockOutOfRangeError: block height is 5 but requested was 1", Pruned),
            ("BlockOutOfRangeError: block height is 5 but requested was 9", Unknown),
            ("the method eth_getBlockReceipts does not exist/is not available", NoMethod),
            ("execution reverted", Reverted),
            ("header not found", Unknown),
            ("the elves are on strike", Unheard),
        ] {
            assert_eq!(refusal(words).meaning(), meaning, "{words}");
        }
    }

    #[test]
    fn a_suggested_range_is_read() {
        let said = refusal("this block range should work: [0x10, 0x1f]");
        assert_eq!(said.suggested(), Some((0x10, 0x1f)));
        assert_eq!(refusal("ask for less").suggested(), None);
        assert_eq!(refusal("[0xzz, 0x1]").suggested(), None);
    }
}
