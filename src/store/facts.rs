//! Writing facts, and moving the cursor with them.
//!
//! A cursor moves in the transaction that writes what it passed, and only from
//! where its mover believed it to stand: of two writers one is told [`Moved`].
//! Rows go straight into their tables by COPY; where a reorg or a rewind left
//! rows behind, they go by staging tables, and what stands already stands.
//! Nothing here asks a chain anything.

use alloy::primitives::B256;
use sqlx::{PgConnection, Postgres, Row as _, Transaction};

use super::{StoreError, big, clean, copy::Rows, cursors::SourceId, place, ranges::append, seconds, small};
use crate::book::{
    coverage::Stretch,
    fill::Fact,
    log::{Block, Log, Place},
};

/// The cursor was not where its mover believed it to be: somebody else moved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved;

/// Facts on their way into the tables, already in COPY's format.
#[derive(Debug)]
pub struct Page {
    source: SourceId,
    chain: u64,
    logs: Rows,
    fills: Rows,
    moves: Rows,
    skips: Rows,
}

/// How many of each a page holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Logs of ours.
    pub logs: u64,
    /// Fills.
    pub fills: u64,
    /// Deposits and withdrawals.
    pub moves: u64,
    /// Skipped sides of logs.
    pub skips: u64,
}

impl Page {
    /// An empty page of a source.
    pub fn new(source: SourceId, chain: u64) -> Self {
        let rows = Rows::default;
        Self { source, chain, logs: rows(), fills: rows(), moves: rows(), skips: rows() }
    }

    /// How much stands on it.
    pub const fn counts(&self) -> Counts {
        Counts {
            logs: self.logs.count(),
            fills: self.fills.count(),
            moves: self.moves.count(),
            skips: self.skips.count(),
        }
    }

    /// Writes down a log of ours, from a block of `time`.
    pub fn log(&mut self, log: &Log, time: u64) {
        self.logs
            .row(10)
            .bigint(self.chain)
            .bytes(log.block_hash)
            .int(log.log_index)
            .bytes(self.source.0.to_be_bytes())
            .bigint(log.block_number)
            .time(time)
            .bytes(log.transaction_hash)
            .int(log.transaction_index)
            .bytes(log.topics.iter().flatten().copied().collect::<Vec<u8>>())
            .bytes(&log.data);
    }

    /// Writes down what a log said; the log itself must be on the page, or in the books.
    pub fn fact(&mut self, block: B256, log_index: u64, fact: &Fact) {
        let chain = self.chain;
        match fact {
            Fact::Fill(fill) => {
                self.fills
                    .row(17)
                    .bigint(chain)
                    .bytes(block)
                    .int(log_index)
                    .bytes(fill.role.word())
                    .bytes(fill.owner)
                    .bytes(fill.side.word())
                    .bytes(&fill.symbol)
                    .bytes(fill.token)
                    .amount(fill.token_quantity)
                    .numeric(&fill.token_quantity_exact)
                    .amount(fill.usdc.0)
                    .numeric(&fill.usdc_exact)
                    .amount(fill.wrapper_ratio)
                    .amount(fill.quantity.0)
                    .numeric(&fill.price)
                    .maybe(fill.vault_in)
                    .maybe(fill.vault_out);
            }
            Fact::VaultMove(moved) => {
                self.moves
                    .row(9)
                    .bigint(chain)
                    .bytes(block)
                    .int(log_index)
                    .bytes(if moved.withdrawal { "withdrawal" } else { "deposit" })
                    .bytes(moved.owner)
                    .bytes(moved.token)
                    .bytes(moved.vault_id)
                    .amount(moved.amount)
                    .numeric(&moved.amount_exact);
            }
            Fact::Skip(skip) => {
                self.skips
                    .row(6)
                    .bigint(chain)
                    .bytes(block)
                    .int(log_index)
                    .bytes(skip.role.map_or("", |role| role.word()))
                    .bytes(skip.reason.word())
                    .bytes(clean(&skip.detail));
            }
        }
    }

