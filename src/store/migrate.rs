//! The tables' history applied, and the schema `reporting` made anew.
//!
//! What is always true here: one process at a time migrates a database, each
//! migration is one transaction, and so is the whole of `reporting`. A database
//! with a migration that this binary does not know is left alone.
//!
//! Deliberately absent: a way back. What was applied is history; a mistake in it
//! is mended by the next migration.

use std::time::UNIX_EPOCH;

use refinery::error::Kind;
use refinery::{Migration, Runner};
use refinery_core::AsyncMigrate;
use refinery_core::traits::r#async::{AsyncQuery, AsyncTransaction};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::pool::DatabaseUrl;
use super::{StoreError, passes};

/// `migrations/`, oldest first.
const MIGRATIONS: [(&str, &str); 9] = [
    ("V001__the_chain", include_str!("../../migrations/V001__the_chain.sql")),
    ("V002__hedging", include_str!("../../migrations/V002__hedging.sql")),
    ("V003__credentials", include_str!("../../migrations/V003__credentials.sql")),
    ("V004__paper", include_str!("../../migrations/V004__paper.sql")),
    ("V005__the_night", include_str!("../../migrations/V005__the_night.sql")),
    ("V006__profit", include_str!("../../migrations/V006__profit.sql")),
    ("V007__reconciliation", include_str!("../../migrations/V007__reconciliation.sql")),
    ("V008__alerts", include_str!("../../migrations/V008__alerts.sql")),
    ("V009__import", include_str!("../../migrations/V009__import.sql")),
];

/// How many there are: the version that tables have when they are up to date.
pub const NEWEST: usize = MIGRATIONS.len();

/// `sql/views/`, in the order of their names: the empty schema, then a view each.
const VIEWS: [(&str, &str); 21] = [
    ("00_schema", include_str!("../../sql/views/00_schema.sql")),
    ("01_fill", include_str!("../../sql/views/01_fill.sql")),
    ("02_orphaned_fill", include_str!("../../sql/views/02_orphaned_fill.sql")),
    ("03_vault_move", include_str!("../../sql/views/03_vault_move.sql")),
    ("04_skipped_log", include_str!("../../sql/views/04_skipped_log.sql")),
    ("05_reorg", include_str!("../../sql/views/05_reorg.sql")),
    ("06_cursor", include_str!("../../sql/views/06_cursor.sql")),
    ("07_block_range", include_str!("../../sql/views/07_block_range.sql")),
    ("08_node_contradiction", include_str!("../../sql/views/08_node_contradiction.sql")),
    ("09_position_now", include_str!("../../sql/views/09_position_now.sql")),
    ("10_hedge_order", include_str!("../../sql/views/10_hedge_order.sql")),
    ("11_order_event", include_str!("../../sql/views/11_order_event.sql")),
    ("12_execution", include_str!("../../sql/views/12_execution.sql")),
    ("13_cover", include_str!("../../sql/views/13_cover.sql")),
    ("14_halt", include_str!("../../sql/views/14_halt.sql")),
    ("15_exposure_parts", include_str!("../../sql/views/15_exposure_parts.sql")),
    ("60_job_run", include_str!("../../sql/views/60_job_run.sql")),
    ("80_imported_trade", include_str!("../../sql/views/80_imported_trade.sql")),
    ("81_imported_execution", include_str!("../../sql/views/81_imported_execution.sql")),
    ("82_imported_profit", include_str!("../../sql/views/82_imported_profit.sql")),
    ("83_import_misfit", include_str!("../../sql/views/83_import_misfit.sql")),
];

/// Two processes that start at once meet here: `hedge` in ASCII.
const LOCK: i64 = 0x68_65_64_67_65;

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were applied, oldest first.
    pub applied: Vec<String>,
}

/// Brings the tables of a database up to date and makes `reporting` anew.
///
/// Another process that does the same is waited for.
///
/// # Errors
///
/// *Try again*: the database cannot be reached. *Stop*: it is newer than this
/// binary, its history is another one, or a migration failed and left no trace.
pub async fn migrate(url: &DatabaseUrl) -> Result<Migrated, StoreError> {
    let mut session = Session(url.connect().await?);
    let failed = |error| StoreError::of(&format!("migrate {url}"), error);
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut session.0).await.map_err(failed)?;
    let report = runner(url)?.run_async(&mut session).await.map_err(|error| refused(url, error))?;
    let applied = report.applied_migrations().iter().map(ToString::to_string).collect();
    let reporting = VIEWS.iter().map(|(_, sql)| *sql);
    session.execute(reporting).await.map_err(failed)?;
    // The lock goes with the connection.
    session.0.close().await.map_err(failed)?;
    Ok(Migrated { applied })
}

fn runner(url: &DatabaseUrl) -> Result<Runner, StoreError> {
    let known: Result<Vec<_>, _> =
        MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
    Ok(Runner::new(&known.map_err(|error| refused(url, error))?))
}

/// What refinery's refusal means for the operator.
fn refused(url: &DatabaseUrl, error: refinery::Error) -> StoreError {
    // They are numbered from one, without a gap.
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    if let Kind::MissingVersion(found) = error.kind()
        && found.applied_on().is_some()
    {
        return StoreError::NewerDatabase { place: url.to_string(), found: found.to_string(), known };
    }
    if let Kind::DivergentVersion(found, _) = error.kind() {
        return StoreError::stop(
            format!("{url} was made by another hedge: its {found} is not the one known here"),
            "use the hedge that made it, or another database",
        );
    }
    if let Kind::Connection(_, cause) = error.kind()
        && cause.downcast_ref().is_some_and(passes)
    {
        return StoreError::Unavailable {
            what: format!("could not migrate {url}"),
            next: "see that Postgres runs and has room, and start again".to_owned(),
            source: Some(error.into()),
        };
    }
    StoreError::stop(
        format!("could not migrate {url}"),
        "mend what the cause names and start again; a migration that fails leaves no trace",
    )
    .because(error)
}

/// One connection, as refinery wants it: sqlx then is the only driver, with the
/// only TLS, that meets the server.
struct Session(PgConnection);

impl AsyncTransaction for Session {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, sqlx::Error> {
        let mut transaction = self.0.begin().await?;
        let mut count = 0;
        for query in queries {
            sqlx::raw_sql(AssertSqlSafe(query)).execute(&mut *transaction).await?;
            count += 1;
        }
        transaction.commit().await?;
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Session {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut self.0).await?;
        rows.iter()
            .map(|row| {
                let checksum: String = row.try_get("checksum")?;
                let checksum = checksum.parse().map_err(|error| sqlx::Error::ColumnDecode {
                    index: "checksum".to_owned(),
                    source: Box::new(error),
                })?;
                // Only whether it was applied is ever asked, not when.
                let applied = UNIX_EPOCH.into();
                Ok(Migration::applied(row.try_get("version")?, row.try_get("name")?, applied, checksum))
            })
            .collect()
    }
}

impl AsyncMigrate for Session {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(dir: &str) -> Vec<String> {
        let dir = format!("{}/{dir}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_migration_and_every_view_is_built_in() {
        assert_eq!(names("migrations"), MIGRATIONS.map(|(name, _)| name));
        assert_eq!(names("sql/views"), VIEWS.map(|(name, _)| name));
    }

    #[test]
    fn migrations_are_numbered_from_one_without_a_gap() {
        let runner = runner(&"postgres:///x".parse().unwrap()).unwrap();
        let versions = runner.get_migrations().iter().map(Migration::version);
        assert!(versions.eq(1..=i32::try_from(MIGRATIONS.len()).unwrap()));
    }
}
