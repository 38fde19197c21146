//! `hedge why`: what an exposure is made of, what is being done about it, and why not more.
//!
//! - [`facts`]: what the books know of a share
//! - [`telling`]: that, for a person or a program
//! - [`advice`]: what each state asks of a person, mostly nothing

pub mod advice;
pub mod facts;
pub mod telling;

use anyhow::Context as _;

use super::{Desk, Exit, Out};
use crate::{store::Db, time::Clock};
use facts::Why;

const EXAMPLES: &str = "\
Examples:
  hedge why AAPL
  hedge why AAPL --json | jq '.next[].do'";

/// Explains an exposure: why nothing is done about it, the fills that make it up, the orders on their way.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The ticker.
    symbol: String,
    /// Write an object; exact decimals are strings.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let mut conn = db.pool().acquire().await.context("could not open a connection")?;
    let why = Why::read(&mut conn, &args.symbol, Clock::Wall.now()).await?;
    drop(conn);
    db.close().await;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &why.for_programs())?;
        writeln!(out)?;
    } else {
        write!(out, "{}", why.for_people())?;
    }
    Ok(Exit::Done)
}
