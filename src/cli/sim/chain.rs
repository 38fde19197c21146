//! `hedge sim chain`: a chain to rehearse with.

use crate::sim::{Cast, Generation, Invention, Mix, Rate, Reorg, SimChain, SimNode, Weather};
use crate::time::Clock;
use anyhow::{Context, bail};
use std::fmt::Write as _;
use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  hedge sim chain                                    a thousand blocks of seed 1
  hedge sim chain --block-time 2s --reorg-every 30   the head moves, and now and then elsewhere
  hedge sim chain --recording raindex-v6.json        what the real contract emitted
  hedge sim chain --weather storm                    everything that can go wrong";

/// Serves an EVM JSON-RPC node over HTTP until ctrl-c.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Chain {
    /// Play this recording first, and invent after its last block.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["first_block", "generation"])]
    recording: Option<PathBuf>,
    /// What everything invented is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Blocks to invent before serving [default: 1000, or none after a recording].
    #[arg(long)]
    blocks: Option<u64>,
    /// Takes and clears: so many a block, or a fraction such as 1/50.
    #[arg(long, value_name = "RATE", default_value = "2", value_parser = rate)]
    fills_per_block: Rate,
    /// Nothing but the owner's takes: no noise, no clears, no other owners.
    #[arg(long)]
    takes_only: bool,
    /// Whose events: v4, v5 or v6.
    #[arg(long, default_value = "v6", value_parser = generation)]
    generation: Generation,
    /// Height of the first block.
    #[arg(long, value_name = "BLOCK", default_value_t = 43_339_885)]
    first_block: u64,
    /// The port on 127.0.0.1; 0 is any that is free.
    #[arg(long, default_value_t = 8545)]
    port: u16,
    /// Mine a block this often, as 2s or 500ms; without it the head stays.
    #[arg(long, value_name = "TIME", value_parser = time)]
    block_time: Option<Duration>,
    /// Reorg each time so many blocks were mined.
    #[arg(long, value_name = "BLOCKS", requires = "block_time")]
    reorg_every: Option<u64>,
    /// How many blocks a reorg replaces.
    #[arg(long, value_name = "BLOCKS", default_value_t = 2)]
    reorg_depth: u64,
    /// calm, lagging, forgetful, lying, busy, broken, narrow, storm, or a storm's seed.
    #[arg(long, default_value = "calm", value_parser = weather)]
    weather: Weather,
    /// Every answer takes at least so long.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency_ms: u64,
}

/// Serves a chain until told otherwise.
pub(super) async fn serve(
    args: Chain,
    out: &mut (dyn Write + Send),
    until: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let chain = build(&args).await?;
    let weather = args.weather.clone().with_latency(Duration::from_millis(args.latency_ms));
    let node = SimNode::serve(chain.clone(), weather, ("127.0.0.1", args.port))
        .await
        .with_context(|| format!("port {} cannot be listened on", args.port))?;
    write!(out, "{}", introduction(&node))?;
    out.flush()?;
    tokio::pin!(until);
    let Some(block_time) = args.block_time else {
        until.await;
        return Ok(());
    };
    let mut mined = 0_u64;
    loop {
        tokio::select! {
            () = &mut until => return Ok(()),
            () = Clock::Wall.sleep(block_time) => {}
        }
        mined += 1;
        if args.reorg_every.is_some_and(|every| mined.is_multiple_of(every)) {
            let length = args.reorg_depth + 1;
            let left = chain.reorg_with(Reorg { depth: args.reorg_depth, length });
            let head = chain.head();
            writeln!(out, "# reorg: left {} {}, now {} {}", left.number, left.hash, head.number, head.hash)?;
            out.flush()?;
        } else {
            chain.mine_invented(1);
        }
    }
}

async fn build(args: &Chain) -> anyhow::Result<SimChain> {
    let mix = if args.takes_only { Mix::takes_only() } else { Mix::full() };
    let Some(path) = &args.recording else {
        let cast = Cast { generation: args.generation, ..Cast::default() };
        return Ok(SimChain::invent(&Invention {
            blocks: args.blocks.unwrap_or(1000),
            first_block: args.first_block,
            fills: args.fills_per_block,
            cast,
            mix,
            ..Invention::seeded(args.seed)
        }));
    };
    let json = tokio::fs::read_to_string(path)
        .await
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let chain =
        SimChain::from_recording(&json).with_context(|| format!("{} cannot be played", path.display()))?;
    chain.keep_inventing(args.seed, args.fills_per_block, mix);
    chain.mine_invented(args.blocks.unwrap_or_default());
    Ok(chain)
}

