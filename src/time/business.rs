//! Time as a desk counts it: a weekend and a holiday are none.
//!
//! A business day is a whole day in New York on which the exchange trades, by its
//! rules and by the closures that are known besides; so Friday evening to Monday
//! evening is one.

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{new_york_date, nyse::is_trading_day};

/// Days that are counted one by one; what is longer ago is old enough for anybody.
const COUNTED: usize = 400;

/// Which days are business days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessDays {
    closed: BTreeSet<Date>,
}

impl BusinessDays {
    /// Those of the exchange's rules, but for these.
    pub fn but_for(closed: impl IntoIterator<Item = Date>) -> Self {
        Self { closed: closed.into_iter().collect() }
    }

    /// Is it one?
    pub fn is_open(&self, date: Date) -> bool {
        is_trading_day(date) && !self.closed.contains(&date)
    }

    /// How much of the time between the two lies on business days; nothing where they are not in order.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
        let midnight = |date: Date| zone.to_timestamp(date.to_datetime(Time::midnight())).ok();
        let first = new_york_date(from);
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        let days = days.take(COUNTED).take_while(|day| *day <= new_york_date(to));
        days.filter(|day| self.is_open(*day))
            .filter_map(|day| Some((midnight(day)?.max(from), midnight(day.tomorrow().ok()?)?.min(to))))
            .filter(|(begin, end)| begin < end)
            .map(|(begin, end)| end.duration_since(begin))
            .fold(SignedDuration::ZERO, SignedDuration::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Whole hours between two times in New York.
    fn hours(days: &BusinessDays, from: &str, to: &str) -> i64 {
        let zone = TimeZone::get("America/New_York").unwrap();
        let at = |text: &str| zone.to_timestamp(text.parse().unwrap()).unwrap();
        days.between(at(from), at(to)).as_hours()
    }

    #[test]
    fn a_weekend_a_holiday_and_a_day_of_mourning_are_no_time_at_all() {
        let days = BusinessDays::but_for([date(2025, 1, 9)]);
        for (from, to, wanted) in [
            ("2026-11-18T20:30", "2026-11-19T20:30", 24), // Wednesday to Thursday
            ("2026-11-20T20:30", "2026-11-23T20:30", 24), // over a weekend
            ("2026-11-25T20:30", "2026-11-27T20:30", 24), // over Thanksgiving
            ("2026-11-21T00:00", "2026-11-22T23:59", 0),  // a weekend
            ("2025-01-08T12:00", "2025-01-10T12:00", 24), // over the day of mourning of 2025-01-09
            ("2026-10-30T12:00", "2026-11-02T12:00", 24), // the clock is set back on a Sunday
            ("2026-11-19T20:30", "2026-11-18T20:30", 0),  // backwards
        ] {
            assert_eq!(hours(&days, from, to), wanted, "{from} to {to}");
        }
    }

    #[test]
    fn what_is_long_ago_is_more_than_a_year_of_business() {
        let hours = hours(&BusinessDays::default(), "2000-01-03T00:00", "2026-11-20T00:00");
        assert!((250 * 24..i64::try_from(COUNTED).unwrap() * 24).contains(&hours), "{hours}");
    }
}
