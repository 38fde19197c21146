//! `hedge redrive`.

use super::{Desk, Exit, Out, sources::Sources};
use crate::engine::redrive::{self, Redriven};

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
/// The configuration, the database, or no node that answers.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    for reading in sources.ready(args.source.as_deref())? {
        let Redriven { open, resolved } = redrive::redrive(&reading, &desk.author()).await?;
        writeln!(
            out,
            "{}: {open} skipped logs read again, {resolved} of them gave a fact",
            reading.source.name
        )?;
    }
    sources.db.close().await;
    Ok(Exit::Done)
}
