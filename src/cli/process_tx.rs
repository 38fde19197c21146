//! `hedge process-tx`: one transaction's fills, now.

use alloy::primitives::B256;
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{Desk, Exit, Out, Trouble, show::answer, sources::Sources};
use crate::{
    engine::transaction::{self, Found},
    report::Form,
};

const EXAMPLES: &str = "\
Examples:
  hedge process-tx 0xf05d240c99c7c3f8d4562130f655d2b571b1b82643b621987bed3d8aabab304d

A transaction above the cursor is not written: it comes in its turn. Nothing is written twice.

Exit codes: 0 it is written, 1 no source has a log of it, 3 the books lacked some of it, 4 it comes later.";

/// Looks at one transaction again, and adds what the books lack of its block.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The transaction's hash.
    #[arg(value_name = "TX_HASH")]
    tx: B256,
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Write an array of objects: its fills.
    #[arg(long)]
    json: bool,
}

/// What people see of its fills.
const FILLS: &[&str] =
    &["executed_at", "source", "role", "side", "quantity", "symbol", "usdc", "block_number", "log_index"];

/// Runs the command.
///
/// # Errors
/// The configuration, the database, no node that answers, or that no source has a log of it.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let sources = Sources::open(desk).await?;
    let (mut exit, mut ours) = (Exit::Done, false);
    for reading in sources.ready(args.source.as_deref())? {
        let name = &reading.source.name;
        let (said, came) = match transaction::index(&reading, args.tx).await? {
            Found::Nowhere | Found::Nothing => continue,
            Found::Ahead { block, cursor } => (
                format!(
                    "block {block} is above the cursor at {cursor}: it comes in its turn, by `hedge index`"
                ),
                Exit::Unavailable,
            ),
            Found::Before { block, from } => (
                format!(
                    "block {block} is before the first one, {from}: hedge backfill --source {name} --from {block}"
                ),
                Exit::Unavailable,
            ),
            Found::Another { block } => (
                format!("the node has another chain than the books at block {block}: nothing was written"),
                Exit::Unavailable,
            ),
            Found::Written { block, added: 0, verdict } => {
                (format!("block {block} is written, and {verdict}: it lacked nothing"), Exit::Done)
            }
            Found::Written { block, added, verdict } => (
                format!(
                    "block {block} is written, and {verdict}: it lacked {added} logs, which are there now"
                ),
                Exit::Found,
            ),
        };
        ours = true;
        if came != Exit::Done {
            exit = came;
        }
        if args.json {
            tracing::info!("{name}: {said}");
        } else {
            writeln!(out, "{name}: {said}")?;
        }
    }
    if !ours {
        return Err(Trouble {
            what: format!("no source has a log in {}", args.tx),
            cause: "no node has it in a block, or nothing in it is of an order book that is read".to_owned(),
            state: "nothing was written".to_owned(),
            next: "see that it is mined, and that its contract is a [[source]]: hedge doctor".to_owned(),
            exit: Exit::Failed,
        }
        .into());
    }
    let mut arguments = PgArguments::default();
    arguments.add(args.tx.to_vec()).map_err(anyhow::Error::from_boxed)?;
    let fills =
        answer(sources.db.pool(), include_str!("../../sql/queries/show_transaction.sql"), arguments).await?;
    sources.db.close().await;
    if args.json || !fills.rows.is_empty() {
        fills.write(if args.json { Form::Json } else { Form::People }, FILLS, out)?;
    } else {
        writeln!(out, "no fill of ours is written of it; `hedge show skipped` names what gave none")?;
    }
    Ok(exit)
}
