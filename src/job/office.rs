//! Who runs what is due: the turnstile passed, the clerk called, what came of it written down.
//!
//! A timer, the scheduler in the process, a second process and a person may all call: each time
//! at which a job is due is run once. A run whose process is gone is run again; one that failed is
//! tried again a few times, and is told of.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan, civil::Date};
use sqlx::PgPool;

use super::{
    Outcome, Run, Verdict,
    schedule::Due,
    spec::{Spec, Turn},
};
use crate::{
    observe,
    store::{
        DatabaseUrl, StoreError,
        runs::{self, Again, Claimed, Turnstile},
        sessions::{self, Sessions},
    },
    time::Clock,
};

/// Does what a job says.
#[async_trait]
pub trait Clerk: fmt::Debug + Send + Sync {
    /// Does it, for one business date.
    ///
    /// # Errors
    /// What kept it from it; the run is on record as failed, with the reason.
    async fn work(&self, spec: &Spec, run: &Run) -> anyhow::Result<Outcome>;

    /// Everything that was run is over: what is to be sent is sent.
    async fn end(&self) {}
}

/// The jobs of a desk, and who does them.
#[derive(Debug)]
pub struct Office {
    /// The books.
    pub pool: PgPool,
    /// Where they are: a job's lock is held on a connection of its own.
    pub url: DatabaseUrl,
    /// What time it is.
    pub clock: Clock,
    /// Every job.
    pub specs: Vec<Spec>,
    /// Who does them.
    pub clerk: Arc<dyn Clerk>,
    /// Who we are: host and process.
    pub holder: String,
}

/// What became of one time at which a job was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The job.
    pub job: String,
    /// The day it is about.
    pub date: Date,
    /// What came of it; none: it failed.
    pub verdict: Option<Verdict>,
    /// The same in a sentence.
    pub said: String,
}

impl Office {
    /// Runs everything that is due, each job beside the others.
    ///
    /// # Errors
    /// The database. What a job fails at is in its [`Ended`].
    pub async fn tick(&self) -> Result<Vec<Ended>, StoreError> {
        let specs: Vec<&Spec> = self.specs.iter().collect();
        self.run_due(&specs).await
    }

    /// Runs what is due of one job; nothing where nothing is.
    ///
    /// # Errors
    /// As [`Self::tick`].
    pub async fn run_one(&self, spec: &Spec) -> Result<Vec<Ended>, StoreError> {
        self.run_due(&[spec]).await
    }

    async fn run_due(&self, specs: &[&Spec]) -> Result<Vec<Ended>, StoreError> {
        let now = self.clock.now();
        let mut conn = self.pool.acquire().await.map_err(|error| StoreError::of("look at jobs", error))?;
        let last = runs::last_due(&mut conn).await?;
        let sessions = self.sessions(&mut conn, specs, now).await?;
        let open = runs::open(&mut conn, now).await?;
        let mut work = Vec::new();
        for spec in specs {
            let again = open.get(&spec.name).into_iter().flatten();
            let again = again.map(|&(at, date)| (Due { at, date, left_out: None }, Turn::Run));
            let due = spec.due(last.get(&spec.name).copied(), now, |date| sessions.is_open(date));
            let all: Vec<(Due, Turn)> = again.chain(due).collect();
            if !all.is_empty() {
                work.push((*spec, all));
            }
        }
        drop(conn);
        let ended = join_all(work.into_iter().map(|(spec, due)| self.pass(spec, due))).await;
        ended.into_iter().collect::<Result<Vec<_>, _>>().map(|ended| ended.into_iter().flatten().collect())
    }

    /// Whether the exchange is open on the days that could be caught up.
    async fn sessions(
        &self,
        conn: &mut sqlx::PgConnection,
        specs: &[&Spec],
        now: Timestamp,
    ) -> Result<Sessions, StoreError> {
        let behind = specs.iter().map(|spec| spec.catch_up).max().unwrap_or_default();
        let day = |at: Timestamp| crate::time::new_york_date(at);
        let from = day(now.checked_sub(behind).unwrap_or(now));
        sessions::known(conn, from, day(now).checked_add(1.day()).unwrap_or(day(now))).await
    }

    /// Runs a job for one date, whatever came of it before.
    ///
    /// Its due time is that of the date, where that has passed; else it is now, and the job is
    /// due again when its time comes. `None` where somebody else is at it.
    ///
    /// # Errors
    /// As [`Self::tick`].
    pub async fn run_for(&self, spec: &Spec, date: Date) -> Result<Option<Ended>, StoreError> {
        let now = self.clock.now();
        let Some(mut turnstile) = Turnstile::enter(&self.url, &spec.name, &self.holder).await? else {
            return Ok(None);
        };
        let due_at = spec.schedule.last_of(date, now).unwrap_or(now);
        let Some(claimed) = turnstile.claim(due_at, date, now, Again::Whatever).await? else {
            return Ok(None);
        };
        let ended = self.work(&mut turnstile, spec, claimed, date).await?;
        turnstile.leave().await?;
        Ok(Some(ended))
    }

    async fn pass(&self, spec: &Spec, due: Vec<(Due, Turn)>) -> Result<Vec<Ended>, StoreError> {
        let Some(mut turnstile) = Turnstile::enter(&self.url, &spec.name, &self.holder).await? else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for (Due { at, date, .. }, turn) in due {
            match turn {
                Turn::Skip(why) => {
                    turnstile.skip(at, date, self.clock.now(), &why).await?;
                    let verdict = Some(Verdict::Skipped);
                    all.push(Ended { job: spec.name.clone(), date, verdict, said: why });
                }
                Turn::Run => {
                    let now = self.clock.now();
                    if let Some(claimed) = turnstile.claim(at, date, now, Again::Failed).await? {
                        all.push(self.work(&mut turnstile, spec, claimed, date).await?);
                    }
                }
            }
        }
        turnstile.leave().await?;
        Ok(all)
    }

    async fn work(
        &self,
        turnstile: &mut Turnstile,
        spec: &Spec,
        claimed: Claimed,
        date: Date,
    ) -> Result<Ended, StoreError> {
        let run = Run { id: Some(claimed.id), job: spec.name.clone(), date, at: self.clock.now() };
        let (state, verdict, said) = match self.clerk.work(spec, &run).await {
            Ok(Outcome { verdict, said }) => {
                observe::job_ended(&spec.name, date, verdict.word(), &said);
                (verdict.word(), Some(verdict), said)
            }
            Err(error) => {
                let said = format!("{error:#}");
                observe::job_failed(&spec.name, date, claimed.attempt, &said);
                ("failed", None, said)
            }
        };
        turnstile.end(claimed, state, &said, self.clock.now()).await?;
        Ok(Ended { job: spec.name.clone(), date, verdict, said })
    }
}
