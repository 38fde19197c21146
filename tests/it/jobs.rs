//! Jobs on a clock that is told the time: each due time once, whoever calls, over changes of the
//! clock, holidays and a missed week.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::join_all;
use hedge::{
    config::jobs::specs,
    job::{
        Outcome, Run, Verdict, calendar, checks, health,
        office::{Clerk, Office},
        spec::{Kind, Spec},
    },
    time::Clock,
};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::date};
use sqlx::{AssertSqlSafe, PgPool};

use crate::{office::moment, world::World};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Writes down what it is told to do, and fails as often as it is told to.
#[derive(Debug, Default)]
struct Scribe {
    done: Mutex<Vec<String>>,
    failures: Mutex<u32>,
}

#[async_trait]
impl Clerk for Scribe {
    async fn work(&self, spec: &Spec, run: &Run) -> anyhow::Result<Outcome> {
        // Long enough for somebody else to come by.
        moment().await;
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            anyhow::bail!("the pen broke");
        }
        self.done.lock().unwrap().push(format!("{} of {} at {}", spec.name, run.date, run.at));
        Ok(Outcome { verdict: Verdict::Done, said: "written".to_owned() })
    }
}

impl Scribe {
    fn done(&self) -> Vec<String> {
        std::mem::take(&mut self.done.lock().unwrap())
    }
}

/// An office with the jobs of these kinds.
struct Stage {
    world: World,
    scribe: Arc<Scribe>,
    clock: Clock,
    specs: Vec<Spec>,
}

impl Stage {
    async fn new(now: &str, jobs: &[&str]) -> Self {
        let specs = specs(None).unwrap().into_iter().filter(|spec| jobs.contains(&spec.name.as_str()));
        Self {
            world: World::new().await,
            scribe: Arc::default(),
            clock: Clock::told(at(now)),
            specs: specs.collect(),
        }
    }

    fn office(&self) -> Office {
        Office {
            pool: self.pool().clone(),
            url: self.world.url().clone(),
            clock: self.clock.clone(),
            specs: self.specs.clone(),
            clerk: self.scribe.clone(),
            holder: "a test".to_owned(),
        }
    }

    fn pool(&self) -> &PgPool {
        self.world.pool()
    }

    async fn pass(&self, time: SignedDuration) {
        self.clock.sleep(time.unsigned_abs()).await;
    }

    /// Ticks every minute until then.
    async fn until(&self, end: &str) {
        let office = self.office();
        while self.clock.now() < at(end) {
            self.pass(SignedDuration::from_mins(1)).await;
            office.tick().await.unwrap();
        }
    }

    async fn record(&self) -> String {
        let rows: Vec<String> = sqlx::query_scalar(
            "select job || ' ' || business_date || ' due ' || to_char(due_at at time zone 'UTC', 'MM-DD HH24:MI') || ' '
                 || state || ' after ' || attempt || ': ' || coalesce(said, 'nothing yet')
             from job_run order by due_at, job",
        )
        .fetch_all(self.pool())
        .await
        .unwrap();
        rows.join("\n")
    }
}

#[tokio::test]
async fn a_night_job_keeps_its_hour_over_both_changes_of_the_clock() {
    for (from, to, runs) in [
        (
            "2026-03-06T20:00:00Z",
            "2026-03-10T12:00:00Z",
            ["2026-03-06 at 2026-03-07T01:30:00Z", "2026-03-09 at 2026-03-10T00:30:00Z"],
        ),
        (
            "2026-10-30T20:00:00Z",
            "2026-11-03T12:00:00Z",
            ["2026-10-30 at 2026-10-31T00:30:00Z", "2026-11-02 at 2026-11-03T01:30:00Z"],
        ),
        (
            "2027-03-12T20:00:00Z",
            "2027-03-16T12:00:00Z",
            ["2027-03-12 at 2027-03-13T01:30:00Z", "2027-03-15 at 2027-03-16T00:30:00Z"],
        ),
        (
            "2027-11-05T20:00:00Z",
            "2027-11-09T12:00:00Z",
            ["2027-11-05 at 2027-11-06T00:30:00Z", "2027-11-08 at 2027-11-09T01:30:00Z"],
        ),
    ] {
        let stage = Stage::new(from, &["reconcile"]).await;
        // Five minutes at a time: the hours between are empty.
        let office = stage.office();
        while stage.clock.now() < at(to) {
            stage.pass(SignedDuration::from_mins(5)).await;
            office.tick().await.unwrap();
        }
        assert_eq!(stage.scribe.done(), runs.map(|run| format!("reconcile of {run}")));
    }
}

