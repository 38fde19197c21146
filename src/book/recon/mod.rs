//! Reconciliation: our books against what brokers and chains say, each at its own cut.
//!
//! - [`inputs`]: what one run looks at
//! - [`explain`]: what may explain a difference, by class
//! - [`breaks`]: what becomes of a difference over runs
//!
//! What is always true here: a residual is what is explained and what is not, to the last
//! digit; nothing is explained without an id; equal inputs come to equal findings. Nothing
//! is mended here: what the ledger lacks is named, for others to book.

pub mod breaks;
#[cfg(test)]
mod examples;
pub mod explain;
pub mod inputs;

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, keccak256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::units::{Amount, Price, Shares, Usd};
use breaks::Sighting;
use explain::{Class, Evidence, Proof};
use inputs::{Answer, Balance, Inputs, Kind, Leg, Trade};

/// One place, judged.
///
/// - **Unit** whole tokens, shares or dollars, as the leg's.
/// - **Sign** of `residual`: reported less expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Which place, and of what.
    pub leg: Leg,
    /// What our books say.
    pub expected: Amount,
    /// What the source says.
    pub reported: Amount,
    /// What of that has not settled, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<Amount>,
    /// What is between them.
    pub residual: Amount,
    /// What of it has evidence.
    pub explained: Amount,
    /// What of it has none.
    pub unexplained: Amount,
    /// Dollars each, where a mark is known.
    pub price: Option<Price>,
    /// What may have to do with what is unexplained, likeliest first: nothing of it is subtracted.
    pub candidates: Vec<String>,
}

/// A part of one place's residual, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Which place.
    pub leg: Leg,
    /// Why.
    pub class: Class,
    /// How much of the residual.
    pub amount: Amount,
    /// What it rests on: ids of logs, orders, trades, activities.
    pub refs: Vec<String>,
    /// Until when it should be gone.
    pub deadline: Option<Timestamp>,
    /// In words.
    pub detail: String,
    /// Within what brokers round: nobody's break.
    pub tolerated: bool,
}

/// How much of a share stands open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// The ticker.
    pub symbol: String,
    /// Position, long is positive.
    pub net: Amount,
    /// What open orders would still do.
    pub pending: Amount,
    /// What is left when they have.
    pub left: Amount,
    /// What that is worth, where a mark is known.
    pub value: Option<Usd>,
    /// Whether that is less than it is hedged from.
    pub within: bool,
    /// Why it is not hedged, and since when.
    pub why: Option<(String, Timestamp)>,
    /// Since when the oldest of it is open.
    pub oldest: Option<Timestamp>,
    /// What it is made of, oldest first.
    pub parts: Vec<(String, Amount)>,
}

impl Exposed {
    /// Whether it is as it should be, or it is known why not.
    pub const fn is_accounted_for(&self) -> bool {
        self.within || self.why.is_some()
    }
}

/// What one reconciliation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Every place that could be judged, in order.
    pub legs: Vec<Judged>,
    /// Sources that could not be, and why.
    pub unknown: Vec<(String, String)>,
    /// What explains the residuals.
    pub explanations: Vec<Explanation>,
    /// What stands open of each share.
    pub exposed: Vec<Exposed>,
    /// What is to be followed until it is gone.
    pub sightings: Vec<Sighting>,
    /// Vaults of ours that the configuration's list lacks: somebody looks whose they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlisted: Vec<Leg>,
    /// Logs that the ledger lacks: to be read again.
    pub missing: Vec<(String, u64)>,
    /// Logs in the ledger that the chain does not have.
    pub stray: Vec<(String, u64)>,
}

impl Findings {
    /// Whether all could be judged.
    pub const fn is_complete(&self) -> bool {
        self.unknown.is_empty()
    }

    /// What is left after all explanations, in how many places.
    pub fn unexplained(&self) -> usize {
        self.legs.iter().filter(|leg| !leg.unexplained.is_zero()).count()
    }
}

/// The ledger contradicts itself: nothing is judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger contradicts itself: {}", .0.join("; "))]
pub struct Inconsistent(pub Vec<String>);

impl Inconsistent {
    fn grid() -> Self {
        Self(vec!["a sum leaves the grid that books are kept on".to_owned()])
    }
}

fn sum(one: Amount, other: Amount) -> Result<Amount, Inconsistent> {
    one.plus(other).ok_or_else(Inconsistent::grid)
}

