//! What may explain a residual: evidence, by its class.
//!
//! Each piece stands on something with an id: a log, an order, a trade, an activity, an
//! announcement. That two amounts are equal is none. The classes are tried in their order,
//! and each piece is used once a run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Inconsistent,
    inputs::{Balance, Inputs, Kind, Leg, LogMove, Movement, Order, Trade},
    sum,
};
use crate::{book::activity::ActivityKind, time::end_of_new_york_date, units::Amount};

/// Why a source and our books differ, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    /// The source did not answer whole: its legs are not judged.
    SourceUnknown,
    /// A log of ours that the ledger lacks.
    MissingOnchainFill,
    /// A fill in the ledger whose block is not of the chain.
    ReorgedFill,
    /// The ledger has one thing twice.
    DuplicateInLedger,
    /// An open order of ours filled more than is booked.
    InFlightOrder,
    /// A trade of a closed order of ours that is not booked.
    MissingBrokerFill,
    /// The same trade, another quantity.
    Quantity,
    /// The same trade and quantity, other cash.
    PriceOrCash,
    /// A fee or interest that is not booked yet.
    FeeTiming,
    /// On its way from one place to another.
    TransferInFlight,
    /// A split, a rename, a dividend.
    CorporateAction,
    /// A wrapper's ratio rose.
    NavAccrual,
    /// Somebody else acted in the account.
    ExternalActivity,
    /// Nothing with an id explains it.
    Unexplained,
}

impl Class {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::SourceUnknown,
        Self::MissingOnchainFill,
        Self::ReorgedFill,
        Self::DuplicateInLedger,
        Self::InFlightOrder,
        Self::MissingBrokerFill,
        Self::Quantity,
        Self::PriceOrCash,
        Self::FeeTiming,
        Self::TransferInFlight,
        Self::CorporateAction,
        Self::NavAccrual,
        Self::ExternalActivity,
        Self::Unexplained,
    ];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SourceUnknown => "SOURCE_UNKNOWN",
            Self::MissingOnchainFill => "MISSING_ONCHAIN_FILL",
            Self::ReorgedFill => "REORGED_FILL",
            Self::DuplicateInLedger => "DUPLICATE_IN_LEDGER",
            Self::InFlightOrder => "IN_FLIGHT_ORDER",
            Self::MissingBrokerFill => "MISSING_BROKER_FILL",
            Self::Quantity => "QUANTITY",
            Self::PriceOrCash => "PRICE_OR_CASH",
            Self::FeeTiming => "FEE_TIMING",
            Self::TransferInFlight => "TRANSFER_IN_FLIGHT",
            Self::CorporateAction => "CORPORATE_ACTION",
            Self::NavAccrual => "NAV_ACCRUAL",
            Self::ExternalActivity => "EXTERNAL_ACTIVITY",
            Self::Unexplained => "UNEXPLAINED",
        }
    }

    /// The one named by a column.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// The word once its deadline has passed.
    pub fn stuck(self) -> String {
        // In flight and stuck is no word.
        let word = self.word().strip_suffix("_IN_FLIGHT").unwrap_or(self.word());
        if self == Self::Unexplained { word.to_owned() } else { format!("{word}_STUCK") }
    }
}

/// How it is known that a piece of evidence belongs to the residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Both sides name the same thing, or only one has it: what differs is known to the last digit.
    Named,
    /// All places that it touches must bear it out, or it explains none.
    EveryLeg,
    /// It must be exactly what is left.
    Exact,
}

/// One piece of evidence, and what it would explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) class: Class,
    /// What it rests on; the first names it.
    pub(super) refs: Vec<String>,
    /// Reported less booked, that it accounts for, by place; the first is where the break stands.
    pub(super) moves: Vec<Balance>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) proof: Proof,
    pub(super) detail: String,
    order: (Timestamp, String),
}

