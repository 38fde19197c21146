//! `hedge audit`.

use super::{Desk, Exit, Out, Trouble};
use crate::book::coverage::Verdict;

const EXAMPLES: &str = "\
Examples:
  hedge audit
  hedge audit --source raindex --from 41747644 --to 41800000 --verdict bloom";

/// Reads ranges again and proves what was only taken; anything it adds is an alarm.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// From this block on.
    #[arg(long, value_name = "BLOCK")]
    pub from: Option<u64>,
    /// Up to this block.
    #[arg(long, value_name = "BLOCK")]
    pub to: Option<u64>,
    /// How well every range shall be believed: taken, bloom, cross-checked or proved.
    #[arg(long, default_value_t = Verdict::Proved)]
    pub verdict: Verdict,
}

/// Runs the command.
///
/// # Errors
///
/// Always, until it is wired to the rooms below.
pub async fn run(args: Args, desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    desk.config()?;
    Err(Trouble {
        what: "`hedge audit` is not yet wired".to_owned(),
        cause: format!("{args:?}"),
        state: "nothing was done".to_owned(),
        next: "wait for it".to_owned(),
        exit: Exit::Failed,
    }
    .into())
}
