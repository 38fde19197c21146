//! `hedge demo`.

use super::{Desk, Exit, Out, Trouble};

const EXAMPLES: &str = "\
Examples:
  hedge demo          ends by itself in under a minute
  hedge demo --stay   look around with `hedge db psql`";

/// Everything at work on this machine alone: a rehearsal node, our own Postgres, fills, a reorg.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Keep everything running until interrupted.
    #[arg(long)]
    pub stay: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, _desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    Err(Trouble {
        what: "`hedge demo` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
