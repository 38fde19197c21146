//! `hedge redrive`.

use super::{Desk, Exit, Out, Trouble};

const EXAMPLES: &str = "\
Examples:
  hedge redrive
  hedge redrive --source raindex";

/// Reads skipped logs once more, now that their cause may be gone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    desk.config()?;
    Err(Trouble {
        what: "`hedge redrive` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
