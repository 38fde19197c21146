//! F01 to F11 of the fault list: the real program is killed, or its database refuses it, at
//! every point where something could be lost or doubled.
//!
//! Wherever it stands, what comes out is what would have come out without the crash: one
//! order at the broker for each exposure, and books that agree with the broker execution by
//! execution.

use std::time::Duration;

use futures_util::future::join_all;
use hedge::sim::{Ask, Strike, broker::StrikeRule};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    floor::{Floor, SHARES},
    gate::{Gate, Place, Refusal},
    office::Program,
};

/// What is there once five AAPL were sold on chain and hedged.
const ONCE: &str = "BUY 5 AAPL: Filled, 5 filled";

/// Five are sold, and the program is killed where this gate stands.
async fn killed_at(floor: &Floor, place: Place) {
    let mut program = floor.running().await;
    let gate = Gate::at(&floor.desk.world, place).await;
    floor.sold("AAPL", 5);
    dies_at(gate, &mut program).await;
}

async fn dies_at(mut gate: Gate, program: &mut Program) {
    gate.reached().await;
    program.kill();
    gate.open().await;
}

/// Another process goes on, and all is as if nothing had happened.
async fn goes_on_once(floor: &Floor) {
    let _program = floor.running().await;
    floor.flat().await;
    assert_eq!(floor.at_broker(), ONCE);
    floor.proved().await;
}

#[tokio::test]
async fn f01_killed_before_the_intent_is_persisted_it_plans_again() {
    let floor = Floor::open().await;
    killed_at(&floor, Place::before("insert on hedge_order")).await;
    assert_eq!((floor.orders().await.as_str(), floor.at_broker().as_str()), ("", ""));
    goes_on_once(&floor).await;
    assert_eq!(floor.orders().await, "#2 BUY 5 AAPL: filled, 5 filled", "number 1 was never written");
}

#[tokio::test]
async fn f02_killed_after_the_plan_and_before_it_is_sent_it_sends_once() {
    let floor = Floor::open().await;
    killed_at(&floor, Place::before("update on hedge_order").only("new.state = 'sent'")).await;
    assert_eq!(
        (floor.orders().await.as_str(), floor.at_broker().as_str()),
        ("#1 BUY 5 AAPL: planned, 0 filled", "")
    );
    goes_on_once(&floor).await;
}

