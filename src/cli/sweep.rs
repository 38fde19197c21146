//! `hedge sweep`.

use super::{Desk, Exit, Out, Trouble, sources::Sources, trading};
use crate::engine::hedging::hedger::{Decision, Hedger};

const EXAMPLES: &str = "\
Examples:
  hedge sweep --dry-run    what would be done now, and why not more
  hedge sweep --once       recover, poll, book, decide and send, then end

It reads nothing from chains: `hedge index` or `hedge run` does.";

/// Looks at everything once: recovers, polls, books, decides and sends.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// End when there is nothing left to do now.
    #[arg(long, required_unless_present = "dry_run")]
    once: bool,
    /// Say what would be done, and do nothing: nothing is sent, nothing is written.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration, the database, or that another process hedges.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let ready = trading::ready(&sources).await?;
    if args.dry_run {
        ready.trading.ask_around().await;
        let decisions = Hedger::new(ready.trading.clone()).decide().await?;
        tell(&decisions, out)?;
    } else {
        ready.keeper.turn().await?;
        if ready.keeper.holding().borrow().is_none() {
            return Err(Trouble {
                what: "another process hedges".to_owned(),
                cause: "it has the lease".to_owned(),
                state: "nothing was done here".to_owned(),
                next: "it sweeps by itself; `hedge show positions` says what it waits for".to_owned(),
                exit: Exit::Unavailable,
            }
            .into());
        }
        let moved = ready.trading.settle().await;
        ready.end().await;
        let said = if moved? { "done; `hedge show orders` says what" } else { "nothing to do now" };
        writeln!(out, "{said}")?;
    }
    sources.db.close().await;
    Ok(Exit::Done)
}

fn tell(decisions: &[Decision], out: &mut Out<'_>) -> std::io::Result<()> {
    if decisions.is_empty() {
        return writeln!(out, "nothing is exposed");
    }
    for Decision { symbol, exposure, wanted, .. } in decisions {
        let said = match wanted {
            Ok(intent) => format!(
                "{} {} {symbol}, valued at {} by {}",
                intent.side,
                intent.quantity,
                intent.reference.price,
                intent.reference.source.word()
            ),
            Err(hold) => format!("{}: {}", hold.reason.word(), hold.detail),
        };
        writeln!(out, "{symbol}: {exposure} exposed: {said}")?;
    }
    Ok(())
}
