//! From a JSON-RPC question to its answer: true, or bent by the faults that
//! strike it.
//!
//! An answer is a function of the chain's view, the node's manner and the
//! faults; nothing here knows HTTP or counts requests.

use super::block::Block;
use super::chain::{SimChain, State, View};
use super::provider::{Cap, Refusal};
use super::render::{self, Bend, Json, Line, Receipts, ShownBloom};
use super::token::Reverted;
use super::weather::{Asked, Fault, Limits, Manner, Method, Pick, SideLogs};
use alloy::primitives::{Address, B256, Bytes};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// An error instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// What HTTP says about it, if it stands alone.
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
    /// What a reverted call returned.
    pub(super) reverted: bool,
}

impl Failure {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { status: 200, code, message: message.into(), reverted: false }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, ..Self::new(refusal.code, refusal.message) }
    }
}

/// The result's JSON.
pub(super) type Answer = Result<Vec<u8>, Failure>;

/// One question of a request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: Value,
    pub(super) method: Method,
    question: Result<Question, Failure>,
}

/// What is asked.
#[derive(Debug)]
enum Question {
    ChainId,
    NetVersion,
    ClientVersion,
    Syncing,
    BlockNumber,
    Block(At),
    Logs(Filter),
    BlockReceipts(At),
    Receipt(B256),
    Call { to: Address, input: Bytes, at: At },
    Code { address: Address, at: At },
}

/// Which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Number(u64),
    Hash(B256),
    /// The same, and only while it is on the node's own chain.
    Canonical(B256),
    Latest,
    Safe,
    Finalized,
    Earliest,
}

#[derive(Debug)]
struct Filter {
    span: Span,
    addresses: Vec<Address>,
    /// By place; an empty list is any topic.
    topics: Vec<Vec<B256>>,
}

#[derive(Debug, Clone, Copy)]
enum Span {
    Range(At, At),
    Block(B256),
}

/// A filter as it comes over the wire.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFilter {
    from_block: Option<Value>,
    to_block: Option<Value>,
    block_hash: Option<B256>,
    address: Option<OneOrMany<Address>>,
    topics: Option<Vec<Option<OneOrMany<B256>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Debug, Deserialize)]
struct WireCall {
    to: Address,
    data: Option<Bytes>,
    input: Option<Bytes>,
}

impl Call {
    pub(super) fn read(request: &Value) -> Self {
        let name = request.get("method").and_then(Value::as_str).unwrap_or_default();
        let method = Method::named(name);
        let no_params = Vec::new();
        let params = request.get("params").and_then(Value::as_array).unwrap_or(&no_params);
        Self {
            id: request.get("id").cloned().unwrap_or_default(),
            method,
            question: Question::read(method, name, params),
        }
    }

    /// What the weather needs to know.
    pub(super) fn asked(&self, state: &State) -> Asked {
        let head = state.head_id().number;
        let number = |at: At| match at {
            At::Number(number) => Some(number),
            At::Hash(hash) | At::Canonical(hash) => state.known(hash).map(|block| block.number),
            At::Latest => Some(head),
            At::Safe | At::Finalized | At::Earliest => None,
        };
        let one = |at: At| number(at).map(|number| (number, number));
        let blocks = match &self.question {
            Ok(
                Question::Block(at)
                | Question::BlockReceipts(at)
                | Question::Call { at, .. }
                | Question::Code { at, .. },
            ) => one(*at),
            Ok(Question::Logs(filter)) => match filter.span {
                Span::Block(hash) => one(At::Hash(hash)),
                Span::Range(from, to) => number(from).zip(number(to)),
            },
            Ok(Question::Receipt(tx)) => state.block_of(*tx).map(|b| (b.number, b.number)),
            Ok(
                Question::ChainId
                | Question::NetVersion
                | Question::ClientVersion
                | Question::Syncing
                | Question::BlockNumber,
            )
            | Err(_) => None,
        };
        Asked { method: self.method, blocks }
    }
}

