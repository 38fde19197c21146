//! What one reconciliation looks at: every source at its own cut, the ledger as it was then,
//! and all that may explain a difference.
//!
//! It is kept as it is, so that a run can be judged again without anybody outside.
//! Amounts are signed: what a place has, gains or is owed is positive.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    book::activity::ActivityKind,
    time::nyse,
    units::{Amount, Price},
};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Tokens in a vault on chain, in whole tokens.
    Vault,
    /// Tokens in a wallet on chain, in whole tokens.
    Wallet,
    /// Shares at a broker, by trade date.
    Broker,
    /// Dollars at a broker.
    Cash,
    /// What left one place and has not come to the other.
    Transit,
    /// Underlying shares that the wrapped tokens held are worth, at the wrapper's ratio.
    Wrapper,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Vault, Self::Wallet, Self::Broker, Self::Cash, Self::Transit, Self::Wrapper];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::Wallet => "wallet",
            Self::Broker => "broker",
            Self::Cash => "cash",
            Self::Transit => "transit",
            Self::Wrapper => "wrapper",
        }
    }

    /// The one named by a column.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One place and one instrument in it: what a source says of it is held against our books.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Leg {
    /// What is compared.
    pub kind: Kind,
    /// Where: the source's name, and behind a slash what in it.
    pub account: String,
    /// Of what: a ticker, `USDC`, `USD`.
    pub instrument: String,
}

impl Leg {
    /// A leg.
    pub fn new(kind: Kind, account: impl Into<String>, instrument: impl Into<String>) -> Self {
        Self { kind, account: account.into(), instrument: instrument.into() }
    }

    /// The source that speaks of it.
    pub fn source(&self) -> &str {
        self.account.split('/').next().unwrap_or_default()
    }

    /// Whether it counts dollars, or what is taken for one.
    pub fn is_cash(&self) -> bool {
        matches!(self.instrument.as_str(), "USD" | "USDC")
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.word(), self.account, self.instrument)
    }
}

/// How a source was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Whole, and nothing moved meanwhile: what is not in it is nought.
    Whole,
    /// Not at all, not whole, or nobody knows of which moment: nothing of it is judged.
    Unknown(String),
}

/// The moment at which a source speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The source's name.
    pub source: String,
    /// Taken before the question was sent; of a chain, the time of its block.
    pub at: Timestamp,
    /// Of a chain: the block that all was read at, and its hash.
    pub block: Option<(u64, String)>,
    /// How it was read.
    pub answer: Answer,
}

/// How much a place has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Balance {
    /// Where, of what.
    pub leg: Leg,
    /// How much.
    pub amount: Amount,
}

/// What one log does to the places it touches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogMove {
    /// The height of its block.
    pub block: u64,
    /// Chain, transaction and index: the log's natural key.
    pub id: String,
    /// Each place, and what it gains.
    pub moves: Vec<Balance>,
    /// In words: `SELL 0.5 AAPL for 73.75`.
    pub said: String,
}

/// An order of ours, as the broker has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// The account it is in.
    pub account: String,
    /// What people know it by.
    pub id: String,
    /// The broker's ids of it.
    pub broker_ids: Vec<String>,
    /// The ticker.
    pub symbol: String,
    /// Shares asked for, signed: a buy is positive.
    pub quantity: Amount,
    /// Shares filled so far, signed, as the broker says; none where it does not.
    pub filled: Option<Amount>,
    /// Whether it may still fill.
    pub open: bool,
    /// When it was accepted, or sent.
    pub since: Timestamp,
}

/// A trade at a broker: as our books have it, or as the broker tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trade {
    /// The account it is in.
    pub account: String,
    /// When.
    pub at: Timestamp,
    /// The broker's own id of it.
    pub id: String,
    /// The broker's id of its order.
    pub order: Option<String>,
    /// Whether the books have it as one of ours.
    pub ours: bool,
    /// The ticker.
    pub symbol: String,
    /// Shares, signed.
    pub quantity: Amount,
    /// Dollars, signed, without fees.
    pub cash: Amount,
}

