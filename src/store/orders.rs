//! Orders, their events, and the executions that are booked on them.
//!
//! Every move is a compare-and-set beside its evidence, in one transaction: of two
//! who move an order one is told [`Elsewhere`]. An execution is booked once, under
//! the broker's own id.

use jiff::Timestamp;
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgRow};

use super::{
    StoreError, clean,
    exposure::{Part, Unit},
    lease::Fence,
    types::At,
};
use crate::{
    book::{
        execution::Execution,
        fill::Side,
        order::{Close, IllegalMove, Move, OrderId, Purpose, Refusal, Report, State, Terms, Ticket},
    },
    policy::Mark,
    units::{Price, Shares, Usd},
};

/// The number of a venue in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VenueId(pub i32);

/// An order as it stands in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Where.
    pub venue: VenueId,
    /// What was asked.
    pub ticket: Ticket,
    /// What for.
    pub purpose: Purpose,
    /// Dollars a share that it was sized by.
    pub reference: Option<Price>,
    /// What the account held of the share when it was sent, where that was known.
    pub held: Option<Shares>,
    /// How far it got.
    pub state: State,
    /// Shares filled and booked.
    pub filled: Shares,
    /// The broker's id of it, the last one where it has had several.
    pub broker_id: Option<String>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When it left.
    pub sent_at: Option<Timestamp>,
    /// When the broker was seen to have it.
    pub accepted_at: Option<Timestamp>,
    /// When somebody asked that it be cancelled.
    pub cancel_asked_at: Option<Timestamp>,
}

fn unreadable(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} is not one that this hedge knows").into())
}

fn order(row: &PgRow) -> Result<Order, sqlx::Error> {
    let side: &str = row.try_get("side")?;
    let purpose: &str = row.try_get("purpose")?;
    let state: &str = row.try_get("state")?;
    let why: Option<&str> = row.try_get("why")?;
    let limit: Option<Price> = row.try_get("limit_price")?;
    let at = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<At>, _>(column)?.map(|at| at.0));
    let close = why.and_then(|why| Close::ALL.into_iter().find(|close| close.word() == why));
    Ok(Order {
        id: OrderId(row.try_get("id")?),
        venue: VenueId(row.try_get("venue_id")?),
        ticket: Ticket {
            client_id: row.try_get("client_order_id")?,
            symbol: row.try_get("symbol")?,
            side: Side::named(side).ok_or_else(|| unreadable(side))?,
            quantity: row.try_get("quantity")?,
            terms: limit.map_or(Terms::Market, Terms::ExtendedLimit),
        },
        purpose: Purpose::ALL
            .into_iter()
            .find(|known| known.word() == purpose)
            .ok_or_else(|| unreadable(purpose))?,
        reference: row.try_get("reference_price")?,
        held: row.try_get("held")?,
        state: match (state, close) {
            ("planned", None) => State::Planned,
            ("sent", None) => State::Sent,
            ("working", None) => State::Working,
            ("ambiguous", None) => State::Ambiguous,
            ("closed", Some(close)) => State::Closed(close),
            _ => return Err(unreadable(state)),
        },
        filled: row.try_get("filled")?,
        broker_id: row.try_get("broker_order_id")?,
        planned_at: row.try_get::<At, _>("planned_at")?.0,
        sent_at: at("sent_at")?,
        accepted_at: at("accepted_at")?,
        cancel_asked_at: at("cancel_asked_at")?,
    })
}

/// Every order that is not closed, oldest first.
pub async fn live(conn: &mut PgConnection) -> Result<Vec<Order>, StoreError> {
    sqlx::query(include_str!("../../sql/queries/orders_live.sql"))
        .fetch_all(conn)
        .await
        .and_then(|rows| rows.iter().map(order).collect())
        .map_err(|error| StoreError::of("read the live orders", error))
}

/// An order, which nobody else moves before the transaction ends.
pub async fn read(conn: &mut PgConnection, id: OrderId) -> Result<Option<Order>, StoreError> {
    sqlx::query(include_str!("../../sql/queries/order_read.sql"))
        .bind(id.0)
        .fetch_optional(conn)
        .await
        .and_then(|row| row.as_ref().map(order).transpose())
        .map_err(|error| StoreError::of(&format!("read order {id}"), error))
}

/// The order that has this id of ours.
pub async fn under(conn: &mut PgConnection, client_id: &str) -> Result<Option<OrderId>, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/order_under.sql"))
        .bind(client_id)
        .fetch_optional(conn)
        .await
        .map(|id| id.map(OrderId))
        .map_err(|error| StoreError::of("look for an id of ours", error))
}

