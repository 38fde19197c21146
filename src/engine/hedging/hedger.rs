//! Decides, plans and sends.
//!
//! A sweep: release what lies deep enough → what is exposed → what is known of each
//! symbol → the policy → a plan in one transaction, under the lease → send. Every symbol
//! is decided for itself. What is not done is written down as a hold, with its reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rand::RngExt as _;

use super::{Hedged, Seat, Trading, commit, dispatch::is_out, seat::Rest};
use crate::{
    book::{
        fill::Side,
        market::{Account, Quote},
        order::{Close, Move, OrderId, Purpose, State, Terms, Ticket},
    },
    engine::{Loop, Step},
    observe,
    policy::{self, Hold, Intent, Live, Mark, PriceSource, Reason, Spent, View},
    store::{
        StoreError,
        exposure::{self, Exposure},
        halts::{self, Halt},
        lease::Fence,
        orders::{self, Because, Event, Order, Plan, Refusals, VenueId},
    },
    time::{Session, new_york_date},
    units::{Amount, Price, Shares, Usd},
};

/// Refusals older than this delay nothing any more.
const REFUSALS_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);

/// Decides what is to be hedged.
#[derive(Debug)]
pub struct Hedger {
    trading: Arc<Trading>,
}

/// What was decided of a symbol.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The ticker.
    pub symbol: String,
    /// What is exposed.
    pub exposure: Shares,
    /// What is wanted, or why nothing is.
    pub wanted: Result<Intent, Hold>,
    /// A plan from before that has not left.
    pub planned: Option<Order>,
}

/// What the books know when it is decided.
struct Known {
    exposures: BTreeMap<String, Exposure>,
    live: Vec<Order>,
    halts: Vec<Halt>,
    refusals: Vec<Refusals>,
    spent: (Usd, BTreeMap<String, Shares>),
    newest: OrderId,
    hedging: bool,
}

impl Hedger {
    /// A hedger.
    pub fn new(trading: Arc<Trading>) -> Self {
        Self { trading }
    }

    /// What would be done now: nothing is.
    ///
    /// # Errors
    /// The database.
    pub async fn decide(&self) -> Result<Vec<Decision>, StoreError> {
        let known = self.trading.known().await?;
        Ok(self.trading.decide(&known))
    }
}

impl Loop for Hedger {
    async fn converge(&mut self) -> Result<Step, StoreError> {
        let trading = &self.trading;
        trading.lanes.reap()?;
        let Some(fence) = trading.fence() else { return Ok(Step::Idle) };
        trading.release().await?;
        let known = trading.known().await?;
        let decisions = trading.decide(&known);
        let mut moved = trading.place_manual(&known).await?;
        let mut holds = halts::Holds::new();
        for Decision { symbol, exposure, wanted, planned } in decisions {
            match (planned, wanted) {
                (Some(order), _) if trading.lanes.busy(order.id) => {}
                (Some(order), Ok(intent)) if asks_the_same(&order, &intent) => {
                    moved |= trading.lanes.run(&[order.id], Arc::clone(trading).send(order));
                }
                // What books that were restored have as a plan may have left after they were saved.
                (Some(order), Err(hold))
                    if matches!(hold.reason, Reason::Throttled | Reason::Unauthorized)
                        || !trading.seat(order.venue).is_some_and(Seat::is_scanned) =>
                {
                    holds.insert(symbol, (hold.reason.word().to_owned(), hold.detail));
                    tracing::debug!(order = order.id.0, "the plan waits for its venue");
                }
                (Some(order), _) => {
                    trading.drop_plan(&order).await?;
                    moved = true;
                }
                (None, Ok(intent)) => {
                    if let Some(order) = trading.plan(&intent, exposure, known.newest, fence).await? {
                        moved |= trading.lanes.run(&[order.id], Arc::clone(trading).send(order));
                    }
                }
                (None, Err(hold)) if hold.reason == Reason::Flat => {}
                (None, Err(hold)) => {
                    holds.insert(symbol, (hold.reason.word().to_owned(), hold.detail));
                }
            }
        }
        trading.write_holds(&holds).await?;
        Ok(if moved { Step::Moved } else { Step::Idle })
    }
}

