//! Looks at ages: what has waited longer than it should, and which job did not run.

use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, Row as _};

use super::{Run, spec::Spec};
use crate::{
    policy::alert::{Condition, Severity},
    store::{StoreError, runs, types::At},
};

/// How old things may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Since a source's head was looked at.
    pub cursor_age: SignedDuration,
    /// Since an order left that nobody has answered for.
    pub unanswered: SignedDuration,
    /// Since an exposure is held back, other than by the market's hours.
    pub held_back: SignedDuration,
    /// Since a range was read that is believed as one node said it.
    pub unproved: SignedDuration,
    /// Since a message was written that is not sent.
    pub unsent: SignedDuration,
    /// Trading days ahead that must be known.
    pub days_ahead: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cursor_age: SignedDuration::from_mins(5),
            unanswered: SignedDuration::from_mins(5),
            held_back: SignedDuration::from_mins(30),
            unproved: SignedDuration::from_hours(48),
            unsent: SignedDuration::from_mins(30),
            days_ahead: 300,
        }
    }
}

/// Everything that is older than it should be, and every job that is late.
///
/// # Errors
/// The database.
pub async fn look(
    conn: &mut PgConnection,
    limits: &Limits,
    specs: &[Spec],
    run: &Run,
) -> Result<Vec<Condition>, StoreError> {
    let failed = |error| StoreError::of("look at ages", error);
    let rows = sqlx::query(include_str!("../../sql/queries/health.sql"))
        .bind(At(run.at))
        .bind(seconds(limits.cursor_age))
        .bind(seconds(limits.unanswered))
        .bind(seconds(limits.held_back))
        .bind(seconds(limits.unproved))
        .bind(i64::from(limits.days_ahead))
        .bind(seconds(limits.unsent))
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
    let mut found = Vec::new();
    for row in &rows {
        found.push(condition(row).map_err(failed)?);
    }
    let ended = runs::last_ended(conn).await?;
    let late = specs.iter().filter(|spec| spec.name != run.job);
    found.extend(late.filter_map(|spec| lateness(spec, ended.get(&spec.name).copied(), run.at)));
    Ok(found)
}

fn seconds(time: SignedDuration) -> i64 {
    time.as_secs()
}

fn condition(row: &sqlx::postgres::PgRow) -> Result<Condition, sqlx::Error> {
    let severity: String = row.try_get("severity")?;
    let severity = Severity::ALL.into_iter().find(|known| known.word() == severity);
    let since: At = row.try_get("since")?;
    Ok(Condition {
        key: format!("health/{}", row.try_get::<String, _>("key")?),
        class: row.try_get("class")?,
        leg: row.try_get("leg")?,
        severity: severity.unwrap_or(Severity::Critical),
        symbol: row.try_get("symbol")?,
        about: row.try_get("about")?,
        detail: row.try_get("detail")?,
        next: row.try_get("next")?,
        usd: None,
        quantity: None,
        since: since.0,
        confirmed: true,
        acknowledged_until: None,
    })
}

/// A job whose last due time is further back than its deadline and is not on record as ended.
///
/// One that was never on record is not late: books that are new have no nights behind them.
pub fn lateness(spec: &Spec, ended: Option<Timestamp>, now: Timestamp) -> Option<Condition> {
    let ended = ended?;
    let due = spec.schedule.last(now.checked_sub(spec.deadline).ok()?, 8)?;
    if ended >= due.at {
        return None;
    }
    let (name, date) = (&spec.name, due.date);
    Some(Condition {
        key: format!("health/job/{name}/late"),
        class: "job late".to_owned(),
        leg: "jobs".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: format!("{name} of {date} is late"),
        detail: format!(
            "It was due at {} and must have ended {} min later; the last that ended was due at {ended}.",
            due.at,
            spec.deadline.as_mins()
        ),
        next: format!("see that `hedge run` or its timer runs; then hedge job run {name} --date {date}"),
        usd: None,
        quantity: None,
        since: due.at,
        confirmed: true,
        acknowledged_until: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::spec::{Missed, tests::spec};

    #[test]
    fn a_job_is_late_once_its_deadline_has_passed_and_not_before() {
        let job = spec("30 20 * * Mon-Fri", Missed::Each); // half an hour
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let thursday = Some(at("2026-11-20T01:30:00Z"));
        let friday = Some(at("2026-11-21T01:30:00Z"));
        for (ended, now, late) in [
            (thursday, "2026-11-21T01:59:59Z", false),
            (thursday, "2026-11-21T02:00:00Z", true),
            (thursday, "2026-11-23T12:00:00Z", true),
            (friday, "2026-11-23T12:00:00Z", false),
            (None, "2026-11-23T12:00:00Z", false),
        ] {
            assert_eq!(lateness(&job, ended, at(now)).is_some(), late, "{now}");
        }
    }
}
