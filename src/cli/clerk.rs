//! Who does what a job says: the rooms' functions, with the doors that they need.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::PgPool;

use super::{pricing, reconcile::Books, sources::Sources, trading};
use crate::{
    alert,
    engine::{
        mailer::Mailer,
        meter::{Meter, Metered},
        pricer::{Priced, Pricer},
    },
    job::{
        Outcome, Run, Verdict, accruals, activities, calendar, checks, corporate_actions, health,
        marks::{self, Marked},
        notify::{self, Voice},
        office::Clerk,
        pnl::{self, Counting},
        spec::{Kind, Spec},
        statement,
    },
    observe,
    policy::alert::{Condition, Seen},
    time::Clock,
    venue::Venue,
};

/// So long the night asks for prices of fills that are not known yet, and at most so many of a source.
const PRICING: (Duration, u64) = (Duration::from_mins(3), 100_000);
/// So long it asks what transactions of a chain cost.
const METERING: Duration = Duration::from_mins(2);

/// Every kind of job, on one desk.
#[derive(Debug)]
pub(super) struct Clerks {
    pool: PgPool,
    specs: Vec<Spec>,
    venues: Vec<Arc<dyn Venue>>,
    /// The shares that are configured.
    symbols: Vec<String>,
    alerts: Option<alert::Settings>,
    books: Books,
    /// Who asks for prices of fills, and for what transactions cost.
    pricers: Vec<Pricer>,
    meters: Vec<Meter>,
    clock: Clock,
}

impl Clerks {
    /// Opens the doors that jobs go through.
    ///
    /// # Errors
    /// A venue or a node cannot be used.
    pub(super) fn new(sources: &Sources, specs: Vec<Spec>) -> anyhow::Result<Self> {
        let venues = trading::venues(sources)?.into_iter().map(|(_, venue)| venue).collect();
        let (pool, alerts) = (sources.db.pool().clone(), sources.config().alerts.clone());
        let symbols = sources.config().directory.assets().iter().map(|asset| asset.symbol.clone()).collect();
        let books = Books::of(sources)?;
        let (pricers, meters) = (pricing::pricers(sources)?, pricing::meters(sources)?);
        let clock = sources.clock.clone();
        Ok(Self { pool, specs, venues, symbols, alerts, books, pricers, meters, clock })
    }

    /// Tells people what a run saw, and nothing else: of jobs that have written what they write.
    async fn tell(&self, spec: &Spec, run: &Run, conditions: Vec<Condition>) -> anyhow::Result<()> {
        let mut tx = self.pool.begin().await?;
        let seen = Seen {
            scope: spec.name.clone(),
            run: run.id,
            at: run.at,
            conditions,
            unknown: Vec::new(),
            digest: None,
        };
        notify::tell(&mut tx, &self.voice(spec), &seen).await?;
        Ok(tx.commit().await?)
    }

    /// Learns what can be learnt of fills' prices and transactions' costs in the time that there is for it.
    ///
    /// What cannot is missing tomorrow as it was today: no night fails for it.
    async fn learn(&self) -> anyhow::Result<Vec<String>> {
        let (time, most) = PRICING;
        let (mut said, mut priced) = (Vec::new(), Priced::default());
        for pricer in &self.pricers {
            // What was written before time was up stands.
            match tokio::time::timeout(time, pricer.catch_up(0, most, &mut priced)).await {
                Ok(asked) => asked?,
                Err(_) => {
                    said.push(format!(
                        "time was up before every fill of chain {} was asked for",
                        pricer.chain
                    ));
                }
            }
        }
        let Priced { known, missing, later } = priced;
        if priced != Priced::default() {
            said.push(format!("prices of fills learnt: {known}, asked for in vain: {}", missing + later));
        }
        for meter in &self.meters {
            let metered = meter.run(METERING).await?;
            let Metered { receipts, booked, taken_back, later, cut_short, .. } = metered;
            if metered != Metered::default() {
                said.push(format!(
                    "gas of chain {}: {receipts} receipts read, {booked} costs booked, {taken_back} taken back, \
                     {later} asked for in vain{}",
                    meter.chain,
                    if cut_short { ", time was up" } else { "" }
                ));
            }
        }
        Ok(said)
    }

