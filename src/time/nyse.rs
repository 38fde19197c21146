//! Which days the New York Stock Exchange trades on, and from when to when, by its own rules.
//!
//! A venue's calendar is what orders rest on; the rules say what it has not been asked: when the
//! market opens next, how many business days ago something was, and which night is worth a run.
//! No rule foresees a day of mourning: those that were are listed.

use jiff::civil::{Date, Time, Weekday, time};

use super::TradingDay;

/// Closures that no rule foresees (as the exchange announced them).
const ONE_OFF: [(Date, &str); 2] = [
    (jiff::civil::date(2018, 12, 5), "the day of mourning for George H. W. Bush"),
    (jiff::civil::date(2025, 1, 9), "the day of mourning for Jimmy Carter"),
];

/// The trading day of `date`, with the half days of the exchange's rules; `None` where it is closed.
pub fn trading_day(date: Date) -> Option<TradingDay> {
    const FULL: [Time; 4] = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(16, 0, 0, 0), time(20, 0, 0, 0)];
    const HALF: [Time; 4] = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(13, 0, 0, 0), time(17, 0, 0, 0)];
    if closure(date).is_some() {
        return None;
    }
    TradingDay::in_new_york(date, if is_half_day(date) { HALF } else { FULL })
}

/// Whether the exchange's rules make `date` a trading day (its holidays as read on 2026-11-20).
pub fn is_trading_day(date: Date) -> bool {
    closure(date).is_none()
}

/// Why the exchange is closed on `date`: `Thanksgiving Day`, `a Sunday`; `None` where it is open.
pub fn closure(date: Date) -> Option<&'static str> {
    match date.weekday() {
        Weekday::Saturday => return Some("a Saturday"),
        Weekday::Sunday => return Some("a Sunday"),
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {}
    }
    holiday(date).or_else(|| ONE_OFF.iter().find(|(day, _)| *day == date).map(|(_, why)| *why))
}

/// The first trading day after `date`.
pub fn next_trading_day(date: Date) -> Date {
    // No closure by rule is longer than four days.
    let days = std::iter::successors(date.tomorrow().ok(), |day| day.tomorrow().ok());
    days.take(7).find(|day| is_trading_day(*day)).unwrap_or(date)
}

/// The last trading day that is not after `date`.
pub fn last_trading_day(date: Date) -> Date {
    let days = std::iter::successors(Some(date), |day| day.yesterday().ok());
    days.take(7).find(|day| is_trading_day(*day)).unwrap_or(date)
}

/// Trading days after `from` up to `to`, with it; 0 where `to` is not after `from`.
pub fn trading_days_between(from: Date, to: Date) -> usize {
    let days = std::iter::successors(from.tomorrow().ok(), |day| day.tomorrow().ok());
    days.take_while(|day| *day <= to).filter(|day| is_trading_day(*day)).count()
}

/// Half days: before Independence Day where that is no Monday, after Thanksgiving, before Christmas.
fn is_half_day(date: Date) -> bool {
    match (date.month(), date.day()) {
        (7, 3) => date.weekday() != Weekday::Friday,
        (12, 24) => true,
        (11, _) => date.yesterday().is_ok_and(|day| nth(day, 11, 4, Weekday::Thursday)),
        _ => false,
    }
}

fn nth(date: Date, month: i8, nth: i8, weekday: Weekday) -> bool {
    date.month() == month && date.nth_weekday_of_month(nth, weekday).is_ok_and(|day| day == date)
}

/// On a Saturday it is kept the day before, on a Sunday the day after; New Year's Eve is never one.
fn kept(date: Date, month: i8, day: i8) -> bool {
    let kept = Date::new(date.year(), month, day).and_then(|day| match day.weekday() {
        Weekday::Saturday => day.yesterday(),
        Weekday::Sunday => day.tomorrow(),
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
            Ok(day)
        }
    });
    kept.is_ok_and(|day| day == date)
}

fn holiday(date: Date) -> Option<&'static str> {
    let holidays = [
        (kept(date, 1, 1), "New Year's Day"),
        (nth(date, 1, 3, Weekday::Monday), "Martin Luther King Jr. Day"),
        (nth(date, 2, 3, Weekday::Monday), "Washington's Birthday"),
        (is_good_friday(date), "Good Friday"),
        (nth(date, 5, -1, Weekday::Monday), "Memorial Day"),
        (date.year() >= 2022 && kept(date, 6, 19), "Juneteenth"),
        (kept(date, 7, 4), "Independence Day"),
        (nth(date, 9, 1, Weekday::Monday), "Labor Day"),
        (nth(date, 11, 4, Weekday::Thursday), "Thanksgiving Day"),
        (kept(date, 12, 25), "Christmas Day"),
    ];
    holidays.into_iter().find(|(is, _)| *is).map(|(_, name)| name)
}

