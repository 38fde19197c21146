//! `hedge rewind`.

use super::{Desk, Exit, Out, Trouble};

const EXAMPLES: &str = r#"Examples:
  hedge rewind --source raindex --to 41800000 --reason "node served a stale fork""#;

/// Takes a source back to a block; what lies above is kept as orphaned and read again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The source.
    #[arg(long, value_name = "NAME")]
    pub source: String,
    /// The last block to keep.
    #[arg(long, value_name = "BLOCK")]
    pub to: u64,
    /// Why; kept on record.
    #[arg(long)]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    desk.config()?;
    Err(Trouble {
        what: "`hedge rewind` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
