//! Loops: they carry facts between doors.
//!
//! - [`indexer`]: writes down what the chain says, and takes back what it unsays
//! - [`backfill`]: history in parallel, committed in order
//! - [`audit`]: reads again and proves what was only taken
//! - [`rewind`], [`redrive`]: an operator's acts on what is written
//! - [`transaction`]: one transaction, now
//! - [`hedging`]: brings exposure below its threshold, order by order
//! - [`reading`]: what a source is read with
//! - [`logins`]: what logins at brokers left behind; [`paper`]: what is kept and known of the paper venue
//! - [`pricer`]: what price feeds said while fills were made
//! - [`meter`]: what transactions of ours cost who paid
//! - [`vaults`]: which vaults are ours
//! - [`pulse`]: whether every loop goes on
//! - [`mailer`]: letters from the outbox to the doors
//! - [`booking`]: logs → a page of facts, with what must be asked of tokens
//!
//! A loop converges: it takes no input, reads what is, compares it with what
//! should be, moves one step, and says what it did. First start, restart after
//! a crash and the hour after a reorg are the same path. Waiting is here too,
//! and nowhere below.

pub mod audit;
pub mod backfill;
pub mod booking;
pub mod hedging;
pub mod indexer;
pub mod logins;
pub mod mailer;
pub mod meter;
pub mod paper;
pub mod pricer;
pub mod pulse;
pub mod reading;
pub mod redrive;
pub mod rewind;
pub mod transaction;
pub mod vaults;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{store::StoreError, time::Clock};

/// What one step of a loop came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing to do.
    Idle,
    /// Something was done; there may be more.
    Moved,
    /// Something should be done and cannot be, now.
    Held(String),
    /// Nothing is done any more until a person acts.
    Stopped(String),
}

/// Ends when the process is told to.
pub type Stop = watch::Receiver<bool>;

/// Waits until the process is told to end.
pub async fn stopped(stop: &mut Stop) {
    // The sender gone is an end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Wakes loops that rest: something they look at has changed.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<watch::Sender<u64>>);

impl Bell {
    /// Wakes everybody who listens.
    pub fn ring(&self) {
        self.0.send_modify(|rung| *rung = rung.wrapping_add(1));
    }

    /// Hears what is rung from now on.
    pub fn listen(&self) -> Ear {
        Ear(self.0.subscribe())
    }
}

/// Hears a [`Bell`].
#[derive(Debug)]
pub struct Ear(watch::Receiver<u64>);

impl Ear {
    /// Waits until it is rung; at once where it was since last heard.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A loop that converges.
pub trait Loop {
    /// Moves one step.
    ///
    /// # Errors
    /// Only what ends the process: the database refuses for good. All else is [`Step::Held`].
    fn converge(&mut self) -> impl Future<Output = Result<Step, StoreError>> + Send;
}

/// How far a loop is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until there is nothing left to do, or only a person can go on.
    Idle,
    /// Until the process is told to end.
    Told,
}

/// Why a loop was turned no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There was nothing left to do.
    Idle,
    /// The process was told to end.
    Told,
    /// Only a person can go on.
    Stopped(String),
}

/// Turns a loop. A database or a node that is away is waited for, for ever.
///
/// # Errors
/// Only what ends the process: the database refuses for good.
pub async fn drive(
    looping: &mut impl Loop,
    until: Until,
    every: Duration,
    clock: &Clock,
    stop: Stop,
) -> Result<End, StoreError> {
    drive_woken(looping, until, every, clock, stop, &Bell::default()).await
}

/// The same, and a bell ends a rest early.
///
/// # Errors
/// As [`drive`].
pub async fn drive_woken(
    looping: &mut impl Loop,
    until: Until,
    every: Duration,
    clock: &Clock,
    mut stop: Stop,
    bell: &Bell,
) -> Result<End, StoreError> {
    let mut held = None;
    let mut ear = bell.listen();
    while !*stop.borrow() {
        let Some(made) = finished(looping.converge(), clock, &mut stop).await else { break };
        let made = match made {
            Ok(made) => made,
            Err(StoreError::Unavailable { what, .. }) => Step::Held(what),
            Err(error) => return Err(error),
        };
        let why = match made {
            Step::Moved => {
                held = None;
                continue;
            }
            Step::Idle if until == Until::Idle => return Ok(End::Idle),
            Step::Stopped(why) if until == Until::Idle => return Ok(End::Stopped(why)),
            Step::Idle => None,
            Step::Held(why) | Step::Stopped(why) => Some(why),
        };
        if let Some(why) = why.as_ref().filter(|why| held.as_ref() != Some(*why)) {
            tracing::warn!("held: {why}");
        }
        held = why;
        tokio::select! {
            () = pause(every, clock, &mut stop) => {}
            () = ear.heard() => {}
        }
    }
    Ok(End::Told)
}

/// How long a step may still take once the process is told to end: a commit, not a node that rests.
const GRACE: Duration = Duration::from_secs(5);

/// What a step came to; `None` where the process was told to end and the step did not end soon after.
///
/// Dropping a step is safe at any point: what it writes is one transaction.
async fn finished<T>(work: impl Future<Output = T>, clock: &Clock, stop: &mut Stop) -> Option<T> {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return Some(done),
        () = stopped(stop) => {}
    }
    tokio::select! {
        done = work => Some(done),
        () = clock.sleep(GRACE) => None,
    }
}

async fn pause(wait: Duration, clock: &Clock, stop: &mut Stop) {
    tokio::select! {
        () = clock.sleep(wait) => {}
        () = stopped(stop) => {}
    }
}
