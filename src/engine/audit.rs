//! Reads again, and proves what was only taken.
//!
//! A range is walked down from its last block, whose hash the books have, each
//! header the parent of the one above: what is proved is proved of *our* chain,
//! not of whichever a node shows. Verdicts only rise. Whatever an audit adds or
//! disowns is an alarm and stays on record with the node that had said otherwise.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use alloy::primitives::B256;

use super::{
    Loop, Step,
    indexer::{TAIL_SPAN, settled, stretches},
    reading::{Hindered, Reading},
};
use crate::{
    book::{
        coverage::{Contradiction, Stretch, Verdict},
        log::{Log, Place},
    },
    chain::{
        reader::{self, Failed, Proved},
        rpc::Node,
    },
    observe,
    store::{
        StoreError, cursors,
        facts::{self, LogPlace, Moved, NewLog},
        nodes::FoundBy,
        ranges,
    },
};

/// What audits are to look at.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The first block.
    pub from: u64,
    /// The last block; nothing above the cursor is looked at.
    pub to: u64,
    /// Only what a node called final: what is above is still being proved by others.
    pub only_final: bool,
    /// How well every range shall be believed.
    pub wanted: Verdict,
}

/// What audits came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Blocks looked at.
    pub blocks: u64,
    /// Blocks of them that are now believed as wanted.
    pub believed: u64,
    /// Logs that the first reading had not.
    pub added: u64,
    /// Logs that the chain does not have.
    pub disowned: u64,
}

/// What a look at one block came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The node has another chain than the books.
    Another,
    /// The books changed meanwhile: look again.
    Moved,
    /// It is written, and how it is believed.
    Done(Verdict),
}

/// Audits one source.
#[derive(Debug)]
pub struct Auditor {
    reading: Arc<Reading>,
    scope: Scope,
    /// Where the walk through a range stands, and that range.
    walk: Option<(Place, Stretch)>,
    /// Ranges above are done, as far as they can be.
    ceiling: u64,
    span: u64,
    widest: u64,
    report: Report,
}

impl Auditor {
    /// An auditor that has looked at nothing yet.
    pub fn new(reading: Arc<Reading>, scope: Scope) -> Self {
        // No wider than one minute's proofs.
        let widest = TAIL_SPAN.min(reading.nodes.proofs_a_minute()).max(1);
        Self {
            reading,
            scope,
            walk: None,
            ceiling: u64::MAX,
            span: widest,
            widest,
            report: Report { blocks: 0, believed: 0, added: 0, disowned: 0 },
        }
    }

    /// What it came to.
    pub const fn report(&self) -> Report {
        self.report
    }

    /// Looks again at what could not be believed as wanted the last time.
    pub const fn start_over(&mut self) {
        self.ceiling = u64::MAX;
    }

    /// The next range that is believed less than wanted.
    async fn next_range(&self) -> Result<Option<(Place, Stretch)>, StoreError> {
        let mut conn = self.reading.connection().await?;
        let Some(cursor) = cursors::cursor(&mut conn, self.reading.id).await? else { return Ok(None) };
        let last = if self.scope.only_final { settled(&cursor) } else { cursor.at.number };
        let to = self.scope.to.min(last).min(self.ceiling);
        let range =
            ranges::doubtful(&mut conn, self.reading.id, (self.scope.from, to), self.scope.wanted).await?;
        Ok(range.map(|range| (range.to, range)))
    }

    /// Proves the blocks below `top` and writes down how they are believed now.
    async fn look(&mut self, node: &Arc<Node>, top: Place, range: &Stretch) -> Result<Step, Hindered> {
        let low = range.from.max(self.scope.from);
        let from = low.max((top.number + 1).saturating_sub(self.span));
        let proved = reader::prove(&self.reading.nodes, node, &self.reading.filter, from, top.number).await?;
        self.span = (self.span * 2).min(self.widest);
        let (Some(first), Some(last)) = (proved.headers.first(), proved.headers.last()) else {
            return Ok(Step::Idle);
        };
        if last.hash != top.hash {
            return self.another_chain(node, top, last.hash, range).await;
        }
        let before = Place { number: from.saturating_sub(1), hash: first.parent };
        if self.weigh(node, range, proved, before).await? == Err(Moved) {
            self.walk = None;
            return Ok(Step::Moved);
        }
        self.report.blocks += top.number + 1 - from;
        if from == low {
            self.walk = None;
            self.ceiling = low.saturating_sub(1);
        } else {
            self.walk = Some((before, range.clone()));
        }
        Ok(Step::Moved)
    }

