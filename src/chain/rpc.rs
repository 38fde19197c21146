//! Asking a node over HTTP JSON-RPC.
//!
//! There is no retry layer below the caller: only the caller knows whether to
//! halve, to wait, or to ask elsewhere. Urls may carry keys, so a node goes by
//! its host's name, in errors as everywhere.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::primitives::B256;
use bytes::Bytes;
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    log::Filter,
    refusal::{Limits, Meaning, Refusal},
};
use crate::{
    tape::{Said, Tape},
    time::Clock,
};

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

    /// A read of a contract at a block given by its hash, which must be on the node's own chain.
    pub fn read_canonical(to: alloy::primitives::Address, input: &[u8], block: B256) -> Self {
        let call = json!({"to": to, "data": alloy::hex::encode_prefixed(input)});
        let at = json!({"blockHash": block, "requireCanonical": true});
        Self { method: "eth_call", params: json!([call, at]) }
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
    /// It is of another chain: its answers would all be well-formed.
    #[error("{node} serves chain {serves}, not {ours}")]
    AnotherChain {
        /// Which node.
        node: String,
        /// The chain it serves.
        serves: u64,
        /// The chain it is configured for.
        ours: u64,
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

/// One node.
pub struct Node {
    name: String,
    url: String,
    http: reqwest::Client,
    clock: Clock,
    limits: Mutex<Limits>,
    introduced: AtomicBool,
    faults: AtomicU32,
    rests_until: AtomicI64,
    requests: AtomicU64,
    bytes: AtomicU64,
    tape: Mutex<Option<Tape>>,
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
    pub(super) fn new(
        name: String,
        url: String,
        timeout: Duration,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
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
            introduced: AtomicBool::new(false),
            faults: AtomicU32::new(0),
            rests_until: AtomicI64::new(0),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            tape: Mutex::default(),
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

    /// From now on its answers are kept on this tape, or come from it; none: neither.
    pub fn put(&self, tape: Option<Tape>) {
        *self.tape.lock().unwrap_or_else(PoisonError::into_inner) = tape;
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
        let (status, retry_in, body) = self.answer(&body).await?;
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

    /// The HTTP answer to `body`: its status, how long it wants us to wait, and what it says.
    async fn answer(&self, body: &Value) -> Result<(StatusCode, Option<Duration>, Bytes), Fault> {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(tape) = tape.as_ref().filter(|tape| tape.plays()) {
            let said = tape.play(&self.name, &body.to_string());
            let said = said.ok_or_else(|| self.unanswered("it is not on the tape"))?;
            let status = said.status.and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.ok_or_else(|| self.unanswered(String::from_utf8_lossy(&said.body)))?;
            return Ok((status, None, said.body.into()));
        }
        let answer = self.fetch(body).await;
        if let Some(tape) = tape {
            let (status, said) = match &answer {
                Ok((status, _, said)) => (Some(status.as_u16()), said.to_vec()),
                Err(fault) => (None, fault.to_string().into_bytes()),
            };
            let (door, request) = (self.name.clone(), body.to_string());
            tape.keep(Said { door, request, status, body: said });
        }
        answer
    }

    async fn fetch(&self, body: &Value) -> Result<(StatusCode, Option<Duration>, Bytes), Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response =
            self.http.post(&self.url).json(body).send().await.map_err(|error| self.unanswered(error))?;
        let status = response.status();
        let retry_in = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = response.bytes().await.map_err(|error| self.unanswered(error))?;
        self.bytes.fetch_add(u64::try_from(body.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok((status, retry_in, body))
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

    /// Has it said that it serves our chain?
    pub(super) fn is_introduced(&self) -> bool {
        self.introduced.load(Ordering::Relaxed)
    }

    pub(super) fn is_now_introduced(&self) {
        self.introduced.store(true, Ordering::Relaxed);
    }

    /// It answered: whatever held it back is over.
    pub(super) fn recovered(&self) {
        self.faults.store(0, Ordering::Relaxed);
    }

    /// Rests after a fault: a moment at first, doubling to half a minute, with jitter, or as long as it asked for.
    pub(super) fn rests(&self, fault: &Fault) {
        let faults = self.faults.fetch_add(1, Ordering::Relaxed).min(7);
        let asked = match fault {
            Fault::Throttled { retry_in, .. } => {
                retry_in.map(|wait| wait.clamp(Duration::from_secs(1), Duration::from_mins(5)))
            }
            Fault::Unanswered { .. } | Fault::AnotherChain { .. } => None,
        };
        let wait = asked.unwrap_or_else(|| {
            let most = (250_u64 << faults).min(30_000);
            Duration::from_millis(most / 2 + rand::random_range(0..=most / 2))
        });
        let until = self.clock.millis().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.rests_until.store(until, Ordering::Relaxed);
    }

    pub(super) fn wait_left(&self) -> Duration {
        let left = self.rests_until.load(Ordering::Relaxed) - self.clock.millis();
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
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

    #[test]
    fn a_node_is_named_without_its_key() {
        assert_eq!(host_of("https://user:pass@rpc.example:8545/v2/KEY?k=1"), "rpc.example:8545");
        assert_eq!(host_of("http://127.0.0.1:8545"), "127.0.0.1:8545");
    }
}