/// Everything that may explain something, in the order in which it is tried.
pub(super) fn evidence(inputs: &Inputs) -> Result<Vec<Evidence>, Inconsistent> {
    let mut found = Vec::new();
    for log in &inputs.missing {
        found.push(of_log(inputs, log, Class::MissingOnchainFill, log.moves.clone()));
    }
    for log in &inputs.stray {
        found.push(of_log(inputs, log, Class::ReorgedFill, negated(&log.moves)));
    }
    of_orders(inputs, &mut found)?;
    for movement in &inputs.movements {
        found.push(of_movement(inputs, movement));
    }
    of_announcements(inputs, &mut found)?;
    for transfer in &inputs.transfers {
        let leg = Leg::new(Kind::Transit, transfer.id.clone(), transfer.instrument.clone());
        found.push(Evidence {
            class: Class::TransferInFlight,
            refs: vec![format!("transfer/{}", transfer.id)],
            moves: vec![Balance { leg, amount: transfer.quantity }],
            deadline: Some(transfer.deadline),
            proof: Proof::Named,
            detail: format!("{} {} under way", transfer.quantity, transfer.instrument),
            order: (inputs.at, transfer.id.clone()),
        });
    }
    for ratio in &inputs.ratios {
        let accrued = accrual(ratio.held, ratio.was.0, ratio.is.0)?;
        let leg = Leg::new(Kind::Wrapper, format!("{}/{}", ratio.source, ratio.token), ratio.symbol.clone());
        found.push(Evidence {
            class: Class::NavAccrual,
            refs: vec![format!("ratio/{}/{}-{}", ratio.token, ratio.was.1, ratio.is.1)],
            moves: vec![Balance { leg, amount: accrued }],
            deadline: None,
            proof: Proof::Named,
            detail: format!("{} tokens at {}, {} before", ratio.held, ratio.is.0, ratio.was.0),
            order: (inputs.at, ratio.token.clone()),
        });
    }
    found.retain(|piece| piece.moves.iter().any(|one| !one.amount.is_zero()));
    found.retain(|piece| !piece.refs.iter().any(|name| inputs.settled.contains(name)));
    found.sort_by(|one, other| (one.class, &one.order).cmp(&(other.class, &other.order)));
    Ok(found)
}

/// What the tokens held are worth more than before, in underlying shares; each conversion is cut.
pub(super) fn accrual(held: Amount, was: Amount, is: Amount) -> Result<Amount, Inconsistent> {
    let (before, after) = (held.times_toward_zero(was), held.times_toward_zero(is));
    before.zip(after).and_then(|(before, after)| after.minus(before)).ok_or_else(Inconsistent::grid)
}

fn negated(moves: &[Balance]) -> Vec<Balance> {
    let other = |one: &Balance| Balance { leg: one.leg.clone(), amount: one.amount.negated() };
    moves.iter().map(other).collect()
}

fn of_log(inputs: &Inputs, log: &LogMove, class: Class, moves: Vec<Balance>) -> Evidence {
    Evidence {
        class,
        refs: vec![log.id.clone()],
        moves,
        // It is booked, or taken back, at once.
        deadline: Some(inputs.at),
        proof: Proof::EveryLeg,
        detail: format!("{} in block {}", log.said, log.block),
        order: (
            Timestamp::from_second(i64::try_from(log.block).unwrap_or(0)).unwrap_or_default(),
            log.id.clone(),
        ),
    }
}

/// The same of shares and cash in one account.
fn at_broker(account: &str, symbol: &str, quantity: Amount, cash: Amount) -> Vec<Balance> {
    let shares = Balance { leg: Leg::new(Kind::Broker, account, symbol), amount: quantity };
    let cash = Balance { leg: Leg::new(Kind::Cash, account, "USD"), amount: cash };
    let mut moves = vec![shares, cash];
    moves.retain(|one| !one.amount.is_zero());
    moves
}

/// How long an order may be ahead of our books.
const IN_FLIGHT: SignedDuration = SignedDuration::from_mins(15);