    /// Proves one block that is written, by itself: the node's chain is ours where its range ends.
    ///
    /// # Errors
    /// Try again, or the database.
    pub(super) async fn one(&mut self, node: &Arc<Node>, block: Place) -> Result<Look, Hindered> {
        let at = (block.number, block.number);
        let range = {
            let mut conn = self.reading.connection().await?;
            ranges::doubtful(&mut conn, self.reading.id, at, Verdict::Proved).await?
        };
        // What is proved lacks nothing.
        let Some(range) = range else { return Ok(Look::Done(Verdict::Proved)) };
        let end = reader::header_of(node, range.to.number).await?;
        let proved =
            reader::prove(&self.reading.nodes, node, &self.reading.filter, block.number, block.number)
                .await?;
        let Some(header) = proved.headers.first() else { return Ok(Look::Another) };
        if header.hash != block.hash || end.is_none_or(|end| end.hash != range.to.hash) {
            return Ok(Look::Another);
        }
        let before = Place { number: block.number.saturating_sub(1), hash: header.parent };
        let verdict = proved.verdicts.first().copied().unwrap_or(range.verdict).max(range.verdict);
        Ok(match self.weigh(node, &range, proved, before).await? {
            Ok(()) => Look::Done(verdict),
            Err(Moved) => Look::Moved,
        })
    }

    /// The node has another block where ours should be. One of the two is wrong.
    async fn another_chain(
        &mut self,
        node: &Arc<Node>,
        top: Place,
        theirs: B256,
        range: &Stretch,
    ) -> Result<Step, Hindered> {
        let second = self.reading.nodes.second(node);
        let confirmed =
            reader::header_of(&second, top.number).await?.is_some_and(|header| header.hash != top.hash);
        let lie = Contradiction {
            block_number: top.number,
            block_hash: Some(top.hash),
            node: if confirmed { range.node.clone() } else { node.name().to_owned() },
            said: if confirmed {
                format!("block {} is {}", top.number, top.hash)
            } else {
                format!("block {} is {theirs}", top.number)
            },
            against: if confirmed { node.name().to_owned() } else { "the books".to_owned() },
            against_said: if confirmed { format!("it is {theirs}") } else { format!("it is {}", top.hash) },
        };
        self.reading.accuse(&[lie], FoundBy::Audit).await?;
        if confirmed {
            let what =
                "the chain has another block here than the books: `hedge rewind` to before it reads it again";
            observe::audit_found(&self.reading.source.name, top.number, what);
            self.walk = None;
            self.ceiling = range.from.saturating_sub(1);
        } else {
            self.reading.nodes.pass(node);
        }
        Ok(Step::Held(format!("{} has another block {} than the books", node.name(), top.number)))
    }

    /// Holds what was proved against what is written.
    async fn weigh(
        &mut self,
        node: &Arc<Node>,
        range: &Stretch,
        proved: Proved,
        before: Place,
    ) -> Result<Result<(), Moved>, Hindered> {
        let Proved { headers, mut verdicts, logs, lies } = proved;
        self.reading.accuse(&lies, FoundBy::Audit).await?;
        let bounds = (before.number + 1, before.number + u64::try_from(headers.len()).unwrap_or(0));
        let (written, finalized) = {
            let mut conn = self.reading.connection().await?;
            let written = facts::log_places(&mut conn, self.reading.id, bounds).await?;
            let cursor = cursors::cursor(&mut conn, self.reading.id).await?;
            (written, cursor.as_ref().map(settled).unwrap_or_default())
        };
        let known: HashSet<(B256, u64)> = written.iter().map(|log| (log.block_hash, log.log_index)).collect();
        let read: HashSet<(B256, u64)> = logs.iter().map(|log| (log.block_hash, log.log_index)).collect();
        // Foreign logs are never written, so a transaction with an unknown log is read as a whole.
        let open: HashSet<B256> = logs
            .iter()
            .filter(|log| !known.contains(&(log.block_hash, log.log_index)))
            .map(|log| log.transaction_hash)
            .collect();
        let mut of_block: BTreeMap<u64, u64> = BTreeMap::new();
        for log in &logs {
            *of_block.entry(log.block_number).or_default() += 1;
        }
        let complete: BTreeSet<u64> = headers
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| **verdict == Verdict::Proved)
            .map(|(header, _)| header.number)
            .collect();
        let unsure: Vec<Log> = logs.into_iter().filter(|log| open.contains(&log.transaction_hash)).collect();
        let booked = self.reading.book(node, unsure, |number| complete.contains(&number)).await?;
        let phantoms: Vec<LogPlace> = written
            .iter()
            .filter(|log| {
                complete.contains(&log.block_number) && !read.contains(&(log.block_hash, log.log_index))
            })
            .copied()
            .collect();

