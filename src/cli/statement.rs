//! `hedge statement`: what a New York day earned.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::civil::Date;

use super::{Desk, Exit, Out};
use crate::{
    job::statement,
    report::{Form, statement as text, statement_page},
    store::{Db, StoreError},
    time::{Clock, new_york_date},
};

const EXAMPLES: &str = "\
Examples:
  hedge statement                        today, as it stands
  hedge statement --date 2026-11-20      a day, as it was stated
  hedge statement --date 2026-11-20 --csv
  hedge statement --html statement.html  as a page, for a screen or two sheets of A4";

/// Shows a day's statement: as it was stated, or as it would be now.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The day in New York [default: today].
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Write an array of objects, one a share; exact decimals are strings.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write comma-separated values with a header, a line a share.
    #[arg(long)]
    csv: bool,
    /// Write it to this file as a page that stands by itself, with charts; it prints on A4.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    html: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration or the database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let db = Db::open(&desk.store()?).await?;
    let at = Clock::Wall.now();
    let date = args.date.unwrap_or_else(|| new_york_date(at));
    let mut conn = db.pool().acquire().await.map_err(|error| StoreError::of("reach the database", error))?;
    let read = statement::read(&mut conn, date, at).await;
    drop(conn);
    db.close().await;
    let statement = read?;
    if let Some(file) = &args.html {
        let environment = desk.load()?.alerts.map(|alerts| alerts.environment).unwrap_or_default();
        std::fs::write(file, statement_page::page(&statement, &environment))
            .with_context(|| format!("could not write {}", file.display()))?;
        writeln!(out, "the statement of {date} is written to {}", file.display())?;
        return Ok(if statement.ties_out() { Exit::Done } else { Exit::Found });
    }
    match (args.json, args.csv) {
        (true, _) => text::lines(&statement).write(Form::Json, &[], out)?,
        (false, true) => text::lines(&statement).write(Form::Csv, &[], out)?,
        (false, false) => text::write(&statement, out)?,
    }
    Ok(if statement.ties_out() { Exit::Done } else { Exit::Found })
}
