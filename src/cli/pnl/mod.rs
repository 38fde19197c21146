//! `hedge pnl`: counts what trades earned.

pub mod replay;

use jiff::civil::Date;
use sqlx::{Arguments, postgres::PgArguments};

use super::{Desk, Exit, Out, show};
use crate::{
    job::{
        Run, Verdict,
        notify::Voice,
        pnl::{self, Counting},
    },
    report::Form,
    store::Db,
    time::{Clock, new_york_date},
};

const EXAMPLES: &str = "\
Examples:
  hedge pnl                      count what changed since the last time
  hedge pnl --date 2026-11-20    and show what each share earned on that day
  hedge pnl --rebuild            count everything again, from the first trade
  hedge pnl replay --events trades.csv --metrics pnl.csv    the trades of a file, without a database";

/// What people see of a day.
const DAY: &[&str] = &[
    "symbol",
    "trades",
    "realized_usd_exact",
    "fees_usd_exact",
    "net_usd_exact",
    "closing_quantity",
    "closing_book_usd_exact",
];

/// Counts what trades earned, twice, and publishes it where both counts agree.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Show what each share earned on this New York day.
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Count everything again, and not only what changed.
    #[arg(long)]
    rebuild: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Replay(replay::Args),
}

/// Runs the command.
///
/// # Errors
///
/// As the subcommand; the configuration or the database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    if let Some(What::Replay(args)) = args.what {
        return replay::run(&args, out);
    }
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let at = Clock::Wall.now();
    let run =
        Run { id: None, job: "pnl".to_owned(), date: args.date.unwrap_or_else(|| new_york_date(at)), at };
    let voice = desk.load()?.alerts.as_ref().map(Voice::of).unwrap_or_default();
    let outcome = pnl::run(db.pool(), &run, &voice, &Counting::new(args.rebuild)).await?;
    writeln!(out, "{}", outcome.said)?;
    if let Some(date) = args.date {
        let mut arguments = PgArguments::default();
        arguments.add(date.to_string()).map_err(anyhow::Error::from_boxed)?;
        let table =
            show::answer(db.pool(), include_str!("../../../sql/queries/pnl_of_day.sql"), arguments).await?;
        table.write(Form::People, DAY, out)?;
    }
    db.close().await;
    Ok(match outcome.verdict {
        Verdict::Done | Verdict::Skipped => Exit::Done,
        Verdict::Found | Verdict::Incomplete | Verdict::Inconsistent => Exit::Found,
    })
}
