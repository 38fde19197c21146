//! Every file of `sql/` is one that Postgres takes; its shape is a snapshot.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use insta::{assert_snapshot, with_settings};
use sqlx::{AssertSqlSafe, Column, Executor, SqlSafeStr, Statement, TypeInfo};

use crate::world::World;

/// The files of a folder of `sql/`, by name. A folder that is not there is empty.
pub fn files(folder: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(folder);
    let mut files: Vec<_> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn every_query_and_every_check_prepares_and_has_the_shape_on_record() {
    let world = World::new().await;
    let mut connection = world.pool().acquire().await.unwrap();
    // Some queries speak of the staging tables of their connection.
    sqlx::raw_sql(include_str!("../../sql/staging.sql")).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql(include_str!("../../sql/pnl_staging.sql")).execute(&mut *connection).await.unwrap();
    let mut shapes = String::new();
    for folder in ["queries", "checks"] {
        for (name, sql) in files(folder) {
            assert!(sql.starts_with("-- "), "{folder}/{name} does not begin with what one row is");
            let statement = connection
                .prepare(AssertSqlSafe(sql).into_sql_str())
                .await
                .unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
            writeln!(shapes, "{folder}/{name}").unwrap();
            if let Some(sqlx::Either::Left(parameters)) = statement.parameters() {
                for (place, parameter) in parameters.iter().enumerate() {
                    writeln!(shapes, "    ${} {}", place + 1, parameter.name()).unwrap();
                }
            }
            for column in statement.columns() {
                let kind = column.type_info().name();
                writeln!(shapes, "    {} {}", column.name(), kind.to_lowercase()).unwrap();
            }
        }
    }
    snapshot("shapes", &shapes);
}

#[tokio::test]
async fn every_query_of_the_readme_is_one_that_postgres_takes() {
    let world = World::with_books().await;
    let readme = crate::tidy::WORDS;
    let blocks: Vec<&str> =
        readme.split("```sql\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        world.pool().execute(AssertSqlSafe(block)).await.unwrap_or_else(|error| panic!("{error} in {block}"));
    }
}

#[tokio::test]
async fn the_schema_reporting_is_the_one_on_record() {
    let world = World::new().await;
    // Names, types, order and what is said of each: a contract with whoever built a chart on it
    let lines: Vec<String> = sqlx::query_scalar(
        "select case when a.attnum is null then c.relname || ': ' || d.description
             else '    ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ': ' || d.description end
         from pg_class c
         join lateral (
             select null::int2 as attnum, null::name as attname, null::oid as atttypid, null::int as atttypmod
             union all
             select attnum, attname, atttypid, atttypmod from pg_attribute where attrelid = c.oid and attnum > 0
         ) a on true
         left join pg_description d
             on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = coalesce(a.attnum, 0)
         where c.relnamespace = 'reporting'::regnamespace
         order by c.relname, a.attnum nulls first",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let functions: Vec<String> = sqlx::query_scalar(
        "select p.proname || '(' || pg_get_function_arguments(p.oid) || '): ' || pg_get_function_result(p.oid)
             || ': ' || d.description
         from pg_proc p
         left join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
         where p.pronamespace = 'reporting'::regnamespace
         order by 1",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    snapshot("reporting", &([lines, functions].concat().join("\n") + "\n"));
}

#[tokio::test]
async fn every_view_and_column_of_reporting_says_what_it_is_in_250_characters() {
    let world = World::new().await;
    let bad: Vec<(String, Option<String>)> = sqlx::query_as(
        "select c.relname || coalesce('.' || a.attname, ''), d.description
         from pg_class c
         join lateral (
             select 0 as attnum, null::name as attname
             union all
             select attnum, attname from pg_attribute where attrelid = c.oid and attnum > 0
         ) a on true
         left join pg_description d
             on d.objoid = c.oid and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum
         where c.relnamespace = 'reporting'::regnamespace
             and (length(d.description) between 1 and 250) is not true",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(bad, []);
}

/// Columns whose names are those of the earlier system, for whoever has charts of it.
const NAMED_BEFORE: [&str; 9] = [
    "metrics_pnl.price_per_share",
    "metrics_pnl_view.price_per_share",
    "offchain_trades.shares",
    "position_view.accumulated_long",
    "position_view.accumulated_short",
    "schwab_executions.shares",
    "trade_accumulators.accumulated_long",
    "trade_accumulators.accumulated_short",
    "trade_execution_links.contributed_shares",
];

#[tokio::test]
async fn no_column_of_reporting_has_a_name_that_a_chart_tool_reads_a_meaning_into() {
    let world = World::new().await;
    let bad: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'reporting'
             and column_name ~ 'share|percent|rate$|(^|_)(long|short|lat|lon)$|margin|score|discount'
         order by 1",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(bad, NAMED_BEFORE);
}

#[tokio::test]
async fn reporting_has_no_float_no_time_without_a_zone_and_cents_where_it_says_dollars() {
    let world = World::new().await;
    let bad: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name || ' ' || data_type from information_schema.columns
         where table_schema = 'reporting' and (
             data_type in ('real', 'double precision', 'money', 'timestamp without time zone', 'date[]')
             or (column_name ~ '_usd$' and (data_type, numeric_precision, numeric_scale) is distinct from ('numeric', 20, 2))
             or (column_name ~ '^et_' and data_type <> 'date')
             or (column_name ~ '_at$' and data_type <> 'timestamp with time zone'))
         order by 1",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(bad, Vec::<String>::new());
}

#[tokio::test]
async fn what_has_a_day_in_new_york_has_its_week_and_its_month() {
    let world = World::new().await;
    let bad: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'reporting' and column_name in ('et_date', 'et_week', 'et_month')
         group by table_name having count(*) <> 3
         order by 1",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(bad, Vec::<String>::new());
}

#[tokio::test]
async fn a_fill_that_was_reorged_away_is_only_among_the_orphans() {
    // Given a trade that a reorg took and that was mined again a block later
    let world = World::with_books().await;
    let numbers = |view: &str| format!("select block_number from reporting.{view}");
    // When the views are asked, then each of the two fills is in one of them
    for (view, block) in [("fill", 102), ("orphaned_fill", 101)] {
        let found: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(numbers(view))).fetch_all(world.pool()).await.unwrap();
        assert_eq!(found, [block], "{view}");
    }
}

#[tokio::test]
async fn the_views_read_as_they_should() {
    let world = World::with_books().await;
    let views: Vec<String> = sqlx::query_scalar(
        // What is counted up to this moment has tests of its own.
        "select table_name::text from information_schema.views where table_schema = 'reporting'
             and table_name not in ('data_freshness', 'exposure_history', 'unhedged_time') order by 1",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let mut text = String::new();
    for view in views {
        // What the clock of this run says is left out.
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select field.key || ': ' || coalesce(field.value, '-')
             from (select row_number() over () as place, to_json(v)::json as row from reporting.{view} v) r,
                 json_each_text(r.row) with ordinality as field(key, value, column_place)
             where field.key not in ('happened_at', 'taken_at', 'skipped_at', 'read_at', 'moved_at', 'missing_since')
                and not (field.key = 'known_at' and field.value > '2026-06-01')
             order by place, column_place"
        )))
        .fetch_all(world.pool())
        .await
        .unwrap();
        writeln!(text, "{view}").unwrap();
        for row in rows {
            writeln!(text, "    {row}").unwrap();
        }
    }
    snapshot("views", &text);
}

