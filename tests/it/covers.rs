//! What an exposure is made of, and that no fact can be edited.

use std::{collections::VecDeque, fmt::Write as _};

use hedge::{store::exposure, units::Shares};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sqlx::AssertSqlSafe;

use crate::world::World;

/// A trade: signed hundredths of a share, on chain or at the broker.
#[derive(Clone, Copy, Debug)]
struct Trade {
    hundredths: i64,
    on_chain: bool,
}

/// What is left over when each trade meets what is open on the other side, oldest first.
fn left_over(trades: &[Trade]) -> VecDeque<(usize, i64)> {
    let mut open: VecDeque<(usize, i64)> = VecDeque::new();
    for (place, trade) in trades.iter().enumerate() {
        let mut rest = trade.hundredths;
        while let Some((_, lot)) = open.front_mut() {
            if rest == 0 || lot.signum() == rest.signum() {
                break;
            }
            let met = rest.abs().min(lot.abs()) * rest.signum();
            *lot += met;
            rest -= met;
            if *lot == 0 {
                open.pop_front();
            }
        }
        if rest != 0 {
            open.push_back((place, rest));
        }
    }
    open
}

#[tokio::test]
async fn the_parts_of_an_exposure_are_what_first_in_first_out_leaves_over() {
    let world = World::with_books().await;
    let mut conn = world.pool().acquire().await.unwrap();
    sqlx::raw_sql("update release set to_block = 144").execute(&mut *conn).await.unwrap();
    for seed in 0..60_u64 {
        // Given a history of trades on chain and at the broker, one a second, under a ticker of its own
        let mut rng = StdRng::seed_from_u64(seed);
        let symbol = format!("S{seed}");
        let trades: Vec<Trade> = (0..rng.random_range(1..40))
            .map(|_| Trade {
                hundredths: rng.random_range(1..500_i64) * if rng.random() { 1 } else { -1 },
                on_chain: rng.random(),
            })
            .collect();
        let mut sql = String::from("begin;");
        for (place, Trade { hundredths, on_chain }) in trades.iter().enumerate() {
            let at = format!("'2026-03-10 10:00:00Z'::timestamptz + {place} * interval '1 second'");
            let number = seed * 1_000 + place as u64;
            if *on_chain {
                let side = if *hundredths > 0 { "BUY" } else { "SELL" };
                write!(
                    sql,
                    "insert into chain_log values (8453, sha256(int8send({number})), 0, 1, 104 + {place}, {at}, sha256(int8send(-{number} - 1)), 0, '', '');
                     insert into fill values (8453, sha256(int8send({number})), 0, 'order', repeat('o', 20)::bytea, '{side}', '{symbol}',
                         repeat('t', 20)::bytea, abs({hundredths}) / 100.0, abs({hundredths}) / 100.0, 1, 1, 1, abs({hundredths}) / 100.0, 1);"
                )
                .unwrap();
            } else {
                write!(
                    sql,
                    "insert into execution (venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at)
                     values (1, 'x{number}', 1, '{symbol}', 'trade', {hundredths} / 100.0, 1, 0, {at});"
                )
                .unwrap();
            }
        }
        sql += "commit";
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await.unwrap();
        // When the parts of what is exposed are asked for
        let exposure = exposure::exposures(&mut conn).await.unwrap()[&symbol].net;
        let sum: i64 = trades.iter().map(|trade| trade.hundredths).sum();
        assert_eq!(exposure, hundredths(sum), "seed {seed}");
        let parts = exposure::units(&mut conn, &symbol, exposure).await.unwrap();
        // Then they are the lots that are open, in their order
        let open: Vec<Shares> =
            left_over(&trades).into_iter().map(|(_, lot)| hundredths(lot.abs())).collect();
        let parts: Vec<Shares> = parts.into_iter().map(|unit| unit.quantity).collect();
        assert_eq!(parts, open, "seed {seed}: {trades:?}");
    }
}

fn hundredths(of: i64) -> Shares {
    let sign = if of < 0 { "-" } else { "" };
    Shares(format!("{sign}{}.{:02}", of.abs() / 100, of.abs() % 100).parse().unwrap())
}

