//! Reconciliation: the books against brokers and chains, once for a business date.
//!
//! - `ask`: every source at one moment of its own
//! - `assemble`: what they said beside what the books say
//! - `telling`: what people hear of it
//! - [`acts`]: what people do about a break
//! - [`transfer`]: what left one place of ours for another
//! - [`replay`]: a past run once more, from its raw answers
//!
//! Sources are asked first; then one transaction takes up what the ledger lacked, judges
//! (`book::recon`), and writes the run, the breaks and what is to be told. Killed before that,
//! nothing has happened; run again, it comes to the same. What is found is looked at a second
//! time, a minute later, before anybody is woken.

pub mod acts;
mod ask;
mod assemble;
pub mod replay;
mod telling;
pub mod transfer;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use alloy::primitives::B256;
use jiff::Timestamp;
use sqlx::{PgPool, Postgres, Transaction, pool::PoolConnection};

use super::{
    Outcome, Run, Verdict,
    notify::{self, Voice},
};
use crate::{
    assets::Threshold,
    book::recon::{
        self, Findings, Inconsistent,
        breaks::{self, Break, Event, Sighting},
        inputs::{Inputs, Kind},
    },
    engine::{reading::Reading, vaults},
    policy::inventory::InventorySettings,
    store::{
        StoreError, cursors, facts, ledger,
        orders::VenueId,
        recon::{self as runs, Answered, By, CutRow, Followed, Pass, RunRow},
    },
    tape::Said,
    time::Clock,
    units::{Amount, Usd},
    venue::Venue,
};
use ask::{OnChain, Read, Reread};
use assemble::Assembled;

/// What an operator decides about reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcileSettings {
    /// How long after the first reading a second one confirms what it found, in milliseconds.
    pub confirm_after_ms: u64,
    /// From so many dollars on an open break is critical.
    pub critical_usd: Usd,
}

impl Default for ReconcileSettings {
    /// A minute, and a thousand dollars.
    fn default() -> Self {
        const CRITICAL: i128 = 1_000 * Amount::ONE.atoms();
        Self { confirm_after_ms: 60_000, critical_usd: Usd(Amount::from_atoms(CRITICAL).unwrap_or_default()) }
    }
}

/// Reconciles.
#[derive(Debug)]
pub struct Reconciler {
    /// The name of this installation: it stands in the key of every break.
    pub environment: String,
    /// The books.
    pub pool: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// The sources on chain.
    pub readings: Vec<Arc<Reading>>,
    /// The brokers.
    pub venues: Vec<(VenueId, Arc<dyn Venue>)>,
    /// From which exposure on shares are hedged.
    pub thresholds: BTreeMap<String, Threshold>,
    /// How much should be where.
    pub inventory: InventorySettings,
    /// What the operator decided.
    pub settings: ReconcileSettings,
    /// How people are told.
    pub voice: Voice,
}

/// What became of a break in a run.
struct Turn {
    event: Event,
    after: Break,
    seen: Option<Sighting>,
}

/// A run that is judged and not written yet.
struct Judgement {
    row: RunRow,
    turns: Vec<Turn>,
    followed: Vec<Followed>,
    inputs: Inputs,
    verdict: Verdict,
}

impl Reconciler {
    async fn connection(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(|error| StoreError::of("reach the database", error))
    }

    async fn begin(&self, how: &'static str) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool.begin_with(how).await.map_err(|error| StoreError::of("begin to write", error))
    }

    /// Reconciles once.
    ///
    /// # Errors
    /// The database: nothing is written.
    pub async fn run(&self, run: &Run) -> Result<Outcome, StoreError> {
        let started = self.clock.now();
        let mut read = ask::all(self).await?;
        let first = self.glance(run, &read).await?;
        if !first.is_empty() {
            let waited = self.clock.now().duration_since(started);
            let wait = Duration::from_millis(self.settings.confirm_after_ms)
                .saturating_sub(Duration::try_from(waited).unwrap_or_default());
            self.clock.sleep(wait).await;
            read = ask::all(self).await?;
        }
        // Of two that reconcile at once, one waits here until the other has written.
        let mut turnstile = self.begin("begin").await?;
        runs::lock(&mut turnstile).await?;
        let mut tx = self.begin("begin isolation level repeatable read").await?;
        let judgement = self.judge(&mut tx, run, started, read).await?;
        let outcome = Outcome { verdict: judgement.verdict, said: judgement.row.said.clone() };
        self.write(&mut tx, run, judgement, &first).await?;
        tx.commit().await.map_err(|error| StoreError::of("commit a reconciliation", error))?;
        turnstile.commit().await.map_err(|error| StoreError::of("let others reconcile", error))?;
        Ok(outcome)
    }

