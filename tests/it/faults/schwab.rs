//! The faults at a broker that keeps no id of ours: what was lost is found by what it looks
//! like, and nothing is ever sent again.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use hedge::{
    assets::Threshold,
    book::{
        fill::Side,
        order::{Move, OrderId, State},
    },
    engine::{
        Loop,
        hedging::{acts, hedger::Hedger, watcher::Watcher},
    },
    sim::{Ask, Strike},
    store::{
        halts,
        orders::{self, Because, Event},
    },
    venue::Broker,
};

use super::{mins, secs};
use crate::pit::{Pit, Setup, shares};

const FOUND: &str = "planned\nsent\nunanswered\nsearched\nfound\nexecuted\nclosed";

impl Pit {
    /// A pit at Schwab, where everything is known that is asked for ahead.
    async fn at_schwab(setup: Setup) -> Self {
        let pit = Self::with(Setup { broker: Broker::Schwab, ..setup }).await;
        pit.settle().await;
        pit
    }

    async fn schwab() -> Self {
        Self::at_schwab(Setup::default()).await
    }

    /// Decides and sends, and does nothing else.
    async fn sweep(&self) {
        self.keeper.turn().await.unwrap();
        Hedger::new(Arc::clone(&self.trading)).converge().await.unwrap();
        self.trading.lanes.finish().await;
    }

    /// Schwab's numbers of all its orders, oldest first.
    fn numbers(&self) -> Vec<String> {
        self.account.orders().iter().map(|order| order.number.to_string()).collect()
    }

    async fn foreign(&self) -> String {
        self.text("select broker_order_id from foreign_order order by broker_order_id").await
    }

    async fn resume(&self, symbol: &str) {
        let mut conn = self.pool().acquire().await.unwrap();
        halts::resume(&mut conn, Some(symbol), self.act()).await.unwrap();
    }

    fn submits(&self) -> Vec<u16> {
        self.heard(Ask::Submit).iter().map(|heard| heard.status).collect()
    }
}

#[tokio::test]
async fn f02_what_never_left_is_never_placed_after_the_quiet_period_and_planned_anew() {
    let mut pit = Pit::schwab().await;
    // Given a process that dies after it wrote down that it sends, and before a byte left
    pit.account.strike(Strike::Throttle { headers: false }.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.sweep().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: planned, 0 filled");
    let mut tx = pit.pool().begin().await.unwrap();
    let order = orders::read(&mut tx, OrderId(1)).await.unwrap().unwrap();
    let event = Event::new("sent", "to nobody: the process died");
    orders::advance(&mut tx, &order, Move::Send, Because::default(), &event, pit.clock.now())
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    pit.restart().await;
    pit.pass(secs(50)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: sent, 0 filled");
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: never placed, 0 filled\n#2 BUY 5 AAPL: filled, 5 filled");
    assert_eq!((pit.submits(), pit.at_broker().as_str()), (vec![429, 201], "BUY 5 AAPL: Filled, 5 filled"));
    pit.proved().await;
}

#[tokio::test]
async fn f13_f16_an_answer_lost_after_acceptance_is_found_by_what_the_order_looks_like() {
    let pit = Pit::at_schwab(Setup { timeout_ms: 400, ..Setup::default() }).await;
    let strikes = [
        Strike::Hang,
        Strike::Drop,
        Strike::Cut,
        Strike::FailAfter(500),
        Strike::FailAfter(502),
        Strike::FailAfter(503),
        Strike::FailAfter(504),
    ];
    for (sale, strike) in (1..).zip(&strikes) {
        pit.account.strike(strike.clone().once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.flat().await;
        assert_eq!(pit.story(sale).await, FOUND, "{strike:?}");
    }
    // Then each is the one that was sent for it, though all of them look the same
    assert_eq!(
        pit.text("select broker_order_id from broker_order order by order_id").await,
        pit.numbers().join("\n")
    );
    pit.hedged(strikes.len()).await;
}

#[tokio::test]
async fn f14_what_never_arrived_is_given_up_after_four_searches_over_a_minute() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(secs(58)).await;
    assert_eq!((pit.submits().len(), pit.exposure("AAPL").await.as_str()), (1, "0"));
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: never placed, 0 filled\n#2 BUY 5 AAPL: filled, 5 filled");
    let searches = "select count(*) from order_event where order_id = 1 and event = 'searched'";
    assert!(pit.number(searches).await >= 4);
    let quiet = pit
        .number(
            "select extract(epoch from max(happened_at) filter (where event = 'closed')
                                     - min(happened_at) filter (where event = 'searched'))::bigint
             from order_event where order_id = 1",
        )
        .await;
    assert!(quiet >= 60, "{quiet}");
    assert!(pit.told(1, "closed").await.contains("the account holds what it held"));
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f14_a_search_that_fails_is_no_evidence() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.account.strike(Strike::Fail(503).during(mins(3)).on(Ask::List));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass_by(mins(2), secs(5)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: sent, 0 filled");
    pit.flat().await;
    pit.hedged_once().await;
}

#[tokio::test]
async fn f15_an_order_that_arrives_late_within_the_quiet_period_is_adopted() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Late(secs(30)).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(secs(20)).await;
    assert_eq!((pit.orders().await.as_str(), pit.numbers().len()), ("#1 BUY 5 AAPL: sent, 0 filled", 0));
    pit.flat().await;
    pit.hedged_once().await;
}

#[tokio::test]
async fn f15_an_order_that_arrives_after_the_quiet_period_freezes_its_symbol() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Late(secs(200)).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass_by(mins(5), secs(5)).await;
    let done = "#1 BUY 5 AAPL: never placed, 0 filled\n#2 BUY 5 AAPL: filled, 5 filled";
    assert_eq!(pit.orders().await, done);
    // Then it is seen, by nobody taken for a hedge, and nothing more is sent for it
    assert_eq!(pit.foreign().await, pit.numbers()[1]);
    pit.sold("AAPL", "3").await;
    pit.sold("SPYM", "2").await;
    pit.pass_by(mins(2), secs(5)).await;
    assert_eq!(pit.hold("AAPL").await, "halted");
    assert_eq!(pit.orders().await, format!("{done}\n#3 BUY 2 SPYM: filled, 2 filled"));
    pit.laws().await;
    // When a person sells it, and lets the symbol go on
    pit.account.person_trades("AAPL", Side::Sell, shares("5"));
    pit.pass_by(mins(2), secs(5)).await;
    pit.resume("AAPL").await;
    pit.pass_by(mins(2), secs(5)).await;
    assert_eq!((pit.account.position("AAPL"), pit.exposure("AAPL").await), (shares("8"), "0".to_owned()));
    pit.laws().await;
}

