//! Moving in: the earlier system's database is taken over, row by row, once.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sqlx::Executor as _;

use crate::{office::Desk, world::World};

/// The earlier system's tables, as `domain.md` has them.
const TABLES: &str = "
create table onchain_trades (
    id integer primary key autoincrement, tx_hash text not null, log_index integer not null, symbol text not null,
    amount real not null, direction text not null, price_usdc real not null, created_at timestamp default current_timestamp,
    block_timestamp timestamp, gas_used integer, effective_gas_price integer, pyth_price real, pyth_confidence real,
    pyth_exponent integer, pyth_publish_time timestamp, unique (tx_hash, log_index));
create table offchain_trades (
    id integer primary key autoincrement, symbol text not null, shares integer not null, direction text not null,
    broker text not null, order_id text, price_cents integer, status text not null, executed_at timestamp);
create table trade_accumulators (
    symbol text primary key, accumulated_long real not null default 0, accumulated_short real not null default 0,
    pending_execution_id integer, last_updated timestamp default current_timestamp);
create table trade_execution_links (
    trade_id integer not null, execution_id integer not null, contributed_shares real not null);
create table metrics_pnl (
    id integer primary key autoincrement, symbol text not null, timestamp timestamp not null, trade_type text not null,
    trade_id integer not null, trade_direction text not null, quantity real not null, price_per_share real not null,
    realized_pnl real, cumulative_pnl real not null, net_position_after real not null, unique (trade_type, trade_id));";

/// Ten thousand trades of five shares in turn, a tenth of a share sold in each but every fifth, where it is
/// bought back; each share is hedged whole, the rest is open.
const TRADES: &str = "
insert into onchain_trades (id, tx_hash, log_index, symbol, amount, direction, price_usdc, block_timestamp)
with recursive n (i) as (select 0 union all select i + 1 from n where i < 9999)
select i + 1, printf('0x%064x', i + 1), i % 7,
    case i % 5 when 0 then 'tAAPL' when 1 then 'tSPLG' when 2 then 'GME0x' when 3 then 'NVDAs1' else 'tTSLA' end,
    0.1, case when i / 5 % 5 = 4 then 'BUY' else 'SELL' end, 150.25,
    datetime('2025-08-01', '+' || i || ' minutes')
from n;
insert into offchain_trades (symbol, shares, direction, broker, order_id, price_cents, status, executed_at)
select symbol, 119, 'BUY', 'schwab', 'order ' || symbol, 15025, 'FILLED', '2025-08-09 12:00:00'
from (select 'AAPL' as symbol union select 'SPLG' union select 'GME' union select 'NVDA' union select 'TSLA');
insert into offchain_trades (symbol, shares, direction, broker, status, executed_at)
values ('AAPL', 7, 'BUY', 'schwab', 'FAILED', '2025-08-09 12:00:00');
insert into trade_accumulators (symbol, accumulated_long, accumulated_short)
select symbol, 0, 1.0000000000000002 from (select 'AAPL' as symbol union select 'SPLG' union select 'GME' union select 'NVDA');
insert into trade_accumulators (symbol, accumulated_long, accumulated_short) values ('TSLA', 0.5, 0);
insert into trade_execution_links values (1, 1, 0.1), (1, 1, 0.1), (6, 1, 0.1);
insert into metrics_pnl (symbol, timestamp, trade_type, trade_id, trade_direction, quantity, price_per_share, realized_pnl,
    cumulative_pnl, net_position_after)
values ('AAPL', '2025-08-01T00:00:00Z', 'ONCHAIN', 1, 'SELL', 0.1, 150.25, null, 0, -0.1),
       ('AAPL', '2025-08-01T02:00:00Z', 'ONCHAIN', 121, 'BUY', 0.1, 150.2, 0.005, 0.005, 0),
       ('AAPL', '2025-08-01T02:00:00Z', 'ON CHAIN', 122, 'BUY', 0.1, 150.2, 0.005, 0.005, 0);";

/// Rows that do not fit: `SQLite` takes them all.
const WRONG: &str = "
insert into onchain_trades (id, tx_hash, log_index, symbol, amount, direction, price_usdc) values
    (20001, '0x12', 1, 'tAAPL', 1, 'SELL', 150),
    (20002, printf('0x%064x', 20002), -1, 'tAAPL', 1, 'SELL', 150),
    (20003, printf('0x%064x', 20003), 1, 'AAPL', 1, 'SELL', 150),
    (20004, printf('0x%064x', 20004), 1, 'wtAAPL', 1, 'SELL', 150),
    (20005, printf('0x%064x', 20005), 1, 'tAAPL', -1, 'SELL', 150),
    (20006, printf('0x%064x', 20006), 1, 'tAAPL', 'much', 'SELL', 150),
    (20007, printf('0x%064x', 20007), 1, 'tAAPL', 1, 'sell', 150),
    (20008, printf('0x%064x', 20008), 1, 'tAAPL', 1, 'SELL', 0),
    (20009, printf('0x%064X', 20009), 1, 'tAAPL', 1e-19, 'SELL', 150),
    (20010, cast(x'ff00fe' as text), 1, 'tAAPL', 1, 'SELL', 150);
