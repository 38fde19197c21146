//! What a person, or `hedge` itself, halted; and what is held back, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};

use super::{StoreError, exposure::Act, types::At};

/// A halt that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// The share; none: everything.
    pub symbol: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
    /// Since when.
    pub since: Timestamp,
}

/// Everything that is halted; what halts all comes first.
pub async fn halts(conn: &mut PgConnection) -> Result<Vec<Halt>, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/halts.sql")).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok(Halt {
                    symbol: row.try_get("symbol")?,
                    reason: row.try_get("reason")?,
                    author: row.try_get("author")?,
                    since: row.try_get::<At, _>("happened_at")?.0,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what is halted", error))
}

/// Halts a share, or everything.
pub async fn halt(conn: &mut PgConnection, symbol: Option<&str>, act: Act<'_>) -> Result<(), StoreError> {
    write(conn, symbol, "halt", act).await
}

/// Lets a share, or everything, go on.
pub async fn resume(conn: &mut PgConnection, symbol: Option<&str>, act: Act<'_>) -> Result<(), StoreError> {
    write(conn, symbol, "resume", act).await
}

async fn write(
    conn: &mut PgConnection,
    symbol: Option<&str>,
    word: &str,
    act: Act<'_>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/halt_write.sql"))
        .bind(symbol)
        .bind(word)
        .bind(act.reason)
        .bind(act.author)
        .bind(At(act.at))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of(&format!("write down a {word}"), error))?;
    Ok(())
}

/// What is held back: why, in words of a column and in a sentence.
pub type Holds = BTreeMap<String, (String, String)>;

/// What is held back now.
pub async fn holds(conn: &mut PgConnection) -> Result<Holds, StoreError> {
    let read = async {
        let rows = sqlx::query(include_str!("../../sql/queries/holds.sql")).fetch_all(conn).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("symbol")?, (row.try_get("reason")?, row.try_get("detail")?))))
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what is held back", error))
}

/// Makes what is written what it should be: only what differs is touched.
pub async fn set_holds(
    conn: &mut PgConnection,
    written: &Holds,
    wanted: &Holds,
    now: Timestamp,
) -> Result<(), StoreError> {
    let write = async {
        for (symbol, (reason, detail)) in wanted {
            if written.get(symbol) != Some(&(reason.clone(), detail.clone())) {
                sqlx::query(include_str!("../../sql/queries/hold_write.sql"))
                    .bind(symbol)
                    .bind(reason)
                    .bind(detail)
                    .bind(At(now))
                    .execute(&mut *conn)
                    .await?;
            }
        }
        let over: Vec<String> =
            written.keys().filter(|symbol| !wanted.contains_key(*symbol)).cloned().collect();
        if !over.is_empty() {
            sqlx::query(include_str!("../../sql/queries/hold_drop.sql")).bind(over).execute(conn).await?;
        }
        Ok(())
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("write down what is held back", error))
}
