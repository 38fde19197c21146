//! Writing facts, and how far they are written.
//!
//! A cursor moves in the transaction that writes what it passed, and only from
//! where its mover believed it to stand: of two writers one is told [`Moved`].
//! Rows go straight into their tables by COPY; where a reorg or a rewind left
//! rows behind, they go by staging tables, and what stands already stands.
//! Nothing here asks a chain anything.

use alloy::primitives::{Address, B256};
use sqlx::{PgConnection, Postgres, Row as _, Transaction};

use super::{StoreError, copy::Rows};
use crate::book::{
    coverage::{Contradiction, Stretch, Verdict},
    fill::Fact,
    log::{Block, Log, Place},
};

/// The number of a source in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId(pub i32);

/// What a source is, as the tables keep it.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Its name, unique.
    pub name: &'a str,
    /// Its chain.
    pub chain: u64,
    /// Which events it emits.
    pub kind: &'a str,
    /// The contract.
    pub address: Address,
    /// Whose logs are ours.
    pub owners: &'a [Address],
    /// Its first block.
    pub from_block: u64,
}

/// What the books say of a source that the configuration describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub id: SourceId,
    /// It is the same contract on the same chain, of the same kind.
    pub same_contract: bool,
    /// It was read for the same owners.
    pub same_owners: bool,
    /// The first block that the books have it from.
    pub from_block: u64,
}

/// How far a source is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last block written.
    pub at: Place,
    /// The highest block that a node ever called final.
    pub finalized: Option<u64>,
    /// Why it stands still until a person rewinds it.
    pub stopped: Option<String>,
}

/// The cursor was not where its mover believed it to be: somebody else moved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved;

fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn small(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn place(number: i64, hash: &[u8]) -> Place {
    Place { number: small(number), hash: B256::try_from(hash).unwrap_or_default() }
}

/// Text from outside as Postgres can keep it: no NUL, no novel.
fn clean(text: &str) -> String {
    text.chars().filter(|character| *character != '\0').take(1_000).collect()
}

/// Finds the source, writing it down where it is new.
pub async fn source(conn: &mut PgConnection, source: &Source<'_>) -> Result<Known, StoreError> {
    let owners: Vec<&[u8]> = source.owners.iter().map(|owner| owner.as_slice()).collect();
    let doing = format!("write down the source `{}`", source.name);
    let row = async {
        sqlx::query(include_str!("../../sql/queries/source_write.sql"))
            .bind(source.name)
            .bind(big(source.chain))
            .bind(source.kind)
            .bind(source.address.as_slice())
            .bind(owners.clone())
            .bind(big(source.from_block))
            .execute(&mut *conn)
            .await?;
        let row = sqlx::query(include_str!("../../sql/queries/source_read.sql"))
            .bind(source.name)
            .bind(big(source.chain))
            .bind(source.kind)
            .bind(source.address.as_slice())
            .bind(owners.clone())
            .fetch_one(&mut *conn)
            .await?;
        Ok(Known {
            id: SourceId(row.try_get("id")?),
            same_contract: row.try_get("same_contract")?,
            same_owners: row.try_get("same_owners")?,
            from_block: small(row.try_get("from_block")?),
        })
    };
    row.await.map_err(|error| StoreError::of(&doing, error))
}

/// From now on the source is read for these owners.
pub async fn set_owners(conn: &mut PgConnection, id: SourceId, owners: &[Address]) -> Result<(), StoreError> {
    let owners: Vec<&[u8]> = owners.iter().map(|owner| owner.as_slice()).collect();
    sqlx::query(include_str!("../../sql/queries/source_owners.sql"))
        .bind(id.0)
        .bind(owners)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down a source's owners", error))?;
    Ok(())
}

/// From now on the source begins at this block.
pub async fn set_from_block(
    conn: &mut PgConnection,
    id: SourceId,
    from_block: u64,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/source_begin.sql"))
        .bind(id.0)
        .bind(big(from_block))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write down where a source begins", error))?;
    Ok(())
}

/// How far the source is written; `None` before its first look at the chain.
pub async fn cursor(conn: &mut PgConnection, id: SourceId) -> Result<Option<Cursor>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/cursor_read.sql")).bind(id.0);
        let Some(row) = query.fetch_optional(conn).await? else { return Ok(None) };
        Ok(Some(Cursor {
            at: place(row.try_get("number")?, row.try_get("hash")?),
            finalized: row.try_get::<Option<i64>, _>("finalized")?.map(small),
            stopped: row.try_get("stopped_why")?,
        }))
    };
    read.await.map_err(|error| StoreError::of("read a cursor", error))
}

