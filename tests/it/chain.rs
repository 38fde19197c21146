//! Chains of the rehearsal hall, read over HTTP into a real Postgres.

use std::sync::Arc;

use hedge::{
    assets::{Asset, Directory, Token},
    book::coverage::Verdict,
    chain::source::{ChainSettings, HedgeAt, Kind, ProofBudget, SourceSettings},
    engine::{
        Loop, Step,
        audit::{Auditor, Report, Scope},
        indexer::Indexer,
        reading::{self, Reading},
    },
    sim::{SimChain, SimFill, SimNode, Weather},
    time::Clock,
};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::{PgPool, Row};
use tokio::sync::watch;

use crate::world::World;

/// The source of a recording or an invention.
pub fn source(chain: &SimChain) -> SourceSettings {
    let cast = chain.cast();
    SourceSettings {
        name: format!("raindex-{}", chain.chain_id()),
        chain: chain.chain_id(),
        kind: format!("raindex-{}", cast.generation.as_str()).parse::<Kind>().unwrap(),
        address: cast.orderbook,
        owners: vec![cast.owner],
        from_block: chain.first_block(),
        hedge_at: HedgeAt::Safe,
        believe: Verdict::Bloom,
        vaults: Vec::new(),
        wallets: Vec::new(),
    }
}

/// The chain, reached by these nodes, with nothing held back.
pub fn settings(chain: &SimChain, nodes: &[&SimNode]) -> ChainSettings {
    ChainSettings {
        id: chain.chain_id(),
        rpc: nodes.iter().map(|node| node.url()).collect(),
        usdc: chain.cast().usdc,
        poll_ms: 100,
        timeout_ms: 5_000,
        concurrency: 3,
        proof_budget: ProofBudget { mib: 10_000, requests: 1_000_000 },
        pyth: hedge::chain::source::usual_pyth(8453),
        payers: Vec::new(),
        eth_feed: None,
    }
}

/// Every equity of the cast, by its address.
pub fn directory(chain: &SimChain) -> Directory {
    let (id, cast) = (chain.chain_id(), chain.cast());
    let assets = cast
        .equities()
        .map(|token| Asset {
            symbol: token.ticker.clone().unwrap(),
            tokens: vec![Token { chain: id, address: token.address, wrapped: token.wraps.is_some() }],
            threshold: None,
            pyth_feed: None,
            venue: None,
            extended: None,
        })
        .collect();
    Directory::listed([(id, cast.usdc)].into(), assets)
}

/// A node of `chain` in some weather.
pub async fn node(chain: &SimChain, weather: Weather) -> SimNode {
    SimNode::serve(chain.clone(), weather, "127.0.0.1:0").await.unwrap()
}

/// One source of one chain, read by whatever nodes are given, into a database.
pub struct Stage {
    pub pool: PgPool,
    pub clock: Clock,
    pub chain: ChainSettings,
    pub source: SourceSettings,
    pub directory: Directory,
    /// Nobody tells these indexers to stop.
    stop: watch::Sender<bool>,
}

impl Stage {
    pub fn new(world: &World, chain: &SimChain, nodes: &[&SimNode]) -> Self {
        Self {
            pool: world.pool().clone(),
            clock: Clock::told(Timestamp::UNIX_EPOCH),
            chain: settings(chain, nodes),
            source: source(chain),
            directory: directory(chain),
            stop: watch::channel(false).0,
        }
    }

    /// Opened anew, as after a restart.
    pub async fn reading(&self) -> Arc<Reading> {
        let (chains, sources) = ([self.chain.clone()], [self.source.clone()]);
        let opened =
            reading::open(&chains, &sources, &self.directory, &self.pool, &self.clock).await.unwrap();
        opened.into_iter().next().unwrap().reading
    }

    pub async fn indexer(&self) -> Indexer {
        Indexer::new(self.reading().await, self.chain.concurrency, self.stop.subscribe())
    }

    /// Indexes until there is nothing left to do.
    pub async fn settle(&self) {
        settle(&mut self.indexer().await).await;
    }

    /// Audits until everything is proved that can be.
    pub async fn audit(&self) -> Report {
        let scope = Scope { from: 0, to: u64::MAX, only_final: false, wanted: Verdict::Proved };
        let mut auditor = Auditor::new(self.reading().await, scope);
        settle(&mut auditor).await;
        auditor.report()
    }
}