impl Question {
    fn read(method: Method, name: &str, params: &[Value]) -> Result<Self, Failure> {
        Ok(match method {
            Method::ChainId => Self::ChainId,
            Method::NetVersion => Self::NetVersion,
            Method::ClientVersion => Self::ClientVersion,
            Method::Syncing => Self::Syncing,
            Method::BlockNumber => Self::BlockNumber,
            Method::BlockByNumber => Self::Block(At::read(params.first())?),
            Method::BlockByHash => Self::Block(At::Hash(param(params, 0)?)),
            Method::Logs => Self::Logs(Filter::read(param(params, 0)?)?),
            Method::BlockReceipts => Self::BlockReceipts(At::read(params.first())?),
            Method::TransactionReceipt => Self::Receipt(param(params, 0)?),
            Method::Call => {
                let call: WireCall = param(params, 0)?;
                Self::Call {
                    to: call.to,
                    input: call.input.or(call.data).unwrap_or_default(),
                    at: At::read(params.get(1))?,
                }
            }
            Method::Code => Self::Code { address: param(params, 0)?, at: At::read(params.get(1))? },
            Method::Unknown => {
                let message = format!("the method {name} does not exist/is not available");
                return Err(Failure::new(-32601, message));
            }
        })
    }
}

fn param<T: DeserializeOwned>(params: &[Value], place: usize) -> Result<T, Failure> {
    let missing = || Failure::invalid(format!("missing value for required argument {place}"));
    let value = params.get(place).ok_or_else(missing)?;
    T::deserialize(value).map_err(|error| Failure::invalid(format!("invalid argument {place}: {error}")))
}

impl At {
    /// A number, a tag, a hash, `{"blockHash": …}`; nothing is the latest.
    fn read(value: Option<&Value>) -> Result<Self, Failure> {
        let invalid = || Failure::invalid("invalid argument: block number, tag or hash expected");
        let text = match value {
            None | Some(Value::Null) => return Ok(Self::Latest),
            Some(Value::Object(object)) => {
                let known = object.get("blockHash").or_else(|| object.get("blockNumber"));
                let at = known.map_or_else(|| Err(invalid()), |value| Self::read(Some(value)))?;
                let canonical = object.get("requireCanonical").and_then(Value::as_bool).unwrap_or_default();
                return Ok(if let (Self::Hash(hash), true) = (at, canonical) {
                    Self::Canonical(hash)
                } else {
                    at
                });
            }
            Some(value) => value.as_str().ok_or_else(invalid)?,
        };
        match text {
            "latest" => Ok(Self::Latest),
            "safe" => Ok(Self::Safe),
            "finalized" => Ok(Self::Finalized),
            "earliest" => Ok(Self::Earliest),
            _ if text.len() == 66 => text.parse().map(Self::Hash).map_err(|_| invalid()),
            _ => text
                .strip_prefix("0x")
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                .map(Self::Number)
                .ok_or_else(invalid),
        }
    }
}

impl Filter {
    fn read(wire: WireFilter) -> Result<Self, Failure> {
        let span = match (wire.block_hash, &wire.from_block, &wire.to_block) {
            (Some(hash), None, None) => Span::Block(hash),
            (Some(_), _, _) => {
                let message = "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other";
                return Err(Failure::invalid(message));
            }
            (None, from, to) => Span::Range(At::read(from.as_ref())?, At::read(to.as_ref())?),
        };
        let any = |topic: Option<OneOrMany<B256>>| topic.map(OneOrMany::into_vec).unwrap_or_default();
        Ok(Self {
            span,
            addresses: wire.address.map(OneOrMany::into_vec).unwrap_or_default(),
            topics: wire.topics.into_iter().flatten().map(any).collect(),
        })
    }

    fn matches(&self, line: &Line<'_>) -> bool {
        let log = line.place.log;
        if !self.addresses.is_empty() && !self.addresses.contains(&log.address) {
            return false;
        }
        let mut topics = log.topics();
        self.topics.iter().all(|wanted| match topics.next() {
            Some(topic) => wanted.is_empty() || wanted.contains(&topic),
            None => false,
        })
    }

    /// The lines of `blocks` that match.
    fn lines<'a>(&self, blocks: &'a [Arc<Block>]) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        for block in blocks {
            let straight = block.places().map(|place| Line { block, place, bend: Bend::Straight });
            lines.extend(straight.filter(|line| self.matches(line)));
        }
        lines
    }
}

/// What a question about logs is about, taken from the chain.
#[derive(Debug)]
struct Stretch {
    from: u64,
    to: u64,
    /// Those of its blocks that hold logs.
    blocks: Vec<Arc<Block>>,
}

/// Everything an answer depends on but the chain.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) manner: Manner,
    pub(super) limits: Option<Limits>,
    pub(super) faults: Vec<Fault>,
    pub(super) seed: u64,
}

