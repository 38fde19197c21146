//! Asks venues ahead for what decisions need, and looks for what happened there
//! without us: an order that our books forgot, another hand's, a trade taken back.
//! Calls for a person before a login ends.
//!
//! Nothing is planned at a venue before the first look at what happened there.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use sqlx::{Postgres, Transaction};

use super::{
    Seat, Trading, commit,
    dispatch::{OURSELVES, is_out},
};
use crate::{
    book::{
        execution::Execution,
        order::{Move, Purpose, Report, State, Terms, Ticket},
    },
    engine::{Loop, Step},
    observe,
    store::{
        StoreError, credentials,
        orders::{self, Because, Event, Order, Plan, VenueId},
        venues,
    },
    time::age,
    venue::{Of, Recovery, schwab::Standing},
};

/// How often it is looked for what happened without us.
const SCAN_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How far looks overlap: brokers tell late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// How often it is looked how old logins are.
const LOGINS_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Watches the venues.
#[derive(Debug)]
pub struct Watcher {
    trading: Arc<Trading>,
    scanned: BTreeMap<VenueId, Timestamp>,
    logins_seen: Option<Timestamp>,
}

impl Watcher {
    /// A watcher that has looked at none yet.
    pub fn new(trading: Arc<Trading>) -> Self {
        Self { trading, scanned: BTreeMap::new(), logins_seen: None }
    }
}

impl Loop for Watcher {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let trading = &self.trading;
        let Some(_) = trading.fence() else { return Ok(Step::Idle) };
        let now = trading.clock.now();
        if self.logins_seen.is_none_or(|at| age(at, now) >= LOGINS_EVERY) {
            trading.look_at_logins(now).await?;
            self.logins_seen = Some(now);
        }
        let mut news = false;
        for seat in trading.seats.values() {
            trading.want(seat);
            news |= seat.listen(&trading.clock).await;
            trading.meet(seat).await?;
            let now = trading.clock.now();
            let due = self.scanned.get(&seat.id).is_none_or(|at| age(*at, now) >= SCAN_EVERY);
            if (due || !seat.is_scanned()) && seat.silence(now).is_none() && trading.scan(seat, now).await? {
                self.scanned.insert(seat.id, now);
                news |= !seat.is_scanned();
                seat.scanned();
            }
        }
        if news {
            trading.bell.ring();
        }
        Ok(Step::Idle)
    }
}

impl Trading {
    /// The account must be the one that was met first.
    async fn meet(&self, seat: &Seat) -> Result<(), StoreError> {
        let Some(account) = seat.account() else { return Ok(()) };
        let mut conn = self.connection().await?;
        venues::met(&mut conn, seat.id, &account.id).await?;
        let known = venues::account(&mut conn, seat.id).await?;
        drop(conn);
        if known.is_some_and(|known| known != account.id) {
            let why = format!(
                "the account at {} is another one than before: was it reset, or are these other keys?",
                seat.venue.name()
            );
            self.halt(None, &why).await?;
        }
        Ok(())
    }

    /// Calls for a person in good time before a login ends: nothing can be hedged there after it.
    async fn look_at_logins(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut conn = self.connection().await?;
        for login in credentials::list(&mut conn).await? {
            if !self.seats.values().any(|seat| seat.venue.name() == login.venue) {
                continue;
            }
            match Standing::of(login.login_at, now) {
                Standing::Fine => {}
                Standing::Warn => observe::login_ages(&login.venue, login.login_at),
                Standing::Page | Standing::Over => observe::login_ends(&login.venue, login.login_at),
            }
        }
        Ok(())
    }

    /// Looks for what happened at a venue since the last look; false where it did not tell.
    async fn scan(&self, seat: &Seat, now: Timestamp) -> Result<bool, StoreError> {
        // What they did is kept by their clock.
        let theirs = seat.theirs(now);
        let mut conn = self.connection().await?;
        let since = venues::scanned_to(&mut conn, seat.id).await?.unwrap_or(theirs) - OVERLAP;
        drop(conn);
        let told =
            async { Ok((seat.venue.orders(since).await?, seat.venue.executions(Of::Since(since)).await?)) };
        let (reports, executions) = match told.await {
            Ok(told) => told,
            Err(error) => {
                seat.note(&error, self.clock.now());
                return Ok(false);
            }
        };
        let mut all = true;
        for report in reports {
            all &= self.recognize(seat, report, now).await?;
        }
        for execution in executions {
            self.attribute(seat, &execution, now).await?;
        }
        if all {
            let mut conn = self.connection().await?;
            venues::scanned(&mut conn, seat.id, theirs).await?;
        }
        Ok(true)
    }