#[tokio::test]
async fn f15_a_late_order_that_was_given_up_is_never_taken_for_the_next_one() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Late(secs(120)).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass_by(secs(145), secs(5)).await;
    let late = pit.foreign().await;
    assert_eq!(late, pit.numbers()[1]);
    // Given another of its size, within the slack of the clocks, that never arrives
    pit.resume("AAPL").await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass_by(mins(3), secs(5)).await;
    assert_eq!(
        pit.orders().await,
        "#1 BUY 5 AAPL: never placed, 0 filled\n#2 BUY 5 AAPL: filled, 5 filled\n\
         #3 BUY 5 AAPL: never placed, 0 filled\n#4 BUY 5 AAPL: filled, 5 filled"
    );
    assert_eq!(pit.numbers().len(), 3);
    pit.laws().await;
}

#[tokio::test]
async fn f18_where_an_order_is_may_be_said_shortly_or_not_at_all() {
    let pit = Pit::schwab().await;
    for (sale, strike, story) in [
        (1, Strike::RelativeLocation, "planned\nsent\naccepted\nexecuted\nclosed"),
        (2, Strike::NoLocation, FOUND),
    ] {
        pit.account.strike(strike.once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.flat().await;
        assert_eq!(pit.story(sale).await, story);
    }
    pit.hedged(2).await;
}

#[tokio::test]
async fn f18_an_order_that_is_named_wrongly_is_never_adopted() {
    let pit = Pit::schwab().await;
    // None there yet; one that looks like it, and is another's; one that does not
    for sale in 1..=2 {
        pit.account.strike(Strike::OtherLocation.once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.flat().await;
        assert_eq!(pit.story(sale).await, FOUND);
    }
    assert!(pit.told(2, "unanswered").await.ends_with("which is order #1"));
    pit.account.strike(Strike::OtherLocation.once().on(Ask::Submit));
    pit.sold("TSLA", "5").await;
    pit.flat().await;
    assert_eq!(pit.story(3).await, FOUND);
    assert_eq!(
        pit.text("select broker_order_id from broker_order order by order_id").await,
        pit.numbers().join("\n")
    );
    pit.proved().await;
}

#[tokio::test]
async fn f22_an_order_that_a_proxy_repeats_is_seen_and_freezes_its_symbol() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Twice.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.pass_by(mins(2), secs(5)).await;
    // Then one is ours, and the other one's trade is nobody's
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.foreign().await, pit.numbers()[0]);
    assert_eq!(
        pit.text("select trim_scale(quantity) || ' ' || coalesce(order_id::text, '-') from execution order by order_id")
            .await,
        "5 1\n5 -"
    );
    pit.sold("AAPL", "1").await;
    pit.pass_by(mins(3), secs(5)).await;
    assert_eq!((pit.hold("AAPL").await.as_str(), pit.numbers().len()), ("halted", 2));
    assert!(pit.text("select detail from hold").await.contains("is not ours as far as we know"));
    pit.laws().await;
}

