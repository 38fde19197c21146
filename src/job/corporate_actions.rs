//! Asks what companies do to the shares that we hold, and makes the books go along.
//!
//! What is announced is written down, what is called off before its day is withdrawn; on the
//! day, stated exposure is corrected, once. An announcement that vanishes after its day, or
//! that contradicts what stands, is told and changes nothing: a person decides.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{Timestamp, ToSpan, civil::Date};
use sqlx::{PgConnection, PgPool};

use super::{Outcome, Run, Verdict};
use crate::{
    book::action::CorporateAction,
    policy::alert::{Condition, Severity},
    store::{
        StoreError,
        actions::{self, Corrected, Kept},
    },
    venue::Venue,
};

/// Announcements come and change late: days behind that are asked for again, and days ahead.
const BEHIND: i64 = 30;
const AHEAD: i64 = 60;

/// Takes up announcements for these shares, and for all that are held.
///
/// # Errors
/// The database. A venue that does not answer is left out, and the outcome says so.
pub async fn run(
    pool: &PgPool,
    venues: &[Arc<dyn Venue>],
    configured: &[String],
    run: &Run,
) -> anyhow::Result<(Outcome, Vec<Condition>)> {
    let (from, to) = window(run.date);
    let mut conn = pool.acquire().await?;
    let held = actions::symbols(&mut conn).await?;
    drop(conn);
    let symbols: BTreeSet<String> = held.into_iter().chain(configured.iter().cloned()).collect();
    let symbols: Vec<String> = symbols.into_iter().collect();
    let (mut told, mut silent) = (Vec::new(), Vec::new());
    for venue in venues {
        match venue.actions(&symbols, from, to).await {
            Ok(actions) => told.push((venue.name().to_owned(), actions)),
            Err(error) => silent.push(error.to_string()),
        }
    }
    let mut tx = pool.begin().await?;
    let mut conditions = Vec::new();
    let (mut new, mut withdrawn) = (0, 0);
    for (source, actions) in told {
        let (more, less) = take_up(&mut tx, &source, actions, run, &mut conditions).await?;
        new += more;
        withdrawn += less;
    }
    let corrected = apply(&mut tx, run.at, run.date).await?;
    tx.commit().await?;
    let mut said = vec![format!(
        "announcements that were not known: {new}; withdrawn: {withdrawn}; corrections: {}",
        corrected.len()
    )];
    said.extend(corrected.iter().map(|it| format!("{} {} by {}", it.quantity, it.symbol, it.action)));
    let verdict = match (silent.is_empty(), conditions.is_empty()) {
        (false, _) => Verdict::Incomplete,
        (true, false) => Verdict::Found,
        (true, true) => Verdict::Done,
    };
    said.extend(silent);
    Ok((Outcome { verdict, said: said.join("; ") }, conditions))
}

fn window(day: Date) -> (Date, Date) {
    (day.saturating_sub(BEHIND.days()), day.saturating_add(AHEAD.days()))
}

/// Makes stated exposure what the actions that are effective by now make of it; nothing where it is.
///
/// # Errors
/// The database.
pub async fn apply(conn: &mut PgConnection, now: Timestamp, day: Date) -> Result<Vec<Corrected>, StoreError> {
    let (from, to) = window(day);
    let known = actions::known(conn, from, to).await?;
    let effective: Vec<Kept> = known.into_iter().filter(|kept| kept.action.effective_at <= now).collect();
    actions::correct(conn, &effective).await
}

