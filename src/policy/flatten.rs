//! Brings exposure below its threshold.

use super::{Hold, Intent, Reason, View};

/// What is wanted of a symbol, or why nothing is.
///
/// # Errors
///
/// The hold: nothing is to be done now.
pub fn flatten(_view: &View<'_>) -> Result<Intent, Hold> {
    Err(Hold { reason: Reason::Flat, detail: String::new() })
}