/// What orders on their way, and those decided in this sweep, take of what there is.
struct Taken {
    /// Decided in this sweep: dollars.
    dollars: Usd,
    /// To be paid, by venue.
    cash: BTreeMap<VenueId, Usd>,
}

impl Taken {
    fn by(live: &[Order]) -> Self {
        let mut taken = Self { dollars: Usd::ZERO, cash: BTreeMap::new() };
        for order in live.iter().filter(|order| is_out(order) && order.ticket.side == Side::Buy) {
            let left = order.ticket.quantity.minus(order.filled).unwrap_or_default();
            if let Some(cost) = order.reference.and_then(|price| left.at(price)) {
                taken.pay(order.venue, cost);
            }
        }
        taken
    }

    fn add(&mut self, venue: VenueId, intent: &Intent) {
        let worth = intent.quantity.at(intent.reference.price).unwrap_or(Usd::MOST);
        self.dollars = self.dollars.plus(worth).unwrap_or(Usd::MOST);
        if intent.side == Side::Buy {
            self.pay(venue, worth);
        }
    }

    fn pay(&mut self, venue: VenueId, cost: Usd) {
        let paid = self.cash.entry(venue).or_default();
        *paid = paid.plus(cost.max(Usd::ZERO)).unwrap_or(Usd::MOST);
    }

    /// What is left of an account.
    fn leave(&self, venue: VenueId, account: Account) -> Account {
        let paid = self.cash.get(&venue).copied().unwrap_or_default();
        Account { cash: account.cash.minus(paid).unwrap_or_default().max(Usd::ZERO), ..account }
    }
}

/// Whether a plan from before is still what is wanted.
fn asks_the_same(order: &Order, intent: &Intent) -> bool {
    let Ticket { side, quantity, terms, .. } = &order.ticket;
    *side == intent.side && *quantity == intent.quantity && *terms == intent.terms
}

impl Trading {
    /// Releases fills to the hedger, source by source, and sums executions that are far behind.
    async fn release(&self) -> Result<(), StoreError> {
        for feed in &self.feeds {
            let mut tx = self.begin().await?;
            exposure::release(&mut tx, feed.source, feed.from_block, feed.depth, feed.believe).await?;
            commit(tx).await?;
        }
        let mut tx = self.begin().await?;
        exposure::close_executions(&mut tx).await?;
        commit(tx).await
    }

