//! Asking: every source at one moment of its own, or not at all.
//!
//! A broker's list of trades is read before and after its positions: a trade between the two
//! readings makes both worthless, and they are made again. A chain is read at one final block.
//! Where vaults differ from the books, the logs behind them are read again.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use alloy::primitives::{Address, B256};
use jiff::{SignedDuration, Timestamp};

use super::Reconciler;
use crate::{
    book::{
        activity::Activity,
        execution::Execution,
        log::{Log, Place},
        market::Account,
        order::Report,
        vault::{VaultKey, WalletKey},
    },
    chain::{
        reader::{self, Failed},
        refusal::narrower,
        source::Kind,
        vault::{self, Held, Wanted},
    },
    engine::{
        booking::Booked,
        reading::{Hindered, Reading},
        vaults::discover,
    },
    store::{
        StoreError, cursors,
        facts::{self, LogPlace},
        ledger,
        nodes::FoundBy,
        orders::VenueId,
        venues,
    },
    tape::{Said, Tape},
    venue::{Of, Venue},
};

/// A source that was asked.
#[derive(Debug)]
pub(super) struct Asked<T> {
    /// Its name.
    pub(super) source: String,
    /// When the first question was sent.
    pub(super) started: Timestamp,
    /// When the last answer was there.
    pub(super) finished: Timestamp,
    /// What it said, or why that is not known.
    pub(super) said: Result<T, String>,
}

/// An account at a broker at one moment.
#[derive(Debug)]
pub(super) struct AtBroker {
    pub(super) id: VenueId,
    /// Taken before positions were asked for; nothing was traded until they were there.
    pub(super) at: Timestamp,
    /// From when on trades and activities were asked for.
    pub(super) since: Timestamp,
    /// Since when its balances are known.
    pub(super) opened: Option<Timestamp>,
    pub(super) account: Account,
    pub(super) orders: Vec<Report>,
    pub(super) executions: Vec<Execution>,
    pub(super) activities: Vec<Activity>,
}

impl AtBroker {
    /// The time in which trades are compared: after the one, up to the other.
    pub(super) fn window(&self) -> (Timestamp, Timestamp) {
        (self.opened.map_or(self.since, |opened| opened.max(self.since)), self.at)
    }
}

/// A source on chain at one block.
#[derive(Debug)]
pub(super) struct OnChain {
    pub(super) reading: Arc<Reading>,
    pub(super) usdc: Address,
    pub(super) time: Timestamp,
    pub(super) held: Held,
    /// Vaults of ours that the configuration's list lacks.
    pub(super) unlisted: Vec<VaultKey>,
    /// Logs that were read again, where vaults differ from the books.
    pub(super) reread: Option<Reread>,
}

/// Logs that were read again.
#[derive(Debug)]
pub(super) struct Reread {
    /// What the books may lack.
    pub(super) booked: Booked,
    /// Logs in the books whose block is not of the chain.
    pub(super) stray: Vec<LogPlace>,
}

/// What all sources said.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) brokers: Vec<Asked<AtBroker>>,
    pub(super) chains: Vec<Asked<OnChain>>,
    /// Every answer, word for word.
    pub(super) said: Vec<Said>,
}

/// How often a broker that does not hold still is read.
pub(super) const ATTEMPTS: u32 = 3;
/// How far back trades and activities are asked for at least: three trading days, and a weekend.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 5);
/// The same of an account that was never read.
const FIRST_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Between two readings of a broker that does not hold still.
const BREATH: Duration = Duration::from_secs(2);
/// Blocks asked for at first when logs are read again.
const SPAN: u64 = 10_000;

/// Asks all sources, and keeps every answer as it came.
///
/// # Errors
/// The database alone: what a source does not say is part of the answer.
pub(super) async fn all(job: &Reconciler) -> Result<Read, StoreError> {
    let tape = Tape::recording();
    put(job, Some(&tape));
    let read = every(job).await;
    put(job, None);
    read.map(|read| Read { said: tape.said(), ..read })
}

/// From now on all doors keep what they hear on this tape.
fn put(job: &Reconciler, tape: Option<&Tape>) {
    for node in job.readings.iter().flat_map(|reading| reading.nodes.all()) {
        node.put(tape.cloned());
    }
    for (_, venue) in &job.venues {
        venue.tape(tape);
    }
}

async fn every(job: &Reconciler) -> Result<Read, StoreError> {
    let mut read = Read { brokers: Vec::new(), chains: Vec::new(), said: Vec::new() };
    // Chains first: they can show what the ledger lacks.
    for reading in job.readings.iter().filter(|reading| reading.source.kind != Kind::Inventory) {
        let started = job.clock.now();
        let said = match chain(job, reading).await {
            Ok(said) => Ok(said),
            Err(Unknown::Store(error)) => return Err(error),
            Err(Unknown::Why(why)) => Err(why),
        };
        let source = reading.source.name.clone();
        read.chains.push(Asked { source, started, finished: job.clock.now(), said });
    }
    for (id, venue) in &job.venues {
        let started = job.clock.now();
        let said = match broker(job, *id, venue.as_ref()).await {
            Ok(said) => Ok(said),
            Err(Unknown::Store(error)) => return Err(error),
            Err(Unknown::Why(why)) => Err(why),
        };
        let source = venue.name().to_owned();
        read.brokers.push(Asked { source, started, finished: job.clock.now(), said });
    }
    Ok(read)
}

