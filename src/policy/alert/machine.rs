//! One condition over time, and a run's conditions all together.
//!
//! A condition is told of once it is confirmed and worth a word, again when it has
//! changed or nobody has looked for a business day, to a second recipient after two,
//! and exactly once when it is over. What lies in a leg that could not be judged
//! stays as it is: silence there is no evidence. Pure: what is known comes in, what
//! is known and what is to be said comes out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    Condition, Seen, Severity,
    rules::{Rules, presses},
};
use crate::{
    time::business::BusinessDays,
    units::{Shares, Usd},
};

/// The class of a leg that could not be judged.
pub const UNKNOWN: &str = "SOURCE_UNKNOWN";

/// What is seen again after so long is no blink.
const CONFIRMED_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// Runs that are so far apart are nightly ones.
const NIGHTLY: SignedDuration = SignedDuration::from_hours(12);
/// So many urgent conditions of a kind in one run have one cause, and make one mail.
const MANY: usize = 3;

/// How far it is with a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Too little, or over: nobody is told.
    Quiet,
    /// Worth a word, and seen once: a second look decides.
    Pending,
    /// Told, and not over.
    Firing,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Pending, Self::Firing];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// What was said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Of what class it was.
    pub class: String,
    /// How much it mattered.
    pub severity: Severity,
    /// What it was worth.
    pub usd: Option<Usd>,
    /// How many shares it was.
    pub quantity: Option<Shares>,
}

/// What is known of a condition between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// As it was seen last.
    pub condition: Condition,
    /// How far it is.
    pub phase: Phase,
    /// Since when it waits for a second look.
    pub pending_since: Option<Timestamp>,
    /// Since when it is told of.
    pub fired_at: Option<Timestamp>,
    /// What was said last; there where it is firing.
    pub told: Option<Told>,
    /// When a second recipient was told.
    pub escalated_at: Option<Timestamp>,
    /// Runs in a row that saw it below half of what is told of.
    pub calm: u32,
    /// How often it was told of, ever.
    pub notices: u32,
    /// When it was last looked at.
    pub judged_at: Timestamp,
}

/// Why something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// It is new.
    New,
    /// It is of another class, matters more, or is much more or less.
    Changed,
    /// Two business days have passed and nobody has said that they know.
    Escalated,
    /// A business day has passed and nobody has said that they know.
    Still,
    /// It is over.
    Over,
}

impl Kind {
    /// The word used in columns, subjects and mails.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Escalated => "escalated",
            Self::Still => "still open",
            Self::Over => "over",
        }
    }
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Why.
    pub kind: Kind,
    /// Of what: as it is, or as it was when it was last seen.
    pub condition: Condition,
    /// Which of its notices this is, from 1: part of the message's id.
    pub number: u32,
    /// Whether the second recipient hears of it too.
    pub escalated: bool,
    /// What was said before; none where it is new.
    pub before: Option<Told>,
    /// Since when it is told of.
    pub fired_at: Timestamp,
}

impl Notice {
    /// Whether it has a thread of its own.
    pub fn is_urgent(&self) -> bool {
        let before = self.before.as_ref().map(|told| told.severity);
        self.escalated || before.max(Some(self.condition.severity)) == Some(Severity::Critical)
    }
}

/// With what a run looks.
#[derive(Clone, Copy, Debug)]
pub struct Look<'l> {
    /// When.
    pub now: Timestamp,
    /// Whether it is a nightly run: what it does not see is over at once.
    pub nightly: bool,
    /// What a person decided.
    pub rules: &'l Rules,
    /// Which days count.
    pub days: &'l BusinessDays,
}

/// What becomes of a condition that a run saw, or saw no more, and what is to be said of it.
pub fn step(
    kept: Option<State>,
    seen: Option<&Condition>,
    look: &Look<'_>,
) -> (Option<State>, Option<Notice>) {
    let kept = match (kept, seen) {
        (None, None) => return (None, None),
        (None, Some(condition)) => State::of(condition, look.now),
        (Some(kept), None) => kept,
        (Some(kept), Some(condition)) => {
            // Who said to a job that they know, and who said so here, both do.
            let acknowledged_until = kept.condition.acknowledged_until.max(condition.acknowledged_until);
            State { condition: Condition { acknowledged_until, ..condition.clone() }, ..kept }
        }
    };
    let look = Look { rules: &look.rules.of(&kept.condition.class), ..*look };
    let nightly = look.nightly || look.now.duration_since(kept.judged_at) >= NIGHTLY;
    let mut state = State { judged_at: look.now, ..kept };
    let notice = match state.phase {
        Phase::Quiet | Phase::Pending => state.rise(seen, &look),
        Phase::Firing => state.stay(seen, nightly, &look),
    };
    (Some(state), notice)
}

impl State {
    fn of(condition: &Condition, now: Timestamp) -> Self {
        Self {
            condition: condition.clone(),
            phase: Phase::Quiet,
            pending_since: None,
            fired_at: None,
            told: None,
            escalated_at: None,
            calm: 0,
            notices: 0,
            judged_at: now,
        }
    }

    fn is_acknowledged(&self, now: Timestamp) -> bool {
        self.condition.acknowledged_until.is_some_and(|until| now < until)
    }

