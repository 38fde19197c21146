//! `hedge show`: what was written, as a table, JSON or CSV.
//!
//! The columns are the views' own: a query names none, so that a new column of a
//! view is printed without a change here.

use clap::Subcommand;
use jiff::civil::Date;
use sqlx::{Arguments, PgPool, postgres::PgArguments};

use super::{Desk, Exit, Out, Trouble};
use crate::{
    report::{Form, Table},
    store::{Db, StoreError, table, types::Day},
};

const EXAMPLES: &str = "\
Examples:
  hedge show fills --symbol AAPL
  hedge show fills --from 41747644 --csv > fills.csv
  hedge show positions
  hedge show orders --live
  hedge show events 42
  hedge show pnl --symbol AAPL
  hedge show halts --live
  hedge show runs --job pnl
  hedge show skipped --json";

/// Rows that people are shown unless they say otherwise.
const ROWS: i64 = 20;

// The columns that people see.
const FILLS: &[&str] = &[
    "executed_at",
    "source",
    "symbol",
    "side",
    "quantity",
    "price_per_underlying",
    "usdc",
    "block_number",
    "log_index",
    "tx_hash",
];
const POSITIONS: &[&str] = &[
    "symbol",
    "exposure",
    "exposure_usd",
    "onchain",
    "hedged",
    "stated",
    "in_flight",
    "live_orders",
    "hold",
    "hold_since",
    "hold_detail",
];
const ORDERS: &[&str] = &[
    "order_id",
    "planned_at",
    "venue",
    "environment",
    "purpose",
    "side",
    "quantity",
    "symbol",
    "terms",
    "limit_price",
    "state",
    "why",
    "refusal",
    "filled",
    "average_price",
];
const EVENTS: &[&str] = &["happened_at", "order_id", "symbol", "event", "state", "detail", "author"];
const EXECUTIONS: &[&str] = &[
    "executed_at",
    "venue",
    "environment",
    "order_id",
    "symbol",
    "side",
    "quantity",
    "price",
    "cash_usd_exact",
    "nature",
    "execution_id",
];
const PNL: &[&str] = &[
    "executed_at",
    "symbol",
    "venue",
    "side",
    "quantity_exact",
    "price_usd_exact",
    "realized_usd_exact",
    "cumulative_usd_exact",
    "net_quantity_after",
    "fee_usd_exact",
];
const CURSORS: &[&str] = &[
    "source",
    "chain_id",
    "number",
    "block_time",
    "head",
    "lag_blocks",
    "lag_seconds",
    "moved_at",
    "stopped_why",
];
const BREAKS: &[&str] = &[
    "break_id",
    "state",
    "class",
    "leg",
    "account",
    "instrument",
    "quantity",
    "value_usd",
    "first_seen_at",
    "deadline_at",
    "detail",
];
const RECON: &[&str] = &[
    "run_id",
    "business_date",
    "attempt",
    "status",
    "open_breaks",
    "unexplained_legs",
    "finished_at",
    "said",
];
const SKIPPED: &[&str] =
    &["skipped_id", "executed_at", "source", "reason", "detail", "block_number", "log_index", "tx_hash"];

const VAULT_MOVES: &[&str] =
    &["executed_at", "source", "kind", "token_quantity", "token_symbol", "block_number", "log_index"];
const COVERAGE: &[&str] =
    &["source", "from_block", "to_block", "blocks", "verdict", "node", "logs", "foreign_logs", "read_at"];
const CONTRADICTIONS: &[&str] = &[
    "found_last_at",
    "source",
    "block_number",
    "node",
    "said",
    "against",
    "against_said",
    "found_by",
    "times",
];
const HALTS: &[&str] = &["happened_at", "act", "symbol", "holds", "reason", "author"];
const RUNS: &[&str] = &["due_at", "job", "business_date", "state", "attempt", "duration_seconds", "said"];

