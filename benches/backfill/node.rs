//! The rehearsal node, in a process of its own.
//!
//! It says where it is, then obeys lines: each is the latency from now on, in
//! milliseconds, and is answered by what it was asked so far. It ends with its
//! parent, when there are no more lines.

use std::{
    fmt::Write as _,
    io::{BufRead, Write},
    process::Stdio,
    time::Duration,
};

use anyhow::Context;
use hedge::sim::{Cast, Invention, Method, Mix, Rate, SimChain, SimNode, Weather};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::word;

/// A chain of takes: so many fills in so many blocks.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct World {
    /// Blocks that are read.
    #[arg(long)]
    pub(super) blocks: u64,
    /// So many fills …
    #[arg(long)]
    pub(super) times: u64,
    /// … in so many blocks.
    #[arg(long)]
    pub(super) per_blocks: u64,
}

/// Blocks above those that are read, so that these are final.
const ABOVE: u64 = 64;

/// The seed of every chain here.
const SEED: u64 = 1;

/// Serves until there are no more lines to obey.
pub(super) async fn serve(world: &World) -> anyhow::Result<()> {
    let chain = SimChain::invent(&Invention {
        blocks: world.blocks + ABOVE,
        fills: Rate { times: world.times, blocks: world.per_blocks },
        mix: Mix::takes_only(),
        ..Invention::seeded(SEED)
    });
    let node = SimNode::serve(chain, Weather::calm(), "127.0.0.1:0").await?;
    let mut out = std::io::stdout();
    writeln!(out, "{} {}", node.url(), node.chain().first_block())?;
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lock().lines() {
            let tally = node.tally();
            node.set_weather(Weather::calm().with_latency(Duration::from_millis(line?.parse()?)));
            writeln!(out, "{} {} {}", tally.requests, tally.of(Method::Logs), tally.bytes_sent)?;
        }
        anyhow::Ok(())
    })
    .await?
}

/// The node, as its parent holds it.
pub(super) struct Node {
    /// Where it is asked.
    pub(super) url: String,
    /// The first block that it has.
    pub(super) first: u64,
    lines: Lines<BufReader<ChildStdout>>,
    latency: ChildStdin,
    _process: Child,
}

/// What a node was asked so far.
pub(super) struct Asked {
    pub(super) requests: u64,
    pub(super) ranges: u64,
    pub(super) bytes: u64,
}

impl Node {
    /// Invents the chain and waits until it is served.
    pub(super) async fn start(world: &World) -> anyhow::Result<Self> {
        eprintln!("inventing {} blocks with {} fills", world.blocks, world.fills());
        let numbers = [world.blocks, world.times, world.per_blocks].map(|number| number.to_string());
        let names = ["--blocks", "--times", "--per-blocks"];
        let mut process = Command::new(std::env::current_exe()?)
            .arg("node")
            .args(names.iter().zip(&numbers).flat_map(|(name, number)| [*name, number]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let latency = process.stdin.take().context("a node without ears")?;
        let mut lines = BufReader::new(process.stdout.take().context("a node without a mouth")?).lines();
        let line = lines.next_line().await?.context("the node is gone")?;
        let mut words = line.split_whitespace();
        Ok(Self { url: word(&mut words)?, first: word(&mut words)?, lines, latency, _process: process })
    }

    /// Answers take so long from now on; gives what was asked until now.
    pub(super) async fn answer_in(&mut self, latency_ms: u64) -> anyhow::Result<Asked> {
        self.latency.write_all(format!("{latency_ms}\n").as_bytes()).await?;
        let line = self.lines.next_line().await?.context("the node is gone")?;
        let mut words = line.split_whitespace();
        Ok(Asked { requests: word(&mut words)?, ranges: word(&mut words)?, bytes: word(&mut words)? })
    }

    /// The configuration that reads it. Its tokens are called unwrapped: asking
    /// each block for a wrapper's ratio would measure those calls instead.
    pub(super) fn configuration(&self) -> String {
        let Cast { usdc, orderbook, owner, .. } = Cast::default();
        let Self { url, first, .. } = self;
        let mut text = format!(
            "\
[chain.8453]
rpc = [\"{url}\"]
usdc = \"{usdc}\"

[[source]]
name = \"raindex\"
chain = 8453
kind = \"raindex-v6\"
address = \"{orderbook}\"
owners = [\"{owner}\"]
from_block = {first}
"
        );
        for token in Cast::default().equities() {
            let (ticker, address) = (token.ticker.as_deref().unwrap_or_default(), token.address);
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "
[[asset]]
symbol = \"{ticker}\"
tokens = [{{ chain = 8453, address = \"{address}\", wrapped = false }}]
threshold = {{ shares = 1 }}
"
            );
        }
        text
    }
}
