//! What is wrong with a configuration: one clear line a problem, all of them at once.

use std::fmt;

/// One thing that is wrong: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// File, line and key; or the environment's name.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub next: String,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into(), next: next.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.next)
    }
}

/// What is wrong with a value, before anyone has said where it stands.
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) next: String,
}

/// Says what is wrong and what to do.
pub(super) fn wrong(what: impl Into<String>, next: impl Into<String>) -> Wrong {
    Wrong { what: what.into(), next: next.into() }
}

/// Everything that is wrong, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            let before = if place == 0 { "" } else { "\n" };
            write!(f, "{before}{problem}")?;
        }
        Ok(())
    }
}
