//! How much there is to hedge: reorgs, repeats, dust, nonsense, and very many at once.

use std::sync::Arc;

use hedge::{
    book::fill::Side,
    policy::Limits,
    sim::{Ask, Fault, Pick, Strike, Weather},
    units::{Amount, Shares},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{mins, secs};
use crate::pit::{Pit, Setup, amount, limits, other, shares, usd};

#[tokio::test]
async fn f57_a_hedged_fill_that_the_chain_takes_back_is_traded_back() {
    let pit = Pit::open().await;
    pit.sold("AAPL", "5").await;
    pit.flat().await;
    pit.chain.step_back(1);
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 5 AAPL: Filled, 5 filled\nSELL 5 AAPL: Filled, 5 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    // Both stand on record, and so does the fill
    assert_eq!(pit.number("select count(*) from fill").await, 1);
    assert_eq!(pit.number("select count(*) from reporting.fill").await, 0);
    assert_eq!(pit.number("select count(*) from execution").await, 2);
    pit.proved().await;
}

#[tokio::test]
async fn f57_a_plan_for_a_fill_that_the_chain_takes_back_is_dropped() {
    let pit = Pit::open().await;
    pit.account.strike(Strike::Throttle { headers: true }.once().on(Ask::Submit));
    pit.sold("AAPL", "5").await;
    pit.settle().await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: planned, 0 filled");
    pit.chain.step_back(1);
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    pit.pass_by(mins(2), secs(10)).await;
    assert_eq!(pit.orders().await, "#1 BUY 5 AAPL: never placed, 0 filled");
    assert_eq!(pit.at_broker(), "");
    pit.proved().await;
}

#[tokio::test]
async fn f58_a_fill_that_is_told_twice_out_of_order_or_late_counts_once() {
    let pit = Pit::open().await;
    let weathers = [
        Weather::calm().with(Fault::DuplicateLog(Pick::Any).always()),
        Weather::calm().with(Fault::ShuffleLogs.always()),
        Weather::calm().with(Fault::OmitLog(Pick::Any).first(2)),
        Weather::calm().with(Fault::EmptyLogs.first(2)),
    ];
    for (round, weather) in (1..).zip(weathers) {
        pit.node.set_weather(weather);
        pit.fills(&[(Side::Sell, "AAPL", "1", "187"), (Side::Sell, "AAPL", "2", "188")]).await;
        pit.node.calm();
        pit.index().await;
        pit.stage.audit().await;
        pit.flat().await;
        assert_eq!(pit.number("select count(*) from reporting.fill").await, 2 * round);
        assert_eq!(pit.account.position("AAPL").to_string(), (3 * round).to_string());
    }
    // Nor does one that goes and comes again with its block
    let head = pit.chain.head().hash;
    pit.chain.step_back(1);
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    pit.chain.reorg_to(head).unwrap();
    pit.chain.mine([]);
    pit.chain.mine([]);
    pit.index().await;
    pit.flat().await;
    assert_eq!(pit.account.orders().len(), 4);
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f59_ten_thousand_tiny_fills_are_covered_but_for_a_residual_that_is_carried_exactly() {
    let pit = Pit::open().await;
    let mut chance = StdRng::seed_from_u64(59);
    let mut sum = Amount::ZERO;
    for _ in 0..5 {
        let sizes: Vec<Amount> = (0..2_000)
            .map(|_| Amount::from_atoms(chance.random_range(10_i128.pow(14)..2 * 10_i128.pow(16))).unwrap())
            .collect();
        sum = sizes.iter().fold(sum, |sum, size| sum.plus(*size).unwrap());
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        let trades: Vec<_> = sizes.iter().map(|size| (Side::Sell, "AAPL", size.as_str(), "187.25")).collect();
        pit.fills(&trades).await;
        pit.flat().await;
    }
    assert_eq!(pit.number("select count(*) from reporting.fill").await, 10_000);
    // What is covered and what is left are all of it
    let covered = amount(&pit.text("select sum(quantity)::text from cover where what = 'fill'").await);
    let left: Amount = amount(&pit.exposure("AAPL").await).negated();
    assert_eq!(covered.plus(left), Some(sum));
    assert!(Amount::ZERO < left && left < Amount::ONE, "{left}");
    assert_eq!(pit.account.position("AAPL"), Shares(covered));
    assert_eq!(covered, covered.cut(0), "whole shares");
    // And no fill is covered by more than it is
    let over =
        "select count(*) from (select chain_id, block_hash, log_index, role, sum(c.quantity) as covered
                from cover c group by 1, 2, 3, 4) c join fill f using (chain_id, block_hash, log_index, role)
                where covered > f.quantity";
    assert_eq!(pit.number(over).await, 0);
    pit.proved().await;
}

#[tokio::test]
async fn f59_exposure_below_the_threshold_waits_and_is_hedged_when_it_crosses() {
    let pit = Pit::open().await;
    for _ in 0..4 {
        pit.sold("AAPL", "0.24999975").await;
        pit.settle().await;
    }
    assert_eq!((pit.at_broker().as_str(), pit.hold("AAPL").await.as_str()), ("", "below threshold"));
    pit.sold("AAPL", "0.000001").await;
    pit.flat().await;
    assert_eq!(pit.at_broker(), "BUY 1 AAPL: Filled, 1 filled");
    assert_eq!(pit.exposure("AAPL").await, "0");
    pit.proved().await;
}

#[tokio::test]
async fn f60_what_nets_out_before_the_sweep_is_no_order() {
    let pit = Pit::open().await;
    pit.fills(&[(Side::Sell, "AAPL", "2.5", "187"), (Side::Buy, "AAPL", "2.5", "186")]).await;
    pit.sold("TSLA", "3").await;
    pit.bought("TSLA", "3").await;
    pit.pass(secs(10)).await;
    assert_eq!((pit.orders().await.as_str(), pit.at_broker().as_str()), ("", ""));
    pit.proved().await;
}

#[tokio::test]
async fn f61_exposure_that_makes_no_sense_is_stopped_by_every_limit() {
    let limits = Limits {
        max_order_usd: usd("5000"),
        max_day_usd: usd("60000"),
        max_order_shares: Some(shares("20")),
        max_day_shares: Some(shares("50")),
        price_band_bps: 500,
        ..limits()
    };
    let pit = Pit::with(Setup { limits, ..Setup::default() }).await;
    // Given a billion shares, which is a matter of decimals
    pit.sold("AAPL", "1000000000").await;
    pit.sold("TSLA", "1000000000").await;
    pit.pass_by(mins(3), secs(5)).await;
    pit.flat().await;
    // Then an order is of 20 shares and 5000 dollars at most, and a symbol's day of 50 shares
    let largest = "select max(quantity)::bigint from hedge_order where symbol = ";
    assert_eq!(pit.number(&format!("{largest} 'AAPL'")).await, 20);
    assert_eq!(pit.number(&format!("{largest} 'TSLA'")).await, 11);
    assert_eq!(pit.account.position("AAPL"), shares("50"));
    assert_eq!(pit.account.position("TSLA"), shares("50"));
    assert_eq!(
        (pit.hold("AAPL").await, pit.hold("TSLA").await),
        ("day limit".to_owned(), "day limit".to_owned())
    );
    // And all symbols' of 60000 dollars
    pit.sold("SPYM", "1000000").await;
    pit.pass_by(mins(2), secs(5)).await;
    pit.flat().await;
    assert!(pit.account.position("SPYM") < shares("375"), "9362.50 and 21025 were traded before");
    assert_eq!(pit.hold("SPYM").await, "day limit");
    pit.proved().await;
}

#[tokio::test]
async fn f61_a_price_that_makes_no_sense_is_stopped_by_the_band() {
    let limits = Limits { price_band_bps: 500, ..limits() };
    let pit = Pit::with(Setup { limits, ..Setup::default() }).await;
    pit.fills(&[(Side::Sell, "AAPL", "5", "0.00018725")]).await;
    pit.pass(secs(10)).await;
    assert_eq!(pit.hold("AAPL").await, "price band");
    assert_eq!(pit.at_broker(), "");
    pit.laws().await;
}

#[tokio::test]
async fn f63_sweeps_that_overlap_send_each_order_once() {
    let pit = Pit::open().await;
    pit.settle().await;
    for round in 1..=5 {
        for symbol in ["AAPL", "TSLA", "SPYM"] {
            pit.sold(symbol, "2").await;
        }
        let sweep = || {
            let trading = Arc::clone(&pit.trading);
            tokio::spawn(async move { trading.settle().await.unwrap() })
        };
        for sweep in [sweep(), sweep(), sweep(), sweep()] {
            sweep.await.unwrap();
        }
        pit.flat().await;
        assert_eq!(pit.account.orders().len(), 3 * round);
        assert_eq!(pit.sent_ids().len(), 3 * round);
    }
    pit.proved().await;
}

#[tokio::test]
async fn f62_five_hundred_symbols_are_hedged_within_the_budget_the_biggest_first() {
    let (symbols, rate) = (500_u16, 1_000);
    let limits = Limits { max_day_usd: usd("100000000"), ..limits() };
    let setup = Setup { others: symbols, rate, limits, cash: "100000000", ..Setup::default() };
    let pit = Pit::with(setup).await;
    pit.account.limit_rate(Some(2 * rate));
    pit.settle().await;
    // Given that each is sold, the later ones more of
    let names: Vec<String> = (0..symbols).map(other).collect();
    let sizes: Vec<String> = (0..symbols).map(|number| (number + 1).to_string()).collect();
    let trades: Vec<_> = names
        .iter()
        .zip(&sizes)
        .map(|(name, size)| (Side::Sell, name.as_str(), size.as_str(), "100"))
        .collect();
    pit.fills(&trades).await;
    for _ in 0..20 {
        pit.pass_by(secs(30), secs(5)).await;
        if pit.live().await == 0 && pit.account.orders().len() == usize::from(symbols) {
            break;
        }
    }
    // Then all are, once each, and the broker never had to throttle
    assert_eq!(pit.account.orders().len(), usize::from(symbols));
    assert_eq!(pit.live().await, 0);
    assert_eq!(pit.number("select count(*) from reporting.position_now where exposure <> 0").await, 0);
    assert!(pit.broker.recent().iter().all(|heard| heard.status != 429));
    let planned = pit.text("select symbol from hedge_order order by id").await;
    let planned: Vec<&str> = planned.lines().collect();
    assert!(planned.iter().rev().eq(&names), "the biggest exposure first");
    pit.proved().await;
}
