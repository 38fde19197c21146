//! `hedge backfill`.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    Desk, Exit, Out, progress,
    sources::{self, Sources},
};
use crate::{
    engine::{
        End, Stop, Until, drive,
        indexer::{Indexer, Progress},
        reading::Reading,
        rewind::{self, Act},
    },
    store::cursors,
};

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
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Prove every range as it is read, which takes longer.
    #[arg(long)]
    pub prove: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration, the database, or a source that only a person can let go on.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let mut sources = Sources::open(desk).await?;
    for opened in sources.named(args.source.as_deref())? {
        begin(&opened.reading, opened.begins_late, args.from, desk).await?;
    }
    // The books may begin elsewhere now.
    sources = Sources::of(desk.config()?, sources.db).await?;
    let opened = sources.named(args.source.as_deref())?;
    let read: Vec<Arc<Reading>> = opened.into_iter().map(|opened| Arc::clone(&opened.reading)).collect();
    sources.look(&read).await?;
    let stop = sources::until_told()?;
    let exit = history(&sources, read, args.to, args.prove, &stop, out).await?;
    sources.db.close().await;
    Ok(exit)
}

/// Reads sources side by side up to `to` or the head, with a bar each, and says how far each came.
///
/// # Errors
///
/// The database refuses for good.
pub(super) async fn history(
    sources: &Sources,
    of: impl IntoIterator<Item = Arc<Reading>>,
    to: Option<u64>,
    prove: bool,
    stop: &Stop,
    out: &mut Out<'_>,
) -> anyhow::Result<Exit> {
    let mut work = JoinSet::new();
    let mut shown = Vec::new();
    for reading in of {
        let every = sources.poll(&reading);
        let mut indexer = Indexer::new(Arc::clone(&reading), sources.concurrency(&reading), stop.clone());
        indexer.set_until(to);
        indexer.set_prove(prove);
        shown.push((reading.source.name.clone(), indexer.progress()));
        let (clock, stop) = (sources.clock.clone(), stop.clone());
        work.spawn(async move {
            let end = drive(&mut indexer, Until::Idle, every, &clock, stop).await;
            (reading, *indexer.progress().borrow(), end)
        });
    }
    let _bars = progress::show(shown, &sources.clock);
    let mut exit = Exit::Done;
    while let Some(done) = work.join_next().await {
        let (reading, Progress { number, fills, logs, .. }, end) = done?;
        let name = &reading.source.name;
        match end? {
            End::Idle => {
                writeln!(out, "{name}: written to block {number}; {fills} fills in {logs} logs were new")?;
            }
            End::Told => {
                writeln!(out, "{name}: interrupted at block {number}; the same command goes on from there")?;
            }
            End::Stopped(why) => {
                exit = Exit::Failed;
                writeln!(out, "{why}")?;
            }
        }
    }
    Ok(exit)
}

/// Lets a source begin at `from`, where the books begin later or not at all.
async fn begin(reading: &Reading, wanted: Option<u64>, from: u64, desk: &Desk) -> anyhow::Result<()> {
    let mut conn = reading.connection().await?;
    let cursor = cursors::cursor(&mut conn, reading.id).await?;
    let books = reading.source.from_block;
    let from = wanted.map_or(from, |wanted| wanted.min(from));
    match cursor {
        None => cursors::set_from_block(&mut conn, reading.id, from).await?,
        Some(cursor) if from < books => {
            tracing::info!("{}: the books begin at {books}: reading again from {from}", reading.source.name);
            drop(conn);
            let why = Act { reason: format!("backfill from {from}, before {books}"), author: desk.author() };
            rewind::rewind(reading, books.saturating_sub(1), &why).await?;
            let mut conn = reading.connection().await?;
            cursors::forget_cursor(&mut conn, reading.id).await?;
            cursors::set_from_block(&mut conn, reading.id, from).await?;
            drop(cursor);
        }
        Some(cursor) => tracing::info!(
            "{}: blocks {books}..={} are written already; going on from there",
            reading.source.name,
            cursor.at.number
        ),
    }
    Ok(())
}
