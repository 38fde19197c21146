//! What is done with one order: it is sent, found again, and settled.
//!
//! Each function reads the order anew under its lock before it moves it, so that
//! doing it twice does it once. Which moves there are is `book::order`'s.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

use super::{Seat, Trading, commit};
use crate::{
    book::{
        execution::Execution,
        order::{Close, Move, OrderId, Refusal, Report, State, Status, Terms, Ticket},
    },
    observe,
    store::{
        StoreError,
        exposure::Act,
        halts,
        orders::{self, Because, Elsewhere, Event, Order, Owner},
        venues,
    },
    time::Session,
    venue::{Of, Recovery, VenueError},
};

/// Who acts when `hedge` itself does.
pub(super) const OURSELVES: &str = "hedge";

/// For so long a refusal of a second try says nothing of the first, which may still be on its way.
const STILL_ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(60);
/// A working order that the broker does not know any more is doubted after so many reads …
const LOST_READS: u32 = 3;
/// … over so long.
const LOST_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// … none of them longer ago than this.
const LOST_WITHIN: SignedDuration = SignedDuration::from_mins(2);
/// An order that does not fill for so long while the market is open is stuck.
const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// In its first minute an order is looked at this often, or more.
pub(super) const FIRST_LOOKS: SignedDuration = SignedDuration::from_secs(5);
/// A limit order outside the regular session is priced anew after so long.
const REPRICE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Is the broker's order the one that we asked for? Says how not.
fn differs(ticket: &Ticket, report: &Report) -> Option<String> {
    let same = report.symbol == ticket.symbol
        && report.side == ticket.side
        && report.quantity.is_none_or(|quantity| quantity == ticket.quantity)
        && report.client_id.as_ref().is_none_or(|id| *id == ticket.client_id);
    (!same).then(|| {
        format!(
            "asked for {} {} {}, the broker has {} {} {} as {}",
            ticket.side,
            ticket.quantity,
            ticket.symbol,
            report.side,
            report.quantity.unwrap_or_default(),
            report.symbol,
            report.broker_id,
        )
    })
}

impl Trading {
    /// Sends a planned order.
    pub(super) async fn send(self: Arc<Self>, order: Order) -> Result<(), StoreError> {
        let (Some(seat), Some(fence)) = (self.seat(order.venue), self.fence()) else { return Ok(()) };
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        if crate::store::lease::hold(&mut tx, fence).await?.is_err() {
            return Ok(());
        }
        if halted(&mut tx, &order.ticket.symbol).await? {
            return Ok(());
        }
        let held = seat.account().map(|account| {
            account.holdings.get(&order.ticket.symbol).map(|holding| holding.quantity).unwrap_or_default()
        });
        let event = Event::new("sent", format!("to {}, as {}", seat.venue.name(), order.ticket.client_id));
        let because = Because { held, ..Because::default() };
        let Ok(state) = orders::advance(&mut tx, &order, Move::Send, because, &event, now).await? else {
            return Ok(());
        };
        commit(tx).await?;
        let order = Order { state, sent_at: Some(now), ..order };
        self.submit(seat, order, false).await
    }

    /// Lets an order leave that the books have as sent.
    async fn submit(&self, seat: &Seat, order: Order, again: bool) -> Result<(), StoreError> {
        // Between the commit and here the lease may have run out, and another process looks for
        // the order already.
        if self.fence().is_none() {
            return Ok(());
        }
        observe::sent(order.id, &order.ticket, again);
        let answer = seat.venue.submit(&order.ticket).await;
        let now = self.clock.now();
        let error = match answer {
            Ok(report) => return self.accept(seat, &order, report).await,
            Err(error) => error,
        };
        seat.note_act(&error, now);
        match error {
            VenueError::Refused { why, said, .. } => {
                let young = order.sent_at.is_some_and(|sent| now.duration_since(sent) < STILL_ON_ITS_WAY);
                if again && young {
                    let event = Event::with(
                        "unanswered",
                        "a second try was refused; the first may still arrive",
                        &said,
                    );
                    return self.note(&order, &event).await;
                }
                self.refuse(seat, &order, why, &said).await
            }
            error @ VenueError::Unanswered { .. } => {
                observe::unanswered(order.id, &error.to_string());
                self.note(&order, &Event::new("unanswered", error.to_string())).await
            }
            error @ (VenueError::Throttled { .. }
            | VenueError::Unreachable { .. }
            | VenueError::Unauthorized { .. }) => {
                let event = Event::new("not sent", error.to_string());
                if again {
                    return self.note(&order, &event).await;
                }
                self.move_on(&order, Move::Unsend, Because::default(), &event).await.map(|_| ())
            }
        }
    }

