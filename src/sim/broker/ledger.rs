//! What an account is: its orders, its executions, its market, and how time moves them.
//!
//! Nothing happens between two looks: [`Ledger::settle`] makes up for what passed since
//! the last, in order, at prices that stood still meanwhile, because whoever sets a price
//! settles first. Cash and positions are sums over executions.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    login::Logins,
    market::{Hours, SimListing},
    money::{Summed, ratio},
    night::Night,
    order::{Course, Ending, Fate, NewOrder, PlacedBy, SimExecution, SimOrder, SimStatus, TimeInForce},
    strike::{Bent, Strike, Strikes},
};
use crate::{
    book::{execution::Nature, fill::Side},
    time::{Clock, Session},
    units::{Amount, Price, Shares, Usd},
};

/// What may be set of an account, beside its market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is set by itself")]
pub(super) struct Manners {
    /// How far positions are behind the executions.
    pub(super) lag: Duration,
    /// How long a market order takes to fill.
    pub(super) latency: Duration,
    /// How long an order takes to be in Schwab's lists.
    pub(super) listing: Duration,
    /// Orders are filled before they are answered.
    pub(super) at_once: bool,
    /// Shares may be sold that are not held.
    pub(super) shorts: bool,
    /// No order is taken.
    pub(super) blocked: bool,
    /// Only orders that close a position are taken.
    pub(super) closing_only: bool,
    /// What is there to buy with, if not the cash.
    pub(super) buying_power: Option<Usd>,
    /// Cash that is on its way in, or out, and not booked.
    pub(super) pending: Usd,
    /// The keys, or the login, are worth nothing.
    pub(super) revoked: bool,
    /// Requests a minute; none: as many as come.
    pub(super) rate: Option<u32>,
}

/// Shares held, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) quantity: Shares,
    pub(super) cost: Usd,
}

/// An order that is still on its way.
#[derive(Debug)]
pub(super) struct Late {
    /// When it arrives.
    pub(super) at: Timestamp,
    pub(super) order: NewOrder,
    pub(super) fate: Fate,
    /// Nothing is held against it any more when it does.
    pub(super) decided: bool,
}

/// Why an order cannot be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CancelRefused {
    /// A cancel is on its way.
    Pending,
    /// It ended otherwise.
    Ended(SimStatus),
}

/// One account at a broker.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) clock: Clock,
    pub(super) offset: SignedDuration,
    pub(super) manners: Manners,
    pub(super) hours: Hours,
    pub(super) listings: BTreeMap<String, SimListing>,
    pub(super) strikes: Strikes,
    pub(super) logins: Logins,
    pub(super) account_id: String,
    pub(super) account_number: i64,
    pub(super) opened_at: Timestamp,
    pub(super) orders: Vec<SimOrder>,
    pub(super) executions: Vec<SimExecution>,
    pub(super) night: Night,
    pub(super) minute: (i64, u32),
    opening_cash: Usd,
    chance: StdRng,
    /// Which million of Schwab's numbers is the account's, and how many more it has used.
    block: i64,
    resets: i64,
    open: BTreeSet<usize>,
    places: BTreeMap<String, usize>,
    client_ids: BTreeMap<String, usize>,
    late: Vec<Late>,
    seen: Timestamp,
}

impl Ledger {
    pub(super) fn new(clock: Clock, seed: u64, cash: Usd, listings: BTreeMap<String, SimListing>) -> Self {
        let now = clock.now();
        let mut ledger = Self {
            clock,
            offset: SignedDuration::ZERO,
            manners: Manners { listing: Duration::from_secs(1), ..Manners::default() },
            hours: Hours::default(),
            listings,
            strikes: Strikes::seeded(seed),
            logins: Logins::default(),
            account_id: String::new(),
            account_number: 0,
            opened_at: now,
            orders: Vec::new(),
            executions: Vec::new(),
            night: Night::default(),
            minute: (0, 0),
            opening_cash: cash,
            chance: StdRng::seed_from_u64(seed),
            block: StdRng::seed_from_u64(!seed).random_range(0..8_000_000),
            resets: -1,
            open: BTreeSet::new(),
            places: BTreeMap::new(),
            client_ids: BTreeMap::new(),
            late: Vec::new(),
            seen: now,
        };
        for listing in ledger.listings.values_mut() {
            listing.quoted_at = now;
        }
        ledger.reset(cash);
        ledger
    }

