//! `hedge pnl`.

pub mod replay;

use super::{Desk, Exit, Out};

/// Counts profit and loss.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Replay(replay::Args),
}

/// Runs the command.
///
/// # Errors
///
/// As the subcommands.
pub fn run(args: &Args, _desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    match &args.what {
        What::Replay(args) => replay::run(args, out),
    }
}
