//! One node's answers about a range of blocks, and how far to believe them.
//!
//! [`bulk`] is for history: one request a range, consistent in itself. [`prove`]
//! is for the head and for audits: every header, and wherever a bloom does not
//! exclude our logs, the receipts. Both speak to one node in one step; what
//! another node or a proof says against it is a [`Contradiction`], told to the
//! caller and never resolved in silence. Nothing is retried here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::primitives::{B256, U64};
use serde_json::value::RawValue;

pub use super::proof::Header;
use super::{
    log::{Filter, Log, Untrue, screen},
    nodes::Nodes,
    proof::{self, NotProved},
    raindex::Incomplete,
    refusal::{Meaning, Refusal},
    rpc::{Call, Fault, Node, Reply},
};
use crate::book::{
    coverage::{Contradiction, Verdict},
    log::{Block, Place},
};

/// Why a range could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// No usable answer: let the node rest, ask another.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The node will not answer so wide a range: halve it and go on at once.
    #[error("{node} refused blocks {from}..={to}: {refusal}")]
    Refused {
        /// Which node.
        node: String,
        /// The first block asked for.
        from: u64,
        /// The last block asked for.
        to: u64,
        /// Its words.
        refusal: Refusal,
    },
    /// The node does not have the block: it lags. Ask another, or later.
    #[error("{node} does not have block {block}")]
    Behind {
        /// Which node.
        node: String,
        /// The block.
        block: u64,
    },
    /// A log lacks its partner, and its receipt does not help: the answer that held it is not to be kept.
    #[error("{incomplete}, and {node} has no receipt that holds it")]
    Incomplete {
        /// Which node.
        node: String,
        /// The block of the log.
        block: u64,
        /// The log that is alone.
        incomplete: Incomplete,
    },
    /// The answer contradicts itself: ask another.
    #[error("{0}")]
    Untrue(Box<Contradiction>),
}

fn behind(node: &Node, block: u64) -> Failed {
    Failed::Behind { node: node.name().to_owned(), block }
}

/// Takes the next reply of a batch; there are as many as calls.
fn next(replies: &mut impl Iterator<Item = Reply>) -> Reply {
    replies.next().unwrap_or_else(|| Err(Refusal { code: 0, message: "no reply".to_owned() }))
}

/// A header out of a reply; `None` where the node has none.
fn header(node: &Node, reply: Reply) -> Result<Option<Header>, Fault> {
    match reply {
        Ok(Some(json)) => Header::read(json.get())
            .map(Some)
            .map_err(|error| node.unanswered(format!("a block that does not read: {error}"))),
        Ok(None) => Ok(None),
        Err(refusal) if refusal.meaning() == Meaning::Unknown => Ok(None),
        Err(refusal) => Err(node.unanswered(refusal)),
    }
}

/// The header at a height, which must be there and be of that height.
fn header_at(node: &Node, number: u64, reply: Reply) -> Result<Header, Failed> {
    let header = header(node, reply)?.ok_or_else(|| behind(node, number))?;
    if header.number != number {
        return Err(node.unanswered(format!("block {} where {number} was asked for", header.number)).into());
    }
    Ok(header)
}

fn parse_logs(node: &Node, json: Option<&RawValue>) -> Result<Vec<Log>, Fault> {
    let json = json.ok_or_else(|| node.unanswered("null where logs were asked for"))?;
    serde_json::from_str(json.get())
        .map_err(|error| node.unanswered(format!("logs that do not read: {error}")))
}

fn untrue(node: &Node, (from, to): (u64, u64), untrue: &Untrue) -> Failed {
    Failed::Untrue(Box::new(Contradiction {
        block_number: match untrue {
            Untrue::Unasked { block, .. }
            | Untrue::Outside { block, .. }
            | Untrue::Removed { block, .. }
            | Untrue::TwoHashes { block, .. }
            | Untrue::TwoContents { block, .. } => *block,
        },
        block_hash: None,
        node: node.name().to_owned(),
        said: format!("eth_getLogs of blocks {from}..={to}: {untrue}"),
        against: node.name().to_owned(),
        against_said: "the same answer, or a header in the same batch".to_owned(),
    }))
}

