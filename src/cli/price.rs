//! `hedge price`.

use alloy::primitives::{Address, B256};
use serde::Deserialize;

use super::{Desk, Exit, Out, Trouble};
use crate::{
    chain::{nodes::Nodes, pyth, rpc::Call},
    config::Config,
    time::Clock,
};

const EXAMPLES: &str = "\
Examples:
  hedge price 0x534ffdb79234b0aecbdd017b6296f1ca3bb68974871c1d05a3608899d46c969f";

/// Tells what the configured Pyth feeds said in a transaction.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The transaction's hash.
    #[arg(value_name = "TX_HASH")]
    tx: B256,
}

/// A receipt, as far as it places a transaction.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    block_hash: B256,
    #[serde(with = "alloy::serde::quantity")]
    block_number: u64,
}

/// Runs the command.
///
/// # Errors
///
/// No feed is configured, or no node knows the transaction.
pub async fn run(args: &Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let config = Config::load(desk.config.as_deref(), &desk.environment)?;
    let feeds = config.directory.assets().iter();
    let feeds: Vec<(&str, B256)> =
        feeds.filter_map(|asset| Some((asset.symbol.as_str(), asset.pyth_feed?))).collect();
    let chains = config.chains.iter().filter_map(|chain| Some((chain, chain.pyth?)));
    let chains: Vec<(_, Address)> = chains.collect();
    if feeds.is_empty() || chains.is_empty() {
        return Err(trouble(
            "there is no price feed to ask",
            "no [[asset]] has a pyth_feed, or no chain has Pyth".to_owned(),
            "name the share's feed: pyth_feed = \"0x…\"",
            Exit::Usage,
        )
        .into());
    }
    let mut cause = "no node knows the transaction".to_owned();
    for (chain, pyth) in chains {
        let nodes = Nodes::new(chain, &Clock::Wall)?;
        let node = match nodes.ready().await {
            Ok(node) => node,
            Err(fault) => {
                cause = fault.to_string();
                continue;
            }
        };
        let receipt =
            node.ask(&[Call::receipt(args.tx)]).await.ok().and_then(|replies| replies.into_iter().next());
        let Some(Ok(Some(json))) = receipt else { continue };
        let Ok(placed) = serde_json::from_str::<Placed>(json.get()) else { continue };
        writeln!(out, "chain {}, block {}", chain.id, placed.block_number)?;
        for (symbol, feed) in &feeds {
            let told = pyth::read(&node, (args.tx, placed.block_hash), pyth, *feed, true).await?;
            let method = told.method.word();
            match told.price {
                Ok(price) => writeln!(
                    out,
                    "{symbol}  {} ± {}  published {}  ({method})",
                    price.price, price.confidence, price.published_at
                )?,
                Err(why) => writeln!(out, "{symbol}  none: {why}  ({method})")?,
            }
        }
        return Ok(Exit::Done);
    }
    let next = "check the hash, and that the chain's nodes answer: `hedge doctor`";
    Err(trouble("the transaction was not found", cause, next, Exit::Failed).into())
}

fn trouble(what: &str, cause: String, next: &str, exit: Exit) -> Trouble {
    let state = "nothing was read or written".to_owned();
    Trouble { what: what.to_owned(), cause, state, next: next.to_owned(), exit }
}
