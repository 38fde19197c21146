//! `sql/checks`: laws that no constraint can hold. A row is a failure.

use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::{StoreError, types::At};

/// Every check, in the order of their names: the file, and a query whose rows are failures.
pub const CHECKS: [(&str, &str); 19] = [
    ("coverage", include_str!("../../sql/checks/coverage.sql")),
    ("cursor_block", include_str!("../../sql/checks/cursor_block.sql")),
    ("execution_close", include_str!("../../sql/checks/execution_close.sql")),
    ("fill_close", include_str!("../../sql/checks/fill_close.sql")),
    ("fill_quantity", include_str!("../../sql/checks/fill_quantity.sql")),
    ("gas_booked", include_str!("../../sql/checks/gas_booked.sql")),
    ("imported_twice", include_str!("../../sql/checks/imported_twice.sql")),
    ("log_above_cursor", include_str!("../../sql/checks/log_above_cursor.sql")),
    ("log_of_stray_block", include_str!("../../sql/checks/log_of_stray_block.sql")),
    ("open_lot_sums", include_str!("../../sql/checks/open_lot_sums.sql")),
    ("order_cover", include_str!("../../sql/checks/order_cover.sql")),
    ("order_evidence", include_str!("../../sql/checks/order_evidence.sql")),
    ("order_filled", include_str!("../../sql/checks/order_filled.sql")),
    ("pnl_day_sums", include_str!("../../sql/checks/pnl_day_sums.sql")),
    ("pnl_money", include_str!("../../sql/checks/pnl_money.sql")),
    ("pnl_total", include_str!("../../sql/checks/pnl_total.sql")),
    ("recon_break_events", include_str!("../../sql/checks/recon_break_events.sql")),
    ("recon_explained", include_str!("../../sql/checks/recon_explained.sql")),
    ("recon_orphan_break", include_str!("../../sql/checks/recon_orphan_break.sql")),
];

/// Rows of a check that are kept and shown.
const SAMPLE: i64 = 5;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The check.
    pub name: &'static str,
    /// What a failure is: the first line of its file.
    pub about: &'static str,
    /// How many rows there are.
    pub failures: i64,
    /// The first of them, as a JSON array of objects.
    pub sample: String,
}

/// Runs every check.
///
/// # Errors
/// The database.
pub async fn run(conn: &mut PgConnection) -> Result<Vec<Found>, StoreError> {
    let begun = |error| StoreError::of("begin the checks", error);
    let mut tx = conn.begin().await.map_err(begun)?;
    // They sum up whole tables: on disk that takes five times as long.
    sqlx::query("set local work_mem = '256MB'").execute(&mut *tx).await.map_err(begun)?;
    let mut all = Vec::new();
    for (name, sql) in CHECKS {
        let failed = |error| StoreError::of(&format!("run the check {name}"), error);
        let rows = sql.trim_end().trim_end_matches(';');
        let counted = format!(
            "with found as materialized (\n{rows}\n)\n\
             select (select count(*) from found) as failures,
                    coalesce((select jsonb_agg(to_jsonb(first)) from (select * from found limit {SAMPLE}) first), '[]')::text as sample"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(counted)).fetch_one(&mut *tx).await.map_err(failed)?;
        let about = sql.lines().next().unwrap_or_default().trim_start_matches("-- ");
        all.push(Found {
            name,
            about,
            failures: row.try_get("failures").map_err(failed)?,
            sample: row.try_get("sample").map_err(failed)?,
        });
    }
    tx.rollback().await.map_err(begun)?;
    Ok(all)
}

/// Keeps what a check found; `allowed` so many rows are let pass.
///
/// # Errors
/// The database.
pub async fn keep(
    conn: &mut PgConnection,
    run: Option<i64>,
    found: &Found,
    allowed: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/check_write.sql"))
        .bind(run)
        .bind(found.name)
        .bind(found.failures)
        .bind(i64::try_from(allowed).unwrap_or(i64::MAX))
        .bind(&found.sample)
        .bind(At(now))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep what a check found", error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_check_is_built_in() {
        let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/checks")).unwrap();
        let mut names: Vec<String> = files
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, CHECKS.map(|(name, _)| name));
    }
}
