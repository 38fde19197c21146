//! `hedge accept`.

use super::{Desk, Exit, Out, Trouble};

const EXAMPLES: &str = r#"Examples:
  hedge accept 17 --reason "dust: a clear of zero""#;

/// Accepts that a skipped log gives no fill; it is no longer shown as open.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The skipped log's id, as `hedge show skipped` prints it.
    #[arg(value_name = "SKIPPED")]
    pub skipped: i64,
    /// Why; kept on record.
    #[arg(long)]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, _desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    Err(Trouble {
        what: "`hedge accept` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
