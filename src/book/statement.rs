//! The statement of a New York day: what was earned, of what that is made, and that it ties out.
//!
//! A day's figures stand on their own: facts that came late for days before are shown as
//! `restated` in the day that they became known, and change nothing that was stated. What is
//! not known is absent, never zero; sums over something absent say so.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::pnl::{Bucket, Spread, valued};
use crate::units::{Price, Shares, Usd};

/// Kinds of `cash_flow` that are costs.
pub const COSTS: [&str; 7] =
    ["commission", "regulatory", "gas", "tokenization", "bridge", "interest", "other cost"];
/// Kinds of `cash_flow` that are income; a dividend owed by who is short is one below zero.
pub const INCOME: [&str; 4] = ["dividend", "nav accrual", "rebate", "interest earned"];

/// A price that open quantity is valued at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Dollars a share.
    pub price: Price,
    /// When it was true.
    pub as_of: Timestamp,
    /// Whose price: `close`, `quote`, …
    pub source: String,
    /// More than one session old: shown, and flagged.
    pub is_stale: bool,
}

/// A position at the end of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Shares: long is positive.
    pub net: Shares,
    /// What the open lots cost; negative where they are short.
    pub book_value: Usd,
    /// What it is valued at; none: no price is known.
    pub mark: Option<Mark>,
}

impl Standing {
    /// What it is worth; none without a mark. What is flat is worth nothing, at any mark.
    pub fn market(&self) -> Option<Usd> {
        self.valued().map(|valued| valued.market)
    }

    /// What of that is not realized; none without a mark.
    pub fn unrealized(&self) -> Option<Usd> {
        self.valued().map(|valued| valued.unrealized)
    }

    fn valued(&self) -> Option<super::pnl::Valued> {
        valued(self.net, self.book_value, self.mark.as_ref().map(|mark| mark.price))
    }
}

/// One share's day.
///
/// - **Unit** shares; dollars.
/// - **Sign** bought and sold have none; what is long, earned or received is positive, and so is a cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The share; none: cash that is of no one share.
    pub symbol: Option<String>,
    /// At the end of the day before, as it is known now.
    pub opening: Standing,
    /// At the end of the day.
    pub closing: Standing,
    /// How many trades.
    pub trades: u64,
    /// Shares and dollars bought.
    pub bought: (Shares, Usd),
    /// Shares and dollars sold.
    pub sold: (Shares, Usd),
    /// What matches earned, by kind of profit.
    pub realized: BTreeMap<Bucket, Usd>,
    /// What of that is parted into edge, drift and slippage.
    pub attributed: Usd,
    /// Those.
    pub spread: Spread,
    /// What it cost besides, by kind.
    pub costs: BTreeMap<String, Usd>,
    /// What came in besides, by kind.
    pub income: BTreeMap<String, Usd>,
    /// What days before earned more than they were stated to, learnt since.
    pub restated: Usd,
}

fn sum<'a>(parts: impl IntoIterator<Item = &'a Usd>) -> Option<Usd> {
    parts.into_iter().try_fold(Usd::ZERO, |sum, part| sum.plus(*part))
}

impl Line {
    /// What matches earned.
    pub fn realized(&self) -> Option<Usd> {
        sum(self.realized.values())
    }

    /// What it cost besides.
    pub fn costs(&self) -> Option<Usd> {
        sum(self.costs.values())
    }

    /// What came in besides.
    pub fn income(&self) -> Option<Usd> {
        sum(self.income.values())
    }

    /// How much more is not realized than the day before; none where a mark is missing.
    pub fn unrealized_change(&self) -> Option<Usd> {
        self.closing.unrealized()?.minus(self.opening.unrealized()?)
    }

    /// How much more the position is worth than the day before; none where a mark is missing.
    pub fn market_change(&self) -> Option<Usd> {
        self.closing.market()?.minus(self.opening.market()?)
    }

    /// What trades brought in cash: sold less bought.
    pub fn traded_cash(&self) -> Option<Usd> {
        self.sold.1.minus(self.bought.1)
    }

    /// Shares that came or went without a trade: splits and new names.
    pub fn actions(&self) -> Option<Shares> {
        self.closing.net.minus(self.opening.net)?.minus(self.bought.0)?.plus(self.sold.0)
    }

    /// Net P&L: realized and what more is not realized, less costs, with income; none where a mark is missing.
    pub fn net(&self) -> Option<Usd> {
        self.realized()?.plus(self.unrealized_change()?)?.minus(self.costs()?)?.plus(self.income()?)
    }

    /// The same counted the other way, from what the position is worth and what trades brought:
    /// equal to [`Self::net`] to the unit, or the books contradict themselves.
    pub fn tie_out(&self) -> Option<Usd> {
        self.market_change()?.plus(self.traded_cash()?)?.minus(self.costs()?)?.plus(self.income()?)
    }

    /// Whether both ways come to the same; what is not known ties out.
    pub fn ties_out(&self) -> bool {
        self.net() == self.tie_out()
    }
}

/// A lot that is open for longer than a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldLot {
    /// The share.
    pub symbol: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By which trade: `ONCHAIN:8453:41747644:12:order`.
    pub opening: String,
    /// Shares: long is positive.
    pub quantity: Shares,
    /// What they cost; negative where they are short.
    pub cost: Usd,
}

/// What a source said against what the books expect: from the last reconciliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// `vault`, `broker`, `hedge`, `cash`.
    pub leg: String,
    /// The share or coin.
    pub instrument: String,
    /// Reported less expected.
    pub residual: Shares,
    /// What of that nothing explains.
    pub unexplained: Shares,
    /// What that is worth; none: it has no price.
    pub value: Option<Usd>,
}