/// The number of the newest order: a plan names it, and is refused where another came since.
pub async fn newest(conn: &mut PgConnection) -> Result<OrderId, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/last_orders.sql"))
        .fetch_one(conn)
        .await
        .map(OrderId)
        .map_err(|error| StoreError::of("read the newest order", error))
}

/// An order that is to be written down.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Where.
    pub venue: VenueId,
    /// What is asked.
    pub ticket: &'a Ticket,
    /// What for.
    pub purpose: Purpose,
    /// The net exposure that it is for.
    pub exposure: Option<Shares>,
    /// What it was sized by.
    pub reference: Option<Mark>,
    /// Who asked for it and why, where a person did.
    pub asked: Option<(&'a str, &'a str)>,
    /// The lease that it is planned under; 0 for a person's.
    pub fence: Fence,
    /// The newest order that was seen when it was decided.
    pub seen: OrderId,
    /// What it covers, in the order of filling.
    pub covers: &'a [Unit],
    /// Now.
    pub now: Timestamp,
}

/// Writes an order down, with what it covers; `None` where another order of the share came
/// in between, or it is halted.
pub async fn plan(
    tx: &mut Transaction<'_, Postgres>,
    plan: &Plan<'_>,
) -> Result<Option<OrderId>, StoreError> {
    let Plan { venue, ticket, purpose, exposure, reference, asked, fence, seen, covers, now } = plan;
    let limit = match ticket.terms {
        Terms::Market => None,
        Terms::ExtendedLimit(price) => Some(price),
    };
    let terms = if limit.is_some() { "extended limit" } else { "market" };
    let write = async {
        let id: Option<i64> = sqlx::query_scalar(include_str!("../../sql/queries/order_plan.sql"))
            .bind(venue.0)
            .bind(&ticket.client_id)
            .bind(purpose.word())
            .bind(&ticket.symbol)
            .bind(ticket.side.word())
            .bind(ticket.quantity)
            .bind(terms)
            .bind(limit)
            .bind(*exposure)
            .bind(reference.map(|mark| mark.price))
            .bind(reference.map(|mark| mark.source.word()))
            .bind(reference.map(|mark| At(mark.at)))
            .bind(asked.map(|(_, reason)| reason))
            .bind(asked.map(|(author, _)| author))
            .bind(fence.0)
            .bind(At(*now))
            .bind(seen.0)
            .fetch_optional(&mut **tx)
            .await?;
        let Some(id) = id else { return Ok(None) };
        for (place, unit) in (1_i32..).zip(covers.iter()) {
            let query = sqlx::query(include_str!("../../sql/queries/cover_write.sql")).bind(id).bind(place);
            let query = match &unit.part {
                Part::Fill { chain, block, log_index, role } => query
                    .bind("fill")
                    .bind(Some(*chain))
                    .bind(Some(block.clone()))
                    .bind(Some(*log_index))
                    .bind(Some(role.clone()))
                    .bind(None::<i64>),
                Part::Execution(number) => nothing(query.bind("execution")).bind(Some(*number)),
                Part::Stated => nothing(query.bind("stated")).bind(None::<i64>),
            };
            query.bind(unit.quantity).execute(&mut **tx).await?;
        }
        Ok(Some(OrderId(id)))
    };
    let id = write.await.map_err(|error: sqlx::Error| StoreError::of("plan an order", error))?;
    if let Some(id) = id {
        let Ticket { side, quantity, symbol, .. } = ticket;
        let detail = match exposure {
            Some(exposure) => format!("{side} {quantity} {symbol} for an exposure of {exposure}"),
            None => format!("{side} {quantity} {symbol}"),
        };
        let event = Event { author: asked.map(|(author, _)| author), ..Event::new("planned", detail) };
        note(tx, id, State::Planned, &event, *now).await?;
    }
    Ok(id)
}

type Query<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// No fill.
fn nothing(query: Query<'_>) -> Query<'_> {
    query.bind(None::<i64>).bind(None::<Vec<u8>>).bind(None::<i32>).bind(None::<String>)
}

/// Something that happened to an order, and what it rests on.
#[derive(Clone, Debug, Default)]
pub struct Event<'a> {
    /// One of the words of `order_event_is_known`.
    pub word: &'static str,
    /// In words.
    pub detail: String,
    /// The broker's answer.
    pub evidence: Option<&'a str>,
    /// Who, where a person acted.
    pub author: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// One without evidence.
    pub fn new(word: &'static str, detail: impl Into<String>) -> Self {
        Self { word, detail: detail.into(), evidence: None, author: None }
    }

    /// One with a broker's answer.
    pub fn with(word: &'static str, detail: impl Into<String>, evidence: &'a str) -> Self {
        Self { evidence: Some(evidence), ..Self::new(word, detail) }
    }
}

