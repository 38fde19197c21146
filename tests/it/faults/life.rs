//! What becomes of an order that the broker has.

use hedge::{
    book::{
        fill::Side,
        order::{OrderId, Refusal},
    },
    engine::hedging::acts,
    sim::{Ask, Strike},
};

use super::{mins, secs};
use crate::pit::{Pit, Setup, price, shares, usd};

#[tokio::test]
async fn f25_an_order_that_is_filled_in_the_answer_is_booked_once_without_a_poll() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::AtOnce.once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.heard(Ask::Read).len(), 0);
    assert_eq!(pit.number("select count(*) from execution").await, 1);
    pit.flat().await;
    pit.pass(mins(2)).await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f26_partial_fills_are_booked_as_they_come_each_at_its_own_price() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Slices { parts: 3, every: secs(20) }.once());
    pit.sold("AAPL", "6").await;
    let mut seen = Vec::new();
    for at in ["187.253", "187.2571", "187.26"] {
        pit.account.set_price("AAPL", price(at));
        pit.settle().await;
        pit.pass(secs(19)).await;
        seen.push(pit.text("select trim_scale(filled) || ' ' || state from hedge_order").await);
    }
    assert_eq!(seen, ["2 working", "4 working", "6 closed"]);
    let booked = pit
        .text("select trim_scale(quantity) || ' at ' || trim_scale(price) || ' for ' || trim_scale(cash) from execution order by id")
        .await;
    assert_eq!(booked, "2 at 187.253 for -374.506\n2 at 187.2571 for -374.5142\n2 at 187.26 for -374.52");
    assert_eq!(pit.at_broker(), "BUY 6 AAPL: Filled, 6 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f27_what_a_cancel_leaves_of_an_order_is_exposure_again() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Partial(400).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: working, 2 filled");
    assert_eq!(pit.exposure("AAPL").await, "0", "the rest is in flight");
    acts::cancel(pit.pool(), OrderId(1), pit.act()).await.unwrap().unwrap();
    pit.pass(secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: canceled, 2 filled\n#2 BUY 3 AAPL: filled, 3 filled");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Canceled, 2 filled\nBUY 3 AAPL: Filled, 3 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f28_what_the_close_leaves_of_an_order_waits_for_the_next_open() {
    let pit = Pit::with(Setup { now: "2026-11-20T20:55:00Z", ..Setup::default() }).await;
    pit.account.strike(Strike::Partial(400).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    // When the day of the order is over
    pit.pass_by(mins(6), secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: expired, 2 filled");
    assert_eq!(pit.exposure("AAPL").await, "-3");
    assert_eq!(pit.hold("AAPL").await, "market closed");
    pit.proved().await;
    // Then the rest is bought on Monday morning
    pit.clock.sleep(mins(65 * 60 + 30)).await;
    pit.pass(secs(30)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Expired, 2 filled\nBUY 3 AAPL: Filled, 3 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f28_an_order_for_the_day_that_is_done_for_it_is_over() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Partial(400).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.account.strike(Strike::Word("done_for_day".to_owned()).first(1).on(Ask::Read));
    pit.pass(secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: expired, 2 filled\n#2 BUY 3 AAPL: filled, 3 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f29_a_fill_that_outruns_our_cancel_wins() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Hold.once());
    pit.account.strike(Strike::TooLate.once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(4)).await;
    acts::cancel(pit.pool(), OrderId(1), pit.act()).await.unwrap().unwrap();
    // The broker says yes to the cancel, and fills
    pit.pass(secs(6)).await;
    assert_eq!(pit.heard(Ask::Cancel)[0].status, 204);
    pit.flat().await;
    pit.pass(mins(1)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled", "and nothing was sent in its place");
    pit.proved().await;
}

#[tokio::test]
async fn f30_a_cancel_of_what_is_filled_is_no_error() {
    let pit = Pit::open().await;
    // Given that the broker shows a filled order as open still
    pit.account.strike(Strike::Hold.once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    acts::cancel(pit.pool(), OrderId(1), pit.act()).await.unwrap().unwrap();
    pit.account.strike(Strike::Word("partially_filled".to_owned()).first(1).on(Ask::Read));
    assert!(pit.account.execute(&pit.broker_ids()[0], shares("5"), price("187.25")));
    pit.pass(secs(10)).await;
    let cancel = &pit.heard(Ask::Cancel)[0];
    assert_eq!((cancel.status, cancel.answer.contains("already in \\\"filled\\\" state")), (422, true));
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f31_without_funds_the_broker_is_asked_ever_more_rarely() {
    let pit = Pit::open().await;
    // Given buying power that the account's cash does not tell of
    pit.account.set_buying_power(Some(usd("100")));
    pit.sold("AAPL", "5").await;
    pit.sold("TSLA", "1").await;
    pit.settle().await;
    assert_eq!(pit.text("select distinct why || ' ' || refusal from hedge_order").await, "refused funds");
    assert_eq!(pit.hold("AAPL").await, "refused");
    assert_eq!(pit.exposure("AAPL").await, "-5");
    pit.pass_by(mins(16), secs(10)).await;
    // After one, two, four and eight minutes, each symbol for itself
    assert_eq!(pit.number("select count(*) from hedge_order where symbol = 'AAPL'").await, 5);
    assert_eq!(pit.number("select count(*) from hedge_order where symbol = 'TSLA'").await, 5);
    assert_eq!(pit.account.orders(), []);
    // When there is money again, the next try has it
    pit.account.set_buying_power(None);
    pit.pass_by(mins(16), secs(30)).await;
    pit.flat().await;
    let mut there: Vec<String> = pit.at_broker().lines().map(str::to_owned).collect();
    there.sort();
    assert_eq!(there, ["BUY 1 TSLA: Filled, 1 filled", "BUY 5 AAPL: Filled, 5 filled"]);
    pit.proved().await;
}

#[tokio::test]
async fn f31_after_a_deposit_a_refused_order_is_tried_at_once() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Refuse(Refusal::Funds).first(2));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.pass_by(mins(2), secs(10)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: refused, 0 filled\n#2 BUY 5 AAPL: refused, 0 filled");
    assert_eq!(pit.hold("AAPL").await, "refused");
    pit.account.set_cash(usd("2000000"));
    pit.pass(secs(16)).await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled");
    pit.flat().await;
    pit.proved().await;
}

#[tokio::test]
async fn f32_a_rejection_after_acceptance_keeps_what_was_filled_and_why() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Partial(400).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    pit.account.reject(&pit.broker_ids()[0], "insufficient funds");
    pit.pass(secs(6)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: refused, 2 filled");
    assert_eq!(pit.exposure("AAPL").await, "-3");
    assert_eq!(pit.hold("AAPL").await, "refused");
    let evidence = pit.text("select evidence from order_event where event = 'closed'").await;
    assert!(evidence.contains("\"rejected\""), "{evidence}");
    pit.pass_by(mins(6), secs(30)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Rejected, 2 filled\nBUY 3 AAPL: Filled, 3 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f33_an_order_that_rests_at_new_is_reported_and_never_doubled() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Hold.once());
    pit.sold("AAPL", "5").await;
    pit.pass_by(secs(100), secs(10)).await;
    assert!(!pit.story(1).await.contains("stuck"));
    pit.sold("AAPL", "4").await;
    pit.pass_by(mins(3), secs(10)).await;
    // Then it is said once, and nothing is sent beside it
    assert_eq!(pit.told(1, "stuck").await, "new with the market open");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: New, 0 filled");
    assert_eq!(pit.exposure("AAPL").await, "-4");
    assert_eq!(pit.hold("AAPL").await, "in flight");
    // Until it is over
    pit.account.calm();
    pit.pass(secs(20)).await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nBUY 4 AAPL: Filled, 4 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f34_a_halted_share_has_one_order_and_others_go_on() {
    let pit = Pit::open().await;
    pit.account.listing("AAPL", |listing| listing.halted = true);
    pit.sold("AAPL", "5").await;
    for _ in 0..3 {
        pit.sold("TSLA", "1").await;
        pit.pass_by(mins(1), secs(10)).await;
    }
    pit.sold("AAPL", "1").await;
    pit.pass_by(mins(10), secs(30)).await;
    assert_eq!(pit.told(1, "stuck").await, "new with the market open");
    assert_eq!(
        pit.orders().await,
        "#1 BUY 5 AAPL: working, 0 filled\n#2 BUY 1 TSLA: filled, 1 filled\n#3 BUY 1 TSLA: filled, 1 filled\n#4 BUY 1 TSLA: filled, 1 filled"
    );
    pit.account.listing("AAPL", |listing| listing.halted = false);
    pit.pass(secs(30)).await;
    pit.flat().await;
    assert_eq!(pit.exposure("AAPL").await, "0");
    assert_eq!(pit.account.orders().len(), 5);
    pit.proved().await;
}

#[tokio::test]
async fn f36_against_an_opposite_order_of_the_account_ours_waits() {
    let pit = Pit::open().await;
    pit.settle().await;
    // Given a person's sale of ten that rests
    pit.account.endow("AAPL", shares("10"), price("180"));
    pit.account.listing("AAPL", |listing| listing.halted = true);
    let theirs = pit.account.person_trades("AAPL", Side::Sell, shares("10"));
    pit.sold("AAPL", "5").await;
    pit.pass_by(mins(2), secs(10)).await;
    // Then ours is refused for it, tried again ever more rarely, and never stands beside it
    assert_eq!(pit.text("select distinct refusal from hedge_order").await, "wash trade");
    assert!((2..=4).contains(&pit.number("select count(*) from hedge_order").await));
    let evidence = pit.text("select distinct evidence from order_event where event = 'closed'").await;
    assert!(evidence.contains(&theirs), "the order in the way is named: {evidence}");
    assert_eq!(pit.hold("AAPL").await, "refused");
    // When it is gone
    pit.account.listing("AAPL", |listing| listing.halted = false);
    pit.account.cancel(&theirs);
    pit.pass_by(mins(3), secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.exposure("AAPL").await, "0");
    assert_eq!(pit.at_broker().lines().last(), Some("BUY 5 AAPL: Filled, 5 filled"));
    pit.laws().await;
}

#[tokio::test]
async fn f37_shares_that_another_order_holds_are_waited_for() {
    let pit = Pit::open().await;
    pit.account.endow("AAPL", shares("5"), price("180"));
    pit.settle().await;
    // Given that a person's order holds them since we looked
    pit.account.listing("AAPL", |listing| listing.halted = true);
    let theirs = pit.account.person_trades("AAPL", Side::Sell, shares("4"));
    pit.bought("AAPL", "3").await;
    pit.settle().await;
    assert_eq!(pit.text("select refusal from hedge_order").await, "held shares");
    let evidence = pit.text("select evidence from order_event where event = 'closed'").await;
    assert!(evidence.contains("related_orders") && evidence.contains(&theirs), "{evidence}");
    // Then it is known whose they are, and what is free is sold meanwhile
    pit.pass_by(mins(2), secs(10)).await;
    assert_eq!(
        pit.text("select side || ' ' || trim_scale(quantity) from foreign_order").await,
        "BUY 5\nSELL 4"
    );
    assert!(
        pit.text("select distinct coalesce(refusal, '-') from hedge_order").await.contains("held shares")
    );
    assert_eq!(pit.number("select count(*) from hedge_order where refusal = 'funds'").await, 0);
    pit.account.cancel(&theirs);
    pit.account.listing("AAPL", |listing| listing.halted = false);
    pit.pass_by(mins(3), secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.exposure("AAPL").await, "0");
    assert_eq!(pit.account.position("AAPL"), shares("2"));
    pit.laws().await;
}

#[tokio::test]
async fn f38_what_is_filled_beyond_the_order_is_traded_back() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Overfill(1_400).once());
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 7 filled\n#2 SELL 2 AAPL: filled, 2 filled");
    assert_eq!(pit.told(1, "closed").await, "filled: 7 of 5 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f39_a_status_never_heard_of_is_alive_and_fields_may_come_and_go() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Word("quantum_superposed".to_owned()).first(4).on(Ask::Read).about("AAPL"));
    pit.account.strike(Strike::Extra.always());
    pit.account.strike(Strike::Bare.always());
    pit.sold("AAPL", "5").await;
    pit.sold("TSLA", "1").await;
    pit.settle().await;
    pit.pass(secs(6)).await;
    // Then it is said once, what it filled is booked, and it is not over
    assert_eq!(pit.told(1, "strange").await, "the broker says quantum_superposed");
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: working, 5 filled\n#2 BUY 1 TSLA: filled, 1 filled");
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nBUY 1 TSLA: Filled, 1 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f40_an_order_that_goes_on_under_another_id_is_counted_once() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Partial(400).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    pit.account.supersede(&pit.broker_ids()[0]);
    pit.pass(secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Replaced, 2 filled\nBUY 3 AAPL: Filled, 3 filled");
    assert_eq!(pit.number("select count(*) from broker_order where order_id = 1").await, 2);
    assert_eq!(pit.number("select count(*) from foreign_order").await, 0);
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f41_a_person_s_trade_in_the_account_is_reported_and_not_hedged_back() {
    let pit = Pit::open().await;
    pit.settle().await;
    let theirs = pit.account.person_trades("AAPL", Side::Buy, shares("30"));
    pit.pass_by(mins(3), secs(10)).await;
    assert_eq!(pit.text("select broker_order_id from foreign_order").await, theirs);
    assert_eq!(
        pit.text("select trim_scale(quantity) || ' ' || (order_id is null) from execution").await,
        "30 true",
        "a trade that nobody here ordered"
    );
    assert_eq!((pit.orders().await.as_str(), pit.exposure("AAPL").await.as_str()), ("", "0"));
    // And what is ours goes its way beside it
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 30 AAPL: Filled, 30 filled\nBUY 5 AAPL: Filled, 5 filled");
    assert_eq!(pit.account.position("AAPL"), shares("35"));
    pit.laws().await;
}

#[tokio::test]
async fn f41_a_person_s_cancel_of_our_order_leaves_exposure() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Partial(400).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    pit.account.cancel(&pit.broker_ids()[0]);
    pit.pass(secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: canceled, 2 filled\n#2 BUY 3 AAPL: filled, 3 filled");
    pit.proved().await;
}

#[tokio::test]
async fn f42_a_trade_that_is_taken_back_opens_its_exposure_again() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.sold("TSLA", "4").await;
    pit.flat().await;
    let mut executions = pit.account.executions();
    executions.sort_by_key(|execution| execution.symbol.clone());
    let [apple, tesla] = executions.try_into().unwrap();
    // When the broker busts one some time later, and corrects the other
    pit.clock.sleep(mins(10)).await;
    pit.account.bust(&apple.id).unwrap();
    pit.account.correct(&tesla.id, shares("3"), price("421")).unwrap();
    pit.pass_by(mins(2), secs(10)).await;
    pit.flat().await;
    // Then what is gone is bought again, and nothing that was written is changed
    assert_eq!(
        pit.text(
            "select nature || ' ' || trim_scale(quantity) || ' ' || symbol from execution order by symbol, id"
        )
        .await,
        "trade 5 AAPL\nbust -5 AAPL\ntrade 5 AAPL\ntrade 4 TSLA\ncorrection -1 TSLA\ntrade 1 TSLA"
    );
    assert_eq!(pit.exposure("AAPL").await, "0");
    assert_eq!(pit.exposure("TSLA").await, "0");
    assert_eq!(pit.account.orders().len(), 4);
    pit.proved().await;
}
