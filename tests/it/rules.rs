//! The rules of the domain as tests, a row a test or a line of one: thresholds, sides, sizes,
//! prices and sessions of hedges. `faults.md` and the limits follow, in terms of the policy.

use std::collections::BTreeMap;

use hedge::{
    assets::Threshold,
    book::{
        fill::Side,
        market::{Account, Capabilities, Funds, Holding, Listing},
        order::{OrderId, Refusal, State, Terms},
    },
    policy::{
        Hold, Hours, Intent, Limits, Live, Mark, PriceSource, Reason, Refused, Spent, View,
        flatten::flatten,
        limit::{limit_price, ramp},
        sizing::{SLACK_BPS, affordable, cost, covered},
    },
    time::TradingDay,
    units::{Price, Shares, Usd},
};
use insta::assert_snapshot;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date, time},
    tz::TimeZone,
};
use proptest::prelude::*;

fn shares(text: &str) -> Shares {
    Shares(text.parse().unwrap())
}

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn price(text: &str) -> Price {
    Price::of(text.parse().unwrap()).unwrap()
}

fn new_york(date: Date, clock: &str) -> Timestamp {
    TimeZone::get("America/New_York").unwrap().to_timestamp(date.to_datetime(clock.parse().unwrap())).unwrap()
}

fn trading_day(date: Date, close: i8) -> Hours {
    let times = [time(4, 0, 0, 0), time(9, 30, 0, 0), time(close, 0, 0, 0), time(close + 4, 0, 0, 0)];
    Hours::Day(TradingDay::in_new_york(date, times).unwrap())
}

/// A Friday before an ordinary weekend.
const FRIDAY: Date = date(2026, 11, 20);

/// What is known of a symbol: a Friday noon on which nothing is in the way.
struct Desk {
    exposure: Shares,
    threshold: Option<Threshold>,
    live_trading: bool,
    live: Option<Live>,
    halt: Option<&'static str>,
    now: Timestamp,
    hours: Hours,
    price: Option<Mark>,
    reference: Option<Mark>,
    extended: bool,
    capabilities: Capabilities,
    account: Option<Account>,
    listing: Option<Listing>,
    spent: Spent,
    refused: Option<Refused>,
    limits: Limits,
}

impl Desk {
    fn new(exposure: &str) -> Self {
        let now = new_york(FRIDAY, "12:00:00");
        Self {
            exposure: shares(exposure),
            threshold: Some(Threshold::Shares(1.into())),
            live_trading: true,
            live: None,
            halt: None,
            now,
            hours: trading_day(FRIDAY, 16),
            price: Some(Mark { price: price("150"), at: now, source: PriceSource::Quote }),
            reference: None,
            extended: false,
            capabilities: Capabilities { decimals: 9, extended: true },
            account: Some(Account {
                id: "1".to_owned(),
                cash: usd("10000000"),
                funds: Funds::of(usd("10000000")),
                holdings: BTreeMap::from([("AAPL".to_owned(), held("100000"))]),
                blocked: None,
                closing_only: false,
                asked_at: now,
            }),
            listing: Some(Listing { tradable: true, fractionable: true, shortable: true }),
            spent: Spent::default(),
            refused: None,
            limits: Limits {
                max_order_usd: usd("50000000"),
                max_day_usd: usd("500000000"),
                max_order_shares: None,
                max_day_shares: None,
                price_band_bps: 500,
                price_age: SignedDuration::from_mins(30),
                blind: SignedDuration::from_hours(1),
                slippage_bps: 100,
            },
        }
    }

    fn of(exposure: &str, change: impl FnOnce(&mut Self)) -> Self {
        let mut desk = Self::new(exposure);
        change(&mut desk);
        desk
    }

    /// With parts of a share hedged, from so many on.
    fn fraction(exposure: &str, from: &str) -> Self {
        Self::of(exposure, |desk| desk.threshold = Some(Threshold::Fraction(from.parse().unwrap())))
    }

    /// At another time of a day.
    fn when(mut self, date: Date, clock: &str, close: i8) -> Self {
        self.now = new_york(date, clock);
        self.hours = trading_day(date, close);
        self.account.as_mut().unwrap().asked_at = self.now;
        self.price.as_mut().unwrap().at = self.now;
        self
    }

    fn account(&mut self) -> &mut Account {
        self.account.as_mut().unwrap()
    }

    fn decide(&self) -> Result<Intent, Hold> {
        flatten(&View {
            now: self.now,
            symbol: "AAPL",
            exposure: self.exposure,
            threshold: self.threshold,
            live_trading: self.live_trading,
            live: self.live,
            halt: self.halt,
            price: self.price,
            reference: self.reference,
            hours: self.hours,
            extended: self.extended,
            capabilities: self.capabilities,
            account: self.account.as_ref(),
            listing: self.listing,
            spent: self.spent,
            refused: self.refused,
            limits: &self.limits,
        })
    }