/// Writes down what happened to an order that is in this state now.
pub async fn note(
    conn: &mut PgConnection,
    id: OrderId,
    state: State,
    event: &Event<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/order_event.sql"))
        .bind(id.0)
        .bind(event.word)
        .bind(state.word())
        .bind(clean(&event.detail))
        .bind(event.evidence.map(evidence))
        .bind(event.author)
        .bind(At(now))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of(&format!("write down what became of order {id}"), error))?;
    Ok(())
}

/// An answer as it is kept: whole, unless it is a novel.
fn evidence(said: &str) -> String {
    said.chars().filter(|character| *character != '\0').take(16_000).collect()
}

/// Whether this was said of the order before.
pub async fn told(conn: &mut PgConnection, id: OrderId, event: &Event<'_>) -> Result<bool, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/order_told.sql"))
        .bind(id.0)
        .bind(event.word)
        .bind(clean(&event.detail))
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of(&format!("read what was said of order {id}"), error))
}

/// The order is not where it was thought to be: somebody else moved it, or the move is illegal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elsewhere;

/// What a move is kept with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Because {
    /// What the account holds of the share, as it is sent.
    pub held: Option<Shares>,
    /// Of a refusal: what it means for the next order.
    pub refusal: Option<Refusal>,
    /// Of a refusal: the cash at that time, where it was known.
    pub cash: Option<Usd>,
}

/// Moves an order, and writes down what that rests on.
///
/// # Errors
/// Inner [`Elsewhere`]: nothing is written; read the order again.
pub async fn advance(
    tx: &mut Transaction<'_, Postgres>,
    order: &Order,
    mv: Move,
    because: Because,
    event: &Event<'_>,
    now: Timestamp,
) -> Result<Result<State, Elsewhere>, StoreError> {
    let state = match order.state.after(mv) {
        Ok(state) => state,
        Err(IllegalMove { state, mv }) => {
            tracing::error!(order = order.id.0, ?state, ?mv, "a move that there is not: report it");
            return Ok(Err(Elsewhere));
        }
    };
    let why = match state {
        State::Closed(why) => Some(why.word()),
        State::Planned | State::Sent | State::Working | State::Ambiguous => None,
    };
    let moved = sqlx::query(include_str!("../../sql/queries/order_move.sql"))
        .bind(order.id.0)
        .bind(order.state.word())
        .bind(state.word())
        .bind(why)
        .bind(because.refusal.map(Refusal::word))
        .bind(because.cash)
        .bind(At(now))
        .bind(because.held)
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of(&format!("move order {}", order.id), error))?;
    if moved.rows_affected() != 1 {
        return Ok(Err(Elsewhere));
    }
    note(tx, order.id, state, event, now).await?;
    Ok(Ok(state))
}

/// Looks for an order, from then on and since it was last sent or seen, that found nothing: how
/// many, and when the first was.
pub async fn searches(
    conn: &mut PgConnection,
    id: OrderId,
    from: Timestamp,
) -> Result<(u32, Option<Timestamp>), StoreError> {
    let read = async {
        let query =
            sqlx::query(include_str!("../../sql/queries/order_searches.sql")).bind(id.0).bind(At(from));
        let rows = query.fetch_all(conn).await?;
        let mut found = (0, None);
        for row in &rows {
            found.0 += 1;
            found.1 = found.1.or(Some(row.try_get::<At, _>("happened_at")?.0));
        }
        Ok(found)
    };
    read.await
        .map_err(|error: sqlx::Error| StoreError::of(&format!("read the searches for order {id}"), error))
}

/// Takes the broker's id of an order, with what it says it filled of it; says whose the id is.
pub async fn own(
    conn: &mut PgConnection,
    order: &Order,
    report: &Report,
    now: Timestamp,
) -> Result<OrderId, StoreError> {
    let write = async {
        let owner: i64 = sqlx::query_scalar(include_str!("../../sql/queries/broker_order_write.sql"))
            .bind(order.venue.0)
            .bind(&report.broker_id)
            .bind(order.id.0)
            .bind(report.filled)
            .bind(clean(&report.word))
            .bind(At(now))
            .fetch_one(&mut *conn)
            .await?;
        if owner == order.id.0 {
            sqlx::query(include_str!("../../sql/queries/broker_order_current.sql"))
                .bind(order.id.0)
                .bind(&report.broker_id)
                .execute(conn)
                .await?;
        }
        Ok(OrderId(owner))
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("write down a broker's order", error))
}

/// Takes what a broker says last that it filled of one of its orders.
pub async fn told_late(
    conn: &mut PgConnection,
    venue: VenueId,
    broker_id: &str,
    filled: Shares,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/broker_order_told_late.sql"))
        .bind(venue.0)
        .bind(broker_id)
        .bind(filled)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down what a broker filled", error))?;
    Ok(())
}

