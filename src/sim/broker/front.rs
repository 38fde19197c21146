//! HTTP in front of an account: what both rehearsal brokers have in common.
//!
//! A request is read, the account makes up for the time that passed, the strikes
//! that it meets are drawn, and the broker's [`Counter`] answers; then the answer
//! goes out as they have it. Dropping a [`Door`] closes it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::Value;
use tokio::{
    net::{TcpListener, ToSocketAddrs},
    sync::oneshot,
};

use super::{
    super::wire::{Shears, Wires},
    account::SimAccount,
    control,
    ledger::Ledger,
    strike::{Ask, Bent, Strike},
};
use crate::{book::order::Refusal, time::Clock};

/// The largest body that is read.
const LARGEST: usize = 1 << 20;
/// So many requests are remembered.
const REMEMBERED: usize = 1024;
/// So much of each.
const EXCERPT: usize = 1024;

/// One request, read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// What the query says of `name`, where it says something.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let said = self.query.iter().find(|(key, _)| key == name);
        said.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a broker answers.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self { status, content_type: "application/json", headers: Vec::new(), body }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, content_type: "", headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn page(status: u16, text: &str) -> Self {
        Self { status, content_type: "text/html", headers: Vec::new(), body: text.as_bytes().to_vec() }
    }
}

/// A broker's own words.
pub(super) trait Counter: fmt::Debug + Send + Sync + 'static {
    /// What is asked, and about which ticker.
    fn asked(&self, ledger: &Ledger, request: &Request) -> (Ask, Option<String>);
    /// Does what is asked.
    fn answer(&self, ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Answer;
    /// Refuses an order for this reason, whether it is so or not.
    fn refuse(&self, ledger: &Ledger, request: &Request, why: Refusal) -> Answer;
    /// Something is wrong on the broker's side.
    fn fail(&self, status: u16) -> Answer;
    /// Too many requests.
    fn throttle(&self, headers: bool, now: Timestamp) -> Answer;
    /// What every answer carries, where so many more requests may come this minute.
    fn stamp(&self, answer: &mut Answer, remaining: Option<u32>, limit: Option<u32>, now: Timestamp);
}

/// What a broker was asked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Requests, by question.
    pub questions: BTreeMap<Ask, u64>,
    /// Requests that something struck.
    pub struck: u64,
}

impl Asked {
    /// How often this was asked.
    pub fn of(&self, ask: Ask) -> u64 {
        self.questions.get(&ask).copied().unwrap_or_default()
    }
}

/// One request, remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What was asked.
    pub ask: Ask,
    /// Method, path and query.
    pub line: String,
    /// The beginning of its body; nothing of a login's.
    pub body: String,
    /// What struck it.
    pub strikes: Vec<Strike>,
    /// The HTTP status that it was, or would have been, answered with.
    pub status: u16,
    /// The beginning of the answer; nothing of a login's.
    pub answer: String,
}

/// A broker that is open. Dropped, it closes.
#[derive(Debug)]
pub(super) struct Door {
    addr: SocketAddr,
    front: Arc<Front>,
    _stop: oneshot::Sender<()>,
}

impl Door {
    pub(super) async fn open(
        account: SimAccount,
        counter: impl Counter,
        addr: impl ToSocketAddrs,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let front = Arc::new(Front { account, counter: Box::new(counter), memory: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new()
            .fallback(serve)
            .with_state(Arc::clone(&front))
            .into_make_service_with_connect_info::<Shears>();
        let server = axum::serve(Wires(listener), router).with_graceful_shutdown(async {
            // Either end of the channel says the same.
            let _ = stopped.await;
        });
        tokio::spawn(server.into_future());
        Ok(Self { addr, front, _stop: stop })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(super) fn account(&self) -> &SimAccount {
        &self.front.account
    }

    pub(super) fn asked(&self) -> Asked {
        self.front.memory().asked.clone()
    }

    pub(super) fn recent(&self) -> Vec<Heard> {
        self.front.memory().recent.iter().cloned().collect()
    }
}

/// What every connection shares.
#[derive(Debug)]
struct Front {
    account: SimAccount,
    counter: Box<dyn Counter>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    asked: Asked,
    recent: VecDeque<Heard>,
}

/// What goes out, and how.
#[derive(Debug)]
struct Delivery {
    answer: Answer,
    delay: Duration,
    /// The connection is cut once so many bytes of answer are out.
    cut: Option<usize>,
    /// It never goes out.
    hangs: bool,
}

async fn serve(
    State(front): State<Arc<Front>>,
    ConnectInfo(shears): ConnectInfo<Shears>,
    request: HttpRequest,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else {
        // Whatever did not arrive whole did not arrive.
        shears.cut_after(0);
        return Response::new(Body::empty());
    };
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: query.into_owned().collect(),
        headers: head.headers,
        body,
    };
    if let Some(verb) = request.path.strip_prefix("/sim/") {
        return respond(control::act(&front.account, verb, &request));
    }
    let delivery = front.answer(&request);
    if delivery.hangs {
        return std::future::pending().await;
    }
    if !delivery.delay.is_zero() {
        Clock::Wall.sleep(delivery.delay).await;
    }
    if let Some(bytes) = delivery.cut {
        shears.cut_after(bytes);
    }
    let mut response = respond(delivery.answer);
    // A broker's answers bear its own time, which here may be told.
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&front.account.now());
    if let Some(date) = date.ok().and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !answer.content_type.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    }
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

impl Front {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Delivery {
        let mut ledger = self.account.lock();
        let now = ledger.settle();
        let (ask, symbol) = self.counter.asked(&ledger, request);
        let bent = ledger.strikes.draw(ask, symbol.as_deref(), now);
        let limit = ledger.manners.rate;
        let remaining = ledger.count_request(now);
        let mut delivery = if remaining.is_none() {
            Delivery::of(self.counter.throttle(true, now))
        } else {
            self.deliver(&mut ledger, request, &bent, now)
        };
        self.counter.stamp(&mut delivery.answer, remaining, limit, now);
        drop(ledger);
        self.note(ask, request, bent, &delivery.answer);
        delivery
    }