/// Our orders and everybody's trades: what the broker has and we have not, order by order.
fn of_orders(inputs: &Inputs, found: &mut Vec<Evidence>) -> Result<(), Inconsistent> {
    let mut whose: BTreeMap<(&str, &str), &Order> = BTreeMap::new();
    for order in &inputs.orders {
        whose.extend(order.broker_ids.iter().map(|id| ((order.account.as_str(), id.as_str()), order)));
    }
    let order_of = |trade: &Trade| {
        trade.order.as_deref().and_then(|id| whose.get(&(trade.account.as_str(), id))).copied()
    };
    let told: BTreeMap<(&str, &str), &Trade> =
        inputs.told.iter().map(|trade| ((trade.account.as_str(), trade.id.as_str()), trade)).collect();

    // One natural key is one trade: what the ledger has of it besides is there twice.
    let mut listed: BTreeMap<(&str, &str), Vec<&Trade>> = BTreeMap::new();
    for trade in &inputs.told {
        if let Some(order) = order_of(trade) {
            listed.entry((order.account.as_str(), order.id.as_str())).or_default().push(trade);
        }
    }
    let mut known: BTreeMap<(&str, &str), &Trade> = BTreeMap::new();
    let mut of_order: BTreeMap<(&str, &str), Vec<&Trade>> = BTreeMap::new();
    for trade in &inputs.trades {
        let key = (trade.account.as_str(), trade.id.as_str());
        if known.insert(key, trade).is_some() {
            let nth = found.iter().filter(|piece| piece.class == Class::DuplicateInLedger).count();
            found.push(twice(inputs, trade, nth));
        } else if let Some(order) = order_of(trade).filter(|_| trade.ours) {
            of_order.entry((order.account.as_str(), order.id.as_str())).or_default().push(trade);
        }
    }
    for order in &inputs.orders {
        let key = (order.account.as_str(), order.id.as_str());
        let booked = of_order.remove(&key).unwrap_or_default();
        let listed = listed.remove(&key).unwrap_or_default();
        of_order_of_ours(inputs, order, &booked, &listed, &told, found)?;
    }
    // The rest of both lists is of nobody here.
    let mut seen = BTreeSet::new();
    for trade in inputs.trades.iter().filter(|trade| !trade.ours).chain(&inputs.told) {
        let key = (trade.account.as_str(), trade.id.as_str());
        let is_ours = order_of(trade).is_some() || known.get(&key).is_some_and(|known| known.ours);
        if is_ours || !seen.insert(key) {
            continue;
        }
        found.push(Evidence {
            class: Class::ExternalActivity,
            refs: vec![format!("execution/{}/{}", trade.account, trade.id)],
            moves: at_broker(&trade.account, &trade.symbol, trade.quantity, trade.cash),
            deadline: Some(end_of_new_york_date(inputs.calendar.after(inputs.date, 1))),
            proof: Proof::Named,
            detail: format!("{} {} at {}, of no order of ours", trade.quantity, trade.symbol, trade.account),
            order: (trade.at, trade.id.clone()),
        });
    }
    Ok(())
}

fn twice(inputs: &Inputs, trade: &Trade, nth: usize) -> Evidence {
    let mut name = format!("execution/{}/{}/twice", trade.account, trade.id);
    if nth > 0 {
        name = format!("{name}/{nth}");
    }
    Evidence {
        class: Class::DuplicateInLedger,
        refs: vec![name],
        moves: at_broker(&trade.account, &trade.symbol, trade.quantity.negated(), trade.cash.negated()),
        deadline: Some(inputs.at),
        proof: Proof::Named,
        detail: format!("trade {} is booked twice", trade.id),
        order: (trade.at, trade.id.clone()),
    }
}

