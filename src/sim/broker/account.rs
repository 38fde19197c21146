//! A handle on one brokerage account: what tests tell it, and what they may know of it.
//!
//! A clone is the same account. Every method first makes up for the time that passed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    ledger::Ledger,
    market::{Hours, Prices, SimListing},
    order::{Ending, Fate, NewOrder, PlacedBy, SimExecution, SimOrder, TimeInForce},
    strike::{Rule, Storm},
};
use crate::{
    book::fill::Side,
    time::Clock,
    units::{Amount, Price, Shares, Usd},
};

/// How an account begins.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What ids, prices and chances are drawn from.
    pub seed: u64,
    /// Its only asset.
    pub cash: Usd,
    /// What is listed, and at what price.
    pub prices: Prices,
    /// Whose time it has.
    pub clock: Clock,
}

impl Default for Opening {
    /// Seed 1, a hundred thousand dollars, prices of the seed, the wall's time.
    fn default() -> Self {
        let cash = Usd(Amount::from_atoms(100_000 * Amount::ONE.atoms()).unwrap_or_default());
        Self { seed: 1, cash, prices: Prices::seeded(1), clock: Clock::Wall }
    }
}

/// A brokerage account, served by [`super::SimAlpaca`] or [`super::SimSchwab`].
#[derive(Clone, Debug)]
pub struct SimAccount(Arc<Mutex<Ledger>>);

