//! Learns what price feeds said while fills were made: an enrichment, never in anybody's way.
//!
//! It has nodes of its own, so that a trace that is refused or slow makes no node rest that
//! fills are read from; it asks for a few at a time, the newest first; and it writes a price
//! where there is one, or in the end that there is none. Nothing waits for it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy::primitives::{Address, B256};
use futures_util::future::join_all;
use jiff::SignedDuration;
use sqlx::PgPool;

use super::{Loop, Step};
use crate::{
    chain::{
        nodes::Nodes,
        pyth::{self, Told},
        rpc::Node,
    },
    store::{
        StoreError,
        cursors::SourceId,
        oracle::{self, ToldPrice, WantedPrice},
    },
    time::Clock,
};

/// Prices asked for at once, before others have their turn.
const A_TIME: i64 = 10;
/// How often one is asked for in vain before it is not to be known.
const ATTEMPTS: i32 = 5;
/// How long the first wait is; each is four times the one before.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// Blocks behind the newest fill that the loop looks at; what lies below is for the night.
pub const WINDOW: u64 = 50_000;
/// Time between two looks.
pub const EVERY: Duration = Duration::from_secs(5);

/// What came of a while of asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// Prices that are known now.
    pub known: u64,
    /// Those that are not to be known.
    pub missing: u64,
    /// Those that are asked for again later.
    pub later: u64,
}

/// Asks for the prices of one source's fills.
#[derive(Clone, Debug)]
pub struct Pricer {
    /// Where they are written.
    pub pool: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// Who is asked: not those that fills are read from.
    pub nodes: Nodes,
    /// Whose fills.
    pub source: SourceId,
    /// On which chain.
    pub chain: u64,
    /// The feeds, by share.
    pub feeds: Vec<(String, B256)>,
    /// Pyth's contract.
    pub pyth: Address,
    /// Nodes that serve no traces.
    traceless: Arc<Mutex<HashSet<String>>>,
}

impl Pricer {
    /// Asks `nodes` for the feeds of these shares.
    pub fn new(
        pool: PgPool,
        clock: Clock,
        nodes: Nodes,
        (source, chain): (SourceId, u64),
        feeds: Vec<(String, B256)>,
        pyth: Address,
    ) -> Self {
        Self { pool, clock, nodes, source, chain, feeds, pyth, traceless: Arc::default() }
    }

    /// Asks for prices of fills from a block on, the newest first, for at most so many.
    ///
    /// `priced` counts as it goes, so that a caller whose time is up knows what came of it.
    ///
    /// # Errors
    /// The database. A node that fails leaves its fills for later.
    pub async fn catch_up(&self, from_block: u64, most: u64, priced: &mut Priced) -> Result<(), StoreError> {
        let mut left = i64::try_from(most).unwrap_or(i64::MAX);
        while left > 0 {
            let done = self.some(from_block, left.min(A_TIME), priced).await?;
            if done == 0 {
                break;
            }
            left -= done;
        }
        Ok(())
    }

    /// Asks for some of them at once; how many these were.
    async fn some(&self, from_block: u64, most: i64, priced: &mut Priced) -> Result<i64, StoreError> {
        let mut conn = self.pool.acquire().await.map_err(|error| StoreError::of("look for fills", error))?;
        let (feeds, now) = (&self.feeds, self.clock.now());
        let wanted = oracle::wanted(&mut conn, self.source, feeds, from_block, now, most).await?;
        drop(conn);
        let Some((first, others)) = wanted.split_first() else { return Ok(0) };
        // By the first one it is known whether a node serves traces.
        let mut told = vec![self.ask(first).await];
        told.extend(join_all(others.iter().map(|one| self.ask(one))).await);
        for (one, told) in wanted.iter().zip(told) {
            self.write(one, told, priced).await?;
        }
        Ok(i64::try_from(wanted.len()).unwrap_or(i64::MAX))
    }

    /// What is told of one; `Err` where no node answers.
    async fn ask(&self, wanted: &WantedPrice) -> Result<Told, String> {
        let node = self.nodes.ready().await.map_err(|fault| fault.to_string())?;
        let traces = !self.is_traceless(&node);
        let at = (wanted.tx, wanted.block.hash);
        match pyth::read(&node, at, self.pyth, wanted.feed, traces).await {
            Ok(told) => {
                self.nodes.praise(&node);
                if told.traceless {
                    tracing::info!(node = node.name(), "serves no traces: prices are those after the block");
                    self.traceless
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(node.name().to_owned());
                }
                // Another node may still have what this one has not.
                if told.again {
                    self.nodes.pass(&node);
                }
                Ok(told)
            }
            Err(fault) => {
                self.nodes.blame(&node, &fault);
                Err(fault.to_string())
            }
        }
    }

    fn is_traceless(&self, node: &Node) -> bool {
        self.traceless.lock().unwrap_or_else(PoisonError::into_inner).contains(node.name())
    }

    async fn write(
        &self,
        wanted: &WantedPrice,
        told: Result<Told, String>,
        priced: &mut Priced,
    ) -> Result<(), StoreError> {
        let (method, price, again) = match told {
            Ok(Told { method, price, again, .. }) => (method, price, again),
            Err(why) => (pyth::Method::EndOfBlock, Err(why), true),
        };
        let mut conn = self.pool.acquire().await.map_err(|error| StoreError::of("keep a price", error))?;
        let now = self.clock.now();
        match &price {
            Err(why) if again && wanted.attempts + 1 < ATTEMPTS => {
                let times = 4_i32.saturating_pow(wanted.attempts.unsigned_abs());
                let wait = FIRST_WAIT.checked_mul(times).unwrap_or(FIRST_WAIT);
                let again_at = now.checked_add(wait).unwrap_or(now);
                oracle::later(&mut conn, self.chain, wanted, why, again_at).await?;
                priced.later += 1;
                return Ok(());
            }
            Ok(_) => priced.known += 1,
            Err(_) => priced.missing += 1,
        }
        let price = match &price {
            Ok(price) => Ok((price.price, price.confidence, price.published_at)),
            Err(why) => Err(why.as_str()),
        };
        let told = ToldPrice { method: method.word(), price };
        oracle::keep(&mut conn, self.chain, wanted, &told, now).await
    }
}

impl Loop for Pricer {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let mut conn = self.pool.acquire().await.map_err(|error| StoreError::of("look for fills", error))?;
        let cursor = crate::store::cursors::cursor(&mut conn, self.source).await?;
        drop(conn);
        let from = cursor.map_or(0, |cursor| cursor.at.number.saturating_sub(WINDOW));
        let asked = self.some(from, A_TIME, &mut Priced::default()).await?;
        Ok(if asked == 0 { Step::Idle } else { Step::Moved })
    }
}
