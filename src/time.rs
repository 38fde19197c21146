//! Time: the only reader of the wall clock, and the market's sessions.
//!
//! Whatever waits or stamps is given a [`Clock`]; a rehearsal gives one that is
//! told the time, so that a year of backing off takes no time at all. Everything
//! is UTC but a [`TradingDay`], whose times a calendar gives in New York's.

pub mod business;
pub mod nyse;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{
    SignedDuration, Timestamp,
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

/// A moment that something is counted from, by the machine's steady clock.
#[derive(Clone, Copy, Debug)]
pub struct Since(Instant);

impl Since {
    /// From now on.
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// How long it has been.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// How long ago something was. What lies ahead of a clock that was set back is as old as can be.
pub fn age(at: Timestamp, now: Timestamp) -> SignedDuration {
    // Whoever reads the clock a moment before somebody else does not mean that.
    const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);
    let age = now.duration_since(at);
    if age < -AT_ONCE { SignedDuration::MAX } else { age }
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

    /// Whether the regular session ends before 16:00.
    pub fn closes_early(&self) -> bool {
        self.close.duration_since(self.open) < SignedDuration::from_mins(390)
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

    /// When the session that is on at `now`, or the closure, ends on this day; none after its last.
    pub fn next_bell(&self, now: Timestamp) -> Option<Timestamp> {
        [self.early, self.open, self.close, self.late].into_iter().find(|bell| now < *bell)
    }
}

/// A day in New York, as microseconds since 1970: of 23 to 25 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewYorkDay {
    /// Its date.
    pub date: Date,
    /// Its midnight.
    pub from: i64,
    /// The next one.
    pub to: i64,
}

impl NewYorkDay {
    /// The day that this instant is in.
    pub fn of(micros: i64) -> Self {
        Self::on(new_york_date(Timestamp::from_microsecond(micros).unwrap_or_default()))
    }

    /// The day of this date.
    pub fn on(date: Date) -> Self {
        let midnight = |date: Date| {
            let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
            date.to_zoned(zone).map_or(0, |midnight| midnight.timestamp().as_microsecond())
        };
        Self { date, from: midnight(date), to: midnight(date.tomorrow().unwrap_or(date)) }
    }

    /// Is this instant in it?
    pub const fn contains(&self, micros: i64) -> bool {
        self.from <= micros && micros < self.to
    }
}

/// The date in New York: whose day it is there.
pub fn new_york_date(now: Timestamp) -> Date {
    // The zone is built in; without it, UTC is the nearest there is.
    now.to_zoned(TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC)).date()
}