    /// The broker says which order it made of ours. One without an id of ours it may well mistake for
    /// an earlier one that looks the same: then ours is still to be found.
    async fn accept(&self, seat: &Seat, order: &Order, report: Report) -> Result<(), StoreError> {
        if matches!(seat.venue.recovery(), Recovery::ByFingerprint { .. }) {
            let mut conn = self.connection().await?;
            let owner = orders::whose(&mut conn, seat.id, &report.broker_id).await?;
            if let Some(owner) = owner.filter(|owner| owner.order != order.id) {
                let why = format!("it was named {}, which is order {}", report.broker_id, owner.order);
                observe::unanswered(order.id, &why);
                drop(conn);
                return self.note(order, &Event::with("unanswered", why, &report.said)).await;
            }
        }
        self.take_over(seat, order, report, "accepted").await
    }

    /// Moves an order, with what that rests on; nothing is written where somebody else moved it.
    pub(super) async fn move_on(
        &self,
        order: &Order,
        mv: Move,
        because: Because,
        event: &Event<'_>,
    ) -> Result<Result<State, Elsewhere>, StoreError> {
        let mut tx = self.begin().await?;
        let moved = orders::advance(&mut tx, order, mv, because, event, self.clock.now()).await?;
        commit(tx).await?;
        Ok(moved)
    }

    async fn note(&self, order: &Order, event: &Event<'_>) -> Result<(), StoreError> {
        let mut conn = self.connection().await?;
        orders::note(&mut conn, order.id, order.state, event, self.clock.now()).await
    }

    /// The same, where it was not said before; says whether it was new.
    async fn note_once(&self, order: &Order, event: &Event<'_>) -> Result<bool, StoreError> {
        let mut conn = self.connection().await?;
        if orders::told(&mut conn, order.id, event).await? {
            return Ok(false);
        }
        orders::note(&mut conn, order.id, order.state, event, self.clock.now()).await?;
        Ok(true)
    }

    async fn refuse(&self, seat: &Seat, order: &Order, why: Refusal, said: &str) -> Result<(), StoreError> {
        observe::refused(order.id, why.word(), said);
        let cash = seat.account().map(|account| account.cash);
        let because = Because { refusal: Some(why), cash, ..Because::default() };
        let event = Event::with("closed", format!("refused: {}", why.word()), said);
        self.move_on(order, Move::Close(Close::Refused), because, &event).await.map(|_| ())
    }

    /// The evidence contradicts itself: a person looks.
    async fn doubt(&self, order: &Order, why: &str, said: &str) -> Result<(), StoreError> {
        let event = Event::with("doubted", why, said);
        if self.move_on(order, Move::Doubt, Because::default(), &event).await?.is_ok() {
            observe::doubted(order.id, &order.ticket.symbol, why);
        }
        Ok(())
    }

    /// The broker has the order: from now on it is the broker's word that counts.
    pub(super) async fn take_over(
        &self,
        seat: &Seat,
        order: &Order,
        report: Report,
        word: &'static str,
    ) -> Result<(), StoreError> {
        if let Some(how) = differs(&order.ticket, &report) {
            return self.doubt(order, &how, &report.said).await;
        }
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let Some(order) = open(&mut tx, order.id).await? else { return Ok(()) };
        let owner = orders::own(&mut tx, &order, &report, now).await?;
        if owner != order.id {
            tx.rollback().await.ok();
            return self.doubt(&order, &format!("the broker's order is that of {owner}"), &report.said).await;
        }
        let event = Event::with(word, format!("{} at {}", report.word, report.broker_id), &report.said);
        let Ok(state) =
            orders::advance(&mut tx, &order, Move::Accept, Because::default(), &event, now).await?
        else {
            return Ok(());
        };
        commit(tx).await?;
        observe::accepted(order.id, &report);
        let order =
            Order { state, broker_id: Some(report.broker_id.clone()), accepted_at: Some(now), ..order };
        self.settle_with(seat, order, report).await
    }

