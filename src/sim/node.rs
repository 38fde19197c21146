//! A node: HTTP in front of a chain, with a weather of its own.
//!
//! Several nodes may serve one chain, each lagging or lying in its own way.
//! Dropping a [`SimNode`] stops it. What it was asked and what it did is
//! counted, so that a test can say why it failed.

use super::chain::SimChain;
use super::render::Json;
use super::rpc::{Answer, Call, Desk, Failure};
use super::weather::{Asked, Fault, Method, Sky, Weather};
use super::wire::{Shears, Wires};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::oneshot;

/// So many requests are remembered.
const REMEMBERED: usize = 256;
/// So much of each.
const EXCERPT: usize = 512;

/// A node that is up. Dropped, it goes down.
#[derive(Debug)]
pub struct SimNode {
    addr: SocketAddr,
    front: Arc<Front>,
    _stop: oneshot::Sender<()>,
}

/// What a node was asked and answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// HTTP requests.
    pub requests: u64,
    /// Calls, by method; a batch has several.
    pub calls: BTreeMap<Method, u64>,
    /// Bytes of answers, without HTTP's own.
    pub bytes_sent: u64,
    /// Requests that a fault struck.
    pub struck: u64,
}

impl Tally {
    /// Calls of one method.
    pub fn of(&self, method: Method) -> u64 {
        self.calls.get(&method).copied().unwrap_or_default()
    }
}

/// One request, remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The beginning of its body.
    pub request: String,
    /// What struck it.
    pub faults: Vec<Fault>,
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the answer.
    pub answer: String,
    /// The length of the answer.
    pub bytes: usize,
}