/// The end of a date in New York: the next one's midnight there.
pub fn end_of_new_york_date(date: Date) -> Timestamp {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let next = date.tomorrow().unwrap_or(date);
    // No change of the clock there falls on midnight.
    zone.to_timestamp(next.to_datetime(Time::midnight())).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[tokio::test]
    async fn a_told_clock_moves_by_what_is_waited() {
        let clock = Clock::told(Timestamp::UNIX_EPOCH);
        clock.sleep(Duration::from_hours(1)).await;
        assert_eq!(clock.now().as_second(), 3600);
    }

    #[test]
    fn what_lies_ahead_is_as_old_as_can_be() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(age(at(100), at(160)).as_secs(), 60);
        assert_eq!(age(at(100), at(99)).as_secs(), -1, "somebody read the clock a moment before");
        assert_eq!(age(at(100), at(40)), SignedDuration::MAX);
    }

    fn full_day(year: i16, month: i8, day: i8) -> TradingDay {
        let times = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(16, 0, 0, 0), time(20, 0, 0, 0)];
        TradingDay::in_new_york(date(year, month, day), times).unwrap()
    }

    fn new_york(year: i16, month: i8, day: i8, clock: &str) -> Timestamp {
        let at = date(year, month, day).to_datetime(clock.parse().unwrap());
        TimeZone::get("America/New_York").unwrap().to_timestamp(at).unwrap()
    }

    #[test]
    fn r32_a_full_day_is_extended_regular_and_extended_to_the_second() {
        let day = full_day(2026, 11, 20);
        for (clock, session) in [
            ("00:00:00", Session::Closed),
            ("03:59:59", Session::Closed),
            ("04:00:00", Session::Extended),
            ("09:29:59", Session::Extended),
            ("09:30:00", Session::Regular),
            ("15:59:59", Session::Regular),
            ("16:00:00", Session::Extended),
            ("19:59:59", Session::Extended),
            ("20:00:00", Session::Closed),
        ] {
            assert_eq!(day.session_at(new_york(2026, 11, 20, clock)), session, "{clock}");
        }
    }

    #[test]
    fn r32_a_half_day_closes_when_the_calendar_says() {
        let times = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(13, 0, 0, 0), time(17, 0, 0, 0)];
        let day = TradingDay::in_new_york(date(2026, 11, 27), times).unwrap();
        for (clock, session) in [
            ("12:59:59", Session::Regular),
            ("13:00:00", Session::Extended),
            ("16:59:59", Session::Extended),
            ("17:00:00", Session::Closed),
        ] {
            assert_eq!(day.session_at(new_york(2026, 11, 27, clock)), session, "{clock}");
        }
    }

    #[test]
    fn r32_the_sessions_follow_new_york_over_both_changes_of_the_clock() {
        // The Fridays and Mondays around 2026-03-08 and 2026-11-01.
        for (month, day, open, close) in [
            (3, 6, "2026-03-06T14:30:00Z", "2026-03-06T21:00:00Z"),
            (3, 9, "2026-03-09T13:30:00Z", "2026-03-09T20:00:00Z"),
            (10, 30, "2026-10-30T13:30:00Z", "2026-10-30T20:00:00Z"),
            (11, 2, "2026-11-02T14:30:00Z", "2026-11-02T21:00:00Z"),
        ] {
            let day = full_day(2026, month, day);
            assert_eq!((day.open, day.close), (open.parse().unwrap(), close.parse().unwrap()));
            assert_eq!(day.session_at(day.open), Session::Regular);
            assert_eq!(day.session_at(day.close), Session::Extended);
        }
    }

    #[test]
    fn the_evening_in_new_york_is_the_next_day_in_utc() {
        assert_eq!(new_york_date("2026-11-21T00:59:59Z".parse().unwrap()), date(2026, 11, 20));
        assert_eq!(new_york_date("2026-07-21T04:00:00Z".parse().unwrap()), date(2026, 7, 21));
    }

    #[test]
    fn a_day_in_new_york_has_23_hours_in_spring_and_25_in_autumn() {
        let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        let spring = NewYorkDay::of(micros("2026-03-08T05:00:00Z"));
        assert_eq!((spring.date, spring.to - spring.from), (date(2026, 3, 8), 23 * 3_600_000_000));
        assert!(!spring.contains(micros("2026-03-08T04:59:59.999999Z")) && !spring.contains(spring.to));
        let autumn = NewYorkDay::on(date(2026, 11, 1));
        assert_eq!(autumn.to - autumn.from, 25 * 3_600_000_000);
    }

    #[test]
    fn times_that_are_not_in_order_are_no_day() {
        let times = [time(4, 0, 0, 0), time(16, 0, 0, 0), time(9, 30, 0, 0), time(20, 0, 0, 0)];
        assert_eq!(TradingDay::in_new_york(date(2026, 11, 20), times), None);
    }

    #[test]
    fn every_bell_of_a_day_is_heard_once() {
        let day = full_day(2026, 11, 20);
        for (clock, bell) in [
            ("03:59:59", Some(day.early)),
            ("04:00:00", Some(day.open)),
            ("09:30:00", Some(day.close)),
            ("16:00:00", Some(day.late)),
            ("20:00:00", None),
        ] {
            assert_eq!(day.next_bell(new_york(2026, 11, 20, clock)), bell, "{clock}");
        }
    }
}