/// Shows what was written: newest first; people see the columns that matter, programs see all.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fills, as the chain has them now
    #[command(
        after_help = "Examples:\n  hedge show fills --symbol AAPL\n  hedge show fills --from 41747644 --csv > fills.csv"
    )]
    Fills {
        /// Only this share.
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        #[command(flatten)]
        blocks: Blocks,
        #[command(flatten)]
        filter: Filter,
    },
    /// What is exposed, of what that is made, and why nothing is done about it
    #[command(after_help = "Examples:\n  hedge show positions\n  hedge show positions --symbol AAPL --json")]
    Positions {
        /// Only this share.
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        #[command(flatten)]
        printing: Printing,
    },
    /// What brokers were asked to do, and how far it got
    #[command(after_help = "Examples:\n  hedge show orders --live\n  hedge show orders --symbol AAPL")]
    Orders {
        /// Only this share.
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        /// Only those that are not closed.
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        printing: Printing,
    },
    /// What happened to an order, and what that rests on
    #[command(after_help = "Examples:\n  hedge show events 42")]
    Events {
        /// The order's number; without it, the events of all.
        order: Option<i64>,
        #[command(flatten)]
        printing: Printing,
    },
    /// Trades at brokers
    #[command(after_help = "Examples:\n  hedge show executions --symbol AAPL")]
    Executions {
        /// Only this share.
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        #[command(flatten)]
        printing: Printing,
    },
    /// What trades earned, first in, first out
    #[command(after_help = "Examples:\n  hedge show pnl --symbol AAPL")]
    Pnl {
        /// Only this share.
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        #[command(flatten)]
        printing: Printing,
    },
    /// What the books and the world do not agree on; until it is gone
    #[command(after_help = "Examples:\n  hedge show breaks\n  hedge show breaks --all --csv > breaks.csv")]
    Breaks {
        /// Those that are over, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        printing: Printing,
    },
    /// What reconciliations came to
    #[command(after_help = "Examples:\n  hedge show recon")]
    Recon {
        #[command(flatten)]
        printing: Printing,
    },
    /// How far each source is written
    #[command(after_help = "Examples:\n  hedge show cursors")]
    Cursors {
        #[command(flatten)]
        filter: Filter,
    },
    /// Logs of ours that gave no fill, and why; until accepted or read again
    #[command(after_help = "Examples:\n  hedge show skipped --json")]
    Skipped {
        #[command(flatten)]
        blocks: Blocks,
        #[command(flatten)]
        filter: Filter,
    },
    /// Deposits into vaults of ours and withdrawals from them, as the chain has them now
    #[command(after_help = "Examples:\n  hedge show vault-moves --from 41747644")]
    VaultMoves {
        #[command(flatten)]
        blocks: Blocks,
        #[command(flatten)]
        filter: Filter,
    },
    /// Which blocks were read, and how each range of them is believed
    #[command(after_help = "Examples:\n  hedge show coverage --source raindex")]
    Coverage {
        #[command(flatten)]
        filter: Filter,
    },
    /// Answers of nodes that could not both be true
    #[command(after_help = "Examples:\n  hedge show contradictions")]
    Contradictions {
        #[command(flatten)]
        filter: Filter,
    },
    /// What was halted and resumed, by whom and why
    #[command(after_help = "Examples:\n  hedge show halts --live")]
    Halts {
        /// Only this share.
        #[arg(long, value_name = "SYMBOL")]
        symbol: Option<String>,
        /// Only those that hold.
        #[arg(long)]
        live: bool,
        #[command(flatten)]
        printing: Printing,
    },
    /// Which job ran when, and what came of it
    #[command(after_help = "Examples:\n  hedge show runs --job pnl\n  hedge show runs --date 2026-11-20")]
    Runs {
        /// Only this job.
        #[arg(long, value_name = "NAME")]
        job: Option<String>,
        /// Only for this business date.
        #[arg(long, value_name = "DATE")]
        date: Option<Date>,
        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Default, clap::Args)]
struct Blocks {
    /// From this block on.
    #[arg(long, value_name = "BLOCK", value_parser = clap::value_parser!(i64).range(0..))]
    from: Option<i64>,
    /// Up to this block.
    #[arg(long, value_name = "BLOCK", value_parser = clap::value_parser!(i64).range(0..))]
    to: Option<i64>,
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    printing: Printing,
}

