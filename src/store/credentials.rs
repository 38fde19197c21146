//! Logins at brokers: kept sealed, renewed by one process at a time.
//!
//! What is sealed is sealed for its row: `credential/VENUE` is its associated data. Only
//! times are in clear, so that whoever has no key may still be told how old a login is.

use jiff::Timestamp;
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgRow};

use super::{StoreError, types::At};
use crate::secret::{SealError, Sealed, SealingKey, Secret};

/// What a login left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Tokens, as the venue writes them.
    pub secret: Secret,
    /// When a person logged in.
    pub login_at: Timestamp,
    /// When the tokens were last renewed.
    pub refreshed_at: Timestamp,
    /// Until when they are taken without being renewed.
    pub access_until: Timestamp,
}

/// A login, without what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The venue's name.
    pub venue: String,
    /// Which key it is sealed under.
    pub fingerprint: String,
    /// When a person logged in.
    pub login_at: Timestamp,
    /// When its tokens were last renewed.
    pub refreshed_at: Timestamp,
    /// Until when they are taken without being renewed.
    pub access_until: Timestamp,
}

/// What a login is sealed for.
fn identity(venue: &str) -> String {
    format!("credential/{venue}")
}

/// What a seal that does not open means for the operator.
fn shut(venue: &str, error: SealError) -> StoreError {
    let next = match &error {
        SealError::NotAKey => "give 64 hex digits, such as `openssl rand -hex 32` prints".to_owned(),
        SealError::AnotherKey { sealed, .. } => {
            format!("let ENCRYPTION_KEY be the key {sealed} again, or log in anew")
        }
        SealError::Damaged { .. } => "log in anew: what is there cannot be mended".to_owned(),
    };
    StoreError::stop(format!("could not open the login of `{venue}`"), next).because(error)
}

/// The login of a venue; `None` before the first.
///
/// # Errors
///
/// *Try again*: the database. *Stop*: the key is not the one that it is sealed under.
pub async fn read(
    conn: &mut PgConnection,
    venue: &str,
    key: &SealingKey,
) -> Result<Option<Credential>, StoreError> {
    let row = sqlx::query(include_str!("../../sql/queries/credential_read.sql"))
        .bind(venue)
        .fetch_optional(conn)
        .await
        .map_err(|error| StoreError::of("read a login", error))?;
    row.map(|row| opened(&row, venue, key)).transpose()
}

/// The same, and nobody else renews it until the transaction ends, which may last as long as a
/// broker takes to answer.
///
/// # Errors
///
/// As [`read`].
pub async fn hold(
    tx: &mut Transaction<'_, Postgres>,
    venue: &str,
    key: &SealingKey,
) -> Result<Option<Credential>, StoreError> {
    let hold = async {
        sqlx::query("set local idle_in_transaction_session_timeout = '5min'").execute(&mut **tx).await?;
        let query = sqlx::query(include_str!("../../sql/queries/credential_hold.sql"));
        query.bind(venue).fetch_optional(&mut **tx).await
    };
    let row = hold.await.map_err(|error| StoreError::of("hold a login", error))?;
    row.map(|row| opened(&row, venue, key)).transpose()
}

/// Writes the login of a venue in the place of the one before.
///
/// # Errors
///
/// *Try again*: the database.
pub async fn write(
    conn: &mut PgConnection,
    venue: &str,
    credential: &Credential,
    key: &SealingKey,
) -> Result<(), StoreError> {
    let sealed = key.seal(&credential.secret, &identity(venue)).map_err(|error| shut(venue, error))?;
    sqlx::query(include_str!("../../sql/queries/credential_write.sql"))
        .bind(venue)
        .bind(&sealed.fingerprint)
        .bind(sealed.nonce.as_slice())
        .bind(&sealed.ciphertext)
        .bind(At(credential.login_at))
        .bind(At(credential.refreshed_at))
        .bind(At(credential.access_until))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write a login", error))?;
    Ok(())
}

/// Seals every login under `new` instead of `old`; those under `new` already stay. Gives how many moved.
///
/// # Errors
///
/// *Try again*: the database. *Stop*: one is under neither key; nothing must be committed.
pub async fn rotate(
    tx: &mut Transaction<'_, Postgres>,
    old: &SealingKey,
    new: &SealingKey,
) -> Result<usize, StoreError> {
    let rows = sqlx::query(include_str!("../../sql/queries/credential_hold_all.sql"))
        .fetch_all(&mut **tx)
        .await
        .map_err(|error| StoreError::of("hold all logins", error))?;
    let mut moved = 0;
    for row in rows {
        let read = || Ok::<(String, Sealed), sqlx::Error>((row.try_get("venue")?, sealed(&row)?));
        let (venue, sealed) = read().map_err(|error| StoreError::of("read a login", error))?;
        if sealed.fingerprint == new.fingerprint() {
            continue;
        }
        let identity = identity(&venue);
        let again = old.open(&sealed, &identity).and_then(|secret| new.seal(&secret, &identity));
        let again = again.map_err(|error| shut(&venue, error))?;
        sqlx::query(include_str!("../../sql/queries/credential_reseal.sql"))
            .bind(&venue)
            .bind(&again.fingerprint)
            .bind(again.nonce.as_slice())
            .bind(&again.ciphertext)
            .execute(&mut **tx)
            .await
            .map_err(|error| StoreError::of("seal a login anew", error))?;
        moved += 1;
    }
    Ok(moved)
}

/// All logins, by venue; needs no key.
///
/// # Errors
///
/// *Try again*: the database.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Kept>, StoreError> {
    let kept = |row: &PgRow| {
        Ok(Kept {
            venue: row.try_get("venue")?,
            fingerprint: row.try_get("key_fingerprint")?,
            login_at: time(row, "login_at")?,
            refreshed_at: time(row, "refreshed_at")?,
            access_until: time(row, "access_until")?,
        })
    };
    let rows = sqlx::query(include_str!("../../sql/queries/credential_list.sql")).fetch_all(conn).await;
    let kept = rows.and_then(|rows| rows.iter().map(kept).collect());
    kept.map_err(|error| StoreError::of("list the logins", error))
}

fn opened(row: &PgRow, venue: &str, key: &SealingKey) -> Result<Credential, StoreError> {
    let unread = |error| StoreError::of("read a login", error);
    let secret = key.open(&sealed(row).map_err(unread)?, &identity(venue));
    let secret = secret.map_err(|error| shut(venue, error))?;
    let time = |column| time(row, column).map_err(unread);
    Ok(Credential {
        secret,
        login_at: time("login_at")?,
        refreshed_at: time("refreshed_at")?,
        access_until: time("access_until")?,
    })
}

fn sealed(row: &PgRow) -> Result<Sealed, sqlx::Error> {
    Ok(Sealed {
        fingerprint: row.try_get("key_fingerprint")?,
        // Its length is checked by the table.
        nonce: row.try_get::<&[u8], _>("nonce")?.try_into().unwrap_or_default(),
        ciphertext: row.try_get("ciphertext")?,
    })
}

fn time(row: &PgRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get::<At, _>(column).map(|At(at)| at)
}
