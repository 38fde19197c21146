//! F64 to F66 of the fault list: the program is told to end, upgraded, and pointed at
//! another broker, with orders on their way.

use std::{
    fs,
    time::{Duration, Instant},
};

use hedge::sim::{Ask, Strike};

use crate::floor::Floor;

#[tokio::test]
async fn f64_told_to_end_in_mid_send_it_waits_for_the_answer() {
    let floor = Floor::open().await;
    floor.account.strike(Strike::Delay(Duration::from_secs(3)).once().on(Ask::Submit));
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.until("it left", async || floor.broker.asked().of(Ask::Submit) == 1).await;
    // When it is told to end, with the answer still to come
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0), "{}", floor.desk.said());
    // Then it has heard it before it ended
    let story = floor.story(1).await;
    assert!(story.starts_with("planned, sent, accepted"), "{story}");
    let _program = floor.running().await;
    floor.flat().await;
    assert_eq!(floor.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    floor.proved().await;
}

#[tokio::test]
async fn f64_an_answer_that_does_not_come_is_not_waited_for_beyond_thirty_seconds() {
    let floor = Floor::open().await;
    floor.configure("10m");
    floor.account.strike(Strike::Hang.once().on(Ask::Submit));
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.until("it left", async || floor.broker.asked().of(Ask::Submit) == 1).await;
    let told = Instant::now();
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0), "{}", floor.desk.said());
    assert!(told.elapsed() < Duration::from_secs(30), "it took {:?}", told.elapsed());
    // Then it is left as sent, and found by the next one
    assert_eq!(floor.orders().await, "#1 BUY 5 AAPL: sent, 0 filled");
    let _program = floor.running().await;
    floor.flat().await;
    assert_eq!(floor.story(1).await, "planned, sent, found, executed, closed");
    assert_eq!(floor.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    floor.proved().await;
}

#[tokio::test]
async fn f65_the_next_version_goes_on_with_orders_that_are_on_their_way() {
    let floor = Floor::open().await;
    // Given an order that works, one that fills in part, and one that nobody knows of
    floor.account.strike(Strike::Hold.once().on(Ask::Submit).about("AAPL"));
    floor.account.strike(Strike::Partial(400).once().on(Ask::Submit).about("TSLA"));
    floor.account.strike(Strike::Hang.once().on(Ask::Submit).about("SPYM"));
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.sold("TSLA", 10);
    floor.sold("SPYM", 3);
    let booked = "select count(*) from hedge_order
                  where state = 'working' and filled = case symbol when 'TSLA' then 4 else 0 end";
    floor
        .until("all are on their way", async || {
            floor.account.orders().len() == 3 && floor.desk.count(booked).await == 2
        })
        .await;
    // When the program is taken away, whatever it was doing, and another brings the tables up to date
    program.kill();
    floor.desk.run(&["migrate"], 0).await;
    let _program = floor.running().await;
    floor.sold("AAPL", 1);
    floor.account.calm();
    floor.flat().await;
    // Then each of the three goes on as it was, and what came since is hedged beside them
    assert_eq!(
        floor.at_broker().lines().count(),
        4,
        "three from before, and one for what came since: {}",
        floor.at_broker()
    );
    assert_eq!(floor.desk.count("select count(*) from hedge_order where why <> 'filled'").await, 0);
    floor.proved().await;
}

#[tokio::test]
async fn f66_with_orders_open_at_one_venue_it_does_not_start_at_another() {
    let floor = Floor::open().await;
    floor.account.strike(Strike::Hold.once().on(Ask::Submit));
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.until("it works", async || floor.orders().await.contains("working")).await;
    program.kill();
    let client_id = floor.account.orders()[0].client_id.clone();
    assert!(client_id.starts_with("hedge-alpaca-paper-"), "{client_id}");
    // When real money is configured in its place
    let paper = fs::read_to_string(floor.desk.config()).unwrap();
    let live = paper.replace("environment = \"paper\"", "environment = \"live\"");
    fs::write(floor.desk.config(), &live).unwrap();
    // Then it refuses, and says what to do
    let said = floor.desk.run(&["run"], 2).await;
    let (_, refusal) = said.rsplit_once("error: ").unwrap();
    insta::assert_snapshot!(refusal, @r"
    orders are open at alpaca (alpaca, paper), which is not configured any more: 1
    cause: the first of them is #1; hedging elsewhere would hedge what they do a second time
    state: nothing was started; the orders stand as they are
    next:  configure alpaca (alpaca, paper) again until they are closed, or say how they ended: hedge resolve 1 --closed --reason …
    ");
    floor.desk.run(&["sweep", "--once"], 2).await;
    assert_eq!(floor.account.orders().len(), 1);
    // And once the order is drained at the old place, it starts at the new one
    fs::write(floor.desk.config(), &paper).unwrap();
    let mut program = floor.running().await;
    floor.account.calm();
    floor.flat().await;
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0));
    fs::write(floor.desk.config(), &live).unwrap();
    let _program = floor.running().await;
    floor.sold("TSLA", 2);
    floor.flat().await;
    let client_id = floor.account.orders()[1].client_id.clone();
    assert!(client_id.starts_with("hedge-alpaca-live-"), "{client_id}");
    floor.proved().await;
}