/// How much is written, and in which form.
#[derive(Debug, clap::Args)]
struct Printing {
    /// At most so many rows [default: 20 for people, all for programs].
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(i64).range(0..))]
    limit: Option<i64>,
    /// Write an array of objects; exact decimals are strings.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write comma-separated values with a header.
    #[arg(long)]
    csv: bool,
}

impl Printing {
    const fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::People,
        }
    }

    /// A question whose arguments are there already.
    const fn question(
        &self,
        sql: &'static str,
        arguments: PgArguments,
        chosen: &'static [&'static str],
        nothing: &'static str,
    ) -> Question {
        Question { sql, arguments, form: self.form(), chosen, nothing }
    }

    fn rows(&self) -> Option<i64> {
        self.limit.or((self.form() == Form::People).then_some(ROWS))
    }
}

/// A question to the books, and what people see of the answer.
struct Question {
    sql: &'static str,
    arguments: PgArguments,
    form: Form,
    chosen: &'static [&'static str],
    /// What is said to people where there is no row.
    nothing: &'static str,
}

impl What {
    #[expect(clippy::too_many_lines, reason = "an arm for each question")]
    fn question(self) -> Result<Question, sqlx::error::BoxDynError> {
        let mut arguments = PgArguments::default();
        match self {
            Self::Fills { symbol, blocks, filter } => {
                let form = add(&mut arguments, filter, Some(&blocks))?;
                arguments.add(symbol)?;
                Ok(Question {
                    sql: include_str!("../../sql/queries/show_fills.sql"),
                    arguments,
                    form,
                    chosen: FILLS,
                    nothing: "no fills; `hedge show cursors` says how far was read",
                })
            }
            Self::Positions { symbol, printing } => {
                arguments.add(symbol)?;
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_positions.sql"),
                    arguments,
                    POSITIONS,
                    "no positions; `hedge show fills` says what was filled on chain",
                ))
            }
            Self::Orders { symbol, live, printing } => {
                arguments.add(symbol)?;
                arguments.add(live)?;
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_orders.sql"),
                    arguments,
                    ORDERS,
                    "no orders",
                ))
            }
            Self::Events { order, printing } => {
                arguments.add(order)?;
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_events.sql"),
                    arguments,
                    EVENTS,
                    "nothing happened to such an order",
                ))
            }
            Self::Executions { symbol, printing } => {
                arguments.add(symbol)?;
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_executions.sql"),
                    arguments,
                    EXECUTIONS,
                    "no executions",
                ))
            }
            Self::Pnl { symbol, printing } => {
                arguments.add(symbol)?;
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_pnl.sql"),
                    arguments,
                    PNL,
                    "nothing was counted yet; `hedge pnl` does",
                ))
            }
            Self::Breaks { all, printing } => {
                arguments.add(all)?;
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_breaks.sql"),
                    arguments,
                    BREAKS,
                    "no breaks; `hedge show recon` says when that was last looked at",
                ))
            }
            Self::Recon { printing } => {
                arguments.add(printing.rows())?;
                Ok(printing.question(
                    include_str!("../../sql/queries/show_recon.sql"),
                    arguments,
                    RECON,
                    "nothing was reconciled yet; `hedge reconcile` does it now",
                ))
            }
            Self::Cursors { filter } => Ok(Question {
                sql: include_str!("../../sql/queries/show_cursors.sql"),
                form: add(&mut arguments, filter, None)?,
                arguments,
                chosen: CURSORS,
                nothing: "nothing was read yet; `hedge backfill` or `hedge index` begins",
            }),
            Self::Skipped { blocks, filter } => Ok(Question {
                sql: include_str!("../../sql/queries/show_skipped.sql"),
                form: add(&mut arguments, filter, Some(&blocks))?,
                arguments,
                chosen: SKIPPED,
                nothing: "no skipped logs wait for a person",
            }),
            Self::VaultMoves { blocks, filter } => Ok(Question {
                sql: include_str!("../../sql/queries/show_vault_moves.sql"),
                form: add(&mut arguments, filter, Some(&blocks))?,
                arguments,
                chosen: VAULT_MOVES,
                nothing: "no deposits and no withdrawals; `hedge show cursors` says how far was read",
            }),
            Self::Coverage { filter } => Ok(Question {
                sql: include_str!("../../sql/queries/show_coverage.sql"),
                form: add(&mut arguments, filter, None)?,
                arguments,
                chosen: COVERAGE,
                nothing: "nothing was read yet; `hedge backfill` or `hedge index` begins",
            }),
            Self::Contradictions { filter } => Ok(Question {
                sql: include_str!("../../sql/queries/show_contradictions.sql"),
                form: add(&mut arguments, filter, None)?,
                arguments,
                chosen: CONTRADICTIONS,
                nothing: "no node was contradicted",
            }),
            Self::Halts { symbol, live, printing } => halts(symbol, live, &printing),
            Self::Runs { job, date, printing } => runs(job, date, &printing),
        }
    }
}

