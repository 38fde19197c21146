//! A seat at a venue: the broker, and what was last heard of it.
//!
//! What a decision needs is asked for ahead and remembered with its age, so that
//! nothing stands between a fill and its hedge but the order itself. A venue that
//! throttles us, or does not let us in, is left in peace here for all symbols alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    book::{
        execution::Execution,
        market::{Account, Listing, Market, Quote},
    },
    observe,
    policy::Hours,
    store::orders::VenueId,
    time::{Clock, Session, age},
    units::{Shares, Usd},
    venue::{Venue, VenueError},
};

/// Hours older than this are not known any more.
const HOURS_AGE: SignedDuration = SignedDuration::from_mins(5);
/// A quote older than this is none.
const QUOTE_AGE: SignedDuration = SignedDuration::from_mins(1);
/// How often each is asked for anew.
const MARKET_EVERY: SignedDuration = SignedDuration::from_secs(20);
const ACCOUNT_EVERY: SignedDuration = SignedDuration::from_secs(15);
/// The same, as long as it may not show yet what we traded.
const ACCOUNT_AFTER_A_TRADE: SignedDuration = SignedDuration::from_secs(2);
const QUOTE_EVERY: SignedDuration = SignedDuration::from_secs(20);
const LISTING_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often a venue that does not let us in is tried again.
const LOCKED_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// So many listings are asked for every so often: they can wait, and the budget is for orders.
const LISTINGS: usize = 4;
const LISTINGS_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// Positions may be told so much behind what was traded.
const POSITION_LAG: SignedDuration = SignedDuration::from_secs(30);
/// Nobody wants to be left in peace for longer; whoever seems to, the clock was set back.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(6);
/// Clock and calendar may be so far apart around the bell.
const AROUND_THE_BELL: SignedDuration = SignedDuration::from_secs(5);

/// A broker, and what was last heard of it.
#[derive(Debug)]
pub struct Seat {
    /// Its number in the tables.
    pub id: VenueId,
    /// What stands in every id of ours there.
    pub mark: String,
    /// The broker.
    pub venue: Arc<dyn Venue>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// What it said, how far its clock is from ours, and when it was asked.
    market: Option<(Market, SignedDuration, Timestamp)>,
    account: Option<Account>,
    quotes: BTreeMap<String, (Option<Quote>, Timestamp)>,
    listings: BTreeMap<String, (Option<Listing>, Timestamp)>,
    /// When quotes and listings were last asked for.
    quoted_at: Option<Timestamp>,
    listed_at: Option<Timestamp>,
    /// Symbols that may have to be traded.
    wanted: BTreeSet<String>,
    /// Until then it is not asked for anything.
    resting_until: Option<Timestamp>,
    /// Until then nothing is sent, though it may be looked at.
    no_orders_until: Option<Timestamp>,
    /// Why it does not let us in, and when that was last tried.
    locked: Option<(String, Timestamp)>,
    scanned: bool,
    /// What we traded that the account does not show yet, and when we heard of it.
    traded: Vec<(Execution, Timestamp)>,
}

impl Heard {
    /// Why it rests: because it is locked, or until then.
    fn lock_or(&self, until: Option<Timestamp>, now: Timestamp) -> Option<Rest> {
        if let Some((said, _)) = &self.locked {
            return Some(Rest::Locked(said.clone()));
        }
        until.filter(|until| is_ahead(*until, now)).map(Rest::Until)
    }
}

/// Whether a rest is not over yet.
fn is_ahead(until: Timestamp, now: Timestamp) -> bool {
    until > now && until.duration_since(now) <= LONGEST_REST
}

/// A rest of so long from now on, or what is left of a longer one.
fn rest(until: &mut Option<Timestamp>, wait: Duration, now: Timestamp) {
    let end = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    *until = until.filter(|until| is_ahead(*until, now)).max(Some(end));
}

/// Why nothing is sent to a venue now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It throttles us, or cannot be reached.
    Until(Timestamp),
    /// It does not let us in.
    Locked(String),
}