#[tokio::test]
async fn no_fact_can_be_edited_by_whoever_writes() {
    let world = World::with_books().await;
    let refused = [
        "update fill set quantity = quantity + 1",
        "delete from fill",
        "delete from chain_log",
        "update chain_log set block_number = block_number + 1",
        "delete from vault_move",
        "update order_event set detail = 'it was not like that'",
        "delete from order_event",
        "update execution set quantity = 2",
        "update execution set order_id = null where order_id is not null",
        "delete from execution",
        "update cover set quantity = 2",
        "delete from halt",
        "update go_live set from_block = 1",
        "update opening_position set quantity = 0",
        "truncate execution cascade",
        "update hedge_order set state = 'working', closed_at = null, why = null",
        "update hedge_order set filled = 0",
    ];
    for sql in refused {
        let error = sqlx::query(AssertSqlSafe(sql)).execute(world.pool()).await.unwrap_err().to_string();
        assert!(error.contains("never edited") || error.contains("is closed"), "{sql}: {error}");
    }
    // And what may change may: whose an execution was, once; which reorg took a log
    for sql in [
        "update execution set order_id = 1 where order_id is null",
        "update chain_log set taken_by = 1 where taken_by is null",
    ] {
        sqlx::query(sql).execute(world.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn two_hedges_of_one_share_cannot_both_be_live() {
    let world = World::with_books().await;
    let plan =
        "insert into hedge_order (venue_id, client_order_id, purpose, symbol, side, quantity, terms, fence)
                values (1, $1, 'hedge', 'AAPL', 'BUY', 1, 'market', 3)";
    sqlx::query(plan).bind("one").execute(world.pool()).await.unwrap();
    let error = sqlx::query(plan).bind("two").execute(world.pool()).await.unwrap_err().to_string();
    assert!(error.contains("one_live_hedge_per_symbol"), "{error}");
}

#[tokio::test]
async fn a_late_fill_or_a_taken_log_opens_the_sums_that_it_belongs_to() {
    let world = World::with_books().await;
    let closed = async || -> (i64, i64) {
        sqlx::query_as("select (select closed_to from release), (select count(*) from fill_close)")
            .fetch_one(world.pool())
            .await
            .unwrap()
    };
    assert_eq!(closed().await, (102, 1));
    // Given a fill above the line: nothing changes; below it: the sums are made anew
    let fill = |block: u64, seed: u64| {
        format!(
            "insert into chain_log values (8453, sha256(int8send({seed})), 0, 1, {block}, now(), sha256(int8send(-{seed})), 0, '', '');
             insert into fill values (8453, sha256(int8send({seed})), 0, 'order', repeat('o', 20)::bytea, 'BUY', 'AAPL',
                 repeat('t', 20)::bytea, 1, 1, 1, 1, 1, 1, 1)"
        )
    };
    sqlx::raw_sql(AssertSqlSafe(fill(103, 1))).execute(world.pool()).await.unwrap();
    assert_eq!(closed().await, (102, 1));
    sqlx::raw_sql(AssertSqlSafe(fill(102, 2))).execute(world.pool()).await.unwrap();
    assert_eq!(closed().await, (100, 0));
}

#[tokio::test]
async fn executions_count_the_same_whether_they_are_summed_or_not() {
    let world = World::with_books().await;
    let ask = async |sql: &str| -> String {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(world.pool()).await.unwrap()
    };
    let hedged = "select trim_scale(sum(hedged))::text from reporting.position_now";
    let line = "select (closed_to - (select max(id) from execution))::text from execution_line";
    let execution = |number: u64, order: &str| {
        format!(
            "insert into execution (venue_id, execution_id, order_id, symbol, nature, quantity, price, cash, executed_at)
             values (1, 'more {number}', {order}, 'AAPL', 'trade', {number}, 1, 1, now())"
        )
    };
    let check = include_str!("../../sql/checks/execution_close.sql");
    let wrong = format!("select count(*)::text from ({check}) wrong");
    // Given books whose executions are summed: nothing changes
    let before = ask(hedged).await;
    sqlx::query("select close_executions(1)").execute(world.pool()).await.unwrap();
    assert_eq!((ask(hedged).await, ask(line).await, ask(&wrong).await), (before, "0".into(), "0".into()));
    // When more come, of which nobody knows yet whose one is; and one is written at this moment
    let mut writer = world.pool().begin().await.unwrap();
    sqlx::query(AssertSqlSafe(execution(1_000, "1"))).execute(&mut *writer).await.unwrap();
    for sql in [execution(200, "1"), execution(40, "null")] {
        sqlx::query(AssertSqlSafe(sql)).execute(world.pool()).await.unwrap();
    }
    let above = ask(hedged).await;
    sqlx::query("select close_executions(1)").execute(world.pool()).await.unwrap();
    // Then they wait above the line
    assert_eq!((ask(hedged).await, ask(line).await), (above.clone(), "-3".into()));
    writer.commit().await.unwrap();
    let all = ask(hedged).await;
    sqlx::query("select close_executions(1)").execute(world.pool()).await.unwrap();
    assert_eq!(
        (ask(hedged).await, ask(line).await, ask(&wrong).await),
        (all.clone(), "0".into(), "0".into())
    );
    // And who claims one that is summed over adds it
    sqlx::query("update execution set order_id = 1 where execution_id = 'more 40'")
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(ask(&wrong).await, "0");
    let number =
        async |text: String| -> i64 { ask(&format!("select floor({text})::text")).await.parse().unwrap() };
    let (above, all, claimed) = (number(above).await, number(all).await, number(ask(hedged).await).await);
    assert_eq!((all - above, claimed - all), (1_000, 40));
    // And without the line nothing would be hedged rightly, so it stays
    assert!(sqlx::query("delete from execution_line").execute(world.pool()).await.is_err());
}