fn of_order_of_ours(
    inputs: &Inputs,
    order: &Order,
    booked: &[&Trade],
    listed: &[&Trade],
    told: &BTreeMap<(&str, &str), &Trade>,
    found: &mut Vec<Evidence>,
) -> Result<(), Inconsistent> {
    let mut put = |class, refs: Vec<String>, quantity, cash, deadline, detail, at: Timestamp| {
        let id = refs.first().cloned().unwrap_or_default();
        found.push(Evidence {
            class,
            refs,
            moves: at_broker(&order.account, &order.symbol, quantity, cash),
            deadline: Some(deadline),
            proof: Proof::Named,
            detail,
            order: (at, id),
        });
    };
    let today = end_of_new_york_date(inputs.date);
    let is_told_whole = inputs.told_whole.contains(&order.account);
    let name = format!("order/{}/{}", order.account, order.id);
    let total = |trades: &[&Trade]| {
        trades.iter().try_fold((Amount::ZERO, Amount::ZERO), |(quantity, cash), trade| {
            Ok((sum(quantity, trade.quantity)?, sum(cash, trade.cash)?))
        })
    };
    let unlisted: Vec<&Trade> = booked
        .iter()
        .filter(|trade| !told.contains_key(&(trade.account.as_str(), trade.id.as_str())))
        .copied()
        .collect();

    // The same trade under two ids, of which the broker has one.
    let mut copies: Vec<&str> = Vec::new();
    for trade in unlisted.iter().filter(|_| is_told_whole) {
        let is_twin = |other: &&&Trade| {
            other.id != trade.id
                && (other.quantity, other.cash, other.at) == (trade.quantity, trade.cash, trade.at)
                && !copies.contains(&other.id.as_str())
        };
        if booked.iter().any(|other| is_twin(&other)) {
            copies.push(&trade.id);
            let refs = vec![format!("execution/{}/{}/twice", trade.account, trade.id), name.clone()];
            let detail = format!("order {} has one trade twice, the second as {}", order.id, trade.id);
            put(
                Class::DuplicateInLedger,
                refs,
                trade.quantity.negated(),
                trade.cash.negated(),
                inputs.at,
                detail,
                trade.at,
            );
        }
    }
    let booked: Vec<&Trade> =
        booked.iter().filter(|trade| !copies.contains(&trade.id.as_str())).copied().collect();
    let held = |id: &str| booked.iter().find(|trade| trade.id == id);

    // Trades under one id on both sides.
    for trade in listed {
        let Some(ours) = held(&trade.id) else { continue };
        let quantity = sum(trade.quantity, ours.quantity.negated())?;
        let cash = sum(trade.cash, ours.cash.negated())?;
        let refs = vec![format!("execution/{}/{}", trade.account, trade.id), name.clone()];
        if !quantity.is_zero() {
            let detail =
                format!("trade {} is {} there, {} in the books", trade.id, trade.quantity, ours.quantity);
            put(Class::Quantity, refs, quantity, cash, today, detail, trade.at);
        } else if !cash.is_zero() {
            let detail = format!("trade {} moved {} there, {} in the books", trade.id, trade.cash, ours.cash);
            put(Class::PriceOrCash, refs, Amount::ZERO, cash, today, detail, trade.at);
        }
    }
    // Trades that only the broker has.
    let absent: Vec<&Trade> = listed.iter().filter(|trade| held(&trade.id).is_none()).copied().collect();
    if !absent.is_empty() {
        let (quantity, cash) = total(&absent)?;
        if order.open {
            let refs = std::iter::once(name)
                .chain(absent.iter().map(|trade| format!("execution/{}/{}", trade.account, trade.id)));
            let detail = format!("order {} is ahead of the books by {quantity}", order.id);
            let deadline = order.since.checked_add(IN_FLIGHT).unwrap_or(inputs.at);
            put(Class::InFlightOrder, refs.collect(), quantity, cash, deadline, detail, order.since);
        } else {
            let deadline = inputs.at.checked_add(IN_FLIGHT).unwrap_or(inputs.at);
            for trade in absent {
                let refs = vec![format!("execution/{}/{}", trade.account, trade.id)];
                let detail = format!("trade {} of order {} is not in the books", trade.id, order.id);
                put(Class::MissingBrokerFill, refs, trade.quantity, trade.cash, deadline, detail, trade.at);
            }
        }
        return Ok(());
    }
    // Where the broker lists no trades, its orders still say how much was filled.
    if let Some(filled) = order.filled.filter(|_| !is_told_whole) {
        let (quantity, _) = total(&booked)?;
        if let Some((class, more, deadline)) = by_total(inputs, order, filled, quantity)? {
            let detail = format!("order {} filled {filled} there, {quantity} in the books", order.id);
            put(class, vec![name], more, Amount::ZERO, deadline, detail, order.since);
        }
    }
    Ok(())
}

