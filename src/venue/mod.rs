//! The door to brokers.
//!
//! - [`Venue`]: what every broker can do, in our words;
//! - [`VenueError`]: why one did not, by what the caller should do;
//! - [`alpaca`], [`schwab`], [`paper`]: who can, with `http` as their line and `number` for what they count.
//!
//! What is always true here: an order leaves at most once a call, and no call
//! tries again by itself; what is not known to be refused is [`VenueError::Unanswered`];
//! no error or log line holds a key. Deliberately absent: deciding, remembering,
//! and a positions feed that anything is sized from.

pub mod alpaca;
mod http;
mod number;
pub mod paper;
pub mod schwab;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    time::Duration,
};

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};

use crate::{
    book::{
        action::CorporateAction,
        activity::Activity,
        execution::Execution,
        market::{Account, Capabilities, Listing, Market, Quote},
        order::{Refusal, Report, Ticket},
    },
    secret::Secret,
    tape::Tape,
    time::TradingDay,
    units::Price,
};
use number::Number;

/// Which broker a venue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broker {
    /// Alpaca, by its Trading API or the account's paths of its Broker API.
    Alpaca,
    /// Charles Schwab, by its Trader API.
    Schwab,
    /// Nobody: fills at a reference price, in our own books.
    Paper,
}

impl Broker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alpaca, Self::Schwab, Self::Paper];

    /// The word used in columns and configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alpaca => "alpaca",
            Self::Schwab => "schwab",
            Self::Paper => "paper",
        }
    }
}

/// Whether money is real there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// It is not.
    Paper,
    /// It is.
    Live,
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Paper, Self::Live];

    /// The word used in columns and configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }
}

/// How a request to Alpaca says who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthStyle {
    /// `APCA-API-KEY-ID` and `APCA-API-SECRET-KEY`: the Trading API.
    Headers,
    /// HTTP Basic: the Broker API.
    Basic,
    /// `Authorization: Bearer` with the secret: OAuth.
    Bearer,
}

/// One broker, and how to reach it.
#[derive(Clone, Debug)]
pub struct VenueSettings {
    /// Its name in `hedge.toml`.
    pub name: String,
    /// Which broker.
    pub broker: Broker,
    /// Whether money is real there.
    pub environment: Environment,
    /// Where its trading paths begin, without a slash at the end.
    pub base_url: String,
    /// Where its market data begins.
    pub data_url: String,
    /// What stands between the url and the resource: `/v2`, or `/v1/trading/accounts/ID`.
    pub path_prefix: String,
    /// Who we are, and how that is said.
    pub auth: AuthStyle,
    /// The key's name, or the app's key.
    pub key: Option<Secret>,
    /// What goes with it.
    pub secret: Option<Secret>,
    /// Schwab: where a login comes back to.
    pub redirect_uri: String,
    /// Schwab: which of the login's accounts.
    pub account_index: usize,
    /// Requests a minute.
    pub rate: u32,
    /// Longest wait for one answer, in milliseconds.
    pub timeout_ms: u64,
}

impl VenueSettings {
    /// What stands in every id of ours there: ids of one broker and environment never
    /// meet those of another.
    pub fn mark(&self) -> String {
        format!("{}-{}", self.broker.word(), self.environment.word())
    }
}

/// How an order is found whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The broker keeps our id: asked for by it, so often over at least so long, and then
    /// sent again under the same id, which the broker takes once.
    ByClientId {
        /// Reads that must have found nothing.
        reads: u32,
        /// How long they must have found nothing.
        grace: Duration,
    },
    /// The broker keeps no id of ours: searched by what it looks like, so often over at
    /// least so long; then it was never placed, and nothing is sent again.
    ByFingerprint {
        /// Searches that must have found nothing.
        reads: u32,
        /// How long they must have found nothing.
        quiet: Duration,
    },
}

/// Which executions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// Those of one order, by the broker's id.
    Order(&'a str),
    /// All of the account since then, foreign ones, corrections and busts among them.
    Since(Timestamp),
}

/// A broker.
///
/// # Errors
///
/// Every call: see [`VenueError`]. A call that only reads is never `Refused` for its content.
#[async_trait]
pub trait Venue: fmt::Debug + Send + Sync {
    /// Its name in `hedge.toml`.
    fn name(&self) -> &str;

    /// What it can take.
    fn capabilities(&self) -> Capabilities;

    /// How an order is found whose answer was lost.
    fn recovery(&self) -> Recovery;

    /// Sends an order, once. An answer that the id is taken already is followed by a look
    /// at the order that has it: what is given may be another order, so compare.
    async fn submit(&self, ticket: &Ticket) -> Result<Report, VenueError>;

    /// The orders that may be this one, sent at `sent_at`; none of them is in `owned`,
    /// the broker's ids of other orders of ours.
    async fn search(
        &self,
        ticket: &Ticket,
        sent_at: Timestamp,
        owned: &HashSet<String>,
    ) -> Result<Vec<Report>, VenueError>;

    /// An order, by the broker's id; `None` where it knows of none.
    async fn ask(&self, broker_id: &str) -> Result<Option<Report>, VenueError>;

