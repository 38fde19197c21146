//! What reconciliations came to: runs, breaks with their events, and what people did about them.
//!
//! A run is written whole by the transaction of its caller. A break is moved by an event
//! only, which is kept beside it.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use jiff::{Timestamp, civil::Date};
use sqlx::{PgConnection, Postgres, Row as _, Transaction, postgres::PgRow};

use super::{
    StoreError, big, clean,
    exposure::Act,
    small,
    types::{At, Day},
};
use crate::{
    book::{
        log::Place,
        recon::{
            Exposed, Findings, Judged,
            breaks::{Break, Event, Sighting, State},
            explain::Class,
            inputs::{Kind, Leg},
        },
    },
    policy::inventory::Inventory,
    tape::Said,
    units::{Amount, Price},
};

/// A source of a run, and when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutRow {
    /// The source's name.
    pub source: String,
    /// The moment that it speaks of.
    pub at: Timestamp,
    /// Of a chain: the block.
    pub block: Option<Place>,
    /// Of a broker: from when on its trades and activities were asked for.
    pub since: Option<Timestamp>,
    /// When the first question was sent.
    pub started: Timestamp,
    /// When the last answer was there.
    pub finished: Timestamp,
    /// Why nothing of it can be judged, where that is so.
    pub unknown: Option<String>,
}

/// An answer of a source, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The source's name.
    pub source: String,
    /// What was asked.
    pub request: String,
    /// The HTTP status; none where no answer came, and `said` says why.
    pub status: Option<u16>,
    /// The answer, word for word.
    pub said: String,
}

/// A wrapper at a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatioRow {
    /// The source's name.
    pub source: String,
    /// The wrapper.
    pub token: Address,
    /// The ticker of what it wraps.
    pub symbol: String,
    /// How many tokens are held.
    pub held: Amount,
    /// Underlying shares each.
    pub ratio: Amount,
    /// The block.
    pub block: u64,
}

/// One time that a run judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// All that was looked at, as canonical JSON.
    pub inputs: String,
    /// Its digest.
    pub input_digest: B256,
    /// The digest of what it came to; none where the ledger contradicts itself.
    pub output_digest: Option<B256>,
    /// What it came to.
    pub findings: Findings,
}

/// A run, ready to be written.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Its row in `job_run`.
    pub job_run: Option<i64>,
    /// The business date.
    pub date: Date,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// `COMPLETE`, `INCOMPLETE`, `FAILED`.
    pub status: &'static str,
    /// Each time that it judged, the last one last.
    pub passes: Vec<Pass>,
    /// Its sources.
    pub cuts: Vec<CutRow>,
    /// What they answered.
    pub answers: Vec<Answered>,
    /// Wrappers.
    pub ratios: Vec<RatioRow>,
    /// How much is where.
    pub inventory: Vec<Inventory>,
    /// Breaks that need somebody.
    pub open_breaks: usize,
    /// What it came to, in a sentence.
    pub said: String,
}

/// Nobody else reconciles until this transaction ends.
pub async fn lock(tx: &mut Transaction<'_, Postgres>) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/recon_lock.sql"))
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of("begin to reconcile", error))?;
    Ok(())
}

fn bytes(digest: B256) -> Vec<u8> {
    digest.to_vec()
}

/// Writes a run down, and gives its number.
pub async fn write(tx: &mut Transaction<'_, Postgres>, run: &RunRow) -> Result<i64, StoreError> {
    write_run(tx, run).await.map_err(|error| StoreError::of("write down a reconciliation", error))
}

