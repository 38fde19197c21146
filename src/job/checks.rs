//! Runs `sql/checks`, keeps what they found, and says what is more than is let pass.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::Run;
use crate::{
    policy::alert::{Condition, Severity},
    store::{
        StoreError,
        checks::{self, Found},
    },
};

/// Runs every check and keeps what it found; one condition for each with more rows than are let pass.
///
/// # Errors
/// The database.
pub async fn look(
    conn: &mut PgConnection,
    allowed: &BTreeMap<String, u64>,
    run: &Run,
) -> Result<(Vec<Found>, Vec<Condition>), StoreError> {
    let found = checks::run(conn).await?;
    let mut conditions = Vec::new();
    for one in &found {
        let allowed = allowed.get(one.name).copied().unwrap_or(0);
        checks::keep(conn, run.id, one, allowed, run.at).await?;
        if u64::try_from(one.failures).is_ok_and(|failures| failures > allowed) {
            conditions.push(condition(one, run));
        }
    }
    Ok((found, conditions))
}

fn condition(found: &Found, run: &Run) -> Condition {
    let Found { name, about, failures, sample } = found;
    Condition {
        key: format!("check/{name}"),
        class: "check failed".to_owned(),
        leg: "books".to_owned(),
        severity: Severity::Critical,
        symbol: None,
        about: format!("the check {name} found {failures} rows"),
        detail: format!("{about} The first: {sample}"),
        next: "hedge check; the books are believed again when it finds nothing".to_owned(),
        usd: None,
        quantity: None,
        since: run.at,
        confirmed: true,
        acknowledged_until: None,
    }
}
