//! Moving out: the views as files, exact to the last digit, a folder a day.

use std::{fs, path::Path, process::Command};

use polars::prelude::*;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::{office::Desk, tools, world::World};

/// Fills of two days more, a thousand of them, with eighteen decimals that no float holds.
const MORE: &str = "
insert into chain_log (chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data)
select 8453, repeat('2', 32)::bytea, 1000 + n, 1, 102, '2026-03-09 12:00:00Z'::timestamptz + n * interval '2 minutes',
    decode(md5(n::text) || md5(n::text), 'hex'), 1, '', ''
from generate_series(1, 1000) n;
insert into fill (chain_id, block_hash, log_index, role, owner, side, symbol, token, token_quantity, token_quantity_exact,
    usdc, usdc_exact, wrapper_ratio, quantity, price)
select 8453, repeat('2', 32)::bytea, 1000 + n, 'order', repeat('o', 20)::bytea, case n % 2 when 0 then 'SELL' else 'BUY' end,
    case n % 3 when 0 then 'AAPL' else 'GME, \"old\"' end, repeat('t', 20)::bytea, q, q, 147.250001, 147.2500010000000000001,
    1, q, 1
from (select n, n + 0.123456789012345678 as q from generate_series(1, 1000) n) as made";

/// The same three numbers of every table, by whoever reads it.
const SUMS: &str = "select count(*)::text, sum(quantity)::text, sum(usdc)::text from reporting.fill
                    where et_date between '2026-03-01' and '2026-03-31'";

async fn desk() -> Desk {
    let desk = Desk::configured(World::with_books().await, "");
    desk.pool().execute(MORE).await.unwrap();
    desk
}

impl Desk {
    async fn export(&self, more: &[&str]) -> String {
        let _ = fs::remove_file(self.room.path().join("export.said"));
        let fixed = ["export", "--quiet", "--from", "2026-03-01", "--to", "2026-03-31", "--out", "books"];
        self.run(&[&fixed, more].concat(), 0).await
    }

    async fn sums(&self, sql: &'static str) -> (String, String, String) {
        sqlx::query_as(sql).fetch_one(self.pool()).await.unwrap()
    }
}

