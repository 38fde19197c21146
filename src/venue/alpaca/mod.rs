//! Alpaca: its Trading API, and the account's paths of its Broker API.
//!
//! - `wire`: its objects in our words;
//! - `refusal`: what it means when it says no;
//! - `activity`: its FILL activities as executions;
//! - `night`: its other activities, closes and corporate actions.
//!
//! Facts and their sources: `alpaca.md`. What is always true here: an order carries
//! our id, which Alpaca takes once for all time; the size of a position is read
//! to be looked at, since it lags what is filled by seconds.

mod activity;
mod night;
mod refusal;
mod wire;

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    AuthStyle, Of, Recovery, Venue, VenueError, VenueSettings,
    http::{Answer, Does, Host},
};
use crate::{
    book::{
        action::CorporateAction,
        execution::Execution,
        fill::Side,
        market::{Account, Capabilities, Listing, Market, Quote},
        order::{Report, Terms, Ticket},
    },
    secret::Secret,
    tape::Tape,
    time::{Clock, TradingDay, new_york_date},
    units::Price,
};
use activity::Activity;
use refusal::No;

/// Decimals of a quantity (`alpaca.md` §2).
const DECIMALS: u32 = 9;
/// Orders, and activities, a page: as many as Alpaca gives.
const ORDERS: usize = 500;
const ACTIVITIES: usize = 100;
/// Bars and announcements a page.
const ROWS: usize = 1_000;
/// An announcement is filed under the day it is paid, which is so much later than its ex-date at most.
const PAID_WITHIN: i32 = 90;
/// Symbols that are asked for a quote together: as many as fit into a line.
const QUOTES: usize = 100;
/// Pages that nobody needs: whoever is served so many is led around in a circle.
const PAGES: usize = 1_000;
/// Alpaca's `after` leaves out its own instant; this much earlier takes it in.
const TICK: SignedDuration = SignedDuration::from_millis(1);

/// Alpaca.
#[derive(Debug)]
pub struct Alpaca {
    name: String,
    host: Host,
    data: Host,
    paths: Paths,
    us: Us,
}

/// Where things lie: the Broker API keeps some of them elsewhere.
#[derive(Debug)]
struct Paths {
    /// `v2`, or `v1 trading accounts ID`.
    account: Vec<String>,
    /// `v2`, or `v1`.
    version: Vec<String>,
    /// The account's id, where activities must be asked by it.
    id: Option<String>,
}

impl Paths {
    fn of(prefix: &str) -> Self {
        let account: Vec<String> =
            prefix.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let version = account.iter().take(1).cloned().collect();
        let id = match account.as_slice() {
            [_, trading, accounts, id] if trading == "trading" && accounts == "accounts" => Some(id.clone()),
            _ => None,
        };
        Self { account, version, id }
    }
}

/// How the broker is told who we are.
#[derive(Debug)]
enum Us {
    Headers(Secret, Secret),
    Basic(Secret, Secret),
    Bearer(Secret),
}

impl Us {
    fn of(settings: &VenueSettings) -> Result<Self, VenueError> {
        let needed = |given: &Option<Secret>, what: &str| {
            // What cannot stand in a header would fail request by request.
            let given =
                given.clone().filter(|it| !it.is_empty() && HeaderValue::try_from(it.expose()).is_ok());
            given.ok_or_else(|| VenueError::Unauthorized {
                venue: settings.name.clone(),
                said: format!("there is no {what}, or it is not one line of plain text"),
                next: LET_IN.to_owned(),
            })
        };
        let (key, secret) = (|| needed(&settings.key, "key"), needed(&settings.secret, "secret")?);
        Ok(match settings.auth {
            AuthStyle::Headers => Self::Headers(key()?, secret),
            AuthStyle::Basic => Self::Basic(key()?, secret),
            AuthStyle::Bearer => Self::Bearer(secret),
        })
    }

    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Headers(key, secret) => {
                let request = request.header("APCA-API-KEY-ID", key.expose());
                request.header("APCA-API-SECRET-KEY", secret.expose())
            }
            Self::Basic(key, secret) => request.basic_auth(key.expose(), Some(secret.expose())),
            Self::Bearer(secret) => request.bearer_auth(secret.expose()),
        }
    }
}

