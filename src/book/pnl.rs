//! Profit and loss: what a trade closed, what it earned, and what that is made of.
//!
//! First in, first out, per share, with reversals: the n-th unit bought meets the n-th unit
//! sold, whatever came between (`accounting.md` B.3). Always true after every trade: realized
//! is sold less bought plus the book value of what is open. Fees stand beside, never inside.
//!
//! The order of trades is what happened, not when it was learnt: [`Key`]. A [`Book`] takes
//! them in that order; [`super::history`] puts them in it.

use std::{fmt, str::FromStr};

use super::{
    fill::{Role, Side},
    lot::{GridEnds, Parcel, Queue},
};
use crate::units::{Amount, Price, Shares, Usd};

/// Where a trade took place; of one instant, what was onchain comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TradeType {
    /// A fill.
    Onchain,
    /// An execution at a broker.
    Offchain,
}

impl TradeType {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Onchain => "ONCHAIN",
            Self::Offchain => "OFFCHAIN",
        }
    }

    /// The one named by a column.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Onchain, Self::Offchain].into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for TradeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Which trade of its type, in the order of nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TradeId {
    /// A number: whatever a file calls it.
    Number(u64),
    /// An execution in these books.
    Execution {
        /// Our order that it belongs to.
        order: u64,
        /// Which of the order's in one instant: from the broker's own id.
        tie: u64,
        /// Its number, which is its name.
        number: u64,
    },
    /// A log's place and our side of it.
    Log {
        /// The chain.
        chain: u64,
        /// The block's number.
        block: u64,
        /// The log's index in it.
        log: u64,
        /// The side.
        role: Role,
    },
}

impl fmt::Display for TradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) | Self::Execution { number, .. } => write!(f, "{number}"),
            Self::Log { chain, block, log, role } => write!(f, "{chain}:{block}:{log}:{role}"),
        }
    }
}

/// A text that names no trade.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a whole number nor `chain:block:log:role`")]
pub struct NotATradeId(pub String);

impl FromStr for TradeId {
    type Err = NotATradeId;

    fn from_str(text: &str) -> Result<Self, NotATradeId> {
        let read = || {
            if let Ok(number) = text.parse() {
                return Some(Self::Number(number));
            }
            let mut parts = text.split(':');
            let mut number = || parts.next()?.parse().ok();
            let (chain, block, log) = (number()?, number()?, number()?);
            let role = Role::named(parts.next()?)?;
            parts.next().is_none().then_some(Self::Log { chain, block, log, role })
        };
        read().ok_or_else(|| NotATradeId(text.to_owned()))
    }
}

/// A trade by its name, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Microseconds since 1970: the block's time, or the broker's.
    pub at: i64,
    /// Where.
    pub kind: TradeType,
    /// Which.
    pub id: TradeId,
}

/// One trade of ours.
///
/// - **Unit** shares; dollars.
/// - **Sign** none of `quantity`, `price` and `cash`: `side` says which way. A `fee` that was paid
///   is positive, a rebate negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// When, where and which.
    pub key: Key,
    /// What we did.
    pub side: Side,
    /// Shares, above zero.
    pub quantity: Shares,
    /// Dollars a share, as shown; `cash` is what counts.
    pub price: Price,
    /// Dollars that moved.
    pub cash: Usd,
    /// What it cost besides.
    pub fee: Usd,
    /// What an oracle said of the share then; none: it is not known.
    pub oracle: Option<Price>,
    /// What the order was sized by; none: it is not known.
    pub reference: Option<Price>,
}

/// What an open lot remembers of the trade that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When, where and which.
    pub key: Key,
    /// What an oracle said of the share then.
    pub oracle: Option<Price>,
}

/// What kind of profit a match is (`accounting.md` B.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Opened onchain, closed onchain.
    OnchainNetting,
    /// Opened onchain, closed at a broker within five minutes.
    CounterTrade,
    /// Opened at a broker, or closed there later.
    Directional,
}

/// How long after its opening a match still is a counter trade: microseconds.
const COUNTER_TRADE: i64 = 300_000_000;

impl Bucket {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OnchainNetting, Self::CounterTrade, Self::Directional];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OnchainNetting => "onchain_netting",
            Self::CounterTrade => "counter_trade",
            Self::Directional => "directional",
        }
    }

    /// Of a match between these two.
    pub fn of(opening: Key, closing: Key) -> Self {
        match (opening.kind, closing.kind) {
            (TradeType::Offchain, _) => Self::Directional,
            (TradeType::Onchain, TradeType::Onchain) => Self::OnchainNetting,
            (TradeType::Onchain, TradeType::Offchain) => {
                let late = closing.at.saturating_sub(opening.at) > COUNTER_TRADE;
                if late { Self::Directional } else { Self::CounterTrade }
            }
        }
    }
}

/// A match's profit in three: they add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// The fill against the oracle's price then.
    pub edge: Usd,
    /// The oracle's price then against what the hedge was sized by.
    pub drift: Usd,
    /// What the hedge was sized by against what it traded at.
    pub slippage: Usd,
}

