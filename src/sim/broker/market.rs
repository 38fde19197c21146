//! The market that a rehearsal account trades at: hours and prices.
//!
//! The New York Stock Exchange's: its days, holidays and half days by the exchange's own rules,
//! extended hours from 04:00 to 20:00; and a day of mourning is one because somebody said so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, time},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    time::{Session, TradingDay, new_york_date, nyse},
    units::{Amount, Price},
};

/// So far ahead is the next trading day looked for.
const DAYS_AHEAD: usize = 30;

/// When the market is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    holidays: BTreeSet<Date>,
    half_days: BTreeSet<Date>,
    always: Option<bool>,
}

impl Hours {
    /// Closed all of this day, whatever the exchange's rules.
    pub fn holiday(&mut self, date: Date) {
        self.holidays.insert(date);
    }

    /// Closed from 13:00 on this day, and from 17:00 on altogether.
    pub fn half_day(&mut self, date: Date) {
        self.half_days.insert(date);
    }

    /// Open, or closed, whatever the time and by the calendar too, but for the last minute
    /// before midnight; none: by the time again.
    pub fn always(&mut self, open: Option<bool>) {
        self.always = open;
    }

    /// What the calendar has for a date: where the market is always open, all of the day
    /// but its last minute; where it is always closed, nothing.
    pub fn day(&self, date: Date) -> Option<TradingDay> {
        match self.always {
            Some(true) => {
                let (midnight, end) = (time(0, 0, 0, 0), time(23, 59, 0, 0));
                TradingDay::in_new_york(date, [midnight, midnight, end, end])
            }
            Some(false) => None,
            None => self.usual(date),
        }
    }

    /// What the calendar has for a date where nobody intervenes.
    fn usual(&self, date: Date) -> Option<TradingDay> {
        let day = nyse::trading_day(date).filter(|_| !self.holidays.contains(&date))?;
        if !self.half_days.contains(&date) {
            return Some(day);
        }
        let times = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(13, 0, 0, 0), time(17, 0, 0, 0)];
        TradingDay::in_new_york(date, times)
    }

    /// Which session is on.
    pub fn session(&self, now: Timestamp) -> Session {
        match self.always {
            Some(true) => Session::Regular,
            Some(false) => Session::Closed,
            None => self.day(new_york_date(now)).map_or(Session::Closed, |day| day.session_at(now)),
        }
    }

    /// The trading days from this instant's date on; a market that is always closed does
    /// not say so beforehand.
    pub(super) fn days_from(&self, now: Timestamp) -> impl Iterator<Item = TradingDay> + '_ {
        let dates = new_york_date(now).series(1.day()).take(DAYS_AHEAD);
        let ahead = |date| if self.always == Some(false) { self.usual(date) } else { self.day(date) };
        dates.filter_map(ahead)
    }

    /// The first instant from `from` on at which a regular session, or one with extended
    /// hours, is on.
    pub(super) fn next_session(&self, from: Timestamp, extended: bool) -> Option<Timestamp> {
        match self.always {
            Some(true) => return Some(from),
            Some(false) => return None,
            None => {}
        }
        self.days_from(from).find_map(|day| {
            let (open, close) = if extended { (day.early, day.late) } else { (day.open, day.close) };
            (from < close).then(|| from.max(open))
        })
    }

    /// When an order that is good for the day ends, taken at `from`.
    pub(super) fn end_of_day(&self, from: Timestamp, extended: bool) -> Timestamp {
        let end = |day: TradingDay| if extended { day.late } else { day.close };
        self.days_from(from).map(end).find(|end| *end > from).unwrap_or(Timestamp::MAX)
    }
}

/// What can be done with a share, and at what price.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is set by itself")]
pub struct SimListing {
    /// Best bid; nothing: nobody bids.
    pub bid: Price,
    /// Best offer; nothing: nobody offers.
    pub ask: Price,
    /// It can be traded at all.
    pub tradable: bool,
    /// Parts of a share can be traded.
    pub fractionable: bool,
    /// It can be sold short.
    pub shortable: bool,
    /// Orders are taken and rest; the quote stands still.
    pub halted: bool,
    /// When bid and ask were set.
    pub quoted_at: Timestamp,
}

