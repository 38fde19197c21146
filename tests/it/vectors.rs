//! The synthetic vectors and the Floats, through node, HTTP, Postgres and views.

use alloy::{
    primitives::{Address, B256, Log, U256},
    sol_types::SolEvent,
};
use hedge::{
    chain::source::Kind,
    sim::{Cast, Fault, Generation, Genesis, Manner, SimChain, SimToken, SimTx, Weather},
};
use serde_json::Value;
use sqlx::Row;

use crate::{
    chain::{Stage, check, node, settle},
    laws::{OperatorDeposit, OperatorWithdraw, v5},
    world::World,
};

const SYNTHETIC: &str = include_str!("../fixtures/raindex/raindex-synthetic.json");
const FLOATS: &str = include_str!("../fixtures/raindex/floats.json");

/// The one case of which nothing may be concluded: see the test of its own below.
const INCOMPLETE: &str = "after-clear-missing";

#[tokio::test]
async fn every_synthetic_case_comes_out_exactly() {
    let file: Value = serde_json::from_str(SYNTHETIC).unwrap();
    for set in file["sets"].as_array().unwrap() {
        let synthetic = SimChain::from_synthetic(SYNTHETIC, set["generation"].as_str().unwrap()).unwrap();
        // Twice: told as written, and by a node that says things twice or leaves them out.
        let lying =
            synthetic.lies.iter().fold(Weather::calm(), |weather, lie| weather.with(lie.clone().always()));
        for weather in [Weather::calm(), lying] {
            let node = node(&synthetic.chain, weather).await;
            let world = World::new().await;
            Stage::new(&world, &synthetic.chain, &[&node]).settle().await;
            for case in set["cases"].as_array().unwrap() {
                if case["name"] != INCOMPLETE {
                    judge(&world, case).await;
                }
            }
        }
    }
}

/// One case: its trades are fills, its rejected logs are skipped with the reason, and it has nothing else.
async fn judge(world: &World, case: &Value) {
    let name = &case["name"];
    let nothing = Vec::new();
    let trades = case["expect"]["trades"].as_array().unwrap();
    let rejected = case["expect"]["rejected"].as_array().unwrap_or(&nothing);
    for trade in trades {
        check(world.pool(), trade, "1000000000000000000").await;
    }
    let tx = case["logs"][0]["transactionHash"].as_str().unwrap();
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).bind(tx).fetch_one(world.pool());
    let fills = count("select count(*) from reporting.fill where tx_hash = $1").await.unwrap();
    // What is optional to take is taken: the data has the same layout, or fits the books.
    if case["optional"] != true {
        assert_eq!(usize::try_from(fills).unwrap(), trades.len(), "{name}");
        let skips = count("select count(*) from reporting.skipped_log where tx_hash = $1").await.unwrap();
        assert_eq!(usize::try_from(skips).unwrap(), rejected.len(), "{name}");
    }
    for one in rejected {
        let row = sqlx::query(
            "select reason, detail, is_open from reporting.skipped_log where tx_hash = $1 and log_index = $2",
        )
        .bind(tx)
        .bind(i32::try_from(one["logIndex"].as_i64().unwrap()).unwrap())
        .fetch_one(world.pool())
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(row.get::<String, _>("reason"), one["reason"].as_str().unwrap(), "{name}");
        assert!(row.get::<bool, _>("is_open") && !row.get::<String, _>("detail").is_empty(), "{name}");
    }
}

#[tokio::test]
async fn an_answer_without_the_partner_of_a_clear_moves_no_cursor() {
    for generation in ["v4", "v5"] {
        let synthetic = SimChain::from_synthetic(SYNTHETIC, generation).unwrap();
        let file: Value = serde_json::from_str(SYNTHETIC).unwrap();
        let sets = file["sets"].as_array().unwrap();
        let set = sets.iter().find(|set| set["generation"] == generation).unwrap();
        let case = set["cases"].as_array().unwrap().iter().find(|case| case["name"] == INCOMPLETE).unwrap();
        let number =
            |log: &Value| u64::from_str_radix(&log["blockNumber"].as_str().unwrap()[2..], 16).unwrap();
        let block = number(&case["logs"][0]);
        // A node that leaves the partner out, has no block receipts, and loses the receipt too.
        let lie = Fault::ExactlyLogs {
            block,
            log_indexes: vec![
                u64::from_str_radix(&case["logs"][0]["logIndex"].as_str().unwrap()[2..], 16).unwrap(),
            ],
        };
        let manner = Manner { block_receipts: false, ..Manner::default() };
        let weather = Weather::calm()
            .of_manner(manner)
            .with(lie.always())
            .with(Fault::NullResult.always().on(hedge::sim::Method::TransactionReceipt));
        let node = node(&synthetic.chain, weather).await;
        let world = World::new().await;
        let stage = Stage::new(&world, &synthetic.chain, &[&node]);
        // In the bulk of history a task asks for ever; at the head the loop is held.
        let mut indexer = stage.indexer().await;
        indexer.set_prove(true);
        for _ in 0..60 {
            hedge::engine::Loop::converge(&mut indexer).await.unwrap();
        }
        let cursor: i64 =
            sqlx::query_scalar("select number from cursor").fetch_one(world.pool()).await.unwrap();
        assert!(u64::try_from(cursor).unwrap() < block, "the cursor stays before block {block}");
        // The receipt comes back, and with it the partner.
        node.calm();
        settle(&mut indexer).await;
        let tx = case["logs"][0]["transactionHash"].as_str().unwrap();
        let known: i64 =
            sqlx::query_scalar("select count(*) from chain_log where '0x' || encode(tx_hash, 'hex') = $1")
                .bind(tx)
                .fetch_one(world.pool())
                .await
                .unwrap();
        assert!(known >= 2, "the clear and its partner");
    }
}

