//! `hedge accept`.

use jiff::civil::Date;

use super::{Desk, Exit, Out, Trouble, breaks};
use crate::store::{Db, skips};

const EXAMPLES: &str = r#"Examples:
  hedge accept 17 --reason "dust: a clear of zero"
  hedge accept --break 4 --until 2026-11-27 --reason "the broker is looking into it""#;

/// Accepts a skipped log as it is, or takes note of a break until a day.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The skipped log's id, as `hedge show skipped` prints it.
    #[arg(value_name = "SKIPPED", required_unless_present = "noted")]
    pub skipped: Option<i64>,
    /// A break's id, as `hedge show breaks` prints it: no more is heard of it until then.
    #[arg(long = "break", value_name = "BREAK", conflicts_with = "skipped", requires = "until")]
    pub noted: Option<i64>,
    /// The last day in New York on which nobody wants to hear of the break.
    #[arg(long, value_name = "DATE", requires = "noted")]
    pub until: Option<Date>,
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
///
/// The database, or there is no such skipped log.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    if let Some((id, until)) = args.noted.zip(args.until) {
        return breaks::acknowledge(id, until, &args.reason, desk, out).await;
    }
    let Some(skipped) = args.skipped else { return Ok(Exit::Usage) };
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let mut conn = db.pool().acquire().await?;
    if !skips::accept_skip(&mut conn, skipped, &args.reason, &desk.author()).await? {
        return Err(Trouble {
            what: format!("there is no open skipped log {skipped}"),
            cause: "its number is unknown, or it was accepted before".to_owned(),
            state: "nothing was written".to_owned(),
            next: "take a number from `hedge show skipped`".to_owned(),
            exit: Exit::Usage,
        }
        .into());
    }
    drop(conn);
    db.close().await;
    writeln!(out, "skipped log {skipped} is accepted")?;
    Ok(Exit::Done)
}