#[tokio::test]
async fn who_may_read_reporting_may_read_all_of_it_and_nothing_else() {
    let world = World::with_books().await;
    let views: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.views where table_schema = 'reporting' order by 1",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let mut reader = world.pool().acquire().await.unwrap();
    reader.execute("set role hedge_bi").await.unwrap();
    for view in views {
        let read = format!("select * from reporting.{view}");
        reader.fetch_all(AssertSqlSafe(read)).await.unwrap_or_else(|error| panic!("{view}: {error}"));
    }
    reader.fetch_all("select * from reporting.exposure_parts('AAPL', 'SELL', 1, null)").await.unwrap();
    for table in ["hedge_order", "execution", "credential"] {
        let read = format!("select * from public.{table}");
        assert!(reader.fetch_all(AssertSqlSafe(read)).await.is_err(), "{table}");
    }
    reader.execute("reset role").await.unwrap();
}

#[tokio::test]
async fn an_orphaned_fill_has_every_column_of_a_fill_in_the_same_order() {
    let world = World::new().await;
    let columns = "select column_name::text from information_schema.columns
                   where table_schema = 'reporting' and table_name = $1 order by ordinal_position";
    let of = async |view: &str| -> Vec<String> {
        sqlx::query_scalar(columns).bind(view).fetch_all(world.pool()).await.unwrap()
    };
    assert!(of("orphaned_fill").await.starts_with(&of("fill").await));
}

