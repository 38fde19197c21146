//! Time: the only reader of the wall clock, and the market's sessions.
//!
//! Whatever waits or stamps is given a [`Clock`]; a rehearsal gives one that is
//! told the time, so that a year of backing off takes no time at all. Everything
//! is UTC but a [`TradingDay`], whose times a calendar gives in New York's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

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

/// A moment after which something of ours must not be relied on any more.
///
/// It passes by the machine's steady clock, whatever a told clock says and however the wall's is set.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So far from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// Has it passed?
    pub fn passed(self) -> bool {
        Instant::now() >= self.0
    }
}

/// What can be traded, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Session {
    /// Nothing.
    Closed,
    /// Before the open or after the close: limit orders alone.
    Extended,
    /// Anything.
    Regular,
}

/// One day on which the market is open, as a calendar has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradingDay {
    /// The date in New York.
    pub date: Date,
    /// When extended trading begins.
    pub early: Timestamp,
    /// When the regular session begins.
    pub open: Timestamp,
    /// When the regular session ends: 13:00 on a half day.
    pub close: Timestamp,
    /// When extended trading ends.
    pub late: Timestamp,
}

impl TradingDay {
    /// From New York's wall times, in order; `None` where they are not in order.
    pub fn in_new_york(date: Date, [early, open, close, late]: [Time; 4]) -> Option<Self> {
        let zone = TimeZone::get("America/New_York").ok()?;
        let at = |time: Time| zone.to_timestamp(date.to_datetime(time)).ok();
        let day = Self { date, early: at(early)?, open: at(open)?, close: at(close)?, late: at(late)? };
        (day.early <= day.open && day.open < day.close && day.close <= day.late).then_some(day)
    }

    /// Which session is on; the first instant of one belongs to it.
    pub fn session_at(&self, now: Timestamp) -> Session {
        if (self.open..self.close).contains(&now) {
            Session::Regular
        } else if (self.early..self.late).contains(&now) {
            Session::Extended
        } else {
            Session::Closed
        }
    }
}

/// The date in New York: whose day it is there.
pub fn new_york_date(now: Timestamp) -> Date {
    // The zone is built in; without it, UTC is the nearest there is.
    now.to_zoned(TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC)).date()
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