/// Why nothing is known of a source.
enum Unknown {
    Why(String),
    Store(StoreError),
}

impl From<StoreError> for Unknown {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Hindered> for Unknown {
    fn from(hindered: Hindered) -> Self {
        match hindered {
            Hindered::Chain(failed) => Self::Why(failed.to_string()),
            Hindered::Store(error) => Self::Store(error),
        }
    }
}

impl From<crate::venue::VenueError> for Unknown {
    fn from(error: crate::venue::VenueError) -> Self {
        Self::Why(error.to_string())
    }
}

async fn broker(job: &Reconciler, id: VenueId, venue: &dyn Venue) -> Result<AtBroker, Unknown> {
    let name = venue.name();
    let (opened, last, met) = {
        let mut conn = job.connection().await?;
        let opened = ledger::opened_at(&mut conn, name, None).await?;
        (opened, ledger::last_cut(&mut conn, name).await?, venues::account(&mut conn, id).await?)
    };
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            job.clock.sleep(BREATH).await;
        }
        let begun = job.clock.now();
        let window = begun.checked_sub(WINDOW).unwrap_or(begun);
        let first = begun.checked_sub(FIRST_WINDOW).unwrap_or(begun);
        let since = opened.max(Some(last.map_or(first, |last| last.min(window)))).unwrap_or(first);
        let read = account(id, venue, (opened, since), || job.clock.now()).await?;
        let Some(read) = read else { continue };
        if met.as_ref().is_some_and(|met| *met != read.account.id) {
            return Err(Unknown::Why(format!("{name} answered for another account than ever before")));
        }
        return Ok(read);
    }
    Err(Unknown::Why(format!("{name} did not hold still over {ATTEMPTS} readings: it is trading")))
}

/// One reading of an account; none where something was traded or moved meanwhile.
pub(super) async fn account(
    id: VenueId,
    venue: &dyn Venue,
    (opened, since): (Option<Timestamp>, Timestamp),
    now: impl Fn() -> Timestamp,
) -> Result<Option<AtBroker>, crate::venue::VenueError> {
    let before = told(venue, since).await?;
    let at = now();
    let account = venue.account().await?;
    let orders = venue.orders(since).await?;
    let (executions, activities) = told(venue, since).await?;
    if before != (executions.clone(), activities.clone()) {
        return Ok(None);
    }
    // A broker's clock may be ahead of ours: what it has told is in its positions.
    let newest = executions.iter().map(|execution| execution.executed_at).max();
    let at = newest.map_or(at, |newest| newest.max(at));
    Ok(Some(AtBroker { id, at, since, opened, account, orders, executions, activities }))
}

async fn told(
    venue: &dyn Venue,
    since: Timestamp,
) -> Result<(Vec<Execution>, Vec<Activity>), crate::venue::VenueError> {
    let executions = venue.executions(Of::Since(since)).await?;
    Ok((executions, venue.activities(since).await?))
}

async fn chain(job: &Reconciler, reading: &Arc<Reading>) -> Result<OnChain, Unknown> {
    let why = |what: &str| Unknown::Why(format!("{}: {what}", reading.source.name));
    let usdc = reading.keeper.usdc().ok_or_else(|| why("its chain has no quote token"))?;
    let cursor = {
        let mut conn = job.connection().await?;
        cursors::cursor(&mut conn, reading.id).await?.ok_or_else(|| why("nothing of it is read yet"))?
    };
    let finalized = cursor.finalized.ok_or_else(|| why("no node has called a block final"))?;
    let number = finalized.min(cursor.at.number);
    let node = reading.nodes.ready().await.map_err(|fault| why(&fault.to_string()))?;
    let header = reader::header_of(&node, number).await.map_err(|failed| why(&failed.to_string()))?;
    let header = header.ok_or_else(|| why(&format!("{} has no block {number}", node.name())))?;
    let at = Place { number, hash: header.hash };
    let vaults = discover(reading, usdc, at).await?;
    let keys: BTreeSet<_> = vaults.all.iter().map(|vault| vault.key).collect();
    let wallets = wallets(reading, &keys);
    let wanted = wanted(reading, keys, wallets);
    let held = vault::read(&reading.nodes, &reading.source, &wanted, at)
        .await
        .map_err(|error| why(&format!("{error}; {}", error.next())))?;
    let differs = {
        let mut conn = job.connection().await?;
        let (rows, _) = ledger::vaults(&mut conn, reading.id, number, usdc, &held.vaults).await?;
        rows.iter().any(|row| !row.residual.is_zero())
    };
    let reread = if differs { reread(job, reading, number).await? } else { None };
    let time = Timestamp::from_second(i64::try_from(header.timestamp).unwrap_or(0)).unwrap_or_default();
    let unlisted = vaults.unlisted.iter().map(|vault| vault.key).collect();
    Ok(OnChain { reading: Arc::clone(reading), usdc, time, held, unlisted, reread })
}

