//! Paper: nobody's broker. Orders fill in our own books, at a reference price and in whole.
//!
//! The same states and the same kind of ids as elsewhere, so that the loops cannot tell.
//! In the regular session an order fills at once; a limit outside it fills when the
//! reference reaches it, rests until then, and expires with the day. The market is open
//! on weekdays: holidays are not known yet. Whether there is cash enough is not asked here.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::{
    Timestamp,
    civil::{Time, Weekday, time},
};

use super::{Cause, Of, Recovery, Venue, VenueError, VenueSettings};
use crate::{
    book::{
        execution::{Execution, Nature},
        fill::Side,
        market::{Account, Capabilities, Funds, Holding, Listing, Market, Quote},
        order::{Refusal, Report, Status, Terms, Ticket},
    },
    time::{Clock, Session, TradingDay, new_york_date},
    units::{Amount, Price, Shares, Usd},
};

/// Decimals of a quantity.
const DECIMALS: u32 = 9;
/// A weekday in New York, as exchanges keep it.
const HOURS: [Time; 4] = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(16, 0, 0, 0), time(20, 0, 0, 0)];

/// What an account begins with, in dollars; it holds no share.
const BEGINNING: i128 = 1_000_000;

/// An order as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperOrder {
    /// What was asked for.
    pub ticket: Ticket,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// How it stands.
    pub fate: Fate,
}

/// How an order on paper stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for its price.
    Resting,
    /// All of it was filled.
    Filled {
        /// At this price.
        at: Price,
        /// Then.
        when: Timestamp,
    },
    /// It was cancelled.
    Canceled,
    /// Its day ended.
    Expired,
}

/// Where orders on paper are kept.
#[async_trait]
pub trait Keeper: fmt::Debug + Send + Sync {
    /// Keeps a new order, unless its id is taken; gives the one that has the id.
    async fn keep(&self, venue: &str, order: &PaperOrder) -> Result<PaperOrder, Cause>;

    /// The order of this id of ours.
    async fn find(&self, venue: &str, client_id: &str) -> Result<Option<PaperOrder>, Cause>;

    /// What becomes of an order that rests; one that does not any more stays as it is.
    async fn settle(&self, venue: &str, client_id: &str, fate: Fate) -> Result<(), Cause>;

    /// All orders, oldest first.
    async fn all(&self, venue: &str) -> Result<Vec<PaperOrder>, Cause>;
}

/// What a share is worth.
#[async_trait]
pub trait Prices: fmt::Debug + Send + Sync {
    /// The price of a share, and its time; `None` where there is none.
    async fn of(&self, symbol: &str) -> Result<Option<(Price, Timestamp)>, Cause>;
}

/// Orders kept in memory: gone with the process.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<(String, PaperOrder)>>);