impl SimNode {
    /// Serves `chain` at `addr`; port 0 is any that is free.
    pub async fn serve(chain: SimChain, weather: Weather, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let front = Arc::new(Front { chain, sky: Mutex::new(Sky::new(weather)), ledger: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new()
            .fallback(post(serve))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&front))
            .into_make_service_with_connect_info::<Shears>();
        let server = axum::serve(Wires(listener), router).with_graceful_shutdown(async {
            // Either end of the channel says the same.
            let _ = stopped.await;
        });
        tokio::spawn(server.into_future());
        Ok(Self { addr, front, _stop: stop })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it is to be asked.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The chain it serves.
    pub fn chain(&self) -> &SimChain {
        &self.front.chain
    }

    /// From the next request on, another weather; all counts begin anew.
    pub fn set_weather(&self, weather: Weather) {
        *lock(&self.front.sky) = Sky::new(weather);
    }

    /// Nothing goes wrong any more. The kind of node stays what it was.
    pub fn calm(&self) {
        let manner = lock(&self.front.sky).weather.manner;
        self.set_weather(Weather::calm().of_manner(manner));
    }

    /// The weather that is.
    pub fn weather(&self) -> Weather {
        lock(&self.front.sky).weather.clone()
    }

    /// What it was asked so far.
    pub fn tally(&self) -> Tally {
        lock(&self.front.ledger).tally.clone()
    }

    /// The last requests, oldest first.
    pub fn recent(&self) -> Vec<Served> {
        lock(&self.front.ledger).recent.iter().cloned().collect()
    }
}

/// What every connection of a node shares.
#[derive(Debug)]
struct Front {
    chain: SimChain,
    sky: Mutex<Sky>,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    tally: Tally,
    recent: VecDeque<Served>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What goes out, and how.
#[derive(Debug)]
struct Delivery {
    status: u16,
    content_type: &'static str,
    retry_after: Option<u64>,
    body: Vec<u8>,
    /// The connection is cut once so many bytes of answer are out.
    cut: Option<usize>,
    delay: Duration,
}

async fn serve(
    State(front): State<Arc<Front>>,
    ConnectInfo(shears): ConnectInfo<Shears>,
    request: Bytes,
) -> Response {
    let (delivery, faults) = front.answer(&request);
    front.note(&request, faults, &delivery);
    if !delivery.delay.is_zero() {
        tokio::time::sleep(delivery.delay).await;
    }
    if let Some(bytes) = delivery.cut {
        shears.cut_after(bytes);
    }
    let mut response = Response::new(Body::from(delivery.body));
    *response.status_mut() =
        StatusCode::from_u16(delivery.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(delivery.content_type));
    if let Some(seconds) = delivery.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

impl Front {
    fn answer(&self, request: &[u8]) -> (Delivery, Vec<Fault>) {
        let Ok(parsed) = serde_json::from_slice::<Value>(request) else {
            let failure = Failure::new(-32700, "parse error");
            let body = envelope(&Value::Null, Err(failure));
            return (Delivery::json(200, body), Vec::new());
        };
        let batch = parsed.is_array();
        let calls: Vec<Call> = match parsed.as_array() {
            Some(requests) => requests.iter().map(Call::read).collect(),
            None => vec![Call::read(&parsed)],
        };
        let (of_request, desks, latency) = self.strike(&calls, batch);

        let mut status = 200;
        let mut answers: Vec<Vec<u8>> = calls
            .iter()
            .zip(&desks)
            .map(|(call, desk)| {
                let answer = desk.answer(&self.chain, call);
                if let (Err(failure), false) = (&answer, batch) {
                    status = failure.status;
                }
                envelope(&call.id, answer)
            })
            .collect();
        if of_request.contains(&Fault::BatchReordered) {
            answers.reverse();
        }
        if of_request.contains(&Fault::BatchShort) {
            answers.pop();
        }
        let body =
            if batch { [b"[".as_slice(), &answers.join(&b','), b"]"].concat() } else { answers.concat() };
        let mut delivery = Delivery::json(status, body);
        delivery.delay = latency;
        for fault in &of_request {
            delivery.suffer(fault, &calls);
        }
        let mut faults = of_request;
        for fault in desks.into_iter().flat_map(|desk| desk.faults) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        (delivery, faults)
    }

    /// Asks the weather what strikes this request and each call in it.
    fn strike(&self, calls: &[Call], batch: bool) -> (Vec<Fault>, Vec<Desk>, Duration) {
        let asked: Vec<Asked> = {
            let state = self.chain.lock();
            calls.iter().map(|call| call.asked(&state)).collect()
        };
        let mut sky = lock(&self.sky);
        sky.turn();
        let of_request = sky.strike_request(&asked, batch);
        let desks = asked
            .iter()
            .map(|call| Desk {
                faults: [of_request.clone(), sky.strike_call(*call)].concat(),
                seed: sky.seed(),
                manner: sky.weather.manner,
                limits: sky.weather.limits,
            })
            .collect();
        (of_request, desks, sky.weather.latency)
    }

    fn note(&self, request: &[u8], faults: Vec<Fault>, delivery: &Delivery) {
        let parsed: Value = serde_json::from_slice(request).unwrap_or_default();
        let calls = parsed.as_array().map_or_else(|| vec![&parsed], |all| all.iter().collect());
        let mut ledger = lock(&self.ledger);
        let tally = &mut ledger.tally;
        tally.requests += 1;
        tally.bytes_sent += u64::try_from(delivery.body.len()).unwrap_or_default();
        tally.struck += u64::from(!faults.is_empty());
        for call in calls {
            let name = call.get("method").and_then(Value::as_str).unwrap_or_default();
            *tally.calls.entry(Method::named(name)).or_default() += 1;
        }
        if ledger.recent.len() == REMEMBERED {
            ledger.recent.pop_front();
        }
        ledger.recent.push_back(Served {
            request: excerpt(request),
            faults,
            status: delivery.status,
            answer: excerpt(&delivery.body),
            bytes: delivery.body.len(),
        });
    }
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..EXCERPT).unwrap_or(bytes)).into_owned()
}

impl Delivery {
    fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: "application/json",
            retry_after: None,
            body,
            cut: None,
            delay: Duration::ZERO,
        }
    }

    /// What a fault of the wire makes of it.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "faults of single calls are carried out where these are answered"
    )]
    fn suffer(&mut self, fault: &Fault, calls: &[Call]) {
        let id = calls.first().map(|call| call.id.clone()).unwrap_or_default();
        let error = |code, message: &str| envelope(&id, Err(Failure::new(code, message)));
        match fault {
            Fault::Throttle(retry_after) => {
                self.status = 429;
                self.retry_after = *retry_after;
                self.body = error(429, "Your app has exceeded its compute units per second capacity");
            }
            Fault::Unavailable => self.page(503, "text/plain", b"upstream connect error"),
            Fault::RateLimitError => {
                self.status = 200;
                self.body = error(-32005, "daily request count exceeded, request rate limited");
            }
            Fault::CutBefore => self.cut = Some(0),
            // Past HTTP's headers, which take about a hundred bytes.
            Fault::CutWithin => self.cut = Some(128 + self.body.len() / 2),
            Fault::Slow(time) => self.delay += *time,
            Fault::Garbage => self.page(200, "application/json", &[0xff, 0xfe, 0x00, b'{', 0x80]),
            Fault::HtmlPage => self.page(
                200,
                "text/html",
                b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>",
            ),
            Fault::TruncatedJson => self.body.truncate(self.body.len() / 2),
            Fault::BatchRefused => {
                let failure = Failure::new(-32600, "batch requests are not supported");
                self.body = envelope(&Value::Null, Err(failure));
            }
            _ => {}
        }
    }

    fn page(&mut self, status: u16, content_type: &'static str, body: &[u8]) {
        self.status = status;
        self.content_type = content_type;
        self.body = body.to_vec();
    }
}

