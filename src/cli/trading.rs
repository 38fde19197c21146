//! What the commands that hedge have in common: seats taken at the configured venues, and
//! the loops around them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use super::{Exit, Trouble, sources::Sources};
use crate::{
    assets::Asset,
    chain::source::HedgeAt,
    config::Config,
    engine::{
        Bell, End, Stop, Until, drive_woken,
        hedging::{
            self, Feed, Hedged, Pace, Trading, brokers, hedger::Hedger, lanes::Lanes, lease::Keeper,
            tracker::Tracker, watcher::Watcher,
        },
        indexer::Progress,
        pulse::Pulse,
        stopped,
    },
    policy::{HedgeSettings, Limits},
    secret::SealingKey,
    store::{StoreError, exposure::Depth, orders::VenueId, venues::Stray},
    time::Clock,
    venue::{Venue, VenueError, VenueSettings},
};

/// How often loops look, besides being woken.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long what was sent is waited for in the end; then it is left as it is, and found again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Hedging, ready to begin.
pub struct Ready {
    /// All that it works with.
    pub trading: Arc<Trading>,
    /// Who keeps the lease.
    pub keeper: Arc<Keeper>,
    every: Duration,
}

/// Takes seats at the configured venues.
///
/// # Errors
/// There is no `[hedge]`, a venue cannot be used, or orders are open at one that is not
/// configured any more.
pub async fn ready(sources: &Sources) -> anyhow::Result<Ready> {
    let config = sources.config();
    let (Some(hedge), Some(limits)) = (&config.hedge, &config.limits) else {
        return Err(Trouble {
            what: "there is nothing to hedge with".to_owned(),
            cause: "the configuration has no [hedge]".to_owned(),
            state: "nothing was started".to_owned(),
            next: "write [hedge], [venue.NAME] and [limits]: `hedge init` shows them; or read alone with `hedge index`"
                .to_owned(),
            exit: Exit::Usage,
        }
        .into());
    };
    let venues = venues(sources)?;
    let (seats, strays) = hedging::take_seats(sources.db.pool(), venues).await?;
    if let Some(stray) = strays.first() {
        return Err(left_open(stray).into());
    }
    let by_name: BTreeMap<String, VenueId> =
        seats.values().map(|seat| (seat.venue.name().to_owned(), seat.id)).collect();
    let keeper = Keeper::new(sources.db.pool().clone(), who(), sources.clock.clone());
    let bell = Bell::default();
    let trading = Trading {
        pool: sources.db.pool().clone(),
        clock: sources.clock.clone(),
        feeds: feeds(sources)?,
        seats,
        assets: assets(config, hedge, &by_name),
        limits: Limits::clone(limits),
        pace: Pace {
            poll: Duration::from_millis(hedge.poll_ms),
            jitter: Duration::from_millis(hedge.jitter_ms),
        },
        lease: keeper.holding(),
        lanes: Lanes::new(bell.clone()),
        bell,
    };
    Ok(Ready {
        trading: Arc::new(trading),
        keeper: Arc::new(keeper),
        every: Duration::from_millis(hedge.every_ms),
    })
}

/// A venue as it is configured, and the door to it.
type Connected = (VenueSettings, Arc<dyn Venue>);

/// Every configured venue, ready to be asked.
///
/// # Errors
/// One cannot be used.
pub(super) fn venues(sources: &Sources) -> Result<Vec<Connected>, Trouble> {
    let config = sources.config();
    let unusable = |what: String, cause: String, next: &str| Trouble {
        what,
        cause,
        state: "nothing was started".to_owned(),
        next: next.to_owned(),
        exit: Exit::Usage,
    };
    let key = config.encryption_key.as_ref().map(SealingKey::parse).transpose().map_err(|error| {
        unusable("ENCRYPTION_KEY cannot be used".to_owned(), error.to_string(), "give 64 hex digits")
    })?;
    let mut venues: Vec<Connected> = Vec::new();
    for settings in &config.venues {
        let connected = brokers::connect(settings, sources.db.pool(), key.as_ref(), &sources.clock);
        let venue = connected.map_err(|error| {
            let next = match &error {
                VenueError::Unauthorized { next, .. } => next.clone(),
                VenueError::Unreachable { .. }
                | VenueError::Unanswered { .. }
                | VenueError::Throttled { .. }
                | VenueError::Refused { .. } => {
                    "mend what the cause names; `hedge doctor` tries it".to_owned()
                }
            };
            unusable(format!("the venue `{}` cannot be used", settings.name), error.to_string(), &next)
        })?;
        venues.push((settings.clone(), venue));
    }
    Ok(venues)
}