async fn write_run(tx: &mut Transaction<'_, Postgres>, run: &RunRow) -> Result<i64, sqlx::Error> {
    let next = sqlx::query(include_str!("../../sql/queries/recon_run_next.sql"))
        .bind(Day(run.date))
        .fetch_one(&mut **tx)
        .await?;
    let last = run.passes.last();
    let number: i64 = sqlx::query_scalar(include_str!("../../sql/queries/recon_run_write.sql"))
        .bind(run.job_run)
        .bind(Day(run.date))
        .bind(next.try_get::<i32, _>("attempt")?)
        .bind(At(run.started))
        .bind(At(run.finished))
        .bind(run.status)
        .bind(count(run.passes.len()))
        .bind(last.map(|pass| bytes(pass.input_digest)))
        .bind(last.and_then(|pass| pass.output_digest).map(bytes))
        .bind(i64::from(count(run.open_breaks)))
        .bind(i64::from(count(last.map_or(0, |pass| pass.findings.unexplained()))))
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(next.try_get::<Option<i64>, _>("supersedes")?)
        .bind(clean(&run.said))
        .fetch_one(&mut **tx)
        .await?;
    for cut in &run.cuts {
        sqlx::query(include_str!("../../sql/queries/recon_cut_write.sql"))
            .bind(number)
            .bind(&cut.source)
            .bind(At(cut.at))
            .bind(cut.block.map(|block| big(block.number)))
            .bind(cut.block.map(|block| bytes(block.hash)))
            .bind(At(cut.started))
            .bind(At(cut.finished))
            .bind(if cut.unknown.is_some() { "UNKNOWN" } else { "WHOLE" })
            .bind(cut.unknown.as_deref().map(clean))
            .bind(cut.since.map(At))
            .execute(&mut **tx)
            .await?;
    }
    for (place, answer) in run.answers.iter().enumerate() {
        sqlx::query(include_str!("../../sql/queries/recon_answer_write.sql"))
            .bind(number)
            .bind(count(place))
            .bind(&answer.source)
            .bind(&answer.request)
            .bind(answer.status.map(i32::from))
            .bind(answer.said.replace('\0', ""))
            .execute(&mut **tx)
            .await?;
    }
    for ratio in &run.ratios {
        sqlx::query(include_str!("../../sql/queries/recon_ratio_write.sql"))
            .bind(number)
            .bind(&ratio.source)
            .bind(ratio.token.as_slice())
            .bind(&ratio.symbol)
            .bind(ratio.held)
            .bind(ratio.ratio)
            .bind(big(ratio.block))
            .execute(&mut **tx)
            .await?;
    }
    for one in &run.inventory {
        sqlx::query(include_str!("../../sql/queries/recon_inventory_write.sql"))
            .bind(number)
            .bind(&one.instrument)
            .bind(one.onchain)
            .bind(one.at_brokers)
            .bind(one.ratio)
            .bind(one.target.ratio)
            .bind(one.target.deviation)
            .bind(one.move_quantity)
            .execute(&mut **tx)
            .await?;
    }
    for (place, pass) in run.passes.iter().enumerate() {
        write_pass(tx, number, place + 1, pass).await?;
    }
    if let Some(last) = last.filter(|pass| pass.output_digest.is_some()) {
        write_findings(tx, number, &last.findings).await?;
    }
    Ok(number)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

async fn write_pass(
    tx: &mut Transaction<'_, Postgres>,
    run: i64,
    number: usize,
    pass: &Pass,
) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("../../sql/queries/recon_pass_write.sql"))
        .bind(run)
        .bind(count(number))
        .bind(&pass.inputs)
        .bind(bytes(pass.input_digest))
        .bind(pass.output_digest.map(bytes))
        .execute(&mut **tx)
        .await?;
    for (place, one) in pass.findings.explanations.iter().enumerate() {
        sqlx::query(include_str!("../../sql/queries/recon_explanation_write.sql"))
            .bind(run)
            .bind(count(number))
            .bind(count(place))
            .bind(one.leg.kind.word())
            .bind(&one.leg.account)
            .bind(&one.leg.instrument)
            .bind(one.class.word())
            .bind(one.amount)
            .bind(&one.refs)
            .bind(one.deadline.map(At))
            .bind(clean(&one.detail))
            .bind(one.tolerated)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn write_findings(
    tx: &mut Transaction<'_, Postgres>,
    run: i64,
    findings: &Findings,
) -> Result<(), sqlx::Error> {
    let legs = &findings.legs;
    let text = |of: fn(&Judged) -> &str| legs.iter().map(of).collect::<Vec<&str>>();
    let amounts = |of: fn(&Judged) -> Amount| legs.iter().map(of).collect::<Vec<Amount>>();
    sqlx::query(include_str!("../../sql/queries/recon_leg_write.sql"))
        .bind(run)
        .bind(text(|one| one.leg.kind.word()))
        .bind(text(|one| &one.leg.account))
        .bind(text(|one| &one.leg.instrument))
        .bind(amounts(|one| one.expected))
        .bind(amounts(|one| one.reported))
        .bind(amounts(|one| one.residual))
        .bind(amounts(|one| one.explained))
        .bind(amounts(|one| one.unexplained))
        .bind(legs.iter().map(|one| one.price.map(Price::dollars)).collect::<Vec<Option<Amount>>>())
        .bind(legs.iter().map(|one| one.candidates.join("\u{1f}")).collect::<Vec<String>>())
        .bind(legs.iter().map(|one| one.unsettled).collect::<Vec<Option<Amount>>>())
        .execute(&mut **tx)
        .await?;
    let exposed = &findings.exposed;
    let amounts = |of: fn(&Exposed) -> Amount| exposed.iter().map(of).collect::<Vec<Amount>>();
    let why = |one: &Exposed| one.why.clone().unzip();
    sqlx::query(include_str!("../../sql/queries/recon_exposure_write.sql"))
        .bind(run)
        .bind(exposed.iter().map(|one| one.symbol.as_str()).collect::<Vec<&str>>())
        .bind(amounts(|one| one.net))
        .bind(amounts(|one| one.pending))
        .bind(amounts(|one| one.left))
        .bind(exposed.iter().map(|one| one.value.map(|value| value.0)).collect::<Vec<Option<Amount>>>())
        .bind(exposed.iter().map(|one| one.within).collect::<Vec<bool>>())
        .bind(exposed.iter().map(|one| why(one).0).collect::<Vec<Option<String>>>())
        .bind(exposed.iter().map(|one| why(one).1.map(At)).collect::<Vec<Option<At>>>())
        .bind(exposed.iter().map(|one| one.oldest.map(At)).collect::<Vec<Option<At>>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A break, with its number and what people read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its number.
    pub id: i64,
    /// How it stands.
    pub what: Break,
    /// What it rests on.
    pub refs: Vec<String>,
    /// In words.
    pub detail: String,
}

/// The newest break of every key, or that of a number.
pub async fn breaks(conn: &mut PgConnection, id: Option<i64>) -> Result<Vec<Followed>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_breaks.sql"));
        let rows = query.bind(id).fetch_all(conn).await?;
        rows.iter().map(followed).collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the breaks", error))
}

fn followed(row: &PgRow) -> Result<Followed, sqlx::Error> {
    fn known<T>(word: &str, found: Option<T>) -> Result<T, sqlx::Error> {
        found.ok_or_else(|| sqlx::Error::Decode(format!("`{word}` is no word of ours").into()))
    }
    let at = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<At>, _>(column)?.map(|at| at.0));
    let (kind, class, state): (&str, &str, &str) =
        (row.try_get("leg")?, row.try_get("class")?, row.try_get("state")?);
    let leg = Leg {
        kind: known(kind, Kind::named(kind))?,
        account: row.try_get("account")?,
        instrument: row.try_get("instrument")?,
    };
    Ok(Followed {
        id: row.try_get("id")?,
        what: Break {
            key: B256::try_from(row.try_get::<&[u8], _>("key")?).unwrap_or_default(),
            leg,
            class: known(class, Class::named(class))?,
            state: known(state, State::named(state))?,
            stuck: row.try_get("stuck")?,
            quantity: row.try_get("quantity")?,
            cash: row.try_get("cash")?,
            deadline: at("deadline")?,
            acknowledged_until: at("acknowledged_until")?,
            first_seen: row.try_get::<At, _>("first_seen")?.0,
            changed_at: row.try_get::<At, _>("changed_at")?.0,
        },
        refs: row.try_get("refs")?,
        detail: row.try_get("detail")?,
    })
}