    /// Asks that an order be cancelled. Whether it was, only [`Self::ask`] tells: an order
    /// that is not open any more is no error.
    async fn cancel(&self, broker_id: &str) -> Result<(), VenueError>;

    /// Executions, oldest first, each once.
    async fn executions(&self, of: Of<'_>) -> Result<Vec<Execution>, VenueError>;

    /// The account's orders taken since then, ours and others', each once.
    async fn orders(&self, since: Timestamp) -> Result<Vec<Report>, VenueError>;

    /// What the account holds.
    async fn account(&self) -> Result<Account, VenueError>;

    /// The venue's time, and today's hours.
    async fn market(&self) -> Result<Market, VenueError>;

    /// What a share is bid and offered at; `None` where there is no sane two-sided quote.
    async fn quote(&self, symbol: &str) -> Result<Option<Quote>, VenueError>;

    /// The same of many, with as few questions as the broker takes; those without a quote are left out.
    async fn quotes(&self, symbols: &[String]) -> Result<BTreeMap<String, Quote>, VenueError> {
        let mut found = BTreeMap::new();
        for symbol in symbols {
            found.extend(self.quote(symbol).await?.map(|quote| (symbol.clone(), quote)));
        }
        Ok(found)
    }

    /// What may be done with a share; `None` where it is not listed.
    async fn listing(&self, symbol: &str) -> Result<Option<Listing>, VenueError>;

    /// What moved in the account since then without a trade, oldest first, each once.
    async fn activities(&self, _since: Timestamp) -> Result<Vec<Activity>, VenueError> {
        Ok(Vec::new())
    }

    /// The trading days from one date to another, both with it; `None` where the venue has no calendar.
    async fn calendar(&self, _from: Date, _to: Date) -> Result<Option<Vec<TradingDay>>, VenueError> {
        Ok(None)
    }

    /// What shares closed at on a trading day; those without an official close are left out.
    async fn closes(&self, _symbols: &[String], _day: Date) -> Result<BTreeMap<String, Price>, VenueError> {
        Ok(BTreeMap::new())
    }

    /// From now on its answers are kept on this tape, or come from it; none: neither.
    fn tape(&self, _tape: Option<&Tape>) {}

    /// What companies do to these shares with an ex-date from one date to another, both with it.
    async fn actions(
        &self,
        _symbols: &[String],
        _from: Date,
        _to: Date,
    ) -> Result<Vec<CorporateAction>, VenueError> {
        Ok(Vec::new())
    }
}

/// Why a venue did not do what it was asked, by what the caller should do.
///
/// Of [`Venue::submit`]: `Unanswered` alone leaves it open whether the order exists.
#[derive(Debug, thiserror::Error)]
pub enum VenueError {
    /// Nothing left this machine: try again.
    #[error("{venue} cannot be reached")]
    Unreachable {
        /// Its name.
        venue: String,
        /// The lower error.
        #[source]
        source: Option<Cause>,
    },
    /// Nobody knows: an order may exist. Ask until there is evidence; a read may be tried again.
    #[error("no answer from {venue} to {request}: {what}")]
    Unanswered {
        /// Its name.
        venue: String,
        /// What it was asked.
        request: &'static str,
        /// What came instead of an answer: time ran out, a status, the beginning of a body.
        what: String,
    },
    /// Nothing was done: wait so long, then try again.
    #[error("{venue} is throttling us, for {} s", retry_in.as_secs())]
    Throttled {
        /// Its name.
        venue: String,
        /// How long.
        retry_in: Duration,
    },
    /// Nothing was done, and the same request would fail the same way.
    #[error("{venue} refused {request}: {said}")]
    Refused {
        /// Its name.
        venue: String,
        /// What it was asked.
        request: &'static str,
        /// What that means for the next order.
        why: Refusal,
        /// Its own words: evidence.
        said: String,
    },
    /// Nothing was done, and nothing will be until a person acts: the keys are wrong, or
    /// the login is over.
    #[error("{venue} does not let us in: {said}")]
    Unauthorized {
        /// Its name.
        venue: String,
        /// Its own words, without keys.
        said: String,
        /// What to do.
        next: String,
    },
}

/// An error from below.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The two-sided quote of these, where it is one: both sides above zero, and not crossed.
fn quote(bid: Number, ask: Number, at: Timestamp) -> Option<Quote> {
    let (bid, ask) = (bid.price()?, ask.price()?);
    (!bid.dollars().is_zero() && bid <= ask).then_some(Quote { bid, ask, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A venue at `base`, whose keys can be told from everything else.
    pub(super) fn settings(base: &str) -> VenueSettings {
        VenueSettings {
            name: "alpaca".to_owned(),
            broker: Broker::Alpaca,
            environment: Environment::Paper,
            base_url: base.to_owned(),
            data_url: base.to_owned(),
            path_prefix: "/v2".to_owned(),
            auth: AuthStyle::Headers,
            key: Some(Secret::new("the-key")),
            secret: Some(Secret::new("the-secret")),
            redirect_uri: String::new(),
            account_index: 0,
            rate: 200,
            timeout_ms: 5_000,
        }
    }
}
