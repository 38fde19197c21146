//! Brokers, as they are configured.

use std::sync::Arc;

use crate::{
    time::Clock,
    venue::{Broker, Cause, Venue, VenueError, VenueSettings, alpaca::Alpaca},
};

/// What a venue is spoken to by.
///
/// # Errors
/// Its settings cannot be used.
pub fn connect(settings: &VenueSettings, clock: &Clock) -> Result<Arc<dyn Venue>, VenueError> {
    Ok(match settings.broker {
        Broker::Alpaca => Arc::new(Alpaca::new(settings, clock.clone())?),
        Broker::Schwab | Broker::Paper => {
            let source: Cause = "not yet".into();
            return Err(VenueError::Unreachable { venue: settings.name.clone(), source: Some(source) });
        }
    })
}