/// The digest of inputs or findings: equal where they are equal.
pub fn digest(of: &impl Serialize) -> B256 {
    // Nothing here has a key that is no text, the only thing that can fail.
    keccak256(serde_json::to_vec(of).unwrap_or_default())
}

/// Judges every place that was read whole.
///
/// # Errors
/// The ledger contradicts itself: stop, publish nothing.
pub fn judge(inputs: &Inputs) -> Result<Findings, Inconsistent> {
    prove(inputs)?;
    let mut books = Books::open(inputs)?;
    let mut rejected = Vec::new();
    let mut explanations = Vec::new();
    let mut sightings = Vec::new();
    let mut used = BTreeSet::new();
    for piece in explain::evidence(inputs)? {
        if piece.refs.iter().any(|name| used.contains(name)) || !books.are_known(&piece) {
            continue;
        }
        if !books.agrees(&piece)? {
            rejected.push(piece);
            continue;
        }
        used.extend(piece.refs.iter().cloned());
        let tolerated = piece.class == Class::PriceOrCash
            && piece.moves.iter().all(|one| one.amount.abs() <= rounding(1));
        for one in &piece.moves {
            books.explain(&one.leg, one.amount)?;
            explanations.push(Explanation {
                leg: one.leg.clone(),
                class: piece.class,
                amount: one.amount,
                refs: piece.refs.clone(),
                deadline: piece.deadline,
                detail: piece.detail.clone(),
                tolerated,
            });
        }
        if piece.class != Class::NavAccrual && !tolerated {
            sightings.extend(Sighting::of(inputs, &piece));
        }
    }
    explanations.extend(books.round(inputs)?);
    let prices: BTreeMap<&str, Price> =
        inputs.marks.iter().map(|mark| (mark.symbol.as_str(), mark.price)).collect();
    let mut legs = Vec::new();
    for (leg, open) in books.legs {
        let unexplained = sum(open.residual, open.explained.negated())?;
        let price =
            if leg.is_cash() { Price::of(Amount::ONE) } else { prices.get(leg.instrument.as_str()).copied() };
        let candidates = if unexplained.is_zero() {
            Vec::new()
        } else {
            let candidates = candidates(inputs, &leg, &open, unexplained, &rejected);
            sightings.push(Sighting::unexplained(inputs, &leg, unexplained, &candidates));
            candidates
        };
        let unsettled = inputs.unsettled.iter().find(|one| one.leg == leg).map(|one| one.amount);
        legs.push(Judged {
            leg,
            expected: open.expected,
            reported: open.reported,
            unsettled,
            residual: open.residual,
            explained: open.explained,
            unexplained,
            price,
            candidates,
        });
    }
    sightings.sort_by_key(|sighting| sighting.key);
    let exposed =
        inputs.positions.iter().map(|position| exposed(position, &prices)).collect::<Result<_, _>>()?;
    let unknown = inputs.cuts.iter().filter_map(|cut| match &cut.answer {
        Answer::Whole => None,
        Answer::Unknown(why) => Some((cut.source.clone(), why.clone())),
    });
    let names = |logs: &[inputs::LogMove]| logs.iter().map(|log| (log.id.clone(), log.block)).collect();
    Ok(Findings {
        legs,
        unknown: unknown.collect(),
        explanations,
        exposed,
        sightings,
        unlisted: inputs.unlisted.clone(),
        missing: names(&inputs.missing),
        stray: names(&inputs.stray),
    })
}

/// What brokers may have rounded away over so many fills: half a cent each.
fn rounding(fills: u64) -> Amount {
    const HALF_A_CENT: i128 = 5_000_000_000_000_000;
    Amount::from_atoms(HALF_A_CENT.saturating_mul(i128::from(fills))).unwrap_or(Amount::MAX)
}