    /// How many bytes it holds in memory.
    pub const fn len(&self) -> usize {
        self.logs.len() + self.fills.len() + self.moves.len() + self.skips.len()
    }

    /// Is nothing on it?
    pub const fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.fills.is_empty() && self.moves.is_empty() && self.skips.is_empty()
    }
}

const COPY_LOG: &str = "(chain_id, block_hash, log_index, source_id, block_number, block_time, tx_hash, tx_index, topics, data) from stdin (format binary)";

const COPY_ALL: &str = "from stdin (format binary)";

const COPY_SKIP: &str = "(chain_id, block_hash, log_index, role, reason, detail) from stdin (format binary)";

async fn copy(conn: &mut PgConnection, into: &str, columns: &str, rows: Rows) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut copy = conn.copy_in_raw(&format!("copy {into} {columns}")).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}

/// Writes a page straight into its tables. Fails where a row is there already.
async fn write_new(conn: &mut PgConnection, page: Page) -> Result<(), sqlx::Error> {
    copy(conn, "chain_log", COPY_LOG, page.logs).await?;
    copy(conn, "fill", COPY_ALL, page.fills).await?;
    copy(conn, "vault_move", COPY_ALL, page.moves).await?;
    copy(conn, "skipped_log", COPY_SKIP, page.skips).await
}

/// A log that the books did not have as canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLog {
    /// Its transaction.
    pub tx: String,
    /// Its place in the block.
    pub log_index: i32,
    /// Its block.
    pub block: Place,
}

