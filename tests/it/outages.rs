//! The database goes away in the middle of a storm: its connections are dropped, it is
//! restarted, and it is full. Fills go on, and so does what the broker does to answers.
//!
//! A disk is full here where a trigger says so, with the code that Postgres has for it:
//! a small filesystem cannot be made by whoever runs these tests.

use std::time::Duration;

use hedge::store::Embedded;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sqlx::Executor;

use crate::{
    crashes::lost_answers,
    floor::{Floor, SHARES},
    gate::{Place, Refusal},
    office::Program,
    world::{World, scratch},
};

/// Fills for so long.
async fn storm(floor: &Floor, fate: &mut StdRng, time: Duration) {
    let mut left = time;
    while left > Duration::ZERO {
        let (symbol, _) = SHARES[fate.random_range(0..SHARES.len())];
        floor.sold(symbol, fate.random_range(1..9));
        let pause = Duration::from_millis(fate.random_range(20..150)).min(left);
        floor.wait(pause).await;
        left -= pause;
    }
}

async fn stormy() -> Floor {
    stormy_on(World::new().await).await
}

async fn stormy_on(world: World) -> Floor {
    let floor = Floor::on(world).await;
    for rule in lost_answers() {
        floor.account.strike(rule);
    }
    floor
}

/// It is calm, the same process still runs, and nothing was lost or doubled.
async fn calms_down(floor: &Floor, program: &mut Program) {
    floor.account.calm();
    floor.flat().await;
    let said = floor.desk.said();
    assert_eq!(program.has_ended(), None, "{said}");
    assert!(said.contains("could not"), "it was never hit:\n{said}");
    floor.proved().await;
}

#[tokio::test]
async fn dropped_connections_lose_and_double_nothing() {
    let mut fate = StdRng::seed_from_u64(1);
    let floor = stormy().await;
    let mut program = floor.running().await;
    let mut dropped = 0;
    for _ in 0..25 {
        storm(&floor, &mut fate, Duration::from_millis(600)).await;
        dropped += floor
            .desk
            .count(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await;
    }
    assert!(dropped > 100, "{dropped} connections");
    calms_down(&floor, &mut program).await;
}

#[tokio::test]
async fn a_database_that_is_restarted_loses_and_doubles_nothing() {
    let mut fate = StdRng::seed_from_u64(2);
    let dir = scratch();
    // What is committed stays so, also where the server is killed.
    let start = || Embedded::start(dir.path(), &[("fsync", "off")]).unwrap();
    let mut server = start();
    let world = World::at(server.url()).await;
    world.db().migrate().await.unwrap();
    let floor = stormy_on(world).await;
    let mut program = floor.running().await;
    for round in 0..6 {
        storm(&floor, &mut fate, Duration::from_secs(1)).await;
        if round % 2 == 0 {
            // By its operator
            drop(server);
        } else {
            // By nobody: it dies
            let pid = server.pid().unwrap().to_string();
            assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
            drop(server);
        }
        let away = Duration::from_millis(fate.random_range(0..1_500));
        storm(&floor, &mut fate, away).await;
        server = start();
    }
    calms_down(&floor, &mut program).await;
}

#[tokio::test]
async fn a_disk_that_is_full_loses_and_doubles_nothing() {
    let mut fate = StdRng::seed_from_u64(3);
    let floor = stormy().await;
    let mut program = floor.running().await;
    for table in [
        "insert on hedge_order",
        "update on hedge_order",
        "insert on order_event",
        "insert on broker_order",
        "insert on execution",
        "insert on cover",
        "update on lease",
        "insert on chain_log",
        "update on cursor",
        "update on release",
    ] {
        for place in [Place::before(table), Place::commit(table)] {
            let refusal = Refusal::at(&floor.desk.world, place, "53100").await;
            storm(&floor, &mut fate, Duration::from_millis(700)).await;
            refusal.met(1).await;
            refusal.end().await;
            storm(&floor, &mut fate, Duration::from_millis(300)).await;
        }
    }
    // And every place at once
    let grow = "create function full_disk() returns trigger language plpgsql as
                $$ begin raise exception 'no space left on device' using errcode = 'disk_full'; end $$;
                create trigger full_disk before insert or update on hedge_order for each row execute function full_disk();
                create trigger full_disk before insert on order_event for each row execute function full_disk();
                create trigger full_disk before insert on execution for each row execute function full_disk();
                create trigger full_disk before insert on chain_log for each row execute function full_disk();";
    floor.desk.pool().execute(grow).await.unwrap();
    storm(&floor, &mut fate, Duration::from_secs(2)).await;
    floor.desk.pool().execute("drop function full_disk cascade").await.unwrap();
    calms_down(&floor, &mut program).await;
}
