//! How long the night takes: P&L from facts to rows, one late fill, a file of trades, the ledger's proof.
//!
//! ```text
//! cargo bench --bench books                         everything, over a million trades
//! cargo bench --bench books -- --large              the same over ten millions
//! cargo bench --bench books -- --quick              few of all: does it run at all?
//! cargo bench --bench books -- --trades 100000
//! ```
//!
//! Beside the job stands what it cannot do without, measured in the same run: the same trades
//! copied out, and the rows that it wrote copied into tables of the same kind. All of it shares
//! this machine's cores; the database is a throw-away cluster that syncs to disk.
//!
//! Deliberately absent: assertions on speed. A figure is for a person to read.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints figures")]

#[path = "../backfill/books.rs"]
#[expect(dead_code, reason = "the other bench uses all of it")]
mod books;
mod pnl;
mod reconcile;
mod replay;

use std::time::Duration;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "Measures how long the night takes")]
struct Args {
    /// Trades in the books.
    #[arg(long, default_value_t = 1_000_000)]
    trades: u64,
    /// Shares that they are of.
    #[arg(long, default_value_t = 50)]
    shares: u64,
    /// Ten million trades of a thousand shares.
    #[arg(long)]
    large: bool,
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
        println!("cargo bench --bench books");
        return Ok(());
    }
    let (trades, shares) = match args {
        Args { quick: true, .. } => (20_000, 20),
        Args { large: true, .. } => (10_000_000, 1_000),
        Args { trades, shares, .. } => (trades, shares),
    };
    eprintln!("starting a throw-away Postgres");
    let books = books::Books::open().await?;
    pnl::measure(&books, trades, shares).await?;
    replay::measure(&books, trades.min(1_000_000), shares)?;
    reconcile::measure(&books, trades.min(1_000_000)).await?;
    books.close().await
}

/// Seconds, with two decimals.
fn seconds(time: Duration) -> String {
    format!("{}.{:02} s", time.as_secs(), time.subsec_millis() / 10)
}
