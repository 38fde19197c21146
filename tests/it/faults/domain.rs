//! The rules of the domain on what an order does to exposure, and on whose id it has.

use hedge::sim::{Ask, Strike};

use super::{mins, secs};
use crate::pit::{Pit, Setup};

#[tokio::test]
async fn r21_a_hedge_moves_exposure_by_what_it_filled_alone() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Partial(600).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    pit.account.cancel(&pit.broker_ids()[0]);
    // Given that nothing more is planned for now
    hedge::store::halts::halt(&mut pit.pool().acquire().await.unwrap(), None, pit.act()).await.unwrap();
    pit.pass(secs(10)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: canceled, 3 filled");
    assert_eq!(pit.exposure("AAPL").await, "-2", "of five, three");
    pit.proved().await;
}

#[tokio::test]
async fn r21_an_order_that_filled_nothing_leaves_exposure_to_the_next_sweep() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Vanish(secs(1)).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(10)).await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: canceled, 0 filled\n#2 BUY 5 AAPL: filled, 5 filled");
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Canceled, 0 filled\nBUY 5 AAPL: Filled, 5 filled");
    pit.proved().await;
}

#[tokio::test]
async fn r22_an_excess_is_exposure_of_the_other_sign() {
    let setup =
        Setup { threshold: hedge::assets::Threshold::Fraction("0.5".parse().unwrap()), ..Setup::default() };
    let pit = Pit::with(setup).await;
    pit.account.strike(Strike::Overfill(1_200).once());
    pit.sold("AAPL", "1.5").await;
    pit.flat().await;
    assert_eq!(pit.orders().await, "#1 BUY 1.5 AAPL: filled, 1.8 filled");
    assert_eq!(pit.exposure("AAPL").await, "0.3");
    assert_eq!(pit.hold("AAPL").await, "below threshold");
    pit.proved().await;
}

#[tokio::test]
async fn r23_an_intent_that_is_sent_twice_is_one_order_whose_quantity_is_the_broker_s() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Drop.once().on(Ask::Submit));
    pit.account.strike(Strike::Overfill(1_200).once());
    pit.account.strike(Strike::Fail(404).first(5).on(Ask::Lookup));
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    assert!(pit.heard(Ask::Submit)[1].answer.contains("client_order_id must be unique"));
    assert_eq!(pit.orders().await.lines().next(), Some("#1 BUY 5 AAPL: filled, 6 filled"));
    assert_eq!(pit.account.orders().iter().filter(|order| order.client_id == pit.sent_ids()[0]).count(), 1);
    pit.proved().await;
}

#[tokio::test]
async fn r24_after_an_end_the_next_try_has_an_id_of_its_own() {
    let pit = Pit::open().await;
    for (sale, end) in [
        (1, Strike::Reject { after: secs(1), reason: "insufficient funds".to_owned() }),
        (2, Strike::Expire(secs(1))),
        (3, Strike::Vanish(secs(1))),
    ] {
        pit.account.strike(end.clone().once());
        pit.sold("AAPL", "5").await;
        pit.pass_by(mins(6), secs(20)).await;
        let ids = pit.sent_ids();
        assert_eq!(ids.len(), 2 * sale, "{end:?}");
        assert_ne!(ids[2 * sale - 2], ids[2 * sale - 1], "{end:?}");
    }
    pit.flat().await;
    assert_eq!(pit.number("select count(*) from hedge_order where why = 'filled'").await, 3);
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn r24_while_an_order_rests_whatever_that_is_called_it_keeps_its_id() {
    let pit = Pit::open().await;
    for (sale, word) in [(1, "suspended"), (2, "calculated")] {
        pit.account.strike(Strike::Word(word.to_owned()).during(mins(2)).on(Ask::Read));
        pit.sold("AAPL", "5").await;
        pit.pass_by(secs(100), secs(20)).await;
        assert_eq!(
            pit.text(&format!("select state from hedge_order where id = {sale}")).await,
            "working",
            "{word}"
        );
        assert_eq!(pit.sent_ids().len(), sale, "{word}");
        pit.pass_by(mins(1), secs(20)).await;
    }
    pit.account.strike(Strike::Supersede(secs(5)).once());
    pit.sold("AAPL", "5").await;
    pit.pass(secs(20)).await;
    pit.flat().await;
    assert_eq!(pit.sent_ids().len(), 3, "what is replaced is not sent anew");
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}