#[tokio::test]
async fn thanksgiving_is_passed_over_and_on_record_and_the_half_day_after_it_is_run() {
    let stage = Stage::new("2026-11-25T23:00:00Z", &["reconcile", "pnl"]).await;
    stage.until("2026-11-26T02:00:00Z").await;
    stage.clock.sleep(std::time::Duration::from_hours(23)).await;
    stage.until("2026-11-27T02:00:00Z").await;
    stage.clock.sleep(std::time::Duration::from_hours(23)).await;
    stage.until("2026-11-28T02:00:00Z").await;
    assert_snapshot!(stage.record().await);
}

#[tokio::test]
async fn a_timer_a_scheduler_and_a_second_process_run_each_job_once() {
    let stage = Stage::new("2026-11-21T01:29:30Z", &["reconcile", "health"]).await;
    let all: Vec<Office> = (0..4).map(|_| stage.office()).collect();
    for _ in 0..3 {
        stage.pass(SignedDuration::from_secs(40)).await;
        let timer = &stage.specs[1];
        assert_eq!(timer.name, "reconcile");
        join_all(all.iter().map(async |office| {
            let (ticked, called) = tokio::join!(office.tick(), office.run_one(timer));
            ticked.unwrap();
            called.unwrap();
        }))
        .await;
    }
    let mut done = stage.scribe.done();
    done.sort_unstable();
    assert_eq!(
        done,
        ["health of 2026-11-21 at 2026-11-21T01:30:10Z", "reconcile of 2026-11-20 at 2026-11-21T01:30:10Z"],
    );
}

#[tokio::test]
async fn a_missed_week_is_counted_day_by_day_and_reconciled_once() {
    // Given a Friday's runs, and a machine that is off until the Saturday after Thanksgiving
    let stage = Stage::new("2026-11-21T01:25:00Z", &["reconcile", "pnl"]).await;
    stage.until("2026-11-21T01:50:00Z").await;
    stage.scribe.done();
    stage.clock.sleep(std::time::Duration::from_hours(24 * 7 + 12)).await;
    stage.office().tick().await.unwrap();
    let mut done = stage.scribe.done();
    done.sort_unstable();
    assert_snapshot!(done.join("\n"));
    // Then the record tells of every day
    assert_snapshot!(stage.record().await);
    stage.office().tick().await.unwrap();
    assert_eq!(stage.scribe.done(), [""; 0], "what is on record is not run again");
}

#[tokio::test]
async fn a_run_whose_process_is_gone_is_run_again_and_one_that_goes_on_is_not() {
    let stage = Stage::new("2026-11-21T01:29:30Z", &["pnl", "reconcile"]).await;
    // Given a process that was killed in the middle
    let sql = "insert into job_run (job, due_at, business_date, holder, started_at)
               values ('reconcile', '2026-11-20T01:30:00Z', '2026-11-19', 'gone', '2026-11-20T01:30:01Z')";
    sqlx::query(sql).execute(stage.pool()).await.unwrap();
    // And one that is at it still
    let holder =
        hedge::store::runs::Turnstile::enter(stage.world.url(), "reconcile", "another").await.unwrap();
    stage.office().tick().await.unwrap();
    assert_eq!(stage.scribe.done(), [""; 0]);
    // When it is gone as well
    holder.unwrap().leave().await.unwrap();
    stage.office().tick().await.unwrap();
    assert_eq!(stage.scribe.done(), ["reconcile of 2026-11-19 at 2026-11-21T01:29:30Z"]);
    assert_snapshot!(stage.record().await);
}