/// Who says that something happened to a break.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// A run.
    Run(i64),
    /// A person, and the entry that it gave.
    Person(Act<'a>, Option<i64>),
}

/// Writes down what happened to a break: its event, and how it stands after it.
pub async fn happened(
    tx: &mut Transaction<'_, Postgres>,
    id: Option<i64>,
    (event, word): (&Event, &str),
    after: &Break,
    seen: Option<&Sighting>,
    by: By<'_>,
) -> Result<i64, StoreError> {
    let write = async {
        let id: i64 = match (event, id, seen) {
            (Event::Opened, _, Some(seen)) => {
                sqlx::query_scalar(include_str!("../../sql/queries/recon_break_open.sql"))
                    .bind(bytes(after.key))
                    .bind(after.leg.kind.word())
                    .bind(&after.leg.account)
                    .bind(&after.leg.instrument)
                    .bind(after.class.word())
                    .bind(after.quantity)
                    .bind(after.cash)
                    .bind(after.deadline.map(At))
                    .bind(At(after.first_seen))
                    .bind(&seen.refs)
                    .bind(clean(&seen.detail))
                    .fetch_one(&mut **tx)
                    .await?
            }
            (_, Some(id), _) => {
                sqlx::query(include_str!("../../sql/queries/recon_break_move.sql"))
                    .bind(id)
                    .bind(after.stuck)
                    .bind(after.state.word())
                    .bind(after.quantity)
                    .bind(after.cash)
                    .bind(after.deadline.map(At))
                    .bind(after.acknowledged_until.map(At))
                    .bind(At(after.first_seen))
                    .bind(At(after.changed_at))
                    .bind(seen.map(|seen| seen.refs.clone()))
                    .bind(seen.map(|seen| clean(&seen.detail)))
                    .execute(&mut **tx)
                    .await?;
                id
            }
            (_, None, _) => return Err(sqlx::Error::RowNotFound),
        };
        let until = match event {
            Event::Acknowledged(until) => Some(*until),
            Event::Opened
            | Event::Explained
            | Event::Changed
            | Event::Stuck
            | Event::Lapsed
            | Event::Resolved
            | Event::WrittenOff
            | Event::Reopened => after.deadline,
        };
        let (run, act, entry) = match by {
            By::Run(run) => (Some(run), None, None),
            By::Person(act, entry) => (None, Some(act), entry),
        };
        sqlx::query(include_str!("../../sql/queries/recon_break_event_write.sql"))
            .bind(id)
            .bind(run)
            .bind(word)
            .bind(after.state.word())
            .bind(after.quantity)
            .bind(after.cash)
            .bind(until.map(At))
            .bind(entry)
            .bind(act.map(|act| act.reason))
            .bind(act.map(|act| act.author))
            .bind(At(after.changed_at))
            .execute(&mut **tx)
            .await?;
        Ok(id)
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("write down what became of a break", error))
}

