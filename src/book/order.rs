//! What we ask a broker to do, and how far it got.
//!
//! A state holds what is true only then. [`State::after`] is every move there is;
//! who would make another is told so. Which evidence a move rests on is kept
//! beside it, in `order_event`.

use std::fmt;

use jiff::Timestamp;

use super::fill::Side;
use crate::units::{Price, Shares};

/// The number of an order in our books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub i64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To bring exposure below its threshold.
    Hedge,
    /// A person asked for it.
    Manual,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Hedge, Self::Manual];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hedge => "hedge",
            Self::Manual => "manual",
        }
    }
}

/// At what price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// At the market's, in the regular session.
    Market,
    /// At this one or better, outside the regular session too.
    ExtendedLimit(Price),
}

/// An order as a venue is asked to take it: good for the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Our own id of it, never used twice; a second try uses it again.
    pub client_id: String,
    /// The ticker.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// How many shares: above zero, no finer than the venue takes.
    pub quantity: Shares,
    /// At what price.
    pub terms: Terms,
}

/// What a broker says has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Alive: it may still fill. What a broker says that we have never heard counts as this.
    Working,
    /// Done as asked.
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

impl Status {
    /// Whether this id will never fill again.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Working)
    }
}

/// An order as a broker shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The broker's id.
    pub broker_id: String,
    /// Our id, where the broker keeps one.
    pub client_id: Option<String>,
    /// The ticker.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Shares asked for; none for an order by dollars.
    pub quantity: Option<Shares>,
    /// Shares filled so far, of this id; none where the broker does not say (`domain.md` R25).
    pub filled: Option<Shares>,
    /// What has become of it.
    pub status: Status,
    /// The broker's own word for that.
    pub word: String,
    /// Whether that word is one that we know.
    pub known: bool,
    /// Why, where the broker says.
    pub reason: Option<String>,
    /// The id that it goes on under.
    pub replaced_by: Option<String>,
    /// When the broker took it.
    pub submitted_at: Timestamp,
    /// The broker's answer as it came: evidence.
    pub said: String,
}

/// Why a broker refuses an order, by what that means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// There is not enough cash: wait until there is.
    Funds,
    /// Another open order holds the shares: wait for it.
    HeldShares,
    /// An open order of ours stands on the other side: wait for it.
    WashTrade,
    /// The share cannot be traded.
    NotTradable,
    /// It cannot be sold short.
    NotShortable,
    /// Only whole ones can be traded.
    NotFractionable,
    /// It is worth too little.
    BelowMinimum,
    /// The session does not take such an order.
    Session,
    /// The account may not trade.
    Account,
    /// The order is not well formed, or the broker's words are unknown: a person looks.
    Other,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Funds,
        Self::HeldShares,
        Self::WashTrade,
        Self::NotTradable,
        Self::NotShortable,
        Self::NotFractionable,
        Self::BelowMinimum,
        Self::Session,
        Self::Account,
        Self::Other,
    ];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Funds => "funds",
            Self::HeldShares => "held shares",
            Self::WashTrade => "wash trade",
            Self::NotTradable => "not tradable",
            Self::NotShortable => "not shortable",
            Self::NotFractionable => "not fractionable",
            Self::BelowMinimum => "below minimum",
            Self::Session => "session",
            Self::Account => "account",
            Self::Other => "other",
        }
    }
}

/// Why an order is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// All of it was filled, or more.
    Filled,
    /// A cancel ended it; some may be filled.
    Canceled,
    /// Its time ended it; some may be filled.
    Expired,
    /// The broker refused it, at once or later.
    Refused,
    /// It never reached the broker.
    NeverPlaced,
    /// A person said so.
    Resolved,
}

impl Close {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Filled, Self::Canceled, Self::Expired, Self::Refused, Self::NeverPlaced, Self::Resolved];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::NeverPlaced => "never placed",
            Self::Resolved => "resolved",
        }
    }
}

/// How far an order got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Written down; no byte has left.
    Planned,
    /// May or may not exist at the broker.
    Sent,
    /// The broker has it.
    Working,
    /// The evidence contradicts itself: a person looks, and the symbol rests.
    Ambiguous,
    /// It will never fill again, and all it filled is booked.
    Closed(Close),
}

/// What moves an order on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// It is about to leave.
    Send,
    /// It is known that it did not leave, or was turned away at the door.
    Unsend,
    /// The broker has it: it said so, or it was found there.
    Accept,
    /// The evidence contradicts itself.
    Doubt,
    /// It will never fill again.
    Close(Close),
}

/// A move that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {} cannot {mv:?}", state.word())]
pub struct IllegalMove {
    /// Where it was.
    pub state: State,
    /// What was to happen.
    pub mv: Move,
}

impl State {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Working => "working",
            Self::Ambiguous => "ambiguous",
            Self::Closed(_) => "closed",
        }
    }

    /// Where `mv` leads from here.
    ///
    /// # Errors
    ///
    /// There is no such move: a fault of ours, never the broker's.
    pub const fn after(self, mv: Move) -> Result<Self, IllegalMove> {
        match (self, mv) {
            (Self::Planned, Move::Send) => Ok(Self::Sent),
            (Self::Sent, Move::Unsend) => Ok(Self::Planned),
            (Self::Sent | Self::Working | Self::Ambiguous, Move::Accept) => Ok(Self::Working),
            (Self::Sent | Self::Working | Self::Ambiguous, Move::Doubt) => Ok(Self::Ambiguous),
            // What never left can only be dropped; what the broker has ends as the broker says;
            // of what is in doubt a person says how it ended.
            (Self::Planned | Self::Sent | Self::Ambiguous, Move::Close(why @ Close::NeverPlaced))
            | (Self::Sent, Move::Close(why @ Close::Refused))
            | (
                Self::Working,
                Move::Close(why @ (Close::Filled | Close::Canceled | Close::Expired | Close::Refused)),
            )
            | (Self::Sent | Self::Working | Self::Ambiguous, Move::Close(why @ Close::Resolved)) => {
                Ok(Self::Closed(why))
            }
            (state, mv) => Err(IllegalMove { state, mv }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_sent_accepted_and_closed() {
        let sent = State::Planned.after(Move::Send).unwrap();
        let working = sent.after(Move::Accept).unwrap();
        assert_eq!(working.after(Move::Close(Close::Filled)), Ok(State::Closed(Close::Filled)));
    }

    #[test]
    fn what_may_exist_at_the_broker_is_never_dropped_and_what_is_closed_stays_so() {
        for why in Close::ALL {
            let closed = State::Closed(why);
            for mv in [Move::Send, Move::Accept, Move::Doubt, Move::Close(Close::Filled)] {
                assert_eq!(closed.after(mv), Err(IllegalMove { state: closed, mv }));
            }
        }
        assert!(State::Working.after(Move::Close(Close::NeverPlaced)).is_err());
        assert!(State::Sent.after(Move::Send).is_err(), "a second try is no second move");
        assert!(State::Planned.after(Move::Close(Close::Filled)).is_err());
    }
}