/// Writes down what one venue announces, and withdraws what it announced and announces no more.
async fn take_up(
    conn: &mut PgConnection,
    source: &str,
    told: Vec<CorporateAction>,
    run: &Run,
    conditions: &mut Vec<Condition>,
) -> Result<(usize, usize), StoreError> {
    let (from, to) = window(run.date);
    let known = actions::known(conn, from, to).await?;
    let ours: BTreeMap<&str, &Kept> = known
        .iter()
        .filter(|kept| kept.source == source && !kept.withdrawn)
        .map(|kept| (announced_as(source, &kept.action.id), kept))
        .collect();
    let ids: BTreeSet<&str> = told.iter().map(|action| action.id.as_str()).collect();
    let (mut new, mut withdrawn) = (0, 0);
    for (id, kept) in ours.iter().filter(|(id, _)| !ids.contains(*id)) {
        if kept.action.effective_at <= run.at {
            conditions.push(odd(kept, run, format!("{source} does not announce {id} any more"), "vanished"));
        } else if actions::withdraw(conn, &kept.action.id, "announced no more", run.at).await? {
            withdrawn += 1;
        }
    }
    for action in &told {
        let versions = known.iter().filter(|kept| announced_as(source, &kept.action.id) == action.id).count();
        match ours.get(action.id.as_str()) {
            Some(kept) if same(&kept.action, action) => continue,
            Some(kept) if kept.action.effective_at <= run.at => {
                let about = format!("{source} now says otherwise of {}: {:?}", action.id, action.change);
                conditions.push(odd(kept, run, about, "changed"));
                continue;
            }
            Some(kept) => {
                let gone = actions::withdraw(conn, &kept.action.id, "announced otherwise", run.at).await?;
                withdrawn += usize::from(gone);
            }
            None => {}
        }
        let version = if versions == 0 { String::new() } else { format!("#{}", versions + 1) };
        let id = format!("{source}/{}{version}", action.id);
        let action = CorporateAction { id, ..action.clone() };
        if actions::keep(conn, &action, source, None, run.at).await? {
            new += 1;
        } else if let Some(stands) = known.iter().find(|kept| contradicts(kept, &action)) {
            let about = format!("{source} announces {:?}", action.change);
            conditions.push(odd(stands, run, about, "contradicted"));
        }
    }
    Ok((new, withdrawn))
}

/// The venue's own id of an action on record: without the venue, and without a version.
fn announced_as<'a>(source: &str, id: &'a str) -> &'a str {
    let bare = id.strip_prefix(source).and_then(|rest| rest.strip_prefix('/')).unwrap_or(id);
    bare.rsplit_once('#').map_or(bare, |(bare, _)| bare)
}

/// Is it announced as it stands? Days of payment may follow.
fn same(stands: &CorporateAction, told: &CorporateAction) -> bool {
    (&stands.symbol, &stands.change, stands.ex_date) == (&told.symbol, &told.change, told.ex_date)
}

/// Does it stand in the way, being of another ratio or ticker?
fn contradicts(kept: &Kept, told: &CorporateAction) -> bool {
    let stands = &kept.action;
    !kept.withdrawn
        && actions::kind(&stands.change) == actions::kind(&told.change)
        && (&stands.symbol, stands.ex_date) == (&told.symbol, told.ex_date)
        && stands.change != told.change
}

fn odd(kept: &Kept, run: &Run, about: String, how: &str) -> Condition {
    let action = &kept.action;
    Condition {
        key: format!("action/{}/{how}", action.id),
        class: format!("corporate action {how}"),
        leg: "corporate actions".to_owned(),
        severity: Severity::Warning,
        symbol: Some(action.symbol.clone()),
        about,
        detail: format!(
            "On record, and gone by: {} {:?} on {}.",
            action.symbol, action.change, action.ex_date
        ),
        next: format!("hedge action withdraw {} --reason …, where what stands is wrong", action.id),
        usd: None,
        quantity: None,
        since: run.at,
        confirmed: true,
        acknowledged_until: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_on_record_leads_back_to_the_venues() {
        assert_eq!(announced_as("alpaca", "alpaca/a-1"), "a-1");
        assert_eq!(announced_as("alpaca", "alpaca/a-1#3"), "a-1");
        assert_eq!(announced_as("alpaca", "hand/AAPL"), "hand/AAPL");
    }
}