    /// A new account in the old one's place: nothing of it is left, no id is the same.
    pub(super) fn reset(&mut self, cash: Usd) {
        self.resets += 1;
        self.opening_cash = cash;
        self.account_id = uuid(&mut self.chance);
        self.account_number = self.chance.random_range(10_000_000..99_999_999);
        self.opened_at = self.now();
        self.orders.clear();
        self.executions.clear();
        self.night = Night::default();
        self.open.clear();
        self.places.clear();
        self.client_ids.clear();
        self.late.clear();
    }

    /// The account's time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now().checked_add(self.offset).unwrap_or(Timestamp::MAX)
    }

    /// The account's time becomes this.
    pub(super) fn set_time(&mut self, now: Timestamp) {
        self.offset = now.duration_since(self.clock.now());
    }

    /// Makes up for the time since the last look; what is the time now?
    pub(super) fn settle(&mut self) -> Timestamp {
        let now = self.now();
        // A clock that was turned back makes nothing undone.
        let from = self.seen.min(now);
        let (due, late): (Vec<Late>, Vec<Late>) =
            std::mem::take(&mut self.late).into_iter().partition(|late| late.at <= now);
        self.late = late;
        for Late { at, order, fate, decided } in due {
            if decided || self.check(&order).is_ok() {
                self.take(order, &fate, at);
            }
        }
        for place in self.open.clone() {
            self.step(place, from, now);
            self.acknowledge(place, now);
        }
        self.seen = now;
        now
    }

    /// An order's next events, until there is none before `now`.
    fn step(&mut self, place: usize, from: Timestamp, now: Timestamp) {
        while let Some(event) = self.next_event(place, from, now) {
            match event {
                Event::Fill { at, permille, price } => {
                    if let Some(order) = self.orders.get_mut(place) {
                        order.course.parts.pop_front();
                        let target = order.part(permille, price);
                        if target > order.filled {
                            let more = target.less(order.filled);
                            self.execute(place, more, price, at);
                        }
                    }
                }
                Event::End { at, ending: Ending::Replace } => {
                    self.replace(place, None, None, None, PlacedBy::Broker, at);
                }
                Event::End { at, ending } => self.end(place, ending, at),
            }
        }
    }

    fn next_event(&self, place: usize, from: Timestamp, now: Timestamp) -> Option<Event> {
        let order = self.orders.get(place).filter(|order| order.status.is_open())?;
        let course = &order.course;
        let fill = course.parts.front().and_then(|(due, permille)| {
            let extended = order.extended && order.limit.is_some();
            let at = self.hours.next_session((*due).max(from), extended)?;
            let price = self.price_for(order)?;
            (at <= now && at < order.expires_at).then_some((at, *permille, price))
        });
        let cancel = course.cancel_at.map(|at| (at, Ending::Cancel));
        let expiry = Some((order.expires_at, Ending::Expire));
        let ends = [cancel, course.end.clone(), expiry].into_iter().flatten().filter(|(at, _)| *at <= now);
        let end = ends.min_by_key(|(at, _)| *at);
        // What is to fill in part and then end does both in the same instant.
        let in_time = |at: Timestamp| {
            end.as_ref().is_none_or(|(ends, _)| at < *ends || (at == *ends && end == course.end))
        };
        if let Some((at, permille, price)) = fill.filter(|(at, ..)| in_time(*at)) {
            return Some(Event::Fill { at, permille, price });
        }
        end.map(|(at, ending)| Event::End { at, ending })
    }

    /// At what an order would fill now; none where it would not.
    fn price_for(&self, order: &SimOrder) -> Option<Price> {
        let listing = self.listings.get(&order.symbol).filter(|listing| !listing.halted)?;
        let (price, crosses): (Price, fn(Price, Price) -> bool) = match order.side {
            Side::Buy => (listing.ask, |limit, ask| limit >= ask),
            Side::Sell => (listing.bid, |limit, bid| limit <= bid),
        };
        let reached = order.limit.is_none_or(|limit| crosses(limit, price));
        (reached && !price.dollars().is_zero()).then_some(price)
    }

    /// An order that was only taken is at the market, once its session is on.
    fn acknowledge(&mut self, place: usize, now: Timestamp) {
        let session = self.hours.session(now);
        let Some(order) = self.orders.get_mut(place) else { return };
        let opened = session == Session::Regular || (session == Session::Extended && order.extended);
        if order.status == SimStatus::PendingNew || (order.status == SimStatus::Accepted && opened) {
            order.status = SimStatus::New;
            order.updated_at = now;
        }
    }

    /// Books an execution, whatever the market says.
    pub(super) fn execute(&mut self, place: usize, quantity: Shares, price: Price, at: Timestamp) {
        let (id, number) = (self.execution_id(at), self.next_execution_number());
        let Some(order) = self.orders.get_mut(place) else { return };
        let value = quantity.at(price).unwrap_or_default();
        order.filled = order.filled.and(quantity);
        order.value = order.value.and(value);
        order.updated_at = at;
        order.filled_at = Some(at);
        let leaves = order.remaining(price);
        if leaves == Shares::ZERO {
            order.status = SimStatus::Filled;
            order.ended_at = Some(at);
            self.open.remove(&place);
        } else if order.status.is_open() && order.status != SimStatus::PendingCancel {
            order.status = SimStatus::PartiallyFilled;
        }
        let signed = order.side.signed(quantity);
        self.executions.push(SimExecution {
            id,
            number,
            order_id: order.id.clone(),
            order_number: order.number,
            symbol: order.symbol.clone(),
            side: order.side,
            quantity: signed,
            price,
            cash: Usd::ZERO.less(signed.at(price).unwrap_or_default()),
            at,
            nature: Nature::Trade,
            corrects: None,
            shown: quantity,
            cumulative: order.filled,
            leaves,
        });
    }

    /// Takes an execution back, or sets it right: an execution of its own.
    pub(super) fn revise(
        &mut self,
        id: &str,
        right: Option<(Shares, Price)>,
        now: Timestamp,
    ) -> Option<String> {
        let was = self.executions.iter().rev().find(|execution| execution.id == id)?.clone();
        let (quantity, price) = right.unwrap_or((Shares::ZERO, was.price));
        let signed = was.side.signed(quantity);
        let entry = SimExecution {
            id: self.execution_id(now),
            number: self.next_execution_number(),
            quantity: signed.less(was.quantity),
            cash: Usd::ZERO.less(signed.at(price).unwrap_or_default()).less(was.cash),
            price,
            at: now,
            nature: if right.is_some() { Nature::Correction } else { Nature::Bust },
            corrects: Some(was.id.clone()),
            shown: if right.is_some() { quantity } else { was.shown },
            ..was
        };
        let id = entry.id.clone();
        self.executions.push(entry);
        Some(id)
    }

    /// Ends an order.
    pub(super) fn end(&mut self, place: usize, ending: Ending, at: Timestamp) {
        let Some(order) = self.orders.get_mut(place).filter(|order| order.status.is_open()) else { return };
        (order.status, order.reason) = match ending {
            Ending::Reject(reason) => (SimStatus::Rejected, Some(reason)),
            Ending::Cancel => (SimStatus::Canceled, None),
            Ending::Expire => (SimStatus::Expired, None),
            Ending::Replace => (SimStatus::Replaced, None),
        };
        order.updated_at = at;
        order.ended_at = Some(at);
        self.open.remove(&place);
    }

    /// Puts another order in this one's place; where it now is.
    pub(super) fn replace(
        &mut self,
        place: usize,
        quantity: Option<Shares>,
        limit: Option<Price>,
        client_id: Option<String>,
        placed_by: PlacedBy,
        at: Timestamp,
    ) -> Option<usize> {
        let old = self.orders.get(place)?.clone();
        let left = old.quantity.map(|quantity| {
            // On a partly filled order the new one carries all of the quantity (Alpaca-API#165),
            // unless the broker made it.
            if placed_by == PlacedBy::Broker { quantity.less(old.filled) } else { quantity }
        });
        let new = NewOrder {
            client_id,
            symbol: old.symbol,
            side: old.side,
            quantity: quantity.or(left),
            notional: old.notional,
            limit: limit.or(old.limit),
            time_in_force: old.time_in_force,
            extended: old.extended,
            session: old.session,
            short: old.short,
            placed_by,
            replaces: Some(old.id),
        };
        self.end(place, Ending::Replace, at);
        let new = self.take(new, &Fate::default(), at);
        let id = self.orders.get(new).map(|order| order.id.clone());
        if let Some(order) = self.orders.get_mut(place) {
            order.replaced_by = id;
        }
        Some(new)
    }

    /// Asks for an order's end.
    pub(super) fn cancel(
        &mut self,
        place: usize,
        too_late: bool,
        now: Timestamp,
    ) -> Result<(), CancelRefused> {
        let Some(order) = self.orders.get_mut(place) else { return Ok(()) };
        match order.status {
            SimStatus::PendingCancel => Err(CancelRefused::Pending),
            // Seen to succeed again.
            SimStatus::Canceled => Ok(()),
            ended @ (SimStatus::Filled | SimStatus::Expired | SimStatus::Rejected | SimStatus::Replaced) => {
                Err(CancelRefused::Ended(ended))
            }
            SimStatus::PendingNew | SimStatus::Accepted | SimStatus::New | SimStatus::PartiallyFilled => {
                order.status = SimStatus::PendingCancel;
                order.updated_at = now;
                if too_late {
                    order.course.parts = VecDeque::from([(now, 1000)]);
                    order.course.end = None;
                } else {
                    order.course.cancel_at = Some(now);
                }
                Ok(())
            }
        }
    }

    /// Takes an order; where it now is.
    pub(super) fn take(&mut self, new: NewOrder, fate: &Fate, now: Timestamp) -> usize {
        let place = self.orders.len();
        let id = uuid(&mut self.chance);
        // A broker's clock is finer than one that is told the time: no two orders share an instant.
        let taken = self.orders.last().map(|last| last.submitted_at + SignedDuration::from_micros(1));
        let soon = now + SignedDuration::from_secs(1);
        let submitted_at = taken.filter(|at| (now..soon).contains(at)).unwrap_or(now);
        let client_id = new.client_id.unwrap_or_else(|| uuid(&mut self.chance));
        let extended = new.extended && new.limit.is_some();
        let session = self.hours.session(now);
        let opened = session == Session::Regular || (session == Session::Extended && extended);
        let expires_at = match new.time_in_force {
            TimeInForce::Gtc => now + SignedDuration::from_hours(90 * 24),
            TimeInForce::Day | TimeInForce::Ioc | TimeInForce::Fok => self.hours.end_of_day(now, extended),
        };
        let immediate = matches!(new.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let order = SimOrder {
            id: id.clone(),
            number: self.next_order_number(),
            client_id: client_id.clone(),
            symbol: new.symbol,
            side: new.side,
            quantity: new.quantity,
            notional: new.notional,
            limit: new.limit,
            time_in_force: new.time_in_force,
            extended: new.extended,
            session: new.session,
            short: new.short,
            status: if opened { SimStatus::PendingNew } else { SimStatus::Accepted },
            filled: Shares::ZERO,
            value: Usd::ZERO,
            submitted_at,
            updated_at: now,
            filled_at: None,
            ended_at: None,
            expires_at,
            placed_by: new.placed_by,
            replaces: new.replaces,
            replaced_by: None,
            reason: None,
            course: self.course(fate, immediate, now),
        };
        self.places.insert(id, place);
        self.places.insert(order.number.to_string(), place);
        self.client_ids.insert(client_id, place);
        self.open.insert(place);
        self.orders.push(order);
        if fate.at_once || self.manners.at_once {
            self.step(place, now, now);
        }
        place
    }

    /// What will become of an order that is taken now.
    fn course(&self, fate: &Fate, immediate: bool, now: Timestamp) -> Course {
        let due = later(now, self.manners.latency);
        let parts = match (fate.slices, fate.permille) {
            _ if fate.held => VecDeque::new(),
            (Some((slices, every)), _) => (1..=slices.max(1))
                .map(|slice| {
                    (later(due, every.saturating_mul(slice - 1)), (1000 * slice).div_ceil(slices.max(1)))
                })
                .collect(),
            (None, Some(permille)) => VecDeque::from([(due, permille)]),
            // It ends before it fills.
            (None, None) if fate.ending.is_some() => VecDeque::new(),
            (None, None) => VecDeque::from([(due, 1000)]),
        };
        let struck = fate.ending.clone().map(|(after, ending)| (later(now, after), ending));
        Course {
            parts,
            end: struck.or(immediate.then_some((due, Ending::Cancel))),
            cancel_at: None,
            visible_from: later(now, fate.hidden),
            listed_from: later(now, fate.hidden.max(self.manners.listing)),
        }
    }

    /// An order is still on its way.
    pub(super) fn arrives(&mut self, late: Late) {
        self.late.push(late);
    }

    /// Whatever is held or stuck at a part fills after all.
    pub(super) fn release(&mut self, now: Timestamp) {
        for place in &self.open {
            if let Some(order) = self.orders.get_mut(*place)
                && order.course.parts.is_empty()
                && order.course.end.is_none()
            {
                order.course.parts.push_back((now, 1000));
            }
        }
    }

    /// Where an order is, by either broker's id.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// Where an order is, by the client's id.
    pub(super) fn place_of_client_id(&self, id: &str) -> Option<usize> {
        self.client_ids.get(id).copied()
    }

    /// The orders that may still fill, oldest first.
    pub(super) fn open_orders(&self) -> impl Iterator<Item = &SimOrder> {
        self.open.iter().filter_map(|place| self.orders.get(*place))
    }

    /// What executions and activities up to `until` add up to; flat ones are left out.
    pub(super) fn positions(&self, until: Timestamp) -> BTreeMap<String, Position> {
        let mut positions: BTreeMap<String, Position> = BTreeMap::new();
        // Shares that came or went without a trade cost nothing.
        let mut moved = self.night.activities.iter().filter(|activity| activity.at <= until).peekable();
        let mut up_to = |positions: &mut BTreeMap<String, Position>, at: Timestamp| {
            while let Some(activity) = moved.next_if(|activity| activity.at <= at) {
                if let Some(symbol) = &activity.symbol {
                    let position = positions.entry(symbol.clone()).or_default();
                    position.quantity = position.quantity.and(activity.quantity);
                }
            }
        };
        for execution in self.executions.iter().filter(|execution| execution.at <= until) {
            up_to(&mut positions, execution.at - SignedDuration::from_nanos(1));
            let position = positions.entry(execution.symbol.clone()).or_default();
            let adds = position.quantity.0.is_negative() == execution.quantity.0.is_negative();
            position.cost = if adds || position.quantity == Shares::ZERO {
                position.cost.less(execution.cash)
            } else {
                // What is left keeps its cost a share; what goes beyond costs what it costs.
                let left = position.quantity.and(execution.quantity);
                let flips = left.0.is_negative() != position.quantity.0.is_negative();
                if flips {
                    left.at(execution.price).unwrap_or_default()
                } else {
                    let each = ratio(position.cost.0, position.quantity.0).unwrap_or_default();
                    Usd(left.0.times(each).unwrap_or_default())
                }
            };
            position.quantity = position.quantity.and(execution.quantity);
        }
        up_to(&mut positions, until);
        positions.retain(|_, position| position.quantity != Shares::ZERO);
        positions
    }

    /// Shares of one ticker, by all executions and activities.
    pub(super) fn held(&self, symbol: &str) -> Shares {
        let ours = self.executions.iter().filter(|execution| execution.symbol == symbol);
        ours.fold(self.night.shares(symbol), |held, execution| held.and(execution.quantity))
    }

    /// Cash, by all executions and activities.
    pub(super) fn cash(&self) -> Usd {
        self.executions
            .iter()
            .fold(self.opening_cash.and(self.night.cash()), |cash, execution| cash.and(execution.cash))
    }

    /// Cash becomes this: somebody paid in, or out.
    pub(super) fn set_cash(&mut self, cash: Usd) {
        self.opening_cash = self.opening_cash.and(cash.less(self.cash()));
    }

    /// What there is to buy with: cash that no open buy has reserved.
    pub(super) fn buying_power(&self) -> Usd {
        self.manners.buying_power.unwrap_or_else(|| {
            let buys = self.open_orders().filter(|order| order.side == Side::Buy);
            buys.fold(self.cash(), |left, order| {
                let each = self.reserved_each(&order.symbol, order.limit);
                left.less(order.remaining(each).at(each).unwrap_or_default())
            })
        })
    }

    /// What a buy reserves for each share: its limit, or the ask and a collar above it.
    pub(super) fn reserved_each(&self, symbol: &str, limit: Option<Price>) -> Price {
        let ask = self.listings.get(symbol).map(|listing| listing.ask).unwrap_or_default();
        limit.unwrap_or_else(|| {
            // 4 % below fifty dollars, 2.5 % above.
            let fifty = 50 * Amount::ONE.atoms();
            let collar = if ask.dollars().atoms() < fifty { 1040 } else { 1025 };
            let times = Amount::from_atoms(collar * 1_000_000_000_000_000).unwrap_or(Amount::ONE);
            ask.dollars().times(times).and_then(Price::of).unwrap_or(ask)
        })
    }

    /// Counts a request; how many more may come this minute, where that is limited.
    pub(super) fn count_request(&mut self, now: Timestamp) -> Option<u32> {
        let minute = now.as_second().div_euclid(60);
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 = self.minute.1.saturating_add(1);
        self.manners.rate.unwrap_or(u32::MAX).checked_sub(self.minute.1)
    }

    /// An id that nobody had before.
    pub(super) fn fresh_id(&mut self) -> String {
        uuid(&mut self.chance)
    }

    /// Bid, ask and their time, as they are shown; none where there are none.
    pub(super) fn quoted(
        &self,
        symbol: &str,
        bent: &Bent,
        now: Timestamp,
    ) -> Option<(Price, Price, Timestamp)> {
        let listing = self.listings.get(symbol).filter(|_| !bent.has(&Strike::NoQuote))?;
        let (mut bid, mut ask) = (listing.bid, listing.ask);
        if bent.has(&Strike::ZeroQuote) {
            (bid, ask) = (Price::default(), Price::default());
        }
        if bent.has(&Strike::CrossedQuote) {
            (bid, ask) = (bid.dollars().plus(Amount::ONE).and_then(Price::of).unwrap_or(bid), bid);
        }
        // While nothing trades, the last quote stands.
        let stands = listing.halted || self.hours.session(now) == Session::Closed;
        Some((bid, ask, if stands { listing.quoted_at } else { now }))
    }

    /// An id of Alpaca's: New York's time, and something unique.
    fn execution_id(&mut self, at: Timestamp) -> String {
        let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
        let time = at.to_zoned(zone).strftime("%Y%m%d%H%M%S%3f").to_string();
        format!("{time}::{}", uuid(&mut self.chance))
    }

    /// The ids that an activity has at either broker.
    pub(super) fn activity_ids(&mut self, at: Timestamp) -> (String, i64) {
        let number = self.number(50_000_000_000_000, self.night.activities.len());
        (self.execution_id(at), number)
    }

    fn next_order_number(&self) -> i64 {
        self.number(1_000_000_000_000, self.orders.len())
    }

    fn next_execution_number(&self) -> i64 {
        self.number(20_000_000_000_000, self.executions.len())
    }

    /// A number of Schwab's: another one after a reset, and with another seed.
    fn number(&self, base: i64, count: usize) -> i64 {
        base + (self.block + self.resets) * 1_000_000 + i64::try_from(count).unwrap_or_default()
    }
}

