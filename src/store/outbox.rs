//! Letters, and how far each of them got with each of its recipients.
//!
//! A letter is written in the transaction of its cause and never changes. Who sends
//! it claims it, sends, and settles what came of it; a sender that is killed between
//! the last two leaves a claim that another takes over, under the same message id.

use jiff::Timestamp;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, clean, types::At};
use crate::{
    policy::alert::Severity,
    report::mail::{Picture, Rendered},
};

/// A letter, before it is written down.
#[derive(Clone, Debug)]
pub struct Letter<'l> {
    /// Of two with the same one the second is not written.
    pub dedup_key: &'l str,
    /// Its Message-ID, in angle brackets.
    pub message_id: &'l str,
    /// The id of the first of its thread.
    pub thread_root: Option<&'l str>,
    /// The condition that it is of.
    pub alert_key: Option<&'l str>,
    /// The job.
    pub scope: &'l str,
    /// Its run.
    pub run: Option<i64>,
    /// How much it matters.
    pub severity: Severity,
    /// Mail addresses.
    pub recipients: &'l [String],
    /// As it leaves.
    pub rendered: &'l Rendered,
    /// When it was written.
    pub at: Timestamp,
}

/// A letter to one recipient, claimed by whoever sends it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its row.
    pub id: i64,
    /// `mail` or `webhook`.
    pub channel: String,
    /// A mail address, or a webhook's name.
    pub recipient: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// How often it was put off.
    pub deferred: u32,
    /// How often nobody knew whether it was taken.
    pub unknown: u32,
    /// Its Message-ID.
    pub message_id: String,
    /// The id of the first of its thread.
    pub thread_root: Option<String>,
    /// The condition that it is of.
    pub alert_key: Option<String>,
    /// The job.
    pub scope: String,
    /// How much it matters.
    pub severity: Severity,
    /// All who get it by mail.
    pub recipients: Vec<String>,
    /// As it leaves.
    pub rendered: Rendered,
    /// When it was written.
    pub written_at: Timestamp,
}

/// Why a parcel is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setback {
    /// Nobody was reached, or let us in: it says nothing of the parcel.
    Away,
    /// It was put off.
    Deferred,
    /// It may have been taken.
    Unknown,
}

/// What became of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken.
    Sent,
    /// It waits for another try.
    Waiting {
        /// Until then.
        until: Timestamp,
        /// What went wrong.
        why: String,
        /// How.
        setback: Setback,
    },
    /// It was refused for good.
    Failed {
        /// What was said.
        why: String,
    },
    /// It was tried too often.
    Poisoned {
        /// What went wrong the last time.
        why: String,
        /// How.
        setback: Setback,
    },
}

/// How the outbox is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Parcels on their way.
    pub waiting: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
    /// Given up lately.
    pub given_up: u64,
    /// Sent lately after a try that nobody knew the end of: the mailbox may hold them twice.
    pub doubtful: u64,
    /// Who did not get the last one that was given up, which, and why.
    pub last_given_up: Option<String>,
    /// Why the next one waits.
    pub last_error: Option<String>,
}

/// Writes a letter down, to each of `to` by its channel; nothing where it was written before.
///
/// # Errors
/// *Try again*: the database.
pub async fn post(
    conn: &mut PgConnection,
    letter: &Letter<'_>,
    to: &[(&str, &str)],
) -> Result<(), StoreError> {
    let Rendered { subject, text, html, pictures } = letter.rendered;
    let ids: Vec<&str> = pictures.iter().map(|picture| picture.id.as_str()).collect();
    let alts: Vec<&str> = pictures.iter().map(|picture| picture.alt.as_str()).collect();
    let bytes: Vec<&[u8]> = pictures.iter().map(|picture| picture.png.as_slice()).collect();
    let write = async {
        let id: Option<i64> = sqlx::query_scalar(include_str!("../../sql/queries/letter_write.sql"))
            .bind(letter.dedup_key)
            .bind(letter.message_id)
            .bind(letter.thread_root)
            .bind(letter.alert_key)
            .bind(letter.scope)
            .bind(letter.run)
            .bind(letter.severity.word())
            .bind(letter.recipients)
            .bind(subject)
            .bind(text.replace('\0', ""))
            .bind(html.replace('\0', ""))
            .bind(ids)
            .bind(alts)
            .bind(bytes)
            .bind(At(letter.at))
            .fetch_optional(&mut *conn)
            .await?;
        let Some(id) = id else { return Ok(()) };
        for (channel, recipient) in to {
            sqlx::query(include_str!("../../sql/queries/outbox_write.sql"))
                .bind(id)
                .bind(channel)
                .bind(recipient)
                .bind(At(letter.at))
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("write down a letter", error))
}

/// Claims what is due, and what was claimed before `gone` by whoever is gone since; `closed` are the
/// channels that nothing is claimed of.
///
/// # Errors
/// *Try again*: the database.
pub async fn claim(
    conn: &mut PgConnection,
    now: Timestamp,
    gone: Timestamp,
    most: i64,
    closed: &[&str],
) -> Result<Vec<Parcel>, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/outbox_claim.sql"))
        .bind(At(now))
        .bind(At(gone))
        .bind(most)
        .bind(closed)
        .fetch_all(conn)
        .await;
    let parcels = rows.and_then(|rows| rows.iter().map(parcel).collect());
    parcels.map_err(|error| StoreError::of("claim what is to be sent", error))
}

