//! What two who write at once may do to each other.

use std::time::Duration;

use alloy::primitives::B256;
use hedge::{
    book::{
        coverage::{Stretch, Verdict},
        log::Place,
    },
    store::{
        cursors::{self, SourceId},
        ranges,
    },
};

use crate::{sql::files, world::World};

const SOURCE: SourceId = SourceId(1);

fn block(number: u64, digit: u8) -> Place {
    Place { number, hash: B256::repeat_byte(digit) }
}

#[tokio::test]
async fn a_reorg_that_meets_an_audit_leaves_ranges_without_gap_or_overlap() {
    // Given an audit that is about to put one range in the place of two
    let world = World::with_books().await;
    let mut audit = world.pool().begin().await.unwrap();
    let proved = Stretch {
        from: 102,
        to: block(103, b'3'),
        verdict: Verdict::Proved,
        node: "node-a".to_owned(),
        logs: 3,
        foreign: 0,
    };
    cursors::hold(&mut audit, SOURCE).await.unwrap();
    ranges::believe(&mut audit, SOURCE, &[proved], block(101, b'1')).await.unwrap().unwrap();
    // When a reorg takes back one of them at the same time
    let pool = world.pool().clone();
    let reorg = tokio::spawn(async move {
        let mut tx = pool.begin().await.unwrap();
        sqlx::query(include_str!("../../sql/queries/cursor_move.sql"))
            .bind(SOURCE.0)
            .bind(103_i64)
            .bind(block(103, b'3').hash.as_slice())
            .bind(101_i64)
            .bind(block(101, b'1').hash.as_slice())
            .bind(0_i64)
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(include_str!("../../sql/queries/range_cut.sql"))
            .bind(SOURCE.0)
            .bind(101_i64)
            .bind(block(101, b'1').hash.as_slice())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    });
    let waits = "select count(*) > 0 from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(world.pool()).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    audit.commit().await.unwrap();
    reorg.await.unwrap();
    // Then the ranges end where the cursor stands
    for (name, sql) in files("checks") {
        if !["coverage", "cursor_block"].contains(&name.as_str()) {
            continue;
        }
        let failing = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(world.pool()).await.unwrap();
        assert!(failing.is_empty(), "{name}");
    }
}