/// What a refused `eth_getLogs` means for the range asked for.
fn refused(node: &Node, (from, to): (u64, u64), refusal: Refusal) -> Failed {
    match refusal.meaning() {
        Meaning::Unknown => behind(node, to),
        Meaning::TooFast => node.unanswered(refusal).into(),
        // Every node has the method: "not supported" is said of the range. So is, by one
        // large provider, "no backend is currently healthy"; halving finds out soon enough.
        Meaning::Unwell if from == to => node.unanswered(refusal).into(),
        Meaning::Unwell
        | Meaning::TooWide
        | Meaning::TooMuch
        | Meaning::NoMethod
        | Meaning::Pruned
        | Meaning::Reverted
        | Meaning::Unheard => Failed::Refused { node: node.name().to_owned(), from, to, refusal },
    }
}

impl Header {
    /// As it is kept.
    pub fn block(&self) -> Block {
        Block { place: self.place(), parent: self.parent, time: self.timestamp }
    }

    /// Its height and hash.
    pub const fn place(&self) -> Place {
        Place { number: self.number, hash: self.hash }
    }
}

/// What a node says of its chain, in one batch.
#[derive(Clone, Debug)]
pub struct Tip {
    /// Its newest block.
    pub head: Header,
    /// The block it calls safe, where it knows the tag.
    pub safe: Option<u64>,
    /// The block it calls final, where it knows the tag.
    pub finalized: Option<u64>,
    /// What it has at the height of the cursor.
    pub at_cursor: Option<Header>,
}

/// Looks at the head, its finality, and the block that stands where the cursor does.
pub async fn look(node: &Node, cursor: u64) -> Result<Tip, Failed> {
    let calls =
        [Call::tagged("latest"), Call::tagged("safe"), Call::tagged("finalized"), Call::header(cursor)];
    let mut replies = node.ask(&calls).await?.into_iter();
    let head = header(node, next(&mut replies))?.ok_or_else(|| node.unanswered("no head"))?;
    // A node without the tags refuses them, or answers null: both are fine.
    let mut tag =
        || header(node, next(&mut replies)).ok().flatten().map(|block| block.number.min(head.number));
    let (safe, finalized) = (tag(), tag());
    Ok(Tip { safe, finalized, at_cursor: header(node, next(&mut replies))?, head })
}

/// The header at a height; `None` where the node has none.
pub async fn header_of(node: &Node, number: u64) -> Result<Option<Header>, Failed> {
    let mut replies = node.ask(&[Call::header(number)]).await?.into_iter();
    Ok(header(node, next(&mut replies))?)
}

/// The headers of a range, ascending, each the parent of the next.
pub async fn headers(node: &Node, from: u64, to: u64) -> Result<Vec<Header>, Failed> {
    let calls: Vec<Call> = (from..=to).map(Call::header).collect();
    let mut replies = node.ask(&calls).await?.into_iter();
    let headers = (from..=to)
        .map(|number| header_at(node, number, next(&mut replies)))
        .collect::<Result<Vec<_>, _>>()?;
    linked(node, headers)
}

fn linked(node: &Node, headers: Vec<Header>) -> Result<Vec<Header>, Failed> {
    match headers.array_windows::<2>().find(|[one, two]| two.parent != one.hash) {
        Some([one, two]) => Err(Failed::Untrue(Box::new(Contradiction {
            block_number: two.number,
            block_hash: Some(two.hash),
            node: node.name().to_owned(),
            said: format!("the parent of block {} is {}", two.number, two.parent),
            against: node.name().to_owned(),
            against_said: format!("block {} is {}", one.number, one.hash),
        }))),
        None => Ok(headers),
    }
}

/// A range of history, consistent in itself.
#[derive(Debug)]
pub struct Bulk {
    /// The header of its first block: its parent must be where the cursor stands.
    pub first: Header,
    /// The header of its last block: where the cursor will stand.
    pub last: Header,
    /// The logs, in order; each has its block's time.
    pub logs: Vec<Log>,
    /// How large the answer was.
    pub bytes: u64,
}

