//! `hedge recon`: what was reconciled, judged again.

use std::collections::BTreeMap;

use clap::Subcommand;
use sqlx::PgPool;

use super::{Desk, Exit, Out, Trouble, sources::Sources};
use crate::{
    engine::hedging::brokers,
    job::reconcile::replay::{Readers, Replay, replay},
    secret::{SealingKey, Secret},
    store::{Db, recon as runs},
    time::Clock,
    venue::{Broker, VenueSettings},
};

const EXAMPLES: &str = "\
Examples:
  hedge recon replay --run 17           reads again what brokers and nodes answered in run 17, and judges it
  hedge recon replay --run 17 --kept    judges what the run kept of the answers: needs no configuration

Nobody is asked. Exit codes: 0 the same digests; 3 they differ, or an answer is missing.";

/// Judges a past reconciliation again, offline.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Comes to the same digest from what was kept, or says where not
    #[command(after_help = "Examples:\n  hedge recon replay --run 17")]
    Replay {
        /// The run, as `hedge show recon` prints it.
        #[arg(long)]
        run: i64,
        /// Judge what was kept of the answers, and do not read them again.
        #[arg(long)]
        kept: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// The configuration, the database, or there is no such run.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let What::Replay { run, kept } = args.what;
    let (replay, db) = if kept {
        let db = Db::open(&desk.store()?).await?;
        (again(db.pool(), run, |_| Ok(None)).await?, db)
    } else {
        let sources = Sources::open(desk).await?;
        let with = |clock: &Clock| readers(&sources, clock).map(Some);
        (again(sources.db.pool(), run, with).await?, sources.db)
    };
    db.close().await;
    for pass in &replay.passes {
        let told = |digest: Option<_>| digest.map_or_else(|| "none".to_owned(), |digest| format!("{digest}"));
        let word = if pass.is_same { "the same" } else { "NOT the same" };
        let (input, output) = (pass.input, told(pass.output));
        writeln!(out, "run {run} pass {}: {word}, inputs {input}, findings {output}", pass.pass)?;
    }
    for what in &replay.differs {
        writeln!(out, "run {run}: {what}")?;
    }
    for what in &replay.missing {
        writeln!(out, "run {run}: raw answers are missing, and what was kept stands in their place: {what}")?;
    }
    if !kept && replay.is_same() && replay.missing.is_empty() {
        writeln!(out, "run {run}: read again from {} raw answers", replay.answers)?;
    }
    Ok(if replay.is_same() && replay.missing.is_empty() { Exit::Done } else { Exit::Found })
}

/// Judges a run again, with readers by the clock that it began at.
async fn again(
    pool: &PgPool,
    run: i64,
    readers: impl FnOnce(&Clock) -> anyhow::Result<Option<Readers>>,
) -> anyhow::Result<Replay> {
    let mut conn = pool.acquire().await?;
    let started = runs::started_at(&mut conn, run).await?.ok_or_else(|| Trouble {
        what: format!("there is no run {run}"),
        cause: "nothing is kept of it".to_owned(),
        state: "nothing was judged".to_owned(),
        next: "take a number from `hedge show recon`".to_owned(),
        exit: Exit::Usage,
    })?;
    // What a broker is asked depends on what time it is.
    let readers = readers(&Clock::told(started))?;
    Ok(replay(&mut conn, run, readers.as_ref()).await?)
}

/// Who reads the answers of the sources and venues that are configured. Nobody is asked, so no key is needed.
fn readers(sources: &Sources, clock: &Clock) -> anyhow::Result<Readers> {
    let readings = sources.named(None)?.into_iter().map(|opened| opened.reading.clone()).collect();
    let none = || Some(Secret::new("none"));
    let seal = SealingKey::parse(&Secret::new("0".repeat(64)))?;
    let mut venues = BTreeMap::new();
    for settings in &sources.config().venues {
        let settings = VenueSettings { key: none(), secret: none(), ..settings.clone() };
        let venue = match settings.broker {
            Broker::Paper => None,
            Broker::Alpaca | Broker::Schwab => {
                Some(brokers::connect(&settings, sources.db.pool(), Some(&seal), clock)?)
            }
        };
        venues.insert(settings.name, venue);
    }
    Ok(Readers { readings, venues })
}