/// Puts the cursor before the source's first block, where it has none.
pub async fn start(
    conn: &mut PgConnection,
    id: SourceId,
    before: Place,
    time: u64,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_start.sql"))
        .bind(id.0)
        .bind(big(before.number))
        .bind(before.hash.as_slice())
        .bind(seconds(time))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("write a first cursor", error))?;
    Ok(())
}

/// `to_timestamp` takes a double: whole seconds below 2^53 are exact in it.
fn seconds(time: u64) -> i64 {
    big(time)
}

/// Notes what a node said of its head.
pub async fn looked(
    conn: &mut PgConnection,
    id: SourceId,
    head: u64,
    safe: Option<u64>,
    finalized: Option<u64>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_look.sql"))
        .bind(id.0)
        .bind(big(head))
        .bind(safe.map(big))
        .bind(finalized.map(big))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("note a head", error))?;
    Ok(())
}

/// Stops a source until a person rewinds it.
pub async fn stop(conn: &mut PgConnection, id: SourceId, why: &str) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_stop.sql"))
        .bind(id.0)
        .bind(why)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("stop a source", error))?;
    Ok(())
}

/// A source begins anew: nothing of it is canonical, and its next look is its first.
pub async fn forget_cursor(conn: &mut PgConnection, id: SourceId) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_forget.sql"))
        .bind(id.0)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("forget a cursor", error))?;
    Ok(())
}

/// Lets a stopped source go on, from a block that may lie before what it called final.
pub async fn release(conn: &mut PgConnection, id: SourceId, from: u64) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_release.sql"))
        .bind(id.0)
        .bind(big(from))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("release a source", error))?;
    Ok(())
}

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

async fn append(conn: &mut PgConnection, id: SourceId, stretch: &Stretch) -> Result<(), sqlx::Error> {
    let bind = |sql: &'static str| {
        sqlx::query(sql)
            .bind(id.0)
            .bind(big(stretch.from))
            .bind(big(stretch.to.number))
            .bind(stretch.to.hash.as_slice().to_vec())
            .bind(stretch.verdict.word())
            .bind(stretch.node.clone())
            .bind(big(stretch.logs))
            .bind(big(stretch.foreign))
    };
    let grown = bind(include_str!("../../sql/queries/range_extend.sql")).execute(&mut *conn).await?;
    if grown.rows_affected() == 0 {
        bind(include_str!("../../sql/queries/range_insert.sql")).execute(conn).await?;
    }
    Ok(())
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

fn stretch(row: &sqlx::postgres::PgRow) -> Result<Stretch, sqlx::Error> {
    let word: String = row.try_get("verdict")?;
    Ok(Stretch {
        from: small(row.try_get("from_block")?),
        to: place(row.try_get("to_block")?, row.try_get("to_hash")?),
        verdict: word.parse().unwrap_or(Verdict::Taken),
        node: row.try_get("node")?,
        logs: small(row.try_get("logs")?),
        foreign: small(row.try_get("foreign_logs")?),
    })
}

/// The newest range in `within` that is believed less than `wanted`.
pub async fn doubtful(
    conn: &mut PgConnection,
    id: SourceId,
    (from, to): (u64, u64),
    wanted: Verdict,
) -> Result<Option<Stretch>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/range_read.sql"));
        let row =
            query.bind(id.0).bind(big(from)).bind(big(to)).bind(wanted.word()).fetch_optional(conn).await?;
        row.as_ref().map(stretch).transpose()
    };
    read.await.map_err(|error| StoreError::of("read the block ranges", error))
}

/// Keeps the source's cursor where it is until the transaction ends: whoever would move it waits.
///
/// Ranges are rewritten only by who moves the cursor, or holds it: a reorg that cuts them
/// does not see a range that an audit is about to put in another's place.
pub async fn hold(tx: &mut Transaction<'_, Postgres>, id: SourceId) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/cursor_hold.sql"))
        .bind(id.0)
        .execute(&mut **tx)
        .await
        .map_err(|error| StoreError::of("hold a cursor", error))?;
    Ok(())
}

