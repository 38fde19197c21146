//! What is lost, torn, late or strange between the desk and the broker.

use std::sync::Arc;

use hedge::{
    book::{
        fill::Side,
        order::{Purpose, Terms, Ticket},
    },
    engine::{Loop, hedging::hedger::Hedger},
    sim::{Ask, Strike},
    store::{
        exposure::{Part, Unit},
        lease::Fence,
        orders::{self, Plan},
    },
};

use super::{mins, secs};
use crate::pit::{Pit, Setup, shares};

const BOUGHT: &str = "BUY 5 AAPL: Filled, 5 filled";

impl Pit {
    /// Each sale of five was bought back by one order.
    pub async fn hedged(&self, sales: usize) {
        assert_eq!(self.at_broker(), vec![BOUGHT; sales].join("\n"));
        let orders: Vec<String> =
            (1..=sales).map(|id| format!("#{id} BUY 5 AAPL: filled, 5 filled")).collect();
        assert_eq!(self.orders().await, orders.join("\n"));
        assert_eq!(self.exposure("AAPL").await, "0");
        self.proved().await;
    }

    pub async fn hedged_once(&self) {
        self.hedged(1).await;
    }
}

#[tokio::test]
async fn f12_what_could_not_leave_leaves_later_as_the_same_order() {
    let (pit, mut gate) = Pit::gated().await;
    pit.settle().await;
    // Given a broker that nobody can reach
    gate.shut().await;
    pit.sold("AAPL", "5").await;
    Hedger::new(Arc::clone(&pit.trading)).converge().await.unwrap();
    pit.trading.lanes.finish().await;
    assert_eq!(pit.story(1).await, "planned\nsent\nnot sent");
    pit.pass(secs(10)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: planned, 0 filled");
    assert_eq!(pit.account.orders(), [], "nothing left");
    // When it is there again
    gate.open().await;
    pit.flat().await;
    // Then the plan leaves: it was never in doubt
    assert!(!pit.story(1).await.contains("unanswered"));
    pit.hedged_once().await;
}

#[tokio::test]
async fn f13_a_read_timeout_after_acceptance_is_adopted_once() {
    let pit = Pit::with(Setup { timeout_ms: 300, ..Setup::default() }).await;
    pit.account.strike(Strike::Hang.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    assert_eq!(pit.story(1).await, "planned\nsent\nunanswered\nfound\nexecuted\nclosed");
    pit.hedged_once().await;
}

#[tokio::test]
async fn f13_a_second_try_that_meets_the_first_is_no_failure() {
    let pit = Pit::open().await;
    // Given that the order was taken, and that no lookup of the grace period sees it
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.account.strike(Strike::Fail(404).first(5).on(Ask::Lookup));
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    // Then the second try is answered 422, and that is the order
    let statuses: Vec<u16> = pit.heard(Ask::Submit).iter().map(|heard| heard.status).collect();
    assert_eq!(statuses, [200, 422]);
    assert!(pit.story(1).await.contains("sent again\naccepted\nexecuted\nclosed"));
    assert_eq!(pit.number("select count(*) from hedge_order where refusal is not null").await, 0);
    pit.hedged_once().await;
}

#[tokio::test]
async fn f14_what_never_arrived_is_sent_again_under_the_same_id_after_the_grace_period() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(secs(8)).await;
    assert_eq!(pit.heard(Ask::Submit).len(), 1, "within ten seconds it may still arrive");
    assert_eq!(pit.hold("AAPL").await, "-");
    pit.flat().await;
    let ids = pit.sent_ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert!(pit.heard(Ask::Lookup).len() >= 3);
    pit.hedged_once().await;
}

#[tokio::test]
async fn f15_an_order_that_arrives_late_is_still_one() {
    let pit = Pit::open().await;
    // Before the second try, and long after it: then the late one collides
    for (sale, late) in [(1, 5), (2, 11), (3, 40)] {
        pit.account.strike(Strike::Late(secs(late)).once());
        pit.sold("AAPL", "5").await;
        pit.settle().await;
        assert_eq!(pit.told(sale, "searched").await, "the broker has no such order");
        pit.pass_by(mins(1), secs(3)).await;
    }
    pit.hedged(3).await;
}

#[tokio::test]
async fn f15_an_order_that_no_look_shows_yet_is_still_one() {
    let pit = Pit::open().await;
    // Given an order that was taken, and cannot be seen for longer than the grace period
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.account.strike(Strike::Hide(secs(30)).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(secs(20)).await;
    assert!(pit.heard(Ask::Submit).len() > 1);
    assert_eq!(pit.account.orders().len(), 1, "the broker takes an id once");
    pit.flat().await;
    pit.hedged_once().await;
}

#[tokio::test]
async fn f16_a_gateway_s_error_after_acceptance_is_adopted_once() {
    let pit = Pit::open().await;
    for (sale, status) in [(1, 500), (2, 502), (3, 503), (4, 504)] {
        pit.account.strike(Strike::FailAfter(status).once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.flat().await;
        assert_eq!(pit.story(sale).await, "planned\nsent\nunanswered\nfound\nexecuted\nclosed", "{status}");
    }
    pit.hedged(4).await;
}

#[tokio::test]
async fn f17_an_answer_that_cannot_be_read_is_no_answer() {
    let pit = Pit::open().await;
    for (sale, strike) in [(1, Strike::Truncate), (2, Strike::Garbage), (3, Strike::Cut), (4, Strike::Drop)] {
        pit.account.strike(strike.clone().once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.flat().await;
        assert_eq!(pit.story(sale).await, "planned\nsent\nunanswered\nfound\nexecuted\nclosed", "{strike:?}");
    }
    pit.hedged(4).await;
}

#[tokio::test]
async fn f19_a_throttled_order_waits_as_long_as_the_header_says_and_keeps_its_id() {
    let pit = Pit::open().await;
    // Given that the budget is renewed with the next minute, which is a minute away
    pit.account.strike(Strike::Throttle { headers: true }.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: planned, 0 filled");
    assert_eq!(pit.story(1).await, "planned\nsent\nnot sent");
    assert_eq!(pit.hold("AAPL").await, "throttled");
    let asked = pit.broker.recent().len();
    pit.pass(secs(58)).await;
    assert_eq!(pit.broker.recent().len(), asked, "nothing is asked meanwhile");
    pit.flat().await;
    let ids = pit.sent_ids();
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, true));
    pit.hedged_once().await;
}

#[tokio::test]
async fn f19_a_throttled_order_without_a_header_waits_a_second_and_then_longer() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Throttle { headers: false }.first(3).on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass(secs(14)).await;
    // One and two and four seconds, and a quarter of each by chance
    assert_eq!(pit.heard(Ask::Submit).len(), 4);
    let ids = pit.sent_ids();
    assert!(ids.iter().all(|id| *id == ids[0]));
    pit.flat().await;
    pit.hedged_once().await;
}

#[tokio::test]
async fn f20_after_ten_minutes_of_429_one_order_a_symbol_leaves() {
    let pit = Pit::open().await;
    pit.settle().await;
    pit.account.strike(Strike::Throttle { headers: false }.during(mins(10) + secs(30)));
    let before = pit.broker.asked().questions.values().sum::<u64>();
    for _ in 0..10 {
        pit.sold("AAPL", "1").await;
        pit.sold("TSLA", "2").await;
        pit.pass_by(mins(1), secs(5)).await;
        assert!(pit.live().await <= 2, "nothing queues up");
    }
    assert_eq!(pit.account.orders(), []);
    // It was asked ever more rarely: about once a minute
    let asked = pit.broker.asked().questions.values().sum::<u64>() - before;
    assert!(asked < 60, "{asked}");
    // When it clears
    pit.pass_by(mins(2), secs(5)).await;
    pit.flat().await;
    // Then each symbol has one order of all that was sold
    let mut there: Vec<String> = pit.at_broker().lines().map(str::to_owned).collect();
    there.sort();
    assert_eq!(there, ["BUY 10 AAPL: Filled, 10 filled", "BUY 20 TSLA: Filled, 20 filled"]);
    pit.proved().await;
}

#[tokio::test]
async fn f21_a_reset_in_the_middle_of_the_request_is_unknown_and_comes_out_once() {
    let (pit, gate) = Pit::gated().await;
    pit.settle().await;
    gate.tear();
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: sent, 0 filled");
    assert!(pit.story(1).await.starts_with("planned\nsent\nunanswered"));
    pit.flat().await;
    pit.hedged_once().await;
}

#[tokio::test]
async fn f22_a_request_that_a_proxy_repeats_is_one_order() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Twice.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    // The repeated one is answered 422, and what it collided with is ours
    assert_eq!(pit.heard(Ask::Submit)[0].status, 422);
    assert_eq!(pit.story(1).await, "planned\nsent\naccepted\nexecuted\nclosed");
    pit.hedged_once().await;
}

#[tokio::test]
async fn f23_an_order_under_our_id_that_is_another_is_never_adopted() {
    let pit = Pit::open().await;
    pit.settle().await;
    let (venue, seat) = pit.trading.seats.iter().next().unwrap();
    // Given an id that was minted twice: the broker has it for a sale of something else
    pit.account.endow("TSLA", shares("3"), crate::pit::price("400"));
    let ticket = |symbol: &str, side, quantity| Ticket {
        client_id: "an-id-of-ours".to_owned(),
        symbol: symbol.to_owned(),
        side,
        quantity: shares(quantity),
        terms: Terms::Market,
    };
    seat.venue.submit(&ticket("TSLA", Side::Sell, "3")).await.unwrap();
    // And a sale to be hedged under it
    pit.sold("AAPL", "5").await;
    let ours = ticket("AAPL", Side::Buy, "5");
    let plan = Plan {
        venue: *venue,
        ticket: &ours,
        purpose: Purpose::Hedge,
        exposure: Some(shares("-5")),
        reference: None,
        asked: None,
        fence: Fence(1),
        seen: orders::newest(&mut pit.pool().acquire().await.unwrap()).await.unwrap(),
        covers: &[Unit { part: Part::Stated, quantity: shares("5") }],
        now: pit.clock.now(),
    };
    let mut tx = pit.pool().begin().await.unwrap();
    orders::plan(&mut tx, &plan).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    pit.settle().await;
    // Then the symbol is frozen, says how they differ, and others go on
    pit.sold("AAPL", "5").await;
    pit.sold("SPYM", "2").await;
    pit.pass_by(mins(3), secs(10)).await;
    let orders = pit.orders().await;
    assert_eq!(orders, "#1 BUY 5 AAPL: ambiguous, 0 filled\n#2 BUY 2 SPYM: filled, 2 filled");
    let why = pit.told(1, "doubted").await;
    assert!(why.starts_with("asked for BUY 5 AAPL, the broker has SELL 3 TSLA"), "{why}");
    assert_eq!(pit.hold("AAPL").await, "ambiguous");
    assert_eq!(pit.number("select count(*) from broker_order where order_id = 1").await, 0);
    pit.laws().await;
}

#[tokio::test]
async fn f24_a_refusal_in_new_words_is_taken_by_its_status_and_kept() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Refuse(hedge::book::order::Refusal::Other).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: refused, 0 filled");
    assert_eq!(pit.text("select refusal from hedge_order").await, "other");
    let body = pit.text("select evidence from order_event where event = 'closed'").await;
    assert!(body.contains("42299999") && body.contains("order violates a rule made this morning"), "{body}");
    assert_eq!(pit.hold("AAPL").await, "refused");
    pit.pass_by(mins(6), secs(30)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), BOUGHT);
    pit.proved().await;
}

#[tokio::test]
async fn f24_a_status_that_proves_nothing_leaves_an_order_unknown() {
    let pit = Pit::open().await;
    for (sale, status) in [(1, 409), (2, 418), (3, 425)] {
        pit.account.strike(Strike::Fail(status).once().on(Ask::Submit));
        pit.sold("AAPL", "5").await;
        pit.settle().await;
        assert_eq!(
            pit.text("select state from hedge_order where state <> 'closed'").await,
            "sent",
            "{status}"
        );
        let said = pit.told(sale, "unanswered").await;
        assert!(
            said.contains(&format!("http {status}")) && said.contains("upstream did not answer"),
            "{said}"
        );
        pit.flat().await;
    }
    pit.hedged(3).await;
}
