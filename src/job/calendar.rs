//! Writes down when the market is open: the exchange's rules, and over them what brokers say.

use std::sync::Arc;

use jiff::{ToSpan, civil::Date};
use sqlx::PgPool;

use super::{Outcome, Run, Verdict};
use crate::{
    policy::alert::{Condition, Severity},
    store::{
        StoreError,
        sessions::{self, Source},
    },
    time::{TradingDay, nyse},
    venue::Venue,
};

/// Days behind that are looked at again: a broker may tell of a closure afterwards.
const BEHIND: i64 = 7;

/// Takes up the calendar so many days ahead, and says where brokers and rules differ.
///
/// # Errors
/// The database. A broker that does not answer is left out, and the outcome says so.
pub async fn run(
    pool: &PgPool,
    venues: &[Arc<dyn Venue>],
    ahead: u32,
    run: &Run,
) -> Result<(Outcome, Vec<Condition>), StoreError> {
    let from = run.date.checked_sub(BEHIND.days()).unwrap_or(run.date);
    let to = run.date.checked_add(i64::from(ahead).days()).unwrap_or(run.date);
    let rules = weekdays(from, to, nyse::trading_day);
    // Brokers are asked before anything is held open for them.
    let (mut told, mut silent) = (Vec::new(), Vec::new());
    for venue in venues {
        match venue.calendar(from, to).await {
            Ok(None) => {}
            Ok(Some(days)) => {
                // What lies behind the last day that it names is not closed, but not told.
                let known_to = days.last().map_or(from, |day| day.date);
                told.push(weekdays(from, known_to, |date| days.iter().find(|day| day.date == date).copied()));
            }
            Err(error) => silent.push(error.to_string()),
        }
    }
    let mut tx = pool.begin().await.map_err(|error| StoreError::of("open a transaction", error))?;
    let mut written = sessions::write(&mut tx, &rules, Source::Rules, run.at).await?;
    for days in &told {
        written += sessions::write(&mut tx, days, Source::Broker, run.at).await?;
    }
    let differing = sessions::differing(&mut tx, run.date, &rules).await?;
    tx.commit().await.map_err(|error| StoreError::of("write the calendar", error))?;
    let conditions = differing.iter().map(|date| difference(*date, run)).collect();
    let verdict = if silent.is_empty() { Verdict::Done } else { Verdict::Incomplete };
    let mut said =
        vec![format!("days that were not known so: {written}; calendars of brokers: {}", told.len())];
    if !differing.is_empty() {
        said.push(format!("days on which they differ from the rules: {}", differing.len()));
    }
    said.extend(silent);
    let said = said.join("; ");
    Ok((Outcome { verdict, said }, conditions))
}

fn weekdays(
    from: Date,
    to: Date,
    day: impl Fn(Date) -> Option<TradingDay>,
) -> Vec<(Date, Option<TradingDay>)> {
    let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
    days.take_while(|date| *date <= to)
        .filter(|date| date.weekday().to_monday_one_offset() < 6)
        .map(|date| (date, day(date)))
        .collect()
}

fn difference(date: Date, run: &Run) -> Condition {
    Condition {
        key: format!("calendar/{date}"),
        class: "calendar differs".to_owned(),
        leg: "calendar".to_owned(),
        severity: Severity::Info,
        symbol: None,
        about: format!("a broker has other hours for {date} than the exchange's rules"),
        detail: "The broker's are gone by: a day of mourning, or a storm, is in no rule.".to_owned(),
        next: "look at the exchange's notice; nothing needs to be done where it agrees".to_owned(),
        usd: None,
        quantity: None,
        since: run.at,
        confirmed: true,
        acknowledged_until: None,
    }
}
