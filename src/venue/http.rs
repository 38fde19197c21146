//! One broker's host over HTTP, and how its answers are taken.
//!
//! What is always true here: a request leaves once; no redirect is followed and
//! nothing is tried again; whatever is no answer is told apart by whether an order
//! may have been taken; no error holds a key, or more than the beginning of a body.
//!
//! Requests are counted over the last minute. Orders are sent only while a quarter
//! of the minute's budget is left for looks: for polls, and for finding what was
//! lost. After a 429 nothing leaves until the broker's wait is over.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::{
    Method, RequestBuilder, StatusCode, Url,
    header::{DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER},
};
use serde::Deserialize;

use super::{VenueError, VenueSettings};
use crate::{
    book::order::Refusal,
    secret::Secret,
    tape::{Said, Tape},
    time::Clock,
};

/// Characters of a foreign text that an error keeps.
const TOLD: usize = 400;

/// The shortest and the longest wait that a broker is believed to ask for (`domain.md` R26).
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(5);

/// Clocks that are further apart are not wrong but of different worlds, as in a rehearsal.
const ASTRAY: SignedDuration = SignedDuration::from_mins(15);

/// A budget is counted over so many milliseconds.
const MINUTE: i64 = 60_000;

/// What a request does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Asks for something to be done: leaves a quarter of the budget alone.
    Act,
    /// Looks: may use all of it.
    Look,
}

/// One host of a broker.
#[derive(Debug)]
pub(super) struct Host {
    venue: String,
    base: Url,
    http: reqwest::Client,
    clock: Clock,
    rate: usize,
    /// Never shown, even where the broker repeats them.
    secrets: Vec<Secret>,
    pace: Mutex<Pace>,
    tape: Mutex<Option<Tape>>,
}

/// What was sent lately, and what the broker said to that.
#[derive(Debug, Default)]
struct Pace {
    /// When, in milliseconds, oldest first.
    sent: VecDeque<i64>,
    /// Until then nothing is sent.
    rests_until: i64,
    /// 429s in a row without a word on how long.
    refusals: u32,
    /// The broker's time less ours, as last heard: the least, the last and the most.
    ahead: [SignedDuration; 3],
}

/// An answer that is one: a success, or a refusal in so many words.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Where the broker says that what was made is found.
    pub(super) location: Option<String>,
    pub(super) body: Bytes,
}

impl Answer {
    /// The body, in the shape that is expected.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The body as it came.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// `base` as a url.
///
/// # Errors
///
/// It is none: `Unauthorized`, since nothing is let in until a person mends it.
fn url(settings: &VenueSettings, base: &str) -> Result<Url, VenueError> {
    let url = Url::parse(base).ok().filter(|url| !url.cannot_be_a_base());
    url.ok_or_else(|| VenueError::Unauthorized {
        venue: settings.name.clone(),
        said: format!("`{base}` is no url"),
        next: format!("mend the url of [venue.{}] in hedge.toml", settings.name),
    })
}

impl Host {
    /// The host at `base`.
    ///
    /// # Errors
    ///
    /// The url is none, or this machine has no TLS: a person acts.
    pub(super) fn new(settings: &VenueSettings, base: &str, clock: Clock) -> Result<Self, VenueError> {
        // Said once for the process; a second saying is refused and that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = Duration::from_millis(settings.timeout_ms);
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .user_agent(concat!("hedge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| VenueError::Unreachable {
                venue: settings.name.clone(),
                source: Some(error.into()),
            })?;
        Ok(Self {
            venue: settings.name.clone(),
            base: url(settings, base)?,
            http,
            clock,
            rate: usize::try_from(settings.rate.max(1)).unwrap_or(usize::MAX),
            secrets: settings.key.iter().chain(&settings.secret).cloned().collect(),
            pace: Mutex::default(),
            tape: Mutex::default(),
        })
    }

    /// Another host of the same broker: the same connections, a budget of its own.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub(super) fn beside(&self, settings: &VenueSettings, base: &str) -> Result<Self, VenueError> {
        Ok(Self {
            venue: self.venue.clone(),
            base: url(settings, base)?,
            http: self.http.clone(),
            clock: self.clock.clone(),
            rate: self.rate,
            secrets: self.secrets.clone(),
            pace: Mutex::default(),
            tape: Mutex::default(),
        })
    }

    /// From now on answers are kept on this tape, or come from it; none: neither.
    pub(super) fn put(&self, tape: Option<Tape>) {
        *self.tape.lock().unwrap_or_else(PoisonError::into_inner) = tape;
    }

    fn tape(&self) -> Option<Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Do answers come from a tape, so that nobody is asked?
    pub(super) fn plays(&self) -> bool {
        self.tape().is_some_and(|tape| tape.plays())
    }

