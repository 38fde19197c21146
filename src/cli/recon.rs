//! `hedge recon`: what was reconciled, judged again.

use clap::Subcommand;

use super::{Desk, Exit, Out, Trouble};
use crate::{
    book::recon::{self, inputs::Inputs},
    store::{Db, recon as runs},
};

const EXAMPLES: &str = "\
Examples:
  hedge recon replay --run 17    judges again what run 17 looked at, and compares the digests";

/// Judges a past reconciliation again, offline.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Comes to the same digest from what was kept, or says where not
    #[command(after_help = "Examples:\n  hedge recon replay --run 17")]
    Replay {
        /// The run, as `hedge show recon` prints it.
        #[arg(long)]
        run: i64,
    },
}

/// Runs the command.
///
/// # Errors
/// The database, or there is no such run.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let What::Replay { run } = args.what;
    let db = Db::open(&desk.store()?).await?;
    let mut conn = db.pool().acquire().await?;
    let (passes, changed) = runs::kept(&mut conn, run).await?;
    drop(conn);
    db.close().await;
    if passes.is_empty() {
        return Err(Trouble {
            what: format!("there is no run {run}"),
            cause: "nothing is kept of it".to_owned(),
            state: "nothing was judged".to_owned(),
            next: "take a number from `hedge show recon`".to_owned(),
            exit: Exit::Usage,
        }
        .into());
    }
    let mut same = changed.is_empty();
    for request in &changed {
        writeln!(out, "run {run}: the answer to `{request}` is not as it came")?;
    }
    for kept in &passes {
        let inputs: Inputs = serde_json::from_str(&kept.inputs)?;
        let input = recon::digest(&inputs);
        let output = recon::judge(&inputs).ok().map(|findings| recon::digest(&findings));
        let agrees = (input, output) == (kept.input_digest, kept.output_digest);
        same &= agrees;
        let told = |digest: Option<_>| digest.map_or_else(|| "none".to_owned(), |digest| format!("{digest}"));
        let word = if agrees { "the same" } else { "NOT the same" };
        writeln!(out, "run {run} pass {}: {word}, inputs {input}, findings {}", kept.pass, told(output))?;
    }
    Ok(if same { Exit::Done } else { Exit::Found })
}
