//! Time: the only reader of the wall clock.
//!
//! Whatever waits or stamps is given a [`Clock`]; a rehearsal gives one that is
//! told the time, so that a year of backing off takes no time at all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

/// Tells the time and waits.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    Wall,
    /// One that only moves when somebody waits on it: milliseconds since 1970.
    Told(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that starts at `start` and moves by what is waited.
    pub fn told(start: Timestamp) -> Self {
        Self::Told(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// Now, in UTC.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => Timestamp::now(),
            Self::Told(at) => {
                Timestamp::from_millisecond(at.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Now, in milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        self.now().as_millisecond()
    }

    /// Waits; a told clock moves on at once.
    pub async fn sleep(&self, wait: Duration) {
        match self {
            Self::Wall => tokio::time::sleep(wait).await,
            Self::Told(at) => {
                at.fetch_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_told_clock_moves_by_what_is_waited() {
        let clock = Clock::told(Timestamp::UNIX_EPOCH);
        clock.sleep(Duration::from_hours(1)).await;
        assert_eq!(clock.now().as_second(), 3600);
    }
}
