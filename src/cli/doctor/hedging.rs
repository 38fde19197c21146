//! Whether hedging can go on: brokers, limits, who hedges, and what waits for a person.
//!
//! Brokers are asked through the hedger's own door, so that what works here works there.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

use super::findings::Findings;
use crate::{
    assets::{Asset, Threshold},
    book::{market::Listing, order::State},
    cli::why::telling::age,
    config::Config,
    engine::hedging::brokers,
    policy::{HedgeSettings, Limits},
    secret::SealingKey,
    store::{Db, StoreError, exposure, halts, lease, orders},
    time::{Clock, Session},
    venue::{Venue, VenueError, VenueSettings},
};

/// Clocks may be so far apart: orders are held against hours to the second.
const APART: SignedDuration = SignedDuration::from_secs(5);
/// An order that is not closed after so long is pointed at: it was good for a day.
const OLD: SignedDuration = SignedDuration::from_hours(24);
/// Nobody waits longer for a doctor.
const PATIENCE_MS: u64 = 10_000;

/// Looks at everything that hedging needs; nothing where nothing is to be hedged.
pub(super) async fn examine(config: &Config, db: &Db, clock: &Clock, findings: &mut Findings) {
    let (Some(hedge), Some(limits)) = (&config.hedge, &config.limits) else { return };
    self::limits(limits, findings);
    let key = config.encryption_key.as_ref().map(SealingKey::parse).transpose().unwrap_or_else(|error| {
        findings.failed("ENCRYPTION_KEY", error.to_string(), "give 64 hex digits");
        None
    });
    for settings in &config.venues {
        let about = format!("venue {}", settings.name);
        let patient = VenueSettings { timeout_ms: settings.timeout_ms.min(PATIENCE_MS), ..settings.clone() };
        match brokers::connect(&patient, db.pool(), key.as_ref(), clock) {
            Ok(venue) => {
                let look = Look { about, venue: venue.as_ref(), findings: &mut *findings };
                look.at(config, hedge, clock).await;
            }

            Err(error) => failed(&about, &error, findings),
        }
    }
    let books = async {
        let mut conn =
            db.pool().acquire().await.map_err(|error| StoreError::of("open a connection", error))?;
        books(&mut conn, config, clock.now(), findings).await
    };
    if let Err(error) = books.await {
        super::books::failed(&error, findings);
    }
}

fn limits(limits: &Limits, findings: &mut Findings) {
    let (whole, part) = (limits.price_band_bps / 100, limits.price_band_bps % 100);
    findings.ok(
        "limits",
        format!(
            "{} USD an order, {} USD a day, prices within {whole}.{part:02} %",
            limits.max_order_usd, limits.max_day_usd
        ),
    );
}

fn failed(about: &str, error: &VenueError, findings: &mut Findings) {
    let (said, next) = match error {
        VenueError::Unauthorized { said, next, .. } => {
            (format!("it does not let us in: {said}"), next.clone())
        }
        VenueError::Unreachable { source, .. } => {
            let why = source.as_ref().map_or_else(String::new, |source| format!(": {source}"));
            (format!("{error}{why}"), "check its base_url, and the network".to_owned())
        }
        VenueError::Unanswered { .. } | VenueError::Refused { .. } => {
            (error.to_string(), "check its base_url and path_prefix; else ask again".to_owned())
        }
        VenueError::Throttled { .. } => {
            (error.to_string(), "ask again then; lower its rate if others use the account".to_owned())
        }
    };
    findings.failed(about, said, next);
}

/// A look at one broker.
struct Look<'l> {
    about: String,
    venue: &'l dyn Venue,
    findings: &'l mut Findings,
}

