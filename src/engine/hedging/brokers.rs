//! Brokers, as they are configured.

use std::sync::Arc;

use sqlx::PgPool;

use crate::{
    engine::{logins::Logins, paper::Books},
    secret::SealingKey,
    time::Clock,
    venue::{Broker, Venue, VenueError, VenueSettings, alpaca::Alpaca, paper::Paper, schwab::Schwab},
};

/// What a venue is spoken to by. Logins are kept under `key`.
///
/// # Errors
/// Its settings cannot be used: a person acts.
pub fn connect(
    settings: &VenueSettings,
    pool: &PgPool,
    key: Option<&SealingKey>,
    clock: &Clock,
) -> Result<Arc<dyn Venue>, VenueError> {
    Ok(match settings.broker {
        Broker::Alpaca => Arc::new(Alpaca::new(settings, clock.clone())?),
        Broker::Schwab => {
            let key = key.ok_or_else(|| VenueError::Unauthorized {
                venue: settings.name.clone(),
                said: "its login cannot be unsealed without ENCRYPTION_KEY".to_owned(),
                next: "set ENCRYPTION_KEY, 64 hex digits; then `hedge auth schwab`".to_owned(),
            })?;
            let logins = Logins::new(pool.clone(), key.clone());
            Arc::new(Schwab::new(settings, Arc::new(logins), clock.clone())?)
        }
        Broker::Paper => {
            let books = Arc::new(Books(pool.clone()));
            Arc::new(Paper::new(settings, books.clone(), books, clock.clone()))
        }
    })
}