/// The wallets of ours, by token; but for those that a vault stands for.
fn wallets(reading: &Reading, vaults: &BTreeSet<VaultKey>) -> BTreeSet<WalletKey> {
    let stands_for = |wallet: &WalletKey| {
        let WalletKey { holder, token } = *wallet;
        let zero = VaultKey { owner: holder, token, vault_id: B256::ZERO };
        vault::is_wallet(&reading.source, &zero) && vaults.contains(&zero)
    };
    let tokens = reading.keeper.of_ours();
    let each = reading.source.wallets.iter();
    each.flat_map(|holder| tokens.iter().map(|token| WalletKey { holder: *holder, token: *token }))
        .filter(|wallet| !stands_for(wallet))
        .collect()
}

/// What is to be read: what lies in these, and what the wrappers among their tokens are worth.
pub(super) fn wanted(reading: &Reading, vaults: BTreeSet<VaultKey>, wallets: BTreeSet<WalletKey>) -> Wanted {
    let is_wrapper = |token: &Address| reading.keeper.share(*token).is_some_and(|(_, is_wrapped)| is_wrapped);
    let tokens = vaults.iter().map(|key| key.token).chain(wallets.iter().map(|key| key.token));
    let wrappers = tokens.filter(is_wrapper).collect();
    Wanted { vaults, wallets, wrappers }
}

/// Reads the logs since the last balanced run again, and finds what the books lack and what they should not have.
async fn reread(job: &Reconciler, reading: &Reading, to: u64) -> Result<Option<Reread>, Unknown> {
    let (from, places) = {
        let mut conn = job.connection().await?;
        let balanced = ledger::balanced_to(&mut conn, &reading.source.name).await?;
        let from = balanced.map_or(0, |block| block + 1).max(reading.source.from_block);
        (from, facts::log_places(&mut conn, reading.id, (from, to)).await?)
    };
    let mut logs = Vec::new();
    let (mut next, mut span, mut failures) = (from, SPAN, 0);
    while next <= to {
        let last = to.min(next.saturating_add(span - 1));
        let node = reading.nodes.ready().await.map_err(|fault| Unknown::Why(fault.to_string()))?;
        match reader::bulk(&node, &reading.filter, next, last).await {
            Ok(bulk) => {
                reading.nodes.praise(&node);
                logs.extend(bulk.logs);
                (next, failures) = (last + 1, 0);
                span = span.saturating_mul(2).min(reading.nodes.widest()).max(1);
            }
            Err(Failed::Refused { refusal, .. }) if next < last => {
                span = narrower(last - next + 1, refusal.suggested());
            }
            Err(failed) => {
                let said = reading.failed(&node, failed, FoundBy::Audit).await?;
                failures += 1;
                if failures == ATTEMPTS {
                    return Err(Unknown::Why(said));
                }
            }
        }
    }
    let known: HashSet<(B256, u64)> = places.iter().map(|log| (log.block_hash, log.log_index)).collect();
    let seen: HashSet<(B256, u64)> = logs.iter().map(|log| (log.block_hash, log.log_index)).collect();
    // Foreign logs are never written, so a transaction with an unknown log is read as a whole.
    let open: HashSet<B256> = logs
        .iter()
        .filter(|log| !known.contains(&(log.block_hash, log.log_index)))
        .map(|log| log.transaction_hash)
        .collect();
    let unsure: Vec<Log> = logs.into_iter().filter(|log| open.contains(&log.transaction_hash)).collect();
    let unseen: Vec<LogPlace> =
        places.into_iter().filter(|log| !seen.contains(&(log.block_hash, log.log_index))).collect();
    let node = reading.nodes.ready().await.map_err(|fault| Unknown::Why(fault.to_string()))?;
    let booked = reading.book(&node, unsure, |_| false).await?;
    Ok(Some(Reread { booked, stray: not_of_the_chain(reading, unseen).await? }))
}

/// Those of these logs whose block the chain does not have: that a node did not list one is no evidence.
async fn not_of_the_chain(reading: &Reading, unseen: Vec<LogPlace>) -> Result<Vec<LogPlace>, Unknown> {
    let why = |said: String| Unknown::Why(format!("{}: {said}", reading.source.name));
    let mut hashes: BTreeMap<u64, Option<B256>> = unseen.iter().map(|log| (log.block_number, None)).collect();
    for (number, hash) in &mut hashes {
        let node = reading.nodes.ready().await.map_err(|fault| why(fault.to_string()))?;
        let header = reader::header_of(&node, *number).await.map_err(|failed| why(failed.to_string()))?;
        *hash = header.map(|header| header.hash);
    }
    let is_stray = |log: &LogPlace| {
        hashes.get(&log.block_number).copied().flatten().is_some_and(|hash| hash != log.block_hash)
    };
    Ok(unseen.into_iter().filter(is_stray).collect())
}
