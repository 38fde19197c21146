//! What an operator, or the broker's, does to an account.

use hedge::sim::{Ask, Strike};

use super::{mins, secs};
use crate::pit::{Pit, usd};

#[tokio::test]
async fn f67_an_account_that_was_reset_freezes_everything_and_nothing_is_sent_again() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    // Given an order that works, and one that is looked for
    pit.account.strike(Strike::Hold.once());
    pit.sold("TSLA", "2").await;
    pit.settle().await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.sold("SPYM", "3").await;
    pit.settle().await;
    let sent = pit.sent_ids().len();
    // When another account is in its place
    pit.account.reset(usd("1000000"));
    pit.pass_by(mins(5), secs(10)).await;
    // Then nothing is sent, all is halted, and what is gone is doubted
    assert_eq!(pit.sent_ids().len(), sent);
    assert_eq!(pit.account.orders(), []);
    let halt = pit
        .text("select coalesce(symbol, 'everything') || ' by ' || author || ': ' || reason from halt")
        .await;
    assert!(halt.starts_with("everything by hedge: ") && halt.contains("reset"), "{halt}");
    let states = "select symbol || ' ' || state from hedge_order where id > 1 order by id";
    assert_eq!(pit.text(states).await, "TSLA ambiguous\nSPYM sent");
    // And what was booked stands
    assert_eq!(pit.number("select count(*) from execution").await, 1);
    pit.laws().await;
}

#[tokio::test]
async fn f67_a_reset_that_only_missing_orders_tell_of_is_found_before_anything_is_sent_again() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.account.strike(Strike::Lose.once().on(Ask::Submit));
    pit.sold("SPYM", "3").await;
    pit.settle().await;
    let sent = pit.sent_ids().len();
    // Given that the account's own id is not to be had
    pit.account.strike(Strike::Fail(503).always().on(Ask::Account));
    pit.account.reset(usd("1000000"));
    pit.pass_by(mins(3), secs(10)).await;
    assert_eq!(pit.sent_ids().len(), sent);
    let halt = pit.text("select reason from halt").await;
    assert!(halt.contains("does not know order") && halt.contains("reset"), "{halt}");
    assert_eq!(pit.text("select state from hedge_order where symbol = 'SPYM'").await, "sent");
    pit.laws().await;
}