/// One part of a lot, closed by one trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// What had opened it.
    pub opening: Key,
    /// What closed it.
    pub closing: Key,
    /// Shares.
    pub quantity: Shares,
    /// Dollars of the opening trade.
    pub opening_cash: Usd,
    /// Dollars of the closing trade.
    pub closing_cash: Usd,
    /// Sold less bought.
    pub pnl: Usd,
    /// What kind of profit.
    pub bucket: Bucket,
    /// What it is made of: of fills that a broker's trade closed, where oracle and reference are known.
    pub spread: Option<Spread>,
}

impl Match {
    /// Whether it is a fill that a broker's trade closed.
    pub fn hedges(&self) -> bool {
        (self.opening.kind, self.closing.kind) == (TradeType::Onchain, TradeType::Offchain)
    }

    /// Whole seconds from opening to closing.
    pub const fn elapsed_seconds(&self) -> i64 {
        self.closing.at.saturating_sub(self.opening.at) / 1_000_000
    }
}

/// Where a share's books stand after a trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What the trade earned; none: it closed nothing. Zero: it closed at cost.
    pub realized: Option<Usd>,
    /// What all trades so far earned; a flat position does not begin it anew.
    pub cumulative: Usd,
    /// The position: long is positive.
    pub net: Shares,
    /// What the open lots cost; negative where they are short.
    pub book_value: Usd,
    /// What all trades so far cost besides.
    pub fees: Usd,
}

/// The books of one share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The open lots.
    pub queue: Queue<Opening>,
    /// What all trades so far earned.
    pub cumulative: Usd,
    /// What all trades so far cost besides.
    pub fees: Usd,
}

impl Book {
    /// Takes in the next trade, and says where the books stand after it. What it closes is added to `matches`.
    ///
    /// # Errors
    ///
    /// The grid ends. Stop: the book is not to be used any more.
    pub fn trade(&mut self, trade: &Trade, matches: &mut Vec<Match>) -> Result<Figures, GridEnds> {
        let parcel = Parcel::whole(trade.quantity, trade.cash).ok_or(GridEnds)?;
        let opening = Opening { key: trade.key, oracle: trade.oracle };
        let mut realized = Some(None);
        self.queue.trade(trade.side, opening, parcel, |piece| {
            let pnl = piece.pnl(trade.side);
            realized = realized.and_then(|sum: Option<Usd>| sum.unwrap_or_default().plus(pnl).map(Some));
            let (opening, closing) = (piece.opening.key, trade.key);
            let hedges = (opening.kind, closing.kind) == (TradeType::Onchain, TradeType::Offchain);
            let prices = piece.opening.oracle.zip(trade.reference).filter(|_| hedges);
            matches.push(Match {
                opening,
                closing,
                quantity: piece.quantity,
                opening_cash: piece.opening_cash,
                closing_cash: piece.closing_cash,
                pnl,
                bucket: Bucket::of(opening, closing),
                spread: prices.and_then(|(oracle, reference)| {
                    let (o, h) = (piece.opening_cash, piece.closing_cash);
                    spread(trade.side, o, piece.quantity.at(oracle)?, piece.quantity.at(reference)?, h)
                }),
            });
        })?;
        let realized = realized.ok_or(GridEnds)?;
        self.cumulative = self.cumulative.plus(realized.unwrap_or_default()).ok_or(GridEnds)?;
        self.fees = self.fees.plus(trade.fee).ok_or(GridEnds)?;
        Ok(self.figures(realized))
    }

    /// Where the books stand.
    pub const fn figures(&self, realized: Option<Usd>) -> Figures {
        Figures {
            realized,
            cumulative: self.cumulative,
            net: self.queue.net(),
            book_value: self.queue.book_value(),
            fees: self.fees,
        }
    }
}

/// Onchain money, the same at the oracle's price, at the reference, and what the hedge came to.
fn spread(hedge: Side, onchain: Usd, oracle: Usd, reference: Usd, hedged: Usd) -> Option<Spread> {
    let difference = |from: Usd, to: Usd| match hedge {
        Side::Buy => from.minus(to),
        Side::Sell => to.minus(from),
    };
    Some(Spread {
        edge: difference(onchain, oracle)?,
        drift: difference(oracle, reference)?,
        slippage: difference(reference, hedged)?,
    })
}

/// What an open position is worth, and what of that is not realized yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valued {
    /// At the mark: a short one is negative.
    pub market: Usd,
    /// That less the book value.
    pub unrealized: Usd,
}

/// Values a position at a mark; what is flat needs none. None: there is no mark, or the grid ends.
pub fn valued(net: Shares, book_value: Usd, mark: Option<Price>) -> Option<Valued> {
    let market = if net == Shares::ZERO { Usd::ZERO } else { net.at(mark?)? };
    Some(Valued { market, unrealized: market.minus(book_value)? })
}

/// Dollars a share as shown, where only the cash is known: rounded half to even.
pub fn price_of(quantity: Shares, cash: Usd) -> Option<Price> {
    cash.0.portion(Amount::ONE, quantity.0).and_then(Price::of)
}