/// What to do when we are not let in.
const LET_IN: &str = "see that the venue's key and secret are right and belong to its environment: \
                      keys of paper trading do not work on live, nor the other way round";

impl Alpaca {
    /// The account that these settings lead to; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// A url is none, or a key is missing: a person acts.
    pub fn new(settings: &VenueSettings, clock: Clock) -> Result<Self, VenueError> {
        let host = Host::new(settings, &settings.base_url, clock)?;
        let data = host.beside(settings, &settings.data_url)?;
        Ok(Self {
            name: settings.name.clone(),
            paths: Paths::of(&settings.path_prefix),
            us: Us::of(settings)?,
            host,
            data,
        })
    }

    /// Asks for what lies below the account.
    fn of_account(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let path = self.paths.account.iter().map(String::as_str).chain(path.iter().copied());
        self.us.sign(self.host.request(method, path))
    }

    /// Asks for what is the same for all accounts.
    fn of_all(&self, path: &[&str]) -> RequestBuilder {
        let path = self.paths.version.iter().map(String::as_str).chain(path.iter().copied());
        self.us.sign(self.host.request(Method::GET, path))
    }

    /// Asks; a 401 is told with what to do.
    async fn ask_host(
        &self,
        host: &Host,
        what: &'static str,
        does: Does,
        request: RequestBuilder,
    ) -> Result<Answer, VenueError> {
        host.ask(what, does, request).await.map_err(|error| match error {
            VenueError::Unauthorized { venue, said, .. } => {
                VenueError::Unauthorized { venue, said, next: LET_IN.to_owned() }
            }
            VenueError::Unreachable { .. }
            | VenueError::Unanswered { .. }
            | VenueError::Throttled { .. }
            | VenueError::Refused { .. } => error,
        })
    }

    /// Looks; `None` is a 404.
    async fn look(&self, what: &'static str, request: RequestBuilder) -> Result<Option<Answer>, VenueError> {
        let answer = self.ask_host(&self.host, what, Does::Look, request).await?;
        if answer.status.is_success() {
            Ok(Some(answer))
        } else if answer.status == StatusCode::NOT_FOUND {
            Ok(None)
        } else {
            Err(self.not_shown(what, &answer))
        }
    }

