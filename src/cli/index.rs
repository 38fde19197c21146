//! `hedge index`.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use super::{
    Desk, Exit, Out, progress,
    sources::{self, Sources},
};
use crate::{
    book::coverage::Verdict,
    engine::{
        End, Stop, Until,
        audit::{Auditor, Scope},
        drive,
        indexer::{Indexer, Progress},
        pulse::Pulse,
        reading::Reading,
    },
    store::StoreError,
};

/// Between two looks for ranges that could be believed better.
const AUDIT_EVERY: Duration = Duration::from_secs(30);

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
/// The configuration, or a database that refuses for good. A node that is away is waited for.
pub async fn run(_: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let readings = sources.ready(None)?;
    sources.look(&readings).await?;
    let stop = sources::until_told()?;
    let Following { work, shown, .. } = follow(&sources, readings, &stop);
    let bars = progress::show(shown, &sources.clock);
    let ended = until_all_end(work).await;
    drop(bars);
    sources.db.close().await;
    ended?;
    writeln!(out, "ended; `hedge index` goes on where it was")?;
    Ok(Exit::Done)
}

/// Sources that are being followed.
pub(super) struct Following {
    /// What is done for them.
    pub(super) work: JoinSet<Result<End, StoreError>>,
    /// How far each is.
    pub(super) shown: Vec<(String, watch::Receiver<Progress>)>,
    /// Whether each goes on. Auditors are not felt: a proof may take as long as it takes.
    pub(super) pulse: Pulse,
}

/// Follows sources until told to end, an auditor behind each.
pub(super) fn follow(
    sources: &Sources,
    of: impl IntoIterator<Item = Arc<Reading>>,
    stop: &Stop,
) -> Following {
    let mut work = JoinSet::new();
    let mut shown = Vec::new();
    let pulse = Pulse::default();
    for reading in of {
        let every = sources.poll(&reading);
        let indexer = Indexer::new(Arc::clone(&reading), sources.concurrency(&reading), stop.clone());
        shown.push((reading.source.name.clone(), indexer.progress()));
        let mut indexer = pulse.of(&reading.source.name, indexer);
        let (clock, told) = (sources.clock.clone(), stop.clone());
        work.spawn(async move { drive(&mut indexer, Until::Told, every, &clock, told).await });
        let scope = Scope { from: 0, to: u64::MAX, only_final: true, wanted: Verdict::Proved };
        let (clock, told) = (sources.clock.clone(), stop.clone());
        work.spawn(async move {
            drive(&mut Auditor::new(reading, scope), Until::Told, AUDIT_EVERY, &clock, told).await
        });
    }
    Following { work, shown, pulse }
}

/// One source that cannot go on ends all of them: a supervisor starts the process anew.
pub(super) async fn until_all_end(mut work: JoinSet<Result<End, StoreError>>) -> anyhow::Result<()> {
    while let Some(done) = work.join_next().await {
        done??;
    }
    Ok(())
}