#[tokio::test]
async fn f22_two_orders_that_look_the_same_are_for_a_person_to_tell_apart() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Twice.once().on(Ask::Submit));
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass_by(mins(3), secs(5)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: ambiguous, 0 filled");
    assert!(pit.told(1, "doubted").await.ends_with("both look like it"));
    assert_eq!(pit.numbers().len(), 2, "nothing is sent meanwhile");
    // When a person says which it is
    let ours = pit.numbers().remove(1);
    let adopted = acts::adopt(pit.pool(), OrderId(1), &ours, pit.act()).await.unwrap();
    assert_eq!(adopted, Ok(State::Working));
    pit.pass_by(mins(2), secs(5)).await;
    // Then that one is booked, and the other one is seen
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.foreign().await, pit.numbers()[0]);
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.laws().await;
}

#[tokio::test]
async fn f32_an_order_that_is_rejected_later_is_booked_as_far_as_it_filled_and_rests() {
    let pit = Pit::schwab().await;
    let reason = "rejected by the market".to_owned();
    pit.account.strike(Strike::Partial(400).once());
    pit.account.strike(Strike::Reject { after: secs(1), reason: reason.clone() }.once());
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: refused, 2 filled");
    assert_eq!(pit.told(1, "closed").await, format!("refused: 2 of 5 filled: {reason}"));
    let evidence = pit.text("select evidence from order_event where event = 'closed'").await;
    assert!(evidence.contains("REJECTED") && evidence.contains(&reason), "{evidence}");
    // Then what is left waits, and leaves once
    pit.pass_by(mins(4), secs(10)).await;
    assert_eq!((pit.hold("AAPL").await.as_str(), pit.numbers().len()), ("refused", 1));
    assert_eq!(pit.exposure("AAPL").await, "-3");
    pit.pass_by(mins(2), secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Rejected, 2 filled\nBUY 3 AAPL: Filled, 3 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f41_a_person_s_order_freezes_its_symbol_until_somebody_lets_it_go_on() {
    let pit = Pit::schwab().await;
    pit.account.person_trades("AAPL", Side::Buy, shares("30"));
    pit.pass_by(mins(3), secs(5)).await;
    assert_eq!(pit.foreign().await, pit.numbers()[0]);
    assert_eq!(pit.text("select symbol from halt where act = 'halt'").await, "AAPL");
    pit.sold("AAPL", "5").await;
    pit.sold("TSLA", "2").await;
    pit.pass_by(mins(2), secs(5)).await;
    assert_eq!(pit.orders().await, "#1 BUY 2 TSLA: filled, 2 filled");
    assert_eq!(pit.hold("AAPL").await, "halted");
    pit.resume("AAPL").await;
    pit.pass_by(mins(3), secs(5)).await;
    // Then it is not frozen anew for the same one, and theirs is not hedged back
    assert_eq!(pit.orders().await, "#1 BUY 2 TSLA: filled, 2 filled\n#2 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.account.position("AAPL"), shares("35"));
    pit.laws().await;
}

#[tokio::test]
async fn f41_what_a_person_traded_in_the_place_of_a_lost_order_is_adopted_by_a_person() {
    let pit = Pit::schwab().await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.account.person_trades("AAPL", Side::Buy, shares("5"));
    pit.pass_by(mins(2), secs(5)).await;
    // Then it is no order of ours by its looks, and yet the account did what ours would have done
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: ambiguous, 0 filled");
    assert!(pit.told(1, "doubted").await.contains("which is what it would have done"));
    let theirs = pit.numbers().remove(0);
    acts::adopt(pit.pool(), OrderId(1), &theirs, pit.act()).await.unwrap().unwrap();
    pit.pass_by(mins(2), secs(5)).await;
    pit.hedged_once().await;
    assert_eq!(pit.foreign().await, "");
    assert_eq!(pit.submits().len(), 1);
}

#[tokio::test]
async fn f50_an_access_token_that_ends_in_the_middle_of_a_sweep_is_renewed_once() {
    let pit = Pit::schwab().await;
    let tokens = || pit.broker.asked().of(Ask::Token);
    assert_eq!(tokens(), 1);
    pit.clock.sleep(mins(2)).await;
    pit.account.rotate_tokens(true);
    pit.account.expire_access();
    for (symbol, quantity) in [("AAPL", "5"), ("TSLA", "2"), ("SPYM", "3")] {
        pit.sold(symbol, quantity).await;
    }
    pit.sweep().await;
    // Then whatever met the dead one did not leave, and one of them renewed it for all
    assert_eq!(tokens(), 2);
    let refused = pit.submits().iter().filter(|status| **status == 401).count();
    assert!(refused > 0);
    let unsent = "select count(*) from order_event where event = 'not sent'";
    assert_eq!(pit.number(unsent).await, i64::try_from(refused).unwrap());
    pit.flat().await;
    assert_eq!(pit.number("select count(*) from order_event where event = 'unanswered'").await, 0);
    assert_eq!((pit.numbers().len(), pit.number("select count(*) from hedge_order").await), (3, 3));
    // A look meets it too, and the day goes on
    pit.clock.sleep(mins(2)).await;
    pit.account.expire_access();
    pit.settle().await;
    assert_eq!(tokens(), 3);
    pit.pass_by(mins(60), mins(1)).await;
    assert_eq!(tokens(), 5, "each is renewed before its half hour is over");
    pit.proved().await;
}

#[tokio::test]
async fn f51_once_the_login_is_over_nothing_leaves_and_after_another_the_unknown_comes_first() {
    let pit = Pit::schwab().await;
    // Given an order whose answer was lost, and a login that ends
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.sweep().await;
    pit.clock.sleep(mins(2)).await;
    pit.account.expire_access();
    pit.account.expire_login();
    pit.sold("TSLA", "2").await;
    pit.sweep().await;
    let waiting = "#1 BUY 5 AAPL: sent, 0 filled\n#2 BUY 2 TSLA: planned, 0 filled";
    assert_eq!(pit.orders().await, waiting);
    pit.sold("SPYM", "3").await;
    pit.pass_by(mins(10), secs(15)).await;
    assert_eq!(pit.orders().await, waiting);
    assert_eq!(
        (pit.hold("TSLA").await.as_str(), pit.hold("SPYM").await.as_str()),
        ("unauthorized", "unauthorized")
    );
    assert_eq!((pit.submits(), pit.broker.asked().of(Ask::Token)), (vec![201, 401], 2));
    // When a person logs in, who goes by another name in paths from then on
    pit.account.change_hash();
    pit.log_in().await;
    pit.pass_by(mins(1), secs(5)).await;
    pit.flat().await;
    assert_eq!(
        pit.text(
            "select order_id || ' ' || event from order_event
             where event = 'found' or (event = 'sent' and order_id > 1) order by id"
        )
        .await,
        "2 sent\n1 found\n2 sent\n3 sent"
    );
    assert_eq!(pit.numbers().len(), 3);
    pit.proved().await;
}

/// What was said aloud.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, said: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(said)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn f51_a_person_is_warned_from_day_five_and_called_from_day_six_and_a_half() {
    let pit = Pit::schwab().await;
    let mut watcher = Watcher::new(Arc::clone(&pit.trading));
    let log = Log::default();
    let writer = log.clone();
    let listener = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _listening = tracing::subscriber::set_default(listener);
    let mut hours_old = 0;
    for (hours, level) in [(0, ""), (119, ""), (120, "WARN"), (155, "WARN"), (156, "ERROR"), (168, "ERROR")] {
        pit.clock.sleep(mins((hours - hours_old) * 60)).await;
        hours_old = hours;
        pit.keeper.turn().await.unwrap();
        watcher.converge().await.unwrap();
        // At most once an hour
        watcher.converge().await.unwrap();
        let said = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
        let calls = said.lines().filter(|line| line.contains("log in within") || line.contains("log in now"));
        let levels: Vec<&str> = calls.filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(levels.join(" "), level, "{hours} h: {said}");
    }
    pit.proved().await;
}

#[tokio::test]
async fn only_whole_shares_leave_and_the_rest_is_carried() {
    let pit =
        Pit::at_schwab(Setup { threshold: Threshold::Fraction("0.1".parse().unwrap()), ..Setup::default() })
            .await;
    pit.sold("AAPL", "2.7").await;
    pit.flat().await;
    assert_eq!((pit.exposure("AAPL").await.as_str(), pit.hold("AAPL").await.as_str()), ("-0.7", "below lot"));
    pit.sold("AAPL", "0.4").await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 2 AAPL: Filled, 2 filled\nBUY 1 AAPL: Filled, 1 filled");
    assert_eq!(pit.exposure("AAPL").await, "-0.1");
    pit.proved().await;
}

#[tokio::test]
async fn f43_with_the_market_closed_exposure_is_held_until_it_opens() {
    // On a Saturday
    let pit = Pit::at_schwab(Setup { now: "2026-11-21T15:30:00Z", ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    pit.pass_by(mins(10), mins(1)).await;
    assert_eq!((pit.hold("AAPL").await.as_str(), pit.submits().len()), ("market closed", 0));
    // On Monday at 9:29 and 9:31 in New York
    pit.clock.sleep(mins(47 * 60 - 11)).await;
    pit.settle().await;
    assert_eq!((pit.hold("AAPL").await.as_str(), pit.submits().len()), ("market closed", 0));
    pit.pass_by(mins(2), secs(10)).await;
    pit.flat().await;
    pit.hedged_once().await;
}