    /// Looks at what is always there.
    async fn see(&self, what: &'static str, request: RequestBuilder) -> Result<Answer, VenueError> {
        let answer = self.ask_host(&self.host, what, Does::Look, request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.not_shown(what, &answer)) }
    }

    /// A look is never refused for its content: either we are not let in, or this is no answer.
    fn not_shown(&self, what: &'static str, answer: &Answer) -> VenueError {
        match refusal::meaning(answer) {
            No::NotLetIn => self.host.unauthorized(&answer.body, LET_IN.to_owned()),
            No::Refused(_) | No::Duplicate | No::Unclear => self.host.no_answer(what, answer),
        }
    }

    fn read<'a, T: Deserialize<'a>>(&self, what: &'static str, answer: &'a Answer) -> Result<T, VenueError> {
        answer.read().map_err(|error| self.host.unreadable(what, answer, &error))
    }

    fn order(&self, what: &'static str, answer: &Answer) -> Result<Report, VenueError> {
        let raw: &RawValue = self.read(what, answer)?;
        wire::report(raw).map_err(|error| self.host.unreadable(what, answer, &error))
    }

    async fn by_client_id(&self, client_id: &str) -> Result<Option<Report>, VenueError> {
        const WHAT: &str = "a search for an order by our id";
        let request = self.of_account(Method::GET, &["orders:by_client_order_id"]);
        let answer = self.look(WHAT, request.query(&[("client_order_id", client_id)])).await?;
        answer.map(|answer| self.order(WHAT, &answer)).transpose()
    }

    /// FILL activities, page by page.
    async fn fills(&self, which: &[(&str, &str)]) -> Result<Vec<Activity>, VenueError> {
        const WHAT: &str = "a look at executions";
        let mut found: Vec<Activity> = Vec::new();
        let mut seen = HashSet::new();
        for _ in 0..PAGES {
            let request = self.activity_page(&["FILL"]).query(which);
            // The token is the last id of the page before.
            let request = match found.last() {
                Some(last) => request.query(&[("page_token", &last.id)]),
                None => request,
            };
            let answer = self.see(WHAT, request).await?;
            let page: Vec<Activity> = self.read(WHAT, &answer)?;
            let (before, length) = (found.len(), page.len());
            found.extend(page.into_iter().filter(|activity| seen.insert(activity.id.clone())));
            if length < ACTIVITIES || found.len() == before {
                return Ok(found);
            }
        }
        Err(self.host.unanswered(WHAT, "pages without end"))
    }

    /// A page of activities, oldest first.
    fn activity_page(&self, kind: &[&str]) -> RequestBuilder {
        let request = match &self.paths.id {
            Some(id) => {
                let path = [&["accounts", "activities"], kind].concat();
                self.of_all(&path).query(&[("account_id", id)])
            }
            None => self.of_account(Method::GET, &[&["account", "activities"], kind].concat()),
        };
        request.query(&[("direction", "asc"), ("page_size", &ACTIVITIES.to_string())])
    }

    /// Asks for market data; `None` where this account may not have it.
    async fn look_at_data(
        &self,
        what: &'static str,
        path: &[&str],
        which: &[(&str, &str)],
    ) -> Result<Option<Answer>, VenueError> {
        let request = self.data.request(Method::GET, path.iter().copied());
        let request = self.us.sign(request).query(which);
        let answer = self.ask_host(&self.data, what, Does::Look, request).await?;
        match answer.status {
            status if status.is_success() => Ok(Some(answer)),
            StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY => {
                tracing::warn!(venue = self.name, what, said = %answer.text(), "not for this account");
                Ok(None)
            }
            _ => Err(self.data.no_answer(what, &answer)),
        }
    }

    async fn activities_of(&self, order: &str) -> Result<Vec<Activity>, VenueError> {
        let mut found = self.fills(&[("order_id", order)]).await?;
        found.retain(|activity| activity.order_id.as_deref() == Some(order));
        Ok(found)
    }
}

