//! How long every card of the dashboards takes to answer over books that are full.
//!
//! ```text
//! cargo bench --bench reporting                    ten million fills
//! cargo bench --bench reporting -- --fills 200000  fewer; the days shrink with them
//! cargo bench --bench reporting -- --quick         few: does it run at all?
//! ```
//!
//! The books are as three years of nine thousand fills a day leave them: each four fills of a
//! share hedged by an order, with its events, the P&L, the statements and the
//! reconciliations. They are written by Postgres itself, not through the program. Each card is asked as
//! Metabase asks it, as a member of `hedge_bi`: for the first time, again, and for one share. The slowest
//! comes last. Ten million fills take 18 GB of disk. Deliberately absent: assertions on speed. A figure is for a person to read.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints figures")]

#[path = "../../tests/it/bi/asked.rs"]
mod asked;
#[path = "../backfill/books.rs"]
#[expect(dead_code, reason = "the other bench uses all of it")]
mod books;

use std::{collections::BTreeMap, time::Instant};

use anyhow::Context as _;
use clap::Parser;
use hedge::{
    cli::bi::boards,
    store::{Db, Settings},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Fills a day, at any number of them.
const FILLS_A_DAY: u64 = 9_000;
/// Shares that were traded.
const SYMBOLS: u64 = 1_000;

#[derive(Debug, Parser)]
#[command(about = "Measures how long the cards of the dashboards take")]
struct Args {
    /// Fills in the books.
    #[arg(long, default_value_t = 10_000_000)]
    fills: u64,
    /// Few of all.
    #[arg(long)]
    quick: bool,
    /// What `cargo bench` says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    if !args.bench {
        println!("cargo bench --bench reporting");
        return Ok(());
    }
    eprintln!("starting a throw-away Postgres");
    let books = books::Books::with(&[
        ("shared_buffers", "1GB"),
        ("max_wal_size", "4GB"),
        ("maintenance_work_mem", "512MB"),
    ])
    .await?;
    let url = books.create("many").await?;
    let settings = Settings { database_url: Some(url.parse()?), data_dir: "/nonexistent".into() };
    let db = Db::open(&settings).await?;
    let fills = if args.quick { 20_000 } else { args.fills };
    seed(&db, fills).await?;
    measure(&db, fills).await?;
    db.close().await;
    books.close().await
}

async fn seed(db: &Db, fills: u64) -> anyhow::Result<()> {
    eprintln!("writing {fills} fills of {SYMBOLS} shares, and what comes of them");
    let sql = include_str!("seed.sql")
        .replace("{fills}", &fills.to_string())
        .replace("{symbols}", &SYMBOLS.to_string())
        .replace("{days}", &fills.div_ceil(FILLS_A_DAY).to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.context("the books were not written")?;
    db.pool().execute("reindex schema public").await?;
    db.pool().execute("vacuum analyze").await?;
    db.roles().await?;
    db.pool().execute("create role reader login in role hedge_bi").await?;
    Ok(db.roles().await?)
}

/// What acceptance asks of each card, in ms.
const BAR: u128 = 2_000;

async fn measure(db: &Db, fills: u64) -> anyhow::Result<()> {
    let mut reader = PgConnection::connect_with(&db.url().options()?.username("reader")).await?;
    let boards = boards::shipped()?;
    let mut lines = Vec::new();
    for card in &boards.cards {
        let mut took = Vec::new();
        let mut rows = 0;
        for filters in [BTreeMap::new(), BTreeMap::new(), BTreeMap::from([("symbol", "S0010")])] {
            let begun = Instant::now();
            let found = reader.fetch_all(AssertSqlSafe(asked::asked(card, &filters))).await;
            rows = rows.max(found.with_context(|| card.name.clone())?.len());
            took.push(begun.elapsed().as_millis());
        }
        let board = boards
            .dashboards
            .iter()
            .find(|board| board.dashcards.iter().any(|place| place.card_id == card.entity_id));
        let board = board.map_or("", |board| board.name.as_str());
        lines.push((took.iter().copied().max().unwrap_or_default(), board, card.name.as_str(), took, rows));
    }
    lines.sort();
    println!(
        "\n{:<22} {:<40} {:>7} {:>7} {:>7} {:>6}",
        format!("{fills} fills; in ms"),
        "card",
        "first",
        "all",
        "a share",
        "rows"
    );
    for (worst, board, card, took, rows) in &lines {
        let [first, all, share] = took[..] else { continue };
        let over = if *worst > BAR { "  over the bar" } else { "" };
        println!("{board:<22} {card:<40} {first:>7} {all:>7} {share:>7} {rows:>6}{over}");
    }
    let over = lines.iter().filter(|(worst, ..)| *worst > BAR).count();
    println!("{over} of {} cards took longer than the bar of {BAR} ms", lines.len());
    Ok(reader.close().await?)
}
