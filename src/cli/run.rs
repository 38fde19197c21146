//! `hedge run`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Desk, Exit, Out,
    index::{self, Following},
    job, pricing, progress,
    sources::{self, Sources},
    trading, web,
};
use crate::{
    engine::{
        Stop, Until, drive,
        mailer::{self, Mailer},
        pricer,
        pulse::Pulse,
        stopped,
    },
    job::scheduler,
    observe,
    time::Clock,
    web::Site,
};

const EXAMPLES: &str = "\
Examples:
  hedge run
  hedge run -v                  every step
  hedge run --web 127.0.0.1:8080
  hedge go-live --reason ...    until then nothing is sent: `hedge show positions` says what would be

A second one on the same database waits, and takes over within 15 seconds when the first is gone.";

/// Reads to the head, follows it, and hedges, until interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show what is so at this address; `[web] listen` says the same [default: no page].
    #[arg(long, value_name = "ADDRESS:PORT")]
    web: Option<SocketAddr>,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration, or a database that refuses for good. A node, a broker or a database
/// that is away is waited for.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let settings = desk.load()?.web;
    let page = args.web.or(settings.listen);
    if let Some(at) = page {
        web::may(&settings, at)?;
    }
    let sources = Sources::open(desk).await?;
    let readings = sources.ready(None)?;
    let ready = trading::ready(&sources).await?;
    sources.look(&readings).await?;
    let stop = sources::until_told()?;
    let Following { mut work, shown, pulse } = index::follow(&sources, readings, &stop);
    ready.begin(&mut work, shown.clone(), &pulse, &stop);
    let office = Arc::new(job::office(&sources, job::all(desk)?)?);
    let jobs = tokio::spawn(scheduler::keep(office, stop.clone()));
    let site = Site::of(&sources.db, sources.clock.clone(), Some(pulse.clone()))?;
    let books = site.books.clone();
    let page = page.map(|at| tokio::spawn(web::beside(site, settings, at, stop.clone())));
    if let Some(settings) = &sources.config().alerts {
        let mut mailer = Mailer::new(sources.db.pool().clone(), settings, sources.clock.clone());
        let (clock, told) = (sources.clock.clone(), stop.clone());
        work.spawn(Box::pin(async move {
            Box::pin(drive(&mut mailer, Until::Told, mailer::EVERY, &clock, told)).await
        }));
    }
    for mut pricer in pricing::pricers(&sources)? {
        let (clock, told) = (sources.clock.clone(), stop.clone());
        work.spawn(Box::pin(
            async move { drive(&mut pricer, Until::Told, pricer::EVERY, &clock, told).await },
        ));
    }
    let watched = tokio::spawn(feed_the_watchdog(pulse, stop.clone()));
    let bars = progress::show(shown, &sources.clock);
    let ended = index::until_all_end(work).await;
    drop(bars);
    observe::service_stopping();
    watched.abort();
    ready.end().await;
    jobs.abort();
    if let Some(page) = page {
        page.abort();
    }
    books.close().await;
    sources.db.close().await;
    ended?;
    writeln!(out, "ended; `hedge run` goes on where it was")?;
    Ok(Exit::Done)
}

/// Tells the service manager that we are up, and then that every loop goes on, while it does.
async fn feed_the_watchdog(pulse: Pulse, mut stop: Stop) {
    /// Where nobody watches, the status is still told.
    const UNWATCHED: Duration = Duration::from_mins(1);
    let limit = observe::watchdog().unwrap_or(UNWATCHED);
    observe::service_ready("reading and hedging");
    loop {
        tokio::select! {
            () = Clock::Wall.sleep(limit / 4) => {}
            () = stopped(&mut stop) => return,
        }
        match pulse.still(limit).as_slice() {
            [] => observe::service_alive("reading and hedging"),
            hung => observe::service_hangs(hung, limit),
        }
    }
}