/// A break that lived on the day, as it was at the day's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayBreak {
    /// `vault`, `broker`, `hedge`, `cash`.
    pub leg: String,
    /// The share or coin.
    pub instrument: String,
    /// What it is taken for: `UNEXPLAINED`, `IN_FLIGHT_ORDER`, …
    pub class: String,
    /// `OPEN`, `EXPLAINED`, `RESOLVED`, …
    pub state: String,
    /// How much is between the source and the books.
    pub quantity: Shares,
    /// What that is worth; none: it has no price.
    pub value: Option<Usd>,
    /// Since when.
    pub since: Timestamp,
    /// It came up on this day.
    pub came: bool,
    /// It was resolved or written off on this day.
    pub is_over: bool,
}

/// How far something is known, for whoever relies on a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Of what: a kind of cost or income, `oracle prices`, `marks`, …
    pub of: String,
    /// Whether all of it is in, none, or some.
    pub state: Covered,
    /// How many observations are missing.
    pub missing: u64,
}

/// Whether all, none or some of it is in the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// All.
    Included,
    /// Some.
    Partial,
    /// None was ever read: the net is an upper bound.
    NotIngested,
}

impl Covered {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::Partial => "partial",
            Self::NotIngested => "not_ingested",
        }
    }
}

/// The statement of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The day in New York.
    pub date: Date,
    /// As of when this is what is known.
    pub known_at: Timestamp,
    /// A share each, by name; last what is of no one share.
    pub lines: Vec<Line>,
    /// Lots that are open for longer than a day, oldest first.
    pub old_lots: Vec<OldLot>,
    /// How many more such lots there are.
    pub more_lots: usize,
    /// What reconciliation found last; empty where it has not run.
    pub drift: Vec<Drift>,
    /// Breaks that came up, stood or were resolved on the day, those that need somebody first.
    pub breaks: Vec<DayBreak>,
    /// How far all this is known.
    pub coverage: Vec<Coverage>,
    /// Net P&L of the days before that were stated, oldest first.
    pub days: Vec<(Date, Usd)>,
}

/// A sum over lines, and how many of them are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Of what is known.
    pub usd: Usd,
    /// Lines of which it is not known.
    pub unknown: usize,
}

impl Statement {
    /// A figure over all lines.
    pub fn total(&self, figure: impl Fn(&Line) -> Option<Usd>) -> Total {
        self.lines.iter().fold(Total::default(), |total, line| {
            match figure(line).and_then(|usd| total.usd.plus(usd)) {
                Some(usd) => Total { usd, ..total },
                None => Total { unknown: total.unknown + 1, ..total },
            }
        })
    }

    /// How many breaks came up on the day, how many are over since, and how many stand at its end.
    pub fn broken(&self) -> (usize, usize, usize) {
        let count = |of: fn(&DayBreak) -> bool| self.breaks.iter().filter(|one| of(one)).count();
        (count(|one| one.came), count(|one| one.is_over), count(|one| !one.is_over))
    }

    /// Whether every line ties out.
    pub fn ties_out(&self) -> bool {
        self.lines.iter().all(Line::ties_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        Usd(text.parse().unwrap())
    }

    fn standing(net: &str, book_value: &str, mark: Option<&str>) -> Standing {
        Standing {
            net: Shares(net.parse().unwrap()),
            book_value: usd(book_value),
            mark: mark.map(|price| Mark {
                price: Price::of(price.parse().unwrap()).unwrap(),
                as_of: Timestamp::UNIX_EPOCH,
                source: "close".to_owned(),
                is_stale: false,
            }),
        }
    }

    /// The day of the earlier system's seven trades, from flat.
    fn day() -> Line {
        Line {
            symbol: Some("AAPL".to_owned()),
            closing: standing("0.4", "59", Some("147.40")),
            trades: 7,
            bought: (Shares("2.7".parse().unwrap()), usd("399.35")),
            sold: (Shares("2.3".parse().unwrap()), usd("343.8")),
            realized: BTreeMap::from([
                (Bucket::OnchainNetting, usd("0.55")),
                (Bucket::CounterTrade, usd("2.9")),
            ]),
            costs: BTreeMap::from([("gas".to_owned(), usd("0.02"))]),
            income: BTreeMap::from([("dividend".to_owned(), usd("0.1"))]),
            ..Line::default()
        }
    }

    #[test]
    fn a_day_is_the_same_counted_either_way() {
        let day = day();
        assert_eq!(day.net(), Some(usd("3.49")));
        assert_eq!(day.tie_out(), Some(usd("3.49")));
        assert_eq!(day.actions(), Some(Shares::ZERO));
        let wrong = Line { bought: (day.bought.0, usd("399.350000000000000001")), ..day };
        assert!(!wrong.ties_out());
    }

    #[test]
    fn without_a_mark_a_day_is_not_known_and_no_zero() {
        let unmarked = Line { closing: standing("0.4", "59", None), ..day() };
        assert_eq!((unmarked.net(), unmarked.realized()), (None, Some(usd("3.45"))));
        let flat = Line { opening: standing("0", "0", None), ..day() };
        assert_eq!(flat.net(), day().net());
        let statement = Statement {
            date: Date::default(),
            known_at: Timestamp::UNIX_EPOCH,
            lines: vec![day(), unmarked],
            old_lots: Vec::new(),
            more_lots: 0,
            drift: Vec::new(),
            breaks: Vec::new(),
            coverage: Vec::new(),
            days: Vec::new(),
        };
        assert_eq!(statement.total(Line::net), Total { usd: usd("3.49"), unknown: 1 });
        assert!(statement.ties_out());
    }
}