/// A movement in an account that is no trade, as the broker tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Movement {
    /// The account it is in.
    pub account: String,
    /// The day that it counts for.
    pub date: Date,
    /// The broker's own id of it.
    pub id: String,
    /// What it is, in our words.
    pub kind: String,
    /// The ticker, where it is of one share.
    pub symbol: Option<String>,
    /// Shares, signed.
    pub quantity: Amount,
    /// Dollars, signed.
    pub cash: Amount,
    /// The transfer of ours that it belongs to, where one is known.
    pub transfer: Option<String>,
}

impl Movement {
    /// What it is, where the word is one of ours.
    pub fn activity(&self) -> ActivityKind {
        let known = ActivityKind::ALL.into_iter().find(|kind| kind.word() == self.kind);
        known.unwrap_or(ActivityKind::Other)
    }
}

/// Something of ours on its way: booked out of one place, not yet into the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id: a mint, a redemption, a bridge's nonce, a deposit.
    pub id: String,
    /// What it is of.
    pub instrument: String,
    /// How much is under way.
    pub quantity: Amount,
    /// Until when it should have arrived.
    pub deadline: Timestamp,
}

/// A split that is announced and not in the books.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Announced {
    /// The source's own id.
    pub id: String,
    /// The ticker.
    pub symbol: String,
    /// The first day that trades are of the new kind.
    pub ex_date: Date,
    /// So many new shares …
    pub new: Amount,
    /// … for so many old ones.
    pub old: Amount,
}

/// A wrapper's ratio, at the last cut and at this one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ratio {
    /// The source whose chain it is on.
    pub source: String,
    /// The wrapper's address.
    pub token: String,
    /// The ticker of what it wraps.
    pub symbol: String,
    /// Wrapped tokens held, at this cut.
    pub held: Amount,
    /// Underlying shares for one token, at the last cut, and its block.
    pub was: (Amount, u64),
    /// The same at this cut.
    pub is: (Amount, u64),
}

/// A sum that must come out, whichever way it is counted: where not, the ledger contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// Of what.
    pub of: String,
    /// What is held, by place.
    pub held: Vec<(String, Amount)>,
    /// What it comes from: opening, what came from outside, trades, corporate actions, accrual.
    pub owed: Vec<(String, Amount)>,
    /// How far the two may be apart: a unit of 1e-18 for each cut conversion.
    pub tolerance: Amount,
}

/// What is not hedged of a share, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The ticker.
    pub symbol: String,
    /// Signed fills and executions, and what was stated: long is positive.
    pub net: Amount,
    /// What open hedge orders would still do to it.
    pub pending: Amount,
    /// From how many shares on it is hedged.
    pub threshold: Amount,
    /// Why it is not hedged now, and since when.
    pub why: Option<(String, Timestamp)>,
    /// Since when the oldest of it is open.
    pub oldest: Option<Timestamp>,
    /// What it is made of, oldest first: which fill, how many shares.
    pub parts: Vec<(String, Amount)>,
}

/// A price to value a residual at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The ticker.
    pub symbol: String,
    /// Dollars a share.
    pub price: Price,
}

/// Which days the exchange is open on: its rules, and what a calendar says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Days that are closed though no rule says so.
    pub closed: BTreeSet<Date>,
    /// Days that are open though a rule closes them.
    pub open: BTreeSet<Date>,
}

impl Calendar {
    /// Is it a business day?
    pub fn is_open(&self, date: Date) -> bool {
        self.open.contains(&date) || (nyse::is_trading_day(date) && !self.closed.contains(&date))
    }

    /// The business day so many after `date`.
    pub fn after(&self, date: Date, days: usize) -> Date {
        let following = std::iter::successors(date.tomorrow().ok(), |day| day.tomorrow().ok());
        // No run of closed days is anywhere near that long.
        let mut open = following.take(30 + 4 * days).filter(|day| self.is_open(*day));
        if days == 0 { date } else { open.nth(days - 1).unwrap_or(date) }
    }

