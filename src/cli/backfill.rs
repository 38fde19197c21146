//! `hedge backfill`.

use super::{Desk, Exit, Out, Trouble};

const EXAMPLES: &str = "\
Examples:
  hedge backfill --from 41747644
  hedge backfill --from 41747644 --to 41800000 --prove";

/// Reads past blocks and writes their fills; goes on where it was interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The first block to read.
    #[arg(long, value_name = "BLOCK")]
    pub from: u64,
    /// The last block to read [default: the head].
    #[arg(long, value_name = "BLOCK")]
    pub to: Option<u64>,
    /// Prove every range as it is read, which takes longer.
    #[arg(long)]
    pub prove: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    desk.config()?;
    Err(Trouble {
        what: "`hedge backfill` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
