//! When a job is due: a cron line read on a zone's own clock.
//!
//! The line is matched against wall times, and each wall time is then made an instant by its zone:
//! so a job at 20:30 in New York stays there all year. A wall time that a clock change leaves out
//! is due all the same, and known to be [`Due::left_out`]; one that comes twice is due once, the
//! first time. systemd skips and counts them alike.

use chrono::{DateTime, Utc};
use croner::{Cron, parser::CronParser};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};

/// Days of the week, as systemd writes them.
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// When a job is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    line: String,
    cron: Cron,
    zone: TimeZone,
    zone_name: String,
}

/// One time at which a job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// The date in the job's zone: its business date.
    pub date: Date,
    /// The wall time, where there is none such on that day: `02:30`.
    pub left_out: Option<String>,
}

/// Why a schedule is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The line cannot be read.
    #[error("`{line}` is not a schedule: {why}")]
    Line {
        /// As it was given.
        line: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such zone.
    #[error("`{0}` is not a time zone")]
    Zone(String),
}

impl Schedule {
    /// Reads a cron line of five fields (minute, hour, day, month, weekday by name), and a zone's name.
    ///
    /// # Errors
    /// One of them is none.
    pub fn parse(line: &str, zone: &str) -> Result<Self, ScheduleError> {
        let wrong = |why: &str| ScheduleError::Line { line: line.to_owned(), why: why.to_owned() };
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(wrong("it has five fields: minute, hour, day, month, weekday"));
        };
        let plain = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit() || b"*,-/".contains(&byte));
        if ![minute, hour, day, month].into_iter().all(plain) {
            return Err(wrong("the first four fields are of digits and * , - /"));
        }
        let named = |name: &str| WEEKDAYS.contains(&name);
        if weekday != "*" && !weekday.split([',', '-']).all(named) {
            return Err(wrong("weekdays are written Mon, Mon-Fri or Mon,Wed"));
        }
        if weekday != "*" && day != "*" {
            return Err(wrong("it says a day of the month or a weekday, not both"));
        }
        let cron = CronParser::new().parse(line).map_err(|error| wrong(&error.to_string()))?;
        let zone_name = zone.to_owned();
        let zone = TimeZone::get(zone).map_err(|_| ScheduleError::Zone(zone_name.clone()))?;
        Ok(Self { line: line.to_owned(), cron, zone, zone_name })
    }

    /// All times after `after` up to `to`, with it, oldest first.
    pub fn dues(&self, after: Timestamp, to: Timestamp) -> Vec<Due> {
        self.from(after).take_while(|due| due.at <= to).collect()
    }

    /// The first time after `after`; none where there never is one.
    pub fn next(&self, after: Timestamp) -> Option<Due> {
        self.from(after).next()
    }

    /// The last time up to `to`, with it, that is no more than so many days before it.
    pub fn last(&self, to: Timestamp, days: i64) -> Option<Due> {
        let after = to.checked_sub((days * 24).hours()).unwrap_or(Timestamp::MIN);
        self.dues(after, to).pop()
    }

    /// The last time of a date that is not after `now`; none where there is none.
    pub fn last_of(&self, date: Date, now: Timestamp) -> Option<Timestamp> {
        let start = self.zone.to_timestamp(date.to_datetime(Time::midnight())).ok()?;
        let (after, end) = (start.checked_sub(1.second()).ok()?, start.checked_add(26.hours()).ok()?);
        self.dues(after, end.min(now)).into_iter().rfind(|due| due.date == date).map(|due| due.at)
    }

    /// The date in the job's zone.
    pub fn date_at(&self, now: Timestamp) -> Date {
        now.to_zoned(self.zone.clone()).date()
    }

    /// The zone's name.
    pub fn zone(&self) -> &str {
        &self.zone_name
    }

    /// The cron line as it was given.
    pub fn line(&self) -> &str {
        &self.line
    }

    fn from(&self, after: Timestamp) -> impl Iterator<Item = Due> {
        // Wall times are not in the order of instants where a clock is set back: begin a day before.
        let wall = after.to_zoned(self.zone.clone()).datetime();
        let wall = wall.checked_sub(1.day()).unwrap_or(wall);
        // Wall times are counted as if they were UTC's, which leaves none out.
        let start = wall.to_zoned(TimeZone::UTC).map_or(0, |wall| wall.timestamp().as_second());
        let start = DateTime::<Utc>::from_timestamp(start, 0).unwrap_or_default();
        self.cron.iter_after(start).filter_map(|wall| self.due(wall)).filter(move |due| due.at > after)
    }

    fn due(&self, wall: DateTime<Utc>) -> Option<Due> {
        let wall = Timestamp::from_second(wall.timestamp()).ok()?.to_zoned(TimeZone::UTC).datetime();
        let at = self.zone.to_ambiguous_timestamp(wall);
        let left_out = matches!(at.offset(), AmbiguousOffset::Gap { .. })
            .then(|| wall.time().strftime("%H:%M").to_string());
        Some(Due { at: at.compatible().ok()?, date: wall.date(), left_out })
    }

    /// The same as systemd writes it: `Mon..Fri *-*-* 20:30:00 America/New_York`.
    pub fn on_calendar(&self) -> String {
        let fields: Vec<&str> = self.line.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else { return String::new() };
        let weekday = if weekday == "*" { String::new() } else { format!("{} ", weekday.replace('-', "..")) };
        let (month, day) = (field(month, "1"), field(day, "1"));
        let (hour, minute) = (field(hour, "0"), field(minute, "0"));
        format!("{weekday}*-{month}-{day} {hour}:{minute}:00 {}", self.zone_name)
    }
}