impl Look<'_> {
    async fn at(mut self, config: &Config, hedge: &HedgeSettings, clock: &Clock) {
        if !self.account().await {
            return;
        }
        self.market(clock).await;
        let here = |asset: &&Asset| asset.venue.as_ref().unwrap_or(&hedge.venue) == self.venue.name();
        let assets: Vec<&Asset> = config.directory.assets().iter().filter(here).collect();
        let mut sound = Vec::new();
        for asset in assets {
            match self.venue.listing(&asset.symbol).await {
                Ok(listing) if self.listed(asset, listing) => sound.push(asset.symbol.as_str()),
                Ok(_) => {}
                Err(error) => failed(&self.about, &error, self.findings),
            }
        }
        if !sound.is_empty() {
            self.findings.ok(&self.about, format!("trades {}, as their thresholds need", sound.join(", ")));
        }
    }

    /// Whether it lets us in, and what the account may.
    async fn account(&mut self) -> bool {
        let account = match self.venue.account().await {
            Ok(account) => account,
            Err(error) => {
                failed(&self.about, &error, self.findings);
                return false;
            }
        };
        let cash = account.cash.0.cut(2);
        match (account.blocked, account.closing_only) {
            (Some(why), _) => {
                self.findings.failed(
                    &self.about,
                    format!("the account takes no orders: {why}"),
                    "ask the broker",
                );
            }
            (None, true) => self.findings.noted(
                &self.about,
                format!("lets us in; {cash} USD; only orders that close a position are taken"),
                "ask the broker",
            ),
            (None, false) => self.findings.ok(&self.about, format!("lets us in; {cash} USD to buy with")),
        }
        true
    }

    async fn market(&mut self, clock: &Clock) {
        let before = clock.now();
        let market = match self.venue.market().await {
            Ok(market) => market,
            Err(error) => return failed(&self.about, &error, self.findings),
        };
        // Taken in the middle of question and answer.
        let now = clock.now();
        let middle = before.checked_add(now.duration_since(before) / 2).unwrap_or(now);
        let apart = market.now.duration_since(middle);
        let session = match market.day.map(|day| day.session_at(market.now)) {
            None => "no trading day",
            Some(Session::Closed) => "the market is closed",
            Some(Session::Extended) => "the extended session is on",
            Some(Session::Regular) => "the market is open",
        };
        if apart.abs() <= APART {
            self.findings.ok(&self.about, format!("its clock is ours; {session}"));
        } else {
            let side = if apart.is_negative() { "behind" } else { "ahead of" };
            self.findings.failed(
                &self.about,
                format!("its clock is {} {side} ours; {session}", age(apart.abs())),
                "set this machine's clock: timedatectl set-ntp true",
            );
        }
    }

    /// Whether a share can be traded as its threshold needs.
    fn listed(&mut self, asset: &Asset, listing: Option<Listing>) -> bool {
        let symbol = &asset.symbol;
        let (said, next) = match listing {
            None => (format!("{symbol} is not listed there"), "check the ticker, or name another venue"),
            Some(listing) if !listing.tradable => {
                (format!("{symbol} cannot be traded there"), "ask the broker, or name another venue")
            }
            Some(listing)
                if !listing.fractionable && matches!(asset.threshold, Some(Threshold::Fraction(_))) =>
            {
                (
                    format!("only whole shares of {symbol} are traded there"),
                    "give { shares = N } or { usd = N } as its threshold",
                )
            }
            Some(_) => return true,
        };
        self.findings.failed(&self.about, said, next);
        false
    }
}

/// What the books say: whether hedging has begun, who hedges, and what waits for a person.
async fn books(
    conn: &mut PgConnection,
    config: &Config,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let about = "hedging";
    let begun: BTreeMap<String, u64> = exposure::live_sources(conn).await?.into_iter().collect();
    for source in &config.sources {
        match begun.get(&source.name) {
            Some(block) => {
                findings.ok(about, format!("fills of {} from block {block} on are hedged", source.name));
            }
            None => findings.noted(
                about,
                format!("fills of {} are not hedged: hedging has not begun", source.name),
                "see what would be done: hedge show positions; then: hedge go-live --reason …",
            ),
        }
    }
    let ago = |at: Timestamp| age(now.duration_since(at));
    match lease::holder(conn).await? {
        Some(holder) if holder.held => {
            findings.ok(about, format!("{} hedges, for {}", holder.name, ago(holder.taken_at)));
        }
        _ if begun.is_empty() => {}
        Some(holder) => findings.failed(
            about,
            format!("nobody hedges: {} ended {} ago", holder.name, ago(holder.expires_at)),
            "start it: hedge run",
        ),
        None => findings.failed(about, "nobody hedges yet", "start it: hedge run"),
    }
    for halt in halts::halts(conn).await? {
        let what = halt.symbol.as_deref().unwrap_or("everything");
        let named = halt.symbol.as_ref().map_or_else(String::new, |symbol| format!(" {symbol}"));
        findings.noted(
            about,
            format!("{what} is halted by {}, for {}: {}", halt.author, ago(halt.since), halt.reason),
            format!("once that is over: hedge resume{named} --reason …"),
        );
    }
    for order in orders::live(conn).await? {
        let (old, ambiguous) = (now.duration_since(order.planned_at), order.state == State::Ambiguous);
        if old > OLD || ambiguous {
            let said = format!(
                "order {} to {} {} {} is {}, planned {} ago",
                order.id,
                order.ticket.side,
                order.ticket.quantity,
                order.ticket.symbol,
                order.state.word(),
                age(old)
            );
            findings.failed(about, said, format!("see what to do: hedge why {}", order.ticket.symbol));
        }
    }
    Ok(())
}
