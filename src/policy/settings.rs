//! What an operator decides about hedging as a whole.

/// How hedging goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HedgeSettings {
    /// The venue of a share that names none.
    pub venue: String,
    /// Time between two sweeps that nobody asked for, in milliseconds.
    pub every_ms: u64,
    /// Whether a share that does not say is hedged outside the regular session too.
    pub extended: bool,
    /// Time between two looks at a working order after its first minute, in milliseconds.
    pub poll_ms: u64,
    /// At most so much more between two looks, by chance, in milliseconds.
    pub jitter_ms: u64,
}
