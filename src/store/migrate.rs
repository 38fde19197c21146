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
const MIGRATIONS: &[(&str, &str)] = &[
    ("V001__the_chain", include_str!("../../migrations/V001__the_chain.sql")),
    ("V002__hedging", include_str!("../../migrations/V002__hedging.sql")),
    ("V003__credentials", include_str!("../../migrations/V003__credentials.sql")),
    ("V004__paper", include_str!("../../migrations/V004__paper.sql")),
    ("V005__the_night", include_str!("../../migrations/V005__the_night.sql")),
    ("V006__profit", include_str!("../../migrations/V006__profit.sql")),
    ("V007__reconciliation", include_str!("../../migrations/V007__reconciliation.sql")),
    ("V008__alerts", include_str!("../../migrations/V008__alerts.sql")),
    ("V009__import", include_str!("../../migrations/V009__import.sql")),
    ("V010__reporting", include_str!("../../migrations/V010__reporting.sql")),
    ("V011__moves_without_a_fill", include_str!("../../migrations/V011__moves_without_a_fill.sql")),
    ("V012__runs_again", include_str!("../../migrations/V012__runs_again.sql")),
    ("V013__gas", include_str!("../../migrations/V013__gas.sql")),
    ("V014__looking_back", include_str!("../../migrations/V014__looking_back.sql")),
];

/// How many there are: the version that tables have when they are up to date.
pub const NEWEST: usize = MIGRATIONS.len();

/// How often roles are given again where somebody stood in the way.
const TRIES: u32 = 3;

/// `sql/views/`, in the order of their names: the empty schema, then a view each.
const VIEWS: &[(&str, &str)] = &[
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
    ("16_skipped_move", include_str!("../../sql/views/16_skipped_move.sql")),
    ("20_metrics_pnl", include_str!("../../sql/views/20_metrics_pnl.sql")),
    ("21_trade_pnl", include_str!("../../sql/views/21_trade_pnl.sql")),
    ("22_daily_pnl", include_str!("../../sql/views/22_daily_pnl.sql")),
    ("23_open_lot", include_str!("../../sql/views/23_open_lot.sql")),
    ("24_match", include_str!("../../sql/views/24_match.sql")),
    ("25_spread_capture", include_str!("../../sql/views/25_spread_capture.sql")),
    ("26_cost", include_str!("../../sql/views/26_cost.sql")),
    ("27_statement_line", include_str!("../../sql/views/27_statement_line.sql")),
    ("28_restatement", include_str!("../../sql/views/28_restatement.sql")),
    ("30_recon_run", include_str!("../../sql/views/30_recon_run.sql")),
    ("31_recon_leg", include_str!("../../sql/views/31_recon_leg.sql")),
    ("32_recon_break", include_str!("../../sql/views/32_recon_break.sql")),
    ("33_recon_break_event", include_str!("../../sql/views/33_recon_break_event.sql")),
    ("34_drift_explanation", include_str!("../../sql/views/34_drift_explanation.sql")),
    ("35_inventory", include_str!("../../sql/views/35_inventory.sql")),
    ("40_corporate_action", include_str!("../../sql/views/40_corporate_action.sql")),
    ("41_cash_flow", include_str!("../../sql/views/41_cash_flow.sql")),
    ("42_activity", include_str!("../../sql/views/42_activity.sql")),
    ("43_vault", include_str!("../../sql/views/43_vault.sql")),
    ("44_oracle_price", include_str!("../../sql/views/44_oracle_price.sql")),
    ("50_alert", include_str!("../../sql/views/50_alert.sql")),
    ("51_alert_event", include_str!("../../sql/views/51_alert_event.sql")),
    ("52_outbox", include_str!("../../sql/views/52_outbox.sql")),
    ("60_job_run", include_str!("../../sql/views/60_job_run.sql")),
    ("61_exposure_history", include_str!("../../sql/views/61_exposure_history.sql")),
    ("62_hedge_latency", include_str!("../../sql/views/62_hedge_latency.sql")),
    ("63_unhedged_time", include_str!("../../sql/views/63_unhedged_time.sql")),
    ("65_coverage", include_str!("../../sql/views/65_coverage.sql")),
    ("66_data_freshness", include_str!("../../sql/views/66_data_freshness.sql")),
    ("67_audit", include_str!("../../sql/views/67_audit.sql")),
    ("68_as_of", include_str!("../../sql/views/68_as_of.sql")),
    ("69_pnl_as_of", include_str!("../../sql/views/69_pnl_as_of.sql")),
    ("80_imported_trade", include_str!("../../sql/views/80_imported_trade.sql")),
    ("81_imported_execution", include_str!("../../sql/views/81_imported_execution.sql")),
    ("82_imported_profit", include_str!("../../sql/views/82_imported_profit.sql")),
    ("83_import_misfit", include_str!("../../sql/views/83_import_misfit.sql")),
    ("85_onchain_trades", include_str!("../../sql/views/85_onchain_trades.sql")),
    ("86_offchain_trades", include_str!("../../sql/views/86_offchain_trades.sql")),
    ("87_schwab_executions", include_str!("../../sql/views/87_schwab_executions.sql")),
    ("88_trade_accumulators", include_str!("../../sql/views/88_trade_accumulators.sql")),
    ("89_trade_execution_links", include_str!("../../sql/views/89_trade_execution_links.sql")),
    ("90_position_view", include_str!("../../sql/views/90_position_view.sql")),
    ("91_onchain_trade_view", include_str!("../../sql/views/91_onchain_trade_view.sql")),
    ("92_offchain_trade_view", include_str!("../../sql/views/92_offchain_trade_view.sql")),
    ("93_metrics_pnl_view", include_str!("../../sql/views/93_metrics_pnl_view.sql")),
    ("94_unified_trade_view", include_str!("../../sql/views/94_unified_trade_view.sql")),
    ("95_events", include_str!("../../sql/views/95_events.sql")),
];

