//! The front desk: one file a command, each with its `Args` and a `run` that is given its writer.
//!
//! - [`desk`]: what every command is given
//! - [`trouble`]: exit codes, and what a person reads when something failed
//! - [`init`], [`doctor`], [`show`], … : the commands
//!
//! Nothing is decided here: a command reads its configuration, calls the rooms
//! below and says what came of it.

pub mod accept;
pub mod act;
pub mod action;
pub mod alert;
pub mod audit;
pub mod auth;
pub mod backfill;
pub mod bi;
pub mod breaks;
pub mod check;
mod clerk;
pub mod completions;
pub mod db;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod export;
mod failed_unit;
pub mod import;
pub mod index;
pub mod init;
pub mod job;
pub mod man;
pub mod migrate;
pub mod pnl;
pub mod preflight;
pub mod price;
mod pricing;
pub mod process_tx;
pub mod progress;
pub mod recon;
pub mod reconcile;
pub mod redrive;
pub mod rewind;
pub mod run;
pub mod show;
pub mod sim;
pub mod sources;
pub mod statement;
pub mod sweep;
mod systemd;
pub mod trading;
pub mod trouble;
pub mod web;
pub mod why;

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use clap::{ColorChoice, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

pub use desk::Desk;
pub use trouble::{Exit, Trouble};

use crate::config::Environment;

/// Where a command writes what it was asked for; everything else goes to stderr.
pub type Out<'a> = dyn Write + Send + 'a;

const EXAMPLES: &str = "\
Examples:
  hedge demo                             see everything at work, offline
  hedge init && hedge doctor             write hedge.toml, then try all it names
  hedge backfill --from 41747644         read from this block to the head
  hedge show fills --symbol AAPL --csv   what was written

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a check found something, 4 unavailable.";

/// Reads the fills of Raindex orders, hedges them at a stock broker, and keeps books that are proved each night.
#[derive(Debug, Parser)]
#[command(name = "hedge", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// The configuration file [default: `HEDGE_CONFIG`, ./hedge.toml, /etc/hedge/hedge.toml].
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where our own Postgres lives while `DATABASE_URL` is not set [default: `HEDGE_DATA`, then by user].
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Say more on stderr; twice for everything.
    #[arg(long, short, global = true, help_heading = "Everywhere", action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say nothing on stderr but warnings and errors.
    #[arg(long, short, global = true, help_heading = "Everywhere", conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours.
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Doctor(doctor::Args),
    Migrate(migrate::Args),
    Backfill(backfill::Args),
    Index(index::Args),
    Audit(audit::Args),
    Redrive(redrive::Args),
    ProcessTx(process_tx::Args),
    Rewind(rewind::Args),
    Price(price::Args),
    Run(run::Args),
    Sweep(sweep::Args),
    GoLive(act::GoLive),
    Why(why::Args),
    Show(show::Args),
    Halt(act::Halt),
    Resume(act::Resume),
    Cancel(act::Cancel),
    Adopt(act::Adopt),
    Resolve(act::Resolve),
    Order(act::Order),
    Job(job::Args),
    Reconcile(reconcile::Args),
    Recon(recon::Args),
    Accept(accept::Args),
    Correct(breaks::Correct),
    WriteOff(breaks::WriteOff),
    Transfer(breaks::Transfer),
    Action(action::Args),
    Pnl(pnl::Args),
    Statement(statement::Args),
    Check(check::Args),
    Alert(alert::Args),
    Web(web::Args),
    Bi(bi::Args),
    Export(export::Args),
    Import(import::Args),
    Auth(auth::Args),
    Db(db::Args),
    Sim(sim::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Sends the day's story to stderr: `-q`, `-v`, `RUST_LOG` or `LOG_LEVEL` say how much of it.
    pub fn listen(&self, environment: &Environment) {
        let asked = environment.variable("RUST_LOG").or_else(|| environment.variable("LOG_LEVEL"));
        let filter = match (self.quiet, self.verbose) {
            (true, _) => "warn",
            // The demo tells its story itself.
            (false, 0) if matches!(self.command, Command::Demo(_)) => asked.unwrap_or("off"),
            (false, 0) => asked.unwrap_or("info"),
            (false, 1) => "info,hedge=debug",
            (false, _) => "debug,hedge=trace",
        };
        let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
        let stderr = tracing_subscriber::fmt().compact().with_writer(io::stderr).with_target(false);
        // Somebody who listens already (a test) goes on listening.
        let _ = stderr
            .with_ansi(colored(self.color, io::stderr().is_terminal(), environment))
            .with_env_filter(filter)
            .try_init();
    }

    /// Does what was asked, and writes the answer to `out`.
    ///
    /// # Errors
    ///
    /// A [`Trouble`], the configuration's [`crate::config::Problems`], or what nobody foresaw;
    /// [`trouble::outcome`] tells them apart.
    pub async fn run(self, environment: Environment, out: &mut Out<'_>) -> anyhow::Result<Exit> {
        // What all commands together need is large: it does not lie in the caller's hands.
        Box::pin(self.carry_out(environment, out)).await
    }

    async fn carry_out(self, environment: Environment, out: &mut Out<'_>) -> anyhow::Result<Exit> {
        let color = colored(self.color, io::stdout().is_terminal(), &environment);
        let desk = Desk { config: self.config, data: self.data, environment, color };
        let exit = match self.command {
            Command::Demo(args) => demo::run(args, &desk, out).await,
            Command::Init(args) => init::run(&args, out),
            Command::Doctor(args) => doctor::run(&args, &desk, out).await,
            Command::Migrate(args) => migrate::run(args, &desk.store()?, out).await.map(|()| Exit::Done),
            Command::Backfill(args) => Box::pin(backfill::run(args, &desk, out)).await,
            Command::Index(args) => Box::pin(index::run(args, &desk, out)).await,
            Command::Run(args) => run::run(args, &desk, out).await,
            Command::Web(args) => web::run(args, &desk, out).await,
            Command::Sweep(args) => Box::pin(sweep::run(args, &desk, out)).await,
            Command::GoLive(args) => act::go_live(args, &desk, out).await,
            Command::Halt(args) => act::halt(args, &desk, out).await,
            Command::Resume(args) => act::resume(args, &desk, out).await,
            Command::Why(args) => why::run(args, &desk, out).await,
            Command::Cancel(args) => act::cancel(args, &desk, out).await,
            Command::Adopt(args) => act::adopt(args, &desk, out).await,
            Command::Resolve(args) => act::resolve(args, &desk, out).await,
            Command::Order(args) => Box::pin(act::order(args, &desk, out)).await,
            Command::Job(args) => job::run(args, &desk, out).await,
            Command::Check(args) => check::run(args, &desk, out).await,
            Command::Price(args) => price::run(&args, &desk, out).await,
            Command::Pnl(args) => pnl::run(args, &desk, out).await,
            Command::Statement(args) => statement::run(args, &desk, out).await,
            Command::Action(args) => Box::pin(action::run(args, &desk, out)).await,
            Command::Audit(args) => Box::pin(audit::run(args, &desk, out)).await,
            Command::Auth(args) => Box::pin(auth::run(args, &desk, out)).await,
            Command::Show(args) => show::run(args, &desk, out).await,
            Command::Rewind(args) => rewind::run(args, &desk, out).await,
            Command::Accept(args) => accept::run(args, &desk, out).await,
            Command::Reconcile(args) => Box::pin(reconcile::run(args, &desk, out)).await,
            Command::Recon(args) => recon::run(args, &desk, out).await,
            Command::Correct(args) => breaks::correct(args, &desk, out).await,
            Command::WriteOff(args) => breaks::write_off(args, &desk, out).await,
            Command::Transfer(args) => breaks::transfer(args, &desk, out).await,
            Command::Alert(args) => Box::pin(alert::run(args, &desk, out)).await,
            Command::Redrive(args) => redrive::run(args, &desk, out).await,
            Command::Bi(args) => Box::pin(bi::run(args, &desk, out)).await,
            Command::Import(args) => import::run(args, &desk, out).await,
            Command::Export(args) => export::run(args, &desk, out).await,
            Command::ProcessTx(args) => process_tx::run(args, &desk, out).await,
            Command::Sim(args) => sim::run(args, out).await.map(|()| Exit::Done),
            Command::Completions(args) => completions::run(&args, out),
            Command::Man(args) => man::run(&args, out),
            Command::Db(args) => db::run(args, &desk.store()?, out).await.map(|()| Exit::Done),
        }?;
        out.flush()?;
        Ok(exit)
    }
}

fn colored(choice: ColorChoice, terminal: bool, environment: &Environment) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal && environment.variable("NO_COLOR").is_none(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
