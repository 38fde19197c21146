//! `hedge db`: a look inside the database.

use std::ffi::OsString;

use anyhow::{Context, bail};
use clap::Subcommand;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::Out;
use crate::store::embedded::Cluster;
use crate::store::{Db, Settings};

const EXAMPLES: &str = "\
Examples:
  hedge db psql -- -c \"select * from reporting.cursor\"
  hedge db url";

/// Looks inside the database.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Opens psql on it; the embedded Postgres runs as long as psql does
    #[command(after_help = "Examples:\n  hedge db psql -- -c \"select * from reporting.cursor\"")]
    Psql {
        /// Handed to psql, such as: -- -c 'select * from reporting.cursor'
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Prints its address, password included; the embedded Postgres answers it while a hedge runs
    #[command(after_help = "Examples:\n  hedge db url")]
    Url,
    /// Stops the embedded Postgres, whoever uses it
    #[command(after_help = "Examples:\n  hedge db stop")]
    Stop,
    /// Prints the directory of the embedded Postgres
    #[command(after_help = "Examples:\n  hedge db path")]
    Path,
}

/// Does what was asked.
///
/// # Errors
///
/// The database cannot be opened or stopped, or psql ended badly.
pub async fn run(args: Args, settings: &Settings, out: &mut Out<'_>) -> anyhow::Result<()> {
    match args.what {
        What::Psql { args } => psql(args, settings).await,
        What::Url => {
            let url = match &settings.database_url {
                Some(url) => url.clone(),
                None => Cluster::at(&settings.data_dir)?.url(),
            };
            Ok(writeln!(out, "{}", url.expose())?)
        }
        What::Stop => {
            if settings.database_url.is_some() {
                bail!("DATABASE_URL names a server of yours, which hedge neither starts nor stops");
            }
            let stopped = Cluster::at(&settings.data_dir)?.stop_for_all()?;
            Ok(writeln!(out, "{}", if stopped { "stopped" } else { "none was running" })?)
        }
        What::Path => {
            let cluster = Cluster::at(&settings.data_dir)?;
            Ok(writeln!(out, "{}", cluster.dir().display())?)
        }
    }
}

async fn psql(args: Vec<OsString>, settings: &Settings) -> anyhow::Result<()> {
    let db = Db::open(settings).await?;
    let program = Cluster::at(&settings.data_dir)?.psql();
    // Ctrl-C is for psql, where it cancels a statement. Once it is listened to it
    // no longer ends us.
    let _interrupts = signal(SignalKind::interrupt())?;
    let (url, password) = db.url().parted();
    let status = Command::new(&program)
        .arg(url)
        .args(args)
        .envs(password.map(|password| ("PGPASSWORD", password)))
        .status()
        .await
        .with_context(|| format!("could not run {}", program.display()))?;
    db.close().await;
    if !status.success() {
        bail!("psql ended with {status}");
    }
    Ok(())
}
