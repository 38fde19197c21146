//! `hedge run`.

use super::{
    Desk, Exit, Out,
    index::{self, Following},
    progress,
    sources::{self, Sources},
    trading,
};

const EXAMPLES: &str = "\
Examples:
  hedge run
  hedge run -v                  every step
  hedge go-live --reason ...    until then nothing is sent: `hedge show positions` says what would be

A second one on the same database waits, and takes over within 15 seconds when the first is gone.";

/// Reads to the head, follows it, and hedges, until interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// The configuration, or a database that refuses for good. A node, a broker or a database
/// that is away is waited for.
pub async fn run(_: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let readings = sources.ready(None)?;
    let ready = trading::ready(&sources).await?;
    sources.look(&readings).await?;
    let stop = sources::until_told()?;
    let Following { mut work, shown } = index::follow(&sources, readings, &stop);
    ready.begin(&mut work, shown.iter().map(|(_, progress)| progress.clone()).collect(), &stop);
    let bars = progress::show(shown, &sources.clock);
    let ended = index::until_all_end(work).await;
    drop(bars);
    ready.end().await;
    sources.db.close().await;
    ended?;
    writeln!(out, "ended; `hedge run` goes on where it was")?;
    Ok(Exit::Done)
}
