//! Brings exposure below its threshold, order by order, each exactly once.
//!
//! - [`hedger`]: decides, plans and sends
//! - [`tracker`]: finds what was sent without an answer, hears what became of orders, books executions
//! - [`watcher`]: asks venues ahead for what decisions need, and looks for what is not ours
//! - [`dispatch`]: what is done with one order: send, find, settle
//! - [`brokers`]: the venues, as they are configured
//! - [`acts`]: what a person does to orders
//! - [`seat`]: a venue and what was last heard of it; [`lanes`]: one task an order; [`lease`]: who may
//!
//! Always true: an order is `sent` in the books before a byte leaves; what may exist
//! is asked after until there is evidence; a symbol with an order that is not closed
//! gets no second hedge (the database's own law); exposure is sized from our books,
//! never from what a broker says it holds.

pub mod acts;
pub mod brokers;
pub mod dispatch;
pub mod hedger;
pub mod lanes;
pub mod lease;
pub mod seat;
pub mod tracker;
pub mod watcher;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sqlx::{PgPool, Postgres, Transaction, pool::PoolConnection};

use super::{Bell, Loop, Step};
use crate::{
    assets::Asset,
    book::coverage::Verdict,
    policy::Limits,
    store::{
        StoreError,
        cursors::SourceId,
        exposure::Depth,
        lease::Fence,
        orders::VenueId,
        venues::{self, Stray},
    },
    time::Clock,
    venue::{Venue, VenueSettings},
};
use hedger::Hedger;
use lanes::Lanes;
use lease::Holding;
use seat::Seat;
use tracker::Tracker;
use watcher::Watcher;

/// A source whose fills are hedged.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its number in the tables.
    pub source: SourceId,
    /// Its first block.
    pub from_block: u64,
    /// How deep a fill must lie.
    pub depth: Depth,
    /// How well it must be believed.
    pub believe: Verdict,
}

/// How a share is hedged.
#[derive(Clone, Debug)]
pub struct Hedged {
    /// The share.
    pub asset: Asset,
    /// Where.
    pub venue: VenueId,
    /// Whether outside the regular session too.
    pub extended: bool,
}

/// How often what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at an order that works for longer than a minute.
    pub poll: Duration,
    /// At most so much is added, another for each order.
    pub jitter: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { poll: Duration::from_secs(15), jitter: Duration::from_secs(5) }
    }
}

/// All that hedging works with.
#[derive(Debug)]
pub struct Trading {
    /// The books.
    pub pool: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// Whose fills.
    pub feeds: Vec<Feed>,
    /// Where.
    pub seats: BTreeMap<VenueId, Seat>,
    /// How each share is hedged, by ticker.
    pub assets: BTreeMap<String, Hedged>,
    /// What no intent may exceed.
    pub limits: Limits,
    /// How often what is asked for.
    pub pace: Pace,
    /// Whether it is ours to act.
    pub lease: Holding,
    /// One task an order.
    pub lanes: Lanes,
    /// Rung when there may be something to do.
    pub bell: Bell,
}

impl Trading {
    /// A connection to the books.
    async fn connection(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(|error| StoreError::of("open a connection", error))
    }

    /// A transaction.
    async fn begin(&self) -> Result<Transaction<'_, Postgres>, StoreError> {
        self.pool.begin().await.map_err(|error| StoreError::of("begin a transaction", error))
    }

    /// The lease, while it is ours.
    fn fence(&self) -> Option<Fence> {
        self.lease.borrow().and_then(lease::Held::fence)
    }

    fn seat(&self, venue: VenueId) -> Option<&Seat> {
        self.seats.get(&venue)
    }

    /// Says which symbols a venue is to be asked about: all that may have to be traded there, so
    /// that the first fill of one finds them known.
    fn want(&self, seat: &Seat) {
        let here = self.assets.iter().filter(|(_, hedged)| hedged.venue == seat.id);
        seat.want(here.map(|(symbol, _)| symbol.clone()).collect());
    }

    /// Asks every venue for whatever a decision needs; nothing is written.
    pub async fn ask_around(&self) {
        for seat in self.seats.values() {
            self.want(seat);
            seat.listen(&self.clock).await;
            seat.scanned();
        }
    }

    /// Recovers, polls, decides and sends until there is nothing left to do now; says
    /// whether anything was done.
    ///
    /// # Errors
    /// The database.
    pub async fn settle(self: &Arc<Self>) -> Result<bool, StoreError> {
        let (mut watcher, mut tracker, mut hedger) =
            (Watcher::new(Arc::clone(self)), Tracker::new(Arc::clone(self)), Hedger::new(Arc::clone(self)));
        let mut moved = false;
        loop {
            let mut again = false;
            watcher.converge().await?;
            for step in [tracker.converge().await?, {
                self.lanes.finish().await;
                hedger.converge().await?
            }] {
                again |= step == Step::Moved;
            }
            self.lanes.finish().await;
            self.lanes.reap()?;
            if !again {
                return Ok(moved);
            }
            moved = true;
        }
    }
}

async fn commit(tx: Transaction<'_, Postgres>) -> Result<(), StoreError> {
    tx.commit().await.map_err(|error| StoreError::of("commit", error))
}

/// Takes the seats at these venues. Venues of before with live orders are named: nothing may
/// be sent elsewhere while something is open there.
///
/// # Errors
/// The database.
pub async fn take_seats(
    pool: &PgPool,
    venues: Vec<(VenueSettings, Arc<dyn Venue>)>,
) -> Result<(BTreeMap<VenueId, Seat>, Vec<Stray>), StoreError> {
    let mut conn = pool.acquire().await.map_err(|error| StoreError::of("open a connection", error))?;
    let mut seats = BTreeMap::new();
    for (settings, venue) in venues {
        let (broker, environment) = (settings.broker.word(), settings.environment.word());
        let id = venues::venue(&mut conn, &settings.name, broker, environment).await?;
        seats.insert(id, Seat::new(id, settings.mark(), venue));
    }
    let ids: Vec<VenueId> = seats.keys().copied().collect();
    let strays = venues::strays(&mut conn, &ids).await?;
    Ok((seats, strays))
}