fn halts(
    symbol: Option<String>,
    live: bool,
    printing: &Printing,
) -> Result<Question, sqlx::error::BoxDynError> {
    let mut arguments = PgArguments::default();
    arguments.add(symbol)?;
    arguments.add(live)?;
    arguments.add(printing.rows())?;
    Ok(Question {
        sql: include_str!("../../sql/queries/show_halts.sql"),
        arguments,
        form: printing.form(),
        chosen: HALTS,
        nothing: "nothing was halted",
    })
}

fn runs(
    job: Option<String>,
    date: Option<Date>,
    printing: &Printing,
) -> Result<Question, sqlx::error::BoxDynError> {
    let mut arguments = PgArguments::default();
    arguments.add(job)?;
    arguments.add(date.map(Day))?;
    arguments.add(printing.rows())?;
    Ok(Question {
        sql: include_str!("../../sql/queries/show_runs.sql"),
        arguments,
        form: printing.form(),
        chosen: RUNS,
        nothing: "no job ran; `hedge job list` says what is due when",
    })
}

/// Adds source, blocks and limit, in the order of the queries.
fn add(
    arguments: &mut PgArguments,
    filter: Filter,
    blocks: Option<&Blocks>,
) -> Result<Form, sqlx::error::BoxDynError> {
    let Filter { source, printing } = filter;
    arguments.add(source)?;
    if let Some(blocks) = blocks {
        arguments.add(blocks.from)?;
        arguments.add(blocks.to)?;
    }
    arguments.add(printing.rows())?;
    Ok(printing.form())
}

/// Asks and prints.
///
/// # Errors
///
/// The database cannot be opened, or has no such tables yet.
pub async fn run(args: Args, desk: &Desk, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let question = args.what.question().map_err(anyhow::Error::from_boxed)?;
    let db = Db::open(&desk.store()?).await?;
    let table = answer(db.pool(), question.sql, question.arguments).await;
    db.close().await;
    let table = table?;
    if table.rows.is_empty() && question.form == Form::People {
        writeln!(out, "{}", question.nothing)?;
    } else {
        table.write(question.form, question.chosen, out)?;
    }
    Ok(Exit::Done)
}

/// Runs a query and takes every column as Postgres spells it.
pub(super) async fn answer(
    pool: &PgPool,
    sql: &'static str,
    arguments: PgArguments,
) -> anyhow::Result<Table> {
    let mut conn = pool.acquire().await.map_err(unasked)?;
    table::read(&mut conn, sql, arguments).await.map_err(unasked)
}

/// Whether the database was never migrated.
pub(super) fn no_such_table(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "42P01")
}

fn unasked(error: sqlx::Error) -> anyhow::Error {
    if !no_such_table(&error) {
        return StoreError::of("read the books", error).into();
    }
    Trouble {
        what: "could not read the books".to_owned(),
        cause: "the tables are not there yet".to_owned(),
        state: "nothing was changed".to_owned(),
        next: "make them with `hedge migrate`; `hedge backfill` and `hedge index` do it too".to_owned(),
        exit: Exit::Failed,
    }
    .into()
}
