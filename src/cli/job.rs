//! `hedge job`: what runs when, and run by hand.

use std::{path::PathBuf, sync::Arc};

use clap::Subcommand;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Desk, Exit, Out, Trouble, clerk::Clerks, sources::Sources, systemd, trading::who};
use crate::{
    config::jobs::specs,
    job::{
        Verdict,
        office::{Ended, Office},
        spec::Spec,
    },
    report::{Column, Form, Kind, Table},
    store::{Db, runs},
    time::Clock,
};

const EXAMPLES: &str = "\
Examples:
  hedge job list
  hedge job run pnl                      what is due of it; what was missed first
  hedge job run pnl --date 2026-11-19    for that date, whatever came of it before
  hedge job systemd --dir /etc/systemd/system

Exit codes of run: 0 done or nothing due, 1 failed, 2 it found something, 3 not all could be asked,
4 the books contradict themselves.";

/// Lists jobs, runs them, and writes their units: each runs once per due time, whoever calls.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists every job: when it ran last, what came of it, and when it is due next
    #[command(after_help = "Examples:\n  hedge job list")]
    List {
        /// Write an array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Runs what is due of a job, or a job for one date
    #[command(
        after_help = "Examples:\n  hedge job run pnl                      what is due of it; what was missed first\n  hedge job run pnl --date 2026-11-19    for that date, whatever came of it before"
    )]
    Run {
        /// Its name, as `hedge job list` has it.
        name: String,
        /// The business date, whatever came of it before; without it, what is due.
        #[arg(long, value_name = "DATE")]
        date: Option<Date>,
    },
    /// Prints the units that run everything under systemd, or writes them
    #[command(after_help = "Examples:\n  hedge job systemd --dir /etc/systemd/system")]
    Systemd {
        /// Write a file each into this directory.
        #[arg(long, value_name = "DIRECTORY")]
        dir: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// The configuration, the jobs' files, or the database.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    match args.what {
        What::List { json } => list(desk, if json { Form::Json } else { Form::People }, out).await,
        What::Run { name, date } => run_job(&name, date, desk, out).await,
        What::Systemd { dir } => systemd::run(dir.as_deref(), &all(desk)?, out),
    }
}

/// The jobs of the configuration; it need not name anything to read.
pub(super) fn all(desk: &Desk) -> anyhow::Result<Vec<Spec>> {
    Ok(specs(desk.load()?.jobs.as_deref())?)
}

/// What people see of it.
const LISTED: [&str; 6] = ["job", "next", "last_due", "last_date", "state", "said"];

async fn list(desk: &Desk, form: Form, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let specs = all(desk)?;
    let db = Db::open(&desk.store()?).await?;
    db.migrate().await?;
    let newest = runs::newest(&mut *db.pool().acquire().await?).await?;
    db.close().await;
    let now = Clock::Wall.now();
    let columns = ["job", "schedule", "zone", "next", "last_due", "last_date", "state", "attempt", "said"];
    let columns = columns.map(|name| Column { name: name.to_owned(), kind: Kind::Text }).to_vec();
    let mut rows = Vec::new();
    for spec in &specs {
        let last = newest.get(&spec.name);
        let at = |at: Timestamp| at.to_zoned(zone(spec)).strftime("%F %H:%M %Z").to_string();
        rows.push(vec![
            Some(spec.name.clone()),
            Some(spec.schedule.line().to_owned()),
            Some(spec.schedule.zone().to_owned()),
            spec.schedule.next(now).map(|due| at(due.at)),
            last.map(|run| at(run.due_at)),
            last.map(|run| run.date.to_string()),
            last.map(|run| run.state.clone()),
            last.map(|run| run.attempt.to_string()),
            last.and_then(|run| run.said.clone()),
        ]);
    }
    Table { columns, rows }.write(form, &LISTED, out)?;
    Ok(Exit::Done)
}

fn zone(spec: &Spec) -> TimeZone {
    TimeZone::get(spec.schedule.zone()).unwrap_or(TimeZone::UTC)
}

async fn run_job(name: &str, date: Option<Date>, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let specs = all(desk)?;
    let Some(spec) = specs.iter().find(|spec| spec.name == name).cloned() else {
        let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        return Err(Trouble {
            what: format!("there is no job `{name}`"),
            cause: format!("there are {}", names.join(", ")),
            state: "nothing was run".to_owned(),
            next: "name one of these".to_owned(),
            exit: Exit::Usage,
        }
        .into());
    };
    let sources = Sources::open(desk).await?;
    let office = office(&sources, specs)?;
    let ended = match date {
        None => office.run_one(&spec).await?,
        Some(date) => office.run_for(&spec, date).await?.into_iter().collect(),
    };
    office.clerk.end().await;
    sources.db.close().await;
    if ended.is_empty() {
        let why = if date.is_some() { "is being run by somebody else just now" } else { "is not due" };
        writeln!(out, "{name} {why}")?;
    }
    for Ended { job, date, verdict, said } in &ended {
        writeln!(out, "{job} {date}  {}: {said}", verdict.map_or("failed", Verdict::word))?;
    }
    Ok(ended.iter().map(exit).max_by_key(|exit| severity(*exit)).unwrap_or(Exit::Done))
}

/// Everything that runs jobs, on these books.
///
/// # Errors
/// A venue or a node cannot be used.
pub(super) fn office(sources: &Sources, specs: Vec<Spec>) -> anyhow::Result<Office> {
    let clerk = Clerks::new(sources, specs.clone())?;
    Ok(Office {
        pool: sources.db.pool().clone(),
        url: sources.db.url().clone(),
        clock: sources.clock.clone(),
        specs,
        clerk: Arc::new(clerk),
        holder: who(),
    })
}

/// How a process ends after a run.
pub(super) fn exit(ended: &Ended) -> Exit {
    match ended.verdict {
        None => Exit::Failed,
        Some(Verdict::Done | Verdict::Skipped) => Exit::Done,
        Some(Verdict::Found) => Exit::Open,
        Some(Verdict::Incomplete) => Exit::Incomplete,
        Some(Verdict::Inconsistent) => Exit::Inconsistent,
    }
}

const fn severity(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Open | Exit::Found => 1,
        Exit::Incomplete | Exit::Unavailable => 2,
        Exit::Inconsistent => 3,
        Exit::Failed | Exit::Usage => 4,
    }
}
