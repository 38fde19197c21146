//! Keeps the lease: who has it plans and sends, everybody else waits.
//!
//! It is renewed long before it runs out, over a connection of its own: with that it is
//! gone, and whoever waits has it. Where it could not be renewed in time nobody here
//! acts on it any more, whatever the database would say.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::{Mutex, watch};

use super::super::{Stop, stopped};
use crate::{
    observe,
    store::{
        StoreError,
        lease::{self, Fence, Lost},
    },
    time::{Clock, Deadline},
};

/// For how long it is taken.
const TIME: Duration = Duration::from_secs(10);
/// How often it is renewed, or asked for.
const EVERY: Duration = Duration::from_secs(2);
/// Nothing is begun with less of it left than this.
const MARGIN: Duration = Duration::from_secs(2);

/// The lease, while it is ours.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Its number.
    pub fence: Fence,
    until: Deadline,
}

impl Held {
    /// The fence, while there is enough time left to begin something.
    pub fn fence(self) -> Option<Fence> {
        (!self.until.passed()).then_some(self.fence)
    }
}

/// What others see of the lease.
pub type Holding = watch::Receiver<Option<Held>>;

/// Takes the lease, keeps it, and gives it up when told to end.
#[derive(Debug)]
pub struct Keeper {
    pool: PgPool,
    name: String,
    clock: Clock,
    held: watch::Sender<Option<Held>>,
    /// What the lease hangs on.
    line: Mutex<Option<PgConnection>>,
}

impl Keeper {
    /// A keeper of this name: host and process.
    pub fn new(pool: PgPool, name: String, clock: Clock) -> Self {
        Self { pool, name, clock, held: watch::Sender::new(None), line: Mutex::default() }
    }

    /// What others see of the lease.
    pub fn holding(&self) -> Holding {
        self.held.subscribe()
    }

    /// Takes it, or renews it, once.
    ///
    /// # Errors
    /// The database: the lease is given up.
    pub async fn turn(&self) -> Result<(), StoreError> {
        let mut line = self.line.lock().await;
        let turned = self.turn_over(&mut line).await;
        if turned.is_err() {
            *line = None;
        }
        self.held.send_replace(*turned.as_ref().unwrap_or(&None));
        turned.map(|_| ())
    }

    async fn turn_over(&self, line: &mut Option<PgConnection>) -> Result<Option<Held>, StoreError> {
        let until = Deadline::after(TIME.saturating_sub(MARGIN));
        if line.is_none() {
            let conn = self.pool.acquire().await;
            *line = Some(conn.map_err(|error| StoreError::of("open a connection", error))?.detach());
        }
        // It is there since the line above.
        let Some(conn) = line else { return Ok(None) };
        let held = *self.held.borrow();
        let Some(Held { fence, .. }) = held else {
            return Ok(lease::take(conn, &self.name, TIME).await?.map(|fence| {
                observe::lease_taken(fence.0, &self.name);
                Held { fence, until }
            }));
        };
        let kept = lease::renew(conn, fence, TIME).await?;
        if kept == Err(Lost) {
            observe::lease_lost(fence.0);
        }
        Ok(kept.is_ok().then_some(Held { fence, until }))
    }

    /// Keeps it until told to end. A database that is away is waited for.
    ///
    /// # Errors
    /// The database refuses for good.
    pub async fn keep(&self, stop: &mut Stop) -> Result<(), StoreError> {
        while !*stop.borrow() {
            match self.turn().await {
                Err(StoreError::Unavailable { what, .. }) => tracing::warn!("the lease: {what}"),
                turned => turned?,
            }
            tokio::select! {
                () = self.clock.sleep(EVERY) => {}
                () = stopped(stop) => {}
            }
        }
        Ok(())
    }

    /// Lets the next one have it at once. What was sent must be answered, or left to them.
    pub async fn give_up(&self) {
        let held = self.held.send_replace(None);
        let Some(mut conn) = self.line.lock().await.take() else { return };
        if let Some(Held { fence, .. }) = held {
            // Should it fail, the lease goes with the connection.
            let _ = lease::give_up(&mut conn, fence).await;
        }
        conn.close().await.ok();
    }
}
