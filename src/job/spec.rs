//! What a job is: what it does, when, how late it may be, and who is told.
//!
//! `config/jobs.rs` reads specs from `jobs/*.toml`, whose text is built in.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    health,
    notify::Channel,
    schedule::{Due, Schedule},
};
use crate::{policy::alert::Severity, time::nyse};

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Proves the books against the broker and the vaults.
    Reconcile,
    /// Counts the day's money.
    Pnl,
    /// Writes the day's statement.
    Statement,
    /// Looks at ages.
    Health(health::Limits),
    /// Runs `sql/checks`: a row is a failure. So many rows of a check are let pass.
    Checks(BTreeMap<String, u64>),
    /// Asks what companies do to their shares.
    CorporateActions,
    /// Asks when the market is open, so many days ahead.
    Calendar(u32),
}

impl Kind {
    /// The word used in specs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::Pnl => "pnl",
            Self::Statement => "statement",
            Self::Health(_) => "health",
            Self::Checks(_) => "checks",
            Self::CorporateActions => "corporate_actions",
            Self::Calendar(_) => "calendar",
        }
    }
}

/// Which way each severity is told.
pub type Routes = BTreeMap<Severity, Vec<Channel>>;

/// What becomes of times that passed while nothing ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// Each is run for its own date, oldest first: what can be counted later.
    Each,
    /// The newest alone is run: what can only be seen now. The others are put on record as missed.
    Newest,
}

impl Missed {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Each, Self::Newest];

    /// The word used in specs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Newest => "newest",
        }
    }
}

/// A job.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name: that of its file.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// The same in a sentence, for lists and units.
    pub about: String,
    /// When.
    pub schedule: Schedule,
    /// Whether it rests while the exchange is closed all day.
    pub sessions_only: bool,
    /// How long after it is due it must have ended.
    pub deadline: SignedDuration,
    /// What becomes of missed times.
    pub missed: Missed,
    /// How long ago a missed time may be.
    pub catch_up: SignedDuration,
    /// Who is told.
    pub routes: Routes,
}

/// What is to be done about a time at which a job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is run.
    Run,
    /// It is not, and why.
    Skip(String),
}

impl Spec {
    /// What is due and not yet on record, oldest first.
    ///
    /// `last` is the last time on record. A job that never ran begins now: it is not due for
    /// nights before there were books.
    pub fn due(
        &self,
        last: Option<Timestamp>,
        now: Timestamp,
        is_session: impl Fn(Date) -> bool,
    ) -> Vec<(Due, Turn)> {
        /// A process that starts a moment too late is not late.
        const FIRST: SignedDuration = SignedDuration::from_mins(10);
        let earliest = now.checked_sub(self.catch_up.max(FIRST)).unwrap_or(Timestamp::MIN);
        let after = last.or_else(|| now.checked_sub(FIRST).ok()).map_or(earliest, |last| last.max(earliest));
        let mut dues = self.schedule.dues(after, now);
        let newest = dues.pop().map(|due| (self.turn(&due, &is_session), due));
        let older = dues.into_iter().map(|due| {
            let turn = match (self.turn(&due, &is_session), self.missed) {
                (Turn::Run, Missed::Newest) => Turn::Skip(format!("missed: nothing ran at {}", due.at)),
                (turn, _) => turn,
            };
            (turn, due)
        });
        older.chain(newest).map(|(turn, due)| (due, turn)).collect()
    }

    fn turn(&self, due: &Due, is_session: impl Fn(Date) -> bool) -> Turn {
        if let Some(wall) = &due.left_out {
            return Turn::Skip(format!(
                "{wall} does not exist on {} in {}: the clocks change",
                due.date,
                self.schedule.zone()
            ));
        }
        if self.sessions_only && !is_session(due.date) {
            let why = nyse::closure(due.date).unwrap_or("the exchange is closed");
            return Turn::Skip(format!("no session on {}: {why}", due.date));
        }
        Turn::Run
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::job) fn spec(line: &str, missed: Missed) -> Spec {
        Spec {
            name: "night".to_owned(),
            kind: Kind::Pnl,
            about: "A job.".to_owned(),
            schedule: Schedule::parse(line, "America/New_York").unwrap(),
            sessions_only: true,
            deadline: SignedDuration::from_mins(30),
            missed,
            catch_up: SignedDuration::from_hours(24 * 14),
            routes: Routes::new(),
        }
    }

    fn turns(spec: &Spec, last: Option<&str>, now: &str) -> Vec<String> {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let told = |(due, turn): (Due, Turn)| match turn {
            Turn::Run => format!("{} run", due.date),
            Turn::Skip(why) => format!("{} {why}", due.date),
        };
        spec.due(last.map(at), at(now), nyse::is_trading_day).into_iter().map(told).collect()
    }

    #[test]
    fn a_missed_week_is_caught_up_day_by_day_or_by_its_last_night() {
        let last = Some("2026-11-21T01:30:00Z"); // Friday's
        let now = "2026-11-28T15:00:00Z"; // the Saturday after Thanksgiving
        assert_eq!(
            turns(&spec("30 20 * * Mon-Fri", Missed::Each), last, now),
            [
                "2026-11-23 run",
                "2026-11-24 run",
                "2026-11-25 run",
                "2026-11-26 no session on 2026-11-26: Thanksgiving Day",
                "2026-11-27 run",
            ]
        );
        assert_eq!(
            turns(&spec("30 20 * * Mon-Fri", Missed::Newest), last, now),
            [
                "2026-11-23 missed: nothing ran at 2026-11-24T01:30:00Z",
                "2026-11-24 missed: nothing ran at 2026-11-25T01:30:00Z",
                "2026-11-25 missed: nothing ran at 2026-11-26T01:30:00Z",
                "2026-11-26 no session on 2026-11-26: Thanksgiving Day",
                "2026-11-27 run",
            ]
        );
    }

    #[test]
    fn what_was_missed_too_long_ago_is_let_be() {
        let job =
            Spec { catch_up: SignedDuration::from_hours(48), ..spec("30 20 * * Mon-Fri", Missed::Each) };
        assert_eq!(
            turns(&job, Some("2026-11-03T01:30:00Z"), "2026-11-21T02:00:00Z"),
            ["2026-11-19 run", "2026-11-20 run"]
        );
    }

    #[test]
    fn a_job_that_never_ran_begins_with_the_next_time() {
        let job = spec("30 20 * * Mon-Fri", Missed::Each);
        assert_eq!(turns(&job, None, "2026-11-21T00:00:00Z"), [""; 0]);
        assert_eq!(turns(&job, None, "2026-11-21T01:30:30Z"), ["2026-11-20 run"]);
    }

    #[test]
    fn a_time_that_the_change_of_clocks_leaves_out_says_so() {
        let job = Spec { sessions_only: false, ..spec("30 2 * * *", Missed::Each) };
        assert_eq!(
            turns(&job, Some("2026-03-07T12:00:00Z"), "2026-03-09T12:00:00Z"),
            [
                "2026-03-08 02:30 does not exist on 2026-03-08 in America/New_York: the clocks change",
                "2026-03-09 run"
            ]
        );
    }
}