#[tokio::test]
async fn sound_books_pass_every_check() {
    for world in [World::new().await, World::with_books().await] {
        for (name, _) in files("checks") {
            assert_eq!(failures(&world, &name).await, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn every_check_finds_what_it_is_there_for() {
    // Given for each check what must never happen
    let wrongs = [
        ("coverage", "update block_range set to_block = 100 where from_block = 100"),
        ("coverage", "update block_range set from_block = 101 where from_block = 100"),
        ("coverage", "update cursor set number = 104"),
        ("coverage", "delete from block_range"),
        ("cursor_block", "update cursor set hash = repeat('9', 32)::bytea"),
        ("cursor_block", "update cursor set number = 104"),
        ("fill_quantity", "update fill set quantity = quantity + 0.000000000000000001"),
        ("log_above_cursor", "update cursor set number = 102"),
        ("log_above_cursor", "delete from cursor"),
        ("fill_close", "update fill_close set quantity = 0"),
        ("fill_close", "delete from fill_close"),
        ("execution_close", "select close_executions(1); update execution_close set quantity = 0"),
        ("execution_close", "select close_executions(1); delete from execution_close"),
        ("order_filled", "update hedge_order set filled = 2"),
        ("order_filled", "update broker_order set filled = 2"),
        ("order_cover", "delete from cover where place = 2"),
        ("order_evidence", "delete from order_event where event = 'closed'"),
        ("pnl_day_sums", "update pnl_day set fees = fees + 0.01"),
        ("pnl_day_sums", "delete from pnl_day where et_date = '2026-03-08'"),
        ("pnl_day_sums", "delete from pnl_match"),
        ("pnl_money", "update pnl_row set cash = cash + 0.000000000000000001 where trade_type = 'ONCHAIN'"),
        ("pnl_total", "update pnl_total set fees = fees + 0.01"),
        ("pnl_total", "delete from pnl_total"),
        ("open_lot_sums", "delete from open_lot"),
        ("open_lot_sums", "update open_lot set cost = cost + 0.000000000000000001"),
        ("recon_break_events", "update recon_break set state = 'OPEN' where id = 2"),
        ("recon_break_events", "delete from recon_break_event where break_id = 1"),
        ("recon_explained", "delete from recon_explanation"),
        ("recon_orphan_break", "update recon_break set class = 'QUANTITY'"),
        ("imported_twice", TWICE),
        ("gas_booked", DEAR),
        ("log_of_stray_block", "update chain_log set block_number = 103 where block_number = 102"),
    ];
    for (check, wrong) in wrongs {
        let world = World::with_books().await;
        // When it happens, then the check says so
        // Without the triggers, which would not let it happen
        let wronged = format!("set session_replication_role = replica; {wrong}");
        world.pool().execute(AssertSqlSafe(wronged)).await.unwrap();
        assert_ne!(failures(&world, check).await, 0, "{check}: {wrong}");
    }
    // And no check is without its wrong
    for (name, _) in files("checks") {
        assert!(wrongs.iter().any(|(check, _)| *check == name), "{name} was never seen to find anything");
    }
}

/// A thousandth of an ETH at 3 000 dollars, booked a cent too dear.
const DEAR: &str =
    "insert into gas (tx_hash, block_hash, chain_id, block_number, block_time, payer, used, price)
     values (repeat('x', 32)::bytea, repeat('y', 32)::bytea, 8453, 102, now(), repeat('p', 20)::bytea, 1000, 0.000001);
     insert into ether_price (chain_id, block_hash, feed, price, published_at, asked_at)
     values (8453, repeat('y', 32)::bytea, repeat('f', 32)::bytea, 3000, now(), now());
     insert into cash_flow (flow_id, kind, amount, occurred_at, tx_hash, said)
     select format('gas/8453/0x%s/0x%s/1', encode(tx_hash, 'hex'), encode(block_hash, 'hex')), 'gas', -3.01, now(), tx_hash, '' from gas";

/// The fill of block 102 as a trade that was open in the earlier system before hedging began.
const TWICE: &str = "insert into import (digest, file, author, imported_at)
    values (repeat('d', 32)::bytea, 'earlier.db', 'tester', '2026-03-08 03:00:00Z');
    insert into imported_trade (tx_hash, log_index, import_id, trade_id, token_symbol, symbol, side, quantity, price)
    values (repeat('T', 32)::bytea, 4, 1, 1, 'tAAPL', 'AAPL', 'SELL', 1.5, 150)";

async fn failures(world: &World, check: &str) -> usize {
    let (_, sql) = files("checks").into_iter().find(|(name, _)| name == check).unwrap();
    world.pool().fetch_all(AssertSqlSafe(sql)).await.unwrap().len()
}

/// A snapshot beside the tests, under the name of what it shows.
fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        assert_snapshot!(name, text);
    });
}
