//! `hedge migrate`: the tables brought up to date, the schema `reporting` made anew.

use super::Out;
use crate::store::{Db, Settings};

const EXAMPLES: &str = "\
Examples:
  hedge migrate";

/// Brings the tables up to date and makes the schema `reporting` anew.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Migrates and says what was applied.
///
/// # Errors
///
/// The database cannot be opened, is newer than this binary, or refused a migration.
pub async fn run(_: Args, settings: &Settings, out: &mut Out<'_>) -> anyhow::Result<()> {
    let db = Db::open(settings).await?;
    let migrated = db.migrate().await?;
    for migration in &migrated.applied {
        writeln!(out, "applied {migration}")?;
    }
    if migrated.applied.is_empty() {
        writeln!(out, "the tables are up to date")?;
    }
    writeln!(out, "the schema `reporting` is made anew")?;
    db.close().await;
    Ok(())
}