impl Desk {
    /// Answers one call. The chain is locked while it is looked at, and free
    /// again while logs are written out.
    pub(super) fn answer(&self, chain: &SimChain, call: &Call) -> Answer {
        for fault in &self.faults {
            if let Fault::Say(json) = fault {
                return Ok(json.clone().into_bytes());
            }
        }
        if self.has(&Fault::NullResult) {
            return Ok(b"null".to_vec());
        }
        if self.has(&Fault::MethodNotFound) {
            let message = format!("method {} not supported", call.method.as_str());
            return Err(Failure::new(-32601, message));
        }
        let state = chain.lock();
        let view = self.view(&state);
        match call.question.as_ref().map_err(Failure::clone)? {
            Question::ChainId => Ok(Json::written(|json| json.quantity(self.chain_id(&view)))),
            Question::NetVersion => Ok(format!("\"{}\"", self.chain_id(&view)).into_bytes()),
            Question::ClientVersion => Ok(b"\"rehearsal/v0.1.0\"".to_vec()),
            Question::Syncing => Ok(b"false".to_vec()),
            Question::BlockNumber => Ok(Json::written(|json| json.quantity(view.head()))),
            Question::Block(at) => self.block(&view, *at),
            Question::BlockReceipts(at) => self.block_receipts(&view, *at),
            Question::Receipt(tx) => Ok(self.receipt(&view, *tx)),
            Question::Call { to, input, at } => self.call(&view, *to, input, *at),
            Question::Code { address, at } => self.code(&view, *address, *at),
            Question::Logs(filter) => {
                let stretch = self.stretch(&view, filter.span)?;
                drop(view);
                drop(state);
                self.logs(filter, &stretch)
            }
        }
    }

