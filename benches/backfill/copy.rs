//! The second limit: the same rows out of memory, in the same transactions,
//! into the same tables with their keys and constraints.

use std::time::Instant;

use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};

use super::{Ranges, books::connect};

/// What a log has when it is written; the database says when that was.
const LOG: &str = "chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data, taken_by";

/// The rows of one range, as COPY has them.
pub(super) struct Rows {
    logs: Vec<u8>,
    fills: Vec<u8>,
}

/// Takes what was written out of a database, range by range.
pub(super) async fn load(database: &str, ranges: &Ranges) -> anyhow::Result<Vec<Rows>> {
    let mut conn = connect(database).await?;
    let mut rows = Vec::new();
    for (from, to) in ranges.each() {
        let within = format!("block_number between {from} and {to} order by block_number, log_index");
        let logs = format!("select {LOG} from chain_log where {within}");
        let fills = format!(
            "select fill.* from fill join chain_log using (chain_id, block_hash, log_index) where {within}"
        );
        rows.push(Rows { logs: copied(&mut conn, &logs).await?, fills: copied(&mut conn, &fills).await? });
    }
    conn.close().await?;
    Ok(rows)
}

async fn copied(conn: &mut PgConnection, select: &str) -> anyhow::Result<Vec<u8>> {
    let mut stream = conn.copy_out_raw(&format!("copy ({select}) to stdout (format binary)")).await?;
    let mut all = Vec::new();
    while let Some(some) = stream.try_next().await? {
        all.extend_from_slice(&some);
    }
    Ok(all)
}

/// Writes them into a new database; gives the seconds that took.
pub(super) async fn write(database: &str, rows: Vec<Rows>) -> anyhow::Result<f64> {
    eprintln!("  COPY only …");
    let mut conn = connect(database).await?;
    let begun = Instant::now();
    for Rows { logs, fills } in rows {
        let mut tx = conn.begin().await?;
        into(&mut tx, logs, fills).await?;
        tx.commit().await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    conn.close().await?;
    Ok(seconds)
}

/// COPYs logs and fills into their tables.
pub(super) async fn into(conn: &mut PgConnection, logs: Vec<u8>, fills: Vec<u8>) -> sqlx::Result<()> {
    for (table, rows) in [(format!("chain_log ({LOG})"), logs), ("fill".to_owned(), fills)] {
        let mut copy = conn.copy_in_raw(&format!("copy {table} from stdin (format binary)")).await?;
        copy.send(rows).await?;
        copy.finish().await?;
    }
    Ok(())
}