    fn deliver(&self, ledger: &mut Ledger, request: &Request, bent: &Bent, now: Timestamp) -> Delivery {
        let counter = &self.counter;
        for strike in &bent.0 {
            #[expect(clippy::wildcard_enum_match_arm, reason = "the others let it be done")]
            let undone = match strike {
                Strike::Lose => Delivery { cut: Some(0), ..Delivery::of(Answer::empty(502)) },
                Strike::LoseAndHang => Delivery { hangs: true, ..Delivery::of(Answer::empty(502)) },
                Strike::Fail(status) => Delivery::of(counter.fail(*status)),
                Strike::Throttle { headers } => Delivery::of(counter.throttle(*headers, now)),
                Strike::Refuse(why) => Delivery::of(counter.refuse(ledger, request, *why)),
                _ => continue,
            };
            return undone;
        }
        let mut answer = counter.answer(ledger, request, bent, now);
        if bent.has(&Strike::Twice) {
            ledger.settle();
            answer = counter.answer(ledger, request, bent, now);
        }
        let mut delivery = Delivery::of(answer);
        for strike in &bent.0 {
            delivery.suffer(strike, counter.as_ref());
        }
        delivery
    }

    fn note(&self, ask: Ask, request: &Request, bent: Bent, answer: &Answer) {
        let mut memory = self.memory();
        *memory.asked.questions.entry(ask).or_default() += 1;
        memory.asked.struck += u64::from(!bent.0.is_empty());
        if memory.recent.len() == REMEMBERED {
            memory.recent.pop_front();
        }
        let secret = ask == Ask::Token;
        let excerpt = |bytes: &[u8]| if secret { String::new() } else { excerpt(bytes) };
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(if secret { [].iter() } else { request.query.iter() })
            .finish();
        let mark = if query.is_empty() { "" } else { "?" };
        memory.recent.push_back(Heard {
            ask,
            line: format!("{} {}{mark}{query}", request.method, request.path),
            body: excerpt(&request.body),
            strikes: bent.0,
            status: answer.status,
            answer: excerpt(&answer.body),
        });
    }
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..EXCERPT).unwrap_or(bytes)).into_owned()
}

impl Delivery {
    fn of(answer: Answer) -> Self {
        Self { answer, delay: Duration::ZERO, cut: None, hangs: false }
    }

    /// What a strike makes of an answer to what was done.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others were met where they belong")]
    fn suffer(&mut self, strike: &Strike, counter: &dyn Counter) {
        match strike {
            Strike::Drop | Strike::Late(_) => self.cut = Some(0),
            // Past HTTP's headers, which take about a hundred bytes, where there is a body.
            Strike::Cut => {
                let body = self.answer.body.len();
                self.cut = Some(if body == 0 { 20 } else { 128 + body / 2 });
            }
            Strike::Hang => self.hangs = true,
            Strike::FailAfter(status) => self.answer = counter.fail(*status),
            Strike::Truncate => self.answer.body.truncate(self.answer.body.len() / 2),
            Strike::Garbage => self.answer.body = b"\xff\xfe<html>{".to_vec(),
            Strike::Delay(time) => self.delay += *time,
            _ => {}
        }
    }
}