    /// Takes up what moved cash without a trade, counts P&L, and takes up what open quantity is worth.
    async fn count(&self, spec: &Spec, run: &Run) -> anyhow::Result<Outcome> {
        let seats = self.books.seats().await?;
        let venues: Vec<_> = seats.iter().map(|(id, venue)| (*id, venue.as_ref())).collect();
        let taken = activities::run(&self.pool, &venues, run).await?;
        let learnt = self.learn().await?;
        let mut outcome = pnl::run(&self.pool, run, &self.voice(spec), &Counting::new(false)).await?;
        let marked = marks::run(&self.pool, &self.venues, run).await?;
        let accrued = accruals::run(&self.pool).await?;
        let (booked, Marked { closes, trades, none, .. }) = (taken.booked + accrued.booked, &marked);
        let mut said = vec![
            outcome.said,
            format!(
                "cash flows booked: {booked}; valued at a close: {closes}, at the last trade: {trades}, not at all: {none}"
            ),
        ];
        said.extend(learnt);
        if outcome.verdict == Verdict::Done && !(taken.silent.is_empty() && marked.silent.is_empty()) {
            outcome.verdict = Verdict::Incomplete;
        }
        said.extend(taken.silent.into_iter().chain(marked.silent));
        outcome.said = said.join("; ");
        Ok(outcome)
    }

    /// How people are told of what this job sees.
    fn voice(&self, spec: &Spec) -> Voice {
        let voice = self.alerts.as_ref().map(Voice::of).unwrap_or_default();
        Voice { routes: spec.routes.clone(), ..voice }
    }
}

#[async_trait]
impl Clerk for Clerks {
    async fn work(&self, spec: &Spec, run: &Run) -> anyhow::Result<Outcome> {
        match &spec.kind {
            Kind::Calendar(ahead) => {
                let (outcome, conditions) = calendar::run(&self.pool, &self.venues, *ahead, run).await?;
                self.tell(spec, run, conditions).await?;
                Ok(outcome)
            }
            Kind::Health(limits) => {
                let mut conn = self.pool.acquire().await?;
                let conditions = health::look(&mut conn, limits, &self.specs, run).await?;
                drop(conn);
                let outcome = found(&conditions, "all is as young as it should be".to_owned());
                self.tell(spec, run, conditions).await?;
                Ok(outcome)
            }
            Kind::Checks(allowed) => {
                let mut conn = self.pool.acquire().await?;
                let (all, conditions) = checks::look(&mut conn, allowed, run).await?;
                drop(conn);
                let outcome = found(&conditions, format!("all {} checks hold", all.len()));
                self.tell(spec, run, conditions).await?;
                Ok(outcome)
            }
            Kind::CorporateActions => {
                let (pool, venues) = (&self.pool, &self.venues);
                let (outcome, conditions) = corporate_actions::run(pool, venues, &self.symbols, run).await?;
                self.tell(spec, run, conditions).await?;
                Ok(outcome)
            }
            Kind::Reconcile => Ok(self.books.reconciler(self.voice(spec)).await?.run(run).await?),
            Kind::Pnl => self.count(spec, run).await,
            Kind::Statement => Ok(statement::run(&self.pool, run, &self.voice(spec)).await?),
        }
    }

    /// What was written to be sent is sent, once; what cannot leave now waits in the outbox.
    async fn end(&self) {
        let Some(settings) = &self.alerts else { return };
        let sent = Mailer::new(self.pool.clone(), settings, self.clock.clone()).drain().await;
        if let Err(error) = sent {
            observe::jobs_held(&error.to_string());
        }
    }
}

/// Nothing (`well`), or what was found.
fn found(conditions: &[Condition], well: String) -> Outcome {
    let about: Vec<&str> = conditions.iter().map(|condition| condition.about.as_str()).collect();
    if about.is_empty() {
        Outcome { verdict: Verdict::Done, said: well }
    } else {
        Outcome { verdict: Verdict::Found, said: about.join("; ") }
    }
}