    /// Reads what the books know, all as of one moment.
    async fn known(&self) -> Result<Known, StoreError> {
        let now = self.clock.now();
        let midnight =
            new_york_date(now).in_tz("America/New_York").map_or(now, |midnight| midnight.timestamp());
        let mut tx = self.begin().await?;
        sqlx::query("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await
            .map_err(|error| StoreError::of("read the books as of one moment", error))?;
        let known = Known {
            exposures: exposure::exposures(&mut tx).await?,
            live: orders::live(&mut tx).await?,
            halts: halts::halts(&mut tx).await?,
            refusals: orders::refusals(&mut tx, now - REFUSALS_FOR).await?,
            spent: exposure::spent(&mut tx, midnight).await?,
            newest: orders::newest(&mut tx).await?,
            hedging: !exposure::live_sources(&mut tx).await?.is_empty(),
        };
        commit(tx).await?;
        Ok(known)
    }

    /// Decides every symbol that is exposed, or has a plan; the largest exposures first. What one
    /// of them takes of the day's dollars and of the cash is not there for the next.
    fn decide(&self, known: &Known) -> Vec<Decision> {
        let flat = Exposure { net: Shares::ZERO, last_fill: None };
        let planned: BTreeMap<&str, &Order> = known
            .live
            .iter()
            .filter(|order| order.state == State::Planned && order.purpose == Purpose::Hedge)
            .map(|order| (order.ticket.symbol.as_str(), order))
            .collect();
        let exposed = known.exposures.iter().filter(|(_, exposure)| exposure.net != Shares::ZERO);
        let symbols: BTreeSet<&str> =
            exposed.map(|(symbol, _)| symbol.as_str()).chain(planned.keys().copied()).collect();
        let mut symbols: Vec<(&str, &Exposure)> = symbols
            .into_iter()
            .map(|symbol| (symbol, known.exposures.get(symbol).unwrap_or(&flat)))
            .collect();
        let worth = |exposure: &Exposure| {
            exposure.last_fill.and_then(|(price, _)| exposure.net.abs().at(price)).unwrap_or_default()
        };
        symbols.sort_by_key(|(_, exposure)| std::cmp::Reverse(worth(exposure)));
        let mut taken = Taken::by(&known.live);
        symbols
            .into_iter()
            .map(|(symbol, exposure)| {
                let wanted = self.want_of(symbol, exposure, known, &taken);
                if let (Ok(intent), Some(hedged)) = (&wanted, self.assets.get(symbol)) {
                    taken.add(hedged.venue, intent);
                }
                let planned = planned.get(symbol).map(|order| (*order).clone());
                Decision { symbol: symbol.to_owned(), exposure: exposure.net, wanted, planned }
            })
            .collect()
    }

    fn want_of(
        &self,
        symbol: &str,
        exposure: &Exposure,
        known: &Known,
        taken: &Taken,
    ) -> Result<Intent, Hold> {
        let hold = |reason, detail: String| Err(Hold { reason, detail });
        let Some((Hedged { asset, extended, .. }, seat)) =
            self.assets.get(symbol).and_then(|hedged| Some((hedged, self.seat(hedged.venue)?)))
        else {
            let detail =
                format!("{} {symbol} is exposed, and no [[asset]] says how to hedge it", exposure.net);
            return hold(Reason::NoThreshold, detail);
        };
        let account = seat.account().map(|account| {
            let asked_at = seat.theirs(account.asked_at);
            Account { asked_at, ..taken.leave(seat.id, account) }
        });
        let live = known.live.iter().find(|order| {
            order.ticket.symbol == symbol && (is_out(order) || order.purpose == Purpose::Manual)
        });
        let halt =
            known.halts.iter().find(|halt| halt.symbol.as_deref().is_none_or(|halted| halted == symbol));
        let refused = known.refusals.iter().find(|refusals| refusals.symbol == symbol);
        let (price, reference) = self.marks(seat, symbol, exposure);
        let view = View {
            now: seat.now(&self.clock),
            symbol,
            exposure: exposure.net,
            threshold: asset.threshold,
            live_trading: known.hedging,
            live: live.map(|order| Live { id: order.id, state: order.state, since: order.planned_at }),
            halt: halt.map(|halt| halt.reason.as_str()),
            price,
            reference,
            hours: seat.hours(&self.clock),
            extended: *extended,
            capabilities: seat.venue.capabilities(),
            account: account.as_ref(),
            listing: seat.listing(symbol),
            spent: Spent {
                usd: known.spent.0.plus(taken.dollars).unwrap_or(Usd::MOST),
                shares: known.spent.1.get(symbol).copied().unwrap_or_default(),
            },
            refused: refused.map(|refusals| policy::Refused {
                times: refusals.times,
                at: seat.theirs(refusals.at),
                why: refusals.why,
                cash: refusals.cash,
            }),
            limits: &self.limits,
        };
        match (policy::flatten::flatten(&view), seat.rest(self.clock.now())) {
            // Who is not let in is told nothing either.
            (
                Ok(_) | Err(Hold { reason: Reason::HoursUnknown | Reason::AccountUnknown, .. }),
                Some(Rest::Locked(said)),
            ) => hold(Reason::Unauthorized, said),
            (Err(hold), _) => Err(hold),
            (Ok(_), Some(Rest::Until(until))) => {
                hold(Reason::Throttled, format!("{} is left in peace until {until:.0}", seat.venue.name()))
            }
            (Ok(_), None) if !seat.is_scanned() => hold(
                Reason::AccountUnknown,
                format!("what happened at {} is not known yet", seat.venue.name()),
            ),
            (Ok(intent), None) => Ok(intent),
        }
    }

    /// What an order is valued by, and what that must not be far from: the venue's quote beside
    /// the last fill, or the last fill alone. A quote that is older than a price may be is none.
    fn marks(&self, seat: &Seat, symbol: &str, exposure: &Exposure) -> (Option<Mark>, Option<Mark>) {
        let fill = exposure.last_fill.map(|(price, at)| Mark { price, at, source: PriceSource::Fill });
        let now = seat.now(&self.clock);
        let young = |quote: &Quote| now.duration_since(quote.at).abs() <= self.limits.price_age;
        let quote = seat.quote(symbol, self.clock.now()).filter(young).and_then(|quote| {
            let half = Amount::from_atoms(Amount::ONE.atoms() / 2)?;
            let sum = quote.bid.dollars().plus(quote.ask.dollars())?;
            Some(Mark { price: Price::of(sum.times(half)?)?, at: quote.at, source: PriceSource::Quote })
        });
        match quote {
            Some(quote) => (Some(quote), fill),
            None => (fill, None),
        }
    }

    /// Writes an order down, with what it covers, under the lease.
    async fn plan(
        &self,
        intent: &Intent,
        exposure: Shares,
        seen: OrderId,
        fence: Fence,
    ) -> Result<Option<Order>, StoreError> {
        let Some(seat) = self.assets.get(&intent.symbol).and_then(|hedged| self.seat(hedged.venue)) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let Ok(deployment) = crate::store::lease::hold(&mut tx, fence).await? else { return Ok(None) };
        let units = exposure::units(&mut tx, &intent.symbol, exposure).await?;
        let ticket = Ticket {
            client_id: client_id(&seat.mark, &deployment),
            symbol: intent.symbol.clone(),
            side: intent.side,
            quantity: intent.quantity,
            terms: intent.terms,
        };
        let plan = Plan {
            venue: seat.id,
            ticket: &ticket,
            purpose: Purpose::Hedge,
            exposure: Some(exposure),
            reference: Some(intent.reference),
            asked: None,
            fence,
            seen,
            covers: &exposure::oldest(&units, intent.quantity),
            now,
        };
        let Some(id) = orders::plan(&mut tx, &plan).await? else { return Ok(None) };
        let order = orders::read(&mut tx, id).await?;
        commit(tx).await?;
        observe::planned(id, intent);
        Ok(order)
    }

    /// A plan that is not wanted any more is given up: nothing of it has left.
    async fn drop_plan(&self, order: &Order) -> Result<(), StoreError> {
        let why = "it is not what is wanted any more, and nothing of it had left";
        let event = Event::new("closed", format!("never placed: {why}"));
        let dropped =
            self.move_on(order, Move::Close(Close::NeverPlaced), Because::default(), &event).await?;
        if dropped.is_ok() {
            observe::dropped(order.id, why);
        }
        Ok(())
    }

    /// Sends what a person planned, as soon as the session, the venue and halts allow.
    async fn place_manual(self: &Arc<Self>, known: &Known) -> Result<bool, StoreError> {
        let mut moved = false;
        let waiting = known
            .live
            .iter()
            .filter(|order| order.state == State::Planned && order.purpose == Purpose::Manual);
        for order in waiting {
            let Some(seat) = self.seat(order.venue) else { continue };
            let session = seat.session(&self.clock);
            let open = match order.ticket.terms {
                Terms::Market => session == Some(Session::Regular),
                Terms::ExtendedLimit(_) => session.is_some_and(|session| session != Session::Closed),
            };
            let symbol = &order.ticket.symbol;
            let another = known
                .live
                .iter()
                .any(|other| other.id != order.id && other.ticket.symbol == *symbol && is_out(other));
            let halted =
                known.halts.iter().any(|halt| halt.symbol.as_ref().is_none_or(|halted| halted == symbol));
            if open && !another && !halted && seat.rest(self.clock.now()).is_none() {
                // A cancel that comes before it leaves drops it.
                if order.cancel_asked_at.is_some() {
                    self.drop_plan(order).await?;
                    continue;
                }
                moved |= self.lanes.run(&[order.id], Arc::clone(self).send(order.clone()));
            }
        }
        Ok(moved)
    }

    async fn write_holds(&self, wanted: &halts::Holds) -> Result<(), StoreError> {
        let mut conn = self.connection().await?;
        let written = halts::holds(&mut conn).await?;
        if written != *wanted {
            halts::set_holds(&mut conn, &written, wanted, self.clock.now()).await?;
        }
        Ok(())
    }
}

/// An id of ours that was never used: it carries broker, environment and deployment.
pub(super) fn client_id(mark: &str, deployment: &str) -> String {
    let number: u64 = rand::rng().random();
    format!("hedge-{mark}-{deployment}-{number:016x}")
}
