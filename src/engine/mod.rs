//! Loops: they carry facts between doors.
//!
//! - [`indexer`]: writes down what the chain says, and takes back what it unsays
//! - [`backfill`]: history in parallel, committed in order
//! - [`audit`]: reads again and proves what was only taken
//! - [`reading`]: what a source is read with
//! - [`booking`]: logs → a page of facts, with what must be asked of tokens
//!
//! A loop converges: it takes no input, reads what is, compares it with what
//! should be, moves one step, and says what it did. First start, restart after
//! a crash and the hour after a reorg are the same path. Waiting is here too,
//! and nowhere below.

pub mod audit;
pub mod backfill;
pub mod booking;
pub mod indexer;
pub mod reading;

use std::time::Duration;

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
}

/// Ends when the process is told to.
pub type Stop = watch::Receiver<bool>;

/// Waits until the process is told to end.
pub async fn stopped(stop: &mut Stop) {
    // The sender gone is an end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A loop that converges.
pub trait Loop {
    /// Moves one step.
    ///
    /// # Errors
    /// Only what ends the process: the database refuses for good. All else is [`Step::Held`].
    fn converge(&mut self) -> impl Future<Output = Result<Step, StoreError>> + Send;
}

/// Turns a loop until the process is told to end. A database that is away is waited for.
pub async fn drive(
    looping: &mut impl Loop,
    every: Duration,
    clock: &Clock,
    mut stop: Stop,
) -> Result<(), StoreError> {
    let mut held = None;
    while !*stop.borrow() {
        let step = match looping.converge().await {
            Ok(step) => step,
            Err(StoreError::Unavailable { what, .. }) => Step::Held(what),
            Err(error) => return Err(error),
        };
        match step {
            Step::Moved => held = None,
            Step::Idle => {
                held = None;
                pause(every, clock, &mut stop).await;
            }
            Step::Held(why) => {
                if held.as_ref() != Some(&why) {
                    tracing::warn!("held: {why}");
                }
                held = Some(why);
                pause(every, clock, &mut stop).await;
            }
        }
    }
    Ok(())
}

async fn pause(wait: Duration, clock: &Clock, stop: &mut Stop) {
    tokio::select! {
        () = clock.sleep(wait) => {}
        () = stopped(stop) => {}
    }
}