impl Seat {
    /// A seat at which nothing was heard yet.
    pub fn new(id: VenueId, mark: String, venue: Arc<dyn Venue>) -> Self {
        Self { id, mark, venue, heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing is sent now.
    pub fn rest(&self, now: Timestamp) -> Option<Rest> {
        let heard = self.heard();
        let until = heard.resting_until.max(heard.no_orders_until);
        heard.lock_or(until, now)
    }

    /// Why it is not even looked at now.
    pub fn silence(&self, now: Timestamp) -> Option<Rest> {
        let heard = self.heard();
        heard.lock_or(heard.resting_until, now)
    }

    /// Takes note of an error that concerns the venue as a whole.
    pub fn note(&self, error: &VenueError, now: Timestamp) {
        let mut heard = self.heard();
        match error {
            VenueError::Throttled { retry_in, .. } => rest(&mut heard.resting_until, *retry_in, now),
            VenueError::Unreachable { .. } => rest(&mut heard.resting_until, Duration::from_secs(2), now),
            VenueError::Unauthorized { venue, said, next } => {
                if heard.locked.is_none() {
                    observe::locked_out(venue, said, next);
                }
                heard.locked = Some((said.clone(), now));
            }
            VenueError::Unanswered { .. } | VenueError::Refused { .. } => {}
        }
    }

    /// The same of an order or a cancel. What throttles these leaves room for looks: should there
    /// be none, the next look meets it.
    pub fn note_act(&self, error: &VenueError, now: Timestamp) {
        if let VenueError::Throttled { retry_in, .. } = error {
            rest(&mut self.heard().no_orders_until, *retry_in, now);
        } else {
            self.note(error, now);
        }
    }

    /// Says which symbols may have to be traded.
    pub fn want(&self, symbols: BTreeSet<String>) {
        self.heard().wanted = symbols;
    }

    /// Whether everything that happened there before is known: nothing is planned until then.
    pub fn is_scanned(&self) -> bool {
        self.heard().scanned
    }

    /// Everything that happened there before is known.
    pub fn scanned(&self) {
        self.heard().scanned = true;
    }

    /// The venue's time.
    pub fn now(&self, clock: &Clock) -> Timestamp {
        self.theirs(clock.now())
    }

    /// What the venue's clock showed when ours showed this.
    pub fn theirs(&self, ours: Timestamp) -> Timestamp {
        let skew = self.heard().market.as_ref().map(|(_, skew, _)| *skew).unwrap_or_default();
        ours.checked_add(skew).unwrap_or(Timestamp::MAX)
    }

    /// Its hours, where they were heard of late and do not contradict each other.
    pub fn hours(&self, clock: &Clock) -> Hours {
        let heard = self.heard();
        let Some((market, skew, at)) = &heard.market else { return Hours::Unknown };
        let local = clock.now();
        if age(*at, local) > HOURS_AGE {
            return Hours::Unknown;
        }
        let around = |shift| market.day.map(|day| day.session_at(market.now + shift));
        let agrees = market.is_open.is_none_or(|open| {
            [-AROUND_THE_BELL, SignedDuration::ZERO, AROUND_THE_BELL]
                .into_iter()
                .any(|shift| (around(shift) == Some(Session::Regular)) == open)
        });
        if !agrees {
            return Hours::Unknown;
        }
        // The calendar is that of the day on which it was asked.
        let today = crate::time::new_york_date(local.checked_add(*skew).unwrap_or(local));
        match market.day {
            Some(day) if today == day.date => Hours::Day(day),
            None if today == crate::time::new_york_date(market.now) => Hours::ClosedDay,
            Some(_) | None => Hours::Unknown,
        }
    }

    /// Which session is on; none where nobody knows.
    pub fn session(&self, clock: &Clock) -> Option<Session> {
        match self.hours(clock) {
            Hours::Unknown => None,
            Hours::ClosedDay => Some(Session::Closed),
            Hours::Day(day) => Some(day.session_at(self.now(clock))),
        }
    }

    /// What the account holds, as last told, less what we sold and paid since.
    ///
    /// What we bought since is not counted: it is there once the broker says so.
    pub fn account(&self) -> Option<Account> {
        let heard = self.heard();
        let mut account = heard.account.clone()?;
        for (Execution { symbol, quantity, cash, .. }, _) in &heard.traded {
            account.cash = account.cash.plus((*cash).min(Usd::ZERO)).unwrap_or(account.cash);
            if let Some(holding) = account.holdings.get_mut(symbol) {
                let sold = (*quantity).min(Shares::ZERO);
                holding.quantity = holding.quantity.plus(sold).unwrap_or_default();
                holding.available = holding.available.plus(sold).unwrap_or_default();
            }
        }
        Some(account)
    }

    /// A quote that is young enough, where there is one.
    pub fn quote(&self, symbol: &str, now: Timestamp) -> Option<Quote> {
        let heard = self.heard();
        let (quote, at) = heard.quotes.get(symbol)?;
        quote.clone().filter(|_| age(*at, now) <= QUOTE_AGE)
    }

    /// What may be done with a share, as last told; not listed is not tradable.
    pub fn listing(&self, symbol: &str) -> Option<Listing> {
        let (listing, _) = self.heard().listings.get(symbol).copied()?;
        Some(listing.unwrap_or(Listing { tradable: false, fractionable: false, shortable: false }))
    }

    /// We traded: what the account holds is asked for at once.
    pub fn traded(&self, executions: impl IntoIterator<Item = Execution>, now: Timestamp) {
        self.heard().traded.extend(executions.into_iter().map(|execution| (execution, now)));
    }

    /// Asks for whatever is due; says whether anything new was heard. What the venue does
    /// not tell stays as it was, and ages.
    pub async fn listen(&self, clock: &Clock) -> bool {
        let now = clock.now();
        let due = |at: Option<Timestamp>, every| at.is_none_or(|at| age(at, now) >= every);
        let (market, account, quotes, listings) = {
            let mut heard = self.heard();
            let may = match (&heard.locked, heard.resting_until) {
                (Some((_, tried)), _) => due(Some(*tried), LOCKED_EVERY),
                (None, until) => until.is_none_or(|until| !is_ahead(until, now)),
            };
            if !may {
                return false;
            }
            let (mut quotes, mut listings) = (Vec::new(), Vec::new());
            if due(heard.quoted_at, QUOTE_EVERY) {
                heard.quoted_at = Some(now);
                quotes.extend(heard.wanted.iter().cloned());
            }
            if due(heard.listed_at, LISTINGS_EVERY) {
                heard.listed_at = Some(now);
                let told = |symbol: &String| heard.listings.get(symbol).map(|(_, at)| *at);
                let old = heard.wanted.iter().filter(|symbol| due(told(symbol), LISTING_EVERY));
                listings.extend(old.take(LISTINGS).cloned());
            }
            let asked_at = heard.account.as_ref().map(|account| account.asked_at);
            let traded_since = heard.traded.iter().any(|(_, heard_at)| asked_at <= Some(*heard_at));
            let soon = if heard.traded.is_empty() { ACCOUNT_EVERY } else { ACCOUNT_AFTER_A_TRADE };
            (
                due(heard.market.as_ref().map(|(_, _, at)| *at), MARKET_EVERY),
                traded_since || due(asked_at, soon),
                quotes,
                listings,
            )
        };
        let mut news = false;
        if account || self.heard().locked.is_some() {
            match self.venue.account().await {
                Ok(account) => news |= self.learn(account, now),
                Err(error) => self.miss("what the account holds", &error, now),
            }
        }
        if self.silence(now).is_some() {
            return news;
        }
        if market {
            match self.venue.market().await {
                Ok(market) => {
                    let at = clock.now();
                    // Taken in the middle of question and answer.
                    let middle = now.checked_add(at.duration_since(now) / 2).unwrap_or(at);
                    let skew = market.now.duration_since(middle);
                    self.heard().market = Some((market, skew, at));
                    news = true;
                }
                Err(error) => self.miss("the hours", &error, now),
            }
        }
        // What can be done without sends no venue to rest.
        if !quotes.is_empty() {
            match self.venue.quotes(&quotes).await {
                Ok(mut told) => {
                    let at = clock.now();
                    let told = quotes.into_iter().map(|symbol| {
                        let quote = told.remove(&symbol);
                        (symbol, (quote, at))
                    });
                    self.heard().quotes.extend(told);
                }
                Err(error) => self.lack("quotes", &error),
            }
        }
        for symbol in listings {
            match self.venue.listing(&symbol).await {
                Ok(listing) => {
                    self.heard().listings.insert(symbol, (listing, clock.now()));
                    news = true;
                }
                Err(error) => self.lack("a listing", &error),
            }
        }
        news
    }

    /// Takes in what the account holds; says whether that is news.
    fn learn(&self, account: Account, now: Timestamp) -> bool {
        let mut heard = self.heard();
        let was_locked = heard.locked.take().is_some();
        let old = heard.account.take();
        let same = old.as_ref().is_some_and(|old| {
            old.cash == account.cash && old.holdings == account.holdings && old.blocked == account.blocked
        });
        if let Some(why) = &account.blocked
            && old.as_ref().is_none_or(|old| old.blocked != account.blocked)
        {
            observe::blocked(self.venue.name(), why);
        }
        // What was sold, and is held as before, was told too early.
        let held = |account: &Account, symbol: &str| account.holdings.get(symbol).map(|it| it.quantity);
        heard.traded.retain(|(Execution { symbol, quantity, .. }, heard_at)| {
            *quantity < Shares::ZERO
                && age(*heard_at, now) < POSITION_LAG
                && old.as_ref().is_some_and(|old| held(old, symbol) == held(&account, symbol))
        });
        heard.account = Some(account);
        was_locked || !same
    }

    fn lack(&self, what: &str, error: &VenueError) {
        tracing::debug!(venue = self.venue.name(), what, %error, "not told");
    }

    fn miss(&self, what: &str, error: &VenueError, now: Timestamp) {
        self.lack(what, error);
        self.note(error, now);
    }
}