enum Event {
    Fill { at: Timestamp, permille: u32, price: Price },
    End { at: Timestamp, ending: Ending },
}

/// So much later.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The next random UUID.
pub(super) fn uuid(chance: &mut StdRng) -> String {
    let (high, low): (u64, u64) = (chance.random(), chance.random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

/// The UUID that belongs to a text.
pub(super) fn uuid_of(text: &str) -> String {
    // FNV-1a: the same on every machine and in every year.
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    uuid(&mut StdRng::seed_from_u64(seed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::account::{Opening, SimAccount},
        *,
    };

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn order(side: Side, quantity: u32, limit: Option<u32>) -> NewOrder {
        let whole = |count: u32| Amount::from_atoms(i128::from(count) * Amount::ONE.atoms()).unwrap();
        NewOrder {
            client_id: None,
            symbol: "AAPL".to_owned(),
            side,
            quantity: Some(Shares(whole(quantity))),
            notional: None,
            limit: limit.and_then(|limit| Price::of(whole(limit))),
            time_in_force: TimeInForce::Day,
            extended: false,
            session: "",
            short: false,
            placed_by: PlacedBy::Client,
            replaces: None,
        }
    }

    fn account() -> SimAccount {
        let clock = Clock::told("2026-11-20T15:30:00Z".parse().unwrap());
        let account = SimAccount::open(Opening { clock, ..Opening::default() });
        account.set_price("AAPL", Price::of(amount("100")).unwrap());
        account
    }

    #[test]
    fn a_position_costs_what_is_left_of_it_did() {
        let account = account();
        let trade = |side, quantity, price: &str| {
            account.set_price("AAPL", Price::of(amount(price)).unwrap());
            account.person_trades("AAPL", side, Shares(amount(quantity)));
            let (now, ledger) = (account.now(), account.lock());
            ledger.positions(now).get("AAPL").map(|held| (held.quantity.to_string(), held.cost.to_string()))
        };
        let is = |quantity: &str, cost: &str| Some((quantity.to_owned(), cost.to_owned()));
        assert_eq!(trade(Side::Buy, "10", "100"), is("10", "1000"));
        assert_eq!(trade(Side::Buy, "10", "200"), is("20", "3000"));
        assert_eq!(trade(Side::Sell, "5", "300"), is("15", "2250"));
        assert_eq!(trade(Side::Sell, "20", "300"), is("-5", "-1500"), "what goes beyond costs what it costs");
        assert_eq!(trade(Side::Buy, "5", "100"), None);
    }

    proptest! {
        #[test]
        fn no_order_makes_or_loses_anything(
            acts in proptest::collection::vec((0..9_u8, 1..20_u32, any::<bool>(), 0..7200_i64), 1..40)
        ) {
            let account = account();
            for (act, quantity, buys, seconds) in acts {
                let side = if buys { Side::Buy } else { Side::Sell };
                let now = account.now();
                let mut ledger = account.lock();
                let fate = match act {
                    0 => Fate { held: true, ..Fate::default() },
                    1 => Fate { permille: Some(quantity * 50), ..Fate::default() },
                    2 => Fate { slices: Some((3, Duration::from_mins(1))), ..Fate::default() },
                    3 => Fate { ending: Some((Duration::from_secs(1), Ending::Replace)), ..Fate::default() },
                    4 => Fate { at_once: true, ..Fate::default() },
                    _ => Fate::default(),
                };
                match act {
                    0..=6 => {
                        let limit = (act > 4).then_some(90 + quantity);
                        let order = order(side, quantity, limit);
                        if ledger.check(&order).is_ok() {
                            ledger.take(order, &fate, now);
                        }
                    }
                    7 => {
                        let open = ledger.open_orders().next().map(|order| order.id.clone());
                        let place = open.and_then(|id| ledger.place_of(&id));
                        let asked = place.map_or(Ok(()), |place| ledger.cancel(place, buys, now));
                        prop_assert!(matches!(asked, Ok(()) | Err(CancelRefused::Pending)), "it is open");
                    }
                    _ => {
                        let last = ledger.executions.last().map(|execution| execution.id.clone());
                        last.and_then(|id| ledger.revise(&id, None, now));
                    }
                }
                drop(ledger);
                account.forward(SignedDuration::from_secs(seconds));
            }
            let (orders, executions) = (account.orders(), account.executions());
            for order in &orders {
                let trades = executions.iter().filter(|row| row.order_id == order.id && row.nature == Nature::Trade);
                let filled = trades.fold(Shares::ZERO, |sum, row| sum.and(row.quantity));
                prop_assert_eq!(filled, order.side.signed(order.filled));
                prop_assert!(order.status != SimStatus::Filled || order.filled >= order.quantity.unwrap());
                prop_assert!(order.status.is_open() || order.ended_at.is_some());
            }
            let bought = executions.iter().fold(Usd::ZERO, |sum, row| sum.and(row.cash));
            prop_assert_eq!(account.cash(), Usd(amount("100000")).and(bought));
            let busted = executions.iter().any(|row| row.nature == Nature::Bust);
            prop_assert!(busted || !account.cash().0.is_negative(), "money was spent twice");
            prop_assert!(busted || !account.position("AAPL").0.is_negative(), "shares were sold twice");
        }
    }
}
