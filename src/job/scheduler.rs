//! Jobs in the process: every minute, what is due.
//!
//! The crate's own time zones fix an offset when a job is made, and drift by an hour when clocks
//! change. So it ticks in UTC, and what is due is decided by [`super::schedule`] in each job's zone.

use std::sync::Arc;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::office::Office;
use crate::{
    engine::{Stop, stopped},
    observe,
};

/// At the first second of every minute.
const EVERY_MINUTE: &str = "0 * * * * *";

/// Runs what is due, every minute, until told to end. A run in hand then is left: it is run again.
///
/// # Errors
/// The scheduler cannot be started.
pub async fn keep(office: Arc<Office>, mut stop: Stop) -> Result<(), JobSchedulerError> {
    let mut scheduler = JobScheduler::new().await?;
    let ticking = Arc::clone(&office);
    let tick = Job::new_async(EVERY_MINUTE, move |_, _| {
        let office = Arc::clone(&ticking);
        Box::pin(async move {
            if let Err(error) = office.tick().await {
                observe::jobs_held(&error.to_string());
            }
        })
    })?;
    scheduler.add(tick).await?;
    scheduler.start().await?;
    stopped(&mut stop).await;
    scheduler.shutdown().await
}
