//! Every file of `sql/` is one that Postgres takes; its shape is a snapshot.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use insta::{assert_snapshot, with_settings};
use sqlx::{AssertSqlSafe, Column, Executor, SqlSafeStr, Statement, TypeInfo};

use crate::world::World;

/// The files of a folder of `sql/`, by name. A folder that is not there is empty.
fn files(folder: &str) -> Vec<(String, String)> {
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
    let mut shapes = String::new();
    for folder in ["queries", "checks"] {
        for (name, sql) in files(folder) {
            assert!(sql.starts_with("-- "), "{folder}/{name} does not begin with what one row is");
            let statement = world
                .pool()
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
async fn the_schema_reporting_has_the_columns_on_record() {
    let world = World::new().await;
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text, data_type::text
         from information_schema.columns where table_schema = 'reporting'
         order by table_name, ordinal_position",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let mut text = String::new();
    let mut last = "";
    for (view, column, kind) in &columns {
        if view != last {
            writeln!(text, "{view}").unwrap();
            last = view;
        }
        writeln!(text, "    {column} {kind}").unwrap();
    }
    snapshot("reporting", &text);
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

#[tokio::test]
async fn no_column_of_reporting_has_a_name_that_a_chart_tool_reads_a_meaning_into() {
    let world = World::new().await;
    let bad: Vec<String> = sqlx::query_scalar(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'reporting' and column_name ~ 'shares|_long|_rate'",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(bad, Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_database_passes_every_check() {
    let world = World::new().await;
    for (name, sql) in files("checks") {
        let failures = world.pool().fetch_all(AssertSqlSafe(sql)).await.unwrap();
        assert!(failures.is_empty(), "{name}");
    }
}

/// A snapshot beside the tests, under the name of what it shows.
fn snapshot(name: &str, text: &str) {
    with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        assert_snapshot!(name, text);
    });
}