/// What an order filled there more than is booked of it, by the two totals alone.
fn by_total(
    inputs: &Inputs,
    order: &Order,
    filled: Amount,
    booked: Amount,
) -> Result<Option<(Class, Amount, Timestamp)>, Inconsistent> {
    let more = sum(filled, booked.negated())?;
    let remaining = sum(order.quantity, booked.negated())?;
    let is_ahead = more.is_negative() == order.quantity.is_negative() && more.abs() <= remaining.abs();
    let soon = |from: Timestamp| from.checked_add(IN_FLIGHT).unwrap_or(inputs.at);
    Ok(if more.is_zero() {
        None
    } else if order.open && is_ahead {
        Some((Class::InFlightOrder, more, soon(order.since)))
    } else if booked.is_zero() {
        Some((Class::MissingBrokerFill, more, soon(inputs.at)))
    } else {
        Some((Class::Quantity, more, end_of_new_york_date(inputs.date)))
    })
}

fn of_movement(inputs: &Inputs, movement: &Movement) -> Evidence {
    let next_day = end_of_new_york_date(inputs.calendar.after(movement.date.max(inputs.date), 1));
    let (class, deadline) = match movement.activity() {
        _ if movement.transfer.is_some() => (Class::TransferInFlight, next_day),
        ActivityKind::Commission | ActivityKind::Regulatory | ActivityKind::Interest => {
            (Class::FeeTiming, next_day)
        }
        ActivityKind::Dividend | ActivityKind::Split | ActivityKind::Rename => {
            (Class::CorporateAction, next_day)
        }
        ActivityKind::Cash | ActivityKind::Shares | ActivityKind::Other => {
            (Class::ExternalActivity, next_day)
        }
    };
    let symbol = movement.symbol.as_deref().unwrap_or("?");
    Evidence {
        class,
        refs: vec![format!("activity/{}/{}", movement.account, movement.id)],
        moves: at_broker(&movement.account, symbol, movement.quantity, movement.cash),
        deadline: Some(deadline),
        proof: Proof::Named,
        detail: format!("{} {} of {}", movement.kind, movement.id, movement.date),
        order: (end_of_new_york_date(movement.date), movement.id.clone()),
    }
}

/// Announced splits that no activity tells of: they explain what they come to exactly, or nothing.
fn of_announcements(inputs: &Inputs, found: &mut Vec<Evidence>) -> Result<(), Inconsistent> {
    for action in &inputs.announced {
        for held in inputs.booked.iter().filter(|held| {
            held.leg.kind == Kind::Broker
                && held.leg.instrument == action.symbol
                && action.ex_date <= inputs.date
        }) {
            let is_told = inputs.movements.iter().any(|movement| {
                movement.activity() == ActivityKind::Split
                    && movement.account == held.leg.account
                    && movement.symbol.as_ref() == Some(&action.symbol)
                    && movement.date >= action.ex_date
            });
            let Some(after) = held.amount.portion(action.new, action.old) else {
                return Err(Inconsistent::grid());
            };
            if is_told {
                continue;
            }
            found.push(Evidence {
                class: Class::CorporateAction,
                refs: vec![format!("action/{}/{}", action.id, held.leg.account)],
                moves: vec![Balance { leg: held.leg.clone(), amount: sum(after, held.amount.negated())? }],
                deadline: Some(end_of_new_york_date(inputs.calendar.after(inputs.date, 1))),
                proof: Proof::Exact,
                detail: format!("split {} for {} of {}", action.new, action.old, action.ex_date),
                order: (end_of_new_york_date(action.ex_date), action.id.clone()),
            });
        }
    }
    Ok(())
}