insert into offchain_trades (id, symbol, shares, direction, broker, status) values
    (101, 'AAPL', 1, 'BUY', 'schwab', 'SUBMITTED'),
    (102, 'AAPL', 1, 'BUY', 'schwab', 'FILLED');";

/// The source of `books.sql`, and a node that nobody asks.
const READ: &str = "
[chain.8453]
rpc = [\"http://127.0.0.1:1\"]
usdc = \"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913\"
[[source]]
name = \"raindex\"
chain = 8453
kind = \"raindex-v6\"
address = \"0x6161616161616161616161616161616161616161\"
owners = [\"0x6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f\"]
from_block = 100
";

fn written(path: &Path, sql: &[&str]) {
    let file = Connection::open(path).unwrap();
    for sql in sql {
        file.execute_batch(sql).unwrap();
    }
}

struct Move {
    desk: Desk,
    file: PathBuf,
}

impl Move {
    async fn new(sql: &[&str]) -> Self {
        let desk = Desk::configured(World::new().await, "");
        let file = desk.room.path().join("earlier.db");
        written(&file, sql);
        Self { desk, file }
    }

    /// The import's report, as a program reads it.
    async fn import(&self, more: &[&str], code: i32) -> String {
        let _ = std::fs::remove_file(self.desk.room.path().join("import.said"));
        let file = self.file.to_str().unwrap();
        self.desk.run(&[&["import", "--quiet", "--sqlite", file], more].concat(), code).await
    }

    async fn lines(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(self.desk.pool()).await.unwrap()
    }

    /// Every row of every table that an import writes.
    async fn rows(&self) -> i64 {
        self.desk
            .count(
                "select (select count(*) from import) + (select count(*) from imported_trade)
                      + (select count(*) from imported_execution) + (select count(*) from imported_link)
                      + (select count(*) from imported_profit) + (select count(*) from imported_position)
                      + (select count(*) from imported_misfit) + (select count(*) from opening_position)",
            )
            .await
    }
}

const OPENINGS: &str =
    "select symbol || ' ' || trim_scale(quantity) from opening_position order by symbol, id";

#[tokio::test]
async fn ten_thousand_trades_of_the_earlier_system_are_taken_over_once_and_wrong_rows_are_named() {
    // Given its database, with rows that cannot be
    let moving = Move::new(&[TABLES, TRADES, WRONG]).await;
    // When it is tried, then the same is said as later, and nothing is written
    let dry = moving.import(&["--json", "--dry-run"], 3).await;
    assert_eq!(moving.rows().await, 0);
    // When it is taken over
    let said = moving.import(&["--json"], 3).await;
    assert_eq!(dry.replace("\"written\": false", "\"written\": true"), said);
    // Then all that fits is there, to the last digit
    let total =
        "select count(*) || ' ' || trim_scale(sum(quantity)) || ' ' || trim_scale(sum(quantity * price))
                 from imported_trade";
    assert_eq!(moving.lines(total).await, ["10000 1000 150250"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    let tables: Vec<String> = report["tables"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        tables,
        [
            r#"{"rows":10010,"table":"onchain_trades","taken":10000}"#,
            r#"{"rows":8,"table":"offchain_trades","taken":6}"#,
            r#"{"rows":3,"table":"trade_execution_links","taken":2}"#,
            r#"{"rows":3,"table":"metrics_pnl","taken":2}"#,
            r#"{"rows":5,"table":"trade_accumulators","taken":5}"#,
        ]
    );
    // And what does not fit is named, in the report and in the books
    let misfits = moving
        .lines(
            "select concat_ws(' ', table_name, row_number, column_name || ':', why) from imported_misfit order by place",
        )
        .await;
    let expected = [
        "onchain_trades 20001 tx_hash: this is no transaction's hash",
        "onchain_trades 20002 log_index: this is no place in a block",
        "onchain_trades 20003 symbol: `AAPL` is not the token of a share: those are called tAAPL, wtAAPL, AAPL0x or AAPLs1",
        "onchain_trades 20004 symbol: a wrapped token: what it was worth in shares at its block is not in the file",
        "onchain_trades 20005 amount: this is not above zero",
        "onchain_trades 20006 amount: this is no decimal number with at most 18 decimals",
        "onchain_trades 20007 direction: this is neither BUY nor SELL",
        "onchain_trades 20008 price_usdc: this is not above zero",
        "onchain_trades 20009 amount: this is no decimal number with at most 18 decimals",
        "onchain_trades 20010 tx_hash: this is no transaction's hash",
        "offchain_trades 101 status: it had not ended: whether it was filled is not in the file; ask the broker",
        "offchain_trades 102 price_cents: it was filled, at no price",
        "trade_execution_links 2 trade_id: row 1 is the same one",
        "metrics_pnl 3 trade_type: this is neither ONCHAIN nor OFFCHAIN",
    ];
    assert_eq!(misfits, expected);
    assert_eq!(report["misfits"].as_array().unwrap().len(), expected.len());
    // And what is open is stated where its accumulator says the same: of TSLA it does not
    assert_eq!(moving.lines(OPENINGS).await, ["AAPL -1", "GME -1", "NVDA -1", "SPYM -1"]);
    let tesla = "select concat_ws(' ', trim_scale(net), trim_scale(accumulator), trim_scale(stated), said)
                 from imported_position where symbol = 'TSLA'";
    assert_eq!(moving.lines(tesla).await, ["-1 0.5 0 its accumulator says otherwise: nothing is stated"]);
    // When it is imported again, then nothing changes
    let rows = moving.rows().await;
    let again = moving.import(&[], 0).await;
    assert!(again.contains("was imported by tester"), "{again}");
    assert_eq!(moving.rows().await, rows);
    moving.desk.is_sound().await;
}

#[tokio::test]
async fn a_later_copy_of_the_same_database_adds_only_what_is_new() {
    // Given a database that was imported, and the same one a day later
    let moving = Move::new(&[
        TABLES,
        TRADES,
        "update trade_accumulators set accumulated_long = 0, accumulated_short = 1",
    ])
    .await;
    moving.import(&[], 3).await;
    let more = "insert into onchain_trades (tx_hash, log_index, symbol, amount, direction, price_usdc)
                values (printf('0x%064x', 30000), 0, 'tAAPL', 0.25, 'SELL', 150);
                update trade_accumulators set accumulated_short = 1.25 where symbol = 'AAPL';
                update onchain_trades set amount = 0.2 where id = 2";
    written(&moving.file, &[more]);
    // When that one is imported
    let said = moving.import(&[], 3).await;
    // Then the new trade is there and open besides, and the one that was changed stands as it was
    assert_eq!(
        moving.lines(OPENINGS).await,
        ["AAPL -1", "AAPL -0.25", "GME -1", "NVDA -1", "SPYM -1", "TSLA -1"]
    );
    assert_eq!(moving.desk.count("select count(*) from imported_trade").await, 10_001);
    assert!(said.contains("it was imported before with other content, which stands"), "{said}");
}

#[tokio::test]
async fn what_is_not_the_earlier_systems_database_is_refused_in_words() {
    let moving = Move::new(&["create table events (aggregate_type text)"]).await;
    let said = moving.import(&[], 2).await;
    assert!(said.contains("it has no table `onchain_trades`"), "{said}");
    std::fs::write(&moving.file, "date,symbol,amount\n").unwrap();
    let said = moving.import(&[], 2).await;
    assert!(said.contains("error: could not import"), "{said}");
    assert_eq!(moving.rows().await, 0);
}

#[tokio::test]
async fn hedging_begins_only_after_the_last_imported_trade() {
    // Given books of the chain that have a fill which was imported as well: block 102 holds it
    let moving = Move::new(&[
        TABLES,
        "insert into onchain_trades (tx_hash, log_index, symbol, amount, direction, price_usdc)
         values ('0x' || replace(hex(zeroblob(32)), '00', '54'), 4, 'tAAPL', 1.5, 'SELL', 150);
         insert into trade_accumulators values ('AAPL', 0, 1.5, null, null)",
    ])
    .await;
    let books = "begin; set local session_replication_role = replica; delete from go_live; delete from opening_position; commit";
    moving.desk.pool().execute(include_str!("books.sql")).await.unwrap();
    moving.desk.pool().execute(books).await.unwrap();
    // When it is imported, then the report says from where on to hedge
    let said = moving.import(&[], 3).await;
    assert!(said.contains("1 of 1 imported trades are among the fills"), "{said}");
    assert!(said.contains("hedge go-live --at 103 "), "{said}");
    assert_eq!(moving.lines(OPENINGS).await, ["AAPL -1.5"]);
    std::fs::write(moving.desk.config(), READ).unwrap();
    // And to begin with its block is refused by the command, which changes nothing
    let refused = moving.desk.run(&["go-live", "--at", "102", "--reason", "early"], 2).await;
    assert!(refused.contains("imported, and what they left open counts already"), "{refused}");
    assert_eq!(moving.desk.count("select count(*) from go_live").await, 0);
    // And hedging from there on would count it twice, which the check finds
    let live =
        "insert into go_live (source_id, from_block, reason, author) values (1, 102, 'early', 'tester')";
    moving.desk.pool().execute(live).await.unwrap();
    let found = sqlx::query(include_str!("../../sql/checks/imported_twice.sql"));
    assert_eq!(found.fetch_all(moving.desk.pool()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn once_hedging_has_begun_an_import_states_nothing_more() {
    // Given a desk that went live, by command
    let moving = Move::new(&[TABLES, TRADES]).await;
    std::fs::write(moving.desk.config(), READ).unwrap();
    moving.desk.run(&["go-live", "--at", "200", "--reason", "rehearsed"], 0).await;
    // When the earlier system's database comes after
    let said = moving.import(&[], 3).await;
    // Then its history is there, and what is exposed stays as it was
    assert!(said.contains("hedging has begun: nothing is stated any more"), "{said}");
    assert_eq!(moving.desk.count("select count(*) from imported_trade").await, 10_000);
    assert_eq!(moving.desk.count("select count(*) from opening_position").await, 0);
}