    /// Whose is an order at the broker? Ours that we forgot is taken in; another's is written
    /// down. False where that cannot be told yet.
    async fn recognize(&self, seat: &Seat, report: Report, now: Timestamp) -> Result<bool, StoreError> {
        let mut conn = self.connection().await?;
        if let Some(owner) = orders::whose(&mut conn, seat.id, &report.broker_id).await? {
            if let Some(filled) = report.filled.filter(|_| owner.closed) {
                orders::told_late(&mut conn, seat.id, &report.broker_id, filled).await?;
            }
            return Ok(true);
        }
        if venues::is_foreign(&mut conn, seat.id, &report.broker_id).await? {
            return Ok(true);
        }
        if let Some(client_id) = &report.client_id {
            let ours = format!("hedge-{}-{}-", seat.mark, venues::deployment(&mut conn).await?);
            let known = match orders::under(&mut conn, client_id).await? {
                Some(id) => orders::read(&mut conn, id).await?,
                None => None,
            };
            match known {
                // Books that were restored have as a plan what left after they were saved.
                Some(order) if order.state == State::Planned => {
                    drop(conn);
                    return self.remember(seat, Some(order), &report, now).await.map(|()| true);
                }
                Some(_) => return Ok(true),
                None if client_id.starts_with(&ours) => {
                    drop(conn);
                    return self.remember(seat, None, &report, now).await.map(|()| true);
                }
                None => {}
            }
        }
        // It may be one of ours that is being looked for, or what the broker put in its place.
        let live = orders::live(&mut conn).await?;
        let here = |order: &&Order| order.venue == seat.id && order.ticket.symbol == report.symbol;
        if live.iter().filter(here).any(is_out) {
            return Ok(false);
        }
        if venues::foreign(&mut conn, seat.id, &report, now).await? {
            drop(conn);
            observe::foreign(seat.venue.name(), &report);
            if matches!(seat.venue.recovery(), Recovery::ByFingerprint { .. }) {
                let why = format!(
                    "order {} at {}, {} {} {}, is not ours as far as we know: make good there what it did, or \
                     `hedge adopt` it for an order in doubt, then `hedge resume {}`",
                    report.broker_id,
                    seat.venue.name(),
                    report.side,
                    report.quantity.unwrap_or_default(),
                    report.symbol,
                    report.symbol
                );
                self.halt(Some(&report.symbol), &why).await?;
            }
        }
        Ok(true)
    }

    /// An order of ours of which the books do not have that it left, or nothing at all: they
    /// were restored from before it. From now on it is looked for like any other.
    async fn remember(
        &self,
        seat: &Seat,
        planned: Option<Order>,
        report: &Report,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let order = match planned {
            Some(order) => Some(order),
            None => self.write_down(&mut tx, seat, report, now).await?,
        };
        let Some(order) = order else { return Ok(()) };
        let event = Event::with("sent", "by a process whose books were lost", &report.said);
        // Should somebody else have moved it, then it is not forgotten any more.
        let _ = orders::advance(&mut tx, &order, Move::Send, Because::default(), &event, now).await?;
        commit(tx).await
    }

    /// Plans what the broker has already.
    async fn write_down(
        &self,
        tx: &mut Transaction<'_, Postgres>,
        seat: &Seat,
        report: &Report,
        now: Timestamp,
    ) -> Result<Option<Order>, StoreError> {
        let (Some(fence), Some(client_id), Some(quantity)) =
            (self.fence(), report.client_id.clone(), report.quantity)
        else {
            return Ok(None);
        };
        let ticket = Ticket {
            client_id,
            symbol: report.symbol.clone(),
            side: report.side,
            quantity,
            terms: Terms::Market,
        };
        let plan = Plan {
            venue: seat.id,
            ticket: &ticket,
            purpose: Purpose::Manual,
            exposure: None,
            reference: None,
            asked: Some((OURSELVES, "found at the broker under an id of ours; the books did not have it")),
            fence,
            seen: orders::newest(tx).await?,
            covers: &[],
            now,
        };
        match orders::plan(tx, &plan).await? {
            Some(id) => orders::read(tx, id).await,
            None => Ok(None),
        }
    }

    /// Whose is an execution? Of ours that are still live the tracker books; what comes after the
    /// end, a correction or a bust is booked here, and another's is kept without an order.
    async fn attribute(&self, seat: &Seat, execution: &Execution, now: Timestamp) -> Result<(), StoreError> {
        let Some(broker_id) = &execution.broker_order_id else { return Ok(()) };
        let mut tx = self.begin().await?;
        let owner = orders::whose(&mut tx, seat.id, broker_id).await?;
        if owner.is_none() && !venues::is_foreign(&mut tx, seat.id, broker_id).await? {
            return Ok(());
        }
        // A trade of a live order is the tracker's: it closes the order by it.
        if owner.is_some_and(|owner| !owner.closed) && execution.corrects.is_none() {
            return Ok(());
        }
        let new = orders::book(&mut tx, seat.id, owner, execution, now).await?;
        commit(tx).await?;
        if new && owner.is_some() {
            observe::taken_back(execution);
            self.bell.ring();
        }
        Ok(())
    }
}