    /// Looks for an order that was sent and not answered.
    pub(super) async fn find(self: Arc<Self>, order: Order) -> Result<(), StoreError> {
        let (Some(seat), Some(sent_at)) = (self.seat(order.venue), order.sent_at) else { return Ok(()) };
        let mut conn = self.connection().await?;
        let owned = venues::owned(&mut conn, seat.id, sent_at - SignedDuration::from_hours(1)).await?;
        drop(conn);
        let found = match seat.venue.search(&order.ticket, seat.theirs(sent_at), &owned).await {
            Ok(found) => found,
            Err(error) => {
                seat.note(&error, self.clock.now());
                return Ok(());
            }
        };
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(report), None) => self.take_over(seat, &order, report, "found").await,
            (Some(one), Some(two)) => {
                let why = format!("{} and {} both look like it", one.broker_id, two.broker_id);
                self.doubt(&order, &why, &one.said).await
            }
            (None, _) => self.missed(seat, order).await,
        }
    }

    /// A search found nothing: often enough, and it is sent again, or was never placed.
    async fn missed(&self, seat: &Seat, order: Order) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.note(&order, &Event::new("searched", "the broker has no such order")).await?;
        let mut conn = self.connection().await?;
        let (reads, first) = orders::searches(&mut conn, order.id, order.planned_at).await?;
        drop(conn);
        let for_so_long = first.map(|first| now.duration_since(first)).unwrap_or_default();
        match seat.venue.recovery() {
            Recovery::ByClientId { reads: enough, grace } => {
                if reads >= enough && for_so_long >= signed(grace) {
                    return self.send_again(seat, order).await;
                }
            }
            Recovery::ByFingerprint { reads: enough, quiet } => {
                if reads >= enough && for_so_long >= signed(quiet) {
                    return self.never_placed(seat, &order, reads, for_so_long).await;
                }
            }
        }
        Ok(())
    }

    /// Sends an order again under its own id, which the broker takes once.
    async fn send_again(&self, seat: &Seat, order: Order) -> Result<(), StoreError> {
        if self.account_was_reset(seat).await? {
            return Ok(());
        }
        // What must not be sent now is not sent again either: it waits, and is looked for.
        let session = match order.ticket.terms {
            Terms::Market => seat.session(&self.clock) == Some(Session::Regular),
            Terms::ExtendedLimit(_) => {
                seat.session(&self.clock).is_some_and(|session| session != Session::Closed)
            }
        };
        let Some(fence) = self.fence().filter(|_| session) else { return Ok(()) };
        let mut tx = self.begin().await?;
        if crate::store::lease::hold(&mut tx, fence).await?.is_err()
            || halted(&mut tx, &order.ticket.symbol).await?
        {
            return Ok(());
        }
        let event = Event::new("sent again", format!("under the same id: {}", order.ticket.client_id));
        orders::note(&mut tx, order.id, order.state, &event, self.clock.now()).await?;
        commit(tx).await?;
        self.submit(seat, order, true).await
    }

    /// Whether the broker has forgotten what it had: then nothing is sent there any more.
    async fn account_was_reset(&self, seat: &Seat) -> Result<bool, StoreError> {
        let mut conn = self.connection().await?;
        let Some(witness) = venues::witness(&mut conn, seat.id).await? else { return Ok(false) };
        drop(conn);
        match seat.venue.ask(&witness).await {
            Ok(Some(_)) => Ok(false),
            Ok(None) => {
                let why = format!(
                    "{} does not know order {witness} any more, which it had: was the account reset?",
                    seat.venue.name()
                );
                self.halt(None, &why).await?;
                Ok(true)
            }
            Err(error) => {
                seat.note(&error, self.clock.now());
                Ok(true)
            }
        }
    }

    /// Halts a symbol, or everything, in our own name; once.
    pub(super) async fn halt(&self, symbol: Option<&str>, why: &str) -> Result<(), StoreError> {
        let mut conn = self.connection().await?;
        if halts::halts(&mut conn).await?.iter().any(|halt| halt.symbol.as_deref() == symbol) {
            return Ok(());
        }
        let act = Act { author: OURSELVES, reason: why, at: self.clock.now() };
        halts::halt(&mut conn, symbol, act).await?;
        observe::halted(symbol, why);
        Ok(())
    }

    async fn never_placed(
        &self,
        seat: &Seat,
        order: &Order,
        reads: u32,
        quiet: SignedDuration,
    ) -> Result<(), StoreError> {
        let account = match seat.venue.account().await {
            Ok(account) => account,
            Err(error) => {
                seat.note(&error, self.clock.now());
                return Ok(());
            }
        };
        let Ticket { symbol, side, quantity, .. } = &order.ticket;
        let holds = account.holdings.get(symbol).map(|holding| holding.quantity).unwrap_or_default();
        let moved = order.held.and_then(|held| holds.minus(held)) == Some(side.signed(*quantity));
        if moved {
            let why = format!(
                "no order was found, but the account holds {holds} {symbol} now, which is what it would have done"
            );
            return self.doubt(order, &why, "").await;
        }
        let event = Event::new(
            "closed",
            format!(
                "never placed: {reads} searches over {} s found nothing, and the account holds what it held",
                quiet.as_secs()
            ),
        );
        self.move_on(order, Move::Close(Close::NeverPlaced), Because::default(), &event).await.map(|_| ())
    }

    /// Asks what became of a working order, or takes what was told already.
    pub(super) async fn poll(self: Arc<Self>, order: Order, told: Option<Report>) -> Result<(), StoreError> {
        let (Some(seat), Some(broker_id)) = (self.seat(order.venue), order.broker_id.clone()) else {
            return Ok(());
        };
        let answer = match told {
            Some(report) => Ok(Some(report)),
            None => seat.venue.ask(&broker_id).await,
        };
        let report = match answer {
            Ok(Some(report)) => report,
            Ok(None) => return self.lost(&order, &broker_id).await,
            Err(error) => {
                seat.note(&error, self.clock.now());
                return Ok(());
            }
        };
        if report.symbol != order.ticket.symbol || report.side != order.ticket.side {
            let why = format!("the broker's {broker_id} is to {} {}", report.side, report.symbol);
            return self.doubt(&order, &why, &report.said).await;
        }
        let mut conn = self.connection().await?;
        orders::own(&mut conn, &order, &report, self.clock.now()).await?;
        drop(conn);
        self.manage(seat, &order, &report).await?;
        self.settle_with(seat, order, report).await
    }

    /// The broker does not know a working order: after a while that is a doubt.
    async fn lost(&self, order: &Order, broker_id: &str) -> Result<(), StoreError> {
        self.note(order, &Event::new("searched", format!("the broker does not know {broker_id}"))).await?;
        let mut conn = self.connection().await?;
        let (reads, first) = orders::searches(&mut conn, order.id, self.clock.now() - LOST_WITHIN).await?;
        let over = first.map(|first| self.clock.now().duration_since(first)).unwrap_or_default();
        if reads >= LOST_READS && over >= LOST_AFTER {
            let why = format!("the broker had it as {broker_id} and does not know it any more");
            return self.doubt(order, &why, "").await;
        }
        Ok(())
    }

    /// Whatever a living order calls for: a cancel that was asked for, a new price, an alarm.
    async fn manage(&self, seat: &Seat, order: &Order, report: &Report) -> Result<(), StoreError> {
        if !report.known {
            let event = Event::with("strange", format!("the broker says {}", report.word), &report.said);
            if self.note_once(order, &event).await? {
                observe::strange(order.id, &report.word);
            }
        }
        if report.status.is_terminal() {
            return Ok(());
        }
        let now = self.clock.now();
        let age = order.accepted_at.map(|at| now.duration_since(at)).unwrap_or_default();
        let session = seat.session(&self.clock);
        let outlived = match order.ticket.terms {
            Terms::ExtendedLimit(_) if session == Some(Session::Regular) => Some("the regular session is on"),
            Terms::ExtendedLimit(_) if age > REPRICE_AFTER => Some("its price is old"),
            Terms::ExtendedLimit(_) | Terms::Market => None,
        };
        if order.cancel_asked_at.is_some() || outlived.is_some() {
            let why = outlived.unwrap_or("somebody asked for it");
            self.note_once(order, &Event::new("cancel asked", why)).await?;
            if let Err(error) = seat.venue.cancel(&report.broker_id).await {
                // Refused or lost: the next look at the order tells.
                seat.note_act(&error, now);
            }
        } else if age > STUCK_AFTER && session == Some(Session::Regular) {
            let event = Event::with("stuck", format!("{} with the market open", report.word), &report.said);
            if self.note_once(order, &event).await? {
                observe::stuck(order.id, &order.ticket.symbol, &report.word);
            }
        }
        Ok(())
    }

    /// Books what the broker filled, follows where it went on, and closes it once all is booked.
    async fn settle_with(&self, seat: &Seat, order: Order, report: Report) -> Result<(), StoreError> {
        let mut conn = self.connection().await?;
        let told = orders::told_filled(&mut conn, order.id).await?;
        drop(conn);
        if told > order.filled {
            match seat.venue.executions(Of::Order(&report.broker_id)).await {
                Ok(executions) => seat.traded(self.book(&order, executions).await?, self.clock.now()),
                Err(error) => {
                    seat.note(&error, self.clock.now());
                    return Ok(());
                }
            }
        }
        if report.status == Status::Replaced {
            return self.follow(seat, &order, &report).await;
        }
        let why = match report.status {
            Status::Filled => Close::Filled,
            Status::Canceled => Close::Canceled,
            Status::Expired => Close::Expired,
            Status::Rejected => Close::Refused,
            Status::Working | Status::Replaced => return Ok(()),
        };
        self.close(seat, &order, &report, why).await
    }

    /// Books executions of an order, each once; gives those that were new.
    async fn book(&self, order: &Order, executions: Vec<Execution>) -> Result<Vec<Execution>, StoreError> {
        let now = self.clock.now();
        let owner = Some(Owner { order: order.id, side: order.ticket.side, closed: false });
        let mut tx = self.begin().await?;
        let Some(order) = open(&mut tx, order.id).await? else { return Ok(Vec::new()) };
        let mut booked = Vec::new();
        for execution in executions {
            if orders::book(&mut tx, order.venue, owner, &execution, now).await? {
                booked.push(execution);
            }
        }
        for execution in &booked {
            let Execution { id, quantity, price, symbol, .. } = execution;
            let event = Event::new("executed", format!("{quantity} {symbol} at {price}: {id}"));
            orders::note(&mut tx, order.id, order.state, &event, now).await?;
        }
        commit(tx).await?;
        for execution in &booked {
            if execution.corrects.is_some() {
                observe::taken_back(execution);
            } else {
                observe::executed(order.id, execution);
            }
        }
        Ok(booked)
    }

    /// The broker goes on under another id: so do we.
    async fn follow(&self, seat: &Seat, order: &Order, report: &Report) -> Result<(), StoreError> {
        let Some(next) = &report.replaced_by else {
            let event = Event::with("strange", "replaced, and by nothing", &report.said);
            self.note_once(order, &event).await?;
            return Ok(());
        };
        match seat.venue.ask(next).await {
            Ok(Some(next)) => {
                let mut conn = self.connection().await?;
                orders::own(&mut conn, order, &next, self.clock.now()).await?;
                let detail = format!("goes on as {}", next.broker_id);
                self.note_once(order, &Event::with("strange", detail, &next.said)).await?;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => {
                seat.note(&error, self.clock.now());
                Ok(())
            }
        }
    }

    /// Closes an order that will never fill again, once the books have all that it filled.
    async fn close(&self, seat: &Seat, order: &Order, report: &Report, why: Close) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let Some(order) = open(&mut tx, order.id).await? else { return Ok(()) };
        let told = orders::told_filled(&mut tx, order.id).await?;
        // A terminal report that does not say what it filled says nothing; and what the broker
        // filled is waited for until its executions are told.
        let unknown = report.filled.is_none() && why != Close::Refused;
        if unknown || order.filled != told {
            return Ok(());
        }
        if why == Close::Filled && order.filled < order.ticket.quantity {
            tx.rollback().await.ok();
            let why =
                format!("filled, says the broker, and of {} only {}", order.ticket.quantity, order.filled);
            return self.doubt(&order, &why, &report.said).await;
        }
        let reason = report.reason.as_deref().unwrap_or_default();
        let detail = match reason {
            "" => format!("{}: {} of {} filled", why.word(), order.filled, order.ticket.quantity),
            _ => format!("{}: {} of {} filled: {reason}", why.word(), order.filled, order.ticket.quantity),
        };
        let refused = why == Close::Refused;
        let because = Because {
            refusal: refused.then(|| meant(reason)),
            cash: seat.account().map(|account| account.cash).filter(|_| refused),
            held: None,
        };
        let event = Event::with("closed", detail, &report.said);
        let moved = orders::advance(&mut tx, &order, Move::Close(why), because, &event, now).await?;
        commit(tx).await?;
        if moved.is_ok() {
            observe::closed(order.id, why.word(), order.filled);
            if order.filled > order.ticket.quantity {
                observe::overfilled(order.id, order.ticket.quantity, order.filled);
            }
            self.bell.ring();
        }
        Ok(())
    }
}