/// A field as systemd writes it: ranges with two dots, steps from the first value, two digits.
fn field(cron: &str, first: &str) -> String {
    let padded = |number: &str| if number == "*" { number.to_owned() } else { format!("{number:0>2}") };
    let part = |part: &str| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let range = if range == "*" && step.is_some() { first } else { range };
        let range = range.split('-').map(padded).collect::<Vec<_>>().join("..");
        step.map_or_else(|| range.clone(), |step| format!("{range}/{step}"))
    };
    cron.split(',').map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn dues(line: &str, from: &str, to: &str) -> Vec<String> {
        let schedule = Schedule::parse(line, "America/New_York").unwrap();
        let told = |due: Due| match due.left_out {
            None => format!("{} {}", due.date, due.at),
            Some(wall) => format!("{} {} instead of {wall}", due.date, due.at),
        };
        schedule.dues(at(from), at(to)).into_iter().map(told).collect()
    }

    #[test]
    fn an_evening_job_stays_in_the_evening_over_the_change_to_summer_time() {
        assert_eq!(
            dues("30 20 * * Mon-Fri", "2026-03-06T00:00:00Z", "2026-03-11T00:00:00Z"),
            [
                "2026-03-05 2026-03-06T01:30:00Z",
                "2026-03-06 2026-03-07T01:30:00Z",
                "2026-03-09 2026-03-10T00:30:00Z"
            ]
        );
        assert_eq!(
            dues("30 20 * * Mon-Fri", "2027-03-12T12:00:00Z", "2027-03-16T12:00:00Z"),
            ["2027-03-12 2027-03-13T01:30:00Z", "2027-03-15 2027-03-16T00:30:00Z"]
        );
    }

    #[test]
    fn an_evening_job_stays_in_the_evening_over_the_change_to_winter_time() {
        assert_eq!(
            dues("30 20 * * Mon-Fri", "2026-10-30T12:00:00Z", "2026-11-03T12:00:00Z"),
            ["2026-10-30 2026-10-31T00:30:00Z", "2026-11-02 2026-11-03T01:30:00Z"]
        );
        assert_eq!(
            dues("30 20 * * Mon-Fri", "2027-11-05T12:00:00Z", "2027-11-09T12:00:00Z"),
            ["2027-11-05 2027-11-06T00:30:00Z", "2027-11-08 2027-11-09T01:30:00Z"]
        );
    }

    #[test]
    fn a_wall_time_that_is_left_out_is_due_at_the_hour_after_and_says_so() {
        assert_eq!(
            dues("30 2 * * Sun", "2026-03-02T00:00:00Z", "2026-03-16T00:00:00Z"),
            ["2026-03-08 2026-03-08T07:30:00Z instead of 02:30", "2026-03-15 2026-03-15T06:30:00Z"]
        );
    }

    #[test]
    fn a_wall_time_that_comes_twice_is_due_once() {
        assert_eq!(
            dues("30 1 * * *", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z"),
            ["2026-11-01 2026-11-01T05:30:00Z", "2026-11-02 2026-11-02T06:30:00Z"]
        );
    }

    #[test]
    fn the_end_belongs_to_what_is_due_and_the_beginning_does_not() {
        let schedule = Schedule::parse("*/5 * * * *", "UTC").unwrap();
        let found = schedule.dues(at("2026-11-20T10:00:00Z"), at("2026-11-20T10:10:00Z"));
        assert_eq!(
            found.iter().map(|due| due.at).collect::<Vec<_>>(),
            [at("2026-11-20T10:05:00Z"), at("2026-11-20T10:10:00Z")]
        );
        assert_eq!(schedule.next(at("2026-11-20T10:10:00Z")).unwrap().at, at("2026-11-20T10:15:00Z"));
        assert_eq!(schedule.last(at("2026-11-20T10:14:59Z"), 1).unwrap().at, at("2026-11-20T10:10:00Z"));
    }

    #[test]
    fn systemd_reads_the_same_times() {
        for (line, zone, calendar) in [
            ("30 20 * * Mon-Fri", "America/New_York", "Mon..Fri *-*-* 20:30:00 America/New_York"),
            ("*/5 * * * *", "UTC", "*-*-* *:00/5:00 UTC"),
            ("0 6,18 1-7 */2 *", "UTC", "*-01/2-01..07 06,18:00:00 UTC"),
            ("5 9 * * Mon,Wed", "Europe/Berlin", "Mon,Wed *-*-* 09:05:00 Europe/Berlin"),
        ] {
            assert_eq!(Schedule::parse(line, zone).unwrap().on_calendar(), calendar);
        }
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        for (line, zone, why) in [
            ("30 20 * *", "UTC", "it has five fields: minute, hour, day, month, weekday"),
            ("30 20 L * *", "UTC", "the first four fields are of digits and * , - /"),
            ("30 20 * * 1-5", "UTC", "weekdays are written Mon, Mon-Fri or Mon,Wed"),
            ("30 20 1 * Mon", "UTC", "it says a day of the month or a weekday, not both"),
            ("61 20 * * *", "UTC", ""),
            ("30 20 * * *", "America/Newark", "`America/Newark` is not a time zone"),
        ] {
            let said = Schedule::parse(line, zone).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