/// Reads a range by one request: its logs, with the headers of both ends from the same node in the same batch.
///
/// Blocks whose time is not in their logs cost a second request.
pub async fn bulk(node: &Node, filter: &Filter, from: u64, to: u64) -> Result<Bulk, Failed> {
    let calls = [Call::logs(filter, from, to), Call::header(to), Call::header(from)];
    let calls = if from == to { calls.get(..2).unwrap_or_default() } else { calls.as_slice() };
    let mut replies = node.ask(calls).await?.into_iter();
    let logs = next(&mut replies);
    let last = header_at(node, to, next(&mut replies))?;
    let first = if from == to { last.clone() } else { header_at(node, from, next(&mut replies))? };
    let mut hashes = BTreeMap::from([(from, first.hash), (to, last.hash)]);
    let bytes = logs.as_ref().ok().and_then(Option::as_ref).map_or(0, |json| json.get().len());
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let logs = match logs {
        Ok(json) => parse_logs(node, json.as_deref())?,
        // One block with more logs than the node will list: its receipts have them too.
        Err(refusal)
            if from == to
                && matches!(refusal.meaning(), Meaning::TooMuch | Meaning::TooWide | Meaning::Unheard) =>
        {
            let receipts = receipts(node, &last).await?;
            proof::logs_of_receipts(receipts.get(), &last, filter).map_err(|error| node.unanswered(error))?
        }
        Err(refusal) => return Err(refused(node, (from, to), refusal)),
    };
    let logs =
        screen(logs, filter, (from, to), &mut hashes).map_err(|error| untrue(node, (from, to), &error))?;
    let logs = timed(node, logs, &[&first, &last]).await?;
    Ok(Bulk { first, last, logs, bytes })
}

async fn receipts(node: &Node, of: &Header) -> Result<Box<RawValue>, Failed> {
    match next(&mut node.ask(&[Call::receipts(of.hash)]).await?.into_iter()) {
        Ok(Some(json)) => Ok(json),
        Ok(None) => Err(behind(node, of.number)),
        Err(refusal) => Err(node.unanswered(refusal).into()),
    }
}

/// Headers asked for in one batch.
const HEADERS_A_BATCH: usize = 100;

/// Gives each log its block's time, asking for headers where logs do not say it.
async fn timed(node: &Node, mut logs: Vec<Log>, known: &[&Header]) -> Result<Vec<Log>, Failed> {
    let mut times: BTreeMap<B256, u64> = known.iter().map(|header| (header.hash, header.timestamp)).collect();
    let unknown: BTreeSet<(u64, B256)> = logs
        .iter()
        .filter(|log| log.block_timestamp.is_none() && !times.contains_key(&log.block_hash))
        .map(|log| (log.block_number, log.block_hash))
        .collect();
    let unknown: Vec<(u64, B256)> = unknown.into_iter().collect();
    for some in unknown.chunks(HEADERS_A_BATCH) {
        let calls: Vec<Call> = some.iter().map(|(number, _)| Call::header(*number)).collect();
        let mut replies = node.ask(&calls).await?.into_iter();
        for (number, hash) in some {
            let header = header_at(node, *number, next(&mut replies))?;
            if header.hash != *hash {
                let two = Untrue::TwoHashes { block: *number, one: header.hash, other: *hash };
                return Err(untrue(node, (*number, *number), &two));
            }
            times.insert(*hash, header.timestamp);
        }
    }
    for log in &mut logs {
        log.block_timestamp = log.block_timestamp.or_else(|| times.get(&log.block_hash).copied());
    }
    Ok(logs)
}

/// The block that holds a transaction; `None` where the node knows of none.
pub async fn block_of_transaction(node: &Node, tx: B256) -> Result<Option<Place>, Failed> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Receipt {
        block_number: Option<U64>,
        block_hash: Option<B256>,
    }
    match next(&mut node.ask(&[Call::receipt(tx)]).await?.into_iter()) {
        Ok(Some(json)) => {
            let receipt = serde_json::from_str::<Receipt>(json.get())
                .map_err(|error| node.unanswered(format!("a receipt that does not read: {error}")))?;
            let place = receipt.block_number.zip(receipt.block_hash);
            Ok(place.map(|(number, hash)| Place { number: number.to(), hash }))
        }
        Ok(None) => Ok(None),
        Err(refusal) => Err(node.unanswered(refusal).into()),
    }
}

