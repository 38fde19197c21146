//! Writes down what the chain says, and takes back what it unsays.
//!
//! One pipeline for history, head and recovery. Every step looks at the node's
//! head and at the block that stands where the cursor does, decides by
//! [`decide`], and commits logs, facts and cursor in one transaction. A
//! replacement is fetched and checked before anything is marked as taken.
//! Below finality, or beyond the stored window, nothing is guessed: the source
//! stops and says so.

use std::{collections::BTreeMap, sync::Arc};

use alloy::primitives::B256;
use tokio::sync::watch;

use super::{
    Loop, Step, Stop, backfill,
    reading::{Hindered, Reading},
};
use crate::{
    book::{
        coverage::{Stretch, Verdict},
        log::Place,
    },
    chain::{
        reader::{self, Failed, Proved, Tip},
        rpc::Node,
    },
    observe,
    store::{
        StoreError,
        cursors::{self, Cursor},
        facts::{self, Advance, Cause, Moved},
        nodes::FoundBy,
    },
};

/// Blocks proved in one step at the head.
pub const TAIL_SPAN: u64 = 64;

/// From so many settled blocks on they are read in bulk.
const BULK_FROM: u64 = 256;

/// Without a `finalized` tag, what lies so deep counts as settled.
const SETTLED_DEPTH: u64 = 64;

/// Up to where a source's blocks are settled: as a node said, or so deep below the cursor.
pub(super) fn settled(cursor: &Cursor) -> u64 {
    cursor.finalized.unwrap_or(cursor.at.number.saturating_sub(SETTLED_DEPTH))
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The node shows nothing new.
    Idle,
    /// The node cannot tell: it lags, or is of two minds.
    Wait(&'static str),
    /// The block we stand on is no longer there.
    Rewind,
    /// Read settled history up to here.
    Bulk(u64),
    /// Prove up to here.
    Tail(u64),
}

/// The indexer's whole decision: no chain needed to test it.
///
/// `until` is where we are to stop, `prove` whether history too is to be proved.
pub fn decide(cursor: Place, from_block: u64, tip: &Tip, until: Option<u64>, prove: bool) -> Decision {
    let head = tip.head.number;
    let begun = cursor.number >= from_block;
    if head < cursor.number {
        // A lower head is no reorg: the node lags, or the branch is still growing.
        return Decision::Wait("its head is behind the cursor");
    }
    match &tip.at_cursor {
        Some(there) if there.hash != cursor.hash => return Decision::Rewind,
        None if begun => return Decision::Wait("it has no block where the cursor is"),
        Some(_) | None => {}
    }
    let target = until.map_or(head, |until| until.min(head));
    if target <= cursor.number {
        return Decision::Idle;
    }
    let settled = tip.finalized.unwrap_or(head.saturating_sub(SETTLED_DEPTH)).min(target);
    if !prove && settled >= cursor.number.saturating_add(BULK_FROM) {
        return Decision::Bulk(settled);
    }
    Decision::Tail(target.min(cursor.number.saturating_add(TAIL_SPAN)))
}

/// How far an indexer is, for whoever looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last block written.
    pub number: u64,
    /// Where it is going.
    pub target: u64,
    /// Fills written since it began.
    pub fills: u64,
    /// Logs written since it began.
    pub logs: u64,
    /// Reorgs met since it began.
    pub reorgs: u64,
}

/// Follows one source.
#[derive(Debug)]
pub struct Indexer {
    pub(super) reading: Arc<Reading>,
    pub(super) stop: Stop,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) concurrency: usize,
    pub(super) pace: backfill::Pace,
    tail_span: u64,
    until: Option<u64>,
    prove: bool,
}

impl Indexer {
    /// An indexer that follows the head.
    pub fn new(reading: Arc<Reading>, concurrency: usize, stop: Stop) -> Self {
        Self {
            reading,
            stop,
            progress: watch::Sender::default(),
            concurrency: concurrency.max(1),
            pace: backfill::Pace::default(),
            tail_span: TAIL_SPAN,
            until: None,
            prove: false,
        }
    }

    /// Goes no further than this block.
    pub fn set_until(&mut self, until: Option<u64>) {
        self.until = until;
    }

    /// Proves history as it proves the head.
    pub fn set_prove(&mut self, prove: bool) {
        self.prove = prove;
    }

    /// How far it is.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Puts the cursor before the first block.
    async fn begin(&self, node: &Node) -> Result<Step, Hindered> {
        let first = self.reading.source.from_block;
        let Some(header) = reader::header_of(node, first).await? else {
            return Ok(Step::Held(format!(
                "{} does not have block {first}, the first of `{}`",
                node.name(),
                self.reading.source.name
            )));
        };
        let before = Place { number: first.saturating_sub(1), hash: header.parent };
        let mut conn = self.reading.connection().await?;
        cursors::start(&mut conn, self.reading.id, before, header.timestamp).await?;
        Ok(Step::Moved)
    }

