//! `hedge index`.

use super::{Desk, Exit, Out, Trouble};

const EXAMPLES: &str = "\
Examples:
  hedge index
  RPC_URL=https://node.example hedge index -v";

/// Reads to the head, then follows it until interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    desk.config()?;
    Err(Trouble {
        what: "`hedge index` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
