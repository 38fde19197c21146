//! `hedge accept`.

use super::{Desk, Exit, Out, Trouble};
use crate::store::{Db, skips};

const EXAMPLES: &str = r#"Examples:
  hedge accept 17 --reason "dust: a clear of zero""#;

/// Accepts that a skipped log gives no fill; it is no longer shown as open.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The skipped log's id, as `hedge show skipped` prints it.
    #[arg(value_name = "SKIPPED")]
    pub skipped: i64,
    /// Why; kept on record.
    #[arg(long)]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
///
/// The database, or there is no such skipped log.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let mut conn = db.pool().acquire().await?;
    if !skips::accept_skip(&mut conn, args.skipped, &args.reason, &desk.author()).await? {
        return Err(Trouble {
            what: format!("there is no open skipped log {}", args.skipped),
            cause: "its number is unknown, or it was accepted before".to_owned(),
            state: "nothing was written".to_owned(),
            next: "take a number from `hedge show skipped`".to_owned(),
            exit: Exit::Usage,
        }
        .into());
    }
    drop(conn);
    db.close().await;
    writeln!(out, "skipped log {} is accepted", args.skipped)?;
    Ok(Exit::Done)
}
