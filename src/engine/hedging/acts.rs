//! What a person does to orders: each act in one transaction, with its reason, beside what
//! the loops do. Whoever reads an order's events sees who did what.

use sqlx::{PgPool, Postgres, Transaction};

use super::commit;
use crate::{
    book::{
        fill::Side,
        order::{Close, Move, OrderId, Purpose, State, Terms, Ticket},
    },
    policy::Mark,
    store::{
        StoreError,
        exposure::Act,
        lease::Fence,
        orders::{self, Because, Event, Order, Plan, VenueId},
        venues,
    },
    units::Shares,
};

/// Why an act was not done: nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// There is no such order.
    #[error("there is no order {0}")]
    NoOrder(OrderId),
    /// The order is not in a state in which that can be done.
    #[error("order {id} is {state}")]
    State {
        /// Its number.
        id: OrderId,
        /// What it is.
        state: String,
    },
    /// Something of it is filled.
    #[error("{filled} shares of order {id} are filled")]
    Filled {
        /// Its number.
        id: OrderId,
        /// How many.
        filled: Shares,
    },
    /// The broker's id belongs to another order.
    #[error("the broker's order belongs to order {0}")]
    Owned(OrderId),
}

/// What an act on an order came to, or the database.
pub type Done<T> = Result<Result<T, NotDone>, StoreError>;

async fn order(
    pool: &PgPool,
    id: OrderId,
) -> Result<(Transaction<'_, Postgres>, Result<Order, NotDone>), StoreError> {
    let mut tx = pool.begin().await.map_err(|error| StoreError::of("begin a transaction", error))?;
    let order = orders::read(&mut tx, id).await?.ok_or(NotDone::NoOrder(id));
    Ok((tx, order))
}

fn not_while(order: &Order) -> NotDone {
    let state = match order.state {
        State::Closed(why) => format!("closed: {}", why.word()),
        state @ (State::Planned | State::Sent | State::Working | State::Ambiguous) => state.word().to_owned(),
    };
    NotDone::State { id: order.id, state }
}

/// Moves an order as a person says.
async fn move_on(
    mut tx: Transaction<'_, Postgres>,
    order: &Order,
    mv: Move,
    event: Event<'_>,
    act: Act<'_>,
) -> Done<State> {
    let event = Event { author: Some(act.author), ..event };
    let moved = orders::advance(&mut tx, order, mv, Because::default(), &event, act.at).await?;
    commit(tx).await?;
    Ok(moved.map_err(|_| not_while(order)))
}

/// Cancels an order: one that has not left is dropped, of any other the broker is asked.
///
/// # Errors
/// The database; inside, why it is not done.
pub async fn cancel(pool: &PgPool, id: OrderId, act: Act<'_>) -> Done<State> {
    let (mut tx, order) = order(pool, id).await?;
    let order = match order {
        Ok(order) => order,
        Err(error) => return Ok(Err(error)),
    };
    match order.state {
        State::Planned => {
            let event = Event::new("closed", format!("never placed: {}", act.reason));
            move_on(tx, &order, Move::Close(Close::NeverPlaced), event, act).await
        }
        State::Sent | State::Working => {
            orders::ask_cancel(&mut tx, id, act.at).await?;
            let event = Event { author: Some(act.author), ..Event::new("cancel asked", act.reason) };
            orders::note(&mut tx, id, order.state, &event, act.at).await?;
            commit(tx).await?;
            Ok(Ok(order.state))
        }
        State::Ambiguous | State::Closed(_) => Ok(Err(not_while(&order))),
    }
}

/// Says which of the broker's orders an order of ours is: it is followed from now on.
///
/// # Errors
/// The database; inside, why it is not done.
pub async fn adopt(pool: &PgPool, id: OrderId, broker_id: &str, act: Act<'_>) -> Done<State> {
    let (mut tx, order) = order(pool, id).await?;
    let order = match order {
        Ok(order) if matches!(order.state, State::Sent | State::Working | State::Ambiguous) => order,
        Ok(order) => return Ok(Err(not_while(&order))),
        Err(error) => return Ok(Err(error)),
    };
    let owner = orders::assign(&mut tx, &order, broker_id, act.at).await?;
    if owner != id {
        return Ok(Err(NotDone::Owned(owner)));
    }
    let event = Event::new("found", format!("{broker_id}: {}", act.reason));
    move_on(tx, &order, Move::Accept, event, act).await
}

/// How a person says that an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It never reached the broker.
    NeverPlaced,
    /// It will never fill again, and all it filled is booked.
    Closed,
}

/// Closes an order as a person says.
///
/// # Errors
/// The database; inside, why it is not done.
pub async fn resolve(pool: &PgPool, id: OrderId, ending: Ending, act: Act<'_>) -> Done<State> {
    let (tx, order) = order(pool, id).await?;
    let order = match order {
        Ok(order) => order,
        Err(error) => return Ok(Err(error)),
    };
    let close = match ending {
        Ending::NeverPlaced if order.filled != Shares::ZERO => {
            return Ok(Err(NotDone::Filled { id, filled: order.filled }));
        }
        Ending::NeverPlaced => Close::NeverPlaced,
        Ending::Closed => Close::Resolved,
    };
    let event = Event::new("closed", format!("{}: {}", close.word(), act.reason));
    move_on(tx, &order, Move::Close(close), event, act).await
}

/// An order that a person asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where.
    pub venue: VenueId,
    /// What stands in every id of ours there.
    pub mark: String,
    /// The ticker.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Shares.
    pub quantity: Shares,
    /// What it is valued by.
    pub reference: Mark,
}

/// Writes down an order that a person asks for: whoever hedges sends it as soon as it may leave.
///
/// # Errors
/// The database.
pub async fn place(pool: &PgPool, wish: &Wish, act: Act<'_>) -> Result<Option<OrderId>, StoreError> {
    let mut tx = pool.begin().await.map_err(|error| StoreError::of("begin a transaction", error))?;
    let deployment = venues::deployment(&mut tx).await?;
    let ticket = Ticket {
        client_id: super::hedger::client_id(&wish.mark, &deployment),
        symbol: wish.symbol.clone(),
        side: wish.side,
        quantity: wish.quantity,
        terms: Terms::Market,
    };
    let plan = Plan {
        venue: wish.venue,
        ticket: &ticket,
        purpose: Purpose::Manual,
        exposure: None,
        reference: Some(wish.reference),
        asked: Some((act.author, act.reason)),
        fence: Fence(0),
        seen: OrderId(0),
        covers: &[],
        now: act.at,
    };
    let id = orders::plan(&mut tx, &plan).await?;
    commit(tx).await?;
    Ok(id)
}
