//! `hedge audit`.

use super::{
    Desk, Exit, Out,
    sources::{self, Sources},
};
use crate::{
    book::coverage::Verdict,
    engine::{
        Until,
        audit::{Auditor, Report, Scope},
        drive,
    },
};

const EXAMPLES: &str = "\
Examples:
  hedge audit
  hedge audit --source raindex --from 41747644 --to 41800000 --verdict bloom";

/// Reads ranges again and proves what was only taken; anything it adds is an alarm.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// From this block on.
    #[arg(long, value_name = "BLOCK")]
    pub from: Option<u64>,
    /// Up to this block.
    #[arg(long, value_name = "BLOCK")]
    pub to: Option<u64>,
    /// How well every range shall be believed: taken, bloom, cross-checked or proved.
    #[arg(long, default_value_t = Verdict::Proved)]
    pub verdict: Verdict,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration or the database. A node that is away is waited for.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let stop = sources::until_told()?;
    let mut exit = Exit::Done;
    for reading in sources.ready(args.source.as_deref())? {
        let scope = Scope {
            from: args.from.unwrap_or(0),
            to: args.to.unwrap_or(u64::MAX),
            only_final: false,
            wanted: args.verdict,
        };
        let name = reading.source.name.clone();
        let every = sources.poll(&reading);
        let mut auditor = Auditor::new(reading, scope);
        drive(&mut auditor, Until::Idle, every, &sources.clock, stop.clone()).await?;
        let Report { blocks, believed, added, disowned } = auditor.report();
        writeln!(
            out,
            "{name}: {blocks} blocks read again, {believed} of them {} now; {added} logs added, {disowned} disowned",
            args.verdict
        )?;
        if added + disowned > 0 || believed < blocks {
            exit = Exit::Found;
        }
    }
    sources.db.close().await;
    Ok(exit)
}
