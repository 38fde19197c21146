//! Transfers between places of ours: what left one and has not come to the other is under way, and no break.
//!
//! Each end is named by what shows it: the break that it leaves in an account, or the log that took
//! it out of a vault or put it into one. Both ends bear the transfer's id; what is between them is
//! expected until its deadline, and stuck after it. What came is entered, not what was sent; what
//! does not come any more is lost by a person's word. Nothing is edited.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use sqlx::{Postgres, Transaction};

use super::acts::{self, ActError};
use crate::{
    book::recon::{
        breaks::Event,
        explain::Class,
        inputs::{Kind, Leg},
    },
    store::{
        exposure::Act,
        ledger::{self, Ends, Move},
        recon::{self, Entry, Followed},
    },
    units::Amount,
};

/// What shows one end of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A break: what an account has more or less than the books.
    Break(i64),
    /// A deposit into a vault of ours, or a withdrawal from one: chain, transaction and log index, and of
    /// what it is, where no other end says so.
    Log {
        /// The log's natural key, such as `8453:0x…:12`.
        id: String,
        /// A ticker, or `USDC`.
        instrument: Option<String>,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Break(id) => write!(f, "break {id}"),
            Self::Log { id, .. } => write!(f, "the log {id}"),
        }
    }
}

/// One end, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What shows it.
    pub end: End,
    /// The transfer's id: a mint, a redemption, a bridge's nonce, a deposit.
    pub transfer: String,
    /// How long what is under way may take; of the first end.
    pub within: SignedDuration,
    /// What has not come with this end comes no more: a fee, a rounding, a loss.
    pub lost: bool,
}

/// What was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What the account gained, signed.
    pub quantity: Amount,
    /// Where, of what.
    pub leg: Leg,
    /// What is under way after it.
    pub under_way: Amount,
    /// What was given up.
    pub lost: Amount,
    /// Until when it should be there.
    pub deadline: Timestamp,
}

/// Where what came no more is entered: no source speaks of it.
const LOST: &str = "lost";
/// Where tokens were between a vault and a place that is not watched.
const OUTSIDE: &str = "outside";

/// Enters one end of a transfer.
///
/// # Errors
/// As [`ActError`]: it is no end of this transfer, and nothing was written.
pub async fn transfer(
    tx: &mut Transaction<'_, Postgres>,
    named: &Named,
    act: Act<'_>,
) -> Result<Moved, ActError> {
    let known = ledger::ends(tx, &named.transfer).await?;
    let refused = |why: String| ActError::NoEnd { end: named.end.to_string(), why };
    let (found, entry) = match &named.end {
        End::Break(id) => {
            let found = acts::find(tx, *id).await?;
            let entry = of_break(&found, act).map_err(refused)?;
            (Some(found), entry)
        }
        End::Log { id, instrument } => {
            let moved = ledger::vault_move(tx, id).await?;
            let instrument = known.instrument.clone().or_else(|| instrument.clone());
            (None, of_log(id, moved, instrument, &known, act).map_err(refused)?)
        }
    };
    let between = |leg: &Leg| if leg.is_cash() { "USD".to_owned() } else { leg.instrument.clone() };
    if let Some(instrument) = &known.instrument {
        let other = Leg::new(entry.leg.kind, "", instrument.clone());
        if between(&entry.leg) != between(&other) {
            return Err(refused(format!("{} is of {instrument}", named.transfer)));
        }
    }
    let sum = known.sum.plus(entry.amount).ok_or_else(|| refused("its amount leaves the grid".to_owned()))?;
    let is_first = known.instrument.is_none();
    if !is_first && known.sum.is_zero() {
        return Err(refused(format!("all of {} has come", named.transfer)));
    }
    if !is_first
        && (known.sum.is_negative() == entry.amount.is_negative() || entry.amount.abs() > known.sum.abs())
    {
        let way = known.sum.negated();
        return Err(refused(format!(
            "{way} of {} are under way, and {} would not come of it",
            named.transfer, entry.amount
        )));
    }
    if named.lost && is_first {
        return Err(refused("nothing has left yet that could be lost".to_owned()));
    }
    let deadline =
        known.deadline.unwrap_or_else(|| act.at.checked_add(named.within).unwrap_or(Timestamp::MAX));
    let end = Some((named.transfer.clone(), Some(deadline)));
    let (leg, quantity) = (entry.leg.clone(), entry.amount);
    let entry = Entry { transfer: end.clone(), ..entry };
    let number = recon::enter(tx, &entry, act).await?;
    let lost = if named.lost { sum.negated() } else { Amount::ZERO };
    if !lost.is_zero() {
        let leg = Leg::new(Kind::Wallet, format!("{LOST}/{}", named.transfer), leg.instrument.clone());
        let rest = Entry { leg, amount: lost, refs: Vec::new(), mends: None, ..entry };
        recon::enter(tx, &rest, act).await?;
    }
    if let Some(found) = &found {
        acts::happen(tx, found, (&Event::Changed, "corrected"), act, Some(number)).await?;
    }
    let under_way = sum.plus(lost).unwrap_or_default().negated();
    Ok(Moved { quantity, leg, under_way, lost, deadline })
}

/// The end that a break shows.
fn of_break(found: &Followed, act: Act<'_>) -> Result<Entry, String> {
    match found.what.class {
        Class::ExternalActivity | Class::Unexplained => {}
        Class::SourceUnknown
        | Class::MissingOnchainFill
        | Class::ReorgedFill
        | Class::DuplicateInLedger
        | Class::InFlightOrder
        | Class::MissingBrokerFill
        | Class::Quantity
        | Class::PriceOrCash
        | Class::FeeTiming
        | Class::TransferInFlight
        | Class::CorporateAction
        | Class::NavAccrual => return Err(format!("a break of class {} is none", found.what.class.word())),
    }
    if found.what.cash.is_some_and(|cash| !cash.is_zero()) {
        return Err("dollars moved with it: it is a trade, correct it".to_owned());
    }
    Ok(Entry {
        kind: "transfer",
        leg: found.what.leg.clone(),
        amount: found.what.quantity,
        as_of: found.what.first_seen.min(act.at),
        refs: found.refs.clone(),
        mends: Some(found.id),
        transfer: None,
    })
}

/// The end that a deposit or a withdrawal shows. The vault has it by its own log: what is entered is
/// where it was before, or went.
fn of_log(
    id: &str,
    moved: Option<Move>,
    instrument: Option<String>,
    known: &Ends,
    act: Act<'_>,
) -> Result<Entry, String> {
    let moved = moved.ok_or("it is no deposit and no withdrawal of ours")?;
    if known.refs.contains(id) {
        return Err("it is an end already".to_owned());
    }
    let instrument = instrument.ok_or("say of what it is, with --instrument")?;
    let account = format!("{OUTSIDE}/{:#x}/{:#x}", moved.owner, moved.token);
    Ok(Entry {
        kind: "transfer",
        leg: Leg::new(Kind::Wallet, account, instrument),
        amount: moved.amount,
        as_of: moved.at.min(act.at),
        refs: vec![id.to_owned()],
        mends: None,
        transfer: None,
    })
}
