//! Hears what became of orders: finds what was sent without an answer, polls what
//! works, books what was executed.
//!
//! One chain of looks an order, each in a lane of its own: two to five seconds apart
//! in the first minute, then as configured. Many at one venue are asked for at once.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::{
    Trading,
    dispatch::{FIRST_LOOKS, next_look},
};
use crate::{
    book::order::{OrderId, State},
    engine::{Loop, Step},
    store::{
        StoreError,
        orders::{self, Order, VenueId},
    },
};

/// From so many due orders at one venue on they are asked for together.
const TOGETHER: usize = 8;

/// Follows the live orders.
#[derive(Debug)]
pub struct Tracker {
    trading: Arc<Trading>,
    due: BTreeMap<OrderId, Timestamp>,
}

impl Tracker {
    /// A tracker that has looked at none yet.
    pub fn new(trading: Arc<Trading>) -> Self {
        Self { trading, due: BTreeMap::new() }
    }
}

impl Loop for Tracker {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let trading = &self.trading;
        trading.lanes.reap()?;
        if trading.fence().is_none() {
            return Ok(Step::Idle);
        }
        let now = trading.clock.now();
        let mut conn = trading.connection().await?;
        let live = orders::live(&mut conn).await?;
        drop(conn);
        self.due.retain(|id, _| live.iter().any(|order| order.id == *id));
        let mut working: BTreeMap<VenueId, Vec<Order>> = BTreeMap::new();
        let mut moved = false;
        let signed = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        let longest = signed(trading.pace.poll.saturating_add(trading.pace.jitter)).max(FIRST_LOOKS);
        for order in live {
            let looked_for = matches!(order.state, State::Sent | State::Working);
            // What would wait for longer than ever was meant: the clock was set back.
            let waits =
                self.due.get(&order.id).is_some_and(|due| *due > now && due.duration_since(now) <= longest);
            if !looked_for || waits || trading.lanes.busy(order.id) {
                continue;
            }
            let rests = trading.seat(order.venue).is_none_or(|seat| seat.silence(now).is_some());
            if rests {
                continue;
            }
            let next = next_look(&order, now, signed(trading.pace.poll), signed(trading.pace.jitter));
            self.due.insert(order.id, next);
            moved = true;
            if order.state == State::Sent {
                trading.lanes.run(&[order.id], Arc::clone(trading).find(order));
            } else {
                working.entry(order.venue).or_default().push(order);
            }
        }
        for (venue, orders) in working {
            if orders.len() >= TOGETHER {
                let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
                trading.lanes.run(&ids, Arc::clone(trading).poll_together(venue, orders));
            } else {
                for order in orders {
                    trading.lanes.run(&[order.id], Arc::clone(trading).poll(order, None));
                }
            }
        }
        Ok(if moved { Step::Moved } else { Step::Idle })
    }
}

impl Trading {
    /// Asks after many orders of one venue with one question; what it does not answer is asked for alone.
    async fn poll_together(self: Arc<Self>, venue: VenueId, orders: Vec<Order>) -> Result<(), StoreError> {
        let Some(seat) = self.seat(venue) else { return Ok(()) };
        let oldest =
            orders.iter().filter_map(|order| order.sent_at).min().unwrap_or_else(|| self.clock.now());
        let since = seat.theirs(oldest) - SignedDuration::from_mins(1);
        let told = match seat.venue.orders(since).await {
            Ok(told) => told,
            Err(error) => {
                let now = self.clock.now();
                seat.note(&error, now);
                if seat.silence(now).is_some() {
                    return Ok(());
                }
                Vec::new()
            }
        };
        let mut told: BTreeMap<String, _> =
            told.into_iter().map(|report| (report.broker_id.clone(), report)).collect();
        for order in orders {
            let report = order.broker_id.as_ref().and_then(|id| told.remove(id));
            Arc::clone(&self).poll(order, report).await?;
        }
        Ok(())
    }
}