impl SimAccount {
    /// Opens an account: flat, with cash.
    pub fn open(opening: Opening) -> Self {
        let Opening { seed, cash, prices, clock } = opening;
        Self(Arc::new(Mutex::new(Ledger::new(clock, seed, cash, prices.0))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger, up to date, and the time.
    pub(super) fn settled(&self) -> (MutexGuard<'_, Ledger>, Timestamp) {
        let mut ledger = self.lock();
        let now = ledger.settle();
        (ledger, now)
    }

    // What is true.

    /// The account's time.
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// Alpaca's id of it.
    pub fn id(&self) -> String {
        self.lock().account_id.clone()
    }

    /// Its number at Schwab.
    pub fn number(&self) -> i64 {
        self.lock().account_number
    }

    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<SimOrder> {
        self.settled().0.orders.clone()
    }

    /// An order, by Alpaca's id, Schwab's or the client's.
    pub fn order(&self, id: &str) -> Option<SimOrder> {
        let (ledger, _) = self.settled();
        let place = ledger.place_of(id).or_else(|| ledger.place_of_client_id(id))?;
        ledger.orders.get(place).cloned()
    }

    /// All executions, oldest first, corrections and busts among them.
    pub fn executions(&self) -> Vec<SimExecution> {
        self.settled().0.executions.clone()
    }

    /// Shares by ticker, as they are and not as they are shown; flat ones are left out.
    pub fn positions(&self) -> BTreeMap<String, Shares> {
        let positions = self.settled().0.positions(Timestamp::MAX);
        positions.into_iter().map(|(symbol, position)| (symbol, position.quantity)).collect()
    }

    /// Shares of one ticker, as they are.
    pub fn position(&self, symbol: &str) -> Shares {
        self.settled().0.held(symbol)
    }

    /// Cash, as it is.
    pub fn cash(&self) -> Usd {
        self.settled().0.cash()
    }

    /// Cash that no open buy has reserved.
    pub fn buying_power(&self) -> Usd {
        self.settled().0.buying_power()
    }

    // What goes wrong.

    /// From now on, this may strike too.
    pub fn strike(&self, rule: Rule) {
        let (mut ledger, now) = self.settled();
        ledger.strikes.add(rule, now);
    }

    /// From now on, all of these may strike too.
    pub fn storm(&self, storm: Storm) {
        let (mut ledger, now) = self.settled();
        ledger.strikes.storm(storm, now);
    }

    /// Nothing strikes any more, and what was held fills.
    pub fn calm(&self) {
        let (mut ledger, now) = self.settled();
        ledger.strikes.calm();
        ledger.release(now);
    }

    /// Its positions are so far behind its executions.
    pub fn lag_positions(&self, lag: Duration) {
        self.settled().0.manners.lag = lag;
    }

    /// A market order takes so long to fill.
    pub fn set_latency(&self, latency: Duration) {
        self.settled().0.manners.latency = latency;
    }

    /// Whether orders are filled before they are answered.
    pub fn fill_at_once(&self, at_once: bool) {
        self.settled().0.manners.at_once = at_once;
    }

    /// An order takes so long to be in Schwab's lists: a second, unless it is told otherwise.
    pub fn set_listing_delay(&self, delay: Duration) {
        self.settled().0.manners.listing = delay;
    }

    /// Whether a refresh at Schwab gives another refresh token, and ends the one that it was asked with.
    pub fn rotate_tokens(&self, rotates: bool) {
        self.settled().0.logins.rotates = rotates;
    }

    /// All access tokens of Schwab's are dead; a refresh gives another.
    pub fn expire_access(&self) {
        self.settled().0.logins.expire_access();
    }

    /// All refresh tokens of Schwab's are dead: a person must log in again.
    pub fn expire_login(&self) {
        self.settled().0.logins.expire_refresh();
    }

    /// Schwab's hash of the account is another one, as after some logins.
    pub fn change_hash(&self) {
        self.settled().0.logins.hashes += 1;
    }

    /// Requests a minute; none: as many as come.
    pub fn limit_rate(&self, a_minute: Option<u32>) {
        self.settled().0.manners.rate = a_minute;
    }

    /// Whether the account may not trade.
    pub fn block(&self, blocked: bool) {
        self.settled().0.manners.blocked = blocked;
    }

    /// Whether it may only close positions.
    pub fn close_only(&self, closing_only: bool) {
        self.settled().0.manners.closing_only = closing_only;
    }

    /// Whether shares may be sold that are not held.
    pub fn allow_shorts(&self, shorts: bool) {
        self.settled().0.manners.shorts = shorts;
    }

    /// Somebody pays in so much, or out: it is on its way, and not booked.
    pub fn pend(&self, cash: Usd) {
        self.settled().0.manners.pending = cash;
    }

    /// Whether keys and logins are worth nothing.
    pub fn revoke_keys(&self, revoked: bool) {
        self.settled().0.manners.revoked = revoked;
    }

    /// Somebody paid in or out: the cash is this now.
    pub fn set_cash(&self, cash: Usd) {
        self.settled().0.set_cash(cash);
    }

    /// What there is to buy with, whatever the cash; none: the cash again.
    pub fn set_buying_power(&self, buying_power: Option<Usd>) {
        self.settled().0.manners.buying_power = buying_power;
    }

    /// A new account in its place, with this cash: all ids vanish, and its own.
    pub fn reset(&self, cash: Usd) {
        self.settled().0.reset(cash);
    }

    // The market.

    /// The account's time becomes this, forwards or back.
    pub fn set_time(&self, now: Timestamp) {
        let (mut ledger, _) = self.settled();
        ledger.set_time(now);
        ledger.settle();
    }

    /// So much time passes.
    pub fn forward(&self, time: SignedDuration) {
        let now = self.now();
        self.set_time(now.checked_add(time).unwrap_or(Timestamp::MAX));
    }

    /// Changes the hours.
    pub fn hours(&self, change: impl FnOnce(&mut Hours)) {
        change(&mut self.settled().0.hours);
    }

    /// A share is bid and offered at this; a ticker that was not listed is.
    pub fn set_quote(&self, symbol: &str, bid: Price, ask: Price) {
        let (mut ledger, now) = self.settled();
        let listing = ledger.listings.entry(symbol.to_owned()).or_insert_with(|| SimListing::at(bid, ask));
        (listing.bid, listing.ask, listing.quoted_at) = (bid, ask, now);
        ledger.settle();
    }

    /// Bid and ask are the same.
    pub fn set_price(&self, symbol: &str, price: Price) {
        self.set_quote(symbol, price, price);
    }

    /// Changes what can be done with a share, if it is listed.
    pub fn listing(&self, symbol: &str, change: impl FnOnce(&mut SimListing)) {
        let (mut ledger, now) = self.settled();
        if let Some(listing) = ledger.listings.get_mut(symbol) {
            change(listing);
            // What is halted keeps its last quote.
            listing.quoted_at = now;
        }
    }

    /// A ticker is not listed any more.
    pub fn delist(&self, symbol: &str) {
        self.settled().0.listings.remove(symbol);
    }

    // What becomes of an order, or of an execution. `false`: there is none, or it ended before.

    /// So much of an order is filled at this price, whatever the market says.
    pub fn execute(&self, order: &str, quantity: Shares, price: Price) -> bool {
        self.upon(order, |ledger, place, now| ledger.execute(place, quantity, price, now))
    }

    /// Somebody cancels an order behind our back.
    pub fn cancel(&self, order: &str) -> bool {
        self.upon(order, |ledger, place, now| ledger.end(place, Ending::Cancel, now))
    }

    /// An order's time is over.
    pub fn expire(&self, order: &str) -> bool {
        self.upon(order, |ledger, place, now| ledger.end(place, Ending::Expire, now))
    }

    /// An order is refused after all.
    pub fn reject(&self, order: &str, reason: &str) -> bool {
        let ending = Ending::Reject(reason.to_owned());
        self.upon(order, |ledger, place, now| ledger.end(place, ending, now))
    }

    /// The broker puts another order in its place, for what is left.
    pub fn supersede(&self, order: &str) -> bool {
        self.upon(order, |ledger, place, now| {
            ledger.replace(place, None, None, None, PlacedBy::Broker, now);
        })
    }

    fn upon(&self, order: &str, act: impl FnOnce(&mut Ledger, usize, Timestamp)) -> bool {
        let (mut ledger, now) = self.settled();
        let place = ledger.place_of(order).or_else(|| ledger.place_of_client_id(order));
        let open = |place: &usize| ledger.orders.get(*place).is_some_and(|order| order.status.is_open());
        let Some(place) = place.filter(open) else { return false };
        act(&mut ledger, place, now);
        true
    }

    /// An execution is taken back altogether; the id of the entry that does so.
    pub fn bust(&self, execution: &str) -> Option<String> {
        let (mut ledger, now) = self.settled();
        ledger.revise(execution, None, now)
    }

    /// An execution was this all along; the id of the entry that says so.
    pub fn correct(&self, execution: &str, quantity: Shares, price: Price) -> Option<String> {
        let (mut ledger, now) = self.settled();
        ledger.revise(execution, Some((quantity, price)), now)
    }

    /// Somebody types in a market order; its id. No rule is asked.
    pub fn person_trades(&self, symbol: &str, side: Side, quantity: Shares) -> String {
        let (mut ledger, now) = self.settled();
        let place = ledger.take(of_a_person(symbol, side, quantity), &Fate::default(), now);
        ledger.settle();
        ledger.orders.get(place).map(|order| order.id.clone()).unwrap_or_default()
    }

    /// What an account holds from before: shares, bought or sold short by a person, and paid for.
    pub fn endow(&self, symbol: &str, quantity: Shares, price: Price) {
        let (mut ledger, now) = self.settled();
        let side = if quantity.0.is_negative() { Side::Sell } else { Side::Buy };
        let cash = ledger.cash();
        let held = Fate { held: true, ..Fate::default() };
        let place = ledger.take(of_a_person(symbol, side, quantity.abs()), &held, now);
        ledger.execute(place, quantity.abs(), price, now);
        ledger.set_cash(cash);
    }
}

fn of_a_person(symbol: &str, side: Side, quantity: Shares) -> NewOrder {
    NewOrder {
        client_id: None,
        symbol: symbol.to_owned(),
        side,
        quantity: Some(quantity),
        notional: None,
        limit: None,
        time_in_force: TimeInForce::Day,
        extended: false,
        session: "NORMAL",
        short: false,
        placed_by: PlacedBy::Person,
        replaces: None,
    }
}
