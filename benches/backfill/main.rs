//! How fast `hedge backfill` is, beside the limits of the machine it runs on.
//!
//! ```text
//! cargo bench --bench backfill                        100 000 and 1 000 000 fills
//! cargo bench --bench backfill -- --quick             20 000 fills, once
//! cargo bench --bench backfill -- --fills 100000 --repeat 5
//! ```
//!
//! A figure alone says more of the machine than of the program, so every run of
//! `hedge backfill` is followed at once by three others over the same chain:
//!
//! - `least work` ([`least`]) reads the same ranges and writes the same rows, with no
//!   check, no proof and no generality: what is left when all is left out. Its
//!   rows are compared with hedge's, so it cannot have forgotten anything;
//! - `fetch only` ([`fetch`]) takes the same answers and throws them away;
//! - `COPY only` ([`copy`]) writes the same rows out of memory, in the same
//!   transactions, into the same tables with their keys and constraints.
//!
//! Then come 50 ms of latency an answer, and a sparse chain. All programs are
//! processes of their own, and so is the rehearsal node ([`node`]); node,
//! database and program share the machine's cores. The database is a throw-away
//! cluster that syncs to disk as an operator's does, with a new database a run.
//! Ratios are of neighbours in time, and of several the median is shown.
//!
//! Deliberately absent: assertions on speed. A figure is for a person to read.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "it prints figures, and rounds them"
)]

mod books;
mod copy;
mod fetch;
mod least;
mod node;
mod race;

use std::{path::PathBuf, process::Command};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};

use books::Books;
use node::{Node, World};
use race::{Figures, median, race};

/// Fills in one block of a dense chain.
const FILLS_A_BLOCK: u64 = 20;

#[derive(Debug, Parser)]
#[command(about = "Measures `hedge backfill` beside the limits of this machine")]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// Fills on each dense chain.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    fills: Vec<u64>,
    /// How often each is measured; the median is shown.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// 20 000 fills and a short sparse chain, once: does it run at all?
    #[arg(long)]
    quick: bool,
    /// What `cargo bench` says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What this program is when it starts itself.
#[derive(Debug, Subcommand)]
enum Part {
    #[command(hide = true)]
    Node(World),
    #[command(hide = true)]
    Fetch(Ranges),
    #[command(hide = true)]
    Least {
        #[arg(long)]
        database: String,
        #[command(flatten)]
        ranges: Ranges,
    },
}

/// What is read, and in which steps.
#[derive(Clone, Debug, clap::Args)]
struct Ranges {
    /// The node.
    #[arg(long)]
    url: String,
    /// The first block.
    #[arg(long)]
    from: u64,
    /// The last block.
    #[arg(long)]
    to: u64,
    /// Blocks a request.
    #[arg(long)]
    span: u64,
}

impl Ranges {
    /// First and last block of each.
    fn each(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let Self { from, to, span, .. } = *self;
        (0..)
            .map(move |nth| from + nth * span)
            .take_while(move |start| *start <= to)
            .map(move |start| (start, to.min(start + span - 1)))
    }

    fn of(&self, part: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        let Self { url, from, to, span } = self;
        let words = ["--from", &from.to_string(), "--to", &to.to_string(), "--span", &span.to_string()];
        command.arg(part).args(["--url", url]).args(words);
        Ok(command)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    // Without one no HTTP client is made; where there is one already, that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match args.part {
        Some(Part::Node(world)) => node::serve(&world).await,
        Some(Part::Fetch(ranges)) => fetch::run(&ranges).await,
        Some(Part::Least { database, ranges }) => least::run(&ranges, &database).await,
        None if args.bench => tokio::select! {
            done = measure(&args) => done,
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
        },
        None => {
            println!("cargo bench --bench backfill");
            Ok(())
        }
    }
}

async fn measure(args: &Args) -> anyhow::Result<()> {
    let (dense, sparse, repeat) = if args.quick {
        (vec![20_000], 50_000, 1)
    } else {
        (args.fills.clone(), 500_000, args.repeat.max(1))
    };
    eprintln!("starting a throw-away Postgres");
    let books = Books::open().await?;
    for (nth, fills) in dense.into_iter().enumerate() {
        let world = World { blocks: fills.div_ceil(FILLS_A_BLOCK), times: FILLS_A_BLOCK, per_blocks: 1 };
        let mut stage = Stage { node: Node::start(&world).await?, books: &books, world };
        stage.beside_the_limits(repeat).await?;
        if nth == 0 {
            stage.alone("with 50 ms of latency an answer", 50, repeat).await?;
        }
    }
    let world = World { blocks: sparse, times: 1, per_blocks: 50 };
    let mut stage = Stage { node: Node::start(&world).await?, books: &books, world };
    stage.alone("one fill in 50 blocks", 0, repeat).await?;
    books.close().await
}

/// One chain, its node, and the books.
struct Stage<'a> {
    node: Node,
    books: &'a Books,
    world: World,
}

