//! An order and an execution as a rehearsal broker keeps them.
//!
//! Both brokers keep the same: Alpaca shows an order's `id` and `client_id`, Schwab
//! its `number`. Nothing is ever forgotten but by a reset of the account.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;

use super::money::Summed;
use crate::{
    book::{execution::Nature, fill::Side},
    units::{Amount, Price, Shares, Usd},
};

/// How far an order got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimStatus {
    /// Taken while the market is open, not looked at yet.
    PendingNew,
    /// Taken while the market is closed: it waits for the open.
    Accepted,
    /// At the market.
    New,
    /// Some of it is filled.
    PartiallyFilled,
    /// A cancel was asked for.
    PendingCancel,
    /// All of it is filled.
    Filled,
    /// Ended by a cancel.
    Canceled,
    /// Ended by its time.
    Expired,
    /// Refused after it was taken.
    Rejected,
    /// Goes on under another id.
    Replaced,
}

impl SimStatus {
    /// Whether it may still fill.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::PendingNew | Self::Accepted | Self::New | Self::PartiallyFilled | Self::PendingCancel
        )
    }
}

/// For how long an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeInForce {
    /// Until the close.
    Day,
    /// For ninety days.
    Gtc,
    /// What fills at once fills, the rest is cancelled.
    Ioc,
    /// All of it at once, or nothing.
    Fok,
}

/// Whose order it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlacedBy {
    /// It came by the API.
    Client,
    /// Somebody typed it in.
    Person,
    /// The broker made it of another one.
    Broker,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimOrder {
    /// Alpaca's id of it.
    pub id: String,
    /// Schwab's.
    pub number: i64,
    /// The client's; made up where it gave none.
    pub client_id: String,
    /// The ticker.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Shares asked for; none for an order by dollars.
    pub quantity: Option<Shares>,
    /// Dollars asked for; none for an order by shares.
    pub notional: Option<Usd>,
    /// At this price or better; none: at the market's.
    pub limit: Option<Price>,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// Outside the regular session too.
    pub extended: bool,
    /// Schwab's word for the sessions that it stands in.
    pub session: &'static str,
    /// It sells what is not held, or buys it back: Schwab wants that said.
    pub short: bool,
    /// How far it got.
    pub status: SimStatus,
    /// Shares filled.
    pub filled: Shares,
    /// Dollars that these cost or brought, without a sign.
    pub value: Usd,
    /// When it was taken.
    pub submitted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it last filled.
    pub filled_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When its time is over.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub placed_by: PlacedBy,
    /// The id that it goes on from.
    pub replaces: Option<String>,
    /// The id that it goes on under.
    pub replaced_by: Option<String>,
    /// Why it was rejected.
    pub reason: Option<String>,
    pub(super) course: Course,
}

impl SimOrder {
    /// Shares that may yet be filled, at `ask` where it was given in dollars.
    pub(super) fn remaining(&self, ask: Price) -> Shares {
        let wanted = self.wanted(ask);
        if wanted > self.filled { wanted.less(self.filled) } else { Shares::ZERO }
    }

    /// Shares wanted, at `price` where it was given in dollars.
    pub(super) fn wanted(&self, price: Price) -> Shares {
        match (self.quantity, self.notional) {
            (Some(quantity), _) => quantity,
            (None, Some(notional)) => {
                Shares(super::money::ratio(notional.0, price.dollars()).unwrap_or_default().cut(9))
            }
            (None, None) => Shares::ZERO,
        }
    }

    /// Shares that are filled once `permille` of it are: whole where it is whole.
    pub(super) fn part(&self, permille: u32, price: Price) -> Shares {
        let wanted = self.wanted(price);
        if permille == 1000 {
            return wanted;
        }
        let decimals = if is_whole(wanted) { 0 } else { 9 };
        let share = Amount::from_atoms(i128::from(permille) * 1_000_000_000_000_000).unwrap_or_default();
        Shares(wanted.0.times_toward_zero(share).unwrap_or_default()).cut(decimals)
    }

    /// Whether it can be seen by who asks for it.
    pub(super) fn is_visible(&self, now: Timestamp) -> bool {
        now >= self.course.visible_from
    }
}

