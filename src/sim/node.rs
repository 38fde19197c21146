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
    desk: Arc<Front>,
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
        let desk = Arc::new(Front { chain, sky: Mutex::new(Sky::new(weather)), ledger: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new()
            .fallback(post(serve))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&desk))
            .into_make_service_with_connect_info::<Shears>();
        let server = axum::serve(Wires(listener), router).with_graceful_shutdown(async {
            // Either end of the channel says the same.
            let _ = stopped.await;
        });
        tokio::spawn(server.into_future());
        Ok(Self { addr, desk, _stop: stop })
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
        &self.desk.chain
    }

    /// From the next request on, another weather; all counts begin anew.
    pub fn set_weather(&self, weather: Weather) {
        *lock(&self.desk.sky) = Sky::new(weather);
    }

    /// Nothing goes wrong any more. The kind of node stays what it was.
    pub fn calm(&self) {
        let manner = lock(&self.desk.sky).weather.manner;
        self.set_weather(Weather::calm().of_manner(manner));
    }

    /// The weather that is.
    pub fn weather(&self) -> Weather {
        lock(&self.desk.sky).weather.clone()
    }

    /// What it was asked so far.
    pub fn tally(&self) -> Tally {
        lock(&self.desk.ledger).tally.clone()
    }

    /// The last requests, oldest first.
    pub fn recent(&self) -> Vec<Served> {
        lock(&self.desk.ledger).recent.iter().cloned().collect()
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
        let of_calls = desks.into_iter().flat_map(|desk| desk.faults);
        (delivery, of_request.into_iter().chain(of_calls).collect())
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
                faults: sky.strike_call(*call),
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
