//! P&L from facts to rows, beside copying the same trades out and the same rows in.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::StreamExt;
use hedge::{
    job::{
        Run,
        notify::Voice,
        pnl::{self, Counting},
    },
    store::{Db, Settings},
    time::{Clock, new_york_date},
};
use sqlx::{AssertSqlSafe, Executor};

use super::{books::Books, books::connect, seconds};

/// Fills the books, counts, adds a late fill, and counts again.
pub(super) async fn measure(books: &Books, trades: u64, shares: u64) -> anyhow::Result<()> {
    eprintln!("writing {trades} trades of {shares} shares");
    let url = books.create("pnl").await?;
    let settings = Settings { database_url: Some(url.parse()?), data_dir: "/nonexistent".into() };
    let db = Db::open(&settings).await?;
    let sql = include_str!("pnl.sql")
        .replace("{trades}", &trades.to_string())
        .replace("{shares}", &shares.to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db.pool()).await.context("the trades were not written")?;
    for table in ["chain_log", "fill", "execution", "hedge_order"] {
        sqlx::query(AssertSqlSafe(format!("vacuum analyze {table}"))).execute(db.pool()).await?;
    }

    eprintln!("copying them out");
    let facts = include_str!("../../sql/queries/pnl_trades.sql");
    let begun = Instant::now();
    let out = copied(&url, &format!("select * from (\n{facts}\n) trade order by symbol")).await?;
    let out = (begun.elapsed(), out);

    eprintln!("counting");
    let (first, said) = counted(&db).await?;
    eprintln!("copying the rows in");
    let mut again = Duration::ZERO;
    for table in ["pnl_row", "pnl_match", "pnl_day", "pnl_snapshot", "open_lot"] {
        again += copied_in(&url, table).await?;
    }
    let limit = out.0 + again;
    let percent = first.as_millis() * 100 / limit.as_millis().max(1);
    println!("\npnl, {trades} trades of {shares} shares: {}", seconds(first));
    println!("  {said}");
    println!("  copied out {} ({} MB), rows copied in {}", seconds(out.0), out.1 >> 20, seconds(again));
    println!("  the job takes {percent} % of that; this program, the job in it, took {} MB at most", peak()?);

    sqlx::raw_sql(include_str!("late.sql")).execute(db.pool()).await?;
    let (late, said) = counted(&db).await?;
    println!("one late fill in the midst of it: {}\n  {said}", seconds(late));
    let (nothing, _) = counted(&db).await?;
    println!("nothing new: {}", seconds(nothing));
    db.close().await;
    Ok(())
}

/// Megabytes that this process took at most, as the kernel says.
fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(peak.context("the kernel does not say how much memory was taken")?.parse::<u64>()? >> 10)
}

async fn counted(db: &Db) -> anyhow::Result<(Duration, String)> {
    let at = Clock::Wall.now();
    let run = Run { id: None, job: "pnl".to_owned(), date: new_york_date(at), at };
    let begun = Instant::now();
    let outcome = pnl::run(db.pool(), &run, &Voice::default(), &Counting::new(false)).await?;
    Ok((begun.elapsed(), outcome.said))
}

/// Copies rows out, as the job reads them; how many bytes they are.
async fn copied(url: &str, sql: &str) -> anyhow::Result<usize> {
    let mut conn = connect(url).await?;
    conn.execute("set work_mem = '256MB'").await?;
    let mut rows = conn.copy_out_raw(&format!("copy ({sql}) to stdout (format binary)")).await?;
    let mut bytes = 0;
    while let Some(row) = rows.next().await {
        bytes += row?.len();
    }
    Ok(bytes)
}

/// Copies the rows of a table into another of its kind, from a file of the server's; how long the way in took.
async fn copied_in(url: &str, table: &str) -> anyhow::Result<Duration> {
    let mut conn = connect(url).await?;
    let data: String = sqlx::query_scalar("show data_directory").fetch_one(&mut conn).await?;
    let file = format!("'{data}/again' (format binary)");
    conn.execute(AssertSqlSafe(format!("copy {table} to {file}"))).await?;
    conn.execute(AssertSqlSafe(format!("create table again_{table} (like {table} including all)"))).await?;
    let begun = Instant::now();
    conn.execute(AssertSqlSafe(format!("copy again_{table} from {file}"))).await?;
    Ok(begun.elapsed())
}
