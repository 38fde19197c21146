//! Chains of the rehearsal hall, read over HTTP into a real Postgres.

use std::sync::Arc;

use hedge::{
    assets::{Asset, Directory, Token},
    book::coverage::Verdict,
    chain::source::{ChainSettings, HedgeAt, Kind, ProofBudget, SourceSettings},
    engine::{
        Loop, Step,
        indexer::Indexer,
        reading::{self, Reading},
    },
    sim::{Cast, SimChain, SimNode, Weather},
    time::Clock,
};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row;
use tokio::sync::watch;

use crate::world::World;

/// A source as a recording or an invention has it.
pub fn source(cast: &Cast, name: &str, from_block: u64) -> SourceSettings {
    SourceSettings {
        name: name.into(),
        chain: 8453,
        kind: cast
            .generation
            .as_str()
            .parse::<Kind>()
            .or_else(|_| format!("raindex-{}", cast.generation.as_str()).parse())
            .unwrap(),
        address: cast.orderbook,
        owners: vec![cast.owner],
        from_block,
        hedge_at: HedgeAt::Safe,
        believe: Verdict::Bloom,
    }
}

pub fn settings(urls: Vec<String>, cast: &Cast) -> ChainSettings {
    ChainSettings {
        id: 8453,
        rpc: urls,
        usdc: cast.usdc,
        poll_ms: 100,
        timeout_ms: 5_000,
        concurrency: 3,
        proof_budget: ProofBudget { mib: 10_000, requests: 1_000_000 },
    }
}

pub fn directory(cast: &Cast) -> Directory {
    let assets = cast
        .equities()
        .map(|token| Asset {
            symbol: token.ticker.clone().unwrap(),
            tokens: vec![Token { chain: 8453, address: token.address, wrapped: token.wraps.is_some() }],
            threshold: None,
            pyth_feed: None,
        })
        .collect();
    Directory::listed([(8453, cast.usdc)].into(), assets)
}

/// One source, read by whatever nodes are given.
pub struct Stage {
    pub world: World,
    pub clock: Clock,
    pub chain: ChainSettings,
    pub source: SourceSettings,
    pub directory: Directory,
}

impl Stage {
    pub async fn new(cast: &Cast, from_block: u64, urls: Vec<String>) -> Self {
        Self {
            world: World::new().await,
            clock: Clock::told(Timestamp::UNIX_EPOCH),
            chain: settings(urls, cast),
            source: source(cast, "raindex", from_block),
            directory: directory(cast),
        }
    }

    pub async fn reading(&self) -> Arc<Reading> {
        let sources = [self.source.clone()];
        let chains = [self.chain.clone()];
        let mut opened =
            reading::open(&chains, &sources, &self.directory, self.world.pool(), &self.clock).await.unwrap();
        opened.remove(0).reading
    }

    pub async fn indexer(&self) -> Indexer {
        let (_, stop) = watch::channel(false);
        // A sender that is gone counts as a stop: keep it.
        let (sender, stop2) = watch::channel(false);
        std::mem::forget(sender);
        drop(stop);
        Indexer::new(self.reading().await, self.chain.concurrency, stop2)
    }
}

/// Turns the loop until it is idle.
pub async fn settle(indexer: &mut Indexer) {
    for _ in 0..10_000 {
        match indexer.converge().await.unwrap() {
            Step::Idle => return,
            Step::Moved => {}
            Step::Stopped(why) => panic!("{why}"),
            Step::Held(why) => eprintln!("held: {why}"),
        }
    }
    panic!("the indexer does not settle");
}

const RECORDINGS: [&str; 5] = [
    include_str!("../fixtures/raindex/raindex-v4.json"),
    include_str!("../fixtures/raindex/raindex-v4-zero-clear.json"),
    include_str!("../fixtures/raindex/raindex-v5.json"),
    include_str!("../fixtures/raindex/raindex-v6.json"),
    include_str!("../fixtures/raindex/raindex-v6-random.json"),
];

#[tokio::test]
async fn every_recorded_trade_comes_out_exactly() {
    for json in RECORDINGS {
        let recording: Value = serde_json::from_str(json).unwrap();
        let chain = SimChain::from_recording(json).unwrap();
        let node = SimNode::serve(chain.clone(), Weather::calm(), "127.0.0.1:0").await.unwrap();
        let stage = Stage::new(&chain.cast(), chain.first_block(), vec![node.url()]).await;
        settle(&mut stage.indexer().await).await;
        compare(stage.world.pool(), &recording).await;
    }
}

/// `reporting.fill` against all trades that a recording expects.
pub async fn compare(pool: &sqlx::PgPool, recording: &Value) {
    let list = |of: &Value, key: &str| of[key].as_array().unwrap().clone();
    let expected: Vec<Value> =
        list(recording, "cases").iter().flat_map(|case| list(case, "expectedTrades")).collect();
    let fills: i64 = sqlx::query_scalar("select count(*) from reporting.fill").fetch_one(pool).await.unwrap();
    assert_eq!(usize::try_from(fills).unwrap(), expected.len(), "{}", recording["generation"]);
    let tokens = list(recording, "tokens");
    for trade in &expected {
        let token = tokens.iter().find(|token| token["address"] == trade["equityToken"]).unwrap();
        check(pool, trade, token["assetsPerShareE18"].as_str().unwrap()).await;
    }
}

/// One expected trade against `reporting.fill`, every field.
async fn check(pool: &sqlx::PgPool, trade: &Value, ratio_e18: &str) {
    let text = |key: &str| trade[key].as_str().unwrap().to_owned();
    let lower = |key: &str| text(key).to_lowercase();
    let rows = sqlx::query(
        "select chain_id, source, block_number, tx_hash, log_index, role, side, symbol, token_address,
                trim_scale(token_quantity)::text as token_quantity, trim_scale(token_quantity_exact)::text as exact,
                trim_scale(usdc)::text as usdc, trim_scale(usdc_exact)::text as usdc_exact,
                trim_scale(price)::text as price, vault_in, vault_out,
                wrapper_ratio = $3::numeric / 1e18 as ratio_fits,
                quantity = trunc(token_quantity * $3::numeric / 1e18, 18) as quantity_fits,
                et_date = (executed_at at time zone 'America/New_York')::date as date_fits
         from reporting.fill where tx_hash = $1 and log_index = $2",
    )
    .bind(lower("txHash"))
    .bind(i32::try_from(trade["logIndex"].as_i64().unwrap()).unwrap())
    .bind(ratio_e18.to_owned())
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 1, "{trade}");
    let row = &rows[0];
    let column = |name: &str| row.get::<String, _>(name);
    assert_eq!(row.get::<i64, _>("block_number"), trade["blockNumber"].as_i64().unwrap());
    assert_eq!(column("role"), text("role"));
    assert_eq!(column("side"), text("side"));
    assert_eq!(column("symbol"), text("ticker"));
    assert_eq!(column("token_address"), lower("equityToken"));
    assert_eq!(column("token_quantity"), text("quantityTruncated18"));
    assert_eq!(column("exact"), text("quantity"));
    assert_eq!(column("usdc"), text("usdcTruncated6"));
    assert_eq!(column("usdc_exact"), text("usdc"));
    assert_eq!(column("price"), text("priceRounded18"), "{trade}");
    assert_eq!(column("vault_in"), lower("inputVaultId"));
    assert_eq!(column("vault_out"), lower("outputVaultId"));
    assert!(
        row.get::<bool, _>("ratio_fits")
            && row.get::<bool, _>("quantity_fits")
            && row.get::<bool, _>("date_fits")
    );
}
