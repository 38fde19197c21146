//! `hedge doctor`: tries every outside thing, and says `ok` or what to do, a line each.
//!
//! - [`findings`]: the lines
//! - `alerts`: whether people can be told
//! - `chain`: nodes, contracts and tokens
//! - `books`: the database and its directory
//! - `hedging`: brokers, who hedges, and what waits for a person
//! - `runs`: whether the jobs ran
//!
//! All checks run: none stops another. Nothing is changed but that our own Postgres is started for a moment.

mod alerts;
mod books;
mod chain;
pub mod findings;
mod hedging;
mod runs;

use findings::Findings;

use super::{Desk, Exit, Out};
use crate::{
    config::{Config, Problems},
    time::Clock,
};

const EXAMPLES: &str = "\
Examples:
  hedge doctor
  hedge doctor --runs           whether the night's jobs ran: the dead man's timer
  hedge doctor --json | jq '.[] | select(.state == \"failed\")'

Exit codes: 0 nothing failed, 3 something did.";

/// Tries the configuration, nodes, contracts, tokens, the database, brokers and hedging: ok or the remedy, a line each.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write an array of objects: state, about, said, next.
    #[arg(long)]
    pub json: bool,
    /// Look only whether every job ran when it was due: what no run can say of itself.
    #[arg(long)]
    pub runs: bool,
}

/// Tries everything.
///
/// # Errors
///
/// Only that the answer could not be written: what fails is a line of it.
pub async fn run(args: &Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let mut findings = Findings::default();
    let read = desk.load();
    if args.runs {
        books::runs(desk, &mut findings).await?;
        return told(args, desk, &findings, out);
    }
    configuration(&read, &mut findings);
    if let Ok(config) = &read {
        for settings in &config.chains {
            findings.extend(chain::examine(settings, config, &Clock::Wall).await);
        }
        alerts::examine(config, &mut findings).await;
    }
    let tokens = books::examine(desk, read.as_ref().ok(), &mut findings).await;

    if args.json {
        findings.write_json(out)?;
    } else {
        findings.write(desk.color, out)?;
        if let Ok(mut config) = read
            && config.directory.is_discovering()
            && !config.is_empty()
        {
            for (chain, token, symbol) in tokens {
                // Another token than a share's is nothing to keep.
                let _ = config.directory.learn(chain, token, &symbol);
            }
            writeln!(
                out,
                "\nTokens are discovered by their symbols. To decide yourself, keep this as hedge.toml:\n"
            )?;
            write!(out, "{}", config.to_toml())?;
        }
    }
    Ok(if findings.any_failed() { Exit::Found } else { Exit::Done })
}

fn told(args: &Args, desk: &Desk, findings: &Findings, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    if args.json {
        findings.write_json(out)?;
    } else {
        findings.write(desk.color, out)?;
    }
    Ok(if findings.any_failed() { Exit::Found } else { Exit::Done })
}

fn configuration(read: &Result<Config, Problems>, findings: &mut Findings) {
    let about = "configuration";
    let config = match read {
        Ok(config) => config,
        Err(problems) => {
            for problem in problems.iter() {
                findings.failed(about, format!("{}: {}", problem.place, problem.what), &problem.next);
            }
            return;
        }
    };
    let place = config.file.as_ref().map_or("the environment".to_owned(), |file| file.display().to_string());
    if config.is_empty() {
        let next =
            "write a file with `hedge init` and fill it in, or set ORDERBOOK; `hedge demo` needs neither";
        findings.failed(about, format!("{place} names nothing to read"), next);
    } else {
        let shares = if config.directory.is_discovering() {
            "shares discovered by symbol".to_owned()
        } else {
            format!("shares: {}", config.directory.assets().len())
        };
        findings.ok(
            about,
            format!("{place}; chains: {}, sources: {}, {shares}", config.chains.len(), config.sources.len()),
        );
    }
    for note in &config.notes {
        findings.noted("environment", note, "unset it, or describe it in the file");
    }
}
