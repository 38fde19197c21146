//! `hedge reconcile`.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use sqlx::PgPool;

use super::{Desk, Exit, Out, Trouble, sources::Sources, trading};
use crate::{
    assets::{Directory, Threshold},
    chain::source::{ChainSettings, SourceSettings},
    engine::reading,
    job::{
        Run, Verdict,
        notify::Voice,
        reconcile::{ReconcileSettings, Reconciler, acts},
    },
    policy::inventory::InventorySettings,
    report::{Column, Form, Kind, Table},
    store::{exposure::Act, orders::VenueId, recon, venues},
    time::{Clock, new_york_date},
    venue::{Venue, VenueSettings},
};

const EXAMPLES: &str = r#"Examples:
  hedge reconcile --open --reason "first night"   what the brokers hold now is what the books begin with
  hedge reconcile                                 today, by New York's date
  hedge reconcile --date 2026-11-20               for that date, with what is there now

Exit codes: 0 balanced, or explained in time; 2 open breaks; 3 a source did not answer whole;
4 the books contradict themselves."#;

/// Proves the books against brokers and chains.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The business date [default: today in New York].
    #[arg(long, value_name = "DATE")]
    pub date: Option<Date>,
    /// State what the brokers hold now as the opening balances, and reconcile nothing.
    #[arg(long, requires = "reason", conflicts_with = "date")]
    pub open: bool,
    /// Why; kept on record.
    #[arg(long, requires = "open", value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
}

/// What is reconciled: read afresh for each run, by doors of its own.
#[derive(Debug)]
pub(super) struct Books {
    pool: PgPool,
    clock: Clock,
    chains: Vec<ChainSettings>,
    sources: Vec<SourceSettings>,
    directory: Directory,
    venues: Vec<(VenueSettings, Arc<dyn Venue>)>,
    settings: ReconcileSettings,
    inventory: InventorySettings,
}

impl Books {
    /// What the configuration names.
    ///
    /// # Errors
    /// A venue cannot be used.
    pub(super) fn of(sources: &Sources) -> Result<Self, Trouble> {
        let config = sources.config();
        Ok(Self {
            pool: sources.db.pool().clone(),
            clock: sources.clock.clone(),
            chains: config.chains.clone(),
            sources: config.sources.clone(),
            directory: config.directory.clone(),
            venues: trading::venues(sources)?,
            settings: config.reconcile,
            inventory: config.inventory,
        })
    }

    /// The brokers, as the books know them.
    ///
    /// # Errors
    /// The database.
    pub(super) async fn seats(&self) -> anyhow::Result<Vec<(VenueId, Arc<dyn Venue>)>> {
        let mut conn = self.pool.acquire().await?;
        let mut seats = Vec::new();
        for (settings, venue) in &self.venues {
            let (broker, environment) = (settings.broker.word(), settings.environment.word());
            let id = venues::venue(&mut conn, &settings.name, broker, environment).await?;
            seats.push((id, Arc::clone(venue)));
        }
        Ok(seats)
    }

    /// Opens the doors.
    ///
    /// # Errors
    /// The database.
    pub(super) async fn reconciler(&self, voice: Voice) -> anyhow::Result<Reconciler> {
        let opened =
            reading::open(&self.chains, &self.sources, &self.directory, &self.pool, &self.clock).await?;
        let seats = self.seats().await?;
        let thresholds: BTreeMap<String, Threshold> = self
            .directory
            .assets()
            .iter()
            .filter_map(|asset| Some((asset.symbol.clone(), asset.threshold?)))
            .collect();
        Ok(Reconciler {
            environment: voice.environment.clone(),
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            readings: opened.into_iter().map(|opened| opened.reading).collect(),
            venues: seats,
            thresholds,
            inventory: self.inventory,
            settings: self.settings,
            voice,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration or the database. A source that does not answer is a finding.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let voice = sources.config().alerts.as_ref().map(Voice::of).unwrap_or_default();
    let reconciler = Books::of(&sources)?.reconciler(voice).await?;
    let now = sources.clock.now();
    let exit = if let Some(reason) = args.reason.filter(|_| args.open) {
        let author = desk.author();
        let act = Act { author: &author, reason: &reason, at: now };
        for acts::Opened { account, shares, cash } in acts::open(&reconciler, act).await? {
            writeln!(out, "{account} begins with {cash} USD and {shares} shares' balances")?;
        }
        Exit::Done
    } else {
        let date = args.date.unwrap_or_else(|| new_york_date(now));
        let run = Run { id: None, job: "reconcile".to_owned(), date, at: now };
        let outcome = reconciler.run(&run).await?;
        writeln!(out, "{date}  {}: {}", outcome.verdict.word(), outcome.said)?;
        breaks(&sources, out).await?;
        match outcome.verdict {
            Verdict::Done | Verdict::Skipped => Exit::Done,
            Verdict::Found => Exit::Open,
            Verdict::Incomplete => Exit::Incomplete,
            Verdict::Inconsistent => Exit::Inconsistent,
        }
    };
    sources.db.close().await;
    Ok(exit)
}

/// Every break that is not over.
async fn breaks(sources: &Sources, out: &mut Out<'_>) -> anyhow::Result<()> {
    const HEADS: [&str; 6] = ["break", "state", "class", "leg", "quantity", "detail"];
    let mut conn = sources.db.pool().acquire().await?;
    let live = recon::breaks(&mut conn, None).await?;
    let rows: Vec<Vec<Option<String>>> = live
        .iter()
        .filter(|one| !one.what.state.is_over())
        .map(|one| {
            let what = &one.what;
            let leg = format!("{} {}", what.leg.kind.word(), what.leg.instrument);
            let cells = [
                one.id.to_string(),
                what.state.word().to_owned(),
                what.class_word(),
                leg,
                what.quantity.to_string(),
                one.detail.clone(),
            ];
            cells.map(Some).to_vec()
        })
        .collect();
    if !rows.is_empty() {
        let columns = HEADS.map(|name| Column { name: name.to_owned(), kind: Kind::Text }).to_vec();
        Table { columns, rows }.write(Form::People, &HEADS, out)?;
    }
    Ok(())
}