    /// What a first look finds: the keys of what it would follow. Nothing is written.
    async fn glance(&self, run: &Run, read: &Read) -> Result<BTreeSet<B256>, StoreError> {
        let mut conn = self.connection().await?;
        let assembled = assemble::assemble(&mut conn, self, run, self.clock.now(), read).await?;
        let findings = recon::judge(&assembled.inputs).unwrap_or_default();
        Ok(findings.sightings.iter().map(|sighting| sighting.key).collect())
    }

    /// Takes up what the ledger lacked, and judges what it is then.
    async fn judge(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        run: &Run,
        started: Timestamp,
        mut read: Read,
    ) -> Result<Judgement, StoreError> {
        let at = self.clock.now();
        let mut assembled = assemble::assemble(tx, self, run, at, &read).await?;
        let mut passes = Vec::new();
        for asked in &mut read.chains {
            if let Ok(chain) = &mut asked.said
                && let Some(reread) = chain.reread.take()
            {
                let (missing, stray) = take_up(tx, chain, reread).await?;
                assembled.inputs.missing.extend(missing);
                assembled.inputs.stray.extend(stray);
            }
        }
        if !assembled.inputs.missing.is_empty() || !assembled.inputs.stray.is_empty() {
            assembled.inputs = assembled.inputs.sorted();
            passes.push(pass(&assembled.inputs)?);
            assembled = assemble::assemble(tx, self, run, at, &read).await?;
        }
        passes.push(pass(&assembled.inputs)?);
        let followed = runs::breaks(tx, None).await?;
        conclude(run, (started, at), &read, assembled, passes, followed)
    }

    /// Writes the run, what became of breaks, and what is to be told: all or nothing.
    async fn write(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        run: &Run,
        judgement: Judgement,
        first: &BTreeSet<B256>,
    ) -> Result<(), StoreError> {
        let Judgement { row, turns, followed, inputs, verdict } = judgement;
        let number = runs::write(tx, &row).await?;
        let mut ids: BTreeMap<B256, i64> = followed.iter().map(|one| (one.what.key, one.id)).collect();
        for Turn { event, after, seen } in &turns {
            let id = ids.get(&after.key).copied();
            let event = (event, event.word());
            let id = runs::happened(tx, id, event, after, seen.as_ref(), By::Run(number)).await?;
            ids.insert(after.key, id);
        }
        let breaks = runs::breaks(tx, None).await?;
        let history = ledger::history(tx, run.date).await?;
        let findings = row.passes.last().map(|pass| &pass.findings);
        let seen = telling::seen(&telling::Told {
            run,
            verdict,
            row: &row,
            findings: findings.unwrap_or(&Findings::default()),
            inputs: &inputs,
            breaks: &breaks,
            confirmed: first,
            critical: self.settings.critical_usd,
            history,
        });
        notify::tell(tx, &self.voice, &seen).await
    }
}

/// What follows from the passes of a run.
fn conclude(
    run: &Run,
    (started, at): (Timestamp, Timestamp),
    read: &Read,
    assembled: Assembled,
    passes: Vec<(Pass, Option<Inconsistent>)>,
    followed: Vec<Followed>,
) -> Result<Judgement, StoreError> {
    let Assembled { inputs, ratios, inventory } = assembled;
    let wrong = passes.iter().find_map(|(_, wrong)| wrong.clone());
    let passes: Vec<Pass> = passes.into_iter().map(|(pass, _)| pass).collect();
    let whole = assemble::whole(&inputs);
    let mut known = runs::by_key(&followed);
    let mut turns = Vec::new();
    for pass in passes.iter().filter(|_| wrong.is_none()) {
        let seen = &pass.findings.sightings;
        let is_judged = |leg: &recon::inputs::Leg| leg.kind == Kind::Transit || whole.contains(leg.source());
        let news = breaks::news(&known, seen, is_judged, (at, run.date), &inputs.calendar);
        for (key, event) in news {
            let seen: Vec<Sighting> = seen.iter().filter(|one| one.key == key).cloned().collect();
            known = breaks::fold(known, &[(key, event.clone())], &seen, at)
                .map_err(|error| impossible(&error.to_string()))?;
            let after = known.get(&key).cloned().ok_or_else(|| impossible("a break is gone"))?;
            turns.push(Turn { event, after, seen: seen.into_iter().next() });
        }
    }
    let open = known.values().filter(|one| one.state.needs_someone()).count();
    let findings = passes.last().map(|pass| pass.findings.clone()).unwrap_or_default();
    let uncovered = findings.exposed.iter().filter(|one| !one.is_accounted_for()).count();
    let (status, verdict) = match (&wrong, findings.is_complete()) {
        (Some(_), _) => ("FAILED", Verdict::Inconsistent),
        (None, false) => ("INCOMPLETE", Verdict::Incomplete),
        (None, true) if open > 0 || !findings.unlisted.is_empty() => ("COMPLETE", Verdict::Found),
        (None, true) => ("COMPLETE", Verdict::Done),
    };
    let said = match &wrong {
        Some(wrong) => wrong.to_string(),
        None => telling::headline(&findings, open, uncovered),
    };
    let row = RunRow {
        job_run: run.id,
        date: run.date,
        started,
        finished: at,
        status,
        passes,
        cuts: cuts(read),
        answers: answers(read),
        ratios: if wrong.is_none() { ratios } else { Vec::new() },
        inventory: if wrong.is_none() { inventory } else { Vec::new() },
        open_breaks: open,
        said,
    };
    Ok(Judgement { row, turns, followed, inputs, verdict })
}

