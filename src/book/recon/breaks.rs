//! What becomes of a difference over runs: from first seen to resolved.
//!
//! A break is a fold over events that are only ever added. Its key says what it is of and
//! what it rests on, not how much; so a run over what was seen before adds no event, and
//! of what nothing explains there is one break for each place, whose amount has a history.

use std::collections::BTreeMap;

use alloy::primitives::{B256, keccak256};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    explain::{Class, Evidence},
    inputs::{Calendar, Inputs, Leg},
};
use crate::{time::new_york_date, units::Amount};

/// One difference as one run sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What it is, whatever its amount.
    pub key: B256,
    /// Where it stands.
    pub leg: Leg,
    /// Why.
    pub class: Class,
    /// What it rests on: the first of `refs`; empty where nothing explains it.
    pub anchor: String,
    /// How much, in the leg's unit; reported less expected.
    pub quantity: Amount,
    /// The dollars that go with it, where it is of shares and moved some.
    pub cash: Option<Amount>,
    /// Until when it should be gone.
    pub deadline: Option<Timestamp>,
    /// What it rests on.
    pub refs: Vec<String>,
    /// In words.
    pub detail: String,
}

impl Sighting {
    pub(super) fn of(inputs: &Inputs, piece: &Evidence) -> Option<Self> {
        let (first, others) = piece.moves.split_first()?;
        let anchor = piece.refs.first().cloned().unwrap_or_default();
        Some(Self {
            key: key(&inputs.environment, &first.leg, piece.class, &anchor),
            leg: first.leg.clone(),
            class: piece.class,
            anchor,
            quantity: first.amount,
            cash: others.iter().find(|one| one.leg.is_cash()).map(|one| one.amount),
            deadline: piece.deadline,
            refs: piece.refs.clone(),
            detail: piece.detail.clone(),
        })
    }

    pub(super) fn unexplained(inputs: &Inputs, leg: &Leg, quantity: Amount, candidates: &[String]) -> Self {
        let detail = match candidates {
            [] => "nothing with an id explains it".to_owned(),
            some => format!("nothing with an id explains it; candidates: {}", some.join("; ")),
        };
        Self {
            key: key(&inputs.environment, leg, Class::Unexplained, ""),
            leg: leg.clone(),
            class: Class::Unexplained,
            anchor: String::new(),
            quantity,
            cash: None,
            deadline: None,
            refs: Vec::new(),
            detail,
        }
    }
}

/// What a break is known by: installation, leg, account, instrument, class, what it rests on.
pub fn key(environment: &str, leg: &Leg, class: Class, anchor: &str) -> B256 {
    let parts = [environment, leg.kind.word(), &leg.account, &leg.instrument, class.word(), anchor];
    keccak256(parts.join("\n"))
}

/// How far a break is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Somebody has to look.
    Open,
    /// It has evidence, and time until its deadline.
    Explained,
    /// A person knows, and wants to hear no more of it until a day.
    Acknowledged,
    /// It is gone.
    Resolved,
    /// A person took it into the books as it is.
    WrittenOff,
    /// It was gone, and is back.
    Reopened,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Explained, Self::Acknowledged, Self::Resolved, Self::WrittenOff, Self::Reopened];

    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Explained => "EXPLAINED",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Resolved => "RESOLVED",
            Self::WrittenOff => "WRITTEN_OFF",
            Self::Reopened => "REOPENED",
        }
    }

    /// The one named by a column.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether it is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::WrittenOff)
    }

    /// Whether somebody has to look: nobody knows of it, and nothing explains it in time.
    pub const fn needs_someone(self) -> bool {
        matches!(self, Self::Open | Self::Reopened)
    }
}

/// What happened to a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// First seen.
    Opened,
    /// Seen with evidence, and a deadline.
    Explained,
    /// Seen with another amount.
    Changed,
    /// Its deadline has passed.
    Stuck,
    /// A person knows.
    Acknowledged(Timestamp),
    /// The person's time is over, and it is still there.
    Lapsed,
    /// No longer seen.
    Resolved,
    /// Taken into the books as it is, by a person.
    WrittenOff,
    /// Seen again soon after it was gone.
    Reopened,
}

impl Event {
    /// The word used in columns.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Explained => "explained",
            Self::Changed => "changed",
            Self::Stuck => "stuck",
            Self::Acknowledged(_) => "acknowledged",
            Self::Lapsed => "lapsed",
            Self::Resolved => "resolved",
            Self::WrittenOff => "written off",
            Self::Reopened => "reopened",
        }
    }
}

