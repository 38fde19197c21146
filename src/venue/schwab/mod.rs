//! Charles Schwab: its Trader API.
//!
//! - [`login`]: logging in, and staying so;
//! - `night`: its transactions and closes;
//! - `wire`: its objects in our words.
//!
//! Facts and their sources: `schwab.md`. What is always true here: an order is sent once
//! and is ours only after it was looked at, since Schwab keeps no id of ours and an answer
//! may name another order; an order whose answer was lost is searched by what it looks
//! like and never sent again; access tokens are renewed by one process at a time.

pub mod login;
mod night;
mod wire;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, time},
    tz::TimeZone,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::sync::Mutex;

use super::{
    Of, Recovery, Venue, VenueError, VenueSettings,
    http::{Answer, Does, Host},
};
use crate::{
    book::{
        activity::Activity,
        execution::Execution,
        market::{Account, Capabilities, Listing, Market, Quote},
        order::{Refusal, Report, Terms, Ticket},
    },
    tape::Tape,
    time::{Clock, new_york_date},
    units::{Price, SCALE},
};
use login::{Access, LOG_IN};
pub use login::{Held, OAuth, Standing, Tokens};

/// An order may be entered this much before we think it was sent, and listed as of this much later:
/// beside what the two clocks were seen to differ.
const SLACK: SignedDuration = SignedDuration::from_secs(60);
/// An execution is found with its order, which may have been entered so long before.
const OLDEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// As many orders as one list gives.
const LIST: usize = 3_000;
/// Symbols that are asked for a quote together.
const QUOTES: usize = 100;
/// A token that is refused so soon after it was given is not refused for its age.
const YOUNG: SignedDuration = SignedDuration::from_secs(60);

/// Charles Schwab.
#[derive(Debug)]
pub struct Schwab {
    name: String,
    host: Host,
    data: Host,
    prefix: Vec<String>,
    account_index: usize,
    access: Access,
    /// How the account goes in paths, and when the login began that says so: the next may say otherwise.
    hash: Mutex<Option<(Timestamp, String)>>,
}

impl Schwab {
    /// The account that these settings and the login lead to; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// A url is none, or the app's key is missing: a person acts.
    pub fn new(settings: &VenueSettings, tokens: Arc<dyn Tokens>, clock: Clock) -> Result<Self, VenueError> {
        let host = Host::new(settings, &settings.base_url, clock.clone())?;
        let prefix = settings.path_prefix.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
        Ok(Self {
            name: settings.name.clone(),
            data: host.beside(settings, &settings.data_url)?,
            host,
            prefix: prefix.collect(),
            account_index: settings.account_index,
            access: Access::new(settings, tokens, clock)?,
            hash: Mutex::default(),
        })
    }

    fn at(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let path = self.prefix.iter().map(String::as_str).chain(path.iter().copied());
        self.host.request(method, path)
    }

    /// A look, by whatever token holds; once more where one is refused.
    async fn look(
        &self,
        host: &Host,
        what: &'static str,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Answer, VenueError> {
        if host.plays() {
            return host.ask(what, Does::Look, request()).await;
        }
        let login = self.access.login(None).await?;
        let first = host.ask(what, Does::Look, request().bearer_auth(login.access.expose())).await;
        let Err(VenueError::Unauthorized { .. }) = first else { return first };
        let login = self.access.login(Some(&login.access)).await?;
        let second = host.ask(what, Does::Look, request().bearer_auth(login.access.expose())).await;
        second.map_err(not_let_in)
    }

    /// An act, sent once.
    async fn act(&self, what: &'static str, request: RequestBuilder) -> Result<Answer, VenueError> {
        let login = self.access.login(None).await?;
        let asked = self.host.ask(what, Does::Act, request.bearer_auth(login.access.expose())).await;
        match asked {
            Err(VenueError::Unauthorized { venue, said, .. }) => {
                // Nothing was done. With another token it may be, but that is for the caller to say.
                if self.host.now().duration_since(login.refreshed_at) < YOUNG {
                    return Err(VenueError::Unauthorized { venue, said, next: LOG_IN.to_owned() });
                }
                self.access.login(Some(&login.access)).await?;
                let why = "its access token was refused, and there is another now";
                Err(VenueError::Unreachable { venue, source: Some(why.into()) })
            }
            asked => asked,
        }
    }

