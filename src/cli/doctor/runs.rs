//! Whether the jobs ran: what no run can say of itself.

use jiff::{Timestamp, tz::TimeZone};

use super::findings::Findings;
use crate::{
    job::{health::lateness, spec::Spec},
    store::{
        Db, StoreError,
        runs::{self, Recorded},
    },
};

/// One line a job. Where `all_must_have_run`, one that never ran has failed.
///
/// # Errors
/// The database.
pub(super) async fn examine(
    specs: &[Spec],
    db: &Db,
    now: Timestamp,
    all_must_have_run: bool,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut conn = db.pool().acquire().await.map_err(|error| StoreError::of("look at jobs", error))?;
    let ended = runs::last_ended(&mut conn).await?;
    let newest = runs::newest(&mut conn).await?;
    for spec in specs {
        let about = format!("job {}", spec.name);
        let next_due = spec.schedule.next(now).map(|due| {
            let zone = TimeZone::get(spec.schedule.zone()).unwrap_or(TimeZone::UTC);
            due.at.to_zoned(zone).strftime("%F %H:%M %Z").to_string()
        });
        let due = next_due.map(|at| format!("; due next at {at}")).unwrap_or_default();
        let again = |date| format!("read why; then hedge job run {} --date {date}", spec.name);
        if let Some(late) = lateness(spec, ended.get(&spec.name).copied(), now) {
            findings.failed(&about, format!("{}: {}", late.about, late.detail), late.next);
            continue;
        }
        match newest.get(&spec.name) {
            None if all_must_have_run => findings.failed(
                &about,
                format!("it never ran{due}"),
                "see that `hedge run` or its timer runs",
            ),
            None => findings.noted(&about, format!("it never ran{due}"), "`hedge run` or its timer runs it"),
            Some(Recorded { state, date, said, .. }) => {
                let said = format!("{date} {state}: {}{due}", said.as_deref().unwrap_or("at it"));
                match state.as_str() {
                    "failed" | "inconsistent" => findings.failed(&about, said, again(*date)),
                    "incomplete" => findings.noted(&about, said, again(*date)),
                    "found" => findings.noted(&about, said, "look at what it found"),
                    _ => findings.ok(&about, said),
                }
            }
        }
    }
    Ok(())
}