    /// How many business days lie after `from`, up to `to` and with it.
    pub fn between(&self, from: Date, to: Date) -> usize {
        let following = std::iter::successors(from.tomorrow().ok(), |day| day.tomorrow().ok());
        following.take_while(|day| *day <= to).filter(|day| self.is_open(*day)).count()
    }
}

/// All that one reconciliation looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The name of this installation: it stands in the key of every break.
    pub environment: String,
    /// The business date.
    pub date: Date,
    /// When the run looked.
    pub at: Timestamp,
    /// Where each source was cut.
    pub cuts: Vec<Cut>,
    /// What sources say.
    pub reported: Vec<Balance>,
    /// What of a broker's cash has not settled: it is in what is reported, and no break.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<Balance>,
    /// Transfers of cash that brokers speak of and have not booked: no evidence, they have no id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Balance>,
    /// What our books say, each at its source's cut.
    pub booked: Vec<Balance>,
    /// Logs of ours up to the cut that the ledger lacks.
    pub missing: Vec<LogMove>,
    /// Logs in the ledger whose block is not of the chain.
    pub stray: Vec<LogMove>,
    /// Orders of ours in the window.
    pub orders: Vec<Order>,
    /// Trades in the ledger, in the window.
    pub trades: Vec<Trade>,
    /// Trades that brokers tell of, in the window.
    pub told: Vec<Trade>,
    /// Accounts whose trades were told whole.
    pub told_whole: BTreeSet<String>,
    /// How many trades of ours are in an account's balance: brokers round the cash of each.
    pub rounded: BTreeMap<String, u64>,
    /// Movements that brokers tell of, in the window.
    pub movements: Vec<Movement>,
    /// Evidence that is in the ledger already: it explains nothing any more.
    pub settled: BTreeSet<String>,
    /// What is under way.
    pub transfers: Vec<Transfer>,
    /// Splits that are announced and not in the books.
    pub announced: Vec<Announced>,
    /// Wrappers' ratios.
    pub ratios: Vec<Ratio>,
    /// Sums that must come out.
    pub identities: Vec<Identity>,
    /// What another part of the books has found against them: no sum that could be made here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// Vaults of ours that the configuration's list lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlisted: Vec<Leg>,
    /// What is not hedged.
    pub positions: Vec<Position>,
    /// Prices.
    pub marks: Vec<Mark>,
    /// Business days.
    pub calendar: Calendar,
}

impl Inputs {
    /// With nothing to look at.
    pub fn new(environment: &str, date: Date, at: Timestamp) -> Self {
        Self {
            environment: environment.to_owned(),
            date,
            at,
            cuts: Vec::new(),
            reported: Vec::new(),
            unsettled: Vec::new(),
            pending: Vec::new(),
            booked: Vec::new(),
            missing: Vec::new(),
            stray: Vec::new(),
            orders: Vec::new(),
            trades: Vec::new(),
            told: Vec::new(),
            told_whole: BTreeSet::new(),
            rounded: BTreeMap::new(),
            movements: Vec::new(),
            settled: BTreeSet::new(),
            transfers: Vec::new(),
            announced: Vec::new(),
            ratios: Vec::new(),
            identities: Vec::new(),
            doubts: Vec::new(),
            unlisted: Vec::new(),
            positions: Vec::new(),
            marks: Vec::new(),
            calendar: Calendar::default(),
        }
    }

    /// In the one order that counts: what is the same comes to the same digest.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.cuts.sort_by(|one, other| one.source.cmp(&other.source));
        self.reported.sort();
        self.unsettled.sort();
        self.pending.sort();
        self.booked.sort();
        self.missing.sort();
        self.stray.sort();
        self.orders.sort();
        self.trades.sort();
        self.told.sort();
        self.movements.sort();
        self.transfers.sort();
        self.announced.sort();
        self.ratios.sort();
        self.identities.sort();
        self.unlisted.sort();
        self.positions.sort();
        self.marks.sort();
        self
    }
}