/// An entry in an account that is neither fill nor execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `opening`, `transfer`, `external`, `corporate action`, `correction`, `write-off`.
    pub kind: &'static str,
    /// Where, of what.
    pub leg: Leg,
    /// What the account gained, signed; of an opening, what it held.
    pub amount: Amount,
    /// From when on it counts.
    pub as_of: Timestamp,
    /// Evidence that it takes up.
    pub refs: Vec<String>,
    /// The break that it mends.
    pub mends: Option<i64>,
    /// The transfer that it is one end of, and until when the other should be there.
    pub transfer: Option<(String, Option<Timestamp>)>,
}

/// Writes an entry down, and gives its number.
pub async fn enter(
    tx: &mut Transaction<'_, Postgres>,
    entry: &Entry,
    act: Act<'_>,
) -> Result<i64, StoreError> {
    sqlx::query_scalar(include_str!("../../sql/queries/account_entry_write.sql"))
        .bind(entry.kind)
        .bind(entry.leg.kind.word())
        .bind(&entry.leg.account)
        .bind(&entry.leg.instrument)
        .bind(entry.amount)
        .bind(At(entry.as_of))
        .bind(&entry.refs)
        .bind(entry.transfer.as_ref().map(|(id, _)| id))
        .bind(entry.transfer.as_ref().and_then(|(_, deadline)| *deadline).map(At))
        .bind(entry.mends)
        .bind(act.reason)
        .bind(act.author)
        .bind(At(act.at))
        .fetch_one(&mut **tx)
        .await
        .map_err(|error| StoreError::of("write down an entry", error))
}