#[tokio::test]
async fn a_job_that_fails_is_tried_three_times_and_then_left_to_a_person() {
    let stage = Stage::new("2026-11-21T01:29:30Z", &["reconcile"]).await;
    *stage.scribe.failures.lock().unwrap() = 3;
    stage.until("2026-11-21T02:30:00Z").await;
    assert_eq!(stage.scribe.done(), [""; 0]);
    assert_snapshot!(stage.record().await);
    // A person runs it for that date
    let office = stage.office();
    let ended = office.run_for(&stage.specs[0], date(2026, 11, 20)).await.unwrap().unwrap();
    assert_eq!(ended.verdict, Some(Verdict::Done));
    assert_snapshot!(stage.record().await);
}

#[tokio::test]
async fn a_person_may_run_a_job_before_its_time_and_it_is_due_all_the_same() {
    let stage = Stage::new("2026-11-21T01:00:00Z", &["reconcile"]).await;
    stage.office().run_for(&stage.specs[0], date(2026, 11, 20)).await.unwrap().unwrap();
    stage.until("2026-11-21T01:31:00Z").await;
    assert_snapshot!(stage.record().await);
}

fn run_at(job: &str, now: &str) -> Run {
    let at = at(now);
    Run { id: None, job: job.to_owned(), date: hedge::time::new_york_date(at), at }
}