/// The sums that must come out, whichever way they are counted.
fn prove(inputs: &Inputs) -> Result<(), Inconsistent> {
    let mut wrong = inputs.doubts.clone();
    for identity in &inputs.identities {
        let total = |parts: &[(String, Amount)]| {
            parts.iter().try_fold(Amount::ZERO, |total, (_, part)| sum(total, *part))
        };
        let (held, owed) = (total(&identity.held)?, total(&identity.owed)?);
        let off = sum(held, owed.negated())?;
        if off.abs() > identity.tolerance {
            let listed = |parts: &[(String, Amount)]| {
                parts.iter().map(|(name, part)| format!("{name} {part}")).collect::<Vec<_>>().join(" + ")
            };
            wrong.push(format!(
                "{} is off by {off}: held {} = {held}, owed {} = {owed}",
                identity.of,
                listed(&identity.held),
                listed(&identity.owed)
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Inconsistent(wrong)) }
}

/// A place while it is being explained.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    expected: Amount,
    reported: Amount,
    residual: Amount,
    explained: Amount,
}

/// All places while they are being explained.
struct Books {
    legs: BTreeMap<Leg, Open>,
    whole: BTreeSet<String>,
    /// What all logs together would explain of each place.
    by_logs: BTreeMap<Leg, Amount>,
}

impl Books {
    fn open(inputs: &Inputs) -> Result<Self, Inconsistent> {
        let whole: BTreeSet<String> = inputs
            .cuts
            .iter()
            .filter(|cut| cut.answer == Answer::Whole)
            .map(|cut| cut.source.clone())
            .collect();
        let mut books = Self { legs: BTreeMap::new(), whole, by_logs: BTreeMap::new() };
        for Balance { leg, amount } in &inputs.reported {
            if let Some(open) = books.leg(leg) {
                open.reported = sum(open.reported, *amount)?;
            }
        }
        for Balance { leg, amount } in &inputs.booked {
            if let Some(open) = books.leg(leg) {
                open.expected = sum(open.expected, *amount)?;
            }
        }
        // What is under way, and what a wrapper has come to be worth, nobody outside reports as such.
        for transfer in &inputs.transfers {
            let leg = Leg::new(Kind::Transit, transfer.id.clone(), transfer.instrument.clone());
            let open = books.legs.entry(leg).or_default();
            open.reported = sum(open.reported, transfer.quantity)?;
        }
        for ratio in &inputs.ratios {
            let account = format!("{}/{}", ratio.source, ratio.token);
            let leg = Leg::new(Kind::Wrapper, account, ratio.symbol.clone());
            if let Some(open) = books.leg(&leg) {
                let worth = |each: Amount| ratio.held.times_toward_zero(each).ok_or_else(Inconsistent::grid);
                open.expected = sum(open.expected, worth(ratio.was.0)?)?;
                open.reported = sum(open.reported, worth(ratio.is.0)?)?;
            }
        }
        for open in books.legs.values_mut() {
            open.residual = sum(open.reported, open.expected.negated())?;
        }
        let moves = inputs.missing.iter().flat_map(|log| log.moves.iter().map(|one| (one, one.amount)));
        let back =
            inputs.stray.iter().flat_map(|log| log.moves.iter().map(|one| (one, one.amount.negated())));
        for (one, amount) in moves.chain(back) {
            let total = books.by_logs.entry(one.leg.clone()).or_default();
            *total = sum(*total, amount)?;
        }
        Ok(books)
    }

    /// The place, where its source was read whole: what is in no list there is nought.
    fn leg(&mut self, leg: &Leg) -> Option<&mut Open> {
        self.is_known(leg).then(|| self.legs.entry(leg.clone()).or_default())
    }

    fn is_known(&self, leg: &Leg) -> bool {
        leg.kind == Kind::Transit || self.whole.contains(leg.source())
    }

    /// Whether all places it touches can be judged: a fill explains every leg of it, or none.
    fn are_known(&self, piece: &Evidence) -> bool {
        piece.moves.iter().all(|one| self.is_known(&one.leg))
    }

    /// Whether the residuals bear it out.
    fn agrees(&self, piece: &Evidence) -> Result<bool, Inconsistent> {
        let open = |one: &Balance| self.legs.get(&one.leg).copied().unwrap_or_default();
        match piece.proof {
            Proof::Named => Ok(true),
            Proof::Exact => {
                let left = |one: &Balance| sum(open(one).residual, open(one).explained.negated());
                piece.moves.iter().try_fold(true, |all, one| Ok(all && left(one)? == one.amount))
            }
            Proof::EveryLeg => {
                // All other logs taken: what is left of each place with it, and without it.
                let sides = piece.moves.iter().map(|one| {
                    let logs = self.by_logs.get(&one.leg).copied().unwrap_or_default();
                    let with = sum(open(one).residual, logs.negated())?;
                    Ok((with, sum(with, one.amount)?))
                });
                let sides: Vec<(Amount, Amount)> = sides.collect::<Result<_, _>>()?;
                let all_nearer = sides.iter().all(|(with, without)| with.abs() < without.abs());
                // Something else may hide it in one place, where another comes out to the last digit.
                let one_exact = sides.iter().any(|(with, _)| with.is_zero());
                let none_idle = sides.iter().all(|(_, without)| !without.is_zero());
                Ok(all_nearer || (one_exact && none_idle))
            }
        }
    }

    fn explain(&mut self, leg: &Leg, amount: Amount) -> Result<(), Inconsistent> {
        let open = self.legs.entry(leg.clone()).or_default();
        open.explained = sum(open.explained, amount)?;
        Ok(())
    }

    /// What is left of brokers' cash and within what they round.
    fn round(&mut self, inputs: &Inputs) -> Result<Vec<Explanation>, Inconsistent> {
        let mut found = Vec::new();
        for (leg, open) in self.legs.iter_mut().filter(|(leg, _)| leg.kind == Kind::Cash) {
            let left = sum(open.residual, open.explained.negated())?;
            let fills = inputs.rounded.get(&leg.account).copied().unwrap_or_default();
            if !left.is_zero() && left.abs() <= rounding(fills) {
                open.explained = sum(open.explained, left)?;
                found.push(Explanation {
                    leg: leg.clone(),
                    class: Class::PriceOrCash,
                    amount: left,
                    refs: vec![format!("rounding/{}/{fills}", leg.account)],
                    deadline: None,
                    detail: format!("the broker rounds the cash of a fill to cents: {fills} of them"),
                    tolerated: true,
                });
            }
        }
        Ok(found)
    }
}

/// What may have to do with it: evidence that did not agree, equal amounts, simple ratios.
fn candidates(
    inputs: &Inputs,
    leg: &Leg,
    open: &Open,
    unexplained: Amount,
    rejected: &[Evidence],
) -> Vec<String> {
    /// More than that nobody reads.
    const MOST: usize = 8;
    let mut found = Vec::new();
    for piece in rejected.iter().filter(|piece| piece.moves.iter().any(|one| one.leg == *leg)) {
        found.push(format!(
            "{} {}: not every place it touches bears it out",
            piece.class.word(),
            piece.refs.join(" ")
        ));
    }
    let of_leg = |trade: &Trade| match leg.kind {
        Kind::Broker => (trade.symbol == leg.instrument).then_some(trade.quantity),
        Kind::Cash => Some(trade.cash),
        Kind::Vault | Kind::Wallet | Kind::Transit | Kind::Wrapper => None,
    };
    let equal = inputs.trades.iter().filter(|trade| {
        trade.account == leg.account && of_leg(trade).is_some_and(|amount| amount.abs() == unexplained.abs())
    });
    found.extend(
        equal.map(|trade| format!("execution/{}/{} is as large, and booked", trade.account, trade.id)),
    );
    found.extend(
        inputs.pending.iter().filter(|one| one.leg == *leg).map(|one| {
            format!("{} speaks of transfers of {} that it has not booked", leg.account, one.amount)
        }),
    );
    if leg.kind == Kind::Broker {
        found.extend(simple_ratio(open).map(|(new, old)| {
            format!("{} is {new}:{old} of {}: a split that nobody announced?", open.reported, open.expected)
        }));
    }
    found.truncate(MOST);
    found
}

/// So many for so few, where what is reported is that of what is expected.
fn simple_ratio(open: &Open) -> Option<(i64, i64)> {
    const LARGEST: i64 = 20;
    if open.expected.is_zero() || open.reported.is_zero() {
        return None;
    }
    let whole = |number: i64| Amount::from_atoms(i128::from(number).checked_mul(Amount::ONE.atoms())?);
    let pairs = (1..=LARGEST).flat_map(|old| (1..=LARGEST).map(move |new| (new, old)));
    pairs.filter(|(new, old)| new != old).find(|(new, old)| {
        let split = whole(*new).zip(whole(*old)).and_then(|(new, old)| open.expected.portion(new, old));
        split == Some(open.reported)
    })
}

fn exposed(position: &inputs::Position, prices: &BTreeMap<&str, Price>) -> Result<Exposed, Inconsistent> {
    let left = sum(position.net, position.pending)?;
    Ok(Exposed {
        symbol: position.symbol.clone(),
        net: position.net,
        pending: position.pending,
        left,
        value: prices.get(position.symbol.as_str()).and_then(|price| Shares(left).at(*price)),
        within: left.abs() < position.threshold,
        why: position.why.clone(),
        oldest: position.oldest,
        parts: position.parts.clone(),
    })
}
