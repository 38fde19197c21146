//! What to do: pure decisions.
//!
//! - [`View`]: what is known of a symbol; [`Intent`]: what is wanted; [`Hold`]: why nothing is.
//! - [`flatten`]: brings exposure below its threshold;
//! - [`sizing`], [`limit`], [`backoff`]: the arithmetic of brokers, exact;
//! - [`inventory`]: how much of what should be where;
//! - [`alert`]: what people are told of, and when.
//!
//! Every intent has passed the same limits. No clock, no pool, no `async`: what
//! is not in a [`View`] is not known.

pub mod alert;
pub mod backoff;
pub mod flatten;
mod hours;
pub mod inventory;
pub mod limit;
mod settings;
pub mod sizing;

use jiff::{SignedDuration, Timestamp};
pub use settings::HedgeSettings;

use crate::{
    assets::Threshold,
    book::{
        fill::Side,
        market::{Account, Capabilities, Listing},
        order::{OrderId, Refusal, State, Terms},
    },
    time::TradingDay,
    units::{Price, Shares, Usd},
};

/// Where a price comes from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PriceSource {
    /// The middle of the venue's quote.
    Quote,
    /// The last fill on chain.
    Fill,
    /// The last execution of ours.
    Execution,
}

impl PriceSource {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quote, Self::Fill, Self::Execution];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Fill => "fill",
            Self::Execution => "execution",
        }
    }
}

/// A price, its time and its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Dollars per share, above zero.
    pub price: Price,
    /// When it was true.
    pub at: Timestamp,
    /// Where it comes from.
    pub source: PriceSource,
}

/// What no intent may exceed. Nothing here has a default that moves money: what is
/// left out is not allowed, or not limited, as its line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Dollars an order; larger exposure is worked off in several orders.
    pub max_order_usd: Usd,
    /// Dollars a day in New York, all symbols together.
    pub max_day_usd: Usd,
    /// Shares an order; none: not limited.
    pub max_order_shares: Option<Shares>,
    /// Shares a day and symbol; none: not limited.
    pub max_day_shares: Option<Shares>,
    /// How far the price may lie from the reference, in hundredths of a percent.
    pub price_band_bps: u32,
    /// How old a price may be that an order is sized by.
    pub price_age: SignedDuration,
    /// For how long hedging goes on from our own books while the broker does not tell its positions.
    pub blind: SignedDuration,
    /// How far from the reference a limit order outside the regular session may go, in hundredths of a percent.
    pub slippage_bps: u32,
}

/// The order of a symbol that is not closed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its number.
    pub id: OrderId,
    /// How far it got.
    pub state: State,
    /// When it was planned.
    pub since: Timestamp,
}

/// What became of the last orders of a symbol, where they were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How many in a row.
    pub times: u32,
    /// When the last one was.
    pub at: Timestamp,
    /// Why the last one was.
    pub why: Refusal,
    /// The cash at that time, where it was known.
    pub cash: Option<Usd>,
}

/// What was traded today, in New York's day, live orders in full among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Dollars, all symbols together.
    pub usd: Usd,
    /// Shares of this symbol.
    pub shares: Shares,
}

/// The hours of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// Not known, or contradicted: nothing new is sent.
    Unknown,
    /// No trading day.
    ClosedDay,
    /// A trading day.
    Day(TradingDay),
}

/// All that is known of a symbol when it is decided.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The venue's time.
    pub now: Timestamp,
    /// The ticker.
    pub symbol: &'a str,
    /// Not hedged and not being hedged: long is positive.
    pub exposure: Shares,
    /// From where on it is hedged; none: never.
    pub threshold: Option<Threshold>,
    /// Whether hedging has begun (`hedge go-live`).
    pub live_trading: bool,
    /// The order that is not closed yet.
    pub live: Option<Live>,
    /// Why it is halted, where it is.
    pub halt: Option<&'a str>,
    /// What an order is valued by.
    pub price: Option<Mark>,
    /// What the price must not be far from.
    pub reference: Option<Mark>,
    /// The venue's hours.
    pub hours: Hours,
    /// Whether it may be hedged outside the regular session.
    pub extended: bool,
    /// What the venue takes.
    pub capabilities: Capabilities,
    /// What the account holds, as last told.
    pub account: Option<&'a Account>,
    /// What may be done with the share; none: not known.
    pub listing: Option<Listing>,
    /// What was traded today.
    pub spent: Spent,
    /// The last refusals.
    pub refused: Option<Refused>,
    /// What no intent may exceed.
    pub limits: &'a Limits,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The ticker.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// How many shares: above zero, no finer than the venue takes.
    pub quantity: Shares,
    /// At what price.
    pub terms: Terms,
    /// What it was sized by.
    pub reference: Mark,
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// In one word or two.
    pub reason: Reason,
    /// In a sentence without a full stop: figures, and until when.
    pub detail: String,
}

fn hold<T>(reason: Reason, detail: impl Into<String>) -> Result<T, Hold> {
    Err(Hold { reason, detail: detail.into() })
}

/// A time as details show it.
fn at(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Reasons of a [`Hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no exposure.
    Flat,
    /// The exposure is below its threshold: it is carried.
    BelowThreshold,
    /// It is below what the venue trades: it is carried.
    BelowLot,
    /// Nobody gave it a threshold.
    NoThreshold,
    /// Hedging has not begun.
    NotLive,
    /// An order is on its way.
    InFlight,
    /// What became of an order is not clear: a person looks.
    Ambiguous,
    /// A person halted it.
    Halted,
    /// The market is closed.
    Closed,
    /// Nobody knows whether the market is open.
    HoursUnknown,
    /// There is no price that is young enough.
    NoPrice,
    /// The price is too far from the reference.
    PriceBand,
    /// The day's limit is reached.
    DayLimit,
    /// There is not enough cash.
    Funds,
    /// There are no shares to sell.
    NoShares,
    /// The account may not trade.
    AccountBlocked,
    /// Nobody knows what the account holds.
    AccountUnknown,
    /// The share cannot be traded.
    NotTradable,
    /// The broker refused the last order: not again at once.
    Refused,
    /// The venue throttles us.
    Throttled,
    /// The venue does not let us in.
    Unauthorized,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Flat,
        Self::BelowThreshold,
        Self::BelowLot,
        Self::NoThreshold,
        Self::NotLive,
        Self::InFlight,
        Self::Ambiguous,
        Self::Halted,
        Self::Closed,
        Self::HoursUnknown,
        Self::NoPrice,
        Self::PriceBand,
        Self::DayLimit,
        Self::Funds,
        Self::NoShares,
        Self::AccountBlocked,
        Self::AccountUnknown,
        Self::NotTradable,
        Self::Refused,
        Self::Throttled,
        Self::Unauthorized,
    ];

    /// The words used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::BelowThreshold => "below threshold",
            Self::BelowLot => "below lot",
            Self::NoThreshold => "no threshold",
            Self::NotLive => "not live",
            Self::InFlight => "in flight",
            Self::Ambiguous => "ambiguous",
            Self::Halted => "halted",
            Self::Closed => "market closed",
            Self::HoursUnknown => "hours unknown",
            Self::NoPrice => "no price",
            Self::PriceBand => "price band",
            Self::DayLimit => "day limit",
            Self::Funds => "funds",
            Self::NoShares => "no shares",
            Self::AccountBlocked => "account blocked",
            Self::AccountUnknown => "account unknown",
            Self::NotTradable => "not tradable",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Unauthorized => "unauthorized",
        }
    }

    /// The one of a column's words.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}