impl Memory {
    fn with<T>(&self, look: impl FnOnce(&mut Vec<(String, PaperOrder)>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn has(venue: &str, client_id: &str) -> impl Fn(&&mut (String, PaperOrder)) -> bool {
    move |(of, order)| of == venue && order.ticket.client_id == client_id
}

#[async_trait]
impl Keeper for Memory {
    async fn keep(&self, venue: &str, order: &PaperOrder) -> Result<PaperOrder, Cause> {
        Ok(self.with(|orders| {
            if let Some((_, there)) = orders.iter_mut().find(has(venue, &order.ticket.client_id)) {
                return there.clone();
            }
            orders.push((venue.to_owned(), order.clone()));
            order.clone()
        }))
    }

    async fn find(&self, venue: &str, client_id: &str) -> Result<Option<PaperOrder>, Cause> {
        Ok(self.with(|orders| Some(orders.iter_mut().find(has(venue, client_id))?.1.clone())))
    }

    async fn settle(&self, venue: &str, client_id: &str, fate: Fate) -> Result<(), Cause> {
        self.with(|orders| {
            let found = orders.iter_mut().find(has(venue, client_id)).map(|(_, order)| order);
            if let Some(order) = found.filter(|order| order.fate == Fate::Resting) {
                order.fate = fate;
            }
        });
        Ok(())
    }

    async fn all(&self, venue: &str) -> Result<Vec<PaperOrder>, Cause> {
        let of_it = |orders: &mut Vec<(String, PaperOrder)>| {
            orders.iter().filter(|(of, _)| of == venue).map(|(_, order)| order.clone()).collect()
        };
        Ok(self.with(of_it))
    }
}

/// The broker that there is not.
#[derive(Debug)]
pub struct Paper {
    name: String,
    keeper: Arc<dyn Keeper>,
    prices: Arc<dyn Prices>,
    clock: Clock,
}

/// Of an order taken under our id, its id there.
fn broker_id(client_id: &str) -> String {
    format!("on-paper-{client_id}")
}

fn client_id(broker_id: &str) -> Option<&str> {
    broker_id.strip_prefix("on-paper-")
}

/// The trading day of an instant's date in New York.
fn day_of(at: Timestamp) -> Option<TradingDay> {
    let date = new_york_date(at);
    let open = !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    open.then(|| TradingDay::in_new_york(date, HOURS)).flatten()
}

/// What becomes at `now` of an order that rests, at a price; `None` where it goes on resting.
fn fate(ticket: &Ticket, taken_at: Timestamp, now: Timestamp, price: Option<Price>) -> Option<Fate> {
    if day_of(taken_at).is_none_or(|day| day.late <= now) {
        return Some(Fate::Expired);
    }
    let price = price?;
    let reached = match (ticket.terms, ticket.side) {
        (Terms::Market, _) => true,
        (Terms::ExtendedLimit(limit), Side::Buy) => price <= limit,
        (Terms::ExtendedLimit(limit), Side::Sell) => price >= limit,
    };
    reached.then_some(Fate::Filled { at: price, when: now })
}

/// Whether an order of these terms is taken in a session.
const fn takes(session: Session, terms: Terms) -> bool {
    match (session, terms) {
        (Session::Regular, _) | (Session::Extended, Terms::ExtendedLimit(_)) => true,
        (Session::Closed, _) | (Session::Extended, Terms::Market) => false,
    }
}

impl PaperOrder {
    fn report(&self) -> Report {
        let Ticket { client_id, symbol, side, quantity, .. } = &self.ticket;
        let (status, filled) = match self.fate {
            Fate::Resting => (Status::Working, Shares::ZERO),
            Fate::Filled { .. } => (Status::Filled, *quantity),
            Fate::Canceled => (Status::Canceled, Shares::ZERO),
            Fate::Expired => (Status::Expired, Shares::ZERO),
        };
        let word = self.fate.word();
        Report {
            broker_id: broker_id(client_id),
            client_id: Some(client_id.clone()),
            symbol: symbol.clone(),
            side: *side,
            quantity: Some(*quantity),
            filled: Some(filled),
            status,
            word: word.to_owned(),
            known: true,
            reason: None,
            replaced_by: None,
            submitted_at: self.taken_at,
            said: format!("on paper: {} {quantity} {symbol}, {word}", side.word()),
        }
    }

    /// `None` where nothing was filled, or more than can be counted.
    fn execution(&self) -> Option<Execution> {
        let Fate::Filled { at, when } = self.fate else { return None };
        let quantity = self.ticket.side.signed(self.ticket.quantity);
        let order = broker_id(&self.ticket.client_id);
        Some(Execution {
            id: format!("{order}-1"),
            broker_order_id: Some(order),
            symbol: self.ticket.symbol.clone(),
            quantity,
            price: at,
            cash: Usd(quantity.at(at)?.0.negated()),
            executed_at: when,
            nature: Nature::Trade,
            corrects: None,
        })
    }
}

impl Fate {
    /// The word used in columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::Filled { .. } => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

impl Paper {
    /// A venue on paper.
    pub fn new(
        settings: &VenueSettings,
        keeper: Arc<dyn Keeper>,
        prices: Arc<dyn Prices>,
        clock: Clock,
    ) -> Self {
        Self { name: settings.name.clone(), keeper, prices, clock }
    }

    fn unanswered(&self, request: &'static str) -> impl Fn(Cause) -> VenueError {
        let venue = self.name.clone();
        move |cause| VenueError::Unanswered { venue: venue.clone(), request, what: cause.to_string() }
    }

    /// An order as it stands now: one that rests may be filled or over.
    async fn look(&self, what: &'static str, client_id: &str) -> Result<Option<PaperOrder>, VenueError> {
        let unanswered = self.unanswered(what);
        let Some(order) = self.keeper.find(&self.name, client_id).await.map_err(&unanswered)? else {
            return Ok(None);
        };
        if order.fate != Fate::Resting {
            return Ok(Some(order));
        }
        let price = self.prices.of(&order.ticket.symbol).await.map_err(&unanswered)?.map(|(price, _)| price);
        let Some(fate) = fate(&order.ticket, order.taken_at, self.clock.now(), price) else {
            return Ok(Some(order));
        };
        self.keeper.settle(&self.name, client_id, fate).await.map_err(&unanswered)?;
        // Somebody else may have been first.
        self.keeper.find(&self.name, client_id).await.map_err(&unanswered)
    }
}

#[async_trait]
impl Venue for Paper {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { decimals: DECIMALS, extended: true }
    }

    /// What is kept is there at once.
    fn recovery(&self) -> Recovery {
        Recovery::ByClientId { reads: 1, grace: Duration::ZERO }
    }

    async fn submit(&self, ticket: &Ticket) -> Result<Report, VenueError> {
        const WHAT: &str = "an order";
        let now = self.clock.now();
        let refused = |why, said: &str| VenueError::Refused {
            venue: self.name.clone(),
            request: WHAT,
            why,
            said: said.to_owned(),
        };
        // A second try of what was taken is no new order, whatever the time is now.
        if let Some(there) =
            self.keeper.find(&self.name, &ticket.client_id).await.map_err(self.unanswered(WHAT))?
        {
            return Ok(there.report());
        }
        let session = day_of(now).map_or(Session::Closed, |day| day.session_at(now));
        if !takes(session, ticket.terms) {
            return Err(refused(Refusal::Session, "the market takes no such order now"));
        }
        let price = self
            .prices
            .of(&ticket.symbol)
            .await
            .map_err(|source| VenueError::Unreachable { venue: self.name.clone(), source: Some(source) })?;
        let Some((price, _)) = price else {
            return Err(refused(Refusal::NotTradable, "there is no price to fill at"));
        };
        let fate = fate(ticket, now, now, Some(price)).unwrap_or(Fate::Resting);
        let order = PaperOrder { ticket: ticket.clone(), taken_at: now, fate };
        let kept = self.keeper.keep(&self.name, &order).await.map_err(self.unanswered(WHAT))?;
        Ok(kept.report())
    }

    async fn search(
        &self,
        ticket: &Ticket,
        _sent_at: Timestamp,
        _owned: &HashSet<String>,
    ) -> Result<Vec<Report>, VenueError> {
        let found = self.look("a search for an order", &ticket.client_id).await?;
        Ok(found.iter().map(PaperOrder::report).collect())
    }

    async fn ask(&self, broker_id: &str) -> Result<Option<Report>, VenueError> {
        let Some(client_id) = client_id(broker_id) else { return Ok(None) };
        let found = self.look("a look at an order", client_id).await?;
        Ok(found.map(|order| order.report()))
    }

    async fn cancel(&self, broker_id: &str) -> Result<(), VenueError> {
        let Some(client_id) = client_id(broker_id) else { return Ok(()) };
        let settled = self.keeper.settle(&self.name, client_id, Fate::Canceled).await;
        settled.map_err(self.unanswered("a cancel"))
    }

    async fn executions(&self, of: Of<'_>) -> Result<Vec<Execution>, VenueError> {
        let all = self.keeper.all(&self.name).await.map_err(self.unanswered("a look at executions"))?;
        let mut executions: Vec<Execution> = all.iter().filter_map(PaperOrder::execution).collect();
        executions.retain(|execution| match of {
            Of::Order(id) => execution.broker_order_id.as_deref() == Some(id),
            Of::Since(since) => execution.executed_at >= since,
        });
        executions.sort_by_key(|execution| execution.executed_at);
        Ok(executions)
    }

    async fn orders(&self, since: Timestamp) -> Result<Vec<Report>, VenueError> {
        let all = self.keeper.all(&self.name).await.map_err(self.unanswered("a look at the orders"))?;
        Ok(all.iter().filter(|order| order.taken_at >= since).map(PaperOrder::report).collect())
    }

    async fn account(&self) -> Result<Account, VenueError> {
        const WHAT: &str = "a look at the account";
        let asked_at = self.clock.now();
        let too_much = || self.unanswered(WHAT)("more than can be counted".into());
        let mut cash = Usd(Amount::from_atoms(BEGINNING * Amount::ONE.atoms()).unwrap_or_default());
        let mut holdings = BTreeMap::<String, Holding>::new();
        for execution in self.executions(Of::Since(Timestamp::MIN)).await? {
            cash = cash.plus(execution.cash).ok_or_else(too_much)?;
            let held = holdings.entry(execution.symbol).or_default();
            held.quantity = held.quantity.plus(execution.quantity).ok_or_else(too_much)?;
            held.available = held.quantity;
        }
        holdings.retain(|_, held| held.quantity != Shares::ZERO);
        let id = format!("paper:{}", self.name);
        let funds = Funds::of(cash);
        Ok(Account { id, cash, funds, holdings, blocked: None, closing_only: false, asked_at })
    }

    async fn market(&self) -> Result<Market, VenueError> {
        let now = self.clock.now();
        let day = day_of(now);
        let is_open = day.is_some_and(|day| day.session_at(now) == Session::Regular);
        Ok(Market { now, day, is_open: Some(is_open) })
    }

    async fn quote(&self, symbol: &str) -> Result<Option<Quote>, VenueError> {
        let found = self.prices.of(symbol).await.map_err(self.unanswered("a look at a quote"))?;
        Ok(found.map(|(price, at)| Quote { bid: price, ask: price, at }))
    }

    async fn listing(&self, _symbol: &str) -> Result<Option<Listing>, VenueError> {
        Ok(Some(Listing { tradable: true, fractionable: true, shortable: false }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::tests::settings;

    #[derive(Debug)]
    struct Fixed(Mutex<Option<Price>>);

    #[async_trait]
    impl Prices for Fixed {
        async fn of(&self, _symbol: &str) -> Result<Option<(Price, Timestamp)>, Cause> {
            Ok(self.0.lock().unwrap().map(|price| (price, Timestamp::UNIX_EPOCH)))
        }
    }

    fn price(text: &str) -> Price {
        Price::of(text.parse().unwrap()).unwrap()
    }

    fn shares(text: &str) -> Shares {
        Shares(text.parse().unwrap())
    }

    /// A desk on paper at an instant, with everything at ten dollars.
    fn desk(now: &str) -> (Paper, Arc<Fixed>, Clock) {
        let clock = Clock::told(now.parse().unwrap());
        let prices = Arc::new(Fixed(Mutex::new(Some(price("10")))));
        let paper = Paper::new(&settings(""), Arc::new(Memory::default()), prices.clone(), clock.clone());
        (paper, prices, clock)
    }

    fn ticket(id: &str, side: Side, quantity: &str, terms: Terms) -> Ticket {
        let (client_id, symbol, quantity) = (id.to_owned(), "AAPL".to_owned(), shares(quantity));
        Ticket { client_id, symbol, side, quantity, terms }
    }

    const OPEN: &str = "2026-11-20T15:30:00Z";
    const EARLY: &str = "2026-11-20T13:00:00Z";

    #[tokio::test]
    async fn in_the_regular_session_an_order_fills_at_once_and_once() {
        let (paper, ..) = desk(OPEN);
        let buy = ticket("1", Side::Buy, "2.5", Terms::Market);
        let report = paper.submit(&buy).await.unwrap();
        assert_eq!((report.status, report.filled), (Status::Filled, Some(shares("2.5"))));
        assert_eq!(paper.submit(&buy).await.unwrap(), report);
        let other = paper.submit(&ticket("1", Side::Sell, "9", Terms::Market)).await.unwrap();
        assert_eq!((other.side, other.quantity), (Side::Buy, Some(shares("2.5"))), "who sends compares");
        paper.submit(&ticket("2", Side::Sell, "1", Terms::Market)).await.unwrap();
        let executions = paper.executions(Of::Since(Timestamp::MIN)).await.unwrap();
        let booked: Vec<String> =
            executions.iter().map(|it| format!("{} {} {}", it.id, it.quantity, it.cash)).collect();
        assert_eq!(booked, ["on-paper-1-1 2.5 -25", "on-paper-2-1 -1 10"]);
        let account = paper.account().await.unwrap();
        assert_eq!(
            (account.cash.to_string(), account.holdings["AAPL"].quantity),
            ("999985".to_owned(), shares("1.5"))
        );
        assert_eq!(paper.executions(Of::Order("on-paper-2")).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn outside_it_a_limit_rests_until_its_price_is_reached_or_its_day_ends() {
        for (then, status) in
            [(Some("9"), Status::Filled), (Some("11"), Status::Working), (None, Status::Working)]
        {
            let (paper, prices, clock) = desk(EARLY);
            let rests = ticket("1", Side::Buy, "1", Terms::ExtendedLimit(price("9.5")));
            let taken = paper.submit(&rests).await.unwrap();
            assert_eq!(taken.status, Status::Working);
            *prices.0.lock().unwrap() = then.map(price);
            assert_eq!(paper.ask(&taken.broker_id).await.unwrap().unwrap().status, status);
            clock.sleep(Duration::from_hours(12)).await;
            let ended = paper.ask(&taken.broker_id).await.unwrap().unwrap().status;
            assert_eq!(ended, if status == Status::Filled { Status::Filled } else { Status::Expired });
        }
    }

    #[tokio::test]
    async fn a_cancel_ends_what_rests_and_nothing_else() {
        let (paper, ..) = desk(EARLY);
        let rests = ticket("1", Side::Sell, "1", Terms::ExtendedLimit(price("11")));
        let rests = paper.submit(&rests).await.unwrap();
        paper.cancel(&rests.broker_id).await.unwrap();
        assert_eq!(paper.ask(&rests.broker_id).await.unwrap().unwrap().status, Status::Canceled);
        let filled = ticket("2", Side::Sell, "1", Terms::ExtendedLimit(price("9")));
        let filled = paper.submit(&filled).await.unwrap();
        paper.cancel(&filled.broker_id).await.unwrap();
        assert_eq!(paper.ask(&filled.broker_id).await.unwrap().unwrap().status, Status::Filled);
        paper.cancel("on-paper-none").await.unwrap();
        assert_eq!(paper.ask("6f0c2c0e").await.unwrap(), None, "an id of another broker is none of ours");
    }

    #[tokio::test]
    async fn what_the_session_does_not_take_and_what_has_no_price_is_refused() {
        let refused = |error: VenueError| {
            let VenueError::Refused { why, .. } = error else { panic!("{error}") };
            why
        };
        let market = ticket("1", Side::Buy, "1", Terms::Market);
        for closed in [EARLY, "2026-11-21T15:30:00Z", "2026-11-20T21:00:00Z"] {
            let (paper, ..) = desk(closed);
            assert_eq!(refused(paper.submit(&market).await.unwrap_err()), Refusal::Session, "{closed}");
        }
        let (paper, prices, _) = desk(OPEN);
        *prices.0.lock().unwrap() = None;
        assert_eq!(refused(paper.submit(&market).await.unwrap_err()), Refusal::NotTradable);
        assert_eq!(paper.quote("AAPL").await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_market_is_open_on_weekdays_of_new_york() {
        for (now, open) in [
            ("2026-11-20T14:29:59Z", Some(false)),
            ("2026-11-20T14:30:00Z", Some(true)),
            ("2026-11-20T21:00:00Z", Some(false)),
            // Summer time: an hour earlier.
            ("2026-07-20T13:30:00Z", Some(true)),
            // Saturday in UTC, Friday evening in New York.
            ("2026-11-21T00:30:00Z", Some(false)),
            ("2026-11-21T15:30:00Z", None),
        ] {
            let market = desk(now).0.market().await.unwrap();
            assert_eq!(market.day.and(market.is_open), open, "{now}");
        }
    }
}
