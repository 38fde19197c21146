//! Asking nodes over HTTP JSON-RPC.
//!
//! One [`Node`] answers one step, so that no two views of the chain are mixed;
//! [`Nodes`] says which one, and lets a faulty one rest. There is no retry layer
//! below the caller: a refusal is told apart by its text, never by its code
//! (`indexing.md` rule 1), and only the caller knows whether to halve, to wait,
//! or to ask elsewhere. Urls may carry keys, so a node goes by its host's name.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::primitives::B256;
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    log::Filter,
    source::{ChainSettings, ProofBudget},
};
use crate::time::Clock;

/// One question.
#[derive(Clone, Debug)]
pub struct Call {
    method: &'static str,
    params: Value,
}

/// A height as the protocol spells it.
fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

impl Call {
    /// Which chain is this?
    pub fn chain_id() -> Self {
        Self { method: "eth_chainId", params: json!([]) }
    }

    /// The header at a height; `null` where the node has none.
    pub fn header(number: u64) -> Self {
        Self { method: "eth_getBlockByNumber", params: json!([quantity(number), false]) }
    }

    /// The header that a tag names: `latest`, `safe`, `finalized`.
    pub fn tagged(tag: &'static str) -> Self {
        Self { method: "eth_getBlockByNumber", params: json!([tag, false]) }
    }

    /// The logs of a range, both ends included.
    pub fn logs(filter: &Filter, from: u64, to: u64) -> Self {
        let range = json!({"address": filter.address, "topics": [filter.topics],
                           "fromBlock": quantity(from), "toBlock": quantity(to)});
        Self { method: "eth_getLogs", params: json!([range]) }
    }

    /// The logs of one block, by its hash.
    pub fn logs_of(filter: &Filter, block: B256) -> Self {
        let of = json!({"address": filter.address, "topics": [filter.topics], "blockHash": block});
        Self { method: "eth_getLogs", params: json!([of]) }
    }

    /// Every receipt of one block, by its hash.
    pub fn receipts(block: B256) -> Self {
        Self { method: "eth_getBlockReceipts", params: json!([block]) }
    }

    /// One transaction's receipt.
    pub fn receipt(tx: B256) -> Self {
        Self { method: "eth_getTransactionReceipt", params: json!([tx]) }
    }

    /// A read of a contract at a block given by its hash (EIP-1898).
    pub fn read_at(to: alloy::primitives::Address, input: &[u8], block: B256) -> Self {
        let call = json!({"to": to, "data": alloy::hex::encode_prefixed(input)});
        Self { method: "eth_call", params: json!([call, {"blockHash": block}]) }
    }

    /// A read of a contract at a height.
    pub fn read_at_height(to: alloy::primitives::Address, input: &[u8], number: u64) -> Self {
        let call = json!({"to": to, "data": alloy::hex::encode_prefixed(input)});
        Self { method: "eth_call", params: json!([call, quantity(number)]) }
    }

    /// A read of a contract now.
    pub fn read(to: alloy::primitives::Address, input: &[u8]) -> Self {
        let call = json!({"to": to, "data": alloy::hex::encode_prefixed(input)});
        Self { method: "eth_call", params: json!([call, "latest"]) }
    }

    /// The code at an address now.
    pub fn code(of: alloy::primitives::Address) -> Self {
        Self { method: "eth_getCode", params: json!([of, "latest"]) }
    }
}

/// What came back for one call: the result as it stood (`None` for null), or the refusal.
pub type Reply = Result<Option<Box<RawValue>>, Refusal>;

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

/// No usable answer at all: try again, best elsewhere.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// Not reached, cut off, too late, or not JSON-RPC.
    #[error("{node} gave no usable answer: {why}")]
    Unanswered {
        /// Which node.
        node: String,
        /// What came instead.
        why: String,
    },
    /// It wants us to be slower.
    #[error("{node} is throttling us{}", retry_in.map_or(String::new(), |wait| format!(" for {} s", wait.as_secs())))]
    Throttled {
        /// Which node.
        node: String,
        /// How long, where it said so.
        retry_in: Option<Duration>,
    },
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

