//! `hedge sim`: a chain or a broker to rehearse with, served until ctrl-c.

mod account;
mod alpaca;
mod chain;
mod schwab;

use std::io::Write;

use crate::sim::broker::CONTROL;

pub(super) use chain::configuration;

const EXAMPLES: &str = "\
Examples:
  hedge sim chain
  hedge sim alpaca";

/// Rehearses: serves a chain that can reorg from a node that can lie, or a broker that can.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\nWhile a broker runs:\n{CONTROL}"))]
pub struct Args {
    #[command(subcommand)]
    stage: Stage,
}

#[derive(Debug, clap::Subcommand)]
enum Stage {
    Chain(chain::Chain),
    Alpaca(alpaca::Alpaca),
    Schwab(schwab::Schwab),
}

/// Runs the command.
///
/// # Errors
///
/// A recording cannot be played, or the port is taken.
pub async fn run(args: Args, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    match args.stage {
        Stage::Chain(chain) => chain::serve(chain, out, interrupted()).await,
        Stage::Alpaca(alpaca) => alpaca::serve(alpaca, out, interrupted()).await,
        Stage::Schwab(schwab) => schwab::serve(schwab, out, interrupted()).await,
    }
}

async fn interrupted() {
    // Without a way to hear ctrl-c, serving until killed is what is left.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
