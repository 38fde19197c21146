//! What people do about breaks: state what was there, know of one, correct the books, write it off.
//!
//! Each act is an entry or an event with its author and reason, and nothing is edited. A correction
//! of what *we* booked wrong changes the exposure too; what came from outside does not, so that
//! nobody hedges against a stranger's trade.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{Postgres, Transaction};

use super::{Reconciler, ask, assemble};
use crate::{
    book::{
        recon::{
            breaks::Event,
            explain::Class,
            inputs::{Kind, Leg},
        },
        vault::WalletKey,
    },
    store::{
        StoreError,
        exposure::Act,
        ledger,
        recon::{self, By, Entry, Followed},
    },
    units::Amount,
};

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such break.
    #[error("there is no break {0}")]
    NoSuch(i64),
    /// It is over, or not where this can happen to it.
    #[error("break {id}: {why}")]
    NotNow {
        /// Which.
        id: i64,
        /// Why not.
        why: String,
    },
    /// It is no end of the transfer that it was named for.
    #[error("{end} is no end of that transfer: {why}")]
    NoEnd {
        /// What should show it.
        end: String,
        /// Why it does not.
        why: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) async fn find(tx: &mut Transaction<'_, Postgres>, id: i64) -> Result<Followed, ActError> {
    let found = recon::breaks(tx, Some(id)).await?.into_iter().next().ok_or(ActError::NoSuch(id))?;
    if found.what.state.is_over() {
        return Err(ActError::NotNow { id, why: format!("it is {} already", found.what.state.word()) });
    }
    Ok(found)
}

pub(super) async fn happen(
    tx: &mut Transaction<'_, Postgres>,
    found: &Followed,
    (event, word): (&Event, &str),
    act: Act<'_>,
    entry: Option<i64>,
) -> Result<(), ActError> {
    let after = match event {
        // The next run sees whether that was all.
        Event::Changed => Ok(found.what.clone()),
        Event::Acknowledged(_)
        | Event::Opened
        | Event::Explained
        | Event::Stuck
        | Event::Lapsed
        | Event::Resolved
        | Event::WrittenOff
        | Event::Reopened => found.what.clone().after(event, None, act.at),
    };
    let after = after.map_err(|error| ActError::NotNow { id: found.id, why: error.to_string() })?;
    let mut after = after;
    after.changed_at = act.at;
    recon::happened(tx, Some(found.id), (event, word), &after, None, By::Person(act, entry)).await?;
    Ok(())
}

/// A person knows of a break, and wants to hear no more of it until then.
///
/// # Errors
/// As [`ActError`].
pub async fn acknowledge(
    tx: &mut Transaction<'_, Postgres>,
    id: i64,
    until: Timestamp,
    act: Act<'_>,
) -> Result<(), ActError> {
    let found = find(tx, id).await?;
    let event = Event::Acknowledged(until);
    happen(tx, &found, (&event, event.word()), act, None).await
}

/// Whether a class says that our own books of our own trades were wrong.
const fn is_our_trade(class: Class) -> bool {
    match class {
        Class::DuplicateInLedger | Class::InFlightOrder | Class::MissingBrokerFill | Class::Quantity => true,
        Class::SourceUnknown
        | Class::MissingOnchainFill
        | Class::ReorgedFill
        | Class::PriceOrCash
        | Class::FeeTiming
        | Class::TransferInFlight
        | Class::CorporateAction
        | Class::NavAccrual
        | Class::ExternalActivity
        | Class::Unexplained => false,
    }
}

const fn entry_kind(class: Class) -> &'static str {
    match class {
        Class::ExternalActivity => "external",
        Class::CorporateAction => "corporate action",
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
        | Class::NavAccrual
        | Class::Unexplained => "correction",
    }
}

/// What a correction came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// What the account was given, signed.
    pub quantity: Amount,
    /// The dollars that went with it.
    pub cash: Option<Amount>,
    /// Where.
    pub leg: Leg,
    /// Whether what is exposed changed with it.
    pub exposed: bool,
}

/// Books a break, or `quantity` of it: the next run expects what is there. `exposed` says whether
/// it changes what is hedged, where that is not as its class has it.
///
/// # Errors
/// As [`ActError`].
pub async fn correct(
    tx: &mut Transaction<'_, Postgres>,
    id: i64,
    quantity: Option<Amount>,
    exposed: Option<bool>,
    act: Act<'_>,
) -> Result<Corrected, ActError> {
    let found = find(tx, id).await?;
    let whole = quantity.is_none_or(|quantity| quantity == found.what.quantity);
    let quantity = quantity.unwrap_or(found.what.quantity);
    let kind = entry_kind(found.what.class);
    let exposed =
        exposed.unwrap_or_else(|| is_our_trade(found.what.class)) && found.what.leg.kind == Kind::Broker;
    let entry = book(tx, &found, kind, quantity, whole, act).await?;
    if exposed {
        recon::correct_exposure(tx, &found.what.leg.instrument, quantity, act).await?;
    }
    happen(tx, &found, (&Event::Changed, "corrected"), act, Some(entry)).await?;
    let cash = found.what.cash.filter(|_| whole);
    Ok(Corrected { quantity, cash, leg: found.what.leg, exposed })
}