    /// Nobody was told so far.
    fn rise(&mut self, seen: Option<&Condition>, look: &Look<'_>) -> Option<Notice> {
        let Some(condition) = seen.filter(|seen| look.rules.loud(seen)) else {
            (self.phase, self.pending_since) = (Phase::Quiet, None);
            return None;
        };
        let since = *self.pending_since.get_or_insert(look.now);
        let confirmed = condition.confirmed || look.now.duration_since(since) >= CONFIRMED_AFTER;
        if !confirmed || self.is_acknowledged(look.now) {
            self.phase = Phase::Pending;
            return None;
        }
        (self.phase, self.pending_since, self.calm) = (Phase::Firing, None, 0);
        (self.fired_at, self.escalated_at) = (Some(look.now), None);
        self.say(Kind::New, look)
    }

    /// It was told, and was not over.
    fn stay(&mut self, seen: Option<&Condition>, nightly: bool, look: &Look<'_>) -> Option<Notice> {
        if seen.is_none_or(|seen| look.rules.calm(seen)) {
            self.calm = self.calm.saturating_add(1);
            if !nightly && self.calm < look.rules.calm {
                return None;
            }
            let notice = self.say(Kind::Over, look);
            (self.phase, self.fired_at, self.told, self.escalated_at) = (Phase::Quiet, None, None, None);
            return notice;
        }
        self.calm = 0;
        let told = self.told.clone()?;
        let (acknowledged, severity) = (self.is_acknowledged(look.now), self.condition.severity);
        let another = self.condition.class != told.class || severity > told.severity;
        if another || (!acknowledged && look.rules.moved((told.usd, told.quantity), &self.condition)) {
            return self.say(Kind::Changed, look);
        }
        if acknowledged || !presses(severity) {
            return None;
        }
        let over = look.rules.escalate.zip(self.fired_at);
        if self.escalated_at.is_none()
            && over.is_some_and(|(pace, fired)| pace.over(fired, look.now, look.days))
        {
            self.escalated_at = Some(look.now);
            return self.say(Kind::Escalated, look);
        }
        let again = look.rules.remind.over(told.at, look.now, look.days);
        if again { self.say(Kind::Still, look) } else { None }
    }

    fn say(&mut self, kind: Kind, look: &Look<'_>) -> Option<Notice> {
        self.notices = self.notices.saturating_add(1);
        let Condition { class, severity, usd, quantity, .. } = &self.condition;
        let told =
            Told { at: look.now, class: class.clone(), severity: *severity, usd: *usd, quantity: *quantity };
        Some(Notice {
            kind,
            condition: self.condition.clone(),
            number: self.notices,
            escalated: self.escalated_at.is_some(),
            before: self.told.replace(told),
            fired_at: self.fired_at?,
        })
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What is known now, of all that was known or seen.
    pub states: Vec<State>,
    /// What is to be said, by key.
    pub notices: Vec<Notice>,
}

/// Takes up all that a run saw; `kept` is what is known of its scope, by key.
pub fn take_up(kept: Vec<State>, seen: &Seen, rules: &Rules, days: &BusinessDays) -> Taken {
    let look = Look { now: seen.at, nightly: seen.digest.is_some(), rules, days };
    let mut seen_now: BTreeMap<String, Condition> = BTreeMap::new();
    for condition in &seen.conditions {
        seen_now.entry(condition.key.clone()).or_insert_with(|| condition.clone());
    }
    let dark = |condition: &Condition| seen.unknown.contains(&condition.leg);
    seen_now.retain(|_, condition| !dark(condition));
    let mut kept: BTreeMap<String, State> =
        kept.into_iter().map(|state| (state.condition.key.clone(), state)).collect();
    for leg in &seen.unknown {
        let mut condition = unknown(seen, leg, look.nightly);
        // It is dark since it first was, not since this run.
        if let Some(open) = kept.get(&condition.key).filter(|open| open.phase != Phase::Quiet) {
            condition.since = open.condition.since;
        }
        seen_now.insert(condition.key.clone(), condition);
    }
    let keys: BTreeSet<String> = kept.keys().chain(seen_now.keys()).cloned().collect();
    let mut taken = Taken::default();
    for key in keys {
        let state = kept.remove(&key);
        if state.as_ref().is_some_and(|state| dark(&state.condition)) {
            taken.states.extend(state);
            continue;
        }
        let (state, notice) = step(state, seen_now.get(&key), &look);
        taken.states.extend(state);
        taken.notices.extend(notice);
    }
    taken
}

/// That a leg could not be judged, as a condition like any other: told once, over once.
fn unknown(seen: &Seen, leg: &str, nightly: bool) -> Condition {
    Condition {
        key: format!("unknown/{}/{leg}", seen.scope),
        class: UNKNOWN.to_owned(),
        leg: format!("source of {leg}"),
        severity: Severity::Warning,
        symbol: None,
        about: format!("{leg} leg not judged"),
        detail: format!(
            "The {leg} did not answer, or not in full. What was open of it stays open as it was; nothing of it is judged until it answers."
        ),
        next: "hedge doctor".to_owned(),
        usd: None,
        quantity: None,
        since: seen.at,
        confirmed: nightly,
        acknowledged_until: None,
    }
}

/// The urgent ones among `notices`, each with a thread of its own; many of a kind share one.
pub fn threads(notices: &[Notice]) -> Vec<Vec<&Notice>> {
    let mut kinds: BTreeMap<(Kind, &str, &str), Vec<&Notice>> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| notice.is_urgent()) {
        let Condition { leg, class, .. } = &notice.condition;
        kinds.entry((notice.kind, leg, class)).or_default().push(notice);
    }
    let threads = kinds.into_values().flat_map(|alike| {
        if alike.len() >= MANY { vec![alike] } else { alike.into_iter().map(|notice| vec![notice]).collect() }
    });
    threads.collect()
}

#[cfg(test)]
mod tests;
