//! Brokers, as they are configured.

use std::sync::Arc;

use sqlx::PgPool;

use crate::{
    engine::{logins::Logins, paper::Books},
    secret::{SealingKey, Secret},
    time::Clock,
    venue::{Broker, Venue, VenueError, VenueSettings, alpaca::Alpaca, paper::Paper, schwab::Schwab},
};

/// What a venue is spoken to by. `key` is what logins are sealed under: only Schwab has one.
///
/// # Errors
/// Its settings cannot be used, or there is no key: a person acts.
pub fn connect(
    settings: &VenueSettings,
    clock: &Clock,
    pool: &PgPool,
    key: Option<&Secret>,
) -> Result<Arc<dyn Venue>, VenueError> {
    Ok(match settings.broker {
        Broker::Alpaca => Arc::new(Alpaca::new(settings, clock.clone())?),
        Broker::Schwab => Arc::new(schwab(settings, clock, pool, key)?),
        Broker::Paper => {
            let books = Arc::new(Books(pool.clone()));
            Arc::new(Paper::new(settings, books.clone(), books, clock.clone()))
        }
    })
}

/// Schwab, with its login in the database.
///
/// # Errors
/// As [`connect`].
pub fn schwab(
    settings: &VenueSettings,
    clock: &Clock,
    pool: &PgPool,
    key: Option<&Secret>,
) -> Result<Schwab, VenueError> {
    let wrong = |said: String| VenueError::Unauthorized {
        venue: settings.name.clone(),
        said,
        next: "set ENCRYPTION_KEY to what its login is sealed under: 64 hex digits".to_owned(),
    };
    let key = key.ok_or_else(|| wrong("there is no ENCRYPTION_KEY".to_owned()))?;
    let key = SealingKey::parse(key).map_err(|error| wrong(error.to_string()))?;
    Schwab::new(settings, Arc::new(Logins::new(pool.clone(), key)), clock.clone())
}