/// All logs of `filter` in one transaction, from its receipt, placed in `block`; `None` where there is no receipt.
pub async fn logs_of_transaction(
    node: &Node,
    filter: &Filter,
    tx: B256,
    block: Place,
) -> Result<Option<Vec<Log>>, Failed> {
    #[derive(serde::Deserialize)]
    struct Receipt {
        logs: Vec<Log>,
    }
    let receipt = match next(&mut node.ask(&[Call::receipt(tx)]).await?.into_iter()) {
        Ok(Some(json)) => serde_json::from_str::<Receipt>(json.get())
            .map_err(|error| node.unanswered(format!("a receipt that does not read: {error}")))?,
        Ok(None) => return Ok(None),
        Err(refusal) => return Err(node.unanswered(refusal).into()),
    };
    let logs = receipt.logs.into_iter().filter(|log| filter.takes(log)).collect();
    let range = (block.number, block.number);
    let mut hashes = BTreeMap::from([(block.number, block.hash)]);
    screen(logs, filter, range, &mut hashes).map(Some).map_err(|error| untrue(node, range, &error))
}

/// A range as it was proved, block by block.
#[derive(Debug)]
pub struct Proved {
    /// Every header, ascending, each the parent of the next.
    pub headers: Vec<Header>,
    /// How each of these blocks is believed.
    pub verdicts: Vec<Verdict>,
    /// The logs, in order; each has its block's time.
    pub logs: Vec<Log>,
    /// What was said that cannot be true.
    pub lies: Vec<Contradiction>,
}

/// Reads every header of a range and proves its logs, as far as node and budget allow.
pub async fn prove(
    nodes: &Nodes,
    node: &Arc<Node>,
    filter: &Filter,
    from: u64,
    to: u64,
) -> Result<Proved, Failed> {
    let mut calls: Vec<Call> = (from..=to).map(Call::header).collect();
    calls.push(Call::logs(filter, from, to));
    let mut replies = node.ask(&calls).await?.into_iter();
    let headers = (from..=to)
        .map(|number| header_at(node, number, next(&mut replies)))
        .collect::<Result<Vec<_>, _>>()?;
    let headers = linked(node, headers)?;
    let said = match next(&mut replies) {
        Ok(json) => {
            let mut hashes: BTreeMap<u64, B256> =
                headers.iter().map(|header| (header.number, header.hash)).collect();
            let logs = parse_logs(node, json.as_deref())?;
            Some(
                screen(logs, filter, (from, to), &mut hashes)
                    .map_err(|error| untrue(node, (from, to), &error))?,
            )
        }
        // A single block can still be read by its receipts.
        Err(_) if from == to => None,
        Err(refusal) => return Err(refused(node, (from, to), refusal)),
    };
    let mut judge = Judge { nodes, node, filter, lies: Vec::new() };
    let mut open = Vec::new();
    let mut judged: Vec<Option<(Verdict, Vec<Log>)>> = Vec::with_capacity(headers.len());
    for (place, header) in headers.iter().enumerate() {
        let empty = said.as_ref().is_some_and(|logs| of_block(logs, header).is_empty());
        if empty && nodes.blooms_hold() && header.excludes(filter) {
            judged.push(Some((Verdict::Proved, Vec::new())));
        } else {
            open.push(place);
            judged.push(None);
        }
    }
    for (place, proved) in judge.by_receipts(&headers, &open, said.as_deref()).await? {
        if let Some(slot) = judged.get_mut(place) {
            *slot = Some((Verdict::Proved, proved));
        }
    }
    open.retain(|place| judged.get(*place).is_some_and(Option::is_none));
    for (place, believed) in judge.by_second_opinion(&headers, &open, said.as_deref()).await? {
        if let Some(slot) = judged.get_mut(place) {
            *slot = Some(believed);
        }
    }
    let lies = judge.lies;
    let (verdicts, logs): (Vec<Verdict>, Vec<Vec<Log>>) = judged.into_iter().flatten().unzip();
    if verdicts.len() != headers.len() {
        return Err(node.unanswered("no logs and no receipts of a block").into());
    }
    let times: BTreeMap<B256, u64> = headers.iter().map(|header| (header.hash, header.timestamp)).collect();
    let mut logs: Vec<Log> = logs.into_iter().flatten().collect();
    for log in &mut logs {
        log.block_timestamp = times.get(&log.block_hash).copied();
    }
    Ok(Proved { headers, verdicts, logs, lies })
}