    /// The chain as this node sees it now.
    fn view<'a>(&self, state: &'a State) -> View<'a> {
        let left = state.abandoned().last().copied();
        let head = left.filter(|_| self.has(&Fault::StaleBranch));
        let mut view = state.seen_from(head.unwrap_or_else(|| state.head_id()));
        for fault in &self.faults {
            if let Fault::Lag(blocks) = fault {
                view.lower(*blocks);
            }
        }
        view
    }

    fn has(&self, fault: &Fault) -> bool {
        self.faults.contains(fault)
    }

    fn chain_id(&self, view: &View<'_>) -> u64 {
        let mut id = view.state().chain_id;
        for fault in &self.faults {
            if let Fault::WrongChainId(wrong) = fault {
                id = *wrong;
            }
        }
        id
    }

    /// The height that a tag means, and the block there.
    fn number(&self, view: &View<'_>, at: At) -> Result<u64, Failure> {
        let behind = |by: Option<u64>, tag: &str| {
            let by = by.ok_or_else(|| Failure::invalid(format!("{tag} block not found")))?;
            Ok(view.head().saturating_sub(by).max(view.first()))
        };
        match at {
            At::Number(number) => Ok(number),
            At::Latest => Ok(view.head()),
            At::Earliest => Ok(view.first()),
            At::Safe => behind(self.manner.safe, "safe"),
            At::Finalized => behind(self.manner.finalized, "finalized"),
            At::Hash(hash) | At::Canonical(hash) => {
                let unknown = || Failure::new(-32000, "header not found");
                view.known(hash).map(|block| block.number).ok_or_else(unknown)
            }
        }
    }

    fn find<'a>(&self, view: &'a View<'_>, at: At) -> Result<Option<&'a Arc<Block>>, Failure> {
        match at {
            At::Hash(hash) => Ok(view.known(hash)),
            At::Canonical(hash) => match view.known(hash) {
                Some(block) if !view.follows(block) => {
                    Err(Failure::new(-32000, format!("hash {hash} is not currently canonical")))
                }
                found => Ok(found),
            },
            At::Number(_) | At::Latest | At::Safe | At::Finalized | At::Earliest => {
                Ok(view.at(self.number(view, at)?))
            }
        }
    }

    fn block(&self, view: &View<'_>, at: At) -> Answer {
        let found = self.find(view, at)?.filter(|_| !self.has(&Fault::NullBlocks));
        let shown = if self.has(&Fault::ZeroBloom) {
            ShownBloom::Zero
        } else if self.has(&Fault::WrongBloom) {
            ShownBloom::Wrong
        } else {
            ShownBloom::True
        };
        Ok(Json::written(|json| match found {
            Some(block) => render::block(block, shown, json),
            None => json.null(),
        }))
    }

    fn block_receipts(&self, view: &View<'_>, at: At) -> Answer {
        if !self.manner.block_receipts {
            let message = "the method eth_getBlockReceipts does not exist/is not available";
            return Err(Failure::new(-32601, message));
        }
        let found = self.find(view, at)?;
        Ok(Json::written(|json| match found {
            Some(block) => self.receipts(block, None).write_all(json),
            None => json.null(),
        }))
    }

    fn receipt(&self, view: &View<'_>, tx: B256) -> Vec<u8> {
        let found = view.block_of(tx).and_then(|block| {
            let there = block.transactions().find(|there| there.hash == tx)?;
            Some((block, there))
        });
        Json::written(|json| match found {
            Some((block, tx)) => self.receipts(block, Some(tx.hash)).write(tx, json),
            None => json.null(),
        })
    }

    /// Receipts of a block, or of one transaction of it, perhaps without a log.
    fn receipts<'a>(&self, block: &'a Block, tx: Option<B256>) -> Receipts<'a> {
        let mut without = None;
        for fault in &self.faults {
            if let Fault::ReceiptWithout(pick) = fault {
                let of_it = block.places().filter(|place| tx.is_none_or(|tx| place.tx.hash == tx));
                let places: Vec<(u64, u64)> = of_it.map(|place| (block.number, place.log_index)).collect();
                let picked = pick.of(&places, &mut self.rng());
                without = picked.and_then(|picked| places.get(picked)).map(|place| place.1);
            }
        }
        Receipts { block, timestamps: self.manner.log_timestamps, without }
    }

    fn rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    /// The block whose state is asked for, if it is still there.
    fn state_at<'a>(&self, view: &'a View<'_>, at: At) -> Result<&'a Arc<Block>, Failure> {
        let missing = || Failure::new(-32000, "header not found");
        let block = self.find(view, at)?.ok_or_else(missing)?;
        for fault in &self.faults {
            if let Fault::PrunedState(kept) = fault
                && block.number + kept < view.head()
            {
                let root = block.header().state_root;
                let message = format!("missing trie node {root:x} (path ) state {root} is not available");
                return Err(Failure::new(-32000, message));
            }
        }
        Ok(block)
    }

    fn call(&self, view: &View<'_>, to: Address, input: &[u8], at: At) -> Answer {
        let block = self.state_at(view, at)?;
        match view.state().call(to, input, block) {
            Ok(output) => Ok(Json::written(|json| json.bytes(&output))),
            Err(Reverted) => Err(Failure { reverted: true, ..Failure::new(3, "execution reverted") }),
        }
    }

    fn code(&self, view: &View<'_>, address: Address, at: At) -> Answer {
        self.state_at(view, at)?;
        // The shortest program that is one: it stops.
        let code: &[u8] = if view.state().has_code(address) { &[0] } else { &[] };
        Ok(Json::written(|json| json.bytes(code)))
    }

    fn logs(&self, filter: &Filter, stretch: &Stretch) -> Answer {
        let Stretch { from, to, ref blocks } = *stretch;
        for fault in &self.faults {
            if let Fault::Refuse(provider) = fault {
                let half = to.saturating_sub(from) / 2 + 1;
                return Err(provider.refusal(from, to, Cap::Blocks(half)).into());
            }
        }
        if let Some(Limits { provider, blocks: Some(most), .. }) = self.limits
            && to.saturating_sub(from) >= most
        {
            return Err(provider.refusal(from, to, Cap::Blocks(most)).into());
        }
        let mut lines = filter.lines(blocks);
        if let Some(Limits { provider, results: Some(most), .. }) = self.limits
            && (from < to || !provider.answers_any_single_block())
            && let Some(over) = lines.get(usize::try_from(most).unwrap_or(usize::MAX))
        {
            let fits = over.block.number.saturating_sub(1).max(from);
            return Err(provider.refusal(from, to, Cap::Results { most, fits }).into());
        }
        self.bend(&mut lines);
        let mut data = Vec::new();
        Ok(Json::written(|json| {
            json.array(|json| {
                for line in &lines {
                    line.write(json, self.manner.log_timestamps, &mut data);
                }
            });
        }))
    }

    /// The stretch of chain that logs are asked of.
    fn stretch(&self, view: &View<'_>, span: Span) -> Result<Stretch, Failure> {
        match span {
            Span::Block(hash) => {
                let unknown = || Failure::new(-32000, "unknown block");
                let block = view.known(hash).ok_or_else(unknown)?;
                let blocks = match self.manner.side_logs {
                    SideLogs::Empty if !view.follows(block) => Vec::new(),
                    SideLogs::Refused if !view.follows(block) => return Err(unknown()),
                    SideLogs::Answered | SideLogs::Empty | SideLogs::Refused => {
                        vec![Arc::clone(block)]
                    }
                };
                Ok(Stretch { from: block.number, to: block.number, blocks })
            }
            Span::Range(from, to) => {
                let (from, to) = (self.number(view, from)?, self.number(view, to)?);
                let head = view.head();
                if from > to {
                    return Err(Failure::new(-32000, "invalid block range params"));
                }
                if from > head && self.manner.beyond_head_is_an_error {
                    return Err(Failure::invalid(format!(
                        "BlockOutOfRangeError: block height is {head} but requested was {from}"
                    )));
                }
                let blocks = view.with_logs(from, to);
                Ok(Stretch { from, to, blocks })
            }
        }
    }

    /// Does to an answer what the faults say.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "faults of anything but logs are carried out elsewhere"
    )]
    fn bend(&self, lines: &mut Vec<Line<'_>>) {
        let mut rng = self.rng();
        for fault in &self.faults {
            match fault {
                Fault::EmptyLogs => lines.clear(),
                Fault::TruncateLogs => lines.truncate(lines.len() / 2),
                Fault::ShuffleLogs => lines.shuffle(&mut rng),
                Fault::ExactlyLogs { block, log_indexes } => exactly(lines, *block, log_indexes),
                Fault::OmitLog(pick) => {
                    if let Some(picked) = pick.line(lines, &mut rng) {
                        lines.remove(picked);
                    }
                }
                Fault::DuplicateLog(pick) => again(lines, *pick, Bend::Straight, &mut rng),
                Fault::PhantomLog(pick) => again(lines, *pick, Bend::Phantom, &mut rng),
                Fault::WrongBlockHash(pick) => bend_one(lines, *pick, Bend::WrongBlockHash, &mut rng),
                Fault::ForeignAddress(pick) => bend_one(lines, *pick, Bend::ForeignAddress, &mut rng),
                Fault::ForeignTopic(pick) => bend_one(lines, *pick, Bend::ForeignTopic, &mut rng),
                Fault::RemovedLog(pick) => bend_one(lines, *pick, Bend::Removed, &mut rng),
                _ => {}
            }
        }
    }
}