/// What is served, as comments, and the configuration that reads it.
fn introduction(node: &SimNode) -> String {
    let chain = node.chain();
    format!(
        "\
# chain {id} at {url}, blocks {first}..={head}
# {logs} of its blocks hold logs; ctrl-c ends it

{configuration}",
        id = chain.chain_id(),
        url = node.url(),
        first = chain.first_block(),
        head = chain.head().number,
        logs = chain.canonical_blocks().iter().filter(|block| block.has_logs()).count(),
        configuration = configuration(node, ""),
    )
}

/// The configuration that reads what a node serves.
pub(in crate::cli) fn configuration(node: &SimNode, more_of_source: &str) -> String {
    let chain = node.chain();
    let cast = chain.cast();
    let id = chain.chain_id();
    let mut text = format!(
        "\
[chain.{id}]
rpc = [\"{url}\"]
usdc = \"{usdc}\"

[[source]]
name = \"raindex\"
chain = {id}
kind = \"raindex-{generation}\"
address = \"{orderbook}\"
owners = [\"{owner}\"]
from_block = {first}
{more_of_source}",
        url = node.url(),
        generation = cast.generation.as_str(),
        first = chain.first_block(),
        usdc = cast.usdc,
        orderbook = cast.orderbook,
        owner = cast.owner,
    );
    for token in cast.equities() {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "
[[asset]] # {symbol}
symbol = \"{ticker}\"
tokens = [{{ chain = {id}, address = \"{address}\", wrapped = {wrapped} }}]
threshold = {{ shares = 1 }}
",
            symbol = token.symbol,
            ticker = token.ticker.as_deref().unwrap_or_default(),
            address = token.address,
            wrapped = token.wraps.is_some(),
        );
        if let Some(feed) = token.ticker.as_deref().and_then(|ticker| chain.feed(ticker)) {
            let _ = writeln!(text, "pyth_feed = \"{feed}\"");
        }
    }
    text
}

fn rate(text: &str) -> anyhow::Result<Rate> {
    let (times, blocks) = text.split_once('/').unwrap_or((text, "1"));
    let rate = Rate { times: times.parse()?, blocks: blocks.parse()? };
    if rate.blocks == 0 {
        bail!("no number of fills in no block");
    }
    Ok(rate)
}

fn generation(text: &str) -> anyhow::Result<Generation> {
    Generation::named(text).context("v4, v5 or v6 expected")
}

fn time(text: &str) -> anyhow::Result<Duration> {
    let time = if let Some(millis) = text.strip_suffix("ms") {
        Duration::from_millis(millis.parse()?)
    } else {
        Duration::from_secs(text.strip_suffix('s').unwrap_or(text).parse()?)
    };
    if time.is_zero() {
        bail!("a block takes some time");
    }
    Ok(time)
}

fn weather(text: &str) -> anyhow::Result<Weather> {
    if let Ok(seed) = text.parse() {
        return Ok(Weather::storm(seed));
    }
    Weather::named(text).with_context(|| format!("one of {}, or a seed", Weather::NAMES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        chain: Chain,
    }

    fn chain(line: &str) -> Chain {
        let words = "chain --port 0 ".to_owned() + line;
        Line::try_parse_from(words.split_whitespace()).unwrap().chain
    }

    async fn said(line: &str, until: impl Future<Output = ()>) -> String {
        let mut out = Vec::new();
        serve(chain(line), &mut out, until).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[tokio::test]
    async fn what_is_printed_is_configuration() {
        let said = said("--blocks 5 --fills-per-block 1/2 --generation v5", async {}).await;
        let config: toml::Table = said.parse().unwrap();
        assert_eq!(config["chain"]["8453"]["rpc"].as_array().unwrap().len(), 1);
        assert_eq!(config["source"][0]["kind"].as_str(), Some("raindex-v5"));
        assert_eq!(config["source"][0]["from_block"].as_integer(), Some(43_339_885));
        assert_eq!(config["asset"].as_array().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_recording_is_played_and_goes_on() {
        let recording = "tests/fixtures/raindex/raindex-v4.json";
        let said = said(&format!("--recording {recording} --blocks 7"), async {}).await;
        assert!(said.contains("blocks 32346726..=32346829"), "{said}");
        assert!(said.contains("kind = \"raindex-v4\""), "{said}");
    }

    #[tokio::test]
    async fn a_live_chain_mines_and_reorgs() {
        let some_time = tokio::time::sleep(Duration::from_millis(300));
        let said = said("--blocks 5 --block-time 5ms --reorg-every 3 --weather storm", some_time).await;
        assert!(said.contains("# reorg: left"), "{said}");
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for line in ["--weather sunny", "--fills-per-block 1/0", "--block-time 0s", "--generation v7"] {
            let words = "chain ".to_owned() + line;
            assert!(Line::try_parse_from(words.split_whitespace()).is_err(), "{line}");
        }
        for name in Weather::NAMES {
            assert!(weather(name).is_ok(), "{name}");
        }
    }
}
