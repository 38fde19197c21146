//! From when on something is told of, how often, and until when.

use jiff::{SignedDuration, Timestamp};

use super::{Condition, Severity};
use crate::{
    time::business::BusinessDays,
    units::{Amount, Shares, Usd},
};

/// What a person decides of it. The same figures hold for every condition that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is worth as many dollars is told of, on either side of zero.
    pub usd: Usd,
    /// So are as many shares, whatever they are worth.
    pub quantity: Shares,
    /// How long nobody hears of it again while nothing changes.
    pub remind: Pace,
    /// From when on a second recipient hears of it; none: never.
    pub escalate: Option<Pace>,
    /// Sweeps in a row that it must be gone before it is over; of nightly runs, one will do.
    pub calm: u32,
}

/// A time, by a clock or by business days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As it passes.
    Wall(SignedDuration),
    /// As it passes on business days.
    Business(SignedDuration),
}

impl Pace {
    /// Is it over?
    pub(super) fn over(self, from: Timestamp, now: Timestamp, days: &BusinessDays) -> bool {
        match self {
            Self::Wall(wait) => now.duration_since(from) >= wait,
            Self::Business(wait) => days.between(from, now) >= wait,
        }
    }
}

impl Default for Rules {
    /// 25 dollars or a quarter of a share; again each business day, to a second recipient after two.
    fn default() -> Self {
        let of = |atoms| Amount::from_atoms(atoms).unwrap_or_default();
        Self {
            usd: Usd(of(25 * Amount::ONE.atoms())),
            quantity: Shares(of(Amount::ONE.atoms() / 4)),
            remind: Pace::Business(SignedDuration::from_hours(24)),
            escalate: Some(Pace::Business(SignedDuration::from_hours(48))),
            calm: 3,
        }
    }
}

impl Rules {
    /// A value that is low or is not, by its class (`domain.md` R39): told once, again every twelve hours,
    /// and that it is over at once.
    fn of_low(&self) -> Self {
        Self {
            remind: Pace::Wall(SignedDuration::from_secs(43_200)),
            escalate: None,
            calm: 1,
            ..self.clone()
        }
    }

    /// Those that hold for a condition of this class.
    pub(super) fn of(&self, class: &str) -> Self {
        if class == "low" { self.of_low() } else { self.clone() }
    }

    /// Whether it is worth a word. What has no figure always is.
    pub(super) fn loud(&self, condition: &Condition) -> bool {
        self.reaches(condition, 1)
    }

    /// Whether it is so little that it may be over: less than half of what is told of.
    pub(super) fn calm(&self, condition: &Condition) -> bool {
        !self.reaches(condition, 2)
    }

    fn reaches(&self, condition: &Condition, parts: i128) -> bool {
        let reaches = |figure: Amount, limit: Amount| figure.abs().atoms() >= limit.atoms() / parts;
        match (condition.usd, counted(condition)) {
            (None, None) => true,
            (usd, quantity) => {
                usd.is_some_and(|usd| reaches(usd.0, self.usd.0))
                    || quantity.is_some_and(|quantity| reaches(quantity.0, self.quantity.0))
            }
        }
    }

    /// Whether a figure has moved so far that it is told again: a quarter of it, and as much as is told of.
    pub(super) fn moved(&self, was: (Option<Usd>, Option<Shares>), now: &Condition) -> bool {
        let far = |was: Amount, now: Amount, limit: Amount| {
            let Some(by) = now.minus(was) else { return true };
            let (by, was) = (by.abs().atoms(), was.abs().atoms());
            by >= was / 4 + i128::from(was % 4 != 0) && by >= limit.atoms()
        };
        match (was, (now.usd, counted(now))) {
            ((Some(was), _), (Some(now), _)) => far(was.0, now.0, self.usd.0),
            ((_, Some(was)), (_, Some(now))) => far(was.0, now.0, self.quantity.0),
            _ => false,
        }
    }
}

/// Its shares, where it is of a share: dollars are judged as dollars alone.
fn counted(condition: &Condition) -> Option<Shares> {
    condition.quantity.filter(|_| condition.symbol.is_some())
}

/// Whether somebody is reminded of it at all.
pub(super) fn presses(severity: Severity) -> bool {
    severity >= Severity::Warning
}