/// Repeats one line behind itself.
fn again(lines: &mut Vec<Line<'_>>, pick: Pick, bend: Bend, rng: &mut StdRng) {
    if let Some(picked) = pick.line(lines, rng)
        && let Some(line) = lines.get(picked).copied()
    {
        lines.insert(picked + 1, Line { bend, ..line });
    }
}

fn bend_one(lines: &mut [Line<'_>], pick: Pick, bend: Bend, rng: &mut StdRng) {
    if let Some(line) = pick.line(lines, rng).and_then(|picked| lines.get_mut(picked)) {
        line.bend = bend;
    }
}

/// Replaces a block's lines, where they stand, by those of these log indexes.
fn exactly(lines: &mut Vec<Line<'_>>, block: u64, log_indexes: &[u64]) {
    let Some(start) = lines.iter().position(|line| line.block.number == block) else {
        return;
    };
    let (of_block, mut others): (Vec<_>, Vec<_>) =
        lines.drain(..).partition(|line| line.block.number == block);
    let said = log_indexes
        .iter()
        .filter_map(|wanted| of_block.iter().find(|line| line.place.log_index == *wanted).copied());
    others.splice(start..start, said);
    *lines = others;
}

impl Pick {
    fn line(self, lines: &[Line<'_>], rng: &mut StdRng) -> Option<usize> {
        let places: Vec<(u64, u64)> =
            lines.iter().map(|line| (line.block.number, line.place.log_index)).collect();
        self.of(&places, rng)
    }

    /// Which of these, each a block's number and a log's place in it.
    fn of(self, places: &[(u64, u64)], rng: &mut StdRng) -> Option<usize> {
        let last = places.len().checked_sub(1)?;
        match self {
            Self::First => Some(0),
            Self::Last => Some(last),
            Self::Any => Some(rng.random_range(0..=last)),
            Self::At { block, log_index } => places.iter().position(|place| *place == (block, log_index)),
        }
    }
}