#[tokio::test]
async fn f02_killed_as_sent_and_before_the_first_byte_it_looks_and_sends_again_under_the_same_id() {
    let floor = Floor::open().await;
    killed_at(&floor, Place::commit("update on hedge_order").only("new.state = 'sent'")).await;
    assert_eq!(
        (floor.orders().await.as_str(), floor.at_broker().as_str()),
        ("#1 BUY 5 AAPL: sent, 0 filled", "")
    );
    goes_on_once(&floor).await;
    assert_eq!(floor.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    let story = floor.story(1).await;
    assert!(story.contains("searched, searched, searched"), "{story}");
    assert!(story.ends_with("sent again, accepted, executed, closed"), "{story}");
}

#[tokio::test]
async fn f03_killed_after_the_bytes_left_it_finds_the_order_and_adopts_it() {
    let floor = Floor::open().await;
    floor.account.strike(Strike::Hang.once().on(Ask::Submit));
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.until("the broker has it", async || floor.at_broker() != "").await;
    program.kill();
    assert_eq!(floor.orders().await, "#1 BUY 5 AAPL: sent, 0 filled");
    goes_on_once(&floor).await;
    assert_eq!(floor.story(1).await, "planned, sent, found, executed, closed");
    assert_eq!(floor.broker.asked().of(Ask::Submit), 1);
}

#[tokio::test]
async fn f03_killed_after_the_bytes_left_and_were_lost_it_sends_again_under_the_same_id() {
    let floor = Floor::open().await;
    floor.account.strike(Strike::LoseAndHang.once().on(Ask::Submit));
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.until("it was sent", async || floor.broker.asked().of(Ask::Submit) == 1).await;
    program.kill();
    goes_on_once(&floor).await;
    assert_eq!(floor.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(floor.broker.asked().of(Ask::Submit), 2);
}

#[tokio::test]
async fn f04_killed_after_the_answer_and_before_it_is_recorded_it_finds_the_order() {
    let floor = Floor::open().await;
    killed_at(&floor, Place::before("insert on broker_order")).await;
    assert_eq!(
        (floor.orders().await.as_str(), floor.at_broker().as_str()),
        ("#1 BUY 5 AAPL: sent, 0 filled", ONCE)
    );
    goes_on_once(&floor).await;
    let broker_id: String = sqlx::query_scalar("select broker_order_id from hedge_order")
        .fetch_one(floor.desk.pool())
        .await
        .unwrap();
    assert_eq!(broker_id, floor.account.orders()[0].id);
    assert_eq!(floor.broker.asked().of(Ask::Submit), 1);
}

#[tokio::test]
async fn f05_killed_while_an_unknown_order_is_adopted_it_adopts_the_same_one() {
    for when in [Place::before("insert on broker_order"), Place::commit("insert on broker_order")] {
        let floor = Floor::open().await;
        // Given an order whose answer is lost
        floor.account.strike(Strike::Hang.once().on(Ask::Submit));
        let mut program = floor.running().await;
        floor.sold("AAPL", 5);
        floor.until("the broker has it", async || floor.at_broker() != "").await;
        program.kill();
        // And a process that dies as it adopts it
        let gate = Gate::at(&floor.desk.world, when).await;
        dies_at(gate, &mut floor.run()).await;
        // When the next one comes, then the order is that one's, and nobody else's
        goes_on_once(&floor).await;
        let owners = "select count(*) from broker_order b join hedge_order o on o.id = b.order_id
                      where o.broker_order_id = b.broker_order_id";
        assert_eq!(floor.desk.count(owners).await, 1);
        assert_eq!(floor.desk.count("select count(*) from hedge_order").await, 1);
    }
}

#[tokio::test]
async fn f06_killed_after_a_fill_was_read_and_before_it_is_booked_it_books_it_once() {
    let floor = Floor::open().await;
    killed_at(&floor, Place::before("insert on execution")).await;
    assert_eq!(floor.desk.count("select count(*) from execution").await, 0);
    assert_eq!(floor.at_broker(), ONCE);
    goes_on_once(&floor).await;
}

#[tokio::test]
async fn f07_killed_between_a_booking_and_the_exposure_it_has_both_or_none() {
    let filled = "new.filled <> old.filled";
    for (place, booked) in [
        (Place::before("update on hedge_order").only(filled), (0, 0)),
        // Who dies while the database commits has booked.
        (Place::commit("update on hedge_order").only(filled), (1, 5)),
    ] {
        let floor = Floor::open().await;
        killed_at(&floor, place).await;
        let executions = floor.desk.count("select count(*) from execution").await;
        let filled = floor.desk.count("select sum(filled)::bigint from hedge_order").await;
        assert_eq!((executions, filled), booked, "{place:?}");
        goes_on_once(&floor).await;
        assert_eq!(floor.desk.count("select count(*) from execution").await, 1);
    }
}

#[tokio::test]
async fn f08_in_a_crash_loop_orders_do_not_grow() {
    let mut fate = StdRng::seed_from_u64(8);
    let floor = Floor::open().await;
    floor.sold("AAPL", 5);
    for _ in 0..10 {
        let mut program = floor.run();
        floor.wait(Duration::from_millis(fate.random_range(100..2_500))).await;
        program.kill();
    }
    goes_on_once(&floor).await;
    // What never left may have been planned anew; nothing was sent more than twice.
    let sent = floor.broker.asked().of(Ask::Submit);
    assert!(sent <= 2, "{sent} requests for one order");
    assert!(floor.desk.count("select count(*) from hedge_order").await <= 11);
}

#[tokio::test]
async fn f08_killed_thirty_times_over_a_busy_minute_it_loses_and_doubles_nothing() {
    const KILLS: u32 = 30;
    let mut fate = StdRng::seed_from_u64(30);
    let floor = Floor::open().await;
    for rule in lost_answers() {
        floor.account.strike(rule);
    }
    let mut within = 0;
    for _ in 0..KILLS {
        let mut program = floor.run();
        let before = floor.fence().await;
        let mut left = Duration::from_millis(fate.random_range(300..2_500));
        while left > Duration::ZERO {
            let (symbol, _) = SHARES[fate.random_range(0..SHARES.len())];
            floor.sold(symbol, fate.random_range(1..9));
            let pause = Duration::from_millis(fate.random_range(20..200)).min(left);
            floor.wait(pause).await;
            left -= pause;
        }
        program.kill();
        within += u32::from(floor.fence().await > before);
    }
    assert!(within > KILLS / 2, "only {within} kills found it at work");
    floor.account.calm();
    let _program = floor.running().await;
    floor.flat().await;
    floor.proved().await;
}

/// What a broker does to answers in a storm, and to how orders fill: nothing that it refuses.
pub fn lost_answers() -> Vec<StrikeRule> {
    vec![
        Strike::Drop.permille(60).on(Ask::Submit),
        Strike::Lose.permille(40).on(Ask::Submit),
        Strike::FailAfter(504).permille(30).on(Ask::Submit),
        Strike::Garbage.permille(20).on(Ask::Submit),
        Strike::Drop.permille(20),
        Strike::Fail(503).permille(20),
        Strike::Late(Duration::from_secs(2)).permille(20),
        Strike::Hide(Duration::from_secs(2)).permille(30),
        Strike::Delay(Duration::from_millis(300)).permille(100),
        Strike::Partial(400).permille(50),
        Strike::Slices { parts: 3, every: Duration::from_secs(1) }.permille(150),
        Strike::Vanish(Duration::from_secs(1)).permille(20),
        Strike::Supersede(Duration::from_secs(1)).permille(10),
    ]
}

#[tokio::test]
async fn f09_a_write_that_the_database_refuses_is_made_once_there_is_room() {
    let sent = "new.state = 'sent'";
    // The place, and what may be at the broker while it lasts.
    let places = [
        (Place::before("insert on hedge_order"), ""),
        (Place::commit("insert on hedge_order"), ""),
        (Place::before("insert on cover"), ""),
        (Place::before("insert on order_event").only("new.event = 'planned'"), ""),
        (Place::before("update on hedge_order").only(sent), ""),
        (Place::commit("update on hedge_order").only(sent), ""),
        (Place::before("insert on order_event").only("new.event = 'sent'"), ""),
        (Place::before("update on release"), ""),
        (Place::before("insert on broker_order"), ONCE),
        (Place::commit("insert on broker_order"), ONCE),
        (Place::before("insert on order_event").only("new.event in ('accepted', 'found')"), ONCE),
        (Place::before("insert on execution"), ONCE),
        (Place::commit("insert on execution"), ONCE),
        (Place::before("update on hedge_order").only("new.state = 'closed'"), ONCE),
        (Place::commit("update on hedge_order").only("new.state = 'closed'"), ONCE),
    ];
    let each = async |(place, at_broker): (Place, &str)| {
        let floor = Floor::open().await;
        let _program = floor.running().await;
        let refusal = Refusal::at(&floor.desk.world, place, "53100").await;
        floor.sold("AAPL", 5);
        refusal.met(3).await;
        assert_eq!(floor.at_broker(), at_broker, "{place:?}");
        let said = floor.desk.said();
        assert!(said.contains("could not"), "{place:?}: nobody is told:\n{said}");
        // When there is room again
        refusal.end().await;
        floor.flat().await;
        assert_eq!(floor.at_broker(), ONCE, "{place:?}");
        floor.proved().await;
    };
    join_all(places.map(each)).await;
}

#[tokio::test]
async fn f09_a_lease_that_cannot_be_renewed_is_not_acted_on() {
    let floor = Floor::open().await;
    let _program = floor.running().await;
    let refusal = Refusal::at(&floor.desk.world, Place::before("update on lease"), "53100").await;
    refusal.met(2).await;
    floor.sold("AAPL", 5);
    floor.wait(Duration::from_secs(2)).await;
    assert_eq!(floor.orders().await, "");
    refusal.end().await;
    floor.flat().await;
    assert_eq!(floor.at_broker(), ONCE);
}

#[tokio::test]
async fn f09_a_lock_that_somebody_holds_is_waited_for() {
    let floor = Floor::open().await;
    let _program = floor.running().await;
    for table in ["hedge_order", "execution", "lease"] {
        let mut tx = floor.desk.pool().begin().await.unwrap();
        let sql = format!("lock table {table} in exclusive mode");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap();
        floor.sold("AAPL", 5);
        floor.wait(Duration::from_secs(1)).await;
        tx.rollback().await.unwrap();
        floor.flat().await;
    }
    assert_eq!(floor.at_broker(), [ONCE; 3].join("\n"));
    floor.proved().await;
}

#[tokio::test]
async fn f10_of_two_instances_one_hedges_and_the_other_waits() {
    let floor = Floor::open().await;
    let mut programs = [floor.run(), floor.run()];
    let mut expected = Vec::new();
    for _ in 0..5 {
        floor.sold("AAPL", 5);
        floor.flat().await;
        expected.push(ONCE);
    }
    assert_eq!(floor.at_broker(), expected.join("\n"));
    assert_eq!(floor.fence().await, 1, "the lease went back and forth");
    for program in &mut programs {
        assert_eq!(program.has_ended(), None);
    }
    floor.proved().await;
    // And one that looks once says that somebody else does
    let said = floor.desk.run(&["sweep", "--once"], 4).await;
    assert!(said.contains("another process hedges"), "{said}");
}

#[tokio::test]
async fn f11_books_restored_from_before_an_order_find_it_at_the_broker_before_any_plan() {
    for before_the_first in [true, false] {
        let floor = Floor::open().await;
        if !before_the_first {
            let mut program = floor.running().await;
            floor.sold("AAPL", 5);
            floor.flat().await;
            program.kill();
        }
        let backup = floor.desk.world.copy().await;
        // Given hedges that a backup does not have: filled, working, and in doubt
        let mut program = floor.running().await;
        floor.sold("AAPL", 3);
        floor.sold("TSLA", 2);
        floor.flat().await;
        floor.account.strike(Strike::Hold.once().on(Ask::Submit).about("TSLA"));
        floor.sold("TSLA", 4);
        floor.account.strike(Strike::Hang.once().on(Ask::Submit).about("SPYM"));
        floor.sold("SPYM", 7);
        let there = if before_the_first { 4 } else { 5 };
        floor.until("the broker has all", async || floor.account.orders().len() == there).await;
        program.kill();
        // When the desk goes on with the backup
        let floor = floor.with_books(backup);
        let _program = floor.running().await;
        floor
            .until("all are found", async || {
                floor.desk.count("select count(*) from broker_order").await == i64::try_from(there).unwrap()
            })
            .await;
        floor.account.calm();
        floor.flat().await;
        // Then nothing is hedged a second time
        assert_eq!(floor.account.orders().len(), there, "{}", floor.at_broker());
        floor.proved().await;
    }
}

#[tokio::test]
async fn f11_a_plan_in_restored_books_that_left_after_they_were_saved_is_no_plan_any_more() {
    let floor = Floor::open().await;
    let mut program = floor.running().await;
    // Given a backup of the moment between plan and sending
    let mut gate =
        Gate::at(&floor.desk.world, Place::before("update on hedge_order").only("new.state = 'sent'")).await;
    floor.sold("AAPL", 5);
    gate.reached().await;
    program.freeze();
    let backup = floor.desk.world.copy().await;
    gate.forget().await;
    program.thaw();
    // And more than that was hedged since
    floor.flat().await;
    floor.sold("AAPL", 3);
    floor.flat().await;
    let before = floor.at_broker();
    program.kill();
    // When the desk goes on with the backup, then nothing is hedged a second time
    let floor = floor.with_books(backup);
    sqlx::raw_sql("drop trigger gate on hedge_order").execute(floor.desk.pool()).await.unwrap();
    let _program = floor.running().await;
    floor.flat().await;
    assert_eq!(floor.at_broker(), before);
    floor.proved().await;
}