/// The part of a sorted answer that is of one block.
fn of_block<'a>(logs: &'a [Log], header: &Header) -> &'a [Log] {
    let start = logs.partition_point(|log| log.block_number < header.number);
    let end = logs.partition_point(|log| log.block_number <= header.number);
    logs.get(start..end).unwrap_or_default()
}

/// `log 3 of transaction 0x…, log 4 of …`
fn named<'a>(logs: impl IntoIterator<Item = &'a Log>) -> String {
    let names: Vec<String> = logs
        .into_iter()
        .map(|log| format!("log {} of transaction {}", log.log_index, log.transaction_hash))
        .collect();
    if names.is_empty() { "no log".to_owned() } else { names.join(", ") }
}

/// Do two readings hold the same logs? Times are beside the point.
fn same(one: &[Log], other: &[Log]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_log(one, other))
}

fn same_log(one: &Log, other: &Log) -> bool {
    (one.block_hash, one.log_index, one.transaction_hash, &one.topics, &one.data)
        == (other.block_hash, other.log_index, other.transaction_hash, &other.topics, &other.data)
}

/// Receipts asked for in one batch.
const RECEIPTS_A_BATCH: usize = 16;

/// Weighs what a node said of single blocks against what can be proved or asked elsewhere.
struct Judge<'a> {
    nodes: &'a Nodes,
    node: &'a Arc<Node>,
    filter: &'a Filter,
    lies: Vec<Contradiction>,
}

