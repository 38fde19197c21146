//! Hours, quotes, clocks, positions and the account: what the venue says, or does not.

use std::sync::Arc;

use hedge::{
    assets::Threshold,
    book::{
        fill::Side,
        order::{OrderId, Refusal},
    },
    engine::{
        Loop,
        hedging::{acts, hedger::Hedger, tracker::Tracker, watcher::Watcher},
    },
    policy::Limits,
    sim::{Ask, Strike},
    time::Clock,
};
use jiff::{SignedDuration, Timestamp};

use super::{mins, secs};
use crate::pit::{Pit, Setup, limits, other, price, shares, usd};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn opened_at(now: &'static str) -> Setup {
    Setup { now, ..Setup::default() }
}

/// Loops that remember, as those of a process do.
struct Loops(Watcher, Tracker, Hedger);

impl Loops {
    fn of(pit: &Pit) -> Self {
        let trading = || Arc::clone(&pit.trading);
        Self(Watcher::new(trading()), Tracker::new(trading()), Hedger::new(trading()))
    }

    /// So much time passes, and each loop turns every so often.
    async fn pass(&mut self, pit: &Pit, seconds: u64, step: u64) {
        for _ in 0..seconds / step {
            pit.clock.sleep(secs(step)).await;
            pit.keeper.turn().await.unwrap();
            self.0.converge().await.unwrap();
            self.1.converge().await.unwrap();
            pit.trading.lanes.finish().await;
            self.2.converge().await.unwrap();
            pit.trading.lanes.finish().await;
        }
    }
}

#[tokio::test]
async fn f19_symbols_share_the_budget_and_polls_keep_a_part_of_it() {
    let setup = Setup { others: 80, rate: 60, ..Setup::default() };
    let pit = Pit::with(setup).await;
    let mut loops = Loops::of(&pit);
    // Given an order that works, once all was asked around
    pit.account.strike(Strike::Hold.once());
    pit.sold("AAPL", "5").await;
    loops.pass(&pit, 240, 10).await;
    let asked = |pit: &Pit| pit.heard(Ask::Read).len() + pit.heard(Ask::List).len();
    // When eighty other symbols are sold at once
    let names: Vec<String> = (0..80).map(other).collect();
    let trades: Vec<_> = names.iter().map(|name| (Side::Sell, name.as_str(), "1", "100")).collect();
    pit.fills(&trades).await;
    loops.pass(&pit, 20, 5).await;
    let (before, sent) = (asked(&pit), pit.sent_ids().len());
    assert!((10..=45).contains(&sent), "no more than three quarters of it are orders: {sent}");
    loops.pass(&pit, 30, 5).await;
    assert!(pit.sent_ids().len() < 80);
    assert!(asked(&pit) > before, "orders are looked at while none may be sent");
    // Then each symbol has its turn, once
    loops.pass(&pit, 600, 10).await;
    pit.account.calm();
    loops.pass(&pit, 60, 10).await;
    assert_eq!(pit.account.orders().len(), 81);
    assert_eq!(pit.live().await, 0);
    assert_eq!(pit.sent_ids().len(), 81, "nothing was sent to be refused");
    pit.proved().await;
}