    async fn step(&mut self, node: &Arc<Node>, cursor: &Cursor) -> Result<Step, Hindered> {
        let tip = reader::look(node, cursor.at.number).await?;
        self.progress.send_modify(|progress| {
            progress.number = cursor.at.number;
            progress.target = self.until.map_or(tip.head.number, |until| until.min(tip.head.number));
        });
        let mut conn = self.reading.connection().await?;
        cursors::looked(&mut conn, self.reading.id, tip.head.number, tip.safe, tip.finalized).await?;
        drop(conn);
        match decide(cursor.at, self.reading.source.from_block, &tip, self.until, self.prove) {
            Decision::Idle => Ok(Step::Idle),
            Decision::Wait(why) => {
                self.reading.nodes.pass(node);
                Ok(Step::Held(format!("{}: {why}", node.name())))
            }
            Decision::Bulk(to) => backfill::run(self, cursor.at, to).await,
            Decision::Tail(to) => {
                let to = to.min(cursor.at.number + self.tail_span);
                self.tail(node, cursor.at, to).await
            }
            Decision::Rewind => self.rewind(node, cursor, &tip).await,
        }
    }

    /// Proves what lies behind the cursor and commits it.
    async fn tail(&mut self, node: &Arc<Node>, at: Place, to: u64) -> Result<Step, Hindered> {
        let proved =
            reader::prove(&self.reading.nodes, node, &self.reading.filter, at.number + 1, to).await?;
        self.tail_span = (self.tail_span * 2).min(TAIL_SPAN);
        let Some(advance) = self.advance(node, at, proved).await? else {
            return Ok(Step::Held(format!(
                "{}: its block {} does not follow the cursor's",
                node.name(),
                at.number + 1
            )));
        };
        let counts = advance.page.counts();
        let mut tx = self.reading.begin().await?;
        let reached = advance.to;
        if facts::advance(&mut tx, self.reading.id, advance).await? == Err(Moved) {
            return Ok(Step::Moved);
        }
        facts::prune(&mut tx, self.reading.source.chain).await?;
        tx.commit().await.map_err(|error| StoreError::of("commit a step", error))?;
        self.reached(at.number + 1, reached.place.number, counts);
        Ok(Step::Moved)
    }

    /// What was proved, as a step from `at`; `None` where it does not follow.
    async fn advance(
        &self,
        node: &Arc<Node>,
        at: Place,
        proved: Proved,
    ) -> Result<Option<Advance>, Hindered> {
        let Proved { headers, verdicts, logs, lies } = proved;
        self.reading.accuse(&lies, FoundBy::Head).await?;
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else { return Ok(None) };
        if first.parent != at.hash {
            return Ok(None);
        }
        let verdict_of = |number: u64| {
            let place = usize::try_from(number - first.number).ok()?;
            verdicts.get(place).copied()
        };
        let complete = |number: u64| verdict_of(number) == Some(Verdict::Proved);
        let booked = self.reading.book(node, logs, complete).await?;
        let stretches = stretches(node, &headers, &verdicts, &booked.counts);
        let blocks = headers.iter().map(reader::Header::block).collect();
        Ok(Some(Advance { from: at, to: last.block(), page: booked.page, stretches, blocks }))
    }

    pub(super) fn reached(&self, from: u64, to: u64, counts: facts::Counts) {
        observe::read(&self.reading.source.name, from, to, counts.fills);
        self.progress.send_modify(|progress| {
            progress.number = to;
            progress.fills += counts.fills;
            progress.logs += counts.logs;
        });
    }