impl Judge<'_> {
    fn lie(&mut self, header: &Header, node: &Node, said: String, against: &str, against_said: String) {
        self.lies.push(Contradiction {
            block_number: header.number,
            block_hash: Some(header.hash),
            node: node.name().to_owned(),
            said,
            against: against.to_owned(),
            against_said,
        });
    }

    /// The logs of those blocks whose receipts could be had and proved.
    async fn by_receipts(
        &mut self,
        headers: &[Header],
        open: &[usize],
        said: Option<&[Log]>,
    ) -> Result<Vec<(usize, Vec<Log>)>, Failed> {
        let mut proved = Vec::new();
        let wanted: Vec<(usize, &Header)> = open
            .iter()
            .filter_map(|place| headers.get(*place).map(|header| (*place, header)))
            .filter(|(_, header)| header.proves.is_some())
            .collect();
        for some in wanted.chunks(RECEIPTS_A_BATCH) {
            let some: Vec<_> = some.iter().take_while(|_| self.nodes.may_prove()).collect();
            if !self.node.limits().receipts || some.is_empty() {
                break;
            }
            let calls: Vec<Call> = some.iter().map(|(_, header)| Call::receipts(header.hash)).collect();
            let mut replies = self.node.ask(&calls).await?.into_iter();
            for (place, header) in some {
                match next(&mut replies) {
                    Ok(Some(json)) => {
                        self.nodes.paid(json.get().len());
                        if let Some(truth) = self.weigh(header, json.get(), said) {
                            proved.push((*place, truth));
                        }
                    }
                    Err(refusal) if refusal.meaning() == Meaning::NoMethod => {
                        tracing::info!(
                            node = self.node.name(),
                            "serves no eth_getBlockReceipts: its logs are cross-checked instead of proved"
                        );
                        self.node.learn(|limits| limits.receipts = false);
                    }
                    // Not now, or not this block: it stays open.
                    Ok(None) | Err(_) => {}
                }
            }
        }
        Ok(proved)
    }

    /// What a block's receipts prove, noting what the node had said instead.
    fn weigh(&mut self, header: &Header, json: &str, said: Option<&[Log]>) -> Option<Vec<Log>> {
        const ROOT: &str = "its receipts, by the block's own receiptsRoot";
        let node = Arc::clone(self.node);
        let truth = match proof::logs_of_receipts(json, header, self.filter) {
            Ok(truth) => truth,
            Err(NotProved::Root { computed, expected }) => {
                let said = format!("receipts of the block whose root is {computed}");
                self.lie(header, &node, said, "the header of the block", format!("the root is {expected}"));
                return None;
            }
            Err(NotProved::Header | NotProved::Unreadable(_) | NotProved::UnknownType(_)) => return None,
        };
        if !truth.is_empty() && header.excludes(self.filter) {
            self.nodes.distrust_blooms();
            let held = named(&truth);
            self.lie(header, &node, "the block's bloom holds no log of ours".to_owned(), ROOT, held);
        }
        if let Some(said) = said.map(|logs| of_block(logs, header)).filter(|said| !same(said, &truth)) {
            let (said, held) = (format!("eth_getLogs: {}", named(said)), named(&truth));
            self.lie(header, &node, said, ROOT, held);
        }
        Some(truth)
    }

    /// Blocks that could not be proved: asked of a second node by hash where there is one.
    ///
    /// A log is believed to be there where a proved bloom holds it; where no bloom can
    /// be proved, where it was said.
    async fn by_second_opinion(
        &mut self,
        headers: &[Header],
        open: &[usize],
        said: Option<&[Log]>,
    ) -> Result<Vec<(usize, (Verdict, Vec<Log>))>, Failed> {
        let open: Vec<(usize, &Header)> =
            open.iter().filter_map(|place| headers.get(*place).map(|header| (*place, header))).collect();
        let Some(said) = said.filter(|_| !open.is_empty()) else { return Ok(Vec::new()) };
        let second = self.nodes.second(self.node);
        let mut opinions: Vec<Option<Vec<Log>>> = vec![None; open.len()];
        if !Arc::ptr_eq(&second, self.node) {
            let calls: Vec<Call> =
                open.iter().map(|(_, header)| Call::logs_of(self.filter, header.hash)).collect();
            // A second opinion that does not come is no reason to wait.
            let replies = second.ask(&calls).await.unwrap_or_default();
            for (slot, (reply, (_, header))) in opinions.iter_mut().zip(replies.into_iter().zip(&open)) {
                let logs = reply.ok().flatten().and_then(|json| parse_logs(&second, Some(&json)).ok());
                let mut hashes = BTreeMap::from([(header.number, header.hash)]);
                let range = (header.number, header.number);
                *slot = logs.and_then(|logs| screen(logs, self.filter, range, &mut hashes).ok());
            }
        }
        let mut believed = Vec::with_capacity(open.len());
        for ((place, header), opinion) in open.into_iter().zip(opinions) {
            let first = of_block(said, header);
            let mut logs = first.to_vec();
            let mut agreed = false;
            if let Some(other) = opinion {
                agreed = same(first, &other);
                if !agreed {
                    let (node, against) = (Arc::clone(self.node), second.name().to_owned());
                    self.lie(header, &node, named(first), &against, named(&other));
                    logs.extend(
                        other.into_iter().filter(|log| !first.iter().any(|known| same_log(known, log))),
                    );
                    logs.sort_by_key(|log| log.log_index);
                    logs.dedup_by_key(|log| log.log_index);
                }
            }
            if header.proves.is_some() && self.nodes.blooms_hold() {
                let (held, phantom): (Vec<Log>, Vec<Log>) =
                    logs.into_iter().partition(|log| header.holds(log));
                if !phantom.is_empty() {
                    let node = Arc::clone(self.node);
                    self.lie(
                        header,
                        &node,
                        named(&phantom),
                        "the block's own bloom",
                        "there is none".to_owned(),
                    );
                }
                logs = held;
            }
            let verdict = match (agreed, header.proves.is_some() && !logs.is_empty()) {
                (true, _) => Verdict::CrossChecked,
                (false, true) => Verdict::Bloom,
                (false, false) => Verdict::Taken,
            };
            believed.push((place, (verdict, logs)));
        }
        Ok(believed)
    }
}
