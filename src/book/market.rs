//! What brokers and markets say of themselves: hours, quotes, holdings, listings.
//!
//! Each with the time at which it was true: no intent is sized from one that is
//! older than its limit (`policy`).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    time::TradingDay,
    units::{Price, Shares, Usd},
};

/// What a venue says of the market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// The venue's own time: ours may be wrong.
    pub now: Timestamp,
    /// The trading day that the venue's calendar has for today's date in New York; none on a closed day.
    pub day: Option<TradingDay>,
    /// Whether the venue says that the regular session is on, where it says so.
    pub is_open: Option<bool>,
}

/// What a share is bid and offered at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Best bid.
    pub bid: Price,
    /// Best offer: never below the bid.
    pub ask: Price,
    /// When it was made, as the venue has it.
    pub at: Timestamp,
}

/// What the account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which account it is, as the broker names it: never printed whole.
    pub id: String,
    /// Cash that hedges may be bought with.
    pub cash: Usd,
    /// Cash as the books are held against it.
    pub funds: Funds,
    /// Shares by ticker; what is not there is not held.
    pub holdings: BTreeMap<String, Holding>,
    /// Why no order may be sent, where that is so.
    pub blocked: Option<String>,
    /// Whether only orders that close a position are taken.
    pub closing_only: bool,
    /// Taken before the question was sent.
    pub asked_at: Timestamp,
}

/// Cash by trade date: what is sold counts at once, settled or not, and no open order holds any of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    /// All of it.
    pub total: Usd,
    /// What of that has not settled yet; none where the broker does not say.
    pub unsettled: Option<Usd>,
    /// Transfers that the broker speaks of and has not booked: to come is positive.
    pub pending: Usd,
}

impl Funds {
    /// So much, of which no more is said.
    pub const fn of(total: Usd) -> Self {
        Self { total, unsettled: None, pending: Usd::ZERO }
    }
}

/// Shares held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Long is positive.
    pub quantity: Shares,
    /// What of it no open order holds.
    pub available: Shares,
}

/// What a broker lets one do with a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// It can be traded at all.
    pub tradable: bool,
    /// Parts of a share can be traded.
    pub fractionable: bool,
    /// It can be sold short.
    pub shortable: bool,
}

/// What a venue can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Decimals of a quantity: 0 where only whole shares are traded.
    pub decimals: u32,
    /// Whether limit orders outside the regular session are taken.
    pub extended: bool,
}