fn parcel(row: &PgRow) -> Result<Parcel, sqlx::Error> {
    let count = |name| row.try_get::<i32, _>(name).map(|count| u32::try_from(count).unwrap_or(0));
    let ids: Vec<String> = row.try_get("picture_ids")?;
    let alts: Vec<String> = row.try_get("picture_alts")?;
    let bytes: Vec<Vec<u8>> = row.try_get("pictures")?;
    let pictures = ids.into_iter().zip(alts).zip(bytes);
    Ok(Parcel {
        id: row.try_get("id")?,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        attempt: count("attempts")?,
        deferred: count("deferred")?,
        unknown: count("unknown")?,
        message_id: row.try_get("message_id")?,
        thread_root: row.try_get("thread_root")?,
        alert_key: row.try_get("alert_key")?,
        scope: row.try_get("scope")?,
        severity: Severity::named(row.try_get("severity")?).unwrap_or(Severity::Critical),
        recipients: row.try_get("recipients")?,
        rendered: Rendered {
            subject: row.try_get("subject")?,
            text: row.try_get("text")?,
            html: row.try_get("html")?,
            pictures: pictures.map(|((id, alt), png)| Picture { id, alt, png }).collect(),
        },
        written_at: row.try_get::<At, _>("written_at")?.0,
    })
}

/// Writes down what became of a parcel; false where it is another's by now, whose word counts.
///
/// # Errors
/// *Try again*: the database.
pub async fn settle(
    conn: &mut PgConnection,
    parcel: &Parcel,
    fate: &Fate,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, next, why, setback) = match fate {
        Fate::Sent => ("sent", None, None, None),
        Fate::Waiting { until, why, setback } => ("waiting", Some(At(*until)), Some(why), Some(*setback)),
        Fate::Failed { why } => ("failed", None, Some(why), None),
        Fate::Poisoned { why, setback } => ("poisoned", None, Some(why), Some(*setback)),
    };
    let one_if = |kind| i32::from(setback == Some(kind));
    let settled: Option<i64> = sqlx::query_scalar(include_str!("../../sql/queries/outbox_settle.sql"))
        .bind(parcel.id)
        .bind(i32::try_from(parcel.attempt).unwrap_or(i32::MAX))
        .bind(state)
        .bind(next)
        .bind(why.map(|why| clean(why)))
        .bind(one_if(Setback::Deferred))
        .bind(one_if(Setback::Unknown))
        .bind(At(now))
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("write down what became of a letter", error))?;
    Ok(settled.is_some())
}

/// When the next one is due, or the claim on it was made; none where nothing waits.
///
/// # Errors
/// *Try again*: the database.
pub async fn next(conn: &mut PgConnection) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<At> = sqlx::query_scalar(include_str!("../../sql/queries/outbox_next.sql"))
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::of("read what is to be sent", error))?;
    Ok(next.map(|at| at.0))
}

/// How the outbox is; what ended before `since` is history.
///
/// # Errors
/// *Try again*: the database.
pub async fn health(conn: &mut PgConnection, since: Timestamp) -> Result<Health, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/outbox_health.sql"))
        .bind(At(since))
        .fetch_one(conn)
        .await;
    let read = |row: PgRow| {
        let count = |name| row.try_get::<i64, _>(name).map(|count| u64::try_from(count).unwrap_or(0));
        Ok(Health {
            waiting: count("waiting")?,
            oldest: row.try_get::<Option<At>, _>("oldest")?.map(|at| at.0),
            given_up: count("given_up")?,
            doubtful: count("doubtful")?,
            last_given_up: row.try_get("last_given_up")?,
            last_error: row.try_get("last_error")?,
        })
    };
    row.and_then(read).map_err(|error| StoreError::of("read how the outbox is", error))
}