    /// How the account goes in paths.
    async fn hash(&self) -> Result<String, VenueError> {
        const WHAT: &str = "a look at the account's number";
        let login_at =
            if self.host.plays() { Timestamp::UNIX_EPOCH } else { self.access.login(None).await?.login_at };
        let mut known = self.hash.lock().await;
        if let Some((_, hash)) = known.as_ref().filter(|(of, _)| *of == login_at) {
            return Ok(hash.clone());
        }
        let request = || self.at(Method::GET, &["accounts", "accountNumbers"]);
        let answer = self.success(WHAT, self.look(&self.host, WHAT, request).await?)?;
        let accounts: Vec<wire::AccountNumber> = self.read(WHAT, &answer)?;
        let count = accounts.len();
        let found = accounts.into_iter().nth(self.account_index).ok_or_else(|| VenueError::Unauthorized {
            venue: self.name.clone(),
            said: format!("the login has {count} accounts, and none at index {}", self.account_index),
            next: "set account_index to one that there is, or log in with `hedge auth schwab`".to_owned(),
        })?;
        *known = Some((login_at, found.hash_value.clone()));
        Ok(found.hash_value)
    }

    fn success(&self, what: &'static str, answer: Answer) -> Result<Answer, VenueError> {
        match answer.status {
            status if status.is_success() => Ok(answer),
            StatusCode::FORBIDDEN => Err(self.host.unauthorized(&answer.body, LOG_IN.to_owned())),
            _ => Err(self.host.no_answer(what, &answer)),
        }
    }

    fn read<'a, T: Deserialize<'a>>(&self, what: &'static str, answer: &'a Answer) -> Result<T, VenueError> {
        answer.read().map_err(|error| self.host.unreadable(what, answer, &error))
    }

    /// An order, by the broker's id; `None` where it knows of none.
    async fn shown(&self, what: &'static str, id: &str) -> Result<Option<wire::Shown>, VenueError> {
        let hash = self.hash().await?;
        let request = || self.at(Method::GET, &["accounts", &hash, "orders", id]);
        let answer = self.look(&self.host, what, request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.success(what, answer)?;
        let raw: &RawValue = self.read(what, &answer)?;
        let shown = wire::shown(raw).map_err(|error| self.host.unreadable(what, &answer, &error))?;
        shown.map(Some).ok_or_else(|| self.host.unanswered(what, "an order that is not for one share"))
    }

    /// The orders entered within these times.
    async fn entered(
        &self,
        what: &'static str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<wire::Shown>, VenueError> {
        let hash = self.hash().await?;
        let window = [("fromEnteredTime", format!("{from:.3}")), ("toEnteredTime", format!("{to:.3}"))];
        let request = || self.at(Method::GET, &["accounts", &hash, "orders"]).query(&window);
        let answer = self.success(what, self.look(&self.host, what, request).await?)?;
        let list: Vec<&RawValue> = self.read(what, &answer)?;
        if list.len() >= LIST {
            return Err(self.host.unanswered(what, "more orders than one list holds"));
        }
        wire::all_shown(&list).map_err(|error| self.host.unreadable(what, &answer, &error))
    }

    /// From when on an order may bear to have been entered that was sent at `sent_at`: either
    /// clock may have been wrong, as far as they were seen to differ.
    fn earliest(&self, sent_at: Timestamp) -> Timestamp {
        let [least, ..] = self.host.ahead();
        sent_at.saturating_add(least).and_then(|at| at.saturating_sub(SLACK)).unwrap_or(sent_at)
    }

    fn latest(&self) -> Timestamp {
        let (now, [.., most]) = (self.host.now(), self.host.ahead());
        now.saturating_add(most).and_then(|at| at.saturating_add(SLACK)).unwrap_or(now)
    }

    /// Of a step before the order: nothing of it has left.
    fn not_sent(&self, error: VenueError) -> VenueError {
        match error {
            VenueError::Unanswered { .. } => {
                VenueError::Unreachable { venue: self.name.clone(), source: Some(error.into()) }
            }
            VenueError::Unreachable { .. }
            | VenueError::Throttled { .. }
            | VenueError::Refused { .. }
            | VenueError::Unauthorized { .. } => error,
        }
    }

    /// The order that was just taken, looked at before it is owned.
    async fn taken(
        &self,
        answer: &Answer,
        ticket: &Ticket,
        sent_at: Timestamp,
    ) -> Result<Report, VenueError> {
        const WHAT: &str = "an order";
        let unclear = |what: &str| self.host.unanswered(WHAT, what);
        let id = answer
            .location
            .as_deref()
            .and_then(order_id)
            .ok_or_else(|| unclear("taken, without a word where it is"))?;
        match self.shown(WHAT, id).await {
            Ok(Some(shown)) if shown.is_like(ticket, self.earliest(sent_at)) => Ok(shown.report()),
            Ok(Some(_)) => Err(unclear("taken, and the order that is named is another")),
            Ok(None) => Err(unclear("taken, and the order that is named is not shown")),
            Err(error) => Err(unclear(&format!("taken, and then: {error}"))),
        }
    }

    async fn quoted(&self, what: &'static str, symbol: &str) -> Result<Option<wire::Quoted>, VenueError> {
        let request = || {
            let request = self.data.request(Method::GET, ["marketdata", "v1", "quotes"]);
            request.query(&[("symbols", symbol), ("fields", "quote,reference")])
        };
        let answer = self.look(&self.data, what, request).await?;
        if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
            tracing::debug!(venue = self.name, symbol, said = %answer.text(), "no quotes for this login");
            return Ok(None);
        }
        let answer = self.success(what, answer)?;
        let found: BTreeMap<String, &RawValue> = self.read(what, &answer)?;
        let Some(raw) = found.get(symbol) else { return Ok(None) };
        let quoted = serde_json::from_str(raw.get());
        quoted.map(Some).map_err(|error| self.host.unreadable(what, &answer, &error))
    }
}

