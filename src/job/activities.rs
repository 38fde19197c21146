//! Takes up what moved accounts without a trade: kept as it was told, its cash booked once.
//!
//! Brokers post late: each look goes a while back behind the last, and what is known is
//! passed over. What is of no kind that costs or brings money is kept and booked nowhere:
//! reconciliation shows it, and a person decides.

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use sqlx::PgPool;

use super::Run;
use crate::{
    book::activity::{Activity, ActivityKind},
    store::{
        StoreError,
        activities::{self, CashFlow},
        orders::VenueId,
    },
    time::new_york_date,
    venue::{Venue, VenueError},
};

/// So far behind the last look an activity may still be posted.
const LATE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So far back the first look goes, where hedging has not begun.
const FIRST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What came of taking activities up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Those that were not known, by venue.
    pub new: Vec<(VenueId, Activity)>,
    /// Movements of cash that were booked.
    pub booked: usize,
    /// Movements of cash that were taken back.
    pub taken_back: usize,
    /// Venues that did not answer, and what they said: their activities are as they were.
    pub silent: Vec<String>,
}

/// Takes up the activities of these venues since the last time; each venue in a transaction of its own.
///
/// # Errors
/// The database. A venue that does not answer is among the silent.
pub async fn run(pool: &PgPool, venues: &[(VenueId, &dyn Venue)], run: &Run) -> anyhow::Result<Taken> {
    let mut taken = Taken::default();
    for (id, venue) in venues {
        match take_up(pool, *id, *venue, run.at, &mut taken).await? {
            Ok(()) => {}
            Err(error) => taken.silent.push(error.to_string()),
        }
    }
    Ok(taken)
}

async fn take_up(
    pool: &PgPool,
    id: VenueId,
    venue: &dyn Venue,
    now: Timestamp,
    taken: &mut Taken,
) -> Result<Result<(), VenueError>, StoreError> {
    let opened = |error| StoreError::of("take up activities", error);
    let mut conn = pool.acquire().await.map_err(opened)?;
    let last = activities::scanned_to(&mut conn, id).await?;
    let begun = activities::begun(&mut conn).await?;
    drop(conn);
    let before = |at: Timestamp, by: SignedDuration| at.checked_sub(by).unwrap_or(Timestamp::UNIX_EPOCH);
    let since = match last {
        Some(last) => before(last, LATE),
        None => begun.unwrap_or_else(|| before(now, FIRST)),
    };
    let told = match venue.activities(since).await {
        Ok(told) => told,
        Err(error) => return Ok(Err(error)),
    };
    let mut tx = pool.begin().await.map_err(opened)?;
    for activity in told {
        if !activities::keep(&mut tx, id, &activity).await? {
            continue;
        }
        let flow = format!("{}/{}", venue.name(), activity.id);
        if let Some(kind) = flow_kind(&activity) {
            let flow = CashFlow {
                id: &flow,
                kind,
                venue: Some(id),
                symbol: activity.symbol.as_deref(),
                amount: activity.cash,
                at: moment(&activity),
                tx: None,
                valuation: None,
                said: &activity.said,
            };
            taken.booked += usize::from(activities::book(&mut tx, &flow).await?);
        } else if is_taken_back(&activity) {
            taken.taken_back += activities::take_back(&mut tx, &flow, &activity.said).await?;
        }
        taken.new.push((id, activity));
    }
    activities::scanned(&mut tx, id, now).await?;
    tx.commit().await.map_err(opened)?;
    Ok(Ok(()))
}

/// What its cash is booked as; none where it moved none, or nobody knows what it is.
fn flow_kind(activity: &Activity) -> Option<&'static str> {
    let cash = activity.cash.0;
    if cash.is_zero() {
        return None;
    }
    let paid = cash.is_negative();
    match activity.kind {
        ActivityKind::Commission | ActivityKind::Regulatory if !paid => Some("rebate"),
        ActivityKind::Commission => Some("commission"),
        ActivityKind::Regulatory => Some("regulatory"),
        ActivityKind::Interest if paid => Some("interest"),
        ActivityKind::Interest => Some("interest earned"),
        ActivityKind::Dividend => Some("dividend"),
        ActivityKind::Cash if paid => Some("withdrawal"),
        ActivityKind::Cash => Some("deposit"),
        ActivityKind::Shares | ActivityKind::Split | ActivityKind::Rename | ActivityKind::Other => None,
    }
}

/// One that a venue lists as undone: it keeps its id and moves nothing.
fn is_taken_back(activity: &Activity) -> bool {
    activity.kind == ActivityKind::Other
        && (activity.word.ends_with(" canceled") || activity.word.ends_with(" invalid"))
}

/// When it counts: the broker's moment where that is of its day, else the afternoon of that.
fn moment(activity: &Activity) -> Timestamp {
    let four = Time::constant(16, 0, 0, 0);
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    let close = || zone.to_timestamp(activity.date.to_datetime(four)).unwrap_or_default();
    activity.at.filter(|at| new_york_date(*at) == activity.date).unwrap_or_else(close)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Shares, Usd};

    fn activity(kind: ActivityKind, cash: &str) -> Activity {
        Activity {
            id: "1".to_owned(),
            kind,
            word: "FEE".to_owned(),
            symbol: None,
            quantity: Shares::ZERO,
            cash: Usd(cash.parse().unwrap()),
            date: "2026-11-20".parse().unwrap(),
            at: None,
            said: String::new(),
        }
    }

    #[test]
    fn cash_is_booked_by_what_it_is_and_which_way_it_went() {
        use ActivityKind::*;
        for (kind, cash, booked) in [
            (Commission, "-1", Some("commission")),
            (Commission, "1", Some("rebate")),
            (Regulatory, "-0.02", Some("regulatory")),
            (Interest, "-3", Some("interest")),
            (Interest, "3", Some("interest earned")),
            (Dividend, "-2", Some("dividend")),
            (Cash, "100", Some("deposit")),
            (Cash, "-100", Some("withdrawal")),
            (Shares, "5", None),
            (Other, "7", None),
            (Commission, "0", None),
        ] {
            assert_eq!(flow_kind(&activity(kind, cash)), booked, "{kind:?} {cash}");
        }
    }

    #[test]
    fn what_is_posted_the_morning_after_counts_for_its_day() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let fee = activity(ActivityKind::Commission, "-1");
        let late = Activity { at: at("2026-11-21T11:00:00Z"), ..fee.clone() };
        assert_eq!(Some(moment(&late)), at("2026-11-20T21:00:00Z"));
        let then = Activity { at: at("2026-11-20T15:00:00Z"), ..fee };
        assert_eq!(Some(moment(&then)), at("2026-11-20T15:00:00Z"));
    }
}
