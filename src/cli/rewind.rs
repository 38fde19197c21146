//! `hedge rewind`.

use super::{Desk, Exit, Out, sources::Sources};
use crate::engine::rewind::{self, Act, Rewound};

const EXAMPLES: &str = r#"Examples:
  hedge rewind --source raindex --to 41800000 --reason "node served a stale fork""#;

/// Takes a source back to a block; what lies above is kept as orphaned and read again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The source.
    #[arg(long, value_name = "NAME")]
    pub source: String,
    /// The last block to keep.
    #[arg(long, value_name = "BLOCK")]
    pub to: u64,
    /// Why; kept on record.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
///
/// The configuration, the database, a block that is not behind the cursor, or no node that has it.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    for opened in sources.named(Some(&args.source))? {
        let act = Act { reason: args.reason.clone(), author: desk.author() };
        let Rewound { from, to, number } = rewind::rewind(&opened.reading, args.to, &act).await?;
        if opened.other_owners && to < opened.reading.source.from_block {
            rewind::read_for_owners_of_now(&opened.reading).await?;
        }
        writeln!(
            out,
            "{}: rewound from block {from} to {to} (reorg {number}); what lay above is kept as orphaned",
            args.source
        )?;
    }
    sources.db.close().await;
    Ok(Exit::Done)
}