fn impossible(what: &str) -> StoreError {
    StoreError::Stop {
        what: format!("breaks do not follow from their events: {what}"),
        next: "compare `recon_break` with `recon_break_event`, and report it".to_owned(),
        source: None,
    }
}

/// Judges once; a ledger that contradicts itself is a finding of its own.
fn pass(inputs: &Inputs) -> Result<(Pass, Option<Inconsistent>), StoreError> {
    let text = serde_json::to_string(inputs).map_err(|error| impossible(&error.to_string()))?;
    let input_digest = recon::digest(inputs);
    Ok(match recon::judge(inputs) {
        Ok(findings) => {
            let output_digest = Some(recon::digest(&findings));
            (Pass { inputs: text, input_digest, output_digest, findings }, None)
        }
        Err(wrong) => {
            let findings = Findings::default();
            (Pass { inputs: text, input_digest, output_digest: None, findings }, Some(wrong))
        }
    })
}

/// Takes up what the ledger of a source lacks, and takes back what the chain does not have.
async fn take_up(
    tx: &mut Transaction<'static, Postgres>,
    chain: &OnChain,
    Reread { booked, stray }: Reread,
) -> Result<(Vec<recon::inputs::LogMove>, Vec<recon::inputs::LogMove>), StoreError> {
    let (id, number) = (chain.reading.id, chain.reading.source.chain);
    cursors::hold(tx, id).await?;
    let back = ledger::facts_at(tx, number, chain.usdc, &stray).await?;
    // First what is not there: it may stand in the place of what is.
    facts::disown(tx, id, number, &stray).await?;
    let new = facts::merge(tx, booked.page).await?;
    vaults::moved(tx, &chain.reading, chain.held.at.number).await?;
    let new: Vec<(B256, u64)> =
        new.iter().map(|log| (log.block.hash, u64::try_from(log.log_index).unwrap_or_default())).collect();
    let missing = ledger::log_facts(tx, number, chain.usdc, &new).await?;
    Ok((assemble::log_moves(chain, missing), assemble::log_moves(chain, back)))
}

/// When and how every source was read.
fn cuts(read: &Read) -> Vec<CutRow> {
    let chains = read.chains.iter().map(|asked| CutRow {
        source: asked.source.clone(),
        at: asked.said.as_ref().map_or(asked.started, |chain| chain.time),
        block: asked.said.as_ref().ok().map(|chain| chain.held.at),
        since: None,
        started: asked.started,
        finished: asked.finished,
        unknown: asked.said.as_ref().err().cloned(),
    });
    let brokers = read.brokers.iter().map(|asked| CutRow {
        source: asked.source.clone(),
        at: asked.said.as_ref().map_or(asked.started, |broker| broker.at),
        block: None,
        since: asked.said.as_ref().ok().map(|broker| broker.since),
        started: asked.started,
        finished: asked.finished,
        unknown: asked.said.as_ref().err().cloned(),
    });
    chains.chain(brokers).collect()
}

/// What the sources answered, word for word.
fn answers(read: &Read) -> Vec<Answered> {
    let answer = |said: &Said| Answered {
        source: said.door.clone(),
        request: said.request.clone(),
        status: said.status,
        said: String::from_utf8_lossy(&said.body).into_owned(),
    };
    read.said.iter().map(answer).collect()
}