/// Takes a broker's id for an order because a person says so; says whose the id is.
pub async fn assign(
    conn: &mut PgConnection,
    order: &Order,
    broker_id: &str,
    now: Timestamp,
) -> Result<OrderId, StoreError> {
    let write = async {
        let owner: i64 = sqlx::query_scalar(include_str!("../../sql/queries/broker_order_assign.sql"))
            .bind(order.venue.0)
            .bind(broker_id)
            .bind(order.id.0)
            .bind(At(now))
            .fetch_one(&mut *conn)
            .await?;
        if owner == order.id.0 {
            sqlx::query(include_str!("../../sql/queries/broker_order_current.sql"))
                .bind(order.id.0)
                .bind(broker_id)
                .execute(conn)
                .await?;
        }
        Ok(OrderId(owner))
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("adopt a broker's order", error))
}

/// What the broker says it filled of an order, over all ids that it gave it.
pub async fn told_filled(conn: &mut PgConnection, id: OrderId) -> Result<Shares, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/broker_order_told.sql"))
        .bind(id.0)
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of(&format!("read what a broker filled of order {id}"), error))
}

/// An order of ours, as an execution finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its number.
    pub order: OrderId,
    /// Its side.
    pub side: Side,
    /// Whether it is closed.
    pub closed: bool,
}

/// The order of ours that an id of a broker belongs to.
pub async fn whose(
    conn: &mut PgConnection,
    venue: VenueId,
    broker_id: &str,
) -> Result<Option<Owner>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/broker_order_whose.sql"));
        let Some(row) = query.bind(venue.0).bind(broker_id).fetch_optional(conn).await? else {
            return Ok(None);
        };
        let side: &str = row.try_get("side")?;
        Ok(Some(Owner {
            order: OrderId(row.try_get("id")?),
            side: Side::named(side).ok_or_else(|| unreadable(side))?,
            closed: row.try_get("closed")?,
        }))
    };
    read.await.map_err(|error| StoreError::of("read whose order that is", error))
}

/// Books an execution, or claims one that was nobody's; false where it is booked already. What it fills of its order is added
/// there: a correction or a bust is not, because what was filled never shrinks.
pub async fn book(
    tx: &mut Transaction<'_, Postgres>,
    venue: VenueId,
    owner: Option<Owner>,
    execution: &Execution,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Execution { id, broker_order_id, symbol, quantity, price, cash, executed_at, nature, corrects } =
        execution;
    let write = async {
        let new: Option<i64> = sqlx::query_scalar(include_str!("../../sql/queries/execution_write.sql"))
            .bind(venue.0)
            .bind(id)
            .bind(owner.map(|owner| owner.order.0))
            .bind(broker_order_id)
            .bind(symbol)
            .bind(nature.word())
            .bind(*quantity)
            .bind(*price)
            .bind(*cash)
            .bind(At(*executed_at))
            .bind(corrects)
            .bind(At(now))
            .fetch_optional(&mut **tx)
            .await?;
        if new.is_none() {
            return Ok(false);
        }
        if let (Some(Owner { order, side, .. }), None) = (owner, corrects) {
            sqlx::query(include_str!("../../sql/queries/order_fill.sql"))
                .bind(order.0)
                .bind(side.signed(*quantity))
                .execute(&mut **tx)
                .await?;
        }
        Ok(true)
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of(&format!("book execution {id}"), error))
}

/// Asks that an order be cancelled: the tracker sees to it.
pub async fn ask_cancel(conn: &mut PgConnection, id: OrderId, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/order_cancel.sql"))
        .bind(id.0)
        .bind(At(now))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of(&format!("ask that order {id} be cancelled"), error))?;
    Ok(())
}

/// The last refusals of the hedges of a share, in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// The share.
    pub symbol: String,
    /// How many.
    pub times: u32,
    /// When the last was.
    pub at: Timestamp,
    /// What the last one means.
    pub why: Refusal,
    /// The cash at that time.
    pub cash: Option<Usd>,
}

/// Which shares' last hedges were refused, since then.
pub async fn refusals(conn: &mut PgConnection, since: Timestamp) -> Result<Vec<Refusals>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/refusals.sql")).bind(At(since));
        query
            .fetch_all(conn)
            .await?
            .iter()
            .map(|row| {
                let word: Option<&str> = row.try_get("refusal")?;
                let known = Refusal::ALL.into_iter().find(|refusal| Some(refusal.word()) == word);
                Ok(Refusals {
                    symbol: row.try_get("symbol")?,
                    times: u32::try_from(row.try_get::<i64, _>("times")?).unwrap_or(u32::MAX),
                    at: row.try_get::<At, _>("at")?.0,
                    why: known.unwrap_or(Refusal::Other),
                    cash: row.try_get("cash")?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what was refused", error))
}
