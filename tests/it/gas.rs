//! What transactions cost who paid: read once, valued when ETH's price can be read, taken back with its block.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use hedge::{
    chain::{nodes::Nodes, source::usual_pyth},
    engine::meter::{Meter, Metered},
    sim::{Fault, Genesis, Method, Mix, Rate, SimChain, SimNode, Weather},
    units::Amount,
};

use crate::{
    chain::{Stage, node, settings},
    pit::amount,
    world::World,
};

/// Pyth's feed of ETH.
const ETHER: B256 = B256::repeat_byte(0xff);

struct Stand {
    world: World,
    chain: SimChain,
    node: SimNode,
    /// Whom fills are read from.
    _read_from: SimNode,
    stage: Stage,
    meter: Meter,
}

/// A chain with fills, on which ETH is worth 3 412.87 dollars, and a desk that pays for whatever the busiest sender sends.
async fn metered(weather: Weather) -> Stand {
    let chain = SimChain::new(Genesis { seed: 5, ..Genesis::at(43_339_885) });
    chain.keep_inventing(5, Rate::per_block(8), Mix::takes_only());
    chain.set_oracle("ETH", ETHER, 0, 341_287_000);
    chain.mine_invented(12);
    let read_from = node(&chain, Weather::calm()).await;
    let node = node(&chain, weather).await;
    let world = World::new().await;
    let stage = Stage::new(&world, &chain, &[&read_from]);
    stage.settle().await;
    let meter = Meter {
        pool: world.pool().clone(),
        clock: stage.clock.clone(),
        nodes: Nodes::new(&settings(&chain, &[&node]), &stage.clock).unwrap(),
        chain: chain.chain_id(),
        sources: vec![stage.reading().await.id],
        payers: vec![Address::repeat_byte(0x99)],
        ether: usual_pyth(8453).map(|pyth| (pyth, ETHER)),
    };
    Stand { world, chain, node, _read_from: read_from, stage, meter }
}

impl Stand {
    async fn run(&self) -> Metered {
        self.meter.run(Duration::from_secs(20)).await.unwrap()
    }

    /// Everybody who ever sent something is one of ours.
    async fn all_pay(&mut self) {
        let payers: Vec<Vec<u8>> =
            sqlx::query_scalar("select distinct payer from gas").fetch_all(self.world.pool()).await.unwrap();
        self.meter.payers = payers.iter().map(|payer| Address::from_slice(payer)).collect();
    }

    /// Rows of `reporting.cost`: how many, how many of them in dollars, all dollars, all ETH.
    async fn costs(&self) -> (i64, i64, Option<Amount>, Option<Amount>) {
        let sql = "select count(*), count(amount_usd_exact), sum(amount_usd_exact)::numeric(38,18), sum(amount_eth_exact)::numeric(38,18)
                   from reporting.cost where kind = 'gas'";
        sqlx::query_as(sql).fetch_one(self.world.pool()).await.unwrap()
    }

    /// What the canonical transactions with a log of ours cost in ETH, by the receipts: how many, and the sum.
    async fn paid(&self) -> (i64, Amount) {
        let sql = "select count(*), -sum(used * 0.000000000001 + 0.000000001287654321)::numeric(38,18) from gas g
                   where exists (select from chain_log l where l.tx_hash = g.tx_hash and l.block_hash = g.block_hash and l.taken_by is null)";
        sqlx::query_as(sql).fetch_one(self.world.pool()).await.unwrap()
    }
}

#[tokio::test]
async fn a_receipt_is_read_once_and_what_others_paid_costs_nothing() {
    let mut stand = metered(Weather::calm()).await;
    let first = stand.run().await;
    assert!(first.receipts > 20 && first.later == 0 && first.booked == 0, "{first:?}");
    assert_eq!(stand.costs().await, (0, 0, None, None));
    // When it turns out that all of them are ours, then no receipt is read again
    let asked = stand.node.tally().of(Method::TransactionReceipt);
    stand.all_pay().await;
    let second = stand.run().await;
    assert_eq!((second.receipts, second.booked), (0, first.receipts));
    assert_eq!(stand.node.tally().of(Method::TransactionReceipt), asked);
    // And each is a cost to the last wei, and that in dollars
    let (count, eth) = stand.paid().await;
    let (rows, valued, usd, told) = stand.costs().await;
    assert_eq!((rows, valued, told), (count, count, Some(eth)));
    let off = usd.unwrap().minus(eth.times(amount("3412.87")).unwrap()).unwrap().abs();
    assert!(off.atoms() <= i128::from(count), "each is rounded once: {off}");
    // And a third time there is nothing to do
    let asked = stand.node.tally().requests;
    assert_eq!(stand.run().await, Metered::default());
    assert_eq!(stand.node.tally().requests, asked);
    // And who was none of ours after all costs nothing, and both stand on record
    stand.meter.payers.clear();
    let last = stand.run().await;
    assert_eq!(last.taken_back, first.receipts);
    let (rows, _, usd, told) = stand.costs().await;
    assert_eq!((rows, usd, told), (2 * count, Some(Amount::ZERO), Some(Amount::ZERO)));
}