    /// A request for what lies at `path` below the base, whose parts may hold anything.
    pub(super) fn request<'a>(
        &self,
        method: Method,
        path: impl IntoIterator<Item = &'a str>,
    ) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Where `path` lies below the base.
    pub(super) fn url<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url
    }

    /// Sends a request, once; `what` completes "no answer to …".
    ///
    /// # Errors
    ///
    /// `Throttled`, also without a call, and `Unreachable`: nothing was done. `Unanswered`:
    /// nobody knows. `Unauthorized`: a 401, and nothing was done; its `next` is for the caller to fill.
    pub(super) async fn ask(
        &self,
        what: &'static str,
        does: Does,
        request: RequestBuilder,
    ) -> Result<Answer, VenueError> {
        let (http, request) = request.build_split();
        let request = request.map_err(|error| self.unanswered(what, &causes(&error.without_url())))?;
        let (tape, line) = (self.tape(), line(&request));
        if let Some(tape) = tape.as_ref().filter(|tape| tape.plays()) {
            return self.again(what, tape.play(&self.venue, &line));
        }
        let keep = |status: Option<StatusCode>, body: &[u8]| {
            if let Some(tape) = &tape {
                let (door, request) = (self.venue.clone(), line.clone());
                let status = status.map(|status| status.as_u16());
                tape.keep(Said { door, request, status, body: body.to_vec() });
            }
        };
        self.take(does)?;
        let response = http.execute(request).await.map_err(|error| {
            keep(None, if error.is_connect() { b"not reached" } else { b"no answer" });
            if error.is_connect() {
                VenueError::Unreachable {
                    venue: self.venue.clone(),
                    source: Some(error.without_url().into()),
                }
            } else if error.is_timeout() {
                self.unanswered(what, "time ran out")
            } else {
                self.unanswered(what, &causes(&error.without_url()))
            }
        })?;
        let (status, location) = (response.status(), header(response.headers(), &LOCATION));
        self.heard(response.headers());
        let wait = self.wait_of(status, response.headers());
        let body = response.bytes().await;
        match &body {
            Ok(body) => keep(Some(status), body),
            Err(_) => keep(None, b"cut off"),
        }
        if let Some(retry_in) = wait {
            return Err(VenueError::Throttled { venue: self.venue.clone(), retry_in });
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(self.unauthorized(&body.unwrap_or_default(), String::new()));
        }
        let body = body.map_err(|error| {
            self.unanswered(what, &format!("http {}, then {}", status.as_u16(), causes(&error.without_url())))
        })?;
        self.judged(what, Answer { status, location, body })
    }

    /// Is this an answer?
    fn judged(&self, what: &'static str, answer: Answer) -> Result<Answer, VenueError> {
        let status = answer.status;
        if status.is_success() || status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
            Ok(answer)
        } else {
            Err(self.no_answer(what, &answer))
        }
    }

    /// What a tape says, taken as when it was said.
    fn again(&self, what: &'static str, said: Option<Said>) -> Result<Answer, VenueError> {
        let said = said.ok_or_else(|| self.unanswered(what, "it is not on the tape"))?;
        let body = Bytes::from(said.body);
        let status = said.status.and_then(|status| StatusCode::from_u16(status).ok());
        match status {
            None if &*body == b"not reached" => {
                Err(VenueError::Unreachable { venue: self.venue.clone(), source: None })
            }
            None => Err(self.unanswered(what, &String::from_utf8_lossy(&body))),
            Some(StatusCode::TOO_MANY_REQUESTS) => {
                Err(VenueError::Throttled { venue: self.venue.clone(), retry_in: SHORTEST })
            }
            Some(StatusCode::UNAUTHORIZED) => Err(self.unauthorized(&body, String::new())),
            Some(status) => self.judged(what, Answer { status, location: None, body }),
        }
    }

    /// One more request, if the budget has it and the broker does not want us to wait.
    fn take(&self, does: Does) -> Result<(), VenueError> {
        let now = self.clock.millis();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        // What lies ahead was written before the clock was set back.
        pace.sent.retain(|at| (now - MINUTE..=now).contains(at));
        let rest = u64::try_from(pace.rests_until - now).map(Duration::from_millis).unwrap_or_default();
        let most = match does {
            Does::Look => self.rate,
            Does::Act => self.rate - self.rate / 4,
        };
        let leaves = pace.sent.len().checked_sub(most).and_then(|excess| pace.sent.get(excess));
        let retry_in = match leaves {
            _ if !rest.is_zero() && rest <= LONGEST => rest,
            Some(at) => Duration::from_millis(u64::try_from(at + MINUTE + 1 - now).unwrap_or_default()),
            None => {
                pace.sent.push_back(now);
                return Ok(());
            }
        };
        Err(VenueError::Throttled { venue: self.venue.clone(), retry_in })
    }

    /// How long the broker wants us to wait, where it does: from now on nothing leaves until then.
    fn wait_of(&self, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if status != StatusCode::TOO_MANY_REQUESTS {
            pace.refusals = 0;
            return None;
        }
        let there =
            header(headers, &DATE).and_then(|date| http_date(&date)).unwrap_or_else(|| self.clock.now());
        let wait = asked_wait(headers, there).unwrap_or_else(|| {
            let seconds = 1_u64.checked_shl(pace.refusals).map_or(48, |wait| wait.min(48));
            pace.refusals = pace.refusals.saturating_add(1);
            let millis = seconds * 1_000;
            Duration::from_millis(millis + rand::random_range(0..=millis / 4))
        });
        let wait = wait.clamp(SHORTEST, LONGEST);
        // Not the later of two: one may have been written before the clock was set back.
        pace.rests_until =
            self.clock.millis().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        Some(wait)
    }

    /// Notes how far the broker's clock is from ours, if it is of this world.
    fn heard(&self, headers: &HeaderMap) {
        let there = header(headers, &DATE).and_then(|date| http_date(&date));
        let ahead = there.map(|there| there.duration_since(self.clock.now()));
        if let Some(ahead) = ahead.filter(|ahead| ahead.abs() <= ASTRAY) {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let [least, _, most] = pace.ahead;
            pace.ahead = [least.min(ahead), ahead, most.max(ahead)];
        }
    }

    /// The broker's time less ours, to a second, as heard so far: the least, the last and the most.
    pub(super) fn ahead(&self) -> [SignedDuration; 3] {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).ahead
    }

    /// Our time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Nobody knows.
    pub(super) fn unanswered(&self, request: &'static str, what: &str) -> VenueError {
        VenueError::Unanswered { venue: self.venue.clone(), request, what: self.told(what) }
    }

    /// Nobody knows: this came, and it is no answer to the question.
    pub(super) fn no_answer(&self, request: &'static str, answer: &Answer) -> VenueError {
        self.unanswered(request, &format!("http {}: {}", answer.status.as_u16(), answer.text()))
    }

    /// A success that cannot be read.
    pub(super) fn unreadable(
        &self,
        request: &'static str,
        answer: &Answer,
        error: &serde_json::Error,
    ) -> VenueError {
        self.unanswered(request, &format!("an answer that cannot be read ({error}): {}", answer.text()))
    }

    /// The broker refuses, in these words.
    pub(super) fn refused(&self, request: &'static str, why: Refusal, answer: &Answer) -> VenueError {
        VenueError::Refused { venue: self.venue.clone(), request, why, said: self.told(&answer.text()) }
    }

    /// The broker does not let us in, in these words.
    pub(super) fn unauthorized(&self, body: &[u8], next: String) -> VenueError {
        let said = self.told(&String::from_utf8_lossy(body));
        VenueError::Unauthorized { venue: self.venue.clone(), said, next }
    }

    /// Foreign text as an error may hold it: one line, not long, without our keys.
    fn told(&self, text: &str) -> String {
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let mut told = words.collect::<Vec<_>>().join(" ");
        for secret in self.secrets.iter().filter(|secret| secret.expose().len() > 3) {
            told = told.replace(secret.expose(), "[secret]");
        }
        match told.char_indices().nth(TOLD) {
            Some((end, _)) => format!("{}…", told.get(..end).unwrap_or_default()),
            None => told,
        }
    }
}