#[tokio::test]
async fn f35_a_share_that_cannot_be_traded_is_held_without_a_loop() {
    let pit = Pit::open().await;
    pit.account.listing("AAPL", |listing| listing.tradable = false);
    pit.sold("AAPL", "5").await;
    pit.sold("TSLA", "1").await;
    pit.pass(secs(10)).await;
    assert_eq!(pit.hold("AAPL").await, "not tradable");
    // Nor where the broker only says so when it is asked
    pit.account.strike(Strike::Refuse(Refusal::NotTradable).always().about("SPYM"));
    pit.sold("SPYM", "2").await;
    pit.pass_by(mins(10), secs(10)).await;
    assert_eq!(
        pit.text("select distinct refusal from hedge_order where symbol = 'SPYM'").await,
        "not tradable"
    );
    assert_eq!(
        pit.number("select count(*) from hedge_order where symbol = 'SPYM'").await,
        2,
        "after five minutes again"
    );
    assert_eq!(pit.hold("SPYM").await, "refused");
    assert_eq!(pit.at_broker(), "BUY 1 TSLA: Filled, 1 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f35_a_share_of_which_no_parts_are_traded_is_bought_whole() {
    let setup = Setup { threshold: Threshold::Fraction("0.1".parse().unwrap()), ..Setup::default() };
    let pit = Pit::with(setup).await;
    pit.settle().await;
    // Given that the listing said otherwise an instant ago
    pit.account.listing("AAPL", |listing| listing.fractionable = false);
    pit.sold("AAPL", "2.5").await;
    pit.pass_by(mins(5), secs(10)).await;
    pit.flat().await;
    let orders = pit.orders().await;
    assert!(
        orders.starts_with("#1 BUY 2.5 AAPL: refused, 0 filled\n#2 BUY 2 AAPL: filled, 2 filled"),
        "{orders}"
    );
    assert!(pit.number("select count(*) from hedge_order").await <= 3, "{orders}");
    assert_eq!(pit.exposure("AAPL").await, "-0.5", "carried");
    assert_eq!(pit.at_broker(), "BUY 2 AAPL: Filled, 2 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f35_what_is_not_held_is_not_sold_short() {
    let pit = Pit::open().await;
    pit.account.listing("AAPL", |listing| listing.shortable = false);
    pit.bought("AAPL", "3").await;
    pit.pass(mins(1)).await;
    assert_eq!((pit.hold("AAPL").await.as_str(), pit.sent_ids().len()), ("no shares", 0));
    pit.proved().await;
}

#[tokio::test]
async fn f43_outside_the_regular_session_exposure_is_held_and_said() {
    let pit = Pit::with(opened_at("2026-11-25T13:00:00Z")).await;
    pit.account.hours(|hours| {
        hours.holiday("2026-11-26".parse().unwrap());
        hours.half_day("2026-11-27".parse().unwrap());
    });
    let Clock::Told(clock) = &pit.clock else { unreachable!() };
    pit.sold("AAPL", "5").await;
    for (now, what) in [
        ("2026-11-25T13:00:00Z", "before the open"),
        ("2026-11-25T21:00:00Z", "after the close"),
        ("2026-11-26T03:00:00Z", "at night"),
        ("2026-11-26T16:00:00Z", "on Thanksgiving"),
        ("2026-11-27T17:59:59.9Z", "a tenth of a second before an early close"),
        ("2026-11-27T18:30:00Z", "after an early close"),
        ("2026-11-28T16:00:00Z", "on a Saturday"),
    ] {
        clock.store(at(now).as_millisecond(), std::sync::atomic::Ordering::SeqCst);
        pit.settle().await;
        assert_eq!(pit.hold("AAPL").await, "market closed", "{what}");
    }
    assert_eq!(pit.sent_ids().len(), 0);
    assert_eq!(pit.exposure("AAPL").await, "-5");
    pit.laws().await;
}

#[tokio::test]
async fn f43_where_it_is_allowed_a_limit_order_is_sent_before_the_open_and_replaced_at_it() {
    let pit = Pit::with(Setup { extended: true, ..opened_at("2026-11-20T14:25:00Z") }).await;
    pit.account.strike(Strike::Hold.once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    let early = pit.account.orders().remove(0);
    assert_eq!((early.limit, early.extended), (Some(price("189.13")), true));
    // When the regular session opens
    pit.pass_by(mins(6), secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Canceled, 0 filled\nBUY 5 AAPL: Filled, 5 filled");
    assert_eq!(pit.account.orders()[1].limit, None);
    pit.proved().await;
}

#[tokio::test]
async fn f44_without_a_clock_that_can_be_believed_nothing_new_is_sent_and_what_works_is_polled() {
    for (strike, ask) in [(Strike::Fail(503), Ask::Clock), (Strike::Contradict, Ask::Clock)] {
        let pit = Pit::open().await;
        pit.account.strike(Strike::Slices { parts: 2, every: mins(5) }.once());
        pit.sold("AAPL", "4").await;
        pit.pass(secs(10)).await;
        pit.account.strike(strike.clone().always().on(ask));
        pit.pass_by(mins(6), secs(10)).await;
        pit.sold("TSLA", "1").await;
        pit.pass_by(mins(1), secs(10)).await;
        assert_eq!(pit.hold("TSLA").await, "hours unknown", "{strike:?}");
        assert_eq!(pit.orders().await, "#1 BUY 4 AAPL: filled, 4 filled", "{strike:?}");
        pit.account.calm();
        pit.pass_by(secs(30), secs(10)).await;
        pit.flat().await;
        assert_eq!(pit.account.orders().len(), 2);
        pit.proved().await;
    }
}

#[tokio::test]
async fn f45_the_broker_s_clock_decides_whether_the_market_is_open() {
    // Given five minutes to the close by ours, and that it closed by theirs
    let slow = Pit::with(opened_at("2026-11-20T20:55:00Z")).await;
    slow.account.set_time(at("2026-11-20T21:05:00Z"));
    slow.sold("AAPL", "5").await;
    slow.pass(secs(10)).await;
    assert_eq!((slow.hold("AAPL").await.as_str(), slow.sent_ids().len()), ("market closed", 0));
    slow.proved().await;
    // And the other way round
    let fast = Pit::with(opened_at("2026-11-20T21:05:00Z")).await;
    fast.account.set_time(at("2026-11-20T20:55:00Z"));
    fast.sold("AAPL", "5").await;
    fast.flat().await;
    assert_eq!(fast.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    fast.proved().await;
}

#[tokio::test]
async fn f45_ten_minutes_of_skew_neither_blind_nor_double() {
    for skew in [10, -10] {
        // Given that a position of five minutes ago is not believed any more
        let limits = Limits { blind: SignedDuration::from_mins(5), ..limits() };
        let pit = Pit::with(Setup { limits, ..Setup::default() }).await;
        pit.account.forward(SignedDuration::from_mins(skew));
        pit.settle().await;
        pit.account.strike(Strike::Drop.once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.flat().await;
        assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled", "{skew}");
        // And what others do there, and what is taken back, is seen by their clock
        pit.pass_by(mins(2), secs(10)).await;
        pit.account.person_trades("TSLA", Side::Buy, shares("1"));
        let ours = pit.account.executions().remove(0);
        pit.account.bust(&ours.id).unwrap();
        pit.pass_by(mins(2), secs(10)).await;
        pit.flat().await;
        assert_eq!(pit.text("select symbol from foreign_order").await, "TSLA", "{skew}");
        assert_eq!(pit.number("select count(*) from execution where nature = 'bust'").await, 1, "{skew}");
        assert_eq!((pit.exposure("AAPL").await.as_str(), pit.account.position("AAPL")), ("0", shares("5")));
        pit.laws().await;
    }
}

#[tokio::test]
async fn f45_a_clock_that_jumps_back_neither_opens_the_market_nor_stops_the_looks() {
    let pit = Pit::with(opened_at("2026-11-20T20:50:00Z")).await;
    let mut loops = Loops::of(&pit);
    pit.account.strike(Strike::Slices { parts: 2, every: mins(4) }.once());
    pit.sold("AAPL", "4").await;
    loops.pass(&pit, 120, 10).await;
    assert_eq!(pit.orders().await, "#1 BUY 4 AAPL: working, 2 filled");
    // When ours is set back by an hour, and theirs goes on to the close
    let Clock::Told(clock) = &pit.clock else { unreachable!() };
    clock.fetch_sub(3_600_000, std::sync::atomic::Ordering::SeqCst);
    pit.account.forward(SignedDuration::from_hours(1));
    loops.pass(&pit, 180, 10).await;
    assert_eq!(pit.orders().await, "#1 BUY 4 AAPL: filled, 4 filled", "it was looked at");
    loops.pass(&pit, 360, 10).await;
    pit.sold("TSLA", "1").await;
    loops.pass(&pit, 60, 10).await;
    assert_eq!(pit.hold("TSLA").await, "market closed");
    assert_eq!(pit.account.orders().len(), 1);
    pit.proved().await;
}

#[tokio::test]
async fn f46_the_session_follows_new_york_over_a_change_of_the_clocks() {
    // 09:29:50 and 09:30:10 in New York, the Friday before and the Monday after each change
    for (before, open) in [
        ("2026-03-06T14:29:40Z", "2026-03-06T14:30:10Z"),
        ("2026-03-09T13:29:40Z", "2026-03-09T13:30:10Z"),
        ("2026-10-30T13:29:40Z", "2026-10-30T13:30:10Z"),
        ("2026-11-02T14:29:40Z", "2026-11-02T14:30:10Z"),
    ] {
        let pit = Pit::with(opened_at(before)).await;
        pit.sold("AAPL", "5").await;
        pit.pass(secs(18)).await;
        assert_eq!((pit.hold("AAPL").await.as_str(), pit.sent_ids().len()), ("market closed", 0), "{before}");
        pit.pass(secs(12)).await;
        assert_eq!(pit.clock.now(), at(open));
        pit.flat().await;
        assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled", "{open}");
        pit.proved().await;
    }
}

#[tokio::test]
async fn f46_the_evening_in_new_york_belongs_to_its_own_day() {
    // Given a Thursday, 18:55 in New York, which is five minutes before midnight in UTC
    let limits = Limits { max_day_shares: Some(shares("5")), ..limits() };
    let setup = Setup { extended: true, limits, ..opened_at("2026-11-19T23:55:00Z") };
    let pit = Pit::with(setup).await;
    pit.sold("AAPL", "4").await;
    pit.pass(secs(10)).await;
    pit.flat().await;
    pit.pass_by(mins(30), secs(15)).await;
    assert!(pit.clock.now() > at("2026-11-20T00:20:00Z"));
    // Then the session is still on, its trades are booked, and its limit holds
    pit.sold("AAPL", "4").await;
    pit.pass(secs(20)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 4 AAPL: Filled, 4 filled\nBUY 1 AAPL: Filled, 1 filled");
    assert_eq!(pit.number("select count(*) from execution").await, 2);
    assert_eq!(pit.hold("AAPL").await, "day limit");
    pit.proved().await;
}

#[tokio::test]
async fn f47_positions_that_lag_double_nothing() {
    let pit = Pit::open().await;
    pit.account.lag_positions(secs(10));
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.sold("AAPL", "3").await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nBUY 3 AAPL: Filled, 3 filled");
    // Nor is sold what was sold already
    pit.pass(secs(20)).await;
    for _ in 0..2 {
        pit.bought("AAPL", "8").await;
        pit.pass(secs(4)).await;
    }
    pit.pass(mins(1)).await;
    assert_eq!(pit.at_broker().lines().last(), Some("SELL 8 AAPL: Filled, 8 filled"));
    assert_eq!(pit.account.orders().len(), 3);
    assert_eq!(pit.hold("AAPL").await, "no shares");
    pit.proved().await;
}

#[tokio::test]
async fn f48_without_positions_hedging_goes_on_from_the_books_within_its_limit() {
    let limits = Limits { blind: SignedDuration::from_mins(30), ..limits() };
    let pit = Pit::with(Setup { limits, ..Setup::default() }).await;
    pit.settle().await;
    pit.account.strike(Strike::Fail(503).during(mins(60)).on(Ask::Positions));
    pit.pass_by(mins(20), secs(30)).await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    // Beyond it, it rests and says why
    pit.pass_by(mins(12), secs(30)).await;
    pit.sold("AAPL", "2").await;
    pit.pass_by(mins(1), secs(30)).await;
    assert_eq!(pit.hold("AAPL").await, "account unknown");
    pit.pass_by(mins(30), secs(30)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nBUY 2 AAPL: Filled, 2 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f49_without_a_quote_what_was_filled_is_hedged_by_its_own_price() {
    let pit = Pit::open().await;
    let strikes = [Strike::NoQuote, Strike::ZeroQuote, Strike::CrossedQuote, Strike::ForbidQuote];
    let strikes = strikes.into_iter().chain([
        Strike::Fail(401),
        Strike::Fail(500),
        Strike::Garbage,
        Strike::Throttle { headers: true },
    ]);
    for (sales, strike) in (1..).zip(strikes) {
        pit.account.strike(strike.clone().always().on(Ask::Quote));
        pit.pass_by(mins(2), secs(20)).await;
        pit.sold("AAPL", "1").await;
        pit.flat().await;
        assert_eq!(pit.account.orders().len(), sales, "{strike:?}");
        let source = format!("select reference_source from hedge_order where id = {sales}");
        assert_eq!(pit.text(&source).await, "fill", "{strike:?}");
        pit.account.calm();
    }
    pit.proved().await;
}

#[tokio::test]
async fn f49_a_delayed_quote_does_not_stop_a_hedge_that_has_a_younger_price() {
    let limits = Limits { price_age: SignedDuration::from_mins(10), ..limits() };
    let pit = Pit::with(Setup { limits, ..Setup::default() }).await;
    // Given a quote that stands still for longer than a price may be old
    pit.account.listing("AAPL", |listing| listing.halted = true);
    pit.pass_by(mins(15), secs(20)).await;
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    assert_eq!(pit.text("select reference_source from hedge_order").await, "fill");
    pit.account.listing("AAPL", |listing| listing.halted = false);
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f50_a_401_to_an_order_means_that_it_was_not_placed() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Fail(401).once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: planned, 0 filled");
    assert_eq!(pit.hold("AAPL").await, "unauthorized");
    pit.pass(secs(40)).await;
    pit.flat().await;
    let ids = pit.sent_ids();
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, true));
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f51_a_revoked_key_stops_everything_and_what_is_unknown_is_found_first_afterwards() {
    let pit = Pit::open().await;
    // Given an order whose answer was lost, and a key that ends just then
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.account.strike(Strike::Lose.first(1).on(Ask::Lookup));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.account.revoke_keys(true);
    pit.sold("TSLA", "2").await;
    pit.pass_by(mins(10), secs(10)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: sent, 0 filled", "the state is as it was");
    assert_eq!(pit.hold("TSLA").await, "unauthorized");
    assert_eq!(pit.sent_ids().len(), 1);
    // When it is let in again
    pit.account.revoke_keys(false);
    pit.pass_by(secs(40), secs(10)).await;
    pit.flat().await;
    let events = pit.text("select order_id || ' ' || event from order_event where event in ('found', 'planned') order by id").await;
    assert_eq!(events, "1 planned\n1 found\n2 planned");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nBUY 2 TSLA: Filled, 2 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f52_cash_that_is_gone_between_check_and_order_is_a_refusal_for_funds() {
    let pit = Pit::open().await;
    pit.settle().await;
    pit.account.set_cash(usd("200"));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.text("select why || ' ' || refusal from hedge_order").await, "refused funds");
    assert_eq!(pit.exposure("AAPL").await, "-5");
    // Once it is known, as much is bought as there is cash for
    pit.pass_by(mins(3), secs(5)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 1 AAPL: Filled, 1 filled");
    assert_eq!(pit.hold("AAPL").await, "funds");
    pit.account.set_cash(usd("100000"));
    pit.pass_by(secs(30), secs(5)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 1 AAPL: Filled, 1 filled\nBUY 4 AAPL: Filled, 4 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f53_an_account_that_may_not_trade_is_sent_nothing() {
    let pit = Pit::open().await;
    pit.account.block(true);
    pit.sold("AAPL", "5").await;
    pit.pass_by(mins(2), secs(10)).await;
    assert_eq!((pit.hold("AAPL").await.as_str(), pit.sent_ids().len()), ("account blocked", 0));
    pit.account.block(false);
    pit.pass_by(secs(30), secs(10)).await;
    pit.flat().await;
    // One that may only close, Alpaca tells of by refusing
    pit.account.close_only(true);
    pit.sold("AAPL", "2").await;
    pit.pass_by(mins(2), secs(10)).await;
    assert_eq!(pit.text("select distinct refusal from hedge_order where id > 1").await, "account");
    assert_eq!(pit.number("select count(*) from hedge_order").await, 3, "now and after a minute");
    assert_eq!(pit.hold("AAPL").await, "refused");
    // And what closes is taken
    pit.bought("AAPL", "6").await;
    pit.pass_by(mins(5), secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nSELL 4 AAPL: Filled, 4 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f43_an_order_of_a_person_waits_for_the_open_too() {
    let pit = Pit::with(opened_at("2026-11-20T14:29:00Z")).await;
    pit.sold("AAPL", "1").await;
    pit.settle().await;
    let (venue, seat) = pit.trading.seats.iter().next().unwrap();
    let reference = hedge::policy::Mark {
        price: price("187.25"),
        at: pit.clock.now(),
        source: hedge::policy::PriceSource::Quote,
    };
    let wish = acts::Wish {
        venue: *venue,
        mark: seat.mark.clone(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy,
        quantity: shares("1"),
        reference,
    };
    assert_eq!(acts::place(pit.pool(), &wish, pit.act()).await.unwrap(), Some(OrderId(1)));
    pit.pass(secs(50)).await;
    assert_eq!(pit.sent_ids().len(), 0);
    pit.pass(secs(30)).await;
    assert_eq!(pit.at_broker(), "BUY 1 AAPL: Filled, 1 filled", "and what it hedges is not hedged twice");
    pit.proved().await;
}