#[tokio::test]
async fn what_eth_was_worth_is_asked_for_again_and_nothing_waits_for_it() {
    // Given a node that has lost the state of every block but the newest
    let mut stand = metered(Weather::calm().with(Fault::PrunedState(0).always())).await;
    stand.run().await;
    stand.all_pay().await;
    let without = stand.run().await;
    let newest = i64::try_from(without.booked).unwrap();
    assert!(without.priced == 1 && without.later > 0, "{without:?}");
    // Then what was paid is there in ETH, and its value is not known
    let (count, eth) = stand.paid().await;
    let (rows, valued, _, told) = stand.costs().await;
    assert_eq!((rows, valued, told), (count, newest, Some(eth)));
    let why = "select distinct valuation from reporting.cost where amount_usd is null";
    let why: Vec<String> = sqlx::query_scalar(why).fetch_all(stand.world.pool()).await.unwrap();
    assert!(why.iter().all(|why| why.contains("no longer has the state of its block")), "{why:?}");
    // When an archive is asked another night, then it is
    stand.node.calm();
    stand.stage.clock.sleep(Duration::from_hours(24)).await;
    let with = stand.run().await;
    assert_eq!(i64::try_from(with.booked).unwrap(), count - newest);
    assert_eq!(stand.costs().await.1, count);
}

#[tokio::test]
async fn a_node_that_is_down_fails_no_night() {
    let mut stand = metered(Weather::calm().with(Fault::Unavailable.always())).await;
    let down = stand.run().await;
    assert_eq!((down.receipts, down.booked), (0, 0));
    assert!(down.later > 0, "{down:?}");
    // And one that has lost a receipt delays no other
    stand.node.calm();
    stand.stage.clock.sleep(Duration::from_hours(24)).await;
    stand.node.set_weather(Weather::calm().with(Fault::NullResult.first(1).on(Method::TransactionReceipt)));
    let most = stand.run().await;
    assert!(most.receipts > 20, "{most:?}");
    stand.run().await;
    stand.all_pay().await;
    assert_eq!(i64::try_from(stand.run().await.booked).unwrap(), stand.paid().await.0);
}

#[tokio::test]
async fn a_night_has_so_much_time_for_it_and_no_more() {
    // Given a node that takes its time
    let mut stand = metered(Weather::calm().with(Fault::Slow(Duration::from_mins(1)).always())).await;
    let begun = std::time::Instant::now();
    let slow = stand.meter.run(Duration::from_millis(200)).await.unwrap();
    assert!(slow.cut_short && slow.receipts == 0, "{slow:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // Then what is known is booked all the same, and the next night goes on
    stand.node.calm();
    assert!(stand.run().await.receipts > 20);
    stand.all_pay().await;
    assert_eq!(i64::try_from(stand.run().await.booked).unwrap(), stand.paid().await.0);
}

#[tokio::test]
async fn the_cost_of_a_transaction_goes_with_its_block() {
    // Given costs that are booked
    let mut stand = metered(Weather::calm()).await;
    stand.run().await;
    stand.all_pay().await;
    stand.run().await;
    // When the chain takes three blocks back, and comes to others
    let before = stand.chain.reorg(3);
    stand.stage.settle().await;
    stand.run().await;
    stand.all_pay().await;
    stand.run().await;
    // Then every transaction costs what it did in the block where it stands
    let sum = |costs: (i64, i64, Option<Amount>, Option<Amount>)| costs.3.unwrap();
    assert_eq!(sum(stand.costs().await), stand.paid().await.1);
    let taken = "select count(*) from cash_flow where said like '%taken back'";
    let taken: i64 = sqlx::query_scalar(taken).fetch_one(stand.world.pool()).await.unwrap();
    assert!(taken > 0);
    // And when it goes back to the blocks that it had, it is what it was
    stand.chain.reorg_to(before.hash).unwrap();
    stand.stage.settle().await;
    stand.run().await;
    assert_eq!(sum(stand.costs().await), stand.paid().await.1);
    crate::chain::sound(stand.world.pool()).await;
    // A row that no receipt makes is one that fails the check
    let wrong = "insert into cash_flow (flow_id, kind, amount, occurred_at, tx_hash, said)
                 select flow_id || '/twice', kind, amount, occurred_at, tx_hash, '' from cash_flow where kind = 'gas' and amount < 0 order by id desc limit 1";
    sqlx::query(wrong).execute(stand.world.pool()).await.unwrap();
    let failing = sqlx::query(include_str!("../../sql/checks/gas_booked.sql"));
    assert_eq!(failing.fetch_all(stand.world.pool()).await.unwrap().len(), 1);
}
