//! Where the real program is held, and what its database refuses it: triggers in the
//! database of a test, so that nothing in the program knows of tests.
//!
//! A place is written as a trigger's: `insert on execution`, or `update on hedge_order`
//! with a condition.

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::{
    office::{PATIENCE, moment},
    world::World,
};

/// The lock that gates wait for.
const LOCK: i64 = 77;

/// When a trigger of a test acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the row is written.
    Before,
    /// As the transaction commits: who is gone by then commits all the same.
    Commit,
}

/// A place in the database's work.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub when: When,
    /// Such as `insert on execution`.
    pub what: &'static str,
    /// Such as `new.state = 'sent'`; empty: always.
    pub only: &'static str,
}

impl Place {
    pub const fn before(what: &'static str) -> Self {
        Self { when: When::Before, what, only: "" }
    }

    pub const fn commit(what: &'static str) -> Self {
        Self { when: When::Commit, what, only: "" }
    }

    pub const fn only(self, only: &'static str) -> Self {
        Self { only, ..self }
    }

    fn table(&self) -> &'static str {
        self.what.rsplit(' ').next().unwrap()
    }

    async fn guard(&self, pool: &PgPool, name: &str, body: &str) {
        let Self { what, only, .. } = self;
        let (kind, when, deferred) = match self.when {
            When::Before => ("", "before", ""),
            When::Commit => ("constraint", "after", "deferrable initially deferred"),
        };
        let only = if only.is_empty() { "true" } else { only };
        let sql = format!(
            "create or replace function {name}() returns trigger language plpgsql as $$
             begin {body}; return new; end $$;
             create {kind} trigger {name} {when} {what} {deferred} for each row when ({only})
             execute function {name}()"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
    }

    async fn unguard(&self, pool: &PgPool, name: &str) {
        let sql = format!("drop trigger {name} on {}", self.table());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
    }
}

/// Whoever comes to a place waits there, until the gate is opened.
pub struct Gate {
    pool: PgPool,
    keeper: PgConnection,
    place: Place,
}

impl Gate {
    pub async fn at(world: &World, place: Place) -> Self {
        let options = world.url().options().unwrap();
        let mut keeper = PgConnection::connect_with(&options).await.unwrap();
        sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut keeper).await.unwrap();
        let pool = world.pool().clone();
        place.guard(&pool, "gate", &format!("perform pg_advisory_xact_lock_shared({LOCK})")).await;
        Self { pool, keeper, place }
    }

    /// The backend that waits there.
    async fn waits(&mut self) -> Option<i32> {
        let sql =
            "select pid from pg_locks where locktype = 'advisory' and objid = $1::bigint::oid and not granted
                   and database = (select oid from pg_database where datname = current_database()) limit 1";
        sqlx::query_scalar(sql).bind(LOCK).fetch_optional(&mut self.keeper).await.unwrap()
    }

    /// Waits until somebody stands there.
    pub async fn reached(&mut self) {
        let begun = std::time::Instant::now();
        while self.waits().await.is_none() {
            assert!(begun.elapsed() < PATIENCE, "nobody comes to {:?}", self.place);
            moment().await;
        }
    }

    /// Lets everybody pass. What waited for somebody who is gone by now is over when this ends.
    pub async fn open(mut self) {
        let waiting = self.waits().await;
        sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(&mut self.keeper).await.unwrap();
        self.place.unguard(&self.pool, "gate").await;
        let sql = "select count(*) from pg_locks where pid = $1 and locktype = 'transactionid' and granted";
        while sqlx::query_scalar::<_, i64>(sql).bind(waiting).fetch_one(&mut self.keeper).await.unwrap() > 0 {
            moment().await;
        }
    }
}

impl Gate {
    /// The database was copied, and whoever held the gate was thrown out: it is taken away.
    pub async fn forget(self) {
        self.place.unguard(&self.pool, "gate").await;
    }
}

/// The database refuses what is to be written at a place, as a full disk does.
pub struct Refusal {
    pool: PgPool,
    place: Place,
}

impl Refusal {
    /// With this SQLSTATE, such as `53100`.
    pub async fn at(world: &World, place: Place, code: &str) -> Self {
        let pool = world.pool().clone();
        // A sequence keeps its count where a transaction is rolled back.
        sqlx::raw_sql("create sequence refused").execute(&pool).await.unwrap();
        let body = format!(
            "perform nextval('refused');
             raise exception 'could not extend file: no space left on device' using errcode = '{code}'"
        );
        place.guard(&pool, "refusal", &body).await;
        Self { pool, place }
    }

    /// Waits until so many were refused.
    pub async fn met(&self, times: i64) {
        let sql = "select case when is_called then last_value else 0 end from refused";
        let begun = std::time::Instant::now();
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(&self.pool).await.unwrap() < times {
            assert!(begun.elapsed() < PATIENCE, "nobody comes to {:?}", self.place);
            moment().await;
        }
    }

    /// There is room again.
    pub async fn end(self) {
        self.place.unguard(&self.pool, "refusal").await;
        sqlx::raw_sql("drop function refusal; drop sequence refused").execute(&self.pool).await.unwrap();
    }
}