#[async_trait]
impl Venue for Alpaca {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { decimals: DECIMALS, extended: true }
    }

    /// Reads lag: an order can be unknown for a moment after it was taken (`alpaca.md` §3).
    fn recovery(&self) -> Recovery {
        Recovery::ByClientId { reads: 3, grace: Duration::from_secs(10) }
    }

    async fn submit(&self, ticket: &Ticket) -> Result<Report, VenueError> {
        const WHAT: &str = "an order";
        let request = self.of_account(Method::POST, &["orders"]).json(&body(ticket));
        let answer = self.ask_host(&self.host, WHAT, Does::Act, request).await?;
        if answer.status.is_success() {
            let report = self.order(WHAT, &answer)?;
            return if report.client_id.as_deref() == Some(&ticket.client_id) {
                Ok(report)
            } else {
                Err(self.host.no_answer(WHAT, &answer))
            };
        }
        match refusal::meaning(&answer) {
            No::Refused(why) => Err(self.host.refused(WHAT, why, &answer)),
            No::NotLetIn => Err(self.host.unauthorized(&answer.body, LET_IN.to_owned())),
            No::Unclear => Err(self.host.no_answer(WHAT, &answer)),
            // There is an order: not to be shown it, for whatever reason, is not to know which.
            No::Duplicate => match self.by_client_id(&ticket.client_id).await {
                Ok(Some(report)) => Ok(report),
                Ok(None) => Err(self.host.unanswered(WHAT, "its id is taken, and no order has it")),
                Err(error) => Err(self.host.unanswered(WHAT, &format!("its id is taken, and then: {error}"))),
            },
        }
    }

    async fn search(
        &self,
        ticket: &Ticket,
        _sent_at: Timestamp,
        _owned: &HashSet<String>,
    ) -> Result<Vec<Report>, VenueError> {
        Ok(self.by_client_id(&ticket.client_id).await?.into_iter().collect())
    }

    async fn ask(&self, broker_id: &str) -> Result<Option<Report>, VenueError> {
        const WHAT: &str = "a look at an order";
        let request = self.of_account(Method::GET, &["orders", broker_id]);
        let answer = self.ask_host(&self.host, WHAT, Does::Look, request).await?;
        if answer.status.is_success() {
            self.order(WHAT, &answer).map(Some)
        } else if answer.status == StatusCode::NOT_FOUND || refusal::is_no_id(&answer) {
            Ok(None)
        } else {
            Err(self.not_shown(WHAT, &answer))
        }
    }

    async fn cancel(&self, broker_id: &str) -> Result<(), VenueError> {
        const WHAT: &str = "a cancel";
        let request = self.of_account(Method::DELETE, &["orders", broker_id]);
        let answer = self.ask_host(&self.host, WHAT, Does::Act, request).await?;
        if answer.status.is_success() || refusal::is_over(&answer) {
            return Ok(());
        }
        match refusal::meaning(&answer) {
            No::Refused(why) => Err(self.host.refused(WHAT, why, &answer)),
            No::NotLetIn => Err(self.host.unauthorized(&answer.body, LET_IN.to_owned())),
            No::Unclear | No::Duplicate => Err(self.host.no_answer(WHAT, &answer)),
        }
    }

    async fn executions(&self, of: Of<'_>) -> Result<Vec<Execution>, VenueError> {
        let activities = match of {
            Of::Order(id) => self.activities_of(id).await?,
            Of::Since(since) => {
                let after = since.saturating_sub(TICK).unwrap_or(since).to_string();
                self.fills(&[("after", &after)]).await?
            }
        };
        let mut before = Vec::new();
        if matches!(of, Of::Since(_)) {
            for order in activity::unexplained(&activities) {
                before.extend(self.activities_of(&order).await?);
            }
        }
        let (executions, odd) = activity::executions(&before, activities);
        if !odd.is_empty() {
            tracing::error!(
                venue = self.name,
                ?odd,
                "executions that cannot be booked: look at them by hand"
            );
        }
        Ok(executions)
    }

    async fn orders(&self, since: Timestamp) -> Result<Vec<Report>, VenueError> {
        const WHAT: &str = "a look at the orders";
        let mut found: Vec<Report> = Vec::new();
        let mut seen = HashSet::new();
        let mut from = since;
        for _ in 0..PAGES {
            let after = from.saturating_sub(TICK).unwrap_or(from).to_string();
            let limit = ORDERS.to_string();
            let which = [
                ("status", "all"),
                ("direction", "asc"),
                ("nested", "false"),
                ("limit", &limit),
                ("after", &after),
            ];
            let answer = self.see(WHAT, self.of_account(Method::GET, &["orders"]).query(&which)).await?;
            let page: Vec<&RawValue> = self.read(WHAT, &answer)?;
            let length = page.len();
            let page = wire::reports(&page).map_err(|error| self.host.unreadable(WHAT, &answer, &error))?;
            let (before, last) = (found.len(), page.iter().map(|report| report.submitted_at).max());
            // Pages overlap at their edges.
            found.extend(page.into_iter().filter(|report| seen.insert(report.broker_id.clone())));
            match last {
                _ if length < ORDERS => return Ok(found),
                Some(last) if found.len() > before => from = last,
                _ => break,
            }
        }
        Err(self.host.unanswered(WHAT, "pages without end"))
    }

    async fn account(&self) -> Result<Account, VenueError> {
        const WHAT: &str = "a look at the account";
        let asked_at = self.host.now();
        let answer = self.see(WHAT, self.of_account(Method::GET, &["account"])).await?;
        let account: wire::AccountBody = self.read(WHAT, &answer)?;
        let answer = self.see(WHAT, self.of_account(Method::GET, &["positions"])).await?;
        let positions: Vec<&RawValue> = self.read(WHAT, &answer)?;
        wire::account(account, &positions, asked_at)
            .map_err(|error| self.host.unreadable(WHAT, &answer, &error))
    }

    async fn market(&self) -> Result<Market, VenueError> {
        const WHAT: &str = "a look at the market's hours";
        let answer = self.see(WHAT, self.of_all(&["clock"])).await?;
        let clock: wire::ClockBody = self.read(WHAT, &answer)?;
        let date = new_york_date(clock.timestamp);
        let today = date.to_string();
        let request = self.of_all(&["calendar"]).query(&[("start", &today), ("end", &today)]);
        let answer = self.see(WHAT, request).await?;
        let days: Vec<wire::Day> = self.read(WHAT, &answer)?;
        let unclear = || self.host.no_answer(WHAT, &answer);
        // Asked for a closed day, it may name none, or the next open one; an earlier one is nonsense.
        let day = match days.first() {
            Some(day) if day.date == date => Some(day.hours().ok_or_else(unclear)?),
            Some(day) if day.date < date => return Err(unclear()),
            _ => None,
        };
        Ok(Market { now: clock.timestamp, day, is_open: Some(clock.is_open) })
    }

    async fn quote(&self, symbol: &str) -> Result<Option<Quote>, VenueError> {
        Ok(self.quotes(&[symbol.to_owned()]).await?.remove(symbol))
    }

    async fn quotes(&self, symbols: &[String]) -> Result<BTreeMap<String, Quote>, VenueError> {
        const WHAT: &str = "a look at quotes";
        let mut found = BTreeMap::new();
        for some in symbols.chunks(QUOTES) {
            let request = self.data.request(Method::GET, ["v2", "stocks", "quotes", "latest"]);
            let request = self.us.sign(request).query(&[("symbols", some.join(","))]);
            let answer = self.ask_host(&self.data, WHAT, Does::Look, request).await?;
            match answer.status {
                StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY => {
                    tracing::debug!(venue = self.name, said = %answer.text(), "no quotes for this account");
                }
                status if status.is_success() => {
                    let told: wire::Quotes = self.read(WHAT, &answer)?;
                    let sane = |symbol: &String| Some((symbol.clone(), told.of(symbol)?));
                    found.extend(some.iter().filter_map(sane));
                }
                _ => return Err(self.data.no_answer(WHAT, &answer)),
            }
        }
        Ok(found)
    }

    async fn listing(&self, symbol: &str) -> Result<Option<Listing>, VenueError> {
        const WHAT: &str = "a look at a listing";
        let Some(answer) = self.look(WHAT, self.of_all(&["assets", symbol])).await? else { return Ok(None) };
        Ok(Some(self.read::<wire::Asset>(WHAT, &answer)?.listing()))
    }

    async fn activities(&self, since: Timestamp) -> Result<Vec<crate::book::activity::Activity>, VenueError> {
        const WHAT: &str = "a look at activities";
        let after = since.saturating_sub(TICK).unwrap_or(since).to_string();
        let (mut found, mut last) = (Vec::new(), None::<String>);
        let mut seen = HashSet::new();
        for _ in 0..PAGES {
            let request =
                self.activity_page(&[]).query(&[("category", "non_trade_activity"), ("after", &after)]);
            let request = match &last {
                Some(last) => request.query(&[("page_token", last)]),
                None => request,
            };
            let answer = self.see(WHAT, request).await?;
            let unreadable = |error| self.host.unreadable(WHAT, &answer, &error);
            let page: Vec<&RawValue> = self.read(WHAT, &answer)?;
            let before = seen.len();
            for raw in &page {
                let id = night::id(raw).map_err(unreadable)?;
                if seen.insert(id.clone()) {
                    found.extend(night::activity(raw).map_err(unreadable)?);
                }
                last = Some(id);
            }
            if page.len() < ACTIVITIES || seen.len() == before {
                found.sort_by_key(|activity| activity.date);
                return Ok(found);
            }
        }
        Err(self.host.unanswered(WHAT, "pages without end"))
    }

    async fn calendar(&self, from: Date, to: Date) -> Result<Option<Vec<TradingDay>>, VenueError> {
        const WHAT: &str = "a look at the calendar";
        let dates = [("start", from.to_string()), ("end", to.to_string())];
        let answer = self.see(WHAT, self.of_all(&["calendar"]).query(&dates)).await?;
        let days: Vec<wire::Day> = self.read(WHAT, &answer)?;
        let within = days.iter().filter(|day| (from..=to).contains(&day.date));
        let days = within.map(wire::Day::hours).collect::<Option<Vec<_>>>();
        days.map(Some).ok_or_else(|| self.host.no_answer(WHAT, &answer))
    }

    async fn closes(&self, symbols: &[String], day: Date) -> Result<BTreeMap<String, Price>, VenueError> {
        const WHAT: &str = "a look at closes";
        let (date, rows) = (day.to_string(), ROWS.to_string());
        let mut found = BTreeMap::new();
        for some in symbols.chunks(QUOTES) {
            let (some, mut token) = (some.join(","), String::new());
            for page in 0.. {
                let mut which = vec![
                    ("symbols", some.as_str()),
                    ("timeframe", "1Day"),
                    ("start", &date),
                    ("end", &date),
                    ("adjustment", "raw"),
                    ("limit", &rows),
                ];
                which.extend((page > 0).then_some(("page_token", token.as_str())));
                let Some(answer) = self.look_at_data(WHAT, &["v2", "stocks", "bars"], &which).await? else {
                    return Ok(BTreeMap::new());
                };
                let mut bars: night::Bars = self.read(WHAT, &answer)?;
                let next = bars.next_page_token.take();
                found.extend(bars.closes(day));
                match next {
                    None => break,
                    Some(_) if page == PAGES => return Err(self.data.unanswered(WHAT, "pages without end")),
                    Some(next) => token = next,
                }
            }
        }
        Ok(found)
    }

    fn tape(&self, tape: Option<&Tape>) {
        self.host.put(tape.cloned());
        self.data.put(tape.cloned());
    }

    async fn actions(
        &self,
        symbols: &[String],
        from: Date,
        to: Date,
    ) -> Result<Vec<CorporateAction>, VenueError> {
        const WHAT: &str = "a look at corporate actions";
        let start = from.saturating_sub(7.days()).to_string();
        let end = to.saturating_add(PAID_WITHIN.days()).to_string();
        let rows = ROWS.to_string();
        let mut found: BTreeMap<String, CorporateAction> = BTreeMap::new();
        for some in symbols.chunks(QUOTES) {
            let (some, mut token) = (some.join(","), String::new());
            for page in 0.. {
                let mut which = vec![
                    ("symbols", some.as_str()),
                    ("types", night::TYPES),
                    ("start", &start),
                    ("end", &end),
                    ("limit", &rows),
                ];
                which.extend((page > 0).then_some(("page_token", token.as_str())));
                let answer = self.look_at_data(WHAT, &["v1", "corporate-actions"], &which).await?;
                // Not to be told of splits is not to know of none.
                let answer =
                    answer.ok_or_else(|| self.data.unanswered(WHAT, "they are not for this account"))?;
                let told: night::Announcements<'_> = self.read(WHAT, &answer)?;
                let (actions, strange) = told.read();
                for said in strange {
                    tracing::warn!(venue = self.name, said, "an announcement that is not understood");
                }
                let within = actions.into_iter().filter(|action| (from..=to).contains(&action.ex_date));
                found.extend(within.map(|action| (action.id.clone(), action)));
                match told.next_page_token {
                    None => break,
                    Some(_) if page == PAGES => return Err(self.data.unanswered(WHAT, "pages without end")),
                    Some(next) => token = next,
                }
            }
        }
        let mut found: Vec<CorporateAction> = found.into_values().collect();
        found.sort_by(|one, other| (one.ex_date, &one.id).cmp(&(other.ex_date, &other.id)));
        Ok(found)
    }
}

/// An order as it is sent. What it closes or opens is not said: that refuses what a
/// lagging position makes look wrong.
fn body(ticket: &Ticket) -> Value {
    let quantity = ticket.quantity.to_string();
    let side = match ticket.side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    };
    match ticket.terms {
        Terms::Market => json!({"symbol": ticket.symbol, "qty": quantity, "side": side, "type": "market",
            "time_in_force": "day", "client_order_id": ticket.client_id}),
        Terms::ExtendedLimit(price) => json!({"symbol": ticket.symbol, "qty": quantity, "side": side,
            "type": "limit", "limit_price": price.to_string(), "extended_hours": true,
            "time_in_force": "day", "client_order_id": ticket.client_id}),
    }
}