impl Stage<'_> {
    /// `hedge backfill` into a new database, with answers that take `latency_ms`.
    async fn hedge(&mut self, database: &str, latency_ms: u64) -> anyhow::Result<Figures> {
        let url = self.books.create(database).await?;
        let config = self.books.write("hedge.toml", &self.node.configuration())?;
        let (from, to) = (self.node.first, self.last());
        let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_hedge")));
        command
            .env_clear()
            .env("DATABASE_URL", url)
            .args(["backfill", "--quiet", "--from", &from.to_string(), "--to", &to.to_string(), "--config"])
            .arg(config);
        self.run("hedge backfill", command, latency_ms).await
    }

    /// A process, and what the node was asked while it ran.
    async fn run(&mut self, name: &str, command: Command, latency_ms: u64) -> anyhow::Result<Figures> {
        let before = self.node.answer_in(latency_ms).await?;
        let mut figures = race(name, command).await?;
        let after = self.node.answer_in(0).await?;
        figures.requests = after.requests - before.requests;
        figures.ranges = after.ranges - before.ranges;
        figures.bytes = after.bytes - before.bytes;
        Ok(figures)
    }

    fn last(&self) -> u64 {
        self.node.first + self.world.blocks - 1
    }

    async fn beside_the_limits(&mut self, repeat: usize) -> anyhow::Result<()> {
        let mut runs: [Vec<Figures>; 4] = Default::default();
        let fills = self.world.fills();
        for nth in 1..=repeat {
            eprintln!("{fills} fills, {nth} of {repeat}");
            let hedge = self.hedge("hedge_run", 0).await?;
            let ranges = Ranges {
                url: self.node.url.clone(),
                from: self.node.first,
                to: self.last(),
                span: self.world.blocks.div_ceil(hedge.ranges.max(1)),
            };
            let mut least = ranges.of("least")?;
            least.args(["--database", &self.books.create("least_run").await?]);
            let least = self.run("least work", least, 0).await?;
            let (ours, its) = (self.books.digest("hedge_run").await?, self.books.digest("least_run").await?);
            ensure!(ours == its, "least work wrote other rows: {its:?} instead of {ours:?}");
            ensure!(ours.fills == fills, "{} fills where {fills} were made", ours.fills);
            let fetch = self.run("fetch only", ranges.of("fetch")?, 0).await?;
            let rows = copy::load(&self.books.url_of("hedge_run"), &ranges).await?;
            let seconds = copy::write(&self.books.create("copy_run").await?, rows).await?;
            let copy = Figures { seconds, ..Figures::default() };
            for (runs, figures) in runs.iter_mut().zip([hedge, least, fetch, copy]) {
                runs.push(figures);
            }
        }
        let [hedge, least, fetch, copy] = runs;
        let answers = median(hedge.iter().map(|run| run.bytes as f64)) / 1e6;
        heading(&format!(
            "{fills} fills in {} blocks, {answers:.0} MB of answers, {repeat} runs",
            self.world.blocks
        ));
        for (name, runs) in
            [("hedge backfill", &hedge), ("least work", &least), ("fetch only", &fetch), ("COPY only", &copy)]
        {
            line(name, fills, runs);
        }
        let ratio = |of: &[Figures]| {
            median(hedge.iter().zip(of).map(|(hedge, limit)| 100.0 * limit.seconds / hedge.seconds))
        };
        println!(
            "hedge backfill reaches {:.0} % of least work, {:.0} % of fetch only, {:.0} % of COPY only",
            ratio(&least),
            ratio(&fetch),
            ratio(&copy)
        );
        Ok(())
    }

    async fn alone(&mut self, how: &str, latency_ms: u64, repeat: usize) -> anyhow::Result<()> {
        let fills = self.world.fills();
        let mut runs = Vec::new();
        for nth in 1..=repeat {
            eprintln!("{fills} fills {how}, {nth} of {repeat}");
            runs.push(self.hedge("hedge_run", latency_ms).await?);
        }
        heading(&format!("{fills} fills in {} blocks, {how}, {repeat} runs", self.world.blocks));
        line("hedge backfill", fills, &runs);
        Ok(())
    }
}

fn heading(text: &str) {
    println!("\n{text}");
    println!(
        "{:<16}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}",
        "", "fills/s", "MB/s", "seconds", "CPU s", "RSS MB", "requests", "per range"
    );
}

/// The median of several runs; what was not measured is left out.
fn line(name: &str, fills: u64, runs: &[Figures]) {
    let of = |figure: fn(&Figures) -> f64| median(runs.iter().map(figure));
    let seconds = of(|run| run.seconds);
    print!("{name:<16}{:>10.0}", fills as f64 / seconds);
    let (bytes, requests) = (of(|run| run.bytes as f64), of(|run| run.requests as f64));
    if requests == 0.0 {
        println!("{:>10}{seconds:>10.2}", "");
        return;
    }
    println!(
        "{:>10.0}{seconds:>10.2}{:>10.2}{:>10.0}{requests:>10.0}{:>12.2}",
        bytes / 1e6 / seconds,
        of(|run| run.cpu),
        of(|run| run.rss as f64) / 1e6,
        requests / of(|run| run.ranges as f64).max(1.0),
    );
}

impl World {
    /// Fills in the blocks that are read.
    fn fills(&self) -> u64 {
        self.blocks * self.times / self.per_blocks
    }
}

/// Words that a child is to say on its way.
fn word<T: std::str::FromStr>(words: &mut std::str::SplitWhitespace<'_>) -> anyhow::Result<T> {
    words.next().and_then(|word| word.parse().ok()).context("the node spoke in riddles")
}