#[tokio::test]
async fn the_calendar_is_the_rules_until_somebody_knows_better() {
    let world = World::new().await;
    let run = run_at("calendar", "2026-11-20T11:00:00Z");
    let (outcome, conditions) = calendar::run(world.pool(), &[], 550, &run).await.unwrap();
    assert_eq!((outcome.verdict, conditions), (Verdict::Done, Vec::new()));
    // What a person says stays, however often the job runs
    let sql = "insert into market_session (date, source, said_at) values ('2026-12-08', 'hand', now())
               on conflict (date) do update set open_at = null, close_at = null, source = 'hand'";
    sqlx::query(sql).execute(world.pool()).await.unwrap();
    calendar::run(world.pool(), &[], 550, &run).await.unwrap();
    let days: Vec<String> = sqlx::query_scalar(
        "select date || ' ' || coalesce(to_char(open_at at time zone 'America/New_York', 'HH24:MI') || '-'
             || to_char(close_at at time zone 'America/New_York', 'HH24:MI'), 'closed')
             || case when is_early then ' early' else '' end || ' by ' || source
         from market_session where date between '2026-11-25' and '2026-11-30' or date = '2026-12-08' order by date",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_snapshot!(days.join("\n"));
    let ahead: i64 = sqlx::query_scalar(
        "select count(*) from market_session where date > '2026-11-20' and open_at is not null",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert!(ahead >= 300, "{ahead}");
}

#[tokio::test]
async fn a_closure_that_a_person_knows_of_is_no_night_for_a_job() {
    let stage = Stage::new("2026-12-09T01:25:00Z", &["reconcile"]).await;
    let sql = "insert into market_session (date, source, said_at) values ('2026-12-08', 'hand', now())";
    sqlx::query(sql).execute(stage.pool()).await.unwrap();
    stage.until("2026-12-09T01:31:00Z").await;
    assert_snapshot!(stage.record().await);
}

#[tokio::test]
async fn everything_that_is_too_old_is_a_condition_with_what_to_do() {
    let world = World::with_books().await;
    let now = "2026-11-21T03:00:00Z";
    let aged = "
        update cursor set looked_at = '2026-11-21T02:50:00Z', stopped_at = null, stopped_why = null;
        insert into halt (symbol, act, reason, author, happened_at) values ('TSLA', 'halt', 'earnings', 'ann', '2026-11-20T15:00:00Z');
        begin; set local session_replication_role = replica; update skipped_log set skipped_at = '2026-11-20T12:00:00Z'; commit;
        delete from hold;
        insert into hold (symbol, reason, detail, since) values ('AAPL', 'no price', 'nobody says what it is worth', '2026-11-21T01:00:00Z'),
            ('SPYM', 'market closed', 'it opens tomorrow', '2026-11-20T01:00:00Z');
        insert into job_run (job, due_at, business_date, state, holder, started_at, finished_at, said) values
            ('reconcile', '2026-11-20T01:30:00Z', '2026-11-19', 'done', 'x', '2026-11-20T01:30:00Z', '2026-11-20T01:31:00Z', 'ok'),
            ('pnl', '2026-11-21T01:45:00Z', '2026-11-20', 'failed', 'x', '2026-11-21T01:45:00Z', '2026-11-21T01:46:00Z', 'the pen broke');
        with letter as (
            insert into letter (dedup_key, message_id, scope, severity, recipients, subject, text, html, written_at)
            values ('d', '<m@x>', 'health', 'warning', '{a@x}', 's', 't', 'h', '2026-11-21T02:00:00Z') returning id
        )
        insert into outbox (letter_id, channel, recipient, state, next_at, ended_at, last_error)
        select id, 'mail', 'a@x', 'waiting', '2026-11-21T02:00:00Z'::timestamptz, null::timestamptz, 'nobody answers' from letter
        union all
        select id, 'mail', 'nobody@x', 'failed', '2026-11-21T02:00:00Z', '2026-11-21T02:01:00Z', '550 no such user' from letter;";
    sqlx::raw_sql(AssertSqlSafe(aged)).execute(world.pool()).await.unwrap();
    let specs = specs(None).unwrap();
    let limits = health::Limits::default();
    let mut conn = world.pool().acquire().await.unwrap();
    let found = health::look(&mut conn, &limits, &specs, &run_at("health", now)).await.unwrap();
    let told = |it: &hedge::policy::alert::Condition| {
        format!(
            "{} {} since {}: {}. {} -> {}",
            it.severity.word(),
            it.key,
            it.since,
            it.about,
            it.detail,
            it.next
        )
    };
    assert_snapshot!(found.iter().map(told).collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn a_check_that_finds_something_is_kept_and_told_and_one_that_is_let_pass_is_kept() {
    let world = World::with_books().await;
    // Given a fill whose quantity is not its tokens times its ratio
    let wrong = "begin; set local session_replication_role = replica; update fill set quantity = quantity + 1; commit";
    sqlx::raw_sql(wrong).execute(world.pool()).await.unwrap();
    let mut conn = world.pool().acquire().await.unwrap();
    let run = run_at("checks", "2026-11-21T02:10:00Z");
    let (all, told) = checks::look(&mut conn, &[].into(), &run).await.unwrap();
    assert!(all.len() >= 9);
    let keys: Vec<&str> = told.iter().map(|condition| condition.key.as_str()).collect();
    assert!(keys.contains(&"check/fill_quantity"), "{keys:?}");
    let allowed = [("fill_quantity".to_owned(), 1_000)].into();
    let (_, told) = checks::look(&mut conn, &allowed, &run).await.unwrap();
    assert!(told.iter().all(|condition| condition.key != "check/fill_quantity"));
    let kept: i64 =
        sqlx::query_scalar("select count(*) from check_result where name = 'fill_quantity' and failures > 0")
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert_eq!(kept, 2);
}

#[test]
fn the_nights_jobs_are_due_in_their_order() {
    let specs = specs(None).unwrap();
    let noon = at("2026-11-20T17:00:00Z");
    let mut nights: Vec<(Timestamp, &str)> = specs
        .iter()
        .filter(|spec| !matches!(spec.kind, Kind::Health(_)))
        .map(|spec| (spec.schedule.next(noon).unwrap().at, spec.name.as_str()))
        .collect();
    nights.sort_unstable();
    let names: Vec<&str> = nights.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, ["reconcile", "pnl", "statement", "checks", "corporate_actions", "calendar"]);
    assert!(nights[3].0 < noon.checked_add(10.hours()).unwrap(), "before the doctor comes by");
}
