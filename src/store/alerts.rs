//! What is known of conditions between runs, and all that was ever said of them.

use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{StoreError, exposure::Act, types::At};
use crate::{
    policy::alert::{
        Condition, Severity,
        machine::{Kind, Notice, Phase, State, Told},
    },
    units::{Shares, Usd},
};

/// A condition as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// How it stands.
    pub state: State,
    /// The id of the first mail of its thread, since it was last told of.
    pub root: Option<String>,
}

/// All that is known of a scope, by key; until the transaction ends nobody else takes that up.
///
/// # Errors
/// *Try again*: the database.
pub async fn kept(conn: &mut PgConnection, scope: &str) -> Result<Vec<Kept>, StoreError> {
    let read = async {
        let _: String = sqlx::query_scalar(include_str!("../../sql/queries/alerts_lock.sql"))
            .bind(scope)
            .fetch_one(&mut *conn)
            .await?;
        let rows =
            sqlx::query(include_str!("../../sql/queries/alerts_of.sql")).bind(scope).fetch_all(conn).await?;
        rows.iter().map(kept_of).collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what people are told of", error))
}

fn kept_of(row: &PgRow) -> Result<Kept, sqlx::Error> {
    let time = |name| row.try_get::<Option<At>, _>(name).map(|at| at.map(|at| at.0));
    let count = |name| row.try_get::<i32, _>(name).map(|count| u32::try_from(count).unwrap_or(0));
    // Which words there are is checked by the table.
    let severity = |word: &str| Severity::named(word).unwrap_or(Severity::Critical);
    let phase: String = row.try_get("phase")?;
    let told = match time("told_at")? {
        None => None,
        Some(at) => Some(Told {
            at,
            class: row.try_get("told_class")?,
            severity: severity(row.try_get("told_severity")?),
            usd: row.try_get("told_usd")?,
            quantity: row.try_get("told_quantity")?,
        }),
    };
    Ok(Kept {
        state: State {
            condition: Condition {
                key: row.try_get("key")?,
                class: row.try_get("class")?,
                leg: row.try_get("leg")?,
                severity: severity(row.try_get("severity")?),
                symbol: row.try_get("symbol")?,
                about: row.try_get("about")?,
                detail: row.try_get("detail")?,
                next: row.try_get("next")?,
                usd: row.try_get("usd")?,
                quantity: row.try_get("quantity")?,
                since: row.try_get::<At, _>("since")?.0,
                confirmed: row.try_get("confirmed")?,
                acknowledged_until: time("acknowledged_until")?,
            },
            phase: Phase::ALL.into_iter().find(|it| it.word() == phase).unwrap_or(Phase::Quiet),
            pending_since: time("pending_since")?,
            fired_at: time("fired_at")?,
            told,
            escalated_at: time("escalated_at")?,
            calm: count("calm")?,
            notices: count("notices")?,
            judged_at: row.try_get::<At, _>("judged_at")?.0,
        },
        root: row.try_get("thread_root")?,
    })
}

/// Writes a condition as it stands now; `over` forgets who knew of it.
///
/// # Errors
/// *Try again*: the database.
pub async fn write(conn: &mut PgConnection, scope: &str, kept: &Kept, over: bool) -> Result<(), StoreError> {
    let Kept { state, root } = kept;
    let Condition { key, class, leg, severity, symbol, about, detail, next, usd, quantity, since, .. } =
        &state.condition;
    let told = state.told.as_ref();
    sqlx::query(include_str!("../../sql/queries/alert_write.sql"))
        .bind(key)
        .bind(scope)
        .bind(class)
        .bind(leg)
        .bind(severity.word())
        .bind(symbol)
        .bind(plain(about))
        .bind(plain(detail))
        .bind(plain(next))
        .bind(*usd)
        .bind(*quantity)
        .bind(At(*since))
        .bind(state.condition.confirmed)
        .bind(state.phase.word())
        .bind(state.pending_since.map(At))
        .bind(state.fired_at.map(At))
        .bind(told.map(|told| At(told.at)))
        .bind(told.map(|told| told.class.as_str()))
        .bind(told.map(|told| told.severity.word()))
        .bind(told.and_then(|told| told.usd))
        .bind(told.and_then(|told| told.quantity))
        .bind(state.escalated_at.map(At))
        .bind(i32::try_from(state.calm).unwrap_or(i32::MAX))
        .bind(i32::try_from(state.notices).unwrap_or(i32::MAX))
        .bind(root)
        .bind(At(state.judged_at))
        .bind(over)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down how a condition stands", error))?;
    Ok(())
}

/// Text as Postgres can keep it.
fn plain(text: &str) -> String {
    text.replace('\0', "")
}

/// Writes down that something was said.
///
/// # Errors
/// *Try again*: the database.
pub async fn said(
    conn: &mut PgConnection,
    run: Option<i64>,
    notice: &Notice,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Condition { key, class, severity, usd, quantity, about, .. } = &notice.condition;
    let kind: Kind = notice.kind;
    event(
        conn,
        key,
        kind.word(),
        run,
        (class, severity.word()),
        (*usd, *quantity),
        about,
        ("hedge", None),
        at,
    )
    .await
}

#[expect(clippy::too_many_arguments, reason = "they are the columns of a row")]
async fn event(
    conn: &mut PgConnection,
    key: &str,
    event: &str,
    run: Option<i64>,
    (class, severity): (&str, &str),
    (usd, quantity): (Option<Usd>, Option<Shares>),
    said: &str,
    (author, until): (&str, Option<Timestamp>),
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/alert_event_write.sql"))
        .bind(key)
        .bind(event)
        .bind(run)
        .bind(class)
        .bind(severity)
        .bind(usd)
        .bind(quantity)
        .bind(plain(said))
        .bind(author)
        .bind(until.map(At))
        .bind(At(at))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down what was said", error))?;
    Ok(())
}

/// Writes down that a person knows, and wants to hear no more of it until then; false where there is no
/// such condition that is not over.
///
/// # Errors
/// *Try again*: the database.
pub async fn acknowledge(
    conn: &mut PgConnection,
    key: &str,
    until: Timestamp,
    act: Act<'_>,
) -> Result<bool, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/alert_acknowledge.sql"))
        .bind(key)
        .bind(At(until))
        .bind(act.author)
        .bind(act.reason)
        .fetch_optional(&mut *conn)
        .await;
    let read = |row: PgRow| {
        let words: (String, String) = (row.try_get("class")?, row.try_get("severity")?);
        let figures: (Option<Usd>, Option<Shares>) = (row.try_get("usd")?, row.try_get("quantity")?);
        Ok::<_, sqlx::Error>((words, figures))
    };
    let row = row
        .and_then(|row| row.map(read).transpose())
        .map_err(|error| StoreError::of("acknowledge a condition", error))?;
    let Some(((class, severity), figures)) = row else { return Ok(false) };
    let who = (act.author, Some(until));
    event(conn, key, "acknowledged", None, (&class, &severity), figures, act.reason, who, act.at).await?;
    Ok(true)
}

/// Weekdays on which the exchange is known to be closed, as far as brokers and people have said.
///
/// # Errors
/// *Try again*: the database.
pub async fn closed_days(conn: &mut PgConnection, now: Timestamp) -> Result<Vec<Date>, StoreError> {
    let days: Vec<String> = sqlx::query_scalar(include_str!("../../sql/queries/closed_days.sql"))
        .bind(At(now))
        .fetch_all(conn)
        .await
        .map_err(|error| StoreError::of("read which days the market is closed", error))?;
    Ok(days.iter().filter_map(|day| day.parse().ok()).collect())
}