/// Two processes that start at once meet here: `hedge` in ASCII.
const LOCK: i64 = 0x68_65_64_67_65;

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were applied, oldest first.
    pub applied: Vec<String>,
}

/// When `reporting` is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anew {
    /// Whatever stands there.
    Always,
    /// Where it was made of other files: who reads is not disturbed by every command.
    WhereItDiffers,
}

/// Brings the tables of a database up to date and makes `reporting` anew.
///
/// Another process that does the same is waited for. A role that may not change
/// tables (`sql/roles.sql`) changes none: there they must be up to date already.
///
/// # Errors
///
/// *Try again*: the database cannot be reached. *Stop*: it is newer than this
/// binary, its history is another one, this role may not bring it up to date, or a
/// migration failed and left no trace.
pub async fn migrate(url: &DatabaseUrl, anew: Anew) -> Result<Migrated, StoreError> {
    let mut session = Session(url.connect().await?);
    let failed = |error| StoreError::of(&format!("migrate {url}"), error);
    let asked =
        sqlx::query(include_str!("../../sql/queries/may_migrate.sql")).fetch_one(&mut session.0).await;
    let (may, role): (bool, String) =
        asked.and_then(|row| Ok((row.try_get("may")?, row.try_get("role")?))).map_err(failed)?;
    if !may {
        return stands_already(url, session.0, role).await;
    }
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut session.0).await.map_err(failed)?;
    let report = runner(url)?.run_async(&mut session).await.map_err(|error| refused(url, error))?;
    let applied = report.applied_migrations().iter().map(ToString::to_string).collect();
    if anew == Anew::Always || !reporting_stands(&mut session.0).await.map_err(failed)? {
        session.execute(VIEWS.iter().map(|(_, sql)| *sql)).await.map_err(failed)?;
        let note = include_str!("../../sql/queries/reporting_make.sql");
        sqlx::query(note).bind(files()).execute(&mut session.0).await.map_err(failed)?;
    }
    // The lock goes with the connection.
    session.0.close().await.map_err(failed)?;
    Ok(Migrated { applied })
}

/// Gives the roles of `sql/roles.sql` what is theirs, and makes those that are missing.
///
/// # Errors
///
/// *Stop*: whoever asks may not.
pub async fn roles(url: &DatabaseUrl) -> Result<(), StoreError> {
    // Whoever reads views in another order than grants take them may stand in the way, once.
    for _ in 0..TRIES {
        match give_roles(url).await {
            Err(StoreError::Unavailable { .. }) => {}
            given => return given,
        }
    }
    give_roles(url).await
}

async fn give_roles(url: &DatabaseUrl) -> Result<(), StoreError> {
    let failed = |error| StoreError::of(&format!("give roles in {url} what is theirs"), error);
    let mut connection = url.connect().await?;
    let mut transaction = connection.begin().await.map_err(failed)?;
    sqlx::raw_sql(include_str!("../../sql/roles.sql")).execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// What `reporting` is made of, as one text.
fn files() -> String {
    VIEWS.iter().map(|(_, sql)| *sql).collect()
}

async fn reporting_stands(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let made = include_str!("../../sql/queries/reporting_made.sql");
    Ok(sqlx::query(made).bind(files()).fetch_optional(conn).await?.is_some())
}

/// For a role that may change nothing: whether nothing has to be changed.
async fn stands_already(
    url: &DatabaseUrl,
    mut conn: PgConnection,
    role: String,
) -> Result<Migrated, StoreError> {
    let version = sqlx::query(include_str!("../../sql/queries/schema_version.sql"));
    let version = async {
        let row = version.fetch_optional(&mut conn).await?;
        let version: Option<i32> = row.map(|row| row.try_get("version")).transpose()?;
        Ok::<_, sqlx::Error>(
            version.is_some_and(|it| usize::try_from(it).is_ok_and(|it| it >= NEWEST))
                && reporting_stands(&mut conn).await?,
        )
    };
    if version.await.unwrap_or_default() {
        return Ok(Migrated { applied: Vec::new() });
    }
    Err(StoreError::stop(
        format!("{url} is not as this hedge needs it, and the role {role} may not change it"),
        "run `hedge migrate --roles` as a member of hedge_owner, and start again",
    ))
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
        let built_in =
            |files: &[(&str, &str)]| files.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names("migrations"), built_in(MIGRATIONS));
        assert_eq!(names("sql/views"), built_in(VIEWS));
    }

    #[test]
    fn migrations_are_numbered_from_one_without_a_gap() {
        let runner = runner(&"postgres:///x".parse().unwrap()).unwrap();
        let versions = runner.get_migrations().iter().map(Migration::version);
        assert!(versions.eq(1..=i32::try_from(MIGRATIONS.len()).unwrap()));
    }
}