/// The JSON-RPC object around an answer.
fn envelope(id: &Value, answer: Answer) -> Vec<u8> {
    let id = id.to_string();
    match answer {
        Ok(result) => {
            let head = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":");
            [head.as_bytes(), &result, b"}"].concat()
        }
        Err(failure) => Json::written(|json| {
            json.object(|json| {
                json.key("jsonrpc").raw("\"2.0\"");
                json.key("id").raw(&id);
                json.key("error").object(|json| {
                    json.key("code").raw(&failure.code.to_string());
                    let message = Value::from(failure.message).to_string();
                    json.key("message").raw(&message);
                    if failure.reverted {
                        json.key("data").raw("\"0x\"");
                    }
                });
            });
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::Reorg;
    use super::super::invent::{Invention, Mix};
    use super::super::provider::Provider;
    use super::super::weather::{Manner, Pick, Rule, SideLogs};
    use super::super::{Block, ONE_E18};
    use super::*;
    use alloy::consensus::proofs::calculate_receipt_root;
    use alloy::consensus::{Eip658Value, Header, Receipt, ReceiptEnvelope};
    use alloy::primitives::{Address, B256, Bytes as Data, Log, U256};
    use alloy::sol_types::SolEvent;
    use serde_json::json;

    /// A node and somebody who asks it.
    struct Stage {
        node: SimNode,
        client: reqwest::Client,
    }

    impl Stage {
        async fn new(weather: Weather) -> Self {
            let invention = Invention { blocks: 40, ..Invention::seeded(11) };
            Self::serving(SimChain::invent(&invention), weather).await
        }

        async fn serving(chain: SimChain, weather: Weather) -> Self {
            // reqwest wants one even where no answer is encrypted; the first stays.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let node = SimNode::serve(chain, weather, "127.0.0.1:0").await.unwrap();
            Self { node, client: reqwest::Client::new() }
        }

        async fn post(&self, body: Value) -> reqwest::Result<reqwest::Response> {
            self.client.post(self.node.url()).json(&body).send().await
        }

        async fn ask(&self, method: &str, params: Value) -> Value {
            let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
            let answer: Value = self.post(body).await.unwrap().json().await.unwrap();
            assert_eq!(answer["id"], 7);
            answer
        }

        async fn result(&self, method: &str, params: Value) -> Value {
            let answer = self.ask(method, params).await;
            assert!(answer["error"].is_null(), "{answer}");
            answer["result"].clone()
        }

        /// All logs of the orderbook.
        async fn logs(&self) -> Vec<Value> {
            let orderbook = self.node.chain().cast().orderbook;
            let filter = json!([{"fromBlock": "earliest", "toBlock": "latest", "address": orderbook}]);
            self.result("eth_getLogs", filter).await.as_array().unwrap().clone()
        }

        fn head(&self) -> Arc<Block> {
            let chain = self.node.chain();
            chain.block(chain.head().number).unwrap()
        }
    }

    fn batch(methods: &[&str]) -> Value {
        let one = |(id, method)| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": []});
        methods.iter().enumerate().map(one).collect()
    }

    fn quantity(value: &Value) -> u64 {
        u64::from_str_radix(&value.as_str().unwrap()[2..], 16).unwrap()
    }

    /// A receipt as JSON has it, in alloy's types.
    fn envelope_of(receipt: &Value) -> ReceiptEnvelope {
        let log = |log: &Value| {
            let topics: Vec<B256> = serde_json::from_value(log["topics"].clone()).unwrap();
            let data: Data = serde_json::from_value(log["data"].clone()).unwrap();
            let address: Address = serde_json::from_value(log["address"].clone()).unwrap();
            Log::new_unchecked(address, topics, data)
        };
        ReceiptEnvelope::Eip1559(
            Receipt {
                status: Eip658Value::Eip658(receipt["status"] == "0x1"),
                cumulative_gas_used: quantity(&receipt["cumulativeGasUsed"]),
                logs: receipt["logs"].as_array().unwrap().iter().map(log).collect(),
            }
            .with_bloom(),
        )
    }

    #[tokio::test]
    async fn a_client_can_recompute_every_block() {
        let mix = Mix { deposits: false, ..Mix::full() };
        let chain = SimChain::invent(&Invention { blocks: 25, mix, ..Invention::seeded(3) });
        let stage = Stage::serving(chain, Weather::calm()).await;
        for truth in stage.node.chain().canonical_blocks() {
            let number = format!("{:#x}", truth.number);
            let block = stage.result("eth_getBlockByNumber", json!([number, false])).await;
            let header: Header = serde_json::from_value(block.clone()).unwrap();
            let hash: B256 = serde_json::from_value(block["hash"].clone()).unwrap();
            assert_eq!(header.hash_slow(), hash);
            assert_eq!(block["parentHash"], json!(truth.parent_hash));
            assert_eq!(block, stage.result("eth_getBlockByHash", json!([hash, false])).await);

            let receipts = stage.result("eth_getBlockReceipts", json!([{"blockHash": hash}])).await;
            let receipts = receipts.as_array().unwrap();
            let envelopes: Vec<ReceiptEnvelope> = receipts.iter().map(envelope_of).collect();
            assert_eq!(calculate_receipt_root(&envelopes), header.receipts_root);
            for (receipt, envelope) in receipts.iter().zip(&envelopes) {
                assert_eq!(receipt["logsBloom"], json!(envelope.logs_bloom()));
                let alone = stage.result("eth_getTransactionReceipt", json!([receipt["transactionHash"]]));
                assert_eq!(receipt, &alone.await);
            }

            let of_receipts: Vec<&Value> =
                receipts.iter().flat_map(|receipt| receipt["logs"].as_array().unwrap()).collect();
            let logs = stage.result("eth_getLogs", json!([{"blockHash": hash}])).await;
            assert_eq!(logs.as_array().unwrap().iter().collect::<Vec<_>>(), of_receipts);
            for (log, true_log) in of_receipts.iter().zip(truth.logs()) {
                assert_eq!(log["logIndex"], format!("{:#x}", true_log.log_index));
                assert_eq!(log["data"], json!(true_log.log.data.data));
                assert_eq!(log["blockTimestamp"], format!("{:#x}", truth.timestamp));
            }
        }
    }

    #[tokio::test]
    async fn a_deposit_opens_each_block_of_an_op_chain() {
        let stage = Stage::new(Weather::calm()).await;
        let receipts = stage.result("eth_getBlockReceipts", json!(["latest"])).await;
        assert_eq!(receipts[0]["type"], "0x7e");
        assert_eq!(receipts[0]["depositReceiptVersion"], "0x1");
        assert!(receipts[0]["depositNonce"].is_string());
    }

    #[tokio::test]
    async fn a_filter_finds_what_it_names_and_nothing_else() {
        let stage = Stage::new(Weather::calm()).await;
        let cast = stage.node.chain().cast();
        let truth = stage.node.chain().canonical_logs();
        let of_book = truth.iter().filter(|log| log.log.address == cast.orderbook).count();
        assert_eq!(stage.logs().await.len(), of_book);

        let transfer = super::super::abi::views::Transfer::SIGNATURE_HASH;
        let (from, to) = (truth.last().unwrap().block_number - 9, truth.last().unwrap().block_number);
        let usdc_from: B256 = cast.orderbook.into_word();
        let filter = json!([{
            "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"),
            "address": [cast.usdc, cast.owner], "topics": [[transfer, B256::ZERO], null, usdc_from],
        }]);
        let found = stage.result("eth_getLogs", filter).await.as_array().unwrap().len();
        let wanted = truth.iter().filter(|log| {
            log.block_number >= from
                && log.log.address == cast.usdc
                && log.log.data.topics().get(2) == Some(&usdc_from)
        });
        assert_eq!(found, wanted.count());
        assert!(found > 0, "the test looks for nothing");
    }

    #[tokio::test]
    async fn tags_and_heights_beyond_the_head_are_answered_as_by_a_real_node() {
        let chain = SimChain::invent(&Invention { blocks: 100, ..Invention::seeded(2) });
        let stage = Stage::serving(chain, Weather::calm()).await;
        let head = stage.head().number;
        for (tag, behind) in [("latest", 0), ("safe", 32), ("finalized", 64), ("earliest", 99)] {
            let block = stage.result("eth_getBlockByNumber", json!([tag, false])).await;
            assert_eq!(quantity(&block["number"]), head - behind, "{tag}");
        }
        let beyond = format!("{:#x}", head + 1);
        assert!(stage.result("eth_getBlockByNumber", json!([beyond, false])).await.is_null());
        assert!(stage.result("eth_getBlockByNumber", json!(["0x1", false])).await.is_null());
        let range =
            |from: u64, to: u64| json!([{"fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}")}]);
        assert_eq!(stage.result("eth_getLogs", range(head + 1, head + 5)).await, json!([]));
        let up_to_head = stage.result("eth_getLogs", range(head - 3, head)).await;
        assert_eq!(stage.result("eth_getLogs", range(head - 3, head + 50)).await, up_to_head);

        stage.node.set_weather(Weather::calm().of_manner(Manner {
            finalized: None,
            beyond_head_is_an_error: true,
            log_timestamps: false,
            block_receipts: false,
            ..Manner::default()
        }));
        let refused = stage.ask("eth_getBlockByNumber", json!(["finalized", false])).await;
        assert_eq!(refused["error"]["code"], -32602);
        let refused = stage.ask("eth_getLogs", range(head + 1, head + 5)).await;
        assert_eq!(refused["error"]["code"], -32602);
        let refused = stage.ask("eth_getBlockReceipts", json!(["latest"])).await;
        assert_eq!(refused["error"]["code"], -32601);
        assert!(stage.logs().await[0].get("blockTimestamp").is_none());
    }

    #[tokio::test]
    async fn side_blocks_are_known_by_hash_and_not_by_number() {
        let stage = Stage::new(Weather::calm()).await;
        let chain = stage.node.chain().clone();
        let old = chain.reorg_with(Reorg { depth: 2, length: 3 });
        let block = stage.result("eth_getBlockByHash", json!([old.hash, false])).await;
        assert_eq!(quantity(&block["number"]), old.number);
        let there = stage.result("eth_getBlockByNumber", json!([block["number"], false])).await;
        assert_ne!(there["hash"], block["hash"]);
        let all = stage.logs().await;
        assert!(all.iter().all(|log| log["blockHash"] != block["hash"]));

        let by_hash = json!([{"blockHash": old.hash}]);
        for (side_logs, error) in [(SideLogs::Empty, false), (SideLogs::Refused, true)] {
            stage.node.set_weather(Weather::calm().of_manner(Manner { side_logs, ..Manner::default() }));
            let answer = stage.ask("eth_getLogs", by_hash.clone()).await;
            assert_eq!(answer["error"].is_object(), error);
            assert_eq!(answer["result"] == json!([]), !error);
        }
        stage.node.set_weather(Weather::calm().with(Fault::StaleBranch.always()));
        assert_eq!(quantity(&stage.result("eth_blockNumber", json!([])).await), old.number);
        let behind = stage.result("eth_getBlockByNumber", json!(["latest", false])).await;
        assert_eq!(behind["hash"], block["hash"]);
    }

    #[tokio::test]
    async fn tokens_answer_at_the_block_that_is_asked() {
        use super::super::abi::views;
        use alloy::sol_types::{SolCall, SolValue};
        let stage = Stage::new(Weather::calm()).await;
        let chain = stage.node.chain();
        let share = chain.cast().equities().next().unwrap().address;
        let head = stage.head();
        chain.set_ratio(share, head.number, ONE_E18 * U256::from(2));
        let call = |to: Address, data: Vec<u8>, at: Value| {
            stage.ask("eth_call", json!([{"to": to, "data": Data::from(data)}, at]))
        };
        let convert = || views::convertToAssetsCall { shares: ONE_E18 }.abi_encode();
        let before = format!("{:#x}", head.number - 1);
        for (at, ratio) in [
            (json!(before), 1),
            (json!("latest"), 2),
            (json!({"blockHash": head.hash}), 2),
            (json!({"blockHash": head.parent_hash}), 1),
        ] {
            let answer = call(share, convert(), at).await;
            let assets = Data::from((ONE_E18 * U256::from(ratio)).abi_encode());
            assert_eq!(answer["result"], json!(assets));
        }
        let reverted = call(chain.cast().usdc, views::assetCall {}.abi_encode(), json!("latest")).await;
        assert_eq!(reverted["error"]["code"], 3);
        let nobody = call(Address::repeat_byte(0x99), convert(), json!("latest")).await;
        assert_eq!(nobody["result"], "0x");
        let code = |of: Address| stage.result("eth_getCode", json!([of, "latest"]));
        assert_ne!(code(share).await, "0x");
        assert_ne!(code(chain.cast().orderbook).await, "0x");
        assert_eq!(code(Address::repeat_byte(0x99)).await, "0x");

        stage.node.set_weather(Weather::calm().with(Fault::PrunedState(10).always()));
        let old = format!("{:#x}", head.number - 11);
        let pruned = call(share, convert(), json!(old)).await;
        assert!(pruned["error"]["message"].as_str().unwrap().starts_with("missing trie node"));
        assert!(call(share, convert(), json!("latest")).await["error"].is_null());
    }

    #[tokio::test]
    async fn each_lie_about_logs_is_told_as_named() {
        let stage = Stage::new(Weather::calm()).await;
        let truth = stage.logs().await;
        let last = truth.len() - 1;
        let lie = async |fault: Fault| {
            stage.node.set_weather(Weather::calm().with(fault.always()));
            stage.logs().await
        };
        assert_eq!(lie(Fault::EmptyLogs).await, Vec::<Value>::new());
        assert_eq!(lie(Fault::OmitLog(Pick::First)).await, truth[1..]);
        assert_eq!(lie(Fault::OmitLog(Pick::Last)).await, truth[..last]);
        assert_eq!(lie(Fault::OmitLog(Pick::Any)).await.len(), last);
        assert_eq!(lie(Fault::TruncateLogs).await, truth[..truth.len() / 2]);
        let (block, log_index) = (quantity(&truth[3]["blockNumber"]), quantity(&truth[3]["logIndex"]));
        let omitted = lie(Fault::OmitLog(Pick::At { block, log_index })).await;
        assert_eq!(omitted.iter().filter(|log| **log == truth[3]).count(), 0);
        let doubled = lie(Fault::DuplicateLog(Pick::First)).await;
        assert_eq!(doubled[0], doubled[1]);
        assert_eq!(doubled.len(), truth.len() + 1);
        let shuffled = lie(Fault::ShuffleLogs).await;
        assert_ne!(shuffled, truth);
        assert!(shuffled.iter().all(|log| truth.contains(log)));
        assert_ne!(lie(Fault::WrongBlockHash(Pick::Last)).await[last]["blockHash"], truth[last]["blockHash"]);
        assert_ne!(lie(Fault::ForeignAddress(Pick::Last)).await[last]["address"], truth[last]["address"]);
        assert_ne!(lie(Fault::ForeignTopic(Pick::Last)).await[last]["topics"], truth[last]["topics"]);
        assert_eq!(lie(Fault::RemovedLog(Pick::Last)).await[last]["removed"], true);
        let phantom = lie(Fault::PhantomLog(Pick::First)).await;
        assert_eq!(phantom.len(), truth.len() + 1);
        assert!(!truth.contains(&phantom[1]));
        let log_indexes = vec![log_index, log_index];
        let exact = lie(Fault::ExactlyLogs { block, log_indexes }).await;
        let of_block = exact.iter().filter(|log| quantity(&log["blockNumber"]) == block);
        assert_eq!(of_block.collect::<Vec<_>>(), [&truth[3], &truth[3]]);
        stage.node.calm();
        assert_eq!(stage.logs().await, truth);
    }

    #[tokio::test]
    async fn a_script_strikes_exactly_when_it_says() {
        let stage = Stage::new(Weather::calm().with(Fault::EmptyLogs.nth(3))).await;
        let mut counts = Vec::new();
        for _ in 0..5 {
            counts.push(stage.logs().await.len());
            stage.result("eth_blockNumber", json!([])).await;
        }
        let all = counts[0];
        assert_eq!(counts, [all, all, 0, all, all]);
        let tally = stage.node.tally();
        assert_eq!((tally.requests, tally.struck), (10, 1));
        assert_eq!((tally.of(Method::Logs), tally.of(Method::BlockNumber)), (5, 5));
        let recent = stage.node.recent();
        assert_eq!(recent[4].faults, [Fault::EmptyLogs]);
        assert!(recent[4].request.contains("eth_getLogs"));
        assert_eq!(tally.bytes_sent, recent.iter().map(|served| served.bytes as u64).sum::<u64>());
    }

    #[tokio::test]
    async fn views_and_headers_are_bent_as_named() {
        let stage = Stage::new(Weather::calm()).await;
        let head = stage.head();
        let under = async |fault: Fault, method: &str, params: Value| {
            stage.node.set_weather(Weather::calm().with(fault.always()));
            stage.ask(method, params).await
        };
        let latest = || json!(["latest", false]);
        let behind = under(Fault::Lag(3), "eth_blockNumber", json!([])).await;
        assert_eq!(quantity(&behind["result"]), head.number - 3);
        let unknown = under(Fault::Lag(3), "eth_getBlockByHash", json!([head.hash, false])).await;
        assert!(unknown["result"].is_null());
        assert!(under(Fault::NullBlocks, "eth_getBlockByNumber", latest()).await["result"].is_null());
        assert!(under(Fault::NullResult, "eth_chainId", json!([])).await["result"].is_null());
        assert_eq!(under(Fault::Say("[1]".to_owned()), "eth_chainId", json!([])).await["result"], json!([1]));
        assert_eq!(under(Fault::WrongChainId(1), "eth_chainId", json!([])).await["result"], "0x1");
        let missing = under(Fault::MethodNotFound, "eth_getBlockReceipts", latest()).await;
        assert_eq!(missing["error"]["code"], -32601);
        for fault in [Fault::WrongBloom, Fault::ZeroBloom] {
            let block = under(fault, "eth_getBlockByNumber", latest()).await["result"].clone();
            let header: Header = serde_json::from_value(block).unwrap();
            assert_ne!(header.hash_slow(), head.hash);
        }
        let count = |receipts: &Value| -> usize {
            let receipts = receipts["result"].as_array().unwrap();
            receipts.iter().map(|receipt| receipt["logs"].as_array().unwrap().len()).sum()
        };
        let fault = Fault::ReceiptWithout(Pick::Any);
        let short = under(fault, "eth_getBlockReceipts", json!(["latest"])).await;
        assert_eq!(count(&short) + 1, head.logs().count());
    }

    #[tokio::test]
    async fn a_batch_is_answered_by_one_backend_unless_a_proxy_deals_it_out() {
        let stage = Stage::new(Weather::calm()).await;
        let heads = async |rule: Rule| -> Vec<u64> {
            stage.node.set_weather(Weather::calm().with(rule));
            let mut heads = Vec::new();
            for _ in 0..2 {
                let body = batch(&["eth_blockNumber", "eth_getBlockByNumber", "eth_blockNumber"]);
                let answers: Value = stage.post(body).await.unwrap().json().await.unwrap();
                heads.push(quantity(&answers[0]["result"]));
                heads.push(quantity(&answers[1]["result"]["number"]));
                heads.push(quantity(&answers[2]["result"]));
            }
            heads
        };
        let (now, then) = (stage.head().number, stage.head().number - 4);
        assert_eq!(heads(Fault::Lag(4).every(2)).await, [now, now, now, then, then, then]);
        let dealt = heads(Fault::Lag(4).every(2).on(Method::BlockNumber)).await;
        assert_eq!(dealt, [now, now, then, now, now, then]);
    }

    #[tokio::test]
    async fn big_questions_are_refused_in_every_providers_words() {
        let stage = Stage::new(Weather::calm()).await;
        let filter = json!([{"fromBlock": "earliest", "toBlock": "latest"}]);
        for provider in Provider::ALL {
            stage.node.set_weather(Weather::calm().limited(provider, Some(10), None));
            let refused = stage.ask("eth_getLogs", filter.clone()).await;
            assert!(refused["error"]["message"].is_string(), "{provider:?}: {refused}");
            stage.node.set_weather(Weather::calm().limited(provider, None, Some(20)));
            let refused = stage.ask("eth_getLogs", filter.clone()).await;
            assert!(refused["error"]["code"].is_i64(), "{provider:?}: {refused}");
            stage.node.set_weather(Weather::calm().with(Fault::Refuse(provider).first(1)));
            assert!(stage.ask("eth_getLogs", filter.clone()).await["error"].is_object());
            assert!(stage.ask("eth_getLogs", filter.clone()).await["error"].is_null());
        }
    }

    #[tokio::test]
    async fn a_suggested_range_fits() {
        let stage = Stage::new(Weather::calm().limited(Provider::Reth, None, Some(20))).await;
        let filter = json!([{"fromBlock": "earliest", "toBlock": "latest"}]);
        let refused = stage.ask("eth_getLogs", filter).await;
        let message = refused["error"]["message"].as_str().unwrap();
        let (from, to) = message.rsplit_once(' ').unwrap().1.split_once('-').unwrap();
        let hex = |number: &str| format!("{:#x}", number.parse::<u64>().unwrap());
        let filter = json!([{"fromBlock": hex(from), "toBlock": hex(to)}]);
        let logs = stage.result("eth_getLogs", filter).await;
        assert!((1..=20).contains(&logs.as_array().unwrap().len()));
    }

    #[tokio::test]
    async fn a_crowded_block_is_refused_unless_the_provider_lets_it_be() {
        let stage = Stage::new(Weather::calm()).await;
        let blocks = stage.node.chain().canonical_blocks();
        let crowded = blocks.iter().find(|block| block.logs().count() > 1).unwrap();
        let number = format!("{:#x}", crowded.number);
        let filter = json!([{"fromBlock": number, "toBlock": number}]);
        for (provider, refuses) in [(Provider::Infura, true), (Provider::Reth, false)] {
            stage.node.set_weather(Weather::calm().limited(provider, None, Some(1)));
            let answer = stage.ask("eth_getLogs", filter.clone()).await;
            assert_eq!(answer["error"].is_object(), refuses, "{answer}");
        }
    }

    #[tokio::test]
    async fn the_wire_fails_as_named() {
        let stage = Stage::new(Weather::calm()).await;
        let under = async |fault: Fault| {
            stage.node.set_weather(Weather::calm().with(fault.always()));
            stage.post(batch(&["eth_blockNumber", "eth_chainId"])).await
        };
        let throttled = under(Fault::Throttle(Some(2))).await.unwrap();
        assert_eq!(throttled.status(), 429);
        assert_eq!(throttled.headers()["retry-after"], "2");
        assert!(!under(Fault::Throttle(None)).await.unwrap().headers().contains_key("retry-after"));
        assert_eq!(under(Fault::Unavailable).await.unwrap().status(), 503);
        let limited: Value = under(Fault::RateLimitError).await.unwrap().json().await.unwrap();
        assert_eq!(limited["error"]["code"], -32005);
        assert!(under(Fault::CutBefore).await.is_err());
        let cut = under(Fault::CutWithin).await.unwrap();
        assert_eq!(cut.status(), 200);
        assert!(cut.bytes().await.is_err());
        for fault in [Fault::Garbage, Fault::HtmlPage, Fault::TruncatedJson] {
            let answer = under(fault).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert!(answer.json::<Value>().await.is_err());
        }
        let refused: Value = under(Fault::BatchRefused).await.unwrap().json().await.unwrap();
        assert_eq!(refused["error"]["code"], -32600);
        let reordered: Value = under(Fault::BatchReordered).await.unwrap().json().await.unwrap();
        assert_eq!((&reordered[0]["id"], &reordered[1]["id"]), (&json!(1), &json!(0)));
        let short: Value = under(Fault::BatchShort).await.unwrap().json().await.unwrap();
        assert_eq!(short.as_array().unwrap().len(), 1);

        stage.node.calm();
        let whole: Value = stage
            .post(batch(&["eth_blockNumber", "net_version", "web3_clientVersion", "eth_syncing", "eth_x"]))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(whole[1]["result"], "8453");
        assert_eq!(whole[3]["result"], false);
        assert_eq!(whole[4]["error"]["code"], -32601);
    }

    #[tokio::test]
    async fn slow_answers_take_their_time() {
        let weather = Weather::calm().with_latency(Duration::from_millis(20));
        let slow = Fault::Slow(Duration::from_millis(30)).always();
        let stage = Stage::new(weather.with(slow)).await;
        let before = std::time::Instant::now();
        stage.result("eth_chainId", json!([])).await;
        assert!(before.elapsed() >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn a_storm_is_survivable_and_ends_when_told() {
        let stage = Stage::new(Weather::storm(3)).await;
        for _ in 0..150 {
            let body = json!({"jsonrpc": "2.0", "id": 7, "method": "eth_getLogs", "params": [{}]});
            if let Ok(answer) = stage.post(body).await {
                // Whether it can be read at all is the weather's affair.
                let _ = answer.bytes().await;
            }
        }
        assert!(stage.node.tally().struck > 10);
        stage.node.calm();
        assert!(!stage.logs().await.is_empty());
    }

    #[tokio::test]
    async fn the_same_requests_meet_the_same_storm() {
        let story = async |seed: u64| {
            let stage = Stage::new(Weather::storm(seed)).await;
            let mut story = Vec::new();
            for _ in 0..60 {
                let filter = json!([{"fromBlock": "earliest", "toBlock": "latest"}]);
                let logs = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": filter});
                let mut calls = batch(&["eth_blockNumber"]);
                calls.as_array_mut().unwrap().push(logs);
                story.push(match stage.post(calls).await {
                    Ok(answer) => Some((answer.status(), answer.bytes().await.ok())),
                    Err(_) => None,
                });
            }
            story
        };
        let (one, again, other) = (story(6).await, story(6).await, story(7).await);
        assert_eq!(one, again);
        assert_ne!(one, other);
    }

    #[tokio::test]
    async fn nodes_share_a_chain_and_go_down_when_dropped() {
        let honest = Stage::new(Weather::calm()).await;
        let liar = Stage::serving(
            honest.node.chain().clone(),
            Weather::calm().with(Fault::OmitLog(Pick::Any).always()),
        )
        .await;
        assert_eq!(honest.logs().await.len(), liar.logs().await.len() + 1);
        honest.node.chain().mine_invented(1);
        assert_eq!(honest.logs().await.len(), liar.logs().await.len() + 1);
        let addr = liar.node.addr();
        drop(liar);
        tokio::time::timeout(Duration::from_secs(5), async {
            while TcpListener::bind(addr).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
        assert!(!honest.logs().await.is_empty());
    }
}