        let mut tx = self.reading.begin().await?;
        cursors::hold(&mut tx, self.reading.id).await?;
        // First what is not there: it may stand in the place of what is.
        facts::disown(&mut tx, self.reading.id, self.reading.source.chain, &phantoms).await?;
        let added = facts::merge(&mut tx, booked.page).await?;
        let mut ours: BTreeMap<u64, u64> = BTreeMap::new();
        for number in written
            .iter()
            .filter(|log| !phantoms.contains(log))
            .map(|log| log.block_number)
            .chain(added.iter().map(|log| log.block.number))
        {
            *ours.entry(number).or_default() += 1;
        }
        let counts: BTreeMap<u64, (u64, u64)> = of_block
            .into_iter()
            .map(|(number, all)| {
                let ours = ours.get(&number).copied().unwrap_or_default();
                (number, (ours, all.saturating_sub(ours)))
            })
            .collect();
        for (verdict, header) in verdicts.iter_mut().zip(&headers) {
            // A second reading, after finality, that agrees.
            let agrees =
                header.number <= finalized && !added.iter().any(|log| log.block.number == header.number);
            if agrees {
                *verdict = (*verdict).max(Verdict::CrossChecked);
            }
            *verdict = (*verdict).max(range.verdict);
        }
        if ranges::believe(&mut tx, self.reading.id, &stretches(node, &headers, &verdicts, &counts), before)
            .await?
            == Err(Moved)
        {
            return Ok(Err(Moved));
        }
        tx.commit().await.map_err(|error| StoreError::of("commit an audit", error))?;

        let believed = verdicts.iter().filter(|verdict| **verdict >= self.scope.wanted).count();
        self.report.believed += u64::try_from(believed).unwrap_or(0);
        self.report.added += u64::try_from(added.len()).unwrap_or(0);
        self.report.disowned += u64::try_from(phantoms.len()).unwrap_or(0);
        self.alarm(node, range, &added, &phantoms).await?;
        Ok(Ok(()))
    }

    /// Says aloud, and keeps on record, what the first reading had wrong.
    async fn alarm(
        &self,
        node: &Node,
        range: &Stretch,
        added: &[NewLog],
        phantoms: &[LogPlace],
    ) -> Result<(), StoreError> {
        let lie = |block: Place, said: String, against_said: String| Contradiction {
            block_number: block.number,
            block_hash: Some(block.hash),
            node: range.node.clone(),
            said,
            against: format!("an audit by {}", node.name()),
            against_said,
        };
        let mut lies = Vec::with_capacity(added.len() + phantoms.len());
        for log in added {
            let what = format!("log {} of transaction {}", log.log_index, log.tx);
            observe::audit_found(&self.reading.source.name, log.block.number, &format!("added {what}"));
            lies.push(lie(
                log.block,
                format!("eth_getLogs of the block without {what}"),
                format!("it holds {what}"),
            ));
        }
        for log in phantoms {
            let what = format!("log {} of transaction {}", log.log_index, log.tx_hash);
            observe::audit_found(&self.reading.source.name, log.block_number, &format!("disowned {what}"));
            let block = Place { number: log.block_number, hash: log.block_hash };
            lies.push(lie(
                block,
                format!("eth_getLogs of the block with {what}"),
                "its receipts do not hold it".to_owned(),
            ));
        }
        self.reading.accuse(&lies, FoundBy::Audit).await
    }
}

impl Loop for Auditor {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        if self.walk.is_none() {
            self.walk = self.next_range().await?;
        }
        let Some((top, range)) = self.walk.clone() else { return Ok(Step::Idle) };
        if self.reading.nodes.proofs_left() < self.span {
            return Ok(Step::Held("what proofs may cost in this minute is spent".to_owned()));
        }
        let node = match self.reading.nodes.ready().await {
            Ok(node) => node,
            Err(fault) => return Ok(Step::Held(fault.to_string())),
        };
        match self.look(&node, top, &range).await {
            Ok(step) => {
                self.reading.nodes.praise(&node);
                Ok(step)
            }
            Err(Hindered::Store(error)) => Err(error),
            Err(Hindered::Chain(Failed::Refused { from, to, .. })) if from < to => {
                self.span = (to - from).div_ceil(2).max(1);
                Ok(Step::Moved)
            }
            Err(Hindered::Chain(failed)) => {
                if matches!(failed, Failed::Behind { .. }) {
                    self.span = (self.span / 2).max(1);
                }
                self.reading.failed(&node, failed, FoundBy::Audit).await.map(Step::Held)
            }
        }
    }
}