/// All files below a folder, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_is_exported_as_parquet_sums_to_what_the_tables_do_by_polars_and_by_duckdb() {
    // Given fills of four dates in New York
    let desk = desk().await;
    let (count, quantity, usdc) = desk.sums(SUMS).await;
    assert_eq!(count, "1001");
    // When all is exported
    let said = desk.export(&[]).await;
    // Then each table has a folder a day, and says what its columns are
    let room = desk.room.path().join("books");
    assert!(said.contains("fill: 1001 rows of "), "{said}");
    let fills: Vec<String> = files(&room.join("fill"));
    assert_eq!(fills.first().unwrap(), "_schema.json");
    assert!(fills.contains(&"et_date=2026-03-09/fill.parquet".to_owned()), "{fills:?}");
    assert!(files(&room).iter().all(|name| !name.contains("partial")));
    let schema: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(room.join("fill/_schema.json")).unwrap()).unwrap();
    let kinds: Vec<&str> = schema["columns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| {
            ["quantity", "usdc_exact", "executed_at", "log_index"].contains(&column["name"].as_str().unwrap())
        })
        .map(|column| column["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["int64", "decimal(38,18)", "text", "timestamp(us, UTC)"]);
    // And by polars they sum to what the table does
    let (mut rows, mut quantities, mut dollars) = (0, 0_i128, 0_i128);
    for file in fills.iter().filter(|name| name.ends_with("parquet")) {
        let read = fs::File::open(room.join("fill").join(file)).unwrap();
        let frame = ParquetReader::new(read).finish().unwrap();
        let sum = |name: &str| {
            let column = frame.column(name).unwrap().decimal().unwrap();
            assert_eq!(column.dtype(), &DataType::Decimal(38, 18));
            column.physical().iter().flatten().sum::<i128>()
        };
        (rows, quantities, dollars) =
            (rows + frame.height(), quantities + sum("quantity"), dollars + sum("usdc"));
    }
    let exact = |atoms: i128| format!("{}.{:018}", atoms / 10_i128.pow(18), atoms % 10_i128.pow(18));
    assert_eq!(
        (rows.to_string(), exact(quantities), exact(dollars)),
        (count.clone(), quantity.clone(), usdc.clone())
    );
    // And by DuckDB
    let Some(python) = tools::duckdb() else { return };
    let script = "
import duckdb, sys
print(*duckdb.sql(f\"\"\"select count(*), sum(quantity), sum(usdc) from read_parquet('{sys.argv[1]}/fill/*/*.parquet',
    hive_partitioning = true) where et_date >= date '2026-03-01'\"\"\").fetchall()[0])
print(*[kind for name, kind, *_ in duckdb.sql(f\"describe select quantity, executed_at, log_index, symbol from '{sys.argv[1]}/fill/*/*.parquet'\").fetchall()])
print(*duckdb.sql(f\"\"\"select count(*), sum(cash_usd_exact) from '{sys.argv[1]}/execution/*/*.parquet'\"\"\").fetchall()[0])
";
    let ran = Command::new(python).args(["-c", script]).arg(&room).output().unwrap();
    let read = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let expected = format!(
        "{count} {quantity} {usdc}\nDECIMAL(38,18) TIMESTAMP WITH TIME ZONE BIGINT VARCHAR\n2 -882.260000000000000000\n"
    );
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_second_export_takes_the_place_of_the_first_and_a_day_without_rows_has_no_file() {
    let desk = desk().await;
    desk.export(&["--format", "csv", "--tables", "fill,execution"]).await;
    let room = desk.room.path().join("books");
    let first = files(&room);
    assert!(
        first.iter().all(|name| name.starts_with("fill/") || name.starts_with("execution/")),
        "{first:?}"
    );
    // Given that the trades of one day were reorged away meanwhile
    let gone = "begin; set local session_replication_role = replica;
                delete from fill where log_index > 1000 and price = 1 and log_index % 2 = 0
                    or log_index in (select log_index from chain_log where (block_time at time zone 'America/New_York')::date = '2026-03-10');
                commit";
    desk.pool().execute(gone).await.unwrap();
    // When it is exported again, then the files are what the table is
    desk.export(&["--format", "csv", "--tables", "fill,execution"]).await;
    let second = files(&room);
    let missing: Vec<&String> = first.iter().filter(|name| !second.contains(name)).collect();
    assert_eq!(missing, ["fill/et_date=2026-03-10/fill.csv"]);
    let (count, ..) = desk.sums(SUMS).await;
    let mut rows = 0;
    let mut sum = 0_i128;
    for file in second.iter().filter(|name| name.starts_with("fill/et_date")) {
        let mut csv = csv::Reader::from_path(room.join(file)).unwrap();
        let place = csv.headers().unwrap().iter().position(|name| name == "quantity").unwrap();
        for record in csv.records() {
            rows += 1;
            sum += record.unwrap()[place].replace('.', "").parse::<i128>().unwrap();
        }
    }
    assert_eq!(rows.to_string(), count);
    let total: String = sqlx::query_scalar(AssertSqlSafe(
        "select (sum(quantity) * 1e18)::numeric(60,0)::text from reporting.fill",
    ))
    .fetch_one(desk.pool())
    .await
    .unwrap();
    assert_eq!(sum.to_string(), total);
}

#[tokio::test]
async fn what_cannot_be_exported_is_said_before_anything_is_written() {
    let desk = desk().await;
    let wrong =
        ["export", "--tables", "cursor", "--from", "2026-03-01", "--to", "2026-03-31", "--out", "books"];
    let said = desk.run(&wrong, 2).await;
    assert!(said.contains("there is no table `cursor` to export"), "{said}");
    let wrong = ["export", "--from", "2026-03-31", "--to", "2026-03-01", "--out", "books"];
    assert!(desk.run(&wrong, 2).await.contains("the first is after the last"));
    assert!(!desk.room.path().join("books").exists());
}