/// A request as a tape has it: what is asked and with what, without who asks.
fn line(request: &reqwest::Request) -> String {
    let url = request.url();
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let gap = if body.is_empty() { "" } else { " " };
    format!("{} {}{query}{gap}{}", request.method(), url.path(), String::from_utf8_lossy(body))
}

/// An error and what lies below it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let below = std::iter::successors(error.source(), |&error| error.source());
    below.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// The wait in the headers: `Retry-After` in seconds or as a date, or when Alpaca's budget is renewed.
fn asked_wait(headers: &HeaderMap, there: Timestamp) -> Option<Duration> {
    const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
    let until = |at: Timestamp| Duration::try_from(at.duration_since(there)).unwrap_or_default();
    if let Some(after) = header(headers, &RETRY_AFTER) {
        let seconds = after.parse().ok().map(Duration::from_secs);
        if let Some(wait) = seconds.or_else(|| http_date(&after).map(until)) {
            return Some(wait);
        }
    }
    let reset = header(headers, &RESET)?.parse().ok()?;
    Timestamp::from_second(reset).ok().map(until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::tests::settings;

    fn host(rate: u32, clock: &Clock) -> Host {
        let settings = VenueSettings { rate, ..settings("http://127.0.0.1:9/") };
        Host::new(&settings, &settings.base_url, clock.clone()).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn wait(error: &VenueError) -> Duration {
        let VenueError::Throttled { retry_in, .. } = error else { panic!("{error}") };
        *retry_in
    }

    #[tokio::test]
    async fn orders_leave_a_quarter_of_the_minute_to_looks() {
        let clock = Clock::told(Timestamp::UNIX_EPOCH);
        let host = host(8, &clock);
        for _ in 0..6 {
            host.take(Does::Act).unwrap();
            clock.sleep(Duration::from_secs(1)).await;
        }
        let short = host.take(Does::Act).unwrap_err();
        assert_eq!(wait(&short), Duration::from_millis(54_001), "until the first of them is a minute old");
        host.take(Does::Look).unwrap();
        host.take(Does::Look).unwrap();
        assert_eq!(wait(&host.take(Does::Look).unwrap_err()), Duration::from_millis(54_001));
        clock.sleep(Duration::from_millis(54_001)).await;
        host.take(Does::Look).unwrap();
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_does_not_silence_the_venue() {
        let clock = Clock::told(Timestamp::from_second(100_000).unwrap());
        let host = host(1, &clock);
        host.take(Does::Look).unwrap();
        host.wait_of(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "20")]));
        let Clock::Told(at) = &clock else { unreachable!() };
        at.store(1_000, std::sync::atomic::Ordering::SeqCst);
        host.take(Does::Look).unwrap();
        // Nor does it make the venue deaf to the next 429.
        clock.sleep(Duration::from_mins(2)).await;
        host.wait_of(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "20")]));
        assert_eq!(wait(&host.take(Does::Look).unwrap_err()), Duration::from_secs(20));
    }

    #[tokio::test]
    async fn after_a_429_nothing_leaves_until_its_wait_is_over() {
        let clock = Clock::told(Timestamp::UNIX_EPOCH);
        let host = host(100, &clock);
        host.wait_of(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "7")]));
        assert_eq!(wait(&host.take(Does::Look).unwrap_err()), Duration::from_secs(7));
        clock.sleep(Duration::from_secs(7)).await;
        host.take(Does::Look).unwrap();
    }

    #[test]
    fn a_wait_is_read_from_whichever_header_has_it_and_kept_within_bounds() {
        let clock = Clock::told("2026-11-20T15:30:00Z".parse().unwrap());
        let reset = clock.now().as_second() + 42;
        let dated = ("date", "Fri, 20 Nov 2026 15:20:00 GMT");
        for (given, seconds) in [
            (vec![("retry-after", "3")], 3),
            (vec![("retry-after", "0")], 1),
            (vec![("retry-after", "86400")], 300),
            (vec![("retry-after", "Fri, 20 Nov 2026 15:20:30 GMT"), dated], 30),
            (vec![("x-ratelimit-reset", &*reset.to_string())], 42),
            (vec![("x-ratelimit-reset", "17"), dated], 1),
            (vec![("retry-after", "5"), ("x-ratelimit-reset", "17")], 5),
        ] {
            let host = host(100, &clock);
            let wait = host.wait_of(StatusCode::TOO_MANY_REQUESTS, &headers(&given));
            assert_eq!(wait, Some(Duration::from_secs(seconds)), "{given:?}");
        }
    }

    #[test]
    fn without_a_header_the_wait_doubles_from_a_second_to_a_minute_and_an_answer_resets_it() {
        let host = host(100, &Clock::told(Timestamp::UNIX_EPOCH));
        let refuse = || host.wait_of(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new()).unwrap().as_millis();
        for least in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 48_000, 48_000] {
            let wait = refuse();
            assert!((least..=least * 5 / 4).contains(&wait), "{wait} after {least}");
        }
        for _ in 0..100 {
            assert!(refuse() <= 60_000);
        }
        assert_eq!(host.wait_of(StatusCode::OK, &HeaderMap::new()), None);
        assert!(refuse() <= 1_250);
    }

    #[test]
    fn an_error_holds_neither_a_key_nor_a_whole_page() {
        let host = host(100, &Clock::Wall);
        let page = format!("<html>\n\0 SECRET is {} wrong</html>{}", "the-secret", "x".repeat(10_000));
        let VenueError::Unanswered { what, .. } = host.unanswered("an order", &page) else { unreachable!() };
        assert!(what.starts_with("<html> SECRET is [secret] wrong</html>xxx"), "{what}");
        assert_eq!(what.chars().count(), TOLD + 1);
    }
}