/// A break as its events have left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// What it is, whatever its amount.
    pub key: B256,
    /// Where it stands.
    pub leg: Leg,
    /// Why.
    pub class: Class,
    /// How far it is.
    pub state: State,
    /// Whether its deadline has passed.
    pub stuck: bool,
    /// How much, when last seen.
    pub quantity: Amount,
    /// The dollars that go with it.
    pub cash: Option<Amount>,
    /// Until when it should be gone: as it was first said, whatever later runs say.
    pub deadline: Option<Timestamp>,
    /// Until when a person wants to hear no more of it.
    pub acknowledged_until: Option<Timestamp>,
    /// When it was first seen, this time.
    pub first_seen: Timestamp,
    /// When its last event was.
    pub changed_at: Timestamp,
}

impl Break {
    /// The class as people read it: past its deadline it is stuck.
    pub fn class_word(&self) -> String {
        if self.stuck { self.class.stuck() } else { self.class.word().to_owned() }
    }

    /// How old it is in business days.
    pub fn age(&self, calendar: &Calendar, date: Date) -> usize {
        calendar.between(new_york_date(self.first_seen), date)
    }

    /// A break that is seen for the first time.
    pub fn opened(seen: &Sighting, at: Timestamp) -> Self {
        Self {
            key: seen.key,
            leg: seen.leg.clone(),
            class: seen.class,
            state: State::Open,
            stuck: false,
            quantity: seen.quantity,
            cash: seen.cash,
            deadline: seen.deadline,
            acknowledged_until: None,
            first_seen: at,
            changed_at: at,
        }
    }

    /// What it is after an event; `seen` is what the run saw of it, where it saw it.
    ///
    /// # Errors
    /// The break is not where this can happen to it.
    pub fn after(
        mut self,
        event: &Event,
        seen: Option<&Sighting>,
        at: Timestamp,
    ) -> Result<Self, IllegalEvent> {
        let state = match (self.state, event) {
            (State::Open | State::Reopened, Event::Explained) => State::Explained,
            (state, Event::Changed) if !state.is_over() => state,
            (State::Explained, Event::Stuck) => {
                self.stuck = true;
                State::Open
            }
            (state, Event::Acknowledged(until)) if !state.is_over() => {
                self.acknowledged_until = Some(*until);
                State::Acknowledged
            }
            (State::Acknowledged, Event::Lapsed) => {
                self.acknowledged_until = None;
                State::Open
            }
            (state, Event::Resolved) if !state.is_over() => State::Resolved,
            (state, Event::WrittenOff) if !state.is_over() => State::WrittenOff,
            (State::Resolved, Event::Reopened) => {
                self.acknowledged_until = None;
                self.first_seen = at;
                // Evidence that comes back is given its time anew.
                self.stuck = false;
                self.deadline = seen.and_then(|seen| seen.deadline);
                State::Reopened
            }
            (state, event) => return Err(IllegalEvent { state, event: event.word() }),
        };
        if let Some(seen) = seen {
            (self.quantity, self.cash) = (seen.quantity, seen.cash);
        }
        Ok(Self { state, changed_at: at, ..self })
    }
}

/// An event that cannot happen to a break as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a break that is {} cannot be {event}", .state.word())]
pub struct IllegalEvent {
    /// How far it is.
    pub state: State,
    /// What should have happened to it.
    pub event: &'static str,
}

/// How long a break may be gone and still come back as the same one, in business days.
const COMES_BACK: usize = 5;

/// What is new since the last run: the key of each break, what happened, and whether it is another
/// one than that of the same key before.
pub fn news(
    known: &BTreeMap<B256, Break>,
    seen: &[Sighting],
    is_judged: impl Fn(&Leg) -> bool,
    (at, date): (Timestamp, Date),
    calendar: &Calendar,
) -> Vec<(B256, Event)> {
    let mut news = Vec::new();
    for sighting in seen {
        let mut tell = |event| news.push((sighting.key, event));
        let is_in_time = |deadline: Option<Timestamp>| deadline.is_some_and(|deadline| at <= deadline);
        let explained = sighting.class != Class::Unexplained && is_in_time(sighting.deadline);
        match known.get(&sighting.key) {
            Some(known) if known.state == State::Resolved && comes_back(known, date, calendar) => {
                tell(Event::Reopened);
                if explained {
                    tell(Event::Explained);
                }
            }
            Some(known) if !known.state.is_over() => {
                if (known.quantity, known.cash) != (sighting.quantity, sighting.cash) {
                    tell(Event::Changed);
                }
                if known.state == State::Explained && !is_in_time(known.deadline) {
                    tell(Event::Stuck);
                }
                let lapsed = known.acknowledged_until.is_some_and(|until| until < at);
                if known.state == State::Acknowledged && lapsed {
                    tell(Event::Lapsed);
                }
            }
            Some(_) | None => {
                tell(Event::Opened);
                if explained {
                    tell(Event::Explained);
                }
            }
        }
    }
    let is_seen = |key: &B256| seen.iter().any(|sighting| sighting.key == *key);
    let gone = known.values().filter(|one| {
        // What could not be judged may still be there.
        !one.state.is_over() && is_judged(&one.leg) && !is_seen(&one.key)
    });
    news.extend(gone.map(|one| (one.key, Event::Resolved)));
    news
}