/// Writes down a correction of what is exposed of a share.
pub async fn correct_exposure(
    tx: &mut Transaction<'_, Postgres>,
    symbol: &str,
    quantity: Amount,
    act: Act<'_>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/correction_write.sql"))
        .bind(symbol)
        .bind(quantity)
        .bind(act.reason)
        .bind(act.author)
        .bind(At(act.at))
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of("correct what is exposed", error))?;
    Ok(())
}

/// A pass of a run, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub pass: i32,
    /// All that was looked at.
    pub inputs: String,
    /// Its digest.
    pub input_digest: B256,
    /// The digest of what it came to.
    pub output_digest: Option<B256>,
}

/// The passes of a run, and the answers of it that are not as they came.
pub async fn kept(conn: &mut PgConnection, run: i64) -> Result<(Vec<Kept>, Vec<String>), StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_replay.sql"));
        let rows = query.bind(run).fetch_all(&mut *conn).await?;
        let digest = |bytes: &[u8]| B256::try_from(bytes).unwrap_or_default();
        let passes = rows
            .iter()
            .map(|row| {
                let output: Option<&[u8]> = row.try_get("output_digest")?;
                Ok(Kept {
                    pass: row.try_get("pass")?,
                    inputs: row.try_get("inputs")?,
                    input_digest: digest(row.try_get("input_digest")?),
                    output_digest: output.map(digest),
                })
            })
            .collect::<Result<_, sqlx::Error>>()?;
        let query = sqlx::query(include_str!("../../sql/queries/recon_answers.sql"));
        let changed = query.bind(run).fetch_all(conn).await?;
        let changed = changed.iter().map(|row| row.try_get("request")).collect::<Result<_, _>>()?;
        Ok((passes, changed))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read a run", error))
}

/// What the sources of a run answered, in the order of asking.
pub async fn answers(conn: &mut PgConnection, run: i64) -> Result<Vec<Said>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_said.sql"));
        let rows = query.bind(run).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let status: Option<i32> = row.try_get("status")?;
                Ok(Said {
                    door: row.try_get("source")?,
                    request: row.try_get("request")?,
                    status: status.and_then(|status| u16::try_from(status).ok()),
                    body: row.try_get::<String, _>("said")?.into_bytes(),
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what sources answered", error))
}

/// From when on the brokers of a run were asked for trades; those of which it is not on record are left out.
pub async fn asked_since(
    conn: &mut PgConnection,
    run: i64,
) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_since.sql"));
        let rows = query.bind(run).fetch_all(conn).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("source")?, row.try_get::<At, _>("asked_since")?.0)))
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read from when on brokers were asked", error))
}

/// When a run began; none where there is no such run.
pub async fn started_at(conn: &mut PgConnection, run: i64) -> Result<Option<Timestamp>, StoreError> {
    let query = sqlx::query_scalar::<_, At>(include_str!("../../sql/queries/recon_started.sql"));
    let read = query.bind(run).fetch_optional(conn).await;
    read.map(|at| at.map(|at| at.0)).map_err(|error| StoreError::of("read when a run began", error))
}

/// The wrappers of a run.
pub async fn ratios(conn: &mut PgConnection, run: i64) -> Result<Vec<RatioRow>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/recon_ratios.sql"));
        let rows = query.bind(run).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok(RatioRow {
                    source: row.try_get("source")?,
                    token: Address::try_from(row.try_get::<&[u8], _>("token")?).unwrap_or_default(),
                    symbol: row.try_get("symbol")?,
                    held: row.try_get("held")?,
                    ratio: row.try_get("ratio")?,
                    block: small(row.try_get("block_number")?),
                })
            })
            .collect::<Result<_, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the ratios of a run", error))
}

/// The breaks, by key.
pub fn by_key(followed: &[Followed]) -> BTreeMap<B256, Break> {
    followed.iter().map(|one| (one.what.key, one.what.clone())).collect()
}
