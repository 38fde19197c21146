//! `hedge check`.

use super::{Desk, Exit, Out};
use crate::{
    report::{Column, Form, Kind, Table},
    store::{Db, checks},
};

const EXAMPLES: &str = "\
Examples:
  hedge check
  hedge check --json

Exit codes: 0 every check found nothing, 3 one found rows.";

/// Checks the laws of the books that no constraint can hold: a row is a failure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write an array of objects.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The configuration, or the database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let found = checks::run(&mut *db.pool().acquire().await?).await?;
    db.close().await;
    let columns =
        [("check", Kind::Text), ("failures", Kind::Whole), ("about", Kind::Text), ("first", Kind::Text)];
    let columns = columns.map(|(name, kind)| Column { name: name.to_owned(), kind }).to_vec();
    let row = |one: &checks::Found| {
        let first = (one.failures > 0).then(|| one.sample.clone());
        vec![Some(one.name.to_owned()), Some(one.failures.to_string()), Some(one.about.to_owned()), first]
    };
    let table = Table { columns, rows: found.iter().map(row).collect() };
    let form = if args.json { Form::Json } else { Form::People };
    table.write(form, &["check", "failures", "about", "first"], out)?;
    Ok(if found.iter().all(|one| one.failures == 0) { Exit::Done } else { Exit::Found })
}
