//! What a broker did for us: executions, under the broker's own ids.

use jiff::Timestamp;

use crate::units::{Price, Shares, Usd};

/// Whether an execution is a trade, or takes back some of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nature {
    /// A trade.
    Trade,
    /// The broker changed a trade afterwards: the difference, as an entry of its own.
    Correction,
    /// The broker took a trade back altogether.
    Bust,
}

impl Nature {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Trade, Self::Correction, Self::Bust];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Correction => "correction",
            Self::Bust => "bust",
        }
    }
}

/// One trade of ours at a venue, or what was taken back of one.
///
/// - **Unit** shares; dollars.
/// - **Sign** of `quantity`: what it does to our position there: a buy is positive,
///   the bust of a buy negative. `cash` has the other sign, without fees.
/// - **Source** the broker's list of executions; `id` is the broker's own.
/// - **Never** edited: a correction or a bust is an entry of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The broker's own id, unique at its venue.
    pub id: String,
    /// The broker's id of the order that it belongs to; none if the broker names none.
    pub broker_order_id: Option<String>,
    /// The ticker.
    pub symbol: String,
    /// Shares, signed.
    pub quantity: Shares,
    /// Dollars per share.
    pub price: Price,
    /// Dollars that moved, signed, without fees.
    pub cash: Usd,
    /// When it happened, as the broker has it.
    pub executed_at: Timestamp,
    /// Whether it is a trade or takes one back.
    pub nature: Nature,
    /// The execution that it corrects or busts.
    pub corrects: Option<String>,
}
