//! The night's jobs, killed for real wherever they write: run again, they come to what they would
//! have come to undisturbed.

use std::collections::BTreeMap;

use crate::{
    floor::Floor,
    gate::{Gate, Place},
};

/// Jobs in their order, and the tables that each writes.
const WRITES: [(&str, &[&str]); 5] = [
    ("calendar", &["market_session"]),
    ("reconcile", &["recon_run", "recon_leg", "recon_break", "recon_break_event", "letter"]),
    ("pnl", &["pnl_run", "pnl_row", "pnl_match", "open_lot", "pnl_day", "mark"]),
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

/// A floor on which a sale was hedged, and whose books begin with what the broker holds.
async fn evening() -> Floor {
    let floor = Floor::open().await;
    let mut program = floor.running().await;
    floor.sold("AAPL", 5);
    floor.flat().await;
    program.terminate();
    assert!(program.ended().await.success());
    floor.desk.run(&["reconcile", "--open", "--reason", "the first night"], 0).await;
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
    // And one in which every job is killed before each of its tables is written, and as that is committed
    let floor = evening().await;
    let mut kills = 0;
    for (job, tables) in WRITES {
        for table in tables.iter().filter(|table| expected[*table] > 0) {
            let what: &'static str = format!("insert on {table}").leak();
            for place in [Place::before(what), Place::commit(what)] {
                let mut gate = Gate::at(&floor.desk.world, place).await;
                let mut program = floor.desk.start(&["job", "run", job, "--date", DATE]);
                let reached = tokio::select! {
                    () = gate.reached() => true,
                    // What was committed by the one before is not written again.
                    _ = program.ended() => false,
                };
                program.kill();
                gate.open().await;
                kills += usize::from(reached);
            }
        }
        // When it is run once more, then it ends as it would have
        let mut program = floor.desk.start(&["job", "run", job, "--date", DATE]);
        assert_eq!(program.ended().await.code(), Some(codes[job]), "{job}: {}", floor.desk.said());
    }
    assert!(kills >= 10, "{kills}");
    let found = rows(&floor).await;
    // A run that was committed and not heard of is made again, under its own number.
    for table in [
        "pnl_row",
        "pnl_match",
        "open_lot",
        "pnl_day",
        "pnl_statement",
        "recon_break",
        "recon_break_event",
        "market_session",
    ] {
        assert_eq!(found[table], expected[table], "{table}");
    }
    floor.desk.is_sound().await;
}