fn comes_back(known: &Break, date: Date, calendar: &Calendar) -> bool {
    calendar.between(new_york_date(known.changed_at), date) <= COMES_BACK
}

/// All breaks after a run's news.
///
/// # Errors
/// As [`Break::after`].
pub fn fold(
    mut known: BTreeMap<B256, Break>,
    news: &[(B256, Event)],
    seen: &[Sighting],
    at: Timestamp,
) -> Result<BTreeMap<B256, Break>, IllegalEvent> {
    let sightings: BTreeMap<B256, &Sighting> = seen.iter().map(|one| (one.key, one)).collect();
    for (key, event) in news {
        let seen = sightings.get(key).copied();
        let after = match (event, known.remove(key), seen) {
            (Event::Opened, _, Some(seen)) => Some(Break::opened(seen, at)),
            (_, Some(known), seen) => Some(known.after(event, seen, at)?),
            (_, None, _) => None,
        };
        known.extend(after.map(|after| (*key, after)));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{super::inputs::Kind, *};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn seen(class: Class, anchor: &str, quantity: &str, deadline: Option<&str>) -> Sighting {
        let leg = Leg::new(Kind::Broker, "alpaca", "AAPL");
        Sighting {
            key: key("test", &leg, class, anchor),
            leg,
            class,
            anchor: anchor.to_owned(),
            quantity: quantity.parse().unwrap(),
            cash: None,
            deadline: deadline.map(at),
            refs: vec![anchor.to_owned()],
            detail: String::new(),
        }
    }

    /// A run at `now` that judges everything.
    fn run(
        known: BTreeMap<B256, Break>,
        seen: &[Sighting],
        now: &str,
    ) -> (BTreeMap<B256, Break>, Vec<String>) {
        judge(known, seen, now, true)
    }

    fn judge(
        known: BTreeMap<B256, Break>,
        seen: &[Sighting],
        now: &str,
        judged: bool,
    ) -> (BTreeMap<B256, Break>, Vec<String>) {
        let (now, calendar) = (at(now), Calendar::default());
        let news = news(&known, seen, |_| judged, (now, new_york_date(now)), &calendar);
        let words = news.iter().map(|(_, event)| event.word().to_owned()).collect();
        (fold(known, &news, seen, now).unwrap(), words)
    }

    fn only(known: &BTreeMap<B256, Break>) -> &Break {
        assert_eq!(known.len(), 1);
        known.values().next().unwrap()
    }

    #[test]
    fn a_break_is_open_from_first_seen_until_it_is_gone() {
        let one = [seen(Class::Unexplained, "", "0.25", None)];
        let (known, news) = run(BTreeMap::new(), &one, "2026-11-17T01:30:00Z");
        assert_eq!((news, only(&known).state), (vec!["opened".into()], State::Open));
        let (known, news) = run(known, &[], "2026-11-18T01:30:00Z");
        assert_eq!((news, only(&known).state), (vec!["resolved".into()], State::Resolved));
    }

    #[test]
    fn a_second_run_over_the_same_adds_no_event() {
        let both = [
            seen(Class::Unexplained, "", "0.25", None),
            seen(Class::FeeTiming, "activity/alpaca/7", "-0.02", Some("2026-11-18T05:00:00Z")),
        ];
        let (known, news) = run(BTreeMap::new(), &both, "2026-11-17T01:30:00Z");
        assert_eq!(news, ["opened", "opened", "explained"]);
        let (again, news) = run(known.clone(), &both, "2026-11-17T01:30:00Z");
        assert_eq!((news, again), (Vec::<String>::new(), known));
    }

    #[test]
    fn what_nothing_explains_is_one_break_whose_amount_changes() {
        let (known, _) =
            run(BTreeMap::new(), &[seen(Class::Unexplained, "", "1", None)], "2026-11-17T01:30:00Z");
        let (known, news) = run(known, &[seen(Class::Unexplained, "", "2", None)], "2026-11-18T01:30:00Z");
        assert_eq!(news, ["changed"]);
        assert_eq!(only(&known).quantity, "2".parse().unwrap());
        assert_eq!(only(&known).first_seen, at("2026-11-17T01:30:00Z"));
    }

    #[test]
    fn what_is_explained_is_stuck_and_open_once_its_first_deadline_has_passed() {
        let fee = |deadline| [seen(Class::FeeTiming, "activity/alpaca/7", "-0.02", Some(deadline))];
        let (known, _) = run(BTreeMap::new(), &fee("2026-11-18T05:00:00Z"), "2026-11-17T01:30:00Z");
        assert_eq!(only(&known).state, State::Explained);
        let (known, news) = run(known, &fee("2026-11-18T05:00:00Z"), "2026-11-18T05:00:00Z");
        assert_eq!(news, Vec::<String>::new(), "to the deadline and with it");
        // A later run would give it another day.
        let (known, news) = run(known, &fee("2026-11-19T05:00:00Z"), "2026-11-18T05:00:01Z");
        assert_eq!(news, ["stuck"]);
        assert_eq!(
            (only(&known).state, only(&known).class_word()),
            (State::Open, "FEE_TIMING_STUCK".to_owned())
        );
        let (_, news) = run(known, &fee("2026-11-19T05:00:00Z"), "2026-11-18T05:00:02Z");
        assert_eq!(news, Vec::<String>::new(), "said once");
    }

    #[test]
    fn what_is_not_judged_stays_as_it_is() {
        let one = [seen(Class::Unexplained, "", "1", None)];
        let (known, _) = run(BTreeMap::new(), &one, "2026-11-17T01:30:00Z");
        let (after, news) = judge(known.clone(), &[], "2026-11-18T01:30:00Z", false);
        assert_eq!((news, after), (Vec::new(), known));
    }

    #[test]
    fn what_comes_back_within_five_business_days_is_the_same_break() {
        let one = [seen(Class::Unexplained, "", "1", None)];
        let (known, _) = run(BTreeMap::new(), &one, "2026-11-17T01:30:00Z");
        let (gone, _) = run(known, &[], "2026-11-19T01:30:00Z");
        // From Wednesday the 18th in New York: 19, 20, 23, 24, 25; the 26th is Thanksgiving.
        let (back, news) = run(gone.clone(), &one, "2026-11-27T01:30:00Z");
        assert_eq!((news, only(&back).state), (vec!["reopened".into()], State::Reopened));
        let (back, news) = run(gone, &one, "2026-11-28T01:30:00Z");
        assert_eq!((news, only(&back).state), (vec!["opened".into()], State::Open));
    }

    #[test]
    fn what_a_person_knows_of_lapses_when_it_is_still_there_after_its_day() {
        let one = [seen(Class::Unexplained, "", "1", None)];
        let (mut known, _) = run(BTreeMap::new(), &one, "2026-11-17T01:30:00Z");
        let until = Event::Acknowledged(at("2026-11-19T05:00:00Z"));
        let (key, held) = known.pop_first().unwrap();
        known.insert(key, held.after(&until, None, at("2026-11-17T14:00:00Z")).unwrap());
        let (known, news) = run(known, &one, "2026-11-18T01:30:00Z");
        assert_eq!((news, only(&known).state), (Vec::new(), State::Acknowledged));
        let (known, news) = run(known, &one, "2026-11-20T01:30:00Z");
        assert_eq!((news, only(&known).state), (vec!["lapsed".into()], State::Open));
    }

    #[test]
    fn what_is_over_cannot_be_acknowledged_or_written_off() {
        let one = Break::opened(&seen(Class::Unexplained, "", "1", None), at("2026-11-17T01:30:00Z"));
        let over = one.after(&Event::Resolved, None, at("2026-11-18T01:30:00Z")).unwrap();
        for event in [Event::WrittenOff, Event::Acknowledged(at("2026-11-19T00:00:00Z")), Event::Changed] {
            let refused = over.clone().after(&event, None, at("2026-11-18T02:00:00Z"));
            assert_eq!(refused, Err(IllegalEvent { state: State::Resolved, event: event.word() }));
        }
    }

    #[test]
    fn it_ages_in_business_days_over_weekends_and_holidays() {
        let one = Break::opened(&seen(Class::Unexplained, "", "1", None), at("2026-11-26T01:30:00Z"));
        let age = |day| one.age(&Calendar::default(), day);
        assert_eq!([date(2026, 11, 25), date(2026, 11, 27), date(2026, 11, 30)].map(age), [0, 1, 2]);
    }
}