    /// The block we stand on is gone: finds where the branches part, reads the new
    /// one, and only then takes the old one back, all in one transaction.
    async fn rewind(&mut self, node: &Arc<Node>, cursor: &Cursor, tip: &Tip) -> Result<Step, Hindered> {
        if let Some(doubt) = self.confirm(node, cursor.at).await? {
            return Ok(doubt);
        }
        let mut conn = self.reading.connection().await?;
        let window = facts::window(&mut conn, self.reading.source.chain, cursor.at.hash).await?;
        drop(conn);
        let Some((fork, fork_time)) = self.fork(node, cursor.at, &window).await? else {
            return self.give_up(cursor.at, "the chain has another history than every header we hold").await;
        };
        if cursor.finalized.is_some_and(|finalized| fork.number < finalized) {
            let why = format!(
                "the chain parted from ours at block {}, below {}, which a node called final",
                fork.number,
                cursor.finalized.unwrap_or_default()
            );
            return self.give_up(cursor.at, &why).await;
        }
        let to = tip.head.number.min(fork.number + self.tail_span);
        let proved =
            reader::prove(&self.reading.nodes, node, &self.reading.filter, fork.number + 1, to).await?;
        let now =
            proved.headers.iter().find(|header| header.number == cursor.at.number).map(|header| header.hash);
        let now = now.or_else(|| tip.at_cursor.as_ref().map(|header| header.hash)).unwrap_or_default();
        let Some(advance) = self.advance(node, fork, proved).await? else {
            return Ok(Step::Held(format!("{}: its branch changed while it was read", node.name())));
        };
        let counts = advance.page.counts();
        let mut tx = self.reading.begin().await?;
        let cause = Cause::Chain { now };
        if facts::take_back(&mut tx, self.reading.id, cursor.at, (fork, fork_time), &cause).await?.is_err() {
            return Ok(Step::Moved);
        }
        if facts::advance(&mut tx, self.reading.id, advance).await? == Err(Moved) {
            return Ok(Step::Moved);
        }
        tx.commit().await.map_err(|error| StoreError::of("commit a reorg", error))?;
        observe::reorg(&self.reading.source.name, fork, cursor.at, cursor.at.number - fork.number);
        self.progress.send_modify(|progress| progress.reorgs += 1);
        self.reached(fork.number + 1, to, counts);
        Ok(Step::Moved)
    }

    /// Asks again, best elsewhere, before a reorg is believed.
    async fn confirm(&self, node: &Arc<Node>, at: Place) -> Result<Option<Step>, Hindered> {
        let second = self.reading.nodes.second(node);
        let elsewhere = match reader::header_of(&second, at.number).await {
            Ok(Some(header)) => Some(header),
            // No second opinion to be had: the first must repeat itself.
            Ok(None) | Err(_) => reader::header_of(node, at.number).await?,
        };
        match elsewhere {
            Some(header) if header.hash != at.hash => Ok(None),
            Some(_) => {
                self.reading.nodes.pass(node);
                Ok(Some(Step::Held(format!(
                    "{} and {} disagree about block {}",
                    node.name(),
                    second.name(),
                    at.number
                ))))
            }
            None => Ok(Some(Step::Held(format!("{} no longer has block {}", node.name(), at.number)))),
        }
    }

    /// The newest block that both branches have, with a time that is not before its own.
    async fn fork(
        &self,
        node: &Arc<Node>,
        at: Place,
        window: &[(Place, B256)],
    ) -> Result<Option<(Place, u64)>, Hindered> {
        let ours: Vec<Place> =
            window.iter().map(|(place, _)| *place).filter(|place| place.number < at.number).collect();
        let mut above: Option<reader::Header> = None;
        for some in ours.chunks(32) {
            let (Some(highest), Some(lowest)) = (some.first(), some.last()) else { break };
            let theirs = reader::headers(node, lowest.number, highest.number).await?;
            if let (Some(above), Some(top)) = (&above, theirs.last())
                && above.parent != top.hash
            {
                return Err(node.unanswered("its branch changed while it was read").into());
            }
            for (ours, theirs) in some.iter().zip(theirs.iter().rev()) {
                if ours.hash == theirs.hash {
                    return Ok(Some((*ours, theirs.timestamp)));
                }
            }
            above = theirs.into_iter().next();
        }
        // Of the block below the oldest header we know the hash as well: it is that one's parent.
        let Some((oldest, parent)) = window.last() else { return Ok(None) };
        let above = match above {
            Some(above) => above,
            None => match reader::header_of(node, oldest.number).await? {
                Some(above) => above,
                None => return Ok(None),
            },
        };
        let below = Place { number: oldest.number.saturating_sub(1), hash: *parent };
        Ok((above.parent == below.hash && above.number == oldest.number).then_some((below, above.timestamp)))
    }

    async fn give_up(&self, at: Place, why: &str) -> Result<Step, Hindered> {
        let why = format!("{why}; the cursor stands at block {} ({})", at.number, at.hash);
        observe::source_stopped(&self.reading.source.name, &why);
        let mut conn = self.reading.connection().await?;
        cursors::stop(&mut conn, self.reading.id, &why).await?;
        Ok(Step::Stopped(why))
    }
}

/// Consecutive blocks that were believed the same way, as stretches.
pub(super) fn stretches(
    node: &Node,
    headers: &[reader::Header],
    verdicts: &[Verdict],
    counts: &BTreeMap<u64, (u64, u64)>,
) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (header, verdict) in headers.iter().zip(verdicts) {
        let (logs, foreign) = counts.get(&header.number).copied().unwrap_or_default();
        let one = Stretch {
            from: header.number,
            to: header.place(),
            verdict: *verdict,
            node: node.name().to_owned(),
            logs,
            foreign,
        };
        Stretch::append(&mut stretches, one);
    }
    stretches
}

