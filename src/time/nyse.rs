//! Which days the New York Stock Exchange trades on, by its own rules.
//!
//! A venue's calendar is what orders rest on; the rules say what it has not been
//! asked: when the market opens next, and whether a closure is a long one. Half
//! days and days of mourning are not here, for no rule foresees them all.

use jiff::civil::{Date, Weekday};

/// Whether the exchange's rules make `date` a trading day (its holidays as read on 2026-11-20).
pub fn is_trading_day(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(date)
}

/// The first trading day after `date`.
pub fn next_trading_day(date: Date) -> Date {
    // No closure by rule is longer than four days.
    let days = std::iter::successors(date.tomorrow().ok(), |day| day.tomorrow().ok());
    days.take(7).find(|day| is_trading_day(*day)).unwrap_or(date)
}

fn is_holiday(date: Date) -> bool {
    let nth = |month: i8, nth: i8, weekday: Weekday| {
        date.month() == month && date.nth_weekday_of_month(nth, weekday).is_ok_and(|day| day == date)
    };
    // On a Saturday it is kept the day before, on a Sunday the day after; New Year's Eve is never one.
    let kept = |month: i8, day: i8| {
        let kept = Date::new(date.year(), month, day).and_then(|day| match day.weekday() {
            Weekday::Saturday => day.yesterday(),
            Weekday::Sunday => day.tomorrow(),
            Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
                Ok(day)
            }
        });
        kept.is_ok_and(|day| day == date)
    };
    kept(1, 1)
        || nth(1, 3, Weekday::Monday)
        || nth(2, 3, Weekday::Monday)
        || is_good_friday(date)
        || nth(5, -1, Weekday::Monday)
        || (date.year() >= 2022 && kept(6, 19))
        || kept(7, 4)
        || nth(9, 1, Weekday::Monday)
        || nth(11, 4, Weekday::Thursday)
        || kept(12, 25)
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

    #[test]
    fn a_weekend_and_a_holiday_are_passed_over() {
        assert_eq!(next_trading_day(date(2026, 11, 19)), date(2026, 11, 20));
        assert_eq!(next_trading_day(date(2026, 11, 20)), date(2026, 11, 23));
        assert_eq!(next_trading_day(date(2026, 11, 25)), date(2026, 11, 27));
        assert_eq!(next_trading_day(date(2026, 4, 2)), date(2026, 4, 6));
    }
}