/// Writes a page whose rows may be known already; gives the logs that were not.
///
/// # Errors
/// Stop: a log stands in the books with other content.
pub async fn merge(conn: &mut PgConnection, page: Page) -> Result<Vec<NewLog>, StoreError> {
    let stage = async {
        sqlx::raw_sql(include_str!("../../sql/staging.sql")).execute(&mut *conn).await?;
        copy(conn, "incoming_log", COPY_ALL, page.logs).await?;
        copy(conn, "incoming_fill", COPY_ALL, page.fills).await?;
        copy(conn, "incoming_move", COPY_ALL, page.moves).await?;
        copy(conn, "incoming_skip", COPY_ALL, page.skips).await?;
        let differs = sqlx::query(include_str!("../../sql/queries/staged_log_differs.sql"))
            .fetch_optional(&mut *conn)
            .await?;
        if let Some(row) = differs {
            let (tx, index): (String, i32) = (row.try_get("tx_hash")?, row.try_get("log_index")?);
            return Ok(Err(format!("log {index} of transaction {tx}")));
        }
        let new =
            sqlx::query(include_str!("../../sql/queries/staged_log_new.sql")).fetch_all(&mut *conn).await?;
        let new = new
            .iter()
            .map(|row| {
                Ok(NewLog {
                    tx: row.try_get("tx_hash")?,
                    log_index: row.try_get("log_index")?,
                    block: place(row.try_get("block_number")?, row.try_get("block_hash")?),
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()?;
        sqlx::query(include_str!("../../sql/queries/staged_log_merge.sql")).execute(&mut *conn).await?;
        sqlx::query(include_str!("../../sql/queries/staged_fact_merge.sql")).execute(&mut *conn).await?;
        Ok(Ok(new))
    };
    match stage.await.map_err(|error| StoreError::of("write logs again", error))? {
        Ok(new) => Ok(new),
        Err(log) => Err(StoreError::Stop {
            what: format!("{log} has other content now than when it was first read"),
            next: "compare `chain_log` with a node you trust, then `hedge rewind` to before it".to_owned(),
            source: None,
        }),
    }
}

/// A step of a source: what was read behind its cursor, and where that ends.
#[derive(Debug)]
pub struct Advance {
    /// Where the cursor must stand.
    pub from: Place,
    /// Where it stands afterwards.
    pub to: Block,
    /// The facts between.
    pub page: Page,
    /// How the blocks between were believed, in order, without gap.
    pub stretches: Vec<Stretch>,
    /// Headers to keep.
    pub blocks: Vec<Block>,
}

/// Writes a step and moves the cursor, all or nothing.
///
/// # Errors
/// Inner [`Moved`]: nothing is written; read the cursor again.
pub async fn advance(
    tx: &mut Transaction<'_, Postgres>,
    id: SourceId,
    step: Advance,
) -> Result<Result<(), Moved>, StoreError> {
    let chain = step.page.chain;
    let write = async {
        let moved = sqlx::query(include_str!("../../sql/queries/cursor_move.sql"))
            .bind(id.0)
            .bind(big(step.from.number))
            .bind(step.from.hash.as_slice())
            .bind(big(step.to.place.number))
            .bind(step.to.place.hash.as_slice())
            .bind(seconds(step.to.time))
            .execute(&mut **tx)
            .await?;
        if moved.rows_affected() != 1 {
            return Ok(Err(Moved));
        }
        for stretch in &step.stretches {
            append(tx, id, stretch).await?;
        }
        write_blocks(tx, chain, &step.blocks).await?;
        let known: bool = sqlx::query(include_str!("../../sql/queries/log_above.sql"))
            .bind(id.0)
            .bind(big(step.from.number))
            .fetch_one(&mut **tx)
            .await?
            .try_get(0)?;
        Ok(Ok(known))
    };
    match write.await.map_err(|error| StoreError::of("move a cursor", error))? {
        Err(moved) => Ok(Err(moved)),
        Ok(true) => merge(tx, step.page).await.map(|_| Ok(())),
        Ok(false) => {
            write_new(tx, step.page).await.map_err(|error| StoreError::of("write facts", error))?;
            Ok(Ok(()))
        }
    }
}

async fn write_blocks(conn: &mut PgConnection, chain: u64, blocks: &[Block]) -> Result<(), sqlx::Error> {
    if blocks.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/queries/block_write.sql"))
        .bind(big(chain))
        .bind(blocks.iter().map(|block| block.place.hash.to_vec()).collect::<Vec<_>>())
        .bind(blocks.iter().map(|block| big(block.place.number)).collect::<Vec<_>>())
        .bind(blocks.iter().map(|block| block.parent.to_vec()).collect::<Vec<_>>())
        .bind(blocks.iter().map(|block| seconds(block.time)).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets headers that no reorg can ask for any more.
pub async fn prune(conn: &mut PgConnection, chain: u64) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/block_prune.sql"))
        .bind(big(chain))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("forget old headers", error))?;
    Ok(())
}

/// The headers held behind `from`, newest first, itself included, each the parent of the one before.
pub async fn window(
    conn: &mut PgConnection,
    chain: u64,
    from: B256,
) -> Result<Vec<(Place, B256)>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/block_window.sql"));
        let rows = query.bind(big(chain)).bind(from.as_slice()).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let parent = B256::try_from(row.try_get::<&[u8], _>("parent_hash")?).unwrap_or_default();
                Ok((place(row.try_get("number")?, row.try_get("hash")?), parent))
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the headers behind a cursor", error))
}

/// Why blocks stopped counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The chain has another block there now.
    Chain {
        /// What it has at the height where we stood.
        now: B256,
    },
    /// A person said so.
    Operator {
        /// Why.
        reason: String,
        /// Who.
        author: String,
    },
    /// Proved receipts do not hold what we had written.
    Audit,
}

/// Takes back what is above `fork`: marks its logs, cuts its ranges, and puts the cursor there.
///
/// # Errors
/// Inner [`Moved`]: nothing is written; read the cursor again.
pub async fn take_back(
    tx: &mut Transaction<'_, Postgres>,
    id: SourceId,
    from: Place,
    (fork, fork_time): (Place, u64),
    cause: &Cause,
) -> Result<Result<i64, Moved>, StoreError> {
    let write = async {
        let moved = sqlx::query(include_str!("../../sql/queries/cursor_move.sql"))
            .bind(id.0)
            .bind(big(from.number))
            .bind(from.hash.as_slice())
            .bind(big(fork.number))
            .bind(fork.hash.as_slice())
            .bind(seconds(fork_time))
            .execute(&mut **tx)
            .await?;
        if moved.rows_affected() != 1 {
            return Ok(Err(Moved));
        }
        let reorg = write_reorg(tx, id, fork, from, cause).await?;
        sqlx::query(include_str!("../../sql/queries/reorg_take.sql"))
            .bind(id.0)
            .bind(big(fork.number))
            .bind(reorg)
            .execute(&mut **tx)
            .await?;
        sqlx::query(include_str!("../../sql/queries/range_cut.sql"))
            .bind(id.0)
            .bind(big(fork.number))
            .bind(fork.hash.as_slice())
            .execute(&mut **tx)
            .await?;
        Ok(Ok(reorg))
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("take blocks back", error))
}

async fn write_reorg(
    conn: &mut PgConnection,
    id: SourceId,
    fork: Place,
    old: Place,
    cause: &Cause,
) -> Result<i64, sqlx::Error> {
    let (word, now, reason, author) = match cause {
        Cause::Chain { now } => ("chain", Some(now.to_vec()), None, None),
        Cause::Operator { reason, author } => ("operator", None, Some(reason), Some(author)),
        Cause::Audit => ("audit", None, None, None),
    };
    sqlx::query(include_str!("../../sql/queries/reorg_write.sql"))
        .bind(id.0)
        .bind(word)
        .bind(big(fork.number))
        .bind(fork.hash.as_slice())
        .bind(big(old.number))
        .bind(old.hash.as_slice())
        .bind(now)
        .bind(reason)
        .bind(author)
        .fetch_one(conn)
        .await?
        .try_get(0)
}

/// The place of a canonical log of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPlace {
    /// Its block's height.
    pub block_number: u64,
    /// Its block's hash.
    pub block_hash: B256,
    /// Its place there.
    pub log_index: u64,
    /// Its transaction.
    pub tx_hash: B256,
}

/// The canonical logs of a source in a range, in order.
pub async fn log_places(
    conn: &mut PgConnection,
    id: SourceId,
    (from, to): (u64, u64),
) -> Result<Vec<LogPlace>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/log_places.sql"));
        let rows = query.bind(id.0).bind(big(from)).bind(big(to)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let block = place(row.try_get("block_number")?, row.try_get("block_hash")?);
                Ok(LogPlace {
                    block_number: block.number,
                    block_hash: block.hash,
                    log_index: small(row.try_get::<i32, _>("log_index")?.into()),
                    tx_hash: B256::try_from(row.try_get::<&[u8], _>("tx_hash")?).unwrap_or_default(),
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the logs of a range", error))
}

/// Marks logs that the chain does not have, found out by an audit of a block whose proof is at hand.
pub async fn disown(
    conn: &mut PgConnection,
    id: SourceId,
    chain: u64,
    logs: &[LogPlace],
) -> Result<(), StoreError> {
    let Some(first) = logs.first() else { return Ok(()) };
    let write = async {
        let at = Place { number: first.block_number, hash: first.block_hash };
        let reorg = write_reorg(conn, id, at, at, &Cause::Audit).await?;
        for log in logs {
            sqlx::query(include_str!("../../sql/queries/log_take_one.sql"))
                .bind(big(chain))
                .bind(log.block_hash.as_slice())
                .bind(i32::try_from(log.log_index).unwrap_or(i32::MAX))
                .bind(reorg)
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("mark a log that the chain does not have", error))
}
