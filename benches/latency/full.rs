//! One sweep over books that are full.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use anyhow::Context;
use hedge::{
    assets::{Asset, Threshold},
    book::coverage::Verdict,
    engine::{
        Bell, Loop,
        hedging::{self, Feed, Hedged, Pace, Trading, brokers, hedger::Hedger, lanes::Lanes, lease::Keeper},
    },
    policy::Limits,
    secret::Secret,
    store::{Db, Settings, cursors::SourceId, exposure::Depth},
    time::Clock,
    units::Usd,
    venue::{AuthStyle, Broker, Environment, VenueSettings},
};
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;

use super::{at, books::Books, millis};

/// Shares that were traded.
const SYMBOLS: u64 = 1_000;
/// Fills a block.
const FILLS_A_BLOCK: u64 = 20;
const SWEEPS: usize = 50;

/// Fills the books, and sweeps them.
pub(super) async fn measure(books: &Books, fills: u64) -> anyhow::Result<()> {
    eprintln!("writing {fills} fills of {SYMBOLS} shares");
    let url = books.create("swept").await?;
    let settings = Settings { database_url: Some(url.parse()?), data_dir: "/nonexistent".into() };
    let db = Db::open(&settings).await?;
    let blocks = fills.div_ceil(FILLS_A_BLOCK);
    let sql = include_str!("full.sql")
        .replace("{fills}", &fills.to_string())
        .replace("{blocks}", &blocks.to_string())
        .replace("{fills_a_block}", &FILLS_A_BLOCK.to_string())
        .replace("{symbols}", &SYMBOLS.to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.context("the fills were not written")?;
    for table in ["chain_log", "fill"] {
        sqlx::query(AssertSqlSafe(format!("vacuum analyze {table}"))).execute(db.pool()).await?;
    }
    let (trading, keeper) = trading(&db).await?;
    keeper.turn().await?;
    let mut hedger = Hedger::new(Arc::new(trading));
    let first = Instant::now();
    hedger.converge().await?;
    let first = i64::try_from(first.elapsed().as_micros())?;
    let mut times = Vec::new();
    for _ in 0..SWEEPS {
        keeper.turn().await?;
        let begun = Instant::now();
        hedger.converge().await?;
        times.push(i64::try_from(begun.elapsed().as_micros())?);
    }
    times.sort_unstable();
    println!(
        "\none sweep over {fills} fills of {SYMBOLS} shares, in ms: p50 {}, p99 {}; the first, which sums up all of them: {}",
        millis(at(&times, 50)),
        millis(at(&times, 99)),
        millis(first)
    );
    drop(hedger);
    keeper.give_up().await;
    db.close().await;
    Ok(())
}

async fn trading(db: &Db) -> anyhow::Result<(Trading, Keeper)> {
    let clock = Clock::Wall;
    let settings = VenueSettings {
        name: "alpaca".to_owned(),
        broker: Broker::Alpaca,
        environment: Environment::Paper,
        base_url: "http://127.0.0.1:9".to_owned(),
        data_url: "http://127.0.0.1:9".to_owned(),
        path_prefix: "/v2".to_owned(),
        auth: AuthStyle::Headers,
        key: Some(Secret::new("K")),
        secret: Some(Secret::new("S")),
        redirect_uri: String::new(),
        account_index: 0,
        rate: 200,
        timeout_ms: 1_000,
    };
    let venue = brokers::connect(&settings, db.pool(), None, &clock)?;
    let (seats, _) = hedging::take_seats(db.pool(), vec![(settings, venue)]).await?;
    let seat = *seats.keys().next().context("a seat")?;
    let assets: BTreeMap<String, Hedged> = (0..SYMBOLS)
        .map(|nth| {
            let symbol = format!("S{nth:04}");
            let asset = Asset {
                symbol: symbol.clone(),
                tokens: Vec::new(),
                threshold: Some(Threshold::Shares(1.into())),
                pyth_feed: None,
                venue: None,
                extended: None,
            };
            (symbol, Hedged { asset, venue: seat, extended: false })
        })
        .collect();
    let keeper = Keeper::new(db.pool().clone(), "a bench".to_owned(), clock.clone());
    let bell = Bell::default();
    let trading = Trading {
        pool: db.pool().clone(),
        clock,
        feeds: vec![Feed {
            source: SourceId(1),
            from_block: 0,
            depth: Depth { word: "latest", blocks: 0 },
            believe: Verdict::Bloom,
        }],
        seats,
        assets,
        limits: Limits {
            max_order_usd: Usd::MOST,
            max_day_usd: Usd::MOST,
            max_order_shares: None,
            max_day_shares: None,
            price_band_bps: 500,
            price_age: SignedDuration::from_hours(24),
            blind: SignedDuration::from_hours(1),
            slippage_bps: 100,
        },
        pace: Pace::default(),
        lease: keeper.holding(),
        lanes: Lanes::new(bell.clone()),
        bell,
    };
    Ok((trading, keeper))
}