/// Puts `proved` in the place of that part of its range; the rest keeps its verdict.
///
/// `before` is the block under the part: what the rest below then ends with. The caller
/// [holds](hold) the cursor.
///
/// # Errors
/// Inner [`Moved`]: the range is not what it was when it was read; nothing is written.
pub async fn believe(
    tx: &mut Transaction<'_, Postgres>,
    id: SourceId,
    proved: &[Stretch],
    before: Place,
) -> Result<Result<(), Moved>, StoreError> {
    let (Some(first), Some(last)) = (proved.first(), proved.last()) else { return Ok(Ok(())) };
    let write = async {
        let Some(whole) = range_of(tx, id, last.to.number).await? else { return Ok(Err(Moved)) };
        let anchored = last.to.number < whole.to.number || last.to == whole.to;
        if whole.from > first.from || !anchored {
            return Ok(Err(Moved));
        }
        remove_range(tx, id, whole.from).await?;
        let mut parts = Vec::with_capacity(proved.len() + 2);
        if whole.from < first.from {
            let foreign = whole.foreign.saturating_sub(proved.iter().map(|part| part.foreign).sum());
            let logs = count_logs(tx, id, (whole.from, before.number)).await?;
            parts.push(Stretch { to: before, logs, foreign, ..whole.clone() });
        }
        parts.extend_from_slice(proved);
        let above = last.to.number + 1;
        if above <= whole.to.number {
            let logs = count_logs(tx, id, (above, whole.to.number)).await?;
            parts.push(Stretch { from: above, logs, foreign: 0, ..whole });
        } else if let (Some(next), Some(top)) = (range_of(tx, id, above).await?, parts.last_mut()) {
            let next_from = next.from;
            if top.join(next).is_ok() {
                remove_range(tx, id, next_from).await?;
            }
        }
        for part in &parts {
            append(tx, id, part).await?;
        }
        Ok(Ok(()))
    };
    write.await.map_err(|error: sqlx::Error| StoreError::of("write down how a range is believed", error))
}

async fn range_of(conn: &mut PgConnection, id: SourceId, block: u64) -> Result<Option<Stretch>, sqlx::Error> {
    let query = sqlx::query(include_str!("../../sql/queries/range_lock.sql"));
    let row = query.bind(id.0).bind(big(block)).fetch_optional(conn).await?;
    row.as_ref().map(stretch).transpose()
}

async fn remove_range(conn: &mut PgConnection, id: SourceId, from: u64) -> Result<(), sqlx::Error> {
    let query = sqlx::query(include_str!("../../sql/queries/range_remove.sql"));
    query.bind(id.0).bind(big(from)).execute(conn).await?;
    Ok(())
}

async fn count_logs(
    conn: &mut PgConnection,
    id: SourceId,
    (from, to): (u64, u64),
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query(include_str!("../../sql/queries/range_logs.sql"));
    query.bind(id.0).bind(big(from)).bind(big(to)).fetch_one(conn).await?.try_get(0).map(small)
}

/// Where a contradiction was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// Following the head.
    Head,
    /// Reading history.
    Backfill,
    /// Reading again.
    Audit,
}

impl FoundBy {
    const fn word(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Backfill => "backfill",
            Self::Audit => "audit",
        }
    }
}

/// Keeps a contradiction on record; the same again is counted.
pub async fn contradicted(
    conn: &mut PgConnection,
    id: SourceId,
    chain: u64,
    contradiction: &Contradiction,
    found_by: FoundBy,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/contradiction_write.sql"))
        .bind(big(chain))
        .bind(id.0)
        .bind(big(contradiction.block_number))
        .bind(contradiction.block_hash.map(|hash| hash.to_vec()))
        .bind(&contradiction.node)
        .bind(clean(&contradiction.said))
        .bind(&contradiction.against)
        .bind(clean(&contradiction.against_said))
        .bind(found_by.word())
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep a contradiction", error))?;
    Ok(())
}

/// What a node has shown it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLimit {
    /// Which node.
    pub node: String,
    /// The widest range that worked.
    pub largest_ok: u64,
    /// The narrowest range refused for its width.
    pub smallest_refused: Option<u64>,
    /// Takes batches.
    pub batches: bool,
    /// Serves receipts.
    pub receipts: bool,
}

