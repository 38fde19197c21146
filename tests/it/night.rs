//! The night's jobs, killed for real wherever they write: run again, they come to what they would
//! have come to undisturbed.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::B256;
use hedge::{
    book::action::Change,
    chain::{gas, nodes::Nodes},
    time::Clock,
};

use crate::{
    floor::Floor,
    gate::{Gate, Place, When},
    pit::{amount, price},
};

/// Jobs in their order, and the tables that each writes.
const WRITES: [(&str, &[&str]); 7] = [
    // Before the calendar is known: that it is not is what it finds.
    ("health", &["alert", "alert_event"]),
    ("corporate_actions", &["corporate_action", "correction"]),
    ("calendar", &["market_session"]),
    ("reconcile", &["recon_run", "recon_leg", "recon_break", "recon_break_event", "letter"]),
    (
        "pnl",
        &[
            "oracle_price",
            "gas_payer",
            "gas",
            "ether_price",
            "cash_flow",
            "pnl_run",
            "pnl_row",
            "pnl_match",
            "open_lot",
            "pnl_day",
            "mark",
        ],
    ),
    ("statement", &["pnl_statement"]),
    ("checks", &["check_result"]),
];
const DATE: &str = "2026-11-20";

/// How many rows each table has that a night writes.
async fn rows(floor: &Floor) -> BTreeMap<&'static str, i64> {
    let mut rows = BTreeMap::new();
    for table in WRITES.iter().flat_map(|(_, tables)| *tables) {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        rows.insert(*table, sqlx::query_scalar(sql).fetch_one(floor.desk.pool()).await.unwrap());
    }
    rows
}

/// Feeds of AAPL and of ETH.
const FEED: [B256; 2] = [B256::repeat_byte(0x49), B256::repeat_byte(0xff)];

/// A floor on which a sale was hedged, and whose books begin with what the broker holds. Who took it
/// is one of ours, and so its gas is a cost.
async fn evening() -> Floor {
    let floor = Floor::open().await;
    floor.chain.set_oracle("AAPL", FEED[0], 0, 18_447_215);
    floor.chain.set_oracle("ETH", FEED[1], 0, 341_287_000);
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.flat().await;
    // What companies announce, for later and for today
    let day = |text: &str| text.parse().unwrap();
    let two_for_one = Change::Split { new: amount("2"), old: amount("1") };
    floor.account.announce("SPYM", two_for_one, day("2026-12-01"));
    floor.account.announce("AAPL", Change::Dividend { per_share: price("0.26") }, day("2026-11-20"));
    program.terminate();
    assert!(program.ended().await.success());
    floor.desk.run(&["reconcile", "--open", "--reason", "the first night"], 0).await;
    let settings = crate::chain::settings(&floor.chain, &[&floor.node]);
    let node = Nodes::new(&settings, &Clock::Wall).unwrap().ready().await.unwrap();
    let taken = gas::receipts(&node, &[floor.chain.canonical_fills()[0].tx_hash]).await.unwrap();
    let config = std::fs::read_to_string(floor.desk.config()).unwrap();
    let paying = format!("payers = [\"{}\"]\neth_feed = \"{}\"\npoll = ", taken[0].unwrap().payer, FEED[1]);
    let priced = format!("symbol = \"AAPL\"\npyth_feed = \"{}\"", FEED[0]);
    let config = config.replacen("poll = ", &paying, 1).replacen("symbol = \"AAPL\"", &priced, 1);
    std::fs::write(floor.desk.config(), config).unwrap();
    floor
}

#[tokio::test]
async fn a_job_that_is_killed_at_any_write_comes_to_the_same_when_it_is_run_again() {
    // Given a night that nobody disturbs
    let undisturbed = evening().await;
    let mut codes = BTreeMap::new();
    for (job, _) in WRITES {
        let mut program = undisturbed.desk.start(&["job", "run", job, "--date", DATE]);
        codes.insert(job, program.ended().await.code().unwrap());
    }
    let expected = rows(&undisturbed).await;
    // What its sources answered is read again, and comes to the same; of no other run is anything kept
    undisturbed.desk.run(&["recon", "replay", "--run", "1"], 0).await;
    undisturbed.desk.run(&["recon", "replay", "--run", "1", "--kept"], 0).await;
    undisturbed.desk.run(&["recon", "replay", "--run", "2"], 2).await;
    for table in [
        "alert",
        "corporate_action",
        "gas",
        "ether_price",
        "cash_flow",
        "oracle_price",
        "pnl_row",
        "recon_leg",
    ] {
        assert!(expected[table] > 0, "{table}");
    }
    // And one in which every job is killed before each of its tables is written, and one as that is committed
    for at in [Place::before, Place::commit] {
        let floor = evening().await;
        let mut killed = BTreeSet::new();
        let written = |job: &'static str, tables: &[&'static str]| {
            tables.iter().filter(|table| expected[*table] > 0).map(|table| (job, *table)).collect::<Vec<_>>()
        };
        for (job, tables) in WRITES {
            for (_, table) in written(job, tables) {
                let what: &'static str = format!("insert on {table}").leak();
                let mut gate = Gate::at(&floor.desk.world, at(what)).await;
                let mut program = floor.desk.start(&["job", "run", job, "--date", DATE]);
                tokio::select! {
                    () = gate.reached() => { killed.insert((job, table)); }
                    // What was committed by the one before is not written again.
                    _ = program.ended() => {}
                };
                program.kill();
                gate.open().await;
            }
            // When it is run once more, then it ends as it would have
            let mut program = floor.desk.start(&["job", "run", job, "--date", DATE]);
            assert_eq!(program.ended().await.code(), Some(codes[job]), "{job}: {}", floor.desk.said());
            if at("").when == When::Before {
                // Of all that is written nothing was left out
                for one in written(job, tables) {
                    assert!(killed.contains(&one), "{one:?}: {killed:?}");
                }
            } else {
                assert!(killed.iter().any(|(of, _)| *of == job), "{job}: {killed:?}");
            }
        }
        same(&floor, &expected).await;
    }
}

/// A run that was committed and not heard of is made again, under its own number; all else is there once.
async fn same(floor: &Floor, expected: &BTreeMap<&'static str, i64>) {
    let found = rows(floor).await;
    for table in [
        "pnl_row",
        "pnl_match",
        "open_lot",
        "pnl_day",
        "pnl_statement",
        "recon_break",
        "recon_break_event",
        "market_session",
        "corporate_action",
        "alert",
        "alert_event",
        "oracle_price",
        "gas_payer",
        "gas",
        "ether_price",
        "cash_flow",
    ] {
        assert_eq!(found[table], expected[table], "{table}");
    }
    floor.desk.is_sound().await;
}
