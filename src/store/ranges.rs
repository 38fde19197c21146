//! How each range of blocks was believed.
//!
//! The ranges of a source lie side by side from its first block to its cursor;
//! the table itself refuses an overlap, `sql/checks/coverage.sql` finds a gap.

use sqlx::{PgConnection, Postgres, Row as _, Transaction};

use super::{StoreError, big, cursors::SourceId, facts::Moved, place, small};
use crate::book::{
    coverage::{Stretch, Verdict},
    log::Place,
};

pub(super) async fn append(
    conn: &mut PgConnection,
    id: SourceId,
    stretch: &Stretch,
) -> Result<(), sqlx::Error> {
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

/// Puts `proved` in the place of that part of its range; the rest keeps its verdict.
///
/// `before` is the block under the part: what the rest below then ends with. The caller
/// [holds](super::cursors::hold) the cursor.
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