/// The width to try after `width` was refused: what the node suggests, or half; always less.
pub fn narrower(width: u64, suggested: Option<(u64, u64)>) -> u64 {
    let hint = suggested.and_then(|(from, to)| to.checked_sub(from)?.checked_add(1));
    hint.filter(|hint| (1..width).contains(hint)).unwrap_or(width / 2).max(1)
}

/// One node.
pub struct Node {
    name: String,
    url: String,
    http: reqwest::Client,
    clock: Clock,
    limits: Mutex<Limits>,
    faults: AtomicU32,
    rests_until: AtomicI64,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<SaidNo>,
}

#[derive(Deserialize)]
struct SaidNo {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<Value>,
}

impl Envelope<'_> {
    fn into_reply(self) -> Reply {
        match self.error {
            None => Ok(self.result.map(ToOwned::to_owned)),
            Some(SaidNo { code, message, data }) => {
                let data = match data {
                    Some(Value::String(text)) if !text.starts_with("0x") => format!(": {text}"),
                    _ => String::new(),
                };
                Err(Refusal { code, message: message + &data })
            }
        }
    }
}

impl Node {
    fn new(name: String, url: String, timeout: Duration, clock: Clock) -> Result<Self, reqwest::Error> {
        // Said once for the process; a second saying is refused and that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            // Nodes are read over this, whatever other crates have reqwest built with.
            .http1_only()
            .user_agent(concat!("hedge/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            name,
            url,
            http,
            clock,
            limits: Mutex::default(),
            faults: AtomicU32::new(0),
            rests_until: AtomicI64::new(0),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// Its host and port: what it is called everywhere.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it has shown it can do.
    pub fn limits(&self) -> Limits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down something it has shown.
    pub fn learn(&self, learn: impl FnOnce(&mut Limits)) {
        learn(&mut self.limits.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// HTTP requests sent and bytes received so far.
    pub fn traffic(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Asks all `calls` in one HTTP request where the node takes batches, else one after the other.
    ///
    /// Gives a reply for each call, in their order.
    ///
    /// # Errors
    /// [`Fault`]: nothing is known; try again, best elsewhere.
    pub async fn ask(&self, calls: &[Call]) -> Result<Vec<Reply>, Fault> {
        if calls.len() > 1 && self.limits().batches {
            if let Some(replies) = self.post(calls).await? {
                return Ok(replies);
            }
            tracing::info!(node = self.name, "takes no batches: asking one by one from now on");
            self.learn(|limits| limits.batches = false);
        }
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let one = self.post(std::slice::from_ref(call)).await?;
            replies.extend(one.ok_or_else(|| self.unanswered("an answer that is no JSON-RPC"))?);
        }
        Ok(replies)
    }

    /// One HTTP request; `None` where a batch was refused as such.
    async fn post(&self, calls: &[Call]) -> Result<Option<Vec<Reply>>, Fault> {
        let envelope = |(id, call): (usize, &Call)| json!({"jsonrpc": "2.0", "id": id, "method": call.method, "params": call.params});
        let body = match calls {
            [call] => envelope((0, call)),
            calls => calls.iter().enumerate().map(envelope).collect(),
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response =
            self.http.post(&self.url).json(&body).send().await.map_err(|error| self.unanswered(error))?;
        let status = response.status();
        let retry_in = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = response.bytes().await.map_err(|error| self.unanswered(error))?;
        self.bytes.fetch_add(u64::try_from(body.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let throttled = || Fault::Throttled { node: self.name.clone(), retry_in };
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(throttled());
        }
        if calls.len() == 1 {
            let reply = serde_json::from_slice::<Envelope<'_>>(&body)
                .map_err(|error| self.unreadable(status, &error))?;
            let reply = reply.into_reply();
            return match reply {
                Err(refusal) if refusal.meaning() == Meaning::TooFast => Err(throttled()),
                reply => Ok(Some(vec![reply])),
            };
        }
        let envelopes = match serde_json::from_slice::<Vec<Envelope<'_>>>(&body) {
            Ok(envelopes) => envelopes,
            Err(error) => {
                // A single object answers the whole batch: it is its text that counts.
                let whole = serde_json::from_slice::<Envelope<'_>>(&body)
                    .map_err(|_| self.unreadable(status, &error))?;
                return match whole.into_reply() {
                    Err(refusal) if refusal.meaning() == Meaning::TooFast => Err(throttled()),
                    Err(refusal) if refusal.meaning() == Meaning::Unwell => Err(self.unanswered(refusal)),
                    _ => Ok(None),
                };
            }
        };
        let mut replies: Vec<Option<Reply>> = vec![None; calls.len()];
        for envelope in envelopes {
            let place = envelope.id.and_then(|id| replies.get_mut(usize::try_from(id).ok()?));
            if let Some(place) = place {
                let reply = envelope.into_reply();
                if reply.as_ref().is_err_and(|refusal| refusal.meaning() == Meaning::TooFast) {
                    return Err(throttled());
                }
                *place = Some(reply);
            }
        }
        let replies: Option<Vec<Reply>> = replies.into_iter().collect();
        replies.map(Some).ok_or_else(|| self.unanswered("a batch answer that lacks a part"))
    }

    /// Nothing usable came.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an error, a literal or a text: what the caller has at hand"
    )]
    pub fn unanswered(&self, why: impl ToString) -> Fault {
        // reqwest names the url in its errors, and the url may hold a key.
        let why = why.to_string().replace(&self.url, &self.name);
        Fault::Unanswered { node: self.name.clone(), why }
    }

    fn unreadable(&self, status: StatusCode, error: &serde_json::Error) -> Fault {
        if status.is_success() {
            self.unanswered(format!("an answer that is no JSON-RPC ({error})"))
        } else {
            self.unanswered(format!("http {status}"))
        }
    }

    /// It answered: whatever held it back is over.
    fn recovered(&self) {
        self.faults.store(0, Ordering::Relaxed);
    }

    /// Rests after a fault: a moment at first, doubling to half a minute, with jitter, or as long as it asked for.
    fn rests(&self, fault: &Fault) {
        let faults = self.faults.fetch_add(1, Ordering::Relaxed).min(7);
        let asked = match fault {
            Fault::Throttled { retry_in, .. } => {
                retry_in.map(|wait| wait.clamp(Duration::from_secs(1), Duration::from_mins(5)))
            }
            Fault::Unanswered { .. } => None,
        };
        let wait = asked.unwrap_or_else(|| {
            let most = (250_u64 << faults).min(30_000);
            Duration::from_millis(most / 2 + rand::random_range(0..=most / 2))
        });
        let until = self.clock.millis().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.rests_until.store(until, Ordering::Relaxed);
    }

    fn wait_left(&self) -> Duration {
        let left = self.rests_until.load(Ordering::Relaxed) - self.clock.millis();
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }
}

/// The nodes of one chain.
#[derive(Clone)]
pub struct Nodes {
    all: Arc<[Arc<Node>]>,
    preferred: Arc<AtomicUsize>,
    clock: Clock,
    blooms_hold: Arc<AtomicBool>,
    budget: ProofBudget,
    spent: Arc<Mutex<Spent>>,
}

/// What proofs have cost in the minute that runs.
#[derive(Debug, Default)]
struct Spent {
    minute: i64,
    requests: u64,
    bytes: u64,
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter()).finish()
    }
}

impl Nodes {
    /// Connects to nothing yet.
    pub fn new(chain: &ChainSettings, clock: &Clock) -> Result<Self, reqwest::Error> {
        let mut names: Vec<String> = Vec::new();
        let nodes = chain
            .rpc
            .iter()
            .map(|url| {
                let host = host_of(url);
                let twins = names.iter().filter(|name| **name == host).count();
                names.push(host.clone());
                let name = if twins == 0 { host } else { format!("{host}#{}", twins + 1) };
                let timeout = Duration::from_millis(chain.timeout_ms);
                Node::new(name, url.clone(), timeout, clock.clone()).map(Arc::new)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            all: nodes,
            preferred: Arc::default(),
            clock: clock.clone(),
            blooms_hold: Arc::new(AtomicBool::new(true)),
            budget: chain.proof_budget,
            spent: Arc::default(),
        })
    }

    /// All of them, in order of preference.
    pub fn all(&self) -> &[Arc<Node>] {
        &self.all
    }

    /// Does this chain's bloom hold what its blocks hold? Some chains fill it late, or not at all.
    pub fn blooms_hold(&self) -> bool {
        self.blooms_hold.load(Ordering::Relaxed)
    }

    /// Proved receipts held a log that the block's own bloom did not: its blooms prove nothing.
    pub fn distrust_blooms(&self) {
        self.blooms_hold.store(false, Ordering::Relaxed);
    }

    /// How many blocks' receipts may be fetched in a minute.
    pub const fn proofs_a_minute(&self) -> u64 {
        self.budget.requests
    }

    /// How many more blocks' receipts may be fetched in this minute.
    pub fn proofs_left(&self) -> u64 {
        let minute = self.clock.millis() / 60_000;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.minute != minute {
            *spent = Spent { minute, ..Spent::default() };
        }
        if spent.bytes >> 20 < self.budget.mib {
            self.budget.requests.saturating_sub(spent.requests)
        } else {
            0
        }
    }

    /// May one more block's receipts be fetched? If so, it is counted.
    pub fn may_prove(&self) -> bool {
        let may = self.proofs_left() > 0;
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.requests += u64::from(may);
        may
    }

    /// So many bytes of receipts came.
    pub fn paid(&self, bytes: usize) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.bytes = spent.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The widest range that the preferred node is known to serve.
    pub fn widest(&self) -> u64 {
        self.all.get(self.preferred.load(Ordering::Relaxed)).map_or(1, |node| node.limits().widest())
    }

    /// The node for the next step: the preferred one, the next that does not
    /// rest, or whichever has rested soonest, waited for.
    ///
    /// `None` only where no node is configured.
    pub async fn ready(&self) -> Option<Arc<Node>> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let (before, after) = self.all.split_at_checked(preferred)?;
        let soonest = after.iter().chain(before).min_by_key(|node| node.wait_left())?;
        let wait = soonest.wait_left();
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        Some(Arc::clone(soonest))
    }

    /// Another node than `node`, for a second opinion; the same where there is but one.
    pub fn second(&self, node: &Arc<Node>) -> Arc<Node> {
        let others = self.all.iter().filter(|other| !Arc::ptr_eq(other, node));
        Arc::clone(others.min_by_key(|other| other.wait_left()).unwrap_or(node))
    }

    /// `node` cannot help now, through no fault: the next one is preferred.
    pub fn pass(&self, node: &Arc<Node>) {
        if let Some(place) = self.all.iter().position(|other| Arc::ptr_eq(other, node)) {
            self.preferred.store((place + 1) % self.all.len().max(1), Ordering::Relaxed);
        }
    }

    /// `node` answered well.
    pub fn praise(&self, node: &Node) {
        node.recovered();
    }

    /// `node` failed us: it rests, and the next one is preferred.
    pub fn blame(&self, node: &Arc<Node>, fault: &Fault) {
        node.rests(fault);
        self.pass(node);
    }
}

/// `host:port` of a url; never its path, user or query, where keys live.
pub fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
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

    #[test]
    fn a_node_is_named_without_its_key() {
        assert_eq!(host_of("https://user:pass@rpc.example:8545/v2/KEY?k=1"), "rpc.example:8545");
        assert_eq!(host_of("http://127.0.0.1:8545"), "127.0.0.1:8545");
    }
}
