//! Which job ran when: the turnstile that a timer and a scheduler both pass.
//!
//! A job has one row per due time, and a lock for as long as somebody is at it. Who holds the
//! lock and finds a row still running knows that its process is gone, and runs it again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use sqlx::{Connection, PgConnection, Row as _, postgres::PgRow};

use super::{
    StoreError,
    pool::DatabaseUrl,
    types::{At, Day},
};

/// Locks of jobs: `jobs` in ASCII, and the hash of the name beside it.
const LOCKS: i32 = 0x6a_6f_62_73;

/// Nobody else runs this job while this is held, on any machine.
#[derive(Debug)]
pub struct Turnstile {
    conn: PgConnection,
    job: String,
    holder: String,
}

/// How often a run is begun by itself, and how long is waited between two.
const TRIES: i32 = 3;
const BETWEEN_TRIES: SignedDuration = SignedDuration::from_mins(5);

/// Which runs are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Those whose process is gone, and those that failed a few times and some time ago.
    Failed,
    /// Any: a person wants it.
    Whatever,
}

/// What failed may be tried again where it was begun before this.
fn rested(now: Timestamp) -> Timestamp {
    now.checked_sub(BETWEEN_TRIES).unwrap_or(Timestamp::MIN)
}

/// A run that is ours to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its row.
    pub id: i64,
    /// How often it was begun, this time with it.
    pub attempt: i32,
}

/// A run as it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When it was due.
    pub due_at: Timestamp,
    /// The day it is about.
    pub date: Date,
    /// `running`, `done`, `found`, `incomplete`, `inconsistent` or `failed`.
    pub state: String,
    /// How often it was begun.
    pub attempt: i32,
    /// When it was begun last.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What came of it.
    pub said: Option<String>,
}

impl Turnstile {
    /// Takes a job's lock on a connection of its own; `None` where somebody else is at it.
    ///
    /// # Errors
    /// *Try again*: the database cannot be reached.
    pub async fn enter(url: &DatabaseUrl, job: &str, holder: &str) -> Result<Option<Self>, StoreError> {
        let failed = |error| StoreError::of("take a job's lock", error);
        let mut conn = url.connect().await?;
        let taken: bool = sqlx::query_scalar("select pg_try_advisory_lock($1, hashtext($2))")
            .bind(LOCKS)
            .bind(job)
            .fetch_one(&mut conn)
            .await
            .map_err(failed)?;
        if !taken {
            conn.close().await.map_err(failed)?;
            return Ok(None);
        }
        Ok(Some(Self { conn, job: job.to_owned(), holder: holder.to_owned() }))
    }

    /// The run at a due time, if it is still to be made.
    pub async fn claim(
        &mut self,
        due_at: Timestamp,
        date: Date,
        now: Timestamp,
        again: Again,
    ) -> Result<Option<Claimed>, StoreError> {
        let row = sqlx::query(include_str!("../../sql/queries/run_claim.sql"))
            .bind(&self.job)
            .bind(At(due_at))
            .bind(Day(date))
            .bind(&self.holder)
            .bind(At(now))
            .bind(At(rested(now)))
            .bind(TRIES)
            .bind(again == Again::Whatever)
            .fetch_optional(&mut self.conn)
            .await
            .map_err(|error| StoreError::of("claim a run", error))?;
        let read = |row: PgRow| Ok(Claimed { id: row.try_get("id")?, attempt: row.try_get("attempt")? });
        row.map(read).transpose().map_err(|error| StoreError::of("claim a run", error))
    }

    /// Writes what a run came to.
    pub async fn end(
        &mut self,
        run: Claimed,
        state: &str,
        said: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(include_str!("../../sql/queries/run_end.sql"))
            .bind(run.id)
            .bind(state)
            .bind(At(now))
            .bind(said)
            .execute(&mut self.conn)
            .await
            .map_err(|error| StoreError::of("end a run", error))?;
        Ok(())
    }

    /// Writes that a due time is passed over, and why.
    pub async fn skip(
        &mut self,
        due_at: Timestamp,
        date: Date,
        now: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(include_str!("../../sql/queries/run_skip.sql"))
            .bind(&self.job)
            .bind(At(due_at))
            .bind(Day(date))
            .bind(&self.holder)
            .bind(At(now))
            .bind(why)
            .execute(&mut self.conn)
            .await
            .map_err(|error| StoreError::of("pass over a run", error))?;
        Ok(())
    }

    /// Lets the next one in.
    pub async fn leave(self) -> Result<(), StoreError> {
        self.conn.close().await.map_err(|error| StoreError::of("give back a job's lock", error))
    }
}

/// The last due time of each job that is on record.
pub async fn last_due(conn: &mut PgConnection) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    times(sqlx::query(include_str!("../../sql/queries/run_last_due.sql")).fetch_all(conn).await)
}

/// The last due time of each job whose run ended other than by failing.
pub async fn last_ended(conn: &mut PgConnection) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    times(sqlx::query(include_str!("../../sql/queries/run_last_ended.sql")).fetch_all(conn).await)
}

fn times(rows: Result<Vec<PgRow>, sqlx::Error>) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let read = |rows: Vec<PgRow>| {
        rows.iter().map(|row| Ok((row.try_get("job")?, row.try_get::<At, _>("due_at")?.0))).collect()
    };
    rows.and_then(read).map_err(|error| StoreError::of("read which jobs ran", error))
}

/// The newest run of each job.
pub async fn newest(conn: &mut PgConnection) -> Result<BTreeMap<String, Recorded>, StoreError> {
    let read = |row: &PgRow| {
        let recorded = Recorded {
            due_at: row.try_get::<At, _>("due_at")?.0,
            date: row.try_get::<Day, _>("business_date")?.0,
            state: row.try_get("state")?,
            attempt: row.try_get("attempt")?,
            started_at: row.try_get::<At, _>("started_at")?.0,
            finished_at: row.try_get::<Option<At>, _>("finished_at")?.map(|at| at.0),
            said: row.try_get("said")?,
        };
        Ok((row.try_get("job")?, recorded))
    };
    let rows = sqlx::query(include_str!("../../sql/queries/run_newest.sql")).fetch_all(conn).await;
    rows.and_then(|rows| rows.iter().map(read).collect())
        .map_err(|error| StoreError::of("read which jobs ran", error))
}

/// Due times of each job that are to be tried again: those of [`Again::Failed`].
pub async fn open(
    conn: &mut PgConnection,
    now: Timestamp,
) -> Result<BTreeMap<String, Vec<(Timestamp, Date)>>, StoreError> {
    let failed = |error| StoreError::of("read which runs are open", error);
    let rows = sqlx::query(include_str!("../../sql/queries/run_open.sql"))
        .bind(At(rested(now)))
        .bind(TRIES)
        .fetch_all(conn)
        .await
        .map_err(failed)?;
    let mut open: BTreeMap<String, Vec<(Timestamp, Date)>> = BTreeMap::new();
    for row in &rows {
        let read = || Ok((row.try_get::<At, _>("due_at")?.0, row.try_get::<Day, _>("business_date")?.0));
        open.entry(row.try_get("job").map_err(failed)?).or_default().push(read().map_err(failed)?);
    }
    Ok(open)
}