impl SimListing {
    /// One that can be traded in every way.
    pub fn at(bid: Price, ask: Price) -> Self {
        Self {
            bid,
            ask,
            tradable: true,
            fractionable: true,
            shortable: true,
            halted: false,
            quoted_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// The prices that an account begins with: tickers, each bid and offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices(pub(super) BTreeMap<String, SimListing>);

impl Prices {
    /// Cents that shares of well-known tickers are worth, about.
    const TABLE: [(&'static str, u64); 12] = [
        ("AAPL", 18_700),
        ("AMZN", 22_400),
        ("COIN", 26_100),
        ("GOOGL", 28_900),
        ("META", 60_300),
        ("MSFT", 48_700),
        ("MSTR", 19_300),
        ("NVDA", 18_100),
        ("PLTR", 16_700),
        ("SPY", 66_200),
        ("SPYM", 7_800),
        ("TSLA", 40_400),
    ];

    /// No ticker at all.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Well-known tickers, within a twentieth of their prices in late 2026, two cents
    /// between bid and ask; the seed says where.
    pub fn seeded(seed: u64) -> Self {
        let mut chance = StdRng::seed_from_u64(seed ^ 0x7072_6963_6573);
        let mut prices = Self::none();
        for (ticker, cents) in Self::TABLE {
            let bid = cents * 19 / 20 + chance.random_range(0..cents / 10);
            let price =
                |cents: u64| Price::of(Amount::from_atoms(i128::from(cents) * (Amount::ONE.atoms() / 100))?);
            if let (Some(bid), Some(ask)) = (price(bid), price(bid + 2)) {
                prices.0.insert(ticker.to_owned(), SimListing::at(bid, ask));
            }
        }
        prices
    }

    /// And this one, bid and offered at the same price.
    #[must_use]
    pub fn with(mut self, ticker: &str, price: Price) -> Self {
        self.0.insert(ticker.to_owned(), SimListing::at(price, price));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_week_has_five_days_less_the_holidays() {
        let hours = Hours::default();
        // Given the Friday before Thanksgiving's week, after the close
        let friday = at("2026-11-20T21:00:00Z");
        assert_eq!(hours.session(friday), Session::Extended);
        assert_eq!(hours.next_session(friday, false), Some(at("2026-11-23T14:30:00Z")));
        assert_eq!(hours.next_session(friday, true), Some(friday));
        // Then Thursday is skipped and Friday ends at 13:00
        assert_eq!(hours.next_session(at("2026-11-25T21:00:00Z"), false), Some(at("2026-11-27T14:30:00Z")));
        assert_eq!(hours.end_of_day(at("2026-11-26T15:00:00Z"), false), at("2026-11-27T18:00:00Z"));
        assert_eq!(hours.session(at("2026-11-27T18:00:00Z")), Session::Extended);
        assert_eq!(hours.session(at("2026-11-27T22:00:00Z")), Session::Closed);
    }

    #[test]
    fn a_day_of_mourning_is_one_because_somebody_says_so() {
        let mut hours = Hours::default();
        let (monday, tuesday) = ("2026-11-23".parse().unwrap(), "2026-11-24".parse().unwrap());
        hours.holiday(monday);
        hours.half_day(tuesday);
        assert_eq!(hours.day(monday), None);
        assert!(hours.day(tuesday).unwrap().closes_early());
        assert_eq!(hours.next_session(at("2026-11-20T22:00:00Z"), false), Some(at("2026-11-24T14:30:00Z")));
    }

    #[test]
    fn the_open_moves_with_new_yorks_clocks() {
        let hours = Hours::default();
        let open = |date: &str| hours.day(date.parse().unwrap()).unwrap().open;
        assert_eq!(open("2026-10-30"), at("2026-10-30T13:30:00Z"));
        assert_eq!(open("2026-11-02"), at("2026-11-02T14:30:00Z"));
    }

    #[test]
    fn a_seed_gives_the_same_prices_again() {
        assert_eq!(Prices::seeded(7), Prices::seeded(7));
        assert_ne!(Prices::seeded(7), Prices::seeded(8));
    }
}
