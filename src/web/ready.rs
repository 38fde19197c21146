//! Whether whoever restarts or routes may count on this process: its loops end their steps, the
//! books answer, and every source is read. Each reason against it is said.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use super::{Answer, JSON, Site, vitals::seconds};
use crate::{cli::why::telling::age, job::health::Limits, store::types::At, time};

/// What is answered.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    at: Timestamp,
    /// What is not as it should be, in sentences.
    reasons: Vec<String>,
    checks: Vec<Check>,
}

/// One thing that must be so.
#[derive(Clone, Debug, Serialize)]
struct Check {
    name: String,
    ok: bool,
    said: String,
}

fn check(name: impl Into<String>, ok: bool, said: impl Into<String>) -> Check {
    Check { name: name.into(), ok, said: said.into() }
}

/// 200, or 503 and why.
pub(super) async fn answer(site: &Site) -> Answer {
    let at = site.clock.now();
    let mut checks = loops(site);
    checks.extend(books(site, at).await);
    let failed = checks.iter().filter(|check| !check.ok);
    let reasons: Vec<String> = failed.map(|check| format!("{}: {}", check.name, check.said)).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_vec(&Readiness { ready, at, reasons, checks }).unwrap_or_default();
    Answer::new(status, JSON, body)
}

fn loops(site: &Site) -> Vec<Check> {
    let ages = site.pulse.as_ref().map(crate::engine::pulse::Pulse::ages).unwrap_or_default();
    let checked = ages.into_iter().map(|(name, since)| {
        let said = format!("its last step ended {} ago", seconds(since));
        check(format!("loop {name}"), since <= site.patience, said)
    });
    checked.collect()
}

async fn books(site: &Site, now: Timestamp) -> Vec<Check> {
    let read = async {
        let rows =
            sqlx::query(include_str!("../../sql/queries/web_ready.sql")).fetch_all(&site.watched).await?;
        let source = |row: &sqlx::postgres::PgRow| {
            let name: String = row.try_get("source")?;
            let stopped: Option<String> = row.try_get("stopped_why")?;
            let looked: At = row.try_get("looked_at")?;
            let since = time::age(looked.0, now);
            let young = since <= Limits::default().cursor_age;
            Ok(match stopped {
                Some(why) => check(format!("source {name}"), false, format!("it is stopped: {why}")),
                None => check(
                    format!("source {name}"),
                    young,
                    format!("its head was looked at {} ago", age(since)),
                ),
            })
        };
        rows.iter().map(source).collect::<Result<Vec<Check>, sqlx::Error>>()
    };
    match read.await {
        Ok(sources) => [vec![check("database", true, "it answers")], sources].concat(),
        Err(error) => {
            tracing::warn!(%error, "the page cannot ask the books");
            vec![check("database", false, "it does not answer, or its tables are not there")]
        }
    }
}