/// An order as it is now, which nobody else moves meanwhile; none where somebody closed it:
/// a person, or a process whose lease ran out as it was answered.
async fn open(conn: &mut PgConnection, id: OrderId) -> Result<Option<Order>, StoreError> {
    Ok(orders::read(conn, id).await?.filter(|order| !matches!(order.state, State::Closed(_))))
}

/// What a broker's words mean that it says when it rejects an order it had taken.
fn meant(reason: &str) -> Refusal {
    let reason = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if says(&["fund", "buying power", "cash", "balance"]) {
        Refusal::Funds
    } else if says(&["tradable", "tradeable", "halted", "suspended"]) {
        Refusal::NotTradable
    } else {
        Refusal::Other
    }
}

fn signed(time: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// Whether a symbol may not be sent for now.
async fn halted(conn: &mut PgConnection, symbol: &str) -> Result<bool, StoreError> {
    let halts = halts::halts(conn).await?;
    Ok(halts.iter().any(|halt| halt.symbol.as_deref().is_none_or(|halted| halted == symbol)))
}

/// When an order that works, or is looked for, is asked after next.
pub(super) fn next_look(
    order: &Order,
    now: Timestamp,
    poll: SignedDuration,
    jitter: SignedDuration,
) -> Timestamp {
    let since = order.sent_at.unwrap_or(order.planned_at);
    // Another for each order and each time, and the same again when it is replayed.
    let spread = (order.id.0.wrapping_mul(7_919) + now.as_second()).rem_euclid(1_000);
    let part = |of: SignedDuration| {
        SignedDuration::from_millis(i64::try_from(of.as_millis()).unwrap_or(0) * spread / 1_000)
    };
    let wait = if now.duration_since(since) < SignedDuration::from_secs(60) {
        let least = SignedDuration::from_secs(2);
        least.min(poll) + part((FIRST_LOOKS - least).min(poll))
    } else {
        poll + part(jitter)
    };
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Whether an order has left, or may have.
pub(super) fn is_out(order: &Order) -> bool {
    match order.state {
        State::Sent | State::Working | State::Ambiguous => true,
        State::Planned | State::Closed(_) => false,
    }
}