/// Turns a loop until it is idle. Being held takes no time: the clock is told.
pub async fn settle(looping: &mut impl Loop) {
    let mut held = Vec::new();
    for _ in 0..1_000 {
        match looping.converge().await.unwrap() {
            Step::Idle => return,
            Step::Moved => held.clear(),
            Step::Stopped(why) => panic!("stopped: {why}"),
            Step::Held(why) => held.push(why),
        }
    }
    panic!("it does not settle: {:?}", &held[held.len().saturating_sub(5)..]);
}

/// The canonical state of a source, row by row, as text; nothing in it depends on when or how often it was read.
pub async fn state(pool: &PgPool, source: &str) -> Vec<String> {
    let sql = "
        select format('log %s %s %s %s %s %s', block_number, block_hash, log_index, tx_hash, topics, md5(data))
        from chain_log join source on source.id = source_id where name = $1 and taken_by is null
        union all
        select format('fill %s', to_jsonb(f) - 'source') from reporting.fill f where source = $1
        union all
        select format('move %s', to_jsonb(m) - 'source') from reporting.vault_move m where source = $1
        union all
        select format('skip %s %s %s %s', k.block_hash, k.log_index, k.role, k.reason)
        from skipped_log k join chain_log l using (chain_id, block_hash, log_index) join source on source.id = l.source_id
        where name = $1 and l.taken_by is null
          and not exists (select from skipped_log_act a where a.skipped_id = k.id and a.act = 'redriven')
        union all
        select format('cursor %s %s', number, hash) from reporting.cursor where source = $1
        order by 1";
    sqlx::query_scalar(sql).bind(source).fetch_all(pool).await.unwrap()
}

/// What a clean run writes: the chain read from scratch by one honest node.
pub async fn clean_state(world: &World, chain: &SimChain) -> Vec<String> {
    let honest = node(chain, Weather::calm()).await;
    let mut stage = Stage::new(world, chain, &[&honest]);
    stage.pool = World::new().await.pool().clone();
    stage.settle().await;
    state(&stage.pool, &stage.source.name).await
}

/// Every check of `sql/checks` finds nothing.
pub async fn sound(pool: &PgPool) {
    for check in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/checks")).unwrap() {
        let path = check.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
        assert!(rows.is_empty(), "{}: {} rows", path.display(), rows.len());
    }
}

/// The fills are those that the inventor of the chain wrote down, one by one.
pub async fn as_invented(pool: &PgPool, chain: &SimChain, source: &str) {
    let hex = |bytes: &[u8]| alloy::hex::encode_prefixed(bytes);
    let mut expected: Vec<String> = chain
        .canonical_fills()
        .into_iter()
        .filter(|fill| fill.ours)
        .map(|fill| {
            let SimFill {
                block_hash,
                block_number,
                tx_hash,
                log_index,
                role,
                side,
                owner,
                token,
                quantity,
                usdc,
                ..
            } = fill;
            format!(
                "{block_number} {} {} {log_index} {} {} {} {} {quantity} {usdc}",
                hex(&block_hash[..]),
                hex(&tx_hash[..]),
                role.as_str(),
                side.as_str(),
                hex(&owner[..]),
                hex(&token[..])
            )
        })
        .collect();
    let mut written: Vec<String> = sqlx::query_scalar(
        "select format('%s %s %s %s %s %s %s %s %s %s', block_number, block_hash, tx_hash, log_index, role, side, owner,
                       token_address, trim_scale(token_quantity_exact), trim_scale(usdc_exact))
         from reporting.fill where source = $1",
    )
    .bind(source)
    .fetch_all(pool)
    .await
    .unwrap();
    expected.sort();
    written.sort();
    pretty_equal(&written, &expected);
}

/// Fails with what is in one and not in the other.
pub fn pretty_equal(left: &[String], right: &[String]) {
    if left != right {
        let only = |one: &[String], other: &[String]| {
            one.iter().filter(|row| !other.contains(row)).take(5).cloned().collect::<Vec<_>>()
        };
        panic!(
            "written but not there: {:#?}\nthere but not written: {:#?}",
            only(left, right),
            only(right, left)
        );
    }
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
        let node = node(&chain, Weather::calm()).await;
        let world = World::new().await;
        let stage = Stage::new(&world, &chain, &[&node]);
        stage.settle().await;
        compare(world.pool(), &recording).await;
    }
}

/// `reporting.fill` against all trades that a recording expects.
pub async fn compare(pool: &PgPool, recording: &Value) {
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
pub async fn check(pool: &PgPool, trade: &Value, ratio_e18: &str) {
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