/// Takes all of a break into the books as it is, and closes it.
///
/// # Errors
/// As [`ActError`].
pub async fn write_off(
    tx: &mut Transaction<'_, Postgres>,
    id: i64,
    act: Act<'_>,
) -> Result<Corrected, ActError> {
    let found = find(tx, id).await?;
    let entry = book(tx, &found, "write-off", found.what.quantity, true, act).await?;
    happen(tx, &found, (&Event::WrittenOff, Event::WrittenOff.word()), act, Some(entry)).await?;
    Ok(Corrected {
        quantity: found.what.quantity,
        cash: found.what.cash,
        leg: found.what.leg,
        exposed: false,
    })
}

/// Enters it, and where all of it is entered, the dollars and the evidence with it.
async fn book(
    tx: &mut Transaction<'_, Postgres>,
    found: &Followed,
    kind: &'static str,
    quantity: Amount,
    whole: bool,
    act: Act<'_>,
) -> Result<i64, ActError> {
    let leg = &found.what.leg;
    match leg.kind {
        Kind::Vault | Kind::Wallet | Kind::Broker | Kind::Cash => {}
        Kind::Transit | Kind::Wrapper => {
            let why = format!("nothing is entered in {}: it follows from its ends", leg.kind.word());
            return Err(ActError::NotNow { id: found.id, why });
        }
    }
    let refs = if whole { found.refs.clone() } else { Vec::new() };
    let entry = Entry {
        kind,
        leg: leg.clone(),
        amount: quantity,
        // What it mends was there when the break was first seen.
        as_of: found.what.first_seen.min(act.at),
        refs,
        mends: Some(found.id),
        transfer: None,
    };
    let number = recon::enter(tx, &entry, act).await?;
    if let Some(cash) = found.what.cash.filter(|cash| whole && !cash.is_zero() && leg.kind == Kind::Broker) {
        let leg = Leg::new(Kind::Cash, leg.account.clone(), "USD");
        let entry = Entry { leg, amount: cash, refs: Vec::new(), ..entry };
        recon::enter(tx, &entry, act).await?;
    }
    Ok(number)
}

/// What was stated of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The account.
    pub account: String,
    /// How many shares' balances.
    pub shares: usize,
    /// Dollars.
    pub cash: Amount,
}

/// States what the accounts at brokers hold now as their opening balances.
///
/// # Errors
/// A broker that does not answer whole: nothing is written.
pub async fn open(job: &Reconciler, act: Act<'_>) -> anyhow::Result<Vec<Opened>> {
    let read = ask::all(job).await?;
    let mut tx = job.begin("begin").await?;
    let mut opened = Vec::new();
    for asked in &read.chains {
        // A vault's history begins with it; a wallet's does not, and it is used for more than our orders.
        let Ok(chain) = &asked.said else { continue };
        let number = chain.held.at.number;
        let (rows, _) =
            ledger::vaults(&mut tx, chain.reading.id, number, chain.usdc, &chain.held.vaults).await?;
        let zero = rows.iter().map(|row| {
            let leg = assemble::vault_leg(&chain.reading, chain.usdc, &row.key);
            (leg, row.residual)
        });
        let named = chain.held.wallets.iter().map(|(key, balance)| {
            let leg = assemble::wallet_leg(&chain.reading, chain.usdc, key);
            (leg, balance.exact.cut(18).unwrap_or_default())
        });
        let held: BTreeMap<Leg, Amount> = zero.chain(named).collect();
        let wallets = assemble::wallets(chain);
        let keys: Vec<(WalletKey, u8)> = wallets.iter().map(|(key, _, decimals)| (*key, *decimals)).collect();
        let moved = ledger::wallet_moves(&mut tx, chain.reading.source.chain, number, &keys).await?;
        for ((_, leg, _), moved) in wallets.into_iter().zip(moved) {
            let held = held.get(&leg).copied().unwrap_or_default();
            let entry = Entry {
                kind: "opening",
                leg,
                amount: held.minus(moved).unwrap_or_default(),
                as_of: act.at,
                refs: Vec::new(),
                mends: None,
                transfer: None,
            };
            recon::enter(&mut tx, &entry, act).await?;
        }
    }
    for asked in &read.brokers {
        let broker = asked.said.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        let refs: Vec<String> =
            broker.activities.iter().map(|one| format!("activity/{}/{}", asked.source, one.id)).collect();
        let holdings = broker.account.holdings.iter();
        let shares =
            holdings.map(|(symbol, held)| (Leg::new(Kind::Broker, &asked.source, symbol), held.quantity.0));
        let total = broker.account.funds.total.0;
        let cash = (Leg::new(Kind::Cash, &asked.source, "USD"), total);
        let mut count = 0;
        for (leg, amount) in shares.chain([cash]) {
            count += usize::from(leg.kind == Kind::Broker);
            let refs = if leg.kind == Kind::Cash { refs.clone() } else { Vec::new() };
            let (kind, as_of) = ("opening", broker.at);
            let entry = Entry { kind, leg, amount, as_of, refs, mends: None, transfer: None };
            recon::enter(&mut tx, &entry, act).await?;
        }
        opened.push(Opened { account: asked.source.clone(), shares: count, cash: total });
    }
    tx.commit().await.map_err(|error| StoreError::of("state opening balances", error))?;
    Ok(opened)
}