/// What was learnt of a chain's nodes.
pub async fn limits(conn: &mut PgConnection, chain: u64) -> Result<Vec<NodeLimit>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/limit_read.sql"));
        let rows = query.bind(big(chain)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                Ok(NodeLimit {
                    node: row.try_get("node")?,
                    largest_ok: small(row.try_get("largest_ok")?),
                    smallest_refused: row.try_get::<Option<i64>, _>("smallest_refused")?.map(small),
                    batches: row.try_get("batches")?,
                    receipts: row.try_get("receipts")?,
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read what nodes can do", error))
}

/// Keeps what was learnt of a node.
pub async fn keep_limit(conn: &mut PgConnection, chain: u64, limit: &NodeLimit) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/limit_write.sql"))
        .bind(big(chain))
        .bind(&limit.node)
        .bind(big(limit.largest_ok))
        .bind(limit.smallest_refused.map(big))
        .bind(limit.batches)
        .bind(limit.receipts)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep what a node can do", error))?;
    Ok(())
}

/// What the chain's tokens said of themselves: address, symbol, decimals.
pub async fn tokens(conn: &mut PgConnection, chain: u64) -> Result<Vec<(Address, String, u8)>, StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/token_read.sql"));
        let rows = query.bind(big(chain)).fetch_all(conn).await?;
        rows.iter()
            .map(|row| {
                let address = Address::try_from(row.try_get::<&[u8], _>("address")?).unwrap_or_default();
                let decimals: i32 = row.try_get("decimals")?;
                Ok((address, row.try_get("symbol")?, u8::try_from(decimals).unwrap_or(u8::MAX)))
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
    };
    read.await.map_err(|error| StoreError::of("read the tokens", error))
}

/// Keeps what a token said of itself.
pub async fn keep_token(
    conn: &mut PgConnection,
    chain: u64,
    address: Address,
    symbol: &str,
    decimals: u8,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../sql/queries/token_write.sql"))
        .bind(big(chain))
        .bind(address.as_slice())
        .bind(symbol)
        .bind(i32::from(decimals))
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("keep a token", error))?;
    Ok(())
}

/// Records that an operator takes a skipped log as it is; false where there is none open of this number.
pub async fn accept_skip(
    conn: &mut PgConnection,
    skipped: i64,
    reason: &str,
    author: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query(include_str!("../../sql/queries/skip_accept.sql"))
        .bind(skipped)
        .bind(reason)
        .bind(author)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("accept a skipped log", error))?;
    Ok(done.rows_affected() == 1)
}

/// Records which skipped logs have given a fact since, and says how many.
pub async fn resolve_skips(conn: &mut PgConnection, id: SourceId, author: &str) -> Result<u64, StoreError> {
    let done = sqlx::query(include_str!("../../sql/queries/skip_resolve.sql"))
        .bind(id.0)
        .bind(author)
        .execute(conn)
        .await
        .map_err(|error| StoreError::of("record a re-drive", error))?;
    Ok(done.rows_affected())
}

/// The canonical logs of every transaction of a source that has an open skipped log, in order.
pub async fn logs_to_redrive(conn: &mut PgConnection, id: SourceId) -> Result<(u64, Vec<Log>), StoreError> {
    let read = async {
        let query = sqlx::query(include_str!("../../sql/queries/skip_logs.sql"));
        let rows = query.bind(id.0).fetch_all(conn).await?;
        let mut open = 0;
        let logs = rows
            .iter()
            .map(|row| {
                let block = place(row.try_get("block_number")?, row.try_get("block_hash")?);
                let topics: &[u8] = row.try_get("topics")?;
                open += small(row.try_get("open")?);
                Ok(Log {
                    address: Address::try_from(row.try_get::<&[u8], _>("address")?).unwrap_or_default(),
                    topics: topics.chunks_exact(32).map(B256::from_slice).collect(),
                    data: row.try_get::<Vec<u8>, _>("data")?.into(),
                    block_number: block.number,
                    block_hash: block.hash,
                    block_timestamp: Some(small(row.try_get("block_time")?)),
                    transaction_hash: B256::try_from(row.try_get::<&[u8], _>("tx_hash")?).unwrap_or_default(),
                    transaction_index: small(row.try_get::<i32, _>("tx_index")?.into()),
                    log_index: small(row.try_get::<i32, _>("log_index")?.into()),
                    removed: false,
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()?;
        Ok((open, logs))
    };
    read.await.map_err(|error: sqlx::Error| StoreError::of("read the skipped logs", error))
}