impl Loop for Indexer {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let mut conn = self.reading.connection().await?;
        let cursor = cursors::cursor(&mut conn, self.reading.id).await?;
        drop(conn);
        if let Some(why) = cursor.as_ref().and_then(|cursor| cursor.stopped.as_ref()) {
            return Ok(Step::Stopped(format!("`{}` is stopped: {why}", self.reading.source.name)));
        }
        let node = match self.reading.nodes.ready().await {
            Ok(node) => node,
            Err(fault) => return Ok(Step::Held(fault.to_string())),
        };
        let step = match &cursor {
            None => self.begin(&node).await,
            Some(cursor) => self.step(&node, cursor).await,
        };
        match step {
            Ok(step) => {
                self.reading.nodes.praise(&node);
                self.reading.keep_limits().await?;
                Ok(step)
            }
            Err(Hindered::Store(error)) => Err(error),
            Err(Hindered::Chain(Failed::Refused { from, to, refusal, .. })) if from < to => {
                // Deterministic: ask for half at once.
                tracing::debug!(node = node.name(), from, to, %refusal, "refused: asking for less");
                self.tail_span = (to - from).div_ceil(2).max(1);
                Ok(Step::Moved)
            }
            Err(Hindered::Chain(failed)) => {
                if matches!(failed, Failed::Behind { .. }) {
                    // Fewer blocks, fewer that may be missing.
                    self.tail_span = (self.tail_span / 2).max(1);
                }
                self.reading.failed(&node, failed, FoundBy::Head).await.map(Step::Held)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::chain::reader::Header;

    fn header(number: u64, hash: u8) -> Header {
        Header { number, hash: B256::repeat_byte(hash), parent: B256::ZERO, timestamp: 0, proves: None }
    }

    /// A head at `head`; at the cursor's height 100 stands a block of hash `there`.
    fn tip(head: u64, there: Option<u8>, finalized: Option<u64>) -> Tip {
        Tip { head: header(head, 9), safe: None, finalized, at_cursor: there.map(|hash| header(100, hash)) }
    }

    fn decided(tip: &Tip, until: Option<u64>) -> Decision {
        let cursor = Place { number: 100, hash: B256::repeat_byte(1) };
        decide(cursor, 50, tip, until, false)
    }

    #[test]
    fn a_new_head_is_proved_in_steps() {
        assert_eq!(decided(&tip(103, Some(1), Some(40)), None), Decision::Tail(103));
        assert_eq!(decided(&tip(300, Some(1), Some(240)), None), Decision::Tail(100 + TAIL_SPAN));
        assert_eq!(decided(&tip(100, Some(1), None), None), Decision::Idle);
    }

    #[test]
    fn settled_history_is_read_in_bulk_unless_it_is_to_be_proved() {
        let far = tip(10_000, Some(1), Some(9_000));
        assert_eq!(decided(&far, None), Decision::Bulk(9_000));
        assert_eq!(decided(&far, Some(5_000)), Decision::Bulk(5_000));
        let cursor = Place { number: 100, hash: B256::repeat_byte(1) };
        assert_eq!(decide(cursor, 50, &far, None, true), Decision::Tail(100 + TAIL_SPAN));
        // Without a tag, 64 blocks below the head count as settled.
        assert_eq!(decided(&tip(10_000, Some(1), None), None), Decision::Bulk(9_936));
    }

    #[test]
    fn another_block_at_the_cursor_is_a_reorg_and_a_lower_head_is_none() {
        assert_eq!(decided(&tip(100, Some(2), None), None), Decision::Rewind, "even at the same height");
        assert_eq!(decided(&tip(105, Some(2), None), None), Decision::Rewind);
        assert!(matches!(decided(&tip(99, None, None), None), Decision::Wait(_)));
        assert!(matches!(decided(&tip(105, None, None), None), Decision::Wait(_)), "it has lost our block");
    }

    #[test]
    fn nothing_is_read_beyond_where_it_was_told_to_stop() {
        assert_eq!(decided(&tip(103, Some(1), None), Some(101)), Decision::Tail(101));
        assert_eq!(decided(&tip(103, Some(1), None), Some(100)), Decision::Idle);
    }

    #[test]
    fn before_its_first_block_a_source_has_nothing_to_compare() {
        let cursor = Place { number: 49, hash: B256::ZERO };
        assert_eq!(decide(cursor, 50, &tip(60, None, None), None, false), Decision::Tail(60));
    }
}