    /// `BUY 2`, `SELL 1.5 at 33.67`, or the reason of the hold.
    fn says(&self) -> String {
        match self.decide() {
            Ok(Intent { side, quantity, terms: Terms::Market, .. }) => format!("{} {quantity}", side.word()),
            Ok(Intent { side, quantity, terms: Terms::ExtendedLimit(limit), .. }) => {
                format!("{} {quantity} at {limit}", side.word())
            }
            Err(hold) => hold.reason.word().to_owned(),
        }
    }

    /// The reason and the detail of the hold.
    fn hold(&self) -> String {
        let Hold { reason, detail } = self.decide().unwrap_err();
        format!("{}: {detail}", reason.word())
    }
}

fn held(quantity: &str) -> Holding {
    Holding { quantity: shares(quantity), available: shares(quantity) }
}

/// Which side of it was ours, and how many shares.
type Fill = (Side, &'static str);

/// The exposure that fills leave: a sale of ours is negative.
fn exposure(fills: &[Fill]) -> Shares {
    fills.iter().fold(Shares::ZERO, |net, (side, quantity)| {
        let quantity = shares(quantity);
        net.plus(if *side == Side::Buy { quantity } else { quantity.negated() }).unwrap()
    })
}

/// What an execution of `intent` leaves of an exposure.
fn after(exposure: Shares, side: Side, filled: Shares) -> Shares {
    exposure.plus(if side == Side::Buy { filled } else { filled.negated() }).unwrap()
}

#[test]
fn r16_a_sale_on_chain_is_bought_back_and_a_purchase_is_sold() {
    assert_eq!(exposure(&[(Side::Sell, "5")]), shares("-5"));
    assert_eq!(Desk::new("-5").says(), "BUY 5");
    assert_eq!(exposure(&[(Side::Buy, "5")]), shares("5"));
    assert_eq!(Desk::new("5").says(), "SELL 5");
}

#[test]
fn r17_whole_shares_are_hedged_from_one_on_and_the_rest_keeps_its_sign() {
    use Side::{Buy, Sell};
    let gme: Vec<_> =
        [(Sell, "0.392127850777440263")].into_iter().chain(std::iter::repeat_n((Sell, "0.2"), 11)).collect();
    let nvda = [
        (Sell, "0.374110112659224827"),
        (Sell, "0.2"),
        (Sell, "0.2"),
        (Sell, "0.2"),
        (Sell, "0.23758823299632286"),
    ];
    let rows: [(&[Fill], &str, &str, &str); 7] = [
        (&[(Sell, "0.3"), (Sell, "0.5"), (Sell, "0.4")], "-1.2", "BUY 1", "-0.2"),
        (&gme, "-2.592127850777440263", "BUY 2", "-0.592127850777440263"),
        (&nvda, "-1.211698345655547687", "BUY 1", "-0.211698345655547687"),
        (&[(Buy, "1.5"), (Sell, "0.8")], "0.7", "below threshold", "0.7"),
        (&[(Buy, "1.0")], "1", "SELL 1", "0"),
        (&[(Buy, "0.999999999999999999")], "0.999999999999999999", "below threshold", "0.999999999999999999"),
        (&[(Sell, "2.0"), (Buy, "2.0")], "0", "flat", "0"),
    ];
    for (fills, net, hedge, left) in rows {
        let desk = Desk::new(net);
        assert_eq!(exposure(fills), desk.exposure, "{net}");
        assert_eq!(desk.says(), hedge, "{net}");
        let now = desk.decide().map_or(desk.exposure, |it| after(desk.exposure, it.side, it.quantity));
        assert_eq!(now, shares(left), "{net}");
    }
}

#[test]
fn r18_fractions_are_hedged_whole_and_a_cap_cuts_them() {
    assert_eq!(Desk::fraction("1.212", "1").says(), "SELL 1.212");
    assert_eq!(Desk::fraction("-2.567", "1").says(), "BUY 2.567");
    let mut desk = Desk::fraction("-100", "1");
    desk.limits.max_order_shares = Some(shares("50"));
    assert_eq!(desk.says(), "BUY 50");
}

#[test]
fn r19_a_dollar_threshold_is_inclusive_and_waits_for_a_price() {
    let desk =
        |exposure, from: i64| Desk::of(exposure, |desk| desk.threshold = Some(Threshold::Usd(from.into())));
    assert_eq!(desk("-0.02", 2).says(), "BUY 0.02");
    assert_eq!(desk("-0.013", 2).says(), "below threshold");
    assert_eq!(desk("-0.02", 3).says(), "BUY 0.02", "exactly three dollars");
    assert_eq!(desk("-0.019999999999999999", 3).says(), "below threshold");
    let mut without = desk("-5", 2);
    without.price = None;
    assert_eq!(without.says(), "no price");
}

#[test]
fn r20_one_order_at_a_time_while_fills_go_on_to_accumulate() {
    let live = Live { id: OrderId(7), state: State::Working, since: new_york(FRIDAY, "11:59:00") };
    let mut desk = Desk::new("-3");
    for (state, said) in [
        (State::Planned, "in flight"),
        (State::Sent, "in flight"),
        (State::Working, "in flight"),
        (State::Ambiguous, "ambiguous"),
    ] {
        desk.live = Some(Live { state, ..live });
        assert_eq!(desk.says(), said);
    }
    desk.exposure = shares("-8");
    assert_eq!(desk.says(), "ambiguous");
    desk.live = None;
    assert_eq!(desk.says(), "BUY 8", "what came meanwhile goes with the next order");
}

#[test]
fn r21_only_what_was_filled_is_hedged() {
    let desk = Desk::new("-5");
    let asked = desk.decide().unwrap();
    assert_eq!((asked.side, asked.quantity), (Side::Buy, shares("5")));
    let left = |filled: &str| after(desk.exposure, asked.side, shares(filled)).to_string();
    assert_eq!(Desk::new(&left("3")).says(), "BUY 2", "cancelled after three");
    assert_eq!(Desk::new(&left("0")).says(), "BUY 5", "failed with nothing");
}

#[test]
fn r22_what_was_filled_beyond_the_order_is_exposure_of_the_other_sign() {
    let left = after(shares("-1"), Side::Buy, shares("1.2"));
    assert_eq!(left, shares("0.2"));
    assert_eq!(Desk::fraction("0.2", "0.1").says(), "SELL 0.2");
}

#[test]
fn r27_quantities_are_cut_to_nine_decimals_and_dust_is_carried() {
    assert_eq!(Desk::fraction("1.2345678919", "1").says(), "SELL 1.234567891");
    assert_eq!(Desk::fraction("0.0000000001", "0.0000000001").says(), "below lot");
    let whole = Desk::of("-1.9", |desk| desk.capabilities.decimals = 0);
    assert_eq!(whole.says(), "BUY 1");
}

#[test]
fn r28_a_cost_is_in_cents_rounded_up() {
    assert_eq!(cost(shares("2"), price("100"), 100), Some(usd("202")));
    assert_eq!(cost(shares("1"), price("100.005"), 100), Some(usd("101.01")));
    // And what there is of cash is spent to the last share that it pays for.
    assert_eq!(affordable(usd("202"), price("100"), SLACK_BPS), Some(shares("2")));
    assert_eq!(affordable(usd("201.99"), price("100"), SLACK_BPS).unwrap().cut(0), shares("1"));
    let with = |cash| Desk::of("-2", |desk| desk.account().cash = usd(cash)).says();
    assert_eq!(with("303"), "BUY 2");
    assert_eq!(with("302.99"), "BUY 1");
    assert_eq!(with("151.49"), "funds");
    assert_eq!(with("-5"), "funds");
}

#[test]
fn r29_what_is_held_is_sold_and_the_rest_waits() {
    let rows = [("3", Some("3")), ("0.01", Some("0.01")), ("0.009", None)];
    for (held_shares, sold) in rows {
        assert_eq!(covered(shares("5"), shares(held_shares)), sold.map(shares));
        let mut desk = Desk::fraction("5", "1");
        desk.account().holdings = BTreeMap::from([("AAPL".to_owned(), held(held_shares))]);
        let said = sold.map_or_else(|| "no shares".to_owned(), |sold| format!("SELL {sold}"));
        assert_eq!(desk.says(), said);
    }
    let mut desk = Desk::new("5");
    desk.account().holdings = BTreeMap::from([("AAPL".to_owned(), held("0.9"))]);
    assert_eq!(desk.says(), "no shares", "less than a whole one");
    desk.account().holdings =
        BTreeMap::from([("AAPL".to_owned(), Holding { quantity: shares("5"), available: shares("2") })]);
    assert_eq!(desk.says(), "SELL 2", "an open order holds three");
    desk.account().holdings = BTreeMap::new();
    assert_eq!(desk.says(), "no shares", "nothing is sold short");
}

#[test]
fn r30_a_limit_is_on_the_tick_of_the_adjusted_price() {
    let limit = |reference, side, bps| limit_price(price(reference), side, bps).map(|it| it.to_string());
    assert_eq!(limit("33.333", Side::Buy, 100).unwrap(), "33.67");
    assert_eq!(limit("33.333", Side::Sell, 100).unwrap(), "32.99");
    assert_eq!(limit("0.995", Side::Buy, 100).unwrap(), "1.01");
    assert_eq!(limit("1.005", Side::Sell, 100).unwrap(), "0.9949");
    assert_eq!(limit("0.50", Side::Sell, 9_999), None);
}

#[test]
fn r31_the_step_grows_before_a_long_closure() {
    let before = |seconds| ramp(100, Some(SignedDuration::from_secs(seconds)));
    assert_eq!(before(450), 250);
    assert_eq!(before(0), 400);
    assert_eq!(before(900), 100);
    assert_eq!(before(901), 100, "outside the window");
    assert_eq!(ramp(100, None), 100, "an ordinary night");

    let at = |date: Date, clock: &str, close| {
        let mut desk = Desk::new("-2").when(date, clock, close);
        desk.extended = true;
        desk.price.as_mut().unwrap().price = price("100");
        desk.says()
    };
    assert_eq!(at(FRIDAY, "19:52:30", 16), "BUY 2 at 102.5", "a weekend follows");
    assert_eq!(at(date(2026, 11, 19), "19:52:30", 16), "BUY 2 at 101", "a night follows");
    assert_eq!(at(date(2026, 11, 25), "19:52:30", 16), "BUY 2 at 102.5", "Thanksgiving follows");
    assert_eq!(at(date(2026, 11, 27), "16:52:30", 13), "BUY 2 at 102.5", "a half day before a weekend");
    assert_eq!(at(FRIDAY, "09:22:30", 16), "BUY 2 at 101", "before the open");
}

#[test]
fn r32_the_market_in_the_regular_session_a_limit_in_the_extended_one_where_allowed() {
    for (clock, plain, extended) in [
        ("03:59:59", "market closed", "market closed"),
        ("04:00:00", "market closed", "BUY 2 at 151.5"),
        ("09:29:44", "market closed", "BUY 2 at 151.5"),
        ("09:30:00", "BUY 2", "BUY 2"),
        ("15:59:44", "BUY 2", "BUY 2"),
        ("16:00:00", "market closed", "BUY 2 at 151.5"),
        ("20:00:00", "market closed", "market closed"),
    ] {
        let mut desk = Desk::new("-2").when(date(2026, 11, 19), clock, 16);
        assert_eq!(desk.says(), plain, "{clock}");
        desk.extended = true;
        assert_eq!(desk.says(), extended, "{clock}");
        desk.capabilities.extended = false;
        assert_eq!(desk.says(), plain, "{clock}, where the venue takes no such orders");
    }
    // A half day closes when the calendar says; a sale goes below.
    assert_eq!(Desk::new("-2").when(date(2026, 11, 27), "12:59:44", 13).says(), "BUY 2");
    assert_eq!(Desk::new("-2").when(date(2026, 11, 27), "13:00:00", 13).says(), "market closed");
    let mut desk = Desk::new("2").when(date(2026, 11, 27), "13:00:00", 13);
    desk.extended = true;
    assert_eq!(desk.says(), "SELL 2 at 148.5");
}

#[test]
fn f31_a_refused_symbol_rests_longer_each_time_and_funds_end_it() {
    let mut desk = Desk::new("-2");
    let at = desk.now - SignedDuration::from_secs(100);
    let cash = Some(usd("10000000"));
    desk.refused = Some(Refused { times: 1, at, why: Refusal::Funds, cash });
    assert_eq!(desk.says(), "BUY 2", "sixty seconds are over");
    desk.refused = Some(Refused { times: 2, at, why: Refusal::Funds, cash });
    assert_eq!(desk.says(), "refused");
    desk.account().cash = usd("10000000.01");
    assert_eq!(desk.says(), "BUY 2", "there is more cash than there was");
    desk.refused = Some(Refused { times: 2, at, why: Refusal::Account, cash });
    assert_eq!(desk.says(), "refused", "which is no answer to another refusal");
    desk.refused = Some(Refused { times: 3, at, why: Refusal::WashTrade, cash });
    assert_eq!(desk.says(), "BUY 2", "another order is soon gone (F36, F37)");
    desk.refused = Some(Refused { times: 1, at, why: Refusal::Other, cash });
    assert_eq!(desk.says(), "refused");
}

#[test]
fn f35_what_is_not_fractionable_is_traded_whole_and_what_is_not_tradable_not_at_all() {
    let mut desk = Desk::fraction("-2.5", "0.1");
    desk.listing = Some(Listing { tradable: true, fractionable: false, shortable: true });
    assert_eq!(desk.says(), "BUY 2");
    desk.listing = None;
    assert_eq!(desk.says(), "BUY 2.5", "a listing that nobody told forbids nothing");
    let at = desk.now - SignedDuration::from_mins(1);
    desk.refused = Some(Refused { times: 1, at, why: Refusal::NotFractionable, cash: None });
    assert_eq!(desk.says(), "BUY 2", "until the broker does");
    desk.listing = Some(Listing { tradable: false, fractionable: true, shortable: true });
    assert_eq!(desk.says(), "not tradable");
}

#[test]
fn f43_nothing_leaves_in_the_last_moments_of_a_session() {
    for (clock, said) in
        [("12:59:44.999", "BUY 2"), ("12:59:45", "market closed"), ("12:59:59.9", "market closed")]
    {
        assert_eq!(Desk::new("-2").when(date(2026, 11, 27), clock, 13).says(), said, "{clock}");
    }
    let mut desk = Desk::new("-2").when(FRIDAY, "19:59:50", 16);
    desk.extended = true;
    assert_eq!(desk.says(), "market closed");
    desk.hours = Hours::ClosedDay;
    assert_eq!(desk.says(), "market closed");
}

#[test]
fn f44_hours_that_nobody_knows_let_nothing_leave() {
    assert_eq!(Desk::of("-2", |desk| desk.hours = Hours::Unknown).says(), "hours unknown");
    let yesterday = Desk::of("-2", |desk| desk.hours = trading_day(date(2026, 11, 19), 16));
    assert_eq!(yesterday.says(), "hours unknown", "the calendar has not heard of today");
}

#[test]
fn f46_both_changes_of_the_clock_keep_the_sessions_where_they_are() {
    for (date, clock, said) in [
        (date(2026, 3, 9), "09:29:59", "market closed"),
        (date(2026, 3, 9), "09:30:00", "BUY 2"),
        (date(2026, 11, 2), "09:29:59", "market closed"),
        (date(2026, 11, 2), "15:59:00", "BUY 2"),
    ] {
        assert_eq!(Desk::new("-2").when(date, clock, 16).says(), said, "{date} {clock}");
    }
    assert_eq!(new_york(date(2026, 3, 9), "09:30:00").to_string(), "2026-03-09T13:30:00Z");
    assert_eq!(new_york(date(2026, 11, 2), "09:30:00").to_string(), "2026-11-02T14:30:00Z");
}

#[test]
fn f48_hedging_goes_on_from_our_own_books_within_a_limit() {
    let mut desk = Desk::new("-2");
    desk.account().asked_at = desk.now - SignedDuration::from_mins(60);
    assert_eq!(desk.says(), "BUY 2");
    desk.account().asked_at = desk.now - SignedDuration::from_secs(3_601);
    assert_eq!(desk.says(), "account unknown");
    desk.account = None;
    assert_eq!(desk.says(), "account unknown");
}

#[test]
fn f49_a_dead_quote_feed_does_not_stop_hedging_while_a_fill_gives_a_price() {
    let mut desk = Desk::new("-2");
    let mark = |minutes, source| {
        let at = desk.now - SignedDuration::from_mins(minutes);
        Some(Mark { price: price("150"), at, source })
    };
    let [young, old, future] = [29, 31, -31].map(|minutes| mark(minutes, PriceSource::Fill));
    desk.price = young;
    assert_eq!(desk.says(), "BUY 2");
    desk.price = old;
    assert_eq!(desk.says(), "no price", "nothing is sized by a price beyond its age (I7)");
    desk.price = future;
    assert_eq!(desk.says(), "no price", "nor by one of a day to come");
    desk.price = Some(Mark { price: price("0"), at: desk.now, source: PriceSource::Quote });
    assert_eq!(desk.says(), "no price", "a price of nothing is none");
    desk.price = None;
    assert_eq!(desk.says(), "no price");
}

#[test]
fn f52_what_the_cash_does_not_pay_for_waits() {
    let with = |cash| {
        let mut desk = Desk::fraction("-2", "1");
        desk.account().cash = usd(cash);
        desk.says()
    };
    assert_eq!(with("151.5"), "BUY 1");
    assert_eq!(with("1"), "below lot", "parts of a share are bought from a dollar on");
    assert_eq!(with("0"), "funds");
}

#[test]
fn f53_a_blocked_account_trades_nothing_and_a_closing_one_only_closes() {
    let blocked = Desk::of("-2", |desk| desk.account().blocked = Some("trading_blocked".to_owned()));
    assert_eq!(blocked.says(), "account blocked");
    let closing = |exposure: &str, holds: &str| {
        let mut desk = Desk::new(exposure);
        desk.account().closing_only = true;
        desk.account().holdings = BTreeMap::from([("AAPL".to_owned(), held(holds))]);
        desk.says()
    };
    assert_eq!(closing("-2", "5"), "account blocked");
    assert_eq!(closing("-2", "-1"), "BUY 1", "it may close what is short");
    assert_eq!(closing("2", "5"), "SELL 2");
}

#[test]
fn f59_what_is_below_a_share_or_a_dollar_accumulates() {
    assert_eq!(
        Desk::of("0.7", |desk| desk.threshold = Some(Threshold::Shares("0.5".parse().unwrap()))).says(),
        "below lot"
    );
    assert_eq!(Desk::fraction("-0.006", "0.001").says(), "below lot", "ninety cents");
    assert_eq!(Desk::fraction("-0.007", "0.001").says(), "BUY 0.007");
    assert_eq!(Desk::fraction("0.006", "0.001").says(), "SELL 0.006", "what is held may be sold to the last");
}

#[test]
fn f60_what_nets_out_needs_no_order() {
    assert_eq!(exposure(&[(Side::Sell, "12"), (Side::Buy, "12")]), Shares::ZERO);
    assert_eq!(Desk::new("0").says(), "flat");
}

#[test]
fn f61_an_absurd_exposure_is_stopped_by_every_limit() {
    let limited = |change: fn(&mut Desk)| {
        let mut desk =
            Desk::of("-99999999999999999999", |desk| desk.account().cash = usd("99999999999999999999"));
        change(&mut desk);
        desk.says()
    };
    assert_eq!(limited(|desk| desk.limits.max_order_usd = usd("50000")), "BUY 333");
    assert_eq!(limited(|desk| desk.limits.max_order_shares = Some(shares("10"))), "BUY 10");
    assert_eq!(limited(|desk| desk.limits.max_day_usd = usd("1000")), "BUY 6");
    assert_eq!(limited(|desk| desk.limits.max_day_shares = Some(shares("4"))), "BUY 4");
    assert_eq!(limited(|desk| desk.spent.usd = usd("499999700")), "BUY 2");
    assert_eq!(limited(|desk| desk.spent.usd = usd("499999900")), "day limit");
    assert_eq!(limited(|desk| desk.spent.usd = usd("600000000")), "day limit");
    let spent = |desk: &mut Desk| {
        desk.limits.max_day_shares = Some(shares("4"));
        desk.spent.shares = shares("4");
    };
    assert_eq!(limited(spent), "day limit");
}

#[test]
fn a_price_far_from_a_young_reference_is_not_traded_on() {
    let mut desk = Desk::new("-2");
    let reference = |dollars, minutes| {
        let at = desk.now - SignedDuration::from_mins(minutes);
        Some(Mark { price: price(dollars), at, source: PriceSource::Fill })
    };
    let rows = [
        (reference("142.857142857142857143", 1), "BUY 2"),
        (reference("142.857142857142857142", 1), "price band"),
        (reference("157.894736842105263157", 1), "BUY 2"),
        (reference("157.894736842105263159", 1), "price band"),
        (reference("300", 60), "price band"),
        (reference("300", 61), "BUY 2"),
    ];
    for (reference, said) in rows {
        desk.reference = reference;
        assert_eq!(desk.says(), said, "{reference:?}");
    }
}

#[test]
fn a_limit_order_is_valued_at_its_limit() {
    let mut desk = Desk::new("-20").when(date(2026, 11, 19), "17:00:00", 16);
    desk.extended = true;
    desk.limits.max_order_usd = usd("1514.99");
    assert_eq!(desk.says(), "BUY 9 at 151.5");
    desk.account().cash = usd("302.99");
    assert_eq!(desk.says(), "BUY 1 at 151.5");
}

#[test]
fn the_first_reason_that_applies_is_the_one_that_is_given() {
    // Everything is against it; one after the other is mended.
    let mut desk = Desk::new("0");
    desk.threshold = None;
    desk.live_trading = false;
    desk.live = Some(Live { id: OrderId(7), state: State::Sent, since: desk.now });
    desk.halt = Some("an earnings call");
    desk.hours = Hours::Unknown;
    desk.price = None;
    desk.reference = Some(Mark { price: price("200"), at: desk.now, source: PriceSource::Fill });
    desk.listing = Some(Listing { tradable: false, fractionable: true, shortable: true });
    desk.refused = Some(Refused { times: 3, at: desk.now, why: Refusal::Funds, cash: None });
    desk.spent.usd = usd("500000000");
    let account = desk.account.replace(Account {
        cash: usd("12.34"),
        blocked: Some("trade_suspended_by_user".to_owned()),
        asked_at: desk.now - SignedDuration::from_hours(2),
        ..desk.account.clone().unwrap()
    });
    let mends: [fn(&mut Desk); 17] = [
        |_| {},
        |desk| desk.exposure = shares("-0.5"),
        |desk| desk.threshold = Some(Threshold::Shares(1.into())),
        |desk| desk.threshold = Some(Threshold::Shares("0.5".parse().unwrap())),
        |desk| desk.exposure = shares("-12"),
        |desk| desk.live.as_mut().unwrap().state = State::Ambiguous,
        |desk| desk.live = None,
        |desk| desk.halt = None,
        |desk| desk.listing = None,
        |desk| desk.account().asked_at = desk.now,
        |desk| desk.account().blocked = None,
        |desk| desk.refused = None,
        |desk| desk.hours = trading_day(FRIDAY, 16),
        |desk| desk.price = Some(Mark { price: price("187.2"), at: desk.now, source: PriceSource::Quote }),
        |desk| desk.reference = None,
        |desk| desk.spent.usd = Usd::ZERO,
        |desk| desk.account().cash = usd("10000"),
    ];
    let mut said = Vec::new();
    for mend in mends {
        mend(&mut desk);
        said.push(desk.hold());
    }
    desk.account = account;
    desk.live_trading = true;
    assert_eq!(desk.says(), "BUY 12");
    assert_snapshot!(said.join("\n"), @r"
    flat: there is no exposure
    no threshold: -0.5 AAPL and no threshold: give its [[asset]] one
    below threshold: -0.5 AAPL is below its threshold of 1
    below lot: -0.5 AAPL is less than one whole share
    in flight: order #7, planned at 2026-11-20 17:00:00 UTC, is sent
    ambiguous: order #7, planned at 2026-11-20 17:00:00 UTC, is ambiguous: adopt or resolve it
    halted: an earnings call
    not tradable: the venue does not trade AAPL
    account unknown: the broker last told at 2026-11-20 15:00:00 UTC what the account holds, over 1h ago
    account blocked: trade_suspended_by_user
    refused: refused 3 times in a row, last for funds; again at 2026-11-20 17:04:00 UTC
    hours unknown: nobody can tell whether the market is open
    no price: AAPL has no price
    price band: 187.2, by quote of 2026-11-20 17:00:00 UTC, is more than 5.00 % from 200, by fill of 2026-11-20 17:00:00 UTC
    day limit: 500000000 of 500000000 USD are traded today
    funds: 12 AAPL may cost 2268.87 USD, and 12.34 are there
    not live: would BUY 12 AAPL
    ");
}

#[test]
fn holds_that_wait_say_until_when() {
    let mut said = Vec::new();
    for (date, clock, close, extended) in [
        (FRIDAY, "03:00:00", 16, false),
        (FRIDAY, "03:00:00", 16, true),
        (FRIDAY, "08:00:00", 16, false),
        (FRIDAY, "15:59:50", 16, false),
        (FRIDAY, "15:59:50", 16, true),
        (date(2026, 11, 27), "13:00:00", 13, false),
        (FRIDAY, "21:00:00", 16, true),
    ] {
        let mut desk = Desk::new("-2").when(date, clock, close);
        desk.extended = extended;
        said.push(desk.hold());
    }
    let mut desk = Desk::new("-2").when(date(2026, 11, 26), "12:00:00", 16);
    desk.hours = Hours::ClosedDay;
    said.push(desk.hold());
    let mut desk = Desk::new("-2");
    desk.price.as_mut().unwrap().at = desk.now - SignedDuration::from_hours(3);
    said.push(desk.hold());
    desk.threshold = Some(Threshold::Usd(1_000.into()));
    said.push(desk.hold());
    let mut desk = Desk::new("2");
    desk.account().holdings =
        BTreeMap::from([("AAPL".to_owned(), Holding { quantity: shares("5"), available: shares("0.5") })]);
    said.push(desk.hold());
    let mut desk = Desk::new("-2");
    desk.limits.max_order_usd = usd("100");
    said.push(desk.hold());
    let mut desk = Desk::new("-2").when(FRIDAY, "17:00:00", 16);
    desk.extended = true;
    desk.live_trading = false;
    said.push(desk.hold());
    assert_snapshot!(said.join("\n"), @r"
    market closed: the market is closed; it opens at 2026-11-20 14:30:00 UTC
    market closed: the market is closed; it opens at 2026-11-20 09:00:00 UTC
    market closed: only the extended session is on, and it is not hedged in; it opens at 2026-11-20 14:30:00 UTC
    market closed: the session ends at 2026-11-20 21:00:00 UTC; it opens on 2026-11-23 by the exchange's rules
    market closed: the session ends at 2026-11-20 21:00:00 UTC; it opens at 2026-11-20 21:00:00 UTC
    market closed: only the extended session is on, and it is not hedged in; it opens on 2026-11-30 by the exchange's rules
    market closed: the market is closed; it opens on 2026-11-23 by the exchange's rules
    market closed: no trading day; it opens on 2026-11-27 by the exchange's rules
    no price: 150, by quote of 2026-11-20 14:00:00 UTC, is more than 30m off
    below threshold: -2 AAPL at 150 is 300 USD, below its threshold of 1000
    no shares: to sell 2 AAPL: 5 held, 0.5 free
    below lot: an order of 2 AAPL at 150 and 100 USD at most is less than the venue trades
    not live: would BUY 2 AAPL at 151.5
    ");
}

#[test]
fn ten_thousand_tiny_fills_are_covered_but_for_a_residual_and_the_sum_is_exact() {
    for (seed, fraction) in [(1_u64, false), (2, true), (3, false), (4, true)] {
        // A generator of its own: the same fills every time.
        let mut state = seed;
        let mut draw = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i128::from(state >> 8)
        };
        let mut desk = if fraction { Desk::fraction("0", "0.1") } else { Desk::new("0") };
        let (mut sum, mut covered) = (Shares::ZERO, Shares::ZERO);
        for _ in 0..10_000 {
            // Up to 0.07 share either way, to the last atom, a little more sold than bought.
            let atoms = draw() % 70_368_744_177_664_001 * if draw() % 5 < 3 { -1 } else { 1 };
            let fill = Shares(hedge::units::Amount::from_atoms(atoms).unwrap());
            sum = sum.plus(fill).unwrap();
            desk.exposure = desk.exposure.plus(fill).unwrap();
            while let Ok(intent) = desk.decide() {
                covered = after(covered, intent.side, intent.quantity);
                desk.exposure = after(desk.exposure, intent.side, intent.quantity);
            }
        }
        assert_eq!(desk.exposure.minus(covered), Some(sum), "residual and covered are the sum");
        assert!(!covered.0.is_zero());
        let most = if fraction { "0.1" } else { "1" };
        assert!(desk.exposure.abs() < shares(most), "{}", desk.exposure);
    }
}

proptest! {
    #[test]
    fn an_intent_is_within_everything_that_it_is_taken_from(
        atoms in -10_i128.pow(23)..10_i128.pow(23),
        scale in 0_u32..18,
        threshold in 0_usize..3,
        decimals in prop::sample::select(vec![0_u32, 2, 9]),
        cents in 1_i128..100_000,
        cash in 0_i128..10_i128.pow(7),
        holds in 0_i128..10_i128.pow(22),
        order_usd in 1_i128..10_i128.pow(6),
        day_usd in 1_i128..10_i128.pow(6),
        spent_usd in 0_i128..10_i128.pow(5),
        order_shares in prop::option::of(1_i128..10_i128.pow(4)),
        day_shares in prop::option::of(1_i128..10_i128.pow(4)),
        extended: bool,
        hour in 4_i8..20,
    ) {
        let amount = |atoms| hedge::units::Amount::from_atoms(atoms).unwrap();
        let whole = 10_i128.pow(18);
        let mut desk = Desk::new("0").when(date(2026, 11, 19), &format!("{hour:02}:05:00"), 16);
        desk.exposure = Shares(amount(atoms / 10_i128.pow(scale)));
        desk.threshold = Some([Threshold::Shares(1.into()), Threshold::Fraction("0.001".parse().unwrap()), Threshold::Usd(2.into())][threshold]);
        desk.capabilities.decimals = decimals;
        desk.extended = extended;
        let each = Price::of(amount(cents * whole / 100)).unwrap();
        desk.price.as_mut().unwrap().price = each;
        desk.account().cash = Usd(amount(cash * whole / 1_000));
        let holding = Shares(amount(holds));
        desk.account().holdings.insert("AAPL".to_owned(), Holding { quantity: holding, available: holding });
        desk.limits.max_order_usd = Usd(amount(order_usd * whole));
        desk.limits.max_day_usd = Usd(amount(day_usd * whole));
        desk.spent.usd = Usd(amount(spent_usd * whole));
        desk.limits.max_order_shares = order_shares.map(|it| Shares(amount(it * whole)));
        desk.limits.max_day_shares = day_shares.map(|it| Shares(amount(it * whole)));

        let Ok(Intent { side, quantity, terms, .. }) = desk.decide() else { return Ok(()) };

        prop_assert!(quantity > Shares::ZERO);
        // Never more than the exposure, never across zero.
        let left = after(desk.exposure, side, quantity);
        prop_assert!(left.abs() < desk.exposure.abs());
        prop_assert!(left.0.is_zero() || left.0.is_negative() == desk.exposure.0.is_negative());
        // Never finer than the lot.
        let lot = if threshold == 0 { 0 } else { decimals };
        prop_assert_eq!(quantity.cut(lot), quantity);
        // Never above a limit, the cash or the holding.
        let worth = match terms {
            Terms::Market => quantity.at(each).unwrap(),
            Terms::ExtendedLimit(limit) => quantity.at(limit.max(each)).unwrap(),
        };
        prop_assert!(worth <= desk.limits.max_order_usd);
        prop_assert!(worth.plus(desk.spent.usd).unwrap() <= desk.limits.max_day_usd);
        prop_assert!(order_shares.is_none_or(|most| quantity.0 <= amount(most * whole)));
        prop_assert!(day_shares.is_none_or(|most| quantity.0 <= amount(most * whole)));
        match (side, terms) {
            (Side::Sell, _) => prop_assert!(quantity <= holding),
            (Side::Buy, Terms::Market) => {
                prop_assert!(cost(quantity, each, SLACK_BPS).unwrap() <= desk.account().cash);
            }
            (Side::Buy, Terms::ExtendedLimit(limit)) => {
                prop_assert!(cost(quantity, limit, 0).unwrap() <= desk.account().cash);
            }
        }
        // And a market order only in the regular session.
        prop_assert_eq!(terms == Terms::Market, (10..16).contains(&hour));
    }
}

#[test]
fn every_hold_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(words.len(), Reason::ALL.len());
}
