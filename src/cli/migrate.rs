//! `hedge migrate`: the tables brought up to date, the schema `reporting` made anew.

use super::Out;
use crate::store::{Db, Settings};

const EXAMPLES: &str = "\
Examples:
  hedge migrate
  hedge migrate --roles     and gives the roles of readers and writers what is theirs";

/// Brings the tables up to date and makes the schema `reporting` anew.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Give the roles `hedge_owner`, `hedge_app`, `hedge_job` and `hedge_bi` what is theirs; makes those that are missing
    #[arg(long)]
    roles: bool,
}

/// Migrates and says what was applied.
///
/// # Errors
///
/// The database cannot be opened, is newer than this binary, or refused a migration.
pub async fn run(args: Args, settings: &Settings, out: &mut Out<'_>) -> anyhow::Result<()> {
    let db = Db::open(settings).await?;
    let migrated = db.migrate_anew().await?;
    for migration in &migrated.applied {
        writeln!(out, "applied {migration}")?;
    }
    if migrated.applied.is_empty() {
        writeln!(out, "the tables are up to date")?;
    }
    writeln!(out, "the schema `reporting` is made anew")?;
    if args.roles {
        db.roles().await?;
        writeln!(out, "the roles have what is theirs; logins are made members of them: see sql/roles.sql")?;
    }
    db.close().await;
    Ok(())
}
