//! History in parallel, committed in order.
//!
//! Ranges are read by several tasks and committed by one, each range with its
//! cursor in one transaction, so that a kill at any instant loses nothing and
//! doubles nothing. No more ranges are held than are being read: memory is
//! bounded by `concurrency`, not by the slowest of them. A task retries on
//! transport for ever and halves on refusals at once.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alloy::primitives::B256;
use tokio::task::JoinHandle;

use super::{
    Step,
    indexer::Indexer,
    reading::{Hindered, Reading},
    stopped,
};
use crate::{
    book::{
        coverage::{Stretch, Verdict},
        log::{Block, Place},
    },
    chain::{
        reader::{self, Bulk, Failed},
        refusal::{Meaning, narrower},
        rpc::Node,
    },
    store::{
        StoreError,
        facts::{self, Advance, Moved, Page},
        nodes::FoundBy,
    },
};

/// The answer that a range is sized for, in bytes of JSON: long enough that its
/// transaction costs little, short enough that a few of them are little memory.
const TARGET_BYTES: u64 = 4 << 20;
/// Where an unknown chain begins: even its busiest blocks are no great answer.
const FIRST_SPAN: u64 = 32;
/// How much wider than the last a range may be: what was quiet may not stay so.
const GROWTH: u64 = 16;
/// Wider than any node serves, and narrow enough to show progress.
const WIDEST_SPAN: u64 = 65_536;

/// How wide the next range is, by what the last ones held.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    span: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { span: FIRST_SPAN }
    }
}

impl Pace {
    /// Sizes the next range by one that was read: `width` blocks, `bytes`, and the widest part it took.
    fn learn(&mut self, width: u64, bytes: u64, widest_part: u64) {
        let fitting = width.saturating_mul(TARGET_BYTES) / bytes.max(1);
        let most = width.saturating_mul(GROWTH).max(self.span).min(WIDEST_SPAN);
        self.span = if widest_part < width { widest_part } else { fitting.min(most) }.max(1);
    }
}

/// A range that was read and waits for its turn.
struct Chunk {
    parent: B256,
    to: Block,
    page: Page,
    stretches: Vec<Stretch>,
    bytes: u64,
    widest_part: u64,
}