#[tokio::test]
async fn every_float_comes_out_of_the_views_exactly() {
    let cast = Cast { generation: Generation::V5, ..Cast::default() };
    let equity = cast.tokens.iter().find(|token: &&SimToken| token.ticker.is_some()).unwrap().address;
    let chain = SimChain::new(Genesis { cast: cast.clone(), ..Genesis::at(1_000_000) });
    let floats: Value = serde_json::from_str(FLOATS).unwrap();
    let vectors = floats["vectors"].as_array().unwrap();
    for (place, vector) in vectors.iter().enumerate() {
        let packed: B256 = vector["packed"].as_str().unwrap().parse().unwrap();
        // Somebody takes that many shares and pays one dollar.
        let event = take(cast.owner, equity, cast.usdc, packed, B256::from(U256::ONE));
        let log = Log { address: cast.orderbook, data: event.encode_log_data() };
        chain.mine([SimTx::new(B256::from(U256::from(place + 1)), Address::ZERO, cast.orderbook, [log])]);
    }
    let node = node(&chain, Weather::calm()).await;
    let world = World::new().await;
    Stage::new(&world, &chain, &[&node]).settle().await;
    for (place, vector) in vectors.iter().enumerate() {
        let tx = format!("{:#x}", B256::from(U256::from(place + 1)));
        let fill = sqlx::query(
            "select trim_scale(token_quantity_exact)::text as exact, trim_scale(token_quantity * 1e18)::text as units
             from reporting.fill where tx_hash = $1",
        )
        .bind(&tx)
        .fetch_optional(world.pool())
        .await
        .unwrap();
        let reason: Option<String> =
            sqlx::query_scalar("select reason from reporting.skipped_log where tx_hash = $1")
                .bind(&tx)
                .fetch_optional(world.pool())
                .await
                .unwrap();
        let (name, units) = (&vector["name"], vector["toFixed18"]["value"].as_str().unwrap());
        match (fill, reason.as_deref()) {
            (Some(fill), None) => {
                assert_eq!(fill.get::<String, _>("exact"), vector["decimal"].as_str().unwrap(), "{name}");
                assert_eq!(fill.get::<String, _>("units"), units, "{name}");
            }
            // Nothing, or less than the grid.
            (None, Some("zero")) => assert_eq!(units, "0", "{name}"),
            // Negative, beyond 1e20, or a power that no amount has.
            (None, Some("range")) => {
                let beyond = units.len() > 38 || matches!(units, "negative" | "overflow");
                assert!(beyond || vector["decimal"].is_null(), "{name}: {units}");
            }
            other => panic!("{name}: {:?}", other.1),
        }
    }
}

#[tokio::test]
async fn an_inventorys_settlement_is_one_fill_through_the_views() {
    let cast = Cast::default();
    let equity = cast.equities().next().unwrap().address;
    let operator = Address::repeat_byte(0x0e);
    let vault = B256::repeat_byte(3);
    let deposit = |token, amount| {
        let event = OperatorDeposit { operator, token, vaultId: vault, amount };
        Log { address: cast.orderbook, data: event.encode_log_data() }
    };
    let withdraw = |token, amount| {
        let event = OperatorWithdraw { operator, token, vaultId: vault, amount };
        Log { address: cast.orderbook, data: event.encode_log_data() }
    };
    let (dollars, shares) = (U256::from(461_250_000_u64), U256::from(2_500_000_000_000_000_000_u64));
    let chain = SimChain::new(Genesis { cast: cast.clone(), ..Genesis::at(1_000_000) });
    // The inventory receives 461.25 USDC for 2.5 shares; then somebody only deposits.
    let tx = |number: u64, logs: Vec<Log>| {
        SimTx::new(B256::from(U256::from(number)), operator, cast.orderbook, logs)
    };
    chain.mine([tx(1, vec![withdraw(equity, shares), deposit(cast.usdc, dollars)])]);
    chain.mine([tx(2, vec![deposit(cast.usdc, dollars)])]);
    let node = node(&chain, Weather::calm()).await;
    let world = World::new().await;
    let mut stage = Stage::new(&world, &chain, &[&node]);
    stage.source.kind = Kind::Inventory;
    stage.source.owners = vec![];
    stage.settle().await;
    let fills: Vec<(String, String, String, String)> = sqlx::query_as(
        "select role, side, trim_scale(quantity)::text, trim_scale(price)::text from reporting.fill",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let expected = ["inventory", "SELL", "2.5", "184.5"].map(str::to_owned);
    assert_eq!(fills, [expected.into()]);
    let skipped: Vec<String> =
        sqlx::query_scalar("select reason from reporting.skipped_log").fetch_all(world.pool()).await.unwrap();
    assert_eq!(skipped, ["unpaired"]);
}

/// A take of an order that gives `equity` for `usdc`: the taker's input is what the order gives.
fn take(owner: Address, equity: Address, usdc: Address, given: B256, received: B256) -> v5::TakeOrderV3 {
    let io = |token| vec![v5::IOV2 { token, vaultId: B256::repeat_byte(7) }];
    let evaluable = v5::EvaluableV4 { interpreter: owner, store: owner, bytecode: vec![1, 2, 3].into() };
    let order =
        v5::OrderV4 { owner, evaluable, validInputs: io(usdc), validOutputs: io(equity), nonce: B256::ZERO };
    let config = v5::TakeOrderConfigV4 {
        order,
        inputIOIndex: U256::ZERO,
        outputIOIndex: U256::ZERO,
        signedContext: vec![],
    };
    v5::TakeOrderV3 { sender: Address::ZERO, config, input: given, output: received }
}