/// Whether a quantity has no decimals.
fn is_whole(quantity: Shares) -> bool {
    quantity.cut(0) == quantity
}

/// What will become of an order if nobody intervenes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Course {
    /// From when on so many thousandths of it are filled, in order.
    pub(super) parts: VecDeque<(Timestamp, u32)>,
    /// How it ends, and when.
    pub(super) end: Option<(Timestamp, Ending)>,
    /// When a cancel that was asked for takes effect.
    pub(super) cancel_at: Option<Timestamp>,
    /// From when on it can be looked up.
    pub(super) visible_from: Timestamp,
    /// From when on it is in Schwab's lists.
    pub(super) listed_from: Timestamp,
}

/// How an order ends though nobody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Refused after all, for this reason.
    Reject(String),
    /// Cancelled behind our back.
    Cancel,
    /// Its time is over.
    Expire,
    /// Goes on under another id.
    Replace,
}

/// An order that somebody wants to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewOrder {
    pub(super) client_id: Option<String>,
    pub(super) symbol: String,
    pub(super) side: Side,
    pub(super) quantity: Option<Shares>,
    pub(super) notional: Option<Usd>,
    pub(super) limit: Option<Price>,
    pub(super) time_in_force: TimeInForce,
    pub(super) extended: bool,
    pub(super) session: &'static str,
    pub(super) short: bool,
    pub(super) placed_by: PlacedBy,
    pub(super) replaces: Option<String>,
}

impl NewOrder {
    /// Whether it asks for a part of a share.
    pub(super) fn is_fractional(&self) -> bool {
        self.notional.is_some() || self.quantity.is_some_and(|quantity| !is_whole(quantity))
    }
}

/// How it is to go on, once taken: what strikes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    /// Filled before the answer is given.
    pub(super) at_once: bool,
    /// Never fills.
    pub(super) held: bool,
    /// In so many equal parts, so far from each other.
    pub(super) slices: Option<(u32, Duration)>,
    /// So many thousandths of it and no more.
    pub(super) permille: Option<u32>,
    /// Ends so after so long.
    pub(super) ending: Option<(Duration, Ending)>,
    /// Cannot be looked up for so long.
    pub(super) hidden: Duration,
}

/// Why an order is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The client's id was used before.
    Duplicate,
    /// There is no such ticker.
    NotListed,
    /// The account may not trade.
    Blocked,
    /// It opens a position, and the account may only close.
    ClosingOnly,
    /// The ticker cannot be traded.
    NotTradable,
    /// Only whole shares of it can be.
    NotFractionable,
    /// It cannot be sold short; not even a fraction of it.
    NotShortable,
    /// It is worth less than a dollar.
    BelowMinimum,
    /// There is less cash.
    Funds {
        /// What is there.
        buying_power: Usd,
        /// What it would take.
        cost_basis: Usd,
    },
    /// There are fewer shares that no open order holds.
    Held {
        /// What is left.
        available: Shares,
        /// What the account has.
        existing: Shares,
        /// The orders that hold the rest.
        related: Vec<String>,
    },
    /// An open order stands on the other side.
    Wash {
        /// Its id.
        existing: String,
        /// Whether that is a limit order.
        limit: bool,
    },
}

/// A trade of the account's, or what was taken back of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimExecution {
    /// Alpaca's id of it.
    pub id: String,
    /// Schwab's.
    pub number: i64,
    /// Alpaca's id of its order.
    pub order_id: String,
    /// Schwab's.
    pub order_number: i64,
    /// The ticker.
    pub symbol: String,
    /// Its order's side.
    pub side: Side,
    /// What it does to the position, signed.
    pub quantity: Shares,
    /// Dollars per share; of a correction, the right price.
    pub price: Price,
    /// What it does to cash, signed.
    pub cash: Usd,
    /// When.
    pub at: Timestamp,
    /// Whether it is a trade or takes one back.
    pub nature: Nature,
    /// The id of the execution that it corrects or busts.
    pub corrects: Option<String>,
    /// Shares as they are shown: without a sign, and all of them for a correction.
    pub(super) shown: Shares,
    /// Of its order, filled with it.
    pub(super) cumulative: Shares,
    /// Of its order, unfilled after it.
    pub(super) leaves: Shares,
}