/// A task that ends with its owner.
struct Task(JoinHandle<Result<Chunk, StoreError>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads from behind `cursor` to `to`, or until told to stop.
pub(super) async fn run(indexer: &mut Indexer, cursor: Place, to: u64) -> Result<Step, Hindered> {
    let mut at = cursor;
    let mut next = cursor.number + 1;
    let mut tasks: VecDeque<(u64, Task)> = VecDeque::new();
    // One at first: what it learns spares the others their refusals.
    let mut width = 1;
    loop {
        while tasks.len() < width && next <= to {
            let span = indexer.pace.span.min(indexer.reading.nodes.widest());
            let end = to.min(next.saturating_add(span - 1));
            let task = tokio::spawn(range(Arc::clone(&indexer.reading), next, end));
            tasks.push_back((next, Task(task)));
            next = end + 1;
        }
        let Some((from, mut task)) = tasks.pop_front() else { return Ok(Step::Moved) };
        let chunk = tokio::select! {
            chunk = &mut task.0 => chunk,
            () = stopped(&mut indexer.stop) => return Ok(Step::Moved),
        };
        let chunk = match chunk {
            Ok(chunk) => chunk?,
            Err(error) => {
                return Err(StoreError::Unavailable {
                    what: format!("the reading of blocks from {from} broke off"),
                    next: "it is tried again; report it if it stays".to_owned(),
                    source: Some(error.into()),
                }
                .into());
            }
        };
        if chunk.parent != at.hash {
            // Two nodes of two minds, or a reorg below what was called final: look again.
            return Ok(Step::Held(format!(
                "block {from} does not follow block {} as it is written",
                at.number
            )));
        }
        indexer.pace.learn(chunk.to.place.number + 1 - from, chunk.bytes, chunk.widest_part);
        let counts = chunk.page.counts();
        let reached = chunk.to.place;
        let advance = Advance {
            from: at,
            to: chunk.to,
            page: chunk.page,
            stretches: chunk.stretches,
            blocks: vec![chunk.to],
        };
        let mut tx = indexer.reading.begin_unhurried().await?;
        if facts::advance(&mut tx, indexer.reading.id, advance).await? == Err(Moved) {
            return Ok(Step::Moved);
        }
        tx.commit().await.map_err(|error| StoreError::of("commit a range", error))?;
        indexer.reached(from, reached.number, counts);
        at = reached;
        width = (width * 2).min(indexer.concurrency);
    }
}

/// Reads one range, on whichever node answers, for as long as it takes.
async fn range(reading: Arc<Reading>, from: u64, to: u64) -> Result<Chunk, StoreError> {
    let mut parts = Parts { from, to, read: Vec::new() };
    loop {
        let node = match reading.nodes.ready().await {
            Ok(node) => node,
            Err(fault) => {
                tracing::debug!(from, to, "asking again: {fault}");
                continue;
            }
        };
        let chunk = match parts.read_on(&reading, &node).await {
            Ok(()) => parts.book(&reading, &node).await,
            Err(failed) => Err(failed.into()),
        };
        match chunk {
            Ok(chunk) => {
                reading.nodes.praise(&node);
                return Ok(chunk);
            }
            Err(Hindered::Store(error)) => return Err(error),
            Err(Hindered::Chain(failed)) => {
                let lacking = match &failed {
                    Failed::Behind { block, .. } | Failed::Incomplete { block, .. } => Some(*block),
                    Failed::Fault(_) | Failed::Refused { .. } | Failed::Untrue(_) => None,
                };
                let said = reading.failed(&node, failed, FoundBy::Backfill).await?;
                tracing::debug!(from, to, "asking again: {said}");
                if let Some(block) = lacking {
                    parts.forget(block);
                    reading.clock.sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }
}

/// A range on its way: the parts read so far, each by one node in one answer, each following the one before.
struct Parts {
    from: u64,
    to: u64,
    read: Vec<(Bulk, String)>,
}

impl Parts {
    fn next(&self) -> u64 {
        self.read.last().map_or(self.from, |(part, _)| part.last.number + 1)
    }

    /// What was read from this block on is not to be kept: it may have been a lie.
    fn forget(&mut self, block: u64) {
        self.read.retain(|(part, _)| part.last.number < block);
    }

    /// Reads what is missing on one node, in as many parts as the node wants. What was read stays read.
    async fn read_on(&mut self, reading: &Reading, node: &Arc<Node>) -> Result<(), Failed> {
        let mut width = (self.to + 1).saturating_sub(self.next()).min(node.limits().widest());
        while self.next() <= self.to {
            let start = self.next();
            let end = self.to.min(start.saturating_add(width - 1));
            match reader::bulk(node, &reading.filter, start, end).await {
                Ok(part) => {
                    if self.read.last().is_some_and(|(before, _)| before.last.hash != part.first.parent) {
                        // Two nodes of two minds, or one that changed its own: begin again.
                        self.read.clear();
                        return Err(node
                            .unanswered(format!("block {start} does not follow what was read"))
                            .into());
                    }
                    node.learn(|limits| limits.answered(end - start + 1));
                    self.read.push((part, node.name().to_owned()));
                }
                Err(Failed::Refused { refusal, .. }) if end > start => {
                    let asked = end - start + 1;
                    tracing::debug!(node = node.name(), from = start, to = end, %refusal, "refused: asking for less");
                    // Only a refused width says something of the next range.
                    if !matches!(refusal.meaning(), Meaning::TooMuch | Meaning::Unwell) {
                        node.learn(|limits| limits.refused(asked));
                    }
                    width = narrower(asked, refusal.suggested());
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }

    /// Makes one chunk of all parts.
    async fn book(&self, reading: &Reading, node: &Arc<Node>) -> Result<Chunk, Hindered> {
        let (Some((first, _)), Some((last, _))) = (self.read.first(), self.read.last()) else {
            return Err(node.unanswered("an empty range").into());
        };
        let logs = self.read.iter().flat_map(|(part, _)| part.logs.iter().cloned()).collect();
        let booked = reading.book(node, logs, |_| false).await?;
        let mut stretches: Vec<Stretch> = Vec::new();
        for (part, node) in &self.read {
            let of_part = booked.counts.range(part.first.number..=part.last.number);
            let (logs, foreign) =
                of_part.fold((0, 0), |sum, (_, of_block)| (sum.0 + of_block.0, sum.1 + of_block.1));
            let one = Stretch {
                from: part.first.number,
                to: part.last.place(),
                verdict: Verdict::Taken,
                node: node.clone(),
                logs,
                foreign,
            };
            Stretch::append(&mut stretches, one);
        }
        let width = |part: &Bulk| part.last.number + 1 - part.first.number;
        Ok(Chunk {
            parent: first.first.parent,
            to: last.last.block(),
            page: booked.page,
            stretches,
            bytes: self.read.iter().map(|(part, _)| part.bytes).sum(),
            widest_part: self.read.iter().map(|(part, _)| width(part)).max().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_as_wide_as_what_it_holds_allows() {
        let mut pace = Pace::default();
        // Blocks of half a megabyte, then nothing at all, then refusals.
        pace.learn(FIRST_SPAN, FIRST_SPAN << 19, FIRST_SPAN);
        assert_eq!(pace.span, 8);
        let mut spans = Vec::new();
        for _ in 0..5 {
            pace.learn(pace.span, 2, pace.span);
            spans.push(pace.span);
        }
        assert_eq!(spans, [128, 2_048, 32_768, WIDEST_SPAN, WIDEST_SPAN]);
        pace.learn(WIDEST_SPAN, 2, 1_000);
        assert_eq!(pace.span, 1_000);
        // A narrow range at the end of history says little of wide ones.
        pace.learn(1, 2, 1);
        assert_eq!(pace.span, 1_000);
        pace.learn(1_000, u64::MAX, 1_000);
        assert_eq!(pace.span, 1);
    }
}
