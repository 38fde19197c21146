//! Exposure to order to flat: the ordinary day.

use std::time::Duration;

use hedge::book::fill::Side;

use crate::pit::{Pit, Setup};

#[tokio::test]
async fn a_sale_on_chain_is_bought_back_once() {
    let pit = Pit::open().await;
    // Given a sale of five
    pit.sold("AAPL", "5").await;
    assert_eq!(pit.exposure("AAPL").await, "0", "not released before a sweep");
    // When the desk sweeps
    pit.flat().await;
    // Then five were bought, once, and nothing is exposed
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    assert_eq!(pit.story(1).await, "planned\nsent\naccepted\nexecuted\nclosed");
    pit.proved().await;
}

#[tokio::test]
async fn before_it_goes_live_the_desk_only_says_what_it_would_do() {
    let pit = Pit::with(Setup { live: false, ..Setup::default() }).await;
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.at_broker(), "");
    assert_eq!(pit.text("select reason || ': ' || detail from hold").await, "not live: would BUY 5 AAPL");
    // Given that hedging begins behind it
    let next = pit.chain.head().number + 1;
    pit.go_live(next).await;
    pit.sold("TSLA", "2").await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 2 TSLA: filled, 2 filled");
}

#[tokio::test]
async fn a_hedged_fill_that_is_reorged_away_is_unwound() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    // When the chain drops that block for good
    pit.chain.step_back(1);
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    assert_eq!(pit.exposure("AAPL").await, "5");
    pit.flat().await;
    // Then the hedge is undone by an order of its own, and both stand on record
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled\n#2 SELL 5 AAPL: filled, 5 filled");
    assert_eq!(
        pit.text("select what || ' ' || execution from cover where order_id = 2").await,
        "execution 1"
    );
    pit.proved().await;
}

#[tokio::test]
async fn what_is_bought_on_chain_is_only_sold_where_it_is_held() {
    let pit = Pit::open().await;
    pit.bought("AAPL", "3").await;
    pit.settle().await;
    assert_eq!(pit.hold("AAPL").await, "no shares");
    pit.account.endow("AAPL", crate::pit::shares("2"), crate::pit::price("187"));
    pit.pass(Duration::from_secs(20)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 SELL 2 AAPL: filled, 2 filled");
    assert_eq!(pit.exposure("AAPL").await, "1");
}

#[tokio::test]
async fn opposite_fills_net_out_before_the_sweep() {
    let pit = Pit::open().await;
    pit.fills(&[(Side::Sell, "AAPL", "2", "187"), (Side::Buy, "AAPL", "2", "186")]).await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "");
    assert_eq!(pit.exposure("AAPL").await, "0");
}