/// A login that does not hold, with what to do.
fn not_let_in(error: VenueError) -> VenueError {
    match error {
        VenueError::Unauthorized { venue, said, .. } => {
            VenueError::Unauthorized { venue, said, next: LOG_IN.to_owned() }
        }
        VenueError::Unreachable { .. }
        | VenueError::Unanswered { .. }
        | VenueError::Throttled { .. }
        | VenueError::Refused { .. } => error,
    }
}

/// The last part of a url, absolute or not, where it is a number.
fn order_id(location: &str) -> Option<&str> {
    let path = location.split(['?', '#']).next()?;
    let id = path.trim_end_matches('/').rsplit('/').next()?;
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

/// An order as it is sent; `None` where it is for a part of a share.
fn body(ticket: &Ticket) -> Option<Value> {
    let whole = ticket.quantity.cut(0);
    let count = u64::try_from(whole.0.atoms() / 10_i128.pow(SCALE)).ok()?;
    let (kind, session) = wire::kind(ticket.terms);
    let leg = json!({"instruction": wire::instruction(ticket.side), "quantity": count,
                     "instrument": {"symbol": ticket.symbol, "assetType": "EQUITY"}});
    let mut body = json!({"orderType": kind, "session": session, "duration": "DAY",
                          "orderStrategyType": "SINGLE", "orderLegCollection": [leg]});
    if let (Terms::ExtendedLimit(price), Some(body)) = (ticket.terms, body.as_object_mut()) {
        body.insert("price".to_owned(), price.to_string().into());
    }
    (whole == ticket.quantity && count > 0).then_some(body)
}

/// What Schwab means when it says no, or rejects later; by its words, of which none are documented.
pub fn refusal(words: &str) -> Refusal {
    let words = words.to_lowercase();
    let found = [
        ("buying power", Refusal::Funds),
        ("insufficient funds", Refusal::Funds),
        ("available funds", Refusal::Funds),
        ("fraction", Refusal::NotFractionable),
        ("short", Refusal::NotShortable),
        ("oversold", Refusal::HeldShares),
        ("not enough shares", Refusal::HeldShares),
        ("closing", Refusal::Account),
        ("restricted", Refusal::Account),
        ("session", Refusal::Session),
        ("market hours", Refusal::Session),
        ("market is closed", Refusal::Session),
        ("not tradable", Refusal::NotTradable),
        ("not tradeable", Refusal::NotTradable),
        ("symbol", Refusal::NotTradable),
    ];
    found.iter().find(|(said, _)| words.contains(said)).map_or(Refusal::Other, |(_, why)| *why)
}

/// Whether a refusal is Schwab's own and not of something on the way.
fn is_schwabs(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Said {
        message: Option<Value>,
        errors: Option<Value>,
    }
    answer.read::<Said>().is_ok_and(|said| said.message.is_some() || said.errors.is_some())
}

#[async_trait]
impl Venue for Schwab {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { decimals: 0, extended: true }
    }

    fn recovery(&self) -> Recovery {
        Recovery::ByFingerprint { reads: 4, quiet: Duration::from_mins(1) }
    }

    async fn submit(&self, ticket: &Ticket) -> Result<Report, VenueError> {
        const WHAT: &str = "an order";
        let Some(body) = body(ticket) else {
            return Err(VenueError::Refused {
                venue: self.name.clone(),
                request: WHAT,
                why: Refusal::NotFractionable,
                said: format!("not sent: {} is not a whole number of shares", ticket.quantity),
            });
        };
        let hash = self.hash().await.map_err(|error| self.not_sent(error))?;
        let sent_at = self.host.now();
        let request = self.at(Method::POST, &["accounts", &hash, "orders"]).json(&body);
        let answer = self.act(WHAT, request).await?;
        match answer.status {
            status if status.is_success() => self.taken(&answer, ticket, sent_at).await,
            StatusCode::FORBIDDEN if is_schwabs(&answer) => {
                Err(self.host.refused(WHAT, Refusal::Account, &answer))
            }
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY
                if is_schwabs(&answer) =>
            {
                Err(self.host.refused(WHAT, refusal(&answer.text()), &answer))
            }
            _ => Err(self.host.no_answer(WHAT, &answer)),
        }
    }

    async fn search(
        &self,
        ticket: &Ticket,
        sent_at: Timestamp,
        owned: &HashSet<String>,
    ) -> Result<Vec<Report>, VenueError> {
        let from = self.earliest(sent_at);
        let found = self.entered("a search for an order", from, self.latest()).await?;
        let like = found.iter().filter(|shown| shown.is_like(ticket, from) && !owned.contains(&shown.id()));
        Ok(like.map(wire::Shown::report).collect())
    }

    async fn ask(&self, broker_id: &str) -> Result<Option<Report>, VenueError> {
        // What is no number is no id of Schwab's.
        let Some(id) = order_id(broker_id) else { return Ok(None) };
        let shown = self.shown("a look at an order", id).await?;
        Ok(shown.map(|shown| shown.report()))
    }

    async fn cancel(&self, broker_id: &str) -> Result<(), VenueError> {
        const WHAT: &str = "a cancel";
        let hash = self.hash().await?;
        let request = self.at(Method::DELETE, &["accounts", &hash, "orders", broker_id]);
        let answer = self.act(WHAT, request).await?;
        match answer.status {
            status if status.is_success() => Ok(()),
            StatusCode::FORBIDDEN => Err(self.host.unauthorized(&answer.body, LOG_IN.to_owned())),
            // Of an order that is over it says some 4xx: which, nobody has written down.
            StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::UNPROCESSABLE_ENTITY => {
                tracing::debug!(venue = self.name, broker_id, said = %answer.text(), "a cancel was not taken");
                Ok(())
            }
            _ => Err(self.host.no_answer(WHAT, &answer)),
        }
    }

    /// Since a time: of orders that were entered up to a week before it.
    async fn executions(&self, of: Of<'_>) -> Result<Vec<Execution>, VenueError> {
        const WHAT: &str = "a look at executions";
        let (orders, since) = match of {
            Of::Order(id) => (self.shown(WHAT, id).await?.into_iter().collect(), Timestamp::MIN),
            Of::Since(since) => {
                let from = since.saturating_sub(OLDEST).unwrap_or(since);
                (self.entered(WHAT, from, self.latest()).await?, since)
            }
        };
        let mut executions = Vec::new();
        for order in &orders {
            match order.executions() {
                Some(of_it) => executions.extend(of_it.into_iter().filter(|it| it.executed_at >= since)),
                None if matches!(of, Of::Order(_)) => {
                    return Err(self.host.unanswered(WHAT, "an execution that is no trade"));
                }
                None => tracing::error!(
                    venue = self.name,
                    order = order.id(),
                    "an order with an execution that cannot be booked: look at it by hand"
                ),
            }
        }
        executions.sort_by_key(|execution| execution.executed_at);
        Ok(executions)
    }

    async fn orders(&self, since: Timestamp) -> Result<Vec<Report>, VenueError> {
        let found = self.entered("a look at the orders", since, self.latest()).await?;
        Ok(found.iter().map(wire::Shown::report).collect())
    }

    async fn account(&self) -> Result<Account, VenueError> {
        const WHAT: &str = "a look at the account";
        let asked_at = self.host.now();
        let hash = self.hash().await?;
        let request = || self.at(Method::GET, &["accounts", &hash]).query(&[("fields", "positions")]);
        let answer = self.success(WHAT, self.look(&self.host, WHAT, request).await?)?;
        let body: wire::AccountBody = self.read(WHAT, &answer)?;
        body.account(asked_at)
            .ok_or_else(|| self.host.unanswered(WHAT, "an account without a word on its cash"))
    }

    /// Schwab has no clock to ask: its answers' dates are one. Whether it is open, the hours say.
    async fn market(&self) -> Result<Market, VenueError> {
        const WHAT: &str = "a look at the market's hours";
        let there = || {
            let (now, [_, last, _]) = (self.host.now(), self.data.ahead());
            now.saturating_add(last).unwrap_or(now)
        };
        let date = new_york_date(there());
        let request = || {
            let request = self.data.request(Method::GET, ["marketdata", "v1", "markets"]);
            request.query(&[("markets", "equity"), ("date", &date.to_string())])
        };
        let answer = self.success(WHAT, self.look(&self.data, WHAT, request).await?)?;
        let markets: wire::Markets = self.read(WHAT, &answer)?;
        let day = wire::day(&markets, date).map_err(|what| self.host.unanswered(WHAT, what))?;
        let now = there();
        if new_york_date(now) == date {
            Ok(Market { now, day, is_open: None })
        } else {
            Err(self.host.unanswered(WHAT, "the day ended meanwhile"))
        }
    }

    async fn quote(&self, symbol: &str) -> Result<Option<Quote>, VenueError> {
        Ok(self.quoted("a look at a quote", symbol).await?.and_then(|quoted| quoted.quote()))
    }

    async fn listing(&self, symbol: &str) -> Result<Option<Listing>, VenueError> {
        Ok(self.quoted("a look at a listing", symbol).await?.map(|quoted| quoted.listing()))
    }

    async fn activities(&self, since: Timestamp) -> Result<Vec<Activity>, VenueError> {
        const WHAT: &str = "a look at transactions";
        let hash = self.hash().await?;
        let window = [
            ("startDate", format!("{since:.3}")),
            ("endDate", format!("{:.3}", self.latest())),
            ("types", night::TYPES.to_owned()),
        ];
        let request = || self.at(Method::GET, &["accounts", &hash, "transactions"]).query(&window);
        let answer = self.success(WHAT, self.look(&self.host, WHAT, request).await?)?;
        let list: Vec<&RawValue> = self.read(WHAT, &answer)?;
        if list.len() >= LIST {
            return Err(self.host.unanswered(WHAT, "more transactions than one list holds"));
        }
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for raw in list {
            let told = night::activities(raw).map_err(|error| self.host.unreadable(WHAT, &answer, &error))?;
            found.extend(told.into_iter().filter(|activity| seen.insert(activity.id.clone())));
        }
        found.sort_by_key(|activity| activity.at);
        Ok(found)
    }

    fn tape(&self, tape: Option<&Tape>) {
        // A tape is whole: how the account goes in paths is asked again, and is on it.
        if let Ok(mut known) = self.hash.try_lock() {
            *known = None;
        }
        self.host.put(tape.cloned());
        self.data.put(tape.cloned());
    }

    /// Schwab tells the last regular trade, which is the close once the session is over.
    async fn closes(&self, symbols: &[String], day: Date) -> Result<BTreeMap<String, Price>, VenueError> {
        const WHAT: &str = "a look at closes";
        let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
        // Of a half day too: whoever asks in the afternoon waits.
        let four = zone.to_timestamp(day.to_datetime(time(16, 0, 0, 0))).unwrap_or(Timestamp::MAX);
        let mut found = BTreeMap::new();
        if self.host.now() < four {
            return Ok(found);
        }
        for some in symbols.chunks(QUOTES) {
            let request = || {
                let request = self.data.request(Method::GET, ["marketdata", "v1", "quotes"]);
                request.query(&[("symbols", some.join(",").as_str()), ("fields", "quote,regular")])
            };
            let answer = self.look(&self.data, WHAT, request).await?;
            if matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
                tracing::warn!(venue = self.name, said = %answer.text(), "no quotes for this login");
                return Ok(found);
            }
            let answer = self.success(WHAT, answer)?;
            let told: BTreeMap<String, &RawValue> = self.read(WHAT, &answer)?;
            for symbol in some {
                let Some(raw) = told.get(symbol) else { continue };
                let closed: night::Closed = serde_json::from_str(raw.get())
                    .map_err(|error| self.host.unreadable(WHAT, &answer, &error))?;
                found.extend(closed.on(day).map(|price| (symbol.clone(), price)));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_by_where_it_is_said_to_be() {
        for (location, id) in [
            ("https://api.schwabapi.com/trader/v1/accounts/A1B2/orders/1004051988123", Some("1004051988123")),
            ("/trader/v1/accounts/A1B2/orders/7/", Some("7")),
            ("7", Some("7")),
            ("https://api.schwabapi.com/trader/v1/accounts/A1B2/orders/", None),
            ("https://api.schwabapi.com/trader/v1/accounts/A1B2/orders/null", None),
            ("", None),
        ] {
            assert_eq!(order_id(location), id, "{location}");
        }
    }
}