/// Who we are: host and process.
pub(super) fn who() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("{} {}", host.trim(), std::process::id()).trim().to_owned()
}

fn feeds(sources: &Sources) -> Result<Vec<Feed>, Trouble> {
    let readings = sources.ready(None)?;
    Ok(readings
        .iter()
        .map(|reading| {
            let source = &reading.source;
            let (word, blocks) = match source.hedge_at {
                HedgeAt::Latest => ("latest", 0),
                HedgeAt::Safe => ("safe", 0),
                HedgeAt::Finalized => ("finalized", 0),
                HedgeAt::Blocks(blocks) => ("blocks", blocks),
            };
            Feed {
                source: reading.id,
                from_block: source.from_block,
                depth: Depth { word, blocks },
                believe: source.believe,
            }
        })
        .collect())
}

fn assets(
    config: &Config,
    hedge: &HedgeSettings,
    venues: &BTreeMap<String, VenueId>,
) -> BTreeMap<String, Hedged> {
    let hedged = |asset: &Asset| {
        let venue = *venues.get(asset.venue.as_ref().unwrap_or(&hedge.venue))?;
        let extended = asset.extended.unwrap_or(hedge.extended);
        Some((asset.symbol.clone(), Hedged { asset: asset.clone(), venue, extended }))
    };
    config.directory.assets().iter().filter_map(hedged).collect()
}

/// Orders are open where nobody would look any more.
fn left_open(Stray { venue, orders, first }: &Stray) -> Trouble {
    Trouble {
        what: format!("orders are open at {venue}, which is not configured any more: {orders}"),
        cause: format!(
            "the first of them is #{first}; hedging elsewhere would hedge what they do a second time"
        ),
        state: "nothing was started; the orders stand as they are".to_owned(),
        next: format!(
            "configure {venue} again until they are closed, or say how they ended: hedge resolve {first} --closed --reason …"
        ),
        exit: Exit::Usage,
    }
}

impl Ready {
    /// Starts the loops, woken by whatever is read.
    pub fn begin(
        &self,
        work: &mut JoinSet<Result<End, StoreError>>,
        read: Vec<(String, watch::Receiver<Progress>)>,
        pulse: &Pulse,
        stop: &Stop,
    ) {
        let Self { trading, keeper, every } = self;
        let (told, kept) = (stop.clone(), Arc::clone(keeper));
        work.spawn(async move {
            let mut told = told;
            kept.keep(&mut told).await.map(|()| End::Told)
        });
        for (name, mut progress) in read {
            let (bell, pulse, mut told) = (trading.bell.clone(), pulse.clone(), stop.clone());
            work.spawn(async move {
                loop {
                    tokio::select! {
                        changed = progress.changed() => match changed {
                            Ok(()) => {
                                bell.ring();
                                pulse.beat(&name);
                            }
                            Err(_) => return Ok(End::Idle),
                        },
                        () = stopped(&mut told) => return Ok(End::Told),
                    }
                }
            });
        }
        let clock = trading.clock.clone();
        let (shared, told) = (Arc::clone(trading), stop.clone());
        let (every, bell) = (*every, trading.bell.clone());
        spawn(
            work,
            pulse.of("watcher", Watcher::new(Arc::clone(&shared))),
            LOOK_EVERY,
            clock.clone(),
            told.clone(),
            Bell::default(),
        );
        let tracker = pulse.of("tracker", Tracker::new(Arc::clone(&shared)));
        spawn(work, tracker, LOOK_EVERY, clock.clone(), told.clone(), bell.clone());
        spawn(work, pulse.of("hedger", Hedger::new(shared)), every, clock, told, bell);
    }

    /// Waits for what was sent, a while, and lets the next one have the lease.
    pub async fn end(&self) {
        tokio::select! {
            () = self.trading.lanes.finish() => {}
            () = Clock::Wall.sleep(PATIENCE) => {
                tracing::warn!("left as sent what was not answered: it is found again by whoever hedges next");
            }
        }
        self.keeper.give_up().await;
    }
}

fn spawn(
    work: &mut JoinSet<Result<End, StoreError>>,
    mut looping: impl crate::engine::Loop + Send + 'static,
    every: Duration,
    clock: Clock,
    stop: Stop,
    bell: Bell,
) {
    work.spawn(async move { drive_woken(&mut looping, Until::Told, every, &clock, stop, &bell).await });
}