/// Two days before Easter, which is reckoned by Butcher's rule.
fn is_good_friday(date: Date) -> bool {
    let year = i32::from(date.year());
    let (golden, century, of_century) = (year % 19, year / 100, year % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let from_march = epact + weekday - 7 * late + 114;
    let easter = (from_march / 31, from_march % 31 + 1);
    let after = date.tomorrow().and_then(Date::tomorrow);
    after.is_ok_and(|day| (i32::from(day.month()), i32::from(day.day())) == easter)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn closed_weekdays(year: i16) -> Vec<String> {
        let first = date(year, 1, 1);
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        days.take_while(|day| day.year() == year)
            .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
            .filter(|day| !is_trading_day(*day))
            .map(|day| format!("{:02}-{:02}", day.month(), day.day()))
            .collect()
    }

    #[test]
    fn the_rules_give_the_holidays_that_the_exchange_has_published() {
        assert_eq!(
            closed_weekdays(2021),
            ["01-01", "01-18", "02-15", "04-02", "05-31", "07-05", "09-06", "11-25", "12-24"]
        );
        assert_eq!(
            closed_weekdays(2022),
            ["01-17", "02-21", "04-15", "05-30", "06-20", "07-04", "09-05", "11-24", "12-26"]
        );
        assert_eq!(
            closed_weekdays(2026),
            ["01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"]
        );
        assert_eq!(
            closed_weekdays(2027),
            ["01-01", "01-18", "02-15", "03-26", "05-31", "06-18", "07-05", "09-06", "11-25", "12-24"]
        );
    }

    /// Every session of four years, as the Python package `exchange_calendars` 4.13.2 has them for `XNYS` (read on 2026-11-20).
    const SESSIONS: &str = include_str!("../../tests/fixtures/nyse/sessions-2024-2027.csv");

    #[test]
    fn the_sessions_of_2024_to_2027_are_those_of_an_independent_calendar() {
        let days = std::iter::successors(Some(date(2024, 1, 1)), |day| day.tomorrow().ok());
        let ours: Vec<String> = days
            .take_while(|day| day.year() < 2028)
            .filter_map(trading_day)
            .map(|day| format!("{},{},{}", day.date, day.open, day.close))
            .collect();
        assert_eq!(ours, SESSIONS.lines().skip(1).collect::<Vec<_>>());
    }

    #[test]
    fn three_hundred_days_ahead_are_always_known() {
        let mut day = date(2026, 11, 20);
        for _ in 0..300 {
            let next = next_trading_day(day);
            assert!(next > day);
            day = next;
        }
        assert_eq!(trading_days_between(date(2026, 11, 20), day), 300);
    }

    #[test]
    fn a_closure_says_why() {
        for (day, why) in [
            (date(2026, 11, 26), Some("Thanksgiving Day")),
            (date(2026, 7, 3), Some("Independence Day")),
            (date(2025, 1, 9), Some("the day of mourning for Jimmy Carter")),
            (date(2026, 11, 22), Some("a Sunday")),
            (date(2026, 11, 27), None),
        ] {
            assert_eq!(closure(day), why, "{day}");
        }
    }

    #[test]
    fn business_days_are_counted_over_a_long_weekend() {
        assert_eq!(trading_days_between(date(2026, 11, 25), date(2026, 11, 30)), 2);
        assert_eq!(trading_days_between(date(2026, 11, 27), date(2026, 11, 29)), 0);
        assert_eq!(trading_days_between(date(2026, 11, 30), date(2026, 11, 27)), 0);
        assert_eq!(last_trading_day(date(2026, 11, 26)), date(2026, 11, 25));
    }

    #[test]
    fn a_weekend_and_a_holiday_are_passed_over() {
        assert_eq!(next_trading_day(date(2026, 11, 19)), date(2026, 11, 20));
        assert_eq!(next_trading_day(date(2026, 11, 20)), date(2026, 11, 23));
        assert_eq!(next_trading_day(date(2026, 11, 25)), date(2026, 11, 27));
        assert_eq!(next_trading_day(date(2026, 4, 2)), date(2026, 4, 6));
    }
}
