//! How long a fill waits for its hedge, and how long a sweep takes.
//!
//! ```text
//! cargo bench --bench latency                    everything
//! cargo bench --bench latency -- --quick         few rounds and few fills: does it run at all?
//! cargo bench --bench latency -- --rounds 100 --fills 1000000
//! cargo bench --bench latency -- --looks 200 --fills 20000     the page asked for 200 times a second beside it
//! ```
//!
//! The first table is of `hedge run` as it is, a process of its own, between a rehearsal node
//! and a rehearsal broker that this program serves: from the moment a block can be seen at
//! the node to the moment its order reaches the broker. When fills were committed is what
//! Postgres says (`track_commit_timestamp`). Beside it stand the poll interval and the round
//! trip to that broker, measured in the same run. The second table is of one sweep over
//! books that are full. All of it shares this machine's cores; the database is a throw-away
//! cluster that syncs to disk.
//!
//! Deliberately absent: assertions on speed. A figure is for a person to read.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints figures")]

#[path = "../backfill/books.rs"]
#[expect(dead_code, reason = "the other bench uses all of it")]
mod books;
mod full;
mod round;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "Measures how long a fill waits for its hedge")]
struct Args {
    /// Blocks for each number of fills.
    #[arg(long, default_value_t = 50)]
    rounds: usize,
    /// Fills in the books that are swept.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000, 10_000_000])]
    fills: Vec<u64>,
    /// Measure the blocks once more while the page is asked for so often a second.
    #[arg(long)]
    looks: Option<u32>,
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
        println!("cargo bench --bench latency");
        return Ok(());
    }
    let (rounds, fills) = if args.quick { (3, vec![20_000]) } else { (args.rounds, args.fills) };
    eprintln!("starting a throw-away Postgres");
    let books = books::Books::with(&[("track_commit_timestamp", "on")]).await?;
    round::measure(&books, rounds, args.looks).await?;
    for fills in fills {
        full::measure(&books, fills).await?;
    }
    books.close().await
}

/// The value below which so many hundredths of these lie; they are sorted.
fn at(sorted: &[i64], percent: usize) -> i64 {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// Microseconds as milliseconds, with a decimal or two.
fn millis(micros: i64) -> String {
    match micros {
        0..1_000 => format!("0.{:02}", micros / 10),
        _ => format!("{}.{}", micros / 1_000, micros / 100 % 10),
    }
}
